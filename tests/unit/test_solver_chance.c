/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.overload in the search: sums per scenario are what a recount gives,
 * the test of room is the count, and opposite peaks share a host. */

#include "solver/solver.h"
#include "tests/support/question.h"
#include "tests/support/random_joint.h"
#include "tests/unit/run_suite.h"

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
};

static struct dcp_problem *
ask(struct asked *a)
{
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
    a->q.vms_apart = true;
    return problem_of(&a->q);
}

static void
finish(struct asked *a)
{
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

/* The state's own view of where VMs are (an item is a VM here). */
static void
places(const struct dcp_state *s, dcp_host_id out[])
{
    for (uint32_t i = 0; i < s->p->n_items; i++) {
        out[i].ix = s->host[i];
    }
}

START_TEST(sums_and_room_are_what_a_recount_gives)
{
    uint32_t n_refused = 0, n_taken = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct sample sample = { seed, 5, 20, 0 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_rng rng = dcp_rng_stream(seed, "changes", 0);
        struct dcp_error err = { 0 };
        dcp_host_id at[20];

        random_joint(&a.w, seed);
        DCP_AUTO(dcp_problem) struct dcp_problem *p = ask(&a);
        DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, &err);

        for (uint32_t k = 0; k < 100; k++) {
            uint32_t vm = draw(&rng, 20), h = draw(&rng, 5);
            bool after_loss = chance(&rng, 30);

            if (s->host[vm] != DCP_IX_NONE) {
                dcp_state_remove(s, vm);
            }
            bool fits = dcp_chance_fits(s->chance, vm, h, after_loss);

            dcp_state_place(s, vm, h);
            places(s, at);
            ck_assert(fits == joint_holds(&a.w, at, h, after_loss));
            ck_assert(dcp_chance_overloaded(s->chance, h) ==
                      !joint_holds(&a.w, at, h, false));
            n_refused += !fits;
            n_taken += fits;
        }
        finish(&a);
    }
    ck_assert_uint_ge(n_refused, 200);
    ck_assert_uint_ge(n_taken, 200);
}
END_TEST

/* Two hosts of 10,000 MHz; two VMs of 3,000 or 7,000 each at opposite times,
 * which by their peaks need a host each. */
START_TEST(opposite_peaks_share_a_host)
{
    static const uint32_t first[WORLD_SLOTS], count[WORLD_SLOTS] = { 4, 4, 4 };
    struct asked a = { .w = world_make(2, 2) };
    struct dcp_solve_options options = { .iterations = 50, .time_limit_s = 5 };
    struct dcp_solution out;
    struct dcp_error err = { 0 };
    uint32_t *rows;

    a.w.inv->policy.overload = true;
    a.w.inv->policy.overload_eps_frac = 0;
    a.w.vms[0].host.ix = 0;
    a.w.vms[1].host.ix = 1;
    a.w.demand.arena = a.w.inv->arena;
    ck_assert(dcp_scenarios_attach(&a.w.demand, first, count, 4, &rows, &err));
    a.w.demand.arena = NULL;
    for (uint32_t v = 0; v < 2; v++) {
        for (uint32_t k = 0; k < 4; k++) {
            rows[v * a.w.demand.scenarios->stride + k] =
                k % 2 == v ? 7000 : 3000;
        }
        world_need(&a.w, v, 5000);
    }
    DCP_AUTO(dcp_problem) struct dcp_problem *p = ask(&a);

    ck_assert_uint_eq(p->chance->n, 4); /* One bucket, three slots. */
    ck_assert_msg(dcp_solve(&a.q, &options, &out, &err), "%s", err.message);
    ck_assert_int_eq(out.status, DCP_STATUS_OPTIMAL);
    ck_assert_uint_eq(dcp_placement_n_on(out.placement), 1);
    dcp_solution_finish(&out);

    /* In step they do not. */
    rows[0] = rows[2] = 3000;
    rows[1] = rows[3] = 7000;
    ck_assert_msg(dcp_solve(&a.q, &options, &out, &err), "%s", err.message);
    ck_assert(out.placement != NULL);
    ck_assert_uint_eq(dcp_placement_n_on(out.placement), 2);
    dcp_solution_finish(&out);

    /* Unless it may be too much more than half of the time: (2 + 1) / (4 + 1). */
    a.w.inv->policy.overload_eps_frac = 0.6;
    ck_assert_msg(dcp_solve(&a.q, &options, &out, &err), "%s", err.message);
    ck_assert(out.placement != NULL);
    ck_assert_uint_eq(dcp_placement_n_on(out.placement), 1);
    dcp_solution_finish(&out);
    finish(&a);
}
END_TEST

/* While VMs move, what either end has in a sample may be there, and no more. */
START_TEST(ends_of_a_leg_limit_what_is_between)
{
    static const uint32_t first[WORLD_SLOTS], count[WORLD_SLOTS] = { 2, 2, 2 };
    struct asked a = { .w = world_make(2, 3) };
    struct dcp_error err = { 0 };
    uint32_t *rows;

    a.w.inv->policy.overload = true;
    a.w.vms[0].host.ix = 0;
    a.w.vms[1].host.ix = a.w.vms[2].host.ix = 1;
    a.w.demand.arena = a.w.inv->arena;
    ck_assert(dcp_scenarios_attach(&a.w.demand, first, count, 2, &rows, &err));
    a.w.demand.arena = NULL;
    for (uint32_t v = 0; v < 3; v++) {
        rows[v * a.w.demand.scenarios->stride] = v ? 6000 : 8000;
        rows[v * a.w.demand.scenarios->stride + 1] = 1000;
    }
    DCP_AUTO(dcp_problem) struct dcp_problem *p = ask(&a);
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, &err);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *to = dcp_placement_copy(a.start, &err);

    to->host[0].ix = 1;
    to->host[1].ix = to->host[2].ix = 0; /* 12,000 at the end. */
    ck_assert(dcp_chance_load_ends(s->chance, to, &err));
    ck_assert(!dcp_chance_fits(s->chance, 1, 0, false)); /* 14,000. */
    ck_assert(!dcp_chance_overloaded(s->chance, 1));     /* As at first. */
    dcp_state_remove(s, 0);
    ck_assert(dcp_chance_fits(s->chance, 1, 0, false));
    dcp_state_remove(s, 1);
    dcp_state_place(s, 1, 0);
    ck_assert(dcp_chance_fits(s->chance, 2, 0, false)); /* 12,000. */
    ck_assert(!dcp_chance_fits(s->chance, 0, 0, false));
    finish(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sums_and_room_are_what_a_recount_gives,
        &opposite_peaks_share_a_host,
        &ends_of_a_leg_limit_what_is_between,
    };

    return RUN_TESTS("solver_chance", tests);
}
