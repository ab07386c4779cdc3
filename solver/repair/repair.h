/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_REPAIR_REPAIR_H
#define DCP_SOLVER_REPAIR_REPAIR_H 1

/* How many VMs must move at least so that nothing is broken any more.
 *
 * One program of whole numbers, m_i = 1 where item i does not stay where it
 * is, with rows that hold for every legal end, whatever comes:
 *
 *   limits     of an overloaded host, what stays fits: sum of need_i m_i >=
 *              load - limit, for each resource and slot that is over;
 *   places     m_i = 1 where the host must end empty, is off for good, or out
 *              of reach; where the item, protected, could restart on no other
 *              host; m_i = 0 where no other host could take it;
 *   spread     all but one of its members in one domain leave;
 *   gather, among           members stay in one domain (set) at most;
 *   separate, split, lonely of each domain that is mixed, one part stays;
 *   max_skew   counts n_d of the domains, no further apart than the limit, to
 *              which members came and from which they left;
 *   capacity, running_capacity  what stays is within the limit;
 *   max_on     so many hosts are emptied.
 *
 * Only what is broken has rows, so the program falls into parts that share no
 * item: violations far from each other are solved each by itself, and their
 * bounds are added.  GLPK solves each part; within the fewest VMs it looks for
 * the least memory.  Where rooms for what leaves is short the truth is higher:
 * solver/exact/exact.h asks for all of a small problem.
 *
 * Rows about soft rules, owned licences, watts and the joint history are left
 * out, which can only lower the bound. */

#include "solver/state.h"

struct dcp_repair_need {
    uint32_t moves;  /* VMs that must move: no legal end has fewer. */
    bool infeasible; /* Proved: some part has no answer. */
    /* Of a part that has none: an item of it, and the host or rule that asks;
     * DCP_IX_NONE and NULL where they do not apply. */
    uint32_t item, host;
    const struct dcp_rule *rule;
    uint8_t *leaves; /* By item: leaves in the programs' answers; owned. */
    uint32_t n_parts;
    /* The part that an item leaves for (UINT32_MAX: none), and of each part the
     * VMs that its answer moves and whether a hard rule asks for it, so that no
     * plan may leave it as it is; owned. */
    uint32_t *part_of, *part_moves;
    uint8_t *part_is_must;
    bool exact; /* Every part was solved to its optimum. */
};

/* 'start' is the problem's start, as dcp_state_create() makes it; 'limit_s' is
 * for all parts together, 'nodes' (0: none) for each. */
bool dcp_repair_need_find(const struct dcp_state *start, double limit_s,
                          uint32_t nodes, struct dcp_repair_need *out,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_repair_need_finish(struct dcp_repair_need *);

/* What a repair costs: fewer VMs moved, then fewer of them converted to another
 * hypervisor, then fewer hosts woken, then less memory moved. */
struct dcp_repair_cost {
    uint32_t moves, converted, woken;
    uint64_t moved_mib;
};
struct dcp_repair_cost dcp_repair_cost_of(const struct dcp_state *);
/* What counts beside a moved VM so that of equal answers the lighter one is
 * found: its share of all memory, all of it together less than half a VM. */
double dcp_repair_memory_share(const struct dcp_problem *, uint32_t item);
/* <0: 'a' is less. */
int dcp_repair_compare(struct dcp_repair_cost a, struct dcp_repair_cost b);

#endif /* solver/repair/repair.h */
