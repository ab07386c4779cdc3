/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replay.h"

#include "cli/interrupt.h"
#include "model/base/units.h"
#include "sim/host/memory.h"
#include "sim/sweep.h"
#include "sim/watch.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_INTERVAL_MS (5 * 60 * INT64_C(1000))
#define CELLS_MAX         (UINT64_C(1) << 30) /* 4 GiB of samples. */

/* --- The window --------------------------------------------------------- */

static int64_t
shift_instant(const struct dcp_zone *zone, int64_t ms, int64_t days)
{
    struct dcp_local local = dcp_zone_local(zone, ms);

    return days ? dcp_zone_instant(zone, local.day + days, local.ms_of_day)
                : ms;
}

/* By how many local days the plan moves so that it starts at or after
 * 'from_ms', by less than a day. */
static int64_t
days_to(const struct dcp_zone *zone, int64_t start_ms, int64_t from_ms)
{
    int64_t days =
        dcp_zone_local(zone, from_ms).day - dcp_zone_local(zone, start_ms).day;

    return shift_instant(zone, start_ms, days) < from_ms ? days + 1 : days;
}

static void
choose_window(struct dcp_context *c, const struct dcp_plan *plan,
              const struct dcp_replay_options *o, struct dcp_replay *r,
              int64_t *out_from_ms, int64_t *out_to_ms)
{
    const struct dcp_zone *zone = c->model.inventory->zone;
    int64_t from_ms = o->from_ms, to_ms = o->to_ms;

    if (plan) {
        r->n_legs = plan->n_legs;
        if (from_ms == DCP_INSTANT_NONE) {
            from_ms = plan->legs[0].start_ms;
        } else {
            r->shift_days = days_to(zone, plan->legs[0].start_ms, from_ms);
        }
        for (uint32_t i = 0; i < plan->n_legs; i++) {
            r->leg_start_ms[i] =
                shift_instant(zone, plan->legs[i].start_ms, r->shift_days);
        }
        if (to_ms == DCP_INSTANT_NONE) {
            from_ms = r->leg_start_ms[0];
            to_ms = shift_instant(zone,
                                  plan->legs[plan->n_legs - 1].buckets_until_ms,
                                  r->shift_days);
        }
    } else if (c->store) {
        int64_t start_ms = dcp_store_start_ms(c->store);

        from_ms = from_ms == DCP_INSTANT_NONE ? start_ms : from_ms;
        to_ms = to_ms == DCP_INSTANT_NONE
                    ? start_ms + dcp_store_n_times(c->store) *
                                     dcp_store_interval_ms(c->store)
                    : to_ms;
    }
    *out_from_ms = from_ms;
    *out_to_ms = to_ms;
}

static bool
fail_window(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
            struct dcp_error *err)
{
    char from[32], to[32], first[32], last[32];

    if (from_ms == DCP_INSTANT_NONE || to_ms == DCP_INSTANT_NONE) {
        return dcp_fail(err, DCP_E_USAGE,
                        "there is no usage.h5 and no plan to take a time from: "
                        "give --traces FILE, or --from and --to");
    }
    dcp_print_instant(from_ms, from);
    dcp_print_instant(to_ms, to);
    if (from_ms >= to_ms) {
        return dcp_fail(err, DCP_E_USAGE, "--from %s is not before --to %s",
                        from, to);
    }
    int64_t start_ms = dcp_store_start_ms(c->store);

    dcp_print_instant(start_ms, first);
    dcp_print_instant(start_ms + dcp_store_n_times(c->store) *
                                     dcp_store_interval_ms(c->store),
                      last);
    return dcp_fail(err, DCP_E_USAGE,
                    "no usage between %s and %s: the store has %s to %s; "
                    "rehearse on a night in it with --from",
                    from, to, first, last);
}

/* --- Samples ------------------------------------------------------------ */

/* Without a store all is missing, and dcp_sim_fill() asks the model. */
static bool
samples_from_model(const struct dcp_inventory *inv, int64_t from_ms,
                   int64_t to_ms, struct dcp_samples *out,
                   struct dcp_error *err)
{
    uint64_t n = ((uint64_t)(to_ms - from_ms) + MODEL_INTERVAL_MS - 1) /
                 MODEL_INTERVAL_MS;
    size_t cells, size;

