/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/sweep_state.h"

#include "model/capacity.h"
#include "sim/sweep_contention.h"

uint32_t
dcp_sweep_tenant(const struct dcp_sweep *s, uint32_t vm)
{
    dcp_tenant_id tenant = s->in.inventory->vms[vm].tenant;

    return dcp_tenant_is_none(tenant) ? s->in.inventory->n_tenants : tenant.ix;
}

/* What one VM's vCPUs waited in the stripe. */
static bool
add_waits(struct dcp_sweep *s, struct dcp_sim_tenant *tenant, uint32_t host,
          uint32_t vm, const double missed_mhz[], struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->in.inventory;
    uint32_t vcpus = dcp_placement_size(inv, s->in.start, vm).vcpus;
    double vcpu_mhz =
        dcp_vm_vcpu_mhz(inv, (dcp_vm_id){ vm }, (dcp_host_id){ host });
    double ready_s = 0;

    for (int t = 0; t < SWEEP_TIMES; t++) {
        double frac = dcp_ready_frac(missed_mhz[t], vcpus, vcpu_mhz);

        if (s->seconds[t] > 0 && frac > 0) {
            ready_s += frac * s->seconds[t];
            if (!dcp_ready_add(s->out.ready, vm, frac, err)) {
                return false;
            }
        }
    }
    s->out.vm_ready_s[vm] += ready_s;
    tenant->ready_s += ready_s;
    return true;
}

/* A host whose demand is above what it has, or that is off with VMs on it. */
static bool
add_overload(struct dcp_sweep *s, struct sweep_group *g,
             const struct sweep_host *h, const struct sweep_overload *over,
             struct dcp_error *err)
{
    for (uint32_t i = 0; i < h->n_rows; i++) {
        uint32_t row = h->first_row + i, vm = s->rows.rows[row].vm;
        struct dcp_sim_tenant *tenant = &g->tenants[dcp_sweep_tenant(s, vm)];
        double vm_mhz[SWEEP_TIMES] = { 0 };

        dcp_sweep_rows_add(&s->rows, s->kernel, row, vm_mhz);
        struct sweep_missed missed = s->kernel->missed(vm_mhz, over);

        s->out.vm_overload_s[vm] += missed.over_s;
        s->out.vm_unmet_mhz_s[vm] += missed.unmet_mhz_s;
        tenant->overload_vm_s += missed.over_s;
        tenant->unmet_mhz_s += missed.unmet_mhz_s;
        g->violations += missed.n_times;
        g->violation_sum += missed.missed_sum;
        for (int t = 0; t < SWEEP_TIMES; t++) {
            vm_mhz[t] *= over->missed[t];
        }
        if (!add_waits(s, tenant, h->host, vm, vm_mhz, err)) {
            return false;
        }
    }
    return true;
}

/* The same of a host that shares by its VMs' shares. */
static bool
add_contention(struct dcp_sweep *s, struct sweep_group *g,
               struct sweep_contention *c, struct dcp_error *err)
{
    for (uint32_t i = 0; i < c->of.n_rows; i++) {
        const double *want = c->want_mhz + (size_t)i * SWEEP_TIMES;
        const double *missed = c->missed_mhz + (size_t)i * SWEEP_TIMES;
        uint32_t vm = s->rows.rows[c->of.first_row + i].vm;
        struct dcp_sim_tenant *tenant = &g->tenants[dcp_sweep_tenant(s, vm)];
        double over_s[SWEEP_TIMES] = { 0 };

        for (int t = 0; t < SWEEP_TIMES; t++) {
            if (s->seconds[t] > 0 && missed[t] > 0) {
                over_s[t] = s->seconds[t];
                g->violations++;
                g->violation_sum += missed[t] / want[t];
            }
        }
        double unmet_mhz_s = s->kernel->dot(missed, over_s), vm_s = 0;

        for (int t = 0; t < SWEEP_TIMES; t++) {
            vm_s += over_s[t];
        }
        s->out.vm_overload_s[vm] += vm_s;
        s->out.vm_unmet_mhz_s[vm] += unmet_mhz_s;
        tenant->overload_vm_s += vm_s;
        tenant->unmet_mhz_s += unmet_mhz_s;
        tenant->held_mhz_s +=
            s->kernel->dot(c->held_mhz + (size_t)i * SWEEP_TIMES, s->seconds);
        if (!add_waits(s, tenant, c->of.host, vm, missed, err)) {
            return false;
        }
    }
    return true;
}

static void
count_overload(struct dcp_sweep *s, uint32_t host, const double mhz[],
               const struct sweep_overload *over)
{
    double all_s[SWEEP_TIMES];

    for (int t = 0; t < SWEEP_TIMES; t++) {
        all_s[t] = 1;
    }
    s->out.hosts[host].overload_s += s->kernel->dot(over->over_s, all_s);
    s->out.hosts[host].unmet_mhz_s += s->kernel->dot(mhz, over->missed_s);
}

