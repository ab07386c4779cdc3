/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_TEXT_H
#define DCP_MODEL_BASE_TEXT_H 1

/* A growing string, and small helpers on strings.  A failed allocation sets
 * 'failed' and later calls do nothing: check once, at the end. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_text {
    char *data; /* NUL-terminated once anything was added; owned. */
    size_t length, capacity;
    bool failed;
};

void dcp_text_finish(struct dcp_text *);
void dcp_text_add(struct dcp_text *, const char *bytes, size_t length);
void dcp_text_puts(struct dcp_text *, const char *);
void
dcp_text_printf(struct dcp_text *, const char *format, ...) DCP_PRINTF(2, 3);
/* The text, or "" when nothing was added. */
const char *dcp_text_get(const struct dcp_text *);

/* The shortest decimal that reads back as 'value' ("0.1", "3", "1e+30");
 * whole values below 1e15 print without a point.  Buffer of 32. */
void dcp_text_double(char out[32], double value);

/* Edit distance (insert, delete, replace, swap of neighbours), capped. */
uint32_t dcp_text_distance(const char *a, const char *b, uint32_t cap);

/* Index of the candidate nearest to 'word', or UINT32_MAX when none is near
 * enough to suggest (distance over a third of the length, at least 1). */
uint32_t
dcp_text_nearest(const char *word, const char *const candidates[], uint32_t n);

/* Below, at or above 0 as 'a' comes before, is, or comes after 'b': digits by
 * the number that they are (vm-9 before vm-10), the rest by bytes. */
int dcp_text_compare(const char *a, const char *b);

/* Shell-style match: '*' any run, '?' one character. */
bool dcp_text_glob(const char *pattern, const char *text);

/* How many of the 'length' bytes, from the first, are well-formed UTF-8
 * (Unicode 15, table 3-7): 'length' when all are. */
size_t dcp_text_utf8(const char *bytes, size_t length);

/* Can be shown in a line as it is: UTF-8 without control characters (C0, DEL,
 * C1), line and paragraph separators, and the marks that turn the direction of
 * what follows, with which one name can pass for another. */
bool dcp_text_is_plain(const char *text);

#endif /* model/base/text.h */
