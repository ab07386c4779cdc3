/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/check/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The next place in a list that grows by doubling in the result's arena. */
static struct dcp_violation *
next_of(struct dcp_arena *arena, struct dcp_violation **list, uint32_t n)
{
    if (n >= DCP_VIOLATIONS_MAX) {
        return NULL;
    }
    if ((n & (n - 1)) == 0) {
        struct dcp_violation *larger =
            dcp_arena_array(arena, struct dcp_violation, n ? 2 * n : 1);

        if (!larger) {
            return NULL;
        }
        if (n) {
            memcpy(larger, *list, n * sizeof *larger);
        }
        *list = larger;
    }
    return &(*list)[n];
}

static void
fill(const struct dcp_judge *j, struct dcp_violation *v, uint32_t step,
     const char *rule, struct dcp_object object, double need, double have)
{
    struct dcp_arena *arena = j->result->arena;
    const char *text = object.kind == DCP_OBJECT_NONE
                           ? ""
                           : dcp_arena_printf(arena, "%s:%s",
                                              dcp_object_kind_name(object.kind),
                                              dcp_object_name(j->inv, object));

    rule = dcp_arena_strdup(arena, rule);
    v->step = step;
    v->rule = rule ? rule : "";
    v->object = text ? text : "";
    v->need = need;
    v->have = have;
}

void
dcp_judge_report(const struct dcp_judge *j, uint32_t step, const char *rule,
                 struct dcp_object object, double need, double have,
                 const char *format, ...)
{
    struct dcp_check_result *r = j->result;
    struct dcp_violation *v =
        next_of(r->arena, &r->violations, r->n_violations);

    r->pass = false;
    r->n_violations_all++;
    if (v) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(v->text, sizeof v->text, format, args);
        va_end(args);
        fill(j, v, step, rule, object, need, have);
        r->n_violations++;
    }
}

void
dcp_judge_report_soft(const struct dcp_judge *j, const struct dcp_rule *rule,
                      struct dcp_object object, double n, const char *format,
                      ...)
{
    struct dcp_check_result *r = j->result;
    struct dcp_violation *v = next_of(r->arena, &r->soft, r->n_soft);

    r->n_soft_all++;
    r->soft_price += rule->soft_price * n;
    if (v) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(v->text, sizeof v->text, format, args);
        va_end(args);
        fill(j, v, 0, rule->name, object, rule->soft_price * n, n);
        r->n_soft++;
    }
}

bool
dcp_judge_no_memory(const struct dcp_judge *j)
{
    return dcp_fail(j->err, DCP_E_NOMEM, "no memory to check the plan");
}
