/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/picture.h"

#include "model/capacity.h"
#include "sim/output/served.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double dcp_picture_wait_limits[DCP_PICTURE_WAITS - 1] = { 0, 0.001, 0.01,
                                                                0.05, 0.1 };

struct dcp_picture {
    struct dcp_sim_series *series;
    struct dcp_served *served;
    int64_t from_ms, now_ms;      /* Of the window; the end of what was seen. */
    struct dcp_picture_data data; /* Its arrays are owned. */
    /* By host, of this column. */
    double *demand_mhz_s, *on_s;
    double *capacity_mhz;
    double *vm_ready_s;
    uint32_t *vm_mem_mib; /* As events leave it. */
    uint32_t n_slices_seen;
    double mib; /* Moved in this slice. */
    /* Places of figures in a series' row. */
    uint32_t host_on, host_demand, vm_ready;
};

static uint32_t
figure(enum dcp_series_of of, const char *name)
{
    uint32_t i = 0;

    while (dcp_series_figures[i].of != of ||
           strcmp(dcp_series_figures[i].name, name) != 0) {
        i++;
    }
    return i;
}

static bool
allocate(struct dcp_picture *p, uint32_t n_slices)
{
    struct dcp_picture_data *d = &p->data;
    size_t n_hosts = (size_t)d->n_hosts + 1, n_vms = (size_t)d->n_vms + 1;
    uint32_t most =
        n_slices < DCP_PICTURE_COLUMNS ? n_slices : DCP_PICTURE_COLUMNS;

    d->samples_per_column = (n_slices + most - 1) / most;
    d->column_ms = calloc((size_t)most + 1, sizeof *d->column_ms);
    d->column_mib = calloc((size_t)most + 1, sizeof *d->column_mib);
    d->load = calloc((size_t)most * n_hosts, sizeof *d->load);
    d->wait_frac = calloc(n_vms, sizeof *d->wait_frac);
    d->served_s = calloc(n_vms, sizeof *d->served_s);
    p->demand_mhz_s = calloc(n_hosts, sizeof *p->demand_mhz_s);
    p->on_s = calloc(n_hosts, sizeof *p->on_s);
    p->capacity_mhz = calloc(n_hosts, sizeof *p->capacity_mhz);
    p->vm_ready_s = calloc(n_vms, sizeof *p->vm_ready_s);
    p->vm_mem_mib = calloc(n_vms, sizeof *p->vm_mem_mib);
    return d->column_ms && d->column_mib && d->load && d->wait_frac &&
           d->served_s && p->demand_mhz_s && p->on_s && p->capacity_mhz &&
           p->vm_ready_s && p->vm_mem_mib;
}

struct dcp_picture *
dcp_picture_create(const struct dcp_sim_input *in, struct dcp_error *err)
{
    const struct dcp_inventory *inv = in->inventory;
    int64_t n_slices = dcp_samples_cell(in->cpu, in->to_ms - 1) -
                       dcp_samples_cell(in->cpu, in->from_ms) + 1;
    DCP_AUTO(dcp_picture) struct dcp_picture *p = calloc(1, sizeof *p);

    if (p) {
        p->from_ms = p->now_ms = in->from_ms;
        p->data.n_hosts = inv->n_hosts;
        p->data.n_vms = inv->n_vms;
        p->series = dcp_sim_series_create(in, false, err);
        p->served = dcp_served_create(in, err);
    }
    if (!p || !p->series || !p->served ||
        !allocate(p, n_slices > 1 ? (uint32_t)n_slices : 1)) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a picture");
        return NULL;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        p->vm_mem_mib[v] = dcp_placement_size(inv, in->start, v).mem_mib;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        p->capacity_mhz[h] = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
    }
    p->host_on = figure(DCP_SERIES_HOST, "on_frac");
    p->host_demand = figure(DCP_SERIES_HOST, "demand_mhz");
    p->vm_ready = figure(DCP_SERIES_VM, "ready_frac");
    return DCP_STEAL(p);
}

void
dcp_picture_destroy(struct dcp_picture *p)
{
    if (!p) {
        return;
    }
    dcp_sim_series_destroy(p->series);
    dcp_served_destroy(p->served);
    free(p->data.column_ms);
    free(p->data.column_mib);
    free(p->data.load);
    free(p->data.wait_frac);
    free(p->data.served_s);
    free(p->demand_mhz_s);
    free(p->on_s);
    free(p->capacity_mhz);
    free(p->vm_ready_s);
    free(p->vm_mem_mib);
    free(p);
}

