/* SPDX-License-Identifier: GPL-3.0-or-later */

/* solver/place/place.h and solver/explain/refusal.h against figures by hand.  A
 * world's host has 10,000 MHz, 10 cores at overcommit 10 and 100,000 MiB. */

#include "solver/compile/overlay.h"
#include "solver/place/place.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <math.h>

/* v0 on h0, v1 on h1, v2 has no host. */
static struct world
three_vms(uint32_t n_hosts)
{
    struct world w = world_make(n_hosts, 3);

    for (uint32_t v = 0; v < 3; v++) {
        world_need(&w, v, 1000);
    }
    w.vms[0].host.ix = 0;
    w.vms[1].host.ix = 1;
    return w;
}

struct asked {
    struct dcp_placement *start;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
};

static void
ask(struct asked *a, const struct world *w)
{
    a->start = dcp_placement_start(w->inv, NULL);
    a->q = (struct dcp_question){ .inventory = w->inv,
                                  .demand = &w->demand,
                                  .last_slot = w->demand.n_slots,
                                  .start = a->start,
                                  .may_wake = true,
                                  .headroom = w->inv->policy.n_survive > 0 };
    a->p = dcp_problem_create(&a->q, NULL);
    ck_assert_ptr_nonnull(a->p);
    a->s = dcp_state_create(a->p, NULL);
    ck_assert_ptr_nonnull(a->s);
}

static void
asked_free(struct asked *a)
{
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
}

static const struct dcp_refusal *
refusal_of(const struct dcp_place_ranking *r, uint32_t host)
{
    for (uint32_t i = 0; i < r->n_refused; i++) {
        if (r->refused[i].host == host) {
            return &r->refused[i].why;
        }
    }
    ck_abort_msg("host h%u is not refused", host);
    return NULL;
}

START_TEST(ranks_the_fullest_first)
{
    struct world w = three_vms(3);
    struct asked a;
    struct dcp_place_ranking r;

    world_need(&w, 1, 5000);
    ask(&a, &w);
    ck_assert(
        dcp_place_rank(a.s, 2, &(struct dcp_place_options){ 0 }, &r, NULL));
    ck_assert_uint_eq(r.n_candidates, 3);
    ck_assert_uint_eq(r.candidates[0].host, 1);
    ck_assert_uint_eq(r.candidates[1].host, 0);
    ck_assert_uint_eq(r.candidates[2].host, 2);
    ck_assert_uint_eq(r.candidates[0].cpu_mhz_left, 10000 - 5000 - 1000);
    ck_assert_uint_eq(r.candidates[0].scalar_left[0], 100000 - 2 * 1000);
    ck_assert_double_gt(r.candidates[0].score, r.candidates[1].score);
    ck_assert(r.headroom_before);
    dcp_place_ranking_finish(&r);

    ck_assert(dcp_place_rank(
        a.s, 2, &(struct dcp_place_options){ .spread = true }, &r, NULL));
    ck_assert_uint_eq(r.candidates[0].host, 2);
    dcp_place_ranking_finish(&r);
    asked_free(&a);
    world_free(&w);
}
END_TEST

START_TEST(refuses_with_numbers)
{
    struct world w = three_vms(4);
    struct asked a;
    struct dcp_place_ranking r;

    world_need(&w, 0, 9500);
    w.vms[1].mem_mib = 99500;
    w.hosts[2].state = DCP_HOST_STANDBY;
    w.hosts[3].state = DCP_HOST_MAINTENANCE;
    ask(&a, &w);
    ck_assert(
        dcp_place_rank(a.s, 2, &(struct dcp_place_options){ 0 }, &r, NULL));
    ck_assert_uint_eq(r.n_candidates, 0);
    ck_assert_uint_eq(r.n_refused, 4);

    const struct dcp_refusal *cpu = refusal_of(&r, 0);

    ck_assert_int_eq(cpu->kind, DCP_REFUSAL_CAPACITY);
    ck_assert_str_eq(cpu->rule, "cpu");
    ck_assert_double_eq(cpu->need, 1000);
    ck_assert_double_eq(cpu->have, 500);
    ck_assert_uint_eq(cpu->slot, 0);
    ck_assert_ptr_nonnull(strstr(cpu->remedy, "'v0'"));

    const struct dcp_refusal *mem = refusal_of(&r, 1);

    ck_assert_str_eq(mem->rule, "memory");
    ck_assert_double_eq(mem->need, 1000);
    ck_assert_double_eq(mem->have, 500);
    ck_assert_int_eq(refusal_of(&r, 2)->kind, DCP_REFUSAL_OFF);
    ck_assert_int_eq(refusal_of(&r, 3)->kind, DCP_REFUSAL_MAINTENANCE);
    dcp_place_ranking_finish(&r);

    ck_assert(dcp_place_rank(
        a.s, 2, &(struct dcp_place_options){ .wake = true }, &r, NULL));
    ck_assert_uint_eq(r.n_candidates, 1);
    ck_assert_uint_eq(r.candidates[0].host, 2);
    ck_assert(r.candidates[0].wakes);
    dcp_place_ranking_finish(&r);
    asked_free(&a);
    world_free(&w);
}
END_TEST

