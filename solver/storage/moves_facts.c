/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a move of a volume says of itself. */

#include "solver/storage/moves_parts.h"

#include <math.h>
#include <stdio.h>

#define ALWAYS_LEFT 20 /* A twentieth of a pool's rate. */

static uint64_t
busiest(const dcp_amounts held)
{
    return held[dcp_pool_resource_peak(held, DCP_POOL_RATE)];
}

/* KiB/s that production leaves one of the moves that a pool takes part in. */
static double
rate_left(const struct dcp_move_work *w, uint32_t pool)
{
    const struct dcp_pool *p = &w->inv->pools[pool];
    uint32_t moves = w->inv->policy.storage.moves_per_pool;
    uint64_t used = busiest(w->start[pool]), now = busiest(w->now[pool]);

    if (!p->rate_kib_s) {
        return INFINITY;
    }
    /* The end of the order is the other end of what is there. */
    used = now > used ? now : used;
    double left = (double)p->rate_kib_s - (double)used;

    left = fmax(left, (double)p->rate_kib_s / ALWAYS_LEFT);
    return left / (moves ? moves : 1);
}

int64_t
dcp_volume_move_ms(const struct dcp_move_work *w,
                   const struct dcp_volume_move *m)
{
    double kib = 1024 * (double)w->inv->volumes[m->volume].size_mib;
    double rate = (double)w->inv->policy.storage.move_kib_s;

    rate = fmin(rate, fmin(rate_left(w, m->from), rate_left(w, m->to)));
    return (int64_t)ceil(1000 * kib / fmax(rate, 1));
}

/* The resource that a pool has least of left, and its share in use. */
static enum dcp_pool_resource
tightest(const struct dcp_move_work *w, const dcp_amounts held, uint32_t pool,
         double *out_frac)
{
    dcp_amounts limit;
    enum dcp_pool_resource best = DCP_POOL_SPACE;

    dcp_pool_limit(&w->inv->pools[pool], limit);
    *out_frac = 0;
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        double frac = limit[r] == UINT64_MAX || !limit[r]
                          ? 0
                          : (double)held[r] / (double)limit[r];

        if (frac > *out_frac) {
            *out_frac = frac;
            best = (enum dcp_pool_resource)r;
        }
    }
    return best;
}

static double
share_of(const struct dcp_move_work *w, const dcp_amounts held, uint32_t pool,
         enum dcp_pool_resource r)
{
    dcp_amounts limit;

    dcp_pool_limit(&w->inv->pools[pool], limit);
    return limit[r] == UINT64_MAX || !limit[r]
               ? 0
               : 100 * (double)held[r] / (double)limit[r];
}

static bool
is_too_full(const struct dcp_move_work *w, uint32_t pool)
{
    dcp_amounts usable;

    dcp_pool_usable(w->inv, &w->inv->pools[pool], usable);
    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        if (w->start[pool][r] > usable[r]) {
            return true;
        }
    }
    return false;
}

static bool
is_out_of_place(const struct dcp_move_work *w, const struct dcp_volume_move *m)
{
    const struct dcp_volume *v = &w->inv->volumes[m->volume];

    if (dcp_volume_tier_in(w->inv, v, m->from) != w->inv->pools[m->from].tier) {
        return true;
    }
    dcp_host_id host =
        dcp_vm_is_none(v->vm) ? dcp_host_none() : w->r->from->host[v->vm.ix];

    return !dcp_host_is_none(host) &&
           !dcp_pool_opens_on(w->inv, m->from, host.ix);
}

bool
dcp_volume_move_reason(const struct dcp_move_work *w,
                       const struct dcp_volume_move *m, struct dcp_step *s)
{
    static const char *const tiers[] = { "archive", "normal", "ultrafast" };
    const struct dcp_pool *from = &w->inv->pools[m->from];
    const struct dcp_pool *to = &w->inv->pools[m->to];
    double frac;
    enum dcp_pool_resource r = tightest(w, w->start[m->from], m->from, &frac);
    const char *of = dcp_pool_resource_name(r);
    double after = share_of(w, w->now[m->to], m->to, r);
    char text[240];

    if (m->bypass) {
        s->reason = DCP_REASON_BYPASS;
        (void)snprintf(text, sizeof text,
                       "steps aside to %.60s so that others can swap places",
                       to->name);
    } else if (w->r->avoid && w->r->avoid[m->from]) {
        s->reason = DCP_REASON_EMPTY_POOL;
        s->frees = (struct dcp_object){ DCP_OBJECT_POOL, m->from };
        (void)snprintf(text, sizeof text,
                       "empties %.60s; %.60s then has %.0f %% of its %s in use",
                       from->name, to->name, after, of);
    } else if (is_out_of_place(w, m)) {
        const struct dcp_volume *v = &w->inv->volumes[m->volume];

        s->reason = DCP_REASON_POOL_TIER;
        (void)snprintf(
            text, sizeof text,
            "%.60s is %s; it needs a pool of tier %s that its host opens",
            from->name, tiers[from->tier],
            tiers[dcp_volume_tier_in(w->inv, v, m->from)]);
    } else if (w->r->reason != DCP_REASON_STORAGE_REACH &&
               is_too_full(w, m->from)) {
        s->reason = DCP_REASON_RELIEVE_POOL;
        (void)snprintf(text, sizeof text,
                       "%.60s has %.0f %% of its %s in use, policy lets %.0f "
                       "%%; %.60s then has %.0f %%",
                       from->name, 100 * frac, of,
                       100 * (r == DCP_POOL_SPACE
                                  ? w->inv->policy.storage.space_frac
                                  : w->inv->policy.storage.io_frac),
                       to->name, after);
    } else {
        s->reason = w->r->reason;
        (void)snprintf(text, sizeof text,
                       "%s %.60s, at first %.0f %% of its %s, with %.60s, then "
                       "%.0f %%",
                       s->reason == DCP_REASON_BALANCE ? "evens out"
                                                       : "trades room of",
                       from->name, 100 * frac, of, to->name, after);
    }
    s->reason_text = dcp_arena_strdup(w->steps->arena, text);
    return s->reason_text != NULL;
}
