/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/plan_text.h"

#include "model/io/json_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
write_named(struct dcp_json *w, const char *kind, const char *name,
            const char *rest)
{
    char small[160];
    size_t size = strlen(kind) + strlen(name) + strlen(rest) + 2;
    DCP_FREE char *large = size > sizeof small ? malloc(size) : NULL;
    char *text = size > sizeof small ? large : small;

    if (!text) {
        w->text.failed = true;
        return;
    }
    (void)snprintf(text, size, "%s:%s%s", kind, name, rest);
    dcp_json_string(w, text);
}

void
dcp_plan_write_object(struct dcp_json *w, const struct dcp_inventory *inv,
                      struct dcp_object object)
{
    const char *kind = dcp_object_kind_name(object.kind);

    if (object.kind == DCP_OBJECT_NONE) {
        dcp_json_null(w);
    } else if (object.kind == DCP_OBJECT_VOLUME) {
        const struct dcp_vm *vm = &inv->vms[inv->volumes[object.ix].vm.ix];
        char rest[16];

        (void)snprintf(rest, sizeof rest, "/%u", object.ix - vm->first_volume);
        write_named(w, kind, vm->name, rest);
    } else {
        write_named(w, kind, dcp_object_name(inv, object), "");
    }
}

void
dcp_plan_key_object(struct dcp_json *w, const struct dcp_inventory *inv,
                    struct dcp_object object)
{
    if (object.kind != DCP_OBJECT_VOLUME) {
        dcp_json_key(w, dcp_object_name(inv, object));
        return;
    }
    const struct dcp_vm *vm = &inv->vms[inv->volumes[object.ix].vm.ix];
    size_t size = strlen(vm->name) + 16;
    DCP_FREE char *text = malloc(size);

    if (!text) {
        w->text.failed = true;
        return;
    }
    (void)snprintf(text, size, "%s/%u", vm->name,
                   object.ix - vm->first_volume);
    dcp_json_key(w, text);
}

static bool
find_volume(const struct dcp_inventory *inv, const char *name, uint32_t *out)
{
    const char *slash = strrchr(name, '/');
    uint32_t k = 0;

    if (!slash || !slash[1] || strlen(slash) > 8) {
        return false;
    }
    for (const char *p = slash + 1; *p; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
        k = 10 * k + (uint32_t)(*p - '0');
    }
    uint32_t vm =
        dcp_strmap_find_n(&inv->vm_by_name, name, (size_t)(slash - name));

    if (vm == DCP_STRMAP_NONE || k >= inv->vms[vm].n_volumes) {
        return false;
    }
    *out = inv->vms[vm].first_volume + k;
    return true;
}

/* Tables without a map are short: racks, feeds, pools, VLANs. */
#define FIND_IN(TABLE)                                                         \
    for (uint32_t i = 0; i < inv->n_##TABLE; i++) {                            \
        if (!strcmp(inv->TABLE[i].name, name)) {                               \
            *out = i;                                                          \
            return true;                                                       \
        }                                                                      \
    }                                                                          \
    return false

static bool
find(const struct dcp_inventory *inv, enum dcp_object_kind kind,
     const char *name, uint32_t *out)
{
    switch (kind) {
    case DCP_OBJECT_VM:
        *out = dcp_strmap_find(&inv->vm_by_name, name);
        return *out != DCP_STRMAP_NONE;
    case DCP_OBJECT_HOST:
        *out = dcp_strmap_find(&inv->host_by_name, name);
        return *out != DCP_STRMAP_NONE;
    case DCP_OBJECT_VOLUME:
        return find_volume(inv, name, out);
    case DCP_OBJECT_VLAN:
        FIND_IN(vlans);
    case DCP_OBJECT_POOL:
        FIND_IN(pools);
    case DCP_OBJECT_RACK:
        FIND_IN(racks);
    case DCP_OBJECT_FEED:
        FIND_IN(feeds);
    case DCP_OBJECT_NONE:
        break;
    }
    return false;
}

