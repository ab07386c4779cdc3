/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Moves start where their hosts have CPU to spare: the slot that they wait for,
 * and waits that keep it so in whatever order they are carried out. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "solver/schedule/schedule.h"
#include "tests/support/properties.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <string.h>

#define HOST_MHZ 10000 /* Of each host of a world. */
#define MINUTE   INT64_C(60000)

static void
need_in(struct world *w, uint32_t vm, uint32_t slot, uint32_t mhz)
{
    w->cpu_mhz[(size_t)vm * w->demand.stride + slot] = mhz;
}

static void
schedule(struct world *w, const struct dcp_placement *to,
         struct dcp_step_list *steps, struct dcp_leg_answer *answer)
{
    struct dcp_error err = { 0 };

    world_plan(w, 1, 0);
    *steps = (struct dcp_step_list){ .arena = w->plan->arena };
    struct dcp_leg_request request = {
        .inventory = w->inv,
        .demand = &w->demand,
        .last_slot = w->demand.n_slots,
        .from = w->plan->before,
        .to = to,
        .move_reason = DCP_REASON_EMPTY_HOST,
        .off_reason = DCP_REASON_NIGHT_OFF,
        .start_ms = WORLD_T0,
        .until_ms = WORLD_T0 + 3 * DCP_HOUR_MS,
    };

    ck_assert_msg(dcp_schedule_leg(&request, steps, answer, &err), "%s",
                  err.message);
}

/* Host 0 is full in the first slot alone. */
START_TEST(a_move_waits_for_the_slot_that_has_it)
{
    static const struct {
        int64_t wait_ms;
        uint32_t second_mhz;
        int64_t not_before_ms;
    } cases[] = {
        { 60 * MINUTE, 5000, WORLD_T0 + 60 * MINUTE },
        { 59 * MINUTE, 5000, 0 },  /* Too long. */
        { 60 * MINUTE, 10000, 0 }, /* It would find no more. */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = world_make(3, 2);
        struct dcp_step_list steps;
        struct dcp_leg_answer answer;

        w.vms[0].host.ix = 0;
        w.vms[1].host.ix = 2;
        world_need(&w, 0, cases[i].second_mhz);
        world_need(&w, 1, 100);
        need_in(&w, 0, 0, HOST_MHZ);
        w.inv->policy.migration_cpu_overhead_frac = 0.1;
        w.inv->policy.move_wait_ms = cases[i].wait_ms;
        DCP_AUTO(dcp_placement)
        struct dcp_placement *to = dcp_placement_start(w.inv, NULL);

        to->host[0].ix = 1;
        schedule(&w, to, &steps, &answer);
        ck_assert(answer.ok);
        ck_assert_uint_eq(steps.n, 1);
        ck_assert_int_eq(steps.steps[0].not_before_ms, cases[i].not_before_ms);
        ck_assert_int_eq(answer.makespan_ms,
                         steps.steps[0].estimate_ms +
                             (cases[i].not_before_ms ? 60 * MINUTE : 0));
        ck_assert_int_lt(answer.makespan_bound_ms, 60 * MINUTE);
        dcp_step_list_finish(&steps);
        world_free(&w);
    }
}
END_TEST

/* Near its watts only the listed order of a leg is proved. */
START_TEST(where_order_counts_none_overtakes_a_move_that_waits)
{
    for (int near = 0; near < 2; near++) {
        struct world w = world_make(4, 3);
        struct dcp_step_list steps;
        struct dcp_leg_answer answer;

        w.vms[0].host.ix = 0;
        w.vms[1].host.ix = w.vms[2].host.ix = 2;
        for (uint32_t v = 0; v < 3; v++) {
            world_need(&w, v, 1000);
        }
        need_in(&w, 0, 0, HOST_MHZ);
        w.racks[0].limit_w = near ? 390 : 0; /* Of two hosts, 200 W each. */
        w.inv->policy.migration_cpu_overhead_frac = 0.1;
        DCP_AUTO(dcp_placement)
        struct dcp_placement *to = dcp_placement_start(w.inv, NULL);

        to->host[0].ix = 1;
        to->host[1].ix = 3;
        schedule(&w, to, &steps, &answer);
        ck_assert(answer.ok);
        ck_assert_uint_eq(steps.n, 2);
        for (uint32_t i = 0; i < 2; i++) {
            bool waits = near || steps.steps[i].object.ix == 0;

            ck_assert_int_eq(steps.steps[i].not_before_ms,
                             waits ? WORLD_T0 + 60 * MINUTE : 0);
            ck_assert(!waits || strstr(steps.steps[i].when_text, "h0"));
        }
        dcp_step_list_finish(&steps);
        world_free(&w);
    }
}
END_TEST

