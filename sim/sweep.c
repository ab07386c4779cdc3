/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Two phases a stripe, each cut into pieces that threads take one after the
 * other: blocks of the store's columns become rows of VMs (sim/sweep_rows.c),
 * then groups of hosts add theirs up.  A group's sums are its own, and are
 * added in the order of groups: no figure depends on who took what. */

#include "sim/sweep.h"

#include "sim/sweep_state.h"
#include "sim/watch.h"
#include "traces/parallel.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 64, GROUP_HOSTS_MIN = 8 };

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay");
}

/* --- Opening ------------------------------------------------------------ */

static void
init_power(const struct dcp_sweep *s, uint32_t host, struct sweep_power *out)
{
    const struct dcp_inventory *inv = s->in.inventory;
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];
    bool on = s->sim.hosts[host].power == DCP_SIM_ON;

    *out = (struct sweep_power){ 0 };
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        out->w[i] = on ? hw->power_w[i] : hw->sleep_w;
    }
    for (uint32_t i = 0; i + 1 < DCP_POWER_POINTS; i++) {
        out->rise_w[i] = out->w[i + 1] - out->w[i];
    }
}

/* Hosts by site, and their VMs as rows in the same order. */
static void
order_hosts(struct dcp_sweep *s, uint32_t order[])
{
    const struct dcp_inventory *inv = s->in.inventory;
    uint32_t n = 0, row = 0;

    for (uint32_t site = 0; site <= inv->n_sites; site++) {
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            const struct sim_host *host = &s->sim.hosts[h];
            struct sweep_host *out = &s->hosts[n];

            if (host->site != site) {
                continue;
            }
            *out = (struct sweep_host){ .host = h,
                                        .first_row = row,
                                        .n_rows = host->n_vms,
                                        .one_tenant = true };
            init_power(s, h, &out->power);
            for (uint32_t i = 0; i < host->n_vms; i++) {
                order[row++] = host->vms[i];
                out->one_tenant =
                    out->one_tenant && dcp_sweep_tenant(s, host->vms[i]) ==
                                           dcp_sweep_tenant(s, host->vms[0]);
            }
            n++;
        }
    }
    s->first_unplaced = row;
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (dcp_host_is_none(s->in.start->host[v])) {
            order[row++] = v;
        }
    }
}

static bool
init_groups(struct dcp_sweep *s, struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->in.inventory;
    uint32_t most = (inv->n_hosts + GROUPS_MAX - 1) / GROUPS_MAX;

    most = most > GROUP_HOSTS_MIN ? most : GROUP_HOSTS_MIN;
    /* One more for each site that is not whole groups, and for VMs that are
     * nowhere. */
    s->groups = calloc((size_t)inv->n_hosts / most + inv->n_sites + 3,
                       sizeof *s->groups);
    if (!s->groups) {
        return no_memory(err);
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        uint32_t site = s->sim.hosts[s->hosts[i].host].site;
        struct sweep_group *last =
            s->n_groups ? &s->groups[s->n_groups - 1] : NULL;

        if (!last || last->site != site || last->n == most) {
            last = &s->groups[s->n_groups++];
            last->first = i;
            last->site = site;
        }
        last->n++;
    }
    s->groups[s->n_groups++].first = inv->n_hosts;
    for (uint32_t i = 0; i < s->n_groups; i++) {
        s->groups[i].tenants =
            calloc((size_t)inv->n_tenants + 1, sizeof *s->groups[i].tenants);
        if (!s->groups[i].tenants) {
            return no_memory(err);
        }
    }
    return true;
}

static bool
init(struct dcp_sweep *s, struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->in.inventory;
    DCP_FREE uint32_t *order = calloc((size_t)inv->n_vms + 1, sizeof *order);

    if (!dcp_sim_inventory_check(inv, err)) {
        return false;
    }
    s->grid = (struct dcp_samples){
        .start_ms =
            s->in.store ? dcp_store_start_ms(s->in.store) : s->in.cpu->start_ms,
        .interval_ms = s->in.store ? dcp_store_interval_ms(s->in.store)
                                   : s->in.cpu->interval_ms,
        .n_vms = inv->n_vms,
    };
    s->sim_in = (struct dcp_sim_input){ .inventory = inv,
                                        .cpu = &s->grid,
                                        .start = s->in.start,
                                        .from_ms = s->in.from_ms,
                                        .to_ms = s->in.to_ms,
                                        .reference = s->in.reference };
    s->sim.in = &s->sim_in;
    s->sim.inv = inv;
    s->sim.out = &s->out;
    s->kernel = dcp_sweep_kernel(s->in.portable);
    s->horizon_s = (double)(s->in.to_ms - s->in.from_ms) / 1000;
    s->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *s->hosts);
    if (!order || !s->hosts) {
        return no_memory(err);
    }
    if (!dcp_sim_result_init(&s->sim_in, &s->out, err) ||
        !dcp_sim_state_init(&s->sim, err)) {
        return false;
    }
    order_hosts(s, order);
    return init_groups(s, err) &&
           dcp_sweep_rows_init(&s->rows, &s->in, order, inv->n_vms, err);
}

