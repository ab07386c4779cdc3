/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/objective.h"

#include "solver/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Memory ------------------------------------------------------------- */

void
dcp_objective_destroy(struct dcp_objective *o)
{
    if (o) {
        free(o->host);
        free(o->touched);
        free(o->queue);
        free(o->n_vms);
        free(o->n_vcpus);
        free(o->units);
        free(o->all_units);
        free(o);
    }
}

struct dcp_objective *
dcp_objective_create(const struct dcp_problem *p)
{
    size_t cells = (size_t)p->pricing->n_licences * p->n_hosts + 1;
    struct dcp_objective *o = calloc(1, sizeof *o);

    if (!o) {
        return NULL;
    }
    o->host = calloc(p->n_hosts + 1u, sizeof *o->host);
    o->touched = calloc(p->n_hosts + 1u, 1);
    o->queue = calloc(p->n_hosts + 1u, sizeof *o->queue);
    o->n_vms = calloc(cells, sizeof *o->n_vms);
    o->n_vcpus = calloc(cells, sizeof *o->n_vcpus);
    o->units = calloc(cells, sizeof *o->units);
    o->all_units = calloc(p->pricing->n_licences + 1u, sizeof *o->all_units);
    if (!o->host || !o->touched || !o->queue || !o->n_vms || !o->n_vcpus ||
        !o->units || !o->all_units) {
        dcp_objective_destroy(o);
        return NULL;
    }
    return o;
}

void
dcp_objective_assign(struct dcp_objective *to, const struct dcp_objective *from,
                     const struct dcp_problem *p)
{
    size_t nh = p->n_hosts, nl = p->pricing->n_licences;

    memcpy(to->host, from->host, nh * sizeof *to->host);
    memcpy(to->touched, from->touched, nh);
    memcpy(to->queue, from->queue, from->n_queue * sizeof *to->queue);
    memcpy(to->n_vms, from->n_vms, nl * nh * sizeof *to->n_vms);
    memcpy(to->n_vcpus, from->n_vcpus, nl * nh * sizeof *to->n_vcpus);
    memcpy(to->units, from->units, nl * nh * sizeof *to->units);
    memcpy(to->all_units, from->all_units, nl * sizeof *to->all_units);
    memcpy(to->sum, from->sum, sizeof to->sum);
    to->n_queue = from->n_queue;
    to->cpu = from->cpu;
    to->cpu_squares = from->cpu_squares;
    to->mem = from->mem;
    to->mem_squares = from->mem_squares;
    to->n_counts = from->n_counts;
    to->n_moved = from->n_moved;
}

/* --- One host ----------------------------------------------------------- */

/* A host's load with one item less and one more (DCP_IX_NONE: none). */
struct change {
    uint32_t host, out, in;
};

static uint32_t
load_at(const struct dcp_state *s, const struct change *c, uint32_t t)
{
    const struct dcp_problem *p = s->p;
    uint32_t mhz = s->cpu_mhz[(size_t)c->host * p->stride + t];

    if (c->out != DCP_IX_NONE) {
        mhz -= p->cpu_mhz[(size_t)c->out * p->stride + t];
    }
    if (c->in != DCP_IX_NONE) {
        mhz += p->cpu_mhz[(size_t)c->in * p->stride + t];
    }
    return mhz;
}

static uint32_t
used_of(const struct dcp_state *s, const struct change *c, uint32_t r)
{
    const struct dcp_problem *p = s->p;
    uint32_t used = s->used[(size_t)r * p->n_hosts + c->host];

    if (c->out != DCP_IX_NONE) {
        used -= dcp_problem_request(p, c->out, c->host, r);
    }
    if (c->in != DCP_IX_NONE) {
        used += dcp_problem_request(p, c->in, c->host, r);
    }
    return used;
}

static uint32_t
peak_of(const struct dcp_state *s, const struct change *c)
{
    uint32_t peak = 0;

    for (uint32_t t = 0; t < s->p->n_slots; t++) {
        uint32_t mhz = load_at(s, c, t);

        peak = mhz > peak ? mhz : peak;
    }
    return peak;
}

static double
energy(const struct dcp_state *s, const struct dcp_priced_level *level,
       const struct change *c)
{
    const struct dcp_problem *p = s->p;
    double sum = 0;

    if (level->factor) {
        const double *factor =
            level->factor + (size_t)p->pricing->site_row[c->host] * p->n_slots;

        for (uint32_t t = 0; t < p->n_slots; t++) {
            if (factor[t] > 0) {
                sum +=
                    factor[t] * dcp_pricing_watts(p, c->host, load_at(s, c, t));
            }
        }
    }
    for (uint32_t t = 0; level->mhz_slope && t < p->n_slots; t++) {
        sum += level->mhz_slope[c->host] *
               (p->q->slot_weight ? p->q->slot_weight[t] : 1) *
               load_at(s, c, t);
    }
    return sum;
}