/* Where a step it waits for is held up into a slot that has not the CPU, it
 * waits for the next one. */
START_TEST(a_move_held_up_looks_for_a_slot_again)
{
    static const uint32_t order[] = { 0, 1 };
    struct world w = world_make(4, 2);
    struct dcp_step_list steps;
    struct dcp_leg_answer answer;

    w.vms[0].host.ix = 0;
    w.vms[1].host.ix = 2;
    world_need(&w, 0, 1000);
    world_need(&w, 1, 1000);
    need_in(&w, 0, 0, HOST_MHZ); /* Ready in the second slot ... */
    need_in(&w, 1, 1, HOST_MHZ); /* ... in which this one is not. */
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SEQUENCE,
                                    .name = "in-turn",
                                    .vms = order,
                                    .n_vms = 2,
                                    .order = order,
                                    .n_order = 2,
                                    .hold = DCP_HOLD_ALWAYS };
    w.inv->n_rules = 1;
    w.inv->policy.migration_cpu_overhead_frac = 0.1;
    w.inv->policy.move_wait_ms = 120 * MINUTE;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *to = dcp_placement_start(w.inv, NULL);

    to->host[0].ix = 1;
    to->host[1].ix = 3;
    schedule(&w, to, &steps, &answer);
    ck_assert(answer.ok);
    ck_assert_uint_eq(steps.n, 2);
    ck_assert_int_eq(steps.steps[0].not_before_ms, WORLD_T0 + 60 * MINUTE);
    ck_assert_int_eq(steps.steps[1].not_before_ms, WORLD_T0 + 120 * MINUTE);
    ck_assert_int_eq(answer.makespan_ms,
                     120 * MINUTE + steps.steps[1].estimate_ms);
    dcp_step_list_finish(&steps);
    world_free(&w);
}
END_TEST

/* --- In whatever order -------------------------------------------------- */

enum { HOSTS = 4, VMS = 9 };

struct run {
    const struct world *w;
    const struct dcp_step_list *steps;
    uint8_t state[64]; /* By step: 0 waits, 1 runs, 2 done. */
};

static bool
may_start(const struct run *r, uint32_t i)
{
    const struct dcp_step *s = &r->steps->steps[i];
    bool ok = r->state[i] == 0;

    for (uint32_t k = 0; ok && k < s->n_after; k++) {
        ok = r->state[s->after[k] - 1] == 2;
    }
    return ok;
}

/* What the host's VMs and moves take in the slot; how many moves run. */
static int64_t
taken_mhz(const struct run *r, uint32_t host, uint32_t slot, uint32_t *out_n)
{
    const struct world *w = r->w;
    int64_t sum = 0;

    *out_n = 0;
    for (uint32_t v = 0; v < VMS; v++) {
        sum += w->vms[v].host.ix == host
                   ? w->cpu_mhz[(size_t)v * w->demand.stride + slot]
                   : 0;
    }
    for (uint32_t i = 0; i < r->steps->n; i++) {
        const struct dcp_step *s = &r->steps->steps[i];

        if (s->kind != DCP_STEP_MIGRATE || !r->state[i]) {
            continue;
        }
        const uint32_t *mhz =
            w->cpu_mhz + (size_t)s->object.ix * w->demand.stride;
        uint32_t peak = 0;

        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            peak = mhz[t] > peak ? mhz[t] : peak;
        }
        sum += s->to.ix == host ? mhz[slot] : 0;
        sum -= s->from.ix == host && r->state[i] == 2 ? mhz[slot] : 0;
        if (r->state[i] == 1 && (s->from.ix == host || s->to.ix == host)) {
            sum += (int64_t)(0.1 * peak);
            ++*out_n;
        }
    }
    return sum;
}

