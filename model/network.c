/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Most switches have one link only: they are leaves, and routes among the rest
 * are in a table of the first link of each. */

#include "model/network.h"

#include <stdlib.h>
#include <string.h>

void
dcp_network_destroy(struct dcp_network *n)
{
    if (n) {
        free(n->node);
        free(n->site);
        free(n->edge);
        free(n->touch_first);
        free(n->touch);
        free(n->leaf);
        free(n->core);
        free(n->next);
        free(n);
    }
}

uint64_t
dcp_network_rate(const struct dcp_network *n, uint32_t link)
{
    const struct dcp_inventory *inv = n->inventory;

    return link < inv->n_switches
               ? inv->switches[link].uplink_kib_s
               : inv->links[link - inv->n_switches].rate_kib_s;
}

/* --- Who is where ------------------------------------------------------- */

static uint32_t
site_node(const struct dcp_inventory *inv, dcp_site_id site)
{
    return inv->n_switches + (dcp_site_is_none(site) ? inv->n_sites : site.ix);
}

/* A switch's before a site's of the same name, as the reader has it. */
static uint32_t
node_named(const struct dcp_inventory *inv, const char *name)
{
    for (uint32_t s = 0; s < inv->n_switches; s++) {
        if (!strcmp(inv->switches[s].name, name)) {
            return s;
        }
    }
    for (uint32_t s = 0; s < inv->n_sites; s++) {
        if (!strcmp(inv->sites[s].name, name)) {
            return inv->n_switches + s;
        }
    }
    return DCP_IX_NONE;
}

/* 'linked': by node. */
static void
name_links(struct dcp_network *n, bool linked[])
{
    const struct dcp_inventory *inv = n->inventory;

    for (uint32_t l = 0; l < inv->n_links; l++) {
        struct dcp_edge *e = &n->edge[inv->n_switches + l];

        e->end[0] = node_named(inv, inv->links[l].end[0]);
        e->end[1] = node_named(inv, inv->links[l].end[1]);
        if (e->end[0] == DCP_IX_NONE || e->end[1] == DCP_IX_NONE ||
            e->end[0] == e->end[1]) {
            e->end[0] = e->end[1] = DCP_IX_NONE;
        } else {
            linked[e->end[0]] = linked[e->end[1]] = true;
        }
        n->any |= inv->links[l].rate_kib_s != 0;
    }
}

static uint32_t
switch_of(const struct dcp_network *n, const struct dcp_host *host,
          const bool linked[])
{
    const struct dcp_inventory *inv = n->inventory;
    uint32_t first = DCP_IX_NONE, joined = DCP_IX_NONE;

    for (uint32_t i = 0; i < host->n_ports; i++) {
        uint32_t s = host->ports[i].to.ix;

        if (s == DCP_IX_NONE) {
            continue;
        }
        if (inv->switches[s].uplink_kib_s) {
            return s;
        }
        joined = joined == DCP_IX_NONE && linked[s] ? s : joined;
        first = first == DCP_IX_NONE ? s : first;
    }
    return joined != DCP_IX_NONE ? joined : first;
}

static void
place_hosts(struct dcp_network *n, const bool linked[])
{
    const struct dcp_inventory *inv = n->inventory;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        uint32_t s = switch_of(n, &inv->hosts[h], linked);

        n->site[h] = site_node(inv, dcp_host_site(inv, (dcp_host_id){ h }));
        n->node[h] = s == DCP_IX_NONE ? n->site[h] : s;
    }
}

static void
hang_switches(struct dcp_network *n, const bool linked[])
{
    const struct dcp_inventory *inv = n->inventory;

    for (uint32_t s = 0; s < inv->n_switches; s++) {
        dcp_site_id site = dcp_rack_site(inv, inv->switches[s].rack);
        bool hangs = inv->switches[s].uplink_kib_s || !linked[s];

        n->edge[s].end[0] = hangs ? s : DCP_IX_NONE;
        n->edge[s].end[1] = hangs && !dcp_site_is_none(site)
                                ? site_node(inv, site)
                                : DCP_IX_NONE;
        n->any |= inv->switches[s].uplink_kib_s != 0;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        uint32_t s = n->node[h];

        if (s < inv->n_switches && n->edge[s].end[0] == s &&
            n->edge[s].end[1] == DCP_IX_NONE) {
            n->edge[s].end[1] = n->site[h];
        }
    }
    for (uint32_t s = 0; s < inv->n_switches; s++) {
        if (n->edge[s].end[0] == s && n->edge[s].end[1] == DCP_IX_NONE) {
            n->edge[s].end[1] = site_node(inv, dcp_site_none());
        }
    }
}

