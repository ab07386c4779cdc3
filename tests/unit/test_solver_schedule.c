/* SPDX-License-Identifier: GPL-3.0-or-later */

/* From two placements to steps.  Each leg is also shown to the checker, which
 * proves it for every order. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "solver/schedule/schedule.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <string.h>

struct leg {
    struct world w;
    struct dcp_placement *to;
    struct dcp_trunks trunks;
    struct dcp_step_list steps;
    struct dcp_leg_answer answer;
};

/* The end is where the model has VMs, until a test moves them. */
static struct leg
leg_of(struct world w)
{
    return (struct leg){ .w = w, .to = dcp_placement_start(w.inv, NULL) };
}

static void
schedule(struct leg *l)
{
    struct dcp_error err = { 0 };

    world_plan(&l->w, 1, 0);
    l->steps.arena = l->w.plan->arena;
    struct dcp_leg_request request = {
        .inventory = l->w.inv,
        .demand = &l->w.demand,
        .last_slot = l->w.demand.n_slots,
        .from = l->w.plan->before,
        .to = l->to,
        .move_reason = DCP_REASON_EMPTY_HOST,
        .off_reason = DCP_REASON_NIGHT_OFF,
        .trunks = &l->trunks,
    };

    ck_assert_msg(dcp_schedule_leg(&request, &l->steps, &l->answer, &err), "%s",
                  err.message);
}

/* Schedules, and lets the checker judge every order. */
static void
schedule_legally(struct leg *l)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    schedule(l);
    ck_assert(l->answer.ok);
    ck_assert_int_ge(l->answer.makespan_ms, l->answer.makespan_bound_ms);
    struct dcp_plan *plan = l->w.plan;

    plan->steps = l->steps.steps;
    plan->n_steps = l->steps.n;
    plan->legs[0].buckets_until_ms = WORLD_T0 + WORLD_SLOTS * DCP_HOUR_MS;
    plan->legs[0].deadline_ms = plan->legs[0].buckets_until_ms;
    plan->legs[0].makespan_ms = l->answer.makespan_ms;
    dcp_placement_destroy(plan->legs[0].after);
    plan->legs[0].after = dcp_placement_copy(l->to, NULL);
    ck_assert_msg(dcp_check_plan(l->w.inv, &l->w.demand, plan, &r, &err), "%s",
                  err.message);
    ck_assert_msg(r.pass, "step %u %s: %s", r.violations[0].step,
                  r.violations[0].rule, r.violations[0].text);
    ck_assert_int_eq(r.proof, DCP_PROOF_ALL_ORDERS);
    dcp_check_result_finish(&r);
}

static void
finish(struct leg *l)
{
    dcp_step_list_finish(&l->steps);
    dcp_trunks_finish(&l->trunks);
    dcp_placement_destroy(l->to);
    world_free(&l->w);
}

/* The 'nth' step of a kind on an object, from 0; NULL: none. */
static const struct dcp_step *
find(const struct leg *l, enum dcp_step_kind kind, uint32_t ix, uint32_t nth)
{
    for (uint32_t i = 0; i < l->steps.n; i++) {
        const struct dcp_step *s = &l->steps.steps[i];

        if (s->kind == kind && s->object.ix == ix && !nth--) {
            return s;
        }
    }
    return NULL;
}

/* Whether 'step' waits for 'other', at once or through others. */
static bool
waits(const struct leg *l, const struct dcp_step *step,
      const struct dcp_step *other)
{
    for (uint32_t i = 0; i < step->n_after; i++) {
        if (step->after[i] == other->id ||
            waits(l, &l->steps.steps[step->after[i] - 1], other)) {
            return true;
        }
    }
    return false;
}

static void
put(struct world *w, uint32_t vm, uint32_t host, uint32_t mhz)
{
    w->vms[vm].host.ix = host;
    world_need(w, vm, mhz);
}

START_TEST(nothing_to_move_is_no_step)
{
    struct leg l = leg_of(world_make(2, 2));

    schedule(&l);
    ck_assert(l.answer.ok);
    ck_assert_uint_eq(l.steps.n, 0);
    ck_assert_int_eq(l.answer.makespan_ms, 0);
    finish(&l);
}
END_TEST

