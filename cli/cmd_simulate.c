/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/backtest.h"
#include "cli/closed_loop.h"
#include "cli/cloudsim.h"
#include "cli/commands.h"
#include "cli/onlooker.h"
#include "cli/policy_run.h"
#include "cli/print_events.h"
#include "cli/replay.h"
#include "cli/replay_page.h"
#include "cli/replay_print.h"
#include "cli/replications.h"
#include "cli/result_json.h"
#include "cli/transfers.h"
#include "cli/ui.h"
#include "model/base/arena.h"
#include "model/base/units.h"
#include "model/io/file.h"
#include "model/io/plan_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_INTERRUPTED 6
#define STATUS_ABORTED     130

struct options {
    const char *traces, *policy, *series, *window, *events, *print_events;
    const char *by, *report;
    int64_t from_ms, to_ms, every_ms;
    uint64_t backtest;
    struct dcp_failure_options failures;
    struct dcp_replication_options replications;
    struct dcp_resample_options resample;
    struct dcp_cloudsim_options cloudsim;
};

static const char *const series_kinds[] = { "interval", "host", "vm", "tenant",
                                            "pool",     NULL };

static const struct dcp_opt rows[] = {
    { "traces", 0, DCP_OPT_FILE, offsetof(struct options, traces), "FILE", NULL,
      NULL, "Usage store to replay; default: the model's usage.h5." },
    { "from", 0, DCP_OPT_INSTANT, offsetof(struct options, from_ms), "TIME",
      NULL, NULL,
      "Replay the plan on the day that begins here; with --to, exactly from "
      "here." },
    { "to", 0, DCP_OPT_INSTANT, offsetof(struct options, to_ms), "TIME", NULL,
      NULL, "Replay until here." },
    { "policy", 0, DCP_OPT_TEXT, offsetof(struct options, policy),
      "NAME[:PARAM]", NULL, NULL,
      "Without a plan: what acts while time passes: none, balance, "
      "consolidate, dpm, solver, solver-anew, npa, dvfs, "
      "{thr,iqr,mad,lr,lrr}-{mmt,mu,mc,rs}." },
    { "every", 0, DCP_OPT_TIME_MS, offsetof(struct options, every_ms), "TIME",
      NULL, "1h", "How often a policy is asked, the reactive band as well." },
    { "backtest", 0, DCP_OPT_UINT, offsetof(struct options, backtest), "N",
      NULL, NULL,
      "Plan each of the last N nights from what came before it, replay it; "
      "with "
      "--policy A,B,...: beside those." },
    { "window", 0, DCP_OPT_TEXT, offsetof(struct options, window), "FROM-TO",
      NULL, NULL,
      "The night of --backtest; default: the plan's, 22:00-06:00." },
    { "series", 0, DCP_OPT_FILE, offsetof(struct options, series), "FILE", NULL,
      NULL,
      "Write figures by sample: HDF5 where it ends in .h5, with those of each "
      "host, VM and tenant, else CSV." },
    { "by", 0, DCP_OPT_CHOICE, offsetof(struct options, by), "KIND",
      series_kinds, "interval",
      "Of what --series writes CSV: a line per sample, or per sample and host, "
      "VM or tenant." },
    { "report", 0, DCP_OPT_FILE, offsetof(struct options, report), "FILE", NULL,
      NULL, "Write an offline HTML page about the replay." },
    { "events", 0, DCP_OPT_FILE, offsetof(struct options, events), "FILE", NULL,
      NULL, "Log what happens, 24 bytes an event." },
    { "print-events", 0, DCP_OPT_FILE, offsetof(struct options, print_events),
      "FILE", NULL, NULL, "Print such a log as CSV, and nothing else." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
    { dcp_failure_rows, DCP_N_FAILURE_ROWS,
      offsetof(struct options, failures) },
    { dcp_replication_rows, DCP_N_REPLICATION_ROWS,
      offsetof(struct options, replications) },
    { dcp_resample_rows, DCP_N_RESAMPLE_ROWS,
      offsetof(struct options, resample) },
    { dcp_cloudsim_opts, DCP_CLOUDSIM_OPTS,
      offsetof(struct options, cloudsim) },
};

/* --- JSON --------------------------------------------------------------- */

static void
json_legs(struct dcp_json *w, const struct dcp_plan *plan,
          const struct dcp_replay *r)
{
    dcp_json_karray(w, "legs");
    for (uint32_t i = 0; i < r->n_legs; i++) {
        const struct dcp_run_report *leg = &dcp_replay_leg_runs(r)->legs[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "leg", plan->legs[i].name);
        dcp_json_kinstant(w, "start", r->leg_start_ms[i]);
        dcp_json_ki64(w, "makespan_ms", leg->ended_ms - leg->started_ms);
        dcp_json_ki64(w, "planned_makespan_ms", plan->legs[i].makespan_ms);
        dcp_json_ku64(w, "steps", leg->n_steps);
        dcp_json_ku64(w, "done", leg->n_done + leg->n_already);
        dcp_json_ku64(w, "failed", leg->n_failed + leg->n_unknown);
        dcp_json_ku64(w, "skipped", leg->n_skipped);
        dcp_json_kstring(w, "first_failure",
                         leg->first_failed ? leg->first_failure : NULL);
        dcp_transfers_json(w, &dcp_replay_leg_runs(r)->transfers[i]);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

/* Null where the replay was ended before it. */
static bool
json_band(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_replay *r, const struct dcp_policy_run *band,
          struct dcp_error *err)
{
    if (!band->name) {
        dcp_json_knull(w, "reactive_band");
        return true;
    }
    dcp_json_kobject(w, "reactive_band");
    bool ok = dcp_policy_run_json(w, inv, r, band, err);

    dcp_json_end(w, '}');
    return ok;
}

/* 'band' NULL: not asked for. */
static int
print_json(const struct dcp_globals *g, const struct dcp_inventory *inv,
           const struct dcp_plan *plan, const struct dcp_replay *r,
           const struct dcp_policy_run *band,
           const struct dcp_replications *again, struct dcp_error *err)
{
    const struct dcp_sim_result *main = plan ? &r->with : &r->without;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/simulate/1");
    dcp_json_kstring(&w, "plan", plan ? plan->uuid : NULL);
    dcp_json_ki64(&w, "shift_days", r->shift_days);
    bool stopped = r->stopped || (again && dcp_replications_interrupted(again));

    dcp_json_kstring(&w, "stopped_by", stopped ? "interrupt" : NULL);
    bool ok = dcp_replay_json(
        &w, inv, r, plan ? dcp_replay_with(r) : dcp_replay_without(r), err);

    if (ok && plan) {
        dcp_json_kobject(&w, "baseline");
        ok = dcp_replay_json(&w, inv, r, dcp_replay_without(r), err);
        dcp_json_end(&w, '}');
    }
    if (ok && band) {
        ok = json_band(&w, inv, r, band, err);
    }
    if (ok && plan) {
        dcp_replay_json_saved(&w, plan, r);
        json_legs(&w, plan, r);
    }
    if (ok && again) {
        dcp_replications_json(&w, again);
    }
    return dcp_result_end(g, &w, main->n_samples, ok, err);
}

/* --- The command -------------------------------------------------------- */

static bool
is_stdout(const char *path)
{
    return path && !strcmp(path, "-");
}

static bool
takes_stdout(const struct options *o)
{
    return is_stdout(o->series) || is_stdout(o->report);
}

static bool
is_h5(const char *path)
{
    return dcp_text_glob("*.h5", path);
}

static enum dcp_series_of
series_kind(const char *name)
{
    enum dcp_series_of of = DCP_SERIES_POOL;

    while (of != DCP_SERIES_INTERVAL && strcmp(name, dcp_series_of_name(of))) {
        of = (enum dcp_series_of)(of - 1);
    }
    return of;
}

static struct dcp_policy_run_input
band_input(const struct dcp_globals *g, struct dcp_context *c,
           const struct dcp_plan *plan, const struct dcp_replay *r,
           int64_t every_ms)
{
    return dcp_policy_run_beside(
        g, c, r, plan ? plan->before : c->model.placement, DCP_BAND, every_ms);
}

/* The reactive band from where the plan starts, or all stands, in the replay's
 * window; nothing of it where a person ended it or what came before. */
static bool
run_band(const struct dcp_globals *g, struct dcp_context *c,
         const struct dcp_plan *plan, struct dcp_replay *r, int64_t every_ms,
         struct dcp_onlooker *onlooker, struct dcp_policy_run *out,
         struct dcp_error *err)
{
    if (r->stopped) {
        return true;
    }
    if (!plan && !dcp_replay_load_samples(c, r, err)) {
        return false;
    }
    struct dcp_policy_run_input in = band_input(g, c, plan, r, every_ms);

    in.prepare = dcp_onlooker_prepare;
    in.user = onlooker;
    bool ok = dcp_policy_run(&in, false, out, err);

    dcp_ui_progress_end(g);
    if (!ok) {
        return false;
    }
    if (out->result.stopped) {
        r->stopped = true;
        dcp_policy_run_finish(out);
    }
    return true;
}

/* With the band beside wherever the replay has it beside. */
static struct dcp_replications *
replicate(const struct dcp_globals *g, struct dcp_context *c,
          const struct dcp_plan *plan, const struct options *o,
          const struct dcp_replay *r, struct dcp_error *err)
{
    const struct dcp_policy_run_input band =
        band_input(g, c, plan, r, o->every_ms);
    const struct dcp_replication_input in = { .replay = r,
                                              .plan = plan,
                                              .band = plan || o->policy ? &band
                                                                        : NULL,
                                              .options = &o->replications,
                                              .failures = &o->failures,
                                              .resample = &o->resample };

    return dcp_replications_run(g, c, &in, err);
}

static int
replay_one(const struct dcp_globals *g, struct dcp_context *c,
           const struct dcp_plan *plan, const struct options *o,
           struct dcp_error *err)
{
    struct dcp_onlooker_options wanted = { o->events, o->series,
                                           series_kind(o->by),
                                           o->report != NULL };
    DCP_AUTO(dcp_onlooker)
    struct dcp_onlooker *onlooker = dcp_onlooker_create(g, &wanted, err);
    struct dcp_replay_options how = { .from_ms = o->from_ms,
                                      .to_ms = o->to_ms,
                                      .failures = &o->failures,
                                      .seed = g->seed,
                                      .threads = (uint32_t)g->threads,
                                      .prepare = dcp_onlooker_prepare,
                                      .user = onlooker };
    DCP_AUTO(dcp_replications) struct dcp_replications *again = NULL;
    struct dcp_policy_run band = { 0 };
    bool with_band = plan || o->policy;
    struct dcp_replay r;
    int status = 0;

    if (!onlooker || !dcp_replay_run(c, plan, &how, &r, err)) {
        return -1;
    }
    status = dcp_onlooker_end(onlooker, plan ? &r.with : &r.without,
                              plan ? &r.without : NULL, err)
                 ? 0
                 : -1;
    if (status == 0 && with_band &&
        !run_band(g, c, plan, &r, o->every_ms, onlooker, &band, err)) {
        status = -1;
    }
    if (status == 0 && o->replications.n && !r.stopped) {
        again = replicate(g, c, plan, o, &r, err);
        status = again ? 0 : -1;
    }
    if (status == 0 && o->report &&
        !dcp_replay_page(o->report, c->model.inventory, &r, &band, again,
                         onlooker, err)) {
        status = -1;
    }
    if (status ||
        (o->series && wanted.series_of == DCP_SERIES_INTERVAL &&
         !is_h5(o->series) && !dcp_replay_series(o->series, &r, err))) {
        status = -1;
    } else if (g->json) {
        status = print_json(g, c->model.inventory, plan, &r,
                            with_band ? &band : NULL, again, err);
    } else if (!takes_stdout(o)) {
        dcp_replay_print(c->model.inventory, plan, &r, &band);
        if (again) {
            dcp_replications_print(again);
        }
    }
    /* What failures take from it is what was asked. */
    for (uint32_t i = 0; status == 0 && i < r.n_legs; i++) {
        if (!dcp_run_complete(&r.calm.legs[i])) {
            dcp_ui_warn(g, "leg '%s' could not be carried out: %s",
                        plan->legs[i].name, r.calm.legs[i].first_failure);
            status = 1;
        }
    }
    if (status == 0 &&
        (r.stopped || (again && dcp_replications_interrupted(again)))) {
        status = STATUS_INTERRUPTED;
    }
    dcp_policy_run_finish(&band);
    dcp_replay_finish(&r);
    return status;
}

static int
closed_loop(const struct dcp_globals *g, struct dcp_context *c,
            const struct options *o, struct dcp_error *err)
{
    struct dcp_onlooker_options wanted = { o->events, o->series,
                                           series_kind(o->by),
                                           o->report != NULL };
    DCP_AUTO(dcp_onlooker)
    struct dcp_onlooker *onlooker = dcp_onlooker_create(g, &wanted, err);
    struct dcp_closed_loop_options loop = { .policy = o->policy,
                                            .every_ms = o->every_ms,
                                            .from_ms = o->from_ms,
                                            .to_ms = o->to_ms,
                                            .onlooker = onlooker,
                                            .failures = &o->failures,
                                            .replications = &o->replications,
                                            .resample = &o->resample,
                                            .report = o->report,
                                            .silent = takes_stdout(o) };

    return onlooker ? dcp_closed_loop(g, c, &loop, err) : -1;
}

static int
with_context(const struct dcp_globals *g, struct dcp_context *c,
             const struct options *o, const char *path, struct dcp_error *err)
{
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;

    if (path) {
        plan = dcp_plan_load(c->model.inventory, path, err);
        if (!plan) {
            return -1;
        }
        if (strcmp(plan->lineage, c->model.inventory->lineage) != 0) {
            (void)dcp_fail(err, DCP_E_STALE,
                           "the plan was made for another model (lineage %s)",
                           plan->lineage);
            return -1;
        }
        if (strcmp(plan->model_digest, c->model.inventory->digest) != 0) {
            dcp_ui_warn(g, "the model was changed since the plan was made");
        } else if (strcmp(plan->policy_digest,
                          c->model.inventory->policy_digest) != 0) {
            dcp_ui_warn(g, "the plan was made under another policy");
        }
    }
    if (o->backtest) {
        const struct dcp_backtest_options nights = { (uint32_t)o->backtest,
                                                     o->window, o->policy,
                                                     o->every_ms };

        return dcp_backtest(g, c, plan, &nights, err);
    }
    if (o->policy && strcmp(o->policy, "none") != 0) {
        return closed_loop(g, c, o, err);
    }
    return replay_one(g, c, plan, o, err);
}

/* --policy's own options, and what goes with it. */
static bool
check_policy(const struct options *o, uint32_t n_args, struct dcp_error *err)
{
    if (n_args && o->policy) {
        return dcp_fail(err, DCP_E_USAGE, "give a plan or --policy, not both");
    }
    if (o->every_ms <= 0) {
        return dcp_fail(err, DCP_E_USAGE, "--every takes a time above 0");
    }
    if (!o->policy || !strcmp(o->policy, "none")) {
        return true;
    }
    if (o->series && !is_h5(o->series) && !strcmp(o->by, "interval")) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--policy %s takes --series FILE.h5, or CSV --by host, "
                        "vm, tenant or pool",
                        o->policy);
    }
    return true;
}

/* Its day, hosts and horizon are fixed. */
static int
as_cloudsim(const struct dcp_globals *g, const struct options *o,
            uint32_t n_args, struct dcp_error *err)
{
    if (n_args || o->backtest || o->series || o->events || o->report ||
        o->window || dcp_failures_asked(&o->failures) || o->replications.n ||
        o->replications.half_width_frac > 0 || o->resample.block_days ||
        o->from_ms != DCP_INSTANT_NONE || o->to_ms != DCP_INSTANT_NONE) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--compat takes --traces, --policy, --migrations and "
                       "--compat-... only");
        return -1;
    }
    return dcp_cloudsim_command(g, &o->cloudsim, o->traces, o->policy, err);
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_context c;

    if (o->print_events) {
        return dcp_print_events(g, o->print_events, err);
    }
    if (o->cloudsim.compat) {
        return as_cloudsim(g, o, n_args, err);
    }
    if (!dcp_cloudsim_unused(&o->cloudsim, err) ||
        !check_policy(o, n_args, err) ||
        !dcp_replications_check(&o->replications, &o->failures, &o->resample,
                                err)) {
        return -1;
    }
    if (o->backtest &&
        (dcp_failures_asked(&o->failures) || o->replications.n)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--backtest compares nights in which nothing fails");
        return -1;
    }
    if (o->backtest && (o->series || o->events || o->report)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--backtest replays many nights: --series, --events and "
                       "--report are of one replay");
        return -1;
    }
    if (o->backtest > DCP_BACKTEST_MAX) {
        (void)dcp_fail(err, DCP_E_USAGE, "--backtest takes 1 to %u nights",
                       DCP_BACKTEST_MAX);
        return -1;
    }
    if (o->series && is_h5(o->series) && strcmp(o->by, "interval") != 0) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--by is for CSV: a series in HDF5 has all of it");
        return -1;
    }
    if (g->json + is_stdout(o->series) + is_stdout(o->report) > 1) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "of --json, --series - and --report - only one may have "
                       "standard output");
        return -1;
    }
    if (!dcp_context_open(g, o->traces, &c, err)) {
        return -1;
    }
    int status = with_context(g, &c, o, n_args ? args[0] : NULL, err);

    dcp_context_close(&c);
    if (status < 0 && err->code == DCP_E_CANCELLED) {
        dcp_ui_error(g, err);
        status = STATUS_ABORTED;
    }
    return status;
}

