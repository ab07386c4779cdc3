/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/units.h"
#include "sim/state.h"

#include <float.h>

/* What a comparison with NaN says is false. */
static bool
is_demand(float mhz)
{
    return mhz >= 0 && mhz <= FLT_MAX;
}

static bool
fail_sample(const struct dcp_sim_input *in, size_t row, const float *samples,
            struct dcp_error *err)
{
    char at[32];
    uint32_t v = 0;

    while (is_demand(samples[v])) {
        v++;
    }
    dcp_print_instant(in->cpu->start_ms + (int64_t)row * in->cpu->interval_ms,
                      at);
    return dcp_fail(err, DCP_E_ARGUMENT,
                    "VM '%s' asks for %g MHz at %s: not a demand",
                    in->inventory->vms[v].name, (double)samples[v], at);
}

/* The rows that the window touches. */
static bool
check_samples(const struct dcp_sim_input *in, struct dcp_error *err)
{
    const struct dcp_samples *cpu = in->cpu;
    int64_t first = dcp_sim_cell(in, in->from_ms);
    int64_t last = dcp_sim_cell(in, in->to_ms - 1);

    for (int64_t cell = first; cell <= last; cell++) {
        size_t row = in->rows ? in->rows[cell - first] : (size_t)cell;
        const float *samples = cpu->value + row * cpu->n_vms;
        bool good = true;

        for (uint32_t v = 0; v < cpu->n_vms; v++) {
            good &= is_demand(samples[v]);
        }
        if (!good) {
            return fail_sample(in, row, samples, err);
        }
    }
    return true;
}

bool
dcp_sim_inventory_check(const struct dcp_inventory *inv, struct dcp_error *err)
{
    return inv->n_hosts > 0 ||
           dcp_fail(err, DCP_E_ARGUMENT,
                    "the model has no hosts: there is nothing to replay");
}

static bool
are_rows(const struct dcp_sim_input *in)
{
    int64_t n =
        dcp_sim_cell(in, in->to_ms - 1) - dcp_sim_cell(in, in->from_ms) + 1;

    for (uint32_t i = 0; i < in->n_rows; i++) {
        if (in->rows[i] >= in->cpu->n_times) {
            return false;
        }
    }
    return n == in->n_rows && !in->n_watches;
}

bool
dcp_sim_input_check(const struct dcp_sim_input *in, struct dcp_error *err)
{
    const struct dcp_samples *cpu = in->cpu;
    int64_t end_ms = cpu->start_ms + cpu->n_times * cpu->interval_ms;

    if (!dcp_sim_inventory_check(in->inventory, err)) {
        return false;
    }
    if (cpu->n_vms != in->inventory->n_vms || cpu->interval_ms <= 0 ||
        in->from_ms >= in->to_ms ||
        (!in->rows && (in->from_ms < cpu->start_ms || in->to_ms > end_ms))) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "the samples do not cover the window");
    }
    if (in->rows && !are_rows(in)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "rows: one of the samples' for each slice, and no "
                        "watches");
    }
    if (in->mem &&
        (in->mem->n_vms != cpu->n_vms || in->mem->start_ms != cpu->start_ms ||
         in->mem->interval_ms != cpu->interval_ms ||
         in->mem->n_times < cpu->n_times)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "samples of memory on another grid than those of CPU");
    }
    for (uint32_t i = 1; i < in->n_events; i++) {
        if (in->events[i].at_ms < in->events[i - 1].at_ms) {
            return dcp_fail(err, DCP_E_ARGUMENT, "events out of order");
        }
    }
    return check_samples(in, err);
}
