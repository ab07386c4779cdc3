/* SPDX-License-Identifier: GPL-3.0-or-later */

/* "berths", by leg: absent where there are none.  The printer's and the
 * parser's part. */

#include "model/io/plan_reader.h"
#include "model/io/plan_text.h"

#include <string.h>

/* --- Printing ------------------------------------------------------------- */

static void
print_pool(struct dcp_json *w, const struct dcp_inventory *inv,
           const struct dcp_berths *b)
{
    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, "lose", dcp_object_kind_name(b->lose));
    dcp_json_kobject(w, "hosts");
    for (uint32_t i = 0; i < b->n_hosts; i++) {
        dcp_json_ku64(w, inv->hosts[b->hosts[i].ix].name, b->n_at[i]);
    }
    dcp_json_end(w, '}');
    dcp_json_karray(w, "parts");
    for (uint32_t i = 0; i < b->n_parts; i++) {
        dcp_json_begin(w, '[');
        for (uint32_t k = b->first[i]; k < b->first[i + 1]; k++) {
            dcp_json_string(w, inv->vms[b->vms[k]].name);
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

void
dcp_plan_write_berths(struct dcp_json *w, const struct dcp_inventory *inv,
                      const struct dcp_plan *plan)
{
    if (!plan->n_berths) {
        return;
    }
    dcp_json_kobject(w, "berths");
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        dcp_json_karray(w, plan->legs[i].name);
        for (uint32_t k = 0; k < plan->n_berths; k++) {
            if (plan->berths[k].leg == i) {
                print_pool(w, inv, &plan->berths[k]);
            }
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, '}');
}

/* --- Parsing -------------------------------------------------------------- */

static bool
parse_kind(struct dcp_plan_reader *r, json_t *o, enum dcp_object_kind *out)
{
    static const enum dcp_object_kind kinds[] = { DCP_OBJECT_HOST,
                                                  DCP_OBJECT_RACK,
                                                  DCP_OBJECT_FEED };
    const char *name;

    if (!dcp_plan_reader_text(r, o, "lose", &name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strcmp(name, dcp_object_kind_name(kinds[i]))) {
            *out = kinds[i];
            return true;
        }
    }
    return dcp_plan_reader_fail(r, DCP_E_PARSE, "lose",
                                "'%s' is no kind that several are lost of",
                                name);
}

static bool
parse_hosts(struct dcp_plan_reader *r, json_t *o, struct dcp_berths *b)
{
    json_t *all = dcp_plan_reader_get(r, o, "hosts", JSON_OBJECT), *value;
    const char *name;

    if (!all) {
        return false;
    }
    size_t n = json_object_size(all), i = 0;
    dcp_host_id *hosts = dcp_arena_array(r->plan->arena, dcp_host_id, n);
    uint32_t *n_at = dcp_arena_array(r->plan->arena, uint32_t, n);

    if (!hosts || !n_at) {
        return dcp_plan_reader_no_memory(r);
    }
    json_object_foreach(all, name, value)
    {
        if (!dcp_plan_reader_host(r, name, &hosts[i].ix) ||
            !dcp_plan_reader_u32(r, all, name, &n_at[i])) {
            return false;
        }
        i++;
    }
    b->hosts = hosts;
    b->n_at = n_at;
    b->n_hosts = (uint32_t)n;
    return true;
}

static bool
parse_parts(struct dcp_plan_reader *r, json_t *o, struct dcp_berths *b)
{
    json_t *all = dcp_plan_reader_get(r, o, "parts", JSON_ARRAY);
    size_t n = json_array_size(all), n_vms = 0, at = 0;

    if (!all) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!json_is_array(json_array_get(all, i))) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "parts",
                                        "expected an array of names");
        }
        n_vms += json_array_size(json_array_get(all, i));
    }
    uint32_t *first = dcp_arena_array(r->plan->arena, uint32_t, n + 1);
    uint32_t *vms = dcp_arena_array(r->plan->arena, uint32_t, n_vms);

    if (!first || !vms) {
        return dcp_plan_reader_no_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *part = json_array_get(all, i);

        for (size_t k = 0; k < json_array_size(part); k++) {
            const char *name = json_string_value(json_array_get(part, k));

            if (!name) {
                return dcp_plan_reader_fail(r, DCP_E_PARSE, "parts",
                                            "expected the names of VMs");
            }
            if (!dcp_plan_reader_vm(r, name, &vms[at++])) {
                return false;
            }
        }
        first[i + 1] = (uint32_t)at;
    }
    b->vms = vms;
    b->first = first;
    b->n_parts = (uint32_t)n;
    return true;
}

static bool
parse_pool(struct dcp_plan_reader *r, json_t *o, uint32_t leg, void *out)
{
    struct dcp_berths *b = out;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    b->leg = leg;
    return parse_kind(r, o, &b->lose) && parse_hosts(r, o, b) &&
           parse_parts(r, o, b);
}

bool
dcp_plan_parse_berths(struct dcp_plan_reader *r, json_t *root)
{
    if (!json_object_get(root, "berths")) {
        return true;
    }
    r->plan->berths =
        dcp_plan_reader_by_leg(r, root, "berths", sizeof *r->plan->berths,
                               parse_pool, &r->plan->n_berths);
    return r->plan->berths != NULL;
}
