/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts that share crews are drawn in the order of time, from a queue; all else
 * object by object.  Both give a host the same draws in the same order. */

#include "sim/failure/failure.h"

#include "executors/heap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_H       3.6e6
#define WARM_UP_CYCLES 20
/* Past any calendar; keeps sums of times far from overflow. */
#define LONGEST_MS 1e15

/* --- Laws --------------------------------------------------------------- */

double
dcp_law_mean_h(const struct dcp_law *law)
{
    switch (law->kind) {
    case DCP_LAW_EXPONENTIAL:
    case DCP_LAW_FIXED:
        return law->scale_h;
    case DCP_LAW_WEIBULL:
        return law->scale_h * tgamma(1 + 1 / law->shape);
    case DCP_LAW_LOGNORMAL:
        return law->scale_h * exp(law->shape * law->shape / 2);
    }
    return NAN;
}

double
dcp_law_draw_h(const struct dcp_law *law, struct dcp_rng *rng)
{
    switch (law->kind) {
    case DCP_LAW_FIXED:
        return law->scale_h;
    case DCP_LAW_EXPONENTIAL:
        return -log1p(-dcp_rng_unit(rng)) * law->scale_h;
    case DCP_LAW_WEIBULL:
        return law->scale_h * pow(-log1p(-dcp_rng_unit(rng)), 1 / law->shape);
    case DCP_LAW_LOGNORMAL:
        return law->scale_h * exp(law->shape * dcp_rng_normal(rng));
    }
    return NAN;
}

static int64_t
draw_ms(const struct dcp_law *law, struct dcp_rng *rng)
{
    double ms = round(dcp_law_draw_h(law, rng) * MS_PER_H);

    return ms < 1 ? 1 : ms > LONGEST_MS ? (int64_t)LONGEST_MS : (int64_t)ms;
}

/* --- Objects ------------------------------------------------------------ */

uint32_t
dcp_failure_n_objects(const struct dcp_inventory *inv, enum dcp_domain of)
{
    switch (of) {
    case DCP_DOMAIN_HOST:
        return inv->n_hosts;
    case DCP_DOMAIN_RACK:
        return inv->n_racks;
    case DCP_DOMAIN_FEED:
        return inv->n_feeds;
    case DCP_DOMAIN_ROOM:
        return inv->n_rooms;
    case DCP_DOMAIN_SITE:
        return inv->n_sites;
    case DCP_DOMAIN_SWITCH:
        return inv->n_switches;
    }
    return 0;
}

const char *
dcp_failure_object_name(const struct dcp_inventory *inv, enum dcp_domain of,
                        uint32_t ix)
{
    switch (of) {
    case DCP_DOMAIN_HOST:
        return inv->hosts[ix].name;
    case DCP_DOMAIN_RACK:
        return inv->racks[ix].name;
    case DCP_DOMAIN_FEED:
        return inv->feeds[ix].name;
    case DCP_DOMAIN_ROOM:
        return inv->rooms[ix].name;
    case DCP_DOMAIN_SITE:
        return inv->sites[ix].name;
    case DCP_DOMAIN_SWITCH:
        return inv->switches[ix].name;
    }
    return "?";
}

