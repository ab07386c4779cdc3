/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The report against a made-up night; `test_report --write FILE` writes that
 * night's page, for tests/integration/report.test and for people's eyes;
 * --write-hostile the same with names that would like to be elements. */

#include "model/course.h"
#include "report/base64.h"
#include "report/history.h"
#include "report_fixture.h"

#include "model/cost.h"

#include <check.h>
#include <stdio.h>

static struct fixture f;
static struct dcp_arena *arena;
static struct dcp_rows rows;
static struct dcp_timeline tl;

static void
set_up_small(void)
{
    fixture_make(&f, 12, 90, 2);
    arena = dcp_arena_create(0);
}

static void
tear_down(void)
{
    dcp_arena_destroy(arena);
    fixture_finish(&f);
}

static void
make_timeline(void)
{
    struct dcp_error err = { 0 };
    struct dcp_report_input in = fixture_input(&f);

    ck_assert_msg(dcp_rows_make(f.inv, arena, &rows, &err), "%s", err.message);
    ck_assert_msg(dcp_timeline_make(&in, &rows, arena, &tl, &err), "%s",
                  err.message);
}

/* The caller frees the page. */
static struct dcp_text
make_page(void)
{
    struct dcp_error err = { 0 };
    struct dcp_text page = { 0 };
    struct dcp_report_input in = fixture_input(&f);

    ck_assert_msg(dcp_report_html(&in, &page, &err), "%s", err.message);
    ck_assert_uint_eq(strlen(page.data), page.length);
    return page;
}

static uint32_t
count(const char *text, const char *word)
{
    uint32_t n = 0;

    for (const char *p = text; (p = strstr(p, word)); p += strlen(word)) {
        n++;
    }
    return n;
}

START_TEST(base64_vectors_of_rfc_4648)
{
    static const char *const vectors[][2] = {
        { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" },
    };

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct dcp_text out = { 0 };

        dcp_base64_add(&out, vectors[i][0], strlen(vectors[i][0]));
        ck_assert_str_eq(dcp_text_get(&out), vectors[i][1]);
        dcp_text_finish(&out);
    }
}
END_TEST

START_TEST(schedule_keeps_waits_and_limits)
{
    make_timeline();
    for (uint32_t i = 0; i < f.plan->n_steps; i++) {
        const struct dcp_step *s = &f.plan->steps[i];

        ck_assert_int_ge(tl.step_start_ms[i], f.plan->legs[s->leg].start_ms);
        ck_assert_int_eq(tl.step_end_ms[i] - tl.step_start_ms[i],
                         s->estimate_ms);
        for (uint32_t a = 0; a < s->n_after; a++) {
            ck_assert_int_ge(tl.step_start_ms[i],
                             tl.step_end_ms[s->after[a] - 1]);
        }
        /* Moves that run when this one starts, by shared host. */
        uint32_t out = 0, in = 0;

        for (uint32_t j = 0; j < f.plan->n_steps; j++) {
            const struct dcp_step *o = &f.plan->steps[j];

            if (s->kind != DCP_STEP_MIGRATE || o->kind != DCP_STEP_MIGRATE ||
                tl.step_start_ms[j] > tl.step_start_ms[i] ||
                tl.step_end_ms[j] <= tl.step_start_ms[i]) {
                continue;
            }
            out += o->from.ix == s->from.ix;
            in += o->to.ix == s->to.ix;
        }
        ck_assert_uint_le(out, f.plan->limits.out_per_host);
        ck_assert_uint_le(in, f.plan->limits.in_per_host);
    }
}
END_TEST

START_TEST(energy_without_the_plan_is_the_planners_ledger)
{
    make_timeline();
    struct dcp_energy_sum sum = dcp_energy_planned(
        f.inv, f.demand, f.plan->before, 0, f.demand->n_slots);

    ck_assert_double_eq_tol(tl.kwh[DCP_WITHOUT], sum.meter_kwh,
                            1e-9 * sum.meter_kwh);
    ck_assert_double_eq_tol(tl.cost[DCP_WITHOUT], sum.cost, 1e-9 * sum.cost);
    ck_assert_double_gt(sum.meter_kwh, 1);
}
END_TEST

