/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/backtest.h"

#include "cli/replan.h"
#include "cli/replay.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "sim/stats/interval.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIDENCE_FRAC 0.8
#define MINUTE_MS       60000

struct night {
    int64_t start_ms, end_ms; /* The window. */
    const char *status;       /* Of the plan. */
    double planned_kwh, saved_kwh;
    double hosts_before, hosts_after;
    double overload_before_min, overload_after_min;
    double overloaded_frac, above_target_frac; /* Of host samples. */
    uint32_t migrations;
    double makespan_min;
    bool partial;
};

struct backtest {
    const struct dcp_globals *globals;
    struct dcp_context *context;
    struct dcp_window window;
    struct night *nights;
    uint32_t n;
};

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
        struct night night = { 0 };

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

static void
keep(struct night *n, const struct dcp_plan *plan, const struct dcp_replay *r)
{
    const struct dcp_sim_result *with = r->has_plan ? &r->with : &r->without;

    if (plan) {
        n->planned_kwh = plan->predicted.energy_kwh_before -
                         plan->predicted.energy_kwh_after;
    }
    n->saved_kwh = r->without.meter_kwh - with->meter_kwh;
    n->hosts_before = r->without.hosts_on_mean;
    n->hosts_after = with->hosts_on_mean;
    n->overload_before_min = r->without.overload_host_s / 60;
    n->overload_after_min = with->overload_host_s / 60;
    n->overloaded_frac = frac(with->host_slots_overloaded, with->host_slots);
    n->above_target_frac =
        frac(with->host_slots_above_target, with->host_slots);
    n->migrations = with->migrations;
    n->partial = r->partial;
    for (uint32_t i = 0; i < r->n_legs; i++) {
        n->makespan_min +=
            (double)(r->legs[i].ended_ms - r->legs[i].started_ms) / MINUTE_MS;
    }
}

static bool
test_night(struct backtest *b, struct night *n, struct dcp_error *err)
{
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
    dcp_replay_finish(&r);
    return true;
}

/* --- Output ------------------------------------------------------------- */

struct column {
    const char *key, *title;
    size_t offset;
    double factor;
    int decimals;
    bool never_negative;
};
#define COLUMN(KEY, TITLE, MEMBER, FACTOR, DECIMALS, POSITIVE)                 \
    {                                                                          \
        KEY, TITLE, offsetof(struct night, MEMBER), FACTOR, DECIMALS, POSITIVE \
    }
