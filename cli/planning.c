/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include "cli/help.h"
#include "cli/improvements.h"
#include "cli/ui.h"
#include "executors/journal.h"
#include "model/base/sha256.h"
#include "model/base/units.h"
#include "model/check/check.h"
#include "model/io/plan_file.h"
#include "model/power.h"
#include "solver/run/pair.h"
#include "traces/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define P(MEMBER) offsetof(struct dcp_planning_options, MEMBER)

/* As enum dcp_strategy. */
static const char *const strategies[] = { "full", "ffd", "local", "lns",
                                          NULL };

const struct dcp_opt dcp_planning_rows[DCP_N_PLANNING_ROWS] = {
    { "output", 'o', DCP_OPT_FILE, P(output), "PLAN", NULL, NULL,
      "write the plan to PLAN (\"-\": standard output)" },
    { "until", 0, DCP_OPT_INSTANT, P(until_ms), "TIME", NULL, NULL,
      "learn demand from data before TIME only, and plan the first window that "
      "begins after it" },
    { "fit-from", 0, DCP_OPT_INSTANT, P(from_ms), "TIME", NULL, NULL,
      "learn demand from data after TIME only" },
    { "traces", 0, DCP_OPT_FILE, P(traces), "STORE", NULL, NULL,
      "usage store, instead of usage.h5 of the model" },
    { "goal", 0, DCP_OPT_TEXT, P(goals), "GOAL", NULL, NULL,
      "what counts, most important first: cost, hosts, energy, licences, "
      "moves, "
      "balance or room, or a sum such as cost+0.02*moves (default: the "
      "policy's)" },
    { "slack", 0, DCP_OPT_FRAC, P(slack_frac), "SHARE", NULL, NULL,
      "let a later goal cost an earlier one up to SHARE of its value, e.g. "
      "1%" },
    { "gap", 0, DCP_OPT_FRAC, P(gap_frac), "SHARE", NULL, NULL,
      "stop when proved to be within SHARE of the best, e.g. 1%" },
    { "strategy", 0, DCP_OPT_CHOICE, P(strategy), "HOW", strategies, "full",
      "how much of the search runs, to measure what its parts are worth: first "
      "fit decreasing alone, then local search, then ruin and recreate" },
    { "max-moves", 0, DCP_OPT_UINT, P(max_moves), "N", NULL, NULL,
      "the best plan with at most N moves, of both legs" },
    { "perturb", 0, DCP_OPT_FRAC, P(perturb_frac), "SHARE", NULL, NULL,
      "change each VM's demand at random by up to SHARE, to test stability" },
    { "detailed-exitcode", 0, DCP_OPT_FLAG, P(detailed_exitcode), NULL, NULL,
      NULL, "exit with 10 when there is something to do" },
    { "no-convert", 0, DCP_OPT_FLAG, P(no_convert), NULL, NULL, NULL,
      "give no VM another hypervisor, whatever policy.conversions says" },
};

/* --- Demand ------------------------------------------------------------- */

struct dcp_demand *
dcp_planning_demand(struct dcp_context *c, const struct dcp_demand *learned,
                    int64_t start_ms, int64_t end_ms, int64_t from_ms,
                    int64_t until_ms, struct dcp_error *err)
{
    uint32_t n;
    DCP_FREE struct dcp_slot *slots =
        dcp_context_slots(c->model.inventory, start_ms, end_ms, &n, err);

    if (!slots) {
        return NULL;
    }
    return learned ? dcp_demand_part(learned, slots, n, err)
                   : dcp_context_demand(c, slots, n, from_ms, until_ms, err);
}

/* --- Making ------------------------------------------------------------- */

static bool
count_violations(const struct dcp_inventory *inv, const struct dcp_demand *d,
                 const struct dcp_placement *p, uint32_t last_slot,
                 uint32_t *out, struct dcp_error *err)
{
    struct dcp_check_result r;

    if (!dcp_check_placement(inv, d, p, 0, last_slot, &r, err)) {
        return false;
    }
    *out = r.n_violations_all;
    dcp_check_result_finish(&r);
    return true;
}

/* An evening of this window that was carried out already. */
static bool
is_settled(const struct dcp_globals *g, const struct dcp_context *c,
           const struct dcp_planning_answer *a, bool *out,
           struct dcp_error *err)
{
    char path[4096];

