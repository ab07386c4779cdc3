/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Priority rules, and a local search over orders from the best of them. */

#include "model/base/rng.h"
#include "solver/run/progress.h"
#include "solver/schedule/timetable_parts.h"

#include <stdlib.h>
#include <string.h>

enum rule {
    LISTED,
    LONGEST_PATH,
    BUSIEST_STOCK,
    LONGEST,
    SHORTEST,
    GIVERS,
    N_RULES
};

static const char *const rule_names[N_RULES] = {
    [LISTED] = "as listed",
    [LONGEST_PATH] = "longest path",
    [BUSIEST_STOCK] = "busiest stock",
    [LONGEST] = "longest first",
    [SHORTEST] = "shortest first",
    [GIVERS] = "room makers first",
};

struct solve {
    const struct dcp_timetable *t;
    struct dcp_timetable_run run;
    double *key, *best_key; /* [n_tasks] */
    int64_t *best_start;
    struct dcp_timetable_value best;
    bool best_reserving, any;
    int64_t bound;
    uint64_t orders;
    const char *rule;
};

static void
finish(struct solve *s)
{
    dcp_timetable_run_finish(&s->run);
    free(s->key);
    free(s->best_key);
    free(s->best_start);
}

static int
compare(const struct dcp_timetable_value *a,
        const struct dcp_timetable_value *b)
{
    if (a->n_stuck != b->n_stuck) {
        return a->n_stuck < b->n_stuck ? -1 : 1;
    }
    if (a->lateness != b->lateness) {
        return a->lateness < b->lateness ? -1 : 1;
    }
    if (a->makespan != b->makespan) {
        return a->makespan < b->makespan ? -1 : 1;
    }
    return (a->sum_of_ends > b->sum_of_ends) -
           (a->sum_of_ends < b->sum_of_ends);
}

/* Tries the keys; keeps what is at least as good (so that the search drifts
 * among equals).  True: kept. */
static bool
try_keys(struct solve *s, bool reserving, const char *rule)
{
    struct dcp_timetable_value v =
        dcp_timetable_run(&s->run, s->key, reserving);
    int c = s->any ? compare(&v, &s->best) : -1;
    size_t n = s->t->n_tasks;

    s->orders++;
    if (c > 0) {
        return false;
    }
    if (c < 0) {
        memcpy(s->best_start, s->run.start, n * sizeof *s->best_start);
        s->best = v;
        s->rule = rule;
        s->any = true;
    }
    memcpy(s->best_key, s->key, n * sizeof *s->best_key);
    s->best_reserving = reserving;
    return true;
}

/* Work on each stock that is held and given back, as a share of its room. */
static void
stock_work(const struct dcp_timetable *t, double work[])
{
    memset(work, 0, (size_t)t->n_stocks * sizeof *work);
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
            const struct dcp_effect *x = &t->effects[e];
            int64_t room = t->limit[x->stock] - t->level[x->stock];

            if (x->at_start > 0 && x->at_end < 0 && room > 0) {
                work[x->stock] +=
                    (double)x->at_start * (double)t->duration[i] / (double)room;
            }
        }
    }
}

/* The longest chain from each task's start to the end of all. */
static void
path_keys(const struct dcp_timetable *t, double key[])
{
    for (uint32_t o = t->n_tasks; o-- > 0;) {
        uint32_t i = t->order[o];
        double longest = 0;

        for (uint32_t k = t->follower_first[i]; k < t->follower_first[i + 1];
             k++) {
            double f = -key[t->followers[k]];

            longest = f > longest ? f : longest;
        }
        key[i] = -(longest + (double)t->duration[i]);
    }
}

static bool
fill_keys(const struct dcp_timetable *t, enum rule rule, double key[])
{
    double *work = NULL;

    if (rule == LONGEST_PATH || rule == BUSIEST_STOCK) {
        path_keys(t, key);
    }
    if (rule == BUSIEST_STOCK) {
        work = calloc((size_t)t->n_stocks + 1, sizeof *work);
        if (!work) {
            return false;
        }
        stock_work(t, work);
    }
    for (uint32_t i = 0; i < t->n_tasks; i++) {
        double d = (double)t->duration[i], most = 0, given = 0, taken = 0;

        for (uint32_t e = t->effect_first[i]; e < t->effect_first[i + 1]; e++) {
            const struct dcp_effect *x = &t->effects[e];

            if (work && x->at_start > 0 && work[x->stock] > most) {
                most = work[x->stock];
            }
            given += x->at_start <= 0 && x->at_end < 0;
            taken += x->at_start > 0 && x->at_end == 0 &&
                     t->level[x->stock] + x->at_start > t->limit[x->stock];
        }
        switch (rule) {
        case LISTED:
            key[i] = 0;
            break;
        case BUSIEST_STOCK:
            key[i] -= most;
            break;
        case LONGEST:
            key[i] = -d;
            break;
        case SHORTEST:
            key[i] = d;
            break;
        case GIVERS:
            key[i] = taken - given;
            break;
        case LONGEST_PATH:
        case N_RULES:
            break;
        }
        if (t->due[i] != INT64_MAX) {
            key[i] = (double)t->due[i] - 1e15; /* Earliest due date first. */
        }
    }
    free(work);
    return true;
}

