/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_ASKED_H
#define DCP_TESTS_SUPPORT_ASKED_H 1

/* A question together with all that it borrows. */

#include "tests/support/question.h"

/* A world with its question, problem and state, from one call to another. */
struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
};

/* About a->w, which is made before; 'q' may be changed between the two. */
static inline void
ask_question(struct asked *a)
{
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
}

static inline void
compile_question(struct asked *a)
{
    a->p = problem_of(&a->q);
    a->s = state_of(a->p);
}

static inline void
finish_question(struct asked *a)
{
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

#endif /* tests/support/asked.h */
