/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/runner.h"
#include "executors/virtual.h"
#include "model/base/text.h"
#include "tests/unit/exec_fixture.h"

#include <unistd.h>

#define SECOND INT64_C(1000)

static struct fixture f;
static enum dcp_fate fates[FIXTURE_STEPS_MAX];
static char journal_path[64];

static void
setup(void)
{
    fixture_init(&f, 4, 8);
    memset(fates, 0, sizeof fates);
    snprintf(journal_path, sizeof journal_path, "/tmp/dcp_test_%d.db",
             (int)getpid());
}

static void
remove_journal(void)
{
    char path[80];

    (void)unlink(journal_path);
    snprintf(path, sizeof path, "%s-wal", journal_path);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s-shm", journal_path);
    (void)unlink(path);
}

static void
teardown(void)
{
    remove_journal();
    fixture_finish(&f);
}

static enum dcp_fate
fate_of(void *user, const struct dcp_step *s)
{
    (void)user;
    return fates[s->id - 1];
}

static struct dcp_virtual *
world_at(int64_t start_ms)
{
    struct dcp_virtual_options o = {
        .inventory = f.inv,
        .plan = f.plan,
        .start = f.plan->before,
        .start_ms = start_ms,
        .fate = fate_of,
    };
    struct dcp_virtual *w = dcp_virtual_create(&o, &dcp_virtual_ops, NULL);

    ck_assert_ptr_nonnull(w);
    return w;
}

static struct dcp_virtual *
world(void)
{
    return world_at(FIXTURE_START_MS);
}

static void
run(struct dcp_virtual *w, struct dcp_run_report *report)
{
    struct dcp_run_options o;
    struct dcp_error err = { 0 };

    dcp_run_options_default(&o);
    ck_assert_msg(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, report, &err),
        "%s", err.message);
}

static int64_t
start_of(const struct dcp_run_report *r, uint32_t id)
{
    return r->steps[id - 1].started_ms - FIXTURE_START_MS;
}

START_TEST(order_and_limits)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;

    /* Host 0 holds VMs 0 and 4, host 1 VMs 1 and 5, host 2 VMs 2 and 6. */
    f.plan->limits.out_per_host = 1;
    f.plan->limits.in_per_host = 2;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 10 * SECOND, 0); /* Out of h1. */
    uint32_t c = fixture_move(&f, 1, 1, 3, 30 * SECOND, 0);
    uint32_t d = fixture_move(&f, 2, 2, 3, 10 * SECOND, 0); /* Into h4. */
    uint32_t e = fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, 60 * SECOND, b);

    fixture_after(&f, e, a);
    w = world();
    run(w, &r);
    ck_assert_uint_eq(r.n_done, 5);
    ck_assert(dcp_run_complete(&r));
    ck_assert_int_eq(start_of(&r, a), 0);
    ck_assert_int_eq(start_of(&r, c), 0);
    ck_assert_int_eq(start_of(&r, b), 10 * SECOND);
    ck_assert_int_eq(start_of(&r, d), 20 * SECOND);
    ck_assert_int_eq(start_of(&r, e), 20 * SECOND);
    ck_assert_int_eq(r.ended_ms - r.started_ms, 80 * SECOND);
    ck_assert(!r.late);
    for (uint32_t v = 0; v < 8; v++) {
        ck_assert_uint_eq(dcp_virtual_placement(w)->host[v].ix,
                          f.plan->legs[0].after->host[v].ix);
    }
    ck_assert(!dcp_virtual_placement(w)->on[0]);
    dcp_run_report_finish(&r);
}
END_TEST

/* A step waits for its own time and no other for it; one that is too late is
 * not started. */