    *out = false;
    (void)snprintf(path, sizeof path, "%s/.dcplan/journal.db", g->dir);
    if (access(path, F_OK) != 0) {
        return true;
    }
    DCP_AUTO(dcp_journal)
    struct dcp_journal *j = dcp_journal_open_to_read(path, err);

    return j &&
           dcp_journal_evening_done(j, c->model.inventory->lineage, a->start_ms,
                                    a->window_end_ms, out, err);
}

/* Of what reading took. */
#define JUDGE_FRAC        0.1
#define WRITE_FRAC        0.6

static void
options_text(const struct dcp_globals *g, const struct dcp_planning_job *job,
             const struct dcp_planning_options *o,
             const struct dcp_goals *goals, struct dcp_json *w)
{
    dcp_json_init(w, false);
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "command", job->command);
    dcp_json_karray(w, "goal");
    for (uint32_t k = 0; k < goals->n_levels; k++) {
        char text[160];

        dcp_goal_level_print(&goals->level[k], text, sizeof text);
        dcp_json_string(w, text);
    }
    dcp_json_end(w, ']');
    dcp_json_kstring(w, "window", job->window_text);
    dcp_json_kdouble(w, "gap", o->gap_frac);
    dcp_json_ku64(w, "iterations", g->iterations);
    if (o->until_ms != DCP_INSTANT_NONE) {
        dcp_json_kinstant(w, "until", o->until_ms);
    }
    if (o->strategy && strcmp(o->strategy, "full")) {
        dcp_json_kstring(w, "strategy", o->strategy);
    }
    if (o->from_ms != DCP_INSTANT_NONE) {
        dcp_json_kinstant(w, "fit_from", o->from_ms);
    }
    if (o->perturb_frac > 0) {
        dcp_json_kdouble(w, "perturb", o->perturb_frac);
    }
    if (o->max_moves) {
        dcp_json_ku64(w, "max_moves", o->max_moves);
    }
    if (goals->slack_frac > 0) {
        dcp_json_kdouble(w, "slack", goals->slack_frac);
    }
    if (job->no_park) {
        dcp_json_kbool(w, "no_park", true);
    }
    if (job->rightsize) {
        dcp_json_kbool(w, "rightsize", true);
    }
    if (o->no_convert) {
        dcp_json_kbool(w, "no_convert", true);
    }
    dcp_json_end(w, '}');
}

/* What only the program knows of a plan. */
static bool
sign_plan(const struct dcp_globals *g, const struct dcp_context *c,
          const struct dcp_planning_job *job,
          const struct dcp_planning_options *o, const struct dcp_goals *goals,
          struct dcp_planning_answer *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    struct dcp_plan *plan = a->plan;
    struct dcp_json w;
    struct timespec now;
    char host[64] = "";

    options_text(g, job, o, goals, &w);
    plan->options_json = dcp_json_text(&w)
                             ? dcp_arena_strdup(plan->arena, dcp_json_text(&w))
                             : NULL;
    dcp_json_finish(&w);
    plan->lineage = dcp_arena_strdup(plan->arena, inv->lineage);
    plan->serial = c->model.serial;
    memcpy(plan->model_digest, inv->digest, sizeof plan->model_digest);
    memcpy(plan->policy_digest, inv->policy_digest,
           sizeof plan->policy_digest);
    plan->tool_version = DCP_VERSION;
    plan->seed = g->seed;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    plan->created_ms = (int64_t)now.tv_sec * 1000;
    (void)gethostname(host, sizeof host - 1);
    plan->planner_host = dcp_arena_strdup(plan->arena, host);
    plan->solve_seconds = a->solve_seconds;
    plan->plan_seconds = dcp_ui_wall_seconds(g);
    if (!plan->options_json || !plan->lineage || !plan->planner_host) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");
    }
    return true;
}

int64_t
dcp_planning_start_ms(int64_t after_ms)
{
    return (after_ms + 59999) / 60000 * 60000;
}

int64_t
dcp_planning_horizon_ms(const struct dcp_inventory *inv)
{
    return inv->policy.horizon_ms > DCP_DAY_MS ? inv->policy.horizon_ms
                                               : DCP_DAY_MS;
}

