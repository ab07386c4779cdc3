/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_GOALS_H
#define DCP_MODEL_GOALS_H 1

/* What is to be made small, as people write it: levels, the most important
 * first, each one goal or a weighted sum of goals.
 *
 *   cost
 *   hosts,moves                a later goal counts among answers that are as
 *                              good by the earlier ones (within a slack)
 *   cost+0.02*moves,balance    0.02 of the money's unit for each move
 *
 * Pure data. */

#include "model/base/error.h"
#include "model/policy.h"

struct dcp_goals {
    struct dcp_goal_level level[DCP_GOALS_MAX];
    uint32_t n_levels;
    double slack_frac; /* A later level may cost an earlier one so much of its
                        * best value; default 0. */
};

/* Reads the text form; the error names the part that is wrong. */
bool dcp_goals_parse(const char *text, struct dcp_goals *out,
                     struct dcp_error *err) DCP_CHECKED;
/* The policy's goals. */
void dcp_goals_of_policy(const struct dcp_policy *, struct dcp_goals *out);
/* One goal alone. */
struct dcp_goals dcp_goals_single(enum dcp_goal);
/* The level's only goal; false: it is a sum. */
bool dcp_goal_level_single(const struct dcp_goal_level *, enum dcp_goal *out);
/* "cost+0.02*moves". */
void
dcp_goal_level_print(const struct dcp_goal_level *, char *out, size_t size);
/* Whether the level counts the goal, in a sum or alone. */
bool dcp_goal_level_has(const struct dcp_goal_level *, enum dcp_goal);

#endif /* model/goals.h */
