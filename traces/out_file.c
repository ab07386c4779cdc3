/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* O_TMPFILE, fallocate() */

#include "traces/out_file.h"

#include "model/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
no_memory(const char *path, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory to write '%s'", path);
}

static bool
directory_of(const char *path, char **out)
{
    const char *slash = strrchr(path, '/');

    *out = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    return *out != NULL;
}

static bool
make_temporary_name(struct dcp_out_file *f, struct dcp_error *err)
{
    if (asprintf(&f->temporary, "%s.tmp-%ld", f->path, (long)getpid()) < 0) {
        f->temporary = NULL;
        return no_memory(f->path, err);
    }
    return true;
}

static bool
open_named(struct dcp_out_file *f, struct dcp_error *err)
{
    if (!make_temporary_name(f, err)) {
        return false;
    }
    /* What is there under our own pid was left by a process now dead. */
    (void)unlink(f->temporary);
    f->fd = open(f->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        (void)dcp_fail(err, DCP_E_IO, "cannot create '%s': %s", f->path,
                       strerror(errno));
        free(f->temporary);
        f->temporary = NULL;
        return false;
    }
    return true;
}

bool
dcp_out_file_open(const char *path, struct dcp_out_file *out,
                  struct dcp_error *err)
{
    DCP_FREE char *dir = NULL;
    struct stat st;

    *out = (struct dcp_out_file){ .fd = -1 };
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            return dcp_fail(err, DCP_E_IO,
                            "cannot write '%s': it is not a regular file",
                            path);
        }
        /* A rename onto a symbolic link would replace the link. */
        out->path = realpath(path, NULL);
    } else {
        out->path = strdup(path);
    }
    if (out->path) {
        path = out->path;
    }
    if (!out->path || !directory_of(path, &dir)) {
        return no_memory(path, err);
    }
    out->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (out->fd >= 0 && access("/proc/self/fd", X_OK) == 0) {
        return true;
    }
    if (out->fd >= 0) {
        (void)close(out->fd);
    }
    return open_named(out, err);
}

void
dcp_out_file_name(const struct dcp_out_file *f, char *out, size_t size)
{
    if (f->temporary) {
        (void)snprintf(out, size, "%s", f->temporary);
    } else {
        (void)snprintf(out, size, "/proc/self/fd/%d", f->fd);
    }
}

bool
dcp_out_file_reserve(struct dcp_out_file *f, off_t bytes, struct dcp_error *err)
{
    if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, bytes) == 0 ||
        errno == EOPNOTSUPP || errno == ENOSYS || errno == EINTR) {
        return true;
    }
    return dcp_fail(err, DCP_E_IO, "cannot write '%s' (%lld MiB): %s", f->path,
                    (long long)(bytes >> 20), strerror(errno));
}

/* linkat() does not replace; rename() does. */
static bool
name_file(struct dcp_out_file *f, struct dcp_error *err)
{
    char by_fd[64];

    if (!f->temporary) {
        dcp_out_file_name(f, by_fd, sizeof by_fd);
        if (linkat(AT_FDCWD, by_fd, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) ==
            0) {
            return true;
        }
        if (!make_temporary_name(f, err)) {
            return false;
        }
        (void)unlink(f->temporary);
        if (linkat(AT_FDCWD, by_fd, AT_FDCWD, f->temporary,
                   AT_SYMLINK_FOLLOW) != 0) {
            return dcp_fail(err, DCP_E_IO, "cannot create '%s': %s", f->path,
                            strerror(errno));
        }
    }
    if (rename(f->temporary, f->path) != 0) {
        return dcp_fail(err, DCP_E_IO, "cannot replace '%s': %s", f->path,
                        strerror(errno));
    }
    free(f->temporary);
    f->temporary = NULL;
    return true;
}

/* Best effort: some file systems refuse to sync a directory. */
static void
sync_directory(const char *path)
{
    DCP_FREE char *dir = NULL;
    int fd = directory_of(path, &dir)
                 ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                 : -1;

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

bool
dcp_out_file_commit(struct dcp_out_file *f, struct dcp_error *err)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0 || ftruncate(f->fd, st.st_size) != 0 ||
        fsync(f->fd) != 0) {
        return dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", f->path,
                        strerror(errno));
    }
    if (!name_file(f, err)) {
        return false;
    }
    sync_directory(f->path);
    return true;
}

void
dcp_out_file_finish(struct dcp_out_file *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
    }
    if (f->temporary) {
        (void)unlink(f->temporary);
    }
    free(f->temporary);
    free(f->path);
    *f = (struct dcp_out_file){ .fd = -1 };
}
