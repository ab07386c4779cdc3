/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The order of things is in dcp_search_run(), at the end.  Small clusters
 * (SMALL_HOSTS on) have headroom checked at each accepted change; large ones
 * get spare hosts at the end, because one empty spare of the right kind serves
 * every single loss. */

#include "solver/search.h"

#include "solver/insert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SMALL_HOSTS  160u
#define STALE_ROUNDS 4000u

struct search {
    struct dcp_state *s;
    const struct dcp_problem *p;
    const struct dcp_bound *bound;
    const struct dcp_search_options *options;
    struct dcp_inserter in;
    bool out_of_time;
};

static bool
time_is_up(struct search *x)
{
    struct timespec t;

    if (x->options->deadline_ms == INT64_MAX || x->out_of_time) {
        return x->out_of_time;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    x->out_of_time = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 >=
                     x->options->deadline_ms;
    return x->out_of_time;
}

const char *
dcp_stopped_by_name(enum dcp_stopped_by by)
{
    static const char *const names[] = { "proof", "gap", "time", "iterations" };

    return names[by];
}

double
dcp_search_value(const struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;
    double value = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (!s->on[h] || p->use[h] == DCP_HOST_AVOID) {
            continue;
        }
        value += p->on_value[h];
        for (uint32_t t = 0; p->q->mhz_slope && t < p->n_slots; t++) {
            value += p->q->mhz_slope[h] *
                     (p->q->slot_weight ? p->q->slot_weight[t] : 1) *
                     s->cpu_mhz[(size_t)h * p->stride + t];
        }
    }
    return value;
}

static bool
good_enough(const struct search *x, double value)
{
    double gap = (value - x->bound->value) / fmax(fabs(value), 1e-9);

    return gap <= x->options->gap_frac + 1e-9;
}

/* Headroom as asked; true where none is. */
static bool
keeps_headroom(struct search *x, struct dcp_error *err, bool *out_ok)
{
    struct dcp_headroom h = { .ok = true };

    if (x->p->q->headroom && !dcp_headroom_check(x->s, NULL, NULL, &h, err)) {
        return false;
    }
    *out_ok = h.ok;
    return true;
}

/* --- Repair ------------------------------------------------------------- */

/* Removes from an overloaded host the smallest item that ends the overload,
 * or the largest, until it ends. */
static void
unload(struct search *x, uint32_t h, uint32_t *out, uint32_t *n)
{
    struct dcp_state *s = x->s;

    while (dcp_state_overloaded(s, h) && s->first[h] != DCP_IX_NONE) {
        uint32_t ends = DCP_IX_NONE, largest = s->first[h];

        for (uint32_t i = s->first[h]; i != DCP_IX_NONE;) {
            uint32_t next = s->next[i];
            double size = x->p->size[i];

            dcp_state_remove(s, i);
            if (!dcp_state_overloaded(s, h) &&
                (ends == DCP_IX_NONE || size < x->p->size[ends])) {
                ends = i;
            }
            dcp_state_place(s, i, h);
            if (size > x->p->size[largest]) {
                largest = i;
            }
            i = next;
        }
        uint32_t gone = ends != DCP_IX_NONE ? ends : largest;

        dcp_insert_remove(&x->in, gone);
        out[(*n)++] = gone;
    }
}

/* Items that may not stay where they are go into 'out'. */
static uint32_t
take_off_misplaced(struct search *x, uint32_t *out)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = s->host[i];

        if (h == DCP_IX_NONE) {
            out[n++] = i;
        } else if (!s->on[h] || p->use[h] == DCP_HOST_AVOID ||
                   !dcp_state_allowed(s, i, h)) {
            dcp_insert_remove(&x->in, i);
            out[n++] = i;
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (s->on[h] && p->use[h] != DCP_HOST_AVOID) {
            unload(x, h, out, &n);
        }
    }
    return n;
}

/* Places what is misplaced; what finds no place goes back where it was, or
 * stays unplaced. Returns how many found none. */
