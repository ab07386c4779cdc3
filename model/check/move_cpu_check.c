/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Moves have the CPU that they take.
 *
 * A live migration takes policy.migration_cpu_overhead_frac of its VM's CPU
 * (the most that is planned in the leg) on both its hosts while it runs.
 *
 * Start, in the first leg, whose start was not chosen for its moves' sake: what
 * both hosts have left beside the VMs that they hold as the leg begins, and
 * those that come up on them, is enough in the slot in which the move may start
 * first, or in no slot that begins later and within policy.move_wait_ms.
 *
 * At once: where two or more run at a host, their CPU and that of all VMs there
 * is at most what the host has, in every state within the plan's limits, in
 * each slot from which on they may have started to the leg's deadline.  One
 * move may always run: else nobody ever left a full host.
 *
 * The second is a largest closure with a choice in it: which moves run.  Those
 * that do are forced into the closure by their start and kept out by their end,
 * and with that all that waits for them.  Choices are searched by branch and
 * bound: what is chosen, its closure, and the largest of the others that the
 * limits still let run.  No more than CLOSURES_MAX are solved for one host;
 * what was not shown by then is refused. */

#include "model/check/leg.h"

#include <stdlib.h>
#include <string.h>

enum { CLOSURES_MAX = 20000 };

/* A step at the host: a VM comes or goes, and what the move takes. */
struct event {
    uint32_t id, vm, other; /* 'other': the move's other host. */
    bool comes;
    int64_t move_mhz; /* 0: it takes nothing. */
};

struct work {
    struct dcp_leg_view *leg;
    uint32_t n_slots;     /* To the leg's deadline. */
    int64_t *earliest_ms; /* By step from the leg's first: may start then. */
    int64_t *start_mhz;   /* [host * n_slots + slot], as the leg begins. */
};

static const uint32_t *
cpu_of(const struct work *w, uint32_t vm)
{
    const struct dcp_demand *d = w->leg->j->demand;

    return d->cpu_mhz + (size_t)vm * d->stride + w->leg->cells.first_slot;
}

static int64_t
move_mhz(const struct work *w, const struct dcp_step *s)
{
    double frac = w->leg->j->inv->policy.migration_cpu_overhead_frac;
    const uint32_t *cpu = cpu_of(w, s->object.ix);
    uint32_t peak = 0;

    if (s->kind != DCP_STEP_MIGRATE || s->cold) {
        return 0;
    }
    for (uint32_t t = 0; t < w->leg->cells.n_slots; t++) {
        peak = cpu[t] > peak ? cpu[t] : peak;
    }
    return (int64_t)(frac * peak);
}

static const struct dcp_slot *
slot_at(const struct work *w, uint32_t t)
{
    return &w->leg->j->demand->slots[w->leg->cells.first_slot + t];
}

static int64_t
earliest_ms(const struct work *w, uint32_t id)
{
    return w->earliest_ms[id - w->leg->first_id];
}

static int64_t
capacity_mhz(const struct work *w, uint32_t host)
{
    return dcp_host_capacity(w->leg->j->inv, (dcp_host_id){ host }).cpu_mhz;
}

/* What is waited for may take no time at all. */
static void
find_earliest(struct work *w)
{
    const struct dcp_leg_view *leg = w->leg;
    int64_t start_ms = leg->j->plan->legs[leg->index].start_ms;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);
        int64_t *at = &w->earliest_ms[id - leg->first_id];

        *at = s->not_before_ms > start_ms ? s->not_before_ms : start_ms;
        for (uint32_t k = 0; k < s->n_after; k++) {
            if (s->after[k] >= leg->first_id &&
                earliest_ms(w, s->after[k]) > *at) {
                *at = earliest_ms(w, s->after[k]);
            }
        }
    }
}

static void
add_start_load(struct work *w)
{
    const struct dcp_placement *p = w->leg->start;

    for (uint32_t v = 0; v < p->n_vms; v++) {
        const uint32_t *cpu = cpu_of(w, v);
        int64_t *row = dcp_host_is_none(p->host[v])
                           ? NULL
                           : w->start_mhz + (size_t)p->host[v].ix * w->n_slots;

        for (uint32_t t = 0; row && t < w->n_slots; t++) {
            row[t] += cpu[t];
        }
    }
}

/* --- Start --------------------------------------------------------------- */

/* VMs that come up in the leg, but do not come from another host; 'sign' -1
 * takes them away again. */
