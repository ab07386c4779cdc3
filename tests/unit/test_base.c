/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Arena, name map, hash, random streams, errors and diagnostics. */

#include "model/base/arena.h"
#include "model/base/diag.h"
#include "model/base/rng.h"
#include "model/base/sha256.h"
#include "model/base/sort.h"
#include "model/base/strmap.h"
#include "model/base/text.h"
#include "model/base/union_find.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(arena_gives_zeroed_aligned_separate_room)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *a = dcp_arena_create(0);
    unsigned char *last = NULL;
    size_t last_size = 0;

    for (size_t size = 0; size < 9000; size += 37) {
        unsigned char *p = dcp_arena_calloc(a, size, 1);

        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % (size >= 4096 ? 64 : 16), 0);
        bool zero = true;

        for (size_t i = 0; i < size; i++) {
            zero = zero && p[i] == 0;
        }
        ck_assert(zero);
        memset(p, 0xa5, size);
        if (last_size) {
            ck_assert_uint_eq(last[0], 0xa5);
            ck_assert_uint_eq(last[last_size - 1], 0xa5);
        }
        last = p;
        last_size = size;
    }
    ck_assert_str_eq(dcp_arena_strndup(a, "hello", 4), "hell");
    ck_assert_str_eq(dcp_arena_strdup(a, ""), "");
    ck_assert_str_eq(dcp_arena_printf(a, "%s-%d", "x", 7), "x-7");
}
END_TEST

START_TEST(arena_refuses_overflow_and_its_limit)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *a = dcp_arena_create(100000);

    ck_assert_ptr_null(dcp_arena_calloc(a, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(dcp_arena_calloc(a, SIZE_MAX, 1));
    ck_assert_ptr_null(dcp_arena_calloc(a, 200000, 1));
    ck_assert_ptr_nonnull(dcp_arena_calloc(a, 50000, 1));
    ck_assert_ptr_null(dcp_arena_calloc(a, 60000, 1));
    ck_assert_ptr_nonnull(dcp_arena_calloc(a, 100, 1));
    ck_assert_uint_le(dcp_arena_size(a), 100000);
    dcp_arena_destroy(NULL);
}
END_TEST

START_TEST(strmap_finds_what_was_added_and_nothing_else)
{
    enum { N = 5000 };
    static char names[N][16];
    struct dcp_strmap map = { 0 };
    uint32_t old;

    ck_assert_uint_eq(dcp_strmap_find(&map, "x"), DCP_STRMAP_NONE);
    for (uint32_t i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "vm-%u", i * 7);
        ck_assert(dcp_strmap_add(&map, names[i], i, &old));
    }
    for (uint32_t i = 0; i < N; i++) {
        ck_assert_uint_eq(dcp_strmap_find(&map, names[i]), i);
    }
    ck_assert_uint_eq(dcp_strmap_find(&map, "vm-1"), DCP_STRMAP_NONE);
    ck_assert_uint_eq(dcp_strmap_find(&map, ""), DCP_STRMAP_NONE);
    ck_assert_uint_eq(dcp_strmap_find_n(&map, "vm-7xyz", 4), 1);
    ck_assert(!dcp_strmap_add(&map, "vm-14", 99, &old));
    ck_assert_uint_eq(old, 2);
    ck_assert_uint_eq(dcp_strmap_find(&map, "vm-14"), 2);
    dcp_strmap_finish(&map);
}
END_TEST

static void
expect_hash(const char *data, size_t size, const char *want)
{
    /* In one go, and byte by byte. */
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        struct dcp_sha256 sha;
        char text[DCP_DIGEST_TEXT_SIZE];

        dcp_sha256_init(&sha);
        for (size_t i = 0; bytewise && i < size; i++) {
            dcp_sha256_add(&sha, data + i, 1);
        }
        if (!bytewise) {
            dcp_sha256_add(&sha, data, size);
        }
        dcp_sha256_end_text(&sha, text);
        ck_assert_int_eq(strncmp(text, "sha256:", 7), 0);
        ck_assert_str_eq(text + 7, want);
    }
}

