/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/balance/even_parts.h"

#include <math.h>

#define COOLING       1e-4
#define LOOK_AT_CLOCK 256u
#define PRICES        0.05 /* Of a move, that heat may pay. */

struct proposal {
    uint32_t item, to, other; /* 'other' DCP_IX_NONE: a move alone. */
    uint32_t home;            /* An item that goes home before; or none. */
};

static uint32_t
draw(struct even *x, uint32_t n)
{
    return (uint32_t)dcp_rng_below(&x->rng, n);
}

static uint32_t
draw_item(struct even *x)
{
    return x->items[draw(x, x->n_items)];
}

/* A move or an exchange; under a limit also: one goes home, another moves. */
static bool
propose(struct even *x, struct proposal *out)
{
    uint32_t kind = draw(x, 4);

    *out = (struct proposal){ draw_item(x), x->hosts[draw(x, x->n_hosts)],
                              DCP_IX_NONE, DCP_IX_NONE };
    if (x->limit.n_moved != UINT32_MAX && x->n_moved_items > 0) {
        uint32_t moved = x->moved[draw(x, x->n_moved_items)];

        if (kind == 0) {
            out->item = moved;
        } else if (kind == 1 && x->away.n_moved >= x->limit.n_moved) {
            kind = 3;
        }
        if (kind == 3 && moved != out->item) {
            out->home = moved;
            out->to = draw(x, 2) ? x->s->host[moved] : out->to;
        }
    }
    if (kind == 2) {
        out->other = draw_item(x);
        out->to = x->s->host[out->other];
    }
    return out->to != x->s->host[out->item] &&
           dcp_problem_reaches(x->p, out->item, out->to) &&
           (out->other == DCP_IX_NONE ||
            dcp_problem_reaches(x->p, out->other, x->s->host[out->item]));
}

static bool
takes(struct even *x, double cost, double temperature)
{
    double change = cost - dcp_even_cost(x);

    return change <= 0 || exp(-change / temperature) > dcp_rng_unit(&x->rng);
}

static void
try_one(struct even *x, const struct proposal *m, double temperature)
{
    struct even_away away = dcp_even_away_with(x, m->item, m->to, m->other);

    if (!dcp_even_is_within(x, away) ||
        !takes(x,
               dcp_evenness_try(&x->e, m->item, m->to, m->other) +
                   dcp_even_toll(x, away),
               temperature) ||
        !dcp_even_is_legal(x, m->item, m->to, m->other)) {
        return;
    }
    dcp_even_go(x, m->item, m->to, m->other);
}

/* One goes home first; if the whole is not taken, it comes back. */
static void
try_replacement(struct even *x, const struct proposal *m, double temperature)
{
    uint32_t from = x->s->host[m->home];
    uint32_t home = x->p->start_host[m->home];
    double before = dcp_even_cost(x);

    if (home == DCP_IX_NONE || !x->e.counts[home] ||
        !dcp_even_is_legal(x, m->home, home, DCP_IX_NONE)) {
        return;
    }
    dcp_even_go(x, m->home, home, DCP_IX_NONE);

    struct even_away away = dcp_even_away_with(x, m->item, m->to, DCP_IX_NONE);
    double cost = dcp_evenness_try(&x->e, m->item, m->to, DCP_IX_NONE) +
                  dcp_even_toll(x, away);

    if (dcp_even_is_within(x, away) &&
        (cost <= before ||
         exp((before - cost) / temperature) > dcp_rng_unit(&x->rng)) &&
        dcp_even_is_legal(x, m->item, m->to, DCP_IX_NONE)) {
        dcp_even_go(x, m->item, m->to, DCP_IX_NONE);
    } else {
        dcp_even_go(x, m->home, from, DCP_IX_NONE);
    }
}

void
dcp_even_anneal(struct even *x, uint64_t trials)
{
    /* A copy costs all items: on large models not after each change. */
    uint64_t every = 1 + x->p->n_items / 1000;
    double first, temperature;

    if (x->n_items == 0 || x->n_hosts < 2) {
        return;
    }
    /* Hot enough to leave a valley; but where any number of VMs may move, not
     * so hot that they all do: a move's price decides. */
    first = 0.5 * x->value / x->n_hosts;
    if (x->limit.n_moved == UINT32_MAX && x->per_move > 0) {
        first = fmin(first, PRICES * x->per_move);
    }
    temperature = first;
    for (uint64_t k = 0; k < trials && temperature > 0; k++) {
        struct proposal m;

        if (k % LOOK_AT_CLOCK == 0) {
            if (dcp_even_time_is_up(x)) {
                break;
            }
            temperature = first * pow(COOLING, (double)k / (double)trials);
        }
        x->trials++;
        if (!propose(x, &m)) {
            continue;
        }
        if (m.home != DCP_IX_NONE && m.other == DCP_IX_NONE) {
            try_replacement(x, &m, temperature);
        } else {
            try_one(x, &m, temperature);
        }
        if (k % every == 0) {
            dcp_even_keep_best(x);
        }
    }
    dcp_even_keep_best(x);
}
