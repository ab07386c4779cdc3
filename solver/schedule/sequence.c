/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/sequence.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_sequence_next(struct dcp_sequence_walk *k, struct dcp_sequence_wait *out)
{
    while (k->rule < k->inventory->n_rules) {
        const struct dcp_rule *rule = &k->inventory->rules[k->rule];

        while (k->i < rule->n_order) {
            uint32_t vm = rule->order[k->i++], place = k->place++;

            if (!k->moves[vm]) {
                continue;
            }
            *out = (struct dcp_sequence_wait){ rule, vm, k->last, place };
            k->last = vm;
            if (k->passed++) {
                return true;
            }
        }
        k->rule++;
        k->i = k->passed = 0;
    }
    return false;
}

/* Counts the waits that are kept, or writes them down. */
static void
list(const struct dcp_inventory *inv, const uint8_t moves[],
     const uint8_t dropped[], struct dcp_sequences *s, bool write)
{
    struct dcp_sequence_walk walk = { inv, moves, 0, 0, 0, 0, 0 };
    struct dcp_sequence_wait wait;

    while (dcp_sequence_next(&walk, &wait)) {
        if (dropped && dropped[wait.place]) {
            continue;
        }
        if (write) {
            s->before[s->first[wait.vm + 1]++] = wait.before;
        } else {
            s->first[wait.vm + 2]++;
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
        list(inv, moves, dropped, s, false);
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            s->first[v + 2] += s->first[v + 1];
        }
        s->before = malloc((s->first[inv->n_vms + 1] + 1u) * sizeof *s->before);
    }
    if (!s->before) {
        dcp_sequences_finish(s);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for sequences");
    }
    list(inv, moves, dropped, s, true);
    return true;
}

void
dcp_sequences_finish(struct dcp_sequences *s)
{
    free(s->first);
    free(s->before);
    *s = (struct dcp_sequences){ 0 };
}
