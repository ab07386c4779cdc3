/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The rows are written down in order (columns of items come into being when a
 * row names them), then split into parts by union-find over columns, and each
 * part becomes a program of its own. */

#include "solver/repair_parts.h"

#include "solver/bound_loss.h"
#include "solver/lp.h"
#include "solver/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Writing rows ------------------------------------------------------- */

static bool
grow(void *array, size_t size, uint32_t n, uint32_t *capacity)
{
    void *old, *more;

    if (n < *capacity) {
        return true;
    }
    uint32_t wider = *capacity ? 2 * *capacity : 256;

    memcpy(&old, array, sizeof old);
    more = realloc(old, wider * size);
    if (!more) {
        return false;
    }
    memcpy(array, &more, sizeof more);
    *capacity = wider;
    return true;
}

uint32_t
dcp_repair_col(struct dcp_repair_program *r, double low, double high,
               bool integer)
{
    r->ok = r->ok && grow(&r->cols, sizeof *r->cols, r->n_cols, &r->cap_cols);
    if (!r->ok) {
        return UINT32_MAX;
    }
    r->cols[r->n_cols] =
        (struct dcp_repair_col){ low, high, DCP_IX_NONE, integer };
    return r->n_cols++;
}

uint32_t
dcp_repair_item(struct dcp_repair_program *r, uint32_t item)
{
    if (r->ok && r->col_of_item[item] == UINT32_MAX) {
        uint32_t col = dcp_repair_col(r, 0, 1, true);

        if (r->ok) {
            r->cols[col].item = item;
            r->col_of_item[item] = col;
        }
    }
    return r->col_of_item[item];
}

uint32_t
dcp_repair_row(struct dcp_repair_program *r, double low, double high)
{
    r->ok = r->ok && grow(&r->rows, sizeof *r->rows, r->n_rows, &r->cap_rows);
    if (!r->ok) {
        return UINT32_MAX;
    }
    r->rows[r->n_rows] =
        (struct dcp_repair_row){ low,          high,    r->n_entries,
                                 r->n_entries, r->host, r->rule };
    return r->n_rows++;
}

void
dcp_repair_set(struct dcp_repair_program *r, uint32_t col, double value)
{
    r->ok =
        r->ok && col != UINT32_MAX &&
        grow(&r->entries, sizeof *r->entries, r->n_entries, &r->cap_entries);
    if (r->ok) {
        r->entries[r->n_entries++] = (struct dcp_repair_entry){ col, value };
        r->rows[r->n_rows - 1].end = r->n_entries;
    }
}

/* --- Hosts -------------------------------------------------------------- */

/* The items of the host that are more than 0 of the resource. */
static void
limit_row(struct dcp_repair_program *r, uint32_t h, const uint32_t *size,
          size_t step, uint32_t load, uint32_t limit)
{
    if (load <= limit) {
        return;
    }
    (void)dcp_repair_row(r, (double)load - limit, DCP_LP_INF);
    for (uint32_t i = r->s->first[h]; r->ok && i != DCP_IX_NONE;
         i = r->s->next[i]) {
        if (size[i * step]) {
            dcp_repair_set(r, dcp_repair_item(r, i), size[i * step]);
        }
    }
}

static void
add_limits(struct dcp_repair_program *r, uint32_t h)
{
    const struct dcp_problem *p = r->p;
    const struct dcp_state *s = r->s;

    r->host = h;
    for (uint32_t k = 0; k < p->n_scalars; k++) {
        size_t at = (size_t)k * p->n_hosts + h;

        limit_row(r, h, p->request + k, p->n_scalars, s->used[at], p->cap[at]);
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        size_t at = (size_t)h * p->stride + t;

        limit_row(r, h, p->cpu_mhz + t, p->stride, s->cpu_mhz[at],
                  p->cap_cpu_mhz[h]);
        if (p->net_kib_s) {
            limit_row(r, h, p->net_kib_s + t, p->stride, s->net_kib_s[at],
                      p->cap_net_kib_s[h]);
        }
    }
    r->host = DCP_IX_NONE;
}

/* --- Places ------------------------------------------------------------- */

/* Whether the host, empty, has enough of everything; 'full': after a loss. */
static bool
is_large_enough(const struct dcp_problem *p, uint32_t item, uint32_t h,
                bool full)
{
    const uint32_t *request = p->request + (size_t)item * p->n_scalars;

    for (uint32_t k = 0; k < p->n_scalars; k++) {
        size_t at = (size_t)k * p->n_hosts + h;

        if (request[k] > (full ? p->full : p->cap)[at]) {
            return false;
        }
    }
    return p->cpu_peak_mhz[item] <=
           (full ? p->full_cpu_mhz : p->cap_cpu_mhz)[h];
}

