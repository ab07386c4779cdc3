/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_SERVED_H
#define DCP_SIM_OUTPUT_SERVED_H 1

/* For how long each VM had a place on a host that served: from events alone, to
 * the millisecond.  While it migrates live its place is the host that it
 * leaves; while it is shut down for a step (cold) it has none.  A host that
 * boots or shuts down does not serve.  What happened before the window only
 * says where all stood at its start.
 *
 * Every host has a clock that goes while it serves; a VM has been served for
 * what its host's clock went while it was there.  O(1) an event. */

#include "sim/watch.h"

struct dcp_served;

/* Of a replay of this input; it is not looked at later. */
struct dcp_served *dcp_served_create(const struct dcp_sim_input *,
                                     struct dcp_error *err) DCP_CHECKED;
void dcp_served_destroy(struct dcp_served *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_served)

void dcp_served_see(struct dcp_served *, const struct dcp_sim_event *);
/* By VM, milliseconds from the window's start to 'at_ms', not before the last
 * event; belongs to it. */
const int64_t *dcp_served_ms(struct dcp_served *, int64_t at_ms);

#endif /* sim/output/served.h */
