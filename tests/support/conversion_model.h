/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_CONVERSION_MODEL_H
#define DCP_TESTS_SUPPORT_CONVERSION_MODEL_H 1

/* Tiny models of two or three hypervisors with licences, capabilities,
 * overheads and ways from one to another; and, for brute force, what a VM, a
 * host and a loss allow, read from the model alone. */

#include "model/capacity.h"
#include "model/check/check.h"
#include "model/licence.h"
#include "model/power.h"
#include "solver/plan/planner.h"
#include "tests/support/claims.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { HOSTS_MAX = 4, VMS_MAX = 6, SLOTS = WORLD_SLOTS, KINDS = 3, WAYS = 6 };

#define LICENCE_MS INT64_C(86400000)

static inline struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "conversions", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u) };
}

/* --- Models ------------------------------------------------------------- */

struct tiny_model {
    struct world w;
    struct dcp_conversion *ways;
    struct dcp_placement *start;
    struct dcp_goals goals;
    struct dcp_goal_terms terms;
    struct dcp_question q;
    uint8_t may[VMS_MAX];
};

static inline void
tiny_hypervisors(struct world *w, struct dcp_rng *rng)
{
    struct dcp_hypervisor *hv = WORLD_NEW(w, struct dcp_hypervisor, KINDS);
    static const char *const names[KINDS] = { "qemu", "xen", "esx" };

    for (uint32_t k = 0; k < KINDS; k++) {
        hv[k] = w->hypervisors[0];
        hv[k].name = names[k];
        hv[k].capabilities = draw(rng, 8) | 1;
        hv[k].vm_overhead_mib = chance(rng, 50) ? 1000 * draw(rng, 12) : 0;
        hv[k].dedicated = chance(rng, 10);
        hv[k].live_migration = !chance(rng, 10);
    }
    w->hypervisors = hv;
    w->inv->hypervisors = hv;
    w->inv->n_hypervisors = KINDS;
}

static inline void
tiny_ways(struct tiny_model *m, struct dcp_rng *rng, const struct sample *s)
{
    struct world *w = &m->w;
    uint32_t n = 1 + draw(rng, WAYS);

    m->ways = WORLD_NEW(w, struct dcp_conversion, WAYS);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t vms[VMS_MAX], n_vms = 0, from = draw(rng, KINDS);

        for (uint32_t v = 0; v < s->n_vms; v++) {
            if (chance(rng, 90)) {
                vms[n_vms++] = v;
            }
        }
        m->ways[i] = (struct dcp_conversion){
            .from = { from },
            .to = { (from + 1 + draw(rng, KINDS - 1u)) % KINDS },
            .vms = { world_ids(w, n_vms, vms), n_vms },
            .cost = draw(rng, 200),
            .payback_ms = 10 * LICENCE_MS,
            .fixed_ms = 60000,
            .rate_kib_s = chance(rng, 50) ? 1024 : 0,
        };
    }
    w->inv->conversions = m->ways;
    w->inv->n_conversions = n;
}

static inline void
tiny_licences(struct world *w, struct dcp_rng *rng, const struct sample *s)
{
    struct dcp_licence *l = WORLD_NEW(w, struct dcp_licence, KINDS);
    uint32_t all[VMS_MAX], n = 1 + draw(rng, KINDS);

    for (uint32_t v = 0; v < s->n_vms; v++) {
        all[v] = v;
    }
    for (uint32_t k = 0; k < n; k++) {
        l[k] = (struct dcp_licence){
            .name = "hv",
            .vms = { world_ids(w, s->n_vms, all), s->n_vms },
            .metric = (enum dcp_licence_metric)draw(rng, 6),
            .scope = DCP_LICENCE_PLACED,
            .minimum_per_socket = draw(rng, 20),
            .factor = 1,
            .guests_free_on_host = chance(rng, 30),
            .guests_per_cover = chance(rng, 20) ? 2 : 0,
            .price_per_year = draw(rng, 4000),
            .of_hypervisor = chance(rng, 80),
            .hypervisor = { draw(rng, KINDS) },
        };
    }
    w->inv->licences = l;
    w->inv->n_licences = n;
}

