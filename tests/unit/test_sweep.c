/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sweep against the engine of sim/sim.c on the same usage, and against
 * itself on other threads and without vectors. */

#include "model/base/rng.h"
#include "sim/sweep.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/traces_fixture.h"
#include "traces/store_writer.h"

#define MINUTE INT64_C(60000)

enum { N_HOSTS = 37, N_VMS = 310, N_TIMES = 700, N_TENANTS = 3 };

static struct fixture f;
static struct dcp_store *store;

/* Two sites, three tenants, hosts that are off (one with VMs), VMs nowhere,
 * VMs without a trace, and two that share one. */
static void
make_model(void)
{
    struct dcp_arena *a;

    fixture_init(&f, N_HOSTS, N_VMS);
    a = f.inv->arena;
    struct dcp_site *sites = dcp_arena_array(a, struct dcp_site, 2);
    struct dcp_room *rooms = dcp_arena_array(a, struct dcp_room, 2);
    struct dcp_rack *racks = dcp_arena_array(a, struct dcp_rack, 2);
    struct dcp_tenant *tenants = dcp_arena_array(a, struct dcp_tenant, 3);
    struct dcp_host *hosts = dcp_arena_array(a, struct dcp_host, N_HOSTS);
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, N_VMS);

    memcpy(hosts, f.inv->hosts, N_HOSTS * sizeof *hosts);
    memcpy(vms, f.inv->vms, N_VMS * sizeof *vms);
    for (uint32_t i = 0; i < 2; i++) {
        sites[i] = (struct dcp_site){ .name = i ? "b" : "a",
                                      .tariff = dcp_tariff_none(),
                                      .pue = 1.5 + i,
                                      .pue_marginal = 1.2,
                                      .zone = &dcp_zone_utc };
        rooms[i] = (struct dcp_room){ .name = "r", .site = { i } };
        racks[i] = (struct dcp_rack){ .name = "k", .room = { i } };
    }
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        hosts[h].rack = (dcp_rack_id){ h % 2 };
    }
    for (uint32_t v = 0; v < N_VMS; v++) {
        tenants[v % 3].name = "t";
        vms[v].tenant =
            v % 4 == 3 ? dcp_tenant_none() : (dcp_tenant_id){ v / 100 % 3 };
    }
    /* On every third host. */
    for (uint32_t v = 0; v < N_VMS; v += 2) {
        if (v % N_HOSTS % 3 == 0) {
            vms[v].cpu_shares = v % 4 ? 0 : 500 + v;
            vms[v].cpu_limit_mhz = v % 5 ? 0 : 150;
            vms[v].cpu_reservation_mhz = v % 3 ? 0 : 60;
        }
    }
    struct dcp_hypervisor *hv = dcp_arena_new(a, struct dcp_hypervisor);

    *hv = f.inv->hypervisors[0];
    hv->shares = true;
    f.inv->hypervisors = hv;
    vms[20].trace = "v11";
    vms[30].trace = "nothing of that name";
    f.inv->sites = sites, f.inv->n_sites = 2;
    f.inv->rooms = rooms, f.inv->n_rooms = 2;
    f.inv->racks = racks, f.inv->n_racks = 2;
    f.inv->tenants = tenants, f.inv->n_tenants = N_TENANTS;
    f.inv->hosts = hosts;
    f.inv->vms = vms;
    f.plan->before->on[5] = 0;
    f.plan->before->on[6] = 0;
    for (uint32_t v = 5; v < N_VMS; v += N_HOSTS) {
        f.plan->before->host[v] = dcp_host_none();
    }
}

/* Usage that leaves the hosts of 1000 MHz in overload now and then, with
 * samples missing here and there, at the start and for all but the start. */
static float
sample(uint32_t vm, uint32_t t)
{
    struct dcp_rng rng = dcp_rng_stream(3, "sweep", vm * 1000 + t);
    bool missing = dcp_rng_below(&rng, 30) == 0 || (vm == 40 && t < 290) ||
                   (vm == 41 && t > 20) || (vm == 42 && t < 650) || vm == 43;

    return missing ? NAN : (float)(dcp_rng_unit(&rng) * 230);
}

