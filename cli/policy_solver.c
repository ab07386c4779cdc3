/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/policy_solver.h"

#include "cli/replan.h"
#include "sim/policy/param.h"

#include <math.h>
#include <stdlib.h>

#define TIME_LIMIT_S 10.0 /* Of one plan, where no --time-limit is given. */

struct solver_policy {
    struct dcp_sim_policy base;
    const struct dcp_globals *globals;
    struct dcp_context *context;
    uint64_t max_moves;
};

static bool
decide(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
       struct dcp_wishes *out, struct dcp_error *err)
{
    const struct solver_policy *p = (const struct solver_policy *)policy;
    struct dcp_sim_view view = dcp_sim_view(sim);
    struct dcp_replan_options o;
    const char *status;

    dcp_replan_options_default(&o);
    o.after_ms = view.now_ms;
    o.history_until_ms = view.now_ms;
    o.max_moves = p->max_moves;
    o.time_limit_s =
        p->globals->time_limit_s > 0 ? p->globals->time_limit_s : TIME_LIMIT_S;
    return dcp_replan(p->globals, p->context, view.placement, &o, &out->plan,
                      &status, err);
}

static void
destroy(struct dcp_sim_policy *policy)
{
    free(policy);
}

static const struct dcp_sim_policy_ops ops = { "solver",
                                               "what consolidate would plan",
                                               decide, destroy };

struct dcp_sim_policy *
dcp_policy_solver(const struct dcp_globals *g, struct dcp_context *c,
                  const char *param, struct dcp_error *err)
{
    double max_moves = 0;

    if (param && (!dcp_policy_number(param, NULL, 1, 1e9, &max_moves) ||
                  max_moves != floor(max_moves))) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--policy solver:%s: not a number of moves", param);
        return NULL;
    }
    struct solver_policy *p = malloc(sizeof *p);

    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *p = (struct solver_policy){ .base = { &ops },
                                 .globals = g,
                                 .context = c,
                                 .max_moves = (uint64_t)max_moves };
    return &p->base;
}
