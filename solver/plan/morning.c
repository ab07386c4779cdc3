/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The morning that has to come off: spares that it wakes, and hosts that stay
 * on at night where spares are too few, or cost more. */

#include "solver/headroom/failed_boots.h"
#include "solver/plan/work.h"

#include <stdlib.h>
#include <string.h>

static struct dcp_question
day_question(const struct dcp_work *w, const struct dcp_placement *day)
{
    struct dcp_question q = dcp_work_question(w, day, w->n_slots);

    q.headroom = false; /* A host that does not boot is the loss. */
    return q;
}

/* The most of the kind that policy lets be lost at once. */
static uint32_t
at_once(const struct dcp_policy *policy, enum dcp_loss_kind kind)
{
    uint32_t most = 1;

    for (uint32_t k = 0; k < policy->n_survive; k++) {
        if (policy->survive[k].kind == kind &&
            policy->survive[k].count > most) {
            most = policy->survive[k].count;
        }
    }
    return most;
}

/* Stand-ins or berths show what several losses at once need. */
static bool
is_without_sets(const struct dcp_solution *s, enum dcp_loss_kind kind)
{
    bool any = false;

    for (uint32_t i = 0; i < s->n_losses; i++) {
        any |= s->losses[i].lose.kind == kind && s->losses[i].n_stand_ins;
    }
    for (uint32_t i = 0; i < s->n_berths; i++) {
        any |= s->berths[i].kind == kind;
    }
    return any;
}

/* 'with' and an object of its kind that nothing is lost with. */
static bool
add_to_set(struct dcp_arena *arena, struct dcp_loss_answer *out, uint32_t ix)
{
    uint32_t *also = dcp_arena_array(arena, uint32_t, out->n_also + 1u);
    uint32_t n = 0, last = ix;

    if (!also) {
        return false;
    }
    for (uint32_t k = 0; k < out->n_also; k++) {
        if (out->also[k] > last && last != UINT32_MAX) {
            also[n++] = last;
            last = UINT32_MAX;
        }
        also[n++] = out->also[k];
    }
    if (last != UINT32_MAX) {
        also[n++] = last;
    }
    if (ix < out->lose.ix) { /* It comes first: all others behind it. */
        also[0] = out->lose.ix;
        for (uint32_t k = 0; k < out->n_also; k++) {
            also[k + 1] = out->also[k];
        }
        out->lose.ix = ix;
    }
    out->also = also;
    out->n_also = n;
    return true;
}

/* A solution's losses while hosts without VMs are added. */
struct losses {
    struct dcp_arena *arena;
    struct dcp_loss_answer *all;
    uint32_t n, room;
    uint8_t *known; /* [kind * n_objects + ix]: is lost first in some answer. */
    uint32_t n_objects;
};

static bool
append(struct losses *l, const struct dcp_loss_answer *answer)
{
    if (l->n == l->room) {
        uint32_t room = 2 * l->room + 64;
        struct dcp_loss_answer *more =
            dcp_arena_array(l->arena, struct dcp_loss_answer, room);

        if (!more) {
            return false;
        }
        if (l->n) {
            memcpy(more, l->all, l->n * sizeof *more);
        }
        l->all = more;
        l->room = room;
    }
    l->known[answer->lose.kind * (size_t)l->n_objects + answer->lose.ix] = 1;
    l->all[l->n++] = *answer;
    return true;
}

static bool
add_empty_loss(struct losses *l, const struct dcp_policy *policy,
               enum dcp_loss_kind kind, uint32_t ix, bool in_sets)
{
    uint32_t n = l->n, most = at_once(policy, kind);

    if (ix == DCP_IX_NONE || l->known[kind * (size_t)l->n_objects + ix]) {
        return true;
    }
    /* With each set that has room for it, unless others show all. */
    for (uint32_t i = 0; i < n && in_sets && most > 1; i++) {
        struct dcp_loss_answer set = l->all[i];

        if (set.lose.kind == kind && set.n_also + 1 < most &&
            (!add_to_set(l->arena, &set, ix) || !append(l, &set))) {
            return false;
        }
    }
    return append(l, &(struct dcp_loss_answer){ .lose = { kind, ix } });
}

