/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Resizes on random small datacenters: sizes follow from random use, the
 * planner's plans are legal in every order, memory and vCPUs recounted here in
 * random orders of starts and ends; plans that were forged are refused. */

#include "model/capacity.h"
#include "model/check/check.h"
#include "model/rightsize.h"
#include "solver/plan/planner.h"
#include "tests/support/night.h"
#include "tests/support/random_joint.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { APPS = 2, ORDERS = 6 };

static struct sample
small(uint64_t seed)
{
    return small_sample(seed, "resizes", 8, RANDOM_RULES_MAX);
}

static struct world
model_of(const struct sample *s)
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "resizes", 1);
    struct dcp_application *apps = WORLD_NEW(&w, struct dcp_application, APPS);
    uint32_t *active = WORLD_NEW(&w, uint32_t, s->n_vms);

    for (uint32_t a = 0; a < APPS; a++) {
        uint32_t *ids = WORLD_NEW(&w, uint32_t, s->n_vms), n = 0;

        for (uint32_t v = a; v < s->n_vms; v += 4) {
            ids[n++] = v;
            w.vms[v].application.ix = a;
        }
        apps[a] = (struct dcp_application){ .name = "app", .vms = { ids, n } };
    }
    for (uint32_t v = 0; v < s->n_vms; v++) {
        if (v % 4 >= APPS) {
            w.vms[v].application = dcp_application_none();
        }
        active[v] = 1 + draw(&rng, (uint32_t)w.vms[v].mem_mib);
    }
    w.inv->applications = apps;
    w.inv->n_applications = APPS;
    w.demand.mem_active_mib = active;
    w.inv->rightsize = (struct dcp_rightsize){
        .vcpus = true,
        .memory = chance(&rng, 80),
        .cpu_margin_frac = 0.1,
        .mem_margin_frac = 0.1,
        .history_ms = DCP_DAY_MS,
        .min_vcpus = 1,
        .step_vcpus = 1,
        .min_mem_mib = 256,
        .step_mem_mib = 128,
        .most_down_frac = 0.9,
        .most_up_frac = 1,
        .at_limit_frac = 0.05,
        .hot = (enum dcp_size_hot)draw(&rng, 3),
        .restart = DCP_RESTART_ANY,
        .restart_ms = 60000,
        .hot_ms = 5000,
    };
    w.inv->policy.memory_basis =
        chance(&rng, 20) ? DCP_MEMORY_ACTIVE : DCP_MEMORY_ALLOCATED;
    return w;
}

/* What each VM should have by use drawn at random; how many change. */
static uint32_t
advise(const struct world *w, const struct sample *s,
       struct dcp_size_advice advice[])
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "usage", v);
        double ceiling =
            dcp_vm_ceiling_mhz(w->inv, (dcp_vm_id){ v }, w->vms[v].host);
        bool busy = chance(&rng, 15);
        double mem = w->demand.mem_active_mib[v], planned = 0;
        struct dcp_vm_usage usage = {
            .cpu_history_ms = chance(&rng, 90) ? 30 * DCP_DAY_MS : 0,
            .cpu_mhz = ceiling * (1 + draw(&rng, 100)) / 100,
            .cpu_at_limit_frac = busy ? 0.2 : 0,
            .mem_history_ms = 30 * DCP_DAY_MS,
            .mem_mib = mem,
            .mem_at_limit_frac = chance(&rng, 10) ? 0.3 : 0,
        };

        for (uint32_t t = 0; t < w->demand.n_slots; t++) {
            planned =
                fmax(planned, w->cpu_mhz[(size_t)v * w->demand.stride + t]);
        }
        const struct dcp_size_question q = { .inv = w->inv,
                                             .vm = v,
                                             .usage = &usage,
                                             .planned_mhz = planned,
                                             .planned_mib = mem,
                                             .active_memory = true };

        advice[v] = dcp_rightsize_advise(&q);
        n += dcp_size_changes(&advice[v]);
    }
    return n;
}

/* --- Random orders, recounted -------------------------------------------- */

enum { WAITING, RUNNING, DONE };

struct run {
    const struct world *w;
    const struct dcp_plan *plan;
    struct dcp_vm_size *size; /* By VM, as it is now. */
    uint64_t *used, *limit;   /* [host * 2]: MiB, thousandths of a core. */
    uint8_t *state;
};

static void
request(const struct run *r, uint32_t vm, struct dcp_vm_size size,
        uint32_t host, uint64_t out[2])
{
    uint32_t row[DCP_SCALARS_MAX];

    dcp_vm_request_at(r->w->inv, (dcp_vm_id){ vm }, size,
                      r->w->hosts[host].hypervisor, row);
    /* Active memory is left to the checker. */
    out[0] = r->w->inv->policy.memory_basis == DCP_MEMORY_ALLOCATED
                 ? row[DCP_SCALAR_MEM]
                 : 0;
    out[1] = row[DCP_SCALAR_VCPU];
}

