/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What VMs ask their hosts for: their samples, more while they warm up, less
 * where their limit, a migration or swap keeps them from it. */

#include "sim/state.h"

#include "model/capacity.h"

#include <math.h>

static uint32_t
vcpus_of(const struct dcp_sim *sim, uint32_t vm)
{
    return dcp_placement_size(sim->inv, sim->out->end, vm).vcpus;
}

static double
vcpu_mhz(const struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    return dcp_vm_vcpu_mhz(sim->inv, (dcp_vm_id){ vm }, (dcp_host_id){ host });
}

double
dcp_sim_demand_mhz(const struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    double demand = sim->row[vm];

    if (!sim->warmups || !dcp_warmups_is_warming(sim->warmups, vm)) {
        return demand;
    }
    return dcp_warmup_mhz(&sim->inv->policy.warmup, vcpus_of(sim, vm),
                          vcpu_mhz(sim, host, vm), demand);
}

static double
within_limit_mhz(const struct dcp_sim *sim, uint32_t host, uint32_t vm,
                 double demand)
{
    if (!sim->hosts[host].enforces || !sim->inv->vms[vm].cpu_limit_mhz) {
        return demand;
    }
    struct dcp_contention_terms terms =
        dcp_contention_terms_of(sim->inv, vm, host, 1);

    return dcp_contender_of(&terms, demand).want_mhz;
}

/* But for what swap takes off it. */
static struct sim_want
want_awake(const struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    struct sim_want w = { .asked_mhz = dcp_sim_demand_mhz(sim, host, vm) };

    w.want_mhz = within_limit_mhz(sim, host, vm, w.asked_mhz);
    w.held_mhz = w.asked_mhz - w.want_mhz;
    if (sim->stopped_frac && sim->stopped_frac[vm] > 0) {
        double most = dcp_slowdown_most_mhz(
            sim->stopped_frac[vm], vcpus_of(sim, vm), vcpu_mhz(sim, host, vm));
        double left = fmin(w.want_mhz, most);

        w.slowed_mhz = w.want_mhz - left;
        w.want_mhz = left;
    }
    return w;
}

struct sim_want
dcp_sim_want(const struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    struct sim_want w = want_awake(sim, host, vm);

    if (sim->hosts[host].is_short) {
        w.stalled_mhz = w.want_mhz * sim->memory[vm].stall_frac;
        w.want_mhz -= w.stalled_mhz;
    }
    return w;
}

/* --- Memory ------------------------------------------------------------- */

static struct dcp_guest_memory
guest(const struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    struct dcp_guest_memory g = dcp_memory_of(
        sim->inv, vm, host, dcp_placement_size(sim->inv, sim->out->end, vm));

    if (sim->mem_row && sim->mem_row[vm] >= 0 &&
        sim->mem_row[vm] < g.consumed_mib) {
        g.active_mib = sim->mem_row[vm];
        g.consumed_mib = sim->in->mem_is_active ? g.consumed_mib : g.active_mib;
    }
    return g;
}

/* Who waits how long for pages that are out, by what they want now. */
static void
stall(struct dcp_sim *sim, uint32_t host)
{
    const struct sim_host *h = &sim->hosts[host];

    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        double one_mhz = vcpu_mhz(sim, host, vm);

        sim->busy_vcpus[i] =
            one_mhz > 0 ? want_awake(sim, host, vm).want_mhz / one_mhz : 0;
    }
    (void)dcp_memory_stall(sim->guests, sim->busy_vcpus, h->n_vms,
                           &sim->inv->policy.swap);
}

