/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/named.h"

#include "model/base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *
name_at(const char *const *first, size_t stride, uint32_t i)
{
    const char *name;

    memcpy(&name, (const char *)first + stride * i, sizeof name);
    return name;
}

bool
dcp_named_unknown(const char *kind, const char *word, const char *const *first,
                  size_t stride, uint32_t n, struct dcp_error *err)
{
    DCP_FREE const char **names = malloc((n + 1u) * sizeof *names);
    uint32_t near = DCP_IX_NONE;

    for (uint32_t i = 0; names && i < n; i++) {
        names[i] = name_at(first, stride, i);
    }
    if (names && n) {
        near = dcp_text_nearest(word, names, n);
    }
    if (near == UINT32_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "%s '%.60s' is not in the model",
                        kind, word);
    }
    return dcp_fail(err, DCP_E_USAGE,
                    "%s '%.60s' is not in the model; did you mean '%.60s'?",
                    kind, word, names[near]);
}

/* Row of the table with that name, or DCP_IX_NONE. */
static uint32_t
find(const char *word, const char *const *first, size_t stride, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!strcmp(name_at(first, stride, i), word)) {
            return i;
        }
    }
    return DCP_IX_NONE;
}

#define FIND(WORD, TABLE, N)                                                   \
    ((N) ? find(WORD, &(TABLE)[0].name, sizeof(TABLE)[0], N) : DCP_IX_NONE)

static uint32_t
find_tag(const struct dcp_inventory *inv, const char *word)
{
    return inv->n_tags
               ? find(word, inv->tag_name, sizeof *inv->tag_name, inv->n_tags)
               : DCP_IX_NONE;
}

static const char *
after(const char *word, const char *prefix)
{
    size_t n = strlen(prefix);

    return !strncmp(word, prefix, n) && word[n] == ':' ? word + n + 1 : NULL;
}

static bool
is_glob(const char *word)
{
    return strpbrk(word, "*?") != NULL;
}

/* --- Pools -------------------------------------------------------------- */

bool
dcp_named_pools(const struct dcp_inventory *inv, const char *word,
                uint8_t out_mark[], bool *out_is_pool, struct dcp_error *err)
{
    const char *name = after(word, "pool");
    uint32_t n = 0;

    *out_is_pool = name != NULL;
    for (uint32_t i = 0; name && i < inv->n_pools; i++) {
        if (is_glob(name) ? dcp_text_glob(name, inv->pools[i].name)
                          : !strcmp(name, inv->pools[i].name)) {
            out_mark[i] = 1;
            n++;
        }
    }
    if (!name || n) {
        return true;
    }
    return inv->n_pools ? dcp_named_unknown("pool", name, &inv->pools[0].name,
                                            sizeof inv->pools[0], inv->n_pools,
                                            err)
                        : dcp_fail(err, DCP_E_USAGE,
                                   "the model has no storage pools");
}

/* --- Hosts -------------------------------------------------------------- */

enum host_by { BY_GLOB, BY_TAG, BY_RACK, BY_ROOM, BY_SITE, BY_HARDWARE };

static enum host_by
read_host_word(const struct dcp_inventory *inv, const char *word,
               uint32_t *out_want)
{
    const char *rest;

    if ((rest = after(word, "tag"))) {
        *out_want = find_tag(inv, rest);
        return BY_TAG;
    }
    if ((rest = after(word, "rack"))) {
        *out_want = FIND(rest, inv->racks, inv->n_racks);
        return BY_RACK;
    }
    if ((rest = after(word, "room"))) {
        *out_want = FIND(rest, inv->rooms, inv->n_rooms);
        return BY_ROOM;
    }
    if ((rest = after(word, "site"))) {
        *out_want = FIND(rest, inv->sites, inv->n_sites);
        return BY_SITE;
    }
    if ((rest = after(word, "hardware"))) {
        *out_want = FIND(rest, inv->hardware, inv->n_hardware);
        return BY_HARDWARE;
    }
    *out_want = is_glob(word) ? 0 : DCP_IX_NONE;
    return BY_GLOB;
}