/* FIPS 180-4 examples (NIST, "Example algorithms: SHA-256"). */
START_TEST(sha256_vectors)
{
    static char million[1000000];

    expect_hash("", 0,
                "e3b0c44298fc1c149afbf4c8996fb924"
                "27ae41e4649b934ca495991b7852b855");
    expect_hash("abc", 3,
                "ba7816bf8f01cfea414140de5dae2223"
                "b00361a396177a9cb410ff61f20015ad");
    expect_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                "248d6a61d20638b8e5c026930c3e6039"
                "a33ce45964ff2167f6ecedd419db06c1");
    memset(million, 'a', sizeof million);
    expect_hash(million, sizeof million,
                "cdc76e5c9914fb9281a1c7e284d73e67"
                "f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* The CPU's instructions and plain C give the same. */
START_TEST(sha256_paths_agree)
{
    static uint8_t data[5000];
    struct dcp_rng rng = dcp_rng_stream(1, "sha", 0);

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)dcp_rng_u64(&rng);
    }
    for (size_t size = 0; size < sizeof data; size += 61) {
        struct dcp_sha256 fast, plain;
        uint8_t a[32], b[32];

        dcp_sha256_init(&fast);
        dcp_sha256_init(&plain);
        plain.use_sha_instructions = false;
        dcp_sha256_add(&fast, data, size);
        dcp_sha256_add(&plain, data, size / 3);
        dcp_sha256_add(&plain, data + size / 3, size - size / 3);
        dcp_sha256_end(&fast, a);
        dcp_sha256_end(&plain, b);
        ck_assert_mem_eq(a, b, 32);
    }
}
END_TEST

START_TEST(streams_are_repeatable_and_apart)
{
    struct dcp_rng a = dcp_rng_stream(1, "disk", 0);
    struct dcp_rng again = dcp_rng_stream(1, "disk", 0);
    struct dcp_rng others[] = { dcp_rng_stream(2, "disk", 0),
                                dcp_rng_stream(1, "disc", 0),
                                dcp_rng_stream(1, "disk", 1) };
    int n_equal = 0;

    for (int i = 0; i < 1000; i++) {
        uint64_t x = dcp_rng_u64(&a);

        ck_assert(x == dcp_rng_u64(&again));
        for (int o = 0; o < 3; o++) {
            n_equal += x == dcp_rng_u64(&others[o]);
        }
    }
    ck_assert_int_eq(n_equal, 0);
}
END_TEST

START_TEST(draws_are_in_range_and_even)
{
    struct dcp_rng rng = dcp_rng_stream(3, "even", 0);
    enum { N = 120000, BOUND = 12 };
    unsigned count[BOUND] = { 0 };
    double sum = 0, normal_sum = 0, normal_squares = 0;

    for (int i = 0; i < N; i++) {
        uint64_t x = dcp_rng_below(&rng, BOUND);
        double unit = dcp_rng_unit(&rng), normal = dcp_rng_normal(&rng);

        ck_assert(x < BOUND);
        ck_assert(unit >= 0 && unit < 1);
        count[x]++;
        sum += unit;
        normal_sum += normal;
        normal_squares += normal * normal;
    }
    ck_assert_uint_eq(dcp_rng_below(&rng, 0), 0);
    ck_assert_uint_eq(dcp_rng_below(&rng, 1), 0);
    for (int i = 0; i < BOUND; i++) {
        /* 10,000 expected; five standard deviations are 480. */
        ck_assert(abs((int)count[i] - N / BOUND) < 480);
    }
    ck_assert_double_eq_tol(sum / N, 0.5, 0.005);
    ck_assert_double_eq_tol(normal_sum / N, 0, 0.015);
    ck_assert_double_eq_tol(normal_squares / N, 1, 0.025);
}
END_TEST

START_TEST(errors_carry_position_and_context)
{
    struct dcp_error err = { 0 };
    struct dcp_pos pos = { "dc.yaml", 4, 7 };

    ck_assert(!dcp_fail_at(&err, DCP_E_PARSE, pos, "no '%s'", "x"));
    ck_assert(!dcp_fail_in(&err, "host '%s'", "h1"));
    ck_assert_str_eq(err.message, "host 'h1': no 'x'");
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    ck_assert_uint_eq(err.pos.line, 4);
    ck_assert(!dcp_fail(NULL, DCP_E_IO, "nobody listens"));
    ck_assert_int_eq(dcp_code_exit_status(DCP_E_STALE), 4);
    ck_assert_int_eq(dcp_code_exit_status(DCP_E_LOCKED), 5);
    ck_assert_int_eq(dcp_code_exit_status(DCP_E_PARSE), 2);
    ck_assert_int_eq(dcp_code_exit_status(DCP_E_REFUSED), 3);
    ck_assert_int_eq(dcp_code_exit_status(DCP_E_NOMEM), 1);

    char big[2000];

    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    ck_assert(!dcp_fail(&err, DCP_E_IO, "%s", big));
    ck_assert_uint_lt(strlen(err.message), sizeof err.message);
}
END_TEST

