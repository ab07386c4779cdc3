/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/vlan/port.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS "_uuid", "name", "tag", "trunks", "vlan_mode"

/* --- Reading ------------------------------------------------------------ */

json_t *
dcp_port_select(const char *name)
{
    return json_pack("{s:s, s:s, s:[[s, s, s]], s:[s, s, s, s, s]}", "op",
                     "select", "table", "Port", "where", "name", "==", name,
                     "columns", COLUMNS);
}

json_t *
dcp_port_select_all(void)
{
    return json_pack("{s:s, s:s, s:[], s:[s, s, s, s, s]}", "op", "select",
                     "table", "Port", "where", "columns", COLUMNS);
}

/* A set of RFC 7047 is one atom, or ["set", [atom ...]].  Its i-th atom. */
static const json_t *
set_item(const json_t *set, size_t i)
{
    const char *word = json_string_value(json_array_get(set, 0));

    if (!json_is_array(set)) {
        return i == 0 ? set : NULL;
    }
    return word && !strcmp(word, "set")
               ? json_array_get(json_array_get(set, 1), i)
               : NULL;
}

static bool
is_vlan(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) < DCP_VLANS;
}

static bool
is_listed(const struct dcp_vlan_port *p, uint32_t vlan)
{
    return p->trunks[vlan / 8] >> vlan % 8 & 1;
}

static bool
read_trunks(const json_t *column, struct dcp_vlan_port *out)
{
    const json_t *item;

    for (size_t i = 0; (item = set_item(column, i)) != NULL; i++) {
        if (!is_vlan(item)) {
            return false;
        }
        uint32_t vlan = (uint32_t)json_integer_value(item);

        out->n_trunks += !is_listed(out, vlan);
        out->trunks[vlan / 8] |= (uint8_t)(1u << vlan % 8);
    }
    return true;
}

/* ovs-vswitchd.conf.db(5), Port, vlan_mode: when it is not set, a port with a
 * tag is an access port and one without is a trunk. */
static enum dcp_port_mode
mode_of(const struct dcp_vlan_port *p)
{
    const char *m = p->vlan_mode;

    if (!strcmp(m, "access") || (!*m && p->tag >= 0)) {
        return DCP_PORT_ACCESS;
    }
    if (*m && strcmp(m, "trunk") != 0 && strcmp(m, "native-tagged") != 0 &&
        strcmp(m, "native-untagged") != 0) {
        return DCP_PORT_OTHER;
    }
    return p->n_trunks ? DCP_PORT_LISTED : DCP_PORT_ALL;
}

bool
dcp_port_read(const json_t *row, struct dcp_vlan_port *out,
              struct dcp_error *err)
{
    const json_t *uuid = json_object_get(row, "_uuid");
    const char *id = json_string_value(json_array_get(uuid, 1));
    const char *name = json_string_value(json_object_get(row, "name"));
    const json_t *tag = set_item(json_object_get(row, "tag"), 0);
    const json_t *mode = set_item(json_object_get(row, "vlan_mode"), 0);

    memset(out, 0, sizeof *out);
    out->tag = -1;
    if (!name || !id || strlen(id) >= sizeof out->uuid ||
        (tag && !is_vlan(tag)) ||
        (mode && (!json_is_string(mode) ||
                  json_string_length(mode) >= sizeof out->vlan_mode)) ||
        !read_trunks(json_object_get(row, "trunks"), out)) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "the switch database describes a port in a way that "
                        "makes no sense");
    }
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    (void)snprintf(out->uuid, sizeof out->uuid, "%s", id);
    (void)snprintf(out->vlan_mode, sizeof out->vlan_mode, "%s",
                   mode ? json_string_value(mode) : "");
    if (tag) {
        out->tag = (int32_t)json_integer_value(tag);
    }
    out->mode = mode_of(out);
    return true;
}

/* --- Judging ------------------------------------------------------------ */

bool
dcp_port_carries(const struct dcp_vlan_port *p, uint32_t vlan)
{
    return p->mode == DCP_PORT_ALL ||
           (p->mode == DCP_PORT_LISTED && is_listed(p, vlan)) ||
           (!strcmp(p->vlan_mode, "native-tagged") && p->tag == (int32_t)vlan);
}

bool
dcp_port_names(const struct dcp_vlan_port *p, uint32_t vlan)
{
    return p->tag == (int32_t)vlan ||
           (p->mode != DCP_PORT_ACCESS && is_listed(p, vlan));
}

bool
dcp_port_prevents(const struct dcp_vlan_port *p, uint32_t vlan, bool add,
                  const char *where, char *out, size_t size)
{
    if (p->mode == DCP_PORT_ACCESS) {
        (void)snprintf(out, size,
                       "port %.40s of %.40s is an access port of VLAN %d, not "
                       "a trunk: clear its tag and list its trunks",
                       p->name, where, p->tag);
    } else if (p->mode == DCP_PORT_OTHER) {
        (void)snprintf(out, size,
                       "port %.40s of %.40s has vlan_mode '%.20s': make it a "
                       "trunk",
                       p->name, where, p->vlan_mode);
    } else if (p->tag == (int32_t)vlan &&
               (!add || !dcp_port_carries(p, vlan))) {
        (void)snprintf(out, size,
                       "VLAN %u is the native one of port %.40s of %.40s: "
                       "change its tag by hand",
                       vlan, p->name, where);
    } else if (!add && p->mode == DCP_PORT_ALL) {
        (void)snprintf(out, size,
                       "port %.40s of %.40s carries all VLANs: list those that "
                       "it needs in its trunks first",
                       p->name, where);
    } else {
        return false;
    }
    return true;
}

