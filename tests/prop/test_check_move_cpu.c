/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the checker says about the CPU that moves take against brute force:
 * every state of small random plans within their limits, in every slot that it
 * may be reached in.  Both directions: it refuses exactly the plans that have a
 * state with two moves at a host that has not the CPU for them, or a move that
 * starts where it would find the CPU by waiting. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "tests/support/world.h"

#include <check.h>

enum { TRIALS = 6000, HOSTS = 3, VMS = 6, STEPS = 8, HOST_MHZ = 10000 };
enum progress { WAITING, RUNNING, DONE };

static uint32_t
below(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

static void
random_times(struct world *w, struct dcp_rng *rng, struct dcp_step *s)
{
    if (below(rng, 4) == 0) {
        s->not_before_ms = WORLD_T0 + below(rng, 3) * DCP_HOUR_MS / 2;
    }
    for (uint32_t other = 1; other < s->id; other++) {
        bool mine = w->steps[other - 1].object.ix == s->object.ix;

        if (mine || below(rng, 4) == 0) {
            world_wait(w, s->id, other);
        }
    }
    s->cold = below(rng, 8) == 0;
}

static struct world
random_world(struct dcp_rng *rng)
{
    struct world w = world_make(HOSTS, VMS);
    uint32_t at[VMS];

    w.inv->policy.migration_cpu_overhead_frac = 0.1 * (1 + below(rng, 5));
    w.inv->policy.move_wait_ms = below(rng, 3) * DCP_HOUR_MS;
    w.inv->policy.out_per_host = 1 + below(rng, 3);
    w.inv->policy.in_per_host = 1 + below(rng, 3);
    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = at[v] = below(rng, HOSTS);
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            w.cpu_mhz[v * w.demand.stride + t] = 1000 + 500 * below(rng, 7);
        }
    }
    world_plan(&w, 1, STEPS);
    w.plan->limits.out_per_host = w.inv->policy.out_per_host;
    w.plan->limits.in_per_host = w.inv->policy.in_per_host;
    w.plan->legs[0].deadline_ms = WORLD_T0 + 2 * DCP_HOUR_MS;
    w.plan->legs[0].buckets_until_ms = WORLD_T0 + 3 * DCP_HOUR_MS;
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t v = below(rng, VMS), h = below(rng, HOSTS);

        if (at[v] != h) {
            uint32_t id = world_move(&w, 0, v, at[v], h);

            random_times(&w, rng, &w.steps[id - 1]);
            at[v] = h;
        }
    }
    return w;
}

/* --- Brute force --------------------------------------------------------- */

struct state {
    const struct world *w;
    enum progress step[STEPS + 1];
    int64_t earliest_ms[STEPS + 1];
    bool bad;
};

static int64_t
takes_mhz(const struct world *w, const struct dcp_step *s)
{
    uint32_t most = 0;

    for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
        uint32_t mhz = w->cpu_mhz[s->object.ix * w->demand.stride + t];

        most = mhz > most ? mhz : most;
    }
    return s->cold
               ? 0
               : (int64_t)(w->inv->policy.migration_cpu_overhead_frac * most);
}

static bool
touches(const struct dcp_step *s, uint32_t h)
{
    return s->from.ix == h || s->to.ix == h;
}

/* VMs at the host: at both sides of a move that runs. */
static int64_t
load_mhz(const struct state *s, uint32_t h, uint32_t t)
{
    int64_t sum = 0;

    for (uint32_t v = 0; v < VMS; v++) {
        bool here = s->w->vms[v].host.ix == h;

        for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
            const struct dcp_step *step = &s->w->steps[id - 1];

            if (step->object.ix == v && s->step[id] != WAITING) {
                here = step->to.ix == h ||
                       (s->step[id] == RUNNING && step->from.ix == h);
            }
        }
        sum += here ? s->w->cpu_mhz[v * s->w->demand.stride + t] : 0;
    }
    return sum;
}

static void
judge_host(struct state *s, uint32_t h, uint32_t t)
{
    int64_t taken = 0;
    uint32_t n = 0;

    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        const struct dcp_step *step = &s->w->steps[id - 1];

        if (s->step[id] == RUNNING && touches(step, h) &&
            takes_mhz(s->w, step) > 0) {
            taken += takes_mhz(s->w, step);
            n++;
        }
    }
    s->bad |= n > 1 && taken + load_mhz(s, h, t) > HOST_MHZ;
}

static bool
keeps_limits(const struct state *s)
{
    uint32_t n[2][HOSTS] = { { 0 } };
    bool ok = true;

    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        if (s->step[id] == RUNNING) {
            n[0][s->w->steps[id - 1].from.ix]++;
            n[1][s->w->steps[id - 1].to.ix]++;
        }
    }
    for (uint32_t h = 0; h < HOSTS; h++) {
        ok = ok && n[0][h] <= s->w->plan->limits.out_per_host &&
             n[1][h] <= s->w->plan->limits.in_per_host;
    }
    return ok;
}

