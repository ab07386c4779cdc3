/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLICATION_RUNS_H
#define DCP_CLI_REPLICATION_RUNS_H 1

/* What replications came to; for cli/replications*.c alone. */

#include "cli/replications.h"
#include "cli/resample.h"
#include "sim/stats/interval.h"

#define DCP_REPLICATIONS_CONFIDENCE_FRAC 0.95

enum replication_measure {
    MEASURE_DOWNTIME,
    MEASURE_HOMELESS_TIME,
    MEASURE_AVAILABILITY,
    MEASURE_VMS_HIT,
    MEASURE_HOST_FAILURES,
    MEASURE_PREVENTED,
    MEASURE_ENERGY, /* From here on: also where nothing fails. */
    MEASURE_COST,
    MEASURE_OVERLOAD,
    MEASURE_UNMET,
    MEASURE_STALLED, /* These two are 0 where nothing is short. */
    MEASURE_UNSERVED,
    MEASURES
};

enum replication_chance {
    CHANCE_LOST_HOME,
    CHANCE_NO_HOME_AT_END,
    CHANCE_HIT,
    CHANCE_BROKEN,
    CHANCE_OVERLOADED, /* From here on: also where nothing fails. */
    CHANCES
};

/* Of what the plan did worse than what stands beside it. */
enum replication_worse { WORSE_DOWNTIME, WORSE_ENERGY, WORSE_OVERLOAD, WORSE };

/* What it is about: a plan, a policy, or doing nothing; beside a plan or policy
 * doing nothing, and the reactive band, unless that is the policy. */
enum replication_variant { MAIN, BASELINE, BAND, VARIANTS };

struct replication_variant_runs {
    double *value[MEASURES]; /* By replication. Owned; NULL: no such variant. */
    uint32_t hits[CHANCES];
    /* Of what stands beside: MAIN less this, each measure in turn, and how
     * often MAIN was worse.  Owned. */
    double *difference;
    uint32_t n_worse[WORSE];
};

struct dcp_replications {
    uint64_t *seed; /* By replication. Owned. */
    struct replication_variant_runs of[VARIANTS];
    double *sorted; /* Room for one measure. Owned. */
    uint32_t n, wanted;
    double half_width_frac;
    struct dcp_resample resample; /* Of the usage; 'bootstrap' NULL: none. */
    const char *policy;           /* In place of a plan; NULL: not. Borrowed. */
    bool has[VARIANTS];
    bool has_failures, narrow, interrupted;
};

static inline enum replication_measure
replication_first_measure(const struct dcp_replications *x)
{
    return x->has_failures ? MEASURE_DOWNTIME : MEASURE_ENERGY;
}

/* What --half-width is about: the downtime with the plan and without it, or,
 * where nothing fails, the energy that the plan saves, or the energy. */
static inline bool
replication_watches_difference(const struct dcp_replications *x)
{
    return x->has[BASELINE] && !x->has_failures;
}

#endif /* cli/replication_runs.h */
