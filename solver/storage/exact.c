/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/exact.h"

#include "solver/lp/lp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS   12u
#define TANGENTS 8u /* At the beginning, evenly from 0 to full. */
#define NODES    20000u
#define CLOSE    1e-7

struct mip {
    struct dcp_fill *f;
    const struct dcp_volumes *v;
    struct dcp_lp *lp;
    uint32_t *col;    /* [item * n_pools + pool]; DCP_IX_NONE. */
    uint32_t *square; /* [pool * resources + r]; DCP_IX_NONE. */
    bool to_usable;
    bool failed; /* No memory. */
};

static uint32_t
n_binaries(const struct dcp_volumes *v)
{
    uint64_t n = 0;

    for (size_t k = 0; k < (size_t)v->n_items * v->words; k++) {
        n += (uint64_t)__builtin_popcountll(v->may[k]);
    }
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* What pool 'p' may hold of 'r' in an answer; negative: any amount. */
static double
limit_of(const struct mip *m, uint32_t p, uint32_t r)
{
    uint64_t most = m->to_usable ? m->v->usable[p][r] : m->v->limit[p][r];

    if (most == UINT64_MAX) {
        return -1;
    }
    return (double)(m->to_usable || most > m->f->start[p][r]
                        ? most
                        : m->f->start[p][r]);
}

static double
size_of(const struct mip *m, uint32_t p, uint32_t r)
{
    uint64_t limit = m->v->limit[p][r];

    return limit ? (double)limit : 1;
}

static void
set(struct mip *m, uint32_t row, uint32_t col, double value)
{
    m->failed |= row == UINT32_MAX || col == UINT32_MAX ||
                 !dcp_lp_set(m->lp, row, col, value);
}

static void
add_items(struct mip *m)
{
    const struct dcp_volumes *v = m->v;

    for (uint32_t i = 0; i < v->n_items; i++) {
        uint32_t row = dcp_lp_add_row(m->lp, 1, 1);

        for (uint32_t p = 0; p < v->n_pools; p++) {
            uint32_t *col = &m->col[(size_t)i * v->n_pools + p];

            *col = DCP_IX_NONE;
            if (!dcp_volumes_may(v, i, p) &&
                (p != v->home[i] || p != m->f->pool[i])) {
                continue;
            }
            *col = dcp_lp_add_col(m->lp, 0, 1,
                                  p == v->home[i]
                                      ? 0
                                      : m->f->move_cost *
                                            (double)v->asks[i][DCP_POOL_SPACE],
                                  true);
            set(m, row, *col, 1);
        }
    }
    for (uint32_t f = 0; f < v->n_families; f++) {
        for (uint32_t p = 0; p < v->n_pools; p++) {
            uint32_t row = dcp_lp_add_row(m->lp, -DCP_LP_INF, 1);

            for (uint32_t k = v->family_first[f]; k < v->family_first[f + 1];
                 k++) {
                uint32_t col =
                    m->col[(size_t)v->family_item[k] * v->n_pools + p];

                if (col != DCP_IX_NONE) {
                    set(m, row, col, 1);
                }
            }
        }
    }
}

/* The row's items, as shares of the pool's size, each times 'factor'. */
static void
set_load(struct mip *m, uint32_t row, uint32_t p, uint32_t r, double factor)
{
    const struct dcp_volumes *v = m->v;

    for (uint32_t i = 0; i < v->n_items; i++) {
        uint32_t col = m->col[(size_t)i * v->n_pools + p];

        if (col != DCP_IX_NONE && v->asks[i][r]) {
            set(m, row, col, factor * (double)v->asks[i][r] / size_of(m, p, r));
        }
    }
}

/* weight x size x share^2 is at least its tangent at 'at'. */
static void
add_tangent(struct mip *m, uint32_t p, uint32_t r, double at)
{
    double k = m->f->weight[p][r] * size_of(m, p, r);
    double fixed = (double)m->v->fixed[p][r] / size_of(m, p, r);
    uint32_t row =
        dcp_lp_add_row(m->lp, k * (2 * at * fixed - at * at), DCP_LP_INF);

    set(m, row, m->square[p * DCP_POOL_RESOURCES + r], 1);
    set_load(m, row, p, r, -2 * at * k);
}

static void
add_pools(struct mip *m)
{
    const struct dcp_volumes *v = m->v;

    for (uint32_t p = 0; p < v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            double most = limit_of(m, p, r);
            double size = size_of(m, p, r);
            uint32_t *square = &m->square[p * DCP_POOL_RESOURCES + r];

            *square = DCP_IX_NONE;
            if (most >= 0) {
                /* A whole unit of room for rounding: amounts are whole. */
                double room = (most - (double)v->fixed[p][r] + 0.5) / size;

                set_load(m, dcp_lp_add_row(m->lp, -DCP_LP_INF, room), p, r, 1);
            }
            if (m->f->weight[p][r] <= 0) {
                continue;
            }
            *square = dcp_lp_add_col(m->lp, 0, DCP_LP_INF, 1, false);
            for (uint32_t k = 0; k < TANGENTS; k++) {
                add_tangent(m, p, r, (double)(k + 1) / TANGENTS);
            }
        }
    }
}

/* Move cost and pressure of what 'f' holds. */
static double
value_of(const struct dcp_fill *f)
{
    return f->move_cost * (double)f->moved_mib + dcp_fill_pressure(f);
}

