/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the plan says of hosts that stay on although they could go off, and of
 * the VMs that stay, or come back to them, for it. */

#include "solver/plan/work.h"

bool
dcp_work_add_left_out(const struct dcp_work *w, struct dcp_plan *plan,
                      enum dcp_left_out_why why, uint32_t host, double saving,
                      bool (*is_of)(const struct dcp_work *, uint32_t vm,
                                    uint32_t host, const void *arg),
                      const void *arg, struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->r->inventory;
    struct dcp_left_out *all = (struct dcp_left_out *)(size_t)plan->left_out;
    uint32_t n = 0;

    if (!all) {
        all = dcp_arena_array(plan->arena, struct dcp_left_out, w->n_hosts);
        plan->left_out = all;
        plan->left_out_unit = dcp_work_guide_unit(w);
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        n += is_of(w, v, host, arg);
    }
    uint32_t *vms = dcp_arena_array(plan->arena, uint32_t, n);

    if (!all || !vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for what is left out");
    }
    struct dcp_left_out *out = &all[plan->n_left_out++];

    *out = (struct dcp_left_out){
        .why = why, .host = { host }, .saving = saving, .vms = vms
    };
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (is_of(w, v, host, arg)) {
            vms[out->n_vms++] = v;
            out->moved_mib += inv->vms[v].mem_mib;
        }
    }
    return true;
}

static bool
comes_back(const struct dcp_work *w, uint32_t vm, uint32_t host,
           const void *arg)
{
    (void)arg;
    return w->second_end->host[vm].ix == host &&
           w->first_end->host[vm].ix != host;
}

bool
dcp_work_add_kept_for_boots(struct dcp_work *w, struct dcp_plan *plan,
                            struct dcp_error *err)
{
    bool by_watts = dcp_work_guide(w) != DCP_GOAL_HOSTS, ok = true;

    const uint8_t *kept = w->night.kept_for_boots;

    if (!kept) {
        return true;
    }
    dcp_work_set_values(w, 0, w->night_slots);
    for (uint32_t h = 0; ok && h < w->n_hosts; h++) {
        if (kept[h]) {
            ok = dcp_work_add_left_out(w, plan, DCP_LEFT_OUT_FAILED_BOOTS, h,
                                       by_watts ? w->on_value[h] : 1,
                                       comes_back, NULL, err);
        }
    }
    return ok;
}
