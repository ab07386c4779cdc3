/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The Alibaba importer: the text is both the machines and their use. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "tests/fuzz/import_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_import_options o = { .start_ms = INT64_MIN, .core_mhz = 2000 };
    char path[64];
    int fd = fuzz_file(data, size, path);
    const char *sources[] = { path, path };
    static const char meta[] = "m_1,0,1,1,96,100,USING\n";
    char listed[64];
    int meta_fd = fuzz_file(meta, sizeof meta - 1, listed);

    fuzz_import("alibaba-machine", &o, sources, 2);
    sources[0] = listed;
    fuzz_import("alibaba-machine", &o, sources, 2);
    (void)close(meta_fd);
    (void)close(fd);
    return 0;
}
