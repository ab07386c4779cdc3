/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_POWER_FIXTURE_H
#define DCP_TESTS_POWER_FIXTURE_H 1

/* Hosts with BMCs behind a made-up ipmitool: a script whose world is one folder
 * per port, with the power ("on", "off"), how it behaves, and what was asked.
 * Times are so short that tests take moments. */

#include "executors/power/power.h"
#include "tests/unit/exec_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define POWER_HOSTS_MAX 20

struct power_fixture {
    struct fixture f;
    char dir[64], tool[96], password[96];
    struct dcp_connect connect;
    struct dcp_connect_host hosts[POWER_HOSTS_MAX];
    struct dcp_power_options options;
    uint32_t n_guests[POWER_HOSTS_MAX]; /* UINT32_MAX: it cannot be asked. */
    uint32_t n_counted;
    struct dcp_executor *executor;
};

static const char power_uuid[] = "a1234567-89ab-cdef-a123-456789abcdef";

static const char fake_ipmitool[] =
    "#!/bin/sh\n"
    "case \"$*\" in *sesame*) exit 9;; esac\n"
    "while [ $# -gt 3 ]; do case $1 in\n"
    "  -p) port=$2; shift 2;; -f) secret=$(cat \"$2\"); shift 2;;\n"
    "  -v) shift;; *) shift 2;; esac; done\n"
    "cd \"${0%/*}/$port\" || exit 9\n"
    "mode=$(cat mode 2>/dev/null)\n"
    "echo \"$*\" >>calls\n"
    "if [ \"$secret\" != sesame ]; then\n"
    "  echo '> RAKP 2 HMAC is invalid' >&2\n"
    "  echo 'Error: Unable to establish IPMI v2 / RMCP+ session' >&2\n"
    "  exit 1; fi\n"
    "case $mode in silent) echo $$ >pid; exec sleep 30;; esac\n"
    "case $* in\n"
    "'mc guid dump') echo \"System GUID   : $(cat guid)\";;\n"
    "'chassis power status')\n"
    "  if [ -s turns ]; then head -n 1 turns >power; sed -i 1d turns; fi\n"
    "  if [ \"$mode\" = odd ]; then echo 'Chassis Power is odd'; exit; fi\n"
    "  echo \"Chassis Power is $(cat power)\";;\n"
    "'chassis power on') echo 'Chassis Power Control: Up/On'\n"
    "  [ \"$mode\" = lazy ] || echo on >power;;\n"
    "'chassis power soft')\n"
    "  if [ \"$(cat power)\" = off ]; then\n"
    "    echo 'Command not supported in present state' >&2; exit 1; fi\n"
    "  echo 'Chassis Power Control: Soft'\n"
    "  [ \"$mode\" = lazy ] || echo off >power;;\n"
    "'chassis power off') echo 'Chassis Power Control: Down/Off'\n"
    "  [ \"$mode\" = lazy ] || echo off >power;;\n"
    "*) exit 8;;\n"
    "esac\n";

static inline void
power_write(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(close(fd), 0);
}

/* Of host 'h': "power", "mode", "turns", "guid". */
static inline void
power_put(struct power_fixture *p, uint32_t h, const char *file,
          const char *text)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%u/%s", p->dir, 9000 + h, file);
    power_write(path, text, 0600);
}

static inline const char *
power_get(struct power_fixture *p, uint32_t h, const char *file, char out[2048])
{
    char path[160];
    ssize_t n = 0;

    (void)snprintf(path, sizeof path, "%s/%u/%s", p->dir, 9000 + h, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        n = read(fd, out, 2047);
        (void)close(fd);
    }
    out[n < 0 ? 0 : n] = '\0';
    return out;
}

static inline bool
power_count(void *user, dcp_host_id host, uint32_t *out_n,
            struct dcp_error *err)
{
    struct power_fixture *p = user;
    char power[2048];

    p->n_counted++;
    if (p->n_guests[host.ix] == UINT32_MAX ||
        (p->hosts[host.ix].bmc.type == DCP_BMC_IPMI &&
         strcmp(power_get(p, host.ix, "power", power), "on\n") != 0)) {
        return dcp_fail(err, DCP_E_REMOTE, "host does not answer");
    }
    *out_n = p->n_guests[host.ix];
    return true;
}

static inline void
power_begin(struct power_fixture *p, uint32_t n_hosts)
{
    char path[160];

    memset(p, 0, sizeof *p);
    fixture_init(&p->f, n_hosts, 1);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/dcp-test-power-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    (void)snprintf(p->tool, sizeof p->tool, "%s/ipmitool", p->dir);
    (void)snprintf(p->password, sizeof p->password, "%s/password", p->dir);
    power_write(p->tool, fake_ipmitool, 0755);
    power_write(p->password, "sesame\n", 0600);
    p->connect.hosts = p->hosts;
    for (uint32_t h = 0; h < n_hosts; h++) {
        (void)snprintf(path, sizeof path, "%s/%u", p->dir, 9000 + h);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        power_put(p, h, "power", "on\n");
        power_put(p, h, "guid", "A123456789ABCDEFA123456789ABCDEF");
        p->hosts[h] = (struct dcp_connect_host){
            .given = true,
            .uuid = power_uuid,
            .bmc = { .type = DCP_BMC_IPMI,
                     .address = "127.0.0.1",
                     .port = 9000 + h,
                     .cipher = 3,
                     .user = "admin",
                     .password_file = p->password,
                     .uuid = "" },
        };
    }
    dcp_power_options_default(&p->options);
    p->options.inventory = p->f.inv;
    p->options.connect = &p->connect;
    p->options.guests = (struct dcp_guests){ power_count, p };
    p->options.ipmitool = p->tool;
    p->options.timing = (struct dcp_power_timing){
        .look_ms = 10000,
        .act_ms = 10000,
        .guard_ms = 10000,
        .poll_ms = 20,
        .guests_gap_ms = 50,
        .guests_wait_ms = 600,
        .off_gap_ms = 150,
        .off_ms = 1500,
        .unclear_ms = 700,
        .on_ms = 1500,
        .resend_ms = 100,
        .n_sends = 3,
    };
}

static inline void
power_create(struct power_fixture *p)
{
    struct dcp_error err = { 0 };

    p->executor = dcp_power_create(&p->options, &err);
    ck_assert_msg(p->executor, "%s", err.message);
}

static inline void
power_end(struct power_fixture *p)
{
    char command[128];

    dcp_executor_destroy(p->executor);
    fixture_finish(&p->f);
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    ck_assert_int_eq(system(command), 0);
}

#endif /* tests/unit/power_fixture.h */
