/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_ASKED_H
#define DCP_TESTS_SUPPORT_ASKED_H 1

/* A question together with all that it borrows. */

#include "solver/headroom/headroom.h"
#include "solver/search/search.h"
#include "tests/support/question.h"
#include "tests/support/random_model.h"

/* A world with its question, problem and state, from one call to another. */
struct asked {
    struct world w;
    struct dcp_placement *start;
    struct dcp_goals goals; /* Of ask_for_goal(). */
    struct dcp_goal_terms terms;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    struct dcp_bound bound; /* Of pack_by_first_fit(); its value is 0, so that */
    bool complete;          /* no search stops at it. */
};

/* About a->w, which is made before; 'q' may be changed before the next one. */
static inline void
ask_question(struct asked *a)
{
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->q = question_of(&a->w, a->start);
}

/* About a random model of 10 hosts and 60 VMs; every other one asks for
 * headroom. */
static inline void
ask_at_random(struct asked *a, uint64_t seed)
{
    struct sample sample = { seed, 10, 60, seed % 6 };

    *a = (struct asked){ .w = random_model(&sample) };
    ask_question(a);
    a->q.headroom = seed % 2;
}

static inline void
ask_for_goal(struct asked *a, enum dcp_goal goal)
{
    a->goals = dcp_goals_single(goal);
    a->terms = (struct dcp_goal_terms){ .goals = &a->goals,
                                        .paid_to = a->w.demand.n_slots };
    a->q.terms = &a->terms;
}

static inline void
compile_question(struct asked *a)
{
    a->p = problem_of(&a->q);
    a->s = state_of(a->p);
}

/* Compiles the question; the state becomes what first fit makes of it. */
static inline void
pack_by_first_fit(struct asked *a, uint64_t seed)
{
    struct dcp_search_options options = { .strategy = DCP_STRATEGY_FFD,
                                          .seed = seed,
                                          .deadline_ms = INT64_MAX };
    struct dcp_search_result result;
    struct dcp_error err = { 0 };

    compile_question(a);
    ck_assert(dcp_bound_compute(a->p, 1, &a->bound, &err));
    a->bound.value = 0;
    if (!a->bound.infeasible) {
        ck_assert(dcp_search_run(a->s, &a->bound, &options, &result, &err));
        a->complete = result.complete;
    }
}

static inline void
expect_legal(const struct asked *a, struct dcp_state *s)
{
    struct dcp_headroom headroom = { .ok = true };
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i < a->p->n_items; i++) {
        uint32_t h = s->host[i];

        ck_assert(h != DCP_IX_NONE && s->on[h]);
        dcp_state_remove(s, i);
        ck_assert(dcp_state_fits(s, i, h) && dcp_state_allowed(s, i, h));
        dcp_state_place(s, i, h);
    }
    ck_assert(!a->q.headroom ||
              dcp_headroom_check(s, NULL, NULL, &headroom, &err));
    ck_assert(headroom.ok && !dcp_state_broken_power_rule(s));
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