static void
make_store(uint32_t bits, uint32_t deflate_level)
{
    static struct dcp_store_vm vms[N_VMS];
    static float value[N_VMS * N_TIMES];
    struct dcp_error err = { 0 };
    const char *path = fixture_path("usage.h5");

    for (uint32_t v = 0; v < N_VMS; v++) {
        vms[v] = (struct dcp_store_vm){ f.inv->vms[v].name, 1, 1000, 1024 };
        for (uint32_t t = 0; t < N_TIMES; t++) {
            value[v * N_TIMES + t] = sample(v, t);
        }
    }
    struct dcp_store_writer_options o = {
        .start_ms = FIXTURE_START_MS,
        .interval_ms = 5 * MINUTE,
        .n_times = N_TIMES,
        .n_vms = N_VMS,
        .vms = vms,
        .mem_basis = "active",
        .sample_bits = bits,
        .deflate_level = deflate_level,
    };

    o.has[DCP_METRIC_CPU_MHZ] = true;
    DCP_AUTO(dcp_store_writer)
    struct dcp_store_writer *w = dcp_store_writer_create(path, &o, &err);

    ck_assert_msg(w != NULL, "%s", err.message);
    ck_assert(
        dcp_store_writer_put(w, DCP_METRIC_CPU_MHZ, 0, N_VMS, value, &err));
    ck_assert_msg(dcp_store_writer_commit(w, &err), "%s", err.message);
    dcp_store_destroy(store);
    store = dcp_store_open(path, &err);
    ck_assert_msg(store != NULL, "%s", err.message);
}

static void
setup(void)
{
    fixture_make();
    make_model();
}

static void
teardown(void)
{
    dcp_store_destroy(store);
    store = NULL;
    fixture_finish(&f);
    fixture_remove();
}

static void
near(double got, double expected)
{
    ck_assert_msg(fabs(got - expected) <= 1e-9 * fabs(expected),
                  "%.17g is not %.17g", got, expected);
}

static void
compare(const struct dcp_sim_result *got, const struct dcp_sim_result *expected)
{
    ck_assert_uint_eq(got->n_slices, expected->n_slices);
    ck_assert_uint_eq(got->n_samples, expected->n_samples);
    ck_assert_uint_eq(got->host_slots, expected->host_slots);
    ck_assert_uint_eq(got->host_slots_overloaded,
                      expected->host_slots_overloaded);
    ck_assert_uint_eq(got->host_slots_above_target,
                      expected->host_slots_above_target);
    ck_assert_uint_eq(got->hosts_on_min, expected->hosts_on_min);
    ck_assert_uint_eq(got->vms_unplaced, expected->vms_unplaced);
    near(got->it_kwh, expected->it_kwh);
    near(got->meter_kwh, expected->meter_kwh);
    near(got->standby_kwh, expected->standby_kwh);
    near(got->overload_host_s, expected->overload_host_s);
    near(got->unmet_cpu_mhz_s, expected->unmet_cpu_mhz_s);
    near(got->requested_mhz_s, expected->requested_mhz_s);
    near(got->held_mhz_s, expected->held_mhz_s);
    near(got->ready_vm_s, expected->ready_vm_s);
    ck_assert(expected->held_mhz_s > 0);
    near(got->slatah_frac, expected->slatah_frac);
    near(got->overall_slav, expected->overall_slav);
    near(got->average_slav, expected->average_slav);
    near(got->hosts_on_mean, expected->hosts_on_mean);
    near(got->cpu_util_mean_frac, expected->cpu_util_mean_frac);
    near(got->mem_alloc_mean_frac, expected->mem_alloc_mean_frac);
    for (uint32_t i = 0; i < got->n_slices; i++) {
        const struct dcp_sim_slice *g = &got->slices[i];
        const struct dcp_sim_slice *e = &expected->slices[i];

        ck_assert_int_eq(g->start_ms, e->start_ms);
        ck_assert_int_eq(g->end_ms, e->end_ms);
        near(g->hosts_on, e->hosts_on);
        near(g->it_w, e->it_w);
        near(g->meter_w, e->meter_w);
        near(g->demand_mhz, e->demand_mhz);
        near(g->capacity_mhz, e->capacity_mhz);
        near(g->overload_host_s, e->overload_host_s);
    }
    for (uint32_t h = 0; h < got->n_hosts; h++) {
        near(got->hosts[h].it_j, expected->hosts[h].it_j);
        near(got->hosts[h].on_s, expected->hosts[h].on_s);
        near(got->hosts[h].off_s, expected->hosts[h].off_s);
        near(got->hosts[h].overload_s, expected->hosts[h].overload_s);
        near(got->hosts[h].unmet_mhz_s, expected->hosts[h].unmet_mhz_s);
    }
    for (uint32_t v = 0; v < got->n_vms; v++) {
        near(got->vm_overload_s[v], expected->vm_overload_s[v]);
        near(got->vm_unmet_mhz_s[v], expected->vm_unmet_mhz_s[v]);
        near(got->vm_ready_s[v], expected->vm_ready_s[v]);
        ck_assert(dcp_sim_vm_ready_frac(got, v, 0.95) ==
                  dcp_sim_vm_ready_frac(expected, v, 0.95));
    }
    for (uint32_t t = 0; t <= N_TENANTS; t++) {
        near(got->tenants[t].overload_vm_s, expected->tenants[t].overload_vm_s);
        near(got->tenants[t].unmet_mhz_s, expected->tenants[t].unmet_mhz_s);
        near(got->tenants[t].requested_mhz_s,
             expected->tenants[t].requested_mhz_s);
        near(got->tenants[t].held_mhz_s, expected->tenants[t].held_mhz_s);
        near(got->tenants[t].ready_s, expected->tenants[t].ready_s);
    }
}

