/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_POLICY_H
#define DCP_SIM_POLICY_POLICY_H 1

/* What acts while time passes in a closed loop (sim/loop.h).
 *
 * At each interval the loop asks: given what is known by now, what do you wish?
 * A policy looks through dcp_sim_view() and its kin (sim/sim.h), which end at
 * now, and answers with moves and switches of hosts, or with a whole plan.  A
 * wish is no command: the loop refuses what is not legal, and the executor
 * takes the time that its models say.
 *
 * One file each, with its source at its head; sim/policy/named.c lists those
 * that have a name.  Policies of other modules (the solver's) are made by who
 * runs the loop: nothing here knows of solvers.
 *
 * One policy, one thread.  The same questions in the same order get the same
 * answers: random choices come from a stream of the seed. */

#include "model/plan.h"
#include "sim/sim.h"

enum dcp_wish_kind { DCP_WISH_MOVE, DCP_WISH_ON, DCP_WISH_OFF };
struct dcp_wish {
    enum dcp_wish_kind kind;
    uint32_t vm; /* MOVE. */
    uint32_t host;
};

struct dcp_wishes {
    struct dcp_wish *items; /* In the order in which they matter; owned. */
    uint32_t n, capacity;
    /* Instead of items: a plan, judged by whoever made it.  Owned until the
     * loop takes it. */
    struct dcp_plan *plan;
    bool stands; /* Instead of a search: the last answer still stands. */
};
bool dcp_wishes_add(struct dcp_wishes *, struct dcp_wish,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_wishes_finish(struct dcp_wishes *);

struct dcp_ground;
struct dcp_sim_policy;
struct dcp_sim_policy_ops {
    const char *name, *summary;
    /* Adds to 'out', which is empty.  Asked only once a sample is over. */
    bool (*decide)(struct dcp_sim_policy *, const struct dcp_sim *,
                   struct dcp_wishes *out, struct dcp_error *err);
    void (*destroy)(struct dcp_sim_policy *);
};

struct dcp_sim_policy { /* Embed as the first member. */
    const struct dcp_sim_policy_ops *ops;
    struct dcp_ground *ground; /* sim/ground.h; the loop's, which sets it before
                                * it asks. */
};
static inline void
dcp_sim_policy_destroy(struct dcp_sim_policy *policy)
{
    if (policy) {
        policy->ops->destroy(policy);
    }
}
DCP_DEFINE_AUTO(dcp_sim_policy)

/* --- By name ------------------------------------------------------------ */

/* "none", "dpm", "dpm:45-81", "thr-mmt:0.8" ...; docs/sim-policies.md has them
 * all.  NULL with DCP_E_USAGE: no such name, or a parameter out of its range;
 * the message lists what there is. */
struct dcp_sim_policy *dcp_sim_policy_named(const char *text, uint64_t seed,
                                            struct dcp_error *err) DCP_CHECKED;

/* --- Each; 'param' NULL: its default ------------------------------------ */

struct dcp_sim_policy *
dcp_policy_none(const char *name,
                struct dcp_error *err) DCP_CHECKED; /* "none", "npa", "dvfs". */
struct dcp_sim_policy *
dcp_policy_dpm(const char *param,
               struct dcp_error *err) DCP_CHECKED; /* "45-81", percent. */
struct dcp_sim_policy *
dcp_policy_consolidate(const char *param, struct dcp_error *err)
    DCP_CHECKED; /* "24": hours looked back. */
struct dcp_sim_policy *
dcp_policy_balance(const char *param, struct dcp_error *err)
    DCP_CHECKED; /* "5": deviation that is left alone, percent. */
struct dcp_sim_policy *
dcp_policy_reactive(const char *detector, const char *selection,
                    const char *param, uint64_t seed,
                    struct dcp_error *err) DCP_CHECKED; /* "thr", "mmt". */

#endif /* sim/policy/policy.h */
