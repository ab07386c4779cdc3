/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_STAND_IN_H
#define DCP_MODEL_CHECK_STAND_IN_H 1

/* A woken host without VMs that takes all VMs of one that never boots.
 * Internal to model/check/. */

#include "model/check/survive.h"

/* Whether 'spare' can take all VMs of the list: reach, VLANs, limits after a
 * loss, policy.overload.  Rules hold as well as they do now, in whatever order
 * hosts stand in for others: those that look at company on a host see the same
 * company, of all others the spare must be in the same place as the host.
 * Uses w->need, w->capacity and w->sum. */
bool dcp_stands_in_for(const struct dcp_survive_work *,
                       const struct dcp_survive *, uint32_t spare);

#endif /* model/check/stand_in.h */
