/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_TIMETABLE_H
#define DCP_SOLVER_SCHEDULE_TIMETABLE_H 1

/* When does what start?  Tasks of known duration change *stocks*; no task may
 * start while one of its stocks has no room for it.
 *
 * A stock is anything with a level and a limit: the memory of a host, a link's
 * bandwidth, how many migrations a host takes part in.  A task adds to some
 * stocks when it starts and when it ends:
 *
 *   a migration fills its target from its start (+use, 0), frees its source at
 *   its end (0, -use), and holds both hosts' links meanwhile (+bw, -bw);
 *   a host's boot is a task that others wait for.
 *
 * A task whose at_start on a stock is above zero starts only where level +
 * at_start is within the limit: where the start is above a limit, nothing is
 * added before it has come down.  Taking away is always allowed.
 *
 * With net-zero effects only this is the resource-constrained project
 * scheduling problem; with others it is that with reservoirs (Neumann &
 * Schwindt, Project scheduling with inventory constraints, Math. Methods of OR
 * 56, 2003), where an order may come to a stop: tasks that all wait for room
 * that only they can make.
 *
 * Built once, then sealed and read-only; a sealed one may be read by many
 * threads.  Memory that runs out is remembered and told by the seal. */

#include "model/base/error.h"

struct dcp_timetable;

struct dcp_timetable *dcp_timetable_create(void); /* NULL: no memory. */
void dcp_timetable_destroy(struct dcp_timetable *);

/* Ids count from 0. */
uint32_t
dcp_timetable_add_stock(struct dcp_timetable *, int64_t level, int64_t limit);
/* Not before 'release'; 'due' is when it should have ended (INT64_MAX: at any
 * time): orders are judged by lateness first. */
uint32_t dcp_timetable_add_task(struct dcp_timetable *, int64_t duration,
                                int64_t release, int64_t due);
/* at_end is at most 0. */
void dcp_timetable_add_effect(struct dcp_timetable *, uint32_t task,
                              uint32_t stock, int64_t at_start, int64_t at_end);
/* 'task' starts after 'before' has ended. */
void
dcp_timetable_add_wait(struct dcp_timetable *, uint32_t task, uint32_t before);
/* DCP_E_ARGUMENT: tasks that wait for each other in a circle. */
bool
dcp_timetable_seal(struct dcp_timetable *, struct dcp_error *err) DCP_CHECKED;

uint32_t dcp_timetable_n_tasks(const struct dcp_timetable *);
int64_t dcp_timetable_duration(const struct dcp_timetable *, uint32_t task);

struct dcp_timetable_options {
    uint64_t seed;
    uint64_t iterations; /* Orders tried beyond the rules; 0: about a second's
                          * work, by size and not by clock. */
    bool listed;         /* Only the order in which tasks were added. */
    int64_t deadline_ms; /* On the monotonic clock; 0: none.  One order is
                          * always tried. */
};

struct dcp_timetable_answer {
    int64_t *start;   /* [n_tasks], owned; -1: stuck, never started. */
    int64_t makespan; /* Last end of the tasks that started. */
    int64_t lateness; /* Summed beyond 'due'. */
    int64_t sum_of_ends;
    uint32_t n_stuck; /* Tasks that wait for room that never comes. */
    uint64_t orders;  /* That were tried. */
    const char *rule; /* That gave the answer: "longest path", "search". */
};
void dcp_timetable_answer_finish(struct dcp_timetable_answer *);

/* The best of several priority rules and of a local search from the best of
 * them: fewest stuck, then least lateness, makespan and sum of ends.  A
 * heuristic; deterministic.  Stops early at the bound. */
bool dcp_timetable_solve(const struct dcp_timetable *,
                         const struct dcp_timetable_options *,
                         struct dcp_timetable_answer *out,
                         struct dcp_error *err) DCP_CHECKED;

/* Tasks whose ends are known only as time passes, for what runs beside them. */
struct dcp_timetable_world {
    void *user;
    /* The task starts; true: it ends when 'take' says so, and not by its
     * duration. */
    bool (*begin)(void *user, uint32_t task, int64_t now);
    /* When it is to be asked next; INT64_MAX: never, as things are. */
    int64_t (*next)(void *user);
    /* One of its tasks that ends now; UINT32_MAX: none (any more). */
    uint32_t (*take)(void *user, int64_t now);
};

/* The tasks carried out as listed: each starts as soon as it may, at each
 * instant in the order in which they were added.  'start' and 'end' [n_tasks]:
 * -1 for those that are stuck. */
bool dcp_timetable_play(const struct dcp_timetable *,
                        const struct dcp_timetable_world *, int64_t start[],
                        int64_t end[], struct dcp_error *err) DCP_CHECKED;

/* A proved lower bound of the makespan: the longest chain of waits, where a
 * task that needs room also waits for the earliest departures that could make
 * it; and the work on each stock that tasks hold and give back, counted
 * through dual feasible functions, between the earliest head and the shortest
 * tail.  'method' (may be NULL): "path", "stock". */
bool
dcp_timetable_bound(const struct dcp_timetable *, int64_t *out,
                    const char **method, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/schedule/timetable.h */