/* The smallest VM whose leaving is enough, not the largest. */
START_TEST(names_the_smallest_that_would_have_to_leave)
{
    struct world w = world_make(1, 4);
    struct asked a;
    struct dcp_refusal why;

    w.vms[0].mem_mib = 60000;
    w.vms[1].mem_mib = 30000;
    w.vms[2].mem_mib = 9000;
    w.vms[3].mem_mib = 20000; /* 1,000 are left; v1's leaving is enough. */
    for (uint32_t v = 0; v < 3; v++) {
        w.vms[v].host.ix = 0;
    }
    ask(&a, &w);
    ck_assert(dcp_refusal_find(a.s, 3, 0, false, &why));
    ck_assert_double_eq(why.have, 1000);
    ck_assert_str_eq(why.remedy, "move 'v1' off 'h0' first");
    asked_free(&a);
    world_free(&w);
}
END_TEST

START_TEST(names_rules_and_who_is_in_the_way)
{
    struct world w = three_vms(3);
    struct asked a;
    struct dcp_refusal why;

    w.inv->n_rules = 2;
    w.rules[0] =
        (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                           .name = "apart",
                           .vms = world_ids(&w, 2, (uint32_t[]){ 0, 2 }),
                           .n_vms = 2,
                           .over = DCP_DOMAIN_HOST };
    w.rules[1] =
        (struct dcp_rule){ .kind = DCP_RULE_BAN,
                           .name = "not-h1",
                           .vms = world_ids(&w, 1, (uint32_t[]){ 2 }),
                           .n_vms = 1,
                           .hosts = world_ids(&w, 1, (uint32_t[]){ 1 }),
                           .n_hosts = 1 };
    ask(&a, &w);
    ck_assert(dcp_refusal_find(a.s, 2, 0, false, &why));
    ck_assert_int_eq(why.kind, DCP_REFUSAL_GROUP);
    ck_assert_str_eq(why.rule, "apart");
    ck_assert_ptr_nonnull(strstr(why.text, "'v0'"));
    ck_assert(dcp_refusal_find(a.s, 2, 1, false, &why));
    ck_assert_int_eq(why.kind, DCP_REFUSAL_REACH);
    ck_assert_str_eq(why.rule, "not-h1");
    ck_assert(!dcp_refusal_find(a.s, 2, 2, false, &why));
    asked_free(&a);
    world_free(&w);
}
END_TEST

/* Two hosts that restart each other: what one takes the other must have room
 * for. */
START_TEST(keeps_headroom)
{
    struct world w = three_vms(2);
    struct asked a;
    struct dcp_place_ranking r;

    w.inv->policy.n_survive = 1;
    w.inv->policy.survive[0].kind = DCP_LOSS_HOST;
    w.inv->policy.survive[0].count = 1;
    w.inv->policy.protect_tiers = 1;
    world_need(&w, 0, 5000);
    world_need(&w, 1, 4000);
    world_need(&w, 2, 1000); /* 10,000 in all: fits. */
    ask(&a, &w);
    ck_assert(
        dcp_place_rank(a.s, 2, &(struct dcp_place_options){ 0 }, &r, NULL));
    ck_assert_uint_eq(r.n_candidates, 2);
    ck_assert(r.candidates[0].headroom_checked);
    dcp_place_ranking_finish(&r);
    asked_free(&a);

    world_need(&w, 2, 1001); /* One host cannot hold it all any more. */
    ask(&a, &w);
    ck_assert(
        dcp_place_rank(a.s, 2, &(struct dcp_place_options){ 0 }, &r, NULL));
    ck_assert_uint_eq(r.n_candidates, 0);
    ck_assert(r.headroom_before);
    ck_assert_int_eq(refusal_of(&r, 0)->kind, DCP_REFUSAL_HEADROOM);
    ck_assert_uint_eq(a.s->host[2], DCP_IX_NONE);
    dcp_place_ranking_finish(&r);
    asked_free(&a);

    world_need(&w, 0, 7000); /* Broken before: said, not held against hosts. */
    ask(&a, &w);
    ck_assert(
        dcp_place_rank(a.s, 2, &(struct dcp_place_options){ 0 }, &r, NULL));
    ck_assert(!r.headroom_before);
    ck_assert_uint_eq(r.n_candidates, 2);
    dcp_place_ranking_finish(&r);
    asked_free(&a);
    world_free(&w);
}
END_TEST

/* Copies of a VM of 2 cores' worth of memory: what fits is known by division.
 */
