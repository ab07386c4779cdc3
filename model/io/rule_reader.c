/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The `rules:` of a model.  Which keys a kind of rule must and may have is
 * said by its row in model/rule.c; here every key is read once, whatever the
 * kind. */

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/change.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 13u /* Bits of enum dcp_rule_key. */

/* What a key is for, where it is missing. */
static const char *
what_for(enum dcp_rule_key key)
{
    switch (key) {
    case DCP_RULE_KEY_VMS:
        return "the VMs that it is about";
    case DCP_RULE_KEY_OTHERS:
        return "what it keeps its vms away from";
    case DCP_RULE_KEY_HOSTS:
        return "the hosts that it is about";
    case DCP_RULE_KEY_SETS:
        return "named sets, such as {a: [rack:r1], b: [rack:r2]}";
    case DCP_RULE_KEY_MAX:
    case DCP_RULE_KEY_MIN:
        return "a number";
    case DCP_RULE_KEY_HOURS:
        return "the hours that it is open in, such as 22:00-06:00";
    case DCP_RULE_KEY_FROM:
    case DCP_RULE_KEY_UNTIL:
        return "an instant, such as 2026-12-18T17:00:00Z";
    case DCP_RULE_KEY_OVER:
    case DCP_RULE_KEY_DAYS:
    case DCP_RULE_KEY_MAX_MEMORY:
    case DCP_RULE_KEY_MAX_VCPUS:
        break;
    }
    return "";
}

static void
check_keys(struct dcp_reader *r, const struct dcp_yaml *node,
           const struct dcp_rule_form *form)
{
    for (uint32_t k = 0; k < KEYS; k++) {
        enum dcp_rule_key key = (enum dcp_rule_key)(1u << k);
        const char *name = dcp_rule_key_name(key);
        const struct dcp_yaml *value = dcp_yaml_get(node, name);

        if (value && !((form->needs | form->may) & key)) {
            dcp_reader_error(r, value->pos,
                             "%s: a %s rule takes none; remove it", name,
                             form->name);
        } else if (!value && form->needs & key) {
            dcp_reader_error(r, node->pos,
                             "'%s' is missing: a %s rule needs %s", name,
                             form->name, what_for(key));
        }
    }
}

/* --- Lists -------------------------------------------------------------- */

static struct dcp_ids
every(struct dcp_reader *r, uint32_t n)
{
    uint32_t *ix = dcp_reader_array(r, n, sizeof *ix);

    for (uint32_t i = 0; ix && i < n; i++) {
        ix[i] = i;
    }
    return (struct dcp_ids){ ix, ix ? n : 0 };
}

static void
read_others(struct dcp_reader *r, const struct dcp_yaml *others,
            struct dcp_rule *rule)
{
    struct dcp_ids ids = dcp_select_vms(r, "others", others);
    struct dcp_ids mine = { rule->vms, rule->n_vms };

    rule->others = ids.ix;
    rule->n_others = ids.n;
    for (uint32_t i = 0; i < rule->n_others; i++) {
        if (dcp_ids_contain(&mine, rule->others[i])) {
            dcp_reader_error(r, others->pos,
                             "others: vm '%.60s' is in vms as well",
                             r->inv->vms[rule->others[i]].name);
            break;
        }
    }
}

/* Each selector one VM, in the order as written. */
static void
read_order(struct dcp_reader *r, const struct dcp_yaml *vms,
           struct dcp_rule *rule)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, vms, &n);
    uint32_t *order = dcp_reader_array(r, n, sizeof *order);

    for (uint32_t i = 0; order && i < n; i++) {
        struct dcp_ids one = dcp_select_vms(r, "vms", &items[i]);
        bool twice = false;

        if (!one.n) {
            continue;
        }
        for (uint32_t k = 0; k < rule->n_order; k++) {
            twice |= order[k] == one.ix[0];
        }
        if (one.n > 1 || twice) {
            dcp_reader_error(r, items[i].pos,
                             one.n > 1 ? "vms: '%.60s' is more than one VM; a "
                                         "sequence names them one by one"
                                       : "vms: '%.60s' is in the sequence "
                                         "twice; remove one",
                             items[i].text);
            continue;
        }
        order[rule->n_order++] = one.ix[0];
    }
    rule->order = order;
}

static void
read_vms(struct dcp_reader *r, const struct dcp_yaml *node,
         const struct dcp_rule_form *form, struct dcp_rule *rule)
{
    const struct dcp_yaml *vms = dcp_yaml_get(node, "vms");
    const struct dcp_yaml *hosts = dcp_yaml_get(node, "hosts");
    struct dcp_ids ids = dcp_select_vms(r, "vms", vms);

    bool whole = dcp_rule_is_about_change(rule->kind) && !vms && !hosts;

    if (!vms && (form->all_vms || whole)) {
        ids = every(r, r->inv->n_vms);
    }
    rule->vms = ids.ix;
    rule->n_vms = ids.n;
    if (rule->kind == DCP_RULE_SEQUENCE && vms) {
        read_order(r, vms, rule);
    }
    ids = dcp_select_hosts(r, "hosts", hosts);
    if (!hosts && (form->all_hosts || whole)) {
        ids = every(r, r->inv->n_hosts);
    }
    rule->hosts = ids.ix;
    rule->n_hosts = ids.n;
}

