/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/import_ganeti.h"

#include "model/base/arena.h"
#include "model/base/id.h"
#include "model/base/strmap.h"
#include "model/base/units.h"
#include "model/io/csv.h"
#include "model/io/file.h"
#include "model/io/import_target.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES      ((size_t)256 << 20)
#define MAX_FIELDS     16
#define MAX_EXCLUSIONS 16

enum { GROUPS, NODES, INSTANCES, CLUSTER_TAGS, POLICIES };

struct node {
    const char *name;
    double mem_mib, disk_mib;
    uint32_t cpus, group, hardware;
    bool offline;
};
struct instance {
    const char *name, *tags;
    double mem_mib, disk_mib;
    uint32_t vcpus, primary, secondary; /* Nodes; DCP_IX_NONE. */
    bool runs, drbd;
};
struct ganeti {
    struct dcp_arena *arena;
    const char *path;
    uint32_t line;
    struct dcp_error *err;
    const char **groups; /* Names, by order; ids in group_by_id. */
    struct node *nodes;
    struct instance *instances;
    uint32_t n_groups, n_nodes, n_instances, n_hardware;
    struct dcp_strmap group_by_id, node_by_name, instance_names;
    const char *exclusion[MAX_EXCLUSIONS]; /* Prefixes that spread. */
    uint32_t n_exclusions;
    double vcpu_ratio;
    struct dcp_import_target target;
    struct dcp_ganeti_result *result;
};

static bool
bad(const struct ganeti *g, const char *what)
{
    return dcp_fail_at(g->err, DCP_E_PARSE,
                       (struct dcp_pos){ g->path, g->line, 0 }, "%s", what);
}

static bool
number(const struct ganeti *g, const char *text, double *out)
{
    const char *end = dcp_scan_double(text, out);

    return end && !*end && *out >= 0 && *out < 4e9
               ? true
               : dcp_fail_at(g->err, DCP_E_PARSE,
                             (struct dcp_pos){ g->path, g->line, 0 },
                             "'%.40s' is not a number that can be", text);
}

static bool
add_name(struct ganeti *g, struct dcp_strmap *map, const char *name,
         uint32_t ix)
{
    uint32_t old;

    if (!*name) {
        return bad(g, "a line without a name");
    }
    if (dcp_strmap_add(map, name, ix, &old)) {
        return true;
    }
    return old == DCP_STRMAP_NONE
               ? dcp_fail(g->err, DCP_E_NOMEM, "no memory for the import")
               : bad(g, "the name on this line came before");
}

static bool
read_group(struct ganeti *g, char *const f[], uint32_t n)
{
    if (n < 3) {
        return bad(g, "a group has at least 3 fields: name|uuid|policy");
    }
    g->groups[g->n_groups] = f[0];
    return add_name(g, &g->group_by_id, f[1], g->n_groups++);
}

static bool
read_node(struct ganeti *g, char *const f[], uint32_t n)
{
    struct node *node = &g->nodes[g->n_nodes];
    double own_mib, total_mib, cpus;

    if (n < 9) {
        return bad(g, "a node has at least 9 fields: name|t_mem|n_mem|f_mem|"
                      "t_dsk|f_dsk|cpus|status|group");
    }
    if (!number(g, f[1], &total_mib) || !number(g, f[2], &own_mib) ||
        !number(g, f[4], &node->disk_mib) || !number(g, f[6], &cpus)) {
        return false;
    }
    node->name = f[0];
    node->mem_mib = total_mib - own_mib;
    node->cpus = (uint32_t)cpus;
    node->offline = !strcmp(f[7], "Y");
    node->group = dcp_strmap_find(&g->group_by_id, f[8]);
    if (node->group == DCP_STRMAP_NONE) {
        return bad(g, "the node's group is not in the first section");
    }
    if (!node->offline && (node->mem_mib < 1 || node->cpus < 1)) {
        return bad(g, "a node that is online has memory and CPUs");
    }
    return add_name(g, &g->node_by_name, node->name, g->n_nodes++);
}

