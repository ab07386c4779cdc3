/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The program of the fewest moves is split into parts that share no item, by
 * union-find over columns, and each part becomes a program of its own. */

#include "solver/repair/parts.h"

#include "model/base/union_find.h"
#include "solver/lp/lp.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
join_rows(const struct dcp_repair_program *r, uint32_t *parent)
{
    for (uint32_t k = 0; k < r->n_rows; k++) {
        const struct dcp_repair_row *row = &r->rows[k];

        for (uint32_t e = row->first + 1; e < row->end; e++) {
            dcp_sets_join(parent, r->entries[row->first].col,
                          r->entries[e].col);
        }
    }
}

/* VMs of the item that move although it stays (others of it started
 * elsewhere), and how many more when it goes. */
static void
moves_of(const struct dcp_repair_program *r, uint32_t item, uint32_t *out_stay,
         uint32_t *out_more)
{
    const struct dcp_problem *p = r->p;
    uint32_t n = p->vm_first[item + 1] - p->vm_first[item];
    uint32_t least = n, stay = dcp_pricing_moves(p, item, r->s->host[item]);

    for (uint32_t k = p->vm_first[item]; n > 1 && k < p->vm_first[item + 1];
         k++) {
        uint32_t h = p->q->start->host[p->vm[k]].ix;
        uint32_t moves = h == DCP_IX_NONE || h == r->s->host[item]
                             ? n
                             : dcp_pricing_moves(p, item, h);

        least = moves < least ? moves : least;
    }
    *out_stay = stay;
    *out_more = least > stay ? least - stay : 0;
}

struct part {
    uint32_t *cols, *rows; /* In the whole. */
    uint32_t n_cols, n_rows;
};

static struct dcp_lp *
write_part(const struct dcp_repair_program *r, const struct part *part,
           uint32_t *number, struct dcp_error *err)
{
    struct dcp_lp *lp = dcp_lp_create(err);
    double memory = 1;
    bool ok = lp != NULL;

    for (uint32_t k = 0; k < part->n_cols; k++) {
        uint32_t item = r->cols[part->cols[k]].item;

        memory += item == DCP_IX_NONE
                      ? 0
                      : r->p->request[(size_t)item * r->p->n_scalars];
    }
    for (uint32_t k = 0; ok && k < part->n_cols; k++) {
        const struct dcp_repair_col *c = &r->cols[part->cols[k]];
        uint32_t stay, more;
        double cost = 0;

        if (c->item != DCP_IX_NONE) {
            moves_of(r, c->item, &stay, &more);
            cost = more + DCP_REPAIR_MEMORY_SHARE / memory *
                              r->p->request[(size_t)c->item * r->p->n_scalars];
        }
        number[part->cols[k]] =
            dcp_lp_add_col(lp, c->low, c->high, cost, c->integer);
        ok = number[part->cols[k]] != UINT32_MAX;
    }
    for (uint32_t k = 0; ok && k < part->n_rows; k++) {
        const struct dcp_repair_row *row = &r->rows[part->rows[k]];
        uint32_t at = dcp_lp_add_row(lp, row->low, row->high);

        ok = at != UINT32_MAX;
        for (uint32_t e = row->first; ok && e < row->end; e++) {
            ok = dcp_lp_set(lp, at, number[r->entries[e].col],
                            r->entries[e].value);
        }
    }
    if (lp && !ok) {
        dcp_lp_destroy(lp);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");
        return NULL;
    }
    return lp;
}

static void
name_conflict(const struct dcp_repair_program *r, const struct part *part,
              struct dcp_repair_need *out)
{
    out->infeasible = true;
    out->item = out->host = DCP_IX_NONE;
    for (uint32_t k = part->n_cols; k-- > 0;) {
        const struct dcp_repair_col *c = &r->cols[part->cols[k]];

        out->item = c->item != DCP_IX_NONE ? c->item : out->item;
    }
    for (uint32_t k = part->n_rows; k-- > 0;) {
        out->host = r->rows[part->rows[k]].host;
        out->rule = r->rows[part->rows[k]].rule;
    }
}

/* Bounds that no whole number is between, without a program: a forced item
 * alone. */
static bool
is_forced(const struct dcp_repair_program *r, const struct part *part)
{
    return part->n_cols == 1 && !part->n_rows &&
           r->cols[part->cols[0]].low >= 1 && r->cols[part->cols[0]].high >= 1;
}

static void
note_leaver(const struct dcp_repair_program *r, uint32_t item,
            struct dcp_repair_need *out)
{
    uint32_t h = r->s->host[item];

    out->leaves[item] = 1;
    out->part_of[item] = out->n_parts;
    out->part_moves[out->n_parts] +=
        r->p->vm_first[item + 1] - r->p->vm_first[item];
    out->part_is_must[out->n_parts] |= !dcp_problem_reaches(r->p, item, h);
}

