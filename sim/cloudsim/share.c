/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One scheduler per host, over-subscribed: as long as there is enough each VM
 * gets what it asks for; from the first one on for which there is not, all are
 * scaled by capacity over need and rounded down to whole MIPS.  A VM on its
 * way in counts and gets a tenth; one on its way out loses a tenth. */

#include "sim/cloudsim/world.h"

#include <math.h>

/* What a VM may ask of one core. */
static inline double
capped(const struct dcp_cs_host *h, const struct dcp_cs_vm *vm)
{
    return vm->asked_mips < h->kind->pe_mips ? vm->asked_mips
                                             : h->kind->pe_mips;
}

/* 1: enough for all; else the scale. */
static double
scale_of(const struct dcp_cs_world *w, struct dcp_cs_host *h, bool *out_scarce)
{
    double free_mips = h->kind->total_mips, needs = 0;
    bool scarce = false;

    for (uint32_t i = 0; i < h->n; i++) {
        double need = capped(h, &w->vms[CS_VM(h->list[i])]);

        if (h->list[i] & CS_IN) {
            need *= 0.1;
        }
        needs += need;
        if (free_mips >= need) {
            free_mips -= need;
        } else {
            scarce = true;
            free_mips = 0;
        }
    }
    h->sums.free_mips = free_mips;
    *out_scarce = scarce;
    return scarce ? h->kind->total_mips / needs : 1;
}

void
dcp_cs_share(struct dcp_cs_world *w, struct dcp_cs_host *h)
{
    bool scarce;
    double scale = scale_of(w, h, &scarce);
    double used = 0, asked = 0, given = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        struct dcp_cs_vm *vm = &w->vms[CS_VM(h->list[i])];
        bool in = h->list[i] & CS_IN, leaves = vm->migrating && !in;
        double mips = capped(h, vm);

        if (leaves) {
            mips = scarce ? floor(mips * scale * 0.9) : mips * 0.9;
        } else if (in) {
            mips = scarce ? floor(mips * 0.1 * scale) : mips * 0.1;
        } else if (scarce) {
            mips = floor(mips * scale);
        }
        given += mips;
        asked += vm->asked_mips;
        if (!in) {
            dcp_cs_record_vm(w, vm, mips);
        }
        used += leaves ? mips / 0.9 : mips;
    }
    h->sums.alloc_mips = given;
    h->used_mips = used;
    h->used_frac = used / h->kind->total_mips;
    if (h->used_frac > 1 && h->used_frac < 1.01) {
        h->used_frac = 1;
    }
    h->watts = dcp_cs_watts(h->kind, h->used_frac);
    dcp_cs_record_host(w, h, asked);
}
