/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/script/traits.h"

#include "model/base/text.h"

#include <stdio.h>
#include <string.h>

static struct dcp_trait
text(const char *value)
{
    return value && *value ? (struct dcp_trait){ DCP_TRAIT_TEXT, 0, value }
                           : (struct dcp_trait){ DCP_TRAIT_NIL, 0, NULL };
}

static struct dcp_trait
number(double value)
{
    return (struct dcp_trait){ DCP_TRAIT_NUMBER, value, NULL };
}

static struct dcp_trait
truth(bool value)
{
    return (struct dcp_trait){ DCP_TRAIT_BOOL, value, NULL };
}

/* The name of entry 'ix' of a table of structs that begin with it. */
#define NAME_OF(TABLE, IX)                                                     \
    text((IX) == DCP_IX_NONE ? NULL : inv->TABLE[IX].name)

/* --- VMs ---------------------------------------------------------------- */

enum vm_field {
    VM_NAME,
    VM_TIER,
    VM_TENANT,
    VM_APPLICATION,
    VM_OS,
    VM_PROFILE,
    VM_GENERATION,
    VM_PRIORITY,
    VM_VCPUS,
    VM_MEM,
    VM_DISK,
    VM_WINDOWS,
    VM_MOVABLE,
    VM_FIELDS
};
static const char *const vm_fields[VM_FIELDS] = {
    [VM_NAME] = "name",
    [VM_TIER] = "tier",
    [VM_TENANT] = "tenant",
    [VM_APPLICATION] = "application",
    [VM_OS] = "os",
    [VM_PROFILE] = "profile",
    [VM_GENERATION] = "cpu_generation_min",
    [VM_PRIORITY] = "restart_priority",
    [VM_VCPUS] = "vcpus",
    [VM_MEM] = "mem_mib",
    [VM_DISK] = "disk_mib",
    [VM_WINDOWS] = "windows",
    [VM_MOVABLE] = "movable",
};

static struct dcp_trait
vm_trait(const struct dcp_inventory *inv, const struct dcp_vm *vm,
         enum vm_field field)
{
    static const char *const priority[] = { "low", "normal", "high" };
    double disk_mib = 0;

    switch (field) {
    case VM_NAME:
        return text(vm->name);
    case VM_TIER:
        return NAME_OF(tiers, vm->tier.ix);
    case VM_TENANT:
        return NAME_OF(tenants, vm->tenant.ix);
    case VM_APPLICATION:
        return NAME_OF(applications, vm->application.ix);
    case VM_OS:
        return text(vm->os);
    case VM_PROFILE:
        return NAME_OF(profiles, vm->profile.ix);
    case VM_GENERATION:
        return text(vm->cpu_generation_min);
    case VM_PRIORITY:
        return text(priority[vm->restart_priority]);
    case VM_VCPUS:
        return number(vm->vcpus);
    case VM_MEM:
        return number((double)vm->mem_mib);
    case VM_DISK:
        for (uint32_t i = 0; i < vm->n_volumes; i++) {
            disk_mib += (double)inv->volumes[vm->first_volume + i].size_mib;
        }
        return number(disk_mib);
    case VM_WINDOWS:
        return truth(vm->windows);
    case VM_MOVABLE:
        return truth(vm->movable);
    case VM_FIELDS:
        break;
    }
    return text(NULL);
}

/* --- Hosts -------------------------------------------------------------- */

enum host_field {
    HOST_NAME,
    HOST_HARDWARE,
    HOST_RACK,
    HOST_ROOM,
    HOST_SITE,
    HOST_HYPERVISOR,
    HOST_GENERATION,
    HOST_ARCH,
    HOST_SOCKETS,
    HOST_CORES,
    HOST_CLOCK,
    HOST_MEM,
    HOST_IDLE,
    HOST_OFF_ALLOWED,
    HOST_FIELDS
};
static const char *const host_fields[HOST_FIELDS] = {
    [HOST_NAME] = "name",
    [HOST_HARDWARE] = "hardware",
    [HOST_RACK] = "rack",
    [HOST_ROOM] = "room",
    [HOST_SITE] = "site",
    [HOST_HYPERVISOR] = "hypervisor",
    [HOST_GENERATION] = "cpu_generation",
    [HOST_ARCH] = "cpu_arch",
    [HOST_SOCKETS] = "sockets",
    [HOST_CORES] = "cores",
    [HOST_CLOCK] = "clock_mhz",
    [HOST_MEM] = "mem_mib",
    [HOST_IDLE] = "idle_w",
    [HOST_OFF_ALLOWED] = "power_off_allowed",
};

