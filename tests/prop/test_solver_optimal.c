/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The solver against brute force on tiny models: every placement of every
 * item, with every set of hosts on, and every way to restart after each loss.
 * What is said to be optimal is the optimum, no bound is above it, and what is
 * said to be infeasible has no answer. */

#include "model/capacity.h"
#include "solver/solver.h"
#include "tests/support/random_joint.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { HOSTS_MAX = 4, VMS_MAX = 7, SLOTS = WORLD_SLOTS };

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u),
                            .n_rules = draw(&rng, 4) };
}

/* --- Models ------------------------------------------------------------- */

struct tiny_model {
    struct world w;
    struct dcp_question q;
    struct dcp_placement *start;
    double on_value[HOSTS_MAX], slope[HOSTS_MAX];
};

static void
tiny_vms(struct world *w, const struct sample *s)
{
    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "vm", v);
        struct dcp_vm *vm = &w->vms[v];

        vm->vcpus = 1 + draw(&rng, 4);
        vm->mem_mib = 1000 * (1 + draw(&rng, 45));
        vm->tier.ix = draw(&rng, 2);
        vm->movable = !chance(&rng, 4);
        vm->host.ix = draw(&rng, s->n_hosts);
        w->hosts[vm->host.ix].state = DCP_HOST_UP;
        for (uint32_t t = 0; t < SLOTS; t++) {
            w->cpu_mhz[v * w->demand.stride + t] = 100 * (1 + draw(&rng, 55));
        }
    }
}

static struct tiny_model
make_tiny(const struct sample *s)
{
    struct tiny_model m = { .w = world_make(s->n_hosts, s->n_vms) };
    struct dcp_rng rng = dcp_rng_stream(s->seed, "world", 0);
    uint32_t kinds = 1 + draw(&rng, RANDOM_HARDWARE);

    random_hardware(&m.w);
    random_places(&m.w, &rng);
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        m.w.hosts[h].hardware.ix = draw(&rng, kinds);
        m.w.hosts[h].rack.ix = draw(&rng, RANDOM_RACKS);
        m.w.hosts[h].power_off_allowed = !chance(&rng, 10);
        m.w.hosts[h].state = chance(&rng, 20) ? DCP_HOST_STANDBY : DCP_HOST_UP;
        m.on_value[h] = 100 + draw(&rng, 100);
        m.slope[h] = draw(&rng, 30) / 1000.0;
    }
    for (uint32_t r = 0; r < RANDOM_RACKS; r++) {
        m.w.racks[r].limit_w = 0;
    }
    for (uint32_t f = 0; f < RANDOM_FEEDS; f++) {
        m.w.feeds[f].limit_w = 0;
    }
    tiny_vms(&m.w, s);
    random_rules(&m.w, s);
    for (uint32_t r = 0; r < s->n_rules; r++) {
        m.w.rules[r].soft = false;
        if (m.w.rules[r].over == DCP_DOMAIN_FEED) {
            m.w.rules[r].over = DCP_DOMAIN_RACK;
        }
    }
    random_policy(&m.w, s);
    m.w.inv->policy.keep_on = 1;
    m.w.inv->policy.n_survive = m.w.inv->policy.survive[0].kind == DCP_LOSS_HOST
                                    ? m.w.inv->policy.n_survive > 0
                                    : 0;
    if (s->seed % 3 == 0) {
        random_joint(&m.w, s->seed);
    }
    m.start = dcp_placement_start(m.w.inv, NULL);
    return m;
}

/* The question; once the model is where it stays. */
static void
ask_of(struct tiny_model *m, bool by_value)
{
    m->q = (struct dcp_question){
        .inventory = m->w.inv,
        .demand = &m->w.demand,
        .last_slot = SLOTS,
        .start = m->start,
        .may_wake = true,
        .may_empty = true,
        .headroom = m->w.inv->policy.n_survive > 0,
        .host_on_value = by_value ? m->on_value : NULL,
        .mhz_slope = by_value ? m->slope : NULL,
    };
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
    uint32_t nh, nv, n_items;
    uint32_t item[VMS_MAX]; /* By VM: VMs gathered on one host are one. */
    uint32_t at[VMS_MAX];   /* By item; DCP_IX_NONE: not there. */
    bool protect[VMS_MAX];  /* By item. */
    double best, fewest;    /* INFINITY: no answer. */
};