    *out = (struct dcp_samples){ .start_ms = from_ms,
                                 .interval_ms = MODEL_INTERVAL_MS,
                                 .n_times = (uint32_t)n,
                                 .n_vms = inv->n_vms };
    if (n > CELLS_MAX / ((uint64_t)inv->n_vms + 1)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "%" PRIu64 " samples of %u VMs are too many to replay: "
                        "bring --from and --to nearer to each other",
                        n, inv->n_vms);
    }
    if (__builtin_mul_overflow((size_t)n, (size_t)inv->n_vms + 1, &cells) ||
        __builtin_mul_overflow(cells, sizeof(float), &size) ||
        !(out->value = malloc(size))) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %" PRIu64 " samples",
                        n);
    }
    for (size_t i = 0; i < cells; i++) {
        out->value[i] = NAN;
    }
    return true;
}

/* The larger of both directions, by sample. */
bool
dcp_replay_net(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
               struct dcp_samples *out, struct dcp_error *err)
{
    *out = (struct dcp_samples){ 0 };
    if (!c->store || !dcp_store_has(c->store, DCP_METRIC_NET_RX_KIB_S) ||
        !dcp_store_has(c->store, DCP_METRIC_NET_TX_KIB_S)) {
        return true;
    }
    return dcp_samples_load(c->store, DCP_METRIC_NET_RX_KIB_S,
                            c->model.inventory, c->measured, from_ms, to_ms,
                            out, err) &&
           dcp_samples_raise(c->store, DCP_METRIC_NET_TX_KIB_S,
                             c->model.inventory, c->measured, out, err);
}

static int64_t
cell_start(const struct dcp_store *store, int64_t ms)
{
    int64_t step_ms = dcp_store_interval_ms(store);
    int64_t past_ms = (ms - dcp_store_start_ms(store)) % step_ms;

    return ms - (past_ms < 0 ? past_ms + step_ms : past_ms);
}

/* Cuts the window to what the store covers. */
static bool
fit_window(struct dcp_context *c, int64_t *from_ms, int64_t *to_ms,
           struct dcp_replay *r, struct dcp_error *err)
{
    if (*from_ms >= *to_ms || *from_ms == DCP_INSTANT_NONE ||
        *to_ms == DCP_INSTANT_NONE) {
        return fail_window(c, *from_ms, *to_ms, err);
    }
    if (!c->store) {
        return true;
    }
    int64_t step_ms = dcp_store_interval_ms(c->store);
    int64_t start_ms = dcp_store_start_ms(c->store);
    int64_t end_ms = start_ms + dcp_store_n_times(c->store) * step_ms;

    if (*from_ms >= end_ms || *to_ms <= start_ms) {
        return fail_window(c, *from_ms, *to_ms, err);
    }
    if (*from_ms < start_ms) {
        *from_ms = start_ms;
        r->partial = true;
    }
    if (*to_ms > end_ms) {
        *to_ms = end_ms;
        r->partial = true;
    }
    /* The cell in which the window begins starts before it. */
    int64_t first_ms = cell_start(c->store, *from_ms);

    r->cpu = (struct dcp_samples){
        .start_ms = first_ms,
        .interval_ms = step_ms,
        .n_times = (uint32_t)((*to_ms - first_ms - 1) / step_ms + 1),
        .n_vms = c->model.inventory->n_vms,
    };
    return true;
}

bool
dcp_replay_wants_memory(const struct dcp_context *c)
{
    return dcp_memory_overcommits(c->model.inventory) &&
           dcp_store_has(c->store, DCP_METRIC_MEM_MIB) &&
           strcmp(dcp_store_mem_basis(c->store), "allocated") != 0;
}

