/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLAN_PLANNER_H
#define DCP_SOLVER_PLAN_PLANNER_H 1

/* From a job to a plan: which placements, in which legs, in which order.
 *
 * consolidate with a window: an evening leg to the placement of the night N,
 * and a morning leg to the placement of the day D.  N is solved from where VMs
 * are, on the window's slots; D from N, on all slots, preferring each VM's
 * home, so that the morning brings back what the day needs and no more
 * (policy.unpack: home brings all back).  Without a window: one leg, on all
 * slots.  Other jobs differ in what the question allows.
 *
 * The objective counts what a plan can change (solver/compile/pricing.h): power
 * of hosts that are on above their standby, at planned demand and marginal PUE
 * (in money: by tariff), and boots; licences, where VMs return only what is
 * needed above the start's; hosts, balance and room in the (first) leg's end
 * state; moves of both legs. */

#include "model/goals.h"
#include "model/plan.h"
#include "model/rightsize.h"
#include "solver/balance/evenness.h"
#include "solver/explain/conflict.h"
#include "solver/storage/storage.h"

enum dcp_job {
    DCP_JOB_CONSOLIDATE,
    DCP_JOB_EVACUATE, /* 'avoid' says what. */
    DCP_JOB_REPAIR,  /* Ends violations with the fewest moves, which must be the
                      * first goal; empties nothing. */
    DCP_JOB_BALANCE, /* As repair, then evens out hosts that are on. */
    DCP_JOB_STORAGE, /* VMs and hosts stay as they are: 'storage' alone. */
};

/* Whether policy lets plans of this kind give VMs another hypervisor. */
bool dcp_job_may_convert(const struct dcp_policy *, enum dcp_job);

struct dcp_storage_job { /* Moves of volumes, after docs/storage.md. */
    bool asked;
    enum dcp_storage_aim aim;
    const uint8_t *avoid; /* By pool: 1 = must end empty, and nothing else is
                           * wrong; NULL: none. */
};

struct dcp_plan_request {
    const struct dcp_inventory *inventory; /* Borrowed, all of them. */
    /* VMs that the first leg resizes, for good: 'inventory' and 'demand' are as
     * they will be (model/size.h), 'was' is as it is, 'advice' (by VM) says
     * which VMs and how; both NULL: none.  A settled night resizes none. */
    const struct dcp_inventory *was;
    const struct dcp_size_advice *advice;
    const struct dcp_demand *demand; /* From 'start_ms' to the horizon's end. */
    const struct dcp_placement *start;
    enum dcp_job job;
    bool two_legs;           /* Window: evening and morning. */
    int64_t start_ms;        /* Of the first leg. */
    int64_t window_end_ms;   /* Where two_legs. */
    const uint8_t *avoid;    /* By host: 1 = must end empty; NULL: none. */
    const uint8_t *resting;  /* By VM: 1 = stays where it is; NULL: none. */
    const uint8_t *stays_on; /* By host: 1 = may not go off; NULL: none. */
    bool bring_back;         /* EVACUATE: a second leg home. */
    /* The evening of this window has been carried out: only repair, unless
     * there is much to gain. */
    bool settled;
    struct dcp_goals goals; /* The first level counts hosts, energy, money
                             * or licences. */
    struct dcp_solve_options solve;
    uint64_t max_moves;             /* Of all legs; 0: no limit. */
    enum dcp_even_score even_score; /* BALANCE. */
    bool partial;    /* REPAIR: what cannot be repaired is left as it is, where
                      * that is    legal. */
    bool no_park;    /* Nobody is parked, whatever policy.parking says. */
    bool no_convert; /* Nor converted, whatever policy.conversions says. */
    struct dcp_storage_job storage; /* REPAIR, EVACUATE (one leg), STORAGE. */
};

#define DCP_CLOSED_MAX 8u
#define DCP_LEFT_MAX   64u

struct dcp_plan_outcome {
    enum dcp_status status;
    enum dcp_stopped_by stopped_by;
    struct dcp_because because;
    struct dcp_conflict conflict; /* Where there is no answer. */
    char goal[64];                /* "cost", "cost+0.02*moves". */
    const char *unit, *bound_method;
    char binding[32];
    uint32_t hosts_on_before, hosts_on_after, hosts_lower_bound;
    double before, after, lower_bound, gap_frac; /* Of the objective: the first
                                                  * level of goals. */
    struct dcp_plan_objective {
        char goal[64];
        const char *unit;
        double before, after;
    } objectives[DCP_GOALS_MAX]; /* All levels, the first again. */
    uint32_t n_objectives;
    uint32_t moves;
    uint64_t moved_mib;
    uint32_t vms_parked, vms_resized;
    /* A partial repair: hosts and VMs that are left as broken as they were, of
     * which the first ones are kept. */
    bool is_partial;
    struct dcp_object left[DCP_LEFT_MAX];
    uint32_t n_left;
    uint32_t vms_held, hosts_held; /* By change windows and freezes that are
                                    * closed for a leg: these rules, of which
                                    * the first ones are kept. */
    uint32_t closed[DCP_CLOSED_MAX], n_closed;
    /* VMs that get another hypervisor; money for that, whole and the share that
     * the objective counts; how long they are down, added up and at most. */
    uint32_t conversions;
    /* REPAIR: no legal end converts fewer (solver/plan/convert_bound.c); 0
     * where nothing is known. */
    uint32_t conversions_least;
    double conversion_cost, conversion_cost_counted;
    int64_t downtime_ms, downtime_most_ms;
    /* Hosts that the morning wakes, how many of them may never boot, how many
     * are spares for those, and hosts that stay on at night because more could
     * not be done without. */
    uint32_t hosts_woken, boots_may_fail, hosts_spare, hosts_kept_on;
    /* Two legs: whether all moves that were wanted fit the window.  Where they
     * do not, there is no plan, or one that leaves so many hosts on for it;
     * what is left of the objective by that. */
    struct dcp_window_fit {
        bool fits;
        bool exact; /* All sets of hosts were tried. */
        uint32_t hosts_kept_on;
        double value_left;
    } window;
    struct dcp_storage_outcome { /* Where 'storage' was asked for. */
        enum dcp_status status;
        struct dcp_because because;
        const char *bound_method;
        uint64_t volumes_moved, moved_mib;
        double before, after, lower_bound; /* As struct dcp_storage_answer. */
        uint32_t n_full_before, n_full, n_astray_before, n_astray;
        bool cut; /* Not all moves fit the time: those that matter most. */
    } storage;
    double cpu_util_mean_frac, mem_alloc_mean_frac; /* Hosts on, after. */
    struct dcp_plan_prediction predicted;
    uint64_t rounds;
};

/* *out_plan is set when there is something to do, else NULL; 'outcome' always
 * says how it stands.  The plan still lacks what only the caller knows:
 * lineage, serial, digests, options, run. */
bool dcp_plan_make(const struct dcp_plan_request *, struct dcp_plan **out_plan,
                   struct dcp_plan_outcome *outcome,
                   struct dcp_error *err) DCP_CHECKED;

/* What it is worth that the first leg ends in 'end1' and the second, or all of
 * it, in 'end2': objectives, hosts and prediction of 'outcome', as
 * dcp_plan_make() counts them.  Nothing is judged, and no bound is set. */
bool dcp_plan_weigh(const struct dcp_plan_request *,
                    const struct dcp_placement *end1,
                    const struct dcp_placement *end2,
                    struct dcp_plan_outcome *outcome,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* solver/plan/planner.h */
