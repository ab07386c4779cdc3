/* SPDX-License-Identifier: GPL-3.0-or-later */

/* From placements to legs: when each starts and must end, its steps, and the
 * survive lists of its end. */

#include "model/convert.h"
#include "solver/headroom/proof.h"
#include "solver/plan/work.h"

#include "solver/schedule/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SLACK_FRAC      1.25
#define FIVE_MINUTES_MS INT64_C(300000)

/* --- Legs --------------------------------------------------------------- */

static enum dcp_reason
first_reason(const struct dcp_plan_request *r)
{
    switch (r->job) {
    case DCP_JOB_CONSOLIDATE:
        return r->settled ? DCP_REASON_REPAIR : DCP_REASON_EMPTY_HOST;
    case DCP_JOB_EVACUATE:
        return DCP_REASON_EVACUATE;
    case DCP_JOB_REPAIR:
        return DCP_REASON_REPAIR;
    case DCP_JOB_BALANCE:
    case DCP_JOB_STORAGE:
        return DCP_REASON_BALANCE;
    }
    return DCP_REASON_REPAIR;
}

static const char *
first_name(const struct dcp_plan_request *r)
{
    return r->two_legs ? "evening" : r->bring_back ? "out" : "now";
}

static int64_t
round_up(int64_t ms)
{
    return (ms + FIVE_MINUTES_MS - 1) / FIVE_MINUTES_MS * FIVE_MINUTES_MS;
}

static bool
too_tight(struct dcp_work *w, const char *what, int64_t need_ms,
          int64_t have_ms)
{
    struct dcp_because *b = &w->outcome->because;
    char need[32], have[32];

    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(need, sizeof need, "%lld min", (long long)(need_ms / 60000));
    (void)snprintf(have, sizeof have, "%lld min", (long long)(have_ms / 60000));
    (void)snprintf(b->rule, sizeof b->rule, "window");
    (void)snprintf(b->object, sizeof b->object, "%s", what);
    (void)snprintf(b->text, sizeof b->text,
                   "the moves need %s and the window leaves %s; raise "
                   "policy.migration or lengthen the window",
                   need, have);
    b->need = (double)need_ms;
    b->have = (double)have_ms;
    return true;
}

static bool
no_order(struct dcp_work *w, const struct dcp_leg_answer *a)
{
    const struct dcp_inventory *inv = w->r->inventory;
    struct dcp_because *b = &w->outcome->because;
    bool is_host = a->stuck.kind == DCP_OBJECT_HOST;

    w->stuck = a->stuck;
    w->outcome->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "order");
    (void)snprintf(
        b->object, sizeof b->object, "%s:%.80s", is_host ? "host" : "vm",
        is_host ? inv->hosts[a->stuck.ix].name : inv->vms[a->stuck.ix].name);
    (void)snprintf(b->text, sizeof b->text,
                   is_host ? "no safe order of steps was found: its rack, "
                             "feeds or room do not bear it while it is switched"
                           : "no safe order of moves was found: it waits for "
                             "room that others hold, and no host is free to "
                             "step aside to");
    b->need = b->have = NAN;
    if (a->sequences.n) {
        static const char intro[] = "an order is found if ";

        memcpy(b->text, intro, sizeof intro);
        (void)dcp_sequence_clash_print(&a->sequences, inv,
                                       b->text + sizeof intro - 1,
                                       sizeof b->text - (sizeof intro - 1));
    }
    return true;
}

/* When a morning that takes so long begins, so that it ends early enough. */
static int64_t
morning_start(const struct dcp_work *w, int64_t makespan_ms)
{
    int64_t length_ms = round_up((int64_t)(SLACK_FRAC * (double)makespan_ms)) +
                        w->r->inventory->policy.morning_lead_ms;

    if (length_ms < FIVE_MINUTES_MS) { /* Nothing to do takes time, too. */
        length_ms = FIVE_MINUTES_MS;
    }
    return (w->r->window_end_ms - length_ms) / FIVE_MINUTES_MS *
           FIVE_MINUTES_MS;
}

/* How much earlier it is tried to begin so that the steps' rules leave them
 * enough time; 0: it is early enough.  What waits for an instant is not done
 * sooner by beginning sooner, so only the end counts, without slack. */
