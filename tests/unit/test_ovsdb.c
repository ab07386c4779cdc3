/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/vlan/lookup.h"
#include "executors/vlan/ovsdb.h"
#include "executors/vlan/ovsdb_stream.h"
#include "model/io/connect.h"
#include "tests/support/ovsdb_server.h"
#include "tests/unit/run_suite.h"

#include <jansson.h>

static const struct dcp_connect_tls no_tls = { "", "", "" };
static struct fake_server server;
static struct dcp_error err;

static struct dcp_ovsdb *
open_it(int64_t timeout_ms)
{
    struct dcp_wire_peer peer = { server.address, "tor1", &no_tls };

    err = (struct dcp_error){ 0 };
    return dcp_ovsdb_open(&peer, timeout_ms, &err);
}

static json_t *
ask(struct dcp_ovsdb *db, int64_t timeout_ms)
{
    return dcp_ovsdb_transact(db, json_pack("[{s:s}]", "op", "select"),
                              timeout_ms, &err);
}

#define START(...)                                                             \
    do {                                                                       \
        static const struct fake_turn turns[] = { __VA_ARGS__ };               \
        fake_start(&server, turns, sizeof turns / sizeof *turns);              \
    } while (0)

#define OK_1 "{\"id\":1,\"error\":null,\"result\":[{\"count\":1}]}"

/* --- The stream --------------------------------------------------------- */

static uint32_t
count_messages(const char *text, size_t n, size_t piece, bool *out_ok)
{
    struct dcp_ovsdb_stream s = { 0 };
    uint32_t found = 0;
    json_t *m;

    *out_ok = true;
    for (size_t at = 0; at < n && *out_ok; at += piece) {
        *out_ok = dcp_ovsdb_stream_add(&s, text + at,
                                       piece < n - at ? piece : n - at, &err);
        while (*out_ok && (*out_ok = dcp_ovsdb_stream_next(&s, &m, &err)) &&
               m) {
            json_decref(m);
            found++;
        }
    }
    if (!*out_ok) { /* For good. */
        ck_assert(!dcp_ovsdb_stream_add(&s, "{}", 2, NULL));
        ck_assert(!dcp_ovsdb_stream_next(&s, &m, NULL));
    }
    dcp_ovsdb_stream_finish(&s);
    return found;
}

START_TEST(messages_come_in_any_pieces)
{
    const char *text = " {\"a\":\"}{\\\"[\"}{\"b\":[{},[]]}\n\t{} ";
    bool ok;

    for (size_t piece = 1; piece <= strlen(text); piece++) {
        ck_assert_uint_eq(count_messages(text, strlen(text), piece, &ok), 3);
        ck_assert(ok);
    }
}
END_TEST

START_TEST(nonsense_breaks_the_stream)
{
    static const char *const bad[] = {
        "[]", "x", "{]", "{\"a\":1,\"a\":2}", "{} ]", "{'a'}", "\"{}\""
    };
    char *deep = malloc(4096), *longer = calloc(1, 3 << 20);
    bool ok;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)count_messages(bad[i], strlen(bad[i]), 1, &ok);
        ck_assert_msg(!ok, "%s", bad[i]);
    }
    memset(deep, '[', 4096);
    deep[0] = '{';
    (void)count_messages(deep, 4096, 4096, &ok);
    ck_assert(!ok);
    ck_assert_ptr_nonnull(strstr(err.message, "deeply"));
    memset(longer, 'x', 3 << 20);
    memcpy(longer, "{\"", 2);
    (void)count_messages(longer, 3 << 20, 65536, &ok);
    ck_assert(!ok);
    ck_assert_ptr_nonnull(strstr(err.message, "2 MiB"));
    free(deep);
    free(longer);
}
END_TEST

START_TEST(addresses_are_taken_apart)
{
    static const char *const bad[] = { "",          "tcp:",    "tcp",
                                       "udp:h:1",   "tcp:h:0", "tcp:h:65536",
                                       "tcp:h:1x",  "unix:",   "tcp:[::1",
                                       "ssl::6640", "tcp:h:",  "tcp:[::1]x" };
    struct dcp_wire_address a;

    ck_assert(dcp_wire_parse("unix:/run/db.sock", &a, &err));
    ck_assert_int_eq(a.kind, DCP_WIRE_UNIX);
    ck_assert_str_eq(a.host, "/run/db.sock");
    ck_assert(dcp_wire_parse("tcp:10.77.0.1:6641", &a, &err));
    ck_assert_int_eq(a.kind, DCP_WIRE_TCP);
    ck_assert_str_eq(a.host, "10.77.0.1");
    ck_assert_str_eq(a.port, "6641");
    ck_assert(dcp_wire_parse("ssl:[fd00::1]", &a, &err));
    ck_assert_int_eq(a.kind, DCP_WIRE_TLS);
    ck_assert_str_eq(a.host, "fd00::1");
    ck_assert_str_eq(a.port, "6640");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!dcp_wire_parse(bad[i], &a, &err), "%s", bad[i]);
    }
}
END_TEST

