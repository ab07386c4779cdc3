/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_REFUSAL_H
#define DCP_SOLVER_EXPLAIN_REFUSAL_H 1

/* Why a host does not take an item, with numbers, and the least that would
 * have to change.  The tests are those of the search (solver/state.h,
 * solver/headroom/headroom.h), asked one at a time: what is refused here is
 * what no search would do, and the other way round. */

#include "solver/headroom/headroom.h"

enum dcp_refusal_kind { /* In the order in which they are asked. */
                        DCP_REFUSAL_NONE,
                        DCP_REFUSAL_MAINTENANCE, /* Or is to be emptied. */
                        DCP_REFUSAL_OFF,
                        DCP_REFUSAL_REACH,    /* Hypervisor, CPU, VLAN, storage;
                                               * and rules that    name hosts: fence,
                                               * ban, root. */
                        DCP_REFUSAL_CAPACITY, /* Of the host, a resource at a
                                                 time. */
                        DCP_REFUSAL_POWER,    /* Of its rack or feed. */
                        DCP_REFUSAL_GROUP, /* A rule on where the others are. */
                        DCP_REFUSAL_LICENCE, /* More units than are owned. */
                        DCP_REFUSAL_HEADROOM, /* N+k would be lost. */
};
const char *dcp_refusal_kind_name(enum dcp_refusal_kind); /* "capacity" ... */

struct dcp_refusal {
    enum dcp_refusal_kind kind;
    char rule[64];     /* The resource, or the rule's name: "memory",
                        * "web-apart", "reach", "n+1". */
    double need, have; /* Of the resource, in its unit; NaN: does not apply. */
    uint32_t slot;     /* Of the question, for what differs by hour, else
                        * UINT32_MAX. */
    char text[240];
    char remedy[240]; /* The least that would allow it; "": nothing here. */
};

/* Whether 'host' refuses 'item', which is not placed now; false: it takes it,
 * as far as its own room, reach and rules go.  With 'wake' hosts that are off
 * and may be switched on are not refused for it. */
bool dcp_refusal_find(struct dcp_state *, uint32_t item, uint32_t host,
                      bool wake, struct dcp_refusal *out);

/* Whether headroom is lost when 'item', not placed now, is put on 'host' (and
 * that is switched on).  Plays all losses: not cheap.  The state is as before
 * when it returns. */
bool dcp_refusal_headroom(struct dcp_state *, uint32_t item, uint32_t host,
                          bool *out_refused, struct dcp_refusal *out,
                          struct dcp_error *err) DCP_CHECKED;

/* The name of a soft rule that the item would break there, or "", where the
 * question ignores soft rules. */
void dcp_refusal_soft(const struct dcp_state *, uint32_t item, uint32_t host,
                      char out_rule[64]);

/* "if host 'h2' is lost, VM 'db-1' finds no place": what a check that failed
 * found. */
void
dcp_refusal_of_headroom(const struct dcp_problem *, const struct dcp_headroom *,
                        struct dcp_refusal *out);

#endif /* solver/explain/refusal.h */
