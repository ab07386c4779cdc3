/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/policy_solver.h"

#include "cli/options.h"
#include "cli/planning.h"
#include "model/base/arena.h"
#include "model/base/units.h"
#include "sim/policy/param.h"
#include "solver/standing.h"
#include "traces/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TIME_LIMIT_S 10.0 /* Of one plan, where no --time-limit is given. */
#define GROWN_BY     10   /* A tenth. */
#define SOON         4    /* A quarter of the horizon. */

struct solver_policy {
    struct dcp_sim_policy base;
    const struct dcp_globals *globals;
    struct dcp_context *context;
    uint64_t max_moves;
    bool anew;
    struct dcp_demand *learned;  /* Owned. */
    struct dcp_learner *learner; /* Owned; NULL: not for this model. */
    int64_t learn_again_ms, plan_again_ms;
    uint32_t n_past;              /* Samples known at the last question. */
    struct dcp_standing answered; /* What was seen at the last answer. */
};

/* --- Does the last answer stand? ---------------------------------------- */

static bool
is_down(const struct solver_policy *p, const struct dcp_sim_view *view)
{
    const struct dcp_placement *start = p->context->model.placement;

    for (uint32_t v = 0; v < start->n_vms; v++) {
        if (dcp_host_is_none(view->placement->host[v]) &&
            !dcp_host_is_none(start->host[v])) {
            return true;
        }
    }
    return false;
}

/* A host had more than its target, on the mean of the samples since the last
 * question. */
static bool
was_over(const struct solver_policy *p, const struct dcp_sim *sim,
         const struct dcp_sim_view *view)
{
    uint32_t n = view->n_past - p->n_past;

    n = n < DCP_SIM_HISTORY ? n : DCP_SIM_HISTORY;
    for (uint32_t h = 0; h < view->inventory->n_hosts; h++) {
        struct dcp_sim_host_now now = dcp_sim_host_now(sim, h);
        double sum = 0;
        uint32_t known = 0;

        for (uint32_t back = 0; now.power == DCP_SIM_ON && back < n; back++) {
            double mhz = dcp_sim_host_past_mhz(sim, h, back);

            sum += isnan(mhz) ? 0 : mhz;
            known += !isnan(mhz);
        }
        if (known && sum > now.target_mhz * known) {
            return true;
        }
    }
    return false;
}

/* A day, and until the history is a tenth longer: so little changes a
 * percentile little. */
static int64_t
longer_ms(const struct solver_policy *p, int64_t now_ms)
{
    const struct dcp_store *store = p->context->store;
    int64_t known_ms = store ? now_ms - dcp_store_start_ms(store) : 0;

    return known_ms / GROWN_BY > DCP_DAY_MS ? known_ms / GROWN_BY : DCP_DAY_MS;
}

static struct dcp_demand *
demand(const struct solver_policy *p, int64_t from_ms, int64_t to_ms,
       int64_t now_ms, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->context->model.inventory;

    if (!p->learner) {
        return dcp_planning_demand(p->context, NULL, from_ms, to_ms, INT64_MIN,
                                   now_ms, err);
    }
    uint32_t n;
    DCP_FREE struct dcp_slot *slots =
        dcp_context_slots(inv, from_ms, to_ms, &n, err);

    if (!slots) {
        return NULL;
    }
    struct dcp_demand *d =
        dcp_learner_demand(p->learner, now_ms, slots, n, err);

    if (d) {
        dcp_demand_cap(d, inv);
    }
    return d;
}

static bool
make_learner(struct solver_policy *p, struct dcp_error *err)
{
    struct dcp_context *c = p->context;

    return dcp_learner_create(c->store, c->model.inventory, c->measured,
                              &p->learner, err);
}

/* Serves for a day; for longer where all samples have to be read for it. */
static bool
learn(struct solver_policy *p, int64_t now_ms, struct dcp_error *err)
{
    struct dcp_context *c = p->context;
    int64_t start_ms = dcp_planning_start_ms(now_ms);
    int64_t horizon_ms = dcp_planning_horizon_ms(c->model.inventory);

    if (!p->learned && !p->learner && c->store && !make_learner(p, err)) {
        return false;
    }
    int64_t serves_ms = p->learner ? DCP_DAY_MS : longer_ms(p, now_ms);
    struct dcp_demand *d =
        demand(p, start_ms, start_ms + serves_ms + horizon_ms, now_ms, err);

    if (d) {
        dcp_demand_destroy(p->learned);
        p->learned = d;
        p->learn_again_ms = now_ms + serves_ms;
    }
    return d != NULL;
}

static bool
look(const struct solver_policy *p, const struct dcp_sim_view *view,
     int64_t horizon_ms, struct dcp_standing *out, struct dcp_error *err)
{
    int64_t from_ms = dcp_planning_start_ms(view->now_ms);
    struct dcp_standing_slots slots;

    dcp_slot_range(p->learned, from_ms, from_ms + horizon_ms / SOON,
                   &slots.first, &slots.soon);
    dcp_slot_range(p->learned, from_ms, from_ms + horizon_ms, &slots.first,
                   &slots.last);
    return dcp_standing_look(view->inventory, p->learned, view->placement,
                             slots, out, err);
}

