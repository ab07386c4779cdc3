/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_COURSE_H
#define DCP_REPORT_COURSE_H 1

/* One course that things may take: where every VM is, what every host does and
 * carries, as steps begin and end.  Loads are in reference MHz of the slot
 * that was begun last. */

#include "model/demand.h"
#include "model/plan.h"

enum dcp_course_power {
    DCP_COURSE_OFF,
    DCP_COURSE_ON,
    DCP_COURSE_BOOTING,
    DCP_COURSE_STOPPING,
};

struct dcp_course {
    uint32_t n_vms, n_hosts;
    uint32_t *host; /* By VM; DCP_IX_NONE: nowhere. */
    uint8_t *power; /* By host: enum dcp_course_power. */
    double *mhz;    /* By host. */
    const struct dcp_demand *demand;
    uint32_t slot;
};

/* As 'start'; the arrays live in 'arena'.  False: out of memory. */
bool dcp_course_init(struct dcp_course *, const struct dcp_placement *start,
                     struct dcp_arena *arena) DCP_CHECKED;
/* Sums every host's load anew. */
void dcp_course_begin_slot(struct dcp_course *, const struct dcp_demand *,
                           uint32_t slot);
/* The step begins ('is_end' false) or ends. */
void dcp_course_step(struct dcp_course *, const struct dcp_step *, bool is_end);

#endif /* report/course.h */