/* --- Sets --------------------------------------------------------------- */

/* Says which member two sets have in common; the sets must not. */
static bool
check_disjoint(struct dcp_reader *r, const struct dcp_yaml *node,
               const struct dcp_rule *rule, uint32_t set)
{
    const struct dcp_rule_set *mine = &rule->sets[set];
    bool of_vms = rule->kind == DCP_RULE_SPLIT;

    for (uint32_t k = 0; k < set; k++) {
        for (uint32_t i = 0; i < mine->ids.n; i++) {
            uint32_t ix = mine->ids.ix[i];

            if (dcp_ids_contain(&rule->sets[k].ids, ix)) {
                dcp_reader_error(r, node->pos,
                                 "sets: %s '%.60s' is in '%.40s' and in "
                                 "'%.40s'; leave it in one",
                                 of_vms ? "vm" : "host",
                                 of_vms ? r->inv->vms[ix].name
                                        : r->inv->hosts[ix].name,
                                 rule->sets[k].name, mine->name);
                return false;
            }
        }
    }
    return true;
}

/* All VMs of the sets, for whoever asks which VMs the rule is about. */
static void
join_sets(struct dcp_reader *r, struct dcp_rule *rule)
{
    size_t n = 0;

    for (uint32_t s = 0; s < rule->n_sets; s++) {
        n += rule->sets[s].ids.n;
    }
    DCP_FREE uint32_t *all = malloc((n + 1) * sizeof *all);

    n = 0;
    for (uint32_t s = 0; all && s < rule->n_sets; s++) {
        for (uint32_t i = 0; i < rule->sets[s].ids.n; i++) {
            all[n++] = rule->sets[s].ids.ix[i];
        }
    }
    struct dcp_ids ids = { NULL, 0 };

    if (all) {
        ids = dcp_reader_ids(r, all, (uint32_t)n);
    }
    r->no_memory |= !all;
    rule->vms = ids.ix;
    rule->n_vms = ids.n;
}

static void
read_sets(struct dcp_reader *r, const struct dcp_yaml *sets,
          struct dcp_rule *rule)
{
    if (!sets || sets->kind != DCP_YAML_MAPPING) {
        return; /* Said already. */
    }
    struct dcp_rule_set *all = dcp_reader_array(r, sets->n, sizeof *all);
    bool disjoint = true;

    rule->sets = all;
    for (uint32_t s = 0; all && s < sets->n; s++) {
        const struct dcp_yaml_entry *e = &sets->entries[s];

        all[s].name = dcp_reader_text(r, e->key);
        all[s].ids = rule->kind == DCP_RULE_SPLIT
                         ? dcp_select_vms(r, e->key, &e->value)
                         : dcp_select_hosts(r, e->key, &e->value);
        rule->n_sets = s + 1;
        disjoint = disjoint && check_disjoint(r, &e->value, rule, s);
    }
    if (rule->kind == DCP_RULE_SPLIT) {
        if (sets->n < 2) {
            dcp_reader_error(r, sets->pos,
                             "sets: a split rule needs two or more");
        }
        join_sets(r, rule);
    }
}

/* --- Limits ------------------------------------------------------------- */

static bool
whole_number(struct dcp_reader *r, const struct dcp_yaml *node, const char *key,
             uint64_t *out)
{
    const struct dcp_yaml *value = dcp_yaml_get(node, key);
    double number;

    if (!value || !dcp_reader_number(r, dcp_schema_row(&dcp_schema_rule, key),
                                     value, &number)) {
        return false;
    }
    if (number != floor(number)) {
        dcp_reader_error(r, value->pos, "%s: '%.40s' is not a whole number",
                         key, value->text);
        return false;
    }
    *out = (uint64_t)number;
    return true;
}

static void
read_capacity(struct dcp_reader *r, const struct dcp_yaml *node,
              struct dcp_rule *rule)
{
    const struct dcp_yaml *memory = dcp_yaml_get(node, "max_memory");
    const struct dcp_yaml *vcpus = dcp_yaml_get(node, "max_vcpus");

    if (!memory == !vcpus) {
        dcp_reader_error(r, memory ? vcpus->pos : node->pos,
                         "a capacity rule needs one of 'max_memory' and "
                         "'max_vcpus'%s",
                         memory ? "; make two rules of it" : "");
        return;
    }
    rule->resource = memory ? DCP_RULE_MEMORY : DCP_RULE_VCPUS;
    (void)whole_number(r, node, memory ? "max_memory" : "max_vcpus",
                       &rule->limit);
}