START_TEST(hosts_account_for_the_whole_saving)
{
    double kwh = 0, cost = 0;

    make_timeline();
    for (uint32_t h = 0; h < f.inv->n_hosts; h++) {
        kwh += tl.host_saved_kwh[h];
        cost += tl.host_saved_cost[h];
        /* Every third is switched off, and only those. */
        ck_assert_int_eq(tl.off_until_ms[h] > tl.off_from_ms[h], h % 3 == 2);
        ck_assert_int_eq(tl.host_off_kwh[h] > 0, h % 3 == 2);
    }
    ck_assert_double_eq_tol(kwh, tl.kwh[0] - tl.kwh[1], 1e-9 * tl.kwh[0]);
    ck_assert_double_eq_tol(cost, tl.cost[0] - tl.cost[1], 1e-9 * tl.cost[0]);
    ck_assert_double_gt(kwh, 0);
    ck_assert_double_eq(tl.packing_kwh, 0);
    ck_assert_double_eq(tl.hosts_on[DCP_WITHOUT][0], 12);
    ck_assert_double_eq(tl.hosts_on[DCP_WITH][30], 8);
}
END_TEST

START_TEST(heat_marks_hosts_off_by_night_only)
{
    make_timeline();
    for (uint32_t h = 0; h < f.inv->n_hosts; h++) {
        const uint8_t *with =
            tl.heat[DCP_WITH] + (size_t)rows.row_of_host[h] * tl.n_slots;

        ck_assert_int_eq(with[3] == DCP_HEAT_OFF, h % 3 == 2);
        ck_assert_int_ne(with[12], DCP_HEAT_OFF);
        ck_assert_int_eq(
            with[12], tl.heat[DCP_WITHOUT]
                             [(size_t)rows.row_of_host[h] * tl.n_slots + 12]);
    }
}
END_TEST

START_TEST(heat_cell_is_capped_below_its_marks)
{
    ck_assert_uint_eq(dcp_heat_cell(0.5), DCP_HEAT_PER_UNIT / 2);
    ck_assert_uint_eq(dcp_heat_cell(99), DCP_HEAT_MISSING - 1);
    ck_assert_uint_eq(dcp_heat_cell(-1), 0);
    ck_assert_uint_eq(dcp_heat_cell(NAN), 0);
}
END_TEST

/* A placement that stays tight by day is a packing saving, named apart. */
START_TEST(packing_is_told_apart_from_the_night)
{
    struct dcp_placement *day = f.plan->legs[1].after;

    memcpy(day->host, f.plan->legs[0].after->host,
           day->n_vms * sizeof *day->host);
    memcpy(day->on, f.plan->legs[0].after->on, day->n_hosts);
    for (uint32_t i = 0; i < f.plan->n_steps; i++) {
        if (f.plan->steps[i].leg == 1) {
            f.plan->n_steps = i;
        }
    }
    make_timeline();
    /* All that is saved, but for the evening's own course, is packing. */
    ck_assert_double_gt(tl.packing_kwh, tl.kwh[0] - tl.kwh[1]);
    ck_assert_double_lt(tl.packing_kwh, (tl.kwh[0] - tl.kwh[1]) * 1.1);
    struct dcp_text page = make_page();

    ck_assert_ptr_nonnull(strstr(page.data, "not to be added"));
    dcp_text_finish(&page);
}
END_TEST

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Joint load of host 0 in the night's hours, counted from the samples. */
START_TEST(joint_percentile_is_taken_over_sums)
{
    struct dcp_error err = { 0 };
    struct dcp_report_input in = fixture_input(&f);
    struct dcp_history past;
    double *load = calloc(f.samples.n_times, sizeof *load);
    uint32_t n = 0;

    make_timeline();
    ck_assert(dcp_history_make(&in, &rows, &tl, arena, &past, &err));
    ck_assert(past.present && past.in_sample);
    int64_t from = tl.leg_end_ms[0] / 60000 % 1440;
    int64_t to = f.plan->legs[1].start_ms / 60000 % 1440;

    for (uint32_t t = 0; t < f.samples.n_times; t++) {
        int64_t minute =
            (f.samples.start_ms + t * f.samples.interval_ms) / 60000 % 1440;
        /* The window spans UTC midnight. */
        if (minute < from && minute >= to) {
            continue;
        }
        for (uint32_t v = 0; v < f.inv->n_vms; v++) {
            if (f.plan->legs[0].after->host[v].ix == 0) {
                load[n] += (double)f.samples.value[t * f.samples.n_vms + v];
            }
        }
        load[n++] /= dcp_host_capacity(f.inv, (dcp_host_id){ 0 }).cpu_mhz;
    }
    qsort(load, n, sizeof *load, by_value);
    ck_assert_uint_eq(n, past.n_samples);
    ck_assert_uint_eq(past.hosts[0].host, 0);
    ck_assert_double_eq_tol(past.hosts[0].p95_frac,
                            load[(uint32_t)ceil(0.95 * n) - 1], 1e-5);
    ck_assert_double_eq_tol(past.hosts[0].peak_frac, load[n - 1], 1e-5);
    free(load);
}
END_TEST

