/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/new_vm.h"

#include "cli/named.h"
#include "model/base/units.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parser {
    const struct dcp_inventory *inv;
    struct dcp_arena *arena;
    struct dcp_new_vm *out;
};

#define FIND(INV, TABLE, KIND, NAME, OUT, ERR)                                 \
    find((KIND), (NAME), (INV)->n_##TABLE ? &(INV)->TABLE[0].name : NULL,      \
         sizeof *(INV)->TABLE, (INV)->n_##TABLE, (OUT), (ERR))

static bool
find(const char *kind, const char *name, const char *const *first,
     size_t stride, uint32_t n, uint32_t *out, struct dcp_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *candidate;

        memcpy(&candidate, (const char *)first + stride * i, sizeof candidate);
        if (!strcmp(candidate, name)) {
            *out = i;
            return true;
        }
    }
    return dcp_named_unknown(kind, name, first, stride, n, err);
}

/* Adds to a short list that stays ascending and distinct. */
static bool
add(uint32_t list[DCP_NEW_VM_MAX], struct dcp_ids *ids, uint32_t ix,
    struct dcp_error *err)
{
    uint32_t at = ids->n;

    if (ids->n && ids->ix != list) { /* The flavour's own list. */
        at = 0;
        ids->n = 0;
    }
    if (dcp_ids_contain(&(struct dcp_ids){ list, at }, ix)) {
        return true;
    }
    if (at == DCP_NEW_VM_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "more than %d of one key",
                        DCP_NEW_VM_MAX);
    }
    for (; at && list[at - 1] > ix; at--) {
        list[at] = list[at - 1];
    }
    list[at] = ix;
    ids->ix = list;
    ids->n++;
    return true;
}

static bool
parse_pool(struct parser *p, char *value, struct dcp_error *err)
{
    struct dcp_new_vm *o = p->out;
    char *colon = strrchr(value, ':');
    struct dcp_volume v = { .pool = dcp_pool_none() };

    if (!colon) {
        return dcp_fail(err, DCP_E_USAGE,
                        "'pool=%.40s' is not of the form pool=NAME:SIZE",
                        value);
    }
    *colon = '\0';
    if (o->n_volumes == DCP_NEW_VM_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "more than %d volumes",
                        DCP_NEW_VM_MAX);
    }
    if ((*value && !FIND(p->inv, pools, "pool", value, &v.pool.ix, err)) ||
        !dcp_parse_amount(DCP_DIM_SIZE, colon + 1, &v.size_mib, err)) {
        return false;
    }
    o->volumes[o->n_volumes++] = v;
    return true;
}

static bool
parse_tag(struct parser *p, const char *value, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->inv;
    uint32_t ix = DCP_IX_NONE;

    return find("tag", value, inv->tag_name, sizeof *inv->tag_name, inv->n_tags,
                &ix, err) &&
           add(p->out->tags, &p->out->vm.tags, ix, err);
}

static bool
parse_text(struct parser *p, const char *value, const char **out,
           struct dcp_error *err)
{
    *out = dcp_arena_strdup(p->arena, value);
    return *out || dcp_fail(err, DCP_E_NOMEM, "no memory for a VM");
}

static bool
parse_pair(struct parser *p, const char *key, char *value,
           struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->inv;
    struct dcp_new_vm *o = p->out;
    uint64_t number;
    uint32_t ix = DCP_IX_NONE;

    if (!strcmp(key, "vlan")) {
        return FIND(inv, vlans, "VLAN", value, &ix, err) &&
               add(o->vlans, &o->vm.vlans, ix, err);
    }
    if (!strcmp(key, "hypervisor")) {
        return FIND(inv, hypervisors, "hypervisor", value, &ix, err) &&
               add(o->hypervisors, &o->vm.hypervisors, ix, err);
    }
    if (!strcmp(key, "profile")) {
        return FIND(inv, profiles, "profile", value, &o->vm.profile.ix, err);
    }
    if (!strcmp(key, "pool")) {
        return parse_pool(p, value, err);
    }
    if (!strcmp(key, "tag")) {
        return parse_tag(p, value, err);
    }
    if (!strcmp(key, "os")) {
        o->vm.windows = !strncasecmp(value, "win", 3);
        return parse_text(p, value, &o->vm.os, err);
    }
    if (!strcmp(key, "generation")) {
        return find("CPU generation", value, inv->generation_name,
                    sizeof *inv->generation_name, inv->n_generations, &ix,
                    err) &&
               parse_text(p, value, &o->vm.cpu_generation_min, err);
    }
    if (!strcmp(key, "clock")) {
        if (!dcp_parse_amount(DCP_DIM_CPU, value, &number, err)) {
            return false;
        }
        o->vm.vcpu_mhz = number > 10000 ? 10000 : (uint32_t)number;
        return true;
    }
    return dcp_fail(err, DCP_E_USAGE,
                    "'%.40s' is not one of vlan, pool, os, tag, clock, "
                    "profile, hypervisor, generation",
                    key);
}

