/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_PICTURE_H
#define DCP_SIM_OUTPUT_PICTURE_H 1

/* What a page about a replay shows beyond its figures: load by host and time,
 * how loads and waits are distributed, memory moved, time with a place.  A
 * watch over the series (sim/output/series.h); its size does not grow with the
 * window beyond DCP_PICTURE_COLUMNS columns.  Plain arrays, for who draws. */

#include "sim/output/series.h"
#include "sim/watch.h"

enum {
    DCP_PICTURE_COLUMNS = 480, /* At most; a column is so many samples. */
    DCP_PICTURE_LOADS = 22,    /* 5 % each; the last but one is 100 to 105 %,
                                * the last all above. */
    DCP_PICTURE_WAITS = 6,     /* Of dcp_picture_wait_limits. */
};

/* Upper ends of the classes of waits but the last: 0, 0.001, 0.01 ... */
extern const double dcp_picture_wait_limits[DCP_PICTURE_WAITS - 1];

struct dcp_picture_data {
    uint32_t n_hosts, n_vms, n_columns, samples_per_column;
    int64_t *column_ms; /* Start of each column. */
    /* Memory of the VMs that ended a live migration in the window, as large as
     * they were then. */
    double *column_mib;
    /* [column][host]: demand over capacity while it served; NaN: it never did
     * in that time. */
    float *load;
    double load_host_s[DCP_PICTURE_LOADS]; /* Host-seconds that served. */
    /* By VM: part of the window for which its vCPUs waited for CPU
     * (sim/host/contention.h), and seconds for which it had a place on a
     * serving host (sim/output/served.h). */
    double *wait_frac, *served_s;
    uint32_t waits[DCP_PICTURE_WAITS]; /* VMs by wait_frac. */
    /* Pairs of a VM and a sample, by the part of the sample's time. */
    uint64_t sample_waits[DCP_PICTURE_WAITS];
    double window_s;
};

struct dcp_picture;

/* Of a replay of this input; it is not looked at later, but for what it borrows
 * itself. */
struct dcp_picture *dcp_picture_create(const struct dcp_sim_input *,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_picture_destroy(struct dcp_picture *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_picture)

struct dcp_sim_watch dcp_picture_watch(struct dcp_picture *);
/* After the replay; belongs to the picture. */
const struct dcp_picture_data *dcp_picture_end(struct dcp_picture *);

#endif /* sim/output/picture.h */
