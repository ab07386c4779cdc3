/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replications.h"

#include "cli/interrupt.h"
#include "cli/ui.h"
#include "model/base/rng.h"
#include "sim/stats/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIDENCE_FRAC 0.95
#define N_MIN           10 /* Before --half-width is asked. */
#define N_MAX           100000

const struct dcp_opt dcp_replication_rows[DCP_N_REPLICATION_ROWS] = {
    { "replications", 0, DCP_OPT_UINT,
      offsetof(struct dcp_replication_options, n), "R", NULL, NULL,
      "Play what fails R times, drawn anew each time: means and shares with "
      "95 % intervals." },
    { "half-width", 0, DCP_OPT_FRAC,
      offsetof(struct dcp_replication_options, half_width_frac), "SHARE", NULL,
      NULL,
      "End --replications when half the interval of the mean downtime is at "
      "most this share of it." },
};

bool
dcp_replications_check(const struct dcp_replication_options *o,
                       const struct dcp_failure_options *failures,
                       struct dcp_error *err)
{
    if (o->half_width_frac != 0 && !o->n) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--half-width belongs to --replications");
    }
    if (!(o->half_width_frac >= 0 && o->half_width_frac < 1)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--half-width takes a share below 100%%");
    }
    if (!o->n) {
        return true;
    }
    if (o->n < 2 || o->n > N_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "--replications takes 2 to %d",
                        N_MAX);
    }
    return failures->failures || failures->failed_boots_frac > 0 ||
           failures->failed_migrations_frac > 0 ||
           dcp_fail(err, DCP_E_USAGE,
                    "--replications: nothing here is drawn by chance; give "
                    "--failures, --failed-boots or --failed-migrations");
}

/* --- What is told of a replication --------------------------------------- */

enum measure {
    DOWNTIME, /* The one that --half-width is about. */
    HOMELESS_TIME,
    AVAILABILITY,
    VMS_HIT,
    HOST_FAILURES,
    PREVENTED,
    ENERGY,
    OVERLOAD,
    MEASURES
};
static const struct {
    const char *key, *text;
    double scale; /* From the key's unit to the text's. */
} measures[MEASURES] = {
    [DOWNTIME] = { "down_vm_s", "downtime, VM-minutes", 1 / 60.0 },
    [HOMELESS_TIME] = { "homeless_vm_s", "without a home, VM-minutes",
                        1 / 60.0 },
    [AVAILABILITY] = { "availability_frac", "availability of VMs, %", 100 },
    [VMS_HIT] = { "vms_hit", "VMs interrupted", 1 },
    [HOST_FAILURES] = { "host_failures", "hosts that failed", 1 },
    [PREVENTED] = { "steps_prevented", "steps of the plan prevented", 1 },
    [ENERGY] = { "energy_kwh", "energy at the meter, kWh", 1 },
    [OVERLOAD] = { "overload_host_seconds", "overload, host-minutes",
                   1 / 60.0 },
};

enum chance { LOST_HOME, NO_HOME_AT_END, HIT, BROKEN, CHANCES };
static const struct {
    const char *key, *text;
} chances[CHANCES] = {
    [LOST_HOME] = { "vm_homeless", "a VM lost its home" },
    [NO_HOME_AT_END] = { "vm_homeless_at_end", "a VM had none at the end" },
    [HIT] = { "vm_hit", "a VM was interrupted" },
    [BROKEN] = { "promise_broken", "a promise was broken" },
};

enum variant { PLAN, BASELINE, VARIANTS }; /* Without a plan only PLAN. */

struct of_variant {
    double *value[MEASURES]; /* By replication. Owned. */
    uint32_t hits[CHANCES];
};

struct dcp_replications {
    uint64_t *seed; /* By replication. Owned. */
    struct of_variant of[VARIANTS];
    double *difference; /* For each measure in turn. Owned. */
    uint32_t n, wanted;
    uint32_t n_worse; /* More downtime with the plan than without. */
    double half_width_frac;
    bool has_plan, narrow, interrupted;
};

static bool
is_broken(const struct dcp_availability_of of[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (of[i].n_broken) {
            return true;
        }
    }
    return false;
}

