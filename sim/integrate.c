/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What hosts do between two events: demand is constant, so time, energy and
 * what is not served are products. */

#include "sim/state.h"

#include "model/capacity.h"
#include "model/power.h"

#define S_PER_MS 0.001

static uint32_t
vcpus_of(const struct dcp_sim *sim, uint32_t vm)
{
    return dcp_placement_size(sim->inv, sim->out->end, vm).vcpus;
}

static double
host_load(const struct dcp_sim *sim, const struct sim_host *h)
{
    return h->own_mhz + sim->overhead_frac * (h->out_mhz + h->in_mhz);
}

/* --- What is not served ------------------------------------------------- */

static struct dcp_sim_tenant *
tenant_of(struct dcp_sim *sim, uint32_t vm)
{
    dcp_tenant_id tenant = sim->inv->vms[vm].tenant;

    return &sim->out->tenants[dcp_tenant_is_none(tenant) ? sim->inv->n_tenants
                                                         : tenant.ix];
}

static void
count_ready(struct dcp_sim *sim, uint32_t host, uint32_t vm, double missed_mhz,
            double seconds)
{
    double vcpu_mhz =
        dcp_vm_vcpu_mhz(sim->inv, (dcp_vm_id){ vm }, (dcp_host_id){ host });
    double ready_s =
        dcp_ready_frac(missed_mhz, vcpus_of(sim, vm), vcpu_mhz) * seconds;

    if (!(ready_s > 0)) {
        return;
    }
    if (sim->vm_slot_ready_s[vm] == 0) {
        sim->waiting[sim->n_waiting++] = vm;
    }
    sim->vm_slot_ready_s[vm] += ready_s;
    sim->out->vm_ready_s[vm] += ready_s;
    tenant_of(sim, vm)->ready_s += ready_s;
}

bool
dcp_sim_end_waits(struct dcp_sim *sim, double slice_s, struct dcp_error *err)
{
    for (uint32_t i = 0; i < sim->n_waiting; i++) {
        uint32_t vm = sim->waiting[i];
        double frac = sim->vm_slot_ready_s[vm] / slice_s;

        sim->vm_slot_ready_s[vm] = 0;
        if (!dcp_ready_add(sim->out->ready, vm, frac < 1 ? frac : 1, err)) {
            return false;
        }
    }
    sim->n_waiting = 0;
    return true;
}

/* What each VM of the host gets of what its VMs get together. */
static void
contend(struct dcp_sim *sim, uint32_t host, double room_mhz)
{
    const struct sim_host *h = &sim->hosts[host];

    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        struct dcp_contention_terms terms =
            dcp_contention_terms_of(sim->inv, vm, host, vcpus_of(sim, vm));

        sim->contenders[i] =
            dcp_contender_of(&terms, dcp_sim_want(sim, host, vm).want_mhz);
    }
    dcp_contention_share(sim->contenders, h->n_vms, room_mhz);
}

/* The host's VMs together, and each migration's overhead, get the fraction
 * 'met_frac' of what they want; shares decide among the VMs. */
static void
count_overload(struct dcp_sim *sim, uint32_t host, double seconds,
               double met_frac)
{
    struct sim_host *h = &sim->hosts[host];
    struct dcp_sim_result *out = sim->out;
    bool controlled = h->n_controlled > 0;

    out->hosts[host].overload_s += seconds;
    out->hosts[host].unmet_mhz_s += h->own_mhz * (1 - met_frac) * seconds;
    sim->slice->overload_host_s += seconds;
    if (controlled) {
        contend(sim, host, h->own_mhz * met_frac);
    }
    uint32_t n = 0;
    double missed_sum = 0;

    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        const struct dcp_contender *c = &sim->contenders[i];
        double mhz =
            controlled ? c->want_mhz : dcp_sim_want(sim, host, vm).want_mhz;
        double missed =
            controlled && mhz > 0 ? 1 - c->got_mhz / mhz : 1 - met_frac;

        if (mhz > 0 && (missed > 0 || !controlled)) {
            struct dcp_sim_tenant *t = tenant_of(sim, vm);

            out->vm_overload_s[vm] += seconds;
            out->vm_unmet_mhz_s[vm] += mhz * missed * seconds;
            t->overload_vm_s += seconds;
            t->unmet_mhz_s += mhz * missed * seconds;
            count_ready(sim, host, vm, mhz * missed, seconds);
            missed_sum += missed;
            n++;
        }
    }
    sim->violations += n;
    sim->violation_sum += controlled ? missed_sum : n * (1 - met_frac);
}

