/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STATS_RANK_H
#define DCP_SIM_STATS_RANK_H 1

/* Do two judges order the same things alike?  Kendall's tau (Biometrika 30,
 * 1938) in the form with ties, tau-b: concordant less discordant pairs, over
 * the geometric mean of the pairs that each judge tells apart.  1: the same
 * order, -1: the reverse, about 0: no more alike than by chance.  Pure. */

#include <stdint.h>

struct dcp_rank_agreement {
    double tau; /* NaN: one of them tells nothing apart. */
    /* The chance of a tau so far from 0 if orders had nothing in common: over
     * all orders of 'b' up to DCP_RANK_EXACT_MAX things, beyond that by a
     * normal law with the variance for ties (Kendall, "Rank Correlation
     * Methods", 4th edition, 1970, chapter 4).  NaN with tau. */
    double p_value;
    uint32_t concordant, discordant; /* Pairs. */
};
#define DCP_RANK_EXACT_MAX 8u
#define DCP_RANK_MAX       64u

/* Value i of both is about thing i; none is NaN, n is at most DCP_RANK_MAX. */
struct dcp_rank_agreement
dcp_kendall(const double a[], const double b[], uint32_t n);

#endif /* sim/stats/rank.h */
