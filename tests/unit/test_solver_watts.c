/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Watts of racks, feeds and rooms: by hand, and against a recount. */

#include "model/power.h"
#include "solver/state.h"
#include "tests/support/asked.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

static void
ask(struct asked *a)
{
    ask_question(a);
    a->q.may_empty = false;
    compile_question(a);
}

/* Two idle hosts in rack 0, which is on feeds 0 and 1. */
static void
two_hosts(struct asked *a, uint32_t feed_limit_w, char side_of_1)
{
    static const uint32_t both[] = { 0, 1 };
    struct sample s = { .seed = 1, .n_hosts = 2, .n_vms = 1 };

    *a = (struct asked){ .w = random_model(&s) };
    for (uint32_t i = 0; i < RANDOM_FEEDS; i++) {
        a->w.feeds[i].limit_w = i == 0 ? feed_limit_w : 0;
    }
    a->w.feeds[0].side = 'A';
    a->w.feeds[1].side = side_of_1;
    for (uint32_t i = 0; i < RANDOM_RACKS; i++) {
        a->w.racks[i].limit_w = 0;
    }
    a->w.racks[0].feeds = (struct dcp_ids){ both, 2 };
    for (uint32_t h = 0; h < 2; h++) {
        a->w.hosts[h].rack.ix = 0;
        a->w.hosts[h].state = DCP_HOST_UP;
        a->w.hosts[h].hardware.ix = 0;
    }
    for (uint32_t k = 0; k < DCP_POWER_POINTS; k++) {
        a->w.hardware[0].power_w[k] = 100 + 10 * (double)k;
    }
    a->w.hardware[0].boot_w = 180;
    a->w.hardware[0].sleep_w = 5;
    a->w.vms[0].host = dcp_host_none();
    ((struct dcp_room *)(size_t)a->w.inv->rooms)[0].cooling_w = 0;
    ask(a);
}

START_TEST(a_feed_carries_all_when_the_other_side_is_lost)
{
    struct asked a;

    two_hosts(&a, 300, 'B');
    ck_assert_ptr_nonnull(a.s->watts);
    ck_assert_uint_eq(a.p->watts->n, 1);
    ck_assert_int_eq(a.s->watts->sum_uw[0], 200000000);
    /* Full load is 200 W for each: 300 W bear it of one. */
    ck_assert(dcp_state_bears_full(a.s, 0));
    a.s->watts->lax = true;
    ck_assert(dcp_state_bears_full(a.s, 0));
    dcp_state_power(a.s, 1, false);
    ck_assert_int_eq(a.s->watts->sum_uw[0], 105000000);
    ck_assert(dcp_watts_bear_idle(a.s->watts, 1));
    ck_assert(dcp_watts_bear_switch(a.s->watts, 1, true));
    finish_question(&a);
}
END_TEST

START_TEST(feeds_of_one_side_share)
{
    struct asked a;

    two_hosts(&a, 199, 'A');
    ck_assert_int_eq(a.s->watts->sum_uw[0], 100000000);
    ck_assert_uint_eq(dcp_watts_worst_slot(a.s->watts, 0, false), UINT32_MAX);
    finish_question(&a);
}
END_TEST

START_TEST(what_cannot_be_over_is_not_watched)
{
    struct asked a;

    two_hosts(&a, 400, 'B');
    ck_assert_ptr_null(a.s->watts);
    finish_question(&a);
}
END_TEST

START_TEST(over_at_home_is_lax)
{
    struct asked a;

    two_hosts(&a, 150, 'B');
    ck_assert_uint_eq(dcp_watts_worst_slot(a.s->watts, 0, false), 0);
    ck_assert_uint_eq(dcp_watts_worst_slot(a.s->watts, 0, true), UINT32_MAX);
    ck_assert_uint_eq(a.s->watts->n_over, 0);
    ck_assert(!dcp_state_bears_full(a.s, 0));
    dcp_state_power(a.s, 1, false);
    ck_assert(!dcp_watts_bear_idle(a.s->watts, 1));
    a.s->watts->lax = true;
    ck_assert(dcp_watts_bear_idle(a.s->watts, 1));
    ck_assert(!dcp_watts_bear_switch(a.s->watts, 1, true));
    finish_question(&a);
}
END_TEST

START_TEST(sums_are_what_a_fresh_state_has)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct sample s = { .seed = seed, .n_hosts = 8, .n_vms = 20 };
        struct asked a = { .w = random_model(&s) };
        struct dcp_rng rng = dcp_rng_stream(seed, "walk", 0);
        struct dcp_error err = { 0 };

        a.w.racks[0].limit_w = 400;
        a.w.feeds[1].limit_w = 500;
        ask(&a);
        for (uint32_t k = 0; k < 200; k++) {
            uint32_t i = draw(&rng, a.p->n_items), h = draw(&rng, 8);

            if (chance(&rng, 20)) {
                dcp_state_power(a.s, h, !a.s->on[h]);
            } else if (a.s->host[i] == DCP_IX_NONE) {
                dcp_state_place(a.s, i, h);
            } else {
                dcp_state_remove(a.s, i);
            }
        }
        for (uint32_t h = 0; h < 8; h++) {
            dcp_state_power(a.s, h, a.start->on[h]);
        }
        for (uint32_t i = 0; i < a.p->n_items; i++) {
            if (a.s->host[i] != DCP_IX_NONE) {
                dcp_state_remove(a.s, i);
            }
            if (a.p->start_host[i] != DCP_IX_NONE) {
                dcp_state_place(a.s, i, a.p->start_host[i]);
            }
        }
        struct dcp_state *fresh = dcp_state_create(a.p, &err);

        ck_assert_ptr_nonnull(fresh->watts);
        ck_assert_mem_eq(a.s->watts->sum_uw, fresh->watts->sum_uw,
                         (size_t)a.p->watts->n * a.p->n_slots *
                             sizeof *fresh->watts->sum_uw);
        ck_assert_uint_eq(a.s->watts->n_over, fresh->watts->n_over);
        dcp_state_assign(fresh, a.s);
        ck_assert_mem_eq(a.s->watts->host_uw, fresh->watts->host_uw,
                         (size_t)8 * a.p->n_slots *
                             sizeof *fresh->watts->host_uw);
        dcp_state_destroy(fresh);
        finish_question(&a);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_feed_carries_all_when_the_other_side_is_lost,
        &feeds_of_one_side_share,
        &what_cannot_be_over_is_not_watched,
        &over_at_home_is_lax,
        &sums_are_what_a_fresh_state_has,
    };

    return RUN_TESTS("solver_watts", tests);
}
