/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RUN_SUITE_H
#define DCP_TESTS_RUN_SUITE_H 1

/* One case of tests as a program: `return run_tests("units", tests, n);`. */

#include <check.h>
#include <stddef.h>

#ifndef DCP_TEST_SLOWNESS /* How many times slower this build is. */
#define DCP_TEST_SLOWNESS 1
#endif

/* 'setup' and 'teardown' run around each test; NULL: none. */
static inline int
run_tests_with(const char *name, const TTest *const *const tests[], size_t n,
               void (*setup)(void), void (*teardown)(void))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, DCP_TEST_SLOWNESS > 1 ? 400 : 200);
    for (size_t i = 0; i < n; i++) {
        tcase_add_test(tc, *tests[i]);
    }
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}

static inline int
run_tests(const char *name, const TTest *const *const tests[], size_t n)
{
    return run_tests_with(name, tests, n, NULL, NULL);
}

#define RUN_TESTS(NAME, TESTS)                                                 \
    run_tests(NAME, TESTS, sizeof(TESTS) / sizeof(TESTS)[0])

#endif /* tests/unit/run_suite.h */
