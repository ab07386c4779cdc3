/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Small clusters, several ways: empty hosts one by one from where VMs are;
 * start from the hosts that the bound would keep; or from those with some kept
 * empty for headroom; and where licences count, all anew, and hosts licensed as
 * a program says.  The first moves least, the others see that other hosts are
 * better; the cheapest answer stays, the earlier of nearly equal ones.
 *
 * Each way is a search of its own, with its own state and stream of random
 * numbers, so two at once, on two threads, find what one after the other does.
 */

#include "solver/run/pair.h"
#include "solver/search/parts.h"

#include <math.h>

#define LONG_EJECTIONS 4000u
#define LONG_FAILURES  3u

static bool
fewer_in_region(struct search *x, uint32_t region, struct dcp_error *err)
{
    double was = INFINITY, value = dcp_search_value(x->s);

    /* By more than what sums lose to rounding while changes are undone. */
    while (value < (isinf(was) ? was : was - 1e-9 * fabs(was)) &&
           !dcp_search_is_over(x, false)) {
        if (!dcp_search_drop_hosts(x, region, false, DROP_EJECTIONS,
                                   DROP_FAILURES, err) ||
            !dcp_search_exchange_hosts(x, region, err)) {
            return false;
        }
        was = value;
        value = dcp_search_value(x->s);
    }
    /* One host of many is worth that where hosts are all that counts. */
    return !dcp_pricing_counts_hosts_alone(x->p) ||
           dcp_search_drop_hosts(x, region, false, LONG_EJECTIONS,
                                 LONG_FAILURES, err);
}

bool
dcp_search_with_reserves(struct search *x, struct dcp_error *err)
{
    x->in.closed = x->p->q->headroom ? x->closed : NULL;
    bool ok = dcp_search_keep_and_fill(x, err);

    for (uint32_t r = 0; ok && r < x->bound->n_regions; r++) {
        ok = !dcp_search_is_own(x, r) || fewer_in_region(x, r, err);
    }
    x->in.closed = NULL;
    return ok;
}

bool
dcp_search_covered(struct search *x, bool *out_done, struct dcp_error *err)
{
    if (x->p->q->headroom && !dcp_search_reserve(x, x->closed, err)) {
        return false;
    }
    x->in.closed = x->p->q->headroom ? x->closed : NULL;
    bool ok = dcp_search_cover_hosts(x, out_done, err);

    x->in.closed = NULL;
    return ok;
}

static bool
from_start(struct search *x, struct dcp_search_result *out,
           struct dcp_error *err)
{
    bool check = x->p->q->headroom;

    if (check && !dcp_search_keeps_headroom(x, err, &check)) {
        return false;
    }
    dcp_search_tell(x, check);
    /* Where the start itself has no headroom, emptying cannot be judged by
     * it: pack freely, then add spares. */
    return dcp_search_empty_hosts(x, 4, check, 32, err) &&
           dcp_search_gather_covered(x, check, err) &&
           dcp_search_drop_licences(x, 4, check, err) &&
           dcp_search_ruin_and_recreate(x, check, out, err) &&
           dcp_search_empty_hosts(x, 2, check, 64, err) &&
           dcp_search_refine_first(x, check, err);
}

static bool
from_bound(struct search *x, struct dcp_search_result *out,
           struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool check = x->p->q->headroom;

    if (!dcp_search_keep_and_fill(x, err) ||
        !dcp_search_empty_hosts(x, 2, false, 32, err) ||
        (check && !dcp_search_add_spares(x, &headroom, err))) {
        return false;
    }
    check = check && headroom.ok;
    return dcp_search_empty_hosts(x, 4, check, 32, err) &&
           dcp_search_gather_covered(x, check, err) &&
           dcp_search_drop_licences(x, 4, check, err) &&
           dcp_search_ruin_and_recreate(x, check, out, err) &&
           dcp_search_drop_hosts(x, DCP_SEARCH_ALL, check, DROP_EJECTIONS,
                                 DROP_FAILURES, err) &&
           dcp_search_empty_hosts(x, 2, check, 64, err) &&
           dcp_search_refine_first(x, check, err);
}

static bool
from_target(struct search *x, struct dcp_search_result *out,
            struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool check = x->p->q->headroom;

    if (!dcp_search_with_reserves(x, err) ||
        (check && !dcp_search_add_spares(x, &headroom, err))) {
        return false;
    }
    check = check && headroom.ok;
    return dcp_search_drop_hosts(x, DCP_SEARCH_ALL, check, DROP_EJECTIONS,
                                 DROP_FAILURES, err) &&
           dcp_search_ruin_and_recreate(x, check, out, err) &&
           dcp_search_empty_hosts(x, 2, check, 64, err) &&
           dcp_search_refine_first(x, check, err);
}

/* Hosts licensed as a program says. */
static bool
from_covers(struct search *x, struct dcp_search_result *out,
            struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool check = x->p->q->headroom, done;

    if (!dcp_search_covered(x, &done, err)) {
        return false;
    }
    bool ok = !done || !check || dcp_search_add_spares(x, &headroom, err);

    check = check && headroom.ok;
    ok = ok &&
         (!done || dcp_search_drop_hosts(x, DCP_SEARCH_ALL, check,
                                         DROP_EJECTIONS, DROP_FAILURES, err));
    x->in.covered = NULL;
    return ok && (!done || (dcp_search_ruin_and_recreate(x, check, out, err) &&
                            dcp_search_empty_hosts(x, 2, check, 64, err) &&
                            dcp_search_refine_first(x, check, err)));
}

