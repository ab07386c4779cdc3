/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The smallest purchase: on models that are too small, or whose rules ask for
 * more hosts, what is told makes it feasible, and one host or GiB less does not
 * where that is said to be proved.  The judge is brute force by the independent
 * checker on a model that was made with the purchase in it. */

#include "solver/explain/conflict.h"

#include "model/check/check.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

enum { HOSTS = 2, VMS = 5, MODELS = 150, MOST_HOSTS = 6 };

struct asked {
    struct world w;
    struct dcp_placement *start;
};

/* The model of the seed with 'more' twins of host 0, or with so much memory in
 * it, or in all hosts. */
static void
make(struct asked *a, uint64_t seed, uint32_t more, uint64_t mem_mib, bool all)
{
    static const uint32_t vms[VMS] = { 0, 1, 2, 3, 4 };
    static const uint32_t listed[] = { 0, 2, 3, 4, 5, 6 };
    struct dcp_rng rng = dcp_rng_stream(seed, "purchases", 0);
    uint32_t least = 10000 + 10000 * draw(&rng, 5), n_hosts = HOSTS + more;

    *a = (struct asked){ .w = world_make(n_hosts, VMS) };
    a->w.inv->policy.n_survive = 0;
    a->w.inv->policy.target_mem_frac = chance(&rng, 50) ? 0.8 : 1;
    for (uint32_t v = 0; v < VMS; v++) {
        a->w.vms[v].mem_mib = least + draw(&rng, 40000);
        world_need(&a->w, v, 100 + draw(&rng, 4000));
    }
    if (chance(&rng, 50)) { /* Apart, on host 0 and its like. */
        uint32_t n = 2 + draw(&rng, 2);

        a->w.rules[0] = (struct dcp_rule){
            .kind = DCP_RULE_SPREAD, .name = "apart", .vms = vms, .n_vms = n
        };
        a->w.rules[1] = (struct dcp_rule){ .kind = DCP_RULE_FENCE,
                                           .name = "fence",
                                           .vms = vms,
                                           .n_vms = n,
                                           .hosts = listed,
                                           .n_hosts = 1 + more };
        a->w.inv->n_rules = 2;
    }
    struct dcp_hardware *hw = WORLD_NEW(&a->w, struct dcp_hardware, 2);

    hw[0] = hw[1] = *a->w.hardware;
    hw[1].mem_mib += mem_mib;
    a->w.inv->hardware = hw;
    a->w.inv->n_hardware = 2;
    for (uint32_t h = 0; h < n_hosts; h++) {
        a->w.hosts[h].hardware.ix = mem_mib && (all || h == 0);
    }
    a->start = dcp_placement_start(a->w.inv, NULL);
    ck_assert_ptr_nonnull(a->start);
}

static void
finish(struct asked *a)
{
    dcp_placement_destroy(a->start);
    world_free(&a->w);
}

/* Brute force. */
static bool
feasible(uint64_t seed, uint32_t more, uint64_t mem_mib, bool all)
{
    struct asked a;
    uint32_t total = 1;
    bool pass = false;

    ck_assert_uint_le(HOSTS + more, MOST_HOSTS);
    make(&a, seed, more, mem_mib, all);
    for (uint32_t v = 0; v < VMS; v++) {
        total *= HOSTS + more;
    }
    for (uint32_t code = 0; code < total && !pass; code++) {
        struct dcp_check_result result;
        struct dcp_error err = { 0 };
        uint32_t rest = code;

        for (uint32_t v = 0; v < VMS; v++, rest /= HOSTS + more) {
            a.start->host[v].ix = rest % (HOSTS + more);
        }
        ck_assert_msg(dcp_check_placement(a.w.inv, &a.w.demand, a.start, 0,
                                          WORLD_SLOTS, &result, &err),
                      "%s", err.message);
        pass = result.pass;
        dcp_check_result_finish(&result);
    }
    finish(&a);
    return pass;
}

START_TEST(told_purchases_do_and_less_does_not)
{
    uint32_t n_models = 0, n[3] = { 0 }, n_proved = 0;

    for (uint64_t seed = 1; seed <= MODELS; seed++) {
        struct asked a;
        struct dcp_conflict c;
        struct dcp_error err = { 0 };
        struct dcp_conflict_options o = {
            .solve = { .seed = 1, .iterations = 20 },
            .time_limit_s = 60,
            .purchases = true,
        };

        if (feasible(seed, 0, 0, false)) {
            continue;
        }
        n_models++;
        make(&a, seed, 0, 0, false);
        struct dcp_question q = { .inventory = a.w.inv,
                                  .demand = &a.w.demand,
                                  .last_slot = WORLD_SLOTS,
                                  .start = a.start,
                                  .may_wake = seed % 2 > 0,
                                  .may_empty = true };

        ck_assert_msg(dcp_conflict_find(&q, &o, &c, &err), "%s", err.message);
        for (uint32_t i = 0; i < c.n_purchases; i++) {
            const struct dcp_conflict_purchase *p = &c.purchase[i];
            uint32_t hosts = p->n_hosts, fewer = hosts ? hosts - 1 : 0;
            uint64_t mib = p->mem_mib, less = mib ? mib - 1024 : 0;

            ck_assert_uint_eq(p->host, 0);
            ck_assert_msg(feasible(seed, hosts, mib, p->all),
                          "seed %u: '%s' does not help", (unsigned)seed,
                          p->text);
            ck_assert_msg(!p->proved || !feasible(seed, fewer, less, p->all),
                          "seed %u: '%s': less would do", (unsigned)seed,
                          p->text);
            n[hosts ? 0 : p->all ? 2 : 1]++;
            n_proved += p->proved;
        }
        /* A question without an answer where enough twins would help is told
         * of them. */
        ck_assert(c.n_purchases || !feasible(seed, 2, 0, false));
        finish(&a);
    }
    printf("%u models, told: %u of hosts, %u of memory for one, %u for all; %u "
           "proved\n",
           n_models, n[0], n[1], n[2], n_proved);
    ck_assert_uint_ge(n_models, MODELS / 4);
    ck_assert_uint_ge(n[0], n_models / 2);
    ck_assert_uint_ge(n[1] + n[2], n_models / 4);
    ck_assert_uint_ge(n_proved, (n[0] + n[1] + n[2]) * 8 / 10);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &told_purchases_do_and_less_does_not,
    };

    return RUN_TESTS("conflict_purchases", tests);
}
