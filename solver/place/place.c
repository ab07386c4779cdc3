/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A ranking tests every host once and headroom only for the best few: playing
 * all losses costs as much as testing thousands of hosts. */

#include "model/score.h"
#include "solver/place/parts.h"
#include "solver/search/insert.h"
#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Scores ------------------------------------------------------------- */

bool
dcp_place_weights(struct dcp_state *s, struct dcp_weights *out,
                  struct dcp_error *err)
{
    struct dcp_inserter in;

    if (!dcp_inserter_init(&in, s, 0, err)) {
        return false;
    }
    *out = in.weights;
    dcp_inserter_finish(&in);
    return true;
}

static double
score_of(const struct dcp_state *s, const struct dcp_weights *w, uint32_t item,
         uint32_t host, bool spread)
{
    double sum = w->cpu;

    for (uint32_t r = 0; r < s->p->n_scalars; r++) {
        sum += w->scalar[r];
    }
    double left = sum > 0 ? dcp_state_room_left(s, w, item, host) / sum : 0;

    left = left > 0 ? sqrt(left < 1 ? left : 1) : 0;
    return 100 * (spread ? left : 1 - left);
}

/* What the operator's scores say of the item's VMs there. */
static double
points_of(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    const struct dcp_inventory *inv = p->q->inventory;
    double points = 0;

    for (uint32_t k = p->vm_first[item];
         inv->n_scores && k < p->vm_first[item + 1]; k++) {
        points += dcp_score_points(inv, p->vm[k], host);
    }
    return points;
}

static uint32_t
timed_left(const uint32_t *used, const uint32_t *more, uint32_t cap,
           uint32_t n_slots)
{
    uint32_t least = cap;

    for (uint32_t t = 0; t < n_slots; t++) {
        uint64_t sum = (uint64_t)used[t] + more[t];
        uint32_t left = sum < cap ? cap - (uint32_t)sum : 0;

        least = left < least ? left : least;
    }
    return least;
}

void
dcp_place_measure(const struct dcp_state *s, const struct dcp_weights *w,
                  uint32_t item, uint32_t host, bool spread,
                  struct dcp_place_candidate *out)
{
    const struct dcp_problem *p = s->p;
    size_t of_item = (size_t)item * p->stride;
    size_t of_host = (size_t)host * p->stride;

    *out = (struct dcp_place_candidate){
        .host = host,
        .wakes = !s->on[host],
        .score = score_of(s, w, item, host, spread) +
                 points_of(p, item, host),
        .cpu_mhz_left = timed_left(s->cpu_mhz + of_host, p->cpu_mhz + of_item,
                                   p->cap_cpu_mhz[host], p->n_slots),
    };
    if (s->net_kib_s) {
        out->net_kib_s_left =
            timed_left(s->net_kib_s + of_host, p->net_kib_s + of_item,
                       p->cap_net_kib_s[host], p->n_slots);
    }
    if (p->q->ignore_soft) {
        dcp_refusal_soft(s, item, host, out->soft_rule);
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;

        out->scalar_left[r] = p->cap[at] - s->used[at] -
                              dcp_problem_request(p, item, host, r);
    }
}

