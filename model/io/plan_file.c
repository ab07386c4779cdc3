/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading whole files, and writing them aside so that a plan is there either
 * whole or not at all. */

#include "model/io/plan_file.h"

#include "model/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAN_BYTES_MAX ((size_t)4 << 30)

static bool
write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= (size_t)n;
    }
    return true;
}

bool
dcp_plan_save(const struct dcp_inventory *inv, struct dcp_plan *plan,
              const char *path, struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    bool ok = dcp_plan_print(inv, plan, &text, err);

    if (ok && !strcmp(path, "-")) {
        ok = write_all(STDOUT_FILENO, text.data, text.length) ||
             dcp_fail(err, DCP_E_IO, "cannot write the plan: %s",
                      strerror(errno));
    } else if (ok) {
        ok = dcp_file_write(path, dcp_text_get(&text), text.length, err);
    }
    dcp_text_finish(&text);
    return ok;
}

static bool
read_all(int fd, const char *path, struct dcp_text *out, struct dcp_error *err)
{
    enum { BLOCK = 1 << 16 };
    DCP_FREE char *block = malloc(BLOCK);

    if (!block) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", path);
    }
    for (;;) {
        ssize_t n = read(fd, block, BLOCK);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return dcp_fail(err, DCP_E_IO, "cannot read '%s': %s", path,
                            strerror(errno));
        }
        if (n == 0) {
            return true;
        }
        dcp_text_add(out, block, (size_t)n);
        if (out->failed || out->length > PLAN_BYTES_MAX) {
            return dcp_fail(err, out->failed ? DCP_E_NOMEM : DCP_E_LIMIT,
                            "'%s' is too large", path);
        }
    }
}

struct dcp_plan *
dcp_plan_load(const struct dcp_inventory *inv, const char *path,
              struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    bool standard = !strcmp(path, "-");
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct dcp_plan *plan = NULL;

    if (fd < 0) {
        (void)dcp_fail(err, errno == ENOENT ? DCP_E_NOT_FOUND : DCP_E_IO,
                       "cannot open '%s': %s", path, strerror(errno));
        return NULL;
    }
    if (read_all(fd, path, &text, err)) {
        plan = dcp_plan_parse(inv, dcp_text_get(&text), text.length, path, err);
    }
    if (!standard) {
        (void)close(fd);
    }
    dcp_text_finish(&text);
    return plan;
}
