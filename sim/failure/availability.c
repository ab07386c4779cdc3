/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/failure/availability.h"

#include <math.h>
#include <stdlib.h>

#define S_PER_MS 0.001

const double dcp_recovery_limits_s[DCP_RECOVERY_BINS - 1] = { 60,  120,  300,
                                                              600, 1800, 3600 };

/* --- k of n ------------------------------------------------------------- */

static int
compare_ms(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

static int64_t
within(int64_t at_ms, int64_t from_ms, int64_t to_ms)
{
    return at_ms < from_ms ? from_ms : at_ms > to_ms ? to_ms : at_ms;
}

int64_t
dcp_time_below(const struct dcp_span spans[], uint32_t n, uint32_t spare,
               int64_t from_ms, int64_t to_ms)
{
    int64_t *starts = calloc(2 * (size_t)n + 1, sizeof *starts), sum_ms = 0;
    int64_t *ends = starts + n, since_ms = from_ms;

    if (!starts) {
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        starts[i] = within(spans[i].from_ms, from_ms, to_ms);
        ends[i] = within(spans[i].until_ms, from_ms, to_ms);
    }
    qsort(starts, n, sizeof *starts, compare_ms);
    qsort(ends, n, sizeof *ends, compare_ms);
    /* Ends are never ahead of starts: each span ends after it began. */
    for (uint32_t s = 0, e = 0; e < n;) {
        bool begins = s < n && starts[s] <= ends[e];
        int64_t at_ms = begins ? starts[s] : ends[e];

        if (s - e > spare) {
            sum_ms += at_ms - since_ms;
        }
        since_ms = at_ms;
        s += begins;
        e += !begins;
    }
    free(starts);
    return sum_ms;
}

/* --- Sums --------------------------------------------------------------- */

static void
judge(struct dcp_availability_of *of, double horizon_s)
{
    of->availability_frac = of->n_vms ? 1 - of->down_s / horizon_s : NAN;
}

static bool
is_broken(double down_s, double promised_frac, double horizon_s)
{
    return promised_frac > 0 && 1 - down_s / horizon_s < promised_frac;
}

static void
sum_tiers(const struct dcp_inventory *inv, const struct dcp_placement *start,
          struct dcp_availability *a)
{
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        struct dcp_availability_of *tier = &a->tiers[inv->vms[v].tier.ix];

        if (!dcp_host_is_none(start->host[v])) {
            tier->promised_frac =
                inv->tiers[inv->vms[v].tier.ix].sla_availability;
            tier->n_broken +=
                is_broken(a->vm_down_s[v], tier->promised_frac, a->horizon_s);
            tier->n_vms++;
            tier->down_s += a->vm_down_s[v];
        }
    }
    for (uint32_t t = 0; t < inv->n_tiers; t++) {
        if (a->tiers[t].n_vms) {
            a->tiers[t].down_s /= a->tiers[t].n_vms;
        }
        judge(&a->tiers[t], a->horizon_s);
    }
}

struct work {
    const struct dcp_inventory *inv;
    const struct dcp_placement *start;
    const struct dcp_vm_outage *outages;
    uint32_t n_outages;
    int64_t from_ms, to_ms;
    struct dcp_span *spans; /* As many as outages. */
};

static bool
sum_applications(const struct work *w, struct dcp_availability *a)
{
    const struct dcp_inventory *inv = w->inv;

    for (uint32_t i = 0; i < inv->n_applications; i++) {
        struct dcp_availability_of *app = &a->applications[i];
        uint32_t n = 0;

        for (uint32_t k = 0; k < inv->applications[i].vms.n; k++) {
            app->n_vms += !dcp_host_is_none(
                w->start->host[inv->applications[i].vms.ix[k]]);
        }
        for (uint32_t k = 0; k < w->n_outages; k++) {
            const struct dcp_vm_outage *o = &w->outages[k];

            if (inv->vms[o->vm].application.ix == i &&
                !dcp_host_is_none(w->start->host[o->vm])) {
                w->spans[n++] = (struct dcp_span){ o->from_ms, o->until_ms };
            }
        }
        uint32_t needs = inv->applications[i].needs;
        uint32_t spare = needs && needs < app->n_vms ? app->n_vms - needs : 0;
        int64_t down_ms =
            n ? dcp_time_below(w->spans, n, spare, w->from_ms, w->to_ms) : 0;

        if (down_ms < 0) {
            return false;
        }
        app->down_s = (double)down_ms * S_PER_MS;
        app->promised_frac = inv->applications[i].sla_availability;
        app->n_broken = app->n_vms && is_broken(app->down_s, app->promised_frac,
                                                a->horizon_s);
        judge(app, a->horizon_s);
    }
    return true;
}

