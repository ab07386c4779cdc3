/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How fast a placement is replayed (sim/sweep.h), beside how fast this machine
 * reads memory, measured in the same run.
 *
 *   bench_replay [KEY=VALUE...]
 *
 *   vms=100000 hosts=10000 days=30   the fleet
 *   bits=8|16 deflate=0..9           how its usage is stored
 *   threads=2 repeat=3 seed=1
 *   store=FILE                       kept, and used again where it is there;
 *                                    otherwise made and dropped
 *   engine=1                         also dcp_simulate() on the same usage, in
 *                                    memory as floats: for small fleets
 *   moves=0                          so many migrations each sample, for it
 *
 * The store is made by another process, so that the memory reported is the
 * replay's.  It has just been written, so it is in the page cache.  Prints one
 * JSON object; seconds are medians over the repeats. */

#include "bench/replay/fleet.h"
#include "bench/replay/moves.h"
#include "sim/sweep.h"
#include "traces/parallel.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPEATS_MAX = 31, BANDWIDTH_PIECES = 64 };

struct options {
    struct dcp_fleet_options fleet;
    uint32_t threads, repeat, engine, moves;
    const char *store;
};

struct seconds {
    double open, read, add, total;
    double read_cpu, add_cpu, cpu; /* Of all threads; of 'total'. */
};

