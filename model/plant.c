/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/plant.h"

#include <math.h>

struct dcp_plant_power
dcp_plant_power(const struct dcp_plant *p, double it_w, double outside_c)
{
    struct dcp_plant_power out = { .chain = dcp_chain_power(&p->chain, it_w),
                                   .fixed_w = p->fixed_w };

    out.machines_w = it_w + out.chain.loss_w[DCP_STAGE_PSU];
    if (p->has_cooling) {
        out.cooling =
            dcp_cooling_power(&p->cooling, out.chain.input_w, outside_c);
    }
    out.meter_w = out.chain.input_w + out.cooling.chiller_w +
                  out.cooling.fans_w + out.fixed_w;
    return out;
}

double
dcp_plant_outside_c(const struct dcp_plant *p, int64_t from_ms, int64_t to_ms)
{
    return p->weather ? dcp_hourly_mean_between(p->weather, from_ms, to_ms,
                                                p->outside_c)
                      : p->outside_c;
}

void
dcp_plant_pue_near(const struct dcp_plant *p, double it_w, double *out_average,
                   double *out_marginal)
{
    double outside_c = p->weather ? dcp_hourly_mean(p->weather) : p->outside_c;

    *out_average = *out_marginal = 1;
    if (it_w > 0) {
        double there_w = dcp_plant_power(p, it_w, outside_c).meter_w;
        double below_w = dcp_plant_power(p, 0.9 * it_w, outside_c).meter_w;

        *out_average = there_w / it_w;
        *out_marginal = (there_w - below_w) / (0.1 * it_w);
    }
}
