/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_REPORT_H
#define DCP_REPORT_REPORT_H 1

/* One offline HTML page about a plan: what it does, what it saves, what it
 * risks and how sure that is; docs/report.md describes it section by section.
 *
 * The page asks for nothing from anywhere: styles, scripts and data stand in
 * it, and its content security policy ('default-src none', SHA-256 hashes of
 * its own two scripts and styles) makes browsers enforce that.  Names are
 * users' text: they are escaped here and inserted as text only by the page.
 *
 * What the page computes itself, from the planned demand:
 *  - the clock of the plan: each step starts when what it waits for is done
 *    and its hosts have a free place (plan->limits), in the plan's order;
 *  - watts: the SPECpower curve of each host (model/power.h), standby when
 *    off, boot and shutdown watts while switching; at the meter, average PUE
 *    before and marginal PUE on the difference;
 *  - the night saving (against keeping the plan's own daytime placement all
 *    night) and the packing saving (of that daytime placement against today's)
 *    apart: the two are never added to each other;
 *  - with samples: the history replayed hour by hour on both placements.
 *
 * Pure and deterministic: equal inputs give equal bytes.  Reentrant. */

#include "model/base/text.h"
#include "model/check/check.h"
#include "model/demand.h"
#include "model/plan.h"
#include "traces/fit.h"

/* A night replayed by the simulator on raw samples; [0] without the plan, [1]
 * with it.  Arrays are borrowed. */
struct dcp_report_replay {
    bool in_sample; /* The plan was fitted on this very night. */
    bool partial;   /* Samples cover a part of the plan's hours only. */
    int64_t start_ms, interval_ms;
    uint32_t n;
    const double *hosts_on[2], *meter_w[2];           /* By interval: means. */
    double meter_kwh[2], cost[2], overload_host_s[2]; /* Over all of it. */
    uint32_t migrations, migrations_failed;
};

/* Everything is borrowed for the call. */
struct dcp_report_input {
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    /* Must cover each leg's start to its buckets_until. */
    const struct dcp_demand *demand;
    const struct dcp_check_result *check;   /* NULL: the plan was not judged. */
    const struct dcp_samples *samples;      /* CPU history; NULL: none. */
    const struct dcp_report_replay *replay; /* NULL: none. */
    const char *tool_version; /* Of the program that writes the page. */
};

/* Rows of the step table beyond which the page says that it is cut; and hosts
 * beyond which the heat map has several hosts in a row. */
#define DCP_REPORT_STEPS_MAX 5000
#define DCP_REPORT_ROWS_MAX  400

/* Appends the page to 'out'. */
bool dcp_report_html(const struct dcp_report_input *, struct dcp_text *out,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* report/report.h */
