/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/traces_fixture.h"
#include "traces/h5.h"
#include "traces/store_writer.h"

enum { N_VMS = 300, N_TIMES = 600, START = 1000000 };

static struct dcp_store_vm vms[N_VMS];
static char names[N_VMS][16];

static float
sample(uint32_t vm, uint32_t t)
{
    struct dcp_rng rng = dcp_rng_stream(9, "store", vm * 1000 + t);

    return dcp_rng_below(&rng, 10) == 0
               ? NAN
               : (float)(dcp_rng_unit(&rng) * 100 * (vm + 1));
}

static struct dcp_store_writer_options
options(void)
{
    for (uint32_t i = 0; i < N_VMS; i++) {
        (void)snprintf(names[i], sizeof names[i], "vm %u", i);
        vms[i] = (struct dcp_store_vm){ names[i], i % 8, 2600.5 * (i % 8),
                                        1024.0 * i };
    }
    struct dcp_store_writer_options o = {
        .start_ms = START,
        .interval_ms = 300000,
        .n_times = N_TIMES,
        .n_vms = N_VMS,
        .vms = vms,
        .mem_basis = "consumed",
    };

    o.has[DCP_METRIC_CPU_MHZ] = true;
    o.has[DCP_METRIC_MEM_MIB] = true;
    return o;
}

static void
put_all(struct dcp_store_writer *w)
{
    struct dcp_error err = { 0 };
    float *value = calloc((size_t)N_VMS * N_TIMES, sizeof *value);

    ck_assert_ptr_nonnull(value);
    for (uint32_t v = 0; v < N_VMS; v++) {
        for (uint32_t t = 0; t < N_TIMES; t++) {
            value[v * N_TIMES + t] = sample(v, t);
        }
    }
    ck_assert(
        dcp_store_writer_put(w, DCP_METRIC_CPU_MHZ, 0, N_VMS, value, &err));
    for (uint32_t i = 0; i < N_VMS * N_TIMES; i++) {
        value[i] = isnan(value[i]) ? NAN : truncf(value[i]);
    }
    ck_assert(
        dcp_store_writer_put(w, DCP_METRIC_MEM_MIB, 0, N_VMS, value, &err));
    free(value);
}

static const char *
write_store(const char *name, uint32_t deflate)
{
    struct dcp_store_writer_options o = options();
    struct dcp_error err = { 0 };
    const char *path = fixture_path(name);

    o.deflate_level = deflate;
    struct dcp_store_writer *w = dcp_store_writer_create(path, &o, &err);

    ck_assert_msg(w != NULL, "%s", err.message);
    put_all(w);
    ck_assert(dcp_store_writer_add_source(
        w, &(struct dcp_store_source){ "test", "", "", "me" }, &err));
    ck_assert_msg(dcp_store_writer_commit(w, &err), "%s", err.message);
    dcp_store_writer_destroy(w);
    return path;
}

