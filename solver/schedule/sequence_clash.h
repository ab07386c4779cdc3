/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_SEQUENCE_CLASH_H
#define DCP_SOLVER_SCHEDULE_SEQUENCE_CLASH_H 1

/* Where no order of moves was found, whether rules of kind sequence are why:
 * which of their VMs need not wait for the VM before them, so that an order is
 * found.  None of these waits can be kept with the others dropped, as far as
 * solver/schedule/move_order.h finds orders, which is a heuristic.
 *
 * Sequences forbid no placement, so they are in no conflict of a question
 * (solver/explain/conflict.h): this is theirs. */

#include "solver/state.h"

#define DCP_SEQUENCE_WAITS 4

struct dcp_sequence_clash {
    struct dcp_sequence_wait {
        const struct dcp_rule *rule;
        uint32_t vm, before; /* 'vm' waits for 'before'. */
    } wait[DCP_SEQUENCE_WAITS];
    uint32_t n; /* Waits to be dropped; 0: that would not help. May be more
                 * than are told. */
};

/* For moves from 'q->start' of the problem to 'to'; 'deadline_ms' on the
 * monotonic clock, 0: none. */
bool dcp_sequence_clash_find(const struct dcp_problem *,
                             const struct dcp_placement *to,
                             int64_t deadline_ms, struct dcp_sequence_clash *,
                             struct dcp_error *err) DCP_CHECKED;

/* "'b' need not wait for 'a' (rule 'db-order')"; returns 'out'. */
const char *dcp_sequence_clash_print(const struct dcp_sequence_clash *,
                                     const struct dcp_inventory *, char *out,
                                     size_t size);

#endif /* solver/schedule/sequence_clash.h */
