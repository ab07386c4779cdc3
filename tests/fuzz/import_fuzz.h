/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_IMPORT_FUZZ_H
#define DCP_TESTS_IMPORT_FUZZ_H 1

/* One fuzzed text as the file that an importer reads.  Reading, sorting and
 * the statistics run; the store is not written (its directory is missing), so
 * every import ends with an error, which must say something. */

#include "tests/fuzz/memory_file.h"
#include "traces/import.h"

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