static int64_t
too_late_by(const struct dcp_work *w, const struct dcp_leg_answer *a,
            int64_t start_ms)
{
    int64_t over_ms = start_ms + a->makespan_ms - w->r->window_end_ms;
    int64_t by_ms = a->late_ms > over_ms ? a->late_ms : over_ms;

    if (!a->n_late && over_ms <= 0) {
        return 0;
    }
    return by_ms > 3 * FIVE_MINUTES_MS ? round_up(by_ms) : 3 * FIVE_MINUTES_MS;
}

/* The morning leg, begun early enough to end before the window does; its
 * states are judged from its own start, which its length decides, so it may
 * take two rounds. */
static bool
morning(struct dcp_work *w, struct dcp_plan *plan, struct dcp_step_list *steps,
        struct dcp_trunks *trunks, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_demand *d = r->demand;
    struct dcp_leg *evening = &plan->legs[0], *leg = &plan->legs[1];
    uint32_t first = w->night_slots ? w->night_slots - 1 : 0;
    uint32_t n_before = steps->n;
    struct dcp_leg_answer a;
    /* Known from the second round on, where rules may give steps times of
     * their own. */
    int64_t start_ms = 0, natural_ms = 0;

    for (;;) {
        struct dcp_leg_request request = {
            .inventory = r->inventory,
            .demand = d,
            .first_slot = first,
            .last_slot = w->n_slots,
            .from = w->first_end,
            .to = w->second_end,
            .closed = dcp_work_closed(w, false),
            .leg = 1,
            .move_reason = DCP_REASON_UNPACK,
            .off_reason = DCP_REASON_NIGHT_OFF,
            .trunks = trunks,
            .start_ms = start_ms,
            .until_ms = start_ms ? r->window_end_ms : 0,
            .last_ms = r->window_end_ms,
            .late = w->change.late,
            .deadline_ms = dcp_work_deadline_ms(w),
            .limits_moves = r->max_moves > 0,
        };

        steps->n = n_before;
        dcp_trunks_rewind(trunks, n_before + 1);
        if (!dcp_schedule_leg(&request, steps, &a, err)) {
            return false;
        }
        if (!a.ok) {
            return no_order(w, &a);
        }
        int64_t earlier_ms = start_ms ? too_late_by(w, &a, start_ms) : 0;
        bool again = w->change.any && (!start_ms || earlier_ms);

        if (!start_ms) {
            natural_ms = morning_start(w, a.makespan_ms);
        }
        leg->start_ms = start_ms ? start_ms - earlier_ms : natural_ms;
        if (leg->start_ms < natural_ms - r->inventory->policy.move_wait_ms) {
            leg->start_ms = start_ms; /* As late as it is. */
            again = false;
        }
        if (leg->start_ms < evening->start_ms + evening->makespan_ms) {
            return too_tight(w, "morning",
                             r->window_end_ms - leg->start_ms +
                                 evening->makespan_ms,
                             r->window_end_ms - evening->start_ms);
        }
        start_ms = again ? leg->start_ms : start_ms;
        if (d->slots[first].start_ms <= leg->start_ms && !again) {
            break;
        }
        while (d->slots[first].start_ms > leg->start_ms) {
            first--;
        }
    }
    if (!dcp_work_in_time(w, "morning", &a)) {
        return true;
    }
    if (leg->start_ms + a.makespan_ms > r->window_end_ms) {
        return too_tight(w, "morning", a.makespan_ms,
                         r->window_end_ms - leg->start_ms);
    }
    leg->name = "morning";
    leg->deadline_ms = r->window_end_ms;
    leg->buckets_until_ms = d->slots[w->n_slots - 1].end_ms;
    leg->makespan_ms = a.makespan_ms;
    leg->makespan_bound_ms = a.makespan_bound_ms;
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    if (evening->deadline_ms > leg->start_ms) {
        evening->deadline_ms = leg->start_ms;
    }
    plan->n_legs = 2;
    return true;
}