/* Who gives how much back; true: that is, or was, any. */
static bool
reclaim(struct dcp_sim *sim, uint32_t host)
{
    struct sim_host *h = &sim->hosts[host];
    bool was_short = h->is_short;

    h->is_short =
        sim->guests && h->given_mib + h->overhead_mib > h->mem_capacity_mib;
    if (!h->is_short) {
        return was_short;
    }
    for (uint32_t i = 0; i < h->n_vms; i++) {
        sim->guests[i] = guest(sim, host, h->vms[i]);
    }
    h->unbacked_mib = dcp_memory_reclaim(sim->guests, h->n_vms,
                                         h->mem_capacity_mib - h->overhead_mib);
    if (sim->busy_vcpus) {
        stall(sim, host);
    }
    h->balloon_mib = h->swap_mib = 0;
    for (uint32_t i = 0; i < h->n_vms; i++) {
        sim->memory[h->vms[i]] = sim->guests[i];
        h->balloon_mib += sim->guests[i].balloon_mib;
        h->swap_mib += sim->guests[i].swap_mib;
    }
    return true;
}

/* --- Sums --------------------------------------------------------------- */

/* 'closely': some VM may want something else than its sample says. */
static void
sum_host(struct dcp_sim *sim, uint32_t host, bool closely)
{
    struct sim_host *h = &sim->hosts[host];
    double sampled = 0;
    struct sim_want sum = { 0 };

    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];

        sampled += sim->row[vm];
        if (closely) {
            struct sim_want w = dcp_sim_want(sim, host, vm);

            sum.asked_mhz += w.asked_mhz;
            sum.held_mhz += w.held_mhz;
            sum.slowed_mhz += w.slowed_mhz;
            sum.stalled_mhz += w.stalled_mhz;
            sum.want_mhz += w.want_mhz;
        }
    }
    h->own_mhz = closely ? sum.want_mhz : sampled;
    h->slowed_mhz = sum.slowed_mhz;
    h->stalled_mhz = sum.stalled_mhz;
    h->held_mhz = sum.held_mhz;
    h->warm_mhz = closely ? sum.asked_mhz - sampled : 0;
}

void
dcp_sim_sum_hosts(struct dcp_sim *sim)
{
    bool warming =
        sim->warmups && dcp_warmups_next_ms(sim->warmups) < INT64_MAX;

    for (uint32_t h = 0; h < sim->inv->n_hosts; h++) {
        struct sim_host *host = &sim->hosts[h];

        (void)reclaim(sim, h);
        sum_host(sim, h,
                 warming || host->n_slowed || host->n_controlled ||
                     host->is_short);
        host->out_mhz = host->in_mhz = host->slot_mhz_s = 0;
        host->slot_on = host->slot_overloaded = host->slot_above = false;
    }
    for (uint32_t i = 0; i < sim->n_moves; i++) {
        struct sim_move *m = &sim->moves[i];

        m->mhz = dcp_sim_want(sim, m->from, m->vm).want_mhz;
        sim->hosts[m->from].out_mhz += m->mhz;
        sim->hosts[m->to].in_mhz += m->mhz;
    }
}

void
dcp_sim_count_want(struct dcp_sim *sim, uint32_t host, uint32_t vm, double sign)
{
    struct sim_host *h = &sim->hosts[host];
    struct sim_want w = dcp_sim_want(sim, host, vm);

    h->own_mhz += sign * w.want_mhz;
    h->held_mhz += sign * w.held_mhz;
    h->slowed_mhz += sign * w.slowed_mhz;
    h->stalled_mhz += sign * w.stalled_mhz;
    h->warm_mhz += sign * (w.asked_mhz - sim->row[vm]);
}

void
dcp_sim_update_moves(struct dcp_sim *sim, uint32_t host, int64_t at_ms)
{
    for (uint32_t i = 0; i < sim->n_moves; i++) {
        struct sim_move *m = &sim->moves[i];
        double mhz =
            m->from == host ? dcp_sim_want(sim, host, m->vm).want_mhz : m->mhz;

        if (mhz != m->mhz) {
            dcp_sim_integrate(sim, m->to, at_ms);
            sim->hosts[m->from].out_mhz -= m->mhz - mhz;
            sim->hosts[m->to].in_mhz -= m->mhz - mhz;
            m->mhz = mhz;
        }
    }
}

void
dcp_sim_settle_memory(struct dcp_sim *sim, uint32_t host, int64_t at_ms)
{
    if (reclaim(sim, host)) {
        sum_host(sim, host, true);
        dcp_sim_update_moves(sim, host, at_ms);
    }
}
