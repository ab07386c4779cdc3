/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The size rule by hand: hosts' cores have 1,000 MHz, so a VM of 8 vCPUs may
 * use 8,000. */

#include "model/rightsize.h"

#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

struct asked {
    struct world w;
    struct dcp_vm_usage usage;
    struct dcp_size_question q;
};

/* v0: 8 vCPUs and 16,384 MiB, of which it uses 2,000 MHz and 4,000 MiB. */
static void
ask(struct asked *a)
{
    a->w = world_make(2, 2);
    a->w.vms[0].host.ix = 0;
    a->w.vms[0].vcpus = 8;
    a->w.vms[0].mem_mib = 16384;
    a->w.inv->rightsize = (struct dcp_rightsize){ .vcpus = true,
                                                  .memory = true,
                                                  .cpu_percentile = 0.995,
                                                  .cpu_margin_frac = 0.2,
                                                  .mem_percentile = 1,
                                                  .mem_margin_frac = 0.2,
                                                  .history_ms = 14 * DCP_DAY_MS,
                                                  .min_vcpus = 1,
                                                  .step_vcpus = 1,
                                                  .min_mem_mib = 1024,
                                                  .step_mem_mib = 512,
                                                  .least_down_frac = 0.1,
                                                  .most_down_frac = 1,
                                                  .most_up_frac = 1,
                                                  .at_limit_frac = 0.05,
                                                  .restart = DCP_RESTART_ANY };
    a->usage = (struct dcp_vm_usage){ .cpu_history_ms = 30 * DCP_DAY_MS,
                                      .cpu_mhz = 2000,
                                      .mem_history_ms = 30 * DCP_DAY_MS,
                                      .mem_mib = 4000 };
    a->q = (struct dcp_size_question){ .inv = a->w.inv,
                                       .usage = &a->usage,
                                       .planned_mhz = 1500,
                                       .planned_mib = 3000,
                                       .active_memory = true };
}

/* Judges and frees. */
static void
expect_size(struct asked *a, enum dcp_size_verdict verdict, uint32_t vcpus,
            uint64_t mem_mib)
{
    struct dcp_size_advice is = dcp_rightsize_advise(&a->q);

    ck_assert_str_eq(dcp_size_verdict_name(is.verdict),
                     dcp_size_verdict_name(verdict));
    ck_assert_uint_eq(is.to.vcpus, vcpus);
    ck_assert_uint_eq(is.to.mem_mib, mem_mib);
    ck_assert_uint_eq(is.from.vcpus, 8);
    world_free(&a->w);
}

START_TEST(percentile_and_margin_in_whole_steps)
{
    struct asked a;

    ask(&a); /* 2,000 x 1.2 / 1,000 -> 3; 4,000 x 1.2 = 4,800 -> 5,120. */
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 5120);
    ask(&a);
    a.w.inv->rightsize.step_vcpus = 2;
    a.w.inv->rightsize.step_mem_mib = 4096;
    expect_size(&a, DCP_SIZE_OVERSIZED, 4, 8192);
    ask(&a);
    a.usage.cpu_mhz = 2500; /* Three vCPUs exactly. */
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 5120);
    ask(&a);
    a.usage.cpu_mhz = 6600; /* 7.92: fits. */
    a.usage.mem_mib = 13500;
    expect_size(&a, DCP_SIZE_FITS, 8, 16384);
}
END_TEST

START_TEST(never_below_a_floor)
{
    struct asked a;

    ask(&a);
    a.w.inv->rightsize.min_vcpus = 5;
    a.w.inv->rightsize.min_mem_mib = 10000;
    expect_size(&a, DCP_SIZE_OVERSIZED, 5, 10240);
    ask(&a);
    a.w.vms[0].cpu_reservation_mhz = 6001;
    a.w.vms[0].balloon_floor_mib = 9000;
    expect_size(&a, DCP_SIZE_OVERSIZED, 7, 9216);
    ask(&a);
    a.w.vms[0].mem_reservation_mib = 16384;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 16384);
    ask(&a); /* What the plan at hand counts on. */
    a.q.planned_mhz = 5500;
    a.q.planned_mib = 8000;
    expect_size(&a, DCP_SIZE_OVERSIZED, 6, 8192);
    ask(&a); /* Planned demand has its margin on top. */
    a.w.tiers[0].margin_frac = 0.1;
    a.q.planned_mhz = 5500;
    expect_size(&a, DCP_SIZE_OVERSIZED, 5, 5120);
}
END_TEST

