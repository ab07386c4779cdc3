/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_TERMS_H
#define DCP_SOLVER_BOUND_TERMS_H 1

/* Why fewer hosts are impossible, one reason at a time: what each resource
 * needs by itself, in each slot, and what else asks for hosts.  Each term is a
 * lower bound that people can add up again:
 *
 *   memory, cpu, ...  the largest hosts first, how many hold the demand of all
 *                     VMs (in the slot that needs the most, for what differs
 *                     by hour); hosts - 1 of the largest hold 'have' < 'need';
 *   n+1               headroom (solver/bound/loss.h);
 *   keep_on           the least that policy lets be on;
 *   stay on           hosts that may not be switched off;
 *   rule 'x'          min_on.
 *
 * The bound of a plan (solver/bound/bound.h) is one program over all of these,
 * by region and by kind of host; it may be higher than any single one. */

#include "solver/problem.h"

#define DCP_BOUND_TERMS_MAX 24u

struct dcp_bound_term {
    char name[64];     /* "memory", "n+1", "keep_on", "stay on". */
    const char *unit;  /* Of need and have; "" where they say nothing. */
    uint32_t hosts;    /* At least; above n_hosts: there is no answer. */
    uint32_t slot;     /* Of the question; UINT32_MAX: does not differ. */
    double need, have; /* 'have': of the hosts - 1 largest. */
};

struct dcp_bound_terms {
    struct dcp_bound_term term[DCP_BOUND_TERMS_MAX];
    uint32_t n; /* The most hosts first. */
};

/* False: no memory. */
bool
dcp_bound_terms_count(const struct dcp_problem *, struct dcp_bound_terms *out,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* solver/bound/terms.h */
