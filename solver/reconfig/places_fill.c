/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Who stays, who goes, and where to. */

#include "model/base/rng.h"
#include "solver/reconfig/places.h"

#include <stdlib.h>
#include <string.h>

struct fill {
    struct dcp_rc_places *p;
    struct dcp_rng rng;
    uint32_t *pool, n_pool; /* VMs without a place. */
    uint32_t *saved;        /* [vm] hosts of the best so far. */
    uint8_t *leaves;        /* [vm]: picked to make room. */
    double *size;           /* [vm] */
};

struct ranked {
    double key;
    uint32_t vm;
};

static int
by_key_descending(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key) - (x->key > y->key)
                            : (x->vm > y->vm) - (x->vm < y->vm);
}

static bool
shall_run(const struct dcp_rc_world *w, uint32_t vm)
{
    return w->vms[vm].goal == DCP_RC_RUNNING;
}

static bool
may_stay(const struct fill *f, uint32_t vm)
{
    const struct dcp_rc_vm *x = &f->p->w->vms[vm];

    return x->now == DCP_RC_RUNNING && x->goal == DCP_RC_RUNNING &&
           !f->leaves[vm];
}

/* How far the VMs that would stay on the node are above its capacity, as the
 * largest share over resources; 'over' gets the amounts. */
static double
overload(const struct fill *f, const uint32_t vms[], uint32_t n, uint32_t node,
         int64_t over[])
{
    const struct dcp_rc_world *w = f->p->w;
    double most = 0;

    for (uint32_t d = 0; d < w->n_dims; d++) {
        int64_t cap = dcp_rc_cap(w, node)[d];

        over[d] = -cap;
        for (uint32_t i = 0; i < n; i++) {
            over[d] += may_stay(f, vms[i]) ? dcp_rc_goal_use(w, vms[i])[d] : 0;
        }
        double share = cap > 0 ? (double)over[d] / (double)cap : over[d] > 0;

        most = share > most ? share : most;
    }
    return most;
}

/* Of an overloaded node the smallest VM whose leaving ends the overload; where
 * none does, the one that leaves least of it, and again. */
static bool
relieve(struct fill *f, const uint32_t vms[], uint32_t n, uint32_t node,
        int64_t over[])
{
    const struct dcp_rc_world *w = f->p->w;

    while (overload(f, vms, n, node, over) > 0) {
        uint32_t best = DCP_RC_NONE;
        double best_rest = 0, best_size = 0;

        for (uint32_t i = 0; i < n; i++) {
            uint32_t v = vms[i];
            double rest = 0;

            if (!may_stay(f, v) || f->p->pinned[v]) {
                continue;
            }
            for (uint32_t d = 0; d < w->n_dims; d++) {
                int64_t left = over[d] - dcp_rc_goal_use(w, v)[d];

                rest += over[d] > 0 && left > 0 ? (double)left / (double)over[d]
                                                : 0;
            }
            if (best == DCP_RC_NONE || rest < best_rest ||
                (rest <= best_rest && f->size[v] < best_size)) {
                best = v;
                best_rest = rest;
                best_size = f->size[v];
            }
        }
        if (best == DCP_RC_NONE) {
            return false; /* All that is left is pinned. */
        }
        f->leaves[best] = 1;
    }
    return true;
}

/* VMs that run now, by node. */
static bool
list_by_node(const struct dcp_rc_world *w, uint32_t **first, uint32_t **list)
{
    uint32_t *at = calloc((size_t)w->n_nodes + 2, sizeof *at);

    *list = calloc((size_t)w->n_vms + 1, sizeof **list);
    if (!at || !*list) {
        free(at);
        free(*list);
        return false;
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (w->vms[v].now == DCP_RC_RUNNING) {
            at[w->vms[v].host + 2]++;
        }
    }
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        at[n + 2] += at[n + 1];
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (w->vms[v].now == DCP_RC_RUNNING) {
            (*list)[at[w->vms[v].host + 1]++] = v;
        }
    }
    *first = at;
    return true;
}

