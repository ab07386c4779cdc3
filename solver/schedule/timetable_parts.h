/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_TIMETABLE_PARTS_H
#define DCP_SOLVER_SCHEDULE_TIMETABLE_PARTS_H 1

/* What the files of the timetable share: the sealed form, and one run. */

#include "solver/schedule/timetable.h"

struct dcp_effect {
    uint32_t stock;
    int64_t at_start, at_end;
};

struct dcp_timetable {
    uint32_t n_tasks, n_stocks;
    int64_t *duration, *release, *due; /* [n_tasks] */
    int64_t *level, *limit;            /* [n_stocks] */
    /* Lists by task: entries first[i] to first[i + 1] - 1. */
    uint32_t *effect_first, *wait_first, *follower_first;
    struct dcp_effect *effects;
    uint32_t *waits, *followers;
    uint32_t *order; /* Tasks, each after those it waits for. */

    /* As they are added, until the seal. */
    struct dcp_effect *loose_effects;
    uint32_t *loose_effect_task, *loose_wait; /* wait: pairs. */
    uint32_t n_effects, n_waits;
    uint32_t tasks_room, stocks_room, effects_room, waits_room;
    bool no_memory;
};

/* Scratch of runs over one timetable. */
struct dcp_timetable_run {
    const struct dcp_timetable *t;
    int64_t *level;
    int64_t *start;
    uint32_t *unmet;           /* Waits that have not ended. */
    uint32_t *ready, n_ready;  /* Heap by key. */
    uint32_t *event, n_events; /* Heap by time. */
    int64_t *event_time;       /* [task]: end, or release. */
    uint8_t *running;          /* [task] */
    /* What waits for a stock: a pairing heap by key (Fredman et al., 1986) of
     * [stock] roots and [task] links, and those passed over at this level. */
    uint32_t *blocked, *child, *sibling, *passed;
    uint32_t *woken_by; /* [task]: the stock that let it try again. */
    uint32_t *reserved; /* [stock]: by which task. */
    const double *key;
    bool reserving;
    const struct dcp_timetable_world *world; /* NULL: all end by duration. */
    int64_t *end;                            /* [task]; NULL: not kept. */
};
bool dcp_timetable_run_init(struct dcp_timetable_run *,
                            const struct dcp_timetable *);
void dcp_timetable_run_finish(struct dcp_timetable_run *);

struct dcp_timetable_value {
    uint32_t n_stuck;
    int64_t lateness, makespan, sum_of_ends;
};

/* Starts tasks as early as their stocks allow, at each instant in ascending
 * order of 'key' (ties: by id); 'reserving': what a blocked task needs is kept
 * for it, so that smaller ones do not overtake it for ever.  Times are left in
 * run->start. */
struct dcp_timetable_value
dcp_timetable_run(struct dcp_timetable_run *, const double key[],
                  bool reserving);

#endif /* solver/schedule/timetable_parts.h */