static void
record(struct of_variant *v, uint32_t k, const struct dcp_failure_run *run,
       const struct dcp_sim_result *s)
{
    const struct dcp_availability *a = &run->availability;
    struct dcp_ha_counts counts = dcp_ha_counts(run->ha);

    v->value[DOWNTIME][k] = a->down_vm_s;
    v->value[HOMELESS_TIME][k] = a->homeless_vm_s;
    v->value[AVAILABILITY][k] = a->availability_frac;
    v->value[VMS_HIT][k] = a->n_vms_hit;
    v->value[HOST_FAILURES][k] = counts.host_failures;
    v->value[PREVENTED][k] = counts.steps_prevented;
    v->value[ENERGY][k] = s->meter_kwh;
    v->value[OVERLOAD][k] = s->overload_host_s;
    v->hits[LOST_HOME] += counts.vms_homeless_max > 0;
    v->hits[NO_HOME_AT_END] += counts.vms_homeless > 0;
    v->hits[HIT] += a->n_vms_hit > 0;
    v->hits[BROKEN] += is_broken(a->tiers, a->n_tiers) ||
                       is_broken(a->applications, a->n_applications);
}

static void
record_both(struct dcp_replications *x, uint64_t seed,
            const struct dcp_failure_run run[VARIANTS],
            const struct dcp_sim_result result[VARIANTS])
{
    for (int v = 0; v <= x->has_plan; v++) {
        record(&x->of[v], x->n, &run[v], &result[v]);
    }
    x->n_worse += x->has_plan && x->of[PLAN].value[DOWNTIME][x->n] >
                                     x->of[BASELINE].value[DOWNTIME][x->n];
    x->seed[x->n++] = seed;
}

/* --- Running ------------------------------------------------------------- */

/* What all replications share. */
struct scene {
    struct dcp_sim_input input; /* Events and reference change. */
    const struct dcp_replay *replay;
    const struct dcp_failure_options *options;
};

static bool
play(struct scene *scene, const struct dcp_failures *f, bool with_plan,
     const struct dcp_sim_result *reference, struct dcp_failure_run *run,
     struct dcp_sim_result *result, struct dcp_error *err)
{
    const struct dcp_replay *r = scene->replay;

    if (!dcp_failures_run(f, scene->input.start, with_plan ? r->events : NULL,
                          with_plan ? r->n_events : 0, run, err)) {
        return false;
    }
    scene->input.events = dcp_ha_events(run->ha, &scene->input.n_events);
    scene->input.reference = reference;
    return dcp_simulate(&scene->input, result, err);
}

static bool
replicate(struct dcp_replications *x, struct scene *scene, uint64_t seed,
          struct dcp_error *err)
{
    const struct dcp_sim_input *in = &scene->input;
    struct dcp_failures f;
    struct dcp_failure_run run[VARIANTS] = { 0 };
    struct dcp_sim_result result[VARIANTS] = { 0 };
    int first = x->has_plan ? BASELINE : PLAN;

    if (!dcp_failures_open(&f, in->inventory, scene->options, seed, in->from_ms,
                           in->to_ms, err)) {
        return false;
    }
    bool ok = play(scene, &f, false, NULL, &run[first], &result[first], err) &&
              (!x->has_plan || play(scene, &f, true, &result[BASELINE],
                                    &run[PLAN], &result[PLAN], err));

    if (ok) {
        record_both(x, seed, run, result);
    }
    for (int v = 0; v < VARIANTS; v++) {
        dcp_failure_run_finish(&run[v]);
        dcp_sim_result_finish(&result[v]);
    }
    dcp_failures_close(&f);
    return ok;
}

/* Below 2^53, so that readers of JSON keep it whole. */
static uint64_t
seed_of(uint64_t seed, uint32_t k)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "replication", k);

    return k ? dcp_rng_u64(&rng) >> 12 : seed;
}

static bool
is_narrow(const struct dcp_replications *x)
{
    if (x->n < N_MIN || !(x->half_width_frac > 0)) {
        return false;
    }
    for (int v = 0; v <= x->has_plan; v++) {
        struct dcp_interval i = dcp_interval_of_mean(x->of[v].value[DOWNTIME],
                                                     x->n, CONFIDENCE_FRAC);

        if (!dcp_interval_is_narrow(&i, x->half_width_frac)) {
            return false;
        }
    }
    return true;
}

