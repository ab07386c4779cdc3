/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/shortage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- JSON --------------------------------------------------------------- */

struct waiting {
    double ready_s;
    uint32_t vm;
};

/* Longest first, then by the model's order. */
static int
by_wait(const void *a, const void *b)
{
    const struct waiting *x = a, *y = b;

    if (x->ready_s != y->ready_s) {
        return x->ready_s > y->ready_s ? -1 : 1;
    }
    return x->vm < y->vm ? -1 : x->vm > y->vm;
}

static void
json_frac(struct dcp_json *w, const struct dcp_ready_counts *counts,
          uint64_t n_samples)
{
    dcp_json_kdouble(w, "ready_frac_p95",
                     dcp_ready_percentile(counts, n_samples, 0.95));
    dcp_json_kdouble(w, "ready_frac_p99",
                     dcp_ready_percentile(counts, n_samples, 0.99));
}

static bool
json_vms(struct dcp_json *w, const struct dcp_inventory *inv,
         const struct dcp_sim_result *s)
{
    DCP_FREE struct waiting *vms = calloc((size_t)s->n_vms + 1, sizeof *vms);
    uint32_t n = 0;

    for (uint32_t v = 0; vms && v < s->n_vms; v++) {
        if (s->vm_ready_s[v] > 0) {
            vms[n++] = (struct waiting){ s->vm_ready_s[v], v };
        }
    }
    if (!vms) {
        return false;
    }
    qsort(vms, n, sizeof *vms, by_wait);
    dcp_json_karray(w, "waiting_vms");
    for (uint32_t i = 0; i < n && i < DCP_SHORTAGE_VMS; i++) {
        struct dcp_ready_counts counts = { { 0 } };

        (void)dcp_ready_sum(s->ready, vms[i].vm, &counts);
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "vm", inv->vms[vms[i].vm].name);
        dcp_json_kdouble(w, "ready_seconds", vms[i].ready_s);
        json_frac(w, &counts, s->n_slices);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    return true;
}

struct tenant_waits {
    uint32_t n_vms;
    struct dcp_ready_counts counts;
};

static bool
json_tenants(struct dcp_json *w, const struct dcp_inventory *inv,
             const struct dcp_sim_result *s)
{
    DCP_FREE struct tenant_waits *tenants =
        calloc((size_t)inv->n_tenants + 1, sizeof *tenants);

    for (uint32_t v = 0; tenants && v < s->n_vms; v++) {
        dcp_tenant_id tenant = inv->vms[v].tenant;
        struct tenant_waits *t =
            &tenants[dcp_tenant_is_none(tenant) ? inv->n_tenants : tenant.ix];

        t->n_vms++;
        (void)dcp_ready_sum(s->ready, v, &t->counts);
    }
    if (!tenants) {
        return false;
    }
    dcp_json_karray(w, "waiting_tenants");
    for (uint32_t t = 0; t <= inv->n_tenants; t++) {
        if (s->tenants[t].ready_s > 0) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "tenant",
                             t < inv->n_tenants ? inv->tenants[t].name : NULL);
            dcp_json_kdouble(w, "ready_vm_seconds", s->tenants[t].ready_s);
            json_frac(w, &tenants[t].counts,
                      (uint64_t)tenants[t].n_vms * s->n_slices);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    return true;
}

static double
mean(const struct dcp_sim_result *s, double sum_s)
{
    return sum_s / ((double)(s->to_ms - s->from_ms) / 1000);
}

static void
json_memory(struct dcp_json *w, const struct dcp_sim_result *s)
{
    double balloon_max = 0, swap_max = 0;
    uint32_t n_vms = 0;

    for (uint32_t i = 0; i < s->n_slices; i++) {
        balloon_max = fmax(balloon_max, s->slices[i].balloon_mib);
        swap_max = fmax(swap_max, s->slices[i].swap_mib);
    }
    for (uint32_t v = 0; v < s->n_vms; v++) {
        n_vms += s->vm_swap_mib_s[v] > 0;
    }
    dcp_json_kobject(w, "memory");
    dcp_json_kbool(w, "measured", s->mem_measured);
    dcp_json_kdouble(w, "balloon_mib_mean", mean(s, s->balloon_mib_s));
    dcp_json_kdouble(w, "balloon_mib_max", balloon_max);
    dcp_json_kdouble(w, "swap_mib_mean", mean(s, s->swap_mib_s));
    dcp_json_kdouble(w, "swap_mib_max", swap_max);
    dcp_json_kdouble(w, "unbacked_mib_mean", mean(s, s->unbacked_mib_s));
    dcp_json_ku64(w, "swapped_vms", n_vms);
    dcp_json_kdouble(w, "stalled_cpu_mhz_s", s->stalled_mhz_s);
    dcp_json_kdouble(w, "swap_wait_vm_seconds", s->swap_wait_vm_s);
    dcp_json_end(w, '}');
}

