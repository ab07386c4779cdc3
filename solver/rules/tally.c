/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/rules/tally.h"

#include <string.h>

#define LARGE_GROUP 48u

static size_t
rows_of(const struct dcp_group *g)
{
    return g->n_parts > 1 ? g->n_parts + 1u : 1u;
}

static size_t
tail_of(const struct dcp_group *g)
{
    return rows_of(g) * g->n_domains;
}

uint64_t
dcp_tally_words(const struct dcp_group *g)
{
    bool list = false;

    switch (g->rule->kind) {
    case DCP_RULE_SPREAD:
    case DCP_RULE_GATHER:
    case DCP_RULE_AMONG:
    case DCP_RULE_SPLIT:
        list = g->n_items <= LARGE_GROUP;
        break;
    case DCP_RULE_SEPARATE:
    case DCP_RULE_LONELY:
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
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
    return list ? 0
                : tail_of(g) + 4 +
                      (g->rule->kind == DCP_RULE_MAX_SKEW ? g->total + 1 : 0);
}

void
dcp_tally_clear(const struct dcp_group *g, uint32_t words[])
{
    memset(words, 0, g->n_words * sizeof *words);
    if (g->rule->kind == DCP_RULE_MAX_SKEW) {
        words[tail_of(g) + 4] = g->n_domains; /* So many have none. */
    }
}

/* The least and the most follow the counts step by step: a count moves by the
 * weight of one item, and so do they at most. */
static void
move_skew(const struct dcp_group *g, uint32_t words[], uint32_t from,
          uint32_t to)
{
    uint32_t *least = &words[tail_of(g) + 2], *most = least + 1;
    uint32_t *domains_with = most + 1;

    domains_with[from]--;
    domains_with[to]++;
    *least = to < *least ? to : *least;
    *most = to > *most ? to : *most;
    while (!domains_with[*least]) {
        ++*least;
    }
    while (!domains_with[*most]) {
        --*most;
    }
}

void
dcp_tally_count(const struct dcp_group *g, uint32_t words[], uint32_t part,
                uint32_t domain, uint32_t weight, bool add)
{
    uint32_t *placed = &words[tail_of(g)], *anywhere = placed + 1;

    *anywhere = add ? *anywhere + weight : *anywhere - weight;
    if (domain >= g->n_domains) {
        return;
    }
    uint32_t *at = &words[(size_t)part * g->n_domains + domain];
    uint32_t *sum = g->n_parts > 1
                        ? &words[(size_t)g->n_parts * g->n_domains + domain]
                        : at;
    uint32_t old = *at;

    *at = add ? old + weight : old - weight;
    if (sum != at) {
        *sum = add ? *sum + weight : *sum - weight;
    }
    *placed = add ? *placed + weight : *placed - weight;
    if (g->rule->kind == DCP_RULE_MAX_SKEW) {
        move_skew(g, words, old, *at);
    }
}

struct dcp_skew
dcp_tally_skew(const struct dcp_group *g, const uint32_t words[],
               uint32_t domain, uint32_t weight)
{
    const uint32_t *tail = &words[tail_of(g)], *domains_with = tail + 4;
    uint32_t old = words[domain], now = old + weight;
    struct dcp_skew s = { tail[2], tail[3] };

    if (old == s.least && domains_with[old] == 1 && weight) {
        do {
            s.least++;
        } while (s.least < now && !domains_with[s.least]);
    }
    s.most = now > s.most ? now : s.most;
    return s;
}

/* --- Short lists -------------------------------------------------------- */

static struct dcp_tally
look_up(const struct dcp_state *s, const struct dcp_group *g, uint32_t part,
        uint32_t item, uint32_t domain)
{
    struct dcp_tally t = { 0 };

    for (uint32_t i = 0; i < g->n_items; i++) {
        uint32_t host = s->host[g->items[i]];

        if (g->items[i] == item || host == DCP_IX_NONE) {
            continue;
        }
        bool mine = !g->part || g->part[i] == part;

        if (g->domain_of_host[host] == domain) {
            *(mine ? &t.mine : &t.others) += g->weight[i];
        } else if (mine && g->domain_of_host[host] < g->n_domains) {
            t.elsewhere += g->weight[i];
        }
    }
    return t;
}

struct dcp_tally
dcp_tally(const struct dcp_state *s, uint32_t ref, uint32_t item,
          uint32_t domain)
{
    const struct dcp_problem *p = s->p;
    uint32_t ix = p->group_of[ref] & ~DCP_GROUP_OTHER;
    const struct dcp_group *g = &p->groups[ix];
    const uint32_t *words = s->count[ix];
    uint32_t part = p->group_part[ref], at = s->host[item];

    if (!words) {
        return look_up(s, g, part, item, domain);
    }
    uint64_t mine = words[(size_t)part * g->n_domains + domain];
    uint64_t all = words[(rows_of(g) - 1) * g->n_domains + domain];
    uint64_t placed = words[tail_of(g)];

    /* What the item itself has there does not count, of any part. */
    for (uint32_t k = p->group_first[item];
         at != DCP_IX_NONE && k < p->group_first[item + 1]; k++) {
        if ((p->group_of[k] & ~DCP_GROUP_OTHER) != ix) {
            continue;
        }
        uint32_t d = g->domain_of_host[at];

        placed -= d < g->n_domains ? p->group_weight[k] : 0;
        if (d == domain) {
            all -= p->group_weight[k];
            mine -= p->group_part[k] == part ? p->group_weight[k] : 0;
        }
    }
    return (struct dcp_tally){ mine, all - mine, placed - all };
}
