/* SPDX-License-Identifier: GPL-3.0-or-later */

/* By which form headroom is shown where several hosts may be lost at once:
 * whether it hangs on hosts that are off and on who asks, and that parts which
 * share nothing are shown by one form. */

#include "solver/headroom/headroom.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

enum { PAIR = 2 };

/* Hosts with a VM each, of which so many may be lost at once. */
static struct asked
one_each(uint32_t n_hosts, uint32_t n_vms, uint32_t at_once)
{
    struct asked a = { .w = world_make(n_hosts, n_vms) };

    for (uint32_t v = 0; v < n_vms; v++) {
        a.w.vms[v].host.ix = v;
        a.w.vms[v].mem_mib = 20000;
        world_need(&a.w, v, 1000);
    }
    a.w.inv->policy.survive[0].kind = DCP_LOSS_HOST;
    a.w.inv->policy.survive[0].count = at_once;
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

/* --- Hosts that are off --------------------------------------------------- */

/* 2,850 sets, which can be played; stand-ins and berths need empty hosts, and
 * none is on.  The last host is off. */
static struct asked
too_many_for_a_search(uint64_t last_mem_mib)
{
    static const uint32_t both[PAIR] = { 0, 1 };
    struct asked a = one_each(76, 75, 2);
    struct dcp_hardware *hw = WORLD_NEW(&a.w, struct dcp_hardware, 2);

    hw[0] = hw[1] = a.w.hardware[0];
    hw[1].name = "m2";
    hw[1].mem_mib = last_mem_mib;
    a.w.inv->hardware = a.w.hardware = hw;
    a.w.inv->n_hardware = 2;
    a.w.hosts[75].hardware.ix = 1;
    a.w.hosts[75].state = DCP_HOST_STANDBY;
    a.w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                      .name = "apart",
                                      .vms = both,
                                      .n_vms = PAIR,
                                      .over = DCP_DOMAIN_HOST };
    a.w.inv->n_rules = 1;
    return a;
}

START_TEST(a_host_that_helps_nobody_changes_nothing)
{
    struct asked a = too_many_for_a_search(10000);
    struct dcp_headroom h;
    struct dcp_error err = { 0 };

    compile(&a);
    ck_assert(!a.s->on[75]);
    ck_assert(dcp_headroom_check_searching(a.s, NULL, NULL, &h, &err));
    ck_assert(h.ok);
    ck_assert(!dcp_headroom_could_wake(a.s, a.p->item_of_vm[0], 75));
    finish_question(&a);
}
END_TEST

START_TEST(who_wakes_none_has_all_sets_played)
{
    struct asked a = too_many_for_a_search(100000);
    struct dcp_headroom h;
    struct dcp_error err = { 0 };

    compile(&a);
    ck_assert(dcp_headroom_check(a.s, NULL, NULL, &h, &err));
    ck_assert(h.ok);
    ck_assert(dcp_headroom_check_searching(a.s, NULL, NULL, &h, &err));
    ck_assert(!h.ok && h.too_few_berths && h.too_few_empty);
    ck_assert(dcp_headroom_could_wake(a.s, h.failed_item, 75));
    dcp_state_power(a.s, 75, true);
    ck_assert(!dcp_headroom_could_wake(a.s, h.failed_item, 75));
    dcp_state_power(a.s, 75, false);
    finish_question(&a);
}
END_TEST

/* --- Parts that share nothing --------------------------------------------- */

enum { HOSTS = 220, HALF = HOSTS / 2 };

enum { EMPTY = 2 };

/* 24,310 sets of two, too many to play.  The first half, fenced off, is full
 * but for two empty hosts: stand-ins; but two VMs that a rule spreads would
 * have both to themselves, and others no berth.  The other half has room on
 * every host and no empty one: berths. */
