/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Switches, links, VLANs, hosts with their ports, servers, arrays, pools. */

#include "model/base/units.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <string.h>

static void
finish_link(struct dcp_reader *r, uint32_t ix, void *base,
            const struct dcp_yaml *node)
{
    struct dcp_link *link = base;
    const struct dcp_yaml *ends = dcp_yaml_get(node, "ends");
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, ends, &n);

    (void)ix;
    link->end[0] = link->end[1] = "";
    if (ends && n != 2) {
        dcp_reader_error(r, ends->pos, "ends: %u names where 2 are needed", n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        char hint[120];

        if (!dcp_reader_scalar(r, "ends", &items[i])) {
            continue;
        }
        const char *name = items[i].text;

        if (dcp_strmap_find(&r->tables[DCP_KIND_SWITCH].by_name, name) ==
                DCP_STRMAP_NONE &&
            dcp_strmap_find(&r->tables[DCP_KIND_SITE].by_name, name) ==
                DCP_STRMAP_NONE) {
            dcp_reader_error(
                r, items[i].pos,
                "ends: '%.60s' is neither a switch nor a site%s", name,
                dcp_reader_suggest(r, DCP_KIND_SWITCH, name, hint));
        }
        link->end[i] = dcp_reader_text(r, name);
    }
}

void
dcp_read_network(struct dcp_reader *r)
{
    struct dcp_inventory *inv = r->inv;

    dcp_reader_table(r, DCP_KIND_SWITCH, &inv->switches, &inv->n_switches,
                     NULL);
    dcp_reader_table(r, DCP_KIND_LINK, &inv->links, &inv->n_links, finish_link);
    dcp_reader_table(r, DCP_KIND_VLAN, &inv->vlans, &inv->n_vlans, NULL);
    dcp_reader_table(r, DCP_KIND_ARRAY, &inv->arrays, &inv->n_arrays, NULL);
}

/* --- Hosts -------------------------------------------------------------- */

/* A cell "eth1=tor1/p1/front+data" as the tree {eth1: {switch: tor1, port: p1,
 * vlans: [front, data]}}, so that one reader serves both; false: not so. */
static bool
port_cell(struct dcp_reader *r, const struct dcp_yaml *cell,
          struct dcp_yaml_entry *out)
{
    struct dcp_yaml_entry *keys =
        dcp_arena_array(r->scratch, struct dcp_yaml_entry, 3);
    const char *equals = strchr(cell->text, '=');
    const char *slash = equals ? strchr(equals, '/') : NULL;
    const char *slash2 = slash ? strchr(slash + 1, '/') : NULL;

    if (!equals || equals == cell->text || !keys) {
        r->no_memory |= !keys;
        return false;
    }
    const char *end = cell->text + strlen(cell->text);
    const char *from[3] = { equals + 1, slash ? slash + 1 : end,
                            slash2 ? slash2 + 1 : end };
    const char *to[3] = { slash ? slash : end, slash2 ? slash2 : end, end };
    static const char *const names[3] = { "switch", "port", "vlans" };
    uint32_t n = 0;

    for (uint32_t i = 0; i < 3; i++) {
        if (to[i] <= from[i]) {
            continue;
        }
        char *text =
            dcp_arena_calloc(r->scratch, (size_t)(to[i] - from[i]) + 1, 1);

        if (!text) {
            r->no_memory = true;
            return false;
        }
        memcpy(text, from[i], (size_t)(to[i] - from[i]));
        for (char *p = text; i == 2 && *p; p++) {
            *p = *p == '+' ? ' ' : *p;
        }
        keys[n] = (struct dcp_yaml_entry){ names[i], cell->pos, *cell };
        keys[n++].value.text = text;
    }
    out->key = dcp_arena_strndup(r->scratch, cell->text,
                                 (size_t)(equals - cell->text));
    out->pos = cell->pos;
    out->value = (struct dcp_yaml){
        .kind = DCP_YAML_MAPPING, .pos = cell->pos, .n = n, .entries = keys
    };
    r->no_memory |= !out->key;
    return out->key != NULL;
}

static const struct dcp_yaml_entry *
port_entries(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t *out_n)
{
    uint32_t n, kept = 0;

    *out_n = node->n;
    if (node->kind == DCP_YAML_MAPPING) {
        return node->entries;
    }
    const struct dcp_yaml *cells = dcp_reader_items(r, node, &n);
    struct dcp_yaml_entry *entries =
        dcp_arena_array(r->scratch, struct dcp_yaml_entry, n);

    for (uint32_t i = 0; entries && i < n; i++) {
        if (port_cell(r, &cells[i], &entries[kept])) {
            kept++;
        } else {
            dcp_reader_error(r, cells[i].pos,
                             "ports: '%.60s' is not of the form "
                             "nic=switch/port/vlan+vlan",
                             cells[i].text);
        }
    }
    *out_n = entries ? kept : 0;
    return entries;
}