static bool
read_instance(struct ganeti *g, char *const f[], uint32_t n)
{
    struct instance *i = &g->instances[g->n_instances];
    double vcpus;

    if (n < 10) {
        return bad(g, "an instance has at least 10 fields: name|mem|disk|"
                      "vcpus|status|auto|pnode|snode|template|tags");
    }
    if (!number(g, f[1], &i->mem_mib) || !number(g, f[2], &i->disk_mib) ||
        !number(g, f[3], &vcpus)) {
        return false;
    }
    i->name = f[0];
    i->vcpus = (uint32_t)vcpus;
    i->runs =
        strcmp(f[4], "ADMIN_down") != 0 && strcmp(f[4], "ADMIN_offline") != 0;
    i->primary = dcp_strmap_find(&g->node_by_name, f[6]);
    i->secondary =
        *f[7] ? dcp_strmap_find(&g->node_by_name, f[7]) : DCP_IX_NONE;
    i->drbd = !strcmp(f[8], "drbd");
    i->tags = f[9];
    if (i->primary == DCP_STRMAP_NONE ||
        (*f[7] && i->secondary == DCP_STRMAP_NONE)) {
        return bad(g, "the instance's node is not in the second section");
    }
    if (i->vcpus < 1 || i->mem_mib < 1) {
        return bad(g, "an instance has memory and vCPUs");
    }
    return add_name(g, &g->instance_names, i->name, g->n_instances++);
}

static bool
read_line(struct ganeti *g, int section, char *text)
{
    static const char iextags[] = "htools:iextags:";
    char *f[MAX_FIELDS];
    uint32_t n = 0;
    double ratio;

    if (section == CLUSTER_TAGS) {
        if (!strncmp(text, iextags, sizeof iextags - 1) &&
            g->n_exclusions < MAX_EXCLUSIONS) {
            g->exclusion[g->n_exclusions++] = text + sizeof iextags - 1;
        }
        return true;
    }
    for (char *p = text; p && n < MAX_FIELDS; n++) {
        f[n] = p;
        p = strchr(p, '|');
        if (p) {
            *p++ = '\0';
        }
    }
    switch (section) {
    case GROUPS:
        return read_group(g, f, n);
    case NODES:
        return read_node(g, f, n);
    case INSTANCES:
        return read_instance(g, f, n);
    default: /* Policies; the cluster's own comes first. */
        if (n >= 5 && !*f[0] && number(g, f[4], &ratio) && ratio > 0) {
            g->vcpu_ratio = ratio;
        }
        return true;
    }
}

static bool
read_text(struct ganeti *g, char *text, size_t length)
{
    uint32_t n_lines = 1;
    int section = GROUPS;

    if (memchr(text, '\0', length)) {
        return bad(g, "holds NUL bytes: not a text file");
    }
    for (const char *p = text; (p = strchr(p, '\n')); p++) {
        n_lines++;
    }
    g->groups = dcp_arena_array(g->arena, const char *, n_lines);
    g->nodes = dcp_arena_array(g->arena, struct node, n_lines);
    g->instances = dcp_arena_array(g->arena, struct instance, n_lines);
    if (!g->groups || !g->nodes || !g->instances) {
        return dcp_fail(g->err, DCP_E_NOMEM, "no memory for the import");
    }
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');

        g->line++;
        if (end) {
            *end++ = '\0';
        }
        if (*line) {
            if (section > POLICIES) {
                return bad(g, "a section too many: groups, nodes, instances, "
                              "cluster tags, policies");
            }
            if (!read_line(g, section, line)) {
                return false;
            }
        } else {
            section++;
        }
        line = end;
    }
    g->line = 0;
    return g->n_nodes ? true : bad(g, "holds no nodes");
}

/* --- Output ------------------------------------------------------------- */

static bool
alike(const struct node *a, const struct node *b)
{
    return a->mem_mib == b->mem_mib && a->disk_mib == b->disk_mib &&
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
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        uint32_t first = 0;

        while (!alike(&g->nodes[first], &g->nodes[i])) {
            first++;
        }
        if (first < i) {
            g->nodes[i].hardware = g->nodes[first].hardware;
            continue;
        }
        g->nodes[i].hardware = ++g->n_hardware;
        dcp_text_printf(
            out,
            "  ganeti-%u: {sockets: 1, cores_per_socket: %u, clock: 2GHz, "
            "memory: %.0fMiB, disk: %.0fMiB, nics: [1Gbit]}\n",
            g->n_hardware, g->nodes[i].cpus ? g->nodes[i].cpus : 1,
            g->nodes[i].mem_mib >= 1 ? g->nodes[i].mem_mib : 1,
            g->nodes[i].disk_mib);
    }
}

static void
print_hosts(struct ganeti *g)
{
    struct dcp_text *out = &g->target.hosts;

    dcp_text_puts(out, "name,hardware,state,tags\n");
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        dcp_csv_put(out, g->nodes[i].name);
        dcp_text_printf(out, ",ganeti-%u,%s,group-%u\n", g->nodes[i].hardware,
                        g->nodes[i].offline ? "maintenance" : "up",
                        g->nodes[i].group + 1);
    }
}