/* Host 0 is full of three VMs; three that need more and more come to it. */
START_TEST(gates_are_nested)
{
    struct world w = world_make(5, 6);

    put(&w, 0, 0, 2000);
    put(&w, 1, 0, 3000);
    put(&w, 2, 0, 5000);
    put(&w, 3, 1, 2000);
    put(&w, 4, 2, 3000);
    put(&w, 5, 3, 5000);
    w.inv->policy.migration_cpu_overhead_frac = 0;
    struct leg l = leg_of(w);

    for (uint32_t v = 0; v < 6; v++) {
        l.to->host[v].ix = v < 3 ? 4 : 0;
    }
    schedule_legally(&l);
    ck_assert_uint_eq(l.answer.n_moves, 6);
    uint32_t n[3] = { 0 };

    for (uint32_t a = 3; a < 6; a++) {
        for (uint32_t d = 0; d < 3; d++) {
            n[a - 3] += waits(&l, find(&l, DCP_STEP_MIGRATE, a, 0),
                              find(&l, DCP_STEP_MIGRATE, d, 0));
        }
    }
    /* The largest leaves first: it makes room for two, the third needs all. */
    ck_assert_uint_eq(n[0], 1);
    ck_assert_uint_eq(n[1], 1);
    ck_assert_uint_eq(n[2], 3);
    finish(&l);
}
END_TEST

START_TEST(full_hosts_swap_by_a_bypass)
{
    struct world w = world_make(3, 2);

    put(&w, 0, 0, 9000);
    put(&w, 1, 1, 8000);
    struct leg l = leg_of(w);

    l.to->host[0].ix = 1;
    l.to->host[1].ix = 0;
    schedule_legally(&l);
    ck_assert_uint_eq(l.answer.n_bypasses, 1);
    ck_assert_uint_eq(l.answer.n_moves, 3);
    const struct dcp_step *aside = find(&l, DCP_STEP_MIGRATE, 1, 0);

    ck_assert_int_eq(aside->reason, DCP_REASON_BYPASS); /* The smaller one. */
    ck_assert_uint_eq(aside->to.ix, 2);
    ck_assert(waits(&l, find(&l, DCP_STEP_MIGRATE, 1, 1), aside));
    finish(&l);
}
END_TEST

START_TEST(a_swap_without_a_third_host_is_stuck)
{
    struct world w = world_make(2, 2);

    put(&w, 0, 0, 9000);
    put(&w, 1, 1, 8000);
    struct leg l = leg_of(w);

    l.to->host[0].ix = 1;
    l.to->host[1].ix = 0;
    schedule(&l);
    ck_assert(!l.answer.ok);
    ck_assert_int_eq(l.answer.stuck.kind, DCP_OBJECT_VM);
    ck_assert_uint_lt(l.answer.stuck.ix, 2);
    finish(&l);
}
END_TEST

START_TEST(hosts_are_on_before_and_off_after)
{
    struct world w = world_make(3, 2);

    put(&w, 0, 0, 1000);
    put(&w, 1, 0, 1000);
    w.hosts[2].state = DCP_HOST_STANDBY;
    struct leg l = leg_of(w);

    l.to->host[0].ix = l.to->host[1].ix = 2;
    l.to->on[2] = 1;
    l.to->on[0] = l.to->on[1] = 0;
    schedule_legally(&l);
    const struct dcp_step *on = find(&l, DCP_STEP_HOST_ON, 2, 0);
    const struct dcp_step *off = find(&l, DCP_STEP_HOST_OFF, 0, 0);

    for (uint32_t v = 0; v < 2; v++) {
        const struct dcp_step *move = find(&l, DCP_STEP_MIGRATE, v, 0);

        ck_assert(waits(&l, move, on));
        ck_assert(waits(&l, off, move));
        ck_assert_uint_eq(move->frees.ix, 0);
    }
    /* One host must stay on: the empty one may not go before 2 has come. */
    ck_assert(waits(&l, find(&l, DCP_STEP_HOST_OFF, 1, 0), on) ||
              waits(&l, off, on));
    finish(&l);
}
END_TEST

