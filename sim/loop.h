/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_LOOP_H
#define DCP_SIM_LOOP_H 1

/* Closed loop: a policy acts on the replay that it watches.
 *
 * At the start and every interval after it the policy is asked, unless what it
 * asked for last is still under way (then at the first interval after that).
 * Its wishes are made a plan of one leg: hosts on, moves after their target is
 * on, hosts off after all who leave it.  The plan is carried out by the same
 * runner as in real execution, in the simulator's world (sim/executor.h), from
 * the state that the replay is in; what happened there, with its times, happens
 * in the replay.
 *
 * Refused, and counted, before there is a plan: moves that do not fit in any
 * order, or that the VM cannot make (sim/policy/fleet.h); switches of hosts
 * that may not be switched, or would have VMs; fewer hosts on than
 * policy.keep_on; and wishes that break a hard rule which holds now, looked at
 * after all of the wishes before it.  Where a host cannot go off that was
 * wished off, neither do VMs leave it in this plan: they would move in vain.  A
 * move never overbooks memory.  Not looked at: headroom (policy.survive), watts
 * of racks and feeds, change windows; rules with hold: always between single
 * moves.
 *
 * With failures, that world meets them (sim/failure/restart.h): what became
 * impossible fails, the runner leaves out what waits for it, and VMs are
 * restarted.  Policies see which hosts
 * are down or under maintenance (view.unfit): nothing may be wished of those.
 *
 * A plan in place of wishes is carried out as it is, its legs at their times.
 *
 * Deterministic, one thread. */

#include "sim/failure/restart.h"
#include "sim/ground.h"

struct dcp_loop_options {
    int64_t every_ms;
    const struct dcp_samples *net; /* As for sim/executor.h; NULL: not known. */
    /* What fails meanwhile, just made from the input's start; NULL: nothing.
     * Borrowed, and advanced to the end: what it counted is the caller's to
     * ask.  Its events and losses borrow steps that are gone then. */
    struct dcp_ha *ha;
};

struct dcp_loop_report {
    uint32_t asked;  /* Times. */
    uint32_t waited; /* Intervals at which a plan was under way. */
    uint32_t stood;  /* Questions that were answered without a search. */
    uint32_t plans;
    uint32_t wishes; /* Moves and switches. */
    uint32_t refused_moves, refused_switches, refused_by_rules;
    uint32_t steps, steps_failed; /* Failed, skipped or unknown. */
    struct dcp_lost_steps lost;   /* Where things fail: of those, why. */
};

/* The input's own events are played as well, and meet no failures. */
bool dcp_loop_run(const struct dcp_sim_input *, struct dcp_sim_policy *,
                  const struct dcp_loop_options *, struct dcp_sim_result *out,
                  struct dcp_loop_report *out_report,
                  struct dcp_error *err) DCP_CHECKED;

/* The plan of one leg that the wishes come to, from where the replay stands;
 * NULL without error: nothing is left to do.  */
bool dcp_loop_plan(const struct dcp_sim *, struct dcp_ground *,
                   const struct dcp_wishes *, struct dcp_loop_report *,
                   struct dcp_plan **out, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/loop.h */
