/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/hourly_file.h"

#include "model/base/units.h"
#include "model/io/csv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_MS   INT64_C(60000)
#define KWH_PER_MWH 1000.0

struct columns {
    uint32_t time, value;
    bool local;
    double scale; /* To the inside unit. */
};

struct rows {
    int64_t *at_ms;
    double *value;
    uint32_t n;
};

/* --- Columns ------------------------------------------------------------ */

static bool
begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static uint32_t
first_of(const struct dcp_csv *csv, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t column = dcp_csv_column(csv, names[i]);

        if (column != UINT32_MAX) {
            return column;
        }
    }
    return UINT32_MAX;
}

/* "Price (EUR/MWh)": the currency, and the column's scale. */
static bool
is_price(const char *name, char currency[8], double *out_scale)
{
    const char *open = "Price (", *slash = strchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) - strlen(open) : 0;

    if (!begins_with(name, open) || !slash || length == 0 || length > 7) {
        return false;
    }
    if (strcmp(slash, "/MWh)") != 0 && strcmp(slash, "/kWh)") != 0) {
        return false;
    }
    (void)snprintf(currency, 8, "%.*s", (int)length, name + strlen(open));
    *out_scale = slash[1] == 'M' ? 1 / KWH_PER_MWH : 1;
    return true;
}

static uint32_t
price_column(const struct dcp_csv *csv, char currency[8], double *out_scale)
{
    uint32_t column = dcp_csv_column(csv, "price_per_kwh");

    for (uint32_t i = 0; column == UINT32_MAX && i < csv->n_columns; i++) {
        if (is_price(csv->column[i], currency, out_scale)) {
            column = i;
        }
    }
    return column;
}

static uint32_t
carbon_column(const struct dcp_csv *csv)
{
    static const char *const names[] = { "carbon_g_per_kwh",
                                         "carbon_intensity" };
    const char *exported = "Carbon Intensity", *whole = "(LCA)";
    uint32_t column = first_of(csv, names, 2);

    for (uint32_t i = 0; column == UINT32_MAX && i < csv->n_columns; i++) {
        if (begins_with(csv->column[i], exported) &&
            strstr(csv->column[i], whole)) {
            column = i;
        }
    }
    for (uint32_t i = 0; column == UINT32_MAX && i < csv->n_columns; i++) {
        if (begins_with(csv->column[i], exported)) {
            column = i;
        }
    }
    return column;
}

static bool
find_columns(const struct dcp_csv *csv, enum dcp_hourly_figure figure,
             struct columns *out, char currency[8], struct dcp_error *err)
{
    static const char *const times[] = { "time", "timestamp",
                                         "Datetime (UTC)" };
    static const char *const weather[] = { "temperature_c", "temperature" };
    static const char *const wanted[] = {
        [DCP_HOURLY_PRICE] = "price_per_kwh or Price (EUR/MWh)",
        [DCP_HOURLY_CARBON] = "carbon_g_per_kwh or carbon_intensity",
        [DCP_HOURLY_WEATHER] = "temperature_c",
    };

    *out = (struct columns){ .time = first_of(csv, times, 3), .scale = 1 };
    if (out->time == UINT32_MAX) {
        out->time = dcp_csv_column(csv, "Datetime");
        out->local = true;
    }
    switch (figure) {
    case DCP_HOURLY_PRICE:
        out->value = price_column(csv, currency, &out->scale);
        break;
    case DCP_HOURLY_CARBON:
        out->value = carbon_column(csv);
        break;
    case DCP_HOURLY_WEATHER:
        out->value = first_of(csv, weather, 2);
        break;
    }
    if (out->time == UINT32_MAX) {
        return dcp_fail(err, DCP_E_PARSE,
                        "%s: no column of time; one is named time", csv->path);
    }
    if (out->value == UINT32_MAX) {
        return dcp_fail(err, DCP_E_PARSE,
                        "%s: no column with values; one is named %s", csv->path,
                        wanted[figure]);
    }
    return true;
}

/* --- Rows --------------------------------------------------------------- */

static bool
row_instant(const char *field, bool local, const struct dcp_zone *zone,
            int64_t *out_ms)
{
    size_t n = strlen(field), without_offset = strlen("2023-01-01T00:00:00");
    char text[48];

    if (n < without_offset || n > 40 || (local && n != without_offset)) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%s%s", field,
                   n == without_offset ? "Z" : "");
    text[10] = text[10] == ' ' ? 'T' : text[10];
    if (!dcp_parse_instant(text, out_ms, NULL) || *out_ms % MINUTE_MS) {
        return false;
    }
    if (local) {
        int64_t of_day = (*out_ms % DCP_DAY_MS + DCP_DAY_MS) % DCP_DAY_MS;

        *out_ms =
            dcp_zone_instant(zone, (*out_ms - of_day) / DCP_DAY_MS, of_day);
    }
    return true;
}

