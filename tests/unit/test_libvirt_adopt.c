/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps that an earlier run began, on hosts that answer nothing: they stay
 * unknown, and waiting for them costs next to nothing, also after their
 * time. */

#include "executors/libvirt/libvirt.h"
#include "model/base/diag.h"
#include "model/io/file.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define WAIT_MS 4000

static char dir[64];
static struct dcp_model model;
static struct dcp_connect reach;

static void
put(const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert(dcp_file_write(path, text, strlen(text), NULL));
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static void
set_up(void)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };

    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-adopt-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    put("dc.yaml",
        "dcplan: model/1\nlineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"
        "hardware: {m: {sockets: 1, cores_per_socket: 4, clock: 2GHz,\n"
        "  memory: 8GiB}}\n"
        "policy: {migration: {timeout_per_GiB: 1s}}\n"
        "hosts: {h1: {hardware: m}, h2: {hardware: m}}\n"
        "vms: {a: {vcpus: 1, memory: 1GiB, host: h1}}\n");
    /* Nobody listens there. */
    put("connect.yaml",
        "dcplan: connect/1\nhosts:\n"
        "  h1: {libvirt: 'qemu+unix:///system?socket=/nonexistent/1'}\n"
        "  h2: {libvirt: 'qemu+unix:///system?socket=/nonexistent/2'}\n");
    ck_assert_msg(dcp_model_open(dir, NULL, &diag, &model, &err), "%s",
                  err.message);
    ck_assert_msg(dcp_connect_read(dir, model.inventory, &diag, &reach, &err),
                  "%s", err.message);
    dcp_diag_finish(&diag);
}

static void
tear_down(void)
{
    char command[128];

    dcp_connect_finish(&reach);
    dcp_model_finish(&model);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static double
cpu_s(void)
{
    static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
    double sum = 0;

    for (int k = 0; k < 2; k++) {
        struct rusage use;

        ck_assert_int_eq(getrusage(whose[k], &use), 0);
        sum += (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    }
    return sum;
}

/* Adopts the step, lets its time pass, and measures what waiting costs. */
static void
wait_for(struct dcp_step step)
{
    struct dcp_libvirt_options options = { .inventory = model.inventory,
                                           .connect = &reach };
    struct dcp_error err = { 0 };
    struct dcp_executor *e = dcp_libvirt_create(&options, &err);
    struct dcp_observation seen;
    struct dcp_event event;
    double before_s;

    ck_assert_msg(e != NULL, "%s", err.message);
    ck_assert(e->ops->observe(e, &step, &seen, &err));
    ck_assert_int_eq(seen.effect, DCP_EFFECT_UNKNOWN);
    int64_t until_ms = e->ops->now_ms(e) + WAIT_MS;
    uint32_t n_waits = 0;
    bool got = false;

    before_s = cpu_s();
    while (!got && e->ops->now_ms(e) < until_ms) {
        ck_assert(e->ops->wait(e, until_ms, &event, &got, &err));
        n_waits++;
    }
    ck_assert_msg(!got, "an event of a step that nobody can see: %s",
                  event.text);
    ck_assert_uint_le(n_waits, 20);
    ck_assert_double_le(cpu_s() - before_s, 0.5 * DCP_TEST_SLOWNESS);
    dcp_executor_destroy(e);
}

static struct dcp_step
step_of(enum dcp_step_kind kind)
{
    return (struct dcp_step){ .id = 1,
                              .kind = kind,
                              .object = { DCP_OBJECT_VM, 0 },
                              .from = { DCP_OBJECT_HOST, 0 },
                              .to = { DCP_OBJECT_HOST, 1 } };
}

START_TEST(a_move_that_nobody_shows)
{
    wait_for(step_of(DCP_STEP_MIGRATE));
}
END_TEST

START_TEST(a_stop_that_nobody_shows)
{
    wait_for(step_of(DCP_STEP_VM_STOP));
}
END_TEST

static const TTest *const *const tests[] = {
    &a_move_that_nobody_shows,
    &a_stop_that_nobody_shows,
};

int
main(void)
{
    return run_tests_with("libvirt_adopt", tests,
                          sizeof tests / sizeof tests[0], set_up, tear_down);
}
