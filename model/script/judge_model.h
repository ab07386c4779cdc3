/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_JUDGE_MODEL_H
#define DCP_MODEL_SCRIPT_JUDGE_MODEL_H 1

/* What the scripts of a model say of its VMs and hosts. */

#include "model/score.h"
#include "model/script/judge_pairs.h"

/* Fills score->pairs, in 'arena'. */
bool
dcp_judge_score(const struct dcp_inventory *, struct dcp_score *score,
                struct dcp_arena *arena, struct dcp_error *err) DCP_CHECKED;

/* Asks all scripts anew, for an inventory that got more VMs: its tables of
 * what has scripts are replaced by ones in 'arena'. */
bool dcp_judge_model(struct dcp_inventory *, struct dcp_arena *arena,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* model/script/judge_model.h */
