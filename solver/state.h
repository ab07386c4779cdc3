/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STATE_H
#define DCP_SOLVER_STATE_H 1

/* One assignment of items to hosts with all sums kept up to date by each move:
 * O(slots + scalars + groups of the item) per move, nothing recounted.
 *
 * Not thread-safe; copies are independent. */

#include "solver/compile/licence_pool.h"
#include "solver/objective.h"
#include "solver/problem.h"

struct dcp_loss_sums;

struct dcp_state {
    const struct dcp_problem *p;
    uint32_t *host;      /* [item]; DCP_IX_NONE: not placed. */
    uint8_t *on;         /* [host] */
    uint32_t *cpu_mhz;   /* Used, [host * stride + slot]. */
    uint32_t *net_kib_s; /* Same, or NULL. */
    uint32_t *used;      /* [s * n_hosts + host] */
    struct dcp_chance_load *chance; /* policy.overload; NULL: not asked. */
    struct dcp_watts *watts; /* Of racks, feeds and rooms; NULL: none could be
                              * over its limit. */
    struct dcp_loss_sums *loss_sums; /* Of racks and feeds that may be lost
                                      * (solver/headroom/loss_sums.h); NULL:
                                      * not asked. */
    uint32_t *cpu_peak_mhz; /* Highest slot of each host. */
    uint32_t *room; /* Of the first scalar (memory), usable and free; 0 where
                     * the host is off or must end empty: the first look of
                     * every scan over hosts. */
    uint32_t *was; /* By item that has no host: where it was last, for restarts
                    * are under the same hypervisor; NULL: each item knows one
                    * hypervisor only. */
    uint32_t *first, *next, *prev; /* Items of a host, as a list. */
    uint32_t *n_on_host;
    /* Counts of groups, see solver/rules/tally.h; NULL: a short list instead.
     */
    uint32_t **count;
    uint32_t *n_lonely; /* By host: members of hard lonely rules, once for each
                         * rule; NULL: there is none. */
    uint32_t *n_rule_on; /* By power rule: hosts that count as on. */
    int64_t *broken;     /* By rule: violations, where priced; else NULL. */
    struct dcp_licence_counts *licences; /* policy.licences: owned; NULL: not
                                          * asked. */
    struct dcp_objective *objective; /* Owned: solver/objective.h. */
    uint32_t n_on;
    uint32_t n_unplaced;
    /* By kind, how it was shown that it survives several losses at once
     * (solver/headroom/headroom.h); 0: not known. */
    uint8_t loss_form[DCP_LOSS_KINDS];
    uint64_t n_checks; /* Fit tests made: the measure of work. */
};

struct dcp_state *dcp_state_create(const struct dcp_problem *,
                                   struct dcp_error *err) DCP_CHECKED;
/* Before its problem is. */
void dcp_state_destroy(struct dcp_state *);
DCP_DEFINE_AUTO(dcp_state)
/* Makes 'to' equal to 'from'; both of one problem. */
void dcp_state_assign(struct dcp_state *to, const struct dcp_state *from);

/* Places all as in a placement (an item as the first of its VMs), hosts on as
 * there. */
void dcp_state_become(struct dcp_state *, const struct dcp_placement *);

void dcp_state_place(struct dcp_state *, uint32_t item, uint32_t host);
void dcp_state_remove(struct dcp_state *, uint32_t item);
/* The sums alone, for bounds on what a host may hold at once; the item's place
 * is not changed. */
void dcp_state_add_load(struct dcp_state *, uint32_t item, uint32_t host);
void dcp_state_sub_load(struct dcp_state *, uint32_t item, uint32_t host);
/* The same of scalars alone, by position in the problem: of a VM that grows or
 * shrinks on its host. */
void dcp_state_add_scalars(struct dcp_state *, const uint32_t amount[],
                           uint32_t host);
void dcp_state_sub_scalars(struct dcp_state *, const uint32_t amount[],
                           uint32_t host);
