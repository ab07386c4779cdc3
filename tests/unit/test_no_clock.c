/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Where iterations limit a search and no time does, no clock decides anything:
 * with one that leaps at each look bound and answer are the same bytes.  The
 * clocks here are this program's own, in the place of the C library's. */

#define _GNU_SOURCE 1

#include "solver/solver.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SEEDS = 30, LEAP_S = 1000 };

static time_t leaps;
static bool leaping;

int
clock_gettime(clockid_t clock, struct timespec *out)
{
    int r = (int)syscall(SYS_clock_gettime, clock, out);

    leaps += leaping;
    out->tv_sec += LEAP_S * leaps;
    return r;
}

/* GLPK's. */
int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;
    int r = clock_gettime(CLOCK_REALTIME, &t);

    (void)zone;
    *out = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
    return r;
}

static struct dcp_solution
solve(uint64_t seed, enum dcp_goal goal, double time_limit_s)
{
    struct sample sample = { seed, 12, 60, seed % 6 };
    struct world w = random_model(&sample);
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_goals goals = dcp_goals_single(goal);
    struct dcp_goal_terms terms = { .goals = &goals,
                                    .paid_to = w.demand.n_slots };
    struct dcp_question q = question_of(&w, start);
    struct dcp_solve_options options = { .strategy = DCP_STRATEGY_LOCAL,
                                         .seed = seed,
                                         .iterations = 10,
                                         .time_limit_s = time_limit_s };
    struct dcp_solution s;
    struct dcp_error err = { 0 };

    q.headroom = seed % 2;
    q.terms = &terms;
    ck_assert_msg(dcp_solve(&q, &options, &s, &err), "%s", err.message);
    dcp_placement_destroy(start);
    world_free(&w);
    return s;
}

static void
expect_same(const struct dcp_solution *a, const struct dcp_solution *b)
{
    ck_assert_int_eq(a->status, b->status);
    ck_assert_int_eq(a->stopped_by, b->stopped_by);
    ck_assert(!memcmp(&a->value, &b->value, sizeof a->value));
    ck_assert(!memcmp(&a->bound, &b->bound, sizeof a->bound));
    ck_assert_int_eq(a->placement != NULL, b->placement != NULL);
    if (a->placement) {
        ck_assert(!memcmp(a->placement->host, b->placement->host,
                          a->placement->n_vms * sizeof *a->placement->host));
    }
}

START_TEST(a_leaping_clock_changes_nothing)
{
    uint32_t n_struck = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        enum dcp_goal goal = seed % 3 ? DCP_GOAL_ENERGY : DCP_GOAL_HOSTS;
        struct dcp_solution steady = solve(seed, goal, 0);

        leaping = true;
        struct dcp_solution leapt = solve(seed, goal, 0);
        struct dcp_solution limited = solve(seed, goal, 10);

        leaping = false;
        expect_same(&steady, &leapt);
        n_struck += limited.bound < steady.bound;
        dcp_solution_finish(&steady);
        dcp_solution_finish(&leapt);
        dcp_solution_finish(&limited);
    }
    /* A limit, on the other hand, strikes. */
    ck_assert_uint_gt(n_struck, 3);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_leaping_clock_changes_nothing,
    };

    return RUN_TESTS("no_clock", tests);
}
