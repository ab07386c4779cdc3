/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_QUESTION_H
#define DCP_TESTS_SUPPORT_QUESTION_H 1

/* A question about a small world, compiled for the search. */

#include "solver/state.h"
#include "tests/support/world.h"

#include <check.h>

/* From 'start', over all slots: hosts may be woken and emptied. */
static inline struct dcp_question
question_of(const struct world *w, const struct dcp_placement *start)
{
    return (struct dcp_question){ .inventory = w->inv,
                                  .demand = &w->demand,
                                  .last_slot = w->demand.n_slots,
                                  .start = start,
                                  .may_wake = true,
                                  .may_empty = true };
}

/* The caller destroys it, and the state made of it. */
static inline struct dcp_problem *
problem_of(const struct dcp_question *q)
{
    struct dcp_error err = { 0 };
    struct dcp_problem *p = dcp_problem_create(q, &err);

    ck_assert_msg(p != NULL, "%s", err.message);
    return p;
}

static inline struct dcp_state *
state_of(const struct dcp_problem *p)
{
    struct dcp_error err = { 0 };
    struct dcp_state *s = dcp_state_create(p, &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    return s;
}

#endif /* tests/support/question.h */
