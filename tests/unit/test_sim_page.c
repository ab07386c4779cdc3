/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The picture of a replay, and the page that shows it. */

#include "report/sim_page.h"
#include "tests/support/random_events.h"
#include "tests/unit/run_suite.h"

static struct random_events r;
static struct dcp_sim_result without, with;
static struct dcp_picture *picture;
static const struct dcp_picture_data *data;

static void
setup(void)
{
    random_events_make(&r, 4);
    struct dcp_sim_input in = random_events_input(&r);
    struct dcp_sim_watch w;
    const struct dcp_sim_watch *const watches[] = { &w };
    struct dcp_host *hosts =
        dcp_arena_array(r.f.inv->arena, struct dcp_host, EVENTS_HOSTS);

    memcpy(hosts, r.f.inv->hosts, EVENTS_HOSTS * sizeof *hosts);
    hosts[1].name = "</script><b>&";
    r.f.inv->hosts = hosts;
    r.f.inv->currency = "EUR";
    struct dcp_tier *tier = dcp_arena_new(r.f.inv->arena, struct dcp_tier);

    tier->name = "gold";
    r.f.inv->tiers = tier;
    r.f.inv->zone = &dcp_zone_utc;
    in.n_events = 0;
    ck_assert(dcp_simulate(&in, &without, NULL));
    in.n_events = r.n;
    picture = dcp_picture_create(&in, NULL);
    ck_assert_ptr_nonnull(picture);
    w = dcp_picture_watch(picture);
    in.watches = watches;
    in.n_watches = 1;
    ck_assert(dcp_simulate(&in, &with, NULL));
    data = dcp_picture_end(picture);
}

static void
teardown(void)
{
    dcp_picture_destroy(picture);
    dcp_sim_result_finish(&without);
    dcp_sim_result_finish(&with);
    random_events_finish(&r);
}

static void
write_page(struct dcp_text *out, bool with_failures)
{
    struct dcp_availability_of tiers[] = {
        { .n_vms = 3, .availability_frac = 0.998, .promised_frac = 0.999 }
    };
    struct dcp_availability failed = { .availability_frac = 0.998,
                                       .n_interruptions = 7,
                                       .n_open = 1,
                                       .n_tiers = 1,
                                       .tiers = tiers,
                                       .recoveries = { 0, 4, 2 } };

    const struct dcp_sim_page_run runs[] = {
        { "Before", &without, with_failures ? &failed : NULL },
        { "After", &with, with_failures ? &failed : NULL }
    };
    const struct dcp_sim_page_sure sure = {
        .n_replications = with_failures ? 20 : 0,
        .n_variants = 2,
        .n_rows = 2,
        .names = { "none", "plan" },
        .rows = { { "energy",
                    false,
                    { { 9, 8, 10 }, { 7, 6, 8 }, { -2, -2, -2 } } },
                  { "a VM was hit",
                    true,
                    { { 0.5, 0.25, 0.75 }, { 0, 0, 0.5 } } } }
    };
    const struct dcp_sim_page page = { .inventory = r.f.inv,
                                       .runs = runs,
                                       .sure = &sure,
                                       .n_runs = 2,
                                       .picture = data,
                                       .in_sample = true,
                                       .tool_version = "test" };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_sim_page_html(&page, out, &err), "%s", err.message);
}

START_TEST(the_picture_adds_up_to_the_result)
{
    double on_s = 0, load_s = 0, mib = 0;
    uint32_t n_vms = 0;
    uint64_t n_samples = 0;

    ck_assert_uint_eq(data->n_columns, with.n_slices);
    for (uint32_t h = 0; h < with.n_hosts; h++) {
        on_s += with.hosts[h].on_s;
    }
    for (uint32_t i = 0; i < DCP_PICTURE_LOADS; i++) {
        load_s += data->load_host_s[i];
    }
    for (uint32_t c = 0; c < data->n_columns; c++) {
        ck_assert_int_eq(data->column_ms[c], with.slices[c].start_ms);
        mib += data->column_mib[c];
    }
    for (uint32_t i = 0; i < DCP_PICTURE_WAITS; i++) {
        n_vms += data->waits[i];
        n_samples += data->sample_waits[i];
    }
    ck_assert_uint_eq(n_samples, with.n_samples);
    ck_assert_double_eq_tol(load_s, on_s, 1e-5 * on_s);
    ck_assert_uint_eq(n_vms, with.n_vms);
    ck_assert_uint_gt(with.migrations, 0);
    ck_assert_double_eq(mib, with.migrations * 1024.0); /* 1 GiB each. */
    ck_assert_double_eq_tol(data->window_s,
                            (double)(with.to_ms - with.from_ms) / 1000, 1e-6);
    for (uint32_t v = 0; v < with.n_vms; v++) {
        ck_assert_double_eq_tol(data->wait_frac[v] * data->window_s,
                                with.vm_ready_s[v],
                                1e-5 * with.vm_ready_s[v] + 1e-3);
        ck_assert_double_le(data->served_s[v], data->window_s);
    }
}
END_TEST

