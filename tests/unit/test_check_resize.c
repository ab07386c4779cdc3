/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Resizes as the checker judges them: what may be resized to what, and that no
 * order overfills a host, each once held and once broken. */

#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

/* v0 of 8 vCPUs and 60,000 MiB on h0, v1 of 50,000 MiB on h1, v2 small on h2;
 * each uses 1,000 MHz and 10,000 MiB (v2: 500). */
static struct world
sized_world(void)
{
    struct world w = one_move();
    uint32_t *active = WORLD_NEW(&w, uint32_t, 3);

    w.vms[0].vcpus = 8;
    w.vms[0].mem_mib = 60000;
    w.vms[1].vcpus = 4;
    w.vms[1].mem_mib = 50000;
    active[0] = active[1] = 10000;
    active[2] = 500;
    w.demand.mem_active_mib = active;
    w.inv->rightsize = (struct dcp_rightsize){ .min_vcpus = 1,
                                               .min_mem_mib = 256,
                                               .restart = DCP_RESTART_ANY };
    world_plan(&w, 1, 10);
    return w;
}

#define SIZE(VCPUS, MIB) ((struct dcp_vm_size){ (VCPUS), (MIB) })

START_TEST(a_smaller_size_passes)
{
    struct world w = sized_world();

    (void)world_resize(&w, 0, 0, 0, SIZE(2, 20000));
    expect(&w, "");
}
END_TEST