static inline void
tiny_vms(struct world *w, const struct sample *s)
{
    struct dcp_volume *volumes = WORLD_NEW(w, struct dcp_volume, VMS_MAX);

    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "vm", v);
        struct dcp_vm *vm = &w->vms[v];

        vm->vcpus = 1 + draw(&rng, 4);
        vm->mem_mib = 1000 * (1 + draw(&rng, 40));
        vm->host.ix = draw(&rng, s->n_hosts);
        vm->movable = !chance(&rng, 10);
        vm->needs = chance(&rng, 30) ? 1u << draw(&rng, 3) : 0;
        /* It has what it needs where it is. */
        vm->needs &=
            w->hypervisors[w->hosts[vm->host.ix].hypervisor.ix].capabilities;
        vm->max_downtime_ms = chance(&rng, 20) ? 70000 : 0;
        volumes[v] = (struct dcp_volume){ .vm = { v },
                                          .pool = { 0 },
                                          .size_mib = draw(&rng, 40) };
        vm->first_volume = v;
        vm->n_volumes = 1;
        if (chance(&rng, 20)) {
            uint32_t but = draw(&rng, KINDS), kinds[KINDS], n = 0;
            uint32_t own = w->hosts[vm->host.ix].hypervisor.ix;

            for (uint32_t k = 0; k < KINDS; k++) {
                if (k != but || k == own) {
                    kinds[n++] = k;
                }
            }
            vm->hypervisors = (struct dcp_ids){ world_ids(w, n, kinds), n };
        }
        w->hosts[vm->host.ix].state = DCP_HOST_UP;
        for (uint32_t t = 0; t < SLOTS; t++) {
            w->cpu_mhz[v * w->demand.stride + t] = 100 * (1 + draw(&rng, 55));
        }
    }
    w->inv->volumes = volumes;
    w->inv->n_volumes = s->n_vms;
}

static inline struct tiny_model
make_tiny(const struct sample *s)
{
    struct tiny_model m = { .w = world_make(s->n_hosts, s->n_vms) };
    struct dcp_rng rng = dcp_rng_stream(s->seed, "world", 0);
    struct dcp_tariff *tariff = WORLD_NEW(&m.w, struct dcp_tariff, 1);
    struct dcp_tariff_row *row = WORLD_NEW(&m.w, struct dcp_tariff_row, 1);
    struct dcp_policy *policy = &m.w.inv->policy;

    tiny_hypervisors(&m.w, &rng);
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        m.w.hosts[h].hypervisor.ix = draw(&rng, KINDS);
        m.w.hosts[h].state = chance(&rng, 20) ? DCP_HOST_STANDBY : DCP_HOST_UP;
    }
    tiny_vms(&m.w, s);
    tiny_licences(&m.w, &rng, s);
    tiny_ways(&m, &rng, s);
    row->price_per_kwh = 2;
    *tariff = (struct dcp_tariff){ .name = "t", .rows = row, .n_rows = 1 };
    m.w.inv->tariffs = tariff;
    m.w.inv->n_tariffs = 1;
    ((struct dcp_site *)(size_t)m.w.inv->sites)->tariff = (dcp_tariff_id){ 0 };
    policy->keep_on = 1;
    policy->protect_tiers = ~UINT64_C(0);
    policy->n_survive = chance(&rng, 40);
    policy->survive[0].kind = DCP_LOSS_HOST;
    policy->survive[0].count = 1;
    m.start = dcp_placement_start(m.w.inv, NULL);
    return m;
}

/* Once the model is where it stays. */
static inline void
ask_of(struct tiny_model *m)
{
    m->goals = dcp_goals_single(DCP_GOAL_COST);
    m->terms = (struct dcp_goal_terms){ .goals = &m->goals,
                                        .paid_to = SLOTS,
                                        .licence_ms = LICENCE_MS };
    memset(m->may, 1, sizeof m->may);
    m->q = (struct dcp_question){ .inventory = m->w.inv,
                                  .demand = &m->w.demand,
                                  .last_slot = SLOTS,
                                  .start = m->start,
                                  .may_wake = true,
                                  .may_empty = true,
                                  .may_convert = m->may,
                                  .headroom = m->w.inv->policy.n_survive > 0,
                                  .terms = &m->terms };
}

static inline void
free_tiny(struct tiny_model *m)
{
    dcp_placement_destroy(m->start);
    world_free(&m->w);
}

/* --- Plans -------------------------------------------------------------- */

static inline bool
says(const struct dcp_check_result *found, char why[WHY])
{
    if (found->n_violations) {
        (void)snprintf(why, WHY, "%u violations, first %s: %s",
                       found->n_violations, found->violations[0].rule,
                       found->violations[0].text);
    }
    return found->n_violations == 0;
}

/* Makes the plan, '*out_plan' NULL where there is none, and has it judged by
 * the checker; false: 'why' says what is wrong. */
static inline bool
plan_is_legal(const struct tiny_model *m, const struct dcp_plan_request *r,
              struct dcp_plan **out_plan, struct dcp_plan_outcome *o,
              char why[WHY])
{
    struct dcp_check_result found;
    struct dcp_error err = { 0 };
    bool ok = dcp_plan_make(r, out_plan, o, &err);
    struct dcp_plan *plan = *out_plan;

    if (ok && plan) {
        plan->lineage = m->w.inv->lineage;
        memcpy(plan->model_digest, m->w.inv->digest, sizeof plan->model_digest);
        ok = dcp_check_plan(m->w.inv, &m->w.demand, plan, &found, &err);
        if (ok) {
            ok = says(&found, why);
            dcp_check_result_finish(&found);
            return ok;
        }
    }
    if (!ok) {
        (void)snprintf(why, WHY, "%s", err.message);
    }
    return ok;
}

/* --- Brute force -------------------------------------------------------- */

