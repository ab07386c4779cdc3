/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How many more fit.  Hosts are filled in blocks, which double while headroom
 * holds and halve when it does not, because playing all losses costs as much
 * as testing thousands of hosts. */

#include "solver/place/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fit tests that dcp_place_fill() may spend on headroom: some seconds. */
#define FILL_CHECKS UINT64_C(100000000)

/* --- Bounds ------------------------------------------------------------- */

static bool
counts(const struct dcp_state *s, uint32_t item, uint32_t h,
       const struct dcp_place_options *o)
{
    const struct dcp_problem *p = s->p;

    return p->use[h] != DCP_HOST_AVOID && dcp_problem_reaches(p, item, h) &&
           (s->on[h] || (o->wake && p->use[h] == DCP_HOST_FREE));
}

static void
take_least(struct dcp_place_bound *out, double free, double need,
           const char *resource)
{
    double n = need > 0 ? floor(free / need) : INFINITY;

    if (n < (double)out->by_sums) {
        out->by_sums = (uint64_t)n;
        (void)snprintf(out->resource, sizeof out->resource, "%s", resource);
    }
}

static void
bound_by_sums(const struct dcp_state *s, uint32_t item,
              const struct dcp_place_options *o, struct dcp_place_bound *out)
{
    const struct dcp_problem *p = s->p;

    out->by_sums = UINT32_MAX;
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        double free = 0;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            size_t at = (size_t)r * p->n_hosts + h;

            free += counts(s, item, h, o) && p->cap[at] > s->used[at]
                        ? p->cap[at] - s->used[at]
                        : 0;
        }
        take_least(out, free, p->request[(size_t)item * p->n_scalars + r],
                   dcp_scalar_name(p->q->inventory, p->scalar_id[r]));
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        double free = 0;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            uint32_t used = s->cpu_mhz[(size_t)h * p->stride + t];

            free += counts(s, item, h, o) && p->cap_cpu_mhz[h] > used
                        ? p->cap_cpu_mhz[h] - used
                        : 0;
        }
        take_least(out, free, p->cpu_mhz[(size_t)item * p->stride + t], "cpu");
    }
}

void
dcp_place_bounds(struct dcp_state *s, uint32_t item,
                 const struct dcp_place_options *o, struct dcp_place_bound *out)
{
    *out = (struct dcp_place_bound){ .resource = "" };
    bound_by_sums(s, item, o, out);
    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        uint32_t n = 0;

        if (!counts(s, item, h, o)) {
            continue;
        }
        while (out->by_hosts + n < out->by_sums && dcp_state_fits(s, item, h)) {
            dcp_state_add_load(s, item, h);
            n++;
        }
        for (uint32_t i = 0; i < n; i++) {
            dcp_state_sub_load(s, item, h);
        }
        out->by_hosts += n;
    }
}

/* --- Filling ------------------------------------------------------------ */

struct fill {
    struct dcp_state *s;
    const uint32_t *items;
    uint32_t n_items, n; /* items[0..n-1] are placed. */
    struct dcp_place_candidate *order;
    uint32_t n_order;
    uint64_t checks_at_most;
    bool out_of_work;
};

static bool
keeps_headroom(struct fill *f, bool *out_ok, struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    if (f->s->p->q->headroom &&
        !dcp_headroom_check(f->s, NULL, NULL, &headroom, err)) {
        return false;
    }
    *out_ok = headroom.ok;
    return true;
}

/* As many as the host takes, 'most' at most. */
static uint32_t
put(struct fill *f, uint32_t host, uint32_t most)
{
    uint32_t n = 0;

    while (n < most && f->n < f->n_items &&
           dcp_state_fits(f->s, f->items[f->n], host) &&
           dcp_state_allowed(f->s, f->items[f->n], host)) {
        dcp_state_place(f->s, f->items[f->n++], host);
        n++;
    }
    return n;
}

static void
take_back(struct fill *f, uint32_t to)
{
    while (f->n > to) {
        dcp_state_remove(f->s, f->items[--f->n]);
    }
}

/* The most copies on one host that keep headroom, by halving. */
static bool
fill_one(struct fill *f, uint32_t host, struct dcp_error *err)
{
    uint32_t mark = f->n, low = 0, high = put(f, host, UINT32_MAX);

    take_back(f, mark);
    while (low + 1 < high) { /* 'low' is kept, 'high' is not. */
        uint32_t middle = low + (high - low) / 2;
        bool ok = false;

        (void)put(f, host, middle);
        if (!keeps_headroom(f, &ok, err)) {
            return false;
        }
        take_back(f, mark);
        *(ok ? &low : &high) = middle;
    }
    (void)put(f, host, low);
    return true;
}

static bool
fill_all(struct fill *f, struct dcp_error *err)
{
    uint32_t block = 1;

    for (uint32_t i = 0; i < f->n_order && f->n < f->n_items;) {
        uint32_t mark = f->n, end = i;
        bool ok = false;

        if (f->s->n_checks > f->checks_at_most) {
            f->out_of_work = true;
            return true;
        }
        while (end < f->n_order && end - i < block) {
            (void)put(f, f->order[end++].host, UINT32_MAX);
        }
        if (f->n == mark) { /* Nothing came: headroom is as it was. */
            i = end;
            continue;
        }
        if (!keeps_headroom(f, &ok, err)) {
            return false;
        }
        if (!ok) {
            take_back(f, mark);
        }
        if (!ok && block == 1 && !fill_one(f, f->order[i].host, err)) {
            return false;
        }
        i = ok ? end : block == 1 ? i + 1 : i;
        block = ok ? 2 * block : block > 1 ? block / 2 : 1;
    }
    return true;
}

