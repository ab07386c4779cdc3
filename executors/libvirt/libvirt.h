/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_LIBVIRT_H
#define DCP_EXECUTORS_LIBVIRT_LIBVIRT_H 1

/* Carries out what a plan asks of VMs, by libvirt: live migrations, starts,
 * stops, parking and its end.
 *
 * A VM is the domain with its UUID (model/identity.h).  A domain that has only
 * its name is somebody else's: the step is refused, and it is not touched.
 *
 * Looking asks all hosts that connect.yaml gives at once (a process each,
 * executors/libvirt/worker.h), for three seconds at most; one that did not
 * answer is not asked again for some seconds.  What silence means is
 * executors/libvirt/look.h's to say.
 *
 * A live move is peer to peer: the source's hypervisor goes on with it if we
 * die.  It defines the VM at the target; once all hosts have shown that it runs
 * there and nowhere else, the definition at the source is removed.  What an
 * earlier run left half-done is tidied up by 'start', never by looking.  A move
 * that takes longer than policy.migration.timeout_per_GiB allows is given up by
 * the hypervisor's own means, not by ending the process that waits for it.
 *
 * Needs one thread; forks.  Fork-safe callers only: nobody else may wait for
 * any child. */

#include "executors/executor.h"
#include "executors/power/guests.h"
#include "model/io/connect.h"

struct dcp_libvirt_options { /* All borrowed as long as the executor lives. */
    const struct dcp_inventory *inventory;
    const struct dcp_connect *connect;
    int64_t clock_shift_ms; /* now_ms() is the system's plus this. */
    /* Proof that a host is off, so that nothing runs there; NULL: there is
     * none, and a host that does not answer may hold anything. */
    bool (*is_off)(void *user, dcp_host_id);
    void *user;
};

struct dcp_executor *dcp_libvirt_create(const struct dcp_libvirt_options *,
                                        struct dcp_error *err) DCP_CHECKED;

/* Who runs on a host, for those who switch hosts off; lives as long as the
 * executor. */
struct dcp_guests dcp_libvirt_guests(struct dcp_executor *);

#endif /* executors/libvirt/libvirt.h */
