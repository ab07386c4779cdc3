/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dcp_place_fill() on random small worlds: the N copies that it places stand
 * before the checker and keep headroom; no host takes one more; and, where no
 * headroom is asked for, the search of `consolidate`, with what runs pinned,
 * places N and not N + 1.  (With headroom the search fills before it looks at
 * losses, so that it may find fewer.) */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "solver/compile/overlay.h"
#include "solver/place/place.h"
#include "solver/solver.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

enum { N_WORLDS = 150, N_HOSTS = 5, N_VMS = 12, N_COPIES = 120 };

static struct world
random_world(struct dcp_rng *rng)
{
    struct world w = world_make(N_HOSTS, N_VMS);

    for (uint32_t v = 0; v < N_VMS; v++) {
        w.vms[v].host.ix = (uint32_t)dcp_rng_below(rng, N_HOSTS);
        w.vms[v].mem_mib = 2000 + dcp_rng_below(rng, 15000);
        w.vms[v].movable = false;
        w.vms[v].tier.ix = (uint32_t)dcp_rng_below(rng, 2);
        for (uint32_t t = 0; t < w.demand.n_slots; t++) {
            w.cpu_mhz[(size_t)v * w.demand.stride + t] =
                200 + (uint32_t)dcp_rng_below(rng, 1200);
        }
    }
    if (dcp_rng_below(rng, 3) == 0) {
        uint32_t all[N_VMS], n = 0;

        for (uint32_t v = 0; v < N_VMS; v++) {
            if (w.vms[v].tier.ix == 0) {
                all[n++] = v;
            }
        }
        w.inv->n_rules = 1;
        w.rules[0] = (struct dcp_rule){
            .kind = DCP_RULE_FENCE,
            .name = "live-here",
            .vms = world_ids(&w, n, all),
            .n_vms = n,
            .hosts = world_ids(&w, N_HOSTS - 1, (uint32_t[]){ 0, 1, 2, 3 }),
            .n_hosts = N_HOSTS - 1,
        };
        for (uint32_t i = 0; i < n; i++) {
            w.vms[all[i]].host.ix %= N_HOSTS - 1;
        }
    }
    if (dcp_rng_below(rng, 2)) {
        w.hosts[dcp_rng_below(rng, N_HOSTS)].power_off_allowed = false;
    }
    return w;
}

static void
survive_a_host(struct world *w)
{
    w->inv->policy.n_survive = 1;
    w->inv->policy.survive[0].kind = DCP_LOSS_HOST;
    w->inv->policy.survive[0].count = 1;
    w->inv->policy.protect_tiers = 1;
}

struct copies {
    struct dcp_overlay o;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    uint32_t items[N_COPIES];
};

static void
copies_make(struct copies *c, const struct world *w,
            const struct dcp_placement *start, const struct dcp_vm *vm,
            uint32_t n)
{
    ck_assert(dcp_overlay_create(w->inv, &w->demand, start, vm, NULL, 0, n,
                                 &c->o, NULL));
    c->q = (struct dcp_question){ .inventory = &c->o.inventory,
                                  .demand = &c->o.demand,
                                  .last_slot = c->o.demand.n_slots,
                                  .start = c->o.placement,
                                  .headroom = w->inv->policy.n_survive > 0 };
    c->p = dcp_problem_create(&c->q, NULL);
    ck_assert_ptr_nonnull(c->p);
    c->s = dcp_state_create(c->p, NULL);
    ck_assert_ptr_nonnull(c->s);
    for (uint32_t i = 0; i < n; i++) {
        c->items[i] = c->p->item_of_vm[c->o.first_vm + i];
    }
}

static void
copies_free(struct copies *c)
{
    dcp_state_destroy(c->s);
    dcp_problem_destroy(c->p);
    dcp_overlay_finish(&c->o);
}

