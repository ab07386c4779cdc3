/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A leg's life in the journal: running, applied, then the model's placement is
 * written with the next serial, then consumed.  Whichever of these a process
 * did last, --resume does the next. */

#include "cli/apply_print.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/replay.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/io/plan_file.h"
#include "sim/executor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_PARTIAL 6
#define STATUS_ABORTED 130

struct options {
    const char *leg, *executor;
    bool yes, resume, drift;
};

static const char *const executors[] = { "dry", "sim", NULL };

static const struct dcp_opt rows[] = {
    { "leg", 0, DCP_OPT_TEXT, offsetof(struct options, leg), "LEG", NULL, NULL,
      "Which leg; default: the first that was not carried out." },
    { "executor", 0, DCP_OPT_CHOICE, offsetof(struct options, executor), "NAME",
      executors, "dry", "Who carries it out; dry only lists." },
    { "yes", 'y', DCP_OPT_FLAG, offsetof(struct options, yes), NULL, NULL, NULL,
      "Do not ask; dry and sim never do." },
    { "resume", 0, DCP_OPT_FLAG, offsetof(struct options, resume), NULL, NULL,
      NULL, "Go on with a leg that was interrupted." },
    { "drift", 0, DCP_OPT_FLAG, offsetof(struct options, drift), NULL, NULL,
      NULL, "Only tell how the present differs from the leg's start." },
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
    struct dcp_leg_record record; /* As the journal had it at the start. */
    struct dcp_samples net;
    struct dcp_sim_executor *sim;
    struct dcp_virtual *dry;
    struct dcp_virtual *world; /* Of 'sim' or 'dry'. */
};

/* --- Gates -------------------------------------------------------------- */

static bool
choose_leg(struct apply *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;

    if (a->options->leg) {
        for (uint32_t i = 0; i < plan->n_legs; i++) {
            if (!strcmp(plan->legs[i].name, a->options->leg)) {
                a->leg = i;
                return true;
            }
        }
        return dcp_fail(err, DCP_E_USAGE,
                        "the plan has no leg '%s'; its first is '%s'",
                        a->options->leg, plan->legs[0].name);
    }
    uint64_t done = a->context.model.serial - plan->serial;

    /* Any other serial is refused right after this. */
    a->leg = a->context.model.serial > plan->serial && done < plan->n_legs
                 ? (uint32_t)done
                 : 0;
    return true;
}

static bool
check_model(const struct apply *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;
    const struct dcp_inventory *inv = a->context.model.inventory;

    if (strcmp(plan->lineage, inv->lineage) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan was made for another model (lineage %s, this "
                        "is %s)",
                        plan->lineage, inv->lineage);
    }
    if (strcmp(plan->model_digest, inv->digest) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the model was changed since the plan was made; make a "
                        "new plan");
    }
    return true;
}

static bool
check_serial(const struct apply *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;
    uint64_t serial = a->context.model.serial;
    uint64_t expected = plan->serial + a->leg;
    bool preview = !a->journal && serial >= plan->serial && serial < expected;

    if (serial == expected || preview) {
        return true;
    }
    if (serial > plan->serial && serial <= expected + plan->n_legs) {
        struct dcp_error unused;
        struct dcp_leg_record leg = { 0 };

        if (a->journal &&
            dcp_journal_find_leg(a->journal, plan, a->leg, &leg, &unused) &&
            leg.state == DCP_LEG_CONSUMED) {
            return dcp_fail(err, DCP_E_STALE,
                            "leg '%s' of this plan was carried out already",
                            plan->legs[a->leg].name);
        }
    }
    return dcp_fail(err, DCP_E_STALE,
                    "leg '%s' starts from serial %" PRIu64
                    ", the model is at %" PRIu64 "; %s",
                    plan->legs[a->leg].name, expected, serial,
                    serial < expected ? "carry out the legs before it first"
                                      : "make a new plan");
}

static bool
check_start(const struct apply *a, struct dcp_error *err)
{
    const struct dcp_placement *now = a->context.model.placement;
    const struct dcp_placement *planned = dcp_plan_leg_start(a->plan, a->leg);
    uint32_t n = dcp_placement_n_moved(planned, now);

    for (uint32_t h = 0; h < now->n_hosts; h++) {
        n += planned->on[h] != now->on[h];
    }
    return !n || !a->journal ||
           dcp_fail(err, DCP_E_STALE,
                    "%u VMs or hosts are not as leg '%s' starts; see --drift",
                    n, a->plan->legs[a->leg].name);
}

/* By the executor's clock, which for both starts with the leg. */
static bool
check_validity(const struct apply *a, struct dcp_error *err)
{
    int64_t now_ms = a->plan->legs[a->leg].start_ms;
    char until[32];

    if (now_ms >= a->plan->not_before_ms && now_ms <= a->plan->not_after_ms) {
        return true;
    }
    dcp_print_instant(now_ms > a->plan->not_after_ms ? a->plan->not_after_ms
                                                     : a->plan->not_before_ms,
                      until);
    return dcp_fail(err, DCP_E_STALE, "the plan is valid %s %s",
                    now_ms > a->plan->not_after_ms ? "until" : "from", until);
}

/* --- The executor ------------------------------------------------------- */

