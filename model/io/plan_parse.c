/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The digest scan goes first: it bounds the nesting before the JSON library
 * sees the text.  Its result is compared last, so that an edited plan that is
 * also malformed is told what is malformed. */

#include "model/io/plan_file.h"
#include "model/io/plan_reader.h"
#include "model/io/plan_text.h"

#include <string.h>

static bool
no_memory(struct dcp_plan_reader *r)
{
    return dcp_plan_reader_fail(r, DCP_E_NOMEM, NULL, "no memory");
}

static void
enter(struct dcp_plan_reader *r, const char *section)
{
    r->section = section;
    r->name = NULL;
    r->index = SIZE_MAX;
}

/* Writes a tree as the printer would: on one line. */
static void
dump(struct dcp_json *w, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *member;

        dcp_json_begin_line(w, '{');
        json_object_foreach(value, key, member)
        {
            dcp_json_key(w, key);
            dump(w, member);
        }
        dcp_json_end(w, '}');
        break;
    }
    case JSON_ARRAY:
        dcp_json_begin_line(w, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            dump(w, json_array_get(value, i));
        }
        dcp_json_end(w, ']');
        break;
    case JSON_STRING:
        dcp_json_string(w, json_string_value(value));
        break;
    case JSON_INTEGER:
        dcp_json_i64(w, json_integer_value(value));
        break;
    case JSON_REAL:
        dcp_json_double(w, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        dcp_json_bool(w, json_is_true(value));
        break;
    case JSON_NULL:
        dcp_json_null(w);
        break;
    }
}

static bool
parse_options(struct dcp_plan_reader *r, json_t *options)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dump(&w, options);
    const char *text = dcp_json_text(&w);

    if (text) {
        size_t length = w.text.length;

        length -= length && text[length - 1] == '\n';
        r->plan->options_json = dcp_arena_strndup(r->plan->arena, text, length);
    }
    dcp_json_finish(&w);
    return (text && r->plan->options_json) || no_memory(r);
}

static bool
parse_head(struct dcp_plan_reader *r, json_t *root)
{
    struct dcp_plan *plan = r->plan;
    json_t *o, *options;
    const char *schema;

    if (!dcp_plan_reader_text(r, root, "schema", &schema)) {
        return false;
    }
    if (strcmp(schema, DCP_PLAN_SCHEMA) != 0) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "schema",
                                    "'%s' is not a plan: expected '%s'", schema,
                                    DCP_PLAN_SCHEMA);
    }
    if (!(o = dcp_plan_reader_get(r, root, "model", JSON_OBJECT))) {
        return false;
    }
    enter(r, "model");
    if (!dcp_plan_reader_text(r, o, "lineage", &plan->lineage) ||
        !dcp_plan_reader_u64(r, o, "serial", &plan->serial) ||
        !dcp_plan_reader_digest(r, o, "digest", plan->model_digest)) {
        return false;
    }
    enter(r, "");
    if (!json_is_null(json_object_get(root, "traces"))) {
        if (!(o = dcp_plan_reader_get(r, root, "traces", JSON_OBJECT))) {
            return false;
        }
        enter(r, "traces");
        if (!dcp_plan_reader_digest(r, o, "digest", plan->traces_digest) ||
            !dcp_plan_reader_instant(r, o, "from", &plan->traces_from_ms) ||
            !dcp_plan_reader_instant(r, o, "until", &plan->traces_until_ms) ||
            !dcp_plan_reader_u32(r, o, "vms_without_trace",
                                 &plan->vms_without_trace)) {
            return false;
        }
        enter(r, "");
    }
    if (!(o = dcp_plan_reader_get(r, root, "policy", JSON_OBJECT))) {
        return false;
    }
    enter(r, "policy");
    if (!dcp_plan_reader_digest(r, o, "digest", plan->policy_digest)) {
        return false;
    }
    enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "tool", JSON_OBJECT))) {
        return false;
    }
    enter(r, "tool");
    if (!dcp_plan_reader_text(r, o, "version", &plan->tool_version) ||
        !dcp_plan_reader_u64(r, o, "seed", &plan->seed) ||
        !(options = dcp_plan_reader_get(r, o, "options", JSON_OBJECT)) ||
        !parse_options(r, options)) {
        return false;
    }
    enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "valid", JSON_OBJECT))) {
        return false;
    }
    enter(r, "valid");
    return dcp_plan_reader_instant(r, o, "not_before", &plan->not_before_ms) &&
           dcp_plan_reader_instant(r, o, "not_after", &plan->not_after_ms);
}

