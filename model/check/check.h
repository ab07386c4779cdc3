/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_CHECK_H
#define DCP_MODEL_CHECK_CHECK_H 1

/* The independent checker: judges a placement or a whole plan, and shares no
 * code with the solver and the planner.  It reads inventory, demand and plan
 * and recounts every sum itself.
 *
 * What is judged (design, section 6): a state is (done, running): every
 * 'after' of a done or running step is done, and running keeps the limits.  A
 * done move counts at its target, a running one on both sides; a host that is
 * off or being switched has no capacity.  A state of a leg is judged in the
 * slots from the leg's start to its buckets_until, which is not before the
 * next leg's deadline: what a leg leaves stands until then.  It is legal when
 *  (i)   no resource of a host, link, pool, rack or feed is above its limit,
 *        or above its starting value where that was already over;
 *  (ii)  no hard rule with hold: always is broken that the start did not
 *        break.
 * Live moves that run at once at a host have the CPU that they take there, in
 * every such state within the plan's limits; and none starts where it would
 * find it by waiting (model/check/move_cpu_check.c).
 * And at each leg's end
 *  (iii) all hard rules hold that the start did not break, and what the leg
 *        says is 'after' is what the steps give;
 *  (iv)  the 'survive' lists give every lost protected VM a place that is
 *        legal.
 * Volumes that move count in both pools; their VM's host opens the pool in
 * every state, and at each leg's end the pool has their tier and a VM's disks
 * are together, or apart, as its 'disks' says, but where the start has it so.
 * Where policy.licences is owned, no leg's end needs more units of a licence
 * than are owned, or than were needed before the plan if that is more.
 * Where policy.overload asks for it, (i) and (iii) to (iv) also hold as
 * model/check/overload.h says.
 *
 * (i) is proved for all orders by the largest closure (a min cut) over start
 * and end events of the steps that touch an object and their ancestors; (ii)
 * by reachability in the DAG; and the listed order is replayed.
 *
 * Pure; not thread-safe on one result. */

#include "model/demand.h"
#include "model/plan.h"

enum dcp_check_proof { DCP_PROOF_ALL_ORDERS, DCP_PROOF_LISTED_ORDER };

struct dcp_violation {
    uint32_t step;      /* Id of the step; 0: none (an end state, or whole). */
    const char *rule;   /* "capacity", "n+1", a rule's name, "order", ... */
    const char *object; /* "host:h1"; "" none. */
    char text[160];     /* One line for people. */
    double need, have;  /* NaN where nothing applies. */
};

struct dcp_check_result {
    struct dcp_arena *arena; /* Owns the strings. */
    bool pass;
    enum dcp_check_proof proof;
    uint64_t states_checked; /* States replayed plus closures solved. */
    struct dcp_violation *violations;
    uint32_t n_violations; /* At most DCP_VIOLATIONS_MAX are kept. */
    uint32_t n_violations_all;
    /* Soft rules broken at a leg's end, or in the placement: no violations,
     * 'need' is the price.  Likewise capped. */
    struct dcp_violation *soft;
    uint32_t n_soft, n_soft_all;
    double soft_price; /* Of all broken soft rules, at the ends of all legs. */
};
#define DCP_VIOLATIONS_MAX 1000

/* False only when the question could not be answered (memory). 'demand' must
 * cover the plan's slots (every leg's start to buckets_until). */
/* Kinds of steps that cannot be judged (starting, stopping and resizing VMs,
 * creating, growing and deleting volumes) are violations with the rule
 * "unsupported".  Lineage,
 * serial, digests and validity are the caller's to compare. */
bool dcp_check_plan(const struct dcp_inventory *, const struct dcp_demand *,
                    const struct dcp_plan *, struct dcp_check_result *out,
                    struct dcp_error *err) DCP_CHECKED;

/* Judges one placement in the slots [first_slot, last_slot) of 'demand':
 * capacity, reach, all hard rules (and soft ones, reported apart).  Used for
 * violations_before and violations_after. */
bool
dcp_check_placement(const struct dcp_inventory *, const struct dcp_demand *,
                    const struct dcp_placement *, uint32_t first_slot,
                    uint32_t last_slot, struct dcp_check_result *out,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_check_result_finish(struct dcp_check_result *);

/* The declared rules alone, in one placement: hard ones, and soft ones with
 * their price.  'base': where VMs were before; what it breaks is not held
 * against hard rules.  NULL: nothing is excused, and rules about staying
 * (root, quarantine) have nothing to say. */
bool dcp_check_rules(const struct dcp_inventory *,
                     const struct dcp_placement *base,
                     const struct dcp_placement *,
                     struct dcp_check_result *out,
                     struct dcp_error *err) DCP_CHECKED;
/* The same, of the rules with a mark in 'asked' (by rule) only: what changed
 * can break no other. */
bool dcp_check_some_rules(const struct dcp_inventory *,
                          const uint8_t asked[],
                          const struct dcp_placement *base,
                          const struct dcp_placement *,
                          struct dcp_check_result *out,
                          struct dcp_error *err) DCP_CHECKED;

#endif /* model/check/check.h */