bool
dcp_replay_memory(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
                  struct dcp_samples *out, bool *out_is_active,
                  struct dcp_error *err)
{
    *out = (struct dcp_samples){ 0 };
    *out_is_active = false;
    if (!c->store || !dcp_replay_wants_memory(c)) {
        return true;
    }
    *out_is_active = !strcmp(dcp_store_mem_basis(c->store), "active");
    return dcp_samples_load(c->store, DCP_METRIC_MEM_MIB, c->model.inventory,
                            c->measured, from_ms, to_ms, out, err);
}

static bool
load_cpu(struct dcp_context *c, int64_t from_ms, int64_t to_ms,
         struct dcp_replay *r, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    bool ok = c->store
                  ? dcp_samples_load(c->store, DCP_METRIC_CPU_MHZ, inv,
                                     c->measured, cell_start(c->store, from_ms),
                                     to_ms, &r->cpu, err) &&
                        dcp_samples_look_back(c->store, inv, c->measured,
                                              &r->cpu, err)
                  : samples_from_model(inv, from_ms, to_ms, &r->cpu, err);

    return ok && dcp_sim_fill(inv, &r->cpu, &r->fill, err);
}

static bool
load(struct dcp_context *c, const struct dcp_plan *plan, int64_t from_ms,
     int64_t to_ms, struct dcp_replay *r, struct dcp_error *err)
{
    if (!load_cpu(c, from_ms, to_ms, r, err)) {
        return false;
    }
    if (!c->store) {
        return true;
    }
    int64_t first_ms = cell_start(c->store, from_ms);

    return dcp_replay_memory(c, first_ms, to_ms, &r->mem, &r->mem_is_active,
                             err) &&
           dcp_storage_use_load(c, first_ms, to_ms, &r->storage, err) &&
           (!plan || r->net.value ||
            dcp_replay_net(c, first_ms, to_ms, &r->net, err));
}

bool
dcp_replay_load_samples(struct dcp_context *c, struct dcp_replay *r,
                        struct dcp_error *err)
{
    int64_t from_ms = r->without.from_ms, to_ms = r->without.to_ms;

    return (r->cpu.value || load(c, NULL, from_ms, to_ms, r, err)) &&
           (r->net.n_times || dcp_replay_net(c, from_ms, to_ms, &r->net, err));
}

void
dcp_replay_give_samples(const struct dcp_replay *r, struct dcp_sim_input *in)
{
    in->cpu = &r->cpu;
    in->mem = r->mem.n_times ? &r->mem : NULL;
    in->mem_is_active = r->mem_is_active;
    in->disk = &r->storage.disk;
}

/* --- Legs --------------------------------------------------------------- */

struct dcp_legs_input
dcp_replay_legs(const struct dcp_inventory *inv, const struct dcp_plan *plan,
                const struct dcp_replay *r)
{
    return (struct dcp_legs_input){ .inventory = inv,
                                    .plan = plan,
                                    .start_ms = r->leg_start_ms,
                                    .net = r->net.n_times ? &r->net : NULL };
}

void
dcp_replay_give_events(const struct dcp_replay *r, bool with_plan,
                       struct dcp_sim_input *in)
{
    static const struct dcp_leg_runs none = { 0 };

    dcp_leg_runs_give(with_plan ? &r->calm : &none, in);
}

/* --- All of it ---------------------------------------------------------- */

static bool
prepare(const struct dcp_replay_options *o, bool last, struct dcp_sim_input *in,
        struct dcp_error *err)
{
    in->watches = NULL;
    in->n_watches = in->n_coarse = 0;
    return !o->prepare || o->prepare(o->user, last, in, err);
}

static bool
simulate_without(struct dcp_replay *r, const struct dcp_sim_input *in,
                 struct dcp_error *err)
{
    return dcp_storage_use_simulate(&r->storage, in, &r->without,
                                    &r->storage.without, err);
}

static bool
may_sweep(const struct dcp_context *c, const struct dcp_sim_input *in,
          const struct dcp_replay *r)
{
    return c->store && dcp_store_has(c->store, DCP_METRIC_CPU_MHZ) &&
           !r->has_failures &&
           !(dcp_memory_overcommits(in->inventory) &&
             dcp_memory_short(in->inventory, in->start));
}

