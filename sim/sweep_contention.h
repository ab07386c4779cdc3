/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SWEEP_CONTENTION_H
#define DCP_SIM_SWEEP_CONTENTION_H 1

/* A host of the sweep some of whose VMs have shares, limits or reservations
 * that it enforces (sim/host/contention.h): one stripe of its VMs' demand, and
 * what each misses where they want more than there is.  Private to sim/. */

#include "sim/host/contention.h"
#include "sim/sweep_rows.h"

/* A host's rows, and where its VMs' sizes are from. */
struct sweep_contended {
    const struct dcp_inventory *inv;
    const struct dcp_placement *placement;
    const struct sweep_rows *rows;
    const struct sweep_kernel *kernel;
    uint32_t host, first_row, n_rows;
};

struct sweep_contention {
    struct sweep_contended of;
    /* [row][SWEEP_TIMES], owned: what a VM wants within its limit, what it
     * would like beyond, and what it misses of the first. */
    double *want_mhz, *held_mhz, *missed_mhz;
    struct dcp_contention_terms *terms; /* By row, owned. */
    struct dcp_contender *contenders;   /* Likewise. */
};

/* Reads the rows; mhz[] is what they want together. */
bool dcp_sweep_contention_open(struct sweep_contention *,
                               const struct sweep_contended *,
                               double mhz[SWEEP_TIMES], struct dcp_error *err);
void dcp_sweep_contention_close(struct sweep_contention *);
/* Shares the capacity out where mhz[] is above it. */
void
dcp_sweep_contention_share(struct sweep_contention *,
                           const double mhz[SWEEP_TIMES], double capacity_mhz);

#endif /* sim/sweep_contention.h */