static bool
find_leg(const struct dcp_plan *plan, const char *name, uint32_t *out)
{
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        if (!strcmp(plan->legs[i].name, name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool
parse_leg(struct dcp_plan_reader *r, json_t *o)
{
    struct dcp_leg *leg = &r->plan->legs[r->plan->n_legs];
    uint32_t other;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    if (!dcp_plan_reader_text(r, o, "leg", &leg->name) ||
        !dcp_plan_reader_instant(r, o, "start", &leg->start_ms) ||
        !dcp_plan_reader_instant(r, o, "deadline", &leg->deadline_ms) ||
        !dcp_plan_reader_instant(r, o, "buckets_until",
                                 &leg->buckets_until_ms)) {
        return false;
    }
    if (find_leg(r->plan, leg->name, &other)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "leg",
                                    "'%s' is there twice", leg->name);
    }
    r->plan->n_legs++;
    return true;
}

static bool
parse_legs(struct dcp_plan_reader *r, json_t *root)
{
    enter(r, "");
    json_t *legs = dcp_plan_reader_get(r, root, "legs", JSON_ARRAY);

    if (!legs) {
        return false;
    }
    size_t n = json_array_size(legs);

    if (!n || n > DCP_LEGS_MAX) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "legs",
                                    "expected 1 to %d legs, found %zu",
                                    DCP_LEGS_MAX, n);
    }
    enter(r, "legs");
    for (size_t i = 0; i < n; i++) {
        r->index = i;
        if (!parse_leg(r, json_array_get(legs, i))) {
            return false;
        }
    }
    enter(r, "");
    json_t *limits = dcp_plan_reader_get(r, root, "limits", JSON_OBJECT);
    struct dcp_plan_limits *l = &r->plan->limits;

    enter(r, "limits");
    return limits &&
           dcp_plan_reader_u32(r, limits, "out_per_host", &l->out_per_host) &&
           dcp_plan_reader_u32(r, limits, "in_per_host", &l->in_per_host) &&
           dcp_plan_reader_u32(r, limits, "units_per_10Gbit",
                               &l->units_per_10gbit) &&
           dcp_plan_reader_u32(r, limits, "host_off_at_once",
                               &l->host_off_at_once);
}

static bool
parse_placement(struct dcp_plan_reader *r, json_t *o,
                struct dcp_placement **out)
{
    const char *name;
    json_t *value;
    size_t i;
    json_t *vms = dcp_plan_reader_get(r, o, "vms", JSON_OBJECT);
    json_t *off = dcp_plan_reader_get(r, o, "hosts_off", JSON_ARRAY);

    if (!vms || !off) {
        return false;
    }
    *out = dcp_placement_create(r->inv, r->err);
    if (!*out) {
        return false;
    }
    memset((*out)->on, 1, r->inv->n_hosts);
    json_object_foreach(vms, name, value)
    {
        uint32_t vm;

        if (!dcp_plan_reader_vm(r, name, &vm)) {
            return false;
        }
        if (!json_is_string(value)) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "vms",
                                        "'%s': expected the name of a host",
                                        name);
        }
        if (!dcp_plan_reader_host(r, json_string_value(value),
                                  &(*out)->host[vm].ix)) {
            return false;
        }
    }
    json_array_foreach(off, i, value)
    {
        uint32_t host;

        if (!json_is_string(value)) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "hosts_off",
                                        "expected names of hosts");
        }
        if (!dcp_plan_reader_host(r, json_string_value(value), &host)) {
            return false;
        }
        (*out)->on[host] = 0;
    }
    return true;
}

static bool
parse_states(struct dcp_plan_reader *r, json_t *root)
{
    enter(r, "");
    json_t *before = dcp_plan_reader_get(r, root, "before", JSON_OBJECT);
    json_t *after = dcp_plan_reader_get(r, root, "after", JSON_OBJECT);

    if (!before || !after) {
        return false;
    }
    enter(r, "before");
    if (!parse_placement(r, before, &r->plan->before)) {
        return false;
    }
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        struct dcp_leg *leg = &r->plan->legs[i];

        enter(r, "after");
        json_t *o = dcp_plan_reader_get(r, after, leg->name, JSON_OBJECT);

        r->name = leg->name;
        if (!o || !parse_placement(r, o, &leg->after)) {
            return false;
        }
    }
    enter(r, "after");
    if (json_object_size(after) != r->plan->n_legs) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL,
                                    "names a leg that is not in 'legs'");
    }
    return true;
}

