/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the raw samples that demand was fitted on say of a plan: what its hosts
 * would have carried, and what it is expected to save.  The latest of them
 * where they are too many to hold. */

#include "cli/planning.h"

#include "model/expect.h"
#include "traces/fit.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX (UINT64_C(128) << 20)

/* Each host's fullest slot by planned demand. */
static bool
add_planned_peaks(const struct dcp_inventory *inv,
                  struct dcp_planning_answer *a)
{
    const struct dcp_placement *end = a->plan->legs[0].after;
    const struct dcp_demand *d = a->demand;
    DCP_FREE uint64_t *sum = calloc(inv->n_hosts + 1u, sizeof *sum);

    a->planned_peak_mhz = calloc(inv->n_hosts + 1u, sizeof(uint64_t));
    for (uint32_t t = 0; sum && a->planned_peak_mhz && t < a->night_slots;
         t++) {
        memset(sum, 0, inv->n_hosts * sizeof *sum);
        for (uint32_t v = 0; v < d->n_vms; v++) {
            if (!dcp_host_is_none(end->host[v])) {
                sum[end->host[v].ix] += d->cpu_mhz[(size_t)v * d->stride + t];
            }
        }
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            if (sum[h] > a->planned_peak_mhz[h]) {
                a->planned_peak_mhz[h] = sum[h];
            }
        }
    }
    return sum && a->planned_peak_mhz;
}

/* Joint loads of the first leg's hosts. */
static bool
add_joint(const struct dcp_inventory *inv, const struct dcp_samples *cpu,
          struct dcp_planning_answer *a, struct dcp_error *err)
{
    if (!add_planned_peaks(inv, a)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for joint loads");
    }
    return dcp_joint_compute(inv, a->demand, 0, a->night_slots, cpu,
                             a->plan->legs[0].after, &a->joint, err);
}

bool
dcp_planning_measure(struct dcp_context *c,
                     const struct dcp_planning_options *o,
                     struct dcp_planning_answer *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_demand *d = a->demand;
    struct dcp_samples cpu = { 0 };

    if ((o->brief && !o->expects) || o->learned || !c->store || d->until_ms <= d->from_ms || !inv->n_vms) {
        return true;
    }
    int64_t most =
        (int64_t)(SAMPLES_MAX / inv->n_vms) * dcp_store_interval_ms(c->store);

    a->joint_until_ms = d->until_ms;
    a->joint_from_ms =
        d->until_ms - d->from_ms > most ? d->until_ms - most : d->from_ms;
    if (!dcp_samples_load(c->store, DCP_METRIC_CPU_MHZ, inv, c->measured,
                          a->joint_from_ms, a->joint_until_ms, &cpu, err)) {
        return false;
    }
    bool ok = (o->brief || add_joint(inv, &cpu, a, err)) &&
              dcp_expect(inv, d, a->plan, &cpu, &a->plan->expected, err);

    dcp_samples_finish(&cpu);
    return ok;
}
