/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/unit/restart_fixture.h"

#include <math.h>

START_TEST(restarts_by_priority_where_there_is_room)
{
    uint32_t at[8], on[4];

    fixture_vm(inv, 3)->restart_priority = DCP_RESTART_HIGH;
    fixture_vm(inv, 0)->restart_priority = DCP_RESTART_LOW;
    options.at_once = 1;
    break_host(0, HOUR, NEVER);
    run_to(2 * HOUR);
    /* h1 and h2 start one each, after 15 s + 60 s: v3 and v1 first, v2 and v0
     * when those run, 2 min later. */
    ck_assert_int_eq(outage_of(3)->until_ms - HOUR, 195 * SECOND);
    ck_assert_int_eq(outage_of(1)->until_ms - HOUR, 195 * SECOND);
    ck_assert_int_eq(outage_of(2)->until_ms - HOUR, 315 * SECOND);
    ck_assert_int_eq(outage_of(0)->until_ms - HOUR, 315 * SECOND);
    ck_assert_int_eq(outage_of(0)->homeless_ms, 0);
    ck_assert_int_eq(outage_of(0)->why, DCP_HOMELESS_NOT);
    play(at, on);
    ck_assert_uint_eq(at[3], 1);
    ck_assert_uint_eq(at[1], 2);
    ck_assert_uint_eq(on[0], 0);
    struct dcp_ha_counts c = dcp_ha_counts(ha);

    ck_assert_uint_eq(c.restarts, 4);
    ck_assert_uint_eq(c.vms_down_max, 4);
    ck_assert_uint_eq(c.vms_down, 0);
    ck_assert_uint_eq(c.vms_homeless_max, 0);
    ck_assert_uint_eq(c.host_failures, 1);
}
END_TEST

START_TEST(without_a_home_they_wait_for_a_host)
{
    struct dcp_availability a;
    uint32_t at[8], on[4], n;

    /* 8 VMs of which h2 can take four. */
    break_host(0, HOUR, 5 * HOUR);
    break_host(1, HOUR, NEVER);
    run_to(10 * HOUR);
    struct dcp_ha_counts c = dcp_ha_counts(ha);

    ck_assert_uint_eq(c.vms_homeless_max, 4);
    ck_assert_uint_eq(c.vms_homeless, 0);
    ck_assert_uint_eq(c.restarts, 6);
    /* h0 boots in 4 min, then starts four at once. */
    ck_assert_int_eq(outage_of(2)->until_ms, 5 * HOUR + 6 * MINUTE);
    ck_assert_int_eq(outage_of(2)->homeless_ms,
                     4 * HOUR + 4 * MINUTE - 75 * SECOND);
    ck_assert_int_eq(outage_of(2)->why, DCP_HOMELESS_ROOM);
    play(at, on);
    ck_assert_uint_eq(on[0], 1);
    ck_assert_uint_eq(at[2], 0);
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(ha, &n);

    ck_assert(dcp_availability(inv, start, list, n, 0, 10 * HOUR, &a, NULL));
    double one = 195, two = (double)(4 * HOUR + 6 * MINUTE) / 1000;

    ck_assert_double_eq_tol(a.down_vm_s, 2 * one + 4 * two, 1e-6);
    ck_assert_double_eq_tol(a.availability_frac,
                            1 - a.down_vm_s / (8 * 36000.0), 1e-12);
    ck_assert_double_eq_tol(a.recovery_p50_s, two, 1e-9);
    ck_assert_double_eq_tol(a.recovery_max_s, two, 1e-9);
    for (uint32_t i = 0; i < DCP_RECOVERY_BINS; i++) { /* 195 s and 4.1 h. */
        ck_assert_uint_eq(a.recoveries[i], i == 2 ? 2 : i == 6 ? 4 : 0);
    }
    ck_assert_double_eq_tol(a.tiers[0].availability_frac, a.availability_frac,
                            1e-12);
    ck_assert_uint_eq(a.n_vms_hit, 6);
    dcp_availability_finish(&a);
    /* Looked at before it is over. */
    ck_assert(dcp_availability(inv, start, list, n, 0, 2 * HOUR, &a, NULL));
    ck_assert_uint_eq(a.n_open, 4);
    ck_assert_double_nan(a.recovery_max_s);
    ck_assert_uint_eq(a.recoveries[2], 2);
    ck_assert_uint_eq(a.recoveries[6], 0); /* Those are not over. */
    ck_assert_double_eq_tol(a.vm_down_s[2], 3600, 1e-9);
    dcp_availability_finish(&a);
}
END_TEST

static struct dcp_rule
rule_of(enum dcp_rule_kind kind, const uint32_t *vms, uint32_t n_vms,
        const uint32_t *hosts, uint32_t n_hosts)
{
    return (struct dcp_rule){ .kind = kind,
                              .name = "r",
                              .vms = vms,
                              .n_vms = n_vms,
                              .hosts = hosts,
                              .n_hosts = n_hosts };
}

