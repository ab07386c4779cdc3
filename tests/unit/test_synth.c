/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/unit/run_suite.h"
#include "tests/unit/traces_fixture.h"
#include "traces/synth.h"

static struct dcp_synth_options
options(uint32_t threads)
{
    return (struct dcp_synth_options){
        .seed = 5,
        .start_ms = 1375660800000, /* Monday 2013-08-05T00:00:00Z. */
        .interval_ms = 300000,
        .days = 14,
        .zone = &dcp_zone_utc,
        .threads = threads,
    };
}

static void
write_store(const char *name, const struct dcp_synth_vm vms[], uint32_t n,
            uint32_t threads)
{
    struct dcp_synth_options o = options(threads);
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_synth_write(fixture_path(name), vms, n, &o, &err), "%s",
                  err.message);
}

static struct dcp_synth_vm
vm_of(enum dcp_archetype a)
{
    return (struct dcp_synth_vm){ .name = dcp_archetype_name(a),
                                  .vcpus = 4,
                                  .cpu_capacity_mhz = 10000,
                                  .mem_mib = 8192,
                                  .archetype = a };
}

START_TEST(the_same_on_any_number_of_threads)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_synth_vm *vms = dcp_synth_draw_vms(arena, 5, 300);
    char command[1400];

    ck_assert_ptr_nonnull(vms);
    ck_assert_str_eq(vms[0].name, "vm-001");
    write_store("a.h5", vms, 300, 1);
    write_store("b.h5", vms, 300, 3);
    (void)snprintf(command, sizeof command, "cmp '%s' '%s'",
                   fixture_path("a.h5"), fixture_path("b.h5"));
    ck_assert_int_eq(system(command), 0);
    dcp_arena_destroy(arena);
}
END_TEST

START_TEST(one_more_vm_changes_no_other)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_synth_vm *vms = dcp_synth_draw_vms(arena, 5, 12);
    struct dcp_error err = { 0 };
    float a[500], b[500];

    write_store("a.h5", vms, 12, 2);
    write_store("b.h5", vms + 3, 1, 2);
    struct dcp_store *s = dcp_store_open(fixture_path("a.h5"), &err);

    fixture_samples(s, DCP_METRIC_CPU_MHZ, vms[3].name, a, 500);
    dcp_store_destroy(s);
    s = dcp_store_open(fixture_path("b.h5"), &err);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, vms[3].name, b, 500);
    dcp_store_destroy(s);
    ck_assert_mem_eq(a, b, sizeof a);
    dcp_arena_destroy(arena);
}
END_TEST

/* Mean CPU of a VM in the hours [from, to) of working days or weekends. */
static double
mean_of(struct dcp_store *s, const char *vm, bool weekend, uint32_t from,
        uint32_t to)
{
    static float v[14 * 288];
    double sum = 0;
    uint32_t n = 0;

    fixture_samples(s, DCP_METRIC_CPU_MHZ, vm, v, 14 * 288);
    for (uint32_t t = 0; t < 14 * 288; t++) {
        uint32_t day = t / 288 % 7, hour = t % 288 / 12;

        if ((day >= 5) == weekend && hour >= from && hour < to) {
            sum += (double)v[t];
            n++;
        }
    }
    return sum / n;
}

START_TEST(archetypes_have_their_rhythm)
{
    struct dcp_synth_vm vms[DCP_SYNTH_ARCHETYPES];
    struct dcp_error err = { 0 };

    for (uint32_t a = 0; a < DCP_SYNTH_ARCHETYPES; a++) {
        vms[a] = vm_of((enum dcp_archetype)a);
    }
    write_store("u.h5", vms, DCP_SYNTH_ARCHETYPES, 2);
    struct dcp_store *s = dcp_store_open(fixture_path("u.h5"), &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    ck_assert_double_gt(mean_of(s, "office", false, 10, 16),
                        3 * mean_of(s, "office", false, 0, 5));
    ck_assert_double_gt(mean_of(s, "office", false, 10, 16),
                        3 * mean_of(s, "office", true, 10, 16));
    ck_assert_double_gt(mean_of(s, "evening", false, 20, 22),
                        2 * mean_of(s, "evening", false, 4, 7));
    ck_assert_double_gt(mean_of(s, "batch", false, 21, 24) +
                            mean_of(s, "batch", false, 0, 4),
                        4 * mean_of(s, "batch", false, 10, 17));
    double night = mean_of(s, "flat", false, 0, 5);

    ck_assert_double_lt(fabs(mean_of(s, "flat", false, 10, 16) - night),
                        0.15 * night);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(samples_stay_within_the_vm)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_synth_vm *vms = dcp_synth_draw_vms(arena, 5, 40);
    struct dcp_error err = { 0 };
    static float v[14 * 288];

    write_store("u.h5", vms, 40, 2);
    struct dcp_store *s = dcp_store_open(fixture_path("u.h5"), &err);

    for (uint32_t i = 0; i < 40; i++) {
        fixture_samples(s, DCP_METRIC_CPU_MHZ, vms[i].name, v, 14 * 288);
        for (uint32_t t = 0; t < 14 * 288; t++) {
            ck_assert(v[t] >= 0 && (double)v[t] <= vms[i].cpu_capacity_mhz);
        }
        fixture_samples(s, DCP_METRIC_MEM_MIB, vms[i].name, v, 14 * 288);
        for (uint32_t t = 0; t < 14 * 288; t++) {
            ck_assert(v[t] > 0 && (double)v[t] <= vms[i].mem_mib);
        }
    }
    dcp_store_destroy(s);
    dcp_arena_destroy(arena);
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    struct dcp_synth_options o = options(1);
    struct dcp_synth_vm vm = vm_of(DCP_SYNTH_FLAT);
    struct dcp_error err = { 0 };

    o.days = 0;
    ck_assert(!dcp_synth_write(fixture_path("u.h5"), &vm, 1, &o, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    o = options(1);
    ck_assert(!dcp_synth_write(fixture_path("u.h5"), &vm, 0, &o, &err));
    o.interval_ms = 1000;
    o.days = DCP_SYNTH_DAYS_MAX;
    ck_assert(!dcp_synth_write(fixture_path("u.h5"), &vm, 1, &o, &err));
    ck_assert_uint_eq(fixture_n_entries(), 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &the_same_on_any_number_of_threads, &one_more_vm_changes_no_other,
        &archetypes_have_their_rhythm,      &samples_stay_within_the_vm,
        &wrong_options_are_refused,
    };

    return run_tests_with("synth", tests, sizeof tests / sizeof tests[0],
                          fixture_make, fixture_remove);
}
