/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/inventory.h"

#include <string.h>

struct dcp_inventory *
dcp_inventory_create(struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_inventory *inv =
        arena ? dcp_arena_new(arena, struct dcp_inventory) : NULL;

    if (!inv) {
        dcp_arena_destroy(arena);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an inventory");
        return NULL;
    }
    inv->arena = arena;
    inv->lineage = "";
    inv->currency = "";
    inv->zone = &dcp_zone_utc;
    dcp_calendar_default(&inv->calendar);
    dcp_policy_default(&inv->policy);
    return inv;
}

void
dcp_inventory_destroy(struct dcp_inventory *inv)
{
    if (inv) {
        dcp_strmap_finish(&inv->host_by_name);
        dcp_strmap_finish(&inv->vm_by_name);
        dcp_arena_destroy(inv->arena);
    }
}

dcp_host_id
dcp_inventory_find_host(const struct dcp_inventory *inv, const char *name)
{
    return (dcp_host_id){ dcp_strmap_find(&inv->host_by_name, name) };
}

dcp_vm_id
dcp_inventory_find_vm(const struct dcp_inventory *inv, const char *name)
{
    return (dcp_vm_id){ dcp_strmap_find(&inv->vm_by_name, name) };
}

dcp_room_id
dcp_host_room(const struct dcp_inventory *inv, dcp_host_id host)
{
    dcp_rack_id rack = inv->hosts[host.ix].rack;

    return dcp_rack_is_none(rack) ? dcp_room_none() : inv->racks[rack.ix].room;
}

dcp_site_id
dcp_host_site(const struct dcp_inventory *inv, dcp_host_id host)
{
    dcp_room_id room = dcp_host_room(inv, host);

    if (dcp_room_is_none(room)) {
        /* With one site there is no doubt. */
        return inv->n_sites == 1 ? (dcp_site_id){ 0 } : dcp_site_none();
    }
    return inv->rooms[room.ix].site;
}

dcp_site_id
dcp_rack_site(const struct dcp_inventory *inv, dcp_rack_id rack)
{
    if (dcp_rack_is_none(rack) || dcp_room_is_none(inv->racks[rack.ix].room)) {
        return inv->n_sites == 1 ? (dcp_site_id){ 0 } : dcp_site_none();
    }
    return inv->rooms[inv->racks[rack.ix].room.ix].site;
}

const struct dcp_zone *
dcp_host_zone(const struct dcp_inventory *inv, dcp_host_id host)
{
    dcp_site_id site = dcp_host_site(inv, host);

    return dcp_site_is_none(site) ? inv->zone : inv->sites[site.ix].zone;
}

bool
dcp_ids_contain(const struct dcp_ids *ids, uint32_t ix)
{
    uint32_t low = 0, high = ids->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ids->ix[middle] < ix) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < ids->n && ids->ix[low] == ix;
}

uint32_t
dcp_inventory_generation(const struct dcp_inventory *inv, const char *name)
{
    for (uint32_t i = 0; i < inv->n_generations; i++) {
        if (!strcmp(inv->generation_name[i], name)) {
            return i;
        }
    }
    return UINT32_MAX;
}
