/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_HOURLY_FILE_H
#define DCP_MODEL_IO_HOURLY_FILE_H 1

/* Prices, emissions and temperatures by the hour, from CSV.
 *
 * The column of time is the first of
 *   time, timestamp   RFC 3339, or with a space for the T; no offset: UTC
 *   Datetime (UTC)    the same
 *   Datetime          clocks of the zone: an hour that clocks show twice has
 *                     its value twice, one that they skip is left out
 * and that of values the first of
 *   price     price_per_kwh; Price (EUR/kWh); Price (EUR/MWh), any currency
 *   carbon    carbon_g_per_kwh; carbon_intensity; Carbon Intensity ... (LCA),
 *             else the first that begins with Carbon Intensity: Electricity
 *             Maps' exports, in g/kWh
 *   weather   temperature_c; temperature: Celsius
 * Other columns are skipped, rows without a value too.  Rows ascend in time and
 * lie at whole minutes. */

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/calendar.h"
#include "model/hourly.h"

#include <stddef.h>

enum dcp_hourly_figure {
    DCP_HOURLY_PRICE,  /* Money per kWh. */
    DCP_HOURLY_CARBON, /* g per kWh. */
    DCP_HOURLY_WEATHER,
};

#define DCP_HOURLY_MAX_BYTES ((size_t)64 << 20)

/* 'text' (NUL-terminated at 'length') is changed.  'out_currency' is that of a
 * column that names one, else "". */
bool dcp_hourly_parse(const char *path, char *text, size_t length,
                      enum dcp_hourly_figure, const struct dcp_zone *,
                      struct dcp_arena *, struct dcp_hourly *out,
                      char out_currency[8], struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/hourly_file.h */
