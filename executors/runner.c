/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps that may start wait in 'ready' by id.  One that a limit holds back is
 * parked with the host (or, for switching off, with the plan) whose limit it
 * is, and comes back to 'ready' when something there ends; so the cost of a
 * run does not grow with the square of the plan.
 *
 * 'late' holds the times at which running steps are looked at again; entries
 * of steps that have ended, or were given more time, are skipped when they
 * come up.  'early' holds steps that may not start before their time. */

#include "executors/runner.h"

#include "executors/run_state.h"
#include "model/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {
    [DCP_OUTCOME_PENDING] = "pending",     [DCP_OUTCOME_DONE] = "done",
    [DCP_OUTCOME_ALREADY] = "already",     [DCP_OUTCOME_FAILED] = "failed",
    [DCP_OUTCOME_SKIPPED] = "skipped",     [DCP_OUTCOME_UNKNOWN] = "unknown",
    [DCP_OUTCOME_OTHER_LEG] = "other_leg",
};

const char *
dcp_outcome_name(enum dcp_outcome outcome)
{
    return outcome_names[outcome];
}

void
dcp_run_options_default(struct dcp_run_options *out)
{
    *out = (struct dcp_run_options){
        .timeout_factor = 3,
        .timeout_min_ms = 5 * 60 * INT64_C(1000),
        .max_extensions = 2,
    };
}

/* --- Bookkeeping -------------------------------------------------------- */

static const struct dcp_step *
step_of(const struct dcp_run *r, uint32_t id)
{
    return &r->plan->steps[id - 1];
}

static void
ask_interrupts(struct dcp_run *r)
{
    uint32_t asked =
        r->options->interrupts ? r->options->interrupts(r->options->user) : 0;

    if (asked > r->stop) {
        r->stop = asked;
    }
}

static bool
note(struct dcp_run *r, const struct dcp_step *s, enum dcp_step_phase phase,
     const char *text)
{
    int64_t now_ms = r->executor->ops->now_ms(r->executor);

    if (r->options->journal &&
        !dcp_journal_record(r->options->journal, s->id, phase, now_ms, text,
                            r->err)) {
        return false;
    }
    if (r->options->progress) {
        r->options->progress(r->options->user, s, phase, now_ms, text);
    }
    ask_interrupts(r);
    return true;
}

static bool
push_ready(struct dcp_run *r, uint32_t id)
{
    r->steps[id - 1].queued = true;
    return dcp_heap_push(&r->ready, id, id) ||
           dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
}

/* Looks at the step again after its timeout. */
static bool
set_look(struct dcp_run *r, const struct dcp_step *s)
{
    int64_t timeout_ms =
        (int64_t)(r->options->timeout_factor * (double)s->estimate_ms);

    if (timeout_ms < r->options->timeout_min_ms) {
        timeout_ms = r->options->timeout_min_ms;
    }
    struct dcp_run_step_state *state = &r->steps[s->id - 1];

    state->look_ms = r->executor->ops->now_ms(r->executor) + timeout_ms;
    return dcp_heap_push(&r->late, state->look_ms, s->id) ||
           dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
}

static void
observe(struct dcp_run *r, const struct dcp_step *s,
        struct dcp_observation *out)
{
    struct dcp_error err = { 0 };

    if (!r->executor->ops->observe(r->executor, s, out, &err)) {
        *out = (struct dcp_observation){ .effect = DCP_EFFECT_UNKNOWN };
        (void)snprintf(out->text, sizeof out->text, "%.150s", err.message);
    }
}

/* --- Limits ------------------------------------------------------------- */

static bool
park_if_limited(struct dcp_run *r, const struct dcp_step *s)
{
    uint32_t *head = NULL;

    if (dcp_run_is_move(s)) {
        uint32_t place = dcp_run_full_place(r, s);

        head = place == UINT32_MAX ? NULL : &r->parked_at[place];
    } else if (s->kind == DCP_STEP_HOST_OFF &&
               !dcp_run_under(r->n_off, r->plan->limits.host_off_at_once)) {
        head = &r->parked_off;
    }
    if (head) {
        r->steps[s->id - 1].queued = true;
        r->steps[s->id - 1].parked_next = *head;
        *head = s->id;
    }
    return head != NULL;
}

static bool
unpark(struct dcp_run *r, uint32_t *head)
{
    while (*head) {
        uint32_t id = *head;

        *head = r->steps[id - 1].parked_next;
        if (!push_ready(r, id)) {
            return false;
        }
    }
    return true;
}

static void
count(struct dcp_run *r, const struct dcp_step *s, bool starts)
{
    uint32_t by = starts ? 1 : UINT32_MAX; /* Adding it takes one off. */

    r->n_running += by;
    r->steps[s->id - 1].running = starts;
    if (dcp_run_is_move(s)) {
        r->n_out[dcp_run_place(r, s->from)] += by;
        r->n_in[dcp_run_place(r, s->to)] += by;
    } else if (s->kind == DCP_STEP_HOST_OFF) {
        r->n_off += by;
    }
}