/* Demand that VMs' own limits hold back. */
static void
count_held(struct dcp_sim *sim, uint32_t host, double seconds)
{
    struct sim_host *h = &sim->hosts[host];

    sim->out->hosts[host].held_mhz_s += h->held_mhz * seconds;
    sim->out->held_mhz_s += h->held_mhz * seconds;
    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        double held = dcp_sim_want(sim, host, vm).held_mhz;

        if (held > 0) {
            tenant_of(sim, vm)->held_mhz_s += held * seconds;
        }
    }
}

/* Demand of VMs that have just begun. */
static void
count_warming(struct dcp_sim *sim, uint32_t host, double seconds)
{
    const struct sim_host *h = &sim->hosts[host];

    sim->out->warmup_mhz_s += h->warm_mhz * seconds;
    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        double more = dcp_sim_demand_mhz(sim, host, vm) - sim->row[vm];

        if (more > 0) {
            tenant_of(sim, vm)->requested_mhz_s += more * seconds;
        }
    }
}

/* Demand that migrations and swap kept VMs from. */
static void
count_slowed(struct dcp_sim *sim, uint32_t host, double seconds)
{
    const struct sim_host *h = &sim->hosts[host];
    struct dcp_sim_result *out = sim->out;

    out->hosts[host].slowed_mhz_s += h->slowed_mhz * seconds;
    out->hosts[host].stalled_mhz_s += h->stalled_mhz * seconds;
    out->slowed_mhz_s += h->slowed_mhz * seconds;
    out->stalled_mhz_s += h->stalled_mhz * seconds;
    for (uint32_t i = 0; i < h->n_vms; i++) {
        struct sim_want w = dcp_sim_want(sim, host, h->vms[i]);
        struct dcp_sim_tenant *t = tenant_of(sim, h->vms[i]);

        t->slowed_mhz_s += w.slowed_mhz * seconds;
        t->stalled_mhz_s += w.stalled_mhz * seconds;
    }
}

/* --- Memory ------------------------------------------------------------- */

/* A host on which VMs were given more than it has. */
static void
count_short_memory(struct dcp_sim *sim, uint32_t host, double seconds)
{
    const struct sim_host *h = &sim->hosts[host];
    struct dcp_sim_result *out = sim->out;

    out->unbacked_mib_s += h->unbacked_mib * seconds;
    for (uint32_t i = 0; i < h->n_vms; i++) {
        uint32_t vm = h->vms[i];
        const struct dcp_guest_memory *g = &sim->memory[vm];

        if (g->swap_mib > 0) {
            out->vm_swap_mib_s[vm] += g->swap_mib * seconds;
            tenant_of(sim, vm)->swap_mib_s += g->swap_mib * seconds;
            if (dcp_sim_demand_mhz(sim, host, vm) > 0) {
                out->swap_wait_vm_s += g->stall_frac * seconds;
            }
        }
    }
    out->hosts[host].balloon_mib_s += h->balloon_mib * seconds;
    out->hosts[host].swap_mib_s += h->swap_mib * seconds;
    out->balloon_mib_s += h->balloon_mib * seconds;
    out->swap_mib_s += h->swap_mib * seconds;
    sim->slice->balloon_mib += h->balloon_mib * seconds;
    sim->slice->swap_mib += h->swap_mib * seconds;
}

