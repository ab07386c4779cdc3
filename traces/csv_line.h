/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_CSV_LINE_H
#define DCP_TRACES_CSV_LINE_H 1

/* One line of CSV, cut into its fields in place: quotes as in RFC 4180, but a
 * field does not span lines; spaces around a field are dropped.
 *
 * Not thread-safe on one line. */

#include "model/base/error.h"

struct dcp_csv_line {
    char **field; /* Owned; the texts are the caller's. Zero-initialise. */
    uint32_t n, capacity;
};

/* Changes 'text', which the fields borrow.  'pos' is of the line: an error
 * gets its column. */
bool dcp_csv_line_cut(struct dcp_csv_line *, char *text, char separator,
                      struct dcp_pos pos, struct dcp_error *err) DCP_CHECKED;
void dcp_csv_line_finish(struct dcp_csv_line *);

#endif /* traces/csv_line.h */
