/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/traces_fixture.h"
#include "traces/cells.h"
#include "traces/h5.h"
#include "traces/store_writer.h"

/* Not whole tiles. */
enum { N_VMS = 300, N_TIMES = 600 };

static float value[N_VMS * N_TIMES];

static void
invent(void)
{
    for (uint32_t v = 0; v < N_VMS; v++) {
        struct dcp_rng rng = dcp_rng_stream(9, "cells", v);

        for (uint32_t t = 0; t < N_TIMES; t++) {
            value[v * N_TIMES + t] = dcp_rng_below(&rng, 10) == 0
                                         ? NAN
                                         : (float)(dcp_rng_unit(&rng) * 3000);
        }
    }
}

static void
write_store(const char *path, uint32_t n_vms, uint32_t n_times, uint32_t bits,
            uint32_t deflate_level)
{
    static struct dcp_store_vm vms[N_VMS];
    static char names[N_VMS][16];
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i < n_vms; i++) {
        (void)snprintf(names[i], sizeof names[i], "vm %u", i);
        vms[i] = (struct dcp_store_vm){ names[i], 1, 3000, 1024 };
    }
    struct dcp_store_writer_options o = {
        .interval_ms = 300000,
        .n_times = n_times,
        .n_vms = n_vms,
        .vms = vms,
        .mem_basis = "active",
        .deflate_level = deflate_level,
        .sample_bits = bits,
    };

    o.has[DCP_METRIC_CPU_MHZ] = true;
    DCP_AUTO(dcp_store_writer)
    struct dcp_store_writer *w = dcp_store_writer_create(path, &o, &err);

    ck_assert_msg(w != NULL, "%s", err.message);
    invent();
    for (uint32_t v = 0; v < n_vms; v++) {
        ck_assert(dcp_store_writer_put(w, DCP_METRIC_CPU_MHZ, v, 1,
                                       value + v * N_TIMES, &err));
    }
    ck_assert_msg(dcp_store_writer_commit(w, &err), "%s", err.message);
}

/* Every cell of every tile is what dcp_store_read() gives. */
static void
compare(const char *path, uint32_t size, bool raw)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_store) struct dcp_store *s = dcp_store_open(path, &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    DCP_AUTO(dcp_cells)
    struct dcp_cells *c = dcp_cells_create(s, DCP_METRIC_CPU_MHZ, &err);
    struct dcp_cells_room room;
    uint32_t n_times = dcp_store_n_times(s), n_vms = dcp_store_n_vms(s);

    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(dcp_cells_size(c), size);
    ck_assert_int_eq(dcp_cells_are_raw(c), raw);
    ck_assert(dcp_cells_room_init(&room, c, &err));
    for (uint32_t v = 0; v < n_vms; v++) {
        static float expected[N_TIMES];
        double scale = dcp_cells_scale(c)[v];

        ck_assert(dcp_store_read(s, DCP_METRIC_CPU_MHZ, &v, 1, 0, n_times,
                                 expected, &err));
        for (uint32_t i = 0; i < dcp_cells_n_stripes(c); i++) {
            ck_assert_msg(dcp_cells_read(c, i, v / DCP_CELLS_VMS, &room, &err),
                          "%s", err.message);
            for (uint32_t k = 0; k < DCP_CELLS_TIMES; k++) {
                size_t at = (size_t)(v % DCP_CELLS_VMS) * DCP_CELLS_TIMES + k;
                uint32_t t = i * DCP_CELLS_TIMES + k;
                uint16_t cell = room.rows[at];

                if (size == 2) {
                    memcpy(&cell, room.rows + 2 * at, 2);
                }
                if (t >= n_times || isnan(expected[t])) {
                    ck_assert_uint_eq(cell, dcp_cells_missing(c));
                } else {
                    ck_assert(expected[t] == (float)(cell * scale));
                }
            }
        }
    }
    ck_assert(!dcp_cells_read(c, dcp_cells_n_stripes(c), 0, &room, &err));
    dcp_cells_room_finish(&room);
}

