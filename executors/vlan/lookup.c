/* SPDX-License-Identifier: GPL-3.0-or-later */

#define _GNU_SOURCE /* For pipe2(). */

#include "executors/vlan/lookup.h"

#include "executors/vlan/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PORT "6640" /* RFC 7047, section 6. */

/* --- The text ----------------------------------------------------------- */

static bool
wrong(const char *text, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_ARGUMENT,
                    "'%.100s' is no address of a switch database: write "
                    "tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH",
                    text);
}

static bool
is_port(const char *text)
{
    uint32_t value = 0;
    size_t n = strspn(text, "0123456789");

    for (size_t i = 0; i < n && i < 6; i++) {
        value = 10 * value + (uint32_t)(text[i] - '0');
    }
    return n > 0 && n < 6 && !text[n] && value > 0 && value < 65536;
}

static bool
copy(char *out, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

static bool
parse_host(const char *text, struct dcp_wire_address *out)
{
    const char *end, *colon;

    if (*text == '[') {
        end = strchr(++text, ']');
        colon = end ? end + 1 : NULL;
    } else {
        end = colon = text + strcspn(text, ":");
    }
    if (!end ||
        !copy(out->host, sizeof out->host, text, (size_t)(end - text))) {
        return false;
    }
    if (!*colon) {
        return copy(out->port, sizeof out->port, DEFAULT_PORT,
                    strlen(DEFAULT_PORT));
    }
    return *colon == ':' && is_port(colon + 1) &&
           copy(out->port, sizeof out->port, colon + 1, strlen(colon + 1));
}

bool
dcp_wire_parse(const char *text, struct dcp_wire_address *out,
               struct dcp_error *err)
{
    const char *rest = strchr(text, ':');
    size_t n = rest ? (size_t)(rest - text) : 0;
    bool ok;

    *out = (struct dcp_wire_address){ .kind = DCP_WIRE_UNIX };
    if (n == 4 && !strncmp(text, "unix", n)) {
        size_t most = sizeof((struct sockaddr_un *)0)->sun_path;

        ok = strlen(rest + 1) < most &&
             copy(out->host, sizeof out->host, rest + 1, strlen(rest + 1));
    } else if (n == 3 && !strncmp(text, "tcp", n)) {
        out->kind = DCP_WIRE_TCP;
        ok = parse_host(rest + 1, out);
    } else {
        out->kind = DCP_WIRE_TLS;
        ok = n == 3 && !strncmp(text, "ssl", n) && parse_host(rest + 1, out);
    }
    return ok || wrong(text, err);
}

/* --- Names -------------------------------------------------------------- */

static int
get(const struct dcp_wire_address *a, int flags, struct dcp_lookup *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = flags | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(a->host, a->port, &hints, &found);

    out->n = 0;
    if (failed) {
        return failed;
    }
    for (struct addrinfo *i = found; i && out->n < DCP_LOOKUP_MAX;
         i = i->ai_next) {
        if (i->ai_addrlen <= sizeof out->items[0].at) {
            memcpy(&out->items[out->n].at, i->ai_addr, i->ai_addrlen);
            out->items[out->n++].length = i->ai_addrlen;
        }
    }
    freeaddrinfo(found);
    return 0;
}

/* The child's life.  It dies with its parent. */
static void
look_up_and_end(const struct dcp_wire_address *a, int to, pid_t parent)
{
    struct dcp_lookup found;

    memset(&found, 0, sizeof found);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
        get(a, 0, &found) == 0) {
        (void)!write(to, &found, sizeof found); /* Less than PIPE_BUF. */
    }
    _exit(0);
}

static bool
read_before(int from, int64_t deadline_ms, struct dcp_lookup *out)
{
    struct pollfd fd = { .fd = from, .events = POLLIN };

    for (;;) {
        int64_t left_ms = deadline_ms - dcp_wire_clock_ms();
        int ready = left_ms > 0 ? poll(&fd, 1, (int)left_ms) : 0;

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        return ready > 0 && read(from, out, sizeof *out) == sizeof *out &&
               out->n > 0 && out->n <= DCP_LOOKUP_MAX;
    }
}

bool
dcp_wire_lookup(const struct dcp_wire_address *a, int64_t deadline_ms,
                struct dcp_lookup *out, struct dcp_error *err)
{
    int ends[2];
    pid_t parent = getpid(), child;

    if (get(a, AI_NUMERICHOST, out) == 0 && out->n) {
        return true;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return dcp_fail(err, DCP_E_IO, "no pipe to look up '%s': %s", a->host,
                        strerror(errno));
    }
    child = fork();
    if (child == 0) {
        look_up_and_end(a, ends[1], parent);
    }
    (void)close(ends[1]);
    bool ok = child > 0 && read_before(ends[0], deadline_ms, out);

    (void)close(ends[0]);
    if (child > 0) {
        (void)kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    return ok || dcp_fail(err, DCP_E_REMOTE,
                          "the name '%s' leads to no address, or the name "
                          "server does not answer",
                          a->host);
}
