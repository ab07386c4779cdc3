/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/model_dir.h"
#include "model/io/model_facts.h"

#include <stdio.h>
#include <string.h>

static const char *const sections[] = {
    "sites",    "rooms",   "feeds",        "racks",  "hardware", "hypervisors",
    "switches", "links",   "vlans",        "hosts",  "servers",  "arrays",
    "pools",    "tenants", "applications", "tiers",  "profiles", "licences",
    "tariffs",  "vms",     "rules",        "policy",
};
#define N_SECTIONS (sizeof sections / sizeof sections[0])

/* "vm" and "vms" alike; NULL after an error. */
static const char *
section_named(const char *word, struct dcp_error *err)
{
    for (size_t i = 0; i < N_SECTIONS; i++) {
        const struct dcp_schema_section *s = dcp_schema_find(sections[i]);

        if (!strcmp(word, sections[i]) || (s && !strcmp(word, s->one))) {
            return sections[i];
        }
    }
    uint32_t near = dcp_text_nearest(word, sections, N_SECTIONS);

    (void)dcp_fail(err, DCP_E_USAGE, "there are no '%.40s' in a model%s%s%s",
                   word, near == UINT32_MAX ? "" : "; did you mean '",
                   near == UINT32_MAX ? "" : sections[near],
                   near == UINT32_MAX ? "" : "'?");
    return NULL;
}

static void
print_facts(struct dcp_json *w, const char *name, const struct dcp_fact facts[],
            uint32_t n)
{
    if (w) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "name", name);
        for (uint32_t i = 0; i < n; i++) {
            dcp_json_kstring(w, facts[i].key, facts[i].text);
        }
        dcp_json_end(w, '}');
        return;
    }
    fputs(name, stdout);
    for (uint32_t i = 0; i < n; i++) {
        printf("  %s=%s", facts[i].key, facts[i].text);
    }
    putchar('\n');
}

static void
print_one(const char *name, const struct dcp_fact facts[], uint32_t n)
{
    puts(name);
    for (uint32_t i = 0; i < n; i++) {
        printf("  %-22s %s\n", facts[i].key, facts[i].text);
    }
}

/* All entries of a section, or the one of that name. */
static bool
show_section(struct dcp_json *w, const struct dcp_model *model,
             const char *section, const char *name, struct dcp_error *err)
{
    const struct dcp_inventory *inv = model->inventory;
    struct dcp_fact facts[DCP_FACTS_MAX];
    bool policy = !strcmp(section, "policy");
    uint32_t n = policy ? 1 : dcp_facts_count(inv, section);
    bool found = false;

    for (uint32_t i = 0; i < n; i++) {
        const char *mine = policy ? "policy" : dcp_facts_name(inv, section, i);

        if (name && strcmp(name, mine) != 0) {
            continue;
        }
        DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

        if (!arena) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory to show it");
        }
        uint32_t n_facts = policy ? dcp_facts_of_policy(inv, arena, facts)
                                  : dcp_facts_of(inv, model->placement, section,
                                                 i, arena, facts);

        found = true;
        if (!w && (name || policy)) {
            print_one(mine, facts, n_facts);
        } else {
            print_facts(w, mine, facts, n_facts);
        }
    }
    return !name || found
               ? true
               : dcp_fail(err, DCP_E_NOT_FOUND, "there is no '%.80s' in %s",
                          name, section);
}

static void
show_overview(struct dcp_json *w, const struct dcp_model *model)
{
    const struct dcp_inventory *inv = model->inventory;

    if (w) {
        dcp_json_kstring(w, "lineage", inv->lineage);
        dcp_json_ku64(w, "serial", model->serial);
        dcp_json_kstring(w, "digest", inv->digest);
        dcp_json_ku64(w, "hosts_on", dcp_placement_n_on(model->placement));
        dcp_json_kobject(w, "counts");
    } else {
        printf("lineage  %s\nserial   %llu\ndigest   %s\nhosts on %u\n\n",
               inv->lineage, (unsigned long long)model->serial, inv->digest,
               dcp_placement_n_on(model->placement));
    }
    for (size_t i = 0; i < N_SECTIONS; i++) {
        uint32_t n = dcp_facts_count(inv, sections[i]);

        if (w && dcp_facts_has(sections[i])) {
            dcp_json_ku64(w, sections[i], n);
        } else if (n) {
            printf("%8u %s\n", n, sections[i]);
        }
    }
    if (w) {
        dcp_json_end(w, '}');
    }
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const char *section = n_args ? section_named(args[0], err) : NULL;
    struct dcp_model model = { 0 };
    struct dcp_diag diag = { 0 };
    struct dcp_json w;

    (void)options;
    if (n_args && !section) {
        return -1;
    }
    bool ok = dcp_model_open(g->dir, g->policy_file, &diag, &model, err);

    if (!ok) {
        dcp_ui_diag(g, &diag);
    }
    dcp_diag_finish(&diag);
    if (!ok) {
        return -1;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/model-show/1");
    if (section) {
        dcp_json_karray(&w, section);
        ok = show_section(g->json ? &w : NULL, &model, section,
                          n_args > 1 ? args[1] : NULL, err);
        dcp_json_end(&w, ']');
    } else {
        show_overview(g->json ? &w : NULL, &model);
    }
    dcp_json_end(&w, '}');
    dcp_model_finish(&model);
    if (ok && g->json) {
        return dcp_ui_json(&w, 0, err);
    }
    dcp_json_finish(&w);
    return ok ? 0 : -1;
}

const struct dcp_command dcp_cmd_model_show = {
    .name = "model show",
    .summary = "print the model, a table of it or one object",
    .synopsis = "[KIND [NAME]]",
    .details = "Values are written as in dc.yaml, with defaults filled in; "
               "`host` of a VM is where it\nis now.\n\nExamples:\n"
               "  dcplan model show\n  dcplan model show hosts\n"
               "  dcplan model show vm db-1 --json\n",
    .max_args = 2,
    .run = run,
};
