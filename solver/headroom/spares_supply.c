/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which hosts may stand in, in classes that are alike, and what each can
 * take. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "model/base/rng.h"
#include "solver/headroom/spares_parts.h"
#include "solver/headroom/stand_in.h"

#include <stdlib.h>
#include <string.h>

/* --- Room --------------------------------------------------------------- */

static uint32_t
n_net_slots(const struct dcp_problem *p)
{
    return p->net_kib_s ? p->stride : 0;
}

void
dcp_spares_add_cells(const struct dcp_spares *sp, uint32_t item,
                     uint32_t *cells, uint32_t sign)
{
    const struct dcp_problem *p = sp->s->p;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        *cells++ += sign * p->request[(size_t)item * p->n_scalars + r];
    }
    for (uint32_t t = 0; t < p->stride; t++) {
        *cells++ += sign * p->cpu_mhz[(size_t)item * p->stride + t];
    }
    for (uint32_t t = 0; t < n_net_slots(p); t++) {
        *cells++ += sign * p->net_kib_s[(size_t)item * p->stride + t];
    }
    for (uint32_t k = 0; p->chance && k < p->chance->stride; k++) {
        *cells++ += sign * p->chance->mhz[(size_t)item * p->chance->stride + k];
    }
}

static bool
all_within(const uint32_t *cells, uint32_t n, uint32_t limit)
{
    uint32_t over = 0;

    for (uint32_t i = 0; i < n; i++) {
        over |= cells[i] > limit;
    }
    return !over;
}

static bool
samples_hold(const struct dcp_chance *c, const uint32_t *mhz, uint32_t limit)
{
    bool ok = true;

    for (uint32_t r = 0; ok && r < c->n_ranges; r++) {
        uint32_t above = 0;

        for (uint32_t k = c->first[r]; k < c->first[r + 1]; k++) {
            above += mhz[k] > limit;
        }
        ok = above <= c->allowed[r];
    }
    return ok;
}

/* An empty host's limits after a loss. */
static bool
has_room(const struct dcp_problem *p, uint32_t host, const uint32_t *cells)
{
    bool ok = true;

    for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
        ok = cells[r] <= p->full[(size_t)r * p->n_hosts + host];
    }
    cells += p->n_scalars;
    ok = ok && all_within(cells, p->stride, p->full_cpu_mhz[host]);
    cells += p->stride;
    ok = ok && (!n_net_slots(p) ||
                all_within(cells, n_net_slots(p), p->full_net_kib_s[host]));
    cells += n_net_slots(p);
    return ok && (!p->chance ||
                  samples_hold(p->chance, cells, p->chance->full_mhz[host]));
}

void
dcp_spares_drop_full(const struct dcp_spares *sp, const uint32_t *cells,
                     uint64_t *classes)
{
    for (uint32_t kind = 0; kind < sp->n_kinds; kind++) {
        if (has_room(sp->s->p, sp->kind_host[kind], cells)) {
            continue;
        }
        for (uint32_t c = 0; c < sp->n_classes; c++) {
            if (sp->kind[c] == kind) {
                classes[c / 64] &= ~(UINT64_C(1) << (c % 64));
            }
        }
    }
}

bool
dcp_spares_same_place(const struct dcp_spares *sp,
                      const struct dcp_parcel *parcel, uint32_t spare)
{
    bool ok = true;

    for (uint32_t i = 0; ok && i < parcel->n_items; i++) {
        ok = dcp_stand_in_keeps_place(sp->s->p, sp->items[parcel->first + i],
                                      spare, parcel->host);
    }
    return ok;
}

/* --- The supply --------------------------------------------------------- */

/* What being on costs for the room of it. */
static double
cost(const struct dcp_problem *p, uint32_t h)
{
    double room = p->cap_cpu_mhz[h];

    return p->on_value[h] / (room * (p->n_scalars ? p->cap[h] : 1) + 1);
}

static int
cheaper_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    double cost_a = cost(p, a), cost_b = cost(p, b);

    return cost_a != cost_b ? (cost_a < cost_b ? -1 : 1) : a < b ? -1 : a > b;
}

/* Keeps, of the hosts from 'first' on, those that rack, feeds and room bear at
 * full load beside all that were kept so far: 'w' counts these so already. */
