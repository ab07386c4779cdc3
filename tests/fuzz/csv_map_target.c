/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The mapping of CSV, then the table that it maps: the text up to a line
 * "---" is the one, the rest the other. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "tests/fuzz/import_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dcp_import_options o = { .start_ms = INT64_MIN, .core_mhz = 2000 };
    char path[64];
    int fd = fuzz_file(data, size, path);
    static const char mark[] = "---\n";
    const uint8_t *cut = memmem(data, size, mark, sizeof mark - 1);
    size_t map_size = cut ? (size_t)(cut - data) : size;
    char map_path[64];
    int map_fd = fuzz_file(data, map_size, map_path);
    const char *source = path;

    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        (cut && write(fd, cut + 4, size - map_size - 4) < 0)) {
        abort();
    }
    o.map_path = map_path;
    fuzz_import("csv", &o, &source, 1);
    (void)close(map_fd);
    (void)close(fd);
    return 0;
}
