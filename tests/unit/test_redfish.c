/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Redfish against a service on this machine (tests/support/fake_redfish.py),
 * well-behaved and not, over HTTP and TLS. */

#include "executors/power/bmc.h"
#include "executors/power/boot_clock.h"
#include "tests/unit/run_suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char uuid[] = "a1234567-89ab-cdef-a123-456789abcdef";

static char dir[64], url[96], password[96], certificate[96], key[96];
static struct dcp_bmc bmc;
static struct dcp_bmc_target target;
static pid_t server;

static void
put(const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

static bool
file_has(const char *name, const char *text)
{
    static char bytes[8192];
    char path[128];
    ssize_t n = 0;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        n = read(fd, bytes, sizeof bytes - 1);
        (void)close(fd);
    }
    bytes[n < 0 ? 0 : n] = '\0';
    return strstr(bytes, text) != NULL;
}

static void
serve(bool tls)
{
    int ends[2];
    char port[16] = "";
    pid_t self = getpid();

    ck_assert_int_eq(pipe(ends), 0);
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == self && dup2(ends[1], 1) == 1) {
            (void)execlp("python3", "python3", "tests/support/fake_redfish.py",
                         dir, tls ? certificate : NULL, key, NULL);
        }
        _exit(127);
    }
    (void)close(ends[1]);
    size_t n = 0;

    while (n + 1 < sizeof port && !strchr(port, '\n') &&
           read(ends[0], port + n, 1) == 1) {
        n++;
    }
    (void)close(ends[0]);
    ck_assert_msg(n > 1, "python3 does not serve");
    port[n - 1] = '\0';
    (void)snprintf(url, sizeof url, "http%s://127.0.0.1:%s", tls ? "s" : "",
                   port);
    bmc.url = url;
}

static void
stop_serving(void)
{
    if (server > 0) {
        (void)kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
        server = 0;
    }
}

static void
begin(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-redfish-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(password, sizeof password, "%s/password", dir);
    (void)snprintf(certificate, sizeof certificate, "%s/cert.pem", dir);
    (void)snprintf(key, sizeof key, "%s/key.pem", dir);
    put("password", "sesame\n");
    put("power", "On");
    bmc = (struct dcp_bmc){ .type = DCP_BMC_REDFISH,
                            .address = "",
                            .user = "admin",
                            .password_file = password,
                            .ca_file = "",
                            .mac = "",
                            .uuid = "" };
    target = (struct dcp_bmc_target){ .bmc = &bmc,
                                      .uuid = uuid,
                                      .deadline_ms = dcp_boot_ms() + 60000 };
    serve(false);
}