/* --- Time --------------------------------------------------------------- */

static double
integrate_serving(struct dcp_sim *sim, uint32_t host, double seconds)
{
    struct sim_host *h = &sim->hosts[host];
    double load = host_load(sim, h);
    double used = load < h->capacity_mhz ? load : h->capacity_mhz;

    h->slot_on = true;
    h->slot_above |= load > h->target_mhz;
    sim->out->hosts[host].on_s += seconds;
    sim->slice_on_ms += seconds;
    sim->slice_capacity_ms += h->capacity_mhz * seconds;
    sim->used_mhz_s += used * seconds;
    sim->capacity_mhz_s += h->capacity_mhz * seconds;
    sim->mem_mib_s += h->mem_mib * seconds;
    sim->mem_capacity_mib_s += h->mem_capacity_mib * seconds;
    return dcp_power_at(&sim->inv->hardware[sim->inv->hosts[host].hardware.ix],
                        h->capacity_mhz > 0 ? load / h->capacity_mhz : 0);
}

void
dcp_sim_integrate(struct dcp_sim *sim, uint32_t host, int64_t until_ms)
{
    struct sim_host *h = &sim->hosts[host];
    const struct dcp_hardware *hw =
        &sim->inv->hardware[sim->inv->hosts[host].hardware.ix];
    struct dcp_sim_host *out = &sim->out->hosts[host];
    double seconds = (double)(until_ms - h->since_ms) * S_PER_MS;
    double load = host_load(sim, h), watts = hw->sleep_w;
    double capacity = h->power == DCP_SIM_ON ? h->capacity_mhz : 0;

    if (until_ms <= h->since_ms) {
        return;
    }
    h->since_ms = until_ms;
    sim->slice_demand_ms += load * seconds;
    h->slot_mhz_s += load * seconds;
    double requested =
        h->own_mhz + h->held_mhz + h->slowed_mhz + h->stalled_mhz;

    sim->out->requested_mhz_s += requested * seconds;
    out->requested_mhz_s += requested * seconds;
    sim->out->degraded_mhz_s += sim->overhead_frac * h->out_mhz * seconds;
    switch (h->power) {
    case DCP_SIM_ON:
        watts = integrate_serving(sim, host, seconds);
        break;
    case DCP_SIM_OFF:
        out->off_s += seconds;
        sim->out->standby_kwh += watts * seconds;
        sim->slice->part_w[DCP_ENERGY_STANDBY] += watts * seconds;
        break;
    case DCP_SIM_BOOTING:
        watts = hw->boot_w;
        out->switching_s += seconds;
        sim->out->boot_kwh += watts * seconds;
        break;
    case DCP_SIM_STOPPING:
        watts = hw->shutdown_w;
        out->switching_s += seconds;
        sim->out->shutdown_kwh += watts * seconds;
        break;
    }
    out->it_j += watts * seconds;
    sim->out->site_it_j[(size_t)(sim->slice - sim->out->slices) *
                            sim->out->n_site_columns +
                        h->site] += watts * seconds;
    if (load > capacity) {
        h->slot_overloaded = true;
        count_overload(sim, host, seconds, capacity / load);
    }
    if (h->is_short && capacity > 0) {
        count_short_memory(sim, host, seconds);
    }
    if (h->slowed_mhz > 0 || h->stalled_mhz > 0) {
        count_slowed(sim, host, seconds);
    }
    if (h->warm_mhz > 0) {
        count_warming(sim, host, seconds);
    }
    if (h->held_mhz > 0) {
        count_held(sim, host, seconds);
    }
}

void
dcp_sim_integrate_moves(struct dcp_sim *sim, int64_t until_ms)
{
    if (until_ms > sim->moves_since_ms) {
        sim->slice->migrating +=
            (double)(until_ms - sim->moves_since_ms) * sim->n_moves;
        sim->moves_since_ms = until_ms;
    }
}
