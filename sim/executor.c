/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A migration keeps the rate it was given at its start: later ones get what is
 * left, so the NICs are never promised twice.  NICs are full duplex: what
 * leaves a host and what arrives share nothing.  Production counts in full on
 * both sides, because samples may not tell its directions apart. */

#include "sim/executor.h"

#include "model/migration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_FRAC 0.05

struct dcp_sim_executor {
    struct dcp_virtual *world;
    const struct dcp_inventory *inventory;
    const struct dcp_samples *net;
    int64_t net_cell;        /* Of host_net_kib_s; -1: none yet. */
    double *host_net_kib_s;  /* Production, by host. */
    double *out_kib_s;       /* Migrations under way, by host that they */
    double *in_kib_s;        /* leave, and by host that they go to. */
    double *step_rate_kib_s; /* By step id - 1. */
};

/* Production on each host at the sample that holds 'now_ms'. */
static void
refresh_net(struct dcp_sim_executor *x, int64_t now_ms)
{
    const struct dcp_samples *net = x->net;

    if (!net || !net->n_times) {
        return;
    }
    int64_t cell = (now_ms - net->start_ms) / net->interval_ms;

    if (now_ms < net->start_ms) {
        cell = 0;
    } else if (cell >= net->n_times) {
        cell = net->n_times - 1;
    }
    if (cell == x->net_cell) {
        return;
    }
    const struct dcp_placement *p = dcp_virtual_placement(x->world);
    const float *row = net->value + (size_t)cell * net->n_vms;

    x->net_cell = cell;
    memset(x->host_net_kib_s, 0,
           x->inventory->n_hosts * sizeof *x->host_net_kib_s);
    for (uint32_t v = 0; v < net->n_vms; v++) {
        if (!dcp_host_is_none(p->host[v]) && row[v] > 0) {
            x->host_net_kib_s[p->host[v].ix] += row[v];
        }
    }
}

static double
rate_left(const struct dcp_sim_executor *x, uint32_t host,
          const double *under_way_kib_s)
{
    const struct dcp_hardware *hw =
        &x->inventory->hardware[x->inventory->hosts[host].hardware.ix];
    double fastest = 0, sum = 0;

    for (uint32_t i = 0; i < hw->n_nics; i++) {
        double nic = (double)hw->nic_kib_s[i];

        sum += nic;
        fastest = nic > fastest ? nic : fastest;
    }
    double left =
        fmin(fastest, sum - x->host_net_kib_s[host]) - under_way_kib_s[host];

    return fmax(left, FLOOR_FRAC * fastest);
}

static int64_t
begin_migration(struct dcp_sim_executor *x, const struct dcp_step *s,
                int64_t now_ms)
{
    const struct dcp_vm *vm = &x->inventory->vms[s->object.ix];
    double limit = (double)x->inventory->policy.migration_kib_s;

    refresh_net(x, now_ms);
    double rate = fmin(rate_left(x, s->from.ix, x->out_kib_s),
                       rate_left(x, s->to.ix, x->in_kib_s));

    if (limit > 0 && rate > limit) {
        rate = limit;
    }
    x->step_rate_kib_s[s->id - 1] = rate;
    x->out_kib_s[s->from.ix] += rate;
    x->in_kib_s[s->to.ix] += rate;
    if (rate <= 0) { /* A model without NICs. */
        return s->estimate_ms;
    }
    struct dcp_precopy precopy = {
        .working_set_mib = (double)vm->working_set_mib,
        .rules = x->inventory->policy.precopy,
        .mem_mib = s->mem_mib ? s->mem_mib : (double)vm->mem_mib,
        .dirty_mib_s =
            s->mem_mib ? s->dirty_mib_s : (double)vm->dirty_kib_s / 1024,
        .bandwidth_mib_s = rate / 1024,
    };

    return dcp_precopy_estimate(&precopy).total_ms;
}

static int64_t
begin_step(void *user, const struct dcp_step *s, int64_t now_ms)
{
    struct dcp_sim_executor *x = user;
    int64_t known_ms = 0;

    if (s->converts) { /* No memory is copied. */
        x->step_rate_kib_s[s->id - 1] = 0;
        return s->estimate_ms;
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        return begin_migration(x, s, now_ms);
    }
    if (s->kind == DCP_STEP_HOST_ON || s->kind == DCP_STEP_HOST_OFF) {
        const struct dcp_hardware *hw =
            &x->inventory
                 ->hardware[x->inventory->hosts[s->object.ix].hardware.ix];

        known_ms = s->kind == DCP_STEP_HOST_ON ? hw->boot_ms : hw->shutdown_ms;
    }
    return known_ms > 0 ? known_ms : s->estimate_ms;
}

static void
end_step(void *user, const struct dcp_step *s, int64_t now_ms)
{
    struct dcp_sim_executor *x = user;

    (void)now_ms;
    if (s->kind == DCP_STEP_MIGRATE) {
        x->out_kib_s[s->from.ix] -= x->step_rate_kib_s[s->id - 1];
        x->in_kib_s[s->to.ix] -= x->step_rate_kib_s[s->id - 1];
    }
}

struct dcp_sim_executor *
dcp_sim_executor_create(const struct dcp_inventory *inv,
                        const struct dcp_plan *plan, uint32_t leg,
                        const struct dcp_placement *start, int64_t start_ms,
                        const struct dcp_samples *net, struct dcp_error *err)
{
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = calloc(1, sizeof *x);

    if (x) {
        x->inventory = inv;
        x->net = net;
        x->net_cell = -1;
        x->host_net_kib_s = calloc((size_t)inv->n_hosts + 1, sizeof(double));
        x->out_kib_s = calloc((size_t)inv->n_hosts + 1, sizeof(double));
        x->in_kib_s = calloc((size_t)inv->n_hosts + 1, sizeof(double));
        x->step_rate_kib_s = calloc((size_t)plan->n_steps + 1, sizeof(double));
    }
    if (!x || !x->host_net_kib_s || !x->out_kib_s || !x->in_kib_s ||
        !x->step_rate_kib_s) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a simulated world");
        return NULL;
    }
    struct dcp_virtual_options options = {
        .inventory = inv,
        .plan = plan,
        .leg = leg,
        .start = start,
        .start_ms = start_ms,
        .begin = begin_step,
        .end = end_step,
        .user = x,
    };

    x->world = dcp_virtual_create(&options, &dcp_virtual_ops, err);
    return x->world ? DCP_STEAL(x) : NULL;
}

void
dcp_sim_executor_destroy(struct dcp_sim_executor *x)
{
    if (x) {
        dcp_virtual_destroy(x->world);
        free(x->host_net_kib_s);
        free(x->out_kib_s);
        free(x->in_kib_s);
        free(x->step_rate_kib_s);
        free(x);
    }
}

struct dcp_virtual *
dcp_sim_executor_world(struct dcp_sim_executor *x)
{
    return x->world;
}