START_TEST(steps_keep_their_times)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 1, 1, 3, 10 * SECOND, 0);
    uint32_t c = fixture_move(&f, 2, 2, 3, 10 * SECOND, a);
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 2, 0, 0, SECOND, c);

    f.steps[a - 1].not_before_ms = FIXTURE_START_MS + 90 * SECOND;
    f.steps[a - 1].start_by_ms = FIXTURE_START_MS + 90 * SECOND;
    f.steps[c - 1].start_by_ms = FIXTURE_START_MS + 99 * SECOND;
    f.steps[c - 1].when_text = "the audit begins";
    w = world();
    run(w, &r);
    ck_assert_int_eq(start_of(&r, b), 0);
    ck_assert_int_eq(start_of(&r, a), 90 * SECOND);
    ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_DONE);
    ck_assert_int_eq(r.steps[c - 1].outcome, DCP_OUTCOME_FAILED);
    ck_assert_int_eq(r.steps[off - 1].outcome, DCP_OUTCOME_SKIPPED);
    ck_assert_uint_eq(r.n_stale, 1);
    ck_assert_msg(strstr(r.first_failure, "the audit begins") != NULL, "%s",
                  r.first_failure);
    dcp_run_report_finish(&r);
}
END_TEST

/* The same a day later, as a rehearsal has it. */
START_TEST(times_of_steps_move_with_the_run)
{
    struct dcp_run_options o;
    struct dcp_run_report r;
    struct dcp_error err = { 0 };
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 1, 1, 3, 10 * SECOND, a);

    f.steps[a - 1].not_before_ms = FIXTURE_START_MS + 90 * SECOND;
    f.steps[a - 1].start_by_ms = FIXTURE_START_MS + 95 * SECOND;
    f.steps[b - 1].start_by_ms = FIXTURE_START_MS + 99 * SECOND;
    dcp_run_options_default(&o);
    for (int day = -1; day <= 1; day++) {
        DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;

        o.shift_ms = day * DCP_DAY_MS;
        w = world_at(FIXTURE_START_MS + o.shift_ms);
        ck_assert(
            dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, &r, &err));
        ck_assert_int_eq(start_of(&r, a) - o.shift_ms, 90 * SECOND);
        ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_DONE);
        ck_assert_int_eq(r.steps[b - 1].outcome, DCP_OUTCOME_FAILED);
        ck_assert(!r.late);
        dcp_run_report_finish(&r);
    }
}
END_TEST

START_TEST(off_limit_and_units)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;

    for (uint32_t v = 0; v < 8; v++) {
        f.plan->before->host[v].ix = 3;
    }
    f.plan->limits.host_off_at_once = 1;
    f.plan->limits.units_per_10gbit = 2;
    for (uint32_t h = 0; h < 2; h++) {
        fixture_step(&f, DCP_STEP_HOST_OFF, h, 0, 0, 60 * SECOND, 0);
    }
    for (uint32_t v = 0; v < 3; v++) {
        fixture_move(&f, v, 3, 2, 10 * SECOND, 0);
    }
    w = world();
    run(w, &r);
    ck_assert(dcp_run_complete(&r));
    ck_assert_int_eq(start_of(&r, 1), 0);
    ck_assert_int_eq(start_of(&r, 2), 60 * SECOND);
    ck_assert_int_eq(start_of(&r, 3), 0);
    ck_assert_int_eq(start_of(&r, 4), 0);
    ck_assert_int_eq(start_of(&r, 5), 10 * SECOND);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(failure_stops_dependents_only)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 10 * SECOND, 0);
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, SECOND, a);
    uint32_t sync = fixture_step(&f, DCP_STEP_SYNC, 0, 0, 0, 0, off);

    fates[a - 1] = DCP_FATE_FAILS;
    w = world();
    run(w, &r);
    ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_FAILED);
    ck_assert_int_eq(r.steps[b - 1].outcome, DCP_OUTCOME_DONE);
    ck_assert_int_eq(r.steps[off - 1].outcome, DCP_OUTCOME_SKIPPED);
    ck_assert_int_eq(r.steps[sync - 1].outcome, DCP_OUTCOME_SKIPPED);
    ck_assert_uint_eq(r.n_skipped, 2);
    ck_assert_uint_eq(r.first_failed, a);
    ck_assert_uint_eq(r.n_stale, 0);
    ck_assert(dcp_virtual_placement(w)->on[0]);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(late_step_is_settled_by_looking)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 10 * SECOND, a);

    fates[a - 1] = DCP_FATE_SILENT;
    w = world();
    run(w, &r);
    ck_assert(dcp_run_complete(&r));
    ck_assert_int_eq(start_of(&r, b), 300 * SECOND); /* After its timeout. */
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(lost_step_stays_unknown_and_is_not_repeated)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t n_log = 0;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 10 * SECOND, a);

    fates[a - 1] = DCP_FATE_LOST;
    w = world();
    run(w, &r);
    ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_UNKNOWN);
    ck_assert_int_eq(r.steps[b - 1].outcome, DCP_OUTCOME_SKIPPED);
    (void)dcp_virtual_log(w, &n_log);
    ck_assert_uint_eq(n_log, 1);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(what_holds_already_is_skipped)
{
    f.plan->before->host[0].ix = 3; /* Somebody moved it there by hand. */
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 10 * SECOND, a);

    w = world();
    run(w, &r);
    ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_ALREADY);
    ck_assert_int_eq(r.steps[b - 1].outcome, DCP_OUTCOME_DONE);
    ck_assert_int_eq(start_of(&r, b), 0);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(broken_precondition_is_stale)
{
    f.plan->before->host[0].ix = 2; /* Neither where it was nor the target. */
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_report r;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);

    fixture_step(&f, DCP_STEP_HOST_OFF, 1, 0, 0, SECOND, 0); /* Not empty. */
    w = world();
    run(w, &r);
    ck_assert_int_eq(r.steps[a - 1].outcome, DCP_OUTCOME_FAILED);
    ck_assert_uint_eq(r.n_stale, 2);
    ck_assert_ptr_nonnull(strstr(r.first_failure, "h3"));
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(kinds_that_cannot_be_done_are_refused)
{
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = NULL;
    struct dcp_run_options o;
    struct dcp_run_report r;
    struct dcp_error err = { 0 };

    dcp_run_options_default(&o);
    fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    fixture_step(&f, DCP_STEP_VOLUME_GROW, 0, 0, 0, SECOND, 0);
    w = world();
    ck_assert(
        !dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, &r, &err));
    ck_assert_int_eq(err.code, DCP_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "volume_grow"));
    ck_assert_uint_eq(dcp_virtual_placement(w)->host[0].ix, 0);
    dcp_run_report_finish(&r);
}
END_TEST