const struct dcp_command dcp_cmd_simulate = {
    .name = "simulate",
    .summary = "replay usage, with a plan, a policy, or neither",
    .synopsis = "[PLAN] [--from TIME] [--to TIME] [--policy NAME[:PARAM]] "
                "[--every TIME] [--backtest N] [--replications R] "
                "[--series FILE] [--events FILE] [--report R.html]",
    .details =
        "Replays the samples of the usage store against where the VMs are.  "
        "With a plan, its\nlegs are carried out on the way, and the same time "
        "without it stands beside.\nWithout --from the plan's own night is "
        "replayed, from its first leg's start to the\nend of its last leg's "
        "day.  docs/simulation.md defines every figure.\n\n"
        "Examples:\n"
        "  dcplan simulate plan.json --from 2013-08-22T00:00:00Z\n"
        "  dcplan simulate plan.json --json --series night.csv\n"
        "  dcplan simulate --policy none --from 2013-08-01T00:00:00Z --to "
        "2013-08-02T00:00:00Z\n"
        "  dcplan simulate plan.json --series night.h5 --events night.evt\n"
        "  dcplan simulate --print-events night.evt\n"
        "  dcplan simulate --policy dpm --every 1h\n"
        "  dcplan simulate plan.json --report night.html\n"
        "  dcplan simulate --backtest 28 --policy dpm,consolidate,lr-mmt:1.2\n"
        "  dcplan simulate plan.json --lose rack:R3 --at 2013-08-22T02:00:00Z\n"
        "  dcplan simulate --policy none --failures lanl05,rack=3650d/8h\n"
        "  dcplan simulate plan.json --failures host=365d/4h --replications "
        "1000 --half-width 5%\n"
        "  dcplan simulate plan.json --bootstrap 1 --replications 200\n"
        "  dcplan simulate --compat cloudsim-3 --traces planetlab:20110303 "
        "--policy lr-mmt:1.2\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof groups[0],
    .options_size = sizeof(struct options),
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
