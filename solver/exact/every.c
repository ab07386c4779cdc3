/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact/every.h"

#include "solver/compile/pricing.h"
#include "solver/headroom/headroom.h"
#include "solver/run/progress.h"
#include "solver/search/item_order.h"

#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX  16u
#define ITEMS_MAX  48u
#define CLOCK_MASK 63u /* The clock is asked now and then. */

struct every {
    const struct dcp_problem *p;
    struct dcp_state *s; /* With what is placed so far. */
    const struct dcp_every_limits *limits;
    uint32_t order[ITEMS_MAX], hosts[HOSTS_MAX], n_hosts;
    uint32_t budget;  /* Moves of the placements being tried. */
    uint32_t n_tried; /* Placements of one item. */
    uint32_t n_looks; /* Whether it is over. */
    bool prunes;      /* No rule looks at how even numbers are. */
    bool found, gave_up;
    struct dcp_error *err;
    bool ok;
};

bool
dcp_every_is_small(const struct dcp_problem *p)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint32_t n = 0;

    if (!p->q->fewest_moves || p->q->partial || p->n_power_rules || p->watts ||
        p->pools || p->n_items > ITEMS_MAX || p->n_hosts > HOSTS_MAX) {
        return false;
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (inv->rules[r].soft && !p->q->ignore_soft) {
            return false; /* Kept as if hard, or weighed. */
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n += dcp_problem_may_hold(p, h);
    }
    return n > 0;
}

static bool
survives(struct every *e)
{
    struct dcp_headroom h = { .ok = true };

    if (e->p->q->headroom) {
        e->n_tried += e->n_hosts;
        e->ok = dcp_headroom_check(e->s, NULL, NULL, &h, e->err);
        e->gave_up |= e->ok && !h.ok && h.is_unsure;
    }
    return e->ok && h.ok;
}

static bool
is_legal(struct every *e)
{
    for (uint32_t i = 0; i < e->p->n_items; i++) {
        if (!dcp_state_allowed(e->s, i, e->s->host[i])) {
            return false;
        }
    }
    return e->s->n_on >= e->p->q->inventory->policy.keep_on && survives(e);
}

static bool
is_over(struct every *e)
{
    bool late = !(e->n_looks++ & CLOCK_MASK) &&
                e->limits->deadline_ms != INT64_MAX &&
                dcp_monotonic_ms() >= e->limits->deadline_ms;

    e->gave_up |= late || e->n_tried >= e->limits->placements;
    return e->gave_up || e->found || !e->ok;
}

static void descend(struct every *e, uint32_t k, uint32_t moves);

/* The k-th item there, and all after it. */
static void
try_host(struct every *e, uint32_t k, uint32_t moves, uint32_t h)
{
    const struct dcp_problem *p = e->p;
    uint32_t item = e->order[k];
    uint32_t more = dcp_pricing_moves(p, item, h);

    if (moves + more > e->budget || is_over(e)) {
        return;
    }
    e->n_tried++;
    if (!dcp_problem_reaches(p, item, h) || !dcp_state_fits(e->s, item, h) ||
        (e->prunes && !dcp_state_allowed(e->s, item, h))) {
        return;
    }
    dcp_state_place(e->s, item, h);
    descend(e, k + 1, moves + more);
    if (!e->found) {
        dcp_state_remove(e->s, item);
    }
}

static void
descend(struct every *e, uint32_t k, uint32_t moves)
{
    if (k == e->p->n_items) {
        e->found = moves == e->budget && is_legal(e);
        return;
    }
    uint32_t home = e->p->start_host[e->order[k]];

    if (home != DCP_IX_NONE && dcp_problem_may_hold(e->p, home)) {
        try_host(e, k, moves, home);
    }
    for (uint32_t i = 0; i < e->n_hosts && !is_over(e); i++) {
        if (e->hosts[i] != home) {
            try_host(e, k, moves, e->hosts[i]);
        }
    }
}

/* All hosts on that may be, and nothing placed. */
static void
begin(struct every *e)
{
    const struct dcp_problem *p = e->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        e->order[i] = i;
        if (e->s->host[i] != DCP_IX_NONE) {
            dcp_state_remove(e->s, i);
        }
    }
    dcp_items_by_size(p, e->order, p->n_items);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_problem_may_hold(p, h)) {
            dcp_state_power(e->s, h, true);
            e->hosts[e->n_hosts++] = h;
        }
    }
    e->prunes = true;
    for (uint32_t k = 0; k < p->n_groups; k++) {
        e->prunes &= p->groups[k].rule->kind != DCP_RULE_MAX_SKEW;
    }
}

static void
sleep_again(struct every *e)
{
    const struct dcp_problem *p = e->p;

    for (uint32_t h = 0; e->ok && h < p->n_hosts; h++) {
        if (e->s->on[h] && !p->q->start->on[h] &&
            e->s->first[h] == DCP_IX_NONE) {
            dcp_state_power(e->s, h, false);
            if (e->s->n_on < p->q->inventory->policy.keep_on || !survives(e)) {
                dcp_state_power(e->s, h, true);
            }
        }
    }
}

bool
dcp_every_run(struct dcp_state *s, uint32_t least, uint32_t below,
              const struct dcp_every_limits *limits,
              struct dcp_every_answer *out, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    DCP_AUTO(dcp_state) struct dcp_state *c = dcp_state_create(p, err);
    struct every e = { .p = p,
                       .s = c,
                       .limits = limits,
                       .err = err,
                       .ok = c != NULL,
                       .budget = least };
    uint32_t n_vms = p->vm_first[p->n_items];
    uint32_t end = below <= n_vms ? below : n_vms + 1;

    *out = (struct dcp_every_answer){ .least = least };
    if (!c) {
        return false;
    }
    if (p->q->limits_moves && end > p->q->max_moves) {
        end = p->q->max_moves + 1;
    }
    dcp_state_assign(c, s);
    begin(&e);
    for (; e.budget < end; e.budget++) {
        descend(&e, 0, 0);
        out->least = e.budget;
        if (e.found || e.gave_up || !e.ok) {
            break;
        }
        out->least = e.budget + 1;
    }
    out->found = e.ok && e.found;
    out->infeasible = e.ok && out->least > n_vms;
    if (out->found) {
        sleep_again(&e);
        dcp_state_assign(s, c);
    }
    return e.ok;
}
