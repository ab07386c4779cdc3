/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_PORT_H
#define DCP_EXECUTORS_VLAN_PORT_H 1

/* Ports of an Open vSwitch, as ovs-vswitchd.conf.db(5) has them, and the
 * operations (RFC 7047, section 5.2) that read and change them.
 *
 * A port whose column 'trunks' is empty carries all VLANs.  So adding one VLAN
 * to an empty set would take all others away, and taking away the last would
 * let all others in: the first is never done, and for the second the set keeps
 * DCP_VLAN_NOBODY, a VLAN that IEEE 802.1Q reserves and nobody may use.
 *
 * Each change waits on what the port was when it was looked at, so that a
 * change of somebody else in between is not overwritten.
 *
 * Functions that return operations or take an array of them put NULL, or
 * nothing, where memory ran out; dcp_ovsdb_send() then says so.  Pure. */

#include "model/base/error.h"

#include <stddef.h>

struct json_t;

#define DCP_VLANS       4096
#define DCP_VLAN_NOBODY 4095

enum dcp_port_mode {
    DCP_PORT_ALL,    /* A trunk of all VLANs. */
    DCP_PORT_LISTED, /* A trunk of those in 'trunks'. */
    DCP_PORT_ACCESS, /* One VLAN, without tags. */
    DCP_PORT_OTHER,  /* A tunnel of VLANs, or what we do not know. */
};

struct dcp_vlan_port {
    char name[128]; /* Cut. */
    char uuid[40];
    enum dcp_port_mode mode;
    char vlan_mode[20]; /* As in the column; "": not set. */
    int32_t tag;        /* -1: none; of a trunk: its native VLAN. */
    uint32_t n_trunks;
    uint8_t trunks[DCP_VLANS / 8]; /* Bit per VLAN. */
};

/* Reads the row of a port by its name, the name of its bridge and so on; the
 * result of it is {"rows": [...]} for dcp_port_read(). */
struct json_t *dcp_port_select(const char *name);
/* All ports, for dcp_port_read() row by row. */
struct json_t *dcp_port_select_all(void);
/* A row of table Port; false where it is not one. */
bool dcp_port_read(const struct json_t *row, struct dcp_vlan_port *out,
                   struct dcp_error *err) DCP_CHECKED;

/* Frames tagged with the VLAN pass. */
bool dcp_port_carries(const struct dcp_vlan_port *, uint32_t vlan);
/* The VLAN is listed, or is the one of an access port, or the native one. */
bool dcp_port_names(const struct dcp_vlan_port *, uint32_t vlan);
/* Why a VLAN cannot be added (or taken away), with the remedy, as text for
 * people; false: it can. */
bool dcp_port_prevents(const struct dcp_vlan_port *, uint32_t vlan, bool add,
                       const char *where, char *out, size_t size);

/* Append to 'operations' what adds or takes away a VLAN of a port that does not
 * prevent it, what makes it an access port, and what limits what comes in by
 * an interface (ingress policing; 0: no limit). */
#define DCP_PORT_CHANGE_OPS 2
void dcp_port_change(struct json_t *operations, const struct dcp_vlan_port *,
                     uint32_t vlan, bool add);
void dcp_port_make_access(struct json_t *operations,
                          const struct dcp_vlan_port *, uint32_t vlan);
void dcp_port_limit_rate(struct json_t *operations, const char *interface,
                         uint64_t rate_kbit_s, uint64_t burst_kbit);

/* Append what ends every transaction that changes something: the number of the
 * configuration raised, durable, with a comment for the audit. */
#define DCP_PORT_END_OPS 4
void dcp_port_end_change(struct json_t *operations, const char *comment);
/* From the result of such a transaction: each update and mutation met one row
 * (0 rows: the port is gone), and the number that ovs-vswitchd will report as
 * cur_cfg once it works by it. */
bool dcp_port_changed(const struct json_t *result, int64_t *out_next_cfg,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/port.h */
