/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The Azure importers: the text is both the table and the readings. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "tests/fuzz/import_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_import_options o = { .start_ms = INT64_MIN, .core_mhz = 2000 };
    char path[64];
    int fd = fuzz_file(data, size, path);
    const char *sources[] = { path, path };
    static const char table[] = "c,s,d,0,9,9,5,8,Unknown,1,1\n";
    char listed[64];
    int table_fd = fuzz_file(table, sizeof table - 1, listed);

    fuzz_import("azure-v2", &o, sources, 2);
    sources[0] = listed;
    fuzz_import("azure-v1", &o, sources, 2);
    (void)close(table_fd);
    (void)close(fd);
    return 0;
}
