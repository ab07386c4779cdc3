/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Column by column: the score is a sum, so the sum of what each column costs at
 * least is a bound. */

#include "solver/balance/cluster_parts.h"

#include <math.h>

static double
common_divisor(double a, double b)
{
    while (b > 0) {
        double rest = fmod(a, b);

        a = b;
        b = rest;
    }
    return a;
}

static bool
counts(const struct dcp_balance_cluster *c, uint32_t i, bool secondary)
{
    return c->instances[i].movable &&
           (!secondary || c->instances[i].secondary != DCP_IX_NONE);
}

/* What can move in a column comes in whole numbers of this; 0: nothing can
 * move; -1: no such unit. */
static double
unit_of(const struct dcp_balance_cluster *c, uint32_t column)
{
    double unit = 0;

    for (uint32_t i = 0; i < c->n_instances; i++) {
        const double load[2] = { c->as_primary[(size_t)i * WIDTH + column],
                                 c->as_secondary[(size_t)i * WIDTH + column] };

        for (uint32_t k = 0; k < 2 && counts(c, i, k > 0); k++) {
            if (load[k] != floor(load[k]) || load[k] > 1e15) {
                return -1;
            }
            unit = common_divisor(load[k], unit);
        }
    }
    return unit;
}

/* All online nodes turn a load into the same value, and none is offline (whose
 * loads are yet to come). */
static double
common_factor(const struct dcp_balance_cluster *c, uint32_t column)
{
    double factor = 0;

    for (uint32_t n = 0; n < c->n_nodes; n++) {
        double f = c->factor[(size_t)n * WIDTH + column];

        if (c->nodes[n].offline || f == 0 || (factor != 0 && f != factor)) {
            return 0;
        }
        factor = f;
    }
    return factor;
}

/* With one factor for all, each node's value is its present one plus a whole
 * number of 'step's, and the sum stays: values that differ from each other by
 * less than a step cannot get closer.  Where all values are alike modulo a
 * step, the best is two neighbouring levels; else anything may be: 0. */
static double
least_deviation(const struct dcp_balance_cluster *c, uint32_t column)
{
    double unit = unit_of(c, column), factor = common_factor(c, column);
    double step = fabs(unit * factor), total = 0, share;

    if (unit == 0) {
        return dcp_balance_deviation(c, (enum dcp_balance_column)column);
    }
    if (unit < 0 || factor == 0) {
        return 0;
    }
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        double levels =
            (c->value[(size_t)n * WIDTH + column] - c->value[column]) / step;

        if (fabs(levels - round(levels)) > 1e-6) {
            return 0;
        }
        total += round(levels);
    }
    share = total / c->n_nodes - floor(total / c->n_nodes);
    return step * sqrt(share * (1 - share));
}

/* What lies above 'level' (sign 1) or below it (-1). */
static double
beyond(const struct dcp_balance_cluster *c, uint32_t column, double level,
       double sign)
{
    double sum = 0;

    for (uint32_t n = 0; n < c->n_nodes; n++) {
        sum += fmax(0, sign * (c->value[(size_t)n * WIDTH + column] - level));
    }
    return sum;
}

/* The level beyond which at least 'amount' lies: cutting there is no less than
 * what may be moved. */
static double
level_of(const struct dcp_balance_cluster *c, uint32_t column, double amount,
         double mean, double sign)
{
    double far = mean, near = mean;

    for (uint32_t n = 0; n < c->n_nodes; n++) {
        double x = c->value[(size_t)n * WIDTH + column];

        far = sign * x > sign * far ? x : far;
    }
    if (beyond(c, column, mean, sign) <= amount) {
        return mean;
    }
    for (uint32_t round = 0; round < 60; round++) {
        double middle = (far + near) / 2;

        if (beyond(c, column, middle, sign) >= amount) {
            near = middle;
        } else {
            far = middle;
        }
    }
    return near;
}

/* As many steps move at most so much from node to node; the flattest that this
 * allows is to cut the highest to one level and to raise the lowest to
 * another. */
static double
level_deviation(const struct dcp_balance_cluster *c, uint32_t column,
                uint32_t max_steps)
{
    double factor = common_factor(c, column), most = 0, square = 0;

    if (factor == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < c->n_instances; i++) {
        most = fmax(most, fmax(c->as_primary[(size_t)i * WIDTH + column],
                               c->as_secondary[(size_t)i * WIDTH + column]));
    }
    double amount = most * fabs(factor) * max_steps;
    double mean = c->sum[column] / c->n_nodes;
    double high = level_of(c, column, amount, mean, 1);
    double low = level_of(c, column, amount, mean, -1);

    for (uint32_t n = 0; n < c->n_nodes; n++) {
        double x = c->value[(size_t)n * WIDTH + column];
        double y = fmin(fmax(x, low), high) - mean;

        square += y * y;
    }
    return sqrt(square / c->n_nodes);
}

/* Each node keeps, for its fullest peer, at least the mean over its peers. */
static double
least_reserved(const struct dcp_balance_cluster *c)
{
    double promised = 0, most = 0;

    for (uint32_t i = 0; i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];

        promised += v->reserves && v->secondary != DCP_IX_NONE ? v->mem_mib : 0;
    }
    for (uint32_t n = 0; n < c->n_nodes; n++) {
        most = fmax(most, c->nodes[n].total_mem_mib);
    }
    if (c->n_online < 2 || most <= 0 || c->n_online < c->n_nodes) {
        return 0;
    }
    return promised / (c->n_online - 1) / most;
}

double
dcp_balance_bound(const struct dcp_balance_cluster *c, uint32_t max_steps)
{
    double bound = c->constant + 0.25 * least_reserved(c);

    for (uint32_t k = 0; k < c->width; k++) {
        if (c->weight[k] > 0 && k != DCP_BALANCE_RESERVED) {
            bound += c->weight[k] *
                     fmax(least_deviation(c, k),
                          max_steps ? level_deviation(c, k, max_steps) : 0);
        }
    }
    return bound * (1 - 1e-9);
}
