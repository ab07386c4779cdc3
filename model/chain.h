/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHAIN_H
#define DCP_MODEL_CHAIN_H 1

/* Electrical distribution as a chain of stages, from the meter to the machines:
 * transformer, UPS or rectifier, PDU, wiring, power supplies.  Each stage loses
 * power as a function of what it puts out, so that a chain at a fifth of its
 * rating loses a larger share than one at four fifths.
 *
 * A stage is 'units' equal ones that share the load evenly, as the two sides of
 * a 2N system do.  With x = load of one unit / its rating, one unit loses
 *   rated (fixed + linear x + square x^2)                    polynomial, or
 *   a line through points of (x, loss), flat below the first, on at the last
 *   line's slope above the last                              measured points.
 * The three terms are those of APC White Paper 108 (no-load, proportional and
 * square-law loss).  Points come from efficiencies: loss = x (1/e - 1).  Either
 * way what goes in never falls when what comes out rises; dcp_stage_rises()
 * says whether points are so.
 *
 * Watts of servers, switches and arrays are taken at the input of their power
 * supplies (SPECpower_ssj2008 measures there).  A stage of kind PSU stands in
 * place of the supplies they were measured with: the load behind it is
 * watts x psu_measured_frac.
 *
 * Figures in W and shares of 1.  Pure: thread-safe. */

#include <stdbool.h>
#include <stdint.h>

enum dcp_stage_kind {
    DCP_STAGE_TRANSFORMER,
    DCP_STAGE_UPS,
    DCP_STAGE_RECTIFIER, /* A UPS whose output is direct current. */
    DCP_STAGE_PDU,
    DCP_STAGE_WIRING,
    DCP_STAGE_PSU, /* In the machines; the last one. */
};
#define DCP_STAGE_KINDS      (DCP_STAGE_PSU + 1)
#define DCP_STAGE_KIND_NAMES "transformer|ups|rectifier|pdu|wiring|psu"

#define DCP_STAGES_MAX       8
#define DCP_STAGE_POINTS_MAX 12

struct dcp_stage {
    enum dcp_stage_kind kind;
    double rated_w; /* Of one unit, at its output. */
    uint32_t units; /* >= 1. */
    /* Measured points, ascending by load; 0: the polynomial holds. */
    uint32_t n_points;
    double load_frac[DCP_STAGE_POINTS_MAX];
    double loss_frac[DCP_STAGE_POINTS_MAX]; /* Of rated_w. */
    double fixed_frac, linear_frac, square_frac;
};

struct dcp_chain {
    uint32_t n_stages;
    struct dcp_stage stages[DCP_STAGES_MAX]; /* From the meter on. */
    double psu_measured_frac; /* Efficiency behind the machines' watts. */
};

struct dcp_chain_power {
    double input_w; /* What the first stage takes in. */
    /* Losses by kind.  That of PSU is the difference to the supplies that the
     * machines were measured with, and may be negative. */
    double loss_w[DCP_STAGE_KINDS];
    bool over_rated; /* Some stage carries more than it is rated for. */
};

/* Watts that the stage loses while it puts out 'output_w'. */
double dcp_stage_loss_w(const struct dcp_stage *, double output_w);
/* Input never falls when output rises. */
bool dcp_stage_rises(const struct dcp_stage *);
/* Puts a point of measured efficiency after the others; there is room for
 * DCP_STAGE_POINTS_MAX. */
void dcp_stage_add_point(struct dcp_stage *, double load_frac,
                         double efficiency_frac);
/* The whole chain under machines that draw 'it_w'. */
struct dcp_chain_power dcp_chain_power(const struct dcp_chain *, double it_w);

/* --- Presets ------------------------------------------------------------ */

/* Chains to begin with; docs/sim-energy.md has each figure and its source. */
enum dcp_chain_preset {
    DCP_CHAIN_AC_PDU, /* Double conversion, transformer PDUs, 80 PLUS Gold. */
    DCP_CHAIN_AC_400, /* 400/230 V without PDU transformers, Titanium. */
    DCP_CHAIN_DC_380, /* One rectifier, 380 V to the machines. */
};
#define DCP_CHAIN_PRESET_NAMES "ac-pdu|ac-400|dc-380"

/* Each stage 'units' times 'rated_w'. */
void dcp_chain_of_preset(enum dcp_chain_preset, double rated_w, uint32_t units,
                         struct dcp_chain *out);

#endif /* model/chain.h */
