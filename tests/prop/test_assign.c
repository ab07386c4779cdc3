/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The reassignment engine on small random problems: deltas and sums against the
 * plain recount, hosts shared out anew and the search against all assignments,
 * the bound below them. */

#include "solver/assign/delta.h"
#include "solver/assign/resplit.h"
#include "solver/assign/search.h"
#include "tests/support/in_time.h"
#include "tests/support/properties.h"
#include "tests/support/random_assign.h"

#include <string.h>

enum { N_WALKED = 300, N_STEPS = 120, N_BRUTE = 400 };

#define ANY (INT64_MAX / 2)

struct world {
    struct dcp_arena *arena;
    struct dcp_assign_problem p;
    struct dcp_rng rng;
};

static struct world
make(uint64_t index, struct random_assign size)
{
    struct world w = { .arena = dcp_arena_create(0),
                       .rng = dcp_rng_stream(7, "assign-test", index) };
    struct dcp_error err = { 0 };
    struct dcp_assign_cost cost;

    w.p = random_assign(w.arena, &w.rng, size);
    ck_assert_msg(dcp_assign_check(&w.p, &err), "%s", err.message);
    ck_assert_msg(dcp_assign_measure(&w.p, w.p.start, &cost, &err), "%s",
                  err.message);
    return w;
}

static int64_t
value(const struct dcp_assign_problem *p, const uint32_t at[])
{
    struct dcp_assign_cost cost;

    return dcp_assign_measure(p, at, &cost, NULL) ? cost.total
                                                  : DCP_ASSIGN_ILLEGAL;
}

static uint32_t
n_away(const struct dcp_assign_problem *p, const uint32_t at[])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        n += at[i] != p->start[i];
    }
    return n;
}

/* One random change asked for, counted from nothing, and done if legal. */
static void
step(struct world *w, struct dcp_assign_state *s, uint32_t at[])
{
    uint32_t i = draw(&w->rng, 0, w->p.n_items - 1);
    uint32_t j = draw(&w->rng, 0, w->p.n_items - 1);
    uint32_t a = at[i], b = at[j];
    bool swap = draw(&w->rng, 0, 1);
    int64_t before = value(&w->p, at), delta;

    ck_assert(before != DCP_ASSIGN_ILLEGAL);
    ck_assert_int_eq(before, s->cost);
    if (!swap) {
        b = draw(&w->rng, 0, w->p.n_hosts - 1);
    }
    if (a == b) {
        return;
    }
    delta = swap ? dcp_assign_swap_delta(s, i, j, ANY)
                 : dcp_assign_shift_delta(s, i, b, ANY);
    at[i] = b;
    if (swap) {
        at[j] = a;
    }
    int64_t now = value(&w->p, at);

    if (now == DCP_ASSIGN_ILLEGAL || n_away(&w->p, at) > s->max_moves) {
        ck_assert(delta == DCP_ASSIGN_ILLEGAL);
        at[i] = a;
        at[j] = swap ? b : at[j];
        return;
    }
    ck_assert_int_eq(delta, now - before);

    /* A limit is a promise: what is within it is told exactly. */
    int64_t limit = delta + 2 * w->p.group_move_weight;

    delta = swap ? dcp_assign_swap_delta(s, i, j, limit)
                 : dcp_assign_shift_delta(s, i, b, limit);
    ck_assert_int_eq(delta, now - before);
    ck_assert(dcp_assign_put(s, i, b));
    if (swap) {
        ck_assert(dcp_assign_put(s, j, a));
    }
    ck_assert_int_eq(s->cost, now);
    ck_assert_uint_eq(s->n_moved, n_away(&w->p, at));
}

START_TEST(deltas_are_differences)
{
    for (uint64_t k = 0; k < part_of(N_WALKED); k++) {
        struct world w = make(k, (struct random_assign){ 4, 9, 5 });
        DCP_AUTO(dcp_assign_state) struct dcp_assign_state *s = NULL;
        uint32_t at[9];

        s = dcp_assign_state_create(
            dcp_assign_columns_make(w.arena, &w.p, false, NULL),
            k % 3 ? UINT32_MAX : 4, NULL);
        ck_assert(s != NULL);
        memcpy(at, w.p.start, sizeof at);
        for (uint32_t t = 0; t < N_STEPS; t++) {
            step(&w, s, at);
        }
        dcp_arena_destroy(w.arena);
    }
}
END_TEST

