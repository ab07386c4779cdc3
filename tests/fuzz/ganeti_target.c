/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A cluster in Ganeti's text format; what is read prints, reads again and
 * prints the same. */

#include "model/io/ganeti_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_ganeti_text g, again;
    struct dcp_text first = { 0 }, second = { 0 };
    struct dcp_error err = { 0 };

    if (dcp_ganeti_parse((const char *)data, size, "fuzz", &g, &err)) {
        dcp_ganeti_print(&g, &first);
        if (!dcp_ganeti_parse(dcp_text_get(&first), first.length, "again",
                              &again, &err)) {
            abort();
        }
        dcp_ganeti_print(&again, &second);
        if (first.length != second.length ||
            memcmp(dcp_text_get(&first), dcp_text_get(&second), first.length) !=
                0) {
            abort();
        }
        dcp_ganeti_finish(&again);
    } else if (err.code == DCP_OK || !err.message[0]) {
        abort();
    }
    dcp_ganeti_finish(&g);
    dcp_text_finish(&first);
    dcp_text_finish(&second);
    return 0;
}
