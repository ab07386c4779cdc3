/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
dcp_diag_finish(struct dcp_diag *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->items[i].path);
        free(d->items[i].message);
    }
    free(d->items);
    *d = (struct dcp_diag){ 0 };
}

static void
count(struct dcp_diag *d, enum dcp_severity severity)
{
    d->n_errors += severity == DCP_ERROR;
    d->n_warnings += severity == DCP_WARNING;
}

static void
add(struct dcp_diag *d, enum dcp_severity severity, struct dcp_pos pos,
    const char *message)
{
    count(d, severity);
    if (d->n >= DCP_DIAG_MAX) {
        return;
    }
    if (d->n == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 16;
        struct dcp_diagnostic *items =
            realloc(d->items, capacity * sizeof *items);

        if (!items) {
            return; /* Still counted: the input stays refused. */
        }
        d->items = items;
        d->capacity = capacity;
    }
    struct dcp_diagnostic item = {
        .severity = severity,
        .path = pos.path ? strdup(pos.path) : NULL,
        .line = pos.line,
        .column = pos.column,
        .message = strdup(message),
    };
    if (item.message) {
        dcp_one_line(item.message);
    }
    if (!item.message || (pos.path && !item.path)) {
        free(item.path);
        free(item.message);
        return;
    }
    d->items[d->n++] = item;
}

void
dcp_diag_add(struct dcp_diag *d, enum dcp_severity severity, struct dcp_pos pos,
             const char *format, ...)
{
    char message[600];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    add(d, severity, pos, message);
}

void
dcp_diag_add_error(struct dcp_diag *d, const struct dcp_error *err)
{
    add(d, DCP_ERROR, err->pos, err->message);
}

static int
compare(const void *pa, const void *pb)
{
    const struct dcp_diagnostic *a = pa, *b = pb;
    int by_path = strcmp(a->path ? a->path : "", b->path ? b->path : "");

    if (by_path) {
        return by_path;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->column != b->column) {
        return a->column < b->column ? -1 : 1;
    }
    return strcmp(a->message, b->message);
}

void
dcp_diag_sort(struct dcp_diag *d)
{
    if (d->n > 1) {
        qsort(d->items, d->n, sizeof *d->items, compare);
    }
}