static void
add_comers(struct work *w, int sign)
{
    for (uint32_t id = w->leg->first_id; id < w->leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(w->leg, id);
        bool comes =
            s->kind == DCP_STEP_VM_CREATE || s->kind == DCP_STEP_VM_RESTORE;

        for (uint32_t t = 0; comes && t < w->n_slots; t++) {
            w->start_mhz[(size_t)s->to.ix * w->n_slots + t] +=
                sign * (int64_t)cpu_of(w, s->object.ix)[t];
        }
    }
}

static int64_t
spare_mhz(const struct work *w, uint32_t host, uint32_t t)
{
    return capacity_mhz(w, host) - w->start_mhz[(size_t)host * w->n_slots + t];
}

static void
judge_start(const struct work *w, const struct dcp_step *s, int64_t need)
{
    const struct dcp_judge *j = w->leg->j;
    int64_t last_ms =
        j->plan->legs[w->leg->index].start_ms + j->inv->policy.move_wait_ms;
    uint32_t first = 0, later;

    while (first + 1 < w->n_slots &&
           slot_at(w, first)->end_ms <= earliest_ms(w, s->id)) {
        first++;
    }
    bool full = spare_mhz(w, s->from.ix, first) < need;
    uint32_t host = full ? s->from.ix : s->to.ix;

    if (spare_mhz(w, host, first) >= need) {
        return;
    }
    for (later = first + 1; later < w->n_slots; later++) {
        if (spare_mhz(w, s->from.ix, later) >= need &&
            spare_mhz(w, s->to.ix, later) >= need) {
            break;
        }
    }
    if (later < w->n_slots && slot_at(w, later)->start_ms <= last_ms) {
        char now[80], then[80];

        dcp_judge_report(
            j, s->id, "move_cpu", s->object, (double)need,
            (double)spare_mhz(w, host, first),
            "%.40s has no CPU to spare for it (%.30s) and would later "
            "(%.30s)",
            j->inv->hosts[host].name,
            dcp_cells_describe(&w->leg->cells, first, now, sizeof now),
            dcp_cells_describe(&w->leg->cells, later, then, sizeof then));
    }
}

static void
judge_starts(struct work *w)
{
    add_comers(w, 1);
    for (uint32_t id = w->leg->first_id; id < w->leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(w->leg, id);
        int64_t need = s->object.kind == DCP_OBJECT_VM ? move_mhz(w, s) : 0;

        if (need > 0) {
            judge_start(w, s, need);
        }
    }
    add_comers(w, -1);
}

/* --- At once ------------------------------------------------------------- */

struct host_work {
    struct work *w;
    uint32_t host, n, n_movers;
    struct event *events; /* By id. */
    uint32_t *ids;        /* Theirs. */
    uint32_t *mover;      /* Events that take CPU, most first. */
    uint8_t *before;      /* [mover * n_movers + mover]: one after another. */
    int64_t *weight;      /* All starts, then all ends. */
    struct dcp_check_touch *touch;
    uint32_t limit[2]; /* Of moves out of a host, and into one. */
    uint32_t left[2];  /* Of these, what may still run at this host. */
    uint32_t *chosen;  /* Movers that run. */
    uint32_t n_chosen, n_solved;
    uint32_t slot;
    int64_t base_mhz, capacity_mhz;
    /* The worst that was found. */
    bool found, gave_up;
    int64_t found_mhz;
    uint32_t found_step, found_n;
};

static int
by_id(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;

    return a->id < b->id ? -1 : a->id > b->id;
}

static void
list_events(struct host_work *x)
{
    const struct dcp_leg_view *leg = x->w->leg;
    uint32_t first = leg->host_first[x->host];

    for (uint32_t i = first; i < leg->host_first[x->host + 1]; i++) {
        const struct dcp_stay *stay = &leg->stays[leg->host_stays[i]];

        for (int end = 0; end < 2; end++) {
            uint32_t id = end ? stay->out : stay->in;
            const struct dcp_step *s = id ? dcp_leg_step(leg, id) : NULL;

            if (s) {
                x->events[x->n++] = (struct event){
                    .id = id,
                    .vm = stay->vm,
                    .other = end ? s->to.ix : s->from.ix,
                    .comes = !end,
                    .move_mhz = move_mhz(x->w, s),
                };
            }
        }
    }
    if (x->n > 1) {
        qsort(x->events, x->n, sizeof *x->events, by_id);
    }
}

/* Movers by what they take, most first; equal ones by id. */
static void
list_movers(struct host_work *x)
{
    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t at = x->n_movers;

        if (!x->events[i].move_mhz) {
            continue;
        }
        for (;
             at && x->events[x->mover[at - 1]].move_mhz < x->events[i].move_mhz;
             at--) {
            x->mover[at] = x->mover[at - 1];
        }
        x->mover[at] = i;
        x->n_movers++;
    }
}