/* VMs of the given shapes that still fit, each shape alone. */
static double
room(const struct dcp_state *s, const struct change *c)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_goal_terms *terms = p->q->terms;
    uint32_t peak = peak_of(s, c);
    uint32_t cpu_left =
        p->cap_cpu_mhz[c->host] > peak ? p->cap_cpu_mhz[c->host] - peak : 0;
    double total = 0;

    for (uint32_t k = 0; k < terms->n_shapes; k++) {
        const struct dcp_room_shape *shape = &terms->shapes[k];
        uint32_t n = UINT32_MAX;

        if (shape->cpu_mhz) {
            n = cpu_left / shape->cpu_mhz;
        }
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            uint32_t need = shape->scalar[p->scalar_id[r]];
            uint32_t cap = p->cap[(size_t)r * p->n_hosts + c->host];
            uint32_t used = used_of(s, c, r);

            if (need) {
                uint32_t fit = cap > used ? (cap - used) / need : 0;

                n = fit < n ? fit : n;
            }
        }
        total += n == UINT32_MAX ? 0 : n;
    }
    return total;
}

static double
conversion_of(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    return item == DCP_IX_NONE
               ? 0
               : dcp_conversions_cost(p->conversions, item, host);
}

static double
host_value(const struct dcp_state *s, const struct dcp_objective *o, uint32_t k,
           const struct change *c, uint32_t n_moved)
{
    const struct dcp_priced_level *level = &s->p->pricing->level[k];
    double value = n_moved * level->per_move;

    if (level->conversion > 0) {
        value += level->conversion *
                 (o->host[c->host].conversion -
                  conversion_of(s->p, c->out, c->host) +
                  conversion_of(s->p, c->in, c->host));
    }

    if (!s->on[c->host] || s->p->use[c->host] == DCP_HOST_AVOID) {
        return value;
    }
    value += level->per_host + energy(s, level, c);
    if (level->host_value) {
        value += level->host_value[c->host];
    }
    if (level->per_room > 0) {
        value -= level->per_room * room(s, c);
    }
    return value;
}

static void
shares(const struct dcp_state *s, const struct change *c, double *out_cpu,
       double *out_mem)
{
    const struct dcp_problem *p = s->p;
    uint32_t cpu = p->cap_cpu_mhz[c->host], mem = p->cap[c->host];

    *out_cpu = cpu ? (double)peak_of(s, c) / cpu : 0;
    *out_mem = mem ? (double)used_of(s, c, 0) / mem : 0;
}

static bool
wants_balance(const struct dcp_pricing *g)
{
    bool wants = false;

    for (uint32_t k = 0; k < g->n_levels; k++) {
        wants |= g->level[k].balance > 0;
    }
    return wants;
}

static void
count_items(const struct dcp_state *s, struct dcp_objective *o, uint32_t h)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_pricing *g = p->pricing;
    struct dcp_host_price *price = &o->host[h];

    o->n_moved -= price->n_moved;
    price->n_moved = 0;
    price->conversion = 0;
    if (!g->counts_items) {
        return;
    }
    for (uint32_t k = 0; k < g->n_licences; k++) {
        o->n_vms[(size_t)k * p->n_hosts + h] = 0;
        o->n_vcpus[(size_t)k * p->n_hosts + h] = 0;
    }
    for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
        price->n_moved += g->counts_moves ? dcp_pricing_moves(p, i, h) : 0;
        price->conversion += dcp_conversions_cost(p->conversions, i, h);
        for (uint32_t j = g->first_of_item[i]; j < g->first_of_item[i + 1];
             j++) {
            size_t at = (size_t)g->of_item[j].slot * p->n_hosts + h;

            o->n_vms[at] += g->of_item[j].n_vms;
            o->n_vcpus[at] += g->of_item[j].n_vcpus;
        }
    }
    o->n_moved += price->n_moved;
}

