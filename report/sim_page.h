/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_SIM_PAGE_H
#define DCP_REPORT_SIM_PAGE_H 1

/* One offline HTML page about a replay: figures of each run beside each other,
 * hosts on and power over time, host x time heat map, loads and waits,
 * migrations, time with a place, and where things failed the availability of
 * tiers and applications and how long recovery took.  As safe as report/report.h's: it asks for
 * nothing from anywhere, and names are inserted as text only.
 *
 * Pure and deterministic: equal inputs give equal bytes.  Reentrant. */

#include "model/base/text.h"
#include "sim/failure/availability.h"
#include "sim/output/picture.h"
#include "sim/stats/interval.h"

struct dcp_sim_page_run {
    const char *name; /* "Without the plan"; for people. */
    const struct dcp_sim_result *result;
    /* What failed cost; NULL: nothing could fail.  All runs have it or none. */
    const struct dcp_availability *availability;
};

/* What replications say of each variant, the one that the page is about last,
 * and of by how much that has more than each before it. */
#define DCP_SIM_PAGE_VARIANTS  3u
#define DCP_SIM_PAGE_SURE_ROWS 20u
struct dcp_sim_page_sure_row {
    const char *what; /* With its unit, which 'of' is in. */
    bool is_share;    /* Of replications; else a mean. */
    /* Of each variant, then, of means, of each difference. */
    struct dcp_interval of[2 * DCP_SIM_PAGE_VARIANTS - 1];
};
struct dcp_sim_page_sure {
    uint32_t n_replications; /* 0: none. */
    uint32_t n_variants, n_rows;
    const char *names[DCP_SIM_PAGE_VARIANTS];
    struct dcp_sim_page_sure_row rows[DCP_SIM_PAGE_SURE_ROWS];
};

/* Everything is borrowed for the call. */
struct dcp_sim_page {
    const struct dcp_inventory *inventory;
    const struct dcp_sim_page_run *runs;    /* Of one window. */
    uint32_t n_runs;                        /* The last is what it is about. */
    const struct dcp_picture_data *picture; /* Of that. */
    const struct dcp_sim_page_sure *sure;   /* NULL: no replications. */
    bool partial, in_sample;
    const char *tool_version;
};

/* VMs that are named, of those that waited longest and had the least time with
 * a place. */
#define DCP_SIM_PAGE_VMS 12

/* Appends the page to 'out'. */
bool dcp_sim_page_html(const struct dcp_sim_page *, struct dcp_text *out,
                       struct dcp_error *err) DCP_CHECKED;

#endif /* report/sim_page.h */
