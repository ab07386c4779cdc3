/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One table row per unit; the first row of a dimension is its inside unit.
 * Numbers are scanned by hand so that no locale can change a comma. */

#include "model/base/units.h"

#include "model/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    enum dcp_dimension dimension;
    const char *name;
    double factor; /* Inside units per one of this. */
    bool printed;  /* Used when printing, largest exact first. */
};

#define KIB_PER_BIT (1.0 / 8 / 1024)
#define MIB_PER_BYTE (1.0 / 1048576)

static const struct unit units[] = {
    { DCP_DIM_CPU, "MHz", 1, true },
    { DCP_DIM_CPU, "GHz", 1e3, true },
    { DCP_DIM_SIZE, "MiB", 1, true },
    { DCP_DIM_SIZE, "GiB", 1024, true },
    { DCP_DIM_SIZE, "TiB", 1048576, true },
    { DCP_DIM_SIZE, "PiB", 1073741824, false },
    { DCP_DIM_SIZE, "KiB", 1.0 / 1024, false },
    { DCP_DIM_SIZE, "MB", 1e6 * MIB_PER_BYTE, false },
    { DCP_DIM_SIZE, "GB", 1e9 * MIB_PER_BYTE, false },
    { DCP_DIM_SIZE, "TB", 1e12 * MIB_PER_BYTE, false },
    { DCP_DIM_RATE, "KiB/s", 1, true },
    { DCP_DIM_RATE, "MiB/s", 1024, true },
    { DCP_DIM_RATE, "GiB/s", 1048576, true },
    { DCP_DIM_RATE, "kbit", 1e3 * KIB_PER_BIT, false },
    { DCP_DIM_RATE, "Mbit", 1e6 * KIB_PER_BIT, true },
    { DCP_DIM_RATE, "Gbit", 1e9 * KIB_PER_BIT, true },
    { DCP_DIM_RATE, "Gbit/s", 1e9 * KIB_PER_BIT, false },
    { DCP_DIM_RATE, "Mbit/s", 1e6 * KIB_PER_BIT, false },
    { DCP_DIM_TIME, "ms", 1, true },
    { DCP_DIM_TIME, "s", 1e3, true },
    { DCP_DIM_TIME, "min", 6e4, true },
    { DCP_DIM_TIME, "h", 3.6e6, true },
    { DCP_DIM_TIME, "d", 8.64e7, true },
    { DCP_DIM_TIME, "w", 6.048e8, false },
    { DCP_DIM_POWER, "W", 1, true },
    { DCP_DIM_POWER, "kW", 1e3, true },
    { DCP_DIM_POWER, "MW", 1e6, false },
    { DCP_DIM_SHARE, "", 1, false },
    { DCP_DIM_SHARE, "%", 0.01, true },
    { DCP_DIM_EMISSION, "g/kWh", 1, true },
    { DCP_DIM_EMISSION, "kg/kWh", 1e3, false },
    { DCP_DIM_HEIGHT, "U", 1, true },
    { DCP_DIM_TEMPERATURE, "C", 1, true },
    { DCP_DIM_NUMBER, "", 1, true },
};
enum { N_UNITS = sizeof units / sizeof units[0] };

static const char *const examples[] = {
    [DCP_DIM_CPU] = "a frequency such as 2.4GHz",
    [DCP_DIM_SIZE] = "a size such as 64GiB",
    [DCP_DIM_RATE] = "a rate such as 10Gbit or 40MiB/s",
    [DCP_DIM_TIME] = "a time such as 15min",
    [DCP_DIM_POWER] = "a power such as 1.2kW",
    [DCP_DIM_SHARE] = "a share such as 80%",
    [DCP_DIM_EMISSION] = "an emission such as 210g/kWh",
    [DCP_DIM_HEIGHT] = "a height such as 42U",
    [DCP_DIM_TEMPERATURE] = "a temperature such as 22C",
    [DCP_DIM_NUMBER] = "a number",
};

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exact for what a double holds exactly: up to 15 significant digits and a
 * power of ten up to 22 need one rounding; the rest goes through strtod on a
 * copy in which only digits, '.', and an exponent can stand. */
