/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A trial gathers, for the few nodes that a move touches, what comes and goes
 * there, and weighs the sums with that; doing it writes the same back.  Sums
 * drift by rounding, so they are recounted every so often. */

#include "solver/balance/cluster_parts.h"

#include <math.h>

#define MAX_NODES 8
#define MAX_ROWS  4
#define EPS       1e-9

struct touched {
    uint32_t node;
    int32_t primaries, secondaries;
    bool gains_primary, gains; /* Something new is here. */
    bool forced;               /* It flees a node that is offline. */
    double load[DCP_BALANCE_N_COLUMNS];
};
struct row_change {
    uint32_t node, peer;
    double mib;
};
struct trial {
    struct touched at[MAX_NODES];
    struct row_change row[MAX_ROWS];
    uint32_t n, n_rows;
    bool tags_clash;
    double tag_penalty;
};

static struct touched *
touch(struct trial *t, uint32_t node)
{
    uint32_t k = 0;

    while (k < t->n && t->at[k].node != node) {
        k++;
    }
    if (k == t->n) {
        t->at[t->n++] = (struct touched){ .node = node };
    }
    return &t->at[k];
}

static void
add_loads(const struct dcp_balance_cluster *c, struct touched *at,
          const double *load, double sign)
{
    for (uint32_t k = 0; k < c->width; k++) {
        at->load[k] += sign * load[k];
    }
}

static void
add_row(struct trial *t, uint32_t node, uint32_t peer, double mib)
{
    for (uint32_t k = 0; k < t->n_rows; k++) {
        if (t->row[k].node == node && t->row[k].peer == peer) {
            t->row[k].mib += mib;
            return;
        }
    }
    t->row[t->n_rows++] = (struct row_change){ node, peer, mib };
}

static bool
has_tag(const struct dcp_balance_instance *v, uint32_t tag)
{
    for (uint32_t k = 0; k < v->n_tags; k++) {
        if (v->tags[k] == tag) {
            return true;
        }
    }
    return false;
}

/* Instances with a tag that run at a node once the first 'n' moves are done. */
static uint32_t
tagged(const struct dcp_balance_cluster *c,
       const struct dcp_balance_move moves[], uint32_t n, uint32_t node,
       uint32_t tag)
{
    uint32_t count = c->tag_count[(size_t)node * c->n_tags + tag];

    for (uint32_t k = 0; k < n; k++) {
        const struct dcp_balance_instance *v = &c->instances[moves[k].instance];

        if (has_tag(v, tag)) {
            count += moves[k].primary == node;
            count -= v->primary == node;
        }
    }
    return count;
}

/* The exclusion tags of the last of 'n' moves. */
static void
weigh_tags(const struct dcp_balance_cluster *c, struct trial *t,
           const struct dcp_balance_move moves[], uint32_t n)
{
    const struct dcp_balance_move *m = &moves[n - 1];
    const struct dcp_balance_instance *v = &c->instances[m->instance];

    for (uint32_t k = 0; k < v->n_tags && v->primary != m->primary; k++) {
        uint32_t from = tagged(c, moves, n - 1, v->primary, v->tags[k]);

        t->tags_clash =
            t->tags_clash || tagged(c, moves, n - 1, m->primary, v->tags[k]);
        t->tag_penalty -= from > 1 && !c->nodes[v->primary].offline ? 2 : 0;
    }
}

/* Where an instance is (sign -1) or would be (sign 1). */
static void
gather(const struct dcp_balance_cluster *c, struct trial *t, uint32_t instance,
       uint32_t primary, uint32_t secondary, int32_t sign)
{
    const struct dcp_balance_instance *v = &c->instances[instance];
    struct touched *p = touch(t, primary);

    p->primaries += sign;
    add_loads(c, p, &c->as_primary[(size_t)instance * WIDTH], sign);
    if (secondary == DCP_IX_NONE) {
        return;
    }
    struct touched *s = touch(t, secondary);

    s->secondaries += sign;
    add_loads(c, s, &c->as_secondary[(size_t)instance * WIDTH], sign);
    if (v->reserves) {
        add_row(t, secondary, primary, sign * v->mem_mib);
    }
}

