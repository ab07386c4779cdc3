/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCRIPT_JUDGE_PAIRS_H
#define DCP_MODEL_SCRIPT_JUDGE_PAIRS_H 1

/* Asks a script of every pair of some VMs and all hosts, without asking for
 * each: what a script says follows from the fields that it read, so answers
 * are kept in a tree of readings (which field was read next, and what it
 * held), and a pair whose readings lead to a leaf is not asked for again.  The
 * cost is the number of distinct answers in Lua, and a few table lookups per
 * class of VMs and host.
 *
 * At most DCP_PAIRS_CALLS_MAX calls and 65,535 distinct answers: a script that
 * tells every VM from every other should name the VMs that it is about. */

#include "model/pairs.h"
#include "model/script/sandbox.h"

#define DCP_PAIRS_CALLS_MAX 2000000u

/* In 'arena', for vms[0..n_vms-1] of the inventory.  NULL: the script failed
 * for some pair, which 'err' names, or it is above the limits. */
const struct dcp_pairs *
dcp_judge_pairs(struct dcp_script *, enum dcp_script_kind,
                const struct dcp_inventory *, const uint32_t vms[],
                uint32_t n_vms, struct dcp_arena *arena,
                struct dcp_error *err) DCP_CHECKED;

#endif /* model/script/judge_pairs.h */
