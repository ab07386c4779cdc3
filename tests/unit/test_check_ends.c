/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the checker judges in end states and placements, and its closures. */

#include "model/check/closure.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

/* v0 (protected) on h0; its restart is promised on h1. */
static struct world
promise(struct dcp_survive **out)
{
    static const uint32_t vms[] = { 0 };
    static const dcp_host_id to[] = { { 1 } };
    struct world w = one_move();

    w.vms[1].tier.ix = w.vms[2].tier.ix = 1;
    w.inv->policy.survive[0].count = 1;
    w.inv->policy.n_survive = 1;
    w.inv->policy.protect_tiers = 1;
    world_plan(&w, 1, 10);
    struct dcp_survive *s =
        (struct dcp_survive *)dcp_arena_calloc(w.plan->arena, 4, sizeof *s);

    for (uint32_t h = 0; h < 4; h++) {
        s[h].lose = (struct dcp_object){ DCP_OBJECT_HOST, h };
    }
    s[0].vms = vms;
    s[0].to = to;
    s[0].n = 1;
    w.plan->survive = s;
    w.plan->n_survive = 4;
    *out = s;
    return w;
}

/* The world's hardware, and the same for another architecture. */
static const struct dcp_hardware *
two_architectures(struct world *w)
{
    struct dcp_hardware *hw = WORLD_NEW(w, struct dcp_hardware, 2);

    hw[0] = hw[1] = *w->hardware;
    hw[1].name = "m2";
    hw[1].cpu_arch = "aarch64";
    return hw;
}

START_TEST(promises_are_kept_or_refused)
{
    static const uint32_t both[] = { 0, 1 };

    for (int kind = 0; kind < 10; kind++) {
        struct dcp_survive *s;
        struct world w = promise(&s);
        const char *want = "n+1";

        switch (kind) {
        case 0:
            want = "";
            break;
        case 1: /* No room: 9,500 and 1,000. */
            world_need(&w, 1, 9500);
            break;
        case 2: /* To capacity, not only to target. */
            w.inv->policy.target_cpu_frac = 0.15;
            break;
        case 3:
            w.inv->policy.target_cpu_frac = 0.15;
            w.inv->policy.survive_to_capacity = true;
            want = "";
            break;
        case 4: /* A rule that is not relaxed. */
            w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                            .name = "apart",
                                            .vms = both,
                                            .n_vms = 2 };
            w.inv->n_rules = 1;
            break;
        case 5: /* The same, relaxed. */
            w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                            .name = "apart",
                                            .vms = both,
                                            .n_vms = 2 };
            w.inv->n_rules = 1;
            w.inv->policy.relax_rules = 1u << DCP_RULE_SPREAD;
            want = "";
            break;
        case 6: /* Two at once cannot be shown. */
            w.inv->policy.survive[0].count = 2;
            want = "n+k";
            break;
        case 7: /* Not lost. */
            s[1].vms = s[0].vms;
            s[1].to = s[0].to;
            s[1].n = 1;
            want = "n+1,n+1"; /* And restarted where it is lost. */
            break;
        case 8: /* The new host cannot run it. */
            w.vms[0].hypervisors = (struct dcp_ids){ both, 1 };
            w.hosts[1].hypervisor.ix = 1;
            break;
        case 9: /* Nor could it start on that architecture. */
            w.inv->n_hardware = 2;
            w.inv->hardware = two_architectures(&w);
            w.hosts[1].hardware.ix = 1;
            break;
        }
        expect(&w, want);
    }
}
END_TEST

START_TEST(losing_a_feed_takes_racks_without_another)
{
    static const uint32_t only_a[] = { 0 }, vms[] = { 1 };
    static const dcp_host_id to[] = { { 2 } };

    for (int kind = 0; kind < 3; kind++) {
        struct dcp_survive *s;
        struct world w = promise(&s);

        w.vms[0].tier.ix = 1;
        w.vms[1].tier.ix = 0;
        w.inv->policy.survive[0].kind = DCP_LOSS_FEED;
        s[0] = (struct dcp_survive){
            .lose = { DCP_OBJECT_FEED, 0 }, .vms = vms, .to = to, .n = kind == 1
        };
        w.plan->n_survive = kind == 0 ? 0 : 1;
        if (kind) { /* Rack 1 (h1, h3) hangs on feed A alone. */
            w.racks[1].feeds = (struct dcp_ids){ only_a, 1 };
        }
        expect(&w, kind == 2 ? "n+1" : "");
    }
}
END_TEST

