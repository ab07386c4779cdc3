/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Steps of plans that meet maintenance and outages half-way. */

#include "tests/unit/restart_fixture.h"

static struct dcp_step
resize_of(uint32_t vm, uint32_t host, uint64_t mem_mib)
{
    struct dcp_step s = step_of(DCP_STEP_VM_RESIZE, vm, host, host);

    s.size_from = (struct dcp_vm_size){ 1, 2048 };
    s.size_to = (struct dcp_vm_size){ 1, mem_mib };
    return s;
}

static uint32_t
n_done(const struct dcp_step *s)
{
    uint32_t n, n_done = 0;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        n_done += e[i].step == s && e[i].phase == DCP_ACTION_DONE;
    }
    return n_done;
}

/* v0 is stopped and v1 made smaller when maintenance would move them, and the
 * plan comes too late for v2, which is on its way. */
START_TEST(one_thing_at_a_time)
{
    struct dcp_step stop = step_of(DCP_STEP_VM_STOP, 0, 0, 0);
    struct dcp_step less = resize_of(1, 0, 1024), late = resize_of(2, 0, 1024);
    uint32_t at[8], on[4];

    inv->policy.out_per_host = 4;
    inv->policy.in_per_host = 4;
    inv->policy.migration_kib_s = 10 * 1024;
    start->on[3] = 1;
    maintain(0, HOUR, NEVER);
    open_world();
    take(HOUR - MINUTE, &stop, DCP_ACTION_STARTED);
    take(HOUR - MINUTE, &less, DCP_ACTION_STARTED);
    take(HOUR + MINUTE, &late, DCP_ACTION_STARTED);
    take(HOUR + 2 * MINUTE, &late, DCP_ACTION_DONE);
    take(HOUR + 10 * MINUTE, &less, DCP_ACTION_DONE);
    take(HOUR + 20 * MINUTE, &stop, DCP_ACTION_DONE);
    play(at, on);
    ck_assert_uint_eq(at[0], DCP_IX_NONE);
    ck_assert(at[1] && at[2] && at[3]);
    ck_assert_uint_eq(n_done(&less), 1);
    ck_assert_uint_eq(n_done(&late), 0);
    run_to(2 * HOUR);
    play(at, on);
    ck_assert_uint_eq(on[0], 0);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_emptied, 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 1);
}
END_TEST

/* v0 of a full host cannot grow; v4 of h1 can, and has the room from its
 * beginning on, so that one of h2's four finds none. */
START_TEST(growth_needs_room)
{
    struct dcp_step full = resize_of(0, 0, 4096), more = resize_of(4, 1, 4096);
    uint32_t at[8], on[4], n_there = 0;

    break_host(2, HOUR, 3 * HOUR);
    open_world();
    take(HOUR - MINUTE, &full, DCP_ACTION_STARTED);
    take(HOUR - MINUTE, &full, DCP_ACTION_DONE);
    take(HOUR - MINUTE, &more, DCP_ACTION_STARTED);
    take(2 * HOUR, &more, DCP_ACTION_DONE);
    play(at, on);
    for (uint32_t v = 0; v < 8; v++) {
        n_there += at[v] == 1;
    }
    ck_assert_uint_eq(n_there, 3);
    ck_assert_uint_eq(n_done(&full), 0);
    ck_assert_uint_eq(n_done(&more), 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 1);
}
END_TEST

/* v4 is as large as it was when its host is lost before it grew: both find room
 * for 2 GiB on h2, which has 4 GiB left. */
START_TEST(a_resize_that_was_cut_is_undone)
{
    struct dcp_step more = resize_of(4, 1, 4096);
    uint32_t at[8], on[4];

    break_host(1, HOUR, NEVER);
    open_world();
    take(HOUR - MINUTE, &more, DCP_ACTION_STARTED);
    take(HOUR + MINUTE, &more, DCP_ACTION_DONE);
    run_to(2 * HOUR);
    play(at, on);
    ck_assert_uint_eq(at[4], 2);
    ck_assert_uint_eq(at[5], 2);
    ck_assert_uint_eq(n_done(&more), 0);
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 1);
}
END_TEST

