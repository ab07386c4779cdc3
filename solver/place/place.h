/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLACE_PLACE_H
#define DCP_SOLVER_PLACE_PLACE_H 1

/* Where one VM more could run, how many more would fit, and a first placement
 * that spreads.  Nothing that runs is moved for it.  Same problem, state and
 * tests as the search, so that `place`, `capacity` and `consolidate` agree. */

#include "solver/explain/refusal.h"

struct dcp_place_options {
    uint32_t limit; /* Candidates whose headroom is checked; 0: all. */
    bool wake;      /* Hosts that are off count, behind those that are on. */
    bool spread;    /* The emptiest host first, else the fullest. */
};

struct dcp_place_candidate {
    uint32_t host;
    bool wakes;            /* It is off. */
    bool is_home;          /* The item is there now. */
    bool headroom_checked; /* And kept; false: not looked at. */
    char soft_rule[64];    /* A soft rule that it would break; "": none. Where
                            * the question ignores soft rules. */
    /* 0 to 100: how well filled the host would be (spread: how empty), each
     * resource weighted by how scarce it is; and the points of the model's
     * scores for it. */
    double score;
    /* Usable and left then; cpu and net in their worst slot. */
    uint32_t cpu_mhz_left, net_kib_s_left;
    uint32_t scalar_left[DCP_SCALARS_MAX]; /* By the problem's scalars. */
};

struct dcp_place_refused {
    uint32_t host;
    struct dcp_refusal why;
};

struct dcp_place_ranking {
    struct dcp_place_candidate *candidates; /* Owned; best first. */
    uint32_t n_candidates;
    struct dcp_place_refused *refused; /* Owned; by host. */
    uint32_t n_refused;
    /* Whether headroom holds without the item.  Where it does not, no host is
     * refused for it, and 'headroom' says what is wrong. */
    bool headroom_before;
    struct dcp_refusal headroom;
};

/* Ranks the hosts for 'item': those that are on before those that are off, and
 * those that break no soft rule before those that do.  The item is taken off
 * for it and put back. */
bool
dcp_place_rank(struct dcp_state *, uint32_t item,
               const struct dcp_place_options *, struct dcp_place_ranking *out,
               struct dcp_error *err) DCP_CHECKED;
void dcp_place_ranking_finish(struct dcp_place_ranking *);

/* How many items like 'item', not placed, fit beside what runs: by sums over
 * all hosts (rules and headroom apart), and host by host.  No count of copies
 * can be above either. */
struct dcp_place_bound {
    uint64_t by_sums, by_hosts;
    char resource[64]; /* Whose sum is the least. */
};
void
dcp_place_bounds(struct dcp_state *, uint32_t item,
                 const struct dcp_place_options *, struct dcp_place_bound *out);

struct dcp_place_count {
    uint32_t n;       /* Copies placed, headroom kept. */
    uint32_t n_hosts; /* Hosts that took some. */
    bool maximal;     /* No host takes another one; false: the work allowed
                       * was used up before that was known. */
    /* What stops the next one: the resource that most hosts lack, or "n+1"
     * where hosts have room. */
    char binding[64];
    uint32_t n_refusing; /* Hosts that say so. */
    struct dcp_refusal example;
};
/* Places as many as fit of items[0..n-1], all alike and not placed, one by one
 * by best fit: as a full host stays the best fit until it takes no more, hosts
 * are filled in order.  Leaves them placed. */
bool
dcp_place_fill(struct dcp_state *, const uint32_t items[], uint32_t n,
               const struct dcp_place_options *, struct dcp_place_count *out,
               struct dcp_error *err) DCP_CHECKED;

/* Places all unplaced items, largest first, each on the emptiest host that
 * takes it.  '*out_item' is the first that found none, or DCP_IX_NONE. */
bool dcp_place_spread(struct dcp_state *, uint32_t *out_item,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* solver/place/place.h */
