/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The packing engine against brute force: on thousands of tiny problems no
 * bound is above the optimum, no packing is wrong or below it, and what is
 * called optimal or infeasible is. */

#include "model/base/rng.h"
#include "solver/pack/pack.h"
#include "tests/unit/run_suite.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS = 8, DIMS = 3, BINS = 3, NONE = 1000000 };

struct tiny {
    struct dcp_pack_problem p;
    int32_t size[ITEMS * DIMS], capacity[BINS * DIMS];
    uint32_t demand[ITEMS], cost[BINS], limit[BINS];
    uint8_t allowed[ITEMS * BINS];
};

static void
draw(struct tiny *t, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);
    uint32_t kind = (uint32_t)dcp_rng_below(&rng, 4), n = 0;
    int32_t most = dcp_rng_below(&rng, 2) ? 10 : 30;

    memset(t, 0, sizeof *t);
    t->p.n_dims = 1 + (uint32_t)dcp_rng_below(&rng, DIMS);
    t->p.n_bins = kind & 1 ? 1 + (uint32_t)dcp_rng_below(&rng, BINS) : 1;
    for (uint32_t b = 0; b < t->p.n_bins; b++) {
        for (uint32_t k = 0; k < t->p.n_dims; k++) {
            t->capacity[b * t->p.n_dims + k] =
                most - (int32_t)dcp_rng_below(&rng, (uint64_t)most / 2);
        }
        t->cost[b] = 1 + (uint32_t)dcp_rng_below(&rng, 9);
        t->limit[b] = 1 + (uint32_t)dcp_rng_below(&rng, 4);
    }
    while (t->p.n_items < ITEMS && n < ITEMS) {
        uint32_t i = t->p.n_items++;
        int32_t low = kind == 2 && !dcp_rng_below(&rng, 4) ? -2 : 0;

        for (uint32_t k = 0; k < t->p.n_dims; k++) {
            t->size[i * t->p.n_dims + k] =
                low +
                (int32_t)dcp_rng_below(
                    &rng, (uint64_t)(dcp_rng_below(&rng, 3) ? most / 2 : most));
        }
        t->demand[i] = dcp_rng_below(&rng, 3) ? 1 : 2;
        n += t->demand[i];
    }
    for (uint32_t x = 0; x < ITEMS * BINS; x++) {
        t->allowed[x] = dcp_rng_below(&rng, 6) > 0;
    }
    t->p.size = t->size;
    t->p.demand = t->demand;
    t->p.capacity = t->capacity;
    if (t->p.n_bins > 1) {
        t->p.cost = t->cost;
        t->p.limit = dcp_rng_below(&rng, 2) ? t->limit : NULL;
        t->p.allowed = dcp_rng_below(&rng, 3) ? NULL : t->allowed;
    }
}

/* --- Brute force: every partition of the items ------------------------------
 */

struct brute {
    const struct dcp_pack_problem *p;
    uint32_t item[2 * ITEMS], part[2 * ITEMS], n;
    uint32_t best;
};

/* The cheapest bin types for 'parts' parts, by trying all. */
static uint32_t
price_parts(const struct brute *b, uint32_t part, uint32_t parts,
            uint32_t *used, uint32_t cost)
{
    const struct dcp_pack_problem *p = b->p;
    uint32_t best = NONE;

    if (part == parts) {
        return cost;
    }
    for (uint32_t t = 0; t < p->n_bins; t++) {
        bool fits = !p->limit || used[t] < p->limit[t];

        for (uint32_t k = 0; k < p->n_dims; k++) {
            int32_t load = 0;

            for (uint32_t x = 0; x < b->n; x++) {
                load += b->part[x] == part ? p->size[b->item[x] * p->n_dims + k]
                                           : 0;
            }
            fits &= load <= p->capacity[t * p->n_dims + k];
        }
        for (uint32_t x = 0; p->allowed && x < b->n; x++) {
            fits &=
                b->part[x] != part || p->allowed[t * p->n_items + b->item[x]];
        }
        if (fits) {
            used[t]++;
            uint32_t value = price_parts(b, part + 1, parts, used,
                                         cost + (p->cost ? p->cost[t] : 1));

            used[t]--;
            best = value < best ? value : best;
        }
    }
    return best;
}