START_TEST(keep_on_counts_while_hosts_change)
{
    struct world w = world_make(2, 0);

    w.hosts[1].state = DCP_HOST_STANDBY;
    struct leg l = leg_of(w);

    l.to->on[0] = 0;
    l.to->on[1] = 1;
    schedule_legally(&l);
    ck_assert(waits(&l, find(&l, DCP_STEP_HOST_OFF, 0, 0),
                    find(&l, DCP_STEP_HOST_ON, 1, 0)));
    finish(&l);
}
END_TEST

/* Host 1's port lacks the VLAN; its switch can be told. */
START_TEST(vlans_come_first_and_go_last)
{
    static const uint32_t net0[] = { 0 }, net1[] = { 1 };
    struct world w = world_make(2, 1);
    struct dcp_port *port = WORLD_NEW(&w, struct dcp_port, 1);

    *port = (struct dcp_port){
        .nic = "eth1", .to = { 0 }, .port = "p1", .vlans = { net0, 1 }
    };
    w.hosts[1].ports = port;
    w.hosts[1].n_ports = 1;
    put(&w, 0, 0, 1000);
    w.vms[0].vlans = (struct dcp_ids){ net1, 1 };
    struct leg l = leg_of(w);

    l.to->host[0].ix = 1;
    schedule_legally(&l);
    const struct dcp_step *trunk = find(&l, DCP_STEP_VLAN_TRUNK, 1, 0);

    ck_assert_ptr_nonnull(trunk);
    ck_assert_uint_eq(trunk->to.ix, 1);
    ck_assert(waits(&l, find(&l, DCP_STEP_MIGRATE, 0, 0), trunk));
    ck_assert_ptr_null(find(&l, DCP_STEP_VLAN_UNTRUNK, 1, 0));
    /* And the way back, as a second leg of the same plan. */
    DCP_AUTO(dcp_placement)
    struct dcp_placement *home = dcp_placement_start(l.w.inv, NULL);
    struct dcp_leg_request back = {
        .inventory = l.w.inv,
        .demand = &l.w.demand,
        .last_slot = l.w.demand.n_slots,
        .from = l.to,
        .to = home,
        .leg = 1,
        .move_reason = DCP_REASON_RETURN,
        .off_reason = DCP_REASON_NIGHT_OFF,
        .trunks = &l.trunks,
    };

    ck_assert(dcp_schedule_leg(&back, &l.steps, &l.answer, NULL));
    const struct dcp_step *untrunk = find(&l, DCP_STEP_VLAN_UNTRUNK, 1, 0);

    ck_assert_ptr_nonnull(untrunk);
    ck_assert(waits(&l, untrunk, find(&l, DCP_STEP_MIGRATE, 0, 1)));
    finish(&l);
}
END_TEST

/* VMs that may never share a host change places with room to spare. */
START_TEST(rules_that_always_hold_make_moves_wait)
{
    static const uint32_t pair[] = { 0, 1 };
    struct world w = world_make(3, 2);

    put(&w, 0, 0, 100);
    put(&w, 1, 1, 100);
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "apart",
                                    .vms = pair,
                                    .n_vms = 2,
                                    .hold = DCP_HOLD_ALWAYS };
    w.inv->n_rules = 1;
    struct leg l = leg_of(w);

    l.to->host[0].ix = 1;
    l.to->host[1].ix = 2;
    schedule_legally(&l);
    ck_assert(waits(&l, find(&l, DCP_STEP_MIGRATE, 0, 0),
                    find(&l, DCP_STEP_MIGRATE, 1, 0)));
    finish(&l);
}
END_TEST

/* Five equal moves out of one host, two at a time: three rounds. */
START_TEST(makespan_keeps_the_limits)
{
    struct world w = world_make(6, 5);

    for (uint32_t v = 0; v < 5; v++) {
        put(&w, v, 0, 100);
    }
    w.inv->policy.out_per_host = 2;
    struct leg l = leg_of(w);

    for (uint32_t v = 0; v < 5; v++) {
        l.to->host[v].ix = v + 1;
    }
    schedule_legally(&l);
    int64_t one = find(&l, DCP_STEP_MIGRATE, 0, 0)->estimate_ms;

    ck_assert_int_gt(one, 0);
    ck_assert_int_eq(l.answer.makespan_ms, 3 * one);
    finish(&l);
}
END_TEST

