/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which VMs to invent usage for: drawn ones, or those of a model. */

#include "traces/synth.h"

#include "model/base/rng.h"
#include "model/base/strmap.h"

#include <string.h>

#define DEFAULT_VCPU_MHZ 2400

enum dcp_archetype
dcp_synth_draw_archetype(uint64_t seed, const char *name, bool test)
{
    static const uint8_t percent[2][DCP_SYNTH_ARCHETYPES] = {
        { 50, 18, 7, 13, 12 }, /* live */
        { 60, 4, 8, 6, 22 },   /* test */
    };
    struct dcp_rng rng = dcp_rng_stream(seed, name, 3);
    uint64_t draw = dcp_rng_below(&rng, 100);
    uint32_t a = 0;

    while (draw >= percent[test][a]) {
        draw -= percent[test][a++];
    }
    return (enum dcp_archetype)a;
}

struct dcp_synth_vm *
dcp_synth_draw_vms(struct dcp_arena *arena, uint64_t seed, uint32_t n)
{
    static const uint8_t vcpus[] = { 1, 1, 2, 2, 2, 2, 4, 4, 4, 8 };
    static const uint16_t mib_per_vcpu[] = { 2048, 2048, 4096, 4096, 8192 };
    struct dcp_synth_vm *vms = dcp_arena_array(arena, struct dcp_synth_vm, n);
    int digits = 1;

    for (uint32_t i = n; i >= 10; i /= 10) {
        digits++;
    }
    for (uint32_t i = 0; vms && i < n; i++) {
        const char *name = dcp_arena_printf(arena, "vm-%0*u", digits, i + 1);

        if (!name) {
            return NULL;
        }
        struct dcp_rng rng = dcp_rng_stream(seed, name, 4);
        uint32_t size = vcpus[dcp_rng_below(&rng, sizeof vcpus)];
        uint32_t mib = mib_per_vcpu[dcp_rng_below(
            &rng, sizeof mib_per_vcpu / sizeof mib_per_vcpu[0])];
        bool test = dcp_rng_below(&rng, 100) < 30;

        vms[i] = (struct dcp_synth_vm){
            .name = name,
            .vcpus = size,
            .cpu_capacity_mhz = (double)size * DEFAULT_VCPU_MHZ,
            .mem_mib = (double)size * mib,
            .archetype = dcp_synth_draw_archetype(seed, name, test),
            .test = test,
        };
    }
    return vms;
}

static bool
is_test(const struct dcp_inventory *inv, const struct dcp_vm *vm)
{
    const char *tier = inv->tiers[vm->tier.ix].name;

    return !strncmp(tier, "test", 4) || !strncmp(tier, "dev", 3);
}

static double
vcpu_mhz(const struct dcp_inventory *inv, const struct dcp_vm *vm)
{
    if (vm->vcpu_mhz) {
        return vm->vcpu_mhz;
    }
    if (dcp_host_is_none(vm->host)) {
        return DEFAULT_VCPU_MHZ;
    }
    return inv->hardware[inv->hosts[vm->host.ix].hardware.ix].clock_mhz;
}

static enum dcp_archetype
archetype_of(const struct dcp_inventory *inv, const struct dcp_vm *vm,
             uint64_t seed)
{
    for (uint32_t t = 0; t < vm->tags.n; t++) {
        const char *tag = inv->tag_name[vm->tags.ix[t]];

        for (uint32_t a = 0; a < DCP_SYNTH_ARCHETYPES; a++) {
            if (!strcmp(tag, dcp_archetype_name((enum dcp_archetype)a))) {
                return (enum dcp_archetype)a;
            }
        }
    }
    return dcp_synth_draw_archetype(seed, vm->trace, is_test(inv, vm));
}

struct dcp_synth_vm *
dcp_synth_vms_of(struct dcp_arena *arena, uint64_t seed,
                 const struct dcp_inventory *inv, uint32_t *out_n)
{
    struct dcp_synth_vm *vms =
        dcp_arena_array(arena, struct dcp_synth_vm, inv->n_vms);
    struct dcp_strmap seen = { 0 };
    uint32_t n = 0;

    for (uint32_t i = 0; vms && i < inv->n_vms; i++) {
        const struct dcp_vm *vm = &inv->vms[i];
        uint32_t old = DCP_STRMAP_NONE;

        if (!dcp_strmap_add(&seen, vm->trace, i, &old)) {
            if (old == DCP_STRMAP_NONE) {
                vms = NULL;
            }
            continue;
        }
        vms[n++] = (struct dcp_synth_vm){
            .name = vm->trace,
            .vcpus = vm->vcpus,
            .cpu_capacity_mhz = vm->vcpus * vcpu_mhz(inv, vm),
            .mem_mib = (double)vm->mem_mib,
            .archetype = archetype_of(inv, vm, seed),
            .test = is_test(inv, vm),
        };
    }
    dcp_strmap_finish(&seen);
    *out_n = n;
    return vms;
}
