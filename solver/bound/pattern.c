/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/pattern.h"

#include "solver/bound/sift.h"

#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX   4000u
#define STEPS       40u  /* Of the subgradient method at a node, */
#define ROOT_STEPS  120u /* at one to begin with, */
#define LEAST_STEPS 10u  /* and where there are many items. */
#define ROOT_WORK   UINT64_C(25000000)
/* Of programs: items in the first (and some more by load and by room), more in
 * the next, how often, or until it is so near in shares of idling. */
#define FEW_FIRST  50u
#define FEW_EACH   16u
#define FEW_MORE   40u
#define FEW_ROUNDS 12u
#define FEW_NEAR   1e-4
#define SOLVE_WORK 20u /* A program's for each of its entries. */

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
    double *room_low;   /* Likewise. */
    struct node *heap;
    uint32_t n_heap, n_used;
    double *reduced; /* Scratch: [item]. */
    double *slope;   /* [n_prices] */
    double *mean;    /* [n_groups] loads, averaged over steps. */
    double *now, *best;
    uint64_t work;
    struct ranked_item *ranked; /* Scratch: items for programs, */
    uint32_t *few;              /* those in the last one, */
    uint8_t *in_few;            /* by item: is in it. */
    double *share;              /* Of a host that an item takes at most. */
};

struct ranked_item {
    double key;
    uint32_t item;
};

/* --- One node ------------------------------------------------------------- */

/* The least of price W(z) - p z for z from 'low' to 'high': at an end or at a
 * corner between. */
