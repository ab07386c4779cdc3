/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The child answers with one fixed record on a pipe; the record is shorter than
 * PIPE_BUF, so it comes whole or not at all.  It leads a session, so that it
 * has no terminal to ask for passwords on and Ctrl-C does not reach it, and all
 * that it started is killed with its group. */

#define _GNU_SOURCE /* For pipe2() and close_range(). */

#include "executors/power/call.h"

#include "executors/power/boot_clock.h"
#include "executors/power/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct dcp_call_reply) <= PIPE_BUF,
               "a reply is written whole or not at all");

#define GUARD_WORDS_MAX 64
#define EXIT_REFUSED    3
/* The child keeps the deadline by itself, and can then say what was late. */
#define MARGIN_MS 1000

/* --- In the child ------------------------------------------------------- */

static void
set_apart(int keep, pid_t parent)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t none;
    int null;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setsid();
    for (int s = 1; s < NSIG; s++) {
        (void)sigaction(s, &plain, NULL);
    }
    plain.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &plain, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    /* The pipe takes 3, all else is closed. */
    if (keep != 3 && dup2(keep, 3) != 3) {
        _exit(1);
    }
    (void)close_range(4, ~0U, 0);
    (void)fcntl(3, F_SETFD, FD_CLOEXEC);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) != 0 || dup2(null, 1) != 1 ||
        dup2(null, 2) != 2) {
        _exit(1);
    }
}

static bool
run_guard(const struct dcp_call_request *q, int64_t deadline_ms,
          struct dcp_call_reply *out, struct dcp_error *err)
{
    const char *argv[GUARD_WORDS_MAX + 1] = { NULL };
    struct dcp_program_result r;

    if (q->n_guard > GUARD_WORDS_MAX) {
        return dcp_fail(err, DCP_E_LIMIT, "a guard has %d words at most",
                        GUARD_WORDS_MAX);
    }
    for (uint32_t i = 0; i < q->n_guard; i++) {
        argv[i] = q->guard[i];
    }
    if (!dcp_program_run(argv, deadline_ms, &r, err)) {
        return false;
    }
    out->guard = r.status == 0              ? DCP_GUARD_GOING
                 : r.status == EXIT_REFUSED ? DCP_GUARD_REFUSED
                                            : DCP_GUARD_UNCLEAR;
    dcp_program_last_line(r.err[0] ? r.err : r.out, out->text,
                          sizeof out->text);
    if (r.late) {
        (void)snprintf(out->text, sizeof out->text, "no answer in time");
    } else if (!out->text[0] && out->guard != DCP_GUARD_GOING) {
        (void)snprintf(out->text, sizeof out->text,
                       r.signal ? "ended by signal %d" : "exit status %d",
                       r.signal ? r.signal : r.status);
    }
    return true;
}

static bool
work(const struct dcp_call_request *q, int64_t deadline_ms,
     struct dcp_call_reply *out, struct dcp_error *err)
{
    const struct dcp_bmc_target target = {
        .bmc = q->bmc,
        .uuid = q->uuid,
        .ipmitool = q->ipmitool,
        .deadline_ms = deadline_ms,
    };
    const struct dcp_bmc_ops *ops = q->bmc ? dcp_bmc_ops_of(q->bmc) : NULL;
    bool known = false;

    if (q->verb == DCP_CALL_GUARD) {
        return run_guard(q, deadline_ms, out, err);
    }
    if (ops) {
        switch (q->verb) {
        case DCP_CALL_LOOK:
            known = ops->look != NULL;
            if (known) {
                return ops->look(&target, &out->power,
                                 q->identify ? out->said : NULL, err);
            }
            break;
        case DCP_CALL_ON:
            return ops->on(&target, err);
        case DCP_CALL_GRACEFUL:
            known = ops->graceful != NULL;
            if (known) {
                return ops->graceful(&target, err);
            }
            break;
        case DCP_CALL_HARD:
            known = ops->hard != NULL;
            if (known) {
                return ops->hard(&target, err);
            }
            break;
        case DCP_CALL_GUARD:
            break;
        }
    }
    return dcp_fail(err, DCP_E_UNSUPPORTED, "%s cannot do this",
                    ops ? ops->name : "no BMC");
}

static void
be_the_child(const struct dcp_call_request *q, int64_t deadline_ms, int fd,
             pid_t parent)
{
    struct dcp_call_reply reply;
    struct dcp_error err = { 0 };

    memset(&reply, 0, sizeof reply); /* Padding goes through the pipe too. */
    set_apart(fd, parent);
    reply.ok = work(q, deadline_ms, &reply, &err);
    if (!reply.ok) {
        reply.code = err.code ? err.code : DCP_E_REMOTE;
        (void)snprintf(reply.text, sizeof reply.text, "%.290s", err.message);
    }
    (void)!write(3, &reply, sizeof reply);
    _exit(0);
}

/* --- In the parent ------------------------------------------------------ */

bool
dcp_call_start(struct dcp_call *call, const struct dcp_call_request *q,
               struct dcp_error *err)
{
    pid_t self = getpid();
    int ends[2];

    *call = (struct dcp_call){ .fd = -1 };
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return dcp_fail(err, DCP_E_IO, "no pipe for a call: %s",
                        strerror(errno));
    }
    int64_t deadline_ms = dcp_boot_ms() + q->timeout_ms;

    call->deadline_ms = deadline_ms + MARGIN_MS;
    call->pid = fork();
    if (call->pid == 0) {
        be_the_child(q, deadline_ms, ends[1], self);
    }
    int why = errno;

    (void)close(ends[1]);
    if (call->pid < 0) {
        call->pid = 0;
        (void)close(ends[0]);
        return dcp_fail(err, DCP_E_IO, "no process for a call: %s",
                        strerror(why));
    }
    call->fd = ends[0];
    return true;
}

void
dcp_call_abandon(struct dcp_call *call)
{
    if (!call->pid) {
        return;
    }
    /* Its group exists once it leads a session; before, it is alone. */
    (void)kill(-call->pid, SIGKILL);
    (void)kill(call->pid, SIGKILL);
    while (waitpid(call->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    (void)close(call->fd);
    call->pid = 0;
    call->fd = -1;
}

static bool
finish(struct dcp_call *call, struct dcp_call_reply *out, const char *failure)
{
    dcp_call_abandon(call);
    if (failure) {
        *out = (struct dcp_call_reply){ .code = DCP_E_REMOTE };
        (void)snprintf(out->text, sizeof out->text, "%s", failure);
    } else {
        *out = call->reply;
    }
    return true;
}

bool
dcp_call_poll(struct dcp_call *call, struct dcp_call_reply *out)
{
    ssize_t n;

    do {
        n = read(call->fd, (char *)&call->reply + call->n_read,
                 sizeof call->reply - call->n_read);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        call->n_read += (size_t)n;
    }
    if (call->n_read == sizeof call->reply) {
        return finish(call, out, NULL);
    }
    if (n == 0) {
        return finish(call, out, "the process that asked it died");
    }
    if (dcp_boot_ms() >= call->deadline_ms) {
        return finish(call, out, "no answer in time");
    }
    return false;
}

void
dcp_call_wait(struct dcp_call *call, struct dcp_call_reply *out)
{
    while (!dcp_call_poll(call, out)) {
        struct pollfd fd = { .fd = call->fd, .events = POLLIN };
        int64_t left_ms = call->deadline_ms - dcp_boot_ms();

        (void)poll(&fd, 1,
                   left_ms < 1       ? 0
                   : left_ms < 60000 ? (int)left_ms
                                     : 60000);
    }
}
