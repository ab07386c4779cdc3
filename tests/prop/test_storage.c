/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Volumes and pools against brute force: every placement of the volumes of
 * tiny models, judged by a count of its own.  Bounds are never above the least,
 * what is called optimal is it, what is called infeasible is, and every plan
 * passes the checker in all orders. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "solver/plan/planner.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <math.h>

enum { HOSTS = 2, POOLS_MAX = 4, VOLUMES_MAX = 6, VMS_MAX = 4 };
enum { R = DCP_POOL_RESOURCES };
#define CASES 1200

struct tiny {
    struct world w;
    struct dcp_volume *volumes;
    uint32_t n_pools, n_volumes;
    uint8_t avoid[POOLS_MAX];
    /* Of what its volumes declare, by VM and part of the day; demand has it so
     * where 'by_part'. */
    uint32_t times[VMS_MAX][DCP_DAY_PARTS];
    bool by_part;
};

static uint32_t
below(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

static void
make_pools(struct tiny *t, struct dcp_rng *rng)
{
    static const uint32_t first[] = { 0 }, second[] = { 1 };
    uint32_t two_tiers = below(rng, 4) == 0;

    t->n_pools = 2 + below(rng, POOLS_MAX - 1);
    t->w.pools = WORLD_NEW(&t->w, struct dcp_pool, POOLS_MAX);
    for (uint32_t p = 0; p < t->n_pools; p++) {
        struct dcp_pool *pool = &t->w.pools[p];

        *pool = (struct dcp_pool){
            .name = dcp_arena_printf(t->w.inv->arena, "p%u", p),
            .tier =
                two_tiers && below(rng, 2) ? DCP_POOL_ARCHIVE : DCP_POOL_NORMAL,
            .capacity_mib = 20 + 10 * below(rng, 6),
            .thin_overcommit = 1,
            .iops = below(rng, 2) ? 50 + 10 * below(rng, 6) : 0,
            .rate_kib_s = below(rng, 3) == 0 ? 6000 : 0,
            .reach_all = below(rng, 4) != 0,
            .driver = "",
            .array = dcp_array_none(),
        };
        pool->reach = (struct dcp_ids){ below(rng, 2) ? first : second, 1 };
    }
    t->w.inv->pools = t->w.pools;
    t->w.inv->n_pools = t->n_pools;
}

static void
make_volumes(struct tiny *t, struct dcp_rng *rng, uint32_t n_vms)
{
    uint32_t n = 0;

    t->volumes = WORLD_NEW(&t->w, struct dcp_volume, VOLUMES_MAX);
    for (uint32_t v = 0; v < n_vms; v++) {
        struct dcp_vm *vm = &t->w.vms[v];
        uint32_t many = 1 + below(rng, 3);

        vm->host.ix = below(rng, HOSTS);
        vm->first_volume = n;
        vm->disks = (enum dcp_disks)(below(rng, 2) ? 0 : below(rng, 3));
        for (uint32_t k = 0; k < many && n < VOLUMES_MAX; k++, n++) {
            uint32_t pool = below(rng, t->n_pools);

            t->volumes[n] = (struct dcp_volume){
                .vm = { v },
                .pool = { pool },
                .given_pool = { pool },
                .size_mib = 1 + below(rng, 25),
                .iops = below(rng, 30),
                .rate_kib_s = below(rng, 2000),
                .tier = below(rng, 8) ? DCP_VOLUME_ANY : DCP_VOLUME_NORMAL,
            };
            vm->n_volumes++;
        }
    }
    t->n_volumes = n;
    t->w.inv->volumes = t->volumes;
    t->w.inv->n_volumes = n;
}

/* VMs that ask more in one part of the day than in another. */
static void
measure(struct tiny *t, struct dcp_rng *rng, uint32_t n_vms)
{
    uint32_t *disk = WORLD_NEW(&t->w, uint32_t, n_vms);
    uint32_t *parts = WORLD_NEW(&t->w, uint32_t, n_vms * DCP_DAY_PARTS);

    for (uint32_t v = 0; v < n_vms; v++) {
        const struct dcp_vm *vm = &t->w.vms[v];
        uint32_t sum = 0;

        for (uint32_t i = 0; i < vm->n_volumes; i++) {
            sum += (uint32_t)t->volumes[vm->first_volume + i].rate_kib_s;
        }
        disk[v] = sum;
        for (uint32_t k = 0; k < DCP_DAY_PARTS; k++) {
            t->times[v][k] = below(rng, 3);
            parts[v * DCP_DAY_PARTS + k] = sum * t->times[v][k];
        }
    }
    t->w.demand.disk_kib_s = disk;
    t->w.demand.disk_part_kib_s = parts;
    t->by_part = true;
}

static struct tiny
make_tiny(uint64_t k)
{
    struct dcp_rng rng = dcp_rng_stream(11, "storage test", k);
    uint32_t n_vms = 1 + below(&rng, VMS_MAX);
    struct tiny t = { .w = world_make(HOSTS, n_vms) };

    make_pools(&t, &rng);
    make_volumes(&t, &rng, n_vms);
    t.w.inv->policy.storage.move_kib_s = 1024;
    t.w.inv->policy.storage.moves_per_pool = 1 + below(&rng, 2);
    t.w.inv->policy.min_gain_frac = 0;
    if (k % 3 == 2) {
        t.avoid[below(&rng, t.n_pools)] = 1;
    }
    if (k % 2) {
        measure(&t, &rng, n_vms);
    }
    return t;
}

/* --- The count of its own ------------------------------------------------ */

static void
loads_of(const struct tiny *t, const uint32_t at[], double load[][R])
{
    memset(load, 0, POOLS_MAX * sizeof *load);
    for (uint32_t i = 0; i < t->n_volumes; i++) {
        load[at[i]][0] += (double)t->volumes[i].size_mib;
        for (uint32_t k = 0; k < DCP_DAY_PARTS; k++) {
            uint32_t times = t->by_part ? t->times[t->volumes[i].vm.ix][k] : 1;

            load[at[i]][1 + k] += (double)t->volumes[i].iops;
            load[at[i]][1 + DCP_DAY_PARTS + k] +=
                (double)t->volumes[i].rate_kib_s * times;
        }
    }
}

static double
limit_of(const struct dcp_pool *p, uint32_t r)
{
    double x = r == 0               ? (double)p->capacity_mib
               : r <= DCP_DAY_PARTS ? (double)p->iops
                                    : (double)p->rate_kib_s;

    return x > 0 ? x : INFINITY;
}

/* Where volume i may be for its own sake. */
static bool
is_right(const struct tiny *t, uint32_t i, uint32_t p)
{
    const struct dcp_volume *v = &t->volumes[i];
    const struct dcp_pool *pool = &t->w.pools[p];
    enum dcp_pool_tier tier = v->tier == DCP_VOLUME_NORMAL
                                  ? DCP_POOL_NORMAL
                                  : t->w.pools[v->pool.ix].tier;

    return pool->tier == tier && !t->avoid[p] &&
           (pool->reach_all || pool->reach.ix[0] == t->w.vms[v->vm.ix].host.ix);
}

static bool
disks_ok(const struct tiny *t, const uint32_t at[], bool tidy)
{
    for (uint32_t i = 0; i < t->n_volumes; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct dcp_volume *a = &t->volumes[i], *b = &t->volumes[j];
            enum dcp_disks disks = t->w.vms[a->vm.ix].disks;
            bool were = a->pool.ix == b->pool.ix;

            if (a->vm.ix != b->vm.ix) {
                continue;
            }
            if (disks == DCP_DISKS_TOGETHER && were && a->tier == b->tier &&
                at[i] != at[j]) {
                return false;
            }
            if (disks == DCP_DISKS_APART && at[i] == at[j] &&
                (tidy || at[i] != a->pool.ix || !were)) {
                return false;
            }
        }
    }
    return true;
}

