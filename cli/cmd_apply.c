/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A leg's life in the journal: running, applied, then the model's placement is
 * written with the next serial, then consumed.  Whichever of these a process
 * did last, --resume does the next. */

#include "cli/apply_drift.h"
#include "cli/apply_gates.h"
#include "cli/apply_print.h"
#include "cli/apply_world.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/io/plan_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_PARTIAL 6
#define STATUS_ABORTED 130

struct options {
    const char *leg, *executor;
    bool yes, resume, drift;
};

static const struct dcp_opt rows[] = {
    { "leg", 0, DCP_OPT_TEXT, offsetof(struct options, leg), "LEG", NULL, NULL,
      "Which leg; default: the first that was not carried out." },
    { "executor", 0, DCP_OPT_TEXT, offsetof(struct options, executor), "NAME",
      NULL, "dry",
      "Who carries it out: dry (only lists), sim, live or exec:PROG." },
    { "yes", 'y', DCP_OPT_FLAG, offsetof(struct options, yes), NULL, NULL, NULL,
      "Do not ask before acting by live or exec:PROG; dry and sim never ask." },
    { "resume", 0, DCP_OPT_FLAG, offsetof(struct options, resume), NULL, NULL,
      NULL, "Go on with a leg that was interrupted." },
    { "drift", 0, DCP_OPT_FLAG, offsetof(struct options, drift), NULL, NULL,
      NULL,
      "Only tell how the present differs from the leg's start: by the model's "
      "own book, with --executor live by looking." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

struct apply {
    const struct dcp_globals *globals;
    const struct options *options;
    struct dcp_context context;
    struct dcp_plan *plan;
    struct dcp_journal *journal; /* NULL: dry. */
    uint32_t leg;
    struct dcp_apply_gate gate;   /* Of the members above. */
    struct dcp_leg_record record; /* As the journal had it at the start. */
    enum dcp_apply_kind kind;
    struct dcp_apply_world world;
};

/* --- The run ------------------------------------------------------------ */

static uint32_t
interrupts(void *user)
{
    (void)user;
    return dcp_interrupt_count();
}

static void
progress(void *user, const struct dcp_step *s, enum dcp_step_phase phase,
         int64_t at_ms, const char *text)
{
    const struct apply *a = user;
    char at[32];

    if (a->globals->verbose && phase != DCP_PHASE_INTENT) {
        dcp_print_instant(at_ms, at);
        dcp_ui_say(a->globals, "%s  %s %s: %s%s%s", at,
                   dcp_step_kind_name(s->kind),
                   dcp_object_name(a->context.model.inventory, s->object),
                   dcp_step_phase_name(phase), text && *text ? ", " : "",
                   text ? text : "");
    }
}

/* --- The end of a leg --------------------------------------------------- */

/* For whoever plans next: which VMs have just moved, or were resized. */
/* A process that died after it noted them notes them once more. */
static bool
are_noted(struct apply *a, enum dcp_journal_deed deed, int64_t at_ms, bool *out,
          struct dcp_error *err)
{
    struct dcp_journal_moves moves;

    *out = false;
    if (!dcp_journal_read_moves(a->journal, deed, at_ms, &moves, err)) {
        return false;
    }
    for (uint32_t i = 0; i < moves.n; i++) {
        *out = *out || moves.items[i].at_ms == at_ms;
    }
    dcp_journal_moves_finish(&moves);
    return true;
}

static bool
note_moves(struct apply *a, enum dcp_journal_deed deed, int64_t at_ms,
           struct dcp_error *err)
{
    enum dcp_step_kind kind =
        deed == DCP_DEED_MOVE ? DCP_STEP_MIGRATE : DCP_STEP_VM_RESIZE;
    const struct dcp_plan *plan = a->plan;
    const struct dcp_inventory *inv = a->context.model.inventory;
    DCP_FREE const char **vms = malloc((plan->n_steps + 1u) * sizeof *vms);
    uint32_t n = 0;

    bool noted;

    if (!vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the journal");
    }
    if (!are_noted(a, deed, at_ms, &noted, err)) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->leg != a->leg) {
            continue;
        }
        if (s->kind == kind) {
            vms[n++] = inv->vms[s->object.ix].name;
        } else if (deed == DCP_DEED_MOVE && s->kind == DCP_STEP_VOLUME_MOVE &&
                   !dcp_vm_is_none(inv->volumes[s->object.ix].vm)) {
            vms[n++] = inv->vms[inv->volumes[s->object.ix].vm.ix].name;
        }
    }
    return noted || (!n && deed == DCP_DEED_RESIZE) ||
           dcp_journal_note_moves(a->journal, deed, vms, n, at_ms, err);
}

