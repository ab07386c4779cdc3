/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_POWER_H
#define DCP_EXECUTORS_POWER_POWER_H 1

/* The executor that switches hosts on and off (host_on, host_off) by their
 * BMCs, Wake-on-LAN and guards, as connect.yaml names them; docs/live-power.md
 * is its page.
 *
 * host_off is there when "off" was read twice, some time apart; host_on when
 * the BMC says on and the host answers who runs on it.  A BMC that is another
 * machine's, or refuses the password, is ELSEWHERE: nothing is done there.  One
 * that does not answer is UNKNOWN.  What was seen half (off once; on, but the
 * host does not answer yet) is RUNNING, and an event follows.
 *
 * Looking blocks for one call to a BMC, acting never does, however many hosts
 * are switched at once.  It forks: one thread, and none else in the process
 * while it begins calls. */

#include "executors/executor.h"
#include "executors/power/turn.h"

struct dcp_power_options {
    const struct dcp_inventory *inventory; /* Borrowed, as all that follows. */
    const struct dcp_connect *connect;
    struct dcp_guests guests; /* 'count' NULL: no host is switched off, and one
                               * that its BMC says is on is on. */
    int64_t clock_offset_ms;  /* Added to the system's time. */
    const char *ipmitool;     /* The program. */
    struct dcp_power_timing timing;
};
/* No inventory, connect.yaml or guests; the usual rest. */
void dcp_power_options_default(struct dcp_power_options *out);

struct dcp_executor *dcp_power_create(const struct dcp_power_options *,
                                      struct dcp_error *err) DCP_CHECKED;

#endif /* executors/power/power.h */
