/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The order of the searches, and the replay that turns the best state into
 * steps. */

#include "solver/balance/search_parts.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

/* Trials of annealing by default, without a limit on steps: by instance, and at
 * most. */
#define TRIALS_EACH 50000u
#define TRIALS      40000000u
/* With one: a share of what hbal would weigh in as many steps, within these. */
#define SHARE_OF_SCANS 8u
#define LEAST_TRIALS   120000u
#define MOST_TRIALS    6000000u
/* A replay that ends so much above the best state has lost something. */
#define LEAST_LOSS 1e-9

static int64_t
monotonic_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
dcp_balance_elapsed_ms(struct dcp_balance_search *s)
{
    int64_t elapsed;

    if (s->limit_ms == 0) {
        return 0;
    }
    elapsed = monotonic_ms() - s->started_ms;
    s->out_of_time = s->out_of_time || elapsed >= s->limit_ms;
    return elapsed;
}

uint32_t
dcp_balance_used_with(const struct dcp_balance_search *s,
                      const struct dcp_balance_move *m)
{
    const struct dcp_balance_instance *v =
        dcp_balance_instance(s->c, m->instance);

    return s->used -
           dcp_balance_steps(s->c, m->instance, v->primary, v->secondary) +
           dcp_balance_steps(s->c, m->instance, m->primary, m->secondary);
}

static void
note_moved(struct dcp_balance_search *s, uint32_t i)
{
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);
    bool away = dcp_balance_steps(s->c, i, v->primary, v->secondary) > 0;

    if (away && s->moved_at[i] == DCP_IX_NONE) {
        s->moved_at[i] = s->n_moved;
        s->moved[s->n_moved++] = i;
    } else if (!away && s->moved_at[i] != DCP_IX_NONE) {
        uint32_t last = s->moved[--s->n_moved];

        s->moved[s->moved_at[i]] = last;
        s->moved_at[last] = s->moved_at[i];
        s->moved_at[i] = DCP_IX_NONE;
    }
}

void
dcp_balance_accept(struct dcp_balance_search *s,
                   const struct dcp_balance_move moves[], uint32_t n,
                   double score)
{
    uint32_t used = s->used;

    for (uint32_t k = 0; k < n; k++) {
        used += dcp_balance_used_with(s, &moves[k]) - s->used;
    }
    s->used = used;
    dcp_balance_do(s->c, moves, n);
    for (uint32_t k = 0; k < n; k++) {
        note_moved(s, moves[k].instance);
    }
    s->score = score;
}

void
dcp_balance_keep_best(struct dcp_balance_search *s)
{
    if (s->score >= s->best_score) {
        return;
    }
    s->best_score = s->score;
    for (uint32_t i = 0; i < s->n_instances; i++) {
        const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);

        s->best[2 * i] = v->primary;
        s->best[2 * i + 1] = v->secondary;
    }
}

static void
go_to(struct dcp_balance_search *s, uint32_t i, uint32_t primary,
      uint32_t secondary)
{
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);
    const struct dcp_balance_move m = { i, primary, secondary };

    if (v->primary != primary || v->secondary != secondary) {
        dcp_balance_accept(s, &m, 1, s->score);
    }
}

void
dcp_balance_restore_best(struct dcp_balance_search *s)
{
    for (uint32_t i = 0; i < s->n_instances; i++) {
        go_to(s, i, s->best[2 * i], s->best[2 * i + 1]);
    }
    s->score = dcp_balance_score(s->c);
}

/* --- Replay ------------------------------------------------------------- */

static bool
take_step(struct dcp_balance_search *s, const struct dcp_balance_move *m,
          struct dcp_balance_result *out)
{
    if (!dcp_balance_is_step(s->c, m)) {
        return false;
    }
    dcp_balance_accept(s, m, 1, s->score);
    out->steps[out->n_steps++] =
        (struct dcp_balance_step){ m->instance, m->primary, m->secondary };
    return true;
}

