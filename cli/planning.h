/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_PLANNING_H
#define DCP_CLI_PLANNING_H 1

/* What the planning commands (consolidate, evacuate, repair, place --all)
 * share: their options, making the plan, and saying how it stands. */

#include "cli/context.h"
#include "cli/replan.h"
#include "cli/rightsizing.h"
#include "model/io/json_writer.h"
#include "solver/plan/planner.h"
#include "traces/joint.h"

struct dcp_planning_options {
    const char *output;    /* -o; NULL: plan.json is not written. */
    const char *traces;
    const char *goals;
    int64_t until_ms;      /* --until; DCP_INSTANT_NONE: none. */
    int64_t from_ms;       /* --fit-from. */
    const char *strategy; /* "full" ... */
    double gap_frac;
    uint64_t max_moves;
    double slack_frac; /* Above 0: in place of policy.goal_slack. */
    double perturb_frac;
    bool detailed_exitcode;
    bool no_convert; /* --no-convert. */
    /* For other parts of the program: demand that was learned before, of which
     * the plan's slots are parts; NULL: learned anew.  'brief': the plan alone
     * is wanted, and nothing that is told about it, but for what to expect of
     * it where that is asked for. */
    const struct dcp_demand *learned;
    bool brief, expects;
    bool limit_from_start; /* --time-limit is for the whole command: no option,
                            * the plan is all that it makes. */
};
#define DCP_N_PLANNING_ROWS 12u
extern const struct dcp_opt dcp_planning_rows[DCP_N_PLANNING_ROWS];

/* What can be had for so many moves. */
#define DCP_PARETO_MAX 16u
struct dcp_pareto_point {
    uint32_t max_moves, moves, hosts_on;
    enum dcp_status status;
    double before, after, lower_bound, plan_seconds;
    uint64_t moved_mib;
    bool written; /* The plan that -o keeps. */
};

/* A job: what to ask, and how to present it. */
struct dcp_planning_job {
    enum dcp_job job;
    const char *command;    /* "consolidate". */
    const uint8_t *avoid;   /* By host. */
    bool bring_back;
    bool has_window;
    struct dcp_window window;
    const char *window_text;
    enum dcp_even_score even_score; /* BALANCE. */
    const char *score;              /* Its name. */
    struct dcp_pareto_point pareto[DCP_PARETO_MAX];
    uint32_t n_pareto;
    bool partial; /* --partial. */
    bool no_park; /* --no-park. */
    bool rightsize; /* --rightsize. */
    struct dcp_storage_job storage;
};

struct dcp_planning_answer {
    struct dcp_plan *plan; /* Owned; NULL: none. */
    struct dcp_demand *demand; /* Owned. */
    struct dcp_plan_outcome outcome;
    uint32_t violations_before, violations_after;
    bool settled; /* The evening of this window was carried out. */
    struct dcp_rightsizing rightsizing; /* Owned; zeroes: not asked for. */
    uint32_t hosts_needed_allocated, hosts_needed_active; /* active: 0 where
                                                           * not measured. */
    int64_t start_ms, end_ms, window_end_ms;
    uint32_t night_slots;    /* Slots of 'demand' before window_end_ms. */
    uint64_t *planned_peak_mhz; /* By host, owned: its fullest slot by planned
                                 * demand; set with 'joint'. */
    struct dcp_joint joint;  /* Owned; n_instants 0: not measured. */
    int64_t joint_from_ms, joint_until_ms; /* Samples behind it. */
    double solve_seconds;
};

/* Demand of the slots of [start_ms, end_ms), learned from samples in
 * [from_ms, until_ms), or a part of 'learned'. */
struct dcp_demand *
dcp_planning_demand(struct dcp_context *, const struct dcp_demand *learned,
                    int64_t start_ms, int64_t end_ms, int64_t from_ms,
                    int64_t until_ms, struct dcp_error *err) DCP_CHECKED;
/* When a plan that is asked for at 'after_ms' without a window begins, and for
 * how long it is made. */
int64_t dcp_planning_start_ms(int64_t after_ms);
int64_t dcp_planning_horizon_ms(const struct dcp_inventory *);

/* Makes the plan; 'start' NULL: the model's present placement. */
bool dcp_planning_make(const struct dcp_globals *, struct dcp_context *,
                       const struct dcp_placement *start,
                       const struct dcp_planning_options *,
                       const struct dcp_planning_job *, int64_t after_ms,
                       struct dcp_planning_answer *out, struct dcp_error *err)
    DCP_CHECKED;
void dcp_planning_answer_finish(struct dcp_planning_answer *);

/* The whole command: opens, makes, writes, prints; the exit status. */
int dcp_planning_run(const struct dcp_globals *,
                     const struct dcp_planning_options *,
                     struct dcp_planning_job *, struct dcp_context *,
                     struct dcp_error *err);

/* What counts: 'text' ("cost,moves"), else the policy's goals, else money where
 * there are prices and hosts where there are none. */
bool
dcp_planning_goals(const struct dcp_inventory *, const char *text,
                   struct dcp_goals *out, struct dcp_error *err) DCP_CHECKED;

/* cli/planning_measured.c: of an answer with a plan, what raw samples say: its
 * joint loads (not of a brief one) and what the plan is expected to save.
 * Nothing where demand was learned before, or there are none. */
bool
dcp_planning_measure(struct dcp_context *, const struct dcp_planning_options *,
                     struct dcp_planning_answer *,
                     struct dcp_error *err) DCP_CHECKED;

