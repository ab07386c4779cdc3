/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_OVSDB_SERVER_H
#define DCP_TESTS_OVSDB_SERVER_H 1

/* A switch database that says what a test wrote down: a child process that
 * listens on a unix socket and, for each request of a script, waits for one and
 * answers with given bytes, in pieces if asked to. */

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fake_turn {
    const char *wait_for; /* Until this was read; NULL: does not wait. */
    const char *say;      /* NULL: nothing. */
    size_t piece;         /* So many bytes at a time, 1 ms apart; 0: all. */
    int sleep_ms;         /* Before. */
    bool hang_up;         /* After. */
};

struct fake_server {
    char path[96], address[104];
    pid_t pid;
};

/* The answer to the question that every session begins with. */
#define FAKE_HELLO                                                             \
    {                                                                          \
        .wait_for = "dcplan-cfg\"}",                                           \
        .say = "{\"id\":\"dcplan-cfg\",\"error\":null,\"result\":{"            \
               "\"Open_vSwitch\":{\"u\":{\"new\":{\"cur_cfg\":61,"             \
               "\"next_cfg\":61}}}}}"                                          \
    }

static inline void
fake_sleep(int ms)
{
    struct timespec t = { .tv_sec = ms / 1000,
                          .tv_nsec = ms % 1000 * 1000000L };

    (void)nanosleep(&t, NULL);
}

static inline void
fake_serve(int fd, const struct fake_turn *turns, size_t n)
{
    static char heard[1 << 20];
    size_t length = 0;

    for (size_t i = 0; i < n; i++) {
        char *at = NULL;

        while (turns[i].wait_for && !(at = strstr(heard, turns[i].wait_for))) {
            ssize_t got = read(fd, heard + length, sizeof heard - 1 - length);

            if (got <= 0) {
                return;
            }
            length += (size_t)got;
            heard[length] = '\0';
        }
        if (at) { /* What was waited for is used up. */
            at += strlen(turns[i].wait_for);
            length -= (size_t)(at - heard);
            memmove(heard, at, length + 1);
        }
        fake_sleep(turns[i].sleep_ms);
        size_t left = turns[i].say ? strlen(turns[i].say) : 0, done = 0;

        while (done < left) {
            size_t piece = turns[i].piece ? turns[i].piece : left;

            piece = piece < left - done ? piece : left - done;
            if (send(fd, turns[i].say + done, piece, MSG_NOSIGNAL) < 0) {
                return;
            }
            done += piece;
            fake_sleep(turns[i].piece ? 1 : 0);
        }
        if (turns[i].hang_up) {
            return;
        }
    }
    while (read(fd, heard, sizeof heard) > 0) {
    }
}

/* Serves connections one after the other, each with the whole script. */
static inline void
fake_start(struct fake_server *f, const struct fake_turn *turns, size_t n)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(f->path, sizeof f->path, "/tmp/dcp_ovsdb_%d.sock", (int)getpid());
    snprintf(f->address, sizeof f->address, "unix:%s", f->path);
    (void)unlink(f->path);
    memcpy(at.sun_path, f->path, strlen(f->path) + 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    f->pid = fork();
    ck_assert_int_ge(f->pid, 0);
    if (f->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            int peer = accept(fd, NULL, NULL);

            if (peer < 0) {
                _exit(0);
            }
            fake_serve(peer, turns, n);
            (void)close(peer);
        }
    }
    (void)close(fd);
}

static inline void
fake_stop(struct fake_server *f)
{
    (void)kill(f->pid, SIGKILL);
    (void)waitpid(f->pid, NULL, 0);
    (void)unlink(f->path);
}

#endif /* tests/support/ovsdb_server.h */