static bool
relieve_nodes(struct fill *f)
{
    const struct dcp_rc_world *w = f->p->w;
    uint32_t *first = NULL, *list = NULL;
    int64_t *over = calloc((size_t)w->n_dims + 1, sizeof *over);

    if (!over || !list_by_node(w, &first, &list)) {
        free(over);
        return false;
    }
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        (void)relieve(f, list + first[n], first[n + 1] - first[n], n, over);
    }
    free(first);
    free(list);
    free(over);
    return true;
}

/* The same for limits over sets of nodes: the smallest VM that ends the excess,
 * else the largest. */
static void
relieve_rule(struct fill *f, const struct dcp_rc_rule *rule, uint8_t in_set[])
{
    const struct dcp_rc_world *w = f->p->w;
    int64_t over = -rule->amount;

    memset(in_set, 0, w->n_nodes);
    for (uint32_t i = 0; i < rule->nodes.n; i++) {
        in_set[rule->nodes.ids[i]] = 1;
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (may_stay(f, v) && in_set[w->vms[v].host]) {
            over += rule->kind == DCP_RC_RESOURCE
                        ? dcp_rc_goal_use(w, v)[rule->dim]
                        : 1;
        }
    }
    while (over > 0) {
        uint32_t best = DCP_RC_NONE;
        int64_t best_amount = 0;

        for (uint32_t v = 0; v < w->n_vms; v++) {
            int64_t x = rule->kind == DCP_RC_RESOURCE
                            ? dcp_rc_goal_use(w, v)[rule->dim]
                            : 1;
            bool ends = x >= over, best_ends = best_amount >= over;

            if (!may_stay(f, v) || f->p->pinned[v] || x <= 0 ||
                !in_set[w->vms[v].host]) {
                continue;
            }
            if (best == DCP_RC_NONE || (ends && !best_ends) ||
                (ends == best_ends &&
                 (ends ? x < best_amount : x > best_amount)) ||
                (x == best_amount && f->size[v] < f->size[best])) {
                best = v;
                best_amount = x;
            }
        }
        if (best == DCP_RC_NONE) {
            return;
        }
        f->leaves[best] = 1;
        over -= best_amount;
    }
}

static bool
relieve_rules(struct fill *f)
{
    const struct dcp_rc_world *w = f->p->w;
    uint8_t *in_set = calloc((size_t)w->n_nodes + 1, 1);

    for (uint32_t r = 0; in_set && r < w->n_rules; r++) {
        if (w->rules[r].kind == DCP_RC_RESOURCE ||
            w->rules[r].kind == DCP_RC_RUNNING_MAX) {
            relieve_rule(f, &w->rules[r], in_set);
        }
    }
    free(in_set);
    return in_set != NULL;
}

/* VMs within one of a rule's parts: where it is free, the part in which most
 * of them run; the others leave. */
static bool
relieve_parts(struct fill *f)
{
    const struct dcp_rc_world *w = f->p->w;

    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        if (rule->kind != DCP_RC_AMONG || rule->continuous) {
            continue;
        }
        uint32_t *n = calloc((size_t)rule->n_node_parts + 1, sizeof *n);
        uint32_t most = 0;

        if (!n) {
            return false;
        }
        for (uint32_t i = 0; i < rule->vms.n; i++) {
            uint32_t v = rule->vms.ids[i], k;

            if (may_stay(f, v) &&
                (k = f->p->part_of_node[r][w->vms[v].host]) != DCP_RC_NONE) {
                n[k]++;
                most = n[k] > n[most] ? k : most;
            }
        }
        for (uint32_t i = 0; i < rule->vms.n; i++) {
            uint32_t v = rule->vms.ids[i];

            if (may_stay(f, v) && !f->p->pinned[v] &&
                f->p->part_of_node[r][w->vms[v].host] != most) {
                f->leaves[v] = 1;
            }
        }
        free(n);
    }
    return true;
}

