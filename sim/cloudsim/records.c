/* SPDX-License-Identifier: GPL-3.0-or-later */

/* CloudSim keeps the whole state history of every host and VM and reads it at
 * the end; here each entry is counted when the next one makes it final. */

#include "sim/cloudsim/world.h"

#include <math.h>

static void
spread_add(struct dcp_cs_spread *s, double value)
{
    s->n++;
    s->sum += value;
    double away = value - s->mean;

    s->mean += away / (double)s->n;
    s->squares += away * (value - s->mean);
}

static double
spread_mean(const struct dcp_cs_spread *s)
{
    return s->n ? s->sum / (double)s->n : NAN;
}

static double
spread_sd(const struct dcp_cs_spread *s)
{
    return s->n > 1 ? sqrt(s->squares / (double)(s->n - 1)) : NAN;
}

/* --- VMs ---------------------------------------------------------------- */

/* Starts and ends of migrations.  What the metric calls the mean time before a
 * migration is the time from a migration's start to its end. */
static void
settle_vm(struct dcp_cs_world *w, struct dcp_cs_vm_record *r)
{
    if (r->was_migrating && !r->migrating) {
        spread_add(&w->durations, r->at_s - r->migrating_since_s);
    } else if (!r->was_migrating && r->migrating) {
        r->migrating_since_s = r->at_s;
    }
    r->was_migrating = r->migrating;
}

void
dcp_cs_record_vm(struct dcp_cs_world *w, struct dcp_cs_vm *vm,
                 double alloc_mips)
{
    struct dcp_cs_vm_record *r = &vm->record;

    if (r->any && r->at_s != w->now_s) {
        double dt = w->now_s - r->at_s;

        r->alloc_mips_s += r->alloc_mips * dt;
        r->asked_mips_s += r->asked_mips * dt;
        if (r->alloc_mips < r->asked_mips) {
            w->violations += (r->asked_mips - r->alloc_mips) / r->asked_mips;
            w->n_violations++;
            if (r->migrating) {
                r->lost_mips_s += (r->asked_mips - r->alloc_mips) * dt;
            }
        }
        settle_vm(w, r);
    }
    r->any = true;
    r->at_s = w->now_s;
    r->alloc_mips = alloc_mips;
    r->asked_mips = vm->asked_mips;
    r->migrating = vm->migrating;
}

/* --- Hosts -------------------------------------------------------------- */

static void
settle_host(struct dcp_cs_world *w, struct dcp_cs_host_record *r)
{
    if (r->was_active && !r->active) {
        spread_add(&w->on_times, r->at_s - r->on_since_s);
    } else if (!r->was_active && r->active) {
        r->on_since_s = r->at_s;
    }
    r->was_active = r->active;
}

void
dcp_cs_record_host(struct dcp_cs_world *w, struct dcp_cs_host *h,
                   double asked_mips)
{
    struct dcp_cs_host_record *r = &h->record;

    if (r->any && r->at_s != w->now_s) {
        if (r->active) {
            double dt = w->now_s - r->at_s;

            r->active_s += dt;
            if (r->alloc_mips < r->asked_mips) {
                r->violation_s += dt;
            }
        }
        settle_host(w, r);
    }
    r->any = true;
    r->at_s = w->now_s;
    r->alloc_mips = h->used_mips;
    r->asked_mips = asked_mips;
    r->active = h->used_mips > 0;
}

/* --- Result ------------------------------------------------------------- */

void
dcp_cs_metrics(struct dcp_cs_world *w)
{
    struct dcp_cloudsim_result *out = w->out;
    double alloc = 0, asked = 0, lost = 0;

    for (uint32_t i = 0; i < w->in->n_vms; i++) {
        struct dcp_cs_vm_record *r = &w->vms[i].record;

        if (r->any) {
            settle_vm(w, r);
        }
        alloc += r->alloc_mips_s;
        asked += r->asked_mips_s;
        lost += r->lost_mips_s;
    }
    for (uint32_t h = 0; h < CS_HOSTS; h++) {
        struct dcp_cs_host_record *r = &w->hosts[h].record;

        if (r->any) {
            settle_host(w, r);
        }
        out->violation_s += r->violation_s;
        out->active_s += r->active_s;
    }
    out->energy_kwh = w->energy_j / (3600.0 * 1000);
    out->requested_mips_s = asked;
    out->unmet_mips_s = asked - alloc;
    out->pdm_frac = asked > 0 ? lost / asked : 0;
    out->overall_slav = asked > 0 ? (asked - alloc) / asked : 0;
    out->average_slav =
        w->n_violations ? w->violations / (double)w->n_violations : 0;
    out->slatah_frac = out->active_s > 0 ? out->violation_s / out->active_s : 0;
    out->slav = out->slatah_frac * out->pdm_frac;
    out->host_shutdowns = (uint32_t)w->on_times.n;
    out->mean_s_before_shutdown = spread_mean(&w->on_times);
    out->sd_s_before_shutdown = spread_sd(&w->on_times);
    out->mean_s_before_migration = spread_mean(&w->durations);
    out->sd_s_before_migration = spread_sd(&w->durations);
}
