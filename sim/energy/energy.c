/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/energy/energy.h"

#include "model/power.h"

#include <math.h>

#define J_PER_KWH 3.6e6

const char *
dcp_energy_part_name(enum dcp_energy_part part)
{
    static const char *const names[DCP_ENERGY_PARTS] = {
        [DCP_ENERGY_SERVERS] = "servers",
        [DCP_ENERGY_STANDBY] = "standby",
        [DCP_ENERGY_PHYSICAL] = "physical_servers",
        [DCP_ENERGY_STORAGE] = "storage",
        [DCP_ENERGY_SWITCHES] = "switches",
        [DCP_ENERGY_TRANSFORMER] = "transformer",
        [DCP_ENERGY_UPS] = "ups",
        [DCP_ENERGY_RECTIFIER] = "rectifier",
        [DCP_ENERGY_PDU] = "pdu",
        [DCP_ENERGY_WIRING] = "wiring",
        [DCP_ENERGY_PSU] = "psu",
        [DCP_ENERGY_CHILLER] = "chiller",
        [DCP_ENERGY_FANS] = "fans",
        [DCP_ENERGY_FIXED] = "fixed",
        [DCP_ENERGY_OTHER] = "other",
    };

    return names[part];
}

static dcp_site_id
column_site(const struct dcp_inventory *inv, uint32_t column)
{
    return column < inv->n_sites ? (dcp_site_id){ column } : dcp_site_none();
}

/* --- One site in one slice ---------------------------------------------- */

struct cell {
    dcp_site_id site;
    double seconds;
    double it_j;
    const double *reference_it_j; /* NULL: none. */
};

/* Average PUE on what the reference draws, marginal PUE on the difference. */
static double
meter_by_pue_j(const struct dcp_inventory *inv, const struct cell *c)
{
    double average = dcp_site_pue(inv, c->site);

    if (!c->reference_it_j) {
        return c->it_j * average;
    }
    return *c->reference_it_j * average +
           (c->it_j - *c->reference_it_j) * dcp_site_pue_marginal(inv, c->site);
}

/* Watts by the plant, its losses among the slice's parts. */
static double
meter_by_plant_w(const struct dcp_plant *plant, const struct cell *c,
                 struct dcp_sim_result *out, struct dcp_sim_slice *slice)
{
    struct dcp_plant_power p = dcp_plant_power(
        plant, c->it_j / c->seconds,
        dcp_plant_outside_c(plant, slice->start_ms, slice->end_ms));

    for (uint32_t k = 0; k < DCP_STAGE_KINDS; k++) {
        slice->part_w[DCP_ENERGY_TRANSFORMER + k] += p.chain.loss_w[k];
    }
    slice->part_w[DCP_ENERGY_CHILLER] += p.cooling.chiller_w;
    slice->part_w[DCP_ENERGY_FANS] += p.cooling.fans_w;
    slice->part_w[DCP_ENERGY_FIXED] += p.fixed_w;
    out->over_rated_s += p.chain.over_rated ? c->seconds : 0;
    return p.meter_w;
}

static double
meter_j(const struct dcp_inventory *inv, const struct cell *c,
        struct dcp_sim_result *out, struct dcp_sim_slice *slice)
{
    if (!dcp_site_is_none(c->site) && inv->sites[c->site.ix].plant) {
        return meter_by_plant_w(inv->sites[c->site.ix].plant, c, out, slice) *
               c->seconds;
    }
    double at_meter_j = meter_by_pue_j(inv, c);

    slice->part_w[DCP_ENERGY_OTHER] += (at_meter_j - c->it_j) / c->seconds;
    return at_meter_j;
}

/* --- Machines ----------------------------------------------------------- */

/* What draws the same at all times. */
static void
constant_parts(const struct dcp_inventory *inv, double part_w[DCP_ENERGY_PARTS])
{
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        part_w[DCP_ENERGY_SWITCHES] += inv->switches[i].power_w;
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        part_w[DCP_ENERGY_STORAGE] += inv->arrays[i].power_w;
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        part_w[DCP_ENERGY_PHYSICAL] += inv->servers[i].power_w;
    }
}

