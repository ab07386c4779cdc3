/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/rack_groups.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 64u

/* How alike racks of one group are. */
enum alike { SAME_COUNTS, SAME_TYPES, SAME_PLACE };

/* What a zone has of a rack, or of hosts without one. */
struct unit {
    uint32_t feed;
    uint8_t zone;
    bool is_rack;
};

struct units {
    const struct dcp_problem *p;
    uint32_t n;
    uint32_t *of_host; /* DCP_IX_NONE: may not hold items. */
    struct unit *unit;
    double *n_min, *n_max; /* [unit * n_types + type] */
};

static const struct dcp_loss_kind_domains *
kind_of(const struct dcp_problem *p, enum dcp_loss_kind kind)
{
    for (uint32_t k = 0; k < p->losses->n_kinds; k++) {
        if (p->losses->kinds[k].kind == kind) {
            return &p->losses->kinds[k];
        }
    }
    return NULL;
}

static bool
number_units(struct units *x)
{
    const struct dcp_problem *p = x->p;
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_loss_kind_domains *feeds = kind_of(p, DCP_LOSS_FEED);
    uint32_t n_zones = p->losses->n_zones;
    size_t n_cells = (size_t)(inv->n_racks + 1u) * n_zones;
    DCP_FREE uint32_t *number = malloc((n_cells + 1) * sizeof *number);

    if (!number) {
        return false;
    }
    memset(number, 0xff, (n_cells + 1) * sizeof *number);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        dcp_rack_id rack = inv->hosts[h].rack;
        bool is_rack = !dcp_rack_is_none(rack);
        uint8_t zone = p->losses->zone_of_host[h];

        x->of_host[h] = DCP_IX_NONE;
        if (!dcp_problem_may_hold(p, h)) {
            continue;
        }
        uint32_t *unit =
            &number[(size_t)(is_rack ? rack.ix : inv->n_racks) * n_zones +
                    zone];

        if (*unit == UINT32_MAX) {
            x->unit[x->n] =
                (struct unit){ feeds ? feeds->of_host[h] : DCP_IX_NONE, zone,
                               is_rack };
            *unit = x->n++;
        }
        x->of_host[h] = *unit;
    }
    return true;
}

static void
count_hosts(struct units *x)
{
    const struct dcp_problem *p = x->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->of_host[h] != DCP_IX_NONE) {
            size_t at = (size_t)x->of_host[h] * p->n_types + p->type_of_host[h];

            x->n_max[at]++;
            x->n_min[at] += p->q->start->on[h] &&
                            (p->use[h] == DCP_HOST_KEEP || !p->q->may_empty);
        }
    }
}

static bool
are_alike(const struct units *x, uint32_t a, uint32_t b, enum alike alike)
{
    const struct unit *ua = &x->unit[a], *ub = &x->unit[b];
    uint32_t n_types = x->p->n_types;
    bool same = ua->feed == ub->feed && ua->zone == ub->zone &&
                ua->is_rack == ub->is_rack;

    for (uint32_t t = 0; same && alike != SAME_PLACE && t < n_types; t++) {
        size_t ta = (size_t)a * n_types + t, tb = (size_t)b * n_types + t;

        same = alike == SAME_TYPES ? (x->n_max[ta] > 0) == (x->n_max[tb] > 0)
                                   : x->n_max[ta] == x->n_max[tb] &&
                                         x->n_min[ta] == x->n_min[tb];
    }
    return same;
}

/* Group by unit, the first unit of each group in 'first'; returns how many, or
 * one more than 'most'. */
static uint32_t
group_units(const struct units *x, enum alike alike, uint32_t most,
            uint32_t *of_unit, uint32_t *first)
{
    uint32_t n = 0;

    for (uint32_t u = 0; u < x->n; u++) {
        uint32_t g = 0;

        while (g < n && !are_alike(x, first[g], u, alike)) {
            g++;
        }
        if (g == most) {
            return most + 1;
        }
        if (g == n) {
            first[n++] = u;
        }
        of_unit[u] = g;
    }
    return n;
}

static bool
write_groups(const struct units *x, const uint32_t *of_unit,
             struct dcp_rack_groups *out)
{
    const struct dcp_problem *p = x->p;
    size_t n_cells = (size_t)out->n * p->n_types;
    struct dcp_rack_group *group =
        dcp_arena_array(p->arena, struct dcp_rack_group, out->n);
    double *n_min = dcp_arena_array(p->arena, double, n_cells);
    double *n_max = dcp_arena_array(p->arena, double, n_cells);
    uint32_t *of_host = dcp_arena_array(p->arena, uint32_t, p->n_hosts);

    if (!group || !n_min || !n_max || !of_host) {
        return false;
    }
    for (uint32_t u = 0; u < x->n; u++) {
        struct dcp_rack_group *g = &group[of_unit[u]];

        g->feed = x->unit[u].feed;
        g->zone = x->unit[u].zone;
        g->n_racks += x->unit[u].is_rack;
        for (uint32_t t = 0; t < p->n_types; t++) {
            size_t from = (size_t)u * p->n_types + t;
            size_t to = (size_t)of_unit[u] * p->n_types + t;

            n_min[to] += x->n_min[from];
            n_max[to] += x->n_max[from];
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        of_host[h] =
            x->of_host[h] == DCP_IX_NONE ? DCP_IX_NONE : of_unit[x->of_host[h]];
    }
    out->group = group;
    out->n_min = n_min;
    out->n_max = n_max;
    out->of_host = of_host;
    return true;
}

bool
dcp_rack_groups_find(const struct dcp_problem *p,
                     const struct dcp_rack_groups **out)
{
    size_t n_cells = (size_t)p->n_hosts * p->n_types + 1;
    DCP_FREE uint32_t *of_host = calloc(p->n_hosts + 1u, sizeof *of_host);
    DCP_FREE uint32_t *of_unit = calloc(p->n_hosts + 1u, sizeof *of_unit);
    DCP_FREE uint32_t *first = calloc(p->n_hosts + 1u, sizeof *first);
    DCP_FREE struct unit *unit = calloc(p->n_hosts + 1u, sizeof *unit);
    DCP_FREE double *n_min = calloc(n_cells, sizeof *n_min);
    DCP_FREE double *n_max = calloc(n_cells, sizeof *n_max);
    struct units x = {
        .p = p, .of_host = of_host, .unit = unit, .n_min = n_min, .n_max = n_max
    };
    struct dcp_rack_groups *groups =
        dcp_arena_new(p->arena, struct dcp_rack_groups);

    if (!of_host || !of_unit || !first || !unit || !n_min || !n_max ||
        !groups || !number_units(&x)) {
        return false;
    }
    count_hosts(&x);
    groups->n = GROUPS_MAX + 1;
    if (kind_of(p, DCP_LOSS_RACK)) {
        groups->n = group_units(&x, SAME_COUNTS, GROUPS_MAX, of_unit, first);
        if (groups->n > GROUPS_MAX) {
            groups->n = group_units(&x, SAME_TYPES, GROUPS_MAX, of_unit, first);
        }
    }
    if (groups->n > GROUPS_MAX) {
        groups->n = group_units(&x, SAME_PLACE, p->n_hosts, of_unit, first);
    }
    *out = groups;
    return write_groups(&x, of_unit, groups);
}
