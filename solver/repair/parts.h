/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_REPAIR_PARTS_H
#define DCP_SOLVER_REPAIR_PARTS_H 1

/* The program of solver/repair/repair.h while it is written; private to
 * solver/repair/.  A failed allocation clears 'ok', and everything after it
 * does nothing. */

#include "solver/compile/pricing.h"
#include "solver/repair/repair.h"

/* Beside the VMs, memory counts a little, so that of equal answers the lighter
 * one is found: all of a part together less than half a VM. */
#define DCP_REPAIR_MEMORY_SHARE 0.4

struct dcp_repair_program {
    const struct dcp_problem *p;
    const struct dcp_state *s; /* The start. */
    struct dcp_repair_col {
        double low, high;
        uint32_t item; /* DCP_IX_NONE: of none. */
        bool integer;
    } * cols;
    struct dcp_repair_row {
        double low, high;
        uint32_t first, end; /* Its entries. */
        uint32_t host;       /* Who asks; DCP_IX_NONE: no host. */
        const struct dcp_rule *rule;
    } * rows;
    struct dcp_repair_entry {
        uint32_t col;
        double value;
    } * entries;
    uint32_t n_cols, n_rows, n_entries, cap_cols, cap_rows, cap_entries;
    uint32_t *col_of_item; /* UINT32_MAX: none yet. */
    uint8_t *mark;         /* Scratch, by item: 0 between uses. */
    uint32_t host;         /* Of the rows being written. */
    const struct dcp_rule *rule;
    bool ok;
};

uint32_t dcp_repair_col(struct dcp_repair_program *, double low, double high,
                        bool integer);
/* The column of m_i: 1 where the item leaves. */
uint32_t dcp_repair_item(struct dcp_repair_program *, uint32_t item);
/* A new row; dcp_repair_set() adds to it until the next one. */
uint32_t dcp_repair_row(struct dcp_repair_program *, double low, double high);
void dcp_repair_set(struct dcp_repair_program *, uint32_t col, double value);

/* solver/repair/rules.c: rows of the hard rules that are broken. */
void dcp_repair_rules(struct dcp_repair_program *);

/* solver/repair/solve.c: solves it part by part; sets what 'out' says of parts,
 * adds to its moves, and where a part has no answer names it. */
bool dcp_repair_solve(const struct dcp_repair_program *, double limit_s,
                      uint32_t nodes, struct dcp_repair_need *out,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* solver/repair/parts.h */