static bool
make_world(struct apply *a, struct dcp_error *err)
{
    const struct dcp_inventory *inv = a->context.model.inventory;
    const struct dcp_leg *leg = &a->plan->legs[a->leg];

    if (!a->journal) {
        a->dry = dcp_dry_create(inv, a->plan, a->leg,
                                dcp_plan_leg_start(a->plan, a->leg), err);
        a->world = a->dry;
        return a->dry != NULL;
    }
    if (!dcp_replay_net(&a->context, leg->start_ms,
                        leg->deadline_ms, &a->net, err)) {
        return false;
    }
    a->sim = dcp_sim_executor_create(inv, a->plan, a->leg,
                                     a->context.model.placement, leg->start_ms,
                                     a->net.n_times ? &a->net : NULL, err);
    a->world = a->sim ? dcp_sim_executor_world(a->sim) : NULL;
    return a->sim != NULL;
}

static bool
restore(struct apply *a, struct dcp_error *err)
{
    DCP_FREE struct dcp_step_record *records =
        calloc((size_t)a->plan->n_steps + 1, sizeof *records);

    if (!records) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to resume");
    }
    return dcp_journal_load_steps(a->journal, a->plan, a->leg, records, err) &&
           dcp_virtual_restore(a->world, records, err);
}

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

/* Writes the placement and uses the leg up.  The journal has it as applied
 * before, so a death in between is mended by --resume. */
static bool
commit(struct apply *a, int64_t at_ms, struct dcp_error *err)
{
    struct dcp_model *model = &a->context.model;

    return dcp_model_commit(a->globals->dir, model,
                            dcp_virtual_placement(a->world), err) &&
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
    if (r->n_done == 0 && r->n_unknown == 0 && !r->aborted) {
        return dcp_journal_mark_leg(a->journal, DCP_LEG_UNUSED, 0, r->ended_ms,
                                    err);
    }
    return true;
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
        dcp_ui_say(g,
                   "go on with: dcplan apply PLAN --leg %s --executor %s "
                   "--resume",
                   a->plan->legs[a->leg].name, a->options->executor);
    } else if (!a->journal) {
        dcp_ui_say(g, "nothing was changed; to rehearse it: --executor sim");
    }
    return status;
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
    bool ok = dcp_run_leg(result.inventory, a->plan,
                          dcp_virtual_executor(a->world), &o, &report, err);
    int status = ok ? exit_status(&report, &result.status) : -1;

    if (ok && !end_leg(a, &report, status, err)) {
        status = -1;
    }
    if (status >= 0) {
        result.serial_after = a->context.model.serial;
        result.log = dcp_virtual_log(a->world, &result.n_log);
        status = tell(a, &result, status, err);
    }
    dcp_run_report_finish(&report);
    return status;
}

/* --- Resume ------------------------------------------------------------- */

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
        ok = check_serial(a, err) && make_world(a, err) && restore(a, err) &&
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

static int
with_plan(struct apply *a, struct dcp_error *err)
{
    const struct options *o = a->options;

    if (!choose_leg(a, err) || !check_model(a, err)) {
        return -1;
    }
    if (o->drift) {
        return dcp_apply_drift(a->globals, a->context.model.inventory, a->plan,
                               a->leg, a->context.model.placement, err);
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
    if (!check_serial(a, err) || !check_start(a, err) ||
        !check_validity(a, err)) {
        return -1;
    }
    if (a->journal &&
        !dcp_journal_begin_leg(
            a->journal, a->plan, a->leg, o->executor, a->context.model.serial,
            a->plan->legs[a->leg].start_ms, o->resume, err)) {
        return -1;
    }
    if (!make_world(a, err) || (a->journal && !restore(a, err))) {
        return -1;
    }
    return run_leg(a, err);
}

static int
with_model(struct apply *a, const char *path, struct dcp_error *err)
{
    char journal[4096];

    a->plan = dcp_plan_load(a->context.model.inventory, path, err);
    if (!a->plan) {
        return -1;
    }
    if (a->plan->n_legs == 0) {
        (void)dcp_fail(err, DCP_E_PARSE, "'%s' has no legs", path);
        return -1;
    }
    if (!strcmp(a->options->executor, "sim") && !a->options->drift) {
        (void)snprintf(journal, sizeof journal, "%s/.dcplan/journal.db",
                       a->globals->dir);
        a->journal = dcp_journal_open(journal, DCP_DURABILITY_NORMAL, err);
        if (!a->journal) {
            return -1;
        }
    }
    int status = with_plan(a, err);

    dcp_journal_destroy(a->journal);
    dcp_sim_executor_destroy(a->sim);
    dcp_virtual_destroy(a->dry);
    dcp_samples_finish(&a->net);
    dcp_plan_destroy(a->plan);
    return status;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct apply a = { .globals = g, .options = options };
    bool writes = strcmp(a.options->executor, "dry") != 0 && !a.options->drift;
    int lock = -1, status = -1;

    (void)n_args;
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
    .synopsis = "PLAN [--leg LEG] [--executor dry|sim] [--resume | --drift]",
    .details =
        "Carries out one leg of PLAN, in the order and under the limits that "
        "it states.  The\ndry executor lists what would be done, with the "
        "commands one would type; sim does it\nin a simulated datacenter and "
        "then writes the model's placement with the next\nserial.  A plan "
        "that is stale, expired, edited or was carried out already is "
        "refused.\nCtrl-C lets running steps end; a second one stops at once; "
        "--resume goes on.\n\n"
        "Examples:\n"
        "  dcplan apply plan.json\n"
        "  dcplan apply plan.json --leg evening --executor sim\n"
        "  dcplan apply plan.json --leg evening --executor sim --resume\n"
        "  dcplan apply plan.json --drift\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof groups[0],
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
