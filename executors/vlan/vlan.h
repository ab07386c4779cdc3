/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_VLAN_H
#define DCP_EXECUTORS_VLAN_VLAN_H 1

/* Carries out vlan_trunk and vlan_untrunk: a VLAN that reaches a host, or no
 * longer does.  For each port of the inventory's host: the port of the switch
 * that it hangs on; and the host's own uplink where connect.yaml gives 'ovsdb'
 * and 'uplink'.
 *
 * A port that carries all VLANs carries this one, too; it is never made to
 * carry only this, and none is taken from it.  Each change is one transaction
 * that waits on what was seen before, says in a comment for which step of which
 * plan it is, and has ended once the switch works by it.  A VLAN that a guest's
 * port on the host's own switch has is not taken away.
 *
 * One thread. */

#include "executors/executor.h"
#include "model/io/connect.h"

struct dcp_vlan_options { /* All borrowed as long as the executor lives. */
    const struct dcp_inventory *inventory;
    const struct dcp_connect *connect;
    const struct dcp_plan *plan; /* For the comments. */
    int64_t clock_shift_ms;      /* now_ms() is the system's plus this. */
};

struct dcp_executor *dcp_vlan_create(const struct dcp_vlan_options *,
                                     struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/vlan.h */
