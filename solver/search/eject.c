/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/search/eject.h"

#include "solver/rules/delta.h"
#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>

bool
dcp_homeless_init(struct dcp_homeless *g, const struct dcp_problem *p,
                  struct dcp_error *err)
{
    size_t n = p->n_items + 1u;

    *g = (struct dcp_homeless){
        .p = p,
        .keep = DCP_IX_NONE,
        .item = malloc(n * sizeof *g->item),
        .penalty = malloc(n * sizeof *g->penalty),
        .cost = malloc(n * sizeof *g->cost),
        .hosts = malloc((p->n_hosts + 1u) * sizeof *g->hosts),
        .way = { malloc(n * sizeof **g->way), malloc(n * sizeof **g->way) },
        .ranks = malloc(n * sizeof *g->ranks),
    };
    if (!g->item || !g->penalty || !g->cost || !g->hosts || !g->way[0] ||
        !g->way[1] || !g->ranks) {
        dcp_homeless_finish(g);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for an ejection pool");
    }
    dcp_homeless_clear(g);
    return true;
}

void
dcp_homeless_finish(struct dcp_homeless *g)
{
    free(g->item);
    free(g->penalty);
    free(g->cost);
    free(g->hosts);
    free(g->way[0]);
    free(g->way[1]);
    free(g->ranks);
    *g = (struct dcp_homeless){ 0 };
}

void
dcp_homeless_set_penalty(struct dcp_homeless *g, uint32_t item,
                         uint32_t penalty)
{
    g->penalty[item] = penalty;
    g->cost[item] = penalty * g->p->size[item] * g->p->size[item] + 1e-12;
}

void
dcp_homeless_clear(struct dcp_homeless *g)
{
    g->n = 0;
    for (uint32_t i = 0; i < g->p->n_items; i++) {
        dcp_homeless_set_penalty(g, i, 1);
    }
}

/* --- The heap ----------------------------------------------------------- */

static void
swap_u32(uint32_t *a, uint32_t *b)
{
    uint32_t t = *a;

    *a = *b;
    *b = t;
}

void
dcp_homeless_add(struct dcp_homeless *g, uint32_t item)
{
    uint32_t k = g->n++;

    g->item[k] = item;
    for (; k && dcp_item_is_larger(g->p, g->item[k], g->item[(k - 1) / 2]);
         k = (k - 1) / 2) {
        swap_u32(&g->item[k], &g->item[(k - 1) / 2]);
    }
}

static uint32_t
take_largest(struct dcp_homeless *g)
{
    uint32_t largest = g->item[0], k = 0;

    g->item[0] = g->item[--g->n];
    for (;;) {
        uint32_t child = 2 * k + 1;

        if (child + 1 < g->n &&
            dcp_item_is_larger(g->p, g->item[child + 1], g->item[child])) {
            child++;
        }
        if (child >= g->n ||
            !dcp_item_is_larger(g->p, g->item[child], g->item[k])) {
            return largest;
        }
        swap_u32(&g->item[k], &g->item[child]);
        k = child;
    }
}

/* --- What is in the way ------------------------------------------------- */

static double
cost_of(const struct dcp_homeless *g, uint32_t item)
{
    return item == g->keep ? INFINITY : g->cost[item];
}

/* A host on which an item is to have room, to be put there or to restart there
 * after a loss, and what leaves it for that. */
struct way {
    struct dcp_homeless *g;
    struct dcp_state *s;
    uint32_t item, host;
    bool restart;
    uint32_t *list, n;
    double cost, limit; /* What costs as much is of no use. */
};

static bool
fits(const struct way *w)
{
    return w->restart ? dcp_state_fits_full(w->s, w->item, w->host)
                      : dcp_state_fits(w->s, w->item, w->host);
}

static void
take_off(struct way *w, uint32_t other)
{
    dcp_state_remove(w->s, other);
    w->list[w->n++] = other;
    w->cost += cost_of(w->g, other);
}

static void
put_back(struct way *w, uint32_t n)
{
    while (w->n > n) {
        uint32_t other = w->list[--w->n];

        dcp_state_place(w->s, other, w->host);
        w->cost -= cost_of(w->g, other);
    }
}

/* Takes off, member by member, what rules set against the item; false: that
 * does not help. */
