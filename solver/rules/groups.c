/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules that look at where others are.
 *
 * What counts as one violation of a soft rule, here and in docs/rules.md:
 * spread, each VM beyond the first of a domain; gather and among, each domain
 * beyond the first; separate, split and lonely, each domain that is mixed;
 * max_skew, each VM that the skew is above the limit; running_capacity, each VM
 * above it; capacity, once. */

#include "solver/rules/delta.h"
#include "solver/rules/tally.h"

static const struct dcp_group *
group_at(const struct dcp_state *s, uint32_t ref)
{
    return &s->p->groups[s->p->group_of[ref] & ~DCP_GROUP_OTHER];
}

/* --- Pairs -------------------------------------------------------------- */

bool
dcp_spread_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                   uint32_t host)
{
    return dcp_tally(s, ref, item, group_at(s, ref)->domain_of_host[host])
               .mine > 0;
}

int64_t
dcp_spread_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                  uint32_t host)
{
    uint64_t there =
        dcp_tally(s, ref, item, group_at(s, ref)->domain_of_host[host]).mine;

    return (int64_t)s->p->group_weight[ref] - (there ? 0 : 1);
}

bool
dcp_gather_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                   uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    uint32_t d = g->domain_of_host[host];

    return d >= g->n_domains || dcp_tally(s, ref, item, d).elsewhere > 0;
}

int64_t
dcp_gather_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                  uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    uint32_t d = g->domain_of_host[host];

    if (d >= g->n_domains) {
        return 0; /* Outside all sets, which is counted apart. */
    }
    struct dcp_tally t = dcp_tally(s, ref, item, d);

    return !t.mine && t.elsewhere;
}

/* Separate and split. */
bool
dcp_apart_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                  uint32_t host)
{
    return dcp_tally(s, ref, item, group_at(s, ref)->domain_of_host[host])
               .others > 0;
}

/* A domain turns mixed when the second part comes to it.  An item of several
 * parts (gathered across the rule) has a place in group_of for each; the first
 * of them answers for all. */
int64_t
dcp_apart_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                 uint32_t host)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_group *g = group_at(s, ref);
    uint32_t d = g->domain_of_host[host], n_parts = 0;
    uint32_t first = UINT32_MAX;
    struct dcp_tally t = dcp_tally(s, ref, item, d);

    for (uint32_t k = p->group_first[item]; k < p->group_first[item + 1]; k++) {
        if (group_at(s, k) == g) {
            first = first == UINT32_MAX ? k : first;
            n_parts++;
        }
    }
    if (first != ref) {
        return 0;
    }
    bool mixed = n_parts > 1 ? t.mine + t.others > 0 : t.others > 0;
    uint32_t n_before = 0; /* Parts there now, two at most counted. */

    for (uint32_t part = 0; part < g->n_parts && n_before < 2; part++) {
        uint64_t n = 0;
        const uint32_t *words = s->count[g - p->groups];

        if (words) {
            n = words[(size_t)part * g->n_domains + d];
        }
        for (uint32_t i = 0; !words && i < g->n_items; i++) {
            uint32_t at = s->host[g->items[i]];

            n += g->part[i] == part && at != DCP_IX_NONE &&
                 g->items[i] != item && g->domain_of_host[at] == d;
        }
        n_before += n > 0;
    }
    return (mixed || n_parts > 1) && n_before < 2;
}

/* --- Lonely ------------------------------------------------------------- */

/* A member: all others on the host are members as well. */
bool
dcp_lonely_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                   uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    uint32_t weight = s->p->group_weight[ref];
    bool there = s->host[item] == host;
    uint32_t others = s->n_on_host[host] - there;
    uint32_t members = s->count[g - s->p->groups][host] - (there ? weight : 0);

    return others != members || (others && weight > 1);
}

/* Members and strangers among the items on the host. */
static void
look_at_host(const struct dcp_state *s, const struct dcp_group *g,
             uint32_t host, bool *out_members, bool *out_strangers)
{
    struct dcp_ids members = { g->items, g->n_items };

    *out_members = *out_strangers = false;
    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        bool member = dcp_ids_contain(&members, i);

        for (uint32_t k = 0; member && k < g->n_items; k++) {
            *out_strangers |= g->items[k] == i && g->weight[k] > 1;
        }
        *out_members |= member;
        *out_strangers |= !member;
    }
}

int64_t
dcp_lonely_mixes(const struct dcp_state *s, const struct dcp_group *g,
                 uint32_t weight, uint32_t host)
{
    bool members, strangers;

    look_at_host(s, g, host, &members, &strangers);
    return !(members && strangers) && (members || weight > 0) &&
           (strangers || weight != 1);
}

int64_t
dcp_lonely_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                  uint32_t host)
{
    (void)item;
    return dcp_lonely_mixes(s, group_at(s, ref), s->p->group_weight[ref], host);
}

/* --- Who is in the way ---------------------------------------------------- */

