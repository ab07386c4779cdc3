/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STATS_BOOTSTRAP_H
#define DCP_SIM_STATS_BOOTSTRAP_H 1

/* Usage of other days in a replay's window: a block bootstrap in time.
 *
 * The window is cut into days that begin at its own local time of day, so that
 * a night is never cut at midnight; so are the samples.  Blocks of some days of
 * the window are given days of the samples that follow one another, drawn
 * alike from all places at which every day has the class of the day that it
 * stands for (weekday, weekend, holiday, ...).  Local clock times stay: what
 * stands at 22:10 was measured at 22:10, also where the clocks changed between
 * the two.  All VMs take the same day, so what they have in common stays.
 *
 * This is the moving block bootstrap (Kuensch, "The jackknife and the bootstrap
 * for general stationary observations", Annals of Statistics 17, 1989) with a
 * day, or days, as the unit, and strata for the classes of days.  What lasts
 * longer than a block is lost: trends, months, VMs that come and go.  Blocks
 * that follow one another meet at the window's time of day, where VMs may jump.
 *
 * Nothing is copied: a draw is a row of the samples for each slice
 * (dcp_sim_input's 'rows').  Pure, deterministic by seed; not thread-safe. */

#include "model/calendar.h"
#include "traces/fit.h"

struct dcp_bootstrap_question {
    const struct dcp_zone *zone;
    const struct dcp_calendar *calendar;
    const struct dcp_samples *samples; /* Their grid is looked at. */
    int64_t from_ms, to_ms;            /* The window. */
    /* Days are drawn from here; cut to the samples. */
    int64_t source_from_ms, source_to_ms;
    uint32_t block_days; /* From 1 on. */
};

struct dcp_bootstrap;

/* The zone and the calendar are borrowed, nothing else.  DCP_E_USAGE where
 * some block has no place in the samples that it could be drawn from. */
struct dcp_bootstrap *
dcp_bootstrap_create(const struct dcp_bootstrap_question *,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_bootstrap_destroy(struct dcp_bootstrap *);
DCP_DEFINE_AUTO(dcp_bootstrap)

/* Another draw, the same for the same seed. */
void dcp_bootstrap_draw(struct dcp_bootstrap *, uint64_t seed);

/* Of the last draw; borrowed.  Before the first one there is none. */
const uint32_t *
dcp_bootstrap_rows(const struct dcp_bootstrap *, uint32_t *out_n);
/* The same as samples of the window's own times, for who looks back on them:
 * policies in closed loop.  'samples' as of the question; '*out' is the
 * caller's, and keeps its memory from one draw to the next. */
bool
dcp_bootstrap_copy(const struct dcp_bootstrap *,
                   const struct dcp_samples *samples, struct dcp_samples *out,
                   struct dcp_error *err) DCP_CHECKED;
/* By day of the window: when the day begins that stands there. */
const int64_t *
dcp_bootstrap_days(const struct dcp_bootstrap *, uint32_t *out_n);

/* When whole days of the samples begin, one after the other. */
const int64_t *
dcp_bootstrap_source(const struct dcp_bootstrap *, uint32_t *out_n);
/* How many different windows there are; many: HUGE_VAL. */
double dcp_bootstrap_n_windows(const struct dcp_bootstrap *);

#endif /* sim/stats/bootstrap.h */
