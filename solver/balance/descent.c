/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steepest descent over all instances and all steps that hbal knows: another
 * node (shared storage); or failover, a new secondary, and their combinations
 * (DRBD). */

#include "solver/balance/search_parts.h"

#include <math.h>

#define LEAST_GAIN 1e-9
#define SHARE      8 /* One in so many promises most. */

struct best {
    struct dcp_balance_move move;
    double score;
};

static void
look(struct dcp_balance_search *s, const struct dcp_balance_move *m,
     struct best *best)
{
    double score;

    if (s->limit != UINT32_MAX && dcp_balance_used_with(s, m) > s->limit) {
        return;
    }
    s->trials++;
    score = dcp_balance_try(s->c, m, 1);
    if (score < best->score - 1e-12 && dcp_balance_is_step(s->c, m)) {
        *best = (struct best){ *m, score };
    }
}

/* Every step of one instance. */
static void
look_at_instance(struct dcp_balance_search *s, uint32_t i, struct best *best)
{
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);
    uint32_t p = v->primary, q = v->secondary;

    if (q == DCP_IX_NONE) {
        for (uint32_t k = 0; k < s->n_online; k++) {
            const struct dcp_balance_move m = { i, s->online[k], q };

            if (m.primary != p) {
                look(s, &m, best);
            }
        }
        return;
    }
    const struct dcp_balance_move failover = { i, q, p };

    look(s, &failover, best);
    for (uint32_t k = 0; k < s->n_online; k++) {
        uint32_t n = s->online[k];
        const struct dcp_balance_move steps[4] = {
            { i, p, n }, { i, n, p }, { i, n, q }, { i, q, n }
        };

        for (uint32_t j = 0; j < 4 && n != p && n != q; j++) {
            look(s, &steps[j], best);
        }
    }
}

uint64_t
dcp_balance_scan_size(const struct dcp_balance_search *s)
{
    uint64_t n = 1;

    for (uint32_t k = 0; k < s->n_movable; k++) {
        n +=
            (dcp_balance_instance(s->c, s->movable[k])->secondary == DCP_IX_NONE
                 ? 1u
                 : 4u) *
            (uint64_t)s->n_online;
    }
    return n;
}

static void
look_again(struct dcp_balance_search *s, uint32_t i, struct best *best)
{
    struct best own = { { 0, 0, 0 }, s->score - LEAST_GAIN };

    look_at_instance(s, i, &own);
    s->gain[i] = s->score - own.score;
    if (own.score < best->score) {
        *best = own;
    }
}

/* The gain that the promising instances have at least: about an eighth of
 * all. */
static double
promise(const struct dcp_balance_search *s)
{
    double low = 0, high = 0;

    for (uint32_t k = 0; k < s->n_movable; k++) {
        high = fmax(high, s->gain[s->movable[k]]);
    }
    for (uint32_t round = 0; round < 12; round++) {
        double middle = (low + high) / 2;
        uint32_t n = 0;

        for (uint32_t k = 0; k < s->n_movable; k++) {
            n += s->gain[s->movable[k]] >= middle;
        }
        if (n > 16 && n > s->n_movable / SHARE) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* The best step of all instances, or of those that promise most. */
static struct best
find_best(struct dcp_balance_search *s, bool of_all)
{
    struct best best = { { 0, 0, 0 }, s->score - LEAST_GAIN };
    double least = of_all ? -1 : promise(s);

    for (uint32_t k = 0; k < s->n_movable; k++) {
        if (s->gain[s->movable[k]] >= least) {
            look_again(s, s->movable[k], &best);
        }
    }
    return best;
}

/* Where there is no more room the trace is of no use, and says so by one step
 * more than fits. */
static void
record(struct dcp_balance_search *s, const struct dcp_balance_move *m)
{
    if (s->n_trace < s->trace_room) {
        s->trace[s->n_trace] =
            (struct dcp_balance_step){ m->instance, m->primary, m->secondary };
    }
    s->n_trace += s->n_trace <= s->trace_room;
}

void
dcp_balance_descend(struct dcp_balance_search *s, uint64_t max_trials)
{
    uint64_t stop = s->trials + max_trials;
    bool of_all = !s->scanned;

    while (s->used < s->limit && s->trials < stop &&
           dcp_balance_elapsed_ms(s) >= 0 && !s->out_of_time) {
        struct best best = find_best(s, of_all);

        s->scanned = true;
        if (best.score < s->score - LEAST_GAIN) {
            dcp_balance_accept(s, &best.move, 1, best.score);
            record(s, &best.move);
            of_all = false;
        } else if (of_all) {
            break;
        } else {
            of_all = true;
        }
    }
    dcp_balance_keep_best(s);
}

void
dcp_balance_exchange(struct dcp_balance_search *s, uint64_t max_trials)
{
    uint64_t stop = s->trials + max_trials;
    uint32_t k = 0, idle = 0;

    while (s->n_moved > 0 && idle < s->n_moved && s->trials < stop &&
           dcp_balance_elapsed_ms(s) >= 0 && !s->out_of_time) {
        struct dcp_balance_move back = { s->moved[k++ % s->n_moved], 0, 0 };
        double before = s->score;

        back.primary = dcp_balance_home(s->c, back.instance, &back.secondary);
        double score = dcp_balance_try(s->c, &back, 1);

        idle++;
        if (!isfinite(score)) {
            continue;
        }
        dcp_balance_accept(s, &back, 1, score);
        dcp_balance_descend(s, 1);
        idle = s->score < before - LEAST_GAIN ? 0 : idle;
        if (s->score >
            before + LEAST_GAIN) { /* The undone step fits no more. */
            dcp_balance_restore_best(s);
        }
    }
    dcp_balance_restore_best(s);
}
