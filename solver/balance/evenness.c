/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/balance/evenness.h"

#include <math.h>
#include <stdlib.h>

/* Below this a variance of shares is what rounding leaves of none. */
#define VARIANCE_MIN 1e-12
/* Memory is the first scalar. */
#define MEMORY 0u

static double
share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double
slot_load(const uint32_t *used, const struct dcp_problem *p, const uint32_t *of,
          uint32_t h, uint32_t t, uint32_t minus, uint32_t plus)
{
    double load = used[(size_t)h * p->stride + t];

    load -= minus == DCP_IX_NONE ? 0 : of[(size_t)minus * p->stride + t];
    load += plus == DCP_IX_NONE ? 0 : of[(size_t)plus * p->stride + t];
    return load;
}

static double
scalar_load(const struct dcp_state *s, uint32_t h, uint32_t minus,
            uint32_t plus)
{
    const struct dcp_problem *p = s->p;
    double load = s->used[(size_t)MEMORY * p->n_hosts + h];

    load -= minus == DCP_IX_NONE ? 0 : dcp_problem_request(p, minus, h, MEMORY);
    load += plus == DCP_IX_NONE ? 0 : dcp_problem_request(p, plus, h, MEMORY);
    return load;
}

static uint32_t
n_vms(const struct dcp_problem *p, uint32_t item)
{
    return item == DCP_IX_NONE ? 0 : p->vm_first[item + 1] - p->vm_first[item];
}

/* Ganeti's columns of a host. */
static void
fill_ganeti(const struct dcp_evenness *e, uint32_t h, uint32_t minus,
            uint32_t plus, double out[])
{
    const struct dcp_problem *p = e->s->p;
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_hardware *hw = &inv->hardware[inv->hosts[h].hardware.ix];
    double vcpus = 0, vms = 0;

    for (uint32_t i = e->s->first[h]; i != DCP_IX_NONE; i = e->s->next[i]) {
        vcpus += e->vcpus[i];
        vms += n_vms(p, i);
    }
    vcpus -= minus == DCP_IX_NONE ? 0 : e->vcpus[minus];
    vcpus += plus == DCP_IX_NONE ? 0 : e->vcpus[plus];
    out[0] = share(scalar_load(e->s, h, minus, plus), hw->mem_mib);
    out[1] = share(vcpus, (double)hw->sockets * hw->cores_per_socket);
    out[2] = vms - n_vms(p, minus) + n_vms(p, plus);
}

/* The columns of a host without 'minus' and with 'plus'. */
static void
fill(const struct dcp_evenness *e, uint32_t h, uint32_t minus, uint32_t plus,
     double out[])
{
    const struct dcp_state *s = e->s;
    const struct dcp_problem *p = s->p;
    double most = 0;

    if (e->score == DCP_EVEN_GANETI) {
        fill_ganeti(e, h, minus, plus, out);
        return;
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        double load = slot_load(s->cpu_mhz, p, p->cpu_mhz, h, t, minus, plus);

        most = fmax(most, load);
        if (e->score == DCP_EVEN_HOURS) {
            out[1 + t] = share(load, p->cap_cpu_mhz[h]);
        }
    }
    if (e->score == DCP_EVEN_PEAK) {
        out[1] = share(most, p->cap_cpu_mhz[h]);
    }
    out[0] = share(scalar_load(s, h, minus, plus),
                   p->cap[(size_t)MEMORY * p->n_hosts + h]);
    for (uint32_t t = 0;
         e->score == DCP_EVEN_HOURS && p->net_kib_s && t < p->n_slots; t++) {
        out[1 + p->n_slots + t] =
            share(slot_load(s->net_kib_s, p, p->net_kib_s, h, t, minus, plus),
                  p->cap_net_kib_s[h]);
    }
}

static void
set_weights(struct dcp_evenness *e)
{
    static const double ganeti[] = { 1, 1, 4 };
    const struct dcp_problem *p = e->s->p;

    for (uint32_t k = 0; k < e->n_columns; k++) {
        e->weight[k] = e->score == DCP_EVEN_GANETI           ? ganeti[k]
                       : e->score == DCP_EVEN_HOURS && k > 0 ? 1.0 / p->n_slots
                                                             : 1;
    }
}

static bool
make_room(struct dcp_evenness *e)
{
    const struct dcp_problem *p = e->s->p;
    size_t k = e->n_columns;

    e->counts = calloc(p->n_hosts + 1u, 1);
    e->weight = calloc(k, sizeof *e->weight);
    e->value = calloc(p->n_hosts + 1u, k * sizeof *e->value);
    e->sum = calloc(k, sizeof *e->sum);
    e->square = calloc(k, sizeof *e->square);
    e->a = calloc(k, sizeof *e->a);
    e->b = calloc(k, sizeof *e->b);
    e->vcpus = calloc(p->n_items + 1u, sizeof *e->vcpus);
    return e->counts && e->weight && e->value && e->sum && e->square && e->a &&
           e->b && e->vcpus;
}