/* Starts and ends steps as chance has it. */
static void
run_by_chance(struct run *r, struct dcp_rng *rng)
{
    for (uint32_t tries = 0; tries < 400; tries++) {
        uint32_t i = (uint32_t)dcp_rng_below(rng, r->steps->n);

        if (r->state[i] == 1) {
            r->state[i] = 2;
            continue;
        }
        if (!may_start(r, i)) {
            continue;
        }
        r->state[i] = 1;
        for (uint32_t h = 0; h < HOSTS; h++) {
            uint32_t n;
            int64_t mhz = taken_mhz(r, h, 0, &n); /* They end in it. */

            ck_assert_msg(n <= 1 || mhz <= HOST_MHZ,
                          "host %u takes %lld MHz with %u moves", h,
                          (long long)mhz, n);
        }
    }
}

/* Random placements, hosts nearly full; the end is legal, and the start. */
START_TEST(moves_at_once_fit_in_every_order)
{
    struct dcp_rng rng = dcp_rng_stream(7, "move-cpu", 0);
    uint32_t n_legs = 0, n_waits = 0;

    for (uint32_t round = 0; round < part_of(400); round++) {
        struct world w = world_make(HOSTS, VMS);
        DCP_AUTO(dcp_placement) struct dcp_placement *to = NULL;
        int64_t left[2][HOSTS];
        struct dcp_step_list steps;
        struct dcp_leg_answer answer;

        for (uint32_t h = 0; h < HOSTS; h++) {
            left[0][h] = left[1][h] = HOST_MHZ;
        }
        w.inv->policy.migration_cpu_overhead_frac = 0.1;
        w.inv->policy.move_wait_ms = 0;
        w.inv->policy.out_per_host = w.inv->policy.in_per_host = 9;
        for (uint32_t v = 0; v < VMS; v++) {
            uint32_t peak = 1000 + (uint32_t)dcp_rng_below(&rng, 3000), from;

            do {
                from = (uint32_t)dcp_rng_below(&rng, HOSTS);
                peak -= peak / 10;
            } while (left[0][from] < peak);
            left[0][from] -= peak;
            w.vms[v].host.ix = from;
            world_need(&w, v, peak);
            need_in(&w, v, (uint32_t)dcp_rng_below(&rng, WORLD_SLOTS),
                    peak / 2);
        }
        to = dcp_placement_start(w.inv, NULL);
        for (uint32_t v = 0; v < VMS; v++) {
            uint32_t h = (uint32_t)dcp_rng_below(&rng, HOSTS);
            uint32_t mhz = w.cpu_mhz[(size_t)v * w.demand.stride];

            mhz = 2 * mhz; /* At least its peak. */
            h = left[1][h] >= mhz ? h : to->host[v].ix;
            left[1][h] -= mhz;
            to->host[v].ix = h;
        }
        schedule(&w, to, &steps, &answer);
        if (answer.ok && steps.n && steps.n <= 64) {
            n_legs++;
            for (uint32_t i = 0; i < steps.n; i++) {
                n_waits += steps.steps[i].n_after;
            }
            for (uint32_t k = 0; k < 20; k++) {
                struct run r = { .w = &w, .steps = &steps };

                run_by_chance(&r, &rng);
            }
        }
        dcp_step_list_finish(&steps);
        world_free(&w);
    }
    ck_assert_uint_gt(n_legs, part_of(200));
    ck_assert_uint_gt(n_waits, part_of(200));
}
END_TEST

/* --- As the checker counts it ------------------------------------------- */

/* VMs with a demand of their own in every slot; hosts nearly full at both ends
 * of the leg. */
