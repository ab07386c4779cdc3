/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A VM's day is a table of 5-minute bins, made once; a sample is a look-up, a
 * normal draw and an exponential.  Blocks of 256 VMs are made by the threads
 * and written by the caller. */

#include "traces/synth.h"

#include "model/base/rng.h"
#include "traces/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_VMS = 256, DAY_BINS = 288 };

enum output { OUT_CPU, OUT_MEM, OUT_RX, OUT_TX, N_OUTPUTS };

static const enum dcp_metric metric_of[N_OUTPUTS] = {
    [OUT_CPU] = DCP_METRIC_CPU_MHZ,
    [OUT_MEM] = DCP_METRIC_MEM_MIB,
    [OUT_RX] = DCP_METRIC_NET_RX_KIB_S,
    [OUT_TX] = DCP_METRIC_NET_TX_KIB_S,
};

/* What all VMs share about one cell of the grid. */
struct moment {
    uint16_t bin; /* Of the local day. */
    bool weekend;
    uint32_t day; /* Since the first day of the store. */
};

struct synth {
    const struct dcp_synth_vm *vms;
    const struct dcp_synth_options *o;
    uint32_t n_times, n_days, n_outputs;
    struct moment *moments;
    double *day_factor;    /* [day * DCP_SYNTH_ARCHETYPES + archetype] */
    uint32_t first;        /* VM of the block at hand. */
    float *out[N_OUTPUTS]; /* [vm - first][time] */
};

const char *
dcp_archetype_name(enum dcp_archetype a)
{
    static const char *const names[DCP_SYNTH_ARCHETYPES] = {
        [DCP_SYNTH_OFFICE] = "office", [DCP_SYNTH_EVENING] = "evening",
        [DCP_SYNTH_BATCH] = "batch",   [DCP_SYNTH_FLAT] = "flat",
        [DCP_SYNTH_BURSTY] = "bursty",
    };

    return names[a];
}

/* --- Shapes of a day ---------------------------------------------------- */

/* From 0 (well before) to 1 (well after), half at 'at'. */
static double
edge(double hour, double at, double width)
{
    return 1 / (1 + exp((at - hour) / width));
}

static double
bump(double hour, double at, double width)
{
    double x = (hour - at) / width;

    return exp(-x * x);
}

static double
within(double low, double high, struct dcp_rng *rng)
{
    return low + (high - low) * dcp_rng_unit(rng);
}

/* One VM's character. */
struct character {
    double level, base, weekend, sigma;
    double burst_start, burst_stop; /* Probability per cell; 0: no bursts. */
    double mem_base, mem_swing, rx_kib_s, tx_kib_s;
    float shape[DAY_BINS];
};

static void
office(struct character *c, struct dcp_rng *rng)
{
    double come = within(7.3, 9.2, rng), leave = within(16.8, 18.8, rng);
    double lunch = within(0.1, 0.35, rng);

    c->base = within(0.06, 0.18, rng);
    c->weekend = within(0.03, 0.2, rng);
    for (int i = 0; i < DAY_BINS; i++) {
        double h = (i + 0.5) * 24 / DAY_BINS;

        c->shape[i] = (float)(edge(h, come, 0.4) * (1 - edge(h, leave, 0.5)) *
                              (1 - lunch * bump(h, 12.6, 0.6)));
    }
}

static void
evening(struct character *c, struct dcp_rng *rng)
{
    double peak = within(19.3, 21.3, rng), day = within(0.3, 0.5, rng);

    c->base = within(0.1, 0.2, rng);
    c->weekend = within(0.95, 1.25, rng);
    for (int i = 0; i < DAY_BINS; i++) {
        double h = (i + 0.5) * 24 / DAY_BINS;

        h += h < 4 ? 24 : 0; /* The night belongs to the evening before. */
        c->shape[i] =
            (float)fmin(1, day * edge(h, 9, 1) * (1 - edge(h, 23.2, 0.6)) +
                               (1 - day) * bump(h, peak, 1.7));
    }
}

