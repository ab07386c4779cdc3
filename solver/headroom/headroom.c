/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/headroom.h"

#include "solver/headroom/stand_in.h"

#include <stdlib.h>
#include <string.h>

/* Where the model has so many sets at most they are played, and berths not
 * looked for, which may ask for a host more, but not for that work.  Where it
 * has more and berths are too few, up to DCP_LOSS_SETS_MAX of what is on are
 * played; in a search so many only if it could wake a host for what lacks a
 * berth.  (Whether a host less is survived does not hang on how many sets there
 * are without it.) */
#define FEW_SETS 2500u

/* --- What is lost -------------------------------------------------------- */

/* Objects that take some host down, as things are; returns how many. */
static uint32_t
list_objects(struct dcp_loss_play *g, enum dcp_loss_kind kind, uint32_t *out)
{
    const struct dcp_inventory *inv = g->s->p->q->inventory;
    uint32_t n = 0;

    for (uint32_t ix = 0; ix < dcp_loss_objects(inv, kind); ix++) {
        struct dcp_loss_set one = { .kind = kind, .n = 1, .ix = { ix } };

        if (dcp_loss_play_hosts(g, &one)) {
            out[n++] = ix;
        }
    }
    return n;
}

/* --- Playing ------------------------------------------------------------ */

/* Plays one loss; out->ok, and where it fails why. */
static bool
play_loss(struct dcp_loss_play *g, const struct dcp_loss_set *set,
          struct dcp_arena *arena, struct dcp_headroom *out)
{
    bool memory = true;

    if (!dcp_loss_play_hosts(g, set)) {
        return true;
    }
    dcp_loss_play_begin(g);
    uint32_t item = dcp_loss_play_restart(g);

    if (item == DCP_IX_NONE && arena) {
        memory =
            dcp_loss_play_record(g, set, arena, &out->losses[out->n_losses++]);
    }
    dcp_loss_play_end(g);
    if (item != DCP_IX_NONE) {
        out->ok = false;
        out->is_unsure = g->is_unsure;
        out->failed_item = item;
        out->failed = *set;
    }
    return memory;
}

/* --- Stand-ins ------------------------------------------------------------ */

static bool
holds_protected(const struct dcp_state *s, uint32_t h, uint32_t *out_item)
{
    for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
        if (s->p->protected_item[i] &&
            (*out_item == DCP_IX_NONE ||
             s->p->size[i] > s->p->size[*out_item])) {
            *out_item = i;
        }
    }
    return *out_item != DCP_IX_NONE;
}

/* The first 'count' hosts that stand in for 'host'; returns how many. */
static uint32_t
find_stand_ins(struct dcp_loss_play *g, uint32_t host, uint32_t count,
               uint32_t *out)
{
    struct dcp_state *s = g->s;
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->n_roomy && n < count; k++) {
        uint32_t h = g->roomy[k].host;

        if (h != host && s->on[h] && s->first[h] == DCP_IX_NONE &&
            dcp_stands_in(s, h, host, g->items)) {
            out[n++] = h;
        }
    }
    return n;
}

/* The single loss of 'host', whose VMs go to the first of its stand-ins. */
static bool
record_stand_ins(struct dcp_loss_play *g, uint32_t host, const uint32_t *by,
                 uint32_t n, struct dcp_arena *arena, struct dcp_headroom *out)
{
    struct dcp_loss_set one = { .kind = DCP_LOSS_HOST, .n = 1, .ix = { host } };
    struct dcp_loss_answer *answer = &out->losses[out->n_losses++];
    uint32_t *stand_ins = dcp_arena_array(arena, uint32_t, n);

    (void)dcp_loss_play_hosts(g, &one);
    dcp_loss_play_begin(g);
    if (n) {
        dcp_loss_play_put(g, by[0]);
    }
    bool memory = stand_ins && dcp_loss_play_record(g, &one, arena, answer);

    dcp_loss_play_end(g);
    for (uint32_t i = 0; stand_ins && i < n; i++) {
        stand_ins[i] = by[i];
    }
    answer->stand_ins = stand_ins;
    answer->n_stand_ins = n;
    return memory;
}

/* Whether stand-ins show that any 'count' hosts may be lost; where a host has
 * too few, it is what fails.  False: no memory. */
static bool
by_stand_ins(struct dcp_loss_play *g, uint32_t count, struct dcp_arena *arena,
             struct dcp_headroom *out)
{
    const struct dcp_state *s = g->s;
    uint32_t by[DCP_LOSS_AT_ONCE_MAX], n_before = out->n_losses;

    out->ok = true;
    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        uint32_t item = DCP_IX_NONE, n = 0;

