/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts that a fence would have to take in, or a ban to let go of, so that
 * there is an answer: all of the candidates at first, then fewer.  The shortest
 * prefix of them that does has a last host that is needed; that one is chosen,
 * and the prefix before it shortened again, until the chosen ones do alone
 * (progression; Marques-Silva, Janota & Belov, "Minimal Sets over Monotone
 * Predicates in Boolean Formulae", CAV 2013).  None of them can be left out
 * then; another set may be smaller, but for a set of one. */

#include "solver/explain/conflict_parts.h"

#include <stdio.h>
#include <string.h>

static const struct dcp_rule *
rule_of(const struct dcp_finder *f, const struct dcp_dial *dial)
{
    return &f->q->inventory->rules[f->parts[dial->part].ix];
}

bool
dcp_dial_takes_hosts(const struct dcp_finder *f, const struct dcp_dial *dial)
{
    return f->parts[dial->part].kind == DCP_PART_RULE && dial->candidates;
}

bool
dcp_dial_list_hosts(const struct dcp_finder *f, struct dcp_arena *arena,
                    struct dcp_dial *dial)
{
    const struct dcp_rule *rule = rule_of(f, dial);
    const struct dcp_inventory *inv = f->q->inventory;
    struct dcp_ids listed = { rule->hosts, rule->n_hosts };
    uint32_t *all = dcp_arena_array(arena, uint32_t, inv->n_hosts);
    uint32_t n = 0;

    dial->list = dcp_arena_array(arena, uint32_t, inv->n_hosts);
    dial->chosen = dcp_arena_array(arena, uint8_t, inv->n_hosts);
    if (!all || !dial->list || !dial->chosen) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (dcp_ids_contain(&listed, h) == (rule->kind == DCP_RULE_BAN)) {
            all[n++] = h;
        }
    }
    dial->candidates = all;
    dial->n_candidates = n;
    return true;
}

static bool
is_taken(const struct dcp_dial *dial, uint32_t candidate)
{
    return candidate < dial->step || dial->chosen[candidate];
}

void
dcp_dial_apply_hosts(const struct dcp_dial *dial, struct dcp_rule *rule)
{
    uint32_t n = 0, old = 0;

    if (rule->kind == DCP_RULE_BAN) {
        for (uint32_t k = 0; k < dial->n_candidates; k++) {
            if (!is_taken(dial, k)) {
                dial->list[n++] = dial->candidates[k];
            }
        }
    } else { /* Two ascending lists without a common host. */
        for (uint32_t k = 0; k < dial->n_candidates; k++) {
            while (old < rule->n_hosts &&
                   rule->hosts[old] < dial->candidates[k]) {
                dial->list[n++] = rule->hosts[old++];
            }
            if (is_taken(dial, k)) {
                dial->list[n++] = dial->candidates[k];
            }
        }
        while (old < rule->n_hosts) {
            dial->list[n++] = rule->hosts[old++];
        }
    }
    rule->hosts = dial->list;
    rule->n_hosts = n;
}

bool
dcp_dial_settle_hosts(struct dcp_finder *f, struct dcp_dial *dial,
                      bool *out_proved, struct dcp_error *err)
{
    uint32_t yes = dial->top, n_chosen = 0;
    enum dcp_oracle says;

    if (!dcp_dial_ask(f, dial, yes, &says, err)) {
        return false;
    }
    if (says != DCP_ORACLE_YES) {
        dial->step = DCP_DIAL_WHOLE;
        return true;
    }
    while (yes) {
        uint32_t no = 0;

        if (dcp_finder_time_is_up(f)) {
            dial->step = yes;
            *out_proved = false;
            return true;
        }
        if (n_chosen) {
            if (!dcp_dial_ask(f, dial, 0, &says, err)) {
                return false;
            }
            if (says == DCP_ORACLE_YES) {
                break;
            }
        }
        while (yes - no > 1) {
            uint32_t step = no + (yes - no) / 2;

            if (!dcp_dial_ask(f, dial, step, &says, err)) {
                return false;
            }
            yes = says == DCP_ORACLE_YES ? step : yes;
            no = says == DCP_ORACLE_YES ? no : step;
        }
        dial->chosen[--yes] = 1;
        n_chosen++;
    }
    dial->step = 0;
    *out_proved = *out_proved && n_chosen == 1;
    return true;
}

void
dcp_dial_describe_hosts(const struct dcp_finder *f, const struct dcp_dial *dial,
                        struct dcp_part_amount *a)
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_rule *rule = rule_of(f, dial);
    bool ban = rule->kind == DCP_RULE_BAN;
    size_t used = 0;
    uint32_t n = 0;

    for (uint32_t k = 0; k < dial->n_candidates; k++) {
        uint32_t h = dial->candidates[k];

        if (!is_taken(dial, k)) {
            continue;
        }
        if (n < DCP_AMOUNT_HOSTS && used < sizeof a->text) {
            int more =
                snprintf(a->text + used, sizeof a->text - used, "%s%.16s",
                         n     ? ", "
                         : ban ? "not for "
                               : "also ",
                         inv->hosts[h].name);

            used += more > 0 ? (size_t)more : 0;
            a->host[n] = h;
        }
        n++;
    }
    if (n > DCP_AMOUNT_HOSTS && used < sizeof a->text) {
        (void)snprintf(a->text + used, sizeof a->text - used, " and %u more",
                       n - DCP_AMOUNT_HOSTS);
    }
    a->unit = "hosts";
    a->steps = n;
    a->was = rule->n_hosts;
    a->least = ban ? a->was - n : a->was + n;
}
