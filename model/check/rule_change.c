/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Change windows and freezes: no step of a leg touches what they are about,
 * unless they are open all the time that it may run: from the leg's start, or
 * its own not_before, to the leg's deadline, or the end that is estimated for a
 * step that starts as late as its start_by lets it. */

#include "model/change.h"
#include "model/check/rule_check.h"

#include <stdio.h>

/* Whether the step is of a listed VM, or of, from or to a listed host. */
static bool
touches(const struct dcp_rule *rule, const struct dcp_step *s)
{
    const struct dcp_object objects[] = { s->object, s->from, s->to };
    bool hit = false;

    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        hit |= objects[i].kind == DCP_OBJECT_VM &&
               dcp_rule_lists_vm(rule, objects[i].ix);
        hit |= objects[i].kind == DCP_OBJECT_HOST &&
               dcp_rule_lists_host(rule, objects[i].ix);
    }
    return hit;
}

/* The time in which the step may run. */
static void
time_of(const struct dcp_leg *leg, const struct dcp_step *s, int64_t *out_from,
        int64_t *out_until)
{
    *out_from = s->not_before_ms ? s->not_before_ms : leg->start_ms;
    *out_until = leg->deadline_ms;
    if (s->start_by_ms && s->start_by_ms + s->estimate_ms < *out_until) {
        *out_until = s->start_by_ms + s->estimate_ms;
    }
}

bool
dcp_always_change(struct dcp_always_view *v)
{
    const struct dcp_leg_view *leg = v->leg;
    const struct dcp_inventory *inv = leg->j->inv;
    const struct dcp_leg *l = &leg->j->plan->legs[leg->index];
    char when[160], text[200];

    if (dcp_change_is_open(inv, v->rule, l->start_ms, l->deadline_ms)) {
        return true;
    }
    (void)snprintf(text, sizeof text,
                   "may run outside its time for changes (%s)",
                   dcp_change_print(inv, v->rule, when, sizeof when));
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);
        int64_t from_ms, until_ms;

        time_of(l, s, &from_ms, &until_ms);
        if (touches(v->rule, s) &&
            !dcp_change_is_open(inv, v->rule, from_ms, until_ms)) {
            dcp_always_report(v, id, s->object, DCP_NO_NUMBER, DCP_NO_NUMBER,
                              text);
        }
    }
    return true;
}
