/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_DEVICE_H
#define DCP_EXECUTORS_VLAN_DEVICE_H 1

/* The switch databases that connect.yaml names, each with one session that is
 * opened when it is first needed and again after it broke.  One that cannot be
 * reached is not tried again for a moment, so that a thousand steps on a dead
 * switch cost one time-out and not a thousand. */

#include "executors/vlan/ovsdb.h"

struct dcp_connect;
struct dcp_inventory;

struct dcp_vlan_device {
    struct dcp_wire_peer peer; /* Borrowed from connect.yaml's. */
    bool is_host;              /* The host's own switch. */
    struct dcp_ovsdb *db;      /* NULL: no session. */
    int64_t not_before_ms;     /* Of the next try (dcp_wire_clock_ms()). */
    struct dcp_error why;      /* Of the last failure. */
    bool registered;           /* For the owner: 'db' is in its epoll set. */
    bool writing;              /* For the owner: and waited for to take more. */
};

struct dcp_vlan_devices {
    struct dcp_vlan_device *items; /* Owned. */
    uint32_t n;
    uint32_t *of_switch, *of_host; /* By id; UINT32_MAX: not given. */
};

/* The connection file and the inventory are borrowed. */
bool
dcp_vlan_devices_init(struct dcp_vlan_devices *, const struct dcp_inventory *,
                      const struct dcp_connect *,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_vlan_devices_finish(struct dcp_vlan_devices *);

/* The session, opened if need be; NULL: not reachable, 'err' says which device
 * and why. */
struct dcp_ovsdb *
dcp_vlan_device_open(struct dcp_vlan_device *, int64_t timeout_ms,
                     struct dcp_error *err) DCP_CHECKED;
/* After a failure of its session. */
void dcp_vlan_device_close(struct dcp_vlan_device *, const struct dcp_error *);
/* A transaction (taken over) and its result, for the caller to release. */
struct json_t *
dcp_vlan_device_ask(struct dcp_vlan_device *, struct json_t *operations,
                    int64_t timeout_ms, struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/device.h */