static bool
has_started(const struct host_work *x, uint32_t event)
{
    return earliest_ms(x->w, x->events[event].id) <
           slot_at(x->w, x->slot)->end_ms;
}

/* The most that so many of the movers from 'first' on take. */
static int64_t
most_of(const struct host_work *x, uint32_t first, const uint32_t left[2])
{
    uint32_t n[2] = { left[0], left[1] };
    int64_t sum = 0;

    for (uint32_t k = first; k < x->n_movers && (n[0] || n[1]); k++) {
        const struct event *e = &x->events[x->mover[k]];

        if (n[e->comes] && has_started(x, x->mover[k])) {
            n[e->comes]--;
            sum += e->move_mhz;
        }
    }
    return sum;
}

/* The most CPU of VMs at the host while those that are chosen run. */
static int64_t
load_mhz(struct host_work *x)
{
    int64_t all = 1, *in = x->weight, *out = x->weight + x->n;
    uint32_t step;

    for (uint32_t i = 0; i < x->n; i++) {
        const struct event *e = &x->events[i];
        int64_t mhz = cpu_of(x->w, e->vm)[x->slot];

        in[i] = e->comes && has_started(x, i) ? mhz : 0;
        out[i] = e->comes ? 0 : mhz;
        all += mhz;
    }
    for (uint32_t k = 0; k < x->n_chosen; k++) {
        in[x->mover[x->chosen[k]]] += all;
        out[x->mover[x->chosen[k]]] = all * (x->n_chosen + 1);
    }
    x->n_solved++;
    x->w->leg->j->result->states_checked++;
    return x->base_mhz + dcp_check_touch_worst(x->touch, x->weight, &step) -
           all * x->n_chosen;
}

static bool
may_join(const struct host_work *x, uint32_t k)
{
    const struct event *e = &x->events[x->mover[k]];
    bool ok = x->left[e->comes] && has_started(x, x->mover[k]);
    uint32_t n = 0; /* With the same host at their other end. */

    for (uint32_t i = 0; ok && i < x->n_chosen; i++) {
        const struct event *c = &x->events[x->mover[x->chosen[i]]];

        n += c->comes == e->comes && c->other == e->other;
        ok = !x->before[(size_t)k * x->n_movers + x->chosen[i]] &&
             !x->before[(size_t)x->chosen[i] * x->n_movers + k];
    }
    return ok && n < x->limit[!e->comes];
}

static void
note(struct host_work *x, int64_t mhz)
{
    x->found = true;
    x->found_mhz = mhz;
    x->found_n = x->n_chosen;
    x->found_step = 0;
    for (uint32_t k = 0; k < x->n_chosen; k++) {
        uint32_t id = x->events[x->mover[x->chosen[k]]].id;

        x->found_step = id > x->found_step ? id : x->found_step;
    }
}

/* Looks for a choice that is too much beside those that are chosen, which take
 * 'taken' together. */
static void
choose(struct host_work *x, uint32_t from, int64_t taken)
{
    for (uint32_t k = from; k < x->n_movers && !x->found; k++) {
        const struct event *e = &x->events[x->mover[k]];

        if (!may_join(x, k)) {
            continue;
        }
        if (x->n_solved == CLOSURES_MAX) {
            x->gave_up = true;
            return;
        }
        x->chosen[x->n_chosen++] = k;
        x->left[e->comes]--;
        int64_t mhz = load_mhz(x) + taken + e->move_mhz;

        if (x->n_chosen > 1 && mhz > x->capacity_mhz) {
            note(x, mhz);
        } else if (mhz + most_of(x, k + 1, x->left) > x->capacity_mhz) {
            choose(x, k + 1, taken + e->move_mhz);
        }
        x->n_chosen--;
        x->left[e->comes]++;
    }
}

static bool
order_movers(struct host_work *x)
{
    const struct dcp_leg_view *leg = x->w->leg;

    for (uint32_t a = 0; a < x->n_movers; a++) {
        for (uint32_t b = 0; b < x->n_movers; b++) {
            x->before[(size_t)a * x->n_movers + b] =
                dcp_check_order_before(leg->order, x->events[x->mover[a]].id,
                                       x->events[x->mover[b]].id);
        }
    }
    for (uint32_t i = 0; i < x->n; i++) {
        x->ids[i] = x->events[i].id;
    }
    x->touch = dcp_check_touch_create(leg->order, x->ids, x->n, x->ids, x->n);
    return x->touch != NULL;
}