static bool
add_row(struct dcp_csv *csv, const struct columns *c,
        const struct dcp_zone *zone, struct rows *rows, struct dcp_error *err)
{
    int64_t at_ms;
    double value;

    if (csv->n_fields <= c->time || csv->n_fields <= c->value ||
        !*csv->field[c->value]) {
        return true;
    }
    if (!row_instant(csv->field[c->time], c->local, zone, &at_ms)) {
        return dcp_fail(err, DCP_E_PARSE,
                        "%s:%u: '%.40s' is not a whole minute such as "
                        "2023-01-01T00:00:00Z",
                        csv->path, csv->record_line, csv->field[c->time]);
    }
    const char *end = dcp_scan_double(csv->field[c->value], &value);

    if (!end || *end || !isfinite(value)) {
        return dcp_fail(err, DCP_E_PARSE, "%s:%u: '%.40s' is not a number",
                        csv->path, csv->record_line, csv->field[c->value]);
    }
    if (rows->n && at_ms <= rows->at_ms[rows->n - 1]) {
        if (c->local && at_ms == rows->at_ms[rows->n - 1]) {
            rows->n--; /* An hour that clocks skip. */
        } else {
            return dcp_fail(err, DCP_E_PARSE,
                            "%s:%u: not after the row before it", csv->path,
                            csv->record_line);
        }
    }
    rows->at_ms[rows->n] = at_ms;
    rows->value[rows->n++] = value * c->scale;
    return true;
}

static int64_t
shortest_step_ms(const struct rows *rows)
{
    int64_t step_ms = rows->n > 1 ? INT64_MAX : DCP_HOUR_MS;

    for (uint32_t i = 1; i < rows->n; i++) {
        int64_t distance_ms = rows->at_ms[i] - rows->at_ms[i - 1];

        step_ms = distance_ms < step_ms ? distance_ms : step_ms;
    }
    return step_ms;
}

/* The hour that clocks show twice has one row: its value holds in both. */
static void
fill_double_hours(struct rows *rows, int64_t step_ms, uint32_t capacity)
{
    for (uint32_t i = 1; i < rows->n && rows->n < capacity; i++) {
        if (rows->at_ms[i] - rows->at_ms[i - 1] == DCP_HOUR_MS + step_ms) {
            size_t after = rows->n - i;

            memmove(&rows->at_ms[i + 1], &rows->at_ms[i],
                    after * sizeof *rows->at_ms);
            memmove(&rows->value[i + 1], &rows->value[i],
                    after * sizeof *rows->value);
            rows->at_ms[i] = rows->at_ms[i - 1] + step_ms;
            rows->value[i] = rows->value[i - 1];
            rows->n++;
        }
    }
}

bool
dcp_hourly_parse(const char *path, char *text, size_t length,
                 enum dcp_hourly_figure figure, const struct dcp_zone *zone,
                 struct dcp_arena *arena, struct dcp_hourly *out,
                 char out_currency[8], struct dcp_error *err)
{
    struct dcp_csv csv;
    struct columns columns;
    struct rows rows = { 0 };
    bool more = true;
    uint32_t capacity = 64; /* Rows, and hours that are doubled. */

    *out_currency = '\0';
    for (size_t i = 0; i < length; i++) {
        capacity += text[i] == '\n' || text[i] == '\r';
    }
    if (!dcp_csv_open(&csv, path, text, length, err) ||
        !find_columns(&csv, figure, &columns, out_currency, err)) {
        return false;
    }
    rows.at_ms = dcp_arena_calloc(arena, capacity, sizeof *rows.at_ms);
    rows.value = dcp_arena_calloc(arena, capacity, sizeof *rows.value);
    if (!rows.at_ms || !rows.value) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %s", path);
    }
    while (dcp_csv_next(&csv, &more, err) && more && rows.n < capacity) {
        if (!add_row(&csv, &columns, zone, &rows, err)) {
            return false;
        }
    }
    if (more) {
        return false;
    }
    if (!rows.n) {
        return dcp_fail(err, DCP_E_PARSE, "%s: no rows with a value", path);
    }
    int64_t step_ms = shortest_step_ms(&rows);

    if (columns.local) {
        fill_double_hours(&rows, step_ms, capacity);
    }
    *out = (struct dcp_hourly){ .path = path,
                                .n = rows.n,
                                .at_ms = rows.at_ms,
                                .value = rows.value,
                                .step_ms = step_ms };
    return true;
}
