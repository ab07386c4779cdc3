/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Bounds alone, and what proves them. */

#include "solver/pack/bound.h"
#include "solver/pack/clock.h"
#include "solver/pack/columns.h"
#include "solver/pack/fill.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 8 };

void
dcp_pack_certificate_finish(struct dcp_pack_certificate *c)
{
    free(c->price);
    free(c->toll);
    *c = (struct dcp_pack_certificate){ 0 };
}

/* From the instance's item types to the given ones. */
static bool
export_certificate(const struct dcp_pack_instance *in,
                   const struct dcp_pack_certificate *from,
                   struct dcp_pack_certificate *out, struct dcp_error *err)
{
    uint32_t n = in->problem->n_items;
    struct dcp_pack_certificate made = {
        .n_items = n,
        .n_bins = in->m,
        .price = calloc(n + 1u, sizeof *made.price),
        .toll = calloc(in->m, sizeof *made.toll),
        .scale = from->scale,
        .bound = from->bound,
    };

    if (!made.price || !made.toll) {
        dcp_pack_certificate_finish(&made);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a certificate");
    }
    for (uint32_t i = 0; i < in->n; i++) {
        for (uint32_t x = in->origin_first[i]; x < in->origin_first[i + 1];
             x++) {
            made.price[in->origin[x]] = from->price[i];
        }
    }
    memcpy(made.toll, from->toll, in->m * sizeof *made.toll);
    *out = made;
    return true;
}

static bool
seed(struct dcp_pack_columns *c, const struct dcp_pack_instance *in,
     double deadline_s, struct dcp_error *err)
{
    struct dcp_pack_draft draft = { 0 };
    bool ok = dcp_pack_draft_init(&draft, in) ||
              dcp_fail(err, DCP_E_NOMEM, "no memory to pack");

    for (uint32_t r = 0; ok && r < SEEDS && r < dcp_pack_n_fills(in) &&
                         dcp_pack_now() < deadline_s;
         r++) {
        ok = dcp_pack_fill(in, r, &draft) ||
             dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
        if (ok && draft.cost != UINT64_MAX) {
            ok = dcp_pack_columns_seed(c, &draft, err);
        }
    }
    dcp_pack_draft_finish(&draft);
    return ok;
}

static bool
bound_by_columns(const struct dcp_pack_instance *in,
                 const struct dcp_pack_options *o, double deadline_s,
                 uint64_t *bound, enum dcp_pack_bound_kind *kind,
                 struct dcp_pack_certificate *certificate,
                 struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_columns)
    struct dcp_pack_columns *c = dcp_pack_columns_create(in, err);
    struct dcp_pack_columns_limits limits = {
        .max_rounds = o->iterations ? o->iterations : UINT64_MAX,
        .max_nodes = DCP_PACK_PRICING_NODES,
        .deadline_s = deadline_s,
        .cutoff = DCP_PACK_NO_DEADLINE,
    };
    enum dcp_pack_columns_end end;

    if (!c || !seed(c, in, deadline_s, err) ||
        !dcp_pack_columns_run(c, &limits, &end, err)) {
        return false;
    }
    if (dcp_pack_columns_bound(c) > *bound) {
        *bound = dcp_pack_columns_bound(c);
        *kind = DCP_PACK_BOUND_COLUMNS;
    }
    if (!certificate) {
        return true;
    }
    struct dcp_pack_certificate own = dcp_pack_columns_certificate(c);

    return export_certificate(in, &own, certificate, err);
}

bool
dcp_pack_bound(const struct dcp_pack_problem *p,
               const struct dcp_pack_options *o, uint64_t *out_bound,
               enum dcp_pack_bound_kind *out_kind,
               struct dcp_pack_certificate *certificate, struct dcp_error *err)
{
    double deadline_s = o->time_limit_s > 0 ? dcp_pack_now() + o->time_limit_s
                                            : DCP_PACK_NO_DEADLINE;
    DCP_AUTO(dcp_pack_instance)
    struct dcp_pack_instance *in = dcp_pack_instance_create(p, err);
    enum dcp_pack_bound_kind kind;
    bool infeasible;
    uint64_t bound;

