/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/host/starts.h"

#include <stdlib.h>

struct dcp_starts {
    uint32_t at_once;
    int64_t *free_ms; /* [host][at_once]: when each place is free.  Owned. */
};

struct dcp_starts *
dcp_starts_create(uint32_t n_hosts, uint32_t at_once, struct dcp_error *err)
{
    DCP_AUTO(dcp_starts) struct dcp_starts *s = calloc(1, sizeof *s);
    size_t n = (size_t)n_hosts * at_once;

    if (s) {
        s->at_once = at_once;
        s->free_ms = malloc((n + 1) * sizeof *s->free_ms);
    }
    if (!s || !s->free_ms) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for starts of VMs");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        s->free_ms[i] = INT64_MIN;
    }
    return DCP_STEAL(s);
}

void
dcp_starts_destroy(struct dcp_starts *s)
{
    if (s) {
        free(s->free_ms);
        free(s);
    }
}

int64_t
dcp_starts_take(struct dcp_starts *s, uint32_t host, int64_t now_ms,
                int64_t length_ms)
{
    int64_t *free_ms = s->free_ms + (size_t)host * s->at_once;
    uint32_t first = 0;

    if (!s->at_once) {
        return length_ms;
    }
    for (uint32_t i = 1; i < s->at_once; i++) {
        first = free_ms[i] < free_ms[first] ? i : first;
    }
    int64_t begin_ms = free_ms[first] > now_ms ? free_ms[first] : now_ms;

    free_ms[first] = begin_ms + length_ms;
    return free_ms[first] - now_ms;
}
