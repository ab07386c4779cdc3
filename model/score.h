/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SCORE_H
#define DCP_MODEL_SCORE_H 1

/* Preferences of the operator: how well a VM would be on a host, by a script
 * of theirs (model/script/sandbox.h), in points.  Where hosts are ranked for a
 * VM, points are added to the 0 to 100 of how well it would be filled.
 * Pure: thread-safe. */

#include "model/base/error.h"
#include "model/inventory.h"
#include "model/pairs.h"

struct dcp_score {
    const char *name;
    struct dcp_pos pos;
    struct dcp_ids vms; /* That it is about. */
    double weight;      /* What the script returns counts so many times. */
    struct dcp_script_text script;
    const struct dcp_pairs *pairs; /* What it says. */
};

/* The points of all scores for the VM on the host. */
double
dcp_score_points(const struct dcp_inventory *, uint32_t vm, uint32_t host);

#endif /* model/score.h */
