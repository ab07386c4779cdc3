/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sweep: one slice per sample, cut at the window's ends, in steps of the
 * caller's choosing.  Between two events a host's demand is constant, so its
 * energy and overload are exact; sim/state.c keeps the hosts. */

#include "sim/sim.h"

#include "sim/energy/energy.h"
#include "sim/state.h"
#include "sim/watch.h"

#include <math.h>
#include <stdlib.h>

int64_t
dcp_sim_cell(const struct dcp_sim_input *in, int64_t at_ms)
{
    return dcp_samples_cell(in->cpu, at_ms);
}

bool
dcp_sim_result_init(const struct dcp_sim_input *in, struct dcp_sim_result *out,
                    struct dcp_error *err)
{
    const struct dcp_inventory *inv = in->inventory;
    size_t n_cells;

    out->n_vms = inv->n_vms;
    out->n_hosts = inv->n_hosts;
    out->n_slices = (uint32_t)(dcp_sim_cell(in, in->to_ms - 1) -
                               dcp_sim_cell(in, in->from_ms) + 1);
    out->from_ms = in->from_ms;
    out->to_ms = in->to_ms;
    out->n_samples = (uint64_t)out->n_slices * inv->n_vms;
    out->n_site_columns = inv->n_sites + 1;
    if (__builtin_mul_overflow((size_t)out->n_slices,
                               (size_t)out->n_site_columns, &n_cells)) {
        return dcp_fail(err, DCP_E_LIMIT, "too many samples");
    }
    out->slices = calloc((size_t)out->n_slices + 1, sizeof *out->slices);
    out->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *out->hosts);
    out->vm_overload_s =
        calloc((size_t)inv->n_vms + 1, sizeof *out->vm_overload_s);
    out->vm_unmet_mhz_s =
        calloc((size_t)inv->n_vms + 1, sizeof *out->vm_unmet_mhz_s);
    out->vm_ready_s = calloc((size_t)inv->n_vms + 1, sizeof *out->vm_ready_s);
    out->vm_swap_mib_s =
        calloc((size_t)inv->n_vms + 1, sizeof *out->vm_swap_mib_s);
    out->mem_measured = in->mem != NULL;
    out->ready = dcp_ready_create(inv->n_vms, err);
    out->tenants = calloc((size_t)inv->n_tenants + 1, sizeof *out->tenants);
    out->site_it_j = calloc(n_cells, sizeof *out->site_it_j);
    if (!out->slices || !out->hosts || !out->vm_overload_s ||
        !out->vm_unmet_mhz_s || !out->vm_ready_s || !out->vm_swap_mib_s ||
        !out->ready || !out->tenants || !out->site_it_j) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay of %u slots",
                        out->n_slices);
    }
    out->end = dcp_placement_copy(in->start, err);
    return out->end != NULL;
}

static void
count_tenants(struct dcp_sim *sim, double seconds)
{
    for (uint32_t v = 0; v < sim->inv->n_vms; v++) {
        dcp_tenant_id tenant = sim->inv->vms[v].tenant;

        sim->out
            ->tenants[dcp_tenant_is_none(tenant) ? sim->inv->n_tenants
                                                 : tenant.ix]
            .requested_mhz_s += sim->row[v] * seconds;
    }
}

static bool
end_slice(struct dcp_sim *sim, struct dcp_error *err)
{
    struct dcp_sim_slice *slice = sim->slice;
    struct dcp_sim_result *out = sim->out;
    double seconds = (double)(slice->end_ms - slice->start_ms) / 1000;
    double *site_j =
        out->site_it_j + (size_t)(slice - out->slices) * out->n_site_columns;
    float *history =
        sim->host_history_mhz +
        (size_t)((slice - out->slices) % DCP_SIM_HISTORY) * out->n_hosts;
    uint32_t n_on = 0;

    for (uint32_t h = 0; h < out->n_hosts; h++) {
        struct sim_host *host = &sim->hosts[h];

        dcp_sim_integrate(sim, h, slice->end_ms);
        history[h] = (float)(host->slot_mhz_s / seconds);
        out->host_slots += host->slot_on;
        out->host_slots_overloaded += host->slot_on && host->slot_overloaded;
        out->host_slots_above_target += host->slot_on && host->slot_above;
        n_on += host->power == DCP_SIM_ON;
    }
    dcp_sim_integrate_moves(sim, slice->end_ms);
    for (uint32_t s = 0; s < out->n_site_columns; s++) {
        site_j[s] += sim->constants_w[s] * seconds;
    }
    count_tenants(sim, seconds);
    slice->hosts_on = sim->slice_on_ms / seconds;
    slice->capacity_mhz = sim->slice_capacity_ms / seconds;
    slice->demand_mhz = sim->slice_demand_ms / seconds;
    slice->balloon_mib /= seconds;
    slice->swap_mib /= seconds;
    slice->migrating /= seconds * 1000;
    out->overload_host_s += slice->overload_host_s;
    if (slice == out->slices || n_on < out->hosts_on_min) {
        out->hosts_on_min = n_on;
    }
    if (n_on > out->hosts_on_max) {
        out->hosts_on_max = n_on;
    }
    return dcp_sim_end_waits(sim, seconds, err);
}

