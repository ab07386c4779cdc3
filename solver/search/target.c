/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Packing to a target: the hosts that the bound would keep, filled by
 * ejection, region by region. */

#include "solver/search/racks.h"

#include <math.h>
#include <stdlib.h>

#define FILL_EJECTIONS 2000u /* And one for every fourth item. */
#define WAKE_EJECTIONS 100u

bool
dcp_search_in_region(const struct search *x, uint32_t h, uint32_t region)
{
    return region == DCP_SEARCH_ALL || x->bound->region[h] == region;
}

double
dcp_search_capacity(const struct search *x, uint32_t h)
{
    uint32_t r = x->bound->binding;

    return r < x->p->n_scalars ? x->p->cap[(size_t)r * x->p->n_hosts + h]
                               : x->p->cap_cpu_mhz[h];
}

void
dcp_search_pool_host(struct search *x, uint32_t h)
{
    while (x->s->first[h] != DCP_IX_NONE) {
        uint32_t item = x->s->first[h];

        dcp_insert_remove(&x->in, item);
        dcp_homeless_add(&x->homeless, item);
    }
    dcp_insert_power(&x->in, h, false);
}

/* --- Room in sum -------------------------------------------------------- */

/* Whether the sums of what is in the pool are within the sums of what is left
 * on hosts of the region; of one resource, with its use and limit by host. */
static bool
sum_has_room(const struct search *x, uint32_t region, const uint32_t *size,
             size_t step, const uint32_t *used, size_t used_step,
             const uint32_t *cap)
{
    double left = 0;

    for (uint32_t k = 0; k < x->homeless.n; k++) {
        left -= size[x->homeless.item[k] * step];
    }
    for (uint32_t h = 0; h < x->p->n_hosts && left < 0; h++) {
        if (dcp_search_in_region(x, h, region) &&
            dcp_insert_is_open(&x->in, h) && cap[h] > used[h * used_step]) {
            left += (double)cap[h] - used[h * used_step];
        }
    }
    return left >= 0;
}

bool
dcp_search_has_room(const struct search *x, uint32_t region)
{
    const struct dcp_problem *p = x->p;
    const struct dcp_state *s = x->s;
    bool ok = true;

    for (uint32_t r = 0; ok && r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts;

        ok = sum_has_room(x, region, p->request + r, p->n_scalars, s->used + at,
                          1, p->cap + at);
    }
    for (uint32_t t = 0; ok && t < p->n_slots; t++) {
        ok = sum_has_room(x, region, p->cpu_mhz + t, p->stride, s->cpu_mhz + t,
                          p->stride, p->cap_cpu_mhz);
    }
    return ok;
}

/* --- Placing ------------------------------------------------------------ */

#define EJECTIONS_AT_ONCE 200u /* Between two looks at the clock. */

bool
dcp_search_place(struct search *x, uint64_t ejections)
{
    while (ejections && !dcp_search_time_is_up(x)) {
        uint64_t n =
            ejections < EJECTIONS_AT_ONCE ? ejections : EJECTIONS_AT_ONCE;

        if (dcp_homeless_place(&x->homeless, &x->in, n,
                               DCP_SEARCH_HOSTS_EACH)) {
            return true;
        }
        ejections -= n;
    }
    return dcp_homeless_place(&x->homeless, &x->in, 0, DCP_SEARCH_HOSTS_EACH);
}

/* --- Waking ------------------------------------------------------------- */

/* A host that is off and takes the item, the cheapest for what it holds; what
 * was on before is rather left on than another woken. */
