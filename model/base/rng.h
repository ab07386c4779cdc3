/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_RNG_H
#define DCP_MODEL_BASE_RNG_H 1

/* Deterministic random streams.  A stream is named by (seed, label, index), so
 * one more draw in the disk model never shifts the failure model: two what-if
 * runs with one seed share all the noise that their difference leaves alone.
 * Counter-based: draw k is mix(key + k), with the finalizer of SplitMix64
 * (Steele, Lea, Flood, OOPSLA 2014). */

#include <stdint.h>

struct dcp_rng {
    uint64_t key, counter;
};

struct dcp_rng dcp_rng_stream(uint64_t seed, const char *label, uint64_t index);
uint64_t dcp_rng_u64(struct dcp_rng *);
uint64_t dcp_rng_below(struct dcp_rng *, uint64_t bound); /* Unbiased. */
double dcp_rng_unit(struct dcp_rng *);                    /* In [0, 1). */
/* Standard normal, by the polar method. */
double dcp_rng_normal(struct dcp_rng *);

#endif /* model/base/rng.h */
