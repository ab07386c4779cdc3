/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RANDOM_ASSIGN_H
#define DCP_TESTS_RANDOM_ASSIGN_H 1

/* Small random reassignment problems whose start is legal: capacities, spreads
 * and dependencies are drawn around it.  All rules and costs occur. */

#include "model/base/rng.h"
#include "solver/assign/assign.h"

#include <stdlib.h>

struct random_assign {
    uint32_t hosts, items, groups;
};

static uint32_t
draw(struct dcp_rng *rng, uint32_t low, uint32_t high)
{
    return low + (uint32_t)dcp_rng_below(rng, high - low + 1);
}

static void *
room_for(struct dcp_arena *arena, size_t n, size_t size)
{
    void *data = dcp_arena_calloc(arena, n, size);

    if (!data) {
        abort();
    }
    return data;
}

/* Groups of the items, such that no two of one start on one host. */
static uint32_t *
draw_groups(struct dcp_arena *arena, struct dcp_rng *rng,
            const struct dcp_assign_problem *p)
{
    uint32_t *group = room_for(arena, p->n_items, sizeof *group);

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t tries = 0, ok = 0; !ok; tries++) {
            group[i] = tries < 20 ? draw(rng, 0, p->n_groups - 1) : i;
            ok = 1;
            for (uint32_t k = 0; k < i; k++) {
                ok &= group[k] != group[i] || p->start[k] != p->start[i];
            }
        }
    }
    return group;
}

/* 'g' has an item where each item of 'needs' is: it may be depended on. */
static bool
goes_with(const struct dcp_assign_problem *p, uint32_t needs, uint32_t g)
{
    for (uint32_t i = 0; i < p->n_items; i++) {
        bool found = p->group[i] != needs;

        for (uint32_t k = 0; k < p->n_items; k++) {
            found |= p->group[k] == g &&
                     p->zone[p->start[k]] == p->zone[p->start[i]];
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static void
draw_rules(struct dcp_arena *arena, struct dcp_rng *rng,
           struct dcp_assign_problem *p)
{
    uint32_t *spread = room_for(arena, p->n_groups, sizeof *spread);
    uint32_t *start = room_for(arena, p->n_groups + 1u, sizeof *start);
    uint32_t *dep =
        room_for(arena, (size_t)p->n_groups * p->n_groups, sizeof *dep);
    uint32_t n = 0;

    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t places = 0;

        for (uint32_t place = 0; place < p->n_places; place++) {
            uint32_t here = 0;

            for (uint32_t i = 0; i < p->n_items; i++) {
                here |= p->group[i] == g && p->place[p->start[i]] == place;
            }
            places += here;
        }
        spread[g] = draw(rng, 0, places);
        for (uint32_t d = 0; d < p->n_groups; d++) {
            if (draw(rng, 0, 3) == 0 && goes_with(p, g, d)) {
                dep[n++] = d;
            }
        }
        start[g + 1] = n;
    }
    p->spread_min = spread;
    p->dep_start = start;
    p->dep = dep;
}

static void
draw_hosts(struct dcp_arena *arena, struct dcp_rng *rng,
           struct dcp_assign_problem *p)
{
    size_t m = p->n_resources;
    int64_t *capacity = room_for(arena, p->n_hosts * m, sizeof *capacity);
    int64_t *safe = room_for(arena, p->n_hosts * m, sizeof *safe);
    uint32_t *pair =
        room_for(arena, (size_t)p->n_hosts * p->n_hosts, sizeof *pair);

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t r = 0; r < m; r++) {
            capacity[p->start[i] * m + r] += p->demand[i * m + r];
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        for (uint32_t r = 0; r < m; r++) {
            capacity[h * m + r] += draw(rng, 0, 12);
            safe[h * m + r] = draw(rng, 0, (uint32_t)capacity[h * m + r]);
        }
        for (uint32_t k = 0; k < p->n_hosts; k++) {
            pair[h * p->n_hosts + k] = k == h ? 0 : draw(rng, 0, 4);
        }
    }
    p->capacity = capacity;
    p->safe = safe;
    p->host_move_cost = pair;
}

static struct dcp_assign_problem
random_assign(struct dcp_arena *arena, struct dcp_rng *rng,
              struct random_assign size)
{
    struct dcp_assign_problem p = {
        .n_resources = draw(rng, 1, 3),
        .n_hosts = size.hosts,
        .n_groups = size.groups < size.items ? size.items : size.groups,
        .n_items = size.items,
        .n_balances = draw(rng, 0, 2),
        .n_places = draw(rng, 1, 3),
        .n_zones = draw(rng, 1, 3),
        .item_move_weight = draw(rng, 0, 2),
        .group_move_weight = draw(rng, 0, 3),
        .host_move_weight = draw(rng, 0, 2),
    };
    bool *transient = room_for(arena, p.n_resources, sizeof *transient);
    int64_t *weight = room_for(arena, p.n_resources, sizeof *weight);
    uint32_t *place = room_for(arena, p.n_hosts, sizeof *place);
    uint32_t *zone = room_for(arena, p.n_hosts, sizeof *zone);
    uint32_t *start = room_for(arena, p.n_items, sizeof *start);
    int64_t *demand =
        room_for(arena, (size_t)p.n_items * p.n_resources, sizeof *demand);
    int64_t *cost = room_for(arena, p.n_items, sizeof *cost);
    struct dcp_assign_balance *balance =
        room_for(arena, p.n_balances, sizeof *balance);

    for (uint32_t r = 0; r < p.n_resources; r++) {
        transient[r] = draw(rng, 0, 2) == 0;
        weight[r] = draw(rng, 0, 3);
    }
    for (uint32_t h = 0; h < p.n_hosts; h++) {
        place[h] = draw(rng, 0, p.n_places - 1);
        zone[h] = draw(rng, 0, p.n_zones - 1);
    }
    for (uint32_t i = 0; i < p.n_items; i++) {
        start[i] = draw(rng, 0, p.n_hosts - 1);
        cost[i] = draw(rng, 0, 3);
        for (uint32_t r = 0; r < p.n_resources; r++) {
            demand[i * p.n_resources + r] = draw(rng, 0, 9);
        }
    }
    for (uint32_t b = 0; b < p.n_balances; b++) {
        balance[b] =
            (struct dcp_assign_balance){ draw(rng, 0, p.n_resources - 1),
                                         draw(rng, 0, p.n_resources - 1),
                                         draw(rng, 0, 3), draw(rng, 0, 3) };
    }
    p.transient = transient;
    p.load_weight = weight;
    p.place = place;
    p.zone = zone;
    p.start = start;
    p.demand = demand;
    p.move_cost = cost;
    p.balance = balance;
    p.group = draw_groups(arena, rng, &p);
    draw_rules(arena, rng, &p);
    draw_hosts(arena, rng, &p);
    return p;
}

#endif /* tests/support/random_assign.h */
