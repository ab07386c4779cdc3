/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/cooling.h"

#include <math.h>

double
dcp_cooling_cop(const struct dcp_cooling *c)
{
    double t = c->supply_c;

    return c->cop > 0 ? c->cop : 0.0068 * t * t + 0.0008 * t + 0.458;
}

static double
free_frac(const struct dcp_cooling *c, double outside_c)
{
    if (isnan(outside_c)) {
        return 0;
    }
    double share =
        (c->supply_c + c->rise_k - outside_c - c->approach_k) / c->rise_k;

    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double
fans_w(const struct dcp_cooling *c, double heat_w)
{
    if (c->fan_heat_w <= 0) {
        return 0;
    }
    double flow = heat_w / c->fan_heat_w;

    if (flow < c->fan_flow_min_frac) {
        flow = c->fan_flow_min_frac;
    }
    return c->fan_w * flow * flow * flow;
}

struct dcp_cooling_power
dcp_cooling_power(const struct dcp_cooling *c, double heat_w, double outside_c)
{
    struct dcp_cooling_power out = { .fans_w = fans_w(c, heat_w),
                                     .free_frac = free_frac(c, outside_c) };

    out.chiller_w =
        (heat_w + out.fans_w) * (1 - out.free_frac) / dcp_cooling_cop(c);
    return out;
}
