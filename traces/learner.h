/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_LEARNER_H
#define DCP_TRACES_LEARNER_H 1

/* Planned demand as time passes: what dcp_fit() would say now, to the last
 * digit, from samples that are read once.
 *
 * A percentile of a bucket's samples is the k-th largest of them, and k grows
 * with their number only: at most n - ceil(p n) + 1 of all that the store can
 * ever put into the bucket.  So many largest samples are kept of each VM's
 * buckets, in a heap, with their number, peak and moments (Welford); the rest
 * is forgotten.  A p95 keeps a twentieth of the samples.
 *
 * In memory: 4 bytes for each sample kept, and 24 for each VM, metric and
 * bucket. A question costs the samples since the last one, and O(VMs x samples
 * kept).
 *
 * Not thread-safe. */

#include "traces/fit.h"

struct dcp_learner;

/* *out NULL: it cannot, as policy.overload asks for joint samples,
 * volumes in pools have measured reads and writes, or it would take too much
 * memory; then dcp_fit() does.  All is borrowed. */
bool
dcp_learner_create(struct dcp_store *, const struct dcp_inventory *,
                   const struct dcp_placement *start, struct dcp_learner **out,
                   struct dcp_error *err) DCP_CHECKED;
void dcp_learner_destroy(struct dcp_learner *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_learner)

/* At the samples' times VMs use what is there, in reference MHz, not what the
 * store has: a past that is drawn (sim/stats/bootstrap.h).  On the store's
 * grid; borrowed until the last question; before the first one. */
void dcp_learner_see(struct dcp_learner *, const struct dcp_samples *cpu);

/* As dcp_fit() from the beginning to 'until_ms', which never goes back. */
struct dcp_demand *
dcp_learner_demand(struct dcp_learner *, int64_t until_ms,
                   const struct dcp_slot slots[], uint32_t n_slots,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* traces/learner.h */
