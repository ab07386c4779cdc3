/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts that a fence, or one set of an among rule, would have to take in, or a
 * ban to let go of, so that there is an answer: all of the candidates at first,
 * then fewer.  The shortest prefix of them that does has a last host that is
 * needed; that one is chosen, and the prefix before it shortened again, until
 * the chosen ones do alone (progression; Marques-Silva, Janota & Belov,
 * "Minimal Sets over Monotone Predicates in Boolean Formulae", CAV 2013).  None
 * of them can be left out then; another set may be smaller, but for a set of
 * one.
 *
 * Of the sets of an among rule each is tried, and the one kept that takes in
 * the fewest. */

#include "solver/explain/conflict_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dcp_rule *
rule_of(const struct dcp_finder *f, const struct dcp_dial *dial)
{
    return &f->q->inventory->rules[f->parts[dial->part].ix];
}

/* What the rule lists: of AMONG one of its sets. */
static struct dcp_ids
listed_by(const struct dcp_rule *rule, const struct dcp_dial *dial)
{
    return rule->kind == DCP_RULE_AMONG
               ? rule->sets[dial->set].ids
               : (struct dcp_ids){ rule->hosts, rule->n_hosts };
}

bool
dcp_dial_takes_hosts(const struct dcp_finder *f, const struct dcp_dial *dial)
{
    return f->parts[dial->part].kind == DCP_PART_RULE && dial->candidates;
}

static void
list_candidates(const struct dcp_finder *f, struct dcp_dial *dial)
{
    const struct dcp_rule *rule = rule_of(f, dial);
    struct dcp_ids listed = listed_by(rule, dial);

    dial->n_candidates = 0;
    for (uint32_t h = 0; h < f->q->inventory->n_hosts; h++) {
        if (dcp_ids_contain(&listed, h) == (rule->kind == DCP_RULE_BAN)) {
            dial->chosen[dial->n_candidates] = 0;
            dial->candidates[dial->n_candidates++] = h;
        }
    }
    dial->top = dial->n_candidates;
}

bool
dcp_dial_list_hosts(const struct dcp_finder *f, struct dcp_arena *arena,
                    struct dcp_dial *dial)
{
    uint32_t n_hosts = f->q->inventory->n_hosts;

    dial->candidates = dcp_arena_array(arena, uint32_t, n_hosts);
    dial->list = dcp_arena_array(arena, uint32_t, n_hosts);
    dial->chosen = dcp_arena_array(arena, uint8_t, n_hosts);
    if (!dial->candidates || !dial->list || !dial->chosen) {
        return false;
    }
    list_candidates(f, dial);
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
    struct dcp_ids listed = listed_by(rule, dial);
    uint32_t n = 0, old = 0;

    if (rule->kind == DCP_RULE_BAN) {
        for (uint32_t k = 0; k < dial->n_candidates; k++) {
            if (!is_taken(dial, k)) {
                dial->list[n++] = dial->candidates[k];
            }
        }
    } else { /* Two ascending lists without a common host. */
        for (uint32_t k = 0; k < dial->n_candidates; k++) {
            while (old < listed.n && listed.ix[old] < dial->candidates[k]) {
                dial->list[n++] = listed.ix[old++];
            }
            if (is_taken(dial, k)) {
                dial->list[n++] = dial->candidates[k];
            }
        }
        while (old < listed.n) {
            dial->list[n++] = listed.ix[old++];
        }
    }
    if (rule->kind == DCP_RULE_AMONG) {
        rule->kind = DCP_RULE_FENCE;
        rule->sets = NULL;
        rule->n_sets = 0;
    }
    rule->hosts = dial->list;
    rule->n_hosts = n;
}

static bool
settle_list(struct dcp_finder *f, struct dcp_dial *dial, bool *out_proved,
            struct dcp_error *err)
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

static uint32_t
count_taken(const struct dcp_dial *dial)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < dial->n_candidates; k++) {
        n += is_taken(dial, k);
    }
    return n;
}

bool
dcp_dial_settle_hosts(struct dcp_finder *f, struct dcp_dial *dial,
                      bool *out_proved, struct dcp_error *err)
{
    const struct dcp_rule *rule = rule_of(f, dial);
    bool needed = *out_proved;
    uint32_t best = UINT32_MAX, n_sets = rule->n_sets;
    struct dcp_dial kept = *dial;

    if (rule->kind != DCP_RULE_AMONG) {
        return settle_list(f, dial, out_proved, err);
    }
    kept.step = DCP_DIAL_WHOLE;
    kept.chosen = calloc(f->q->inventory->n_hosts + 1u, 1);
    bool ok = kept.chosen || dcp_fail(err, DCP_E_NOMEM, "no memory for hosts");

    for (uint32_t s = 0; ok && s < n_sets && best > 1; s++) {
        bool proved = needed;

        dial->set = s;
        list_candidates(f, dial);
        ok = settle_list(f, dial, &proved, err);
        if (!ok || dial->step == DCP_DIAL_WHOLE) {
            break; /* Nor will all hosts do for another set. */
        }
        if (count_taken(dial) < best) {
            best = count_taken(dial);
            *out_proved = proved;
            kept.set = s;
            kept.step = dial->step;
            memcpy(kept.chosen, dial->chosen, dial->n_candidates);
        }
    }
    if (ok) {
        dial->set = kept.set;
        list_candidates(f, dial);
        memcpy(dial->chosen, kept.chosen, dial->n_candidates);
        dial->step = kept.step;
    }
    free(kept.chosen);
    return ok;
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
        int more = snprintf(a->text + used, sizeof a->text - used,
                            " and %u more", n - DCP_AMOUNT_HOSTS);

        used += more > 0 ? (size_t)more : 0;
    }
    if (rule->kind == DCP_RULE_AMONG && used < sizeof a->text) {
        (void)snprintf(a->text + used, sizeof a->text - used, " in '%.30s'",
                       rule->sets[dial->set].name);
    }
    a->set = dial->set;
    a->unit = "hosts";
    a->steps = n;
    a->was = listed_by(rule, dial).n;
    a->least = ban ? a->was - n : a->was + n;
}