static bool
order_hosts(struct fill *f, const struct dcp_place_options *o,
            struct dcp_error *err)
{
    struct dcp_weights weights;
    uint32_t item = f->items[0];

    if (!dcp_place_weights(f->s, &weights, err)) {
        return false;
    }
    for (uint32_t h = 0; h < f->s->p->n_hosts; h++) {
        if (!counts(f->s, item, h, o) || !dcp_state_fits(f->s, item, h) ||
            !dcp_state_allowed(f->s, item, h)) {
            continue;
        }
        dcp_place_measure(f->s, &weights, item, h, o->spread,
                          &f->order[f->n_order++]);
    }
    qsort(f->order, f->n_order, sizeof *f->order, dcp_place_better_first);
    return true;
}

/* Who refuses the next copy, and for what most do. */
static void
explain_end(struct fill *f, uint32_t item, const struct dcp_place_options *o,
            struct dcp_place_count *out)
{
    uint32_t n_cpu = 0, n_net = 0, n_other = 0, n_room = 0;
    uint32_t n_scalar[DCP_SCALARS_MAX] = { 0 };
    const struct dcp_problem *p = f->s->p;
    struct dcp_refusal why;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (!counts(f->s, item, h, o)) {
            continue;
        }
        if (!dcp_refusal_find(f->s, item, h, o->wake, &why)) {
            n_room++;
            continue;
        }
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            n_scalar[r] += why.kind == DCP_REFUSAL_CAPACITY &&
                           !strcmp(why.rule, dcp_scalar_name(p->q->inventory,
                                                             p->scalar_id[r]));
        }
        n_cpu += why.kind == DCP_REFUSAL_CAPACITY && !strcmp(why.rule, "cpu");
        n_net +=
            why.kind == DCP_REFUSAL_CAPACITY && !strcmp(why.rule, "network");
        n_other += why.kind != DCP_REFUSAL_CAPACITY;
    }
    const char *name = n_room ? "n+1" : "rules";
    uint32_t most = n_room ? n_room : n_other;

    if (!n_room && n_cpu >= most && n_cpu) {
        most = n_cpu;
        name = "cpu";
    }
    if (!n_room && n_net > most) {
        most = n_net;
        name = "network";
    }
    for (uint32_t r = 0; !n_room && r < p->n_scalars; r++) {
        if (n_scalar[r] > most) {
            most = n_scalar[r];
            name = dcp_scalar_name(p->q->inventory, p->scalar_id[r]);
        }
    }
    (void)snprintf(out->binding, sizeof out->binding, "%s", most ? name : "");
    out->n_refusing = most;
}

/* An example of a host that stops the next copy for the reason that binds. */
static bool
find_example(struct fill *f, uint32_t item, const struct dcp_place_options *o,
             struct dcp_place_count *out, struct dcp_error *err)
{
    bool by_headroom = !strcmp(out->binding, "n+1"), refused = false;

    for (uint32_t h = 0; h < f->s->p->n_hosts; h++) {
        struct dcp_refusal why;

        if (!counts(f->s, item, h, o)) {
            continue;
        }
        if (dcp_refusal_find(f->s, item, h, o->wake, &why)) {
            if (!by_headroom && (!strcmp(why.rule, out->binding) ||
                                 !strcmp(out->binding, "rules"))) {
                out->example = why;
                return true;
            }
        } else if (by_headroom) {
            return dcp_refusal_headroom(f->s, item, h, &refused, &out->example,
                                        err);
        }
    }
    return true;
}

static void
wake_all(struct dcp_state *s)
{
    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        if (!s->on[h] && s->p->use[h] == DCP_HOST_FREE &&
            dcp_state_may_switch(s, h, true)) {
            dcp_state_power(s, h, true);
        }
    }
}

static uint32_t
count_hosts(const struct fill *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        n += !i || f->s->host[f->items[i]] != f->s->host[f->items[i - 1]];
    }
    return n;
}

bool
dcp_place_fill(struct dcp_state *s, const uint32_t items[], uint32_t n,
               const struct dcp_place_options *o, struct dcp_place_count *out,
               struct dcp_error *err)
{
    DCP_FREE struct dcp_place_candidate *order =
        calloc(s->p->n_hosts + 1u, sizeof *order);
    struct fill f = { .s = s,
                      .items = items,
                      .n_items = n,
                      .order = order,
                      .checks_at_most = s->n_checks + FILL_CHECKS };
    bool ok_before = false;

    *out = (struct dcp_place_count){ .example = { .need = NAN, .have = NAN } };
    if (!order) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to fill %u hosts",
                        s->p->n_hosts);
    }
    if (!n || !order_hosts(&f, o, err)) {
        return !n;
    }
    if (o->wake) { /* Ordered before, so these come last. */
        wake_all(s);
    }
    if (!keeps_headroom(&f, &ok_before, err) ||
        (ok_before && !fill_all(&f, err))) {
        return false;
    }
    out->n = f.n;
    out->n_hosts = count_hosts(&f);
    out->maximal = !f.out_of_work && f.n < n;
    if (f.n < n) {
        explain_end(&f, items[f.n], o, out);
        return find_example(&f, items[f.n], o, out, err);
    }
    return true;
}
