/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What refers to the legs: the promises at their ends, and the steps. */

#include "model/base/sort.h"
#include "model/io/plan_parse.h"
#include "model/io/plan_text.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_plan_find_leg(const struct dcp_plan *plan, const char *name, uint32_t *out)
{
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        if (!strcmp(plan->legs[i].name, name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* --- Survive lists ------------------------------------------------------ */

static bool
parse_restarts(struct dcp_plan_reader *r, json_t *restart,
               struct dcp_survive *s)
{
    size_t n = json_object_size(restart), i = 0;
    DCP_FREE uint32_t(*pairs)[2] = calloc(n + 1, sizeof *pairs);
    uint32_t *vms = dcp_arena_array(r->plan->arena, uint32_t, n);
    dcp_host_id *to = dcp_arena_array(r->plan->arena, dcp_host_id, n);
    const char *name;
    json_t *value;

    if (!pairs || !vms || !to) {
        return dcp_plan_reader_no_memory(r);
    }
    json_object_foreach(restart, name, value)
    {
        if (!json_is_string(value)) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "restart",
                                        "'%s': expected the name of a host",
                                        name);
        }
        if (!dcp_plan_reader_vm(r, name, &pairs[i][0]) ||
            !dcp_plan_reader_host(r, json_string_value(value), &pairs[i][1])) {
            return false;
        }
        i++;
    }
    dcp_sort_u32_pairs(pairs, n); /* They come in any order of names. */
    for (i = 0; i < n; i++) {
        vms[i] = pairs[i][0];
        to[i].ix = pairs[i][1];
    }
    s->vms = vms;
    s->to = to;
    s->n = (uint32_t)n;
    return true;
}

/* One object, or several that are lost at once. */
static bool
parse_lose(struct dcp_plan_reader *r, json_t *o, struct dcp_survive *s)
{
    json_t *list = json_object_get(o, "lose");

    if (!json_is_array(list)) {
        return dcp_plan_reader_object(r, o, "lose", &s->lose);
    }
    size_t n = json_array_size(list);
    struct dcp_object *all = dcp_arena_array(r->plan->arena, struct dcp_object,
                                             n);

    if (!all) {
        return dcp_plan_reader_no_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name || !dcp_plan_read_object(r->inv, name, &all[i])) {
            return dcp_plan_reader_fail(r, name ? DCP_E_STALE : DCP_E_PARSE,
                                        "lose",
                                        "'%s' is not in the model: plan again",
                                        name ? name : "");
        }
    }
    if (n) {
        s->lose = all[0];
        s->also = all + 1;
        s->n_also = (uint32_t)n - 1;
    }
    return true;
}

static bool
parse_loss(struct dcp_plan_reader *r, json_t *o, uint32_t leg, void *out)
{
    struct dcp_survive *s = out;
    json_t *restart;
    dcp_host_id *stand_ins;
    uint32_t *vms;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    s->leg = leg;
    if (!parse_lose(r, o, s) ||
        !(restart = dcp_plan_reader_get(r, o, "restart", JSON_OBJECT)) ||
        !parse_restarts(r, restart, s)) {
        return false;
    }
    if (json_object_get(o, "stand_ins")) {
        if (!dcp_plan_reader_hosts(r, o, "stand_ins", &stand_ins,
                                   &s->n_stand_ins)) {
            return false;
        }
        s->stand_ins = stand_ins;
    }
    if (json_object_get(o, "not_protected")) {
        if (!dcp_plan_reader_vms(r, o, "not_protected", &vms,
                                 &s->n_not_protected)) {
            return false;
        }
        dcp_sort_u32(vms, s->n_not_protected);
        s->not_protected = vms;
    }
    return true;
}

bool
dcp_plan_parse_survive(struct dcp_plan_reader *r, json_t *root)
{
    struct dcp_plan *plan = r->plan;

    plan->survive =
        dcp_plan_reader_by_leg(r, root, "survive", sizeof *plan->survive,
                               parse_loss, &plan->n_survive);
    if (plan->survive && json_object_get(root, "no_boot")) {
        plan->no_boot =
            dcp_plan_reader_by_leg(r, root, "no_boot", sizeof *plan->no_boot,
                                   parse_loss, &plan->n_no_boot);
        return plan->no_boot != NULL;
    }
    return plan->survive != NULL;
}

/* --- Steps -------------------------------------------------------------- */

static bool
parse_after(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    const json_t *list = dcp_plan_reader_get(r, o, "after", JSON_ARRAY);

    if (!list) {
        return false;
    }
    size_t n = json_array_size(list);
    uint32_t *after = dcp_arena_array(r->plan->arena, uint32_t, n);

    if (!after) {
        return dcp_plan_reader_no_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        json_int_t id = json_integer_value(value);

        if (!json_is_integer(value) || id < 1 || id > UINT32_MAX) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "after",
                                        "expected ids of steps");
        }
        after[i] = (uint32_t)id;
    }
    dcp_sort_u32(after, n);
    s->after = after;
    s->n_after = (uint32_t)n;
    return true;
}

static bool
parse_reason(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    const char *code;
    json_t *reason = dcp_plan_reader_get(r, o, "reason", JSON_OBJECT);

    if (!reason || !dcp_plan_reader_text(r, reason, "code", &code) ||
        !dcp_plan_reader_text(r, reason, "text", &s->reason_text)) {
        return false;
    }
    if (!dcp_reason_parse(code, &s->reason)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "reason.code",
                                    "'%s' is not a reason we know", code);
    }
    return !json_object_get(reason, "frees") ||
           dcp_plan_reader_object(r, reason, "frees", &s->frees);
}

