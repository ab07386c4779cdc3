/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/apply_print.h"

#include "cli/ui.h"
#include "model/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
object_text(const struct dcp_inventory *inv, struct dcp_object o, char out[256])
{
    (void)snprintf(out, 256, "%s:%s", dcp_object_kind_name(o.kind),
                   dcp_object_name(inv, o));
}

static void
json_object(struct dcp_json *w, const char *key,
            const struct dcp_inventory *inv, struct dcp_object o)
{
    char text[256];

    object_text(inv, o, text);
    dcp_json_kstring(w, key, o.kind == DCP_OBJECT_NONE ? NULL : text);
}

static void
json_time(struct dcp_json *w, const char *key, int64_t ms)
{
    if (ms) {
        dcp_json_kinstant(w, key, ms);
    } else {
        dcp_json_knull(w, key);
    }
}

static void
json_commands(struct dcp_json *w, const struct dcp_inventory *inv,
              const struct dcp_step *s)
{
    struct dcp_text text = { 0 };
    char *rest = NULL;

    dcp_dry_commands(inv, s, &text);
    dcp_json_karray(w, "commands");
    for (char *line = text.data ? strtok_r(text.data, "\n", &rest) : NULL;
         line; line = strtok_r(NULL, "\n", &rest)) {
        dcp_json_string(w, line);
    }
    dcp_json_end(w, ']');
    dcp_text_finish(&text);
}

static void
json_steps(struct dcp_json *w, const struct dcp_apply_result *a)
{
    dcp_json_karray(w, "steps");
    for (uint32_t i = 0; i < a->plan->n_steps; i++) {
        const struct dcp_step *s = &a->plan->steps[i];
        const struct dcp_run_step *done = &a->report->steps[i];

        if (s->leg != a->leg) {
            continue;
        }
        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "id", s->id);
        dcp_json_kstring(w, "kind", dcp_step_kind_name(s->kind));
        json_object(w, "object", a->inventory, s->object);
        json_object(w, "from", a->inventory, s->from);
        json_object(w, "to", a->inventory, s->to);
        dcp_json_kstring(w, "outcome", dcp_outcome_name(done->outcome));
        json_time(w, "started", done->started_ms);
        json_time(w, "ended", done->ended_ms);
        if (!strcmp(a->executor, "dry")) {
            json_commands(w, a->inventory, s);
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

int
dcp_apply_json(const struct dcp_globals *g, const struct dcp_apply_result *a,
               int status, struct dcp_error *err)
{
    const struct dcp_run_report *r = a->report;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/apply/1");
    dcp_json_kstring(&w, "plan", a->plan->uuid);
    dcp_json_kstring(&w, "leg", a->plan->legs[a->leg].name);
    dcp_json_kstring(&w, "executor", a->executor);
    dcp_json_kstring(&w, "status", a->status);
    dcp_json_kbool(&w, "resumed", a->resumed);
    dcp_json_ku64(&w, "serial_before", a->serial_before);
    dcp_json_ku64(&w, "serial_after", a->serial_after);
    dcp_json_ku64(&w, "steps_total", r->n_steps);
    dcp_json_ku64(&w, "done", r->n_done);
    dcp_json_ku64(&w, "already", r->n_already);
    dcp_json_ku64(&w, "failed", r->n_failed);
    dcp_json_ku64(&w, "skipped", r->n_skipped);
    dcp_json_ku64(&w, "unknown", r->n_unknown);
    dcp_json_ku64(&w, "pending", r->n_pending);
    dcp_json_kstring(&w, "first_failure",
                     r->first_failed ? r->first_failure : NULL);
    dcp_json_kinstant(&w, "started", r->started_ms);
    dcp_json_kinstant(&w, "ended", r->ended_ms);
    dcp_json_ki64(&w, "makespan_ms", r->ended_ms - r->started_ms);
    dcp_json_ki64(&w, "planned_makespan_ms", a->plan->legs[a->leg].makespan_ms);
    dcp_json_kbool(&w, "late", r->late);
    json_steps(&w, a);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status, err);
}

static void
print_commands(const struct dcp_inventory *inv, const struct dcp_step *s)
{
    struct dcp_text text = { 0 };

    dcp_dry_commands(inv, s, &text);
    for (const char *at = dcp_text_get(&text); *at;) {
        size_t length = strcspn(at, "\n");

        printf("                  %.*s\n", (int)length, at);
        at += length + (at[length] == '\n');
    }
    dcp_text_finish(&text);
}

static void
print_action(const struct dcp_apply_result *a, const struct dcp_step *s,
             int64_t at_ms)
{
    const struct dcp_inventory *inv = a->inventory;
    int64_t s_since = (at_ms - a->report->started_ms) / 1000;
    const char *to = dcp_object_name(inv, s->to);

    printf("+%3" PRId64 ":%02" PRId64 "  %c %-12s %s", s_since / 60,
           s_since % 60, dcp_step_symbol(s->kind), dcp_step_kind_name(s->kind),
           dcp_object_name(inv, s->object));
    if (s->from.kind == DCP_OBJECT_HOST) {
        printf("  %s ->", dcp_object_name(inv, s->from));
    }
    printf("%s%s  (%.0f s)\n", *to ? " " : "", to,
           (double)s->estimate_ms / 1000);
}

void
dcp_apply_print_actions(const struct dcp_apply_result *a, bool commands)
{
    for (uint32_t i = 0; i < a->n_log; i++) {
        if (a->log[i].phase == DCP_ACTION_STARTED) {
            const struct dcp_step *s = &a->plan->steps[a->log[i].step - 1];

            print_action(a, s, a->log[i].at_ms);
            if (commands) {
                print_commands(a->inventory, s);
            }
        }
    }
}

void
dcp_apply_print_summary(const struct dcp_apply_result *a)
{
    const struct dcp_run_report *r = a->report;
    char length[32];

    dcp_print_human(DCP_DIM_TIME, (double)(r->ended_ms - r->started_ms), length,
                    sizeof length);
    printf("leg %s by %s: %u of %u steps done in %s",
           a->plan->legs[a->leg].name, a->executor, r->n_done + r->n_already,
           r->n_steps, length);
    if (r->n_already) {
        printf(", %u were so already", r->n_already);
    }
    if (r->n_failed + r->n_unknown + r->n_skipped + r->n_pending) {
        printf(", %u failed, %u unknown, %u skipped, %u not reached",
               r->n_failed, r->n_unknown, r->n_skipped, r->n_pending);
    }
    printf("%s\n", r->late ? "; ended after the leg's deadline" : "");
    if (a->serial_after != a->serial_before) {
        printf("the model's placement is now serial %" PRIu64 "\n",
               a->serial_after);
    }
}
