/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_LOOKUP_H
#define DCP_EXECUTORS_VLAN_LOOKUP_H 1

/* Where a switch database listens: the text of connect.yaml taken apart, and a
 * name turned into addresses before a deadline. */

#include "model/base/error.h"

#include <stddef.h>
#include <sys/socket.h>

enum dcp_wire_kind { DCP_WIRE_UNIX, DCP_WIRE_TCP, DCP_WIRE_TLS };

struct dcp_wire_address {
    enum dcp_wire_kind kind;
    char host[256]; /* Name or address; unix: the path. */
    char port[8];   /* "6640" where none is given. */
};

/* "unix:PATH", "tcp:HOST[:PORT]", "ssl:HOST[:PORT]"; IPv6 in brackets. */
bool dcp_wire_parse(const char *text, struct dcp_wire_address *out,
                    struct dcp_error *err) DCP_CHECKED;

#define DCP_LOOKUP_MAX 4 /* Addresses of one name; more are left out. */
struct dcp_lookup {
    struct {
        struct sockaddr_storage at;
        socklen_t length;
    } items[DCP_LOOKUP_MAX];
    uint32_t n;
};

/* Waits until 'deadline_ms' (dcp_wire_clock_ms()) at most.  Numbers need no
 * looking up; a name is looked up in a child process, which is killed when its
 * time is over. */
bool dcp_wire_lookup(const struct dcp_wire_address *, int64_t deadline_ms,
                     struct dcp_lookup *out, struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/lookup.h */