/* --- Ends --------------------------------------------------------------- */

/* Nobody knows whether it still runs: it keeps its place under the limits. */
static void
abandon(struct dcp_run *r, const struct dcp_step *s)
{
    r->n_running--;
    r->steps[s->id - 1].running = false;
    r->steps[s->id - 1].look_ms = INT64_MAX;
}

static bool
release(struct dcp_run *r, const struct dcp_step *s)
{
    if (!r->steps[s->id - 1].running) {
        return true;
    }
    count(r, s, false);
    r->steps[s->id - 1].look_ms = INT64_MAX;
    if (dcp_run_is_move(s)) {
        return unpark(r, &r->parked_at[dcp_run_place(r, s->from)]) &&
               unpark(r, &r->parked_at[dcp_run_place(r, s->to)]);
    }
    return s->kind != DCP_STEP_HOST_OFF || unpark(r, &r->parked_off);
}

/* All that waits, directly or not, for step 'id', which did not get done.
 * Steps wait for lower ids only, so one pass upwards finds them. */
static void
skip_descendants(struct dcp_run *r, uint32_t id)
{
    for (uint32_t i = id; i < r->plan->n_steps; i++) {
        const struct dcp_step *s = &r->plan->steps[i];
        struct dcp_run_step *out = &r->report->steps[i];

        for (uint32_t a = 0;
             a < s->n_after && out->outcome == DCP_OUTCOME_PENDING; a++) {
            enum dcp_outcome parent = r->report->steps[s->after[a] - 1].outcome;

            if (parent == DCP_OUTCOME_FAILED || parent == DCP_OUTCOME_UNKNOWN ||
                parent == DCP_OUTCOME_SKIPPED) {
                out->outcome = DCP_OUTCOME_SKIPPED;
                r->report->n_skipped++;
            }
        }
    }
}

static bool
end_well(struct dcp_run *r, const struct dcp_step *s, enum dcp_outcome outcome,
         const char *text)
{
    struct dcp_run_step *out = &r->report->steps[s->id - 1];

    out->outcome = outcome;
    out->ended_ms = r->executor->ops->now_ms(r->executor);
    if (outcome == DCP_OUTCOME_DONE) {
        r->report->n_done++;
    } else {
        r->report->n_already++;
    }
    if (s->kind != DCP_STEP_SYNC &&
        (!r->records || r->records[s->id - 1].phase != DCP_PHASE_VERIFIED) &&
        !note(r, s, DCP_PHASE_VERIFIED, text)) {
        return false;
    }
    if (!release(r, s)) {
        return false;
    }
    for (uint32_t c = r->first_child[s->id - 1]; c < r->first_child[s->id];
         c++) {
        struct dcp_run_step_state *child = &r->steps[r->children[c] - 1];

        if (--child->n_waiting == 0 && !push_ready(r, r->children[c])) {
            return false;
        }
    }
    return true;
}

static bool
end_badly(struct dcp_run *r, const struct dcp_step *s, enum dcp_outcome outcome,
          const char *text)
{
    struct dcp_run_step *out = &r->report->steps[s->id - 1];

    out->outcome = outcome;
    out->ended_ms = r->executor->ops->now_ms(r->executor);
    if (outcome == DCP_OUTCOME_UNKNOWN) {
        r->report->n_unknown++;
    } else {
        r->report->n_failed++;
    }
    if (!r->report->first_failed) {
        r->report->first_failed = s->id;
        (void)snprintf(r->report->first_failure,
                       sizeof r->report->first_failure, "%s %.80s: %s",
                       dcp_step_kind_name(s->kind),
                       dcp_object_name(r->inventory, s->object),
                       text && text[0] ? text : "failed");
    }
    skip_descendants(r, s->id);
    if (outcome == DCP_OUTCOME_UNKNOWN) {
        abandon(r, s);
        return note(r, s, DCP_PHASE_UNKNOWN, text);
    }
    return note(r, s, DCP_PHASE_FAILED, text) && release(r, s);
}

/* Decides by looking what became of a step that was sent.  'claim' is what the
 * executor said; NULL: nothing, it is late. */
