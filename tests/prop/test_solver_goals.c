/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Goals against brute force on tiny models with power curves that are neither
 * convex nor concave, a tariff and licences of every kind: what is said to be
 * optimal is, no bound is above the optimum, no more moves are made than a
 * question allows, the value that is kept by moves is the value counted anew,
 * and deltas are what changes. */

#include "model/capacity.h"
#include "model/check/check.h"
#include "model/licence.h"
#include "model/power.h"
#include "solver/objective.h"
#include "solver/solver.h"
#include "solver/state.h"
#include "tests/support/claims.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

enum { HOSTS_MAX = 4, VMS_MAX = 6, SLOTS = WORLD_SLOTS, LICENCES_MAX = 2 };

#define LICENCE_MS (365.25 * 86400000.0 / 100) /* A hundredth of a year. */

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u) };
}

/* --- Models ------------------------------------------------------------- */

struct tiny_model {
    struct world w;
    struct dcp_placement *start;
    struct dcp_goals goals;
    struct dcp_room_shape shape;
    struct dcp_goal_terms terms;
    struct dcp_question q;
};

static void
tiny_curves(struct world *w, struct dcp_rng *rng)
{
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        uint32_t watts = 40 + draw(rng, 80);

        w->hardware[i].sleep_w = draw(rng, 10);
        for (uint32_t k = 0; k < DCP_POWER_POINTS; k++) {
            w->hardware[i].power_w[k] = watts;
            watts += draw(rng, 40);
        }
    }
}

static void
tiny_licences(struct world *w, struct dcp_rng *rng, const struct sample *s)
{
    struct dcp_rng pools = dcp_rng_stream(s->seed, "pools", 0);
    uint32_t n_vms = s->n_vms;
    struct dcp_licence *l = WORLD_NEW(w, struct dcp_licence, LICENCES_MAX);
    uint32_t n = draw(rng, LICENCES_MAX + 1u);

    for (uint32_t k = 0; k < n; k++) {
        uint32_t covered[VMS_MAX], n_covered = 0;

        for (uint32_t v = 0; v < n_vms; v++) {
            if (chance(rng, 50)) {
                covered[n_covered++] = v;
            }
        }
        l[k] = (struct dcp_licence){
            .name = "l",
            .vms = { world_ids(w, n_covered, covered), n_covered },
            .metric = (enum dcp_licence_metric)draw(rng, 6),
            .scope = (enum dcp_licence_scope)draw(rng, 3),
            .minimum = draw(rng, 4),
            .minimum_per_socket = draw(rng, 12),
            .factor = chance(rng, 50) ? 1 : 0.5,
            .guests_free_on_host = chance(rng, 50),
            .guests_per_cover = chance(rng, 40) ? 1 + draw(rng, 2) : 0,
            .price_per_year = draw(rng, 60) / 10.0,
            .owned = chance(&pools, 60) ? 1 + draw(&pools, 12) : 0,
        };
    }
    w->inv->policy.licences =
        chance(&pools, 50) ? DCP_LICENCES_OWNED : DCP_LICENCES_PRICED;
    w->inv->licences = l;
    w->inv->n_licences = n;
}

static void
tiny_vms(struct world *w, const struct sample *s)
{
    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "vm", v);

        w->vms[v].vcpus = 1 + draw(&rng, 4);
        w->vms[v].mem_mib = 1000 * (1 + draw(&rng, 40));
        w->vms[v].host.ix = draw(&rng, s->n_hosts);
        w->hosts[w->vms[v].host.ix].state = DCP_HOST_UP;
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
    struct dcp_tariff *tariff = WORLD_NEW(&m.w, struct dcp_tariff, 1);
    struct dcp_tariff_row *rows = WORLD_NEW(&m.w, struct dcp_tariff_row, 2);

    random_hardware(&m.w);
    tiny_curves(&m.w, &rng);
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        m.w.hosts[h].hardware.ix = draw(&rng, RANDOM_HARDWARE);
        m.w.hosts[h].power_off_allowed = !chance(&rng, 10);
        m.w.hosts[h].state = chance(&rng, 20) ? DCP_HOST_STANDBY : DCP_HOST_UP;
    }
    tiny_vms(&m.w, s);
    tiny_licences(&m.w, &rng, s);
    rows[0] = (struct dcp_tariff_row){ .has_hours = true,
                                       .hours = { 21 * 3600000, 22 * 3600000 },
                                       .price_per_kwh = 2 };
    rows[1] = (struct dcp_tariff_row){ .price_per_kwh = 1 };
    *tariff = (struct dcp_tariff){ .name = "t", .rows = rows, .n_rows = 2 };
    m.w.inv->tariffs = tariff;
    m.w.inv->n_tariffs = 1;

    struct dcp_site *site = (struct dcp_site *)(size_t)m.w.inv->sites;

    site->tariff = (dcp_tariff_id){ 0 };
    site->pue_marginal = 1.3;
    m.w.inv->policy.target_cpu_frac = chance(&rng, 50) ? 1 : 0.8;
    m.w.inv->policy.keep_on = 1;
    m.start = dcp_placement_start(m.w.inv, NULL);
    return m;
}

