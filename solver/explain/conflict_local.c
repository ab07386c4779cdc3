/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Conflicts in large rule sets, one small clash after another.
 *
 * Halving asks the whole question hundreds of times, each of them slow where
 * there are 8,000 VMs and 20,000 rules, and rule sets of that size seldom have
 * one contradiction only.  But most contradictions are between the rules of a
 * few VMs: a VM that reaches no host, VMs held together that must be apart.
 * So VMs that show one are taken by themselves, all others left out, and the
 * parts that are about them reduced to a clash in tiny questions.  The part of
 * it that is least worth holding on to is given up, and the whole asked again
 * until it has an answer.
 *
 * Leaving VMs out only makes a question easier, but for rules that count VMs
 * from below (max_skew), which are left out with them.  So what clashes then
 * clashes with all VMs there. */

#include "solver/explain/conflict_parts.h"

#include "solver/problem.h"

#include <stdlib.h>
#include <string.h>

#define REASONS_MAX 4096u /* Of one look at the whole. */

struct local {
    struct dcp_finder *f;
    uint8_t *given_up, *seed;                  /* Sets of parts. */
    uint8_t *absent;                           /* By VM. */
    uint32_t *first_part, *part_of;            /* Rule parts of VM v:
                                                * part_of[first_part[v]..[v + 1] - 1]. */
    uint32_t *seeds, n_seeds;                  /* VMs. */
    uint32_t *reasons, *reason_vms, n_reasons; /* VMs of reason k:
                                                * reason_vms[reasons[k]..
                                                * [k + 1] - 1]. */
    /* Of each given-up part, its clash: members[first_member[k]..]. */
    uint32_t *given, *first_member, *members, n_given, n_members;
    uint32_t members_room;
    bool first_proved; /* Of the first clash nothing can be left out. */
};

/* --- Which parts are about which VMs ------------------------------------ */

static const struct dcp_rule *
rule_of(const struct local *l, uint32_t part)
{
    const struct dcp_finder_part *p = &l->f->parts[part];

    return p->kind == DCP_PART_RULE ? &l->f->q->inventory->rules[p->ix] : NULL;
}

static bool
index_parts(struct local *l)
{
    uint32_t n_vms = l->f->q->inventory->n_vms;
    size_t total = 0;

    l->first_part = calloc(n_vms + 2u, sizeof *l->first_part);
    for (int pass = 0; l->first_part && pass < 2; pass++) {
        for (uint32_t i = 0; i < l->f->n; i++) {
            const struct dcp_rule *rule = rule_of(l, i);

            for (int side = 0; rule && side < 2; side++) {
                const uint32_t *vms = side ? rule->others : rule->vms;
                uint32_t n = side ? rule->n_others : rule->n_vms;

                for (uint32_t k = 0; k < n; k++) {
                    if (pass) {
                        l->part_of[l->first_part[vms[k] + 1]++] = i;
                    } else {
                        l->first_part[vms[k] + 2]++;
                        total++;
                    }
                }
            }
        }
        for (uint32_t v = 0; !pass && v < n_vms; v++) {
            l->first_part[v + 2] += l->first_part[v + 1];
        }
        if (!pass && !(l->part_of = calloc(total + 1, sizeof *l->part_of))) {
            return false;
        }
    }
    return l->part_of != NULL;
}

/* --- Where to look ------------------------------------------------------ */

static bool
reaches_something(const struct dcp_problem *p, uint32_t item)
{
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool holds = p->use[h] != DCP_HOST_AVOID &&
                     (p->q->start->on[h] ||
                      (p->q->may_wake && p->use[h] == DCP_HOST_FREE));

        if (holds && dcp_problem_reaches(p, item, h)) {
            return true;
        }
    }
    return false;
}

static void
add_reason(struct local *l, const struct dcp_problem *p, uint32_t item)
{
    uint32_t at = l->reasons[l->n_reasons];

    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        l->reason_vms[at++] = p->vm[k];
    }
    l->reasons[++l->n_reasons] = at;
}