START_TEST(hard_rules_hold)
{
    static const uint32_t pair[] = { 0, 4 }, one[] = { 1 }, third[] = { 2 };
    static const uint32_t h2[] = { 2 }, h3[] = { 3 };
    struct dcp_rule rules[3];
    uint32_t at[8], on[4];

    rules[0] = rule_of(DCP_RULE_SPREAD, pair, 2, NULL, 0);
    rules[1] = rule_of(DCP_RULE_BAN, one, 1, h2, 1);
    rules[2] = rule_of(DCP_RULE_FENCE, third, 1, h3, 1);
    inv->rules = rules;
    inv->n_rules = 3;
    break_host(0, HOUR, NEVER);
    run_to(2 * HOUR);
    play(at, on);
    ck_assert_uint_eq(at[0], 2); /* Not beside v4 on h1. */
    ck_assert_uint_eq(at[1], 1);
    ck_assert_uint_eq(at[2], DCP_IX_NONE); /* Its only host is off. */
    ck_assert_uint_eq(dcp_ha_counts(ha).vms_homeless, 1);
    ck_assert_int_eq(outage_of(2)->homeless_ms, HOUR - 75 * SECOND);
    ck_assert_int_eq(outage_of(2)->why, DCP_HOMELESS_RULES);
    dcp_ha_destroy(ha);
    ha = NULL;
    inv->policy.relax_rules = UINT32_C(1) << DCP_RULE_FENCE;
    run_to(2 * HOUR);
    play(at, on);
    ck_assert_uint_ne(at[2], DCP_IX_NONE);
    inv->n_rules = 0;
}
END_TEST

START_TEST(plans_meet_outages)
{
    struct dcp_step cut = step_of(DCP_STEP_MIGRATE, 4, 1, 2);
    struct dcp_step back = step_of(DCP_STEP_MIGRATE, 0, 0, 1);
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 2, 0, 0);
    struct dcp_step wake = step_of(DCP_STEP_HOST_ON, 3, 0, 0);
    uint32_t at[8], on[4];

    break_host(2, HOUR, 2 * HOUR);
    open_world();
    take(HOUR - MINUTE, &cut, DCP_ACTION_STARTED);
    take(HOUR + MINUTE, &cut, DCP_ACTION_DONE);    /* Its target is gone. */
    take(HOUR + MINUTE, &off, DCP_ACTION_STARTED); /* So is this one. */
    take(HOUR + 2 * MINUTE, &off, DCP_ACTION_DONE);
    play(at, on);
    ck_assert_uint_eq(at[4], 1);
    run_to(HOUR + 10 * MINUTE);
    /* v6 and v7 fill h1 up: there is no room for v0. */
    take(HOUR + 20 * MINUTE, &back, DCP_ACTION_STARTED);
    take(HOUR + 21 * MINUTE, &back, DCP_ACTION_DONE);
    take(HOUR + 30 * MINUTE, &wake, DCP_ACTION_STARTED);
    take(HOUR + 34 * MINUTE, &wake, DCP_ACTION_DONE);
    run_to(3 * HOUR);
    play(at, on);
    ck_assert_uint_eq(at[0], 0);
    ck_assert_uint_eq(at[6], 1);
    ck_assert_uint_eq(at[7], 1);
    ck_assert_uint_eq(on[3], 1);
    ck_assert_uint_eq(on[2], 0); /* The plan wanted it off. */
    struct dcp_ha_counts c = dcp_ha_counts(ha);

    ck_assert_uint_eq(c.migrations_cut, 1);
    ck_assert_uint_eq(c.steps_prevented, 3);
}
END_TEST

START_TEST(chance_makes_boots_and_migrations_fail)
{
    uint32_t at[8], on[4], n_boots = 0, n_moves = 0;

    options.failed_boot_frac = 0.3;
    options.failed_migration_frac = 0.2;
    options.seed = 5;
    open_world();
    struct dcp_step wake = step_of(DCP_STEP_HOST_ON, 3, 0, 0);
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 3, 0, 0);
    struct dcp_step out = step_of(DCP_STEP_MIGRATE, 0, 0, 1);
    struct dcp_step in = step_of(DCP_STEP_MIGRATE, 0, 1, 0);

    for (uint32_t i = 0; i < 1000; i++) {
        int64_t t = i * HOUR;

        play(at, on);
        const struct dcp_step *power = on[3] ? &off : &wake;
        const struct dcp_step *move = at[0] == 0 ? &out : &in;

        n_boots += !on[3];
        n_moves++;
        take(t, power, DCP_ACTION_STARTED);
        take(t, move, DCP_ACTION_STARTED);
        take(t + MINUTE, power, DCP_ACTION_DONE);
        take(t + MINUTE, move, DCP_ACTION_DONE);
    }
    struct dcp_ha_counts c = dcp_ha_counts(ha);

    ck_assert_double_eq_tol((double)c.boots_failed / n_boots, 0.3, 0.06);
    ck_assert_double_eq_tol((double)c.migrations_failed / n_moves, 0.2, 0.04);
    ck_assert_uint_eq(c.steps_prevented, 0);
}
END_TEST

