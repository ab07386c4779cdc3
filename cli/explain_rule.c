/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What rules cost: the plan's goal with the rule beside that without it. */

#include "cli/explain.h"
#include "cli/named.h"
#include "cli/options.h"
#include "cli/ui.h"
#include "model/check/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EACH_S 3.0 /* Of many rules, for each. */

struct priced {
    uint32_t rule;
    struct dcp_worth worth;
};

/* Whether the plan obeys all rules, what the start breaks of them included. */
static bool
obeys_all(const struct dcp_plan_request *r, const struct dcp_plan *plan,
          bool *out, struct dcp_error *err)
{
    struct dcp_check_result verdict;

    if (!dcp_check_plan(r->inventory, r->demand, plan, &verdict, err)) {
        return false;
    }
    *out = verdict.pass;
    dcp_check_result_finish(&verdict);
    for (uint32_t l = 0; *out && l < plan->n_legs; l++) {
        const struct dcp_leg *leg = &plan->legs[l];
        uint32_t first, last;

        dcp_slot_range(r->demand, leg->start_ms, leg->buckets_until_ms, &first,
                       &last);
        if (!dcp_check_placement(r->inventory, r->demand, leg->after, first,
                                 last, &verdict, err)) {
            return false;
        }
        *out = verdict.pass;
        dcp_check_result_finish(&verdict);
    }
    return true;
}

static bool
price(const struct dcp_explain *x, const struct dcp_plan_request *r,
      const struct dcp_worth_base *base, struct priced *p,
      struct dcp_error *err)
{
    struct dcp_worth_change c = { .kind = DCP_WORTH_RULE_DROPPED,
                                  .ix = p->rule };
    DCP_AUTO(dcp_plan) struct dcp_plan *without = NULL;
    bool obeys = false;

    if (!dcp_worth_alone(r, x->open.plan, &c, &p->worth, err) ||
        !dcp_worth_replan(r, &c, base, &p->worth, &without, err)) {
        return false;
    }
    if (without && !r->inventory->rules[p->rule].soft &&
        !obeys_all(r, without, &obeys, err)) {
        return false;
    }
    if (obeys) {
        dcp_worth_rule_is_kept(&p->worth);
    }
    return true;
}

/* "spread over rack, hard". */
static void
describe(const struct dcp_rule *rule, char *out, size_t size)
{
    bool over = rule->kind == DCP_RULE_SPREAD ||
                rule->kind == DCP_RULE_GATHER ||
                rule->kind == DCP_RULE_SEPARATE ||
                rule->kind == DCP_RULE_SPLIT || rule->kind == DCP_RULE_MAX_SKEW;

    (void)snprintf(out, size, "%s%s%s, %s", dcp_rule_kind_name(rule->kind),
                   over ? " over " : "",
                   over ? dcp_domain_name(rule->over) : "",
                   rule->soft ? "soft" : "hard");
}

/* --- Text --------------------------------------------------------------- */

static void
print_cost(const struct dcp_worth *w)
{
    char saving[64], least[64], most[64], with[64], without[64];

    dcp_explain_amount(w, w->difference, saving, sizeof saving);
    dcp_explain_amount(w, w->at_least, least, sizeof least);
    dcp_explain_amount(w, w->at_most, most, sizeof most);
    dcp_explain_amount(w, w->best, with, sizeof with);
    dcp_explain_amount(w, w->found, without, sizeof without);
    if (isnan(w->found)) {
        printf("  costs      not known: no plan was found without it%s%s\n",
               w->because.text[0] ? "; " : "", w->because.text);
    } else if (w->difference <= 0 && !dcp_worth_is_exact(w)) {
        printf("  costs      nothing that was found: without it, too, no plan "
               "below %s was\n",
               with);
    } else if (w->difference <= 0) {
        printf(
            "  costs      nothing, proved: without it, too, %s is the best\n",
            with);
    } else {
        printf("  costs      %s%s: without it the plan would come to %s "
               "instead of %s\n",
               saving, dcp_worth_is_exact(w) ? ", proved" : "", without, with);
    }
    if (!isnan(w->found) && !dcp_worth_is_exact(w) && isfinite(w->at_most)) {
        printf("             proved is that it costs %s to %s\n", least, most);
    }
}

static void
print_rule(const struct dcp_inventory *inv, const struct priced *p)
{
    const struct dcp_rule *rule = &inv->rules[p->rule];
    char what[80];

    describe(rule, what, sizeof what);
    printf("%s: %s", rule->name, what);
    if (rule->n_vms) {
        printf(", %u VM%s", rule->n_vms, rule->n_vms == 1 ? "" : "s");
    }
    if (rule->n_hosts) {
        printf(", %u host%s", rule->n_hosts, rule->n_hosts == 1 ? "" : "s");
    }
    if (rule->pos.path) {
        printf(" (%s:%u)", rule->pos.path, rule->pos.line);
    }
    putchar('\n');
    print_cost(&p->worth);
}