static void
read_serves(struct dcp_reader *r, const struct dcp_yaml *node,
            struct dcp_host *host)
{
    uint32_t n, bit;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (dcp_reader_choice(r, dcp_schema_row(&dcp_schema_host, "serves"),
                              &items[i], &bit)) {
            host->serves |= UINT32_C(1) << bit;
        }
    }
}

static void
finish_host(struct dcp_reader *r, uint32_t ix, void *base,
            const struct dcp_yaml *node)
{
    struct dcp_host *host = base;
    const struct dcp_yaml *ports = dcp_yaml_get(node, "ports");

    host->pos = r->tables[DCP_KIND_HOST].items[ix].pos;
    host->tags = dcp_reader_tags(r, dcp_yaml_get(node, "tags"));
    read_serves(r, dcp_yaml_get(node, "serves"), host);
    dcp_reader_instant(r, "failed_at", dcp_yaml_get(node, "failed_at"),
                       &host->failed_ms);
    dcp_reader_instant(r, "woke_at", dcp_yaml_get(node, "woke_at"),
                       &host->woke_ms);
    if (!ports) {
        return;
    }
    uint32_t n;
    const struct dcp_yaml_entry *entries = port_entries(r, ports, &n);
    struct dcp_port *all = dcp_reader_array(r, n, sizeof *all);

    for (uint32_t i = 0; all && i < n; i++) {
        struct dcp_port *port = &all[host->n_ports];

        dcp_reader_defaults(r, &dcp_schema_port, port);
        if (dcp_reader_section(r, &dcp_schema_port, &entries[i].value, port)) {
            port->nic = dcp_reader_text(r, entries[i].key);
            host->n_ports++;
        }
    }
    host->ports = all;
}

static void
finish_server(struct dcp_reader *r, uint32_t ix, void *base,
              const struct dcp_yaml *node)
{
    struct dcp_server *server = base;
    const struct dcp_schema_row *row =
        dcp_schema_row(&dcp_schema_server, "unit");
    const struct dcp_yaml *unit = dcp_yaml_get(node, "unit");
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, unit, &n);
    double first, last;

    (void)ix;
    if (!unit) {
        return;
    }
    if (n < 1 || n > 2) {
        dcp_reader_error(r, unit->pos,
                         "unit: one unit, or the first and the last");
        return;
    }
    if (dcp_reader_number(r, row, &items[0], &first) &&
        dcp_reader_number(r, row, &items[n - 1], &last)) {
        if (last < first) {
            dcp_reader_error(r, unit->pos,
                             "unit: the last is below the first; swap them");
        }
        server->unit_first = (uint32_t)first;
        server->unit_last = (uint32_t)last;
    }
}

static void
finish_pool(struct dcp_reader *r, uint32_t ix, void *base,
            const struct dcp_yaml *node)
{
    struct dcp_pool *pool = base;
    const struct dcp_yaml *reach = dcp_yaml_get(node, "reach");
    const struct dcp_yaml *transport = dcp_yaml_get(node, "transport");
    const struct dcp_schema_row *row =
        dcp_schema_row(&dcp_schema_pool, "transport");
    uint32_t choice = dcp_schema_choice(row->of, row->fallback);

    (void)ix;
    if (transport) {
        (void)dcp_reader_choice(r, row, transport, &choice);
    }
    pool->transport = UINT32_C(1) << choice;
    pool->reach_all = !reach;
    if (reach) {
        pool->reach = dcp_select_hosts(r, "reach", reach);
    }
}

void
dcp_read_hosts(struct dcp_reader *r)
{
    struct dcp_inventory *inv = r->inv;

    dcp_reader_table(r, DCP_KIND_HOST, &inv->hosts, &inv->n_hosts, finish_host);
    for (uint32_t i = 0; i < inv->n_hosts && !r->no_memory; i++) {
        r->no_memory |=
            !dcp_strmap_add(&inv->host_by_name, inv->hosts[i].name, i, NULL);
        inv->wakes_recorded |= inv->hosts[i].woke_ms != 0;
    }
    dcp_reader_table(r, DCP_KIND_SERVER, &inv->servers, &inv->n_servers,
                     finish_server);
    dcp_reader_table(r, DCP_KIND_POOL, &inv->pools, &inv->n_pools, finish_pool);
}