static void
batch(struct character *c, struct dcp_rng *rng)
{
    double begin = within(20.5, 26, rng), hours = within(1.5, 5, rng);

    c->base = within(0.02, 0.06, rng);
    c->weekend = dcp_rng_unit(rng) < 0.4 ? 0.1 : 1;
    for (int i = 0; i < DAY_BINS; i++) {
        double h = (i + 0.5) * 24 / DAY_BINS;

        h += h < 14 ? 24 : 0;
        c->shape[i] =
            (float)(edge(h, begin, 0.1) * (1 - edge(h, begin + hours, 0.15)));
    }
}

static void
flat(struct character *c, struct dcp_rng *rng)
{
    c->base = within(0.5, 0.9, rng);
    c->weekend = 1;
    for (int i = 0; i < DAY_BINS; i++) {
        c->shape[i] = 0.5f;
    }
}

static void
bursty(struct character *c, struct dcp_rng *rng, double cell_hours)
{
    double awake = within(7, 9, rng), asleep = within(18, 22, rng);

    c->base = within(0.03, 0.1, rng);
    c->weekend = within(0.3, 1, rng);
    c->burst_start = 1 - exp(-cell_hours / within(2, 8, rng));
    c->burst_stop = 1 - exp(-cell_hours / within(0.2, 1, rng));
    for (int i = 0; i < DAY_BINS; i++) {
        double h = (i + 0.5) * 24 / DAY_BINS;

        c->shape[i] = (float)(0.25 + 0.75 * edge(h, awake, 0.5) *
                                         (1 - edge(h, asleep, 0.5)));
    }
}

static double
log_normal(double median, double sigma, struct dcp_rng *rng)
{
    return median * exp(sigma * dcp_rng_normal(rng));
}

static void
draw_character(const struct dcp_synth_vm *vm, const struct dcp_synth_options *o,
               struct character *c)
{
    struct dcp_rng rng = dcp_rng_stream(o->seed, vm->name, 0);

    *c = (struct character){ 0 };
    c->level =
        fmin(0.95, fmax(0.04, log_normal(vm->test ? 0.28 : 0.42, 0.4, &rng)));
    c->sigma = within(0.12, 0.35, &rng);
    c->mem_base = within(0.25, 0.6, &rng);
    c->mem_swing = within(0.05, 0.3, &rng);
    c->rx_kib_s = vm->vcpus * log_normal(300, 0.9, &rng);
    c->tx_kib_s = vm->vcpus * log_normal(400, 0.9, &rng);
    switch (vm->archetype) {
    case DCP_SYNTH_OFFICE:
        office(c, &rng);
        break;
    case DCP_SYNTH_EVENING:
        evening(c, &rng);
        break;
    case DCP_SYNTH_BATCH:
        batch(c, &rng);
        break;
    case DCP_SYNTH_FLAT:
        flat(c, &rng);
        break;
    case DCP_SYNTH_BURSTY:
        bursty(c, &rng, (double)o->interval_ms / DCP_HOUR_MS);
        break;
    }
}

/* --- Samples of one VM -------------------------------------------------- */

/* Processes that run along the VM's time. */
struct state {
    struct dcp_rng noise, net;
    double ar, slow; /* log of the CPU's noise; CPU as memory follows it. */
    bool burst;
};

static double
next_cpu(const struct synth *s, const struct dcp_synth_vm *vm,
         const struct character *c, double keep, uint32_t t, struct state *x)
{
    const struct moment *m = &s->moments[t];
    double shape = c->shape[m->bin] * (m->weekend ? c->weekend : 1);

    if (c->burst_start > 0) {
        double p = x->burst ? c->burst_stop : c->burst_start * shape;

        x->burst = (dcp_rng_unit(&x->noise) < p) != x->burst;
        shape = x->burst ? 1 : 0;
    }
    x->ar = keep * x->ar +
            c->sigma * sqrt(1 - keep * keep) * dcp_rng_normal(&x->noise);
    double u =
        c->level * (c->base + (1 - c->base) * shape) *
        s->day_factor[(size_t)m->day * DCP_SYNTH_ARCHETYPES + vm->archetype] *
        exp(x->ar - c->sigma * c->sigma / 2);

    return fmin(u, 1);
}

