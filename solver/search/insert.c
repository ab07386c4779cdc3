/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Best fit over hosts that are on, by the least weighted room left; where
 * nothing fits, one ejection: a smaller item leaves a host for a third one, so
 * that the item can take its place; last, a host that is off is switched on. */

#include "solver/search/insert.h"

#include "solver/search/item_order.h"

#include <stdlib.h>

/* --- Trail -------------------------------------------------------------- */

void
dcp_trail_finish(struct dcp_trail *t)
{
    free(t->change);
    *t = (struct dcp_trail){ 0 };
}

static void
remember(struct dcp_trail *t, uint32_t item, uint32_t host)
{
    if (t->n == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 256;
        struct dcp_change *more = realloc(t->change, capacity * sizeof *more);

        if (!more) {
            t->failed = true;
            return;
        }
        t->change = more;
        t->capacity = capacity;
    }
    t->change[t->n++] = (struct dcp_change){ item, host };
}

void
dcp_trail_undo(struct dcp_trail *t, struct dcp_state *s)
{
    dcp_trail_undo_to(t, s, 0);
}

void
dcp_trail_undo_to(struct dcp_trail *t, struct dcp_state *s, uint32_t n)
{
    while (t->n > n) {
        struct dcp_change c = t->change[--t->n];

        if (c.item == DCP_IX_NONE) {
            dcp_state_power(s, c.host, !s->on[c.host]);
            continue;
        }
        if (s->host[c.item] != DCP_IX_NONE) {
            dcp_state_remove(s, c.item);
        }
        if (c.host != DCP_IX_NONE) {
            dcp_state_place(s, c.item, c.host);
        }
    }
}

void
dcp_insert_at(struct dcp_inserter *in, uint32_t item, uint32_t host)
{
    remember(&in->trail, item, DCP_IX_NONE);
    dcp_state_place(in->s, item, host);
}

void
dcp_insert_remove(struct dcp_inserter *in, uint32_t item)
{
    remember(&in->trail, item, in->s->host[item]);
    dcp_state_remove(in->s, item);
}

void
dcp_insert_power(struct dcp_inserter *in, uint32_t host, bool on)
{
    if (in->s->on[host] != on) {
        remember(&in->trail, DCP_IX_NONE, host);
        dcp_state_power(in->s, host, on);
    }
}

/* --- Set-up ------------------------------------------------------------- */

static void
set_ranges(struct dcp_inserter *in)
{
    const struct dcp_problem *p = in->s->p;

    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach + (size_t)c * p->reach_words;

        in->class_first[c] = p->n_hosts;
        for (uint32_t w = 0; w < p->reach_words; w++) {
            if (!row[w]) {
                continue;
            }
            uint32_t end = 64 * w + 64;

            if (in->class_first[c] == p->n_hosts) {
                in->class_first[c] = 64 * w;
            }
            in->class_end[c] = end < p->n_hosts ? end : p->n_hosts;
        }
    }
}

bool
dcp_inserter_init(struct dcp_inserter *in, struct dcp_state *s, uint64_t seed,
                  struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    size_t n_weights = (size_t)p->n_types * (p->n_scalars + 1u) + 1;

    *in = (struct dcp_inserter){
        .s = s,
        .rng = dcp_rng_stream(seed, "insert", 0),
        .not_to = DCP_IX_NONE,
        .scratch = malloc((p->n_items + 1u) * sizeof *in->scratch),
        .unit_weight = malloc(n_weights * sizeof *in->unit_weight),
        .class_first = calloc(p->n_classes + 1u, sizeof *in->class_first),
        .class_end = calloc(p->n_classes + 1u, sizeof *in->class_end),
    };
    if (!in->scratch || !in->unit_weight || !in->class_first ||
        !in->class_end) {
        dcp_inserter_finish(in);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    set_ranges(in);
    dcp_inserter_set_weights(in);
    return true;
}

void
dcp_inserter_finish(struct dcp_inserter *in)
{
    dcp_trail_finish(&in->trail);
    free(in->scratch);
    free(in->unit_weight);
    free(in->class_first);
    free(in->class_end);
    in->scratch = in->class_first = in->class_end = NULL;
    in->unit_weight = NULL;
}

/* Demand over what hosts that are on have, squared: of CPU, or a scalar. */
static double
scarcity(const struct dcp_inserter *in, double demand, const uint32_t *cap)
{
    double have = 0;

    for (uint32_t h = 0; h < in->s->p->n_hosts; h++) {
        have += in->s->on[h] ? cap[h] : 0;
    }
    return have > 0 ? demand / have * (demand / have) : 1;
}

void
dcp_inserter_set_weights(struct dcp_inserter *in)
{
    const struct dcp_problem *p = in->s->p;
    uint32_t n = p->n_scalars + 1;
    double peak = 0;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        double sum = 0;

        for (uint32_t i = 0; i < p->n_items; i++) {
            sum += p->cpu_mhz[(size_t)i * p->stride + t];
        }
        peak = sum > peak ? sum : peak;
    }
    for (uint32_t r = 0; r < n; r++) {
        const uint32_t *cap =
            r ? p->cap + (size_t)(r - 1) * p->n_hosts : p->cap_cpu_mhz;
        double demand = r ? 0 : peak;

        for (uint32_t i = 0; r && i < p->n_items; i++) {
            demand += p->request[(size_t)i * p->n_scalars + r - 1];
        }
        double scarce = scarcity(in, demand, cap);

        *(r ? &in->weights.scalar[r - 1] : &in->weights.cpu) = scarce;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            in->unit_weight[p->type_of_host[h] * n + r] =
                cap[h] ? scarce / cap[h] / cap[h] : 0;
        }
    }
}