static bool
parse_hypervisor(struct dcp_plan_reader *r, json_t *o, const char *key,
                 dcp_hypervisor_id *out)
{
    const struct dcp_inventory *inv = r->inv;
    const char *name;

    if (!dcp_plan_reader_text(r, o, key, &name)) {
        return false;
    }
    for (uint32_t i = 0; i < inv->n_hypervisors; i++) {
        if (!strcmp(inv->hypervisors[i].name, name)) {
            out->ix = i;
            return true;
        }
    }
    return dcp_plan_reader_fail(r, DCP_E_PARSE, key,
                                "'%.60s' is not a hypervisor of the model",
                                name);
}

static bool
parse_conversion(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    if (!json_object_get(o, "convert")) {
        return true;
    }
    o = dcp_plan_reader_get(r, o, "convert", JSON_OBJECT);
    s->converts = o != NULL;
    return o && parse_hypervisor(r, o, "from", &s->convert_from) &&
           parse_hypervisor(r, o, "to", &s->convert_to) &&
           dcp_plan_reader_ms(r, o, "downtime_ms", &s->downtime_ms);
}

static bool
parse_migration(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    json_t *cold = json_object_get(o, "cold");

    if (cold && !json_is_boolean(cold)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "cold",
                                    "expected true or false");
    }
    s->cold = json_is_true(cold);
    if (!parse_conversion(r, o, s)) {
        return false;
    }
    if (!json_object_get(o, "precopy")) {
        return true;
    }
    o = dcp_plan_reader_get(r, o, "precopy", JSON_OBJECT);
    return o && dcp_plan_reader_u32(r, o, "mem_mib", &s->mem_mib) &&
           dcp_plan_reader_u32(r, o, "dirty_mib_s", &s->dirty_mib_s) &&
           dcp_plan_reader_u32(r, o, "bandwidth_mib_s", &s->bandwidth_mib_s) &&
           dcp_plan_reader_u32(r, o, "rounds", &s->rounds) &&
           dcp_plan_reader_ms(r, o, "downtime_ms", &s->downtime_ms);
}

static bool
parse_resize(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    json_t *from, *to;

    if (!json_object_get(o, "size")) {
        return true;
    }
    o = dcp_plan_reader_get(r, o, "size", JSON_OBJECT);
    return o && (from = dcp_plan_reader_get(r, o, "from", JSON_OBJECT)) &&
           (to = dcp_plan_reader_get(r, o, "to", JSON_OBJECT)) &&
           dcp_plan_reader_size(r, from, &s->size_from) &&
           dcp_plan_reader_size(r, to, &s->size_to);
}

static bool
parse_when(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    if (!json_object_get(o, "when")) {
        return true;
    }
    o = dcp_plan_reader_get(r, o, "when", JSON_OBJECT);
    return o &&
           (!json_object_get(o, "not_before") ||
            dcp_plan_reader_instant(r, o, "not_before", &s->not_before_ms)) &&
           (!json_object_get(o, "start_by") ||
            dcp_plan_reader_instant(r, o, "start_by", &s->start_by_ms)) &&
           dcp_plan_reader_text(r, o, "because", &s->when_text);
}

static bool
parse_step(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    const json_t *leg, *kind;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    if (!dcp_plan_reader_u32(r, o, "id", &s->id) ||
        !(leg = dcp_plan_reader_get(r, o, "leg", JSON_STRING)) ||
        !(kind = dcp_plan_reader_get(r, o, "kind", JSON_STRING)) ||
        !dcp_plan_reader_object(r, o, "object", &s->object) ||
        !dcp_plan_reader_object(r, o, "from", &s->from) ||
        !dcp_plan_reader_object(r, o, "to", &s->to) || !parse_after(r, o, s) ||
        !dcp_plan_reader_ms(r, o, "estimate_ms", &s->estimate_ms) ||
        !parse_when(r, o, s) || !parse_reason(r, o, s) ||
        !parse_migration(r, o, s) ||
        !parse_resize(r, o, s)) {
        return false;
    }
    if (s->id != r->index + 1) {
        return dcp_plan_reader_fail(
            r, DCP_E_PARSE, "id", "is %u: ids count from 1 in the listed order",
            s->id);
    }
    if (!dcp_plan_find_leg(r->plan, json_string_value(leg), &s->leg)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "leg", "'%s' is not a leg",
                                    json_string_value(leg));
    }
    if (!dcp_step_kind_parse(json_string_value(kind), &s->kind)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "kind",
                                    "'%s' is not a kind of step",
                                    json_string_value(kind));
    }
    return true;
}

bool
dcp_plan_parse_steps(struct dcp_plan_reader *r, json_t *root)
{
    dcp_plan_reader_enter(r, "");
    const json_t *list = dcp_plan_reader_get(r, root, "steps", JSON_ARRAY);

    if (!list) {
        return false;
    }
    size_t n = json_array_size(list);
    struct dcp_step *steps =
        dcp_arena_array(r->plan->arena, struct dcp_step, n);

    if (!steps || n >= UINT32_MAX) {
        return dcp_plan_reader_no_memory(r);
    }
    dcp_plan_reader_enter(r, "steps");
    for (r->index = 0; r->index < n; r->index++) {
        if (!parse_step(r, json_array_get(list, r->index), &steps[r->index])) {
            return false;
        }
    }
    r->plan->steps = steps;
    r->plan->n_steps = (uint32_t)n;
    return true;
}
