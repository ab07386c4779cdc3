/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts, VMs and demand, as CloudSim's PlanetLab examples set them up. */

#include "sim/cloudsim/world.h"

#include <stdlib.h>
#include <string.h>

/* HP ProLiant ML110 G4 (even hosts) and G5 (odd): two cores each, watts of
 * SPECpower at 0, 10, ... 100 %. */
const struct dcp_cs_kind dcp_cs_kinds[CS_KINDS] = {
    { 1860, 3720, { 86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117 } },
    { 2660, 5320, { 93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135 } },
};

/* A quarter of the VMs each, in order. */
static const struct {
    double mips;
    uint32_t ram_mib, size;
} vm_types[4] = {
    { 2500, 870, 1 },
    { 2000, 1740, 2 },
    { 1000, 1740, 2 },
    { 500, 613, 0 },
};

static bool
allocate(struct dcp_cs_world *w, uint32_t n)
{
    bool ok = true;

    w->hosts = calloc(CS_HOSTS, sizeof *w->hosts);
    w->vms = calloc(n, sizeof *w->vms);
    w->histories = malloc(sizeof *w->histories * n * CS_TICKS);
    w->picked = calloc(n, sizeof *w->picked);
    w->left = calloc(n, sizeof *w->left);
    w->moves = calloc(n, 2 * sizeof *w->moves);
    w->tentative = malloc(sizeof *w->tentative * n);
    for (uint32_t s = 0; s < CS_SIZES; s++) {
        w->under_way[s] = calloc(n, 2 * sizeof *w->under_way[s]);
        ok = ok && w->under_way[s];
    }
    return ok && w->hosts && w->vms && w->histories && w->picked && w->left &&
           w->moves && w->tentative;
}

bool
dcp_cs_world_init(struct dcp_cs_world *w, const struct dcp_cloudsim_input *in,
                  struct dcp_cloudsim_result *out, struct dcp_error *err)
{
    *w = (struct dcp_cs_world){ .in = in, .out = out };
    w->rng = dcp_rng_stream(in->seed, "cloudsim selection", 0);
    w->newest = CS_TICKS;
    if (!allocate(w, in->n_vms)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", in->n_vms);
    }
    for (uint32_t h = 0; h < CS_HOSTS; h++) {
        w->hosts[h].kind = &dcp_cs_kinds[h % CS_KINDS];
        w->hosts[h].sums.free_mips = w->hosts[h].kind->total_mips;
        w->hosts[h].watts = w->hosts[h].kind->watts[0];
        w->hosts[h].record.was_active = true;
    }
    uint32_t quarter = (in->n_vms + 3) / 4;

    for (uint32_t i = 0; i < in->n_vms; i++) {
        struct dcp_cs_vm *vm = &w->vms[i];

        vm->mips = vm_types[i / quarter].mips;
        vm->ram_mib = vm_types[i / quarter].ram_mib;
        vm->size = vm_types[i / quarter].size;
        vm->host = CS_NONE;
        vm->percent = in->percent + (size_t)i * CS_SAMPLES;
        vm->history = w->histories + (size_t)i * CS_TICKS;
    }
    return true;
}

void
dcp_cs_world_finish(struct dcp_cs_world *w)
{
    for (uint32_t h = 0; w->hosts && h < CS_HOSTS; h++) {
        free(w->hosts[h].list);
    }
    for (uint32_t s = 0; s < CS_SIZES; s++) {
        free(w->under_way[s]);
    }
    free(w->hosts);
    free(w->vms);
    free(w->histories);
    free(w->picked);
    free(w->left);
    free(w->moves);
    free(w->tentative);
}

static double
sample(const uint8_t percent[CS_SAMPLES], int i)
{
    return percent[i < CS_SAMPLES ? i : CS_SAMPLES - 1] / 100.0;
}

double
dcp_cs_used_frac(const uint8_t percent[CS_SAMPLES], double at_s)
{
    double steps = at_s / CS_STEP_S;
    int before = (int)steps, after = before + (steps > before);

    if (after == before) { /* Only exact multiples; ticks are 0.1 s later. */
        return sample(percent, before);
    }
    double from = sample(percent, before), to = sample(percent, after);
    double slope = (to - from) / ((after - before) * CS_STEP_S);

    return from + slope * (at_s - before * CS_STEP_S);
}

/* --- Lists -------------------------------------------------------------- */

bool
dcp_cs_append(struct dcp_cs_host *h, uint32_t entry, struct dcp_error *err)
{
    if (h->n == h->capacity) {
        uint32_t capacity = h->capacity ? 2 * h->capacity : 16;
        uint32_t *grown = realloc(h->list, capacity * sizeof *grown);

        if (!grown) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs on a host",
                            capacity);
        }
        h->list = grown;
        h->capacity = capacity;
    }
    h->list[h->n++] = entry;
    return true;
}

void
dcp_cs_take_out(struct dcp_cs_host *h, uint32_t entry)
{
    uint32_t i = 0;

    while (i < h->n && h->list[i] != entry) {
        i++;
    }
    if (i < h->n) {
        h->n--;
        memmove(h->list + i, h->list + i + 1, (h->n - i) * sizeof *h->list);
    }
}
