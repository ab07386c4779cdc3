/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SWEEP_STATE_H
#define DCP_SIM_SWEEP_STATE_H 1

/* The parts of a sweep (sim/sweep.c), and what one host adds to it in a stripe
 * of time (sim/sweep_hosts.c); private to sim/.  Different groups may be added
 * to by different threads at once. */

#include "sim/state.h"
#include "sim/sweep.h"
#include "sim/sweep_rows.h"

struct sweep_host {
    uint32_t host, first_row, n_rows;
    bool one_tenant; /* Of all its VMs. */
    struct sweep_power power;
};

/* Hosts of one site, next to each other in 'hosts'. */
struct sweep_group {
    uint32_t first, n, site;
    /* Of the stripe at hand, by time: */
    double it_j[SWEEP_TIMES], demand_mhz_s[SWEEP_TIMES], over_s[SWEEP_TIMES];
    /* Of all stripes so far: */
    double used_mhz_s, requested_mhz_s, held_mhz_s, violations, violation_sum;
    uint64_t slots_overloaded, slots_above;
    struct dcp_sim_tenant *tenants; /* As of the result; owned. */
};

struct dcp_sweep {
    struct dcp_sweep_input in;
    struct dcp_samples grid; /* Times only. */
    struct dcp_sim_input sim_in;
    struct dcp_sim sim; /* Its hosts, and the sums at the end. */
    struct dcp_sim_result out;
    struct sweep_rows rows;
    const struct sweep_kernel *kernel;
    struct sweep_host *hosts; /* By site, then number. */
    struct sweep_group *groups;
    uint32_t n_groups;
    uint32_t first_unplaced; /* Row. */
    uint32_t stripe;         /* Of those of the window, the next to read. */
    double seconds[SWEEP_TIMES];
    double horizon_s;
};

/* Column of the VM's tenant; the last: none. */
uint32_t dcp_sweep_tenant(const struct dcp_sweep *, uint32_t vm);
/* Adds one host's stripe to its group and to the figures of its own. */
bool dcp_sweep_add_host(struct dcp_sweep *, struct sweep_group *,
                        const struct sweep_host *, struct dcp_error *err);
/* What VMs ask for, by tenant. */
void dcp_sweep_add_requests(struct dcp_sweep *, struct sweep_group *,
                            uint32_t first_row, uint32_t n_rows);

#endif /* sim/sweep_state.h */
