/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The solver against brute force on tiny models: every placement of every
 * item, with every set of hosts on, and every way to restart after each loss.
 * What is said to be optimal is the optimum, no bound is above it, and what is
 * said to be infeasible has no answer. */

#include "solver/bound/terms.h"
#include "tests/support/brute_force.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u),
                            .n_rules = draw(&rng, 4) };
}

/* --- Properties --------------------------------------------------------- */

static uint32_t n_by_status[DCP_STATUS_NOTHING_TO_DO + 1], n_missed, n_terms;

static bool
solve(const struct tiny_model *m, struct dcp_solution *out, char why[WHY])
{
    struct dcp_solve_options options = { .seed = 1,
                                         .iterations = 200,
                                         .time_limit_s = 10 };
    struct dcp_error err = { 0 };

    if (!dcp_solve(&m->q, &options, out, &err)) {
        (void)snprintf(why, WHY, "solver: %s", err.message);
        return false;
    }
    return true;
}

static bool
agrees(const struct tiny_model *m, const struct dcp_solution *s,
       const struct brute *b)
{
    bool by_value = m->q.host_on_value;
    double least = by_value ? b->best : b->fewest;
    double slack = 1e-6 * fmax(1, fabs(least));

    switch (s->status) {
    case DCP_STATUS_OPTIMAL:
        return fabs(s->value - least) <= slack && s->bound <= least + slack &&
               s->hosts_lower_bound <= b->fewest;
    case DCP_STATUS_FEASIBLE:
        return (s->over_watts || s->value >= least - slack) &&
               s->bound <= least + slack && s->hosts_lower_bound <= b->fewest;
    case DCP_STATUS_INFEASIBLE:
        return isinf(least);
    case DCP_STATUS_TIMEOUT: /* Nothing is claimed. */
        return true;
    case DCP_STATUS_NOTHING_TO_DO:
        break;
    }
    return false;
}

/* Each reason why fewer hosts are impossible, alone. */
static bool
terms_hold(const struct tiny_model *m, const struct brute *b, char why[WHY])
{
    struct dcp_bound_terms terms;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&m->q, &err);

    ck_assert_msg(p && dcp_bound_terms_count(p, &terms, &err), "%s",
                  err.message);
    for (uint32_t i = 0; i < terms.n; i++) {
        if (terms.term[i].hosts > b->fewest) {
            (void)snprintf(why, WHY, "%s: %u hosts at least, %g do",
                           terms.term[i].name, terms.term[i].hosts, b->fewest);
            return false;
        }
    }
    n_terms += terms.n;
    return true;
}

static bool
compare(struct tiny_model m, const struct sample *s, char why[WHY])
{
    struct dcp_solution solution;

    ask_of(&m, s->seed % 2);
    struct brute b = brute_force(&m);
    bool ok = solve(&m, &solution, why);

    if (ok) {
        ok = agrees(&m, &solution, &b);
        n_by_status[solution.status]++;
        n_missed += solution.status == DCP_STATUS_TIMEOUT && !isinf(b.best);
        (void)snprintf(why, WHY,
                       "%s %s: value %g, bound %g, at least %u hosts; brute "
                       "force %g, %g hosts",
                       dcp_status_name(solution.status), solution.because.text,
                       solution.value, solution.bound,
                       solution.hosts_lower_bound, b.best, b.fewest);
        dcp_solution_finish(&solution);
        ok = ok && terms_hold(&m, &b, why);
    }
    free_tiny(&m);
    return ok;
}

static bool
is_as_brute_force(const struct sample *s, char why[WHY])
{
    return compare(make_tiny(s), s, why);
}

/* All rules are hard spread rules over hosts that hold after a loss as well;
 * any one host may be lost. */
static bool
spread_is_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_policy *policy = &m.w.inv->policy;

    for (uint32_t r = 0; r < s->n_rules; r++) {
        struct dcp_rule *rule = &m.w.rules[r];
        struct dcp_rng rng = dcp_rng_stream(s->seed, "spread", r);
        const char *name = rule->name;

        *rule = (struct dcp_rule){ .kind = DCP_RULE_SPREAD, .name = name };
        rule->n_vms =
            random_subset(&m.w, &rng, 2 + draw(&rng, 2), s->n_vms, &rule->vms);
    }
    policy->relax_rules = 0;
    policy->survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    policy->n_survive = 1;
    return compare(m, s, why);
}

/* Two hosts may be lost at once; or a rack, and any host. */
static bool
several_losses_are_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_policy *policy = &m.w.inv->policy;

    policy->survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 2 };
    policy->n_survive = 1;
    if (s->seed % 3 == 0) {
        policy->survive[0] = (struct dcp_loss){ DCP_LOSS_RACK, 1 };
        policy->survive[1] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
        policy->n_survive = 2;
    } else if (s->seed % 3 == 1) {
        for (uint32_t v = 0; v < s->n_vms; v++) { /* Else few have answers. */
            m.w.vms[v].mem_mib = (m.w.vms[v].mem_mib + 1) / 2;
        }
    }
    return compare(m, s, why);
}

