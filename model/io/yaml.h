/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_YAML_H
#define DCP_MODEL_IO_YAML_H 1

/* YAML 1.2 text -> a tree of nodes that know where they stand.
 *
 * A safe subset: mappings, sequences and scalars.  Anchors, aliases, tags, a
 * second document, keys that are not plain text, duplicate keys, NUL bytes and
 * nesting beyond DCP_YAML_DEPTH are errors, so that no text can blow up when
 * it is read and none means two things.  A scalar is text until a schema row
 * says its type: `NO`, `010` and `1.10` stay as written.
 *
 * CSV tables (model/io/csv.h) come as the same tree, so that one reader serves
 * both; their scalars are marked as cells, where lists are separated by spaces.
 *
 * Not thread-safe on one arena. */

#include "model/base/arena.h"
#include "model/base/diag.h"

#define DCP_YAML_DEPTH     64
#define DCP_YAML_MAX_BYTES ((size_t)64 << 20)

enum dcp_yaml_kind { DCP_YAML_SCALAR, DCP_YAML_SEQUENCE, DCP_YAML_MAPPING };

struct dcp_yaml {
    enum dcp_yaml_kind kind;
    bool quoted; /* Scalar in quotes or block form. */
    bool cell;   /* Scalar of a CSV table. */
    uint32_t n;  /* Items or entries. */
    struct dcp_pos pos;
    union {
        const char *text;                     /* Scalar. */
        const struct dcp_yaml *items;         /* Sequence. */
        const struct dcp_yaml_entry *entries; /* Mapping, as written. */
    };
};
struct dcp_yaml_entry {
    const char *key;
    struct dcp_pos pos;
    struct dcp_yaml value;
};

/* Parses one document.  Problems go to 'diag', as many as can be found; false
 * when there is no tree because of them ('err' then has the last).  An empty
 * document is an empty mapping.  'path' (for positions; may be NULL) and the
 * tree's arena must outlive the tree; 'text' need not. */
bool dcp_yaml_parse(struct dcp_arena *, const char *path, const char *text,
                    size_t length, struct dcp_diag *diag, struct dcp_yaml *out,
                    struct dcp_error *err) DCP_CHECKED;

/* The value of 'key', or NULL: not there, or 'map' is no mapping. */
const struct dcp_yaml *
dcp_yaml_get(const struct dcp_yaml *map, const char *key);
/* "a mapping", "a list", "text". */
const char *dcp_yaml_kind_name(enum dcp_yaml_kind);

#endif /* model/io/yaml.h */
