/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A change window or a freeze counts as closed for a leg where it does not open
 * for five minutes within what a step waits from the leg's start on.  So no
 * oracle is asked: what it opens later by is by how much it has to open
 * sooner, or the plan to begin later; a minute less and it is closed still. */

#include "solver/explain/conflict_parts.h"

#include "model/base/units.h"
#include "model/change.h"

#include <math.h>
#include <stdio.h>

#define MINUTE_MS INT64_C(60000)
#define LEAST_MS  (5 * MINUTE_MS)

bool
dcp_part_find_opening(const struct dcp_finder *f, uint32_t part,
                      struct dcp_part_amount *out)
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_rule *rule = &inv->rules[f->parts[part].ix];
    int64_t start_ms = f->o->start_ms, wait_ms = inv->policy.move_wait_ms;

    if (f->parts[part].kind != DCP_PART_RULE ||
        !dcp_rule_is_about_change(rule->kind) || !start_ms || !f->q->closed ||
        !f->q->closed[f->parts[part].ix]) {
        return false;
    }
    int64_t opens_ms = dcp_change_opens(inv, rule, start_ms, LEAST_MS);

    if (opens_ms == INT64_MAX || opens_ms <= start_ms + wait_ms) {
        return false;
    }
    char at[32];

    dcp_print_instant(opens_ms - wait_ms, at);
    *out = (struct dcp_part_amount){
        .unit = "min after the start",
        .was = ceil((double)(opens_ms - start_ms) / MINUTE_MS),
        .least = floor((double)wait_ms / MINUTE_MS),
    };
    out->steps = (uint32_t)fmin(out->was - out->least, UINT32_MAX);
    (void)snprintf(out->text, sizeof out->text,
                   "open %u min after the start, not %u; or plan for %s or "
                   "later",
                   (uint32_t)out->least, (uint32_t)out->was, at);
    return true;
}
