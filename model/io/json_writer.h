/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_JSON_WRITER_H
#define DCP_MODEL_IO_JSON_WRITER_H 1

/* Streaming JSON (RFC 8259) into a growing text.  Numbers are printed with
 * the fewest digits that read back the same; NaN and infinities as null.
 * Keys come out in the order of the calls, so equal calls give equal bytes.
 *
 *   dcp_json_begin(&w, '{');
 *   dcp_json_key(&w, "hosts");  dcp_json_u64(&w, 12);
 *   dcp_json_end(&w, '}');
 *
 * A container opened with dcp_json_begin_line() prints on one line even in
 * pretty form. Not thread-safe. */

#include "model/base/text.h"

#include <stdint.h>

struct dcp_json {
    struct dcp_text text;
    uint32_t depth;
    uint32_t line_depth; /* > 0: inside a one-line container. */
    bool pretty, need_comma, after_key;
};

void dcp_json_init(struct dcp_json *, bool pretty);
void dcp_json_finish(struct dcp_json *); /* Frees the text. */

void dcp_json_begin(struct dcp_json *, char open);      /* '{' or '['. */
void dcp_json_begin_line(struct dcp_json *, char open);
void dcp_json_end(struct dcp_json *, char close);       /* '}' or ']'. */
void dcp_json_key(struct dcp_json *, const char *key);
void dcp_json_string(struct dcp_json *, const char *); /* NULL: null. */
void dcp_json_double(struct dcp_json *, double);
void dcp_json_i64(struct dcp_json *, int64_t);
void dcp_json_u64(struct dcp_json *, uint64_t);
void dcp_json_bool(struct dcp_json *, bool);
void dcp_json_null(struct dcp_json *);
void dcp_json_instant(struct dcp_json *, int64_t ms); /* RFC 3339 UTC. */
/* JSON text made elsewhere, as one value. */
void dcp_json_raw(struct dcp_json *, const char *json);

/* Shorthands for an object's members. */
void dcp_json_kstring(struct dcp_json *, const char *key, const char *);
void dcp_json_kdouble(struct dcp_json *, const char *key, double);
void dcp_json_ki64(struct dcp_json *, const char *key, int64_t);
void dcp_json_ku64(struct dcp_json *, const char *key, uint64_t);
void dcp_json_kbool(struct dcp_json *, const char *key, bool);
void dcp_json_knull(struct dcp_json *, const char *key);
void dcp_json_kinstant(struct dcp_json *, const char *key, int64_t ms);
void dcp_json_kobject(struct dcp_json *, const char *key);  /* key + '{' */
void dcp_json_karray(struct dcp_json *, const char *key);   /* key + '[' */

/* The text so far (borrowed); NULL: memory ran out. */
const char *dcp_json_text(const struct dcp_json *);

#endif /* model/io/json_writer.h */
