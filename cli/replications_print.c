/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replication_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *key, *text;
    double scale; /* From the key's unit to the text's. */
} measures[MEASURES] = {
    [MEASURE_DOWNTIME] = { "down_vm_s", "downtime, VM-minutes", 1 / 60.0 },
    [MEASURE_HOMELESS_TIME] = { "homeless_vm_s", "without a home, VM-minutes",
                                1 / 60.0 },
    [MEASURE_AVAILABILITY] = { "availability_frac", "availability of VMs, %",
                               100 },
    [MEASURE_VMS_HIT] = { "vms_hit", "VMs interrupted", 1 },
    [MEASURE_HOST_FAILURES] = { "host_failures", "hosts that failed", 1 },
    [MEASURE_PREVENTED] = { "steps_prevented", "steps of the plan prevented",
                            1 },
    [MEASURE_ENERGY] = { "energy_kwh", "energy at the meter, kWh", 1 },
    [MEASURE_COST] = { "energy_cost", "energy cost", 1 },
    [MEASURE_OVERLOAD] = { "overload_host_seconds", "overload, host-minutes",
                           1 / 60.0 },
    [MEASURE_UNMET] = { "unmet_cpu_frac", "CPU asked for and not given, %",
                        100 },
    [MEASURE_STALLED] = { "stalled_cpu_frac", "CPU that waited for swap, %",
                          100 },
    [MEASURE_UNSERVED] = { "unmet_storage_frac",
                           "reads and writes not served, %", 100 },
};

static const struct {
    const char *key, *text;
} chances[CHANCES] = {
    [CHANCE_LOST_HOME] = { "vm_homeless", "a VM lost its home" },
    [CHANCE_NO_HOME_AT_END] = { "vm_homeless_at_end",
                                "a VM had none at the end" },
    [CHANCE_HIT] = { "vm_hit", "a VM was interrupted" },
    [CHANCE_BROKEN] = { "promise_broken", "a promise was broken" },
    [CHANCE_OVERLOADED] = { "host_overloaded", "a host was overloaded" },
};

static const struct {
    const char *key, *text;
} worse[WORSE] = {
    [WORSE_DOWNTIME] = { "more_downtime_than_baseline",
                         "plan or policy: more downtime" },
    [WORSE_ENERGY] = { "more_energy_than_baseline",
                       "plan or policy: more energy" },
    [WORSE_OVERLOAD] = { "more_overload_than_baseline",
                         "plan or policy: more overload" },
};

static enum replication_chance
first_chance(const struct dcp_replications *x)
{
    return x->has_failures ? CHANCE_LOST_HOME : CHANCE_OVERLOADED;
}

static enum replication_worse
first_worse(const struct dcp_replications *x)
{
    return x->has_failures ? WORSE_DOWNTIME : WORSE_ENERGY;
}

/* --- Figures ------------------------------------------------------------- */

static const double *
values_of(const struct dcp_replications *x, int variant, int m)
{
    return variant == VARIANTS ? x->difference + (size_t)m * x->wanted
                               : x->of[variant].value[m];
}

struct figure { /* Of one measure in one variant, or of the difference. */
    struct dcp_interval mean;
    double p10, p50, p90; /* Of replications. */
};

static struct figure
figure_of(const struct dcp_replications *x, int variant, int m)
{
    const double *values = values_of(x, variant, m);
    struct figure f = { dcp_interval_of_mean(values, x->n,
                                             DCP_REPLICATIONS_CONFIDENCE_FRAC),
                        NAN, NAN, NAN };

    if (x->n) {
        memcpy(x->sorted, values, x->n * sizeof *values);
        dcp_values_sort(x->sorted, x->n);
        f.p10 = dcp_quantile(x->sorted, x->n, 0.1);
        f.p50 = dcp_quantile(x->sorted, x->n, 0.5);
        f.p90 = dcp_quantile(x->sorted, x->n, 0.9);
    }
    return f;
}

static struct dcp_interval
share_of(const struct dcp_replications *x, uint32_t hits)
{
    return dcp_interval_of_share(hits, x->n, DCP_REPLICATIONS_CONFIDENCE_FRAC);
}

/* --- JSON ---------------------------------------------------------------- */

static void
json_figure(struct dcp_json *w, struct figure f)
{
    dcp_json_kdouble(w, "mean", f.mean.mean);
    dcp_json_kdouble(w, "low", f.mean.low);
    dcp_json_kdouble(w, "high", f.mean.high);
    dcp_json_kdouble(w, "p10", f.p10);
    dcp_json_kdouble(w, "p50", f.p50);
    dcp_json_kdouble(w, "p90", f.p90);
}