        if (!s->on[h] || (g->only && !g->only[h])) {
            continue;
        }
        if (holds_protected(s, h, &item)) {
            n = find_stand_ins(g, h, count, by);
            if (n < count) {
                out->ok = false;
                out->too_few_stand_ins = true;
                out->failed_item = item;
                out->failed = (struct dcp_loss_set){ .kind = DCP_LOSS_HOST,
                                                     .n = 1,
                                                     .ix = { h } };
                out->n_losses = n_before;
                return true;
            }
        }
        if (arena && !record_stand_ins(g, h, by, n, arena, out)) {
            return false;
        }
    }
    return true;
}

/* --- Berths --------------------------------------------------------------- */

static bool
append_pools(const struct dcp_berths_found *found, struct dcp_arena *arena,
             struct dcp_headroom *out)
{
    uint32_t n = out->n_berths + found->n_pools;
    struct dcp_berth_answer *all =
        dcp_arena_array(arena, struct dcp_berth_answer, n);

    for (uint32_t i = 0; all && i < n; i++) {
        all[i] = i < out->n_berths ? out->berths[i]
                                   : found->pools[i - out->n_berths];
    }
    out->berths = all;
    out->n_berths = all ? n : 0;
    return all != NULL;
}

/* The loss of each object alone, by the berths of its parts. */
static bool
record_singles(struct dcp_loss_play *g, enum dcp_loss_kind kind,
               const uint32_t *objects, uint32_t n, const uint32_t *to,
               struct dcp_arena *arena, struct dcp_headroom *out)
{
    bool memory = true;

    for (uint32_t i = 0; memory && i < n; i++) {
        struct dcp_loss_set one = { .kind = kind,
                                    .n = 1,
                                    .ix = { objects[i] } };

        (void)dcp_loss_play_hosts(g, &one);
        dcp_loss_play_begin(g);
        dcp_loss_play_put_each(g, to);
        memory =
            dcp_loss_play_record(g, &one, arena, &out->losses[out->n_losses++]);
        dcp_loss_play_end(g);
    }
    return memory;
}

/* Whether berths show that any 'count' of the n objects may be lost. */
static bool
by_berths(struct dcp_loss_play *g, enum dcp_loss_kind kind, uint32_t count,
          const uint32_t *objects, uint32_t n, struct dcp_arena *arena,
          struct dcp_headroom *out)
{
    struct dcp_berths_found found;

    if (!dcp_berths_find(g, kind, count, arena, &found)) {
        return false;
    }
    out->ok = found.ok;
    if (!found.ok) {
        uint32_t host = g->s->host[found.failed_item], k = 0;
        struct dcp_loss_set one = { .kind = kind, .n = 1, .ix = { objects[0] } };

        while (k + 1 < n &&
               !dcp_loss_set_has(g->s->p->q->inventory, &one, host)) {
            one.ix[0] = objects[++k];
        }
        out->too_few_berths = true;
        out->too_few_empty = found.failed_whole;
        out->failed_item = found.failed_item;
        out->failed = one;
        return true;
    }
    return !arena ||
           (append_pools(&found, arena, out) &&
            record_singles(g, kind, objects, n, found.to, arena, out));
}

/* --- All losses ----------------------------------------------------------- */

/* All sets of up to 'count' of the objects, large ones first. */
static bool
by_sets(struct dcp_loss_play *g, enum dcp_loss_kind kind, uint32_t count,
        const uint32_t *objects, uint32_t n, const struct dcp_loss_set *passed,
        struct dcp_arena *arena, struct dcp_headroom *out)
{
    for (uint32_t k = count < n ? count : n; k > 0 && out->ok; k--) {
        uint32_t place[DCP_LOSS_AT_ONCE_MAX];

        for (uint32_t i = 0; i < k; i++) {
            place[i] = i;
        }
        do {
            struct dcp_loss_set set = { .kind = kind, .n = k };

            for (uint32_t i = 0; i < k; i++) {
                set.ix[i] = objects[place[i]];
            }
            bool was_played =
                passed && passed->n && dcp_loss_set_is_before(&set, passed);
            if (!was_played && !play_loss(g, &set, arena, out)) {
                return false;
            }
        } while (out->ok && dcp_loss_next_places(place, k, n));
    }
    return true;
}

/* Sets of up to 'count' that are on as things are, whatever changed. */
static uint64_t
count_sets(struct dcp_loss_play *g, enum dcp_loss_kind kind, uint32_t count,
           uint32_t *objects)
{
    const uint8_t *only = g->only;

    g->only = NULL;
    uint32_t n = list_objects(g, kind, objects);

    g->only = only;
    return dcp_loss_count_sets(n, count);
}

