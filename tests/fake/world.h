/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_FAKE_WORLD_H
#define DCP_TESTS_FAKE_WORLD_H 1

/* A datacenter that is not there, for tests of whoever carries plans out.  It
 * does what it is told, or what its faults make of that, and writes everything
 * that happens to it into a log of its own.
 *
 * The log is the witness: it knows nothing of plans, runners and journals, only
 * of commands that came and effects that took place.  Kept in a directory, the
 * world outlives the process that asked it (and is locked against a second
 * one); steps that were under way go on while nobody looks.  With no directory
 * it lives in memory.
 *
 * The state is one map of text: "vm:v1" is "host:h1", "host:h1" is "on" or
 * "off", "trunk:host:h1/vlan:front" is "on", "volume:v1/0" is "pool:p".  What
 * is not in it is "", a host "on".  A step is a change of one entry.
 *
 * Files of the directory: 'start' (JSON object: "now_ms", "clock", and
 * entries), 'faults' (world_fault() of each line) and 'log' (one JSON object a
 * line).
 *
 * One world, one thread. */

#include "model/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_clock {
    FAKE_CLOCK_VIRTUAL, /* Waiting jumps; the same steps, the same log. */
    FAKE_CLOCK_WALL,    /* CLOCK_REALTIME; steps take their estimate. */
};

struct fake_step { /* Objects as in the plan file: "vm:db-1"; "" for none. */
    uint32_t id;
    const char *kind, *object, *from, *to;
    int64_t estimate_ms;
    /* Of a resize. */
    const char *size_from, *size_to;
};

enum fake_seen {
    FAKE_ABSENT,
    FAKE_RUNNING,
    FAKE_PRESENT,
    FAKE_ELSEWHERE,
    FAKE_UNKNOWN,
};
const char *fake_seen_name(enum fake_seen);

struct fake_event {
    uint32_t step;
    bool ok;
    char text[160];
};

struct fake_world;

/* 'dir' NULL: in memory, empty, at 'now_ms'; else what is in the directory,
 * and 'clock' and 'now_ms' are those of its 'start'. */
struct fake_world *fake_world_open(const char *dir, enum fake_clock clock,
                                   int64_t now_ms, struct dcp_error *err);
void fake_world_close(struct fake_world *); /* NULL is fine. */

/* An entry of the state, as of now; "" where there is none. */
const char *fake_world_get(struct fake_world *, const char *key);
/* Somebody did this by hand. */
bool fake_world_set(struct fake_world *, const char *key, const char *value);

/* Adds a fault, in words; false: not understood.
 *   step ID slow FACTOR      takes so many times its estimate
 *   step ID fails            ends at its time without effect, and says so
 *   step ID refuses          start says no, and nothing happens
 *   step ID answers_no       start says no, yet all of it happens
 *   step ID silent           happens, but no event comes
 *   step ID lies             says that it is done, and nothing happened
 *   step ID denies           says that it failed, and it happened
 *   step ID hangs            is under way for ever
 *   step ID vanishes         cannot be seen again
 *   step ID meddled KEY VAL  half-way an admin sets the entry
 *   host NAME silent FROM UNTIL   does not answer so many ms after the start
 *   at MS set KEY VAL        an admin sets the entry then
 *   away MS                  passes between two lives of the asking process
 *   die start N              this process is killed at the world's Nth start,
 *                            once that began
 * A step's fault may end on "times N": only its first N starts. */
bool fake_world_fault(struct fake_world *, const char *line);

/* 'kind' is one that it can carry out. */
bool fake_world_can(const char *kind);
bool fake_world_start(struct fake_world *, const struct fake_step *,
                      struct dcp_error *err);
enum fake_seen fake_world_observe(struct fake_world *, const struct fake_step *,
                                  char text[160]);
/* Until an event, or the deadline; false: no event. */
bool fake_world_wait(struct fake_world *, int64_t deadline_ms,
                     struct fake_event *out);
bool
fake_world_cancel(struct fake_world *, uint32_t step, struct dcp_error *err);
int64_t fake_world_now(struct fake_world *);
/* Readable when an event is due; a wall clock's only, else -1. */
int fake_world_fd(struct fake_world *);

#endif /* tests/fake/world.h */