/* The columns of what 'f' holds. */
static void
to_columns(const struct mip *m, double x[])
{
    const struct dcp_volumes *v = m->v;

    memset(x, 0, dcp_lp_n_cols(m->lp) * sizeof *x);
    for (uint32_t i = 0; i < v->n_items; i++) {
        uint32_t col = m->col[(size_t)i * v->n_pools + m->f->pool[i]];

        if (col != DCP_IX_NONE) {
            x[col] = 1;
        }
    }
    for (uint32_t k = 0; k < v->n_pools * DCP_POOL_RESOURCES; k++) {
        uint32_t p = k / DCP_POOL_RESOURCES, r = k % DCP_POOL_RESOURCES;
        double share = (double)m->f->load[p][r] / size_of(m, p, r);

        if (m->square[k] != DCP_IX_NONE) {
            x[m->square[k]] =
                m->f->weight[p][r] * size_of(m, p, r) * share * share;
        }
    }
}

/* Puts the answer's items where it says; false: no memory. */
static bool
from_columns(struct mip *m, const double x[])
{
    const struct dcp_volumes *v = m->v;

    for (uint32_t i = 0; i < v->n_items; i++) {
        for (uint32_t p = 0; p < v->n_pools; p++) {
            uint32_t col = m->col[(size_t)i * v->n_pools + p];

            if (col != DCP_IX_NONE && x[col] > 0.5 &&
                !dcp_fill_move(m->f, i, p)) {
                return false;
            }
        }
    }
    return true;
}

static bool
is_good(const struct mip *m)
{
    for (uint32_t p = 0; p < m->v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            double most = limit_of(m, p, r);

            if (most >= 0 && (double)m->f->load[p][r] > most) {
                return false;
            }
        }
    }
    return dcp_fill_is_legal(m->f);
}

static void
tighten(struct mip *m)
{
    for (uint32_t p = 0; p < m->v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            if (m->square[p * DCP_POOL_RESOURCES + r] != DCP_IX_NONE) {
                add_tangent(m, p, r,
                            (double)m->f->load[p][r] / size_of(m, p, r));
            }
        }
    }
}

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for the exact solver");
}

static bool
iterate(struct mip *m, double time_limit_s, struct dcp_storage_exact *out,
        struct dcp_error *err)
{
    DCP_FREE uint32_t *best = calloc(m->v->n_items + 1u, sizeof *best);
    DCP_FREE double *x = calloc(dcp_lp_n_cols(m->lp) + 1u, sizeof *x);
    double value = value_of(m->f);
    bool ok = best && x;

    if (!ok) {
        return no_memory(err);
    }
    memcpy(best, m->f->pool, m->v->n_items * sizeof *best);
    tighten(m);
    for (uint32_t k = 0; k < ROUNDS && !m->failed; k++) {
        struct dcp_lp_answer answer;
        struct dcp_lp_options options = { .integer = true,
                                          .time_limit_s = time_limit_s / ROUNDS,
                                          .node_limit = NODES };

        if (k == 0) {
            to_columns(m, x);
            options.start = NULL;
        }
        if (!dcp_lp_solve(m->lp, &options, &answer, x, err)) {
            return false;
        }
        if (answer.bound > -DCP_LP_INF && answer.bound < DCP_LP_INF) {
            out->bound = fmax(out->bound, answer.bound - CLOSE);
        }
        if (answer.status != DCP_LP_OPTIMAL &&
            answer.status != DCP_LP_FEASIBLE) {
            break;
        }
        if (!from_columns(m, x)) {
            return no_memory(err);
        }
        if (is_good(m) && value_of(m->f) < value - CLOSE * 1e-2) {
            value = value_of(m->f);
            memcpy(best, m->f->pool, m->v->n_items * sizeof *best);
            out->better = true;
        }
        if (out->bound >= value - 2 * CLOSE ||
            answer.status != DCP_LP_OPTIMAL) {
            break;
        }
        tighten(m);
    }
    for (uint32_t i = 0; i < m->v->n_items; i++) {
        ok = ok && dcp_fill_move(m->f, i, best[i]);
    }
    return (ok && !m->failed) || no_memory(err);
}

static bool
keeps_usable(const struct dcp_fill *f)
{
    for (uint32_t p = 0; p < f->v->n_pools; p++) {
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            if (f->load[p][r] > f->v->usable[p][r]) {
                return false;
            }
        }
    }
    return true;
}

bool
dcp_storage_solve_exact(struct dcp_fill *f, double time_limit_s,
                        struct dcp_storage_exact *out, struct dcp_error *err)
{
    const struct dcp_volumes *v = f->v;

    *out = (struct dcp_storage_exact){ .bound = -INFINITY };
    /* A limit of moves and volumes that cannot go where they should are the
     * search's alone. */
    if (n_binaries(v) > DCP_STORAGE_EXACT_BINARIES || v->q->max_moves ||
        !dcp_fill_is_legal(f)) {
        return true;
    }
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);
    DCP_FREE uint32_t *col =
        calloc((size_t)v->n_items * v->n_pools + 1, sizeof *col);
    DCP_FREE uint32_t *square =
        calloc((size_t)v->n_pools * DCP_POOL_RESOURCES + 1, sizeof *square);
    struct mip m = { .f = f,
                     .v = v,
                     .lp = lp,
                     .col = col,
                     .square = square,
                     .to_usable = keeps_usable(f) };

    if (!lp || !col || !square) {
        return lp ? no_memory(err) : false;
    }
    out->asked = true;
    add_items(&m);
    add_pools(&m);
    return !m.failed ? iterate(&m, time_limit_s, out, err) : no_memory(err);
}
