/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What changes between events: VMs that began have warmed up, guests that
 * migrate are slowed down, in the order of time. */

#include "sim/state.h"

#include <stdlib.h>

/* --- Warm-ups ----------------------------------------------------------- */

/* The VM asks for less from now on, and so does its migration, if it is on its
 * way. */
static void
end_warmup(struct dcp_sim *sim, uint32_t vm, int64_t at_ms)
{
    uint32_t host = sim->out->end->host[vm].ix;

    dcp_sim_integrate(sim, host, at_ms);
    dcp_sim_count_want(sim, host, vm, -1);
    dcp_warmups_forget(sim->warmups, vm);
    dcp_sim_count_want(sim, host, vm, 1);
    dcp_sim_update_moves(sim, host, at_ms);
}

/* --- Slowdowns ---------------------------------------------------------- */

static int
by_time(const void *left, const void *right)
{
    const struct dcp_slowdown *a = left, *b = right;

    return a->at_ms != b->at_ms ? (a->at_ms < b->at_ms ? -1 : 1)
           : a->vm != b->vm     ? (a->vm < b->vm ? -1 : 1)
           : a->stopped_frac != b->stopped_frac
               ? (a->stopped_frac < b->stopped_frac ? -1 : 1)
               : 0;
}

bool
dcp_sim_slow_down(struct dcp_sim *sim, const struct dcp_slowdown more[],
                  uint32_t n, struct dcp_error *err)
{
    if (!n) {
        return true;
    }
    if (!sim->stopped_frac) {
        sim->stopped_frac =
            calloc((size_t)sim->inv->n_vms + 1, sizeof *sim->stopped_frac);
    }
    struct dcp_slowdown *all =
        realloc(sim->slowdowns, ((size_t)sim->n_slowdowns + n) * sizeof *all);

    sim->slowdowns = all ? all : sim->slowdowns;
    if (!all || !sim->stopped_frac) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u slowdowns", n);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (more[i].vm >= sim->inv->n_vms || !(more[i].stopped_frac >= 0) ||
            more[i].stopped_frac >= 1) {
            return dcp_fail(err, DCP_E_ARGUMENT, "a slowdown of no VM");
        }
        all[sim->n_slowdowns++] = more[i];
    }
    qsort(all + sim->next_slowdown, sim->n_slowdowns - sim->next_slowdown,
          sizeof *all, by_time);
    return true;
}

static void
set_slowed(struct dcp_sim *sim, uint32_t host, uint32_t vm, double stopped_frac)
{
    sim->hosts[host].n_slowed += stopped_frac > 0;
    sim->hosts[host].n_slowed -= sim->stopped_frac[vm] > 0;
    sim->stopped_frac[vm] = stopped_frac;
}

/* Of a VM on its way by that step; else it was cut, or never began. */
static void
begin_slowdown(struct dcp_sim *sim, const struct dcp_slowdown *s, int64_t at_ms)
{
    uint32_t i = 0;

    while (i < sim->n_moves && (sim->moves[i].vm != s->vm ||
                                sim->moves[i].step != s->step)) {
        i++;
    }
    if (i == sim->n_moves) {
        return;
    }
    uint32_t host = sim->moves[i].from;

    dcp_sim_integrate(sim, host, at_ms);
    dcp_sim_count_want(sim, host, s->vm, -1);
    set_slowed(sim, host, s->vm, s->stopped_frac);
    dcp_sim_count_want(sim, host, s->vm, 1);
    dcp_sim_update_moves(sim, host, at_ms);
}

void
dcp_sim_end_slowdown(struct dcp_sim *sim, uint32_t from, uint32_t vm)
{
    if (sim->stopped_frac) {
        set_slowed(sim, from, vm, 0);
    }
}

/* --- Both --------------------------------------------------------------- */

void
dcp_sim_meanwhile(struct dcp_sim *sim, int64_t until_ms)
{
    for (;;) {
        int64_t warm_ms =
            sim->warmups ? dcp_warmups_next_ms(sim->warmups) : INT64_MAX;
        const struct dcp_slowdown *slow =
            sim->next_slowdown < sim->n_slowdowns
                ? &sim->slowdowns[sim->next_slowdown]
                : NULL;

        if (slow && slow->at_ms <= until_ms && slow->at_ms <= warm_ms) {
            begin_slowdown(sim, slow, slow->at_ms);
            sim->next_slowdown++;
        } else if (warm_ms <= until_ms && warm_ms < INT64_MAX) {
            end_warmup(sim, dcp_warmups_next_vm(sim->warmups), warm_ms);
        } else {
            return;
        }
    }
}
