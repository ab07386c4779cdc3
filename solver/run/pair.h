/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RUN_PAIR_H
#define DCP_SOLVER_RUN_PAIR_H 1

/* Two pieces of work that share nothing that either changes, on two threads or
 * one after the other: what they leave is the same. */

#include <pthread.h>
#include <stdbool.h>

typedef void dcp_pair_fn(void *task);

struct dcp_pair_half {
    dcp_pair_fn *work;
    void *task;
};

static inline void *
dcp_pair_second(void *argument)
{
    const struct dcp_pair_half *half = argument;

    half->work(half->task);
    return NULL;
}

/* 'a' on the calling thread; 'b' on a second one where 'two' and there is one,
 * else after it. */
static inline void
dcp_run_pair(dcp_pair_fn *work, void *a, void *b, bool two)
{
    struct dcp_pair_half half = { work, b };
    pthread_t thread;

    two = two && !pthread_create(&thread, NULL, dcp_pair_second, &half);
    work(a);
    if (two) {
        (void)pthread_join(thread, NULL);
    } else {
        work(b);
    }
}

#endif /* solver/run/pair.h */