static void
same_bytes(const struct dcp_sim_result *a, const struct dcp_sim_result *b)
{
    ck_assert(a->it_kwh == b->it_kwh && a->meter_kwh == b->meter_kwh);
    ck_assert(a->unmet_cpu_mhz_s == b->unmet_cpu_mhz_s);
    ck_assert(a->requested_mhz_s == b->requested_mhz_s);
    ck_assert(a->average_slav == b->average_slav);
    ck_assert(a->cpu_util_mean_frac == b->cpu_util_mean_frac);
    ck_assert_mem_eq(a->slices, b->slices, a->n_slices * sizeof *a->slices);
    ck_assert_mem_eq(a->hosts, b->hosts, a->n_hosts * sizeof *a->hosts);
    ck_assert_mem_eq(a->tenants, b->tenants,
                     (N_TENANTS + 1) * sizeof *a->tenants);
    ck_assert_mem_eq(a->vm_overload_s, b->vm_overload_s,
                     a->n_vms * sizeof *a->vm_overload_s);
    ck_assert_mem_eq(a->site_it_j, b->site_it_j,
                     (size_t)a->n_slices * a->n_site_columns *
                         sizeof *a->site_it_j);
}

static void
run(struct dcp_sweep_input in, struct dcp_sim_result *out,
    struct dcp_sim_fill *fill)
{
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_sweep_run(&in, out, fill, &err), "%s", err.message);
}

/* Both engines over [from, to) of the store. */
static void
both(int64_t from_ms, int64_t to_ms)
{
    struct dcp_error err = { 0 };
    struct dcp_samples cpu;
    struct dcp_sim_fill fill, got_fill;
    struct dcp_sim_result expected, got, other;
    int64_t cell_ms = from_ms - (from_ms - FIXTURE_START_MS) % (5 * MINUTE);

    ck_assert(dcp_samples_load(store, DCP_METRIC_CPU_MHZ, f.inv, f.plan->before,
                               cell_ms, to_ms, &cpu, &err));
    ck_assert(dcp_samples_look_back(store, f.inv, f.plan->before, &cpu, &err));
    ck_assert(dcp_sim_fill(f.inv, &cpu, &fill, &err));
    struct dcp_sim_input sim_in = { .inventory = f.inv,
                                    .cpu = &cpu,
                                    .start = f.plan->before,
                                    .from_ms = from_ms,
                                    .to_ms = to_ms };

    ck_assert_msg(dcp_simulate(&sim_in, &expected, &err), "%s", err.message);
    ck_assert_uint_gt(expected.host_slots_overloaded, 10);

    struct dcp_sweep_input in = { .inventory = f.inv,
                                  .start = f.plan->before,
                                  .store = store,
                                  .measured = f.plan->before,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms,
                                  .n_threads = 2 };

    run(in, &got, &got_fill);
    compare(&got, &expected);
    ck_assert_uint_eq(got_fill.n_missing, fill.n_missing);
    ck_assert_uint_eq(got_fill.n_vms_no_trace, fill.n_vms_no_trace);
    in.n_threads = 1;
    run(in, &other, &got_fill);
    same_bytes(&other, &got);
    dcp_sim_result_finish(&other);
    in.portable = true;
    run(in, &other, &got_fill);
    same_bytes(&other, &got);
    dcp_sim_result_finish(&other);

    /* The same samples in memory. */
    in.store = NULL;
    in.cpu = &cpu;
    run(in, &other, &got_fill);
    compare(&other, &expected);
    ck_assert_uint_eq(got_fill.n_missing, 0);
    dcp_sim_result_finish(&other);
    dcp_sim_result_finish(&got);
    dcp_sim_result_finish(&expected);
    dcp_samples_finish(&cpu);
}

