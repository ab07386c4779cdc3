/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_NETWORK_H
#define DCP_MODEL_NETWORK_H 1

/* Which links of limited rate lie between two hosts.
 *
 * Nodes are switches and sites.  A switch hangs off its site by its `uplink`;
 * `links` join any two.  A switch that is named by a link and has no uplink of
 * its own has only its links.  A host is behind the switch of its first port
 * whose uplink has a limit; else of its first port to a switch that a link
 * names; else of its first; without ports it is at its site.  A switch's site
 * is its rack's, else that of the first host behind it; all without a site
 * are at one place.
 *
 * The route goes over the fewest links, those that come first in the model
 * where several are as short; hosts behind one switch have none between them,
 * and where there is no way no limit is known.  Each way of a link is apart.
 *
 * How much of production crosses a link is not measured.  Of a switch's way to
 * a site all that the hosts behind it use is counted, of other links half of
 * what the hosts at both ends use.
 *
 * Borrows the inventory.  Read-only after creation: thread-safe. */

#include "model/inventory.h"

#define DCP_ROUTE_MAX 8u /* Of longer routes the first. */

struct dcp_hop {
    uint32_t link;
    bool back; /* From its second end to its first; of an uplink: down. */
};

struct dcp_network {
    const struct dcp_inventory *inventory;
    uint32_t n_links;      /* Uplinks by switch, then links. */
    bool any;              /* Some link has a limit at all. */
    uint32_t n_nodes;      /* Switches, sites, and where no site is known. */
    uint32_t *node, *site; /* Of each host; a node, a node that is a site. */
    struct dcp_edge {      /* By link; none where a switch has no uplink. */
        uint32_t end[2];
    } * edge;
    /* Links at each node, ascending: touch_first[v] to touch_first[v + 1] - 1.
     */
    uint32_t *touch_first, *touch;
    uint32_t *leaf; /* [node]: its only link, of switches; DCP_IX_NONE. */
    uint32_t *core; /* [node]: among those that are no leaves. */
    uint32_t n_core;
    uint32_t *next; /* [core of from][core of to]: link; DCP_IX_NONE. */
};

struct dcp_network *dcp_network_create(const struct dcp_inventory *,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_network_destroy(struct dcp_network *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_network)

/* KiB/s each way; 0: not a limit. */
uint64_t dcp_network_rate(const struct dcp_network *, uint32_t link);

/* The links with a limit from one host to another, in order; how many. */
uint32_t dcp_network_route(const struct dcp_network *, uint32_t from,
                           uint32_t to, struct dcp_hop out[DCP_ROUTE_MAX]);

/* What production takes of each link where hosts use 'host_kib_s'. */
void dcp_network_use(const struct dcp_network *, const double host_kib_s[],
                     double out_kib_s[]);
/* The same by one host: adds what links carry where it uses so much more, or
 * less where that is below zero. */
void dcp_network_add_use(const struct dcp_network *, uint32_t host,
                         double uses_kib_s, double link_kib_s[]);

#endif /* model/network.h */