static void
set_times(const struct dcp_inventory *inv, const struct dcp_planning_job *job,
          int64_t after_ms, struct dcp_planning_answer *a)
{
    if (job->has_window) {
        dcp_window_next(&job->window, inv->zone, after_ms, &a->start_ms,
                        &a->window_end_ms);
        int64_t unused;

        dcp_window_next(&job->window, inv->zone, a->start_ms + 1, &a->end_ms,
                        &unused);
    } else {
        a->start_ms = dcp_planning_start_ms(after_ms);
        a->end_ms = a->start_ms + dcp_planning_horizon_ms(inv);
        a->window_end_ms = a->end_ms;
    }
}

/* What a settled night was judged on keeps its hosts on; fewer would do. */
static void
free_bound(const struct dcp_inventory *inv, struct dcp_planning_answer *a)
{
    uint32_t needed = inv->policy.memory_basis == DCP_MEMORY_ACTIVE
                          ? a->hosts_needed_active
                          : a->hosts_needed_allocated;

    if (needed && needed < a->outcome.hosts_lower_bound) {
        a->outcome.hosts_lower_bound = needed;
    }
}

static enum dcp_strategy
strategy_of(const char *name)
{
    int k = 0;

    while (name && strategies[k] && strcmp(name, strategies[k])) {
        k++;
    }
    return name && strategies[k] ? (enum dcp_strategy)k : DCP_STRATEGY_FULL;
}

/* What is left of the limit once the model was read and demand learned, less
 * what it then takes to judge the plan, print and write it. */
static double
limit_left_s(const struct dcp_globals *g, const struct dcp_planning_options *o,
             double spent_s)
{
    double least = 0.05 * g->time_limit_s;
    double after_s = spent_s * (o->output ? WRITE_FRAC : JUDGE_FRAC);

    return g->time_limit_s > 0
               ? fmax(g->time_limit_s - spent_s - after_s, least)
               : 0;
}

/* What VMs should be resized to; and how few hosts would do then. */
static bool
rightsize(const struct dcp_globals *g, struct dcp_context *c,
          const struct dcp_placement *start, const struct dcp_planning_job *job,
          struct dcp_planning_answer *a, struct dcp_error *err)
{
    struct dcp_rightsizing *z = &a->rightsizing;
    const struct dcp_rightsizing_request request = {
        .dir = g->dir,
        .demand = a->demand,
        .start = start,
        .start_ms = a->start_ms,
        .end_ms = a->window_end_ms,
        .in_window = job->has_window,
        .parks = job->has_window && job->job == DCP_JOB_CONSOLIDATE &&
                 !job->no_park,
        .settled = a->settled,
    };

    if (!dcp_rightsizing_make(c, &request, z, err)) {
        return false;
    }
    DCP_FREE struct dcp_inventory *all =
        dcp_rightsizing_all(z, c->model.inventory, err);

    z->hosts_needed_before = a->hosts_needed_allocated;
    if (!all || !dcp_planning_hosts_needed(g, all, start, a, err)) {
        return false;
    }
    z->hosts_needed_if_all = a->hosts_needed_allocated;
    if (!dcp_planning_hosts_needed(g, z->inv ? z->inv : c->model.inventory,
                                   start, a, err)) {
        return false;
    }
    z->hosts_needed_after = a->hosts_needed_allocated;
    return true;
}