static void
judge_state(struct state *s)
{
    int64_t from_ms = WORLD_T0;

    if (!keeps_limits(s)) {
        return;
    }
    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        if (s->step[id] != WAITING && s->earliest_ms[id] > from_ms) {
            from_ms = s->earliest_ms[id];
        }
    }
    for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
        const struct dcp_slot *slot = &s->w->demand.slots[t];

        for (uint32_t h = 0; h < HOSTS && slot->end_ms > from_ms &&
                             slot->start_ms < s->w->plan->legs[0].deadline_ms;
             h++) {
            judge_host(s, h, t);
        }
    }
}

static void
enumerate(struct state *s, uint32_t id)
{
    if (id > s->w->plan->n_steps || s->bad) {
        judge_state(s);
        return;
    }
    const struct dcp_step *step = &s->w->steps[id - 1];
    bool may_start = true;

    for (uint32_t i = 0; i < step->n_after; i++) {
        may_start = may_start && s->step[step->after[i]] == DONE;
    }
    for (int p = WAITING; p <= (may_start ? DONE : WAITING); p++) {
        s->step[id] = (enum progress)p;
        enumerate(s, id + 1);
    }
    s->step[id] = WAITING;
}

/* Whether both hosts have the CPU in the slot as the leg begins. */
static bool
has_cpu(const struct state *s, const struct dcp_step *step, uint32_t t)
{
    int64_t need = takes_mhz(s->w, step);

    return load_mhz(s, step->from.ix, t) + need <= HOST_MHZ &&
           load_mhz(s, step->to.ix, t) + need <= HOST_MHZ;
}

/* A move that starts where it would find the CPU by waiting. */
static bool
starts_too_soon(const struct state *s)
{
    int64_t last_ms = WORLD_T0 + s->w->inv->policy.move_wait_ms;
    bool bad = false;

    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        const struct dcp_step *step = &s->w->steps[id - 1];
        uint32_t t = 0;

        while (s->w->demand.slots[t].end_ms <= s->earliest_ms[id]) {
            t++;
        }
        bool now = !takes_mhz(s->w, step) || has_cpu(s, step, t);

        for (t++; !now && t < 2; t++) { /* The leg's deadline. */
            bad |= has_cpu(s, step, t) &&
                   s->w->demand.slots[t].start_ms <= last_ms;
        }
    }
    return bad;
}

static bool
brute_force(const struct world *w, bool *out_soon)
{
    struct state s = { .w = w };

    for (uint32_t id = 1; id <= w->plan->n_steps; id++) {
        const struct dcp_step *step = &w->steps[id - 1];
        int64_t *at = &s.earliest_ms[id];

        *at = step->not_before_ms ? step->not_before_ms : WORLD_T0;
        for (uint32_t k = 0; k < step->n_after; k++) {
            *at = s.earliest_ms[step->after[k]] > *at
                      ? s.earliest_ms[step->after[k]]
                      : *at;
        }
    }
    *out_soon = starts_too_soon(&s);
    enumerate(&s, 1);
    return s.bad;
}

/* --- The checker --------------------------------------------------------- */

static void
ask_checker(struct world *w, bool *out_at_once, bool *out_soon)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    *out_at_once = *out_soon = false;
    ck_assert_msg(dcp_check_plan(w->inv, &w->demand, w->plan, &r, &err), "%s",
                  err.message);
    for (uint32_t i = 0; i < r.n_violations; i++) {
        if (!strcmp(r.violations[i].rule, "move_cpu")) {
            bool at_once = strstr(r.violations[i].text, "at once") != NULL;

            *out_at_once |= at_once;
            *out_soon |= !at_once;
            ck_assert(!at_once || r.violations[i].need > HOST_MHZ);
        }
    }
    dcp_check_result_finish(&r);
}

START_TEST(agrees_with_every_state)
{
    uint32_t n_once = 0, n_soon = 0, n_good = 0;

    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        struct dcp_rng rng = dcp_rng_stream(1, "check-move-cpu", trial);
        struct world w = random_world(&rng);
        bool want_soon, at_once, soon;
        bool want = brute_force(&w, &want_soon);

        ask_checker(&w, &at_once, &soon);
        ck_assert_msg(want == at_once,
                      "trial %llu: states say %d, the checker %d",
                      (unsigned long long)trial, want, at_once);
        ck_assert_msg(want_soon == soon,
                      "trial %llu: starts say %d, the checker %d",
                      (unsigned long long)trial, want_soon, soon);
        n_once += want;
        n_soon += want_soon;
        n_good += !want && !want_soon;
        world_free(&w);
    }
    printf("at once %u, too soon %u, good %u of %d plans\n", n_once, n_soon,
           n_good, TRIALS);
    ck_assert_uint_gt(n_once, TRIALS / 20);
    ck_assert_uint_gt(n_soon, TRIALS / 50);
    ck_assert_uint_gt(n_good, TRIALS / 20);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check_move_cpu");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120 * DCP_TEST_SLOWNESS);
    tcase_add_test(tc, agrees_with_every_state);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