static uint32_t
keep_borne(const struct dcp_state *s, struct dcp_watts *w, uint32_t hosts[],
           uint32_t first, uint32_t end)
{
    const struct dcp_problem *p = s->p;
    uint32_t n = first;

    for (uint32_t k = first; k < end; k++) {
        uint32_t h = hosts[k];

        if (!w || dcp_watts_bear(w, h, s->cpu_mhz + (size_t)h * p->stride,
                                 NULL)) {
            hosts[n++] = h;
            if (w) {
                dcp_watts_set_full(w, h);
            }
        }
    }
    return n;
}

static bool
list_supply(struct dcp_spares *sp, const uint8_t *is_woken,
            const struct dcp_placement *night, const struct dcp_watts *watts)
{
    struct dcp_state *s = sp->s;
    const struct dcp_problem *p = s->p;
    struct dcp_watts *w = NULL;

    if (watts) {
        w = dcp_watts_create(p->watts);
        if (!w) {
            return false;
        }
        dcp_watts_assign(w, watts);
    }

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (is_woken[h] && s->first[h] == DCP_IX_NONE) {
            sp->host[sp->n++] = h;
        }
    }
    sp->n = keep_borne(s, w, sp->host, 0, sp->n);
    sp->n_awake_sum = sp->n;
    memset(sp->awake, 1, sp->n);
    for (uint32_t h = 0; p->q->may_wake && h < p->n_hosts; h++) {
        /* A rule that counts hosts on may count those of the night as well. */
        if (!s->on[h] && !night->on[h] && p->use[h] == DCP_HOST_FREE &&
            p->power_first[h] == p->power_first[h + 1]) {
            sp->host[sp->n++] = h;
        }
    }
    qsort_r(sp->host + sp->n_awake_sum, sp->n - sp->n_awake_sum,
            sizeof *sp->host, cheaper_first, (void *)(size_t)p);
    sp->n = keep_borne(s, w, sp->host, sp->n_awake_sum, sp->n);
    dcp_watts_destroy(w);
    return true;
}

/* --- Classes ------------------------------------------------------------ */

static bool
same_limits(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    bool same =
        p->full_cpu_mhz[a] == p->full_cpu_mhz[b] &&
        (!p->net_kib_s || p->full_net_kib_s[a] == p->full_net_kib_s[b]) &&
        (!p->chance || p->chance->full_mhz[a] == p->chance->full_mhz[b]);

    for (uint32_t r = 0; same && r < p->n_scalars; r++) {
        const uint32_t *full = p->full + (size_t)r * p->n_hosts;

        same = full[a] == full[b];
    }
    return same;
}

static bool
class_reaches(const struct dcp_problem *p, uint32_t reach_class, uint32_t host)
{
    size_t at = (size_t)reach_class * p->reach_words;

    return dcp_spares_bit(p->reach + at, host) &&
           dcp_spares_bit(p->reach_restart + at, host);
}

static bool
same_reach(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    bool same = true;

    for (uint32_t c = 0; same && c < p->n_classes; c++) {
        same = class_reaches(p, c, a) == class_reaches(p, c, b);
    }
    return same;
}

static uint32_t
kind_of(struct dcp_spares *sp, uint32_t host)
{
    uint32_t k = 0;

    while (k < sp->n_kinds && !same_limits(sp->s->p, sp->kind_host[k], host)) {
        k++;
    }
    sp->kind_host[k] = host;
    sp->n_kinds += k == sp->n_kinds;
    return k;
}

struct keyed {
    uint64_t key; /* Of what the host is reached by, and its kind. */
    uint32_t ix;
};

static int
by_key(const void *pa, const void *pb)
{
    struct keyed a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    return a.key != b.key ? (a.key < b.key ? -1 : 1)
                          : (a.ix > b.ix) - (a.ix < b.ix);
}

/* Sums of random numbers by reach class: alike hosts get the same key; those
 * with the same key are compared. */
static void
set_keys(struct dcp_spares *sp, struct keyed *keys)
{
    const struct dcp_problem *p = sp->s->p;
    struct dcp_rng rng = dcp_rng_stream(0, "spares", 0);

    for (uint32_t i = 0; i < sp->n; i++) {
        keys[i] = (struct keyed){ kind_of(sp, sp->host[i]), i };
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        uint64_t number = dcp_rng_u64(&rng);

        for (uint32_t i = 0; i < sp->n; i++) {
            keys[i].key += class_reaches(p, c, sp->host[i]) ? number : 0;
        }
    }
    if (sp->n) {
        qsort(keys, sp->n, sizeof *keys, by_key);
    }
}

