/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/simgrid/scene.h"

#include "model/base/rng.h"

#include <stdlib.h>
#include <time.h>

enum { MOVES_PER_TICK = 20, PER_TARGET = 4, TARGETS = 5 };

double
dcp_scene_cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
dcp_scene_finish(struct dcp_scene *s)
{
    free(s->load);
    free(s->host);
    free(s->moves);
    *s = (struct dcp_scene){ 0 };
}

static bool
allocate(struct dcp_scene *s, struct dcp_error *err)
{
    s->load = calloc((size_t)s->n_ticks * s->n_vms + 1, sizeof *s->load);
    s->host = calloc((size_t)s->n_vms + 1, sizeof *s->host);
    s->moves = calloc((size_t)s->n_moves + 1, sizeof *s->moves);
    if (!s->load || !s->host || !s->moves) {
        dcp_scene_finish(s);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a scene");
    }
    return true;
}

bool
dcp_scene_pairs(struct dcp_scene *out, struct dcp_error *err)
{
    static const float percent[] = { 0, 10, 30, 50, 80 };
    enum { N = sizeof percent / sizeof *percent };

    *out = (struct dcp_scene){ .n_hosts = 2 * N,
                               .n_vms = N,
                               .n_ticks = 2,
                               .nic_bytes_s = 125e6,
                               .usable_frac = 0.97 / 1.05,
                               .mem_mib = 1024,
                               .write_mib_s = 125,
                               .downtime_ms = 30,
                               .n_moves = N };
    if (!allocate(out, err)) {
        return false;
    }
    for (uint32_t i = 0; i < N; i++) {
        out->host[i] = 2 * i;
        out->load[i] = out->load[N + i] = percent[i] / 100;
        out->moves[i] = (struct dcp_scene_move){ 0, i, 2 * i, 2 * i + 1, 0 };
    }
    return true;
}

bool
dcp_scene_fleet(struct dcp_scene *out, uint32_t n_hosts, uint32_t n_vms,
                uint32_t n_ticks, struct dcp_error *err)
{
    uint32_t per_host = n_hosts ? n_vms / n_hosts : 0;
    uint32_t targets = TARGETS * n_ticks;

    *out = (struct dcp_scene){ .n_hosts = n_hosts,
                               .n_vms = per_host * n_hosts,
                               .n_ticks = n_ticks,
                               .nic_bytes_s = 125e6,
                               .usable_frac = 0.97,
                               .full_duplex = true,
                               .mem_mib = 1024,
                               .write_mib_s = 250,
                               .downtime_ms = 30,
                               .n_moves = MOVES_PER_TICK * n_ticks };
    if (per_host < 2 || n_hosts < targets + out->n_moves / 2) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "%u hosts are too few for %u moves of as many VMs",
                        n_hosts, out->n_moves);
    }
    if (!allocate(out, err)) {
        return false;
    }
    struct dcp_rng rng = dcp_rng_stream(1, "simgrid.load", 0);

    for (uint32_t v = 0; v < out->n_vms; v++) {
        out->host[v] = v / per_host;
    }
    for (size_t i = 0; i < (size_t)n_ticks * out->n_vms; i++) {
        out->load[i] = (float)(0.01 + 0.09 * dcp_rng_unit(&rng));
    }
    for (uint32_t i = 0; i < out->n_moves; i++) {
        uint32_t tick = i / MOVES_PER_TICK, k = i % MOVES_PER_TICK;
        uint32_t from = targets + i / 2;

        out->moves[i] = (struct dcp_scene_move){
            tick, from * per_host + i % 2, from,
            TARGETS * tick + k * 7 % MOVES_PER_TICK / PER_TARGET, 0
        };
    }
    return true;
}
