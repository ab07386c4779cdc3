/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_HEED_H
#define DCP_SIM_POLICY_HEED_H 1

/* Declared rules for policies, one VM and one host at a time: hard rules of
 * fence, ban, spread, separate, split and gather, as wishes so far would leave
 * all VMs.  A policy that heeds them does not wish in vain; the loop judges all
 * rules over all wishes in any case (sim/loop.h), so that this may leave some
 * out, and is stricter than need be in places:
 *
 * - where a VM already is in a domain with one that it should be parted from,
 *   it may go elsewhere in that domain;
 * - of VMs to be gathered, each may leave alone if the others of its host have
 *   not left yet, and then they may follow only to the same domain.
 *
 * Rules of few VMs are looked up member by member; of many, by how many of each
 * part are in a domain. Internal to sim/policy/; not thread-safe. */

#include "sim/ground.h"

struct dcp_heed;

enum { DCP_HEED_MANY = 32 };

/* Everybody where 'now' has them; both are borrowed. 'many': a rule of more VMs
 * is counted; changes no answer. */
struct dcp_heed *
dcp_heed_create(const struct dcp_ground *, const struct dcp_placement *now,
                uint32_t many, struct dcp_error *err) DCP_CHECKED;
void dcp_heed_destroy(struct dcp_heed *); /* NULL is fine. */

/* 'at': where each VM would be, this one as well. */
bool dcp_heed_allows(const struct dcp_heed *, const dcp_host_id at[],
                     uint32_t vm, uint32_t host);
/* It would go from one host to another, or back. */
void dcp_heed_moved(struct dcp_heed *, uint32_t vm, uint32_t from, uint32_t to);

#endif /* sim/policy/heed.h */