START_TEST(overload_is_counted_in_host_seconds)
{
    struct dcp_error err = { 0 };
    struct dcp_report_input in = fixture_input(&f);
    struct dcp_history calm, busy;

    make_timeline();
    ck_assert(dcp_history_make(&in, &rows, &tl, arena, &calm, &err));
    /* One sample in the middle of the first night: 02:00 local. */
    f.samples.value[48 * f.samples.n_vms] = 1e9F;
    ck_assert(dcp_history_make(&in, &rows, &tl, arena, &busy, &err));
    ck_assert_double_eq(busy.over_host_s[0], calm.over_host_s[0] + 300);
    ck_assert_double_eq(busy.over_host_s[1], calm.over_host_s[1] + 300);
}
END_TEST

START_TEST(many_hosts_share_rows)
{
    struct dcp_inventory *inv = f.inv;
    uint32_t n = 1001;
    struct dcp_host *hosts = calloc(n, sizeof *hosts);
    const struct dcp_host *own = inv->hosts;
    uint32_t own_n = inv->n_hosts;

    for (uint32_t h = 0; h < n; h++) {
        hosts[h].rack.ix = h % 7;
    }
    inv->hosts = hosts;
    inv->n_hosts = n;
    ck_assert(dcp_rows_make(inv, arena, &rows, NULL));
    ck_assert_uint_le(rows.n, DCP_REPORT_ROWS_MAX);
    ck_assert_uint_eq(rows.first[rows.n], n);
    for (uint32_t i = 0; i + 1 < n; i++) {
        ck_assert_uint_le(rows.hosts[i] % 7, rows.hosts[i + 1] % 7);
    }
    inv->hosts = own;
    inv->n_hosts = own_n;
    free(hosts);
}
END_TEST

/* A sentence is kept once; the numbers stay as they were written. */
START_TEST(reasons_are_kept_by_template)
{
    struct dcp_step *steps = dcp_arena_array(arena, struct dcp_step, 3);

    memcpy(steps, f.plan->steps, 3 * sizeof *steps);
    steps[0].reason_text = "on h7 then 4.05 of 12";
    steps[1].reason_text = "on h12 then 3.5 of 8";
    steps[2].reason_text = "007 12345678901234567890";
    f.plan->steps = steps;
    f.plan->n_steps = 3;
    struct dcp_text page = make_page();

    ck_assert_ptr_nonnull(strstr(page.data,
                                 "[[\"on h\",\" then \",\".\",\" of \",\"\"],"
                                 "[\"\",\" \",\"\"]]"));
    ck_assert_ptr_nonnull(strstr(page.data, ",[0,7,4,\"05\",12],"));
    ck_assert_ptr_nonnull(strstr(page.data, ",[0,12,3,5,8],"));
    ck_assert_ptr_nonnull(
        strstr(page.data, ",[1,\"007\",\"12345678901234567890\"],"));
    dcp_text_finish(&page);
}
END_TEST

/* Whatever a name holds, it stays inside its string. */
START_TEST(names_cannot_leave_the_data)
{
    struct dcp_vm *vms = dcp_arena_array(arena, struct dcp_vm, f.inv->n_vms);
    struct dcp_text plain = make_page();
    uint32_t ends = count(plain.data, "</script");

    memcpy(vms, f.inv->vms, f.inv->n_vms * sizeof *vms);
    for (uint32_t v = 0; v < f.inv->n_vms; v++) {
        vms[v].name = "</script><script>alert(1)</script><!-- \"\\ \x01";
    }
    f.inv->vms = vms;
    struct dcp_text page = make_page();

    ck_assert_uint_eq(count(page.data, "</script"), ends);
    ck_assert_uint_eq(count(page.data, "<script>alert"), 0);
    ck_assert_uint_eq(count(page.data, "<!-- "), 0);
    ck_assert_uint_gt(count(page.data, "\\u003c/script>\\u003cscript>alert"),
                      0);
    dcp_text_finish(&page);
    dcp_text_finish(&plain);
}
END_TEST

START_TEST(what_is_not_a_number_is_null)
{
    f.plan->gap_frac = NAN;
    f.plan->predicted.energy_kwh_before = INFINITY;
    struct dcp_text page = make_page();

    ck_assert_ptr_nonnull(strstr(page.data, "\"gap_frac\":null"));
    ck_assert_ptr_nonnull(strstr(page.data, "\"energy_kwh_before\":null"));
    ck_assert_ptr_null(strstr(page.data, ":nan"));
    ck_assert_ptr_null(strstr(page.data, ":inf"));
    dcp_text_finish(&page);
}
END_TEST

