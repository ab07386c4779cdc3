/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/script/judge_model.h"

#include <stdio.h>
#include <string.h>

static const struct dcp_pairs *
judge(const struct dcp_inventory *inv, enum dcp_script_kind kind,
      const char *name, const struct dcp_script_text *text,
      const uint32_t vms[], uint32_t n_vms, struct dcp_arena *arena,
      struct dcp_error *err)
{
    char whole[160];

    (void)snprintf(whole, sizeof whole, "%s '%.100s'",
                   kind == DCP_SCRIPT_FILTER ? "filter" : "score", name);
    DCP_AUTO(dcp_script)
    struct dcp_script *script = dcp_script_create(text, whole, err);

    const struct dcp_pairs *pairs =
        script ? dcp_judge_pairs(script, kind, inv, vms, n_vms, arena, err)
               : NULL;

    if (!pairs && err && !err->pos.path) { /* About all of it, not a line. */
        (void)dcp_fail_in(err, "%s", whole);
        err->pos = text->pos;
    }
    return pairs;
}

bool
dcp_judge_score(const struct dcp_inventory *inv, struct dcp_score *score,
                struct dcp_arena *arena, struct dcp_error *err)
{
    score->pairs = judge(inv, DCP_SCRIPT_SCORE, score->name, &score->script,
                         score->vms.ix, score->vms.n, arena, err);
    return score->pairs != NULL;
}

/* The rule that closes hosts to class 'c'. */
static bool
ban_of(const struct dcp_filter *f, const struct dcp_pairs *p, uint32_t c,
       const uint32_t vms[], uint32_t n_vms, struct dcp_arena *arena,
       struct dcp_rule *out)
{
    uint32_t *hosts = dcp_arena_array(arena, uint32_t, p->n_hosts + 1u);
    uint32_t *mine = dcp_arena_array(arena, uint32_t, n_vms + 1u);
    uint32_t n_hosts = 0, n = 0;
    const char *reason = "";

    if (!hosts || !mine) {
        return false;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        const struct dcp_pair_verdict *said =
            &p->verdicts[p->verdict[(size_t)c * p->n_hosts + h]];

        if (!said->allowed) {
            hosts[n_hosts++] = h;
            reason = *reason ? reason : said->reason;
        }
    }
    for (uint32_t i = 0; i < n_vms; i++) {
        if (p->class_of_vm[vms[i]] == c) {
            mine[n++] = vms[i];
        }
    }
    *out = (struct dcp_rule){
        .kind = DCP_RULE_BAN,
        .name = dcp_arena_printf(arena, *reason ? "%s#%u: %s" : "%s#%u",
                                 f->name, c + 1, reason),
        .pos = f->pos,
        .vms = mine,
        .n_vms = n,
        .hosts = hosts,
        .n_hosts = n_hosts,
        .hold = f->hold,
        .soft = f->soft,
        .soft_price = f->soft_price,
    };
    return out->name != NULL;
}

bool
dcp_judge_filter(const struct dcp_inventory *inv, const struct dcp_filter *f,
                 const uint32_t vms[], uint32_t n_vms, struct dcp_arena *arena,
                 struct dcp_rule **out_rules, uint32_t *out_n,
                 struct dcp_error *err)
{
    const struct dcp_pairs *p = judge(inv, DCP_SCRIPT_FILTER, f->name,
                                      &f->script, vms, n_vms, arena, err);
    struct dcp_rule *rules;

    *out_n = 0;
    if (!p) {
        return false;
    }
    if (p->n_classes > DCP_FILTER_CLASSES_MAX) {
        return dcp_fail_at(err, DCP_E_LIMIT, f->pos,
                           "filter '%.60s': it tells %u classes of VMs apart, "
                           "more than %u: name the VMs that it is about, or "
                           "read fewer fields",
                           f->name, p->n_classes, DCP_FILTER_CLASSES_MAX);
    }
    rules = dcp_arena_array(arena, struct dcp_rule, p->n_classes + 1u);
    for (uint32_t c = 0; rules && c < p->n_classes; c++) {
        if (!ban_of(f, p, c, vms, n_vms, arena, &rules[*out_n])) {
            rules = NULL;
        } else {
            *out_n += rules[*out_n].n_hosts > 0;
        }
    }
    *out_rules = rules;
    return rules ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for filter '%.60s'", f->name);
}

/* Rules for the VMs that the inventory got. */
static bool
extend_filters(struct dcp_inventory *inv, uint32_t first_vm,
               struct dcp_arena *arena, struct dcp_error *err)
{
    for (uint32_t i = 0; i < inv->n_filters; i++) {
        const struct dcp_filter *f = &inv->filters[i];
        struct dcp_rule *more = NULL, *all;
        uint32_t first = 0, n;

        while (first < f->vms.n && f->vms.ix[first] < first_vm) {
            first++;
        }
        if (first == f->vms.n) {
            continue;
        }
        if (!dcp_judge_filter(inv, f, f->vms.ix + first, f->vms.n - first,
                              arena, &more, &n, err)) {
            return false;
        }
        all = dcp_arena_array(arena, struct dcp_rule, inv->n_rules + n + 1u);
        if (!all) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u rules", n);
        }
        memcpy(all, inv->rules, inv->n_rules * sizeof *all);
        memcpy(all + inv->n_rules, more, n * sizeof *all);
        inv->rules = all;
        inv->n_rules += n;
    }
    return true;
}

bool
dcp_judge_model(struct dcp_inventory *inv, uint32_t first_vm,
                struct dcp_arena *arena, struct dcp_error *err)
{
    struct dcp_score *scores =
        dcp_arena_array(arena, struct dcp_score, inv->n_scores + 1u);

    if (!scores) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u scores",
                        inv->n_scores);
    }
    for (uint32_t i = 0; i < inv->n_scores; i++) {
        scores[i] = inv->scores[i];
        if (!dcp_judge_score(inv, &scores[i], arena, err)) {
            return false;
        }
    }
    inv->scores = scores;
    return extend_filters(inv, first_vm, arena, err);
}