/* One step towards where the best state has instance 'i'. */
static bool
advance(struct dcp_balance_search *s, uint32_t i,
        struct dcp_balance_result *out)
{
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);
    uint32_t p = v->primary, q = v->secondary;
    uint32_t to = s->best[2 * i], to_second = s->best[2 * i + 1];
    const struct dcp_balance_move whole = { i, to, to_second };

    if (q == DCP_IX_NONE || p == to || q == to || p == to_second ||
        q == to_second) {
        return take_step(s, &whole, out);
    }
    const struct dcp_balance_move halves[] = {
        { i, p, to_second }, { i, to, q }, { i, to, p }, { i, q, to_second }
    };

    for (uint32_t k = 0; k < 4; k++) {
        if (take_step(s, &halves[k], out)) {
            return true;
        }
    }
    return false;
}

/* From the start to the best state by steps that have room; what waits for
 * itself in a circle stays at home. */
static bool
replay(struct dcp_balance_search *s, struct dcp_balance_result *out,
       struct dcp_error *err)
{
    bool progress = true;

    out->steps = calloc(2 * (size_t)s->n_instances + 1, sizeof *out->steps);
    if (!out->steps) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the steps");
    }
    for (uint32_t i = 0; i < s->n_instances; i++) {
        uint32_t q, p = dcp_balance_home(s->c, i, &q);

        go_to(s, i, p, q);
    }
    while (progress) {
        progress = false;
        for (uint32_t i = 0; i < s->n_instances; i++) {
            const struct dcp_balance_instance *v =
                dcp_balance_instance(s->c, i);

            if ((v->primary != s->best[2 * i] ||
                 v->secondary != s->best[2 * i + 1]) &&
                out->n_steps < s->limit && advance(s, i, out)) {
                progress = true;
            }
        }
    }
    s->score = dcp_balance_score(s->c);
    return true;
}

/* --- The whole ---------------------------------------------------------- */

static bool
prepare(struct dcp_balance_search *s)
{
    s->movable = calloc(s->n_instances + 1u, sizeof *s->movable);
    s->online = calloc(s->n_nodes + 1u, sizeof *s->online);
    s->moved = calloc(s->n_instances + 1u, sizeof *s->moved);
    s->moved_at = calloc(s->n_instances + 1u, sizeof *s->moved_at);
    s->gain = calloc(s->n_instances + 1u, sizeof *s->gain);
    s->best = calloc(2u * (size_t)s->n_instances + 1u, sizeof *s->best);
    if (!s->movable || !s->online || !s->moved || !s->moved_at || !s->gain ||
        !s->best) {
        return false;
    }
    for (uint32_t i = 0; i < s->n_instances; i++) {
        const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);

        s->moved_at[i] = DCP_IX_NONE;
        if (v->movable) {
            s->movable[s->n_movable++] = i;
        }
    }
    for (uint32_t n = 0; n < s->n_nodes; n++) {
        if (!dcp_balance_node(s->c, n)->offline) {
            s->online[s->n_online++] = n;
        }
    }
    s->score = dcp_balance_score(s->c);
    s->best_score = INFINITY;
    dcp_balance_keep_best(s);
    return true;
}

/* Annealing's share; the descents before and after it take what they need. */
static uint64_t
trials_for(const struct dcp_balance_search *s)
{
    uint64_t scan = dcp_balance_scan_size(s);

    if (s->limit == UINT32_MAX) {
        return s->limit_ms > 0 ? UINT64_MAX / 2
               : s->n_movable < TRIALS / TRIALS_EACH
                   ? (uint64_t)s->n_movable * TRIALS_EACH
                   : TRIALS;
    }
    uint64_t trials = s->limit < MOST_TRIALS / scan
                          ? s->limit * scan / SHARE_OF_SCANS
                          : MOST_TRIALS;

    return trials > LEAST_TRIALS ? trials : LEAST_TRIALS;
}

static void
first_descent(struct dcp_balance_search *s)
{
    uint64_t scan = dcp_balance_scan_size(s), most = s->o->trials;
    bool limited = s->limit != UINT32_MAX;

    dcp_balance_descend(s, most      ? most / 2
                           : limited ? UINT64_MAX / 2
                                     : 2 * scan);
}