/* --- Survive lists ------------------------------------------------------ */

struct pair { /* What is sorted: restarts come in any order of names. */
    uint32_t vm;
    dcp_host_id to;
};

static int
compare_pairs(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;

    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

static bool
parse_restarts(struct dcp_plan_reader *r, json_t *restart,
               struct dcp_survive *s)
{
    size_t n = json_object_size(restart), i = 0;
    struct pair *pairs = dcp_arena_array(r->plan->arena, struct pair, n);
    uint32_t *vms = dcp_arena_array(r->plan->arena, uint32_t, n);
    dcp_host_id *to = dcp_arena_array(r->plan->arena, dcp_host_id, n);
    const char *name;
    json_t *value;

    if (!pairs || !vms || !to) {
        return no_memory(r);
    }
    json_object_foreach(restart, name, value)
    {
        if (!json_is_string(value)) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "restart",
                                        "'%s': expected the name of a host",
                                        name);
        }
        if (!dcp_plan_reader_vm(r, name, &pairs[i].vm) ||
            !dcp_plan_reader_host(r, json_string_value(value),
                                  &pairs[i].to.ix)) {
            return false;
        }
        i++;
    }
    if (n > 1) {
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    }
    for (i = 0; i < n; i++) {
        vms[i] = pairs[i].vm;
        to[i] = pairs[i].to;
    }
    s->vms = vms;
    s->to = to;
    s->n = (uint32_t)n;
    return true;
}

static int
compare_u32(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

    return a < b ? -1 : a > b;
}

static bool
parse_not_protected(struct dcp_plan_reader *r, json_t *list,
                    struct dcp_survive *s)
{
    size_t n = json_array_size(list);
    uint32_t *vms = dcp_arena_array(r->plan->arena, uint32_t, n);

    if (!vms) {
        return no_memory(r);
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "not_protected",
                                        "expected names of VMs");
        }
        if (!dcp_plan_reader_vm(r, name, &vms[i])) {
            return false;
        }
    }
    if (n > 1) {
        qsort(vms, n, sizeof *vms, compare_u32);
    }
    s->not_protected = vms;
    s->n_not_protected = (uint32_t)n;
    return true;
}

static bool
parse_loss(struct dcp_plan_reader *r, json_t *o, struct dcp_survive *s)
{
    json_t *restart, *list;

    if (!json_is_object(o)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL, "expected an object");
    }
    if (!dcp_plan_reader_object(r, o, "lose", &s->lose) ||
        !(restart = dcp_plan_reader_get(r, o, "restart", JSON_OBJECT)) ||
        !parse_restarts(r, restart, s)) {
        return false;
    }
    if (!json_object_get(o, "not_protected")) {
        return true;
    }
    list = dcp_plan_reader_get(r, o, "not_protected", JSON_ARRAY);
    return list && parse_not_protected(r, list, s);
}

