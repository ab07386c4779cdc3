/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/failures.h"

#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(MEMBER) offsetof(struct dcp_failure_options, MEMBER)

const struct dcp_opt dcp_failure_rows[DCP_N_FAILURE_ROWS] = {
    { "failures", 0, DCP_OPT_TEXT, AT(failures), "WHAT", NULL, NULL,
      "What fails: a published fit (lanl05, g5k06 ...), or "
      "KIND=BETWEEN/REPAIR,... as host=365d/4h,rack=3650d/8h." },
    { "lose", 0, DCP_OPT_TEXT, AT(lose), "KIND:NAME", NULL, NULL,
      "Lose this, as rack:R3 or host:h1,host:h2." },
    { "maintain", 0, DCP_OPT_TEXT, AT(maintain), "KIND:NAME", NULL, NULL,
      "Empty these hosts from --at on, and switch them off until --for is "
      "over." },
    { "at", 0, DCP_OPT_INSTANT, AT(at_ms), "TIME", NULL, NULL,
      "When --lose or --maintain begins; default: the window's start." },
    { "for", 0, DCP_OPT_TIME_MS, AT(for_ms), "TIME", NULL, NULL,
      "How long it lasts; default: to the window's end." },
    { "detect", 0, DCP_OPT_TIME_MS, AT(detect_ms), "TIME", NULL, "15s",
      "Until a lost host is taken for dead." },
    { "fence", 0, DCP_OPT_TIME_MS, AT(fence_ms), "TIME", NULL, "1min",
      "Until it surely is." },
    { "vm-start", 0, DCP_OPT_TIME_MS, AT(start_ms), "TIME", NULL, "2min",
      "Until a restarted VM serves." },
    { "starts-at-once", 0, DCP_OPT_UINT, AT(at_once), "N", NULL, "4",
      "VMs that a host starts at one time." },
    { "failed-boots", 0, DCP_OPT_FRAC, AT(failed_boots_frac), "SHARE", NULL,
      NULL, "Chance that a host which the plan wakes does not boot." },
    { "failed-migrations", 0, DCP_OPT_FRAC, AT(failed_migrations_frac), "SHARE",
      NULL, NULL, "Chance that a migration of the plan fails." },
};

bool
dcp_failures_asked(const struct dcp_failure_options *o)
{
    return o->failures || o->lose || o->maintain ||
           o->at_ms != DCP_INSTANT_NONE || o->for_ms ||
           o->failed_boots_frac > 0 || o->failed_migrations_frac > 0;
}

/* --- Outages ------------------------------------------------------------ */

static bool
check(const struct dcp_failure_options *o, struct dcp_error *err)
{
    if (!o->lose && !o->maintain &&
        (o->at_ms != DCP_INSTANT_NONE || o->for_ms)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--at and --for belong to --lose and --maintain");
    }
    if (o->at_once < 1 || o->at_once > UINT32_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "--starts-at-once takes 1 or more");
    }
    if (o->detect_ms < 0 || o->fence_ms < 0 || o->start_ms < 0 ||
        o->for_ms < 0) {
        return dcp_fail(err, DCP_E_USAGE, "times are 0 or more");
    }
    if (!(o->failed_boots_frac >= 0 && o->failed_boots_frac <= 1) ||
        !(o->failed_migrations_frac >= 0 && o->failed_migrations_frac <= 1)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--failed-boots and --failed-migrations are chances: "
                        "0%% to 100%%");
    }
    return true;
}

/* 'list' of objects is out from --at on. */
static bool
take_out(const struct dcp_failures *f, const struct dcp_failure_options *o,
         const char *list, const char *option, struct dcp_outages *out,
         struct dcp_error *err)
{
    int64_t at_ms = o->at_ms == DCP_INSTANT_NONE ? f->from_ms : o->at_ms;

    if (list && (at_ms < f->from_ms || at_ms >= f->to_ms)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--at is outside the window that is replayed");
    }
    for (const char *at = list; at;) {
        size_t length = strcspn(at, ",");
        struct dcp_outage outage = {
            .from_ms = at_ms,
            .until_ms = o->for_ms ? at_ms + o->for_ms : INT64_MAX,
        };
        char text[256];

        if (length >= sizeof text) {
            return dcp_fail(err, DCP_E_USAGE, "%s: a name is too long", option);
        }
        memcpy(text, at, length);
        text[length] = '\0';
        if (!dcp_failure_parse_object(f->inventory, text, &outage.of,
                                      &outage.ix, err)) {
            return dcp_fail_in(err, "%s", option);
        }
        if (!dcp_outages_add(out, outage, err)) {
            return false;
        }
        at = at[length] ? at + length + 1 : NULL;
    }
    return true;
}