/* --- Interrupts --------------------------------------------------------- */

static uint32_t n_cancelled, n_asked;

static bool
count_cancel(struct dcp_executor *e, uint32_t step, struct dcp_error *err)
{
    (void)e, (void)err;
    ck_assert_uint_ge(step, 1);
    n_cancelled++;
    return true;
}

/* Once before all, twice for each move: the last finds both under way. */
static uint32_t
stop_at_once(void *user)
{
    (void)user;
    return ++n_asked > 4 ? 2 : 0;
}

START_TEST(stopping_at_once_cancels_what_runs)
{
    struct dcp_executor_ops ops = dcp_virtual_ops;
    struct dcp_virtual_options options = { .inventory = f.inv,
                                           .plan = f.plan,
                                           .start =
                                               dcp_plan_leg_start(f.plan, 0),
                                           .start_ms = FIXTURE_START_MS };
    struct dcp_run_options o;
    struct dcp_run_report r;
    struct dcp_error err = { 0 };

    remove_journal();
    fixture_move(&f, 0, 0, 3, 1000 * SECOND, 0);
    fixture_move(&f, 1, 1, 2, 1000 * SECOND, 0);
    ops.cancel = count_cancel;
    n_cancelled = n_asked = 0;
    DCP_AUTO(dcp_virtual)
    struct dcp_virtual *w = dcp_virtual_create(&options, &ops, &err);
    DCP_AUTO(dcp_journal)
    struct dcp_journal *j =
        dcp_journal_open(journal_path, DCP_DURABILITY_NORMAL, &err);

    ck_assert(w && j);
    ck_assert(dcp_journal_begin_leg(j, f.plan, 0, "x", 7, FIXTURE_START_MS,
                                    false, &err));
    dcp_run_options_default(&o);
    o.journal = j;
    o.interrupts = stop_at_once;
    ck_assert(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, &r, &err));
    ck_assert(r.aborted && !dcp_run_complete(&r));
    ck_assert_uint_eq(n_cancelled, 2);
    dcp_run_report_finish(&r);
}
END_TEST

