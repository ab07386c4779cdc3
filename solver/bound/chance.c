/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The chance constraint in the lower bound, as one more resource.
 *
 * Take a set K of scenarios of one bucket, of which a host may be overloaded in
 * 'a'.  In the others of K, at least |K| - a, its items are within its limit L.
 * Add up any |K| - a of these: each item has there at least tau, the sum of its
 * |K| - a smallest values in K; so for the items of each host
 *     sum tau_i <= (|K| - a) L,
 * which is a resource like any other, with sizes tau.  It holds after a loss
 * too, with the limits of then.
 *
 * Any K will do; those with the highest totals say most, and how many of them
 * is tried: few, and each item drops its own peaks; many, and the totals
 * fall. */

#include "solver/compile/chance.h"
#include "solver/bound/parts.h"

#include <stdlib.h>
#include <string.h>

enum { SIZES = 8, MANY_ITEMS = 20000 };
static const uint32_t sizes[SIZES] = { 1, 2, 4, 8, 12, 20, 40, 80 };

struct scenario {
    uint32_t column;
    uint64_t total;
};

static int
larger_first(const void *pa, const void *pb)
{
    const struct scenario *a = pa, *b = pb;

    if (a->total != b->total) {
        return a->total > b->total ? -1 : 1;
    }
    return a->column < b->column ? -1 : a->column > b->column;
}

/* Sorts the n smallest of 'x' to its front and adds them up. */
static uint64_t
sum_of_smallest(uint32_t *x, uint32_t n_all, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < n_all - n; k++) { /* Takes the largest off. */
        uint32_t most = 0;

        for (uint32_t j = 1; j < n_all - k; j++) {
            most = x[j] > x[most] ? j : most;
        }
        x[most] = x[n_all - k - 1];
    }
    for (uint32_t k = 0; k < n; k++) {
        sum += x[k];
    }
    return sum;
}

/* tau of all items for the first 'n' of 'list'; their sum. */
static double
trim(const struct dcp_problem *p, const struct scenario *list, uint32_t n,
     uint32_t allowed, uint32_t *scratch, uint32_t *out)
{
    const struct dcp_chance *c = p->chance;
    double sum = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = 0; k < n; k++) {
            scratch[k] = c->mhz[(size_t)i * c->stride + list[k].column];
        }
        uint64_t tau = sum_of_smallest(scratch, n, n - allowed);

        out[i] = tau < UINT32_MAX ? (uint32_t)tau : UINT32_MAX;
        sum += out[i];
    }
    return sum;
}

/* Scratch. */
struct trimmer {
    uint32_t *tau, *scratch;
    struct scenario *list;
};

/* The scenarios that say most, as sizes in 'best_tau'; how many of them count:
 * 0: none. */
static uint32_t
choose(const struct dcp_problem *p, uint32_t range, struct trimmer *x,
       uint32_t *best_tau)
{
    const struct dcp_chance *c = p->chance;
    uint32_t n = c->first[range + 1] - c->first[range], best_n = 0;
    uint32_t allowed = c->allowed[range];
    double best = 0;

    for (uint32_t k = 0; k < n; k++) {
        x->list[k] = (struct scenario){ c->first[range] + k, 0 };
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        const uint32_t *row = c->mhz + (size_t)i * c->stride + c->first[range];

        for (uint32_t k = 0; k < n; k++) {
            x->list[k].total += row[k];
        }
    }
    qsort(x->list, n, sizeof *x->list, larger_first);
    for (uint32_t s = p->n_items > MANY_ITEMS && allowed ? SIZES - 3 : 0;
         s < SIZES; s++) {
        uint64_t take = (uint64_t)allowed * sizes[s] + 1;

        if (take > n || (!allowed && s)) {
            break; /* Where none is dropped the highest alone says most. */
        }
        double sum =
            trim(p, x->list, (uint32_t)take, allowed, x->scratch, x->tau);

        if (sum / (double)(take - allowed) > best) {
            best = sum / (double)(take - allowed);
            best_n = (uint32_t)take - allowed;
            memcpy(best_tau, x->tau, p->n_items * sizeof *x->tau);
        }
    }
    return best_n;
}

/* n times the limits, by host; false: too large to say. */
static bool
limits(const struct dcp_problem *p, uint32_t n, uint32_t *cap, uint32_t *full)
{
    const struct dcp_chance *c = p->chance;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if ((uint64_t)c->limit_mhz[h] * n > UINT32_MAX ||
            (uint64_t)c->full_mhz[h] * n > UINT32_MAX) {
            return false;
        }
        cap[h] = c->limit_mhz[h] * n;
        full[h] = c->full_mhz[h] * n;
    }
    return true;
}

bool
dcp_bound_trim(struct dcp_fold *f)
{
    const struct dcp_problem *p = f->p;

    if (!p->chance) {
        return true;
    }
    DCP_FREE uint32_t *tau = calloc(p->n_items + 1u, sizeof *tau);
    DCP_FREE uint32_t *scratch = calloc(p->chance->n + 1u, sizeof *scratch);
    DCP_FREE struct scenario *list = calloc(p->chance->n + 1u, sizeof *list);
    struct trimmer x = { tau, scratch, list };
    uint32_t n_ranges = p->chance->n_ranges;
    uint32_t *size =
        dcp_arena_array(p->arena, uint32_t, (size_t)n_ranges * p->n_items);
    uint32_t *count = dcp_arena_array(p->arena, uint32_t, n_ranges);

    if (!tau || !scratch || !list || !size || !count) {
        return false;
    }
    for (uint32_t r = 0; r < n_ranges; r++) {
        count[r] = choose(p, r, &x, size + (size_t)r * p->n_items);
    }
    f->trimmed_mhz = size;
    f->n_trimmed = count;
    return true;
}

bool
dcp_bound_add_chance(const struct dcp_fold *f, struct dcp_host_rows *rows)
{
    const struct dcp_problem *p = f->p;

    if (!f->n_trimmed) {
        return true;
    }
    DCP_FREE uint32_t *cap = calloc(p->n_hosts + 1u, sizeof *cap);
    DCP_FREE uint32_t *full = calloc(p->n_hosts + 1u, sizeof *full);
    bool ok = cap && full;

    for (uint32_t r = 0; ok && r < p->chance->n_ranges; r++) {
        if (f->n_trimmed[r] && limits(p, f->n_trimmed[r], cap, full)) {
            struct dcp_bound_resource resource = {
                f->trimmed_mhz + (size_t)r * p->n_items, 1, cap, full
            };

            ok = dcp_bound_add_cover(f, rows, &resource);
        }
    }
    return ok;
}