static bool
parse_survive(struct dcp_plan_reader *r, json_t *root)
{
    size_t n = 0;

    enter(r, "");
    json_t *all = dcp_plan_reader_get(r, root, "survive", JSON_OBJECT);

    if (!all) {
        return false;
    }
    enter(r, "survive");
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        const json_t *list =
            dcp_plan_reader_get(r, all, r->plan->legs[i].name, JSON_ARRAY);

        if (!list) {
            return false;
        }
        n += json_array_size(list);
    }
    struct dcp_survive *survive =
        dcp_arena_array(r->plan->arena, struct dcp_survive, n);

    if (!survive) {
        return no_memory(r);
    }
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        const json_t *list = json_object_get(all, r->plan->legs[i].name);

        r->name = r->plan->legs[i].name;
        for (r->index = 0; r->index < json_array_size(list); r->index++) {
            struct dcp_survive *s = &survive[r->plan->n_survive++];

            s->leg = i;
            if (!parse_loss(r, json_array_get(list, r->index), s)) {
                return false;
            }
        }
        r->index = SIZE_MAX;
    }
    r->plan->survive = survive;
    return true;
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
        return no_memory(r);
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
    if (n > 1) {
        qsort(after, n, sizeof *after, compare_u32);
    }
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
parse_migration(struct dcp_plan_reader *r, json_t *o, struct dcp_step *s)
{
    json_t *cold = json_object_get(o, "cold");

    if (cold && !json_is_boolean(cold)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "cold",
                                    "expected true or false");
    }
    s->cold = json_is_true(cold);
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
        !parse_reason(r, o, s) || !parse_migration(r, o, s)) {
        return false;
    }
    if (s->id != r->index + 1) {
        return dcp_plan_reader_fail(
            r, DCP_E_PARSE, "id", "is %u: ids count from 1 in the listed order",
            s->id);
    }
    if (!find_leg(r->plan, json_string_value(leg), &s->leg)) {
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

static bool
parse_steps(struct dcp_plan_reader *r, json_t *root)
{
    enter(r, "");
    const json_t *list = dcp_plan_reader_get(r, root, "steps", JSON_ARRAY);

    if (!list) {
        return false;
    }
    size_t n = json_array_size(list);
    struct dcp_step *steps =
        dcp_arena_array(r->plan->arena, struct dcp_step, n);

    if (!steps || n >= UINT32_MAX) {
        return no_memory(r);
    }
    enter(r, "steps");
    for (r->index = 0; r->index < n; r->index++) {
        if (!parse_step(r, json_array_get(list, r->index), &steps[r->index])) {
            return false;
        }
    }
    r->plan->steps = steps;
    r->plan->n_steps = (uint32_t)n;
    return true;
}

/* Compares one derived member of a step with what the file says. */
static bool
matches(struct dcp_plan_reader *r, json_t *o, const char *key,
        struct dcp_json *want)
{
    struct dcp_json have;
    json_t *value = json_object_get(o, key);

    if (!value) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, key, "is missing");
    }
    dcp_json_init(&have, false);
    dump(&have, value);
    bool memory = !have.text.failed && !want->text.failed;
    bool same =
        memory && !strcmp(dcp_text_get(&have.text), dcp_text_get(&want->text));

    dcp_json_finish(&have);
    if (!memory) {
        return no_memory(r);
    }
    return same ||
           dcp_plan_reader_fail(r, DCP_E_STALE, key,
                                "is not what follows from the step and the "
                                "model: expected %.150s",
                                dcp_text_get(&want->text));
}

static bool
verify_derived(struct dcp_plan_reader *r, json_t *root)
{
    const json_t *list = json_object_get(root, "steps");
    DCP_AUTO(dcp_plan_facts)
    struct dcp_plan_facts *facts =
        dcp_plan_facts_create(r->inv, r->plan, r->err);
    struct dcp_json w;
    bool ok = facts != NULL;

    enter(r, "steps");
    for (r->index = 0; ok && r->index < r->plan->n_steps; r->index++) {
        json_t *o = json_array_get(list, r->index);

        dcp_json_init(&w, false);
        dcp_plan_write_facts(&w, r->inv, facts, (uint32_t)r->index + 1);
        ok = matches(r, o, "preconditions", &w);
        dcp_json_finish(&w);
        if (ok) {
            dcp_json_init(&w, false);
            dcp_plan_write_undo(&w, r->inv, &r->plan->steps[r->index]);
            ok = matches(r, o, "undo", &w);
            dcp_json_finish(&w);
        }
    }
    return ok;
}

/* --- The rest ----------------------------------------------------------- */

