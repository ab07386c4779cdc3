/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hypervisors by price: tiny models of two or three hypervisors with licences,
 * capabilities, overheads and ways from one to another.  The solver against
 * brute force over every placement; whole plans against the checker. */

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

static struct sample
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

static void
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

static void
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

static void
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

static void
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

static struct tiny_model
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
static void
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

static void
free_tiny(struct tiny_model *m)
{
    dcp_placement_destroy(m->start);
    world_free(&m->w);
}

/* --- Brute force -------------------------------------------------------- */

struct brute {
    const struct tiny_model *m;
    const struct dcp_inventory *inv;
    struct dcp_placement *at;
    double best;          /* INFINITY: no answer. */
    uint32_t n_converted; /* By the best. */
};

static uint32_t
kind_of(const struct brute *b, uint32_t host)
{
    return b->inv->hosts[host].hypervisor.ix;
}

/* The first way; NULL: none that the VM may go. */
static const struct dcp_conversion *
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

static bool
may_run(const struct brute *b, uint32_t v, uint32_t h)
{
    const struct dcp_vm *vm = &b->inv->vms[v];
    uint32_t was = b->m->start->host[v].ix, k = kind_of(b, h);
    bool listed = !vm->hypervisors.n;

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

static bool
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
static bool
restarts(struct brute *b, uint32_t lost, const uint32_t vms[], uint32_t n,
         uint32_t k)
{
    for (uint32_t h = 0; k < n && h < b->inv->n_hosts; h++) {
        const struct dcp_vm *vm = &b->inv->vms[vms[k]];
        bool listed = !vm->hypervisors.n;

        for (uint32_t i = 0; i < vm->hypervisors.n; i++) {
            listed |= vm->hypervisors.ix[i] == kind_of(b, h);
        }
        if (h == lost || !b->at->on[h] || kind_of(b, h) != kind_of(b, lost) ||
            !listed ||
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

static bool
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

static uint32_t
n_converted(const struct brute *b)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        n += kind_of(b, b->at->host[v].ix) !=
             kind_of(b, b->m->start->host[v].ix);
    }
    return n;
}

static double
measure(const struct brute *b)
{
    const struct dcp_placement *now[] = { b->at };
    double value = 0;

    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        const struct dcp_hardware *hw = &b->inv->hardware[0];
        double cap = dcp_host_capacity(b->inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = 0; b->at->on[h] && t < SLOTS; t++) {
            double mhz = 0;

            for (uint32_t v = 0; v < b->inv->n_vms; v++) {
                mhz += b->at->host[v].ix == h
                           ? b->m->w.cpu_mhz[v * b->m->w.demand.stride + t]
                           : 0;
            }
            value += (dcp_power_at(hw, mhz / cap) - hw->sleep_w) / 1000 * 2;
        }
    }
    for (uint32_t k = 0; k < b->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->inv->licences[k];
        bool by_vm =
            l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;
        struct dcp_licence_need need;

        if (by_vm && !l->guests_free_on_host && !l->of_hypervisor) {
            continue; /* No placement changes it. */
        }
        dcp_licence_count(b->inv, k, now, 1, &need);
        value += need.units * l->price_per_year / 365.25;
    }
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        uint32_t from = kind_of(b, b->m->start->host[v].ix);
        uint32_t to = kind_of(b, b->at->host[v].ix);

        value += from == to ? 0 : way_of(b, v, from, to)->cost / 10;
    }
    return value;
}

static void
try_power(struct brute *b)
{
    uint32_t used = 0, nh = b->inv->n_hosts;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        used |= UINT32_C(1) << b->at->host[v].ix;
    }
    for (uint32_t on = 1; on < UINT32_C(1) << nh; on++) {
        for (uint32_t h = 0; h < nh; h++) {
            b->at->on[h] = on >> h & 1;
        }
        if ((on & used) != used) {
            continue;
        }
        double value = measure(b);

        if (value < b->best - 1e-9 && survives(b)) {
            b->best = value;
            b->n_converted = n_converted(b);
        }
    }
}

static void
try_vms(struct brute *b, uint32_t vm)
{
    if (vm == b->inv->n_vms) {
        try_power(b);
        return;
    }
    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        b->at->host[vm].ix = h;
        if (may_run(b, vm, h) && holds(b, h)) {
            try_vms(b, vm + 1);
        }
    }
    b->at->host[vm].ix = DCP_IX_NONE;
}

static struct brute
brute_force(const struct tiny_model *m)
{
    struct brute b = { .m = m,
                       .inv = m->w.inv,
                       .at = dcp_placement_copy(m->start, NULL),
                       .best = INFINITY };

    for (uint32_t v = 0; v < b.inv->n_vms; v++) {
        b.at->host[v].ix = DCP_IX_NONE;
    }
    try_vms(&b, 0);
    return b;
}

