/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/io/file.h"
#include "sim/output/series_file.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"
#include "traces/h5.h"

#include <unistd.h>

#define MINUTE INT64_C(60000)

enum { N_TIMES = 40, N_VMS = 6, N_HOSTS = 3 }; /* Two blocks and a half. */

static struct fixture f;
static float values[N_TIMES * N_VMS];
static struct dcp_samples samples;
static struct dcp_sim_event events[2];
static struct dcp_sim_input input;
static char path[64];

static void
setup(void)
{
    struct dcp_rng rng = dcp_rng_stream(5, "series", 0);

    fixture_init(&f, N_HOSTS, N_VMS);
    for (uint32_t i = 0; i < N_TIMES * N_VMS; i++) {
        values[i] = (float)(1200 * dcp_rng_unit(&rng));
    }
    samples = (struct dcp_samples){ FIXTURE_START_MS, 5 * MINUTE, N_TIMES,
                                    N_VMS, values };
    uint32_t id = fixture_move(&f, 0, 0, 1, MINUTE, 0);

    for (int i = 0; i < 2; i++) {
        events[i] =
            (struct dcp_sim_event){ FIXTURE_START_MS + (62 + i) * MINUTE,
                                    &f.steps[id - 1],
                                    i ? DCP_ACTION_DONE : DCP_ACTION_STARTED };
    }
    input = (struct dcp_sim_input){
        .inventory = f.inv,
        .cpu = &samples,
        .start = f.plan->before,
        .from_ms = FIXTURE_START_MS + 7 * MINUTE,
        .to_ms = FIXTURE_START_MS + (N_TIMES * 5 - 3) * MINUTE,
        .events = events,
        .n_events = 2,
    };
    snprintf(path, sizeof path, "series.%d.tmp", (int)getpid());
}

static void
teardown(void)
{
    unlink(path);
    fixture_finish(&f);
}

/* Replays the window, which begins and ends within samples, into the file. */
static void
replay(struct dcp_series_file *file, struct dcp_sim_result *out)
{
    struct dcp_sim_watch w = dcp_series_file_watch(file);
    const struct dcp_sim_watch *const watches[] = { &w };
    struct dcp_sim_input in = input;
    struct dcp_error err = { 0 };

    in.watches = watches;
    in.n_watches = 1;
    ck_assert_msg(dcp_simulate(&in, out, &err), "%s", err.message);
    ck_assert_msg(dcp_series_file_end(file, out, NULL, &err), "%s",
                  err.message);
}

/* The matrix, [n_rows][n_columns]. */
static void
read_matrix(const char *name, uint32_t n_rows, uint32_t n_columns, float *out)
{
    DCP_HID file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    DCP_HID set = H5Dopen2(file, name, H5P_DEFAULT);

    ck_assert_msg(set >= 0, "%s", name);
    DCP_HID space = H5Dget_space(set);
    hsize_t dims[2] = { 0, 0 };
    char unit[64];

    ck_assert_int_eq(H5Sget_simple_extent_dims(space, dims, NULL), 2);
    ck_assert_uint_eq(dims[0], n_rows);
    ck_assert_uint_eq(dims[1], n_columns);
    ck_assert(dcp_h5_read_text(set, "unit", unit, sizeof unit));
    ck_assert(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                      out) >= 0);
}

static double
seconds_of(const struct dcp_sim_slice *s)
{
    return (double)(s->end_ms - s->start_ms) / 1000;
}

/* Sum over time of one column, times seconds. */
static double
integral(const struct dcp_sim_result *r, const float *rows, uint32_t n_columns,
         uint32_t column)
{
    double sum = 0;

    for (uint32_t t = 0; t < r->n_slices; t++) {
        sum += (double)rows[t * n_columns + column] * seconds_of(&r->slices[t]);
    }
    return sum;
}

static void
check_near(double is, double should)
{
    ck_assert_double_eq_tol(is, should, 1e-6 * should + 1e-6);
}

START_TEST(series_add_up_to_the_result)
{
    struct dcp_error err = { 0 };
    struct dcp_sim_result r;
    float rows[N_TIMES * N_VMS];
    DCP_AUTO(dcp_series_file)
    struct dcp_series_file *file = dcp_series_file_create(path, &input, &err);

    ck_assert_msg(file != NULL, "%s", err.message);
    ck_assert_int_ne(access(path, F_OK), 0); /* Not before it is whole. */
    replay(file, &r);
    read_matrix("/host/power_w", r.n_slices, N_HOSTS, rows);
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        check_near(integral(&r, rows, N_HOSTS, h), r.hosts[h].it_j);
    }
    read_matrix("/host/demand_mhz", r.n_slices, N_HOSTS, rows);
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        check_near(integral(&r, rows, N_HOSTS, h), r.hosts[h].requested_mhz_s);
    }
    read_matrix("/host/overload_frac", r.n_slices, N_HOSTS, rows);
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        check_near(integral(&r, rows, N_HOSTS, h), r.hosts[h].overload_s);
    }
    read_matrix("/vm/unmet_mhz", r.n_slices, N_VMS, rows);
    for (uint32_t v = 0; v < N_VMS; v++) {
        check_near(integral(&r, rows, N_VMS, v), r.vm_unmet_mhz_s[v]);
        ck_assert_double_gt(r.vm_unmet_mhz_s[v], 0);
    }
    read_matrix("/vm/demand_mhz", r.n_slices, N_VMS, rows);
    ck_assert_float_eq(rows[0], values[N_VMS]); /* From the second sample. */
    ck_assert_float_eq(rows[(r.n_slices - 1) * N_VMS + 5],
                       values[N_TIMES * N_VMS - 1]);
    read_matrix("/vm/host", r.n_slices, N_VMS, rows);
    for (uint32_t t = 0; t < r.n_slices; t++) {
        bool moved = r.slices[t].end_ms > events[1].at_ms;

        ck_assert_float_eq(rows[t * N_VMS], moved ? 1 : 0);
    }
    read_matrix("/tenant/unmet_mhz", r.n_slices, 1, rows);
    check_near(integral(&r, rows, 1, 0), r.unmet_cpu_mhz_s);
    dcp_sim_result_finish(&r);
}
END_TEST

