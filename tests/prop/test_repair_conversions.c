/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Repairs and balancing that give VMs another hypervisor: the fewest moves and
 * conversions by brute force over every placement of tiny models; all plans by
 * the checker. */

#include "tests/support/conversion_model.h"

/* --- Repairs ------------------------------------------------------------ */

/* The fewest moves to a legal end with at most 'most' conversions. */
struct fewest {
    struct brute b;
    uint32_t most_conversions, best, best_converts; /* UINT32_MAX: none. */
};

static void
fewest_power(struct fewest *f, uint32_t moves, uint32_t converts)
{
    const struct dcp_inventory *inv = f->b.inv;
    uint32_t used = 0, was = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        used |= UINT32_C(1) << f->b.at->host[v].ix;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        was |= (uint32_t)f->b.m->start->on[h] << h;
    }
    for (uint32_t on = 1; on < UINT32_C(1) << inv->n_hosts; on++) {
        if ((on & used) != used || (on & was) != was) {
            continue; /* A repair empties nothing. */
        }
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            f->b.at->on[h] = on >> h & 1;
        }
        if (survives(&f->b)) {
            f->best_converts = moves < f->best || converts < f->best_converts
                                   ? converts
                                   : f->best_converts;
            f->best = moves;
            return;
        }
    }
}

static void
fewest_from(struct fewest *f, uint32_t vm, uint32_t moves, uint32_t converts)
{
    struct brute *b = &f->b;

    if (moves > f->best || converts > f->most_conversions) {
        return;
    }
    if (vm == b->inv->n_vms) {
        fewest_power(f, moves, converts);
        return;
    }
    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        uint32_t was = b->m->start->host[vm].ix;

        b->at->host[vm].ix = h;
        if (may_run(b, vm, h) && (h != was || moves <= f->best) &&
            holds(b, h)) {
            fewest_from(f, vm + 1, moves + (h != was),
                        converts + (kind_of(b, h) != kind_of(b, was)));
        }
    }
    b->at->host[vm].ix = DCP_IX_NONE;
}

static struct fewest
fewest_moves(const struct tiny_model *m, uint32_t most_conversions)
{
    struct fewest f = { .b = { .m = m,
                               .inv = m->w.inv,
                               .at = dcp_placement_copy(m->start, NULL) },
                        .most_conversions = most_conversions,
                        .best = UINT32_MAX,
                        .best_converts = UINT32_MAX };

    for (uint32_t v = 0; v < f.b.inv->n_vms; v++) {
        f.b.at->host[v].ix = DCP_IX_NONE;
    }
    fewest_from(&f, 0, 0, 0);
    dcp_placement_destroy(f.b.at);
    return f;
}

static uint32_t n_repairs, n_need, n_need_found, n_least, n_cheaper;

static bool
judge_repair(const struct tiny_model *m, const struct dcp_plan_outcome *o,
             bool has_plan, char why[WHY])
{
    struct fewest plain = fewest_moves(m, 0);
    struct fewest any = fewest_moves(m, UINT32_MAX);
    bool needs = plain.best == UINT32_MAX && any.best != UINT32_MAX;
    double least = any.best == UINT32_MAX ? INFINITY : any.best;

    (void)snprintf(why, WHY,
                   "%s, %u moves, %u converted, bound %g; least %g, "
                   "without conversions %u: %s",
                   dcp_status_name(o->status), o->moves, o->conversions,
                   o->lower_bound, least, plain.best, o->because.text);
    n_repairs += has_plan;
    n_need += needs;
    if (o->status == DCP_STATUS_INFEASIBLE && !isinf(least)) {
        return false;
    }
    if (!has_plan) {
        return o->status != DCP_STATUS_NOTHING_TO_DO || least == 0;
    }
    if (o->conversions) {
        n_need_found += needs;
        n_cheaper += !needs;
        for (uint32_t k = 0; needs && o->conversions > k && k < m->w.inv->n_vms;
             k++) {
            if (fewest_moves(m, k).best != UINT32_MAX) {
                n_least--;
                break;
            }
        }
        n_least += needs;
    }
    /* A conversion where there is an answer without must be cheaper; what of
     * it can be told here is that it moves no more. */
    return o->after >= least && o->lower_bound <= least &&
           (o->status != DCP_STATUS_OPTIMAL || o->after <= least ||
            m->w.inv->policy.conversions_for);
}

