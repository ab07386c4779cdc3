/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SWEEP_KERNEL_H
#define DCP_SIM_SWEEP_KERNEL_H 1

/* The inner loops of sim/sweep.c, over the cells of one stripe of time; private
 * to sim/.  Plain loops over independent times, compiled twice: for any
 * machine, and for one with AVX2.  Each time's sum is taken in the order of
 * VMs and nothing is contracted, so both give the same bits.
 *
 * All arrays have SWEEP_TIMES elements.  Pure: thread-safe. */

#include "model/inventory.h"
#include "traces/cells.h"

enum { SWEEP_TIMES = DCP_CELLS_TIMES };

/* A host's watts over its load: DCP_POWER_POINTS points, and what to add to
 * each on the way to the next (0 after the last). */
struct sweep_power {
    double w[DCP_POWER_POINTS], rise_w[DCP_POWER_POINTS];
};

struct sweep_host_sums { /* Of one stripe. */
    double it_j, used_mhz_s, demand_mhz_s;
    uint32_t n_above, n_overloaded; /* Times of target and capacity. */
};

/* What a host in overload misses, by time: 0 where it is not. */
struct sweep_overload {
    double over_s[SWEEP_TIMES];   /* Seconds in overload. */
    double missed[SWEEP_TIMES];   /* Share of each VM's demand. */
    double missed_s[SWEEP_TIMES]; /* Share x seconds. */
};

struct sweep_missed { /* Of one VM. */
    double over_s, unmet_mhz_s;
    double n_times, missed_sum; /* Times with demand in overload. */
};

struct sweep_kernel {
    /* mhz[t] += (float)(cell[t] * scale) * factor, as dcp_samples_load() makes
     * a sample of a stored cell. */
    void (*add_bytes)(const uint8_t cell[], double scale, float factor,
                      double mhz[]);
    void (*add_words)(const uint16_t cell[], double scale, float factor,
                      double mhz[]);
    void (*add_floats)(const float value[], double mhz[]);
    /* Energy and loads of a host that can 'capacity_mhz'; adds its part to
     * the sums of its site by time. */
    struct sweep_host_sums (*host)(const double mhz[], const double seconds[],
                                   double capacity_mhz, double target_mhz,
                                   const struct sweep_power *, double it_j[],
                                   double demand_mhz_s[], double over_s[]);
    void (*overload)(const double mhz[], const double seconds[],
                     double capacity_mhz, struct sweep_overload *out);
    /* 'mhz': of one VM. */
    struct sweep_missed (*missed)(const double mhz[],
                                  const struct sweep_overload *);
    /* Sum of a[t] x b[t], in a fixed order. */
    double (*dot)(const double a[], const double b[]);
};

/* 'portable': the one for any machine, whatever this one has. */
const struct sweep_kernel *dcp_sweep_kernel(bool portable);

#endif /* sim/sweep_kernel.h */
