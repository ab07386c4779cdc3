/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_ASSIGN_STATE_H
#define DCP_SOLVER_ASSIGN_STATE_H 1

/* An assignment with every sum that a change needs, kept up to date.
 *
 * Asking (solver/assign/delta.h) costs O(resources + terms + rules of the
 * item's group) and changes nothing; dcp_assign_put() does a change, legal or
 * not, in the same time.  tests/prop/test_assign.c compares both with
 * dcp_assign_measure().
 *
 * One state belongs to one thread; the columns are shared. */

#include "solver/assign/columns.h"

/* Items of one host, in no order that means anything. */
struct dcp_assign_list {
    uint32_t *item;
    uint32_t n, capacity;
};

struct dcp_assign_state {
    const struct dcp_assign_columns *c;
    uint32_t *at;   /* [item]: its host; DCP_ASSIGN_NOWHERE: taken off. */
    uint32_t *slot; /* [item]: where it stands in its host's list. */
    struct dcp_assign_list *list; /* [host] */
    uint32_t n_lists;
    int64_t *room;      /* [host * room_stride]: what may still come. */
    int64_t *term;      /* [host * term_stride] */
    int64_t *host_cost; /* [host]: sum of max(0, term). */
    int64_t *host_hard; /* [host]: of which of relaxed capacities. */

    uint8_t *crowd;       /* [crowd_row * n_hosts]: items there, under 256. */
    uint32_t *in_place;   /* [spread_row * n_places]: items there. */
    uint32_t *n_places;   /* [spread_row]: places with an item. */
    uint32_t *in_zone;    /* [tied_row * n_zones] */
    uint32_t *moved;      /* [group]: items away from their start. */
    uint32_t *n_moved_by; /* [k]: groups with k items away. */
    uint32_t most_moved, n_moved;
    uint32_t max_moves; /* No more than so many items away. */

    int64_t cost;      /* Of everything that is on a host. */
    int64_t hard_cost; /* Of which of relaxed capacities: 0 when legal. */
};
#define DCP_ASSIGN_NOWHERE UINT32_MAX

/* As the problem starts.  'max_moves' UINT32_MAX: no limit. */
struct dcp_assign_state *
dcp_assign_state_create(const struct dcp_assign_columns *, uint32_t max_moves,
                        struct dcp_error *err) DCP_CHECKED;
void dcp_assign_state_destroy(struct dcp_assign_state *);
DCP_DEFINE_AUTO(dcp_assign_state)

/* Becomes 'at'; false: no memory. */
bool dcp_assign_state_set(struct dcp_assign_state *,
                          const uint32_t at[]) DCP_CHECKED;

/* Changes that look at no rule.  Take it off its host; put it on 'host', from
 * where it is or from nowhere.  False: no memory, and nothing was done. */
void dcp_assign_take(struct dcp_assign_state *, uint32_t item);
bool dcp_assign_put(struct dcp_assign_state *, uint32_t item,
                    uint32_t host) DCP_CHECKED;

/* Room on 'host' is not exceeded, and no group is there twice. */
bool dcp_assign_host_holds(const struct dcp_assign_state *, uint32_t host);
/* 'group' is spread and has what it depends on, as have those that depend on
 * it, where it now is and was. */
bool dcp_assign_group_holds(const struct dcp_assign_state *, uint32_t group);

/* How much more it costs when 'd1' more items of group 'g1' and 'd2' of 'g2'
 * are away from their start. */
int64_t
dcp_assign_group_moves_delta(const struct dcp_assign_state *, uint32_t g1,
                             int32_t d1, uint32_t g2, int32_t d2);

/* Rules over zones after an item of group 'gi' goes from zone 'from' to 'to',
 * and one of 'gj' (UINT32_MAX: none) the other way. */
struct dcp_assign_crossing {
    uint32_t gi, gj, from, to;
};
bool dcp_assign_may_cross(const struct dcp_assign_state *,
                          const struct dcp_assign_crossing *);

#endif /* solver/assign/state.h */
