/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/pattern.h"

#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX   1000u
#define STEPS       40u  /* Of the subgradient method at a node, */
#define ROOT_STEPS  120u /* at one to begin with, */
#define LEAST_STEPS 10u  /* and where there are many items. */
#define ROOT_WORK   UINT64_C(25000000)

struct node {
    double bound;
    bool raised;    /* Its prices were sought. */
    uint32_t at;    /* Its prices and intervals in the pool. */
    uint32_t group; /* Where to branch; UINT32_MAX: nowhere. */
    double mhz;
};

struct pool {
    const struct dcp_bound_pattern *q;
    uint32_t n_prices;  /* Groups and rooms. */
    double *prices;     /* [node * n_prices] */
    double *low, *high; /* [node * n_groups] */
    double *room;       /* [node * n_rooms] */
    struct node *heap;
    uint32_t n_heap, n_used;
    double *reduced; /* Scratch: [item]. */
    double *slope;   /* [n_prices] */
    double *mean;    /* [n_groups] loads, averaged over steps. */
    double *now, *best;
    uint64_t work;
};

/* --- One node ------------------------------------------------------------- */

static double
watts_at(const struct dcp_bound_curve *c, double mhz)
{
    for (uint32_t j = 1; j < c->n; j++) {
        if (mhz <= c->mhz[j]) {
            double share = (mhz - c->mhz[j - 1]) / (c->mhz[j] - c->mhz[j - 1]);

            return c->watts[j - 1] + share * (c->watts[j] - c->watts[j - 1]);
        }
    }
    return c->watts[c->n - 1];
}

/* The least of price W(z) - p z for z from 'low' to 'high': at an end or at a
 * corner between. */
static double
least_of_curve(const struct dcp_bound_curve *c, double price, double p,
               double low, double high, double *out_mhz)
{
    double least = price * watts_at(c, low) - p * low;
    double end = price * watts_at(c, high) - p * high;

    *out_mhz = low;
    for (uint32_t j = 0; j < c->n; j++) {
        double v = price * c->watts[j] - p * c->mhz[j];

        if (c->mhz[j] > low && c->mhz[j] < high && v < least) {
            least = v;
            *out_mhz = c->mhz[j];
        }
    }
    if (end < least) {
        least = end;
        *out_mhz = high;
    }
    return least;
}

