/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "report/base64.h"

void
dcp_base64_add(struct dcp_text *out, const void *data, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = data;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)b[i] << 16 |
                        (left > 1 ? (uint32_t)b[i + 1] << 8 : 0) |
                        (left > 2 ? b[i + 2] : 0);
        char four[4] = {
            digit[bits >> 18],
            digit[bits >> 12 & 63],
            left > 1 ? digit[bits >> 6 & 63] : '=',
            left > 2 ? digit[bits & 63] : '=',
        };

        dcp_text_add(out, four, 4);
    }
}
