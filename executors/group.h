/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_GROUP_H
#define DCP_EXECUTORS_GROUP_H 1

/* One executor made of several: each step goes to the first member that can do
 * its kind, so that one plan moves VMs by one driver, trunks VLANs by another
 * and switches hosts by a third.
 *
 * Waiting is shared by the members' poll_fd; a member without one is asked in
 * turn, every few hundredths of a second.  Members take turns at being asked
 * first, so that none keeps another's events back.  'wait' may return early
 * without an event (a signal came, or a second went by): whoever asked looks
 * at what interrupted it and asks again.
 *
 * The group's clock is the latest of its members', which go by themselves: an
 * executor on virtual time is no member.  One thread. */

#include "executors/executor.h"

#define DCP_GROUP_MEMBERS_MAX 8

/* 'name' is borrowed.  The members (NULL ones are left out) belong to the
 * group from here on, also when it cannot be made; they are destroyed with it,
 * last first. */
struct dcp_executor *
dcp_group_create(const char *name, struct dcp_executor *const members[],
                 uint32_t n_members, struct dcp_error *err) DCP_CHECKED;

#endif /* executors/group.h */
