/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_LINES_H
#define DCP_TRACES_LINES_H 1

/* A text file, plain or gzip, line by line, with a SHA-256 of its text; and
 * the scanners of fields that all importers share.
 *
 * Not thread-safe; distinct readers may be used by distinct threads. */

#include "model/base/arena.h"
#include "model/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct dcp_lines;

/* A line longer than this is refused. */
#define DCP_LINE_MAX (UINT32_C(1) << 20)

/* 'path' is borrowed: it stands in the positions of errors. */
struct dcp_lines *
dcp_lines_open(const char *path, struct dcp_error *err) DCP_CHECKED;
/* The same over 'size' bytes of memory, which are borrowed; plain text only.
 * 'path' is a name for messages. */
struct dcp_lines *
dcp_lines_open_memory(const char *path, const void *data, size_t size,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_lines_destroy(struct dcp_lines *);
DCP_DEFINE_AUTO(dcp_lines)

/* The next line, without LF or CR LF (the first without a UTF-8 byte order
 * mark), NUL-terminated, valid until the next
 * call and writable.  1: a line; 0: the end; -1: 'err' is filled (unreadable,
 * damaged gzip, a NUL byte, a line over DCP_LINE_MAX). */
int dcp_lines_next(struct dcp_lines *, char **out_line, size_t *out_length,
                   struct dcp_error *err) DCP_CHECKED;

/* Where the last line was. */
struct dcp_pos dcp_lines_pos(const struct dcp_lines *, uint32_t column);
/* The last line had no LF: it may have been cut. */
bool dcp_lines_cut(const struct dcp_lines *);
/* Of all text so far; whole after the end was seen. */
void dcp_lines_hash(const struct dcp_lines *, uint8_t out[32]);

/* A decimal number at 'text', as dcp_scan_double() but faster on the long
 * fractions that monitoring tools print, at the price of the last bit: the
 * result is within 2 ulp.  NULL: none there. */
const char *dcp_scan_number(const char *text, double *out);

/* A whole number that fits; NULL: none there. */
const char *dcp_scan_i64(const char *text, int64_t *out);

/* Cuts 'line' at 'separator' in place; stores up to 'max' fields and returns
 * how many there are.  No quoting. */
uint32_t dcp_split(char *line, char separator, char *out[], uint32_t max);

#endif /* traces/lines.h */