bool
dcp_group_in_the_way(const struct dcp_state *s, const struct dcp_group *g,
                  uint32_t item, uint32_t other, uint32_t d)
{
    struct dcp_ids side_a = { g->items, g->n_items };
    struct dcp_ids side_b = { g->others, g->n_others };
    bool there = g->domain_of_host[s->host[other]] == d;

    switch (g->rule->kind) {
    case DCP_RULE_GATHER:
    case DCP_RULE_AMONG:
        return !there;
    case DCP_RULE_SEPARATE:
        return there && (dcp_ids_contain(&side_a, item)
                             ? dcp_ids_contain(&side_b, other)
                             : dcp_ids_contain(&side_a, other));
    case DCP_RULE_LONELY:
        return there && dcp_ids_contain(&side_a, item) !=
                            dcp_ids_contain(&side_a, other);
    case DCP_RULE_SPLIT:
        for (uint32_t i = 0, mine = UINT32_MAX; i < g->n_items; i++) {
            mine = g->items[i] == item ? g->part[i] : mine;
            if (i + 1 < g->n_items || !there) {
                continue;
            }
            for (uint32_t k = 0; k < g->n_items; k++) {
                if (g->items[k] == other && g->part[k] != mine) {
                    return true;
                }
            }
        }
        return false;
    case DCP_RULE_SPREAD:
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        return there && dcp_ids_contain(&side_a, other);
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
    return false;
}

/* --- Counts ------------------------------------------------------------- */

/* The skew once an item that has a place moves to domain 'd'. */
static uint32_t
skew_after(const struct dcp_group *g, const uint32_t *words, uint32_t from,
           uint32_t d, uint32_t weight)
{
    uint32_t least = UINT32_MAX, most = 0;

    for (uint32_t k = 0; k < g->n_domains; k++) {
        uint32_t n =
            words[k] + (k == d ? weight : 0) - (k == from ? weight : 0);

        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    return most - least;
}

bool
dcp_skew_worsens(const struct dcp_state *s, uint32_t ref, uint32_t item,
                 uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    const uint32_t *words = s->count[g - s->p->groups];
    uint32_t at = s->host[item];
    uint32_t now = skew_after(g, words, DCP_IX_NONE, DCP_IX_NONE, 0);
    uint32_t then =
        skew_after(g, words, at == DCP_IX_NONE ? at : g->domain_of_host[at],
                   g->domain_of_host[host], s->p->group_weight[ref]);

    return then > g->rule->limit && then > now;
}

/* One more than the limit allows is refused in the domain itself; once no
 * member is without a place, the skew as a whole has to be in order. */
bool
dcp_skew_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                 uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    const uint32_t *words = s->count[g - s->p->groups];
    uint32_t d = g->domain_of_host[host], at = s->host[item];
    uint32_t weight = s->p->group_weight[ref];

    if (at != DCP_IX_NONE && g->domain_of_host[at] == d) {
        struct dcp_skew now =
            dcp_tally_skew(g, words, d < g->n_domains ? d : 0, 0);

        return now.most - now.least > g->rule->limit;
    }
    if (at != DCP_IX_NONE) {
        return skew_after(g, words, g->domain_of_host[at], d, weight) >
               g->rule->limit;
    }
    bool last = dcp_tally_placed(g, words) + weight == g->total;

    if (d >= g->n_domains) { /* Outside the rule's hosts. */
        struct dcp_skew now = dcp_tally_skew(g, words, 0, 0);

        return last && now.most - now.least > g->rule->limit;
    }
    struct dcp_skew then = dcp_tally_skew(g, words, d, weight);

    return words[d] + weight - then.least > g->rule->limit ||
           (last && then.most - then.least > g->rule->limit);
}

static int64_t
excess(struct dcp_skew s, uint64_t limit)
{
    return s.most - s.least > limit ? (int64_t)(s.most - s.least - limit) : 0;
}

int64_t
dcp_skew_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    const uint32_t *words = s->count[g - s->p->groups];
    uint32_t d = g->domain_of_host[host];

    (void)item;
    if (d >= g->n_domains) {
        return 0;
    }
    return excess(dcp_tally_skew(g, words, d, s->p->group_weight[ref]),
                  g->rule->limit) -
           excess(dcp_tally_skew(g, words, d, 0), g->rule->limit);
}

/* The one domain of a limit: the hosts of its rule. */
bool
dcp_limit_objects(const struct dcp_state *s, uint32_t ref, uint32_t item,
                  uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);

    return g->domain_of_host[host] == 0 &&
           dcp_tally(s, ref, item, 0).mine + s->p->group_weight[ref] >
               g->rule->limit;
}

int64_t
dcp_limit_breaks(const struct dcp_state *s, uint32_t ref, uint32_t item,
                 uint32_t host)
{
    const struct dcp_group *g = group_at(s, ref);
    uint64_t limit = g->rule->limit;

    if (g->domain_of_host[host] != 0) {
        return 0;
    }
    uint64_t was = dcp_tally(s, ref, item, 0).mine;
    uint64_t is = was + s->p->group_weight[ref];

    if (g->rule->kind == DCP_RULE_CAPACITY) {
        return (is > limit) - (was > limit);
    }
    return (int64_t)((is > limit ? is - limit : 0) -
                     (was > limit ? was - limit : 0));
}
