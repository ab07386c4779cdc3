/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Annealing.  The temperature falls by a fixed factor from the first trial to
 * the last (or over the time, whichever is further on).  Under a limit on
 * steps most proposals keep their number: a moved instance is sent elsewhere,
 * or goes home while another one moves. */

#include "solver/balance/search_parts.h"

#include <math.h>

#define FIRST_TEMPERATURE 0.02
#define COOLING           1e-5
#define LOOK_AT_CLOCK     1024u

static uint32_t
draw(struct dcp_balance_search *s, uint32_t n)
{
    /* The high half of a product: fast, and near enough to uniform. */
    return (uint32_t)(((dcp_rng_u64(&s->rng) >> 32) * n) >> 32);
}

/* A step of instance 'i', drawn from where it was at first (under a limit, so
 * that it stays one step) or is. */
static bool
draw_step(struct dcp_balance_search *s, uint32_t i, struct dcp_balance_move *m)
{
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);
    uint32_t p = v->primary, q = v->secondary;
    uint32_t n = s->online[draw(s, s->n_online)];

    if (s->limit != UINT32_MAX) {
        p = dcp_balance_home(s->c, i, &q);
    }
    *m = (struct dcp_balance_move){ i, n, q };
    if (q != DCP_IX_NONE) {
        switch (draw(s, 5)) {
        case 0:
            *m = (struct dcp_balance_move){ i, q, p };
            break;
        case 1:
            *m = (struct dcp_balance_move){ i, p, n };
            break;
        case 2:
            *m = (struct dcp_balance_move){ i, n, p };
            break;
        case 3:
            *m = (struct dcp_balance_move){ i, n, q };
            break;
        default:
            *m = (struct dcp_balance_move){ i, q, n };
            break;
        }
        if (n == p || n == q) {
            *m = (struct dcp_balance_move){ i, q, p };
        }
    }
    return m->primary != v->primary || m->secondary != v->secondary;
}

/* Two instances change places: of their primaries, or their secondaries. */
static bool
draw_exchange(struct dcp_balance_search *s, struct dcp_balance_move m[2])
{
    uint32_t i = s->movable[draw(s, s->n_movable)];
    uint32_t j = s->limit != UINT32_MAX && s->n_moved > 0
                     ? s->moved[draw(s, s->n_moved)]
                     : s->movable[draw(s, s->n_movable)];
    const struct dcp_balance_instance *a = dcp_balance_instance(s->c, i);
    const struct dcp_balance_instance *b = dcp_balance_instance(s->c, j);

    if (i == j) {
        return false;
    }
    m[0] = (struct dcp_balance_move){ i, b->primary, a->secondary };
    m[1] = (struct dcp_balance_move){ j, a->primary, b->secondary };
    if (a->secondary != DCP_IX_NONE && b->secondary != DCP_IX_NONE &&
        draw(s, 2)) {
        m[0] = (struct dcp_balance_move){ i, a->primary, b->secondary };
        m[1] = (struct dcp_balance_move){ j, b->primary, a->secondary };
    }
    return m[0].primary != m[0].secondary && m[1].primary != m[1].secondary &&
           (m[0].primary != a->primary || m[0].secondary != a->secondary);
}

/* One goes home, another moves: mostly from the same node to the same. */
static bool
draw_replacement(struct dcp_balance_search *s, struct dcp_balance_move m[2])
{
    if (s->n_moved == 0) {
        return false;
    }
    uint32_t i = s->moved[draw(s, s->n_moved)];
    uint32_t j = s->movable[draw(s, s->n_movable)];
    const struct dcp_balance_instance *v = dcp_balance_instance(s->c, i);

    m[0].instance = i;
    m[0].primary = dcp_balance_home(s->c, i, &m[0].secondary);
    if (i == j) {
        return false;
    }
    const struct dcp_balance_instance *w = dcp_balance_instance(s->c, j);

    if (w->secondary == DCP_IX_NONE && draw(s, 4)) {
        m[1] = (struct dcp_balance_move){ j, v->primary, DCP_IX_NONE };
        return w->primary != v->primary;
    }
    return draw_step(s, j, &m[1]);
}

static uint32_t
propose(struct dcp_balance_search *s, struct dcp_balance_move m[2])
{
    uint32_t kind = draw(s, 4);

    if (s->limit == UINT32_MAX) {
        return kind < 2 ? (uint32_t)draw_step(
                              s, s->movable[draw(s, s->n_movable)], &m[0])
                        : 2 * (uint32_t)draw_exchange(s, m);
    }
    if (kind == 0 && s->n_moved > 0) {
        return draw_step(s, s->moved[draw(s, s->n_moved)], &m[0]);
    }
    if (kind <= 1 && s->used < s->limit) {
        return draw_step(s, s->movable[draw(s, s->n_movable)], &m[0]);
    }
    return 2 *
           (uint32_t)(kind == 1 ? draw_exchange(s, m) : draw_replacement(s, m));
}

static bool
within_limit(const struct dcp_balance_search *s,
             const struct dcp_balance_move m[2], uint32_t n)
{
    uint32_t used;

    if (s->limit == UINT32_MAX) {
        return true;
    }
    used = dcp_balance_used_with(s, &m[0]);
    if (n == 2) {
        used += dcp_balance_used_with(s, &m[1]) - s->used;
    }
    return used <= s->limit;
}

/* Under a limit each instance takes one step from home, and some steps lead
 * over the old secondary, which must have room for it on the way. */
static bool
has_way(const struct dcp_balance_search *s, const struct dcp_balance_move *m)
{
    uint32_t q, p = dcp_balance_home(s->c, m->instance, &q);
    const struct dcp_balance_move way = { m->instance, q, p };

    if (s->limit == UINT32_MAX || q == DCP_IX_NONE || m->primary == p ||
        m->secondary == p) {
        return true;
    }
    return isfinite(dcp_balance_try(s->c, &way, 1));
}

void
dcp_balance_anneal(struct dcp_balance_search *s)
{
    double temperature = FIRST_TEMPERATURE, span;
    uint64_t first = s->trials;

    if (s->max_trials <= s->trials || s->n_movable == 0 || s->n_online < 2) {
        return;
    }
    span = (double)(s->max_trials - first);
    while (s->trials < s->max_trials && !s->out_of_time) {
        struct dcp_balance_move m[2];

        if (s->trials++ % LOOK_AT_CLOCK == 0) {
            double at = (double)(s->trials - first) / span;

            if (s->limit_ms > 0) {
                at = fmax(at, (double)dcp_balance_elapsed_ms(s) /
                                  (double)s->limit_ms);
            }
            temperature = FIRST_TEMPERATURE * pow(COOLING, fmin(at, 1));
        }
        uint32_t n = propose(s, m);

        if (n == 0 || !within_limit(s, m, n)) {
            continue;
        }
        double score = dcp_balance_try(s->c, m, n);

        if (score <= s->score ||
            (isfinite(score) &&
             exp((s->score - score) / temperature) > dcp_rng_unit(&s->rng))) {
            if (!has_way(s, &m[0]) || (n == 2 && !has_way(s, &m[1]))) {
                continue;
            }
            dcp_balance_accept(s, m, n, score);
            if (s->score < s->best_score - 1e-10) {
                dcp_balance_keep_best(s);
            }
        }
    }
    dcp_balance_restore_best(s);
}
