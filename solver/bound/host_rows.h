/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_HOST_ROWS_H
#define DCP_SOLVER_BOUND_HOST_ROWS_H 1

/* Rows that ask a part of the datacenter for hosts: sum of coefficient(type) y
 * over its hosts is at least 'low', no coefficient negative.  There is one for
 * each resource, slot and dual-feasible function, and as y >= 0 most follow
 * from another one of the part: a y >= low from b y >= low' where
 * a(t) / low >= b(t) / low' for every type.  Those are left out of the program,
 * which changes neither its answers nor its bound, and makes it small.
 *
 * All zeros but 'f' is an empty collection. */

#include "solver/bound/fold.h"
#include "solver/lp/lp.h"

struct dcp_host_rows {
    const struct dcp_fold *f;
    struct dcp_host_row *rows;
    double *coefficient; /* [row * n_types + type] */
    uint32_t n, room;
};

/* 'with_spares': hosts that hold nothing count on each side.  False: no
 * memory. */
bool
dcp_host_rows_add(struct dcp_host_rows *, struct dcp_part part, double low,
                  const double coefficient[], bool with_spares) DCP_CHECKED;
/* Adds what says something to the program.  False: no memory. */
bool
dcp_host_rows_emit(const struct dcp_host_rows *, struct dcp_lp *) DCP_CHECKED;
void dcp_host_rows_finish(struct dcp_host_rows *);

#endif /* solver/bound/host_rows.h */