static bool
open_maintenance(struct dcp_failures *f, const struct dcp_failure_options *o,
                 struct dcp_error *err)
{
    struct dcp_outages of = { 0 };
    bool ok =
        take_out(f, o, o->maintain, "--maintain", &of, err) &&
        dcp_outages_of_hosts(f->inventory, &of, &f->maintenance, NULL, err);

    dcp_outages_finish(&of);
    return ok;
}

static bool
open_all(struct dcp_failures *f, const struct dcp_failure_options *o,
         struct dcp_error *err)
{
    struct dcp_failure_spec spec;

    if (o->failures) {
        if (!dcp_failure_spec_parse(o->failures, &spec, err)) {
            return dcp_fail_in(err, "--failures");
        }
        if (!dcp_failure_generate(f->inventory, &spec, f->options.seed,
                                  f->from_ms, f->to_ms, &f->all, err)) {
            return false;
        }
    }
    return take_out(f, o, o->lose, "--lose", &f->all, err) &&
           open_maintenance(f, o, err) &&
           dcp_outages_of_hosts(f->inventory, &f->all, &f->hosts, &f->cause,
                                err);
}

bool
dcp_failures_open(struct dcp_failures *f, const struct dcp_inventory *inv,
                  const struct dcp_failure_options *o, uint64_t seed,
                  int64_t from_ms, int64_t to_ms, struct dcp_error *err)
{
    *f = (struct dcp_failures){
        .inventory = inv,
        .options = { .detect_ms = o->detect_ms,
                     .fence_ms = o->fence_ms,
                     .start_ms = o->start_ms,
                     .at_once = (uint32_t)o->at_once,
                     .failed_boot_frac = o->failed_boots_frac,
                     .failed_migration_frac = o->failed_migrations_frac,
                     .seed = seed },
        .from_ms = from_ms,
        .to_ms = to_ms,
    };
    if (check(o, err) && open_all(f, o, err)) {
        return true;
    }
    dcp_failures_close(f);
    return false;
}

void
dcp_failures_close(struct dcp_failures *f)
{
    dcp_outages_finish(&f->all);
    dcp_outages_finish(&f->hosts);
    dcp_outages_finish(&f->maintenance);
    free(f->cause);
    *f = (struct dcp_failures){ 0 };
}

bool
dcp_failures_begin(const struct dcp_failures *f,
                   const struct dcp_placement *start,
                   struct dcp_failure_run *out, struct dcp_error *err)
{
    struct dcp_ha_input in = { .inventory = f->inventory,
                               .start = start,
                               .hosts = &f->hosts,
                               .maintenance = &f->maintenance,
                               .options = f->options,
                               .net = f->net };

    *out = (struct dcp_failure_run){ .ha = dcp_ha_create(&in, err) };
    return out->ha != NULL;
}

bool
dcp_failures_end(const struct dcp_failures *f,
                 const struct dcp_placement *start, struct dcp_failure_run *run,
                 struct dcp_error *err)
{
    uint32_t n;
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(run->ha, &n);

    return dcp_availability(f->inventory, start, list, n, f->from_ms, f->to_ms,
                            &run->availability, err);
}

void
dcp_failure_run_give(const struct dcp_failure_run *run,
                     struct dcp_sim_input *in)
{
    in->events = dcp_ha_events(run->ha, &in->n_events);
    in->slowdowns = run->slowdowns;
    in->n_slowdowns = run->n_slowdowns;
}

static bool
keep_slowdowns(const struct dcp_sim_input *in, struct dcp_failure_run *run,
               struct dcp_error *err)
{
    run->slowdowns =
        malloc(((size_t)in->n_slowdowns + 1) * sizeof *run->slowdowns);
    if (!run->slowdowns) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for slowdowns");
    }
    for (uint32_t i = 0; i < in->n_slowdowns; i++) {
        run->slowdowns[run->n_slowdowns++] = in->slowdowns[i];
    }
    return dcp_ha_add_slowdowns(run->ha, &run->slowdowns, &run->n_slowdowns,
                                err);
}

