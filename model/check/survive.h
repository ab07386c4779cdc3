/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_SURVIVE_H
#define DCP_MODEL_CHECK_SURVIVE_H 1

/* What the files about headroom and failed boots share.  Internal to model/check/. */

#include "model/check/overload.h"
#include "model/check/rule_check.h"

struct dcp_survive_work {
    const char *promise, *event; /* "n+1", "losing"; for messages. */
    struct dcp_leg_view *leg;
    const struct dcp_judge *j;
    const struct dcp_inventory *inv;
    uint32_t *first, *vms; /* VMs by host at the leg's end. */
    uint64_t *load;        /* By host and cell, at the end. */
    uint64_t *extra;       /* By host and cell: what one loss adds. */
    uint64_t *need, *capacity;
    uint64_t *sum; /* Of cells; failed boots only. */
    struct dcp_overload *overload; /* Sums at the end; NULL: not asked. */
    uint32_t *arrived;             /* Room to list VMs in. */
    uint32_t *rule_first, *rules; /* Hard, unrelaxed rules by VM. */
    uint32_t *everywhere; /* Of those, the ones to ask at any restart, listed
                           * or not (lonely, quarantine), and sums. */
    uint32_t n_everywhere;
    uint64_t *end_sum, *sum_limit; /* Of those about sums: at the leg's end, and
                                    * what the start or it excuse. */
    uint8_t *host_lost;
    dcp_host_id *after; /* By VM: where it is after the loss. */
};

void dcp_survive_report(const struct dcp_survive_work *,
                        const struct dcp_survive *, struct dcp_object,
                        double need, double have, const char *text);

/* Of a tier that policy protects; a VM with a disk of its own on its host is
 * lost with it, and no place elsewhere can be promised. */
bool dcp_survive_is_protected(const struct dcp_survive_work *, uint32_t vm);
/* Is there something to lose: a host that is on? */
bool dcp_survive_takes_down(const struct dcp_survive_work *,
                            struct dcp_object lose);

/* model/check/survive_sets.c: objects of one kind, ascending. */
bool dcp_survive_is_a_set(const struct dcp_survive *);
/* Whether the leg's lists show that any 'count' of the kind may be lost at
 * once: by a list for every set, or for hosts by stand-ins; reports where not.
 * False: out of memory. */
bool dcp_survive_judge_sets(struct dcp_survive_work *, enum dcp_object_kind,
                            uint32_t count, uint32_t n_objects) DCP_CHECKED;

/* model/check/survive_berths.c: whether the leg's plan has berths for losses of
 * the kind, and whether they do for any 'count' of them at once; reports where
 * not.  False: out of memory. */
bool dcp_survive_is_by_berths(const struct dcp_survive_work *,
                              enum dcp_object_kind);
bool dcp_survive_judge_berths(struct dcp_survive_work *, enum dcp_object_kind,
                              uint32_t count, uint32_t n_objects) DCP_CHECKED;

/* Whether the rule is asked after a loss: hard, and not relaxed. */
bool dcp_survive_rule_counts(const struct dcp_survive_work *,
                             const struct dcp_rule *);
/* Such rules, by VM. */
bool dcp_survive_index_rules(struct dcp_survive_work *) DCP_CHECKED;
/* 'vm' restarts on 'host': with 'after' as it is then, which rules break? */
void
dcp_survive_judge_rules(const struct dcp_survive_work *,
                        const struct dcp_survive *, uint32_t vm, uint32_t host);

/* The lonely rule by which two VMs may not come to one host; NULL: none. */
const struct dcp_rule *dcp_survive_parted(const struct dcp_survive_work *,
                                          uint32_t a, uint32_t b);

/* Needs the leg's end.  False: out of memory. */
bool dcp_survive_sum_up(struct dcp_survive_work *) DCP_CHECKED;
/* Rules about sums, once the loss is played. */
/* Sums of rules once the f lists that raise them most are carried out, each for
 * a lost host; w->first and w->vms are those of the end. */
bool dcp_survive_judge_lists(struct dcp_survive_work *w,
                             const struct dcp_survive *const list[], uint32_t n,
                             uint32_t f) DCP_CHECKED;
void dcp_survive_judge_sums(const struct dcp_survive_work *,
                            const struct dcp_survive *);

#endif /* model/check/survive.h */
