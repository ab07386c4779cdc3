/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Files and includes -> trees -> tables of entries -> inventory.  Entries are
 * in the order of their names, so that no answer depends on the order in which
 * they were written; the digest is of the files, in their order. */

#include "model/io/model_file.h"

#include "model/base/sha256.h"
#include "model/base/text.h"
#include "model/goals.h"
#include "model/io/csv.h"
#include "model/io/file.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INCLUDE_DEPTH   16
#define MAX_FILES       1000
#define TABLE_MAX_BYTES ((size_t)512 << 20)

struct loader {
    struct dcp_reader r;
    struct dcp_sha256 sha, policy; /* Of the model, and of a policy file. */
    struct dcp_strmap seen; /* Files read, by identity. */
    bool truncated;         /* A file could not be read at all. */
};

/* --- Entries ------------------------------------------------------------ */

static void
add_entry(struct dcp_reader *r, enum dcp_kind kind,
          const struct dcp_entry *entry)
{
    struct dcp_entries *t = &r->tables[kind];

    if (t->n == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 32;
        struct dcp_entry *items = realloc(t->items, capacity * sizeof *items);

        if (!items) {
            r->no_memory = true;
            return;
        }
        t->items = items;
        t->capacity = capacity;
    }
    uint32_t old;

    if (!dcp_strmap_add(&t->by_name, entry->name, t->n, &old)) {
        r->no_memory |= old == DCP_STRMAP_NONE;
        if (old == DCP_STRMAP_NONE) {
            return;
        }
        if (!t->items[old].node) { /* Built in: this is what it says. */
            t->items[old].node = entry->node;
            t->items[old].pos = entry->pos;
            return;
        }
        const struct dcp_pos *first = &t->items[old].pos;

        dcp_reader_object(r, dcp_schema_of_kind(kind)->one, entry->name);
        dcp_reader_error(r, entry->pos,
                         "defined twice, first at %.200s:%u; rename one",
                         first->path ? first->path : "?", first->line);
        dcp_reader_object(r, NULL, NULL);
        return;
    }
    t->items[t->n++] = *entry;
}

static bool
good_name(const char *name)
{
    size_t n = strlen(name);

    if (!n || n > 200 || name[0] == ' ' || name[n - 1] == ' ') {
        return false;
    }
    return dcp_text_is_plain(name);
}

static void
add_entries(struct dcp_reader *r, enum dcp_kind kind,
            const struct dcp_yaml *node)
{
    const struct dcp_schema_section *section = dcp_schema_of_kind(kind);

    if (node->kind != DCP_YAML_MAPPING) {
        if (node->kind != DCP_YAML_SCALAR || *node->text) {
            dcp_reader_error(r, node->pos,
                             "%s: %s where names and their values are needed",
                             section->name, dcp_yaml_kind_name(node->kind));
        }
        return;
    }
    for (uint32_t i = 0; i < node->n && !r->no_memory; i++) {
        struct dcp_entry entry = {
            .name = dcp_arena_strdup(r->inv->arena, node->entries[i].key),
            .pos = node->entries[i].pos,
            .node = &node->entries[i].value,
        };

        if (!entry.name) {
            r->no_memory = true;
        } else if (!good_name(entry.name)) {
            dcp_reader_error(
                r, entry.pos,
                "%s: '%.40s' is not a name: 1 to 200 characters, "
                "no spaces around them, no control or direction marks",
                section->name, entry.name);
        } else {
            add_entry(r, kind, &entry);
        }
    }
}

static void
add_builtin(struct dcp_reader *r)
{
    for (uint32_t i = 0; dcp_builtin_hypervisor(i); i++) {
        struct dcp_entry entry = { .name = dcp_builtin_hypervisor(i)->name };

        add_entry(r, DCP_KIND_HYPERVISOR, &entry);
    }
}

static int
compare_entries(const void *a, const void *b)
{
    const struct dcp_entry *x = a, *y = b;

    return dcp_text_compare(x->name, y->name);
}

/* What is built in stays in front. */
static void
sort_entries(struct dcp_reader *r, enum dcp_kind kind)
{
    struct dcp_entries *t = &r->tables[kind];
    uint32_t first = r->n_builtin[kind], i = first + 1;

    while (i < t->n && compare_entries(&t->items[i - 1], &t->items[i]) < 0) {
        i++;
    }
    if (i >= t->n) {
        return;
    }
    qsort(t->items + first, t->n - first, sizeof *t->items, compare_entries);
    dcp_strmap_finish(&t->by_name);
    t->by_name = (struct dcp_strmap){ 0 };
    for (i = 0; i < t->n; i++) {
        r->no_memory |= !dcp_strmap_add(&t->by_name, t->items[i].name, i, NULL);
    }
}