START_TEST(placements_are_judged_without_excuse)
{
    static const uint32_t both[] = { 0, 1 };
    struct world w = one_move();

    expect_placement(&w, "", 0);
    w = one_move();
    world_need(&w, 0, 10001);
    expect_placement(&w, "capacity", 0);
    w = one_move();
    w.hosts[0].state = DCP_HOST_MAINTENANCE;
    expect_placement(&w, "power", 0);
    w = one_move();
    w.inv->policy.keep_on = 5;
    expect_placement(&w, "keep_on", 0);
    w = one_move();
    w.racks[0].limit_w = 200; /* Two hosts at 110 W. */
    expect_placement(&w, "watts", 0);
    w = one_move();
    w.vms[1].host.ix = 0;
    w.rules[0] = (struct dcp_rule){
        .kind = DCP_RULE_SPREAD, .name = "hard", .vms = both, .n_vms = 2
    };
    w.rules[1] = w.rules[0];
    w.rules[1].name = "wish";
    w.rules[1].soft = true;
    w.inv->n_rules = 2;
    expect_placement(&w, "hard", 1);
    w = one_move();
    struct dcp_volume *volume = WORLD_NEW(&w, struct dcp_volume, 1);

    *volume = (struct dcp_volume){ .size_mib = 1000001 }; /* v0's. */
    w.inv->volumes = volume;
    w.inv->n_volumes = 1;
    expect_placement(&w, "capacity", 0);
}
END_TEST

START_TEST(active_memory_counts_where_policy_says_so)
{
    for (int active = 0; active < 2; active++) {
        struct world w = one_move();
        uint32_t *mib = WORLD_NEW(&w, uint32_t, 3);

        mib[0] = mib[1] = mib[2] = 500;
        w.demand.mem_active_mib = mib;
        w.vms[0].mem_mib = 100000;
        w.inv->policy.memory_basis =
            active ? DCP_MEMORY_ACTIVE : DCP_MEMORY_ALLOCATED;
        plan_the_move(&w);
        expect(&w, active ? "" : "capacity");
    }
}
END_TEST

START_TEST(closures_are_the_largest)
{
    /* 0 (+5) needs 2 (-3) and 3 (-1); 1 (+2) needs 2; 4 (+1) needs all. */
    static const int64_t weight[] = { 5, 2, -3, -1, 1, -9 };
    static const uint32_t arcs[][2] = {
        { 0, 2 }, { 0, 3 }, { 1, 2 }, { 4, 5 }, { 4, 0 }
    };
    uint8_t member[6];
    DCP_AUTO(dcp_closure) struct dcp_closure *c = dcp_closure_create(6);

    for (size_t i = 0; i < sizeof arcs / sizeof arcs[0]; i++) {
        ck_assert(dcp_closure_require(c, arcs[i][0], arcs[i][1]));
    }
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(dcp_closure_solve(c, weight, member), 3);
        ck_assert(member[0] && member[1] && member[2] && member[3]);
        ck_assert(!member[4] && !member[5]);
    }
}
END_TEST

/* A chain as long as a plan must not recurse. */
START_TEST(closures_of_long_chains)
{
    enum { N = 100000 };
    int64_t *weight = calloc(N, sizeof *weight);
    DCP_AUTO(dcp_closure) struct dcp_closure *c = dcp_closure_create(N);

    for (uint32_t i = 0; i + 1 < N; i++) {
        ck_assert(dcp_closure_require(c, i, i + 1));
    }
    weight[0] = 10;
    weight[N - 1] = -4;
    ck_assert_int_eq(dcp_closure_solve(c, weight, NULL), 6);
    free(weight);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &promises_are_kept_or_refused,
        &losing_a_feed_takes_racks_without_another,
        &placements_are_judged_without_excuse,
        &active_memory_counts_where_policy_says_so,
        &closures_are_the_largest,
        &closures_of_long_chains,
    };

    return RUN_TESTS("check_ends", tests);
}
