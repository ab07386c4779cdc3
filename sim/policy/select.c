/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/select.h"

#include <math.h>
#include <stdlib.h>

static const char *const names[] = {
    [DCP_SELECT_MMT] = "mmt",
    [DCP_SELECT_MU] = "mu",
    [DCP_SELECT_MC] = "mc",
    [DCP_SELECT_RS] = "rs",
};

const char *
dcp_selection_name(enum dcp_selection s)
{
    return names[s];
}

static uint32_t
least_memory(const struct dcp_candidates *c)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < c->n; i++) {
        best = c->mem_mib[i] < c->mem_mib[best] ? i : best;
    }
    return best;
}

static uint32_t
least_cpu(const struct dcp_candidates *c)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < c->n; i++) {
        best = c->mhz[i] < c->mhz[best] ? i : best;
    }
    return best;
}

static double
dot(const double a[], const double b[], uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Candidate's history less its mean: the fit's constant. */
static void
centre(const struct dcp_candidates *c, uint32_t ix, double out[])
{
    double mean = 0;

    for (uint32_t t = 0; t < c->n_past; t++) {
        out[t] = c->past[(size_t)t * c->n + ix];
        mean += out[t] / c->n_past;
    }
    for (uint32_t t = 0; t < c->n_past; t++) {
        out[t] -= mean;
    }
}

/* Takes out of 'x' what the 'n' orthonormal columns of 'basis' explain; twice,
 * for what rounding leaves at first. */
static void
project(const double basis[], uint32_t n, double x[], uint32_t n_past)
{
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < n; i++) {
            const double *column = basis + (size_t)i * n_past;
            double part = dot(column, x, n_past);

            for (uint32_t t = 0; t < n_past; t++) {
                x[t] -= part * column[t];
            }
        }
    }
}

/* R^2 of candidate 'ix' on the others, by modified Gram-Schmidt; columns that
 * the ones before them explain add nothing.  -1: it does not vary.  'room' is
 * for as many columns as candidates. */
static double
explained(const struct dcp_candidates *c, uint32_t ix, double room[])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n; i++) {
        double *column = room + (size_t)n * c->n_past;

        if (i == ix) {
            continue;
        }
        centre(c, i, column);
        double whole = dot(column, column, c->n_past);

        project(room, n, column, c->n_past);
        double left = dot(column, column, c->n_past);

        if (left <= 1e-12 * whole || left <= 0) {
            continue;
        }
        for (uint32_t t = 0; t < c->n_past; t++) {
            column[t] /= sqrt(left);
        }
        n++;
    }
    double *y = room + (size_t)n * c->n_past;

    centre(c, ix, y);
    double total = dot(y, y, c->n_past);

    project(room, n, y, c->n_past);
    return total > 0 ? 1 - dot(y, y, c->n_past) / total : -1;
}

static uint32_t
most_explained(const struct dcp_candidates *c)
{
    if (c->n < 2 || c->n_past <= c->n) {
        return least_memory(c);
    }
    double *room = malloc((size_t)c->n * c->n_past * sizeof *room);
    uint32_t best = c->n;
    double best_r2 = -2;

    for (uint32_t i = 0; room && i < c->n; i++) {
        double r2 = explained(c, i, room);

        if (r2 > best_r2) {
            best_r2 = r2;
            best = i;
        }
    }
    free(room);
    return best;
}

uint32_t
dcp_select(enum dcp_selection s, const struct dcp_candidates *c,
           struct dcp_rng *rng)
{
    switch (s) {
    case DCP_SELECT_MU:
        return least_cpu(c);
    case DCP_SELECT_MC:
        return most_explained(c);
    case DCP_SELECT_RS:
        return (uint32_t)dcp_rng_below(rng, c->n);
    case DCP_SELECT_MMT:
        break;
    }
    return least_memory(c);
}
