/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/spares.h"

#include "solver/headroom/failed_boots.h"
#include "solver/headroom/spares_parts.h"
#include "solver/headroom/stand_in.h"
#include "solver/search/item_order.h"

#include <stdlib.h>
#include <string.h>

/* --- Parcels ------------------------------------------------------------ */

/* Hosts of the supply that count: awake, or any. */
static uint32_t
count_able(const struct dcp_spares *sp, const struct dcp_parcel *parcel,
           const uint64_t *classes, bool only_awake, uint32_t enough)
{
    const uint32_t *by_class = only_awake ? sp->n_awake : sp->n_all;
    uint32_t n = 0;

    if (!parcel->bound) {
        for (uint32_t k = 0; k < sp->n_classes; k++) {
            n += dcp_spares_bit(classes, k) ? by_class[k] : 0;
        }
        return n;
    }
    for (uint32_t i = 0; n < enough && i < sp->n; i++) {
        n += (sp->awake[i] || !only_awake) &&
             dcp_spares_bit(classes, sp->class_of[i]) &&
             dcp_spares_same_place(sp, parcel, sp->host[i]);
    }
    return n;
}

/* The parcel with one item more, if it keeps so many that can take it. */
static bool
add_item(struct dcp_spares *sp, uint32_t ix, uint32_t item, bool only_awake,
         uint32_t enough, uint64_t *classes)
{
    struct dcp_parcel *parcel = &sp->parcels[ix];
    struct dcp_parcel was = *parcel;
    uint64_t *known = sp->classes + (size_t)ix * sp->words;
    uint32_t *cells = sp->cells + (size_t)ix * sp->n_cells;
    const struct dcp_problem *p = sp->s->p;
    const uint64_t *reach =
        sp->reach + (size_t)p->reach_class[item] * sp->words;

    for (uint32_t w = 0; w < sp->words; w++) {
        classes[w] = known[w] & reach[w];
    }
    dcp_spares_add_cells(sp, item, cells, 1);
    sp->items[parcel->first + parcel->n_items++] = item;
    parcel->bound = parcel->bound || dcp_stand_in_is_tied(p, item);
    dcp_spares_drop_full(sp, cells, classes);
    if (count_able(sp, parcel, classes, only_awake, enough) >= enough) {
        memcpy(known, classes, sp->words * sizeof *known);
        return true;
    }
    dcp_spares_add_cells(sp, item, cells, UINT32_MAX);
    *parcel = was;
    return false;
}

static bool
room_for_parcels(struct dcp_spares *sp, uint32_t n)
{
    if (n <= sp->parcels_capacity) {
        return true;
    }
    uint32_t more = 2 * n + 64;
    struct dcp_parcel *parcels =
        realloc(sp->parcels, more * sizeof *sp->parcels);

    sp->parcels = parcels ? parcels : sp->parcels;
    uint64_t *classes = realloc(sp->classes, ((size_t)more * sp->words + 1) *
                                                 sizeof *sp->classes);

    sp->classes = classes ? classes : sp->classes;
    uint32_t *cells = realloc(sp->cells, ((size_t)more * sp->n_cells + 1) *
                                             sizeof *sp->cells);

    sp->cells = cells ? cells : sp->cells;
    if (!parcels || !classes || !cells) {
        return false;
    }
    sp->parcels_capacity = more;
    return true;
}

/* A new parcel of the host, empty, which every class can take. */
static void
open_parcel(struct dcp_spares *sp, uint32_t host, uint32_t room)
{
    uint32_t ix = sp->n_parcels++;

    sp->parcels[ix] = (struct dcp_parcel){ .host = host, .first = sp->n_items };
    memset(sp->classes + (size_t)ix * sp->words, 0xff,
           sp->words * sizeof *sp->classes);
    memset(sp->cells + (size_t)ix * sp->n_cells, 0,
           sp->n_cells * sizeof *sp->cells);
    sp->n_items += room;
}

/* The items lie close together again once it is known how many each has. */
static void
close_parcels(struct dcp_spares *sp, uint32_t from)
{
    uint32_t at = sp->parcels[from].first;

    for (uint32_t k = from; k < sp->n_parcels; k++) {
        struct dcp_parcel *parcel = &sp->parcels[k];

        memmove(sp->items + at, sp->items + parcel->first,
                parcel->n_items * sizeof *sp->items);
        parcel->first = at;
        at += parcel->n_items;
    }
    sp->n_items = at;
}

