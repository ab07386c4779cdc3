/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/rank.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int
sign(double difference)
{
    return (difference > 0) - (difference < 0);
}

static void
count_pairs(const double a[], const double b[], uint32_t n,
            uint32_t *out_concordant, uint32_t *out_discordant)
{
    *out_concordant = *out_discordant = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            int s = sign(a[i] - a[k]) * sign(b[i] - b[k]);

            *out_concordant += s > 0;
            *out_discordant += s < 0;
        }
    }
}

static int64_t
score(const double a[], const double b[], uint32_t n)
{
    uint32_t concordant, discordant;

    count_pairs(a, b, n, &concordant, &discordant);
    return (int64_t)concordant - discordant;
}

static uint32_t
pairs_apart(const double a[], uint32_t n)
{
    uint32_t apart = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            apart += a[i] != a[k];
        }
    }
    return apart;
}

static void
swap(double *left, double *right)
{
    double kept = *left;

    *left = *right;
    *right = kept;
}

/* The share of orders of 'b' with a score so far from 0, by Heap's algorithm
 * (Computer Journal 6, 1963): each order is the one before with two things
 * exchanged. */
static double
exact_p(const double a[], const double b[], uint32_t n, int64_t observed)
{
    double order[DCP_RANK_EXACT_MAX];
    uint32_t turn[DCP_RANK_EXACT_MAX] = { 0 }, i = 1;
    uint64_t all = 1, as_far = 1;

    memcpy(order, b, n * sizeof *order);
    while (i < n) {
        if (turn[i] == i) {
            turn[i++] = 0;
            continue;
        }
        swap(&order[i % 2 ? turn[i] : 0], &order[i]);
        all++;
        as_far += llabs(score(a, order, n)) >= llabs(observed);
        turn[i]++;
        i = 1;
    }
    return (double)as_far / (double)all;
}

/* Sums over groups of equal values of t(t-1)(2t+5), t(t-1), t(t-1)(t-2). */
struct ties {
    double cubes, pairs, triples;
};

static struct ties
ties_of(const double a[], uint32_t n)
{
    struct ties out = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        bool first = true;
        double t = 0;

        for (uint32_t k = 0; k < n; k++) {
            t += a[k] == a[i];
            first = first && (k >= i || a[k] != a[i]);
        }
        if (first) {
            out.cubes += t * (t - 1) * (2 * t + 5);
            out.pairs += t * (t - 1);
            out.triples += t * (t - 1) * (t - 2);
        }
    }
    return out;
}

static double
normal_p(const double a[], const double b[], uint32_t count, int64_t observed)
{
    struct ties x = ties_of(a, count), y = ties_of(b, count);
    double n = count;
    double variance = (n * (n - 1) * (2 * n + 5) - x.cubes - y.cubes) / 18 +
                      x.pairs * y.pairs / (2 * n * (n - 1)) +
                      x.triples * y.triples / (9 * n * (n - 1) * (n - 2));

    double far = fabs((double)observed) - 1; /* Scores go in steps of 2. */

    return far > 0 ? erfc(far / sqrt(2 * variance)) : 1;
}

struct dcp_rank_agreement
dcp_kendall(const double a[], const double b[], uint32_t n)
{
    struct dcp_rank_agreement out = { .tau = NAN, .p_value = NAN };
    double apart =
        sqrt((double)pairs_apart(a, n)) * sqrt((double)pairs_apart(b, n));

    count_pairs(a, b, n, &out.concordant, &out.discordant);
    int64_t observed = (int64_t)out.concordant - out.discordant;

    if (apart > 0) {
        out.tau = (double)observed / apart;
        out.p_value = n <= DCP_RANK_EXACT_MAX ? exact_p(a, b, n, observed)
                                              : normal_p(a, b, n, observed);
    }
    return out;
}
