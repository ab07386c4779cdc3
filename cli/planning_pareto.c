/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include "model/base/units.h"

#include <math.h>
#include <stdio.h>

bool
dcp_planning_read_pareto(const char *text, struct dcp_planning_job *job,
                         struct dcp_error *err)
{
    for (const char *at = text; at;) {
        double k;
        const char *end = dcp_scan_double(at, &k);
        uint32_t n = job->n_pareto;

        if (!end || (*end && *end != ',') || !(k >= 1) || k > 1e6 ||
            k != (double)(uint32_t)k || n == DCP_PARETO_MAX ||
            (n > 0 && k <= job->pareto[n - 1].max_moves)) {
            return dcp_fail(err, DCP_E_USAGE,
                            "--pareto: '%.60s' is not a list of at most %u "
                            "rising numbers of moves such as 5,10,20",
                            text, DCP_PARETO_MAX);
        }
        job->pareto[job->n_pareto++] =
            (struct dcp_pareto_point){ .max_moves = (uint32_t)k };
        at = *end ? end + 1 : NULL;
    }
    return true;
}

static bool
is_answer(const struct dcp_planning_answer *a)
{
    return a->outcome.status == DCP_STATUS_OPTIMAL ||
           a->outcome.status == DCP_STATUS_FEASIBLE ||
           a->outcome.status == DCP_STATUS_NOTHING_TO_DO;
}

static void
note(const struct dcp_planning_answer *a, double lower_bound,
     struct dcp_pareto_point *point)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    int64_t ms = 0;

    for (uint32_t l = 0; a->plan && l < a->plan->n_legs; l++) {
        ms += a->plan->legs[l].makespan_ms;
    }
    point->status = o->status;
    point->moves = a->plan ? o->moves : 0;
    point->moved_mib = a->plan ? o->moved_mib : 0;
    point->hosts_on = o->hosts_on_after;
    point->before = o->before;
    point->after = is_answer(a) ? o->after : NAN;
    point->lower_bound = lower_bound;
    point->plan_seconds = (double)ms / 1000;
}

/* Whether what more moves gave is worse than what fewer did. */
static bool
is_worse(const struct dcp_planning_answer *a,
         const struct dcp_planning_answer *before)
{
    return is_answer(before) &&
           (!is_answer(a) || a->outcome.after > before->outcome.after);
}

bool
dcp_planning_pareto(const struct dcp_globals *g, struct dcp_context *c,
                    const struct dcp_planning_options *o,
                    struct dcp_planning_job *job, int64_t after_ms,
                    struct dcp_planning_answer *out, struct dcp_error *err)
{
    struct dcp_planning_answer all[DCP_PARETO_MAX] = { 0 };
    uint32_t wanted = job->n_pareto - 1;
    bool ok = true;

    for (uint32_t k = 0; k < job->n_pareto; k++) {
        wanted = job->pareto[k].max_moves == o->max_moves ? k : wanted;
    }
    if (o->max_moves && job->pareto[wanted].max_moves != o->max_moves) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--max-moves names the plan that is kept: one of the "
                        "numbers of --pareto");
    }
    uint32_t best = 0; /* Of those for no more moves. */

    for (uint32_t k = 0; ok && k < job->n_pareto; k++) {
        struct dcp_planning_options options = *o;

        options.max_moves = job->pareto[k].max_moves;
        ok = dcp_planning_make(g, c, NULL, &options, job, after_ms, &all[k],
                               err);
        if (!ok) {
            break;
        }
        double bound = all[k].outcome.lower_bound;

        best = is_worse(&all[k], &all[best]) ? best : k;
        note(&all[best], fmin(bound, all[best].outcome.after), &job->pareto[k]);
        if (k == wanted) {
            job->pareto[k].written = true;
            *out = all[best];
            wanted = best;
        }
    }
    for (uint32_t k = 0; k < job->n_pareto; k++) {
        if (!ok || k != wanted) {
            dcp_planning_answer_finish(&all[k]);
        }
    }
    return ok;
}

void
dcp_planning_pareto_print(const struct dcp_planning_job *job)
{
    if (job->n_pareto == 0) {
        return;
    }
    printf("%-15s %8s %8s %8s %10s %10s %10s\n", "", "at most", "moves",
           "hosts on", "value", "at least", "minutes");
    for (uint32_t k = 0; k < job->n_pareto; k++) {
        const struct dcp_pareto_point *p = &job->pareto[k];

        printf("%-15s %8u %8u %8u %10.4f %10.4f %10.1f%s\n", k ? "" : "pareto",
               p->max_moves, p->moves, p->hosts_on, p->after, p->lower_bound,
               p->plan_seconds / 60, p->written ? "  <- this plan" : "");
    }
}

void
dcp_planning_pareto_json(const struct dcp_planning_job *job, struct dcp_json *w)
{
    if (job->n_pareto == 0) {
        return;
    }
    dcp_json_karray(w, "pareto");
    for (uint32_t k = 0; k < job->n_pareto; k++) {
        const struct dcp_pareto_point *p = &job->pareto[k];

        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "max_moves", p->max_moves);
        dcp_json_kstring(w, "status", dcp_status_name(p->status));
        dcp_json_ku64(w, "moves", p->moves);
        dcp_json_ku64(w, "hosts_on_after", p->hosts_on);
        dcp_json_kdouble(w, "value", p->after);
        dcp_json_kdouble(w, "lower_bound", p->lower_bound);
        dcp_json_ku64(w, "moved_mib", p->moved_mib);
        dcp_json_kdouble(w, "plan_seconds", p->plan_seconds);
        dcp_json_kbool(w, "plan", p->written);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}
