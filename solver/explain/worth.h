/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_WORTH_H
#define DCP_SOLVER_EXPLAIN_WORTH_H 1

/* What one decision of a plan, or one rule, is worth in the plan's own goal
 * (the first level): what the goal would come to if a VM had to stay where it
 * was, if a host had to stay on, or if a rule were not there.
 *
 * Told in two ways:
 *
 * - *Alone*: only this changes, all else is as the plan has it.  Counted, not
 *   searched, so it is exact; it is no less than the true cost, since with
 *   this changed other things would be planned otherwise too.  The end of the
 *   leg is judged (room, reach, rules, headroom); its order of moves is not.
 *   For a rule there is no such figure.
 * - *Planned again*, with the change and without, by the same search, seed and
 *   goals and half of the time limit each.  Of both the best that is known is
 *   taken: a plan that obeys more is a plan for less as well, and a plan
 *   without the change is one with it once that alone was put in.  Searches
 *   are heuristic; what no plan can be better than is known too, and the true
 *   figure is between
 *     at least  |least with the one - found with the other|, never below 0,
 *     at most   |found with the one - least with the other|.
 *   Where the two are equal it is exact.
 *
 * policy.min_gain is left out of account when planning again: it would make
 * the value jump where a plan is no longer worth its moves. */

#include "solver/explain/refusal.h"
#include "solver/plan/planner.h"

enum dcp_worth_kind {
    DCP_WORTH_VM_STAYS,      /* Where it was before the plan. */
    DCP_WORTH_HOST_STAYS_ON, /* All the time. */
    DCP_WORTH_RULE_DROPPED,  /* Hard or soft. */
    DCP_WORTH_VM_KEEPS_SIZE, /* That it had before the plan. */
};

struct dcp_worth_change {
    enum dcp_worth_kind kind;
    uint32_t ix; /* VM, host or rule. */
    /* VM_KEEPS_SIZE: the request's model but for the size that the VM had, and
     * the demand of that; borrowed. */
    const struct dcp_inventory *was;
    const struct dcp_demand *demand_was;
};

struct dcp_worth {
    double planned; /* The plan's value, counted anew. */
    const char *unit;
    /* Alone. */
    bool applies; /* The plan moves the VM, or switches the host off. */
    bool refused; /* Not possible with all else as planned. */
    struct dcp_refusal why;
    double alone;     /* The value; NaN where refused, or no such figure. */
    bool switches_on; /* The VM's old host would have to stay on for it. */
    /* Planned again. */
    bool replanned;
    enum dcp_status
        status; /* With the change; OPTIMAL: 'found' is the least. */
    struct dcp_because because; /* Where nothing was found. */
    double best;  /* The best known value as things are; NaN: unknown. */
    double least; /* And what no plan can be below. */
    double found; /* The same two with the change; NaN: nothing found. */
    double found_least;
    /* What it costs, 0 or more: proved, and by what was found, which is the
     * least of all comparisons of like with like: found beside best, and what
     * held alone beside the plan that it was put in. */
    double at_least, at_most, difference;
};

/* Fills 'planned', 'unit' and what is about the change alone.  The request is
 * the one that the plan came from. */
bool dcp_worth_alone(const struct dcp_plan_request *, const struct dcp_plan *,
                     const struct dcp_worth_change *, struct dcp_worth *out,
                     struct dcp_error *err) DCP_CHECKED;

/* The request planned once more, without policy.min_gain. */
struct dcp_worth_base {
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan; /* Owned; NULL: none, or nothing to do. */
};
bool
dcp_worth_base_make(const struct dcp_plan_request *, struct dcp_worth_base *out,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_worth_base_finish(struct dcp_worth_base *);

/* Fills the rest, after dcp_worth_alone().  'base' may serve several changes.
 * '*out_plan' gets the plan with the change, where there is one (owned by the
 * caller). */
bool
dcp_worth_replan(const struct dcp_plan_request *,
                 const struct dcp_worth_change *, const struct dcp_worth_base *,
                 struct dcp_worth *inout, struct dcp_plan **out_plan,
                 struct dcp_error *err) DCP_CHECKED;
/* The plan that was found without a hard rule obeys it all the same, as the checker
 * says: then it is one with the rule, too. */
void dcp_worth_rule_is_kept(struct dcp_worth *);

#endif /* solver/explain/worth.h */
