/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/sweep_contention.h"

#include <stdlib.h>

static struct dcp_contention_terms
terms_of(const struct sweep_contention *c, uint32_t i)
{
    uint32_t vm = c->of.rows->rows[c->of.first_row + i].vm;
    uint32_t vcpus = dcp_placement_size(c->of.inv, c->of.placement, vm).vcpus;

    return dcp_contention_terms_of(c->of.inv, vm, c->of.host, vcpus);
}

/* Splits what VM 'i' asks for at its limit. */
static void
limit_row(struct sweep_contention *c, uint32_t i)
{
    double *want = c->want_mhz + (size_t)i * SWEEP_TIMES;
    double *held = c->held_mhz + (size_t)i * SWEEP_TIMES;

    dcp_sweep_rows_add(c->of.rows, c->of.kernel, c->of.first_row + i, want);
    for (int t = 0; t < SWEEP_TIMES; t++) {
        double demand = want[t];

        want[t] = dcp_contender_of(&c->terms[i], demand).want_mhz;
        held[t] = demand - want[t];
    }
}

bool
dcp_sweep_contention_open(struct sweep_contention *c,
                          const struct sweep_contended *of,
                          double mhz[SWEEP_TIMES], struct dcp_error *err)
{
    size_t n = (size_t)of->n_rows * SWEEP_TIMES + 1;

    *c = (struct sweep_contention){
        .of = *of,
        .want_mhz = calloc(n, sizeof(double)),
        .held_mhz = calloc(n, sizeof(double)),
        .missed_mhz = calloc(n, sizeof(double)),
        .terms = calloc((size_t)of->n_rows + 1, sizeof *c->terms),
        .contenders = calloc((size_t)of->n_rows + 1, sizeof *c->contenders),
    };
    if (!c->want_mhz || !c->held_mhz || !c->missed_mhz || !c->terms ||
        !c->contenders) {
        dcp_sweep_contention_close(c);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay");
    }
    for (uint32_t i = 0; i < of->n_rows; i++) {
        c->terms[i] = terms_of(c, i);
        limit_row(c, i);
        for (int t = 0; t < SWEEP_TIMES; t++) {
            mhz[t] += c->want_mhz[(size_t)i * SWEEP_TIMES + t];
        }
    }
    return true;
}

void
dcp_sweep_contention_close(struct sweep_contention *c)
{
    free(c->want_mhz);
    free(c->held_mhz);
    free(c->missed_mhz);
    free(c->terms);
    free(c->contenders);
    *c = (struct sweep_contention){ 0 };
}

void
dcp_sweep_contention_share(struct sweep_contention *c,
                           const double mhz[SWEEP_TIMES], double capacity_mhz)
{
    for (int t = 0; t < SWEEP_TIMES; t++) {
        if (!(mhz[t] > capacity_mhz)) {
            continue;
        }
        for (uint32_t i = 0; i < c->of.n_rows; i++) {
            c->contenders[i] = dcp_contender_of(
                &c->terms[i], c->want_mhz[(size_t)i * SWEEP_TIMES + t]);
        }
        dcp_contention_share(c->contenders, c->of.n_rows, capacity_mhz);
        for (uint32_t i = 0; i < c->of.n_rows; i++) {
            c->missed_mhz[(size_t)i * SWEEP_TIMES + t] =
                c->contenders[i].want_mhz - c->contenders[i].got_mhz;
        }
    }
}