/* Another host than 'but' that could take the item if it were empty. */
static bool
has_other_host(const struct dcp_problem *p, uint32_t item, uint32_t but,
               bool restart)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (h != but && dcp_problem_may_hold(p, h) &&
            (restart ? dcp_problem_restarts_on(p, item, h)
                     : dcp_problem_reaches(p, item, h)) &&
            is_large_enough(p, item, h, restart)) {
            return true;
        }
    }
    return false;
}

static bool
must_leave(const struct dcp_repair_program *r, uint32_t item, bool any_loss)
{
    const struct dcp_problem *p = r->p;
    uint32_t h = r->s->host[item];

    return !dcp_problem_may_hold(p, h) || !dcp_problem_reaches(p, item, h) ||
           (any_loss && p->protected_item[item] &&
            !has_other_host(p, item, h, true));
}

static void
add_places(struct dcp_repair_program *r)
{
    bool any_loss = dcp_bound_survives_a_host(r->p);

    for (uint32_t i = 0; r->ok && i < r->p->n_items; i++) {
        if (r->s->host[i] != DCP_IX_NONE && must_leave(r, i, any_loss)) {
            uint32_t col = dcp_repair_item(r, i);

            if (r->ok) {
                r->cols[col].low = 1;
            }
        }
    }
}

/* Items that stay because no other host could take them; last, when all rows
 * are there. */
static void
hold_fast(struct dcp_repair_program *r)
{
    for (uint32_t c = 0; c < r->n_cols; c++) {
        uint32_t item = r->cols[c].item;

        if (item != DCP_IX_NONE &&
            !has_other_host(r->p, item, r->s->host[item], false)) {
            r->cols[c].high = 0;
        }
    }
}

/* --- Parts -------------------------------------------------------------- */

static uint32_t
root_of(uint32_t *parent, uint32_t c)
{
    while (parent[c] != c) {
        parent[c] = parent[parent[c]];
        c = parent[c];
    }
    return c;
}

