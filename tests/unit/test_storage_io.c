/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Paths and pools that are asked for too much: by hand, by what makes a share
 * max-min fair, and in replays. */

#include "model/base/rng.h"
#include "sim/storage/io.h"
#include "sim/storage/share.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

enum { PATHS = 4, POOLS = 3, LINKS = PATHS + POOLS, FLOWS = 14 };

static void
near(double is, double should)
{
    ck_assert_double_eq_tol(is, should, 1e-9 * fabs(should) + 1e-9);
}

START_TEST(by_hand)
{
    /* Two hosts of 100 and 1000 KiB/s, one pool of 300. */
    const struct dcp_io_link links[] = { { 100, INFINITY },
                                         { 1000, INFINITY },
                                         { 300, INFINITY } };
    struct dcp_io_flow flow[] = { { .path = 0, .pool = 2, .kib_s = 400 },
                                  { .path = 1, .pool = 2, .kib_s = 200 },
                                  { .path = 1, .pool = 2, .kib_s = 200 } };
    struct dcp_io_load load[3];

    dcp_io_share(flow, 3, links, 3, load);
    near(flow[0].served_frac, 0.25);
    near(flow[1].served_frac, 0.5);
    near(flow[2].served_frac, 0.5);
    ck_assert_uint_eq(flow[0].full, 0);
    ck_assert_uint_eq(flow[1].full, 2);
    near(load[2].served_kib_s, 300);
    near(load[0].asked_kib_s, 400);
    /* Operations run out before throughput; who does none goes on. */
    const struct dcp_io_link few[] = { { 1000, INFINITY }, { 600, 50 } };
    struct dcp_io_flow g[] = {
        { .path = 0, .pool = 1, .kib_s = 100, .iops = 200 },
        { .path = 0, .pool = 1, .kib_s = 400 },
    };

    dcp_io_share(g, 2, few, 2, load);
    near(g[0].served_frac, 0.25);
    near(g[1].served_frac, 1);
    ck_assert_uint_eq(g[1].full, DCP_IO_NONE);
    /* All fits; nobody asks. */
    g[0].iops = 10;
    dcp_io_share(g, 2, few, 2, load);
    near(g[0].served_frac, 1);
    dcp_io_share(NULL, 0, few, 2, load);
}
END_TEST

/* The part of a link's limit that is not given away, and the most that one of
 * the flows that use it got. */
static bool
is_bottleneck(const struct dcp_io_flow *one, const struct dcp_io_flow flow[],
              uint32_t n, const struct dcp_io_link links[],
              const struct dcp_io_load load[])
{
    const struct dcp_io_link *link = &links[one->full];
    const struct dcp_io_load *l = &load[one->full];
    bool by_kib = one->kib_s > 0 && l->served_kib_s > link->kib_s * (1 - 1e-9);
    bool by_ops = one->iops > 0 && l->served_iops > link->iops * (1 - 1e-9);

    for (uint32_t i = 0; i < n; i++) {
        if (flow[i].path == one->full || flow[i].pool == one->full) {
            bool more = flow[i].served_frac > one->served_frac + 1e-9;

            by_kib = by_kib && !(more && flow[i].kib_s > 0);
            by_ops = by_ops && !(more && flow[i].iops > 0);
        }
    }
    return by_kib || by_ops;
}

/* Each flow has all it asks for, or a full link over which nobody gets a larger
 * part: that is what max-min fair means. */
START_TEST(random_shares_are_max_min)
{
    uint32_t n_stopped = 0;

    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "io", 0);
        struct dcp_io_link links[LINKS];
        struct dcp_io_flow flow[FLOWS], back[FLOWS];
        struct dcp_io_load load[LINKS], other[LINKS];

        for (int i = 0; i < LINKS; i++) {
            links[i].kib_s = dcp_rng_below(&rng, 3)
                                 ? 50 + dcp_rng_unit(&rng) * 900
                                 : INFINITY;
            links[i].iops = dcp_rng_below(&rng, 3)
                                ? 50 + dcp_rng_unit(&rng) * 900
                                : INFINITY;
        }
        for (int i = 0; i < FLOWS; i++) {
            flow[i] = (struct dcp_io_flow){
                .path = (uint32_t)dcp_rng_below(&rng, PATHS),
                .pool = PATHS + (uint32_t)dcp_rng_below(&rng, POOLS),
                .kib_s = dcp_rng_below(&rng, 6) ? dcp_rng_unit(&rng) * 400 : 0,
                .iops = dcp_rng_below(&rng, 4) ? dcp_rng_unit(&rng) * 400 : 0,
            };
            back[FLOWS - 1 - i] = flow[i];
        }
        dcp_io_share(flow, FLOWS, links, LINKS, load);
        dcp_io_share(back, FLOWS, links, LINKS, other);
        for (int i = 0; i < LINKS; i++) {
            ck_assert_double_le(load[i].served_kib_s,
                                links[i].kib_s * (1 + 1e-9));
            ck_assert_double_le(load[i].served_iops,
                                links[i].iops * (1 + 1e-9));
            ck_assert_double_le(load[i].served_kib_s,
                                load[i].asked_kib_s * (1 + 1e-9));
        }
        for (int i = 0; i < FLOWS; i++) {
            near(back[FLOWS - 1 - i].served_frac, flow[i].served_frac);
            ck_assert(flow[i].full == DCP_IO_NONE
                          ? flow[i].served_frac == 1
                          : is_bottleneck(&flow[i], flow, FLOWS, links, load));
            n_stopped += flow[i].full != DCP_IO_NONE;
        }
    }
    ck_assert_uint_gt(n_stopped, 3000);
}
END_TEST

