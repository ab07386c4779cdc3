/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/backtest_nights.h"

#include "cli/replan.h"
#include "cli/ui.h"

#include <math.h>
#include <stdlib.h>

#define MINUTE_MS    60000
#define N_MISSES_MIN 3 /* Nights before one whose saving is foretold. */

static bool
choose_window(const struct dcp_context *c, const struct dcp_plan *plan,
              const char *text, struct dcp_window *out, struct dcp_error *err)
{
    if (!text && plan) {
        const struct dcp_zone *zone = c->model.inventory->zone;
        struct dcp_local from = dcp_zone_local(zone, plan->legs[0].start_ms);
        struct dcp_local to =
            dcp_zone_local(zone, plan->legs[plan->n_legs - 1].deadline_ms);

        *out = (struct dcp_window){ (int32_t)(from.ms_of_day / MINUTE_MS),
                                    (int32_t)(to.ms_of_day / MINUTE_MS) };
        return out->from_min != out->to_min ||
               dcp_fail(err, DCP_E_USAGE,
                        "the plan names no night: give --window FROM-TO");
    }
    return dcp_window_parse(text ? text : "22:00-06:00", out) ||
           dcp_fail(err, DCP_E_USAGE,
                    "--window '%s': not of the form 22:00-06:00", text);
}

/* The last windows that end within the store and have some history before
 * them. */
static bool
find_nights(struct backtest *b, uint32_t n_nights, struct dcp_error *err)
{
    const struct dcp_zone *zone = b->context->model.inventory->zone;
    struct dcp_store *store = b->context->store;
    int64_t first_ms = dcp_store_start_ms(store);
    int64_t end_ms =
        first_ms + dcp_store_n_times(store) * dcp_store_interval_ms(store);
    int64_t after_ms = end_ms - (n_nights + 3) * DCP_DAY_MS;
    uint32_t found = 0;

    if (after_ms <= first_ms) {
        after_ms = first_ms + 1;
    }
    b->nights = calloc(n_nights + 8u, sizeof *b->nights);
    if (!b->nights) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u nights", n_nights);
    }
    for (;;) {
        struct backtest_night night = { 0 };

        dcp_window_next(&b->window, zone, after_ms, &night.start_ms,
                        &night.end_ms);
        if (night.end_ms > end_ms || found == n_nights + 8) {
            break;
        }
        b->nights[found++] = night;
        after_ms = night.start_ms + 1;
    }
    if (found < n_nights) {
        return dcp_fail(err, DCP_E_USAGE,
                        "the store has only %u such nights with history before "
                        "them: give a smaller --backtest",
                        found);
    }
    b->n = n_nights;
    for (uint32_t i = 0; i < n_nights; i++) {
        b->nights[i] = b->nights[found - n_nights + i];
    }
    return true;
}