/* Writes the placement and uses the leg up.  The journal has it as applied
 * before, so a death in between is mended by --resume. */
static bool
commit(struct apply *a, int64_t at_ms, struct dcp_error *err)
{
    struct dcp_model *model = &a->context.model;

    /* Noted before the model moves on, so that a death between the two loses
     * nothing.  All steps were verified: a real world is as the leg says. */
    return note_moves(a, DCP_DEED_MOVE, at_ms, err) &&
           note_moves(a, DCP_DEED_RESIZE, at_ms, err) &&
           dcp_model_commit(a->globals->dir, model,
                            a->world.virtual
                                ? dcp_virtual_placement(a->world.virtual)
                                : a->plan->legs[a->leg].after,
                            err) &&
           dcp_journal_mark_leg(a->journal, DCP_LEG_CONSUMED, model->serial,
                                at_ms, err);
}

static int
exit_status(const struct dcp_run_report *r, const char **out_word)
{
    if (dcp_run_complete(r)) {
        *out_word = "done";
        return 0;
    }
    if (r->aborted) {
        *out_word = "interrupted";
        return STATUS_ABORTED;
    }
    if (r->n_stale && !r->n_done && r->n_stale == r->n_failed) {
        *out_word = "stale";
        return dcp_code_exit_status(DCP_E_STALE);
    }
    *out_word = r->interrupted ? "interrupted" : "partial";
    return STATUS_PARTIAL;
}

/* Something was asked of the world, whatever came of it. */
static bool
any_started(const struct apply *a, const struct dcp_run_report *r)
{
    bool started = false;

    for (uint32_t i = 0; r->steps && i < a->plan->n_steps; i++) {
        started = started || r->steps[i].started_ms;
    }
    return started;
}

static bool
end_leg(struct apply *a, const struct dcp_run_report *r, int status,
        struct dcp_error *err)
{
    if (!a->journal) {
        return true;
    }
    if (status == 0) {
        return dcp_journal_mark_leg(a->journal, DCP_LEG_APPLIED,
                                    a->context.model.serial + 1, r->ended_ms,
                                    err) &&
               commit(a, r->ended_ms, err);
    }
    if (r->n_done == 0 && r->n_unknown == 0 && !r->aborted &&
        !any_started(a, r)) {
        return dcp_journal_mark_leg(a->journal, DCP_LEG_UNUSED, 0, r->ended_ms,
                                    err);
    }
    return true;
}

static void
say_resume(const struct apply *a)
{
    dcp_ui_say(a->globals,
               "go on with: dcplan apply PLAN --leg %s --executor %s --resume",
               a->plan->legs[a->leg].name, a->options->executor);
}

static int
tell(struct apply *a, struct dcp_apply_result *result, int status,
     struct dcp_error *err)
{
    const struct dcp_globals *g = a->globals;
    const struct dcp_run_report *r = result->report;

    if (g->json) {
        return dcp_apply_json(g, result, status, err);
    }
    if (!a->journal) {
        dcp_apply_print_actions(result, !g->quiet);
    }
    dcp_apply_print_summary(result);
    if (r->first_failed) {
        dcp_ui_warn(g, "step %u: %s", r->first_failed, r->first_failure);
    }
    if (status == STATUS_PARTIAL || status == STATUS_ABORTED) {
        say_resume(a);
    } else if (!a->journal) {
        dcp_ui_say(g, "nothing was changed; to rehearse it: --executor sim");
    }
    return status;
}

