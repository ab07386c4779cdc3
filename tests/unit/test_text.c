/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/base/text.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(text_grows)
{
    struct dcp_text t = { 0 };

    ck_assert_str_eq(dcp_text_get(&t), "");
    for (int i = 0; i < 1000; i++) {
        dcp_text_puts(&t, "ab");
        dcp_text_printf(&t, "%d", i % 10);
        dcp_text_add(&t, "cde", 1);
    }
    ck_assert(!t.failed);
    ck_assert_uint_eq(t.length, 4000);
    ck_assert_uint_eq(strlen(dcp_text_get(&t)), 4000);
    ck_assert_int_eq(strncmp(dcp_text_get(&t) + 3996, "ab9c", 4), 0);
    dcp_text_finish(&t);
    ck_assert_str_eq(dcp_text_get(&t), "");
}
END_TEST

START_TEST(doubles_are_shortest)
{
    static const struct {
        double value;
        const char *want;
    } cases[] = {
        { 0.1, "0.1" },       { 3, "3" },
        { -0.0, "0" },        { 1e30, "1e+30" },
        { 0.25, "0.25" },     { 1e15, "1e+15" },
        { 123456, "123456" }, { 1.0 / 3, "0.3333333333333333" },
    };
    struct dcp_rng rng = dcp_rng_stream(1, "text", 0);
    char text[32];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dcp_text_double(text, cases[i].value);
        ck_assert_str_eq(text, cases[i].want);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = dcp_rng_u64(&rng);
        double value;

        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            dcp_text_double(text, value);
            ck_assert(strtod(text, NULL) == value);
        }
    }
}
END_TEST

START_TEST(distance_counts_edits_and_swaps)
{
    ck_assert_uint_eq(dcp_text_distance("", "", 9), 0);
    ck_assert_uint_eq(dcp_text_distance("", "abc", 9), 3);
    ck_assert_uint_eq(dcp_text_distance("memory", "memory", 9), 0);
    ck_assert_uint_eq(dcp_text_distance("memroy", "memory", 9), 1);
    ck_assert_uint_eq(dcp_text_distance("kitten", "sitting", 9), 3);
    ck_assert_uint_eq(dcp_text_distance("kitten", "sitting", 2), 2);
    ck_assert_uint_eq(
        dcp_text_distance("x",
                          "a word that is far longer than the table of "
                          "distances allows for",
                          5),
        5);
}
END_TEST

START_TEST(nearest_suggests_only_what_is_near)
{
    static const char *const words[] = { "tariff", "timezone", "tenant" };

    ck_assert_uint_eq(dcp_text_nearest("tarif", words, 3), 0);
    ck_assert_uint_eq(dcp_text_nearest("timezoen", words, 3), 1);
    ck_assert_uint_eq(dcp_text_nearest("policy", words, 3), UINT32_MAX);
    ck_assert_uint_eq(dcp_text_nearest("x", words, 0), UINT32_MAX);
}
END_TEST

START_TEST(globs_match_as_in_a_shell)
{
    ck_assert(dcp_text_glob("web-*", "web-1"));
    ck_assert(dcp_text_glob("*", ""));
    ck_assert(dcp_text_glob("*-?-*", "a-b-c-d"));
    ck_assert(dcp_text_glob("a*b*c", "aXbYbZc"));
    ck_assert(!dcp_text_glob("web-?", "web-12"));
    ck_assert(!dcp_text_glob("web", "web-1"));
    ck_assert(!dcp_text_glob("", "x"));
    ck_assert(!dcp_text_glob("a*b", "ac"));
}
END_TEST

START_TEST(names_are_in_the_order_people_count_in)
{
    static const char *const in_order[] = {
        "",
        "1",
        "2",
        "10",
        "a",
        "a-2",
        "a-10",
        "a-10b",
        "a01",
        "a1",
        "a1b2",
        "a1b10",
        "a2b",
        "b",
        "h9",
        "h10",
        "h99999999999999999998",
        "h99999999999999999999",
    };
    uint32_t n = sizeof in_order / sizeof in_order[0];

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) {
            int c = dcp_text_compare(in_order[i], in_order[k]);

            ck_assert_msg(i < k   ? c < 0
                          : i > k ? c > 0
                                  : c == 0,
                          "'%s' and '%s'", in_order[i], in_order[k]);
        }
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &text_grows,
        &doubles_are_shortest,
        &distance_counts_edits_and_swaps,
        &nearest_suggests_only_what_is_near,
        &globs_match_as_in_a_shell,
        &names_are_in_the_order_people_count_in,
    };

    return RUN_TESTS("text", tests);
}
