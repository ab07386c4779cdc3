/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLICATIONS_H
#define DCP_CLI_REPLICATIONS_H 1

/* `simulate --replications R`: the replay again and again with other failures,
 * usage of other days (cli/resample.h) or both, for the mean of what they do
 * and how sure it is.
 *
 * Replication k draws all its streams from a seed of its own, made of the run's
 * seed and k; replication 0 has the run's seed, and without other days it is
 * the replay that is shown beside.  Within one replication the same days,
 * outages, boots and migrations that fail meet the plan and the time without it
 * (common random numbers), so that their difference is a paired one.  The
 * reactive band, where it stands beside the replay, meets them as well: in
 * closed loop from where the plan starts, on a second thread where there is
 * one, with the same bytes.
 *
 * Means have Student's t interval; shares of replications that of Clopper and
 * Pearson; both 95 %, each for itself.  With --half-width the replications end,
 * after at least ten, as soon as the mean downtime of every variant is known
 * that well, or, where nothing fails, the energy that the plan saves (Chow and
 * Robbins, Annals of Mathematical Statistics 36, 1965). */

#include "cli/command.h"
#include "cli/policy_run.h"
#include "cli/replay.h"
#include "cli/resample.h"
#include "report/sim_page.h"

struct dcp_replication_options {
    uint64_t n;             /* At most; 0: none but the replay. */
    double half_width_frac; /* Of the mean; 0: all n. */
};
/* Rows with offsets in the struct above. */
#define DCP_N_REPLICATION_ROWS 2
extern const struct dcp_opt dcp_replication_rows[DCP_N_REPLICATION_ROWS];

/* Are they right in themselves, and is there something to draw? */
bool dcp_replications_check(const struct dcp_replication_options *,
                            const struct dcp_failure_options *,
                            const struct dcp_resample_options *,
                            struct dcp_error *err) DCP_CHECKED;

struct dcp_replications;

/* All is borrowed. */
struct dcp_replication_input {
    /* With failures if any; it ran to its end, with the run's seed. */
    const struct dcp_replay *replay;
    const struct dcp_plan *plan; /* That was replayed; NULL: none. */
    /* In place of a plan (NULL: none): it acts in each of them, its window and
     * start as given, and its samples unless other days are drawn. */
    const struct dcp_policy_run_input *policy;
    const struct dcp_policy_run_input *band; /* Beside; NULL: none. */
    const struct dcp_replication_options *options;
    const struct dcp_failure_options *failures;
    const struct dcp_resample_options *resample;
};
/* NULL: it failed. */
struct dcp_replications *
dcp_replications_run(const struct dcp_globals *, struct dcp_context *,
                     const struct dcp_replication_input *,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_replications_destroy(struct dcp_replications *);
DCP_DEFINE_AUTO(dcp_replications)

/* Ended by a person before it was through. */
bool dcp_replications_interrupted(const struct dcp_replications *);

/* For the page; of NULL: no rows. */
void dcp_replications_table(const struct dcp_replications *,
                            struct dcp_sim_page_sure *out);
/* The member "replications" of the document. */
void dcp_replications_json(struct dcp_json *, const struct dcp_replications *);
/* For people, to standard output. */
void dcp_replications_print(const struct dcp_replications *);

#endif /* cli/replications.h */
