/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_FAILURES_H
#define DCP_CLI_FAILURES_H 1

/* Failures in `simulate`: the options that ask for them, the outages of a
 * window, what they do to a run of events, and how that is told. */

#include "cli/command.h"
#include "model/io/json_writer.h"
#include "sim/failure/availability.h"

struct dcp_failure_options {
    const char *failures; /* NULL: none but what is lost. */
    const char *lose;     /* "rack:R3,host:h17"; NULL: nothing. */
    const char *maintain; /* Likewise: emptied, and switched off. */
    int64_t at_ms;        /* DCP_INSTANT_NONE: the window's start. */
    int64_t for_ms;       /* 0: to the end. */
    int64_t detect_ms, fence_ms, start_ms;
    uint64_t at_once;
    double failed_boots_frac, failed_migrations_frac;
};
/* Rows with offsets in the struct above. */
#define DCP_N_FAILURE_ROWS 11
extern const struct dcp_opt dcp_failure_rows[DCP_N_FAILURE_ROWS];

/* Is anything asked for that can fail? */
bool dcp_failures_asked(const struct dcp_failure_options *);

/* What breaks in one window: the same for every variant that is run in it. */
struct dcp_failures {
    const struct dcp_inventory *inventory; /* Borrowed. */
    struct dcp_outages all, hosts;
    struct dcp_outages maintenance; /* Of hosts. */
    uint32_t *cause;                /* By outage of a host: of 'all'. Owned. */
    struct dcp_ha_options options;
    int64_t from_ms, to_ms;
    /* What VMs send, for who empties hosts; NULL, as it is opened: not known.
     * Borrowed. */
    const struct dcp_samples *net;
};
bool dcp_failures_open(struct dcp_failures *, const struct dcp_inventory *,
                       const struct dcp_failure_options *, uint64_t seed,
                       int64_t from_ms, int64_t to_ms,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_failures_close(struct dcp_failures *);

/* One variant under them. */
struct dcp_failure_run {
    struct dcp_ha *ha; /* Owned, as is all; NULL: no failures. */
    struct dcp_availability availability;
    struct dcp_slowdown *slowdowns; /* Of dcp_failures_run(). */
    uint32_t n_slowdowns;
    struct dcp_lost_steps lost; /* Of a plan or policy. */
};
/* Makes 'out->ha', for the caller to run from 'start'; then what became of the
 * VMs is summed up. */
bool dcp_failures_begin(const struct dcp_failures *,
                        const struct dcp_placement *start,
                        struct dcp_failure_run *out,
                        struct dcp_error *err) DCP_CHECKED;
bool
dcp_failures_end(const struct dcp_failures *, const struct dcp_placement *start,
                 struct dcp_failure_run *, struct dcp_error *err) DCP_CHECKED;
/* All of it, for events that are known: those of 'in', and its slowdowns,
 * become what failures leave of them and add to them, which belongs to 'out'.
 */
bool dcp_failures_run(const struct dcp_failures *, struct dcp_sim_input *in,
                      struct dcp_failure_run *out,
                      struct dcp_error *err) DCP_CHECKED;
/* The end of it, for a run from 'in->start' that was begun and has its events:
 * goes on to the window's end and sums up; the slowdowns of 'in' are joined
 * with its own, and 'in' has both then. */
bool dcp_failures_finish_run(const struct dcp_failures *,
                             struct dcp_sim_input *in, struct dcp_failure_run *,
                             struct dcp_error *err) DCP_CHECKED;
/* Lets 'in' have what happened in the run. */
void
dcp_failure_run_give(const struct dcp_failure_run *, struct dcp_sim_input *in);
void dcp_failure_run_finish(struct dcp_failure_run *);

/* The member "failures" of a result object of `simulate`. */
void dcp_failures_json(struct dcp_json *, const struct dcp_failures *,
                       const struct dcp_failure_run *);
/* For people, to standard output; 'without' or NULL stands beside. */
void dcp_failures_print(const struct dcp_failures *,
                        const struct dcp_failure_run *main,
                        const struct dcp_failure_run *without);

/* A line for each reason. */
void dcp_lost_steps_print(const char *whose, const struct dcp_lost_steps *);

#endif /* cli/failures.h */
