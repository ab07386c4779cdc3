/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Items placed by ejection are placed legally, what found no place is said to
 * have none, and all of it can be taken back. */

#include "solver/eject.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    struct dcp_inserter in;
    struct dcp_homeless homeless;
};

static void
ask_world(struct asked *a, uint64_t seed)
{
    struct dcp_error err = { 0 };

    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
    a->p = problem_of(&a->q);
    a->s = state_of(a->p);
    ck_assert(dcp_inserter_init(&a->in, a->s, seed, &err));
    ck_assert(dcp_homeless_init(&a->homeless, a->p, &err));
}

static void
finish(struct asked *a)
{
    dcp_homeless_finish(&a->homeless);
    dcp_inserter_finish(&a->in);
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

/* Takes all items off and switches some hosts off. */
static void
clear(struct asked *a, struct dcp_rng *rng)
{
    for (uint32_t h = 0; h < a->p->n_hosts; h++) {
        if (chance(rng, 30)) {
            dcp_insert_power(&a->in, h, false);
        }
    }
    for (uint32_t i = 0; i < a->p->n_items; i++) {
        if (a->s->host[i] != DCP_IX_NONE) {
            dcp_insert_remove(&a->in, i);
        }
        dcp_homeless_add(&a->homeless, i);
    }
}

static void
check_places(struct asked *a)
{
    for (uint32_t i = 0; i < a->p->n_items; i++) {
        uint32_t h = a->s->host[i];

        if (h != DCP_IX_NONE) {
            ck_assert(a->s->on[h]);
            dcp_state_remove(a->s, i);
            ck_assert(dcp_state_fits(a->s, i, h));
            ck_assert(dcp_state_allowed(a->s, i, h));
            dcp_state_place(a->s, i, h);
        }
    }
}

START_TEST(places_are_legal_and_can_be_taken_back)
{
    uint32_t n_placed = 0, n_ejections = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sample sample = { seed, 6, 24, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_rng rng = dcp_rng_stream(seed, "eject", 0);
        struct dcp_error err = { 0 };

        ask_world(&a, seed);
        struct dcp_state *was = dcp_state_create(a.p, &err);

        dcp_state_assign(was, a.s);
        clear(&a, &rng);
        bool all = dcp_homeless_place(&a.homeless, &a.in, 50, 10);

        ck_assert_uint_eq(a.homeless.n, a.s->n_unplaced);
        ck_assert(all == !a.s->n_unplaced);
        check_places(&a);
        n_placed += all;
        n_ejections += (uint32_t)a.homeless.n_ejections;
        dcp_trail_undo(&a.in.trail, a.s);
        ck_assert_mem_eq(a.s->host, was->host,
                         a.p->n_items * sizeof *was->host);
        ck_assert_mem_eq(a.s->on, was->on, a.p->n_hosts);
        dcp_state_destroy(was); /* Before its problem. */
        finish(&a);
    }
    ck_assert_uint_gt(n_placed, 20);
    ck_assert_uint_gt(n_ejections, 100);
}
END_TEST

START_TEST(room_is_made_for_a_restart)
{
    uint32_t n_made = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sample sample = { seed, 6, 24, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_rng rng = dcp_rng_stream(seed, "eject", 1);

        ask_world(&a, seed);
        clear(&a, &rng);
        if (dcp_homeless_place(&a.homeless, &a.in, 50, 10)) {
            uint32_t item = draw(&rng, a.p->n_items), n_fit = 0;
            uint32_t from = a.s->host[item];

            a.in.not_to = from;
            bool made =
                dcp_homeless_make_room(&a.homeless, &a.in, item, 50, 10);

            check_places(&a);
            ck_assert_uint_eq(a.s->host[item], from);
            for (uint32_t h = 0; h < a.p->n_hosts; h++) {
                n_fit += h != from && a.s->on[h] &&
                         dcp_state_fits_full(a.s, item, h) &&
                         dcp_state_restarts(a.s, item, h);
            }
            ck_assert(!made || n_fit);
            n_made += made;
        }
        finish(&a);
    }
    ck_assert_uint_gt(n_made, 5);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &places_are_legal_and_can_be_taken_back,
        &room_is_made_for_a_restart,
    };

    return RUN_TESTS("solver_eject", tests);
}
