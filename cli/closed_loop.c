/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/closed_loop.h"

#include "cli/policy_run.h"
#include "cli/replay.h"
#include "cli/replay_print.h"
#include "cli/result_json.h"
#include "cli/sim_report.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "sim/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_INTERRUPTED 6

struct comparison {
    const struct dcp_globals *globals;
    struct dcp_context *context;
    const struct dcp_closed_loop_options *options;
    struct dcp_replay replay; /* Its 'without' is "none". */
    struct dcp_policy_run band, chosen;
    struct dcp_replications *again; /* Owned; NULL: none. */
    bool stopped;    /* By a person; then rows are of different lengths. */
    bool has_chosen; /* Else it is the band itself. */
    bool has_band;   /* Not where a person ended it all before. */
};

/* --- Running ------------------------------------------------------------ */

static bool
run_policy(struct comparison *c, const char *text, struct dcp_policy_run *out,
           struct dcp_error *err)
{
    struct dcp_policy_run_input in = dcp_policy_run_beside(
        c->globals, c->context, &c->replay, c->context->model.placement, text,
        c->options->every_ms);
    bool last = out == &c->chosen || !c->has_chosen;

    in.prepare = dcp_onlooker_prepare;
    in.user = c->options->onlooker;
    if (!dcp_policy_run(&in, last, out, err)) {
        return false;
    }
    c->stopped = c->stopped || out->result.stopped;
    return !last || dcp_onlooker_end(c->options->onlooker, &out->result,
                                     &c->replay.without, err);
}

/* Of the replay without a policy: nothing is kept of that. */
static bool
prepare(void *user, bool last, struct dcp_sim_input *in, struct dcp_error *err)
{
    const struct comparison *c = user;

    (void)last;
    return dcp_onlooker_prepare(c->options->onlooker, false, in, err);
}

static bool
run_all(struct comparison *c, struct dcp_error *err)
{
    const char *text = c->options->policy;
    struct dcp_replay_options window = { .from_ms = c->options->from_ms,
                                         .to_ms = c->options->to_ms,
                                         .failures = c->options->failures,
                                         .seed = c->globals->seed,
                                         .prepare = prepare,
                                         .user = c };
    static const struct dcp_samples none_yet = { 0 };
    /* What cannot be is said before an hour's replay. */
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *tried = dcp_policy_make(
        c->globals, c->context, text,
        c->options->resample->block_days ? &none_yet : NULL, err);

    if (!tried || !dcp_replay_run(c->context, NULL, &window, &c->replay, err) ||
        !dcp_replay_load_samples(c->context, &c->replay, err)) {
        return false;
    }
    c->stopped = c->replay.stopped;
    c->has_chosen = strcmp(text, DCP_BAND) != 0;
    if (c->has_chosen && !run_policy(c, text, &c->chosen, err)) {
        return false;
    }
    c->has_band = !c->has_chosen || !c->stopped;
    return !c->has_band || run_policy(c, DCP_BAND, &c->band, err);
}

/* With other failures and days each time: the policy, and beside it doing
 * nothing and the band. */
static bool
run_again(struct comparison *c, struct dcp_error *err)
{
    const struct dcp_policy_run_input chosen = dcp_policy_run_beside(
        c->globals, c->context, &c->replay, c->context->model.placement,
        c->options->policy, c->options->every_ms);
    struct dcp_policy_run_input band = chosen;
    const struct dcp_replication_input in = {
        .replay = &c->replay,
        .policy = &chosen,
        .band = c->has_chosen ? &band : NULL,
        .options = c->options->replications,
        .failures = c->options->failures,
        .resample = c->options->resample
    };

    band.policy = DCP_BAND;
    if (!in.options->n || c->stopped) {
        return true;
    }
    c->again = dcp_replications_run(c->globals, c->context, &in, err);
    return c->again != NULL;
}

/* --- Output ------------------------------------------------------------- */

static const struct dcp_availability *
availability(const struct comparison *c, const struct dcp_failure_run *run)
{
    return c->replay.has_failures ? &run->availability : NULL;
}

static bool
write_report(const struct comparison *c, struct dcp_error *err)
{
    struct dcp_sim_page_run runs[3] = {
        { "none", &c->replay.without,
          availability(c, &c->replay.failed_without) },
    };
    uint32_t n = 1;
    struct dcp_sim_page_sure sure;

    if (c->has_band) {
        runs[n++] =
            (struct dcp_sim_page_run){ DCP_BAND, &c->band.result,
                                       availability(c, &c->band.failed) };
    }
    if (c->has_chosen) {
        runs[n++] =
            (struct dcp_sim_page_run){ c->chosen.name, &c->chosen.result,
                                       availability(c, &c->chosen.failed) };
    }

    dcp_replications_table(c->again, &sure);
    const struct dcp_sim_page page = {
        .inventory = c->context->model.inventory,
        .sure = &sure,
        .runs = runs,
        .n_runs = n,
        .partial = c->replay.partial,
    };

    return !c->options->report ||
           dcp_sim_report_write(c->options->report, &page, c->options->onlooker,
                                err);
}

static void
print_row(const char *name, const struct dcp_sim_result *s,
          const struct dcp_loop_report *report)
{
    printf("%-16s %11.1f %11.2f %8.1f %9u %9u %11.1f %9.4f", name, s->meter_kwh,
           s->energy_cost, s->hosts_on_mean, s->migrations,
           s->host_shutdowns + s->host_boots, s->overload_host_s / 60,
           s->requested_mhz_s > 0
               ? 100 * s->unmet_cpu_mhz_s / s->requested_mhz_s
               : 0);
    if (report) {
        printf(" %8u", report->refused_moves + report->refused_switches +
                           report->refused_by_rules);
    }
    putchar('\n');
}

