/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A leg: an order of moves, its steps, and their times.  How long the moves
 * take depends on what production leaves in the slots that they run in, and
 * which those are on how long they take: so steps are made for all slots of
 * the leg, and once more, in a better order, for those that were needed. */

#include "model/convert.h"
#include "solver/run/progress.h"
#include "solver/schedule/leg_times.h"
#include "solver/schedule/steps.h"
#include "solver/schedule/timed_order.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)

/* Slots, from the leg's first, that begin before then. */
static uint32_t
slots_until(const struct dcp_leg_request *r, int64_t last_ms)
{
    const struct dcp_slot *slots = r->demand->slots;
    uint32_t n = r->last_slot - r->first_slot, k = n ? 1 : 0;

    while (k < n && slots[r->first_slot + k].start_ms < last_ms) {
        k++;
    }
    return k;
}

/* Slots, from the leg's first, that the moves may touch: they begin somewhere
 * in the first, may take a quarter longer, and twenty minutes. */
static uint32_t
slots_needed(const struct dcp_leg_request *r, int64_t makespan_ms)
{
    int64_t begun_ms = r->last_slot > r->first_slot
                           ? r->demand->slots[r->first_slot].end_ms
                           : 0;

    return slots_until(r, begun_ms + makespan_ms + makespan_ms / 4 +
                              20 * MINUTE_MS);
}

/* Of what the first round took: a second one, which seeks a better order. */
#define SECOND_ROUND 2

/* No time for a second round, by what the one begun then took. */
static bool
is_late(const struct dcp_leg_request *r, int64_t began_ms)
{
    int64_t now_ms = dcp_monotonic_ms();

    return r->deadline_ms &&
           now_ms + SECOND_ROUND * (now_ms - began_ms) >= r->deadline_ms;
}

static bool
make_round(const struct dcp_leg_request *r, const struct dcp_problem *p,
           struct dcp_resizing *resizing, const struct dcp_move_order *order,
           const struct dcp_step_spans *spans, uint32_t n_slots, bool last,
           struct dcp_step_list *list, struct dcp_leg_answer *out,
           struct dcp_error *err)
{
    uint32_t first = list->n;
    DCP_AUTO(dcp_state) struct dcp_state *most = dcp_state_create(p, err);
    DCP_AUTO(dcp_state) struct dcp_state *start = dcp_state_create(p, err);
    DCP_AUTO(dcp_paths)
    struct dcp_paths *paths =
        start ? dcp_paths_create(start, n_slots, err) : NULL;
    const struct dcp_leg_room room = { most, paths, n_slots, resizing };
    uint32_t n_cpu_slots = slots_until(r, r->last_ms);
    const struct dcp_leg_times_request times_request = {
        .inventory = r->inventory,
        .start = start,
        .paths = paths,
        .n_slots = n_slots,
        .n_cpu_slots = n_cpu_slots > n_slots ? n_cpu_slots : n_slots,
        .deadline_ms = r->deadline_ms,
        .spans = spans,
        .in_order = p->watts != NULL,
        .late = r->late,
    };
    struct dcp_leg_times times;

    *out = (struct dcp_leg_answer){ .ok = true };
    /* Watts are kept in the listed order alone: leave it then. */
    if (!most || !paths) {
        return false;
    }
    dcp_resizing_rewind(resizing, p);
    dcp_resizing_begin(resizing, most);
    if (!dcp_chance_load_ends(most->chance, r->to, err) ||
        !dcp_schedule_make_steps(r, &room, order, list, out, err) ||
        !dcp_leg_times_make(&times_request, list, first, r->trunks,
                            last && !p->watts, &times, err)) {
        return false;
    }
    out->makespan_ms = times.makespan_ms;
    out->makespan_bound_ms = times.bound_ms;
    out->n_late = times.n_late;
    out->late_ms = times.late_ms;
    out->late_rule = times.late_rule;
    out->late_object = times.late_object;
    return true;
}

static bool
make_leg(const struct dcp_leg_request *r, const struct dcp_problem *p,
         struct dcp_resizing *resizing, const struct dcp_move_order *order,
         struct dcp_step_list *list, struct dcp_leg_answer *out,
         struct dcp_error *err)
{
    uint32_t first = list->n, all = r->last_slot - r->first_slot, n = all;
    struct dcp_step_spans spans;
    bool ok = dcp_step_spans_init(&spans, r->inventory, r->start_ms,
                                  r->until_ms, err);
    int64_t began_ms = dcp_monotonic_ms();

