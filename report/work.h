/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_WORK_H
#define DCP_REPORT_WORK_H 1

/* Between the files of report/: what was computed for the page, and who writes
 * which part of its data object ("dcplan/report-data/1"). */

#include "model/io/json_writer.h"
#include "report/history.h"
#include "report/timeline.h"

/* Over the plan's horizon; two separate facts.  At mean usage where the plan
 * says what to expect, else at planned demand. */
struct dcp_report_savings {
    bool expected;
    double before_kwh; /* Without the plan, likewise. */
    double night_kwh, night_cost;
    double packing_kwh, packing_cost;
    double planned_night_kwh, planned_packing_kwh; /* At planned demand. */
};

struct dcp_report_work {
    const struct dcp_report_input *in;
    struct dcp_rows rows;
    struct dcp_timeline tl;
    struct dcp_history history;
    struct dcp_report_savings savings;
    uint32_t leg_moves[DCP_LEGS_MAX]; /* Migrations of each leg. */
    uint32_t n_vms_moved;             /* VMs with any migration. */
    uint32_t n_hosts_off;             /* Hosts that the plan switches off. */
};

/* data.c */
void dcp_report_write_data(const struct dcp_report_work *, struct dcp_json *);
/* data_hours.c: night, heat, util, risk, replay. */
void dcp_report_write_hours(const struct dcp_report_work *, struct dcp_json *);
/* data_steps.c: kinds, reasons, templates, steps. */
void dcp_report_write_steps(const struct dcp_report_work *, struct dcp_json *);
/* data_tables.c: licences, off, survive, quality. */
void dcp_report_write_tables(const struct dcp_report_work *, struct dcp_json *);

/* Pieces that more than one page has. */
/* Offsets of the model's zone that matter in [from, to): [[from_ms, s]...]. */
void dcp_report_write_zone(struct dcp_json *, const struct dcp_zone *,
                           int64_t from_ms, int64_t to_ms);
/* racks, hardware, hosts. */
void dcp_report_write_hosts(const struct dcp_inventory *, struct dcp_json *);
/* rows: [[label, rack or -1, hosts in the row, its first host]...]. */
void dcp_report_write_rows(const struct dcp_inventory *,
                           const struct dcp_rows *, struct dcp_json *);
void dcp_report_write_base64(struct dcp_json *, const char *key,
                             const uint8_t *data, size_t size);

/* words.c: the headline, as text (not HTML). */
void dcp_report_write_title(const struct dcp_report_work *, struct dcp_text *);
/* One paragraph per call, 'part' from 0; false: there are no more.  'out_lead'
 * is its heading; "" for the first, which says what the plan does. */
bool dcp_report_write_words(const struct dcp_report_work *, uint32_t part,
                            const char **out_lead, struct dcp_text *);

/* 'value' to so many decimals, so that no digit is printed that says
 * nothing. */
double dcp_report_round(double value, int decimals);

#endif /* report/work.h */