/* VM v has a volume in pool v % 2; pools carry 300 KiB/s, each host's paths
 * 250; declared are 100 KiB/s and 10 operations a second each. */
static struct dcp_samples disk;

static void
with_pools(void)
{
    struct dcp_arena *a = f.inv->arena;
    struct dcp_pool *pools = dcp_arena_array(a, struct dcp_pool, 2);
    struct dcp_volume *volumes = dcp_arena_array(a, struct dcp_volume, 6);
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, 6);
    struct dcp_hardware *hw = dcp_arena_new(a, struct dcp_hardware);

    *hw = f.inv->hardware[0];
    hw->storage_kib_s = 250;
    memcpy(vms, f.inv->vms, 6 * sizeof *vms);
    for (uint32_t p = 0; p < 2; p++) {
        pools[p] = (struct dcp_pool){ .name = p ? "q" : "p",
                                      .rate_kib_s = 300,
                                      .reach_all = true };
    }
    for (uint32_t v = 0; v < 6; v++) {
        volumes[v] = (struct dcp_volume){ .vm = { v },
                                          .pool = { v % 2 },
                                          .size_mib = 10,
                                          .rate_kib_s = 100,
                                          .iops = 10 };
        vms[v].first_volume = v;
        vms[v].n_volumes = 1;
    }
    f.inv->hardware = hw;
    f.inv->vms = vms;
    f.inv->pools = pools, f.inv->n_pools = 2;
    f.inv->volumes = volumes, f.inv->n_volumes = 6;
    constant_samples(12, 100);
    disk = samples;
    disk.value = malloc(12 * 6 * sizeof *disk.value);
    for (uint32_t i = 0; i < 12 * 6; i++) {
        disk.value[i] = NAN;
    }
}

static void
replay(const struct dcp_samples *measured, struct dcp_io_result *out)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_io)
    struct dcp_io *io = dcp_io_create(f.inv, measured, &err);
    struct dcp_sim_watch watch = dcp_io_watch(io);
    const struct dcp_sim_watch *const watches[] = { &watch };
    struct dcp_sim_input in = {
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = samples.start_ms,
        .to_ms = samples.start_ms + samples.n_times * samples.interval_ms,
        .events = events,
        .n_events = n_events,
        .watches = watches,
        .n_watches = 1,
    };
    struct dcp_sim_result r;

    ck_assert_msg(dcp_simulate(&in, &r, &err), "%s", err.message);
    ck_assert(dcp_io_end(io, out, &err));
    dcp_sim_result_finish(&r);
}

START_TEST(replays_count_what_is_not_served)
{
    struct dcp_io_result r;

    with_pools();
    ck_assert(dcp_io_is_limited(f.inv));
    /* As declared all fits: 300 KiB/s in each pool, 200 on each path. */
    replay(NULL, &r);
    near(r.asked_mib, 600 * 3600.0 / 1024);
    near(r.asked_ops, 60 * 3600.0);
    near(r.unmet_mib, 0);
    near(r.links[3].peak_frac, 1);
    near(r.links[0].peak_frac, 0.8);
    ck_assert(!r.measured);
    dcp_io_result_finish(&r);
    /* VM 0 (host 0, pool p) reads 400 in three samples: its path then is asked
     * for 500 of 250; pool p 600 of 300.  Both at a half; VMs 2 and 4 as well,
     * VM 3 by its path. */
    for (uint32_t t = 2; t < 5; t++) {
        disk.value[t * 6] = 400;
    }
    replay(&disk, &r);
    ck_assert(r.measured);
    near(r.vm_unmet_mib[0], 200 * 900.0 / 1024);
    near(r.vm_unmet_mib[2], 50 * 900.0 / 1024);
    near(r.vm_unmet_mib[3], 50 * 900.0 / 1024);
    near(r.vm_unmet_mib[1], 0);
    near(r.links[0].short_s, 900);
    near(r.links[3].short_s, 900);
    near(r.links[4].short_s, 0);
    near(r.short_link_s, 1800);
    near(r.unmet_mib, 350 * 900.0 / 1024);
    near(r.asked_ops, (60 + 30 * 0.25) * 3600.0); /* 10 at 100 KiB/s. */
    dcp_io_result_finish(&r);
    free(disk.value);
}
END_TEST

