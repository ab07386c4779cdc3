/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/chance.h"

#include "solver/problem.h"
#include "solver/rows.h"
#include "solver/vectors.h"

#include <stdlib.h>
#include <string.h>

/* --- Compiling ---------------------------------------------------------- */

/* Columns of the question's slots, each bucket once: where they are in the
 * demand goes to 'source'. */
static uint32_t
list_ranges(const struct dcp_question *q, uint32_t *first, uint32_t *allowed,
            uint32_t *slot, uint32_t *source)
{
    const struct dcp_scenarios *s = q->demand->scenarios;
    uint32_t n = 0;

    first[0] = 0;
    for (uint32_t t = q->first_slot; t < q->last_slot; t++) {
        bool seen = false;

        for (uint32_t r = 0; r < n; r++) {
            seen |= source[r] == s->first[t];
        }
        if (!seen) {
            source[n] = s->first[t];
            allowed[n] =
                dcp_scenarios_allowed(&q->inventory->policy, s->count[t]);
            slot[n] = t - q->first_slot;
            first[n + 1] = first[n] + s->count[t];
            n++;
        }
    }
    return n;
}

static void
fill_items(const struct dcp_question *q, const struct dcp_chance *c,
           const uint32_t *source, const uint32_t *item_of_vm, uint32_t *mhz)
{
    const struct dcp_scenarios *s = q->demand->scenarios;

    for (uint32_t v = 0; v < q->inventory->n_vms; v++) {
        const uint32_t *from = s->cpu_mhz + (size_t)v * s->stride;
        if (item_of_vm[v] == DCP_IX_NONE) {
            continue;
        }
        uint32_t *to = mhz + (size_t)item_of_vm[v] * c->stride;

        for (uint32_t r = 0; r < c->n_ranges; r++) {
            for (uint32_t k = c->first[r]; k < c->first[r + 1]; k++) {
                uint32_t more = from[source[r] + k - c->first[r]];

                to[k] = to[k] > UINT32_MAX - more ? UINT32_MAX : to[k] + more;
            }
        }
    }
}

bool
dcp_chance_compile(const struct dcp_question *q, struct dcp_arena *arena,
                   const uint32_t *item_of_vm, uint32_t n_items,
                   const struct dcp_chance **out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = q->inventory;
    uint32_t n_slots = q->last_slot - q->first_slot;

    *out = NULL;
    if (!inv->policy.overload || !q->demand->scenarios) {
        return true;
    }
    struct dcp_chance *c = dcp_arena_new(arena, struct dcp_chance);
    uint32_t *first = dcp_arena_array(arena, uint32_t, n_slots + 1u);
    uint32_t *allowed = dcp_arena_array(arena, uint32_t, n_slots);
    uint32_t *slot = dcp_arena_array(arena, uint32_t, n_slots);
    uint32_t *source = dcp_arena_array(arena, uint32_t, n_slots);
    uint32_t *peak = dcp_arena_array(arena, uint32_t, n_items);
    uint32_t *limit =
        dcp_arena_array(arena, uint32_t, 2 * (size_t)inv->n_hosts);
    uint32_t *mhz = NULL;

    if (c && first && allowed && slot && source && peak && limit) {
        c->n_ranges = list_ranges(q, first, allowed, slot, source);
        c->n = first[c->n_ranges];
        c->stride = (c->n + 7u) & ~7u;
        mhz = dcp_arena_array(arena, uint32_t, (size_t)n_items * c->stride);
    }
    if (!mhz) {
        return dcp_fail(err, DCP_E_NOMEM,
                        "no memory for the joint history of %u items", n_items);
    }
    c->first = first;
    c->allowed = allowed;
    c->slot = slot;
    c->mhz = mhz;
    c->peak_mhz = peak;
    c->limit_mhz = limit;
    c->full_mhz = limit + inv->n_hosts;
    fill_items(q, c, source, item_of_vm, mhz);
    for (uint32_t i = 0; i < n_items; i++) {
        for (uint32_t k = 0; k < c->n; k++) {
            uint32_t x = mhz[(size_t)i * c->stride + k];

            peak[i] = x > peak[i] ? x : peak[i];
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        limit[h] = dcp_scenarios_limit_mhz(inv, (dcp_host_id){ h }, false);
        limit[inv->n_hosts + h] =
            dcp_scenarios_limit_mhz(inv, (dcp_host_id){ h }, true);
    }
    *out = c;
    return true;
}

/* --- Sums --------------------------------------------------------------- */

struct dcp_chance_load *
dcp_chance_load_create(const struct dcp_chance *c, uint32_t n_hosts)
{
    struct dcp_chance_load *l = calloc(1, sizeof *l);

    if (!l) {
        return NULL;
    }
    l->c = c;
    l->n_hosts = n_hosts;
    l->mhz = calloc((size_t)n_hosts * c->stride + 1, sizeof *l->mhz);
    l->peak_mhz = calloc(n_hosts + 1u, sizeof *l->peak_mhz);
    if (!l->mhz || !l->peak_mhz) {
        dcp_chance_load_destroy(l);
        return NULL;
    }
    return l;
}

void
dcp_chance_load_destroy(struct dcp_chance_load *l)
{
    if (l) {
        free(l->mhz);
        free(l->peak_mhz);
        free(l->ends_mhz);
        free(l);
    }
}

void
dcp_chance_load_assign(struct dcp_chance_load *to,
                       const struct dcp_chance_load *from)
{
    memcpy(to->mhz, from->mhz,
           (size_t)from->n_hosts * from->c->stride * sizeof *to->mhz);
    memcpy(to->peak_mhz, from->peak_mhz, from->n_hosts * sizeof *to->peak_mhz);
}

void
dcp_chance_load_add(struct dcp_chance_load *l, uint32_t item, uint32_t host)
{
    size_t stride = l->c->stride;

    l->peak_mhz[host] = dcp_row_add(l->mhz + host * stride,
                                    l->c->mhz + item * stride, l->c->stride);
}

void
dcp_chance_load_sub(struct dcp_chance_load *l, uint32_t item, uint32_t host)
{
    size_t stride = l->c->stride;

    l->peak_mhz[host] = dcp_row_sub(l->mhz + host * stride,
                                    l->c->mhz + item * stride, l->c->stride);
}

bool
dcp_chance_load_ends(struct dcp_chance_load *l, const struct dcp_placement *to,
                     struct dcp_error *err)
{
    if (!l) {
        return true;
    }
    const struct dcp_chance *c = l->c;
    size_t n = (size_t)l->n_hosts * c->stride;
    uint32_t *end = calloc(n + 1, sizeof *end);

    if (!end) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to order moves");
    }
    for (uint32_t v = 0; v < to->n_vms; v++) {
        uint32_t h = to->host[v].ix;

        for (uint32_t k = 0; h != DCP_IX_NONE && k < c->n; k++) {
            end[(size_t)h * c->stride + k] += c->mhz[(size_t)v * c->stride + k];
        }
    }
    for (uint32_t h = 0; h < l->n_hosts; h++) {
        for (uint32_t k = 0; k < c->stride; k++) {
            size_t at = (size_t)h * c->stride + k;
            uint32_t most = end[at] > l->mhz[at] ? end[at] : l->mhz[at];

            end[at] = most > c->limit_mhz[h] ? most : c->limit_mhz[h];
        }
    }
    free(l->ends_mhz);
    l->ends_mhz = end;
    return true;
}

