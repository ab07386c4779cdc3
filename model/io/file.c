/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/file.h"

#include "model/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static bool
is_packed(const char *path)
{
    size_t n = strlen(path);

    return n > 3 && !strcmp(path + n - 3, ".gz");
}

static int
open_regular(const char *path, struct dcp_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        (void)dcp_fail(err, errno == ENOENT ? DCP_E_NOT_FOUND : DCP_E_IO,
                       "cannot read '%.300s': %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)dcp_fail(err, DCP_E_IO,
                       "'%.300s' is not a regular file; name one", path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Reads to the end through 'gz' (which passes plain bytes through). */
static char *
read_all(gzFile gz, const char *path, size_t max_bytes, size_t *out_length,
         struct dcp_error *err)
{
    size_t capacity = (size_t)1 << 16, length = 0;
    char *data = malloc(capacity);

    while (data) {
        size_t room = capacity - 1 - length;

        if (!room) {
            char *bigger = realloc(data, capacity * 2);

            if (!bigger) {
                break;
            }
            data = bigger;
            capacity *= 2;
            continue;
        }
        int n = gzread(gz, data + length,
                       (unsigned)(room < 1u << 30 ? room : 1u << 30));

        if (n < 0) {
            (void)dcp_fail(err, DCP_E_IO,
                           "cannot read '%.300s': damaged or truncated", path);
            free(data);
            return NULL;
        }
        length += (size_t)n;
        if (length > max_bytes) {
            (void)dcp_fail(err, DCP_E_LIMIT,
                           "'%.300s' is larger than %zu MiB; split it", path,
                           max_bytes >> 20);
            free(data);
            return NULL;
        }
        if (!n) {
            data[length] = '\0';
            *out_length = length;
            return data;
        }
    }
    (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%.300s'", path);
    free(data);
    return NULL;
}

/* As read_all() without zlib's copy; most files are plain. */
static char *
read_plain(int fd, const char *path, size_t max_bytes, size_t *out_length,
           struct dcp_error *err)
{
    struct stat st;
    size_t length = 0;

    if (fstat(fd, &st) != 0 || (uintmax_t)st.st_size > max_bytes) {
        (void)dcp_fail(err, DCP_E_LIMIT,
                       "'%.300s' is larger than %zu MiB; split it", path,
                       max_bytes >> 20);
        return NULL;
    }
    char *data = malloc((size_t)st.st_size + 1);

    if (!data) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%.300s'", path);
        return NULL;
    }
    while (length < (size_t)st.st_size) {
        ssize_t n = read(fd, data + length, (size_t)st.st_size - length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            (void)dcp_fail(err, DCP_E_IO, "cannot read '%.300s': %s", path,
                           strerror(errno));
            free(data);
            return NULL;
        }
        if (n == 0) {
            break;
        }
        length += (size_t)n;
    }
    data[length] = '\0';
    *out_length = length;
    return data;
}

char *
dcp_file_read(const char *path, size_t max_bytes, size_t *out_length,
              struct dcp_error *err)
{
    int fd = open_regular(path, err);

    if (fd < 0) {
        return NULL;
    }
    if (!is_packed(path)) {
        char *data = read_plain(fd, path, max_bytes, out_length, err);

        (void)close(fd);
        return data;
    }
    gzFile gz = gzdopen(fd, "rb");

    if (!gz) {
        (void)close(fd);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%.300s'", path);
        return NULL;
    }
    char *data = read_all(gz, path, max_bytes, out_length, err);

    if (gzclose_r(gz) != Z_OK && data) {
        (void)dcp_fail(err, DCP_E_IO,
                       "cannot read '%.300s': damaged or truncated", path);
        free(data);
        return NULL;
    }
    return data;
}

static bool
write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = write(fd, bytes, length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* So that the rename itself is on disk.  A file system that cannot sync a
 * directory has nothing more to offer, so its answer does not count. */
static void
sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    DCP_FREE char *dir =
        slash && length ? strndup(path, length) : strdup(slash ? "/" : ".");
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* Pipes and devices keep their place and take the bytes as they come. */
static bool
write_in_place(const char *path, const char *bytes, size_t length,
               struct dcp_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes, length);
    int reason = errno;

    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    return ok || dcp_fail(err, DCP_E_IO, "cannot write '%.300s': %s", path,
                          strerror(reason));
}

static bool
write_aside(const char *path, const char *bytes, size_t length,
            struct dcp_error *err)
{
    size_t size = strlen(path) + 32;
    DCP_FREE char *aside = malloc(size);

    if (!aside) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to write '%.300s'", path);
    }
    (void)snprintf(aside, size, "%s.%ld.tmp", path, (long)getpid());
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0) {
        return dcp_fail(err, DCP_E_IO, "cannot write '%.300s': %s", path,
                        strerror(errno));
    }
    bool ok = write_all(fd, bytes, length) && fsync(fd) == 0;
    int reason = errno;

    if (close(fd) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok && rename(aside, path) != 0) {
        ok = false;
        reason = errno;
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_IO, "cannot write '%.300s': %s", path,
                       strerror(reason));
        (void)unlink(aside);
        return false;
    }
    sync_directory_of(path);
    return true;
}

bool
dcp_file_write(const char *path, const char *bytes, size_t length,
               struct dcp_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return write_aside(path, bytes, length, err);
    }
    if (!S_ISREG(st.st_mode)) {
        return write_in_place(path, bytes, length, err);
    }
    /* A rename onto a symbolic link would replace the link. */
    DCP_FREE char *real = realpath(path, NULL);

    return write_aside(real ? real : path, bytes, length, err);
}

bool
dcp_file_identity(const char *path, char out[48])
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    (void)snprintf(out, 48, "%ju:%ju", (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    return true;
}
