/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The cluster and its sums from scratch; what a move changes is in
 * cluster_move.c. */

#include "solver/balance/cluster_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the deviations weigh; free memory, disk, vCPUs and spindles count twice
 * half, with and without instances that are yet to come. */
static const double weights[DCP_BALANCE_N_COLUMNS] = {
    [DCP_BALANCE_MEM] = 0.5,     [DCP_BALANCE_VCPU] = 1,
    [DCP_BALANCE_PRIMARIES] = 3, /* Load of CPU, memory and network. */
    [DCP_BALANCE_MEM_ALL] = 0.5, [DCP_BALANCE_DISK] = 1,
    [DCP_BALANCE_DISK_LOAD] = 1, [DCP_BALANCE_SPINDLES] = 1,
    [DCP_BALANCE_RESERVED] = 1,
};

void
dcp_balance_destroy(struct dcp_balance_cluster *c)
{
    if (!c) {
        return;
    }
    free(c->nodes);
    free(c->instances);
    free(c->home);
    free(c->home_secondary);
    free(c->value);
    free(c->factor);
    free(c->as_primary);
    free(c->as_secondary);
    free(c->free_mem);
    free(c->free_disk);
    free(c->free_vcpus);
    free(c->free_spindles);
    free(c->n_primaries);
    free(c->n_secondaries);
    free(c->penalty);
    free(c->peers);
    free(c->top);
    free(c->reserved);
    free(c->tag_count);
    free(c);
}

static bool
make_room(struct dcp_balance_cluster *c)
{
    size_t n = c->n_nodes, m = c->n_instances;

    c->nodes = calloc(n + 1, sizeof *c->nodes);
    c->instances = calloc(m + 1, sizeof *c->instances);
    c->home = calloc(m + 1, sizeof *c->home);
    c->home_secondary = calloc(m + 1, sizeof *c->home_secondary);
    c->value = calloc(n + 1, WIDTH * sizeof *c->value);
    c->factor = calloc(n + 1, WIDTH * sizeof *c->factor);
    c->as_primary = calloc(m + 1, WIDTH * sizeof *c->as_primary);
    c->as_secondary = calloc(m + 1, WIDTH * sizeof *c->as_secondary);
    c->free_mem = calloc(n + 1, sizeof *c->free_mem);
    c->free_disk = calloc(n + 1, sizeof *c->free_disk);
    c->free_vcpus = calloc(n + 1, sizeof *c->free_vcpus);
    c->free_spindles = calloc(n + 1, sizeof *c->free_spindles);
    c->n_primaries = calloc(n + 1, sizeof *c->n_primaries);
    c->n_secondaries = calloc(n + 1, sizeof *c->n_secondaries);
    c->penalty = calloc(n + 1, sizeof *c->penalty);
    c->peers = c->reserves ? calloc(n * n + 1, sizeof *c->peers) : NULL;
    c->top = calloc(n + 1, sizeof *c->top);
    c->reserved = calloc(n + 1, sizeof *c->reserved);
    c->tag_count = calloc(n * c->n_tags + 1, sizeof *c->tag_count);
    return c->nodes && c->instances && c->home && c->home_secondary &&
           c->value && c->factor && c->as_primary && c->as_secondary &&
           c->free_mem && c->free_disk && c->free_vcpus && c->free_spindles &&
           c->n_primaries && c->n_secondaries && c->penalty &&
           (c->peers || !c->reserves) && c->top && c->reserved && c->tag_count;
}