static double
least_of_curve(const struct dcp_bound_curve *c, double price, double p,
               double low, double high, double *out_mhz)
{
    double least = price * dcp_bound_watts_at(c, low) - p * low;
    double end = price * dcp_bound_watts_at(c, high) - p * high;

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
evaluate(struct pool *x, const double *prices, uint32_t at)
{
    const double *low = x->low + (size_t)at * x->q->n_groups;
    const double *high = x->high + (size_t)at * x->q->n_groups;
    const double *room = x->room + (size_t)at * x->q->n_rooms;
    const double *room_low = x->room_low + (size_t)at * x->q->n_rooms;
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
            uint32_t r = k - q->n_groups;
            double v = prices[k] * (prices[k] < 0 ? room_low[r] : room[r]);

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
    double best = -DCP_LP_INF, share = 1;
    uint32_t stale = 0;

    memcpy(x->best, prices, x->n_prices * sizeof *prices);
    memset(x->mean, 0, q->n_groups * sizeof *x->mean);
    for (uint32_t s = 0;
         s < steps && (!s || dcp_monotonic_ms() < q->deadline_ms); s++) {
        double v = evaluate(x, prices, node->at), norm = 0;

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
            (void)evaluate(x, prices, node->at);
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

/* --- By programs ---------------------------------------------------------- */

static bool
is_before(const struct ranked_item *a, const struct ranked_item *b)
{
    return a->key != b->key ? a->key < b->key : a->item < b->item;
}

/* Brings the 'most' that are first of all to the front, in any order
 * (quickselect: Hoare, *Algorithm 65: find*, Commun. ACM 4, 1961). */
static void
select_first(struct ranked_item *list, uint32_t n, uint32_t most)
{
    uint32_t first = 0, last = n;

    while (most < n && last - first > 1) {
        struct ranked_item pivot = list[first + (last - first - 1) / 2];
        uint32_t a = first, b = last - 1;

        for (;;) {
            while (is_before(&list[a], &pivot)) {
                a++;
            }
            while (is_before(&pivot, &list[b])) {
                b--;
            }
            if (a >= b) {
                break;
            }
            struct ranked_item other = list[a];

            list[a++] = list[b];
            list[b--] = other;
        }
        uint32_t split = b + 1; /* [first, split) is not after the rest. */

        if (most < split) {
            last = split;
        } else {
            first = split;
        }
    }
}

/* Of the items that are in no program yet the 'most' that look best by the
 * reduced costs at hand; below 'limit' only. */
static uint32_t
add_few(struct pool *x, uint32_t n, uint32_t most, double limit,
        const double *size)
{
    uint32_t n_ranked = 0;

    for (uint32_t i = 0; i < x->q->n_items; i++) {
        if (!x->in_few[i] && x->reduced[i] < limit) {
            x->ranked[n_ranked++] =
                (struct ranked_item){ x->reduced[i] / fmax(size[i], 1e-9), i };
        }
    }
    select_first(x->ranked, n_ranked, most);
    for (uint32_t k = 0; k < n_ranked && k < most; k++) {
        x->in_few[x->ranked[k].item] = 1;
        x->few[n++] = x->ranked[k].item;
    }
    return n;
}

/* Raises the node's bound by programs over few items; false: there is none, or
 * it could not be solved. */
static bool
sift(struct pool *x, struct node *node, double idle)
{
    const struct dcp_bound_pattern *q = x->q;
    double *prices = x->prices + (size_t)node->at * x->n_prices;
    struct dcp_bound_box box = {
        x->low + (size_t)node->at * q->n_groups,
        x->high + (size_t)node->at * q->n_groups,
        x->room_low + (size_t)node->at * q->n_rooms,
        x->room + (size_t)node->at * q->n_rooms,
    };
    double best = evaluate(x, prices, node->at), value;
    uint32_t n = 0;

    memset(x->in_few, 0, q->n_items);
    n = add_few(x, n, FEW_FIRST, DCP_LP_INF, x->share);
    n = add_few(x, n, FEW_EACH, DCP_LP_INF, q->need);
    n = add_few(x, n, FEW_EACH, DCP_LP_INF,
                q->load + (size_t)q->fill->peak * q->n_items);
    for (uint32_t round = 0; round < FEW_ROUNDS; round++) {
        if (dcp_monotonic_ms() >= q->deadline_ms ||
            !dcp_bound_sift_solve(q, &box, x->few, n, x->best, x->mean,
                                  &value)) {
            node->bound = fmax(node->bound, best);
            return round > 0;
        }
        double v = evaluate(x, x->best, node->at);
        uint32_t was = n;

        x->work += (uint64_t)n * x->n_prices * SOLVE_WORK;
        if (v > best) {
            best = v;
            memcpy(prices, x->best, x->n_prices * sizeof *prices);
        }
        if (best >= value - FEW_NEAR * idle) {
            break;
        }
        n = add_few(x, n, FEW_MORE, -1e-12, x->share);
        if (n == was) {
            break;
        }
    }
    node->bound = fmax(node->bound, best);
    return true;
}

/* The corner that is most above the envelope, weighted by its price. */
static void
branch_by_mean(const struct pool *x, struct node *node)
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

/* Where the curve at what is carried is most above its envelope, the corner
 * that is most above it. */
static void
branch_at_load(const struct pool *x, struct node *node)
{
    const struct dcp_bound_pattern *q = x->q;
    double worst = 0;

    node->group = UINT32_MAX;
    for (uint32_t g = 0; g < q->n_groups; g++) {
        double low = x->low[(size_t)node->at * q->n_groups + g];
        double high = x->high[(size_t)node->at * q->n_groups + g];
        struct dcp_bound_curve c = dcp_bound_curve_within(q->curve, low, high);
        struct dcp_bound_curve e = dcp_bound_curve_under(&c, 0, c.n - 1);
        double z = fmin(fmax(x->mean[g], low), high), most = 0, at = 0;
        double short_of = q->price[g] * (dcp_bound_watts_at(&c, z) -
                                         dcp_bound_watts_at(&e, z));

        for (uint32_t j = 1; j + 1 < c.n; j++) {
            double above = c.watts[j] - dcp_bound_watts_at(&e, c.mhz[j]);

            if (above > most) {
                most = above;
                at = c.mhz[j];
            }
        }
        if (most > 0 && short_of > worst) {
            worst = short_of;
            node->group = g;
            node->mhz = at;
        }
    }
}

/* Raises the node's bound, and says where to branch: one slot by programs,
 * which end at the best prices; more by steps, which cost less. */
static void
settle(struct pool *x, struct node *node, double idle, double target,
       uint32_t steps)
{
    if (x->q->n_groups == 1 && sift(x, node, idle)) {
        branch_at_load(x, node);
    } else {
        raise(x, node, target, steps);
        branch_by_mean(x, node);
    }
    node->raised = true;
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
    memcpy(x->room_low + (size_t)at * m, x->room_low + (size_t)from->at * m,
           m * sizeof *x->room_low);
    return node;
}

/* The prices to start from with the highest number. */
static void
take_best_start(struct pool *x, const struct node *node)
{
    const struct dcp_bound_pattern *q = x->q;
    const double *best = q->start;
    double most = -DCP_LP_INF;

    for (uint32_t k = 0; q->n_starts > 1 && k < q->n_starts; k++) {
        const double *start = q->start + (size_t)k * x->n_prices;
        double v = evaluate(x, start, node->at);

        if (v > most) {
            most = v;
            best = start;
        }
    }
    memcpy(x->prices + (size_t)node->at * x->n_prices, best,
           x->n_prices * sizeof *best);
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
    if (by) {
        x->room_low[(size_t)node.at * q->n_rooms] =
            dcp_bound_fill_share(level) * q->room[0] * (1 - 1e-9);
    }
    take_best_start(x, &node);
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
branch(struct pool *x, struct node *node, double idle, double target)
{
    settle(x, node, idle, target, STEPS);
    push(x, *node);
}

static void
find_shares(struct pool *x)
{
    const struct dcp_bound_pattern *q = x->q;

    for (uint32_t i = 0; i < q->n_items; i++) {
        x->share[i] = 1e-9;
        for (uint32_t g = 0; g < q->n_groups; g++) {
            x->share[i] =
                fmax(x->share[i],
                     q->load[(size_t)g * q->n_items + i] / scale_of(q, g));
        }
        for (uint32_t r = 0; r < q->n_rooms; r++) {
            x->share[i] =
                fmax(x->share[i], q->need[(size_t)r * q->n_items + i] /
                                      scale_of(q, q->n_groups + r));
        }
    }
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
        idle += q->price[g] * q->curve->watts[0];
    }
    for (uint32_t r = 0; r < q->n_rooms; r++) {
        x->room[r] = q->room[r];
    }
    for (uint32_t k = 0; k < DCP_BOUND_LEVELS; k++) {
        push_level(x, &root, k, 0, idle);
        push_level(x, &root, k, 1, idle);
    }
    while (x->n_used + 1 < NODES_MAX && dcp_monotonic_ms() < q->deadline_ms) {
        struct node top = pop(x);

        if (!top.raised) {
            settle(x, &top, idle, fmax(idle, top.bound), root_steps(q));
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
        branch(x, &upper, idle, target);
        branch(x, &lower, idle, target);
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
    DCP_FREE double *room_low = calloc(nodes * q->n_rooms + 1, sizeof *room);
    DCP_FREE struct ranked_item *ranked =
        calloc(q->n_items + 1u, sizeof *ranked);
    DCP_FREE uint32_t *few = calloc(q->n_items + 1u, sizeof *few);
    DCP_FREE uint8_t *in_few = calloc(q->n_items + 1u, 1);
    DCP_FREE double *shares = calloc(q->n_items + 1u, sizeof *shares);
    DCP_FREE struct node *heap = calloc(nodes + 1, sizeof *heap);
    DCP_FREE double *reduced = calloc(q->n_items + 1u, sizeof *reduced);
    DCP_FREE double *scratch =
        calloc(4 * (size_t)n_prices + 1, sizeof *scratch);

    if (!prices || !low || !high || !room || !heap || !reduced || !scratch ||
        !room_low || !ranked || !few || !in_few || !shares) {
        return false;
    }
    struct pool x = { .q = q,
                      .n_prices = n_prices,
                      .prices = prices,
                      .low = low,
                      .high = high,
                      .room = room,
                      .room_low = room_low,
                      .ranked = ranked,
                      .few = few,
                      .in_few = in_few,
                      .share = shares,
                      .heap = heap,
                      .reduced = reduced,
                      .slope = scratch,
                      .mean = scratch + n_prices,
                      .now = scratch + 2 * (size_t)n_prices,
                      .best = scratch + 3 * (size_t)n_prices };

    find_shares(&x);
    search(&x);
    *out = x.heap[0].bound;
    return true;
}