bool
dcp_failures_finish_run(const struct dcp_failures *f, struct dcp_sim_input *in,
                        struct dcp_failure_run *run, struct dcp_error *err)
{
    if (!dcp_ha_advance(run->ha, f->to_ms, err) ||
        !dcp_failures_end(f, in->start, run, err) ||
        !keep_slowdowns(in, run, err)) {
        return false;
    }
    dcp_failure_run_give(run, in);
    return true;
}

bool
dcp_failures_run(const struct dcp_failures *f, struct dcp_sim_input *in,
                 struct dcp_failure_run *out, struct dcp_error *err)
{
    if (dcp_failures_begin(f, in->start, out, err) &&
        dcp_ha_run(out->ha, in->events, in->n_events, f->to_ms, err) &&
        dcp_failures_finish_run(f, in, out, err)) {
        return true;
    }
    dcp_failure_run_finish(out);
    return false;
}

void
dcp_failure_run_finish(struct dcp_failure_run *run)
{
    dcp_ha_destroy(run->ha);
    dcp_availability_finish(&run->availability);
    free(run->slowdowns);
    *run = (struct dcp_failure_run){ 0 };
}

/* --- JSON --------------------------------------------------------------- */

static void
json_of(struct dcp_json *w, const char *key, const char *name,
        const struct dcp_availability_of *of)
{
    if (!of->n_vms) {
        return;
    }
    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, key, name);
    dcp_json_ku64(w, "vms", of->n_vms);
    dcp_json_kdouble(w, "down_s", of->down_s);
    dcp_json_kdouble(w, "availability_frac", of->availability_frac);
    dcp_json_kdouble(w, "promised_frac",
                     of->promised_frac > 0 ? of->promised_frac : NAN);
    dcp_json_ku64(w, "broken", of->n_broken);
    dcp_json_end(w, '}');
}

