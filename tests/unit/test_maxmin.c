/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Max-min fair rates: by hand, against the definition, and the same to the
 * last bit however flows came and went. */

#include "model/base/rng.h"
#include "model/maxmin.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdlib.h>

#define NONE INFINITY

static uint32_t
add(struct dcp_maxmin *m, uint32_t n, const uint32_t links[], double limit)
{
    uint32_t flow;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_maxmin_add(m, links, n, limit, &flow, &err), "%s",
                  err.message);
    return flow;
}
#define ADD(M, LIMIT, ...)                                                     \
    add(M, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t),             \
        (uint32_t[]){ __VA_ARGS__ }, LIMIT)

static struct dcp_maxmin *
make(uint32_t n, const double capacity[])
{
    struct dcp_maxmin *m = dcp_maxmin_create(n, NULL);

    ck_assert_ptr_nonnull(m);
    for (uint32_t l = 0; l < n; l++) {
        dcp_maxmin_set_capacity(m, l, capacity[l]);
    }
    return m;
}

static uint32_t
settle(struct dcp_maxmin *m)
{
    const uint32_t *changed;

    return dcp_maxmin_settle(m, &changed);
}

/* One long flow over both links and one short one on each. */
START_TEST(two_links_by_hand)
{
    DCP_AUTO(dcp_maxmin)
    struct dcp_maxmin *m = make(2, (double[]){ 10, 6 });
    uint32_t both = ADD(m, NONE, 0, 1);
    uint32_t first = ADD(m, NONE, 0);
    uint32_t second = ADD(m, NONE, 1);

    ck_assert_uint_eq(settle(m), 3);
    ck_assert_double_eq(dcp_maxmin_rate(m, both), 3);
    ck_assert_double_eq(dcp_maxmin_rate(m, second), 3);
    ck_assert_double_eq(dcp_maxmin_rate(m, first), 7);

    dcp_maxmin_remove(m, second);
    ck_assert_uint_eq(settle(m),
                      2); /* Five each; the second link is not full. */
    ck_assert_double_eq(dcp_maxmin_rate(m, both), 5);
    ck_assert_double_eq(dcp_maxmin_rate(m, first), 5);
    ck_assert_uint_eq(ADD(m, 1.5, 0), second); /* Lowest that is free. */
    ck_assert_uint_eq(settle(m), 3);
    ck_assert_double_eq(dcp_maxmin_rate(m, second), 1.5);
    ck_assert_double_eq(dcp_maxmin_rate(m, both), 4.25);
    dcp_maxmin_set_capacity(m, 1, 0);
    settle(m);
    ck_assert_double_eq(dcp_maxmin_rate(m, both), 0);
    ck_assert_double_eq(dcp_maxmin_rate(m, first), 8.5);
    ck_assert_uint_eq(settle(m), 0);
}
END_TEST

/* Five flows on four links stop at a third, two thirds and all of a link. */
START_TEST(levels_by_hand)
{
    DCP_AUTO(dcp_maxmin)
    struct dcp_maxmin *m = make(4, (double[]){ 30, 30, 30, 30 });
    uint32_t a = ADD(m, NONE, 0, 1), b = ADD(m, NONE, 1);
    uint32_t c = ADD(m, NONE, 1, 2), d = ADD(m, NONE, 2), e = ADD(m, NONE, 3);

    settle(m);
    ck_assert_double_eq(dcp_maxmin_rate(m, a), 10);
    ck_assert_double_eq(dcp_maxmin_rate(m, b), 10);
    ck_assert_double_eq(dcp_maxmin_rate(m, c), 10);
    ck_assert_double_eq(dcp_maxmin_rate(m, d), 20);
    ck_assert_double_eq(dcp_maxmin_rate(m, e), 30);
    dcp_maxmin_remove(m, e);
    ck_assert_uint_eq(settle(m), 0); /* Nobody else is on its link. */
}
END_TEST

/* --- Random networks ---------------------------------------------------- */

enum { LINKS = 12, FLOWS = 60 };

struct wanted {
    uint32_t n, links[4];
    double limit;
};

static uint32_t
below(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

static struct wanted
random_flow(struct dcp_rng *rng)
{
    struct wanted w = { .n = 1 + below(rng, 4) };
    uint32_t first = below(rng, LINKS);

    for (uint32_t i = 0; i < w.n; i++) {
        w.links[i] = (first + i * 5) % LINKS;
    }
    w.limit = below(rng, 3) ? 1 + below(rng, 400) : NONE;
    return w;
}

/* Of each flow: it is at its limit, or has a full link on which none has more
 * (Bertsekas and Gallager: a bottleneck); and no link carries more than it
 * can. */
static void
assert_fair(const struct dcp_maxmin *m, const struct wanted w[],
            const uint32_t flow[], uint32_t n, const double capacity[LINKS])
{
    double load[LINKS] = { 0 }, most[LINKS] = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        double rate = dcp_maxmin_rate(m, flow[i]);

        for (uint32_t k = 0; k < w[i].n; k++) {
            load[w[i].links[k]] += rate;
            most[w[i].links[k]] = fmax(most[w[i].links[k]], rate);
        }
    }
    for (uint32_t l = 0; l < LINKS; l++) {
        ck_assert(load[l] <= capacity[l] * (1 + 1e-12));
    }
    for (uint32_t i = 0; i < n; i++) {
        double rate = dcp_maxmin_rate(m, flow[i]);
        bool stopped = rate == w[i].limit;

        ck_assert(rate > 0 && rate <= w[i].limit);
        for (uint32_t k = 0; k < w[i].n; k++) {
            uint32_t l = w[i].links[k];

            stopped |= load[l] >= capacity[l] * (1 - 1e-12) &&
                       rate >= most[l] * (1 - 1e-12);
        }
        ck_assert(stopped);
    }
}

