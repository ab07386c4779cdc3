/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Conversions that let a repair's moves be ordered.
 *
 * A repair is asked without conversions first, and of equal moves the answer
 * with fewer of them wins; so where no answer that was found has a safe order,
 * asking with conversions would give the same one again.  Instead one VM is
 * converted for certain and nobody else, and the repair is asked around it: the
 * VM that waits, those on the host that it waits for, others that move, others
 * on hosts that moves touch, in that order, until an answer has an order.  One
 * conversion makes room on its host or takes one move out of a circle; circles
 * that need two at once are not found.
 *
 * The bound is that of the question in which all may be converted. */

#include "solver/plan/work.h"

#include <math.h>
#include <string.h>

/* Of the time that is left: for the bound, and for each VM. */
#define BOUND_SHARE  0.3
#define FORCED_SHARE 0.4

static void
try_later(struct dcp_work *w, uint32_t vm)
{
    struct dcp_work_forced *f = &w->forced;
    bool known = !w->may_convert[vm];

    for (uint32_t k = 0; !known && k < f->n; k++) {
        known = f->vm[k] == vm;
    }
    if (!known && f->n < DCP_WORK_FORCED_MAX) {
        f->vm[f->n++] = vm;
    }
}

/* Those that start on the host. */
static void
try_all_on(struct dcp_work *w, uint32_t host)
{
    const struct dcp_placement *start = w->r->start;

    for (uint32_t v = 0; v < start->n_vms; v++) {
        if (start->host[v].ix == host) {
            try_later(w, v);
        }
    }
}

static void
list_candidates(struct dcp_work *w)
{
    const struct dcp_placement *start = w->r->start, *end = w->night.placement;
    const struct dcp_object *stuck = &w->stuck;

    if (stuck->kind == DCP_OBJECT_VM) {
        try_later(w, stuck->ix);
        try_all_on(w, end->host[stuck->ix].ix);
    }
    for (uint32_t v = 0; v < start->n_vms; v++) {
        if (start->host[v].ix != end->host[v].ix) {
            try_later(w, v);
        }
    }
    for (uint32_t v = 0; v < start->n_vms; v++) {
        if (start->host[v].ix != end->host[v].ix &&
            !dcp_host_is_none(start->host[v]) &&
            !dcp_host_is_none(end->host[v])) {
            try_all_on(w, end->host[v].ix);
            try_all_on(w, start->host[v].ix);
        }
    }
}

bool
dcp_work_convert_for_order(struct dcp_work *w)
{
    struct dcp_work_forced *f = &w->forced;

    if (w->r->job != DCP_JOB_REPAIR || !w->may_convert ||
        (!f->begun && !w->night.placement) ||
        strcmp(w->outcome->because.rule, "order") != 0 ||
        dcp_work_time_is_up(w)) {
        return false;
    }
    if (!f->begun) {
        f->begun = true;
        f->because = w->outcome->because;
        f->bound = NAN;
        list_candidates(w);
    } else {
        f->at++;
    }
    return f->at < f->n;
}

/* The same question with all conversions that policy allows. */
static bool
find_bound(struct dcp_work *w, const struct dcp_question *q,
           struct dcp_error *err)
{
    struct dcp_question wide = *q;
    struct dcp_solution s;

    wide.may_convert = w->may_convert;
    w->briefly = true;
    bool ok = dcp_work_solve_as_asked(w, &wide, BOUND_SHARE, &s, err);

    w->briefly = false;
    if (ok) {
        w->forced.bound = s.placement ? s.bound : 0;
        dcp_solution_finish(&s);
    }
    return ok;
}

bool
dcp_work_solve_forced(struct dcp_work *w, struct dcp_question *q,
                      struct dcp_error *err)
{
    struct dcp_work_forced *f = &w->forced;
    struct dcp_solution *s = &w->night;

    if (isnan(f->bound) && !find_bound(w, q, err)) {
        return false;
    }
    memset(w->converted, DCP_MAY_NOT_CONVERT, w->r->inventory->n_vms);
    w->converted[f->vm[f->at]] = DCP_MUST_CONVERT;
    q->may_convert = w->converted;
    if (!dcp_work_solve_as_asked(w, q, FORCED_SHARE, s, err)) {
        return false;
    }
    if (s->placement) {
        dcp_work_set_repair_bound(s, f->bound);
    } else { /* Nothing is proved of others; what stood in the way does. */
        s->status = DCP_STATUS_TIMEOUT;
        s->because = f->because;
    }
    return true;
}