struct dcp_sweep *
dcp_sweep_open(const struct dcp_sweep_input *in, struct dcp_error *err)
{
    if (!in->store == !in->cpu ||
        (in->cpu && in->cpu->n_vms != in->inventory->n_vms)) {
        (void)dcp_fail(err, DCP_E_ARGUMENT,
                       "usage of these VMs, from one place");
        return NULL;
    }
    if (!dcp_sweep_rows_fit(in, err)) {
        return NULL;
    }
    DCP_AUTO(dcp_sweep) struct dcp_sweep *s = calloc(1, sizeof *s);

    if (!s) {
        (void)no_memory(err);
        return NULL;
    }
    s->in = *in;
    return init(s, err) ? DCP_STEAL(s) : NULL;
}

void
dcp_sweep_destroy(struct dcp_sweep *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; s->groups && i < s->n_groups; i++) {
        free(s->groups[i].tenants);
    }
    free(s->groups);
    free(s->hosts);
    dcp_sweep_rows_finish(&s->rows);
    if (s->sim.inv) {
        dcp_sim_state_finish(&s->sim);
    }
    dcp_sim_result_finish(&s->out);
    free(s);
}

static bool
add_group(void *context, uint32_t i, struct dcp_error *err)
{
    struct dcp_sweep *s = context;
    struct sweep_group *g = &s->groups[i];

    memset(g->it_j, 0, sizeof g->it_j);
    memset(g->demand_mhz_s, 0, sizeof g->demand_mhz_s);
    memset(g->over_s, 0, sizeof g->over_s);
    for (uint32_t h = g->first; h < g->first + g->n; h++) {
        if (!dcp_sweep_add_host(s, g, &s->hosts[h], err)) {
            return false;
        }
    }
    if (i + 1 == s->n_groups) {
        dcp_sweep_add_requests(s, g, s->first_unplaced,
                               s->rows.n - s->first_unplaced);
    }
    return true;
}

/* --- Stripes ------------------------------------------------------------ */

uint32_t
dcp_sweep_n_stripes(const struct dcp_sweep *s)
{
    return s->rows.last_stripe - s->rows.first_stripe + 1;
}

bool
dcp_sweep_read(struct dcp_sweep *s, uint32_t stripe, struct dcp_error *err)
{
    if (stripe != s->stripe || stripe >= dcp_sweep_n_stripes(s)) {
        return dcp_fail(err, DCP_E_ARGUMENT, "stripes out of order");
    }
    stripe += s->rows.first_stripe;
    dcp_sweep_rows_seconds(&s->rows, stripe, s->seconds);
    return dcp_sweep_rows_read(&s->rows, stripe, err);
}

/* The groups' sums by time into the slices, in the order of groups. */
static void
add_slices(struct dcp_sweep *s)
{
    struct dcp_sim_result *out = &s->out;
    uint32_t first = (s->rows.first_stripe + s->stripe) * SWEEP_TIMES;

    for (uint32_t t = 0; t < SWEEP_TIMES; t++) {
        if (!(s->seconds[t] > 0)) {
            continue;
        }
        uint32_t i = first + t - s->rows.first_cell;
        struct dcp_sim_slice *slice = &out->slices[i];
        double *site_j = out->site_it_j + (size_t)i * out->n_site_columns;
        int64_t start_ms =
            s->rows.start_ms + ((int64_t)first + t) * s->rows.interval_ms;
        int64_t end_ms = start_ms + s->rows.interval_ms;

        slice->start_ms = start_ms > s->in.from_ms ? start_ms : s->in.from_ms;
        slice->end_ms = end_ms < s->in.to_ms ? end_ms : s->in.to_ms;
        for (uint32_t k = 0; k < s->n_groups; k++) {
            const struct sweep_group *g = &s->groups[k];

            site_j[g->site] += g->it_j[t];
            slice->demand_mhz += g->demand_mhz_s[t];
            slice->overload_host_s += g->over_s[t];
        }
        slice->demand_mhz /= s->seconds[t];
        for (uint32_t k = 0; k < out->n_site_columns; k++) {
            site_j[k] += s->sim.constants_w[k] * s->seconds[t];
        }
    }
}

bool
dcp_sweep_add(struct dcp_sweep *s, struct dcp_error *err)
{
    struct dcp_parallel p = { .n_threads = s->in.n_threads,
                              .run = add_group,
                              .context = s };

    if (!dcp_parallel_run(&p, s->n_groups, err)) {
        return false;
    }
    add_slices(s);
    s->stripe++;
    return true;
}

/* --- The end ------------------------------------------------------------ */

