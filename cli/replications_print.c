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
    [WORSE_DOWNTIME] = { "more_downtime", "more downtime" },
    [WORSE_ENERGY] = { "more_energy", "more energy" },
    [WORSE_OVERLOAD] = { "more_overload", "more overload" },
};

/* What stands beside what it is about. */
static const struct {
    const char *key, *difference, *text;
} besides[VARIANTS] = {
    [BASELINE] = { "baseline", "difference", "none" },
    [BAND] = { "reactive_band", "difference_to_band", DCP_BAND },
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

/* Of the variant, or, from VARIANTS on, of MAIN less that variant. */
static const double *
values_of(const struct dcp_replications *x, int variant, int m)
{
    return variant >= VARIANTS
               ? x->of[variant - VARIANTS].difference + (size_t)m * x->wanted
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
        json_figure(w, figure_of(x, MAIN, m));
        for (int v = BASELINE; v < VARIANTS; v++) {
            if (x->has[v]) {
                dcp_json_kobject(w, besides[v].key);
                json_figure(w, figure_of(x, v, m));
                dcp_json_end(w, '}');
                dcp_json_kobject(w, besides[v].difference);
                json_figure(w, figure_of(x, VARIANTS + v, m));
                dcp_json_end(w, '}');
            }
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
        json_share(w, share_of(x, x->of[MAIN].hits[c]));
        for (int v = BASELINE; v < VARIANTS; v++) {
            if (x->has[v]) {
                dcp_json_kobject(w, besides[v].key);
                json_share(w, share_of(x, x->of[v].hits[c]));
                dcp_json_end(w, '}');
            }
        }
        dcp_json_end(w, '}');
    }
    for (int v = BASELINE; v < VARIANTS; v++) {
        for (int i = (int)first_worse(x); x->has[v] && i < WORSE; i++) {
            char key[64];

            (void)snprintf(key, sizeof key, "%s_than_%s", worse[i].key,
                           besides[v].key);
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "of", key);
            json_share(w, share_of(x, x->of[v].n_worse[i]));
            dcp_json_end(w, '}');
        }
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
            dcp_json_kdouble(w, measures[m].key, x->of[MAIN].value[m][k]);
        }
        for (int v = BASELINE; v < VARIANTS; v++) {
            for (int m = first; x->has[v] && m < MEASURES; m++) {
                char key[64];

                (void)snprintf(key, sizeof key, "%s_%s", besides[v].key,
                               measures[m].key);
                dcp_json_kdouble(w, key, x->of[v].value[m][k]);
            }
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

/* --- Who and what ----------------------------------------------------------
 */

static bool
has_beside(const struct dcp_replications *x)
{
    return x->has[BASELINE] || x->has[BAND];
}

/* Not worth a line. */
static bool
is_never(const struct dcp_replications *x, int m)
{
    if (m == MEASURE_PREVENTED && !has_beside(x)) {
        return true;
    }
    for (int v = 0; v < VARIANTS; v++) {
        for (uint32_t k = 0; x->has[v] && k < x->n; k++) {
            if (x->of[v].value[m][k] > 0) {
                return false;
            }
        }
    }
    return m >= MEASURE_STALLED;
}

static const char *
name_of(const struct dcp_replications *x, int variant)
{
    return variant != MAIN    ? besides[variant].text
           : x->policy        ? x->policy
           : x->has[BASELINE] ? "with plan"
                              : besides[BASELINE].text;
}

/* Columns of the variants, what it is about last, or of the differences. */
static const int variant_columns[] = { BASELINE, BAND, MAIN };
static const int difference_columns[] = { VARIANTS + BASELINE,
                                          VARIANTS + BAND };
struct columns {
    const int *of;
    int n;
};
static const struct columns variants = { variant_columns, VARIANTS };
static const struct columns differences = { difference_columns, VARIANTS - 1 };

/* --- The page ------------------------------------------------------------ */

static struct dcp_interval
scaled(struct dcp_interval i, double scale)
{
    return (struct dcp_interval){ scale * i.mean, scale * i.low,
                                  scale * i.high };
}

/* Means of the variants, and of the differences to what stands beside. */
static void
fill_row(const struct dcp_replications *x, int m,
         struct dcp_sim_page_sure_row *out)
{
    int n = 0;

    out->what = measures[m].text;
    for (int c = 0; c < variants.n; c++) {
        if (x->has[variants.of[c]]) {
            out->of[n++] =
                scaled(figure_of(x, variants.of[c], m).mean, measures[m].scale);
        }
    }
    for (int c = 0; c < differences.n; c++) {
        if (x->has[differences.of[c] % VARIANTS]) {
            out->of[n++] = scaled(figure_of(x, differences.of[c], m).mean,
                                  measures[m].scale);
        }
    }
}

void
dcp_replications_table(const struct dcp_replications *x,
                       struct dcp_sim_page_sure *out)
{
    _Static_assert((int)MEASURES + (int)CHANCES <= (int)DCP_SIM_PAGE_SURE_ROWS,
                   "the page has room for all");
    *out = (struct dcp_sim_page_sure){ 0 };
    if (!x) {
        return;
    }
    out->n_replications = x->n;
    for (int c = 0; c < variants.n; c++) {
        if (x->has[variants.of[c]]) {
            out->names[out->n_variants++] = name_of(x, variants.of[c]);
        }
    }
    for (int m = (int)replication_first_measure(x); m < MEASURES; m++) {
        if (!is_never(x, m)) {
            fill_row(x, m, &out->rows[out->n_rows++]);
        }
    }
    for (int i = (int)first_chance(x); i < CHANCES; i++) {
        struct dcp_sim_page_sure_row *r = &out->rows[out->n_rows++];

        r->what = chances[i].text;
        r->is_share = true;
        for (int c = 0, n = 0; c < variants.n; c++) {
            if (x->has[variants.of[c]]) {
                r->of[n++] = share_of(x, x->of[variants.of[c]].hits[i]);
            }
        }
    }
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

static void
print_head(const struct dcp_replications *x, const char *what,
           struct columns columns)
{
    row(what);
    for (int c = 0; c < columns.n; c++) {
        int v = columns.of[c] % VARIANTS;

        if (x->has[v]) {
            printf(" %30.30s", name_of(x, v));
        }
    }
    putchar('\n');
}

/* 'spread': medians, and between what eight of ten replications are. */
static void
print_measures(const struct dcp_replications *x, struct columns columns,
               bool spread)
{
    for (int m = (int)replication_first_measure(x); m < MEASURES; m++) {
        if (is_never(x, m)) {
            continue;
        }
        row(measures[m].text);
        for (int c = 0; c < columns.n; c++) {
            if (!x->has[columns.of[c] % VARIANTS]) {
                continue;
            }
            struct figure f = figure_of(x, columns.of[c], m);

            if (spread) {
                cell(f.p50, f.p10, f.p90, measures[m].scale, "");
            } else {
                interval_cell(f.mean, measures[m].scale);
            }
        }
        putchar('\n');
    }
}

static void
print_shares(const struct dcp_replications *x)
{
    puts("share of replications, %, in which");
    for (int i = (int)first_chance(x); i < CHANCES; i++) {
        row(chances[i].text);
        for (int c = 0; c < variants.n; c++) {
            if (x->has[variants.of[c]]) {
                interval_cell(share_of(x, x->of[variants.of[c]].hits[i]), 100);
            }
        }
        putchar('\n');
    }
}

/* Pairs of one replication: what it is about, less what stands beside. */
static void
print_differences(const struct dcp_replications *x)
{
    char head[64];

    (void)snprintf(head, sizeof head, "%.20s less", name_of(x, MAIN));
    print_head(x, head, differences);
    print_measures(x, differences, false);
    puts("share of replications, %, in which it has");
    for (int i = (int)first_worse(x); i < WORSE; i++) {
        row(worse[i].text);
        for (int v = BASELINE; v < VARIANTS; v++) {
            if (x->has[v]) {
                interval_cell(share_of(x, x->of[v].n_worse[i]), 100);
            }
        }
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
    if (has_beside(x)) {
        print_head(x, "", variants);
    }
    print_measures(x, variants, false);
    if (x->resample.bootstrap) {
        puts("median, and between what 80 % of the replications are");
        print_measures(x, variants, true);
    }
    print_shares(x);
    if (has_beside(x)) {
        print_differences(x);
    }
}
