/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_CONNECT_H
#define DCP_MODEL_IO_CONNECT_H 1

/* connect.yaml: how to reach what dc.yaml names.
 *
 * It is in no digest, holds no secret (only where one is read from), and is
 * refused when others than its owner may read it.  Names must be the model's;
 * what is not named cannot be reached, and steps on it are refused before
 * anything starts.
 *
 *   dcplan: connect/1
 *   hosts:
 *     h1: {libvirt: "qemu+tcp://10.77.0.1/system", uuid: 1111...,
 *          bridge: br0, guard: [ssh, root@h1, dcplan-guard],
 *          bmc: {type: ipmi, address: 127.0.0.1, port: 9101, user: admin,
 *                password_file: secrets/h1, cipher: 3}}
 *   switches: {tor1: {ovsdb: "tcp:10.77.0.1:6640"}}
 *   pools: {bulk: {path: /srv/bulk, shared_path: true}}
 *
 * Read once, then only read: thread-safe. */

#include "model/inventory.h"

struct dcp_diag;

enum dcp_bmc_type { /* As the file names them, in order. */
                    DCP_BMC_IPMI,
                    DCP_BMC_REDFISH,
                    DCP_BMC_WAKE_ON_LAN, /* Can be switched on, not off nor
                                            asked. */
                    DCP_BMC_NONE,        /* None given. */
};

/* Texts are "" where nothing is given; paths of files are as they are opened
 * (relative ones were written from the folder of connect.yaml). */
struct dcp_bmc {
    uint32_t type;       /* enum dcp_bmc_type. */
    const char *address; /* IPMI; Wake-on-LAN: where the packet is sent. */
    uint32_t port;       /* IPMI: 623; Wake-on-LAN: 9. */
    uint32_t cipher;     /* IPMI cipher suite: 17. */
    const char *user;    /* IPMI and Redfish. */
    const char *password_file; /* Its first line; mode 0600. */
    const char *url;           /* Redfish: of the service root, or of the
                                * system below it. */
    const char *ca_file;       /* Redfish: who signs; "": the system's. */
    const char *mac;           /* Wake-on-LAN. */
    const char *uuid;          /* What the BMC says of itself, where that is
                                * not the host's uuid. */
};

/* Keys and certificates of a TLS connection; "" where there is none. */
struct dcp_connect_tls {
    const char *ca_file, *certificate_file, *key_file;
};

struct dcp_connect_host {
    bool given;
    const char *libvirt; /* URI, as seen from here. */
    const char *peer;    /* URI, as seen from other hosts; "": as libvirt. */
    const char *uuid;    /* Of the machine, as libvirt and the BMC say it. */
    const char *bridge;  /* Open vSwitch bridge of guests; "br0". */
    const char *ovsdb;   /* Switch database of the host itself; "": none. */
    const char *uplink;  /* The bridge's port towards the switch, trunked
                          * together with the switch's; "": left alone. */
    struct dcp_connect_tls tls; /* Of 'ovsdb'. */
    /* A command that shuts the host down if, and only if, no guest runs on it;
     * run here, words as they are, no shell.  n 0: the BMC's own request. */
    const char *const *guard;
    uint32_t n_guard;
    struct dcp_bmc bmc;
};

struct dcp_connect_switch {
    const char *ovsdb;  /* "tcp:HOST:PORT", "ssl:HOST:PORT" or "unix:PATH". */
    const char *bridge; /* For the kernel's bridge driver; "": none. */
    struct dcp_connect_tls tls;
};

struct dcp_connect_pool {
    const char *path;    /* Directory on each host; "": none. */
    bool shared_path;    /* The path is one filesystem on all hosts: moves may
                          * say that the disk is shared. */
    const char *nbd;     /* "tcp:HOST:PORT" or "unix:PATH"; "": none. */
    const char *iscsi;   /* "HOST:PORT/IQN"; "": none. */
    const char *control; /* Where its exports are managed from: a socket. */
};

struct dcp_connect {
    struct dcp_arena *arena;             /* Owns everything. */
    const char *dir;                     /* As it was asked for. */
    struct dcp_connect_host *hosts;      /* By host, switch and pool of the */
    struct dcp_connect_switch *switches; /* inventory. */
    struct dcp_connect_pool *pools;
};

/* Reads DIR/connect.yaml.  All its errors go to 'diag'; false when there is
 * one ('err' has the first), or when it is not there (DCP_E_NOT_FOUND). */
bool dcp_connect_read(const char *dir, const struct dcp_inventory *,
                      struct dcp_diag *diag, struct dcp_connect *out,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_connect_finish(struct dcp_connect *);

/* The first line of a file that nobody but its owner may use, into 'out', which
 * the caller wipes (explicit_bzero) as soon as it was used. */
#define DCP_SECRET_SIZE 256
bool dcp_connect_secret(const char *path, char out[DCP_SECRET_SIZE],
                        struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/connect.h */
