/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a switch database may send: the bytes in pieces of several sizes give
 * the same messages, and whatever is whole can be judged as a reply and read as
 * a port. */

#include "executors/vlan/ovsdb.h"
#include "executors/vlan/ovsdb_stream.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look_at(const json_t *message)
{
    struct dcp_error err = { 0 };

    if (!dcp_ovsdb_judge(message, 1, &err) && !err.message[0]) {
        abort();
    }
}

/* How many messages, and how it ends. */
static long
run(const uint8_t *data, size_t size, size_t piece, bool *out_ok)
{
    struct dcp_ovsdb_stream s = { 0 };
    struct dcp_error err = { 0 };
    long n = 0;

    *out_ok = true;
    for (size_t at = 0; at < size && *out_ok; at += piece) {
        size_t left = size - at;
        json_t *message = NULL;

        *out_ok = dcp_ovsdb_stream_add(&s, (const char *)data + at,
                                       left < piece ? left : piece, &err);
        do {
            *out_ok = *out_ok && dcp_ovsdb_stream_next(&s, &message, &err);
            if (message) {
                look_at(message);
                n++;
            }
            json_decref(message);
        } while (*out_ok && message);
    }
    if (!*out_ok && (!err.message[0] || err.code == DCP_E_BUG)) {
        abort();
    }
    dcp_ovsdb_stream_finish(&s);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool whole_ok, small_ok;
    long whole = run(data, size, size + 1, &whole_ok);
    long small = run(data, size, 1 + size % 7, &small_ok);

    if (whole != small || whole_ok != small_ok) {
        abort();
    }
    return 0;
}