/* Those that stay, the pinned and then the others; the rest is the pool. */
static void
keep_stayers(struct fill *f)
{
    struct dcp_rc_places *p = f->p;
    const struct dcp_rc_world *w = p->w;

    for (int pinned = 1; pinned >= 0; pinned--) {
        for (uint32_t v = 0; v < w->n_vms; v++) {
            uint32_t n = w->vms[v].host;

            if (may_stay(f, v) && p->pinned[v] == pinned &&
                dcp_rc_places_allowed(p, v, n) &&
                dcp_rc_places_room(p, v, n, false)) {
                dcp_rc_places_put(p, v, n);
            }
        }
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (shall_run(w, v) && p->host[v] == DCP_RC_NONE) {
            f->pool[f->n_pool++] = v;
        }
    }
}

static bool
sort_pool(struct fill *f)
{
    struct ranked *list = calloc((size_t)f->n_pool + 1, sizeof *list);

    if (!list) {
        return false;
    }
    for (uint32_t i = 0; i < f->n_pool; i++) {
        uint32_t v = f->pool[i];

        /* Those with a target, or tied by rules, have fewest ways. */
        list[i] = (struct ranked){
            f->size[v] + (f->p->w->vms[v].target != DCP_RC_NONE ? 1000 : 0) +
                0.05 * (f->p->vm_rule_first[v + 1] - f->p->vm_rule_first[v]),
            v
        };
    }
    qsort(list, f->n_pool, sizeof *list, by_key_descending);
    for (uint32_t i = 0; i < f->n_pool; i++) {
        f->pool[i] = list[i].vm;
    }
    free(list);
    return true;
}

/* Moves one VM off some node on, to make room for this one there. */
static bool
eject_for(struct fill *f, uint32_t vm)
{
    struct dcp_rc_places *p = f->p;
    const struct dcp_rc_world *w = p->w;
    uint32_t from = (uint32_t)dcp_rng_below(&f->rng, w->n_nodes);

    for (uint32_t i = 0; i < w->n_nodes; i++) {
        uint32_t node = (from + i) % w->n_nodes;

        if (!w->nodes[node].on || p->power[node] == DCP_RC_OFF) {
            continue;
        }
        for (uint32_t x = p->first[node]; x != DCP_RC_NONE;) {
            uint32_t other = x;

            x = p->next[x];
            if (p->pinned[other] || f->size[other] > f->size[vm]) {
                continue;
            }
            dcp_rc_places_take(p, other);
            if (dcp_rc_places_room(p, vm, node, false) &&
                dcp_rc_places_allowed(p, vm, node)) {
                dcp_rc_places_put(p, vm, node);
                uint32_t to = dcp_rc_places_find(p, other);

                if (to != DCP_RC_NONE) {
                    dcp_rc_places_put(p, other, to);
                    return true;
                }
                dcp_rc_places_take(p, vm);
            }
            dcp_rc_places_put(p, other, node);
            if (i > 200 && f->size[other] * 4 < f->size[vm]) {
                break; /* Small ones make no room for it. */
            }
        }
    }
    return false;
}

/* Places the pool as far as it goes; what is left stays in it. */
static bool
place_pool(struct fill *f, bool eject)
{
    uint32_t left = 0;

    if (!sort_pool(f)) {
        return false;
    }
    for (uint32_t i = 0; i < f->n_pool; i++) {
        uint32_t v = f->pool[i];
        uint32_t node = dcp_rc_places_find(f->p, v);

        if (node != DCP_RC_NONE) {
            dcp_rc_places_put(f->p, v, node);
        } else if (!eject || !eject_for(f, v)) {
            f->pool[left++] = v;
        }
    }
    f->n_pool = left;
    return true;
}

/* Takes up what is on a few random nodes, and those that rules tie to the
 * first of the pool, to place all of it anew. */
