/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_PRICING_H
#define DCP_SOLVER_COMPILE_PRICING_H 1

/* What a question counts, compiled: levels of goals, the first the most
 * important, each a weighted sum of
 *
 *   hosts     hosts that are on;
 *   energy    kWh at the meter that a plan can change: over the paid slots,
 *             (watts at the slot's load by the SPECpower curve - standby
 *             watts) x marginal PUE of the site;
 *   cost      the same kWh at each slot's tariff, and licences, in money;
 *   licences  money for licences over the time asked about;
 *   (conversions to another hypervisor are part of cost, once each);
 *   moves     VMs that are not where they started;
 *   balance   population standard deviation, over hosts that are on, of CPU
 *             used at the peak and of memory used, both as shares of what is
 *             usable, added up;
 *   room      minus the number of VMs of given shapes that would still fit on
 *             hosts that are on, each shape alone, added up.
 *
 * Licences are those of scope `placed` and `ever_placed` that depend on where
 * VMs are: what no placement changes (`reachable`; metrics `vm` and `vcpu`
 * where guests are not free) is left out.  Units are counted as
 * model/licence.h says.  Where other placements belong to the same time (the
 * start of a night, from which VMs return), only units above theirs count: a
 * VM that comes back saves nothing.
 *
 * Lives in the problem's arena; immutable, thread-safe to read. */

#include "model/capacity.h"
#include "model/demand.h"
#include "model/goals.h"
#include "model/placement.h"
#include "model/power.h"

struct dcp_problem;

/* A VM that may come: what it asks of a host in its fullest slot. */
struct dcp_room_shape {
    uint32_t cpu_mhz, scalar[DCP_SCALARS_MAX];
};

/* What a question asks to be counted. */
struct dcp_goal_terms {
    const struct dcp_goals *goals;
    uint32_t paid_from, paid_to; /* Slots of the demand that energy is paid
                                  * in; inside the question's. */
    int64_t licence_ms;          /* Time that licences are paid for; 0: licences
                                  * are not counted. */
    /* Other placements of that time. */
    const struct dcp_placement *also[3];
    uint32_t n_also;
    const struct dcp_room_shape *shapes; /* For 'room'. */
    uint32_t n_shapes;
};

struct dcp_priced_level {
    double per_host;
    double licence; /* Times the money of a licence. */
    double per_move;
    double conversion;    /* Times the money of converting VMs. */
    double balance;
    double per_room;      /* Times VMs that still fit. */
    const double *factor; /* Value of a watt, [site row * n_slots + slot]; NULL:
                           * watts do not count. */
    /* As the question gives them, in place of all the above. */
    const double *host_value, *mhz_slope;
};

struct dcp_priced_licence {
    uint32_t licence;                        /* In the inventory. */
    double unit_price;                       /* Money per unit for the time. */
    double floor_units;                      /* Needed anyway. */
    const uint32_t *floor_vms, *floor_vcpus; /* EVER_PLACED: by host; NULL:
                                              * none. */
};

struct dcp_curve {                  /* Of one kind of hardware. */
    double net_w[DCP_POWER_POINTS]; /* Above standby. */
};

struct dcp_pricing {
    struct dcp_priced_level level[DCP_GOALS_MAX];
    uint32_t n_levels;
    const uint32_t *site_row; /* By host. */
    uint32_t n_site_rows;
    const struct dcp_curve *curve; /* By kind of hardware. */
    const uint32_t *full_mhz;      /* By host: load 1 of the curve. */
    struct dcp_priced_licence *licence;
    uint32_t n_licences;
    /* Licences of item i: of_item[first_of_item[i] .. [i + 1] - 1]. */
    const uint32_t *first_of_item;
    bool counts_items; /* Licences or moves count: items are looked at. */
    bool counts_moves; /* Moves do. */
    const struct dcp_item_licence {
        uint32_t slot; /* In 'licence'. */
        uint32_t n_vms, n_vcpus;
    } * of_item;
};

/* Part of dcp_problem_create(); NULL: no memory.  Where the question gives no
 * terms: hosts, or its host_on_value and mhz_slope. */
struct dcp_pricing *
dcp_pricing_make(const struct dcp_problem *, struct dcp_error *err) DCP_CHECKED;

/* Watts above standby of a host at 'mhz'. */
double dcp_pricing_watts(const struct dcp_problem *, uint32_t host, double mhz);
/* A guess of watts as a line: the chord over the curve from 'low' to 'high',
 * shares of full load, by its value at 0 and its slope per MHz. */
void dcp_pricing_chord(const struct dcp_problem *, uint32_t host, double low,
                       double high, double *out_idle_w, double *out_slope_w);
/* Units of one licence that a host needs when it holds so much, above what it
 * needs anyway. */
double
dcp_pricing_units(const struct dcp_problem *, const struct dcp_priced_licence *,
                  uint32_t host, uint32_t n_vms, uint32_t n_vcpus);
/* Whether where VMs are decides how many units are needed. */
bool dcp_pricing_depends_on_places(const struct dcp_licence *);
/* Whether placing decides what some licence costs at this level. */
bool dcp_pricing_counts_licences(const struct dcp_problem *, uint32_t level);
/* Whether the item needs a licence that counts at the first level. */
bool dcp_pricing_item_is_covered(const struct dcp_problem *, uint32_t item);
/* Whether the first level is the number of hosts and nothing else. */
bool dcp_pricing_counts_hosts_alone(const struct dcp_problem *);
/* Whether being on costs something at the first level. */
bool dcp_pricing_has_host_cost(const struct dcp_problem *);
/* VMs of the item that would have moved if it were on 'host'. */
uint32_t
dcp_pricing_moves(const struct dcp_problem *, uint32_t item, uint32_t host);

#endif /* solver/compile/pricing.h */
