/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/plan_options.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool
wrong(const char *key, const char *expected, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_PARSE, "plan: options.%s is not %s", key,
                    expected);
}

/* Absent or null: nothing is read. */
static const json_t *
member(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);

    return json_is_null(value) ? NULL : value;
}

static bool
text(const json_t *o, const char *key, char *out, size_t size,
     struct dcp_error *err)
{
    const json_t *value = member(o, key);

    if (value &&
        (!json_is_string(value) || json_string_length(value) >= size)) {
        return wrong(key, "a short text", err);
    }
    if (value) {
        (void)snprintf(out, size, "%s", json_string_value(value));
    }
    return true;
}

static bool
number(const json_t *o, const char *key, double *out, struct dcp_error *err)
{
    const json_t *value = member(o, key);

    if (value && (!json_is_number(value) || json_number_value(value) < 0)) {
        return wrong(key, "a number of 0 or more", err);
    }
    if (value) {
        *out = json_number_value(value);
    }
    return true;
}

static bool
count(const json_t *o, const char *key, uint64_t *out, struct dcp_error *err)
{
    const json_t *value = member(o, key);

    if (value && (!json_is_integer(value) || json_integer_value(value) < 0)) {
        return wrong(key, "a count", err);
    }
    if (value) {
        *out = (uint64_t)json_integer_value(value);
    }
    return true;
}

static bool
flag(const json_t *o, const char *key, bool *out, struct dcp_error *err)
{
    const json_t *value = member(o, key);

    *out = json_is_true(value);
    return !value || json_is_boolean(value) || wrong(key, "true or false", err);
}

/* Levels of goals, joined by commas. */
static bool
goals(const json_t *o, char *out, size_t size, struct dcp_error *err)
{
    const json_t *value = member(o, "goal");
    size_t used = 0;

    if (value && !json_is_array(value)) {
        return wrong("goal", "a list of goals", err);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *level = json_string_value(json_array_get(value, i));

        if (!level || used + strlen(level) + 2 > size) {
            return wrong("goal", "a list of goals", err);
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "," : "",
                                 level);
    }
    return true;
}

bool
dcp_plan_options_read(const struct dcp_plan *plan, struct dcp_plan_options *out,
                      struct dcp_error *err)
{
    json_error_t why;
    json_t *o = json_loads(plan->options_json, 0, &why);

    *out = (struct dcp_plan_options){ 0 };
    if (!json_is_object(o)) {
        json_decref(o);
        return dcp_fail(err, DCP_E_PARSE, "plan: options are no JSON object");
    }
    bool ok = text(o, "command", out->command, sizeof out->command, err) &&
              text(o, "window", out->window, sizeof out->window, err) &&
              text(o, "strategy", out->strategy, sizeof out->strategy, err) &&
              goals(o, out->goal, sizeof out->goal, err) &&
              number(o, "gap", &out->gap_frac, err) &&
              number(o, "slack", &out->slack_frac, err) &&
              count(o, "iterations", &out->iterations, err) &&
              count(o, "max_moves", &out->max_moves, err) &&
              flag(o, "no_park", &out->no_park, err) &&
              flag(o, "no_convert", &out->no_convert, err);

    json_decref(o);
    return ok;
}
