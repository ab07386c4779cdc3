/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/plan_reader.h"

#include "model/base/units.h"
#include "model/io/plan_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
dcp_plan_reader_fail(struct dcp_plan_reader *r, enum dcp_code code,
                     const char *key, const char *format, ...)
{
    char where[120] = "", what[240];
    va_list args;
    int n = snprintf(where, sizeof where, "%s", r->section);

    if (r->name && n >= 0 && (size_t)n < sizeof where) {
        n += snprintf(where + n, sizeof where - (size_t)n, ".%s", r->name);
    }
    if (r->index != SIZE_MAX && n >= 0 && (size_t)n < sizeof where) {
        n += snprintf(where + n, sizeof where - (size_t)n, "[%zu]", r->index);
    }
    if (key && n >= 0 && (size_t)n < sizeof where) {
        (void)snprintf(where + n, sizeof where - (size_t)n, "%s%s",
                       n ? "." : "", key);
    }
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return dcp_fail_at(r->err, code, (struct dcp_pos){ .path = r->path },
                       "%s%s%s", where, where[0] ? ": " : "", what);
}

void
dcp_plan_reader_enter(struct dcp_plan_reader *r, const char *section)
{
    r->section = section;
    r->name = NULL;
    r->index = SIZE_MAX;
}

bool
dcp_plan_reader_no_memory(struct dcp_plan_reader *r)
{
    return dcp_plan_reader_fail(r, DCP_E_NOMEM, NULL, "no memory");
}

static const char *
type_name(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "?";
}

json_t *
dcp_plan_reader_get(struct dcp_plan_reader *r, json_t *object, const char *key,
                    json_type type)
{
    json_t *value = json_object_get(object, key);

    if (!value) {
        (void)dcp_plan_reader_fail(r, DCP_E_PARSE, key, "is missing");
        return NULL;
    }
    if (json_typeof(value) != type) {
        (void)dcp_plan_reader_fail(r, DCP_E_PARSE, key, "expected %s, found %s",
                                   type_name(type),
                                   type_name(json_typeof(value)));
        return NULL;
    }
    return value;
}

bool
dcp_plan_reader_u64(struct dcp_plan_reader *r, json_t *object, const char *key,
                    uint64_t *out)
{
    const json_t *value = dcp_plan_reader_get(r, object, key, JSON_INTEGER);

    if (!value) {
        return false;
    }
    json_int_t i = json_integer_value(value);

    if (i < 0) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key, "is below 0");
    }
    *out = (uint64_t)i;
    return true;
}

bool
dcp_plan_reader_u32(struct dcp_plan_reader *r, json_t *object, const char *key,
                    uint32_t *out)
{
    uint64_t value = 0;

    if (!dcp_plan_reader_u64(r, object, key, &value)) {
        return false;
    }
    if (value > UINT32_MAX) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key,
                                    "%" PRIu64 " is out of range", value);
    }
    *out = (uint32_t)value;
    return true;
}

bool
dcp_plan_reader_size(struct dcp_plan_reader *r, json_t *object,
                     struct dcp_vm_size *out)
{
    uint32_t mem_mib = 0;

    if (!dcp_plan_reader_u32(r, object, "vcpus", &out->vcpus) ||
        !dcp_plan_reader_u32(r, object, "mem_mib", &mem_mib)) {
        return false;
    }
    out->mem_mib = mem_mib;
    return (out->vcpus && mem_mib) ||
           dcp_plan_reader_fail(r, DCP_E_PARSE, "size",
                                "a VM has at least 1 vCPU and 1 MiB");
}

bool
dcp_plan_reader_ms(struct dcp_plan_reader *r, json_t *object, const char *key,
                   int64_t *out)
{
    uint64_t value = 0;

    if (!dcp_plan_reader_u64(r, object, key, &value)) {
        return false;
    }
    if (value > (uint64_t)(1000 * 365 * DCP_DAY_MS)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key,
                                    "%" PRIu64 " ms is out of range", value);
    }
    *out = (int64_t)value;
    return true;
}

bool
dcp_plan_reader_double(struct dcp_plan_reader *r, json_t *object,
                       const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);

    if (!value || !json_is_number(value)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key, "%s",
                                    value ? "expected a number" : "is missing");
    }
    *out = json_number_value(value);
    return true;
}

bool
dcp_plan_reader_text(struct dcp_plan_reader *r, json_t *object, const char *key,
                     const char **out)
{
    const json_t *value = dcp_plan_reader_get(r, object, key, JSON_STRING);

    if (!value) {
        return false;
    }
    *out = dcp_arena_strndup(r->plan->arena, json_string_value(value),
                             json_string_length(value));
    return *out || dcp_plan_reader_fail(r, DCP_E_NOMEM, key, "no memory");
}

bool
dcp_plan_reader_instant(struct dcp_plan_reader *r, json_t *object,
                        const char *key, int64_t *out_ms)
{
    const json_t *value = dcp_plan_reader_get(r, object, key, JSON_STRING);
    struct dcp_error inner;

    if (!value) {
        return false;
    }
    if (!dcp_parse_instant(json_string_value(value), out_ms, &inner)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key, "%s", inner.message);
    }
    return true;
}