START_TEST(so_much_at_once)
{
    struct asked a;

    ask(&a);
    a.w.inv->rightsize.most_down_frac = 0.5;
    expect_size(&a, DCP_SIZE_OVERSIZED, 4, 8192);
    ask(&a); /* Too little to be worth it. */
    a.usage.cpu_mhz = 5800;
    a.usage.mem_mib = 12600;
    a.w.inv->rightsize.least_down_frac = 0.2;
    expect_size(&a, DCP_SIZE_FITS, 8, 16384);
    ask(&a);
    a.usage.cpu_at_limit_frac = 0.05;
    a.usage.cpu_mhz = 8000;
    a.w.inv->rightsize.most_up_frac = 0.2;
    expect_size(&a, DCP_SIZE_UNDERSIZED, 9, 16384);
}
END_TEST

START_TEST(grows_only_at_its_limit)
{
    struct asked a;

    ask(&a); /* 8,000 x 1.2 = 10 vCPUs; memory is for a later plan. */
    a.usage.cpu_mhz = 8000;
    a.usage.cpu_at_limit_frac = 0.06;
    expect_size(&a, DCP_SIZE_UNDERSIZED, 10, 16384);
    ask(&a); /* Now and then is no reason. */
    a.usage.cpu_mhz = 8000;
    a.usage.cpu_at_limit_frac = 0.04;
    expect_size(&a, DCP_SIZE_OVERSIZED, 8, 5120);
    ask(&a); /* Held by its limit, not by its vCPUs. */
    a.w.vms[0].cpu_limit_mhz = 4000;
    a.usage.cpu_mhz = 4000;
    a.usage.cpu_at_limit_frac = 1;
    expect_size(&a, DCP_SIZE_OVERSIZED, 8, 5120);
    ask(&a);
    a.usage.mem_mib = 16384;
    a.usage.mem_at_limit_frac = 0.5;
    expect_size(&a, DCP_SIZE_UNDERSIZED, 8, 19968);
    ask(&a); /* Touched once is not needed. */
    a.usage.mem_mib = 16384;
    a.usage.mem_at_limit_frac = 0.5;
    a.q.active_memory = false;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 16384);
}
END_TEST

START_TEST(what_is_left_alone)
{
    static const uint32_t first[] = { 0 };
    struct asked a;

    ask(&a);
    a.usage.cpu_history_ms = 14 * DCP_DAY_MS - 1;
    expect_size(&a, DCP_SIZE_NO_HISTORY, 8, 16384);
    ask(&a); /* Its memory alone was not measured for long. */
    a.usage.mem_history_ms = DCP_DAY_MS;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 16384);
    ask(&a);
    a.w.inv->rightsize.exclude = (struct dcp_ids){ first, 1 };
    expect_size(&a, DCP_SIZE_EXCLUDED, 8, 16384);
    ask(&a); /* The size that it should have is told all the same. */
    a.w.inv->rightsize.restart = DCP_RESTART_IN_WINDOW;
    expect_size(&a, DCP_SIZE_RESTART, 3, 5120);
    ask(&a);
    a.w.inv->rightsize.restart = DCP_RESTART_IN_WINDOW;
    a.q.in_window = true;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 5120);
    ask(&a);
    a.w.inv->rightsize.restart = DCP_RESTART_NEVER;
    a.w.inv->rightsize.hot = DCP_HOT_ALL;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 5120);
    ask(&a);
    a.q.resting = true;
    expect_size(&a, DCP_SIZE_COOLDOWN, 3, 5120);
    ask(&a);
    a.q.parked = true;
    expect_size(&a, DCP_SIZE_PARKED, 3, 5120);
    ask(&a);
    a.w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_CAPACITY,
                                      .vms = first,
                                      .n_vms = 1 };
    a.w.inv->n_rules = 1;
    expect_size(&a, DCP_SIZE_RULE, 3, 5120);
    ask(&a);
    a.q.closed = true;
    expect_size(&a, DCP_SIZE_RULE, 3, 5120);
    for (int grows = 0; grows < 2; grows++) {
        struct dcp_licence licence = { .vms = { first, 1 },
                                       .metric = DCP_LICENCE_VCPU,
                                       .owned = 100 };

        ask(&a);
        a.w.inv->licences = &licence;
        a.w.inv->n_licences = 1;
        a.w.inv->policy.licences = DCP_LICENCES_OWNED;
        a.usage.cpu_at_limit_frac = grows ? 1 : 0;
        a.usage.cpu_mhz = grows ? 8000 : 2000;
        expect_size(&a, grows ? DCP_SIZE_RULE : DCP_SIZE_OVERSIZED,
                    grows ? 10 : 3, grows ? 16384 : 5120);
    }
}
END_TEST

