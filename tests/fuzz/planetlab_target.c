/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The PlanetLab importer on one file. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "tests/fuzz/import_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_import_options o = { .start_ms = 0, .core_mhz = 2000 };
    char path[64];
    int fd = fuzz_file(data, size, path);
    const char *source = path;

    fuzz_import("planetlab", &o, &source, 1);
    (void)close(fd);
    return 0;
}
