/* SPDX-License-Identifier: GPL-3.0-or-later */

/* From outages of anything to outages of hosts: a sweep over all starts and
 * ends; at each, the hosts that the object serves are looked at again.  At one
 * instant starts come first, so that a host which is handed from one cause to
 * the next is not up in between. */

#include "sim/failure/failure.h"

#include <stdlib.h>

struct edge {
    int64_t at_ms;
    uint32_t outage;
    bool down;
};

struct sweep {
    const struct dcp_inventory *inv;
    const struct dcp_outages *all;
    uint32_t *down[DCP_DOMAINS]; /* By object: outages under way. */
    uint32_t *open; /* By host: position + 1 in 'out'; 0: it is up. */
    struct dcp_outages *out;
    uint32_t *cause;
    uint32_t cause_capacity;
};

static int
compare_edges(const void *x, const void *y)
{
    const struct edge *a = x, *b = y;

    return a->at_ms != b->at_ms     ? (a->at_ms < b->at_ms ? -1 : 1)
           : a->down != b->down     ? (a->down ? -1 : 1)
           : a->outage != b->outage ? (a->outage < b->outage ? -1 : 1)
                                    : 0;
}

static bool
all_down(const uint32_t *down, const struct dcp_ids *ids)
{
    for (uint32_t i = 0; i < ids->n; i++) {
        if (!down[ids->ix[i]]) {
            return false;
        }
    }
    return ids->n > 0;
}

static bool
switches_down(const struct sweep *s, const struct dcp_host *host)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < host->n_ports; i++) {
        uint32_t to = host->ports[i].to.ix;

        if (to == DCP_IX_NONE) {
            continue;
        }
        if (!s->down[DCP_DOMAIN_SWITCH][to]) {
            return false;
        }
        n++;
    }
    return n > 0;
}

static bool
is_down(const struct sweep *s, uint32_t h)
{
    const struct dcp_inventory *inv = s->inv;
    const struct dcp_host *host = &inv->hosts[h];
    dcp_room_id room = dcp_host_room(inv, (dcp_host_id){ h });
    dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });

    return s->down[DCP_DOMAIN_HOST][h] ||
           (!dcp_room_is_none(room) && s->down[DCP_DOMAIN_ROOM][room.ix]) ||
           (!dcp_site_is_none(site) && s->down[DCP_DOMAIN_SITE][site.ix]) ||
           (!dcp_rack_is_none(host->rack) &&
            (s->down[DCP_DOMAIN_RACK][host->rack.ix] ||
             all_down(s->down[DCP_DOMAIN_FEED],
                      &inv->racks[host->rack.ix].feeds))) ||
           switches_down(s, host);
}

static bool
open_outage(struct sweep *s, uint32_t host, const struct edge *e,
            struct dcp_error *err)
{
    struct dcp_outages *out = s->out;

    if (out->n == out->capacity) {
        uint32_t capacity = out->capacity ? 2 * out->capacity : 64;
        struct dcp_outage *list = realloc(out->list, capacity * sizeof *list);
        uint32_t *cause =
            list ? realloc(s->cause, capacity * sizeof *cause) : NULL;

        out->list = list ? list : out->list;
        s->cause = cause ? cause : s->cause;
        if (!list || !cause) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for outages");
        }
        out->capacity = capacity;
    }
    s->cause[out->n] = e->outage;
    out->list[out->n++] =
        (struct dcp_outage){ e->at_ms, INT64_MAX, DCP_DOMAIN_HOST, host };
    s->open[host] = out->n;
    return true;
}

static bool
look_again(struct sweep *s, const struct edge *e, struct dcp_error *err)
{
    const struct dcp_outage *o = &s->all->list[e->outage];
    bool one = o->of == DCP_DOMAIN_HOST;
    uint32_t first = one ? o->ix : 0, end = one ? o->ix + 1 : s->inv->n_hosts;

    for (uint32_t h = first; h < end; h++) {
        bool down = is_down(s, h);

        if (down && !s->open[h] && !open_outage(s, h, e, err)) {
            return false;
        }
        if (!down && s->open[h]) {
            s->out->list[s->open[h] - 1].until_ms = e->at_ms;
            s->open[h] = 0;
        }
    }
    return true;
}

static bool
run(struct sweep *s, struct edge *edges, struct dcp_error *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->all->n; i++) {
        const struct dcp_outage *o = &s->all->list[i];

        if (o->from_ms >= o->until_ms) {
            continue;
        }
        edges[n++] = (struct edge){ o->from_ms, i, true };
        if (o->until_ms < INT64_MAX) {
            edges[n++] = (struct edge){ o->until_ms, i, false };
        }
    }
    if (n) {
        qsort(edges, n, sizeof *edges, compare_edges);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_outage *o = &s->all->list[edges[i].outage];

        s->down[o->of][o->ix] += edges[i].down ? 1 : UINT32_MAX;
        if (!look_again(s, &edges[i], err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_outages_of_hosts(const struct dcp_inventory *inv,
                     const struct dcp_outages *all, struct dcp_outages *out,
                     uint32_t **cause, struct dcp_error *err)
{
    struct sweep s = { .inv = inv, .all = all, .out = out };
    struct edge *edges = calloc(2 * (size_t)all->n + 1, sizeof *edges);
    bool ok;

    *out = (struct dcp_outages){ 0 };
    s.open = calloc((size_t)inv->n_hosts + 1, sizeof *s.open);
    ok = edges && s.open;
    for (enum dcp_domain of = 0; of < DCP_DOMAINS; of++) {
        s.down[of] = calloc((size_t)dcp_failure_n_objects(inv, of) + 1,
                            sizeof *s.down[of]);
        ok = ok && s.down[of];
    }
    ok = ok ? run(&s, edges, err)
            : dcp_fail(err, DCP_E_NOMEM, "no memory for outages");
    for (enum dcp_domain of = 0; of < DCP_DOMAINS; of++) {
        free(s.down[of]);
    }
    free(s.open);
    free(edges);
    if (!ok) {
        dcp_outages_finish(out);
    }
    if (ok && cause) {
        *cause = s.cause;
    } else {
        free(s.cause);
    }
    return ok;
}