static void
gather_moves(const struct dcp_balance_cluster *c, struct trial *t,
             const struct dcp_balance_move moves[], uint32_t n)
{
    t->n = t->n_rows = 0;
    t->tags_clash = false;
    t->tag_penalty = 0;
    for (uint32_t k = 0; k < n; k++) {
        const struct dcp_balance_move *m = &moves[k];
        const struct dcp_balance_instance *v = &c->instances[m->instance];
        bool flees =
            c->nodes[v->primary].offline ||
            (v->secondary != DCP_IX_NONE && c->nodes[v->secondary].offline);

        gather(c, t, m->instance, v->primary, v->secondary, -1);
        gather(c, t, m->instance, m->primary, m->secondary, 1);
        weigh_tags(c, t, moves, k + 1);
        if (m->primary != v->primary) {
            struct touched *p = touch(t, m->primary);

            p->gains = p->gains_primary = true;
            p->forced = p->forced || flees;
        }
        if (m->secondary != DCP_IX_NONE &&
            (m->secondary != v->secondary || m->primary != v->primary)) {
            struct touched *s = touch(t, m->secondary);

            s->gains = true;
            s->forced = s->forced || flees;
        }
    }
}

/* The most that a node reserves for one peer, with the trial's changes. */
static double
reserved_with(const struct dcp_balance_cluster *c, const struct trial *t,
              uint32_t node)
{
    const struct dcp_balance_top *top = &c->top[node];
    const double *row = &c->peers[(size_t)node * c->n_nodes];
    uint32_t changed = 0, hidden = 0;
    double most = 0;

    for (uint32_t k = 0; k < t->n_rows; k++) {
        if (t->row[k].node != node) {
            continue;
        }
        changed++;
        most = fmax(most, row[t->row[k].peer] + t->row[k].mib);
        for (uint32_t j = 0; j < 3; j++) {
            hidden |= top->peer[j] == t->row[k].peer ? 1u << j : 0u;
        }
    }
    if (changed == 0) {
        return c->reserved[node];
    }
    for (uint32_t j = 0; j < 3; j++) {
        if (!(hidden & 1u << j)) {
            return fmax(most, top->mib[j]);
        }
    }
    for (uint32_t p = 0; p < c->n_nodes; p++) { /* All three change: rare. */
        bool is_changed = false;

        for (uint32_t k = 0; k < t->n_rows; k++) {
            is_changed =
                is_changed || (t->row[k].node == node && t->row[k].peer == p);
        }
        most = is_changed ? most : fmax(most, row[p]);
    }
    return most;
}

/* Whether what is new at a node has room there. */
static bool
fits(const struct dcp_balance_cluster *c, const struct touched *at,
     double reserved)
{
    uint32_t n = at->node;
    double left_mib = c->free_mem[n] - at->load[DCP_BALANCE_MEM];
    bool failed = c->free_mem[n] <= c->reserved[n];

    if (c->nodes[n].offline) {
        return false;
    }
    if (left_mib <= 0 && at->gains_primary) {
        return false;
    }
    if (c->width == WIDTH && at->load[DCP_BALANCE_DISK] > 0 &&
        c->free_disk[n] - at->load[DCP_BALANCE_DISK] <= 0) {
        return false;
    }
    if (at->forced) {
        return true;
    }
    return (failed || left_mib > reserved) &&
           (at->load[DCP_BALANCE_VCPU] <= 0 ||
            c->free_vcpus[n] - at->load[DCP_BALANCE_VCPU] >= -EPS) &&
           (c->width < WIDTH || at->load[DCP_BALANCE_SPINDLES] <= 0 ||
            c->free_spindles[n] - at->load[DCP_BALANCE_SPINDLES] >= -EPS);
}

