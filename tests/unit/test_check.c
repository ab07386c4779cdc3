/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each thing that the checker judges in the states of a leg, once held and
 * once broken. */

#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

START_TEST(a_legal_move_passes)
{
    struct world w = one_move();

    plan_the_move(&w);
    expect(&w, "");
}
END_TEST

START_TEST(every_scalar_is_counted)
{
    static const char *const names[] = { "memory", "vcpu",       "reserved",
                                         "disk",   "huge_pages", "gpu" };

    for (uint32_t kind = 0; kind < 6; kind++) {
        for (int over = 0; over < 2; over++) {
            struct world w = one_move();
            struct dcp_volume *volume = WORLD_NEW(&w, struct dcp_volume, 1);
            struct dcp_vm *vm = &w.vms[0];

            w.hosts[0].hardware.ix = 0;
            w.inv->n_extras = 1;
            w.inv->extra_name[0] = "gpu";
            w.hardware->extras[0] = 2;
            w.hardware->disk_mib = 5000;
            w.hardware->huge_pages_mib = 4000;
            *volume = (struct dcp_volume){ .pool = dcp_pool_none() };
            w.inv->volumes = volume;
            w.inv->n_volumes = 1;
            vm->n_volumes = 1;
            switch (kind) {
            case 0: /* 96,000 for VMs less 1,000 of v1. */
                vm->mem_mib = 95000u + (unsigned)over;
                break;
            case 1: /* 10 cores at 10 to 1, less one vCPU. */
                vm->vcpus = 99u + (unsigned)over;
                break;
            case 2:
                vm->cpu_reservation_mhz = 10000u + (unsigned)over;
                break;
            case 3:
                volume->size_mib = 5000u + (unsigned)over;
                break;
            case 4:
                vm->mem_mib = 5000;
                vm->huge_pages_mib = 4000u + (unsigned)over;
                break;
            case 5:
                vm->extras[0] = 2u + (unsigned)over;
                break;
            }
            /* The same VM at home is what the start has, so it is no fault. */
            plan_the_move(&w);
            struct dcp_check_result r;

            ck_assert(dcp_check_plan(w.inv, &w.demand, w.plan, &r, NULL));
            ck_assert_msg(r.n_violations == (uint32_t)over, "%s, over %d: %s",
                          names[kind], over,
                          rules_of(r.violations, r.n_violations));
            if (over) {
                ck_assert_msg(strstr(r.violations[0].text, names[kind]) != NULL,
                              "%s", r.violations[0].text);
                ck_assert_str_eq(r.violations[0].object, "host:h1");
                ck_assert_uint_eq(r.violations[0].step, 1);
                ck_assert_double_gt(r.violations[0].need, r.violations[0].have);
            }
            dcp_check_result_finish(&r);
            world_free(&w);
        }
    }
}
END_TEST

START_TEST(cpu_and_net_are_judged_in_each_slot)
{
    for (int net = 0; net < 2; net++) {
        for (int over = 0; over < 2; over++) {
            struct world w = one_move();
            uint32_t *kib_s = WORLD_NEW(&w, uint32_t, 3 * w.demand.stride);

            w.demand.net_kib_s = kib_s;
            (net ? kib_s : w.cpu_mhz)[1] =
                (net ? 1000000u : 9000u) + (unsigned)over;
            plan_the_move(&w);
            expect(&w, over ? "capacity" : "");
        }
    }
}
END_TEST

START_TEST(slots_after_the_leg_are_not_its_business)
{
    struct world w = one_move();

    w.cpu_mhz[2] = 9999; /* The leg is judged in slots 0 and 1. */
    plan_the_move(&w);
    expect(&w, "");
}
END_TEST

/* Too full at night, in a slot that neither leg would look at. */
START_TEST(what_a_leg_leaves_is_judged_until_the_next_is_done)
{
    for (int gap = 0; gap < 2; gap++) {
        struct world w = one_move();

        world_plan(&w, 2, 10);
        w.plan->legs[0].buckets_until_ms -= gap * DCP_HOUR_MS;
        expect(&w, gap ? "time" : "");
    }
}
END_TEST

START_TEST(what_was_too_full_may_stay_but_not_get_worse)
{
    struct world w = one_move();

    world_need(&w, 1, 12000); /* h1 is over before anything happens. */
    plan_the_move(&w);
    expect(&w, "capacity");
    w = one_move();
    world_need(&w, 1, 12000);
    world_plan(&w, 1, 10);
    (void)world_move(&w, 0, 0, 0, 2);
    expect(&w, "");
}
END_TEST

