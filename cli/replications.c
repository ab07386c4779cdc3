/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replication_runs.h"

#include "cli/interrupt.h"
#include "cli/ui.h"
#include "model/base/rng.h"
#include "solver/run/pair.h"

#include <stdlib.h>

#define N_MIN    10 /* Before --half-width is asked. */
#define N_MAX    100000
#define DAYS_MAX 10000

const struct dcp_opt dcp_replication_rows[DCP_N_REPLICATION_ROWS] = {
    { "replications", 0, DCP_OPT_UINT,
      offsetof(struct dcp_replication_options, n), "R", NULL, NULL,
      "Replay R times what is drawn by chance: means and shares with 95 % "
      "intervals." },
    { "half-width", 0, DCP_OPT_FRAC,
      offsetof(struct dcp_replication_options, half_width_frac), "SHARE", NULL,
      NULL,
      "End --replications when half the interval of the mean downtime (or of "
      "the energy saved, where nothing fails) is at most this share of it." },
};

bool
dcp_replications_check(const struct dcp_replication_options *o,
                       const struct dcp_failure_options *failures,
                       const struct dcp_resample_options *resample,
                       struct dcp_error *err)
{
    if (resample->block_days > DAYS_MAX) {
        return dcp_fail(err, DCP_E_USAGE, "--bootstrap takes 1 to %d days",
                        DAYS_MAX);
    }
    if (!resample->block_days && (resample->from_ms != DCP_INSTANT_NONE ||
                                  resample->to_ms != DCP_INSTANT_NONE)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--bootstrap-from and --bootstrap-to belong to "
                        "--bootstrap");
    }
    if (resample->block_days && !o->n) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--bootstrap belongs to --replications");
    }
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
           failures->failed_migrations_frac > 0 || resample->block_days ||
           dcp_fail(err, DCP_E_USAGE,
                    "--replications: nothing here is drawn by chance; give "
                    "--failures, --failed-boots, --failed-migrations or "
                    "--bootstrap");
}

/* --- What is told of a replication --------------------------------------- */

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
record_failures(struct replication_variant_runs *v, uint32_t k,
                const struct dcp_failure_run *run)
{
    const struct dcp_availability *a = &run->availability;
    struct dcp_ha_counts counts = dcp_ha_counts(run->ha);

    v->value[MEASURE_DOWNTIME][k] = a->down_vm_s;
    v->value[MEASURE_HOMELESS_TIME][k] = a->homeless_vm_s;
    v->value[MEASURE_AVAILABILITY][k] = a->availability_frac;
    v->value[MEASURE_VMS_HIT][k] = a->n_vms_hit;
    v->value[MEASURE_HOST_FAILURES][k] = counts.host_failures;
    v->value[MEASURE_PREVENTED][k] = dcp_lost_steps_prevented(&run->lost);
    v->hits[CHANCE_LOST_HOME] += counts.vms_homeless_max > 0;
    v->hits[CHANCE_NO_HOME_AT_END] += counts.vms_homeless > 0;
    v->hits[CHANCE_HIT] += a->n_vms_hit > 0;
    v->hits[CHANCE_BROKEN] += is_broken(a->tiers, a->n_tiers) ||
                              is_broken(a->applications, a->n_applications);
}

static void
record(struct replication_variant_runs *v, uint32_t k,
       const struct dcp_sim_result *s, const struct dcp_io_result *io)
{
    v->value[MEASURE_ENERGY][k] = s->meter_kwh;
    v->value[MEASURE_COST][k] = s->energy_cost;
    v->value[MEASURE_OVERLOAD][k] = s->overload_host_s;
    v->value[MEASURE_UNMET][k] =
        s->requested_mhz_s > 0 ? s->unmet_cpu_mhz_s / s->requested_mhz_s : 0;
    v->value[MEASURE_STALLED][k] =
        s->requested_mhz_s > 0 ? s->stalled_mhz_s / s->requested_mhz_s : 0;
    v->value[MEASURE_UNSERVED][k] =
        io->asked_mib > 0 ? io->unmet_mib / io->asked_mib : 0;
    v->hits[CHANCE_OVERLOADED] += s->overload_host_s > 0;
}

