/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/paths.h"

#include <stdlib.h>
#include <string.h>

#define ALWAYS_LEFT 20 /* A twentieth. */

void
dcp_paths_destroy(struct dcp_paths *p)
{
    if (p) {
        free(p->switch_of_host);
        free(p->site_of_host);
        free(p->left_kib_s);
        free(p);
    }
}

static void
place_hosts(struct dcp_paths *p)
{
    const struct dcp_inventory *inv = p->inventory;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];

        p->switch_of_host[h] = DCP_IX_NONE;
        p->site_of_host[h] = dcp_host_site(inv, (dcp_host_id){ h }).ix;
        for (uint32_t i = 0; i < host->n_ports; i++) {
            uint32_t s = host->ports[i].to.ix;

            if (s != DCP_IX_NONE && inv->switches[s].uplink_kib_s) {
                p->switch_of_host[h] = s;
                p->any = true;
                break;
            }
        }
    }
    for (uint32_t l = 0; l < inv->n_links; l++) {
        p->any |= inv->links[l].rate_kib_s != 0;
    }
}

static uint64_t
most_sent(const struct dcp_state *s, uint32_t h, uint32_t n_slots)
{
    uint64_t most = 0;

    for (uint32_t t = 0; s->net_kib_s && t < n_slots; t++) {
        uint64_t x = s->net_kib_s[(size_t)h * s->p->stride + t];

        most = x > most ? x : most;
    }
    return most;
}

static uint64_t
left_of(uint64_t rate, uint64_t used)
{
    uint64_t least = rate / ALWAYS_LEFT ? rate / ALWAYS_LEFT : 1;

    return used + least < rate ? rate - used : least;
}

/* The index of the link between two sites; DCP_IX_NONE: there is none. */
static uint32_t
site_link(const struct dcp_inventory *inv, uint32_t a, uint32_t b)
{
    for (uint32_t l = 0; l < inv->n_links; l++) {
        const struct dcp_link *link = &inv->links[l];

        for (int side = 0; side < 2; side++) {
            if (link->rate_kib_s &&
                !strcmp(link->end[side], inv->sites[a].name) &&
                !strcmp(link->end[!side], inv->sites[b].name)) {
                return l;
            }
        }
    }
    return DCP_IX_NONE;
}

static bool
names_site(const struct dcp_inventory *inv, const struct dcp_link *link,
           uint32_t site)
{
    return site != DCP_IX_NONE &&
           (!strcmp(link->end[0], inv->sites[site].name) ||
            !strcmp(link->end[1], inv->sites[site].name));
}

static bool
count_left(struct dcp_paths *p, const struct dcp_state *s, uint32_t n_slots)
{
    const struct dcp_inventory *inv = p->inventory;
    uint64_t *used = calloc((size_t)p->n_links + 1, sizeof *used);

    if (!used) {
        return false;
    }
    for (uint32_t h = 0; p->any && h < inv->n_hosts; h++) {
        uint64_t sent = most_sent(s, h, n_slots);

        if (p->switch_of_host[h] != DCP_IX_NONE) {
            used[p->switch_of_host[h]] += sent;
        }
        /* A link between sites carries at most what one of them sends. */
        for (uint32_t l = 0; l < inv->n_links; l++) {
            used[inv->n_switches + l] +=
                names_site(inv, &inv->links[l], p->site_of_host[h]) ? sent / 2
                                                                    : 0;
        }
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        p->left_kib_s[i] = left_of(inv->switches[i].uplink_kib_s, used[i]);
    }
    for (uint32_t l = 0; l < inv->n_links; l++) {
        p->left_kib_s[inv->n_switches + l] =
            left_of(inv->links[l].rate_kib_s, used[inv->n_switches + l]);
    }
    free(used);
    return true;
}

struct dcp_paths *
dcp_paths_create(const struct dcp_state *s, uint32_t n_slots,
                 struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    struct dcp_paths *p = calloc(1, sizeof *p);

    if (p) {
        p->inventory = inv;
        p->n_links = inv->n_switches + inv->n_links;
        p->switch_of_host = calloc((size_t)inv->n_hosts + 1, sizeof(uint32_t));
        p->site_of_host = calloc((size_t)inv->n_hosts + 1, sizeof(uint32_t));
        p->left_kib_s = calloc((size_t)p->n_links + 1, sizeof(uint64_t));
    }
    if (p && p->switch_of_host && p->site_of_host && p->left_kib_s) {
        place_hosts(p);
        if (count_left(p, s, n_slots)) {
            return p;
        }
    }
    dcp_paths_destroy(p);
    (void)dcp_fail(err, DCP_E_NOMEM, "no memory for paths");
    return NULL;
}

uint32_t
dcp_paths_between(const struct dcp_paths *p, uint32_t from, uint32_t to,
                  uint32_t out[DCP_PATH_LINKS_MAX])
{
    uint32_t a = p->switch_of_host[from], b = p->switch_of_host[to], n = 0;
    uint32_t x = p->site_of_host[from], y = p->site_of_host[to];

    if (!p->any) {
        return 0;
    }
    if (a != b && a != DCP_IX_NONE) {
        out[n++] = a;
    }
    if (a != b && b != DCP_IX_NONE) {
        out[n++] = b;
    }
    if (x != y && x != DCP_IX_NONE && y != DCP_IX_NONE) {
        uint32_t l = site_link(p->inventory, x, y);

        if (l != DCP_IX_NONE) {
            out[n++] = p->inventory->n_switches + l;
        }
    }
    return n;
}
