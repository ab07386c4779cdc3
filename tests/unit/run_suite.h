/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RUN_SUITE_H
#define DCP_TESTS_RUN_SUITE_H 1

/* One case of tests as a program: `return run_tests("units", tests, n);`. */

#include <check.h>
#include <stddef.h>

static inline int
run_tests(const char *name, const TTest *const *const tests[], size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);

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

#define RUN_TESTS(NAME, TESTS)                                                 \
    run_tests(NAME, TESTS, sizeof(TESTS) / sizeof(TESTS)[0])

#endif /* tests/unit/run_suite.h */
