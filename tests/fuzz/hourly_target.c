/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Prices, emissions and temperatures by the hour: whatever the bytes, what is
 * read ascends, at whole minutes, and is a number. */

#include "model/io/hourly_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct dcp_hourly *h)
{
    double value;

    for (uint32_t i = 0; i < h->n; i++) {
        if (h->at_ms[i] % 60000 || !isfinite(h->value[i]) ||
            (i && h->at_ms[i] - h->at_ms[i - 1] < h->step_ms) ||
            !dcp_hourly_at(h, h->at_ms[i], &value)) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An hour earlier from the second half of 1970 on, and back. */
    static const int64_t from_s[] = { INT64_MIN, 15552000, 31536000 };
    static const int32_t offset_s[] = { 3600, 0, 3600 };
    static const struct dcp_zone zone = { "odd", 3, from_s, offset_s };

    for (int figure = 0; figure < 6; figure++) {
        struct dcp_arena *arena = dcp_arena_create(0);
        char *text = malloc(size + 1), currency[8];
        struct dcp_hourly out;

        if (text && arena) {
            memcpy(text, data, size);
            text[size] = '\0';
            if (dcp_hourly_parse("hours", text, size,
                                 (enum dcp_hourly_figure)(figure % 3),
                                 figure < 3 ? &zone : &dcp_zone_utc, arena,
                                 &out, currency, NULL)) {
                check(&out);
            }
        }
        free(text);
        dcp_arena_destroy(arena);
    }
    return 0;
}
