/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLAN_DAY_FIRST_H
#define DCP_SOLVER_PLAN_DAY_FIRST_H 1

/* The other way to a night plan: the day first; private to solver/plan/.
 *
 * Packing the night from where VMs are and then bringing back what the day
 * needs can leave the day on more hosts than it had to be.  Here the day is
 * packed as if for good (or left as it is, where that would gain too little),
 * then by what its own hours cost, and the night only empties hosts of that, or
 * has other hosts, whichever costs less with all that the morning then needs.
 * It is taken where its day is the better one and so is the whole.
 *
 * It shares nothing with the first way that either changes, and asks for none
 * of its bounds: both may be solved side by side, and what they find is the
 * same one after the other. */

#include "solver/plan/work.h"

struct dcp_day_first {
    struct dcp_work w; /* Like the first way's, with values of its own. */
    struct dcp_solution night, day;
    /* The night once more, on other hosts, with VMs parted by heat
     * (solver/search/heat.h); no placement: not sought. */
    struct dcp_solution parted;
    bool refined; /* 'day' is valued by the day's hours alone. */
    bool ok;
    struct dcp_error err; /* Where not. */
};

/* From work whose night was not solved yet, or was; borrows what only
 * dcp_work_begin() writes.  To be ended whatever comes of it. */
bool dcp_day_first_begin(struct dcp_day_first *, const struct dcp_work *,
                         struct dcp_error *err) DCP_CHECKED;
/* A dcp_pair_fn (solver/run/pair.h). */
void dcp_day_first_solve(void *day_first);
/* Replaces the first way's night and day where this way is better. */
bool dcp_day_first_weigh(struct dcp_day_first *, struct dcp_work *,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_day_first_end(struct dcp_day_first *);

#endif /* solver/plan/day_first.h */
