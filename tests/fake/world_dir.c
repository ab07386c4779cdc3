/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The log is written before anything is answered, one line in one write, and a
 * new process reads it from the start: the state is what the log says. */

#define _GNU_SOURCE

#include "tests/fake/world_state.h"

#include "model/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)1 << 30)

bool
fake_world_fault(struct fake_world *w, const char *line)
{
    struct fake_fault f;
    bool none;

    if (!fake_fault_parse(line, &f, &none)) {
        return false;
    }
    if (!none) {
        if (f.kind == FAKE_FAULT_SET) {
            f.due_ms = w->start_ms + f.from_ms;
        }
        w->faults = realloc(w->faults, (w->n_faults + 1) * sizeof f);
        if (!w->faults) {
            abort();
        }
        w->faults[w->n_faults++] = f;
    }
    return true;
}

static const char *
text_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));

    return text ? text : "";
}

static void
replay(struct fake_world *w, const json_t *line)
{
    const char *what = text_of(line, "what");
    uint32_t step = (uint32_t)json_integer_value(json_object_get(line, "step"));
    json_int_t fault = json_integer_value(json_object_get(line, "fault"));

    w->now_ms = json_integer_value(json_object_get(line, "at"));
    if (!strcmp(what, "start")) {
        fake_begin_track(w, step, fake_fate_parse(text_of(line, "fate")),
                         text_of(line, "key"), text_of(line, "from"),
                         text_of(line, "to"),
                         json_integer_value(json_object_get(line, "ends")));
        fake_track_of(w, step)->n_starts++;
        w->n_starts++;
    } else if (!strcmp(what, "refused")) {
        fake_track_of(w, step)->n_starts++;
        w->n_starts++;
    } else if (!strcmp(what, "effect") || !strcmp(what, "set")) {
        fake_set(w, text_of(line, "key"), text_of(line, "is"));
    }
    if (!strcmp(what, "set") && fault >= 0 && fault < w->n_faults) {
        w->faults[fault].due_ms = INT64_MAX;
    }
    if ((!strcmp(what, "effect") || !strcmp(what, "nothing") ||
         !strcmp(what, "cancelled")) &&
        fake_is_running(w, step)) {
        fake_end_track(w, step);
    }
}

/* Each line of a file of the directory; an absent one has none. */
static bool
each_line(struct fake_world *w, const char *name,
          bool (*take)(struct fake_world *, const char *line),
          struct dcp_error *err)
{
    char path[FAKE_KEY_SIZE];
    size_t length;

    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    char *text = access(path, F_OK) == 0
                     ? dcp_file_read(path, FILE_MAX_BYTES, &length, err)
                     : strdup("");
    bool ok = text != NULL;
    char *rest = text;

    for (char *line = ok ? strsep(&rest, "\n") : NULL; ok && line;
         line = strsep(&rest, "\n")) {
        ok = !*line || take(w, line) ||
             dcp_fail(err, DCP_E_PARSE, "fake world: %.60s: '%.100s'", name,
                      line);
    }
    free(text);
    return ok;
}

static bool
take_log_line(struct fake_world *w, const char *text)
{
    json_t *line = json_loads(text, 0, NULL);

    if (!json_is_object(line)) {
        json_decref(line);
        return false;
    }
    replay(w, line);
    json_decref(line);
    return true;
}

static bool
take_start(struct fake_world *w, const char *text)
{
    json_t *start = json_loads(text, 0, NULL), *value;
    const char *key;

    if (!json_is_object(start)) {
        json_decref(start);
        return false;
    }
    json_object_foreach(start, key, value)
    {
        if (!strcmp(key, "now_ms")) {
            w->start_ms = w->now_ms = json_integer_value(value);
        } else if (!strcmp(key, "clock")) {
            w->clock = !strcmp(json_string_value(value), "wall")
                           ? FAKE_CLOCK_WALL
                           : FAKE_CLOCK_VIRTUAL;
        } else if (json_is_string(value)) {
            fake_set(w, key, json_string_value(value));
        }
    }
    json_decref(start);
    return true;
}

static int
open_in(const struct fake_world *w, const char *name)
{
    char path[FAKE_KEY_SIZE];

    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The whole directory; waits for whoever has it to go. */
static bool
open_dir(struct fake_world *w, struct dcp_error *err)
{
    w->lock = open_in(w, "lock");
    if (w->lock < 0 || flock(w->lock, LOCK_EX) != 0) {
        return dcp_fail(err, DCP_E_IO, "fake world: no lock in '%.200s': %s",
                        w->dir, strerror(errno));
    }
    if (!each_line(w, "start", take_start, err) ||
        !each_line(w, "faults", fake_world_fault, err) ||
        !each_line(w, "log", take_log_line, err)) {
        return false;
    }
    w->log = open_in(w, "log");
    if (w->log < 0) {
        return dcp_fail(err, DCP_E_IO, "fake world: no log: %s",
                        strerror(errno));
    }
    for (uint32_t i = 0; w->n_starts && i < w->n_faults; i++) {
        int64_t until_ms = w->now_ms + w->faults[i].from_ms;

        if (w->faults[i].kind == FAKE_FAULT_AWAY) {
            while (fake_take_due(w, until_ms)) {
            }
            w->now_ms = until_ms;
        }
    }
    fake_log(w, json_pack("{s:s}", "what", "opened"));
    return true;
}

struct fake_world *
fake_world_open(const char *dir, enum fake_clock clock, int64_t now_ms,
                struct dcp_error *err)
{
    struct fake_world *w = calloc(1, sizeof *w);

    if (!w) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a fake world");
        return NULL;
    }
    w->lock = w->log = w->timer = -1;
    w->clock = clock;
    w->start_ms = w->now_ms = now_ms;
    w->dir = dir ? strdup(dir) : NULL;
    if (dir && !open_dir(w, err)) {
        fake_world_close(w);
        return NULL;
    }
    if (w->clock == FAKE_CLOCK_WALL) {
        w->timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
        fake_catch_up(w);
        w->start_ms = dir ? w->start_ms : w->now_ms;
    }
    return w;
}

void
fake_world_close(struct fake_world *w)
{
    if (!w) {
        return;
    }
    const int fds[] = { w->lock, w->log, w->timer };

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    for (uint32_t i = 0; i < w->n_entries; i++) {
        free(w->entries[i].key);
        free(w->entries[i].value);
    }
    for (uint32_t i = 0; i < w->n_tracks; i++) {
        free(w->tracks[i].key);
        free(w->tracks[i].is);
        free(w->tracks[i].to);
    }
    for (uint32_t i = 0; i < w->n_faults; i++) {
        fake_fault_finish(&w->faults[i]);
    }
    dcp_strmap_finish(&w->index);
    free(w->entries);
    free(w->tracks);
    free(w->running);
    free(w->events);
    free(w->faults);
    free(w->dir);
    free(w);
}