/* --- Routes ------------------------------------------------------------- */

static void
find_leaves(struct dcp_network *n, const bool linked[])
{
    const struct dcp_inventory *inv = n->inventory;

    for (uint32_t v = 0; v < n->n_nodes; v++) {
        bool leaf = v < inv->n_switches && !linked[v];

        n->leaf[v] = leaf ? v : DCP_IX_NONE;
        n->core[v] = leaf ? DCP_IX_NONE : n->n_core++;
    }
}

/* Which links are at a node. */
static bool
list_touches(struct dcp_network *n)
{
    n->touch_first = calloc((size_t)n->n_nodes + 1, sizeof *n->touch_first);
    n->touch = calloc(2 * (size_t)n->n_links + 1, sizeof *n->touch);
    if (!n->touch_first || !n->touch) {
        return false;
    }
    for (uint32_t l = 0; l < n->n_links; l++) {
        for (int e = 0; e < 2 && n->edge[l].end[e] != DCP_IX_NONE; e++) {
            n->touch_first[n->edge[l].end[e] + 1]++;
        }
    }
    for (uint32_t v = 0; v < n->n_nodes; v++) {
        n->touch_first[v + 1] += n->touch_first[v];
    }
    uint32_t n_touches = n->touch_first[n->n_nodes];

    for (uint32_t l = n->n_links; l-- > 0;) {
        for (int e = 0; e < 2 && n->edge[l].end[e] != DCP_IX_NONE; e++) {
            /* Filled from behind: firsts become ends, and firsts again. */
            n->touch[--n->touch_first[n->edge[l].end[e] + 1]] = l;
        }
    }
    for (uint32_t v = 0; v < n->n_nodes; v++) {
        n->touch_first[v] = n->touch_first[v + 1];
    }
    n->touch_first[n->n_nodes] = n_touches;
    return true;
}

/* The first link from every node of the core towards 'to', nearest first; in
 * the model's order where links are as good. */
static void
route_to(struct dcp_network *n, uint32_t to, uint32_t queue[], uint32_t hops[])
{
    uint32_t head = 0, tail = 0;

    for (uint32_t v = 0; v < n->n_nodes; v++) {
        hops[v] = DCP_IX_NONE;
    }
    hops[to] = 0;
    queue[tail++] = to;
    while (head < tail) {
        uint32_t v = queue[head++];

        for (uint32_t k = n->touch_first[v]; k < n->touch_first[v + 1]; k++) {
            uint32_t l = n->touch[k];
            const struct dcp_edge *e = &n->edge[l];
            int side = e->end[1] == v;

            if (n->core[e->end[!side]] == DCP_IX_NONE ||
                hops[e->end[!side]] != DCP_IX_NONE) {
                continue;
            }
            uint32_t u = e->end[!side];

            hops[u] = hops[v] + 1;
            n->next[(size_t)n->core[u] * n->n_core + n->core[to]] = l;
            queue[tail++] = u;
        }
    }
}

static bool
route_all(struct dcp_network *n)
{
    size_t cells = (size_t)n->n_core * n->n_core;
    uint32_t *queue = calloc((size_t)n->n_nodes + 1, sizeof *queue);
    uint32_t *hops = calloc((size_t)n->n_nodes + 1, sizeof *hops);

    n->next = malloc((cells + 1) * sizeof *n->next);
    bool ok = queue && hops && n->next;

    for (size_t i = 0; ok && i < cells; i++) {
        n->next[i] = DCP_IX_NONE;
    }
    for (uint32_t v = 0; ok && v < n->n_nodes; v++) {
        if (n->core[v] != DCP_IX_NONE) {
            route_to(n, v, queue, hops);
        }
    }
    free(queue);
    free(hops);
    return ok;
}

