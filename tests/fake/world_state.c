/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/fake/world_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *
fake_grown(void *items, uint32_t *capacity, uint32_t needed, size_t size)
{
    if (needed <= *capacity) {
        return items;
    }
    uint32_t more = needed < 16 ? 16 : 2 * needed;
    void *p = realloc(items, more * size);

    if (!p) {
        abort();
    }
    *capacity = more;
    return p;
}

/* --- Log and state ------------------------------------------------------ */

/* Takes the reference to 'line'. */
void
fake_log(struct fake_world *w, json_t *line)
{
    if (line && w->log >= 0) {
        (void)json_object_set_new(line, "at", json_integer(w->now_ms));
        char *text = json_dumps(line, JSON_COMPACT);
        size_t length = text ? strlen(text) : 0;

        if (!text) {
            abort();
        }
        text[length] = '\n'; /* In place of the NUL: one write. */
        if (write(w->log, text, length + 1) != (ssize_t)length + 1) {
            abort();
        }
        free(text);
    }
    json_decref(line);
}

const char *
fake_get(const struct fake_world *w, const char *key)
{
    uint32_t i = dcp_strmap_find(&w->index, key);

    if (i != DCP_STRMAP_NONE) {
        return w->entries[i].value;
    }
    return !strncmp(key, "host:", 5) ? "on" : "";
}

void
fake_set(struct fake_world *w, const char *key, const char *value)
{
    uint32_t i = dcp_strmap_find(&w->index, key);
    char *copy = strdup(value);

    if (i == DCP_STRMAP_NONE) {
        w->entries = fake_grown(w->entries, &w->entry_capacity,
                                w->n_entries + 1, sizeof *w->entries);
        i = w->n_entries++;
        w->entries[i] = (struct fake_entry){ strdup(key), NULL };
        if (!w->entries[i].key ||
            !dcp_strmap_add(&w->index, w->entries[i].key, i, NULL)) {
            abort();
        }
    }
    if (!copy) {
        abort();
    }
    free(w->entries[i].value);
    w->entries[i].value = copy;
}

struct fake_track *
fake_track_of(struct fake_world *w, uint32_t id)
{
    if (id > w->n_tracks) {
        uint32_t capacity = w->n_tracks, old = w->n_tracks;

        w->tracks = fake_grown(w->tracks, &capacity, id, sizeof *w->tracks);
        memset(w->tracks + old, 0, (capacity - old) * sizeof *w->tracks);
        w->n_tracks = capacity;
    }
    return &w->tracks[id - 1];
}

bool
fake_is_running(const struct fake_world *w, uint32_t id)
{
    return id >= 1 && id <= w->n_tracks && w->tracks[id - 1].running;
}

void
fake_begin_track(struct fake_world *w, uint32_t id, enum fake_fate fate,
                 const char *key, const char *is, const char *to,
                 int64_t ends_ms)
{
    struct fake_track *t = fake_track_of(w, id);

    free(t->key);
    free(t->is);
    free(t->to);
    t->key = strdup(key);
    t->is = strdup(is);
    t->to = strdup(to);
    t->fate = fate;
    t->ends_ms = ends_ms;
    if (!t->running) {
        t->running = true;
        w->running = fake_grown(w->running, &w->running_capacity,
                                w->n_running + 1, sizeof *w->running);
        w->running[w->n_running++] = id;
    }
}

void
fake_end_track(struct fake_world *w, uint32_t id)
{
    w->tracks[id - 1].running = false;
    for (uint32_t i = 0; i < w->n_running; i++) {
        if (w->running[i] == id) {
            w->running[i] = w->running[--w->n_running];
            return;
        }
    }
}

/* --- Kinds of steps ------------------------------------------------------ */

enum word { NOTHING, FROM, TO, ON, OFF, SIZE_FROM, SIZE_TO };
enum of { OBJECT, SIZE, TRUNK };

static const struct kind_row {
    const char *name;
    enum of of;
    enum word is, to;
} kinds[] = {
    { "migrate", OBJECT, FROM, TO },
    { "vm_create", OBJECT, NOTHING, TO },
    { "vm_start", OBJECT, NOTHING, TO },
    { "vm_restore", OBJECT, NOTHING, TO },
    { "vm_stop", OBJECT, FROM, NOTHING },
    { "vm_park", OBJECT, FROM, NOTHING },
    { "vm_destroy", OBJECT, FROM, NOTHING },
    { "vm_resize", SIZE, SIZE_FROM, SIZE_TO },
    { "volume_create", OBJECT, NOTHING, TO },
    { "volume_move", OBJECT, FROM, TO },
    { "volume_delete", OBJECT, FROM, NOTHING },
    { "vlan_trunk", TRUNK, NOTHING, ON },
    { "vlan_untrunk", TRUNK, ON, NOTHING },
    { "host_on", OBJECT, OFF, ON },
    { "host_off", OBJECT, ON, OFF },
};

static const struct kind_row *
row_of(const char *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!strcmp(kinds[i].name, kind)) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool
fake_world_can(const char *kind)
{
    return row_of(kind) != NULL;
}

static const char *
word_of(const struct fake_step *s, enum word word)
{
    const char *const words[] = {
        [NOTHING] = "",         [FROM] = s->from,
        [TO] = s->to,           [ON] = "on",
        [OFF] = "off",          [SIZE_FROM] = s->size_from,
        [SIZE_TO] = s->size_to,
    };

    return words[word] ? words[word] : "";
}

bool
fake_change_of(const struct fake_step *s, struct fake_change *out)
{
    const struct kind_row *row = row_of(s->kind);

    if (!row) {
        return false;
    }
    if (row->of == OBJECT) {
        (void)snprintf(out->key, sizeof out->key, "%s", s->object);
    } else if (row->of == SIZE) {
        (void)snprintf(out->key, sizeof out->key, "size:%s", s->object);
    } else {
        (void)snprintf(out->key, sizeof out->key, "trunk:%s/%s", s->object,
                       s->to);
    }
    out->is = word_of(s, row->is);
    out->to = word_of(s, row->to);
    return true;
}