const char *
dcp_scan_double(const char *text, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                     1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                     1e18, 1e19, 1e20, 1e21, 1e22 };
    const char *p = text;
    bool negative = *p == '-';
    uint64_t mantissa = 0;
    int n_digits = 0, exponent = 0;
    bool any = false, dropped = false;

    p += *p == '-' || *p == '+';
    for (int fraction = 0; digit(*p) || (*p == '.' && !fraction); p++) {
        if (*p == '.') {
            fraction = 1;
            continue;
        }
        any = true;
        if (n_digits < 19) {
            mantissa = 10 * mantissa + (uint64_t)(*p - '0');
            n_digits += mantissa != 0;
            exponent -= fraction;
        } else {
            dropped = true;
            exponent += !fraction;
        }
    }
    if (!any) {
        return NULL;
    }
    if ((*p == 'e' || *p == 'E') &&
        (digit(p[1]) || ((p[1] == '-' || p[1] == '+') && digit(p[2])))) {
        bool down = p[1] == '-';
        int e = 0;

        for (p += digit(p[1]) ? 1 : 2; digit(*p); p++) {
            e = e < 10000 ? 10 * e + (*p - '0') : e;
        }
        exponent += down ? -e : e;
    }
    double value;

    if (!dropped && mantissa <= (UINT64_C(1) << 53) && exponent >= -22 &&
        exponent <= 22) {
        value = (double)mantissa;
        value = exponent < 0 ? value / powers[-exponent]
                             : value * powers[exponent];
    } else {
        char copy[64];

        (void)snprintf(copy, sizeof copy, "%llue%d",
                       (unsigned long long)mantissa, exponent);
        value = strtod(copy, NULL);
    }
    *out = negative ? -value : value;
    return p;
}

/* Far above anything that is, and safe to convert and print in any unit. */
#define LARGEST 1e18

bool
dcp_parse_quantity(enum dcp_dimension dimension, const char *text, double *out,
                   struct dcp_error *err)
{
    double number;
    const char *rest = dcp_scan_double(text, &number);

    if (rest) {
        while (*rest == ' ') {
            rest++;
        }
        for (int i = 0; i < N_UNITS; i++) {
            if (units[i].dimension == dimension &&
                !strcmp(units[i].name, rest)) {
                double value = number * units[i].factor;

                if (!(fabs(value) <= LARGEST)) {
                    return dcp_fail(err, DCP_E_PARSE,
                                    "'%.40s' is out of range", text);
                }
                *out = value;
                return true;
            }
        }
        if (!*rest && number == 0) {
            *out = 0;
            return true;
        }
    }
    return dcp_fail(err, DCP_E_PARSE, "'%.40s' is not %s", text,
                    examples[dimension]);
}

bool
dcp_parse_amount(enum dcp_dimension dimension, const char *text, uint64_t *out,
                 struct dcp_error *err)
{
    double value;

    if (!dcp_parse_quantity(dimension, text, &value, err)) {
        return false;
    }
    if (!(value >= 0) || value > 9007199254740992.0) {
        return dcp_fail(err, DCP_E_PARSE, "'%.40s' is out of range", text);
    }
    *out = (uint64_t)llround(value);
    return true;
}

void
dcp_print_quantity(enum dcp_dimension dimension, double value, char *out,
                   size_t size)
{
    const struct unit *best = NULL;

    for (int i = 0; i < N_UNITS; i++) {
        const struct unit *u = &units[i];
        double n = value / u->factor;

        if (u->dimension != dimension || !u->printed) {
            continue;
        }
        bool exact = fabs(n * 1000 - nearbyint(n * 1000)) < 1e-7 &&
                     nearbyint(n * 1000) / 1000 * u->factor == value;

        if (!best || (exact && fabs(n) >= 1 && u->factor > best->factor)) {
            best = u;
        }
    }
    char number[32];

    dcp_text_double(number, best ? value / best->factor : value);
    (void)snprintf(out, size, "%s%s", number, best ? best->name : "");
}

static void
print_time_human(double ms, char *out, size_t size)
{
    double s = ms / 1e3;

    if (s < 1) {
        (void)snprintf(out, size, "%.0f ms", ms);
    } else if (s < 99.5) {
        (void)snprintf(out, size, s < 9.95 ? "%.1f s" : "%.0f s", s);
    } else if (s < 5970) {
        (void)snprintf(out, size, "%.0f min", s / 60);
    } else if (s < 172800) {
        int64_t minutes = llround(s / 60);

        (void)snprintf(out, size, "%lld h %02lld min",
                       (long long)(minutes / 60), (long long)(minutes % 60));
    } else {
        (void)snprintf(out, size, "%.1f d", s / 86400);
    }
}

void
dcp_print_human(enum dcp_dimension dimension, double value, char *out,
                size_t size)
{
    if (dimension == DCP_DIM_TIME) {
        print_time_human(value, out, size);
        return;
    }
    const struct unit *best = NULL;

    for (int i = 0; i < N_UNITS; i++) {
        const struct unit *u = &units[i];

        if (u->dimension == dimension && u->printed &&
            (!best || (fabs(value) >= u->factor && u->factor > best->factor))) {
            best = u;
        }
    }
    double n = best ? value / best->factor : value;
    int decimals = fabs(n) >= 99.95 || n == nearbyint(n) ? 0
                   : fabs(n) >= 9.995                    ? 1
                                                         : 2;

    (void)snprintf(out, size, "%.*f%s%s", decimals, n,
                   best && best->name[0] != '%' ? " " : "",
                   best ? best->name : "");
}

