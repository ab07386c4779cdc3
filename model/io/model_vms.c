/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tenants, flavours, VMs with their volumes, applications. */

#include "model/base/text.h"
#include "model/identity.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Volumes of all VMs, in VM order; moved into the arena at the end. */
struct volumes {
    struct dcp_volume *items;
    uint32_t n, capacity;
};

static bool
add_volume(struct dcp_reader *r, struct volumes *v,
           const struct dcp_volume *volume)
{
    if (v->n == v->capacity) {
        uint32_t capacity = v->capacity ? 2 * v->capacity : 1024;
        struct dcp_volume *items =
            capacity > v->capacity ? realloc(v->items, capacity * sizeof *items)
                                   : NULL;

        if (!items) {
            r->no_memory = true;
            return false;
        }
        v->items = items;
        v->capacity = capacity;
    }
    v->items[v->n++] = *volume;
    return true;
}

/* A cell "gold:40GiB", or ":40GiB" on the host's own disks. */
static bool
volume_cell(struct dcp_reader *r, const struct dcp_yaml *cell,
            struct dcp_volume *out)
{
    const char *colon = strchr(cell->text, ':');
    struct dcp_yaml pool = *cell, size = *cell;
    double mib;

    if (!colon) {
        dcp_reader_error(r, cell->pos,
                         "volumes: '%.60s' is not of the form pool:size",
                         cell->text);
        return false;
    }
    size.text = colon + 1;
    pool.text =
        dcp_arena_strndup(r->scratch, cell->text, (size_t)(colon - cell->text));
    if (!pool.text) {
        r->no_memory = true;
        return false;
    }
    if (*pool.text) {
        out->pool.ix = dcp_reader_refer(r, DCP_KIND_POOL, "volumes", &pool);
    }
    if (!dcp_reader_number(r, dcp_schema_row(&dcp_schema_volume, "size"), &size,
                           &mib)) {
        return false;
    }
    out->size_mib = (uint64_t)mib;
    return true;
}

static const char *
volume_name(struct dcp_reader *r, const char *vm, uint32_t k)
{
    struct dcp_text text = { 0 };

    dcp_text_printf(&text, "%s/%u", vm, k);
    const char *name =
        text.failed ? NULL
                    : dcp_arena_strdup(r->inv->arena, dcp_text_get(&text));

    dcp_text_finish(&text);
    r->no_memory |= !name;
    return name;
}

static void
read_volumes(struct dcp_reader *r, struct volumes *all, uint32_t vm_ix,
             struct dcp_vm *vm, const struct dcp_yaml *node)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    vm->first_volume = all->n;
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_volume volume = { .vm = { vm_ix }, .pool = dcp_pool_none() };
        bool ok =
            items[i].kind == DCP_YAML_SCALAR
                ? volume_cell(r, &items[i], &volume)
                : dcp_reader_section(r, &dcp_schema_volume, &items[i], &volume);

        volume.given_pool = volume.pool;
        volume.name = volume_name(r, vm->name, vm->n_volumes);
        if (ok && add_volume(r, all, &volume)) {
            vm->n_volumes++;
        }
    }
}

/* VLANs of `nics` and of `vlans` together. */
static void
read_vlans(struct dcp_reader *r, struct dcp_vm *vm, const struct dcp_yaml *nics)
{
    uint32_t n, kept = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, nics, &n);
    uint32_t *ix =
        dcp_arena_array(r->scratch, uint32_t, (size_t)n + vm->vlans.n);

    r->no_memory |= !ix;
    for (uint32_t i = 0; ix && i < n; i++) {
        const struct dcp_yaml *vlan = dcp_yaml_get(&items[i], "vlan");

        if (dcp_reader_section(r, &dcp_schema_nic, &items[i], NULL) && vlan) {
            ix[kept] = dcp_reader_refer(r, DCP_KIND_VLAN, "nics: vlan", vlan);
            kept += ix[kept] != DCP_IX_NONE;
        }
    }
    for (uint32_t i = 0; ix && i < vm->vlans.n; i++) {
        ix[kept++] = vm->vlans.ix[i];
    }
    if (ix) {
        vm->vlans = dcp_reader_ids(r, ix, kept);
    }
}

/* What flavours and VMs read alike, after the keys that their rows store. */
static void
finish_size(struct dcp_reader *r, struct dcp_vm *vm,
            const struct dcp_yaml *node)
{
    const struct dcp_yaml *windows = dcp_yaml_get(node, "windows");
    const struct dcp_yaml *needs = dcp_yaml_get(node, "needs");

    if (needs) {
        vm->needs =
            dcp_reader_bits(r, dcp_schema_row(&dcp_schema_vm, "needs"), needs);
    }
    dcp_reader_extras(r, dcp_yaml_get(node, "extras"), vm->extras);
    if (windows) {
        (void)dcp_reader_bool(r, "windows", windows, &vm->windows);
    } else if (dcp_yaml_get(node, "os")) {
        vm->windows = !strncasecmp(vm->os, "win", 3);
    }
}

