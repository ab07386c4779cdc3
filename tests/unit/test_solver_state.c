/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The search's own bookkeeping: sums that are kept by each move are what a
 * recount gives, undoing gives back what was, and rules read from counts say
 * what rules read from lists say. */

#include "solver/headroom/headroom.h"
#include "solver/search/insert.h"
#include "tests/support/asked.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

static void
ask_world(struct asked *a)
{
    ask_question(a);
    a->q.headroom = true;
    compile_question(a);
}

static void
recount(const struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;
    uint32_t n_on = 0, n_unplaced = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t n = 0, peak = 0;

        for (uint32_t t = 0; t < p->n_slots; t++) {
            uint32_t cpu = 0, net = 0;

            for (uint32_t i = 0; i < p->n_items; i++) {
                size_t at = (size_t)i * p->stride + t;

                cpu += s->host[i] == h ? p->cpu_mhz[at] : 0;
                net += s->host[i] == h && p->net_kib_s ? p->net_kib_s[at] : 0;
            }
            ck_assert_uint_eq(s->cpu_mhz[(size_t)h * p->stride + t], cpu);
            ck_assert(!s->net_kib_s ||
                      s->net_kib_s[(size_t)h * p->stride + t] == net);
            peak = cpu > peak ? cpu : peak;
        }
        ck_assert_uint_eq(s->cpu_peak_mhz[h], peak);
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            uint32_t used = 0;

            for (uint32_t i = 0; i < p->n_items; i++) {
                used += s->host[i] == h
                            ? p->request[(size_t)i * p->n_scalars + r]
                            : 0;
            }
            ck_assert_uint_eq(s->used[(size_t)r * p->n_hosts + h], used);
        }
        for (uint32_t i = s->first[h]; i != DCP_IX_NONE; i = s->next[i]) {
            ck_assert_uint_eq(s->host[i], h);
            n++;
        }
        ck_assert_uint_eq(s->n_on_host[h], n);
        n_on += s->on[h];
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        n_unplaced += s->host[i] == DCP_IX_NONE;
    }
    ck_assert_uint_eq(s->n_on, n_on);
    ck_assert_uint_eq(s->n_unplaced, n_unplaced);
}

static void
random_change(struct dcp_inserter *in, struct dcp_rng *rng)
{
    const struct dcp_problem *p = in->s->p;
    uint32_t item = draw(rng, p->n_items), host = draw(rng, p->n_hosts);

    if (chance(rng, 15)) {
        dcp_insert_power(in, host, !in->s->on[host]);
    } else if (in->s->host[item] != DCP_IX_NONE) {
        dcp_insert_remove(in, item);
    } else {
        in->swap_tries = draw(rng, 3);
        in->may_wake = chance(rng, 50);
        (void)dcp_insert_one(in, item);
    }
}

START_TEST(sums_are_what_a_recount_gives)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct sample sample = { seed, 6, 24, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_rng rng = dcp_rng_stream(seed, "changes", 0);
        struct dcp_inserter in;
        struct dcp_error err = { 0 };

        ask_world(&a);
        ck_assert(dcp_inserter_init(&in, a.s, seed, &err));
        for (uint32_t round = 0; round < 20; round++) {
            DCP_AUTO(dcp_state)
            struct dcp_state *was = dcp_state_create(a.p, &err);

            dcp_state_assign(was, a.s);
            for (uint32_t k = 0; k < 15; k++) {
                random_change(&in, &rng);
            }
            recount(a.s);
            if (round % 2) {
                dcp_trail_undo(&in.trail, a.s);
                recount(a.s);
                ck_assert_mem_eq(a.s->host, was->host,
                                 a.p->n_items * sizeof *was->host);
                ck_assert_mem_eq(a.s->on, was->on, a.p->n_hosts);
            }
            in.trail.n = 0;
        }
        dcp_inserter_finish(&in);
        finish_question(&a);
    }
}
END_TEST