START_TEST(what_it_is_resized_to_is_judged)
{
    static const struct {
        struct dcp_vm_size to;
        uint32_t reserved_mhz, floor_mib, limit_vcpus;
        const char *want;
    } cases[] = {
        { SIZE(8, 60000), 0, 0, 0, "resize" }, /* It has that. */
        { SIZE(1, 10000), 0, 0, 0, "" },
        { SIZE(1, 9999), 0, 0, 0, "resize" }, /* Active memory. */
        { SIZE(2, 20000), 2000, 0, 0, "" },   /* Reserved CPU. */
        { SIZE(2, 20000), 2001, 0, 0, "resize" },
        { SIZE(2, 20000), 0, 20001, 0, "resize" }, /* Balloon floor. */
        { SIZE(2, 20000), 0, 0, 3, "resize" },     /* policy: min_vcpus. */
        { SIZE(16, 60000), 0, 0, 0, "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = sized_world();

        w.vms[0].cpu_reservation_mhz = cases[i].reserved_mhz;
        w.vms[0].balloon_floor_mib = cases[i].floor_mib;
        w.inv->rightsize.min_vcpus += cases[i].limit_vcpus;
        (void)world_resize(&w, 0, 0, 0, cases[i].to);
        expect(&w, cases[i].want);
    }
}
END_TEST

START_TEST(planned_cpu_must_fit)
{
    for (uint32_t over = 0; over < 2; over++) {
        struct world w = sized_world();

        world_need(&w, 0, 2000 + over);
        (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
        expect(&w, over ? "resize" : "");
    }
}
END_TEST

START_TEST(without_history_or_measured_memory_nothing_shrinks)
{
    struct world w = sized_world();
    uint8_t *source = WORLD_NEW(&w, uint8_t, 3);

    source[0] = DCP_DEMAND_SHORT;
    w.demand.source = source;
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    expect(&w, "resize");

    w = sized_world();
    w.demand.mem_active_mib = NULL;
    (void)world_resize(&w, 0, 0, 0, SIZE(8, 20000));
    expect(&w, "resize");

    w = sized_world();
    w.demand.mem_active_mib = NULL;
    (void)world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    expect(&w, "");
}
END_TEST

START_TEST(policy_is_kept)
{
    static const uint32_t first[] = { 0 };
    struct world w = sized_world();

    w.inv->rightsize.exclude = (struct dcp_ids){ world_ids(&w, 1, first), 1 };
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    expect(&w, "resize");

    w = sized_world();
    w.inv->rightsize.restart = DCP_RESTART_IN_WINDOW; /* One leg: none. */
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    expect(&w, "resize");

    w = sized_world(); /* Without the restart that it takes. */
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    w.steps[0].cold = false;
    expect(&w, "resize");

    w = sized_world();
    w.inv->rightsize.hot = DCP_HOT_ALL;
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    w.steps[0].cold = false;
    expect(&w, "");

    w = sized_world();
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_CAPACITY,
                                    .name = "few",
                                    .resource = DCP_RULE_VCPUS,
                                    .limit = 100,
                                    .vms = world_ids(&w, 1, first),
                                    .n_vms = 1 };
    w.inv->n_rules = 1;
    (void)world_resize(&w, 0, 0, 0, SIZE(2, 60000));
    expect(&w, "resize");
}
END_TEST

START_TEST(once_in_the_first_leg_from_what_it_has)
{
    struct world w = sized_world();

    (void)world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    uint32_t again = world_resize(&w, 0, 0, 0, SIZE(2, 60000));

    world_wait(&w, again, 1);
    expect(&w, "resize");

    w = sized_world();
    (void)world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    w.steps[0].size_from.vcpus = 6; /* Forged. */
    expect(&w, "resize");

    w = sized_world();
    dcp_plan_destroy(w.plan);
    world_plan(&w, 2, 10);
    (void)world_resize(&w, 1, 0, 0, SIZE(4, 60000));
    w.plan->legs[1].buckets_until_ms = WORLD_T0 + 3 * DCP_HOUR_MS;
    struct dcp_check_result r;

    ck_assert(dcp_check_plan(w.inv, &w.demand, w.plan, &r, NULL));
    ck_assert(!r.pass);
    ck_assert_str_eq(r.violations[0].rule, "resize");
    dcp_check_result_finish(&r);
    world_free(&w);
}
END_TEST

START_TEST(the_leg_says_the_size_it_leaves)
{
    struct world w = sized_world();

    (void)world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    w.plan->legs[0].after->size[0].vcpus = 8;
    expect(&w, "after");

    w = sized_world();
    (void)world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    w.plan->legs[0].after->size[2].mem_mib = 7; /* Of one with no step. */
    expect(&w, "after");
}
END_TEST

START_TEST(resizes_where_the_vm_is)
{
    struct world w = sized_world();
    uint32_t id = world_resize(&w, 0, 0, 0, SIZE(4, 60000));

    w.steps[id - 1].from.ix = w.steps[id - 1].to.ix = 1;
    expect(&w, "from");

    w = sized_world(); /* From one host to another: no resize. */
    id = world_resize(&w, 0, 0, 0, SIZE(4, 60000));
    w.steps[id - 1].to.ix = 3;
    expect(&w, "step");

    w = sized_world(); /* A move and a resize in no order. */
    (void)world_resize(&w, 0, 2, 2, SIZE(2, 1000));
    (void)world_move(&w, 0, 2, 2, 3);
    expect(&w, "order");

    w = sized_world();
    (void)world_resize(&w, 0, 2, 2, SIZE(2, 1000));
    world_wait(&w, world_move(&w, 0, 2, 2, 3), 1);
    expect(&w, "");

    w = sized_world(); /* After the move, on the new host. */
    (void)world_move(&w, 0, 2, 2, 3);
    world_wait(&w, world_resize(&w, 0, 2, 3, SIZE(2, 1000)), 1);
    expect(&w, "");
}
END_TEST

/* v1 (50,000 MiB) comes to h0, where v0 has 60,000 of 100,000. */
START_TEST(an_arrival_waits_for_the_room_of_a_shrink)
{
    for (int waits = 0; waits < 2; waits++) {
        struct world w = sized_world();
        uint32_t shrink = world_resize(&w, 0, 0, 0, SIZE(8, 50000));
        uint32_t move = world_move(&w, 0, 1, 1, 0);

        if (waits) {
            world_wait(&w, move, shrink);
        }
        /* In the listed order the shrink is first, in another it is not. */
        expect(&w, waits ? "" : "capacity");
    }
    for (uint32_t over = 0; over < 2; over++) {
        struct world w = sized_world();
        uint32_t shrink = world_resize(&w, 0, 0, 0, SIZE(8, 50000 + over));

        world_wait(&w, world_move(&w, 0, 1, 1, 0), shrink);
        expect(&w, over ? "capacity" : "");
    }
}
END_TEST

/* v0 grows to 100,000 MiB on h0, which v2 has to leave first. */
START_TEST(a_growth_waits_for_room)
{
    for (int waits = 0; waits < 2; waits++) {
        struct world w = sized_world();

        w.vms[2].host.ix = 0;
        dcp_plan_destroy(w.plan);
        world_plan(&w, 1, 10);
        uint32_t move = world_move(&w, 0, 2, 0, 2);
        uint32_t grow = world_resize(&w, 0, 0, 0, SIZE(8, 100000));

        if (waits) {
            world_wait(&w, grow, move);
        }
        expect(&w, waits ? "" : "capacity");
    }
    struct world w = sized_world();

    (void)world_resize(&w, 0, 0, 0, SIZE(8, 100001));
    expect(&w, "capacity");
}
END_TEST

/* While a VM becomes larger in one and smaller in another, both maxima count:
 * 10 cores at 10 to 1 are room for 100 vCPUs. */
START_TEST(a_mixed_resize_holds_the_larger_of_both)
{
    for (uint32_t over = 0; over < 2; over++) {
        struct world w = sized_world();

        w.vms[2].host.ix = 0;
        w.vms[2].vcpus = 84;
        w.vms[2].mem_mib = 40000;
        dcp_plan_destroy(w.plan);
        world_plan(&w, 1, 10);
        (void)world_resize(&w, 0, 0, 0, SIZE(16 + over, 20000));
        expect(&w, over ? "capacity" : "");
    }
}
END_TEST

/* A VM at its limit may use the vCPUs that it gets. */
START_TEST(demand_grows_with_vcpus)
{
    for (uint32_t busy = 0; busy < 2; busy++) {
        struct world w = sized_world();

        world_need(&w, 0, busy ? 7200 : 7000); /* Of 8 x 1,000 MHz. */
        (void)world_resize(&w, 0, 0, 0, SIZE(12, 60000));
        world_need(&w, 2, 3000);
        (void)world_move(&w, 0, 2, 2, 0);
        /* 7,000 and 3,000 fit in 10,000 MHz; 10,800 alone do not: planned at
         * what the host has. */
        expect(&w, busy ? "capacity" : "");
    }
}
END_TEST

/* Of a licence by vCPU no more than is owned, or than was needed before. */
START_TEST(owned_licences_are_counted_at_the_new_size)
{
    static const uint32_t first[] = { 0 };

    for (uint32_t owned = 7; owned < 13; owned++) {
        struct world w = sized_world();
        struct dcp_licence *licence = WORLD_NEW(&w, struct dcp_licence, 1);

        *licence = (struct dcp_licence){ .name = "app",
                                         .vms = { first, 1 },
                                         .metric = DCP_LICENCE_VCPU,
                                         .factor = 1,
                                         .owned = owned };
        w.inv->licences = licence;
        w.inv->n_licences = 1;
        w.inv->policy.licences = DCP_LICENCES_OWNED;
        (void)world_resize(&w, 0, 0, 0, SIZE(12, 60000));
        expect(&w, owned < 12 ? "licences" : "");
    }
}
END_TEST

START_TEST(those_who_stand_in_for_each_other_restart_in_turn)
{
    static const uint32_t both[] = { 0, 1 };

    for (int rule = 0; rule < 2; rule++) {
        for (int waits = 0; waits < 2; waits++) {
            struct world w = sized_world();
            struct dcp_application *app =
                WORLD_NEW(&w, struct dcp_application, 1);

            *app = (struct dcp_application){ .name = "a",
                                             .vms = { both, 2 } };
            w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                            .name = "apart",
                                            .vms = both,
                                            .n_vms = 2,
                                            .over = DCP_DOMAIN_HOST };
            w.inv->applications = app;
            w.inv->n_applications = !rule;
            w.inv->n_rules = (uint32_t)rule;
            (void)world_resize(&w, 0, 0, 0, SIZE(4, 20000));
            uint32_t second = world_resize(&w, 0, 1, 1, SIZE(2, 20000));

            if (waits) {
                world_wait(&w, second, 1);
            }
            expect(&w, waits ? "" : "resize");
        }
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_smaller_size_passes,
        &what_it_is_resized_to_is_judged,
        &planned_cpu_must_fit,
        &without_history_or_measured_memory_nothing_shrinks,
        &policy_is_kept,
        &once_in_the_first_leg_from_what_it_has,
        &the_leg_says_the_size_it_leaves,
        &resizes_where_the_vm_is,
        &an_arrival_waits_for_the_room_of_a_shrink,
        &a_growth_waits_for_room,
        &a_mixed_resize_holds_the_larger_of_both,
        &demand_grows_with_vcpus,
        &owned_licences_are_counted_at_the_new_size,
        &those_who_stand_in_for_each_other_restart_in_turn,
    };

    return run_tests("check_resize", tests, sizeof tests / sizeof tests[0]);
}
