/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_SERIES_H
#define DCP_SIM_OUTPUT_SERIES_H 1

/* Figures of a replay by sample: of each host, VM, tenant and pool.  A watch
 * that takes the differences of what the engine has counted.
 *
 * Means are over the sample's time.  A VM's "host" is where it is at the
 * sample's end, -1: nowhere; its demand is its sample's where it has a place
 * then, else 0.  "unmet" is what was asked for and not given because a host had
 * too little; ready_frac is the part of the time for which the VM's vCPUs
 * waited for CPU, mean over them (sim/host/contention.h). */

#include "sim/sim.h"

enum dcp_series_of {
    DCP_SERIES_INTERVAL, /* The whole; kept by the engine itself. */
    DCP_SERIES_HOST,
    DCP_SERIES_VM,
    DCP_SERIES_TENANT,
    DCP_SERIES_POOL, /* Of storage. */
};

/* Those of storage are the last: there where the model limits some of it. */
enum { DCP_SERIES_FIGURES = 25, DCP_SERIES_STORAGE_FIGURES = 9 };

/* What there is, and its place in a row. */
struct dcp_series_figure {
    enum dcp_series_of of;
    const char *name, *unit;
    bool whole;
};
extern const struct dcp_series_figure dcp_series_figures[DCP_SERIES_FIGURES];

const char *dcp_series_of_name(enum dcp_series_of); /* "host" ... */

struct dcp_sim_series;

/* Of a replay of this input, which is not looked at later, but for what it
 * borrows itself.  'storage' false: without its figures. */
struct dcp_sim_series *
dcp_sim_series_create(const struct dcp_sim_input *, bool storage,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_sim_series_destroy(struct dcp_sim_series *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_sim_series)

/* How many figures of the table there are, from its beginning. */
uint32_t dcp_sim_series_n(const struct dcp_sim_series *);
/* How many there are of a kind; tenants: one more, "none". */
uint32_t
dcp_sim_series_count(const struct dcp_sim_series *, enum dcp_series_of);
const char *dcp_sim_series_name(const struct dcp_sim_series *,
                                enum dcp_series_of, uint32_t i);

/* An event, for what follows it by storage (sim/storage/io.h). */
bool dcp_sim_series_see(struct dcp_sim_series *, const struct dcp_sim_event *,
                        struct dcp_error *err) DCP_CHECKED;
/* Takes the slice that just ended; from the first one on, each once. */
void dcp_sim_series_take(struct dcp_sim_series *, const struct dcp_sim_result *,
                         uint32_t slice);
/* The slice's values of one figure, by host, VM or tenant. */
const float *dcp_sim_series_row(const struct dcp_sim_series *, uint32_t figure);

#endif /* sim/output/series.h */