/* Takes the host out of the sums, counts it, puts it back. */
static void
recount_host(const struct dcp_state *s, struct dcp_objective *o, uint32_t h)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_pricing *g = p->pricing;
    struct dcp_host_price *price = &o->host[h];
    struct change none = { h, DCP_IX_NONE, DCP_IX_NONE };

    count_items(s, o, h);
    for (uint32_t k = 0; k < g->n_licences; k++) {
        size_t at = (size_t)k * p->n_hosts + h;
        double units = dcp_pricing_units(p, &g->licence[k], h, o->n_vms[at],
                                         o->n_vcpus[at]);

        o->all_units[k] += units - o->units[at];
        o->units[at] = units;
    }
    for (uint32_t k = 0; k < g->n_levels; k++) {
        double value = host_value(s, o, k, &none, price->n_moved);

        o->sum[k] += value - price->value[k];
        price->value[k] = value;
    }
    if (wants_balance(g)) {
        o->cpu -= price->cpu_share;
        o->cpu_squares -= price->cpu_share * price->cpu_share;
        o->mem -= price->mem_share;
        o->mem_squares -= price->mem_share * price->mem_share;
        o->n_counts -= price->counts;
        price->counts = s->on[h] && p->use[h] != DCP_HOST_AVOID;
        price->cpu_share = price->mem_share = 0;
        if (price->counts) {
            shares(s, &none, &price->cpu_share, &price->mem_share);
        }
        o->cpu += price->cpu_share;
        o->cpu_squares += price->cpu_share * price->cpu_share;
        o->mem += price->mem_share;
        o->mem_squares += price->mem_share * price->mem_share;
        o->n_counts += price->counts;
    }
}

/* --- The value ---------------------------------------------------------- */

static double
licence_money(const struct dcp_priced_licence *l, double units)
{
    return l->unit_price *
           fmax(ceil(units - 1e-9) - ceil(l->floor_units - 1e-9), 0);
}

/* Below this a variance of shares is what rounding leaves of none. */
#define VARIANCE_MIN 1e-12

static double
deviation(double sum, double squares, uint32_t n)
{
    double mean = n ? sum / n : 0, variance = n ? squares / n - mean * mean : 0;

    return variance > VARIANCE_MIN ? sqrt(variance) : 0;
}

static double
whole_value(const struct dcp_pricing *g, const struct dcp_objective *o,
            uint32_t level)
{
    const struct dcp_priced_level *l = &g->level[level];
    double value = o->sum[level];

    for (uint32_t k = 0; l->licence > 0 && k < g->n_licences; k++) {
        value += l->licence * licence_money(&g->licence[k], o->all_units[k]);
    }
    if (l->balance > 0) {
        value += l->balance * (deviation(o->cpu, o->cpu_squares, o->n_counts) +
                               deviation(o->mem, o->mem_squares, o->n_counts));
    }
    return value;
}

static void
refresh(struct dcp_state *s)
{
    struct dcp_objective *o = s->objective;

    for (uint32_t k = 0; k < o->n_queue; k++) {
        recount_host(s, o, o->queue[k]);
        o->touched[o->queue[k]] = 0;
    }
    o->n_queue = 0;
}

double
dcp_objective_value(struct dcp_state *s, uint32_t level)
{
    refresh(s);
    return whole_value(s->p->pricing, s->objective, level) +
           (level || s->p->q->fewest_moves ? 0 : dcp_state_soft_price(s));
}

double
dcp_objective_measure(const struct dcp_state *s, uint32_t level)
{
    struct dcp_objective *o = dcp_objective_create(s->p);
    double value = NAN;

    for (uint32_t h = 0; o && h < s->p->n_hosts; h++) {
        recount_host(s, o, h);
    }
    if (o) {
        value = whole_value(s->p->pricing, o, level);
    }
    dcp_objective_destroy(o);
    return value + (level || s->p->q->fewest_moves ? 0
                                                   : dcp_state_soft_price(s));
}

int
dcp_objective_compare(const double a[], const double b[], uint32_t n_levels)
{
    for (uint32_t k = 0; k < n_levels; k++) {
        double margin = 1e-9 * fmax(fabs(b[k]), 1);

        if (fabs(a[k] - b[k]) > margin) {
            return a[k] < b[k] ? -1 : 1;
        }
    }
    return 0;
}

/* --- Deltas ------------------------------------------------------------- */

/* Licence counts of a host after the change. */
static double
units_after(const struct dcp_state *s, uint32_t slot, const struct change *c)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_pricing *g = p->pricing;
    size_t at = (size_t)slot * p->n_hosts + c->host;
    uint32_t vms = s->objective->n_vms[at], vcpus = s->objective->n_vcpus[at];

    for (int side = 0; side < 2; side++) {
        uint32_t item = side ? c->in : c->out;

        for (uint32_t j = item == DCP_IX_NONE ? 0 : g->first_of_item[item];
             item != DCP_IX_NONE && j < g->first_of_item[item + 1]; j++) {
            if (g->of_item[j].slot == slot) {
                vms += side ? g->of_item[j].n_vms : -g->of_item[j].n_vms;
                vcpus += side ? g->of_item[j].n_vcpus : -g->of_item[j].n_vcpus;
            }
        }
    }
    return dcp_pricing_units(p, &g->licence[slot], c->host, vms, vcpus);
}