/* The executor or the journal broke: what was begun can be resumed. */
static int
broken_status(struct apply *a, const struct dcp_run_report *r,
              const struct dcp_error *err)
{
    bool begun = a->options->resume || any_started(a, r);

    if (!a->journal || !begun) {
        struct dcp_error unused;

        (void)(a->journal && dcp_journal_mark_leg(a->journal, DCP_LEG_UNUSED, 0,
                                                  r->ended_ms, &unused));
        return -1;
    }
    dcp_ui_error(a->globals, err);
    say_resume(a);
    return STATUS_PARTIAL;
}

static int
run_leg(struct apply *a, struct dcp_error *err)
{
    struct dcp_run_options o;
    struct dcp_run_report report;
    struct dcp_apply_result result = {
        .inventory = a->context.model.inventory,
        .plan = a->plan,
        .leg = a->leg,
        .executor = a->options->executor,
        .serial_before = a->context.model.serial,
        .report = &report,
        .resumed = a->options->resume,
    };

    dcp_run_options_default(&o);
    o.leg = a->leg;
    o.journal = a->journal;
    o.interrupts = interrupts;
    o.progress = progress;
    o.user = a;
    dcp_interrupt_watch();
    bool ok = dcp_run_leg(result.inventory, a->plan, a->world.executor, &o,
                          &report, err);
    int status = ok ? exit_status(&report, &result.status)
                    : broken_status(a, &report, err);

    if (ok && !end_leg(a, &report, status, err)) {
        status = -1;
    } else if (ok) {
        result.serial_after = a->context.model.serial;
        if (a->world.virtual) {
            result.log = dcp_virtual_log(a->world.virtual, &result.n_log);
        }
        status = tell(a, &result, status, err);
    }
    dcp_run_report_finish(&report);
    return status;
}

/* --- Resume ------------------------------------------------------------- */

static bool
open_world(struct apply *a, struct dcp_error *err)
{
    return dcp_apply_world_open(a->globals, &a->context, a->plan, a->leg,
                                a->options->executor, &a->world, err) &&
           dcp_apply_world_restore(&a->world, a->journal, a->plan, a->leg, err);
}

/* All steps were verified, and the process died before the leg was consumed. */
static int
finish_applied(struct apply *a, struct dcp_error *err)
{
    struct dcp_model *model = &a->context.model;
    bool ok;

    if (model->serial == a->record.serial_after) {
        ok = dcp_journal_mark_leg(a->journal, DCP_LEG_CONSUMED, model->serial,
                                  a->record.ended_ms, err);
    } else {
        ok = dcp_apply_check_serial(&a->gate, err) &&
             (a->kind != DCP_APPLY_SIM || open_world(a, err)) &&
             commit(a, a->record.ended_ms, err);
    }
    if (!ok) {
        return -1;
    }
    dcp_ui_say(a->globals,
               "leg %s had been carried out; the model is now at serial "
               "%" PRIu64,
               a->plan->legs[a->leg].name, model->serial);
    return 0;
}

/* --- Before anything happens --------------------------------------------- */

static bool
needs_word(const struct apply *a)
{
    return dcp_apply_is_real(a->kind) && !a->options->yes;
}

static bool
check_terminal(const struct apply *a, struct dcp_error *err)
{
    return !needs_word(a) || (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) ||
           dcp_fail(err, DCP_E_USAGE,
                    "there is no terminal to ask at: say --yes");
}

/* What would be done, in the order and at the times that a dry run has. */
static bool
list_steps(const struct apply *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = a->context.model.inventory;
    DCP_AUTO(dcp_virtual)
    struct dcp_virtual *dry = dcp_dry_create(
        inv, a->plan, a->leg, dcp_plan_leg_start(a->plan, a->leg), err);
    struct dcp_run_options o;
    struct dcp_run_report report;
    struct dcp_apply_result result = { .inventory = inv,
                                       .plan = a->plan,
                                       .leg = a->leg,
                                       .executor = a->options->executor,
                                       .report = &report };

    dcp_run_options_default(&o);
    o.leg = a->leg;
    bool ok = dry && dcp_run_leg(inv, a->plan, dcp_virtual_executor(dry), &o,
                                 &report, err);

    if (ok) {
        result.log = dcp_virtual_log(dry, &result.n_log);
        dcp_apply_print_actions(&result, false);
    }
    if (dry) {
        dcp_run_report_finish(&report);
    }
    return ok;
}