static bool
settle(struct dcp_run *r, const struct dcp_step *s, const char *claim)
{
    struct dcp_run_step_state *state = &r->steps[s->id - 1];
    struct dcp_observation seen;

    observe(r, s, &seen);
    switch (seen.effect) {
    case DCP_EFFECT_PRESENT:
        return end_well(r, s, DCP_OUTCOME_DONE, NULL);
    case DCP_EFFECT_ABSENT:
        return end_badly(r, s, DCP_OUTCOME_FAILED,
                         claim && claim[0] ? claim : "it did not happen");
    case DCP_EFFECT_ELSEWHERE:
        return end_badly(r, s, DCP_OUTCOME_FAILED, seen.text);
    case DCP_EFFECT_RUNNING:
    case DCP_EFFECT_UNKNOWN:
        break;
    }
    if (!claim && state->extensions++ >= r->options->max_extensions) {
        return end_badly(r, s, DCP_OUTCOME_UNKNOWN,
                         seen.text[0] ? seen.text
                                      : "still under way after its timeouts");
    }
    return set_look(r, s);
}

/* --- Starts ------------------------------------------------------------- */

static bool
send(struct dcp_run *r, const struct dcp_step *s)
{
    struct dcp_error err = { 0 };

    if (!note(r, s, DCP_PHASE_INTENT, NULL)) {
        return false;
    }
    if (r->stop >= 2) {
        return true; /* The intent is on record; resume will look. */
    }
    r->report->steps[s->id - 1].started_ms =
        r->executor->ops->now_ms(r->executor);
    count(r, s, true);
    if (!r->executor->ops->start(r->executor, s, &err)) {
        return settle(r, s, err.message[0] ? err.message : "refused");
    }
    return note(r, s, DCP_PHASE_SENT, NULL) && set_look(r, s);
}

static bool
refuse_stale(struct dcp_run *r, const struct dcp_step *s, const char *text)
{
    r->report->n_stale++;
    return end_badly(r, s, DCP_OUTCOME_FAILED, text);
}

static bool
adopt(struct dcp_run *r, const struct dcp_step *s)
{
    int64_t sent_ms = r->records ? r->records[s->id - 1].sent_ms : 0;

    r->report->steps[s->id - 1].started_ms =
        sent_ms ? sent_ms : r->executor->ops->now_ms(r->executor);
    count(r, s, true);
    return set_look(r, s);
}

/* Of the plan, in this run. */
static int64_t
instant(const struct dcp_run *r, int64_t plan_ms)
{
    return plan_ms + r->options->shift_ms;
}

static bool
wait_for_its_time(struct dcp_run *r, const struct dcp_step *s)
{
    r->steps[s->id - 1].queued = true;
    return dcp_heap_push(&r->early, instant(r, s->not_before_ms), s->id) ||
           dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
}

static bool
refuse_late(struct dcp_run *r, const struct dcp_step *s)
{
    char at[32], text[160];

    dcp_print_instant(instant(r, s->start_by_ms), at);
    (void)snprintf(text, sizeof text, "was to start by %s (%.100s)", at,
                   s->when_text ? s->when_text : "");
    return refuse_stale(r, s, text);
}

static bool
try_start(struct dcp_run *r, const struct dcp_step *s)
{
    struct dcp_observation seen;
    struct dcp_error err = { 0 };
    int64_t now_ms = r->executor->ops->now_ms(r->executor);

    if (s->not_before_ms && instant(r, s->not_before_ms) > now_ms) {
        return wait_for_its_time(r, s);
    }
    if (s->kind == DCP_STEP_SYNC) {
        return end_well(r, s, DCP_OUTCOME_DONE, NULL);
    }
    observe(r, s, &seen);
    switch (seen.effect) {
    case DCP_EFFECT_PRESENT:
        return end_well(r, s,
                        r->records && r->records[s->id - 1].sent_ms
                            ? DCP_OUTCOME_DONE
                            : DCP_OUTCOME_ALREADY,
                        "was so already");
    case DCP_EFFECT_RUNNING:
    case DCP_EFFECT_UNKNOWN:
        return adopt(r, s);
    case DCP_EFFECT_ELSEWHERE:
        return refuse_stale(r, s, seen.text);
    case DCP_EFFECT_ABSENT:
        break;
    }
    if (s->start_by_ms && now_ms > instant(r, s->start_by_ms)) {
        return refuse_late(r, s);
    }
    if (park_if_limited(r, s)) {
        return true;
    }
    if (r->executor->ops->test &&
        !r->executor->ops->test(r->executor, s, &err)) {
        return refuse_stale(r, s, err.message);
    }
    return send(r, s);
}

/* --- The run ------------------------------------------------------------ */

/* Steps that the journal has as verified are done and are not looked at;
 * those under way are taken over before anything new may start. */