/* A live move onto a host that boots in the same sample costs no time with a
 * place; a cold one costs what it lasts, given up or not. */
START_TEST(only_cold_moves_take_a_place_away)
{
    struct dcp_sim_input in = random_events_input(&r);
    struct dcp_placement *start = dcp_placement_copy(in.start, NULL);
    struct dcp_step steps[4] = { { .kind = DCP_STEP_HOST_ON } };
    int64_t at_ms = in.from_ms, span_ms = in.to_ms - in.from_ms;

    ck_assert_ptr_nonnull(start);
    for (uint32_t h = 0; h < EVENTS_HOSTS; h++) {
        start->on[h] = h > 0;
    }
    steps[0].object = (struct dcp_object){ DCP_OBJECT_HOST, 0 };
    for (uint32_t v = 0; v < 3; v++) {
        start->host[v].ix = v + 1;
        steps[v + 1] = (struct dcp_step){
            .kind = DCP_STEP_MIGRATE,
            .object = { DCP_OBJECT_VM, v },
            .from = { DCP_OBJECT_HOST, v + 1 },
            .to = { DCP_OBJECT_HOST, 0 },
            .cold = v > 0,
        };
    }
    const struct dcp_sim_event events[] = {
        { at_ms, &steps[0], DCP_ACTION_STARTED },
        { at_ms + 1000, &steps[0], DCP_ACTION_DONE },
        { at_ms + 2000, &steps[1], DCP_ACTION_STARTED },
        { at_ms + 2000, &steps[2], DCP_ACTION_STARTED },
        { at_ms + 2000, &steps[3], DCP_ACTION_STARTED },
        { at_ms + 5000, &steps[1], DCP_ACTION_DONE },
        { at_ms + 9000, &steps[2], DCP_ACTION_DONE },
        { at_ms + 9500, &steps[3], DCP_ACTION_FAILED },
    };
    in.start = start;
    struct dcp_picture *p = dcp_picture_create(&in, NULL);
    struct dcp_sim_watch w = dcp_picture_watch(p);
    const struct dcp_sim_watch *const watches[] = { &w };
    struct dcp_sim_result result;

    in.watches = watches;
    in.n_watches = 1;
    in.events = events;
    in.n_events = sizeof events / sizeof events[0];
    ck_assert(dcp_simulate(&in, &result, NULL));
    const double *served_s = dcp_picture_end(p)->served_s;

    ck_assert_double_eq(served_s[0], (double)span_ms / 1000);
    ck_assert_double_eq(served_s[1], (double)(span_ms - 7000) / 1000);
    ck_assert_double_eq(served_s[2], (double)(span_ms - 7500) / 1000);
    dcp_sim_result_finish(&result);
    dcp_picture_destroy(p);
    dcp_placement_destroy(start);
}
END_TEST

START_TEST(a_long_window_shares_columns)
{
    struct dcp_sim_input in = random_events_input(&r);

    in.from_ms = r.samples.start_ms;
    in.to_ms = in.from_ms + 8641 * r.samples.interval_ms;
    struct dcp_picture *p = dcp_picture_create(&in, NULL);

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(dcp_picture_end(p)->samples_per_column, 19);
    dcp_picture_destroy(p);
}
END_TEST