/* The window ends with the last stripe that was added. */
static void
cut(struct dcp_sweep *s)
{
    struct dcp_sim_result *out = &s->out;
    uint32_t next_cell = (s->rows.first_stripe + s->stripe) * SWEEP_TIMES;

    if (s->stripe == dcp_sweep_n_stripes(s)) {
        return;
    }
    out->n_slices = next_cell - s->rows.first_cell;
    out->to_ms = out->slices[out->n_slices - 1].end_ms;
    out->n_samples = (uint64_t)out->n_slices * out->n_vms;
    out->stopped = true;
    s->horizon_s = (double)(out->to_ms - out->from_ms) / 1000;
}

/* What does not change between samples. */
static void
add_constants(struct dcp_sweep *s)
{
    const struct dcp_inventory *inv = s->in.inventory;
    struct dcp_sim_result *out = &s->out;
    double capacity_mhz = 0, mem_mib = 0, mem_capacity_mib = 0, standby_w = 0;
    uint32_t n_on = 0;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct sim_host *host = &s->sim.hosts[h];

        if (host->power == DCP_SIM_ON) {
            n_on++;
            capacity_mhz += host->capacity_mhz;
            mem_mib += host->mem_mib;
            mem_capacity_mib += host->mem_capacity_mib;
            out->hosts[h].on_s = s->horizon_s;
        } else {
            out->hosts[h].off_s = s->horizon_s;
            double sleep_w = inv->hardware[inv->hosts[h].hardware.ix].sleep_w;

            standby_w += sleep_w;
            out->standby_kwh += sleep_w * s->horizon_s;
        }
    }
    for (uint32_t i = 0; i < out->n_slices; i++) {
        const struct dcp_sim_slice *slice = &out->slices[i];

        out->slices[i].part_w[DCP_ENERGY_STANDBY] =
            standby_w * (double)(slice->end_ms - slice->start_ms) / 1000;
    }
    out->hosts_on_min = out->hosts_on_max = n_on;
    out->host_slots = (uint64_t)n_on * out->n_slices;
    s->sim.capacity_mhz_s = capacity_mhz * s->horizon_s;
    s->sim.mem_mib_s = mem_mib * s->horizon_s;
    s->sim.mem_capacity_mib_s = mem_capacity_mib * s->horizon_s;
    for (uint32_t i = 0; i < out->n_slices; i++) {
        out->slices[i].hosts_on = n_on;
        out->slices[i].capacity_mhz = capacity_mhz;
        out->overload_host_s += out->slices[i].overload_host_s;
    }
}

void
dcp_sweep_finish(struct dcp_sweep *s, struct dcp_sim_result *out,
                 struct dcp_sim_fill *out_fill)
{
    cut(s);
    add_constants(s);
    for (uint32_t i = 0; i < s->n_groups; i++) {
        const struct sweep_group *g = &s->groups[i];

        s->sim.used_mhz_s += g->used_mhz_s;
        s->sim.violations += g->violations;
        s->sim.violation_sum += g->violation_sum;
        s->out.requested_mhz_s += g->requested_mhz_s;
        s->out.held_mhz_s += g->held_mhz_s;
        s->out.host_slots_overloaded += g->slots_overloaded;
        s->out.host_slots_above_target += g->slots_above;
        for (uint32_t t = 0; t <= s->in.inventory->n_tenants; t++) {
            s->out.tenants[t].overload_vm_s += g->tenants[t].overload_vm_s;
            s->out.tenants[t].unmet_mhz_s += g->tenants[t].unmet_mhz_s;
            s->out.tenants[t].requested_mhz_s += g->tenants[t].requested_mhz_s;
            s->out.tenants[t].held_mhz_s += g->tenants[t].held_mhz_s;
            s->out.tenants[t].ready_s += g->tenants[t].ready_s;
        }
    }
    dcp_sim_sum_up(&s->sim);
    dcp_sweep_rows_count(&s->rows, out_fill);
    *out = s->out;
    s->out = (struct dcp_sim_result){ 0 };
}

static bool
ask_watches(const struct dcp_sweep *s, bool *more, struct dcp_error *err)
{
    uint32_t next_cell = (s->rows.first_stripe + s->stripe) * SWEEP_TIMES;
    uint32_t last = s->rows.last_cell + 1;

    last = (next_cell < last ? next_cell : last) - s->rows.first_cell - 1;
    for (uint32_t i = 0; i < s->in.n_watches; i++) {
        const struct dcp_sim_watch *w = s->in.watches[i];

        if (w->slice && !w->slice(w->user, &s->out, last, more, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_sweep_run(const struct dcp_sweep_input *in, struct dcp_sim_result *out,
              struct dcp_sim_fill *out_fill, struct dcp_error *err)
{
    DCP_AUTO(dcp_sweep) struct dcp_sweep *s = dcp_sweep_open(in, err);

    *out = (struct dcp_sim_result){ 0 };
    if (!s) {
        return false;
    }
    bool more = true;

    for (uint32_t i = 0; more && i < dcp_sweep_n_stripes(s); i++) {
        if (!dcp_sweep_read(s, i, err) || !dcp_sweep_add(s, err) ||
            !ask_watches(s, &more, err)) {
            return false;
        }
    }
    dcp_sweep_finish(s, out, out_fill);
    return true;
}