static const char *const goal_texts[] = {
    "cost",
    "energy",
    "licences",
    "cost+0.01*moves",
    "hosts+0.1*licences",
    "cost,moves",
    "hosts,cost",
    "cost+0.005*room",
    "energy+balance",
    "hosts,moves",
};
enum { N_GOAL_TEXTS = sizeof goal_texts / sizeof goal_texts[0] };

/* Once the model is where it stays. */
static void
ask_of(struct tiny_model *m, uint64_t seed)
{
    struct dcp_error err = { 0 };

    ck_assert(
        dcp_goals_parse(goal_texts[seed % N_GOAL_TEXTS], &m->goals, &err));
    m->shape = (struct dcp_room_shape){ .cpu_mhz = 900,
                                        .scalar = { [DCP_SCALAR_MEM] = 7000 } };
    m->terms = (struct dcp_goal_terms){ .goals = &m->goals,
                                        .paid_from = seed % 2,
                                        .paid_to = SLOTS,
                                        .licence_ms = (int64_t)LICENCE_MS,
                                        .shapes = &m->shape,
                                        .n_shapes = 1 };
    if (seed % 3 == 0) {
        m->terms.also[m->terms.n_also++] = m->start;
    }
    m->q = (struct dcp_question){ .inventory = m->w.inv,
                                  .demand = &m->w.demand,
                                  .last_slot = SLOTS,
                                  .start = m->start,
                                  .may_wake = true,
                                  .may_empty = true,
                                  .limits_moves = seed % 4 == 1,
                                  .max_moves = (uint32_t)(seed / 4 % 4),
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
    double best[DCP_GOALS_MAX]; /* INFINITY: no answer. */
};

static uint32_t
load(const struct brute *b, uint32_t h, uint32_t t)
{
    uint32_t mhz = 0;

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        mhz += b->at->host[v].ix == h
                   ? b->m->w.cpu_mhz[v * b->m->w.demand.stride + t]
                   : 0;
    }
    return mhz;
}

static uint32_t
peak_load(const struct brute *b, uint32_t h)
{
    uint32_t peak = 0;

    for (uint32_t t = 0; t < SLOTS; t++) {
        peak = load(b, h, t) > peak ? load(b, h, t) : peak;
    }
    return peak;
}

static uint32_t
memory(const struct brute *b, uint32_t h)
{
    uint32_t mib = 0, request[DCP_SCALARS_MAX];

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        if (b->at->host[v].ix == h) {
            dcp_vm_request(b->inv, (dcp_vm_id){ v },
                           b->inv->hosts[h].hypervisor, request);
            mib += request[DCP_SCALAR_MEM];
        }
    }
    return mib;
}

static bool
holds(const struct brute *b, uint32_t h)
{
    struct dcp_capacity c = dcp_host_usable(b->inv, (dcp_host_id){ h });
    uint32_t sum[DCP_SCALARS_MAX] = { 0 }, request[DCP_SCALARS_MAX];

    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        if (b->at->host[v].ix == h) {
            dcp_vm_request(b->inv, (dcp_vm_id){ v },
                           b->inv->hosts[h].hypervisor, request);
            for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
                sum[r] += request[r];
            }
        }
    }
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        if (sum[r] > c.scalar[r]) {
            return false;
        }
    }
    return peak_load(b, h) <= c.cpu_mhz;
}