/* "4vcpu", "4vcpus"; false: not of that form. */
static bool
is_vcpus(const char *word, uint32_t *out)
{
    char *end;
    unsigned long long n = 0;

    for (end = (char *)(uintptr_t)word; *end >= '0' && *end <= '9'; end++) {
        n = n > 100000 ? n : 10 * n + (unsigned)(*end - '0');
    }
    if (end == word || (strcasecmp(end, "vcpu") && strcasecmp(end, "vcpus"))) {
        return false;
    }
    *out = n > 100000 ? UINT32_MAX : (uint32_t)n;
    return true;
}

static bool
parse_word(struct parser *p, char *word, bool first, struct dcp_error *err)
{
    struct dcp_new_vm *o = p->out;
    char *equals = strchr(word, '=');
    struct dcp_error ignored;

    if (equals) {
        *equals = '\0';
        return parse_pair(p, word, equals + 1, err);
    }
    if (is_vcpus(word, &o->vm.vcpus)) {
        return true;
    }
    if (dcp_parse_amount(DCP_DIM_SIZE, word, &o->vm.mem_mib, &ignored)) {
        return true;
    }
    for (uint32_t f = 0; first && f < p->inv->n_flavours; f++) {
        if (!strcmp(p->inv->flavours[f].name, word)) {
            o->vm = p->inv->flavours[f];
            return true;
        }
    }
    if (first && p->inv->n_flavours && !(word[0] >= '0' && word[0] <= '9')) {
        return dcp_named_unknown("flavour", word, &p->inv->flavours[0].name,
                                 sizeof *p->inv->flavours, p->inv->n_flavours,
                                 err);
    }
    return dcp_fail(err, DCP_E_USAGE,
                    "'%.40s' is none of 4vcpu, 16GiB, key=value%s", word,
                    first ? " or a flavour of the model" : "");
}

static bool
finish(struct parser *p, const char *tier, const char *tenant,
       struct dcp_error *err)
{
    struct dcp_vm *vm = &p->out->vm;

    if (tier && !FIND(p->inv, tiers, "tier", tier, &vm->tier.ix, err)) {
        return dcp_fail_in(err, "--tier");
    }
    if (tenant &&
        !FIND(p->inv, tenants, "tenant", tenant, &vm->tenant.ix, err)) {
        return dcp_fail_in(err, "--tenant");
    }
    if (dcp_tier_is_none(vm->tier) &&
        !FIND(p->inv, tiers, "tier", "default", &vm->tier.ix, err)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "the model has no tier 'default': name one with "
                        "--tier");
    }
    if (!vm->vcpus || vm->vcpus > 4096) {
        return dcp_fail(err, DCP_E_USAGE,
                        "a VM needs 1 to 4096 vCPUs, e.g. 4vcpu,16GiB");
    }
    if (!vm->mem_mib || vm->mem_mib > UINT32_MAX) {
        return dcp_fail(err, DCP_E_USAGE,
                        "a VM needs memory, e.g. 4vcpu,16GiB");
    }
    return true;
}

bool
dcp_new_vm_parse(const struct dcp_inventory *inv, struct dcp_arena *arena,
                 const char *spec, const char *tier, const char *tenant,
                 struct dcp_new_vm *out, struct dcp_error *err)
{
    struct parser p = { inv, arena, out };
    char *copy = (char *)(uintptr_t)dcp_arena_strdup(arena, spec);
    bool first = true;

    if (!copy) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a VM");
    }
    *out = (struct dcp_new_vm){
        .vm = { .host = dcp_host_none(),
                .tier = dcp_tier_none(),
                .tenant = dcp_tenant_none(),
                .application = dcp_application_none(),
                .profile = dcp_profile_none(),
                .os = "",
                .movable = true,
                .restart_priority = DCP_RESTART_NORMAL,
                .cpu_generation_min = "" },
    };
    for (char *word = copy, *next; word; word = next, first = false) {
        next = strchr(word, ',');
        if (next) {
            *next++ = '\0';
        }
        if (!parse_word(&p, word, first, err)) {
            return false;
        }
    }
    return finish(&p, tier, tenant, err);
}