START_TEST(agrees_with_the_engine)
{
    static const struct {
        uint32_t bits, deflate_level;
    } stores[] = { { 8, 0 }, { 16, 0 }, { 8, 1 }, { 16, 1 } };
    int64_t start_ms = FIXTURE_START_MS;

    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        make_store(stores[i].bits, stores[i].deflate_level);
        both(start_ms, start_ms + N_TIMES * 5 * MINUTE);
        /* Within samples at both ends; within one stripe; VMs that were seen
         * only before. */
        both(start_ms + 7 * MINUTE, start_ms + 2001 * MINUTE);
        both(start_ms + 600 * MINUTE, start_ms + 700 * MINUTE);
        both(start_ms + 1500 * MINUTE, start_ms + 3000 * MINUTE);
    }
}
END_TEST

START_TEST(reference_is_counted_at_marginal_pue)
{
    struct dcp_sim_result without, with;
    struct dcp_sim_fill fill;

    make_store(8, 0);
    struct dcp_sweep_input in = { .inventory = f.inv,
                                  .start = f.plan->before,
                                  .store = store,
                                  .measured = f.plan->before,
                                  .from_ms = FIXTURE_START_MS,
                                  .to_ms = FIXTURE_START_MS + 1440 * MINUTE };

    run(in, &without, &fill);
    f.plan->before->on[6] = 1; /* Of site "a". */
    in.reference = &without;
    run(in, &with, &fill);
    near(with.meter_kwh - without.meter_kwh,
         (with.it_kwh - without.it_kwh) * 1.2);
    dcp_sim_result_finish(&without);
    dcp_sim_result_finish(&with);
}
END_TEST

START_TEST(bad_windows_are_refused)
{
    struct dcp_error err = { 0 };

    make_store(8, 0);
    struct dcp_sweep_input in = { .inventory = f.inv,
                                  .start = f.plan->before,
                                  .store = store,
                                  .measured = f.plan->before,
                                  .from_ms = FIXTURE_START_MS - 1,
                                  .to_ms = FIXTURE_START_MS + MINUTE };

    ck_assert_ptr_null(dcp_sweep_open(&in, &err));
    in.from_ms = in.to_ms;
    ck_assert_ptr_null(dcp_sweep_open(&in, &err));
    in.from_ms = FIXTURE_START_MS;
    in.to_ms = FIXTURE_START_MS + N_TIMES * 5 * MINUTE + 1;
    ck_assert_ptr_null(dcp_sweep_open(&in, &err));
    in.to_ms--;
    in.store = NULL;
    ck_assert_ptr_null(dcp_sweep_open(&in, &err));
    in.store = store;
    DCP_AUTO(dcp_sweep) struct dcp_sweep *s = dcp_sweep_open(&in, &err);

    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(dcp_sweep_n_stripes(s), 3);
    ck_assert(!dcp_sweep_read(s, 1, &err));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &agrees_with_the_engine,
        &reference_is_counted_at_marginal_pue,
        &bad_windows_are_refused,
    };

    return run_tests_with("sweep", tests, sizeof tests / sizeof tests[0], setup,
                          teardown);
}