struct dcp_network *
dcp_network_create(const struct dcp_inventory *inv, struct dcp_error *err)
{
    DCP_AUTO(dcp_network) struct dcp_network *n = calloc(1, sizeof *n);
    bool *linked =
        calloc((size_t)inv->n_switches + inv->n_sites + 1, sizeof *linked);
    bool ok = n && linked;

    if (ok) {
        n->inventory = inv;
        n->n_links = inv->n_switches + inv->n_links;
        n->n_nodes = inv->n_switches + inv->n_sites + 1;
        n->node = calloc((size_t)inv->n_hosts + 1, sizeof *n->node);
        n->site = calloc((size_t)inv->n_hosts + 1, sizeof *n->site);
        n->edge = calloc((size_t)n->n_links + 1, sizeof *n->edge);
        n->leaf = calloc(n->n_nodes, sizeof *n->leaf);
        n->core = calloc(n->n_nodes, sizeof *n->core);
        ok = n->node && n->site && n->edge && n->leaf && n->core;
    }
    if (ok) {
        name_links(n, linked);
        place_hosts(n, linked);
        hang_switches(n, linked);
        find_leaves(n, linked);
        ok = !n->any || (list_touches(n) && route_all(n));
    }
    free(linked);
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a network");
        return NULL;
    }
    return DCP_STEAL(n);
}

static uint32_t
add_hop(const struct dcp_network *n, uint32_t n_out,
        struct dcp_hop out[DCP_ROUTE_MAX], uint32_t link, uint32_t from)
{
    if (n_out < DCP_ROUTE_MAX && dcp_network_rate(n, link)) {
        out[n_out++] = (struct dcp_hop){ link, n->edge[link].end[0] != from };
    }
    return n_out;
}

uint32_t
dcp_network_route(const struct dcp_network *n, uint32_t from, uint32_t to,
                  struct dcp_hop out[DCP_ROUTE_MAX])
{
    uint32_t a = n->node[from], b = n->node[to], n_out = 0;
    uint32_t last = n->leaf[b];

    if (!n->any || a == b) {
        return 0;
    }
    if (n->leaf[a] != DCP_IX_NONE) {
        n_out = add_hop(n, n_out, out, n->leaf[a], a);
        a = n->edge[n->leaf[a]].end[1];
    }
    if (last != DCP_IX_NONE) {
        b = n->edge[last].end[1];
    }
    while (a != b) {
        uint32_t link = n->next[(size_t)n->core[a] * n->n_core + n->core[b]];

        if (link == DCP_IX_NONE) {
            break; /* No way is known. */
        }
        n_out = add_hop(n, n_out, out, link, a);
        a = n->edge[link].end[n->edge[link].end[0] == a];
    }
    return last == DCP_IX_NONE
               ? n_out
               : add_hop(n, n_out, out, last, n->edge[last].end[1]);
}

/* What the host's use adds to a link that is not its switch's own. */
static double
part_of(const struct dcp_network *n, uint32_t link, uint32_t host)
{
    const struct dcp_inventory *inv = n->inventory;
    uint32_t a = n->edge[link].end[0], b = n->edge[link].end[1];
    bool up = (a < inv->n_switches) != (b < inv->n_switches);

    if (up) {
        return (a < inv->n_switches ? a : b) == n->node[host] ? 1 : 0;
    }
    return 0.5;
}

static void
add_use(const struct dcp_network *n, uint32_t node, uint32_t host, double uses,
        double out_kib_s[])
{
    for (uint32_t k = n->touch_first[node]; k < n->touch_first[node + 1]; k++) {
        uint32_t link = n->touch[k];
        const struct dcp_edge *e = &n->edge[link];

        /* A link from the host's switch to its site is found at both. */
        if (link >= n->inventory->n_switches &&
            !(node == n->site[host] && node != n->node[host] &&
              (e->end[0] == n->node[host] || e->end[1] == n->node[host]))) {
            out_kib_s[link] += uses * part_of(n, link, host);
        }
    }
}

void
dcp_network_add_use(const struct dcp_network *n, uint32_t host,
                    double uses_kib_s, double link_kib_s[])
{
    if (!n->any || uses_kib_s == 0) {
        return;
    }
    if (n->node[host] < n->inventory->n_switches) {
        link_kib_s[n->node[host]] += uses_kib_s;
    }
    add_use(n, n->node[host], host, uses_kib_s, link_kib_s);
    if (n->site[host] != n->node[host]) {
        add_use(n, n->site[host], host, uses_kib_s, link_kib_s);
    }
}

void
dcp_network_use(const struct dcp_network *n, const double host_kib_s[],
                double out_kib_s[])
{
    memset(out_kib_s, 0, n->n_links * sizeof *out_kib_s);
    for (uint32_t h = 0; n->any && h < n->inventory->n_hosts; h++) {
        dcp_network_add_use(n, h, host_kib_s[h], out_kib_s);
    }
}