static bool
is_done(const struct solve *s)
{
    return s->best.n_stuck == 0 && s->best.lateness == 0 &&
           s->best.makespan <= s->bound;
}

struct ranked {
    double key;
    uint32_t task;
};

static int
by_key(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->task > y->task) - (x->task < y->task);
}

/* Keys become ranks 0, 1, 2 ...: equal ones by id. */
static bool
to_ranks(uint32_t n, double key[])
{
    struct ranked *list = calloc((size_t)n + 1, sizeof *list);

    if (!list) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = (struct ranked){ key[i], i };
    }
    qsort(list, n, sizeof *list, by_key);
    for (uint32_t i = 0; i < n; i++) {
        key[list[i].task] = i;
    }
    free(list);
    return true;
}

/* Moves a few tasks in the order: mostly late ones forward, some anywhere. */
static void
perturb(struct solve *s, struct dcp_rng *rng)
{
    uint32_t n = s->t->n_tasks;
    uint32_t moves = 1 + (uint32_t)dcp_rng_below(rng, 3);

    memcpy(s->key, s->best_key, n * sizeof *s->key);
    for (uint32_t m = 0; m < moves; m++) {
        uint32_t i = (uint32_t)dcp_rng_below(rng, n);

        /* Of two, the one that ends later. */
        uint32_t j = (uint32_t)dcp_rng_below(rng, n);
        if (s->best_start[j] + s->t->duration[j] >
            s->best_start[i] + s->t->duration[i]) {
            i = j;
        }
        switch (dcp_rng_below(rng, 4)) {
        case 0: { /* Swap with another. */
            double k = s->key[i];

            j = (uint32_t)dcp_rng_below(rng, n);
            s->key[i] = s->key[j];
            s->key[j] = k;
            break;
        }
        case 1: /* Anywhere. */
            s->key[i] = dcp_rng_unit(rng) * (double)n;
            break;
        default: /* Earlier. */
            s->key[i] = dcp_rng_unit(rng) * s->key[i];
            break;
        }
    }
}

static bool
time_is_up(const struct dcp_timetable_options *o)
{
    return o->deadline_ms && dcp_monotonic_ms() >= o->deadline_ms;
}

static bool
search(struct solve *s, const struct dcp_timetable_options *o)
{
    uint32_t n = s->t->n_tasks;
    uint64_t size = (uint64_t)n + s->t->n_effects + s->t->n_stocks + 50;
    uint64_t n_orders = o->iterations ? o->iterations : 30000000 / size;
    struct dcp_rng rng = dcp_rng_stream(o->seed, "timetable", n);

    n_orders = !o->iterations && n_orders > 20000 ? 20000 : n_orders;
    if (n < 2 || !to_ranks(n, s->best_key)) {
        return n < 2;
    }
    for (uint64_t k = 0; k < n_orders && !is_done(s) && !time_is_up(o); k++) {
        perturb(s, &rng);
        bool reserving = dcp_rng_below(&rng, 8) == 0 ? !s->best_reserving
                                                     : s->best_reserving;

        (void)try_keys(s, reserving, "search");
    }
    return true;
}

static bool
solve(struct solve *s, const struct dcp_timetable_options *o)
{
    for (enum rule r = LISTED; r < N_RULES; r++) {
        if (!fill_keys(s->t, r, s->key)) {
            return false;
        }
        (void)try_keys(s, false, rule_names[r]);
        if (o->listed || (s->any && !s->best.n_stuck && time_is_up(o))) {
            return true;
        }
        if (!is_done(s)) {
            (void)try_keys(s, true, rule_names[r]);
        }
        if (is_done(s)) {
            return true;
        }
    }
    return search(s, o);
}

bool
dcp_timetable_solve(const struct dcp_timetable *t,
                    const struct dcp_timetable_options *o,
                    struct dcp_timetable_answer *out, struct dcp_error *err)
{
    size_t n = (size_t)t->n_tasks + 1;
    struct solve s = { .t = t, .rule = "none" };

    *out = (struct dcp_timetable_answer){ .rule = "none" };
    if (!dcp_timetable_bound(t, &s.bound, NULL, err)) {
        return false;
    }
    s.key = calloc(n, sizeof *s.key);
    s.best_key = calloc(n, sizeof *s.best_key);
    s.best_start = calloc(n, sizeof *s.best_start);
    if (!s.key || !s.best_key || !s.best_start ||
        !dcp_timetable_run_init(&s.run, t) || !solve(&s, o)) {
        finish(&s);
        return dcp_fail(err, DCP_E_NOMEM, "out of memory");
    }
    *out = (struct dcp_timetable_answer){
        .start = s.best_start,
        .makespan = s.best.makespan,
        .lateness = s.best.lateness,
        .sum_of_ends = s.best.sum_of_ends,
        .n_stuck = s.best.n_stuck,
        .orders = s.orders,
        .rule = s.rule,
    };
    s.best_start = NULL;
    finish(&s);
    return true;
}

void
dcp_timetable_answer_finish(struct dcp_timetable_answer *a)
{
    free(a->start);
    *a = (struct dcp_timetable_answer){ 0 };
}
