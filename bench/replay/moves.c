/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/replay/moves.h"

#include "model/base/rng.h"

#include <stdlib.h>

enum { STARTS_MS = 30000, ENDS_MS = 90000 };

bool
dcp_moves_create(const struct dcp_fleet *fleet, uint64_t seed, int64_t start_ms,
                 int64_t interval_ms, uint32_t n_ticks, uint32_t n_per_tick,
                 struct dcp_moves *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = fleet->inventory;
    size_t n = (size_t)n_ticks * n_per_tick;
    struct dcp_rng rng = dcp_rng_stream(seed, "replay.moves", 0);
    DCP_FREE uint32_t *host = calloc(inv->n_vms + 1u, sizeof *host);
    uint32_t vm = 0;

    *out = (struct dcp_moves){ .events = calloc(2 * n + 1, sizeof *out->events),
                               .steps = calloc(n + 1, sizeof *out->steps) };
    if (inv->n_hosts < 2) {
        dcp_moves_finish(out);
        return dcp_fail(err, DCP_E_ARGUMENT, "migrations need two hosts");
    }
    if (!host || !out->events || !out->steps || n > UINT32_MAX / 2) {
        dcp_moves_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %zu migrations", n);
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        host[v] = fleet->placement->host[v].ix;
    }
    for (uint32_t t = 0; t < n_ticks; t++) {
        struct dcp_sim_event *starts = out->events + 2 * (size_t)t * n_per_tick;
        int64_t tick_ms = start_ms + t * interval_ms;

        for (uint32_t k = 0; k < n_per_tick; k++) {
            size_t i = (size_t)t * n_per_tick + k;
            uint32_t to = (uint32_t)dcp_rng_below(&rng, inv->n_hosts - 1u);

            to += to >= host[vm]; /* Any other. */

            out->steps[i] = (struct dcp_step){
                .id = (uint32_t)i + 1,
                .kind = DCP_STEP_MIGRATE,
                .object = { DCP_OBJECT_VM, vm },
                .from = { DCP_OBJECT_HOST, host[vm] },
                .to = { DCP_OBJECT_HOST, to },
                .reason_text = "",
            };
            starts[k] =
                (struct dcp_sim_event){ tick_ms + STARTS_MS, &out->steps[i],
                                        DCP_ACTION_STARTED };
            starts[n_per_tick + k] =
                (struct dcp_sim_event){ tick_ms + ENDS_MS, &out->steps[i],
                                        DCP_ACTION_DONE };
            host[vm] = to;
            vm = (vm + 1) % inv->n_vms;
        }
    }
    out->n_events = (uint32_t)(2 * n);
    return true;
}

void
dcp_moves_finish(struct dcp_moves *m)
{
    free(m->events);
    free(m->steps);
    *m = (struct dcp_moves){ 0 };
}
