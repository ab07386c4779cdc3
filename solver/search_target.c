/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Packing to a target: the hosts that the bound would keep, filled by
 * ejection; then hosts fewer, one at a time. */

#include "solver/search_parts.h"

#include <math.h>
#include <stdlib.h>

#define FILL_EJECTIONS 2000u
#define WAKE_EJECTIONS 100u
#define HOSTS_EACH     40u
#define MEND_TRIES     16u

/* What a MHz of capacity costs: being on by the resource that binds, and the
 * load that comes with it. */
static double
host_rate(const struct search *x, uint32_t h)
{
    const struct dcp_problem *p = x->p;
    uint32_t r = x->bound->binding;
    double cap = r < p->n_scalars ? p->cap[(size_t)r * p->n_hosts + h]
                                  : p->cap_cpu_mhz[h];

    return p->on_value[h] / (cap + 1);
}

/* A host that is off and takes the item, the cheapest for what it holds; what
 * was on before is rather left on than another woken. */
static uint32_t
host_to_wake(const struct search *x, uint32_t item)
{
    const struct dcp_problem *p = x->p;
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->s->on[h] || p->use[h] != DCP_HOST_FREE ||
            (!p->q->may_wake && !p->q->start->on[h]) ||
            !dcp_state_may_switch(x->s, h, true) ||
            !dcp_problem_reaches(p, item, h) ||
            !dcp_state_fits(x->s, item, h) ||
            !dcp_state_allowed(x->s, item, h)) {
            continue;
        }
        double rate = host_rate(x, h) * (p->q->start->on[h] ? 0.999 : 1);

        if (best == DCP_IX_NONE || rate < least) {
            best = h;
            least = rate;
        }
    }
    return best;
}

static void
pool_host(struct search *x, uint32_t h)
{
    while (x->s->first[h] != DCP_IX_NONE) {
        uint32_t item = x->s->first[h];

        dcp_insert_remove(&x->in, item);
        dcp_homeless_add(&x->homeless, item);
    }
    dcp_insert_power(&x->in, h, false);
}

/* --- Filling ------------------------------------------------------------ */

static size_t
quota_of(const struct search *x, uint32_t h)
{
    return (size_t)x->bound->region[h] * x->p->n_types + x->p->type_of_host[h];
}

/* Whether hosts of type 'a' are as large as those of 'b' in everything, and
 * being on costs no more. */
static bool
at_least_as_good(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    bool ok = p->on_value[a] <= p->on_value[b] &&
              p->cap_cpu_mhz[a] >= p->cap_cpu_mhz[b] &&
              p->cap_net_kib_s[a] >= p->cap_net_kib_s[b] &&
              (!p->q->mhz_slope || p->q->mhz_slope[a] <= p->q->mhz_slope[b]);

    for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
        const uint32_t *cap = p->cap + (size_t)r * p->n_hosts;

        ok = cap[a] >= cap[b];
    }
    return ok;
}

/* Among equals the program takes any: larger hosts instead of smaller ones,
 * where more of them may be on. */
static bool
enlarge_quotas(const struct search *x, double *quota)
{
    const struct dcp_problem *p = x->p;
    size_t n_quotas = (size_t)x->bound->n_regions * p->n_types;
    DCP_FREE double *most = calloc(n_quotas + 1u, sizeof *most);
    DCP_FREE uint32_t *example = calloc(p->n_types + 1u, sizeof *example);

    if (!most || !example) {
        return false;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        example[p->type_of_host[h]] = h;
        most[quota_of(x, h)] += x->s->on[h] && p->use[h] == DCP_HOST_FREE;
    }
    for (uint32_t k = 0; k < n_quotas; k++) {
        uint32_t region = k / p->n_types, type = k % p->n_types;

        for (uint32_t t = 0; t < p->n_types && quota[k] > 0; t++) {
            size_t to = (size_t)region * p->n_types + t;
            double n = fmin(quota[k], fmax(most[to] - quota[to], 0));

            if (t != type && n > 0 &&
                at_least_as_good(p, example[t], example[type])) {
                quota[to] += n;
                quota[k] -= n;
            }
        }
    }
    return true;
}