/* --- Watches ------------------------------------------------------------ */

static bool
apply_watched(struct dcp_sim *sim, const struct dcp_sim_event *e,
              struct dcp_error *err)
{
    const struct dcp_sim_input *in = sim->in;

    dcp_sim_meanwhile(sim, e->at_ms);
    if (!dcp_sim_state_apply(sim, e, err)) {
        return false;
    }
    for (uint32_t i = 0; i < in->n_watches; i++) {
        const struct dcp_sim_watch *w = in->watches[i];

        if (w->event && !w->event(w->user, e, err)) {
            return false;
        }
    }
    return true;
}

/* All watches see the slice, even where one of them wants no more. */
static bool
end_slice_watched(struct dcp_sim *sim, struct dcp_error *err)
{
    const struct dcp_sim_input *in = sim->in;
    uint32_t slice = (uint32_t)(sim->slice - sim->out->slices);
    bool more = true;

    if (!end_slice(sim, err)) {
        return false;
    }
    for (uint32_t i = 0; i < in->n_watches; i++) {
        const struct dcp_sim_watch *w = in->watches[i];

        if (w->slice && !w->slice(w->user, sim->out, slice, &more, err)) {
            return false;
        }
    }
    sim->out->stopped = !more && sim->slice->end_ms < in->to_ms;
    return true;
}

/* --- Stepping ----------------------------------------------------------- */

static void
begin_slice(struct dcp_sim *sim, uint32_t i)
{
    const struct dcp_sim_input *in = sim->in;
    const struct dcp_samples *cpu = in->cpu;
    int64_t cell = sim->first_cell + i;
    size_t row = in->rows ? in->rows[i] : (size_t)cell;
    int64_t start_ms = cpu->start_ms + cell * cpu->interval_ms;
    int64_t end_ms = start_ms + cpu->interval_ms;

    sim->slice = &sim->out->slices[i];
    sim->slice->start_ms = start_ms > in->from_ms ? start_ms : in->from_ms;
    sim->slice->end_ms = end_ms < in->to_ms ? end_ms : in->to_ms;
    sim->row = cpu->value + row * cpu->n_vms;
    sim->mem_row = in->mem ? in->mem->value + row * in->mem->n_vms : NULL;
    sim->slice_on_ms = sim->slice_capacity_ms = sim->slice_demand_ms = 0;
    dcp_sim_sum_hosts(sim);
}

/* The input's events before 'until_ms' and in this slice. */
static bool
play_events(struct dcp_sim *sim, int64_t until_ms, struct dcp_error *err)
{
    const struct dcp_sim_input *in = sim->in;

    for (; sim->next_event < in->n_events &&
           in->events[sim->next_event].at_ms < until_ms &&
           in->events[sim->next_event].at_ms < sim->slice->end_ms;
         sim->next_event++) {
        if (!apply_watched(sim, &in->events[sim->next_event], err)) {
            return false;
        }
    }
    /* What happens at the end comes after it. */
    dcp_sim_meanwhile(
        sim,
        (until_ms < sim->slice->end_ms ? until_ms : sim->slice->end_ms) - 1);
    return true;
}

bool
dcp_sim_open(const struct dcp_sim_input *in, struct dcp_sim **out,
             struct dcp_error *err)
{
    struct dcp_sim_input *copy = malloc(sizeof *copy);
    struct dcp_sim_result *result = calloc(1, sizeof *result);
    struct dcp_sim *sim = calloc(1, sizeof *sim);

    *out = NULL;
    if (!copy || !result || !sim) {
        free(copy);
        free(result);
        free(sim);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay");
    }
    *copy = *in;
    sim->in = copy;
    sim->inv = in->inventory;
    sim->out = result;
    sim->now_ms = in->from_ms;
    if (!dcp_sim_input_check(in, err) ||
        !dcp_sim_result_init(in, result, err) ||
        !dcp_sim_state_init(sim, err) ||
        !dcp_sim_slow_down(sim, in->slowdowns, in->n_slowdowns, err)) {
        dcp_sim_destroy(sim);
        return false;
    }
    sim->first_cell = dcp_sim_cell(in, in->from_ms);
    begin_slice(sim, 0);
    *out = sim;
    return true;
}