START_TEST(moves_relieve)
{
    struct dcp_io_result r;
    uint32_t move = fixture_move(&f, 0, 0, 1, 100 * SECOND, 0);
    uint32_t volume = fixture_step(&f, DCP_STEP_VOLUME_MOVE, 0, 0, 0, 0, 0);

    with_pools();
    f.steps[volume - 1].object = (struct dcp_object){ DCP_OBJECT_VOLUME, 0 };
    f.steps[volume - 1].from = (struct dcp_object){ DCP_OBJECT_POOL, 0 };
    f.steps[volume - 1].to = (struct dcp_object){ DCP_OBJECT_POOL, 1 };
    /* Host 1 has then 300 of 250, and pool q 400 of 300 from 30 min on. */
    event(10 * MINUTE, move, DCP_ACTION_STARTED);
    event(12 * MINUTE, move, DCP_ACTION_DONE);
    event(30 * MINUTE, volume, DCP_ACTION_DONE);
    replay(NULL, &r);
    near(r.links[1].short_s, 50 * 60);
    near(r.links[4].short_s, 30 * 60);
    near(r.links[3].short_s, 0);
    dcp_io_result_finish(&r);
    free(disk.value);
}
END_TEST

START_TEST(warm_ups_read_more)
{
    struct dcp_io_result r;
    uint32_t start = fixture_step(&f, DCP_STEP_VM_START, 5, 0, 0, 0, 0);

    with_pools();
    f.plan->before->host[5] = dcp_host_none();
    f.steps[start - 1].to = (struct dcp_object){ DCP_OBJECT_HOST, 2 };
    f.inv->policy.warmup.time_ms = 9 * MINUTE;
    f.inv->policy.warmup.disk_kib_s = 100;
    event(10 * MINUTE, start, DCP_ACTION_DONE);
    replay(NULL, &r);
    /* In the samples of 10 and 15 min it asks for 200, pool q for 400. */
    near(r.asked_mib, (500 * 3600.0 + 100 * 3000.0 + 100 * 600.0) / 1024);
    near(r.links[4].short_s, 600);
    near(r.asked_ops, 50 * 3600.0 + 10 * 3000.0 + 10 * 600.0);
    dcp_io_result_finish(&r);
    free(disk.value);
}
END_TEST

/* One sample after the other without an engine gives the same. */
START_TEST(a_placement_by_itself)
{
    struct dcp_io_result r, s;
    struct dcp_error err = { 0 };

    with_pools();
    for (uint32_t i = 0; i < 12 * 6; i++) {
        disk.value[i] = (float)(i * 37 % 300);
    }
    replay(&disk, &r);
    DCP_AUTO(dcp_io) struct dcp_io *io = dcp_io_create(f.inv, NULL, &err);

    dcp_io_set_disk(io, &disk);
    for (uint32_t t = 0; t < 12; t++) {
        int64_t at_ms = disk.start_ms + t * disk.interval_ms;

        dcp_io_take(io, f.plan->before, at_ms, at_ms + disk.interval_ms);
    }
    ck_assert(dcp_io_end(io, &s, &err));
    ck_assert(r.unmet_mib > 0 && r.unmet_mib == s.unmet_mib);
    ck_assert(r.asked_mib == s.asked_mib);
    ck_assert_mem_eq(r.links, s.links, 5 * sizeof *r.links);
    ck_assert_mem_eq(r.vm_unmet_mib, s.vm_unmet_mib, 6 * sizeof(double));
    dcp_io_result_finish(&r);
    dcp_io_result_finish(&s);
    free(disk.value);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &by_hand,
        &random_shares_are_max_min,
        &replays_count_what_is_not_served,
        &moves_relieve,
        &warm_ups_read_more,
        &a_placement_by_itself,
    };

    return run_tests_with("storage_io", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
