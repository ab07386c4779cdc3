/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Worker processes: results come back whole, deadlines and memory caps hold, a
 * child that dies is an error, and nothing is left behind. */

#define _GNU_SOURCE 1

#include "model/base/rng.h"
#include "solver/lp/apart.h"
#include "tests/support/in_time.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_BIG = 200000 };

static double
now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Files that this process has open. */
static unsigned
n_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    ck_assert(dir != NULL);
    while (readdir(dir)) {
        n++;
    }
    (void)closedir(dir);
    return n;
}

static void
nothing_left(unsigned files)
{
    ck_assert_uint_eq(n_files(), files);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static bool
squares(const void *context, void *result, struct dcp_error *err)
{
    const uint32_t *n = context;
    uint64_t *out = result;

    (void)err;
    for (uint32_t k = 0; k < *n; k++) {
        out[k] = (uint64_t)k * k;
    }
    return true;
}

static bool
complain(const void *context, void *result, struct dcp_error *err)
{
    (void)context;
    (void)result;
    return dcp_fail(err, DCP_E_PARSE, "nobody can read this");
}

static bool
hang(const void *context, void *result, struct dcp_error *err)
{
    (void)context;
    (void)result;
    (void)err;
    for (volatile bool always = true; always;) {
        (void)pause();
    }
    return true;
}

static bool
crash(const void *context, void *result, struct dcp_error *err)
{
    (void)context;
    (void)result;
    (void)err;
    (void)kill(getpid(), SIGKILL);
    return true;
}

/* Touches memory until there is no more. */
static bool
eat(const void *context, void *result, struct dcp_error *err)
{
    uint64_t *eaten_mib = result;

    (void)context;
    for (*eaten_mib = 0; *eaten_mib < 4096; ++*eaten_mib) {
        char *block = malloc((size_t)1 << 20);

        if (!block) {
            return dcp_fail(err, DCP_E_NOMEM, "ate %llu MiB",
                            (unsigned long long)*eaten_mib);
        }
        memset(block, 1, (size_t)1 << 20);
    }
    return true;
}

START_TEST(results_come_back)
{
    struct dcp_worker_limits limits = { .deadline_s = 30, .memory_mib = 64 };
    uint64_t *out = calloc(N_BIG, sizeof *out);
    uint32_t n = N_BIG;
    unsigned files = n_files();
    bool late = true;

    ck_assert(dcp_worker_run(&limits, squares, &n, out, N_BIG * sizeof *out,
                             &late, NULL));
    ck_assert(!late);
    for (uint64_t k = 0; k < N_BIG; k++) {
        ck_assert_uint_eq(out[k], k * k);
    }
    nothing_left(files);
    free(out);
}
END_TEST

START_TEST(errors_come_back)
{
    struct dcp_worker_limits limits = { .deadline_s = 30 };
    struct dcp_error err = { 0 };
    bool late;

    ck_assert(!dcp_worker_run(&limits, complain, NULL, NULL, 0, &late, &err));
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    ck_assert_str_eq(err.message, "nobody can read this");
}
END_TEST

START_TEST(deadlines_hold)
{
    struct dcp_worker_limits limits = { .deadline_s = 1 };
    unsigned files = n_files();
    double took_s = 1000;

    for (unsigned n = 0; n < IN_TIME_TRIES && !in_time(took_s, 1); n++) {
        double from_s = now_s();
        bool late = false;

        ck_assert(dcp_worker_run(&limits, hang, NULL, NULL, 0, &late, NULL));
        took_s = now_s() - from_s;
        ck_assert(late);
        ck_assert_double_ge(took_s, 1);
        nothing_left(files);
    }
    ck_assert_msg(in_time(took_s, 1), "%g s instead of 1", took_s);
}
END_TEST

static void
on_alarm(int signal_number)
{
    (void)signal_number;
}

/* Signals that interrupt calls end nothing early. */
START_TEST(interrupts_do_not_matter)
{
    struct dcp_worker_limits limits = { .deadline_s = 0.5 };
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { 0 };
    double from_s = now_s();
    bool late = false;

    ck_assert(!sigaction(SIGALRM, &action, NULL));
    ck_assert(!setitimer(ITIMER_REAL, &often, NULL));
    ck_assert(dcp_worker_run(&limits, hang, NULL, NULL, 0, &late, NULL));
    ck_assert(!setitimer(ITIMER_REAL, &never, NULL));
    ck_assert(late);
    ck_assert_double_ge(now_s() - from_s, 0.5);
}
END_TEST

START_TEST(a_crash_is_an_error)
{
    struct dcp_worker_limits limits = { .deadline_s = 30 };
    struct dcp_error err = { 0 };
    unsigned files = n_files();
    double from_s = now_s();
    bool late;

    ck_assert(!dcp_worker_run(&limits, crash, NULL, NULL, 0, &late, &err));
    ck_assert_int_eq(err.code, DCP_E_LIMIT);
    ck_assert(strstr(err.message, "signal 9") != NULL);
    ck_assert_double_lt(now_s() - from_s, 10);
    nothing_left(files);
}
END_TEST

START_TEST(memory_caps_hold)
{
    struct dcp_worker_limits limits = { .deadline_s = 60, .memory_mib = 100 };
    struct dcp_error err = { 0 };
    uint64_t eaten_mib;
    bool late;

    /* A sanitizer's heap is in address space that it took before. */
    if (DCP_TEST_SLOWNESS > 1) {
        return;
    }
    ck_assert(!dcp_worker_run(&limits, eat, NULL, &eaten_mib, sizeof eaten_mib,
                              &late, &err));
    ck_assert_int_eq(err.code, DCP_E_NOMEM);
    ck_assert(strncmp(err.message, "ate ", 4) == 0);
    ck_assert_int_le(strlen(err.message), strlen("ate 100 MiB"));
}
END_TEST

/* Market split (Cornuejols and Dawande, INFORMS J. Computing 11, 1999): few
 * columns, and out of reach of branch and bound. */
static struct dcp_lp *
stubborn(uint32_t n)
{
    struct dcp_lp *lp = dcp_lp_create(NULL);
    struct dcp_rng rng = dcp_rng_stream(3, "stubborn", n);

    ck_assert(lp != NULL);
    for (uint32_t j = 0; j < n; j++) {
        ck_assert(dcp_lp_add_col(lp, 0, 1, 0, true) == j);
    }
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t over = dcp_lp_add_col(lp, 0, DCP_LP_INF, 1, false);
        uint32_t under = dcp_lp_add_col(lp, 0, DCP_LP_INF, 1, false);
        double half = 25.0 * n;

        ck_assert(dcp_lp_add_row(lp, half, half) == i);
        ck_assert(dcp_lp_set(lp, i, over, -1));
        ck_assert(dcp_lp_set(lp, i, under, 1));
        for (uint32_t j = 0; j < n; j++) {
            ck_assert(dcp_lp_set(lp, i, j, (double)dcp_rng_below(&rng, 100)));
        }
    }
    return lp;
}

