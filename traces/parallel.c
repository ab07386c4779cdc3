/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

struct job {
    const struct dcp_parallel *p;
    uint32_t n;
    _Atomic uint64_t next; /* Wide: each thread adds one past the end. */
    pthread_mutex_t mutex; /* Guards the two below. */
    uint32_t failed;       /* Lowest index that failed; UINT32_MAX: none. */
    struct dcp_error error;
};

static void
work(struct job *j, bool is_caller)
{
    for (;;) {
        uint64_t i = atomic_fetch_add(&j->next, 1);
        struct dcp_error error = { 0 };

        if (i >= j->n) {
            return;
        }
        if (is_caller && j->p->tick) {
            j->p->tick(j->p->context);
        }
        if (!j->p->run(j->p->context, (uint32_t)i, &error)) {
            (void)pthread_mutex_lock(&j->mutex);
            if (i < j->failed) {
                j->failed = (uint32_t)i;
                j->error = error;
            }
            (void)pthread_mutex_unlock(&j->mutex);
            /* All lower indices were handed out before. */
            atomic_store(&j->next, j->n);
            return;
        }
    }
}

static void *
helper(void *job)
{
    work(job, false);
    return NULL;
}

bool
dcp_parallel_run(const struct dcp_parallel *p, uint32_t n,
                 struct dcp_error *err)
{
    enum { HELPERS_MAX = 63 };
    pthread_t thread[HELPERS_MAX];
    uint32_t started = 0, wanted = p->n_threads > 1 ? p->n_threads - 1 : 0;
    struct job j = { .p = p, .n = n, .failed = UINT32_MAX };

    (void)pthread_mutex_init(&j.mutex, NULL);
    wanted = wanted < HELPERS_MAX ? wanted : HELPERS_MAX;
    wanted = wanted < n ? wanted : n;
    while (started < wanted &&
           pthread_create(&thread[started], NULL, helper, &j) == 0) {
        started++;
    }
    work(&j, true);
    while (started) {
        (void)pthread_join(thread[--started], NULL);
    }
    (void)pthread_mutex_destroy(&j.mutex);
    if (j.failed == UINT32_MAX) {
        return true;
    }
    if (err) {
        *err = j.error;
    }
    return false;
}
