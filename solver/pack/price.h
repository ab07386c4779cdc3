/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_PRICE_H
#define DCP_SOLVER_PACK_PRICE_H 1

/* Pricing: the sets of items that fit one bin and are worth most, a bounded
 * knapsack in several dimensions, in whole numbers.
 *
 * Depth-first branch and bound over items by falling price per size.  What the
 * items from position t on can still add in room r is bounded by tables: the
 * one-dimensional knapsack of each dimension alone, and of sums of dimensions
 * (surrogates), solved for every t and r once per question by dynamic
 * programming; where capacities are large, in rounded-down sizes, which relaxes
 * it.  So the bound is exact in one dimension.  Items with a negative size are
 * branched on first.
 *
 * One pricer belongs to one thread. */

#include "solver/pack/patterns.h"

struct dcp_pack_pricer;
struct dcp_pack_pricer *
dcp_pack_pricer_create(const struct dcp_pack_instance *,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_pack_pricer_destroy(struct dcp_pack_pricer *);
DCP_DEFINE_AUTO(dcp_pack_pricer)

struct dcp_pack_question {
    uint32_t bin;         /* Type of bin. */
    const int64_t *price; /* [n], under 2^31 each. */
    const uint32_t *most; /* [n] copies at most; NULL: the demands. */
    int64_t above;        /* Patterns worth more are wanted. */
    uint32_t quota;       /* Until there are so many, any such pattern is
                           * kept, at most one chain per first item; then only
                           * better ones than the best. */
    uint32_t all;         /* Not 0: every such pattern is kept, up to so many;
                           * of two of which one contains the other, perhaps
                           * the larger only. */
    uint64_t max_nodes;   /* 0: no limit. */
    uint64_t root_nodes;  /* Of one first item, as long as the quota is not
                           * reached; 0: no limit. */
    double deadline_s;
};
struct dcp_pack_reply {
    int64_t best;  /* Worth of the best found; 'above' where none was. */
    int64_t upper; /* No pattern is worth more (proved). */
    bool exact;    /* The search was complete; upper == best. */
    uint64_t nodes;
};
/* Adds what it finds to 'found'. */
bool dcp_pack_price(struct dcp_pack_pricer *, const struct dcp_pack_question *,
                    struct dcp_pack_patterns *found,
                    struct dcp_pack_reply *out) DCP_CHECKED;

#endif /* solver/pack/price.h */