/* Legal, and, with 'tidy', all in order and no pool fuller than policy lets
 * it be. */
static bool
is_legal(const struct tiny *t, const uint32_t at[], bool tidy)
{
    double load[POOLS_MAX][R], start[POOLS_MAX][R];
    uint32_t home[VOLUMES_MAX];

    for (uint32_t i = 0; i < t->n_volumes; i++) {
        home[i] = t->volumes[i].pool.ix;
        bool excused = at[i] == home[i] && !t->avoid[home[i]] && !tidy;

        if (!is_right(t, i, at[i]) && !excused) {
            return false;
        }
    }
    loads_of(t, at, load);
    loads_of(t, home, start);
    for (uint32_t p = 0; p < t->n_pools; p++) {
        for (uint32_t r = 0; r < R; r++) {
            double limit = limit_of(&t->w.pools[p], r);
            double most = fmax(limit, start[p][r]);

            if (load[p][r] > (tidy ? floor(0.8 * limit) : most)) {
                return false;
            }
        }
    }
    return disks_ok(t, at, tidy);
}

static double
moved_of(const struct tiny *t, const uint32_t at[])
{
    double mib = 0;

    for (uint32_t i = 0; i < t->n_volumes; i++) {
        mib +=
            at[i] != t->volumes[i].pool.ix ? (double)t->volumes[i].size_mib : 0;
    }
    return mib;
}

