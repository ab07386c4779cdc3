/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/import_ganeti.h"

#include "model/base/arena.h"
#include "model/base/id.h"
#include "model/base/strmap.h"
#include "model/io/csv.h"
#include "model/io/ganeti_text.h"
#include "model/io/import_target.h"

#include <string.h>

#define MAX_EXCLUSIONS 16

struct ganeti {
    struct dcp_arena *arena;
    struct dcp_ganeti_text text;
    uint32_t *hardware; /* By node, from 1. */
    uint32_t n_hardware;
    const char *exclusion[MAX_EXCLUSIONS]; /* Prefixes that spread. */
    uint32_t n_exclusions;
    struct dcp_error *err;
    struct dcp_import_target target;
    struct dcp_ganeti_result *result;
};

static void
find_exclusions(struct ganeti *g)
{
    static const char iextags[] = "htools:iextags:";

    for (uint32_t i = 0; i < g->text.n_tags; i++) {
        if (!strncmp(g->text.tags[i], iextags, sizeof iextags - 1) &&
            g->n_exclusions < MAX_EXCLUSIONS) {
            g->exclusion[g->n_exclusions++] =
                g->text.tags[i] + sizeof iextags - 1;
        }
    }
}

static double
own_mem_mib(const struct dcp_ganeti_node *node)
{
    return node->total_mem_mib - node->own_mem_mib;
}

/* --- Output ------------------------------------------------------------- */

static bool
alike(const struct dcp_ganeti_node *a, const struct dcp_ganeti_node *b)
{
    return own_mem_mib(a) == own_mem_mib(b) &&
           a->total_disk_mib == b->total_disk_mib &&
           a->cpus == b->cpus;
}

/* A name as a double-quoted YAML scalar. */
static void
quote(struct dcp_text *out, const char *prefix, const char *text)
{
    dcp_text_printf(out, "\"%s", prefix);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            dcp_text_add(out, "\\", 1);
        }
        dcp_text_add(out, text, 1);
    }
    dcp_text_add(out, "\"", 1);
}

static void
print_hardware(struct ganeti *g)
{
    struct dcp_text *out = &g->target.hosts_base;

    dcp_text_puts(out, "# Made by `dcplan import ganeti`; clock and network "
                       "are assumed.\nhardware:\n");
    for (uint32_t i = 0; i < g->text.n_nodes; i++) {
        const struct dcp_ganeti_node *node = &g->text.nodes[i];
        double mem_mib = own_mem_mib(node);
        uint32_t first = 0;

        while (!alike(&g->text.nodes[first], node)) {
            first++;
        }
        if (first < i) {
            g->hardware[i] = g->hardware[first];
            continue;
        }
        g->hardware[i] = ++g->n_hardware;
        dcp_text_printf(
            out,
            "  ganeti-%u: {sockets: 1, cores_per_socket: %.0f, clock: 2GHz, "
            "memory: %.0fMiB, disk: %.0fMiB, nics: [1Gbit]}\n",
            g->n_hardware, node->cpus >= 1 ? node->cpus : 1,
            mem_mib >= 1 ? mem_mib : 1, node->total_disk_mib);
    }
}

static void
print_hosts(struct ganeti *g)
{
    struct dcp_text *out = &g->target.hosts;

    dcp_text_puts(out, "name,hardware,state,tags\n");
    for (uint32_t i = 0; i < g->text.n_nodes; i++) {
        dcp_csv_put(out, g->text.nodes[i].name);
        dcp_text_printf(out, ",ganeti-%u,%s,group-%u\n", g->hardware[i],
                        g->text.nodes[i].offline ? "maintenance" : "up",
                        g->text.nodes[i].group + 1);
    }
}

static bool
drbd(const struct dcp_ganeti_instance *v)
{
    return v->template == DCP_GANETI_DRBD;
}

static void
print_vms(struct ganeti *g)
{
    struct dcp_text *out = &g->target.vms;

    dcp_text_puts(out, "name,vcpus,memory,tier,host,volumes,tags\n");
    for (uint32_t i = 0; i < g->text.n_instances; i++) {
        const struct dcp_ganeti_instance *v = &g->text.instances[i];

        dcp_csv_put(out, v->name);
        dcp_text_printf(out, ",%.0f,%.0fMiB,ganeti,", v->vcpus, v->mem_mib);
        if (v->runs) {
            dcp_csv_put(out, g->text.nodes[v->primary].name);
        }
        dcp_text_puts(out, ",");
        if (v->disk_mib >= 1) {
            dcp_text_printf(out, "%s:%.0fMiB", drbd(v) ? "" : "external",
                            v->disk_mib);
        }
        dcp_text_printf(out, ",group-%u\n", g->text.nodes[v->primary].group + 1);
    }
}

/* Whether 'tag' is one of the comma-separated 'tags'. */
static bool
has_tag(const char *tags, const char *tag, size_t length)
{
    while (*tags) {
        size_t n = strcspn(tags, ",");

        if (n == length && !strncmp(tags, tag, n)) {
            return true;
        }
        tags += n + (tags[n] == ',');
    }
    return false;
}

/* Instances with one exclusion tag, on hosts of their own. */
static void
print_spread(struct ganeti *g, const char *tag)
{
    struct dcp_text *out = &g->target.vms_base;
    size_t length = strlen(tag);
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->text.n_instances; i++) {
        n += has_tag(g->text.instances[i].tags, tag, length);
    }
    if (n < 2) {
        return;
    }
    dcp_text_puts(out, "  - {rule: spread, name: ");
    quote(out, "", tag);
    dcp_text_puts(out, ", over: host, vms: [");
    n = 0;
    for (uint32_t i = 0; i < g->text.n_instances; i++) {
        if (has_tag(g->text.instances[i].tags, tag, length)) {
            dcp_text_puts(out, n++ ? ", " : "");
            quote(out, "", g->text.instances[i].name);
        }
    }
    dcp_text_puts(out, "]}\n");
    g->result->rules++;
}