/* --- Tests -------------------------------------------------------------- */

DCP_INLINE uint32_t
count_above_inline(const uint32_t *sum, const uint32_t *more, uint32_t limit,
                   uint32_t n)
{
    uint32_t above = 0;

    for (uint32_t k = 0; k < n; k++) { /* No branch: vectorises. */
        above += sum[k] + more[k] > limit;
    }
    return above;
}

DCP_FOR_VECTORS(uint32_t, count_above, count_above_inline,
                (const uint32_t *sum, const uint32_t *more, uint32_t limit,
                 uint32_t n),
                (sum, more, limit, n))

static bool
within_ends(const struct dcp_chance_load *l, const uint32_t *more,
            uint32_t host)
{
    size_t at = (size_t)host * l->c->stride;
    uint32_t over = 0;

    for (uint32_t k = 0; k < l->c->stride; k++) {
        over |= l->mhz[at + k] + more[k] > l->ends_mhz[at + k];
    }
    return !over;
}

bool
dcp_chance_fits(const struct dcp_chance_load *l, uint32_t item, uint32_t host,
                bool after_loss)
{
    const struct dcp_chance *c = l->c;
    const uint32_t *more = c->mhz + (size_t)item * c->stride;
    const uint32_t *sum = l->mhz + (size_t)host * c->stride;
    uint32_t limit = after_loss ? c->full_mhz[host] : c->limit_mhz[host];

    if ((uint64_t)l->peak_mhz[host] + c->peak_mhz[item] <= limit) {
        return true;
    }
    if (l->ends_mhz) {
        return within_ends(l, more, host);
    }
    for (uint32_t r = 0; r < c->n_ranges; r++) {
        uint32_t k = c->first[r];

        if (count_above(sum + k, more + k, limit, c->first[r + 1] - k) >
            c->allowed[r]) {
            return false;
        }
    }
    return true;
}

bool
dcp_chance_overloaded(const struct dcp_chance_load *l, uint32_t host)
{
    const struct dcp_chance *c = l->c;
    const uint32_t *sum = l->mhz + (size_t)host * c->stride;
    uint32_t limit = c->limit_mhz[host];

    if (l->peak_mhz[host] <= limit) {
        return false;
    }
    for (uint32_t k = 0; l->ends_mhz && k < c->n; k++) {
        if (sum[k] > l->ends_mhz[(size_t)host * c->stride + k]) {
            return true;
        }
    }
    for (uint32_t r = 0; !l->ends_mhz && r < c->n_ranges; r++) {
        uint32_t above = 0;

        for (uint32_t k = c->first[r]; k < c->first[r + 1]; k++) {
            above += sum[k] > limit;
        }
        if (above > c->allowed[r]) {
            return true;
        }
    }
    return false;
}

uint32_t
dcp_chance_worst(const struct dcp_chance_load *l, uint32_t item, uint32_t host,
                 uint32_t *out_range)
{
    const struct dcp_chance *c = l->c;
    const uint32_t *sum = l->mhz + (size_t)host * c->stride;
    const uint32_t *more =
        item == DCP_IX_NONE ? NULL : c->mhz + (size_t)item * c->stride;
    uint32_t worst = 0;
    int64_t most = INT64_MIN;

    for (uint32_t r = 0; r < c->n_ranges; r++) {
        uint32_t above = 0;

        for (uint32_t k = c->first[r]; k < c->first[r + 1]; k++) {
            above +=
                (uint64_t)sum[k] + (more ? more[k] : 0) > c->limit_mhz[host];
        }
        if ((int64_t)above - c->allowed[r] > most) {
            most = (int64_t)above - c->allowed[r];
            *out_range = r;
            worst = above;
        }
    }
    return worst;
}