/* Three parts with 90 % each: two of three are up 3 x 0.9^2 x 0.1 + 0.9^3. */
START_TEST(k_of_n_as_in_theory)
{
    struct dcp_failure_spec spec;
    struct dcp_outages drawn = { 0 };
    int64_t to_ms = 10000000 * HOUR;
    static const double up[] = { 0.729, 0.972, 0.999 };
    uint32_t n = 0;

    ck_assert(dcp_failure_spec_parse("host=90h/10h", &spec, NULL));
    spec.all_up_at_start = false;
    ck_assert(dcp_failure_generate(inv, &spec, 1, 0, to_ms, &drawn, NULL));
    struct dcp_span *spans = calloc(drawn.n, sizeof *spans);

    for (uint32_t i = 0; i < drawn.n; i++) {
        if (drawn.list[i].ix < 3) {
            spans[n++] = (struct dcp_span){ drawn.list[i].from_ms,
                                            drawn.list[i].until_ms };
        }
    }
    for (uint32_t spare = 0; spare < 3; spare++) {
        double down =
            (double)dcp_time_below(spans, n, spare, 0, to_ms) / (double)to_ms;

        ck_assert_double_eq_tol(down / (1 - up[spare]), 1, 0.08);
    }
    free(spans);
    dcp_outages_finish(&drawn);
}
END_TEST

START_TEST(promises_by_tier_and_application)
{
    static const uint32_t members[] = { 0, 4, 6 };
    struct dcp_application app = {
        .name = "a", .vms = { members, 3 }, .sla_availability = 0.99, .needs = 2
    };
    struct dcp_tier tier = inv->tiers[0];
    struct dcp_availability a;
    static const struct dcp_vm_outage list[] = {
        { .from_ms = 0, .until_ms = 6 * MINUTE, .vm = 0 },
        { .from_ms = 3 * MINUTE, .until_ms = 5 * MINUTE, .vm = 4 },
        { .from_ms = 60 * MINUTE, .until_ms = 70 * MINUTE, .vm = 6 },
        { .from_ms = 90 * MINUTE, .until_ms = 91 * MINUTE, .vm = 1 },
    };

    for (uint32_t i = 0; i < 3; i++) {
        fixture_vm(inv, members[i])->application.ix = 0;
    }
    tier.sla_availability = 0.97; /* 6 minutes of 200. */
    inv->tiers = &tier;
    inv->applications = &app;
    inv->n_applications = 1;
    ck_assert(dcp_availability(inv, start, list, 4, 0, 200 * MINUTE, &a, NULL));
    /* Two of three are down for 2 minutes. */
    ck_assert_double_eq_tol(a.applications[0].down_s, 120, 1e-9);
    ck_assert_double_eq_tol(a.applications[0].availability_frac, 0.99, 1e-12);
    ck_assert_uint_eq(a.tiers[0].n_broken, 1); /* v6; v0 had just 97 %. */
    dcp_availability_finish(&a);
    app.needs = 0; /* All: 6 and 10 minutes. */
    ck_assert(dcp_availability(inv, start, list, 4, 0, 200 * MINUTE, &a, NULL));
    ck_assert_double_eq_tol(a.applications[0].down_s, 960, 1e-9);
    ck_assert_uint_eq(a.applications[0].n_broken, 1);
    dcp_availability_finish(&a);
    inv->n_applications = 0;
}
END_TEST

/* The replay of all that happened keeps every VM on one host, and two runs are
 * the same. */
START_TEST(long_runs_stay_whole)
{
    struct dcp_failure_spec spec;
    struct dcp_outages drawn = { 0 };
    uint32_t at[8], on[4], n, n_again;

    ck_assert(dcp_failure_spec_parse("host=40h/10h,crews=2", &spec, NULL));
    ck_assert(
        dcp_failure_generate(inv, &spec, 3, 0, 9000 * HOUR, &drawn, NULL));
    ck_assert(dcp_outages_of_hosts(inv, &drawn, &outages, NULL, NULL));
    dcp_outages_finish(&drawn);
    start->on[3] = 1;
    run_to(9000 * HOUR);
    play(at, on);
    const struct dcp_sim_event *first = dcp_ha_events(ha, &n);
    struct dcp_ha *before = ha;

    ck_assert_uint_gt(n, 1000);
    ha = NULL;
    for (int64_t t = 0; t < 9000; t++) {
        run_to(t * HOUR); /* In small steps. */
    }
    run_to(9000 * HOUR);
    const struct dcp_sim_event *again = dcp_ha_events(ha, &n_again);

    ck_assert_uint_eq(n, n_again);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_int_eq(first[i].at_ms, again[i].at_ms);
        ck_assert_int_eq(first[i].step->kind, again[i].step->kind);
        ck_assert_uint_eq(first[i].step->object.ix, again[i].step->object.ix);
        ck_assert_uint_eq(first[i].step->to.ix, again[i].step->to.ix);
    }
    dcp_ha_destroy(before);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &restarts_by_priority_where_there_is_room,
        &without_a_home_they_wait_for_a_host,
        &hard_rules_hold,
        &plans_meet_outages,
        &chance_makes_boots_and_migrations_fail,
        &k_of_n_as_in_theory,
        &promises_by_tier_and_application,
        &long_runs_stay_whole,
    };

    return run_tests_with("restart", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
