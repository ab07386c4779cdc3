/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/balance/even_parts.h"

#include "solver/headroom/headroom.h"
#include "solver/objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOVING_SHARE  10.0 /* Hosts by move that together gain enough. */
#define LEAST_GAIN    1e-9
#define SMALL_HOSTS   160u /* On, for a check of headroom at each step. */
#define ENDS          16u  /* Hosts at either end that are looked at first. */
#define EXCHANGE_ENDS 6u
/* Moves that one look may weigh for all hosts to be in it. */
#define WIDE_TRIALS  UINT64_C(2000000)
#define TRIALS_EACH  UINT64_C(300)
#define LEAST_TRIALS UINT64_C(20000)
#define MOST_TRIALS  UINT64_C(1500000)

/* --- The state ---------------------------------------------------------- */

uint32_t
dcp_even_n_vms(const struct even *x, uint32_t item)
{
    return x->p->vm_first[item + 1] - x->p->vm_first[item];
}

double
dcp_even_cost(const struct even *x)
{
    return x->value + dcp_even_toll(x, x->away);
}

double
dcp_even_toll(const struct even *x, struct even_away away)
{
    return x->per_move * away.n_moved + x->per_conversion * away.n_converted;
}

bool
dcp_even_is_within(const struct even *x, struct even_away away)
{
    return away.n_moved <= x->limit.n_moved &&
           away.n_converted <= x->limit.n_converted;
}

/* Whether the item is converted where it is on that host. */
static bool
is_converted(const struct even *x, uint32_t item, uint32_t host)
{
    const struct dcp_conversions *c = x->p->conversions;
    uint32_t start = x->p->start_host[item];

    return c && start != DCP_IX_NONE &&
           c->kind_of_host[start] != c->kind_of_host[host];
}

/* With the item on 'to' instead of 'from'. */
static struct even_away
away_after(const struct even *x, struct even_away away, uint32_t item,
           uint32_t from, uint32_t to)
{
    uint32_t n = dcp_even_n_vms(x, item), start = x->p->start_host[item];

    away.n_moved += (to != start ? n : 0) - (from != start ? n : 0);
    away.n_converted += (is_converted(x, item, to) ? n : 0) -
                        (is_converted(x, item, from) ? n : 0);
    return away;
}

struct even_away
dcp_even_away_with(const struct even *x, uint32_t item, uint32_t to,
                   uint32_t other)
{
    uint32_t from = x->s->host[item];
    struct even_away away = away_after(x, x->away, item, from, to);

    return other == DCP_IX_NONE ? away : away_after(x, away, other, to, from);
}

/* Whether the host takes the item, which is not placed.  Evening out buys no
 * licences: only where an item started may it need new ones. */
static bool
takes(struct dcp_state *s, uint32_t item, uint32_t host)
{
    return dcp_state_allowed(s, item, host) && dcp_state_fits(s, item, host) &&
           (s->p->pricing->n_licences == 0 || s->p->start_host[item] == host ||
            dcp_objective_licence_delta(s, item, host) <= 1e-9);
}

bool
dcp_even_is_legal(struct even *x, uint32_t item, uint32_t to, uint32_t other)
{
    struct dcp_state *s = x->s;
    uint32_t from = s->host[item];
    bool ok;

    dcp_state_remove(s, item);
    if (other != DCP_IX_NONE) {
        dcp_state_remove(s, other);
    }
    ok = takes(s, item, to);
    if (ok && other != DCP_IX_NONE) {
        dcp_state_place(s, item, to);
        ok = takes(s, other, from);
        dcp_state_remove(s, item);
    }
    if (other != DCP_IX_NONE) {
        dcp_state_place(s, other, to);
    }
    dcp_state_place(s, item, from);
    return ok;
}

static void
note_moved(struct even *x, uint32_t item)
{
    bool away = x->s->host[item] != x->p->start_host[item];

    if (away && x->moved_at[item] == DCP_IX_NONE) {
        x->moved_at[item] = x->n_moved_items;
        x->moved[x->n_moved_items++] = item;
    } else if (!away && x->moved_at[item] != DCP_IX_NONE) {
        uint32_t last = x->moved[--x->n_moved_items];

        x->moved[x->moved_at[item]] = last;
        x->moved_at[last] = x->moved_at[item];
        x->moved_at[item] = DCP_IX_NONE;
    }
}

static void
put(struct even *x, uint32_t item, uint32_t to)
{
    x->away = dcp_even_away_with(x, item, to, DCP_IX_NONE);
    dcp_state_remove(x->s, item);
    dcp_state_place(x->s, item, to);
    note_moved(x, item);
}

