/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_MIGRATION_H
#define DCP_MODEL_MIGRATION_H 1

/* How long a live migration takes: iterative pre-copy.
 *
 * V_0 = memory; V_i = min(D T_(i-1), W); T_i = V_i / R, with dirty rate D,
 * bandwidth R, writable working set W.  Rounds go on until what is left can be
 * sent within the downtime limit, or 30 rounds, or 3 V sent; then the VM
 * stops for the rest (Clark et al., NSDI 2005; Akoush et al., MASCOTS 2010;
 * Liu et al., HPDC 2011).  Pure: thread-safe. */

#include <stdbool.h>
#include <stdint.h>

struct dcp_precopy {
    double mem_mib, dirty_mib_s, bandwidth_mib_s;
    double working_set_mib; /* 0: a tenth of the memory. */
};
struct dcp_precopy_result {
    int64_t total_ms, downtime_ms;
    uint32_t rounds;
    double sent_mib;
    bool converged; /* Downtime limit kept without a forced stop. */
};

#define DCP_PRECOPY_DOWNTIME_MS 300 /* QEMU's default downtime-limit. */
#define DCP_PRECOPY_RESUME_MS 20

struct dcp_precopy_result dcp_precopy_estimate(const struct dcp_precopy *);

#endif /* model/migration.h */