static double
counts_penalty(const struct dcp_balance_cluster *c, const struct touched *at,
               double reserved)
{
    double here = (double)c->n_primaries[at->node] + at->primaries;
    double all = here + (double)c->n_secondaries[at->node] + at->secondaries;

    if (c->nodes[at->node].offline) {
        return 4 * all + 16 * here;
    }
    return c->free_mem[at->node] - at->load[DCP_BALANCE_MEM] < reserved ? all
                                                                        : 0;
}

/* Deviations of sums; 'width' is a constant where this is inlined. */
static inline double
weigh(const struct dcp_balance_cluster *c, const double *sum,
      const double *square, uint32_t width)
{
    double root[DCP_BALANCE_N_COLUMNS], by = 1.0 / c->n_online, score = 0;

    for (uint32_t k = 0; k < width; k++) {
        double mean = sum[k] * by, variance = square[k] * by - mean * mean;

        root[k] = sqrt(variance > 0 ? variance : 0);
    }
    for (uint32_t k = 0; k < width; k++) {
        score += c->weight[k] * root[k];
    }
    return score;
}

/* The reserved memory and penalties of one node with the trial. */
static void
weigh_node(const struct dcp_balance_cluster *c, const struct touched *at,
           double reserved, double *sum, double *square, double *extra)
{
    const struct dcp_balance_node *node = &c->nodes[at->node];

    if (c->reserves && !node->offline) {
        double d = (reserved - c->reserved[at->node]) / node->total_mem_mib;
        double x = c->value[(size_t)at->node * WIDTH + DCP_BALANCE_RESERVED];

        *extra += 0.25 * d;
        sum[DCP_BALANCE_RESERVED] += d;
        square[DCP_BALANCE_RESERVED] += d * (2 * x + d);
    }
    if (c->penalty[at->node] <= 0 && !c->reserves) {
        return;
    }
    *extra += counts_penalty(c, at, reserved) - c->penalty[at->node];
    /* The node's tags are counted by their change. */
    for (uint32_t k = 0; k < c->n_tags && !node->offline; k++) {
        uint32_t here = c->tag_count[(size_t)at->node * c->n_tags + k];

        *extra += here > 1 ? 2.0 * (here - 1) : 0;
    }
}

static inline double
try_moves(const struct dcp_balance_cluster *c, const struct trial *t,
          uint32_t width)
{
    double sum[DCP_BALANCE_N_COLUMNS], square[DCP_BALANCE_N_COLUMNS];
    double extra =
        c->constant + 0.25 * c->reserved_share + c->penalties + t->tag_penalty;

    for (uint32_t k = 0; k < width; k++) {
        sum[k] = c->sum[k];
        square[k] = c->square[k];
    }
    for (uint32_t j = 0; j < t->n; j++) {
        const struct touched *at = &t->at[j];
        const double *x = &c->value[(size_t)at->node * WIDTH];
        const double *f = &c->factor[(size_t)at->node * WIDTH];
        double reserved = c->reserves ? reserved_with(c, t, at->node) : 0;

        if (at->gains && !fits(c, at, reserved)) {
            return INFINITY;
        }
        for (uint32_t k = 0; k < width; k++) {
            double d = at->load[k] * f[k];

            sum[k] += d;
            square[k] += d * (2 * x[k] + d);
        }
        weigh_node(c, at, reserved, sum, square, &extra);
    }
    return extra + weigh(c, sum, square, width);
}

double
dcp_balance_try(struct dcp_balance_cluster *c,
                const struct dcp_balance_move moves[], uint32_t n)
{
    struct trial t;

    gather_moves(c, &t, moves, n);
    if (t.tags_clash) {
        return INFINITY;
    }
    return c->width < WIDTH ? try_moves(c, &t, DCP_BALANCE_DISK)
                            : try_moves(c, &t, WIDTH);
}

