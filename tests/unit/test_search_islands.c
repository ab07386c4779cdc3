/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Parts of a datacenter that share nothing: what makes them one, that losses of
 * what changed alone say what all losses say, and that two halves packed on two
 * threads are what they are on one. */

#include "model/base/rng.h"
#include "solver/headroom/headroom.h"
#include "solver/search/parts.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

enum { HOSTS = 16, HALF = HOSTS / 2, VMS = 48 };

static uint32_t all_vms[2][VMS / 2]; /* Even ones, odd ones. */
static uint32_t all_hosts[HOSTS];

/* Even VMs on the first half of the hosts, odd ones on the second; of up to so
 * many thousand MiB more than four. */
static struct asked
two_fences(uint64_t seed, uint32_t most)
{
    struct asked a = { .w = world_make(HOSTS, VMS) };
    struct dcp_rng rng = dcp_rng_stream(seed, "test", 0);

    for (uint32_t h = 0; h < HOSTS; h++) {
        all_hosts[h] = h;
    }
    for (uint32_t v = 0; v < VMS; v++) {
        all_vms[v % 2][v / 2] = v;
        a.w.vms[v].host.ix = (v % 2) * HALF + v / 2 % HALF;
        a.w.vms[v].mem_mib = 4000 + dcp_rng_below(&rng, most) * 1000;
        world_need(&a.w, v, 100 + (uint32_t)dcp_rng_below(&rng, 3000));
    }
    for (uint32_t k = 0; k < 2; k++) {
        a.w.rules[k] = (struct dcp_rule){ .kind = DCP_RULE_FENCE,
                                          .name = "fence",
                                          .vms = all_vms[k],
                                          .n_vms = VMS / 2,
                                          .hosts = all_hosts + k * HALF,
                                          .n_hosts = HALF };
    }
    a.w.inv->n_rules = 2;
    a.w.inv->policy.survive[0].kind = DCP_LOSS_HOST;
    a.w.inv->policy.survive[0].count = 1;
    a.w.inv->policy.n_survive = 1;
    a.w.inv->policy.protect_tiers = 3;
    return a;
}

static void
compile(struct asked *a)
{
    ask_question(a);
    a->q.headroom = true;
    a->q.may_empty = a->q.may_wake = true;
    compile_question(a);
}

static uint32_t
islands_with(const struct dcp_rule *more, uint32_t relax)
{
    struct asked a = two_fences(1, 30);
    struct dcp_bound bound;
    struct dcp_islands islands;
    struct dcp_error err = { 0 };

    if (more) {
        a.w.rules[a.w.inv->n_rules++] = *more;
    }
    a.w.inv->policy.relax_rules = relax;
    compile(&a);
    ck_assert(dcp_bound_compute(a.p, 1, &bound, &err));
    ck_assert(dcp_islands_find(a.p, &bound, &islands, &err));
    uint32_t n = islands.n;

    for (uint32_t h = 0; h < HOSTS; h++) {
        ck_assert_uint_eq(islands.of_host[h], n > 1 && h >= HALF);
    }
    dcp_islands_finish(&islands);
    finish_question(&a);
    return n;
}

START_TEST(what_is_shared_makes_one)
{
    static const uint32_t both[] = { 0, 1 }, even[] = { 0, 2 };
    struct dcp_rule rule = { .kind = DCP_RULE_SPREAD,
                             .name = "r",
                             .vms = both,
                             .n_vms = 2,
                             .over = DCP_DOMAIN_HOST };

    ck_assert_uint_eq(islands_with(NULL, 0), 2);
    ck_assert_uint_eq(islands_with(&rule, 0), 2); /* They never meet. */
    rule.over = DCP_DOMAIN_RACK; /* Racks have hosts of both. */
    ck_assert_uint_eq(islands_with(&rule, 0), 1);
    rule.vms = even;
    ck_assert_uint_eq(islands_with(&rule, 0), 2);
    rule = (struct dcp_rule){ .kind = DCP_RULE_MAX_ON,
                              .name = "r",
                              .hosts = all_hosts,
                              .n_hosts = 2,
                              .limit = 1 };
    ck_assert_uint_eq(islands_with(&rule, 0), 1);
    /* Restarts need not keep to fences. */
    ck_assert_uint_eq(islands_with(NULL, 1u << DCP_RULE_FENCE), 1);
}
END_TEST

/* Moves some items of one half at random. */
static void
shuffle(struct dcp_state *s, uint32_t half, struct dcp_rng *rng)
{
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t item = (uint32_t)dcp_rng_below(rng, s->p->n_items);
        uint32_t h = half * HALF + (uint32_t)dcp_rng_below(rng, HALF);

        if (s->host[item] / HALF == half && s->on[h]) {
            dcp_state_remove(s, item);
            dcp_state_place(s, item, h);
        }
    }
    uint32_t off = half * HALF + (uint32_t)dcp_rng_below(rng, HALF);

    if (s->on[off] && s->first[off] == DCP_IX_NONE) {
        dcp_state_power(s, off, false);
    }
}