static bool
solve_part(const struct dcp_repair_program *r, const struct part *part,
           const struct dcp_lp_options *options, uint32_t *number,
           struct dcp_repair_need *out, struct dcp_error *err)
{
    struct dcp_lp_answer answer;
    uint32_t stay, more;

    for (uint32_t k = 0; k < part->n_rows; k++) {
        out->part_is_must[out->n_parts] |= r->rows[part->rows[k]].rule != NULL;
    }
    if (is_forced(r, part)) {
        uint32_t item = r->cols[part->cols[0]].item;

        moves_of(r, item, &stay, &more);
        out->moves += more;
        note_leaver(r, item, out);
        out->n_parts++;
        return true;
    }
    for (uint32_t k = 0; k < part->n_cols; k++) {
        if (r->cols[part->cols[k]].low > r->cols[part->cols[k]].high) {
            name_conflict(r, part, out);
            out->item = r->cols[part->cols[k]].item;
            return true;
        }
    }
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = write_part(r, part, number, err);
    DCP_FREE double *x = calloc(part->n_cols + 1u, sizeof *x);

    if (!lp || !x) {
        return lp ? dcp_fail(err, DCP_E_NOMEM, "no memory for a repair")
                  : false;
    }
    if (!dcp_lp_solve(lp, options, &answer, x, err)) {
        return false;
    }
    if (answer.status == DCP_LP_INFEASIBLE) {
        name_conflict(r, part, out);
        return true;
    }
    out->exact = out->exact && answer.status == DCP_LP_OPTIMAL;
    if (answer.bound > 0) {
        out->moves += (uint32_t)fmax(ceil(answer.bound - 0.5 - 1e-6), 0);
    }
    bool has =
        answer.status == DCP_LP_OPTIMAL || answer.status == DCP_LP_FEASIBLE;

    for (uint32_t k = 0; has && k < part->n_cols; k++) {
        uint32_t item = r->cols[part->cols[k]].item;

        if (item != DCP_IX_NONE && x[number[part->cols[k]]] > 0.5) {
            note_leaver(r, item, out);
        }
    }
    out->n_parts++;
    return true;
}

/* Columns and rows are sorted by part (a counting sort), part after part. */
bool
dcp_repair_solve(const struct dcp_repair_program *r, double limit_s,
                 uint32_t nodes, struct dcp_repair_need *out,
                 struct dcp_error *err)
{
    uint32_t n = r->n_cols;
    DCP_FREE uint32_t *parent = malloc((n + 1u) * sizeof *parent);
    DCP_FREE uint32_t *col_first = calloc(n + 2u, sizeof *col_first);
    DCP_FREE uint32_t *row_first = calloc(n + 2u, sizeof *row_first);
    DCP_FREE uint32_t *cols = malloc((n + 1u) * sizeof *cols);
    DCP_FREE uint32_t *rows = malloc((r->n_rows + 1u) * sizeof *rows);
    DCP_FREE uint32_t *number = malloc((n + 1u) * sizeof *number);
    int64_t start = dcp_monotonic_ms();

    if (!parent || !col_first || !row_first || !cols || !rows || !number) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");
    }
    dcp_sets_init(parent, n);
    join_rows(r, parent);
    for (uint32_t c = 0; c < n; c++) {
        col_first[dcp_sets_root(parent, c) + 2]++;
    }
    for (uint32_t k = 0; k < r->n_rows; k++) {
        row_first[dcp_sets_root(parent, r->entries[r->rows[k].first].col) +
                  2]++;
    }
    for (uint32_t c = 1; c <= n; c++) {
        col_first[c + 1] += col_first[c];
        row_first[c + 1] += row_first[c];
    }
    for (uint32_t c = 0; c < n; c++) {
        cols[col_first[dcp_sets_root(parent, c) + 1]++] = c;
    }
    for (uint32_t k = 0; k < r->n_rows; k++) {
        uint32_t root = dcp_sets_root(parent, r->entries[r->rows[k].first].col);

        rows[row_first[root + 1]++] = k;
    }
    /* A part without an answer may be left as it is. */
    for (uint32_t c = 0; c < n && (!out->infeasible || r->p->q->partial); c++) {
        struct part part = { cols + col_first[c], rows + row_first[c],
                             col_first[c + 1] - col_first[c],
                             row_first[c + 1] - row_first[c] };
        double left_s = limit_s - (double)(dcp_monotonic_ms() - start) / 1000;
        struct dcp_lp_options options = { .integer = true,
                                          .time_limit_s = fmax(left_s, 0.02),
                                          .node_limit = nodes };

        if (part.n_cols && !solve_part(r, &part, &options, number, out, err)) {
            return false;
        }
    }
    return true;
}
