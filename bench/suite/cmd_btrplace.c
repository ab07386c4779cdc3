/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/read_btrplace.h"
#include "bench/suite/suite.h"
#include "cli/ui.h"
#include "model/io/file.h"
#include "model/io/json_writer.h"
#include "solver/reconfig/reconfig.h"

#include <math.h>

static const struct dcp_opt_group groups[] = {
    { dcp_suite_rows, DCP_SUITE_N_ROWS, 0 },
};

static const char *const action_names[] = {
    [DCP_RC_MIGRATE] = "migrateVM",          [DCP_RC_BOOT_VM] = "bootVM",
    [DCP_RC_SHUTDOWN_VM] = "shutdownVM",     [DCP_RC_SUSPEND_VM] = "suspendVM",
    [DCP_RC_RESUME_VM] = "resumeVM",         [DCP_RC_KILL_VM] = "killVM",
    [DCP_RC_ALLOCATE] = "allocate",          [DCP_RC_BOOT_NODE] = "bootNode",
    [DCP_RC_SHUTDOWN_NODE] = "shutdownNode",
};

static void
print_node(struct dcp_json *j, const struct dcp_rc_world *w, const char *key,
           uint32_t node)
{
    if (node != DCP_RC_NONE) {
        dcp_json_ki64(j, key, w->nodes[node].id);
    }
}

static void
print_action(struct dcp_json *j, const struct dcp_rc_world *w,
             const struct dcp_rc_action *a)
{
    bool stays = a->kind == DCP_RC_SHUTDOWN_VM || a->kind == DCP_RC_KILL_VM;

    dcp_json_begin_line(j, '{');
    dcp_json_kstring(j, "id", action_names[a->kind]);
    if (a->vm != DCP_RC_NONE) {
        dcp_json_ki64(j, "vm", w->vms[a->vm].id);
    }
    print_node(j, w, "node", a->node);
    print_node(j, w, "from", a->from);
    print_node(j, w, stays ? "on" : "to", stays ? a->from : a->to);
    if (a->kind == DCP_RC_ALLOCATE) {
        print_node(j, w, "on", a->to);
        dcp_json_kstring(j, "rc", w->dim_names[a->dim]);
        dcp_json_ki64(j, "amount", a->amount);
    }
    if (a->kind == DCP_RC_MIGRATE && w->vms[a->vm].bandwidth > 0) {
        dcp_json_ki64(j, "bw", w->vms[a->vm].bandwidth);
    }
    dcp_json_ki64(j, "start", a->start_s);
    dcp_json_ki64(j, "end", a->end_s);
    dcp_json_end(j, '}');
}

static bool
write_plan(const char *path, const struct dcp_rc_world *w,
           const struct dcp_rc_plan *plan, struct dcp_error *err)
{
    struct dcp_json j;
    bool done;

    if (!path) {
        return true;
    }
    dcp_json_init(&j, true);
    dcp_json_begin(&j, '{');
    dcp_json_karray(&j, "actions");
    for (uint32_t i = 0; i < plan->n_actions; i++) {
        print_action(&j, w, &plan->actions[i]);
    }
    dcp_json_end(&j, ']');
    dcp_json_end(&j, '}');

    const char *text = dcp_json_text(&j);

    done = text ? dcp_file_write(path, text, j.text.length, err)
                : dcp_fail(err, DCP_E_NOMEM, "no memory for the plan");
    dcp_json_finish(&j);
    return done;
}

static int
finish(const struct dcp_globals *g, const struct dcp_suite_options *o,
       const char *path, const struct dcp_btrplace *b,
       const struct dcp_rc_plan *plan)
{
    bool found = plan->status == DCP_RC_FOUND;
    int64_t last = 0;

    for (uint32_t i = 0; i < plan->n_actions; i++) {
        last = plan->actions[i].end_s > last ? plan->actions[i].end_s : last;
    }
    if (!found) {
        dcp_ui_say(g, "%s", plan->because);
    } else if (b->is_plan) {
        dcp_ui_say(g, "last end %lld s, the published plan's %lld s (%s)",
                   (long long)last, (long long)b->published_end_s, plan->rule);
    }
    return dcp_suite_end(
        g,
        &(struct dcp_suite_result){
            .instance = path,
            .status = found ? (last <= plan->bound_s ? "optimal" : "feasible")
                      : plan->status == DCP_RC_IMPOSSIBLE ? "infeasible"
                                                          : "timeout",
            .value = found ? (double)last : (double)NAN,
            .lower_bound = plan->status == DCP_RC_IMPOSSIBLE
                               ? (double)NAN
                               : (double)plan->bound_s,
            .moves = found ? plan->n_migrations : (double)NAN,
            .solution = found ? o->output : NULL,
        });
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct dcp_suite_options *o = options;
    const struct dcp_rc_options so = { .seed = g->seed,
                                       .iterations = g->iterations };
    struct dcp_btrplace b;
    struct dcp_rc_plan plan;
    int status = -1;

    (void)n_args;
    if (!dcp_btrplace_read(args[0], &b, err)) {
        return -1;
    }
    if (dcp_rc_solve(&b.world, &so, &plan, err)) {
        if (plan.status != DCP_RC_FOUND ||
            write_plan(o->output, &b.world, &plan, err)) {
            status = finish(g, o, args[0], &b, &plan);
        }
        dcp_rc_plan_finish(&plan);
    }
    dcp_btrplace_finish(&b);
    return status;
}

const struct dcp_command dcp_suite_cmd_btrplace = {
    .name = "btrplace",
    .summary = "reconfiguration plans of BtrPlace and of live migrations",
    .synopsis = "FILE [-o SOLUTION]",
    .details =
        "Reads BtrPlace's JSON: an instance {model, constraints}, for which it "
        "makes places and\na plan of timed actions; or a plan {origin, "
        "actions}, whose actions it gives new times\nunder the same "
        "bandwidths. "
        "The value is the last end in seconds.\ndocs/scheduling.md says which "
        "constraints mean what.\n\n"
        "Examples:\n"
        "  dcplan-bench btrplace li6.gz -o plan.json\n"
        "  dcplan-bench btrplace ucc15/random.1.json --seed 7\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_suite_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
