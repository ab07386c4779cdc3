/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_FIT_ROWS_H
#define DCP_TRACES_FIT_ROWS_H 1

/* What fitting at once (traces/fit.h) and as time passes (traces/learner.h)
 * share: the rules of one VM.  Internal to traces/. */

#include "model/demand.h"
#include "model/placement.h"
#include "traces/columns.h"
#include "traces/store.h"

#define DCP_FIT_AT_LIMIT_FRAC       0.98
#define DCP_FIT_AT_LIMIT_RAISE_FRAC 0.10
#define DCP_FIT_MEM_PERCENTILE      0.95

/* In reference MHz: what a stored MHz is, what the VM can use, and from where
 * on its samples are at its limit. */
struct dcp_fit_vm {
    double factor, ceiling_mhz, limit_mhz;
};
struct dcp_fit_vm
dcp_fit_vm(const struct dcp_store *, const struct dcp_inventory *,
           const struct dcp_placement *start, const struct dcp_column *);

struct dcp_fit_history {     /* Of one VM's CPU. */
    uint32_t n, first, last; /* Present cells. */
    uint32_t n_at_limit;
    float peak;
};
/* Counts a sample, as stored, of cell 'c'; what it stands for. NaN: missing. */
float dcp_fit_count(const struct dcp_fit_vm *, uint32_t c, float raw,
                    struct dcp_fit_history *);
/* It appeared over a day late, or is gone for over a day, of 'n_cells'. */
bool dcp_fit_is_partial(const struct dcp_fit_history *, uint32_t n_cells,
                        int64_t step_ms);

struct dcp_fit_span { /* Of what is learned from. */
    uint32_t n_cells;
    int64_t step_ms, min_history_ms;
};
/* Counts a VM that has samples of CPU, in 'd' and by its source.  What it wants
 * in all slots alike, in reference MHz; NaN: what its samples say of each. */
double
dcp_fit_cpu_flat(const struct dcp_inventory *, uint32_t vm,
                 const struct dcp_fit_vm *, const struct dcp_fit_history *,
                 const struct dcp_fit_span *, struct dcp_demand *,
                 struct dcp_demand_rows *);
/* Buckets are those of the policy. */
bool dcp_fit_slots_check(const struct dcp_inventory *, const struct dcp_slot[],
                         uint32_t n_slots, struct dcp_error *err) DCP_CHECKED;

/* Whole MHz or KiB/s, rounded up, scaled, at most 'most'. */
void dcp_fit_write_row(const double want[], uint32_t n_slots, double scale,
                       double most, uint32_t row[]);
/* Active memory: at least the balloon floor and what is reserved, at most what
 * is allocated. */
uint32_t dcp_fit_active_mib(const struct dcp_inventory *, uint32_t vm,
                            double percentile_mib);
/* Every VM as if it had no trace; fitting then writes over it.  'traced' (by
 * VM; NULL: none): it will for sure, so that its CPU is left out. */
void dcp_fit_from_model(const struct dcp_inventory *, const uint8_t traced[],
                        struct dcp_demand *, struct dcp_demand_rows *);
bool dcp_fit_has_active_memory(const struct dcp_store *);

#endif /* traces/fit_rows.h */
