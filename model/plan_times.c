/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Serial schedule generation: steps are taken in the plan's order (in which
 * whatever a step waits for stands before it), and each takes the earliest
 * place that its hosts have free.  A place is a time from which one more
 * migration may leave (or enter) a host. */

#include "model/plan_times.h"

#include <stdlib.h>

struct places {
    int64_t *out, *in; /* [host * per] */
    uint32_t n_out, n_in;
    int64_t *off; /* Of the whole plan. */
    uint32_t n_off;
};

static uint32_t
at_least_one(uint32_t limit, uint32_t cap)
{
    return limit < 1 ? 1 : limit < cap ? limit : cap;
}

static int64_t *
earliest(int64_t places[], uint32_t n)
{
    int64_t *best = &places[0];

    for (uint32_t i = 1; i < n; i++) {
        if (places[i] < *best) {
            best = &places[i];
        }
    }
    return best;
}

static bool
places_init(struct places *p, const struct dcp_inventory *inv,
            const struct dcp_plan *plan, struct dcp_arena *arena)
{
    size_t n_hosts = inv->n_hosts;

    /* More places than 64 per host are as good as no limit. */
    p->n_out = at_least_one(plan->limits.out_per_host, 64);
    p->n_in = at_least_one(plan->limits.in_per_host, 64);
    p->n_off = at_least_one(plan->limits.host_off_at_once, 1024);
    p->out = dcp_arena_array(arena, int64_t, n_hosts * p->n_out + 1);
    p->in = dcp_arena_array(arena, int64_t, n_hosts * p->n_in + 1);
    p->off = dcp_arena_array(arena, int64_t, p->n_off);
    return p->out && p->in && p->off;
}

static void
raise_to(int64_t *value, int64_t floor)
{
    if (*value < floor) {
        *value = floor;
    }
}

bool
dcp_plan_times(const struct dcp_inventory *inv, const struct dcp_plan *plan,
               struct dcp_arena *arena, int64_t start_ms[], int64_t end_ms[],
               int64_t leg_end_ms[], struct dcp_error *err)
{
    struct places p;

    if (!places_init(&p, inv, plan, arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the plan's clock");
    }
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        leg_end_ms[l] = plan->legs[l].start_ms;
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        int64_t *taken[2] = { NULL, NULL };
        int64_t start = plan->legs[s->leg].start_ms;

        raise_to(&start, s->not_before_ms);
        for (uint32_t a = 0; a < s->n_after; a++) {
            if (s->after[a] - 1 < i) {
                raise_to(&start, end_ms[s->after[a] - 1]);
            }
        }
        if (s->kind == DCP_STEP_MIGRATE && s->from.kind == DCP_OBJECT_HOST &&
            s->to.kind == DCP_OBJECT_HOST) {
            taken[0] = earliest(&p.out[(size_t)s->from.ix * p.n_out], p.n_out);
            taken[1] = earliest(&p.in[(size_t)s->to.ix * p.n_in], p.n_in);
        } else if (s->kind == DCP_STEP_HOST_OFF) {
            taken[0] = earliest(p.off, p.n_off);
        }
        for (int k = 0; k < 2; k++) {
            if (taken[k]) {
                raise_to(&start, *taken[k]);
            }
        }
        start_ms[i] = start;
        end_ms[i] = start + (s->estimate_ms > 0 ? s->estimate_ms : 0);
        for (int k = 0; k < 2; k++) {
            if (taken[k]) {
                *taken[k] = end_ms[i];
            }
        }
        raise_to(&leg_end_ms[s->leg], end_ms[i]);
    }
    return true;
}

static int
by_time(const void *a, const void *b)
{
    const struct dcp_plan_event *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    if (x->is_end != y->is_end) {
        return x->is_end ? -1 : 1;
    }
    return x->step < y->step ? -1 : x->step > y->step;
}

struct dcp_plan_event *
dcp_plan_events(const struct dcp_plan *plan, const int64_t start_ms[],
                const int64_t end_ms[], struct dcp_arena *arena)
{
    size_t n = 0;
    struct dcp_plan_event *events = dcp_arena_array(
        arena, struct dcp_plan_event, 2 * (size_t)plan->n_steps);

    for (uint32_t i = 0; events && i < plan->n_steps; i++) {
        events[n++] = (struct dcp_plan_event){ start_ms[i], false, i };
        events[n++] = (struct dcp_plan_event){ end_ms[i], true, i };
    }
    if (n) {
        qsort(events, n, sizeof *events, by_time);
    }
    return events;
}