/* Of one tier and resource at the start; 0: not to be evened out. */
static double
uneven(const struct tiny *t, uint32_t tier, uint32_t r, double start[][R])
{
    double least = INFINITY, most = 0, sum = 0;
    uint32_t n = 0;

    for (uint32_t p = 0; p < t->n_pools; p++) {
        double limit = limit_of(&t->w.pools[p], r);

        if ((uint32_t)t->w.pools[p].tier != tier) {
            continue;
        }
        if (isinf(limit)) {
            return 0;
        }
        least = fmin(least, start[p][r] / limit);
        most = fmax(most, start[p][r] / limit);
        sum += start[p][r];
        n++;
    }
    return n > 1 && most - least > 0.05 ? sum : 0;
}

static double
pressure_of(const struct tiny *t, const uint32_t at[])
{
    double load[POOLS_MAX][R], start[POOLS_MAX][R], sum = 0, total = 0;
    uint32_t home[VOLUMES_MAX], n = 0;

    for (uint32_t i = 0; i < t->n_volumes; i++) {
        home[i] = t->volumes[i].pool.ix;
        total += (double)t->volumes[i].size_mib;
    }
    loads_of(t, at, load);
    loads_of(t, home, start);
    for (uint32_t tier = 0; tier < 3; tier++) {
        for (uint32_t r = 0; r < R; r++) {
            double all = uneven(t, tier, r, start), squares = 0;

            for (uint32_t p = 0; all > 0 && p < t->n_pools; p++) {
                if ((uint32_t)t->w.pools[p].tier == tier) {
                    squares +=
                        load[p][r] * load[p][r] / limit_of(&t->w.pools[p], r);
                }
            }
            uint32_t share = r == 0 ? DCP_DAY_PARTS : 1;

            sum += all > 0 ? share * squares / all : 0;
            n += all > 0 ? share : 0;
        }
    }
    return (n ? sum / n : 0) + 0.05 * moved_of(t, at) / fmax(total, 1);
}

struct least {
    bool any, any_tidy;
    double moved, moved_tidy, pressure, pressure_tidy;
};

static struct least
brute_force(const struct tiny *t)
{
    struct least l = { .moved = INFINITY,
                       .moved_tidy = INFINITY,
                       .pressure = INFINITY,
                       .pressure_tidy = INFINITY };
    uint32_t n = 1, at[VOLUMES_MAX];

    for (uint32_t i = 0; i < t->n_volumes; i++) {
        n *= t->n_pools;
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t rest = k;

        for (uint32_t i = 0; i < t->n_volumes; i++) {
            at[i] = rest % t->n_pools;
            rest /= t->n_pools;
        }
        if (!is_legal(t, at, false)) {
            continue;
        }
        bool tidy = is_legal(t, at, true);
        double moved = moved_of(t, at), pressure = pressure_of(t, at);

        l.any = true;
        l.any_tidy |= tidy;
        l.moved = fmin(l.moved, moved);
        l.pressure = fmin(l.pressure, pressure);
        l.moved_tidy = tidy ? fmin(l.moved_tidy, moved) : l.moved_tidy;
        l.pressure_tidy =
            tidy ? fmin(l.pressure_tidy, pressure) : l.pressure_tidy;
    }
    return l;
}

