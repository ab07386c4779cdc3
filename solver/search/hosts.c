/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Taking hosts out of use one by one. */

#include "solver/search/racks.h"

#include <math.h>
#include <stdlib.h>

/* --- Emptying hosts ----------------------------------------------------- */

bool
dcp_search_may_switch_off(const struct search *x, uint32_t h)
{
    return x->s->on[h] && x->p->use[h] == DCP_HOST_FREE &&
           x->s->n_on > x->p->q->inventory->policy.keep_on &&
           dcp_state_may_switch(x->s, h, false);
}

bool
dcp_search_empty_host(struct search *x, uint32_t h)
{
    struct dcp_state *s = x->s;
    uint32_t n = 0, *items = x->in.scratch;

    while (s->first[h] != DCP_IX_NONE) {
        items[n] = s->first[h];
        dcp_insert_remove(&x->in, items[n++]);
    }
    dcp_insert_power(&x->in, h, false);
    x->in.not_to = h;
    bool ok = dcp_insert_all(&x->in, items, n);

    x->in.not_to = DCP_IX_NONE;
    if (!ok) {
        dcp_trail_undo(&x->in.trail, s);
    }
    return ok;
}

static int
by_key(const void *pa, const void *pb)
{
    const struct dcp_ranked_host *a = pa, *b = pb;

    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->host < b->host ? -1 : a->host > b->host;
}

void
dcp_search_sort_hosts(struct dcp_ranked_host *ranks, uint32_t n)
{
    qsort(ranks, n, sizeof *ranks, by_key);
}

/* How full a host is: the largest share over resources. */
double
dcp_search_fill(const struct search *x, uint32_t h)
{
    const struct dcp_state *s = x->s;
    const struct dcp_problem *p = x->p;
    double fill =
        p->cap_cpu_mhz[h] ? (double)s->cpu_peak_mhz[h] / p->cap_cpu_mhz[h] : 0;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + h;

        if (p->cap[at]) {
            fill = fmax(fill, (double)s->used[at] / p->cap[at]);
        }
    }
    return fill;
}

/* The load of a host per what switching it off saves: smallest first. */
uint32_t
dcp_search_rank_to_empty(const struct search *x, struct dcp_ranked_host *out)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        if (dcp_search_may_switch_off(x, h)) {
            out[n++] =
                (struct dcp_ranked_host){ h, dcp_search_fill(x, h) /
                                                 (x->p->on_value[h] + 1e-12) };
        }
    }
    dcp_search_sort_hosts(out, n);
    return n;
}

bool
dcp_search_settle_why(struct search *x, bool check, bool *out_kept,
                      struct dcp_headroom *out_why, struct dcp_error *err)
{
    struct dcp_headroom h = { .ok = true };

    *out_kept = !(x->s->watts && x->s->watts->n_over) &&
                (!x->p->q->may_empty || dcp_search_losses_hold(x));
    if (*out_kept && check && x->p->q->headroom &&
        !dcp_headroom_check_searching(x->s, dcp_search_mark_changed(x), NULL,
                                      &h, err)) {
        return false;
    }
    *out_kept = *out_kept && h.ok;
    if (*out_kept) {
        x->in.trail.n = 0;
        dcp_search_note_losses(x);
        if (check && x->p->q->headroom) {
            dcp_headroom_accept(x->s, &h);
        }
        dcp_search_tell(x, check);
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    *out_why = h;
    return true;
}

bool
dcp_search_settle(struct search *x, bool check, bool *out_kept,
                  struct dcp_error *err)
{
    struct dcp_headroom why;

    return dcp_search_settle_why(x, check, out_kept, &why, err);
}

bool
dcp_search_settle_if_no_worse(struct search *x, double before, bool check,
                              bool *out_kept, struct dcp_error *err)
{
    if (dcp_search_value(x->s) <= before) {
        return dcp_search_settle(x, check, out_kept, err);
    }
    *out_kept = false;
    dcp_trail_undo(&x->in.trail, x->s);
    return true;
}

/* One pass over the hosts, least loaded first; repeats while it helps. */
bool
dcp_search_empty_hosts(struct search *x, uint32_t max_passes, bool check,
                       uint32_t swap_tries, struct dcp_error *err)
{
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_search_note_losses(x);
    x->in.may_wake = false;
    x->in.swap_tries = swap_tries;
    for (uint32_t pass = 0; pass < max_passes && !dcp_search_is_over(x, check);
         pass++) {
        uint32_t n = dcp_search_rank_to_empty(x, ranks), emptied = 0;

        for (uint32_t k = 0; k < n && !dcp_search_is_over(x, check); k++) {
            double before = dcp_search_value(x->s);
            bool kept;

            if (!dcp_search_may_switch_off(x, ranks[k].host) ||
                !dcp_search_empty_host(x, ranks[k].host)) {
                continue;
            }
            if (!dcp_search_settle_if_no_worse(x, before, check, &kept, err)) {
                return false;
            }
            emptied += kept;
        }
        if (!emptied) {
            break;
        }
    }
    return true;
}

#define TRIM_TRIES 96u /* For each island: a try is checked in its own. */

/* With the spares on: the emptiest hosts once more, each kept off only if
 * every loss is still survived.  Spares that others made needless go first. */
bool
dcp_search_trim(struct search *x, struct dcp_error *err)
{
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);

    if (!ranks) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    uint32_t n = dcp_search_rank_to_empty(x, ranks);
    uint32_t tries = TRIM_TRIES * (x->islands.n ? x->islands.n : 1);

    x->in.may_wake = false;
    x->in.swap_tries = 16;
    for (uint32_t k = 0; k < n && k < tries && !dcp_search_is_over(x, true);
         k++) {
        bool kept;

        if (dcp_search_may_switch_off(x, ranks[k].host) &&
            dcp_search_empty_host(x, ranks[k].host) &&
            !dcp_search_settle(x, true, &kept, err)) {
            return false;
        }
    }
    return true;
}