/* --- Choosing a host ---------------------------------------------------- */

bool
dcp_insert_is_open(const struct dcp_inserter *in, uint32_t host)
{
    return in->s->on[host] && host != in->not_to &&
           in->s->p->use[host] != DCP_HOST_AVOID &&
           !(in->closed && in->closed[host]);
}

static bool
takes(struct dcp_inserter *in, uint32_t item, uint32_t host)
{
    struct dcp_state *s = in->s;

    return host != DCP_IX_NONE && dcp_insert_is_open(in, host) &&
           dcp_insert_is_covered(in, item, host) &&
           dcp_state_fits(s, item, host) && dcp_state_allowed(s, item, host);
}

static bool
blinks(struct dcp_inserter *in)
{
    return in->blink_frac > 0 && dcp_rng_unit(&in->rng) < in->blink_frac;
}

/* A host that is off, allowed, and large enough; the cheapest per capacity,
 * home before others. */
static uint32_t
host_to_wake(struct dcp_inserter *in, uint32_t item)
{
    struct dcp_state *s = in->s;
    const struct dcp_problem *p = s->p;
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (s->on[h] || h == in->not_to || p->use[h] != DCP_HOST_FREE ||
            (in->closed && in->closed[h]) ||
            (!p->q->may_wake && !p->q->start->on[h]) ||
            !dcp_state_may_switch(s, h, true) || !dcp_state_fits(s, item, h) ||
            !dcp_state_allowed(s, item, h)) {
            continue;
        }
        double value = p->on_value[h] / ((double)p->cap_cpu_mhz[h] + 1);

        if (in->prefer_home && h == p->home_host[item]) {
            return h;
        }
        /* What was on before is rather left on than another woken. */
        value *= p->q->start->on[h] ? 0.999 : 1;
        if (p->conversions && p->conversions->cost) {
            value += (dcp_objective_licence_delta(s, item, h) +
                      dcp_conversions_cost(p->conversions, item, h)) /
                     ((double)p->cap_cpu_mhz[h] + 1);
        }
        if (best == DCP_IX_NONE || value < least) {
            best = h;
            least = value;
        }
    }
    return best;
}

/* How badly the item suits the host: the squared shares left after it, weighted
 * by how scarce each resource is; or, to balance, minus the weighted dot
 * product of what it asks for and what is left. */
static double
misfit(const struct dcp_inserter *in, uint32_t item, uint32_t host)
{
    const struct dcp_state *s = in->s;
    const struct dcp_problem *p = s->p;
    const double *w =
        in->unit_weight + p->type_of_host[host] * (p->n_scalars + 1u);
    double need = p->cpu_peak_mhz[item];
    double left = (double)p->cap_cpu_mhz[host] - s->cpu_peak_mhz[host];
    double sum = in->balance ? -w[0] * left * need
                             : w[0] * (left - need) * (left - need);

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;

        need = dcp_problem_request(p, item, host, r);
        left = (double)p->cap[at] - s->used[at];
        sum += in->balance ? -w[r + 1] * left * need
                           : w[r + 1] * (left - need) * (left - need);
    }
    return sum;
}