START_TEST(what_is_written_is_read)
{
    struct dcp_error err = { 0 };
    struct dcp_store *s = dcp_store_open(write_store("u.h5", 0), &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    ck_assert_uint_eq(dcp_store_n_vms(s), N_VMS);
    ck_assert_uint_eq(dcp_store_n_times(s), N_TIMES);
    ck_assert_int_eq(dcp_store_start_ms(s), START);
    ck_assert_int_eq(dcp_store_interval_ms(s), 300000);
    ck_assert_str_eq(dcp_store_mem_basis(s), "consumed");
    ck_assert(!dcp_store_has(s, DCP_METRIC_READY_FRAC));
    ck_assert_str_eq(dcp_store_vm_name(s, 7), "vm 7");
    ck_assert_uint_eq(dcp_store_find(s, "vm 299"), 299);
    ck_assert_uint_eq(dcp_store_find(s, "vm 300"), UINT32_MAX);
    ck_assert_uint_eq(dcp_store_vm_vcpus(s, 5), 5);
    ck_assert(dcp_store_vm_cpu_capacity_mhz(s, 5) == 2600.5 * 5);
    ck_assert_int_eq(dcp_store_cell(s, START - 1), -1);
    ck_assert_int_eq(dcp_store_cell(s, START), 0);
    ck_assert_int_eq(dcp_store_cell(s, START + 300000), 1);
    ck_assert_ptr_null(dcp_store_stats(s));
    ck_assert_uint_eq(dcp_store_n_sources(s), 1);
    ck_assert_str_eq(dcp_store_source(s, 0)->kind, "test");

    /* Any order, twice the same, across chunks in both directions. */
    uint32_t wanted[] = { 299, 0, 255, 256, 0, 17 };
    static float out[6][400];

    ck_assert(dcp_store_read(s, DCP_METRIC_CPU_MHZ, wanted, 6, 150, 400, out[0],
                             &err));
    for (uint32_t i = 0; i < 6; i++) {
        for (uint32_t t = 0; t < 400; t++) {
            float want = sample(wanted[i], 150 + t);

            ck_assert_int_eq(isnan(out[i][t]) != 0, isnan(want) != 0);
            /* Half a step of max / 65534. */
            ck_assert(isnan(want) || fabsf(out[i][t] - want) <=
                                         100.0f * (wanted[i] + 1) / 131000);
        }
    }
    /* Whole values are exact. */
    ck_assert(
        dcp_store_read(s, DCP_METRIC_MEM_MIB, wanted, 1, 0, 400, out[0], &err));
    for (uint32_t t = 0; t < 400; t++) {
        float want = truncf(sample(299, t));

        ck_assert(isnan(want) ? isnan(out[0][t]) : out[0][t] == want);
    }
    ck_assert(!dcp_store_read(s, DCP_METRIC_READY_FRAC, wanted, 1, 0, 1, out[0],
                              &err));
    ck_assert(!dcp_store_read(s, DCP_METRIC_CPU_MHZ, wanted, 1, 599, 2, out[0],
                              &err));
    dcp_store_destroy(s);
}
END_TEST

static void
digest(const char *path, char out[72])
{
    struct dcp_error err = { 0 };
    struct dcp_store *s = dcp_store_open(path, &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    ck_assert(dcp_store_digest(s, out, &err));
    dcp_store_destroy(s);
}

START_TEST(the_digest_is_of_the_content)
{
    char a[72], b[72];

    digest(write_store("a.h5", 0), a);
    digest(write_store("b.h5", 4), b); /* Compressed: the same samples. */
    ck_assert_str_eq(a, b);
    ck_assert_int_eq(strncmp(a, "sha256:", 7), 0);

    hid_t file = H5Fopen(fixture_path("a.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "metric/cpu_mhz/data", H5P_DEFAULT);
    hsize_t from[2] = { 599, 299 }, size[2] = { 1, 1 };
    hid_t space = H5Dget_space(set), memory = H5Screate_simple(2, size, NULL);
    uint16_t cell = 12345;

    (void)H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, size, NULL);
    ck_assert_int_ge(
        H5Dwrite(set, H5T_NATIVE_UINT16, memory, space, H5P_DEFAULT, &cell), 0);
    (void)H5Sclose(memory);
    (void)H5Sclose(space);
    (void)H5Dclose(set);
    (void)H5Fclose(file);
    digest(fixture_path("a.h5"), b);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(nothing_is_left_without_a_commit)
{
    struct dcp_store_writer_options o = options();
    struct dcp_error err = { 0 };
    struct dcp_store_writer *w =
        dcp_store_writer_create(fixture_path("u.h5"), &o, &err);

    ck_assert_ptr_nonnull(w);
    put_all(w);
    dcp_store_writer_destroy(w);
    ck_assert_uint_eq(fixture_n_entries(), 0);

    /* And what stood there stands. */
    (void)fixture_write("u.h5", "old");
    w = dcp_store_writer_create(fixture_path("u.h5"), &o, &err);
    put_all(w);
    dcp_store_writer_destroy(w);
    ck_assert_uint_eq(fixture_n_entries(), 1);
    w = dcp_store_writer_create(fixture_path("u.h5"), &o, &err);
    put_all(w);
    ck_assert(dcp_store_writer_commit(w, &err)); /* Replaces it. */
    dcp_store_writer_destroy(w);
    ck_assert_uint_eq(fixture_n_entries(), 1);
    struct dcp_store *s = dcp_store_open(fixture_path("u.h5"), &err);

    ck_assert_ptr_nonnull(s);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(bad_options_are_refused)
{
    struct dcp_store_writer_options o = options();
    struct dcp_error err = { 0 };

    o.n_times = 0;
    ck_assert_ptr_null(dcp_store_writer_create(fixture_path("u.h5"), &o, &err));
    o = options();
    vms[3].name = vms[2].name;
    ck_assert_ptr_null(dcp_store_writer_create(fixture_path("u.h5"), &o, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "two VMs are called 'vm 2'"));
    o = options();
    vms[3].name = "a\nb";
    ck_assert_ptr_null(dcp_store_writer_create(fixture_path("u.h5"), &o, &err));
    o = options();
    ck_assert_ptr_null(
        dcp_store_writer_create(fixture_path("no/such/u.h5"), &o, &err));
    ck_assert_int_eq(err.code, DCP_E_IO);

    float negative[N_TIMES] = { -1 };
    struct dcp_store_writer *w =
        dcp_store_writer_create(fixture_path("u.h5"), &o, &err);

    ck_assert(
        !dcp_store_writer_put(w, DCP_METRIC_CPU_MHZ, 0, 1, negative, &err));
    dcp_store_writer_destroy(w);
    ck_assert_uint_eq(fixture_n_entries(), 0);
}
END_TEST

static void
refused(const char *path, const char *words)
{
    struct dcp_error err = { 0 };
    struct dcp_store *s = dcp_store_open(path, &err);

    ck_assert_msg(s == NULL, "accepted, but '%s' was expected", words);
    ck_assert_msg(strstr(err.message, words) != NULL, "'%s' is not in '%s'",
                  words, err.message);
}

START_TEST(other_files_are_refused)
{
    refused(fixture_path("none.h5"), "No such file");
    refused(fixture_dir, "is not a file");
    refused(fixture_write("empty.h5", ""), "not a whole HDF5 file");
    refused(fixture_write("text.h5", "time,vm\n"), "not a whole HDF5 file");

    hid_t file = H5Fcreate(fixture_path("foreign.h5"), H5F_ACC_TRUNC,
                           H5P_DEFAULT, H5P_DEFAULT);

    (void)H5Fclose(file);
    refused(fixture_path("foreign.h5"), "no usage store");
}
END_TEST

START_TEST(truncated_stores_are_refused)
{
    FILE *f = fopen(write_store("u.h5", 0), "r");
    static char data[4 << 20];

    ck_assert_ptr_nonnull(f);
    size_t size = fread(data, 1, sizeof data, f);

    (void)fclose(f);
    ck_assert_uint_gt(size, 1000);
    ck_assert_uint_lt(size, sizeof data);
    for (size_t cut = 0; cut < size; cut += cut < 4096 ? 97 : size / 23) {
        refused(fixture_write_n("cut.h5", data, cut), "not a whole HDF5");
    }
    refused(fixture_write_n("cut.h5", data, size - 1), "not a whole HDF5");
}
END_TEST

/* A whole store in which one thing is a lie. */
static const char *
lie(void (*change)(hid_t file))
{
    const char *path = write_store("lie.h5", 0);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    ck_assert_int_ge(file, 0);
    change(file);
    (void)H5Fclose(file);
    return path;
}

static void
replace(hid_t file, const char *path, hid_t type, int rank,
        const hsize_t dims[], hid_t plist)
{
    (void)H5Ldelete(file, path, H5P_DEFAULT);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set =
        H5Dcreate2(file, path, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);

    ck_assert_int_ge(set, 0);
    (void)H5Dclose(set);
    (void)H5Sclose(space);
}

static void
fewer_samples(hid_t file)
{
    hsize_t dims[2] = { N_TIMES - 1, N_VMS };

    replace(file, "metric/cpu_mhz/data", H5T_STD_U16LE, 2, dims, H5P_DEFAULT);
}

static void
float_samples(hid_t file)
{
    hsize_t dims[2] = { N_TIMES, N_VMS };

    replace(file, "metric/cpu_mhz/data", H5T_IEEE_F32LE, 2, dims, H5P_DEFAULT);
}

static void
flat_samples(hid_t file)
{
    hsize_t dims[1] = { (hsize_t)N_TIMES * N_VMS };

    replace(file, "metric/cpu_mhz/data", H5T_STD_U16LE, 1, dims, H5P_DEFAULT);
}

static void
external_samples(hid_t file)
{
    hsize_t dims[2] = { N_TIMES, N_VMS };
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);

    (void)H5Pset_external(plist, "/etc/passwd", 0, H5F_UNLIMITED);
    replace(file, "metric/cpu_mhz/data", H5T_STD_U16LE, 2, dims, plist);
    (void)H5Pclose(plist);
}

static void
external_link(hid_t file)
{
    (void)H5Ldelete(file, "metric/cpu_mhz/data", H5P_DEFAULT);
    (void)H5Lcreate_external("other.h5", "/data", file, "metric/cpu_mhz/data",
                             H5P_DEFAULT, H5P_DEFAULT);
}

static void
no_scale(hid_t file)
{
    (void)H5Ldelete(file, "metric/mem_mib/scale", H5P_DEFAULT);
}

static void
nan_scale(hid_t file)
{
    hid_t set = H5Dopen2(file, "metric/mem_mib/scale", H5P_DEFAULT);
    double scale[N_VMS] = { NAN };

    (void)H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   scale);
    (void)H5Dclose(set);
}

static void
variable_names(hid_t file)
{
    hsize_t dims[1] = { N_VMS };
    hid_t type = H5Tcopy(H5T_C_S1);

    (void)H5Tset_size(type, H5T_VARIABLE);
    replace(file, "vm/name", type, 1, dims, H5P_DEFAULT);
    (void)H5Tclose(type);
}

static void
empty_names(hid_t file)
{
    hsize_t dims[1] = { N_VMS };
    hid_t type = H5Tcopy(H5T_C_S1);

    (void)H5Tset_size(type, 8);
    replace(file, "vm/name", type, 1, dims, H5P_DEFAULT);
    (void)H5Tclose(type);
}

static void
no_time(hid_t file)
{
    hid_t group = H5Gopen2(file, "time", H5P_DEFAULT);

    (void)H5Adelete(group, "interval_ms");
    (void)H5Gclose(group);
}

static void
zero_interval(hid_t file)
{
    hid_t group = H5Gopen2(file, "time", H5P_DEFAULT);

    (void)H5Adelete(group, "interval_ms");
    ck_assert(dcp_h5_write_i64(group, "interval_ms", 0));
    (void)H5Gclose(group);
}

static void
other_unit(hid_t file)
{
    hid_t group = H5Gopen2(file, "metric/cpu_mhz", H5P_DEFAULT);

    (void)H5Adelete(group, "unit");
    ck_assert(dcp_h5_write_text(group, "unit", "GHz"));
    (void)H5Gclose(group);
}

static void
no_metrics(hid_t file)
{
    (void)H5Ldelete(file, "metric/cpu_mhz", H5P_DEFAULT);
    (void)H5Ldelete(file, "metric/mem_mib", H5P_DEFAULT);
}

START_TEST(lying_stores_are_refused)
{
    refused(lie(fewer_samples), "samples are not [time][vm]");
    refused(lie(float_samples), "samples are not [time][vm]");
    refused(lie(flat_samples), "samples are not [time][vm]");
    refused(lie(external_samples), "samples are not [time][vm]");
    refused(lie(external_link), "samples are not [time][vm]");
    refused(lie(no_scale), "without a scale");
    refused(lie(nan_scale), "scale is out of range");
    refused(lie(variable_names), "fixed-length strings");
    refused(lie(empty_names), "without a name");
    refused(lie(no_time), "no /time");
    refused(lie(zero_interval), "/time is out of range");
    refused(lie(other_unit), "another unit");
    refused(lie(no_metrics), "no metric");
}
END_TEST

/* HDF5 itself loses memory over damaged headers. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

/* Whatever byte is wrong: an error or other figures, never a crash. */
START_TEST(damaged_bytes_do_no_harm)
{
    FILE *f = fopen(write_store("u.h5", 0), "r");
    static char data[4 << 20];
    struct dcp_rng rng = dcp_rng_stream(4, "damage", 0);

    ck_assert_ptr_nonnull(f);
    size_t size = fread(data, 1, sizeof data, f);

    (void)fclose(f);
    for (int k = 0; k < 150; k++) {
        /* Headers stand at both ends. */
        size_t at = (size_t)dcp_rng_below(&rng, 6000);
        struct dcp_error err = { 0 };

        at = k % 2 ? size - 1 - at : at;
        char old = data[at];

        data[at] = (char)dcp_rng_below(&rng, 256);
        struct dcp_store *s =
            dcp_store_open(fixture_write_n("x.h5", data, size), &err);
        float out[8];
        char text[72];
        uint32_t vm = 0;

        if (s) {
            (void)!dcp_store_read(s, DCP_METRIC_CPU_MHZ, &vm, 1, 0, 8, out,
                                  &err);
            (void)!dcp_store_digest(s, text, &err);
            dcp_store_destroy(s);
        } else {
            ck_assert_int_ne(err.code, DCP_OK);
        }
        data[at] = old;
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_written_is_read,          &the_digest_is_of_the_content,
        &nothing_is_left_without_a_commit, &bad_options_are_refused,
        &other_files_are_refused,          &truncated_stores_are_refused,
        &lying_stores_are_refused,         &damaged_bytes_do_no_harm,
    };

    return run_tests_with("store", tests, sizeof tests / sizeof tests[0],
                          fixture_make, fixture_remove);
}
