/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/param.h"

#include "model/base/units.h"

#include <string.h>

#define LONGEST 32

bool
dcp_policy_number(const char *text, const char *end, double min, double max,
                  double *out)
{
    size_t n = end ? (size_t)(end - text) : strlen(text);
    char number[LONGEST];

    if (n == 0 || n >= sizeof number) {
        return false;
    }
    memcpy(number, text, n);
    number[n] = '\0';
    return dcp_parse_quantity(DCP_DIM_NUMBER, number, out, NULL) &&
           *out >= min && *out <= max;
}