/* For who sees more than some slices.  Its figures, which are summed in another
 * order, are not kept: who looks on changes no byte of the result. */
static bool
show(struct dcp_context *c, struct dcp_sim_input *in, struct dcp_replay *r,
     bool *out_stopped, struct dcp_error *err)
{
    struct dcp_sim_result shown = { 0 };

    if (!load(c, NULL, in->from_ms, in->to_ms, r, err)) {
        return false;
    }
    dcp_replay_give_samples(r, in);
    if (!dcp_simulate(in, &shown, err)) {
        return false;
    }
    *out_stopped = shown.stopped;
    in->to_ms = shown.to_ms;
    dcp_sim_result_finish(&shown);
    return true;
}

/* Of a sweep whose window was looked at before: Ctrl-C ends what comes after
 * it, for it has to be as long as what was shown; a second one gives up. */
static bool
gives_up(void *user, const struct dcp_sim_result *so_far, uint32_t slice,
         bool *more, struct dcp_error *err)
{
    (void)user;
    (void)so_far;
    (void)slice;
    (void)more;
    return dcp_interrupt_count() < 2 ||
           dcp_fail(err, DCP_E_CANCELLED, "interrupted twice: given up");
}

/* Without a plan: straight from the store, where nothing happens. */
static bool
replay_placement(struct dcp_context *c, const struct dcp_replay_options *o,
                 struct dcp_sim_input *in, struct dcp_replay *r,
                 struct dcp_error *err)
{
    /* Who looks on asks how long samples are: a store has said it by now. */
    bool loaded = !c->store, stopped = false;

    if ((loaded && !load(c, NULL, in->from_ms, in->to_ms, r, err)) ||
        !prepare(o, true, in, err)) {
        return false;
    }
    if (!may_sweep(c, in, r)) {
        if (!loaded && !load(c, NULL, in->from_ms, in->to_ms, r, err)) {
            return false;
        }
        dcp_replay_give_samples(r, in);
        return simulate_without(r, in, err);
    }
    bool shows = in->n_watches > in->n_coarse;

    if (shows && !show(c, in, r, &stopped, err)) {
        return false;
    }
    static const struct dcp_sim_watch patient = { .slice = gives_up };
    const struct dcp_sim_watch *const again[] = { &patient };
    uint32_t n_presses = dcp_interrupt_count();
    struct dcp_sweep_input sweep = {
        .inventory = in->inventory,
        .start = in->start,
        .store = c->store,
        .measured = c->measured,
        .from_ms = in->from_ms,
        .to_ms = in->to_ms,
        .watches = shows ? again : in->watches,
        .n_watches = shows ? 1 : in->n_watches,
        .n_threads = o->threads,
    };

    if (!dcp_sweep_run(&sweep, &r->without, &r->fill, err)) {
        return false;
    }
    r->without.stopped |=
        stopped || (shows && dcp_interrupt_count() > n_presses);
    return dcp_storage_use_static(c, in->start, &r->without, &r->storage, err);
}

/* Draws what fails in the window, if anything can. */
static bool
open_failures(struct dcp_context *c, const struct dcp_replay_options *o,
              const struct dcp_sim_input *in, struct dcp_replay *r,
              struct dcp_error *err)
{
    r->has_failures = o->failures && dcp_failures_asked(o->failures);
    if (!r->has_failures) {
        return true;
    }
    if (!dcp_failures_open(&r->failures, in->inventory, o->failures, o->seed,
                           in->from_ms, in->to_ms, err)) {
        return false;
    }
    if (c->store && r->failures.maintenance.n &&
        !dcp_replay_net(c, cell_start(c->store, in->from_ms), in->to_ms,
                        &r->net, err)) {
        return false;
    }
    r->failures.net = r->net.n_times ? &r->net : NULL;
    return true;
}

/* The events that are replayed: none, or those of failures. */
static bool
meet_failures(struct dcp_replay *r, struct dcp_sim_input *in,
              struct dcp_error *err)
{
    dcp_replay_give_events(r, false, in);
    return !r->has_failures ||
           dcp_failures_run(&r->failures, in, &r->failed_without, err);
}

