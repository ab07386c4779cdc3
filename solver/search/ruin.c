/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/parts.h"

#include <math.h>

#define STALE_ROUNDS 4000u

/* --- Ruin and recreate -------------------------------------------------- */

/* Of equal values the lumpier is better: one host nearly empty, others full,
 * is nearer to a host less (Falkenauer 1996). */
static double
lumpiness(const struct search *x)
{
    double sum = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->s->on[h]) {
            double fill = dcp_search_fill(x, h);

            sum += fill * fill;
        }
    }
    return sum;
}

static uint32_t
random_on_host(struct search *x)
{
    uint32_t n = x->p->n_hosts;

    for (uint32_t tries = 0; tries < 4 * n; tries++) {
        uint32_t h = (uint32_t)dcp_rng_below(&x->in.rng, n);

        if (x->s->on[h] && x->p->use[h] != DCP_HOST_AVOID) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

/* One that holds VMs with a licence, where a few tries find some. */
static uint32_t
random_licensed_host(struct search *x)
{
    uint32_t h = DCP_IX_NONE;

    for (uint32_t tries = 0; tries < 16; tries++) {
        h = random_on_host(x);
        for (uint32_t k = 0; h != DCP_IX_NONE && k < x->p->pricing->n_licences;
             k++) {
            if (x->s->objective->units[(size_t)k * x->p->n_hosts + h] > 0) {
                return h;
            }
        }
    }
    return h;
}

/* Takes two to five hosts' items off, tries to do without one of them. */
static bool
ruin_and_recreate(struct search *x)
{
    struct dcp_state *s = x->s;
    uint32_t n_hosts = 2 + (uint32_t)dcp_rng_below(&x->in.rng, 4), n = 0;
    uint32_t *items = x->in.scratch, drop = DCP_IX_NONE;
    bool licensed =
        dcp_pricing_counts_licences(x->p, 0) && dcp_rng_below(&x->in.rng, 2);

    for (uint32_t k = 0; k < n_hosts; k++) {
        uint32_t h = licensed ? random_licensed_host(x) : random_on_host(x);

        if (h == DCP_IX_NONE) {
            return false;
        }
        while (s->first[h] != DCP_IX_NONE) {
            items[n] = s->first[h];
            dcp_insert_remove(&x->in, items[n++]);
        }
        if (drop == DCP_IX_NONE && dcp_search_may_switch_off(x, h)) {
            drop = h;
        }
    }
    bool off = drop != DCP_IX_NONE && dcp_rng_below(&x->in.rng, 2);

    if (off) {
        dcp_insert_power(&x->in, drop, false);
    }
    x->in.blink_frac = 0.05;
    bool ok = dcp_insert_all(&x->in, items, n);

    x->in.blink_frac = 0;
    for (uint32_t h = 0; ok && h < x->p->n_hosts; h++) {
        if (!s->n_on_host[h] && dcp_search_may_switch_off(x, h)) {
            dcp_insert_power(&x->in, h, false);
        }
    }
    return ok;
}

bool
dcp_search_ruin_and_recreate(struct search *x, bool check,
                             struct dcp_search_result *out,
                             struct dcp_error *err)
{
    double value = dcp_search_value(x->s), lumps = lumpiness(x);
    uint64_t stale = 0, limit = x->options->iterations;

    if (x->options->strategy == DCP_STRATEGY_LOCAL) {
        return true;
    }
    x->in.may_wake = false;
    x->in.swap_tries = 8;
    for (uint64_t round = 0; !limit || round < limit; round++, out->rounds++) {
        bool kept = false;

        if (dcp_search_value_is_bound(x, value) || stale++ >= STALE_ROUNDS ||
            dcp_search_is_over(x, check)) {
            break;
        }
        if (ruin_and_recreate(x)) {
            double new_value = dcp_search_value(x->s);
            double new_lumps = lumpiness(x);
            double margin = 1e-9 * fmax(fabs(value), 1);

            if (new_value < value - margin ||
                (new_value < value + margin && new_lumps > lumps + 1e-9)) {
                if (!dcp_search_settle(x, check, &kept, err)) {
                    return false;
                }
                if (kept) {
                    stale = new_value < value - margin ? 0 : stale;
                    value = new_value;
                    lumps = new_lumps;
                }
            }
        }
        if (!kept) {
            dcp_trail_undo(&x->in.trail, x->s);
        }
    }
    return true;
}
