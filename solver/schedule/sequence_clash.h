/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_SEQUENCE_CLASH_H
#define DCP_SOLVER_SCHEDULE_SEQUENCE_CLASH_H 1

/* Where no order of moves was found, whether rules of kind sequence are why:
 * waits of their VMs for the VM before them such that an order is found without
 * these waits, and none is where any one of them is kept; as far as
 * solver/schedule/move_order.h finds orders, which is a heuristic.
 *
 * Sequences forbid no placement, so they are in no conflict of a question
 * (solver/explain/conflict.h): this is theirs. */

#include "solver/schedule/sequence.h"

#define DCP_SEQUENCE_WAITS 4

struct dcp_sequence_clash {
    struct dcp_sequence_wait wait[DCP_SEQUENCE_WAITS];
    uint32_t n; /* Waits to be dropped; 0: that would not help. May be more
                 * than are told. */
};

/* For moves from 'q->start' of the problem to 'to'; 'deadline_ms' on the
 * monotonic clock, 0: none. */
bool dcp_sequence_clash_find(const struct dcp_problem *,
                             const struct dcp_placement *to,
                             int64_t deadline_ms, struct dcp_sequence_clash *,
                             struct dcp_error *err) DCP_CHECKED;

/* "'b' need not wait for 'a' (rule 'db-order'), and 2 more", as many as there
 * is room for; one fits in 128 bytes.  Returns 'out'. */
const char *
dcp_sequence_clash_print(const struct dcp_sequence_clash *,
                         const struct dcp_inventory *, char *out, size_t size);

#endif /* solver/schedule/sequence_clash.h */
