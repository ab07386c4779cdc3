/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_DETECT_H
#define DCP_SIM_POLICY_DETECT_H 1

/* When is a host overloaded?  Detectors of Beloglazov and Buyya, "Optimal
 * online deterministic algorithms and adaptive heuristics ...", CCPE 24(13),
 * 2012, on the history of its load as a share of its capacity:
 *
 * THR  load above 'param';
 * IQR  load above 1 - param x (third - first quartile);
 * MAD  load above 1 - param x median |load - median|;
 * LR   'param' x the load predicted for the next sample, 1 or more: a line by
 *      least squares through the last 10, weighted by the tricube of their age
 *      (Cleveland 1979);
 * LRR  the same, fitted again with bisquare weights of the residuals.
 *
 * With less than 12 samples (10 for LR and LRR): THR at 0.7.  This is what the
 * paper says; what CloudSim does (plain least squares for both, and shortcuts
 * of its own) is in sim/cloudsim/.  Pure; thread-safe. */

#include <stdbool.h>
#include <stdint.h>

enum dcp_detector {
    DCP_DETECT_THR,
    DCP_DETECT_IQR,
    DCP_DETECT_MAD,
    DCP_DETECT_LR,
    DCP_DETECT_LRR,
};
#define DCP_DETECTORS      (DCP_DETECT_LRR + 1)
#define DCP_DETECT_SAMPLES 30u /* As many are looked at, at most. */

const char *dcp_detector_name(enum dcp_detector); /* "thr" ... */
double dcp_detector_default(enum dcp_detector);   /* 0.8, 1.5, 2.5, 1.2, 1.2. */

/* Overloaded: judged > limit.  More load of 'd' would judge at judged + d. */
struct dcp_detection {
    double judged_frac, limit_frac;
};

/* 'load', oldest first, n >= 1; the last DCP_DETECT_SAMPLES count. */
struct dcp_detection
dcp_detect(enum dcp_detector, double param, const double load[], uint32_t n);

#endif /* sim/policy/detect.h */