void
dcp_even_go(struct even *x, uint32_t item, uint32_t to, uint32_t other)
{
    uint32_t from = x->s->host[item];

    put(x, item, to);
    if (other != DCP_IX_NONE) {
        put(x, other, from);
    }
    x->stuck[from] = x->stuck[to] = 0;
    dcp_evenness_update(&x->e, from);
    dcp_evenness_update(&x->e, to);
    x->value = dcp_evenness_value(&x->e);
}

void
dcp_even_keep_best(struct even *x)
{
    if (dcp_even_cost(x) < x->best - LEAST_GAIN) {
        x->best = dcp_even_cost(x);
        memcpy(x->best_host, x->s->host, x->p->n_items * sizeof *x->best_host);
    }
}

void
dcp_even_restore_best(struct even *x)
{
    for (uint32_t i = 0; i < x->p->n_items; i++) {
        if (x->s->host[i] != x->best_host[i]) {
            dcp_even_go(x, i, x->best_host[i], DCP_IX_NONE);
        }
    }
}

bool
dcp_even_time_is_up(struct even *x)
{
    struct timespec t;

    if (x->o->deadline_ms == INT64_MAX || x->out_of_time) {
        return x->out_of_time;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    x->out_of_time =
        (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 >= x->o->deadline_ms;
    return x->out_of_time;
}

/* --- Descent ------------------------------------------------------------ */

struct step {
    uint32_t item, to, other;
    double cost;
};

static void
weigh(struct even *x, uint32_t item, uint32_t to, uint32_t other,
      struct step *best)
{
    struct even_away away = dcp_even_away_with(x, item, to, other);
    double cost;

    if (!dcp_even_is_within(x, away) || x->frozen[item] ||
        (other != DCP_IX_NONE && x->frozen[other])) {
        return;
    }
    x->trials++;
    cost = dcp_evenness_try(&x->e, item, to, other) + dcp_even_toll(x, away);
    if (cost < best->cost - LEAST_GAIN &&
        dcp_even_is_legal(x, item, to, other)) {
        *best = (struct step){ item, to, other, cost };
    }
}

static int
by_pressure(const void *a, const void *b, void *pressure)
{
    const double *of = pressure;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    return of[i] > of[j] ? -1 : of[i] < of[j] ? 1 : i < j ? -1 : i > j;
}

static void
rank_hosts(struct even *x)
{
    for (uint32_t k = 0; k < x->n_hosts; k++) {
        x->pressure[x->hosts[k]] = dcp_evenness_pressure(&x->e, x->hosts[k]);
    }
    qsort_r(x->hosts, x->n_hosts, sizeof *x->hosts, by_pressure, x->pressure);
}

/* An item may leave its host and come back to the same list elsewhere while it
 * is tried, so the next one is taken down first. */
static uint32_t
items_of(const struct even *x, uint32_t host, uint32_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = x->s->first[host]; i != DCP_IX_NONE; i = x->s->next[i]) {
        out[n++] = i;
    }
    return n;
}

/* The best move from the 'n' fullest hosts that are not stuck to the 'n'
 * emptiest; a host that has none is stuck until its load changes. */
static struct step
best_move(struct even *x, uint32_t n, uint32_t *list)
{
    struct step best = { DCP_IX_NONE, 0, DCP_IX_NONE, dcp_even_cost(x) };
    uint32_t n_sources = 0;

    for (uint32_t a = 0; a < x->n_hosts && n_sources < n; a++) {
        uint32_t from = x->hosts[a];
        uint32_t n_list = x->stuck[from] ? 0 : items_of(x, from, list);
        struct step own = { DCP_IX_NONE, 0, DCP_IX_NONE, dcp_even_cost(x) };

        n_sources += !x->stuck[from];
        for (uint32_t k = 0; k < n_list; k++) {
            for (uint32_t b = 0; b < n; b++) {
                uint32_t to = x->hosts[x->n_hosts - 1 - b];

                if (to != from && dcp_problem_reaches(x->p, list[k], to)) {
                    weigh(x, list[k], to, DCP_IX_NONE, &own);
                }
            }
        }
        x->stuck[from] = own.item == DCP_IX_NONE;
        if (own.cost < best.cost - LEAST_GAIN) {
            best = own;
        }
    }
    return best;
}

/* Moves from host after host, until all are stuck. */
static struct step
best_of_rest(struct even *x, uint32_t n, uint32_t *list)
{
    struct step best = best_move(x, n, list);

    for (uint32_t seen = n; best.item == DCP_IX_NONE && seen < x->n_hosts;
         seen += n) {
        best = best_move(x, n, list);
    }
    return best;
}

static struct step
best_exchange(struct even *x, uint32_t n, uint32_t *list)
{
    struct step best = { DCP_IX_NONE, 0, DCP_IX_NONE, dcp_even_cost(x) };

    for (uint32_t a = 0; a < n; a++) {
        uint32_t n_list = items_of(x, x->hosts[a], list);

        for (uint32_t b = 0; b < n; b++) {
            uint32_t to = x->hosts[x->n_hosts - 1 - b];
            uint32_t n_there =
                to == x->hosts[a] ? 0 : items_of(x, to, list + n_list);

            for (uint32_t k = 0; k < n_list; k++) {
                for (uint32_t j = 0; j < n_there; j++) {
                    if (dcp_problem_reaches(x->p, list[k], to) &&
                        dcp_problem_reaches(x->p, list[n_list + j],
                                            x->hosts[a])) {
                        weigh(x, list[k], to, list[n_list + j], &best);
                    }
                }
            }
        }
    }
    return best;
}

static struct step
find_step(struct even *x, uint32_t *list)
{
    uint32_t n = x->n_hosts;
    bool wide = (uint64_t)x->n_items * n <= WIDE_TRIALS;
    struct step best;

    rank_hosts(x);
    best = best_of_rest(x, wide || n < ENDS ? n : ENDS, list);
    if (best.item == DCP_IX_NONE) {
        best = best_exchange(x, n < EXCHANGE_ENDS ? n : EXCHANGE_ENDS, list);
    }
    return best;
}

static bool
keeps_headroom(struct even *x, bool *out, struct dcp_error *err)
{
    struct dcp_headroom h = { .ok = true };

    if (x->p->q->headroom && !dcp_headroom_check(x->s, NULL, NULL, &h, err)) {
        return false;
    }
    *out = h.ok;
    return true;
}

static void
undo(struct even *x, const struct step *step, uint32_t from)
{
    dcp_even_go(x, step->item, from, step->other);
}

/* The longest beginning of the steps that keeps headroom, by halving: found
 * where it only gets lost, else some beginning that keeps it. */
static bool
cut_to_headroom(struct even *x, const struct step *steps, const uint32_t *from,
                uint32_t n, struct dcp_error *err)
{
    uint32_t good = 0, at = n;
    bool ok;

    if (!keeps_headroom(x, &ok, err)) {
        return false;
    }
    for (uint32_t bad = n; !ok && good + 1 < bad;) {
        uint32_t middle = good + (bad - good) / 2;

        for (; at > middle; at--) {
            undo(x, &steps[at - 1], from[at - 1]);
        }
        for (; at < middle; at++) {
            dcp_even_go(x, steps[at].item, steps[at].to, steps[at].other);
        }
        bool keeps;

        if (!keeps_headroom(x, &keeps, err)) {
            return false;
        }
        if (keeps) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    for (; !ok && at > good; at--) {
        undo(x, &steps[at - 1], from[at - 1]);
    }
    return true;
}

#define STEPS_MAX 65536u

static bool
descend(struct even *x, uint32_t *list, struct dcp_error *err)
{
    DCP_FREE struct step *steps = calloc(STEPS_MAX, sizeof *steps);
    DCP_FREE uint32_t *from = calloc(STEPS_MAX, sizeof *from);
    uint32_t n = 0;

    if (!steps || !from) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to balance");
    }
    while (n < STEPS_MAX && !dcp_even_time_is_up(x)) {
        struct step step = find_step(x, list);
        bool ok = true;

        if (step.item == DCP_IX_NONE) {
            break;
        }
        from[n] = x->s->host[step.item];
        dcp_even_go(x, step.item, step.to, step.other);
        if (x->check_each && !keeps_headroom(x, &ok, err)) {
            return false;
        }
        if (ok) {
            steps[n++] = step;
        } else {
            undo(x, &step, from[n]);
            x->frozen[step.item] = 1;
        }
    }
    if (!x->check_each && x->p->q->headroom && n > 0 &&
        !cut_to_headroom(x, steps, from, n, err)) {
        return false;
    }
    dcp_even_keep_best(x);
    return true;
}

/* What the moves of an item gain is less than they cost: it goes home. */
static bool
send_home(struct even *x, struct dcp_error *err)
{
    for (uint32_t k = x->n_moved_items; k-- > 0;) {
        struct step step = { DCP_IX_NONE, 0, DCP_IX_NONE, dcp_even_cost(x) };
        uint32_t item = x->moved[k], from = x->s->host[item];
        uint32_t home = x->p->start_host[item];
        bool ok = true;

        if (home == DCP_IX_NONE || !x->s->on[home] ||
            x->p->use[home] == DCP_HOST_AVOID) {
            continue;
        }
        weigh(x, item, home, DCP_IX_NONE, &step);
        if (step.item == DCP_IX_NONE) {
            continue;
        }
        dcp_even_go(x, item, home, DCP_IX_NONE);
        if (x->check_each && !keeps_headroom(x, &ok, err)) {
            return false;
        }
        if (!ok) {
            undo(x, &step, from);
        }
        k = k > x->n_moved_items ? x->n_moved_items : k;
    }
    dcp_even_keep_best(x);
    return true;
}

/* --- The whole ---------------------------------------------------------- */

static bool
prepare(struct even *x, struct dcp_error *err)
{
    const struct dcp_problem *p = x->p;

    x->items = calloc(p->n_items + 1u, sizeof *x->items);
    x->hosts = calloc(p->n_hosts + 1u, sizeof *x->hosts);
    x->pressure = calloc(p->n_hosts + 1u, sizeof *x->pressure);
    x->moved = calloc(p->n_items + 1u, sizeof *x->moved);
    x->moved_at = calloc(p->n_items + 1u, sizeof *x->moved_at);
    x->frozen = calloc(p->n_items + 1u, 1);
    x->stuck = calloc(p->n_hosts + 1u, 1);
    x->best_host = calloc(p->n_items + 1u, sizeof *x->best_host);
    if (!x->items || !x->hosts || !x->pressure || !x->moved || !x->moved_at ||
        !x->frozen || !x->stuck || !x->best_host) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to balance %u VMs",
                        p->n_items);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (x->e.counts[h]) {
            x->hosts[x->n_hosts++] = h;
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t n = 0;

        x->moved_at[i] = DCP_IX_NONE;
        note_moved(x, i);
        if (x->s->host[i] != p->start_host[i]) {
            x->away.n_moved += dcp_even_n_vms(x, i);
            x->away.n_converted +=
                is_converted(x, i, x->s->host[i]) ? dcp_even_n_vms(x, i) : 0;
        }
        for (uint32_t k = 0; k < x->n_hosts && n < 2; k++) {
            n += dcp_problem_reaches(p, i, x->hosts[k]);
        }
        if (n > 1 && x->e.counts[x->s->host[i]]) {
            x->items[x->n_items++] = i;
        }
    }
    x->value = dcp_evenness_value(&x->e);
    x->per_move =
        x->o->min_gain_frac * x->value / fmax(x->n_hosts / MOVING_SHARE, 1);
    x->per_conversion = x->o->min_gain_frac * x->value;
    x->check_each = p->q->headroom && x->n_hosts <= SMALL_HOSTS;
    x->best = INFINITY;
    dcp_even_keep_best(x);
    return true;
}