/* The checker, which shares no code with the solver, on what was placed. */
static void
judge(const struct copies *c, uint32_t n_before)
{
    struct dcp_placement *end = dcp_placement_copy(c->o.placement, NULL);
    struct dcp_check_result r;

    ck_assert_ptr_nonnull(end);
    for (uint32_t v = 0; v < c->o.inventory.n_vms; v++) {
        end->host[v].ix = c->s->host[c->p->item_of_vm[v]];
    }
    ck_assert(dcp_check_placement(&c->o.inventory, &c->o.demand, end, 0,
                                  c->o.demand.n_slots, &r, NULL));
    ck_assert_uint_le(r.n_violations_all, n_before);
    dcp_check_result_finish(&r);
    dcp_placement_destroy(end);
}

static uint32_t
violations_of(const struct world *w, const struct dcp_placement *start)
{
    struct dcp_check_result r;

    ck_assert(dcp_check_placement(w->inv, &w->demand, start, 0,
                                  w->demand.n_slots, &r, NULL));
    uint32_t n = r.n_violations_all;

    dcp_check_result_finish(&r);
    return n;
}

static bool
solver_places(const struct world *w, const struct dcp_placement *start,
              const struct dcp_vm *vm, uint32_t n)
{
    struct dcp_solve_options options = { .seed = 1, .time_limit_s = 10 };
    struct dcp_solution solution;
    struct copies c;

    copies_make(&c, w, start, vm, n);
    ck_assert(dcp_solve(&c.q, &options, &solution, NULL));
    bool complete = solution.placement != NULL;

    dcp_solution_finish(&solution);
    copies_free(&c);
    return complete;
}

static void
try_world(uint64_t index, bool headroom)
{
    struct dcp_rng rng = dcp_rng_stream(7, "place-count", index);
    struct world w = random_world(&rng);
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_vm vm = w.vms[0];
    struct dcp_place_options options = { 0 };
    struct dcp_place_count count;
    struct copies c;

    ck_assert_ptr_nonnull(start);
    if (headroom) {
        survive_a_host(&w);
    }
    vm.tier.ix = 0;
    vm.movable = true;
    vm.vcpu_mhz = 100 + (uint32_t)dcp_rng_below(&rng, 1500);
    vm.mem_mib = 5000 + dcp_rng_below(&rng, 25000);
    copies_make(&c, &w, start, &vm, N_COPIES);
    ck_assert(dcp_place_fill(c.s, c.items, N_COPIES, &options, &count, NULL));
    ck_assert_uint_lt(count.n, N_COPIES);
    ck_assert(count.maximal);

    struct dcp_headroom before = { .ok = true };

    for (uint32_t h = 0; h < N_HOSTS; h++) {
        struct dcp_refusal why;
        bool refused = dcp_refusal_find(c.s, c.items[count.n], h, false, &why);

        if (!refused && headroom) {
            ck_assert(dcp_refusal_headroom(c.s, c.items[count.n], h, &refused,
                                           &why, NULL));
        }
        ck_assert_msg(refused, "world %d: h%u takes copy %u", (int)index, h,
                      count.n + 1);
    }
    if (headroom && count.n) {
        ck_assert(dcp_headroom_check(c.s, NULL, NULL, &before, NULL));
        ck_assert(before.ok);
    }
    judge(&c, violations_of(&w, start) + N_COPIES - count.n);
    copies_free(&c);
    if (!headroom && count.n && violations_of(&w, start) == 0) {
        ck_assert_msg(solver_places(&w, start, &vm, count.n),
                      "world %d: the search does not place %u", (int)index,
                      count.n);
    }
    ck_assert_msg(headroom || !solver_places(&w, start, &vm, count.n + 1),
                  "world %d: the search places %u", (int)index, count.n + 1);
    dcp_placement_destroy(start);
    world_free(&w);
}

START_TEST(counts_without_headroom)
{
    for (uint64_t i = 0; i < N_WORLDS; i++) {
        try_world(i, false);
    }
}
END_TEST

START_TEST(counts_with_headroom)
{
    for (uint64_t i = 0; i < N_WORLDS; i++) {
        try_world(i, true);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &counts_without_headroom,
                                                 &counts_with_headroom };

    return RUN_TESTS("place_count", tests);
}