static bool
make(const struct dcp_globals *g, struct dcp_context *c,
     const struct dcp_placement *start, const struct dcp_planning_options *o,
     const struct dcp_planning_job *job, struct dcp_planning_answer *a,
     struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    struct dcp_plan_request r = {
        .inventory = inv,
        .demand = a->demand,
        .start = start,
        .job = job->job,
        .two_legs = job->has_window,
        .start_ms = a->start_ms,
        .window_end_ms = a->window_end_ms,
        .avoid = job->avoid,
        .bring_back = job->bring_back,
        .solve = { .strategy = strategy_of(o->strategy),
                   .seed = g->seed,
                   .iterations = g->iterations,
                   .threads = g->threads > 1 ? 2 : 1,
                   .time_limit_s = g->time_limit_s,
                   .gap_frac = o->gap_frac,
                   .observer = dcp_improvements_observer(g) },
        .max_moves = o->max_moves,
        .even_score = job->even_score,
        .no_park = job->no_park,
        .no_convert = o->no_convert,
        .partial = job->partial,
        .storage = job->storage,
    };
    double before = dcp_ui_wall_seconds(g);

    if (o->limit_from_start) {
        r.solve.time_limit_s = limit_left_s(g, o, before);
    }
    if (!dcp_planning_job_goals(inv, job->job, o->goals, &r.goals, err)) {
        return false;
    }
    if (o->slack_frac > 0) {
        r.goals.slack_frac = o->slack_frac;
    }
    r.settled = a->settled;
    DCP_FREE uint8_t *resting = NULL;

    if (job->job != DCP_JOB_EVACUATE && job->job != DCP_JOB_REPAIR &&
        !dcp_planning_rest(g, inv, start, a->start_ms, &resting, &r.max_moves,
                           err)) {
        return false;
    }
    r.resting = resting;
    if (!dcp_rightsizing_plan(&a->rightsizing, &r, &a->plan, &a->outcome,
                              err)) {
        return false;
    }
    if (a->rightsizing.gave_up || a->rightsizing.chose) {
        if (!dcp_planning_hosts_needed(g, r.inventory, start, a, err)) {
            return false;
        }
        a->rightsizing.hosts_needed_after = a->hosts_needed_allocated;
    }
    a->solve_seconds = dcp_ui_wall_seconds(g) - before;

    uint32_t first, last;

    dcp_slot_range(a->demand, a->start_ms, a->window_end_ms, &first, &last);
    a->night_slots = last;
    if (!count_violations(inv, a->demand, start, last, &a->violations_before,
                          err)) {
        return false;
    }
    a->violations_after = a->violations_before;
    if (!a->plan) {
        return true;
    }
    return count_violations(r.inventory, r.demand, a->plan->legs[0].after, last,
                            &a->violations_after, err) &&
           dcp_planning_measure(c, o, a, err) &&
           sign_plan(g, c, job, o, &r.goals, a, err);
}

/* What no plan could be made from, with its remedy. */
static bool
check_input(const struct dcp_context *c, const struct dcp_placement *start,
            int64_t from_ms, int64_t until_ms, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    uint32_t n_unplaced = 0;

    if (!inv->n_hosts) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "the model has no hosts; add some to dc.yaml or "
                        "import them");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        n_unplaced += dcp_host_is_none(start->host[v]);
    }
    if (n_unplaced) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "%u VMs have no host yet, and plans move only what "
                        "runs: `dcplan place --all` gives them one",
                        n_unplaced);
    }
    if (c->store) {
        int64_t first_ms = dcp_store_start_ms(c->store);
        int64_t end_ms = first_ms + dcp_store_n_times(c->store) *
                                        dcp_store_interval_ms(c->store);
        char first[32], end[32];

        dcp_print_instant(first_ms, first);
        dcp_print_instant(end_ms, end);
        if (until_ms <= first_ms || from_ms >= end_ms || from_ms >= until_ms) {
            return dcp_fail(err, DCP_E_USAGE,
                            "no usage to learn demand from: the store has %s "
                            "to %s; see --until and --fit-from",
                            first, end);
        }
    }
    return true;
}

/* How few hosts would do, and the plan, which know nothing of each other. */
struct half {
    bool (*work)(const struct half *, struct dcp_error *err);
    const struct dcp_globals *g;
    struct dcp_context *c;
    const struct dcp_placement *start;
    const struct dcp_planning_options *o;
    const struct dcp_planning_job *job;
    struct dcp_planning_answer *a;
    bool ok;
    struct dcp_error err;
};

static bool
need_hosts(const struct half *h, struct dcp_error *err)
{
    return h->o->brief || dcp_planning_hosts_needed(h->g, h->c->model.inventory,
                                                    h->start, h->a, err);
}

static bool
make_plan(const struct half *h, struct dcp_error *err)
{
    return make(h->g, h->c, h->start, h->o, h->job, h->a, err);
}

static void
do_half(void *task)
{
    struct half *h = task;

    h->ok = h->work(h, &h->err);
}