static void
partition(struct brute *b, uint32_t x, uint32_t parts)
{
    uint32_t used[BINS] = { 0 };

    if (x == b->n) {
        uint32_t cost = price_parts(b, 0, parts, used, 0);

        b->best = cost < b->best ? cost : b->best;
        return;
    }
    for (uint32_t part = 0; part <= parts; part++) {
        b->part[x] = part;
        partition(b, x + 1, part == parts ? parts + 1 : parts);
    }
}

static uint32_t
optimum(const struct dcp_pack_problem *p)
{
    struct brute b = { .p = p, .best = NONE };

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t c = 0; c < p->demand[i]; c++) {
            b.item[b.n++] = i;
        }
    }
    partition(&b, 0, 0);
    return b.best;
}

/* So many, and fewer where each takes long. */
#define CASES(N) (DCP_TEST_SLOWNESS > 1 ? (N) / 8 : (N))

/* --- Properties --------------------------------------------------------- */

static struct dcp_pack_answer
solve(const struct dcp_pack_problem *p, uint32_t threads)
{
    struct dcp_pack_options o = { .iterations = 30,
                                  .seed = 1,
                                  .threads = threads };
    struct dcp_pack_answer a;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_pack_solve(p, &o, &a, &err), "%s", err.message);
    return a;
}

START_TEST(answers_against_brute_force)
{
    uint32_t n_optimal = 0, n_feasible = 0, n_missed = 0;

    for (uint64_t seed = 0; seed < CASES(3000); seed++) {
        struct tiny t;
        struct dcp_error err = { 0 };
        uint64_t cost = 0;

        draw(&t, seed);
        uint32_t best = optimum(&t.p);
        struct dcp_pack_answer a = solve(&t.p, 1);

        if (a.status == DCP_PACK_INFEASIBLE) {
            ck_assert_msg(best == NONE, "seed %u: %u", (unsigned)seed, best);
            continue;
        }
        ck_assert_msg(a.bound <= best,
                      "seed %u: bound %u (kind %d), optimum "
                      "%u",
                      (unsigned)seed, (unsigned)a.bound, a.bound_kind, best);
        if (a.status == DCP_PACK_UNKNOWN) {
            n_missed += best != NONE;
            continue;
        }
        ck_assert_msg(dcp_pack_verify(&t.p, &a.packing, &cost, &err),
                      "seed %u: %s", (unsigned)seed, err.message);
        ck_assert_uint_eq(cost, a.packing.cost);
        ck_assert_msg(cost >= best, "seed %u: cost %u below optimum %u",
                      (unsigned)seed, (unsigned)cost, best);
        if (a.status == DCP_PACK_OPTIMAL) {
            ck_assert_uint_eq(cost, best);
            n_optimal++;
        } else {
            n_feasible++;
        }
        dcp_pack_answer_finish(&a);
    }
    /* Of what is that small, nearly all is found and proved. */
    ck_assert_msg(n_feasible + n_missed < n_optimal / 20,
                  "%u optimal, %u feasible, %u missed", n_optimal, n_feasible,
                  n_missed);
}
END_TEST

START_TEST(certificates_prove_their_bound)
{
    uint32_t n_tight = 0, n_proved = 0;

    for (uint64_t seed = 0; seed < CASES(2000); seed++) {
        struct dcp_pack_options o = { .iterations = 50 };
        struct dcp_pack_certificate c;
        enum dcp_pack_bound_kind kind;
        struct dcp_error err = { 0 };
        uint64_t bound, proved;
        struct tiny t;

        draw(&t, seed);
        ck_assert(dcp_pack_bound(&t.p, &o, &bound, &kind, &c, &err));
        if (bound == UINT64_MAX) {
            ck_assert_uint_eq(optimum(&t.p), NONE);
            continue;
        }
        uint32_t best = optimum(&t.p);

        ck_assert_uint_le(bound, best);
        ck_assert_msg(dcp_pack_certified(&t.p, &c, 0, &proved, &err), "%s",
                      err.message);
        ck_assert_msg(proved >= c.bound, "seed %u: %u said, %u proved",
                      (unsigned)seed, (unsigned)c.bound, (unsigned)proved);
        ck_assert_uint_le(proved, best);
        n_proved++;
        n_tight += proved == best;
        /* Whatever the prices, what they prove is true. */
        for (uint32_t i = 0; i < c.n_items; i++) {
            c.price[i] = c.price[i] * (int64_t)(seed % 5) / 2 + (int64_t)i;
        }
        ck_assert(dcp_pack_certified(&t.p, &c, 0, &proved, &err));
        ck_assert_msg(proved <= best, "seed %u: %u proved, optimum %u",
                      (unsigned)seed, (unsigned)proved, best);
        dcp_pack_certificate_finish(&c);
    }
    ck_assert_uint_gt(10 * n_tight, 8 * n_proved);
}
END_TEST

