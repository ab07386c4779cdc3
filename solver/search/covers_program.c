/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/covers.h"

#include "solver/lp/apart.h"

#include <math.h>
#include <stdlib.h>

#define CHORD_LOW   0.3 /* Watts are a chord over the curve. */
#define CHORD_HIGH  0.7
#define NODES       400u
#define PROGRAM_S   3.0
#define COUNTED_S   60.0
#define PROGRAM_MIB 512u

/* --- Licences, covers, kinds ------------------------------------------- */

/* False: some are of hosts that are licensed anyway, or depend on the
 * hypervisor as well. */
static bool
find_licences(struct covers *c)
{
    const struct dcp_pricing *g = c->x->p->pricing;

    if (!dcp_pricing_counts_licences(c->x->p, 0) || c->x->p->conversions) {
        return false;
    }
    for (uint32_t k = 0; k < g->n_licences; k++) {
        const struct dcp_licence *l =
            &c->x->p->q->inventory->licences[g->licence[k].licence];

        if (l->of_hypervisor || g->licence[k].floor_vms ||
            c->n_licences == DCP_COVER_LICENCES_MAX) {
            return false;
        }
        c->licence[c->n_licences++] = k;
    }
    return c->n_licences > 0;
}

static void
find_needs(struct covers *c)
{
    const struct dcp_problem *p = c->x->p;
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t i = 0; i < p->n_items; i++) {
        c->needs[i] = 0;
        for (uint32_t j = g->first_of_item[i]; j < g->first_of_item[i + 1];
             j++) {
            c->needs[i] |= UINT32_C(1) << g->of_item[j].slot;
        }
    }
}

static bool
add_cover(struct covers *c, uint32_t cover)
{
    for (uint32_t k = 0; k < c->n_covers; k++) {
        if (c->cover[k] == cover) {
            return true;
        }
    }
    if (c->n_covers == DCP_COVERS_MAX) {
        return false;
    }
    c->cover[c->n_covers++] = cover;
    return true;
}

/* All that items need, and two of these together. */
static bool
find_covers(struct covers *c)
{
    bool ok = add_cover(c, 0);

    for (uint32_t i = 0; ok && i < c->x->p->n_items; i++) {
        ok = add_cover(c, c->needs[i]);
    }
    uint32_t n = c->n_covers;

    for (uint32_t a = 0; ok && a < n; a++) {
        for (uint32_t b = a + 1; ok && b < n; b++) {
            ok = add_cover(c, c->cover[a] | c->cover[b]);
        }
    }
    return ok && n > 1;
}

/* What a host of the type pays for a cover. */
double
dcp_covers_price(const struct covers *c, uint32_t host, uint32_t cover)
{
    const struct dcp_problem *p = c->x->p;
    double price = 0;

    for (uint32_t k = 0; k < c->n_licences; k++) {
        const struct dcp_priced_licence *l =
            &p->pricing->licence[c->licence[k]];

        if (cover >> c->licence[k] & 1) {
            price += p->pricing->level[0].licence * l->unit_price *
                     dcp_pricing_units(p, l, host, 1, 1);
        }
    }
    return price;
}

/* Types that have a host within reach, by reach class. */
static void
types_in_reach(const struct covers *c, uint32_t *out)
{
    const struct dcp_problem *p = c->x->p;

    for (uint32_t k = 0; k < p->n_classes; k++) {
        const uint64_t *row = p->reach + (size_t)k * p->reach_words;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (row[h / 64] >> (h % 64) & 1 && dcp_problem_may_hold(p, h)) {
                out[k] |= UINT32_C(1) << p->type_of_host[h];
            }
        }
    }
}

static uint32_t
region_of_item(const struct covers *c, uint32_t item)
{
    return c->x->bound->region[c->x->s->host[item]];
}

static void
add_to_kind(struct covers *c, struct cover_kind *to, uint32_t item)
{
    const struct dcp_problem *p = c->x->p;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        to->size[r] += p->request[(size_t)item * p->n_scalars + r];
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        to->mhz[t] += p->cpu_mhz[(size_t)item * p->stride + t];
    }
    for (uint32_t k = 0; k < c->n_slots; k++) {
        to->size[p->n_scalars + k] +=
            p->cpu_mhz[(size_t)item * p->stride + c->slot[k]];
    }
}

