/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What volumes ask of pools and paths, and what the checker says of pools:
 * space, operations, throughput, tiers and disks, in placements and in plans.
 */

#include "model/check/check.h"
#include "model/volume.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

/* Two hosts; pools "gold" (normal), "silver" (normal), "cold" (archive), of
 * 1000 MiB, 100 IO/s and 1000 KiB/s; VM 0 has volumes 0 and 1, VM 1 has 2. */
struct fixture {
    struct world w;
    struct dcp_volume *volumes;
};

static struct fixture
make(void)
{
    struct fixture f = { .w = world_make(2, 2) };
    static const char *const names[] = { "gold", "silver", "cold" };

    f.w.pools = WORLD_NEW(&f.w, struct dcp_pool, 3);
    for (uint32_t p = 0; p < 3; p++) {
        f.w.pools[p] = (struct dcp_pool){
            .name = names[p],
            .tier = p == 2 ? DCP_POOL_ARCHIVE : DCP_POOL_NORMAL,
            .capacity_mib = 1000,
            .thin_overcommit = 1,
            .iops = 100,
            .rate_kib_s = 1000,
            .reach_all = true,
            .driver = "",
            .array = dcp_array_none(),
        };
    }
    f.w.inv->pools = f.w.pools;
    f.w.inv->n_pools = 3;
    f.volumes = WORLD_NEW(&f.w, struct dcp_volume, 3);
    for (uint32_t i = 0; i < 3; i++) {
        f.volumes[i] = (struct dcp_volume){ .vm = { i / 2 },
                                            .size_mib = 100 * (i + 1),
                                            .iops = 20,
                                            .rate_kib_s = 100 };
    }
    f.w.inv->volumes = f.volumes;
    f.w.inv->n_volumes = 3;
    for (uint32_t v = 0; v < 2; v++) {
        f.w.vms[v].host.ix = v;
        f.w.vms[v].first_volume = 2 * v;
        f.w.vms[v].n_volumes = 2 - v;
        f.w.vms[v].disks = DCP_DISKS_ANY;
    }
    f.w.inv->policy.storage.move_kib_s = 102400;
    return f;
}

static void
ask(const struct fixture *f, uint32_t volume, uint64_t out[DCP_POOL_RESOURCES])
{
    dcp_volume_request(f->w.inv, &f->w.demand, volume, out);
}

START_TEST(measured_throughput_is_shared_out)
{
    struct fixture f = make();
    uint32_t disk[2] = { 900, UINT32_MAX };
    uint32_t parts[2 * DCP_DAY_PARTS] = { 1500,       UINT32_MAX, 300,
                                          0,          UINT32_MAX, UINT32_MAX,
                                          UINT32_MAX, UINT32_MAX };
    uint64_t asks[DCP_POOL_RESOURCES];

    f.volumes[1].rate_kib_s = 200;
    ask(&f, 1, asks);
    ck_assert_uint_eq(asks[DCP_POOL_SPACE], 200);
    ck_assert_uint_eq(asks[DCP_POOL_IOPS], 20);
    ck_assert_uint_eq(asks[DCP_POOL_RATE], 200); /* As declared. */
    f.w.demand.disk_kib_s = disk;
    ask(&f, 1, asks);
    ck_assert_uint_eq(asks[DCP_POOL_RATE], 600); /* Two thirds of 900. */
    ask(&f, 2, asks);
    ck_assert_uint_eq(asks[DCP_POOL_RATE], 100); /* Not measured. */
    for (uint32_t i = 0; i < 2; i++) {
        f.volumes[i].rate_kib_s = f.volumes[i].iops = 0;
    }
    ask(&f, 0, asks);
    ck_assert_uint_eq(asks[DCP_POOL_RATE], 300); /* By size: 100 of 300. */
    ck_assert_uint_eq(asks[DCP_POOL_IOPS], 0);
    f.w.inv->policy.storage.io_size_mib = 4.0 / 1024;
    ask(&f, 0, asks);
    ck_assert_uint_eq(asks[DCP_POOL_IOPS], 75); /* 300 KiB/s by 4 KiB. */
    f.w.demand.disk_part_kib_s = parts;
    ask(&f, 0, asks);
    ck_assert_uint_eq(asks[DCP_POOL_RATE], 500);
    ck_assert_uint_eq(asks[DCP_POOL_RATE + 1], 300); /* Not measured then. */
    ck_assert_uint_eq(asks[DCP_POOL_RATE + 2], 100);
    ck_assert_uint_eq(asks[DCP_POOL_IOPS + 2], 25);
    ck_assert_uint_eq(asks[DCP_POOL_RATE + 3], 0);
    ck_assert_uint_eq(dcp_pool_resource_peak(asks, DCP_POOL_RATE),
                      DCP_POOL_RATE);
    world_free(&f.w);
}
END_TEST

