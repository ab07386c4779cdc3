/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each thing that the checker judges, once held and once broken. */

#include "model/check/check.h"
#include "model/check/closure.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

/* A VM v0 on h0 that moves to h1, and nothing else. */
static struct world
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

static void
plan_the_move(struct world *w)
{
    world_plan(w, 1, 10);
    (void)world_move(w, 0, 0, 0, 1);
}

/* The rules of all violations, "a,b" in order; static room. */
static const char *
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
static void
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
static void
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

/* v0 (protected) on h0; its restart is promised on h1. */
static struct world
promise(struct dcp_survive **out)
{
    static const uint32_t vms[] = { 0 };
    static const dcp_host_id to[] = { { 1 } };
    struct world w = one_move();

    w.vms[1].tier.ix = w.vms[2].tier.ix = 1;
    w.inv->policy.survive[0].count = 1;
    w.inv->policy.n_survive = 1;
    w.inv->policy.protect_tiers = 1;
    world_plan(&w, 1, 10);
    struct dcp_survive *s =
        (struct dcp_survive *)dcp_arena_calloc(w.plan->arena, 4, sizeof *s);

    for (uint32_t h = 0; h < 4; h++) {
        s[h].lose = (struct dcp_object){ DCP_OBJECT_HOST, h };
    }
    s[0].vms = vms;
    s[0].to = to;
    s[0].n = 1;
    w.plan->survive = s;
    w.plan->n_survive = 4;
    *out = s;
    return w;
}

START_TEST(promises_are_kept_or_refused)
{
    static const uint32_t both[] = { 0, 1 };

    for (int kind = 0; kind < 9; kind++) {
        struct dcp_survive *s;
        struct world w = promise(&s);
        const char *want = "n+1";

        switch (kind) {
        case 0:
            want = "";
            break;
        case 1: /* No room: 9,500 and 1,000. */
            world_need(&w, 1, 9500);
            break;
        case 2: /* To capacity, not only to target. */
            w.inv->policy.target_cpu_frac = 0.15;
            break;
        case 3:
            w.inv->policy.target_cpu_frac = 0.15;
            w.inv->policy.survive_to_capacity = true;
            want = "";
            break;
        case 4: /* A rule that is not relaxed. */
            w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                            .name = "apart",
                                            .vms = both,
                                            .n_vms = 2 };
            w.inv->n_rules = 1;
            break;
        case 5: /* The same, relaxed. */
            w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                            .name = "apart",
                                            .vms = both,
                                            .n_vms = 2 };
            w.inv->n_rules = 1;
            w.inv->policy.relax_rules = 1u << DCP_RULE_SPREAD;
            want = "";
            break;
        case 6: /* Two at once cannot be shown. */
            w.inv->policy.survive[0].count = 2;
            want = "n+k";
            break;
        case 7: /* Not lost. */
            s[1].vms = s[0].vms;
            s[1].to = s[0].to;
            s[1].n = 1;
            want = "n+1,n+1"; /* And restarted where it is lost. */
            break;
        case 8: /* The new host cannot run it. */
            w.vms[0].hypervisors = (struct dcp_ids){ both, 1 };
            w.hosts[1].hypervisor.ix = 1;
            break;
        }
        expect(&w, want);
    }
}
END_TEST

START_TEST(losing_a_feed_takes_racks_without_another)
{
    static const uint32_t only_a[] = { 0 }, vms[] = { 1 };
    static const dcp_host_id to[] = { { 2 } };

    for (int kind = 0; kind < 3; kind++) {
        struct dcp_survive *s;
        struct world w = promise(&s);

        w.vms[0].tier.ix = 1;
        w.vms[1].tier.ix = 0;
        w.inv->policy.survive[0].kind = DCP_LOSS_FEED;
        s[0] = (struct dcp_survive){
            .lose = { DCP_OBJECT_FEED, 0 }, .vms = vms, .to = to, .n = kind == 1
        };
        w.plan->n_survive = kind == 0 ? 0 : 1;
        if (kind) { /* Rack 1 (h1, h3) hangs on feed A alone. */
            w.racks[1].feeds = (struct dcp_ids){ only_a, 1 };
        }
        expect(&w, kind == 2 ? "n+1" : "");
    }
}
END_TEST