static bool
repair_converts_last(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan = NULL;
    struct dcp_check_result found;
    struct dcp_error err = { 0 };
    struct dcp_rng rng = dcp_rng_stream(s->seed, "repair", 0);

    for (uint32_t h = 0; h < s->n_hosts; h++) {
        if (chance(&rng, 25)) {
            m.w.hosts[h].state = DCP_HOST_MAINTENANCE;
        }
    }
    dcp_placement_destroy(m.start);
    m.start = dcp_placement_start(m.w.inv, NULL);
    m.q.headroom = m.w.inv->policy.n_survive > 0;
    struct dcp_plan_request r = {
        .inventory = m.w.inv,
        .demand = &m.w.demand,
        .start = m.start,
        .job = DCP_JOB_REPAIR,
        .start_ms = WORLD_T0,
        .goals = dcp_goals_single(DCP_GOAL_MOVES),
        .solve = { .seed = 1, .iterations = 60 },
    };
    if (s->seed % 3 == 0) {
        r.goals.level[1] = dcp_goals_single(DCP_GOAL_COST).level[0];
        r.goals.n_levels = 2;
    }
    bool ok = dcp_plan_make(&r, &plan, &outcome, &err);

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok && plan) {
        plan->lineage = m.w.inv->lineage;
        memcpy(plan->model_digest, m.w.inv->digest, sizeof plan->model_digest);
        ok = dcp_check_plan(m.w.inv, &m.w.demand, plan, &found, &err) &&
             says(&found, why);
        dcp_check_result_finish(&found);
    }
    ok = ok && judge_repair(&m, &outcome, plan, why);
    dcp_plan_destroy(plan);
    free_tiny(&m);
    return ok;
}

START_TEST(repairs_convert_where_nothing_else_helps)
{
    try_samples(tiny, repair_converts_last, 600);
    printf("%u repairs; %u need a conversion, %u of them found, %u with the "
           "fewest; %u convert because that is cheaper\n",
           n_repairs, n_need, n_need_found, n_least, n_cheaper);
}
END_TEST

/* --- Balancing ---------------------------------------------------------- */

static uint32_t n_balanced, n_balanced_convert;

static bool
balance_converts(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan = NULL;
    struct dcp_check_result found;
    struct dcp_error err = { 0 };
    bool may = s->seed % 4;

    m.w.inv->policy.conversions_for = may ? DCP_CONVERT_BALANCE : 0;
    m.w.inv->policy.conversions_per_plan = s->seed % 3 == 0 ? 1 : 0;
    m.w.inv->policy.min_gain_frac = 0.01;
    struct dcp_plan_request r = {
        .inventory = m.w.inv,
        .demand = &m.w.demand,
        .start = m.start,
        .job = DCP_JOB_BALANCE,
        .start_ms = WORLD_T0,
        .goals = dcp_goals_single(DCP_GOAL_BALANCE),
        .solve = { .seed = 1, .iterations = 2000 },
    };
    bool ok = dcp_plan_make(&r, &plan, &outcome, &err);

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok && plan) {
        plan->lineage = m.w.inv->lineage;
        memcpy(plan->model_digest, m.w.inv->digest, sizeof plan->model_digest);
        ok = dcp_check_plan(m.w.inv, &m.w.demand, plan, &found, &err) &&
             says(&found, why);
        dcp_check_result_finish(&found);
        n_balanced++;
        n_balanced_convert += outcome.conversions > 0;
        if (ok && outcome.conversions && !may) {
            ok = false;
            (void)snprintf(why, WHY, "%u conversions that nobody allowed",
                           outcome.conversions);
        }
        if (ok && outcome.lower_bound > outcome.after + 1e-9) {
            ok = false;
            (void)snprintf(why, WHY, "bound %g above %g", outcome.lower_bound,
                           outcome.after);
        }
    }
    dcp_plan_destroy(plan);
    free_tiny(&m);
    return ok;
}

START_TEST(balancing_converts_where_policy_says_so)
{
    try_samples(tiny, balance_converts, 300);
    printf("%u plans, %u convert\n", n_balanced, n_balanced_convert);
    ck_assert_uint_gt(n_balanced_convert, 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &repairs_convert_where_nothing_else_helps,
        &balancing_converts_where_policy_says_so,
    };

    return RUN_TESTS("repair conversions", tests);
}