static uint32_t
host_to_wake(struct search *x, uint32_t item)
{
    const struct dcp_problem *p = x->p;
    uint32_t best = DCP_IX_NONE;
    double least = 0;
    bool safe = false; /* After the loss of what goes down with the best. */

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->s->on[h] || p->use[h] != DCP_HOST_FREE ||
            (!p->q->may_wake && !p->q->start->on[h]) ||
            !dcp_state_may_switch(x->s, h, true) ||
            !dcp_problem_reaches(p, item, h) ||
            !dcp_state_fits(x->s, item, h) ||
            !dcp_state_allowed(x->s, item, h)) {
            continue;
        }
        double rate = p->on_value[h] / (dcp_search_capacity(x, h) + 1) *
                      (p->q->start->on[h] ? 0.999 : 1);

        bool is_safe = dcp_search_may_expose(x, h);

        if (best == DCP_IX_NONE || (is_safe && !safe) ||
            (is_safe == safe && rate < least)) {
            best = h;
            least = rate;
            safe = is_safe;
        }
    }
    return best;
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

/* Marks hosts to empty: by type and region the bound's program keeps so many;
 * reserves are among these, then the fullest. */
static bool
choose_hosts(struct search *x, uint8_t *empty, struct dcp_error *err)
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
    /* In other racks than the program has them larger hosts are no better. */
    if (!x->bound->racks && !enlarge_quotas(x, quota)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool reserve = x->in.closed && x->in.closed[h];

        if (x->s->on[h] && (p->use[h] == DCP_HOST_KEEP || reserve)) {
            quota[quota_of(x, h)]--;
        } else if (dcp_search_may_switch_off(x, h)) {
            ranks[n++] = (struct dcp_ranked_host){ h, -dcp_search_fill(x, h) };
        }
    }
    dcp_search_sort_hosts(ranks, n);
    if (x->bound->racks && !dcp_search_rank_by_racks(x, ranks, n)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    for (uint32_t k = 0; k < n; k++) {
        empty[ranks[k].host] = quota[quota_of(x, ranks[k].host)]-- <= 0;
    }
    return true;
}

bool
dcp_search_place_or_wake(struct search *x, uint32_t region, uint64_t ejections)
{
    while (
        !dcp_search_place(x, dcp_search_has_room(x, region) ? ejections : 0)) {
        uint32_t h = host_to_wake(x, x->homeless.item[0]);

        if (h == DCP_IX_NONE) {
            return false;
        }
        dcp_insert_power(&x->in, h, true);
        ejections = WAKE_EJECTIONS;
    }
    return true;
}

/* Empties the hosts marked and the reserves of a region and fills the others;
 * false: some items have no place, even with more hosts on. */
static bool
fill_region(struct search *x, uint32_t region, const uint8_t *empty)
{
    uint32_t first = x->in.trail.n;
    uint64_t ejections = FILL_EJECTIONS;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        bool reserve = x->in.closed && x->in.closed[h];

        if (dcp_search_in_region(x, h, region) && x->s->on[h] &&
            (reserve || (empty[h] && dcp_search_may_switch_off(x, h)))) {
            dcp_search_pool_host(x, h);
            if (reserve) {
                dcp_insert_power(&x->in, h, true);
            }
        }
    }
    dcp_search_place_unpromised(x, region);
    if (!dcp_search_place_or_wake(x, region, ejections + x->homeless.n / 4)) {
        dcp_trail_undo_to(&x->in.trail, x->s, first);
        return false;
    }
    return true;
}

bool
dcp_search_keep_and_fill(struct search *x, struct dcp_error *err)
{
    DCP_FREE uint8_t *empty = calloc(x->p->n_hosts + 1u, 1);

    if (!empty) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if ((x->in.closed && !dcp_search_reserve(x, x->closed, err)) ||
        !choose_hosts(x, empty, err)) {
        return false;
    }
    dcp_inserter_set_weights(&x->in);
    x->in.may_wake = false;
    x->in.balance = true;
    for (uint32_t r = 0; r < x->bound->n_regions; r++) {
        if (dcp_search_is_own(x, r)) {
            (void)fill_region(x, r, empty);
            dcp_homeless_clear(&x->homeless);
        }
    }
    x->in.balance = false;
    x->in.trail.n = 0;
    return true;
}