static double
over(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void
set_loads(struct dcp_balance_cluster *c)
{
    for (uint32_t i = 0; i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];
        double *p = &c->as_primary[(size_t)i * WIDTH];
        double *s = &c->as_secondary[(size_t)i * WIDTH];

        p[DCP_BALANCE_MEM] = v->uses_memory ? v->mem_mib : 0;
        p[DCP_BALANCE_VCPU] = v->uses_vcpus ? v->vcpus : 0;
        p[DCP_BALANCE_PRIMARIES] = 1;
        p[DCP_BALANCE_MEM_ALL] = v->mem_mib;
        p[DCP_BALANCE_DISK_LOAD] = s[DCP_BALANCE_DISK_LOAD] = 1;
        if (v->local_disk) {
            p[DCP_BALANCE_DISK] = s[DCP_BALANCE_DISK] = v->disk_mib;
            p[DCP_BALANCE_SPINDLES] = s[DCP_BALANCE_SPINDLES] = v->spindles;
        }
    }
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        const struct dcp_balance_node *node = &c->nodes[n];
        double *f = &c->factor[(size_t)n * WIDTH];

        if (node->offline) {
            continue;
        }
        f[DCP_BALANCE_MEM] = f[DCP_BALANCE_MEM_ALL] =
            -over(1, node->total_mem_mib);
        f[DCP_BALANCE_VCPU] = over(1, node->cpus);
        f[DCP_BALANCE_PRIMARIES] = f[DCP_BALANCE_DISK_LOAD] = 1;
        f[DCP_BALANCE_DISK] = -over(1, node->total_disk_mib);
        f[DCP_BALANCE_SPINDLES] = over(1, node->max_spindles);
    }
}

/* Memory as reported tells the same as memory not promised. */
static bool
same_memory(const struct dcp_balance_cluster *c)
{
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        if (!c->nodes[n].offline &&
            c->nodes[n].free_mem_mib != c->nodes[n].reported_mem_mib) {
            return false;
        }
    }
    for (uint32_t i = 0; i < c->n_instances; i++) {
        if (!c->instances[i].uses_memory) {
            return false;
        }
    }
    return true;
}

static void
set_weights(struct dcp_balance_cluster *c)
{
    bool disks_move = false;

    memcpy(c->weight, weights, sizeof c->weight);
    if (same_memory(c)) {
        c->weight[DCP_BALANCE_MEM] += c->weight[DCP_BALANCE_MEM_ALL];
        c->weight[DCP_BALANCE_MEM_ALL] = 0;
    }
    for (uint32_t i = 0; i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];

        disks_move = disks_move || (v->local_disk && v->movable) ||
                     v->secondary != DCP_IX_NONE;
    }
    c->width = disks_move ? WIDTH : DCP_BALANCE_DISK;
    if (!disks_move) {
        c->weight[DCP_BALANCE_PRIMARIES] += c->weight[DCP_BALANCE_DISK_LOAD];
        c->weight[DCP_BALANCE_DISK_LOAD] = 0;
    }
}

/* A node's values with nothing of the instances' movement in them yet: what the
 * nodes say holds with the instances where they are at first. */
static void
set_first_values(struct dcp_balance_cluster *c)
{
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        const struct dcp_balance_node *node = &c->nodes[n];
        double *x = &c->value[(size_t)n * WIDTH];

        c->free_mem[n] = node->free_mem_mib;
        c->free_disk[n] = node->free_disk_mib;
        c->free_vcpus[n] = node->max_vcpus - node->used_vcpus;
        c->free_spindles[n] = node->max_spindles - node->used_spindles;
        c->n_online += !node->offline;
        if (node->offline) {
            continue;
        }
        x[DCP_BALANCE_MEM] = over(node->free_mem_mib, node->total_mem_mib);
        x[DCP_BALANCE_MEM_ALL] =
            over(node->reported_mem_mib, node->total_mem_mib);
        x[DCP_BALANCE_VCPU] = over(node->used_vcpus, node->cpus);
        /* A node without free disk counts as if all of it were free. */
        x[DCP_BALANCE_DISK] =
            node->free_disk_mib > 0
                ? over(node->free_disk_mib, node->total_disk_mib)
                : 1;
        x[DCP_BALANCE_SPINDLES] = over(node->used_spindles, node->max_spindles);
    }
    for (uint32_t i = 0; i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];
        double *p = &c->value[(size_t)v->primary * WIDTH];

        c->n_primaries[v->primary]++;
        if (!c->nodes[v->primary].offline) {
            p[DCP_BALANCE_PRIMARIES]++;
            p[DCP_BALANCE_DISK_LOAD]++;
        }
        for (uint32_t k = 0; k < v->n_tags; k++) {
            c->tag_count[(size_t)v->primary * c->n_tags + v->tags[k]]++;
        }
        if (v->secondary == DCP_IX_NONE) {
            continue;
        }
        c->n_secondaries[v->secondary]++;
        if (!c->nodes[v->secondary].offline) {
            c->value[(size_t)v->secondary * WIDTH + DCP_BALANCE_DISK_LOAD]++;
        }
        if (v->reserves) {
            c->peers[(size_t)v->secondary * c->n_nodes + v->primary] +=
                v->mem_mib;
        }
    }
}