/* --- Answers ------------------------------------------------------------- */

struct tally {
    uint32_t n_tidy, n_missed, n_optimal, n_wrong_proof, n_infeasible, n_found;
};

static bool
has_avoid(const struct tiny *t)
{
    bool any = false;

    for (uint32_t p = 0; p < t->n_pools; p++) {
        any |= t->avoid[p];
    }
    return any;
}

static void
judge(struct tiny *t, enum dcp_storage_aim aim, struct tally *tally)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(t->w.inv, NULL);
    struct dcp_storage_question q = { .inventory = t->w.inv,
                                      .demand = &t->w.demand,
                                      .start = start,
                                      .avoid = has_avoid(t) ? t->avoid : NULL,
                                      .aim = aim };
    struct dcp_storage_options o = { .seed = 1 };
    struct dcp_storage_answer a;
    struct dcp_error err = { 0 };
    struct least least = brute_force(t);
    bool even = aim == DCP_STORAGE_BALANCE;

    ck_assert_msg(dcp_storage_solve(&q, &o, &a, &err), "%s", err.message);
    if (a.status == DCP_STATUS_INFEASIBLE) {
        ck_assert(!least.any);
        tally->n_infeasible++;
        return;
    }
    tally->n_tidy += least.any_tidy;
    if (!a.pool) {
        tally->n_missed += least.any_tidy;
        return;
    }
    uint32_t at[VOLUMES_MAX];

    for (uint32_t i = 0; i < t->n_volumes; i++) {
        at[i] = a.pool[i].ix;
    }
    tally->n_found++;
    ck_assert(is_legal(t, at, false));
    double mine = even ? pressure_of(t, at) : moved_of(t, at);
    double best = even ? least.pressure_tidy : least.moved_tidy;

    ck_assert_double_eq_tol(a.value, mine, 1e-6);
    ck_assert_double_le(a.bound, a.value + 1e-9);
    if (least.any_tidy && (a.n_full || a.n_astray)) {
        tally->n_missed++;
    } else if (least.any_tidy) {
        ck_assert_double_le(a.bound, best + 1e-6);
        if (a.status == DCP_STATUS_OPTIMAL) {
            tally->n_optimal++;
            ck_assert_double_le(a.value, best + 1e-5);
        }
        tally->n_wrong_proof += a.value > best + 1e-5;
    }
    dcp_storage_answer_finish(&a);
}

static void
judge_all(enum dcp_storage_aim aim, const char *what)
{
    struct tally tally = { 0 };

    for (uint64_t k = 0; k < CASES / DCP_TEST_SLOWNESS; k++) {
        struct tiny t = make_tiny(k);

        if (aim == DCP_STORAGE_BALANCE) {
            memset(t.avoid, 0, sizeof t.avoid);
        }
        judge(&t, aim, &tally);
        world_free(&t.w);
    }
    printf("%s: %u answers, %u of %u tidy ones missed, %u called optimal, %u "
           "not the least, %u infeasible\n",
           what, tally.n_found, tally.n_missed, tally.n_tidy, tally.n_optimal,
           tally.n_wrong_proof, tally.n_infeasible);
    ck_assert(aim == DCP_STORAGE_BALANCE || tally.n_infeasible > 0);
    ck_assert_uint_le(tally.n_missed, 3 + tally.n_tidy / 50);
    ck_assert_uint_le(50 * tally.n_wrong_proof, tally.n_tidy);
    ck_assert_uint_ge(2 * tally.n_optimal, tally.n_tidy);
}

START_TEST(relief_is_least)
{
    judge_all(DCP_STORAGE_RELIEVE, "relieve");
}
END_TEST

START_TEST(balance_is_least)
{
    judge_all(DCP_STORAGE_BALANCE, "balance");
}
END_TEST

/* --- Plans --------------------------------------------------------------- */

