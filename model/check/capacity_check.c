/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Host capacity in all states of a leg.
 *
 * The listed order is replayed first: it names the very step at which a limit
 * breaks.  Then all orders, host by host: where the start plus everything that
 * comes in keeps the limit there is nothing to prove; else the largest closure
 * says how high each cell can get.  A cell that the replay found too high is
 * not reported again.  Both end with the peaks that the watts need. */

#include "model/check/leg.h"

#include <stdlib.h>
#include <string.h>

struct work {
    struct dcp_leg_view *leg;
    const struct dcp_cells *c;
    uint64_t *start; /* Loads at the leg's start, then limits' other half. */
    uint64_t *now;   /* Replayed. */
    uint64_t *peak;  /* Proved, over all orders. */
    uint64_t *need;  /* One row. */
    uint32_t *told;  /* By host: bit per resource that was reported. */
    uint64_t *other; /* One row more. */
    /* Resizes of the leg by host, as lists of ids in step order; 0: end. */
    uint32_t *first_resize, *next_resize; /* next: by id - first_id. */
};

static bool
is_resize(const struct work *w, uint32_t id)
{
    return dcp_leg_step(w->leg, id)->kind == DCP_STEP_VM_RESIZE;
}

/* What step 'id' adds to the host from its start on ('in'), or takes away from
 * its end on.  A resize adds what is more of a resource at its start, and takes
 * away what is less at its end: while it runs, the larger counts. */
static void
weigh(struct work *w, uint32_t id, uint32_t vm, uint32_t host, bool in)
{
    dcp_cells_need(w->c, vm, host, id, w->need);
    if (!is_resize(w, id)) {
        return;
    }
    dcp_cells_need(w->c, vm, host, id + 1, w->other);
    for (uint32_t i = 0; i < w->c->n; i++) {
        uint64_t most = in ? w->other[i] : w->need[i];
        uint64_t least = in ? w->need[i] : w->other[i];

        w->need[i] = most > least ? most - least : 0;
    }
}

static void
list_resizes(struct work *w)
{
    for (uint32_t id = w->leg->end_id; id-- > w->leg->first_id;) {
        if (is_resize(w, id)) {
            uint32_t host = dcp_leg_step(w->leg, id)->from.ix;

            w->next_resize[id - w->leg->first_id] = w->first_resize[host];
            w->first_resize[host] = id;
        }
    }
}

/* A limit that the leg's start was over already moves up to where it was. */
static uint64_t
limit_of(const struct work *w, size_t at)
{
    return w->start[at] > w->c->usable[at] ? w->start[at] : w->c->usable[at];
}

static void
report(struct work *w, uint32_t step, uint32_t host, uint32_t cell,
       uint64_t need, uint64_t have, const char *when)
{
    uint32_t bit = UINT32_C(1) << dcp_cells_resource(w->c, cell);
    char what[80];

    if (w->told[host] & bit) {
        return;
    }
    w->told[host] |= bit;
    dcp_judge_report(w->leg->j, step, "capacity", dcp_judge_host(host),
                     (double)need, (double)have, "%s: %llu of %llu %s%s",
                     dcp_cells_describe(w->c, cell, what, sizeof what),
                     (unsigned long long)need, (unsigned long long)have,
                     dcp_cells_unit(w->c, cell), when);
}

/* The worst cell of each resource in a row that grew. */
static void
judge_row(struct work *w, uint32_t step, uint32_t host)
{
    size_t at = (size_t)host * w->c->n;

    for (uint32_t i = 0; i < w->c->n; i++) {
        uint32_t worst = UINT32_MAX, r = dcp_cells_resource(w->c, i);

        for (; i < w->c->n && dcp_cells_resource(w->c, i) == r; i++) {
            if (w->now[at + i] > limit_of(w, at + i) &&
                (worst == UINT32_MAX || w->now[at + i] > w->now[at + worst])) {
                worst = i;
            }
        }
        i--;
        if (worst != UINT32_MAX) {
            report(w, step, host, worst, w->now[at + worst],
                   limit_of(w, at + worst), "");
        }
    }
}