START_TEST(paths_count_volumes_in_pools)
{
    struct fixture f = make();
    uint32_t request[DCP_SCALARS_MAX], disk[2] = { 900, UINT32_MAX };

    dcp_vm_request(f.w.inv, (dcp_vm_id){ 0 }, dcp_hypervisor_none(), request);
    ck_assert_uint_eq(request[DCP_SCALAR_IOPS], 0); /* No limit anywhere. */
    f.w.hardware->storage_iops = 1000;
    f.w.hardware->storage_kib_s = 5000;
    f.volumes[1].pool = dcp_pool_none(); /* On its host. */
    dcp_vm_request(f.w.inv, (dcp_vm_id){ 0 }, dcp_hypervisor_none(), request);
    ck_assert_uint_eq(request[DCP_SCALAR_IOPS], 20);
    ck_assert_uint_eq(request[DCP_SCALAR_IO], 100);
    f.w.demand.disk_kib_s = disk;
    dcp_volume_measured(f.w.inv, &f.w.demand, 0, request);
    ck_assert_uint_eq(request[DCP_SCALAR_IO], 450);
    ck_assert_uint_eq(
        dcp_host_capacity(f.w.inv, (dcp_host_id){ 0 }).scalar[DCP_SCALAR_IOPS],
        1000);
    world_free(&f.w);
}
END_TEST

/* The rule of the only violation; "" where there is none. */
static const char *
only_rule(const struct dcp_check_result *r)
{
    ck_assert_uint_le(r->n_violations, 1);
    return r->n_violations ? r->violations[0].rule : "";
}

static void
expect_placement(const struct fixture *f, const char *rule, double need)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_start(f->w.inv, NULL);
    struct dcp_check_result r;

    ck_assert(dcp_check_placement(f->w.inv, &f->w.demand, p, 0, 1, &r, NULL));
    ck_assert_str_eq(only_rule(&r), rule);
    ck_assert(!rule[0] || need == 0 || r.violations[0].need == need);
    dcp_check_result_finish(&r);
}

START_TEST(placements_are_judged_by_pool)
{
    struct fixture f = make();

    expect_placement(&f, "", 0);
    f.volumes[2].size_mib = 800;
    expect_placement(&f, "capacity", 1100);
    f.volumes[2].size_mib = 10;
    f.volumes[2].iops = 61;
    expect_placement(&f, "capacity", 101);
    f.volumes[2].iops = 60;
    f.volumes[2].rate_kib_s = 801;
    expect_placement(&f, "capacity", 1001);
    f.volumes[2].rate_kib_s = 800;
    expect_placement(&f, "", 0);
    f.volumes[2].tier = DCP_VOLUME_ARCHIVE;
    expect_placement(&f, "pool_tier", 0);
    f.volumes[2].pool.ix = 2;
    f.w.vms[0].disks = DCP_DISKS_APART;
    expect_placement(&f, "disks", 0);
    world_free(&f.w);
}
END_TEST

/* --- Plans --------------------------------------------------------------- */

