/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_GUESTS_H
#define DCP_EXECUTORS_POWER_GUESTS_H 1

/* What switching hosts on and off must know of their hypervisors: who runs
 * there.  The power executor declares it; whoever drives hypervisors fills it
 * in (dcp_libvirt_guests()), and tests do with an array of numbers. */

#include "model/base/error.h"
#include "model/base/id.h"

/* All that is active on 'host' now: running, paused, transient, being received,
 * the model's or somebody else's.  It is asked of the host each time, so it may
 * block shortly.  False: the host does not answer, or is not the one that
 * connect.yaml says it is; nothing is known then, least of all that it is
 * empty. */
struct dcp_guests {
    bool (*count)(void *user, dcp_host_id host, uint32_t *out_n,
                  struct dcp_error *err);
    void *user;
};

#endif /* executors/power/guests.h */