static bool
is_exclusion(const struct ganeti *g, const char *tag)
{
    for (uint32_t i = 0; i < g->n_exclusions; i++) {
        size_t n = strlen(g->exclusion[i]);

        if (!strncmp(tag, g->exclusion[i], n) && tag[n] == ':') {
            return true;
        }
    }
    return false;
}

/* The exclusion tags of one instance, each once. */
static bool
print_exclusions_of(struct ganeti *g, const struct dcp_ganeti_instance *v,
                    struct dcp_strmap *seen)
{
    for (const char *p = v->tags; *p;) {
        size_t n = strcspn(p, ",");
        const char *tag = dcp_arena_strndup(g->arena, p, n);
        uint32_t old = DCP_STRMAP_NONE;

        if (!tag) {
            return false;
        }
        if (is_exclusion(g, tag)) {
            if (dcp_strmap_add(seen, tag, 0, &old)) {
                print_spread(g, tag);
            } else if (old == DCP_STRMAP_NONE) {
                return false;
            }
        }
        p += n + (p[n] == ',');
    }
    return true;
}

static bool
print_exclusions(struct ganeti *g)
{
    struct dcp_strmap seen = { 0 };
    bool ok = true;

    for (uint32_t i = 0; ok && i < g->text.n_instances; i++) {
        ok = print_exclusions_of(g, &g->text.instances[i], &seen);
    }
    dcp_strmap_finish(&seen);
    return ok ? true : dcp_fail(g->err, DCP_E_NOMEM, "no memory for rules");
}

/* A fence around each group that has instances, where there are several. */
static void
print_groups(struct ganeti *g)
{
    for (uint32_t k = 0; g->text.n_groups > 1 && k < g->text.n_groups; k++) {
        bool any = false;

        for (uint32_t i = 0; i < g->text.n_instances && !any; i++) {
            any = g->text.nodes[g->text.instances[i].primary].group == k;
        }
        if (any) {
            dcp_text_printf(&g->target.vms_base,
                            "  - {rule: fence, name: group-%u, vms: "
                            "[tag:group-%u], hosts: [tag:group-%u]}\n",
                            k + 1, k + 1, k + 1);
            g->result->rules++;
        }
    }
}

static bool
print_rules(struct ganeti *g)
{
    struct dcp_text *out = &g->target.vms_base;
    const struct dcp_ganeti_policy *policy =
        dcp_ganeti_cluster_policy(&g->text);
    char ratio[32];
    double disk_mib = 0;

    for (uint32_t i = 0; i < g->text.n_instances; i++) {
        const struct dcp_ganeti_instance *v = &g->text.instances[i];

        disk_mib += drbd(v) ? 0 : v->disk_mib;
    }
    dcp_text_double(ratio, policy && policy->vcpu_ratio > 0
                               ? policy->vcpu_ratio
                               : 4);
    dcp_text_printf(out, "tiers:\n  ganeti: {cpu_overcommit: %s}\n", ratio);
    if (disk_mib > 0) {
        dcp_text_printf(out, "pools:\n  external: {capacity: %.0fMiB}\n",
                        disk_mib);
    }
    dcp_text_puts(out, "rules:\n");
    print_groups(g);
    for (uint32_t i = 0; i < g->text.n_instances; i++) {
        const struct dcp_ganeti_instance *v = &g->text.instances[i];

        if (!drbd(v) || v->secondary == DCP_IX_NONE) {
            continue;
        }
        dcp_text_puts(out, "  - {rule: fence, name: ");
        quote(out, "drbd-", v->name);
        dcp_text_puts(out, ", vms: [");
        quote(out, "", v->name);
        dcp_text_puts(out, "], hosts: [");
        quote(out, "", g->text.nodes[v->primary].name);
        dcp_text_puts(out, ", ");
        quote(out, "", g->text.nodes[v->secondary].name);
        dcp_text_puts(out, "]}\n");
        g->result->rules++;
    }
    return print_exclusions(g);
}

static bool
import(struct ganeti *g, const char *path)
{
    if (!dcp_ganeti_read(path, &g->text, g->err)) {
        return false;
    }
    g->hardware = dcp_arena_array(g->arena, uint32_t, g->text.n_nodes);
    if (!g->hardware) {
        return dcp_fail(g->err, DCP_E_NOMEM, "no memory for the import");
    }
    find_exclusions(g);
    print_hardware(g);
    print_hosts(g);
    print_vms(g);
    if (!print_rules(g)) {
        return false;
    }
    g->result->groups = g->text.n_groups;
    g->result->nodes = g->text.n_nodes;
    g->result->instances = g->text.n_instances;
    g->result->hardware = g->n_hardware;
    return dcp_import_target_write(&g->target, g->err);
}

bool
dcp_import_ganeti(const char *dir, const char *path, bool force,
                  struct dcp_ganeti_result *out, struct dcp_error *err)
{
    struct ganeti g = { .arena = dcp_arena_create(0),
                        .err = err,
                        .result = out,
                        .target = { .dir = dir, .force = force } };

    *out = (struct dcp_ganeti_result){ 0 };
    bool ok = g.arena ? import(&g, path)
                      : dcp_fail(err, DCP_E_NOMEM, "no memory for the import");

    dcp_ganeti_finish(&g.text);
    dcp_import_target_finish(&g.target);
    dcp_arena_destroy(g.arena);
    return ok;
}
