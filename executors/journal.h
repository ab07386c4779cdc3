/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_JOURNAL_H
#define DCP_EXECUTORS_JOURNAL_H 1

/* What was done: plans, the legs of them that were used, each step with the
 * times of its intent, sending, result and verification, and a history that
 * only grows.  SQLite, write-ahead log; docs/executors.md has the tables.
 *
 * A leg is consumed once.  The order of a leg's life, each mark on disk before
 * what follows it: running (steps are being carried out), applied (all are
 * verified; the model's placement is about to be written with serial_after),
 * consumed.  A process killed anywhere leaves a state from which `--resume`
 * knows what is left.
 *
 * Times are the executor's (virtual with a simulator).  One journal, one
 * thread, one process: the caller holds the model's lock. */

#include "model/plan.h"

struct dcp_journal;

enum dcp_durability {
    DCP_DURABILITY_FULL,   /* synchronous=FULL: outlives loss of power. */
    DCP_DURABILITY_NORMAL, /* Outlives the process; for simulated worlds, in
                            * which nothing is lost with the machine. */
};

/* Opens or creates; refuses a file of a later schema (DCP_E_UNSUPPORTED). */
struct dcp_journal *dcp_journal_open(const char *path, enum dcp_durability,
                                     struct dcp_error *err) DCP_CHECKED;
/* Opens one that exists, for dcp_journal_find_leg(), _evening_done() and
 * _load_steps() only: changes nothing, and needs no right to. */
struct dcp_journal *dcp_journal_open_to_read(const char *path,
                                             struct dcp_error *err) DCP_CHECKED;
void dcp_journal_destroy(struct dcp_journal *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_journal)

/* --- Legs --------------------------------------------------------------- */

enum dcp_leg_state {
    DCP_LEG_UNUSED, /* Not in the journal, or given back untouched. */
    DCP_LEG_RUNNING,
    DCP_LEG_APPLIED,
    DCP_LEG_CONSUMED,
};

#define DCP_JOURNAL_EXECUTOR_SIZE 256 /* Longer names are refused. */

struct dcp_leg_record {
    enum dcp_leg_state state;
    char executor[DCP_JOURNAL_EXECUTOR_SIZE];
    uint64_t serial_before, serial_after; /* Of the model; after: 0 until
                                           * applied. */
    int64_t started_ms, ended_ms;         /* ended: 0 while running. */
};

/* Looks up a plan's leg by the plan's digest. */
bool dcp_journal_find_leg(struct dcp_journal *, const struct dcp_plan *,
                          uint32_t leg, struct dcp_leg_record *out,
                          struct dcp_error *err) DCP_CHECKED;
/* Makes the leg the one that dcp_journal_record() writes to, and marks it
 * running if it was unused.  A leg that was consumed is DCP_E_STALE; one that
 * is running or applied is DCP_E_CANCELLED unless 'resume'; one begun by
 * another executor is DCP_E_STALE. */
bool dcp_journal_begin_leg(struct dcp_journal *, const struct dcp_plan *,
                           uint32_t leg, const char *executor, uint64_t serial,
                           int64_t now_ms, bool resume,
                           struct dcp_error *err) DCP_CHECKED;
bool dcp_journal_mark_leg(struct dcp_journal *, enum dcp_leg_state,
                          uint64_t serial_after, int64_t now_ms,
                          struct dcp_error *err) DCP_CHECKED;

/* Whether an evening leg of any plan of this lineage was carried out that began
 * in [from_ms, to_ms): then that night is settled. */
bool dcp_journal_evening_done(struct dcp_journal *, const char *lineage,
                              int64_t from_ms, int64_t to_ms, bool *out,
                              struct dcp_error *err) DCP_CHECKED;

/* --- Moves and resizes, for those who plan the next ---------------------- */

enum dcp_journal_deed { DCP_DEED_MOVE, DCP_DEED_RESIZE };

struct dcp_journal_moves { /* Of VMs, by name; oldest first. */
    struct dcp_journal_move {
        char *vm;
        int64_t at_ms;
    } * items;
    uint32_t n;
};

/* Notes that VMs were moved, or resized; all or none. */
bool dcp_journal_note_moves(struct dcp_journal *, enum dcp_journal_deed,
                            const char *const vms[], uint32_t n, int64_t at_ms,
                            struct dcp_error *err) DCP_CHECKED;
/* Those at 'since_ms' and later. */
bool dcp_journal_read_moves(struct dcp_journal *, enum dcp_journal_deed,
                            int64_t since_ms, struct dcp_journal_moves *out,
                            struct dcp_error *err) DCP_CHECKED;
void dcp_journal_moves_finish(struct dcp_journal_moves *);

/* --- Steps of the leg that was begun ------------------------------------ */

enum dcp_step_phase {
    DCP_PHASE_NONE,
    DCP_PHASE_INTENT,   /* About to be sent; nothing may have happened. */
    DCP_PHASE_SENT,     /* The executor took it. */
    DCP_PHASE_FAILED,   /* Ended without its effect, as observed. */
    DCP_PHASE_UNKNOWN,  /* Given up waiting; the effect could not be seen. */
    DCP_PHASE_VERIFIED, /* Its effect was observed. */
};
const char *dcp_step_phase_name(enum dcp_step_phase);

struct dcp_step_record {
    enum dcp_step_phase phase;
    int64_t sent_ms, ended_ms; /* 0: not so far. */
};

/* On disk (as durably as the journal was opened) when it returns. 'text' is
 * why, or NULL. */
bool dcp_journal_record(struct dcp_journal *, uint32_t step,
                        enum dcp_step_phase, int64_t now_ms, const char *text,
                        struct dcp_error *err) DCP_CHECKED;
/* Fills out[id - 1] for all steps of the plan; 'out' is n_steps long. */
bool dcp_journal_load_steps(struct dcp_journal *, const struct dcp_plan *,
                            uint32_t leg, struct dcp_step_record out[],
                            struct dcp_error *err) DCP_CHECKED;

#endif /* executors/journal.h */
