/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/joint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
dcp_joint_finish(struct dcp_joint *j)
{
    free(j->p95_mhz);
    free(j->peak_mhz);
    *j = (struct dcp_joint){ 0 };
}

/* Which cells of the samples are of the slots' buckets; how many. */
static uint32_t
choose(const struct dcp_inventory *inv, const struct dcp_demand *d,
       uint32_t first_slot, uint32_t last_slot, const struct dcp_samples *cpu,
       uint32_t *cells)
{
    uint32_t n = 0;

    for (uint32_t t = 0; t < cpu->n_times; t++) {
        uint32_t bucket =
            dcp_bucket_at(inv->policy.buckets, &inv->calendar, inv->zone,
                          cpu->start_ms + t * cpu->interval_ms);

        for (uint32_t s = first_slot; s < last_slot; s++) {
            if (d->slots[s].bucket == bucket) {
                cells[n++] = t;
                break;
            }
        }
    }
    return n;
}

/* load[host * n + k]: the host's load at the k-th chosen cell. */
static void
add_up(const struct dcp_samples *cpu, const struct dcp_placement *placement,
       const uint32_t *cells, uint32_t n, float *load, uint64_t *out_missing)
{
    for (uint32_t k = 0; k < n; k++) {
        const float *row = cpu->value + (size_t)cells[k] * cpu->n_vms;

        for (uint32_t v = 0; v < cpu->n_vms; v++) {
            uint32_t h = placement->host[v].ix;

            if (h == DCP_IX_NONE) {
                continue;
            }
            if (isnan(row[v])) {
                ++*out_missing;
            } else {
                load[(size_t)h * n + k] += row[v];
            }
        }
    }
}

bool
dcp_joint_compute(const struct dcp_inventory *inv, const struct dcp_demand *d,
                  uint32_t first_slot, uint32_t last_slot,
                  const struct dcp_samples *cpu,
                  const struct dcp_placement *placement, struct dcp_joint *out,
                  struct dcp_error *err)
{
    uint32_t n_hosts = inv->n_hosts;
    DCP_FREE uint32_t *cells = malloc((cpu->n_times + 1u) * sizeof *cells);
    struct dcp_joint j = { .n_hosts = n_hosts };

    j.p95_mhz = calloc(n_hosts + 1u, sizeof *j.p95_mhz);
    j.peak_mhz = calloc(n_hosts + 1u, sizeof *j.peak_mhz);
    if (cells) {
        j.n_instants = choose(inv, d, first_slot, last_slot, cpu, cells);
    }
    DCP_FREE float *load =
        calloc((size_t)n_hosts * j.n_instants + 1, sizeof *load);

    if (!cells || !load || !j.p95_mhz || !j.peak_mhz) {
        dcp_joint_finish(&j);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for joint loads");
    }
    add_up(cpu, placement, cells, j.n_instants, load, &j.n_missing);
    for (uint32_t h = 0; j.n_instants && h < n_hosts; h++) {
        float *row = load + (size_t)h * j.n_instants;

        for (uint32_t k = 0; k < j.n_instants; k++) {
            j.peak_mhz[h] = fmaxf(j.peak_mhz[h], row[k]);
        }
        j.p95_mhz[h] = dcp_percentile(row, j.n_instants, 0.95);
    }
    *out = j;
    return true;
}