static void
read_limit(struct dcp_reader *r, const struct dcp_yaml *node,
           const struct dcp_rule_form *form, struct dcp_rule *rule)
{
    if (form->needs & DCP_RULE_KEY_MAX) {
        (void)whole_number(r, node, "max", &rule->limit);
    } else if (form->needs & DCP_RULE_KEY_MIN) {
        if (whole_number(r, node, "min", &rule->limit) &&
            rule->limit > rule->n_hosts && rule->n_hosts) {
            dcp_reader_error(r, dcp_yaml_get(node, "min")->pos,
                             "min: %llu of %u hosts can never be on; lower it "
                             "or name more hosts",
                             (unsigned long long)rule->limit, rule->n_hosts);
        }
    } else if (rule->kind == DCP_RULE_CAPACITY) {
        read_capacity(r, node, rule);
    }
}

/* --- All ---------------------------------------------------------------- */

static void
read_hours(struct dcp_reader *r, const struct dcp_yaml *hours,
           struct dcp_rule *rule)
{
    if (!dcp_reader_scalar(r, "hours", hours)) {
        return;
    }
    rule->has_hours = dcp_window_parse(hours->text, &rule->hours);
    if (!rule->has_hours) {
        dcp_reader_error(r, hours->pos,
                         "hours: '%.40s' is not a window such as 22:00-06:00",
                         hours->text);
    }
}

static void
read_rule(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t ix,
          struct dcp_rule *rule)
{
    const struct dcp_yaml *name = dcp_yaml_get(node, "name");
    const struct dcp_yaml *hours = dcp_yaml_get(node, "hours");
    const struct dcp_yaml *soft = dcp_yaml_get(node, "soft");
    char number[40];

    (void)snprintf(number, sizeof number, "#%u", ix + 1);
    dcp_reader_object(
        r, "rule", name && name->kind == DCP_YAML_SCALAR ? name->text : number);
    dcp_reader_defaults(r, &dcp_schema_rule, rule);
    rule->pos = node->pos;
    if (!dcp_reader_section(r, &dcp_schema_rule, node, rule)) {
        return;
    }
    const struct dcp_rule_form *form = dcp_rule_form(rule->kind);

    if (!*rule->name) {
        (void)snprintf(number, sizeof number, "%s-%u", form->name, ix + 1);
        rule->name = dcp_reader_text(r, number);
    }
    if (!dcp_yaml_get(node, "hold")) {
        rule->hold = form->hold;
    }
    check_keys(r, node, form);
    read_vms(r, node, form, rule);
    read_others(r, dcp_yaml_get(node, "others"), rule);
    if (form->needs & DCP_RULE_KEY_SETS) {
        read_sets(r, dcp_yaml_get(node, "sets"), rule);
    }
    read_limit(r, node, form, rule);
    if (hours && (form->may | form->needs) & DCP_RULE_KEY_HOURS) {
        read_hours(r, hours, rule);
    }
    if (dcp_rule_is_about_change(rule->kind)) {
        dcp_reader_day_classes(r, dcp_yaml_get(node, "days"),
                               &rule->day_classes);
        dcp_reader_instant(r, "from", dcp_yaml_get(node, "from"),
                           &rule->from_ms);
        dcp_reader_instant(r, "until", dcp_yaml_get(node, "until"),
                           &rule->until_ms);
        if (rule->kind == DCP_RULE_FREEZE &&
            rule->until_ms <= rule->from_ms && dcp_yaml_get(node, "until")) {
            dcp_reader_error(r, dcp_yaml_get(node, "until")->pos,
                             "until: a freeze ends after it began");
        }
    }
    if (soft && (rule->kind == DCP_RULE_SEQUENCE ||
                 dcp_rule_is_about_change(rule->kind))) {
        dcp_reader_error(r, soft->pos,
                         "soft: a %s is kept or not asked for; remove it",
                         form->name);
    } else if (soft) {
        rule->soft =
            dcp_reader_number(r, dcp_schema_row(&dcp_schema_rule, "soft"), soft,
                              &rule->soft_price);
    }
}

static int
compare_rules(const void *a, const void *b)
{
    const struct dcp_rule *x = a, *y = b;

    return dcp_text_compare(x->name, y->name);
}

void
dcp_read_rules(struct dcp_reader *r)
{
    struct dcp_rule *rules = dcp_reader_array(r, r->rules.n, sizeof *rules);
    struct dcp_strmap names = { 0 };

    for (uint32_t i = 0; rules && i < r->rules.n && !r->no_memory; i++) {
        uint32_t old;

        read_rule(r, r->rules.items[i], i, &rules[i]);
        if (!rules[i].name || !*rules[i].name) {
            continue;
        }
        if (!dcp_strmap_add(&names, rules[i].name, i, &old)) {
            r->no_memory |= old == DCP_STRMAP_NONE;
            if (old != DCP_STRMAP_NONE) {
                dcp_reader_error(r, rules[i].pos,
                                 "another rule has this name, on line %u; "
                                 "rename one",
                                 rules[old].pos.line);
            }
        }
    }
    dcp_strmap_finish(&names);
    if (rules && !r->no_memory && r->diag->n_errors == r->n_errors_before) {
        qsort(rules, r->rules.n, sizeof *rules, compare_rules);
    }
    r->inv->rules = rules;
    r->inv->n_rules = rules ? r->rules.n : 0;
    dcp_reader_object(r, NULL, NULL);
}