/* As taking off and putting back would say and leave it. */
static bool
fits_in_place_of(struct dcp_state *s, uint32_t item, uint32_t other, bool full)
{
    uint32_t host = s->host[other];
    bool fits;

    dcp_state_remove(s, other);
    fits = full ? dcp_state_fits_full(s, item, host)
                : dcp_state_fits(s, item, host);
    dcp_state_place(s, other, host);
    return fits;
}

START_TEST(room_after_one_has_left_is_what_its_leaving_gives)
{
    uint32_t n_fit = 0, n_not = 0;

    for (uint64_t seed = 0; seed < 30; seed++) {
        struct sample sample = { seed, 4, 40, 4 };
        struct asked a = { .w = random_model(&sample) };
        struct dcp_error err = { 0 };

        ask_world(&a);
        struct dcp_state *same = dcp_state_create(a.p, &err);

        for (uint32_t item = 0; item < a.p->n_items; item++) {
            for (uint32_t other = 0; other < a.p->n_items; other++) {
                if (other == item || a.s->host[other] == DCP_IX_NONE ||
                    a.s->host[other] == a.s->host[item]) {
                    continue;
                }
                bool full = (item + other) % 2;
                bool fits = dcp_state_fits_instead(a.s, item, other, full);

                ck_assert(fits == fits_in_place_of(same, item, other, full));
                n_fit += fits;
                n_not += !fits;
            }
        }
        recount(a.s);
        ck_assert_mem_eq(a.s->next, same->next,
                         a.p->n_items * sizeof *same->next);
        ck_assert_mem_eq(a.s->first, same->first,
                         a.p->n_hosts * sizeof *same->first);
        dcp_state_destroy(same);
        finish_question(&a);
    }
    ck_assert(n_fit && n_not);
}
END_TEST

/* What a rule says by its definition, item by item. */
static bool
rule_lets_in(const struct dcp_state *s, const struct dcp_group *g,
             uint32_t item, uint32_t host)
{
    struct dcp_ids side_a = { g->items, g->n_items };
    struct dcp_ids side_b = { g->others, g->n_others };
    uint32_t d = g->domain_of_host[host];
    bool in_a = dcp_ids_contain(&side_a, item);
    bool in_b = dcp_ids_contain(&side_b, item);

    for (uint32_t i = 0; i < s->p->n_items; i++) {
        bool same =
            s->host[i] != DCP_IX_NONE && g->domain_of_host[s->host[i]] == d;
        bool member = dcp_ids_contain(&side_a, i);

        if (i == item || s->host[i] == DCP_IX_NONE) {
            continue;
        }
        if ((g->rule->kind == DCP_RULE_SPREAD && in_a && member && same) ||
            (g->rule->kind == DCP_RULE_GATHER && in_a && member && !same) ||
            (g->rule->kind == DCP_RULE_SEPARATE && same &&
             ((in_a && dcp_ids_contain(&side_b, i)) || (in_b && member)))) {
            return false;
        }
    }
    return true;
}

/* Groups of over 48 are read from counts, smaller ones from lists. */
static void
compare_groups(enum dcp_rule_kind kind, enum dcp_domain over, uint32_t size)
{
    enum { HOSTS = 6, VMS = 90 };
    struct asked a = { .w = world_make(HOSTS, VMS) };
    struct dcp_rng rng = dcp_rng_stream(size, "groups", kind);
    uint32_t ids[VMS];

    for (uint32_t v = 0; v < VMS; v++) {
        ids[v] = v;
        a.w.vms[v].host.ix = draw(&rng, HOSTS);
    }
    a.w.rules[0] = (struct dcp_rule){ .kind = kind,
                                      .name = "rule",
                                      .vms = world_ids(&a.w, size, ids),
                                      .n_vms = size,
                                      .over = over };
    if (kind == DCP_RULE_SEPARATE) {
        a.w.rules[0].others = world_ids(&a.w, VMS - size, ids + size);
        a.w.rules[0].n_others = VMS - size;
    }
    a.w.inv->n_rules = 1;
    ask_world(&a);
    ck_assert_uint_eq(a.p->n_groups, 1);
    for (uint32_t k = 0; k < 400; k++) {
        uint32_t item = draw(&rng, VMS), host = draw(&rng, HOSTS);
        bool allowed = rule_lets_in(a.s, &a.p->groups[0], item, host);

        ck_assert_int_eq(dcp_state_allowed(a.s, item, host), allowed);
        ck_assert_int_eq(
            dcp_state_blocking_group(a.s, item, host, false) == NULL, allowed);
        if (a.s->host[item] != DCP_IX_NONE) {
            dcp_state_remove(a.s, item);
        } else {
            dcp_state_place(a.s, item, host);
        }
    }
    finish_question(&a);
}

