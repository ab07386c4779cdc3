/* SPDX-License-Identifier: GPL-3.0-or-later */

/* VMs that a plan may take to another hypervisor.
 *
 * A conversion is for good, so only plans after which VMs stay where they are
 * convert.  Packing and evacuating weigh what it costs, so only where goals
 * count money; there the question is asked without conversions as well: a
 * search with fewer ways sometimes finds what costs less.  A repair converts
 * as a last resort (solver/plan/convert_repair.c); so does balancing, and
 * beside that what makes hosts so much more even that it is worth it
 * (solver/balance/even.h).
 *
 * Where they take longer than a window of theirs, fewer are allowed.
 *
 * policy.conversions_per_plan: of an answer with too many, hosts are taken in
 * the order of what they saved for each VM converted away from them, as long
 * as the limit allows, and the question is asked again for those VMs alone.
 * The bound stays that of the question without the limit. */

#include "solver/plan/work.h"

#include "model/convert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
dcp_work_counts_money(const struct dcp_work *w)
{
    const struct dcp_goals *goals = &w->r->goals;
    bool counts = false;

    for (uint32_t k = 0; k < goals->n_levels; k++) {
        counts |= dcp_goal_level_has(&goals->level[k], DCP_GOAL_COST);
    }
    return counts;
}

bool
dcp_work_converts_last(const struct dcp_work *w)
{
    return w->may_convert &&
           (w->r->job == DCP_JOB_REPAIR || w->r->job == DCP_JOB_BALANCE);
}

bool
dcp_job_may_convert(const struct dcp_policy *policy, enum dcp_job job)
{
    uint32_t allowed = policy->conversions_for;

    if (!allowed) {
        allowed =
            DCP_CONVERT_CONSOLIDATE | DCP_CONVERT_EVACUATE | DCP_CONVERT_REPAIR;
    }
    switch (job) {
    case DCP_JOB_CONSOLIDATE:
        return allowed & DCP_CONVERT_CONSOLIDATE;
    case DCP_JOB_EVACUATE:
        return allowed & DCP_CONVERT_EVACUATE;
    case DCP_JOB_REPAIR:
        return allowed & DCP_CONVERT_REPAIR;
    case DCP_JOB_BALANCE:
        return allowed & DCP_CONVERT_BALANCE;
    case DCP_JOB_STORAGE:
        break;
    }
    return false;
}

/* Whether a leg with nothing but this conversion ends in its window: a leg's
 * deadline leaves a quarter, and a quarter of an hour. */
static bool
fits_alone(const struct dcp_work *w, const struct dcp_conversion *c, uint32_t v)
{
    double down_ms = (double)dcp_conversion_ms(w->r->inventory, c, v);

    return 1.25 * down_ms + 15 * 60000 <=
           (double)dcp_conversion_open_ms(w->r->inventory, c, w->r->start_ms);
}

bool
dcp_work_choose_convertible(const struct dcp_work *w, uint8_t *out)
{
    const struct dcp_inventory *inv = w->r->inventory;
    bool may = dcp_work_stays(w) && !w->r->no_convert &&
               dcp_job_may_convert(&inv->policy, w->r->job) &&
               (w->r->job == DCP_JOB_REPAIR || w->r->job == DCP_JOB_BALANCE ||
                dcp_work_counts_money(w));
    bool any = false;

    for (uint32_t i = 0; may && i < inv->n_conversions; i++) {
        const struct dcp_conversion *c = &inv->conversions[i];

        for (uint32_t k = 0; k < c->vms.n; k++) {
            if (fits_alone(w, c, c->vms.ix[k])) {
                out[c->vms.ix[k]] = 1;
                any = true;
            }
        }
    }
    return any;
}

uint32_t
dcp_work_n_converted(const struct dcp_work *w, const struct dcp_placement *end)
{
    const struct dcp_placement *start = w->r->start;
    uint32_t n = 0;

    for (uint32_t v = 0; w->r->inventory->n_conversions && v < end->n_vms;
         v++) {
        n += dcp_conversion_between(w->r->inventory, start->host[v],
                                    end->host[v]);
    }
    return n;
}

