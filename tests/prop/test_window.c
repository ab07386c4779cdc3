/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Nights that do not fit their window.  On random small datacenters with rules
 * and headroom: plans that were cut pass the checker, end in time and say what
 * they left.  On tiny ones without: no set of hosts that fits is smaller than
 * the one that was kept, by scheduling every set here. */

#include "solver/plan/planner.h"
#include "solver/schedule/schedule.h"
#include "tests/support/night.h"
#include "tests/support/random_model.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

#define FIVE_MINUTES_MS INT64_C(300000)

static struct dcp_plan_request
request(const struct world *w, const struct dcp_placement *start,
        uint32_t night_slots, enum dcp_goal goal, uint64_t seed)
{
    struct dcp_plan_request r = night_request(w, start, night_slots, goal);

    r.solve = (struct dcp_solve_options){ .seed = seed,
                                          .iterations = 20,
                                          .gap_frac = 0.1 };
    return r;
}

static bool
ends_in_time(const struct dcp_plan_request *r, const struct dcp_plan *plan,
             char why[WHY])
{
    const struct dcp_leg *out = &plan->legs[0], *back = &plan->legs[1];
    bool ok = out->start_ms + out->makespan_ms <= back->start_ms &&
              back->start_ms + back->makespan_ms +
                      r->inventory->policy.morning_lead_ms <=
                  r->window_end_ms;

    if (!ok) {
        (void)snprintf(why, WHY, "a leg ends too late");
    }
    return ok;
}

/* --- Random models ------------------------------------------------------ */

static uint32_t n_whole, n_cut, n_none, n_exact;

static struct sample
small(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "window", 0);
    uint32_t n_hosts = 4 + draw(&rng, 8);

    return (struct sample){ .seed = seed,
                            .n_hosts = n_hosts,
                            .n_vms = 2 * n_hosts + draw(&rng, 2 * n_hosts),
                            .n_rules = draw(&rng, RANDOM_RULES_MAX + 1u) };
}

/* To mend a start that is not legal may cost something. */
static bool
says_so(const struct world *w, const struct dcp_plan_request *r,
        const struct dcp_plan_outcome *o, char why[WHY])
{
    struct dcp_check_result start;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_placement(w->inv, &w->demand, r->start, 0,
                                      RANDOM_NIGHT, &start, &err),
                  "%s", err.message);
    bool ok = o->status == DCP_STATUS_FEASIBLE && o->window.value_left >= 0 &&
              o->lower_bound <= o->after + 1e-9 &&
              (o->after <= o->before + 1e-9 || start.n_violations_all);

    dcp_check_result_finish(&start);

    if (!ok) {
        (void)snprintf(why, WHY, "%g -> %g, bound %g, %g left", o->before,
                       o->after, o->lower_bound, o->window.value_left);
    }
    return ok;
}

/* Each host that stays on for the window or for failed boots is recorded. */
static bool
records_all(const struct dcp_plan *plan, const struct dcp_plan_outcome *o,
            char why[WHY])
{
    uint32_t n[2] = { 0 };

    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        n[plan->left_out[i].why]++;
    }
    bool ok = n[DCP_LEFT_OUT_WINDOW] == o->window.hosts_kept_on &&
              n[DCP_LEFT_OUT_FAILED_BOOTS] >= o->hosts_kept_on;

    if (!ok) {
        (void)snprintf(why, WHY, "%u and %u recorded, %u and %u kept on", n[0],
                       n[1], o->window.hosts_kept_on, o->hosts_kept_on);
    }
    return ok;
}