static bool
clear_rules(struct way *w)
{
    const struct dcp_group *group;

    while ((group =
                dcp_state_blocking_group(w->s, w->item, w->host, w->restart))) {
        bool found = false;

        for (uint32_t other = w->s->first[w->host];
             other != DCP_IX_NONE && w->cost < w->limit;) {
            uint32_t next = w->s->next[other];

            if (dcp_group_in_the_way(w->s, group, w->item, other,
                                     group->domain_of_host[w->host])) {
                take_off(w, other);
                found = true;
                if (dcp_state_blocking_group(w->s, w->item, w->host,
                                             w->restart) != group) {
                    break;
                }
            }
            other = next;
        }
        if (!found || w->cost >= w->limit) {
            return false;
        }
    }
    return true;
}

static bool
is_cheaper(const struct dcp_homeless_rank *a, const struct dcp_homeless_rank *b)
{
    /* No branch: it would be taken at random. */
    return (a->cost < b->cost) | ((a->cost == b->cost) & (a->item < b->item));
}

static void
sift_down(struct dcp_homeless_rank *heap, uint32_t n, uint32_t k)
{
    struct dcp_homeless_rank down = heap[k];

    for (uint32_t child; (child = 2 * k + 1) < n; k = child) {
        child += child + 1 < n && is_cheaper(&heap[child + 1], &heap[child]);
        if (!is_cheaper(&heap[child], &down)) {
            break;
        }
        heap[k] = heap[child];
    }
    heap[k] = down;
}

/* Takes the first of 'n'. The free place goes down to a leaf, where what was
 * last nearly always belongs (Wegener, *Bottom-up heapsort*, Theoretical
 * Computer Science 118, 1993). */
static struct dcp_homeless_rank
take_cheapest(struct dcp_homeless_rank *heap, uint32_t n)
{
    struct dcp_homeless_rank first = heap[0], last = heap[n - 1];
    uint32_t k = 0;

    for (uint32_t child; (child = 2 * k + 1) < n - 1; k = child) {
        child +=
            child + 1 < n - 1 && is_cheaper(&heap[child + 1], &heap[child]);
        heap[k] = heap[child];
    }
    for (; k && is_cheaper(&last, &heap[(k - 1) / 2]); k = (k - 1) / 2) {
        heap[k] = heap[(k - 1) / 2];
    }
    heap[k] = last;
    return first;
}

/* The items of the host that may leave it, in the order of its list. */
static uint32_t
rank_items(const struct way *w)
{
    struct dcp_homeless_rank *rank = w->g->ranks;
    uint32_t n = 0;

    for (uint32_t i = w->s->first[w->host]; i != DCP_IX_NONE;
         i = w->s->next[i]) {
        if (i != w->g->keep) {
            rank[n++] = (struct dcp_homeless_rank){ i, w->g->cost[i] };
        }
    }
    return n;
}

/* The one item whose leaving makes room at the least cost. */
static uint32_t
one_in_the_way(struct way *w, uint32_t n, double *out_cost)
{
    const struct dcp_problem *p = w->g->p;
    const struct dcp_homeless_rank *rank = w->g->ranks;
    const uint32_t *cap = w->restart ? p->full : p->cap;
    uint32_t best = DCP_IX_NONE, used = w->s->used[w->host];
    uint32_t room = cap[w->host] > used ? cap[w->host] - used : 0;
    uint32_t need = dcp_problem_request(p, w->item, w->host, 0);

    *out_cost = w->limit - w->cost;
    for (uint32_t k = 0; k < n; k++) {
        if (rank[k].cost < *out_cost &&
            room + dcp_problem_request(p, rank[k].item, w->host, 0) >= need &&
            dcp_state_fits_instead(w->s, w->item, rank[k].item, w->restart)) {
            best = rank[k].item;
            *out_cost = rank[k].cost;
        }
    }
    return best;
}

/* The cheapest items one after the other until there is room, and back with
 * each that need not have gone; false: at 'most' or above. */
static bool
many_in_the_way(struct way *w, uint32_t n, double most)
{
    struct dcp_homeless_rank *heap = w->g->ranks;
    uint32_t first = w->n;

    for (uint32_t k = n / 2; k-- > 0;) {
        sift_down(heap, n, k);
    }
    while (n && !fits(w)) {
        if (w->cost >= most) {
            return false;
        }
        take_off(w, take_cheapest(heap, n--).item);
    }
    if (!fits(w)) {
        return false;
    }
    for (uint32_t k = w->n; k-- > first;) {
        uint32_t other = w->list[k];

        dcp_state_place(w->s, other, w->host);
        if (!fits(w) ||
            dcp_state_blocking_group(w->s, w->item, w->host, w->restart)) {
            dcp_state_remove(w->s, other);
        } else {
            w->cost -= cost_of(w->g, other);
            w->list[k] = w->list[--w->n];
        }
    }
    return w->cost < most;
}

/* Lists what must leave the host for the item; false: nothing helps below the
 * limit.  The state is as before. */
