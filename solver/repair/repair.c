/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The rows are written down in order: columns of items come into being when a
 * row names them. */

#include "solver/repair/parts.h"

#include "model/convert.h"
#include "solver/bound/loss.h"
#include "solver/lp/lp.h"

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

/* What items take: by item with a step, or, where there is no array, of a
 * scalar as the host's hypervisor asks for it. */
struct taken {
    const uint32_t *size;
    size_t step;
    uint32_t scalar;
};

/* The items of the host that take more than 0. */
static void
limit_row(struct dcp_repair_program *r, uint32_t h, struct taken t,
          uint32_t load, uint32_t limit)
{
    if (load <= limit) {
        return;
    }
    (void)dcp_repair_row(r, (double)load - limit, DCP_LP_INF);
    for (uint32_t i = r->s->first[h]; r->ok && i != DCP_IX_NONE;
         i = r->s->next[i]) {
        uint32_t takes = t.size ? t.size[i * t.step]
                                : dcp_problem_request(r->p, i, h, t.scalar);

        if (takes) {
            dcp_repair_set(r, dcp_repair_item(r, i), takes);
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

        limit_row(r, h, (struct taken){ .scalar = k }, s->used[at], p->cap[at]);
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        size_t at = (size_t)h * p->stride + t;

        limit_row(r, h, (struct taken){ p->cpu_mhz + t, p->stride, 0 },
                  s->cpu_mhz[at], p->cap_cpu_mhz[h]);
        if (p->net_kib_s) {
            limit_row(r, h, (struct taken){ p->net_kib_s + t, p->stride, 0 },
                      s->net_kib_s[at], p->cap_net_kib_s[h]);
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

/* --- All --------------------------------------------------------------------
 */

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
                dcp_repair_solve(&r, limit_s, nodes, out, err));
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
            cost.converted += dcp_conversion_between(
                inv, (dcp_host_id){ from }, (dcp_host_id){ s->host[item] });
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
    return DCP_REPAIR_MEMORY_SHARE / all *
           p->request[(size_t)item * p->n_scalars];
}

int
dcp_repair_compare(struct dcp_repair_cost a, struct dcp_repair_cost b)
{
    if (a.moves != b.moves) {
        return a.moves < b.moves ? -1 : 1;
    }
    if (a.converted != b.converted) {
        return a.converted < b.converted ? -1 : 1;
    }
    if (a.woken != b.woken) {
        return a.woken < b.woken ? -1 : 1;
    }
    return a.moved_mib < b.moved_mib ? -1 : a.moved_mib > b.moved_mib;
}
