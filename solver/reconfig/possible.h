/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_RECONFIG_POSSIBLE_H
#define DCP_SOLVER_RECONFIG_POSSIBLE_H 1

/* Proofs that there is no plan.  They are simple ones: a world that passes may
 * have none still. */

#include "solver/reconfig/places.h"

/* False: there is none, and 'because' says why.  'places' is as created, with
 * nobody placed, and is left so. */
bool dcp_rc_possible(struct dcp_rc_places *, char because[200]);

#endif /* solver/reconfig/possible.h */