/* '*out_parts' 0: some item has too few spares by itself. */
static bool
cut_host(struct dcp_spares *sp, uint32_t host, bool only_awake, uint32_t enough,
         uint32_t *sorted, uint64_t *classes, uint32_t *out_parts)
{
    const struct dcp_state *s = sp->s;
    uint32_t from = sp->n_parcels, from_item = sp->n_items, n = 0;
    bool ok = true;

    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        sorted[n++] = i;
    }
    dcp_items_by_size(s->p, sorted, n);
    for (uint32_t i = 0; ok && i < n; i++) {
        bool put = false;

        for (uint32_t k = from; !put && k < sp->n_parcels; k++) {
            put = add_item(sp, k, sorted[i], only_awake, enough, classes);
        }
        if (!put && sp->n_parcels - from < DCP_PARCELS_MAX) {
            if (!room_for_parcels(sp, sp->n_parcels + 1)) {
                return false;
            }
            open_parcel(sp, host, n);
            put = add_item(sp, sp->n_parcels - 1, sorted[i], only_awake, enough,
                           classes);
        }
        ok = put;
    }
    if (!ok) {
        sp->n_parcels = from;
        sp->n_items = from_item;
    }
    *out_parts = sp->n_parcels - from;
    if (*out_parts) {
        close_parcels(sp, from);
    }
    return true;
}

/* --- How many ----------------------------------------------------------- */

static bool
overlap(const struct dcp_spares *sp, uint32_t a, uint32_t b)
{
    const uint64_t *x = sp->classes + (size_t)a * sp->words;
    const uint64_t *y = sp->classes + (size_t)b * sp->words;
    uint64_t both = 0;

    for (uint32_t w = 0; w < sp->words; w++) {
        both |= x[w] & y[w];
    }
    return both != 0;
}

/* Parcels of one host lie together: the first that is not of this one. */
static uint32_t
next_host(const struct dcp_spares *sp, uint32_t k)
{
    uint32_t host = sp->parcels[k].host;

    while (k < sp->n_parcels && sp->parcels[k].host == host) {
        k++;
    }
    return k;
}

/* Spares of this parcel that f hosts take away at most. */
static uint32_t
most_taken(const struct dcp_spares *sp, uint32_t parcel, uint32_t f)
{
    uint32_t n_with[DCP_PARCELS_MAX + 1] = { 0 }, sum = f;

    for (uint32_t k = 0, end; k < sp->n_parcels; k = end) {
        uint32_t n = 0;

        end = next_host(sp, k);
        for (uint32_t i = k; end - k > 1 && i < end; i++) {
            n += overlap(sp, parcel, i);
        }
        n_with[n]++;
    }
    for (uint32_t n = DCP_PARCELS_MAX; f && n > 1; n--) {
        uint32_t hosts = n_with[n] < f ? n_with[n] : f;

        sum += hosts * (n - 1);
        f -= hosts;
    }
    return sum;
}

static void
set_enough(struct dcp_spares *sp, uint32_t f)
{
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        sp->parcels[k].enough = most_taken(sp, k, f);
    }
    sp->f = f;
}

/* False: no memory.  'lacks' says which hosts are not cut. */
static bool
cut_all(struct dcp_spares *sp, const uint32_t *pool, uint32_t n_pool,
        bool only_awake, const uint32_t *need)
{
    DCP_FREE uint32_t *sorted =
        malloc((sp->s->p->n_items + 1u) * sizeof *sorted);
    DCP_FREE uint64_t *classes = malloc((sp->words + 1u) * sizeof *classes);
    bool ok = sorted && classes;

    sp->n_parcels = sp->n_items = sp->n_lacking = 0;
    for (uint32_t i = 0; ok && i < n_pool; i++) {
        uint32_t parts = 0;

        ok = cut_host(sp, pool[i], only_awake, need[pool[i]], sorted, classes,
                      &parts);
        sp->lacks[pool[i]] = !parts;
        sp->n_lacking += !parts;
    }
    for (uint32_t k = 0; ok && k < sp->n_parcels; k++) {
        sp->parcels[k].n_able =
            count_able(sp, &sp->parcels[k], sp->classes + (size_t)k * sp->words,
                       true, UINT32_MAX);
    }
    return ok;
}