START_TEST(tiles_hold_what_the_store_holds)
{
    static const struct {
        uint32_t n_vms, n_times, bits, deflate_level;
    } cases[] = {
        { N_VMS, N_TIMES, 8, 0 }, { N_VMS, N_TIMES, 16, 0 },
        { N_VMS, N_TIMES, 8, 1 }, { N_VMS, N_TIMES, 16, 6 },
        { 3, 7, 8, 0 },           { 3, 7, 16, 1 },
        { 256, 288, 8, 0 },       { 17, 300, 16, 0 },
    };
    const char *path = fixture_path("cells.h5");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_store(path, cases[i].n_vms, cases[i].n_times, cases[i].bits,
                    cases[i].deflate_level);
        compare(path, cases[i].bits / 8, true);
    }
}
END_TEST

/* Other chunks and contiguous sets, as another program may write them. */
START_TEST(foreign_layouts_are_read_as_well)
{
    const char *path = fixture_path("cells.h5");

    for (int contiguous = 0; contiguous < 2; contiguous++) {
        write_store(path, N_VMS, N_TIMES, 16, 0);
        DCP_HID file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        DCP_HID group = H5Gopen2(file, "metric/cpu_mhz", H5P_DEFAULT);
        DCP_HID old = H5Dopen2(group, "data", H5P_DEFAULT);
        DCP_HID space = H5Dget_space(old);
        DCP_HID plist = H5Pcreate(H5P_DATASET_CREATE);
        hsize_t chunk[2] = { 100, 50 };
        static uint16_t cells[N_VMS * N_TIMES];

        ck_assert(H5Dread(old, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                          cells) >= 0);
        ck_assert(H5Ldelete(group, "data", H5P_DEFAULT) >= 0);
        if (!contiguous) {
            ck_assert(H5Pset_chunk(plist, 2, chunk) >= 0);
        }
        DCP_HID set = H5Dcreate2(group, "data", H5T_STD_U16BE, space,
                                 H5P_DEFAULT, plist, H5P_DEFAULT);

        ck_assert(H5Dwrite(set, H5T_NATIVE_UINT16, H5S_ALL, H5S_ALL,
                           H5P_DEFAULT, cells) >= 0);
        dcp_h5_close(&set);
        dcp_h5_close(&old);
        dcp_h5_close(&group);
        dcp_h5_close(&file);
        compare(path, 2, false);
    }
}
END_TEST

/* Eight bits: off by at most half a step of the VM's highest / 254. */
START_TEST(bytes_are_as_near_as_they_say)
{
    const char *path = fixture_path("cells.h5");
    struct dcp_error err = { 0 };

    write_store(path, N_VMS, N_TIMES, 8, 0);
    DCP_AUTO(dcp_store) struct dcp_store *s = dcp_store_open(path, &err);
    static float got[N_TIMES];

    ck_assert_ptr_nonnull(s);
    for (uint32_t v = 0; v < N_VMS; v++) {
        float max = 0;

        for (uint32_t t = 0; t < N_TIMES; t++) {
            max = fmaxf(max, value[v * N_TIMES + t]);
        }
        ck_assert(dcp_store_read(s, DCP_METRIC_CPU_MHZ, &v, 1, 0, N_TIMES, got,
                                 &err));
        for (uint32_t t = 0; t < N_TIMES; t++) {
            float wanted = value[v * N_TIMES + t];

            ck_assert_int_eq(isnan(wanted), isnan(got[t]));
            ck_assert(isnan(wanted) ||
                      fabsf(wanted - got[t]) <= max / 508 * 1.0001F);
        }
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &tiles_hold_what_the_store_holds,
        &foreign_layouts_are_read_as_well,
        &bytes_are_as_near_as_they_say,
    };

    return run_tests_with("cells", tests, sizeof tests / sizeof tests[0],
                          fixture_make, fixture_remove);
}
