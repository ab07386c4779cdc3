/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/pack/pack.h"

#include "solver/pack/bound.h"
#include "solver/pack/clock.h"
#include "solver/pack/columns_search.h"
#include "solver/pack/fill.h"
#include "solver/pack/shift.h"

#include <pthread.h>

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

/* --- Two searches ----------------------------------------------------------
 */

/* The search by swaps, perhaps on a thread of its own. */
struct swaps {
    const struct dcp_pack_instance *in;
    struct dcp_pack_effort e;
    uint64_t bound;
    struct dcp_pack_draft best;
    uint64_t steps;
    bool ok;
    struct dcp_error err;
};

static void *
run_swaps(void *argument)
{
    struct swaps *s = argument;
    uint64_t steps;

    s->ok = dcp_pack_shift(s->in, &s->e, s->bound, &s->best, &steps, &s->err);
    s->steps += steps;
    return NULL;
}

/* Where bins are few and time is what ends it, both tell each other.  Where
 * iterations do, neither knows of the other, except that swaps end when
 * patterns have settled the matter, which makes no difference to the answer. */
static bool
both_at_once(struct swaps *s, struct dcp_pack_effort *e, bool counted,
             struct dcp_pack_draft *best, struct dcp_pack_columns_result *r,
             struct dcp_error *err)
{
    struct dcp_pack_board board = { .cost = best->cost, .bound = r->bound };
    pthread_t thread;

    s->e.board = &board;
    e->board = counted ? NULL : &board;
    if (pthread_create(&thread, NULL, run_swaps, s) != 0) {
        return dcp_fail(err, DCP_E_NOMEM, "no thread to search packings");
    }
    bool ok = dcp_pack_columns_search(s->in, e, best, r, err);

    if (!ok || best->cost <= r->bound) {
        atomic_store(&board.cost, 0);
    }
    (void)pthread_join(thread, NULL);
    return ok;
}

/* Swaps a little, patterns, swaps for the rest; or, counted, each in full. */
static bool
one_by_one(struct swaps *s, struct dcp_pack_effort *e, bool counted,
           double left_s, struct dcp_pack_draft *best,
           struct dcp_pack_columns_result *r, struct dcp_error *err)
{
    double end_s = e->deadline_s;

    if (counted) {
        if (!dcp_pack_columns_search(s->in, e, best, r, err)) {
            return false;
        }
        if (best->cost > r->bound) {
            run_swaps(s);
        }
        return true;
    }
    s->e.deadline_s = end_s - 0.9 * left_s;
    run_swaps(s);
    if (s->best.cost < best->cost) {
        dcp_pack_draft_copy(best, &s->best);
    }
    e->deadline_s = end_s - 0.2 * left_s;
    if (!dcp_pack_columns_search(s->in, e, best, r, err)) {
        return false;
    }
    if (best->cost > r->bound) {
        dcp_pack_draft_copy(&s->best, best);
        s->e.deadline_s = end_s;
        s->bound = r->bound;
        run_swaps(s);
    }
    return true;
}

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
    struct swaps s = { .in = in, .e = e, .bound = out->bound, .ok = true };
    bool counted = o->time_limit_s <= 0;

    if (dcp_pack_done(&e, best->cost, out->bound)) {
        return true;
    }
    if (!dcp_pack_draft_init(&s.best, in)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to pack");
    }
    dcp_pack_draft_copy(&s.best, best);
    bool ok = o->threads > 1
                  ? both_at_once(&s, &e, counted, best, &r, err)
                  : one_by_one(&s, &e, counted, deadline_s - dcp_pack_now(),
                               best, &r, err);

    if (ok && !s.ok) {
        ok = false;
        if (err) {
            *err = s.err;
        }
    }
    if (ok && best->cost > r.bound) { /* Else steps are not the same again. */
        out->steps = s.steps;
    }
    if (ok && s.best.cost < best->cost) {
        dcp_pack_draft_copy(best, &s.best);
    }
    dcp_pack_draft_finish(&s.best);
    out->bound = r.bound;
    out->bound_kind = r.kind;
    out->rounds = r.rounds;
    out->columns_value = r.value;
    out->columns_done = r.done;
    return ok;
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
