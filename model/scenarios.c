/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/scenarios.h"

#include "model/capacity.h"
#include "model/demand.h"

#include <math.h>
#include <string.h>

bool
dcp_scenarios_attach(struct dcp_demand *d, const uint32_t first[],
                     const uint32_t count[], uint32_t n, uint32_t **out_cpu_mhz,
                     struct dcp_error *err)
{
    struct dcp_scenarios *s = dcp_arena_new(d->arena, struct dcp_scenarios);
    uint32_t *ranges =
        dcp_arena_array(d->arena, uint32_t, 2 * (size_t)d->n_slots);
    uint64_t stride = ((uint64_t)n + 7) / 8 * 8, cells = stride * d->n_vms;
    uint32_t *mhz = NULL;

    if (cells <= SIZE_MAX / sizeof *mhz) {
        mhz = dcp_arena_array(d->arena, uint32_t, (size_t)cells);
    }
    if (!s || !ranges || !mhz) {
        return dcp_fail(err, DCP_E_NOMEM,
                        "no memory for %u joint samples of %u VMs; lower "
                        "policy.overload.samples",
                        n, d->n_vms);
    }
    if (d->n_slots) {
        memcpy(ranges, first, d->n_slots * sizeof *ranges);
        memcpy(ranges + d->n_slots, count, d->n_slots * sizeof *ranges);
    }
    *s = (struct dcp_scenarios){ .n = n,
                                 .stride = (uint32_t)stride,
                                 .first = ranges,
                                 .count = ranges + d->n_slots,
                                 .cpu_mhz = mhz };
    d->scenarios = s;
    *out_cpu_mhz = mhz;
    return true;
}

void
dcp_scenarios_fill_flat(const struct dcp_demand *d, uint32_t vm,
                        uint32_t cpu_mhz[])
{
    const struct dcp_scenarios *s = d->scenarios;
    const uint32_t *row = d->cpu_mhz + (size_t)vm * d->stride;

    for (uint32_t t = 0; t < d->n_slots; t++) {
        for (uint32_t k = 0; k < s->count[t]; k++) {
            uint32_t *cell = &cpu_mhz[s->first[t] + k];

            *cell = row[t] > *cell ? row[t] : *cell;
        }
    }
}

void
dcp_scenarios_means(const struct dcp_scenarios *s, uint32_t n_slots,
                    const uint32_t row[], uint32_t out_mhz[])
{
    for (uint32_t t = 0; t < n_slots; t++) {
        uint64_t sum = 0;

        for (uint32_t k = 0; k < s->count[t]; k++) {
            sum += row[s->first[t] + k];
        }
        out_mhz[t] = (uint32_t)((sum + s->count[t] - 1) / s->count[t]);
    }
}

uint32_t
dcp_scenarios_allowed(const struct dcp_policy *policy, uint32_t count)
{
    /* 1e-9: 1 % of 300 is 3, however it rounds.  One more instant, drawn as
     * these were, is then the k + 1 highest of them or higher with a chance
     * of (k + 1) / (n + 1). */
    double most = floor(policy->overload_eps_frac * (count + 1.0) + 1e-9) - 1;

    return most > 0 ? (uint32_t)most : 0;
}

uint32_t
dcp_scenarios_limit_mhz(const struct dcp_inventory *inv, dcp_host_id host,
                        bool after_loss)
{
    bool all = !inv->policy.overload_to_target ||
               (after_loss && inv->policy.survive_to_capacity);

    return all ? dcp_host_capacity(inv, host).cpu_mhz
               : dcp_host_usable(inv, host).cpu_mhz;
}