void
dcp_sim_destroy(struct dcp_sim *sim)
{
    if (!sim) {
        return;
    }
    dcp_sim_result_finish(sim->out);
    dcp_sim_state_finish(sim);
    free(sim->out);
    free(sim->in);
    free(sim);
}

bool
dcp_sim_advance(struct dcp_sim *sim, int64_t until_ms, struct dcp_error *err)
{
    const struct dcp_sim_input *in = sim->in;

    if (until_ms < sim->now_ms || until_ms > in->to_ms) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "a replay cannot advance to before now or past its "
                        "end");
    }
    /* Hosts are integrated at events and at the ends of slices only, so that
     * where a caller stops in between does not change a rounding. */
    while (!sim->out->stopped) {
        if (!play_events(sim, until_ms, err)) {
            return false;
        }
        if (until_ms < sim->slice->end_ms || sim->now_ms == in->to_ms) {
            sim->now_ms = until_ms;
            return true;
        }
        sim->now_ms = sim->slice->end_ms;
        if (!end_slice_watched(sim, err)) {
            return false;
        }
        if (sim->now_ms < in->to_ms) {
            begin_slice(sim, (uint32_t)(sim->slice - sim->out->slices) + 1);
        }
    }
    return true;
}

bool
dcp_sim_apply(struct dcp_sim *sim, const struct dcp_sim_event *e,
              struct dcp_error *err)
{
    /* What happened before the window did so at its start. */
    if (e->at_ms >= sim->in->from_ms || sim->now_ms > sim->in->from_ms) {
        if (!dcp_sim_advance(sim, e->at_ms, err)) {
            return false;
        }
        if (e->at_ms == sim->in->to_ms || sim->out->stopped) {
            return true;
        }
    }
    return apply_watched(sim, e, err);
}

/* --- View --------------------------------------------------------------- */

struct dcp_sim_view
dcp_sim_view(const struct dcp_sim *sim)
{
    const struct dcp_samples *cpu = sim->in->cpu;
    int64_t n = (sim->now_ms - cpu->start_ms) / cpu->interval_ms;

    return (struct dcp_sim_view){
        .inventory = sim->inv,
        .now_ms = sim->now_ms,
        .placement = sim->out->end,
        .interval_ms = cpu->interval_ms,
        .vm_mhz = cpu->value,
        .n_past = sim->in->rows ? 0 : (uint32_t)n,
        .n_host_past = (uint32_t)(sim->slice - sim->out->slices) +
                       (sim->now_ms == sim->in->to_ms),
        .n_migrating = sim->n_moves,
        .stopped = sim->out->stopped,
        .unfit = sim->unfit,
    };
}

void
dcp_sim_set_unfit(struct dcp_sim *sim, const uint8_t unfit[])
{
    sim->unfit = unfit;
}

struct dcp_sim_host_now
dcp_sim_host_now(const struct dcp_sim *sim, uint32_t host)
{
    const struct sim_host *h = &sim->hosts[host];

    return (struct dcp_sim_host_now){
        .power = h->power,
        .since_ms = h->on_since_ms,
        .capacity_mhz = h->capacity_mhz,
        .target_mhz = h->target_mhz,
        .mem_mib = h->mem_mib,
        .mem_capacity_mib = h->mem_capacity_mib,
        .vms = h->vms,
        .n_vms = h->n_vms,
    };
}

double
dcp_sim_host_past_mhz(const struct dcp_sim *sim, uint32_t host, uint32_t back)
{
    uint32_t n = dcp_sim_view(sim).n_host_past;

    if (back >= n || back >= DCP_SIM_HISTORY) {
        return NAN;
    }
    return sim->host_history_mhz[(size_t)((n - 1 - back) % DCP_SIM_HISTORY) *
                                     sim->inv->n_hosts +
                                 host];
}

/* --- Sums --------------------------------------------------------------- */

static double
share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void
moments(const struct sim_moments *m, double *out_mean, double *out_sd)
{
    *out_mean = m->n ? m->mean : NAN;
    *out_sd = m->n > 1 ? sqrt(m->m2 / (m->n - 1)) : m->n ? 0 : NAN;
}

