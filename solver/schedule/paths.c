/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/paths.h"

#include <stdlib.h>

#define ALWAYS_LEFT 20 /* A twentieth. */

void
dcp_paths_destroy(struct dcp_paths *p)
{
    if (p) {
        dcp_network_destroy(p->network);
        free(p->left_kib_s);
        free(p);
    }
}

static double
most_sent(const struct dcp_state *s, uint32_t h, uint32_t n_slots)
{
    uint64_t most = 0;

    for (uint32_t t = 0; s->net_kib_s && t < n_slots; t++) {
        uint64_t x = s->net_kib_s[(size_t)h * s->p->stride + t];

        most = x > most ? x : most;
    }
    return (double)most;
}

static uint64_t
left_of(uint64_t rate, uint64_t used)
{
    uint64_t least = rate / ALWAYS_LEFT ? rate / ALWAYS_LEFT : 1;

    return used + least < rate ? rate - used : least;
}

static bool
count_left(struct dcp_paths *p, const struct dcp_state *s, uint32_t n_slots)
{
    uint32_t n_hosts = s->p->q->inventory->n_hosts;
    double *sent = calloc((size_t)n_hosts + 1, sizeof *sent);
    double *used = calloc((size_t)p->n_links + 1, sizeof *used);
    bool ok = sent && used;

    for (uint32_t h = 0; ok && p->network->any && h < n_hosts; h++) {
        sent[h] = most_sent(s, h, n_slots);
    }
    if (ok) {
        dcp_network_use(p->network, sent, used);
    }
    for (uint32_t l = 0; ok && l < p->n_links; l++) {
        p->left_kib_s[l] =
            left_of(dcp_network_rate(p->network, l), (uint64_t)used[l]);
    }
    free(sent);
    free(used);
    return ok;
}

struct dcp_paths *
dcp_paths_create(const struct dcp_state *s, uint32_t n_slots,
                 struct dcp_error *err)
{
    DCP_AUTO(dcp_paths) struct dcp_paths *p = calloc(1, sizeof *p);

    if (p) {
        p->network = dcp_network_create(s->p->q->inventory, err);
        if (!p->network) {
            return NULL;
        }
        p->n_links = p->network->n_links;
        p->left_kib_s = calloc((size_t)p->n_links + 1, sizeof(uint64_t));
    }
    if (!p || !p->left_kib_s || !count_left(p, s, n_slots)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for paths");
        return NULL;
    }
    return DCP_STEAL(p);
}

uint32_t
dcp_paths_between(const struct dcp_paths *p, uint32_t from, uint32_t to,
                  uint32_t out[DCP_PATH_LINKS_MAX])
{
    struct dcp_hop hop[DCP_ROUTE_MAX];
    uint32_t n = dcp_network_route(p->network, from, to, hop);

    for (uint32_t i = 0; i < n; i++) {
        out[i] = hop[i].link;
    }
    return n;
}
