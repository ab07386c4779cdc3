/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_USAGE_H
#define DCP_TRACES_USAGE_H 1

/* What each VM was measured to use over a whole history, whatever the hour:
 * what policy.rightsize goes by (model/rightsize.h).
 *
 * Samples at 98 % of what the VM may use now, or above, count as at the limit;
 * they are lower bounds of what was wanted and are taken as they are.  A VM
 * that was given more since it was measured is not at its limit.  Memory is
 * what the store says was active or consumed; a store that knows only what was
 * allocated has measured none.  Percentiles are of the nearest rank.
 *
 * One thread; the store is read once. */

#include "model/placement.h"
#include "model/rightsize.h"
#include "traces/store.h"

/* By VM, zeroes where there is no trace; samples whose cells lie in [from_ms,
 * until_ms).  'start' says on which host a VM's samples were measured.  To be
 * freed; NULL: failed. */
struct dcp_vm_usage *
dcp_usage_measure(struct dcp_store *, const struct dcp_inventory *,
                  const struct dcp_placement *start, int64_t from_ms,
                  int64_t until_ms, struct dcp_error *err) DCP_CHECKED;

#endif /* traces/usage.h */