/* The value when hosts change as 'c' says; n_moved of each is given. */
static double
value_after(const struct dcp_state *s, uint32_t level, const struct change *c,
            const uint32_t *n_moved, uint32_t n)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_pricing *g = p->pricing;
    const struct dcp_priced_level *l = &g->level[level];
    const struct dcp_objective *o = s->objective;
    double value = o->sum[level];
    double cpu = o->cpu, cpu2 = o->cpu_squares, mem = o->mem;
    double mem2 = o->mem_squares;

    for (uint32_t k = 0; k < n; k++) {
        const struct dcp_host_price *was = &o->host[c[k].host];

        value += host_value(s, o, level, &c[k], n_moved[k]) - was->value[level];
        if (l->balance > 0 && was->counts) {
            double cpu_share, mem_share;

            shares(s, &c[k], &cpu_share, &mem_share);
            cpu += cpu_share - was->cpu_share;
            cpu2 += cpu_share * cpu_share - was->cpu_share * was->cpu_share;
            mem += mem_share - was->mem_share;
            mem2 += mem_share * mem_share - was->mem_share * was->mem_share;
        }
    }
    for (uint32_t k = 0; l->licence > 0 && k < g->n_licences; k++) {
        double units = o->all_units[k];

        for (uint32_t j = 0; j < n; j++) {
            units += units_after(s, k, &c[j]) -
                     o->units[(size_t)k * p->n_hosts + c[j].host];
        }
        value += l->licence * licence_money(&g->licence[k], units);
    }
    if (l->balance > 0) {
        value += l->balance * (deviation(cpu, cpu2, o->n_counts) +
                               deviation(mem, mem2, o->n_counts));
    }
    return value;
}

double
dcp_objective_move_delta(struct dcp_state *s, uint32_t level, uint32_t item,
                         uint32_t to)
{
    const struct dcp_problem *p = s->p;
    uint32_t from = s->host[item];
    struct change c[] = { { from, item, DCP_IX_NONE },
                          { to, DCP_IX_NONE, item } };
    double now = dcp_objective_value(s, level);
    uint32_t moved[] = {
        s->objective->host[from].n_moved - dcp_pricing_moves(p, item, from),
        s->objective->host[to].n_moved + dcp_pricing_moves(p, item, to),
    };

    double then = dcp_state_soft_price(s);

    if (s->broken && !level) {
        dcp_state_remove(s, item);
        then = dcp_state_soft_price(s) +
               dcp_state_soft_price_delta(s, item, to);
        dcp_state_place(s, item, from);
    }
    return value_after(s, level, c, moved, 2) + (level ? 0 : then) - now;
}

double
dcp_objective_swap_delta(struct dcp_state *s, uint32_t level, uint32_t a,
                         uint32_t b)
{
    const struct dcp_problem *p = s->p;
    uint32_t ha = s->host[a], hb = s->host[b];
    struct change c[] = { { ha, a, b }, { hb, b, a } };
    double now = dcp_objective_value(s, level);
    uint32_t moved[] = {
        s->objective->host[ha].n_moved - dcp_pricing_moves(p, a, ha) +
            dcp_pricing_moves(p, b, ha),
        s->objective->host[hb].n_moved - dcp_pricing_moves(p, b, hb) +
            dcp_pricing_moves(p, a, hb),
    };

    double then = dcp_state_soft_price(s);

    if (s->broken && !level) {
        dcp_state_remove(s, a);
        dcp_state_remove(s, b);
        dcp_state_place(s, a, hb);
        dcp_state_place(s, b, ha);
        then = dcp_state_soft_price(s);
        dcp_state_remove(s, a);
        dcp_state_remove(s, b);
        dcp_state_place(s, a, ha);
        dcp_state_place(s, b, hb);
    }
    return value_after(s, level, c, moved, 2) + (level ? 0 : then) - now;
}

double
dcp_objective_off_delta(struct dcp_state *s, uint32_t level, uint32_t host)
{
    const struct dcp_pricing *g = s->p->pricing;
    double money = 0;

    (void)dcp_objective_value(s, level);
    for (uint32_t k = 0; k < g->n_licences; k++) {
        double units = s->objective->all_units[k];
        double left =
            units - s->objective->units[(size_t)k * s->p->n_hosts + host];

        money +=
            g->level[level].licence * (licence_money(&g->licence[k], units) -
                                       licence_money(&g->licence[k], left));
    }
    return -s->objective->host[host].value[level] - money;
}

double
dcp_objective_licence_delta(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_pricing *g = p->pricing;
    struct change c = { host, DCP_IX_NONE, item };
    double money = 0;

    refresh(s);
    for (uint32_t j = g->first_of_item[item]; j < g->first_of_item[item + 1];
         j++) {
        uint32_t k = g->of_item[j].slot;
        double units = s->objective->all_units[k];
        double after = units_after(s, k, &c) -
                       s->objective->units[(size_t)k * p->n_hosts + host];

        money += licence_money(&g->licence[k], units + after) -
                 licence_money(&g->licence[k], units);
    }
    return money;
}
