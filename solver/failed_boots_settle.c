/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which spares are woken, and which hosts stay on at night. */

#include "solver/failed_boots_parts.h"
#include "solver/stand_in.h"

#include <stdlib.h>
#include <string.h>

/* One in so many of the hosts that lack spares stays on at a time. */
#define KEEP_PART 8u

/* Of the pool the first that has fewer than f spares; DCP_IX_NONE: none. */
static uint32_t
lacking(const struct dcp_boots *b)
{
    for (uint32_t i = 0; i < b->n_pool; i++) {
        if (b->able[i] < b->f) {
            return b->pool[i];
        }
    }
    return DCP_IX_NONE;
}

/* Counts one more spare, that is on; false, and it is not counted: it stands
 * in for fewer than 'least' of those that lack one. */
static bool
count_spare(struct dcp_boots *b, uint32_t spare, uint32_t least)
{
    uint32_t n_helped = 0;

    for (uint32_t i = 0; i < b->n_pool; i++) {
        b->helped[i] = dcp_stands_in(b->s, spare, b->pool[i], b->items);
        n_helped += b->helped[i] && b->able[i] < b->f;
    }
    for (uint32_t i = 0; n_helped >= least && i < b->n_pool; i++) {
        uint32_t *first = &b->spare[b->pool[i]];

        b->able[i] += b->helped[i];
        *first = b->helped[i] && *first == DCP_IX_NONE ? spare : *first;
    }
    return n_helped >= least;
}

/* Spares that are awake already. */
static uint32_t
count_spares(struct dcp_boots *b)
{
    memset(b->able, 0, b->n_pool * sizeof *b->able);
    for (uint32_t i = 0; b->n_pool && i < b->n_woken; i++) {
        if (b->s->first[b->woken[i]] == DCP_IX_NONE) {
            (void)count_spare(b, b->woken[i], 0);
        }
    }
    return lacking(b);
}

static void
set_woken(struct dcp_boots *b, uint32_t host, bool woken)
{
    dcp_state_power(b->s, host, woken);
    b->is_woken[host] = woken;
}

/* More spares, until all of the pool have f; each makes more hosts that may
 * fail.  False: not all have so many. */
static bool
wake_spares(struct dcp_boots *b, uint8_t *wake)
{
    uint32_t n_woken = b->n_woken;

    for (uint32_t i = 0; lacking(b) != DCP_IX_NONE && i < b->n_candidates;
         i++) {
        uint32_t x = b->candidates[i];

        if (b->is_woken[x]) {
            continue;
        }
        set_woken(b, x, true);
        wake[x] = count_spare(b, x, 1);
        if (wake[x]) {
            b->f =
                dcp_failed_boots_count(&b->p->q->inventory->policy, ++n_woken);
        } else {
            set_woken(b, x, false);
        }
    }
    return lacking(b) == DCP_IX_NONE;
}

/* All spares sleep again: with fewer hosts in the pool fewer may do. */
static void
forget_spares(struct dcp_boots *b, uint8_t *wake)
{
    for (uint32_t i = 0; i < b->n_candidates; i++) {
        if (wake[b->candidates[i]]) {
            wake[b->candidates[i]] = 0;
            set_woken(b, b->candidates[i], false);
        }
    }
}

/* A part of those that lack spares stay on at night: what they take then may
 * be enough for the others. */
static void
keep_on(struct dcp_boots *b, uint8_t *keep)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n_pool; i++) {
        n += b->able[i] < b->f;
    }
    n = (n + KEEP_PART - 1) / KEEP_PART;
    for (uint32_t i = 0; n && i < b->n_pool; i++) {
        if (b->able[i] < b->f) {
            keep[b->pool[i]] = 1;
            b->is_woken[b->pool[i]] = 0;
            n--;
        }
    }
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
       struct dcp_failed_boots *out)
{
    for (;;) {
        uint32_t h = misread(b);

        dcp_boots_count_woken(b);
        out->n_woken = b->n_woken;
        out->f = b->f;
        if (h == DCP_IX_NONE && b->f) {
            if (!dcp_boots_list_all(b)) {
                return false;
            }
            h = count_spares(b);
        } else if (h != DCP_IX_NONE && change) {
            change->keep[h] = 1;
            b->is_woken[h] = 0;
            continue;
        }
        out->failed_host = h;
        if (h == DCP_IX_NONE || !change) {
            return true;
        }
        if (!change->may_wake || !wake_spares(b, change->wake)) {
            keep_on(b, change->keep);
            forget_spares(b, change->wake);
        }
    }
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
    DCP_FREE uint32_t *hosts = malloc((8 * (size_t)n + 1) * sizeof *hosts);
    DCP_FREE uint32_t *items =
        malloc((2 * (size_t)p->n_items + 1) * sizeof *items);
    DCP_FREE uint32_t *reserve =
        calloc((size_t)n * n_cells + 1, sizeof *reserve);

    if (!is_woken || !hosts || !items || !reserve) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
    }
    struct dcp_boots b = { .p = p,
                           .s = s,
                           .night = night,
                           .n_cells = n_cells,
                           .is_woken = is_woken,
                           .misread = is_woken + n,
                           .woken = hosts,
                           .pool = hosts + n,
                           .spare = hosts + 2 * (size_t)n,
                           .able = hosts + 3 * (size_t)n,
                           .candidates = hosts + 4 * (size_t)n,
                           .first_row = hosts + 5 * (size_t)n,
                           .targets = hosts + 6 * (size_t)n,
                           .helped = hosts + 7 * (size_t)n,
                           .items = items,
                           .fallback = items + p->n_items,
                           .reserve = reserve,
                           .weights = { .cpu = 1 } };

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        b.weights.scalar[r] = 1;
    }
    for (uint32_t h = 0; h < n; h++) {
        is_woken[h] = day->start->on[h] && !night->on[h];
        b.first_row[h] = DCP_IX_NONE;
    }
    find_misread(&b);
    b.n_candidates = dcp_stand_in_candidates(s, night, b.candidates);
    bool memory = settle(&b, change, out);

    if (memory && arena && out->failed_host == DCP_IX_NONE) {
        memory = dcp_boots_write_lists(&b, arena, out);
    }
    dcp_boots_forget_rows(&b);
    free(b.rows);
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
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