static int
compare_s(const void *x, const void *y)
{
    const double *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* The smallest value that at least a share 'q' of all do not exceed. */
static double
quantile(const double sorted_s[], uint32_t n, double q)
{
    double rank = ceil(q * n);

    return n ? sorted_s[rank < 1 ? 0 : (uint32_t)rank - 1] : NAN;
}

static void
sum_recovery(struct dcp_availability *a, double *lengths_s)
{
    uint32_t n = a->n_interruptions;

    if (n) {
        qsort(lengths_s, n, sizeof *lengths_s, compare_s);
    }
    const struct {
        double *out, q;
    } rows[] = { { &a->recovery_p50_s, 0.5 },
                 { &a->recovery_p90_s, 0.9 },
                 { &a->recovery_p99_s, 0.99 },
                 { &a->recovery_max_s, 1 } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = quantile(lengths_s, n, rows[i].q);

        *rows[i].out = isinf(value) ? NAN : value;
    }
    for (uint32_t i = 0, bin = 0; i < n && !isinf(lengths_s[i]); i++) {
        while (bin + 1 < DCP_RECOVERY_BINS &&
               lengths_s[i] > dcp_recovery_limits_s[bin]) {
            bin++; /* Lengths are sorted. */
        }
        a->recoveries[bin]++;
    }
}

static void
sum_vms(const struct work *w, struct dcp_availability *a, double *lengths_s)
{
    for (uint32_t i = 0; i < w->n_outages; i++) {
        const struct dcp_vm_outage *o = &w->outages[i];

        if (dcp_host_is_none(w->start->host[o->vm])) {
            continue;
        }
        bool open = o->until_ms >= w->to_ms;
        double down_s = (double)((open ? w->to_ms : o->until_ms) -
                                 within(o->from_ms, w->from_ms, w->to_ms)) *
                        S_PER_MS;

        a->n_vms_hit += a->vm_down_s[o->vm] <= 0;
        a->vm_down_s[o->vm] += down_s;
        a->down_vm_s += down_s;
        a->homeless_vm_s += (double)o->homeless_ms * S_PER_MS;
        a->n_open += open;
        lengths_s[a->n_interruptions++] = open ? INFINITY : down_s;
    }
    for (uint32_t v = 0; v < w->inv->n_vms; v++) {
        a->n_vms += !dcp_host_is_none(w->start->host[v]);
    }
    a->availability_frac =
        a->n_vms ? 1 - a->down_vm_s / (a->n_vms * a->horizon_s) : NAN;
}

bool
dcp_availability(const struct dcp_inventory *inv,
                 const struct dcp_placement *start,
                 const struct dcp_vm_outage outages[], uint32_t n_outages,
                 int64_t from_ms, int64_t to_ms, struct dcp_availability *out,
                 struct dcp_error *err)
{
    size_t n = (size_t)n_outages + 1;
    double *lengths_s = calloc(n, sizeof *lengths_s);
    struct work w = { inv,
                      start,
                      outages,
                      n_outages,
                      from_ms,
                      to_ms,
                      calloc(n, sizeof *w.spans) };

    *out = (struct dcp_availability){
        .horizon_s = (double)(to_ms - from_ms) * S_PER_MS,
        .n_tiers = inv->n_tiers,
        .n_applications = inv->n_applications,
        .vm_down_s = calloc((size_t)inv->n_vms + 1, sizeof(double)),
        .tiers = calloc((size_t)inv->n_tiers + 1, sizeof *out->tiers),
        .applications =
            calloc((size_t)inv->n_applications + 1, sizeof *out->applications),
    };
    bool ok = lengths_s && w.spans && out->vm_down_s && out->tiers &&
              out->applications;

    if (ok) {
        sum_vms(&w, out, lengths_s);
        sum_recovery(out, lengths_s);
        sum_tiers(inv, start, out);
        ok = sum_applications(&w, out);
    }
    free(lengths_s);
    free(w.spans);
    if (!ok) {
        dcp_availability_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for availability");
    }
    return true;
}

void
dcp_availability_finish(struct dcp_availability *a)
{
    free(a->vm_down_s);
    free(a->tiers);
    free(a->applications);
    *a = (struct dcp_availability){ 0 };
}
