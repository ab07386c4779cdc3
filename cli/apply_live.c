/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/apply_live.h"

#include "cli/ui.h"
#include "executors/group.h"
#include "executors/libvirt/libvirt.h"
#include "executors/power/power.h"
#include "executors/reach.h"
#include "executors/vlan/vlan.h"
#include "model/base/diag.h"

#include <inttypes.h>

bool
dcp_live_connect(const struct dcp_globals *g, const struct dcp_inventory *inv,
                 struct dcp_connect *out, struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    bool ok = dcp_connect_read(g->dir, inv, &diag, out, err);

    if (diag.n) { /* 'err' only counts them. */
        dcp_ui_diag(g, &diag);
    }
    if (!ok && err && err->code == DCP_E_NOT_FOUND) {
        (void)dcp_fail(err, DCP_E_REFUSED,
                       "there is no connect.yaml in '%s', which says how to "
                       "reach hosts and switches (docs/live.md)",
                       g->dir);
    }
    dcp_diag_finish(&diag);
    return ok;
}

bool
dcp_live_check_reach(const struct dcp_globals *g,
                     const struct dcp_inventory *inv,
                     const struct dcp_connect *connect,
                     const struct dcp_plan *plan, uint32_t leg,
                     struct dcp_error *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        char why[DCP_REACH_TEXT_SIZE];

        if (s->leg == leg && !dcp_reach_step(inv, connect, s, why)) {
            dcp_ui_warn(g, "step %u, %s %s: %s", s->id,
                        dcp_step_kind_name(s->kind),
                        dcp_object_name(inv, s->object), why);
            n++;
        }
    }
    return !n || dcp_fail(err, DCP_E_REFUSED,
                          "%u steps of leg '%s' cannot be reached; nothing was "
                          "done",
                          n, plan->legs[leg].name);
}

struct dcp_executor *
dcp_live_create(const struct dcp_globals *g, const struct dcp_inventory *inv,
                const struct dcp_connect *connect, const struct dcp_plan *plan,
                struct dcp_error *err)
{
    struct dcp_libvirt_options libvirt = { .inventory = inv,
                                           .connect = connect,
                                           .clock_shift_ms = g->now_shift_ms };
    struct dcp_vlan_options vlan = { .inventory = inv,
                                     .connect = connect,
                                     .plan = plan,
                                     .clock_shift_ms = g->now_shift_ms };
    struct dcp_power_options power;
    struct dcp_executor *members[3] = { dcp_libvirt_create(&libvirt, err) };

    if (members[0]) {
        dcp_power_options_default(&power);
        power.inventory = inv;
        power.connect = connect;
        power.guests = dcp_libvirt_guests(members[0]);
        power.clock_offset_ms = g->now_shift_ms;
        members[1] = dcp_vlan_create(&vlan, err);
        members[2] = members[1] ? dcp_power_create(&power, err) : NULL;
    }
    if (!members[2]) {
        dcp_executor_destroy(members[1]);
        dcp_executor_destroy(members[0]);
        return NULL;
    }
    return dcp_group_create("live", members, 3, err);
}
