/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/detect.h"
#include "sim/policy/select.h"

#include <check.h>
#include <math.h>

static bool
is_over(struct dcp_detection d)
{
    return d.judged_frac > d.limit_frac;
}

START_TEST(thresholds)
{
    double load[30];

    for (int i = 0; i < 30; i++) { /* 0.60 and 0.70 in turn. */
        load[i] = i % 2 ? 0.7 : 0.6;
    }
    ck_assert(is_over(dcp_detect(DCP_DETECT_THR, 0.69, load, 30)));
    ck_assert(!is_over(dcp_detect(DCP_DETECT_THR, 0.7, load, 30)));
    /* Quartiles 0.6 and 0.7; every sample is 0.05 from the median. */
    struct dcp_detection iqr = dcp_detect(DCP_DETECT_IQR, 1.5, load, 30);
    struct dcp_detection mad = dcp_detect(DCP_DETECT_MAD, 2.5, load, 30);

    ck_assert_double_eq_tol(iqr.limit_frac, 1 - 1.5 * 0.1, 1e-12);
    ck_assert_double_eq_tol(mad.limit_frac, 1 - 2.5 * 0.05, 1e-12);
    ck_assert_double_eq_tol(iqr.judged_frac, 0.7, 1e-12);
    /* Few samples: 0.7. */
    iqr = dcp_detect(DCP_DETECT_IQR, 1.5, load, 11);
    ck_assert_double_eq_tol(iqr.limit_frac, 0.7, 1e-12);
}
END_TEST

START_TEST(lines)
{
    double load[12];

    for (int i = 0; i < 12; i++) {
        load[i] = 0.4 + 0.04 * i;
    }
    /* A straight line goes on, whatever the weights: 0.88 next. */
    struct dcp_detection lr = dcp_detect(DCP_DETECT_LR, 1.2, load, 12);
    struct dcp_detection lrr = dcp_detect(DCP_DETECT_LRR, 1.2, load, 12);

    ck_assert_double_eq_tol(lr.judged_frac, 0.88, 1e-9);
    ck_assert_double_eq_tol(lrr.judged_frac, 0.88, 1e-9);
    ck_assert_double_eq_tol(lr.limit_frac, 1 / 1.2, 1e-12);
    ck_assert(is_over(lr));
    /* One wild sample pulls the plain line further. */
    load[9] = 0.05;
    lr = dcp_detect(DCP_DETECT_LR, 1.2, load, 12);
    lrr = dcp_detect(DCP_DETECT_LRR, 1.2, load, 12);
    ck_assert_double_gt(fabs(lr.judged_frac - 0.88),
                        fabs(lrr.judged_frac - 0.88));
}
END_TEST

START_TEST(selections)
{
    static const uint64_t mem[] = { 4096, 1024, 1024, 2048 };
    static const double mhz[] = { 100, 300, 200, 50 };
    struct dcp_rng rng = dcp_rng_stream(1, "test", 0);
    double past[20 * 4];

    for (int t = 0; t < 20; t++) { /* 3 is twice 0; 1 and 2 are noise. */
        past[t * 4] = t;
        past[t * 4 + 1] = 10 * dcp_rng_unit(&rng);
        past[t * 4 + 2] = 10 * dcp_rng_unit(&rng);
        past[t * 4 + 3] = 2 * t + 1;
    }
    struct dcp_candidates c = { 4, mem, mhz, 20, past };

    ck_assert_uint_eq(dcp_select(DCP_SELECT_MMT, &c, &rng), 1);
    ck_assert_uint_eq(dcp_select(DCP_SELECT_MU, &c, &rng), 3);
    uint32_t mc = dcp_select(DCP_SELECT_MC, &c, &rng);

    ck_assert(mc == 0 || mc == 3);
    c.n_past = 4; /* Not more samples than VMs. */
    ck_assert_uint_eq(dcp_select(DCP_SELECT_MC, &c, &rng), 1);
    uint32_t seen = 0;

    for (int i = 0; i < 100; i++) {
        uint32_t ix = dcp_select(DCP_SELECT_RS, &c, &rng);

        ck_assert_uint_lt(ix, 4);
        seen |= 1u << ix;
    }
    ck_assert_uint_eq(seen, 15);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("detect");
    TCase *tcase = tcase_create("detect");

    tcase_add_test(tcase, thresholds);
    tcase_add_test(tcase, lines);
    tcase_add_test(tcase, selections);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