static bool
host_matches(const struct dcp_inventory *inv, uint32_t h, enum host_by by,
             uint32_t want, const char *word)
{
    const struct dcp_host *host = &inv->hosts[h];

    switch (by) {
    case BY_GLOB:
        return dcp_text_glob(word, host->name);
    case BY_TAG:
        return dcp_ids_contain(&host->tags, want);
    case BY_RACK:
        return host->rack.ix == want;
    case BY_ROOM:
        return dcp_host_room(inv, (dcp_host_id){ h }).ix == want;
    case BY_SITE:
        return dcp_host_site(inv, (dcp_host_id){ h }).ix == want;
    case BY_HARDWARE:
        return host->hardware.ix == want;
    }
    return false;
}

bool
dcp_named_hosts(const struct dcp_inventory *inv, uint32_t n,
                char *const words[], uint8_t out_mark[], struct dcp_error *err)
{
    for (uint32_t w = 0; w < n; w++) {
        dcp_host_id one = dcp_inventory_find_host(inv, words[w]);
        uint32_t want = DCP_IX_NONE, found = 0;

        if (!dcp_host_is_none(one)) {
            out_mark[one.ix] = 1;
            continue;
        }
        enum host_by by = read_host_word(inv, words[w], &want);

        for (uint32_t h = 0; want != DCP_IX_NONE && h < inv->n_hosts; h++) {
            if (host_matches(inv, h, by, want, words[w])) {
                out_mark[h] = 1;
                found++;
            }
        }
        if (!found && (by != BY_GLOB || is_glob(words[w]))) {
            return dcp_fail(err, DCP_E_USAGE, "'%.60s' selects no host",
                            words[w]);
        }
        if (!found) {
            return dcp_named_host(inv, words[w], &one, err);
        }
    }
    return true;
}

bool
dcp_named_host(const struct dcp_inventory *inv, const char *name,
               dcp_host_id *out, struct dcp_error *err)
{
    *out = dcp_inventory_find_host(inv, name);
    return !dcp_host_is_none(*out) ||
           dcp_named_unknown("host", name,
                             inv->n_hosts ? &inv->hosts[0].name : NULL,
                             sizeof *inv->hosts, inv->n_hosts, err);
}

/* --- VMs ---------------------------------------------------------------- */

static bool
vm_matches(const struct dcp_inventory *inv, uint32_t v, const char *word)
{
    const struct dcp_vm *vm = &inv->vms[v];
    const char *rest;

    if ((rest = after(word, "tag"))) {
        uint32_t tag = find_tag(inv, rest);

        return tag != DCP_IX_NONE && dcp_ids_contain(&vm->tags, tag);
    }
    if ((rest = after(word, "tier"))) {
        return !strcmp(inv->tiers[vm->tier.ix].name, rest);
    }
    if ((rest = after(word, "tenant"))) {
        return !dcp_tenant_is_none(vm->tenant) &&
               !strcmp(inv->tenants[vm->tenant.ix].name, rest);
    }
    return is_glob(word) && dcp_text_glob(word, vm->name);
}

bool
dcp_named_vms(const struct dcp_inventory *inv, uint32_t n, char *const words[],
              uint8_t out_mark[], struct dcp_error *err)
{
    for (uint32_t w = 0; w < n; w++) {
        dcp_vm_id one = dcp_inventory_find_vm(inv, words[w]);
        uint32_t found = 0;

        if (!dcp_vm_is_none(one)) {
            out_mark[one.ix] = 1;
            continue;
        }
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            if (vm_matches(inv, v, words[w])) {
                out_mark[v] = 1;
                found++;
            }
        }
        if (!found && (strchr(words[w], ':') || is_glob(words[w]))) {
            return dcp_fail(err, DCP_E_USAGE, "'%.60s' selects no VM",
                            words[w]);
        }
        if (!found) {
            return dcp_named_vm(inv, words[w], &one, err);
        }
    }
    return true;
}

bool
dcp_named_vm(const struct dcp_inventory *inv, const char *name, dcp_vm_id *out,
             struct dcp_error *err)
{
    *out = dcp_inventory_find_vm(inv, name);
    return !dcp_vm_is_none(*out) ||
           dcp_named_unknown("VM", name, inv->n_vms ? &inv->vms[0].name : NULL,
                             sizeof *inv->vms, inv->n_vms, err);
}
