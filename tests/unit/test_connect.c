/* SPDX-License-Identifier: GPL-3.0-or-later */

/* connect.yaml: what is written arrives at the right host, switch and pool, all
 * mistakes are named at once, and nothing that others may read is used. */

#include "model/base/diag.h"
#include "model/base/text.h"
#include "model/io/connect.h"
#include "model/io/file.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64];
static struct dcp_model model;

static void
put(const char *name, const char *text, mode_t mode)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert(dcp_file_write(path, text, strlen(text), NULL));
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void
begin(void)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };

    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-connect-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    put("dc.yaml",
        "dcplan: model/1\nlineage: x\n"
        "hardware: {m: {sockets: 1, cores_per_socket: 4, clock: 2GHz,\n"
        "  memory: 8GiB}}\n"
        "switches: {tor1: {}, tor2: {}}\n"
        "pools: {bulk: {capacity: 1TiB}}\n"
        "hosts: {h1: {hardware: m}, h2: {hardware: m}, h10: {hardware: m}}\n",
        0644);
    ck_assert_msg(dcp_model_open(dir, NULL, &diag, &model, &err), "%s",
                  err.message);
    dcp_diag_finish(&diag);
}

static void
end(void)
{
    char command[128];

    dcp_model_finish(&model);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static bool
read_it(struct dcp_connect *out, char messages[2048], struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    bool ok = dcp_connect_read(dir, model.inventory, &diag, out, err);

    messages[0] = '\0';
    for (size_t i = 0; i < diag.n; i++) {
        size_t n = strlen(messages);

        (void)snprintf(messages + n, 2048 - n, "%u: %s\n", diag.items[i].line,
                       diag.items[i].message);
    }
    dcp_diag_finish(&diag);
    return ok;
}

START_TEST(everything_arrives)
{
    struct dcp_connect c;
    struct dcp_error err = { 0 };
    char messages[2048], password[128];

    put("connect.yaml",
        "dcplan: connect/1\n"
        "hosts:\n"
        "  h10: {libvirt: 'qemu+tcp://10.0.0.2/system', uuid: u10,\n"
        "       guard: [ssh, root@h10, dcplan-guard],\n"
        "       bmc: {type: ipmi, address: 127.0.0.1, port: 9101, user: a,\n"
        "             password_file: secrets/h10, cipher: 3}}\n"
        "  h2: {bmc: {type: wake_on_lan, mac: '52:54:00:00:00:01'}}\n"
        "switches: {tor2: {ovsdb: 'ssl:10.0.0.1:6640', ca_file: /etc/ca}}\n"
        "pools: {bulk: {path: /srv/bulk, shared_path: true}}\n",
        0600);
    ck_assert_msg(read_it(&c, messages, &err), "%s %s", err.message, messages);

    uint32_t h10 = dcp_inventory_find_host(model.inventory, "h10").ix;
    uint32_t h2 = dcp_inventory_find_host(model.inventory, "h2").ix;
    uint32_t h1 = dcp_inventory_find_host(model.inventory, "h1").ix;

    ck_assert(c.hosts[h10].given && c.hosts[h2].given && !c.hosts[h1].given);
    ck_assert_str_eq(c.hosts[h10].libvirt, "qemu+tcp://10.0.0.2/system");
    ck_assert_str_eq(c.hosts[h10].bridge, "br0");
    ck_assert_str_eq(c.hosts[h1].bridge, "br0");
    ck_assert_uint_eq(c.hosts[h10].n_guard, 3);
    ck_assert_str_eq(c.hosts[h10].guard[2], "dcplan-guard");
    ck_assert_uint_eq(c.hosts[h10].bmc.type, DCP_BMC_IPMI);
    ck_assert_uint_eq(c.hosts[h10].bmc.port, 9101);
    ck_assert_uint_eq(c.hosts[h10].bmc.cipher, 3);
    (void)snprintf(password, sizeof password, "%s/secrets/h10", dir);
    ck_assert_str_eq(c.hosts[h10].bmc.password_file, password);
    ck_assert_uint_eq(c.hosts[h2].bmc.type, DCP_BMC_WAKE_ON_LAN);
    ck_assert_uint_eq(c.hosts[h2].bmc.port, 9);
    ck_assert_uint_eq(c.hosts[h1].bmc.type, DCP_BMC_NONE);
    ck_assert_str_eq(c.switches[0].ovsdb, "");
    ck_assert_str_eq(c.switches[1].ovsdb, "ssl:10.0.0.1:6640");
    ck_assert_str_eq(c.switches[1].tls.ca_file, "/etc/ca");
    ck_assert(c.pools[0].shared_path);
    dcp_connect_finish(&c);
}
END_TEST

START_TEST(all_mistakes_at_once)
{
    struct dcp_connect c;
    struct dcp_error err = { 0 };
    char messages[2048];

    put("connect.yaml",
        "dcplan: connect/2\n"
        "hosts:\n"
        "  h11: {libvirt: x}\n"
        "  h2: {libvrt: x, bmc: {type: ipmi, port: 70000}}\n"
        "  h1: {guard: [], bmc: {type: modem}}\n"
        "switch: {}\n",
        0600);
    ck_assert(!read_it(&c, messages, &err));
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    ck_assert_ptr_null(c.arena);
    static const char *const wanted[] = {
        "1: dcplan: 'connect/2' is not connect/1",
        "3: host 'h11': the model has none of this name; did you mean 'h1'?",
        "did you mean 'libvirt'?",
        "bmc: ipmi needs 'address'",
        "bmc: ipmi needs 'password_file'",
        "port:",
        "type: ",
        "did you mean 'switches'?",
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        ck_assert_msg(strstr(messages, wanted[i]) != NULL, "%s not in %s",
                      wanted[i], messages);
    }
}
END_TEST

START_TEST(what_others_may_read_is_refused)
{
    struct dcp_connect c;
    struct dcp_error err = { 0 };
    char messages[2048];

    ck_assert(!read_it(&c, messages, &err));
    ck_assert_int_eq(err.code, DCP_E_NOT_FOUND);
    put("connect.yaml", "dcplan: connect/1\n", 0640);
    ck_assert(!read_it(&c, messages, &err));
    ck_assert_int_eq(err.code, DCP_E_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.message, "chmod 600"));
    put("connect.yaml", "dcplan: connect/1\n", 0600);
    ck_assert_msg(read_it(&c, messages, &err), "%s", err.message);
    dcp_connect_finish(&c);
}
END_TEST

