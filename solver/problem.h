/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PROBLEM_H
#define DCP_SOLVER_PROBLEM_H 1

/* A placement question compiled into dense columns for search.
 *
 * The unit of search is the *item*: one VM, or the VMs that a hard gather rule
 * over hosts ties together, which only ever move as one.  Which hosts an item
 * may use for reasons that no move changes (hypervisor, CPU, VLAN and storage
 * reach, fence, ban, root) is its *reach class*; items with the same reasons
 * share one bitset.  What depends on where others are (spread, gather over
 * racks and up, separate) is a *group*.
 *
 * Immutable once made; thread-safe to read. */

#include "model/capacity.h"
#include "model/demand.h"
#include "model/placement.h"
#include "solver/compile/chance.h"
#include "solver/compile/conversion.h"
#include "solver/watts.h"

struct dcp_goal_terms;
struct dcp_licence_pools;
struct dcp_loss_domains;
struct dcp_pricing;

/* What a question allows of one host. */
enum dcp_host_use {
    DCP_HOST_FREE,    /* May be on or off as the search likes. */
    DCP_HOST_KEEP,    /* Stays as it is: on stays on, off stays off. */
    DCP_HOST_AVOID,   /* Must end empty (evacuation, maintenance); its power is
                       * left as it is. */
};

/* Whether a VM may change its hypervisor, by a cold step, where
 * policy.conversions has a way. */
enum dcp_may_convert {
    DCP_MAY_NOT_CONVERT,
    DCP_MAY_CONVERT,
    DCP_MUST_CONVERT, /* No host of the hypervisor that it is of will do. */
};

struct dcp_question {
    const struct dcp_inventory *inventory; /* Borrowed, all of them. */
    const struct dcp_demand *demand;
    uint32_t first_slot, last_slot; /* Slots judged. */
    const struct dcp_placement *start;
    /* Where 'root' holds VMs and where unpacking prefers to put them; NULL:
     * start. */
    const struct dcp_placement *home;
    const uint8_t *host_use; /* enum dcp_host_use by host; NULL: all free
                              * where the model allows power-off. */
    const uint8_t *resting; /* By VM: 1 = it has just moved, and stays where it
                             * is; NULL: none. */
    const uint8_t *closed;  /* By rule: 1 = a change window or freeze that is
                             * closed while steps may run (solver/rules/delta.h);
                             * NULL: none is. */
    bool may_wake;  /* Hosts that are off may be switched on. */
    bool may_empty; /* Look for hosts to switch off; else repair only. */
    bool headroom;  /* Ask for policy.survive. */
    const uint8_t *may_convert; /* By VM, enum dcp_may_convert; NULL: none
                                 * may. */
    bool gentle;    /* Move no more than repair and emptying need: no search
                     * that shuffles. */
    bool bound_elsewhere; /* Another question bounds the first goal: of money
                           * only what says which hosts to keep is sought, and
                           * where 'gentle' nothing. */
    bool by_heat; /* Hosts of a mix, VMs parted by how much CPU they ask for
                   * each GiB (solver/search/heat.h), before what 'gentle'
                   * allows. */
    bool fewest_moves; /* As few moves as can be, and little else
                        * (solver/repair/repair.h); the first goal counts moves.
                        */
    bool partial; /* Of the fewest moves: what cannot be repaired, or not within
                   * max_moves, is left as it is where that is legal. */
    bool limits_moves; /* No more than max_moves VMs away from their start;
                        * where nothing is to be emptied, the repair alone. */
    uint32_t max_moves;
    bool ignore_soft; /* Drop soft rules; else they are kept as if hard, */
    bool price_soft;  /* or, with this, may be broken for their price, which is
                       * added to the value (in its unit). */
    const uint8_t *absent; /* By VM: 1 = neither placed nor counted, as if it
                            * did not exist (parked); NULL: none. */
    bool vms_apart; /* Each VM is an item of its own, gathered or not: for
                     * ordering moves one by one. */
    const double *host_on_value; /* By host: what being on for the slots costs;
                                  * NULL: 1 each (goal: hosts). */
    const double *mhz_slope;     /* By host: cost of one reference MHz in a slot
                                  * of weight 1; NULL: 0. */
    const double *slot_weight;   /* By slot of the question; NULL: 1 each. */
    /* What counts, level by level (solver/compile/pricing.h); the three above
     * are then only a guide to the search.  NULL: they are what counts. */
    const struct dcp_goal_terms *terms;
};

struct dcp_rule_delta;