bool
dcp_headroom_could_wake(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;

    return !s->on[host] && p->use[host] == DCP_HOST_FREE &&
           (p->q->may_wake || p->q->start->on[host]) &&
           dcp_state_may_switch(s, host, true) &&
           dcp_state_fits_full(s, item, host) &&
           dcp_state_restarts(s, item, host);
}

/* Sets that are played where berths are too few, for that item among others. */
static uint64_t
most_sets(struct dcp_state *s, uint32_t item, bool searching)
{
    uint64_t most = DCP_LOSS_SETS_MAX;

    for (uint32_t h = 0; searching && most > FEW_SETS && h < s->p->n_hosts;
         h++) {
        most = dcp_headroom_could_wake(s, item, h) ? FEW_SETS : most;
    }
    return most;
}

struct kind_losses { /* Of one kind, and how they are to be shown. */
    enum dcp_loss_kind kind;
    uint32_t count;
    bool searching;
    uint32_t *objects; /* Room for all of the model. */
    const struct dcp_loss_set *passed;
    struct dcp_arena *arena;
};

static bool
show_by(struct dcp_loss_play *g, const struct kind_losses *l,
        enum dcp_loss_form form, struct dcp_headroom *out)
{
    out->ok = true;
    out->too_few_stand_ins = out->too_few_berths = out->too_few_empty = false;
    if (form == DCP_LOSS_BY_STAND_INS) {
        return by_stand_ins(g, l->count, l->arena, out);
    }
    uint32_t n = list_objects(g, l->kind, l->objects);

    return form == DCP_LOSS_BY_BERTHS
               ? by_berths(g, l->kind, l->count, l->objects, n, l->arena, out)
               : by_sets(g, l->kind, l->count, l->objects, n, l->passed,
                         l->arena, out);
}

/* The same; where only what changed is asked and the rest was shown by another
 * form, of the whole too: a plan has one form of each kind. */
static bool
show_all_by(struct dcp_loss_play *g, const struct kind_losses *l,
            enum dcp_loss_form form, struct dcp_headroom *out)
{
    if (!show_by(g, l, form, out)) {
        return false;
    }
    if (out->ok && g->only && l->count > 1 &&
        g->s->loss_form[l->kind] != form) {
        struct kind_losses all = *l;
        struct dcp_loss_play whole;

        all.passed = NULL;
        bool memory = dcp_loss_play_init(&whole, g->s, NULL) &&
                      show_by(&whole, &all, form, out);

        dcp_loss_play_finish(&whole);
        if (!memory) {
            return false;
        }
    }
    if (out->ok) {
        out->form[l->kind] = (uint8_t)form;
    }
    return true;
}

/* Losses of one kind: the form that the rest of the datacenter has comes first,
 * of others the cheapest. */
static bool
check_kind(struct dcp_loss_play *g, const struct kind_losses *l,
           struct dcp_headroom *out)
{
    uint32_t n_model = dcp_loss_objects(g->s->p->q->inventory, l->kind);
    bool stand_ins = l->count > 1 && l->kind == DCP_LOSS_HOST;
    bool berths =
        l->count > 1 && dcp_loss_count_sets(n_model, l->count) > FEW_SETS;
    uint64_t sets = berths ? count_sets(g, l->kind, l->count, l->objects) : 0;
    bool berths_first =
        g->only && g->s->loss_form[l->kind] == DCP_LOSS_BY_BERTHS;
    struct dcp_headroom without = *out; /* Berths: why they are too few. */

    if (g->only && g->s->loss_form[l->kind] == DCP_LOSS_BY_SETS) {
        if (!show_all_by(g, l, DCP_LOSS_BY_SETS, out)) {
            return false;
        }
        if (out->ok) {
            return true;
        }
    }
    for (uint32_t turn = 0; turn < 2; turn++) {
        bool is_berths = turn != berths_first;

        if (!(is_berths ? berths : stand_ins)) {
            continue;
        }
        if (!show_all_by(g, l,
                         is_berths ? DCP_LOSS_BY_BERTHS : DCP_LOSS_BY_STAND_INS,
                         out)) {
            return false;
        }
        if (out->ok) {
            return true;
        }
        without = is_berths ? *out : without;
    }
    if (berths && sets > most_sets(g->s, without.failed_item, l->searching)) {
        *out = without;
        out->is_unsure = true;
        return true;
    }
    return show_all_by(g, l, DCP_LOSS_BY_SETS, out);
}