static uint32_t
named_vm(const struct dcp_inventory *inv, const char *object)
{
    for (uint32_t v = 0; !strncmp(object, "vm:", 3) && v < inv->n_vms; v++) {
        if (!strncmp(inv->vms[v].name, object + 3, 79)) {
            return v;
        }
    }
    return DCP_IX_NONE;
}

/* VMs that show why 'set' has no answer: items that reach no host, the item
 * that a rule contradicts, else who the solver named. */
static bool
find_reasons(struct local *l, const uint8_t set[], struct dcp_error *err)
{
    struct dcp_question q = dcp_finder_question(l->f, set);
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&q, err);

    if (!p) {
        return false;
    }
    l->n_reasons = 0;
    l->reasons[0] = 0;
    for (uint32_t i = 0; i < p->n_items && l->n_reasons < REASONS_MAX; i++) {
        if (!reaches_something(p, i)) {
            add_reason(l, p, i);
        }
    }
    if (p->contradiction && l->n_reasons < REASONS_MAX) {
        add_reason(l, p, p->contradicting_item);
    }
    uint32_t v = named_vm(l->f->q->inventory, l->f->because.object);

    if (!l->n_reasons && v != DCP_IX_NONE && p->item_of_vm[v] != DCP_IX_NONE) {
        add_reason(l, p, p->item_of_vm[v]);
    }
    return true;
}

/* --- One clash ---------------------------------------------------------- */

static void
add_seed(struct local *l, uint32_t vm)
{
    const uint8_t *parked = l->f->q->absent;

    if (l->absent[vm] && !(parked && parked[vm])) {
        l->absent[vm] = 0;
        l->seeds[l->n_seeds++] = vm;
    }
}

/* VMs that gather rules tie to the seeds, and so on. */
static void
add_gathered(struct local *l)
{
    for (uint32_t s = 0; s < l->n_seeds; s++) {
        uint32_t v = l->seeds[s];

        for (uint32_t k = l->first_part[v]; k < l->first_part[v + 1]; k++) {
            const struct dcp_rule *rule = rule_of(l, l->part_of[k]);

            for (uint32_t i = 0; rule->kind == DCP_RULE_GATHER &&
                                 !l->given_up[l->part_of[k]] && i < rule->n_vms;
                 i++) {
                add_seed(l, rule->vms[i]);
            }
        }
    }
}

/* The VMs of the reason, and those of a rule that the solver named. */
static void
choose_seeds(struct local *l, uint32_t reason)
{
    const struct dcp_inventory *inv = l->f->q->inventory;
    const char *name = l->f->because.rule;

    memset(l->absent, 1, inv->n_vms);
    l->n_seeds = 0;
    for (uint32_t k = l->reasons[reason]; k < l->reasons[reason + 1]; k++) {
        add_seed(l, l->reason_vms[k]);
    }
    for (uint32_t r = 0; l->n_reasons == 1 && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        for (uint32_t k = 0; !strcmp(rule->name, name) && k < rule->n_vms;
             k++) {
            add_seed(l, rule->vms[k]);
        }
    }
    add_gathered(l);
}

static bool
is_whole(const struct local *l, const struct dcp_rule *rule)
{
    for (uint32_t k = 0; k < rule->n_vms; k++) {
        if (l->absent[rule->vms[k]]) {
            return false;
        }
    }
    return true;
}

/* Of the parts that are kept those that say something of the seeds. */
static void
choose_parts(struct local *l)
{
    memset(l->seed, 0, l->f->n);
    for (uint32_t i = 0; i < l->f->n; i++) {
        l->seed[i] = !rule_of(l, i);
    }
    for (uint32_t s = 0; s < l->n_seeds; s++) {
        uint32_t v = l->seeds[s];

        for (uint32_t k = l->first_part[v]; k < l->first_part[v + 1]; k++) {
            const struct dcp_rule *rule = rule_of(l, l->part_of[k]);

            l->seed[l->part_of[k]] =
                !l->given_up[l->part_of[k]] &&
                (rule->kind != DCP_RULE_MAX_SKEW || is_whole(l, rule));
        }
    }
    for (uint32_t i = 0; i < l->f->n; i++) {
        l->seed[i] = l->seed[i] && !l->given_up[i];
    }
}

