/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/step_spans.h"

#include "model/change.h"

#include <stdlib.h>

#define ROUNDS_MAX 64 /* Of rules that push each other on. */

bool
dcp_step_is_touched_by(const struct dcp_step *s, const struct dcp_rule *rule)
{
    const struct dcp_object objects[] = { s->object, s->from, s->to };
    struct dcp_ids vms = { rule->vms, rule->n_vms };
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };
    bool hit = false;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        hit |= (objects[i].kind == DCP_OBJECT_VM &&
                dcp_ids_contain(&vms, objects[i].ix)) ||
               (objects[i].kind == DCP_OBJECT_HOST &&
                dcp_ids_contain(&hosts, objects[i].ix));
    }
    return hit;
}

bool
dcp_step_spans_init(struct dcp_step_spans *c, const struct dcp_inventory *inv,
                    int64_t from_ms, int64_t until_ms, struct dcp_error *err)
{
    *c = (struct dcp_step_spans){
        .inventory = inv,
        .from_ms = from_ms,
        .until_ms = until_ms,
        .rules = calloc(inv->n_rules + 1u, sizeof *c->rules),
    };
    if (!c->rules) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spans");
    }
    for (uint32_t r = 0; from_ms < until_ms && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (dcp_rule_is_about_change(rule->kind) &&
            !dcp_change_is_open(inv, rule, from_ms, until_ms)) {
            c->rules[c->n_rules++] = rule;
        }
    }
    return true;
}

void
dcp_step_spans_finish(struct dcp_step_spans *c)
{
    free(c->rules);
    *c = (struct dcp_step_spans){ 0 };
}

static int64_t
with_slack(const struct dcp_step *s)
{
    return s->estimate_ms + s->estimate_ms / 4;
}

bool
dcp_step_spans_of(const struct dcp_step_spans *c, const struct dcp_step *s,
                  struct dcp_span *out)
{
    int64_t length_ms = with_slack(s), start_ms = c->from_ms;
    bool moved = true, any = false;

    *out = (struct dcp_span){ 0 };
    for (int round = 0; moved && round < ROUNDS_MAX; round++) {
        int64_t end_ms = c->until_ms;

        moved = false;
        for (uint32_t r = 0; r < c->n_rules; r++) {
            int64_t a, b;

            if (!dcp_step_is_touched_by(s, c->rules[r])) {
                continue;
            }
            any = true;
            out->rule = c->rules[r];
            if (!dcp_change_span(c->inventory, c->rules[r], start_ms,
                                 c->until_ms, length_ms, &a, &b)) {
                return false;
            }
            moved |= a > start_ms;
            start_ms = a;
            end_ms = b < end_ms ? b : end_ms;
        }
        out->end_ms = end_ms;
    }
    if (!any) {
        *out = (struct dcp_span){ 0 };
        return true;
    }
    if (moved) {
        return false;
    }
    out->start_ms = start_ms > c->from_ms ? start_ms : 0;
    out->end_ms = out->end_ms < c->until_ms ? out->end_ms : 0;
    return true;
}

bool
dcp_step_spans_mark(const struct dcp_step_spans *c, struct dcp_arena *arena,
                    struct dcp_step steps[], uint32_t n, uint32_t leg,
                    struct dcp_error *err)
{
    char when[160];

    for (uint32_t i = 0; c->n_rules && i < n; i++) {
        struct dcp_step *s = &steps[i];
        struct dcp_span span;

        if (s->leg != leg || !dcp_step_spans_of(c, s, &span) || !span.rule) {
            continue;
        }
        if (span.start_ms > s->not_before_ms) {
            s->not_before_ms = span.start_ms;
        }
        s->start_by_ms = span.end_ms ? span.end_ms - with_slack(s) : 0;
        if (s->start_by_ms && s->start_by_ms < s->not_before_ms) {
            s->start_by_ms = s->not_before_ms; /* CPU came late. */
        }
        dcp_change_print(c->inventory, span.rule, when, sizeof when);
        s->when_text =
            s->when_text ? dcp_arena_printf(arena, "rule '%s' (%s); %s",
                                            span.rule->name, when, s->when_text)
                         : dcp_arena_printf(arena, "rule '%s' (%s)",
                                            span.rule->name, when);
        if (!s->when_text) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for times");
        }
    }
    return true;
}