/* Answers that may be recorded. */
static uint64_t
count_answers(const struct dcp_inventory *inv)
{
    uint64_t n = 0;

    for (uint32_t k = 0; k < inv->policy.n_survive; k++) {
        uint32_t objects = dcp_loss_objects(inv, inv->policy.survive[k].kind);
        uint32_t count = dcp_loss_most_at_once(&inv->policy, k);
        uint64_t sets = dcp_loss_count_sets(objects, count);

        n += sets > DCP_LOSS_SETS_MAX && count > 1
                 ? (objects > DCP_LOSS_SETS_MAX ? objects : DCP_LOSS_SETS_MAX)
                 : sets;
    }
    return n;
}

/* Whether it is known of each kind how the whole was shown to survive. */
static bool
knows_forms(const struct dcp_state *s)
{
    const struct dcp_policy *policy = &s->p->q->inventory->policy;
    bool known = true;

    for (uint32_t k = 0; k < policy->n_survive; k++) {
        known &= dcp_loss_most_at_once(policy, k) < 2 ||
                 s->loss_form[policy->survive[k].kind] != DCP_LOSS_UNKNOWN;
    }
    return known;
}

/* Where it is shown by another form than before, the state's is not known until
 * who asks accepts it. */
static void
forget_forms(struct dcp_state *s, const struct dcp_headroom *shown)
{
    for (uint32_t k = 0; k < DCP_LOSS_KINDS; k++) {
        if (shown->ok && shown->form[k] != s->loss_form[k]) {
            s->loss_form[k] = DCP_LOSS_UNKNOWN;
        }
    }
}

static bool
check(struct dcp_state *s, const uint8_t *only, bool searching,
      struct dcp_arena *arena, const struct dcp_headroom *passed,
      struct dcp_headroom *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    uint32_t first_kind = passed ? passed->failed_kind : 0;
    const struct dcp_policy *policy = &inv->policy;
    size_t n_objects = (size_t)inv->n_hosts + inv->n_racks + inv->n_feeds + 1;
    DCP_FREE uint32_t *objects = malloc(n_objects * sizeof *objects);
    struct dcp_loss_play g;
    bool memory =
        dcp_loss_play_init(&g, s, knows_forms(s) ? only : NULL) && objects;

    *out = (struct dcp_headroom){ .ok = true };
    if (memory && arena) {
        out->losses =
            dcp_arena_array(arena, struct dcp_loss_answer, count_answers(inv));
        memory = out->losses != NULL;
    }
    for (uint32_t k = first_kind; memory && out->ok && k < policy->n_survive;
         k++) {
        uint32_t count = dcp_loss_most_at_once(policy, k);

        if (count) {
            struct kind_losses losses = {
                .kind = policy->survive[k].kind,
                .count = count,
                .searching = searching,
                .objects = objects,
                .passed = k == first_kind && passed && !passed->too_few_berths
                              ? &passed->failed
                              : NULL,
                .arena = arena,
            };

            out->failed_kind = k;
            memory = check_kind(&g, &losses, out);
        }
    }
    dcp_loss_play_finish(&g);
    if (!passed) {
        forget_forms(s, out);
    }
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
}

void
dcp_headroom_accept(struct dcp_state *s, const struct dcp_headroom *shown)
{
    memcpy(s->loss_form, shown->form, sizeof s->loss_form);
}

bool
dcp_headroom_check(struct dcp_state *s, struct dcp_arena *arena,
                   const struct dcp_headroom *passed, struct dcp_headroom *out,
                   struct dcp_error *err)
{
    return check(s, NULL, false, arena, passed, out, err);
}

bool
dcp_headroom_check_searching(struct dcp_state *s, const uint8_t *changed,
                             const struct dcp_headroom *passed,
                             struct dcp_headroom *out, struct dcp_error *err)
{
    return check(s, changed, true, NULL, passed, out, err);
}

bool
dcp_headroom_check_hosts(struct dcp_state *s, const uint32_t *hosts, uint32_t n,
                         bool *out_ok, struct dcp_error *err)
{
    const struct dcp_policy *policy = &s->p->q->inventory->policy;
    struct dcp_loss_play g;
    bool by_host = false;

    *out_ok = true;
    for (uint32_t k = 0; k < policy->n_survive; k++) {
        by_host |= policy->survive[k].kind == DCP_LOSS_HOST &&
                   dcp_loss_most_at_once(policy, k) > 0;
    }
    if (!by_host) {
        return true;
    }
    bool memory = dcp_loss_play_init(&g, s, NULL);

    for (uint32_t k = 0; memory && *out_ok && k < n; k++) {
        struct dcp_loss_set one = { .kind = DCP_LOSS_HOST,
                                    .n = 1,
                                    .ix = { hosts[k] } };
        struct dcp_headroom out = { .ok = true };

        memory = play_loss(&g, &one, NULL, &out);
        *out_ok = out.ok;
    }
    dcp_loss_play_finish(&g);
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
}