START_TEST(secrets)
{
    struct dcp_error err = { 0 };
    char out[DCP_SECRET_SIZE], path[128], longer[DCP_SECRET_SIZE + 8];

    (void)snprintf(path, sizeof path, "%s/s", dir);
    put("s", "pass word\r\nsecond\n", 0600);
    ck_assert_msg(dcp_connect_secret(path, out, &err), "%s", err.message);
    ck_assert_str_eq(out, "pass word");
    put("s", "x", 0600);
    ck_assert(dcp_connect_secret(path, out, &err));
    ck_assert_str_eq(out, "x");
    put("s", "x\n", 0604);
    ck_assert(!dcp_connect_secret(path, out, &err));
    ck_assert_int_eq(err.code, DCP_E_REFUSED);
    put("s", "\n", 0600);
    ck_assert(!dcp_connect_secret(path, out, &err));
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    put("s", longer, 0600);
    ck_assert(!dcp_connect_secret(path, out, &err));
    ck_assert_int_eq(err.code, DCP_E_LIMIT);
    ck_assert_str_eq(out, "");
}
END_TEST

static const TTest *const *const tests[] = {
    &everything_arrives,
    &all_mistakes_at_once,
    &what_others_may_read_is_refused,
    &secrets,
};

int
main(void)
{
    return run_tests_with("connect", tests, sizeof tests / sizeof tests[0],
                          begin, end);
}