/* --- The journal -------------------------------------------------------- */

static struct dcp_journal *
journal(void)
{
    struct dcp_error err = { 0 };
    struct dcp_journal *j =
        dcp_journal_open(journal_path, DCP_DURABILITY_NORMAL, &err);

    ck_assert_msg(j != NULL, "%s", err.message);
    return j;
}

struct crash {
    uint32_t left; /* Records and waits until the process "dies". */
};

static uint32_t
crash_now(void *user)
{
    struct crash *crash = user;

    return crash->left == 0 || --crash->left == 0 ? 2 : 0;
}

/* One process: runs until the crash.  True: the leg was complete. */
static bool
one_life(uint32_t crash_after, bool resume, struct dcp_run_report *r)
{
    DCP_AUTO(dcp_journal) struct dcp_journal *j = journal();
    DCP_AUTO(dcp_virtual) struct dcp_virtual *w = world();
    struct crash crash = { crash_after };
    struct dcp_step_record records[FIXTURE_STEPS_MAX];
    struct dcp_run_options o;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_journal_begin_leg(j, f.plan, 0, "sim", 7,
                                        FIXTURE_START_MS, resume, &err),
                  "%s", err.message);
    ck_assert(dcp_journal_load_steps(j, f.plan, 0, records, &err));
    ck_assert(dcp_virtual_restore(w, records, &err));
    dcp_run_options_default(&o);
    o.journal = j;
    if (crash_after) {
        o.interrupts = crash_now;
        o.user = &crash;
    }
    ck_assert_msg(
        dcp_run_leg(f.inv, f.plan, dcp_virtual_executor(w), &o, r, &err), "%s",
        err.message);
    if (dcp_run_complete(r)) {
        for (uint32_t v = 0; v < 8; v++) {
            ck_assert_uint_eq(dcp_virtual_placement(w)->host[v].ix,
                              f.plan->legs[0].after->host[v].ix);
        }
        ck_assert(
            dcp_journal_mark_leg(j, DCP_LEG_CONSUMED, 8, r->ended_ms, &err));
    }
    return dcp_run_complete(r);
}

START_TEST(resumes_after_a_crash_at_every_point)
{
    f.plan->limits.out_per_host = 1;
    uint32_t a = fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    uint32_t b = fixture_move(&f, 4, 0, 3, 15 * SECOND, 0);
    uint32_t c = fixture_move(&f, 1, 1, 2, 40 * SECOND, 0);
    uint32_t e = fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, 60 * SECOND, a);

    fixture_after(&f, e, b);
    fixture_step(&f, DCP_STEP_VLAN_TRUNK, 2, 0, 1, 2 * SECOND, c);
    bool complete = false;

    for (uint32_t point = 1; !complete; point++) {
        struct dcp_run_report r;

        ck_assert_uint_lt(point, 60);
        remove_journal();
        complete = one_life(point, false, &r);
        dcp_run_report_finish(&r);
        if (!complete) {
            /* Dies a second time a little later, then is left alone. */
            bool done = one_life(3, true, &r);

            dcp_run_report_finish(&r);
            if (!done) {
                ck_assert_msg(one_life(0, true, &r), "crash point %u", point);
                /* In a world that went on meanwhile no time is lost. */
                ck_assert_int_eq(r.ended_ms - FIXTURE_START_MS, 85 * SECOND);
                dcp_run_report_finish(&r);
            }
        }
    }
}
END_TEST