START_TEST(target_must_be_able_to_run_the_vm)
{
    static const char *const want[] = {
        "hypervisor", "hypervisor", "cpu_generation", "numa",   "storage",
        "storage",    "hypervisor", "architecture",   "movable"
    };

    for (uint32_t kind = 0; kind < 9; kind++) {
        struct world w = one_move();
        struct dcp_hardware *hw = WORLD_NEW(&w, struct dcp_hardware, 2);
        struct dcp_volume *volume = WORLD_NEW(&w, struct dcp_volume, 1);
        static const uint32_t only_first[] = { 0 };
        struct dcp_vm *vm = &w.vms[0];

        hw[0] = hw[1] = *w.hardware;
        w.inv->hardware = hw;
        w.inv->n_hardware = 2;
        w.hosts[1].hardware.ix = 1;
        *volume = (struct dcp_volume){ .size_mib = 10 };
        w.inv->volumes = volume;
        w.inv->n_volumes = 1;
        vm->n_volumes = 1;
        switch (kind) {
        case 0: /* May run on "qemu" only. */
            vm->hypervisors = (struct dcp_ids){ only_first, 1 };
            w.hosts[0].hypervisor.ix = w.hosts[1].hypervisor.ix = 1;
            break;
        case 1: /* Windows without VT. */
            vm->windows = true;
            hw[1].vt = false;
            break;
        case 2:
            vm->cpu_generation_min = "skylake";
            hw[1].cpu_generation = "haswell";
            break;
        case 3:
            vm->single_numa_node = true;
            vm->vcpus = 6;
            hw[1].numa_nodes = 2;
            break;
        case 4:
            w.pools->reach_all = false;
            w.pools->reach = (struct dcp_ids){ only_first, 1 };
            break;
        case 5: /* The hypervisor opens NFS, the pool speaks NBD. */
            w.hypervisors[0].transports = DCP_TRANSPORT_NFS;
            w.pools->transport = DCP_TRANSPORT_NBD;
            break;
        case 6: /* From "qemu" to "xen", live. */
            w.hosts[1].hypervisor.ix = 1;
            break;
        case 7:
            hw[1].cpu_arch = "aarch64";
            break;
        case 8:
            vm->movable = false;
            break;
        }
        plan_the_move(&w);
        expect(&w, want[kind]);
    }
}
END_TEST

START_TEST(no_live_migration_where_the_hypervisor_has_none)
{
    struct world w = one_move();

    w.hypervisors[0].live_migration = false;
    plan_the_move(&w);
    expect(&w, "hypervisor");
    w = one_move();
    w.hypervisors[0].live_migration = false;
    plan_the_move(&w);
    w.steps[0].cold = true;
    expect(&w, "");
}
END_TEST

START_TEST(hosts_that_may_not_be_switched_are_not)
{
    for (int kind = 0; kind < 3; kind++) {
        struct world w = one_move();

        w.hosts[3].power_off_allowed = kind != 0;
        w.hosts[3].state = kind == 1 ? DCP_HOST_MAINTENANCE : DCP_HOST_UP;
        w.inv->policy.keep_on = kind == 2 ? 4 : 1;
        world_plan(&w, 1, 10);
        (void)world_power(&w, 0, 3, kind == 1);
        expect(&w, kind == 2 ? "keep_on" : "power");
    }
}
END_TEST

START_TEST(hosts_with_duties_stay_on)
{
    const int64_t hour = 3600000;

    for (int kind = 0; kind < 5; kind++) {
        struct world w = one_move();

        w.inv->policy.rest_ms = 24 * hour;
        w.inv->policy.wake_proof_ms = 7 * 24 * hour;
        w.hosts[3].serves = kind == 0;
        w.hosts[3].failed_ms = kind == 1 ? WORLD_T0 - 23 * hour
                               : kind == 3 ? WORLD_T0 - 25 * hour
                                           : 0;
        w.hosts[0].woke_ms = kind == 2 || kind == 4 ? WORLD_T0 - hour : 0;
        w.hosts[3].woke_ms = kind == 4 ? WORLD_T0 - 160 * hour : 0;
        world_plan(&w, 1, 10);
        (void)world_power(&w, 0, 3, false);
        expect(&w, kind < 3 ? "power" : "");
    }
}
END_TEST

