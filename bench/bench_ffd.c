/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the search is measured against, and the search itself on the same
 * night: plain first fit decreasing from an
 * empty datacenter, under the same limits, reach, rules and headroom, for the
 * same night.  Largest VMs first, largest hosts first; then spare hosts until
 * every loss is survived.  Where VMs run now is ignored, as the textbook does,
 * so nearly all of them move.  The search's figures are CPU seconds, and how
 * many moves and swaps it judges in one: two items drawn at random, one to go
 * to the other's host, or to change hosts with it, asked whether limits and
 * rules allow it.
 *
 *   bench_ffd DIR NOW FROM-TO      e.g. bench_ffd big 2026-01-14T12:00:00Z \
 *                                  22:00-06:00
 *
 * Prints one JSON object. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "model/base/units.h"
#include "model/io/model_dir.h"
#include "solver/headroom/headroom.h"
#include "solver/search/insert.h"
#include "solver/search/item_order.h"
#include "solver/search/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS_MAX = 26, TRIALS = 2000000 };

static double
now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct dcp_demand *
demand_of_night(const struct dcp_inventory *inv, const char *now,
                const char *window, struct dcp_error *err)
{
    struct dcp_slot slots[SLOTS_MAX];
    struct dcp_window w;
    int64_t now_ms, start_ms, end_ms;

    if (!dcp_parse_instant(now, &now_ms, err)) {
        return NULL;
    }
    if (!dcp_window_parse(window, &w)) {
        (void)dcp_fail(err, DCP_E_USAGE, "'%s' is no window", window);
        return NULL;
    }
    dcp_window_next(&w, inv->zone, now_ms, &start_ms, &end_ms);
    uint32_t n =
        dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                          start_ms, end_ms, slots, SLOTS_MAX);

    return dcp_demand_from_model(inv, slots, n, err);
}

static int
larger_host_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    if (p->cap_cpu_mhz[a] != p->cap_cpu_mhz[b]) {
        return p->cap_cpu_mhz[a] > p->cap_cpu_mhz[b] ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

/* Takes all VMs off, and switches off what may be. */
static void
clear(struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        if (s->host[i] != DCP_IX_NONE) {
            dcp_state_remove(s, i);
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        dcp_state_power(s, h, s->on[h] && p->use[h] == DCP_HOST_KEEP);
    }
}

/* The first host that takes the item: of those that are on, then of the
 * others. */
static uint32_t
first_fit(struct dcp_state *s, const uint32_t *order, uint32_t item)
{
    const struct dcp_problem *p = s->p;
    uint32_t need = p->request[(size_t)item * p->n_scalars];

    for (uint32_t on = 2; on-- > 0;) {
        for (uint32_t k = 0; k < p->n_hosts; k++) {
            uint32_t h = order[k];

            if (s->on[h] == on && (!on || s->room[h] >= need) &&
                p->use[h] == (on ? p->use[h] : DCP_HOST_FREE) &&
                dcp_state_fits(s, item, h) && dcp_state_allowed(s, item, h)) {
                return h;
            }
        }
    }
    return DCP_IX_NONE;
}

/* How many items found no place. */
static uint32_t
fill(struct dcp_state *s, const uint32_t *order, const uint32_t *items)
{
    uint32_t n_lost = 0;

    for (uint32_t k = 0; k < s->p->n_items; k++) {
        uint32_t h = first_fit(s, order, items[k]);

        if (h == DCP_IX_NONE) {
            n_lost++;
            continue;
        }
        dcp_state_power(s, h, true);
        dcp_state_place(s, items[k], h);
    }
    return n_lost;
}

/* Spares, the first that can take what found no place, until every loss is
 * survived. */
static bool
add_spares(struct dcp_state *s, const uint32_t *order, bool *out_survives,
           struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    struct dcp_headroom headroom, passed = { .ok = true };

    for (;;) {
        uint32_t spare = DCP_IX_NONE;

        if (!dcp_headroom_check(s, NULL, passed.ok ? NULL : &passed, &headroom,
                                err)) {
            return false;
        }
        *out_survives = headroom.ok;
        for (uint32_t k = 0; !headroom.ok && k < p->n_hosts; k++) {
            if (!s->on[order[k]] && p->use[order[k]] == DCP_HOST_FREE &&
                dcp_state_fits_full(s, headroom.failed_item, order[k]) &&
                dcp_problem_restarts_on(p, headroom.failed_item, order[k])) {
                spare = order[k];
                break;
            }
        }
        if (spare == DCP_IX_NONE) {
            return true;
        }
        dcp_state_power(s, spare, true);
        passed = headroom;
    }
}

/* --- The search --------------------------------------------------------- */

static double
cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
takes(struct dcp_state *s, uint32_t item, uint32_t host)
{
    return dcp_state_fits(s, item, host) && dcp_state_allowed(s, item, host);
}

/* Moves judged per CPU second; all items have a place. */
static double
moves_per_s(struct dcp_state *s)
{
    struct dcp_rng rng = dcp_rng_stream(1, "moves", 0);
    uint32_t n_legal = 0;
    double start_s = cpu_s();

    for (uint32_t k = 0; k < TRIALS; k++) {
        uint32_t item = (uint32_t)dcp_rng_below(&rng, s->p->n_items);
        uint32_t other = (uint32_t)dcp_rng_below(&rng, s->p->n_items);

        n_legal += takes(s, item, s->host[other]);
    }
    return n_legal <= TRIALS ? TRIALS / (cpu_s() - start_s) : 0;
}

/* Swaps judged per CPU second. */
static double
swaps_per_s(struct dcp_state *s)
{
    struct dcp_rng rng = dcp_rng_stream(1, "swaps", 0);
    uint32_t n_legal = 0;
    double start_s = cpu_s();

    for (uint32_t k = 0; k < TRIALS; k++) {
        uint32_t a = (uint32_t)dcp_rng_below(&rng, s->p->n_items);
        uint32_t b = (uint32_t)dcp_rng_below(&rng, s->p->n_items);
        uint32_t ha = s->host[a], hb = s->host[b];

        if (ha == hb || ha == DCP_IX_NONE || hb == DCP_IX_NONE) {
            continue;
        }
        dcp_state_remove(s, a);
        dcp_state_remove(s, b);
        n_legal += takes(s, a, hb) && takes(s, b, ha);
        dcp_state_place(s, b, hb);
        dcp_state_place(s, a, ha);
    }
    return n_legal <= TRIALS ? TRIALS / (cpu_s() - start_s) : 0;
}

static bool
search(struct dcp_problem *p, struct dcp_error *err)
{
    struct dcp_search_options options = { .seed = 1, .deadline_ms = INT64_MAX };
    struct dcp_search_result result;
    struct dcp_bound bound;
    double start_s = cpu_s(), bound_s;

    if (!dcp_bound_compute(p, 20, &bound, err)) {
        return false;
    }
    bound_s = cpu_s() - start_s;
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);

    start_s = cpu_s();
    if (!s || !dcp_search_run(s, &bound, &options, &result, err)) {
        return false;
    }
    double search_s = cpu_s() - start_s;

    printf("\"search\": {\"hosts\": %u, \"complete\": %s, \"at_least\": %u, "
           "\"bound_cpu_seconds\": %.2f, \"cpu_seconds\": %.2f, ",
           s->n_on, result.complete ? "true" : "false", bound.hosts, bound_s,
           search_s);
    printf("\"moves_per_second\": %.0f, \"swaps_per_second\": %.0f}}\n",
           s->n_unplaced ? 0 : moves_per_s(s), swaps_per_s(s));
    return true;
}

