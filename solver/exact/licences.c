/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/exact/parts.h"

#include "solver/compile/pricing.h"

#include <math.h>

static bool
is_covered(const struct dcp_problem *p, uint32_t item, uint32_t slot)
{
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t j = g->first_of_item[item]; j < g->first_of_item[item + 1];
         j++) {
        if (g->of_item[j].slot == slot) {
            return true;
        }
    }
    return false;
}

/* Whether an item that stays there needs the licence, or one of the program
 * that is known there does. */
static void
find_holders(const struct dcp_exact *m, uint32_t slot, uint32_t host,
             bool *out_stays, bool *out_known)
{
    *out_stays = false;
    *out_known = false;
    for (uint32_t i = m->s->first[host]; i != DCP_IX_NONE; i = m->s->next[i]) {
        *out_stays |= is_covered(m->p, i, slot);
    }
    for (uint32_t k = 0; k < m->first[m->n_kinds]; k++) {
        uint32_t item = m->member[k];

        *out_known |= m->known_at[item] == host && is_covered(m->p, item, slot);
    }
    *out_known |= *out_stays;
}

/* The covered items of the program have room on licensed hosts; which follows
 * where columns are whole, and says more where they are not. */
static void
cover_row(struct dcp_exact *m, uint32_t slot, uint32_t at, uint32_t col,
          const uint32_t *size, size_t step, double cap)
{
    uint32_t row = dcp_exact_row(m, -DCP_LP_INF, 0);

    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        uint32_t item = m->member[m->first[k]];

        if (is_covered(m->p, item, slot)) {
            dcp_exact_set(m, row, m->col[(size_t)k * m->n_hosts + at],
                          size[item * step]);
        }
    }
    dcp_exact_set(m, row, col, -cap);
}

static void
cover_capacity(struct dcp_exact *m, uint32_t slot, uint32_t at, uint32_t col)
{
    const struct dcp_problem *p = m->p;
    uint32_t h = m->host[at];

    for (uint32_t r = 0; m->ok && r < p->n_scalars; r++) {
        cover_row(m, slot, at, col, p->request + r, p->n_scalars,
                  p->cap[(size_t)r * p->n_hosts + h]);
    }
    for (uint32_t k = 0; m->ok && k < m->n_slots; k++) {
        cover_row(m, slot, at, col, p->cpu_mhz + m->slot[k], p->stride,
                  p->cap_cpu_mhz[h]);
    }
}

/* The licence's column of a host is 1 where the host holds a covered item; its
 * units are at least those of one covered VM.  Returns its known units. */
static double
add_licensed_host(struct dcp_exact *m, uint32_t slot, uint32_t at,
                  uint32_t excess_row)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_priced_licence *l = &p->pricing->licence[slot];
    double units = dcp_pricing_units(p, l, m->host[at], 1, 1);
    double price = p->pricing->level[0].licence * l->unit_price;
    bool stays, known;

    find_holders(m, slot, m->host[at], &stays, &known);
    uint32_t col = dcp_exact_aux(
        m, 1, excess_row == UINT32_MAX ? price * units : 0, true, known);

    if (excess_row != UINT32_MAX) {
        dcp_exact_set(m, excess_row, col, -units);
    }
    if (stays) {
        uint32_t row = dcp_exact_row(m, 1, 1);

        dcp_exact_set(m, row, col, 1);
    }
    cover_capacity(m, slot, at, col);
    for (uint32_t k = 0; m->ok && k < m->n_kinds; k++) {
        uint32_t x = m->col[(size_t)k * m->n_hosts + at];

        if (x != UINT32_MAX && is_covered(p, m->member[m->first[k]], slot)) {
            uint32_t row = dcp_exact_row(m, -DCP_LP_INF, 0);

            dcp_exact_set(m, row, x, 1);
            dcp_exact_set(m, row, col,
                          -(double)(m->first[k + 1] - m->first[k]));
        }
    }
    return known ? units : 0;
}

/* Units of hosts that are not in the program. */
static double
units_elsewhere(const struct dcp_exact *m, uint32_t slot)
{
    const double *units = m->s->objective->units + (size_t)slot * m->p->n_hosts;
    double sum = 0;

    for (uint32_t h = 0; h < m->p->n_hosts; h++) {
        sum += m->host_at[h] == UINT32_MAX ? units[h] : 0;
    }
    return sum;
}

/* Licences that hosts need anyway are left out. */
void
dcp_exact_licences(struct dcp_exact *m)
{
    const struct dcp_problem *p = m->p;
    const struct dcp_pricing *g = p->pricing;

    for (uint32_t k = 0;
         m->ok && dcp_pricing_counts_licences(p, 0) && k < g->n_licences; k++) {
        double floor_units = ceil(g->licence[k].floor_units - 1e-9);
        double known = units_elsewhere(m, k) - floor_units;
        uint32_t row = UINT32_MAX, first = m->n_aux;

        if (g->licence[k].floor_vms) {
            continue;
        }
        if (floor_units > 0) { /* Only what is above it costs. */
            row = dcp_exact_row(m, known, DCP_LP_INF);
            dcp_exact_set(
                m, row,
                dcp_exact_aux(m, DCP_LP_INF,
                              g->level[0].licence * g->licence[k].unit_price,
                              false, 0),
                1);
        }
        for (uint32_t at = 0; m->ok && at < m->n_hosts; at++) {
            known += add_licensed_host(m, k, at, row);
        }
        if (m->ok && row != UINT32_MAX) {
            m->aux[first].known = fmax(known, 0);
        }
    }
}