void
dcp_balance_find_top(struct dcp_balance_cluster *c, uint32_t node)
{
    const double *row = &c->peers[(size_t)node * c->n_nodes];
    struct dcp_balance_top *top = &c->top[node];

    *top = (struct dcp_balance_top){ { DCP_IX_NONE, DCP_IX_NONE, DCP_IX_NONE },
                                     { 0, 0, 0 } };
    for (uint32_t p = 0; p < c->n_nodes; p++) {
        uint32_t k = 3;

        while (k > 0 && row[p] > top->mib[k - 1]) {
            k--;
        }
        for (uint32_t j = 2; k < 3 && j > k; j--) {
            top->mib[j] = top->mib[j - 1];
            top->peer[j] = top->peer[j - 1];
        }
        if (k < 3) {
            top->mib[k] = row[p];
            top->peer[k] = p;
        }
    }
    c->reserved[node] = top->mib[0];
}

double
dcp_balance_penalty(const struct dcp_balance_cluster *c, uint32_t node)
{
    double here = c->n_primaries[node] + c->n_secondaries[node];
    double penalty = 0;

    if (c->nodes[node].offline) {
        return 4 * here + 16.0 * c->n_primaries[node];
    }
    for (uint32_t t = 0; t < c->n_tags; t++) {
        uint32_t n = c->tag_count[(size_t)node * c->n_tags + t];

        penalty += n > 1 ? 2.0 * (n - 1) : 0;
    }
    return penalty + (c->free_mem[node] < c->reserved[node] ? here : 0);
}

void
dcp_balance_sums(struct dcp_balance_cluster *c)
{
    c->penalties = c->reserved_share = 0;
    for (uint32_t k = 0; k < WIDTH; k++) {
        c->sum[k] = c->square[k] = 0;
    }
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        const double *x = &c->value[(size_t)n * WIDTH];

        c->penalty[n] = dcp_balance_penalty(c, n);
        c->penalties += c->penalty[n];
        if (c->nodes[n].offline) {
            continue;
        }
        c->reserved_share += over(c->reserved[n], c->nodes[n].total_mem_mib);
        for (uint32_t k = 0; k < WIDTH; k++) {
            c->sum[k] += x[k];
            c->square[k] += x[k] * x[k];
        }
    }
}

double
dcp_balance_deviation(const struct dcp_balance_cluster *c,
                      enum dcp_balance_column k)
{
    double n = c->n_online, mean = over(c->sum[k], n);
    double variance = over(c->square[k], n) - mean * mean;

    return variance > 0 ? sqrt(variance) : 0;
}

/* Values are counted from their mean from here on. */
static void
centre(struct dcp_balance_cluster *c)
{
    dcp_balance_sums(c);
    for (uint32_t k = 0; k < WIDTH; k++) {
        c->base[k] = over(c->sum[k], c->n_online);
    }
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        for (uint32_t k = 0; k < WIDTH && !c->nodes[n].offline; k++) {
            c->value[(size_t)n * WIDTH + k] -= c->base[k];
        }
    }
    dcp_balance_sums(c);
    for (uint32_t k = c->width; k < WIDTH; k++) {
        c->constant += c->weight[k] * dcp_balance_deviation(c, k);
    }
}