struct played { /* In one variant. Owned. */
    struct dcp_failure_run failed;
    struct dcp_sim_result result;
    struct dcp_io_result storage;
};

static void
compare(struct dcp_replications *x, struct replication_variant_runs *beside)
{
    static const enum replication_measure worse[WORSE] = {
        [WORSE_DOWNTIME] = MEASURE_DOWNTIME,
        [WORSE_ENERGY] = MEASURE_ENERGY,
        [WORSE_OVERLOAD] = MEASURE_OVERLOAD,
    };
    double *const *main = x->of[MAIN].value;

    for (int i = 0; i < WORSE; i++) {
        beside->n_worse[i] +=
            main[worse[i]][x->n] > beside->value[worse[i]][x->n];
    }
    for (int m = 0; m < MEASURES; m++) {
        beside->difference[(size_t)m * x->wanted + x->n] =
            main[m][x->n] - beside->value[m][x->n];
    }
}

static void
record_all(struct dcp_replications *x, uint64_t seed,
           const struct played played[VARIANTS])
{
    for (int v = 0; v < VARIANTS; v++) {
        if (!x->has[v]) {
            continue;
        }
        if (x->has_failures) {
            record_failures(&x->of[v], x->n, &played[v].failed);
        }
        record(&x->of[v], x->n, &played[v].result, &played[v].storage);
        if (v != MAIN) {
            compare(x, &x->of[v]);
        }
    }
    x->seed[x->n++] = seed;
}

/* --- Running ------------------------------------------------------------- */

/* What all replications share. */
struct scene {
    struct dcp_sim_input input; /* Samples and rows change. */
    const struct dcp_replay *replay;
    const struct dcp_storage_use *storage; /* Of the usage. */
    const struct dcp_failure_options *options;
    const struct dcp_legs_input *legs; /* NULL: no plan. */
    /* By variant; NULL: the plan, or nothing. */
    const struct dcp_policy_run_input *policy[VARIANTS];
    bool two_threads;
};

static bool
play_policy(const struct scene *scene,
            const struct dcp_policy_run_input *policy,
            const struct dcp_failures *f,
            const struct dcp_sim_result *reference, struct played *out,
            struct dcp_error *err)
{
    struct dcp_policy_run_input input = *policy;
    struct dcp_policy_run played;

    input.in.cpu = scene->input.cpu;
    input.drawn =
        scene->input.cpu == &scene->replay->cpu ? NULL : scene->input.cpu;
    input.in.mem = scene->input.mem;
    input.in.mem_is_active = scene->input.mem_is_active;
    input.in.reference = reference;
    input.failures = f;
    input.storage = scene->storage;
    input.prepare = NULL;
    if (!dcp_policy_run(&input, true, &played, err)) {
        return false;
    }
    *out = (struct played){ played.failed, played.result, played.storage };
    return true;
}

static bool
play(const struct scene *scene, const struct dcp_failures *f, bool with_plan,
     const struct dcp_sim_result *reference, struct played *out,
     struct dcp_error *err)
{
    struct dcp_sim_input in = scene->input;

    dcp_replay_give_events(scene->replay, with_plan, &in);
    in.reference = reference;
    if (f && !(with_plan ? dcp_leg_runs_meet(scene->legs, &scene->replay->calm,
                                             f, &in, &out->failed, NULL, err)
                         : dcp_failures_run(f, &in, &out->failed, err))) {
        return false;
    }
    return dcp_storage_use_simulate(scene->storage, &in, &out->result,
                                    &out->storage, err);
}

/* One variant of one replication, against doing nothing. */
struct task {
    const struct scene *scene;
    const struct dcp_failures *failures; /* NULL: none. */
    const struct dcp_sim_result *reference;
    const struct dcp_policy_run_input *policy; /* NULL: the plan. */
    struct played *out;
    bool wanted, ok;
    struct dcp_error err;
};

