/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hypervisors by price: the solver against brute force over every placement of
 * tiny models; whole plans against the checker. */

#include "tests/support/conversion_model.h"

static double
measure(const struct brute *b)
{
    const struct dcp_placement *now[] = { b->at };
    double value = 0;

    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        const struct dcp_hardware *hw = &b->inv->hardware[0];
        double cap = dcp_host_capacity(b->inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = 0; b->at->on[h] && t < SLOTS; t++) {
            double mhz = 0;

            for (uint32_t v = 0; v < b->inv->n_vms; v++) {
                mhz += b->at->host[v].ix == h
                           ? b->m->w.cpu_mhz[v * b->m->w.demand.stride + t]
                           : 0;
            }
            value += (dcp_power_at(hw, mhz / cap) - hw->sleep_w) / 1000 * 2;
        }
    }
    for (uint32_t k = 0; k < b->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->inv->licences[k];
        bool by_vm =
            l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;
        struct dcp_licence_need need;

        if (by_vm && !l->guests_free_on_host && !l->of_hypervisor) {
            continue; /* No placement changes it. */
        }
        dcp_licence_count(b->inv, k, now, 1, &need);
        value += need.units * l->price_per_year / 365.25;
    }
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        uint32_t from = kind_of(b, b->m->start->host[v].ix);
        uint32_t to = kind_of(b, b->at->host[v].ix);

        value += from == to ? 0 : way_of(b, v, from, to)->cost / 10;
    }
    return value;
}

static void
try_power(struct brute *b)
{
    uint32_t used = 0, nh = b->inv->n_hosts;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        used |= UINT32_C(1) << b->at->host[v].ix;
    }
    for (uint32_t on = 1; on < UINT32_C(1) << nh; on++) {
        for (uint32_t h = 0; h < nh; h++) {
            b->at->on[h] = on >> h & 1;
        }
        if ((on & used) != used) {
            continue;
        }
        double value = measure(b);

        if (value < b->best - 1e-9 && survives(b)) {
            b->best = value;
            b->n_converted = n_converted(b);
        }
    }
}

static void
try_vms(struct brute *b, uint32_t vm)
{
    if (vm == b->inv->n_vms) {
        try_power(b);
        return;
    }
    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        b->at->host[vm].ix = h;
        if (may_run(b, vm, h) && holds(b, h)) {
            try_vms(b, vm + 1);
        }
    }
    b->at->host[vm].ix = DCP_IX_NONE;
}

static struct brute
brute_force(const struct tiny_model *m)
{
    struct brute b = { .m = m,
                       .inv = m->w.inv,
                       .at = dcp_placement_copy(m->start, NULL),
                       .best = INFINITY };

    for (uint32_t v = 0; v < b.inv->n_vms; v++) {
        b.at->host[v].ix = DCP_IX_NONE;
    }
    try_vms(&b, 0);
    return b;
}

/* --- Against brute force ------------------------------------------------ */

static uint32_t n_by_status[DCP_STATUS_NOTHING_TO_DO + 1], n_best, n_answered;
static uint32_t n_best_converts, n_answers_convert;

static bool
is_answer_right(struct brute *b, const struct dcp_solution *s, char why[WHY])
{
    memcpy(b->at->host, s->placement->host,
           b->inv->n_vms * sizeof *b->at->host);
    memcpy(b->at->on, s->placement->on, b->inv->n_hosts);
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        uint32_t h = b->at->host[v].ix;

        if (!may_run(b, v, h) || !holds(b, h) || !b->at->on[h]) {
            (void)snprintf(why, WHY, "VM %u may not be on host %u", v, h);
            return false;
        }
    }
    double value = measure(b);

    if (fabs(value - s->value) > 1e-6 * fmax(1, fabs(value))) {
        (void)snprintf(why, WHY, "said to be worth %.9g, is %.9g", s->value,
                       value);
        return false;
    }
    n_answers_convert += n_converted(b) > 0;
    (void)snprintf(why, WHY, "survives no loss");
    return survives(b);
}

static bool
is_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solve_options options = { .seed = 1, .iterations = 100 };
    struct dcp_solution solution;
    struct dcp_error err = { 0 };

    ask_of(&m);
    struct brute b = brute_force(&m);
    bool ok = dcp_solve(&m.q, &options, &solution, &err);

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok) {
        (void)snprintf(why, WHY, "%s: value %.9g, bound %.9g, brute %.9g",
                       dcp_status_name(solution.status), solution.value,
                       solution.bound, b.best);
        ok = claims_hold(&solution, b.best);
        n_by_status[solution.status]++;
        n_answered += !isinf(b.best);
        n_best += has_best(&solution, b.best);
        n_best_converts += !isinf(b.best) && b.n_converted > 0;
        if (ok && solution.placement) {
            ok = is_answer_right(&b, &solution, why);
        }
        dcp_solution_finish(&solution);
    }
    dcp_placement_destroy(b.at);
    free_tiny(&m);
    return ok;
}

START_TEST(answers_are_as_brute_force_finds)
{
    try_samples(tiny, is_as_brute_force, part_of(600));
    printf("%u optimal, %u feasible, %u infeasible, %u unanswered; of %u that "
           "have an answer %u have the best; the best converts in %u, the "
           "answer in %u\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_answered, n_best, n_best_converts, n_answers_convert);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_best, n_answered - n_answered / 50);
        ck_assert_uint_ge(n_best_converts, part_of(60));
        ck_assert_uint_ge(n_answers_convert, part_of(60));
    }
}
END_TEST

/* --- Whole plans -------------------------------------------------------- */

static uint32_t n_plans, n_plans_convert, n_limited;

static bool
plan_passes(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan = NULL;
    uint32_t n = 0;

    m.w.inv->policy.conversions_per_plan = s->seed % 3 == 0 ? 1 : 0;
    struct dcp_plan_request r = {
        .inventory = m.w.inv,
        .demand = &m.w.demand,
        .start = m.start,
        .job = s->seed % 4 ? DCP_JOB_CONSOLIDATE : DCP_JOB_EVACUATE,
        .start_ms = WORLD_T0,
        .goals = dcp_goals_single(DCP_GOAL_COST),
        .solve = { .seed = 1, .iterations = 60 },
    };
    bool ok = plan_is_legal(&m, &r, &plan, &outcome, why);

    if (ok && plan) {
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            n += plan->steps[i].converts;
        }
        if (ok && n != outcome.conversions) {
            (void)snprintf(why, WHY, "%u steps convert, %u are said to", n,
                           outcome.conversions);
            ok = false;
        }
        n_plans++;
        n_plans_convert += n > 0;
        n_limited += m.w.inv->policy.conversions_per_plan && n;
    }
    dcp_plan_destroy(plan);
    free_tiny(&m);
    return ok;
}

START_TEST(plans_that_convert_are_legal)
{
    try_samples(tiny, plan_passes, part_of(400));
    printf("%u plans, %u convert, %u of them at most one VM\n", n_plans,
           n_plans_convert, n_limited);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_plans_convert, part_of(30));
        ck_assert_uint_ge(n_limited, part_of(8));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_as_brute_force_finds,
        &plans_that_convert_are_legal,
    };

    return RUN_TESTS("conversions", tests);
}