/* --- The top level ------------------------------------------------------ */

static void
keep_once(struct dcp_reader *r, const struct dcp_yaml **slot, const char *key,
          const struct dcp_yaml *node)
{
    if (*slot) {
        dcp_reader_error(
            r, node->pos, "%s: given before, at %.200s:%u; keep one", key,
            (*slot)->pos.path ? (*slot)->pos.path : "?", (*slot)->pos.line);
        return;
    }
    *slot = node;
}

static void
add_nodes(struct dcp_reader *r, struct dcp_nodes *list,
          const struct dcp_yaml *node)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    if (list->n + n > list->capacity) {
        uint32_t capacity = list->n + n;
        const struct dcp_yaml **bigger =
            realloc(list->items, capacity * sizeof *bigger);

        if (!bigger) {
            r->no_memory = true;
            return;
        }
        list->items = bigger;
        list->capacity = capacity;
    }
    for (uint32_t i = 0; i < n; i++) {
        list->items[list->n++] = &items[i];
    }
}

static void
take_top(struct dcp_reader *r, const struct dcp_yaml *top)
{
    for (uint32_t i = 0; i < top->n; i++) {
        const char *key = top->entries[i].key;
        const struct dcp_yaml *node = &top->entries[i].value;
        const struct dcp_schema_section *section = dcp_schema_find(key);

        if (!strcmp(key, "rules")) {
            add_nodes(r, &r->rules, node);
        } else if (!strcmp(key, "filters")) {
            add_nodes(r, &r->filters, node);
        } else if (!strcmp(key, "scores")) {
            add_nodes(r, &r->scores, node);
        } else if (!strcmp(key, "policy")) {
            keep_once(r, &r->policy, key, node);
        } else if (!strcmp(key, "calendar")) {
            keep_once(r, &r->calendar, key, node);
        } else if (!strcmp(key, "timezone")) {
            keep_once(r, &r->timezone, key, node);
        } else if (!strcmp(key, "generations")) {
            keep_once(r, &r->generations, key, node);
        } else if (!strcmp(key, "dcplan")) {
            r->dcplan = r->dcplan ? r->dcplan : node;
        } else if (section && section->kind != DCP_KIND_NONE) {
            add_entries(r, section->kind, node);
        }
    }
}

/* --- Files -------------------------------------------------------------- */

static bool load_yaml(struct loader *l, const char *path, uint32_t depth,
                      struct dcp_pos from);

/* The bytes of a file, in the digest and kept until reading ends; NULL after
 * an error at 'from'. */
static char *
load_bytes(struct loader *l, const char *path, size_t max_bytes,
           struct dcp_pos from, size_t *out_length)
{
    struct dcp_error err = { 0 };
    DCP_FREE char *bytes = dcp_file_read(path, max_bytes, out_length, &err);

    if (!bytes) {
        l->truncated = true;
        dcp_diag_add(l->r.diag, DCP_ERROR, from, "%s", err.message);
        return NULL;
    }
    dcp_sha256_add(&l->sha, bytes, *out_length);
    char *copy = dcp_arena_calloc(l->r.scratch, *out_length + 1, 1);

    if (!copy) {
        l->r.no_memory = true;
        return NULL;
    }
    memcpy(copy, bytes, *out_length);
    return copy;
}

/* False: 'path' leads to a file that was read already, or no memory. */
static bool
is_new(struct loader *l, const char *path)
{
    char identity[48];
    uint32_t old;
    const char *key = dcp_file_identity(path, identity)
                          ? dcp_arena_strdup(l->r.scratch, identity)
                          : path; /* Reading it will say why. */

    if (key && dcp_strmap_add(&l->seen, key, 0, &old)) {
        return true;
    }
    l->r.no_memory |= !key || old == DCP_STRMAP_NONE;
    return false;
}

