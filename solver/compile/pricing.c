/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/pricing.h"

#include "model/licence.h"
#include "solver/problem.h"

#include <math.h>
#include <stdlib.h>

#define YEAR_MS (365.25 * 86400000.0)

/* --- Asking ------------------------------------------------------------- */

double
dcp_pricing_watts(const struct dcp_problem *p, uint32_t host, double mhz)
{
    const struct dcp_pricing *g = p->pricing;
    const double *w = g->curve[p->q->inventory->hosts[host].hardware.ix].net_w;
    double at = g->full_mhz[host]
                    ? mhz * (DCP_POWER_POINTS - 1) / g->full_mhz[host]
                    : 0;

    if (at >= DCP_POWER_POINTS - 1) {
        return w[DCP_POWER_POINTS - 1];
    }
    uint32_t i = (uint32_t)at;

    return w[i] + (at - i) * (w[i + 1] - w[i]);
}

void
dcp_pricing_chord(const struct dcp_problem *p, uint32_t host, double low,
                  double high, double *out_idle_w, double *out_slope_w)
{
    double full = p->pricing->full_mhz[host];
    double at_low = dcp_pricing_watts(p, host, low * full);

    *out_slope_w =
        full > 0 && high > low
            ? (dcp_pricing_watts(p, host, high * full) - at_low) /
                  ((high - low) * full)
            : 0;
    *out_idle_w = at_low - *out_slope_w * low * full;
}

double
dcp_pricing_units(const struct dcp_problem *p,
                  const struct dcp_priced_licence *l, uint32_t host,
                  uint32_t n_vms, uint32_t n_vcpus)
{
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_licence *licence = &inv->licences[l->licence];
    dcp_host_id id = { host };
    double anyway = 0;

    if (l->floor_vms && l->floor_vms[host]) {
        uint32_t vms = l->floor_vms[host], vcpus = l->floor_vcpus[host];

        anyway = dcp_licence_host_units(inv, licence, id, vms, vcpus);
        n_vms = n_vms > vms ? n_vms : vms;
        n_vcpus = n_vcpus > vcpus ? n_vcpus : vcpus;
    }
    return dcp_licence_host_units(inv, licence, id, n_vms, n_vcpus) - anyway;
}

bool
dcp_pricing_counts_licences(const struct dcp_problem *p, uint32_t level)
{
    return p->pricing->n_licences && p->pricing->level[level].licence > 0;
}

bool
dcp_pricing_item_is_covered(const struct dcp_problem *p, uint32_t item)
{
    return dcp_pricing_counts_licences(p, 0) &&
           p->pricing->first_of_item[item] !=
               p->pricing->first_of_item[item + 1];
}

bool
dcp_pricing_has_host_cost(const struct dcp_problem *p)
{
    const struct dcp_priced_level *l = &p->pricing->level[0];

    return l->per_host > 0 || l->factor || l->host_value;
}

bool
dcp_pricing_counts_hosts_alone(const struct dcp_problem *p)
{
    const struct dcp_priced_level *l = &p->pricing->level[0];

    return l->per_host > 0 && !l->factor && !l->host_value && !l->mhz_slope &&
           !(l->licence > 0 && p->pricing->n_licences) && !(l->per_move > 0) &&
           !(l->balance > 0) && !(l->per_room > 0);
}

uint32_t
dcp_pricing_moves(const struct dcp_problem *p, uint32_t item, uint32_t host)
{
    uint32_t n = 0;

    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        uint32_t from = p->q->start->host[p->vm[k]].ix;

        n += from != DCP_IX_NONE && from != host;
    }
    return n;
}

/* --- Compiling ---------------------------------------------------------- */

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for prices");
}

static bool
compile_curves(const struct dcp_problem *p, struct dcp_pricing *g)
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_curve *curve =
        dcp_arena_array(p->arena, struct dcp_curve, inv->n_hardware);
    uint32_t *full = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    uint32_t *row = dcp_arena_array(p->arena, uint32_t, p->n_hosts);

    if (!curve || !full || !row) {
        return false;
    }
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        const struct dcp_hardware *hw = &inv->hardware[i];

        for (uint32_t k = 0; k < DCP_POWER_POINTS; k++) {
            curve[i].net_w[k] = (double)hw->power_w[k] - hw->sleep_w;
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });

        full[h] = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
        row[h] = dcp_site_is_none(site) ? inv->n_sites : site.ix;
    }
    g->curve = curve;
    g->full_mhz = full;
    g->site_row = row;
    g->n_site_rows = inv->n_sites + 1;
    return true;
}