START_TEST(names_are_looked_up)
{
    struct dcp_wire_address a;
    struct dcp_lookup found;

    ck_assert(dcp_wire_parse("tcp:localhost:1", &a, &err));
    ck_assert(dcp_wire_lookup(&a, dcp_wire_clock_ms() + 5000, &found, &err));
    ck_assert_uint_ge(found.n, 1);
    ck_assert(dcp_wire_parse("tcp:[::1]:1", &a, &err));
    ck_assert(dcp_wire_lookup(&a, 0, &found, &err)); /* Takes no time. */
    ck_assert(dcp_wire_parse("tcp:no-such.invalid:1", &a, &err));
    ck_assert(!dcp_wire_lookup(&a, dcp_wire_clock_ms() + 300, &found, &err));
}
END_TEST

/* --- The session -------------------------------------------------------- */

START_TEST(a_transaction_and_an_echo_in_the_middle)
{
    START(FAKE_HELLO,
          { .wait_for = "transact",
            .say = " {\"method\":\"echo\",\"params\":[7],"
                   "\"id\":\"echo\"} ",
            .piece = 3 },
          { .wait_for = "\"result\":[7],\"error\":null,\"id\":\"echo\"",
            .say = OK_1,
            .piece = 2 });
    struct dcp_ovsdb *db = open_it(5000);

    ck_assert_msg(db != NULL, "%s", err.message);
    ck_assert_int_eq(dcp_ovsdb_cur_cfg(db), 61);
    json_t *result = ask(db, 5000);

    ck_assert_msg(result != NULL, "%s", err.message);
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_array_get(result, 0), "count")),
        1);
    json_decref(result);
    dcp_ovsdb_destroy(db);
    fake_stop(&server);
}
END_TEST