static struct dcp_placement *
random_ends(struct world *w, struct dcp_rng *rng)
{
    int64_t left[2][HOSTS][WORLD_SLOTS];
    struct dcp_placement *to;

    for (uint32_t h = 0; h < HOSTS; h++) {
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            left[0][h][t] = left[1][h][t] = HOST_MHZ;
        }
    }
    for (uint32_t v = 0; v < VMS; v++) {
        w->vms[v].host.ix = (uint32_t)dcp_rng_below(rng, HOSTS);
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            int64_t *room = &left[0][w->vms[v].host.ix][t];
            uint32_t mhz = 500 + (uint32_t)dcp_rng_below(rng, 3500);

            mhz = mhz > *room ? (uint32_t)*room : mhz;
            need_in(w, v, t, mhz);
            *room -= mhz;
        }
    }
    to = dcp_placement_start(w->inv, NULL);
    for (uint32_t v = 0; v < VMS; v++) {
        const uint32_t *cpu = w->cpu_mhz + (size_t)v * w->demand.stride;
        uint32_t h = (uint32_t)dcp_rng_below(rng, HOSTS);
        bool fits = true;

        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            fits = fits && left[1][h][t] >= 2 * (int64_t)cpu[t];
        }
        h = fits ? h : to->host[v].ix;
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            left[1][h][t] -= cpu[t];
        }
        to->host[v].ix = h;
    }
    return to;
}

static void
judge(struct world *w, const struct dcp_placement *to,
      const struct dcp_step_list *steps, int64_t makespan_ms, uint32_t round)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };
    int64_t most_ms = WORLD_SLOTS * 60 * MINUTE;
    int64_t length_ms = makespan_ms + makespan_ms / 4 + 20 * MINUTE;

    w->plan->steps = steps->steps;
    w->plan->n_steps = steps->n;
    w->plan->legs[0].deadline_ms =
        WORLD_T0 + (length_ms < most_ms ? length_ms : most_ms);
    w->plan->legs[0].buckets_until_ms = WORLD_T0 + most_ms;
    for (uint32_t v = 0; v < VMS; v++) {
        w->plan->legs[0].after->host[v] = to->host[v];
    }
    ck_assert_msg(dcp_check_plan(w->inv, &w->demand, w->plan, &r, &err), "%s",
                  err.message);
    for (uint32_t i = 0; i < r.n_violations; i++) {
        ck_assert_msg(strcmp(r.violations[i].rule, "move_cpu"),
                      "round %u: step %u, %s: %s", round, r.violations[i].step,
                      r.violations[i].object, r.violations[i].text);
    }
    dcp_check_result_finish(&r);
}

START_TEST(the_checker_finds_no_fault)
{
    struct dcp_rng rng = dcp_rng_stream(8, "move-cpu", 0);
    uint32_t n_legs = 0, n_times = 0, n_waits = 0;

    for (uint32_t round = 0; round < part_of(1500); round++) {
        struct world w = world_make(HOSTS, VMS);
        struct dcp_policy *policy = &w.inv->policy;
        struct dcp_step_list steps;
        struct dcp_leg_answer answer;

        policy->migration_cpu_overhead_frac =
            0.1 * (1 + (double)dcp_rng_below(&rng, 4));
        policy->move_wait_ms = (int64_t)dcp_rng_below(&rng, 3) * 60 * MINUTE;
        policy->out_per_host = 1 + (uint32_t)dcp_rng_below(&rng, 3);
        policy->in_per_host = 1 + (uint32_t)dcp_rng_below(&rng, 3);
        DCP_AUTO(dcp_placement)
        struct dcp_placement *to = random_ends(&w, &rng);

        schedule(&w, to, &steps, &answer);
        if (answer.ok && steps.n) {
            n_legs++;
            w.plan->limits.out_per_host = policy->out_per_host;
            w.plan->limits.in_per_host = policy->in_per_host;
            for (uint32_t i = 0; i < steps.n; i++) {
                n_times += steps.steps[i].not_before_ms > 0;
                n_waits += steps.steps[i].n_after;
            }
            judge(&w, to, &steps, answer.makespan_ms, round);
        }
        dcp_step_list_finish(&steps);
        world_free(&w);
    }
    ck_assert_uint_gt(n_legs, part_of(1000));
    ck_assert_uint_gt(n_times, part_of(50));
    ck_assert_uint_gt(n_waits, part_of(500));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &a_move_waits_for_the_slot_that_has_it,
        &where_order_counts_none_overtakes_a_move_that_waits,
        &a_move_held_up_looks_for_a_slot_again,
        &moves_at_once_fit_in_every_order,
        &the_checker_finds_no_fault,
    };

    return RUN_TESTS("solver_move_cpu", tests);
}