/* Acting on real things wants a typed word from a person who saw the list, or
 * --yes. */
static bool
confirm(const struct apply *a, struct dcp_error *err)
{
    char answer[8] = "";

    if (!needs_word(a)) {
        return true;
    }
    if (!a->globals->json && !list_steps(a, err)) {
        return false;
    }
    (void)fflush(stdout);
    fprintf(stderr, "Carry out leg '%s' by %s? Type 'yes': ",
            a->plan->legs[a->leg].name, a->options->executor);
    if (fgets(answer, sizeof answer, stdin) && !strcmp(answer, "yes\n")) {
        return true;
    }
    return dcp_fail(err, DCP_E_REFUSED, "nothing was done");
}

/* Looks at the world itself, not only at the model's book of it.  A leg that
 * was begun is not as it starts: the runner looks at each step then. */
static bool
check_world(const struct apply *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = a->context.model.inventory;
    struct dcp_drifts drifts = { 0 };

    if (a->kind != DCP_APPLY_LIVE || a->options->resume) {
        return true;
    }
    uint32_t n_unseen = dcp_drift_unseen_steps(a->globals, inv, a->plan, a->leg,
                                               a->world.executor);

    if (n_unseen) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "%u steps of leg '%s' cannot be reached; nothing was "
                        "done",
                        n_unseen, a->plan->legs[a->leg].name);
    }
    bool ok = dcp_drift_of_world(inv, dcp_plan_leg_start(a->plan, a->leg),
                                 a->world.executor, &drifts, err);

    if (ok) {
        dcp_drift_warn(a->globals, &drifts, 20);
    }
    if (ok && drifts.n > drifts.n_unseen) {
        ok = dcp_fail(err, DCP_E_STALE,
                      "%u VMs or hosts are not as leg '%s' starts; nothing was "
                      "done",
                      drifts.n - drifts.n_unseen, a->plan->legs[a->leg].name);
    }
    dcp_drifts_finish(&drifts);
    return ok;
}

static int
tell_drift(struct apply *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = a->context.model.inventory;
    const struct dcp_placement *planned = dcp_plan_leg_start(a->plan, a->leg);
    struct dcp_drifts drifts = { 0 };
    int status = -1;

    if (a->kind == DCP_APPLY_LIVE
            ? open_world(a, err) &&
                  dcp_drift_of_world(inv, planned, a->world.executor, &drifts,
                                     err)
            : dcp_drift_of_model(inv, planned, a->context.model.placement,
                                 &drifts, err)) {
        status = dcp_drift_tell(a->globals, a->plan, a->leg, &drifts, err);
    }
    dcp_drifts_finish(&drifts);
    return status;
}

static bool
begin(struct apply *a, struct dcp_error *err)
{
    const struct options *o = a->options;
    struct dcp_executor *executor;

    if (a->journal && a->record.state == DCP_LEG_RUNNING && !o->resume) {
        return dcp_journal_begin_leg(a->journal, a->plan, a->leg, o->executor,
                                     a->context.model.serial, 0, false, err);
    }

    if (!dcp_apply_check_serial(&a->gate, err) ||
        !dcp_apply_check_start(&a->gate, err) || !check_terminal(a, err) ||
        !open_world(a, err)) {
        return false;
    }
    executor = a->world.executor;
    if (!dcp_apply_check_validity(&a->gate, executor->ops->now_ms(executor),
                                  err) ||
        !check_world(a, err) || !confirm(a, err)) {
        return false;
    }
    return !a->journal || dcp_journal_begin_leg(
                              a->journal, a->plan, a->leg, o->executor,
                              a->context.model.serial,
                              executor->ops->now_ms(executor), o->resume, err);
}