/* The value of a watt in each slot at each site: 'kwh' per kWh, 'money' per
 * unit of money. */
static const double *
watt_factors(const struct dcp_problem *p, const struct dcp_goal_terms *terms,
             uint32_t n_rows, double kwh, double money)
{
    const struct dcp_question *q = p->q;
    const struct dcp_inventory *inv = q->inventory;
    double *out =
        dcp_arena_array(p->arena, double, (size_t)n_rows * p->n_slots);

    for (uint32_t r = 0; out && r < n_rows; r++) {
        dcp_site_id site =
            r < inv->n_sites ? (dcp_site_id){ r } : dcp_site_none();
        double pue = dcp_site_pue_marginal(inv, site);

        for (uint32_t t = terms->paid_from; t < terms->paid_to; t++) {
            const struct dcp_slot *slot = &q->demand->slots[t];
            double hours =
                (double)(slot->end_ms - slot->start_ms) / (double)DCP_HOUR_MS;
            double price =
                money > 0 ? dcp_energy_price(inv, site, slot->start_ms) : 0;

            out[(size_t)r * p->n_slots + t - q->first_slot] =
                hours / 1000 * pue * (kwh + money * price);
        }
    }
    return out;
}

/* What no placement changes does not count. */
bool
dcp_pricing_depends_on_places(const struct dcp_licence *l)
{
    bool by_vm = l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;

    return l->price_per_year > 0 && l->scope != DCP_LICENCE_REACHABLE &&
           !(by_vm && !l->guests_free_on_host && !l->of_hypervisor);
}

/* The most covered VMs and vCPUs that each host has in the other
 * placements. */
static bool
floors_by_host(const struct dcp_problem *p, const struct dcp_goal_terms *terms,
               struct dcp_priced_licence *l)
{
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_licence *licence = &inv->licences[l->licence];
    uint32_t *vms = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    uint32_t *vcpus = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    DCP_FREE uint32_t *now = calloc(2 * (size_t)p->n_hosts + 1, sizeof *now);

    if (!vms || !vcpus || !now) {
        return false;
    }
    for (uint32_t k = 0; k < terms->n_also; k++) {
        for (uint32_t h = 0; h < 2 * p->n_hosts; h++) {
            now[h] = 0;
        }
        for (uint32_t i = 0; i < licence->vms.n; i++) {
            dcp_vm_id vm = { licence->vms.ix[i] };
            uint32_t h = terms->also[k]->host[vm.ix].ix;

            if (h != DCP_IX_NONE) {
                now[2 * h]++;
                now[2 * h + 1] +=
                    (uint32_t)dcp_licence_vm_count(inv, licence, vm);
            }
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            vms[h] = now[2 * h] > vms[h] ? now[2 * h] : vms[h];
            vcpus[h] = now[2 * h + 1] > vcpus[h] ? now[2 * h + 1] : vcpus[h];
        }
    }
    l->floor_vms = vms;
    l->floor_vcpus = vcpus;
    return true;
}

static bool
floors(const struct dcp_problem *p, const struct dcp_goal_terms *terms,
       struct dcp_priced_licence *l)
{
    const struct dcp_inventory *inv = p->q->inventory;

    if (inv->licences[l->licence].scope == DCP_LICENCE_EVER_PLACED) {
        return !terms->n_also || floors_by_host(p, terms, l);
    }
    for (uint32_t k = 0; k < terms->n_also; k++) {
        const struct dcp_placement *one[] = { terms->also[k] };
        struct dcp_licence_need need;

        dcp_licence_count(inv, l->licence, one, 1, &need);
        l->floor_units = fmax(l->floor_units, need.units);
    }
    return true;
}

