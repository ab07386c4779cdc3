/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Items placed by ejection, or by a consistent neighbourhood, are placed
 * legally, what found no place is said to have none, and all of it can be taken
 * back. */

#include "solver/search/consistent.h"
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

static bool
place_by_ejection(struct asked *a, uint64_t *work)
{
    bool all = dcp_homeless_place(&a->homeless, &a->in, 50, 10);

    *work = a->homeless.n_ejections;
    return all;
}

static bool
place_consistently(struct asked *a, uint64_t *work)
{
    struct dcp_consistent_effort effort = { .steps = 200,
                                            .stale_steps = 100,
                                            .hosts_each = 4,
                                            .deadline_ms = INT64_MAX };
    struct dcp_error err = { 0 };
    bool all = false;

    ck_assert_msg(
        dcp_consistent_place(&a->homeless, &a->in, &effort, &all, work, &err),
        "%s", err.message);
    ck_assert_uint_le(*work, effort.steps);
    return all;
}

/* By one of the two, on many models. */
static void
try_many(bool (*place)(struct asked *, uint64_t *))
{
    uint32_t n_placed = 0;
    uint64_t all_work = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sample sample = { seed, 6, 24, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_rng rng = dcp_rng_stream(seed, "eject", 0);
        struct dcp_error err = { 0 };

        ask_world(&a, seed);
        struct dcp_state *was = dcp_state_create(a.p, &err);

        dcp_state_assign(was, a.s);
        clear(&a, &rng);
        uint64_t work = 0;
        bool all = place(&a, &work);

        ck_assert_uint_eq(a.homeless.n, a.s->n_unplaced);
        ck_assert(all == !a.s->n_unplaced);
        check_places(&a);
        n_placed += all;
        all_work += work;
        dcp_trail_undo(&a.in.trail, a.s);
        ck_assert_mem_eq(a.s->host, was->host,
                         a.p->n_items * sizeof *was->host);
        ck_assert_mem_eq(a.s->on, was->on, a.p->n_hosts);
        dcp_state_destroy(was); /* Before its problem. */
        finish(&a);
    }
    ck_assert_uint_gt(n_placed, 20);
    ck_assert_uint_gt(all_work, 100);
}

START_TEST(places_are_legal_and_can_be_taken_back)
{
    try_many(place_by_ejection);
    try_many(place_consistently);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_places)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct sample sample = { seed, 6, 24, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct asked b = { .w = random_model(&sample) };
        struct dcp_rng rng_a = dcp_rng_stream(seed, "eject", 2);
        struct dcp_rng rng_b = rng_a;
        uint64_t work_a = 0, work_b = 0;

        ask_world(&a, seed);
        ask_world(&b, seed);
        clear(&a, &rng_a);
        clear(&b, &rng_b);
        ck_assert(place_consistently(&a, &work_a) ==
                  place_consistently(&b, &work_b));
        ck_assert_uint_eq(work_a, work_b);
        ck_assert_mem_eq(a.s->host, b.s->host,
                         a.p->n_items * sizeof *a.s->host);
        finish(&a);
        finish(&b);
    }
}
END_TEST

/* Two VMs that want memory on one host, two that want CPU on the other: a fifth
 * has no place until they mix. */
START_TEST(hosts_full_of_one_resource_mix)
{
    static const uint32_t mhz[] = { 500, 500, 4800, 4800, 4000 };
    static const uint64_t mib[] = { 48000, 48000, 5000, 5000, 40000 };
    struct asked a = { .w = world_make(2, 5) };
    uint64_t work = 0;

    for (uint32_t v = 0; v < 5; v++) {
        world_need(&a.w, v, mhz[v]);
        a.w.vms[v].mem_mib = mib[v];
        a.w.vms[v].host.ix = v < 4 ? v / 2 : 0;
    }
    ask_world(&a, 1);
    dcp_insert_remove(&a.in, a.p->item_of_vm[4]);
    ck_assert_uint_eq(dcp_insert_best_host(&a.in, a.p->item_of_vm[4]),
                      DCP_IX_NONE);
    dcp_homeless_add(&a.homeless, a.p->item_of_vm[4]);
    ck_assert(place_consistently(&a, &work));
    check_places(&a);
    ck_assert_uint_eq(a.s->n_unplaced, 0);
    ck_assert_uint_gt(work, 0);
    finish(&a);
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
        &the_same_seed_gives_the_same_places,
        &hosts_full_of_one_resource_mix,
        &room_is_made_for_a_restart,
    };

    return RUN_TESTS("solver_eject", tests);
}