/* 'name' beside the file at 'base', for good; NULL after an error. */
static const char *
beside(struct loader *l, const char *base, const struct dcp_yaml *node)
{
    const char *slash = base ? strrchr(base, '/') : NULL;

    if (!dcp_reader_scalar(&l->r, "include", node)) {
        return NULL;
    }
    if (!*node->text || node->text[0] == '/') {
        dcp_diag_add(l->r.diag, DCP_ERROR, node->pos,
                     "include: '%.200s' is not a path relative to this file",
                     node->text);
        return NULL;
    }
    const char *path = dcp_arena_printf(l->r.inv->arena, "%.*s%s",
                                        slash ? (int)(slash - base) + 1 : 0,
                                        base ? base : "", node->text);

    if (!path) {
        l->r.no_memory = true;
        return NULL;
    }
    if (!is_new(l, path)) {
        dcp_diag_add(l->r.diag, DCP_ERROR, node->pos,
                     "include: '%.200s' is included twice; remove one", path);
        return NULL;
    }
    if (l->seen.n > MAX_FILES) {
        dcp_diag_add(l->r.diag, DCP_ERROR, node->pos,
                     "include: more than %d files", MAX_FILES);
        return NULL;
    }
    return path;
}

static void
load_table(struct loader *l, const char *path, enum dcp_kind kind,
           struct dcp_pos from)
{
    struct dcp_error err = { 0 };
    struct dcp_yaml *tree = dcp_arena_new(l->r.scratch, struct dcp_yaml);
    size_t length;
    char *bytes = load_bytes(l, path, TABLE_MAX_BYTES, from, &length);

    if (!bytes || !tree) {
        l->r.no_memory |= !tree;
        return;
    }
    if (!dcp_csv_tree(l->r.scratch, path, bytes, length, l->r.diag, tree,
                      &err)) {
        l->r.no_memory |= err.code == DCP_E_NOMEM;
        l->truncated = true;
        dcp_diag_add_error(l->r.diag, &err);
        return;
    }
    add_entries(&l->r, kind, tree);
}

static void
load_include(struct loader *l, const char *base, const struct dcp_yaml *item,
             uint32_t depth)
{
    if (item->kind != DCP_YAML_MAPPING) {
        const char *path = beside(l, base, item);

        if (path) {
            (void)load_yaml(l, path, depth + 1, item->pos);
        }
        return;
    }
    dcp_reader_object(&l->r, "include", NULL);
    (void)dcp_reader_section(&l->r, &dcp_schema_include, item, NULL);
    dcp_reader_object(&l->r, NULL, NULL);
    for (uint32_t i = 0; i < item->n; i++) {
        const struct dcp_schema_section *section =
            dcp_schema_find(item->entries[i].key);
        uint32_t n;

        if (!dcp_schema_row(&dcp_schema_include, item->entries[i].key)) {
            continue;
        }
        const struct dcp_yaml *files =
            dcp_reader_items(&l->r, &item->entries[i].value, &n);

        for (uint32_t k = 0; k < n; k++) {
            const char *path = beside(l, base, &files[k]);

            if (path) {
                load_table(l, path, section->kind, files[k].pos);
            }
        }
    }
}

static bool
load_yaml(struct loader *l, const char *path, uint32_t depth,
          struct dcp_pos from)
{
    struct dcp_error err = { 0 };
    struct dcp_yaml *top = dcp_arena_new(l->r.scratch, struct dcp_yaml);
    size_t length;

    if (depth > INCLUDE_DEPTH) {
        dcp_diag_add(l->r.diag, DCP_ERROR, from,
                     "include: more than %d files deep", INCLUDE_DEPTH);
        return false;
    }
    char *bytes = load_bytes(l, path, DCP_YAML_MAX_BYTES, from, &length);

    if (!bytes || !top) {
        l->r.no_memory |= !top;
        return false;
    }
    if (!dcp_yaml_parse(l->r.scratch, path, bytes, length, l->r.diag, top,
                        &err)) {
        l->r.no_memory |= err.code == DCP_E_NOMEM;
        l->truncated = true;
        return false;
    }
    if (!dcp_reader_section(&l->r, &dcp_schema_top, top, l->r.inv)) {
        l->truncated = true;
        return false;
    }
    take_top(&l->r, top);
    uint32_t n;
    const struct dcp_yaml *items =
        dcp_reader_items(&l->r, dcp_yaml_get(top, "include"), &n);