    /* Should it take longer in fewer slots all the same, all of them count. */
    for (uint32_t round = 0; ok && round < 3; round++) {
        list->n = first;
        if (r->trunks) {
            dcp_trunks_rewind(r->trunks, first + 1);
        }
        if (r->late) {
            memset(r->late, 0, r->inventory->n_vms);
        }
        ok = make_round(r, p, resizing, order, &spans, n, round > 0, list, out,
                        err);
        uint32_t needed = slots_needed(r, out->makespan_ms);

        /* The first round holds in all slots, and is listed as it was. */
        if ((round && needed <= n) || (!round && is_late(r, began_ms))) {
            break;
        }
        n = round ? all : needed;
    }
    dcp_step_spans_finish(&spans);
    return ok;
}

/* Where watts count, a host boots only when the first VM comes to it, so that
 * others may go off before; but all at first where policy.keep_on needs them.
 */
static void
delay_boots(const struct dcp_leg_request *r, const struct dcp_problem *p,
            struct dcp_placement *both_on)
{
    uint32_t n_stay = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n_stay += r->from->on[h] && r->to->on[h];
    }
    for (uint32_t h = 0;
         n_stay >= r->inventory->policy.keep_on && h < p->n_hosts; h++) {
        both_on->on[h] =
            r->from->on[h] || (r->to->on[h] && !dcp_problem_watts_count(p, h));
    }
}

/* Whether racks, feeds and rooms bear what the step draws on its way. */
static bool
bears_step(const struct dcp_state *s, const struct dcp_step *step)
{
    const struct dcp_problem *p = s->p;
    uint32_t vm = step->object.ix;

    if (step->kind == DCP_STEP_HOST_ON || step->kind == DCP_STEP_HOST_OFF) {
        bool on = step->kind == DCP_STEP_HOST_ON;

        return dcp_watts_bear_switch(s->watts, step->object.ix, on) &&
               (!on || dcp_watts_bear_idle(s->watts, step->object.ix));
    }
    return step->object.kind != DCP_OBJECT_VM ||
           step->to.kind != DCP_OBJECT_HOST ||
           dcp_watts_bear(s->watts, step->to.ix,
                          s->cpu_mhz + (size_t)step->to.ix * p->stride,
                          p->cpu_mhz + (size_t)vm * p->stride);
}

static void
play_step(struct dcp_state *s, const struct dcp_step *step)
{
    uint32_t vm = step->object.ix;

    if (step->kind == DCP_STEP_HOST_ON || step->kind == DCP_STEP_HOST_OFF) {
        dcp_state_power(s, step->object.ix, step->kind == DCP_STEP_HOST_ON);
    } else if (step->object.kind == DCP_OBJECT_VM) {
        if (step->from.kind == DCP_OBJECT_HOST && s->host[vm] != DCP_IX_NONE) {
            dcp_state_remove(s, vm);
        }
        if (step->to.kind == DCP_OBJECT_HOST && s->host[vm] == DCP_IX_NONE) {
            dcp_state_place(s, vm, step->to.ix);
        }
    }
}

/* The steps in their order, from the leg's start; the first that something
 * does not bear is what the order is stuck at. */
static void
play_watts(struct dcp_state *s, const struct dcp_step_list *list,
           uint32_t first, struct dcp_leg_answer *out)
{
    s->watts->lax = true;
    for (uint32_t k = first; out->ok && k < list->n; k++) {
        const struct dcp_step *step = &list->steps[k];

        if (!bears_step(s, step)) {
            out->ok = false;
            out->stuck = step->object;
        }
        play_step(s, step);
    }
}

/* So much longer than its bound that another order is worth trying. */
static bool
is_long(const struct dcp_leg_request *r, const struct dcp_leg_answer *a)
{
    return a->n_moves > 50 &&
           a->makespan_ms > a->makespan_bound_ms + a->makespan_bound_ms / 4 &&
           (!r->deadline_ms || dcp_monotonic_ms() < r->deadline_ms);
}

/* By no fewer steps in time, and 5 % at least. */
static bool
is_shorter(const struct dcp_leg_request *r, const struct dcp_leg_answer *a,
           const struct dcp_leg_answer *than)
{
    return a->n_late <= than->n_late &&
           (!r->limits_moves || a->n_moves <= than->n_moves) &&
           a->makespan_ms < than->makespan_ms - than->makespan_ms / 20;
}

