/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/context.h"

#include "cli/ui.h"
#include "model/base/rng.h"
#include "model/base/units.h"
#include "traces/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
dcp_context_open(const struct dcp_globals *g, const char *traces,
                 struct dcp_context *out, struct dcp_error *err)
{
    struct dcp_diag diag = { 0 };
    struct dcp_context c = { 0 };
    char path[4096];

    bool ok = dcp_model_open(g->dir, g->policy_file, &diag, &c.model, err);

    if (ok || diag.n_errors > 1 || !diag.n_errors) {
        dcp_ui_diag(g, &diag);
    }
    if (!ok && diag.n_errors > 1) {
        (void)dcp_fail(err, DCP_E_PARSE, "the model has %zu errors",
                       diag.n_errors);
    }
    dcp_diag_finish(&diag);
    if (!ok) {
        return false;
    }
    c.measured = dcp_placement_start(c.model.inventory, err);
    if (!c.measured) {
        dcp_model_finish(&c.model);
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/usage.h5", g->dir);
    if (!traces && access(path, F_OK) == 0) {
        traces = path;
    }
    if (traces) {
        c.store = dcp_store_open(traces, err);
        if (!c.store) {
            dcp_placement_destroy(c.measured);
            dcp_model_finish(&c.model);
            return false;
        }
    }
    *out = c;
    return true;
}

void
dcp_context_close(struct dcp_context *c)
{
    dcp_store_destroy(c->store);
    dcp_placement_destroy(c->measured);
    dcp_model_finish(&c->model);
    *c = (struct dcp_context){ 0 };
}

struct dcp_demand *
dcp_context_demand(struct dcp_context *c, const struct dcp_slot slots[],
                   uint32_t n_slots, int64_t from_ms, int64_t until_ms,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    struct dcp_demand *d =
        c->store ? dcp_fit(c->store, inv, c->measured, slots, n_slots, from_ms,
                           until_ms, err)
                 : dcp_demand_from_model(inv, slots, n_slots, err);

    if (d) {
        dcp_demand_cap(d, inv);
    }
    return d;
}

bool
dcp_context_perturb(const struct dcp_inventory *inv, struct dcp_demand *d,
                    double share, uint64_t seed, struct dcp_error *err)
{
    const struct dcp_scenarios *joint = d->scenarios;
    uint32_t *cpu = (uint32_t *)(size_t)d->cpu_mhz; /* Just made: ours. */
    uint32_t *samples = joint ? (uint32_t *)(size_t)joint->cpu_mhz : NULL;

    if (!(share >= 0 && share <= DCP_PERTURB_MAX)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "demand is perturbed by 0 to 50 %%, not by %g %%",
                        100 * share);
    }

    for (uint32_t v = 0; share > 0 && v < d->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "perturb", v);
        double factor = exp(share * (2 * dcp_rng_unit(&rng) - 1));

        for (uint32_t t = 0; t < d->n_slots; t++) {
            uint32_t *cell = &cpu[(size_t)v * d->stride + t];

            *cell = (uint32_t)llround(*cell * factor);
        }
        for (uint32_t c = 0; joint && c < joint->n; c++) {
            uint32_t *cell = &samples[(size_t)v * joint->stride + c];

            *cell = (uint32_t)llround(*cell * factor);
        }
    }
    if (share > 0) {
        dcp_demand_cap(d, inv);
    }
    return true;
}

double
dcp_context_plan_perturb(const struct dcp_plan *plan)
{
    static const char key[] = "\"perturb\":";
    const char *at = strstr(plan->options_json, key);
    double share = 0;

    if (at) {
        at += strlen(key);
        at += *at == ' ';
        (void)dcp_scan_double(at, &share);
    }
    return share;
}

struct dcp_slot *
dcp_context_slots(const struct dcp_inventory *inv, int64_t start_ms,
                  int64_t end_ms, uint32_t *out_n, struct dcp_error *err)
{
    uint32_t n = dcp_slots_between(inv->policy.buckets, &inv->calendar,
                                   inv->zone, start_ms, end_ms, NULL, 0);
    struct dcp_slot *slots = calloc(n + 1u, sizeof *slots);

    if (!slots) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for %u slots", n);
        return NULL;
    }
    *out_n = dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                               start_ms, end_ms, slots, n);
    return slots;
}

struct dcp_demand *
dcp_context_plan_demand(struct dcp_context *c, const struct dcp_plan *plan,
                        struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    int64_t start = plan->legs[0].start_ms;
    int64_t end = plan->legs[plan->n_legs - 1].buckets_until_ms;
    uint32_t n;
    DCP_FREE struct dcp_slot *slots =
        dcp_context_slots(inv, start, end, &n, err);

    if (!slots) {
        return NULL;
    }
    bool bounded = plan->traces_until_ms > plan->traces_from_ms;

    /* policy.min_history counts but where --fit-from was given. */
    bool from = bounded && strstr(plan->options_json, "\"fit_from\":");

    struct dcp_demand *d = dcp_context_demand(
        c, slots, n, from ? plan->traces_from_ms : INT64_MIN,
        bounded ? plan->traces_until_ms : INT64_MAX, err);

    if (d && !dcp_context_perturb(inv, d, dcp_context_plan_perturb(plan),
                                  plan->seed, err)) {
        dcp_demand_destroy(d);
        return NULL;
    }
    return d;
}

void
dcp_slot_range(const struct dcp_demand *d, int64_t start_ms, int64_t until_ms,
               uint32_t *out_first, uint32_t *out_last)
{
    uint32_t first = 0, last;

    while (first < d->n_slots && d->slots[first].end_ms <= start_ms) {
        first++;
    }
    for (last = first; last < d->n_slots && d->slots[last].start_ms < until_ms;
         last++) {
    }
    *out_first = first;
    *out_last = last;
}

uint32_t
dcp_week_slots(const struct dcp_inventory *inv, int64_t now_ms,
               struct dcp_slot out[DCP_WEEK_SLOTS_MAX])
{
    int64_t hour_ms = now_ms - now_ms % DCP_HOUR_MS;
    struct dcp_slot all[DCP_WEEK_SLOTS_MAX];
    uint32_t n = dcp_slots_between(inv->policy.buckets, &inv->calendar,
                                   inv->zone, hour_ms, hour_ms + 7 * DCP_DAY_MS,
                                   all, DCP_WEEK_SLOTS_MAX);
    uint32_t n_out = 0;

    for (uint32_t i = 0; i < n && i < DCP_WEEK_SLOTS_MAX; i++) {
        bool is_new = true;

        for (uint32_t j = 0; j < n_out; j++) {
            is_new = is_new && out[j].bucket != all[i].bucket;
        }
        if (is_new) {
            out[n_out++] = all[i];
        }
    }
    return n_out;
}