static bool
keep_clash(struct local *l, uint32_t *out_n, struct dcp_error *err)
{
    uint32_t last = DCP_IX_NONE, n = 0;

    for (uint32_t i = 0; i < l->f->n; i++) {
        if (!l->seed[i]) {
            continue;
        }
        if (l->n_members == l->members_room) {
            uint32_t room = l->members_room ? 2 * l->members_room : 256;
            uint32_t *more = realloc(l->members, room * sizeof *more);

            if (!more) {
                return dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
            }
            l->members = more;
            l->members_room = room;
        }
        l->members[l->n_members++] = i;
        last = i;
        n++;
    }
    *out_n = n;
    if (n) {
        l->given[l->n_given++] = last;
        l->first_member[l->n_given] = l->n_members;
        l->given_up[last] = 1;
    }
    return true;
}

enum step { FOUND, NOTHING, HOPELESS };

static bool
clash_of(struct local *l, uint32_t reason, enum step *out,
         struct dcp_error *err)
{
    enum dcp_oracle says;
    bool proved = false;
    uint32_t n = 0;

    *out = NOTHING;
    choose_seeds(l, reason);
    choose_parts(l);
    l->f->absent = l->absent;
    bool ok = dcp_finder_ask(l->f, l->seed, &says, err) &&
              (says != DCP_ORACLE_NO ||
               dcp_finder_reduce(l->f, l->seed, &proved, err));

    l->f->absent = NULL;
    if (!ok || says != DCP_ORACLE_NO || dcp_finder_time_is_up(l->f)) {
        return ok;
    }
    if (!keep_clash(l, &n, err)) {
        return false;
    }
    if (l->n_given == 1 && n) {
        l->first_proved = proved;
    }
    *out = n ? FOUND : HOPELESS;
    return true;
}

/* --- All of them -------------------------------------------------------- */

static void
keep_set(uint8_t set[], const uint8_t given_up[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        set[i] = !given_up[i];
    }
}

/* From what the caller knows, without a look at the whole. */
static bool
find_hinted(struct local *l, enum step *out, struct dcp_error *err)
{
    const struct dcp_because *hint = l->f->o->because;
    uint32_t v =
        hint ? named_vm(l->f->q->inventory, hint->object) : DCP_IX_NONE;

    *out = NOTHING;
    if (v == DCP_IX_NONE) {
        return true;
    }
    l->f->because = *hint;
    l->reasons[0] = 0;
    l->reason_vms[0] = v;
    l->reasons[1] = l->n_reasons = 1;
    return clash_of(l, 0, out, err);
}

/* Clashes until the whole has an answer (YES), the time is up (UNKNOWN) or it
 * is shown that there is none (NO, hopeless). */
static bool
find_clashes(struct local *l, enum dcp_oracle *out, struct dcp_error *err)
{
    struct dcp_finder *f = l->f;
    enum dcp_oracle says;
    enum step hinted;

    if (!find_hinted(l, &hinted, err)) {
        return false;
    }
    if (hinted == HOPELESS) {
        *out = DCP_ORACLE_NO;
        return true;
    }
    for (*out = DCP_ORACLE_UNKNOWN;;) {
        uint32_t before = l->n_given;

        keep_set(f->held, l->given_up, f->n);
        if (!dcp_finder_ask(f, f->held, &says, err)) {
            return false;
        }
        if (says != DCP_ORACLE_NO) {
            *out = says;
            return true;
        }
        if (!find_reasons(l, f->held, err)) {
            return false;
        }
        struct dcp_because because = f->because;

        for (uint32_t k = 0; k < l->n_reasons && !dcp_finder_time_is_up(f);
             k++) {
            enum step step;

            f->because = because;
            if (!clash_of(l, k, &step, err)) {
                return false;
            }
            if (step == HOPELESS) {
                *out = DCP_ORACLE_NO;
                return true;
            }
        }
        if (l->n_given == before) {
            return true;
        }
    }
}