int
dcp_place_better_first(const void *pa, const void *pb)
{
    const struct dcp_place_candidate *a = pa, *b = pb;

    if (a->wakes != b->wakes) {
        return a->wakes ? 1 : -1;
    }
    if (!a->soft_rule[0] != !b->soft_rule[0]) {
        return a->soft_rule[0] ? 1 : -1;
    }
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

static int
by_host(const void *pa, const void *pb)
{
    const struct dcp_place_refused *a = pa, *b = pb;

    return a->host < b->host ? -1 : a->host > b->host;
}

/* --- Ranking ------------------------------------------------------------ */

static bool
check_headroom_before(struct dcp_state *s, struct dcp_place_ranking *out,
                      struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    if (s->p->q->headroom &&
        !dcp_headroom_check(s, NULL, NULL, &headroom, err)) {
        return false;
    }
    out->headroom_before = headroom.ok;
    if (!headroom.ok) {
        dcp_refusal_of_headroom(s->p, &headroom, &out->headroom);
    }
    return true;
}

/* Plays the losses for the best candidates until 'limit' of them keep
 * headroom; those that do not become refusals. */
static bool
check_candidates(struct dcp_state *s, uint32_t item, uint32_t limit,
                 struct dcp_place_ranking *out, struct dcp_error *err)
{
    uint32_t kept = 0, n = 0;

    for (uint32_t i = 0; i < out->n_candidates; i++) {
        struct dcp_place_candidate c = out->candidates[i];
        bool look = s->p->q->headroom && out->headroom_before &&
                    (!limit || kept < limit);
        bool refused = false;

        if (look &&
            !dcp_refusal_headroom(s, item, c.host, &refused,
                                  &out->refused[out->n_refused].why, err)) {
            return false;
        }
        if (refused) {
            out->refused[out->n_refused++].host = c.host;
            continue;
        }
        kept++;
        c.headroom_checked = look;
        out->candidates[n++] = c;
    }
    out->n_candidates = n;
    qsort(out->refused, out->n_refused, sizeof *out->refused, by_host);
    return true;
}

static bool
rank(struct dcp_state *s, uint32_t item, uint32_t home,
     const struct dcp_place_options *o, struct dcp_place_ranking *out,
     struct dcp_error *err)
{
    struct dcp_weights weights;

    if (!dcp_place_weights(s, &weights, err)) {
        return false;
    }
    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        struct dcp_refusal *why = &out->refused[out->n_refused].why;

        if (dcp_refusal_find(s, item, h, o->wake, why)) {
            out->refused[out->n_refused++].host = h;
            continue;
        }
        struct dcp_place_candidate *c = &out->candidates[out->n_candidates++];

        dcp_place_measure(s, &weights, item, h, o->spread, c);
        c->is_home = h == home;
    }
    qsort(out->candidates, out->n_candidates, sizeof *out->candidates,
          dcp_place_better_first);
    return check_candidates(s, item, o->limit, out, err);
}

bool
dcp_place_rank(struct dcp_state *s, uint32_t item,
               const struct dcp_place_options *o, struct dcp_place_ranking *out,
               struct dcp_error *err)
{
    size_t n = s->p->n_hosts + 1u;
    uint32_t home = s->host[item];

    *out = (struct dcp_place_ranking){
        .candidates = calloc(n, sizeof *out->candidates),
        .refused = calloc(n, sizeof *out->refused),
    };
    if (!out->candidates || !out->refused) {
        dcp_place_ranking_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to rank %u hosts",
                        s->p->n_hosts);
    }
    if (home != DCP_IX_NONE) {
        dcp_state_remove(s, item);
    }
    bool ok =
        check_headroom_before(s, out, err) && rank(s, item, home, o, out, err);

    if (home != DCP_IX_NONE) {
        dcp_state_place(s, item, home);
    }
    if (!ok) {
        dcp_place_ranking_finish(out);
    }
    return ok;
}

void
dcp_place_ranking_finish(struct dcp_place_ranking *r)
{
    free(r->candidates);
    free(r->refused);
    *r = (struct dcp_place_ranking){ 0 };
}

/* --- Spreading ---------------------------------------------------------- */

static uint32_t
emptiest(struct dcp_state *s, const struct dcp_weights *w, uint32_t item)
{
    uint32_t best = DCP_IX_NONE;
    double most = 0;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        if (!s->on[h] || s->p->use[h] == DCP_HOST_AVOID ||
            !dcp_state_fits(s, item, h) || !dcp_state_allowed(s, item, h)) {
            continue;
        }
        double room = dcp_state_room_left(s, w, item, h);

        if (best == DCP_IX_NONE || room > most) {
            best = h;
            most = room;
        }
    }
    return best;
}

bool
dcp_place_spread(struct dcp_state *s, uint32_t *out_item, struct dcp_error *err)
{
    DCP_FREE uint32_t *items = malloc((s->p->n_items + 1u) * sizeof *items);
    struct dcp_weights weights;
    uint32_t n = 0;

    *out_item = DCP_IX_NONE;
    if (!items) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a placement");
    }
    if (!dcp_place_weights(s, &weights, err)) {
        return false;
    }
    for (uint32_t i = 0; i < s->p->n_items; i++) {
        if (s->host[i] == DCP_IX_NONE) {
            items[n++] = i;
        }
    }
    dcp_items_covered_first(s->p, items, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = emptiest(s, &weights, items[i]);

        if (h == DCP_IX_NONE) {
            *out_item = items[i];
            return true;
        }
        dcp_state_place(s, items[i], h);
    }
    return true;
}
