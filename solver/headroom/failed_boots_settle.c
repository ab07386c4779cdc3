/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which spares are woken, and which hosts stay on at night. */

#include "solver/headroom/failed_boots_parts.h"
#include "solver/headroom/spares.h"
#include "solver/run/progress.h"

#include <stdlib.h>
#include <string.h>

/* One in so many of the hosts that lack spares stays on at a time; not of
 * fewer than FEW. */
#define KEEP_PART   8u
#define FEW         64u
/* Once time is up, and then by halves: each host that stays on needlessly
 * takes longer to plan than a probe does. */
#define LATE_PROBES 12u

static bool
is_late(const struct dcp_boot_changes *change)
{
    return change->deadline_ms && dcp_monotonic_ms() >= change->deadline_ms;
}

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
}

/* So many hosts, from the first of the pool on, stay on at night. */
static void
keep_on(struct dcp_boots *b, uint32_t n, uint8_t *keep)
{
    for (uint32_t i = 0; i < n; i++) {
        keep[b->pool[i]] = 1;
        b->is_woken[b->pool[i]] = 0;
    }
}

/* All spares sleep again: with fewer hosts in the pool fewer may do. */
static void
forget_spares(struct dcp_boots *b, uint8_t *wake)
{
    for (uint32_t h = 0; h < b->p->n_hosts; h++) {
        if (wake[h]) {
            wake[h] = 0;
            b->is_woken[h] = 0;
            dcp_state_power(b->s, h, false);
        }
    }
}

struct hard { /* A host of the pool: the hardest to find spares for first. */
    uint32_t host, n_parcels, n_able;
    bool lacks; /* Has too few even for the hosts that may fail now. */
};

static int
harder_first(const void *pa, const void *pb)
{
    struct hard a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a.lacks != b.lacks           ? (a.lacks ? -1 : 1)
           : a.n_parcels != b.n_parcels ? (a.n_parcels > b.n_parcels ? -1 : 1)
           : a.n_able != b.n_able       ? (a.n_able < b.n_able ? -1 : 1)
                                        : (a.host > b.host) - (a.host < b.host);
}

/* Of the parcels that the pool was cut into last. */
static bool
order_pool(struct dcp_boots *b, const struct dcp_spares *sp)
{
    DCP_FREE struct hard *all = calloc(b->n_pool + 1u, sizeof *all);
    DCP_FREE uint32_t *at = calloc(b->p->n_hosts + 1u, sizeof *at);

    if (!all || !at) {
        return false;
    }
    for (uint32_t i = 0; i < b->n_pool; i++) {
        at[b->pool[i]] = i;
        all[i] =
            (struct hard){ b->pool[i], 0, UINT32_MAX, sp->lacks[b->pool[i]] };
    }
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        struct hard *host = &all[at[sp->parcels[k].host]];
        uint32_t able = dcp_spares_supply(sp, k);

        host->n_parcels++;
        host->n_able = able < host->n_able ? able : host->n_able;
    }
    qsort(all, b->n_pool, sizeof *all, harder_first);
    for (uint32_t i = 0; i < b->n_pool; i++) {
        b->pool[i] = all[i].host;
    }
    return true;
}

/* Spares for the pool but its first n_kept hosts, from those awake on. */
static bool
try_without(struct dcp_boots *b, struct dcp_spares *sp,
            const uint8_t *was_awake, uint32_t n_kept, struct dcp_error *err)
{
    dcp_spares_sleep(sp, was_awake);
    return dcp_spares_cover(sp, b->pool + n_kept, b->n_pool - n_kept,
                            b->n_woken - b->n_spares - n_kept, true, err);
}

/* What is awake is woken. */
static void
take_spares(struct dcp_boots *b, const struct dcp_spares *sp,
            struct dcp_boot_changes *change)
{
    for (uint32_t i = 0; i < sp->n; i++) {
        uint32_t h = sp->host[i];

        change->wake[h] |= sp->awake[i] && !b->is_woken[h];
        b->is_woken[h] = sp->awake[i];
    }
}

/* As few hosts kept on as make spares enough for the others: by halving, for
 * with fewer hosts to wake fewer may fail. */
static bool
wake_or_keep(struct dcp_boots *b, struct dcp_spares *sp,
             struct dcp_boot_changes *change, struct dcp_error *err)
{
    uint32_t low = 0, high = b->n_pool; /* With 'high' kept it works. */
    DCP_FREE uint8_t *was_awake = malloc(sp->n + 1u);

