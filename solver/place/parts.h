/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLACE_PARTS_H
#define DCP_SOLVER_PLACE_PARTS_H 1

/* What ranking and filling share; private to solver/place/. */

#include "solver/place/place.h"

/* How scarce each resource is, as the search weighs it. */
bool dcp_place_weights(struct dcp_state *, struct dcp_weights *out,
                       struct dcp_error *err) DCP_CHECKED;
/* Score and room left of one host that takes 'item'. */
void dcp_place_measure(const struct dcp_state *, const struct dcp_weights *,
                       uint32_t item, uint32_t host, bool spread,
                       struct dcp_place_candidate *out);
/* For qsort(): candidates, best first; a total order. */
int dcp_place_better_first(const void *, const void *);

#endif /* solver/place/parts.h */