static void
join_rows(const struct dcp_repair_program *r, uint32_t *parent)
{
    for (uint32_t k = 0; k < r->n_rows; k++) {
        const struct dcp_repair_row *row = &r->rows[k];

        for (uint32_t e = row->first + 1; e < row->end; e++) {
            uint32_t a = root_of(parent, r->entries[row->first].col);
            uint32_t b = root_of(parent, r->entries[e].col);

            parent[a < b ? b : a] = a < b ? a : b;
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

/* Beside the VMs, memory counts a little, so that of equal answers the lighter
 * one is found: all of a part together less than half a VM. */
#define MEMORY_SHARE 0.4

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
            cost = more + MEMORY_SHARE / memory *
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
    out->part_moves[out->n_parts] += r->p->vm_first[item + 1] -
                                     r->p->vm_first[item];
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

/* Columns and rows sorted by part (a counting sort), part after part. */
static bool
solve_parts(struct dcp_repair_program *r, double limit_s, uint32_t nodes,
            struct dcp_repair_need *out, struct dcp_error *err)
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
    for (uint32_t c = 0; c < n; c++) {
        parent[c] = c;
    }
    join_rows(r, parent);
    for (uint32_t c = 0; c < n; c++) {
        col_first[root_of(parent, c) + 2]++;
    }
    for (uint32_t k = 0; k < r->n_rows; k++) {
        row_first[root_of(parent, r->entries[r->rows[k].first].col) + 2]++;
    }
    for (uint32_t c = 1; c <= n; c++) {
        col_first[c + 1] += col_first[c];
        row_first[c + 1] += row_first[c];
    }
    for (uint32_t c = 0; c < n; c++) {
        cols[col_first[root_of(parent, c) + 1]++] = c;
    }
    for (uint32_t k = 0; k < r->n_rows; k++) {
        uint32_t root = root_of(parent, r->entries[r->rows[k].first].col);

        rows[row_first[root + 1]++] = k;
    }
    /* A part without an answer may be left as it is. */
    for (uint32_t c = 0; c < n && (!out->infeasible || r->p->q->partial);
         c++) {
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

/* A row without items that asks for something cannot be kept. */
static void
find_empty_rows(struct dcp_repair_program *r, struct dcp_repair_need *out)
{
    uint32_t kept = 0;

    for (uint32_t k = 0; k < r->n_rows; k++) {
        const struct dcp_repair_row row = r->rows[k];

        if (row.first < row.end) {
            r->rows[kept++] = row;
        } else if (row.low > 0 || row.high < 0) {
            out->infeasible = true;
            out->host = row.host;
            out->rule = row.rule;
        }
    }
    r->n_rows = kept;
}

bool
dcp_repair_need_find(const struct dcp_state *start, double limit_s,
                     uint32_t nodes, struct dcp_repair_need *out,
                     struct dcp_error *err)
{
    const struct dcp_problem *p = start->p;
    struct dcp_repair_program r = {
        .p = p,
        .s = start,
        .host = DCP_IX_NONE,
        .col_of_item = malloc((p->n_items + 1u) * sizeof *r.col_of_item),
        .mark = calloc(p->n_items + 1u, 1)
    };

    *out = (struct dcp_repair_need){ .exact = true,
                                     .item = DCP_IX_NONE,
                                     .host = DCP_IX_NONE,
                                     .leaves = calloc(p->n_items + 1u, 1) };
    r.ok = r.col_of_item && r.mark && out->leaves;
    if (r.ok) {
        memset(r.col_of_item, 0xff, p->n_items * sizeof *r.col_of_item);
        add_places(&r);
    }
    for (uint32_t h = 0; r.ok && h < p->n_hosts; h++) {
        if (dcp_problem_may_hold(p, h)) {
            add_limits(&r, h);
        }
    }
    if (r.ok) {
        dcp_repair_rules(&r);
    }
    bool ok = r.ok || dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");

    if (ok) {
        hold_fast(&r);
        find_empty_rows(&r, out);
        out->part_of = malloc((p->n_items + 1u) * sizeof *out->part_of);
        out->part_moves = calloc(r.n_cols + 1u, sizeof *out->part_moves);
        out->part_is_must = calloc(r.n_cols + 1u, 1);
        ok = (out->part_of && out->part_moves && out->part_is_must) ||
             dcp_fail(err, DCP_E_NOMEM, "no memory for a repair");
    }
    if (ok) {
        memset(out->part_of, 0xff, p->n_items * sizeof *out->part_of);
    }
    /* Items that are not whole at the start move in part anyway. */
    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        if (p->vm_first[i + 1] - p->vm_first[i] > 1 &&
            start->host[i] != DCP_IX_NONE) {
            out->moves += dcp_pricing_moves(p, i, start->host[i]);
        }
    }
    ok = ok && ((out->infeasible && !p->q->partial) ||
                solve_parts(&r, limit_s, nodes, out, err));
    free(r.cols);
    free(r.rows);
    free(r.entries);
    free(r.col_of_item);
    free(r.mark);
    if (!ok) {
        dcp_repair_need_finish(out);
    }
    return ok;
}

void
dcp_repair_need_finish(struct dcp_repair_need *n)
{
    free(n->leaves);
    free(n->part_of);
    free(n->part_moves);
    free(n->part_is_must);
    n->leaves = n->part_is_must = NULL;
    n->part_of = n->part_moves = NULL;
}

/* --- Cost --------------------------------------------------------------- */

struct dcp_repair_cost
dcp_repair_cost_of(const struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_repair_cost cost = { 0 };

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        cost.woken += s->on[h] && !p->q->start->on[h];
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        uint32_t item = p->item_of_vm[v], from = p->q->start->host[v].ix;

        if (item != DCP_IX_NONE && from != DCP_IX_NONE &&
            s->host[item] != from) {
            cost.moves++;
            cost.moved_mib += inv->vms[v].mem_mib;
        }
    }
    return cost;
}

double
dcp_repair_memory_share(const struct dcp_problem *p, uint32_t item)
{
    double all = 1;

    for (uint32_t i = 0; i < p->n_items; i++) {
        all += p->request[(size_t)i * p->n_scalars];
    }
    return MEMORY_SHARE / all * p->request[(size_t)item * p->n_scalars];
}

int
dcp_repair_compare(struct dcp_repair_cost a, struct dcp_repair_cost b)
{
    if (a.moves != b.moves) {
        return a.moves < b.moves ? -1 : 1;
    }
    if (a.woken != b.woken) {
        return a.woken < b.woken ? -1 : 1;
    }
    return a.moved_mib < b.moved_mib ? -1 : a.moved_mib > b.moved_mib;
}