static void
check_size(struct dcp_reader *r, const struct dcp_vm *vm,
           const struct dcp_yaml *node)
{
    if (!vm->vcpus && !dcp_yaml_get(node, "vcpus")) {
        dcp_reader_error(r, vm->pos,
                         "no vcpus; give them here or name a flavour");
    }
    if (!vm->mem_mib && !dcp_yaml_get(node, "memory")) {
        dcp_reader_error(r, vm->pos,
                         "no memory; give it here or name a flavour");
    }
    if (!vm->mem_mib) {
        return; /* Reported. */
    }
    if (vm->mem_reservation_mib > vm->mem_mib) {
        dcp_reader_error(r, vm->pos,
                         "memory_reservation is more than its memory");
    }
    if (vm->balloon_floor_mib > vm->mem_mib) {
        dcp_reader_error(r, vm->pos, "balloon_floor is more than its memory");
    }
    if (vm->huge_pages_mib > vm->mem_mib) {
        dcp_reader_error(r, vm->pos, "huge_pages is more than its memory");
    }
    if (vm->cpu_limit_mhz && vm->cpu_reservation_mhz > vm->cpu_limit_mhz) {
        dcp_reader_error(r, vm->pos, "cpu_reservation is above cpu_limit");
    }
}

static void
default_vm(struct dcp_reader *r, struct dcp_vm *vm)
{
    dcp_reader_defaults(r, &dcp_schema_vm, vm);
    vm->movable = true;
    vm->restart_priority = DCP_RESTART_NORMAL;
    vm->tier.ix = dcp_strmap_find(&r->tables[DCP_KIND_TIER].by_name, "default");
}

static void
read_flavours(struct dcp_reader *r)
{
    const struct dcp_entries *t = &r->tables[DCP_KIND_FLAVOUR];

    r->flavours = dcp_reader_array(r, t->n, sizeof *r->flavours);
    for (uint32_t i = 0; r->flavours && i < t->n; i++) {
        dcp_reader_object(r, "flavour", t->items[i].name);
        default_vm(r, &r->flavours[i]);
        if (dcp_reader_section(r, &dcp_schema_flavour, t->items[i].node,
                               &r->flavours[i])) {
            finish_size(r, &r->flavours[i], t->items[i].node);
        }
        r->flavours[i].name = t->items[i].name;
        r->flavours[i].pos = t->items[i].pos;
    }
    r->inv->flavours = r->flavours;
    r->inv->n_flavours = r->flavours ? t->n : 0;
}

/* One form for each UUID, and no two VMs with one. */
static void
check_uuid(struct dcp_reader *r, struct dcp_strmap *uuids, struct dcp_vm *vms,
           uint32_t ix)
{
    struct dcp_vm *vm = &vms[ix];
    char text[DCP_UUID_SIZE];
    uint32_t other = DCP_STRMAP_NONE;

    if (!*vm->uuid) {
        return;
    }
    if (!dcp_uuid_parse(vm->uuid, text)) {
        dcp_reader_error(r, vm->pos,
                         "uuid: '%.60s' is not of the form "
                         "01234567-89ab-cdef-0123-456789abcdef",
                         vm->uuid);
        vm->uuid = "";
        return;
    }
    vm->uuid = dcp_reader_text(r, text);
    if (r->no_memory) {
        return;
    }
    other = dcp_strmap_find(uuids, vm->uuid);
    if (other != DCP_STRMAP_NONE) {
        dcp_reader_error(r, vm->pos, "uuid: vm '%.60s' has it already",
                         vms[other].name);
        return;
    }
    r->no_memory |= !dcp_strmap_add(uuids, vm->uuid, ix, NULL);
}

static void
read_vm(struct dcp_reader *r, struct volumes *volumes, uint32_t ix,
        const struct dcp_vm *base, struct dcp_vm *vm)
{
    const struct dcp_entry *entry = &r->tables[DCP_KIND_VM].items[ix];
    const struct dcp_yaml *flavour = dcp_yaml_get(entry->node, "flavour");

    dcp_reader_object(r, "vm", entry->name);
    uint32_t f = flavour
                     ? dcp_reader_refer(r, DCP_KIND_FLAVOUR, "flavour", flavour)
                     : DCP_IX_NONE;

    *vm = f == DCP_IX_NONE ? *base : r->flavours[f];
    vm->name = entry->name;
    vm->pos = entry->pos;
    if (!dcp_reader_section(r, &dcp_schema_vm, entry->node, vm)) {
        return;
    }
    finish_size(r, vm, entry->node);
    if (!*vm->trace) {
        vm->trace = vm->name;
    }
    if (dcp_tier_is_none(vm->tier)) {
        vm->tier = base->tier; /* Undefined: reported, and read on. */
    }
    const struct dcp_yaml *nics = dcp_yaml_get(entry->node, "nics");

    if (nics) {
        read_vlans(r, vm, nics);
    }
    read_volumes(r, volumes, ix, vm, dcp_yaml_get(entry->node, "volumes"));
    vm->tags = dcp_reader_tags(r, dcp_yaml_get(entry->node, "tags"));
    if (!flavour || f != DCP_IX_NONE) {
        check_size(r, vm, entry->node);
    }
}