static struct dcp_plan *
plan_of(struct tiny *t, const struct dcp_placement *start,
        enum dcp_storage_aim aim, struct dcp_plan_outcome *o)
{
    struct dcp_plan_request r = {
        .inventory = t->w.inv,
        .demand = &t->w.demand,
        .start = start,
        .job = DCP_JOB_STORAGE,
        .start_ms = WORLD_T0,
        .window_end_ms = WORLD_T0 + WORLD_SLOTS * DCP_HOUR_MS,
        .goals = dcp_goals_single(DCP_GOAL_HOSTS),
        .solve = { .seed = 1 },
        .storage = { .asked = true,
                     .aim = aim,
                     .avoid = has_avoid(t) ? t->avoid : NULL },
    };
    struct dcp_plan *plan;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_plan_make(&r, &plan, o, &err), "%s", err.message);
    return plan;
}

static bool
passes(const struct tiny *t, const struct dcp_plan *plan)
{
    struct dcp_check_result r;

    ck_assert(dcp_check_plan(t->w.inv, &t->w.demand, plan, &r, NULL));
    bool pass = r.pass;

    dcp_check_result_finish(&r);
    return pass;
}

/* Plans pass; with any wait left out that its order needs, they do not: the
 * listed order reversed says whether it does. */
START_TEST(plans_pass_and_forged_ones_do_not)
{
    uint32_t n_plans = 0, n_steps = 0, n_waits = 0, n_needed = 0, n_bypass = 0;

    for (uint64_t k = 0; k < CASES / DCP_TEST_SLOWNESS; k++) {
        struct tiny t = make_tiny(k);
        DCP_AUTO(dcp_placement)
        struct dcp_placement *start = dcp_placement_start(t.w.inv, NULL);
        struct dcp_plan_outcome o;
        struct dcp_plan *plan = plan_of(
            &t, start, k % 2 ? DCP_STORAGE_BALANCE : DCP_STORAGE_RELIEVE, &o);

        if (plan) {
            n_plans++;
            ck_assert_msg(passes(&t, plan), "case %u", (unsigned)k);
            ck_assert_int_le(plan->legs[0].makespan_bound_ms,
                             plan->legs[0].makespan_ms);
        }
        for (uint32_t i = 0; plan && i < plan->n_steps; i++) {
            struct dcp_step *s = (struct dcp_step *)(uintptr_t)&plan->steps[i];
            uint32_t waits = s->n_after;
            struct dcp_object to = s->to;

            n_steps++;
            n_bypass += s->reason == DCP_REASON_BYPASS;
            if (waits) {
                n_waits++;
                s->n_after = 0;
                n_needed += !passes(&t, plan);
                s->n_after = waits;
            }
            if (s->kind == DCP_STEP_VOLUME_MOVE) { /* Elsewhere than said. */
                s->to.ix = (to.ix + 1) % t.n_pools;
                ck_assert(!passes(&t, plan));
                s->to = to;
                int64_t ms = s->estimate_ms;

                s->estimate_ms = 0;
                ck_assert(!passes(&t, plan));
                s->estimate_ms = ms;
            }
        }
        dcp_plan_destroy(plan);
        world_free(&t.w);
    }
    printf("%u plans of %u steps, %u with waits, %u of them needed, %u "
           "bypasses\n",
           n_plans, n_steps, n_waits, n_needed, n_bypass);
    ck_assert_uint_gt(n_plans, CASES / DCP_TEST_SLOWNESS / 5);
    ck_assert_uint_gt(n_waits, 0);
    ck_assert_uint_gt(2 * n_needed, n_waits);
}
END_TEST

/* --- Moves for the sake of VMs ------------------------------------------- */

enum { WIDE_HOSTS = 4 };

/* A pool for each host alone, and one or two for all; VMs with a disk in the
 * pool of their host, or in one for all. */
