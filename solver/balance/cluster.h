/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_CLUSTER_H
#define DCP_SOLVER_BALANCE_CLUSTER_H 1

/* How even a cluster of Ganeti is, exactly as its htools score it, kept up to
 * date by each move.
 *
 * The score is a weighted sum of standard deviations over the nodes that are
 * online (of the share of free memory and disk, of vCPUs per CPU, of the number
 * of instances, of reserved memory, of spindles), of reserved memory, and of
 * penalties (instances on nodes that are offline or fail N+1, exclusion tags
 * that share a node).  Lower is better.  Each deviation needs a sum and a sum
 * of squares only, so that a trial of a move costs the same whatever the size
 * of the cluster:  sd^2 = Q/n - (S/n)^2, with values counted from the mean at
 * the start, which keeps the difference of the two from cancelling.
 *
 * Source: Ganeti 3.0's hbal(1) and htools(1); the weights are those that
 * `hbal -vvv` prints.  Memory in MiB, disk in MiB.  One thread. */

#include "model/base/error.h"
#include "model/base/id.h"

#include <stddef.h>

/* What the score looks at, by node. */
enum dcp_balance_column {
    DCP_BALANCE_MEM,       /* Free memory by total. */
    DCP_BALANCE_VCPU,      /* vCPUs by CPUs. */
    DCP_BALANCE_PRIMARIES, /* Instances that run here. */
    DCP_BALANCE_MEM_ALL,   /* Free memory, as reported, by total. */
    DCP_BALANCE_DISK,      /* Free disk by total. */
    DCP_BALANCE_DISK_LOAD, /* Instances with a disk here, of both roles. */
    DCP_BALANCE_SPINDLES,  /* Spindles in use by the most that may be. */
    DCP_BALANCE_RESERVED,  /* Memory kept free for one node's failure. */
    DCP_BALANCE_N_COLUMNS
};

struct dcp_balance_node {
    double total_mem_mib, total_disk_mib;
    double cpus;             /* By their speed. */
    double free_mem_mib;     /* Not promised to an instance. */
    double reported_mem_mib; /* Free by the node's own word. */
    double free_disk_mib;
    double used_vcpus, max_vcpus, used_spindles, max_spindles;
    bool offline;
};
struct dcp_balance_instance {
    double mem_mib, disk_mib, vcpus, spindles;
    uint32_t primary, secondary; /* Secondary: DCP_IX_NONE where none. */
    bool mirrored;               /* Has a second copy of its disk: DRBD. */
    bool local_disk;             /* Its disk takes room of its nodes. */
    bool movable;
    bool uses_memory; /* It is up. */
    bool uses_vcpus;
    bool reserves;        /* Its memory is kept free on the secondary. */
    const uint32_t *tags; /* Exclusion tags, ascending; borrowed. */
    uint32_t n_tags;
};

struct dcp_balance_cluster;

/* Copies nodes and instances; free memory, disk, vCPUs and spindles of the
 * nodes are those with the instances where they are.  NULL: failed. */
struct dcp_balance_cluster *
dcp_balance_create(const struct dcp_balance_node nodes[], uint32_t n_nodes,
                   const struct dcp_balance_instance instances[],
                   uint32_t n_instances, uint32_t n_tags,
                   struct dcp_error *err) DCP_CHECKED;
void dcp_balance_destroy(struct dcp_balance_cluster *);

uint32_t dcp_balance_n_nodes(const struct dcp_balance_cluster *);
uint32_t dcp_balance_n_instances(const struct dcp_balance_cluster *);
/* Where an instance is now, and was at first. */
const struct dcp_balance_instance *
dcp_balance_instance(const struct dcp_balance_cluster *, uint32_t instance);
uint32_t dcp_balance_home(const struct dcp_balance_cluster *, uint32_t instance,
                          uint32_t *out_secondary);
const struct dcp_balance_node *
dcp_balance_node(const struct dcp_balance_cluster *, uint32_t node);

/* The score by the running sums, and by a count of everything. */
double dcp_balance_score(const struct dcp_balance_cluster *);
double dcp_balance_recount(const struct dcp_balance_cluster *);

/* Which nodes an instance would have. */
struct dcp_balance_move {
    uint32_t instance, primary, secondary;
};
/* The score after one or two moves of distinct instances, done at once;
 * INFINITY: some node has no room, or a loss could no longer be survived. */
double dcp_balance_try(struct dcp_balance_cluster *,
                       const struct dcp_balance_move moves[], uint32_t n);
/* Does the moves, whether or not they fit. */
void dcp_balance_do(struct dcp_balance_cluster *,
                    const struct dcp_balance_move moves[], uint32_t n);
/* Whether hbal could do this as one step from where the instance is: at most
 * one of the two nodes is new, and the way there has room too. */
bool dcp_balance_is_step(struct dcp_balance_cluster *,
                         const struct dcp_balance_move *);
/* Steps of hbal from the instance's first nodes to 'primary', 'secondary'. */
uint32_t
dcp_balance_steps(const struct dcp_balance_cluster *, uint32_t instance,
                  uint32_t primary, uint32_t secondary);

/* A score that no placement undercuts that is at most 'max_steps' steps (0: any
 * number) from where the instances are now.  Where a load counts alike on all
 * nodes: whole units cannot be spread more evenly than in two neighbouring
 * multiples of them; and a step takes at most the largest load from one node to
 * another, so that as many steps level the highest and raise the lowest no
 * further than that much.  Reserved memory: each node keeps at least the mean
 * over its peers.  What no move changes counts in full.  Safe against rounding
 * by a relative 1e-9. */
double
dcp_balance_bound(const struct dcp_balance_cluster *, uint32_t max_steps);

#endif /* solver/balance/cluster.h */
