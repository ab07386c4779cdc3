/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts that are emptied and switched off for a time. */

#include "model/migration.h"
#include "tests/unit/restart_fixture.h"

START_TEST(maintenance_empties_hosts)
{
    struct dcp_outage m = { HOUR, 3 * HOUR, DCP_DOMAIN_HOST, 0 };
    uint32_t at[8], on[4], n;

    inv->policy.out_per_host = 2;
    inv->policy.migration_kib_s = 1024 * 1024;
    ck_assert(dcp_outages_add(&maintenance, m, NULL));
    m.ix = 1; /* Its VMs and h0's do not all fit on h2. */
    m.from_ms = HOUR + 30 * MINUTE;
    ck_assert(dcp_outages_add(&maintenance, m, NULL));
    break_host(2, 2 * HOUR, 2 * HOUR + 10 * MINUTE);
    run_to(HOUR + 20 * MINUTE);
    play(at, on);
    ck_assert_uint_eq(on[0], 0);
    for (uint32_t v = 0; v < 4; v++) {
        ck_assert_uint_ne(at[v], 0);
    }
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_emptied, 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_not_emptied, 0);
    run_to(HOUR + 50 * MINUTE);
    play(at, on);
    ck_assert_uint_eq(on[1], 1); /* No room for its four. */
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_not_emptied, 1);
    run_to(5 * HOUR);
    play(at, on);
    ck_assert(on[0] && on[1] && on[2]);
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(ha, &n);

    ck_assert_uint_eq(n, 4); /* Moving interrupts nobody; h2 did. */
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_uint_eq(list[i].host, 2);
        ck_assert_int_ne(list[i].until_ms, NEVER);
    }
}
END_TEST

/* How often the host booted. */
static uint32_t
n_boots(uint32_t host)
{
    uint32_t n, n_on = 0;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        n_on += e[i].step->kind == DCP_STEP_HOST_ON &&
                e[i].step->object.ix == host && e[i].phase == DCP_ACTION_DONE;
    }
    return n_on;
}

/* h0 fails while it is off for maintenance, h1 before all have left it. */
START_TEST(mended_under_maintenance_they_stay_off)
{
    uint32_t at[8], on[4];

    inv->policy.migration_kib_s = 1024 * 1024;
    start->on[3] = 1;
    maintain(0, HOUR, 5 * HOUR);
    maintain(1, 6 * HOUR, 9 * HOUR);
    break_host(0, 2 * HOUR, 3 * HOUR);
    break_host(1, 6 * HOUR + 1, 7 * HOUR);
    run_to(4 * HOUR);
    play(at, on);
    ck_assert_uint_eq(on[0], 0);
    ck_assert_uint_eq(n_boots(0), 0);
    run_to(8 * HOUR);
    play(at, on);
    ck_assert_uint_eq(on[0], 1);
    ck_assert_uint_eq(n_boots(0), 1);
    ck_assert_uint_eq(n_boots(1), 0);
    run_to(10 * HOUR);
    play(at, on);
    ck_assert_uint_eq(on[1], 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_emptied, 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_not_emptied, 0);
}
END_TEST

/* Length of the VM's first migration; -1: it did not end. */
static int64_t
move_ms(uint32_t vm)
{
    uint32_t n;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);
    int64_t began_ms = -1;

    for (uint32_t i = 0; i < n; i++) {
        if (e[i].step->kind == DCP_STEP_MIGRATE && e[i].step->object.ix == vm) {
            if (e[i].phase != DCP_ACTION_STARTED) {
                return e[i].at_ms - began_ms;
            }
            began_ms = e[i].at_ms;
        }
    }
    return -1;
}

static int64_t
alone_ms(uint32_t vm, double mib_s)
{
    struct dcp_precopy p = dcp_precopy_of(inv, vm);

    p.bandwidth_mib_s = mib_s;
    return dcp_precopy_estimate(&p).total_ms;
}

/* Most migrations into one host at one time. */
static uint32_t
most_coming(void)
{
    uint32_t n, coming[4] = { 0 }, most = 0;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = e[i].step;

        if (s->kind == DCP_STEP_MIGRATE) {
            coming[s->to.ix] += e[i].phase == DCP_ACTION_STARTED ? 1 : -1u;
            most = coming[s->to.ix] > most ? coming[s->to.ix] : most;
        }
    }
    return most;
}

