/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_PARALLEL_H
#define DCP_TRACES_PARALLEL_H 1

/* Independent pieces of work on a few threads, for importers and synth. */

#include "model/base/error.h"

struct dcp_parallel {
    uint32_t n_threads; /* 0 and 1: the caller's own alone. */
    /* One piece; called from several threads, each index once. */
    bool (*run)(void *context, uint32_t i, struct dcp_error *err);
    /* Before pieces that the caller's own thread takes; may be NULL. */
    void (*tick)(void *context);
    void *context;
};

/* Runs pieces 0 <= i < n.  After a failure no new piece is begun; of several
 * failures the one of the lowest index is returned, whatever the threads. */
bool dcp_parallel_run(const struct dcp_parallel *, uint32_t n,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* traces/parallel.h */
