/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/own_times.h"

#include <stdlib.h>

void
dcp_own_times_finish(struct dcp_own_times *o)
{
    free(o->release);
    free(o->due);
    free(o->waits_for);
    dcp_move_cpu_finish(&o->cpu);
    *o = (struct dcp_own_times){ 0 };
}

static void
note_late(const struct dcp_leg_times_request *r, const struct dcp_step *s,
          const struct dcp_rule *rule, int64_t late_ms,
          struct dcp_leg_times *out)
{
    if (!out->n_late++) {
        out->late_rule = rule;
        out->late_object = s->object;
    }
    out->late_ms = late_ms > out->late_ms ? late_ms : out->late_ms;
    if (r->late && s->object.kind == DCP_OBJECT_VM) {
        r->late[s->object.ix] = 1;
    }
}

/* What waits for a step with a due time hurries its predecessors as well. */
void
dcp_own_times_hurry(const struct dcp_step_list *list, uint32_t first,
                    int64_t due[])
{
    for (uint32_t i = list->n; i-- > first;) {
        const struct dcp_step *s = &list->steps[i];
        int64_t by = due[i - first] == INT64_MAX
                         ? INT64_MAX
                         : due[i - first] - s->estimate_ms;

        for (uint32_t k = 0; k < s->n_after && by != INT64_MAX; k++) {
            if (s->after[k] > first && by < due[s->after[k] - 1 - first]) {
                due[s->after[k] - 1 - first] = by;
            }
        }
    }
}

/* For the steps as they are listed now. */
bool
dcp_own_times_init(struct dcp_own_times *o,
                   const struct dcp_leg_times_request *r,
                   const struct dcp_step_list *list, uint32_t first,
                   struct dcp_leg_times *out, struct dcp_error *err)
{
    const struct dcp_step_spans *spans = r->spans;
    bool known = spans->from_ms < spans->until_ms;
    int64_t wait_ms = r->inventory->policy.move_wait_ms;
    size_t n = list->n - first;

    *o = (struct dcp_own_times){ .release = calloc(n + 1, sizeof *o->release),
                                 .due = calloc(n + 1, sizeof *o->due),
                                 .waits_for =
                                     calloc(n + 1, sizeof *o->waits_for) };
    if (!o->release || !o->due || !o->waits_for) {
        dcp_own_times_finish(o);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for times of steps");
    }
    if (!dcp_move_cpu_init(&o->cpu, r->start, list, first, r->n_cpu_slots,
                           known ? spans->from_ms : 0, err)) {
        dcp_own_times_finish(o);
        return false;
    }
    out->n_late = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = &list->steps[first + i];
        struct dcp_span span = { 0 };
        int64_t opens_ms = 0;
        bool ok = !known || dcp_step_spans_of(spans, s, &span);

        o->due[i] = INT64_MAX;
        o->waits_for[i] = DCP_IX_NONE;
        if (ok && span.start_ms) {
            opens_ms = span.start_ms - spans->from_ms;
            ok = opens_ms <= wait_ms && !r->in_order;
        }
        o->release[i] = ok ? opens_ms : 0;
        if (!ok) {
            note_late(r, s, span.rule, 0, out);
        } else if (span.end_ms) {
            o->due[i] = span.end_ms - s->estimate_ms / 4 - spans->from_ms;
        }
    }
    dcp_own_times_settle(o, r, list, first);
    return true;
}

void
dcp_own_times_settle(struct dcp_own_times *o,
                     const struct dcp_leg_times_request *r,
                     const struct dcp_step_list *list, uint32_t first)
{
    int64_t last_ms = 0; /* Where nothing may overtake. */
    uint32_t last_host = DCP_IX_NONE;

    for (uint32_t i = 0; i < list->n - first; i++) {
        const struct dcp_step *s = &list->steps[first + i];
        int64_t from_ms = o->release[i];

        for (uint32_t k = 0; k < s->n_after; k++) {
            if (s->after[k] > first &&
                o->release[s->after[k] - 1 - first] > from_ms) {
                from_ms = o->release[s->after[k] - 1 - first];
            }
        }
        if (r->in_order && last_ms > from_ms) {
            from_ms = last_ms;
            o->waits_for[i] = last_host;
        }
        o->release[i] =
            dcp_move_cpu_ready_ms(&o->cpu, s, from_ms, &o->waits_for[i]);
        if (o->waits_for[i] != DCP_IX_NONE && o->release[i] > last_ms) {
            last_ms = o->release[i];
            last_host = o->waits_for[i];
        }
    }
}

/* Steps that end too late as the list is carried out. */
void
dcp_own_times_judge(const struct dcp_own_times *o,
                    const struct dcp_leg_times_request *r,
                    const struct dcp_step_list *list, uint32_t first,
                    const int64_t start[], struct dcp_leg_times *out)
{
    for (uint32_t i = 0; i < list->n - first; i++) {
        const struct dcp_step *s = &list->steps[first + i];
        int64_t late_ms =
            o->due[i] == INT64_MAX ? 0 : start[i] + s->estimate_ms - o->due[i];
        struct dcp_span span;

        if (late_ms > 0) {
            (void)dcp_step_spans_of(r->spans, s, &span);
            note_late(r, s, span.rule, late_ms, out);
        }
    }
}

/* Steps that wait for CPU are told so. */
bool
dcp_own_times_mark(const struct dcp_own_times *o,
                   const struct dcp_leg_times_request *r,
                   struct dcp_step_list *list, uint32_t first)
{
    for (uint32_t i = first; i < list->n; i++) {
        struct dcp_step *s = &list->steps[i];
        uint32_t host = o->waits_for[i - first];

        if (host != DCP_IX_NONE) {
            s->not_before_ms = r->spans->from_ms + o->release[i - first];
            s->when_text = dcp_arena_printf(
                list->arena, "%s has the CPU to spare that a move takes",
                r->inventory->hosts[host].name);
            if (!s->when_text) {
                return false;
            }
        }
    }
    return true;
}

int64_t
dcp_own_times_lateness(const struct dcp_own_times *o,
                       const struct dcp_step_list *list, uint32_t first,
                       const int64_t start[])
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < list->n - first; i++) {
        int64_t end = start[i] + list->steps[first + i].estimate_ms;

        sum += end > o->due[i] ? end - o->due[i] : 0;
    }
    return sum;
}