static void
give_nics(uint64_t *nic_kib_s, struct dcp_hardware hw[4])
{
    *nic_kib_s = 100 * 1024;
    memcpy(hw, inv->hardware, 4 * sizeof *hw);
    for (uint32_t i = 0; i < 4; i++) {
        hw[i].nic_kib_s = nic_kib_s;
        hw[i].n_nics = 1;
    }
    inv->hardware = hw;
    inv->policy.migration_kib_s = 0;
    inv->policy.units_per_10gbit = 0;
}

START_TEST(maintenance_shares_the_network)
{
    uint64_t nic_kib_s;
    struct dcp_hardware hw[4];
    struct dcp_step out = step_of(DCP_STEP_MIGRATE, 3, 0, 1);

    give_nics(&nic_kib_s, hw);
    inv->policy.out_per_host = 2;
    inv->policy.in_per_host = 1;
    maintain(0, HOUR, NEVER);
    run_to(2 * HOUR);
    ck_assert_int_eq(move_ms(0), alone_ms(0, 50)); /* v0 and v1 at once. */
    ck_assert_int_eq(move_ms(1), alone_ms(1, 50));
    ck_assert_uint_eq(most_coming(), 1);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_emptied, 1);
    dcp_ha_destroy(ha);
    ha = NULL;
    inv->policy.out_per_host = 1;
    run_to(HOUR);
    ck_assert_int_eq(dcp_ha_next_ms(ha), HOUR + alone_ms(0, 100));
    run_to(2 * HOUR);
    ck_assert_int_eq(move_ms(0), alone_ms(0, 100));
    dcp_ha_destroy(ha);
    /* A plan's takes half of the NIC, then the next one of ours does. */
    inv->policy.out_per_host = 2;
    open_world();
    take(HOUR - SECOND, &out, DCP_ACTION_STARTED);
    take(HOUR + 5 * SECOND, &out, DCP_ACTION_DONE);
    run_to(2 * HOUR);
    ck_assert_int_eq(move_ms(0), alone_ms(0, 50));
    ck_assert_int_eq(move_ms(3), 6 * SECOND);
}
END_TEST

START_TEST(maintenance_leaves_what_does_not_converge)
{
    uint64_t nic_kib_s;
    struct dcp_hardware hw[4];
    uint32_t at[8], on[4];

    for (int nics = 0; nics < 2; nics++) {
        if (nics) {
            give_nics(&nic_kib_s, hw);
        }
        inv->policy.migration_kib_s = 100 * 1024;
        inv->policy.precopy.auto_converge = false;
        inv->policy.precopy.timeout_ms_per_gib = 60 * SECOND;
        fixture_vm(inv, 2)->dirty_kib_s = 500 * 1024;
        fixture_vm(inv, 2)->working_set_mib = 1024;
        maintenance.n = 0;
        maintain(0, HOUR, 2 * HOUR);
        run_to(3 * HOUR);
        play(at, on);
        ck_assert_uint_eq(at[2], 0);
        ck_assert_uint_ne(at[0], 0);
        ck_assert_int_eq(move_ms(2), 120 * SECOND);
        struct dcp_ha_counts c = dcp_ha_counts(ha);

        ck_assert_uint_ge(c.migrations_given_up, 29); /* Again and again. */
        ck_assert_uint_le(c.migrations_given_up, 30);
        ck_assert_uint_eq(c.hosts_emptied, 0);
        ck_assert_uint_eq(c.hosts_not_emptied, 1);
        dcp_ha_destroy(ha);
        ha = NULL;
    }
}
END_TEST

/* Slowdowns of v0, whose memory changes nearly as fast as it can be sent, when
 * the world ends 'after_ms' after maintenance of its host began. */
static uint32_t
slowdowns_after(int64_t after_ms, struct dcp_slowdown **list)
{
    uint32_t n = 0;

    *list = NULL;
    run_to(HOUR + after_ms);
    ck_assert(dcp_ha_add_slowdowns(ha, list, &n, NULL));
    dcp_ha_destroy(ha);
    ha = NULL;
    return n;
}