static void
take_hosts(struct dcp_picture *p, float *column, double seconds)
{
    const float *on = dcp_sim_series_row(p->series, p->host_on);
    const float *demand = dcp_sim_series_row(p->series, p->host_demand);

    for (uint32_t h = 0; h < p->data.n_hosts; h++) {
        double on_s = (double)on[h] * seconds;

        if (on_s > 0 && p->capacity_mhz[h] > 0) {
            double load = (double)demand[h] / p->capacity_mhz[h];
            uint32_t class =
                load < 1.05 ? (uint32_t)(load * 20) : DCP_PICTURE_LOADS - 1;

            p->data.load_host_s[class] += on_s;
            p->demand_mhz_s[h] += (double)demand[h] * on_s;
            p->on_s[h] += on_s;
        }
        column[h] = p->on_s[h] > 0 ? (float)(p->demand_mhz_s[h] /
                                             (p->on_s[h] * p->capacity_mhz[h]))
                                   : NAN;
    }
}

static uint32_t
wait_class(double frac)
{
    uint32_t i = 0;

    while (i < DCP_PICTURE_WAITS - 1 && frac > dcp_picture_wait_limits[i]) {
        i++;
    }
    return i;
}

static void
take_vms(struct dcp_picture *p, double seconds)
{
    const float *ready = dcp_sim_series_row(p->series, p->vm_ready);

    for (uint32_t v = 0; v < p->data.n_vms; v++) {
        p->vm_ready_s[v] += (double)ready[v] * seconds;
        p->data.sample_waits[wait_class((double)ready[v])]++;
    }
}

static bool
take(void *user, const struct dcp_sim_result *so_far, uint32_t slice,
     bool *more, struct dcp_error *err)
{
    struct dcp_picture *p = user;
    struct dcp_picture_data *d = &p->data;
    const struct dcp_sim_slice *at = &so_far->slices[slice];
    double seconds = (double)(at->end_ms - at->start_ms) / 1000;
    uint32_t column = p->n_slices_seen / d->samples_per_column;

    (void)more;
    (void)err;
    dcp_sim_series_take(p->series, so_far, slice);
    if (p->n_slices_seen++ % d->samples_per_column == 0) {
        d->column_ms[column] = at->start_ms;
        d->n_columns = column + 1;
        memset(p->demand_mhz_s, 0, d->n_hosts * sizeof *p->demand_mhz_s);
        memset(p->on_s, 0, d->n_hosts * sizeof *p->on_s);
    }
    d->column_mib[column] += p->mib;
    p->mib = 0;
    d->window_s += seconds;
    p->now_ms = at->end_ms;
    take_hosts(p, d->load + (size_t)column * d->n_hosts, seconds);
    take_vms(p, seconds);
    return true;
}

static bool
see(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct dcp_picture *p = user;
    const struct dcp_step *s = e->step;

    (void)err;
    dcp_served_see(p->served, e);
    if (e->phase != DCP_ACTION_DONE) {
        return true;
    }
    if (s->kind == DCP_STEP_VM_RESIZE) {
        p->vm_mem_mib[s->object.ix] = s->size_to.mem_mib;
    } else if (s->kind == DCP_STEP_MIGRATE && !s->cold &&
               e->at_ms >= p->from_ms) {
        p->mib += p->vm_mem_mib[s->object.ix];
    }
    return true;
}

struct dcp_sim_watch
dcp_picture_watch(struct dcp_picture *p)
{
    return (struct dcp_sim_watch){ see, take, p };
}

const struct dcp_picture_data *
dcp_picture_end(struct dcp_picture *p)
{
    struct dcp_picture_data *d = &p->data;
    const int64_t *served_ms = dcp_served_ms(p->served, p->now_ms);

    memset(d->waits, 0, sizeof d->waits);
    for (uint32_t v = 0; v < d->n_vms; v++) {
        d->wait_frac[v] = d->window_s > 0 ? p->vm_ready_s[v] / d->window_s : 0;
        d->waits[wait_class(d->wait_frac[v])]++;
        d->served_s[v] = (double)served_ms[v] / 1000;
    }
    return d;
}