bool
dcp_shortage_json(struct dcp_json *w, const struct dcp_inventory *inv,
                  const struct dcp_sim_result *s, struct dcp_error *err)
{
    dcp_json_kdouble(w, "held_cpu_mhz_s", s->held_mhz_s);
    dcp_json_kdouble(w, "slowed_cpu_mhz_s", s->slowed_mhz_s);
    dcp_json_ku64(w, "warmups", s->warmups);
    dcp_json_kdouble(w, "warmup_cpu_mhz_s", s->warmup_mhz_s);
    dcp_json_kdouble(w, "ready_vm_seconds", s->ready_vm_s);
    dcp_json_kdouble(w, "ready_frac_p95", dcp_sim_ready_frac(s, 0.95));
    dcp_json_kdouble(w, "ready_frac_p99", dcp_sim_ready_frac(s, 0.99));
    if (!json_vms(w, inv, s) || !json_tenants(w, inv, s)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the result");
    }
    json_memory(w, s);
    return true;
}

/* --- Text --------------------------------------------------------------- */

static void
line(const char *what, const char *unit, double without, const double *with,
     int decimals)
{
    if (with) {
        char both[64];

        (void)snprintf(both, sizeof both, "%s, %s", what, unit);
        printf("%-34s %12.*f %12.*f\n", both, decimals, without, decimals,
               *with);
    } else {
        printf("%-30s %10.*f %s\n", what, decimals, without, unit);
    }
}

/* Where hosts took some back. */
static void
print_memory(const struct dcp_sim_result *without,
             const struct dcp_sim_result *with)
{
    double balloon_gib = with ? mean(with, with->balloon_mib_s) / 1024 : 0;
    double swap_gib = with ? mean(with, with->swap_mib_s) / 1024 : 0;
    double stalled = with ? with->stalled_mhz_s / 3.6e6 : 0;

    if (without->balloon_mib_s > 0 || balloon_gib > 0 ||
        without->swap_mib_s > 0 || swap_gib > 0) {
        line("memory in balloons", "GiB",
             mean(without, without->balloon_mib_s) / 1024,
             with ? &balloon_gib : NULL, 1);
        line("memory swapped", "GiB", mean(without, without->swap_mib_s) / 1024,
             with ? &swap_gib : NULL, 1);
        line("CPU that waited for swap", "GHz h",
             without->stalled_mhz_s / 3.6e6, with ? &stalled : NULL, 1);
    }
}

void
dcp_shortage_print(const struct dcp_sim_result *without,
                   const struct dcp_sim_result *with)
{
    double minutes = with ? with->ready_vm_s / 60 : 0;
    double p99 = with ? 100 * dcp_sim_ready_frac(with, 0.99) : 0;
    double held = with ? with->held_mhz_s / 3.6e6 : 0;
    double slowed = with ? with->slowed_mhz_s / 3.6e6 : 0;
    double warmup = with ? with->warmup_mhz_s / 3.6e6 : 0;

    line("VMs waiting for CPU", "VM-minutes", without->ready_vm_s / 60,
         with ? &minutes : NULL, 1);
    line("waiting, p99 of VM samples", "%",
         100 * dcp_sim_ready_frac(without, 0.99), with ? &p99 : NULL, 2);
    if (without->warmup_mhz_s > 0 || warmup > 0) {
        line("CPU of VMs that warmed up", "GHz h",
             without->warmup_mhz_s / 3.6e6, with ? &warmup : NULL, 1);
    }
    print_memory(without, with);
    if (without->held_mhz_s > 0 || held > 0) {
        line("CPU held back by limits", "GHz h", without->held_mhz_s / 3.6e6,
             with ? &held : NULL, 1);
    }
    if (without->slowed_mhz_s > 0 || slowed > 0) {
        line("CPU slowed down by migrations", "GHz h",
             without->slowed_mhz_s / 3.6e6, with ? &slowed : NULL, 3);
    }
}