/* How long the windows of the conversions among the steps are open. */
static int64_t
conversions_open_ms(const struct dcp_work *w, const struct dcp_step_list *steps,
                    int64_t start_ms)
{
    const struct dcp_inventory *inv = w->r->inventory;
    int64_t least_ms = INT64_MAX;

    for (uint32_t i = 0; i < steps->n; i++) {
        const struct dcp_step *s = &steps->steps[i];
        const struct dcp_conversion *c =
            s->converts ? dcp_conversion_of(inv, s->object.ix, s->convert_from,
                                            s->convert_to)
                        : NULL;
        int64_t open_ms =
            c ? dcp_conversion_open_ms(inv, c, start_ms) : INT64_MAX;

        least_ms = open_ms < least_ms ? open_ms : least_ms;
    }
    return least_ms;
}

/* Volumes that move, in the leg or before it, may make it longer than its VMs
 * take. */
static bool
may_move_volumes(const struct dcp_work *w)
{
    const struct dcp_inventory *inv = w->r->inventory;

    return w->storage.n_moves ||
           (w->r->job == DCP_JOB_CONSOLIDATE && inv->n_pools > 1 &&
            inv->policy.storage.moves == DCP_STORAGE_MOVES_ALLOW);
}

static bool
first_leg(struct dcp_work *w, struct dcp_plan *plan,
          struct dcp_step_list *steps, struct dcp_trunks *trunks,
          struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_leg *leg = &plan->legs[0];
    struct dcp_leg_answer a;
    struct dcp_leg_request request = {
        .inventory = r->inventory,
        .was = r->was,
        .advice = r->advice,
        .demand = r->demand,
        .first_slot = 0,
        .last_slot = w->night_slots,
        .from = r->start,
        .to = w->first_end,
        .closed = dcp_work_closed(w, true),
        .leg = 0,
        .move_reason = first_reason(r),
        .off_reason = DCP_REASON_NIGHT_OFF,
        .trunks = trunks,
        .start_ms = r->start_ms,
        .until_ms = r->demand->slots[w->night_slots - 1].end_ms,
        .last_ms = may_move_volumes(w)
                       ? r->demand->slots[w->night_slots - 1].end_ms
                       : 0,
        .late = w->change.late,
        .deadline_ms = dcp_work_first_leg_deadline_ms(w),
        .limits_moves = r->max_moves > 0,
    };

    if (!dcp_schedule_leg(&request, steps, &a, err)) {
        return false;
    }
    if (!a.ok) {
        return no_order(w, &a);
    }
    if (w->storage.n_moves) {
        struct dcp_storage_schedule volumes;

        if (!dcp_work_storage_steps(w, steps, &volumes, err)) {
            return false;
        }
        if (!volumes.ok) {
            return true; /* The outcome says why. */
        }
        /* Side by side: they share neither hosts nor pools. */
        a.makespan_ms = volumes.makespan_ms > a.makespan_ms
                            ? volumes.makespan_ms
                            : a.makespan_ms;
        a.makespan_bound_ms = volumes.makespan_bound_ms > a.makespan_bound_ms
                                  ? volumes.makespan_bound_ms
                                  : a.makespan_bound_ms;
    }
    leg->name = first_name(r);
    leg->start_ms = r->start_ms;
    leg->makespan_ms = a.makespan_ms;
    leg->makespan_bound_ms = a.makespan_bound_ms;
    leg->deadline_ms = r->start_ms +
                       round_up((int64_t)(SLACK_FRAC * (double)a.makespan_ms)) +
                       3 * FIVE_MINUTES_MS;
    leg->buckets_until_ms = r->demand->slots[w->night_slots - 1].end_ms;
    if (leg->deadline_ms > leg->buckets_until_ms) {
        return too_tight(w, leg->name, leg->deadline_ms - leg->start_ms,
                         leg->buckets_until_ms - leg->start_ms);
    }
    int64_t open_ms = conversions_open_ms(w, steps, leg->start_ms);

    if (leg->deadline_ms - leg->start_ms > open_ms) {
        w->conversions_too_long = true;
        return too_tight(w, "conversions", leg->deadline_ms - leg->start_ms,
                         open_ms);
    }
    if (!dcp_work_in_time(w, leg->name, &a)) {
        return true;
    }
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    plan->n_legs = 1;
    return true;
}

