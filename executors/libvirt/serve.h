/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_SERVE_H
#define DCP_EXECUTORS_LIBVIRT_SERVE_H 1

/* What a worker's child does: it reads questions, asks one hypervisor, and
 * answers, until its parent closes the line.  The only place where libvirt is
 * called; any call may block for as long as it likes.
 *
 * Questions have "op" and, but for count, "uuid"; answers have "ok", and "text"
 * where that is false.
 *
 *   look      "name"; answers state, reason, persistent, job, saved, autostart,
 *             foreign, as in executors/libvirt/look.h
 *   count     answers "n": domains that are active, whoever's they are
 *   migrate   "to" (URI as the source sees it), "shared" (list of paths that
 *             are one filesystem on all hosts), "bandwidth_mib_s" (0: none
 *             set), "auto_converge": live, peer to peer, defined at the target;
 *             the definition at the source stays, for who has verified
 *   abort     its migration is given up
 *   suspend   while it migrates: it stands still until the rest is over, and
 *             runs on at the target
 *   start     from its definition, or its saved memory
 *   stop      asks the guest to shut down, and waits until it has
 *   park      saves its memory on the host, and stops it
 *   destroy, resume, define, undefine: as executors/libvirt/look.h asks for
 *
 * Nothing is done to a domain but by its UUID. */

#include "model/base/error.h"

#include <stddef.h>

/* Until end of file on 'fd'.  'host_uuid' is what the hypervisor must say of
 * its machine; "": whatever. */
void dcp_serve(int fd, const char *uri, const char *host_uuid);

/* --- Parts that need no hypervisor; public for tests and fuzzing ---------- */

#define DCP_HOST_UUID_SIZE 40

/* The machine's UUID in what a hypervisor says of its capabilities; "" where it
 * has none.  False: not well-formed. */
bool dcp_capabilities_uuid(const char *xml, char out[DCP_HOST_UUID_SIZE]);

/* Whether the domain's disks can be opened by another host: those in files must
 * be below one of 'shared' ('*out_files': there are such, so libvirt wants to
 * be told that they are shared).  False with the disk and the remedy in 'err'.
 */
bool dcp_domain_disks_shared(const char *xml, const char *const shared[],
                             size_t n_shared, bool *out_files,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* executors/libvirt/serve.h */
