/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/assign/columns.h"

static uint32_t
padded(uint32_t n)
{
    uint32_t whole = n + DCP_ASSIGN_LANES - 1;

    return n ? whole - whole % DCP_ASSIGN_LANES : DCP_ASSIGN_LANES;
}

/* Load of resources that have a price, then balances that have one. */
static uint32_t
count_terms(const struct dcp_assign_problem *p)
{
    uint32_t n = 0;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        n += p->load_weight[r] > 0;
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        n += p->balance[b].weight > 0;
    }
    return n;
}

static void
fill_hosts(struct dcp_assign_columns *c)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        const int64_t *capacity = &p->capacity[(size_t)h * p->n_resources];
        const int64_t *safe = &p->safe[(size_t)h * p->n_resources];
        int64_t *room = &c->room0[(size_t)h * c->room_stride];
        int64_t *term = &c->term0[(size_t)h * c->term_stride];
        uint32_t k = 0;

        for (uint32_t r = 0; r < p->n_resources; r++) {
            if (c->relax_weight) {
                term[c->hard_from + r] = -c->relax_weight[r] * capacity[r];
            } else {
                room[r] = capacity[r];
            }
            if (p->load_weight[r] > 0) {
                term[k++] = -p->load_weight[r] * safe[r];
            }
        }
        for (uint32_t b = 0; b < p->n_balances; b++) {
            const struct dcp_assign_balance *x = &p->balance[b];

            if (x->weight > 0) {
                term[k++] = x->weight * (x->target * capacity[x->first] -
                                         capacity[x->second]);
            }
        }
    }
}

/* What 'item' adds to a host: 'home', to the one it started on. */
static void
fill_item(struct dcp_assign_columns *c, uint32_t item, bool home, int64_t *room)
{
    const struct dcp_assign_problem *p = c->p;
    const int64_t *need = &p->demand[(size_t)item * p->n_resources];
    int64_t *term = room + c->room_stride;
    uint32_t k = 0;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        int64_t takes = home && p->transient[r] ? 0 : need[r];

        if (c->relax_weight) {
            term[c->hard_from + r] = c->relax_weight[r] * takes;
        } else {
            room[r] = takes;
        }
        if (p->load_weight[r] > 0) {
            term[k++] = p->load_weight[r] * need[r];
        }
    }
    for (uint32_t b = 0; b < p->n_balances; b++) {
        const struct dcp_assign_balance *x = &p->balance[b];

        if (x->weight > 0) {
            term[k++] =
                x->weight * (need[x->second] - x->target * need[x->first]);
        }
    }
}

static void
fill_items(struct dcp_assign_columns *c)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        int64_t *away = &c->item_row[2 * (size_t)i * c->row_stride];
        int64_t *home = away + c->row_stride;
        int64_t *room0 = &c->room0[(size_t)p->start[i] * c->room_stride];
        int64_t *term0 = &c->term0[(size_t)p->start[i] * c->term_stride];

        fill_item(c, i, false, away);
        fill_item(c, i, true, home);
        /* The transient part stays at the start whatever happens. */
        for (uint32_t r = 0; r < c->room_stride; r++) {
            room0[r] -= away[r] - home[r];
        }
        for (uint32_t k = c->hard_from; k < c->term_stride; k++) {
            term0[k] += away[c->room_stride + k] - home[c->room_stride + k];
        }
    }
}

static void
fill_sizes(struct dcp_assign_columns *c, double *total)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        total[r] = 1;
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            total[r] += (double)p->capacity[(size_t)h * p->n_resources + r];
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t r = 0; r < p->n_resources; r++) {
            c->size[i] +=
                (double)p->demand[(size_t)i * p->n_resources + r] / total[r];
        }
    }
}

static void
fill_groups(struct dcp_assign_columns *c)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        c->member_start[p->group[i] + 2]++;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        for (uint32_t k = p->dep_start[g]; k < p->dep_start[g + 1]; k++) {
            c->rdep_start[p->dep[k] + 2]++;
        }
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t n = c->member_start[g + 2];

        c->most_members = n > c->most_members ? n : c->most_members;
        c->member_start[g + 2] += c->member_start[g + 1];
        c->rdep_start[g + 2] += c->rdep_start[g + 1];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        c->member[c->member_start[p->group[i] + 1]++] = i;
    }
    for (uint32_t g = 0; g < p->n_groups; g++) {
        for (uint32_t k = p->dep_start[g]; k < p->dep_start[g + 1]; k++) {
            c->rdep[c->rdep_start[p->dep[k] + 1]++] = g;
        }
    }
}

static uint32_t
flags_of(const struct dcp_assign_columns *c, uint32_t g)
{
    const struct dcp_assign_problem *p = c->p;
    uint32_t n = c->member_start[g + 1] - c->member_start[g];
    bool tied = p->dep_start[g + 1] > p->dep_start[g] ||
                c->rdep_start[g + 1] > c->rdep_start[g];

    return (n > 1 ? DCP_ASSIGN_CROWD : 0u) |
           (p->spread_min[g] > 1 ? DCP_ASSIGN_SPREAD : 0u) |
           (tied && p->n_zones > 1 ? DCP_ASSIGN_TIED : 0u) |
           (p->group_move_weight ? DCP_ASSIGN_SPEAKS : 0u);
}