/* EVACUATE: the same moves back, any time before the horizon ends. */
static bool
return_leg(struct dcp_work *w, struct dcp_plan *plan,
           struct dcp_step_list *steps, struct dcp_trunks *trunks,
           struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    struct dcp_leg *out = &plan->legs[0], *leg = &plan->legs[1];
    struct dcp_leg_answer a;
    struct dcp_leg_request request = {
        .inventory = r->inventory,
        .demand = r->demand,
        .first_slot = 0,
        .last_slot = w->n_slots,
        .from = w->first_end,
        .to = w->second_end,
        .closed = dcp_work_closed(w, false),
        .leg = 1,
        .move_reason = DCP_REASON_RETURN,
        .off_reason = DCP_REASON_NIGHT_OFF,
        .trunks = trunks,
        .last_ms = r->demand->slots[w->n_slots - 1].end_ms,
        .deadline_ms = dcp_work_deadline_ms(w),
        .limits_moves = r->max_moves > 0,
    };

    if (!dcp_schedule_leg(&request, steps, &a, err)) {
        return false;
    }
    if (!a.ok) {
        return no_order(w, &a);
    }
    leg->name = "return";
    leg->start_ms = out->deadline_ms;
    leg->deadline_ms = leg->buckets_until_ms =
        r->demand->slots[w->n_slots - 1].end_ms;
    leg->makespan_ms = a.makespan_ms;
    leg->makespan_bound_ms = a.makespan_bound_ms;
    w->outcome->moves += a.n_moves;
    w->outcome->moved_mib += a.moved_mib;
    plan->n_legs = 2;
    return true;
}

/* --- The plan ----------------------------------------------------------- */

static const enum dcp_object_kind loss_objects[] = {
    [DCP_LOSS_HOST] = DCP_OBJECT_HOST,
    [DCP_LOSS_RACK] = DCP_OBJECT_RACK,
    [DCP_LOSS_FEED] = DCP_OBJECT_FEED,
};

static bool
copy_losses(struct dcp_plan *plan, uint32_t leg, const struct dcp_solution *s,
            struct dcp_survive *out, uint32_t *n)
{
    for (uint32_t i = 0; i < s->n_losses; i++) {
        const struct dcp_loss_answer *from = &s->losses[i];
        uint32_t *vms = dcp_arena_array(plan->arena, uint32_t, from->n);
        dcp_host_id *to = dcp_arena_array(plan->arena, dcp_host_id, from->n);
        uint32_t *rest =
            dcp_arena_array(plan->arena, uint32_t, from->n_not_protected);
        struct dcp_object *also =
            dcp_arena_array(plan->arena, struct dcp_object, from->n_also);
        dcp_host_id *stand_ins =
            dcp_arena_array(plan->arena, dcp_host_id, from->n_stand_ins);

        if (!vms || !to || !rest || !also || !stand_ins) {
            return false;
        }
        for (uint32_t k = 0; k < from->n_also; k++) {
            also[k] = (struct dcp_object){ loss_objects[from->lose.kind],
                                           from->also[k] };
        }
        for (uint32_t k = 0; k < from->n_stand_ins; k++) {
            stand_ins[k].ix = from->stand_ins[k];
        }
        for (uint32_t k = 0; k < from->n; k++) {
            vms[k] = from->vms[k];
            to[k].ix = from->to[k];
        }
        for (uint32_t k = 0; k < from->n_not_protected; k++) {
            rest[k] = from->not_protected[k];
        }
        out[(*n)++] = (struct dcp_survive){
            .leg = leg,
            .lose = { loss_objects[from->lose.kind], from->lose.ix },
            .also = also,
            .n_also = from->n_also,
            .stand_ins = stand_ins,
            .n_stand_ins = from->n_stand_ins,
            .vms = vms,
            .to = to,
            .n = from->n,
            .not_protected = rest,
            .n_not_protected = from->n_not_protected,
        };
    }
    return true;
}