    if (!was_awake) {
        return no_memory(err);
    }
    memcpy(was_awake, sp->awake, sp->n);
    if (!try_without(b, sp, was_awake, 0, err) ||
        (sp->n_lacking && !order_pool(b, sp))) {
        return no_memory(err);
    }
    high = sp->n_lacking ? high : 0;
    for (uint32_t n_late = 0; low < high && n_late < LATE_PROBES;) {
        uint32_t half = low + (high - low) / 2;

        /* Few are the rule: near the lower end first. */
        if (is_late(change)) {
            n_late++;
        } else if (high - low > FEW) {
            half = low + (high - low) / KEEP_PART;
        }
        if (!try_without(b, sp, was_awake, half, err)) {
            return false;
        }
        low = sp->n_lacking ? half + 1 : low;
        high = sp->n_lacking ? high : half;
    }
    if (!try_without(b, sp, was_awake, high, err)) {
        return false;
    }
    if (!high && !memcmp(was_awake, sp->awake, sp->n)) {
        high = 1; /* Nothing was missing, and yet it does not hold. */
    }
    take_spares(b, sp, change);
    keep_on(b, high, change->keep);
    return true;
}

/* Spares for groups of hosts that share them, once; what they do not serve, and
 * what is still without a list then, stays on at night. */
static bool
keep_ungrouped(struct dcp_boots *b, struct dcp_spares *sp,
               struct dcp_boot_changes *change, struct dcp_error *err)
{
    DCP_FREE uint8_t *in_group = calloc(b->p->n_hosts + 1u, 1);
    DCP_FREE uint8_t *was_awake = malloc(sp->n + 1u);
    uint32_t n_kept = 0;

    if (!in_group || !was_awake) {
        return no_memory(err);
    }
    memcpy(was_awake, sp->awake, sp->n);
    if (!dcp_spares_group(sp, b->pool, b->n_pool, b->n_woken - b->n_spares,
                          in_group, err)) {
        return false;
    }
    /* Those that stay on come first. */
    for (uint32_t i = 0; i < b->n_pool; i++) {
        uint32_t h = b->pool[i];

        if (!in_group[h]) {
            b->pool[i] = b->pool[n_kept];
            b->pool[n_kept++] = h;
        }
    }
    if (n_kept < b->n_pool &&
        !try_without(b, sp, was_awake, n_kept, err)) {
        return false;
    }
    if (sp->n_lacking) { /* Spares for some alone would be for nothing. */
        n_kept = b->n_pool;
        dcp_spares_sleep(sp, was_awake);
    }
    take_spares(b, sp, change);
    keep_on(b, n_kept, change->keep);
    change->way = DCP_BOOTS_KEEP;
    return true;
}

/* Spares for the pool: '*out_failed' a host that lacks some, DCP_IX_NONE: none
 * does.  With 'change' more are woken, or hosts kept on, where it lacks some;
 * then '*out_again': lists are to be made anew. */
static bool
cover(struct dcp_boots *b, struct dcp_boot_changes *change,
      uint32_t *out_failed, bool *out_again, struct dcp_error *err)
{
    DCP_AUTO(dcp_spares)
    struct dcp_spares *sp = dcp_spares_create(b->s, b->is_woken, b->night,
                                              b->full, err);

    *out_failed = DCP_IX_NONE;
    b->n_spares = sp ? sp->n_awake_sum : 0;
    if (!sp || !dcp_spares_cover(sp, b->pool, b->n_pool,
                                 b->n_woken - b->n_spares, false, err)) {
        return false;
    }
    *out_again = sp->n_lacking && change;
    if (!sp->n_lacking) {
        dcp_spares_name(sp, b->spare);
        return true;
    }
    for (uint32_t i = b->n_pool; i-- > 0;) {
        *out_failed = sp->lacks[b->pool[i]] ? b->pool[i] : *out_failed;
    }
    if (change && change->way == DCP_BOOTS_GROUP) {
        return keep_ungrouped(b, sp, change, err);
    }
    if (change && change->way == DCP_BOOTS_KEEP) {
        uint32_t n = sp->n_lacking;

        if (!order_pool(b, sp)) {
            return no_memory(err);
        }
        keep_on(b, is_late(change) ? n : (n + KEEP_PART - 1) / KEEP_PART,
                change->keep);
        forget_spares(b, change->wake);
        return true;
    }
    return !change || wake_or_keep(b, sp, change, err);
}

static void
find_misread(struct dcp_boots *b)
{
    const struct dcp_placement *day = b->p->q->start;

    for (uint32_t v = 0; v < day->n_vms; v++) {
        uint32_t item = b->p->item_of_vm[v], h = day->host[v].ix;
        uint32_t at = item == DCP_IX_NONE ? h : b->s->host[item];

        if (h != at && h != DCP_IX_NONE) {
            b->misread[h] = 1;
        }
        if (h != at && at != DCP_IX_NONE) {
            b->misread[at] = 1;
        }
    }
}