/* Nothing changes the migration's rate until the window's end, half-way. */
START_TEST(slowdowns_are_told_of_migrations_under_way)
{
    uint64_t nic_kib_s;
    struct dcp_hardware hw[4];
    struct dcp_slowdown *whole, *half;

    give_nics(&nic_kib_s, hw);
    inv->policy.out_per_host = 1;
    inv->policy.precopy.auto_converge = true;
    fixture_vm(inv, 0)->dirty_kib_s = 90 * 1024;
    fixture_vm(inv, 0)->working_set_mib = 1600;
    maintain(0, HOUR, NEVER);
    uint32_t n = slowdowns_after(HOUR, &whole);

    ck_assert_uint_ge(n, 2);
    for (uint32_t i = 0; i < n; i++) {
        int64_t at_ms = whole[i].at_ms - HOUR;

        ck_assert_uint_eq(whole[i].vm, 0);
        ck_assert_uint_eq(slowdowns_after(at_ms - 10, &half), i);
        free(half);
        ck_assert_uint_eq(slowdowns_after(at_ms + 10, &half), i + 1);
        ck_assert_int_eq(half[i].at_ms, whole[i].at_ms);
        ck_assert_double_eq(half[i].stopped_frac, whole[i].stopped_frac);
        free(half);
    }
    free(whole);
}
END_TEST

/* v0's disk is in a pool that h0 alone reaches, until the plan moves it. */
START_TEST(a_vm_leaves_once_its_disk_may)
{
    static const uint32_t h0 = 0;
    struct dcp_pool pools[2] = {
        { .name = "near", .reach = { .n = 1, .ix = &h0 } },
        { .name = "far", .reach_all = true },
    };
    struct dcp_volume volume = { .name = "v0/0", .vm = { 0 }, .pool = { 0 } };
    struct dcp_step move = { .id = 1,
                             .kind = DCP_STEP_VOLUME_MOVE,
                             .object = { DCP_OBJECT_VOLUME, 0 },
                             .from = { DCP_OBJECT_POOL, 0 },
                             .to = { DCP_OBJECT_POOL, 1 },
                             .reason_text = "" };
    uint32_t at[8], on[4];

    inv->pools = pools;
    inv->n_pools = 2;
    inv->volumes = &volume;
    inv->n_volumes = 1;
    fixture_vm(inv, 0)->n_volumes = 1;
    inv->policy.migration_kib_s = 1024 * 1024;
    maintain(0, HOUR, NEVER);
    run_to(2 * HOUR);
    play(at, on);
    ck_assert_uint_eq(at[0], 0);
    ck_assert_uint_ne(at[3], 0);
    take(2 * HOUR, &move, DCP_ACTION_STARTED);
    take(3 * HOUR, &move, DCP_ACTION_DONE);
    run_to(3 * HOUR + 10 * MINUTE);
    ck_assert_uint_eq(dcp_ha_counts(ha).hosts_emptied, 1);
    inv->n_volumes = inv->n_pools = 0;
}
END_TEST

/* v0 and v4 leave their hosts at the same time, and only h2 has room: one is on
 * its way there when the other looks for a home. */
START_TEST(rules_count_who_is_on_its_way)
{
    static const uint32_t pair[] = { 0, 4 };
    static const uint32_t hosts[] = { 2 };
    struct dcp_rule rules[] = {
        { .kind = DCP_RULE_SPREAD, .vms = pair, .n_vms = 2 },
        { .kind = DCP_RULE_LONELY, .vms = &pair[0], .n_vms = 1 },
        { .kind = DCP_RULE_RUNNING_CAPACITY,
          .vms = pair,
          .n_vms = 2,
          .hosts = hosts,
          .n_hosts = 1,
          .limit = 1 },
    };
    uint32_t at[8], on[4];

    inv->policy.migration_kib_s = 10 * 1024;
    for (uint32_t v = 0; v < 8; v++) {
        if (v != 0 && v != 4) {
            start->host[v] = dcp_host_none();
        }
    }
    maintain(0, HOUR, 2 * HOUR);
    maintain(1, HOUR, 2 * HOUR);
    inv->n_rules = 1;
    for (uint32_t r = 0; r < 3; r++) {
        inv->rules = &rules[r];
        run_to(HOUR + 30 * MINUTE);
        play(at, on);
        ck_assert_uint_eq(at[0], 2);
        ck_assert_uint_eq(at[4], 1);
        dcp_ha_destroy(ha);
        ha = NULL;
    }
    inv->n_rules = 0;
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &maintenance_empties_hosts,
        &mended_under_maintenance_they_stay_off,
        &maintenance_shares_the_network,
        &maintenance_leaves_what_does_not_converge,
        &slowdowns_are_told_of_migrations_under_way,
        &a_vm_leaves_once_its_disk_may,
        &rules_count_who_is_on_its_way,
    };

    return run_tests_with("maintenance", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