START_TEST(groups_say_what_rules_say)
{
    static const enum dcp_domain overs[] = { DCP_DOMAIN_HOST, DCP_DOMAIN_RACK,
                                             DCP_DOMAIN_ROOM, DCP_DOMAIN_FEED };

    for (uint32_t i = 0; i < 4; i++) {
        compare_groups(DCP_RULE_SPREAD, overs[i], 4);
        compare_groups(DCP_RULE_SPREAD, overs[i], 60);
        compare_groups(DCP_RULE_SEPARATE, overs[i], 10);
        compare_groups(DCP_RULE_SEPARATE, overs[i], 70);
    }
    compare_groups(DCP_RULE_GATHER, DCP_DOMAIN_RACK, 4);
    compare_groups(DCP_RULE_GATHER, DCP_DOMAIN_RACK, 60);
}
END_TEST

START_TEST(vms_gathered_on_a_host_are_one_item)
{
    static const uint32_t first[] = { 0, 2 }, second[] = { 2, 3 };
    struct asked a = { .w = world_make(3, 5) };

    for (uint32_t v = 0; v < 5; v++) {
        a.w.vms[v].host.ix = v % 3;
        world_need(&a.w, v, 100 + v);
    }
    a.w.rules[0] = (struct dcp_rule){
        .kind = DCP_RULE_GATHER, .name = "a", .vms = first, .n_vms = 2
    };
    a.w.rules[1] = a.w.rules[0];
    a.w.rules[1].vms = second;
    a.w.inv->n_rules = 2;
    ask_world(&a);
    ck_assert_uint_eq(a.p->n_items, 3); /* {0, 2, 3}, 1, 4 */
    ck_assert_uint_eq(a.p->item_of_vm[2], a.p->item_of_vm[0]);
    ck_assert_uint_eq(a.p->item_of_vm[3], a.p->item_of_vm[0]);
    ck_assert_uint_eq(a.p->cpu_mhz[0], 100 + 102 + 103);
    ck_assert_uint_eq(a.p->request[0], 3000);
    ck_assert_uint_eq(a.p->start_host[0], 0); /* Two of three are there. */
    finish_question(&a);
}
END_TEST

/* --- Headroom ----------------------------------------------------------- */

static struct dcp_headroom
survive(struct asked *a, enum dcp_loss_kind kind)
{
    struct dcp_headroom h;
    struct dcp_error err = { 0 };

    a->w.inv->policy.survive[0] = (struct dcp_loss){ kind, 1 };
    a->w.inv->policy.n_survive = 1;
    a->w.inv->policy.protect_tiers = 1;
    ask_world(a);
    ck_assert_msg(dcp_headroom_check(a->s, a->p->arena, NULL, &h, &err), "%s",
                  err.message);
    recount(a->s); /* As it was. */
    return h;
}

START_TEST(a_host_is_survived_where_its_vms_have_room)
{
    struct asked a = { .w = world_make(3, 3) };

    for (uint32_t v = 0; v < 3; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, 5000);
    }
    struct dcp_headroom h = survive(&a, DCP_LOSS_HOST);

    ck_assert(h.ok);
    ck_assert_uint_eq(h.n_losses, 3);
    for (uint32_t k = 0; k < 3; k++) {
        ck_assert_uint_eq(h.losses[k].n, 1);
        ck_assert_uint_eq(h.losses[k].vms[0], h.losses[k].lose.ix);
        ck_assert_uint_ne(h.losses[k].to[0], h.losses[k].lose.ix);
    }
    finish_question(&a);
    a.w = world_make(3, 3);
    for (uint32_t v = 0; v < 3; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, 5001);
    }
    h = survive(&a, DCP_LOSS_HOST);
    ck_assert(!h.ok);
    ck_assert_uint_eq(h.failed.ix[0], 0);
    finish_question(&a);
}
END_TEST