/* Taking off and putting anywhere, legal or not: sums stay sums, and what the
 * state says of the rules is what the recount says. */
START_TEST(states_forget_nothing)
{
    for (uint64_t k = 0; k < part_of(N_WALKED); k++) {
        struct world w = make(k, (struct random_assign){ 3, 8, 4 });
        DCP_AUTO(dcp_assign_state) struct dcp_assign_state *s = NULL;
        uint32_t at[8];

        s = dcp_assign_state_create(
            dcp_assign_columns_make(w.arena, &w.p, false, NULL), UINT32_MAX,
            NULL);
        ck_assert(s != NULL);
        for (uint32_t t = 0; t < 60; t++) {
            uint32_t i = draw(&w.rng, 0, 7), h = draw(&w.rng, 0, 2);

            if (draw(&w.rng, 0, 1)) {
                dcp_assign_take(s, i);
            }
            ck_assert(dcp_assign_put(s, i, h));
            memcpy(at, s->at, sizeof at);

            bool legal = true;
            int64_t counted = value(&w.p, at);

            for (h = 0; h < w.p.n_hosts; h++) {
                legal = legal && dcp_assign_host_holds(s, h);
            }
            for (uint32_t g = 0; g < w.p.n_groups; g++) {
                legal = legal && dcp_assign_group_holds(s, g);
            }
            ck_assert(legal == (counted != DCP_ASSIGN_ILLEGAL));
            ck_assert(!legal || counted == s->cost);
        }
        ck_assert(dcp_assign_state_set(s, w.p.start));
        ck_assert_int_eq(s->cost, value(&w.p, w.p.start));
        dcp_arena_destroy(w.arena);
    }
}
END_TEST

/* The least of all assignments, with at most 'max_moves' moved. */
static int64_t
least(const struct dcp_assign_problem *p, uint32_t max_moves)
{
    uint32_t at[16] = { 0 };
    int64_t best = INT64_MAX;

    for (uint32_t k = 0; k < p->n_items;) {
        int64_t now = value(p, at);

        best = now < best && n_away(p, at) <= max_moves ? now : best;
        for (k = 0; k < p->n_items && ++at[k] == p->n_hosts; k++) {
            at[k] = 0;
        }
    }
    return best;
}

/* With relaxed capacities the same sums, and a price that is 0 where, and only
 * where, every host has room. */
START_TEST(relaxed_states_price_what_is_over)
{
    for (uint64_t k = 0; k < part_of(N_WALKED); k++) {
        struct world w = make(k, (struct random_assign){ 3, 8, 4 });
        struct dcp_assign_columns *c =
            dcp_assign_columns_make(w.arena, &w.p, true, NULL);
        DCP_AUTO(dcp_assign_state) struct dcp_assign_state *s = NULL;
        DCP_AUTO(dcp_assign_state) struct dcp_assign_state *hard = NULL;

        s = dcp_assign_state_create(c, UINT32_MAX, NULL);
        hard = dcp_assign_state_create(
            dcp_assign_columns_make(w.arena, &w.p, false, NULL), UINT32_MAX,
            NULL);
        ck_assert(s != NULL && hard != NULL);
        for (uint32_t t = 0; t < 60; t++) {
            uint32_t i = draw(&w.rng, 0, 7), h = draw(&w.rng, 0, 2);
            int64_t before = s->cost, delta;
            bool room = true;

            delta = s->at[i] == h ? DCP_ASSIGN_ILLEGAL
                                  : dcp_assign_shift_delta(s, i, h, ANY);
            ck_assert(dcp_assign_put(s, i, h) && dcp_assign_put(hard, i, h));
            ck_assert(delta == DCP_ASSIGN_ILLEGAL || s->cost == before + delta);
            for (uint32_t m = 0; m < 3 * hard->c->room_stride; m++) {
                room = room && hard->room[m] >= 0;
            }
            ck_assert(room == (s->hard_cost == 0));
            ck_assert_int_eq(s->cost - s->hard_cost, hard->cost);
            if (t % 10 == 9) {
                c->relax_weight[0] += 3;
                dcp_assign_columns_refill(c);
                ck_assert(dcp_assign_state_set(s, hard->at));
            }
        }
        dcp_arena_destroy(w.arena);
    }
}
END_TEST

