/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The runner in a simulated world in which hosts fail: what it learns, when,
 * and that its report, the world and the events of the replay agree. */

#include "model/base/rng.h"
#include "sim/failure/restart.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#define END_MS (FIXTURE_START_MS + 8 * DCP_HOUR_MS)

static struct dcp_outages outages;
static struct dcp_ha_options options;
static struct dcp_ha *ha;
static struct dcp_run_report report;
static struct dcp_lost_steps lost;
static struct dcp_placement *after; /* The world at the run's end. */

static void
begin(uint32_t n_hosts, uint32_t n_vms)
{
    fixture_init(&f, n_hosts, n_vms);
    f.inv->policy.target_cpu_frac = 1;
    f.inv->policy.target_mem_frac = 1;
    dcp_ha_options_default(&options);
    outages = (struct dcp_outages){ 0 };
    lost = (struct dcp_lost_steps){ 0 };
    ha = NULL;
}

static void
end(void)
{
    dcp_ha_destroy(ha);
    dcp_outages_finish(&outages);
    dcp_run_report_finish(&report);
    dcp_placement_destroy(after);
    fixture_finish(&f);
}

static void
break_host(uint32_t host, int64_t at_ms, int64_t for_ms)
{
    struct dcp_outage o = { FIXTURE_START_MS + at_ms,
                            FIXTURE_START_MS + at_ms + for_ms, DCP_DOMAIN_HOST,
                            host };

    ck_assert(dcp_outages_add(&outages, o, NULL));
}

static void
run_failing(void)
{
    struct dcp_ha_input in = { .inventory = f.inv,
                               .start = f.plan->before,
                               .hosts = &outages,
                               .options = options };
    struct dcp_run_options o;
    struct dcp_error err = { 0 };

    ha = dcp_ha_create(&in, &err);
    ck_assert_msg(ha != NULL, "%s", err.message);
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = dcp_sim_executor_create(
        f.inv, f.plan, 0, f.plan->before, FIXTURE_START_MS, NULL, &err);

    ck_assert(x && dcp_sim_executor_meet(x, ha, 0, END_MS, &err));
    struct dcp_virtual *w = dcp_sim_executor_world(x);

    dcp_run_options_default(&o);
    ck_assert_msg(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, &report, &err),
        "%s", err.message);
    ck_assert_msg(dcp_sim_executor_lost(x, &report, &lost, &err), "%s",
                  err.message);
    after = dcp_placement_copy(dcp_virtual_placement(w), NULL);
    ck_assert_ptr_nonnull(after);
}

static void
expect(uint32_t step, enum dcp_outcome outcome)
{
    ck_assert_msg(report.steps[step - 1].outcome == outcome,
                  "step %u: %s, not %s", step,
                  dcp_outcome_name(report.steps[step - 1].outcome),
                  dcp_outcome_name(outcome));
}

static int64_t
ended_ms(uint32_t step)
{
    return report.steps[step - 1].ended_ms - FIXTURE_START_MS;
}

/* --- By hand ------------------------------------------------------------- */

/* v1 leaves h1 for h2, then h1 goes off. */
static void
plan_emptying(void)
{
    begin(2, 1);
    fixture_move(&f, 0, 0, 1, 60000, 0);
    fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, 60000, 1);
}

START_TEST(nothing_is_lost_where_nothing_fails)
{
    plan_emptying();
    break_host(0, 7 * DCP_HOUR_MS, DCP_HOUR_MS);
    run_failing();
    ck_assert(dcp_run_complete(&report));
    ck_assert_uint_eq(dcp_lost_steps_prevented(&lost), 0);
    end();
}
END_TEST

START_TEST(nothing_moves_to_a_dead_host)
{
    plan_emptying();
    break_host(1, 0, DCP_HOUR_MS);
    run_failing();
    expect(1, DCP_OUTCOME_FAILED);
    expect(2, DCP_OUTCOME_SKIPPED);
    ck_assert_int_eq(ended_ms(1), 0);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_HOST_DOWN], 1);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_SKIPPED], 1);
    ck_assert_uint_eq(dcp_lost_steps_prevented(&lost), 2);
    ck_assert_uint_eq(after->host[0].ix, 0);
    end();
}
END_TEST

