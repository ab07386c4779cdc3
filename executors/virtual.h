/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_VIRTUAL_H
#define DCP_EXECUTORS_VIRTUAL_H 1

/* An executor on virtual time over a world of its own: where VMs are, which
 * hosts are on, which VLANs are trunked where.  Steps take as long as the
 * model says, waiting jumps the clock, and all that happened is in a log.
 *
 * The dry run is this with the plan's own estimates; the simulator is this
 * with its models of migration and boot (sim/executor.h); tests add fates. */

#include "executors/executor.h"
#include "executors/journal.h"

struct dcp_virtual;

enum dcp_action_phase {
    DCP_ACTION_STARTED,
    DCP_ACTION_DONE,
    DCP_ACTION_FAILED, /* Ended with the world as it was before. */
};
struct dcp_action_record { /* One line of what happened, in order of time. */
    int64_t at_ms;
    uint32_t step; /* Id. */
    enum dcp_action_phase phase;
};

enum dcp_fate {
    DCP_FATE_DONE,
    DCP_FATE_FAILS,  /* Ends at its time, says so, without effect. */
    DCP_FATE_SILENT, /* Takes effect at its time, but no event comes. */
    DCP_FATE_LOST,   /* Never ends, cannot be seen. */
};

struct dcp_virtual_options {
    const struct dcp_inventory *inventory; /* Borrowed, as is 'plan'. */
    const struct dcp_plan *plan;
    uint32_t leg;
    const struct dcp_placement *start; /* Copied. */
    int64_t start_ms;
    /* How long a step takes that starts now; NULL: its estimate. */
    int64_t (*begin)(void *user, const struct dcp_step *, int64_t now_ms);
    /* Told at the end of each step; may be NULL. */
    void (*end)(void *user, const struct dcp_step *, int64_t now_ms);
    /* Asked at the start, for DCP_FATE_LOST only, and at the end.  NULL:
     * everything is done. */
    enum dcp_fate (*fate)(void *user, const struct dcp_step *);
    /* Why one fails, for people; NULL: the host refused. */
    const char *(*why)(void *user, const struct dcp_step *);
    /* Asked before a step begins; false with the reason in 'err': it is
     * refused, and nothing of it happens.  NULL: all may. */
    bool (*may_start)(void *user, const struct dcp_step *, int64_t now_ms,
                      struct dcp_error *err);
    /* What the runner sees of a step that is not under way, and what it is to
     * see instead, with a reason of up to 160 bytes; may be NULL. */
    enum dcp_effect (*seen)(void *user, const struct dcp_step *,
                            enum dcp_effect, char reason[160]);
    /* Called at the time that dcp_virtual_wake_at() gave; may be NULL. */
    void (*wake)(void *user, int64_t now_ms);
    void *user;
};

/* VLANs start as the inventory has them, changed by the steps of legs before
 * 'leg'. */
struct dcp_virtual *dcp_virtual_create(const struct dcp_virtual_options *,
                                       const struct dcp_executor_ops *,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_virtual_destroy(struct dcp_virtual *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_virtual)

/* For the runner; belongs to the virtual world. */
struct dcp_executor *dcp_virtual_executor(struct dcp_virtual *);

/* For begin(), end() and wake(), whose world decides how fast steps go. */
/* A step that is under way ends then; nothing for one that is not.  INT64_MAX:
 * never. */
void dcp_virtual_end_at(struct dcp_virtual *, uint32_t step, int64_t at_ms);
/* wake() is called then, once; the last time asked for counts, INT64_MAX takes
 * it back.  It comes before ends of the same time. */
void dcp_virtual_wake_at(struct dcp_virtual *, int64_t at_ms);

/* Others did this in the world: a step that is none of the plan's had its
 * effect. */
void dcp_virtual_change(struct dcp_virtual *, const struct dcp_step *);

/* Puts back what the journal says was done and sent, so that a killed run goes
 * on: verified steps happened at their times, sent ones are under way since
 * then, and the clock stands at the latest time recorded. */
bool dcp_virtual_restore(struct dcp_virtual *,
                         const struct dcp_step_record records[],
                         struct dcp_error *err) DCP_CHECKED;

const struct dcp_placement *dcp_virtual_placement(const struct dcp_virtual *);
const struct dcp_action_record *
dcp_virtual_log(const struct dcp_virtual *, uint32_t *out_n);

/* Slots for executors that are this with another name. */
extern const struct dcp_executor_ops dcp_virtual_ops;

/* The dry run: named "dry", with the plan's estimates. */
struct dcp_virtual *
dcp_dry_create(const struct dcp_inventory *, const struct dcp_plan *,
               uint32_t leg, const struct dcp_placement *start,
               struct dcp_error *err) DCP_CHECKED;
/* What a person would type to do the step by hand, one command a line, in
 * 'out'; "" where there is nothing to type. */
struct dcp_text;
void dcp_dry_commands(const struct dcp_inventory *, const struct dcp_step *,
                      struct dcp_text *out);

#endif /* executors/virtual.h */