static uint32_t
repair(struct search *x, uint32_t *items, struct dcp_search_result *out)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    uint32_t n = take_off_misplaced(x, items), lost = 0;

    out->n_misplaced = n;
    x->in.may_wake = true;
    x->in.prefer_home = true;
    x->in.swap_tries = 64;
    dcp_sort_by_size(p, items, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t item = items[k];

        if (dcp_insert_one(&x->in, item)) {
            continue;
        }
        out->unplaced_item = item;
        lost++;
        if (p->start_host[item] != DCP_IX_NONE) {
            dcp_state_place(s, item, p->start_host[item]);
        }
    }
    x->in.trail.n = 0;
    x->in.prefer_home = false;
    return lost;
}

/* --- Emptying hosts ----------------------------------------------------- */

static bool
may_switch_off(const struct search *x, uint32_t h)
{
    return x->s->on[h] && x->p->use[h] == DCP_HOST_FREE &&
           x->s->n_on > x->p->q->inventory->policy.keep_on;
}

/* Moves all of host 'h' elsewhere and switches it off, or changes nothing. */
static bool
empty_host(struct search *x, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;

    while (s->first[h] != DCP_IX_NONE) {
        items[n] = s->first[h];
        dcp_insert_remove(&x->in, items[n++]);
    }
    dcp_insert_power(&x->in, h, false);
    x->in.not_to = h;
    bool ok = dcp_insert_all(&x->in, items, n);

    x->in.not_to = DCP_IX_NONE;
    if (!ok) {
        dcp_trail_undo(&x->in.trail, s);
    }
    return ok;
}

struct ranked {
    uint32_t host;
    double key;
};

static int
by_key(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

/* How full a host is: the largest share over resources. */
static double
fill_of(const struct search *x, uint32_t h)
{
    const struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    double fill =
        p->cap_cpu_mhz[h] ? (double)s->cpu_peak_mhz[h] / p->cap_cpu_mhz[h] : 0;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + h;

        if (p->cap[at]) {
            fill = fmax(fill, (double)s->used[at] / p->cap[at]);
        }
    }
    return fill;
}

/* The load of a host per what switching it off saves: smallest first. */
static uint32_t
rank_to_empty(const struct search *x, struct ranked *out)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (may_switch_off(x, h)) {
            out[n++] = (struct ranked){ h, fill_of(x, h) /
                                               (x->p->on_value[h] + 1e-12) };
        }
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

/* Accepts what the trail holds if headroom stays, else takes it back. */
static bool
settle(struct search *x, bool check, bool *out_kept, struct dcp_error *err)
{
    *out_kept = true;
    if (check && !keeps_headroom(x, err, out_kept)) {
        return false;
    }
    if (*out_kept) {
        x->in.trail.n = 0;
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

/* One pass over the hosts, least loaded first; repeats while it helps. */
static bool
empty_hosts(struct search *x, uint32_t max_passes, bool check,
            uint32_t swap_tries, struct dcp_error *err)
{
    DCP_FREE struct ranked *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    x->in.may_wake = false;
    x->in.swap_tries = swap_tries;
    for (uint32_t pass = 0; pass < max_passes && !time_is_up(x); pass++) {
        uint32_t n = rank_to_empty(x, ranks), emptied = 0;

        for (uint32_t k = 0; k < n && !time_is_up(x); k++) {
            bool kept;

            if (!may_switch_off(x, ranks[k].host) ||
                !empty_host(x, ranks[k].host)) {
                continue;
            }
            if (!settle(x, check, &kept, err)) {
                return false;
            }
            emptied += kept;
        }
        if (!emptied) {
            break;
        }
    }
    return true;
}

/* --- Keeping the hosts that the bound keeps ----------------------------- */

static size_t
quota_of(const struct search *x, uint32_t h)
{
    return (size_t)x->bound->region[h] * x->p->n_types + x->p->type_of_host[h];
}

/* Hosts to keep: by type as many as the relaxation has on, the fullest first;
 * all others are emptied at once, and their items put on the kept ones,
 * largest first, leaving a host on (or waking one) where nothing fits. */
static bool
keep_and_fill(struct search *x, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    DCP_FREE struct ranked *ranks = malloc((p->n_hosts + 1u) * sizeof *ranks);
    const struct dcp_bound *bound = x->bound;
    size_t n_quotas = (size_t)bound->n_regions * p->n_types;
    DCP_FREE double *quota = malloc((n_quotas + 1u) * sizeof *quota);
    uint32_t n = 0, n_items = 0, *items = x->in.scratch;

    if (!ranks || !quota) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (size_t k = 0; k < n_quotas; k++) {
        quota[k] = ceil(bound->type_on[k] - 1e-6);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool fixed = p->use[h] != DCP_HOST_FREE;

        if (s->on[h] && !fixed) {
            ranks[n++] = (struct ranked){ h, -fill_of(x, h) };
        } else if (s->on[h] && p->use[h] == DCP_HOST_KEEP) {
            quota[quota_of(x, h)]--;
        }
    }
    qsort(ranks, n, sizeof *ranks, by_key);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = ranks[k].host;

        if (quota[quota_of(x, h)]-- > 0) {
            continue;
        }
        while (s->first[h] != DCP_IX_NONE) {
            items[n_items] = s->first[h];
            dcp_insert_remove(&x->in, items[n_items++]);
        }
        dcp_insert_power(&x->in, h, false);
    }
    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = true;
    x->in.swap_tries = 0;
    if (!dcp_insert_all(&x->in, items, n_items)) {
        dcp_trail_undo(&x->in.trail, s);
    }
    x->in.trail.n = 0;
    return true;
}

/* --- Ruin and recreate -------------------------------------------------- */

/* Of equal values the lumpier is better: one host nearly empty, others full,
 * is nearer to a host less (Falkenauer 1996). */
static double
lumpiness(const struct search *x)
{
    double sum = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->s->on[h]) {
            double fill = fill_of(x, h);

            sum += fill * fill;
        }
    }
    return sum;
}

