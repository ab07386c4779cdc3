/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/rules/waits.h"

#include <stdlib.h>
#include <string.h>

struct visit { /* Of a host that some VM came to or left. */
    uint32_t vm, step;
    uint32_t next; /* DCP_IX_NONE: the first one. */
};

struct dcp_rule_waits {
    const struct dcp_problem *p;
    const struct dcp_placement *from;
    struct dcp_sequences sequences;
    uint32_t *last_step;  /* By VM; 0: none yet. */
    uint32_t *bypass;     /* By VM: host it stepped aside to; DCP_IX_NONE. */
    uint32_t *chain;      /* By group: the last step that changed its number. */
    uint32_t *last_visit; /* By host, into 'visits'. */
    struct visit *visits;
    uint32_t n_visits;
    uint32_t *steps; /* The answer. */
    uint32_t n, capacity;
    bool failed;
};

struct dcp_rule_waits *
dcp_rule_waits_create(const struct dcp_problem *p,
                      const struct dcp_placement *from,
                      const struct dcp_move_order *order, struct dcp_error *err)
{
    struct dcp_rule_waits *w = calloc(1, sizeof *w);
    DCP_FREE uint8_t *moves = calloc(p->n_items + 1u, 1);
    uint32_t n_vms = p->n_items, n_hosts = p->n_hosts;

    if (w) {
        w->p = p;
        w->from = from;
        w->last_step = calloc(n_vms + 1u, sizeof *w->last_step);
        w->bypass = malloc((n_vms + 1u) * sizeof *w->bypass);
        w->chain = calloc(p->n_groups + 1u, sizeof *w->chain);
        w->last_visit = malloc((n_hosts + 1u) * sizeof *w->last_visit);
        w->visits = malloc((2 * (size_t)order->n + 1) * sizeof *w->visits);
    }
    if (!w || !moves || !w->last_step || !w->bypass || !w->chain ||
        !w->last_visit || !w->visits) {
        dcp_rule_waits_destroy(w);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u steps", order->n);
        return NULL;
    }
    memset(w->bypass, 0xff, n_vms * sizeof *w->bypass);
    memset(w->last_visit, 0xff, n_hosts * sizeof *w->last_visit);
    for (uint32_t i = 0; i < order->n; i++) {
        moves[order->moves[i].vm] = 1;
    }
    if (!dcp_sequences_init(&w->sequences, p->q->inventory, moves, NULL,
                            err)) {
        dcp_rule_waits_destroy(w);
        return NULL;
    }
    return w;
}

void
dcp_rule_waits_destroy(struct dcp_rule_waits *w)
{
    if (!w) {
        return;
    }
    dcp_sequences_finish(&w->sequences);
    free(w->last_step);
    free(w->bypass);
    free(w->chain);
    free(w->last_visit);
    free(w->visits);
    free(w->steps);
    free(w);
}

static void
wait_for(struct dcp_rule_waits *w, uint32_t step)
{
    if (!step || w->failed) {
        return;
    }
    if (w->n == w->capacity) {
        uint32_t capacity = w->capacity ? 2 * w->capacity : 64;
        uint32_t *more = realloc(w->steps, capacity * sizeof *more);

        if (!more) {
            w->failed = true;
            return;
        }
        w->steps = more;
        w->capacity = capacity;
    }
    w->steps[w->n++] = step;
}

static bool
in_domain(const struct dcp_group *g, uint32_t host, uint32_t d)
{
    return host != DCP_IX_NONE && g->domain_of_host[host] == d;
}

/* Members of the list (of other parts, where 'part' is one) that were in the
 * domain, at the start or to step aside, and have moved. */
static void
wait_for_members(struct dcp_rule_waits *w, const struct dcp_group *g,
                 const uint32_t *list, uint32_t n, uint32_t part, uint32_t vm,
                 uint32_t d)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t v = list[i];

        if (v != vm && (!g->part || g->part[i] != part) &&
            (in_domain(g, w->from->host[v].ix, d) ||
             in_domain(g, w->bypass[v], d))) {
            wait_for(w, w->last_step[v]);
        }
    }
}

static bool
changes(const struct dcp_group *g, const struct dcp_move *move)
{
    return move->from == DCP_IX_NONE ||
           g->domain_of_host[move->from] != g->domain_of_host[move->to];
}