START_TEST(several_losses_at_once)
{
    memset(n_by_status, 0, sizeof n_by_status);
    n_missed = 0;
    try_samples(tiny, several_losses_are_as_brute_force, part_of(1000));
    printf("losses: %u optimal, %u feasible, %u infeasible, %u unanswered (%u "
           "of them had an answer)\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_missed);
}
END_TEST

START_TEST(spread_with_n_plus_one_and_power_off)
{
    try_samples(tiny, spread_is_as_brute_force, part_of(500));
}
END_TEST

START_TEST(answers_are_as_brute_force_finds)
{
    try_samples(tiny, is_as_brute_force, part_of(1500));
    printf("%u optimal, %u feasible, %u infeasible, %u unanswered (%u of them "
           "had an answer); %u terms of bounds\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_missed, n_terms);
    ck_assert_uint_le(n_missed, 30);
}
END_TEST

/* All hosts get half as much again of everything. */
static bool
larger_hosts_cost_no_more(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solution before, after;

    ask_of(&m, false);
    if (!solve(&m, &before, why)) {
        return false;
    }
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        m.w.hardware[i].cores_per_socket +=
            m.w.hardware[i].cores_per_socket / 2;
        m.w.hardware[i].mem_mib += m.w.hardware[i].mem_mib / 2;
    }
    bool ok = solve(&m, &after, why);
    bool solved = before.status == DCP_STATUS_OPTIMAL;

    if (ok && solved &&
        (after.status == DCP_STATUS_INFEASIBLE ||
         (after.status == DCP_STATUS_OPTIMAL && after.value > before.value))) {
        (void)snprintf(why, WHY, "%g hosts, then %s with %g", before.value,
                       dcp_status_name(after.status), after.value);
        ok = false;
    }
    dcp_solution_finish(&before);
    dcp_solution_finish(&after);
    free_tiny(&m);
    return ok;
}

START_TEST(more_capacity_is_never_worse)
{
    try_samples(tiny, larger_hosts_cost_no_more, part_of(400));
}
END_TEST

/* --- Order of the tables ------------------------------------------------ */

static void
renumber(uint32_t *ids, uint32_t n, uint32_t n_all)
{
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = n_all - 1 - ids[i];
    }
    if (n) {
        qsort(ids, n, sizeof *ids, random_compare);
    }
}

/* The same model with VMs and hosts listed the other way round. */
static void
reverse(struct tiny_model *m)
{
    struct dcp_inventory *inv = m->w.inv;
    uint32_t nh = inv->n_hosts, nv = inv->n_vms, stride = m->w.demand.stride;

    for (uint32_t h = 0; h < nh / 2; h++) {
        struct dcp_host host = m->w.hosts[h];

        m->w.hosts[h] = m->w.hosts[nh - 1 - h];
        m->w.hosts[nh - 1 - h] = host;
    }
    for (uint32_t v = 0; v < nv / 2; v++) {
        struct dcp_vm vm = m->w.vms[v];

        m->w.vms[v] = m->w.vms[nv - 1 - v];
        m->w.vms[nv - 1 - v] = vm;
        random_joint_swap(&m->w, v, nv - 1 - v);
        for (uint32_t t = 0; t < stride; t++) {
            uint32_t *a = &m->w.cpu_mhz[v * stride + t];
            uint32_t *b = &m->w.cpu_mhz[(nv - 1 - v) * stride + t];
            uint32_t mhz = *a;

            *a = *b;
            *b = mhz;
        }
    }
    for (uint32_t v = 0; v < nv; v++) {
        m->w.vms[v].host.ix = nh - 1 - m->w.vms[v].host.ix;
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        struct dcp_rule *rule = &m->w.rules[r];

        renumber((uint32_t *)(size_t)rule->vms, rule->n_vms, nv);
        renumber((uint32_t *)(size_t)rule->others, rule->n_others, nv);
        renumber((uint32_t *)(size_t)rule->hosts, rule->n_hosts, nh);
        for (uint32_t k = 0; k < rule->n_sets; k++) {
            renumber((uint32_t *)(size_t)rule->sets[k].ids.ix,
                     rule->sets[k].ids.n,
                     rule->kind == DCP_RULE_AMONG ? nh : nv);
        }
    }
    dcp_placement_destroy(m->start);
    m->start = dcp_placement_start(inv, NULL);
}

static bool
order_does_not_matter(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solution a, b;

    ask_of(&m, false);
    if (!solve(&m, &a, why)) {
        return false;
    }
    reverse(&m);
    ask_of(&m, false);
    bool ok = solve(&m, &b, why);
    bool contradicts = (a.status == DCP_STATUS_INFEASIBLE && b.placement) ||
                       (b.status == DCP_STATUS_INFEASIBLE && a.placement) ||
                       (a.status == DCP_STATUS_OPTIMAL &&
                        b.status == DCP_STATUS_OPTIMAL && a.value != b.value);

    if (ok && contradicts) {
        (void)snprintf(why, WHY, "%s %g, in the other order %s %g",
                       dcp_status_name(a.status), a.value,
                       dcp_status_name(b.status), b.value);
        ok = false;
    }
    dcp_solution_finish(&a);
    dcp_solution_finish(&b);
    free_tiny(&m);
    return ok;
}

START_TEST(order_of_the_tables_does_not_matter)
{
    try_samples(tiny, order_does_not_matter, part_of(400));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_as_brute_force_finds,
        &spread_with_n_plus_one_and_power_off,
        &several_losses_at_once,
        &more_capacity_is_never_worse,
        &order_of_the_tables_does_not_matter,
    };

    return RUN_TESTS("solver_optimal", tests);
}