static struct tiny
make_narrow(uint64_t k)
{
    static const uint32_t each[] = { 0, 1, 2, 3 };
    struct dcp_rng rng = dcp_rng_stream(12, "narrow", k);
    uint32_t n_vms = 3 + below(&rng, 6), n_wide = 1 + below(&rng, 2);
    struct tiny t = { .w = world_make(WIDE_HOSTS, n_vms),
                      .n_pools = WIDE_HOSTS + n_wide };
    struct dcp_policy *policy = &t.w.inv->policy;

    t.w.pools = WORLD_NEW(&t.w, struct dcp_pool, t.n_pools);
    for (uint32_t p = 0; p < t.n_pools; p++) {
        t.w.pools[p] = (struct dcp_pool){
            .name = dcp_arena_printf(t.w.inv->arena, "p%u", p),
            .capacity_mib = 50 + 50 * below(&rng, 6),
            .thin_overcommit = 1,
            .reach_all = p >= WIDE_HOSTS,
            .reach = { each + p % WIDE_HOSTS, 1 },
            .driver = "",
            .array = dcp_array_none(),
        };
    }
    t.volumes = WORLD_NEW(&t.w, struct dcp_volume, n_vms);
    for (uint32_t v = 0; v < n_vms; v++) {
        uint32_t host = below(&rng, WIDE_HOSTS);

        t.w.vms[v].host.ix = host;
        t.w.vms[v].mem_mib = 1000 * (1 + below(&rng, 20));
        t.w.vms[v].first_volume = v;
        t.w.vms[v].n_volumes = 1;
        t.volumes[v] = (struct dcp_volume){
            .vm = { v },
            .pool = { below(&rng, 5) ? host : WIDE_HOSTS },
            .size_mib = 1 + below(&rng, 40),
        };
        world_need(&t.w, v, 100 * (1 + below(&rng, 20)));
    }
    t.w.inv->pools = t.w.pools;
    t.w.inv->n_pools = t.n_pools;
    t.w.inv->volumes = t.volumes;
    t.w.inv->n_volumes = t.n_volumes = n_vms;
    policy->storage.moves = DCP_STORAGE_MOVES_ALLOW;
    policy->storage.space_frac = 1;
    policy->survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    policy->n_survive = below(&rng, 3) == 0;
    policy->protect_tiers = UINT64_MAX;
    return t;
}

START_TEST(vms_follow_their_volumes)
{
    uint32_t n_plans = 0, n_wide = 0, n_spoilt = 0;

    for (uint64_t k = 0; k < 250 / DCP_TEST_SLOWNESS; k++) {
        struct tiny t = make_narrow(k);
        DCP_AUTO(dcp_placement)
        struct dcp_placement *start = dcp_placement_start(t.w.inv, NULL);
        struct dcp_plan_request r = {
            .inventory = t.w.inv,
            .demand = &t.w.demand,
            .start = start,
            .job = DCP_JOB_CONSOLIDATE,
            .start_ms = WORLD_T0,
            .window_end_ms = WORLD_T0 + WORLD_SLOTS * DCP_HOUR_MS,
            .goals = dcp_goals_single(DCP_GOAL_HOSTS),
            .solve = { .seed = 1, .iterations = 20 },
        };
        DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
        struct dcp_plan_outcome o;
        struct dcp_error err = { 0 };
        bool waits = false;

        ck_assert_msg(dcp_plan_make(&r, &plan, &o, &err), "%s", err.message);
        n_plans += plan != NULL;
        ck_assert_msg(!plan || passes(&t, plan), "case %u", (unsigned)k);
        for (uint32_t i = 0; plan && i < plan->n_steps; i++) {
            struct dcp_step *s = (struct dcp_step *)(uintptr_t)&plan->steps[i];

            if (s->kind != DCP_STEP_VOLUME_MOVE) {
                continue;
            }
            for (uint32_t m = i + 1; m < plan->n_steps; m++) {
                struct dcp_step *vm =
                    (struct dcp_step *)(uintptr_t)&plan->steps[m];

                if (vm->kind == DCP_STEP_MIGRATE && vm->n_after &&
                    vm->object.ix == t.volumes[s->object.ix].vm.ix) {
                    uint32_t n = vm->n_after;

                    vm->n_after = 0; /* It no longer waits. */
                    n_spoilt += !passes(&t, plan);
                    ck_assert(!passes(&t, plan));
                    vm->n_after = n;
                    waits = true;
                }
            }
        }
        n_wide += waits;
        world_free(&t.w);
    }
    printf("%u plans, %u with moves of volumes, %u spoilt and refused\n",
           n_plans, n_wide, n_spoilt);
    ck_assert_uint_gt(n_wide, 20 / DCP_TEST_SLOWNESS);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &relief_is_least,
        &balance_is_least,
        &plans_pass_and_forged_ones_do_not,
        &vms_follow_their_volumes,
    };

    return RUN_TESTS("storage", tests);
}
