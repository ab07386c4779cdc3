/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_CONFLICT_H
#define DCP_SOLVER_EXPLAIN_CONFLICT_H 1

/* Why a question has no answer, as people can act on it.
 *
 * What may be given up are *parts*: each hard rule, headroom, each fill target
 * (to full capacity), each power limit of a rack or feed, what is owned of a
 * licence, the emptying of each host, the limit of moves.  Capacity, reach and
 * demand are facts and are not given up.
 *
 * - The *clash*: parts that cannot hold together, even if all others are given
 *   up (an irreducible infeasible subset: Chinneck, "Feasibility and
 *   Infeasibility in Optimization", 2008).
 * - The *relaxation*: parts without which there is an answer, and of which none
 *   can be kept (a minimal correction set; Liffiton & Sakallah, "Algorithms
 *   for Computing Minimal Unsatisfiable Subsets of Constraints", J. Autom.
 *   Reasoning 40, 2008).  Of two that are found, in opposite orders, the
 *   smaller; a still smaller one may exist.
 *
 * Both are found by halving with dcp_solve() as the oracle: of n parts of
 * which k matter in O(k log n) questions.  Where the oracle neither finds an
 * answer nor proves that there is none, the part counts as needed, and
 * 'proved' is false.
 *
 * A part with a number need not be given up whole: its *amounts* say how far
 * the number must go (solver/explain/conflict_amount.c).
 *
 * Where there are many parts, clashes among few VMs are looked for first, one
 * after another (solver/explain/conflict_local.c): each of them is proved, and
 * when the time is up those that were found are told.
 *
 * Not cheap: to be asked only when there is no answer. */

#include "solver/solver.h"

enum dcp_part_kind {
    DCP_PART_RULE,
    DCP_PART_HEADROOM,
    DCP_PART_TARGET_CPU,
    DCP_PART_TARGET_MEM,
    DCP_PART_TARGET_NET,
    DCP_PART_RACK_LIMIT,
    DCP_PART_FEED_LIMIT,
    DCP_PART_LICENCE,  /* Owned units (policy.licences: owned). */
    DCP_PART_EMPTYING, /* Of a host: maintenance, evacuation. */
    DCP_PART_MOVES,    /* No more than so many. */
};
const char *dcp_part_kind_name(enum dcp_part_kind); /* "rule", ... */

/* The least change of one number with which there is an answer: all other
 * numbers as said, parts without a number given up.  Of several numbers none
 * can be nearer to what is declared, with the others as said: a way that gives
 * up more of one for less of another may exist. */
#define DCP_PART_AMOUNTS DCP_LOSSES_MAX
#define DCP_AMOUNT_HOSTS 4
struct dcp_part_amount {
    double was, least; /* In 'unit'; NaN: in words only (a wider domain). */
    const char *unit;  /* "VMs", "W", "MiB", "%", ...; static. */
    uint32_t line;     /* HEADROOM: of policy.survive; else 0. */
    uint32_t host[DCP_AMOUNT_HOSTS]; /* FENCE, BAN, AMONG: the first of them. */
    uint32_t set;      /* AMONG: that takes them in. */
    uint32_t steps;    /* From 'was' to 'least'; of what a step is see
                        * solver/explain/conflict_amount.c. */
    bool proved;       /* One step less is proved to leave no answer. */
    char text[120];    /* "at most 2 of them per rack instead of 1". */
};

struct dcp_conflict_part {
    enum dcp_part_kind kind;
    uint32_t ix;      /* Rule, rack, feed, licence or host; else 0. */
    char name[96];    /* "rule 'web-apart' (spread)". */
    char remedy[200]; /* "drop it, or make it soft". */
    /* Of 'relax' and 'instead'; none where the part has no number, where only
     * giving it up whole does, or where the time was up. */
    struct dcp_part_amount amount[DCP_PART_AMOUNTS];
    uint32_t n_amounts;
};
#define DCP_CONFLICT_PARTS   16
#define DCP_CONFLICT_INSTEAD 4

/* What could be bought instead, with which there is an answer, nothing given
 * up: hosts like one that there is (same hardware, rack, ports, pools, and in
 * every list of hosts that names it), or memory for one host, or else for all
 * of its model.  One of each for each model of hardware at most
 * (solver/explain/conflict_purchase.c). */
#define DCP_CONFLICT_PURCHASES 4
struct dcp_conflict_purchase {
    uint32_t host;    /* Whose twins are bought, or that gets the memory. */
    uint32_t n_hosts; /* 0: memory. */
    uint64_t mem_mib; /* Besides what it has, and each of its model where */
    bool all;         /* this is set. */
    bool proved;      /* One host, or GiB, less is proved to leave no answer. */
    char text[160];   /* "2 hosts like 'h3'". */
};

struct dcp_conflict {
    /* Empty: there is an answer, or giving all parts up brings none. */
    struct dcp_conflict_part relax[DCP_CONFLICT_PARTS];
    uint32_t n_relax;  /* May be above DCP_CONFLICT_PARTS: not all kept. */
    bool relax_proved; /* Keeping any of them is proved to be impossible. */
    bool relax_partial; /* All of these clash with something, and no answer was
                         * found without them. */
    uint32_t n_clashes; /* That were found; 0: not counted. */
    /* Where one part is to be given up: others of the clash of which each by
     * itself would do as well. */
    struct dcp_conflict_part instead[DCP_CONFLICT_INSTEAD];
    uint32_t n_instead;
    struct dcp_conflict_part clash[DCP_CONFLICT_PARTS];
    uint32_t n_clash;  /* 0: none was proved. */
    bool clash_proved; /* Without any of them there is an answer, for the VMs
                        * that they are about. */
    struct dcp_conflict_purchase purchase[DCP_CONFLICT_PURCHASES];
    uint32_t n_purchases;
    bool hopeless; /* Proved: there is no answer even with all parts given up;
                    * it is for capacity, reach and demand. */
    uint32_t n_questions;
};

struct dcp_conflict_options {
    struct dcp_solve_options solve; /* Of each question; its time limit too. */
    double time_limit_s;            /* Of all; 0: 10 s. */
    bool purchases;                 /* Ask for those too. */
    int64_t start_ms; /* When the question's leg begins, where its steps wait
                       * policy.move_wait_ms, at most, for a rule to open; 0:
                       * rules about change get no numbers. */
    const struct dcp_because *because; /* What is known of why, as a hint where
                                        * to look first; NULL: nothing. */
};

/* The question is asked for any answer, not for a good one. */
bool
dcp_conflict_find(const struct dcp_question *,
                  const struct dcp_conflict_options *, struct dcp_conflict *out,
                  struct dcp_error *err) DCP_CHECKED;

#endif /* solver/explain/conflict.h */