/* What VMs ask for, by tenant: neighbours of one tenant are taken at once. */
void
dcp_sweep_add_requests(struct dcp_sweep *s, struct sweep_group *g,
                       uint32_t first_row, uint32_t n_rows)
{
    for (uint32_t i = 0, j; i < n_rows; i = j) {
        uint32_t tenant = dcp_sweep_tenant(s, s->rows.rows[first_row + i].vm);
        double mhz[SWEEP_TIMES] = { 0 };

        for (j = i;
             j < n_rows &&
             dcp_sweep_tenant(s, s->rows.rows[first_row + j].vm) == tenant;
             j++) {
            dcp_sweep_rows_add(&s->rows, s->kernel, first_row + j, mhz);
        }
        g->tenants[tenant].requested_mhz_s += s->kernel->dot(mhz, s->seconds);
    }
}

/* Figures of the host's demand as a whole; 'held_mhz_s': of its VMs beyond
 * their limits.  True: it was in overload, as 'over' says. */
static bool
add_load(struct dcp_sweep *s, struct sweep_group *g, const struct sweep_host *h,
         const double mhz[], double capacity_mhz, double held_mhz_s,
         struct sweep_overload *over)
{
    const struct sim_host *host = &s->sim.hosts[h->host];
    struct sweep_host_sums sums =
        s->kernel->host(mhz, s->seconds, capacity_mhz, host->target_mhz,
                        &h->power, g->it_j, g->demand_mhz_s, g->over_s);

    s->out.hosts[h->host].it_j += sums.it_j;
    s->out.hosts[h->host].held_mhz_s += held_mhz_s;
    g->requested_mhz_s += sums.demand_mhz_s + held_mhz_s;
    g->held_mhz_s += held_mhz_s;
    if (host->power == DCP_SIM_ON) {
        g->used_mhz_s += sums.used_mhz_s;
        g->slots_above += sums.n_above;
        g->slots_overloaded += sums.n_overloaded;
    }
    if (!h->one_tenant) {
        dcp_sweep_add_requests(s, g, h->first_row, h->n_rows);
    } else if (h->n_rows) {
        g->tenants[dcp_sweep_tenant(s, s->rows.rows[h->first_row].vm)]
            .requested_mhz_s += sums.demand_mhz_s + held_mhz_s;
    }
    if (sums.n_overloaded) {
        s->kernel->overload(mhz, s->seconds, capacity_mhz, over);
        count_overload(s, h->host, mhz, over);
    }
    return sums.n_overloaded > 0;
}

static bool
add_contended_host(struct dcp_sweep *s, struct sweep_group *g,
                   const struct sweep_host *h, double capacity_mhz,
                   struct dcp_error *err)
{
    struct sweep_contention c;
    struct sweep_overload over;
    const struct sweep_contended of = {
        .inv = s->in.inventory,
        .placement = s->in.start,
        .rows = &s->rows,
        .kernel = s->kernel,
        .host = h->host,
        .first_row = h->first_row,
        .n_rows = h->n_rows,
    };
    double mhz[SWEEP_TIMES] = { 0 }, held_mhz_s = 0;

    if (!dcp_sweep_contention_open(&c, &of, mhz, err)) {
        return false;
    }
    for (uint32_t i = 0; i < h->n_rows; i++) {
        held_mhz_s +=
            s->kernel->dot(c.held_mhz + (size_t)i * SWEEP_TIMES, s->seconds);
    }
    if (add_load(s, g, h, mhz, capacity_mhz, held_mhz_s, &over)) {
        dcp_sweep_contention_share(&c, mhz, capacity_mhz);
    }
    bool ok = add_contention(s, g, &c, err);

    dcp_sweep_contention_close(&c);
    return ok;
}

bool
dcp_sweep_add_host(struct dcp_sweep *s, struct sweep_group *g,
                   const struct sweep_host *h, struct dcp_error *err)
{
    const struct sim_host *host = &s->sim.hosts[h->host];
    bool on = host->power == DCP_SIM_ON;
    double capacity_mhz = on ? host->capacity_mhz : 0;
    double mhz[SWEEP_TIMES] = { 0 };
    struct sweep_overload over;

    if (host->n_controlled) {
        return add_contended_host(s, g, h, capacity_mhz, err);
    }
    for (uint32_t i = 0; i < h->n_rows; i++) {
        dcp_sweep_rows_add(&s->rows, s->kernel, h->first_row + i, mhz);
    }
    return !add_load(s, g, h, mhz, capacity_mhz, 0, &over) ||
           add_overload(s, g, h, &over, err);
}