void dcp_state_power(struct dcp_state *, uint32_t host, bool on);

/* Whether 'item' (not placed now) has room on 'host' under the usable limits,
 * racks and feeds included; says nothing of rules. */
bool dcp_state_fits(struct dcp_state *, uint32_t item, uint32_t host);
/* As above under the limits after a loss. */
bool dcp_state_fits_full(struct dcp_state *, uint32_t item, uint32_t host);
/* Either of them ('full': the second), if 'other' left its host for 'item';
 * everybody stays, 'other' as the host's first. */
bool dcp_state_fits_instead(struct dcp_state *, uint32_t item, uint32_t other,
                            bool full);
/* Whether racks, feeds and rooms bear an empty host at full load. */
bool dcp_state_bears_full(const struct dcp_state *, uint32_t host);
/* Whether rules, reach and owned licences let 'item' be on 'host' with the others where they
 * are. */
bool dcp_state_allowed(const struct dcp_state *, uint32_t item, uint32_t host);
/* The licence of which too many units would be needed, and how many; NULL:
 * none is short. */
const struct dcp_licence_pool *dcp_state_short_licence(const struct dcp_state *,
                                                       uint32_t item,
                                                       uint32_t host,
                                                       double *out_units);
/* dcp_state_allowed() for a restart after a loss: licences, soft rules and kinds
 * that policy relaxes are not asked. */
bool dcp_state_restarts(const struct dcp_state *, uint32_t item,
                        uint32_t host);
/* Whether the host runs the hypervisor that the item is of: that of its host,
 * or of the last that it had. */
bool dcp_state_same_hypervisor(const struct dcp_state *, uint32_t item,
                               uint32_t host);
/* The group that forbids it; NULL: none does. */
const struct dcp_group *dcp_state_blocking_group(const struct dcp_state *,
                                                 uint32_t item, uint32_t host,
                                                 bool restart);

/* For a move on its way: the hard rule with hold: always that forbids it.  Of
 * numbers that the start has too high only what makes them higher is; gather
 * and among are left to reach. */
const struct dcp_group *dcp_state_blocking_always(const struct dcp_state *,
                                                  uint32_t item,
                                                  uint32_t host);

/* The first soft group that would be broken there; NULL: none. */
const struct dcp_group *dcp_state_soft_group(const struct dcp_state *,
                                             uint32_t item, uint32_t host);

/* --- Power rules (max_on, min_on) --------------------------------------- */

/* Whether switching the host keeps them (hard ones), and its rack, feeds and
 * room bear it. */
bool dcp_state_may_switch(const struct dcp_state *, uint32_t host, bool on);
/* The first hard one that is broken; NULL: none is. */
const struct dcp_power_rule *
dcp_state_broken_power_rule(const struct dcp_state *);
/* What the host's power counts for in the rule. */
bool dcp_state_counts_as_on(const struct dcp_state *,
                            const struct dcp_power_rule *, uint32_t host,
                            bool on);

/* --- Prices of soft rules (question.price_soft) ------------------------- */

/* What all broken rules cost together; O(rules). */
double dcp_state_soft_price(const struct dcp_state *);
/* Whether some priced rule is about the item. */
bool dcp_state_is_priced(const struct dcp_state *, uint32_t item);
/* What more they cost once 'item', which has no place now, is on 'host'. */
double dcp_state_soft_price_delta(const struct dcp_state *, uint32_t item,
                                  uint32_t host);

/* Whether the host is above a usable limit (it may be so at the start). */
bool dcp_state_overloaded(const struct dcp_state *, uint32_t host);

/* How badly filled 'host' would be after 'item' came: the squared normalised
 * room left, weighted by how scarce each resource is; smaller is tighter. */
struct dcp_weights {
    double cpu, scalar[DCP_SCALARS_MAX];
};
double dcp_state_room_left(const struct dcp_state *,
                           const struct dcp_weights *, uint32_t item,
                           uint32_t host);

#endif /* solver/state.h */
