/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_MAXMIN_H
#define DCP_MODEL_MAXMIN_H 1

/* How flows share links: max-min fair, each within a limit of its own.
 *
 * No flow can be given more without taking from one that has no more than it.
 * That allocation is unique; progressive filling finds it (Bertsekas and
 * Gallager, Data Networks, 1992, 6.5.2): all rates rise together, and where a
 * link is full or a flow is at its limit, those flows stay as they are.
 *
 * Flows that come and go change rates only where links connect them.  A link
 * that its flows cannot fill even at their limits connects nothing and is
 * left out, which is exact; so settling costs
 * O(n log n) of the flows and links that compete with those changed.  The
 * result depends on which flows there are, to the last bit, and not on the
 * order in which they came; the sums that leave links out are exact for
 * limits in whole numbers (KiB/s).
 *
 * Units are the caller's (KiB/s).  One user at a time; no I/O. */

#include "model/base/arena.h"
#include "model/base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define DCP_MAXMIN_LINKS_MAX 10u /* That one flow runs over. */

struct dcp_maxmin;

/* 'n_links' links without capacity. */
struct dcp_maxmin *
dcp_maxmin_create(uint32_t n_links, struct dcp_error *err) DCP_CHECKED;
void dcp_maxmin_destroy(struct dcp_maxmin *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_maxmin)

/* At least 0; INFINITY: the link is never full. */
void
dcp_maxmin_set_capacity(struct dcp_maxmin *, uint32_t link, double capacity);

/* A flow over 'links', each once, at rate 0 until it is settled; its number,
 * the lowest that is free.  'limit' is positive; INFINITY: none of its own,
 * and then one of the links must have a capacity. */
bool dcp_maxmin_add(struct dcp_maxmin *, const uint32_t links[],
                    uint32_t n_links, double limit, uint32_t *out_flow,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_maxmin_remove(struct dcp_maxmin *, uint32_t flow);

/* Rates after all changes since the last time.  Returns how many flows have
 * another rate now, in '*out_flows' (valid until the next call). */
uint32_t dcp_maxmin_settle(struct dcp_maxmin *, const uint32_t **out_flows);

double dcp_maxmin_rate(const struct dcp_maxmin *, uint32_t flow);

#endif /* model/maxmin.h */
