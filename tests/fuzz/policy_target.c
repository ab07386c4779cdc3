/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A policy file over a small model: whatever the bytes, either a sealed
 * inventory or diagnostics; the same bytes give the same digest. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "model/base/diag.h"
#include "model/io/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char model[] =
    "dcplan: model/1\n"
    "lineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"
    "timezone: UTC\n"
    "racks: {r1: {}, r2: {}}\n"
    "hardware:\n"
    "  m: {sockets: 1, cores_per_socket: 10, clock: 2GHz, memory: 64GiB,\n"
    "      nics: [10Gbit]}\n"
    "hosts: {h1: {hardware: m, rack: r1}, h2: {hardware: m, rack: r2},\n"
    "        h3: {hardware: m}}\n"
    "tiers: {live: {cpu_overcommit: 4}}\n"
    "vms:\n"
    "  a: {vcpus: 1, memory: 8GiB, tier: live, host: h1, os: rhel}\n"
    "  b: {vcpus: 2, memory: 8GiB, host: h2, tags: [web]}\n"
    "  c: {vcpus: 2, memory: 8GiB, host: h3}\n";

static int
file_of(const char *name, const void *data, size_t size, char path[64])
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static struct dcp_inventory *
load(const char *model_path, const char *policy_path)
{
    const char *const paths[] = { model_path };
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_inventory *inv =
        dcp_model_read(paths, 1, policy_path, &diag, &err);

    if (inv ? diag.n_errors : !diag.n_errors && err.code == DCP_OK) {
        abort();
    }
    for (size_t i = 0; i < diag.n; i++) {
        if (!diag.items[i].message[0]) {
            abort();
        }
    }
    dcp_diag_finish(&diag);
    return inv;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char model_path[64], policy_path[64];
    int a = file_of("dc.yaml", model, sizeof model - 1, model_path);
    int b = file_of("policy.yaml", data, size, policy_path);
    struct dcp_inventory *one = load(model_path, policy_path);
    struct dcp_inventory *two = load(model_path, policy_path);

    if (!one != !two ||
        (one && strcmp(one->policy_digest, two->policy_digest))) {
        abort();
    }
    dcp_inventory_destroy(one);
    dcp_inventory_destroy(two);
    (void)close(a);
    (void)close(b);
    return 0;
}