static double
clock_s(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

static double
cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The median of one member of 'n' structs. */
static double
median_of(const struct seconds all[], uint32_t n, size_t member)
{
    double values[REPEATS_MAX];

    for (uint32_t i = 0; i < n; i++) {
        memcpy(&values[i], (const char *)&all[i] + member, sizeof values[i]);
    }
    qsort(values, n, sizeof *values, compare_doubles);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* --- Memory bandwidth --------------------------------------------------- */

struct reading {
    const uint64_t *words;
    size_t n; /* Of one piece. */
    uint64_t sums[BANDWIDTH_PIECES];
};

static bool
read_piece(void *context, uint32_t i, struct dcp_error *err)
{
    struct reading *r = context;
    const uint64_t *p = r->words + i * r->n;
    uint64_t sum[8] = { 0 };

    (void)err;
    for (size_t k = 0; k < r->n; k += 8) {
        for (int j = 0; j < 8; j++) {
            sum[j] += p[k + (size_t)j];
        }
    }
    for (int j = 0; j < 8; j++) {
        r->sums[i] += sum[j];
    }
    return true;
}

/* Bytes a second that threads read from memory, doing nothing else with them:
 * the best of five passes over 512 MiB. */
static double
bandwidth(uint32_t threads, struct dcp_error *err)
{
    size_t size = (size_t)512 << 20;
    uint64_t *words = malloc(size);
    struct reading r = { words,
                         size / sizeof *words / BANDWIDTH_PIECES,
                         { 0 } };
    struct dcp_parallel p = { .n_threads = threads,
                              .run = read_piece,
                              .context = &r };
    double best_s = 1e9;

    if (!words) {
        return 0;
    }
    memset(words, 1, size);
    for (int i = 0; i < 5; i++) {
        double start_s = wall_s();

        if (!dcp_parallel_run(&p, BANDWIDTH_PIECES, err)) {
            break;
        }
        double s = wall_s() - start_s;

        best_s = s < best_s ? s : best_s;
    }
    /* Used, so that the reading is not left out. */
    double rate = r.sums[0] ? (double)size / best_s : 0;

    free(words);
    return rate;
}

/* --- Replays ------------------------------------------------------------ */

static bool
replay_once(const struct options *o, const struct dcp_fleet *fleet,
            uint32_t threads, struct seconds *s, struct dcp_sim_result *out,
            struct dcp_error *err)
{
    double start_s = wall_s();
    double start_cpu_s = cpu_s();
    DCP_AUTO(dcp_store)
    struct dcp_store *store = dcp_store_open(o->store, err);
    struct dcp_sim_fill fill;

    if (!store) {
        return false;
    }
    int64_t from_ms = dcp_store_start_ms(store);
    struct dcp_sweep_input in = {
        .inventory = fleet->inventory,
        .start = fleet->placement,
        .store = store,
        .measured = fleet->placement,
        .from_ms = from_ms,
        .to_ms =
            from_ms + dcp_store_n_times(store) * dcp_store_interval_ms(store),
        .n_threads = threads,
    };
    DCP_AUTO(dcp_sweep) struct dcp_sweep *sweep = dcp_sweep_open(&in, err);

    if (!sweep) {
        return false;
    }
    *s = (struct seconds){ .open = wall_s() - start_s };
    for (uint32_t i = 0; i < dcp_sweep_n_stripes(sweep); i++) {
        double before_s = wall_s(), before_cpu_s = cpu_s();

        if (!dcp_sweep_read(sweep, i, err)) {
            return false;
        }
        double between_s = wall_s(), between_cpu_s = cpu_s();

        s->read += between_s - before_s;
        s->read_cpu += between_cpu_s - before_cpu_s;
        if (!dcp_sweep_add(sweep, err)) {
            return false;
        }
        s->add += wall_s() - between_s;
        s->add_cpu += cpu_s() - between_cpu_s;
    }
    dcp_sweep_finish(sweep, out, &fill);
    s->total = wall_s() - start_s;
    s->cpu = cpu_s() - start_cpu_s;
    return true;
}

static bool
replay(const struct options *o, const struct dcp_fleet *fleet, uint32_t threads,
       struct seconds *out, struct dcp_sim_result *result,
       struct dcp_error *err)
{
    struct seconds all[REPEATS_MAX];

    *result = (struct dcp_sim_result){ 0 };
    for (uint32_t i = 0; i < o->repeat; i++) {
        dcp_sim_result_finish(result);
        if (!replay_once(o, fleet, threads, &all[i], result, err)) {
            return false;
        }
    }
    *out = (struct seconds){
        .open = median_of(all, o->repeat, offsetof(struct seconds, open)),
        .read = median_of(all, o->repeat, offsetof(struct seconds, read)),
        .add = median_of(all, o->repeat, offsetof(struct seconds, add)),
        .total = median_of(all, o->repeat, offsetof(struct seconds, total)),
        .read_cpu =
            median_of(all, o->repeat, offsetof(struct seconds, read_cpu)),
        .add_cpu = median_of(all, o->repeat, offsetof(struct seconds, add_cpu)),
        .cpu = median_of(all, o->repeat, offsetof(struct seconds, cpu)),
    };
    return true;
}

/* The engine that takes events, on floats in memory; 0: could not. */
static double
engine_s(const struct options *o, const struct dcp_fleet *fleet,
         double *out_it_kwh, struct dcp_error *err)
{
    DCP_AUTO(dcp_store)
    struct dcp_store *store = dcp_store_open(o->store, err);
    struct dcp_samples cpu;
    struct dcp_moves moves;
    struct dcp_sim_result result;

    if (!store ||
        !dcp_samples_load(store, DCP_METRIC_CPU_MHZ, fleet->inventory,
                          fleet->placement, INT64_MIN, INT64_MAX, &cpu, err)) {
        return 0;
    }
    struct dcp_sim_input in = {
        .inventory = fleet->inventory,
        .cpu = &cpu,
        .start = fleet->placement,
        .from_ms = cpu.start_ms,
        .to_ms = cpu.start_ms + cpu.n_times * cpu.interval_ms,
    };
    if (!dcp_moves_create(fleet, o->fleet.seed, cpu.start_ms, cpu.interval_ms,
                          cpu.n_times, o->moves, &moves, err)) {
        dcp_samples_finish(&cpu);
        return 0;
    }
    in.events = moves.events;
    in.n_events = moves.n_events;
    double start_s = cpu_s();
    bool ok = dcp_simulate(&in, &result, err);
    double s = cpu_s() - start_s;

    *out_it_kwh = result.it_kwh;
    dcp_sim_result_finish(&result);
    dcp_moves_finish(&moves);
    dcp_samples_finish(&cpu);
    return ok ? s : 0;
}

/* --- Store -------------------------------------------------------------- */

static bool
make_store(const struct options *o, const struct dcp_fleet *fleet,
           struct dcp_error *err)
{
    int status;
    pid_t child = access(o->store, R_OK) == 0 ? -2 : fork();

    if (child == -2) {
        return true;
    }
    if (child == 0) {
        _exit(dcp_fleet_write_usage(&o->fleet, fleet->inventory, o->store, err)
                  ? 0
                  : 1);
    }
    return (child > 0 && waitpid(child, &status, 0) == child && status == 0) ||
           dcp_fail(err, DCP_E_IO, "cannot make the store '%s'", o->store);
}

/* --- Report ------------------------------------------------------------- */

static bool
same(const struct dcp_sim_result *a, const struct dcp_sim_result *b)
{
    return a->it_kwh == b->it_kwh &&
           memcmp(a->slices, b->slices, a->n_slices * sizeof *a->slices) == 0 &&
           memcmp(a->hosts, b->hosts, a->n_hosts * sizeof *a->hosts) == 0;
}

static void
print_seconds(const char *name, const struct seconds *s, uint64_t n_samples)
{
    (void)printf(" \"%s\": {\"open_s\": %.3f, \"read_s\": %.3f, \"sweep_s\": "
                 "%.3f, \"total_s\": %.3f, \"read_cpu_s\": %.3f, "
                 "\"sweep_cpu_s\": %.3f, \"cpu_s\": %.3f, "
                 "\"samples_per_s\": %.4g, \"sweep_samples_per_s\": %.4g},\n",
                 name, s->open, s->read, s->add, s->total, s->read_cpu,
                 s->add_cpu, s->cpu, (double)n_samples / s->total,
                 (double)n_samples / s->add);
}

static bool
measure(const struct options *o, struct dcp_error *err)
{
    struct dcp_fleet fleet;
    struct dcp_sim_result one = { 0 }, many = { 0 };
    struct seconds one_s, many_s;
    struct rusage usage;
    double it_kwh = 0;
    bool ok = dcp_fleet_create(&o->fleet, &fleet, err) &&
              make_store(o, &fleet, err) &&
              replay(o, &fleet, o->threads, &many_s, &many, err);

    (void)getrusage(RUSAGE_SELF, &usage);
    ok = ok && replay(o, &fleet, 1, &one_s, &one, err);
    if (ok) {
        double engine = o->engine ? engine_s(o, &fleet, &it_kwh, err) : 0;
        double limit_1 = bandwidth(1, err), limit = bandwidth(o->threads, err);

        (void)printf("{\"vms\": %u, \"hosts\": %u, \"days\": %u, \"bits\": "
                     "%u, \"deflate\": %u, \"seed\": %llu, \"samples\": "
                     "%llu, \"threads\": %u,\n",
                     o->fleet.n_vms, o->fleet.n_hosts, o->fleet.days,
                     o->fleet.sample_bits, o->fleet.deflate_level,
                     (unsigned long long)o->fleet.seed,
                     (unsigned long long)one.n_samples, o->threads);
        print_seconds("one_thread", &one_s, one.n_samples);
        print_seconds("threads_all", &many_s, one.n_samples);
        (void)printf(
            " \"sweep_speedup\": %.2f, \"same_bytes\": %s, "
            "\"max_rss_mib\": %.0f,\n \"read_gb_per_s\": {\"one\": "
            "%.1f, \"all\": %.1f}, \"limit_samples_per_s\": %.4g,\n"
            " \"it_kwh\": %.6f, \"overload_host_s\": %.0f",
            one_s.add / many_s.add, same(&one, &many) ? "true" : "false",
            (double)usage.ru_maxrss / 1024, limit_1 / 1e9, limit / 1e9,
            limit * 8 / o->fleet.sample_bits, one.it_kwh, one.overload_host_s);
        if (engine > 0) {
            (void)printf(
                ",\n \"moves_per_sample\": %u, \"engine_cpu_s\": %.3f, "
                "\"engine_it_kwh\": %.6f",
                o->moves, engine, it_kwh);
        }
        (void)puts("}");
    }
    dcp_sim_result_finish(&one);
    dcp_sim_result_finish(&many);
    dcp_fleet_finish(&fleet);
    return ok;
}

/* --- Options ------------------------------------------------------------ */

static bool
whole_number(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || n > UINT32_MAX) {
            return false;
        }
        n = 10 * n + (uint64_t)(*p - '0');
    }
    *out = n;
    return *text && n <= UINT32_MAX;
}