/* The number of these prices, and a subgradient in x->slope. */
static double
evaluate(struct pool *x, const double *prices, const double *low,
         const double *high, const double *room)
{
    const struct dcp_bound_pattern *q = x->q;
    uint32_t n = q->n_items;
    double sum = 0, size = 0;

    for (uint32_t i = 0; i < n; i++) {
        x->reduced[i] = -q->u[i];
    }
    for (uint32_t k = 0; k < x->n_prices; k++) {
        const double *a = k < q->n_groups
                              ? q->load + (size_t)k * n
                              : q->need + (size_t)(k - q->n_groups) * n;
        double p = prices[k];

        for (uint32_t i = 0; i < n; i++) {
            x->reduced[i] += p * a[i];
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += x->reduced[i] < 0 ? x->reduced[i] : 0;
    }
    for (uint32_t k = 0; k < x->n_prices; k++) {
        const double *a = k < q->n_groups
                              ? q->load + (size_t)k * n
                              : q->need + (size_t)(k - q->n_groups) * n;
        double used = 0;

        for (uint32_t i = 0; i < n; i++) {
            used += x->reduced[i] < 0 ? a[i] : 0;
        }
        if (k < q->n_groups) {
            double mhz;
            double v = least_of_curve(q->curve, q->price[k], prices[k], low[k],
                                      high[k], &mhz);

            sum += v;
            size += fabs(v);
            x->slope[k] = used - mhz;
            x->now[k] = used;
        } else {
            double v = prices[k] * room[k - q->n_groups];

            sum -= v;
            size += fabs(v);
            x->slope[k] = used - room[k - q->n_groups];
        }
    }
    x->work += (uint64_t)n * x->n_prices;
    return sum - 1e-10 * (size + fabs(sum));
}

static double
scale_of(const struct dcp_bound_pattern *q, uint32_t k)
{
    double full = q->curve->mhz[q->curve->n - 1];

    return k < q->n_groups                ? fmax(full, 1)
           : q->room[k - q->n_groups] > 0 ? q->room[k - q->n_groups]
                                          : 1;
}

/* Raises the node's bound by subgradient steps towards 'target' (Polyak),
 * halving them where they stop to help. */
static void
raise(struct pool *x, struct node *node, double target, uint32_t steps)
{
    const struct dcp_bound_pattern *q = x->q;
    double *prices = x->prices + (size_t)node->at * x->n_prices;
    const double *low = x->low + (size_t)node->at * q->n_groups;
    const double *high = x->high + (size_t)node->at * q->n_groups;
    const double *room = x->room + (size_t)node->at * q->n_rooms;
    double best = -DCP_LP_INF, share = 1;
    uint32_t stale = 0;

    memcpy(x->best, prices, x->n_prices * sizeof *prices);
    memset(x->mean, 0, q->n_groups * sizeof *x->mean);
    for (uint32_t s = 0; s < steps; s++) {
        double v = evaluate(x, prices, low, high, room), norm = 0;

        for (uint32_t k = 0; k < q->n_groups; k++) {
            x->mean[k] += x->now[k] / steps;
        }
        if (v > best) {
            best = v;
            memcpy(x->best, prices, x->n_prices * sizeof *prices);
            stale = 0;
        } else if (++stale > 4) {
            share /= 2;
            stale = 0;
            memcpy(prices, x->best, x->n_prices * sizeof *prices);
            (void)evaluate(x, prices, low, high, room);
            v = best;
        }
        if (v >= target) {
            break;
        }
        for (uint32_t k = 0; k < x->n_prices; k++) {
            double g = x->slope[k] / scale_of(q, k);

            norm += g * g;
        }
        if (norm < 1e-12) {
            break;
        }
        for (uint32_t k = 0; k < x->n_prices; k++) {
            double unit = scale_of(q, k);

            prices[k] +=
                share * (target - v) * (x->slope[k] / unit) / norm / unit;
            if (k >= q->n_groups && prices[k] < 0) {
                prices[k] = 0;
            }
        }
    }
    memcpy(prices, x->best, x->n_prices * sizeof *prices);
    node->bound = fmax(node->bound, best);
}

/* The corner that is most above the envelope, weighted by its price. */
static void
choose_branch(const struct pool *x, struct node *node)
{
    const struct dcp_bound_pattern *q = x->q;
    const double *prices = x->prices + (size_t)node->at * x->n_prices;
    double worst = 1e-9;

    node->group = UINT32_MAX;
    for (uint32_t g = 0; g < q->n_groups; g++) {
        double low = x->low[(size_t)node->at * q->n_groups + g];
        double high = x->high[(size_t)node->at * q->n_groups + g];
        double at;
        double least =
            least_of_curve(q->curve, q->price[g], prices[g], low, high, &at);

        for (uint32_t j = 0; j < q->curve->n; j++) {
            double mhz = q->curve->mhz[j];

            if (mhz <= low || mhz >= high) {
                continue;
            }
            double above =
                q->price[g] * q->curve->watts[j] - prices[g] * mhz - least;
            /* It matters where what is carried is near. */
            double near = 1 - fabs(x->mean[g] - mhz) / (high - low);

            if (above * near > worst) {
                worst = above * near;
                node->group = g;
                node->mhz = mhz;
            }
        }
    }
}

/* --- Best first ----------------------------------------------------------- */

static void
push(struct pool *x, struct node node)
{
    uint32_t k = x->n_heap++;

    while (k && x->heap[(k - 1) / 2].bound > node.bound) {
        x->heap[k] = x->heap[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    x->heap[k] = node;
}

static struct node
pop(struct pool *x)
{
    struct node top = x->heap[0], last = x->heap[--x->n_heap];
    uint32_t k = 0;

    for (;;) {
        uint32_t child = 2 * k + 1;

        if (child + 1 < x->n_heap &&
            x->heap[child + 1].bound < x->heap[child].bound) {
            child++;
        }
        if (child >= x->n_heap || x->heap[child].bound >= last.bound) {
            break;
        }
        x->heap[k] = x->heap[child];
        k = child;
    }
    x->heap[k] = last;
    return top;
}

/* A copy of 'from' in place 'at'. */
static struct node
copy_of(struct pool *x, const struct node *from, uint32_t at)
{
    uint32_t n = x->q->n_groups, m = x->q->n_rooms;
    struct node node = { .bound = from->bound, .at = at };

    memcpy(x->prices + (size_t)at * x->n_prices,
           x->prices + (size_t)from->at * x->n_prices,
           x->n_prices * sizeof *x->prices);
    memcpy(x->low + (size_t)at * n, x->low + (size_t)from->at * n,
           n * sizeof *x->low);
    memcpy(x->high + (size_t)at * n, x->high + (size_t)from->at * n,
           n * sizeof *x->high);
    memcpy(x->room + (size_t)at * m, x->room + (size_t)from->at * m,
           m * sizeof *x->room);
    return node;
}

/* Where a host that is neither fuller nor emptier than these shares carries
 * at least so much. */
static void
push_level(struct pool *x, const struct node *root, uint32_t level, uint32_t by,
           double target)
{
    const struct dcp_bound_pattern *q = x->q;
    const struct dcp_bound_fill *fill = q->fill;
    struct node node = copy_of(x, root, x->n_used++);
    double *low = x->low + (size_t)node.at * q->n_groups;
    double *high = x->high + (size_t)node.at * q->n_groups;
    double *room = x->room + (size_t)node.at * q->n_rooms;
    double most = dcp_bound_fill_share(level + 1);

    for (uint32_t g = 0; g < q->n_groups; g++) {
        low[g] = fill->least[(by * DCP_BOUND_LEVELS + level) * q->n_groups + g];
        low[g] = fmin(low[g], high[g]);
    }
    high[fill->peak] = fmax(most * high[fill->peak], low[fill->peak]);
    room[0] *= most;
    raise(x, &node, target, 1);
    push(x, node);
}

static uint32_t
root_steps(const struct dcp_bound_pattern *q)
{
    uint64_t each = (uint64_t)q->n_items * (q->n_groups + q->n_rooms) + 1;
    uint64_t n = ROOT_WORK / each;

    return n > ROOT_STEPS    ? ROOT_STEPS
           : n < LEAST_STEPS ? LEAST_STEPS
                             : (uint32_t)n;
}

static void
branch(struct pool *x, struct node *node, double target)
{
    raise(x, node, target, STEPS);
    choose_branch(x, node);
    node->raised = true;
    push(x, *node);
}

static void
search(struct pool *x)
{
    const struct dcp_bound_pattern *q = x->q;
    struct node root = { .bound = -DCP_LP_INF, .at = x->n_used++ };
    double full = q->curve->mhz[q->curve->n - 1], idle = 0;

    for (uint32_t g = 0; g < q->n_groups; g++) {
        x->low[g] = 0;
        x->high[g] = full;
        x->prices[g] = q->load_price[g];
        idle += q->price[g] * q->curve->watts[0];
    }
    for (uint32_t r = 0; r < q->n_rooms; r++) {
        x->room[r] = q->room[r];
        x->prices[q->n_groups + r] = q->room_price[r];
    }
    for (uint32_t k = 0; k < DCP_BOUND_LEVELS; k++) {
        push_level(x, &root, k, 0, idle);
        push_level(x, &root, k, 1, idle);
    }
    while (x->n_used + 1 < NODES_MAX && dcp_monotonic_ms() < q->deadline_ms) {
        struct node top = pop(x);

        if (!top.raised) {
            raise(x, &top, fmax(idle, top.bound), root_steps(q));
            choose_branch(x, &top);
            top.raised = true;
            push(x, top);
            continue;
        }
        if (top.group == UINT32_MAX || x->work >= q->max_work) {
            push(x, top);
            break;
        }
        struct node upper = copy_of(x, &top, x->n_used++);
        struct node lower = { .bound = top.bound, .at = top.at };
        double target =
            top.bound + fmax(0.05 * (idle - top.bound), 1e-6 * idle);

        x->low[(size_t)upper.at * q->n_groups + top.group] = top.mhz;
        x->high[(size_t)lower.at * q->n_groups + top.group] = top.mhz;
        branch(x, &upper, target);
        branch(x, &lower, target);
    }
}

bool
dcp_bound_pattern_least(const struct dcp_bound_pattern *q, double *out)
{
    uint32_t n_prices = q->n_groups + q->n_rooms;
    size_t nodes = NODES_MAX + 1u;
    DCP_FREE double *prices = calloc(nodes * n_prices + 1, sizeof *prices);
    DCP_FREE double *low = calloc(nodes * q->n_groups + 1, sizeof *low);
    DCP_FREE double *high = calloc(nodes * q->n_groups + 1, sizeof *high);
    DCP_FREE double *room = calloc(nodes * q->n_rooms + 1, sizeof *room);
    DCP_FREE struct node *heap = calloc(nodes + 1, sizeof *heap);
    DCP_FREE double *reduced = calloc(q->n_items + 1u, sizeof *reduced);
    DCP_FREE double *scratch =
        calloc(4 * (size_t)n_prices + 1, sizeof *scratch);

    if (!prices || !low || !high || !room || !heap || !reduced || !scratch) {
        return false;
    }
    struct pool x = { .q = q,
                      .n_prices = n_prices,
                      .prices = prices,
                      .low = low,
                      .high = high,
                      .room = room,
                      .heap = heap,
                      .reduced = reduced,
                      .slope = scratch,
                      .mean = scratch + n_prices,
                      .now = scratch + 2 * (size_t)n_prices,
                      .best = scratch + 3 * (size_t)n_prices };

    search(&x);
    *out = x.heap[0].bound;
    return true;
}