bool
dcp_spares_cut(struct dcp_spares *sp, const uint32_t *pool, uint32_t n_pool,
               const uint32_t *need)
{
    return cut_all(sp, pool, n_pool, false, need);
}

/* --- Waking ------------------------------------------------------------- */

static bool
takes(const struct dcp_spares *sp, uint32_t parcel, uint32_t i)
{
    return dcp_spares_bit(sp->classes + (size_t)parcel * sp->words,
                          sp->class_of[i]) &&
           (!sp->parcels[parcel].bound ||
            dcp_spares_same_place(sp, &sp->parcels[parcel], sp->host[i]));
}

static void
set_awake(struct dcp_spares *sp, uint32_t i, bool awake)
{
    uint32_t sign = awake ? 1 : UINT32_MAX;

    dcp_state_power(sp->s, sp->host[i], awake);
    sp->awake[i] = awake;
    sp->n_awake[sp->class_of[i]] += sign;
    sp->n_awake_sum += sign;
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        sp->parcels[k].n_able += takes(sp, k, i) ? sign : 0;
    }
}

static uint32_t
f_now(const struct dcp_spares *sp)
{
    return dcp_failed_boots_count(&sp->s->p->q->inventory->policy,
                                  sp->n_others + sp->n_awake_sum);
}

static void
wake(struct dcp_spares *sp, uint32_t i)
{
    set_awake(sp, i, true);
    if (f_now(sp) > sp->f) {
        set_enough(sp, f_now(sp));
    }
}

/* Parcels that are bound to a place are served host by host. */
static bool
wake_for_bound(struct dcp_spares *sp)
{
    bool any = false;

    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        const struct dcp_parcel *parcel = &sp->parcels[k];

        for (uint32_t i = 0;
             parcel->bound && parcel->n_able < parcel->enough && i < sp->n;
             i++) {
            if (!sp->awake[i] && takes(sp, k, i)) {
                wake(sp, i);
                any = true;
            }
        }
    }
    return any;
}

/* A sleeping host of the class; DCP_IX_NONE: none. */
static uint32_t
sleeper(const struct dcp_spares *sp, uint32_t class)
{
    for (uint32_t i = sp->first_of_class[class]; i < sp->n; i++) {
        if (sp->class_of[i] == class && !sp->awake[i]) {
            return i;
        }
    }
    return DCP_IX_NONE;
}

/* The class whose next host serves most parcels that lack spares for what it
 * costs; DCP_IX_NONE: none serves one.  '*out_n': how many until the first
 * of these parcels has enough. */
static uint32_t
best_class(const struct dcp_spares *sp, uint32_t *helped, uint32_t *fewest,
           uint32_t *out_n)
{
    uint32_t best = DCP_IX_NONE;
    double most = 0;

    memset(helped, 0, sp->n_classes * sizeof *helped);
    memset(fewest, 0xff, sp->n_classes * sizeof *fewest);
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        const struct dcp_parcel *parcel = &sp->parcels[k];
        const uint64_t *classes = sp->classes + (size_t)k * sp->words;
        uint32_t lack = parcel->enough - parcel->n_able;

        for (uint32_t c = 0;
             parcel->n_able < parcel->enough && c < sp->n_classes; c++) {
            if (dcp_spares_bit(classes, c)) {
                helped[c]++;
                fewest[c] = lack < fewest[c] ? lack : fewest[c];
            }
        }
    }
    for (uint32_t c = 0; c < sp->n_classes; c++) {
        uint32_t h = sp->host[sp->first_of_class[c]];
        double value = sp->s->p->on_value[h];
        double gain = helped[c] / (value > 0 ? value : 1e-9);

        if (sp->n_awake[c] < sp->n_all[c] && gain > most) {
            most = gain;
            best = c;
            *out_n = fewest[c];
        }
    }
    return best;
}

