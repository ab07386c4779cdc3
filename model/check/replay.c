/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A step that a limit keeps from starting is kept in a list of the place that
 * is full; when something ends there, all of the list try again, in listed
 * order. */

#include "model/check/replay.h"

#include "model/base/agenda.h"
#include "model/migration.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct replay {
    const struct dcp_leg_view *leg;
    struct dcp_check_replay *out;
    uint32_t n;
    uint32_t *unmet; /* By step, as all that follows. */
    uint32_t *followers_first, *followers;
    uint32_t *next;                /* In its place's list. */
    uint32_t *n_out, *n_in, *kept; /* By place: hosts, pools, going off. */
    struct dcp_agenda events;      /* Ends, and not_before. */
    struct dcp_agenda tries, off;  /* By place in the list. */
};

static const struct dcp_step *
step_of(const struct replay *r, uint32_t i)
{
    return dcp_leg_step(r->leg, r->leg->first_id + i);
}

/* --- Limits ------------------------------------------------------------- */

static uint32_t
off_place(const struct replay *r)
{
    return r->leg->j->inv->n_hosts + r->leg->j->inv->n_pools;
}

static bool
ends_of(const struct replay *r, const struct dcp_step *s, uint32_t *from,
        uint32_t *to)
{
    const struct dcp_inventory *inv = r->leg->j->inv;

    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        *from = s->from.ix;
        *to = s->to.ix;
        return true;
    case DCP_STEP_VOLUME_MOVE:
        *from = inv->n_hosts + s->from.ix;
        *to = inv->n_hosts + s->to.ix;
        return true;
    case DCP_STEP_HOST_OFF:
        *from = *to = off_place(r);
        return true;
    default:
        return false;
    }
}

static bool
is_full(uint32_t n, uint32_t limit)
{
    return limit && n >= limit;
}

/* Migrations of a host both ways; UINT32_MAX: any number. */
static uint32_t
units(const struct replay *r, uint32_t host)
{
    const struct dcp_inventory *inv = r->leg->j->inv;

    return dcp_migration_units(&inv->hardware[inv->hosts[host].hardware.ix],
                               r->leg->j->plan->limits.units_per_10gbit);
}

/* Where there is no room for one more; NONE: it may start. */
static uint32_t
full_place(const struct replay *r, const struct dcp_step *s)
{
    const struct dcp_plan_limits *l = &r->leg->j->plan->limits;
    uint32_t from, to;

    if (!ends_of(r, s, &from, &to)) {
        return NONE;
    }
    uint32_t at_from = r->n_out[from] + r->n_in[from];
    uint32_t at_to = r->n_out[to] + r->n_in[to];

    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        return is_full(r->n_out[from], l->out_per_host) ||
                       is_full(at_from, units(r, from))
                   ? from
               : is_full(r->n_in[to], l->in_per_host) ||
                       is_full(at_to, units(r, to))
                   ? to
                   : NONE;
    case DCP_STEP_VOLUME_MOVE:
        return is_full(at_from, l->moves_per_pool) ? from
               : is_full(at_to, l->moves_per_pool) ? to
                                                   : NONE;
    default:
        return is_full(r->n_out[from], l->host_off_at_once) ? from : NONE;
    }
}

static void
try_again(struct replay *r, uint32_t place)
{
    int64_t at;
    uint32_t first;

    /* Of hosts to go off, which nothing else keeps, as many as have ended. */
    if (place == off_place(r)) {
        if (dcp_agenda_first(&r->off, &first, &at)) {
            dcp_agenda_drop(&r->off, first);
            dcp_agenda_set(&r->tries, first, first);
        }
        return;
    }
    for (uint32_t i = r->kept[place]; i != NONE; i = r->next[i]) {
        dcp_agenda_set(&r->tries, i, i);
    }
    r->kept[place] = NONE;
}

/* --- Steps -------------------------------------------------------------- */

static void
ready(struct replay *r, uint32_t i, int64_t now_ms)
{
    const struct dcp_judge *j = r->leg->j;
    int64_t from_ms =
        step_of(r, i)->not_before_ms - j->plan->legs[r->leg->index].start_ms;

    if (from_ms > now_ms) {
        dcp_agenda_set(&r->events, i, from_ms);
    } else {
        dcp_agenda_set(&r->tries, i, i);
    }
}

static void
end(struct replay *r, uint32_t i, int64_t now_ms)
{
    uint32_t from, to;

    r->out->end_ms[i] = now_ms;
    if (now_ms > r->out->makespan_ms) {
        r->out->makespan_ms = now_ms;
    }
    if (ends_of(r, step_of(r, i), &from, &to)) {
        r->n_out[from]--;
        r->n_in[to]--;
        try_again(r, from);
        if (to != from) {
            try_again(r, to);
        }
    }
    for (uint32_t k = r->followers_first[i]; k < r->followers_first[i + 1];
         k++) {
        if (!--r->unmet[r->followers[k]]) {
            ready(r, r->followers[k], now_ms);
        }
    }
}

