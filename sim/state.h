/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STATE_H
#define DCP_SIM_STATE_H 1

/* The moving parts of a replay; private to sim/.  A host's VMs stand together
 * in an array of its own; its sums are redone at each sample and kept up to
 * date by events in between. */

#include "sim/sim.h"

enum dcp_sim_power { SIM_OFF, SIM_BOOTING, SIM_ON, SIM_STOPPING };

struct sim_host {
    enum dcp_sim_power power;
    int64_t since_ms;       /* Integrated up to here. */
    int64_t on_since_ms;    /* Since when it serves. */
    double own_mhz;         /* Demand of its VMs. */
    double out_mhz, in_mhz; /* Demand of VMs that leave it, that come to it. */
    double capacity_mhz, target_mhz;
    double mem_mib, mem_capacity_mib;
    uint32_t *vms; /* Owned. */
    uint32_t n_vms, vms_capacity;
    uint32_t site;                             /* Column. */
    bool slot_on, slot_overloaded, slot_above; /* In this slice. */
};

struct sim_move { /* A migration under way. */
    uint32_t vm, from, to, step;
    int64_t start_ms;
};

struct sim_moments { /* Of times between events (Welford 1962). */
    uint32_t n;
    double mean, m2;
};

struct sim {
    const struct dcp_sim_input *in;
    const struct dcp_inventory *inv;
    struct dcp_sim_result *out;
    struct sim_host *hosts;
    const float *row;       /* This slice's samples. */
    struct sim_move *moves; /* Owned. */
    uint32_t n_moves, moves_capacity;
    int64_t moves_since_ms; /* Integrated up to here. */
    int64_t *placed_ms;     /* By VM: since when it is where it is. */
    double overhead_frac;
    double *constants_w; /* By site column: switches, arrays, servers. */
    struct dcp_sim_slice *slice;
    double slice_on_ms, slice_capacity_ms, slice_demand_ms;
    double used_mhz_s, capacity_mhz_s, mem_mib_s, mem_capacity_mib_s;
    double violations, violation_sum; /* For average_slav. */
    struct sim_moments shutdown, migration, migration_length;
};

bool dcp_sim_state_init(struct sim *, struct dcp_error *err);
void dcp_sim_state_finish(struct sim *);
/* Integrates one host up to 'until_ms'. */
void dcp_sim_integrate(struct sim *, uint32_t host, int64_t until_ms);
void dcp_sim_integrate_moves(struct sim *, int64_t until_ms);
/* Sums each host's demand from 'row'. */
void dcp_sim_sum_hosts(struct sim *);
bool dcp_sim_apply(struct sim *, const struct dcp_sim_event *,
                   struct dcp_error *err);
void dcp_sim_moments_add(struct sim_moments *, double value);

#endif /* sim/state.h */
