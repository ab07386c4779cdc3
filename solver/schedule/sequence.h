/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_SEQUENCE_H
#define DCP_SOLVER_SCHEDULE_SEQUENCE_H 1

/* Rules of kind sequence, for the VMs that move in one leg: each waits for the
 * nearest VM before it in its rules that moves as well. */

#include "solver/problem.h"

struct dcp_sequences {
    uint32_t *first; /* By VM, into 'before'; n_vms + 1. NULL: no such rule. */
    uint32_t *before;
};

/* 'moves': by VM, 1 where it moves.  'dropped': places in the orders of these
 * rules, one rule after another, whose VM need not wait there; NULL: none. */
bool dcp_sequences_init(struct dcp_sequences *, const struct dcp_inventory *,
                        const uint8_t moves[], const uint8_t dropped[],
                        struct dcp_error *) DCP_CHECKED;
void dcp_sequences_finish(struct dcp_sequences *);

#endif /* solver/schedule/sequence.h */
