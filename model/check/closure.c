/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Arcs come in pairs: arc a and its reverse a ^ 1.  Those of the items come
 * first, arc 4 i from the source to item i and arc 4 i + 2 from it to the sink,
 * so that solving again only resets capacities.  Depth-first search keeps its
 * own path: a chain of requirements may be as long as a plan. */

#include "model/check/closure.h"

#include <stdlib.h>
#include <string.h>

#define UNCUT  (INT64_MAX / 4)
#define NO_ARC UINT32_MAX

struct arc {
    uint32_t head, next; /* Next arc out of the same node. */
    int64_t left;        /* Capacity that is left. */
};

struct dcp_closure {
    uint32_t n_items, n_nodes;
    uint32_t *first; /* By node. */
    uint32_t *level, *at, *queue, *path;
    struct arc *arcs;
    uint32_t n_arcs, capacity;
};

static bool
add_pair(struct dcp_closure *c, uint32_t tail, uint32_t head)
{
    if (c->n_arcs + 2 > c->capacity) {
        uint32_t capacity = c->capacity ? 2 * c->capacity : 64;
        struct arc *arcs =
            c->capacity > UINT32_MAX / 4
                ? NULL
                : realloc(c->arcs, (size_t)capacity * sizeof *arcs);

        if (!arcs) {
            return false;
        }
        c->arcs = arcs;
        c->capacity = capacity;
    }
    c->arcs[c->n_arcs] = (struct arc){ head, c->first[tail], 0 };
    c->first[tail] = c->n_arcs++;
    c->arcs[c->n_arcs] = (struct arc){ tail, c->first[head], 0 };
    c->first[head] = c->n_arcs++;
    return true;
}

struct dcp_closure *
dcp_closure_create(uint32_t n_items)
{
    DCP_AUTO(dcp_closure) struct dcp_closure *c = calloc(1, sizeof *c);

    if (!c || n_items > UINT32_MAX / 8) {
        return NULL;
    }
    c->n_items = n_items;
    c->n_nodes = n_items + 2;
    c->first = malloc(c->n_nodes * sizeof *c->first);
    c->level = malloc(c->n_nodes * sizeof *c->level);
    c->at = malloc(c->n_nodes * sizeof *c->at);
    c->queue = malloc(c->n_nodes * sizeof *c->queue);
    c->path = malloc(c->n_nodes * sizeof *c->path);
    if (!c->first || !c->level || !c->at || !c->queue || !c->path) {
        return NULL;
    }
    memset(c->first, 0xff, c->n_nodes * sizeof *c->first);
    for (uint32_t i = 0; i < n_items; i++) {
        if (!add_pair(c, n_items, i) || !add_pair(c, i, n_items + 1)) {
            return NULL;
        }
    }
    return DCP_STEAL(c);
}

void
dcp_closure_destroy(struct dcp_closure *c)
{
    if (c) {
        free(c->first);
        free(c->level);
        free(c->at);
        free(c->queue);
        free(c->path);
        free(c->arcs);
        free(c);
    }
}

bool
dcp_closure_require(struct dcp_closure *c, uint32_t item, uint32_t other)
{
    return add_pair(c, item, other);
}

/* Levels by breadth-first search from the source; false: no way to the sink. */
static bool
find_levels(struct dcp_closure *c)
{
    uint32_t n = 0, source = c->n_items, sink = c->n_items + 1;

    memset(c->level, 0xff, c->n_nodes * sizeof *c->level);
    c->level[source] = 0;
    c->queue[n++] = source;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t u = c->queue[i];

        for (uint32_t a = c->first[u]; a != NO_ARC; a = c->arcs[a].next) {
            uint32_t v = c->arcs[a].head;

            if (c->arcs[a].left > 0 && c->level[v] == UINT32_MAX) {
                c->level[v] = c->level[u] + 1;
                c->queue[n++] = v;
            }
        }
    }
    return c->level[sink] != UINT32_MAX;
}

/* Sends what the path of 'n' arcs can take; returns how much of the path, from
 * the source, still has capacity. */
static uint32_t
send(struct dcp_closure *c, uint32_t n, int64_t *flow)
{
    int64_t least = UNCUT;
    uint32_t keep = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (c->arcs[c->path[i]].left < least) {
            least = c->arcs[c->path[i]].left;
            keep = i;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        c->arcs[c->path[i]].left -= least;
        c->arcs[c->path[i] ^ 1u].left += least;
    }
    *flow += least;
    return keep;
}

/* A blocking flow in the level graph. */
static int64_t
block(struct dcp_closure *c)
{
    uint32_t source = c->n_items, sink = c->n_items + 1, u = source, n = 0;
    int64_t flow = 0;

    memcpy(c->at, c->first, c->n_nodes * sizeof *c->at);
    for (;;) {
        if (u == sink) {
            n = send(c, n, &flow);
            u = c->arcs[c->path[n] ^ 1u].head;
            continue;
        }
        uint32_t a = c->at[u];

        while (a != NO_ARC && (c->arcs[a].left <= 0 ||
                               c->level[c->arcs[a].head] != c->level[u] + 1)) {
            a = c->arcs[a].next;
        }
        c->at[u] = a;
        if (a != NO_ARC) {
            c->path[n++] = a;
            u = c->arcs[a].head;
        } else if (n) {
            c->level[u] = UINT32_MAX; /* A dead end. */
            u = c->arcs[c->path[--n] ^ 1u].head;
        } else {
            return flow;
        }
    }
}

int64_t
dcp_closure_solve(struct dcp_closure *c, const int64_t weight[],
                  uint8_t out_member[])
{
    int64_t best = 0;

    for (uint32_t a = 0; a < c->n_arcs; a += 2) {
        c->arcs[a].left = a < 4 * c->n_items ? 0 : UNCUT;
        c->arcs[a + 1].left = 0;
    }
    for (uint32_t i = 0; i < c->n_items; i++) {
        if (weight[i] > 0) {
            c->arcs[4 * (size_t)i].left = weight[i];
            best += weight[i];
        } else {
            c->arcs[4 * (size_t)i + 2].left = -weight[i];
        }
    }
    while (find_levels(c)) {
        best -= block(c);
    }
    for (uint32_t i = 0; out_member && i < c->n_items; i++) {
        out_member[i] = c->level[i] != UINT32_MAX;
    }
    return best;
}
