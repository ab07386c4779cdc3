/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Other hosts, and fewer: what a host holds goes to one that is off and better,
 * or is spread over the others. */

#include "solver/search/consistent.h"
#include "solver/search/racks.h"

#include <math.h>
#include <stdlib.h>

#define EXCHANGE_TRIES 8u /* Hosts of each other type. */
#define MEND_TRIES     16u
/* Of solver/search/consistent.h, for all hosts together; again after each that
 * went.
 */
#define CONSISTENT_STEPS 600u
#define CONSISTENT_STALE 150u
#define CONSISTENT_HOSTS 6u
/* Of one search. */
#define CONSISTENT_STEPS_ALL 4000u

/* --- Other hosts -------------------------------------------------------- */

/* Puts all that 'from' holds on 'to', which is off; false: it may not be there,
 * and the trail has what was done. */
static bool
move_all(struct search *x, uint32_t from, uint32_t to)
{
    struct dcp_state *s = x->s;

    dcp_insert_power(&x->in, to, true);
    while (s->first[from] != DCP_IX_NONE) {
        uint32_t item = s->first[from];

        if (!dcp_problem_reaches(x->p, item, to)) {
            return false;
        }
        dcp_insert_remove(&x->in, item);
        if (!dcp_state_fits(s, item, to) || !dcp_state_allowed(s, item, to)) {
            return false;
        }
        dcp_insert_at(&x->in, item, to);
    }
    dcp_insert_power(&x->in, from, false);
    return true;
}

/* Exchanges 'h' for the first of some hosts of each other type that is
 * better; the hosts tried begin at 'at' of the type. */
static bool
exchange(struct search *x, uint32_t h, const uint32_t *by_type,
         const uint32_t *first)
{
    const struct dcp_problem *p = x->p;

    for (uint32_t t = 0; t < p->n_types; t++) {
        uint32_t tries = 0;

        for (uint32_t k = first[t]; k < first[t + 1] && tries < EXCHANGE_TRIES;
             k++) {
            uint32_t to = by_type[k];
            double was = dcp_search_value(x->s);

            if (t == p->type_of_host[h] || x->s->on[to] ||
                p->use[to] != DCP_HOST_FREE ||
                (!p->q->may_wake && !p->q->start->on[to]) ||
                x->bound->region[to] != x->bound->region[h]) {
                continue;
            }
            tries++;
            if (move_all(x, h, to) && dcp_search_losses_hold(x)) {
                double is = dcp_search_value(x->s);

                if (is < was - 1e-9 * fabs(was) ||
                    (is <= was &&
                     dcp_search_capacity(x, to) > dcp_search_capacity(x, h))) {
                    x->in.trail.n = 0;
                    dcp_search_note_losses(x);
                    dcp_search_tell(x, false);
                    return true;
                }
            }
            dcp_trail_undo(&x->in.trail, x->s);
        }
    }
    return false;
}

bool
dcp_search_exchange_hosts(struct search *x, uint32_t region,
                          struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;
    DCP_FREE uint32_t *by_type = malloc((p->n_hosts + 1u) * sizeof *by_type);
    DCP_FREE uint32_t *first = calloc(p->n_types + 2u, sizeof *first);

    if (!by_type || !first) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_search_note_losses(x);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        first[p->type_of_host[h] + 2]++;
    }
    for (uint32_t t = 2; t < p->n_types + 2u; t++) {
        first[t] += first[t - 1];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        by_type[first[p->type_of_host[h] + 1]++] = h;
    }
    for (uint32_t h = 0; h < p->n_hosts && !dcp_search_is_over(x, false); h++) {
        if (dcp_search_in_region(x, h, region) && p->use[h] == DCP_HOST_FREE &&
            dcp_insert_is_open(&x->in, h)) {
            (void)exchange(x, h, by_type, first);
        }
    }
    return true;
}

/* --- Hosts fewer -------------------------------------------------------- */

/* Whether what the trail holds is kept: where 'check', headroom must be, or
 * come with a few more moves. */
static bool
settle(struct search *x, double before, bool check, bool *out_kept,
       struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = dcp_search_value(x->s) <= before &&
                                           dcp_search_losses_hold(x) };

    if (headroom.ok && check &&
        !dcp_search_mend_headroom(x, true, false, MEND_TRIES, &headroom, err)) {
        return false;
    }
    *out_kept = headroom.ok;
    if (headroom.ok) {
        x->in.trail.n = 0;
        dcp_search_note_losses(x);
        if (check) {
            dcp_headroom_accept(x->s, &headroom);
        }
        dcp_search_tell(x, check);
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

/* What ejection left in the pool; takes the steps that it makes off *steps. */
static bool
place_consistently(struct search *x, uint64_t *steps, bool *out_placed,
                   struct dcp_error *err)
{
    struct dcp_consistent_effort effort = { .steps = *steps,
                                            .stale_steps = CONSISTENT_STALE,
                                            .hosts_each = CONSISTENT_HOSTS,
                                            .deadline_ms =
                                                x->options->deadline_ms };
    uint64_t done = 0;

    if (!dcp_consistent_place(&x->homeless, &x->in, &effort, out_placed, &done,
                              err)) {
        return false;
    }
    x->consistent_steps += done;
    *steps = x->consistent_steps >= CONSISTENT_STEPS_ALL ? 0
             : *out_placed                               ? CONSISTENT_STEPS
                                                         : *steps - done;
    return true;
}

bool
dcp_search_drop_hosts(struct search *x, uint32_t region, bool check,
                      uint64_t ejections, uint32_t failures_max,
                      struct dcp_error *err)
{
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    uint64_t steps =
        x->consistent_steps < CONSISTENT_STEPS_ALL ? CONSISTENT_STEPS : 0;
    bool again = true;

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_search_note_losses(x);
    x->in.may_wake = false;
    while (again) {
        uint32_t n = dcp_search_rank_to_empty(x, ranks);

        again = false;
        for (uint32_t k = 0, failed = 0; k < n && failed < failures_max; k++) {
            double before = dcp_search_value(x->s);
            bool kept = false;

            if (dcp_search_is_over(x, check) ||
                dcp_search_value_is_bound(x, before)) {
                return true;
            }
            if (!dcp_search_in_region(x, ranks[k].host, region) ||
                !dcp_search_may_switch_off(x, ranks[k].host) ||
                !dcp_insert_is_open(&x->in, ranks[k].host) ||
                !dcp_search_losses_hold_without(x, ranks[k].host)) {
                continue;
            }
            dcp_search_pool_host(x, ranks[k].host);
            bool placed = dcp_search_has_room(x, region) &&
                          dcp_search_place(x, ejections);

            if (!placed && steps && dcp_search_has_room(x, region) &&
                !place_consistently(x, &steps, &placed, err)) {
                return false;
            }
            if (!placed) {
                dcp_trail_undo(&x->in.trail, x->s);
            } else if (!settle(x, before, check, &kept, err)) {
                return false;
            }
            dcp_homeless_clear(&x->homeless);
            again |= kept;
            failed = kept ? 0 : failed + 1;
        }
    }
    return true;
}