static void
random_capacities(double capacity[LINKS], struct dcp_rng *rng)
{
    for (uint32_t l = 0; l < LINKS; l++) {
        capacity[l] = 100 + below(rng, 3000);
    }
}

/* In any order, after any comings and goings: the same bits. */
START_TEST(history_changes_no_bit)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "maxmin", 0);
        struct wanted w[FLOWS];
        uint32_t flow[FLOWS], again[FLOWS], order[FLOWS];
        double capacity[LINKS], other[LINKS];
        uint32_t n = 1 + below(&rng, FLOWS);

        random_capacities(capacity, &rng);
        random_capacities(other, &rng);
        DCP_AUTO(dcp_maxmin) struct dcp_maxmin *a = make(LINKS, capacity);
        DCP_AUTO(dcp_maxmin) struct dcp_maxmin *b = make(LINKS, other);

        for (uint32_t i = 0; i < n; i++) {
            w[i] = random_flow(&rng);
            flow[i] = add(a, w[i].n, w[i].links, w[i].limit);
            order[i] = i;
        }
        settle(a);
        assert_fair(a, w, flow, n, capacity);
        for (uint32_t i = n; i > 1; i--) {
            uint32_t k = below(&rng, i), keep = order[i - 1];

            order[i - 1] = order[k];
            order[k] = keep;
        }
        for (uint32_t i = 0; i < n; i++) {
            struct wanted extra = random_flow(&rng);
            uint32_t e = add(b, extra.n, extra.links, extra.limit);
            uint32_t l = below(&rng, LINKS);

            again[order[i]] =
                add(b, w[order[i]].n, w[order[i]].links, w[order[i]].limit);
            if (below(&rng, 2)) {
                settle(b);
            }
            dcp_maxmin_remove(b, e);
            if (below(&rng, 2)) {
                settle(b);
            }
            dcp_maxmin_set_capacity(b, l, capacity[l]);
        }
        for (uint32_t l = 0; l < LINKS; l++) {
            dcp_maxmin_set_capacity(b, l, capacity[l]);
        }
        settle(b);
        for (uint32_t i = 0; i < n; i++) {
            double x = dcp_maxmin_rate(a, flow[i]);

            ck_assert(x == dcp_maxmin_rate(b, again[i]));
        }
    }
}
END_TEST

/* What settling tells is what changed, no more and no less. */
START_TEST(changes_are_told)
{
    struct dcp_rng rng = dcp_rng_stream(5, "maxmin", 1);
    double capacity[LINKS], rate[FLOWS] = { 0 };
    bool used[FLOWS] = { false };

    random_capacities(capacity, &rng);
    DCP_AUTO(dcp_maxmin) struct dcp_maxmin *m = make(LINKS, capacity);

    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t at = below(&rng, FLOWS), n_used = 0;
        const uint32_t *changed;

        for (uint32_t i = 0; i < FLOWS; i++) {
            n_used += used[i];
        }
        if (used[at]) {
            dcp_maxmin_remove(m, at);
            used[at] = false;
            rate[at] = 0;
        } else if (n_used < FLOWS) {
            struct wanted w = random_flow(&rng);
            uint32_t flow = add(m, w.n, w.links, w.limit);

            ck_assert(flow < FLOWS && !used[flow]);
            used[flow] = true;
        }
        uint32_t n = dcp_maxmin_settle(m, &changed);

        for (uint32_t i = 0; i < n; i++) {
            ck_assert(rate[changed[i]] != dcp_maxmin_rate(m, changed[i]));
            rate[changed[i]] = dcp_maxmin_rate(m, changed[i]);
        }
        for (uint32_t i = 0; i < FLOWS; i++) {
            ck_assert(!used[i] || rate[i] == dcp_maxmin_rate(m, i));
        }
    }
}
END_TEST

START_TEST(refusals)
{
    DCP_AUTO(dcp_maxmin)
    struct dcp_maxmin *m = make(1, (double[]){ 1 });
    uint32_t link = 0, flow;

    ck_assert(!dcp_maxmin_add(m, &link, 0, 1, &flow, NULL));
    ck_assert(!dcp_maxmin_add(m, &link, 1, 0, &flow, NULL));
    ck_assert(!dcp_maxmin_add(m, &link, 1, NAN, &flow, NULL));
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = {
        &two_links_by_hand, &levels_by_hand, &history_changes_no_bit,
        &changes_are_told,  &refusals,
    };

    return RUN_TESTS("maxmin", tests);
}
