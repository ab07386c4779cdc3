/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_CLUSTER_PARTS_H
#define DCP_SOLVER_BALANCE_CLUSTER_PARTS_H 1

/* The state behind solver/balance/cluster.h; private to solver/balance. */

#include "solver/balance/cluster.h"

#define WIDTH ((uint32_t)DCP_BALANCE_N_COLUMNS)

/* The largest reservations of a node by the peer they are for. */
struct dcp_balance_top {
    uint32_t peer[3];
    double mib[3];
};

struct dcp_balance_cluster {
    uint32_t n_nodes, n_instances, n_tags, n_online;
    struct dcp_balance_node *nodes;
    struct dcp_balance_instance *instances;
    uint32_t *home, *home_secondary;
    uint32_t width; /* Columns to look at: 4 where nothing else changes. */
    double weight[DCP_BALANCE_N_COLUMNS];
    double constant; /* The score's part that no move changes. */
    double base[DCP_BALANCE_N_COLUMNS]; /* Values are counted from here. */
    double sum[DCP_BALANCE_N_COLUMNS], square[DCP_BALANCE_N_COLUMNS];
    double *value;  /* [node][column], less 'base'. */
    double *factor; /* [node][column]: of a load in the value. */
    double *as_primary, *as_secondary; /* [instance][column]: load. */
    double *free_mem, *free_disk, *free_vcpus, *free_spindles; /* By node. */
    uint32_t *n_primaries, *n_secondaries;
    double *penalty; /* By node. */
    double penalties;
    bool reserves; /* Some instance reserves memory. */
    double *peers; /* [node][peer]: reserved for the peer's failure. */
    struct dcp_balance_top *top;
    double *reserved;      /* By node: the largest of its row. */
    double reserved_share; /* Sum of reserved by total memory. */
    uint32_t *tag_count;   /* [node][tag] */
    uint64_t n_done;       /* Moves done; sums are recounted every so often. */
};

/* Recounts sums and penalties from the nodes' values. */
void dcp_balance_sums(struct dcp_balance_cluster *);
/* The standard deviation of a column. */
double dcp_balance_deviation(const struct dcp_balance_cluster *,
                             enum dcp_balance_column);
/* Of a node, from its counts: offline, failing N+1, shared exclusion tags. */
double dcp_balance_penalty(const struct dcp_balance_cluster *, uint32_t node);
/* The largest reservations of a node, and what it reserves. */
void dcp_balance_find_top(struct dcp_balance_cluster *, uint32_t node);

#endif /* solver/balance/cluster_parts.h */