struct dcp_balance_cluster *
dcp_balance_create(const struct dcp_balance_node nodes[], uint32_t n_nodes,
                   const struct dcp_balance_instance instances[],
                   uint32_t n_instances, uint32_t n_tags, struct dcp_error *err)
{
    struct dcp_balance_cluster *c = calloc(1, sizeof *c);

    if (c) {
        c->n_nodes = n_nodes;
        c->n_instances = n_instances;
        c->n_tags = n_tags;
        for (uint32_t i = 0; i < n_instances; i++) {
            c->reserves = c->reserves || instances[i].secondary != DCP_IX_NONE;
        }
    }
    if (!c || !make_room(c)) {
        dcp_balance_destroy(c);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u instances",
                       n_instances);
        return NULL;
    }
    memcpy(c->nodes, nodes, n_nodes * sizeof *nodes);
    if (n_instances > 0) {
        memcpy(c->instances, instances, n_instances * sizeof *instances);
    }
    for (uint32_t i = 0; i < n_instances; i++) {
        c->home[i] = instances[i].primary;
        c->home_secondary[i] = instances[i].secondary;
    }
    set_loads(c);
    set_weights(c);
    set_first_values(c);
    for (uint32_t n = 0; n < n_nodes && c->reserves; n++) {
        dcp_balance_find_top(c, n);
        if (!nodes[n].offline) {
            c->value[(size_t)n * WIDTH + DCP_BALANCE_RESERVED] =
                over(c->reserved[n], nodes[n].total_mem_mib);
        }
    }
    centre(c);
    return c;
}

double
dcp_balance_score(const struct dcp_balance_cluster *c)
{
    double score = c->constant + 0.25 * c->reserved_share + c->penalties;

    for (uint32_t k = 0; k < c->width; k++) {
        score += c->weight[k] > 0
                     ? c->weight[k] *
                           dcp_balance_deviation(c, (enum dcp_balance_column)k)
                     : 0;
    }
    return score;
}

double
dcp_balance_recount(const struct dcp_balance_cluster *c)
{
    struct dcp_balance_cluster *again;
    struct dcp_balance_node *nodes = calloc(c->n_nodes + 1u, sizeof *nodes);
    double score = NAN;

    for (uint32_t n = 0; nodes && n < c->n_nodes; n++) {
        nodes[n] = c->nodes[n];
    }
    for (uint32_t i = 0; nodes && i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];
        uint32_t at[2][2] = { { c->home[i], c->home_secondary[i] },
                              { v->primary, v->secondary } };

        for (uint32_t k = 0; k < 2; k++) {
            double sign = k ? 1 : -1;
            struct dcp_balance_node *p = &nodes[at[k][0]];
            double disk = v->local_disk ? sign * v->disk_mib : 0;
            double spindles = v->local_disk ? sign * v->spindles : 0;

            p->free_mem_mib -= v->uses_memory ? sign * v->mem_mib : 0;
            p->reported_mem_mib -= sign * v->mem_mib;
            p->used_vcpus += v->uses_vcpus ? sign * v->vcpus : 0;
            p->free_disk_mib -= disk;
            p->used_spindles += spindles;
            if (at[k][1] != DCP_IX_NONE) {
                nodes[at[k][1]].free_disk_mib -= disk;
                nodes[at[k][1]].used_spindles += spindles;
            }
        }
    }
    again = nodes ? dcp_balance_create(nodes, c->n_nodes, c->instances,
                                       c->n_instances, c->n_tags, NULL)
                  : NULL;
    if (again) {
        score = dcp_balance_score(again);
    }
    dcp_balance_destroy(again);
    free(nodes);
    return score;
}

uint32_t
dcp_balance_n_nodes(const struct dcp_balance_cluster *c)
{
    return c->n_nodes;
}

uint32_t
dcp_balance_n_instances(const struct dcp_balance_cluster *c)
{
    return c->n_instances;
}

const struct dcp_balance_instance *
dcp_balance_instance(const struct dcp_balance_cluster *c, uint32_t instance)
{
    return &c->instances[instance];
}

uint32_t
dcp_balance_home(const struct dcp_balance_cluster *c, uint32_t instance,
                 uint32_t *out_secondary)
{
    *out_secondary = c->home_secondary[instance];
    return c->home[instance];
}

const struct dcp_balance_node *
dcp_balance_node(const struct dcp_balance_cluster *c, uint32_t node)
{
    return &c->nodes[node];
}