static bool
pack(const struct dcp_model *model, const struct dcp_demand *demand,
     struct dcp_error *err)
{
    struct dcp_question q = { .inventory = model->inventory,
                              .demand = demand,
                              .last_slot = demand->n_slots,
                              .start = model->placement,
                              .may_wake = true,
                              .may_empty = true,
                              .headroom =
                                  model->inventory->policy.n_survive > 0 };
    double start_s = now_s();
    bool survives = true;
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;
    uint32_t n = p ? p->n_items : 0, n_moved = 0;
    DCP_FREE uint32_t *items = calloc(n + 1u, sizeof *items);
    DCP_FREE uint32_t *order =
        calloc(model->inventory->n_hosts + 1u, sizeof *order);

    if (!s || !items || !order) {
        return s ? dcp_fail(err, DCP_E_NOMEM, "no memory to pack") : false;
    }
    for (uint32_t i = 0; i < n; i++) {
        items[i] = i;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        order[h] = h;
    }
    qsort_r(order, p->n_hosts, sizeof *order, larger_host_first, p);
    dcp_items_covered_first(p, items, n);
    clear(s);
    uint32_t n_lost = fill(s, order, items);

    if (q.headroom && !add_spares(s, order, &survives, err)) {
        return false;
    }
    for (uint32_t v = 0; v < model->inventory->n_vms; v++) {
        n_moved += s->host[p->item_of_vm[v]] != model->placement->host[v].ix;
    }
    printf("{\"hosts\": %u, \"unplaced\": %u, \"survives\": %s, "
           "\"moves\": %u, \"seconds\": %.2f, ",
           s->n_on, n_lost, survives ? "true" : "false", n_moved,
           now_s() - start_s);
    return search(p, err);
}

int
main(int argc, char **argv)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_model model = { 0 };

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_ffd DIR NOW FROM-TO\n");
        return 2;
    }
    bool ok = dcp_model_open(argv[1], NULL, &diag, &model, &err);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *demand =
        ok ? demand_of_night(model.inventory, argv[2], argv[3], &err) : NULL;

    ok = demand && pack(&model, demand, &err);
    if (!ok) {
        (void)fprintf(stderr, "bench_ffd: %s\n", err.message);
    }
    dcp_diag_finish(&diag);
    dcp_model_finish(&model);
    return ok ? 0 : 1;
}
