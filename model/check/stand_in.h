/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_STAND_IN_H
#define DCP_MODEL_CHECK_STAND_IN_H 1

/* A woken host without VMs that takes VMs of one that never boots.  Internal to
 * model/check/. */

#include "model/check/survive.h"

/* Whether 'spare' can take all VMs of the list, which may be a part of those of
 * the host: reach, VLANs, limits after a loss, policy.overload.  Rules hold as
 * well as they do now, in whatever order hosts stand in for others: those that
 * look at company on a host see the same company or a part of it, of all others
 * the spare must be in the same place as the host.  (That nobody whom a gather
 * rule ties is left out is not asked here.)  'restarts': they restart there from
 * the leg's end, else they come by a live move from its start.  Uses w->need,
 * w->capacity and w->sum. */
bool
dcp_stands_in_for(const struct dcp_survive_work *, const struct dcp_survive *,
                  uint32_t spare, bool restarts);
/* Of that: whether one VM reaches the spare; what hard rules say of it there, in
 * the place of 'host'; and policy.overload of all of the list. */
bool dcp_stand_in_is_reached(const struct dcp_survive_work *, uint32_t vm,
                             uint32_t spare, bool restarts);
bool dcp_stand_in_keeps_rules(const struct dcp_survive_work *, uint32_t vm,
                              uint32_t spare, uint32_t host);
bool dcp_stand_in_keeps_overload(const struct dcp_survive_work *,
                                 const struct dcp_survive *, uint32_t spare);
/* One rule of those: whether 'spare' is as good as 'host' for it. */
bool dcp_stand_in_rule_allows(const struct dcp_survive_work *,
                              const struct dcp_rule *, uint32_t spare,
                              uint32_t host);
/* A VM of the list that a rule wants on the same host as 'vm' and that goes to
 * another spare; DCP_IX_NONE: none. */
uint32_t dcp_stand_in_parted(const struct dcp_survive_work *,
                             const struct dcp_survive *, uint32_t vm,
                             uint32_t spare);

#endif /* model/check/stand_in.h */
