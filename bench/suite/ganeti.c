/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/ganeti.h"

#include "model/base/id.h"
#include "model/io/file.h"

#include <stdlib.h>
#include <string.h>

#define NO_LIMIT 1e15

/* The cluster's tags that name exclusion tags. */
static bool
is_exclusion(const struct dcp_ganeti_text *g, const char *tag, size_t length)
{
    static const char prefix[] = "htools:iextags:";

    for (uint32_t i = 0; i < g->n_tags; i++) {
        if (!strncmp(g->tags[i], prefix, sizeof prefix - 1)) {
            const char *start = g->tags[i] + sizeof prefix - 1;
            size_t n = strlen(start);

            if (n > 0 && n <= length && !memcmp(start, tag, n)) {
                return true;
            }
        }
    }
    return false;
}

static bool
is_supported(const struct dcp_ganeti_text *g, struct dcp_error *err)
{
    static const char *const prefixes[] = {
        "htools:nlocation:", "htools:desiredlocation:", "htools:migration:",
        "htools:allowmigration:"
    };

    for (uint32_t n = 0; n < g->n_nodes; n++) {
        if (g->nodes[n].group != g->nodes[0].group) {
            return dcp_fail(err, DCP_E_UNSUPPORTED,
                            "nodes of more than one group: as hbal does, one "
                            "group is balanced at a time");
        }
        if (g->nodes[n].exclusive_storage) {
            return dcp_fail(err, DCP_E_UNSUPPORTED,
                            "node '%s' has exclusive storage, which is not "
                            "scored here",
                            g->nodes[n].name);
        }
    }
    for (uint32_t i = 0; i < g->n_tags; i++) {
        for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0]; k++) {
            if (!strncmp(g->tags[i], prefixes[k], strlen(prefixes[k]))) {
                return dcp_fail(err, DCP_E_UNSUPPORTED,
                                "cluster tag '%s' is not scored here",
                                g->tags[i]);
            }
        }
    }
    return true;
}

static void
read_nodes(const struct dcp_ganeti_text *g, struct dcp_balance_node *nodes)
{
    for (uint32_t n = 0; n < g->n_nodes; n++) {
        const struct dcp_ganeti_node *from = &g->nodes[n];
        const struct dcp_ganeti_policy *policy =
            dcp_ganeti_group_policy(g, from->group);
        double vcpu_ratio = policy ? policy->vcpu_ratio : 4;
        double spindle_ratio = policy ? policy->spindle_ratio : 32;

        nodes[n] = (struct dcp_balance_node){
            .total_mem_mib = from->total_mem_mib,
            .total_disk_mib = from->total_disk_mib,
            .cpus = from->cpus * from->cpu_speed,
            .free_mem_mib = from->total_mem_mib - from->own_mem_mib,
            .reported_mem_mib = from->free_mem_mib,
            .free_disk_mib = from->free_disk_mib,
            .used_vcpus = from->own_vcpus,
            .max_vcpus = vcpu_ratio >= 0 ? vcpu_ratio * from->cpus : NO_LIMIT,
            .max_spindles = spindle_ratio * from->spindles,
            .offline = from->offline,
        };
    }
    for (uint32_t i = 0; i < g->n_instances; i++) {
        const struct dcp_ganeti_instance *v = &g->instances[i];
        struct dcp_balance_node *node = &nodes[v->primary];
        bool local =
            v->template == DCP_GANETI_PLAIN || v->template == DCP_GANETI_DRBD;

        node->free_mem_mib -= v->is_up ? v->mem_mib : 0;
        node->reported_mem_mib -= v->is_up ? 0 : v->mem_mib;
        node->used_vcpus += v->offline ? 0 : v->vcpus;
        node->used_spindles += local ? v->spindles : 0;
        if (v->secondary != DCP_IX_NONE && local) {
            nodes[v->secondary].used_spindles += v->spindles;
        }
    }
    for (uint32_t n = 0; n < g->n_nodes; n++) {
        if (g->nodes[n].free_mem_mib < nodes[n].free_mem_mib) {
            nodes[n].free_mem_mib = g->nodes[n].free_mem_mib;
        }
    }
}

/* The exclusion tags of an instance, numbered over the cluster. */
static bool
read_tags(const struct dcp_ganeti_text *g, struct dcp_arena *arena,
          struct dcp_strmap *names, const char *text,
          struct dcp_balance_instance *out)
{
    uint32_t most = 1;

    for (const char *p = text; *p; p++) {
        most += *p == ',';
    }
    uint32_t *tags = dcp_arena_array(arena, uint32_t, most);