static void
replay(struct work *w)
{
    const struct dcp_leg_view *leg = w->leg;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        leg->j->result->states_checked += 2;
        if (s->object.kind != DCP_OBJECT_VM) {
            continue;
        }
        if (s->to.kind == DCP_OBJECT_HOST) {
            uint64_t *row = w->now + (size_t)s->to.ix * w->c->n;

            weigh(w, id, s->object.ix, s->to.ix, true);
            for (uint32_t i = 0; i < w->c->n; i++) {
                row[i] += w->need[i];
            }
            judge_row(w, id, s->to.ix);
        }
        if (s->from.kind == DCP_OBJECT_HOST) {
            uint64_t *row = w->now + (size_t)s->from.ix * w->c->n;

            weigh(w, id, s->object.ix, s->from.ix, false);
            for (uint32_t i = 0; i < w->c->n; i++) {
                row[i] -= w->need[i];
            }
        }
    }
}

struct events { /* In and out steps of one host, with what they weigh. */
    uint32_t *in, *out;
    int64_t *weight; /* [(step) * n_cells + cell]: all in, then all out. */
    uint32_t n_in, n_out;
    struct arrival {
        uint32_t id, vm;
    } * order;
};

static int
compare_arrivals(const void *pa, const void *pb)
{
    const struct arrival *a = pa, *b = pb;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* Stays are sorted by VM; the steps must ascend.  'ids' gets the ids, weights
 * go in the same order. */
static uint32_t
list_events(struct work *w, struct events *e, uint32_t host, bool in,
            uint32_t ids[], uint32_t row)
{
    const struct dcp_leg_view *leg = w->leg;
    uint32_t n = 0;

    for (uint32_t i = leg->host_first[host]; i < leg->host_first[host + 1];
         i++) {
        const struct dcp_stay *stay = &leg->stays[leg->host_stays[i]];
        uint32_t id = in ? stay->in : stay->out;

        if (id) {
            e->order[n++] = (struct arrival){ id, stay->vm };
        }
    }
    for (uint32_t id = w->first_resize[host]; id;
         id = w->next_resize[id - leg->first_id]) {
        e->order[n++] =
            (struct arrival){ id, dcp_leg_step(leg, id)->object.ix };
    }
    if (n > 1) {
        qsort(e->order, n, sizeof *e->order, compare_arrivals);
    }
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = e->order[i].id;
        weigh(w, ids[i], e->order[i].vm, host, in);
        for (uint32_t k = 0; k < w->c->n; k++) {
            e->weight[(size_t)(row + i) * w->c->n + k] = (int64_t)w->need[k];
        }
    }
    return n;
}

/* Solves the closure of each cell that the quick bound left open. */
static bool
solve_host(struct work *w, struct events *e, uint32_t host)
{
    size_t at = (size_t)host * w->c->n;
    uint32_t n = e->n_in + e->n_out, step;
    DCP_FREE int64_t *column = calloc(n + 1u, sizeof *column);
    DCP_AUTO(dcp_check_touch)
    struct dcp_check_touch *touch =
        dcp_check_touch_create(w->leg->order, e->in, e->n_in, e->out, e->n_out);

    if (!column || !touch) {
        return dcp_judge_no_memory(w->leg->j);
    }
    for (uint32_t cell = 0; cell < w->c->n; cell++) {
        if (w->peak[at + cell] <= limit_of(w, at + cell)) {
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            column[i] = e->weight[(size_t)i * w->c->n + cell];
        }
        w->leg->j->result->states_checked++;
        w->peak[at + cell] =
            w->start[at + cell] +
            (uint64_t)dcp_check_touch_worst(touch, column, &step);
        if (w->peak[at + cell] > limit_of(w, at + cell)) {
            report(w, step, host, cell, w->peak[at + cell],
                   limit_of(w, at + cell), " in an order that is allowed");
        }
    }
    return true;
}

static void
add_to_peak(struct work *w, uint32_t host)
{
    uint64_t *peak = w->peak + (size_t)host * w->c->n;

    for (uint32_t k = 0; k < w->c->n; k++) {
        peak[k] += w->need[k];
    }
}