static void
ruin(struct fill *f)
{
    struct dcp_rc_places *p = f->p;
    const struct dcp_rc_world *w = p->w;
    uint32_t lost = f->pool[dcp_rng_below(&f->rng, f->n_pool)];
    uint32_t n = 2 + (uint32_t)dcp_rng_below(&f->rng, 6);

    for (uint32_t k = p->vm_rule_first[lost]; k < p->vm_rule_first[lost + 1];
         k++) {
        const struct dcp_rc_set *vms = &w->rules[p->vm_rule[k]].vms;

        for (uint32_t i = 0; i < vms->n; i++) {
            uint32_t v = vms->ids[i];

            if (p->host[v] != DCP_RC_NONE && !p->pinned[v]) {
                dcp_rc_places_take(p, v);
                f->pool[f->n_pool++] = v;
            }
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t node = (uint32_t)dcp_rng_below(&f->rng, w->n_nodes);

        for (uint32_t x = p->first[node]; x != DCP_RC_NONE;) {
            uint32_t v = x;

            x = p->next[x];
            if (!p->pinned[v]) {
                dcp_rc_places_take(p, v);
                f->pool[f->n_pool++] = v;
            }
        }
    }
    /* The lost one first, where the others leave it room. */
    uint32_t node = dcp_rc_places_find(p, lost);

    if (node != DCP_RC_NONE) {
        dcp_rc_places_put(p, lost, node);
        for (uint32_t i = 0; i < f->n_pool; i++) {
            if (f->pool[i] == lost) {
                f->pool[i] = f->pool[--f->n_pool];
                break;
            }
        }
    }
}

static double
missing(const struct fill *f)
{
    double sum = 0;

    for (uint32_t i = 0; i < f->n_pool; i++) {
        sum += f->size[f->pool[i]];
    }
    return sum;
}

static void
restore(struct fill *f)
{
    struct dcp_rc_places *p = f->p;
    const struct dcp_rc_world *w = p->w;

    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (p->host[v] != DCP_RC_NONE && p->host[v] != f->saved[v]) {
            dcp_rc_places_take(p, v);
        }
    }
    f->n_pool = 0;
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (p->host[v] == DCP_RC_NONE && f->saved[v] != DCP_RC_NONE) {
            dcp_rc_places_put(p, v, f->saved[v]);
        }
        if (shall_run(w, v) && p->host[v] == DCP_RC_NONE) {
            f->pool[f->n_pool++] = v;
        }
    }
}

static bool
fill_all(struct fill *f, uint64_t iterations)
{
    const struct dcp_rc_world *w = f->p->w;
    uint64_t rounds = iterations ? iterations : 2000;

    for (uint32_t v = 0; v < w->n_vms; v++) {
        f->size[v] = dcp_rc_places_size(f->p, v);
        f->leaves[v] = w->vms[v].target != DCP_RC_NONE &&
                       w->vms[v].target != w->vms[v].host;
    }
    if (!relieve_nodes(f) || !relieve_rules(f) || !relieve_parts(f)) {
        return false;
    }
    keep_stayers(f);
    if (!place_pool(f, true)) {
        return false;
    }
    for (uint64_t k = 0; f->n_pool && k < rounds; k++) {
        double before = missing(f);

        memcpy(f->saved, f->p->host, w->n_vms * sizeof *f->saved);
        ruin(f);
        if (!place_pool(f, k % 4 == 0)) {
            return false;
        }
        if (missing(f) > before) {
            restore(f);
        }
    }
    return true;
}

bool
dcp_rc_places_fill(struct dcp_rc_places *p, uint64_t seed, uint64_t iterations,
                   struct dcp_error *err)
{
    size_t n = (size_t)p->w->n_vms + 1;
    struct fill f = {
        .p = p,
        .rng = dcp_rng_stream(seed, "reconfig", 0),
        .pool = calloc(n, sizeof *f.pool),
        .saved = calloc(n, sizeof *f.saved),
        .leaves = calloc(n, 1),
        .size = calloc(n, sizeof *f.size),
    };
    bool done =
        f.pool && f.saved && f.leaves && f.size && fill_all(&f, iterations);

    free(f.pool);
    free(f.saved);
    free(f.leaves);
    free(f.size);
    return done || dcp_fail(err, DCP_E_NOMEM, "out of memory");
}
