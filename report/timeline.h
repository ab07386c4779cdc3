/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_TIMELINE_H
#define DCP_REPORT_TIMELINE_H 1

/* The plan on a clock: when each step runs, and what every host draws and
 * carries over the plan's hours, with the plan and without it, at planned
 * demand.
 *
 * Steps run by the plan's own clock (model/plan_times.h).  A host counts as on
 * from the start of its boot to the end of its shutdown. The CPU that migrating
 * itself costs is not in the figures.
 *
 * Everything lives in the caller's arena. */

#include "report/report.h"

enum { DCP_WITHOUT, DCP_WITH }; /* Index: without the plan, with it. */

#define DCP_HEAT_OFF      255
#define DCP_HEAT_MISSING  254
#define DCP_HEAT_PER_UNIT 160 /* Cell value of a load of 100 %. */

struct dcp_timeline {
    int64_t start_ms, end_ms, interval_ms;
    uint32_t n_points;      /* Charts: cells of interval_ms from start_ms. */
    float *hosts_on[2];     /* By point: the most in the cell. */
    float *meter_w[2];      /* By point: mean. */
    float *cost_per_h[2];   /* By point: mean. */
    int64_t *step_start_ms; /* By position in plan->steps. */
    int64_t *step_end_ms;
    int64_t *leg_end_ms;          /* By leg: when its last step ends. */
    uint32_t first_slot, n_slots; /* The demand's slots that are shown. */
    uint8_t *heat[2];             /* [row * n_slots + slot] */

    double kwh[2], cost[2]; /* Over start..end, at the meter. */
    /* By host, over start..end: at the meter, saved by the plan (negative
     * where a host draws more). */
    double *host_saved_kwh, *host_saved_cost;
    /* Of that, while the host is off or being switched. */
    double *host_off_kwh, *host_off_cost;
    int64_t *off_from_ms, *off_until_ms; /* By host; equal: never off. */
    float *night_cpu_frac[2]; /* By host: mean load while on between the
                               * first leg's end and the last leg's start;
                               * NaN: off. */
    /* Saved over start..end by holding the last leg's placement all along,
     * against the placement before. */
    double packing_kwh, packing_cost;
};

/* The rows of heat maps: one per host, by rack, up to DCP_REPORT_ROWS_MAX;
 * else runs of neighbours share a row. */
struct dcp_rows {
    uint32_t n;
    uint32_t *row_of_host;
    uint32_t *first; /* By row, n + 1: run in 'hosts'. */
    uint32_t *hosts; /* All hosts, by rack, then by name's position. */
};

bool dcp_rows_make(const struct dcp_inventory *, struct dcp_arena *,
                   struct dcp_rows *out, struct dcp_error *err) DCP_CHECKED;
bool dcp_timeline_make(const struct dcp_report_input *, const struct dcp_rows *,
                       struct dcp_arena *, struct dcp_timeline *out,
                       struct dcp_error *err) DCP_CHECKED;

/* The cell value of a load; capped below the marks. */
uint8_t dcp_heat_cell(double load_frac);

#endif /* report/timeline.h */
