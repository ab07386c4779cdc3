/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RULES_TALLY_H
#define DCP_SOLVER_RULES_TALLY_H 1

/* What a group's members have on each domain: counted in the state where the
 * group is large or its rule needs it, else looked up in its list.
 *
 * The words of a group in a state are, in this order:
 *   [part * n_domains + domain]  weight placed there;
 *   [n_domains], of SPLIT and SEPARATE, of all parts together;
 *   one word: weight placed in a domain;
 *   one word: weight placed on any host;
 *   MAX_SKEW: two words, the least and the most of a domain, then
 *   [total + 1], how many domains have so much. */

#include "solver/state.h"

struct dcp_tally {      /* Without the item that is asked for. */
    uint64_t mine;      /* Of its part, in the domain of the host. */
    uint64_t others;    /* Of other parts, there. */
    uint64_t elsewhere; /* Of its part, in other domains. */
};

/* Item at 'ref' of group_of, as if it were not placed. */
struct dcp_tally dcp_tally(const struct dcp_state *, uint32_t ref,
                           uint32_t item, uint32_t domain);

/* How many words the group needs; 0: none, its list is short. */
uint64_t dcp_tally_words(const struct dcp_group *);
/* Sets up the words of a group without members placed. */
void dcp_tally_clear(const struct dcp_group *, uint32_t words[]);
/* Adds or takes away; 'domain' may be none. */
void dcp_tally_count(const struct dcp_group *, uint32_t words[], uint32_t part,
                     uint32_t domain, uint32_t weight, bool add);

struct dcp_skew {
    uint32_t least, most;
};
/* The least and the most of a domain, with 'weight' more on 'domain'. */
struct dcp_skew dcp_tally_skew(const struct dcp_group *, const uint32_t words[],
                               uint32_t domain, uint32_t weight);
/* Weight that is placed, on whatever host. */
static inline uint32_t
dcp_tally_placed(const struct dcp_group *g, const uint32_t words[])
{
    uint32_t rows = g->n_parts > 1 ? g->n_parts + 1 : 1;

    return words[(size_t)rows * g->n_domains + 1];
}

#endif /* solver/rules/tally.h */