uint32_t
dcp_failure_find(const struct dcp_inventory *inv, enum dcp_domain of,
                 const char *name)
{
    uint32_t n = dcp_failure_n_objects(inv, of);

    for (uint32_t i = 0; i < n; i++) {
        if (!strcmp(dcp_failure_object_name(inv, of, i), name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* --- Outages ------------------------------------------------------------ */

static int
compare(const void *x, const void *y)
{
    const struct dcp_outage *a = x, *b = y;

    return a->from_ms != b->from_ms     ? (a->from_ms < b->from_ms ? -1 : 1)
           : a->of != b->of             ? (a->of < b->of ? -1 : 1)
           : a->ix != b->ix             ? (a->ix < b->ix ? -1 : 1)
           : a->until_ms != b->until_ms ? (a->until_ms < b->until_ms ? -1 : 1)
                                        : 0;
}

static void
sort(struct dcp_outages *o)
{
    if (o->n) {
        qsort(o->list, o->n, sizeof *o->list, compare);
    }
}

static bool
append(struct dcp_outages *o, struct dcp_outage outage, struct dcp_error *err)
{
    if (o->n == o->capacity) {
        uint32_t capacity = o->capacity ? 2 * o->capacity : 64;
        struct dcp_outage *list = realloc(o->list, capacity * sizeof *list);

        if (!list || capacity < o->n) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for outages");
        }
        o->list = list;
        o->capacity = capacity;
    }
    o->list[o->n++] = outage;
    return true;
}

bool
dcp_outages_add(struct dcp_outages *o, struct dcp_outage outage,
                struct dcp_error *err)
{
    if (!append(o, outage, err)) {
        return false;
    }
    sort(o);
    return true;
}

void
dcp_outages_finish(struct dcp_outages *o)
{
    free(o->list);
    *o = (struct dcp_outages){ 0 };
}

/* --- Drawing them ------------------------------------------------------- */

struct work {
    const struct dcp_inventory *inv;
    const struct dcp_failure_spec *spec;
    uint64_t seed;
    int64_t from_ms, to_ms;
    struct dcp_outages *out;
};

static struct dcp_rng
stream_of(const struct work *w, enum dcp_domain of, uint32_t ix)
{
    struct dcp_rng kind = dcp_rng_stream(w->seed, "failure", (uint64_t)of);

    return dcp_rng_stream(dcp_rng_u64(&kind),
                          dcp_failure_object_name(w->inv, of, ix), 0);
}

static int64_t
warm_up_ms(const struct work *w, const struct dcp_failure_process *p)
{
    double cycle_ms =
        (dcp_law_mean_h(&p->between) + dcp_law_mean_h(&p->repair)) * MS_PER_H;
    double ms = WARM_UP_CYCLES * cycle_ms;

    return w->from_ms - (int64_t)(ms < LONGEST_MS ? ms : LONGEST_MS);
}

static bool
keep(struct work *w, enum dcp_domain of, uint32_t ix, int64_t from_ms,
     int64_t until_ms, struct dcp_error *err)
{
    if (until_ms <= w->from_ms || from_ms >= w->to_ms ||
        (from_ms < w->from_ms && w->spec->all_up_at_start)) {
        return true;
    }
    struct dcp_outage outage = {
        .from_ms = from_ms > w->from_ms ? from_ms : w->from_ms,
        .until_ms = until_ms,
        .of = of,
        .ix = ix,
    };

    return append(w->out, outage, err);
}

static bool
draw_alone(struct work *w, enum dcp_domain of, struct dcp_error *err)
{
    const struct dcp_failure_process *p = &w->spec->of[of];
    uint32_t n = dcp_failure_n_objects(w->inv, of);

    for (uint32_t i = 0; i < n; i++) {
        struct dcp_rng rng = stream_of(w, of, i);
        int64_t at_ms = warm_up_ms(w, p);

        for (;;) {
            at_ms += draw_ms(&p->between, &rng);
            if (at_ms >= w->to_ms) {
                break;
            }
            int64_t until_ms = at_ms + draw_ms(&p->repair, &rng);

            if (!keep(w, of, i, at_ms, until_ms, err)) {
                return false;
            }
            at_ms = until_ms;
        }
    }
    return true;
}

/* Hosts that wait for one of few crews.  A failure that finds no free crew is
 * mended by the one that is free first: failures come in the order of time, so
 * the crews' next free times are all that need be kept. */
static bool
draw_with_crews(struct work *w, struct dcp_error *err)
{
    const struct dcp_failure_process *p = &w->spec->of[DCP_DOMAIN_HOST];
    struct dcp_heap failures = { 0 }, crews = { 0 };
    uint32_t n = w->inv->n_hosts;
    struct dcp_rng *rng = calloc((size_t)n + 1, sizeof *rng);
    bool ok = rng != NULL;

    for (uint32_t c = 0; ok && c < w->spec->crews && c < n; c++) {
        ok = dcp_heap_push(&crews, INT64_MIN, c);
    }
    for (uint32_t h = 0; ok && h < n; h++) {
        rng[h] = stream_of(w, DCP_DOMAIN_HOST, h);
        ok = dcp_heap_push(&failures,
                           warm_up_ms(w, p) + draw_ms(&p->between, &rng[h]), h);
    }
    while (ok && failures.n && failures.items[0].key < w->to_ms) {
        struct dcp_heap_item f = dcp_heap_pop(&failures);
        struct dcp_heap_item crew = dcp_heap_pop(&crews);
        int64_t begin_ms = crew.key > f.key ? crew.key : f.key;
        int64_t until_ms = begin_ms + draw_ms(&p->repair, &rng[f.step]);

        ok = dcp_heap_push(&crews, until_ms, crew.step) &&
             dcp_heap_push(&failures,
                           until_ms + draw_ms(&p->between, &rng[f.step]),
                           f.step) &&
             keep(w, DCP_DOMAIN_HOST, f.step, f.key, until_ms, err);
    }
    dcp_heap_finish(&failures);
    dcp_heap_finish(&crews);
    free(rng);
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for failures");
}

bool
dcp_failure_generate(const struct dcp_inventory *inv,
                     const struct dcp_failure_spec *spec, uint64_t seed,
                     int64_t from_ms, int64_t to_ms, struct dcp_outages *out,
                     struct dcp_error *err)
{
    struct work w = { inv, spec, seed, from_ms, to_ms, out };

    for (enum dcp_domain of = 0; of < DCP_DOMAINS; of++) {
        if (!spec->of[of].on) {
            continue;
        }
        bool crews = of == DCP_DOMAIN_HOST && spec->crews;

        if (!(crews ? draw_with_crews(&w, err) : draw_alone(&w, of, err))) {
            return false;
        }
    }
    sort(out);
    return true;
}