/* Each that is woken may make more that fail, so that more are needed. */
static bool
wake_enough(struct dcp_spares *sp)
{
    DCP_FREE uint32_t *work =
        malloc((2 * (size_t)sp->n_classes + 1) * sizeof *work);
    bool more = true;

    while (work && more) {
        uint32_t n = 0;

        more = wake_for_bound(sp);
        uint32_t class = best_class(sp, work, work + sp->n_classes, &n);

        more = more || class != DCP_IX_NONE;
        for (;
             class != DCP_IX_NONE && n && sp->n_awake[class] < sp->n_all[class];
             n--) {
            wake(sp, sleeper(sp, class));
        }
    }
    return work != NULL;
}

/* Spares woken here that no parcel needs go back to sleep, the last first. */
static void
drop_needless(struct dcp_spares *sp, const uint8_t *was_awake)
{
    for (uint32_t i = sp->n; i-- > 0;) {
        bool needed = !sp->awake[i] || was_awake[i];

        for (uint32_t k = 0; !needed && k < sp->n_parcels; k++) {
            needed = sp->parcels[k].n_able <= sp->parcels[k].enough &&
                     takes(sp, k, i);
        }
        if (!needed) {
            set_awake(sp, i, false);
        }
    }
}

/* Asks more for hosts with a parcel that lacks spares; false: that is so of
 * none. */
static bool
raise_needs(const struct dcp_spares *sp, uint32_t *need)
{
    bool raised = false;

    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        const struct dcp_parcel *parcel = &sp->parcels[k];

        if (parcel->n_able < parcel->enough) {
            raised = true;
            need[parcel->host] = parcel->enough > need[parcel->host]
                                     ? parcel->enough
                                     : need[parcel->host] + 1;
        }
    }
    return raised;
}

void
dcp_spares_sleep(struct dcp_spares *sp, const uint8_t *was_awake)
{
    for (uint32_t i = 0; i < sp->n; i++) {
        if (sp->awake[i] != was_awake[i]) {
            set_awake(sp, i, was_awake[i]);
        }
    }
}

bool
dcp_spares_cover(struct dcp_spares *sp, const uint32_t *pool, uint32_t n_pool,
                 uint32_t n_others, bool may_wake, struct dcp_error *err)
{
    bool memory = true, again = true;
    DCP_FREE uint8_t *was_awake = malloc(sp->n + 1u);
    DCP_FREE uint32_t *need = calloc(sp->s->p->n_hosts + 1u, sizeof *need);

    if (!was_awake || !need) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    memcpy(was_awake, sp->awake, sp->n);
    sp->n_others = n_others;
    while (memory && again) {
        uint32_t f = f_now(sp);

        for (uint32_t i = 0; i < n_pool; i++) {
            need[pool[i]] = f > need[pool[i]] ? f : need[pool[i]];
        }
        memory = cut_all(sp, pool, n_pool, !may_wake, need);
        again = memory && !sp->n_lacking;
        if (again) {
            set_enough(sp, f);
            memory = !may_wake || wake_enough(sp);
            again = raise_needs(sp, need);
        }
    }
    if (sp->n_lacking) {
        dcp_spares_sleep(sp, was_awake);
    } else if (memory) {
        drop_needless(sp, was_awake);
    }
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
}

uint32_t
dcp_spares_supply(const struct dcp_spares *sp, uint32_t parcel)
{
    return count_able(sp, &sp->parcels[parcel],
                      sp->classes + (size_t)parcel * sp->words, false,
                      UINT32_MAX);
}

void
dcp_spares_name(const struct dcp_spares *sp, uint32_t *spare_of_item)
{
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        const struct dcp_parcel *parcel = &sp->parcels[k];
        uint32_t found = DCP_IX_NONE;

        for (uint32_t j = 0; found == DCP_IX_NONE && j < sp->n; j++) {
            uint32_t i = (k + j) % sp->n;
            bool free = sp->awake[i] && takes(sp, k, i);

            for (uint32_t o = k;
                 free && o-- > 0 && sp->parcels[o].host == parcel->host;) {
                free = spare_of_item[sp->items[sp->parcels[o].first]] !=
                       sp->host[i];
            }
            found = free ? sp->host[i] : found;
        }
        for (uint32_t j = 0; j < parcel->n_items; j++) {
            spare_of_item[sp->items[parcel->first + j]] = found;
        }
    }
}
