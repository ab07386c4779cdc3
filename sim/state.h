/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STATE_H
#define DCP_SIM_STATE_H 1

/* The moving parts of a replay; private to sim/.  A host's VMs stand together
 * in an array of its own; its sums are redone at each sample and kept up to
 * date by events in between. */

#include "sim/host/contention.h"
#include "sim/host/memory.h"
#include "sim/host/warmup.h"
#include "sim/sim.h"

struct sim_host {
    enum dcp_sim_power power;
    int64_t since_ms;    /* Integrated up to here. */
    int64_t on_since_ms; /* Since when it serves. */
    double own_mhz;      /* What its VMs ask of it. */
    /* What they would like beyond: above their limits, above what migrations
     * leave of them, had it not waited for swap. */
    double held_mhz, slowed_mhz, stalled_mhz;
    double warm_mhz;        /* What of all four is warming up. */
    double out_mhz, in_mhz; /* Demand of VMs that leave it, that come to it. */
    double capacity_mhz, target_mhz;
    double mem_mib, mem_capacity_mib;
    double given_mib, overhead_mib; /* To its VMs, and for them. */
    bool is_short;                  /* Of memory; then, by MiB: */
    double balloon_mib, swap_mib, unbacked_mib;
    uint32_t *vms; /* Owned. */
    uint32_t n_vms, vms_capacity;
    bool enforces;         /* See dcp_contention_enforced(). */
    uint32_t n_slowed;     /* Of its VMs, by migrations that leave it. */
    uint32_t n_controlled; /* Of its VMs that have a share, limit or
                            * reservation that it enforces. */
    uint32_t site;         /* Column. */
    bool slot_on, slot_overloaded, slot_above; /* In this slice. */
    double slot_mhz_s;                         /* Load in this slice. */
};

struct sim_move { /* A migration under way. */
    uint32_t vm, from, to, step;
    int64_t start_ms;
    double mhz; /* What the VM wants: in 'out_mhz' and 'in_mhz'. */
};

struct sim_moments { /* Of times between events (Welford 1962). */
    uint32_t n;
    double mean, m2;
};

struct dcp_sim {
    struct dcp_sim_input *in; /* Its copy. */
    const struct dcp_inventory *inv;
    struct dcp_sim_result *out; /* Its own, until the end. */
    const uint8_t *unfit;       /* By host; borrowed; NULL: none. */
    int64_t now_ms;
    uint32_t next_event; /* Of the input's. */
    int64_t first_cell;  /* Of the samples' grid: the first slice. */
    struct sim_host *hosts;
    const float *row;       /* This slice's samples. */
    const float *mem_row;   /* Likewise, of memory; NULL: not measured. */
    struct sim_move *moves; /* Owned. */
    uint32_t n_moves, moves_capacity;
    int64_t moves_since_ms; /* Integrated up to here. */
    int64_t *placed_ms;     /* By VM: since when it is where it is. */
    double overhead_frac;
    struct dcp_contender *contenders; /* For the VMs of one host. */
    struct dcp_guest_memory *guests;  /* Likewise; NULL: never short. */
    double *busy_vcpus; /* Likewise, of them; NULL: policy.swap is not known. */
    struct dcp_guest_memory *memory;  /* By VM, on hosts that are. */
    struct dcp_warmups *warmups;      /* NULL: they cost nothing. */
    struct dcp_slowdown *slowdowns;   /* Ascending.  Owned. */
    uint32_t n_slowdowns, next_slowdown;
    double *stopped_frac;    /* By VM; NULL: none is slowed down. */
    double *vm_slot_ready_s; /* By VM, of this slice. */
    uint32_t *waiting;       /* VMs that waited in this slice. */
    uint32_t n_waiting;
    double *constants_w; /* By site column: switches, arrays, servers. */
    struct dcp_sim_slice *slice;
    double slice_on_ms, slice_capacity_ms, slice_demand_ms;
    double used_mhz_s, capacity_mhz_s, mem_mib_s, mem_capacity_mib_s;
    double violations, violation_sum; /* For average_slav. */
    struct sim_moments shutdown, migration, migration_length;
    /* Mean load of each host in the last slices, a ring: [slice][host]. */
    float *host_history_mhz;
};

/* The cell of the samples' grid in which 'at_ms' is; negative: before them. */
int64_t dcp_sim_cell(const struct dcp_sim_input *, int64_t at_ms);

/* Refuses what a replay cannot be about; see struct dcp_sim_input. */
bool dcp_sim_inventory_check(const struct dcp_inventory *,
                             struct dcp_error *err) DCP_CHECKED;
bool dcp_sim_input_check(const struct dcp_sim_input *, struct dcp_error *err);

bool dcp_sim_state_init(struct dcp_sim *, struct dcp_error *err);
void dcp_sim_state_finish(struct dcp_sim *);
/* Integrates one host up to 'until_ms'. */
void dcp_sim_integrate(struct dcp_sim *, uint32_t host, int64_t until_ms);
void dcp_sim_integrate_moves(struct dcp_sim *, int64_t until_ms);

/* --- sim/want.c: what VMs ask their hosts for ------------------------------
 */

/* What a VM would like, and what becomes of it: 'want_mhz' is asked of the
 * host, the others are not.  They add up. */
struct sim_want {
    double asked_mhz;
    double held_mhz, slowed_mhz, stalled_mhz, want_mhz;
};
double dcp_sim_demand_mhz(const struct dcp_sim *, uint32_t host, uint32_t vm);
struct sim_want
dcp_sim_want(const struct dcp_sim *, uint32_t host, uint32_t vm);
/* Sums each host's demand from 'row'. */
void dcp_sim_sum_hosts(struct dcp_sim *);
/* The VM's demand comes to the host (sign 1) or leaves it (-1). */
void
dcp_sim_count_want(struct dcp_sim *, uint32_t host, uint32_t vm, double sign);
/* VMs that leave the host want something else; it was integrated. */
void dcp_sim_update_moves(struct dcp_sim *, uint32_t host, int64_t at_ms);
/* VMs came to the host, left it or have another size; it was integrated. */
void dcp_sim_settle_memory(struct dcp_sim *, uint32_t host, int64_t at_ms);

/* --- sim/meanwhile.c: what no event says -----------------------------------
 */

/* Warm-ups that end, and guests that are slowed down, up to and at
 * 'until_ms'. */
void dcp_sim_meanwhile(struct dcp_sim *, int64_t until_ms);
/* The VM's migration is over: it has all of its vCPUs again. */
void dcp_sim_end_slowdown(struct dcp_sim *, uint32_t from, uint32_t vm);

/* --- Others ----------------------------------------------------------------
 */

/* Puts what VMs waited in the slice that ends into the result. */
bool dcp_sim_end_waits(struct dcp_sim *, double slice_s, struct dcp_error *err);
bool dcp_sim_state_apply(struct dcp_sim *, const struct dcp_sim_event *,
                         struct dcp_error *err);
/* A result to fill, of the input's window and grid; its samples are not looked
 * at. */
bool dcp_sim_result_init(const struct dcp_sim_input *, struct dcp_sim_result *,
                         struct dcp_error *err);
/* The figures of 'out' that are sums and shares of others. */
void dcp_sim_sum_up(struct dcp_sim *);
void dcp_sim_moments_add(struct sim_moments *, double value);

#endif /* sim/state.h */