/* The hosts that are not off draw what is left of all machines' watts. */
static void
machine_parts(struct dcp_sim_slice *slice,
              const double constant_w[DCP_ENERGY_PARTS], double seconds)
{
    double left_w = slice->it_w;

    slice->part_w[DCP_ENERGY_STANDBY] /= seconds;
    left_w -= slice->part_w[DCP_ENERGY_STANDBY];
    for (int k = DCP_ENERGY_PHYSICAL; k <= DCP_ENERGY_SWITCHES; k++) {
        slice->part_w[k] = constant_w[k];
        left_w -= constant_w[k];
    }
    /* Rounding may leave a trace where no host is on. */
    slice->part_w[DCP_ENERGY_SERVERS] =
        left_w > 1e-9 * slice->it_w ? left_w : 0;
}

/* --- All slices --------------------------------------------------------- */

static void
sum_slice(struct dcp_sim_result *out, struct dcp_sim_slice *slice,
          double seconds, double *machines_j)
{
    double machines_w = slice->it_w + slice->part_w[DCP_ENERGY_PSU];

    slice->pue = machines_w > 0 ? slice->meter_w / machines_w : NAN;
    out->pue_min = fmin(out->pue_min, slice->pue); /* Of NaN, the other. */
    out->pue_max = fmax(out->pue_max, slice->pue);
    *machines_j += machines_w * seconds;
    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        out->part_kwh[k] += slice->part_w[k] * seconds / J_PER_KWH;
    }
}

void
dcp_sim_sum_energy(const struct dcp_sim_input *in, struct dcp_sim_result *out)
{
    const struct dcp_inventory *inv = in->inventory;
    const struct dcp_sim_result *ref = in->reference;
    bool comparable = ref && ref->n_slices >= out->n_slices &&
                      ref->from_ms == out->from_ms &&
                      ref->slices[out->n_slices - 1].end_ms == out->to_ms;
    double constant_w[DCP_ENERGY_PARTS] = { 0 }, machines_j = 0;

    constant_parts(inv, constant_w);
    out->pue_min = out->pue_max = NAN;
    for (uint32_t i = 0; i < out->n_slices; i++) {
        struct dcp_sim_slice *slice = &out->slices[i];
        double seconds = (double)(slice->end_ms - slice->start_ms) / 1000;
        double it_sum_j = 0, meter_sum_j = 0;

        for (uint32_t s = 0; s < out->n_site_columns; s++) {
            size_t at = (size_t)i * out->n_site_columns + s;
            struct cell c = { column_site(inv, s), seconds, out->site_it_j[at],
                              comparable ? &ref->site_it_j[at] : NULL };
            double at_meter_j = meter_j(inv, &c, out, slice), price, carbon_g;

            dcp_energy_price_mean(inv, c.site, slice->start_ms, slice->end_ms,
                                  &price, &carbon_g);
            out->energy_cost += at_meter_j / J_PER_KWH * price;
            out->carbon_kg += at_meter_j / J_PER_KWH * carbon_g / 1000;
            it_sum_j += c.it_j;
            meter_sum_j += at_meter_j;
        }
        slice->it_w = it_sum_j / seconds;
        slice->meter_w = meter_sum_j / seconds;
        out->it_kwh += it_sum_j / J_PER_KWH;
        out->meter_kwh += meter_sum_j / J_PER_KWH;
        machine_parts(slice, constant_w, seconds);
        sum_slice(out, slice, seconds, &machines_j);
    }
    out->pue_mean =
        machines_j > 0 ? out->meter_kwh / (machines_j / J_PER_KWH) : NAN;
    out->boot_kwh /= J_PER_KWH;
    out->shutdown_kwh /= J_PER_KWH;
    out->standby_kwh /= J_PER_KWH;
}
