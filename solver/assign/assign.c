/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/assign.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums are kept this far below 2^63, so that a sum of two is still one. */
#define MOST 2.3e18

static bool
too_large(const char *what, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_ARGUMENT,
                    "%s: numbers too large to add up in 64 bits", what);
}

static bool
check_indices(const struct dcp_assign_problem *p, struct dcp_error *err)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (p->place[h] >= p->n_places || p->zone[h] >= p->n_zones) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "host %u: its place or zone does not exist", h);
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (p->group[i] >= p->n_groups || p->start[i] >= p->n_hosts) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "item %u: its group or host does not exist", i);
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        for (uint32_t k = p->dep_start[g]; k < p->dep_start[g + 1]; k++) {
            if (p->dep[k] >= p->n_groups) {
                return dcp_fail(err, DCP_E_ARGUMENT,
                                "group %u depends on one that does not exist",
                                g);
            }
        }
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        if (p->balance[b].first >= p->n_resources ||
            p->balance[b].second >= p->n_resources) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "balance %u: its resource does not exist", b);
        }
    }
    return true;
}

static bool
all_from_zero(const int64_t *value, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (value[k] < 0) {
            return false;
        }
    }
    return true;
}

/* The largest that free or used room of resource 'r' can be, over all hosts. */
static double
most_of(const struct dcp_assign_problem *p, uint32_t r)
{
    double sum = 1;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        size_t k = (size_t)h * p->n_resources + r;

        sum += (double)p->capacity[k] + (double)p->safe[k];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        /* Twice: the search puts items on hosts before it takes some off. */
        sum += 2 * (double)p->demand[(size_t)i * p->n_resources + r];
    }
    return sum;
}

static bool
check_sums(const struct dcp_assign_problem *p, struct dcp_error *err)
{
    double total = 0, moves = 0, pairs = 0;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        double most = most_of(p, r);

        if (most > MOST) {
            return too_large("capacities and demands", err);
        }
        /* Capacities have a price too where they are relaxed. */
        total += most * ((double)p->load_weight[r] + 5);
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        const struct dcp_assign_balance *x = &p->balance[b];

        total += (double)x->weight * ((double)x->target * most_of(p, x->first) +
                                      most_of(p, x->second));
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        moves += (double)p->move_cost[i];
    }
    for (size_t k = 0; k < (size_t)p->n_hosts * p->n_hosts; k++) {
        pairs = fmax(pairs, (double)p->host_move_cost[k]);
    }
    total += moves * (double)p->item_move_weight +
             pairs * (double)p->n_items * (double)p->host_move_weight +
             (double)p->n_items * (double)p->group_move_weight;
    return total < MOST || too_large("costs", err);
}

bool
dcp_assign_check(const struct dcp_assign_problem *p, struct dcp_error *err)
{
    size_t rows = (size_t)p->n_hosts * p->n_resources;
    bool ok = check_indices(p, err);

    if (!ok) {
        return false;
    }
    ok = all_from_zero(p->load_weight, p->n_resources) &&
         all_from_zero(p->capacity, rows) && all_from_zero(p->safe, rows) &&
         all_from_zero(p->demand, (size_t)p->n_items * p->n_resources) &&
         all_from_zero(p->move_cost, p->n_items) && p->item_move_weight >= 0 &&
         p->group_move_weight >= 0 && p->host_move_weight >= 0;
    for (uint32_t b = 0; ok && b < p->n_balances; b++) {
        ok = p->balance[b].target >= 0 && p->balance[b].weight >= 0;
    }
    if (!ok) {
        return dcp_fail(err, DCP_E_ARGUMENT, "a number is negative");
    }
    return check_sums(p, err);
}

/* --- the recount --------------------------------------------------------- */

struct recount {
    const struct dcp_assign_problem *p;
    const uint32_t *at;
    int64_t *use, *left; /* [host * n_resources + resource]; 'left': of items
                          * that have moved away, transient only. */
    uint32_t *member_start, *member;  /* Items by group. */
    uint32_t *seen_host, *seen_place; /* Last group (+ 1) seen there. */
    uint32_t *n_in_zone; /* [group with dependencies or depended on, zone] */
};

static bool
make(struct recount *c, struct dcp_arena *arena)
{
    const struct dcp_assign_problem *p = c->p;
    size_t rows = (size_t)p->n_hosts * p->n_resources;

    c->use = dcp_arena_array(arena, int64_t, rows);
    c->left = dcp_arena_array(arena, int64_t, rows);
    c->member_start = dcp_arena_array(arena, uint32_t, p->n_groups + 2u);
    c->member = dcp_arena_array(arena, uint32_t, p->n_items);
    c->seen_host = dcp_arena_array(arena, uint32_t, p->n_hosts);
    c->seen_place = dcp_arena_array(arena, uint32_t, p->n_places);
    c->n_in_zone = dcp_arena_array(arena, uint32_t, p->n_zones);
    if (!c->use || !c->left || !c->member_start || !c->member ||
        !c->seen_host || !c->seen_place || !c->n_in_zone) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        c->member_start[p->group[i] + 2]++;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        c->member_start[g + 2] += c->member_start[g + 1];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        c->member[c->member_start[p->group[i] + 1]++] = i;
    }
    return true;
}

static bool
capacity_holds(struct recount *c, struct dcp_error *err)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t r = 0; r < p->n_resources; r++) {
            int64_t need = p->demand[(size_t)i * p->n_resources + r];

            c->use[(size_t)c->at[i] * p->n_resources + r] += need;
            if (p->transient[r] && c->at[i] != p->start[i]) {
                c->left[(size_t)p->start[i] * p->n_resources + r] += need;
            }
        }
    }
    for (size_t k = 0; k < (size_t)p->n_hosts * p->n_resources; k++) {
        if (c->use[k] + c->left[k] > p->capacity[k]) {
            return dcp_fail(
                err, DCP_E_REFUSED, "host %zu has too little of resource %zu%s",
                k / p->n_resources, k % p->n_resources,
                c->use[k] > p->capacity[k] ? ""
                                           : " while items move (transient)");
        }
    }
    return true;
}