static bool
make_vm(void *synth, uint32_t i, struct dcp_error *err)
{
    const struct synth *s = synth;
    const struct dcp_synth_vm *vm = &s->vms[s->first + i];
    double hours = (double)s->o->interval_ms / DCP_HOUR_MS;
    double keep = exp(-hours / 0.75), keep_slow = exp(-hours / 2);
    size_t row = (size_t)i * s->n_times;
    struct character c;
    struct state x = {
        .noise = dcp_rng_stream(s->o->seed, vm->name, 1),
        .net = dcp_rng_stream(s->o->seed, vm->name, 2),
    };

    (void)err;
    draw_character(vm, s->o, &c);
    for (uint32_t t = 0; t < s->n_times; t++) {
        double u = next_cpu(s, vm, &c, keep, t, &x);
        double mix = 0.7 + 0.6 * dcp_rng_unit(&x.net);

        x.slow = t ? keep_slow * x.slow + (1 - keep_slow) * u : u;
        s->out[OUT_CPU][row + t] = (float)(u * vm->cpu_capacity_mhz);
        s->out[OUT_MEM][row + t] =
            (float)(vm->mem_mib *
                    fmin(1, c.mem_base + c.mem_swing * x.slow / c.level));
        if (s->n_outputs > OUT_RX) {
            s->out[OUT_RX][row + t] = (float)(c.rx_kib_s * u * mix);
            s->out[OUT_TX][row + t] = (float)(c.tx_kib_s * u * mix);
        }
    }
    return true;
}

/* --- The store ---------------------------------------------------------- */

static void
fill_moments(struct synth *s)
{
    int64_t first_day = dcp_zone_local(s->o->zone, s->o->start_ms).day;

    for (uint32_t t = 0; t < s->n_times; t++) {
        struct dcp_local l = dcp_zone_local(
            s->o->zone, s->o->start_ms + (int64_t)t * s->o->interval_ms);

        s->moments[t] = (struct moment){
            .bin = (uint16_t)(l.ms_of_day * DAY_BINS / DCP_DAY_MS),
            .weekend = l.day_of_week >= 5,
            .day = (uint32_t)(l.day - first_day),
        };
    }
    for (uint32_t d = 0; d < s->n_days; d++) {
        for (uint32_t a = 0; a < DCP_SYNTH_ARCHETYPES; a++) {
            struct dcp_rng rng = dcp_rng_stream(
                s->o->seed, dcp_archetype_name((enum dcp_archetype)a), d);

            s->day_factor[(size_t)d * DCP_SYNTH_ARCHETYPES + a] =
                exp(0.07 * dcp_rng_normal(&rng));
        }
    }
}

static void
synth_finish(struct synth *s)
{
    free(s->moments);
    free(s->day_factor);
    for (int k = 0; k < N_OUTPUTS; k++) {
        free(s->out[k]);
    }
}

