/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The end is taken from a descriptor of the process itself, not from its pipes:
 * what a program leaves behind in the background may keep those open. */

#define _GNU_SOURCE /* For pipe2() and close_range(). */

#include "executors/power/program.h"

#include "executors/power/boot_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT, ERR, FAILED, N_PIPES };

struct running {
    pid_t pid;
    int from[N_PIPES], to[N_PIPES]; /* -1: closed. */
    int end;                        /* Readable once it has ended. */
};

static void
shut(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static bool
open_pipes(struct running *r)
{
    for (int i = 0; i < N_PIPES; i++) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) != 0) {
            return false;
        }
        r->from[i] = ends[0];
        r->to[i] = ends[1];
    }
    return fcntl(r->from[OUT], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(r->from[ERR], F_SETFL, O_NONBLOCK) == 0;
}

static void
close_all(struct running *r)
{
    for (int i = 0; i < N_PIPES; i++) {
        shut(&r->from[i]);
        shut(&r->to[i]);
    }
    shut(&r->end);
}

/* In the child: never returns. */
static void
become(const struct running *r, const char *const argv[], pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (getppid() == parent && null >= 0 && dup2(null, 0) == 0 &&
        dup2(r->to[OUT], 1) == 1 && dup2(r->to[ERR], 2) == 2 &&
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        union {
            const char *const *from;
            char *const *to;
        } words = { .from = argv };

        (void)execvp(argv[0], words.to);
    }
    int why = errno;

    (void)!write(r->to[FAILED], &why, sizeof why);
    _exit(127);
}

/* What came so far; once 'out' is full the rest is read and dropped. */
static void
drain(int *fd, char *out, size_t size, size_t *length, bool *truncated)
{
    char bytes[1024];

    while (*fd >= 0) {
        ssize_t n = read(*fd, bytes, sizeof bytes);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        if (n <= 0) {
            shut(fd);
            return;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (*length + 1 < size) {
                out[(*length)++] = bytes[i] ? bytes[i] : '?';
            } else {
                *truncated = true;
            }
        }
        out[*length] = '\0';
    }
}

static void
follow(struct running *r, int64_t deadline_ms, struct dcp_program_result *out)
{
    size_t n_out = 0, n_err = 0;
    bool ended = false;

    while (!ended && !out->late) {
        struct pollfd fds[] = {
            { .fd = r->from[OUT], .events = POLLIN },
            { .fd = r->from[ERR], .events = POLLIN },
            { .fd = r->end, .events = POLLIN },
        };
        int64_t left_ms = deadline_ms - dcp_boot_ms();

        if (left_ms <= 0) {
            out->late = true;
            (void)kill(r->pid, SIGKILL);
        } else if (poll(fds, 3, left_ms < 60000 ? (int)left_ms : 60000) > 0) {
            ended = fds[2].revents != 0;
        }
        drain(&r->from[OUT], out->out, sizeof out->out, &n_out,
              &out->truncated);
        drain(&r->from[ERR], out->err, sizeof out->err, &n_err,
              &out->truncated);
    }
}

static void
reap(pid_t pid, struct dcp_program_result *out)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    out->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Why it did not become the program; 0: it did.  Blocks until it has. */
static int
failure_of(struct running *r)
{
    int why = 0;
    ssize_t n;

    do {
        n = read(r->from[FAILED], &why, sizeof why);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? (why ? why : ECHILD) : 0;
}

bool
dcp_program_run(const char *const argv[], int64_t deadline_ms,
                struct dcp_program_result *out, struct dcp_error *err)
{
    struct running r = { .from = { -1, -1, -1 },
                         .to = { -1, -1, -1 },
                         .end = -1 };
    pid_t self = getpid();

    *out = (struct dcp_program_result){ .status = -1 };
    if (!open_pipes(&r)) {
        close_all(&r);
        return dcp_fail(err, DCP_E_IO, "no pipe to '%s': %s", argv[0],
                        strerror(errno));
    }
    r.pid = fork();
    if (r.pid == 0) {
        become(&r, argv, self);
    }
    for (int i = 0; i < N_PIPES; i++) {
        shut(&r.to[i]);
    }
    if (r.pid < 0) {
        close_all(&r);
        return dcp_fail(err, DCP_E_IO, "cannot start '%s': %s", argv[0],
                        strerror(errno));
    }
    int why = failure_of(&r);

    r.end = why ? -1 : pidfd_open(r.pid, 0);
    if (!why && r.end < 0) {
        why = errno;
        (void)kill(r.pid, SIGKILL);
    }
    if (!why) {
        follow(&r, deadline_ms, out);
    }
    reap(r.pid, out);
    close_all(&r);
    return !why || dcp_fail(err, why == ENOENT ? DCP_E_NOT_FOUND : DCP_E_IO,
                            "cannot start '%s': %s", argv[0], strerror(why));
}

void
dcp_program_last_line(const char *text, char *out, size_t size)
{
    const char *best = "";
    size_t length = 0;

    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\r\n");

        if (strspn(line, " \t") < n) {
            best = line + strspn(line, " \t");
            length = n - strspn(line, " \t");
        }
        line += n + (line[n] != '\0');
    }
    (void)snprintf(out, size, "%.*s", (int)(length < 200 ? length : 200), best);
    dcp_one_line(out);
}
