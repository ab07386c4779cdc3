/* SPDX-License-Identifier: GPL-3.0-or-later */

/* By which form headroom is shown where several hosts may be lost at once:
 * whether what is shown hangs on hosts that are off and on who asks. */

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

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_host_that_helps_nobody_changes_nothing,
        &who_wakes_none_has_all_sets_played,
    };

    return RUN_TESTS("headroom", tests);
}