bool
dcp_plan_read_name(const struct dcp_inventory *inv, enum dcp_object_kind kind,
                   const char *name, struct dcp_object *out)
{
    out->kind = kind;
    return find(inv, kind, name, &out->ix);
}

bool
dcp_plan_read_object(const struct dcp_inventory *inv, const char *text,
                     struct dcp_object *out)
{
    const char *colon = strchr(text, ':');

    if (!colon) {
        return false;
    }
    size_t length = (size_t)(colon - text);

    for (unsigned k = DCP_OBJECT_VM; k <= DCP_OBJECT_FEED; k++) {
        const char *kind = dcp_object_kind_name((enum dcp_object_kind)k);

        if (strlen(kind) == length && !memcmp(kind, text, length)) {
            out->kind = (enum dcp_object_kind)k;
            return find(inv, out->kind, colon + 1, &out->ix);
        }
    }
    return false;
}

static void
write_fact(struct dcp_json *w, const struct dcp_inventory *inv,
           const struct dcp_fact *fact)
{
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "fact", dcp_fact_kind_name(fact->kind));
    dcp_json_key(w, "object");
    if (fact->kind == DCP_FACT_PORT_VLANS) {
        char nic[80];

        (void)snprintf(nic, sizeof nic, "/%s", fact->nic);
        write_named(w, "host", inv->hosts[fact->object.ix].name, nic);
    } else {
        dcp_plan_write_object(w, inv, fact->object);
    }
    dcp_json_key(w, "is");
    switch (fact->kind) {
    case DCP_FACT_VM_HOST:
    case DCP_FACT_VOLUME_POOL:
        dcp_plan_write_object(w, inv, fact->host);
        break;
    case DCP_FACT_VM_SIZE:
        dcp_json_size(w, fact->size);
        break;
    case DCP_FACT_VM_STATE:
    case DCP_FACT_HOST_POWER:
        dcp_json_string(w, fact->word);
        break;
    case DCP_FACT_HOST_VMS:
        dcp_json_begin(w, '[');
        dcp_json_end(w, ']');
        break;
    case DCP_FACT_PORT_VLANS:
        dcp_json_begin(w, '[');
        for (uint32_t i = 0; i < fact->vlans.n; i++) {
            dcp_json_string(w, inv->vlans[fact->vlans.ix[i]].name);
        }
        dcp_json_end(w, ']');
        break;
    }
    dcp_json_end(w, '}');
}

void
dcp_plan_write_facts(struct dcp_json *w, const struct dcp_inventory *inv,
                     const struct dcp_plan_facts *facts, uint32_t id)
{
    struct dcp_fact fact[DCP_STEP_FACTS_MAX];
    uint32_t n = dcp_plan_facts_of(facts, id, fact);

    dcp_json_begin(w, '[');
    for (uint32_t i = 0; i < n; i++) {
        write_fact(w, inv, &fact[i]);
    }
    dcp_json_end(w, ']');
}

void
dcp_plan_write_undo(struct dcp_json *w, const struct dcp_inventory *inv,
                    const struct dcp_step *step)
{
    struct dcp_undo undo;

    if (!dcp_step_undo(step, &undo)) {
        dcp_json_null(w);
        return;
    }
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "kind", dcp_step_kind_name(undo.kind));
    dcp_json_key(w, "object");
    dcp_plan_write_object(w, inv, undo.object);
    if (undo.from.kind != DCP_OBJECT_NONE) {
        dcp_json_key(w, "from");
        dcp_plan_write_object(w, inv, undo.from);
    }
    if (undo.to.kind != DCP_OBJECT_NONE) {
        dcp_json_key(w, "to");
        dcp_plan_write_object(w, inv, undo.to);
    }
    if (undo.kind == DCP_STEP_VM_RESIZE) {
        dcp_json_key(w, "size");
        dcp_json_size(w, undo.size_to);
    }
    dcp_json_end(w, '}');
}