static bool
find_kinds(struct covers *c, const uint32_t *types)
{
    const struct dcp_problem *p = c->x->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        struct cover_kind want = { .region = region_of_item(c, i),
                                   .cover = c->needs[i],
                                   .types = types[p->reach_class[i]] };
        uint32_t k = 0;

        while (k < c->n_kinds && (c->kind[k].region != want.region ||
                                  c->kind[k].cover != want.cover ||
                                  c->kind[k].types != want.types)) {
            k++;
        }
        if (k == DCP_COVER_KINDS_MAX) {
            return false;
        }
        if (k == c->n_kinds) {
            want.mhz = c->mhz + (size_t)k * p->n_slots;
            c->kind[c->n_kinds++] = want;
        }
        c->kind_of[i] = k;
        add_to_kind(c, &c->kind[k], i);
    }
    return true;
}

/* The slots with the highest demand. */
static void
find_slots(struct covers *c, double *sum)
{
    const struct dcp_problem *p = c->x->p;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        for (uint32_t i = 0; i < p->n_items; i++) {
            sum[t] += p->cpu_mhz[(size_t)i * p->stride + t] + 1.0;
        }
    }
    while (c->n_slots < DCP_COVER_SLOTS && c->n_slots < p->n_slots) {
        uint32_t best = 0;

        for (uint32_t t = 1; t < p->n_slots; t++) {
            best = sum[t] > sum[best] ? t : best;
        }
        c->slot[c->n_slots++] = best;
        sum[best] = 0;
    }
    c->n_resources = p->n_scalars + c->n_slots;
}

static double
capacity(const struct covers *c, uint32_t host, uint32_t resource)
{
    const struct dcp_problem *p = c->x->p;

    return resource < p->n_scalars
               ? p->cap[(size_t)resource * p->n_hosts + host]
               : p->cap_cpu_mhz[host];
}

/* --- The program -------------------------------------------------------- */

size_t
dcp_covers_quota(const struct covers *c, uint32_t region, uint32_t type,
                 uint32_t cover)
{
    return ((size_t)region * c->n_types + type) * c->n_covers + cover;
}

/* Hosts of the region and type that may be on; 'n_must' of them are anyway. */
static uint32_t
count_hosts(const struct covers *c, uint32_t region, uint32_t type,
            uint32_t *n_must)
{
    const struct dcp_problem *p = c->x->p;
    uint32_t n = 0;

    *n_must = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (c->x->bound->region[h] == region && p->type_of_host[h] == type &&
            dcp_problem_may_hold(p, h) && dcp_insert_is_open(&c->x->in, h)) {
            n++;
            *n_must += p->use[h] == DCP_HOST_KEEP;
        }
    }
    return n;
}

/* What watts cost on a host: 'idle' of being on, 'load' of so many MHz by
 * slot. */
static void
energy(const struct covers *c, uint32_t host, const double *mhz,
       double *out_idle, double *out_load)
{
    const struct dcp_problem *p = c->x->p;
    const double *factor = p->pricing->level[0].factor;
    double idle_w, slope_w;

    dcp_pricing_chord(p, host, CHORD_LOW, CHORD_HIGH, &idle_w, &slope_w);
    *out_idle = *out_load = 0;
    for (uint32_t t = 0; factor && t < p->n_slots; t++) {
        double price =
            factor[(size_t)p->pricing->site_row[host] * p->n_slots + t];

        *out_idle += price * idle_w;
        *out_load += mhz ? price * slope_w * mhz[t] : 0;
    }
}

/* Columns of hosts by type and cover, and the rows that count them. */
static bool
add_hosts(struct covers *c, struct dcp_lp *lp, const uint32_t *excess)
{
    const struct dcp_problem *p = c->x->p;
    bool ok = true;

    for (uint32_t at = 0; ok && at < c->x->bound->n_regions * c->n_types;
         at++) {
        uint32_t t = at % c->n_types, n_must, host = c->example[t];
        uint32_t n = count_hosts(c, at / c->n_types, t, &n_must);
        uint32_t row = dcp_lp_add_row(lp, n_must, n);

        ok = row != UINT32_MAX;
        double idle, load;

        energy(c, host, NULL, &idle, &load);
        for (uint32_t k = 0; ok && k < c->n_covers; k++) {
            double price = idle + p->pricing->level[0].per_host;

            for (uint32_t l = 0; l < c->n_licences; l++) {
                uint32_t one = UINT32_C(1) << c->licence[l];

                price += excess[l] == UINT32_MAX
                             ? dcp_covers_price(c, host, c->cover[k] & one)
                             : 0;
            }
            uint32_t col = dcp_lp_add_col(lp, 0, n, price, true);

            ok = col == dcp_covers_quota(c, at / c->n_types, t, k) &&
                 dcp_lp_set(lp, row, col, 1);
            for (uint32_t l = 0; ok && l < c->n_licences; l++) {
                double units = dcp_pricing_units(
                    p, &p->pricing->licence[c->licence[l]], host, 1, 1);

                if (excess[l] != UINT32_MAX &&
                    c->cover[k] >> c->licence[l] & 1) {
                    ok = dcp_lp_set(lp, excess[l], col, -units);
                }
            }
        }
    }
    return ok;
}

