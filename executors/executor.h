/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_EXECUTOR_H
#define DCP_EXECUTORS_EXECUTOR_H 1

/* Whoever can carry out steps of a plan: a dry run that only lists them, the
 * simulator, hypervisors and switches, or a program of somebody else's.
 * Implementations are interchangeable because time belongs to the executor:
 * the runner (executors/runner.h) never sleeps and never asks the system for
 * the time.  In the simulator 'wait' jumps the virtual clock.
 *
 * Life of a step:  observe, test, start, wait ... event, observe again.
 *
 * What an event claims is never believed alone: the runner observes before it
 * acts and after it acted.  So a step that was done already is skipped, a run
 * that was killed resumes, and a command whose answer got lost is settled by
 * looking, not by trying again elsewhere.
 *
 * One executor, one thread. */

#include "model/plan.h"

#include <stdbool.h>
#include <stdint.h>

/* What the world shows of one step. */
enum dcp_effect {
    DCP_EFFECT_ABSENT,    /* Not begun: what the step starts from holds. */
    DCP_EFFECT_RUNNING,   /* Under way, whoever began it. */
    DCP_EFFECT_PRESENT,   /* What the step is for holds. */
    DCP_EFFECT_ELSEWHERE, /* Neither: the world is not what the plan assumed. */
    DCP_EFFECT_UNKNOWN,   /* Cannot be seen now. */
};

struct dcp_observation {
    enum dcp_effect effect;
    int64_t age_ms; /* How old what was seen is; 0: fresh. */
    char text[160]; /* What was seen, for people; "" when as expected. */
};

/* The end of a step that was started, as the executor tells it. */
struct dcp_event {
    uint32_t step; /* Id. */
    bool ok;
    int64_t at_ms;
    char text[160]; /* Why it failed; "" when ok. */
};

struct dcp_executor;

struct dcp_executor_ops {
    uint32_t abi; /* DCP_EXECUTOR_ABI. */
    const char *name, *summary;
    uint32_t kinds; /* Bit per enum dcp_step_kind that it can carry out. */

    /* Could the step start now?  Asks, changes nothing; false with the reason
     * in 'err'.  May be NULL: always.  May block shortly. */
    bool (*test)(struct dcp_executor *, const struct dcp_step *,
                 struct dcp_error *err);
    /* Begins the step and returns at once; its end comes as an event.  False:
     * it was refused, or it cannot be told whether it began. */
    bool (*start)(struct dcp_executor *, const struct dcp_step *,
                  struct dcp_error *err);
    /* Blocks until an event or until now_ms() reaches 'deadline_ms'
     * (INT64_MAX: none); may come back earlier with nothing, so that whoever
     * asks sees interrupts.  *out_got false: no event.  False only when the
     * executor itself is broken. */
    bool (*wait)(struct dcp_executor *, int64_t deadline_ms,
                 struct dcp_event *out, bool *out_got, struct dcp_error *err);
    /* Looks, over all hosts and not only at the step's two ends: a VM that is
     * seen nowhere is unknown, not absent.  Changes nothing.  May block
     * shortly.  False: looking failed; the runner takes that as unknown. */
    bool (*observe)(struct dcp_executor *, const struct dcp_step *,
                    struct dcp_observation *out, struct dcp_error *err);
    /* Asks that a running step be given up; its event still comes.  May be
     * NULL: steps cannot be cancelled. */
    bool (*cancel)(struct dcp_executor *, uint32_t step, struct dcp_error *err);
    /* A descriptor that poll() says can be read as soon as 'wait' might have an
     * event, or might have something to do; the executor's own, it may be an
     * epoll set.  May be NULL: there is none, and 'wait' must be asked.  With it
     * several executors share one wait (executors/group.h). */
    int (*poll_fd)(struct dcp_executor *);
    /* The executor's clock, ms since 1970 UTC; never goes back. */
    int64_t (*now_ms)(struct dcp_executor *);
    /* Frees the executor, half-built or whole. */
    void (*destroy)(struct dcp_executor *);
};
#define DCP_EXECUTOR_ABI 1

struct dcp_executor { /* Embed as the first member. */
    const struct dcp_executor_ops *ops;
};

/* NULL is fine. */
static inline void
dcp_executor_destroy(struct dcp_executor *executor)
{
    if (executor) {
        executor->ops->destroy(executor);
    }
}
DCP_DEFINE_AUTO(dcp_executor)

#endif /* executors/executor.h */
