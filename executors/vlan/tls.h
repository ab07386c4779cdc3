/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_TLS_H
#define DCP_EXECUTORS_VLAN_TLS_H 1

/* TLS (1.2 or later) between bytes and bytes, with no socket of its own: what
 * the peer sent is fed in and plain text comes out, and the other way round.
 *
 * The peer is always verified: its certificate must be signed by one of
 * 'ca_file', and be for the address that was asked for (subject alternative
 * name, RFC 9525) or for the switch or host by its name in the model, as an
 * alternative name or as ovs-pki(8) writes it ("tor1 id:..." in the common
 * name).
 *
 * One object, one thread. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_connect_tls;
struct dcp_tls;

/* 'host' is the address or name that is connected to, 'name' that of the model.
 * A key that others than its owner may read is refused. */
struct dcp_tls *
dcp_tls_create(const struct dcp_connect_tls *, const char *host,
               const char *name, struct dcp_error *err) DCP_CHECKED;
void dcp_tls_destroy(struct dcp_tls *); /* NULL is fine. */

/* As far as it goes with what was fed; *out_done: the peer is verified. */
bool dcp_tls_handshake(struct dcp_tls *, bool *out_done,
                       struct dcp_error *err) DCP_CHECKED;
/* What the peer sent. */
bool dcp_tls_feed(struct dcp_tls *, const char *bytes, size_t n,
                  struct dcp_error *err) DCP_CHECKED;
/* What is to be sent to the peer; 0: nothing more. */
size_t dcp_tls_take(struct dcp_tls *, char *bytes, size_t size);
/* Plain text; after the handshake.  *out_n 0: nothing so far. */
bool dcp_tls_write(struct dcp_tls *, const char *bytes, size_t n,
                   struct dcp_error *err) DCP_CHECKED;
bool dcp_tls_read(struct dcp_tls *, char *bytes, size_t size, size_t *out_n,
                  struct dcp_error *err) DCP_CHECKED;

#endif /* executors/vlan/tls.h */
