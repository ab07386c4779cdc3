/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Conversions of a repair.
 *
 * A repair moves as few VMs as it can, live, and a conversion stops one.  So
 * the question is asked without conversions first.  Where it has no answer, it
 * is asked with all that policy allows, and of what that answer converts as
 * much is forbidden again, block by block and then one by one, as still leaves
 * an answer: no VM of the rest was found to be without need.  Where there was
 * an answer and goals count money, the answer with conversions is taken if it
 * moves no more VMs and is better by the goals that follow. */

#include "solver/plan/work.h"

#include "model/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE_SHARE  0.6 /* Of the time that is left, for the first answer, */
#define FEWER_SHARE 0.2 /* and for each with fewer conversions. */
#define TRIES_MAX   24u

struct ranked_vm {
    uint32_t vm;
    double cost;
};

static int
by_cost(const void *a, const void *b)
{
    const struct ranked_vm *x = a, *y = b;

    if (x->cost != y->cost) {
        return x->cost > y->cost ? -1 : 1;
    }
    return x->vm < y->vm ? -1 : x->vm > y->vm;
}

/* Only what the answer converts may be converted. */
static void
narrow(struct dcp_work *w, const struct dcp_placement *end)
{
    for (uint32_t v = 0; v < end->n_vms; v++) {
        w->converted[v] = dcp_conversion_between(
            w->r->inventory, w->r->start->host[v], end->host[v]);
    }
}

/* The VMs that the answer converts, the costliest first. */
static uint32_t
list_converted(const struct dcp_work *w, const struct dcp_placement *end,
               struct ranked_vm *out)
{
    const struct dcp_inventory *inv = w->r->inventory;
    uint32_t n = 0;

    for (uint32_t v = 0; v < end->n_vms; v++) {
        dcp_host_id from = w->r->start->host[v];

        if (!dcp_conversion_between(inv, from, end->host[v])) {
            continue;
        }
        const struct dcp_conversion *c =
            dcp_conversion_of(inv, v, inv->hosts[from.ix].hypervisor,
                              inv->hosts[end->host[v].ix].hypervisor);

        out[n++] = (struct ranked_vm){ v, c ? c->cost : 0 };
    }
    if (n > 1) {
        qsort(out, n, sizeof *out, by_cost);
    }
    return n;
}

void
dcp_work_set_repair_bound(struct dcp_solution *s, double bound)
{
    bool met = bound >= s->value - 1e-9 && !s->over_watts && !s->is_partial;

    s->bound = fmin(bound, s->value);
    s->status = met ? DCP_STATUS_OPTIMAL : DCP_STATUS_FEASIBLE;
}

/* Solves with what w->converted allows; the answer replaces the night's if it
 * converts fewer and leaves no more broken. */
static bool
try_fewer(struct dcp_work *w, struct dcp_question *q, bool *out_kept,
          struct dcp_error *err)
{
    const struct dcp_solution *now = &w->night;
    struct dcp_solution s;

    w->briefly = true;
    bool ok = dcp_work_solve_as_asked(w, q, FEWER_SHARE, &s, err);

    w->briefly = false;
    if (!ok) {
        return false;
    }
    *out_kept = s.placement && s.n_left <= now->n_left &&
                dcp_work_n_converted(w, s.placement) <
                    dcp_work_n_converted(w, now->placement);
    s.rounds += now->rounds;
    if (*out_kept) {
        dcp_work_set_repair_bound(&s, now->bound); /* Other VMs may be converted, too. */
        dcp_solution_finish(&w->night);
        w->night = s;
    } else {
        w->night.rounds = s.rounds;
        dcp_solution_finish(&s);
    }
    return true;
}

/* Forbids the VMs of a block of the list that are still converted; 'out_any'
 * says whether there were any, 'out_all' whether no others are. */
static void
forbid(struct dcp_work *w, const struct ranked_vm *list, uint32_t n,
       uint32_t first, uint32_t end, bool *out_any, bool *out_all)
{
    *out_any = false;
    *out_all = true;
    for (uint32_t k = 0; k < n; k++) {
        uint8_t *may = &w->converted[list[k].vm];

        if (k >= first && k < end) {
            *out_any |= *may;
            *may = 0;
        } else {
            *out_all &= !*may;
        }
    }
}

/* Never fewer than 'least', which are proved to be needed. */
static bool
convert_fewer(struct dcp_work *w, struct dcp_question *q, uint32_t least,
              struct dcp_error *err)
{
    DCP_FREE struct ranked_vm *list =
        malloc((w->r->inventory->n_vms + 1u) * sizeof *list);
    uint32_t n, tries = 0;

    if (!list) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for conversions");
    }
    n = list_converted(w, w->night.placement, list);
    narrow(w, w->night.placement);
    q->may_convert = w->converted;
    for (uint32_t size = (n + 1) / 2; size >= 1; size /= 2) {
        for (uint32_t first = 0;
             first < n && tries < TRIES_MAX && !dcp_work_time_is_up(w) &&
             dcp_work_n_converted(w, w->night.placement) > least;
             first += size) {
            bool any, all, kept = false;

            forbid(w, list, n, first, first + size, &any, &all);
            /* Without any there is no answer: that was asked first. */
            if (any && (!all || q->partial)) {
                tries++;
                if (!try_fewer(w, q, &kept, err)) {
                    return false;
                }
            }
            narrow(w, w->night.placement);
        }
    }
    return true;
}

static bool
is_within_limit(const struct dcp_work *w, const struct dcp_placement *end)
{
    return !w->most_conversions ||
           dcp_work_n_converted(w, end) <= w->most_conversions;
}

/* Of what the night converts no more than the limit, and what is repaired
 * with that. */
