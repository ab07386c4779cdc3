/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE /* For SOCK_NONBLOCK. */

#include "executors/vlan/wire.h"

#include "executors/vlan/lookup.h"
#include "executors/vlan/tls.h"
#include "model/io/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* What waits to be sent: a database that does not read is not fed for ever. */
#define UNSENT_MAX ((size_t)4 << 20)
#define PIECE      16384

struct dcp_wire {
    int fd;
    struct dcp_tls *tls; /* NULL: none. */
    char *unsent;
    size_t n, capacity;
};

int64_t
dcp_wire_clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
dcp_wire_fd(const struct dcp_wire *w)
{
    return w->fd;
}

bool
dcp_wire_wants_to_write(const struct dcp_wire *w)
{
    return w->n > 0;
}

void
dcp_wire_destroy(struct dcp_wire *w)
{
    if (w) {
        if (w->fd >= 0) {
            (void)close(w->fd);
        }
        dcp_tls_destroy(w->tls);
        free(w->unsent);
        free(w);
    }
}

/* --- Sending ------------------------------------------------------------ */

static bool
keep(struct dcp_wire *w, const char *bytes, size_t n, struct dcp_error *err)
{
    if (n > UNSENT_MAX - w->n) {
        return dcp_fail(err, DCP_E_REMOTE, "it does not read what it is sent");
    }
    if (w->n + n > w->capacity) {
        size_t capacity = w->capacity ? w->capacity : 4096;

        while (capacity < w->n + n) {
            capacity *= 2;
        }
        char *more = realloc(w->unsent, capacity);

        if (!more) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a message");
        }
        w->unsent = more;
        w->capacity = capacity;
    }
    if (n) {
        memcpy(w->unsent + w->n, bytes, n);
        w->n += n;
    }
    return true;
}

static bool
push(struct dcp_wire *w, struct dcp_error *err)
{
    while (w->n) {
        ssize_t sent = send(w->fd, w->unsent, w->n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return true;
        }
        if (sent < 0) {
            return dcp_fail(err, DCP_E_REMOTE, "the connection broke: %s",
                            strerror(errno));
        }
        w->n -= (size_t)sent;
        memmove(w->unsent, w->unsent + sent, w->n);
    }
    return true;
}

bool
dcp_wire_flush(struct dcp_wire *w, struct dcp_error *err)
{
    char bytes[PIECE];
    size_t n;

    while (w->tls && (n = dcp_tls_take(w->tls, bytes, sizeof bytes)) > 0) {
        if (!keep(w, bytes, n, err)) {
            return false;
        }
    }
    return push(w, err);
}

bool
dcp_wire_send(struct dcp_wire *w, const char *bytes, size_t n,
              struct dcp_error *err)
{
    return (w->tls ? dcp_tls_write(w->tls, bytes, n, err)
                   : keep(w, bytes, n, err)) &&
           dcp_wire_flush(w, err);
}

/* --- Receiving ---------------------------------------------------------- */

static bool
receive_raw(struct dcp_wire *w, char *bytes, size_t size, size_t *out_n,
            struct dcp_error *err)
{
    for (;;) {
        ssize_t n = recv(w->fd, bytes, size, 0);

        *out_n = n > 0 ? (size_t)n : 0;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))) {
            return true;
        }
        return dcp_fail(err, DCP_E_REMOTE, "the connection %s",
                        n == 0 ? "was closed" : strerror(errno));
    }
}

bool
dcp_wire_receive(struct dcp_wire *w, char *bytes, size_t size, size_t *out_n,
                 struct dcp_error *err)
{
    char piece[PIECE];
    size_t n;

    if (!w->tls) {
        return receive_raw(w, bytes, size, out_n, err);
    }
    for (;;) { /* A record of TLS may hold nothing for us. */
        if (!dcp_tls_read(w->tls, bytes, size, out_n, err)) {
            return false;
        }
        if (*out_n) {
            return dcp_wire_flush(w, err);
        }
        if (!receive_raw(w, piece, sizeof piece, &n, err)) {
            return false;
        }
        if (!n) {
            return dcp_wire_flush(w, err);
        }
        if (!dcp_tls_feed(w->tls, piece, n, err)) {
            return false;
        }
    }
}