/* Shares of a kind on each sort of host that may hold it; 'room' has the rows
 * of each sort. */
static bool
add_shares(struct covers *c, struct dcp_lp *lp, const struct cover_kind *kind,
           uint32_t room)
{
    uint32_t all = dcp_lp_add_row(lp, 1, 1);
    bool ok = all != UINT32_MAX;

    for (uint32_t t = 0; ok && t < c->n_types; t++) {
        for (uint32_t k = 0; ok && k < c->n_covers; k++) {
            if (!(kind->types >> t & 1) || kind->cover & ~c->cover[k]) {
                continue;
            }
            double idle, load;

            energy(c, c->example[t], kind->mhz, &idle, &load);
            uint32_t col = dcp_lp_add_col(lp, 0, 1, load, false);
            uint32_t row =
                room + (uint32_t)dcp_covers_quota(c, kind->region, t, k) *
                           c->n_resources;

            ok = col != UINT32_MAX && dcp_lp_set(lp, all, col, 1);
            for (uint32_t r = 0; ok && r < c->n_resources; r++) {
                double mean = capacity(c, c->example[t], r) + 1;

                ok = dcp_lp_set(lp, row + r, col, kind->size[r] / mean);
            }
        }
    }
    return ok;
}

/* How many hosts the rule asks for that have the licence: members of a spread
 * rule are on as many; sides of a separate rule on two. */
static uint32_t
hosts_asked(const struct covers *c, const struct dcp_group *g, uint32_t region,
            uint32_t licence)
{
    uint32_t n = 0, n_others = 0;

    for (uint32_t k = 0; k < g->n_items; k++) {
        n += c->needs[g->items[k]] >> licence & 1 &&
             region_of_item(c, g->items[k]) == region;
    }
    for (uint32_t k = 0; k < g->n_others; k++) {
        n_others += c->needs[g->others[k]] >> licence & 1 &&
                    region_of_item(c, g->others[k]) == region;
    }
    return g->rule->kind == DCP_RULE_SPREAD ? n
           : g->rule->kind == DCP_RULE_SEPARATE
               ? (n > 0 ? 1u : 0u) + (n_others > 0 ? 1u : 0u)
               : 0;
}

/* A licence is on as many hosts as the rule that asks for most. */
static bool
add_rules(struct covers *c, struct dcp_lp *lp, uint32_t region,
          uint32_t licence)
{
    const struct dcp_problem *p = c->x->p;
    uint32_t most = 0;

    for (uint32_t k = 0; k < p->n_groups; k++) {
        if (dcp_rule_is_hard(p->q, p->groups[k].rule)) {
            uint32_t n = hosts_asked(c, &p->groups[k], region, licence);

            most = n > most ? n : most;
        }
    }
    uint32_t row = dcp_lp_add_row(lp, most, DCP_LP_INF);
    bool ok = row != UINT32_MAX;

    for (uint32_t t = 0; ok && t < c->n_types; t++) {
        for (uint32_t k = 0; ok && k < c->n_covers; k++) {
            ok = !(c->cover[k] >> licence & 1) ||
                 dcp_lp_set(lp, row,
                            (uint32_t)dcp_covers_quota(c, region, t, k), 1);
        }
    }
    return ok;
}

/* What a packed set covers is on its hosts. */
static bool
add_set(struct covers *c, struct dcp_lp *lp, const struct cover_set *set)
{
    bool ok = true;

    for (uint32_t t = 0; ok && t < c->n_types; t++) {
        double n = dcp_covers_set_hosts(c, set, t);
        uint32_t row = dcp_lp_add_row(lp, n, n);

        ok = row != UINT32_MAX;
        for (uint32_t k = 0; ok && k < c->n_covers; k++) {
            ok =
                !(c->cover[k] >> set->licence & 1) ||
                dcp_lp_set(lp, row,
                           (uint32_t)dcp_covers_quota(c, set->region, t, k), 1);
        }
    }
    return ok;
}

/* How full hosts with the cover of the column are planned to be: those of a set
 * are packed. */
static double
fill_of(const struct covers *c, uint32_t quota)
{
    uint32_t cover = c->cover[quota % c->n_covers];
    uint32_t region = quota / (c->n_types * c->n_covers);

    return dcp_covers_set_of(c, region, cover) ? 1 : c->fill_frac;
}

