/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/chain.h"

/* Share of its rating that one unit loses at load x. */
static double
loss_frac(const struct dcp_stage *s, double x)
{
    uint32_t n = s->n_points, i = 1;

    if (!n) {
        return s->fixed_frac + s->linear_frac * x + s->square_frac * x * x;
    }
    if (n == 1 || x <= s->load_frac[0]) {
        return s->loss_frac[0];
    }
    while (i + 1 < n && x > s->load_frac[i]) {
        i++;
    }
    double slope = (s->loss_frac[i] - s->loss_frac[i - 1]) /
                   (s->load_frac[i] - s->load_frac[i - 1]);

    return s->loss_frac[i - 1] + slope * (x - s->load_frac[i - 1]);
}

double
dcp_stage_loss_w(const struct dcp_stage *s, double output_w)
{
    double all_w = s->rated_w * s->units;

    return all_w * loss_frac(s, output_w / all_w);
}

bool
dcp_stage_rises(const struct dcp_stage *s)
{
    for (uint32_t i = 1; i < s->n_points; i++) {
        if (!(s->load_frac[i] > s->load_frac[i - 1]) ||
            s->load_frac[i] + s->loss_frac[i] <
                s->load_frac[i - 1] + s->loss_frac[i - 1]) {
            return false;
        }
    }
    return s->fixed_frac >= 0 && s->linear_frac >= 0 && s->square_frac >= 0;
}

void
dcp_stage_add_point(struct dcp_stage *s, double load_frac,
                    double efficiency_frac)
{
    s->load_frac[s->n_points] = load_frac;
    s->loss_frac[s->n_points] = load_frac * (1 / efficiency_frac - 1);
    s->n_points++;
}

struct dcp_chain_power
dcp_chain_power(const struct dcp_chain *c, double it_w)
{
    struct dcp_chain_power out = { .input_w = it_w };

    for (uint32_t i = c->n_stages; i-- > 0;) {
        const struct dcp_stage *s = &c->stages[i];
        bool psu = s->kind == DCP_STAGE_PSU;
        double load_w = psu ? out.input_w * c->psu_measured_frac : out.input_w;
        double in_w = load_w + dcp_stage_loss_w(s, load_w);

        out.over_rated |= load_w > s->rated_w * s->units;
        out.loss_w[s->kind] += in_w - out.input_w;
        out.input_w = in_w;
    }
    return out;
}

/* --- Presets ------------------------------------------------------------ */

#define EFFICIENCIES 4
static const double psu_loads[EFFICIENCIES] = { 0.1, 0.2, 0.5, 1 };
/* 80 PLUS, 230 V internal redundant; Gold asks nothing at 10 %, where the loss
 * of 20 % is kept. */
static const double gold[EFFICIENCIES] = { 0, 0.88, 0.92, 0.88 };
static const double titanium[EFFICIENCIES] = { 0.90, 0.94, 0.96, 0.91 };
/* A supply without its rectifier loses a fifth less (APC White Paper 127). */
#define DC_SUPPLY_LOSS 0.8

static struct dcp_stage
supply(const double efficiency[EFFICIENCIES], double loss_scale)
{
    struct dcp_stage out = { .kind = DCP_STAGE_PSU };

    for (uint32_t i = 0; i < EFFICIENCIES; i++) {
        if (efficiency[i] > 0) {
            dcp_stage_add_point(&out, psu_loads[i], efficiency[i]);
            out.loss_frac[out.n_points - 1] *= loss_scale;
        }
    }
    return out;
}

static struct dcp_stage
curve(enum dcp_stage_kind kind, double fixed, double linear, double square)
{
    return (struct dcp_stage){ .kind = kind,
                               .fixed_frac = fixed,
                               .linear_frac = linear,
                               .square_frac = square };
}

void
dcp_chain_of_preset(enum dcp_chain_preset preset, double rated_w,
                    uint32_t units, struct dcp_chain *out)
{
    uint32_t n = 0;

    *out = (struct dcp_chain){ .psu_measured_frac = 0.94 };
    switch (preset) {
    case DCP_CHAIN_AC_PDU:
        out->stages[n++] = curve(DCP_STAGE_UPS, 0.025, 0.03, 0.015);
        out->stages[n++] = curve(DCP_STAGE_PDU, 0.005, 0.002, 0.010);
        out->stages[n++] = curve(DCP_STAGE_WIRING, 0, 0, 0.01);
        out->stages[n++] = supply(gold, 1);
        break;
    case DCP_CHAIN_AC_400:
        out->stages[n++] = curve(DCP_STAGE_UPS, 0.008, 0.016, 0.014);
        out->stages[n++] = curve(DCP_STAGE_WIRING, 0, 0, 0.01);
        out->stages[n++] = supply(titanium, 1);
        break;
    case DCP_CHAIN_DC_380:
        out->stages[n++] = curve(DCP_STAGE_RECTIFIER, 0.006, 0.024, 0.010);
        out->stages[n++] = curve(DCP_STAGE_WIRING, 0, 0, 0.01);
        out->stages[n++] = supply(titanium, DC_SUPPLY_LOSS);
        break;
    }
    out->n_stages = n;
    for (uint32_t i = 0; i < n; i++) {
        out->stages[i].rated_w = rated_w;
        out->stages[i].units = units;
    }
}