    if (!tags) {
        return false;
    }
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, ",");

        if (length > 0 && is_exclusion(g, p, length)) {
            const char *name = dcp_arena_strndup(arena, p, length);
            uint32_t ix = names->n;

            if (!name || (!dcp_strmap_add(names, name, names->n, &ix) &&
                          ix == DCP_STRMAP_NONE)) {
                return false;
            }
            tags[out->n_tags++] = ix == DCP_STRMAP_NONE ? names->n - 1 : ix;
        }
        p += length + (p[length] == ',');
    }
    out->tags = tags;
    return true;
}

static bool
read_instances(const struct dcp_ganeti_text *g, struct dcp_arena *arena,
               struct dcp_balance_instance *out, uint32_t *out_n_tags)
{
    struct dcp_strmap names = { 0 };
    bool ok = true;

    for (uint32_t i = 0; i < g->n_instances && ok; i++) {
        const struct dcp_ganeti_instance *v = &g->instances[i];
        bool mirrored =
            v->template == DCP_GANETI_DRBD && v->secondary != DCP_IX_NONE;
        bool shared =
            v->template == DCP_GANETI_SHARED && v->secondary == DCP_IX_NONE;

        out[i] = (struct dcp_balance_instance){
            .mem_mib = v->mem_mib,
            .disk_mib = v->disk_mib,
            .vcpus = v->vcpus,
            .spindles = v->spindles,
            .primary = v->primary,
            .secondary = v->secondary,
            .mirrored = mirrored,
            .local_disk = v->template == DCP_GANETI_PLAIN ||
                          v->template == DCP_GANETI_DRBD,
            .movable = v->automatic && (mirrored || shared),
            .uses_memory = v->is_up,
            .uses_vcpus = !v->offline,
            .reserves = mirrored && !v->offline && v->automatic,
        };
        ok = read_tags(g, arena, &names, v->tags, &out[i]);
    }
    *out_n_tags = names.n;
    dcp_strmap_finish(&names);
    return ok;
}

struct dcp_balance_cluster *
dcp_suite_cluster(const struct dcp_ganeti_text *g, struct dcp_error *err)
{
    struct dcp_balance_node *nodes =
        dcp_arena_array(g->arena, struct dcp_balance_node, g->n_nodes);
    struct dcp_balance_instance *instances =
        dcp_arena_array(g->arena, struct dcp_balance_instance, g->n_instances);
    uint32_t n_tags;

    if (!is_supported(g, err)) {
        return NULL;
    }
    if (!nodes || !instances ||
        !read_instances(g, g->arena, instances, &n_tags)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u instances",
                       g->n_instances);
        return NULL;
    }
    read_nodes(g, nodes);
    return dcp_balance_create(nodes, g->n_nodes, instances, g->n_instances,
                              n_tags, err);
}

void
dcp_suite_charge(struct dcp_ganeti_text *g, const struct dcp_ganeti_instance *v,
                 double sign)
{
    bool local =
        v->template == DCP_GANETI_PLAIN || v->template == DCP_GANETI_DRBD;

    g->nodes[v->primary].free_mem_mib -= v->is_up ? sign * v->mem_mib : 0;
    g->nodes[v->primary].free_disk_mib -= local ? sign * v->disk_mib : 0;
    if (v->secondary != DCP_IX_NONE) {
        g->nodes[v->secondary].free_disk_mib -= local ? sign * v->disk_mib : 0;
    }
}

void
dcp_suite_move_instances(struct dcp_ganeti_text *g,
                         const struct dcp_balance_cluster *c)
{
    for (uint32_t i = 0; i < g->n_instances; i++) {
        const struct dcp_balance_instance *now = dcp_balance_instance(c, i);
        struct dcp_ganeti_instance *v = &g->instances[i];

        dcp_suite_charge(g, v, -1);
        v->primary = now->primary;
        v->secondary = now->secondary;
        dcp_suite_charge(g, v, 1);
    }
}

bool
dcp_suite_write_ganeti(const struct dcp_ganeti_text *g, const char *path,
                       struct dcp_ganeti_text *out_written,
                       struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    bool ok;

    dcp_ganeti_print(g, &text);
    *out_written = (struct dcp_ganeti_text){ 0 };
    ok = text.failed
             ? dcp_fail(err, DCP_E_NOMEM, "no memory for the text")
             : !path || dcp_file_write(path, text.data, text.length, err);
    ok = ok && dcp_ganeti_parse(text.data, text.length, path, out_written, err);
    dcp_text_finish(&text);
    return ok;
}