static uint32_t
random_on_host(struct search *x)
{
    uint32_t n = x->p->n_hosts;

    for (uint32_t tries = 0; tries < 4 * n; tries++) {
        uint32_t h = (uint32_t)dcp_rng_below(&x->in.rng, n);

        if (x->s->on[h] && x->p->use[h] != DCP_HOST_AVOID) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

/* Takes two to five hosts' items off, tries to do without one of them. */
static bool
ruin_and_recreate(struct search *x)
{
    struct dcp_state *s = x->s;
    uint32_t n_hosts = 2 + (uint32_t)dcp_rng_below(&x->in.rng, 4), n = 0;
    uint32_t *items = x->in.scratch, drop = DCP_IX_NONE;

    for (uint32_t k = 0; k < n_hosts; k++) {
        uint32_t h = random_on_host(x);

        if (h == DCP_IX_NONE) {
            return false;
        }
        while (s->first[h] != DCP_IX_NONE) {
            items[n] = s->first[h];
            dcp_insert_remove(&x->in, items[n++]);
        }
        if (drop == DCP_IX_NONE && may_switch_off(x, h)) {
            drop = h;
        }
    }
    bool off = drop != DCP_IX_NONE && dcp_rng_below(&x->in.rng, 2);

    if (off) {
        dcp_insert_power(&x->in, drop, false);
    }
    x->in.blink_frac = 0.05;
    bool ok = dcp_insert_all(&x->in, items, n);

    x->in.blink_frac = 0;
    for (uint32_t h = 0; ok && h < x->p->n_hosts; h++) {
        if (!s->n_on_host[h] && may_switch_off(x, h)) {
            dcp_insert_power(&x->in, h, false);
        }
    }
    return ok;
}

static bool
improve(struct search *x, bool check, struct dcp_search_result *out,
        struct dcp_error *err)
{
    double value = dcp_search_value(x->s), lumps = lumpiness(x);
    uint64_t stale = 0, limit = x->options->iterations;

    x->in.may_wake = false;
    x->in.swap_tries = 8;
    for (uint64_t round = 0; !limit || round < limit; round++, out->rounds++) {
        bool kept = false;

        if (good_enough(x, value) || stale++ >= STALE_ROUNDS || time_is_up(x)) {
            break;
        }
        if (ruin_and_recreate(x)) {
            double new_value = dcp_search_value(x->s);
            double new_lumps = lumpiness(x);
            double margin = 1e-9 * fmax(fabs(value), 1);

            if (new_value < value - margin ||
                (new_value < value + margin && new_lumps > lumps + 1e-9)) {
                if (!settle(x, check, &kept, err)) {
                    return false;
                }
                if (kept) {
                    stale = new_value < value - margin ? 0 : stale;
                    value = new_value;
                    lumps = new_lumps;
                }
            }
        }
        if (!kept) {
            dcp_trail_undo(&x->in.trail, x->s);
        }
    }
    return true;
}

/* --- Headroom ----------------------------------------------------------- */

/* How many items each host could restart. */
static bool
count_restarts(const struct dcp_problem *p, uint32_t *out)
{
    DCP_FREE uint32_t *items = calloc(p->n_classes + 1u, sizeof *items);

    if (!items) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        items[p->reach_class[i]]++;
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach_restart + (size_t)c * p->reach_words;

        for (uint32_t h = 0; h < p->n_hosts; h++) {
            out[h] += row[h / 64] >> (h % 64) & 1 ? items[c] : 0;
        }
    }
    return true;
}

/* What a spare costs for what it can do: by its size and how many items it
 * could restart. */
static double
spare_cost(const struct dcp_problem *p, const uint32_t *restarts, uint32_t h)
{
    return p->on_value[h] / ((double)p->cap[h] * restarts[h] + 1);
}

/* Switches hosts on until every loss is survived: of those that could take the
 * item which found no place, the one that costs least for what it can do,
 * because one spare serves every single loss. */
static bool
add_spares(struct search *x, struct dcp_headroom *out, struct dcp_error *err)
{
    struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;

    struct dcp_headroom passed = { .ok = true };
    DCP_FREE uint32_t *restarts = calloc(p->n_hosts + 1u, sizeof *restarts);

    if (!restarts || !count_restarts(p, restarts)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    for (;;) {
        uint32_t best = DCP_IX_NONE;

        if (!dcp_headroom_check(s, NULL, passed.ok ? NULL : &passed, out,
                                err)) {
            return false;
        }
        passed = *out;
        if (out->ok) {
            return true;
        }
        uint32_t from = s->host[out->failed_item];

        if (from != DCP_IX_NONE) {
            dcp_state_remove(s, out->failed_item);
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (!s->on[h] && p->use[h] == DCP_HOST_FREE &&
                (p->q->may_wake || p->q->start->on[h]) &&
                dcp_state_fits_full(s, out->failed_item, h) &&
                dcp_state_restarts(s, out->failed_item, h) &&
                (best == DCP_IX_NONE ||
                 spare_cost(p, restarts, h) < spare_cost(p, restarts, best))) {
                best = h;
            }
        }
        if (from != DCP_IX_NONE) {
            dcp_state_place(s, out->failed_item, from);
        }
        if (best == DCP_IX_NONE) {
            return true; /* out->ok is false: no host helps. */
        }
        dcp_state_power(s, best, true);
    }
}

#define TRIM_TRIES 96u

/* With the spares on: the emptiest hosts once more, each kept off only if
 * every loss is still survived.  Spares that others made needless go first. */
static bool
trim(struct search *x, struct dcp_error *err)
{
    DCP_FREE struct ranked *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    uint32_t n = rank_to_empty(x, ranks);

    x->in.may_wake = false;
    x->in.swap_tries = 16;
    for (uint32_t k = 0; k < n && k < TRIM_TRIES && !time_is_up(x); k++) {
        bool kept;

        if (may_switch_off(x, ranks[k].host) && empty_host(x, ranks[k].host) &&
            !settle(x, true, &kept, err)) {
            return false;
        }
    }
    return true;
}

/* --- All ---------------------------------------------------------------- */

/* Two ways for small clusters: empty hosts one by one from where VMs are, or
 * start from the hosts that the bound would keep.  The first moves less, the
 * second sees that other hosts are better; the cheaper answer stays. */
static bool
from_start(struct search *x, struct dcp_search_result *out,
           struct dcp_error *err)
{
    bool check = x->p->q->headroom;

    if (check && !keeps_headroom(x, err, &check)) {
        return false;
    }
    /* Where the start itself has no headroom, emptying cannot be judged by
     * it: pack freely, then add spares. */
    return empty_hosts(x, 4, check, 32, err) && improve(x, check, out, err) &&
           empty_hosts(x, 2, check, 64, err);
}

static bool
from_bound(struct search *x, struct dcp_search_result *out,
           struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool check = x->p->q->headroom;

    if (!keep_and_fill(x, err) || !empty_hosts(x, 2, false, 32, err) ||
        (check && !add_spares(x, &headroom, err))) {
        return false;
    }
    check = check && headroom.ok;
    return empty_hosts(x, 4, check, 32, err) && improve(x, check, out, err) &&
           empty_hosts(x, 2, check, 64, err);
}

/* The value of a complete state; one without headroom counts as infinite. */
static bool
final_value(struct search *x, double *out, struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    if (x->p->q->headroom && !add_spares(x, &headroom, err)) {
        return false;
    }
    *out = headroom.ok ? dcp_search_value(x->s) : INFINITY;
    return true;
}

static bool
consolidate_small(struct search *x, struct dcp_search_result *out,
                  struct dcp_error *err)
{
    DCP_AUTO(dcp_state)
    struct dcp_state *repaired = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *first = dcp_state_create(x->p, err);
    double value[2];

    if (!repaired || !first) {
        return false;
    }
    dcp_state_assign(repaired, x->s);
    if (!from_start(x, out, err) || !final_value(x, &value[0], err)) {
        return false;
    }
    if (good_enough(x, value[0])) {
        return true;
    }
    dcp_state_assign(first, x->s);
    dcp_state_assign(x->s, repaired);
    if (!from_bound(x, out, err) || !final_value(x, &value[1], err)) {
        return false;
    }
    if (!(value[1] <
          value[0] * (1 - x->p->q->inventory->policy.min_gain_frac))) {
        dcp_state_assign(x->s, first);
    }
    return true;
}

static bool
consolidate(struct search *x, struct dcp_search_result *out,
            struct dcp_error *err)
{
    if (x->p->q->gentle) {
        bool check = x->p->q->headroom && x->s->n_on <= SMALL_HOSTS;

        return empty_hosts(x, 2, check, 4, err);
    }
    if (x->s->n_on <= SMALL_HOSTS) {
        return consolidate_small(x, out, err);
    }
    return keep_and_fill(x, err) && empty_hosts(x, 2, false, 4, err);
}

static enum dcp_stopped_by
why_stopped(struct search *x)
{
    double value = dcp_search_value(x->s);

    if (value <= x->bound->value * (1 + 1e-9) + 1e-9) {
        return DCP_STOPPED_PROOF;
    }
    if (x->options->gap_frac > 0 && good_enough(x, value)) {
        return DCP_STOPPED_GAP;
    }
    return x->out_of_time ? DCP_STOPPED_TIME : DCP_STOPPED_ITERATIONS;
}

bool
dcp_search_run(struct dcp_state *s, const struct dcp_bound *bound,
               const struct dcp_search_options *options,
               struct dcp_search_result *out, struct dcp_error *err)
{
    struct search x = { .s = s, .p = s->p, .bound = bound, .options = options };
    DCP_FREE uint32_t *items = malloc((s->p->n_items + 1u) * sizeof *items);
    bool ok = items != NULL;

    *out = (struct dcp_search_result){ .headroom.ok = true };
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (!dcp_inserter_init(&x.in, s, options->seed, err)) {
        return false;
    }
    out->n_unplaced = repair(&x, items, out);
    if (s->p->q->may_empty && !out->n_unplaced) {
        ok = consolidate(&x, out, err);
    }
    if (ok && s->p->q->headroom && !out->n_unplaced) {
        ok = add_spares(&x, &out->headroom, err);
        if (ok && out->headroom.ok && s->p->q->may_empty &&
            s->n_on > SMALL_HOSTS) {
            ok = trim(&x, err);
        }
    }
    out->complete = !out->n_unplaced && out->headroom.ok;
    out->stopped_by = why_stopped(&x);
    if (ok && x.in.trail.failed) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_inserter_finish(&x.in);
    return ok;
}
