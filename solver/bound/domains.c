/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Items that a hard rule spreads over racks, feeds, ... need as many of these
 * with a host on.  A domain that has one has one of some type, so with y_t
 * hosts of type t on, and R_t domains that have hosts of the type at all, no
 * more than sum_t min(y_t, R_t) have one: d_t <= y_t, d_t <= R_t, sum_t d_t >=
 * members of the rule. */

#include "solver/bound/parts.h"

#include <stdlib.h>
#include <string.h>

static bool
may_be_on(const struct dcp_problem *p, uint32_t h)
{
    return p->use[h] != DCP_HOST_AVOID &&
           (p->q->start->on[h] ||
            (p->q->may_wake && p->use[h] == DCP_HOST_FREE));
}

/* Whether the group says more than that hosts are counted. */
static bool
says_something(const struct dcp_problem *p, const struct dcp_group *g)
{
    bool says = g->rule->kind == DCP_RULE_SPREAD && !g->rule->soft &&
                g->rule->over != DCP_DOMAIN_HOST && g->n_items > 1;

    for (uint32_t h = 0; says && h < p->n_hosts; h++) {
        /* A host of no domain takes any number of members. */
        says = !may_be_on(p, h) || g->domain_of_host[h] < g->n_domains;
    }
    return says;
}

/* The group with the most members over each kind of domain. */
static void
largest_groups(const struct dcp_problem *p, const struct dcp_group **out,
               uint32_t n_kinds)
{
    for (uint32_t k = 0; k < p->n_groups; k++) {
        const struct dcp_group *g = &p->groups[k];
        uint32_t kind = (uint32_t)g->rule->over;

        if (kind < n_kinds && (!out[kind] || g->n_items > out[kind]->n_items) &&
            says_something(p, g)) {
            out[kind] = g;
        }
    }
}

/* Domains of the group that have a host of the type, for each type. */
static bool
count_domains(const struct dcp_problem *p, const struct dcp_group *g,
              double *out)
{
    DCP_FREE uint8_t *seen = malloc(g->n_domains + 1u);

    for (uint32_t t = 0; seen && t < p->n_types; t++) {
        memset(seen, 0, g->n_domains);
        out[t] = 0;
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (p->type_of_host[h] == t && may_be_on(p, h) &&
                !seen[g->domain_of_host[h]]) {
                seen[g->domain_of_host[h]] = 1;
                out[t]++;
            }
        }
    }
    return seen != NULL;
}

static bool
group_rows(const struct dcp_fold *f, struct dcp_lp *lp,
           const struct dcp_group *g)
{
    DCP_FREE double *domains = calloc(f->n_types + 1u, sizeof *domains);
    uint32_t all = dcp_lp_add_row(lp, g->n_items, DCP_LP_INF);
    bool ok = domains && all != UINT32_MAX && count_domains(f->p, g, domains);

    for (uint32_t t = 0; ok && t < f->n_types; t++) {
        uint32_t col = dcp_lp_add_col(lp, 0, domains[t], 0, false);
        uint32_t row = dcp_lp_add_row(lp, -DCP_LP_INF, 0);

        ok = col != UINT32_MAX && row != UINT32_MAX &&
             dcp_lp_set(lp, all, col, 1) && dcp_lp_set(lp, row, col, 1);
        for (uint32_t k = 0; ok && k < f->n_regions * f->n_sides; k++) {
            ok = dcp_lp_set(
                lp, row, dcp_bound_column(f, k / f->n_sides, k % f->n_sides, t),
                -1);
        }
    }
    return ok;
}

bool
dcp_bound_add_domains(const struct dcp_fold *f, struct dcp_lp *lp)
{
    enum { N_KINDS = 16 };
    const struct dcp_group *largest[N_KINDS] = { NULL };
    bool ok = true;

    largest_groups(f->p, largest, N_KINDS);
    for (uint32_t k = 0; ok && k < N_KINDS; k++) {
        ok = !largest[k] || group_rows(f, lp, largest[k]);
    }
    return ok;
}
