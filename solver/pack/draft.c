/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Packings in progress, and packings as the caller gets and shows them. */

#include "solver/pack/instance.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_pack_draft_init(struct dcp_pack_draft *d,
                    const struct dcp_pack_instance *in)
{
    size_t n = in->n_items + 1u;

    *d = (struct dcp_pack_draft){
        .bin_type = calloc(n, sizeof *d->bin_type),
        .item = calloc(n, sizeof *d->item),
        .in_bin = calloc(n, sizeof *d->in_bin),
        .cost = UINT64_MAX,
    };
    if (!d->bin_type || !d->item || !d->in_bin) {
        dcp_pack_draft_finish(d);
        return false;
    }
    return true;
}

void
dcp_pack_draft_finish(struct dcp_pack_draft *d)
{
    free(d->bin_type);
    free(d->item);
    free(d->in_bin);
    *d = (struct dcp_pack_draft){ 0 };
}

void
dcp_pack_draft_copy(struct dcp_pack_draft *to,
                    const struct dcp_pack_draft *from)
{
    to->n_bins = from->n_bins;
    to->n_placed = from->n_placed;
    to->cost = from->cost;
    memcpy(to->bin_type, from->bin_type, from->n_bins * sizeof *to->bin_type);
    memcpy(to->item, from->item, from->n_placed * sizeof *to->item);
    memcpy(to->in_bin, from->in_bin, from->n_placed * sizeof *to->in_bin);
}

/* Whether the content of bin 'b', whose load is given, may be in type 't'. */
static bool
takes(const struct dcp_pack_draft *d, const struct dcp_pack_instance *in,
      uint32_t b, const int64_t *load, uint32_t t)
{
    for (uint32_t k = 0; k < in->d; k++) {
        if (load[k] > dcp_pack_room(in, t)[k]) {
            return false;
        }
    }
    for (uint32_t e = 0; in->allowed && e < d->n_placed; e++) {
        if (d->in_bin[e] == b && !dcp_pack_allowed(in, t, d->item[e])) {
            return false;
        }
    }
    return true;
}

static void
downsize(struct dcp_pack_draft *d, const struct dcp_pack_instance *in,
         const int64_t *load, uint32_t *used)
{
    for (uint32_t b = 0; b < d->n_bins; b++) {
        uint32_t best = d->bin_type[b];

        for (uint32_t t = 0; t < in->m; t++) {
            if (in->cost[t] < in->cost[best] && used[t] < in->limit[t] &&
                takes(d, in, b, load + (size_t)b * in->d, t)) {
                best = t;
            }
        }
        used[d->bin_type[b]]--;
        used[best]++;
        d->bin_type[b] = best;
    }
}

bool
dcp_pack_draft_settle(struct dcp_pack_draft *d,
                      const struct dcp_pack_instance *in)
{
    DCP_FREE uint32_t *to = calloc(d->n_bins + 1u, sizeof *to);
    DCP_FREE uint32_t *used = calloc(in->m, sizeof *used);
    DCP_FREE int64_t *load =
        calloc((d->n_bins + 1u) * (size_t)in->d, sizeof *load);
    uint32_t n = 0;

    if (!to || !used || !load) {
        return false;
    }
    for (uint32_t e = 0; e < d->n_placed; e++) {
        to[d->in_bin[e]] = 1;
    }
    for (uint32_t b = 0; b < d->n_bins; b++) {
        if (to[b]) {
            d->bin_type[n] = d->bin_type[b];
            used[d->bin_type[n]]++;
            to[b] = n++;
        }
    }
    d->n_bins = n;
    for (uint32_t e = 0; e < d->n_placed; e++) {
        d->in_bin[e] = to[d->in_bin[e]];
        for (uint32_t k = 0; k < in->d; k++) {
            load[(size_t)d->in_bin[e] * in->d + k] +=
                dcp_pack_size(in, d->item[e])[k];
        }
    }
    if (in->m > 1) {
        downsize(d, in, load, used);
    }
    d->cost = 0;
    for (uint32_t b = 0; b < n; b++) {
        d->cost += in->cost[d->bin_type[b]];
    }
    return true;
}

/* --- For the caller ------------------------------------------------------ */

void
dcp_pack_packing_finish(struct dcp_pack_packing *p)
{
    free(p->bin);
    free(p->first);
    free(p->item);
    *p = (struct dcp_pack_packing){ 0 };
}

void
dcp_pack_answer_finish(struct dcp_pack_answer *a)
{
    dcp_pack_packing_finish(&a->packing);
    *a = (struct dcp_pack_answer){ 0 };
}

