/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/host/ready.h"

#include <math.h>
#include <stdlib.h>

struct dcp_ready {
    uint32_t n_vms;
    uint32_t **counts; /* By VM: [DCP_READY_CLASSES]; NULL: never waited. */
};

struct dcp_ready *
dcp_ready_create(uint32_t n_vms, struct dcp_error *err)
{
    DCP_AUTO(dcp_ready) struct dcp_ready *r = calloc(1, sizeof *r);

    if (r) {
        r->n_vms = n_vms;
        r->counts = calloc((size_t)n_vms + 1, sizeof *r->counts);
    }
    if (!r || !r->counts) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n_vms);
        return NULL;
    }
    return DCP_STEAL(r);
}

void
dcp_ready_destroy(struct dcp_ready *r)
{
    if (!r) {
        return;
    }
    for (uint32_t v = 0; r->counts && v < r->n_vms; v++) {
        free(r->counts[v]);
    }
    free(r->counts);
    free(r);
}

/* Class 0 is up to 2^-12; class 1 + 16 k + i is up to 2^(k - 12) (1 + (i + 1) /
 * 16). */
static uint32_t
class_of(double frac)
{
    int exponent;
    double mantissa = 2 * frexp(frac, &exponent) - 1; /* 0 <= ... < 1 */
    int octave = exponent - 1 + DCP_READY_OCTAVES;

    if (octave < 0) {
        return 0;
    }
    /* An upper end belongs to its class. */
    int class = 1 + octave * DCP_READY_STEPS +
                (int)ceil(mantissa * DCP_READY_STEPS) - 1;

    return class < DCP_READY_CLASSES ? (uint32_t) class : DCP_READY_CLASSES - 1;
}

static double
upper_end(uint32_t class)
{
    uint32_t octave = class ? (class - 1) / DCP_READY_STEPS : 0;
    uint32_t step = class ? (class - 1) % DCP_READY_STEPS + 1 : 0;

    return ldexp(1 + (double)step / DCP_READY_STEPS,
                 (int)octave - DCP_READY_OCTAVES);
}

bool
dcp_ready_add(struct dcp_ready *r, uint32_t vm, double frac,
              struct dcp_error *err)
{
    if (!(frac > 0)) {
        return true;
    }
    if (!r->counts[vm]) {
        r->counts[vm] = calloc(DCP_READY_CLASSES, sizeof **r->counts);
        if (!r->counts[vm]) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for waits");
        }
    }
    r->counts[vm][class_of(frac)]++;
    return true;
}

bool
dcp_ready_sum(const struct dcp_ready *r, uint32_t vm,
              struct dcp_ready_counts *into)
{
    for (int i = 0; r->counts[vm] && i < DCP_READY_CLASSES; i++) {
        into->in[i] += r->counts[vm][i];
    }
    return r->counts[vm] != NULL;
}

double
dcp_ready_percentile(const struct dcp_ready_counts *c, uint64_t n_samples,
                     double p)
{
    /* So many are above it at most. */
    uint64_t rank = (uint64_t)ceil(p * (double)n_samples * (1 - 1e-12));
    uint64_t allowed = n_samples > rank ? n_samples - rank : 0;
    uint64_t above = 0;

    for (uint32_t i = DCP_READY_CLASSES; i-- > 0;) {
        above += c->in[i];
        if (above > allowed) {
            return upper_end(i);
        }
    }
    return 0;
}