/* Empty hosts that are on can be lost, and nothing is lost with them. */
static bool
add_empty_losses(const struct dcp_inventory *inv, struct dcp_solution *night,
                 const uint8_t *hosts)
{
    const struct dcp_policy *policy = &inv->policy;
    struct losses l = { .arena = night->arena, .n_objects = inv->n_hosts };

    l.n_objects = inv->n_racks > l.n_objects ? inv->n_racks : l.n_objects;
    l.n_objects = inv->n_feeds > l.n_objects ? inv->n_feeds : l.n_objects;
    DCP_FREE uint8_t *known =
        calloc(DCP_LOSS_KINDS * (size_t)l.n_objects + 1, 1);
    bool ok = known && l.arena;

    l.known = known;
    for (uint32_t i = 0; ok && i < night->n_losses; i++) {
        ok = append(&l, &night->losses[i]);
    }
    for (uint32_t k = 0; ok && k < policy->n_survive; k++) {
        enum dcp_loss_kind kind = policy->survive[k].kind;
        bool in_sets = !is_without_sets(night, kind);

        for (uint32_t h = 0; ok && h < inv->n_hosts; h++) {
            ok = !hosts[h] ||
                 add_empty_loss(&l, policy, kind,
                                dcp_loss_object_of(inv, kind, h), in_sets);
        }
    }
    if (ok) {
        night->losses = l.all;
        night->n_losses = l.n;
    }
    return ok;
}

/* A settled night that stays as it is: its morning is planned already. */
static bool
is_standing(const struct dcp_work *w, const struct dcp_placement *night)
{
    return !dcp_placement_n_moved(w->r->start, night) &&
           !memcmp(w->r->start->on, night->on, night->n_hosts);
}

static bool
any(const uint8_t *flags, uint32_t n)
{
    return n && memchr(flags, 1, n);
}

/* Hosts of 'change' are on, or off again. */
static void
put(const struct dcp_boot_changes *change, bool on, struct dcp_placement *night,
    struct dcp_placement *day)
{
    for (uint32_t h = 0; h < day->n_hosts; h++) {
        day->on[h] = change->wake[h] ? on : day->on[h];
        night->on[h] = change->keep[h] ? on : night->on[h];
    }
}

/* The day with what is changed in it: the solution's own, or a copy of where
 * VMs return to. */
static struct dcp_placement *
own_day(struct dcp_work *w, struct dcp_error *err)
{
    if (w->second_end == w->day.placement) {
        return w->day.placement;
    }
    if (w->second_end != w->home) {
        struct dcp_placement *copy = dcp_placement_copy(w->second_end, err);

        if (!copy) {
            return NULL;
        }
        dcp_placement_destroy(w->home);
        w->home = copy;
        w->second_end = copy;
    }
    return w->home;
}

/* What both placements are worth with the changes. */
static bool
weigh_with(struct dcp_work *w, struct dcp_placement *night,
           struct dcp_placement *day, const struct dcp_boot_changes *change,
           double *out, struct dcp_error *err)
{
    put(change, true, night, day);
    bool ok = dcp_work_weigh(w, night, day, err);

    *out = w->outcome->after;
    put(change, false, night, day);
    return ok;
}

/* Spares are free where hosts of the night count.  Where the day's count as
 * well, it may cost less to keep hosts on at night instead, all of them or
 * those that do not share spares with many; 'others' is room for these ways. */
static bool
prefer_cheaper(struct dcp_work *w, const struct dcp_question *q,
               struct dcp_placement *night, struct dcp_placement *day,
               struct dcp_boot_changes *best, struct dcp_boot_changes others[],
               uint32_t n_others, struct dcp_error *err)
{
    double least, value;

    if (!dcp_work_by_value(w) || !any(best->wake, w->n_hosts)) {
        return true;
    }
    if (!weigh_with(w, night, day, best, &least, err)) {
        return false;
    }
    for (uint32_t i = 0; i < n_others; i++) {
        if (!dcp_failed_boots_settle(q, night, &others[i], err) ||
            !weigh_with(w, night, day, &others[i], &value, err)) {
            return false;
        }
        if (value < least) {
            least = value;
            *best = others[i];
        }
    }
    return true;
}

