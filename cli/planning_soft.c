/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Soft rules that a plan breaks, counted by the checker, not by the solver. */

#include "cli/planning.h"
#include "model/check/check.h"
#include "model/io/json_writer.h"

#include <stdio.h>

struct soft_end { /* The end of one leg, or the start. */
    const char *leg;
    struct dcp_check_result r;
};

/* Judges the start and the end of each leg; false: out of memory. */
static bool
judge(const struct dcp_context *c, const struct dcp_planning_answer *a,
      struct soft_end out[DCP_LEGS_MAX + 1], uint32_t *out_n,
      struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    uint32_t n_legs = a->plan ? a->plan->n_legs : 0;
    const struct dcp_placement *start =
        a->plan ? a->plan->before : c->model.placement;

    for (uint32_t k = 0; k <= n_legs; k++) {
        const struct dcp_placement *p = k ? a->plan->legs[k - 1].after : start;

        out[k].leg = k ? a->plan->legs[k - 1].name : "start";
        if (!dcp_check_rules(inv, start, p, &out[k].r, err)) {
            while (k-- > 0) {
                dcp_check_result_finish(&out[k].r);
            }
            return false;
        }
    }
    *out_n = n_legs + 1;
    return true;
}

static bool
has_soft_rules(const struct dcp_inventory *inv)
{
    bool any = false;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        any |= inv->rules[r].soft;
    }
    return any;
}

bool
dcp_planning_soft_json(struct dcp_json *w, const struct dcp_context *c,
                       const struct dcp_planning_answer *a,
                       struct dcp_error *err)
{
    struct soft_end ends[DCP_LEGS_MAX + 1];
    uint32_t n = 0;

    if (has_soft_rules(c->model.inventory) && !judge(c, a, ends, &n, err)) {
        return false;
    }
    double after = 0;

    for (uint32_t k = 1; k < n; k++) {
        after += ends[k].r.soft_price;
    }
    dcp_json_kobject(w, "soft");
    dcp_json_kdouble(w, "price_before", n ? ends[0].r.soft_price : 0);
    dcp_json_kdouble(w, "price_after", after);
    dcp_json_karray(w, "broken");
    for (uint32_t k = n > 1 ? 1 : 0; k < n; k++) {
        for (uint32_t i = 0; i < ends[k].r.n_soft; i++) {
            const struct dcp_violation *v = &ends[k].r.soft[i];

            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "leg", ends[k].leg);
            dcp_json_kstring(w, "rule", v->rule);
            dcp_json_kstring(w, "object", v->object[0] ? v->object : NULL);
            dcp_json_kdouble(w, "times", v->have);
            dcp_json_kdouble(w, "price", v->need);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
    for (uint32_t k = 0; k < n; k++) {
        dcp_check_result_finish(&ends[k].r);
    }
    return true;
}

#define LINES_MAX 10u

void
dcp_planning_soft_print(const struct dcp_context *c,
                        const struct dcp_planning_answer *a)
{
    struct soft_end ends[DCP_LEGS_MAX + 1];
    uint32_t n = 0, n_lines = 0;

    if (!has_soft_rules(c->model.inventory) || !judge(c, a, ends, &n, NULL)) {
        return;
    }
    for (uint32_t k = n > 1 ? 1 : 0; k < n; k++) {
        for (uint32_t i = 0; i < ends[k].r.n_soft; i++) {
            const struct dcp_violation *v = &ends[k].r.soft[i];

            if (n_lines++ < LINES_MAX) {
                printf("%-15s %s (%s): %s%s%s, price %g\n",
                       n_lines == 1 ? "soft rules" : "", v->rule, ends[k].leg,
                       v->object, v->object[0] ? " " : "", v->text, v->need);
            }
        }
    }
    if (n_lines > LINES_MAX) {
        printf("%-15s ... and %u more\n", "", n_lines - LINES_MAX);
    }
    for (uint32_t k = 0; k < n; k++) {
        dcp_check_result_finish(&ends[k].r);
    }
}