/* When it happens, not when the migration would have ended. */
START_TEST(an_outage_cuts_what_is_under_way)
{
    plan_emptying();
    struct dcp_vm large = f.inv->vms[0];

    large.mem_mib = 32768; /* On its way for longer than a second. */
    f.inv->vms = &large;
    break_host(1, 1000, DCP_HOUR_MS);
    run_failing();
    expect(1, DCP_OUTCOME_FAILED);
    expect(2, DCP_OUTCOME_SKIPPED);
    ck_assert_int_eq(ended_ms(1), 1000);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_CUT], 1);
    ck_assert_uint_eq(after->host[0].ix, 0);
    end();
}
END_TEST

/* The VM is down when it is to be stopped, and will be restarted. */
START_TEST(what_is_down_by_chance_is_not_stopped)
{
    begin(2, 1);
    fixture_step(&f, DCP_STEP_VM_STOP, 0, 0, 0, 60000, 0);
    f.steps[0].from = (struct dcp_object){ DCP_OBJECT_HOST, 0 };
    break_host(0, 0, DCP_HOUR_MS);
    run_failing();
    expect(1, DCP_OUTCOME_FAILED);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_VM_DOWN], 1);
    ck_assert(dcp_ha_advance(ha, END_MS, NULL));
    end();
}
END_TEST

/* h3 is on repair: it is not woken, what waits for it is left out, and it comes
 * on once it is mended, as the plan wanted. */
START_TEST(hosts_on_repair_are_not_switched_on)
{
    uint32_t n, boots = 0;

    begin(3, 2);
    f.plan->before->on[2] = 0;
    fixture_step(&f, DCP_STEP_HOST_ON, 2, 0, 0, 120000, 0);
    fixture_move(&f, 0, 0, 2, 60000, 1);
    fixture_move(&f, 1, 1, 0, 60000, 0);
    break_host(2, 0, DCP_HOUR_MS);
    run_failing();
    expect(1, DCP_OUTCOME_FAILED);
    expect(2, DCP_OUTCOME_SKIPPED);
    expect(3, DCP_OUTCOME_DONE);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_HOST_DOWN], 1);
    ck_assert(dcp_ha_advance(ha, END_MS, NULL));
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        boots += e[i].step->kind == DCP_STEP_HOST_ON &&
                 e[i].phase == DCP_ACTION_DONE &&
                 e[i].at_ms == FIXTURE_START_MS + DCP_HOUR_MS + 120000;
    }
    ck_assert_uint_eq(boots, 1);
    end();
}
END_TEST

/* v1 is restarted on h2 after 195 s; its move from h1 comes later. */
START_TEST(a_restarted_vm_is_left_where_it_is)
{
    begin(3, 1);
    f.plan->before->on[2] = 0;
    fixture_step(&f, DCP_STEP_HOST_ON, 2, 0, 0, 120000, 0);
    fixture_step(&f, DCP_STEP_SYNC, 0, 0, 0, 0, 1);
    f.steps[1].not_before_ms = FIXTURE_START_MS + 10 * MINUTE;
    fixture_move(&f, 0, 0, 2, 60000, 2);
    break_host(0, 1000, DCP_HOUR_MS);
    run_failing();
    expect(1, DCP_OUTCOME_DONE);
    expect(3, DCP_OUTCOME_FAILED);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_VM_ELSEWHERE], 1);
    ck_assert_uint_eq(after->host[0].ix, 1);
    end();
}
END_TEST

START_TEST(chance_tells_the_runner_as_well)
{
    begin(2, 2);
    options.failed_boot_frac = options.failed_migration_frac = 1;
    f.plan->before->on[1] = 0;
    f.plan->before->host[1].ix = 0;
    fixture_step(&f, DCP_STEP_HOST_ON, 1, 0, 0, 120000, 0);
    fixture_move(&f, 0, 0, 1, 60000, 1);
    run_failing();
    expect(1, DCP_OUTCOME_FAILED);
    expect(2, DCP_OUTCOME_SKIPPED);
    ck_assert_int_eq(ended_ms(1), 120000); /* One waits for a boot in vain. */
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_BOOT], 1);
    ck_assert_uint_eq(dcp_lost_steps_prevented(&lost), 1); /* What waited. */
    end();
}
END_TEST

/* --- At random ------------------------------------------------------------ */

