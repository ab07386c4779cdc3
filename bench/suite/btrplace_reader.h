/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_BTRPLACE_READER_H
#define DCP_BENCH_BTRPLACE_READER_H 1

/* What the files of the BtrPlace reader share. */

#include "bench/suite/read_btrplace.h"
#include "model/io/json_pull.h"

struct dcp_btr_reader {
    struct dcp_btrplace *out;
    struct dcp_rc_world *w;
    struct dcp_arena *arena;
    const char *path;
    struct dcp_pull pull;
    /* Bookmarks; 'text' NULL: absent. */
    struct dcp_pull mapping, views, attributes, constraints, actions, network;
    uint32_t *buffer; /* Ids being read; freed at the end. */
    size_t room;
    uint32_t *seen, stamp; /* [max(n_nodes, n_vms)]: for lists without twins. */
    uint8_t *told_vm;      /* [vm]: a constraint has set its phase. */
    struct dcp_rc_rule *rules; /* Growing; freed at the end. */
    uint32_t rules_room;
    struct dcp_error *err;
};

/* Index of an id of the file; DCP_RC_NONE: the mapping has none such. */
uint32_t dcp_btr_node(const struct dcp_btr_reader *, int64_t id);
uint32_t dcp_btr_vm(const struct dcp_btr_reader *, int64_t id);

/* The number that a member's name is ("4970"), or fails the pull. */
int64_t dcp_btr_key_id(struct dcp_pull *, const char *key);

/* read_btrplace_rules.c, read_btrplace_plan.c. */
bool dcp_btr_read_rules(struct dcp_btr_reader *);
bool dcp_btr_read_actions(struct dcp_btr_reader *);

bool dcp_btr_no_memory(struct dcp_btr_reader *); /* Fails; false. */

#endif /* bench/suite/btrplace_reader.h */
