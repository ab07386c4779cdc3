/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Headroom by the largest host that is on.  Where all that a part holds
 * restarts within it (solver/bound/fold.h), any host may be lost, so with b_t =
 * 1 where one of type t is on, sum over hosts that are on of full - full_t b_t
 *         >= demand + (losses - 1) * smallest,
 * and y_t <= (hosts of type t) b_t.  An empty host that is lost takes nothing
 * along: what the others hold is the demand. */

#include "solver/bound/loss.h"
#include "solver/bound/parts.h"

#include <math.h>
#include <stdlib.h>

/* One part's: its columns b by type, UINT32_MAX where none are needed. */
struct largest {
    const struct dcp_fold *f;
    struct dcp_lp *lp;
    struct dcp_part part;
    uint32_t *some_on;
};

/* y of a type over the part's hosts and those that hold nothing, times
 * 'value'. */
static bool
set_hosts(const struct largest *x, uint32_t row, uint32_t type, double value)
{
    const struct dcp_fold *f = x->f;
    bool ok = true;

    for (uint32_t at = 0; ok && at < f->n_regions * f->n_sides; at++) {
        uint32_t region = at / f->n_sides, side = at % f->n_sides;

        if ((x->part.region == DCP_FOLD_ANY || x->part.region == region) &&
            (x->part.side == DCP_FOLD_ANY || x->part.side == side ||
             side == DCP_FOLD_SPARE)) {
            ok = dcp_lp_set(x->lp, row, dcp_bound_column(f, region, side, type),
                            value);
        }
    }
    return ok;
}

static bool
add_columns(struct largest *x)
{
    const struct dcp_fold *f = x->f;
    bool ok = true;

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        double most = dcp_fold_most_hosts(f, x->part, t);

        x->some_on[t] = UINT32_MAX;
        if (most > 0) {
            uint32_t row = dcp_lp_add_row(x->lp, -DCP_LP_INF, 0);

            x->some_on[t] = dcp_lp_add_col(x->lp, 0, 1, 0, true);
            ok = row != UINT32_MAX && x->some_on[t] != UINT32_MAX &&
                 dcp_lp_set(x->lp, row, x->some_on[t], -most) &&
                 set_hosts(x, row, t, 1);
        }
    }
    return ok;
}

/* One resource; a row for each type larger than the smallest, for which
 * dcp_bound_add_cover() has it. */
static bool
add_resource(const struct largest *x, const struct dcp_bound_resource *r)
{
    const struct dcp_fold *f = x->f;
    struct dcp_fold_items items = dcp_fold_items(f, x->part);
    double demand = 0, smallest = DCP_LP_INF;
    bool ok = true;

    for (uint32_t k = 0; k < items.n; k++) {
        uint32_t i = items.ix[k];

        demand += dcp_fold_in_part(f, i, x->part) ? r->size[i * r->step] : 0;
    }
    for (uint32_t t = 0; t < f->n_types; t++) {
        if (x->some_on[t] != UINT32_MAX) {
            smallest = fmin(smallest, r->full[f->example[t]]);
        }
    }
    for (uint32_t t = 0; ok && demand > 0 && t < f->n_types; t++) {
        double full = r->full[f->example[t]];

        if (x->some_on[t] == UINT32_MAX || full <= smallest) {
            continue;
        }
        uint32_t row = dcp_lp_add_row(
            x->lp, demand + (dcp_bound_losses(f->p) - 1) * smallest,
            DCP_LP_INF);

        ok = row != UINT32_MAX && dcp_lp_set(x->lp, row, x->some_on[t], -full);
        for (uint32_t k = 0; ok && k < f->n_types; k++) {
            ok = set_hosts(x, row, k, r->full[f->example[k]]);
        }
    }
    return ok;
}

static bool
add_part(struct largest *x)
{
    const struct dcp_problem *p = x->f->p;
    bool ok = add_columns(x);

    for (uint32_t k = 0; ok && k < p->n_scalars; k++) {
        struct dcp_bound_resource r = dcp_bound_scalar(p, k);

        ok = add_resource(x, &r);
    }
    for (uint32_t s = 0; ok && s < p->n_slots; s++) {
        struct dcp_bound_resource r = dcp_bound_cpu(p, s);

        ok = add_resource(x, &r);
        if (ok && p->net_kib_s) {
            r = dcp_bound_net(p, s);
            ok = add_resource(x, &r);
        }
    }
    return ok;
}

bool
dcp_bound_add_largest(const struct dcp_fold *f, struct dcp_lp *lp)
{
    DCP_FREE uint32_t *some_on = calloc(f->n_types + 1u, sizeof *some_on);
    struct largest x = { .f = f, .lp = lp, .some_on = some_on };
    bool ok = some_on != NULL;

    for (uint32_t k = 0; ok && f->n_types > 1 && k < dcp_fold_n_parts(f); k++) {
        if (f->reserve[k] && dcp_fold_part(f, k, &x.part)) {
            ok = add_part(&x);
        }
    }
    return ok;
}
