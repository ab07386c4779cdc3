/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/policy_run.h"

#include "cli/policy_solver.h"

#include <string.h>

static bool
is_named(const char *text, const char *name)
{
    size_t n = strlen(name);

    return !strncmp(text, name, n) && (text[n] == '\0' || text[n] == ':');
}

bool
dcp_policy_is_solver(const char *text)
{
    return is_named(text, "solver") || is_named(text, "solver-anew");
}

struct dcp_sim_policy *
dcp_policy_make(const struct dcp_globals *g, struct dcp_context *c,
                const char *text, const struct dcp_samples *drawn,
                struct dcp_error *err)
{
    return dcp_policy_is_solver(text)
               ? dcp_policy_solver(g, c, text, drawn, err)
               : dcp_sim_policy_named(text, g->seed, err);
}

struct dcp_policy_run_input
dcp_policy_run_beside(const struct dcp_globals *g, struct dcp_context *c,
                      const struct dcp_replay *r,
                      const struct dcp_placement *start, const char *policy,
                      int64_t every_ms)
{
    struct dcp_policy_run_input input = {
        .globals = g,
        .context = c,
        .policy = policy,
        .in = { .inventory = c->model.inventory,
                .start = start,
                .from_ms = r->without.from_ms,
                .to_ms = r->without.to_ms,
                .reference = &r->without },
        .failures = r->has_failures ? &r->failures : NULL,
        .net = &r->net,
        .storage = &r->storage,
        .every_ms = every_ms,
    };

    dcp_replay_give_samples(r, &input.in);
    return input;
}

/* With who looks on and who counts reads and writes. */
static bool
run_loop(const struct dcp_policy_run_input *input, bool last,
         struct dcp_sim_policy *policy, const struct dcp_loop_options *o,
         struct dcp_policy_run *out, struct dcp_error *err)
{
    static const struct dcp_storage_use nobody = { 0 };
    struct dcp_sim_input in = input->in;
    struct dcp_storage_count count = { 0 };
    bool ok =
        (!input->prepare || input->prepare(input->user, last, &in, err)) &&
        dcp_storage_count_begin(input->storage ? input->storage : &nobody, &in,
                                &count, err) &&
        dcp_loop_run(&in, policy, o, &out->result, &out->report, err) &&
        dcp_storage_count_end(&count, &out->storage, err);

    dcp_storage_count_finish(&count);
    return ok;
}

bool
dcp_policy_run(const struct dcp_policy_run_input *input, bool last,
               struct dcp_policy_run *out, struct dcp_error *err)
{
    const struct dcp_failures *f = input->failures;
    const struct dcp_placement *start = input->in.start;
    struct dcp_loop_options o = { .every_ms = input->every_ms,
                                  .net =
                                      input->net->n_times ? input->net : NULL };
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *policy = dcp_policy_make(
        input->globals, input->context, input->policy, input->drawn, err);

    *out = (struct dcp_policy_run){ .name = input->policy };
    if (!policy || (f && !dcp_failures_begin(f, start, &out->failed, err))) {
        return false;
    }
    o.ha = out->failed.ha;
    bool ok = run_loop(input, last, policy, &o, out, err);

    out->failed.lost = out->report.lost;
    if (ok && (!f || dcp_failures_end(f, start, &out->failed, err))) {
        return true;
    }
    dcp_policy_run_finish(out);
    return false;
}

void
dcp_policy_run_finish(struct dcp_policy_run *run)
{
    dcp_sim_result_finish(&run->result);
    dcp_failure_run_finish(&run->failed);
    dcp_io_result_finish(&run->storage);
    *run = (struct dcp_policy_run){ 0 };
}

static void
json_report(struct dcp_json *w, const struct dcp_loop_report *r)
{
    dcp_json_kobject(w, "loop");
    dcp_json_ku64(w, "asked", r->asked);
    dcp_json_ku64(w, "waited", r->waited);
    dcp_json_ku64(w, "stood", r->stood);
    dcp_json_ku64(w, "plans", r->plans);
    dcp_json_ku64(w, "wishes", r->wishes);
    dcp_json_ku64(w, "refused_moves", r->refused_moves);
    dcp_json_ku64(w, "refused_switches", r->refused_switches);
    dcp_json_ku64(w, "refused_by_rules", r->refused_by_rules);
    dcp_json_ku64(w, "steps", r->steps);
    dcp_json_ku64(w, "steps_failed", r->steps_failed);
    dcp_json_end(w, '}');
}

bool
dcp_policy_run_json(struct dcp_json *w, const struct dcp_inventory *inv,
                    const struct dcp_replay *r,
                    const struct dcp_policy_run *run, struct dcp_error *err)
{
    const struct dcp_replay_part part = { &run->result, &run->failed,
                                          &run->storage };

    dcp_json_kstring(w, "policy", run->name);
    if (!dcp_replay_json(w, inv, r, part, err)) {
        return false;
    }
    json_report(w, &run->report);
    return true;
}
