/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_DIAG_H
#define DCP_MODEL_BASE_DIAG_H 1

/* Many messages about one input, so that a user mends a file in one round.
 * A diagnostic reads `dc.yaml:42:7: vm 'web-09': network 'blue' is not
 * defined; did you mean 'blue-2'?`: position, object, problem, remedy. */

#include "model/base/error.h"

#include <stddef.h>

enum dcp_severity { DCP_NOTE, DCP_WARNING, DCP_ERROR };

struct dcp_diagnostic {
    enum dcp_severity severity;
    char *path; /* Owned by the list; NULL: none. */
    uint32_t line, column;
    char *message; /* Owned by the list. */
};

/* Zero-initialise; at most DCP_DIAG_MAX are kept, the rest are counted. */
struct dcp_diag {
    struct dcp_diagnostic *items;
    size_t n, capacity;
    size_t n_errors, n_warnings; /* All, kept or not. */
};
#define DCP_DIAG_MAX 1000

void dcp_diag_finish(struct dcp_diag *);
void dcp_diag_add(struct dcp_diag *, enum dcp_severity, struct dcp_pos,
                  const char *format, ...) DCP_PRINTF(4, 5);
/* Appends the one message of 'err', as an error. */
void dcp_diag_add_error(struct dcp_diag *, const struct dcp_error *err);
/* Stable order by path, line, column. */
void dcp_diag_sort(struct dcp_diag *);

#endif /* model/base/diag.h */