static int
with_plan(struct apply *a, struct dcp_error *err)
{
    const struct options *o = a->options;

    a->gate = (struct dcp_apply_gate){ .model = &a->context.model,
                                       .plan = a->plan,
                                       .journal = a->journal };
    if (!dcp_apply_choose_leg(&a->gate, o->leg, err) ||
        !dcp_apply_check_model(&a->gate, err)) {
        return -1;
    }
    a->leg = a->gate.leg;
    if (o->drift) {
        return tell_drift(a, err);
    }
    if (a->journal &&
        !dcp_journal_find_leg(a->journal, a->plan, a->leg, &a->record, err)) {
        return -1;
    }
    if (o->resume && a->record.state == DCP_LEG_UNUSED) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "leg '%s' was not begun by executor '%s': there is "
                       "nothing to resume",
                       a->plan->legs[a->leg].name, o->executor);
        return -1;
    }
    if (o->resume && a->record.state == DCP_LEG_APPLIED &&
        dcp_journal_begin_leg(a->journal, a->plan, a->leg, o->executor,
                              a->context.model.serial, a->record.ended_ms, true,
                              err)) {
        return finish_applied(a, err);
    }
    return begin(a, err) ? run_leg(a, err) : -1;
}

static bool
open_journal(struct apply *a, struct dcp_error *err)
{
    char path[4096];

    if (a->kind == DCP_APPLY_DRY || a->options->drift) {
        return true;
    }
    if (dcp_apply_is_real(a->kind) &&
        !dcp_apply_check_space(a->globals->dir, err)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/.dcplan/journal.db", a->globals->dir);
    a->journal =
        dcp_journal_open(path,
                         dcp_apply_is_real(a->kind) ? DCP_DURABILITY_FULL
                                                    : DCP_DURABILITY_NORMAL,
                         err);
    return a->journal != NULL;
}

static int
with_model(struct apply *a, const char *path, struct dcp_error *err)
{
    int status = -1;

    a->plan = dcp_plan_load(a->context.model.inventory, path, err);
    if (a->plan && a->plan->n_legs == 0) {
        (void)dcp_fail(err, DCP_E_PARSE, "'%s' has no legs", path);
    } else if (a->plan && open_journal(a, err)) {
        status = with_plan(a, err);
    }
    dcp_apply_world_close(&a->world);
    dcp_journal_destroy(a->journal);
    dcp_plan_destroy(a->plan);
    return status;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct apply a = { .globals = g, .options = options };
    int lock = -1, status = -1;

    (void)n_args;
    if (!dcp_apply_kind_parse(a.options->executor, &a.kind)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "there is no executor '%s': dry, sim, live or exec:PROG",
                       a.options->executor);
        return -1;
    }
    bool writes = a.kind != DCP_APPLY_DRY && !a.options->drift;

    if (!writes && a.options->resume) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--resume goes with the executor that was interrupted: "
                       "add --executor sim");
        return -1;
    }
    if (writes) {
        lock = dcp_model_lock(g->dir, err);
        if (lock < 0) {
            return -1;
        }
    }
    if (dcp_context_open(g, NULL, &a.context, err)) {
        status = with_model(&a, args[0], err);
        dcp_context_close(&a.context);
    }
    if (writes) {
        dcp_model_unlock(lock);
    }
    return status;
}

const struct dcp_command dcp_cmd_apply = {
    .name = "apply",
    .summary = "carry out a leg of a plan, dry by default",
    .synopsis = "PLAN [--leg LEG] [--executor dry|sim|live|exec:PROG] "
                "[--resume | --drift]",
    .details =
        "Carries out one leg of PLAN, in the order and under the limits that "
        "it states.  The\ndry executor lists what would be done, with the "
        "commands one would type; sim does it\nin a simulated datacenter, "
        "exec:PROG by a program of yours (docs/executors.md); both\nthen write "
        "the model's placement with the next serial.  A plan that is stale, "
        "expired,\nedited or was carried out already is refused.  Ctrl-C lets "
        "running steps end; a second\none stops at once; --resume goes on.\n\n"
        "Examples:\n"
        "  dcplan apply plan.json\n"
        "  dcplan apply plan.json --leg evening --executor sim\n"
        "  dcplan apply plan.json --leg evening --executor sim --resume\n"
        "  dcplan apply plan.json --executor exec:./my-executor --yes\n"
        "  dcplan apply plan.json --drift\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof groups[0],
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