/* Two or three hosts are all there is, so it finds the least where that is
 * reached; from four on it stays legal and never costs more. */
START_TEST(hosts_are_shared_out_at_least_cost)
{
    for (uint64_t k = 0; k < part_of(N_BRUTE); k++) {
        uint32_t n_hosts = 2 + k % 3, max_moves = k % 4 ? UINT32_MAX : 3;
        struct world w = make(k, (struct random_assign){ n_hosts, 6, 4 });
        struct dcp_assign_slice slice = { .evaluations = 20000 };

        w.p.group_move_weight *= k % 2;
        DCP_AUTO(dcp_assign_walk)
        struct dcp_assign_walk *walk = dcp_assign_walk_create(
            dcp_assign_columns_make(w.arena, &w.p, false, NULL), max_moves, k,
            0, NULL);
        ck_assert(walk != NULL);
        DCP_AUTO(dcp_assign_resplit)
        struct dcp_assign_resplit *x = dcp_assign_resplit_create(walk, NULL);
        ck_assert(x != NULL);
        int64_t before = walk->best_cost;

        dcp_assign_resplit_run(x, &slice);
        ck_assert(!walk->failed);
        ck_assert_int_eq(value(&w.p, walk->state->at), walk->state->cost);
        ck_assert_int_eq(walk->best_cost, walk->state->cost);
        ck_assert_int_le(walk->best_cost, before);
        ck_assert_uint_le(n_away(&w.p, walk->best), max_moves);
        if (n_hosts < 4 && w.p.group_move_weight == 0) {
            ck_assert_int_eq(walk->best_cost, least(&w.p, max_moves));
        }
        dcp_arena_destroy(w.arena);
    }
}
END_TEST

START_TEST(search_finds_the_least)
{
    uint32_t n_optimal = 0;

    for (uint64_t k = 0; k < part_of(N_BRUTE); k++) {
        struct world w = make(k, (struct random_assign){ 3, 6, 4 });
        uint32_t max_moves = k % 4 ? UINT32_MAX : 3;
        struct dcp_assign_options o = {
            .seed = k, .iterations = 40000, .threads = 1, .max_moves = max_moves
        };
        struct dcp_assign_result found;
        uint32_t at[6], again[6];

        ck_assert(dcp_assign_search(&w.p, &o, at, &found, NULL));
        o.threads = 2;
        ck_assert(dcp_assign_search(&w.p, &o, again, &found, NULL));
        ck_assert_mem_eq(at, again, sizeof at);

        int64_t best = least(&w.p, max_moves);

        ck_assert_int_eq(value(&w.p, at), found.cost);
        ck_assert_uint_le(n_away(&w.p, at), max_moves);
        ck_assert_int_ge(found.cost, best);
        ck_assert_int_le(found.lower_bound, best);
        n_optimal += found.cost == best;
        dcp_arena_destroy(w.arena);
    }
    /* A heuristic: a problem of which moves and swaps see only parts is left
     * where it is. */
    ck_assert_msg(n_optimal >= part_of(N_BRUTE) * 95 / 100, "%u of %u",
                  n_optimal, (unsigned)part_of(N_BRUTE));
}
END_TEST

START_TEST(deadlines_hold)
{
    struct world w = make(1, (struct random_assign){ 9, 60, 40 });
    struct dcp_assign_options o = {
        .seed = 1, .time_limit_s = 3, .threads = 2, .max_moves = UINT32_MAX
    };
    struct dcp_assign_result found = { .seconds = 1000 };
    uint32_t at[60];

    for (unsigned n = 0; n < IN_TIME_TRIES && !in_time(found.seconds, 3); n++) {
        ck_assert(dcp_assign_search(&w.p, &o, at, &found, NULL));
        ck_assert_int_eq(value(&w.p, at), found.cost);
    }
    ck_assert_msg(in_time(found.seconds, 3), "%g s instead of 3",
                  found.seconds);
    dcp_arena_destroy(w.arena);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &deltas_are_differences,
        &states_forget_nothing,
        &relaxed_states_price_what_is_over,
        &hosts_are_shared_out_at_least_cost,
        &search_finds_the_least,
        &deadlines_hold,
    };

    return RUN_TESTS("assign", tests);
}
