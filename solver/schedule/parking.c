/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/schedule/parking.h"

#include <stdlib.h>
#include <string.h>

/* --- Choice ------------------------------------------------------------- */

static bool
has_local_disk(const struct dcp_inventory *inv, uint32_t vm)
{
    const struct dcp_vm *v = &inv->vms[vm];

    for (uint32_t i = 0; i < v->n_volumes; i++) {
        if (dcp_pool_is_none(inv->volumes[v->first_volume + i].pool)) {
            return true;
        }
    }
    return false;
}

/* Rules that count what is where, and hold in every state, would have to be
 * kept while it is away; a rooted VM must come back to where it was. */
static void
keep_what_rules_count(const struct dcp_inventory *inv, uint8_t absent[])
{
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        bool pairs = rule->kind == DCP_RULE_SPREAD ||
                     rule->kind == DCP_RULE_SEPARATE ||
                     rule->kind == DCP_RULE_FENCE || rule->kind == DCP_RULE_BAN;

        if (rule->soft || pairs ||
            (rule->kind != DCP_RULE_ROOT && rule->kind != DCP_RULE_SEQUENCE &&
             rule->hold != DCP_HOLD_ALWAYS)) {
            continue;
        }
        for (uint32_t i = 0; i < rule->n_vms; i++) {
            absent[rule->vms[i]] = 0;
        }
    }
}

/* What is left of a pool when all volumes are in use and 'absent' is saved;
 * negative: too little. */
static double
pool_left(const struct dcp_inventory *inv, uint32_t pool,
          const uint8_t absent[])
{
    double left = (double)inv->pools[pool].capacity_mib *
                  inv->pools[pool].thin_overcommit;

    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        left -= inv->volumes[i].pool.ix == pool
                    ? (double)inv->volumes[i].size_mib
                    : 0;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (absent[v] && dcp_park_pool(inv, v).ix == pool) {
            left -=
                (double)dcp_park_disk_mib(dcp_park_of(inv, v), &inv->vms[v]);
        }
    }
    return left;
}

/* The last of the table stay up until the rest has room. */
static void
fit_pools(const struct dcp_inventory *inv, uint8_t absent[])
{
    for (uint32_t p = 0; p < inv->n_pools; p++) {
        double left =
            inv->pools[p].capacity_mib ? pool_left(inv, p, absent) : 0;

        for (uint32_t v = inv->n_vms; left < 0 && v-- > 0;) {
            if (absent[v] && dcp_park_pool(inv, v).ix == p) {
                left += (double)dcp_park_disk_mib(dcp_park_of(inv, v),
                                                  &inv->vms[v]);
                absent[v] = 0;
            }
        }
    }
}

/* A VM stays up if one that starts after it does. */
static void
keep_what_is_needed(const struct dcp_inventory *inv, uint8_t absent[])
{
    for (uint32_t a = 0; a < inv->n_applications; a++) {
        const struct dcp_ids *vms = &inv->applications[a].vms;
        bool up = false;

        for (uint32_t i = vms->n; i-- > 0;) {
            up |= !absent[vms->ix[i]];
            absent[vms->ix[i]] = absent[vms->ix[i]] && !up;
        }
    }
}

uint32_t
dcp_parking_choose(const struct dcp_inventory *inv, int64_t from_ms,
                   int64_t until_ms, uint8_t out_absent[])
{
    uint32_t n = 0;

    for (uint32_t v = 0; inv->n_parks && v < inv->n_vms; v++) {
        const struct dcp_park *park = dcp_park_of(inv, v);

        out_absent[v] = park && dcp_park_allows(inv, park, from_ms, until_ms) &&
                        !has_local_disk(inv, v);
    }
    if (inv->n_parks) {
        keep_what_rules_count(inv, out_absent);
        fit_pools(inv, out_absent);
        keep_what_is_needed(inv, out_absent);
    }
    for (uint32_t v = 0; inv->n_parks && v < inv->n_vms; v++) {
        n += out_absent[v];
    }
    return n;
}

/* --- Order -------------------------------------------------------------- */

static int
last_started_first(const void *pa, const void *pb, void *arg)
{
    const struct dcp_inventory *inv = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    uint32_t rank_a = dcp_park_rank(inv, a), rank_b = dcp_park_rank(inv, b);

    if (rank_a != rank_b) {
        return rank_a > rank_b ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

uint32_t
dcp_parking_list(const struct dcp_inventory *inv,
                 const struct dcp_placement *from,
                 const struct dcp_placement *to, uint32_t out[])
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_host_is_none(from->host[v]) && dcp_host_is_none(to->host[v])) {
            out[n++] = v;
        }
    }
    if (n > 1) {
        qsort_r(out, n, sizeof *out, last_started_first, (void *)(size_t)inv);
    }
    return n;
}

bool
dcp_parking_comes_later(const struct dcp_inventory *inv,
                        const uint32_t *host_of_vm,
                        const struct dcp_placement *to, uint32_t vm)
{
    dcp_application_id app = inv->vms[vm].application;

    if (!inv->n_parks || dcp_application_is_none(app) ||
        host_of_vm[vm] != DCP_IX_NONE) {
        return false;
    }
    const struct dcp_ids *vms = &inv->applications[app.ix].vms;

    for (uint32_t i = 0; i < vms->n && vms->ix[i] != vm; i++) {
        if (host_of_vm[vms->ix[i]] == DCP_IX_NONE &&
            !dcp_host_is_none(to->host[vms->ix[i]])) {
            return true;
        }
    }
    return false;
}

/* --- Waits -------------------------------------------------------------- */

bool
dcp_parking_waits_init(struct dcp_parking_waits *w,
                       const struct dcp_inventory *inv)
{
    size_t n_places = (size_t)inv->n_pools + inv->n_hosts;

    *w = (struct dcp_parking_waits){ .inv = inv,
                                     .at_once = inv->policy.parks_at_once };
    w->ring = calloc(n_places * w->at_once + 1, sizeof *w->ring);
    w->count = calloc(n_places + 1, sizeof *w->count);
    w->of_app = calloc(inv->n_applications + 1u, sizeof *w->of_app);
    if (w->ring && w->count && w->of_app) {
        return true;
    }
    dcp_parking_waits_finish(w);
    return false;
}

void
dcp_parking_waits_finish(struct dcp_parking_waits *w)
{
    free(w->ring);
    free(w->count);
    free(w->of_app);
    *w = (struct dcp_parking_waits){ 0 };
}

static uint32_t
place_of(const struct dcp_parking_waits *w, uint32_t vm, uint32_t host)
{
    dcp_pool_id pool = dcp_park_pool(w->inv, vm);

    return dcp_pool_is_none(pool) ? w->inv->n_pools + host : pool.ix;
}

void
dcp_parking_waits_get(const struct dcp_parking_waits *w, uint32_t vm,
                      uint32_t host, uint32_t out[2])
{
    uint32_t place = place_of(w, vm, host);
    dcp_application_id app = w->inv->vms[vm].application;

    out[0] = w->ring[(size_t)place * w->at_once + w->count[place] % w->at_once];
    out[1] = dcp_application_is_none(app) ? 0 : w->of_app[app.ix];
}

void
dcp_parking_waits_add(struct dcp_parking_waits *w, uint32_t vm, uint32_t host,
                      uint32_t step)
{
    uint32_t place = place_of(w, vm, host);
    dcp_application_id app = w->inv->vms[vm].application;

    w->ring[(size_t)place * w->at_once + w->count[place]++ % w->at_once] = step;
    if (!dcp_application_is_none(app)) {
        w->of_app[app.ix] = step;
    }
}