/* Hosts to keep: by type and region as many as the bound's program has on, the
 * fullest first; what the others hold goes into the pool. */
static bool
keep_hosts(struct search *x, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    size_t n_quotas = (size_t)x->bound->n_regions * p->n_types;
    DCP_FREE double *quota = malloc((n_quotas + 1u) * sizeof *quota);
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((p->n_hosts + 1u) * sizeof *ranks);
    uint32_t n = 0;

    if (!ranks || !quota) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (size_t k = 0; k < n_quotas; k++) {
        quota[k] = ceil(x->bound->type_on[k] - 1e-6);
    }
    if (!enlarge_quotas(x, quota)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->s->on[h] && p->use[h] == DCP_HOST_FREE) {
            ranks[n++] = (struct dcp_ranked_host){ h, -dcp_search_fill(x, h) };
        } else if (x->s->on[h] && p->use[h] == DCP_HOST_KEEP) {
            quota[quota_of(x, h)]--;
        }
    }
    dcp_search_sort_hosts(ranks, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t h = ranks[k].host;

        if (quota[quota_of(x, h)]-- <= 0 && dcp_search_may_switch_off(x, h)) {
            pool_host(x, h);
        }
    }
    return true;
}

/* What the reserves hold goes into the pool; they stay on. */
static void
empty_reserves(struct search *x)
{
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (x->in.closed[h]) {
            pool_host(x, h);
            dcp_insert_power(&x->in, h, true);
        }
    }
}

bool
dcp_search_keep_and_fill(struct search *x, struct dcp_error *err)
{
    uint64_t ejections = FILL_EJECTIONS;

    if (!keep_hosts(x, err)) {
        return false;
    }
    if (x->in.closed) {
        if (!dcp_search_reserve(x, x->closed, err)) {
            return false;
        }
        empty_reserves(x);
    }
    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = false;
    while (!dcp_homeless_place(&x->homeless, &x->in, ejections, HOSTS_EACH)) {
        uint32_t h = host_to_wake(x, x->homeless.item[0]);

        if (h == DCP_IX_NONE) {
            dcp_trail_undo(&x->in.trail, x->s);
            break;
        }
        dcp_insert_power(&x->in, h, true);
        ejections = WAKE_EJECTIONS;
    }
    dcp_homeless_clear(&x->homeless);
    x->in.trail.n = 0;
    return true;
}

/* --- Hosts fewer -------------------------------------------------------- */

/* Whether what the trail holds is kept: where 'check', headroom must be, or
 * come with a few more moves. */
static bool
settle(struct search *x, double before, bool check, bool *out_kept,
       struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = dcp_search_value(x->s) <= before };

    if (headroom.ok && check &&
        !dcp_search_mend_headroom(x, false, MEND_TRIES, &headroom, err)) {
        return false;
    }
    *out_kept = headroom.ok;
    if (headroom.ok) {
        x->in.trail.n = 0;
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

bool
dcp_search_drop_hosts(struct search *x, bool check, uint64_t ejections,
                      struct dcp_error *err)
{
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    bool again = true;

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    x->in.may_wake = false;
    while (again) {
        uint32_t n = dcp_search_rank_to_empty(x, ranks);

        again = false;
        for (uint32_t k = 0; k < n && k < 12; k++) {
            double before = dcp_search_value(x->s);
            bool kept = false;

            if (dcp_search_time_is_up(x) ||
                dcp_search_good_enough(x, dcp_search_value(x->s))) {
                return true;
            }
            if (!dcp_search_may_switch_off(x, ranks[k].host) ||
                (x->in.closed && x->in.closed[ranks[k].host])) {
                continue;
            }
            pool_host(x, ranks[k].host);
            if (!dcp_homeless_place(&x->homeless, &x->in, ejections,
                                    HOSTS_EACH)) {
                dcp_trail_undo(&x->in.trail, x->s);
            } else if (!settle(x, before, check, &kept, err)) {
                return false;
            }
            dcp_homeless_clear(&x->homeless);
            again |= kept;
        }
    }
    return true;
}
