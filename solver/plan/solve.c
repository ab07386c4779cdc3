/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One question of a plan, with its share of the time; and where rules may be
 * broken or VMs converted for a price, the question without that beside it. */

#include "solver/plan/work.h"

#include <math.h>
#include <stdio.h>

/* Of the limit, for the order of moves and their times after all questions; no
 * less than dcp_work_after_s(). */
#define SCHEDULE_SHARE 0.15
#define LEAST_S        0.02 /* To find some answer. */
#define BUSY_FRAC      1.25 /* Of CPU seconds, on a machine with other work. */
/* Of what questions took within their limits: less is of no use to others. */
#define AGAIN_FRAC        0.1
#define ATTEMPT_SEED_STEP UINT64_C(0x9e3779b97f4a7c15)

/* The request's limit is for all its questions together: each gets a share of
 * what is left, and at least a moment to find some answer. */
static struct dcp_solve_options
solve_options(const struct dcp_work *w, const struct dcp_question *q,
              double share)
{
    struct dcp_solve_options o = w->r->solve;
    double after_s =
        fmax(dcp_work_limit_s(w) * SCHEDULE_SHARE, dcp_work_after_s(w));
    double left_s = dcp_work_limit_s(w) - after_s - dcp_work_spent_s(w);

    o.seed += w->attempt * ATTEMPT_SEED_STEP;
    o.time_limit_s =
        dcp_work_deadline_ms(w) ? fmax(left_s * share, LEAST_S) : 0;
    if (w->briefly && o.strategy == DCP_STRATEGY_FULL) {
        o.strategy = DCP_STRATEGY_LNS;
    }
    bool by_night = q->last_slot == w->night_slots;
    if (w->side_by_side) {
        o.threads = 1;
    }
    if (w->silent) {
        o.observer.improved = NULL;
    }
    o.observer.part = !w->r->two_legs ? "" : by_night ? "night" : "day";
    o.observer.unit = dcp_work_unit(w, 0);
    return o;
}

/* There is not nearly enough time: better to say so at once than late. */
static void
give_up(const struct dcp_work *w, struct dcp_solution *out)
{
    struct dcp_because *b = &out->because;

    *out = (struct dcp_solution){ .status = DCP_STATUS_TIMEOUT,
                                  .stopped_by = DCP_STOPPED_TIME,
                                  .bound_method = "" };
    (void)snprintf(b->rule, sizeof b->rule, "%s", DCP_WORK_TIME_LIMIT);
    (void)snprintf(b->object, sizeof b->object, "plan");
    b->need = dcp_work_least_s(w);
    b->have = fmax(dcp_work_limit_s(w) - dcp_work_spent_s(w), 0);
    (void)snprintf(b->text, sizeof b->text,
                   "what remains of the limit is %.1f s, and a plan of this "
                   "size takes about %.1f s more at least, as fast as the "
                   "machine is now; allow more time",
                   b->have, b->need);
}

/* The question's share of the time begins once it is compiled: how long that
 * took says how long all else of this size will take. */
static bool
solve(struct dcp_work *w, const struct dcp_question *q, double share,
      struct dcp_solution *out, struct dcp_error *err)
{
    double began_s = dcp_work_spent_s(w), cpu_s = dcp_thread_cpu_s();
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);

    if (!p) {
        return false;
    }
    /* Other programs may be served for a while just then. */
    w->made_s = fmin(dcp_work_spent_s(w) - began_s,
                     BUSY_FRAC * (dcp_thread_cpu_s() - cpu_s));
    if (dcp_work_is_hopeless(w)) {
        give_up(w, out);
        return true;
    }
    began_s = dcp_work_spent_s(w);
    struct dcp_solve_options o = solve_options(w, q, share);
    bool ok = dcp_solve_problem(p, &o, out, err);

    w->searched_s +=
        fmin(dcp_work_spent_s(w) - began_s,
             o.time_limit_s > 0 ? o.time_limit_s : dcp_work_limit_s(w));
    return ok;
}

bool
dcp_work_has_time_again(const struct dcp_work *w)
{
    double fixed_s = dcp_work_spent_s(w) - w->searched_s;

    return !dcp_work_deadline_ms(w) ||
           dcp_work_spent_s(w) + fixed_s + AGAIN_FRAC * w->searched_s <=
               dcp_work_limit_s(w) - fmax(dcp_work_limit_s(w) * SCHEDULE_SHARE,
                                          dcp_work_after_s(w));
}

bool
dcp_work_has_soft_rules(const struct dcp_work *w)
{
    bool soft = false;

    for (uint32_t r = 0; r < w->r->inventory->n_rules; r++) {
        soft |= w->r->inventory->rules[r].soft;
    }
    return soft;
}

/* Takes the other answer where it is cheaper, and frees the worse; the bound is
 * that of 'out', whose question allowed more. */
static void
take_cheaper(struct dcp_solution *out, struct dcp_solution *other)
{
    double margin = 1e-9 * fmax(fabs(other->value), 1);

    if (other->placement &&
        (!out->placement || other->value < out->value - margin)) {
        other->bound = fmin(out->bound, other->value);
        other->hosts_lower_bound = out->hosts_lower_bound;
        other->bound_method = out->bound_method;
        other->status = other->bound >= other->value - margin
                            ? DCP_STATUS_OPTIMAL
                            : DCP_STATUS_FEASIBLE;
        other->rounds += out->rounds;
        dcp_solution_finish(out);
        *out = *other;
    } else {
        out->rounds += other->rounds;
        dcp_solution_finish(other);
    }
}

/* Whether asking a narrower question may still find something cheaper. */
static bool
is_open(const struct dcp_solution *s)
{
    return s->status != DCP_STATUS_OPTIMAL &&
           s->status != DCP_STATUS_INFEASIBLE &&
           s->stopped_by != DCP_STOPPED_GAP;
}

/* Soft rules may be broken for their price.  They are tried as if hard as well:
 * a search that need not weigh them sometimes finds what costs less.  The
 * bound is always that of the question in which they may be broken. */
bool
dcp_work_solve_as_asked(struct dcp_work *w, struct dcp_question *q,
                        double share, struct dcp_solution *out,
                        struct dcp_error *err)
{
    bool soft = dcp_work_has_soft_rules(w);
    struct dcp_solution hard;

    q->price_soft = soft;
    if (!solve(w, q, soft ? share / 2 : share, out, err)) {
        return false;
    }
    if (!soft || !is_open(out) || dcp_work_is_short(w)) {
        return true;
    }
    struct dcp_question kept = *q;

    kept.price_soft = false;
    if (!solve(w, &kept, share, &hard, err)) {
        dcp_solution_finish(out);
        return false;
    }
    take_cheaper(out, &hard);
    return true;
}

bool
dcp_work_solve(struct dcp_work *w, struct dcp_question *q, double share,
               struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_solution none;

    if (!dcp_work_solve_as_asked(w, q, q->may_convert ? share / 2 : share, out,
                                 err)) {
        return false;
    }
    if (!q->may_convert || !is_open(out) || dcp_work_is_short(w)) {
        return true;
    }
    struct dcp_question kept = *q;

    kept.may_convert = NULL;
    if (!dcp_work_solve_as_asked(w, &kept, share, &none, err)) {
        dcp_solution_finish(out);
        return false;
    }
    take_cheaper(out, &none);
    return true;
}