static void
sum_up(const struct dcp_sim *sim, struct dcp_sim_result *out)
{
    double horizon_s = (double)(out->to_ms - out->from_ms) / 1000;
    double on_s = 0, unused;

    for (uint32_t h = 0; h < out->n_hosts; h++) {
        on_s += out->hosts[h].on_s;
        out->unmet_cpu_mhz_s += out->hosts[h].unmet_mhz_s;
    }
    for (uint32_t v = 0; v < out->n_vms; v++) {
        out->ready_vm_s += out->vm_ready_s[v];
    }
    out->hosts_on_mean = on_s / horizon_s;
    out->cpu_util_mean_frac = share(sim->used_mhz_s, sim->capacity_mhz_s);
    out->mem_alloc_mean_frac = share(sim->mem_mib_s, sim->mem_capacity_mib_s);
    out->slatah_frac = share(out->overload_host_s, on_s);
    out->pdm_frac = share(out->degraded_mhz_s, out->requested_mhz_s);
    out->slav = out->slatah_frac * out->pdm_frac;
    out->overall_slav =
        share(out->unmet_cpu_mhz_s + out->degraded_mhz_s, out->requested_mhz_s);
    out->average_slav = share(sim->violation_sum, sim->violations);
    moments(&sim->shutdown, &out->mean_s_before_shutdown,
            &out->sd_s_before_shutdown);
    moments(&sim->migration, &out->mean_s_before_migration,
            &out->sd_s_before_migration);
    moments(&sim->migration_length, &out->migration_mean_s, &unused);
}

void
dcp_sim_sum_up(struct dcp_sim *sim)
{
    dcp_sim_sum_energy(sim->in, sim->out);
    sum_up(sim, sim->out);
}

/* A replay that ends early ends its window, and its last slice, there. */
static bool
cut(struct dcp_sim *sim, struct dcp_error *err)
{
    struct dcp_sim_result *out = sim->out;
    uint32_t i = (uint32_t)(sim->slice - out->slices);

    if (sim->now_ms > sim->slice->start_ms) {
        sim->slice->end_ms = sim->now_ms;
        if (!end_slice_watched(sim, err)) {
            return false;
        }
        i++;
    }
    out->n_slices = i;
    out->to_ms = sim->now_ms;
    out->n_samples = (uint64_t)i * out->n_vms;
    return true;
}

bool
dcp_sim_finish(struct dcp_sim *sim, struct dcp_sim_result *out,
               struct dcp_error *err)
{
    *out = (struct dcp_sim_result){ 0 };
    if (sim->now_ms == sim->in->from_ms) {
        return dcp_fail(err, DCP_E_ARGUMENT, "the replay did not begin");
    }
    if (sim->now_ms < sim->in->to_ms && !cut(sim, err)) {
        return false;
    }
    dcp_sim_sum_up(sim);
    *out = *sim->out;
    *sim->out = (struct dcp_sim_result){ 0 };
    return true;
}

bool
dcp_simulate(const struct dcp_sim_input *in, struct dcp_sim_result *out,
             struct dcp_error *err)
{
    DCP_AUTO(dcp_sim) struct dcp_sim *sim = NULL;

    *out = (struct dcp_sim_result){ 0 };
    return dcp_sim_open(in, &sim, err) &&
           dcp_sim_advance(sim, in->to_ms, err) &&
           dcp_sim_finish(sim, out, err);
}

void
dcp_sim_result_finish(struct dcp_sim_result *out)
{
    free(out->slices);
    free(out->hosts);
    free(out->vm_overload_s);
    free(out->vm_unmet_mhz_s);
    free(out->vm_ready_s);
    free(out->vm_swap_mib_s);
    dcp_ready_destroy(out->ready);
    free(out->tenants);
    free(out->site_it_j);
    dcp_placement_destroy(out->end);
    *out = (struct dcp_sim_result){ 0 };
}

/* --- Waits -------------------------------------------------------------- */

double
dcp_sim_vm_ready_frac(const struct dcp_sim_result *r, uint32_t vm, double p)
{
    struct dcp_ready_counts counts = { { 0 } };

    (void)dcp_ready_sum(r->ready, vm, &counts);
    return dcp_ready_percentile(&counts, r->n_slices, p);
}

double
dcp_sim_ready_frac(const struct dcp_sim_result *r, double p)
{
    struct dcp_ready_counts counts = { { 0 } };

    for (uint32_t v = 0; v < r->n_vms; v++) {
        (void)dcp_ready_sum(r->ready, v, &counts);
    }
    return dcp_ready_percentile(&counts, (uint64_t)r->n_vms * r->n_slices, p);
}
