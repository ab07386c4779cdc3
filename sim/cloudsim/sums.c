/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the detectors look at, kept per host.  A host's history is the sum of
 * its VMs' histories, each a share of the host. */

#include "sim/cloudsim/world.h"

static inline void
add(const struct dcp_cs_world *w, const struct dcp_cs_kind *kind,
    struct dcp_cs_sums *s, const struct dcp_cs_vm *vm, double mips)
{
    const double *history = dcp_cs_history(w, vm);
    double full_mips = vm->mips, total_mips = kind->total_mips;

    s->asked_mips += mips;
    s->length = vm->length > s->length ? vm->length : s->length;
    s->ram_mib += vm->ram_mib;
    for (uint32_t i = 0; i < w->n_summed; i++) {
        s->history[i] += history[i] * full_mips / total_mips;
    }
}

void
dcp_cs_sum_up(const struct dcp_cs_world *w, struct dcp_cs_host *h,
              const uint32_t list[], uint32_t n)
{
    struct dcp_cs_sums *s = &h->sums;

    s->asked_mips = 0;
    s->length = s->ram_mib = 0;
    for (uint32_t i = 0; i < w->n_summed; i++) {
        s->history[i] = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_cs_vm *vm = &w->vms[CS_VM(list[i])];

        add(w, h->kind, s, vm, vm->asked_mips);
    }
}

void
dcp_cs_sum_add(const struct dcp_cs_world *w, const struct dcp_cs_kind *kind,
               struct dcp_cs_sums *s, const struct dcp_cs_vm *vm, double mips)
{
    s->free_mips -= mips;
    s->alloc_mips += mips;
    add(w, kind, s, vm, mips);
}

bool
dcp_cs_overloaded(const struct dcp_cs_world *w, const struct dcp_cs_kind *kind,
                  const struct dcp_cs_sums *s)
{
    struct dcp_cloudsim_view view = {
        .asked_frac = s->asked_mips / kind->total_mips,
        .history = s->history,
        .length = s->length,
    };

    return dcp_cloudsim_overloaded(&w->in->policy.detector, &view);
}
