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

/* Of what the plan did worse than no plan. */
enum replication_worse { WORSE_DOWNTIME, WORSE_ENERGY, WORSE_OVERLOAD, WORSE };

enum replication_variant { PLAN, BASELINE, VARIANTS }; /* No plan: PLAN. */

struct replication_variant_runs {
    double *value[MEASURES]; /* By replication. Owned. */
    uint32_t hits[CHANCES];
};

struct dcp_replications {
    uint64_t *seed; /* By replication. Owned. */
    struct replication_variant_runs of[VARIANTS];
    double *difference; /* Plan less baseline, each measure in turn. Owned. */
    double *sorted;     /* Room for one measure. Owned. */
    uint32_t n, wanted;
    uint32_t n_worse[WORSE];
    double half_width_frac;
    struct dcp_resample resample; /* Of the usage; 'bootstrap' NULL: none. */
    const char *policy;           /* In place of a plan; NULL: not. Borrowed. */
    bool has_plan, has_failures, narrow, interrupted;
};

static inline enum replication_measure
replication_first_measure(const struct dcp_replications *x)
{
    return x->has_failures ? MEASURE_DOWNTIME : MEASURE_ENERGY;
}

/* What --half-width is about: the downtime of every variant, or, where nothing
 * fails, the energy that the plan saves, or the energy. */
static inline bool
replication_watches_difference(const struct dcp_replications *x)
{
    return x->has_plan && !x->has_failures;
}

#endif /* cli/replication_runs.h */