START_TEST(a_refused_plan_says_so_first)
{
    struct dcp_violation v = { .step = 3,
                               .rule = "capacity",
                               .object = "host:h1",
                               .text = "memory above its limit" };

    f.check = (struct dcp_check_result){ .violations = &v,
                                         .n_violations = 1,
                                         .n_violations_all = 1 };
    struct dcp_text page = make_page();
    const char *words = strstr(page.data, "REFUSES it: 1 violation.");

    ck_assert_ptr_nonnull(words);
    ck_assert(words < strstr(page.data, "id=\"report-data\""));
    dcp_text_finish(&page);
}
END_TEST

START_TEST(another_model_than_the_plans_is_said)
{
    struct dcp_text page = make_page();

    ck_assert_ptr_nonnull(strstr(page.data, "\"model_changed\":false"));
    dcp_text_finish(&page);
    f.inv->digest[10] = 'x';
    page = make_page();
    ck_assert_ptr_nonnull(strstr(page.data, "\"model_changed\":true"));
    dcp_text_finish(&page);
}
END_TEST

/* Planned for a night of summer, in winter. */
START_TEST(when_it_was_made_is_told_by_the_clocks_then)
{
    static const int64_t from_s[] = { INT64_MIN, 1382835600 };
    static const int32_t offset_s[] = { 7200, 3600 };
    static const struct dcp_zone zone = { "Europe/Brussels", 2, from_s,
                                          offset_s };

    f.inv->zone = &zone;
    struct dcp_text page = make_page();

    ck_assert_ptr_null(strstr(page.data, "[1382835600000,3600]"));
    dcp_text_finish(&page);
    f.plan->created_ms = FIXTURE_EVENING + 90 * 24 * DCP_HOUR_MS;
    page = make_page();
    ck_assert_ptr_nonnull(strstr(page.data, "[1382835600000,3600]"));
    dcp_text_finish(&page);
}
END_TEST

START_TEST(a_plan_without_steps_is_a_page_too)
{
    f.plan->n_steps = 0;
    f.plan->n_survive = 0;
    f.plan->status = "nothing_to_do";
    f.plan->hosts_on_after = f.plan->hosts_on_before;
    struct dcp_text page = make_page();

    ck_assert_ptr_nonnull(strstr(page.data, "Nothing to do"));
    dcp_text_finish(&page);
}
END_TEST