static void
improve(struct dcp_balance_search *s)
{
    uint64_t scan = dcp_balance_scan_size(s), most = s->o->trials;
    bool limited = s->limit != UINT32_MAX;

    if (limited && s->used >= s->limit) {
        dcp_balance_exchange(s, most ? most / 4 : scan);
    }
    s->max_trials = most ? most : s->trials + trials_for(s);
    dcp_balance_anneal(s);
    if (limited && s->used >= s->limit && !most) {
        dcp_balance_exchange(s, scan);
    }
}

/* What the replay could not reach leaves steps to spend: the best ones. */
static void
complete(struct dcp_balance_search *s, struct dcp_balance_result *out)
{
    uint32_t room = s->limit == UINT32_MAX ? s->n_instances : s->limit;

    if (out->n_steps >= room || s->score <= s->best_score + LEAST_LOSS) {
        return;
    }
    room -= out->n_steps;
    s->trace = out->steps + out->n_steps;
    s->n_trace = 0;
    s->trace_room = 2 * s->n_instances - out->n_steps;
    s->limit = s->used + room;
    s->scanned = false;
    for (uint32_t k = 0; k < room && k < s->trace_room; k++) {
        dcp_balance_descend(s, 1);
        if (s->n_trace == k) {
            break;
        }
    }
    out->n_steps += s->n_trace;
    s->trace_room = 0;
}

/* The first descent was a way by itself; where it led further than the replay,
 * it is the answer. */
static void
prefer_descent(struct dcp_balance_search *s, uint32_t limit,
               const struct dcp_balance_step *descent, uint32_t n, double score,
               struct dcp_balance_result *out)
{
    if (n > limit || n > 2 * s->n_instances || score >= s->score - LEAST_LOSS) {
        return;
    }
    for (uint32_t i = 0; i < s->n_instances; i++) {
        uint32_t q, p = dcp_balance_home(s->c, i, &q);

        go_to(s, i, p, q);
    }
    for (uint32_t k = 0; k < n; k++) {
        go_to(s, descent[k].instance, descent[k].primary, descent[k].secondary);
        out->steps[k] = descent[k];
    }
    out->n_steps = n;
    s->score = dcp_balance_score(s->c);
}

static bool
run(struct dcp_balance_search *s, struct dcp_balance_result *out,
    struct dcp_error *err)
{
    uint32_t limit = s->limit, n_descent;
    struct dcp_balance_step *descent =
        calloc(2u * (size_t)s->n_instances + 1u, sizeof *descent);
    double score;
    bool ok;

    if (!descent) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the steps");
    }
    s->trace = descent;
    s->trace_room = 2 * s->n_instances;
    first_descent(s);
    n_descent = s->n_trace;
    score = s->score;
    s->trace_room = s->n_trace = 0;
    improve(s);
    ok = replay(s, out, err);
    if (ok) {
        complete(s, out);
        s->score = dcp_balance_score(s->c);
        prefer_descent(s, limit, descent, n_descent, score, out);
    }
    free(descent);
    return ok;
}

bool
dcp_balance_run(struct dcp_balance_cluster *c,
                const struct dcp_balance_options *o,
                struct dcp_balance_result *out, struct dcp_error *err)
{
    struct dcp_balance_search s = {
        .c = c,
        .o = o,
        .rng = dcp_rng_stream(o->seed, "balance", 0),
        .n_instances = dcp_balance_n_instances(c),
        .n_nodes = dcp_balance_n_nodes(c),
        .limit = o->max_steps ? o->max_steps : UINT32_MAX,
        .started_ms = monotonic_ms(),
        .limit_ms = (int64_t)(o->time_limit_s * 1000),
    };
    bool ok;

    *out = (struct dcp_balance_result){ 0 };
    ok = prepare(&s) || dcp_fail(err, DCP_E_NOMEM, "no memory for %u instances",
                                 s.n_instances);
    if (ok) {
        out->before = s.score;
        out->lower_bound = dcp_balance_bound(c, o->max_steps);
        ok = run(&s, out, err);
        out->after = s.score;
        out->trials = s.trials;
        out->out_of_time = s.out_of_time;
    }
    free(s.movable);
    free(s.online);
    free(s.moved);
    free(s.moved_at);
    free(s.gain);
    free(s.best);
    return ok;
}

void
dcp_balance_result_finish(struct dcp_balance_result *r)
{
    free(r->steps);
    r->steps = NULL;
    r->n_steps = 0;
}
