/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A policy file over a model, on their trees: what it says stands in place of
 * what the model says, and nothing else changes.  Positions stay those of the
 * file that said it. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <stdlib.h>
#include <string.h>

/* 'over' on 'under': keys of both are merged where both are mappings. */
static const struct dcp_yaml *
overlay(struct dcp_reader *r, const struct dcp_yaml *under,
        const struct dcp_yaml *over)
{
    if (!under || under->kind != DCP_YAML_MAPPING ||
        over->kind != DCP_YAML_MAPPING) {
        return over;
    }
    struct dcp_yaml *out = dcp_arena_new(r->scratch, struct dcp_yaml);
    struct dcp_yaml_entry *entries = dcp_arena_array(
        r->scratch, struct dcp_yaml_entry, (size_t)under->n + over->n);
    uint32_t n = 0;

    if (!out || !entries) {
        r->no_memory = true;
        return under;
    }
    for (uint32_t i = 0; i < under->n; i++) {
        const struct dcp_yaml *mine = dcp_yaml_get(over, under->entries[i].key);

        entries[n] = under->entries[i];
        if (mine) {
            entries[n].value = *overlay(r, &under->entries[i].value, mine);
        }
        n++;
    }
    for (uint32_t i = 0; i < over->n; i++) {
        if (!dcp_yaml_get(under, over->entries[i].key)) {
            entries[n++] = over->entries[i];
        }
    }
    *out = *over;
    out->n = n;
    out->entries = entries;
    return out;
}

static const char *
name_of(const struct dcp_yaml *entry)
{
    const struct dcp_yaml *name = dcp_yaml_get(entry, "name");

    return name && name->kind == DCP_YAML_SCALAR ? name->text : NULL;
}

/* Entries of a list by name: new ones are added. */
static void
overlay_nodes(struct dcp_reader *r, struct dcp_nodes *list,
              const struct dcp_yaml *node)
{
    uint32_t n, n_before = list->n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    const struct dcp_yaml **bigger =
        realloc(list->items, ((size_t)list->n + n + 1) * sizeof *bigger);

    if (!bigger) {
        r->no_memory = true;
        return;
    }
    list->items = bigger;
    list->capacity = list->n + n + 1;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = name_of(&items[i]);
        uint32_t at = 0;

        while (at < n_before && !(name && name_of(list->items[at]) &&
                                  !strcmp(name_of(list->items[at]), name))) {
            at++;
        }
        list->items[at < n_before ? at : list->n++] = &items[i];
    }
}

void
dcp_overlay_policy(struct dcp_reader *r, const struct dcp_yaml *top)
{
    const struct dcp_yaml *policy = dcp_yaml_get(top, "policy");

    dcp_reader_object(r, "policy file", NULL);
    if (!dcp_reader_section(r, &dcp_schema_policy_file, top, NULL)) {
        return;
    }
    dcp_reader_object(r, NULL, NULL);
    if (policy) {
        r->policy = overlay(r, r->policy, policy);
    }
    overlay_nodes(r, &r->rules, dcp_yaml_get(top, "rules"));
    overlay_nodes(r, &r->filters, dcp_yaml_get(top, "filters"));
    overlay_nodes(r, &r->scores, dcp_yaml_get(top, "scores"));
    overlay_nodes(r, &r->tests, dcp_yaml_get(top, "tests"));
}

/* --- Tests -------------------------------------------------------------- */

static void
read_subject(struct dcp_reader *r, const char *key, const struct dcp_yaml *node,
             struct dcp_policy_subject *out)
{
    uint32_t n = node && node->kind == DCP_YAML_MAPPING ? node->n : 0;
    struct dcp_policy_trait *traits = dcp_reader_array(r, n, sizeof *traits);

    for (uint32_t i = 0; traits && i < n; i++) {
        const struct dcp_yaml_entry *entry = &node->entries[i];

        if (!dcp_reader_scalar(r, key, &entry->value)) {
            continue;
        }
        traits[i] = (struct dcp_policy_trait){
            .field = dcp_reader_text(r, entry->key),
            .text = dcp_reader_text(r, entry->value.text),
            .quoted = entry->value.quoted,
        };
    }
    *out = (struct dcp_policy_subject){ traits, traits ? n : 0 };
}

void
dcp_read_policy_tests(struct dcp_reader *r)
{
    struct dcp_policy_test *tests =
        dcp_reader_array(r, r->tests.n, sizeof *tests);

    for (uint32_t i = 0; tests && i < r->tests.n && !r->no_memory; i++) {
        const struct dcp_yaml *node = r->tests.items[i];
        struct dcp_policy_test *test = &tests[i];

        dcp_reader_object(r, "test", name_of(node));
        dcp_reader_defaults(r, &dcp_schema_policy_test, test);
        test->pos = node->pos;
        if (!dcp_reader_section(r, &dcp_schema_policy_test, node, test)) {
            continue;
        }
        read_subject(r, "vm", dcp_yaml_get(node, "vm"), &test->vm);
        read_subject(r, "host", dcp_yaml_get(node, "host"), &test->host);
        if (!*test->expect == !*test->best) {
            dcp_reader_error(r, node->pos,
                             "give one of 'expect' and 'best': what is to come "
                             "out");
        }
    }
    r->inv->policy_tests = tests;
    r->inv->n_policy_tests = tests ? r->tests.n : 0;
    dcp_reader_object(r, NULL, NULL);
}
