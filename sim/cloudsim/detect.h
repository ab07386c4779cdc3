/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_CLOUDSIM_DETECT_H
#define DCP_SIM_CLOUDSIM_DETECT_H 1

/* Is a host overloaded?  The detectors of Beloglazov and Buyya (CCPE 24(13),
 * 2012) as CloudSim computes them, from what the VMs of a host ask at the
 * instant and from its history:
 *
 *   THR  asked / capacity > parameter
 *   IQR  asked / capacity > 1 - parameter * (third quartile - first quartile)
 *   MAD  asked / capacity > 1 - parameter * median |x - median x|
 *   LR   parameter * (a line through the newest 10 values, one step ahead) >= 1
 *
 * While the history is too short (10 values for LR, 12 for IQR and MAD) the
 * host is overloaded above DCP_CLOUDSIM_FALLBACK of its capacity.
 *
 * LRR, the paper's robust regression, is LR here as it is in CloudSim, where
 * neither set of weights is ever applied.
 *
 * A history is a share of capacity per interval, the newest first; its length
 * is that without the zeros at its old end.  Pure; thread-safe. */

#include <stdbool.h>
#include <stdint.h>

enum dcp_cloudsim_detect {
    DCP_CLOUDSIM_THR,
    DCP_CLOUDSIM_IQR,
    DCP_CLOUDSIM_MAD,
    DCP_CLOUDSIM_LR,
};
#define DCP_CLOUDSIM_HISTORY  30 /* Values that a history may have. */
#define DCP_CLOUDSIM_TREND    10 /* Values that LR looks at. */
#define DCP_CLOUDSIM_SHORT    12 /* Values that IQR and MAD need. */
#define DCP_CLOUDSIM_FALLBACK 0.7

struct dcp_cloudsim_detector {
    enum dcp_cloudsim_detect kind;
    double parameter; /* THR: the threshold; else the safety factor, >= 0. */
};

/* What a detector looks at. */
struct dcp_cloudsim_view {
    double asked_frac;
    const double *history; /* Not for THR; see dcp_cloudsim_needs(). */
    uint32_t length;       /* At most DCP_CLOUDSIM_HISTORY. */
};

bool dcp_cloudsim_overloaded(const struct dcp_cloudsim_detector *,
                             const struct dcp_cloudsim_view *);

/* Without the zeros at the old end. */
uint32_t dcp_cloudsim_length(const double history[], uint32_t n);

/* How many of the newest values it looks at. */
uint32_t dcp_cloudsim_needs(const struct dcp_cloudsim_detector *);

/* The value one step ahead of a least-squares line through 10 values, by
 * updating formulas from the oldest to the newest. */
double dcp_cloudsim_trend(const double newest[DCP_CLOUDSIM_TREND]);

/* Of 'n' values in any order, n from 3 to DCP_CLOUDSIM_HISTORY.  Quartiles are
 * the values at the ranks round((n + 1) / 4) and round(3 (n + 1) / 4). */
double dcp_cloudsim_iqr(const double values[], uint32_t n);

#endif /* sim/cloudsim/detect.h */
