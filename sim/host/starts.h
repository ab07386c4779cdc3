/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_HOST_STARTS_H
#define DCP_SIM_HOST_STARTS_H 1

/* Only so many VMs begin on one host at one time (policy.warmup.at_once): a
 * host that a morning woke is not asked to read all its VMs' memory at once.
 * Who comes when all places are taken waits for the one that is free first, in
 * the order in which they were asked for.
 *
 * Not thread-safe; distinct ones may be used at once. */

#include "model/base/arena.h"
#include "model/base/error.h"

#include <stdint.h>

struct dcp_starts;

/* 'at_once' 0: any number. */
struct dcp_starts *dcp_starts_create(uint32_t n_hosts, uint32_t at_once,
                                     struct dcp_error *err) DCP_CHECKED;
void dcp_starts_destroy(struct dcp_starts *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_starts)

/* A VM is to begin on the host, which takes 'length_ms' by itself; returns how
 * long from now until it has begun.  Times only go on. */
int64_t dcp_starts_take(struct dcp_starts *, uint32_t host, int64_t now_ms,
                        int64_t length_ms);

#endif /* sim/host/starts.h */