static void
json_outages(struct dcp_json *w, const struct dcp_failures *f)
{
    dcp_json_karray(w, "outages");
    for (uint32_t i = 0; i < f->all.n; i++) {
        const struct dcp_outage *o = &f->all.list[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "kind", dcp_domain_name(o->of));
        dcp_json_kstring(w, "name",
                         dcp_failure_object_name(f->inventory, o->of, o->ix));
        dcp_json_kinstant(w, "from", o->from_ms);
        if (o->until_ms < f->to_ms) {
            dcp_json_kinstant(w, "until", o->until_ms);
        } else {
            dcp_json_kstring(w, "until", NULL);
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

/* How long recovery took, and each VM that was hit. */
static void
json_recoveries(struct dcp_json *w, const struct dcp_inventory *inv,
                const struct dcp_availability *a)
{
    dcp_json_karray(w, "recoveries");
    for (uint32_t i = 0; i < DCP_RECOVERY_BINS; i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kdouble(w, "up_to_s",
                         i + 1 < DCP_RECOVERY_BINS ? dcp_recovery_limits_s[i]
                                                   : NAN);
        dcp_json_ku64(w, "interruptions", a->recoveries[i]);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "vms");
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (a->vm_down_s[v] > 0) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "vm", inv->vms[v].name);
            dcp_json_kdouble(w, "down_s", a->vm_down_s[v]);
            dcp_json_kdouble(w, "availability_frac",
                             1 - a->vm_down_s[v] / a->horizon_s);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
}

static void
json_vms(struct dcp_json *w, const struct dcp_failures *f,
         const struct dcp_failure_run *run)
{
    uint32_t n;
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(run->ha, &n);

    dcp_json_karray(w, "vms_interrupted");
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_outage *cause = &f->all.list[f->cause[list[i].outage]];
        char text[300];

        (void)snprintf(
            text, sizeof text, "%s:%.250s", dcp_domain_name(cause->of),
            dcp_failure_object_name(f->inventory, cause->of, cause->ix));
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "vm", f->inventory->vms[list[i].vm].name);
        dcp_json_kstring(w, "host", f->inventory->hosts[list[i].host].name);
        dcp_json_kstring(w, "cause", text);
        dcp_json_kinstant(w, "from", list[i].from_ms);
        if (list[i].until_ms < f->to_ms) {
            dcp_json_kinstant(w, "until", list[i].until_ms);
        } else {
            dcp_json_kstring(w, "until", NULL);
        }
        dcp_json_kdouble(w, "homeless_s", (double)list[i].homeless_ms / 1000);
        dcp_json_kstring(w, "homeless_because",
                         list[i].why ? dcp_homeless_name(list[i].why) : NULL);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_counts(struct dcp_json *w, const struct dcp_failure_run *run)
{
    const struct dcp_ha_counts counts = dcp_ha_counts(run->ha), *c = &counts;

    dcp_json_ku64(w, "host_failures", c->host_failures);
    dcp_json_ku64(w, "restarts", c->restarts);
    dcp_json_ku64(w, "vms_down_max", c->vms_down_max);
    dcp_json_ku64(w, "vms_down_at_end", c->vms_down);
    dcp_json_ku64(w, "vms_homeless_max", c->vms_homeless_max);
    dcp_json_ku64(w, "vms_homeless_at_end", c->vms_homeless);
    dcp_json_ku64(w, "migrations_cut", c->migrations_cut);
    dcp_json_ku64(w, "migrations_failed", c->migrations_failed);
    dcp_json_ku64(w, "migrations_given_up", c->migrations_given_up);
    dcp_json_ku64(w, "boots_failed", c->boots_failed);
    dcp_json_ku64(w, "hosts_emptied", c->hosts_emptied);
    dcp_json_ku64(w, "hosts_not_emptied", c->hosts_not_emptied);
    dcp_json_ku64(w, "steps_prevented", dcp_lost_steps_prevented(&run->lost));
    dcp_json_kobject(w, "steps_lost");
    for (int i = DCP_STEP_LOSS_NONE + 1; i < DCP_STEP_LOSSES; i++) {
        dcp_json_ku64(w, dcp_step_loss_name((enum dcp_step_loss)i),
                      run->lost.n[i]);
    }
    dcp_json_end(w, '}');
}

void
dcp_failures_json(struct dcp_json *w, const struct dcp_failures *f,
                  const struct dcp_failure_run *run)
{
    const struct dcp_availability *a = &run->availability;

    dcp_json_kobject(w, "failures");
    dcp_json_kinstant(w, "from", f->from_ms);
    dcp_json_kinstant(w, "to", f->to_ms);
    json_counts(w, run);
    dcp_json_ku64(w, "vms_counted", a->n_vms);
    dcp_json_ku64(w, "vms_hit", a->n_vms_hit);
    dcp_json_kdouble(w, "availability_frac", a->availability_frac);
    dcp_json_kdouble(w, "down_vm_s", a->down_vm_s);
    dcp_json_kdouble(w, "homeless_vm_s", a->homeless_vm_s);
    dcp_json_ku64(w, "interruptions", a->n_interruptions);
    dcp_json_ku64(w, "interruptions_open", a->n_open);
    dcp_json_kdouble(w, "recovery_p50_s", a->recovery_p50_s);
    dcp_json_kdouble(w, "recovery_p90_s", a->recovery_p90_s);
    dcp_json_kdouble(w, "recovery_p99_s", a->recovery_p99_s);
    dcp_json_kdouble(w, "recovery_max_s", a->recovery_max_s);
    dcp_json_karray(w, "tiers");
    for (uint32_t i = 0; i < a->n_tiers; i++) {
        json_of(w, "tier", f->inventory->tiers[i].name, &a->tiers[i]);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "applications");
    for (uint32_t i = 0; i < a->n_applications; i++) {
        json_of(w, "application", f->inventory->applications[i].name,
                &a->applications[i]);
    }
    dcp_json_end(w, ']');
    json_recoveries(w, f->inventory, a);
    json_outages(w, f);
    json_vms(w, f, run);
    dcp_json_end(w, '}');
}

/* --- Text --------------------------------------------------------------- */

static void
cell(double value)
{
    if (isnan(value)) {
        printf(" %12s", "not known");
    } else {
        printf(" %12.6g", value);
    }
}

static void
print_of(const char *kind, const char *name,
         const struct dcp_availability_of *of)
{
    if (!of->n_vms || of->down_s <= 0) {
        return;
    }
    printf("  %s %-20s %9.5f %%, down %.1f min", kind, name,
           100 * of->availability_frac, of->down_s / 60);
    if (of->promised_frac > 0) {
        printf("; promised %.6g %%: ", 100 * of->promised_frac);
        if (of->n_vms > 1 && of->n_broken && !strcmp(kind, "tier")) {
            printf("%u of %u VMs had less", of->n_broken, of->n_vms);
        } else {
            fputs(of->n_broken ? "it had less" : "kept", stdout);
        }
    }
    putchar('\n');
}

/* Rows of both variants, or of one. */
static void
print_table(const struct dcp_failure_run *main,
            const struct dcp_failure_run *without)
{
    const struct dcp_availability *a = &main->availability, *b = NULL;
    struct dcp_ha_counts c = dcp_ha_counts(main->ha), d = { 0 };

    if (without) {
        b = &without->availability;
        d = dcp_ha_counts(without->ha);
        printf("%-34s %12s %12s\n", "", "without plan", "with plan");
    }
    const struct {
        const char *what;
        double main, without;
    } rows[] = {
        { "hosts that failed", c.host_failures, d.host_failures },
        { "VMs interrupted", a->n_vms_hit, b ? b->n_vms_hit : 0 },
        { "VMs down at once, at most", c.vms_down_max, d.vms_down_max },
        { "VMs without a home, at most", c.vms_homeless_max,
          d.vms_homeless_max },
        { "VMs without a home at the end", c.vms_homeless, d.vms_homeless },
        { "availability of VMs, %", 100 * a->availability_frac,
          b ? 100 * b->availability_frac : 0 },
        { "downtime, VM-minutes", a->down_vm_s / 60,
          b ? b->down_vm_s / 60 : 0 },
        { "recovery time, median, s", a->recovery_p50_s,
          b ? b->recovery_p50_s : 0 },
        { "recovery time, 99 %, s", a->recovery_p99_s,
          b ? b->recovery_p99_s : 0 },
        { "hosts emptied for maintenance", c.hosts_emptied, d.hosts_emptied },
        { "hosts that could not be emptied", c.hosts_not_emptied,
          d.hosts_not_emptied },
        { "steps of the plan prevented", dcp_lost_steps_prevented(&main->lost),
          0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        printf("%-34s", rows[i].what);
        if (without) {
            cell(rows[i].without);
        }
        cell(rows[i].main);
        putchar('\n');
    }
}

/* How many VMs were without a home, by why. */
static void
print_homeless(const struct dcp_failure_run *run)
{
    static const char *const means[DCP_HOMELESS_KINDS] = {
        NULL, "its disk is on the lost host",
        "no host that is on reaches its disks, networks or CPU",
        "hard rules forbid all hosts that it could run on",
        "all hosts that it may go to are full"
    };
    uint32_t n, counts[DCP_HOMELESS_KINDS] = { 0 };
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(run->ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        counts[list[i].why]++;
    }
    for (uint32_t k = 1; k < DCP_HOMELESS_KINDS; k++) {
        if (counts[k]) {
            printf("  without a home %u times because %s\n", counts[k],
                   means[k]);
        }
    }
}

void
dcp_lost_steps_print(const char *whose, const struct dcp_lost_steps *lost)
{
    for (int i = DCP_STEP_LOSS_NONE + 1; i < DCP_STEP_LOSSES; i++) {
        if (lost->n[i]) {
            printf("  %u step%s of %s lost: %s\n", lost->n[i],
                   lost->n[i] == 1 ? "" : "s", whose,
                   dcp_step_loss_text((enum dcp_step_loss)i));
        }
    }
}

void
dcp_failures_print(const struct dcp_failures *f,
                   const struct dcp_failure_run *main,
                   const struct dcp_failure_run *without)
{
    const struct dcp_availability *a = &main->availability;

    printf("\nFailures: %u outage%s", f->all.n, f->all.n == 1 ? "" : "s");
    for (uint32_t i = 0; i < f->all.n && f->all.n <= 4; i++) {
        const struct dcp_outage *o = &f->all.list[i];

        printf("%s %s:%s", i ? "," : ":", dcp_domain_name(o->of),
               dcp_failure_object_name(f->inventory, o->of, o->ix));
    }
    puts("; docs/sim-failures.md says what is assumed.");
    print_table(main, without);
    print_homeless(main);
    dcp_lost_steps_print("the plan", &main->lost);
    for (uint32_t i = 0; i < a->n_tiers; i++) {
        print_of("tier", f->inventory->tiers[i].name, &a->tiers[i]);
    }
    for (uint32_t i = 0; i < a->n_applications; i++) {
        print_of("application", f->inventory->applications[i].name,
                 &a->applications[i]);
    }
}
