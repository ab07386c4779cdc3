/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The present against a leg's start: by the book, and by looking through an
 * executor that shows a world of the test's. */

#include "cli/apply_drift.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

static struct fixture f;
static struct dcp_placement *now; /* The world. */
static bool blind;                /* Nothing of host 1 is seen. */

static bool
observe(struct dcp_executor *e, const struct dcp_step *s,
        struct dcp_observation *out, struct dcp_error *err)
{
    (void)e;
    *out = (struct dcp_observation){ 0 };
    if (blind && ((s->object.kind == DCP_OBJECT_HOST && s->object.ix == 1) ||
                  (s->to.kind == DCP_OBJECT_HOST && s->to.ix == 1))) {
        return dcp_fail(err, DCP_E_REMOTE, "h2 does not answer");
    }
    if (s->object.kind == DCP_OBJECT_HOST) {
        out->effect = now->on[s->object.ix] == (s->kind == DCP_STEP_HOST_ON)
                          ? DCP_EFFECT_PRESENT
                          : DCP_EFFECT_ABSENT;
        return true;
    }
    if (s->id) { /* One of the plan's. */
        out->effect = DCP_EFFECT_ABSENT;
        return true;
    }
    ck_assert_int_eq(s->kind, DCP_STEP_VM_START);
    out->effect = now->host[s->object.ix].ix == s->to.ix ? DCP_EFFECT_PRESENT
                                                         : DCP_EFFECT_ELSEWHERE;
    if (out->effect == DCP_EFFECT_ELSEWHERE) {
        (void)snprintf(out->text, sizeof out->text, "runs on\n h%u",
                       now->host[s->object.ix].ix + 1);
    }
    return true;
}

static struct dcp_executor_ops ops = {
    .kinds = 1u << DCP_STEP_VM_START | 1u << DCP_STEP_HOST_ON |
             1u << DCP_STEP_HOST_OFF,
    .observe = observe,
};
static struct dcp_executor world = { &ops };

static void
setup(void)
{
    fixture_init(&f, 2, 4);
    now = dcp_placement_start(f.inv, NULL);
    blind = false;
    ck_assert_ptr_nonnull(now);
}

static void
teardown(void)
{
    dcp_placement_destroy(now);
    fixture_finish(&f);
}

START_TEST(by_the_book)
{
    struct dcp_drifts d = { 0 };

    ck_assert(dcp_drift_of_model(f.inv, f.plan->before, now, &d, NULL));
    ck_assert_uint_eq(d.n, 0);
    now->host[2].ix = 1;
    now->on[0] = false;
    ck_assert(dcp_drift_of_model(f.inv, f.plan->before, now, &d, NULL));
    ck_assert_uint_eq(d.n, 2);
    ck_assert_str_eq(d.items[0].name, "v3");
    ck_assert_str_eq(d.items[0].planned, "h1");
    ck_assert_str_eq(d.items[0].found, "h2");
    ck_assert_str_eq(d.items[1].planned, "on");
    dcp_drifts_finish(&d);
}
END_TEST

START_TEST(by_looking)
{
    struct dcp_drifts d = { 0 };

    ck_assert(dcp_drift_of_world(f.inv, f.plan->before, &world, &d, NULL));
    ck_assert_uint_eq(d.n, 0);
    now->host[2].ix = 1;
    now->on[1] = false;
    ck_assert(dcp_drift_of_world(f.inv, f.plan->before, &world, &d, NULL));
    ck_assert_uint_eq(d.n, 2);
    ck_assert_str_eq(d.items[0].kind, "host");
    ck_assert_str_eq(d.items[0].found, "off");
    ck_assert_str_eq(d.items[1].name, "v3");
    ck_assert_str_eq(d.items[1].found, "runs on? h2"); /* One line. */
    ck_assert_uint_eq(d.n_unseen, 0);
    dcp_drifts_finish(&d);
}
END_TEST

/* What cannot be seen is not said to differ. */
START_TEST(unseen_is_not_elsewhere)
{
    struct dcp_drifts d = { 0 };

    blind = true;
    ck_assert(dcp_drift_of_world(f.inv, f.plan->before, &world, &d, NULL));
    ck_assert_uint_eq(d.n, 3); /* The host and its two VMs. */
    ck_assert_uint_eq(d.n_unseen, 3);
    ck_assert_str_eq(d.items[0].found, "h2 does not answer");
    dcp_drifts_finish(&d);
}
END_TEST

/* Steps of hosts that the leg itself switches on cannot be seen before. */
START_TEST(steps_that_cannot_be_seen)
{
    const struct dcp_globals g = { .quiet = true };

    fixture_move(&f, 0, 0, 1, 1000, 0);
    ck_assert_uint_eq(dcp_drift_unseen_steps(&g, f.inv, f.plan, 0, &world), 0);
    blind = true;
    ck_assert_uint_eq(dcp_drift_unseen_steps(&g, f.inv, f.plan, 0, &world), 1);
    f.plan->before->on[1] = false;
    ck_assert_uint_eq(dcp_drift_unseen_steps(&g, f.inv, f.plan, 0, &world), 0);
}
END_TEST

static const TTest *const *const tests[] = {
    &by_the_book,
    &by_looking,
    &unseen_is_not_elsewhere,
    &steps_that_cannot_be_seen,
};

int
main(void)
{
    return run_tests_with("apply_drift", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