static double
frac(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

/* By samples: an overloaded one counts whole. */
static void
keep_overload(struct backtest_night *n, const struct dcp_sim_result *s)
{
    double stretch_min = 0;

    for (uint32_t i = 0; i < s->n_slices; i++) {
        const struct dcp_sim_slice *slice = &s->slices[i];
        double minutes = (double)(slice->end_ms - slice->start_ms) / MINUTE_MS;

        stretch_min = slice->overload_host_s > 0 ? stretch_min + minutes : 0;
        n->overload_some_min += slice->overload_host_s > 0 ? minutes : 0;
        n->overload_longest_min = fmax(n->overload_longest_min, stretch_min);
    }
}

struct backtest_short
backtest_short_of(const struct dcp_sim_result *s,
                  const struct dcp_io_result *io)
{
    double seconds = (double)(s->to_ms - s->from_ms) / 1000;

    return (struct backtest_short){
        .balloon_mib = s->balloon_mib_s / seconds,
        .swap_mib = s->swap_mib_s / seconds,
        .stalled_frac =
            s->requested_mhz_s > 0 ? s->stalled_mhz_s / s->requested_mhz_s : 0,
        .unserved_frac = io->asked_mib > 0 ? io->unmet_mib / io->asked_mib : 0,
    };
}

static void
keep(struct backtest_night *n, const struct dcp_plan *plan,
     const struct dcp_replay *r)
{
    const struct dcp_sim_result *with = r->has_plan ? &r->with : &r->without;

    n->has_plan = plan != NULL;
    if (plan) {
        n->planned_kwh = plan->predicted.energy_kwh_before -
                         plan->predicted.energy_kwh_after;
        n->foreseen_kwh = dcp_plan_saves_kwh(plan);
    }
    n->saved_kwh = r->without.meter_kwh - with->meter_kwh;
    n->hosts_before = r->without.hosts_on_mean;
    n->hosts_after = with->hosts_on_mean;
    n->overload_before_min = r->without.overload_host_s / 60;
    n->overload_after_min = with->overload_host_s / 60;
    n->overloaded_frac = frac(with->host_slots_overloaded, with->host_slots);
    n->above_target_frac =
        frac(with->host_slots_above_target, with->host_slots);
    keep_overload(n, with);
    n->short_before = backtest_short_of(&r->without, &r->storage.without);
    n->short_after = backtest_short_of(with, r->has_plan ? &r->storage.with
                                                         : &r->storage.without);
    n->migrations = with->migrations;
    n->partial = r->partial;
    for (uint32_t i = 0; i < r->n_legs; i++) {
        n->makespan_min +=
            (double)(dcp_replay_leg_runs(r)->legs[i].ended_ms -
                     dcp_replay_leg_runs(r)->legs[i].started_ms) /
            MINUTE_MS;
    }
}

/* The class of the calendar day in which most of a night's day lies. */
static uint32_t
class_of(const struct backtest *b, const struct backtest_night *n)
{
    const struct dcp_inventory *inv = b->context->model.inventory;

    return dcp_calendar_class(
        &inv->calendar,
        dcp_zone_local(inv->zone, n->start_ms + DCP_DAY_MS / 2).day);
}

/* What the plan foresees is put right by the mean miss of the nights before
 * that are of the same class of day, and is as uncertain as those misses
 * differ.  Of overload it foresees nothing: those nights' minutes are all there
 * is, by their square roots, which are less skewed (Bartlett, Supplement to the
 * Journal of the Royal Statistical Society 3, 1936). */
static void
expect(const struct backtest *b, uint32_t night)
{
    double misses[DCP_BACKTEST_MAX], roots[DCP_BACKTEST_MAX];
    struct backtest_night *now = &b->nights[night];
    const struct dcp_interval unknown = { NAN, NAN, NAN };
    uint32_t n = 0;

    now->expected_kwh = now->expected_overload_min = unknown;
    for (uint32_t i = 0; i < night; i++) {
        const struct backtest_night *past = &b->nights[i];

        if (past->has_plan && class_of(b, past) == class_of(b, now)) {
            roots[n] = sqrt(past->overload_some_min);
            misses[n++] = past->saved_kwh - past->foreseen_kwh;
        }
    }
    if (!now->has_plan || n < N_MISSES_MIN) {
        return;
    }
    struct dcp_interval kwh =
        dcp_interval_of_next(misses, n, DCP_BACKTEST_CONFIDENCE_FRAC);
    struct dcp_interval root =
        dcp_interval_of_next(roots, n, DCP_BACKTEST_CONFIDENCE_FRAC);
    double low = fmax(root.low, 0);

    now->expected_kwh = (struct dcp_interval){ now->foreseen_kwh + kwh.mean,
                                               now->foreseen_kwh + kwh.low,
                                               now->foreseen_kwh + kwh.high };
    now->expected_overload_min =
        (struct dcp_interval){ root.mean * root.mean, low * low,
                               root.high * root.high };
}

static bool
test_night(struct backtest *b, uint32_t night, struct dcp_error *err)
{
    struct backtest_night *n = &b->nights[night];
    struct dcp_replan_options o;
    struct dcp_replay_options window = DCP_REPLAY_DEFAULT;
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_replay r;

    dcp_replan_options_default(&o);
    o.window = b->window;
    o.has_window = true;
    o.after_ms = n->start_ms - 1;
    o.history_until_ms = n->start_ms;
    o.time_limit_s = b->globals->time_limit_s;
    o.expects = true;
    if (!dcp_replan(b->globals, b->context, NULL, &o, &plan, &n->status, err)) {
        return false;
    }
    if (!plan) { /* Then the night is as it was: the same 24 hours. */
        window.from_ms = n->start_ms;
        window.to_ms = n->start_ms + DCP_DAY_MS;
    }
    if (!dcp_replay_run(b->context, plan, &window, &r, err)) {
        return false;
    }
    keep(n, plan, &r);
    expect(b, night);
    bool ok = backtest_policies_play(b, night, &r, err);

    dcp_replay_finish(&r);
    return ok;
}

int
dcp_backtest(const struct dcp_globals *g, struct dcp_context *c,
             const struct dcp_plan *plan, const struct dcp_backtest_options *o,
             struct dcp_error *err)
{
    struct backtest b = { .globals = g, .context = c, .every_ms = o->every_ms };
    int status = -1;

    if (!c->store) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--backtest needs usage: give --traces FILE");
        return -1;
    }
    if (choose_window(c, plan, o->window, &b.window, err) &&
        find_nights(&b, o->n_nights, err) &&
        backtest_policies_open(&b, o->policies, err)) {
        uint32_t i = 0;

        while (i < b.n && test_night(&b, i, err)) {
            i++;
            dcp_ui_progress(g, "nights", (double)i / b.n);
        }
        dcp_ui_progress_end(g);
        if (i == b.n && g->json) {
            status = backtest_print_json(&b, err);
        } else if (i == b.n) {
            backtest_print_text(&b);
            status = 0;
        }
    }
    free(b.nights);
    free(b.entrants);
    free(b.names);
    return status;
}