static uint32_t
domain_of(const struct brute *b, enum dcp_domain over, uint32_t host)
{
    uint32_t rack = b->inv->hosts[host].rack.ix;

    return over == DCP_DOMAIN_HOST   ? host
           : over == DCP_DOMAIN_RACK ? rack
                                     : b->inv->racks[rack].room.ix;
}

static void
tie_items(struct brute *b)
{
    for (uint32_t v = 0; v < b->nv; v++) {
        b->item[v] = v;
    }
    for (uint32_t round = 0; round < b->nv; round++) {
        for (uint32_t r = 0; r < b->inv->n_rules; r++) {
            const struct dcp_rule *rule = &b->inv->rules[r];

            for (uint32_t i = 1;
                 rule->kind == DCP_RULE_GATHER &&
                 rule->over == DCP_DOMAIN_HOST && i < rule->n_vms;
                 i++) {
                uint32_t *x = &b->item[rule->vms[i - 1]];
                uint32_t *y = &b->item[rule->vms[i]];

                *x = *y = *x < *y ? *x : *y;
            }
        }
    }
    uint32_t number[VMS_MAX] = { 0 };

    for (uint32_t v = 0; v < b->nv; v++) {
        number[v] = b->item[v] == v ? b->n_items++ : number[b->item[v]];
        b->item[v] = number[v];
        b->protect[b->item[v]] |=
            b->inv->policy.protect_tiers >> b->inv->vms[v].tier.ix & 1;
    }
}

static uint32_t
started(const struct brute *b, uint32_t v)
{
    return b->inv->vms[v].host.ix;
}

/* Do all of the rule's VMs start in one domain? */
static bool
gathered_at_start(const struct brute *b, const struct dcp_rule *rule)
{
    for (uint32_t i = 1; i < rule->n_vms; i++) {
        if (domain_of(b, rule->over, started(b, rule->vms[i])) !=
            domain_of(b, rule->over, started(b, rule->vms[0]))) {
            return false;
        }
    }
    return true;
}

static bool
vm_may_run(const struct brute *b, const struct dcp_rule *rule, uint32_t v,
           uint32_t h, bool restart)
{
    bool listed =
        dcp_ids_contain(&(struct dcp_ids){ rule->hosts, rule->n_hosts }, h);

    switch (rule->kind) {
    case DCP_RULE_FENCE:
        return listed;
    case DCP_RULE_BAN:
        return !listed;
    case DCP_RULE_ROOT: /* The slots begin at 20:00; hours end then. */
        return restart || rule->has_hours || started(b, v) == h;
    case DCP_RULE_GATHER:
        return restart || rule->hold != DCP_HOLD_ALWAYS ||
               !gathered_at_start(b, rule) ||
               domain_of(b, rule->over, h) ==
                   domain_of(b, rule->over, started(b, v));
    case DCP_RULE_SPREAD:
    case DCP_RULE_SEPARATE:
        break;
    }
    return true;
}

/* Whether 'v' may be on 'h' beside 'w' on its host, by the rule. */
static bool
pair_may_be(const struct brute *b, const struct dcp_rule *rule, uint32_t v,
            uint32_t h, uint32_t w)
{
    struct dcp_ids side_a = { rule->vms, rule->n_vms };
    struct dcp_ids side_b = { rule->others, rule->n_others };
    bool tied = b->item[v] == b->item[w]; /* So 'w' comes to 'h' as well. */
    bool same = tied || domain_of(b, rule->over, h) ==
                            domain_of(b, rule->over, b->at[b->item[w]]);
    bool excused = tied && domain_of(b, rule->over, started(b, v)) ==
                               domain_of(b, rule->over, started(b, w));

    if (rule->kind == DCP_RULE_SPREAD || rule->kind == DCP_RULE_GATHER) {
        bool both = dcp_ids_contain(&side_a, v) && dcp_ids_contain(&side_a, w);

        return !both ||
               (rule->kind == DCP_RULE_GATHER ? same : !same || excused);
    }
    bool across =
        (dcp_ids_contain(&side_a, v) && dcp_ids_contain(&side_b, w)) ||
        (dcp_ids_contain(&side_b, v) && dcp_ids_contain(&side_a, w));

    return rule->kind != DCP_RULE_SEPARATE || !across || !same || excused;
}