START_TEST(replies_come_in_any_order)
{
    START(FAKE_HELLO,
          {
              .wait_for = "\"id\":2}",
              .say = "{\"id\":77,\"error\":null,\"result\":[]}"
                     "{\"id\":2,\"error\":null,\"result\":[{}]}"
                     "{\"id\":2,\"error\":null,\"result\":[]}"
                     "{\"method\":\"update\",\"id\":null,\"params\":"
                     "[\"dcplan-cfg\",{\"Open_vSwitch\":{\"u\":{"
                     "\"new\":{\"cur_cfg\":62,\"next_cfg\":63}}}}]}"
                     "{\"method\":\"steal\",\"id\":9,\"params\":[]}",
          },
          { .wait_for = "unknown method", .say = OK_1 });
    struct dcp_ovsdb *db = open_it(5000);
    uint32_t first, second;
    json_t *results[2] = { NULL };
    int64_t end_ms = dcp_wire_clock_ms() + 5000;

    ck_assert_ptr_nonnull(db);
    ck_assert(dcp_ovsdb_send(db, json_pack("[{}]"), &first, &err));
    ck_assert(dcp_ovsdb_send(db, json_pack("[{}]"), &second, &err));
    while ((!results[0] || !results[1]) && dcp_wire_clock_ms() < end_ms) {
        ck_assert_msg(dcp_ovsdb_wait(db, 100, &err), "%s", err.message);
        for (int i = 0; i < 2; i++) {
            if (!results[i]) {
                results[i] = dcp_ovsdb_take(db, i ? second : first, &err);
                ck_assert_int_eq(err.code, DCP_OK);
            }
        }
    }
    ck_assert_uint_eq(json_array_size(results[0]), 1);
    ck_assert_uint_eq(json_array_size(results[1]), 1);
    ck_assert_int_eq(dcp_ovsdb_cur_cfg(db), 62);
    ck_assert_int_eq(dcp_ovsdb_next_cfg(db), 63);
    ck_assert_ptr_null(dcp_ovsdb_take(db, first, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    json_decref(results[0]);
    json_decref(results[1]);
    dcp_ovsdb_destroy(db);
    fake_stop(&server);
}
END_TEST

static void
expect_refusal(enum dcp_code code, const char *text)
{
    struct dcp_ovsdb *db = open_it(5000);

    ck_assert_msg(db != NULL, "%s", err.message);
    ck_assert_ptr_null(ask(db, 700));
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message);
    dcp_ovsdb_destroy(db);
    fake_stop(&server);
}

START_TEST(errors_in_results_are_found)
{
    START(FAKE_HELLO, { .wait_for = "transact",
                        .say = "{\"id\":1,\"error\":null,\"result\":[{"
                               "\"error\":\"constraint violation\","
                               "\"details\":\"5000 \\u001b[2J\"}]}" });
    expect_refusal(DCP_E_REMOTE, "constraint violation: 5000 ?[2J");
}
END_TEST

START_TEST(a_wait_that_fails_is_stale)
{
    START(FAKE_HELLO, { .wait_for = "transact",
                        .say = "{\"id\":1,\"error\":null,\"result\":[{"
                               "\"error\":\"timed out\"},null]}" });
    expect_refusal(DCP_E_STALE, "timed out");
}
END_TEST

START_TEST(a_commit_that_fails_is_found)
{
    START(FAKE_HELLO, { .wait_for = "transact",
                        .say = "{\"id\":1,\"error\":null,\"result\":[{},{"
                               "\"error\":\"I/O error\"}]}" });
    expect_refusal(DCP_E_REMOTE, "I/O error");
}
END_TEST

START_TEST(operations_left_out_are_found)
{
    START(FAKE_HELLO, { .wait_for = "transact",
                        .say = "{\"id\":1,\"error\":null,\"result\":[]}" });
    expect_refusal(DCP_E_REMOTE, "did not answer all");
}
END_TEST

START_TEST(silence_has_a_deadline)
{
    START(FAKE_HELLO, { .wait_for = "never" });
    expect_refusal(DCP_E_LIMIT, "did not answer within 700 ms");
}
END_TEST

START_TEST(an_answer_that_comes_late)
{
    START(FAKE_HELLO, { .wait_for = "transact", .say = OK_1, .sleep_ms = 900 });
    expect_refusal(DCP_E_LIMIT, "did not answer");
}
END_TEST

START_TEST(death_in_the_middle)
{
    START(FAKE_HELLO,
          { .wait_for = "transact", .say = "{\"id\":1,", .hang_up = true });
    expect_refusal(DCP_E_REMOTE, "closed");
}
END_TEST

START_TEST(nonsense_ends_the_session)
{
    START(FAKE_HELLO, { .wait_for = "transact", .say = "HTTP/1.1 400" });
    expect_refusal(DCP_E_REMOTE, "not a JSON object");
}
END_TEST

START_TEST(another_kind_of_server)
{
    START({ .wait_for = "monitor",
            .say = "{\"id\":\"dcplan-cfg\",\"result\":null,\"error\":"
                   "{\"error\":\"unknown database\"}}" });
    ck_assert_ptr_null(open_it(5000));
    ck_assert_int_eq(err.code, DCP_E_UNSUPPORTED);
    fake_stop(&server);
    START({ .wait_for = "never" });
    ck_assert_ptr_null(open_it(300));
    ck_assert_int_eq(err.code, DCP_E_LIMIT);
    fake_stop(&server);
    ck_assert_ptr_null(open_it(300)); /* Nobody there. */
    ck_assert_int_eq(err.code, DCP_E_REMOTE);
    ck_assert_msg(strstr(err.message, "cannot connect") != NULL, "%s",
                  err.message);
}
END_TEST

static const TTest *const *const tests[] = {
    &messages_come_in_any_pieces,
    &nonsense_breaks_the_stream,
    &addresses_are_taken_apart,
    &names_are_looked_up,
    &a_transaction_and_an_echo_in_the_middle,
    &replies_come_in_any_order,
    &errors_in_results_are_found,
    &a_wait_that_fails_is_stale,
    &a_commit_that_fails_is_found,
    &operations_left_out_are_found,
    &silence_has_a_deadline,
    &an_answer_that_comes_late,
    &death_in_the_middle,
    &nonsense_ends_the_session,
    &another_kind_of_server,
};

int
main(void)
{
    return RUN_TESTS("ovsdb", tests);
}