START_TEST(placements_are_judged_without_excuse)
{
    static const uint32_t both[] = { 0, 1 };
    struct world w = one_move();

    expect_placement(&w, "", 0);
    w = one_move();
    world_need(&w, 0, 10001);
    expect_placement(&w, "capacity", 0);
    w = one_move();
    w.hosts[0].state = DCP_HOST_MAINTENANCE;
    expect_placement(&w, "power", 0);
    w = one_move();
    w.inv->policy.keep_on = 5;
    expect_placement(&w, "keep_on", 0);
    w = one_move();
    w.racks[0].limit_w = 200; /* Two hosts at 110 W. */
    expect_placement(&w, "watts", 0);
    w = one_move();
    w.vms[1].host.ix = 0;
    w.rules[0] = (struct dcp_rule){
        .kind = DCP_RULE_SPREAD, .name = "hard", .vms = both, .n_vms = 2
    };
    w.rules[1] = w.rules[0];
    w.rules[1].name = "wish";
    w.rules[1].soft = true;
    w.inv->n_rules = 2;
    expect_placement(&w, "hard", 1);
    w = one_move();
    struct dcp_volume *volume = WORLD_NEW(&w, struct dcp_volume, 1);

    *volume = (struct dcp_volume){ .size_mib = 1000001 };
    w.inv->volumes = volume;
    w.inv->n_volumes = 1;
    expect_placement(&w, "capacity", 0);
}
END_TEST

START_TEST(active_memory_counts_where_policy_says_so)
{
    for (int active = 0; active < 2; active++) {
        struct world w = one_move();
        uint32_t *mib = WORLD_NEW(&w, uint32_t, 3);

        mib[0] = mib[1] = mib[2] = 500;
        w.demand.mem_active_mib = mib;
        w.vms[0].mem_mib = 100000;
        w.inv->policy.memory_basis =
            active ? DCP_MEMORY_ACTIVE : DCP_MEMORY_ALLOCATED;
        plan_the_move(&w);
        expect(&w, active ? "" : "capacity");
    }
}
END_TEST

START_TEST(closures_are_the_largest)
{
    /* 0 (+5) needs 2 (-3) and 3 (-1); 1 (+2) needs 2; 4 (+1) needs all. */
    static const int64_t weight[] = { 5, 2, -3, -1, 1, -9 };
    static const uint32_t arcs[][2] = {
        { 0, 2 }, { 0, 3 }, { 1, 2 }, { 4, 5 }, { 4, 0 }
    };
    uint8_t member[6];
    DCP_AUTO(dcp_closure) struct dcp_closure *c = dcp_closure_create(6);

    for (size_t i = 0; i < sizeof arcs / sizeof arcs[0]; i++) {
        ck_assert(dcp_closure_require(c, arcs[i][0], arcs[i][1]));
    }
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(dcp_closure_solve(c, weight, member), 3);
        ck_assert(member[0] && member[1] && member[2] && member[3]);
        ck_assert(!member[4] && !member[5]);
    }
}
END_TEST

/* A chain as long as a plan must not recurse. */
START_TEST(closures_of_long_chains)
{
    enum { N = 100000 };
    int64_t *weight = calloc(N, sizeof *weight);
    DCP_AUTO(dcp_closure) struct dcp_closure *c = dcp_closure_create(N);

    for (uint32_t i = 0; i + 1 < N; i++) {
        ck_assert(dcp_closure_require(c, i, i + 1));
    }
    weight[0] = 10;
    weight[N - 1] = -4;
    ck_assert_int_eq(dcp_closure_solve(c, weight, NULL), 6);
    free(weight);
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
        &what_was_too_full_may_stay_but_not_get_worse,
        &target_must_be_able_to_run_the_vm,
        &no_live_migration_where_the_hypervisor_has_none,
        &hosts_that_may_not_be_switched_are_not,
        &a_vlan_without_a_driver_cannot_be_trunked,
        &rules_that_always_hold_look_between_the_steps,
        &gathered_vms_are_not_parted_for_a_time,
        &what_the_start_broke_is_excused,
        &end_rules_and_roots,
        &racks_and_feeds_keep_their_watts,
        &watts_that_only_some_orders_keep_are_said_to_be_so,
        &promises_are_kept_or_refused,
        &losing_a_feed_takes_racks_without_another,
        &placements_are_judged_without_excuse,
        &active_memory_counts_where_policy_says_so,
        &closures_are_the_largest,
        &closures_of_long_chains,
    };

    return RUN_TESTS("check", tests);
}