START_TEST(losses_of_what_changed_say_all)
{
    uint32_t n_asked = 0, n_failed = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct asked a = two_fences(seed, 42);
        struct dcp_rng rng = dcp_rng_stream(seed, "shuffle", 0);
        struct dcp_error err = { 0 };
        struct dcp_headroom all, some;
        uint8_t changed[HOSTS];

        compile(&a);
        ck_assert(dcp_headroom_check(a.s, NULL, NULL, &all, &err));
        for (uint32_t round = 0; all.ok && round < 20; round++) {
            uint32_t half = round % 2;

            for (uint32_t h = 0; h < HOSTS; h++) {
                changed[h] = h / HALF == half;
            }
            shuffle(a.s, half, &rng);
            ck_assert(
                dcp_headroom_check_searching(a.s, changed, NULL, &some, &err));
            ck_assert(dcp_headroom_check(a.s, NULL, NULL, &all, &err));
            ck_assert_int_eq(all.ok, some.ok);
            n_asked++;
            n_failed += !all.ok;
        }
        finish_question(&a);
    }
    ck_assert_uint_gt(n_asked, 100);
    ck_assert_uint_gt(n_failed, 10);
}
END_TEST

START_TEST(losses_of_single_hosts_say_all)
{
    uint32_t n_failed = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct asked a = two_fences(seed, 42);
        struct dcp_error err = { 0 };
        struct dcp_headroom all;
        bool ok, each = true;

        compile(&a);
        ck_assert(dcp_headroom_check(a.s, NULL, NULL, &all, &err));
        ck_assert(
            dcp_headroom_check_hosts(a.s, all_hosts, HOSTS, &ok, &err));
        ck_assert_int_eq(all.ok, ok);
        for (uint32_t h = 0; h < HOSTS; h++) {
            ck_assert(dcp_headroom_check_hosts(a.s, &h, 1, &ok, &err));
            each = each && ok;
        }
        ck_assert_int_eq(all.ok, each);
        n_failed += !all.ok;
        a.w.inv->policy.survive[0].kind = DCP_LOSS_RACK; /* Says nothing. */
        ck_assert(
            dcp_headroom_check_hosts(a.s, all_hosts, HOSTS, &ok, &err));
        ck_assert(ok);
        finish_question(&a);
    }
    ck_assert_uint_gt(n_failed, 10);
    ck_assert_uint_lt(n_failed, 190);
}
END_TEST

static void
pack(struct asked *a, uint32_t threads, uint32_t *out_on)
{
    struct dcp_error err = { 0 };
    struct dcp_bound bound;
    struct search x;
    struct dcp_search_options options = { .seed = 1,
                                          .iterations = 50,
                                          .threads = threads,
                                          .deadline_ms = INT64_MAX };

    ck_assert(dcp_bound_compute(a->p, 1, &bound, &err));
    ck_assert(dcp_search_begin(&x, a->s, &bound, &options, 0, &err));
    ck_assert(dcp_islands_find(a->p, &bound, &x.islands, &err));
    ck_assert_uint_eq(x.islands.n, 2);
    ck_assert(dcp_search_in_halves(&x, &err));
    ck_assert_uint_eq(a->s->n_unplaced, 0);
    for (uint32_t i = 0; i < a->p->n_items; i++) {
        ck_assert(a->s->on[a->s->host[i]]);
        ck_assert(dcp_problem_reaches(a->p, i, a->s->host[i]));
    }
    for (uint32_t h = 0; h < HOSTS; h++) {
        ck_assert(!dcp_state_overloaded(a->s, h));
    }
    *out_on = a->s->n_on;
    dcp_search_end(&x);
}

START_TEST(halves_are_the_same_on_one_thread)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct asked one = two_fences(seed, 30), two = two_fences(seed, 30);
        uint32_t n_one, n_two;

        compile(&one);
        compile(&two);
        pack(&one, 1, &n_one);
        pack(&two, 2, &n_two);
        ck_assert_uint_eq(n_one, n_two);
        ck_assert_uint_lt(n_one, HOSTS);
        for (uint32_t i = 0; i < one.p->n_items; i++) {
            ck_assert_uint_eq(one.s->host[i], two.s->host[i]);
            ck_assert_uint_eq(one.s->next[i], two.s->next[i]);
        }
        finish_question(&one);
        finish_question(&two);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_shared_makes_one,
        &losses_of_what_changed_say_all,
        &losses_of_single_hosts_say_all,
        &halves_are_the_same_on_one_thread,
    };

    return RUN_TESTS("search_islands", tests);
}
