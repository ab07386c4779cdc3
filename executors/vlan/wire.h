/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_WIRE_H
#define DCP_EXECUTORS_VLAN_WIRE_H 1

/* A connection that carries bytes to a switch database and back: a unix socket,
 * TCP, or TLS over TCP.  Opening waits, for a given time at most; sending and
 * receiving never do.
 *
 * Addresses are written as Open vSwitch writes them: "unix:PATH",
 * "tcp:HOST:PORT", "ssl:HOST:PORT", an IPv6 address in brackets, port 6640
 * where none is given.  A name is looked up in a child process, which can be
 * ended when its time is over (getaddrinfo() has no deadline).
 *
 * One wire, one thread. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_connect_tls;

struct dcp_wire_peer { /* Borrowed while opening only. */
    const char *address;
    const char *name;                  /* Of the switch or host in the model. */
    const struct dcp_connect_tls *tls; /* For "ssl:"; never NULL. */
};

struct dcp_wire;

struct dcp_wire *dcp_wire_open(const struct dcp_wire_peer *, int64_t timeout_ms,
                               struct dcp_error *err) DCP_CHECKED;
void dcp_wire_destroy(struct dcp_wire *); /* NULL is fine. */

/* For poll(), with the events to wait for. */
int dcp_wire_fd(const struct dcp_wire *);
bool dcp_wire_wants_to_write(const struct dcp_wire *);

/* Takes the bytes to be sent, and sends what can be sent now. */
bool dcp_wire_send(struct dcp_wire *, const char *bytes, size_t n,
                   struct dcp_error *err) DCP_CHECKED;
bool dcp_wire_flush(struct dcp_wire *, struct dcp_error *err) DCP_CHECKED;
/* What has come, up to 'size' bytes; *out_n 0: nothing so far.  False: the
 * connection ended or failed. */
bool dcp_wire_receive(struct dcp_wire *, char *bytes, size_t size,
                      size_t *out_n, struct dcp_error *err) DCP_CHECKED;

/* CLOCK_MONOTONIC, for deadlines. */
int64_t dcp_wire_clock_ms(void);

#endif /* executors/vlan/wire.h */
