/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A tick's decisions: VMs leave overloaded hosts; then the least used hosts
 * are emptied one after the other, each only if all its VMs find a place.
 * Placements are tentative: lists grow at their ends and are cut back. */

#include "sim/cloudsim/world.h"

#include <string.h>

static bool
place(struct dcp_cs_world *w, uint32_t vm_index, bool empty_too,
      uint32_t *n_tentative, struct dcp_error *err)
{
    const struct dcp_cs_vm *vm = &w->vms[vm_index];
    uint32_t to = dcp_cs_find_host(w, vm, vm->asked_mips, empty_too,
                                   w->in->enforce_memory);

    if (to == CS_NONE) {
        return true;
    }
    struct dcp_cs_host *h = &w->hosts[to];

    if (!h->listed) {
        h->listed = true;
        w->used[w->n_used++] = to;
    }
    w->tentative[*n_tentative].host = to;
    w->tentative[(*n_tentative)++].before = h->sums;
    dcp_cs_sum_add(w, h->kind, &h->sums, vm, vm->asked_mips);
    w->moves[w->n_moves++] = (struct dcp_cs_move){ vm_index, to };
    return dcp_cs_append(h, vm_index, err);
}

/* Largest demand first; equal ones keep their order. */
static void
sort_by_demand(const struct dcp_cs_world *w, uint32_t vms[], uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t vm = vms[i], k = i;

        for (; k > 0 && w->vms[vms[k - 1]].asked_mips < w->vms[vm].asked_mips;
             k--) {
            vms[k] = vms[k - 1];
        }
        vms[k] = vm;
    }
}

/* --- Overloaded hosts --------------------------------------------------- */

/* Picks VMs until the rest is no overload; returns how many. */
static uint32_t
relieve(struct dcp_cs_world *w, struct dcp_cs_host *h, uint32_t picked[])
{
    uint32_t n = h->n, n_picked = 0;

    memcpy(w->left, h->list, n * sizeof *w->left);
    do {
        uint32_t i = dcp_cs_select(w, w->left, n);

        picked[n_picked++] = w->left[i];
        n--;
        memmove(w->left + i, w->left + i + 1, (n - i) * sizeof *w->left);
        dcp_cs_sum_up(w, h, w->left, n);
    } while (n > 0 && dcp_cs_overloaded(w, h->kind, &h->sums));
    return n_picked;
}

static bool
relieve_all(struct dcp_cs_world *w, struct dcp_error *err)
{
    uint32_t n_picked = 0, n_tentative = 0;

    for (uint32_t i = 0; i < w->n_used; i++) {
        struct dcp_cs_host *h = &w->hosts[w->used[i]];

        dcp_cs_sum_up(w, h, h->list, h->n);
        h->no_target = h->no_source = dcp_cs_overloaded(w, h->kind, &h->sums);
    }
    for (uint32_t i = 0; i < w->n_used; i++) {
        struct dcp_cs_host *h = &w->hosts[w->used[i]];

        if (h->no_target) {
            n_picked += relieve(w, h, w->picked + n_picked);
        }
    }
    sort_by_demand(w, w->picked, n_picked);
    for (uint32_t i = 0; i < n_picked; i++) {
        if (!place(w, w->picked[i], true, &n_tentative, err)) {
            return false;
        }
    }
    return true;
}

/* --- Underused hosts ---------------------------------------------------- */

static uint32_t
least_used(const struct dcp_cs_world *w)
{
    double least = 1;
    uint32_t best = CS_NONE;

    for (uint32_t i = 0; i < w->n_used; i++) {
        const struct dcp_cs_host *h = &w->hosts[w->used[i]];

        if (!h->no_source && h->n > 0 && h->used_frac > 0 &&
            (h->used_frac < least ||
             (h->used_frac == least && least < 1 && w->used[i] < best))) {
            least = h->used_frac;
            best = w->used[i];
        }
    }
    return best;
}

static void
undo(struct dcp_cs_world *w, uint32_t n_tentative)
{
    while (n_tentative > 0) {
        const struct dcp_cs_tentative *t = &w->tentative[--n_tentative];

        w->hosts[t->host].sums = t->before;
        w->hosts[t->host].n--;
        w->n_moves--;
    }
}

static bool
empty_host(struct dcp_cs_world *w, const struct dcp_cs_host *h,
           struct dcp_error *err)
{
    uint32_t n = h->n, n_tentative = 0;

    memcpy(w->picked, h->list, n * sizeof *w->picked);
    sort_by_demand(w, w->picked, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!place(w, w->picked[i], false, &n_tentative, err)) {
            return false;
        }
        if (n_tentative == i) {
            undo(w, n_tentative);
            return true;
        }
    }
    for (uint32_t i = 0; i < n_tentative; i++) {
        w->hosts[w->tentative[i].host].no_source = true;
    }
    return true;
}

/* Hosts that the first phase filled may still be emptied: so does CloudSim,
 * and such a VM is migrated twice at once. */
static bool
empty_all(struct dcp_cs_world *w, struct dcp_error *err)
{
    for (uint32_t i = 0; i < w->n_used; i++) {
        struct dcp_cs_host *h = &w->hosts[w->used[i]];

        if (h->used_frac == 0) { /* Off. */
            h->no_target = h->no_source = true;
        }
    }
    for (;;) {
        uint32_t host = least_used(w);

        if (host == CS_NONE) {
            return true;
        }
        w->hosts[host].no_target = w->hosts[host].no_source = true;
        if (!empty_host(w, &w->hosts[host], err)) {
            return false;
        }
    }
}

bool
dcp_cs_optimise(struct dcp_cs_world *w, struct dcp_error *err)
{
    w->n_moves = w->n_used = 0;
    for (uint32_t i = 0; i < CS_HOSTS; i++) {
        struct dcp_cs_host *h = &w->hosts[i];

        h->no_target = h->no_source = false;
        h->n_real = h->n;
        h->listed = h->n > 0;
        if (h->listed) {
            w->used[w->n_used++] = i;
        } else {
            h->sums = (struct dcp_cs_sums){ .free_mips = h->kind->total_mips };
        }
    }
    for (uint32_t kind = 0; kind < CS_KINDS; kind++) {
        w->first_empty[kind] = kind;
    }
    bool ok = relieve_all(w, err) && empty_all(w, err);

    for (uint32_t i = 0; i < w->n_used; i++) {
        w->hosts[w->used[i]].n = w->hosts[w->used[i]].n_real;
    }
    return ok;
}