static void
change(struct run *r, const struct dcp_step *s, bool starts)
{
    uint64_t a[2], b[2];

    if (s->object.kind != DCP_OBJECT_VM) {
        return;
    }
    uint32_t vm = s->object.ix, host = starts ? s->to.ix : s->from.ix;
    uint64_t *used = &r->used[2 * (size_t)host];

    if (s->kind == DCP_STEP_VM_RESIZE) {
        request(r, vm, s->size_from, host, a);
        request(r, vm, s->size_to, host, b);
        for (int i = 0; i < 2; i++) {
            used[i] += starts && b[i] > a[i] ? b[i] - a[i] : 0;
            used[i] -= !starts && a[i] > b[i] ? a[i] - b[i] : 0;
        }
        r->size[vm] = starts ? r->size[vm] : s->size_to;
        return;
    }
    request(r, vm, r->size[vm], host, a);
    for (int i = 0; i < 2; i++) {
        used[i] = starts ? used[i] + a[i] : used[i] - a[i];
    }
}

static bool
may_start(const struct run *r, const struct dcp_step *s)
{
    bool may = r->state[s->id - 1] == WAITING;

    for (uint32_t i = 0; may && i < s->n_after; i++) {
        may = r->state[s->after[i] - 1] == DONE;
    }
    return may;
}

/* Restarts of one application's VMs that run now. */
static uint32_t
restarts(const struct run *r, uint32_t app)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->plan->n_steps; i++) {
        const struct dcp_step *s = &r->plan->steps[i];

        n += r->state[i] == RUNNING && s->kind == DCP_STEP_VM_RESIZE &&
             s->cold && r->w->vms[s->object.ix].application.ix == app;
    }
    return n;
}

/* One leg in an order drawn at random: most steps run side by side. */
static bool
play(struct run *r, uint32_t leg, struct dcp_rng *rng, char why[WHY])
{
    const struct dcp_plan *plan = r->plan;
    uint32_t left = 0;

    for (uint32_t h = 0; h < r->w->inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_usable(r->w->inv, (dcp_host_id){ h });
        uint32_t cap[2] = { c.scalar[DCP_SCALAR_MEM],
                            c.scalar[DCP_SCALAR_VCPU] };

        for (int i = 0; i < 2; i++) {
            size_t at = 2 * (size_t)h + (size_t)i;

            r->limit[at] = r->used[at] > cap[i] ? r->used[at] : cap[i];
        }
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        left += plan->steps[i].leg == leg;
    }
    while (left) {
        const struct dcp_step *s = &plan->steps[draw(rng, plan->n_steps)];
        bool starts = s->leg == leg && may_start(r, s);

        if (s->leg != leg ||
            (!starts && (r->state[s->id - 1] != RUNNING || !chance(rng, 30)))) {
            continue;
        }
        change(r, s, starts);
        r->state[s->id - 1] = starts ? RUNNING : DONE;
        left -= !starts;
        for (uint32_t k = 0; k < 2 * r->w->inv->n_hosts; k++) {
            if (r->used[k] > r->limit[k]) {
                (void)snprintf(why, WHY, "step %u: host %u, %s: %u of %u",
                               s->id, k / 2, k % 2 ? "vCPUs" : "memory",
                               (unsigned)r->used[k], (unsigned)r->limit[k]);
                return false;
            }
        }
        for (uint32_t a = 0; a < APPS; a++) {
            if (restarts(r, a) > 1) {
                (void)snprintf(why, WHY, "step %u: two restarts in %u", s->id,
                               a);
                return false;
            }
        }
    }
    return true;
}

static bool
orders_are_legal(const struct world *w, const struct dcp_plan *plan,
                 uint64_t seed, char why[WHY])
{
    size_t n = 2 * (size_t)w->inv->n_hosts;
    bool ok = true;

    for (uint32_t k = 0; ok && k < ORDERS; k++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "order", k);
        DCP_FREE struct dcp_vm_size *size =
            malloc((w->inv->n_vms + 1u) * sizeof *size);
        DCP_FREE uint64_t *used = calloc(n + 1, sizeof *used);
        DCP_FREE uint64_t *limit = calloc(n + 1, sizeof *limit);
        DCP_FREE uint8_t *state = calloc(plan->n_steps + 1u, 1);
        struct run r = { w, plan, size, used, limit, state };

        for (uint32_t v = 0; v < w->inv->n_vms; v++) {
            uint32_t h = plan->before->host[v].ix;
            uint64_t a[2] = { 0 };

            size[v] = dcp_vm_size(w->inv, v);
            if (h != DCP_IX_NONE) {
                request(&r, v, size[v], h, a);
                used[2 * (size_t)h] += a[0];
                used[2 * (size_t)h + 1] += a[1];
            }
        }
        for (uint32_t leg = 0; ok && leg < plan->n_legs; leg++) {
            ok = play(&r, leg, &rng, why);
        }
    }
    return ok;
}

/* --- The property -------------------------------------------------------- */

static uint32_t n_plans, n_down, n_up, n_forged, n_waits_lost, n_refused;

