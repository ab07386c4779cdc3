/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_SERIES_H
#define DCP_TRACES_SERIES_H 1

/* One VM's samples of one metric, and what they ask for in each bucket: the
 * part of traces/fit.h that is the same for CPU and network.  Which cell is in
 * which bucket is listed once, for all VMs.
 *
 * Everything is in the arena that it was made with.  One thread. */

#include "model/demand.h"
#include "traces/store.h"

struct dcp_series {
    float *value;   /* By cell; NaN: missing.  The caller fills it per VM. */
    float *scratch; /* By cell; anybody's. */
    uint32_t n_cells, n_buckets;
    uint32_t *bucket_first; /* n_buckets + 1, into 'cells'. */
    uint32_t *cells;        /* Grouped by bucket, ascending within one. */
    double *bucket_want;    /* By bucket: < 0 not computed, NaN no samples. */
    double *bucket_mean;    /* By bucket, where that is known: of what is ... */
    double most;            /* ... at most so much; INFINITY: no end to it. */
    double peak_factor;
};

/* What is asked of a bucket's samples; PERCENTILE: at least
 * peak_factor x the peak, which the others do not look at. */
struct dcp_wish {
    enum dcp_predictor predictor; /* RATIO: not of samples; not for here. */
    double percentile, sigmas;
};

/* The samples of one bucket; what the predictor does not look at may be 0. */
struct dcp_wish_figures {
    uint32_t n;
    float peak;
    double mean, square; /* Square: sum of squared distances from the mean. */
    double at_percentile;
};
bool dcp_wish_asks_percentile(const struct dcp_wish *);
bool dcp_wish_asks_moments(const struct dcp_wish *);
/* NaN: there are no samples. */
double dcp_wish_of(const struct dcp_wish *, const struct dcp_wish_figures *,
                   double peak_factor);

/* For the cells [first_cell, first_cell + n_cells) of 'store', with the
 * policy's buckets in the model's zone. */
bool dcp_series_init(struct dcp_series *, struct dcp_arena *,
                     const struct dcp_store *, const struct dcp_inventory *,
                     uint32_t first_cell, uint32_t n_cells,
                     struct dcp_error *err) DCP_CHECKED;

/* What 'value', which has a sample, asks for in each slot by its bucket's
 * samples.  Returns how many day
 * classes took the history of another. */
uint32_t
dcp_series_fit(struct dcp_series *, const struct dcp_slot slots[],
               uint32_t n_slots, const struct dcp_wish *, double out_want[]);
/* After that: the mean of each slot's samples, each at most 'most'.  A bucket
 * without history has the mean of its hour's other classes, else of all. */
void dcp_series_means(const struct dcp_series *, const struct dcp_slot slots[],
                      uint32_t n_slots, double out_mean[]);
/* The same as dcp_series_fit() where 'bucket_want' is known already, of all
 * buckets: of 's' that and 'n_buckets' are looked at, nothing else. */
uint32_t dcp_series_slots(struct dcp_series *s, const struct dcp_slot slots[],
                          uint32_t n_slots, double out_want[]);

#endif /* traces/series.h */
