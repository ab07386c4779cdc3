/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that contradict each other, or what there is: said to be so, by name,
 * with numbers; and thousands of rules do not take long. */

#include "solver/solver.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <time.h>

static const uint32_t ids[] = { 0, 1, 2, 3 };

static struct dcp_rule
rule_of(enum dcp_rule_kind kind, const char *name, uint32_t n_vms,
        uint32_t n_hosts, uint64_t limit)
{
    return (struct dcp_rule){ .kind = kind,
                              .name = name,
                              .vms = ids,
                              .n_vms = n_vms,
                              .hosts = ids,
                              .n_hosts = n_hosts,
                              .limit = limit };
}

static struct world
four_and_four(void)
{
    struct world w = world_make(4, 4);

    for (uint32_t v = 0; v < 4; v++) {
        w.vms[v].host.ix = v;
    }
    return w;
}

static void
expect_clash(struct world *w, const char *rule, double need, double have)
{
    struct dcp_error err = { 0 };
    struct dcp_solution s;
    struct dcp_solve_options options = { .iterations = 50 };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w->inv, &err);
    struct dcp_question q = { .inventory = w->inv,
                              .demand = &w->demand,
                              .last_slot = w->demand.n_slots,
                              .start = start,
                              .may_wake = true,
                              .may_empty = true };

    ck_assert(dcp_solve(&q, &options, &s, &err));
    if (!rule) {
        ck_assert(s.placement != NULL);
    } else {
        ck_assert_str_eq(dcp_status_name(s.status), "infeasible");
        ck_assert_str_eq(s.because.rule, rule);
        ck_assert(s.because.need == need && s.because.have == have);
    }
    dcp_solution_finish(&s);
    world_free(w);
}

START_TEST(hosts_that_may_not_be_on_are_counted)
{
    struct world w = four_and_four();

    w.rules[0] = rule_of(DCP_RULE_MIN_ON, "up", 0, 4, 4);
    w.inv->n_rules = 1;
    expect_clash(&w, NULL, 0, 0);

    w = four_and_four();
    w.vms[3].host.ix = 2;
    w.hosts[3].state = DCP_HOST_STANDBY;
    w.hosts[3].power_off_allowed = false; /* Stays off. */
    w.rules[0] = rule_of(DCP_RULE_MIN_ON, "up", 0, 4, 4);
    w.inv->n_rules = 1;
    expect_clash(&w, "up", 4, 3);
}
END_TEST

START_TEST(two_rules_about_the_same_hosts_clash)
{
    struct world w = four_and_four();

    w.rules[0] = rule_of(DCP_RULE_MIN_ON, "up", 0, 4, 3);
    w.rules[1] = rule_of(DCP_RULE_MAX_ON, "down", 0, 3, 2);
    w.inv->n_rules = 2; /* Host 3 beside two of the others. */
    expect_clash(&w, NULL, 0, 0);

    w = four_and_four();
    w.rules[0] = rule_of(DCP_RULE_MIN_ON, "up", 0, 4, 3);
    w.rules[1] = rule_of(DCP_RULE_MAX_ON, "down", 0, 3, 1);
    w.inv->n_rules = 2;
    expect_clash(&w, "down", 1, 2);
}
END_TEST

START_TEST(fenced_vms_fill_a_capacity_rule)
{
    struct world w = four_and_four();

    w.rules[0] = rule_of(DCP_RULE_FENCE, "in", 3, 2, 0);
    w.rules[1] = rule_of(DCP_RULE_RUNNING_CAPACITY, "few", 4, 2, 2);
    w.inv->n_rules = 2;
    expect_clash(&w, "few", 3, 2);

    w = four_and_four();
    w.rules[0] = rule_of(DCP_RULE_FENCE, "in", 3, 2, 0);
    w.rules[1] = rule_of(DCP_RULE_RUNNING_CAPACITY, "few", 4, 2, 3);
    w.inv->n_rules = 2;
    expect_clash(&w, NULL, 0, 0);
}
END_TEST

START_TEST(among_ten_thousand_rules_the_one_is_named)
{
    enum { N = 10000 };
    struct world w = four_and_four();
    struct dcp_rule *rules = WORLD_NEW(&w, struct dcp_rule, N + 2);
    struct timespec a, b;

    for (uint32_t r = 0; r < N; r++) {
        rules[r] = r % 2 ? rule_of(DCP_RULE_SPREAD, "apart", 2, 0, 0)
                         : rule_of(DCP_RULE_MAX_SKEW, "even", 4, 4, 2);
    }
    rules[N] = rule_of(DCP_RULE_MIN_ON, "up", 0, 4, 3);
    rules[N + 1] = rule_of(DCP_RULE_MAX_ON, "down", 0, 4, 2);
    w.inv->rules = rules;
    w.inv->n_rules = N + 2;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    expect_clash(&w, "down", 2, 3);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    ck_assert_int_lt(b.tv_sec - a.tv_sec, 3 * DCP_TEST_SLOWNESS);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &hosts_that_may_not_be_on_are_counted,
        &two_rules_about_the_same_hosts_clash,
        &fenced_vms_fill_a_capacity_rule,
        &among_ten_thousand_rules_the_one_is_named,
    };

    return RUN_TESTS("rule_clash", tests);
}
