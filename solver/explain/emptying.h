/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_EXPLAIN_EMPTYING_H
#define DCP_SOLVER_EXPLAIN_EMPTYING_H 1

/* Why one host that is on cannot be switched off, where the others that are on
 * have to take its VMs and no other host is woken:
 *
 * - what forbids it whatever its VMs do (a rule on hosts that are on,
 *   policy.keep_on);
 * - the VMs that *hold* it: no other host takes them even alone, with all else
 *   where it is;
 * - whether all of them together find places (others may move for them), or
 *   the least to give up so that they do (solver/explain/conflict.h).
 *
 * The placement is judged, as at the end of a leg; the order of moves is not.
 * What the host is for (model/duty.h) is not asked either. */

#include "solver/explain/conflict.h"
#include "solver/explain/refusal.h"

#define DCP_HELD_MAX 8u

struct dcp_held {
    uint32_t vm;
    uint32_t n_hosts;       /* Other hosts that are on, all of which refuse. */
    uint32_t n_why;         /* So many of them for the commonest reason, */
    struct dcp_refusal why; /* as the host says it that lacks least, */
    uint32_t host;          /* which is this one. */
};

enum dcp_emptying_answer {
    DCP_EMPTYING_CAN,     /* Here is how. */
    DCP_EMPTYING_CANNOT,  /* Proved. */
    DCP_EMPTYING_UNKNOWN, /* No way was found. */
};

struct dcp_emptying {
    enum dcp_emptying_answer answer;
    struct dcp_placement *placement; /* Owned; CAN: with the host off. */
    uint32_t n_moves;                /* From where VMs are. */
    char forbids[64]; /* "min_on rule 'two'", "policy.keep_on"; "". */
    uint32_t n_vms;   /* On the host. */
    struct dcp_held held[DCP_HELD_MAX];
    uint32_t n_held;              /* May be above DCP_HELD_MAX: not all kept. */
    struct dcp_conflict conflict; /* CANNOT and UNKNOWN. */
};

/* 'q' says where VMs are (start), the slots, and whether headroom and soft
 * rules count; which hosts may do what is set here. */
bool
dcp_emptying_find(const struct dcp_question *q, uint32_t host,
                  const struct dcp_conflict_options *, struct dcp_emptying *out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_emptying_finish(struct dcp_emptying *);

#endif /* solver/explain/emptying.h */
