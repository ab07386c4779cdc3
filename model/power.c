/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/power.h"

double
dcp_power_at(const struct dcp_hardware *hw, double load_frac)
{
    const uint32_t last = DCP_POWER_POINTS - 1;

    if (!(load_frac > 0)) { /* Also NaN. */
        return hw->power_w[0];
    }
    if (load_frac >= 1) {
        return hw->power_w[last];
    }
    double at = load_frac * last;
    uint32_t i = (uint32_t)at;

    return hw->power_w[i] + (at - i) * (hw->power_w[i + 1] - hw->power_w[i]);
}

double
dcp_power_slope_w(const struct dcp_hardware *hw)
{
    const uint32_t last = DCP_POWER_POINTS - 1;
    double slope = hw->power_w[last] - hw->power_w[0];

    /* The curve is straight between points: its corners decide. */
    for (uint32_t i = 1; i < last; i++) {
        double m = (hw->power_w[i] - hw->power_w[0]) * last / i;

        if (m < slope) {
            slope = m;
        }
    }
    return slope;
}

/* The row that holds at the instant; NULL: none does. */
static const struct dcp_tariff_row *
tariff_row(const struct dcp_inventory *inv, dcp_site_id site, int64_t utc_ms)
{
    if (dcp_site_is_none(site) ||
        dcp_tariff_is_none(inv->sites[site.ix].tariff)) {
        return NULL;
    }
    const struct dcp_tariff *tariff =
        &inv->tariffs[inv->sites[site.ix].tariff.ix];
    struct dcp_local local = dcp_zone_local(inv->sites[site.ix].zone, utc_ms);
    uint32_t day_class = dcp_calendar_class(&inv->calendar, local.day);

    for (uint32_t i = 0; i < tariff->n_rows; i++) {
        const struct dcp_tariff_row *row = &tariff->rows[i];

        if (row->day_classes && !(row->day_classes >> day_class & 1)) {
            continue;
        }
        if (row->has_hours &&
            !dcp_window_contains(&row->hours, local.ms_of_day)) {
            continue;
        }
        return row;
    }
    return NULL;
}

/* As it is: prices by the hour may be below zero. */
static double
price_at(const struct dcp_tariff_row *row, int64_t utc_ms)
{
    double price;

    if (row && row->prices && dcp_hourly_at(row->prices, utc_ms, &price)) {
        return price;
    }
    return row ? row->price_per_kwh : 0;
}

static double
carbon_at(const struct dcp_tariff_row *row, int64_t utc_ms)
{
    double carbon_g;

    if (row && row->carbon && dcp_hourly_at(row->carbon, utc_ms, &carbon_g)) {
        return carbon_g;
    }
    return row ? row->carbon_g_per_kwh : 0;
}

double
dcp_energy_price(const struct dcp_inventory *inv, dcp_site_id site,
                 int64_t utc_ms)
{
    const struct dcp_tariff_row *row = tariff_row(inv, site, utc_ms);
    double price = price_at(row, utc_ms);

    return row && row->prices && price < 0 ? 0 : price;
}

double
dcp_energy_carbon_g(const struct dcp_inventory *inv, dcp_site_id site,
                    int64_t utc_ms)
{
    return carbon_at(tariff_row(inv, site, utc_ms), utc_ms);
}

/* One row, with one value, holds in the whole of [from_ms, to_ms): it lies in
 * one local hour and rows begin at full hours. */
static bool
is_one_row(const struct dcp_inventory *inv, dcp_site_id site, int64_t from_ms,
           int64_t to_ms)
{
    const struct dcp_tariff *tariff =
        &inv->tariffs[inv->sites[site.ix].tariff.ix];
    struct dcp_local local = dcp_zone_local(inv->sites[site.ix].zone, from_ms);

    for (uint32_t i = 0; i < tariff->n_rows; i++) {
        const struct dcp_tariff_row *row = &tariff->rows[i];

        if (row->has_hours &&
            (row->hours.from_min % 60 || row->hours.to_min % 60)) {
            return false;
        }
        if ((row->prices &&
             !dcp_hourly_is_constant(row->prices, from_ms, to_ms)) ||
            (row->carbon &&
             !dcp_hourly_is_constant(row->carbon, from_ms, to_ms))) {
            return false;
        }
    }
    return local.ms_of_day % DCP_HOUR_MS + to_ms - from_ms <= DCP_HOUR_MS;
}

void
dcp_energy_price_mean(const struct dcp_inventory *inv, dcp_site_id site,
                      int64_t from_ms, int64_t to_ms, double *out_price,
                      double *out_carbon_g)
{
    const int64_t minute_ms = 60000;
    double price = 0, carbon_g = 0;

    const struct dcp_tariff_row *first = tariff_row(inv, site, from_ms);

    *out_price = price_at(first, from_ms);
    *out_carbon_g = carbon_at(first, from_ms);
    if (to_ms <= from_ms || dcp_site_is_none(site) ||
        dcp_tariff_is_none(inv->sites[site.ix].tariff) ||
        is_one_row(inv, site, from_ms, to_ms)) {
        return;
    }
    /* Rows begin at whole local minutes, and offsets of zones in use since
     * 1972 are whole minutes: each step lies in one row. */
    for (int64_t t = from_ms; t < to_ms;) {
        int64_t next = t - (t % minute_ms + minute_ms) % minute_ms + minute_ms;

        if (next > to_ms) {
            next = to_ms;
        }
        const struct dcp_tariff_row *row = tariff_row(inv, site, t);

        price += (double)(next - t) * price_at(row, t);
        carbon_g += (double)(next - t) * carbon_at(row, t);
        t = next;
    }
    *out_price = price / (double)(to_ms - from_ms);
    *out_carbon_g = carbon_g / (double)(to_ms - from_ms);
}

double
dcp_site_pue(const struct dcp_inventory *inv, dcp_site_id site)
{
    return dcp_site_is_none(site) ? 1 : inv->sites[site.ix].pue;
}

double
dcp_site_pue_marginal(const struct dcp_inventory *inv, dcp_site_id site)
{
    return dcp_site_is_none(site) ? 1 : inv->sites[site.ix].pue_marginal;
}

bool
dcp_inventory_has_prices(const struct dcp_inventory *inv)
{
    for (uint32_t i = 0; i < inv->n_sites; i++) {
        if (dcp_tariff_is_none(inv->sites[i].tariff)) {
            continue;
        }
        const struct dcp_tariff *tariff =
            &inv->tariffs[inv->sites[i].tariff.ix];

        for (uint32_t r = 0; r < tariff->n_rows; r++) {
            if (tariff->rows[r].price_per_kwh > 0 || tariff->rows[r].prices) {
                return true;
            }
        }
    }
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        if (inv->licences[i].price_per_year > 0) {
            return true;
        }
    }
    return false;
}
