/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_COURSE_H
#define DCP_MODEL_COURSE_H 1

/* One course that things may take: where every VM is, what every host does and
 * carries, as steps begin and end.  Loads are in reference MHz, of what VMs
 * were last said to use. */

#include "model/plan.h"

enum dcp_course_power {
    DCP_COURSE_OFF,
    DCP_COURSE_ON,
    DCP_COURSE_BOOTING,
    DCP_COURSE_STOPPING,
};

struct dcp_course {
    uint32_t n_vms, n_hosts;
    uint32_t *host;       /* By VM; DCP_IX_NONE: nowhere. */
    uint8_t *power;       /* By host: enum dcp_course_power. */
    double *mhz;          /* By host. */
    const double *vm_mhz; /* By VM; borrowed from the last dcp_course_load(). */
};

/* As 'start'; the arrays live in 'arena'.  False: out of memory. */
bool dcp_course_init(struct dcp_course *, const struct dcp_placement *start,
                     struct dcp_arena *arena) DCP_CHECKED;
/* From now on VMs use so much: sums every host's load anew. */
void dcp_course_load(struct dcp_course *, const double vm_mhz[]);
/* The step begins ('is_end' false) or ends. */
void dcp_course_step(struct dcp_course *, const struct dcp_step *, bool is_end);

/* What the host draws, at its own supply; 'cpu_mhz' is its capacity. */
double dcp_course_watts(const struct dcp_course *, const struct dcp_hardware *,
                        double cpu_mhz, uint32_t host);

#endif /* model/course.h */
