/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/loop_rules.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_loop_rules_init(struct dcp_loop_rules *r, const struct dcp_inventory *inv,
                    struct dcp_error *err)
{
    size_t total = 0;

    *r = (struct dcp_loop_rules){ .inventory = inv };
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        total += dcp_rule_n_members(&inv->rules[i]);
    }
    r->first = calloc((size_t)inv->n_vms + 2, sizeof *r->first);
    r->of_vm = malloc((total + 1) * sizeof *r->of_vm);
    r->asked = calloc((size_t)inv->n_rules + 1, 1);
    if (!r->first || !r->of_vm || !r->asked) {
        dcp_loop_rules_finish(r);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for rules");
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        for (uint32_t k = 0; k < dcp_rule_n_members(&inv->rules[i]); k++) {
            r->first[dcp_rule_member(&inv->rules[i], k) + 2]++;
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        r->first[v + 2] += r->first[v + 1];
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        for (uint32_t k = 0; k < dcp_rule_n_members(&inv->rules[i]); k++) {
            r->of_vm[r->first[dcp_rule_member(&inv->rules[i], k) + 1]++] = i;
        }
    }
    return true;
}

void
dcp_loop_rules_finish(struct dcp_loop_rules *r)
{
    free(r->first);
    free(r->of_vm);
    free(r->asked);
    *r = (struct dcp_loop_rules){ 0 };
}

bool
dcp_loop_rules_ask(struct dcp_loop_rules *r, const struct dcp_wishes *wishes,
                   uint32_t first)
{
    const struct dcp_inventory *inv = r->inventory;
    bool moves = false, switches = false, any = false;

    memset(r->asked, 0, inv->n_rules);
    for (uint32_t i = first; i < wishes->n; i++) {
        const struct dcp_wish *w = &wishes->items[i];

        if (w->kind != DCP_WISH_MOVE) {
            switches = true;
            continue;
        }
        moves = true;
        for (uint32_t k = r->first[w->vm]; k < r->first[w->vm + 1]; k++) {
            r->asked[r->of_vm[k]] = 1;
            any = true;
        }
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        enum dcp_rule_kind kind = inv->rules[i].kind;
        bool concerns =
            (moves &&
             (kind == DCP_RULE_LONELY || kind == DCP_RULE_QUARANTINE)) ||
            (switches && (kind == DCP_RULE_MAX_ON || kind == DCP_RULE_MIN_ON));

        r->asked[i] |= concerns;
        any = any || concerns;
    }
    return any;
}
