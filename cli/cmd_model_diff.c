/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/model_dir.h"
#include "model/io/model_facts.h"

#include <stdio.h>
#include <string.h>

struct diff {
    const struct dcp_model *a, *b;
    struct dcp_json *w; /* NULL: for people. */
    uint32_t n;
};

static void
report(struct diff *d, const char *section, const char *name,
       const char *change, const char *key, const char *from, const char *to)
{
    d->n++;
    if (d->w) {
        dcp_json_begin_line(d->w, '{');
        dcp_json_kstring(d->w, "kind", section);
        dcp_json_kstring(d->w, "name", name);
        dcp_json_kstring(d->w, "change", change);
        dcp_json_kstring(d->w, "key", key);
        dcp_json_kstring(d->w, "from", from);
        dcp_json_kstring(d->w, "to", to);
        dcp_json_end(d->w, '}');
    } else if (key) {
        printf("~ %s %s: %s: %s -> %s\n", section, name, key,
               from ? from : "(none)", to ? to : "(none)");
    } else {
        printf("%c %s %s\n", !strcmp(change, "added") ? '+' : '-', section,
               name);
    }
}

static const char *
fact_named(const struct dcp_fact facts[], uint32_t n, const char *key)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!strcmp(facts[i].key, key)) {
            return facts[i].text;
        }
    }
    return NULL;
}

static void
compare_facts(struct diff *d, const char *section, const char *name,
              const struct dcp_fact a[], uint32_t n_a,
              const struct dcp_fact b[], uint32_t n_b)
{
    for (uint32_t i = 0; i < n_a; i++) {
        const char *to = fact_named(b, n_b, a[i].key);

        if (!to || strcmp(a[i].text, to) != 0) {
            report(d, section, name, "changed", a[i].key, a[i].text, to);
        }
    }
    for (uint32_t i = 0; i < n_b; i++) {
        if (!fact_named(a, n_a, b[i].key)) {
            report(d, section, name, "changed", b[i].key, NULL, b[i].text);
        }
    }
}

static bool
compare_entries(struct diff *d, const char *section, uint32_t a, uint32_t b,
                struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_fact in_a[DCP_FACTS_MAX], in_b[DCP_FACTS_MAX];

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to compare");
    }
    uint32_t n_a =
        dcp_facts_of(d->a->inventory, d->a->placement, section, a, arena, in_a);
    uint32_t n_b =
        dcp_facts_of(d->b->inventory, d->b->placement, section, b, arena, in_b);

    compare_facts(d, section, dcp_facts_name(d->a->inventory, section, a), in_a,
                  n_a, in_b, n_b);
    return true;
}

static bool
number_names(const struct dcp_inventory *inv, const char *section,
             struct dcp_strmap *map, struct dcp_error *err)
{
    uint32_t n = dcp_facts_count(inv, section);

    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_strmap_add(map, dcp_facts_name(inv, section, i), i, NULL)) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory to compare");
        }
    }
    return true;
}

static bool
compare_section(struct diff *d, const char *section, struct dcp_error *err)
{
    const struct dcp_inventory *a = d->a->inventory, *b = d->b->inventory;
    struct dcp_strmap in_a = { 0 }, in_b = { 0 };
    bool ok = number_names(a, section, &in_a, err) &&
              number_names(b, section, &in_b, err);

    for (uint32_t i = 0; ok && i < dcp_facts_count(a, section); i++) {
        const char *name = dcp_facts_name(a, section, i);
        uint32_t k = dcp_strmap_find(&in_b, name);

        if (k == DCP_STRMAP_NONE) {
            report(d, section, name, "removed", NULL, NULL, NULL);
        } else {
            ok = compare_entries(d, section, i, k, err);
        }
    }
    for (uint32_t i = 0; ok && i < dcp_facts_count(b, section); i++) {
        const char *name = dcp_facts_name(b, section, i);

        if (dcp_strmap_find(&in_a, name) == DCP_STRMAP_NONE) {
            report(d, section, name, "added", NULL, NULL, NULL);
        }
    }
    dcp_strmap_finish(&in_a);
    dcp_strmap_finish(&in_b);
    return ok;
}

static bool
compare(struct diff *d, struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_fact in_a[DCP_FACTS_MAX], in_b[DCP_FACTS_MAX];

    if (!arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to compare");
    }
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        const char *section = dcp_schema_sections[i]->name;

        if (dcp_facts_has(section) && !compare_section(d, section, err)) {
            return false;
        }
    }
    uint32_t n_a = dcp_facts_of_policy(d->a->inventory, arena, in_a);
    uint32_t n_b = dcp_facts_of_policy(d->b->inventory, arena, in_b);

    compare_facts(d, "policy", "policy", in_a, n_a, in_b, n_b);
    return true;
}

static bool
open_model(const struct dcp_globals *g, const char *dir,
           struct dcp_model *model, struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    bool ok = dcp_model_open(dir, NULL, &diag, model, err);

    if (!ok) {
        dcp_ui_diag(g, &diag);
    }
    dcp_diag_finish(&diag);
    return ok;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct dcp_model a = { 0 }, b = { 0 };
    struct dcp_json w;
    struct diff d = { &a, &b, g->json ? &w : NULL, 0 };

    (void)options;
    (void)n_args;
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/model-diff/1");
    dcp_json_karray(&w, "differences");
    bool ok = open_model(g, args[0], &a, err) &&
              open_model(g, args[1], &b, err) && compare(&d, err);

    dcp_json_end(&w, ']');
    dcp_json_ku64(&w, "n_differences", d.n);
    dcp_json_end(&w, '}');
    dcp_model_finish(&a);
    dcp_model_finish(&b);
    if (ok && g->json) {
        return dcp_ui_json(&w, 0, err);
    }
    dcp_json_finish(&w);
    if (ok) {
        dcp_ui_say(g, "%u difference%s", d.n, d.n == 1 ? "" : "s");
    }
    return ok ? 0 : -1;
}

const struct dcp_command dcp_cmd_model_diff = {
    .name = "model diff",
    .summary = "compare two models",
    .synopsis = "A B",
    .details = "A and B are model directories.  Objects are compared by name, "
               "key by key, after\ndefaults; `host` of a VM is where it is "
               "now.\n\nExamples:\n  dcplan model diff before after\n",
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
