/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/program.h"

#define COLUMNS_MAX 500u
#define KINDS_MAX   250u
#define TRIES       48u /* Random hosts looked at for one more. */

static bool
chosen(const struct programs *g, uint32_t h)
{
    for (uint32_t j = 0; j < g->n_picks; j++) {
        for (uint32_t k = 0; k < g->pick[j].n_hosts; k++) {
            if (g->pick[j].host[k] == h) {
                return true;
            }
        }
    }
    return false;
}

static uint32_t
items_chosen(const struct programs *g)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->now->n_hosts; k++) {
        n += g->x->s->n_on_host[g->now->host[k]];
    }
    return n;
}

/* Whether the host may be one more: all that it holds may then move. */
static bool
may_choose(const struct programs *g, uint32_t h)
{
    if (h == DCP_IX_NONE) {
        return false;
    }
    uint32_t n = items_chosen(g) + g->x->s->n_on_host[h];
    uint32_t n_hosts = g->now->n_hosts;

    return !chosen(g, h) && n_hosts < DCP_PICK_HOSTS_MAX &&
           dcp_problem_may_hold(g->x->p, h) && n <= KINDS_MAX &&
           (n_hosts < 2 || n * (n_hosts + 1) <= COLUMNS_MAX) &&
           (!n_hosts ||
            g->x->bound->region[h] == g->x->bound->region[g->now->host[0]]);
}

static void
choose(struct programs *g, uint32_t h)
{
    if (may_choose(g, h)) {
        g->now->host[g->now->n_hosts++] = h;
    }
}

static double
licence_money(const struct dcp_state *s, uint32_t h)
{
    const struct dcp_pricing *g = s->p->pricing;
    double money = 0;

    for (uint32_t k = 0;
         dcp_pricing_counts_licences(s->p, 0) && k < g->n_licences; k++) {
        money += g->licence[k].unit_price *
                 s->objective->units[(size_t)k * s->p->n_hosts + h];
    }
    return money;
}

enum wish { ANY_HOST, LICENSED_HOST, PLAIN_HOST, OFF_HOST };

static bool
is_wished(const struct programs *g, uint32_t h, enum wish wish)
{
    const struct dcp_state *s = g->x->s;
    bool off = wish == OFF_HOST;

    return s->on[h] != off &&
           (off ? g->x->p->type_of_host[h] !=
                      g->x->p->type_of_host[g->now->host[0]]
                : s->n_on_host[h] > 0) &&
           (wish == ANY_HOST || off ||
            (licence_money(s, h) > 0) == (wish == LICENSED_HOST));
}

/* One more host at random: of two the one with more room. */
static void
choose_more(struct programs *g, enum wish wish)
{
    uint32_t best = DCP_IX_NONE, n = 0;

    for (uint32_t k = 0; k < TRIES && n < 2; k++) {
        uint32_t h = (uint32_t)dcp_rng_below(&g->rng, g->x->p->n_hosts);

        if (!is_wished(g, h, wish) || !may_choose(g, h)) {
            continue;
        }
        n++;
        if (best == DCP_IX_NONE ||
            dcp_search_fill(g->x, h) < dcp_search_fill(g->x, best)) {
            best = h;
        }
    }
    choose(g, best);
}

/* Hosts of items that rules tie to those of the first. */
static void
choose_tied(struct programs *g)
{
    const struct dcp_problem *p = g->x->p;
    const struct dcp_state *s = g->x->s;

    for (uint32_t i = s->first[g->now->host[0]]; i != DCP_IX_NONE;
         i = s->next[i]) {
        for (uint32_t j = p->group_first[i]; j < p->group_first[i + 1]; j++) {
            const struct dcp_group *group =
                &p->groups[p->group_of[j] & ~DCP_GROUP_OTHER];
            uint32_t other =
                group->items[dcp_rng_below(&g->rng, group->n_items)];

            choose(g, s->host[other]);
        }
    }
}

/* The one to empty or to free of licences: among the first third, those that
 * save most for what they hold. */
static uint32_t
worst_host(struct programs *g, bool licensed)
{
    struct search *x = g->x;
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        double money = licensed ? licence_money(x->s, h) : 0, size = 0;

        if (!x->s->on[h] || !x->s->n_on_host[h] || (licensed && money <= 0) ||
            !dcp_problem_may_hold(x->p, h) || chosen(g, h)) {
            continue;
        }
        for (uint32_t i = x->s->first[h]; i != DCP_IX_NONE; i = x->s->next[i]) {
            size += !licensed || dcp_pricing_item_is_covered(x->p, i)
                        ? x->p->size[i]
                        : 0;
        }
        g->ranks[n++] = (struct dcp_ranked_host){
            h, size / (licensed ? money : x->p->on_value[h] + 1e-12)
        };
    }
    dcp_search_sort_hosts(g->ranks, n);
    return n ? g->ranks[dcp_rng_below(&g->rng, n / 3 + 1)].host : DCP_IX_NONE;
}

void
dcp_search_pick_hosts(struct programs *g)
{
    bool licences = dcp_pricing_counts_licences(g->x->p, 0);
    bool licensed = licences && dcp_rng_below(&g->rng, 2);
    uint32_t like = (uint32_t)dcp_rng_below(&g->rng, 4);

    (void)dcp_search_value(g->x->s);
    choose(g, worst_host(g, licensed));
    if (!g->now->n_hosts) {
        return;
    }
    if (licensed) {
        choose_more(g, LICENSED_HOST);
        choose_more(g, LICENSED_HOST);
        choose_more(g, PLAIN_HOST);
    } else if (like == 0) {
        choose_tied(g);
    } else if (like == 1) {
        choose_more(g, ANY_HOST);
        choose_more(g, OFF_HOST);
    }
    for (uint32_t k = 0; k < DCP_PICK_HOSTS_MAX; k++) {
        choose_more(g, ANY_HOST);
    }
}