static struct dcp_step *
move(struct fixture *f, uint32_t volume, uint32_t from, uint32_t to)
{
    struct dcp_step *s =
        world_step(&f->w, 0, DCP_STEP_VOLUME_MOVE,
                   (struct dcp_object){ DCP_OBJECT_VOLUME, volume });
    struct dcp_placement *after = f->w.plan->legs[0].after;

    s->from = (struct dcp_object){ DCP_OBJECT_POOL, from };
    s->to = (struct dcp_object){ DCP_OBJECT_POOL, to };
    s->estimate_ms = 1000000;
    f->w.plan->limits.moves_per_pool = 2;
    ck_assert(dcp_placement_own_pools(after, f->w.inv, NULL));
    after->pool[volume].ix = to;
    return s;
}

static void
expect_plan(const struct fixture *f, const char *rule)
{
    struct dcp_check_result r;

    ck_assert(dcp_check_plan(f->w.inv, &f->w.demand, f->w.plan, &r, NULL));
    ck_assert_str_eq(only_rule(&r), rule);
    dcp_check_result_finish(&r);
}

/* Volume 2 fills silver to the brim: volume 0 may come only once it has left,
 * by space, operations or throughput. */
START_TEST(arrivals_wait_for_room)
{
    static const enum dcp_pool_resource kinds[] = { DCP_POOL_SPACE,
                                                    DCP_POOL_IOPS,
                                                    DCP_POOL_RATE };

    for (uint32_t k = 0; k < 3; k++) {
        struct fixture f = make();
        enum dcp_pool_resource r = kinds[k];

        f.volumes[2].pool.ix = 1;
        f.volumes[2].size_mib = r == DCP_POOL_SPACE ? 950 : 100;
        f.volumes[2].iops = r == DCP_POOL_IOPS ? 95 : 1;
        f.volumes[2].rate_kib_s = r == DCP_POOL_RATE ? 950 : 1;
        f.w.pools[2].tier = DCP_POOL_NORMAL;
        world_plan(&f.w, 1, 2);
        uint32_t leaves = move(&f, 2, 1, 2)->id;
        uint32_t comes = move(&f, 0, 0, 1)->id;

        expect_plan(&f, "capacity"); /* Both at once. */
        world_wait(&f.w, comes, leaves);
        expect_plan(&f, "");
        world_free(&f.w);
    }
}
END_TEST

START_TEST(plans_keep_tiers_disks_reach_and_times)
{
    struct fixture f = make();
    static const uint32_t other[] = { 1 };

    world_plan(&f.w, 1, 1);
    struct dcp_step *s = move(&f, 0, 0, 2);

    expect_plan(&f, "pool_tier"); /* It keeps the tier where it is... */
    f.volumes[0].tier = DCP_VOLUME_ARCHIVE;
    expect_plan(&f, "");                    /* ...unless it needs another. */
    f.volumes[1].tier = DCP_VOLUME_ARCHIVE; /* Alike, and left behind. */
    f.w.vms[0].disks = DCP_DISKS_TOGETHER;
    expect_plan(&f, "disks");
    f.w.vms[0].disks = DCP_DISKS_ANY;
    s->estimate_ms = 900; /* 100 MiB at 1000 KiB/s take 102 s... */
    expect_plan(&f, "estimate");
    f.w.pools[0].rate_kib_s = f.w.pools[2].rate_kib_s = 0;
    expect_plan(&f, "estimate"); /* ...and 1 s at 100 MiB/s. */
    s->estimate_ms = 1000;
    expect_plan(&f, "");
    f.w.pools[2].reach_all = false;
    f.w.pools[2].reach = (struct dcp_ids){ other, 1 };
    expect_plan(&f, "storage"); /* Its VM is on host 0. */
    f.w.pools[2].reach_all = true;
    f.w.plan->limits.moves_per_pool = 3;
    expect_plan(&f, "limits");
    world_free(&f.w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &measured_throughput_is_shared_out,      &paths_count_volumes_in_pools,
        &placements_are_judged_by_pool,          &arrivals_wait_for_room,
        &plans_keep_tiers_disks_reach_and_times,
    };

    return RUN_TESTS("volume", tests);
}