/* The plan's, or what failures leave of them and add to them. */
static bool
run_plan(struct dcp_replay *r, const struct dcp_plan *plan,
         struct dcp_sim_input *in, struct dcp_error *err)
{
    const struct dcp_legs_input legs = dcp_replay_legs(in->inventory, plan, r);

    if (!dcp_leg_runs_calm(&legs, &r->calm, err)) {
        return false;
    }
    dcp_replay_give_events(r, true, in);
    return !r->has_failures ||
           dcp_leg_runs_meet(&legs, &r->calm, &r->failures, in, &r->failed_with,
                             &r->failing, err);
}

/* The window ends where a watch ended it, for the plan and for the baseline
 * that was through before. */
static bool
stop_both(struct dcp_sim_input *in, struct dcp_replay *r, struct dcp_error *err)
{
    r->stopped = r->partial = true;
    if (in->to_ms <= r->with.to_ms) {
        return true;
    }
    in->to_ms = r->with.to_ms;
    in->n_watches = 0;
    dcp_replay_give_events(r, false, in);
    if (r->has_failures) {
        dcp_failure_run_give(&r->failed_without, in);
    }
    in->reference = NULL;
    dcp_sim_result_finish(&r->without);
    return simulate_without(r, in, err);
}

static bool
replay(struct dcp_context *c, const struct dcp_plan *plan,
       const struct dcp_replay_options *o, struct dcp_replay *r,
       struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_placement *start =
        plan ? plan->before : c->model.placement;
    /* Who looks on is asked before samples are loaded. */
    struct dcp_sim_input in = { .inventory = inv,
                                .cpu = &r->cpu,
                                .disk = &r->storage.disk,
                                .start = start };

    r->has_plan = plan != NULL;
    choose_window(c, plan, o, r, &in.from_ms, &in.to_ms);
    if (!fit_window(c, &in.from_ms, &in.to_ms, r, err) ||
        !open_failures(c, o, &in, r, err) || !meet_failures(r, &in, err)) {
        return false;
    }
    if (!plan) {
        bool ok = replay_placement(c, o, &in, r, err);

        r->stopped = ok && r->without.stopped;
        r->partial = r->partial || r->stopped;
        return ok;
    }
    if (!load(c, plan, in.from_ms, in.to_ms, r, err)) {
        return false;
    }
    dcp_replay_give_samples(r, &in);
    if (!prepare(o, false, &in, err) || !simulate_without(r, &in, err)) {
        return false;
    }
    if (r->without.stopped) {
        r->stopped = r->partial = true;
        in.to_ms = r->without.to_ms;
    }
    r->in_sample = c->store && plan->traces_until_ms > in.from_ms &&
                   plan->traces_from_ms < in.to_ms;
    in.reference = &r->without;
    return run_plan(r, plan, &in, err) && prepare(o, true, &in, err) &&
           dcp_storage_use_simulate(&r->storage, &in, &r->with,
                                    &r->storage.with, err) &&
           (!r->with.stopped || stop_both(&in, r, err));
}

bool
dcp_replay_run(struct dcp_context *c, const struct dcp_plan *plan,
               const struct dcp_replay_options *options, struct dcp_replay *out,
               struct dcp_error *err)
{
    *out = (struct dcp_replay){ 0 };
    if (!replay(c, plan, options, out, err)) {
        dcp_replay_finish(out);
        return false;
    }
    return true;
}

void
dcp_replay_finish(struct dcp_replay *r)
{
    dcp_samples_finish(&r->cpu);
    dcp_samples_finish(&r->net);
    dcp_samples_finish(&r->mem);
    dcp_storage_use_finish(&r->storage);
    dcp_sim_result_finish(&r->without);
    dcp_sim_result_finish(&r->with);
    dcp_leg_runs_finish(&r->calm);
    dcp_leg_runs_finish(&r->failing);
    dcp_failure_run_finish(&r->failed_without);
    dcp_failure_run_finish(&r->failed_with);
    dcp_failures_close(&r->failures);
    *r = (struct dcp_replay){ 0 };
}