static const struct column columns[] = {
    COLUMN("planned_kwh_saved", "planned kWh", planned_kwh, 1, 1, false),
    COLUMN("kwh_saved", "saved kWh", saved_kwh, 1, 1, false),
    COLUMN("hosts_on_mean_before", "hosts was", hosts_before, 1, 1, true),
    COLUMN("hosts_on_mean", "hosts is", hosts_after, 1, 1, true),
    COLUMN("overload_host_minutes_before", "over was", overload_before_min, 1,
           1, true),
    COLUMN("overload_host_minutes", "over is", overload_after_min, 1, 1, true),
    COLUMN("host_slots_overloaded_frac", "% over", overloaded_frac, 100, 3,
           true),
    COLUMN("host_slots_above_target_frac", "% > target", above_target_frac, 100,
           3, true),
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

static double
value_of(const struct night *n, const struct column *c)
{
    return *(const double *)((const char *)n + c->offset);
}

static struct dcp_interval
interval_of(const struct backtest *b, const struct column *c)
{
    double values[DCP_BACKTEST_MAX];

    for (uint32_t i = 0; i < b->n; i++) {
        values[i] = value_of(&b->nights[i], c);
    }
    struct dcp_interval out =
        dcp_interval_of_mean(values, b->n, CONFIDENCE_FRAC);

    if (c->never_negative && out.low < 0) {
        out.low = 0;
    }
    return out;
}

/* What the plans promise: policy.overload, or the largest 1 - percentile of
 * the model's tiers. */
static double
planned_exceedance_frac(const struct dcp_inventory *inv)
{
    double most = 0;

    if (inv->policy.overload) {
        return inv->policy.overload_eps_frac;
    }
    for (uint32_t t = 0; t < inv->n_tiers; t++) {
        most = fmax(most, 1 - inv->tiers[t].percentile);
    }
    return round(most * 1e9) / 1e9; /* 1 - 0.95 is not quite 0.05. */
}

static int
print_json(const struct backtest *b, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/simulate/1");
    dcp_json_kdouble(&w, "planned_exceedance_frac",
                     planned_exceedance_frac(b->context->model.inventory));
    dcp_json_kdouble(&w, "confidence_frac", CONFIDENCE_FRAC);
    dcp_json_ku64(&w, "backtest", b->n);
    dcp_json_karray(&w, "nights");
    for (uint32_t i = 0; i < b->n; i++) {
        const struct night *n = &b->nights[i];

        dcp_json_begin_line(&w, '{');
        dcp_json_kinstant(&w, "start", n->start_ms);
        dcp_json_kstring(&w, "status", n->status);
        dcp_json_kbool(&w, "partial", n->partial);
        for (size_t c = 0; c < N_COLUMNS; c++) {
            dcp_json_kdouble(&w, columns[c].key, value_of(n, &columns[c]));
        }
        dcp_json_ku64(&w, "migrations", n->migrations);
        dcp_json_kdouble(&w, "makespan_minutes", n->makespan_min);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "mean");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        struct dcp_interval m = interval_of(b, &columns[c]);

        dcp_json_key(&w, columns[c].key);
        dcp_json_begin_line(&w, '{');
        dcp_json_kdouble(&w, "mean", m.mean);
        dcp_json_kdouble(&w, "low", m.low);
        dcp_json_kdouble(&w, "high", m.high);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, '}');
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(b->globals, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static void
print_text(const struct backtest *b)
{
    printf("%-18s", "night from");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        printf(" %11s", columns[c].title);
    }
    printf("  %s\n", "plan");
    for (uint32_t i = 0; i < b->n; i++) {
        const struct night *n = &b->nights[i];
        char start[32];

        dcp_print_instant(n->start_ms, start);
        printf("%-18.16s", start);
        for (size_t c = 0; c < N_COLUMNS; c++) {
            printf(" %11.*f", columns[c].decimals,
                   columns[c].factor * value_of(n, &columns[c]));
        }
        printf("  %s%s\n", n->status ? n->status : "",
               n->partial ? ", partial" : "");
    }
    printf("%-18s", "mean");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        printf(" %11.*f", columns[c].decimals,
               columns[c].factor * interval_of(b, &columns[c]).mean);
    }
    struct dcp_interval saved = interval_of(b, &columns[1]);
    struct dcp_interval over = interval_of(b, &columns[6]);
    double planned = planned_exceedance_frac(b->context->model.inventory);

    printf("\n\nSaved per night: %.1f kWh (80 %% interval %.1f to %.1f).\n",
           saved.mean, saved.low, saved.high);
    printf("Overloaded host samples: %.3f %% (80 %% interval %.3f to %.3f); "
           "plans allow each VM %.0f %%.\n",
           100 * over.mean, 100 * over.low, 100 * over.high, 100 * planned);
    puts("Over: host-minutes of demand above capacity.  Every night starts "
         "from the same placement.");
}

int
dcp_backtest(const struct dcp_globals *g, struct dcp_context *c,
             const struct dcp_plan *plan, const char *window, uint32_t n_nights,
             struct dcp_error *err)
{
    struct backtest b = { .globals = g, .context = c };
    int status = -1;

    if (!c->store) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--backtest needs usage: give --traces FILE");
        return -1;
    }
    if (choose_window(c, plan, window, &b.window, err) &&
        find_nights(&b, n_nights, err)) {
        uint32_t i = 0;

        while (i < b.n && test_night(&b, &b.nights[i], err)) {
            i++;
            dcp_ui_progress(g, "nights", (double)i / b.n);
        }
        dcp_ui_progress_end(g);
        if (i == b.n && g->json) {
            status = print_json(&b, err);
        } else if (i == b.n) {
            print_text(&b);
            status = 0;
        }
    }
    free(b.nights);
    return status;
}
