/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Quantities, instants, windows and globs: whatever is accepted must print in
 * a form that is accepted again, with the same value. */

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/calendar.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
quantities(const char *text)
{
    for (int dim = DCP_DIM_CPU; dim <= DCP_DIM_NUMBER; dim++) {
        double value, again;
        uint64_t amount;
        char printed[64];

        if (dcp_parse_amount((enum dcp_dimension)dim, text, &amount, NULL) &&
            amount > UINT64_C(1) << 53) {
            abort();
        }
        if (!dcp_parse_quantity((enum dcp_dimension)dim, text, &value, NULL)) {
            continue;
        }
        dcp_print_quantity((enum dcp_dimension)dim, value, printed,
                           sizeof printed);
        if (!dcp_parse_quantity((enum dcp_dimension)dim, printed, &again,
                                NULL) ||
            fabs(again - value) > 1e-9 * fabs(value) + 1e-300) {
            abort();
        }
        dcp_print_human((enum dcp_dimension)dim, value, printed,
                        sizeof printed);
    }
}

static void
instants(const char *text)
{
    int64_t ms, again;
    char printed[32];

    if (dcp_parse_instant(text, &ms, NULL)) {
        dcp_print_instant(ms, printed);
        if (!dcp_parse_instant(printed, &again, NULL) || again != ms) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct dcp_window window;
    double value;

    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    quantities(text);
    instants(text);
    (void)dcp_window_parse(text, &window);
    (void)dcp_scan_double(text, &value);
    if (size < 64) {
        (void)dcp_text_glob(text, "web-front-12.example");
        (void)dcp_text_distance(text, "memory_overcommit", 5);
    }
    free(text);
    return 0;
}