static bool
compile_item_licences(const struct dcp_problem *p, struct dcp_pricing *g)
{
    const struct dcp_inventory *inv = p->q->inventory;
    size_t n_cells = (size_t)p->n_items * g->n_licences, n = 0;
    DCP_FREE uint32_t *count = calloc(2 * n_cells + 1, sizeof *count);
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, p->n_items + 1u);

    if (!count || !first) {
        return false;
    }
    for (uint32_t k = 0; k < g->n_licences; k++) {
        const struct dcp_licence *l = &inv->licences[g->licence[k].licence];

        for (uint32_t i = 0; i < l->vms.n; i++) {
            uint32_t item = p->item_of_vm[l->vms.ix[i]];

            if (item == DCP_IX_NONE) {
                continue;
            }
            uint32_t *c = count + 2 * ((size_t)item * g->n_licences + k);

            n += c[0]++ == 0;
            c[1] += (uint32_t)dcp_licence_vm_count(inv, l,
                                                   (dcp_vm_id){ l->vms.ix[i] });
        }
    }
    struct dcp_item_licence *of =
        dcp_arena_array(p->arena, struct dcp_item_licence, n);
    uint32_t at = 0;

    if (!of) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        first[i] = at;
        for (uint32_t k = 0; k < g->n_licences; k++) {
            const uint32_t *c = count + 2 * ((size_t)i * g->n_licences + k);

            if (c[0]) {
                of[at++] = (struct dcp_item_licence){ k, c[0], c[1] };
            }
        }
    }
    first[p->n_items] = at;
    g->first_of_item = first;
    g->of_item = of;
    return true;
}

static bool
compile_licences(const struct dcp_problem *p,
                 const struct dcp_goal_terms *terms, struct dcp_pricing *g)
{
    const struct dcp_inventory *inv = p->q->inventory;

    g->licence =
        dcp_arena_array(p->arena, struct dcp_priced_licence, inv->n_licences);
    if (!g->licence) {
        return false;
    }
    for (uint32_t i = 0; terms && terms->licence_ms > 0 && i < inv->n_licences;
         i++) {
        const struct dcp_licence *l = &inv->licences[i];
        struct dcp_priced_licence *out = &g->licence[g->n_licences];

        if (dcp_pricing_depends_on_places(l)) {
            *out = (struct dcp_priced_licence){
                .licence = i,
                .unit_price =
                    l->price_per_year * ((double)terms->licence_ms / YEAR_MS),
            };
            if (!floors(p, terms, out)) {
                return false;
            }
            g->n_licences++;
        }
    }
    return compile_item_licences(p, g);
}

static bool
compile_level(const struct dcp_problem *p, const struct dcp_goal_terms *terms,
              const struct dcp_goal_level *from, struct dcp_pricing *g,
              struct dcp_priced_level *to)
{
    const double *w = from->weight;

    *to = (struct dcp_priced_level){
        .per_host = w[DCP_GOAL_HOSTS],
        .licence = w[DCP_GOAL_COST] + w[DCP_GOAL_LICENCES],
        .per_move = w[DCP_GOAL_MOVES],
        .conversion = w[DCP_GOAL_COST],
        .balance = w[DCP_GOAL_BALANCE],
        .per_room = w[DCP_GOAL_ROOM],
    };
    if (w[DCP_GOAL_COST] > 0 || w[DCP_GOAL_ENERGY] > 0) {
        to->factor = watt_factors(p, terms, g->n_site_rows, w[DCP_GOAL_ENERGY],
                                  w[DCP_GOAL_COST]);
        return to->factor != NULL;
    }
    return true;
}

struct dcp_pricing *
dcp_pricing_make(const struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_goal_terms *terms = p->q->terms;
    struct dcp_pricing *g = dcp_arena_new(p->arena, struct dcp_pricing);

    if (!g || !compile_curves(p, g) || !compile_licences(p, terms, g)) {
        (void)no_memory(err);
        return NULL;
    }
    g->counts_moves = p->q->limits_moves || p->q->fewest_moves;
    g->counts_items = g->n_licences > 0 || g->counts_moves;
    if (!terms) {
        g->n_levels = 1;
        g->level[0] = (struct dcp_priced_level){
            .per_host = p->q->host_on_value || p->q->fewest_moves ? 0 : 1,
            .host_value = p->q->fewest_moves ? NULL : p->q->host_on_value,
            .mhz_slope = p->q->fewest_moves ? NULL : p->q->mhz_slope,
            .per_move = p->q->fewest_moves ? 1 : 0,
        };
        return g;
    }
    g->n_levels = terms->goals->n_levels;
    for (uint32_t k = 0; k < g->n_levels; k++) {
        if (!compile_level(p, terms, &terms->goals->level[k], g,
                           &g->level[k])) {
            (void)no_memory(err);
            return NULL;
        }
        g->counts_moves |= g->level[k].per_move > 0;
        g->counts_items |=
            g->counts_moves ||
            (g->level[k].conversion > 0 && p->conversions &&
             p->conversions->cost);
    }
    return g;
}
