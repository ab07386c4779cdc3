/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A fake world as a program for `exec:`.  DCPLAN_WORLD is its directory;
 * DCPLAN_FAKE_TIMES, if set, a file that gets a line per question: the clock
 * when it came and when it was answered, ns, "op" and step. */

#include "tests/fake/world.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void
print_size(const json_t *step, const char *key, char out[64])
{
    const json_t *size = json_object_get(step, key);

    (void)snprintf(out, 64, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(size, "vcpus")),
                   json_integer_value(json_object_get(size, "mem_mib")));
}

static json_t *
whether(bool ok, const struct dcp_error *err)
{
    return json_pack("{s:b s:s}", "ok", ok, "text", ok ? "" : err->message);
}

static json_t *
hello(void)
{
    static const char *const all[] = {
        "migrate",       "vm_create",    "vm_start",      "vm_restore",
        "vm_stop",       "vm_park",      "vm_destroy",    "vm_resize",
        "vlan_trunk",    "vlan_untrunk", "volume_create", "volume_move",
        "volume_delete", "volume_grow",  "host_on",       "host_off",
    };
    json_t *kinds = json_array();

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (fake_world_can(all[i])) {
            (void)json_array_append_new(kinds, json_string(all[i]));
        }
    }
    return json_pack("{s:i s:o}", "abi", 1, "kinds", kinds);
}

static json_t *
wait_for(struct fake_world *w, int64_t deadline_ms)
{
    struct fake_event e;

    if (!fake_world_wait(w, deadline_ms, &e)) {
        return json_pack("{s:n}", "event");
    }
    return json_pack("{s:{s:i s:b s:s}}", "event", "step", (int)e.step, "ok",
                     e.ok, "text", e.text);
}

static json_t *
answer(struct fake_world *w, const json_t *question)
{
    const char *op = text_of(question, "op");
    const json_t *j = json_object_get(question, "step");
    struct dcp_error err = { 0 };
    char size_from[64], size_to[64], text[160];

    print_size(j, "size_from", size_from);
    print_size(j, "size_to", size_to);
    struct fake_step s = {
        .id = (uint32_t)json_integer_value(json_object_get(j, "id")),
        .kind = text_of(j, "kind"),
        .object = text_of(j, "object"),
        .from = text_of(j, "from"),
        .to = text_of(j, "to"),
        .estimate_ms = json_integer_value(json_object_get(j, "estimate_ms")),
        .size_from = size_from,
        .size_to = size_to,
    };

    if (!strcmp(op, "hello")) {
        return hello();
    }
    if (!strcmp(op, "observe")) {
        enum fake_seen seen = fake_world_observe(w, &s, text);

        return json_pack("{s:s s:i s:s}", "effect", fake_seen_name(seen),
                         "age_ms", 0, "text", text);
    }
    if (!strcmp(op, "start")) {
        return whether(fake_world_start(w, &s, &err), &err);
    }
    if (!strcmp(op, "wait")) {
        return wait_for(
            w, json_integer_value(json_object_get(question, "deadline_ms")));
    }
    if (!strcmp(op, "cancel")) {
        return whether(
            fake_world_cancel(w, (uint32_t)json_integer_value(j), &err), &err);
    }
    return whether(true, &err);
}

static int64_t
now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static bool
serve(struct fake_world *w, const char *line, FILE *times)
{
    int64_t came_ns = now_ns();
    json_t *question = json_loads(line, 0, NULL);
    json_t *reply = question ? answer(w, question) : NULL;

    if (!reply) {
        json_decref(question);
        return false;
    }
    (void)json_object_set_new(reply, "now_ms", json_integer(fake_world_now(w)));
    char *text = json_dumps(reply, JSON_COMPACT);
    json_t *step = json_object_get(question, "step");
    json_t *id = json_is_object(step) ? json_object_get(step, "id") : step;

    if (times) {
        (void)fprintf(times, "%" PRId64 " %" PRId64 " %s %d\n", came_ns,
                      now_ns(), text_of(question, "op"),
                      (int)json_integer_value(id));
    }
    bool ok = text && puts(text) >= 0 && fflush(stdout) == 0;

    free(text);
    json_decref(reply);
    json_decref(question);
    return ok;
}

int
main(void)
{
    const char *dir = getenv("DCPLAN_WORLD");
    const char *times_path = getenv("DCPLAN_FAKE_TIMES");
    struct dcp_error err = { 0 };
    struct fake_world *w =
        dir ? fake_world_open(dir, FAKE_CLOCK_VIRTUAL, 0, &err) : NULL;
    FILE *times = times_path ? fopen(times_path, "a") : NULL;
    char *line = NULL;
    size_t size = 0;
    bool ok = w != NULL;

    if (!w) {
        (void)fprintf(stderr, "fake: %s\n",
                      dir ? err.message : "DCPLAN_WORLD names no directory");
    }
    while (ok && getline(&line, &size, stdin) > 0) {
        ok = serve(w, line, times);
    }
    free(line);
    if (times) {
        (void)fclose(times);
    }
    fake_world_close(w);
    return ok ? 0 : 1;
}
