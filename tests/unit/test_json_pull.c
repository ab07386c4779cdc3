/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/json_pull.h"
#include "tests/unit/run_suite.h"

#include <string.h>

static struct dcp_pull
pull(const char *text)
{
    struct dcp_pull p;

    dcp_pull_init(&p, "input", text, strlen(text));
    return p;
}

START_TEST(values_come_one_by_one)
{
    struct dcp_pull p = pull("{\"a\": [1, -20, 3.5e1], \"b\\u0041\\n\": true,\n"
                             " \"skip\": {\"x\": [{}, [], null, \"\\\"\"]},"
                             " \"t\": \"long text\"}");
    char key[16], text[6];

    dcp_pull_object(&p);
    ck_assert(dcp_pull_key(&p, key, sizeof key));
    ck_assert_str_eq(key, "a");
    ck_assert_int_eq(dcp_pull_next(&p), DCP_PULL_ARRAY);
    dcp_pull_array(&p);
    ck_assert(dcp_pull_more(&p));
    ck_assert_int_eq(dcp_pull_i64(&p), 1);
    ck_assert(dcp_pull_more(&p));
    ck_assert_int_eq(dcp_pull_i64(&p), -20);
    ck_assert(dcp_pull_more(&p));
    ck_assert_double_eq(dcp_pull_double(&p), 35);
    ck_assert(!dcp_pull_more(&p));
    ck_assert(dcp_pull_key(&p, key, sizeof key));
    ck_assert_str_eq(key, "bA\n");
    ck_assert(dcp_pull_bool(&p));
    ck_assert(dcp_pull_key(&p, key, sizeof key));
    dcp_pull_skip(&p);
    ck_assert(dcp_pull_key(&p, key, sizeof key));
    dcp_pull_string(&p, text, sizeof text);
    ck_assert_str_eq(text, "long ");
    ck_assert(!dcp_pull_key(&p, key, sizeof key));
    ck_assert(dcp_pull_ok(&p, NULL));
}
END_TEST

START_TEST(the_first_problem_is_told_where_it_is)
{
    static const struct {
        const char *text, *problem;
        uint32_t line, column;
    } cases[] = {
        { "{\"a\": [1,\n  2 3]}", "a comma or the end of the list is expected",
          2, 5 },
        { "{\"a\" 1}", "a colon is expected", 1, 6 },
        { "{\"a\": 1.5.2}", "a number is expected", 1, 7 },
        { "{\"a\": ", "a value is expected", 1, 7 },
        { "{\"a\": \"x", "a string does not end", 1, 9 },
        { "{\"a\": tru}", "true or false is expected", 1, 7 },
        { "[1]", "an object is expected", 1, 1 },
    };
    char key[16];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dcp_pull p = pull(cases[i].text);
        struct dcp_error err = { 0 };

        dcp_pull_object(&p);
        while (dcp_pull_key(&p, key, sizeof key)) {
            dcp_pull_skip(&p);
        }
        ck_assert(!dcp_pull_ok(&p, &err));
        ck_assert_str_eq(err.message, cases[i].problem);
        ck_assert_uint_eq(err.pos.line, cases[i].line);
        ck_assert_uint_eq(err.pos.column, cases[i].column);
    }
}
END_TEST

START_TEST(depth_is_limited)
{
    char text[200];

    memset(text, '[', sizeof text);
    text[sizeof text - 1] = '\0';
    struct dcp_pull p = pull(text);
    struct dcp_error err = { 0 };

    dcp_pull_skip(&p);
    ck_assert(!dcp_pull_ok(&p, &err));
    ck_assert_str_eq(err.message, "nested too deep");
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &values_come_one_by_one,
        &the_first_problem_is_told_where_it_is,
        &depth_is_limited,
    };

    return RUN_TESTS("json pull", tests);
}