int64_t
dcp_days_from_civil(int64_t year, uint32_t month, uint32_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    uint32_t yoe = (uint32_t)(year - era * 400);
    uint32_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + (int64_t)doe - 719468;
}

void
dcp_civil_from_days(int64_t days, int64_t *out_year, uint32_t *out_month,
                    uint32_t *out_day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    uint32_t doe = (uint32_t)(z - era * 146097);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153;

    *out_day = doy - (153 * mp + 2) / 5 + 1;
    *out_month = mp < 10 ? mp + 3 : mp - 9;
    *out_year = (int64_t)yoe + era * 400 + (*out_month <= 2);
}

/* 'n' digits at *p, moved past them; UINT32_MAX: not digits. */
static uint32_t
scan_digits(const char **p, int n)
{
    uint32_t value = 0;

    for (int i = 0; i < n; i++) {
        if (!digit(**p)) {
            return UINT32_MAX;
        }
        value = 10 * value + (uint32_t)(*(*p)++ - '0');
    }
    return value;
}

static bool
scan_char(const char **p, char c)
{
    if (**p != c) {
        return false;
    }
    (*p)++;
    return true;
}

static bool
scan_offset(const char **p, int64_t *out_minutes)
{
    if (scan_char(p, 'Z') || scan_char(p, 'z')) {
        *out_minutes = 0;
        return true;
    }
    int sign = **p == '-' ? -1 : 1;

    if (**p != '+' && **p != '-') {
        return false;
    }
    (*p)++;
    uint32_t h = scan_digits(p, 2);
    bool colon = scan_char(p, ':');
    uint32_t m = scan_digits(p, 2);

    *out_minutes = sign * ((int64_t)h * 60 + m);
    return colon && h <= 23 && m <= 59;
}

bool
dcp_parse_instant(const char *text, int64_t *out_ms, struct dcp_error *err)
{
    const char *p = text;
    uint32_t year = scan_digits(&p, 4);
    bool ok = scan_char(&p, '-');
    uint32_t month = scan_digits(&p, 2);
    ok = ok && scan_char(&p, '-');
    uint32_t day = scan_digits(&p, 2);
    ok = ok && (scan_char(&p, 'T') || scan_char(&p, ' '));
    uint32_t h = scan_digits(&p, 2);
    ok = ok && scan_char(&p, ':');
    uint32_t m = scan_digits(&p, 2);
    ok = ok && scan_char(&p, ':');
    uint32_t s = scan_digits(&p, 2);
    int64_t fraction_ms = 0, offset_min = 0;

    ok = ok && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
         day <= 31 && h <= 23 && m <= 59 && s <= 60;
    if (ok && scan_char(&p, '.')) {
        int64_t scale = 100;

        ok = digit(*p);
        for (; digit(*p); p++, scale /= 10) {
            fraction_ms += (*p - '0') * scale;
        }
    }
    ok = ok && scan_offset(&p, &offset_min) && !*p;
    if (ok) {
        int64_t y2, days = dcp_days_from_civil(year, month, day);
        uint32_t m2, d2;

        dcp_civil_from_days(days, &y2, &m2, &d2);
        ok = m2 == month && d2 == day;
        *out_ms = ((days * 24 + h) * 60 + m - offset_min) * 60000 +
                  (int64_t)s * 1000 + fraction_ms;
    }
    if (!ok) {
        return dcp_fail(err, DCP_E_PARSE,
                        "'%.40s' is not an instant such as "
                        "2013-08-22T00:00:00Z",
                        text);
    }
    return true;
}

void
dcp_print_instant(int64_t ms, char out[32])
{
    int64_t day_ms = 86400000;
    int64_t days = ms / day_ms - (ms % day_ms < 0);
    int64_t rest = ms - days * day_ms, year;
    uint32_t month, day;

    dcp_civil_from_days(days, &year, &month, &day);
    int n = snprintf(out, 32, "%04d-%02u-%02uT%02d:%02d:%02d", (int)year, month,
                     day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                     (int)(rest / 1000 % 60));

    if (rest % 1000) {
        n += snprintf(out + n, 32 - (size_t)n, ".%03d", (int)(rest % 1000));
    }
    (void)snprintf(out + n, 32 - (size_t)n, "Z");
}