static void
run_task(void *user)
{
    struct task *t = user;

    t->ok =
        !t->wanted || (t->policy ? play_policy(t->scene, t->policy, t->failures,
                                               t->reference, t->out, &t->err)
                                 : play(t->scene, t->failures, true,
                                        t->reference, t->out, &t->err));
}

/* Doing nothing comes first: the others are metered against it. */
static bool
play_all(const struct dcp_replications *x, const struct scene *scene,
         const struct dcp_failures *f, struct played played[VARIANTS],
         struct dcp_error *err)
{
    int first = x->has[BASELINE] ? BASELINE : MAIN;

    if (!play(scene, f, false, NULL, &played[first], err)) {
        return false;
    }
    struct task main = { .scene = scene,
                         .failures = f,
                         .reference = &played[first].result,
                         .policy = scene->policy[MAIN],
                         .out = &played[MAIN],
                         .wanted = first != MAIN };
    struct task band = main;

    band.policy = scene->policy[BAND];
    band.out = &played[BAND];
    band.wanted = x->has[BAND];
    dcp_run_pair(run_task, &main, &band,
                 scene->two_threads && main.wanted && band.wanted);
    if (!main.ok || !band.ok) {
        *err = main.ok ? band.err : main.err;
        return false;
    }
    return true;
}

/* A policy looks back on samples by their own times, and who counts reads and
 * writes looks on. */
static bool
draw_usage(struct dcp_replications *x, struct scene *scene, uint64_t seed,
           struct dcp_error *err)
{
    if (!x->resample.bootstrap) {
        return true;
    }
    if (x->policy || x->has[BAND] || x->resample.storage.limited) {
        scene->storage = &x->resample.storage_window;
        return dcp_resample_copy(&x->resample, seed, &scene->input, err);
    }
    dcp_resample_draw(&x->resample, seed, &scene->input);
    return true;
}

static bool
replicate(struct dcp_replications *x, struct scene *scene, uint64_t seed,
          struct dcp_error *err)
{
    struct dcp_sim_input *in = &scene->input;
    struct dcp_failures drawn = { 0 };
    const struct dcp_failures *f = x->has_failures ? &drawn : NULL;
    struct played played[VARIANTS] = { 0 };

    if (!draw_usage(x, scene, seed, err)) {
        return false;
    }
    if (f && !dcp_failures_open(&drawn, in->inventory, scene->options, seed,
                                in->from_ms, in->to_ms, err)) {
        return false;
    }
    drawn.net = scene->replay->failures.net;
    bool ok = play_all(x, scene, f, played, err);

    if (ok) {
        record_all(x, seed, played);
    }
    for (int v = 0; v < VARIANTS; v++) {
        dcp_failure_run_finish(&played[v].failed);
        dcp_sim_result_finish(&played[v].result);
        dcp_io_result_finish(&played[v].storage);
    }
    dcp_failures_close(&drawn);
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
    enum replication_measure m = replication_first_measure(x);
    bool difference = replication_watches_difference(x);

    if (x->n < N_MIN || !(x->half_width_frac > 0)) {
        return false;
    }
    for (int v = MAIN; v <= (x->has[BASELINE] && !difference ? BASELINE : MAIN);
         v++) {
        const double *values =
            difference ? x->of[BASELINE].difference + (size_t)m * x->wanted
                       : x->of[v].value[m];
        struct dcp_interval i = dcp_interval_of_mean(
            values, x->n, DCP_REPLICATIONS_CONFIDENCE_FRAC);

        if (!dcp_interval_is_narrow(&i, x->half_width_frac)) {
            return false;
        }
    }
    return true;
}

static bool
make_variant(struct replication_variant_runs *v, uint32_t n)
{
    bool ok = true;

    for (int m = 0; m < MEASURES; m++) {
        v->value[m] = calloc(n, sizeof(double));
        ok = ok && v->value[m];
    }
    v->difference = calloc((size_t)n * MEASURES, sizeof(double));
    return ok && v->difference;
}