/* --- Opening ------------------------------------------------------------ */

/* Waits for the descriptor; false: the time is over. */
static bool
wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd p = { .fd = fd, .events = events };

    for (;;) {
        int64_t left_ms = deadline_ms - dcp_wire_clock_ms();
        int ready = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;

        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

static bool
connect_one(struct dcp_wire *w, int family, const struct sockaddr *at,
            socklen_t length, int64_t deadline_ms, struct dcp_error *err)
{
    int problem = 0, on = 1;
    socklen_t size = sizeof problem;

    if (w->fd >= 0) {
        (void)close(w->fd);
    }
    w->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0) {
        return dcp_fail(err, DCP_E_IO, "no socket: %s", strerror(errno));
    }
    if (family != AF_UNIX) {
        (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (connect(w->fd, at, length) == 0) {
        return true;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        if (!wait_for(w->fd, POLLOUT, deadline_ms)) {
            problem = ETIMEDOUT;
        } else if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &problem, &size)) {
            problem = errno;
        }
    } else {
        problem = errno; /* EAGAIN of a unix socket: its queue is full. */
    }
    return !problem ||
           dcp_fail(err, DCP_E_REMOTE, "cannot connect: %s", strerror(problem));
}

static bool
connect_any(struct dcp_wire *w, const struct dcp_wire_address *a,
            int64_t deadline_ms, struct dcp_error *err)
{
    struct dcp_lookup found;

    if (a->kind == DCP_WIRE_UNIX) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        memcpy(at.sun_path, a->host, strlen(a->host)); /* It fits: parsed. */
        return connect_one(w, AF_UNIX, (const struct sockaddr *)&at, sizeof at,
                           deadline_ms, err);
    }
    if (!dcp_wire_lookup(a, deadline_ms, &found, err)) {
        return false;
    }
    bool ok = false;

    for (uint32_t i = 0; i < found.n && !ok; i++) {
        ok = connect_one(w, found.items[i].at.ss_family,
                         (const struct sockaddr *)&found.items[i].at,
                         found.items[i].length, deadline_ms, err);
    }
    return ok;
}

static bool
shake_hands(struct dcp_wire *w, int64_t deadline_ms, struct dcp_error *err)
{
    char bytes[PIECE];
    size_t n;

    for (;;) {
        bool done, ok = dcp_tls_handshake(w->tls, &done, err);

        /* Why we refuse is for the peer to know, too. */
        if (!dcp_wire_flush(w, ok ? err : NULL) || !ok || done) {
            return ok && done;
        }
        if (!wait_for(w->fd, w->n ? POLLIN | POLLOUT : POLLIN, deadline_ms)) {
            return dcp_fail(err, DCP_E_REMOTE,
                            "it does not answer as TLS does");
        }
        if (!receive_raw(w, bytes, sizeof bytes, &n, err) ||
            (n && !dcp_tls_feed(w->tls, bytes, n, err))) {
            return false;
        }
    }
}

struct dcp_wire *
dcp_wire_open(const struct dcp_wire_peer *peer, int64_t timeout_ms,
              struct dcp_error *err)
{
    int64_t deadline_ms = dcp_wire_clock_ms() + timeout_ms;
    struct dcp_wire_address address;
    struct dcp_wire *w = NULL;
    bool ok = dcp_wire_parse(peer->address, &address, err);

    if (ok) {
        w = calloc(1, sizeof *w);
        ok = w || dcp_fail(err, DCP_E_NOMEM, "no memory for a connection");
    }
    if (ok) {
        w->fd = -1;
        if (address.kind == DCP_WIRE_TLS) {
            w->tls = dcp_tls_create(peer->tls, address.host, peer->name, err);
            ok = w->tls != NULL;
        }
    }
    ok = ok && connect_any(w, &address, deadline_ms, err) &&
         (!w->tls || shake_hands(w, deadline_ms, err));
    if (!ok) {
        (void)dcp_fail_in(err, "%s", peer->address);
        dcp_wire_destroy(w);
        return NULL;
    }
    return w;
}
