/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The Bitbrains importer on one file. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "tests/fuzz/import_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_import_options o = { .start_ms = INT64_MIN, .core_mhz = 2000 };
    char path[64];
    int fd = fuzz_file(data, size, path);
    const char *source = path;

    fuzz_import("bitbrains", &o, &source, 1);
    (void)close(fd);
    return 0;
}
