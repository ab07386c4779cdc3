/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_MEMORY_FILE_H
#define DCP_TESTS_MEMORY_FILE_H 1

/* A file in memory with what was fuzzed, for what reads by name.  Include it
 * with _GNU_SOURCE. */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* With this content, for the caller to close; its name goes to 'out'. */
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

#endif /* tests/fuzz/memory_file.h */