static void
begin(struct replay *r, uint32_t i, int64_t now_ms)
{
    const struct dcp_step *s = step_of(r, i);
    uint32_t full = full_place(r, s), from, to;

    if (full == off_place(r)) {
        dcp_agenda_set(&r->off, i, i);
        return;
    }
    if (full != NONE) {
        r->next[i] = r->kept[full];
        r->kept[full] = i;
        return;
    }
    if (ends_of(r, s, &from, &to)) {
        r->n_out[from]++;
        r->n_in[to]++;
    }
    r->out->start_ms[i] = now_ms;
    if (s->estimate_ms) {
        dcp_agenda_set(&r->events, i, now_ms + s->estimate_ms);
    } else {
        end(r, i, now_ms);
    }
}

static void
run(struct replay *r)
{
    int64_t now_ms = 0, at_ms;
    uint32_t i;

    for (i = 0; i < r->n; i++) {
        if (!r->unmet[i]) {
            ready(r, i, now_ms);
        }
    }
    do {
        while (dcp_agenda_first(&r->tries, &i, &at_ms)) {
            dcp_agenda_drop(&r->tries, i);
            begin(r, i, now_ms);
        }
        if (dcp_agenda_first(&r->events, &i, &at_ms)) {
            now_ms = at_ms;
        }
        while (dcp_agenda_first(&r->events, &i, &at_ms) && at_ms == now_ms) {
            dcp_agenda_drop(&r->events, i);
            if (r->out->start_ms[i] < 0) {
                dcp_agenda_set(&r->tries, i, i);
            } else {
                end(r, i, now_ms);
            }
        }
    } while (dcp_agenda_first(&r->tries, &i, &at_ms) ||
             dcp_agenda_first(&r->events, &i, &at_ms));
}

/* --- All of it ---------------------------------------------------------- */

/* Waits within the leg, turned round. */
static bool
list_followers(struct replay *r)
{
    uint32_t first_id = r->leg->first_id, n_waits = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        const struct dcp_step *s = step_of(r, i);

        for (uint32_t k = 0; k < s->n_after; k++) {
            if (s->after[k] >= first_id) {
                r->followers_first[s->after[k] - first_id + 1]++;
                r->unmet[i]++;
                n_waits++;
            }
        }
    }
    r->followers = calloc((size_t)n_waits + 1, sizeof *r->followers);
    if (!r->followers) {
        return false;
    }
    for (uint32_t i = 0; i < r->n; i++) {
        r->followers_first[i + 1] += r->followers_first[i];
    }
    /* Filled from behind: each entry's end becomes its first. */
    for (uint32_t i = r->n; i-- > 0;) {
        const struct dcp_step *s = step_of(r, i);

        for (uint32_t k = 0; k < s->n_after; k++) {
            if (s->after[k] >= first_id) {
                uint32_t *at = &r->followers_first[s->after[k] - first_id + 1];

                r->followers[--*at] = i;
            }
        }
    }
    for (uint32_t i = 0; i < r->n; i++) {
        r->followers_first[i] = r->followers_first[i + 1];
    }
    r->followers_first[r->n] = n_waits;
    return true;
}

static bool
allocate(struct replay *r)
{
    const struct dcp_inventory *inv = r->leg->j->inv;
    size_t n = (size_t)r->n + 1;
    size_t n_places = (size_t)inv->n_hosts + inv->n_pools + 1;

    r->out->start_ms = calloc(n, sizeof *r->out->start_ms);
    r->out->end_ms = calloc(n, sizeof *r->out->end_ms);
    r->unmet = calloc(n, sizeof *r->unmet);
    r->followers_first = calloc(n, sizeof *r->followers_first);
    r->next = calloc(n, sizeof *r->next);
    r->n_out = calloc(n_places, sizeof *r->n_out);
    r->n_in = calloc(n_places, sizeof *r->n_in);
    r->kept = calloc(n_places, sizeof *r->kept);
    if (!r->out->start_ms || !r->out->end_ms || !r->unmet ||
        !r->followers_first || !r->next || !r->n_out || !r->n_in || !r->kept ||
        !dcp_agenda_init(&r->events, r->n) ||
        !dcp_agenda_init(&r->tries, r->n) || !dcp_agenda_init(&r->off, r->n)) {
        return false;
    }
    for (uint32_t i = 0; i < r->n; i++) {
        r->out->start_ms[i] = r->out->end_ms[i] = -1;
    }
    for (size_t p = 0; p < n_places; p++) {
        r->kept[p] = NONE;
    }
    return true;
}

bool
dcp_check_replay(const struct dcp_leg_view *leg, struct dcp_check_replay *out)
{
    struct replay r = { .leg = leg,
                        .out = out,
                        .n = leg->end_id - leg->first_id };

    *out = (struct dcp_check_replay){ 0 };
    bool ok = allocate(&r) && list_followers(&r);

    if (ok) {
        run(&r);
    }
    free(r.unmet);
    free(r.followers_first);
    free(r.followers);
    free(r.next);
    free(r.n_out);
    free(r.n_in);
    free(r.kept);
    dcp_agenda_finish(&r.events);
    dcp_agenda_finish(&r.tries);
    dcp_agenda_finish(&r.off);
    if (!ok) {
        dcp_check_replay_finish(out);
        return dcp_judge_no_memory(leg->j);
    }
    return true;
}

void
dcp_check_replay_finish(struct dcp_check_replay *r)
{
    free(r->start_ms);
    free(r->end_ms);
    *r = (struct dcp_check_replay){ 0 };
}
