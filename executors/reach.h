/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_REACH_H
#define DCP_EXECUTORS_REACH_H 1

/* What connect.yaml must say before a step can be carried out for real: asked
 * of all steps before the first one starts, so that a night does not end in its
 * middle for want of an address.
 *
 * This reads what is written and contacts nobody; whether what is written
 * answers is seen by observing. */

#include "model/io/connect.h"
#include "model/plan.h"

#define DCP_REACH_TEXT_SIZE 240

/* Whether connect.yaml gives all that the step needs; false: 'out' says what it
 * lacks, and where to put it. */
bool dcp_reach_step(const struct dcp_inventory *, const struct dcp_connect *,
                    const struct dcp_step *, char out[DCP_REACH_TEXT_SIZE]);

#endif /* executors/reach.h */
