/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/sequence.h"

#include <stdlib.h>
#include <string.h>

/* Calls for each pair of neighbours that move; counts, or writes down. */
static void
walk(const struct dcp_inventory *inv, const uint8_t moves[],
     const uint8_t dropped[], struct dcp_sequences *s, bool write)
{
    uint32_t place = 0;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        uint32_t last = DCP_IX_NONE;

        for (uint32_t i = 0; i < rule->n_order; i++, place++) {
            uint32_t vm = rule->order[i];

            if (!moves[vm]) {
                continue;
            }
            bool waits = last != DCP_IX_NONE && !(dropped && dropped[place]);

            if (waits && write) {
                s->before[s->first[vm + 1]++] = last;
            } else if (waits) {
                s->first[vm + 2]++;
            }
            last = vm;
        }
    }
}

bool
dcp_sequences_init(struct dcp_sequences *s, const struct dcp_inventory *inv,
                   const uint8_t moves[], const uint8_t dropped[],
                   struct dcp_error *err)
{
    bool any = false;

    *s = (struct dcp_sequences){ 0 };
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        any |= inv->rules[r].kind == DCP_RULE_SEQUENCE;
    }
    if (!any) {
        return true;
    }
    s->first = calloc(inv->n_vms + 2u, sizeof *s->first);
    if (s->first) {
        walk(inv, moves, dropped, s, false);
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            s->first[v + 2] += s->first[v + 1];
        }
        s->before = malloc((s->first[inv->n_vms + 1] + 1u) * sizeof *s->before);
    }
    if (!s->before) {
        dcp_sequences_finish(s);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sequences");
    }
    walk(inv, moves, dropped, s, true);
    return true;
}

void
dcp_sequences_finish(struct dcp_sequences *s)
{
    free(s->first);
    free(s->before);
    *s = (struct dcp_sequences){ 0 };
}