START_TEST(demand_that_does_not_cover_the_plan_is_refused)
{
    struct dcp_error err = { 0 };
    struct dcp_text page = { 0 };
    struct dcp_report_input in = fixture_input(&f);

    f.plan->legs[1].buckets_until_ms += 1;
    ck_assert(!dcp_report_html(&in, &page, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    dcp_text_finish(&page);
}
END_TEST

START_TEST(a_replay_of_an_unseen_night_comes_first)
{
    static const double on[2] = { 12, 8 }, watts[2] = { 3000, 2000 };
    struct dcp_report_replay replay = {
        .start_ms = FIXTURE_EVENING,
        .interval_ms = 300000,
        .n = 2,
        .hosts_on = { on, on },
        .meter_w = { watts, watts },
        .meter_kwh = { 24, 16 },
        .overload_host_s = { 60, 660 },
        .migrations = 44,
    };
    struct dcp_error err = { 0 };
    struct dcp_text page = { 0 };
    struct dcp_report_input in = fixture_input(&f);

    in.replay = &replay;
    ck_assert(dcp_report_html(&in, &page, &err));
    ck_assert_ptr_nonnull(strstr(page.data, "had not seen, hosts were "
                                            "overloaded for 11.0 "
                                            "host-minutes; without the plan "
                                            "for 1.00"));
    ck_assert_ptr_nonnull(strstr(page.data, "\"kwh\":[24,16]"));
    dcp_text_finish(&page);
}
END_TEST

START_TEST(same_input_same_bytes)
{
    struct dcp_text a = make_page(), b = make_page();

    ck_assert_uint_eq(a.length, b.length);
    ck_assert_int_eq(memcmp(a.data, b.data, a.length), 0);
    dcp_text_finish(&a);
    dcp_text_finish(&b);
}
END_TEST

/* No byte of the page may name another place; the namespace of SVG is no
 * address that anything is fetched from. */
START_TEST(nothing_points_outside)
{
    struct dcp_text page = make_page();

    ck_assert_uint_eq(count(page.data, "src="), 0);
    ck_assert_uint_eq(count(page.data, "url("), 0);
    ck_assert_uint_eq(count(page.data, "@import"), 0);
    ck_assert_uint_eq(count(page.data, "fetch("), 0);
    ck_assert_uint_eq(count(page.data, "innerHTML"), 0);
    ck_assert_ptr_nonnull(strstr(page.data, "default-src 'none'"));
    ck_assert_uint_eq(count(page.data, "'unsafe-inline'"), 0);
    dcp_text_finish(&page);
}
END_TEST

START_TEST(a_month_of_sixty_hosts_fits_the_budget)
{
    struct fixture small = f;

    fixture_make(&f, 60, 900, 30);
    struct dcp_text page = make_page();

    ck_assert_uint_lt(page.length, 500 * 1024);
    ck_assert_uint_gt(page.length, 200 * 1024);
    dcp_text_finish(&page);
    fixture_finish(&f);
    f = small;
}
END_TEST

/* Names as an attacker who may name VMs and hosts would choose them. */
static void
make_hostile(void)
{
    struct dcp_arena *a = f.inv->arena;
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, f.inv->n_vms);
    struct dcp_host *hosts =
        dcp_arena_array(a, struct dcp_host, f.inv->n_hosts);

    memcpy(vms, f.inv->vms, f.inv->n_vms * sizeof *vms);
    memcpy(hosts, f.inv->hosts, f.inv->n_hosts * sizeof *hosts);
    for (uint32_t v = 0; v < f.inv->n_vms; v++) {
        vms[v].name = "<img src=x onerror=alert(1)></script><b>";
    }
    for (uint32_t h = 0; h < f.inv->n_hosts; h++) {
        hosts[h].name = "</script><img src=x onerror=alert(2)>";
    }
    f.inv->vms = vms;
    f.inv->hosts = hosts;
}

static int
write_page(const char *path, bool hostile)
{
    struct dcp_error err = { 0 };
    struct dcp_text page = { 0 };

    fixture_make(&f, 60, 900, 30);
    if (hostile) {
        make_hostile();
    }
    struct dcp_report_input in = fixture_input(&f);
    FILE *out = fopen(path, "wb");
    bool ok = out && dcp_report_html(&in, &page, &err) &&
              fwrite(page.data, 1, page.length, out) == page.length;

    ok = out && fclose(out) == 0 && ok;
    if (!ok) {
        (void)fprintf(stderr, "cannot write %s: %s\n", path, err.message);
    }
    dcp_text_finish(&page);
    fixture_finish(&f);
    return ok ? 0 : 1;
}

static Suite *
report_suite(void)
{
    Suite *suite = suite_create("report");
    TCase *tc = tcase_create("night");

    tcase_add_checked_fixture(tc, set_up_small, tear_down);
    tcase_add_test(tc, base64_vectors_of_rfc_4648);
    tcase_add_test(tc, schedule_keeps_waits_and_limits);
    tcase_add_test(tc, energy_without_the_plan_is_the_planners_ledger);
    tcase_add_test(tc, hosts_account_for_the_whole_saving);
    tcase_add_test(tc, heat_marks_hosts_off_by_night_only);
    tcase_add_test(tc, heat_cell_is_capped_below_its_marks);
    tcase_add_test(tc, packing_is_told_apart_from_the_night);
    tcase_add_test(tc, joint_percentile_is_taken_over_sums);
    tcase_add_test(tc, overload_is_counted_in_host_seconds);
    tcase_add_test(tc, many_hosts_share_rows);
    tcase_add_test(tc, reasons_are_kept_by_template);
    tcase_add_test(tc, names_cannot_leave_the_data);
    tcase_add_test(tc, what_is_not_a_number_is_null);
    tcase_add_test(tc, a_refused_plan_says_so_first);
    tcase_add_test(tc, another_model_than_the_plans_is_said);
    tcase_add_test(tc, when_it_was_made_is_told_by_the_clocks_then);
    tcase_add_test(tc, a_plan_without_steps_is_a_page_too);
    tcase_add_test(tc, demand_that_does_not_cover_the_plan_is_refused);
    tcase_add_test(tc, a_replay_of_an_unseen_night_comes_first);
    tcase_add_test(tc, same_input_same_bytes);
    tcase_add_test(tc, nothing_points_outside);
    tcase_add_test(tc, a_month_of_sixty_hosts_fits_the_budget);
    suite_add_tcase(suite, tc);
    return suite;
}

int
main(int argc, char *argv[])
{
    if (argc == 3 && !strncmp(argv[1], "--write", 7)) {
        return write_page(argv[2], !strcmp(argv[1], "--write-hostile"));
    }
    SRunner *runner = srunner_create(report_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? 1 : 0;
}