START_TEST(a_vlan_without_a_driver_cannot_be_trunked)
{
    struct world w = one_move();
    struct dcp_port *port = WORLD_NEW(&w, struct dcp_port, 1);

    *port = (struct dcp_port){ .nic = "eth0", .to = { 1 }, .port = "p" };
    w.hosts[3].ports = port; /* On tor1, which has no driver. */
    w.hosts[3].n_ports = 1;
    world_plan(&w, 1, 10);
    (void)world_vlan(&w, 0, 3, 0, true);
    expect(&w, "vlan");
}
END_TEST

/* What may break for a time is broken by the order of two moves. */
START_TEST(rules_that_always_hold_look_between_the_steps)
{
    static const uint32_t first[] = { 0 }, second[] = { 1 }, both[] = { 0, 1 };
    static const uint32_t h1[] = { 1 };
    static const struct dcp_rule rules[] = {
        { .kind = DCP_RULE_SPREAD, .vms = both, .n_vms = 2 },
        { .kind = DCP_RULE_SEPARATE,
          .vms = first,
          .n_vms = 1,
          .others = second,
          .n_others = 1 },
        { .kind = DCP_RULE_BAN,
          .vms = first,
          .n_vms = 1,
          .hosts = h1,
          .n_hosts = 1 },
    };

    for (uint32_t i = 0; i < 3; i++) {
        for (int always = 0; always < 2; always++) {
            struct world w = one_move();

            w.rules[0] = rules[i];
            w.rules[0].name = "r";
            w.rules[0].hold = always ? DCP_HOLD_ALWAYS : DCP_HOLD_END;
            w.inv->n_rules = 1;
            world_plan(&w, 1, 10);
            /* v0 passes through h1, where v1 is. */
            (void)world_move(&w, 0, 0, 0, 1);
            world_wait(&w, world_move(&w, 0, 0, 1, 3), 1);
            expect(&w, always ? "r" : "");
        }
    }
}
END_TEST

START_TEST(gathered_vms_are_not_parted_for_a_time)
{
    static const uint32_t both[] = { 0, 1 };

    for (int always = 0; always < 2; always++) {
        struct world w = one_move();

        w.vms[1].host.ix = 0;
        w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_GATHER,
                                        .name = "g",
                                        .vms = both,
                                        .n_vms = 2,
                                        .hold = always ? DCP_HOLD_ALWAYS
                                                       : DCP_HOLD_END };
        w.inv->n_rules = 1;
        world_plan(&w, 1, 10);
        (void)world_move(&w, 0, 0, 0, 3);
        (void)world_move(&w, 0, 1, 0, 3);
        expect(&w, always ? "g" : "");
    }
}
END_TEST

START_TEST(what_the_start_broke_is_excused)
{
    static const uint32_t both[] = { 0, 1 };
    struct world w = one_move();

    w.vms[1].host.ix = 0; /* Together already; both go to h3. */
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "s",
                                    .vms = both,
                                    .n_vms = 2,
                                    .hold = DCP_HOLD_ALWAYS };
    w.inv->n_rules = 1;
    world_plan(&w, 1, 10);
    (void)world_move(&w, 0, 0, 0, 3);
    (void)world_move(&w, 0, 1, 0, 3);
    expect(&w, "");
}
END_TEST

START_TEST(end_rules_and_roots)
{
    static const uint32_t first[] = { 0 }, both[] = { 0, 1 }, h0[] = { 0 };
    static const struct dcp_rule rules[] = {
        { .kind = DCP_RULE_SPREAD, .vms = both, .n_vms = 2 },
        { .kind = DCP_RULE_FENCE,
          .vms = first,
          .n_vms = 1,
          .hosts = h0,
          .n_hosts = 1 },
        { .kind = DCP_RULE_ROOT, .vms = first, .n_vms = 1 },
        /* The leg runs from 20:00 to 21:00 UTC. */
        { .kind = DCP_RULE_ROOT,
          .vms = first,
          .n_vms = 1,
          .has_hours = true,
          .hours = { 20 * 60 + 30, 22 * 60 } },
    };

    for (uint32_t i = 0; i < 4; i++) {
        for (int soft = 0; soft < 2; soft++) {
            struct world w = one_move();

            w.rules[0] = rules[i];
            w.rules[0].name = "r";
            w.rules[0].soft = soft;
            w.inv->n_rules = 1;
            plan_the_move(&w);
            expect(&w, soft ? "" : "r");
        }
    }
    struct world w = one_move();

    w.rules[0] = rules[3];
    w.rules[0].name = "r";
    w.rules[0].hours = (struct dcp_window){ 21 * 60, 20 * 60 };
    w.inv->n_rules = 1;
    plan_the_move(&w);
    expect(&w, "");
}
END_TEST