static void
report(const struct host_work *x)
{
    const struct dcp_judge *j = x->w->leg->j;
    char what[80];

    dcp_cells_describe(&x->w->leg->cells, x->slot, what, sizeof what);
    if (x->found) {
        dcp_judge_report(j, x->found_step, "move_cpu", dcp_judge_host(x->host),
                         (double)x->found_mhz, (double)x->capacity_mhz,
                         "%s: %lld of %lld MHz with %u moves at once", what,
                         (long long)x->found_mhz, (long long)x->capacity_mhz,
                         x->found_n);
    } else if (x->gave_up) {
        dcp_judge_report(j, 0, "move_cpu", dcp_judge_host(x->host),
                         DCP_NO_NUMBER, (double)x->capacity_mhz,
                         "%s: too many of its moves may run at once to show "
                         "that it has the CPU for all",
                         what);
    }
}

/* Whether all that comes and the largest moves are too much in the slot. */
static bool
is_open(struct host_work *x)
{
    int64_t mhz = most_of(x, 0, x->left);

    x->base_mhz = x->w->start_mhz[(size_t)x->host * x->w->n_slots + x->slot];
    for (uint32_t i = 0; i < x->n; i++) {
        mhz += x->events[i].comes && has_started(x, i)
                   ? cpu_of(x->w, x->events[i].vm)[x->slot]
                   : 0;
    }
    return x->base_mhz + mhz > x->capacity_mhz;
}

static bool
judge_host(struct work *w, uint32_t host)
{
    const struct dcp_leg_view *leg = w->leg;
    const struct dcp_plan_limits *limits = &leg->j->plan->limits;
    size_t n = 2 * (size_t)(leg->host_first[host + 1] - leg->host_first[host]);
    DCP_FREE struct event *events = calloc(n + 1, sizeof *events);
    DCP_FREE uint32_t *index = calloc(3 * n + 1, sizeof *index);
    DCP_FREE int64_t *weight = calloc(2 * n + 1, sizeof *weight);
    DCP_FREE uint8_t *before = NULL;
    struct host_work x = {
        .w = w,
        .host = host,
        .events = events,
        .ids = index,
        .mover = index + n,
        .chosen = index + 2 * n,
        .weight = weight,
        .limit = { limits->out_per_host ? limits->out_per_host : UINT32_MAX,
                   limits->in_per_host ? limits->in_per_host : UINT32_MAX },
        .capacity_mhz = capacity_mhz(w, host),
    };
    bool ok = events && index && weight;

    if (!ok) {
        return dcp_judge_no_memory(leg->j);
    }
    memcpy(x.left, x.limit, sizeof x.left);
    list_events(&x);
    list_movers(&x);
    for (; ok && x.n_movers > 1 && x.slot < w->n_slots; x.slot++) {
        if (!is_open(&x)) {
            continue;
        }
        if (!x.touch) {
            before = calloc((size_t)x.n_movers * x.n_movers, 1);
            x.before = before;
            ok = before && order_movers(&x);
        }
        if (ok) {
            choose(&x, 0, 0);
        }
        if (x.found || x.gave_up) {
            report(&x);
            break;
        }
    }
    dcp_check_touch_destroy(x.touch);
    return ok || dcp_judge_no_memory(leg->j);
}

bool
dcp_move_cpu_check(struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    int64_t deadline_ms = j->plan->legs[leg->index].deadline_ms;
    struct work w = { .leg = leg };
    uint32_t n_hosts = j->inv->n_hosts;
    bool ok = true;

    if (!(j->inv->policy.migration_cpu_overhead_frac > 0)) {
        return true;
    }
    while (w.n_slots < leg->cells.n_slots &&
           slot_at(&w, w.n_slots)->start_ms < deadline_ms) {
        w.n_slots++;
    }
    DCP_FREE int64_t *earliest =
        calloc(leg->end_id - leg->first_id + 1u, sizeof *earliest);
    DCP_FREE int64_t *start =
        calloc((size_t)n_hosts * w.n_slots + 1, sizeof *start);

    if (!earliest || !start) {
        return dcp_judge_no_memory(j);
    }
    w.earliest_ms = earliest;
    w.start_mhz = start;
    find_earliest(&w);
    add_start_load(&w);
    if (leg->index == 0) {
        judge_starts(&w);
    }
    for (uint32_t h = 0; ok && h < n_hosts; h++) {
        ok = leg->host_first[h + 1] - leg->host_first[h] < 1 ||
             judge_host(&w, h);
    }
    return ok;
}