    if (!in) {
        return false;
    }
    if (!dcp_pack_bound_cheap(in, &bound, &kind, &infeasible)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for bounds");
    }
    if (certificate) {
        *certificate = (struct dcp_pack_certificate){ .scale = 1 };
    }
    if (infeasible) {
        bound = UINT64_MAX;
    } else if (in->n && !bound_by_columns(in, o, deadline_s, &bound, &kind,
                                          certificate, err)) {
        return false;
    }
    *out_bound = bound;
    *out_kind = kind;
    return true;
}

/* The prices by the instance's types.  Types that were merged may differ in
 * price: the dearest stands for them when patterns are sought. */
static bool
import_prices(const struct dcp_pack_instance *in,
              const struct dcp_pack_certificate *c, int64_t *price,
              struct dcp_error *err)
{
    for (uint32_t i = 0; i < in->n; i++) {
        price[i] = INT64_MIN;
        for (uint32_t x = in->origin_first[i]; x < in->origin_first[i + 1];
             x++) {
            int64_t given = c->price[in->origin[x]];

            if (given > INT32_MAX || given < INT32_MIN) {
                return dcp_fail(err, DCP_E_ARGUMENT,
                                "item type %u: a price of %lld is out of range",
                                in->origin[x], (long long)given);
            }
            price[i] = given > price[i] ? given : price[i];
        }
    }
    return true;
}

/* What is charged for the merged types over what was given. */
static uint64_t
corrected(const struct dcp_pack_instance *in,
          const struct dcp_pack_certificate *c, const int64_t *price,
          int64_t scale, uint64_t bound)
{
    const struct dcp_pack_problem *p = in->problem;
    dcp_pack_wide over = 0;

    for (uint32_t i = 0; i < in->n; i++) {
        for (uint32_t x = in->origin_first[i]; x < in->origin_first[i + 1];
             x++) {
            uint32_t demand = p->demand ? p->demand[in->origin[x]] : 1;

            over +=
                ((dcp_pack_wide)(price[i] - c->price[in->origin[x]])) * demand;
        }
    }
    over = (over + scale - 1) / scale;
    return over > (dcp_pack_wide)bound ? 0 : bound - (uint64_t)over;
}

bool
dcp_pack_certified(const struct dcp_pack_problem *p,
                   const struct dcp_pack_certificate *c, uint64_t max_nodes,
                   uint64_t *out_bound, struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_instance)
    struct dcp_pack_instance *in = dcp_pack_instance_create(p, err);
    DCP_AUTO(dcp_pack_pricer)
    struct dcp_pack_pricer *pricer =
        in ? dcp_pack_pricer_create(in, err) : NULL;
    struct dcp_pack_patterns found = { 0 };

    if (!pricer) {
        return false;
    }
    if (c->n_items != p->n_items || c->n_bins != p->n_bins || c->scale < 1 ||
        c->scale > INT32_MAX) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "a certificate of another problem");
    }
    DCP_FREE int64_t *price = calloc(in->n + 1u, sizeof *price);
    DCP_FREE int64_t *upper = calloc(in->m, sizeof *upper);
    DCP_FREE int64_t *toll = calloc(in->m, sizeof *toll);
    bool ok = price && upper && toll;
    int64_t scale;

    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a certificate");
    }
    if (!import_prices(in, c, price, err)) {
        return false;
    }
    for (uint32_t b = 0; ok && b < in->m; b++) {
        struct dcp_pack_question q = {
            .bin = b,
            .price = price,
            .max_nodes = max_nodes,
            .deadline_s = DCP_PACK_NO_DEADLINE,
        };
        struct dcp_pack_reply reply;

        if (in->limit[b]) {
            ok = dcp_pack_price(pricer, &q, &found, &reply);
            upper[b] = ok ? reply.upper : 0;
            dcp_pack_patterns_clear(&found);
        }
    }
    dcp_pack_patterns_finish(&found);
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a certificate");
    }
    *out_bound = dcp_pack_price_bound(in, price, c->scale, upper, toll, &scale);
    if (*out_bound) {
        *out_bound = corrected(in, c, price, scale, *out_bound);
    }
    return true;
}