static bool
first_steps(struct dcp_run *r)
{
    for (uint32_t id = 1; id <= r->plan->n_steps; id++) {
        const struct dcp_step_record *old =
            r->records ? &r->records[id - 1] : NULL;
        struct dcp_run_step *out = &r->report->steps[id - 1];

        if (!dcp_run_in_leg(r, id)) {
            continue;
        }
        if (old && old->phase == DCP_PHASE_VERIFIED) {
            if (!end_well(r, step_of(r, id),
                          old->sent_ms ? DCP_OUTCOME_DONE : DCP_OUTCOME_ALREADY,
                          NULL)) {
                return false;
            }
            out->started_ms = old->sent_ms;
            out->ended_ms = old->ended_ms;
        } else if (old && old->phase == DCP_PHASE_SENT) {
            struct dcp_observation seen;

            observe(r, step_of(r, id), &seen);
            if (seen.effect == DCP_EFFECT_RUNNING &&
                !adopt(r, step_of(r, id))) {
                return false;
            }
        }
    }
    for (uint32_t id = 1; id <= r->plan->n_steps; id++) {
        if (dcp_run_in_leg(r, id) && r->steps[id - 1].n_waiting == 0 &&
            !r->steps[id - 1].queued && !push_ready(r, id)) {
            return false;
        }
    }
    return true;
}

static bool
may_start(const struct dcp_run *r, uint32_t id)
{
    return r->report->steps[id - 1].outcome == DCP_OUTCOME_PENDING &&
           !r->steps[id - 1].running;
}

static bool
take_event(struct dcp_run *r)
{
    struct dcp_event event;
    bool got = false;
    int64_t look_ms = r->late.n ? r->late.items[0].key : INT64_MAX;

    if (r->early.n && r->early.items[0].key < look_ms) {
        look_ms = r->early.items[0].key;
    }
    if (!r->executor->ops->wait(r->executor, look_ms, &event, &got, r->err)) {
        return false;
    }
    if (got) {
        if (event.step == 0 || event.step > r->plan->n_steps ||
            !r->steps[event.step - 1].running) {
            return true; /* Of a step that was settled already. */
        }
        return settle(r, step_of(r, event.step), event.ok ? "" : event.text);
    }
    int64_t now_ms = r->executor->ops->now_ms(r->executor);

    while (r->early.n && r->early.items[0].key <= now_ms) {
        if (!push_ready(r, dcp_heap_pop(&r->early).step)) {
            return false;
        }
    }
    while (r->late.n && r->late.items[0].key <= now_ms) {
        struct dcp_heap_item item = dcp_heap_pop(&r->late);

        if (r->steps[item.step - 1].running &&
            r->steps[item.step - 1].look_ms == item.key &&
            !settle(r, step_of(r, item.step), NULL)) {
            return false;
        }
    }
    return true;
}

/* Asks that all steps under way be given up, and waits for none: what came of
 * them is looked at when the leg is resumed. */
static void
cancel_all(struct dcp_run *r)
{
    struct dcp_error unused;

    for (uint32_t id = 1; id <= r->plan->n_steps; id++) {
        if (r->steps[id - 1].running && r->executor->ops->cancel) {
            (void)r->executor->ops->cancel(r->executor, id, &unused);
        }
    }
}

static bool
go(struct dcp_run *r)
{
    if (!first_steps(r)) {
        return false;
    }
    for (;;) {
        ask_interrupts(r);
        while (r->ready.n && !r->stop) {
            uint32_t id = dcp_heap_pop(&r->ready).step;

            r->steps[id - 1].queued = false;
            if (may_start(r, id) && !try_start(r, step_of(r, id))) {
                return false;
            }
        }
        if (r->stop >= 2) {
            cancel_all(r);
            return true;
        }
        if (r->n_running == 0 && (r->stop || r->early.n == 0)) {
            return true;
        }
        if (!take_event(r)) {
            return false;
        }
    }
}

bool
dcp_run_leg(const struct dcp_inventory *inv, const struct dcp_plan *plan,
            struct dcp_executor *executor,
            const struct dcp_run_options *options, struct dcp_run_report *out,
            struct dcp_error *err)
{
    struct dcp_run r = { .inventory = inv,
                         .plan = plan,
                         .executor = executor,
                         .options = options,
                         .report = out,
                         .err = err };

    *out = (struct dcp_run_report){ 0 };
    if (options->leg >= plan->n_legs) {
        return dcp_fail(err, DCP_E_ARGUMENT, "the plan has no leg %u",
                        options->leg + 1);
    }
    out->started_ms = executor->ops->now_ms(executor);
    bool ok = dcp_run_state_init(&r) && go(&r);

    out->ended_ms = executor->ops->now_ms(executor);
    out->late = out->ended_ms - options->shift_ms >
                plan->legs[options->leg].deadline_ms;
    out->interrupted = r.stop > 0;
    out->aborted = r.stop > 1;
    out->n_pending = out->n_steps - out->n_done - out->n_already -
                     out->n_failed - out->n_skipped - out->n_unknown;
    dcp_run_state_finish(&r);
    return ok;
}

void
dcp_run_report_finish(struct dcp_run_report *report)
{
    free(report->steps);
    *report = (struct dcp_run_report){ 0 };
}