/* One pool of 300 KiB/s and 30 operations; VMs ask for 100 KiB/s and 4 each. */
static void
limit_storage(struct dcp_pool *pool, struct dcp_volume volumes[N_VMS])
{
    struct dcp_vm *vms = dcp_arena_array(f.inv->arena, struct dcp_vm, N_VMS);

    memcpy(vms, f.inv->vms, N_VMS * sizeof *vms);
    *pool = (struct dcp_pool){ .name = "p1", .rate_kib_s = 300, .iops = 30 };
    for (uint32_t v = 0; v < N_VMS; v++) {
        volumes[v] = (struct dcp_volume){ .vm = { v },
                                          .pool = { 0 },
                                          .size_mib = 1024,
                                          .rate_kib_s = 100,
                                          .iops = 4 };
        vms[v].first_volume = v;
        vms[v].n_volumes = 1;
    }
    f.inv->vms = vms;
    f.inv->pools = pool;
    f.inv->n_pools = 1;
    f.inv->volumes = volumes;
    f.inv->n_volumes = N_VMS;
}

START_TEST(storage_is_there_where_it_is_limited)
{
    static const struct {
        const char *name;
        uint32_t n;
        float value;
    } figures[] = {
        { "/pool/asked_kib_s", 1, 600 },
        { "/pool/unmet_kib_s", 1, 300 },
        { "/pool/load_frac", 1, 2 },
        { "/pool/asked_operations", 1, 24 },
        { "/vm/storage_kib_s", 6, 100 },
        { "/vm/storage_unmet_kib_s", 6, 50 },
        { "/pool/unmet_operations", 1, 12 },
    };
    struct dcp_pool pool;
    struct dcp_volume volumes[N_VMS];
    struct dcp_error err = { 0 };
    struct dcp_sim_result r;
    float rows[N_TIMES * N_VMS];

    ck_assert_ptr_null(
        dcp_series_file_create_csv(path, DCP_SERIES_POOL, &input, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    limit_storage(&pool, volumes);
    DCP_AUTO(dcp_series_file)
    struct dcp_series_file *file = dcp_series_file_create(path, &input, NULL);

    replay(file, &r);
    for (uint32_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        read_matrix(figures[i].name, r.n_slices, figures[i].n, rows);
        for (uint32_t k = 0; k < r.n_slices * figures[i].n; k++) {
            ck_assert_float_eq_tol(rows[k], figures[i].value, 1e-3f);
        }
    }
    read_matrix("/host/storage_kib_s", r.n_slices, N_HOSTS, rows);
    for (uint32_t t = 0; t < r.n_slices; t++) {
        bool moved = r.slices[t].end_ms > events[1].at_ms;

        ck_assert_float_eq(rows[t * N_HOSTS], moved ? 100 : 200);
        ck_assert_float_eq(rows[t * N_HOSTS + 1], moved ? 300 : 200);
    }
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(equal_replays_give_equal_files)
{
    char *text[2] = { NULL, NULL };
    size_t length[2];

    for (int i = 0; i < 2; i++) {
        struct dcp_sim_result r;
        DCP_AUTO(dcp_series_file)
        struct dcp_series_file *file =
            dcp_series_file_create(path, &input, NULL);

        replay(file, &r);
        dcp_sim_result_finish(&r);
        text[i] = dcp_file_read(path, 1 << 24, &length[i], NULL);
        ck_assert_ptr_nonnull(text[i]);
    }
    ck_assert_uint_eq(length[0], length[1]);
    ck_assert_mem_eq(text[0], text[1], length[0]);
    free(text[0]);
    free(text[1]);
}
END_TEST

START_TEST(csv_has_a_line_per_vm_and_sample)
{
    struct dcp_sim_result r;
    size_t length, n_lines = 0;
    DCP_AUTO(dcp_series_file)
    struct dcp_series_file *file =
        dcp_series_file_create_csv(path, DCP_SERIES_VM, &input, NULL);

    replay(file, &r);
    DCP_FREE char *text = dcp_file_read(path, 1 << 20, &length, NULL);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i++) {
        n_lines += text[i] == '\n';
    }
    ck_assert_uint_eq(n_lines, 1 + (size_t)r.n_slices * N_VMS);
    ck_assert_ptr_nonnull(strstr(
        text, "time,vm,host,demand_mhz,unmet_mhz,ready_frac,swap_mib\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n2013-08-30T20:07:00Z,v1,h1,"));
    ck_assert_ptr_nonnull(strstr(text, "\n2013-08-30T21:05:00Z,v1,h2,"));
    dcp_sim_result_finish(&r);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_told)
{
    struct dcp_error err = { 0 };

    ck_assert_ptr_null(dcp_series_file_create("no/such/dir.h5", &input, &err));
    ck_assert_int_eq(err.code, DCP_E_IO);
    ck_assert_ptr_null(dcp_series_file_create_csv(
        "no/such/dir.csv", DCP_SERIES_HOST, &input, &err));
    ck_assert_int_eq(err.code, DCP_E_IO);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &series_add_up_to_the_result,
        &storage_is_there_where_it_is_limited,
        &equal_replays_give_equal_files,
        &csv_has_a_line_per_vm_and_sample,
        &a_file_that_cannot_be_written_is_told,
    };

    return run_tests_with("series", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