static double
kwh_or_money(const struct brute *b, bool money)
{
    double sum = 0;

    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        const struct dcp_hardware *hw =
            &b->inv->hardware[b->inv->hosts[h].hardware.ix];
        double cap = dcp_host_capacity(b->inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = b->m->terms.paid_from;
             b->at->on[h] && t < b->m->terms.paid_to; t++) {
            double price =
                money ? dcp_energy_price(b->inv, (dcp_site_id){ 0 },
                                         b->m->w.demand.slots[t].start_ms)
                      : 1;

            sum += (dcp_power_at(hw, load(b, h, t) / cap) - hw->sleep_w) * 1.3 /
                   1000 * price;
        }
    }
    return sum;
}

static double
licence_money(const struct brute *b)
{
    const struct dcp_placement *both[] = { b->at, b->m->start };
    const struct dcp_placement *start[] = { b->m->start };
    uint32_t n = b->m->terms.n_also ? 2 : 1;
    double sum = 0;

    for (uint32_t k = 0; k < b->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->inv->licences[k];
        struct dcp_licence_need need, anyway = { 0 };
        bool by_vm =
            l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;

        if (l->scope == DCP_LICENCE_REACHABLE ||
            (by_vm && !l->guests_free_on_host)) {
            continue;
        }
        dcp_licence_count(b->inv, k, both, n, &need);
        if (n == 2) {
            dcp_licence_count(b->inv, k, start, 1, &anyway);
        }
        sum += (need.units - anyway.units) * l->price_per_year / 100;
    }
    return sum;
}

static double
deviation(const double *x, uint32_t n)
{
    double mean = 0, sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        mean += x[i] / n;
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += (x[i] - mean) * (x[i] - mean) / n;
    }
    return sqrt(sum);
}

static double
imbalance(const struct brute *b)
{
    double cpu[HOSTS_MAX], mem[HOSTS_MAX];
    uint32_t n = 0;

    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_usable(b->inv, (dcp_host_id){ h });

        if (b->at->on[h]) {
            cpu[n] = (double)peak_load(b, h) / c.cpu_mhz;
            mem[n++] = (double)memory(b, h) / c.scalar[DCP_SCALAR_MEM];
        }
    }
    return deviation(cpu, n) + deviation(mem, n);
}

static double
more_vms(const struct brute *b)
{
    double n = 0;

    for (uint32_t h = 0; h < b->inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_usable(b->inv, (dcp_host_id){ h });

        if (b->at->on[h]) {
            n += fmin((c.cpu_mhz - peak_load(b, h)) / 900,
                      (c.scalar[DCP_SCALAR_MEM] - memory(b, h)) / 7000);
        }
    }
    return n;
}

static double
measure(const struct brute *b, uint32_t level)
{
    const double *w = b->m->goals.level[level].weight;
    double value = w[DCP_GOAL_HOSTS] * dcp_placement_n_on(b->at);

    value += w[DCP_GOAL_COST] * (kwh_or_money(b, true) + licence_money(b));
    value += w[DCP_GOAL_ENERGY] * kwh_or_money(b, false);
    value += w[DCP_GOAL_LICENCES] * licence_money(b);
    value += w[DCP_GOAL_MOVES] * dcp_placement_n_moved(b->m->start, b->at);
    value += w[DCP_GOAL_BALANCE] * imbalance(b);
    return value - w[DCP_GOAL_ROOM] * more_vms(b);
}

/* The first licence of which the placement needs more than is owned (and than
 * the start needs: 'excuse'); NULL: none, or policy does not ask. */
static const struct dcp_licence *
short_licence(const struct brute *b, bool excuse)
{
    const struct dcp_placement *both[] = { b->m->start, b->at };
    const struct dcp_placement *const *start = both, *const *end = both + 1;

    for (uint32_t k = 0; k < b->inv->n_licences; k++) {
        const struct dcp_licence *l = &b->inv->licences[k];
        bool ever = excuse && l->scope != DCP_LICENCE_PLACED;
        bool by_vm =
            l->metric == DCP_LICENCE_VM || l->metric == DCP_LICENCE_VCPU;
        struct dcp_licence_need need, before;

        if (b->inv->policy.licences != DCP_LICENCES_OWNED || !(l->owned > 0)) {
            continue;
        }
        ever = ever && (!by_vm || l->guests_free_on_host);
        dcp_licence_count(b->inv, k, ever ? both : end, ever ? 2 : 1, &need);
        dcp_licence_count(b->inv, k, start, 1, &before);
        if (need.units > l->owned && !(excuse && need.units <= before.units)) {
            return l;
        }
    }
    return NULL;
}