static struct dcp_replications *
create(uint32_t n, bool has_plan, struct dcp_error *err)
{
    struct dcp_replications *x = calloc(1, sizeof *x);
    bool ok = x != NULL;

    if (ok) {
        x->wanted = n;
        x->has_plan = has_plan;
        x->seed = calloc(n, sizeof *x->seed);
        x->difference = calloc((size_t)n * MEASURES, sizeof(double));
        ok = x->seed && x->difference;
    }
    for (int v = 0; ok && v <= has_plan; v++) {
        for (int m = 0; m < MEASURES; m++) {
            x->of[v].value[m] = calloc(n, sizeof(double));
            ok = ok && x->of[v].value[m];
        }
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u replications", n);
        dcp_replications_destroy(x);
        return NULL;
    }
    return x;
}

void
dcp_replications_destroy(struct dcp_replications *x)
{
    if (!x) {
        return;
    }
    for (int v = 0; v < VARIANTS; v++) {
        for (int m = 0; m < MEASURES; m++) {
            free(x->of[v].value[m]);
        }
    }
    free(x->difference);
    free(x->seed);
    free(x);
}

static void
subtract(struct dcp_replications *x)
{
    for (int m = 0; x->has_plan && m < MEASURES; m++) {
        for (uint32_t k = 0; k < x->n; k++) {
            x->difference[(size_t)m * x->wanted + k] =
                x->of[PLAN].value[m][k] - x->of[BASELINE].value[m][k];
        }
    }
}

struct dcp_replications *
dcp_replications_run(const struct dcp_globals *g, struct dcp_context *c,
                     const struct dcp_plan *plan, const struct dcp_replay *r,
                     const struct dcp_replication_options *o,
                     const struct dcp_failure_options *failures,
                     struct dcp_error *err)
{
    struct scene scene = {
        .input = { .inventory = c->model.inventory,
                   .cpu = &r->cpu,
                   .start = plan ? plan->before : c->model.placement,
                   .from_ms = r->without.from_ms,
                   .to_ms = r->without.to_ms },
        .replay = r,
        .options = failures,
    };
    struct dcp_replications *x = create((uint32_t)o->n, plan != NULL, err);

    if (!x) {
        return NULL;
    }
    x->half_width_frac = o->half_width_frac;
    while (x->n < x->wanted && !x->narrow) {
        if (dcp_interrupt_count()) {
            x->interrupted = true;
            break;
        }
        dcp_ui_progress(g, "replications", (double)x->n / x->wanted);
        if (!replicate(x, &scene, seed_of(g->seed, x->n), err)) {
            dcp_ui_progress_end(g);
            dcp_replications_destroy(x);
            return NULL;
        }
        x->narrow = is_narrow(x);
    }
    dcp_ui_progress_end(g);
    subtract(x);
    return x;
}

bool
dcp_replications_interrupted(const struct dcp_replications *x)
{
    return x->interrupted;
}

/* --- JSON ---------------------------------------------------------------- */

static struct dcp_interval
mean_of(const struct dcp_replications *x, enum variant v, enum measure m)
{
    return dcp_interval_of_mean(x->of[v].value[m], x->n, CONFIDENCE_FRAC);
}

static struct dcp_interval
difference_of(const struct dcp_replications *x, enum measure m)
{
    return dcp_interval_of_mean(x->difference + (size_t)m * x->wanted, x->n,
                                CONFIDENCE_FRAC);
}

static struct dcp_interval
share_of(const struct dcp_replications *x, uint32_t hits)
{
    return dcp_interval_of_share(hits, x->n, CONFIDENCE_FRAC);
}

static void
json_interval(struct dcp_json *w, const char *mean, struct dcp_interval i)
{
    dcp_json_kdouble(w, mean, i.mean);
    dcp_json_kdouble(w, "low", i.low);
    dcp_json_kdouble(w, "high", i.high);
}

static void
json_member(struct dcp_json *w, const char *key, const char *mean,
            struct dcp_interval i)
{
    dcp_json_kobject(w, key);
    json_interval(w, mean, i);
    dcp_json_end(w, '}');
}

