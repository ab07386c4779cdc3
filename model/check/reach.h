/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_REACH_H
#define DCP_MODEL_CHECK_REACH_H 1

/* May this VM move there at all?  The checker's own facts, for those who wish
 * for single moves (sim/policy/fleet.h).  Pure; thread-safe. */

#include "model/placement.h"

/* The VM could run on 'to', as its volumes and the VLANs of ports are now, and
 * a live migration can take it there from 'from'.  Room is not looked at. */
bool
dcp_check_may_move(const struct dcp_inventory *, const struct dcp_placement *,
                   uint32_t vm, uint32_t from, uint32_t to);

#endif /* model/check/reach.h */