void
dcp_work_weigh_conversions(struct dcp_work *w, const struct dcp_placement *end)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_placement *start = w->r->start;
    struct dcp_plan_outcome *o = w->outcome;

    o->conversions = 0;
    o->conversion_cost = o->conversion_cost_counted = 0;
    o->downtime_ms = o->downtime_most_ms = 0;
    for (uint32_t v = 0; inv->n_conversions && v < end->n_vms; v++) {
        if (!dcp_conversion_between(inv, start->host[v], end->host[v])) {
            continue;
        }
        const struct dcp_conversion *c =
            dcp_conversion_of(inv, v, inv->hosts[start->host[v].ix].hypervisor,
                              inv->hosts[end->host[v].ix].hypervisor);
        int64_t down_ms = c ? dcp_conversion_ms(inv, c, v) : 0;

        o->conversions++;
        o->conversion_cost += c ? c->cost : 0;
        o->conversion_cost_counted +=
            c ? dcp_conversion_cost(c, w->terms.licence_ms) : 0;
        o->downtime_ms += down_ms;
        o->downtime_most_ms =
            down_ms > o->downtime_most_ms ? down_ms : o->downtime_most_ms;
    }
}

/* --- A limit ------------------------------------------------------------ */

struct left_host {
    uint32_t host, n;
    double saving;
};

static int
by_saving_each(const void *a, const void *b)
{
    const struct left_host *x = a, *y = b;
    double left = x->saving * y->n, right = y->saving * x->n;

    if (left != right) {
        return left > right ? -1 : 1;
    }
    return x->host < y->host ? -1 : x->host > y->host;
}

/* Of the VMs that 'end' converts those that may be, by VM. */
static bool
choose_fewer(const struct dcp_work *w, const struct dcp_placement *end,
             uint8_t *may, struct dcp_error *err)
{
    const struct dcp_inventory *inv = w->r->inventory;
    const struct dcp_placement *start = w->r->start;
    uint32_t left = w->most_conversions, n = 0;
    DCP_FREE struct left_host *hosts = calloc(w->n_hosts + 1u, sizeof *hosts);

    if (!hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for conversions");
    }
    for (uint32_t h = 0; h < w->n_hosts; h++) {
        hosts[h].host = h;
        /* One that stays on saves nothing but room. */
        hosts[h].saving = end->on[h] ? 0 : 1 + fmax(w->on_value[h], 0);
    }
    for (uint32_t v = 0; v < end->n_vms; v++) {
        may[v] = dcp_conversion_between(inv, start->host[v], end->host[v]);
        hosts[may[v] ? start->host[v].ix : w->n_hosts].n++;
    }
    for (uint32_t h = 0; h < w->n_hosts; h++) {
        if (hosts[h].n) {
            hosts[n++] = hosts[h];
        }
    }
    if (n > 1) {
        qsort(hosts, n, sizeof *hosts, by_saving_each);
    }
    for (uint32_t i = 0; i < n; i++) {
        bool takes = hosts[i].n <= left;

        left -= takes ? hosts[i].n : 0;
        for (uint32_t v = 0; v < end->n_vms && !takes; v++) {
            may[v] &= start->host[v].ix != hosts[i].host;
        }
    }
    return true;
}

bool
dcp_work_keep_conversion_limit(struct dcp_work *w, const struct dcp_question *q,
                               struct dcp_error *err)
{
    uint32_t most = w->most_conversions;
    uint32_t n_vms = w->r->inventory->n_vms;

    if (!most || !w->night.placement ||
        dcp_work_n_converted(w, w->night.placement) <= most) {
        return true;
    }
    DCP_FREE uint8_t *may = calloc(n_vms + 1u, 1);
    struct dcp_question fewer = *q;
    struct dcp_solution s;

    if (!may) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for conversions");
    }
    fewer.may_convert = may;
    if (!choose_fewer(w, w->night.placement, may, err) ||
        !dcp_work_solve(w, &fewer, 1, &s, err)) {
        return false;
    }
    double bound = w->night.bound;

    dcp_solution_finish(&w->night);
    w->night = s;
    if (s.placement) {
        bool met = bound >= s.value - 1e-9 * fmax(fabs(s.value), 1);

        w->night.bound = fmin(bound, s.value);
        w->night.status = met ? DCP_STATUS_OPTIMAL : DCP_STATUS_FEASIBLE;
    } else if (s.status == DCP_STATUS_INFEASIBLE) {
        w->night.status = DCP_STATUS_TIMEOUT; /* Other VMs were not tried. */
    }
    return true;
}

bool
dcp_work_cut_conversions(struct dcp_work *w)
{
    const struct dcp_because *b = &w->outcome->because;
    uint32_t n = w->outcome->conversions;

    if (!w->conversions_too_long || !w->may_convert) {
        return false;
    }
    w->conversions_too_long = false;
    w->most_conversions =
        (uint32_t)(n * fmin(b->need > 0 ? b->have / b->need : 0, 0.8));
    if (!w->most_conversions) {
        w->may_convert = NULL;
    }
    w->outcome->window = (struct dcp_window_fit){ .fits = true };
    return true;
}