static void
read_all_vms(struct dcp_reader *r)
{
    uint32_t n = r->tables[DCP_KIND_VM].n;
    struct dcp_vm *vms = dcp_reader_array(r, n, sizeof *vms);
    struct dcp_vm base = { 0 };
    struct volumes volumes = { 0 };
    struct dcp_strmap uuids = { 0 };

    default_vm(r, &base);
    for (uint32_t i = 0; vms && i < n && !r->no_memory; i++) {
        read_vm(r, &volumes, i, &base, &vms[i]);
        r->no_memory |=
            !dcp_strmap_add(&r->inv->vm_by_name, vms[i].name, i, NULL);
        check_uuid(r, &uuids, vms, i);
    }
    dcp_strmap_finish(&uuids);
    struct dcp_volume *copy = dcp_reader_array(r, volumes.n, sizeof *copy);

    if (copy && volumes.n) {
        memcpy(copy, volumes.items, volumes.n * sizeof *copy);
    }
    free(volumes.items);
    r->inv->vms = vms;
    r->inv->n_vms = vms ? n : 0;
    r->inv->volumes = copy;
    r->inv->n_volumes = copy ? volumes.n : 0;
    dcp_reader_object(r, NULL, NULL);
}

/* --- Applications ------------------------------------------------------- */

/* Who is listed comes first, in the order of the list; then who says so. */
static void
read_members(struct dcp_reader *r, uint32_t app, struct dcp_application *out,
             struct dcp_vm vms[], const uint32_t first[],
             const uint32_t sayers[])
{
    const struct dcp_entry *entry = &r->tables[DCP_KIND_APPLICATION].items[app];
    uint32_t n, kept = 0;
    const struct dcp_yaml *items =
        dcp_reader_items(r, dcp_yaml_get(entry->node, "vms"), &n);
    uint32_t *ids = dcp_reader_array(r, (size_t)n + first[app + 1] - first[app],
                                     sizeof *ids);

    for (uint32_t i = 0; ids && i < n; i++) {
        uint32_t vm = dcp_reader_refer(r, DCP_KIND_VM, "vms", &items[i]);

        if (vm == DCP_IX_NONE) {
            continue;
        }
        if (!dcp_application_is_none(vms[vm].application) &&
            vms[vm].application.ix != app) {
            dcp_reader_error(r, items[i].pos,
                             "vms: '%.60s' is in another application already",
                             items[i].text);
            continue;
        }
        bool again = false;

        for (uint32_t k = 0; k < kept; k++) {
            again |= ids[k] == vm;
        }
        if (!again) {
            ids[kept++] = vm;
            vms[vm].application.ix = app;
        }
    }
    uint32_t n_listed = kept;

    for (uint32_t i = first[app]; ids && i < first[app + 1]; i++) {
        bool listed = false;

        for (uint32_t k = 0; k < n_listed && !listed; k++) {
            listed = ids[k] == sayers[i];
        }
        if (!listed) {
            ids[kept++] = sayers[i];
        }
    }
    out->vms = (struct dcp_ids){ ids, ids ? kept : 0 };
}

static void
read_applications(struct dcp_reader *r)
{
    struct dcp_inventory *inv = r->inv;

    dcp_reader_table(r, DCP_KIND_APPLICATION, &inv->applications,
                     &inv->n_applications, NULL);
    uint32_t n = inv->n_applications;
    /* The tables are ours until reading ends. */
    struct dcp_vm *vms = (struct dcp_vm *)(uintptr_t)inv->vms;
    struct dcp_application *apps =
        (struct dcp_application *)(uintptr_t)inv->applications;
    uint32_t *first = dcp_arena_array(r->scratch, uint32_t, (size_t)n + 2);
    uint32_t *sayers = dcp_arena_array(r->scratch, uint32_t, inv->n_vms);

    if (!first || !sayers || r->no_memory) {
        r->no_memory = true;
        return;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_application_is_none(vms[v].application)) {
            first[vms[v].application.ix + 2]++;
        }
    }
    for (uint32_t a = 0; a < n; a++) {
        first[a + 2] += first[a + 1];
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_application_is_none(vms[v].application)) {
            sayers[first[vms[v].application.ix + 1]++] = v;
        }
    }
    for (uint32_t a = 0; a < n; a++) {
        dcp_reader_object(r, "application", apps[a].name);
        read_members(r, a, &apps[a], vms, first, sayers);
    }
    dcp_reader_object(r, NULL, NULL);
}

void
dcp_read_vms(struct dcp_reader *r)
{
    dcp_reader_table(r, DCP_KIND_TENANT, &r->inv->tenants, &r->inv->n_tenants,
                     NULL);
    read_flavours(r);
    if (!r->no_memory) {
        read_all_vms(r);
    }
    if (!r->no_memory) {
        read_applications(r);
    }
}
