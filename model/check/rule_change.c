/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Change windows and freezes: no step of a leg touches what they are about,
 * unless they are open from the leg's start to its deadline, between which
 * every step may run. */

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

bool
dcp_always_change(struct dcp_always_view *v)
{
    const struct dcp_leg_view *leg = v->leg;
    const struct dcp_leg *l = &leg->j->plan->legs[leg->index];
    char when[160], text[200];

    if (dcp_change_is_open(leg->j->inv, v->rule, l->start_ms, l->deadline_ms)) {
        return true;
    }
    (void)snprintf(text, sizeof text,
                   "may run outside its time for changes (%s)",
                   dcp_change_print(leg->j->inv, v->rule, when, sizeof when));
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (touches(v->rule, s)) {
            dcp_always_report(v, id, s->object, DCP_NO_NUMBER, DCP_NO_NUMBER,
                              text);
        }
    }
    return true;
}
