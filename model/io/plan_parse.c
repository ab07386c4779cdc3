/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The digest scan goes first: it bounds the nesting before the JSON library
 * sees the text.  Its result is compared last, so that an edited plan that is
 * also malformed is told what is malformed. */

#include "model/io/plan_parse.h"

#include "model/io/plan_file.h"
#include "model/io/plan_reader.h"
#include "model/io/plan_text.h"

#include <string.h>

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
    return (text && r->plan->options_json) || dcp_plan_reader_no_memory(r);
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
    dcp_plan_reader_enter(r, "model");
    if (!dcp_plan_reader_text(r, o, "lineage", &plan->lineage) ||
        !dcp_plan_reader_u64(r, o, "serial", &plan->serial) ||
        !dcp_plan_reader_digest(r, o, "digest", plan->model_digest)) {
        return false;
    }
    dcp_plan_reader_enter(r, "");
    if (!json_is_null(json_object_get(root, "traces"))) {
        if (!(o = dcp_plan_reader_get(r, root, "traces", JSON_OBJECT))) {
            return false;
        }
        dcp_plan_reader_enter(r, "traces");
        if (!dcp_plan_reader_digest(r, o, "digest", plan->traces_digest) ||
            !dcp_plan_reader_instant(r, o, "from", &plan->traces_from_ms) ||
            !dcp_plan_reader_instant(r, o, "until", &plan->traces_until_ms) ||
            !dcp_plan_reader_u32(r, o, "vms_without_trace",
                                 &plan->vms_without_trace)) {
            return false;
        }
        dcp_plan_reader_enter(r, "");
    }
    if (!(o = dcp_plan_reader_get(r, root, "policy", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "policy");
    if (!dcp_plan_reader_digest(r, o, "digest", plan->policy_digest)) {
        return false;
    }
    dcp_plan_reader_enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "tool", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "tool");
    if (!dcp_plan_reader_text(r, o, "version", &plan->tool_version) ||
        !dcp_plan_reader_u64(r, o, "seed", &plan->seed) ||
        !(options = dcp_plan_reader_get(r, o, "options", JSON_OBJECT)) ||
        !parse_options(r, options)) {
        return false;
    }
    dcp_plan_reader_enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "valid", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "valid");
    return dcp_plan_reader_instant(r, o, "not_before", &plan->not_before_ms) &&
           dcp_plan_reader_instant(r, o, "not_after", &plan->not_after_ms);
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
    if (dcp_plan_find_leg(r->plan, leg->name, &other)) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, "leg",
                                    "'%s' is there twice", leg->name);
    }
    r->plan->n_legs++;
    return true;
}

static bool
parse_legs(struct dcp_plan_reader *r, json_t *root)
{
    dcp_plan_reader_enter(r, "");
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
    dcp_plan_reader_enter(r, "legs");
    for (size_t i = 0; i < n; i++) {
        r->index = i;
        if (!parse_leg(r, json_array_get(legs, i))) {
            return false;
        }
    }
    dcp_plan_reader_enter(r, "");
    json_t *limits = dcp_plan_reader_get(r, root, "limits", JSON_OBJECT);
    struct dcp_plan_limits *l = &r->plan->limits;

    dcp_plan_reader_enter(r, "limits");
    return limits &&
           dcp_plan_reader_u32(r, limits, "out_per_host", &l->out_per_host) &&
           dcp_plan_reader_u32(r, limits, "in_per_host", &l->in_per_host) &&
           dcp_plan_reader_u32(r, limits, "units_per_10Gbit",
                               &l->units_per_10gbit) &&
           dcp_plan_reader_u32(r, limits, "host_off_at_once",
                               &l->host_off_at_once) &&
           (!json_object_get(limits, "moves_per_pool") ||
            dcp_plan_reader_u32(r, limits, "moves_per_pool",
                                &l->moves_per_pool));
}

/* Volumes that are not named are where the model has them. */
static bool
parse_volumes(struct dcp_plan_reader *r, json_t *o, struct dcp_placement *p)
{
    const char *name;
    json_t *value;
    json_t *volumes = dcp_plan_reader_get(r, o, "volumes", JSON_OBJECT);

    if (!volumes || !dcp_placement_own_pools(p, r->inv, r->err)) {
        return false;
    }
    json_object_foreach(volumes, name, value)
    {
        struct dcp_object volume, pool;

        if (!dcp_plan_read_name(r->inv, DCP_OBJECT_VOLUME, name, &volume) ||
            !json_is_string(value) ||
            !dcp_plan_read_name(r->inv, DCP_OBJECT_POOL,
                                json_string_value(value), &pool)) {
            return dcp_plan_reader_fail(r, DCP_E_STALE, "volumes",
                                        "'%.80s': the model has no such volume "
                                        "or pool",
                                        name);
        }
        p->pool[volume.ix] = (dcp_pool_id){ pool.ix };
    }
    return true;
}

static bool
parse_sizes(struct dcp_plan_reader *r, json_t *o, struct dcp_placement *out)
{
    json_t *sizes = dcp_plan_reader_get(r, o, "sizes", JSON_OBJECT), *value;
    const char *name;

    json_object_foreach(sizes, name, value)
    {
        struct dcp_vm_size size;
        uint32_t vm;

        if (!dcp_plan_reader_vm(r, name, &vm)) {
            return false;
        }
        if (!json_is_object(value)) {
            return dcp_plan_reader_fail(r, DCP_E_PARSE, "sizes",
                                        "'%s': expected vcpus and mem_mib",
                                        name);
        }
        if (!dcp_plan_reader_size(r, value, &size) ||
            !dcp_placement_resize(out, r->inv, vm, size, r->err)) {
            return false;
        }
    }
    return sizes != NULL;
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
    return (!json_object_get(o, "sizes") || parse_sizes(r, o, *out)) &&
           (!json_object_get(o, "volumes") || parse_volumes(r, o, *out));
}

