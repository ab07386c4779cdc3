/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SCHEDULE_SCHEDULE_H
#define DCP_SOLVER_SCHEDULE_SCHEDULE_H 1

/* From two placements to a leg: steps and what each waits for, so that every
 * state of every order is legal.
 *
 * First an order in which each move fits after the moves before it; where
 * moves wait for each other in a circle, one VM steps aside to a bypass host
 * and goes on from there.  Then waits are derived per target host: the k-th
 * arrival waits for the shortest run of departures (in that order) that makes
 * room for the first k arrivals.  Because those runs are nested, any set of
 * arrivals that may have started is safe, in whatever order.  Hosts are
 * switched on before what they receive and off after what they lose; VLANs
 * reach a host before a VM that needs them. */

#include "model/demand.h"
#include "model/plan.h"
#include "model/rightsize.h"
#include "solver/schedule/sequence_clash.h"

/* A leg being made; steps are appended to 'steps'. */
struct dcp_step_list {
    struct dcp_arena *arena; /* Of the plan. */
    struct dcp_step *steps;  /* Owned until taken. */
    uint32_t n, capacity;
};

struct dcp_leg_request {
    const struct dcp_inventory *inventory;
    /* VMs that the leg resizes (solver/schedule/resizing.h): 'inventory' has
     * their new sizes, 'was' the old ones, 'advice' (by VM) says which; NULL:
     * none. */
    const struct dcp_inventory *was;
    const struct dcp_size_advice *advice;
    const struct dcp_demand *demand;
    uint32_t first_slot, last_slot; /* In which its states are judged. */
    const struct dcp_placement *from, *to;
    const uint8_t *closed;       /* By rule, as in the question; NULL: none. */
    uint32_t leg;                /* Index in the plan. */
    enum dcp_reason move_reason; /* EMPTY_HOST, UNPACK, EVACUATE ... */
    enum dcp_reason off_reason;
    /* VLANs that an earlier leg trunked, by (host, vlan); taken back when
     * nobody uses them any more. */
    struct dcp_trunks *trunks;
    /* When it begins, and may last at most, where its steps are to keep to
     * change windows and to wait for CPU (solver/schedule/leg_times.h); the
     * same: they have no times of their own. */
    int64_t start_ms, until_ms;
    /* Its moves may run until then, whatever holds them up; 0: for as long as
     * they take, a quarter more and twenty minutes. */
    int64_t last_ms;
    uint8_t *late; /* By VM, set to 1: of steps outside their rules' times;
                    * NULL: not asked. */
    /* By when its times should be searched for, on the monotonic clock; 0: no
     * such time.  Late, they are those of the first rule. */
    int64_t deadline_ms;
    bool limits_moves; /* More moves than the first order's are no use. */
};

/* VLANs trunked by this plan so far. */
struct dcp_trunks {
    struct dcp_trunk {
        uint32_t host, vlan, step; /* step: that trunked it. */
        uint32_t gone;             /* Step that took it back; 0: none. */
    } * items;
    uint32_t n, capacity;
};
void dcp_trunks_finish(struct dcp_trunks *);
/* Forgets what steps from 'first_step' on did, so that a leg can be scheduled
 * anew. */
void dcp_trunks_rewind(struct dcp_trunks *, uint32_t first_step);

struct dcp_leg_answer {
    bool ok;                 /* False: no safe order was found. */
    struct dcp_object stuck; /* Where !ok: a VM that could not be moved, or a
                              * host that could not be switched. */
    struct dcp_sequence_clash sequences; /* Where !ok: whether they are why. */
    uint32_t n_moves, n_bypasses;
    int64_t makespan_ms;       /* Estimated under the limits (leg_times.h). */
    int64_t makespan_bound_ms; /* These moves take no less, in any order. */
    uint64_t moved_mib;
    uint32_t n_late; /* Steps outside their rules' times. */
    int64_t late_ms; /* The most that one is late, where it has a time. */
    const struct dcp_rule *late_rule; /* Of one of them; NULL: none. */
    struct dcp_object late_object;    /* What that step is about. */
};

bool
dcp_schedule_leg(const struct dcp_leg_request *, struct dcp_step_list *,
                 struct dcp_leg_answer *out, struct dcp_error *err) DCP_CHECKED;

/* Appends a step with the next id; NULL: out of memory. */
struct dcp_step *dcp_step_list_add(struct dcp_step_list *);
void dcp_step_list_finish(struct dcp_step_list *);

#endif /* solver/schedule/schedule.h */
