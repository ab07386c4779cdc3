/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules about how many hosts may be on, where the start has more. */

#include "solver/solver.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

/* Six hosts on with two VMs each, of a third of a host's memory. */
static struct world
half_empty(uint64_t limit)
{
    static const uint32_t hosts[] = { 0, 1, 2, 3, 4, 5 };
    struct world w = world_make(6, 12);

    for (uint32_t v = 0; v < 12; v++) {
        w.vms[v].host.ix = v / 2;
        w.vms[v].mem_mib = (uint64_t)(w.hardware[0].mem_mib * 0.27);
    }
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_MAX_ON,
                                    .name = "few",
                                    .hold = DCP_HOLD_END,
                                    .hosts = hosts,
                                    .n_hosts = 6,
                                    .limit = limit };
    w.inv->n_rules = 1;
    return w;
}

static void
solve(struct world *w, struct dcp_solution *out)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w->inv, NULL);
    struct dcp_question q = { .inventory = w->inv,
                              .demand = &w->demand,
                              .last_slot = w->demand.n_slots,
                              .start = start,
                              .may_wake = true,
                              .may_empty = true };
    struct dcp_solve_options o = { .seed = 1, .iterations = 100 };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_solve(&q, &o, out, &err), "%s", err.message);
}

START_TEST(as_many_as_are_needed_is_an_answer)
{
    struct world w = half_empty(4);
    struct dcp_solution s;

    solve(&w, &s);
    ck_assert_ptr_nonnull(s.placement);
    ck_assert_uint_le(dcp_placement_n_on(s.placement), 4);
    dcp_solution_finish(&s);
    world_free(&w);
}
END_TEST

START_TEST(fewer_than_are_needed_is_proved_to_be_none)
{
    struct world w = half_empty(3);
    struct dcp_solution s;

    solve(&w, &s);
    ck_assert_ptr_null(s.placement);
    ck_assert_int_eq(s.status, DCP_STATUS_INFEASIBLE);
    ck_assert_str_eq(s.because.rule, "max_on");
    ck_assert_str_eq(s.because.object, "rule:few");
    ck_assert_double_eq(s.because.need, 4);
    ck_assert_double_eq(s.because.have, 3);
    dcp_solution_finish(&s);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &as_many_as_are_needed_is_an_answer,
        &fewer_than_are_needed_is_proved_to_be_none,
    };

    return RUN_TESTS("solver_max_on", tests);
}
