/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_IMPORT_FUZZ_H
#define DCP_TESTS_IMPORT_FUZZ_H 1

/* One fuzzed text as the file that an importer reads.  Reading, sorting and
 * the statistics run; the store is not written (its directory is missing), so
 * every import ends with an error, which must say something. */

#include "traces/import.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file in memory with this content; its name goes to 'out'. */
static int
fuzz_file(const void *data, size_t size, char out[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(out, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void
fuzz_import(const char *kind, const struct dcp_import_options *o,
            const char *const sources[], uint32_t n)
{
    struct dcp_import_summary summary;
    struct dcp_error err = { 0 };
    struct dcp_import *imp = dcp_import_create(kind, o, &err);

    if (!imp) {
        abort();
    }
    if (dcp_import_run(imp, sources, n, "/proc/none/u.h5", &summary, &err) ||
        err.code == DCP_OK || !err.message[0] || err.code == DCP_E_BUG) {
        abort();
    }
    dcp_import_destroy(imp);
}

#endif /* tests/fuzz/import_fuzz.h */