/* The given types, one by one as their demand lasts. */
static void
name_items(const struct dcp_pack_draft *d, const struct dcp_pack_instance *in,
           uint32_t *at, uint32_t *left, struct dcp_pack_packing *out,
           uint32_t *next)
{
    const struct dcp_pack_problem *p = in->problem;

    for (uint32_t i = 0; i < in->n; i++) {
        at[i] = in->origin_first[i];
    }
    for (uint32_t x = 0; x < in->origin_first[in->n]; x++) {
        left[x] = p->demand ? p->demand[in->origin[x]] : 1;
    }
    for (uint32_t e = 0; e < d->n_placed; e++) {
        uint32_t i = d->item[e];

        while (!left[at[i]]) {
            at[i]++;
        }
        left[at[i]]--;
        out->item[next[d->in_bin[e]]++] = in->origin[at[i]];
    }
}

bool
dcp_pack_draft_export(const struct dcp_pack_draft *d,
                      const struct dcp_pack_instance *in,
                      struct dcp_pack_packing *out, struct dcp_error *err)
{
    DCP_FREE uint32_t *next = calloc(d->n_bins + 2u, sizeof *next);
    DCP_FREE uint32_t *at = calloc(in->n + 1u, sizeof *at);
    DCP_FREE uint32_t *left =
        calloc(in->origin_first[in->n] + 1u, sizeof *left);
    struct dcp_pack_packing made = {
        .n_bins = d->n_bins,
        .bin = calloc(d->n_bins + 1u, sizeof *made.bin),
        .first = calloc(d->n_bins + 2u, sizeof *made.first),
        .item = calloc(d->n_placed + 1u, sizeof *made.item),
        .cost = d->cost,
    };

    if (!next || !at || !left || !made.bin || !made.first || !made.item) {
        dcp_pack_packing_finish(&made);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a packing");
    }
    for (uint32_t e = 0; e < d->n_placed; e++) {
        made.first[d->in_bin[e] + 1]++;
    }
    for (uint32_t b = 0; b < d->n_bins; b++) {
        made.bin[b] = d->bin_type[b];
        made.first[b + 1] += made.first[b];
        next[b] = made.first[b];
    }
    name_items(d, in, at, left, &made, next);
    *out = made;
    return true;
}

/* --- Recount ------------------------------------------------------------- */

static bool
verify_bin(const struct dcp_pack_problem *p, const struct dcp_pack_packing *q,
           uint32_t b, uint32_t *placed, struct dcp_error *err)
{
    uint32_t type = q->bin[b];

    if (type >= p->n_bins) {
        return dcp_fail(err, DCP_E_REFUSED, "bin %u: no such bin type", b);
    }
    for (uint32_t e = q->first[b]; e < q->first[b + 1]; e++) {
        uint32_t i = q->item[e];

        if (i >= p->n_items) {
            return dcp_fail(err, DCP_E_REFUSED, "bin %u: no such item", b);
        }
        placed[i]++;
        if (p->allowed && !p->allowed[(size_t)type * p->n_items + i]) {
            return dcp_fail(err, DCP_E_REFUSED,
                            "bin %u: item type %u may not be there", b, i);
        }
    }
    for (uint32_t k = 0; k < p->n_dims; k++) {
        int64_t load = 0;

        for (uint32_t e = q->first[b]; e < q->first[b + 1]; e++) {
            load += p->size[(size_t)q->item[e] * p->n_dims + k];
        }
        if (load > p->capacity[(size_t)type * p->n_dims + k]) {
            return dcp_fail(err, DCP_E_REFUSED,
                            "bin %u: dimension %u holds %lld", b, k,
                            (long long)load);
        }
    }
    return true;
}

bool
dcp_pack_verify(const struct dcp_pack_problem *p,
                const struct dcp_pack_packing *q, uint64_t *out_cost,
                struct dcp_error *err)
{
    DCP_FREE uint32_t *placed = calloc(p->n_items + 1u, sizeof *placed);
    DCP_FREE uint32_t *used = calloc(p->n_bins + 1u, sizeof *used);
    uint64_t cost = 0;

    if (!placed || !used) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to recount a packing");
    }
    for (uint32_t b = 0; b < q->n_bins; b++) {
        if (!verify_bin(p, q, b, placed, err)) {
            return false;
        }
        cost += p->cost ? p->cost[q->bin[b]] : 1;
        if (++used[q->bin[b]] > (p->limit ? p->limit[q->bin[b]] : UINT32_MAX)) {
            return dcp_fail(err, DCP_E_REFUSED, "too many bins of type %u",
                            q->bin[b]);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (placed[i] != (p->demand ? p->demand[i] : 1)) {
            return dcp_fail(err, DCP_E_REFUSED, "item type %u: placed %u times",
                            i, placed[i]);
        }
    }
    *out_cost = cost;
    return true;
}
