/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_FAILED_BOOTS_PARTS_H
#define DCP_SOLVER_HEADROOM_FAILED_BOOTS_PARTS_H 1

/* Private to solver/headroom/failed_boots*.c: the boots of one morning and the
 * lists that are found for them. */

#include "solver/headroom/failed_boots.h"

/* What one list brings to one target, in all that is counted on a host: CPU by
 * slot, network by slot, scalars, joint samples. */
struct dcp_boot_row {
    uint32_t target, woken;
    uint32_t next; /* Of the same target. */
    uint32_t *cells;
};

struct dcp_boots {
    const struct dcp_problem *p;
    struct dcp_state *s;
    const struct dcp_placement *night;
    uint32_t f, n_cells;
    uint32_t *woken; /* Hosts. */
    uint32_t n_woken, n_spares; /* Of them. */
    uint8_t *misread;   /* By host: the state knows other VMs there than the
                         * placement (a rule gathers what starts apart). */
    uint8_t *is_woken;  /* By host. */
    uint32_t *fallback; /* By item; DCP_IX_NONE: none. */
    uint32_t *items;    /* Of the host at hand. */
    uint32_t n_items;
    struct dcp_weights weights;
    uint32_t *pool; /* Hosts without a list of their own: spares stand in. */
    uint32_t n_pool;
    uint32_t *spare; /* By item of theirs: the one to try first. */
    /* Where watts count and f > 1: every host that lists send VMs to at full
     * load, for several lists may be carried out at once; else as the state.
     * Owned. */
    struct dcp_watts *full;
    /* Only where f > 1. */
    struct dcp_boot_row *rows;
    uint32_t n_rows, rows_capacity;
    uint32_t *first_row; /* By target. */
    uint32_t *targets;   /* Those that have rows. */
    uint32_t n_targets;
    uint32_t *reserve; /* [host * n_cells + cell]: the f - 1 largest. */
};

/* Fills 'woken' and 'f' from 'is_woken'. */
void dcp_boots_count_woken(struct dcp_boots *);
/* Lists for as many as have them; the others are the pool. */
bool dcp_boots_list_all(struct dcp_boots *) DCP_CHECKED;
bool dcp_boots_write_lists(const struct dcp_boots *, struct dcp_arena *,
                           struct dcp_failed_boots *out) DCP_CHECKED;
void dcp_boots_forget_rows(struct dcp_boots *);

#endif /* solver/headroom/failed_boots_parts.h */