START_TEST(leg_is_consumed_once)
{
    struct dcp_run_report r;
    struct dcp_error err = { 0 };
    struct dcp_leg_record leg;

    fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    ck_assert(one_life(0, false, &r));
    dcp_run_report_finish(&r);
    DCP_AUTO(dcp_journal) struct dcp_journal *j = journal();

    ck_assert(dcp_journal_find_leg(j, f.plan, 0, &leg, &err));
    ck_assert_int_eq(leg.state, DCP_LEG_CONSUMED);
    ck_assert_str_eq(leg.executor, "sim");
    ck_assert_uint_eq(leg.serial_before, 7);
    ck_assert_uint_eq(leg.serial_after, 8);
    ck_assert(!dcp_journal_begin_leg(j, f.plan, 0, "sim", 8, 0, false, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
    ck_assert(!dcp_journal_begin_leg(j, f.plan, 0, "sim", 8, 0, true, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
}
END_TEST

START_TEST(unfinished_leg_needs_resume)
{
    struct dcp_run_report r;
    struct dcp_error err = { 0 };

    fixture_move(&f, 0, 0, 3, 10 * SECOND, 0);
    fixture_move(&f, 4, 0, 3, 10 * SECOND, 1);
    ck_assert(!one_life(3, false, &r));
    ck_assert(r.aborted);
    dcp_run_report_finish(&r);
    DCP_AUTO(dcp_journal) struct dcp_journal *j = journal();

    ck_assert(!dcp_journal_begin_leg(j, f.plan, 0, "sim", 7, 0, false, &err));
    ck_assert_int_eq(err.code, DCP_E_CANCELLED);
    ck_assert(!dcp_journal_begin_leg(j, f.plan, 0, "live", 7, 0, true, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
}
END_TEST

START_TEST(commands_keep_names_in_one_word)
{
    struct dcp_inventory inv = *f.inv;
    struct dcp_vm vm = f.inv->vms[0];
    struct dcp_host hosts[2] = { f.inv->hosts[0], f.inv->hosts[1] };
    struct dcp_step s = { .kind = DCP_STEP_MIGRATE,
                          .object = { DCP_OBJECT_VM, 0 },
                          .from = { DCP_OBJECT_HOST, 0 },
                          .to = { DCP_OBJECT_HOST, 1 } };
    struct dcp_text text = { 0 };

    vm.name = "it's; rm -rf /";
    hosts[1].name = "h 2";
    inv.vms = &vm;
    inv.hosts = hosts;
    dcp_dry_commands(&inv, &s, &text);
    ck_assert_str_eq(dcp_text_get(&text),
                     "virsh -c qemu+ssh://h1/system migrate --live --p2p "
                     "--persistent --undefinesource --abort-on-error "
                     "'it'\\''s; rm -rf /' 'qemu+ssh://h 2/system'\n");
    dcp_text_finish(&text);
    s = (struct dcp_step){ .kind = DCP_STEP_HOST_ON,
                           .object = { DCP_OBJECT_HOST, 1 } };
    dcp_dry_commands(&inv, &s, &text);
    ck_assert_str_eq(dcp_text_get(&text),
                     "ipmitool -H 'h 2-bmc' chassis power on\n");
    dcp_text_finish(&text);
}
END_TEST

START_TEST(foreign_journals_are_refused)
{
    struct dcp_error err = { 0 };
    FILE *file = fopen(journal_path, "wb");

    ck_assert_ptr_nonnull(file);
    fputs("this is not a database, but it is long enough to look at", file);
    fclose(file);
    ck_assert_ptr_null(
        dcp_journal_open(journal_path, DCP_DURABILITY_FULL, &err));
    ck_assert_int_eq(err.code, DCP_E_IO);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("runner");
    TCase *tcase = tcase_create("runner");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, order_and_limits);
    tcase_add_test(tcase, steps_keep_their_times);
    tcase_add_test(tcase, times_of_steps_move_with_the_run);
    tcase_add_test(tcase, off_limit_and_units);
    tcase_add_test(tcase, failure_stops_dependents_only);
    tcase_add_test(tcase, late_step_is_settled_by_looking);
    tcase_add_test(tcase, lost_step_stays_unknown_and_is_not_repeated);
    tcase_add_test(tcase, what_holds_already_is_skipped);
    tcase_add_test(tcase, broken_precondition_is_stale);
    tcase_add_test(tcase, kinds_that_cannot_be_done_are_refused);
    tcase_add_test(tcase, stopping_at_once_cancels_what_runs);
    tcase_add_test(tcase, resumes_after_a_crash_at_every_point);
    tcase_add_test(tcase, leg_is_consumed_once);
    tcase_add_test(tcase, unfinished_leg_needs_resume);
    tcase_add_test(tcase, commands_keep_names_in_one_word);
    tcase_add_test(tcase, foreign_journals_are_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