/* --- Against brute force ------------------------------------------------ */

static uint32_t n_by_status[DCP_STATUS_NOTHING_TO_DO + 1], n_best, n_answered;
static uint32_t n_best_converts, n_answers_convert;

static bool
is_answer_right(struct brute *b, const struct dcp_solution *s, char why[WHY])
{
    memcpy(b->at->host, s->placement->host,
           b->inv->n_vms * sizeof *b->at->host);
    memcpy(b->at->on, s->placement->on, b->inv->n_hosts);
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        uint32_t h = b->at->host[v].ix;

        if (!may_run(b, v, h) || !holds(b, h) || !b->at->on[h]) {
            (void)snprintf(why, WHY, "VM %u may not be on host %u", v, h);
            return false;
        }
    }
    double value = measure(b);

    if (fabs(value - s->value) > 1e-6 * fmax(1, fabs(value))) {
        (void)snprintf(why, WHY, "said to be worth %.9g, is %.9g", s->value,
                       value);
        return false;
    }
    n_answers_convert += n_converted(b) > 0;
    (void)snprintf(why, WHY, "survives no loss");
    return survives(b);
}

static bool
is_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solve_options options = { .seed = 1, .iterations = 100 };
    struct dcp_solution solution;
    struct dcp_error err = { 0 };

    ask_of(&m);
    struct brute b = brute_force(&m);
    bool ok = dcp_solve(&m.q, &options, &solution, &err);

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok) {
        (void)snprintf(why, WHY, "%s: value %.9g, bound %.9g, brute %.9g",
                       dcp_status_name(solution.status), solution.value,
                       solution.bound, b.best);
        ok = claims_hold(&solution, b.best);
        n_by_status[solution.status]++;
        n_answered += !isinf(b.best);
        n_best += has_best(&solution, b.best);
        n_best_converts += !isinf(b.best) && b.n_converted > 0;
        if (ok && solution.placement) {
            ok = is_answer_right(&b, &solution, why);
        }
        dcp_solution_finish(&solution);
    }
    dcp_placement_destroy(b.at);
    free_tiny(&m);
    return ok;
}

START_TEST(answers_are_as_brute_force_finds)
{
    try_samples(tiny, is_as_brute_force, part_of(600));
    printf("%u optimal, %u feasible, %u infeasible, %u unanswered; of %u that "
           "have an answer %u have the best; the best converts in %u, the "
           "answer in %u\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_answered, n_best, n_best_converts, n_answers_convert);
}
END_TEST

/* --- Whole plans -------------------------------------------------------- */

static uint32_t n_plans, n_plans_convert, n_limited;

static bool
says(const struct dcp_check_result *found, char why[WHY])
{
    if (found->n_violations) {
        (void)snprintf(why, WHY, "%u violations, first %s: %s",
                       found->n_violations, found->violations[0].rule,
                       found->violations[0].text);
    }
    return found->n_violations == 0;
}

static bool
plan_passes(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan = NULL;
    struct dcp_check_result found;
    struct dcp_error err = { 0 };
    uint32_t n = 0;

    m.w.inv->policy.conversions_per_plan = s->seed % 3 == 0 ? 1 : 0;
    struct dcp_plan_request r = {
        .inventory = m.w.inv,
        .demand = &m.w.demand,
        .start = m.start,
        .job = s->seed % 4 ? DCP_JOB_CONSOLIDATE : DCP_JOB_EVACUATE,
        .start_ms = WORLD_T0,
        .goals = dcp_goals_single(DCP_GOAL_COST),
        .solve = { .seed = 1, .iterations = 60 },
    };
    bool ok = dcp_plan_make(&r, &plan, &outcome, &err);

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok && plan) {
        plan->lineage = m.w.inv->lineage;
        memcpy(plan->model_digest, m.w.inv->digest, sizeof plan->model_digest);
        ok = dcp_check_plan(m.w.inv, &m.w.demand, plan, &found, &err) &&
             says(&found, why);
        dcp_check_result_finish(&found);
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            n += plan->steps[i].converts;
        }
        if (ok && n != outcome.conversions) {
            (void)snprintf(why, WHY, "%u steps convert, %u are said to", n,
                           outcome.conversions);
            ok = false;
        }
        n_plans++;
        n_plans_convert += n > 0;
        n_limited += m.w.inv->policy.conversions_per_plan && n;
    }
    dcp_plan_destroy(plan);
    free_tiny(&m);
    return ok;
}

START_TEST(plans_that_convert_are_legal)
{
    try_samples(tiny, plan_passes, part_of(400));
    printf("%u plans, %u convert, %u of them at most one VM\n", n_plans,
           n_plans_convert, n_limited);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_as_brute_force_finds,
        &plans_that_convert_are_legal,
    };

    return RUN_TESTS("conversions", tests);
}