static bool
copy_berths(struct dcp_plan *plan, uint32_t leg, const struct dcp_solution *s,
            struct dcp_berths *out, uint32_t *n)
{
    for (uint32_t i = 0; i < s->n_berths; i++) {
        const struct dcp_berth_answer *from = &s->berths[i];
        uint32_t n_vms = from->first[from->n_parts];
        dcp_host_id *hosts =
            dcp_arena_array(plan->arena, dcp_host_id, from->n_hosts);
        uint32_t *n_at = dcp_arena_array(plan->arena, uint32_t, from->n_hosts);
        uint32_t *vms = dcp_arena_array(plan->arena, uint32_t, n_vms);
        uint32_t *first =
            dcp_arena_array(plan->arena, uint32_t, from->n_parts + 1u);

        if (!hosts || !n_at || !vms || !first) {
            return false;
        }
        for (uint32_t k = 0; k < from->n_hosts; k++) {
            hosts[k].ix = from->hosts[k];
            n_at[k] = from->n_at[k];
        }
        for (uint32_t k = 0; k < n_vms; k++) {
            vms[k] = from->vms[k];
        }
        for (uint32_t k = 0; k <= from->n_parts; k++) {
            first[k] = from->first[k];
        }
        out[(*n)++] = (struct dcp_berths){ .leg = leg,
                                           .lose = loss_objects[from->kind],
                                           .hosts = hosts,
                                           .n_at = n_at,
                                           .n_hosts = from->n_hosts,
                                           .vms = vms,
                                           .first = first,
                                           .n_parts = from->n_parts };
    }
    return true;
}

/* Headroom of a state that was not solved for: where it started. */
bool
dcp_work_losses(const struct dcp_work *w, const struct dcp_placement *where,
                struct dcp_solution *out, bool *out_survives,
                struct dcp_error *err)
{
    struct dcp_question q = dcp_work_question(w, where, w->n_slots);
    struct dcp_headroom headroom;
    bool apart = false;

    q.host_use = NULL; /* Evacuated hosts are hosts again. */
    *out = (struct dcp_solution){ .bound_method = "" };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s) {
        return false;
    }
    for (uint32_t v = 0; v < where->n_vms; v++) {
        /* What a rule gathers may start apart: then 's' is another state. */
        apart |= p->item_of_vm[v] != DCP_IX_NONE &&
                 s->host[p->item_of_vm[v]] != where->host[v].ix;
    }
    *out_survives = false;
    if (apart) {
        return true;
    }
    bool ok = dcp_solution_prove(out, s, &headroom, err);

    *out_survives = ok && headroom.ok;
    return ok;
}

static bool
add_survive(struct dcp_work *w, struct dcp_plan *plan, struct dcp_error *err)
{
    struct dcp_solution second = { 0 };
    bool own = false, ok = true, survives;
    uint32_t n = 0, n_berths = 0;

    if (!w->r->inventory->policy.n_survive) {
        return true;
    }
    if (plan->n_legs == 2 && w->second_end == w->day.placement) {
        second = w->day;
    } else if (plan->n_legs == 2) {
        own = true;
        ok = dcp_work_losses(w, w->second_end, &second, &survives, err);
    }
    struct dcp_survive *all =
        ok ? dcp_arena_array(plan->arena, struct dcp_survive,
                             w->night.n_losses + second.n_losses)
           : NULL;

    struct dcp_berths *berths =
        ok ? dcp_arena_array(plan->arena, struct dcp_berths,
                             w->night.n_berths + second.n_berths)
           : NULL;

    if (ok) {
        ok = all && berths && copy_losses(plan, 0, &w->night, all, &n) &&
             copy_losses(plan, 1, &second, all, &n) &&
             copy_berths(plan, 0, &w->night, berths, &n_berths) &&
             copy_berths(plan, 1, &second, berths, &n_berths);
        if (!ok) {
            (void)dcp_fail(err, DCP_E_NOMEM, "no memory for survive lists");
        }
    }
    if (own) {
        dcp_solution_finish(&second);
    }
    plan->survive = all;
    plan->n_survive = n;
    plan->berths = berths;
    plan->n_berths = n_berths;
    return ok;
}

/* A resize is for good: it holds after every leg. */
static bool
note_size(const struct dcp_work *w, struct dcp_plan *plan,
          const struct dcp_step *s, struct dcp_error *err)
{
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        if (!dcp_placement_resize(plan->legs[i].after, w->r->was, s->object.ix,
                                  s->size_to, err)) {
            return false;
        }
    }
    return true;
}

