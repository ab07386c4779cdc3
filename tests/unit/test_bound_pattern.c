/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The pricing problem of the lower bound against every set of items: what is
 * proved is below the least set, close to it where there is work enough to
 * branch, and scales with the units. */

#include "model/base/rng.h"
#include "solver/bound/pattern.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { ITEMS = 9, GROUPS = 3, ROOMS = 2, SEEDS = 300 };

struct question {
    struct dcp_bound_pattern q;
    struct dcp_bound_curve curve;
    double load[GROUPS * ITEMS], need[ROOMS * ITEMS], u[ITEMS], price[GROUPS],
        room[ROOMS], start[GROUPS + ROOMS];
};

static double
draw(struct dcp_rng *rng, uint64_t below)
{
    return (double)dcp_rng_below(rng, below);
}

/* MHz in units of 1 / 'mhz', worth in units of 1 / 'money'. */
static void
make(struct question *x, uint64_t seed, double mhz, double money)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "pattern", 0);

    x->curve = (struct dcp_bound_curve){ .n = 4 };
    for (uint32_t j = 1; j < 4; j++) {
        x->curve.mhz[j] = x->curve.mhz[j - 1] + mhz * (5 + draw(&rng, 20));
    }
    x->curve.watts[0] = 20 + draw(&rng, 40);
    for (uint32_t j = 1; j < 4; j++) {
        x->curve.watts[j] = x->curve.watts[j - 1] + draw(&rng, 60);
    }
    for (uint32_t k = 0; k < GROUPS * ITEMS; k++) {
        x->load[k] = mhz * draw(&rng, 20);
    }
    for (uint32_t k = 0; k < ROOMS * ITEMS; k++) {
        x->need[k] = 1 + draw(&rng, 10);
    }
    for (uint32_t g = 0; g < GROUPS; g++) {
        x->price[g] = money * (1 + draw(&rng, 3));
        x->start[g] = money / mhz * draw(&rng, 8);
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        x->u[i] = money * draw(&rng, 200);
    }
    for (uint32_t r = 0; r < ROOMS; r++) {
        x->room[r] = 12 + draw(&rng, 20);
        x->start[GROUPS + r] = money * draw(&rng, 5);
    }
    x->q = (struct dcp_bound_pattern){
        .n_items = ITEMS,
        .n_groups = GROUPS,
        .n_rooms = ROOMS,
        .load = x->load,
        .need = x->need,
        .u = x->u,
        .price = x->price,
        .room = x->room,
        .curve = &x->curve,
        .start = x->start,
        .n_starts = 1,
        .max_work = 100000,
        .deadline_ms = INT64_MAX,
    };
}

static double
watts(const struct dcp_bound_curve *c, double mhz)
{
    uint32_t j = 1;

    while (j + 1 < c->n && mhz > c->mhz[j]) {
        j++;
    }
    return c->watts[j - 1] + (mhz - c->mhz[j - 1]) /
                                 (c->mhz[j] - c->mhz[j - 1]) *
                                 (c->watts[j] - c->watts[j - 1]);
}

/* One slot only: a program's prices, not steps. */
static void
keep_one_slot(struct question *x)
{
    x->q.n_groups = 1;
    x->q.start = x->start + GROUPS - 1; /* Another slot's price does as well. */
}

/* Of one set; infinite where it does not fit. */
static double
cost_of(const struct question *x, uint32_t set)
{
    double cost = 0;

    for (uint32_t i = 0; i < ITEMS; i++) {
        cost -= set >> i & 1 ? x->u[i] : 0;
    }
    for (uint32_t k = 0; k < GROUPS + ROOMS; k++) {
        if (k < GROUPS && k >= x->q.n_groups) {
            continue;
        }
        const double *a =
            k < GROUPS ? x->load + k * ITEMS : x->need + (k - GROUPS) * ITEMS;
        double sum = 0;

        for (uint32_t i = 0; i < ITEMS; i++) {
            sum += set >> i & 1 ? a[i] : 0;
        }
        if (sum >
            (k < GROUPS ? x->curve.mhz[x->curve.n - 1] : x->room[k - GROUPS])) {
            return INFINITY;
        }
        cost += k < GROUPS ? x->price[k] * watts(&x->curve, sum) : 0;
    }
    return cost;
}

static double
least_of(struct question *x, uint64_t max_work)
{
    struct dcp_bound_fill fill;
    double least;

    x->q.max_work = max_work;
    ck_assert(dcp_bound_fill_find(&x->q, &fill));
    x->q.fill = &fill;
    ck_assert(dcp_bound_pattern_least(&x->q, &least));
    dcp_bound_fill_finish(&fill);
    return least;
}

static double
least_set(const struct question *x)
{
    double best = INFINITY;

    for (uint32_t set = 0; set < 1u << ITEMS; set++) {
        best = fmin(best, cost_of(x, set));
    }
    return best;
}

START_TEST(no_set_of_items_is_below_what_is_proved_of_one_slot)
{
    double short_of = 0, all = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct question x;

        make(&x, seed, 1, 1);
        keep_one_slot(&x);
        double best = least_set(&x), proved = least_of(&x, 10000000);

        ck_assert_msg(proved <= best + 1e-9 * fabs(best),
                      "seed %d: %.9f is above %.9f", (int)seed, proved, best);
        short_of += best - proved;
        all += fabs(best);
    }
    printf("%d questions of one slot: proved is %.2f %% short\n", SEEDS,
           100 * short_of / all);
    ck_assert_double_lt(short_of, 0.12 * all); /* Fractions of nine items. */
}
END_TEST

START_TEST(no_set_of_items_is_below_what_is_proved)
{
    double short_of = 0, short_without = 0, all = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct question x;

        make(&x, seed, 1, 1);
        double best = least_set(&x);
        double proved = least_of(&x, 300000), quick = least_of(&x, 0);

        ck_assert_msg(proved <= best + 1e-9 * fabs(best),
                      "seed %d: %.9f is above %.9f", (int)seed, proved, best);
        ck_assert_msg(quick <= proved + 1e-9 * fabs(proved),
                      "seed %d: less work proved more", (int)seed);
        short_of += best - proved;
        short_without += best - quick;
        all += fabs(best);
    }
    printf("%d questions: proved is %.2f %% short, %.2f %% without branching\n",
           SEEDS, 100 * short_of / all, 100 * short_without / all);
    ck_assert_double_lt(short_of, short_without);
}
END_TEST

START_TEST(units_do_not_matter)
{
    for (uint64_t seed = 0; seed < SEEDS / 10; seed++) {
        struct question a, b;

        make(&a, seed, 1, 1);
        make(&b, seed, 1024, 0.125); /* Powers of two: the same digits. */
        ck_assert_double_eq_tol(least_of(&a, 50000), 8 * least_of(&b, 50000),
                                1e-6);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &no_set_of_items_is_below_what_is_proved,
        &no_set_of_items_is_below_what_is_proved_of_one_slot,
        &units_do_not_matter,
    };

    return RUN_TESTS("bound_pattern", tests);
}
