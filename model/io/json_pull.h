/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_JSON_PULL_H
#define DCP_MODEL_IO_JSON_PULL_H 1

/* JSON (RFC 8259) read value by value, without building a tree: for files of
 * tens of millions of numbers.  jansson (model/io/plan_reader.h and others) is
 * for files that are looked at as a whole.
 *
 *   dcp_pull_init(&p, "file", text, length);
 *   dcp_pull_object(&p);
 *   while (dcp_pull_key(&p, key, sizeof key)) {
 *       if (!strcmp(key, "vms")) {
 *           dcp_pull_array(&p);
 *           while (dcp_pull_more(&p)) { id = dcp_pull_i64(&p); ... }
 *       } else {
 *           dcp_pull_skip(&p);
 *       }
 *   }
 *   return dcp_pull_ok(&p, err);
 *
 * The first failure is remembered; from then on every loop ends and every
 * value is zero, so a caller asks once, at the end.  The struct may be copied:
 * a copy is a bookmark.  Not thread-safe. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_pull {
    const char *text, *at, *end;
    const char *path; /* For messages. */
    uint64_t fresh;   /* Bit d: nothing was read yet at depth d. */
    uint32_t depth;
    const char *problem; /* NULL: none yet; at 'at'. */
};

enum dcp_pull_kind {
    DCP_PULL_OBJECT,
    DCP_PULL_ARRAY,
    DCP_PULL_STRING,
    DCP_PULL_NUMBER,
    DCP_PULL_WORD, /* true, false, null. */
    DCP_PULL_END,  /* Neither: the end, or a failure. */
};

void dcp_pull_init(struct dcp_pull *, const char *path, const char *text,
                   size_t length);

/* What comes next. */
enum dcp_pull_kind dcp_pull_next(struct dcp_pull *);

/* Enters an object; its members by name until false.  A name longer than
 * 'size' - 1 bytes is cut. */
void dcp_pull_object(struct dcp_pull *);
bool dcp_pull_key(struct dcp_pull *, char *key, size_t size);
/* Enters an array; false after its last item. */
void dcp_pull_array(struct dcp_pull *);
bool dcp_pull_more(struct dcp_pull *);

int64_t dcp_pull_i64(struct dcp_pull *); /* A whole number. */
double dcp_pull_double(struct dcp_pull *);
bool dcp_pull_bool(struct dcp_pull *); /* null is false. */
/* Escapes are decoded but \u, which becomes '?' above ASCII; cut to size. */
void dcp_pull_string(struct dcp_pull *, char *out, size_t size);
void dcp_pull_skip(struct dcp_pull *); /* Any value. */

/* Fails where the caller finds a value wrong; 'problem' is a literal. */
void dcp_pull_wrong(struct dcp_pull *, const char *problem);
/* False: something failed; 'err' gets it, with line and column. */
bool dcp_pull_ok(const struct dcp_pull *, struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/json_pull.h */