static void
json_shares(struct dcp_json *w, const struct dcp_replications *x)
{
    dcp_json_karray(w, "shares");
    for (int c = 0; c < CHANCES; c++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", chances[c].key);
        json_interval(w, "share_frac", share_of(x, x->of[PLAN].hits[c]));
        if (x->has_plan) {
            json_member(w, "baseline", "share_frac",
                        share_of(x, x->of[BASELINE].hits[c]));
        }
        dcp_json_end(w, '}');
    }
    if (x->has_plan) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", "more_downtime_than_baseline");
        json_interval(w, "share_frac", share_of(x, x->n_worse));
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_runs(struct dcp_json *w, const struct dcp_replications *x)
{
    dcp_json_karray(w, "runs");
    for (uint32_t k = 0; k < x->n; k++) {
        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "seed", x->seed[k]);
        for (int m = 0; m < MEASURES; m++) {
            dcp_json_kdouble(w, measures[m].key, x->of[PLAN].value[m][k]);
        }
        for (int m = 0; x->has_plan && m < MEASURES; m++) {
            char key[64];

            (void)snprintf(key, sizeof key, "baseline_%s", measures[m].key);
            dcp_json_kdouble(w, key, x->of[BASELINE].value[m][k]);
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

void
dcp_replications_json(struct dcp_json *w, const struct dcp_replications *x)
{
    dcp_json_kobject(w, "replications");
    dcp_json_ku64(w, "wanted", x->wanted);
    dcp_json_ku64(w, "done", x->n);
    dcp_json_kdouble(w, "confidence_frac", CONFIDENCE_FRAC);
    dcp_json_kdouble(w, "half_width_frac",
                     x->half_width_frac > 0 ? x->half_width_frac : NAN);
    dcp_json_kstring(w, "stopped_by",
                     x->interrupted ? "interrupt"
                     : x->narrow    ? "half_width"
                                    : "replications");
    dcp_json_karray(w, "means");
    for (int m = 0; m < MEASURES; m++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", measures[m].key);
        json_interval(w, "mean", mean_of(x, PLAN, (enum measure)m));
        if (x->has_plan) {
            json_member(w, "baseline", "mean",
                        mean_of(x, BASELINE, (enum measure)m));
            json_member(w, "difference", "mean",
                        difference_of(x, (enum measure)m));
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    json_shares(w, x);
    json_runs(w, x);
    dcp_json_end(w, '}');
}

/* --- Text ---------------------------------------------------------------- */

static void
cell(struct dcp_interval i, double scale)
{
    char text[64];

    if (i.low < i.high) {
        (void)snprintf(text, sizeof text, "%.5g (%.5g..%.5g)", scale * i.mean,
                       scale * i.low, scale * i.high);
    } else {
        (void)snprintf(text, sizeof text, "%.5g (all alike)", scale * i.mean);
    }
    printf(" %30s", text);
}

static void
row(const char *what)
{
    printf("%-30s", what);
}

void
dcp_replications_print(const struct dcp_replications *x)
{
    printf("\n%u replications%s; means and shares with 95 %% intervals.\n",
           x->n,
           x->interrupted ? ", interrupted here"
           : x->narrow    ? ", which is as narrow as --half-width asks"
           : x->half_width_frac > 0
               ? ", which did not reach --half-width: give more"
               : "");
    if (x->has_plan) {
        row("");
        printf(" %30s %30s %30s\n", "without plan", "with plan", "difference");
    }
    for (int m = 0; m < MEASURES; m++) {
        if (m == PREVENTED && !x->has_plan) {
            continue;
        }
        row(measures[m].text);
        if (x->has_plan) {
            cell(mean_of(x, BASELINE, (enum measure)m), measures[m].scale);
        }
        cell(mean_of(x, PLAN, (enum measure)m), measures[m].scale);
        if (x->has_plan) {
            cell(difference_of(x, (enum measure)m), measures[m].scale);
        }
        putchar('\n');
    }
    puts("share of replications, %, in which");
    for (int c = 0; c < CHANCES; c++) {
        row(chances[c].text);
        if (x->has_plan) {
            cell(share_of(x, x->of[BASELINE].hits[c]), 100);
        }
        cell(share_of(x, x->of[PLAN].hits[c]), 100);
        putchar('\n');
    }
    if (x->has_plan) {
        row("the plan meant more downtime");
        printf(" %30s", "");
        cell(share_of(x, x->n_worse), 100);
        putchar('\n');
    }
}