START_TEST(more_capacity_never_costs_more)
{
    for (uint64_t seed = 0; seed < CASES(600); seed++) {
        struct tiny t;

        draw(&t, seed);
        struct dcp_pack_answer a = solve(&t.p, 1);

        for (uint32_t x = 0; x < t.p.n_bins * t.p.n_dims; x++) {
            t.capacity[x] += (int32_t)(seed % 4);
        }
        struct dcp_pack_answer b = solve(&t.p, 1);

        if (a.status == DCP_PACK_OPTIMAL && b.status == DCP_PACK_OPTIMAL) {
            ck_assert_uint_le(b.packing.cost, a.packing.cost);
        }
        ck_assert(a.status > DCP_PACK_FEASIBLE || b.bound <= a.packing.cost);
        dcp_pack_answer_finish(&a);
        dcp_pack_answer_finish(&b);
    }
}
END_TEST

/* Neither order nor splitting of equal items changes the value. */
START_TEST(order_changes_nothing)
{
    for (uint64_t seed = 0; seed < CASES(600); seed++) {
        struct tiny t, u;

        draw(&t, seed);
        draw(&u, seed);
        t.p.allowed = u.p.allowed = NULL;
        for (uint32_t i = 0; i < t.p.n_items; i++) {
            uint32_t j = t.p.n_items - 1 - i, d = t.p.n_dims;

            memcpy(u.size + i * d, t.size + j * d, d * sizeof *u.size);
            u.demand[i] = t.demand[j];
        }
        struct dcp_pack_answer a = solve(&t.p, 1), b = solve(&u.p, 2);

        ck_assert_int_eq(a.status, b.status);
        ck_assert_uint_eq(a.packing.cost, b.packing.cost);
        ck_assert_uint_eq(a.bound, b.bound);
        dcp_pack_answer_finish(&a);
        dcp_pack_answer_finish(&b);
    }
}
END_TEST

/* Counted, one thread and two give the same packing, bin by bin. */
START_TEST(threads_change_nothing)
{
    for (uint64_t seed = 0; seed < CASES(200); seed++) {
        struct tiny t;

        draw(&t, seed);
        struct dcp_pack_answer a = solve(&t.p, 1), b = solve(&t.p, 2);

        ck_assert_int_eq(a.status, b.status);
        ck_assert_uint_eq(a.bound, b.bound);
        ck_assert_uint_eq(a.rounds, b.rounds);
        ck_assert_uint_eq(a.steps, b.steps);
        ck_assert_uint_eq(a.packing.n_bins, b.packing.n_bins);
        for (uint32_t x = 0; x < a.packing.n_bins; x++) {
            ck_assert_uint_eq(a.packing.bin[x], b.packing.bin[x]);
            ck_assert_uint_eq(a.packing.first[x + 1], b.packing.first[x + 1]);
        }
        if (a.packing.n_bins) {
            ck_assert_mem_eq(a.packing.item, b.packing.item,
                             a.packing.first[a.packing.n_bins] *
                                 sizeof *a.packing.item);
        }
        dcp_pack_answer_finish(&a);
        dcp_pack_answer_finish(&b);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_against_brute_force,
        &certificates_prove_their_bound,
        &more_capacity_never_costs_more,
        &order_changes_nothing,
        &threads_change_nothing,
    };

    return RUN_TESTS("pack_bounds", tests);
}