static void
json_means(struct dcp_json *w, const struct dcp_replications *x)
{
    dcp_json_karray(w, "means");
    for (int m = (int)replication_first_measure(x); m < MEASURES; m++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", measures[m].key);
        json_figure(w, figure_of(x, PLAN, m));
        if (x->has_plan) {
            dcp_json_kobject(w, "baseline");
            json_figure(w, figure_of(x, BASELINE, m));
            dcp_json_end(w, '}');
            dcp_json_kobject(w, "difference");
            json_figure(w, figure_of(x, VARIANTS, m));
            dcp_json_end(w, '}');
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_share(struct dcp_json *w, struct dcp_interval i)
{
    dcp_json_kdouble(w, "share_frac", i.mean);
    dcp_json_kdouble(w, "low", i.low);
    dcp_json_kdouble(w, "high", i.high);
}

static void
json_shares(struct dcp_json *w, const struct dcp_replications *x)
{
    dcp_json_karray(w, "shares");
    for (int c = (int)first_chance(x); c < CHANCES; c++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", chances[c].key);
        json_share(w, share_of(x, x->of[PLAN].hits[c]));
        if (x->has_plan) {
            dcp_json_kobject(w, "baseline");
            json_share(w, share_of(x, x->of[BASELINE].hits[c]));
            dcp_json_end(w, '}');
        }
        dcp_json_end(w, '}');
    }
    for (int i = (int)first_worse(x); x->has_plan && i < WORSE; i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "of", worse[i].key);
        json_share(w, share_of(x, x->n_worse[i]));
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_days(struct dcp_json *w, const struct dcp_replications *x, uint32_t k)
{
    uint32_t n;

    dcp_bootstrap_draw(x->resample.bootstrap, x->seed[k]);
    const int64_t *days = dcp_bootstrap_days(x->resample.bootstrap, &n);

    dcp_json_karray(w, "days");
    for (uint32_t i = 0; i < n; i++) {
        dcp_json_instant(w, days[i]);
    }
    dcp_json_end(w, ']');
}

static void
json_runs(struct dcp_json *w, const struct dcp_replications *x)
{
    int first = (int)replication_first_measure(x);

    dcp_json_karray(w, "runs");
    for (uint32_t k = 0; k < x->n; k++) {
        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "seed", x->seed[k]);
        for (int m = first; m < MEASURES; m++) {
            dcp_json_kdouble(w, measures[m].key, x->of[PLAN].value[m][k]);
        }
        for (int m = first; x->has_plan && m < MEASURES; m++) {
            char key[64];

            (void)snprintf(key, sizeof key, "baseline_%s", measures[m].key);
            dcp_json_kdouble(w, key, x->of[BASELINE].value[m][k]);
        }
        if (x->resample.bootstrap) {
            json_days(w, x, k);
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
    dcp_json_kdouble(w, "confidence_frac", DCP_REPLICATIONS_CONFIDENCE_FRAC);
    dcp_json_kdouble(w, "half_width_frac",
                     x->half_width_frac > 0 ? x->half_width_frac : NAN);
    dcp_json_kstring(w, "half_width_of",
                     measures[replication_first_measure(x)].key);
    dcp_json_kstring(w, "stopped_by",
                     x->interrupted ? "interrupt"
                     : x->narrow    ? "half_width"
                                    : "replications");
    if (x->resample.bootstrap) {
        dcp_resample_json(w, &x->resample);
    }
    json_means(w, x);
    json_shares(w, x);
    json_runs(w, x);
    dcp_json_end(w, '}');
}

/* --- Text ---------------------------------------------------------------- */

/* 'alike': what to say where low and high are the same. */
static void
cell(double middle, double low, double high, double scale, const char *alike)
{
    char text[64];

    if (low < high) {
        (void)snprintf(text, sizeof text, "%.5g (%.5g..%.5g)", scale * middle,
                       scale * low, scale * high);
    } else {
        (void)snprintf(text, sizeof text, "%.5g%s", scale * middle, alike);
    }
    printf(" %30s", text);
}

static void
interval_cell(struct dcp_interval i, double scale)
{
    cell(i.mean, i.low, i.high, scale, isnan(i.low) ? "" : " (all alike)");
}

static void
row(const char *what)
{
    printf("%-30s", what);
}

/* Not worth a line. */
static bool
is_never(const struct dcp_replications *x, int m)
{
    for (uint32_t k = 0; k < x->n; k++) {
        if (x->of[PLAN].value[m][k] > 0 ||
            (x->has_plan && x->of[BASELINE].value[m][k] > 0)) {
            return false;
        }
    }
    return m >= MEASURE_STALLED;
}

/* 'spread': medians, and between what eight of ten replications are. */
static void
print_measures(const struct dcp_replications *x, bool spread)
{
    static const int order[VARIANTS + 1] = { BASELINE, PLAN, VARIANTS };

    for (int m = (int)replication_first_measure(x); m < MEASURES; m++) {
        if ((m == MEASURE_PREVENTED && !x->has_plan) || is_never(x, m)) {
            continue;
        }
        row(measures[m].text);
        for (int i = 0; i <= VARIANTS; i++) {
            if (order[i] == PLAN || x->has_plan) {
                struct figure f = figure_of(x, order[i], m);

                if (spread) {
                    cell(f.p50, f.p10, f.p90, measures[m].scale, "");
                } else {
                    interval_cell(f.mean, measures[m].scale);
                }
            }
        }
        putchar('\n');
    }
}

static void
print_shares(const struct dcp_replications *x)
{
    puts("share of replications, %, in which");
    for (int c = (int)first_chance(x); c < CHANCES; c++) {
        row(chances[c].text);
        if (x->has_plan) {
            interval_cell(share_of(x, x->of[BASELINE].hits[c]), 100);
        }
        interval_cell(share_of(x, x->of[PLAN].hits[c]), 100);
        putchar('\n');
    }
    for (int i = (int)first_worse(x); x->has_plan && i < WORSE; i++) {
        row(worse[i].text);
        printf(" %30s", "");
        interval_cell(share_of(x, x->n_worse[i]), 100);
        putchar('\n');
    }
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
    if (x->resample.bootstrap) {
        dcp_resample_print(&x->resample);
    }
    if (x->has_plan) {
        row("");
        printf(" %30s %30s %30s\n", x->policy ? "none" : "without plan",
               x->policy ? x->policy : "with plan", "difference");
    }
    print_measures(x, false);
    if (x->resample.bootstrap) {
        puts("median, and between what 80 % of the replications are");
        print_measures(x, true);
    }
    print_shares(x);
}
