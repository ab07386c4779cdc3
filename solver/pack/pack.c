/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/pack/pack.h"

#include "solver/pack/bound.h"
#include "solver/pack/clock.h"
#include "solver/pack/columns_search.h"
#include "solver/pack/fill.h"

static double
deadline_of(const struct dcp_pack_options *o)
{
    return o->time_limit_s > 0 ? dcp_pack_now() + o->time_limit_s
                               : DCP_PACK_NO_DEADLINE;
}

bool
dcp_pack_construct(const struct dcp_pack_problem *p,
                   struct dcp_pack_packing *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_instance)
    struct dcp_pack_instance *in = dcp_pack_instance_create(p, err);
    struct dcp_pack_draft best = { 0 };
    bool infeasible;

    if (!in) {
        return false;
    }
    bool ok = dcp_pack_draft_init(&best, in) &&
              dcp_pack_fill_best(in, dcp_pack_bound_sum(in, &infeasible),
                                 DCP_PACK_NO_DEADLINE, &best);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
    } else if (best.cost == UINT64_MAX) {
        ok = dcp_fail(err, DCP_E_LIMIT, "no packing was found");
    } else {
        ok = dcp_pack_draft_export(&best, in, out, err);
    }
    dcp_pack_draft_finish(&best);
    return ok;
}

/* --- Columns ------------------------------------------------------------- */

static bool
improve(const struct dcp_pack_instance *in, const struct dcp_pack_options *o,
        double deadline_s, struct dcp_pack_draft *best,
        struct dcp_pack_answer *out, struct dcp_error *err)
{
    struct dcp_pack_effort e = {
        .iterations = o->iterations,
        .seed = o->seed,
        .deadline_s = deadline_s,
        .gap_frac = o->gap_frac,
    };
    struct dcp_pack_columns_result r = { .bound = out->bound,
                                         .kind = out->bound_kind };

    if (dcp_pack_done(&e, best->cost, out->bound)) {
        return true;
    }
    if (!dcp_pack_columns_search(in, &e, best, &r, err)) {
        return false;
    }
    out->bound = r.bound;
    out->bound_kind = r.kind;
    out->rounds = r.rounds;
    out->columns_value = r.value;
    out->columns_done = r.done;
    return true;
}

static bool
solve(const struct dcp_pack_instance *in, const struct dcp_pack_options *o,
      struct dcp_pack_draft *best, struct dcp_pack_answer *out,
      struct dcp_error *err)
{
    double deadline_s = deadline_of(o);
    bool infeasible;

    if (!dcp_pack_bound_cheap(in, &out->bound, &out->bound_kind, &infeasible)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for bounds");
    }
    if (infeasible) {
        out->status = DCP_PACK_INFEASIBLE;
        return true;
    }
    if (!dcp_pack_fill_best(in, out->bound, deadline_s, best)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
    }
    if (in->n && !improve(in, o, deadline_s, best, out, err)) {
        return false;
    }
    if (best->cost == UINT64_MAX) {
        return true;
    }
    out->status =
        best->cost == out->bound ? DCP_PACK_OPTIMAL : DCP_PACK_FEASIBLE;
    return dcp_pack_draft_export(best, in, &out->packing, err);
}

bool
dcp_pack_solve(const struct dcp_pack_problem *p,
               const struct dcp_pack_options *o, struct dcp_pack_answer *out,
               struct dcp_error *err)
{
    DCP_AUTO(dcp_pack_instance)
    struct dcp_pack_instance *in = dcp_pack_instance_create(p, err);
    struct dcp_pack_draft best = { 0 };
    struct dcp_pack_answer made = { .status = DCP_PACK_UNKNOWN };

    if (!in) {
        return false;
    }
    if (!dcp_pack_draft_init(&best, in)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
    }
    bool ok = solve(in, o, &best, &made, err);

    dcp_pack_draft_finish(&best);
    if (ok) {
        *out = made;
    } else {
        dcp_pack_answer_finish(&made);
    }
    return ok;
}