static bool
convert_in_limit(struct dcp_work *w, struct dcp_question *q,
                 struct dcp_error *err)
{
    uint64_t rounds = w->night.rounds;
    uint32_t kept = 0;

    narrow(w, w->night.placement);
    for (uint32_t v = 0; v < w->r->inventory->n_vms; v++) {
        w->converted[v] = w->converted[v] && kept < w->most_conversions;
        kept += w->converted[v];
    }
    dcp_solution_finish(&w->night);
    if (!dcp_work_solve_as_asked(w, q, 1, &w->night, err)) {
        return false;
    }
    w->night.rounds += rounds;
    return true;
}

/* A repair with too many conversions is no answer; a partial one repairs
 * less. */
static bool
keep_limit(struct dcp_work *w, struct dcp_question *q, struct dcp_error *err)
{
    uint32_t most = w->most_conversions;
    uint32_t n = dcp_work_n_converted(w, w->night.placement);
    struct dcp_because *b = &w->night.because;

    if (is_within_limit(w, w->night.placement)) {
        return true;
    }
    if (q->partial) {
        return convert_in_limit(w, q, err);
    }
    dcp_solution_finish(&w->night);
    w->night.status = DCP_STATUS_TIMEOUT;
    *b = (struct dcp_because){ .need = n, .have = most };
    (void)snprintf(b->rule, sizeof b->rule, "conversions");
    (void)snprintf(b->text, sizeof b->text,
                   "without conversions there is no repair, and the one that "
                   "was found converts %u VMs; %s %u",
                   n,
                   most == w->r->inventory->policy.conversions_per_plan
                       ? "policy.conversions_per_plan allows"
                       : "their window has time for",
                   most);
    return true;
}

/* <0: what goals after the first say of 'a' is better. */
static int
compare_later(const struct dcp_plan_outcome *a,
              const struct dcp_plan_outcome *b)
{
    for (uint32_t k = 1; k < a->n_objectives; k++) {
        double x = a->objectives[k].after, y = b->objectives[k].after;

        if (fabs(x - y) > 1e-9 * fmax(1, fabs(y))) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

/* The night's answer, which converts nothing, or the other one. */
static bool
take_better(struct dcp_work *w, struct dcp_question *q,
            const struct dcp_question *wide, struct dcp_solution *other,
            struct dcp_error *err)
{
    struct dcp_solution *now = &w->night;
    struct dcp_plan_outcome here;
    bool better = false;

    if (other->placement && other->value <= now->value + 1e-9 &&
        dcp_work_n_converted(w, other->placement) &&
        is_within_limit(w, other->placement)) {
        if (!dcp_work_weigh(w, now->placement, now->placement, err)) {
            return false;
        }
        here = *w->outcome;
        if (!dcp_work_weigh(w, other->placement, other->placement, err)) {
            return false;
        }
        better = compare_later(w->outcome, &here) < 0;
    }
    double bound =
        other->status == DCP_STATUS_INFEASIBLE ? now->bound : other->bound;

    other->rounds += now->rounds;
    now->rounds = other->rounds;
    if (better) {
        struct dcp_solution plain = *now;

        *now = *other;
        *other = plain;
        *q = *wide;
    }
    dcp_work_set_repair_bound(now, bound);
    return true;
}

/* The other answer, with as few conversions as are found to be enough, in place
 * of the night's, if that has one at all: then unless it still repairs more. */
static bool
take_converting(struct dcp_work *w, struct dcp_question *q,
                const struct dcp_question *wide,
                const struct dcp_solution *other, struct dcp_error *err)
{
    struct dcp_solution plain = w->night;
    struct dcp_question fewer = *wide;
    bool none = plain.status == DCP_STATUS_INFEASIBLE;
    uint32_t least = 0;

    w->night = *other;
    w->night.rounds += plain.rounds;
    /* A partial repair may leave what needs one. */
    bool ok = wide->partial || dcp_work_least_conversions(wide, &least, err);

    least = !least && none && !wide->partial ? 1 : least;
    w->outcome->conversions_least = least;
    ok = ok && convert_fewer(w, &fewer, least, err) &&
         keep_limit(w, &fewer, err);

    if (plain.placement &&
        (!w->night.placement || w->night.n_left >= plain.n_left)) {
        plain.rounds = w->night.rounds;
        dcp_solution_finish(&w->night);
        w->night = plain;
    } else {
        dcp_solution_finish(&plain);
        *q = fewer;
    }
    return ok;
}

bool
dcp_work_repair_by_converting(struct dcp_work *w, struct dcp_question *q,
                              struct dcp_error *err)
{
    bool has = w->night.placement != NULL;
    struct dcp_question wide = *q;
    struct dcp_solution other = { 0 };

    if (has && !q->partial &&
        (w->r->job != DCP_JOB_REPAIR || !dcp_work_counts_money(w) ||
         dcp_placement_n_moved(w->r->start, w->night.placement) == 0)) {
        return true;
    }
    wide.may_convert = w->may_convert;
    if (!dcp_work_solve_as_asked(w, &wide, WIDE_SHARE, &other, err)) {
        return false;
    }
    if (has && !q->partial) {
        bool ok = take_better(w, q, &wide, &other, err);

        dcp_solution_finish(&other);
        return ok;
    }
    if (other.placement && (!has || other.n_left < w->night.n_left)) {
        return take_converting(w, q, &wide, &other, err);
    }
    other.rounds += w->night.rounds;
    if (has) {
        w->night.rounds = other.rounds;
        dcp_solution_finish(&other);
    } else { /* What stands against the question with conversions. */
        dcp_solution_finish(&w->night);
        w->night = other;
        *q = wide;
    }
    return true;
}
