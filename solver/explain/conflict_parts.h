/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_CONFLICT_PARTS_H
#define DCP_SOLVER_EXPLAIN_CONFLICT_PARTS_H 1

/* A conflict being looked for; private to solver/explain/conflict*.c.  A set of
 * parts is a byte per part. */

#include "solver/explain/conflict.h"

enum dcp_oracle { DCP_ORACLE_YES, DCP_ORACLE_NO, DCP_ORACLE_UNKNOWN };

struct dcp_finder_part {
    enum dcp_part_kind kind;
    uint32_t ix;
};

/* A number of a part that is given up, and how far: 'step' steps from what is
 * declared, or whole.  Each step makes the question easier. */
#define DCP_DIAL_WHOLE UINT32_MAX
struct dcp_dial {
    uint32_t part; /* Of the finder. */
    uint32_t line; /* HEADROOM: of policy.survive. */
    uint32_t top;  /* Steps, at most. */
    uint32_t step;
    uint64_t unit; /* Of a step, where it is not 1. */
    /* SPREAD: of domain d, hosts[first[d]..first[d + 1] - 1]. */
    const uint32_t *hosts, *first;
    uint32_t n_domains;
    /* FENCE, BAN, AMONG: hosts that may come to the list, or leave it; those
     * that have to, by candidate, besides the first 'step' of them; the list.
     * AMONG: which of its sets is the list. */
    uint32_t *candidates, *list;
    uint8_t *chosen;
    uint32_t n_candidates, set;
    /* EMPTYING: VMs that are on the host (n_stay) and then those that are not
     * (n_rest). */
    const uint32_t *vms;
    uint32_t n_stay, n_rest;
};

struct dcp_finder {
    const struct dcp_question *q;
    const struct dcp_conflict_options *o;
    struct dcp_finder_part *parts; /* The first to be held on to first. */
    uint32_t n;
    const uint8_t *absent; /* VMs that are left out of questions; NULL: as in
                            * 'q'. */
    /* What a relaxed question is made of. */
    struct dcp_inventory inv;
    struct dcp_rule *rules;
    uint8_t *closed; /* Of 'rules': the question's. */
    uint32_t n_rules, rules_room;
    struct dcp_rack *racks;
    struct dcp_feed *feeds;
    struct dcp_licence *licences;
    struct dcp_host *hosts;
    uint8_t *use;
    uint8_t *held, *trial; /* Sets of parts. */
    uint8_t *given_up;     /* The relaxation that was found. */
    struct dcp_dial *dials; /* Of parts that are given up: by how much. */
    uint32_t n_dials;
    int64_t deadline_ms;
    uint32_t n_questions;
    struct dcp_because because; /* Of the last question without an answer. */
};

/* The question with only the parts of 'set'; good until the next one. */
struct dcp_question dcp_finder_question(struct dcp_finder *,
                                        const uint8_t set[]);
/* Whether it has an answer; UNKNOWN where the time is up. */
bool dcp_finder_ask(struct dcp_finder *, const uint8_t set[],
                    enum dcp_oracle *out, struct dcp_error *err) DCP_CHECKED;
/* Likewise of a question that was made from it. */
bool dcp_finder_ask_question(struct dcp_finder *, const struct dcp_question *,
                             enum dcp_oracle *out,
                             struct dcp_error *err) DCP_CHECKED;
/* From parts that are proved to clash to some of them of which none can be
 * left out; 'core' is reduced in place. */
bool dcp_finder_reduce(struct dcp_finder *, uint8_t core[], bool *out_proved,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_finder_describe(const struct dcp_finder *, uint32_t part,
                         struct dcp_conflict_part *out);
bool dcp_finder_time_is_up(const struct dcp_finder *);

/* solver/explain/conflict_local.c: clash after clash among few VMs; '*out_done'
 * false where that leads nowhere, and 'out' is as it was. */
bool dcp_conflict_find_local(struct dcp_finder *, struct dcp_conflict *out,
                             bool *out_done, struct dcp_error *err)
    DCP_CHECKED;

/* solver/explain/conflict_dials.c: the numbers of a part, the first one first;
 * how a question looks with the part given up as far as the finder's dials say
 * (false: it has none, or whole), and a change in words. */
uint32_t dcp_dials_of_part(const struct dcp_finder *, struct dcp_arena *,
                           uint32_t part, struct dcp_dial out[]);
uint32_t dcp_dials_rules(const struct dcp_dial *); /* That one turns into. */
bool dcp_dials_apply(struct dcp_finder *, uint32_t part, struct dcp_question *);
void dcp_dial_describe(const struct dcp_finder *, const struct dcp_dial *,
                       struct dcp_part_amount *out);

/* solver/explain/conflict_hosts.c: the same for hosts that rules list. */
bool dcp_dial_takes_hosts(const struct dcp_finder *, const struct dcp_dial *);
bool dcp_dial_list_hosts(const struct dcp_finder *, struct dcp_arena *,
                         struct dcp_dial *);
void dcp_dial_apply_hosts(const struct dcp_dial *, struct dcp_rule *);
/* Leaves the dial where none of its hosts can be left out.  Asks with what the
 * finder has given up. */
bool dcp_dial_settle_hosts(struct dcp_finder *, struct dcp_dial *,
                           bool *out_proved, struct dcp_error *err) DCP_CHECKED;
void dcp_dial_describe_hosts(const struct dcp_finder *, const struct dcp_dial *,
                             struct dcp_part_amount *out);

/* solver/explain/conflict_window.c: by when a rule about change would have to
 * open; false: that is not what it is closed for. */
bool dcp_part_find_opening(const struct dcp_finder *, uint32_t part,
                           struct dcp_part_amount *out);

/* solver/explain/conflict_amount.c: asks with the dial so far, and without what
 * is given up. */
bool dcp_dial_ask(struct dcp_finder *, struct dcp_dial *, uint32_t step,
                  enum dcp_oracle *out, struct dcp_error *err) DCP_CHECKED;
/* Fills the amounts of 'relax'; then 'instead', with
 * amounts. */
bool dcp_conflict_find_amounts(struct dcp_finder *, struct dcp_conflict *,
                               struct dcp_error *err) DCP_CHECKED;
bool dcp_conflict_find_instead(struct dcp_finder *, struct dcp_conflict *,
                               struct dcp_error *err) DCP_CHECKED;

/* solver/explain/conflict_purchase.c: fills the purchases. */
bool dcp_conflict_find_purchases(struct dcp_finder *, struct dcp_conflict *,
                                 struct dcp_error *err) DCP_CHECKED;

#endif /* solver/explain/conflict_parts.h */
