/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a plan leaves alone: of a partial repair what stays broken, and what
 * change windows and freezes hold. */

#include "cli/planning.h"

#include "model/change.h"

#include <stdio.h>

static void
json_left(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    uint32_t n = o->n_left < DCP_LEFT_MAX ? o->n_left : DCP_LEFT_MAX;

    dcp_json_kobject(w, "partial");
    dcp_json_kbool(w, "is_partial", o->is_partial);
    dcp_json_ku64(w, "n_left", o->n_left);
    dcp_json_karray(w, "left");
    for (uint32_t k = 0; k < n; k++) {
        char name[300];

        (void)snprintf(name, sizeof name, "%s:%s",
                       dcp_object_kind_name(o->left[k].kind),
                       dcp_object_name(inv, o->left[k]));
        dcp_json_string(w, name);
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* What change windows and freezes leave alone; 'opens': when the rule lets
 * changes begin again. */
static void
json_held(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;

    dcp_json_kobject(w, "changes");
    dcp_json_ku64(w, "vms_held", o->vms_held);
    dcp_json_ku64(w, "hosts_held", o->hosts_held);
    dcp_json_karray(w, "closed");
    for (uint32_t k = 0; k < o->n_closed; k++) {
        const struct dcp_rule *rule = &inv->rules[o->closed[k]];
        int64_t opens = dcp_change_opens(inv, rule, a->start_ms, 1);
        char when[120];

        dcp_json_begin(w, '{');
        dcp_json_kstring(w, "rule", rule->name);
        dcp_json_kstring(w, "when",
                         dcp_change_print(inv, rule, when, sizeof when));
        if (opens == INT64_MAX) {
            dcp_json_knull(w, "opens");
        } else {
            dcp_json_kinstant(w, "opens", opens);
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

void
dcp_planning_left_json(struct dcp_json *w, const struct dcp_inventory *inv,
                       const struct dcp_planning_answer *a)
{
    json_left(w, inv, a);
    json_held(w, inv, a);
}

/* What a partial repair leaves. */
static void
print_left(const struct dcp_inventory *inv, const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;

    if (!o->is_partial) {
        return;
    }
    printf("%-15s %u are as broken as before:", "left", o->n_left);
    for (uint32_t k = 0; k < o->n_left && k < 10; k++) {
        printf("%s %s:%s", k ? "," : "", dcp_object_kind_name(o->left[k].kind),
               dcp_object_name(inv, o->left[k]));
    }
    printf("%s\n", o->n_left > 10 ? " ..." : "");
}

/* What change windows and freezes leave alone, and which of them. */
static void
print_held(const struct dcp_inventory *inv, const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;

    if (o->n_closed) {
        printf("%-15s %u VMs and %u hosts may not be changed then:", "held",
               o->vms_held, o->hosts_held);
    }
    for (uint32_t k = 0; k < o->n_closed; k++) {
        const struct dcp_rule *rule = &inv->rules[o->closed[k]];
        char when[120];

        printf(" %s (%s)", rule->name,
               dcp_change_print(inv, rule, when, sizeof when));
    }
    if (o->n_closed) {
        putchar('\n');
    }
}

void
dcp_planning_left_print(const struct dcp_inventory *inv,
                        const struct dcp_planning_answer *a)
{
    print_left(inv, a);
    print_held(inv, a);
}