uint8_t *
dcp_work_kept_for_boots(struct dcp_solution *night, uint32_t n_hosts)
{
    night->arena = night->arena ? night->arena : dcp_arena_create(0);
    if (night->arena && !night->kept_for_boots) {
        night->kept_for_boots =
            dcp_arena_array(night->arena, uint8_t, n_hosts + 1u);
    }
    return night->kept_for_boots;
}

static bool
take(struct dcp_work *w, const struct dcp_boot_changes *change,
     struct dcp_solution *night, struct dcp_placement *day,
     struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->r->inventory;
    uint8_t *kept = dcp_work_kept_for_boots(night, w->n_hosts);
    bool memory = kept != NULL;

    put(change, true, night->placement, day);
    for (uint32_t h = 0; memory && h < w->n_hosts; h++) {
        w->outcome->hosts_kept_on += change->keep[h];
        kept[h] |= change->keep[h];
        w->outcome->hosts_spare += change->wake[h];
    }
    if (memory && inv->policy.n_survive) {
        memory = add_empty_losses(inv, night, change->keep) &&
                 (day != w->day.placement ||
                  add_empty_losses(inv, &w->day, change->wake));
    }
    return memory || dcp_fail(err, DCP_E_NOMEM, "no memory for a night");
}

bool
dcp_work_allow_failed_boots(struct dcp_work *w, struct dcp_solution *night,
                            struct dcp_error *err)
{
    const struct dcp_policy *policy = &w->r->inventory->policy;
    size_t n = w->n_hosts + 1u;

    w->outcome->hosts_kept_on = w->outcome->hosts_spare = 0;
    struct dcp_plan_outcome was = *w->outcome; /* Weighing changes it. */

    if (!w->r->two_legs || w->second_end == night->placement ||
        policy->failed_boots_frac <= 0 ||
        (w->r->settled && is_standing(w, night->placement))) {
        return true;
    }
    DCP_FREE uint8_t *flags = calloc(6 * n, 1);
    int64_t deadline_ms = dcp_work_deadline_ms(w);
    struct dcp_boot_changes spares = { DCP_BOOTS_WAKE, deadline_ms, flags,
                                       flags + n };
    struct dcp_boot_changes others[] = {
        { DCP_BOOTS_GROUP, deadline_ms, flags + 2 * n, flags + 3 * n },
        { DCP_BOOTS_KEEP, deadline_ms, flags + 4 * n, flags + 5 * n },
    };
    struct dcp_question q = day_question(w, w->second_end);

    if (!flags) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
    }
    if (!dcp_failed_boots_settle(&q, night->placement, &spares, err)) {
        return false;
    }
    if (!any(flags, w->n_hosts) && !any(flags + n, w->n_hosts)) {
        return true;
    }
    struct dcp_placement *day = own_day(w, err);

    if (!day) {
        return false;
    }
    q = day_question(w, day);
    if (!prefer_cheaper(w, &q, night->placement, day, &spares, others, 2,
                        err)) {
        return false;
    }
    *w->outcome = was;
    return take(w, &spares, night, day, err);
}

bool
dcp_work_add_no_boot(struct dcp_work *w, struct dcp_plan *plan,
                     struct dcp_error *err)
{
    if (!w->r->two_legs || plan->n_legs < 2) {
        return true;
    }
    struct dcp_question q = day_question(w, w->second_end);
    struct dcp_failed_boots boots;

    if (!dcp_failed_boots_find(&q, w->first_end, plan->arena, &boots, err)) {
        return false;
    }
    struct dcp_survive *all =
        dcp_arena_array(plan->arena, struct dcp_survive, boots.n_lists);

    if (!all) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
    }
    for (uint32_t i = 0; i < boots.n_lists; i++) {
        const struct dcp_loss_answer *l = &boots.lists[i];
        dcp_host_id *to = dcp_arena_array(plan->arena, dcp_host_id, l->n);

        if (!to) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
        }
        for (uint32_t k = 0; k < l->n; k++) {
            to[k].ix = l->to[k];
        }
        all[i] = (struct dcp_survive){
            .leg = plan->n_legs - 1,
            .lose = { DCP_OBJECT_HOST, l->lose.ix },
            .vms = l->vms,
            .to = to,
            .n = l->n,
        };
    }
    w->outcome->hosts_woken = boots.n_woken;
    w->outcome->boots_may_fail = boots.f;
    plan->no_boot = all;
    plan->n_no_boot = boots.n_lists;
    return true;
}
