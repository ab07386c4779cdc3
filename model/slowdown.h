/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_SLOWDOWN_H
#define DCP_MODEL_SLOWDOWN_H 1

/* Guests that a migration slows down so that it converges (auto-converge).
 *
 * QEMU stops each vCPU for a fixed part of the time: a thread of the vCPU's
 * sleeps for p / (1 - p) of each slice of 10 ms that it ran
 * (cpu_throttle_thread(), softmmu/cpu-throttle.c).  So a guest throttled by p
 * has at most 1 - p of its vCPUs; one that asks for less gets all it asks for.
 * model/migration.h says when p is raised; it ends with the migration.
 *
 * Means of a sample hide bursts: one that a guest would have needed all of its
 * vCPUs for is slowed down in reality, and here only where the mean is above
 * what is left.  Pure. */

#include <stdint.h>

struct dcp_slowdown {
    int64_t at_ms; /* From then on, until its migration ends. */
    uint32_t vm;
    uint32_t step; /* The id of its migration. */
    double stopped_frac; /* 0 to below 1. */
};

static inline double
dcp_slowdown_most_mhz(double stopped_frac, uint32_t vcpus, double vcpu_mhz)
{
    return (1 - stopped_frac) * vcpus * vcpu_mhz;
}

#endif /* model/slowdown.h */