static uint64_t
trials_for(const struct even *x)
{
    uint64_t trials = TRIALS_EACH * x->n_items;

    if (x->o->trials) {
        return x->o->trials;
    }
    trials = trials < LEAST_TRIALS  ? LEAST_TRIALS
             : trials > MOST_TRIALS ? MOST_TRIALS
                                    : trials;
    return trials / (1 + x->e.n_columns / 64);
}

static bool
run(struct even *x, struct dcp_error *err)
{
    DCP_FREE uint32_t *list = calloc(x->p->n_items + 1u, sizeof *list);
    DCP_FREE uint32_t *safe = calloc(x->p->n_items + 1u, sizeof *safe);
    bool ok = true;

    if (!list || !safe) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to balance");
    }
    if (!descend(x, list, err) || !send_home(x, err)) {
        return false;
    }
    memcpy(safe, x->best_host, x->p->n_items * sizeof *safe);
    dcp_even_anneal(x, trials_for(x));
    dcp_even_restore_best(x);
    if (!keeps_headroom(x, &ok, err)) {
        return false;
    }
    if (ok) {
        ok = descend(x, list, err) && send_home(x, err);
        dcp_even_restore_best(x);
        return ok;
    }
    memcpy(x->best_host, safe, x->p->n_items * sizeof *safe);
    dcp_even_restore_best(x);
    return true;
}

bool
dcp_even_run(struct dcp_state *s, const struct dcp_even_options *o,
             struct dcp_even_result *out, struct dcp_error *err)
{
    struct even x = { .s = s,
                      .p = s->p,
                      .o = o,
                      .rng = dcp_rng_stream(o->seed, "even", 0),
                      .limit = { o->max_moves ? o->max_moves : UINT32_MAX,
                                 o->max_conversions ? o->max_conversions
                                                    : UINT32_MAX } };
    bool ok;

    *out = (struct dcp_even_result){ 0 };
    if (!dcp_evenness_init(&x.e, s, o->score, err)) {
        return false;
    }
    ok = prepare(&x, err);
    if (ok) {
        out->before = x.value;
        ok = x.n_hosts < 2 || run(&x, err);
        out->after = x.value;
        out->n_moved = x.away.n_moved;
        out->trials = x.trials;
        out->out_of_time = x.out_of_time;
    }
    free(x.items);
    free(x.hosts);
    free(x.pressure);
    free(x.moved);
    free(x.moved_at);
    free(x.frozen);
    free(x.stuck);
    free(x.best_host);
    dcp_evenness_finish(&x.e);
    return ok;
}