uint32_t
dcp_insert_best_host(struct dcp_inserter *in, uint32_t item)
{
    struct dcp_state *s = in->s;
    const struct dcp_problem *p = s->p;
    uint32_t best = DCP_IX_NONE;
    double least = 0, cheapest = 0;
    bool priced = !in->covered && dcp_pricing_item_is_covered(p, item);
    bool soft = dcp_state_is_priced(s, item);

    if (in->prefer_home && takes(in, item, p->home_host[item])) {
        return p->home_host[item];
    }
    if (in->prefer_home && takes(in, item, p->start_host[item])) {
        return p->start_host[item];
    }
    uint32_t need = p->request[(size_t)item * p->n_scalars];
    uint32_t end = in->class_end[p->reach_class[item]];

    for (uint32_t h = in->class_first[p->reach_class[item]]; h < end; h++) {
        if (s->room[h] < need || !dcp_insert_is_open(in, h) ||
            !dcp_insert_is_covered(in, item, h) ||
            !dcp_state_fits(s, item, h) || blinks(in)) {
            continue;
        }
        double room = misfit(in, item, h);
        double money = priced ? dcp_objective_licence_delta(s, item, h) : 0;

        money += soft ? dcp_state_soft_price_delta(s, item, h) : 0;
        money += dcp_conversions_cost(p->conversions, item, h);

        if ((best == DCP_IX_NONE || money < cheapest ||
             (money <= cheapest && room < least)) &&
            dcp_state_allowed(s, item, h)) {
            best = h;
            least = room;
            cheapest = money;
        }
    }
    return best;
}

/* One ejection on host 'h': a smaller item goes elsewhere and 'item' takes its
 * place. */
static bool
eject_one(struct dcp_inserter *in, uint32_t item, uint32_t h)
{
    struct dcp_state *s = in->s;
    const struct dcp_problem *p = s->p;

    for (uint32_t other = s->first[h]; other != DCP_IX_NONE;) {
        uint32_t next = s->next[other];

        if (p->size[other] < p->size[item]) {
            uint32_t mark = in->trail.n;

            dcp_insert_remove(in, other);
            if (dcp_state_fits(s, item, h) && dcp_state_allowed(s, item, h)) {
                dcp_insert_at(in, item, h);
                uint32_t to = dcp_insert_best_host(in, other);

                if (to != DCP_IX_NONE) {
                    dcp_insert_at(in, other, to);
                    return true;
                }
                dcp_state_remove(s, item);
            }
            /* Back by hand: the trail above 'mark' is dropped. */
            dcp_state_place(s, other, h);
            in->trail.n = mark;
        }
        other = next;
    }
    return false;
}

static bool
insert_by_ejection(struct dcp_inserter *in, uint32_t item)
{
    struct dcp_state *s = in->s;
    const struct dcp_problem *p = s->p;
    uint32_t n = p->n_hosts, tries = 0;
    uint32_t h = n ? (uint32_t)dcp_rng_below(&in->rng, n) : 0;

    for (uint32_t k = 0; k < n && tries < in->swap_tries; k++) {
        h = h + 1 < n ? h + 1 : 0;
        if (!dcp_insert_is_open(in, h) || !dcp_problem_reaches(p, item, h) ||
            !dcp_insert_is_covered(in, item, h)) {
            continue;
        }
        tries++;
        if (eject_one(in, item, h)) {
            return true;
        }
    }
    return false;
}

bool
dcp_insert_one(struct dcp_inserter *in, uint32_t item)
{
    uint32_t h = dcp_insert_best_host(in, item);

    if (h == DCP_IX_NONE && in->swap_tries && insert_by_ejection(in, item)) {
        return true;
    }
    if (h == DCP_IX_NONE && in->may_wake) {
        h = host_to_wake(in, item);
        if (h != DCP_IX_NONE) {
            dcp_insert_power(in, h, true);
        }
    }
    if (h == DCP_IX_NONE) {
        return false;
    }
    dcp_insert_at(in, item, h);
    return true;
}

bool
dcp_insert_all(struct dcp_inserter *in, uint32_t items[], uint32_t n)
{
    dcp_items_covered_first(in->s->p, items, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_insert_one(in, items[i])) {
            return false;
        }
    }
    return true;
}
