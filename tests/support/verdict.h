/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_VERDICT_H
#define DCP_TESTS_SUPPORT_VERDICT_H 1

/* Asking the checker about a small world, and comparing its verdict. */

#include "model/check/check.h"
#include "tests/support/world.h"

#include <check.h>

/* A VM v0 on h0 that moves to h1, and nothing else. */
static inline struct world
one_move(void)
{
    struct world w = world_make(4, 3);

    w.vms[0].host.ix = 0;
    w.vms[1].host.ix = 1;
    w.vms[2].host.ix = 2;
    for (uint32_t v = 0; v < 3; v++) {
        world_need(&w, v, 1000);
    }
    return w;
}

static inline void
plan_the_move(struct world *w)
{
    world_plan(w, 1, 10);
    (void)world_move(w, 0, 0, 0, 1);
}

/* The rules of all violations, "a,b" in order; static room. */
static inline const char *
rules_of(const struct dcp_violation *list, uint32_t n)
{
    static char text[400];
    size_t length = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < n && length < sizeof text; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                   i ? "," : "", list[i].rule);
    }
    return text;
}

/* Judges the plan and compares the rules of its violations. */
static inline void
expect(struct world *w, const char *want)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_plan(w->inv, &w->demand, w->plan, &r, &err), "%s",
                  err.message);
    ck_assert_str_eq(rules_of(r.violations, r.n_violations), want);
    ck_assert_int_eq(r.pass, !want[0]);
    dcp_check_result_finish(&r);
    world_free(w);
}

/* The same for the placement that the model states. */
static inline void
expect_placement(struct world *w, const char *want, uint32_t n_soft)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(w->inv, NULL);

    ck_assert_msg(dcp_check_placement(w->inv, &w->demand, p, 0,
                                      w->demand.n_slots, &r, &err),
                  "%s", err.message);
    ck_assert_str_eq(rules_of(r.violations, r.n_violations), want);
    ck_assert_uint_eq(r.n_soft_all, n_soft);
    dcp_check_result_finish(&r);
    world_free(w);
}

/* Does the plan pass?  If not, 'why' has the first violation. */
static inline bool
plan_passes(const struct world *w, const struct dcp_plan *plan, char *why,
            size_t size)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_plan(w->inv, &w->demand, plan, &r, &err), "%s",
                  err.message);
    bool pass = r.pass;

    if (!pass) {
        (void)snprintf(why, size, "step %u, %s, %s: %s", r.violations[0].step,
                       r.violations[0].rule, r.violations[0].object,
                       r.violations[0].text);
    }
    dcp_check_result_finish(&r);
    return pass;
}

#endif /* tests/support/verdict.h */
