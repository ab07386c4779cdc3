/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/stats/bootstrap.h"

#include "model/base/rng.h"

#include <stdlib.h>
#include <string.h>

#define NOON_MS (DCP_DAY_MS / 2)

struct slice {
    uint32_t day;      /* Of the window. */
    int64_t ms_of_day; /* Local. */
    int64_t days_on;   /* Midnights since the day of the window began. */
};

struct dcp_bootstrap {
    const struct dcp_zone *zone;
    int64_t start_ms, interval_ms; /* The samples' grid. */
    int64_t first_cell;            /* Of it: where the window begins. */
    uint32_t n_times;
    uint32_t block_days;
    uint32_t n_days, n_source, n_slices;
    int64_t first_source; /* Its local day; others follow it. */
    uint32_t *n_places; /* By first day of a block of the window. Owned, as are
                         * those below. */
    uint32_t *class_of_day; /* Of the window. */
    uint32_t *source_class;
    int64_t *source_ms;      /* When each begins. */
    int64_t *day_ms;         /* Of the draw. */
    uint32_t *source_of_day; /* Of the draw. */
    uint32_t *rows;          /* Of the draw. */
    struct slice *slices;
};

static int64_t
cell_of(const struct dcp_bootstrap *b, int64_t at_ms)
{
    return dcp_grid_cell(b->start_ms, b->interval_ms, at_ms);
}

/* The class of the calendar day in which most of it lies. */
static uint32_t
class_of(const struct dcp_calendar *calendar, int64_t day, int64_t begins_ms)
{
    return dcp_calendar_class(calendar, day + (begins_ms > NOON_MS));
}

static bool
allocate(struct dcp_bootstrap *b, struct dcp_error *err)
{
    b->n_places = calloc((size_t)b->n_days + 1, sizeof(uint32_t));
    b->class_of_day = calloc((size_t)b->n_days + 1, sizeof(uint32_t));
    b->source_of_day = calloc((size_t)b->n_days + 1, sizeof(uint32_t));
    b->day_ms = calloc((size_t)b->n_days + 1, sizeof(int64_t));
    b->source_class = calloc((size_t)b->n_source + 1, sizeof(uint32_t));
    b->source_ms = calloc((size_t)b->n_source + 1, sizeof(int64_t));
    b->rows = calloc((size_t)b->n_slices + 1, sizeof(uint32_t));
    b->slices = calloc((size_t)b->n_slices + 1, sizeof *b->slices);
    return (b->n_places && b->class_of_day && b->source_of_day && b->day_ms &&
            b->source_class && b->source_ms && b->rows && b->slices) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for %u slices", b->n_slices);
}

/* Days of the samples from the first that begins at or after 'from_ms' to the
 * last that ends by 'to_ms'. */
static void
find_source(struct dcp_bootstrap *b, int64_t begins_ms, int64_t from_ms,
            int64_t to_ms)
{
    int64_t day = dcp_zone_local(b->zone, from_ms).day;

    while (dcp_zone_instant(b->zone, day, begins_ms) < from_ms) {
        day++;
    }
    b->first_source = day;
    while (dcp_zone_instant(b->zone, day + 1, begins_ms) <= to_ms) {
        day++;
    }
    b->n_source = (uint32_t)(day - b->first_source);
}

/* Where 'n' days from 'day' of the window on may be drawn from 'source' on. */
static bool
matches(const struct dcp_bootstrap *b, uint32_t day, uint32_t n,
        uint32_t source)
{
    if (source + n > b->n_source) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (b->class_of_day[day + i] != b->source_class[source + i]) {
            return false;
        }
    }
    return true;
}

static uint32_t
block_at(const struct dcp_bootstrap *b, uint32_t day)
{
    uint32_t left = b->n_days - day;

    return left < b->block_days ? left : b->block_days;
}

static uint32_t
count_places(const struct dcp_bootstrap *b, uint32_t day)
{
    uint32_t n = block_at(b, day), found = 0;

    for (uint32_t s = 0; s < b->n_source; s++) {
        found += matches(b, day, n, s);
    }
    return found;
}

static bool
find_places(struct dcp_bootstrap *b, struct dcp_error *err)
{
    for (uint32_t day = 0; day < b->n_days; day += b->block_days) {
        b->n_places[day] = count_places(b, day);
        if (!b->n_places[day]) {
            return dcp_fail(err, DCP_E_USAGE,
                            "no %u days in a row of the %u whole days of usage "
                            "are of the classes of days %u to %u of the "
                            "window: take more days to draw from, or shorter "
                            "blocks",
                            block_at(b, day), b->n_source, day + 1,
                            day + block_at(b, day));
        }
    }
    return true;
}

/* The window from its start to its end, in the grid's cells. */
static void
cut_window(struct dcp_bootstrap *b, const struct dcp_local *first,
           int64_t from_ms)
{
    b->first_cell = cell_of(b, from_ms);
    for (uint32_t i = 0; i < b->n_slices; i++) {
        int64_t at_ms = b->start_ms + (b->first_cell + i) * b->interval_ms;
        struct dcp_local at =
            dcp_zone_local(b->zone, at_ms > from_ms ? at_ms : from_ms);
        int64_t days = at.day - first->day;
        int64_t day = days - (at.ms_of_day < first->ms_of_day);

        /* An hour that the clocks show twice may be on the wrong side. */
        day = day < 0 ? 0 : day < b->n_days ? day : b->n_days - 1;
        b->slices[i] = (struct slice){ .day = (uint32_t)day,
                                       .ms_of_day = at.ms_of_day,
                                       .days_on = days - day };
    }
}