static bool
stands(struct solver_policy *p, const struct dcp_sim *sim,
       const struct dcp_sim_view *view, bool *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = view->inventory;
    int64_t horizon_ms = dcp_planning_horizon_ms(inv);
    bool over = was_over(p, sim, view);
    bool old = !p->learned || over || view->now_ms >= p->plan_again_ms;
    bool fresh = old || view->now_ms >= p->learn_again_ms;
    struct dcp_standing now;

    if ((fresh && !learn(p, view->now_ms, err)) ||
        !look(p, view, horizon_ms, &now, err)) {
        return false;
    }
    double fewer = (double)p->answered.hosts_at_least - now.hosts_at_least;

    *out = !old && now.fullest_frac <= fmax(1, p->answered.fullest_frac) &&
           (fewer < 1 ||
            fewer < inv->policy.min_gain_frac * p->answered.hosts_at_least);
    if (!*out) {
        p->answered = now;
        p->plan_again_ms = view->now_ms + longer_ms(p, view->now_ms);
    }
    return true;
}

/* --- The policy --------------------------------------------------------- */

/* The model's hosts, of which those that are broken are in maintenance; NULL:
 * no memory. */
static struct dcp_host *
hosts_now(const struct dcp_sim_view *view, struct dcp_error *err)
{
    const struct dcp_inventory *inv = view->inventory;
    struct dcp_host *hosts = malloc((inv->n_hosts + 1u) * sizeof *hosts);

    if (!hosts) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        hosts[h] = inv->hosts[h];
        if (view->unfit && view->unfit[h]) {
            hosts[h].state = DCP_HOST_MAINTENANCE;
        }
    }
    return hosts;
}

static bool
plan(const struct solver_policy *p, const struct dcp_sim_view *view,
     struct dcp_wishes *out, struct dcp_error *err)
{
    DCP_FREE struct dcp_host *hosts = hosts_now(view, err);
    struct dcp_inventory inv = *view->inventory;
    struct dcp_context now = *p->context;
    struct dcp_replan_options o;
    const char *status;

    if (!hosts) {
        return false;
    }
    inv.hosts = hosts;
    now.model.inventory = &inv;

    dcp_replan_options_default(&o);
    o.after_ms = view->now_ms;
    o.history_until_ms = view->now_ms;
    o.max_moves = p->max_moves;
    o.learned = p->learned;
    o.time_limit_s = dcp_globals_limit_s(p->globals, TIME_LIMIT_S);
    return dcp_replan(p->globals, &now, view->placement, &o, &out->plan,
                      &status, err);
}

static bool
decide(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
       struct dcp_wishes *out, struct dcp_error *err)
{
    struct solver_policy *p = (struct solver_policy *)policy;
    struct dcp_sim_view view = dcp_sim_view(sim);

    if (is_down(p, &view)) {
        return true;
    }
    if (p->anew ? p->learner && !learn(p, view.now_ms, err)
                : !stands(p, sim, &view, &out->stands, err)) {
        return false;
    }
    p->n_past = view.n_past;
    if (!out->stands && !plan(p, &view, out, err)) {
        return false;
    }
    if (out->plan) {
        p->answered.fullest_frac = 1; /* Not what it was before the plan. */
    }
    return true;
}

static void
destroy(struct dcp_sim_policy *policy)
{
    struct solver_policy *p = (struct solver_policy *)policy;

    dcp_demand_destroy(p->learned);
    dcp_learner_destroy(p->learner);
    free(p);
}

static const struct dcp_sim_policy_ops ops = { "solver",
                                               "what consolidate would plan",
                                               decide, destroy };

/* Days that are drawn are learned as time passes, at every question by the one
 * that plans anew. */
static bool
see(struct solver_policy *p, const char *text, const struct dcp_samples *drawn,
    struct dcp_error *err)
{
    if (p->context->store && !make_learner(p, err)) {
        return false;
    }
    if (!p->learner) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--bootstrap: in this model %s learns from all samples "
                        "of the store at each question (policy.overload, or "
                        "measured disks in pools), not from days that are "
                        "drawn",
                        text);
    }
    if (drawn->n_times) {
        dcp_learner_see(p->learner, drawn);
    }
    return true;
}

struct dcp_sim_policy *
dcp_policy_solver(const struct dcp_globals *g, struct dcp_context *c,
                  const char *text, const struct dcp_samples *drawn,
                  struct dcp_error *err)
{
    const char *colon = strchr(text, ':');
    const char *param = colon ? colon + 1 : NULL;
    double max_moves = 0;

    if (param && (!dcp_policy_number(param, NULL, 1, 1e9, &max_moves) ||
                  max_moves != floor(max_moves))) {
        (void)dcp_fail(err, DCP_E_USAGE, "--policy %s: not a number of moves",
                       text);
        return NULL;
    }
    struct solver_policy *p = malloc(sizeof *p);

    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *p = (struct solver_policy){ .base.ops = &ops,
                                 .globals = g,
                                 .context = c,
                                 .max_moves = (uint64_t)max_moves,
                                 .anew = !strncmp(text, "solver-anew", 11) ||
                                         c->model.inventory->policy.overload };
    if (drawn && !see(p, text, drawn, err)) {
        destroy(&p->base);
        return NULL;
    }
    return &p->base;
}