static struct dcp_replications *
create(const struct dcp_replication_input *in, struct dcp_error *err)
{
    uint32_t n = (uint32_t)in->options->n;
    struct dcp_replications *x = calloc(1, sizeof *x);
    bool ok = x != NULL;

    if (ok) {
        x->wanted = n;
        x->has[MAIN] = true;
        x->has[BASELINE] = in->plan || in->policy;
        x->has[BAND] = in->band != NULL;
        x->seed = calloc(n, sizeof *x->seed);
        x->sorted = calloc(n, sizeof(double));
        ok = x->seed && x->sorted;
    }
    for (int v = 0; ok && v < VARIANTS; v++) {
        ok = !x->has[v] || make_variant(&x->of[v], n);
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u replications", n);
        dcp_replications_destroy(x);
        return NULL;
    }
    x->policy = in->policy ? in->policy->policy : NULL;
    x->half_width_frac = in->options->half_width_frac;
    x->has_failures = in->replay->has_failures;
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
        free(x->of[v].difference);
    }
    dcp_resample_close(&x->resample);
    free(x->sorted);
    free(x->seed);
    free(x);
}

/* Days that the plan or the policy knew beforehand count. */
static bool
open_resample(struct dcp_replications *x, struct dcp_context *c,
              const struct dcp_replication_input *in, struct dcp_error *err)
{
    struct dcp_resample_window window = { .from_ms =
                                              in->replay->without.from_ms,
                                          .to_ms = in->replay->without.to_ms };

    if (in->plan) {
        window.known_from_ms = in->plan->traces_from_ms;
        window.known_until_ms = in->plan->traces_until_ms;
    } else if (x->policy && dcp_policy_is_solver(x->policy)) {
        window.known_from_ms = INT64_MIN;
        window.known_until_ms = window.from_ms;
    }
    return !in->resample->block_days ||
           dcp_resample_open(c, in->resample, window, &x->resample, err);
}

static bool
replicate_all(const struct dcp_globals *g, struct dcp_replications *x,
              struct scene *scene, struct dcp_error *err)
{
    while (x->n < x->wanted && !x->narrow) {
        if (dcp_interrupt_count()) {
            x->interrupted = true;
            break;
        }
        dcp_ui_progress(g, "replications", (double)x->n / x->wanted);
        if (!replicate(x, scene, seed_of(g->seed, x->n), err)) {
            return false;
        }
        x->narrow = is_narrow(x);
    }
    return true;
}

struct dcp_replications *
dcp_replications_run(const struct dcp_globals *g, struct dcp_context *c,
                     const struct dcp_replication_input *in,
                     struct dcp_error *err)
{
    const struct dcp_replay *r = in->replay;
    const struct dcp_legs_input legs =
        dcp_replay_legs(c->model.inventory, in->plan, r);
    struct scene scene = {
        .input = { .inventory = c->model.inventory,
                   .start = in->plan ? in->plan->before : c->model.placement,
                   .from_ms = r->without.from_ms,
                   .to_ms = r->without.to_ms },
        .replay = r,
        .storage = &r->storage,
        .options = in->failures,
        .legs = in->plan ? &legs : NULL,
        .policy = { [MAIN] = in->policy, [BAND] = in->band },
        /* Solvers have threads and processes of their own. */
        .two_threads =
            g->threads > 1 &&
            !(in->policy && dcp_policy_is_solver(in->policy->policy)),
    };
    DCP_AUTO(dcp_replications) struct dcp_replications *x = create(in, err);

    dcp_replay_give_samples(r, &scene.input);
    if (!x || !open_resample(x, c, in, err)) {
        return NULL;
    }
    bool ok = replicate_all(g, x, &scene, err);

    dcp_ui_progress_end(g);
    return ok ? DCP_STEAL(x) : NULL;
}

bool
dcp_replications_interrupted(const struct dcp_replications *x)
{
    return x->interrupted;
}