START_TEST(ways_and_resources)
{
    struct asked a;

    ask(&a);
    a.w.inv->rightsize.memory = false;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 16384);
    ask(&a);
    a.w.inv->rightsize.vcpus = false;
    expect_size(&a, DCP_SIZE_OVERSIZED, 8, 5120);
    ask(&a);
    a.w.inv->rightsize.way = DCP_SIZE_UP;
    expect_size(&a, DCP_SIZE_FITS, 8, 16384);
    ask(&a);
    a.w.inv->rightsize.way = DCP_SIZE_DOWN;
    a.usage.cpu_at_limit_frac = 1;
    expect_size(&a, DCP_SIZE_OVERSIZED, 8, 5120);
    ask(&a);
    a.w.vms[0].huge_pages_mib = 8192;
    expect_size(&a, DCP_SIZE_OVERSIZED, 3, 16384);
}
END_TEST

/* Only slots in which it was at its limit are planned higher. */
START_TEST(demand_follows_more_vcpus)
{
    struct world w = world_make(2, 2);
    struct dcp_vm_size sizes[2];
    struct dcp_demand *d = NULL;

    w.vms[0].host.ix = 0;
    w.vms[0].vcpus = 4;
    w.cpu_mhz[0] = 3600;
    w.cpu_mhz[1] = 3599;
    w.cpu_mhz[2] = 4000;
    sizes[0] = (struct dcp_vm_size){ 6, 1000 };
    sizes[1] = (struct dcp_vm_size){ 1, 500 };
    struct dcp_inventory *inv = dcp_inventory_with_sizes(w.inv, sizes, NULL);

    ck_assert(dcp_demand_with_sizes(&w.demand, w.inv, inv, &d, NULL));
    ck_assert_uint_eq(d->cpu_mhz[0], 5400);
    ck_assert_uint_eq(d->cpu_mhz[1], 3599);
    ck_assert_uint_eq(d->cpu_mhz[2], 6000);
    ck_assert_uint_eq(w.cpu_mhz[2], 4000);
    dcp_demand_destroy(d);
    free(inv);
    sizes[0].vcpus = 2; /* Smaller: all as it was. */
    inv = dcp_inventory_with_sizes(w.inv, sizes, NULL);
    ck_assert_uint_eq(inv->vms[1].mem_mib, 500);
    ck_assert_uint_eq(w.inv->vms[1].mem_mib, 1000);
    ck_assert(dcp_demand_with_sizes(&w.demand, w.inv, inv, &d, NULL));
    ck_assert_ptr_null(d);
    free(inv);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &percentile_and_margin_in_whole_steps,
        &never_below_a_floor,
        &so_much_at_once,
        &grows_only_at_its_limit,
        &what_is_left_alone,
        &ways_and_resources,
        &demand_follows_more_vcpus,
    };

    return run_tests("rightsize", tests, sizeof tests / sizeof tests[0]);
}