static bool
prove_host(struct work *w, uint32_t host)
{
    const struct dcp_leg_view *leg = w->leg;
    size_t at = (size_t)host * w->c->n;
    size_t n = leg->host_first[host + 1] - leg->host_first[host], n_stays = n;
    bool open = false;

    for (uint32_t i = 0; i < n_stays; i++) {
        const struct dcp_stay *stay =
            &leg->stays[leg->host_stays[leg->host_first[host] + i]];

        if (stay->in) {
            weigh(w, stay->in, stay->vm, host, true);
            add_to_peak(w, host);
        }
    }
    for (uint32_t id = w->first_resize[host]; id;
         id = w->next_resize[id - leg->first_id]) {
        weigh(w, id, dcp_leg_step(leg, id)->object.ix, host, true);
        add_to_peak(w, host);
        n++;
    }
    for (uint32_t k = 0; k < w->c->n; k++) {
        open = open || w->peak[at + k] > limit_of(w, at + k);
    }
    if (!open) {
        return true;
    }
    DCP_FREE uint32_t *in = calloc(n, sizeof *in);
    DCP_FREE uint32_t *out = calloc(n, sizeof *out);
    DCP_FREE struct arrival *order = calloc(n, sizeof *order);
    DCP_FREE int64_t *weight = calloc(2 * n * w->c->n, sizeof *weight);
    struct events e = {
        .in = in, .out = out, .weight = weight, .order = order
    };

    if (!in || !out || !order || !weight) {
        return dcp_judge_no_memory(leg->j);
    }
    e.n_in = list_events(w, &e, host, true, in, 0);
    e.n_out = list_events(w, &e, host, false, out, e.n_in);
    return solve_host(w, &e, host);
}

/* The end of the leg may be over only where the plan's own start was: that a
 * leg began too full does not excuse that it ends so. */
static bool
judge_end(struct work *w, const struct dcp_placement *base)
{
    DCP_FREE uint64_t *before = dcp_cells_load(w->c, base, 1);
    DCP_FREE uint64_t *end = 
        dcp_cells_load(w->c, w->leg->end, w->leg->end_id);

    if (!before || !end) {
        return dcp_judge_no_memory(w->leg->j);
    }
    for (uint32_t h = 0; h < base->n_hosts; h++) {
        for (uint32_t k = 0; k < w->c->n; k++) {
            size_t at = (size_t)h * w->c->n + k;
            uint64_t most =
                before[at] > w->c->usable[at] ? before[at] : w->c->usable[at];

            if (end[at] > most) {
                report(w, 0, h, k, end[at], most, " at the end of the leg");
            }
        }
    }
    w->leg->j->result->states_checked++;
    return true;
}

static bool
check_watts(struct work *w)
{
    uint32_t n_hosts = w->leg->j->inv->n_hosts, n_slots = w->c->n_slots;
    DCP_FREE uint64_t *peak =
        calloc((size_t)n_hosts * n_slots + 1, sizeof *peak);

    if (!peak) {
        return dcp_judge_no_memory(w->leg->j);
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        memcpy(peak + (size_t)h * n_slots, w->peak + (size_t)h * w->c->n,
               n_slots * sizeof *peak);
    }
    return dcp_watts_check(w->leg, peak);
}

bool
dcp_capacity_check(struct dcp_leg_view *leg, const struct dcp_placement *base)
{
    const struct dcp_cells *c = &leg->cells;
    uint32_t n_hosts = leg->j->inv->n_hosts;
    size_t size = (size_t)n_hosts * c->n * sizeof(uint64_t);
    DCP_FREE uint64_t *start = dcp_cells_load(c, leg->start, leg->first_id);
    DCP_FREE uint64_t *now = malloc(size + 1), *peak = malloc(size + 1);
    DCP_FREE uint64_t *need = calloc(c->n + 1u, sizeof *need);
    DCP_FREE uint64_t *other = calloc(c->n + 1u, sizeof *other);
    DCP_FREE uint32_t *told = calloc(n_hosts + 1u, sizeof *told);
    DCP_FREE uint32_t *first_resize = calloc(n_hosts + 1u, sizeof *told);
    DCP_FREE uint32_t *next_resize =
        calloc(leg->end_id - leg->first_id + 1u, sizeof *told);
    struct work w = { .leg = leg,
                      .c = c,
                      .start = start,
                      .now = now,
                      .peak = peak,
                      .need = need,
                      .told = told,
                      .other = other,
                      .first_resize = first_resize,
                      .next_resize = next_resize };

    if (!start || !now || !peak || !need || !told || !other || !first_resize ||
        !next_resize) {
        return dcp_judge_no_memory(leg->j);
    }
    memcpy(now, start, size);
    memcpy(peak, start, size);
    list_resizes(&w);
    replay(&w);
    for (uint32_t h = 0; h < n_hosts; h++) {
        if (leg->host_first[h + 1] > leg->host_first[h] && !prove_host(&w, h)) {
            return false;
        }
    }
    return judge_end(&w, base) && check_watts(&w);
}