/* One move before the window, one of a VM that grew before it. */
START_TEST(moved_memory_is_of_the_window_and_as_large_as_it_was)
{
    struct dcp_sim_input in = random_events_input(&r);
    uint32_t from[2], to[2];
    struct dcp_step steps[3] = {
        { .id = 1, .kind = DCP_STEP_VM_RESIZE, .object = { DCP_OBJECT_VM, 1 } },
        { .id = 2, .kind = DCP_STEP_MIGRATE, .object = { DCP_OBJECT_VM, 0 } },
        { .id = 3, .kind = DCP_STEP_MIGRATE, .object = { DCP_OBJECT_VM, 1 } },
    };
    struct dcp_sim_result result;
    double mib = 0;

    for (uint32_t v = 0; v < 2; v++) {
        from[v] = in.start->host[v].ix;
        to[v] = (from[v] + 1) % EVENTS_HOSTS;
        steps[v + 1].from = (struct dcp_object){ DCP_OBJECT_HOST, from[v] };
        steps[v + 1].to = (struct dcp_object){ DCP_OBJECT_HOST, to[v] };
    }
    steps[0].from = steps[2].from;
    steps[0].size_to = dcp_placement_size(r.f.inv, in.start, 1);
    steps[0].size_to.mem_mib = 3000;
    const struct dcp_sim_event events[] = {
        { in.from_ms - 4, &steps[1], DCP_ACTION_STARTED },
        { in.from_ms - 3, &steps[1], DCP_ACTION_DONE },
        { in.from_ms - 2, &steps[0], DCP_ACTION_DONE },
        { in.from_ms + 1, &steps[2], DCP_ACTION_STARTED },
        { in.from_ms + 2, &steps[2], DCP_ACTION_DONE },
    };
    struct dcp_picture *p = dcp_picture_create(&in, NULL);
    struct dcp_sim_watch w = dcp_picture_watch(p);
    const struct dcp_sim_watch *const watches[] = { &w };

    in.events = events;
    in.n_events = sizeof events / sizeof events[0];
    in.watches = watches;
    in.n_watches = 1;
    ck_assert(dcp_simulate(&in, &result, NULL));
    const struct dcp_picture_data *d = dcp_picture_end(p);

    for (uint32_t c = 0; c < d->n_columns; c++) {
        mib += d->column_mib[c];
    }
    ck_assert_uint_eq(result.migrations, 1);
    ck_assert_double_eq(mib, 3000);
    dcp_sim_result_finish(&result);
    dcp_picture_destroy(p);
}
END_TEST

START_TEST(the_page_is_whole_and_names_are_text)
{
    struct dcp_text page = { 0 }, again = { 0 };

    write_page(&page, false);
    write_page(&again, false);
    const char *html = dcp_text_get(&page);

    ck_assert_ptr_nonnull(strstr(html, "<title>After, 2013-08-30</title>"));
    ck_assert_ptr_nonnull(strstr(html, "dcplan/sim-page-data/1"));
    ck_assert_ptr_nonnull(strstr(html, "\"Before\""));
    ck_assert_ptr_nonnull(strstr(html, "\\u003c/script>\\u003cb>&"));
    ck_assert_ptr_null(strstr(html, "</script><b>"));
    ck_assert_ptr_null(strstr(html, "{{"));
    ck_assert_ptr_null(strstr(html, "http://localhost"));
    ck_assert_ptr_nonnull(strstr(html, "default-src 'none'"));
    ck_assert_str_eq(html, dcp_text_get(&again));
    dcp_text_finish(&page);
    dcp_text_finish(&again);
}
END_TEST

START_TEST(failures_are_shown_where_they_were_asked_for)
{
    struct dcp_text page = { 0 }, calm = { 0 };

    write_page(&page, true);
    write_page(&calm, false);
    const char *html = dcp_text_get(&page);

    ck_assert_ptr_nonnull(strstr(html, "\"recoveries\":[0,4,2,0,0,0,0]"));
    ck_assert_ptr_nonnull(strstr(html, "[\"gold\",0.999,3,0.998,0.998]"));
    ck_assert_ptr_nonnull(strstr(
        html, "\"sure\":{\"n\":20,\"names\":[\"none\",\"plan\"],\"rows\":"
              "[[\"energy\",false,[9,8,10],[7,6,8],[-2,-2,-2]],"
              "[\"a VM was hit\",true,[0.5,0.25,0.75],[0,0,0.5]]]}"));
    ck_assert_ptr_null(strstr(dcp_text_get(&calm), "\"recoveries\":"));
    dcp_text_finish(&page);
    dcp_text_finish(&calm);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &the_picture_adds_up_to_the_result,
        &moved_memory_is_of_the_window_and_as_large_as_it_was,
        &only_cold_moves_take_a_place_away,
        &a_long_window_shares_columns,
        &the_page_is_whole_and_names_are_text,
        &failures_are_shown_where_they_were_asked_for,
    };

    return run_tests_with("sim_page", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