/* cli/planning_left.c: what the plan leaves broken (repair --partial) and what
 * change windows hold: members "partial" and "changes", and lines for people. */
void dcp_planning_left_json(struct dcp_json *, const struct dcp_inventory *,
                            const struct dcp_planning_answer *);
void dcp_planning_left_print(const struct dcp_inventory *,
                             const struct dcp_planning_answer *);

/* cli/planning_conversions.c: VMs that get another hypervisor, what that costs
 * and how long they are down; and, where policy has conversions and the plan
 * none, what kept it from weighing them (NULL: nothing). */
const char *dcp_planning_why_none_converted(const struct dcp_inventory *,
                                            const struct dcp_planning_options *,
                                            const struct dcp_planning_job *,
                                            const struct dcp_planning_answer *);
void dcp_planning_conversions_json(struct dcp_json *,
                                   const struct dcp_inventory *,
                                   const struct dcp_planning_options *,
                                   const struct dcp_planning_job *,
                                   const struct dcp_planning_answer *);
void dcp_planning_conversions_print(const struct dcp_inventory *,
                                    const struct dcp_planning_options *,
                                    const struct dcp_planning_job *,
                                    const struct dcp_planning_answer *);

/* cli/planning_goals.c: the same for a job: balance and repair have a first goal
 * of their own. */
bool dcp_planning_job_goals(const struct dcp_inventory *, enum dcp_job,
                            const char *text, struct dcp_goals *out,
                            struct dcp_error *err) DCP_CHECKED;

/* cli/planning_conflict.c: what clashes, and the least to give up; nothing
 * where nothing was found. */
void dcp_conflict_print(const struct dcp_conflict *);
/* "3 moves instead of 2; else raise --max-moves": how to give a part up. */
#define DCP_CONFLICT_PART_TEXT 1000
void dcp_conflict_part_text(const struct dcp_conflict_part *, char out[],
                            size_t size);
void dcp_conflict_json(struct dcp_json *, const struct dcp_conflict *);

/* cli/planning_storage.c: pools before and after, for people and programs;
 * nothing where no volume was asked about. */
void dcp_planning_storage_print(const struct dcp_context *,
                                const struct dcp_planning_job *,
                                const struct dcp_planning_answer *);
void dcp_planning_storage_json(const struct dcp_context *,
                               const struct dcp_planning_job *,
                               const struct dcp_planning_answer *,
                               struct dcp_json *);

/* cli/planning_pareto.c: "5,10,20", rising; NULL: none. */
bool dcp_planning_read_pareto(const char *text, struct dcp_planning_job *,
                              struct dcp_error *err) DCP_CHECKED;
/* Makes a plan for each of the job's numbers of moves,
 * no worse than for fewer moves; the answer is that of 'max_moves' of the
 * options or the last. */
bool dcp_planning_pareto(const struct dcp_globals *, struct dcp_context *,
                         const struct dcp_planning_options *,
                         struct dcp_planning_job *, int64_t after_ms,
                         struct dcp_planning_answer *out,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_planning_pareto_print(const struct dcp_planning_job *);
void
dcp_planning_pareto_json(const struct dcp_planning_job *, struct dcp_json *);

/* cli/planning_print.c: the answer for people and for programs. */
void dcp_planning_print(const struct dcp_globals *, const struct dcp_context *,
                        const struct dcp_planning_options *,
                        const struct dcp_planning_job *,
                        const struct dcp_planning_answer *);
int dcp_planning_json(const struct dcp_globals *, const struct dcp_context *,
                      const struct dcp_planning_options *,
                      const struct dcp_planning_job *,
                      const struct dcp_planning_answer *, int status,
                      struct dcp_error *err);

/* cli/planning_rest.c: by the journal, which VMs have moved too lately or too
 * often to move again from 'start_ms' on (policy.migration; hosts in maintenance
 * are left all the same), in '*out_resting'
 * (owned by the caller; NULL: none); lowers '*max_moves' (0: no limit) to what
 * the week's budget leaves. */
bool dcp_planning_rest(const struct dcp_globals *, const struct dcp_inventory *,
                       const struct dcp_placement *start, int64_t start_ms, uint8_t **out_resting,
                       uint64_t *max_moves, struct dcp_error *err) DCP_CHECKED;

/* The same file: marks in 'resting' (by VM, zeroed) those that were resized less
 * than policy.rightsize.cooldown before 'start_ms'; 'dir' is the model's. */
bool dcp_planning_resized(const char *dir, const struct dcp_inventory *,
                          int64_t start_ms, uint8_t resting[],
                          struct dcp_error *err) DCP_CHECKED;

/* cli/planning_needed.c: lower bounds on hosts under both memory bases, for the
 * answer's hosts_needed_*, which alone it changes. */
bool dcp_planning_hosts_needed(const struct dcp_globals *,
                               const struct dcp_inventory *,
                               const struct dcp_placement *start,
                               struct dcp_planning_answer *,
                               struct dcp_error *err) DCP_CHECKED;

/* cli/planning_soft.c: soft rules that the plan breaks, leg by leg, with their
 * price: member "soft" of the answer, and lines for people. */
struct dcp_json;
bool dcp_planning_soft_json(struct dcp_json *, const struct dcp_context *,
                            const struct dcp_planning_answer *,
                            struct dcp_error *err) DCP_CHECKED;
void dcp_planning_soft_print(const struct dcp_context *,
                             const struct dcp_planning_answer *);

#endif /* cli/planning.h */
