/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Licences that limit where VMs go (policy.licences: owned): what the end of a
 * leg needs of what is owned. */

#include "cli/explain.h"
#include "model/licence.h"

#include <stdio.h>

static bool
covers_host(const struct dcp_licence *l, const struct dcp_placement *p,
            uint32_t host)
{
    for (uint32_t i = 0; i < l->vms.n; i++) {
        if (p->host[l->vms.ix[i]].ix == host) {
            return true;
        }
    }
    return false;
}

bool
dcp_explain_licence(const struct dcp_explain *x, uint32_t leg, uint32_t licence,
                    uint32_t host, double *out_needed, double *out_owned)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_licence *l = &inv->licences[licence];
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_placement *ends[DCP_LEGS_MAX + 1];
    struct dcp_licence_need need;
    uint32_t n = 0;

    if (inv->policy.licences != DCP_LICENCES_OWNED || !(l->owned > 0) ||
        (host != DCP_IX_NONE && !covers_host(l, plan->legs[leg].after, host))) {
        return false;
    }
    /* By the last placement, or by all until then. */
    if (l->scope != DCP_LICENCE_PLACED) {
        ends[n++] = plan->before;
        for (uint32_t k = 0; k < leg; k++) {
            ends[n++] = plan->legs[k].after;
        }
    }
    ends[n++] = plan->legs[leg].after;
    dcp_licence_count(inv, licence, ends, n, &need);
    *out_needed = need.units;
    *out_owned = l->owned;
    return true;
}

void
dcp_explain_print_licences(const struct dcp_explain *x, uint32_t leg,
                           uint32_t host)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    double needed, owned;

    for (uint32_t k = 0; k < inv->n_licences; k++) {
        if (dcp_explain_licence(x, leg, k, host, &needed, &owned)) {
            printf("    licence  %s: %g of %g owned units are needed%s\n",
                   inv->licences[k].name, needed, owned,
                   needed >= owned
                       ? ", so its VMs go to no host that needs more"
                       : "");
        }
    }
}

void
dcp_explain_json_licences(const struct dcp_explain *x, struct dcp_json *w,
                          uint32_t leg, uint32_t host)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    double needed, owned;

    dcp_json_karray(w, "licences");
    for (uint32_t k = 0; k < inv->n_licences; k++) {
        if (dcp_explain_licence(x, leg, k, host, &needed, &owned)) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "name", inv->licences[k].name);
            dcp_json_kdouble(w, "needed", needed);
            dcp_json_kdouble(w, "owned", owned);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
}