static bool
cut_is_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "window", 1);

    w.inv->policy.migration_kib_s = 2000u << draw(&rng, 6);
    w.inv->policy.morning_lead_ms = 0;
    w.inv->policy.min_gain_frac = 0;
    w.inv->policy.unpack =
        chance(&rng, 50) ? DCP_UNPACK_HOME : DCP_UNPACK_NEEDED;
    w.inv->policy.failed_boots_frac = chance(&rng, 50) ? 0.1 : 0;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r =
        request(&w, start, RANDOM_NIGHT,
                chance(&rng, 50) ? DCP_GOAL_ENERGY : DCP_GOAL_HOSTS, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome o;
    struct dcp_error err = { 0 };
    bool ok = dcp_plan_make(&r, &plan, &o, &err);

    if (!ok) {
        (void)snprintf(why, WHY, "planner: %s", err.message);
    } else if (plan) {
        ok = plan_passes(&w, plan, why, WHY) && ends_in_time(&r, plan, why) &&
             records_all(plan, &o, why) &&
             (o.window.fits || says_so(&w, &r, &o, why));
        n_whole += o.window.fits;
        n_cut += !o.window.fits;
        n_exact += o.window.exact;
    } else {
        n_none += !o.window.fits;
    }
    world_free(&w);
    return ok;
}

/* Nights are slow in an instrumented build: a sixteenth of them. */
static uint32_t
few_of(uint32_t n)
{
    return part_of(part_of(n));
}

START_TEST(what_is_left_of_a_night_is_legal_and_in_time)
{
    try_samples(small, cut_is_legal, few_of(50));
    printf("%u nights fit, %u were cut (%u of them exactly), of %u nothing "
           "was left\n",
           n_whole, n_cut, n_exact, n_none);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_cut, few_of(4));
        ck_assert_uint_ge(n_exact, few_of(4));
    }
}
END_TEST

/* --- Tiny models -------------------------------------------------------- */

enum { NIGHT_SLOTS = 2 };

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);
    uint32_t n_hosts = 3 + draw(&rng, 4);

    return (struct sample){ .seed = seed,
                            .n_hosts = n_hosts,
                            .n_vms = n_hosts + draw(&rng, n_hosts) };
}

static struct world
tiny_model(const struct sample *s)
{
    struct world w = world_make(s->n_hosts, s->n_vms);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "tiny", 1);

    for (uint32_t v = 0; v < s->n_vms; v++) {
        w.vms[v].host.ix = v % s->n_hosts;
        w.vms[v].mem_mib = 2000 + draw(&rng, 20000);
        world_need(&w, v, 200 + draw(&rng, 1500));
        w.cpu_mhz[v * w.demand.stride + NIGHT_SLOTS] = 4000;
    }
    w.inv->policy.min_gain_frac = 0;
    w.inv->policy.morning_lead_ms = 0;
    w.inv->policy.unpack = DCP_UNPACK_HOME;
    w.inv->policy.migration_kib_s = 1000000;
    return w;
}

/* How long a leg takes; 0: no order. */
static int64_t
leg_ms(const struct world *w, const struct dcp_placement *from,
       const struct dcp_placement *to, uint32_t leg, uint32_t first_slot,
       uint32_t last_slot)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_step_list steps = { .arena = arena };
    struct dcp_trunks trunks = { 0 };
    struct dcp_leg_request r = { .inventory = w->inv,
                                 .demand = &w->demand,
                                 .first_slot = first_slot,
                                 .last_slot = last_slot,
                                 .from = from,
                                 .to = to,
                                 .leg = leg,
                                 .move_reason = DCP_REASON_UNPACK,
                                 .off_reason = DCP_REASON_NIGHT_OFF,
                                 .trunks = &trunks };
    struct dcp_leg_answer a;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_schedule_leg(&r, &steps, &a, &err), "%s", err.message);
    dcp_trunks_finish(&trunks);
    dcp_step_list_finish(&steps);
    dcp_arena_destroy(arena);
    return a.ok ? a.makespan_ms : 0;
}

static int64_t
with_slack(int64_t ms)
{
    int64_t length = (int64_t)(1.25 * (double)ms);

    return (length + FIVE_MINUTES_MS - 1) / FIVE_MINUTES_MS * FIVE_MINUTES_MS;
}