static bool
prepare(struct synth *s, uint32_t n, struct dcp_error *err)
{
    const struct dcp_synth_options *o = s->o;

    if (n == 0 || o->days == 0 || o->days > DCP_SYNTH_DAYS_MAX ||
        o->interval_ms < 1000 || o->interval_ms > DCP_DAY_MS) {
        return dcp_fail(err, DCP_E_USAGE,
                        "synthetic usage needs VMs, 1 to %d days and an "
                        "interval of 1s to 1d",
                        DCP_SYNTH_DAYS_MAX);
    }
    int64_t n_times =
        ((int64_t)o->days * DCP_DAY_MS + o->interval_ms - 1) / o->interval_ms;

    if (n_times > DCP_STORE_TIMES_MAX) {
        return dcp_fail(err, DCP_E_USAGE,
                        "%u days in such short intervals are over %u cells",
                        o->days, DCP_STORE_TIMES_MAX);
    }
    s->n_times = (uint32_t)n_times;
    s->n_days = o->days + 2; /* Local days that the span may touch. */
    s->n_outputs = o->cpu_and_memory_only ? OUT_RX : N_OUTPUTS;
    s->moments = calloc(s->n_times, sizeof *s->moments);
    s->day_factor =
        calloc((size_t)s->n_days * DCP_SYNTH_ARCHETYPES, sizeof *s->day_factor);
    bool ok = s->moments && s->day_factor;

    for (uint32_t k = 0; ok && k < s->n_outputs; k++) {
        s->out[k] = calloc((size_t)s->n_times * (n < BLOCK_VMS ? n : BLOCK_VMS),
                           sizeof *s->out[k]);
        ok = s->out[k] != NULL;
    }
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for samples");
}

static struct dcp_store_writer *
create_writer(const struct synth *s, const char *path, uint32_t n,
              struct dcp_error *err)
{
    DCP_FREE struct dcp_store_vm *vms = calloc(n, sizeof *vms);
    struct dcp_store_writer_options o = {
        .start_ms = s->o->start_ms,
        .interval_ms = s->o->interval_ms,
        .n_times = s->n_times,
        .n_vms = n,
        .vms = vms,
        .mem_basis = "active",
        .sample_bits = s->o->sample_bits,
        .deflate_level = s->o->deflate_level,
    };

    if (!vms) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for samples");
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        vms[i] = (struct dcp_store_vm){
            .name = s->vms[i].name,
            .vcpus = s->vms[i].vcpus,
            .cpu_capacity_mhz = s->vms[i].cpu_capacity_mhz,
            .mem_capacity_mib = s->vms[i].mem_mib,
        };
    }
    for (uint32_t k = 0; k < s->n_outputs; k++) {
        o.has[metric_of[k]] = true;
    }
    return dcp_store_writer_create(path, &o, err);
}

static bool
write_blocks(struct synth *s, uint32_t n, struct dcp_store_writer *w,
             struct dcp_error *err)
{
    struct dcp_parallel p = {
        .n_threads = s->o->threads,
        .run = make_vm,
        .context = s,
    };

    for (s->first = 0; s->first < n; s->first += BLOCK_VMS) {
        uint32_t k = n - s->first < BLOCK_VMS ? n - s->first : BLOCK_VMS;

        if (s->o->progress) {
            s->o->progress(s->o->progress_context, (double)s->first / n);
        }
        if (!dcp_parallel_run(&p, k, err)) {
            return false;
        }
        for (uint32_t m = 0; m < s->n_outputs; m++) {
            if (!dcp_store_writer_put(w, metric_of[m], s->first, k, s->out[m],
                                      err)) {
                return false;
            }
        }
    }
    return true;
}

bool
dcp_synth_write(const char *path, const struct dcp_synth_vm vms[], uint32_t n,
                const struct dcp_synth_options *o, struct dcp_error *err)
{
    struct synth s = { .vms = vms, .o = o };
    struct dcp_store_source source = {
        .kind = "synth",
        .path = "",
        .sha256 = "",
        .importer = DCP_IMPORTER,
    };
    bool ok = prepare(&s, n, err);

    if (ok) {
        DCP_AUTO(dcp_store_writer)
        struct dcp_store_writer *w = create_writer(&s, path, n, err);

        if (w) {
            fill_moments(&s);
        }
        ok = w && write_blocks(&s, n, w, err) &&
             dcp_store_writer_add_source(w, &source, err) &&
             dcp_store_writer_commit(w, err);
    }
    synth_finish(&s);
    return ok;
}