bool
dcp_evenness_init(struct dcp_evenness *e, struct dcp_state *s,
                  enum dcp_even_score score, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;

    *e = (struct dcp_evenness){ .s = s, .score = score };
    e->n_columns = score == DCP_EVEN_GANETI ? 3
                   : score == DCP_EVEN_PEAK
                       ? 2
                       : 1 + p->n_slots * (p->net_kib_s ? 2 : 1);
    if (!make_room(e)) {
        dcp_evenness_finish(e);
        return dcp_fail(err, DCP_E_NOMEM, "no memory to balance %u hosts",
                        p->n_hosts);
    }
    set_weights(e);
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            e->vcpus[i] += p->q->inventory->vms[p->vm[k]].vcpus;
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        double *x = e->value + (size_t)h * e->n_columns;

        e->counts[h] = s->on[h] && p->use[h] != DCP_HOST_AVOID;
        e->n_counts += e->counts[h];
        if (!e->counts[h]) {
            continue;
        }
        fill(e, h, DCP_IX_NONE, DCP_IX_NONE, x);
        for (uint32_t k = 0; k < e->n_columns; k++) {
            e->sum[k] += x[k];
            e->square[k] += x[k] * x[k];
        }
    }
    return true;
}

void
dcp_evenness_finish(struct dcp_evenness *e)
{
    free(e->counts);
    free(e->weight);
    free(e->value);
    free(e->sum);
    free(e->square);
    free(e->a);
    free(e->b);
    free(e->vcpus);
    *e = (struct dcp_evenness){ 0 };
}

static double
deviation(double sum, double square, uint32_t n)
{
    double mean = n ? sum / n : 0, variance = n ? square / n - mean * mean : 0;

    return variance > VARIANCE_MIN ? sqrt(variance) : 0;
}

double
dcp_evenness_value(const struct dcp_evenness *e)
{
    double value = 0;

    for (uint32_t k = 0; k < e->n_columns; k++) {
        value += e->weight[k] * deviation(e->sum[k], e->square[k], e->n_counts);
    }
    return value;
}

double
dcp_evenness_try(struct dcp_evenness *e, uint32_t item, uint32_t to,
                 uint32_t other)
{
    uint32_t from = e->s->host[item];
    const double *x = e->value + (size_t)from * e->n_columns;
    const double *y = e->value + (size_t)to * e->n_columns;
    bool counts = e->counts[from];
    double value = 0;

    fill(e, to, other, item, e->b);
    if (counts) {
        fill(e, from, item, other, e->a);
    }
    for (uint32_t k = 0; k < e->n_columns; k++) {
        double sum = e->sum[k] + e->b[k] - y[k];
        double square = e->square[k] + e->b[k] * e->b[k] - y[k] * y[k];

        if (counts) {
            sum += e->a[k] - x[k];
            square += e->a[k] * e->a[k] - x[k] * x[k];
        }
        value += e->weight[k] * deviation(sum, square, e->n_counts);
    }
    return value;
}

void
dcp_evenness_update(struct dcp_evenness *e, uint32_t host)
{
    double *x = e->value + (size_t)host * e->n_columns;

    if (!e->counts[host]) {
        return;
    }
    fill(e, host, DCP_IX_NONE, DCP_IX_NONE, e->a);
    for (uint32_t k = 0; k < e->n_columns; k++) {
        e->sum[k] += e->a[k] - x[k];
        e->square[k] += e->a[k] * e->a[k] - x[k] * x[k];
        x[k] = e->a[k];
    }
}

double
dcp_evenness_pressure(const struct dcp_evenness *e, uint32_t host)
{
    const double *x = e->value + (size_t)host * e->n_columns;
    double pressure = 0;

    for (uint32_t k = 0; k < e->n_columns; k++) {
        double sd = deviation(e->sum[k], e->square[k], e->n_counts);

        pressure +=
            sd > 0 ? e->weight[k] * (x[k] - e->sum[k] / e->n_counts) / sd : 0;
    }
    return pressure;
}

double
dcp_evenness_load(const struct dcp_evenness *e, uint32_t item, uint32_t host,
                  uint32_t column)
{
    const struct dcp_problem *p = e->s->p;
    const struct dcp_inventory *inv = p->q->inventory;
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];
    double mem = dcp_problem_request(p, item, host, MEMORY);

    if (e->score == DCP_EVEN_GANETI) {
        return column == 0   ? share(mem, hw->mem_mib)
               : column == 1 ? share(e->vcpus[item],
                                     (double)hw->sockets * hw->cores_per_socket)
                             : n_vms(p, item);
    }
    if (column == 0) {
        return share(mem, p->cap[(size_t)MEMORY * p->n_hosts + host]);
    }
    if (e->score == DCP_EVEN_PEAK) {
        return share(p->cpu_peak_mhz[item], p->cap_cpu_mhz[host]);
    }
    return column <= p->n_slots
               ? share(p->cpu_mhz[(size_t)item * p->stride + column - 1],
                       p->cap_cpu_mhz[host])
               : share(p->net_kib_s[(size_t)item * p->stride + column - 1 -
                                    p->n_slots],
                       p->cap_net_kib_s[host]);
}