static bool
find_way(struct way *w)
{
    bool ok = clear_rules(w) && w->cost < w->limit;
    double units;

    if (ok && !fits(w)) {
        uint32_t before = w->n, n = rank_items(w);
        double one_costs;
        uint32_t one = one_in_the_way(w, n, &one_costs);

        ok = many_in_the_way(w, n, w->cost + one_costs);
        if (!ok && one != DCP_IX_NONE) {
            put_back(w, before);
            take_off(w, one);
            ok = true;
        }
    }
    ok = ok && (w->restart ||
                !dcp_state_short_licence(w->s, w->item, w->host, &units));
    for (uint32_t k = w->n; k-- > 0;) {
        dcp_state_place(w->s, w->list[k], w->host);
    }
    return ok;
}

/* --- Placing ------------------------------------------------------------ */

static void
list_hosts(struct dcp_homeless *g, const struct dcp_inserter *in)
{
    g->n_hosts = 0;
    for (uint32_t h = 0; h < g->p->n_hosts; h++) {
        if (dcp_insert_is_open(in, h)) {
            g->hosts[g->n_hosts++] = h;
        }
    }
}

/* Of some hosts the one where making room ejects least: ejects there and
 * returns it; DCP_IX_NONE: none helps. */
static uint32_t
clear_some_host(struct dcp_homeless *g, struct dcp_inserter *in, uint32_t item,
                bool restart, uint32_t hosts_each)
{
    uint32_t best = DCP_IX_NONE, n_best = 0, tries = 0;
    uint32_t at =
        g->n_hosts ? (uint32_t)dcp_rng_below(&in->rng, g->n_hosts) : 0;
    double least = INFINITY;

    for (uint32_t k = 0; k < g->n_hosts && tries < hosts_each; k++) {
        struct way w = { .g = g,
                         .s = in->s,
                         .item = item,
                         .host = g->hosts[at],
                         .restart = restart,
                         .list = g->way[0],
                         .limit = least };

        at = at + 1 < g->n_hosts ? at + 1 : 0;
        if (restart ? !dcp_problem_restarts_on(g->p, item, w.host) ||
                          !dcp_state_same_hypervisor(in->s, item, w.host)
                    : !dcp_problem_reaches(g->p, item, w.host) ||
                          !dcp_insert_is_covered(in, item, w.host)) {
            continue;
        }
        tries++;
        if (find_way(&w)) {
            least = w.cost;
            best = w.host;
            n_best = w.n;
            g->way[0] = g->way[1];
            g->way[1] = w.list;
        }
    }
    for (uint32_t k = 0; k < n_best; k++) {
        dcp_insert_remove(in, g->way[1][k]);
        dcp_homeless_add(g, g->way[1][k]);
    }
    g->n_ejections += best != DCP_IX_NONE;
    return best;
}

bool
dcp_homeless_place(struct dcp_homeless *g, struct dcp_inserter *in,
                   uint64_t max_ejections, uint32_t hosts_each)
{
    list_hosts(g, in);
    for (uint64_t used = 0; g->n; used++) {
        uint32_t item, h;

        do {
            item = take_largest(g);
            h = dcp_insert_best_host(in, item);
            if (h != DCP_IX_NONE) {
                dcp_insert_at(in, item, h);
            }
        } while (h != DCP_IX_NONE && g->n);
        if (h != DCP_IX_NONE) {
            return true;
        }
        dcp_homeless_set_penalty(g, item, g->penalty[item] + 1);
        h = used < max_ejections
                ? clear_some_host(g, in, item, false, hosts_each)
                : DCP_IX_NONE;
        if (h == DCP_IX_NONE) {
            dcp_homeless_add(g, item);
            return false;
        }
        dcp_insert_at(in, item, h);
    }
    return true;
}

bool
dcp_homeless_make_room(struct dcp_homeless *g, struct dcp_inserter *in,
                       uint32_t item, uint64_t max_ejections,
                       uint32_t hosts_each)
{
    list_hosts(g, in);
    dcp_homeless_set_penalty(g, item, g->penalty[item] + 1);
    uint32_t h = clear_some_host(g, in, item, true, hosts_each);
    uint32_t not_to = in->not_to;

    if (h == DCP_IX_NONE) {
        return false;
    }
    in->not_to = h;
    g->keep = item;
    bool ok = dcp_homeless_place(g, in, max_ejections, hosts_each);

    g->keep = DCP_IX_NONE;
    in->not_to = not_to;
    /* Where those that left went, they may count against it again. */
    return ok && dcp_state_fits_full(in->s, item, h) &&
           dcp_state_restarts(in->s, item, h);
}