START_TEST(programs_end_in_time)
{
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = stubborn(60);
    struct dcp_worker_limits limits = { .deadline_s = 1, .memory_mib = 256 };
    struct dcp_lp_options o = { .integer = true };
    struct dcp_lp_answer answer;
    double x[128], took_s = 1000;

    for (unsigned n = 0; n < IN_TIME_TRIES && !in_time(took_s, 1); n++) {
        double from_s = now_s();

        ck_assert(dcp_lp_solve_apart(lp, &o, &limits, &answer, x, NULL));
        took_s = now_s() - from_s;
        ck_assert(answer.status != DCP_LP_INFEASIBLE);
    }
    ck_assert_msg(in_time(took_s, 1), "%g s instead of 1", took_s);
}
END_TEST

static void *
solve_many(void *argument)
{
    uint32_t *n_right = argument;
    struct dcp_worker_limits limits = { .deadline_s = 30, .memory_mib = 64 };
    struct dcp_lp_options o = { .integer = true };

    for (uint32_t k = 0; k < 20; k++) {
        DCP_AUTO(dcp_lp) struct dcp_lp *lp = dcp_lp_create(NULL);
        struct dcp_lp_answer answer;
        double x[2];

        /* min -x - y, x + 2 y <= 4.5, x <= 2, whole: x 2, y 1. */
        if (dcp_lp_add_col(lp, 0, 2, -1, true) == 0 &&
            dcp_lp_add_col(lp, 0, DCP_LP_INF, -1, true) == 1 &&
            dcp_lp_add_row(lp, -DCP_LP_INF, 4.5) == 0 &&
            dcp_lp_set(lp, 0, 0, 1) && dcp_lp_set(lp, 0, 1, 2) &&
            dcp_lp_solve_apart(lp, &o, &limits, &answer, x, NULL)) {
            *n_right += answer.status == DCP_LP_OPTIMAL && answer.value == -3 &&
                        x[0] == 2 && x[1] == 1;
        }
    }
    return NULL;
}

START_TEST(threads_may_each_have_one)
{
    pthread_t thread;
    uint32_t n_right[2] = { 0 };
    unsigned files = n_files();

    ck_assert(!pthread_create(&thread, NULL, solve_many, &n_right[1]));
    (void)solve_many(&n_right[0]);
    ck_assert(!pthread_join(thread, NULL));
    ck_assert_uint_eq(n_right[0], 20);
    ck_assert_uint_eq(n_right[1], 20);
    nothing_left(files);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &results_come_back,    &errors_come_back,
        &deadlines_hold,       &interrupts_do_not_matter,
        &a_crash_is_an_error,  &memory_caps_hold,
        &programs_end_in_time, &threads_may_each_have_one,
    };

    return RUN_TESTS("solver worker", tests);
}