/* --- Changing ----------------------------------------------------------- */

static json_t *
by_uuid(const struct dcp_vlan_port *p)
{
    return json_pack("[[s, s, [s, s]]]", "_uuid", "==", "uuid", p->uuid);
}

static json_t *
trunks_of(const struct dcp_vlan_port *p)
{
    json_t *items = json_array();

    for (uint32_t v = 0; items && v < DCP_VLANS; v++) {
        if (is_listed(p, v) &&
            json_array_append_new(items, json_integer(v)) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return json_pack("[s, o]", "set", items);
}

/* NULL makes json_pack() fail, and the array have a hole that is found when it
 * is sent: append puts a null there. */
static void
append(json_t *operations, json_t *op)
{
    (void)json_array_append_new(operations, op ? op : json_null());
}

/* The port is what it was. */
static json_t *
wait_for(const struct dcp_vlan_port *p)
{
    json_t *tag =
        p->tag < 0 ? json_pack("[s, []]", "set") : json_integer(p->tag);
    json_t *mode = p->vlan_mode[0] ? json_string(p->vlan_mode)
                                   : json_pack("[s, []]", "set");

    return json_pack("{s:s, s:s, s:o, s:[s, s, s, s], s:s, s:i, s:[{s:s, s:o, "
                     "s:o, s:o}]}",
                     "op", "wait", "table", "Port", "where", by_uuid(p),
                     "columns", "name", "tag", "trunks", "vlan_mode", "until",
                     "==", "timeout", 0, "rows", "name", p->name, "tag", tag,
                     "trunks", trunks_of(p), "vlan_mode", mode);
}

static json_t *
mutation(const char *mutator, uint32_t vlan)
{
    return json_pack("[s, s, [s, [i]]]", "trunks", mutator, "set", (int)vlan);
}

void
dcp_port_change(json_t *operations, const struct dcp_vlan_port *p,
                uint32_t vlan, bool add)
{
    json_t *mutations = json_array();
    bool alone = p->n_trunks == 1;

    if (!add && alone && is_listed(p, vlan)) {
        append(mutations, mutation("insert", DCP_VLAN_NOBODY));
    }
    append(mutations, mutation(add ? "insert" : "delete", vlan));
    if (add && alone && is_listed(p, DCP_VLAN_NOBODY)) {
        append(mutations, mutation("delete", DCP_VLAN_NOBODY));
    }
    append(operations, wait_for(p));
    append(operations,
           json_pack("{s:s, s:s, s:o, s:o}", "op", "mutate", "table", "Port",
                     "where", by_uuid(p), "mutations", mutations));
}

void
dcp_port_make_access(json_t *operations, const struct dcp_vlan_port *p,
                     uint32_t vlan)
{
    append(operations, wait_for(p));
    append(operations,
           json_pack("{s:s, s:s, s:o, s:{s:i, s:[s, []], s:s}}", "op", "update",
                     "table", "Port", "where", by_uuid(p), "row", "tag",
                     (int)vlan, "trunks", "set", "vlan_mode", "access"));
}

void
dcp_port_limit_rate(json_t *operations, const char *interface,
                    uint64_t rate_kbit_s, uint64_t burst_kbit)
{
    append(operations,
           json_pack("{s:s, s:s, s:[[s, s, s]], s:{s:I, s:I}}", "op", "update",
                     "table", "Interface", "where", "name", "==", interface,
                     "row", "ingress_policing_rate", (json_int_t)rate_kbit_s,
                     "ingress_policing_burst", (json_int_t)burst_kbit));
}

void
dcp_port_end_change(json_t *operations, const char *comment)
{
    append(operations, json_pack("{s:s, s:s, s:[], s:[[s, s, i]]}", "op",
                                 "mutate", "table", "Open_vSwitch", "where",
                                 "mutations", "next_cfg", "+=", 1));
    append(operations,
           json_pack("{s:s, s:s, s:[], s:[s]}", "op", "select", "table",
                     "Open_vSwitch", "where", "columns", "next_cfg"));
    append(operations,
           json_pack("{s:s, s:b}", "op", "commit", "durable", true));
    append(operations,
           json_pack("{s:s, s:s}", "op", "comment", "comment", comment));
}

bool
dcp_port_changed(const json_t *result, int64_t *out_next_cfg,
                 struct dcp_error *err)
{
    size_t n = json_array_size(result);

    *out_next_cfg = 0;
    for (size_t i = 0; i + DCP_PORT_END_OPS < n; i++) {
        const json_t *count =
            json_object_get(json_array_get(result, i), "count");

        if (count && json_integer_value(count) != 1) {
            return dcp_fail(err, DCP_E_STALE,
                            "the change met %lld rows instead of one",
                            (long long)json_integer_value(count));
        }
    }
    const json_t *rows =
        n < DCP_PORT_END_OPS
            ? NULL
            : json_object_get(json_array_get(result, n - DCP_PORT_END_OPS + 1),
                              "rows");
    const json_t *next = json_object_get(json_array_get(rows, 0), "next_cfg");

    if (!json_is_integer(next)) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "the switch database does not say which configuration "
                        "it will have");
    }
    *out_next_cfg = json_integer_value(next);
    return true;
}