static bool
set(struct options *o, const char *arg)
{
    const struct {
        const char *key;
        uint32_t *value;
    } numbers[] = {
        { "vms=", &o->fleet.n_vms },
        { "hosts=", &o->fleet.n_hosts },
        { "days=", &o->fleet.days },
        { "bits=", &o->fleet.sample_bits },
        { "deflate=", &o->fleet.deflate_level },
        { "threads=", &o->threads },
        { "repeat=", &o->repeat },
        { "engine=", &o->engine },
        { "moves=", &o->moves },
    };
    uint64_t number;

    if (strncmp(arg, "store=", 6) == 0) {
        o->store = arg + 6;
        return true;
    }
    const char *text = strchr(arg, '=');

    if (!text || !whole_number(text + 1, &number)) {
        return false;
    }
    if (strncmp(arg, "seed=", 5) == 0) {
        o->fleet.seed = number;
        return true;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strncmp(arg, numbers[i].key, strlen(numbers[i].key)) == 0) {
            *numbers[i].value = (uint32_t)number;
            return true;
        }
    }
    return false;
}

int
main(int argc, char *argv[])
{
    struct options o = {
        .fleet = { .seed = 1,
                   .n_vms = 100000,
                   .n_hosts = 10000,
                   .days = 30,
                   .sample_bits = 8 },
        .threads = 2,
        .repeat = 3,
    };
    char room[64];
    struct dcp_error err = { 0 };

    for (int i = 1; i < argc; i++) {
        if (!set(&o, argv[i])) {
            (void)fprintf(stderr, "bench_replay: '%s' is no option\n", argv[i]);
            return 2;
        }
    }
    if (!o.fleet.n_vms || !o.fleet.n_hosts || !o.fleet.days || !o.repeat ||
        o.repeat > REPEATS_MAX || o.moves > o.fleet.n_vms) {
        (void)fprintf(
            stderr,
            "bench_replay: sizes are from 1, repeat to %d, moves to vms\n",
            REPEATS_MAX);
        return 2;
    }
    bool keep = o.store != NULL;

    if (!keep) {
        (void)snprintf(room, sizeof room, "/tmp/bench_replay-%ld.h5",
                       (long)getpid());
        o.store = room;
    }
    bool ok = measure(&o, &err);

    if (!keep) {
        (void)unlink(o.store);
    }
    if (!ok) {
        (void)fprintf(stderr, "bench_replay: %s\n", err.message);
    }
    return ok ? 0 : 1;
}