    for (uint32_t i = 0; i < n && !l->r.no_memory; i++) {
        load_include(l, path, &items[i], depth);
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

static const char *const intel_generations[] = {
    "nehalem",        "westmere",      "sandybridge",   "ivybridge",  "haswell",
    "broadwell",      "skylake",       "cascadelake",   "cooperlake", "icelake",
    "sapphirerapids", "emeraldrapids", "graniterapids",
};

static void
read_generations(struct dcp_reader *r)
{
    uint32_t n = sizeof intel_generations / sizeof intel_generations[0];
    const struct dcp_yaml *items = NULL;

    if (r->generations) {
        items = dcp_reader_items(r, r->generations, &n);
    }
    const char **names = dcp_reader_array(r, n, sizeof *names);

    for (uint32_t i = 0; names && i < n; i++) {
        bool ok = !items || dcp_reader_scalar(r, "generations", &items[i]);

        names[i] = !ok     ? ""
                   : items ? dcp_reader_text(r, items[i].text)
                           : intel_generations[i];
    }
    r->inv->generation_name = names;
    r->inv->n_generations = names ? n : 0;
}

static void
read_frame(struct dcp_reader *r, const char *path)
{
    struct dcp_pos pos = { path, 1, 1 };

    if (!r->dcplan) {
        dcp_diag_add(r->diag, DCP_ERROR, pos,
                     "'dcplan: model/1' is missing; a model begins with it "
                     "(`dcplan init` writes one)");
    } else {
        uint32_t choice;

        (void)dcp_reader_choice(r, dcp_schema_row(&dcp_schema_top, "dcplan"),
                                r->dcplan, &choice);
    }
    if (!*r->inv->lineage) {
        dcp_diag_add(r->diag, DCP_WARNING, pos,
                     "no lineage; plans cannot be tied to this model (`dcplan "
                     "init` writes one)");
    }
    if (r->timezone) {
        const struct dcp_zone *zone = dcp_reader_zone(r, r->timezone);

        r->inv->zone = zone ? zone : &dcp_zone_utc;
    }
}

/* Without a price there is no cost to save: count hosts. */
static void
set_goal(struct dcp_inventory *inv)
{
    bool prices = false;

    for (uint32_t i = 0; i < inv->n_tariffs; i++) {
        for (uint32_t k = 0; k < inv->tariffs[i].n_rows; k++) {
            prices |= inv->tariffs[i].rows[k].price_per_kwh > 0 ||
                      inv->tariffs[i].rows[k].prices != NULL;
        }
    }
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        prices |= inv->licences[i].price_per_year > 0;
    }
    if (!inv->policy.goal_given && !prices) {
        inv->policy.goals[0] = dcp_goals_single(DCP_GOAL_HOSTS).level[0];
        inv->policy.n_goals = 1;
    }
}

static void
read_parts(struct dcp_reader *r)
{
    static void (*const parts[])(struct dcp_reader *) = {
        read_generations,  dcp_read_calendar,     dcp_read_tariffs,
        dcp_read_places,   dcp_read_tiers,        dcp_read_policy,
        dcp_read_hardware, dcp_read_network,      dcp_read_hosts,
        dcp_read_vms,      dcp_read_plant_pues,   dcp_reader_index_tags, dcp_read_licences,
        dcp_read_rules,    dcp_read_parking,      dcp_read_rightsize,
        dcp_read_conversions,
        dcp_check_model,   dcp_check_start,
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!r->no_memory) {
            dcp_reader_object(r, NULL, NULL);
            parts[i](r);
        }
    }
    r->inv->n_tags = r->tags.n;
    const char **tags = dcp_reader_array(r, r->tags.n, sizeof *tags);

    if (tags && r->tags.n) {
        memcpy(tags, r->tag_names.items, r->tags.n * sizeof *tags);
    }
    r->inv->tag_name = tags;
    /* Scripts look at a whole model only. */
    if (!r->no_memory && r->diag->n_errors == r->n_errors_before) {
        dcp_read_filters(r);
        dcp_read_scores(r);
        dcp_read_policy_tests(r);
    }
    set_goal(r->inv);
}

static void
finish_loader(struct loader *l)
{
    for (uint32_t k = 0; k < DCP_KINDS; k++) {
        free(l->r.tables[k].items);
        dcp_strmap_finish(&l->r.tables[k].by_name);
    }
    dcp_strmap_finish(&l->r.texts);
    dcp_strmap_finish(&l->r.tags);
    dcp_strmap_finish(&l->seen);
    free(l->r.text_names.items);
    free(l->r.tag_names.items);
    free(l->r.rules.items);
    free(l->r.filters.items);
    free(l->r.scores.items);
    free(l->r.tests.items);
    dcp_arena_destroy(l->r.scratch);
}