static bool
parse_tail(struct dcp_plan_reader *r, json_t *root)
{
    struct dcp_plan *plan = r->plan;
    struct dcp_plan_prediction *d = &plan->predicted;
    json_t *o, *makespan;

    enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "result", JSON_OBJECT))) {
        return false;
    }
    enter(r, "result");
    if (!dcp_plan_reader_text(r, o, "status", &plan->status) ||
        !dcp_plan_reader_text(r, o, "goal", &plan->goal) ||
        !dcp_plan_reader_u32(r, o, "hosts_on_before", &plan->hosts_on_before) ||
        !dcp_plan_reader_u32(r, o, "hosts_on_after", &plan->hosts_on_after) ||
        !dcp_plan_reader_u32(r, o, "hosts_lower_bound",
                             &plan->hosts_lower_bound) ||
        !dcp_plan_reader_double(r, o, "gap_frac", &plan->gap_frac) ||
        !dcp_plan_reader_text(r, o, "bound_method", &plan->bound_method)) {
        return false;
    }
    enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "predicted", JSON_OBJECT))) {
        return false;
    }
    enter(r, "predicted");
    if (!(makespan = dcp_plan_reader_get(r, o, "makespan_ms", JSON_OBJECT))) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        if (!dcp_plan_reader_ms(r, makespan, plan->legs[i].name,
                                &plan->legs[i].makespan_ms)) {
            return false;
        }
    }
    return dcp_plan_reader_double(r, o, "energy_kwh_before",
                                  &d->energy_kwh_before) &&
           dcp_plan_reader_double(r, o, "energy_kwh_after",
                                  &d->energy_kwh_after) &&
           dcp_plan_reader_double(r, o, "energy_cost_before",
                                  &d->energy_cost_before) &&
           dcp_plan_reader_double(r, o, "energy_cost_after",
                                  &d->energy_cost_after) &&
           dcp_plan_reader_double(r, o, "overload_host_seconds",
                                  &d->overload_host_seconds) &&
           dcp_plan_reader_double(r, o, "licence_cost_before",
                                  &d->licence_cost_before) &&
           dcp_plan_reader_double(r, o, "licence_cost_after",
                                  &d->licence_cost_after) &&
           dcp_plan_reader_double(r, o, "cost_before", &d->cost_before) &&
           dcp_plan_reader_double(r, o, "cost_after", &d->cost_after) &&
           dcp_plan_reader_text(r, o, "currency", &plan->currency);
}

static bool
parse_run(struct dcp_plan_reader *r, json_t *root)
{
    enter(r, "");
    json_t *o = dcp_plan_reader_get(r, root, "run", JSON_OBJECT);

    enter(r, "run");
    return o &&
           dcp_plan_reader_instant(r, o, "created", &r->plan->created_ms) &&
           dcp_plan_reader_text(r, o, "host", &r->plan->planner_host) &&
           dcp_plan_reader_double(r, o, "solve_seconds",
                                  &r->plan->solve_seconds) &&
           dcp_plan_reader_double(r, o, "plan_seconds", &r->plan->plan_seconds);
}

static bool
verify_digest(struct dcp_plan_reader *r, json_t *root, const char *digest)
{
    const char *uuid;
    char want[40];

    enter(r, "");
    if (!dcp_plan_reader_digest(r, root, "digest", r->plan->digest) ||
        !dcp_plan_reader_text(r, root, "plan", &uuid)) {
        return false;
    }
    if (strcmp(r->plan->digest, digest) != 0) {
        return dcp_plan_reader_fail(r, DCP_E_STALE, "digest",
                                    "does not match the content: the plan was "
                                    "edited or damaged; plan again");
    }
    dcp_plan_uuid(digest, want);
    if (strcmp(uuid, want) != 0) {
        return dcp_plan_reader_fail(r, DCP_E_STALE, "plan",
                                    "is not the UUID of this content (%s): the "
                                    "plan was edited; plan again",
                                    want);
    }
    memcpy(r->plan->uuid, want, sizeof want);
    return true;
}

struct dcp_plan *
dcp_plan_parse(const struct dcp_inventory *inv, const char *text, size_t length,
               const char *path, struct dcp_error *err)
{
    char digest[72];
    json_error_t problem;
    struct dcp_pos pos = { .path = path };

    bool scanned = dcp_plan_digest(text, length, digest);
    json_t *root =
        scanned ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem)
                : NULL;

    if (!root) {
        if (scanned) {
            pos.line = problem.line > 0 ? (uint32_t)problem.line : 0;
            pos.column = problem.column > 0 ? (uint32_t)problem.column : 0;
        }
        (void)dcp_fail_at(err, DCP_E_PARSE, pos, "%s",
                          scanned ? problem.text
                                  : "not one JSON object: cut off, nested too "
                                    "deep, or another kind of file");
        return NULL;
    }
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = dcp_plan_create(err);
    struct dcp_plan_reader r = { .inv = inv,
                                 .plan = plan,
                                 .path = path,
                                 .section = "",
                                 .index = SIZE_MAX,
                                 .err = err };
    bool ok = plan && parse_head(&r, root) && parse_legs(&r, root) &&
              parse_states(&r, root) && parse_survive(&r, root) &&
              parse_steps(&r, root) && parse_tail(&r, root) &&
              parse_run(&r, root) && verify_digest(&r, root, digest) &&
              verify_derived(&r, root);

    json_decref(root);
    return ok ? DCP_STEAL(plan) : NULL;
}
