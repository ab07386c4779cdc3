/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Why fewer hosts are impossible at the end of the first leg: what asks for
 * how many, each by itself, and all of it together. */

#include "cli/explain.h"
#include "cli/ui.h"
#include "model/duty.h"
#include "solver/bound/bound.h"
#include "solver/bound/terms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_S 10.0

struct answer {
    struct dcp_bound_terms terms;
    struct dcp_bound all;
    uint32_t hosts_on;
    const struct dcp_slot *slots; /* Of the question. */
};

static bool
find(struct dcp_explain *x, struct answer *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    DCP_FREE uint8_t *use = calloc(inv->n_hosts + 1u, 1);

    if (!use) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    if (!dcp_explain_state(x, 0, err)) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        use[h] =
            inv->hosts[h].state == DCP_HOST_MAINTENANCE ? DCP_HOST_AVOID
            : dcp_host_duty(inv, (dcp_host_id){ h }, plan->legs[0].start_ms,
                            NULL, 0) != DCP_DUTY_NONE
                ? DCP_HOST_KEEP
                : DCP_HOST_FREE;
    }
    struct dcp_question q = x->question;

    q.start = plan->before;
    q.host_use = use;
    q.may_empty = true;
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&q, err);
    double limit_s = x->g->time_limit_s > 0 ? x->g->time_limit_s
                     : x->g->iterations     ? INFINITY
                                            : LIMIT_S;

    a->hosts_on = dcp_placement_n_on(plan->legs[0].after);
    a->slots = x->demand->slots + x->question.first_slot;
    return p && dcp_bound_terms_count(p, &a->terms, err) &&
           dcp_bound_compute(p, limit_s, &a->all, err);
}

/* --- Text --------------------------------------------------------------- */

static void
print_term(const struct dcp_inventory *inv, const struct answer *a,
           const struct dcp_bound_term *t)
{
    char when[24] = "";

    if (t->slot != UINT32_MAX) {
        struct dcp_local at =
            dcp_zone_local(inv->zone, a->slots[t->slot].start_ms);

        (void)snprintf(when, sizeof when, " at %02d:%02d",
                       (int)(at.ms_of_day / 3600000),
                       (int)(at.ms_of_day / 60000 % 60));
    }
    printf("  %6u  %s%s", t->hosts, t->name, when);
    if (t->unit[0] && t->hosts < 2) {
        printf(": %.0f %s are planned, which one host holds", t->need, t->unit);
    } else if (t->unit[0]) {
        printf(": %.0f %s are planned, and the %u largest hosts hold %.0f of "
               "usable capacity",
               t->need, t->unit, t->hosts - 1, t->have);
    } else if (!strcmp(t->name, "n+1")) {
        printf(": so many must be on for the others to take what any one of "
               "them holds");
    } else if (!strcmp(t->name, "stay on")) {
        printf(": hosts that may not be switched off");
    } else if (!strcmp(t->name, "keep_on")) {
        printf(": policy.keep_on");
    } else {
        printf(": hosts that must be on");
    }
    putchar('\n');
}

static void
print_text(const struct dcp_explain *x, const struct answer *a)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    printf("after leg %s %u hosts are on; fewer than %u are impossible, "
           "proved\n",
           x->open.plan->legs[0].name, a->hosts_on, a->all.hosts);
    printf("  hosts at least\n");
    for (uint32_t i = 0; i < a->terms.n; i++) {
        print_term(inv, a, &a->terms.term[i]);
    }
    printf("  %6u  all of it in one program, by kind of host and by region "
           "that VMs cannot leave\n",
           a->all.hosts);
    dcp_explain_print_licences(x, 0, DCP_IX_NONE);
    if (a->hosts_on > a->all.hosts) {
        printf("whether %u to %u hosts would do was not proved either way\n",
               a->all.hosts, a->hosts_on - 1);
    }
}

/* --- JSON --------------------------------------------------------------- */

int
dcp_explain_bound(struct dcp_explain *x, struct dcp_error *err)
{
    struct answer a;
    struct dcp_json w;

    if (!find(x, &a, err)) {
        return -1;
    }
    if (!x->g->json) {
        print_text(x, &a);
        return 0;
    }
    dcp_explain_json_head(&w, "bound", NULL);
    dcp_json_kstring(&w, "leg", x->open.plan->legs[0].name);
    dcp_json_ku64(&w, "hosts_on", a.hosts_on);
    dcp_json_ku64(&w, "hosts_lower_bound", a.all.hosts);
    dcp_json_karray(&w, "terms");
    for (uint32_t i = 0; i < a.terms.n; i++) {
        const struct dcp_bound_term *t = &a.terms.term[i];

        dcp_json_begin_line(&w, '{');
        dcp_json_kstring(&w, "name", t->name);
        dcp_json_ku64(&w, "hosts", t->hosts);
        dcp_json_kstring(&w, "unit", t->unit[0] ? t->unit : NULL);
        dcp_json_kdouble(&w, "need", t->unit[0] ? t->need : NAN);
        dcp_json_kdouble(&w, "have", t->unit[0] ? t->have : NAN);
        if (t->slot != UINT32_MAX) {
            dcp_json_kinstant(&w, "at", a.slots[t->slot].start_ms);
        } else {
            dcp_json_knull(&w, "at");
        }
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_explain_json_licences(x, &w, 0, DCP_IX_NONE);
    return dcp_explain_json_end(x, &w, err);
}