static bool
fits(const struct world *w, const struct dcp_placement *start,
     const struct dcp_placement *night)
{
    int64_t end = WORLD_T0 + NIGHT_SLOTS * DCP_HOUR_MS;
    int64_t out = leg_ms(w, start, night, 0, 0, NIGHT_SLOTS);
    int64_t at = 0;

    if (!out || WORLD_T0 + with_slack(out) + 3 * FIVE_MINUTES_MS > end) {
        return false;
    }
    for (uint32_t first = NIGHT_SLOTS; first-- > 0;) {
        int64_t back = leg_ms(w, night, start, 1, first, w->demand.n_slots);

        at = (end - with_slack(back)) / FIVE_MINUTES_MS * FIVE_MINUTES_MS;
        if (!back || w->demand.slots[first].start_ms <= at) {
            return back && at >= WORLD_T0 + out;
        }
    }
    return false;
}

/* Fewest hosts on of all sets of emptied hosts that stay; UINT32_MAX: none
 * fits. */
static uint32_t
fewest_on(const struct world *w, const struct dcp_placement *start,
          const struct dcp_placement *night)
{
    uint32_t best = UINT32_MAX, n_hosts = w->inv->n_hosts;

    for (uint32_t set = 0; set < 1u << n_hosts; set++) {
        DCP_AUTO(dcp_placement)
        struct dcp_placement *p = dcp_placement_copy(night, NULL);
        bool real = true;

        for (uint32_t h = 0; h < n_hosts; h++) {
            real &= !(set >> h & 1) || !night->on[h];
            p->on[h] |= set >> h & 1;
        }
        for (uint32_t v = 0; v < p->n_vms; v++) {
            if (set >> start->host[v].ix & 1) {
                p->host[v] = start->host[v];
            }
        }
        uint32_t n_on = dcp_placement_n_on(p);

        if (real && n_on < n_hosts && n_on < best && fits(w, start, p)) {
            best = n_on;
        }
    }
    return best;
}

static uint32_t n_compared, n_left;

static bool
cut_is_least(const struct sample *s, char why[WHY])
{
    struct world w = tiny_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "tiny", 2);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r =
        request(&w, start, NIGHT_SLOTS, DCP_GOAL_HOSTS, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *whole = NULL;
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome o;
    struct dcp_error err = { 0 };
    bool ok = true, moves_alone = true;

    ck_assert(dcp_plan_make(&r, &whole, &o, &err));
    ck_assert_ptr_nonnull(whole);
    const struct dcp_placement *night = whole->legs[0].after;

    for (uint32_t v = 0; v < s->n_vms; v++) { /* Nobody only makes room. */
        moves_alone &= night->host[v].ix == start->host[v].ix ||
                       !night->on[start->host[v].ix];
    }
    w.inv->policy.migration_kib_s = 3000 + draw(&rng, 12000);
    ck_assert(dcp_plan_make(&r, &plan, &o, &err));
    if (moves_alone && !o.window.fits) {
        uint32_t least = fewest_on(&w, start, night);

        ok = plan ? o.window.exact && o.hosts_on_after == least
                  : least == UINT32_MAX;
        (void)snprintf(why, WHY, "%u hosts on, %u by brute force",
                       plan ? o.hosts_on_after : 0, least);
        n_compared++;
        n_left += plan != NULL;
    }
    ok = ok && (!plan || (plan_passes(&w, plan, why, WHY) &&
                          ends_in_time(&r, plan, why)));
    world_free(&w);
    return ok;
}

START_TEST(no_smaller_set_of_hosts_would_fit)
{
    try_samples(tiny, cut_is_least, few_of(50));
    printf("%u nights compared, something is left of %u\n", n_compared, n_left);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_compared, few_of(20));
        ck_assert_uint_ge(n_left, few_of(10));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_left_of_a_night_is_legal_and_in_time,
        &no_smaller_set_of_hosts_would_fit,
    };

    return RUN_TESTS("window", tests);
}