static bool
write_program(struct covers *c, struct dcp_lp *lp)
{
    const struct dcp_pricing *g = c->x->p->pricing;
    uint32_t n_quotas = c->x->bound->n_regions * c->n_types * c->n_covers;
    uint32_t excess[DCP_COVER_LICENCES_MAX], room = UINT32_MAX;
    bool ok = true;

    for (uint32_t l = 0; l < c->n_licences; l++) {
        double floor = ceil(g->licence[c->licence[l]].floor_units - 1e-9);

        excess[l] =
            floor > 0 ? dcp_lp_add_row(lp, -floor, DCP_LP_INF) : UINT32_MAX;
    }
    ok = add_hosts(c, lp, excess);
    for (uint32_t l = 0; ok && l < c->n_licences; l++) {
        if (excess[l] != UINT32_MAX) {
            uint32_t col = dcp_lp_add_col(
                lp, 0, DCP_LP_INF,
                g->level[0].licence * g->licence[c->licence[l]].unit_price,
                false);

            ok = col != UINT32_MAX && dcp_lp_set(lp, excess[l], col, 1);
        }
    }
    for (uint32_t k = 0; ok && k < n_quotas * c->n_resources; k++) {
        uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);

        room = k ? room : row;
        ok = row != UINT32_MAX && dcp_lp_set(lp, row, k / c->n_resources,
                                             -fill_of(c, k / c->n_resources));
    }
    for (uint32_t k = 0; ok && k < c->n_kinds; k++) {
        ok = add_shares(c, lp, &c->kind[k], room);
    }
    for (uint32_t k = 0; ok && k < c->x->bound->n_regions * c->n_licences;
         k++) {
        ok = add_rules(c, lp, k / c->n_licences, c->licence[k % c->n_licences]);
    }
    for (uint32_t k = 0; ok && k < c->n_sets; k++) {
        ok = add_set(c, lp, &c->set[k]);
    }
    return ok;
}

bool
dcp_covers_solve(struct covers *c, bool *out_solved, struct dcp_error *err)
{
    const struct search *x = c->x;
    uint32_t n = x->bound->n_regions * c->n_types * c->n_covers;
    struct dcp_worker_limits limits = { PROGRAM_S, PROGRAM_MIB };
    struct dcp_lp_options options = { .integer = true, .node_limit = NODES };
    struct dcp_lp_answer answer;
    struct dcp_error died = { 0 };
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(err);

    *out_solved = false;
    if (!lp || !write_program(c, lp)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    DCP_FREE double *values = calloc(dcp_lp_n_cols(lp) + 1u, sizeof *values);

    if (!values) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (x->options->iterations) { /* Nodes end it, not the clock. */
        limits.deadline_s = COUNTED_S;
    }
    if (!dcp_lp_solve_apart(lp, &options, &limits, &answer, values, &died)) {
        return died.code != DCP_E_BUG ||
               dcp_fail(err, died.code, "%s", died.message);
    }
    *out_solved =
        answer.status == DCP_LP_OPTIMAL || answer.status == DCP_LP_FEASIBLE;
    for (uint32_t k = 0; k < n; k++) {
        c->n_hosts[k] = floor(values[k] + 0.5);
    }
    return true;
}

/* What the licences of a kind cost per memory of the host that is best. */
static void
price_kinds(struct covers *c)
{
    for (uint32_t k = 0; k < c->n_kinds; k++) {
        c->kind[k].price = INFINITY;
        for (uint32_t t = 0; t < c->n_types; t++) {
            double price =
                dcp_covers_price(c, c->example[t], c->kind[k].cover) /
                (capacity(c, c->example[t], 0) + 1);

            if (c->kind[k].types >> t & 1) {
                c->kind[k].price = fmin(c->kind[k].price, price);
            }
        }
    }
}

bool
dcp_covers_prepare(struct covers *c, bool *out_ready, struct dcp_error *err)
{
    const struct dcp_problem *p = c->x->p;
    DCP_FREE uint32_t *types = calloc(p->n_classes + 1u, sizeof *types);
    DCP_FREE double *sums = calloc(p->n_slots + 1u, sizeof *sums);

    if (!types || !sums) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (p->n_types > DCP_COVER_TYPES_MAX || c->x->s->n_unplaced ||
        !find_licences(c)) {
        return true;
    }
    c->n_types = p->n_types;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        c->example[p->type_of_host[h]] = h;
    }
    find_needs(c);
    find_slots(c, sums);
    types_in_reach(c, types);
    *out_ready = find_covers(c) && find_kinds(c, types);
    price_kinds(c);
    return true;
}
