/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Wake-on-LAN: a packet of six bytes 255 and sixteen times the address of the
 * host's network card, which listens for it while the host is off.  Nobody
 * answers, so it is sent three times, and only the host itself can tell that it
 * helped. */

#include "executors/power/bmc.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_SIZE 102
#define N_SENT      3

static int
hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool
dcp_wake_parse_mac(const char *text, uint8_t out[6])
{
    uint8_t mac[6];

    if (strlen(text) != 17) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        int high = hex(text[3 * i]), low = hex(text[3 * i + 1]);
        char after = text[3 * i + 2];

        if (high < 0 || low < 0 ||
            (i < 5 ? after != ':' && after != '-' : after != '\0')) {
            return false;
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(out, mac, 6);
    return true;
}

static bool
send_to(const struct addrinfo *to, const uint8_t packet[PACKET_SIZE])
{
    int yes = 1;
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;

    /* The address may be a broadcast one. */
    ok = ok && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0;
    for (int i = 0; ok && i < N_SENT; i++) {
        ok = sendto(fd, packet, PACKET_SIZE, 0, to->ai_addr, to->ai_addrlen) ==
             PACKET_SIZE;
    }
    int why = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    errno = why;
    return ok;
}

static bool
on(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_DGRAM };
    const char *address =
        t->bmc->address[0] ? t->bmc->address : "255.255.255.255";
    uint8_t packet[PACKET_SIZE], mac[6];
    struct addrinfo *found = NULL;
    char port[12];

    if (!dcp_wake_parse_mac(t->bmc->mac, mac)) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "'%s' is not the address of a network card, such as "
                        "52:54:00:12:34:56; correct connect.yaml",
                        t->bmc->mac);
    }
    memset(packet, 255, 6);
    for (int i = 1; i <= 16; i++) {
        memcpy(packet + 6 * i, mac, 6);
    }
    (void)snprintf(port, sizeof port, "%u", t->bmc->port);
    int failed = getaddrinfo(address, port, &hints, &found);

    if (failed) {
        return dcp_fail(err, DCP_E_REMOTE, "no address for '%s': %s", address,
                        gai_strerror(failed));
    }
    bool ok = send_to(found, packet);
    int why = errno;

    freeaddrinfo(found);
    return ok || dcp_fail(err, DCP_E_IO, "cannot send to wake %s by %s:%s: %s",
                          t->bmc->mac, address, port, strerror(why));
}

const struct dcp_bmc_ops dcp_bmc_wake = {
    .name = "wake_on_lan",
    .on = on,
};