static bool
is_always(const struct dcp_group *g)
{
    return g->rule->hold == DCP_HOLD_ALWAYS && !g->rule->soft;
}

static void
wait_for_group(struct dcp_rule_waits *w, uint32_t ref,
               const struct dcp_move *move)
{
    const struct dcp_problem *p = w->p;
    uint32_t ix = p->group_of[ref] & ~DCP_GROUP_OTHER;
    const struct dcp_group *g = &p->groups[ix];
    uint32_t d = g->domain_of_host[move->to];
    bool side_b = p->group_of[ref] & DCP_GROUP_OTHER;

    if (!is_always(g)) {
        return;
    }
    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
    case DCP_RULE_SPLIT:
        wait_for_members(w, g, g->items, g->n_items, p->group_part[ref],
                         move->vm, d);
        break;
    case DCP_RULE_SEPARATE:
        wait_for_members(w, g, side_b ? g->items : g->others,
                         side_b ? g->n_items : g->n_others, 0, move->vm, d);
        break;
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        if (changes(g, move)) {
            wait_for(w, w->chain[ix]);
        }
        break;
    case DCP_RULE_LONELY: /* By host, below: others wait for it as well. */
    case DCP_RULE_GATHER:
    case DCP_RULE_AMONG: /* Their VMs stay in their domain. */
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
    case DCP_RULE_ROOT:
    case DCP_RULE_QUARANTINE:
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
    case DCP_RULE_FREEZE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_SEQUENCE:
        break;
    }
}

static bool
is_member(const struct dcp_group *g, uint32_t vm)
{
    return dcp_ids_contain(&(struct dcp_ids){ g->items, g->n_items }, vm);
}

static void
wait_for_lonely(struct dcp_rule_waits *w, const struct dcp_move *move)
{
    const struct dcp_problem *p = w->p;

    for (uint32_t i = 0; i < p->n_lonely; i++) {
        const struct dcp_group *g = &p->groups[p->lonely[i]];
        bool mine = is_member(g, move->vm);

        for (uint32_t k = is_always(g) ? w->last_visit[move->to] : DCP_IX_NONE;
             k != DCP_IX_NONE; k = w->visits[k].next) {
            if (is_member(g, w->visits[k].vm) != mine) {
                wait_for(w, w->visits[k].step);
            }
        }
    }
}

bool
dcp_rule_waits_list(struct dcp_rule_waits *w, const struct dcp_move *move,
                    const uint32_t **out_steps, uint32_t *out_n)
{
    const struct dcp_problem *p = w->p;

    w->n = 0;
    for (uint32_t k = p->group_first[move->vm];
         k < p->group_first[move->vm + 1]; k++) {
        wait_for_group(w, k, move);
    }
    wait_for_lonely(w, move);
    for (uint32_t k = w->sequences.first ? w->sequences.first[move->vm] : 0;
         w->sequences.first && k < w->sequences.first[move->vm + 1]; k++) {
        wait_for(w, w->last_step[w->sequences.before[k]]);
    }
    *out_steps = w->steps;
    *out_n = w->n;
    return !w->failed;
}

static void
visit(struct dcp_rule_waits *w, uint32_t host, uint32_t vm, uint32_t step)
{
    w->visits[w->n_visits] = (struct visit){ vm, step, w->last_visit[host] };
    w->last_visit[host] = w->n_visits++;
}

void
dcp_rule_waits_note(struct dcp_rule_waits *w, const struct dcp_move *move,
                    uint32_t step)
{
    const struct dcp_problem *p = w->p;

    w->last_step[move->vm] = step;
    if (move->bypass) {
        w->bypass[move->vm] = move->to;
    }
    if (move->from != DCP_IX_NONE) {
        visit(w, move->from, move->vm, step);
    }
    visit(w, move->to, move->vm, step);
    for (uint32_t k = p->group_first[move->vm];
         k < p->group_first[move->vm + 1]; k++) {
        uint32_t ix = p->group_of[k] & ~DCP_GROUP_OTHER;

        if (changes(&p->groups[ix], move)) {
            w->chain[ix] = step;
        }
    }
}