static struct dcp_trait
host_trait(const struct dcp_inventory *inv, uint32_t ix, enum host_field field)
{
    const struct dcp_host *host = &inv->hosts[ix];
    const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];
    dcp_host_id id = { ix };

    switch (field) {
    case HOST_NAME:
        return text(host->name);
    case HOST_HARDWARE:
        return text(hw->name);
    case HOST_RACK:
        return NAME_OF(racks, host->rack.ix);
    case HOST_ROOM:
        return NAME_OF(rooms, dcp_host_room(inv, id).ix);
    case HOST_SITE:
        return NAME_OF(sites, dcp_host_site(inv, id).ix);
    case HOST_HYPERVISOR:
        return NAME_OF(hypervisors, host->hypervisor.ix);
    case HOST_GENERATION:
        return text(hw->cpu_generation);
    case HOST_ARCH:
        return text(hw->cpu_arch);
    case HOST_SOCKETS:
        return number(hw->sockets);
    case HOST_CORES:
        return number((double)hw->sockets * hw->cores_per_socket);
    case HOST_CLOCK:
        return number(hw->clock_mhz);
    case HOST_MEM:
        return number((double)hw->mem_mib);
    case HOST_IDLE:
        return hw->power_known ? number(hw->power_w[0]) : text(NULL);
    case HOST_OFF_ALLOWED:
        return truth(host->power_off_allowed);
    case HOST_FIELDS:
        break;
    }
    return text(NULL);
}

/* --- Both --------------------------------------------------------------- */

static bool
tag_or_extra(const struct dcp_trait_subject *s, const char *field,
             struct dcp_trait *out)
{
    const struct dcp_inventory *inv = s->inventory;
    bool is_vm = s->side == DCP_TRAIT_VM;

    if (!strncmp(field, "tag.", 4)) {
        const struct dcp_ids *tags =
            is_vm ? &inv->vms[s->ix].tags : &inv->hosts[s->ix].tags;
        bool has = false;

        for (uint32_t i = 0; i < tags->n; i++) {
            has |= !strcmp(inv->tag_name[tags->ix[i]], field + 4);
        }
        *out = truth(has);
        return true;
    }
    if (strncmp(field, "extra.", 6) != 0) {
        return false;
    }
    for (uint32_t x = 0; x < inv->n_extras; x++) {
        if (!strcmp(inv->extra_name[x], field + 6)) {
            *out = number(
                is_vm ? inv->vms[s->ix].extras[x]
                      : inv->hardware[inv->hosts[s->ix].hardware.ix].extras[x]);
            return true;
        }
    }
    *out = number(0);
    return true;
}

static bool
is_known(const char *const names[], uint32_t n, const char *field,
         uint32_t *out, char near[48])
{
    for (uint32_t i = 0; i < n; i++) {
        if (!strcmp(names[i], field)) {
            *out = i;
            return true;
        }
    }
    if (near) {
        uint32_t found = dcp_text_nearest(field, names, n);

        (void)snprintf(near, 48, "%.47s",
                       found == UINT32_MAX ? "" : names[found]);
    }
    return false;
}

static bool
read_given(const struct dcp_trait_subject *s, const char *field,
           struct dcp_trait *out)
{
    for (uint32_t i = 0; i < s->n_given; i++) {
        if (!strcmp(s->given[i].field, field)) {
            *out = s->given[i].value;
            return true;
        }
    }
    *out = !strncmp(field, "tag.", 4)     ? truth(false)
           : !strncmp(field, "extra.", 6) ? number(0)
                                          : text(NULL);
    return true;
}

bool
dcp_trait_read(const struct dcp_trait_subject *s, const char *field,
               struct dcp_trait *out, char near[48])
{
    const char *const *names =
        s->side == DCP_TRAIT_VM ? vm_fields : host_fields;
    uint32_t n = s->side == DCP_TRAIT_VM ? VM_FIELDS : HOST_FIELDS, ix;
    bool dotted = !strncmp(field, "tag.", 4) || !strncmp(field, "extra.", 6);

    if (near) {
        near[0] = '\0';
    }
    if (!dotted && !is_known(names, n, field, &ix, near)) {
        return false;
    }
    if (!s->inventory) {
        return read_given(s, field, out);
    }
    if (dotted) {
        return tag_or_extra(s, field, out);
    }
    *out = s->side == DCP_TRAIT_VM
               ? vm_trait(s->inventory, &s->inventory->vms[s->ix],
                          (enum vm_field)ix)
               : host_trait(s->inventory, s->ix, (enum host_field)ix);
    return true;
}

void
dcp_trait_key(const struct dcp_trait *f, char *out, size_t size)
{
    switch (f->kind) {
    case DCP_TRAIT_NIL:
        (void)snprintf(out, size, "-");
        break;
    case DCP_TRAIT_BOOL:
    case DCP_TRAIT_NUMBER:
        (void)snprintf(out, size, "%c%.17g",
                       f->kind == DCP_TRAIT_BOOL ? 'b' : 'n', f->number);
        break;
    case DCP_TRAIT_TEXT:
        (void)snprintf(out, size, "t%s", f->text);
        break;
    }
}