static void
write_back(struct dcp_balance_cluster *c, const struct touched *at)
{
    uint32_t n = at->node;
    double *x = &c->value[(size_t)n * WIDTH];
    const double *f = &c->factor[(size_t)n * WIDTH];

    c->n_primaries[n] += (uint32_t)at->primaries;
    c->n_secondaries[n] += (uint32_t)at->secondaries;
    c->free_mem[n] -= at->load[DCP_BALANCE_MEM];
    c->free_vcpus[n] -= at->load[DCP_BALANCE_VCPU];
    if (c->width == WIDTH) {
        c->free_disk[n] -= at->load[DCP_BALANCE_DISK];
        c->free_spindles[n] -= at->load[DCP_BALANCE_SPINDLES];
    }
    for (uint32_t k = 0; k < c->width; k++) {
        double d = at->load[k] * f[k];

        c->sum[k] += d;
        c->square[k] += d * (2 * x[k] + d);
        x[k] += d;
    }
}

static void
write_reserved(struct dcp_balance_cluster *c, uint32_t n)
{
    double before = c->reserved[n];
    double *x = &c->value[(size_t)n * WIDTH + DCP_BALANCE_RESERVED];

    dcp_balance_find_top(c, n);
    if (c->nodes[n].offline) {
        return;
    }
    double d = (c->reserved[n] - before) / c->nodes[n].total_mem_mib;

    c->reserved_share += d;
    c->sum[DCP_BALANCE_RESERVED] += d;
    c->square[DCP_BALANCE_RESERVED] += d * (2 * *x + d);
    *x += d;
}

void
dcp_balance_do(struct dcp_balance_cluster *c,
               const struct dcp_balance_move moves[], uint32_t n)
{
    struct trial t;

    gather_moves(c, &t, moves, n);
    for (uint32_t j = 0; j < t.n; j++) {
        write_back(c, &t.at[j]);
    }
    for (uint32_t k = 0; k < t.n_rows; k++) {
        c->peers[(size_t)t.row[k].node * c->n_nodes + t.row[k].peer] +=
            t.row[k].mib;
    }
    for (uint32_t k = 0; k < n; k++) {
        struct dcp_balance_instance *v = &c->instances[moves[k].instance];

        for (uint32_t j = 0; j < v->n_tags; j++) {
            c->tag_count[(size_t)v->primary * c->n_tags + v->tags[j]]--;
            c->tag_count[(size_t)moves[k].primary * c->n_tags + v->tags[j]]++;
        }
        v->primary = moves[k].primary;
        v->secondary = moves[k].secondary;
    }
    for (uint32_t j = 0; j < t.n; j++) {
        uint32_t node = t.at[j].node;

        if (c->reserves) {
            write_reserved(c, node);
        }
        c->penalties -= c->penalty[node];
        c->penalty[node] = dcp_balance_penalty(c, node);
        c->penalties += c->penalty[node];
    }
    if (++c->n_done % 4096 == 0) {
        dcp_balance_sums(c);
    }
}

uint32_t
dcp_balance_steps(const struct dcp_balance_cluster *c, uint32_t instance,
                  uint32_t primary, uint32_t secondary)
{
    uint32_t p = c->home[instance], s = c->home_secondary[instance];

    if (primary == p && secondary == s) {
        return 0;
    }
    return s == DCP_IX_NONE || primary == p || primary == s || secondary == p ||
                   secondary == s
               ? 1
               : 2;
}

bool
dcp_balance_is_step(struct dcp_balance_cluster *c,
                    const struct dcp_balance_move *m)
{
    const struct dcp_balance_instance *v = &c->instances[m->instance];
    uint32_t p = v->primary, s = v->secondary;

    if (!v->movable || (m->primary == p && m->secondary == s)) {
        return false;
    }
    if (s == DCP_IX_NONE) {
        return isfinite(dcp_balance_try(c, m, 1));
    }
    if (m->primary != p && m->primary != s && m->secondary != p &&
        m->secondary != s) {
        return false;
    }
    /* Where the old secondary stays one, or becomes the primary, the instance
     * runs there on the way. */
    if (m->primary != p && (m->secondary == s || m->primary == s)) {
        const struct dcp_balance_move way = { m->instance, s, p };

        if (!c->nodes[p].offline && !isfinite(dcp_balance_try(c, &way, 1))) {
            return false;
        }
    }
    return isfinite(dcp_balance_try(c, m, 1));
}