/* Moves of random VMs, each after the VM's last. */
static void
random_plan(struct dcp_rng *rng, uint32_t n_hosts, uint32_t n_vms)
{
    uint32_t at[24], last[24] = { 0 };

    begin(n_hosts, n_vms);
    for (uint32_t v = 0; v < n_vms; v++) {
        at[v] = v % n_hosts;
    }
    f.plan->limits.out_per_host = 2;
    f.plan->limits.in_per_host = 2;
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t v = (uint32_t)dcp_rng_below(rng, n_vms);
        uint32_t to =
            (at[v] + 1 + (uint32_t)dcp_rng_below(rng, n_hosts - 1)) % n_hosts;
        uint32_t other = i ? 1 + (uint32_t)dcp_rng_below(rng, i) : 0;
        uint32_t id = fixture_move(&f, v, at[v], to, 60000, last[v]);

        if (other > last[v] && dcp_rng_below(rng, 3) == 0) {
            fixture_after(&f, id, other);
        }
        at[v] = to;
        last[v] = id;
    }
    for (uint32_t i = 0; i < 3; i++) {
        break_host(i, (int64_t)dcp_rng_below(rng, 20000),
                   (int64_t)dcp_rng_below(rng, 600000));
    }
    options.detect_ms = options.fence_ms = 500;
    options.start_ms = SECOND;
    options.failed_migration_frac = dcp_rng_below(rng, 2) ? 0.1 : 0;
}

/* By the events alone: where all VMs are, and which steps came true. */
static void
recount(bool done[], uint32_t at[])
{
    uint32_t n;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t v = 0; v < f.inv->n_vms; v++) {
        at[v] = f.plan->before->host[v].ix;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = e[i].step;

        ck_assert(!i || e[i].at_ms >= e[i - 1].at_ms);
        if (e[i].phase != DCP_ACTION_DONE || s->object.kind != DCP_OBJECT_VM) {
            continue;
        }
        if (s->id) {
            done[s->id - 1] = true;
            ck_assert_int_eq(e[i].at_ms, report.steps[s->id - 1].ended_ms);
        }
        ck_assert(s->kind == DCP_STEP_VM_START ||
                  at[s->object.ix] == s->from.ix);
        at[s->object.ix] = s->kind == DCP_STEP_VM_STOP ? DCP_IX_NONE : s->to.ix;
    }
}

static void
run_random(uint64_t seed, struct dcp_lost_steps *all)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "run failures", 0);
    bool done[FIXTURE_STEPS_MAX] = { 0 };
    uint32_t at[24], n_lost = 0;

    random_plan(&rng, 6, 18);
    run_failing();
    recount(done, at);
    for (uint32_t i = 0; i < f.plan->n_steps; i++) {
        enum dcp_outcome o = report.steps[i].outcome;

        ck_assert(done[i] == (o == DCP_OUTCOME_DONE));
        for (uint32_t a = 0; o == DCP_OUTCOME_DONE && a < f.steps[i].n_after;
             a++) {
            enum dcp_outcome before =
                report.steps[f.steps[i].after[a] - 1].outcome;

            ck_assert(before == DCP_OUTCOME_DONE ||
                      before == DCP_OUTCOME_ALREADY);
        }
    }
    for (uint32_t v = 0; v < f.inv->n_vms; v++) {
        ck_assert_uint_eq(at[v], after->host[v].ix);
    }
    for (int i = 0; i < DCP_STEP_LOSSES; i++) {
        n_lost += lost.n[i];
        all->n[i] += lost.n[i];
    }
    ck_assert_uint_eq(n_lost, report.n_failed + report.n_skipped);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_OTHER], 0);
    ck_assert_uint_eq(lost.n[DCP_STEP_LOSS_SKIPPED], report.n_skipped);
    end();
}

START_TEST(report_world_and_events_agree)
{
    struct dcp_lost_steps all = { 0 };

    for (uint64_t seed = 0; seed < 300; seed++) {
        run_random(seed, &all);
    }
    ck_assert_uint_gt(all.n[DCP_STEP_LOSS_HOST_DOWN], 0); /* Not in vain. */
    ck_assert_uint_gt(all.n[DCP_STEP_LOSS_VM_DOWN], 0);
    ck_assert_uint_gt(all.n[DCP_STEP_LOSS_VM_ELSEWHERE], 0);
    ck_assert_uint_gt(all.n[DCP_STEP_LOSS_CUT], 0);
    ck_assert_uint_gt(all.n[DCP_STEP_LOSS_MIGRATION], 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &nothing_is_lost_where_nothing_fails,
        &nothing_moves_to_a_dead_host,
        &an_outage_cuts_what_is_under_way,
        &hosts_on_repair_are_not_switched_on,
        &what_is_down_by_chance_is_not_stopped,
        &a_restarted_vm_is_left_where_it_is,
        &chance_tells_the_runner_as_well,
        &report_world_and_events_agree,
    };

    return run_tests("run_failures", tests, sizeof tests / sizeof tests[0]);
}
