/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/power/guid.h"

#include <stdio.h>
#include <string.h>

static int
digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool
dcp_guid_parse(const char *text, struct dcp_guid *out)
{
    struct dcp_guid guid = { { 0 } };
    unsigned n = 0, n_zero = 0, n_ones = 0;

    for (const char *c = text; *c; c++) {
        int value = digit(*c);

        if (*c == '-' && n > 0 && n < 32 && c[-1] != '-') {
            continue;
        }
        if (value < 0 || n == 32) {
            return false;
        }
        guid.bytes[n / 2] = (uint8_t)(guid.bytes[n / 2] << 4 | value);
        n++;
    }
    for (int i = 0; i < 16; i++) {
        n_zero += guid.bytes[i] == 0;
        n_ones += guid.bytes[i] == 255;
    }
    if (n != 32 || n_zero == 16 || n_ones == 16) {
        return false;
    }
    *out = guid;
    return true;
}

static bool
equal_in_order(const struct dcp_guid *a, const struct dcp_guid *b,
               const uint8_t order[16])
{
    for (int i = 0; i < 16; i++) {
        if (a->bytes[i] != b->bytes[order[i]]) {
            return false;
        }
    }
    return true;
}

bool
dcp_guid_same(const struct dcp_guid *a, const struct dcp_guid *b)
{
    static const uint8_t smbios[16] = { 3, 2, 1,  0,  5,  4,  7,  6,
                                        8, 9, 10, 11, 12, 13, 14, 15 };
    static const uint8_t reversed[16] = { 15, 14, 13, 12, 11, 10, 9, 8,
                                          7,  6,  5,  4,  3,  2,  1, 0 };

    return memcmp(a->bytes, b->bytes, 16) == 0 ||
           equal_in_order(a, b, smbios) || equal_in_order(a, b, reversed);
}

void
dcp_guid_print(const struct dcp_guid *guid, char out[DCP_GUID_TEXT])
{
    size_t at = 0;

    for (int i = 0; i < 16; i++) {
        bool hyphen = i == 4 || i == 6 || i == 8 || i == 10;

        (void)snprintf(out + at, DCP_GUID_TEXT - at, "%s%02x",
                       hyphen ? "-" : "", guid->bytes[i]);
        at += hyphen ? 3 : 2;
    }
}