static bool
fill(struct dcp_bootstrap *b, const struct dcp_bootstrap_question *q,
     struct dcp_error *err)
{
    int64_t end_ms = b->start_ms + b->n_times * b->interval_ms;
    struct dcp_local first = dcp_zone_local(b->zone, q->from_ms);
    struct dcp_local last = dcp_zone_local(b->zone, q->to_ms - 1);
    int64_t begins_ms = first.ms_of_day;

    b->n_days =
        (uint32_t)(last.day - first.day + (last.ms_of_day >= begins_ms));
    b->n_days += b->n_days == 0; /* Within an hour that comes twice. */
    b->n_slices =
        (uint32_t)(cell_of(b, q->to_ms - 1) - cell_of(b, q->from_ms) + 1);
    find_source(b, begins_ms,
                q->source_from_ms > b->start_ms ? q->source_from_ms
                                                : b->start_ms,
                q->source_to_ms < end_ms ? q->source_to_ms : end_ms);
    if (!allocate(b, err)) {
        return false;
    }
    for (uint32_t i = 0; i < b->n_days; i++) {
        b->class_of_day[i] = class_of(q->calendar, first.day + i, begins_ms);
    }
    for (uint32_t i = 0; i < b->n_source; i++) {
        int64_t day = b->first_source + i;

        b->source_class[i] = class_of(q->calendar, day, begins_ms);
        b->source_ms[i] = dcp_zone_instant(b->zone, day, begins_ms);
    }
    cut_window(b, &first, q->from_ms);
    return find_places(b, err);
}

struct dcp_bootstrap *
dcp_bootstrap_create(const struct dcp_bootstrap_question *q,
                     struct dcp_error *err)
{
    if (!q->block_days || q->from_ms >= q->to_ms || !q->samples->n_times) {
        (void)dcp_fail(err, DCP_E_ARGUMENT,
                       "a bootstrap needs a window, samples and blocks of "
                       "days");
        return NULL;
    }
    struct dcp_bootstrap *b = calloc(1, sizeof *b);

    if (!b) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a bootstrap");
        return NULL;
    }
    b->zone = q->zone;
    b->start_ms = q->samples->start_ms;
    b->interval_ms = q->samples->interval_ms;
    b->n_times = q->samples->n_times;
    b->block_days = q->block_days;
    if (!fill(b, q, err)) {
        dcp_bootstrap_destroy(b);
        return NULL;
    }
    return b;
}

void
dcp_bootstrap_destroy(struct dcp_bootstrap *b)
{
    if (b) {
        free(b->n_places);
        free(b->class_of_day);
        free(b->source_of_day);
        free(b->day_ms);
        free(b->source_class);
        free(b->source_ms);
        free(b->rows);
        free(b->slices);
        free(b);
    }
}

static void
draw_block(struct dcp_bootstrap *b, uint32_t day, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "bootstrap", day);
    uint64_t chosen = dcp_rng_below(&rng, b->n_places[day]);
    uint32_t n = block_at(b, day), source = 0;

    while (!matches(b, day, n, source) || chosen-- > 0) {
        source++;
    }
    for (uint32_t i = 0; i < n; i++) {
        b->source_of_day[day + i] = source + i;
        b->day_ms[day + i] = b->source_ms[source + i];
    }
}

void
dcp_bootstrap_draw(struct dcp_bootstrap *b, uint64_t seed)
{
    for (uint32_t day = 0; day < b->n_days; day += b->block_days) {
        draw_block(b, day, seed);
    }
    for (uint32_t i = 0; i < b->n_slices; i++) {
        const struct slice *s = &b->slices[i];
        int64_t day = b->first_source + b->source_of_day[s->day] + s->days_on;
        int64_t cell = cell_of(b, dcp_zone_instant(b->zone, day, s->ms_of_day));

        /* The ends of a day may lie in a gap of the clocks. */
        cell = cell < 0 ? 0 : cell;
        b->rows[i] = cell < b->n_times ? (uint32_t)cell : b->n_times - 1;
    }
}

const uint32_t *
dcp_bootstrap_rows(const struct dcp_bootstrap *b, uint32_t *out_n)
{
    *out_n = b->n_slices;
    return b->rows;
}

bool
dcp_bootstrap_copy(const struct dcp_bootstrap *b,
                   const struct dcp_samples *samples, struct dcp_samples *out,
                   struct dcp_error *err)
{
    size_t row_size = samples->n_vms * sizeof *samples->value, size;

    if (!out->value) {
        if (__builtin_mul_overflow(row_size, (size_t)b->n_slices + 1, &size) ||
            !(out->value = malloc(size))) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u samples",
                            b->n_slices);
        }
    }
    out->start_ms = b->start_ms + b->first_cell * b->interval_ms;
    out->interval_ms = b->interval_ms;
    out->n_times = b->n_slices;
    out->n_vms = samples->n_vms;
    for (uint32_t i = 0; i < b->n_slices; i++) {
        memcpy(out->value + (size_t)i * samples->n_vms,
               samples->value + (size_t)b->rows[i] * samples->n_vms, row_size);
    }
    return true;
}

const int64_t *
dcp_bootstrap_days(const struct dcp_bootstrap *b, uint32_t *out_n)
{
    *out_n = b->n_days;
    return b->day_ms;
}

const int64_t *
dcp_bootstrap_source(const struct dcp_bootstrap *b, uint32_t *out_n)
{
    *out_n = b->n_source;
    return b->source_ms;
}

double
dcp_bootstrap_n_windows(const struct dcp_bootstrap *b)
{
    double n = 1;

    for (uint32_t day = 0; day < b->n_days; day += b->block_days) {
        n *= b->n_places[day];
    }
    return n;
}