/* A migration of maintenance that an outage cut was no step of a plan. */
START_TEST(only_steps_of_plans_are_prevented)
{
    inv->policy.migration_kib_s = 1024;
    maintain(0, HOUR, NEVER);
    break_host(0, HOUR + MINUTE, NEVER);
    run_to(2 * HOUR);
    ck_assert_uint_ge(dcp_ha_counts(ha).migrations_cut, 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 0);
}
END_TEST

/* What the plan does after the window is not looked at, nor what fails then. */
START_TEST(nothing_is_counted_after_the_end)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 0, 0, 0);
    struct dcp_sim_event after = { 5 * HOUR, &off, DCP_ACTION_STARTED };

    maintain(1, HOUR, 4 * HOUR);
    break_host(2, 2 * HOUR, 4 * HOUR);
    start->on[1] = 0; /* All but h0 and h2 are off: nobody has a home. */
    start->host[4] = start->host[5] = dcp_host_none();
    open_world();
    ck_assert(dcp_ha_run(ha, &after, 1, 3 * HOUR, NULL));
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 0);
    ck_assert_uint_eq(dcp_ha_counts(ha).vms_down, 2);
    ck_assert_int_le(outage_of(6)->homeless_ms, HOUR);
    ck_assert_int_eq(outage_of(6)->until_ms, NEVER);
}
END_TEST

/* h3 is off and h0 is emptied: what the plan wants of them meanwhile they do
 * once maintenance is over; h1 does as maintenance has it. */
START_TEST(wishes_outlast_maintenance)
{
    struct dcp_step wake = step_of(DCP_STEP_HOST_ON, 3, 0, 0);
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 0, 0, 0);
    uint32_t at[8], on[4];

    for (uint32_t v = 0; v < 4; v++) {
        start->host[v] = dcp_host_none();
    }
    inv->policy.migration_kib_s = 1024 * 1024;
    maintain(0, HOUR, 5 * HOUR);
    maintain(1, HOUR, 5 * HOUR);
    maintain(3, HOUR, 5 * HOUR);
    open_world();
    take(2 * HOUR, &wake, DCP_ACTION_STARTED);
    take(2 * HOUR, &off, DCP_ACTION_STARTED);
    take(3 * HOUR, &wake, DCP_ACTION_DONE);
    take(3 * HOUR, &off, DCP_ACTION_DONE);
    run_to(4 * HOUR);
    play(at, on);
    ck_assert(!on[0] && !on[1] && !on[3]);
    run_to(6 * HOUR);
    play(at, on);
    ck_assert(!on[0] && on[1] && on[3]);
    ck_assert_uint_eq(dcp_ha_counts(ha).steps_prevented, 2);
}
END_TEST

/* A rule lets v0 and v6 have 3 GiB together: v6 begins again, on another host
 * than v0's, once that is smaller. */
START_TEST(a_smaller_vm_leaves_others_their_share)
{
    static const uint32_t vms[] = { 0, 6 }, hosts[] = { 0, 1, 2, 3 };
    struct dcp_rule rule = { .kind = DCP_RULE_CAPACITY,
                             .vms = vms,
                             .n_vms = 2,
                             .hosts = hosts,
                             .n_hosts = 4,
                             .resource = DCP_RULE_MEMORY,
                             .limit = 3072 };
    struct dcp_step less = resize_of(0, 0, 1024);
    uint32_t at[8], on[4];

    inv->rules = &rule;
    inv->n_rules = 1;
    break_host(2, HOUR, NEVER);
    open_world();
    take(2 * HOUR, &less, DCP_ACTION_STARTED);
    play(at, on);
    ck_assert_uint_eq(at[6], DCP_IX_NONE);
    take(3 * HOUR, &less, DCP_ACTION_DONE);
    run_to(4 * HOUR);
    play(at, on);
    ck_assert_uint_eq(at[6], 1);
    inv->n_rules = 0;
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &one_thing_at_a_time,
        &growth_needs_room,
        &a_resize_that_was_cut_is_undone,
        &only_steps_of_plans_are_prevented,
        &nothing_is_counted_after_the_end,
        &wishes_outlast_maintenance,
        &a_smaller_vm_leaves_others_their_share,
    };

    return run_tests_with("restart_steps", tests,
                          sizeof tests / sizeof tests[0], setup, teardown);
}
