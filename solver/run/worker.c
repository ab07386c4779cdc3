/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE 1 /* close_range() */

#include "solver/run/worker.h"

#include "model/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the child says first; the result follows where it has one. */
struct hello {
    bool ok;
    struct dcp_error err; /* Its position is dropped: a pointer. */
};

static double
now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the child ------------------------------------------------------------ */

static bool
write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* Pages of address space that this process has now; 0: not known. */
static uint64_t
pages_now(void)
{
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[64] = "";

    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof text - 1);

        for (ssize_t k = 0; k < n && text[k] >= '0' && text[k] <= '9'; k++) {
            pages = 10 * pages + (uint64_t)(text[k] - '0');
        }
        (void)close(fd);
    }
    return pages;
}

static bool
cap_memory(uint64_t mib)
{
    uint64_t pages = pages_now();

    if (!mib) {
        return true;
    }
    if (!pages || mib > (UINT64_MAX >> 21)) {
        return false;
    }
    rlim_t most = pages * (uint64_t)sysconf(_SC_PAGESIZE) + (mib << 20);
    struct rlimit limit = { most, most };

    return !setrlimit(RLIMIT_AS, &limit);
}

/* Only standard files and 'fd' stay open: with a sibling's pipe in hand we
 * would keep its end from being seen. */
static void
close_others(int fd)
{
    if (fd > 3) {
        (void)close_range(3, (unsigned)fd - 1, 0);
    }
    (void)close_range((unsigned)fd + 1, ~0u, 0);
}

static _Noreturn void
be_child(pid_t parent, int fd, const struct dcp_worker_limits *limits,
         dcp_worker_fn *work, const void *context, void *result, size_t size)
{
    struct rlimit no_core = { 0, 0 };
    struct hello hello = { 0 };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    close_others(fd);
    (void)signal(SIGINT, SIG_IGN); /* Ctrl-C is the parent's to answer. */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    hello.ok = cap_memory(limits->memory_mib)
                   ? work(context, result, &hello.err)
                   : dcp_fail(&hello.err, DCP_E_IO,
                              "memory of a worker cannot be limited");
    hello.err.pos = (struct dcp_pos){ 0 };
    bool said = write_all(fd, &hello, sizeof hello) &&
                (!hello.ok || write_all(fd, result, size));

    _exit(said ? 0 : 1);
}

/* --- the parent ----------------------------------------------------------- */

enum reading { READ_ALL, READ_LATE, READ_SHORT };

/* Exactly 'size' bytes, until the deadline. */
static enum reading
read_all(int fd, void *bytes, size_t size, double until_s)
{
    char *at = bytes;

    while (size > 0) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        double left_ms = ceil((until_s - now_s()) * 1000);
        int n = left_ms <= 0
                    ? 0
                    : poll(&p, 1, left_ms > 1e6 ? 1000000 : (int)left_ms);

        if (n < 0 && errno != EINTR) {
            return READ_SHORT;
        }
        if (n == 0 && now_s() >= until_s) {
            return READ_LATE;
        }
        if (n > 0) {
            ssize_t got = read(fd, at, size);

            if (got == 0 || (got < 0 && errno != EINTR)) {
                return READ_SHORT;
            }
            at += got > 0 ? got : 0;
            size -= got > 0 ? (size_t)got : 0;
        }
    }
    return READ_ALL;
}

static void
bury(pid_t child, int *status)
{
    while (waitpid(child, status, 0) < 0 && errno == EINTR) {
    }
}

static bool
died(int status, const struct dcp_worker_limits *limits, struct dcp_error *err)
{
    char cap[48] = "";

    if (limits->memory_mib) {
        (void)snprintf(cap, sizeof cap, ", %llu MiB at most",
                       (unsigned long long)limits->memory_mib);
    }
    return WIFSIGNALED(status)
               ? dcp_fail(err, DCP_E_LIMIT,
                          "a worker process died by signal %d%s",
                          WTERMSIG(status), cap)
               : dcp_fail(err, DCP_E_LIMIT,
                          "a worker process ended without an answer%s", cap);
}

static bool
be_parent(pid_t child, int fd, const struct dcp_worker_limits *limits,
          double until_s, void *result, size_t size, bool *late,
          struct dcp_error *err)
{
    DCP_FREE void *copy = malloc(size ? size : 1);
    struct hello hello;
    int status = 0;
    enum reading got =
        copy ? read_all(fd, &hello, sizeof hello, until_s) : READ_SHORT;

    if (got == READ_ALL && hello.ok) {
        got = read_all(fd, copy, size, until_s);
    }
    if (got != READ_ALL) {
        /* Also where it ended by itself: its status says how, as a signal to a
         * process that has ended changes nothing. */
        (void)(got == READ_LATE && kill(child, SIGKILL));
        (void)(!copy && kill(child, SIGKILL));
    }
    bury(child, &status);
    if (!copy) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a worker's result");
    }
    *late = got == READ_LATE;
    if (got == READ_SHORT) {
        return died(status, limits, err);
    }
    if (got == READ_ALL && !hello.ok) {
        return dcp_fail(err, hello.err.code, "%s", hello.err.message);
    }
    if (got == READ_ALL && size) {
        memcpy(result, copy, size);
    }
    return true;
}

bool
dcp_worker_run(const struct dcp_worker_limits *limits, dcp_worker_fn *work,
               const void *context, void *result, size_t size, bool *late,
               struct dcp_error *err)
{
    double until_s = now_s() + limits->deadline_s;
    pid_t self = getpid();
    int fd[2];

    *late = false;
    if (pipe2(fd, O_CLOEXEC)) {
        return dcp_fail(err, DCP_E_IO, "no pipe to a worker process: %s",
                        strerror(errno));
    }
    pid_t child = fork();

    if (child == 0) {
        be_child(self, fd[1], limits, work, context, result, size);
    }
    (void)close(fd[1]);
    bool ok =
        child > 0
            ? be_parent(child, fd[0], limits, until_s, result, size, late, err)
            : dcp_fail(err, DCP_E_IO, "no worker process: %s", strerror(errno));

    (void)close(fd[0]);
    return ok;
}