START_TEST(utf8_is_what_the_standard_says)
{
    static const struct {
        const char *text;
        size_t good;
        bool plain;
    } cases[] = {
        { "", 0, true },
        { "Z\xc3\xbcrich \xe2\x98\x83 \xf0\x9f\x98\x80", 16, true },
        { "a\x1b[2J", 5, false },         /* Escape. */
        { "a\x7f", 2, false },            /* Delete. */
        { "\xc2\x9b", 2, false },         /* C1: control sequence. */
        { "a\xe2\x80\xae", 4, false },    /* Right-to-left override. */
        { "\xe2\x80\xa8", 3, false },     /* Line separator. */
        { "ab\xe9t", 2, false },          /* Latin-1. */
        { "\xc0\x80", 0, false },         /* Too long a form. */
        { "\xe0\x9f\xbf", 0, false },     /* The same, of three. */
        { "\xed\xa0\x80", 0, false },     /* Half of a pair. */
        { "\xf4\x90\x80\x80", 0, false }, /* Beyond Unicode. */
        { "a\xe2\x98", 1, false },        /* Cut short. */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;

        ck_assert_msg(dcp_text_utf8(text, strlen(text)) == cases[i].good, "%zu",
                      i);
        ck_assert_msg(dcp_text_is_plain(text) == cases[i].plain, "%zu", i);
    }
}
END_TEST

START_TEST(diagnostics_are_sorted_counted_and_capped)
{
    struct dcp_diag diag = { 0 };

    dcp_diag_add(&diag, DCP_ERROR, (struct dcp_pos){ "b", 1, 1 }, "third");
    dcp_diag_add(&diag, DCP_WARNING, (struct dcp_pos){ "a", 9, 1 }, "second");
    dcp_diag_add(&diag, DCP_ERROR, (struct dcp_pos){ "a", 2, 5 }, "first");
    dcp_diag_sort(&diag);
    ck_assert_str_eq(diag.items[0].message, "first");
    ck_assert_str_eq(diag.items[1].message, "second");
    ck_assert_str_eq(diag.items[2].message, "third");
    ck_assert_uint_eq(diag.n_errors, 2);
    ck_assert_uint_eq(diag.n_warnings, 1);
    for (int i = 0; i < 2 * DCP_DIAG_MAX; i++) {
        dcp_diag_add(&diag, DCP_ERROR, (struct dcp_pos){ 0 }, "%d", i);
    }
    ck_assert_uint_eq(diag.n, DCP_DIAG_MAX);
    ck_assert_uint_eq(diag.n_errors, 2 * DCP_DIAG_MAX + 2);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(joined_sets_are_named_by_their_lowest)
{
    uint32_t parent[6];
    static const uint32_t want[] = { 0, 1, 0, 1, 4, 1 };

    dcp_sets_init(parent, 6);
    dcp_sets_join(parent, 5, 3);
    dcp_sets_join(parent, 2, 0);
    dcp_sets_join(parent, 1, 5);
    dcp_sets_join(parent, 3, 1);
    for (uint32_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(dcp_sets_root(parent, i), want[i]);
    }
}
END_TEST

START_TEST(numbers_are_sorted_and_found)
{
    uint32_t values[] = { 7, UINT32_MAX, 0, 7, 3 };
    uint32_t pairs[][2] = { { 2, 9 }, { 1, 5 }, { 2, 1 }, { 0, UINT32_MAX } };

    dcp_sort_u32(NULL, 0);
    ck_assert_uint_eq(dcp_sorted_u32_find(NULL, 0, 0), UINT32_MAX);
    dcp_sort_u32(values, 5);
    ck_assert_uint_eq(values[0], 0);
    ck_assert_uint_eq(values[2], 7);
    ck_assert_uint_eq(values[4], UINT32_MAX);
    ck_assert_uint_eq(dcp_sorted_u32_find(values, 5, 3), 1);
    ck_assert_uint_eq(dcp_sorted_u32_find(values, 5, 4), UINT32_MAX);
    ck_assert_uint_eq(dcp_sorted_u32_find(values, 4, UINT32_MAX), UINT32_MAX);
    dcp_sort_u32_pairs(pairs, 4);
    ck_assert_uint_eq(pairs[0][0], 0);
    ck_assert_uint_eq(pairs[1][1], 5);
    ck_assert_uint_eq(pairs[2][1], 1);
    ck_assert_uint_eq(pairs[3][1], 9);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &arena_gives_zeroed_aligned_separate_room,
        &arena_refuses_overflow_and_its_limit,
        &strmap_finds_what_was_added_and_nothing_else,
        &sha256_vectors,
        &sha256_paths_agree,
        &streams_are_repeatable_and_apart,
        &draws_are_in_range_and_even,
        &errors_carry_position_and_context,
        &utf8_is_what_the_standard_says,
        &diagnostics_are_sorted_counted_and_capped,
        &joined_sets_are_named_by_their_lowest,
        &numbers_are_sorted_and_found,
    };

    return RUN_TESTS("base", tests);
}
