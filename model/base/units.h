/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_UNITS_H
#define DCP_MODEL_BASE_UNITS_H 1

/* Quantities as people write them, to and from the one unit per dimension that
 * is used inside: MHz, MiB, KiB/s, ms, W, fraction of 1, money per hour.
 *
 *   cpu        2.4GHz 2600MHz                     -> MHz
 *   size       64GiB 512MiB 2TiB (GB, MB, TB are decimal)   -> MiB
 *   rate       40MiB/s 512KiB/s, and 10Gbit 1000Mbit (per second) -> KiB/s
 *   time       15min 30s 250ms 4h 7d 2w           -> ms
 *   power      1.2kW 350W                         -> W
 *   share      80% 0.8                            -> 0.8
 *   emission   210g/kWh                           -> g/kWh
 *
 * Parsing is locale-independent.  A bare number is refused where a unit is
 * needed, except 0.  Each parser returns false with a message that shows an
 * accepted form. */

#include "model/base/error.h"

#include <stddef.h>

enum dcp_dimension {
    DCP_DIM_CPU,      /* MHz */
    DCP_DIM_SIZE,     /* MiB */
    DCP_DIM_RATE,     /* KiB/s */
    DCP_DIM_TIME,     /* ms */
    DCP_DIM_POWER,    /* W */
    DCP_DIM_SHARE,    /* 0..1, above 1 allowed here */
    DCP_DIM_EMISSION, /* g/kWh */
    DCP_DIM_HEIGHT,   /* rack units: 42U */
    DCP_DIM_TEMPERATURE, /* degrees Celsius: 22C */
    DCP_DIM_NUMBER,   /* no unit */
};

/* 'text' up to its NUL.  *out is in the inside unit. */
bool dcp_parse_quantity(enum dcp_dimension, const char *text, double *out,
                        struct dcp_error *err) DCP_CHECKED;
/* As above, rounded to the nearest whole; refuses what is below 0 or above
 * 2^53. */
bool dcp_parse_amount(enum dcp_dimension, const char *text, uint64_t *out,
                      struct dcp_error *err) DCP_CHECKED;

/* A form that reads back, e.g. "64GiB", "15min"; exact or in the base unit. */
void dcp_print_quantity(enum dcp_dimension, double value, char *out,
                        size_t size);
/* For people: three significant digits, "48.2 GiB", "1.20 kW", "1 h 52 min". */
void dcp_print_human(enum dcp_dimension, double value, char *out, size_t size);

/* RFC 3339 instants, "2013-08-22T00:00:00Z" or with an offset, to and from ms
 * since 1970 UTC. Printing shows fractions of a second only where there are
 * some. */
bool dcp_parse_instant(const char *text, int64_t *out_ms,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_print_instant(int64_t ms, char out[32]);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and
 * back (Hinnant, "chrono-compatible low-level date algorithms"). */
int64_t dcp_days_from_civil(int64_t year, uint32_t month, uint32_t day);
void dcp_civil_from_days(int64_t days, int64_t *out_year, uint32_t *out_month,
                         uint32_t *out_day);

/* The plain decimal number at 'text' ("12", "-3.5", "6.7108864E7"); NULL: none
 * there; else the first character after it.  Never looks at the locale. */
const char *dcp_scan_double(const char *text, double *out);

#endif /* model/base/units.h */
