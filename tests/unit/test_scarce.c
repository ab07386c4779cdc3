/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A few dear hosts for a few items: packings fit, cost what they say, are the
 * same again, and are nearly always the cheapest that brute force finds. */

#include "solver/bound/clique.h"
#include "solver/search/scarce.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <string.h>

enum { SEEDS = 60, ITEMS = 7, HOSTS = 5 };

struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    uint32_t item[ITEMS];
    uint8_t usable[HOSTS];
    double wanted[HOSTS], cost[HOSTS];
    struct dcp_scarce scarce;
};

static void
ask(struct asked *a, uint64_t seed)
{
    struct sample sample = { seed, HOSTS, 14, seed % 6 };

    *a = (struct asked){ .w = random_model(&sample) };
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
    a->p = problem_of(&a->q);
    for (uint32_t h = 0; h < a->p->n_hosts; h++) {
        a->usable[h] = dcp_problem_may_hold(a->p, h);
        a->wanted[h] = h;
    }
    for (uint32_t t = 0; t < a->p->n_types; t++) {
        a->cost[t] = 3 + (double)((t * 7 + seed) % 5);
    }
    a->scarce = (struct dcp_scarce){ .p = a->p,
                                     .item = a->item,
                                     .usable = a->usable,
                                     .wanted = a->wanted,
                                     .cost = a->cost };
    for (uint32_t i = 0; i < a->p->n_items && i < ITEMS; i++) {
        a->item[a->scarce.n_items++] = i;
    }
}

static void
finish(struct asked *a)
{
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

/* Whether the items with bits in 'on' fit the host together. */
static bool
holds(const struct asked *a, uint32_t h, uint32_t on)
{
    const struct dcp_problem *p = a->p;
    uint64_t sum[RANDOM_SLOTS + DCP_SCALARS_MAX] = { 0 };
    bool ok = true;

    for (uint32_t i = 0; ok && i < a->scarce.n_items; i++) {
        if (!(on >> i & 1)) {
            continue;
        }
        ok = dcp_problem_reaches(p, a->item[i], h);
        for (uint32_t j = 0; ok && j < i; j++) {
            ok = !(on >> j & 1) ||
                 !dcp_clique_ruled_apart(p, a->item[i], a->item[j]);
        }
        for (uint32_t t = 0; ok && t < p->n_slots; t++) {
            sum[t] += p->cpu_mhz[(size_t)a->item[i] * p->stride + t];
            ok = sum[t] <= p->cap_cpu_mhz[h];
        }
        for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
            sum[p->n_slots + r] +=
                p->request[(size_t)a->item[i] * p->n_scalars + r];
            ok = sum[p->n_slots + r] <= p->cap[(size_t)r * p->n_hosts + h];
        }
    }
    return ok;
}

/* The least cost of hosts from 'h' on that hold what is left. */
static double
brute(const struct asked *a, uint32_t h, uint32_t left)
{
    double least = left ? INFINITY : 0;

    if (!left || h == a->p->n_hosts) {
        return least;
    }
    least = brute(a, h + 1, left);
    for (uint32_t on = left; on && a->usable[h]; on = (on - 1) & left) {
        if (holds(a, h, on)) {
            double cost =
                a->cost[a->p->type_of_host[h]] + brute(a, h + 1, left & ~on);

            least = fmin(least, cost);
        }
    }
    return least;
}

static void
expect_packing(const struct asked *a, const struct dcp_scarce_packing *packing)
{
    double cost = 0;

    for (uint32_t b = 0; b < packing->n_hosts; b++) {
        uint32_t on = 0;

        for (uint32_t i = 0; i < a->scarce.n_items; i++) {
            on |= packing->at[i] == b ? UINT32_C(1) << i : 0;
        }
        for (uint32_t c = 0; c < b; c++) {
            ck_assert_uint_ne(packing->host[c], packing->host[b]);
        }
        ck_assert(holds(a, packing->host[b], on));
        cost += a->cost[a->p->type_of_host[packing->host[b]]];
    }
    for (uint32_t i = 0; i < a->scarce.n_items; i++) {
        ck_assert_uint_lt(packing->at[i], packing->n_hosts);
    }
    ck_assert_double_eq_tol(cost, packing->cost, 1e-9);
}

START_TEST(packings_fit_and_are_nearly_always_cheapest)
{
    uint32_t n_possible = 0, n_found = 0, n_cheapest = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };
        struct dcp_scarce_packing packing, again;
        bool found, found_again;

        ask(&a, seed);
        double least = brute(&a, 0, (UINT32_C(1) << a.scarce.n_items) - 1);

        ck_assert(dcp_scarce_pack(&a.scarce, seed, &packing, &found, &err));
        ck_assert(dcp_scarce_pack(&a.scarce, seed, &again, &found_again, &err));
        ck_assert(found == found_again);
        n_possible += !isinf(least);
        if (found) {
            expect_packing(&a, &packing);
            ck_assert_uint_eq(again.n_hosts, packing.n_hosts);
            ck_assert_mem_eq(again.at, packing.at,
                             a.scarce.n_items * sizeof *again.at);
            ck_assert(packing.cost >= least - 1e-9);
            n_found++;
            n_cheapest += packing.cost <= least + 1e-9;
        }
        dcp_scarce_packing_finish(&packing);
        dcp_scarce_packing_finish(&again);
        finish(&a);
    }
    printf("%u of %d are possible; found: %u, at least cost: %u\n", n_possible,
           SEEDS, n_found, n_cheapest);
    ck_assert_uint_gt(n_possible, SEEDS / 3);
    ck_assert_uint_ge(n_found, n_possible * 9 / 10);
    ck_assert_uint_ge(n_cheapest, n_possible * 9 / 10);
}
END_TEST

START_TEST(too_much_of_something_is_no_packing)
{
    struct asked a;
    struct dcp_error err = { 0 };
    struct dcp_scarce_packing packing;
    bool found = true;

    ask(&a, 1);
    uint32_t n = a.scarce.n_items;

    a.scarce.n_items = DCP_SCARCE_ITEMS_MAX + 1; /* Not looked at. */
    ck_assert(dcp_scarce_pack(&a.scarce, 1, &packing, &found, &err));
    ck_assert(!found && !packing.at);
    a.scarce.n_items = n;
    memset(a.usable, 0, sizeof a.usable);
    ck_assert(dcp_scarce_pack(&a.scarce, 1, &packing, &found, &err));
    ck_assert(!found && !packing.at);
    finish(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &packings_fit_and_are_nearly_always_cheapest,
        &too_much_of_something_is_no_packing,
    };

    return RUN_TESTS("scarce", tests);
}
