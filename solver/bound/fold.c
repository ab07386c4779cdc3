/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/fold.h"

#include "model/base/union_find.h"
#include "solver/bound/loss.h"
#include "solver/bound/rack_groups.h"

#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 64u

bool
dcp_fold_in_part(const struct dcp_fold *f, uint32_t item, struct dcp_part part)
{
    return (part.region == DCP_FOLD_ANY ||
            f->item_region[item] == part.region) &&
           (part.side == DCP_FOLD_ANY || f->side[item] == part.side);
}

struct dcp_fold_items
dcp_fold_items(const struct dcp_fold *f, struct dcp_part part)
{
    bool all = part.region == DCP_FOLD_ANY;
    uint32_t first = all ? 0 : f->first_of_region[part.region];
    uint32_t end =
        all ? f->p->n_items : f->first_of_region[part.region + 1];

    return (struct dcp_fold_items){ f->by_region + first, end - first };
}

uint32_t
dcp_fold_n_parts(const struct dcp_fold *f)
{
    return (f->n_regions + 1) * 3;
}

bool
dcp_fold_part(const struct dcp_fold *f, uint32_t ix, struct dcp_part *out)
{
    uint32_t region = ix / 3, side = ix % 3;

    out->region = region < f->n_regions ? region : DCP_FOLD_ANY;
    out->side = side < 2 ? side : DCP_FOLD_ANY;
    return (f->n_regions > 1 || out->region == DCP_FOLD_ANY) &&
           (f->n_sides > 1 || out->side == DCP_FOLD_ANY);
}

double
dcp_fold_most_hosts(const struct dcp_fold *f, struct dcp_part part,
                    uint32_t type)
{
    double n = 0;

    for (uint32_t r = 0; r < f->n_regions; r++) {
        if (part.region == DCP_FOLD_ANY || part.region == r) {
            n += f->n_max[(size_t)r * f->n_types + type];
        }
    }
    return n;
}

/* Hosts that some class of items reaches together are of one region. */
static bool
fold_regions(const struct dcp_problem *p, struct dcp_fold *f)
{
    DCP_FREE uint32_t *parent = calloc(p->n_hosts + 1u, sizeof *parent);
    DCP_FREE uint32_t *first = calloc(p->n_classes + 1u, sizeof *first);

    f->region = dcp_arena_array(p->arena, uint8_t, p->n_hosts);
    f->item_region = dcp_arena_array(p->arena, uint8_t, p->n_items);
    if (!parent || !first || !f->region || !f->item_region) {
        return false;
    }
    dcp_sets_init(parent, p->n_hosts);
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach + (size_t)c * p->reach_words;

        first[c] = DCP_IX_NONE;
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (!(row[h / 64] >> (h % 64) & 1)) {
                continue;
            }
            if (first[c] == DCP_IX_NONE) {
                first[c] = h;
            }
            dcp_sets_join(parent, first[c], h);
        }
    }
    uint32_t roots[REGIONS_MAX];

    f->n_regions = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t root = dcp_sets_root(parent, h), r = 0;

        while (r < f->n_regions && roots[r] != root) {
            r++;
        }
        if (r == f->n_regions && r == REGIONS_MAX) {
            f->n_regions = 1; /* Too many to tell apart: one. */
            memset(f->region, 0, p->n_hosts);
            return true;
        }
        if (r == f->n_regions) {
            roots[f->n_regions++] = root;
        }
        f->region[h] = (uint8_t)r;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = first[p->reach_class[i]];

        f->item_region[i] = h == DCP_IX_NONE ? 0 : f->region[h];
    }
    return true;
}

static bool
sort_by_region(const struct dcp_problem *p, struct dcp_fold *f)
{
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, f->n_regions + 2u);

    f->by_region = dcp_arena_array(p->arena, uint32_t, p->n_items);
    f->first_of_region = first;
    if (!first || !f->by_region) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        first[f->item_region[i] + 2]++;
    }
    for (uint32_t r = 0; r < f->n_regions; r++) {
        first[r + 2] += first[r + 1];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        f->by_region[first[f->item_region[i] + 1]++] = i;
    }
    return true;
}

/* Whether the item restarts in its region alone: a restart may go where a move
 * may not (rules relaxed after a loss, no way for a live move). */