static struct asked
two_halves(uint32_t *vms)
{
    static const uint32_t apart[PAIR] = { EMPTY, EMPTY + 1 };
    struct asked a = one_each(HOSTS, HOSTS, 2);
    uint32_t *hosts = WORLD_NEW(&a.w, uint32_t, HALF);

    for (uint32_t v = 0; v < HOSTS; v++) {
        vms[v] = v;
        a.w.vms[v].mem_mib = v >= EMPTY && v < HALF ? 60000 : 20000;
        a.w.vms[v].host.ix = v < EMPTY ? HALF + v : v;
    }
    for (uint32_t k = 0; k < HALF; k++) {
        hosts[k] = k;
    }
    vms[HOSTS] = 0; /* After the others: the two that are not at home. */
    vms[HOSTS + 1] = 1;
    a.w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_FENCE,
                                      .name = "first",
                                      .vms = vms + EMPTY,
                                      .n_vms = HALF - EMPTY,
                                      .hosts = hosts,
                                      .n_hosts = HALF };
    a.w.rules[1] = (struct dcp_rule){ .kind = DCP_RULE_BAN,
                                      .name = "second",
                                      .vms = vms + HALF,
                                      .n_vms = HALF + EMPTY,
                                      .hosts = hosts,
                                      .n_hosts = HALF };
    a.w.rules[2] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                      .name = "apart",
                                      .vms = apart,
                                      .n_vms = PAIR,
                                      .over = DCP_DOMAIN_HOST };
    a.w.inv->n_rules = 3;
    return a;
}

START_TEST(parts_are_shown_by_the_form_of_the_whole)
{
    uint32_t vms[HOSTS + EMPTY];
    struct asked a = two_halves(vms);
    struct dcp_error err = { 0 };
    struct dcp_headroom whole, part;
    uint8_t changed[HOSTS] = { 0 };

    compile(&a);
    ck_assert(dcp_headroom_check(a.s, NULL, NULL, &whole, &err));
    ck_assert(!whole.ok);
    for (uint32_t half = 0; half < 2; half++) {
        uint8_t own = half ? DCP_LOSS_BY_BERTHS : DCP_LOSS_BY_STAND_INS;
        uint8_t other = half ? DCP_LOSS_BY_STAND_INS : DCP_LOSS_BY_BERTHS;

        for (uint32_t h = 0; h < HOSTS; h++) {
            changed[h] = h / HALF == half;
        }
        a.s->loss_form[DCP_LOSS_HOST] = own;
        ck_assert(
            dcp_headroom_check_searching(a.s, changed, NULL, &part, &err));
        ck_assert(part.ok && part.form[DCP_LOSS_HOST] == own);
        ck_assert_uint_eq(a.s->loss_form[DCP_LOSS_HOST], own);
        /* The rest was shown by the other, and is not by this one. */
        a.s->loss_form[DCP_LOSS_HOST] = other;
        ck_assert(
            dcp_headroom_check_searching(a.s, changed, NULL, &part, &err));
        ck_assert(!part.ok);
        a.s->loss_form[DCP_LOSS_HOST] = DCP_LOSS_UNKNOWN;
        ck_assert(
            dcp_headroom_check_searching(a.s, changed, NULL, &part, &err));
        ck_assert(!part.ok);
    }
    finish_question(&a);
}
END_TEST

/* What passes by another form passes where the whole does, and is the state's
 * form only once it is accepted. */
START_TEST(the_form_may_change_for_all)
{
    struct asked a = one_each(HOSTS, HOSTS, 2);
    struct dcp_error err = { 0 };
    struct dcp_headroom h;
    uint8_t changed[HOSTS] = { 1 };

    compile(&a);
    a.s->loss_form[DCP_LOSS_HOST] = DCP_LOSS_BY_STAND_INS;
    ck_assert(dcp_headroom_check_searching(a.s, changed, NULL, &h, &err));
    ck_assert(!h.ok); /* What changed, one host, has nobody to go to. */
    memset(changed, 1, sizeof changed);
    ck_assert(dcp_headroom_check_searching(a.s, changed, NULL, &h, &err));
    ck_assert(h.ok && h.form[DCP_LOSS_HOST] == DCP_LOSS_BY_BERTHS);
    ck_assert_uint_eq(a.s->loss_form[DCP_LOSS_HOST], DCP_LOSS_UNKNOWN);
    dcp_headroom_accept(a.s, &h);
    ck_assert_uint_eq(a.s->loss_form[DCP_LOSS_HOST], DCP_LOSS_BY_BERTHS);
    finish_question(&a);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_host_that_helps_nobody_changes_nothing,
        &who_wakes_none_has_all_sets_played,
        &parts_are_shown_by_the_form_of_the_whole,
        &the_form_may_change_for_all,
    };

    return RUN_TESTS("headroom", tests);
}