/* Reads the policy file beside what makes the model's digest. */
static void
load_policy(struct loader *l, const char *path)
{
    struct dcp_reader *r = &l->r;
    struct dcp_error err = { 0 };
    struct dcp_sha256 model = l->sha;
    struct dcp_yaml *top = dcp_arena_new(r->scratch, struct dcp_yaml);
    const char *kept = dcp_arena_strdup(r->inv->arena, path);
    size_t length = 0;
    char *bytes = top && kept ? load_bytes(l, kept, DCP_YAML_MAX_BYTES,
                                           (struct dcp_pos){ 0 }, &length)
                              : NULL;

    l->sha = model;
    r->no_memory |= !top || !kept;
    if (!bytes) {
        return;
    }
    dcp_sha256_add(&l->policy, bytes, length);
    if (!dcp_yaml_parse(r->scratch, kept, bytes, length, r->diag, top, &err)) {
        r->no_memory |= err.code == DCP_E_NOMEM;
        l->truncated = true;
        return;
    }
    dcp_overlay_policy(r, top);
}

static void
end_digests(struct loader *l, const char *policy_path)
{
    struct dcp_sha256 both;
    struct dcp_inventory *inv = l->r.inv;
    char policy[DCP_DIGEST_TEXT_SIZE];

    dcp_sha256_end_text(&l->sha, inv->digest);
    dcp_sha256_end_text(&l->policy, policy);
    dcp_sha256_init(&both);
    dcp_sha256_add(&both, "policy", 6);
    dcp_sha256_add(&both, inv->digest, strlen(inv->digest));
    if (policy_path) {
        dcp_sha256_add(&both, policy, strlen(policy));
    }
    dcp_sha256_end_text(&both, inv->policy_digest);
}

static bool
read_model(struct loader *l, const char *const paths[], uint32_t n_paths,
           const char *policy_path)
{
    struct dcp_reader *r = &l->r;
    static const struct dcp_entry default_tier = { .name = "default" };

    dcp_sha256_init(&l->sha);
    dcp_sha256_init(&l->policy);
    r->digest = &l->sha;
    add_builtin(r);
    add_entry(r, DCP_KIND_TIER, &default_tier);
    for (uint32_t k = 0; k < DCP_KINDS; k++) {
        r->n_builtin[k] = r->tables[k].n;
    }
    for (uint32_t i = 0; i < n_paths && !r->no_memory; i++) {
        const char *path = dcp_arena_strdup(r->inv->arena, paths[i]);

        r->no_memory |= !path;
        if (path) {
            (void)is_new(l, path);
            (void)load_yaml(l, path, 0, (struct dcp_pos){ 0 });
        }
    }
    if (policy_path && !r->no_memory) {
        load_policy(l, policy_path);
    }
    for (uint32_t k = 0; k < DCP_KINDS && !r->no_memory; k++) {
        sort_entries(r, (enum dcp_kind)k);
    }
    /* With a file missing every reference into it would be reported. */
    if (!l->truncated && !r->no_memory) {
        read_frame(r, n_paths ? paths[0] : NULL);
        read_parts(r);
    }
    end_digests(l, policy_path);
    return !r->no_memory;
}

struct dcp_inventory *
dcp_model_read(const char *const paths[], uint32_t n_paths,
               const char *policy_path, struct dcp_diag *diag,
               struct dcp_error *err)
{
    DCP_AUTO(dcp_inventory)
    struct dcp_inventory *inv = dcp_inventory_create(err);
    struct loader *l = inv ? calloc(1, sizeof *l) : NULL;
    bool ok = false;
    size_t n_errors = diag->n_errors;

    if (!inv) {
        return NULL;
    }
    if (l) {
        l->r.inv = inv;
        l->r.diag = diag;
        l->r.n_errors_before = n_errors;
        l->r.scratch = dcp_arena_create(0);
        ok = l->r.scratch && read_model(l, paths, n_paths, policy_path);
        finish_loader(l);
        free(l);
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the model");
        return NULL;
    }
    if (diag->n_errors > n_errors) {
        (void)dcp_fail(err, DCP_E_PARSE,
                       "the model has %zu error%s; nothing was done",
                       diag->n_errors - n_errors,
                       diag->n_errors - n_errors == 1 ? "" : "s");
        return NULL;
    }
    return DCP_STEAL(inv);
}