/* Hosts 0 and 2 are in rack 0: both go, though one alone would fit. */
START_TEST(a_rack_takes_all_its_hosts)
{
    struct asked a = { .w = world_make(4, 4) };

    for (uint32_t v = 0; v < 4; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, v % 2 ? 4000 : 6000);
    }
    ck_assert(survive(&a, DCP_LOSS_RACK).ok);
    finish_question(&a);
    a.w = world_make(4, 4);
    for (uint32_t v = 0; v < 4; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, v % 2 ? 4500 : 6000);
    }
    struct dcp_headroom h = survive(&a, DCP_LOSS_RACK);

    ck_assert(!h.ok);
    ck_assert_int_eq(h.failed.kind, DCP_LOSS_RACK);
    finish_question(&a);
}
END_TEST

START_TEST(a_feed_takes_racks_that_have_no_other)
{
    struct asked a = { .w = world_make(4, 4) };

    for (uint32_t v = 0; v < 4; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, 9000);
    }
    ck_assert_uint_eq(survive(&a, DCP_LOSS_FEED).n_losses, 0);
    finish_question(&a);
    a.w = world_make(4, 4);
    a.w.racks[1].feeds.n = 1;
    for (uint32_t v = 0; v < 4; v++) {
        a.w.vms[v].host.ix = v;
        world_need(&a.w, v, 9000);
    }
    struct dcp_headroom h = survive(&a, DCP_LOSS_FEED);

    ck_assert(!h.ok);
    ck_assert_int_eq(h.failed.kind, DCP_LOSS_FEED);
    ck_assert_uint_eq(h.failed.ix[0], 0);
    finish_question(&a);
}
END_TEST

START_TEST(a_local_disk_is_lost_with_its_host)
{
    struct dcp_volume volume = { .vm = { 0 },
                                 .pool = dcp_pool_none(),
                                 .size_mib = 10 };
    struct asked a = { .w = world_make(2, 3) };

    a.w.hardware[0].disk_mib = 1000;
    a.w.inv->volumes = &volume;
    a.w.inv->n_volumes = 1;
    a.w.vms[0].n_volumes = 1;
    a.w.vms[0].host.ix = a.w.vms[1].host.ix = a.w.vms[2].host.ix = 0;
    a.w.vms[2].tier.ix = 1;
    struct dcp_headroom h = survive(&a, DCP_LOSS_HOST);

    ck_assert(h.ok);
    ck_assert_uint_eq(h.losses[0].n, 1);
    ck_assert_uint_eq(h.losses[0].vms[0], 1);
    ck_assert_uint_eq(h.losses[0].n_not_protected, 2);
    finish_question(&a);
}
END_TEST

START_TEST(a_host_that_would_be_woken_counts_in_its_racks_watts)
{
    struct asked a = { .w = world_make(2, 1) };

    a.w.racks[0].limit_w = 60; /* A host that is on draws 100 and more. */
    a.w.racks[1].limit_w = 110;
    world_need(&a.w, 0, 1000);
    ask_world(&a);
    for (uint32_t h = 0; h < 2; h++) {
        dcp_state_power(a.s, h, false);
        ck_assert_int_eq(dcp_state_fits(a.s, 0, h), h == 1);
    }
    finish_question(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sums_are_what_a_recount_gives,
        &room_after_one_has_left_is_what_its_leaving_gives,
        &groups_say_what_rules_say,
        &vms_gathered_on_a_host_are_one_item,
        &a_host_is_survived_where_its_vms_have_room,
        &a_rack_takes_all_its_hosts,
        &a_feed_takes_racks_that_have_no_other,
        &a_local_disk_is_lost_with_its_host,
        &a_host_that_would_be_woken_counts_in_its_racks_watts,
    };

    return RUN_TESTS("solver_state", tests);
}
