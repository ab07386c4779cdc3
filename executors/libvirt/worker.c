/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE /* For close_range(). */

#include "executors/libvirt/worker.h"

#include "executors/libvirt/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES ((size_t)8 << 20) /* A domain's XML is in some. */

struct dcp_worker {
    pid_t pid;
    int fd;
    char *read;
    size_t n_read, capacity;
};

int64_t
dcp_worker_clock_ms(void)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- The child ---------------------------------------------------------- */

/* Keeps nothing of the parent's: not its files (a lock would outlive it), not
 * its terminal, not Ctrl-C.  Ends when the parent does. */
static void
leave_home(int fd, pid_t parent)
{
    static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE };
    int null = open("/dev/null", O_RDWR);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    for (int i = 0; i < 3 && null >= 0; i++) {
        (void)dup2(null, i);
    }
    if (fd != 3) {
        (void)dup2(fd, 3);
    }
    (void)fcntl(3, F_SETFD, FD_CLOEXEC);
    (void)close_range(4, ~0U, 0);
}

/* --- The parent --------------------------------------------------------- */

struct dcp_worker *
dcp_worker_create(const char *uri, const char *host_uuid, struct dcp_error *err)
{
    struct dcp_worker *w = calloc(1, sizeof *w);
    pid_t parent = getpid();
    int ends[2];

    if (!w) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a worker");
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        (void)dcp_fail(err, DCP_E_IO, "no sockets for a worker: %s",
                       strerror(errno));
        free(w);
        return NULL;
    }
    w->pid = fork();
    if (w->pid == 0) {
        leave_home(ends[1], parent);
        dcp_serve(3, uri, host_uuid);
        _exit(0);
    }
    (void)close(ends[1]);
    if (w->pid < 0) {
        (void)dcp_fail(err, DCP_E_IO, "no process for a worker: %s",
                       strerror(errno));
        (void)close(ends[0]);
        free(w);
        return NULL;
    }
    w->fd = ends[0];
    (void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
    return w;
}

void
dcp_worker_destroy(struct dcp_worker *w)
{
    if (!w) {
        return;
    }
    (void)close(w->fd);
    (void)kill(w->pid, SIGKILL);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    free(w->read);
    free(w);
}

int
dcp_worker_fd(const struct dcp_worker *w)
{
    return w->fd;
}

static bool
wait_for(struct dcp_worker *w, short what, int64_t until_ms)
{
    struct pollfd fd = { .fd = w->fd, .events = what };

    for (;;) {
        int64_t left_ms = until_ms - dcp_worker_clock_ms();
        int ready =
            poll(&fd, 1,
                 left_ms <= 0 ? 0 : (int)(left_ms < 60000 ? left_ms : 60000));

        if (ready > 0) {
            return true;
        }
        if ((ready < 0 && errno != EINTR) ||
            dcp_worker_clock_ms() >= until_ms) {
            return false;
        }
    }
}

bool
dcp_worker_send(struct dcp_worker *w, json_t *question, struct dcp_error *err)
{
    char *text = json_dumps(question, JSON_COMPACT);
    int64_t until_ms = dcp_worker_clock_ms() + 5000;
    bool ok = text != NULL;

    json_decref(question);
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a question");
    }
    size_t length = strlen(text), done = 0;

    text[length++] = '\n'; /* In place of the NUL. */
    while (ok && done < length) {
        ssize_t n = send(w->fd, text + done, length - done, MSG_NOSIGNAL);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN) {
            ok = wait_for(w, POLLOUT, until_ms);
        } else if (errno != EINTR) {
            ok = false;
        }
    }
    free(text);
    return ok || dcp_fail(err, DCP_E_REMOTE, "its worker does not listen");
}

static bool
make_room(struct dcp_worker *w)
{
    if (w->capacity - w->n_read > 1) {
        return true;
    }
    size_t capacity = w->capacity ? 2 * w->capacity : 4096;
    char *more =
        capacity <= ANSWER_MAX_BYTES ? realloc(w->read, capacity) : NULL;

    if (more) {
        w->read = more;
        w->capacity = capacity;
    }
    return more != NULL;
}

/* The first whole line that was read. */
static json_t *
take_line(struct dcp_worker *w, bool *out_dead)
{
    char *end = w->n_read ? memchr(w->read, '\n', w->n_read) : NULL;

    if (!end) {
        return NULL;
    }
    size_t length = (size_t)(end - w->read);
    json_t *answer = json_loadb(w->read, length, JSON_REJECT_DUPLICATES, NULL);

    w->n_read -= length + 1;
    memmove(w->read, end + 1, w->n_read);
    if (!json_is_object(answer)) {
        json_decref(answer);
        *out_dead = true;
        return NULL;
    }
    return answer;
}

json_t *
dcp_worker_receive(struct dcp_worker *w, bool *out_dead)
{
    *out_dead = false;
    for (;;) {
        json_t *answer = take_line(w, out_dead);

        if (answer || *out_dead) {
            return answer;
        }
        if (!make_room(w)) {
            *out_dead = true;
            return NULL;
        }
        ssize_t n = recv(w->fd, w->read + w->n_read,
                         w->capacity - 1 - w->n_read, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            *out_dead = n == 0 || errno != EAGAIN;
            return NULL;
        }
        w->n_read += (size_t)n;
    }
}

json_t *
dcp_worker_await(struct dcp_worker *w, int64_t until_ms, struct dcp_error *err)
{
    for (;;) {
        bool dead;
        json_t *answer = dcp_worker_receive(w, &dead);

        if (answer) {
            return answer;
        }
        if (dead) {
            (void)dcp_fail(err, DCP_E_REMOTE, "its worker died");
            return NULL;
        }
        if (!wait_for(w, POLLIN, until_ms)) {
            (void)dcp_fail(err, DCP_E_REMOTE, "does not answer in time");
            return NULL;
        }
    }
}

bool
dcp_worker_is_ok(const json_t *answer, struct dcp_error *err)
{
    const char *text = json_string_value(json_object_get(answer, "text"));

    return json_is_true(json_object_get(answer, "ok")) ||
           dcp_fail(err, DCP_E_REMOTE, "%.300s",
                    text && *text ? text : "refused without a reason");
}