/* All sets of hosts that are on with this placement. */
static void
try_power(struct brute *b)
{
    uint32_t used = 0, nh = b->inv->n_hosts;

    if (b->m->q.limits_moves &&
        dcp_placement_n_moved(b->m->start, b->at) > b->m->q.max_moves) {
        return;
    }
    if (short_licence(b, true)) {
        return;
    }
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        used |= UINT32_C(1) << b->at->host[v].ix;
    }
    for (uint32_t on = 0; on < UINT32_C(1) << nh; on++) {
        bool legal = (on & used) == used;

        for (uint32_t h = 0; h < nh; h++) {
            b->at->on[h] = on >> h & 1;
            legal = legal && (b->inv->hosts[h].power_off_allowed ||
                              b->at->on[h] == b->m->start->on[h]);
        }
        if (!legal) {
            continue;
        }
        double value[DCP_GOALS_MAX];

        for (uint32_t k = 0; k < b->m->goals.n_levels; k++) {
            value[k] = measure(b, k);
        }
        if (isinf(b->best[0]) ||
            dcp_objective_compare(value, b->best, b->m->goals.n_levels) < 0) {
            memcpy(b->best, value, sizeof value);
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
        if (holds(b, h)) {
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
                       .best = { INFINITY } };

    for (uint32_t v = 0; v < b.inv->n_vms; v++) {
        b.at->host[v].ix = DCP_IX_NONE;
    }
    try_vms(&b, 0);
    return b;
}

/* --- Properties --------------------------------------------------------- */

static uint32_t n_by_status[DCP_STATUS_NOTHING_TO_DO + 1], n_best;
static uint32_t n_second, n_second_best;
static uint32_t n_pools_answered, n_pools_short;

/* The checker's own count of the answer's licences is the brute one. */
static bool
are_pools_kept(const struct brute *b, char why[WHY])
{
    const struct dcp_licence *l = short_licence(b, true);
    struct dcp_check_result found;
    bool says = false, is = short_licence(b, false);

    if (l) {
        (void)snprintf(why, WHY, "more than %g of a licence", l->owned);
        return false;
    }
    if (!dcp_check_placement(b->inv, &b->m->w.demand, b->at, 0, SLOTS, &found,
                             NULL)) {
        return false;
    }
    for (uint32_t i = 0; i < found.n_violations; i++) {
        says |= !strcmp(found.violations[i].rule, "licences");
    }
    dcp_check_result_finish(&found);
    if (b->inv->policy.licences == DCP_LICENCES_OWNED && b->inv->n_licences) {
        n_pools_answered++;
        n_pools_short += is;
    }
    (void)snprintf(why, WHY, "checker: licences are %sshort",
                   says ? "" : "not ");
    return says == is;
}

/* Of the answer, counted by brute force's own measure. */
static bool
is_measured_right(struct brute *b, const struct dcp_solution *s, char why[WHY])
{
    for (uint32_t v = 0; v < b->inv->n_vms; v++) {
        b->at->host[v] = s->placement->host[v];
    }
    memcpy(b->at->on, s->placement->on, b->inv->n_hosts);
    double value = measure(b, 0);
    uint32_t moves = dcp_placement_n_moved(b->m->start, b->at);

    if (b->m->q.limits_moves && moves > b->m->q.max_moves) {
        (void)snprintf(why, WHY, "%u moves, %u allowed", moves,
                       b->m->q.max_moves);
        return false;
    }
    if (!are_pools_kept(b, why)) {
        return false;
    }
    if (fabs(value - s->value) > 1e-6 * fmax(1, fabs(value))) {
        (void)snprintf(why, WHY, "said to be worth %.9g, is %.9g", s->value,
                       value);
        return false;
    }
    if (b->m->goals.n_levels > 1 &&
        fabs(value - b->best[0]) <= 1e-6 * fmax(1, fabs(value))) {
        n_second++;
        n_second_best += measure(b, 1) <= b->best[1] + 1e-6;
    }
    return true;
}

static bool
is_as_brute_force(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_solve_options options = { .seed = 1, .iterations = 100 };
    struct dcp_solution solution;
    struct dcp_error err = { 0 };

    ask_of(&m, s->seed);
    struct brute b = brute_force(&m);
    bool ok = dcp_solve(&m.q, &options, &solution, &err);
    double least = b.best[0];

    (void)snprintf(why, WHY, "%s", err.message);
    if (ok) {
        (void)snprintf(why, WHY, "%s %s: value %.9g, bound %.9g, brute %.9g",
                       goal_texts[s->seed % N_GOAL_TEXTS],
                       dcp_status_name(solution.status), solution.value,
                       solution.bound, least);
        ok = claims_hold(&solution, least);
        n_by_status[solution.status]++;
        n_best += has_best(&solution, least);
        if (ok && solution.placement) {
            ok = is_measured_right(&b, &solution, why);
        }
        dcp_solution_finish(&solution);
    }
    dcp_placement_destroy(b.at);
    free_tiny(&m);
    return ok;
}

START_TEST(answers_are_as_brute_force_finds)
{
    try_samples(tiny, is_as_brute_force, part_of(1000));
    printf("%u optimal, %u feasible, %u infeasible, %u unanswered; %u have the "
           "best value; of %u with the best first goal %u have the best "
           "second\n",
           n_by_status[DCP_STATUS_OPTIMAL], n_by_status[DCP_STATUS_FEASIBLE],
           n_by_status[DCP_STATUS_INFEASIBLE], n_by_status[DCP_STATUS_TIMEOUT],
           n_best, n_second, n_second_best);
    printf("%u of %u answers with owned licences stay above what is owned, as "
           "their start\n",
           n_pools_short, n_pools_answered);
}
END_TEST

/* A random walk: values by moves, by a recount, and by deltas. */
static bool
deltas_add_up(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "walk", 0);
    struct dcp_error err = { 0 };
    bool ok = true;

    ask_of(&m, s->seed);
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&m.q, &err);
    DCP_AUTO(dcp_state) struct dcp_state *state = dcp_state_create(p, &err);

    for (uint32_t round = 0; ok && round < 40; round++) {
        uint32_t level = draw(&rng, m.goals.n_levels);
        uint32_t a = draw(&rng, p->n_items), b = draw(&rng, p->n_items);
        uint32_t from = state->host[a], to = draw(&rng, p->n_hosts);
        double before = dcp_objective_value(state, level), delta = 0;

        if (chance(&rng, 20)) {
            dcp_state_power(state, to, !state->on[to]);
            delta = dcp_objective_value(state, level) - before;
        } else if (chance(&rng, 50) && from != to) {
            delta = dcp_objective_move_delta(state, level, a, to);
            dcp_state_remove(state, a);
            dcp_state_place(state, a, to);
        } else if (state->host[a] != state->host[b]) {
            uint32_t other = state->host[b];

            delta = dcp_objective_swap_delta(state, level, a, b);
            dcp_state_remove(state, a);
            dcp_state_remove(state, b);
            dcp_state_place(state, a, other);
            dcp_state_place(state, b, from);
        }
        double after = dcp_objective_value(state, level);
        double counted = dcp_objective_measure(state, level);

        if (fabs(after - counted) > 1e-9 * fmax(1, fabs(counted)) ||
            fabs(after - before - delta) > 1e-9 * fmax(1, fabs(counted))) {
            (void)snprintf(why, WHY,
                           "%s: %.12g before, %.12g after, delta %.12g, "
                           "counted %.12g",
                           goal_texts[s->seed % N_GOAL_TEXTS], before, after,
                           delta, counted);
            ok = false;
        }
    }
    free_tiny(&m);
    return ok;
}

START_TEST(what_moves_keep_is_what_a_recount_gives)
{
    try_samples(tiny, deltas_add_up, part_of(400));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &answers_are_as_brute_force_finds,
        &what_moves_keep_is_what_a_recount_gives,
    };

    return RUN_TESTS("solver_goals", tests);
}