/* As it was simulated. */
static bool
ends_sooner(const struct dcp_move_order *o, const struct dcp_leg_answer *than)
{
    int64_t end_ms = 0;

    for (uint32_t i = 0; i < o->n; i++) {
        end_ms = o->moves[i].end_ms > end_ms ? o->moves[i].end_ms : end_ms;
    }
    return end_ms < than->makespan_ms - than->makespan_ms / 20;
}

/* The moves in the order of their times (solver/schedule/timed_order.h), from
 * the state; where that is not shorter, the leg is made again as it was. */
static bool
shorten(const struct dcp_leg_request *r, struct dcp_state *s,
        struct dcp_resizing *resizing, const struct dcp_move_order *as_was,
        uint32_t first, struct dcp_step_list *list, struct dcp_leg_answer *out,
        struct dcp_error *err)
{
    struct dcp_leg_answer was = *out;
    struct dcp_move_order timed;

    if (!dcp_timed_order_make(s, r->to, r->from->on, r->deadline_ms, &timed,
                              err)) {
        return false;
    }
    bool ok = true;

    if (timed.stuck_vm == DCP_IX_NONE && ends_sooner(&timed, &was)) {
        list->n = first;
        *out = (struct dcp_leg_answer){ .ok = true };
        ok = make_leg(r, s->p, resizing, &timed, list, out, err);
        if (ok && !is_shorter(r, out, &was)) {
            list->n = first;
            ok = make_leg(r, s->p, resizing, as_was, list, out, err);
        }
    }
    dcp_move_order_finish(&timed);
    return ok;
}

/* A problem over the leg's slots in which every host that is on at either end
 * of the leg counts as on, and nothing but order is asked. */
static bool
schedule(const struct dcp_leg_request *r, struct dcp_placement *both_on,
         struct dcp_resizing *resizing, struct dcp_step_list *list,
         struct dcp_leg_answer *out, struct dcp_error *err)
{
    uint32_t n_vms = r->inventory->n_vms;
    DCP_FREE uint8_t *converts = calloc(n_vms + 1u, 1);

    if (!converts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a leg");
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        converts[v] = dcp_conversion_between(r->inventory, r->from->host[v],
                                             r->to->host[v]);
    }
    struct dcp_question q = {
        .inventory = dcp_resizing_moves(resizing),
        .home = r->from,
        .demand = r->demand,
        .first_slot = r->first_slot,
        .last_slot = r->last_slot,
        .start = both_on,
        .closed = r->closed,
        .vms_apart = true,
        .may_convert = converts,
    };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, err);

    if (!p || (resizing->n && !dcp_resizing_weigh(resizing, p, err))) {
        return false;
    }
    delay_boots(r, p, both_on);

    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);
    struct dcp_move_order order;
    uint32_t first = list->n;

    if (!s || !dcp_chance_load_ends(s->chance, r->to, err) ||
        !dcp_move_order_make(s, r->to, NULL, &order, err)) {
        return false;
    }
    bool ok = true;

    if (order.stuck_vm != DCP_IX_NONE) {
        out->ok = false;
        out->stuck = (struct dcp_object){ DCP_OBJECT_VM, order.stuck_vm };
        ok = dcp_sequence_clash_find(p, r->to, r->deadline_ms, &out->sequences,
                                     err);
    } else {
        ok = make_leg(r, p, resizing, &order, list, out, err);
        if (ok && !s->watts && !s->chance && is_long(r, out)) {
            dcp_state_become(s, both_on);
            ok = shorten(r, s, resizing, &order, first, list, out, err);
        }
        if (ok && s->watts) {
            dcp_state_become(s, r->from);
            play_watts(s, list, first, out);
        }
    }
    dcp_move_order_finish(&order);
    return ok;
}

bool
dcp_schedule_leg(const struct dcp_leg_request *r, struct dcp_step_list *list,
                 struct dcp_leg_answer *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *both = dcp_placement_copy(r->from, err);

    *out = (struct dcp_leg_answer){ .ok = true };
    if (!both) {
        return false;
    }
    for (uint32_t h = 0; h < both->n_hosts; h++) {
        both->on[h] |= r->to->on[h];
    }
    struct dcp_resizing resizing;

    if (!dcp_resizing_init(&resizing, r, err)) {
        return false;
    }
    bool ok = schedule(r, both, &resizing, list, out, err);

    dcp_resizing_finish(&resizing);
    return ok;
}