static void
set_classes(struct dcp_spares *sp, const struct keyed *keys)
{
    for (uint32_t i = 0; i < sp->n; i++) {
        uint32_t ix = keys[i].ix, h = sp->host[ix], c = sp->n_classes;

        for (uint32_t back = i; back-- > 0 && keys[back].key == keys[i].key;) {
            uint32_t other = sp->host[keys[back].ix];

            if (same_limits(sp->s->p, other, h) &&
                same_reach(sp->s->p, other, h)) {
                c = sp->class_of[keys[back].ix];
                break;
            }
        }
        if (c == sp->n_classes) {
            sp->first_of_class[c] = ix;
            sp->kind[c] = kind_of(sp, h);
            sp->n_classes++;
        }
        sp->class_of[ix] = c;
        sp->first_of_class[c] =
            ix < sp->first_of_class[c] ? ix : sp->first_of_class[c];
        sp->n_all[c]++;
        sp->n_awake[c] += sp->awake[ix];
    }
}

static bool
set_reach(struct dcp_spares *sp)
{
    const struct dcp_problem *p = sp->s->p;

    sp->words = sp->n_classes / 64 + 1;
    sp->reach = calloc((size_t)p->n_classes * sp->words + 1, sizeof *sp->reach);
    for (uint32_t r = 0; sp->reach && r < p->n_classes; r++) {
        uint64_t *row = sp->reach + (size_t)r * sp->words;

        for (uint32_t c = 0; c < sp->n_classes; c++) {
            if (class_reaches(p, r, sp->host[sp->first_of_class[c]])) {
                row[c / 64] |= UINT64_C(1) << (c % 64);
            }
        }
    }
    return sp->reach != NULL;
}

void
dcp_spares_destroy(struct dcp_spares *sp)
{
    if (sp) {
        free(sp->host);
        free(sp->awake);
        free(sp->reach);
        free(sp->parcels);
        free(sp->classes);
        free(sp->cells);
        free(sp->items);
        free(sp);
    }
}

static bool
fill(struct dcp_spares *sp, const uint8_t *is_woken,
     const struct dcp_placement *night, const struct dcp_watts *watts)
{
    const struct dcp_problem *p = sp->s->p;
    size_t n = p->n_hosts + 1u;
    uint32_t most = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        most = sp->s->n_on_host[h] > most ? sp->s->n_on_host[h] : most;
    }
    uint32_t *columns = calloc(7 * n, sizeof *columns);
    DCP_FREE struct keyed *keys = calloc(n, sizeof *keys);

    sp->host = columns;
    sp->awake = calloc(2 * n, 1);
    sp->items = malloc((p->n_items + ((size_t)most + 1) * DCP_PARCELS_MAX) *
                       sizeof *sp->items);
    if (!columns || !keys || !sp->awake || !sp->items) {
        return false;
    }
    sp->class_of = columns + n;
    sp->kind = columns + 2 * n;
    sp->first_of_class = columns + 3 * n;
    sp->n_awake = columns + 4 * n;
    sp->n_all = columns + 5 * n;
    sp->kind_host = columns + 6 * n;
    sp->lacks = sp->awake + n;
    if (!list_supply(sp, is_woken, night, watts)) {
        return false;
    }
    set_keys(sp, keys);
    set_classes(sp, keys);
    return set_reach(sp);
}

struct dcp_spares *
dcp_spares_create(struct dcp_state *s, const uint8_t *is_woken,
                  const struct dcp_placement *night,
                  const struct dcp_watts *watts, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    struct dcp_spares *sp = calloc(1, sizeof *sp);

    if (sp) {
        sp->s = s;
        sp->n_cells = p->n_scalars + p->stride + n_net_slots(p) +
                      (p->chance ? p->chance->stride : 0);
    }
    if (!sp || !fill(sp, is_woken, night, watts)) {
        dcp_spares_destroy(sp);
        dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
        return NULL;
    }
    return sp;
}
