/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/park.h"

#define SHUTDOWN_MS 60000
#define BOOT_MS     90000
#define OVERHEAD_MS 5000 /* Of a save or a restore, beside the copying. */

const struct dcp_park *
dcp_park_of(const struct dcp_inventory *inv, uint32_t vm)
{
    for (uint32_t i = 0; i < inv->n_parks; i++) {
        if (dcp_ids_contain(&inv->parks[i].vms, vm)) {
            return &inv->parks[i];
        }
    }
    return NULL;
}

bool
dcp_park_allows(const struct dcp_inventory *inv, const struct dcp_park *park,
                int64_t from_ms, int64_t until_ms)
{
    struct dcp_local local = dcp_zone_local(inv->zone, from_ms);
    int64_t begin_ms, end_ms;
    /* From any time of day to the time it must run: the next such instant. */
    struct dcp_window wake = { park->wake_min, park->wake_min == 1440
                                                   ? 0
                                                   : park->wake_min + 1 };

    if (!dcp_window_contains(&park->window, local.ms_of_day)) {
        return false;
    }
    dcp_window_next(&wake, inv->zone, from_ms, &begin_ms, &end_ms);
    return begin_ms >= until_ms;
}

static int64_t
copy_ms(const struct dcp_park *park, const struct dcp_vm *vm)
{
    uint64_t rate = park->rate_kib_s ? park->rate_kib_s : 1;

    return OVERHEAD_MS +
           (int64_t)((double)vm->mem_mib * 1024 * 1000 / (double)rate);
}

int64_t
dcp_park_ms(const struct dcp_park *park, const struct dcp_vm *vm)
{
    return park->shutdown ? SHUTDOWN_MS : copy_ms(park, vm);
}

int64_t
dcp_restore_ms(const struct dcp_park *park, const struct dcp_vm *vm)
{
    return park->shutdown ? BOOT_MS : copy_ms(park, vm);
}

uint64_t
dcp_park_disk_mib(const struct dcp_park *park, const struct dcp_vm *vm)
{
    return park->shutdown ? 0 : vm->mem_mib;
}

dcp_pool_id
dcp_park_pool(const struct dcp_inventory *inv, uint32_t vm)
{
    const struct dcp_vm *v = &inv->vms[vm];

    return v->n_volumes ? inv->volumes[v->first_volume].pool : dcp_pool_none();
}

uint32_t
dcp_park_rank(const struct dcp_inventory *inv, uint32_t vm)
{
    dcp_application_id app = inv->vms[vm].application;

    if (dcp_application_is_none(app)) {
        return 0;
    }
    const struct dcp_ids *vms = &inv->applications[app.ix].vms;
    uint32_t rank = 0;

    while (rank < vms->n && vms->ix[rank] != vm) {
        rank++;
    }
    return rank < vms->n ? rank : 0;
}