struct dcp_group { /* A rule that looks at where others are. */
    const struct dcp_rule *rule;
    const struct dcp_rule_delta *delta;
    const uint32_t *items;  /* Members, ascending; SEPARATE: side A. */
    const uint32_t *others; /* SEPARATE: side B. */
    uint32_t n_items, n_others;
    const uint32_t *part;   /* SPLIT: the set of items[i]; else NULL. */
    const uint32_t *weight; /* Of items[i]: VMs, or what a limit adds up. */
    uint32_t n_parts;       /* Sets of SPLIT, sides of SEPARATE; else 1. */
    const uint32_t *domain_of_host; /* UINT32_MAX: host has no such domain. */
    uint32_t n_domains;
    uint32_t n_words; /* Of counts in each state, see solver/rules/tally.h; 0:
                       * small enough to look at the list. */
    uint64_t total;   /* Sum of weights. */
};

struct dcp_power_rule { /* MAX_ON, MIN_ON. */
    const struct dcp_rule *rule;
    /* hold: always is kept by counting what is on at the start or now
     * (MAX_ON), at the start and now (MIN_ON): then no order of switching can
     * break it.  Where the start breaks it, what is on now alone counts. */
    bool with_start;
};

struct dcp_problem {
    const struct dcp_question *q;
    struct dcp_arena *arena;
    const struct dcp_pricing
        *pricing; /* What counts: solver/compile/pricing.h. */
    uint32_t n_hosts, n_items, n_slots, stride;

    /* Items. */
    const uint32_t *item_of_vm;    /* [n_vms]; DCP_IX_NONE: absent. */
    const uint32_t *vm_first, *vm; /* VMs of item i: vm[vm_first[i]..[i+1]-1] */
    const uint32_t *cpu_mhz;       /* [item * stride + slot] */
    const uint32_t *net_kib_s;     /* Same; NULL: not a resource here. */
    const uint32_t *cpu_peak_mhz;  /* [item] */
    uint32_t n_scalars;
    uint32_t scalar_id[DCP_SCALARS_MAX]; /* enum dcp_scalar of each. */
    const uint32_t *request;       /* [item * n_scalars + s]; at least, see
                                    * dcp_problem_request(). */
    const struct dcp_conversions *conversions; /* NULL: no item may be of two
                                                * hypervisors. */
    const uint32_t *start_host;    /* [item]; DCP_IX_NONE: not placed. */
    const uint32_t *home_host;     /* [item] */
    const uint32_t *reach_class;   /* [item] */
    const double *size;            /* [item]: share of an average host, the
                                    * largest over resources; for ordering. */
    const uint8_t *protected_item; /* Restarts after a loss. */

    /* Hosts. */
    const uint32_t *cap_cpu_mhz;   /* Usable (target), [host]. */
    const uint32_t *cap_net_kib_s;
    const uint32_t *cap;           /* [s * n_hosts + host] */
    const uint32_t *full_cpu_mhz;  /* Limits after a loss, same shapes. */
    const uint32_t *full_net_kib_s;
    const uint32_t *full;
    const uint8_t *use;            /* enum dcp_host_use. */
    const double *on_value;        /* [host] */
    const uint32_t *type_of_host;  /* Hosts alike in capacity and value. */
    uint32_t n_types;

    /* Reach classes: bit h of row c. */
    const uint64_t *reach;
    const uint64_t *reach_restart; /* After a loss: a cold start, so what only
                                    * stands against a live move (root, not
                                    * movable) does not count, nor soft rules
                                    * or kinds that policy relaxes.  Of items
                                    * that may be converted: under some
                                    * hypervisor that they may be of; see
                                    * dcp_state_restarts(). */
    uint32_t n_classes, reach_words;

    const struct dcp_chance *chance; /* policy.overload; NULL: not asked. */
    const struct dcp_licence_pools *pools; /* Licences owned; NULL: likewise. */

    /* Groups and, per item, which ones it is in. */
    const struct dcp_group *groups;
    uint32_t n_groups;
    const uint32_t *group_first, *group_of; /* Of item i; bit 31: side B. */
    const uint32_t *group_part, *group_weight; /* Same places. */
    const uint32_t *lonely; /* Groups of lonely rules: who is in none of them
                             * is asked as well. */
    uint32_t n_lonely;

    /* Rules about hosts that are on, and which of them a host is in. */
    const struct dcp_power_rule *power_rules;
    uint32_t n_power_rules;
    const uint32_t *power_first, *power_of; /* Of host h. */

    /* Priced rules that hosts alone decide: of item i (price_soft). */
    const uint32_t *priced_first, *priced_of; /* Rule indices, */
    const uint32_t *priced_vm;                /* each with a VM. */
    bool any_priced;

    /* A rule that a gathered item breaks wherever it is, and that the start
     * does not break: there is no answer.  NULL: none. */
    const struct dcp_rule *contradiction;
    uint32_t contradicting_item;

