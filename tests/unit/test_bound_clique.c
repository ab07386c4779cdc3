/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Items of which no two share a host: found by size, by reach and by rules,
 * and what they ask of the bound. */

#include "solver/bound/bound.h"
#include "solver/bound/clique.h"
#include "solver/compile/pricing.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

struct asked {
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_fold f;
};

static void
ask_world(struct asked *a, struct world *w)
{
    struct dcp_error err = { 0 };

    for (uint32_t v = 0; v < w->inv->n_vms; v++) {
        w->vms[v].host.ix = v % w->inv->n_hosts;
    }
    a->start = dcp_placement_start(w->inv, NULL);
    a->q = (struct dcp_question){ .inventory = w->inv,
                                  .demand = &w->demand,
                                  .last_slot = w->demand.n_slots,
                                  .start = a->start,
                                  .may_wake = true,
                                  .may_empty = true };
    a->p = dcp_problem_create(&a->q, &err);
    ck_assert_msg(a->p != NULL, "%s", err.message);
    a->f = (struct dcp_fold){ 0 };
    ck_assert(dcp_fold_make(a->p, &a->f));
}

static uint32_t
hosts_at_least(struct asked *a)
{
    struct dcp_bound bound;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_bound_compute(a->p, 10, &bound, &err), "%s", err.message);
    ck_assert(!bound.infeasible);
    return bound.hosts;
}

static void
finish(struct asked *a, struct world *w)
{
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    world_free(w);
}

/* Three VMs of which each two clash in another resource or hour: no sum of one
 * resource is above two hosts, nor does any have two items above half. */
START_TEST(a_pair_clashes_in_its_own_resource)
{
    struct world w = world_make(4, 3);
    struct asked a;
    uint32_t *mhz = w.cpu_mhz;

    for (uint32_t v = 0; v < 3; v++) {
        world_need(&w, v, 1000);
    }
    w.vms[0].mem_mib = 70000; /* 0 and 1: memory. */
    w.vms[1].mem_mib = 40000;
    mhz[w.demand.stride * 1 + 1] = 7000; /* 1 and 2: the second hour. */
    mhz[w.demand.stride * 2 + 1] = 4000;
    mhz[w.demand.stride * 2 + 2] = 7000; /* 2 and 0: the third. */
    mhz[w.demand.stride * 0 + 2] = 4000;
    ask_world(&a, &w);
    ck_assert(dcp_clique_apart(&a.f, 0, 1));
    ck_assert(dcp_clique_apart(&a.f, 1, 2));
    ck_assert(dcp_clique_apart(&a.f, 2, 0));
    ck_assert_uint_eq(dcp_cliques_find(&a.f)->n, 3);
    ck_assert_uint_eq(hosts_at_least(&a), 3);
    finish(&a, &w);
}
END_TEST

START_TEST(what_fits_exactly_is_not_apart)
{
    struct world w = world_make(3, 2);
    struct asked a;

    w.vms[0].mem_mib = 60000;
    w.vms[1].mem_mib = 40000;
    world_need(&w, 0, 7500);
    world_need(&w, 1, 2500);
    ask_world(&a, &w);
    ck_assert(!dcp_clique_apart(&a.f, 0, 1));
    ck_assert_uint_eq(hosts_at_least(&a), 1);
    finish(&a, &w);
}
END_TEST

/* v0 and v1 by a rule over racks, v2 by a fence that leaves it a host that v0
 * and v1 may not use. */
START_TEST(rules_and_reach_keep_apart)
{
    struct world w = world_make(4, 4);
    static const uint32_t pair[] = { 0, 1 }, one[] = { 2 }, host[] = { 3 };
    struct asked a;

    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "racks",
                                    .over = DCP_DOMAIN_RACK,
                                    .vms = world_ids(&w, 2, pair),
                                    .n_vms = 2 };
    w.rules[1] = (struct dcp_rule){ .kind = DCP_RULE_FENCE,
                                    .name = "there",
                                    .vms = world_ids(&w, 1, one),
                                    .n_vms = 1,
                                    .hosts = world_ids(&w, 1, host),
                                    .n_hosts = 1 };
    w.rules[2] = (struct dcp_rule){ .kind = DCP_RULE_BAN,
                                    .name = "elsewhere",
                                    .vms = world_ids(&w, 2, pair),
                                    .n_vms = 2,
                                    .hosts = world_ids(&w, 1, host),
                                    .n_hosts = 1 };
    w.inv->n_rules = 3;
    ask_world(&a, &w);
    ck_assert(dcp_clique_apart(&a.f, 0, 1));
    ck_assert(dcp_clique_apart(&a.f, 0, 2));
    ck_assert(!dcp_clique_apart(&a.f, 0, 3));
    ck_assert(!dcp_clique_apart(&a.f, 2, 3));
    ck_assert_uint_eq(dcp_cliques_find(&a.f)->n, 3);
    ck_assert_uint_eq(hosts_at_least(&a), 3);
    finish(&a, &w);
}
END_TEST

/* Where both start on one host a rule does not hold it against a plan, and a
 * soft rule never does. */
START_TEST(excused_pairs_and_soft_rules_say_nothing)
{
    static const uint32_t pair[] = { 0, 2 }, other[] = { 0, 1 };
    struct world w = world_make(2, 3);
    struct asked a;

    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "broken",
                                    .vms = world_ids(&w, 2, pair),
                                    .n_vms = 2 };
    w.rules[1] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "priced",
                                    .soft = true,
                                    .soft_price = 1,
                                    .vms = world_ids(&w, 2, other),
                                    .n_vms = 2 };
    w.inv->n_rules = 2;
    ask_world(&a, &w); /* 0 and 2 on h0, 1 on h1. */
    ck_assert(!dcp_clique_apart(&a.f, 0, 2));
    ck_assert(!dcp_clique_apart(&a.f, 0, 1));
    finish(&a, &w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_pair_clashes_in_its_own_resource,
        &what_fits_exactly_is_not_apart,
        &rules_and_reach_keep_apart,
        &excused_pairs_and_soft_rules_say_nothing,
    };

    return RUN_TESTS("bound_clique", tests);
}
