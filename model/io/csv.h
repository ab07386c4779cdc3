/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_CSV_H
#define DCP_MODEL_IO_CSV_H 1

/* Tables as text (RFC 4180): a header line, then one record per line; fields
 * may stand in double quotes, a quote inside is written twice, and a quoted
 * field may hold separators and line ends.  CRLF and a missing last line end
 * are fine, a UTF-8 byte order mark is skipped, empty lines too.
 *
 * Reads in place: fields are cut out of the caller's buffer, which is changed
 * and must outlive them.  Not thread-safe on one reader. */

#include "model/base/error.h"
#include "model/io/yaml.h"

#include <stddef.h>

#define DCP_CSV_COLUMNS_MAX 512

struct dcp_csv {
    char *at, *end;
    const char *path;
    char separator;
    uint32_t line; /* Of the record that is read next. */
    uint32_t n_columns;
    const char *column[DCP_CSV_COLUMNS_MAX]; /* The header, trimmed. */
    /* The record read last. */
    uint32_t n_fields, record_line;
    char *field[DCP_CSV_COLUMNS_MAX];
    uint32_t field_column[DCP_CSV_COLUMNS_MAX]; /* Position, from 1. */
};

/* Starts on 'text' (NUL-terminated at 'length') and reads the header. The
 * separator is the first of , ; | tab that the header has outside quotes; a
 * header of one column is fine.  False: no header, a NUL byte, a column
 * without a name or named twice, too many columns. */
bool dcp_csv_open(struct dcp_csv *, const char *path, char *text, size_t length,
                  struct dcp_error *err) DCP_CHECKED;
/* Next record into field[]; *out_more false: none is left.  False: a quote
 * that never ends, or too many columns.  A record may have fewer or more
 * fields than the header: the caller judges. */
bool dcp_csv_next(struct dcp_csv *, bool *out_more,
                  struct dcp_error *err) DCP_CHECKED;
/* Index of the column, or UINT32_MAX. */
uint32_t dcp_csv_column(const struct dcp_csv *, const char *name);

/* The whole table as a mapping from the column `name` to a mapping of the
 * other columns; empty cells are left out; a column `a.b` becomes a mapping
 * `a` with the key `b` (columns of one mapping stand side by side).  Problems
 * of single records go to 'diag' and reading goes on. */
bool dcp_csv_tree(struct dcp_arena *, const char *path, char *text,
                  size_t length, struct dcp_diag *diag, struct dcp_yaml *out,
                  struct dcp_error *err) DCP_CHECKED;

struct dcp_text;
/* Appends one field, in quotes where it needs them. */
void dcp_csv_put(struct dcp_text *, const char *field);

#endif /* model/io/csv.h */