static struct dcp_place_count
count(const struct world *w, uint32_t mem_mib, uint32_t n, bool wake)
{
    struct dcp_placement *start = dcp_placement_start(w->inv, NULL);
    struct dcp_vm vm = w->vms[0];
    struct dcp_overlay o;
    struct dcp_place_count c;
    struct dcp_place_bound bound;
    struct dcp_place_options options = { .wake = wake };
    uint32_t *items = calloc(n, sizeof *items);

    vm.mem_mib = mem_mib;
    vm.vcpu_mhz = 1;
    ck_assert(start && items);
    ck_assert(dcp_overlay_create(w->inv, &w->demand, start, &vm, NULL, 0, n, &o,
                                 NULL));
    struct dcp_question q = { .inventory = &o.inventory,
                              .demand = &o.demand,
                              .last_slot = o.demand.n_slots,
                              .start = o.placement,
                              .may_wake = wake,
                              .headroom = o.inventory.policy.n_survive > 0 };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, NULL);
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, NULL);

    ck_assert_ptr_nonnull(s);
    for (uint32_t i = 0; i < n; i++) {
        items[i] = p->item_of_vm[o.first_vm + i];
    }
    dcp_place_bounds(s, items[0], &options, &bound);
    ck_assert(dcp_place_fill(s, items, n, &options, &c, NULL));
    ck_assert_uint_le(c.n, bound.by_hosts);
    ck_assert_uint_le(bound.by_hosts, bound.by_sums);
    free(items);
    dcp_overlay_finish(&o);
    dcp_placement_destroy(start);
    return c;
}

START_TEST(counts_what_fits)
{
    struct world w = three_vms(3);
    struct dcp_place_count c = count(&w, 30000, 20, false);

    /* 99,000 on h0 and h1, 100,000 on h2: three each. */
    ck_assert_uint_eq(c.n, 9);
    ck_assert_uint_eq(c.n_hosts, 3);
    ck_assert(c.maximal);
    ck_assert_str_eq(c.binding, "memory");
    ck_assert_uint_eq(c.n_refusing, 3);

    w.hosts[2].state = DCP_HOST_STANDBY;
    ck_assert_uint_eq(count(&w, 30000, 20, false).n, 6);
    ck_assert_uint_eq(count(&w, 30000, 20, true).n, 9);
    c = count(&w, 30000, 5, false);
    ck_assert_uint_eq(c.n, 5);
    ck_assert(!c.maximal);

    /* N+1 over three hosts: any one may be lost, so the other two hold all: 3
     * + 3 of 9, less what v0 and v1 take. */
    w.hosts[2].state = DCP_HOST_UP;
    w.inv->policy.n_survive = 1;
    w.inv->policy.survive[0].kind = DCP_LOSS_HOST;
    w.inv->policy.survive[0].count = 1;
    w.inv->policy.protect_tiers = 1;
    c = count(&w, 30000, 20, false);
    ck_assert_uint_eq(c.n, 6);
    ck_assert(c.maximal);
    ck_assert_str_eq(c.binding, "n+1");
    ck_assert_int_eq(c.example.kind, DCP_REFUSAL_HEADROOM);
    world_free(&w);
}
END_TEST

START_TEST(new_vms_obey_what_their_tier_obeys)
{
    struct world w = three_vms(3);
    uint32_t ban[] = { 0, 1, 2 };

    w.inv->n_rules = 1;
    w.rules[0] =
        (struct dcp_rule){ .kind = DCP_RULE_BAN,
                           .name = "not-h2",
                           .vms = world_ids(&w, 3, ban),
                           .n_vms = 3,
                           .hosts = world_ids(&w, 1, (uint32_t[]){ 2 }),
                           .n_hosts = 1 };
    ck_assert_uint_eq(count(&w, 30000, 20, false).n, 6);
    w.rules[0].n_vms = 2; /* Not the whole tier: picked by hand. */
    ck_assert_uint_eq(count(&w, 30000, 20, false).n, 9);
    world_free(&w);
}
END_TEST

START_TEST(spreads)
{
    struct world w = three_vms(3);
    struct asked a;
    uint32_t item;

    w.vms[1].host = dcp_host_none();
    ask(&a, &w);
    ck_assert(dcp_place_spread(a.s, &item, NULL));
    ck_assert_uint_eq(item, DCP_IX_NONE);
    ck_assert_uint_eq(a.s->host[0], 0);
    ck_assert_uint_ne(a.s->host[1], a.s->host[2]);
    ck_assert_uint_ne(a.s->host[1], 0);
    ck_assert_uint_ne(a.s->host[2], 0);
    asked_free(&a);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &ranks_the_fullest_first,
        &refuses_with_numbers,
        &names_the_smallest_that_would_have_to_leave,
        &names_rules_and_who_is_in_the_way,
        &keeps_headroom,
        &counts_what_fits,
        &new_vms_obey_what_their_tier_obeys,
        &spreads,
    };

    return RUN_TESTS("place", tests);
}
