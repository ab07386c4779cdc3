/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_FAKE_WORLD_STATE_H
#define DCP_TESTS_FAKE_WORLD_STATE_H 1

/* What a fake world keeps; private to its sources.  Out of memory ends the
 * program. */

#include "model/base/strmap.h"
#include "tests/fake/faults.h"
#include "tests/fake/world.h"

#include <jansson.h>

#define FAKE_KEY_SIZE 600

struct fake_entry {
    char *key, *value; /* Owned. */
};

struct fake_track { /* Of a step that was ever started, by id. */
    uint32_t n_starts;
    bool running;
    enum fake_fate fate;
    char *key, *is, *to; /* Owned; the change that is under way. */
    int64_t ends_ms;
};

struct fake_world {
    char *dir;            /* NULL: in memory. */
    int lock, log, timer; /* -1: none. */
    enum fake_clock clock;
    int64_t start_ms, now_ms;
    struct dcp_strmap index; /* Key -> entry. */
    struct fake_entry *entries;
    uint32_t n_entries, entry_capacity;
    struct fake_track *tracks; /* By id - 1. */
    uint32_t n_tracks;
    uint32_t *running; /* Ids, in no order. */
    uint32_t n_running, running_capacity;
    struct fake_event *events; /* Due, oldest first. */
    uint32_t n_events, event_capacity;
    struct fake_fault *faults;
    uint32_t n_faults;
    uint32_t n_starts;
};

struct fake_change {
    char key[FAKE_KEY_SIZE];
    const char *is, *to;
};

void *fake_grown(void *items, uint32_t *capacity, uint32_t needed, size_t size);
/* Writes the line with its time; takes the reference. */
void fake_log(struct fake_world *, json_t *line);

const char *fake_get(const struct fake_world *, const char *key);
void fake_set(struct fake_world *, const char *key, const char *value);

struct fake_track *fake_track_of(struct fake_world *, uint32_t id);
bool fake_is_running(const struct fake_world *, uint32_t id);
void fake_begin_track(struct fake_world *, uint32_t id, enum fake_fate,
                      const char *key, const char *is, const char *to,
                      int64_t ends_ms);
void fake_end_track(struct fake_world *, uint32_t id);

/* What the step changes; false: the fake cannot do its kind. */
bool fake_change_of(const struct fake_step *, struct fake_change *out);

/* One thing that is due by then, at its time.  False: nothing is. */
bool fake_take_due(struct fake_world *, int64_t until_ms);
/* Everything up to now, on a wall clock; a virtual one stands still. */
void fake_catch_up(struct fake_world *);

#endif /* tests/fake/world_state.h */