static void
print_failed(const char *name, const struct dcp_failure_run *run)
{
    const struct dcp_availability *a = &run->availability;
    struct dcp_ha_counts n = dcp_ha_counts(run->ha);

    printf("%-16s %8u %10u %11.1f %9u %12.6f %11u %9u\n", name, n.host_failures,
           a->n_vms_hit, a->down_vm_s / 60, n.vms_homeless_max,
           100 * a->availability_frac, n.boots_failed + n.migrations_failed,
           dcp_lost_steps_prevented(&run->lost));
}

static void
print_failures(const struct comparison *c)
{
    printf(
        "\nFailures: %u outages, the same for all; docs/sim-failures.md says "
        "what is assumed.\n%-16s %8s %10s %11s %9s %12s %11s %9s\n",
        c->replay.failures.all.n, "policy", "hosts", "VMs hit", "down, min",
        "homeless", "available, %", "steps fail", "prevented");
    print_failed("none", &c->replay.failed_without);
    if (c->has_band) {
        print_failed(DCP_BAND, &c->band.failed);
    }
    if (c->has_chosen) {
        print_failed(c->chosen.name, &c->chosen.failed);
    }
    if (c->has_band) {
        dcp_lost_steps_print(DCP_BAND, &c->band.failed.lost);
    }
    if (c->has_chosen) {
        dcp_lost_steps_print(c->chosen.name, &c->chosen.failed.lost);
    }
}

static void
print_table(const struct comparison *c)
{
    const struct dcp_sim_result *s = &c->replay.without;
    char from[32], to[32];

    dcp_print_instant(s->from_ms, from);
    dcp_print_instant(s->to_ms, to);
    printf("Closed loop, %s to %s, asked every %.0f min: %u VMs on %u hosts, "
           "%u samples each%s\n",
           from, to, (double)c->options->every_ms / 60000, s->n_vms, s->n_hosts,
           s->n_slices,
           c->stopped          ? "; ended early, the rows are of different "
                                 "lengths of time"
           : c->replay.partial ? "; the store covers only this part"
                               : "");
    dcp_replay_print_gaps(&c->replay);
    printf("\n%-16s %11s %11s %8s %9s %9s %11s %9s %8s\n", "policy", "kWh",
           c->context->model.inventory->currency, "hosts on", "moves",
           "switches", "over, h-min", "unmet, %", "refused");
    print_row("none", s, NULL);
    if (c->has_band) {
        print_row(DCP_BAND, &c->band.result, &c->band.report);
    }
    if (c->has_chosen) {
        print_row(c->chosen.name, &c->chosen.result, &c->chosen.report);
    }
    if (c->replay.has_failures) {
        print_failures(c);
    }
    if (c->again) {
        dcp_replications_print(c->again);
    }
    puts("\nnone: nothing is done.  dpm: a reactive band of 45 to 81 % CPU.  "
         "docs/sim-policies.md.");
}

static bool
json_none(struct dcp_json *w, const struct comparison *c, struct dcp_error *err)
{
    /* Borrows the replay's: not to be finished. */
    const struct dcp_policy_run none = { .name = "none",
                                         .result = c->replay.without,
                                         .failed = c->replay.failed_without,
                                         .storage = c->replay.storage.without };

    return dcp_policy_run_json(w, c->context->model.inventory, &c->replay,
                               &none, err);
}

static bool
json_ran(struct dcp_json *w, const struct comparison *c,
         const struct dcp_policy_run *run, struct dcp_error *err)
{
    return dcp_policy_run_json(w, c->context->model.inventory, &c->replay, run,
                               err);
}

static int
print_json(const struct comparison *c, struct dcp_error *err)
{
    const struct dcp_policy_run *ran = c->has_chosen ? &c->chosen : &c->band;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/simulate/1");
    dcp_json_kstring(&w, "plan", NULL);
    dcp_json_ki64(&w, "shift_days", 0);
    dcp_json_ki64(&w, "every_ms", c->options->every_ms);
    bool ok = json_ran(&w, c, ran, err);

    dcp_json_kobject(&w, "baseline");
    ok = ok && json_none(&w, c, err);
    dcp_json_end(&w, '}');
    if (c->has_band) {
        dcp_json_kobject(&w, "reactive_band");
        ok = ok && json_ran(&w, c, &c->band, err);
        dcp_json_end(&w, '}');
    } else {
        dcp_json_kstring(&w, "reactive_band", NULL);
    }
    dcp_json_kstring(&w, "stopped_by", c->stopped ? "interrupt" : NULL);
    if (ok && c->again) {
        dcp_replications_json(&w, c->again);
    }
    return dcp_result_end(c->globals, &w, ran->result.n_samples, ok, err);
}

int
dcp_closed_loop(const struct dcp_globals *g, struct dcp_context *context,
                const struct dcp_closed_loop_options *o, struct dcp_error *err)
{
    struct comparison c = { .globals = g, .context = context, .options = o };
    int status = -1;

    if (run_all(&c, err) && run_again(&c, err)) {
        status = 0;
        c.replay.partial = c.replay.partial || c.stopped;
        if (!write_report(&c, err)) {
            status = -1;
        } else if (g->json) {
            status = print_json(&c, err);
        } else if (!o->silent) {
            print_table(&c);
        }
        if (status == 0 && c.stopped) {
            dcp_ui_warn(g, "ended early: the policies were not replayed for "
                           "the same time");
        }
        if (status == 0 &&
            (c.stopped || (c.again && dcp_replications_interrupted(c.again)))) {
            status = STATUS_INTERRUPTED;
        }
    }
    dcp_replications_destroy(c.again);
    dcp_policy_run_finish(&c.band);
    dcp_policy_run_finish(&c.chosen);
    dcp_replay_finish(&c.replay);
    return status;
}
