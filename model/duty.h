/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_DUTY_H
#define DCP_MODEL_DUTY_H 1

/* Why a host may not be switched, whatever runs on it.  (A host with a VM that
 * cannot leave it stays on for that; see dcp_duty_bound_vm().)
 *
 * - `power_off: false`;
 * - `serves:` it exports storage, holds mirror legs, or is a gateway or a
 *   member of a quorum;
 * - it failed within policy.rest_after_failure (`failed_at:`);
 * - it is not proved that it wakes: within policy.wake_proof no `woke_at:`.
 *   Asked only where some host of the model has a `woke_at`: elsewhere wakes
 *   are not written down.
 *
 * Such a host stays as it is: on, or off.  Pure; thread-safe. */

#include "model/placement.h"

enum dcp_duty {
    DCP_DUTY_NONE,
    DCP_DUTY_NOT_ALLOWED,
    DCP_DUTY_SERVES,
    DCP_DUTY_FAILED,
    DCP_DUTY_WAKE_NOT_PROVED,
};

/* At the instant 'at_ms'; the reason in words ("" for none) where 'size' is
 * not 0. */
enum dcp_duty dcp_host_duty(const struct dcp_inventory *, dcp_host_id,
                            int64_t at_ms, char *out, size_t size);

/* The first VM on the host that cannot leave it (not movable, or a disk of its
 * own on the host); none: all can. */
dcp_vm_id dcp_duty_bound_vm(const struct dcp_inventory *,
                            const struct dcp_placement *, dcp_host_id);

/* "storage", "quorum" ..., by bit of dcp_host.serves. */
#define DCP_SERVES 4u
const char *dcp_serves_name(uint32_t bit);

#endif /* model/duty.h */