/* Two moves out of one rack over an uplink that one of them would fill: side by
 * side, each at half of it. */
START_TEST(an_uplink_is_shared)
{
    struct world w = world_make(4, 2);
    struct dcp_switch *sw = WORLD_NEW(&w, struct dcp_switch, 2);
    struct dcp_port *port = WORLD_NEW(&w, struct dcp_port, 1);

    memcpy(sw, w.inv->switches, 2 * sizeof *sw);
    sw[0].uplink_kib_s = 50 * 1024;
    w.inv->switches = sw;
    *port = (struct dcp_port){ .nic = "eth1", .to = { 0 }, .port = "p1" };
    for (uint32_t h = 0; h < 2; h++) {
        w.hosts[h].ports = port;
        w.hosts[h].n_ports = 1;
        put(&w, h, h, 100);
    }
    struct leg l = leg_of(w);

    l.to->host[0].ix = 2;
    l.to->host[1].ix = 3;
    schedule_legally(&l);
    const struct dcp_step *one = find(&l, DCP_STEP_MIGRATE, 0, 0);

    ck_assert_uint_eq(one->bandwidth_mib_s, 25);
    ck_assert_int_eq(l.answer.makespan_ms, one->estimate_ms);
    ck_assert_int_eq(l.answer.makespan_bound_ms,
                     2 * (int64_t)one->mem_mib * 1000 / 50);
    finish(&l);
}
END_TEST

/* A port of 100 MiB/s, VMs of 1000 and 4000 MiB that write nothing: 50 each
 * until the small one has gone, then all of it.  What production is planned to
 * take of the port comes first. */
START_TEST(who_stays_gets_what_others_leave)
{
    for (int busy = 0; busy < 2; busy++) {
        struct world w = world_make(3, 3);
        uint64_t *nic = WORLD_NEW(&w, uint64_t, 1);

        *nic = 100 * 1024;
        w.hardware->nic_kib_s = nic;
        for (uint32_t v = 0; v < 3; v++) {
            put(&w, v, 0, 100);
            w.vms[v].dirty_kib_s = 1;
        }
        w.vms[0].mem_mib = 1000;
        w.vms[1].mem_mib = 4000;
        w.inv->policy.out_per_host = 2;
        w.inv->policy.units_per_10gbit = 24; /* Two at once. */
        if (busy) {                          /* VM 2 stays. */
            uint32_t stride = w.demand.stride;
            uint32_t *net = WORLD_NEW(&w, uint32_t, 3 * stride);

            for (uint32_t t = 0; t < w.demand.n_slots; t++) {
                net[2 * stride + t] = 50 * 1024;
            }
            w.demand.net_kib_s = net;
        }
        struct leg l = leg_of(w);

        l.to->host[0].ix = 1;
        l.to->host[1].ix = 2;
        schedule_legally(&l);
        int64_t small_ms = find(&l, DCP_STEP_MIGRATE, 0, 0)->estimate_ms;
        int64_t large_ms = find(&l, DCP_STEP_MIGRATE, 1, 0)->estimate_ms;

        ck_assert_int_ge(small_ms, 20000 << busy);
        ck_assert_int_le(small_ms, (20000 << busy) + 100);
        ck_assert_int_ge(large_ms, 50000 << busy);
        ck_assert_int_le(large_ms, (50000 << busy) + 100);
        ck_assert_int_eq(l.answer.makespan_ms, large_ms);
        ck_assert_int_ge(l.answer.makespan_bound_ms, 50000 - 1);
        finish(&l);
    }
}
END_TEST

/* A full host has no CPU for five migrations at once: one goes, then four,
 * which share the port that it had alone. */