/* Whether the part's own clash has no other part that is given up: then it
 * cannot be kept.  Else it is tried. */
static bool
settle_part(struct local *l, uint32_t k, bool *proved, struct dcp_error *err)
{
    struct dcp_finder *f = l->f;
    uint32_t part = l->given[k];
    enum dcp_oracle says;
    bool own = true;

    for (uint32_t i = l->first_member[k]; i < l->first_member[k + 1]; i++) {
        own = own && (l->members[i] == part || !l->given_up[l->members[i]]);
    }
    if (own) {
        return true;
    }
    keep_set(f->held, l->given_up, f->n);
    f->held[part] = 1;
    if (!dcp_finder_ask(f, f->held, &says, err)) {
        return false;
    }
    l->given_up[part] = says != DCP_ORACLE_YES;
    *proved = *proved && says != DCP_ORACLE_UNKNOWN;
    return true;
}

static void
write_clash(const struct local *l, struct dcp_conflict *out)
{
    out->clash_proved = l->first_proved;
    for (uint32_t i = 0; i < l->first_member[1]; i++) {
        if (out->n_clash < DCP_CONFLICT_PARTS) {
            dcp_finder_describe(l->f, l->members[i], &out->clash[out->n_clash]);
        }
        out->n_clash++;
    }
}

static void
write_relaxation(const struct local *l, bool complete, bool proved,
                 struct dcp_conflict *out)
{
    out->relax_partial = !complete;
    out->relax_proved = proved;
    out->n_clashes = l->n_given;
    memcpy(l->f->given_up, l->given_up, l->f->n);
    for (uint32_t i = 0; i < l->f->n; i++) {
        if (l->given_up[i]) {
            if (out->n_relax < DCP_CONFLICT_PARTS) {
                dcp_finder_describe(l->f, i, &out->relax[out->n_relax]);
            }
            out->n_relax++;
        }
    }
}

static bool
run(struct local *l, struct dcp_conflict *out, bool *out_done,
    struct dcp_error *err)
{
    bool proved = true;
    enum dcp_oracle says;

    if (!find_clashes(l, &says, err)) {
        return false;
    }
    out->hopeless = says == DCP_ORACLE_NO;
    *out_done = out->hopeless || l->n_given > 0;
    if (out->hopeless || !l->n_given) {
        return true;
    }
    bool complete = says == DCP_ORACLE_YES;

    for (uint32_t k = 0; complete && k < l->n_given; k++) {
        if (!settle_part(l, k, &proved, err)) {
            return false;
        }
    }
    write_relaxation(l, complete, complete && proved, out);
    write_clash(l, out);
    return true;
}

bool
dcp_conflict_find_local(struct dcp_finder *f, struct dcp_conflict *out,
                        bool *out_done, struct dcp_error *err)
{
    uint32_t n_vms = f->q->inventory->n_vms;
    size_t room = (size_t)n_vms * 2 + 1;
    struct local l = {
        .f = f,
        .given_up = calloc(f->n + 1u, 1),
        .seed = calloc(f->n + 1u, 1),
        .absent = calloc(n_vms + 1u, 1),
        .seeds = calloc(n_vms + 1u, sizeof(uint32_t)),
        .reasons = calloc(REASONS_MAX + 1u, sizeof(uint32_t)),
        .reason_vms = calloc(room, sizeof(uint32_t)),
        .given = calloc(f->n + 1u, sizeof(uint32_t)),
        .first_member = calloc(f->n + 2u, sizeof(uint32_t)),
    };
    bool ok = l.given_up && l.seed && l.absent && l.seeds && l.reasons &&
              l.reason_vms && l.given && l.first_member && index_parts(&l);

    *out_done = false;
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
    }
    ok = ok && run(&l, out, out_done, err);
    free(l.given_up);
    free(l.seed);
    free(l.absent);
    free(l.seeds);
    free(l.reasons);
    free(l.reason_vms);
    free(l.given);
    free(l.first_member);
    free(l.first_part);
    free(l.part_of);
    free(l.members);
    return ok;
}
