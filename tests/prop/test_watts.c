/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Racks, feeds and rooms whose limits are near what the start draws, and now
 * and then below it: whatever the planner proposes, its listed order and both
 * ends are legal, though a boot may draw more than a host that idles. */

#include "model/capacity.h"
#include "model/power.h"
#include "tests/support/random_plan.h"
#include "tests/unit/run_suite.h"

static double
start_watts(const struct world *w, uint32_t rack, uint32_t slot)
{
    const struct dcp_inventory *inv = w->inv;
    double sum = 0;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];
        const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];
        double mhz = 0,
               all = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

        if (host->rack.ix != rack) {
            continue;
        }
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            mhz += inv->vms[v].host.ix == h
                       ? w->demand.cpu_mhz[(size_t)v * w->demand.stride + slot]
                       : 0;
        }
        sum += host->state == DCP_HOST_STANDBY ? hw->sleep_w
                                               : dcp_power_at(hw, mhz / all);
    }
    return sum;
}

static double
peak_watts(const struct world *w, uint32_t rack)
{
    double peak = 0;

    for (uint32_t t = 0; t < RANDOM_SLOTS; t++) {
        double now = start_watts(w, rack, t);

        peak = now > peak ? now : peak;
    }
    return peak;
}

/* A limit some way above or, now and then, below what is drawn. */
static uint32_t
limit_near(struct dcp_rng *rng, double watts)
{
    double more = (double)draw(rng, 200) - 40;

    return watts + more > 1 ? (uint32_t)(watts + more) : 1;
}

static struct world
tight_model(const struct sample *s)
{
    struct world w = random_plan_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "watts", 0);
    struct dcp_room *rooms = WORLD_NEW(&w, struct dcp_room, w.inv->n_rooms);
    double rack_w[RANDOM_RACKS], room_w[2] = { 0 },
                                 feed_w[RANDOM_FEEDS] = { 0 };

    for (uint32_t i = 0; i < w.inv->n_hardware; i++) {
        w.hardware[i].boot_w = w.hardware[i].power_w[0] + draw(&rng, 60);
        w.hardware[i].shutdown_w = w.hardware[i].power_w[0] - draw(&rng, 20);
    }
    for (uint32_t r = 0; r < RANDOM_RACKS; r++) {
        rack_w[r] = peak_watts(&w, r);
        room_w[w.racks[r].room.ix] += rack_w[r];
        w.racks[r].limit_w = chance(&rng, 60) ? limit_near(&rng, rack_w[r]) : 0;
        for (uint32_t f = 0; f < w.racks[r].feeds.n; f++) {
            feed_w[w.racks[r].feeds.ix[f]] += rack_w[r];
        }
    }
    for (uint32_t f = 0; f < RANDOM_FEEDS; f++) {
        w.feeds[f].limit_w = chance(&rng, 40) ? limit_near(&rng, feed_w[f]) : 0;
    }
    for (uint32_t i = 0; i < w.inv->n_rooms; i++) {
        rooms[i] = w.inv->rooms[i];
        rooms[i].cooling_w = chance(&rng, 30) ? limit_near(&rng, room_w[i]) : 0;
    }
    w.inv->rooms = rooms;
    return w;
}

static uint32_t n_plans, n_moves, n_boots;

static bool
plan_keeps_watts(const struct sample *s, enum dcp_job job, char why[WHY])
{
    struct world w = tight_model(s);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;
    struct dcp_error err = { 0 };

    r.job = job;
    r.two_legs = r.two_legs && job == DCP_JOB_CONSOLIDATE;
    bool ok = dcp_plan_make(&r, &plan, &outcome, &err);

    if (!ok) {
        (void)snprintf(why, WHY, "planner: %s", err.message);
    } else if (plan) {
        ok = random_plan_is_legal(&w, plan, why);
        n_plans++;
        n_moves += outcome.moves;
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            n_boots += plan->steps[i].kind == DCP_STEP_HOST_ON;
        }
    }
    world_free(&w);
    return ok;
}

static bool
night_keeps_watts(const struct sample *s, char why[WHY])
{
    return plan_keeps_watts(s, DCP_JOB_CONSOLIDATE, why);
}

static bool
repair_keeps_watts(const struct sample *s, char why[WHY])
{
    return plan_keeps_watts(s, DCP_JOB_REPAIR, why);
}

static bool
balance_keeps_watts(const struct sample *s, char why[WHY])
{
    return plan_keeps_watts(s, DCP_JOB_BALANCE, why);
}

/* The property must have been tried on something. */
static void
expect_plans(uint32_t plans)
{
    ck_assert(getenv("DCP_PROP_SEED") || n_plans >= plans);
}

START_TEST(nights_keep_watts)
{
    try_samples(random_plan_sample, night_keeps_watts, part_of(250));
    printf("%u plans, %u moves, %u boots\n", n_plans, n_moves, n_boots);
    expect_plans(part_of(60));
    ck_assert(getenv("DCP_PROP_SEED") || n_boots >= part_of(25));
}
END_TEST

START_TEST(repairs_keep_watts)
{
    try_samples(random_plan_sample, repair_keeps_watts, part_of(150));
    printf("%u plans, %u moves\n", n_plans, n_moves);
    expect_plans(part_of(35));
}
END_TEST

START_TEST(balancing_keeps_watts)
{
    try_samples(random_plan_sample, balance_keeps_watts, part_of(100));
    printf("%u plans, %u moves\n", n_plans, n_moves);
    expect_plans(part_of(25));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &nights_keep_watts,
                                                 &repairs_keep_watts,
                                                 &balancing_keeps_watts };

    return RUN_TESTS("watts", tests);
}