static void
end(void)
{
    char command[128];

    stop_serving();
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static enum dcp_power
look(void)
{
    struct dcp_error err = { 0 };
    enum dcp_power power = DCP_POWER_UNKNOWN;
    char said[DCP_GUID_TEXT];

    ck_assert_msg(dcp_bmc_redfish.look(&target, &power, said, &err), "%s",
                  err.message);
    ck_assert_str_eq(said, uuid);
    return power;
}

static enum dcp_code
fails_to_look(const char *with)
{
    struct dcp_error err = { 0 };
    enum dcp_power power;

    ck_assert(!dcp_bmc_redfish.look(&target, &power, NULL, &err));
    ck_assert_msg(strstr(err.message, with), "'%s' without '%s'", err.message,
                  with);
    ck_assert_ptr_null(strstr(err.message, "sesame"));
    return err.code;
}

static void
works(bool (*verb)(const struct dcp_bmc_target *, struct dcp_error *))
{
    struct dcp_error err = { 0 };

    ck_assert_msg(verb(&target, &err), "%s", err.message);
}

START_TEST(looked_at_and_switched)
{
    ck_assert_int_eq(look(), DCP_POWER_ON);
    works(dcp_bmc_redfish.graceful);
    ck_assert(file_has("calls", "GracefulShutdown"));
    ck_assert_int_eq(look(), DCP_POWER_OFF);
    works(dcp_bmc_redfish.on);
    ck_assert_int_eq(look(), DCP_POWER_ON);
    works(dcp_bmc_redfish.hard);
    ck_assert(file_has("calls", "ForceOff"));
    ck_assert_int_eq(look(), DCP_POWER_OFF);
    put("power", "PoweringOff");
    ck_assert_int_eq(look(), DCP_POWER_TURNING);
}
END_TEST

/* What is so already is not asked for. */
START_TEST(so_already)
{
    put("calls", "");
    works(dcp_bmc_redfish.on);
    ck_assert(!file_has("calls", "POST"));
    put("mode", "conflict");
    works(dcp_bmc_redfish.graceful);
    ck_assert(file_has("calls", "POST"));
}
END_TEST

START_TEST(one_of_three_systems)
{
    struct dcp_error err = { 0 };
    enum dcp_power power;

    put("mode", "three");
    ck_assert_int_eq(look(), DCP_POWER_ON);
    target.uuid = "c1234567-89ab-cdef-a123-456789abcdef";
    ck_assert(!dcp_bmc_redfish.look(&target, &power, NULL, &err));
    ck_assert_int_eq(err.code, DCP_E_REFUSED);
    target.uuid = uuid;
    (void)strcat(url, "/redfish/v1/Systems/3");
    ck_assert_int_eq(look(), DCP_POWER_ON);
}
END_TEST

START_TEST(session_where_there_is_no_other_way)
{
    put("mode", "session");
    ck_assert_int_eq(look(), DCP_POWER_ON);
    ck_assert(file_has("calls", "DELETE"));
    put("password", "guess\n");
    ck_assert_int_eq(fails_to_look("refuses user 'admin'"), DCP_E_REFUSED);
}
END_TEST

START_TEST(wrong_password)
{
    put("password", "guess\n");
    put("calls", "");
    ck_assert_int_eq(fails_to_look("refuses user 'admin'"), DCP_E_REFUSED);
    ck_assert(!file_has("calls", "Sessions")); /* Tried once. */
    ck_assert_int_eq(chmod(password, 0644), 0);
    ck_assert_int_eq(fails_to_look("chmod 600"), DCP_E_REFUSED);
}
END_TEST

START_TEST(tasks_are_awaited)
{
    struct dcp_error err = { 0 };

    put("mode", "task");
    works(dcp_bmc_redfish.graceful);
    ck_assert_int_eq(look(), DCP_POWER_OFF);
    put("mode", "gives_up");
    ck_assert(!dcp_bmc_redfish.on(&target, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "Exception"));
}
END_TEST

START_TEST(etag)
{
    put("mode", "etag");
    works(dcp_bmc_redfish.graceful);
    ck_assert_int_eq(look(), DCP_POWER_OFF);
}
END_TEST

START_TEST(refusals)
{
    struct dcp_error err = { 0 };

    put("mode", "no");
    ck_assert(!dcp_bmc_redfish.graceful(&target, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "not today"));
    put("mode", "rude");
    ck_assert(!dcp_bmc_redfish.graceful(&target, &err));
    ck_assert_int_eq(err.code, DCP_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "guard"));
    put("mode", "away");
    ck_assert(!dcp_bmc_redfish.graceful(&target, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "not its own"));
}
END_TEST

START_TEST(hostile_replies)
{
    put("mode", "moved");
    ck_assert_int_eq(fails_to_look("elsewhere"), DCP_E_REFUSED);
    put("mode", "huge");
    ck_assert_int_eq(fails_to_look("1 MiB"), DCP_E_LIMIT);
    put("mode", "broken");
    (void)fails_to_look("HTTP status 200");
    put("mode", "odd");
    (void)fails_to_look("neither on nor off");
    bmc.url = "http://192.0.2.1/";
    ck_assert_int_eq(fails_to_look("https only"), DCP_E_REFUSED);
    bmc.url = "https://user:word@127.0.0.1/";
    ck_assert_int_eq(fails_to_look("has a user in it"), DCP_E_REFUSED);
    bmc.url = "gopher://127.0.0.1/";
    ck_assert_int_eq(fails_to_look(""), DCP_E_REFUSED);
    stop_serving();
    bmc.url = url;
    ck_assert_int_eq(fails_to_look("does not answer"), DCP_E_REMOTE);
}
END_TEST

START_TEST(over_tls)
{
    char command[512];

    stop_serving();
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey ec -pkeyopt "
                   "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bmc "
                   "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s "
                   "2>/dev/null",
                   key, certificate);
    ck_assert_int_eq(system(command), 0);
    serve(true);
    put("calls", "");
    ck_assert_int_eq(fails_to_look("certificate"), DCP_E_REFUSED);
    ck_assert(!file_has("calls", "GET")); /* The password stayed here. */
    bmc.ca_file = certificate;
    ck_assert_int_eq(look(), DCP_POWER_ON);
    works(dcp_bmc_redfish.graceful);
    ck_assert_int_eq(look(), DCP_POWER_OFF);
}
END_TEST

static const TTest *const *const tests[] = {
    &looked_at_and_switched,
    &so_already,
    &one_of_three_systems,
    &session_where_there_is_no_other_way,
    &wrong_password,
    &tasks_are_awaited,
    &etag,
    &refusals,
    &hostile_replies,
    &over_tls,
};

int
main(void)
{
    return run_tests_with("redfish", tests, sizeof tests / sizeof tests[0],
                          begin, end);
}