/* A woken host of that kind: no list can be made for it; DCP_IX_NONE: none. */
static uint32_t
misread(const struct dcp_boots *b)
{
    for (uint32_t h = 0; h < b->p->n_hosts; h++) {
        if (b->misread[h] && b->is_woken[h]) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

/* With 'change', hosts are woken and kept on until nothing fails. */
static bool
settle(struct dcp_boots *b, struct dcp_boot_changes *change,
       struct dcp_failed_boots *out, struct dcp_error *err)
{
    bool again = true;

    while (again) {
        uint32_t h = misread(b);

        dcp_boots_count_woken(b);
        out->n_woken = b->n_woken;
        out->f = b->f;
        out->failed_host = h;
        again = h != DCP_IX_NONE && change;
        if (again) {
            change->keep[h] = 1;
            b->is_woken[h] = 0;
        } else if (h == DCP_IX_NONE && b->f) {
            if (!dcp_boots_list_all(b)) {
                return no_memory(err);
            }
            if (!cover(b, change, &out->failed_host, &again, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool
run(const struct dcp_question *day, const struct dcp_placement *night,
    struct dcp_boot_changes *change, struct dcp_arena *arena,
    struct dcp_failed_boots *out, struct dcp_error *err)
{
    uint32_t n = day->inventory->n_hosts, n_woken = 0;

    *out = (struct dcp_failed_boots){ .failed_host = DCP_IX_NONE };
    for (uint32_t h = 0; h < n; h++) {
        n_woken += day->start->on[h] && !night->on[h];
    }
    out->n_woken = n_woken;
    out->f = dcp_failed_boots_count(&day->inventory->policy, n_woken);
    if (!out->f) {
        return true;
    }
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(day, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s) {
        return false;
    }
    uint32_t n_cells = p->stride * (p->net_kib_s ? 2 : 1) + p->n_scalars +
                       (p->chance ? p->chance->stride : 0);
    DCP_FREE uint8_t *is_woken = calloc(2 * (size_t)n + 1, 1);
    DCP_FREE uint32_t *hosts = malloc((4 * (size_t)n + 1) * sizeof *hosts);
    DCP_FREE uint32_t *items =
        malloc((3 * (size_t)p->n_items + 1) * sizeof *items);
    DCP_FREE uint32_t *reserve =
        calloc((size_t)n * n_cells + 1, sizeof *reserve);

    struct dcp_watts *full = s->watts ? dcp_watts_create(p->watts) : NULL;

    if (!is_woken || !hosts || !items || !reserve || (s->watts && !full)) {
        dcp_watts_destroy(full);
        return no_memory(err);
    }
    struct dcp_boots b = { .p = p,
                           .s = s,
                           .night = night,
                           .n_cells = n_cells,
                           .is_woken = is_woken,
                           .misread = is_woken + n,
                           .woken = hosts,
                           .pool = hosts + n,
                           .first_row = hosts + 2 * (size_t)n,
                           .targets = hosts + 3 * (size_t)n,
                           .items = items,
                           .fallback = items + p->n_items,
                           .spare = items + 2 * (size_t)p->n_items,
                           .reserve = reserve,
                           .full = full,
                           .weights = { .cpu = 1 } };

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        b.weights.scalar[r] = 1;
    }
    for (uint32_t h = 0; h < n; h++) {
        is_woken[h] = day->start->on[h] && !night->on[h];
        b.first_row[h] = DCP_IX_NONE;
    }
    find_misread(&b);
    bool ok = settle(&b, change, out, err);

    if (ok && arena && out->failed_host == DCP_IX_NONE) {
        ok = dcp_boots_write_lists(&b, arena, out) || no_memory(err);
    }
    dcp_boots_forget_rows(&b);
    free(b.rows);
    dcp_watts_destroy(full);
    return ok;
}

bool
dcp_failed_boots_find(const struct dcp_question *day,
                      const struct dcp_placement *night,
                      struct dcp_arena *arena, struct dcp_failed_boots *out,
                      struct dcp_error *err)
{
    return run(day, night, NULL, arena, out, err);
}

bool
dcp_failed_boots_settle(const struct dcp_question *day,
                        const struct dcp_placement *night,
                        struct dcp_boot_changes *change, struct dcp_error *err)
{
    struct dcp_failed_boots out;

    return run(day, night, change, NULL, &out, err);
}