START_TEST(a_busy_source_lets_one_go_first)
{
    for (int frac = 0; frac < 2; frac++) {
        struct world w = world_make(6, 5);

        for (uint32_t v = 0; v < 5; v++) {
            put(&w, v, 0, 2000);
        }
        w.inv->policy.out_per_host = 5;
        w.inv->policy.migration_cpu_overhead_frac = 0.1 * frac;
        struct leg l = leg_of(w);

        for (uint32_t v = 0; v < 5; v++) {
            l.to->host[v].ix = v + 1;
        }
        schedule_legally(&l);
        int64_t least_ms = INT64_MAX, most_ms = 0;

        for (uint32_t i = 0; i < l.steps.n; i++) {
            const struct dcp_step *s = &l.steps.steps[i];
            bool moves = s->kind == DCP_STEP_MIGRATE;

            if (moves && s->estimate_ms < least_ms) {
                least_ms = s->estimate_ms;
            }
            if (moves && s->estimate_ms > most_ms) {
                most_ms = s->estimate_ms;
            }
        }
        ck_assert(frac ? 3 * least_ms < 2 * most_ms : least_ms == most_ms);
        ck_assert_int_eq(l.answer.makespan_ms, most_ms + (frac ? least_ms : 0));
        finish(&l);
    }
}
END_TEST

/* Three moves of 1, 1 and 2 to a host that takes two at once: the long one
 * beside both others. */
START_TEST(steps_are_listed_in_the_better_order)
{
    struct world w = world_make(5, 3);

    for (uint32_t v = 0; v < 3; v++) {
        put(&w, v, v, 100);
    }
    w.vms[2].mem_mib *= 2;
    w.inv->policy.in_per_host = 2;
    struct leg l = leg_of(w);

    for (uint32_t v = 0; v < 3; v++) {
        l.to->host[v].ix = 4;
    }
    schedule_legally(&l);
    ck_assert_int_le(100 * l.answer.makespan_ms,
                     101 * l.answer.makespan_bound_ms);
    for (uint32_t i = 0; i < l.steps.n; i++) {
        ck_assert_uint_eq(l.steps.steps[i].id, i + 1);
    }
    finish(&l);
}
END_TEST

/* Hosts nearly full of VMs of all sizes, some of them to be where another one
 * is now: whatever order is found, the checker proves every order. */
START_TEST(crowded_legs_are_legal)
{
    enum { HOSTS = 9, VMS = 64 };
    uint32_t n_found = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "crowded", 0);
        struct world w = world_make(HOSTS, VMS);
        uint64_t left[2][HOSTS];

        for (uint32_t h = 0; h < HOSTS; h++) {
            left[0][h] = left[1][h] = 90000;
        }
        struct leg l = { 0 };
        uint32_t to[VMS];

        for (uint32_t v = 0; v < VMS; v++) {
            uint64_t mib = 2000 + dcp_rng_below(&rng, v % 5 ? 8000 : 45000);
            uint32_t at[2];

            for (int end = 0; end < 2; end++) {
                do {
                    at[end] = (uint32_t)dcp_rng_below(&rng, HOSTS);
                    mib -= mib > 1000 ? 500 : 0;
                } while (left[end][at[end]] < mib);
                left[end][at[end]] -= mib;
            }
            w.vms[v].host.ix = at[0];
            w.vms[v].mem_mib = mib;
            world_need(&w, v, 10);
            to[v] = at[1];
        }
        l = leg_of(w);
        for (uint32_t v = 0; v < VMS; v++) {
            l.to->host[v].ix = to[v];
        }
        schedule(&l);
        if (l.answer.ok) {
            n_found++;
            dcp_step_list_finish(&l.steps);
            l.steps = (struct dcp_step_list){ 0 };
            dcp_plan_destroy(l.w.plan);
            schedule_legally(&l);
        }
        finish(&l);
    }
    ck_assert_uint_ge(n_found, 10);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &nothing_to_move_is_no_step,
        &gates_are_nested,
        &full_hosts_swap_by_a_bypass,
        &a_swap_without_a_third_host_is_stuck,
        &hosts_are_on_before_and_off_after,
        &keep_on_counts_while_hosts_change,
        &vlans_come_first_and_go_last,
        &rules_that_always_hold_make_moves_wait,
        &makespan_keeps_the_limits,
        &an_uplink_is_shared,
        &who_stays_gets_what_others_leave,
        &a_busy_source_lets_one_go_first,
        &steps_are_listed_in_the_better_order,
        &crowded_legs_are_legal,
    };

    return RUN_TESTS("solver_schedule", tests);
}
