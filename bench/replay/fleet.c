/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/replay/fleet.h"

#include "model/base/rng.h"
#include "traces/store_writer.h"

#include <math.h>
#include <stdlib.h>

enum { DAY_TIMES = 288, BLOCK = 256, HARDWARE = 2 };
#define START_MS    INT64_C(1377993600000) /* 2013-09-01T00:00:00Z */
#define INTERVAL_MS INT64_C(300000)

/* --- Model -------------------------------------------------------------- */

static void
fill_hardware(struct dcp_hardware hardware[HARDWARE])
{
    static const double watts[HARDWARE][DCP_POWER_POINTS] = {
        { 86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117 },
        { 93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135 },
    };
    static const uint32_t clock_mhz[HARDWARE] = { 7440, 10640 };

    for (int i = 0; i < HARDWARE; i++) {
        hardware[i] = (struct dcp_hardware){
            .name = i ? "g5" : "g4",
            .sockets = 1,
            .cores_per_socket = 2,
            .clock_mhz = clock_mhz[i],
            .speed_factor = 1,
            .speed_factor_known = true,
            .mem_mib = 65536,
            .cpu_generation = "",
            .cpu_arch = "x86_64",
            .numa_nodes = 1,
            .power_known = true,
            .sleep_w = 10,
        };
        for (int k = 0; k < DCP_POWER_POINTS; k++) {
            hardware[i].power_w[k] = watts[i][k];
        }
    }
}

static bool
fill(const struct dcp_fleet_options *o, struct dcp_inventory *inv)
{
    struct dcp_arena *a = inv->arena;
    struct dcp_hardware *hw = dcp_arena_array(a, struct dcp_hardware, HARDWARE);
    struct dcp_host *hosts = dcp_arena_array(a, struct dcp_host, o->n_hosts);
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, o->n_vms);
    struct dcp_tier *tier = dcp_arena_new(a, struct dcp_tier);
    struct dcp_hypervisor *hv = dcp_arena_new(a, struct dcp_hypervisor);
    struct dcp_rng rng = dcp_rng_stream(o->seed, "replay.placement", 0);

    if (!hw || !hosts || !vms || !tier || !hv) {
        return false;
    }
    fill_hardware(hw);
    *tier = (struct dcp_tier){ .name = "default",
                               .cpu_overcommit = 4,
                               .memory_overcommit = 1,
                               .percentile = 0.95 };
    *hv = (struct dcp_hypervisor){ .name = "plain", .live_migration = true };
    for (uint32_t h = 0; h < o->n_hosts; h++) {
        hosts[h] = (struct dcp_host){ .name = dcp_arena_printf(a, "h%u", h + 1),
                                      .rack = dcp_rack_none(),
                                      .hardware = { h % HARDWARE } };
    }
    for (uint32_t v = 0; v < o->n_vms; v++) {
        vms[v] = (struct dcp_vm){
            .name = dcp_arena_printf(a, "v%u", v + 1),
            .host = { (uint32_t)dcp_rng_below(&rng, o->n_hosts) },
            .tenant = dcp_tenant_none(),
            .application = dcp_application_none(),
            .profile = dcp_profile_none(),
            .vcpus = 1,
            .vcpu_mhz = 2500,
            .mem_mib = 1024,
            .movable = true,
            .os = "",
            .cpu_generation_min = "",
        };
        vms[v].trace = vms[v].name;
    }
    inv->hardware = hw, inv->n_hardware = HARDWARE;
    inv->hosts = hosts, inv->n_hosts = o->n_hosts;
    inv->vms = vms, inv->n_vms = o->n_vms;
    inv->tiers = tier, inv->n_tiers = 1;
    inv->hypervisors = hv, inv->n_hypervisors = 1;
    return true;
}

bool
dcp_fleet_create(const struct dcp_fleet_options *o, struct dcp_fleet *out,
                 struct dcp_error *err)
{
    *out = (struct dcp_fleet){ .inventory = dcp_inventory_create(err) };
    if (!out->inventory) {
        return false;
    }
    if (!fill(o, out->inventory)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", o->n_vms);
    }
    out->placement = dcp_placement_start(out->inventory, err);
    return out->placement != NULL;
}

void
dcp_fleet_finish(struct dcp_fleet *f)
{
    dcp_placement_destroy(f->placement);
    dcp_inventory_destroy(f->inventory);
    *f = (struct dcp_fleet){ 0 };
}

/* --- Usage -------------------------------------------------------------- */

static void
draw(uint64_t seed, uint32_t vm, uint32_t n_times, const float rhythm[],
     float *out)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "replay.usage", vm);
    float level_mhz = (float)(100 + 900 * dcp_rng_unit(&rng));
    float swing = (float)dcp_rng_unit(&rng);
    uint32_t phase = (uint32_t)dcp_rng_below(&rng, DAY_TIMES / 4);

    for (uint32_t t = 0; t < n_times;) {
        uint64_t bits = dcp_rng_u64(&rng);

        /* Eight draws of noise, 0 to 1/4. */
        for (int k = 0; k < 8 && t < n_times; k++, t++, bits >>= 8) {
            float noise = (float)(bits & 0xff) / 1024;

            out[t] = level_mhz *
                     (1 + swing * rhythm[(t + phase) % DAY_TIMES] + noise);
        }
    }
}

bool
dcp_fleet_write_usage(const struct dcp_fleet_options *o,
                      const struct dcp_inventory *inv, const char *path,
                      struct dcp_error *err)
{
    uint32_t n_times = o->days * DAY_TIMES;
    DCP_FREE struct dcp_store_vm *vms = calloc(o->n_vms + 1u, sizeof *vms);
    DCP_FREE float *value = calloc((size_t)BLOCK * n_times, sizeof *value);
    float rhythm[DAY_TIMES];

    if (!vms || !value) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for usage");
    }
    for (int t = 0; t < DAY_TIMES; t++) {
        rhythm[t] = (float)sin(2 * 3.14159265358979 * t / DAY_TIMES);
    }
    for (uint32_t v = 0; v < o->n_vms; v++) {
        vms[v] = (struct dcp_store_vm){ inv->vms[v].name, 1, 2500, 1024 };
    }
    struct dcp_store_writer_options wo = {
        .start_ms = START_MS,
        .interval_ms = INTERVAL_MS,
        .n_times = n_times,
        .n_vms = o->n_vms,
        .vms = vms,
        .mem_basis = "active",
        .sample_bits = o->sample_bits,
        .deflate_level = o->deflate_level,
    };

    wo.has[DCP_METRIC_CPU_MHZ] = true;
    DCP_AUTO(dcp_store_writer)
    struct dcp_store_writer *w = dcp_store_writer_create(path, &wo, err);

    for (uint32_t v = 0; w && v < o->n_vms; v += BLOCK) {
        uint32_t n = o->n_vms - v < BLOCK ? o->n_vms - v : BLOCK;

        for (uint32_t i = 0; i < n; i++) {
            draw(o->seed, v + i, n_times, rhythm, value + (size_t)i * n_times);
        }
        if (!dcp_store_writer_put(w, DCP_METRIC_CPU_MHZ, v, n, value, err)) {
            return false;
        }
    }
    return w && dcp_store_writer_commit(w, err);
}