static void
flag_groups(struct dcp_assign_columns *c)
{
    const struct dcp_assign_problem *p = c->p;

    for (uint32_t g = 0; g < p->n_groups; g++) {
        uint32_t flags = flags_of(c, g);

        c->crowd_row[g] = flags & DCP_ASSIGN_CROWD ? c->n_crowds++ : UINT32_MAX;
        c->spread_row[g] =
            flags & DCP_ASSIGN_SPREAD ? c->n_spreads++ : UINT32_MAX;
        c->tied_row[g] = flags & DCP_ASSIGN_TIED ? c->n_tied++ : UINT32_MAX;
        for (uint32_t k = c->member_start[g]; k < c->member_start[g + 1]; k++) {
            uint32_t i = c->member[k];

            c->item[i] = (struct dcp_assign_item){
                .group = g,
                .start = p->start[i],
                .flags = flags,
                .away_cost = p->item_move_weight * p->move_cost[i],
            };
        }
    }
}

/* First prices: of load, or the mean of them where that is more; and the
 * highest with which sums stay within 64 bits. */
static void
first_weights(struct dcp_assign_columns *c, const double total[])
{
    const struct dcp_assign_problem *p = c->p;
    double mean = 0;

    for (uint32_t r = 0; r < p->n_resources; r++) {
        mean += (double)p->load_weight[r] / p->n_resources;
    }
    for (uint32_t r = 0; r < p->n_resources; r++) {
        double weight = (double)p->load_weight[r];
        double first = 1 + DCP_ASSIGN_DEAR * (weight > mean ? weight : mean);
        double most = total[r];

        for (uint32_t i = 0; i < p->n_items; i++) {
            most += 2 * (double)p->demand[(size_t)i * p->n_resources + r];
        }
        most = 1e18 / (most * p->n_resources);
        most = most < 1e5 * first ? most : 1e5 * first;
        c->relax_most[r] =
            most > DCP_ASSIGN_CHEAP ? (int64_t)most : DCP_ASSIGN_CHEAP;
        c->relax_weight[r] = first < most ? (int64_t)first : c->relax_most[r];
    }
}

void
dcp_assign_columns_refill(struct dcp_assign_columns *c)
{
    fill_hosts(c);
    fill_items(c);
}

struct dcp_assign_columns *
dcp_assign_columns_make(struct dcp_arena *arena,
                        const struct dcp_assign_problem *p, bool relaxed,
                        struct dcp_error *err)
{
    struct dcp_assign_columns *c =
        dcp_arena_new(arena, struct dcp_assign_columns);
    double *total = dcp_arena_array(arena, double, p->n_resources);
    uint32_t n_deps = p->dep_start[p->n_groups];

    if (!c || !total) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
        return NULL;
    }
    c->p = p;
    c->hard_from = count_terms(p);
    c->room_stride = relaxed ? 0 : padded(p->n_resources);
    c->term_stride = padded(c->hard_from + (relaxed ? p->n_resources : 0));
    c->row_stride = c->room_stride + c->term_stride;
    c->item_row =
        dcp_arena_array(arena, int64_t, 2 * (size_t)p->n_items * c->row_stride);
    c->item = dcp_arena_array(arena, struct dcp_assign_item, p->n_items);
    c->room0 =
        dcp_arena_array(arena, int64_t, (size_t)p->n_hosts * c->room_stride);
    c->term0 =
        dcp_arena_array(arena, int64_t, (size_t)p->n_hosts * c->term_stride);
    c->crowd_row = dcp_arena_array(arena, uint32_t, p->n_groups);
    c->spread_row = dcp_arena_array(arena, uint32_t, p->n_groups);
    c->tied_row = dcp_arena_array(arena, uint32_t, p->n_groups);
    c->member_start = dcp_arena_array(arena, uint32_t, p->n_groups + 2u);
    c->member = dcp_arena_array(arena, uint32_t, p->n_items);
    c->rdep_start = dcp_arena_array(arena, uint32_t, p->n_groups + 2u);
    c->rdep = dcp_arena_array(arena, uint32_t, n_deps);
    c->size = dcp_arena_array(arena, double, p->n_items);
    c->relax_most = dcp_arena_array(arena, int64_t, p->n_resources);
    c->relax_weight =
        relaxed ? dcp_arena_array(arena, int64_t, p->n_resources) : NULL;
    if (!c->item_row || !c->item || !c->room0 || !c->term0 || !c->crowd_row ||
        !c->spread_row || !c->tied_row || !c->member_start || !c->member ||
        !c->rdep_start || !c->rdep || !c->size || !c->relax_most ||
        (relaxed && !c->relax_weight)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to assign items");
        return NULL;
    }
    fill_sizes(c, total);
    if (relaxed) {
        first_weights(c, total);
    }
    dcp_assign_columns_refill(c);
    fill_groups(c);
    flag_groups(c);
    return c;
}
