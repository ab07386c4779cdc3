/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which hosts to wake so that few spares do; see solver/headroom/spares.h. */

#include "solver/headroom/failed_boots.h"
#include "solver/headroom/spares_parts.h"

#include <stdlib.h>
#include <string.h>

/* A spare is on all day, when energy is dear, a host that stays on instead only
 * at night: fewer hosts for each spare are not worth it. */
#define HOSTS_PER_SPARE 6u

struct grouping {
    const struct dcp_spares *sp;
    uint32_t *parcel; /* Of the hosts that are in no group yet, and then: */
    uint32_t n;
    uint32_t *in; /* those of the group being made. */
    uint32_t n_in;
    uint8_t *taken;  /* By class: serves the group. */
    uint32_t n_base; /* Hosts that are woken whatever is grouped. */
    uint32_t n_grouped, n_spares;
};

static bool
serves(const struct dcp_spares *sp, uint32_t parcel, uint32_t class)
{
    return dcp_spares_bit(sp->classes + (size_t)parcel * sp->words, class);
}

/* Hosts in one parcel that no rule binds to a place. */
static void
list_whole(struct grouping *g)
{
    const struct dcp_spares *sp = g->sp;

    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        uint32_t host = sp->parcels[k].host;
        bool alone =
            (!k || sp->parcels[k - 1].host != host) &&
            (k + 1 == sp->n_parcels || sp->parcels[k + 1].host != host);

        if (alone && !sp->parcels[k].bound) {
            g->parcel[g->n++] = k;
        }
    }
}

/* How many of the woken may fail with the group and so many spares more. */
static uint32_t
may_fail(const struct grouping *g, uint32_t n_spares)
{
    return dcp_failed_boots_count(&g->sp->s->p->q->inventory->policy,
                                  g->n_base + g->n_grouped + g->n_in +
                                      g->n_spares + n_spares);
}

/* The class that serves most of the group, of equal ones the larger;
 * DCP_IX_NONE: none serves any. */
static uint32_t
best_class(const struct grouping *g)
{
    const struct dcp_spares *sp = g->sp;
    uint32_t best = DCP_IX_NONE, most = 0;

    for (uint32_t c = 0; c < sp->n_classes; c++) {
        uint32_t n = 0;

        if (g->taken[c] || !sp->n_all[c]) {
            continue;
        }
        for (uint32_t i = 0; i < g->n_in; i++) {
            n += serves(sp, g->in[i], c);
        }
        if (n > most || (n && n == most && sp->n_all[c] > sp->n_all[best])) {
            most = n;
            best = c;
        }
    }
    return best;
}

/* Adds classes, and drops hosts that they do not serve, until they have enough
 * spares for the rest.  Returns how many that takes; 0: there is no group. */
static uint32_t
make_group(struct grouping *g)
{
    uint32_t n_spares = 0, need = 1;

    memcpy(g->in, g->parcel, g->n * sizeof *g->in);
    g->n_in = g->n;
    memset(g->taken, 0, g->sp->n_classes);
    while (n_spares < need) {
        uint32_t class = best_class(g), n = 0;

        if (class == DCP_IX_NONE) {
            return 0;
        }
        for (uint32_t i = 0; i < g->n_in; i++) {
            if (serves(g->sp, g->in[i], class)) {
                g->in[n++] = g->in[i];
            }
        }
        g->n_in = n;
        g->taken[class] = 1;
        n_spares += g->sp->n_all[class];
        need = may_fail(g, 0);
        need = may_fail(g, need);
    }
    return need;
}

/* Those of the group are marked, and no longer to be grouped. */
static void
keep_group(struct grouping *g, uint8_t *in_group)
{
    uint32_t n = 0, at = 0;

    for (uint32_t i = 0; i < g->n; i++) {
        if (at < g->n_in && g->in[at] == g->parcel[i]) {
            in_group[g->sp->parcels[g->parcel[i]].host] = 1;
            at++;
        } else {
            g->parcel[n++] = g->parcel[i];
        }
    }
    g->n = n;
    g->n_grouped += g->n_in;
}

bool
dcp_spares_group(struct dcp_spares *sp, const uint32_t *pool, uint32_t n_pool,
                 uint32_t n_others, uint8_t *in_group, struct dcp_error *err)
{
    DCP_FREE uint32_t *need = malloc((sp->s->p->n_hosts + 1u) * sizeof *need);
    uint32_t f = dcp_failed_boots_count(&sp->s->p->q->inventory->policy,
                                        n_others + sp->n_awake_sum);

    for (uint32_t h = 0; need && h < sp->s->p->n_hosts; h++) {
        need[h] = f;
    }
    if (!need || !dcp_spares_cut(sp, pool, n_pool, need)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    DCP_FREE uint32_t *lists =
        malloc((2 * (size_t)sp->n_parcels + 1) * sizeof *lists);
    DCP_FREE uint8_t *taken = calloc(sp->n_classes + 1u, 1);
    struct grouping g = { .sp = sp,
                          .parcel = lists,
                          .in = lists + sp->n_parcels,
                          .taken = taken,
                          .n_base = n_others - n_pool };

    if (!lists || !taken) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for spare hosts");
    }
    list_whole(&g);
    bool more = true;

    for (uint32_t n_groups = 1; more && g.n; n_groups++) {
        /* With more that are woken, each group before needs more, too. */
        uint32_t each = make_group(&g), all = n_groups * each;

        more = each && g.n_in > HOSTS_PER_SPARE * (all - g.n_spares);
        if (more) {
            keep_group(&g, in_group);
            g.n_spares = all;
        }
    }
    return true;
}