/* Forges the plan's k-th way; false: it has nothing to forge. */
static bool
forge(struct dcp_plan *plan, uint32_t how)
{
    struct dcp_step *steps = (struct dcp_step *)(size_t)plan->steps;
    bool any = false;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        struct dcp_step *s = &steps[i];
        struct dcp_vm_size *after = &plan->legs[0].after->size[s->object.ix];

        if (s->kind != DCP_STEP_VM_RESIZE || (any && how)) {
            continue;
        }
        any = true;
        switch (how) {
        case 0: /* All of them at once, before all else. */
            s->n_after = 0;
            break;
        case 1:
            s->size_from.vcpus++;
            break;
        case 2: /* Less memory than it is planned to use. */
            s->size_to.mem_mib = after->mem_mib = 1;
            break;
        case 3:
            after->vcpus++;
            break;
        default: /* Beyond any host. */
            s->size_to.vcpus = after->vcpus = 4000;
            break;
        }
    }
    return any;
}

static bool
resizing_is_legal(const struct sample *s, char why[WHY])
{
    bool ok = true;

    for (uint32_t round = 0; ok && round < 5; round++) {
        struct world w = model_of(s);
        DCP_FREE struct dcp_size_advice *advice =
            calloc(s->n_vms + 1u, sizeof *advice);
        DCP_FREE struct dcp_vm_size *sizes =
            calloc(s->n_vms + 1u, sizeof *sizes);
        uint32_t n = advise(&w, s, advice);

        for (uint32_t v = 0; v < s->n_vms; v++) {
            sizes[v] = dcp_size_changes(&advice[v]) ? advice[v].to
                                                    : dcp_vm_size(w.inv, v);
        }
        DCP_FREE struct dcp_inventory *inv =
            dcp_inventory_with_sizes(w.inv, sizes, NULL);
        DCP_AUTO(dcp_demand) struct dcp_demand *grown = NULL;

        ck_assert(dcp_demand_with_sizes(&w.demand, w.inv, inv, &grown, NULL));
        DCP_AUTO(dcp_placement)
        struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
        struct dcp_plan_request r = {
            .inventory = inv,
            .was = n ? w.inv : NULL,
            .advice = n ? advice : NULL,
            .demand = grown ? grown : &w.demand,
            .start = start,
            .job = s->seed % 5 ? DCP_JOB_CONSOLIDATE : DCP_JOB_BALANCE,
            .two_legs = s->seed % 5 != 0,
            .start_ms = WORLD_T0,
            .window_end_ms = WORLD_T0 + RANDOM_NIGHT * DCP_HOUR_MS,
            .goals = dcp_goals_single(s->seed % 5 ? DCP_GOAL_ENERGY
                                                  : DCP_GOAL_BALANCE),
            .solve = { .seed = s->seed,
                       .iterations = 30,
                       .time_limit_s = 1,
                       .gap_frac = 0.3 },
        };
        DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
        struct dcp_plan_outcome outcome;
        struct dcp_error err = { 0 };

        ok = dcp_plan_make(&r, &plan, &outcome, &err);
        if (!ok) {
            (void)snprintf(why, WHY, "planner: %s", err.message);
        } else if (plan && plan->n_legs) {
            ok = plan_passes(&w, plan, why, WHY);
            if (ok && outcome.vms_resized != n) {
                (void)snprintf(why, WHY, "%u resized of %u",
                               outcome.vms_resized, n);
                ok = false;
            }
            if (ok && round == 0) {
                ok = orders_are_legal(&w, plan, s->seed, why);
                n_plans += n > 0;
                for (uint32_t v = 0; v < s->n_vms; v++) {
                    n_down += advice[v].verdict == DCP_SIZE_OVERSIZED;
                    n_up += advice[v].verdict == DCP_SIZE_UNDERSIZED;
                }
            }
            if (ok && n && forge(plan, round)) {
                char ignored[WHY];
                bool refused = !plan_passes(&w, plan, ignored, WHY);

                n_forged += round > 0;
                n_refused += round > 0 && refused;
                n_waits_lost += !round && refused;
                if (round && !refused) {
                    (void)snprintf(why, WHY, "forged in way %u, not refused",
                                   round);
                    ok = false;
                }
            }
        } else if (n && outcome.status == DCP_STATUS_NOTHING_TO_DO) {
            (void)snprintf(why, WHY, "%u to be resized, nothing to do", n);
            ok = false;
        }
        world_free(&w);
    }
    return ok;
}

START_TEST(every_state_of_every_order_is_legal)
{
    try_samples(small, resizing_is_legal, part_of(60));
    printf("%u plans, %u VMs smaller, %u larger; %u forged, all refused; of "
           "plans that lost their resizes' waits %u\n",
           n_plans, n_down, n_up, n_forged, n_waits_lost);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_plans, part_of(20));
        ck_assert_uint_ge(n_up, part_of(10));
        ck_assert_uint_eq(n_forged, n_refused);
        ck_assert_uint_ge(n_waits_lost, part_of(5));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &every_state_of_every_order_is_legal,
    };

    return RUN_TESTS("resizes", tests);
}