static bool
parse_states(struct dcp_plan_reader *r, json_t *root)
{
    dcp_plan_reader_enter(r, "");
    json_t *before = dcp_plan_reader_get(r, root, "before", JSON_OBJECT);
    json_t *after = dcp_plan_reader_get(r, root, "after", JSON_OBJECT);

    if (!before || !after) {
        return false;
    }
    dcp_plan_reader_enter(r, "before");
    if (!parse_placement(r, before, &r->plan->before)) {
        return false;
    }
    for (uint32_t i = 0; i < r->plan->n_legs; i++) {
        struct dcp_leg *leg = &r->plan->legs[i];

        dcp_plan_reader_enter(r, "after");
        json_t *o = dcp_plan_reader_get(r, after, leg->name, JSON_OBJECT);

        r->name = leg->name;
        if (!o || !parse_placement(r, o, &leg->after)) {
            return false;
        }
    }
    dcp_plan_reader_enter(r, "after");
    if (json_object_size(after) != r->plan->n_legs) {
        return dcp_plan_reader_fail(r, DCP_E_PARSE, NULL,
                                    "names a leg that is not in 'legs'");
    }
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
        return dcp_plan_reader_no_memory(r);
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

    dcp_plan_reader_enter(r, "steps");
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

/* Plans from before there was a bound have none. */
static bool
parse_bounds(struct dcp_plan_reader *r, json_t *predicted)
{
    json_t *bounds;

    if (!json_object_get(predicted, "makespan_lower_bound_ms")) {
        return true;
    }
    bounds = dcp_plan_reader_get(r, predicted, "makespan_lower_bound_ms",
                                 JSON_OBJECT);
    for (uint32_t i = 0; bounds && i < r->plan->n_legs; i++) {
        struct dcp_leg *leg = &r->plan->legs[i];

        if (!dcp_plan_reader_ms(r, bounds, leg->name,
                                &leg->makespan_bound_ms)) {
            return false;
        }
    }
    return bounds != NULL;
}

/* Plans without a history have none. */
static bool
parse_expected(struct dcp_plan_reader *r, json_t *predicted)
{
    struct dcp_plan_expectation *e = &r->plan->expected;
    json_t *o = json_object_get(predicted, "expected");

    if (!o || json_is_null(o)) {
        return true;
    }
    dcp_plan_reader_enter(r, "predicted");
    if (!(o = dcp_plan_reader_get(r, predicted, "expected", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "predicted.expected");
    return dcp_plan_reader_double(r, o, "energy_kwh_before",
                                  &e->energy_kwh_before) &&
           dcp_plan_reader_double(r, o, "energy_kwh_after",
                                  &e->energy_kwh_after) &&
           dcp_plan_reader_double(r, o, "energy_cost_before",
                                  &e->energy_cost_before) &&
           dcp_plan_reader_double(r, o, "energy_cost_after",
                                  &e->energy_cost_after) &&
           dcp_plan_reader_double(r, o, "packing_kwh", &e->packing_kwh) &&
           dcp_plan_reader_double(r, o, "packing_cost", &e->packing_cost);
}

static bool
parse_tail(struct dcp_plan_reader *r, json_t *root)
{
    struct dcp_plan *plan = r->plan;
    struct dcp_plan_prediction *d = &plan->predicted;
    json_t *o, *makespan;

    dcp_plan_reader_enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "result", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "result");
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
    dcp_plan_reader_enter(r, "");
    if (!(o = dcp_plan_reader_get(r, root, "predicted", JSON_OBJECT))) {
        return false;
    }
    dcp_plan_reader_enter(r, "predicted");
    if (!(makespan = dcp_plan_reader_get(r, o, "makespan_ms", JSON_OBJECT))) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        if (!dcp_plan_reader_ms(r, makespan, plan->legs[i].name,
                                &plan->legs[i].makespan_ms)) {
            return false;
        }
    }
    return parse_bounds(r, o) &&
           dcp_plan_reader_double(r, o, "energy_kwh_before",
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
           dcp_plan_reader_text(r, o, "currency", &plan->currency) &&
           parse_expected(r, o);
}

static bool
parse_run(struct dcp_plan_reader *r, json_t *root)
{
    dcp_plan_reader_enter(r, "");
    json_t *o = dcp_plan_reader_get(r, root, "run", JSON_OBJECT);

    dcp_plan_reader_enter(r, "run");
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

    dcp_plan_reader_enter(r, "");
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
              parse_states(&r, root) && dcp_plan_parse_survive(&r, root) &&
              dcp_plan_parse_berths(&r, root) &&
              dcp_plan_parse_left_out(&r, root) &&
              dcp_plan_parse_steps(&r, root) && parse_tail(&r, root) &&
              parse_run(&r, root) && verify_digest(&r, root, digest) &&
              verify_derived(&r, root);

    json_decref(root);
    return ok ? DCP_STEAL(plan) : NULL;
}
