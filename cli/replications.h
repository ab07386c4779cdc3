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
 * (common random numbers), so that their difference is a paired one.
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

/* 'r': a replay, with failures if any, of 'plan' (NULL: none), that ran to its
 * end; 'seed' was its seed.  'policy' in place of a plan (NULL: none): it acts
 * in each of them, its window and start as given, and its samples unless other
 * days are drawn.  NULL: it failed. */
struct dcp_replications *dcp_replications_run(
    const struct dcp_globals *, struct dcp_context *,
    const struct dcp_plan *plan, const struct dcp_policy_run_input *policy,
    const struct dcp_replay *r, const struct dcp_replication_options *,
    const struct dcp_failure_options *, const struct dcp_resample_options *,
    struct dcp_error *err) DCP_CHECKED;
void dcp_replications_destroy(struct dcp_replications *);
DCP_DEFINE_AUTO(dcp_replications)

/* Ended by a person before it was through. */
bool dcp_replications_interrupted(const struct dcp_replications *);

/* The member "replications" of the document. */
void dcp_replications_json(struct dcp_json *, const struct dcp_replications *);
/* For people, to standard output. */
void dcp_replications_print(const struct dcp_replications *);

#endif /* cli/replications.h */
