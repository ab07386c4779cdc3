/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VLAN_OVSDB_STREAM_H
#define DCP_EXECUTORS_VLAN_OVSDB_STREAM_H 1

/* JSON-RPC messages out of a stream of bytes (RFC 7047, section 4: JSON objects
 * one after the other, with nothing that frames them).  Bytes come as the
 * network delivers them: half a message, several at once.
 *
 * What comes is a stranger's: a message has a largest size and depth, and the
 * first thing that is wrong breaks the stream for good, because nobody can say
 * where the next message would begin.
 *
 * Pure; one stream, one thread. */

#include "model/base/error.h"

#include <stddef.h>

#define DCP_OVSDB_MESSAGE_MAX ((size_t)2 << 20) /* Bytes. */
#define DCP_OVSDB_DEPTH_MAX   48

struct json_t;

struct dcp_ovsdb_stream { /* All zero: empty. */
    char *bytes;          /* Owned; those not taken yet. */
    size_t n, capacity;
    size_t scanned; /* Of the first message. */
    uint32_t depth; /* After those; 0: between messages. */
    bool in_string, escaped;
    bool broken;
};

/* Takes the bytes in; false when the stream is or gets broken. */
bool dcp_ovsdb_stream_add(struct dcp_ovsdb_stream *, const char *bytes,
                          size_t n, struct dcp_error *err) DCP_CHECKED;
/* The next whole message, an object, in '*out' for the caller to release; NULL:
 * there is none yet.  False: the stream is broken. */
bool dcp_ovsdb_stream_next(struct dcp_ovsdb_stream *, struct json_t **out,
                           struct dcp_error *err) DCP_CHECKED;
void dcp_ovsdb_stream_finish(struct dcp_ovsdb_stream *);

#endif /* executors/vlan/ovsdb_stream.h */