static bool
restarts_in_region(const struct dcp_fold *f, uint32_t item)
{
    const struct dcp_problem *p = f->p;

    for (uint32_t h = 0; f->n_regions > 1 && h < p->n_hosts; h++) {
        if (f->region[h] != f->item_region[item] &&
            dcp_problem_restarts_on(p, item, h)) {
            return false;
        }
    }
    return true;
}

static bool
fold_restarts(struct dcp_fold *f)
{
    const struct dcp_problem *p = f->p;
    DCP_FREE uint8_t *known = calloc(p->n_classes + 1u, 1);

    f->stays = dcp_arena_array(p->arena, uint8_t, p->n_classes);
    for (uint32_t i = 0; f->stays && known && i < p->n_items; i++) {
        uint32_t c = p->reach_class[i];

        if (!known[c]) {
            known[c] = 1;
            f->stays[c] = restarts_in_region(f, i);
        }
    }
    return f->stays && known;
}

/* Whether all that a host of the part may hold restarts within the part. */
static bool
restarts_within(const struct dcp_fold *f, struct dcp_part part)
{
    const struct dcp_problem *p = f->p;
    bool apart =
        !(p->q->inventory->policy.relax_rules >> DCP_RULE_SEPARATE & 1);

    if (!dcp_bound_survives_a_host(p) ||
        (part.side != DCP_FOLD_ANY && !apart)) {
        return false;
    }
    struct dcp_fold_items items = dcp_fold_items(f, part);

    for (uint32_t k = 0; k < items.n; k++) {
        uint32_t i = items.ix[k];

        if (part.region != DCP_FOLD_ANY && !f->stays[p->reach_class[i]]) {
            return false;
        }
        /* An item of neither side may be what is lost, or hold the room. */
        if ((part.side != DCP_FOLD_ANY && f->side[i] == DCP_FOLD_ANY) ||
            (dcp_fold_in_part(f, i, part) && !p->protected_item[i])) {
            return false;
        }
    }
    return true;
}

static bool
fold_items(const struct dcp_problem *p, struct dcp_fold *f)
{
    const struct dcp_group *g = dcp_problem_separating_group(p);

    f->side = dcp_arena_array(p->arena, uint8_t, p->n_items);
    if (!f->side || !fold_regions(p, f) || !sort_by_region(p, f) ||
        !fold_restarts(f)) {
        return false;
    }
    f->reserve = dcp_arena_array(p->arena, bool, dcp_fold_n_parts(f));
    if (!f->reserve) {
        return false;
    }
    f->n_sides = g ? DCP_FOLD_SIDES : 1;
    memset(f->side, DCP_FOLD_ANY, p->n_items);
    for (uint32_t i = 0; g && i < g->n_items; i++) {
        f->side[g->items[i]] = 0;
    }
    for (uint32_t i = 0; g && i < g->n_others; i++) {
        f->side[g->others[i]] = 1;
    }
    for (uint32_t k = 0; k < dcp_fold_n_parts(f); k++) {
        struct dcp_part part;

        f->reserve[k] = dcp_fold_part(f, k, &part) && restarts_within(f, part);
    }
    return true;
}

bool
dcp_fold_make(const struct dcp_problem *p, struct dcp_fold *f)
{
    struct dcp_arena *a = p->arena;

    f->p = p;
    f->n_types = p->n_types;
    if (!fold_items(p, f)) {
        return false;
    }
    size_t n = (size_t)f->n_regions * p->n_types;

    f->example = dcp_arena_array(a, uint32_t, p->n_types);
    f->n_min = dcp_arena_array(a, double, n);
    f->n_max = dcp_arena_array(a, double, n);
    if (!f->example || !f->n_min || !f->n_max) {
        return false;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t t = p->type_of_host[h];
        size_t at = (size_t)f->region[h] * p->n_types + t;
        bool on = p->q->start->on[h];
        bool may = on || (p->q->may_wake && p->use[h] == DCP_HOST_FREE);

        f->example[t] = h;
        if (p->use[h] == DCP_HOST_AVOID) {
            continue; /* Ends empty; its own watts are not in the goal. */
        }
        f->n_max[at] += may;
        f->n_min[at] += on && (p->use[h] == DCP_HOST_KEEP || !p->q->may_empty);
    }
    return !p->losses || dcp_rack_groups_find(p, &f->racks);
}