/* One rack of two busy hosts: 100 W idle, 200 W full. */
START_TEST(racks_and_feeds_keep_their_watts)
{
    for (int feed = 0; feed < 2; feed++) {
        for (int over = 0; over < 2; over++) {
            struct world w = one_move();

            /* v0 goes from rack 0 (h0, h2) to rack 1 (h1, h3): while it is on
             * both sides, rack 1 draws 100 + 120 W. */
            w.racks[1].limit_w = feed ? 0 : over ? 219 : 220;
            w.feeds[1].limit_w = !feed ? 0 : over ? 439 : 440;
            plan_the_move(&w);
            /* The feed carries both racks when the other side is lost: in the
             * state in between 210 + 10 + 220. */
            expect(&w, over ? "watts" : "");
        }
    }
}
END_TEST

START_TEST(rooms_keep_cool)
{
    for (int over = 0; over < 2; over++) {
        struct world w = one_move();
        struct dcp_room *room = WORLD_NEW(&w, struct dcp_room, 1);

        *room = w.inv->rooms[0];
        room->cooling_w = over ? 439 : 440; /* As the feed above. */
        w.inv->rooms = room;
        plan_the_move(&w);
        expect(&w, over ? "cooling" : "");
    }
}
END_TEST

START_TEST(watts_that_only_some_orders_keep_are_said_to_be_so)
{
    struct world w = one_move();
    struct dcp_check_result r;

    /* Booting draws 150 W; in some order h1 carries v0 by then as well. */
    w.hosts[3].state = DCP_HOST_STANDBY;
    w.racks[1].limit_w = 265;
    world_plan(&w, 1, 10);
    (void)world_power(&w, 0, 3, true);
    (void)world_move(&w, 0, 0, 0, 1);
    ck_assert(dcp_check_plan(w.inv, &w.demand, w.plan, &r, NULL));
    ck_assert(r.pass);
    ck_assert_int_eq(r.proof, DCP_PROOF_LISTED_ORDER);
    dcp_check_result_finish(&r);
    world_free(&w);
}
END_TEST

/* One VM goes, another comes; there is room for one of them. */
START_TEST(pools_are_judged_in_all_orders)
{
    for (int waits = 0; waits < 2; waits++) {
        struct world w = one_move();
        struct dcp_volume *volumes = WORLD_NEW(&w, struct dcp_volume, 2);

        volumes[0] = (struct dcp_volume){ .size_mib = 600000 };
        volumes[1] = (struct dcp_volume){ .vm = { 2 }, .size_mib = 700000 };
        w.inv->volumes = volumes;
        w.inv->n_volumes = 2;
        w.vms[0].n_volumes = w.vms[2].n_volumes = 1;
        w.vms[2].first_volume = 1;
        w.vms[2].host = dcp_host_none();
        world_plan(&w, 1, 10);
        struct dcp_step *s =
            world_step(&w, 0, DCP_STEP_VM_DESTROY,
                       (struct dcp_object){ DCP_OBJECT_VM, 0 });

        s->from = (struct dcp_object){ DCP_OBJECT_HOST, 0 };
        s = world_step(&w, 0, DCP_STEP_VM_CREATE,
                       (struct dcp_object){ DCP_OBJECT_VM, 2 });
        s->to = (struct dcp_object){ DCP_OBJECT_HOST, 2 };
        w.plan->legs[0].after->host[0] = dcp_host_none();
        w.plan->legs[0].after->host[2].ix = 2;
        if (waits) {
            world_wait(&w, 2, 1);
        }
        expect(&w, waits ? "" : "capacity");
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_legal_move_passes,
        &every_scalar_is_counted,
        &cpu_and_net_are_judged_in_each_slot,
        &slots_after_the_leg_are_not_its_business,
        &what_a_leg_leaves_is_judged_until_the_next_is_done,
        &what_was_too_full_may_stay_but_not_get_worse,
        &target_must_be_able_to_run_the_vm,
        &no_live_migration_where_the_hypervisor_has_none,
        &hosts_that_may_not_be_switched_are_not,
        &hosts_with_duties_stay_on,
        &a_vlan_without_a_driver_cannot_be_trunked,
        &rules_that_always_hold_look_between_the_steps,
        &gathered_vms_are_not_parted_for_a_time,
        &what_the_start_broke_is_excused,
        &end_rules_and_roots,
        &racks_and_feeds_keep_their_watts,
        &rooms_keep_cool,
        &watts_that_only_some_orders_keep_are_said_to_be_so,
        &pools_are_judged_in_all_orders,
    };

    return RUN_TESTS("check", tests);
}