/* Conflict and spread of one group. */
static bool
group_holds(struct recount *c, uint32_t g, struct dcp_error *err)
{
    const struct dcp_assign_problem *p = c->p;
    uint32_t n_places = 0;

    for (uint32_t k = c->member_start[g]; k < c->member_start[g + 1]; k++) {
        uint32_t h = c->at[c->member[k]];

        if (c->seen_host[h] == g + 1) {
            return dcp_fail(err, DCP_E_REFUSED,
                            "two items of group %u are on host %u (conflict)",
                            g, h);
        }
        c->seen_host[h] = g + 1;
        n_places += c->seen_place[p->place[h]] != g + 1;
        c->seen_place[p->place[h]] = g + 1;
    }
    if (n_places < p->spread_min[g]) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "group %u is in %u places, not %u (spread)", g,
                        n_places, p->spread_min[g]);
    }
    return true;
}

static bool
dependencies_hold(struct recount *c, uint32_t g, struct dcp_error *err)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t k = p->dep_start[g]; k < p->dep_start[g + 1]; k++) {
        uint32_t d = p->dep[k];

        memset(c->n_in_zone, 0, p->n_zones * sizeof *c->n_in_zone);
        for (uint32_t m = c->member_start[d]; m < c->member_start[d + 1]; m++) {
            c->n_in_zone[p->zone[c->at[c->member[m]]]]++;
        }
        for (uint32_t m = c->member_start[g]; m < c->member_start[g + 1]; m++) {
            uint32_t zone = p->zone[c->at[c->member[m]]];

            if (!c->n_in_zone[zone]) {
                return dcp_fail(err, DCP_E_REFUSED,
                                "group %u is in zone %u without group %u "
                                "(dependency)",
                                g, zone, d);
            }
        }
    }
    return true;
}

static void
add_up(const struct recount *c, struct dcp_assign_cost *out)
{
    const struct dcp_assign_problem *p = c->p;
    int64_t most_moved = 0;

    *out = (struct dcp_assign_cost){ 0 };
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        const int64_t *use = &c->use[(size_t)h * p->n_resources];
        const int64_t *safe = &p->safe[(size_t)h * p->n_resources];
        const int64_t *capacity = &p->capacity[(size_t)h * p->n_resources];

        for (uint32_t r = 0; r < p->n_resources; r++) {
            if (use[r] > safe[r]) {
                out->load += p->load_weight[r] * (use[r] - safe[r]);
            }
        }
        for (uint32_t b = 0; b < p->n_balances; b++) {
            const struct dcp_assign_balance *x = &p->balance[b];
            int64_t short_by =
                x->target * (capacity[x->first] - use[x->first]) -
                (capacity[x->second] - use[x->second]);

            if (short_by > 0) {
                out->balance += x->weight * short_by;
            }
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        int64_t moved = 0;

        for (uint32_t k = c->member_start[g]; k < c->member_start[g + 1]; k++) {
            uint32_t i = c->member[k];

            if (c->at[i] != p->start[i]) {
                moved++;
                out->item_moves += p->item_move_weight * p->move_cost[i];
                out->host_moves +=
                    p->host_move_weight *
                    p->host_move_cost[(size_t)p->start[i] * p->n_hosts +
                                      c->at[i]];
            }
        }
        out->n_moved += (uint32_t)moved;
        most_moved = moved > most_moved ? moved : most_moved;
    }
    out->group_moves = p->group_move_weight * most_moved;
    out->total = out->load + out->balance + out->item_moves + out->group_moves +
                 out->host_moves;
}

bool
dcp_assign_measure(const struct dcp_assign_problem *p, const uint32_t at[],
                   struct dcp_assign_cost *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct recount c = { .p = p, .at = at };

    if (!arena || !make(&c, arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to count an assignment");
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (at[i] >= p->n_hosts) {
            return dcp_fail(err, DCP_E_REFUSED, "item %u is on no host", i);
        }
    }
    if (!capacity_holds(&c, err)) {
        return false;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (!group_holds(&c, g, err) || !dependencies_hold(&c, g, err)) {
            return false;
        }
    }
    add_up(&c, out);
    return true;
}

int64_t
dcp_assign_bound_simple(const struct dcp_assign_problem *p)
{
    int64_t bound = 0;
    /* Free room of all hosts, and what is above 'safe', per resource. */
    for (uint32_t r = 0; r < p->n_resources; r++) {
        int64_t above = 0;

        for (uint32_t i = 0; i < p->n_items; i++) {
            above += p->demand[(size_t)i * p->n_resources + r];
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            above -= p->safe[(size_t)h * p->n_resources + r];
        }
        bound += above > 0 ? p->load_weight[r] * above : 0;
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        const struct dcp_assign_balance *x = &p->balance[b];
        int64_t free1 = 0, free2 = 0;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            const int64_t *c = &p->capacity[(size_t)h * p->n_resources];

            free1 += c[x->first];
            free2 += c[x->second];
        }
        for (uint32_t i = 0; i < p->n_items; i++) {
            const int64_t *d = &p->demand[(size_t)i * p->n_resources];

            free1 -= d[x->first];
            free2 -= d[x->second];
        }
        int64_t short_by = x->target * free1 - free2;

        bound += short_by > 0 ? x->weight * short_by : 0;
    }
    return bound;
}