static bool
fill_plan(struct dcp_work *w, struct dcp_plan *plan,
          struct dcp_step_list *steps, struct dcp_error *err)
{
    const struct dcp_plan_request *r = w->r;
    const struct dcp_policy *policy = &r->inventory->policy;
    const struct dcp_plan_outcome *o = w->outcome;
    const struct dcp_leg *last = &plan->legs[plan->n_legs - 1];
    struct dcp_step *copy =
        dcp_arena_array(plan->arena, struct dcp_step, steps->n);

    plan->before = dcp_placement_copy(r->start, err);
    plan->legs[0].after = dcp_placement_copy(w->first_end, err);
    if (plan->n_legs == 2) {
        plan->legs[1].after = dcp_placement_copy(w->second_end, err);
    }
    if (!copy || !plan->before || !plan->legs[0].after ||
        (plan->n_legs == 2 && !plan->legs[1].after)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a plan");
    }
    if (steps->n) {
        memcpy(copy, steps->steps, steps->n * sizeof *copy);
    }
    if (!dcp_work_mark_times(w, plan, copy, steps->n, err)) {
        return false;
    }
    w->outcome->vms_parked = w->outcome->vms_resized = 0;
    for (uint32_t i = 0; i < steps->n; i++) {
        w->outcome->vms_parked += copy[i].kind == DCP_STEP_VM_PARK;
        w->outcome->vms_resized += copy[i].kind == DCP_STEP_VM_RESIZE;
        if (copy[i].kind == DCP_STEP_VM_RESIZE &&
            !note_size(w, plan, &copy[i], err)) {
            return false;
        }
    }
    plan->steps = copy;
    plan->n_steps = steps->n;
    plan->limits = (struct dcp_plan_limits){
        .out_per_host = policy->out_per_host,
        .in_per_host = policy->in_per_host,
        .units_per_10gbit = policy->units_per_10gbit,
        .host_off_at_once =
            dcp_policy_host_off_at_once(policy, r->inventory->n_hosts),
        .moves_per_pool =
            w->storage.n_moves ? policy->storage.moves_per_pool : 0,
    };
    plan->not_before_ms = plan->legs[0].start_ms;
    plan->not_after_ms = last->deadline_ms + DCP_HOUR_MS;
    plan->status = dcp_status_name(o->status);
    plan->goal = dcp_arena_strdup(plan->arena, o->goal);
    plan->bound_method = dcp_arena_strdup(plan->arena, o->bound_method);
    plan->hosts_on_before = o->hosts_on_before;
    plan->hosts_on_after = o->hosts_on_after;
    plan->hosts_lower_bound = o->hosts_lower_bound;
    plan->gap_frac = o->gap_frac;
    plan->predicted = o->predicted;
    plan->currency = dcp_arena_strdup(plan->arena, r->inventory->currency);
    plan->traces_from_ms = r->demand->from_ms;
    plan->traces_until_ms = r->demand->until_ms;
    memcpy(plan->traces_digest, r->demand->traces_digest,
           sizeof plan->traces_digest);
    plan->vms_without_trace = r->demand->n_by_source[DCP_DEMAND_PROFILE] +
                              r->demand->n_by_source[DCP_DEMAND_ALLOCATION];
    return add_survive(w, plan, err) && dcp_work_add_no_boot(w, plan, err) &&
           dcp_work_add_kept_for_boots(w, plan, err);
}

bool
dcp_work_make_plan(struct dcp_work *w, struct dcp_plan *plan,
                   struct dcp_error *err)
{
    struct dcp_step_list steps = { .arena = plan->arena };
    struct dcp_trunks trunks = { 0 };
    bool ok = first_leg(w, plan, &steps, &trunks, err);

    if (ok && plan->n_legs && w->r->two_legs) {
        plan->n_legs = 0;
        ok = morning(w, plan, &steps, &trunks, err);
    } else if (ok && plan->n_legs && w->r->bring_back) {
        plan->n_legs = 0;
        ok = return_leg(w, plan, &steps, &trunks, err);
    }
    if (ok && plan->n_legs) {
        ok = fill_plan(w, plan, &steps, err);
    }
    dcp_trunks_finish(&trunks);
    dcp_step_list_finish(&steps);
    return ok;
}