static void
print_vms(struct ganeti *g)
{
    struct dcp_text *out = &g->target.vms;

    dcp_text_puts(out, "name,vcpus,memory,tier,host,volumes,tags\n");
    for (uint32_t i = 0; i < g->n_instances; i++) {
        const struct instance *v = &g->instances[i];

        dcp_csv_put(out, v->name);
        dcp_text_printf(out, ",%u,%.0fMiB,ganeti,", v->vcpus, v->mem_mib);
        if (v->runs) {
            dcp_csv_put(out, g->nodes[v->primary].name);
        }
        dcp_text_puts(out, ",");
        if (v->disk_mib >= 1) {
            dcp_text_printf(out, "%s:%.0fMiB", v->drbd ? "" : "external",
                            v->disk_mib);
        }
        dcp_text_printf(out, ",group-%u\n", g->nodes[v->primary].group + 1);
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

    for (uint32_t i = 0; i < g->n_instances; i++) {
        n += has_tag(g->instances[i].tags, tag, length);
    }
    if (n < 2) {
        return;
    }
    dcp_text_puts(out, "  - {rule: spread, name: ");
    quote(out, "", tag);
    dcp_text_puts(out, ", over: host, vms: [");
    n = 0;
    for (uint32_t i = 0; i < g->n_instances; i++) {
        if (has_tag(g->instances[i].tags, tag, length)) {
            dcp_text_puts(out, n++ ? ", " : "");
            quote(out, "", g->instances[i].name);
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
print_exclusions_of(struct ganeti *g, const struct instance *v,
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

    for (uint32_t i = 0; ok && i < g->n_instances; i++) {
        ok = print_exclusions_of(g, &g->instances[i], &seen);
    }
    dcp_strmap_finish(&seen);
    return ok ? true : dcp_fail(g->err, DCP_E_NOMEM, "no memory for rules");
}

/* A fence around each group that has instances, where there are several. */
static void
print_groups(struct ganeti *g)
{
    for (uint32_t k = 0; g->n_groups > 1 && k < g->n_groups; k++) {
        bool any = false;

        for (uint32_t i = 0; i < g->n_instances && !any; i++) {
            any = g->nodes[g->instances[i].primary].group == k;
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
    char ratio[32];
    double disk_mib = 0;

    for (uint32_t i = 0; i < g->n_instances; i++) {
        disk_mib += g->instances[i].drbd ? 0 : g->instances[i].disk_mib;
    }
    dcp_text_double(ratio, g->vcpu_ratio);
    dcp_text_printf(out, "tiers:\n  ganeti: {cpu_overcommit: %s}\n", ratio);
    if (disk_mib > 0) {
        dcp_text_printf(out, "pools:\n  external: {capacity: %.0fMiB}\n",
                        disk_mib);
    }
    dcp_text_puts(out, "rules:\n");
    print_groups(g);
    for (uint32_t i = 0; i < g->n_instances; i++) {
        const struct instance *v = &g->instances[i];

        if (!v->drbd || v->secondary == DCP_IX_NONE) {
            continue;
        }
        dcp_text_puts(out, "  - {rule: fence, name: ");
        quote(out, "drbd-", v->name);
        dcp_text_puts(out, ", vms: [");
        quote(out, "", v->name);
        dcp_text_puts(out, "], hosts: [");
        quote(out, "", g->nodes[v->primary].name);
        dcp_text_puts(out, ", ");
        quote(out, "", g->nodes[v->secondary].name);
        dcp_text_puts(out, "]}\n");
        g->result->rules++;
    }
    return print_exclusions(g);
}

static bool
import(struct ganeti *g)
{
    size_t length;
    DCP_FREE char *text = dcp_file_read(g->path, MAX_BYTES, &length, g->err);

    if (!text || !read_text(g, text, length)) {
        return false;
    }
    print_hardware(g);
    print_hosts(g);
    print_vms(g);
    if (!print_rules(g)) {
        return false;
    }
    g->result->groups = g->n_groups;
    g->result->nodes = g->n_nodes;
    g->result->instances = g->n_instances;
    g->result->hardware = g->n_hardware;
    return dcp_import_target_write(&g->target, g->err);
}

bool
dcp_import_ganeti(const char *dir, const char *path, bool force,
                  struct dcp_ganeti_result *out, struct dcp_error *err)
{
    struct ganeti g = { .arena = dcp_arena_create(0),
                        .path = path,
                        .err = err,
                        .vcpu_ratio = 4,
                        .result = out,
                        .target = { .dir = dir, .force = force } };

    *out = (struct dcp_ganeti_result){ 0 };
    bool ok = g.arena ? import(&g)
                      : dcp_fail(err, DCP_E_NOMEM, "no memory for the import");

    dcp_strmap_finish(&g.group_by_id);
    dcp_strmap_finish(&g.node_by_name);
    dcp_strmap_finish(&g.instance_names);
    dcp_import_target_finish(&g.target);
    dcp_arena_destroy(g.arena);
    return ok;
}
