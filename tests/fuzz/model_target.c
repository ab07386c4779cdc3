/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dc.yaml: whatever the bytes, either a sealed inventory or diagnostics, each
 * with a position inside the file. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "model/base/diag.h"
#include "model/io/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void
check_diag(const struct dcp_diag *diag, size_t size)
{
    for (size_t i = 0; i < diag->n; i++) {
        /* YAML has more line breaks than one, each at least a byte. */
        if (diag->items[i].line > size + 2 || !diag->items[i].message[0]) {
            abort();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("dc.yaml", MFD_CLOEXEC);
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    char path[64];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *const paths[] = { path };
    struct dcp_inventory *inv = dcp_model_read(paths, 1, NULL, &diag, &err);

    if (inv && diag.n_errors) {
        abort();
    }
    if (!inv && !diag.n_errors && err.code == DCP_OK) {
        abort();
    }
    check_diag(&diag, size);
    dcp_inventory_destroy(inv);
    dcp_diag_finish(&diag);
    (void)close(fd);
    return 0;
}
