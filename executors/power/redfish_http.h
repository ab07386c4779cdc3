/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_REDFISH_HTTP_H
#define DCP_EXECUTORS_POWER_REDFISH_HTTP_H 1

/* Talks to one Redfish service (DMTF DSP0266): HTTP with JSON both ways, TLS
 * with the certificate checked.  Plain HTTP is for this machine only.  The
 * password goes with each request (basic authentication), which leaves no
 * session behind in a BMC that knows only a few of them; where a service does
 * not take that, a session is opened, and closed with the connection.
 *
 * A BMC is a small computer that others may have got hold of: replies are
 * bounded, redirects and addresses elsewhere are refused.
 *
 * Blocks until the deadline at most.  One thread. */

#include "model/base/error.h"
#include "model/io/connect.h"

#include <jansson.h>

struct dcp_http;

struct dcp_http_reply {
    long status;
    json_t *body;        /* NULL: none, or it is not JSON. */
    char etag[160];      /* "": none. */
    char location[1024]; /* As a path of this service; "": none. */
};

/* 'deadline_ms' by dcp_boot_ms().  '*out_path' is the path in the BMC's url,
 * owned by the connection. */
struct dcp_http *
dcp_http_open(const struct dcp_bmc *, int64_t deadline_ms,
              const char **out_path, struct dcp_error *err) DCP_CHECKED;
/* NULL is fine. */
void dcp_http_close(struct dcp_http *);

/* 'body' NULL: GET, else POST; 'if_match' NULL: unconditional.  True for every
 * answer but 401, 403 and redirects; '*out' is to be finished.  A path is
 * refused that is not one of this service. */
bool dcp_http_ask(struct dcp_http *, const char *path, const json_t *body,
                  const char *if_match, struct dcp_http_reply *out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_http_reply_finish(struct dcp_http_reply *);

/* What a failed request's reply says of why, for people: from its extended
 * information, else "HTTP status N". */
void dcp_http_reason(const struct dcp_http_reply *, char out[160]);

#endif /* executors/power/redfish_http.h */
