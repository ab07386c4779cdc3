/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/host/warmup.h"

#include <stdlib.h>

struct warmup {
    int64_t until_ms;
    uint32_t vm;
};

struct dcp_warmups {
    int64_t *until_ms; /* By VM; 0: it is not warming up.  Owned. */
    /* In order of their ends; those of VMs that are gone, or began again, are
     * passed over.  Owned. */
    struct warmup *queue;
    size_t first, end, capacity;
};

struct dcp_warmups *
dcp_warmups_create(uint32_t n_vms, struct dcp_error *err)
{
    DCP_AUTO(dcp_warmups) struct dcp_warmups *w = calloc(1, sizeof *w);

    if (w) {
        w->until_ms = calloc((size_t)n_vms + 1, sizeof *w->until_ms);
    }
    if (!w || !w->until_ms) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for warm-ups");
        return NULL;
    }
    return DCP_STEAL(w);
}

void
dcp_warmups_destroy(struct dcp_warmups *w)
{
    if (w) {
        free(w->until_ms);
        free(w->queue);
        free(w);
    }
}

bool
dcp_warmups_begin(struct dcp_warmups *w, uint32_t vm, int64_t until_ms,
                  struct dcp_error *err)
{
    if (w->first == w->end) {
        w->first = w->end = 0;
    }
    if (w->end == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 64;
        struct warmup *queue = realloc(w->queue, capacity * sizeof *queue);

        if (!queue) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for warm-ups");
        }
        w->queue = queue;
        w->capacity = capacity;
    }
    w->queue[w->end++] = (struct warmup){ until_ms, vm };
    w->until_ms[vm] = until_ms;
    return true;
}

void
dcp_warmups_forget(struct dcp_warmups *w, uint32_t vm)
{
    w->until_ms[vm] = 0;
}

bool
dcp_warmups_is_warming(const struct dcp_warmups *w, uint32_t vm)
{
    return w->until_ms[vm] != 0;
}

int64_t
dcp_warmups_next_ms(struct dcp_warmups *w)
{
    while (w->first < w->end &&
           w->until_ms[w->queue[w->first].vm] != w->queue[w->first].until_ms) {
        w->first++;
    }
    return w->first < w->end ? w->queue[w->first].until_ms : INT64_MAX;
}

uint32_t
dcp_warmups_next_vm(struct dcp_warmups *w)
{
    (void)dcp_warmups_next_ms(w);
    return w->queue[w->first].vm;
}

double
dcp_warmup_mhz(const struct dcp_warmup_policy *policy, uint32_t vcpus,
               double vcpu_mhz, double demand_mhz)
{
    double full_mhz = vcpus * vcpu_mhz;
    double mhz = demand_mhz + policy->cpu_frac * full_mhz;

    mhz = mhz < full_mhz ? mhz : full_mhz;
    return mhz > demand_mhz ? mhz : demand_mhz;
}