/* All anew: where licences count, what is packed first decides. */
static bool
from_nothing(struct search *x, struct dcp_search_result *out,
             struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool check = x->p->q->headroom, complete;

    if (!dcp_search_pack_anew(x, &complete, err)) {
        return false;
    }
    if (!complete) {
        return true;
    }
    if (check && !dcp_search_add_spares(x, &headroom, err)) {
        return false;
    }
    check = check && headroom.ok;
    return dcp_search_empty_hosts(x, 2, check, 32, err) &&
           dcp_search_ruin_and_recreate(x, check, out, err) &&
           dcp_search_empty_hosts(x, 2, check, 64, err) &&
           dcp_search_refine_first(x, check, err);
}

/* The value of a complete state; one without headroom counts as infinite. */
static bool
final_value(struct search *x, double *out, struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    *out = INFINITY;
    if (x->s->n_unplaced) {
        return true;
    }
    if (x->p->q->headroom && !dcp_search_add_spares(x, &headroom, err)) {
        return false;
    }
    *out = headroom.ok ? dcp_search_value(x->s) : INFINITY;
    dcp_search_tell(x, headroom.ok);
    return true;
}

/* --- Two at once -------------------------------------------------------- */

typedef bool
way_fn(struct search *, struct dcp_search_result *, struct dcp_error *);

struct way {
    way_fn *from;
    struct search x;
    struct dcp_search_result out; /* Rounds. */
    bool tells;                   /* On the thread that may. */
    double value;
    bool ok;
    struct dcp_error err;
};

static void
take_way(void *task)
{
    struct way *w = task;

    w->ok = w->from(&w->x, &w->out, &w->err) &&
            final_value(&w->x, &w->value, &w->err);
    if (w->ok && w->x.in.trail.failed) {
        w->ok = dcp_fail(&w->err, DCP_E_NOMEM, "no memory for a search");
    }
}

/* What the ways found so far. */
struct ways {
    struct search *x; /* Its state: the best. */
    struct dcp_state *start;
    double least;
    bool any, done; /* Some; and no more is needed. */
    bool packed;    /* The best is not of the first way. */
};

/* In the order of ways: the first, which moves least, or one that is better by
 * what moves must gain; of the others, which all pack anew, the cheapest. */
static bool
weigh(struct ways *all, struct way *w, struct dcp_search_result *out,
      struct dcp_error *err)
{
    struct search *x = all->x;
    double margin =
        all->packed ? 1e-9 : x->p->q->inventory->policy.min_gain_frac;

    if (!w->ok) {
        return dcp_fail(err, w->err.code, "%s", w->err.message);
    }
    if (w->tells) {
        x->told = w->x.told;
    }
    double below = isinf(all->least) ? INFINITY /* Not legal yet. */
                                     : all->least - margin * fabs(all->least);

    if (!all->any || w->value < below) {
        dcp_state_assign(x->s, w->x.s);
        all->least = w->value;
        all->packed = all->any;
        all->any = true;
        dcp_search_tell(x, !isinf(w->value));
    }
    out->rounds += w->out.rounds;
    out->programs += w->out.programs;
    x->out_of_time |= w->x.out_of_time;
    all->done =
        dcp_search_good_enough(x, all->least) || dcp_search_time_is_up(x);
    return true;
}

static bool
begin(struct ways *all, struct way *w, uint32_t k, way_fn *from,
      struct dcp_state *s, bool tells, struct dcp_error *err)
{
    *w = (struct way){ .from = from, .tells = tells };
    dcp_state_assign(s, all->start);
    if (!dcp_search_begin(&w->x, s, all->x->bound, all->x->options, 1 + k,
                          err)) {
        return false;
    }
    w->x.told = tells ? all->x->told : -INFINITY;
    return true;
}

bool
dcp_search_ways(struct search *x, struct dcp_search_result *out,
                struct dcp_error *err)
{
    static way_fn *const from[] = { from_start, from_bound, from_target,
                                    from_nothing, from_covers };
    uint32_t n_ways = dcp_pricing_counts_licences(x->p, 0) ? 5 : 3;
    bool two = x->options->threads > 1, ok = true;
    DCP_AUTO(dcp_state) struct dcp_state *start = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *s0 = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *s1 = dcp_state_create(x->p, err);
    struct ways all = { .x = x, .start = start, .least = INFINITY };

    if (!start || !s0 || !s1) {
        return false;
    }
    dcp_state_assign(start, x->s);
    for (uint32_t k = 0; ok && !all.done && k < n_ways; k += 2) {
        struct way a, b = { .ok = true };
        bool both = k + 1 < n_ways;

        ok = begin(&all, &a, k, from[k], s0, true, err);
        if (!ok) {
            break;
        }
        if (both) {
            ok = begin(&all, &b, k + 1, from[k + 1], s1, false, err);
        }
        if (ok && both && two) {
            dcp_run_pair(take_way, &a, &b, true);
        } else if (ok) {
            take_way(&a);
        }
        ok = ok && weigh(&all, &a, out, err);
        if (ok && both && !all.done) {
            if (!two) {
                take_way(&b);
            }
            ok = weigh(&all, &b, out, err);
        }
        dcp_search_end(&a.x);
        dcp_search_end(&b.x);
    }
    return ok;
}
