/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_IN_TIME_H
#define DCP_TESTS_SUPPORT_IN_TIME_H 1

/* Deadlines are promised within 5 %.  A machine full of tests may wake a
 * program later than that, so the best of a few tries counts:
 *
 *     double took_s = 2 * limit_s;
 *
 *     for (unsigned n = 0; n < IN_TIME_TRIES && !in_time(took_s, limit_s); n++)
 *         took_s = ...;
 *     ck_assert(in_time(took_s, limit_s)); */

#include "tests/unit/run_suite.h"

#include <stdbool.h>

enum { IN_TIME_TRIES = 5 };

static inline bool
in_time(double took_s, double limit_s)
{
    return took_s <= 1.05 * DCP_TEST_SLOWNESS * limit_s;
}

#endif /* tests/support/in_time.h */
