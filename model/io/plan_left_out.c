/* SPDX-License-Identifier: GPL-3.0-or-later */

/* "left_out": absent where nothing is.  The printer's and the parser's part. */

#include "model/io/plan_reader.h"
#include "model/io/plan_text.h"

#include <string.h>

void
dcp_plan_write_left_out(struct dcp_json *w, const struct dcp_inventory *inv,
                        const struct dcp_plan *plan)
{
    if (!plan->n_left_out) {
        return;
    }
    dcp_json_karray(w, "left_out");
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "host", inv->hosts[l->host.ix].name);
        dcp_json_kstring(w, "why", dcp_left_out_name(l->why));
        dcp_json_kdouble(w, "saving", l->saving);
        dcp_json_kstring(w, "unit", plan->left_out_unit);
        dcp_json_ku64(w, "mem_mib", l->moved_mib);
        dcp_json_karray(w, "vms");
        for (uint32_t k = 0; k < l->n_vms; k++) {
            dcp_json_string(w, inv->vms[l->vms[k]].name);
        }
        dcp_json_end(w, ']');
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static bool
parse_one(struct dcp_plan_reader *r, json_t *o, struct dcp_left_out *out)
{
    const char *host, *why;
    uint32_t *vms;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    if (!dcp_plan_reader_text(r, o, "host", &host) ||
        !dcp_plan_reader_host(r, host, &out->host.ix) ||
        !dcp_plan_reader_text(r, o, "why", &why) ||
        !dcp_plan_reader_double(r, o, "saving", &out->saving) ||
        !dcp_plan_reader_text(r, o, "unit", &r->plan->left_out_unit) ||
        !dcp_plan_reader_u64(r, o, "mem_mib", &out->moved_mib)) {
        return false;
    }
    if (!dcp_left_out_parse(why, &out->why)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "why",
                                    "'%s' is no reason that is known", why);
    }
    if (!dcp_plan_reader_vms(r, o, "vms", &vms, &out->n_vms)) {
        return false;
    }
    out->vms = vms;
    return true;
}

bool
dcp_plan_parse_left_out(struct dcp_plan_reader *r, json_t *root)
{
    dcp_plan_reader_enter(r, "");
    if (!json_object_get(root, "left_out")) {
        return true;
    }
    json_t *list = dcp_plan_reader_get(r, root, "left_out", JSON_ARRAY);

    if (!list) {
        return false;
    }
    size_t n = json_array_size(list);
    struct dcp_left_out *all =
        dcp_arena_array(r->plan->arena, struct dcp_left_out, n);

    if (!all) {
        return dcp_plan_reader_no_memory(r);
    }
    dcp_plan_reader_enter(r, "left_out");
    for (r->index = 0; r->index < n; r->index++) {
        if (!parse_one(r, json_array_get(list, r->index), &all[r->index])) {
            return false;
        }
    }
    r->index = SIZE_MAX;
    dcp_plan_reader_enter(r, "");
    r->plan->left_out = all;
    r->plan->n_left_out = (uint32_t)n;
    return true;
}
