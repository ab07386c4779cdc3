/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_SIMGRID_SCENE_H
#define DCP_BENCH_SIMGRID_SCENE_H 1

/* The same scene for SimGrid and for dcplan: hosts of one core with a NIC each,
 * VMs whose load changes every tick, and live migrations that begin with it.
 *
 * A VM writes memory as fast as it computes: at full load 'write_mib_s', which
 * is how SimGrid's live-migration plugin has it. */

#include "model/base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define DCP_SCENE_TICK_S 300

struct dcp_scene_move {
    uint32_t tick, vm, from, to;
    double seconds; /* Filled by who plays the scene. */
};

struct dcp_scene {
    uint32_t n_hosts, n_vms, n_ticks;
    double nic_bytes_s;
    /* What of a link SimGrid's network model lets a single flow have. */
    double usable_frac;
    bool full_duplex; /* Else a NIC is one link for both ways. */
    uint32_t mem_mib, write_mib_s;
    uint32_t downtime_ms;
    float *load;                  /* [tick][vm], of a core. Owned. */
    uint32_t *host;               /* [vm] at the start. Owned. */
    struct dcp_scene_move *moves; /* By tick. Owned. */
    uint32_t n_moves;
};

/* 1 GiB between two hosts, at loads such that 0, 10, 30, 50 and 80 % of 125
 * MiB/s become dirty: what research has measured before. */
bool dcp_scene_pairs(struct dcp_scene *out, struct dcp_error *err) DCP_CHECKED;
/* 20 migrations a tick: pairs off one host, to five hosts, four to each, so
 * that they share NICs on both sides. */
bool dcp_scene_fleet(struct dcp_scene *out, uint32_t n_hosts, uint32_t n_vms,
                     uint32_t n_ticks, struct dcp_error *err) DCP_CHECKED;
void dcp_scene_finish(struct dcp_scene *);

/* Each fills moves[].seconds, and how much CPU time it took. */
bool dcp_scene_by_simgrid(struct dcp_scene *, double *out_cpu_s,
                          struct dcp_error *err) DCP_CHECKED;
bool dcp_scene_by_dcplan(struct dcp_scene *, double *out_cpu_s,
                         struct dcp_error *err) DCP_CHECKED;

double dcp_scene_cpu_s(void);

#endif /* bench/simgrid/scene.h */
