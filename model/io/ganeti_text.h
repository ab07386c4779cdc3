/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_GANETI_TEXT_H
#define DCP_MODEL_IO_GANETI_TEXT_H 1

/* The text format of Ganeti's htools (`hbal -t`, `hspace -t`, as `gnt-cluster`
 * tools write it): five sections, one empty line between them:
 *
 *   groups:    name|uuid|policy|tags|networks
 *   nodes:     name|t_mem|n_mem|f_mem|t_dsk|f_dsk|cpus|N,Y or M|group|spindles|
 *              tags|exclusive storage|free spindles|own vcpus|cpu speed
 *   instances: name|mem|disk|vcpus|status|Y or N|pnode|snode|template|tags|
 *              spindle use
 *   cluster tags, one a line
 *   policies:  owner|standard|min;max|templates|vcpu ratio|spindle ratio, the
 *              specifications as mem,cpu,disk,disks,nics,spindles
 *
 * Memory and disk in MiB; a node's status Y is offline, M the master.  What a
 * caller changes (free memory and disk of nodes, nodes of instances, further
 * instances) is printed anew, all else as it was read.
 *
 * Format: htools(1) of Ganeti 3.0.  Strings live in the arena.  Not
 * thread-safe. */

#include "model/base/arena.h"
#include "model/base/strmap.h"
#include "model/base/text.h"

#define DCP_GANETI_MAX_FIELDS 16u

/* What a node, a group or an instance had on its line. */
struct dcp_ganeti_fields {
    const char *text[DCP_GANETI_MAX_FIELDS];
    uint32_t n;
};
struct dcp_ganeti_group {
    struct dcp_ganeti_fields fields;
    const char *name, *uuid;
};
struct dcp_ganeti_node {
    struct dcp_ganeti_fields fields;
    const char *name;
    double total_mem_mib, own_mem_mib, free_mem_mib;
    double total_disk_mib, free_disk_mib, cpus, spindles;
    double own_vcpus, cpu_speed; /* Of the node itself; of one CPU. */
    uint32_t group;
    bool offline, exclusive_storage, has_tags;
};
enum dcp_ganeti_template {
    DCP_GANETI_PLAIN,  /* Disk of the node; cannot move. */
    DCP_GANETI_DRBD,   /* Disk of two nodes. */
    DCP_GANETI_SHARED, /* Reached from every node: ext, rbd, ... */
    DCP_GANETI_FIXED,  /* diskless, file: no disk counted, cannot move. */
};
struct dcp_ganeti_instance {
    struct dcp_ganeti_fields fields;
    const char *name, *tags;
    double mem_mib, disk_mib, vcpus, spindles;
    uint32_t primary, secondary; /* Nodes; secondary may be DCP_IX_NONE. */
    enum dcp_ganeti_template template;
    bool runs;      /* Neither ADMIN_down nor ADMIN_offline. */
    bool is_up;     /* running or ERROR_up: holds its memory. */
    bool offline;   /* ADMIN_offline: wants no CPU, and no reserve. */
    bool automatic; /* May be moved. */
};
struct dcp_ganeti_policy {
    struct dcp_ganeti_fields fields;
    const char *owner, *templates;
    double std_mem_mib, std_vcpus, std_disk_mib, std_spindles;
    double vcpu_ratio, spindle_ratio;
};
struct dcp_ganeti_text {
    struct dcp_arena *arena;
    struct dcp_ganeti_group *groups;
    struct dcp_ganeti_node *nodes;
    struct dcp_ganeti_instance *instances;
    const char **tags;
    struct dcp_ganeti_policy *policies;
    uint32_t n_groups, n_nodes, n_instances, n_tags, n_policies;
    uint32_t n_sections; /* As read: 4 or 5 are complete. */
};

/* Reads 'length' characters; 'path' names them in errors (DCP_E_PARSE, with
 * the line).  Finish what was read even after a failure. */
bool dcp_ganeti_parse(const char *text, size_t length, const char *path,
                      struct dcp_ganeti_text *out,
                      struct dcp_error *err) DCP_CHECKED;
bool dcp_ganeti_read(const char *path, struct dcp_ganeti_text *out,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_ganeti_finish(struct dcp_ganeti_text *);

/* The policy of the cluster, or NULL. */
const struct dcp_ganeti_policy *
dcp_ganeti_cluster_policy(const struct dcp_ganeti_text *);
/* The policy of a group, else the cluster's, or NULL. */
const struct dcp_ganeti_policy *
dcp_ganeti_group_policy(const struct dcp_ganeti_text *, uint32_t group);
/* "drbd", "ext"; DCP_GANETI_FIXED for what is not known. */
enum dcp_ganeti_template
dcp_ganeti_template_of(const char *name, size_t length);

/* The same format, with the present values. */
void dcp_ganeti_print(const struct dcp_ganeti_text *, struct dcp_text *out);

#endif /* model/io/ganeti_text.h */