static bool
rules_allow(const struct brute *b, uint32_t item, uint32_t h, bool restart)
{
    for (uint32_t r = 0; r < b->inv->n_rules; r++) {
        const struct dcp_rule *rule = &b->inv->rules[r];
        struct dcp_ids vms = { rule->vms, rule->n_vms };

        if (restart && b->inv->policy.relax_rules >> rule->kind & 1) {
            continue;
        }
        for (uint32_t v = 0; v < b->nv; v++) {
            if (b->item[v] != item) {
                continue;
            }
            if (dcp_ids_contain(&vms, v) &&
                !vm_may_run(b, rule, v, h, restart)) {
                return false;
            }
            for (uint32_t w = 0; w < b->nv; w++) {
                bool there =
                    b->item[w] == item || b->at[b->item[w]] != DCP_IX_NONE;

                if (w != v && there && !pair_may_be(b, rule, v, h, w)) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool
can_move(const struct brute *b, uint32_t item, uint32_t h)
{
    for (uint32_t v = 0; v < b->nv; v++) {
        if (b->item[v] == item && !b->inv->vms[v].movable &&
            started(b, v) != h) {
            return false;
        }
    }
    return true;
}

static bool
holds(const struct brute *b, uint32_t h, bool full)
{
    struct dcp_capacity c = full ? dcp_host_capacity(b->inv, (dcp_host_id){ h })
                                 : dcp_host_usable(b->inv, (dcp_host_id){ h });
    uint64_t cpu[SLOTS] = { 0 }, scalar[DCP_SCALARS_MAX] = { 0 };
    uint32_t request[DCP_SCALARS_MAX];
    dcp_host_id at[VMS_MAX];

    for (uint32_t v = 0; v < b->nv; v++) {
        at[v].ix = b->at[b->item[v]];
        if (at[v].ix != h) {
            continue;
        }
        dcp_vm_request(b->inv, (dcp_vm_id){ v }, b->inv->hosts[h].hypervisor,
                       request);
        for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
            scalar[r] += request[r];
        }
        for (uint32_t t = 0; t < SLOTS; t++) {
            cpu[t] += b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        if (scalar[r] > c.scalar[r]) {
            return false;
        }
    }
    for (uint32_t t = 0; t < SLOTS; t++) {
        if (cpu[t] > c.cpu_mhz) {
            return false;
        }
    }
    return joint_holds(&b->m->w, at, h, full);
}

/* Places the lost items from 'k' on in every way until one works. */
static bool
restarts(struct brute *b, const uint32_t *lost, uint32_t n, uint32_t k,
         uint32_t on)
{
    bool full = b->inv->policy.survive_to_capacity;

    if (k == n) {
        return true;
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        if (!(on >> h & 1)) {
            continue;
        }
        b->at[lost[k]] = DCP_IX_NONE;
        if (!rules_allow(b, lost[k], h, true)) {
            continue;
        }
        b->at[lost[k]] = h;
        if (holds(b, h, full) && restarts(b, lost, n, k + 1, on)) {
            return true;
        }
    }
    b->at[lost[k]] = DCP_IX_NONE;
    return false;
}

static bool
survives(struct brute *b, uint32_t on)
{
    uint32_t kept[VMS_MAX], lost[VMS_MAX];

    memcpy(kept, b->at, sizeof kept);
    for (uint32_t h = 0; b->m->q.headroom && h < b->nh; h++) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < b->n_items; i++) {
            if (kept[i] == h) {
                b->at[i] = DCP_IX_NONE;
                if (b->protect[i]) {
                    lost[n++] = i;
                }
            }
        }
        bool ok =
            !(on >> h & 1) || restarts(b, lost, n, 0, on & ~(UINT32_C(1) << h));

        memcpy(b->at, kept, sizeof kept);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static double
value_of(const struct brute *b, uint32_t on)
{
    double value = 0;

    for (uint32_t h = 0; h < b->nh; h++) {
        value += on >> h & 1 ? b->m->on_value[h] : 0;
    }
    for (uint32_t v = 0; v < b->nv; v++) {
        for (uint32_t t = 0; t < SLOTS; t++) {
            value += b->m->slope[b->at[b->item[v]]] *
                     b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    return value;
}

/* All sets of hosts that are on with this placement. */
static void
try_power(struct brute *b)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < b->n_items; i++) {
        used |= UINT32_C(1) << b->at[i];
    }
    for (uint32_t on = 0; on < UINT32_C(1) << b->nh; on++) {
        bool legal = (on & used) == used;

        for (uint32_t h = 0; h < b->nh; h++) {
            legal = legal && (b->inv->hosts[h].power_off_allowed ||
                              (on >> h & 1) == b->m->start->on[h]);
        }
        double value = value_of(b, on);
        double n = (double)__builtin_popcount(on);

        if (legal && (value < b->best || n < b->fewest) && survives(b, on)) {
            b->best = fmin(b->best, value);
            b->fewest = fmin(b->fewest, n);
        }
    }
}

static void
try_items(struct brute *b, uint32_t item)
{
    if (item == b->n_items) {
        try_power(b);
        return;
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        b->at[item] = DCP_IX_NONE;
        if (!can_move(b, item, h) || !rules_allow(b, item, h, false)) {
            continue;
        }
        b->at[item] = h;
        if (holds(b, h, false)) {
            try_items(b, item + 1);
        }
    }
    b->at[item] = DCP_IX_NONE;
}

static struct brute
brute_force(const struct tiny_model *m)
{
    struct brute b = { .m = m,
                       .inv = m->w.inv,
                       .nh = m->w.inv->n_hosts,
                       .nv = m->w.inv->n_vms,
                       .best = INFINITY,
                       .fewest = INFINITY };

    for (uint32_t i = 0; i < VMS_MAX; i++) {
        b.at[i] = DCP_IX_NONE;
    }
    tie_items(&b);
    try_items(&b, 0);
    return b;
}

/* --- Properties --------------------------------------------------------- */

static uint32_t n_by_status[DCP_STATUS_NOTHING_TO_DO + 1], n_missed;

static bool
solve(const struct tiny_model *m, struct dcp_solution *out, char why[WHY])
{
    struct dcp_solve_options options = { .seed = 1,
                                         .iterations = 200,
                                         .time_limit_s = 10 };
    struct dcp_error err = { 0 };

    if (!dcp_solve(&m->q, &options, out, &err)) {
        (void)snprintf(why, WHY, "solver: %s", err.message);
        return false;
    }
    return true;
}

static bool
agrees(const struct tiny_model *m, const struct dcp_solution *s,
       const struct brute *b)
{
    bool by_value = m->q.host_on_value;
    double least = by_value ? b->best : b->fewest;
    double slack = 1e-6 * fmax(1, fabs(least));

    switch (s->status) {
    case DCP_STATUS_OPTIMAL:
        return fabs(s->value - least) <= slack && s->bound <= least + slack &&
               s->hosts_lower_bound <= b->fewest;
    case DCP_STATUS_FEASIBLE:
        return s->value >= least - slack && s->bound <= least + slack &&
               s->hosts_lower_bound <= b->fewest;
    case DCP_STATUS_INFEASIBLE:
        return isinf(least);
    case DCP_STATUS_TIMEOUT: /* Nothing is claimed. */
        return true;
    case DCP_STATUS_NOTHING_TO_DO:
        break;
    }
    return false;
}

static bool
is_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solution solution;

    ask_of(&m, s->seed % 2);
    struct brute b = brute_force(&m);
    bool ok = solve(&m, &solution, why);

    if (ok) {
        ok = agrees(&m, &solution, &b);
        n_by_status[solution.status]++;
        n_missed += solution.status == DCP_STATUS_TIMEOUT && !isinf(b.best);
        (void)snprintf(why, WHY,
                       "%s %s: value %g, bound %g, at least %u hosts; brute "
                       "force %g, %g hosts",
                       dcp_status_name(solution.status), solution.because.text,
                       solution.value, solution.bound,
                       solution.hosts_lower_bound, b.best, b.fewest);
        dcp_solution_finish(&solution);
    }
    free_tiny(&m);
    return ok;
}

START_TEST(answers_are_as_brute_force_finds)
{
    try_samples(tiny, is_as_brute_force, 1500);
    printf("%u optimal, %u feasible, %u infeasible, %u unanswered (%u of them "
           "had an answer)\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_missed);
}
END_TEST

/* All hosts get half as much again of everything. */
static bool
larger_hosts_cost_no_more(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solution before, after;

    ask_of(&m, false);
    if (!solve(&m, &before, why)) {
        return false;
    }
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        m.w.hardware[i].cores_per_socket +=
            m.w.hardware[i].cores_per_socket / 2;
        m.w.hardware[i].mem_mib += m.w.hardware[i].mem_mib / 2;
    }
    bool ok = solve(&m, &after, why);
    bool solved = before.status == DCP_STATUS_OPTIMAL;

    if (ok && solved &&
        (after.status == DCP_STATUS_INFEASIBLE ||
         (after.status == DCP_STATUS_OPTIMAL && after.value > before.value))) {
        (void)snprintf(why, WHY, "%g hosts, then %s with %g", before.value,
                       dcp_status_name(after.status), after.value);
        ok = false;
    }
    dcp_solution_finish(&before);
    dcp_solution_finish(&after);
    free_tiny(&m);
    return ok;
}

START_TEST(more_capacity_is_never_worse)
{
    try_samples(tiny, larger_hosts_cost_no_more, 400);
}
END_TEST

/* --- Order of the tables ------------------------------------------------ */

static void
renumber(uint32_t *ids, uint32_t n, uint32_t n_all)
{
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = n_all - 1 - ids[i];
    }
    if (n) {
        qsort(ids, n, sizeof *ids, random_compare);
    }
}

/* The same model with VMs and hosts listed the other way round. */
static void
reverse(struct tiny_model *m)
{
    struct dcp_inventory *inv = m->w.inv;
    uint32_t nh = inv->n_hosts, nv = inv->n_vms, stride = m->w.demand.stride;

    for (uint32_t h = 0; h < nh / 2; h++) {
        struct dcp_host host = m->w.hosts[h];

        m->w.hosts[h] = m->w.hosts[nh - 1 - h];
        m->w.hosts[nh - 1 - h] = host;
    }
    for (uint32_t v = 0; v < nv / 2; v++) {
        struct dcp_vm vm = m->w.vms[v];

        m->w.vms[v] = m->w.vms[nv - 1 - v];
        m->w.vms[nv - 1 - v] = vm;
        random_joint_swap(&m->w, v, nv - 1 - v);
        for (uint32_t t = 0; t < stride; t++) {
            uint32_t *a = &m->w.cpu_mhz[v * stride + t];
            uint32_t *b = &m->w.cpu_mhz[(nv - 1 - v) * stride + t];
            uint32_t mhz = *a;

            *a = *b;
            *b = mhz;
        }
    }
    for (uint32_t v = 0; v < nv; v++) {
        m->w.vms[v].host.ix = nh - 1 - m->w.vms[v].host.ix;
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        struct dcp_rule *rule = &m->w.rules[r];

        renumber((uint32_t *)(size_t)rule->vms, rule->n_vms, nv);
        renumber((uint32_t *)(size_t)rule->others, rule->n_others, nv);
        renumber((uint32_t *)(size_t)rule->hosts, rule->n_hosts, nh);
    }
    dcp_placement_destroy(m->start);
    m->start = dcp_placement_start(inv, NULL);
}

static bool
order_does_not_matter(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solution a, b;

    ask_of(&m, false);
    if (!solve(&m, &a, why)) {
        return false;
    }
    reverse(&m);
    ask_of(&m, false);
    bool ok = solve(&m, &b, why);
    bool contradicts = (a.status == DCP_STATUS_INFEASIBLE && b.placement) ||
                       (b.status == DCP_STATUS_INFEASIBLE && a.placement) ||
                       (a.status == DCP_STATUS_OPTIMAL &&
                        b.status == DCP_STATUS_OPTIMAL && a.value != b.value);

    if (ok && contradicts) {
        (void)snprintf(why, WHY, "%s %g, in the other order %s %g",
                       dcp_status_name(a.status), a.value,
                       dcp_status_name(b.status), b.value);
        ok = false;
    }
    dcp_solution_finish(&a);
    dcp_solution_finish(&b);
    free_tiny(&m);
    return ok;
}

START_TEST(order_of_the_tables_does_not_matter)
{
    try_samples(tiny, order_does_not_matter, 400);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_as_brute_force_finds,
        &more_capacity_is_never_worse,
        &order_of_the_tables_does_not_matter,
    };

    return RUN_TESTS("solver_optimal", tests);
}