struct brute {
    const struct tiny_model *m;
    const struct dcp_inventory *inv;
    struct dcp_placement *at;
    double best;          /* INFINITY: no answer. */
    uint32_t n_converted; /* By the best. */
};

static inline uint32_t
kind_of(const struct brute *b, uint32_t host)
{
    return b->inv->hosts[host].hypervisor.ix;
}

/* The first way; NULL: none that the VM may go. */
static inline const struct dcp_conversion *
way_of(const struct brute *b, uint32_t v, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < b->inv->n_conversions; i++) {
        const struct dcp_conversion *c = &b->inv->conversions[i];

        for (uint32_t k = 0; k < c->vms.n; k++) {
            if (c->vms.ix[k] == v && c->from.ix == from && c->to.ix == to) {
                return c;
            }
        }
    }
    return NULL;
}

static inline bool
may_run(const struct brute *b, uint32_t v, uint32_t h)
{
    const struct dcp_vm *vm = &b->inv->vms[v];
    uint32_t was = b->m->start->host[v].ix, k = kind_of(b, h);
    bool listed = !vm->hypervisors.n;

    if (b->inv->hosts[h].state == DCP_HOST_MAINTENANCE) {
        return false;
    }
    if (h == was) {
        return true;
    }
    for (uint32_t i = 0; i < vm->hypervisors.n; i++) {
        listed |= vm->hypervisors.ix[i] == k;
    }
    if (!vm->movable || !listed ||
        vm->needs & ~b->inv->hypervisors[k].capabilities) {
        return false;
    }
    if (kind_of(b, was) == k) {
        return b->inv->hypervisors[k].live_migration;
    }
    const struct dcp_conversion *c = way_of(b, v, kind_of(b, was), k);
    double mib = (double)b->inv->volumes[v].size_mib;

    return c && (!vm->max_downtime_ms ||
                 (double)c->fixed_ms + (c->rate_kib_s ? mib * 1000 : 0) <=
                     (double)vm->max_downtime_ms);
}

static inline bool
holds(const struct brute *b, uint32_t h)
{
    struct dcp_capacity c = dcp_host_usable(b->inv, (dcp_host_id){ h });
    uint32_t sum[DCP_SCALARS_MAX] = { 0 }, request[DCP_SCALARS_MAX];
    uint32_t cpu[SLOTS] = { 0 };
    bool ok = true;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        if (b->at->host[v].ix != h) {
            continue;
        }
        dcp_vm_request(b->inv, (dcp_vm_id){ v }, b->inv->hosts[h].hypervisor,
                       request);
        for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
            sum[r] += request[r];
        }
        for (uint32_t t = 0; t < SLOTS; t++) {
            cpu[t] += b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        ok = ok && sum[r] <= c.scalar[r];
    }
    for (uint32_t t = 0; t < SLOTS; t++) {
        ok = ok && cpu[t] <= c.cpu_mhz;
    }
    return ok;
}

/* The lost VMs from 'k' on find a place under the hypervisor they were of. */
static inline bool
restarts(struct brute *b, uint32_t lost, const uint32_t vms[], uint32_t n,
         uint32_t k)
{
    for (uint32_t h = 0; k < n && h < b->inv->n_hosts; h++) {
        const struct dcp_vm *vm = &b->inv->vms[vms[k]];
        bool listed = !vm->hypervisors.n;

        for (uint32_t i = 0; i < vm->hypervisors.n; i++) {
            listed |= vm->hypervisors.ix[i] == kind_of(b, h);
        }
        if (h == lost || !b->at->on[h] ||
            b->inv->hosts[h].state == DCP_HOST_MAINTENANCE ||
            kind_of(b, h) != kind_of(b, lost) || !listed ||
            vm->needs & ~b->inv->hypervisors[kind_of(b, h)].capabilities) {
            continue;
        }
        b->at->host[vms[k]].ix = h;
        if (holds(b, h) && restarts(b, lost, vms, n, k + 1)) {
            return true;
        }
        b->at->host[vms[k]].ix = DCP_IX_NONE;
    }
    return k == n;
}

static inline bool
survives(struct brute *b)
{
    bool ok = true;

    for (uint32_t h = 0; b->m->q.headroom && ok && h < b->inv->n_hosts; h++) {
        uint32_t vms[VMS_MAX], n = 0;

        for (uint32_t v = 0; v < b->inv->n_vms; v++) {
            if (b->at->host[v].ix == h) {
                b->at->host[v].ix = DCP_IX_NONE;
                vms[n++] = v;
            }
        }
        ok = restarts(b, h, vms, n, 0);
        for (uint32_t k = 0; k < n; k++) {
            b->at->host[vms[k]].ix = h;
        }
    }
    return ok;
}

static inline uint32_t
n_converted(const struct brute *b)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        n += kind_of(b, b->at->host[v].ix) !=
             kind_of(b, b->m->start->host[v].ix);
    }
    return n;
}

#endif /* tests/support/conversion_model.h */