    const struct dcp_loss_domains *losses; /* Racks and feeds that may be lost
                                            * (solver/compile/loss_domains.h);
                                            * NULL: not asked. */
    const struct dcp_watt_limits *watts; /* NULL: no rack, feed or room could
                                          * be over its limit. */
};

#define DCP_GROUP_OTHER UINT32_C(0x80000000)

/* The first hard rule that keeps two sets of items on different hosts; NULL:
 * there is none. */
const struct dcp_group *
dcp_problem_separating_group(const struct dcp_problem *);

struct dcp_problem *dcp_problem_create(const struct dcp_question *,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_problem_destroy(struct dcp_problem *);
DCP_DEFINE_AUTO(dcp_problem)

static inline bool
dcp_problem_reaches(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    const uint64_t *row =
        p->reach + (size_t)p->reach_class[item] * p->reach_words;

    return row[host / 64] >> (host % 64) & 1;
}

static inline bool
dcp_problem_restarts_on(const struct dcp_problem *p, uint32_t item,
                        uint32_t host)
{
    const uint64_t *row =
        p->reach_restart + (size_t)p->reach_class[item] * p->reach_words;

    return row[host / 64] >> (host % 64) & 1;
}

/* Whether the host may hold items at the end. */
static inline bool
dcp_problem_may_hold(const struct dcp_problem *p, uint32_t host)
{
    return p->use[host] != DCP_HOST_AVOID &&
           (p->q->start->on[host] ||
            (p->q->may_wake && p->use[host] == DCP_HOST_FREE));
}

/* Whether the host's rack, feeds or room could be over their limit. */
static inline bool
dcp_problem_watts_count(const struct dcp_problem *p, uint32_t host)
{
    return p->watts && p->watts->first[host] < p->watts->first[host + 1];
}

/* What the item asks of 'host', whose hypervisor may ask for more. */
static inline uint32_t
dcp_problem_request(const struct dcp_problem *p, uint32_t item, uint32_t host,
                    uint32_t scalar)
{
    return p->request[(size_t)item * p->n_scalars + scalar] +
           dcp_conversions_more(p->conversions, item, host, scalar);
}

/* What one VM asks for under a hypervisor, as packed, by enum dcp_scalar. */
void dcp_problem_vm_request(const struct dcp_question *, uint32_t vm,
                            dcp_hypervisor_id hypervisor,
                            uint32_t row[DCP_SCALARS_MAX]);

/* solver/compile/reach.c: fills reach_class, both reaches, n_classes,
 * reach_words. */
bool dcp_problem_compile_reach(struct dcp_problem *, struct dcp_error *err)
    DCP_CHECKED;
/* solver/compile/groups.c: fills groups and group_first/group_of. */
bool dcp_problem_compile_groups(struct dcp_problem *, struct dcp_error *err)
    DCP_CHECKED;

/* Why host 'host' is out of reach of VM 'vm' for reasons that no move changes:
 * a short text ("VLAN 'data' is not on its switches"); NULL: within reach. */
const char *dcp_reach_why_not(const struct dcp_question *, uint32_t vm,
                              uint32_t host, char *out, size_t size);

/* Whether VM 'vm', which runs, may be converted to another hypervisor. */
bool dcp_reach_may_convert(const struct dcp_question *, uint32_t vm,
                           dcp_hypervisor_id to);

/* Whether VM 'vm' may be on 'host' on its way to another: only rules with hold:
 * always keep it away. */
bool dcp_reach_may_pass(const struct dcp_question *, uint32_t vm,
                        uint32_t host);

/* A number that hosts of one domain share and others do not; one host at a
 * time, and for all (numbered from 0; NULL: no memory). */
uint32_t dcp_domain_of_host(const struct dcp_inventory *, enum dcp_domain,
                            uint32_t host);
const uint32_t *dcp_domain_column(const struct dcp_inventory *,
                                  struct dcp_arena *, enum dcp_domain,
                                  uint32_t *out_n);

/* How a soft rule counts in this question. */
static inline bool
dcp_rule_is_hard(const struct dcp_question *q, const struct dcp_rule *rule)
{
    return !rule->soft || !(q->ignore_soft || q->price_soft);
}

/* Whether the rule is asked of where VMs restart after a loss: it is hard, and
 * neither the policy relaxes its kind nor is that free of losses. */
static inline bool
dcp_rule_counts_after_loss(const struct dcp_question *q,
                           const struct dcp_rule *rule)
{
    return !rule->soft &&
           !(q->inventory->policy.relax_rules >> rule->kind & 1) &&
           !dcp_rule_form(rule->kind)->loss_free;
}

static inline bool
dcp_rule_is_priced(const struct dcp_question *q, const struct dcp_rule *rule)
{
    return rule->soft && q->price_soft && !q->ignore_soft;
}

#endif /* solver/problem.h */