static void
print_rules(const struct dcp_inventory *inv, const struct priced list[],
            uint32_t n, const char *unit)
{
    if (!n) {
        printf("the model has no rules\n");
        return;
    }
    printf("%-24s %-24s %10s %10s %10s\n", "rule", "kind", "costs", "at least",
           "at most");
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_worth *w = &list[i].worth;
        char what[80];

        describe(&inv->rules[list[i].rule], what, sizeof what);
        printf("%-24s %-24s", inv->rules[list[i].rule].name, what);
        if (isnan(w->found)) {
            printf(" %10s %10s %10s\n", "not known", "", "");
        } else if (isinf(w->at_most)) {
            printf(" %10.4g %10.4g %10s\n", w->difference, w->at_least, "-");
        } else {
            printf(" %10.4g %10.4g %10.4g\n", w->difference, w->at_least,
                   w->at_most);
        }
    }
    printf("in %s, by what was found; what is proved is between the last two "
           "columns\n",
           unit[0] ? unit : "the goal's unit");
}

/* --- JSON --------------------------------------------------------------- */

static void
json_rule(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct priced *p)
{
    const struct dcp_rule *rule = &inv->rules[p->rule];

    dcp_json_kstring(w, "rule", dcp_rule_kind_name(rule->kind));
    dcp_json_kbool(w, "hard", !rule->soft);
    dcp_json_ku64(w, "vms", rule->n_vms);
    dcp_json_ku64(w, "hosts", rule->n_hosts);
    dcp_json_kstring(w, "unit", p->worth.unit);
    dcp_json_kdouble(w, "planned", p->worth.planned);
    dcp_explain_json_replanned(w, &p->worth, "cost");
}

/* --- Asking ------------------------------------------------------------- */

static bool
find_rule(const struct dcp_inventory *inv, const char *name, uint32_t *out,
          struct dcp_error *err)
{
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        if (!strcmp(inv->rules[i].name, name)) {
            *out = i;
            return true;
        }
    }
    return dcp_named_unknown("rule", name,
                             inv->n_rules ? &inv->rules[0].name : NULL,
                             sizeof inv->rules[0], inv->n_rules, err);
}

static bool
open_request(struct dcp_explain *x, struct dcp_error *err)
{
    const char *why_not;

    return dcp_explain_request(x, &why_not, err) &&
           (!why_not ||
            dcp_fail(err, DCP_E_UNSUPPORTED, "what a rule costs: %s", why_not));
}

int
dcp_explain_rule(struct dcp_explain *x, const char *name, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    struct dcp_worth_base base = { 0 };
    struct priced p = { 0 };
    struct dcp_json w;

    if (!find_rule(inv, name, &p.rule, err) || !open_request(x, err) ||
        !dcp_worth_base_make(&x->request, &base, err)) {
        return -1;
    }
    bool ok = price(x, &x->request, &base, &p, err);

    dcp_worth_base_finish(&base);
    if (!ok) {
        return -1;
    }
    if (!x->g->json) {
        print_rule(inv, &p);
        return 0;
    }
    dcp_explain_json_head(&w, "rule", name);
    json_rule(&w, inv, &p);
    return dcp_explain_json_end(x, &w, err);
}

/* What costs most first; then by name's place in the model. */
static int
by_cost(const void *left, const void *right)
{
    const struct priced *a = left, *b = right;
    double x = isnan(a->worth.found) ? INFINITY : a->worth.difference;
    double y = isnan(b->worth.found) ? INFINITY : b->worth.difference;

    return x != y              ? (x > y ? -1 : 1)
           : a->rule < b->rule ? -1
                               : a->rule > b->rule;
}

/* The limit is for all: a plan for the base and one for each rule. */
static bool
price_all(struct dcp_explain *x, struct priced list[], struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    struct dcp_plan_request r = x->request;
    struct dcp_worth_base base = { 0 };
    double all_s = dcp_globals_limit_s(x->g, EACH_S * (inv->n_rules + 1));

    r.solve.time_limit_s = 2 * all_s / (inv->n_rules + 1);
    bool ok = dcp_worth_base_make(&r, &base, err);

    for (uint32_t i = 0; ok && i < inv->n_rules; i++) {
        dcp_ui_progress(x->g, "rules", (double)i / inv->n_rules);
        list[i].rule = i;
        ok = price(x, &r, &base, &list[i], err);
    }
    dcp_ui_progress_end(x->g);
    dcp_worth_base_finish(&base);
    qsort(list, inv->n_rules, sizeof *list, by_cost);
    return ok;
}

int
dcp_explain_rules(struct dcp_explain *x, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    DCP_FREE struct priced *list = calloc(inv->n_rules + 1u, sizeof *list);
    struct dcp_json w;

    if (!list) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u rules",
                       inv->n_rules);
        return -1;
    }
    if (!open_request(x, err) || !price_all(x, list, err)) {
        return -1;
    }
    if (!x->g->json) {
        print_rules(inv, list, inv->n_rules,
                    inv->n_rules ? list[0].worth.unit : "");
        return 0;
    }
    dcp_explain_json_head(&w, "rules", NULL);
    dcp_json_karray(&w, "rules");
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        dcp_json_begin(&w, '{');
        dcp_json_kstring(&w, "name", inv->rules[list[i].rule].name);
        json_rule(&w, inv, &list[i]);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    return dcp_explain_json_end(x, &w, err);
}
