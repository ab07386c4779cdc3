/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_SEE_H
#define DCP_EXECUTORS_LIBVIRT_SEE_H 1

/* What all hosts show, as the effect of one step: is it begun, under way, done?
 * Of moves executors/libvirt/look.h decides; a start is done when the VM runs
 * at its target and nowhere else, a stop when it runs nowhere, parking when its
 * memory is saved where it ran.  A VM that could run on a silent host is
 * unknown.
 *
 * One thread. */

#include "executors/executor.h"
#include "executors/libvirt/watch.h"

struct dcp_see {
    const struct dcp_inventory *inventory; /* Borrowed, as is 'watch'. */
    struct dcp_watch *watch;
    struct dcp_look_at *seen; /* By host, of the last look; the owner's. */
};

bool dcp_see_is_move(const struct dcp_step *);
/* Where the step's VM is to be acted on: a move and a stop at 'from', a start
 * at 'to'. */
uint32_t dcp_see_host(const struct dcp_step *);

/* Asks all hosts. */
void dcp_see_look(struct dcp_see *, const struct dcp_step *);
/* Of what was seen last; 'out' for moves, 'text' for people. */
enum dcp_effect dcp_see_judge(struct dcp_see *, const struct dcp_step *,
                              struct dcp_look_result *out, char text[160]);

#endif /* executors/libvirt/see.h */
