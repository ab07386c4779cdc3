/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_SPEC_CURVES_H
#define DCP_MODEL_IO_SPEC_CURVES_H 1

/* SPECpower_ssj2008 results as a table, and the one nearest to a machine by
 * its CPU.
 *
 * Reads a CSV with the columns cpu_name, cpu_mhz, chips, cores,
 * cores_per_chip, ssj_ops_100, watts_idle, watts_10 ... watts_100.
 *
 * Names are compared without trade marks, clock and core counts: "Intel(R)
 * Xeon(R) CPU E5-2640 v4 @ 2.40GHz" is "e5-2640 v4".  Where no result has the
 * name, one of the same CPU family (Xeon E5 v4, second Xeon Scalable, third
 * EPYC, ...) with the nearest cores per socket stands in.  Of several results
 * for one name that with the median watts at full load is taken, those with
 * as many sockets first; watts are scaled by sockets.  Immutable once read. */

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/inventory.h"

struct dcp_spec_curves;

enum dcp_spec_match { DCP_SPEC_NONE, DCP_SPEC_FAMILY, DCP_SPEC_EXACT };

struct dcp_spec_answer {
    enum dcp_spec_match match;
    double power_w[DCP_POWER_POINTS];
    double speed_factor;  /* Against DCP_SPEC_REFERENCE_OPS. */
    const char *cpu_name; /* Of the result that was taken. */
    uint32_t row;         /* Its line in the table. */
};

/* ssj_ops per core-MHz that are speed_factor 1: Dell PowerEdge R630, Intel
 * Xeon E5-2699 v3, 2015 (3240418 / (36 x 2300)). */
#define DCP_SPEC_REFERENCE_OPS  39.13548309178744
#define DCP_SPEC_REFERENCE_NAME "Dell PowerEdge R630, Intel Xeon E5-2699 v3"

/* In 'arena'; NULL: unreadable, or not such a table. */
struct dcp_spec_curves *
dcp_spec_curves_read(struct dcp_arena *, const char *path,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_spec_curves_find(const struct dcp_spec_curves *, const char *cpu,
                          uint32_t sockets, uint32_t cores_per_socket,
                          struct dcp_spec_answer *out);

/* The normalised name, and the family ("" where it is none we know). */
void dcp_spec_normalise(const char *cpu, char out[80]);
const char *dcp_spec_family(const char *normalised);
/* The name in `generations` of a family; "" where there is none. */
const char *dcp_spec_generation(const char *family);

#endif /* model/io/spec_curves.h */
