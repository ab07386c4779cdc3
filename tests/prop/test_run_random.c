/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Random plans, limits and fates: what the runner did is judged from the log
 * of the world alone. */

#include "executors/runner.h"
#include "model/base/rng.h"
#include "sim/executor.h"
#include "tests/unit/exec_fixture.h"

enum { HOSTS = 8, VMS = 24, STEPS = 50, RUNS = 300 };

static struct fixture f;
static enum dcp_fate fates[STEPS];

static enum dcp_fate
fate_of(void *user, const struct dcp_step *s)
{
    (void)user;
    return fates[s->id - 1];
}

/* Moves of random VMs, each after the VM's last; some wait for others too. */
static void
make_plan(struct dcp_rng *rng, bool faults)
{
    uint32_t at[VMS], last[VMS] = { 0 };

    fixture_init(&f, HOSTS, VMS);
    f.plan->limits.out_per_host = (uint32_t)dcp_rng_below(rng, 4);
    f.plan->limits.in_per_host = (uint32_t)dcp_rng_below(rng, 4);
    f.plan->limits.units_per_10gbit = (uint32_t)dcp_rng_below(rng, 6);
    for (uint32_t v = 0; v < VMS; v++) {
        at[v] = v % HOSTS;
    }
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t v = (uint32_t)dcp_rng_below(rng, VMS);
        uint32_t to =
            (at[v] + 1 + (uint32_t)dcp_rng_below(rng, HOSTS - 1)) % HOSTS;
        uint32_t other = i ? 1 + (uint32_t)dcp_rng_below(rng, i) : 0;
        int64_t ms = 1 + (int64_t)dcp_rng_below(rng, 60000);
        uint32_t id = fixture_move(&f, v, at[v], to, ms, last[v]);

        if (other > last[v] && dcp_rng_below(rng, 3) == 0) {
            fixture_after(&f, id, other);
        }
        at[v] = to;
        last[v] = id;
        fates[i] = faults && dcp_rng_below(rng, 12) == 0
                       ? (enum dcp_fate)(1 + dcp_rng_below(rng, 3))
                       : DCP_FATE_DONE;
    }
}

struct recount {
    uint32_t out[HOSTS], in[HOSTS];
    bool started[STEPS], done[STEPS];
};

static void
judge_start(struct recount *c, const struct dcp_step *s)
{
    const struct dcp_plan_limits *l = &f.plan->limits;
    uint32_t from = s->from.ix, to = s->to.ix;

    ck_assert(!c->started[s->id - 1]); /* Never twice. */
    c->started[s->id - 1] = true;
    for (uint32_t a = 0; a < s->n_after; a++) {
        ck_assert(c->done[s->after[a] - 1]);
    }
    c->out[from]++;
    c->in[to]++;
    ck_assert(!l->out_per_host || c->out[from] <= l->out_per_host);
    ck_assert(!l->in_per_host || c->in[to] <= l->in_per_host);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t h = i ? to : from;

        ck_assert(!l->units_per_10gbit ||
                  c->out[h] + c->in[h] <= l->units_per_10gbit);
    }
}

static void
judge(const struct dcp_action_record *log, uint32_t n)
{
    struct recount c = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = &f.steps[log[i].step - 1];

        ck_assert(!i || log[i].at_ms >= log[i - 1].at_ms);
        if (log[i].phase == DCP_ACTION_STARTED) {
            judge_start(&c, s);
        } else {
            c.done[s->id - 1] = log[i].phase == DCP_ACTION_DONE;
            c.out[s->from.ix]--;
            c.in[s->to.ix]--;
        }
    }
}

static void
run_once(uint64_t seed, bool faults)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "run", faults);
    struct dcp_run_options o;
    struct dcp_run_report r;
    struct dcp_error err = { 0 };
    uint32_t n;

    make_plan(&rng, faults);
    struct dcp_virtual_options vo = { .inventory = f.inv,
                                      .plan = f.plan,
                                      .start = f.plan->before,
                                      .start_ms = FIXTURE_START_MS,
                                      .fate = fate_of };
    DCP_AUTO(dcp_virtual)
    struct dcp_virtual *w = dcp_virtual_create(&vo, &dcp_virtual_ops, NULL);

    dcp_run_options_default(&o);
    ck_assert_msg(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, &r, &err), "%s",
        err.message);
    const struct dcp_action_record *log = dcp_virtual_log(w, &n);

    judge(log, n);
    ck_assert_uint_eq(
        r.n_done + r.n_failed + r.n_skipped + r.n_unknown + r.n_pending, STEPS);
    ck_assert(!r.n_pending || r.n_unknown); /* Held back by those only. */
    ck_assert(faults || dcp_run_complete(&r));
    if (dcp_run_complete(&r)) {
        ck_assert_uint_eq(dcp_placement_n_moved(dcp_virtual_placement(w),
                                                f.plan->legs[0].after),
                          0);
    }
    for (uint32_t i = 0; i < STEPS; i++) { /* Silence is no failure. */
        ck_assert(r.steps[i].outcome != DCP_OUTCOME_FAILED ||
                  fates[i] == DCP_FATE_FAILS);
        ck_assert((r.steps[i].outcome == DCP_OUTCOME_UNKNOWN) ==
                  (fates[i] == DCP_FATE_LOST &&
                   r.steps[i].outcome != DCP_OUTCOME_SKIPPED &&
                   r.steps[i].outcome != DCP_OUTCOME_PENDING));
    }
    dcp_run_report_finish(&r);
    fixture_finish(&f);
}

START_TEST(random_plans_keep_order_and_limits)
{
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        run_once(seed, false);
        run_once(seed, true);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("run_random");
    TCase *tcase = tcase_create("run_random");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, random_plans_keep_order_and_limits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
