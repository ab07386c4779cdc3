/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_JUDGE_MODEL_H
#define DCP_MODEL_SCRIPT_JUDGE_MODEL_H 1

/* What the scripts of a model say of its VMs and hosts. */

#include "model/filter.h"
#include "model/score.h"
#include "model/script/judge_pairs.h"

/* Fills score->pairs, in 'arena'. */
bool
dcp_judge_score(const struct dcp_inventory *, struct dcp_score *score,
                struct dcp_arena *arena, struct dcp_error *err) DCP_CHECKED;

/* What the filter says of vms[0..n_vms-1], as ban rules in 'arena'; classes
 * that no host is closed to give none. */
bool dcp_judge_filter(const struct dcp_inventory *, const struct dcp_filter *,
                      const uint32_t vms[], uint32_t n_vms,
                      struct dcp_arena *arena, struct dcp_rule **out_rules,
                      uint32_t *out_n, struct dcp_error *err) DCP_CHECKED;

/* Asks all scripts for an inventory that got more VMs, from 'first_vm' on: its
 * tables of rules and scores are replaced by ones in 'arena'. */
bool
dcp_judge_model(struct dcp_inventory *, uint32_t first_vm,
                struct dcp_arena *arena, struct dcp_error *err) DCP_CHECKED;

#endif /* model/script/judge_model.h */