bool
dcp_plan_reader_digest(struct dcp_plan_reader *r, json_t *object,
                       const char *key, char out[72])
{
    const json_t *value = json_object_get(object, key);

    out[0] = '\0';
    if (json_is_null(value)) {
        return true;
    }
    value = dcp_plan_reader_get(r, object, key, JSON_STRING);
    if (!value) {
        return false;
    }
    const char *text = json_string_value(value);

    if (strlen(text) != 71 || strncmp(text, "sha256:", 7) != 0 ||
        strspn(text + 7, "0123456789abcdef") != 64) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key,
                                    "is no digest: expected 'sha256:' and 64 "
                                    "lower-case hex digits");
    }
    memcpy(out, text, 72);
    return true;
}

bool
dcp_plan_reader_object(struct dcp_plan_reader *r, json_t *object,
                       const char *key, struct dcp_object *out)
{
    const json_t *value = json_object_get(object, key);

    *out = (struct dcp_object){ .kind = DCP_OBJECT_NONE };
    if (json_is_null(value)) {
        return true;
    }
    value = dcp_plan_reader_get(r, object, key, JSON_STRING);
    if (!value) {
        return false;
    }
    if (!dcp_plan_read_object(r->inv, json_string_value(value), out)) {
        return dcp_plan_reader_fail(r, DCP_E_STALE, key,
                                    "'%s' is not in the model: plan again",
                                    json_string_value(value));
    }
    return true;
}

bool
dcp_plan_reader_vm(struct dcp_plan_reader *r, const char *name, uint32_t *out)
{
    *out = dcp_inventory_find_vm(r->inv, name).ix;
    return *out != DCP_IX_NONE ||
           dcp_plan_reader_fail(r, DCP_E_STALE, NULL,
                                "vm '%s' is not in the model: plan again",
                                name);
}

bool
dcp_plan_reader_host(struct dcp_plan_reader *r, const char *name, uint32_t *out)
{
    *out = dcp_inventory_find_host(r->inv, name).ix;
    return *out != DCP_IX_NONE ||
           dcp_plan_reader_fail(r, DCP_E_STALE, NULL,
                                "host '%s' is not in the model: plan again",
                                name);
}

typedef bool (*find_name)(struct dcp_plan_reader *, const char *name,
                          uint32_t *out);

/* 'whose': "VMs", for messages.  NULL: said why. */
static uint32_t *
read_names(struct dcp_plan_reader *r, json_t *object, const char *key,
           const char *whose, find_name find, uint32_t *out_n)
{
    json_t *list = dcp_plan_reader_get(r, object, key, JSON_ARRAY);
    size_t n = json_array_size(list);
    uint32_t *ix = list ? dcp_arena_array(r->plan->arena, uint32_t, n) : NULL;

    if (list && !ix) {
        (void)dcp_plan_reader_no_memory(r);
    }
    for (size_t i = 0; ix && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name) {
            (void)dcp_plan_reader_fail(r, DCP_E_PARSE, key,
                                       "expected names of %s", whose);
            return NULL;
        }
        if (!find(r, name, &ix[i])) {
            return NULL;
        }
    }
    *out_n = (uint32_t)n;
    return ix;
}

bool
dcp_plan_reader_vms(struct dcp_plan_reader *r, json_t *object, const char *key,
                    uint32_t **out, uint32_t *out_n)
{
    uint32_t n = 0;
    uint32_t *vms = read_names(r, object, key, "VMs", dcp_plan_reader_vm, &n);

    if (!vms) {
        return false;
    }
    *out = vms;
    *out_n = n;
    return true;
}

bool
dcp_plan_reader_hosts(struct dcp_plan_reader *r, json_t *object,
                      const char *key, dcp_host_id **out, uint32_t *out_n)
{
    uint32_t n = 0;
    const uint32_t *ix =
        read_names(r, object, key, "hosts", dcp_plan_reader_host, &n);
    dcp_host_id *hosts =
        ix ? dcp_arena_array(r->plan->arena, dcp_host_id, n) : NULL;

    if (!hosts) {
        return ix && dcp_plan_reader_no_memory(r);
    }
    for (uint32_t i = 0; i < n; i++) {
        hosts[i].ix = ix[i];
    }
    *out = hosts;
    *out_n = n;
    return true;
}

void *
dcp_plan_reader_by_leg(struct dcp_plan_reader *r, json_t *root, const char *key,
                       size_t size, dcp_plan_element_fn *parse, uint32_t *out_n)
{
    size_t n = 0;

    dcp_plan_reader_enter(r, "");
    json_t *all = dcp_plan_reader_get(r, root, key, JSON_OBJECT);

    if (!all) {
        return NULL;
    }
    dcp_plan_reader_enter(r, key);
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        const json_t *list =
            dcp_plan_reader_get(r, all, r->plan->legs[i].name, JSON_ARRAY);

        if (!list) {
            return NULL;
        }
        n += json_array_size(list);
    }
    char *elements = dcp_arena_calloc(r->plan->arena, n, size);

    if (!elements) {
        (void)dcp_plan_reader_no_memory(r);
        return NULL;
    }
    *out_n = 0;
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        const json_t *list = json_object_get(all, r->plan->legs[i].name);

        r->name = r->plan->legs[i].name;
        for (r->index = 0; r->index < json_array_size(list); r->index++) {
            if (!parse(r, json_array_get(list, r->index), i,
                       elements + size * (*out_n)++)) {
                return NULL;
            }
        }
        r->index = SIZE_MAX;
    }
    dcp_plan_reader_enter(r, "");
    return elements;
}
