/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a search tells while it runs: values that fall to the answer's, the
 * same answer whether anybody listens, a stop at the gap that is asked for,
 * and at the deadline. */

#include "solver/solver.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <math.h>

enum { HOSTS = 24, VMS = 96, TOLD_MAX = 256 };

struct told {
    struct dcp_progress all[TOLD_MAX];
    uint32_t n;
};

static void
note(const struct dcp_progress *p, void *context)
{
    struct told *t = context;

    ck_assert_uint_lt(t->n, TOLD_MAX);
    t->all[t->n++] = *p;
}

/* VMs of many sizes, scattered; any one host may be lost. */
static struct world
scattered(void)
{
    struct world w = world_make(HOSTS, VMS);

    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = v % HOSTS;
        world_need(&w, v, 300 + v * 7919 % 1900);
    }
    w.inv->policy.survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    w.inv->policy.n_survive = 1;
    return w;
}

static struct dcp_solution
solve(struct world *w, struct dcp_solve_options o)
{
    struct dcp_placement *start = dcp_placement_start(w->inv, NULL);
    const struct dcp_question q = {
        .inventory = w->inv,
        .demand = &w->demand,
        .last_slot = WORLD_SLOTS,
        .start = start,
        .may_wake = true,
        .may_empty = true,
        .headroom = true,
    };
    struct dcp_solution s;
    struct dcp_error err = { 0 };

    o.seed = 1;
    ck_assert_msg(dcp_solve(&q, &o, &s, &err), "%s", err.message);
    dcp_placement_destroy(start);
    return s;
}

START_TEST(values_fall_to_the_answer)
{
    struct world w = scattered();
    struct told t = { .n = 0 };
    struct dcp_solve_options o = {
        .iterations = 300,
        .observer = { note, &t, "night", "hosts" },
    };
    struct dcp_solution heard = solve(&w, o);

    o.observer = (struct dcp_observer){ NULL, NULL, NULL, NULL };
    struct dcp_solution unheard = solve(&w, o);

    ck_assert_uint_gt(t.n, 1);
    for (uint32_t k = 0; k < t.n; k++) {
        const struct dcp_progress *p = &t.all[k];

        ck_assert_str_eq(p->part, "night");
        ck_assert_str_eq(p->unit, "hosts");
        ck_assert_double_le(p->bound, p->value);
        ck_assert_double_eq_tol(p->gap_frac, (p->value - p->bound) / p->value,
                                1e-12);
        ck_assert_double_ge(p->seconds, k ? p[-1].seconds : 0);
        ck_assert(!k || p->value < p[-1].value || p->bound > p[-1].bound);
    }
    ck_assert_double_eq(t.all[t.n - 1].value, heard.value);
    ck_assert_double_eq(heard.value, unheard.value);
    ck_assert_mem_eq(heard.placement->host, unheard.placement->host,
                     VMS * sizeof *heard.placement->host);
    ck_assert_mem_eq(heard.placement->on, unheard.placement->on, HOSTS);
    dcp_solution_finish(&heard);
    dcp_solution_finish(&unheard);
    world_free(&w);
}
END_TEST

START_TEST(a_gap_stops_it)
{
    struct world w = scattered();
    struct told t = { .n = 0 };
    struct dcp_solution s = solve(
        &w, (struct dcp_solve_options){ .iterations = 300,
                                        .gap_frac = 0.3,
                                        .observer = { note, &t, "", "" } });

    ck_assert_int_eq(s.stopped_by, DCP_STOPPED_GAP);
    ck_assert_double_le((s.value - s.bound) / s.value, 0.3 + 1e-9);
    /* It stopped at the first that was near enough. */
    ck_assert_uint_gt(t.n, 1);
    ck_assert_double_gt(t.all[t.n - 2].gap_frac, 0.3);
    dcp_solution_finish(&s);
    world_free(&w);
}
END_TEST

START_TEST(time_stops_it_with_an_answer)
{
    struct world w = scattered();
    int64_t before_ms = dcp_monotonic_ms();
    struct dcp_solution s =
        solve(&w, (struct dcp_solve_options){ .time_limit_s = 1e-3 });

    /* Much more than it may take: other programs run as well. */
    ck_assert_int_lt(dcp_monotonic_ms() - before_ms, 5000);
    ck_assert_ptr_nonnull(s.placement);
    ck_assert_double_le(s.bound, s.value);
    dcp_solution_finish(&s);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &values_fall_to_the_answer,
        &a_gap_stops_it,
        &time_stops_it_with_an_answer,
    };

    return RUN_TESTS("progress", tests);
}
