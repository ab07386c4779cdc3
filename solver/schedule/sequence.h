/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_SEQUENCE_H
#define DCP_SOLVER_SCHEDULE_SEQUENCE_H 1

/* Rules of kind sequence, for the VMs that move in one leg: each waits for the
 * nearest VM before it in its rules that moves as well. */

#include "solver/problem.h"

/* A VM that waits for another one because of a rule. */
struct dcp_sequence_wait {
    const struct dcp_rule *rule;
    uint32_t vm, before; /* 'vm' waits for 'before'. */
    uint32_t place;      /* Of 'vm' in the orders of all rules, one after the
                          * other. */
};

/* Goes over all waits, rule by rule; begins as { inventory, moves }, 'moves' by
 * VM, 1 where it moves. */
struct dcp_sequence_walk {
    const struct dcp_inventory *inventory;
    const uint8_t *moves;
    uint32_t rule, i, place;
    uint32_t passed; /* Of VMs of this rule that move. */
    uint32_t last;
};
/* False: that was the last one. */
bool
dcp_sequence_next(struct dcp_sequence_walk *, struct dcp_sequence_wait *out);

struct dcp_sequences {
    uint32_t *first; /* By VM, into 'before'; n_vms + 1. NULL: no such rule. */
    uint32_t *before;
};

/* 'moves' as above; 'dropped': by place, 1 where the VM need not wait; NULL:
 * nowhere. */
bool dcp_sequences_init(struct dcp_sequences *, const struct dcp_inventory *,
                        const uint8_t moves[], const uint8_t dropped[],
                        struct dcp_error *) DCP_CHECKED;
void dcp_sequences_finish(struct dcp_sequences *);

#endif /* solver/schedule/sequence.h */