/* Rightsizing asks how few hosts would do before it, so then that is first. */
static bool
make_both(const struct half *of, struct dcp_error *err)
{
    struct half plan = *of, need = *of;
    bool two = of->g->threads > 1 && !of->o->brief; /* Then one is nothing. */

    plan.work = make_plan;
    need.work = need_hosts;
    if (of->job->rightsize) {
        return need_hosts(of, err) &&
               rightsize(of->g, of->c, of->start, of->job, of->a, err) &&
               make_plan(of, err);
    }
    if (two) {
        dcp_run_pair(do_half, &plan, &need, true);
    } else {
        do_half(&need);
        plan.ok = need.ok;
        if (need.ok) {
            do_half(&plan);
        }
    }
    if (!plan.ok || !need.ok) {
        *err = need.ok ? plan.err : need.err;
        return false;
    }
    return true;
}

bool
dcp_planning_make(const struct dcp_globals *g, struct dcp_context *c,
                  const struct dcp_placement *start,
                  const struct dcp_planning_options *o,
                  const struct dcp_planning_job *job, int64_t after_ms,
                  struct dcp_planning_answer *out, struct dcp_error *err)
{
    int64_t until = o->until_ms == DCP_INSTANT_NONE ? g->now_ms : o->until_ms;

    *out = (struct dcp_planning_answer){ 0 };
    if (!start) {
        start = c->model.placement;
    }
    if (!check_input(c, start, o->from_ms, until, err)) {
        return false;
    }
    set_times(c->model.inventory, job, after_ms, out);
    out->demand = dcp_planning_demand(c, o->learned, out->start_ms, out->end_ms,
                                      o->from_ms, until, err);
    if (!out->demand) {
        return false;
    }
    if (!dcp_context_perturb(c->model.inventory, out->demand, o->perturb_frac,
                             g->seed, err) ||
        (job->has_window && start == c->model.placement &&
         !is_settled(g, c, out, &out->settled, err)) ||
        !make_both(
            &(struct half){
                .g = g, .c = c, .start = start, .o = o, .job = job, .a = out },
            err)) {
        dcp_planning_answer_finish(out);
        return false;
    }
    if (out->settled && !out->plan) {
        free_bound(c->model.inventory, out);
    }
    return true;
}

void
dcp_planning_answer_finish(struct dcp_planning_answer *a)
{
    dcp_plan_destroy(a->plan);
    dcp_demand_destroy(a->demand);
    dcp_joint_finish(&a->joint);
    dcp_rightsizing_finish(&a->rightsizing);
    free(a->planned_peak_mhz);
    a->planned_peak_mhz = NULL;
    a->plan = NULL;
    a->demand = NULL;
}

/* --- A whole command ---------------------------------------------------- */

static int
status_of(const struct dcp_planning_options *o,
          const struct dcp_planning_answer *a)
{
    switch (a->outcome.status) {
    case DCP_STATUS_OPTIMAL:
    case DCP_STATUS_FEASIBLE:
        return a->plan && o->detailed_exitcode ? 10 : 0;
    case DCP_STATUS_NOTHING_TO_DO:
        return 0;
    case DCP_STATUS_INFEASIBLE:
        return 3;
    case DCP_STATUS_TIMEOUT:
        return 1;
    }
    return 1;
}

int
dcp_planning_run(const struct dcp_globals *g,
                 const struct dcp_planning_options *o,
                 struct dcp_planning_job *job, struct dcp_context *c,
                 struct dcp_error *err)
{
    int64_t after = o->until_ms == DCP_INSTANT_NONE ? g->now_ms : o->until_ms;
    struct dcp_planning_answer a;

    if (o->output && !strcmp(o->output, "-") && g->json) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "-o - and --json both want standard output");
        return -1;
    }
    struct dcp_planning_options whole = *o;

    whole.limit_from_start = true;
    dcp_ui_progress(g, "planning", -1);
    bool ok = job->n_pareto
                  ? dcp_planning_pareto(g, c, o, job, after, &a, err)
                  : dcp_planning_make(g, c, NULL, &whole, job, after, &a, err);

    dcp_ui_progress_end(g);
    if (!ok) {
        return -1;
    }
    int status = status_of(o, &a);

    if (a.plan && o->output &&
        !dcp_plan_save(c->model.inventory, a.plan, o->output, err)) {
        status = -1;
    } else if (g->json) {
        status = dcp_planning_json(g, c, o, job, &a, status, err);
    } else {
        dcp_planning_print(g, c, o, job, &a);
    }
    dcp_planning_answer_finish(&a);
    return status;
}
