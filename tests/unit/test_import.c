/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/unit/run_suite.h"
#include "tests/unit/traces_fixture.h"

/* --- Bitbrains ---------------------------------------------------------- */

#define HEADER                                                                 \
    "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage " \
    "[MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage " \
    "[KB];\tDisk read throughput [KB/s];\tDisk write throughput [KB/s];\t"     \
    "Network received throughput [KB/s];\tNetwork transmitted throughput "     \
    "[KB/s]\n"
#define ROW(TIME, CORES, CAPACITY, MHZ, PERCENT, MEM)                          \
    TIME ";\t" CORES ";\t" CAPACITY ";\t" MHZ ";\t" PERCENT                    \
         ";\t4194304.0;\t" MEM ";\t0.5;\t1.5;\t2.5;\t3.5\n"
#define T0 "1375308000" /* 2013-07-31T22:00:00Z */
#define T1 "1375308300"
#define T2 "1375308600"

START_TEST(bitbrains_columns)
{
    const char *source = fixture_write(
        "7.csv", HEADER ROW(T0, "2", "5851.999076", "150.0", "1.7", "5.24288E7")
                     ROW(T1, "2", "5852.000270", "6000.0", "102.5", "1048576.0")
                         ROW(T2, "0", "0.0", "0.0", "0.0", "0.0"));
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;
    struct dcp_store *s = fixture_import("bitbrains", &o, &source, 1, &sum);
    float v[3];

    ck_assert_uint_eq(dcp_store_n_times(s), 3);
    ck_assert_int_eq(dcp_store_start_ms(s), 1375308000000);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "7", v, 3);
    ck_assert(fabsf(v[0] - 150) <= 0.05f); /* Half a step of 6000 / 65534. */
    NEAR(v[1], 6000);
    ck_assert(isnan(v[2]));
    fixture_samples(s, DCP_METRIC_MEM_MIB, "7", v, 3);
    NEAR(v[0], 51200);
    NEAR(v[1], 1024);
    fixture_samples(s, DCP_METRIC_DISK_READ_KIB_S, "7", v, 1);
    NEAR(v[0], 0.5);
    fixture_samples(s, DCP_METRIC_NET_TX_KIB_S, "7", v, 1);
    NEAR(v[0], 3.5);
    /* The last sizes that are not 0. */
    ck_assert_uint_eq(dcp_store_vm_vcpus(s, 0), 2);
    ck_assert(dcp_store_vm_cpu_capacity_mhz(s, 0) == 5852.000270);
    ck_assert(dcp_store_vm_mem_capacity_mib(s, 0) == 4096);
    ck_assert_str_eq(dcp_store_mem_basis(s), "active");
    ck_assert_uint_eq(sum.zero_capacity_rows, 1);
    ck_assert_uint_eq(sum.above_capacity_rows, 1);
    ck_assert_uint_eq(sum.above_memory_rows, 1);
    NEAR(dcp_store_stats(s)[0].max_cpu_frac, 1.025);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(bitbrains_merges_sources_by_time)
{
    (void)fixture_write("aug/2.csv",
                        HEADER ROW(T2, "1", "2600.0", "30", "1", "1024.0"));
    (void)fixture_write("aug/10.csv",
                        HEADER ROW(T2, "1", "2600.0", "5", "1", "1024.0"));
    (void)fixture_write("jul/2.csv",
                        HEADER ROW(T0, "1", "2700.0", "10", "1", "1024.0")
                            ROW(T1, "1", "2700.0", "20", "1", "1024.0")
                                ROW(T2, "1", "2700.0", "99", "1", "1024.0"));
    const char *sources[] = { fixture_path("aug"), fixture_path("jul") };
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;

    o.prefix = "bb-";
    struct dcp_store *s = fixture_import("bitbrains", &o, sources, 2, &sum);
    float v[3];

    ck_assert_uint_eq(dcp_store_n_vms(s), 2);
    ck_assert_str_eq(dcp_store_vm_name(s, 0), "bb-2"); /* As people count. */
    ck_assert_str_eq(dcp_store_vm_name(s, 1), "bb-10");
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "bb-2", v, 3);
    NEAR(v[0], 10);
    NEAR(v[1], 20);
    NEAR(v[2], 30); /* The first source's. */
    ck_assert_uint_eq(sum.duplicate_rows, 1);
    ck_assert_uint_eq(sum.conflicting_duplicates, 1);
    ck_assert_uint_eq(sum.out_of_order, 0);
    ck_assert_uint_eq(dcp_store_n_sources(s), 2);
    dcp_store_destroy(s);
    o.strict = true;
    fixture_refused("bitbrains", &o, sources, 2, 0, "repeat a timestamp");
}
END_TEST

START_TEST(bitbrains_malformed)
{
    static const struct {
        const char *text, *words;
        uint32_t line;
    } cases[] = {
        { "", "empty file", 0 },
        { "a,b,c\n1,2,3\n", "column 1 of the header", 1 },
        { "Timestamp [ms];\tCPU cores\n", "2 columns", 1 },
        { HEADER "x;\t1\n", "'x;\t1' is not a number", 2 },
        { HEADER T0 ";\t1;\t2600.0\n", "row' ends after 'CPU capacity", 2 },
        { HEADER T0 ";\t1;\t2600.0;\t\n", "'CPU usage [MHZ]' is missing", 2 },
        { HEADER ROW(T0, "1", "2600.0", "-3", "1", "1"), "'-3;", 2 },
        { HEADER ROW(T0, "1", "2600.0", "3", "1", "1")
              ROW("1375308300000", "1", "2600.0", "3", "1", "1"),
          "not a time in seconds", 3 },
        { HEADER ROW(T0, "1", "2600.0", "3", "1", "1;\t7"), "where", 2 },
        { HEADER, "no readings", 0 },
    };
    struct dcp_import_options o = fixture_options();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *source = fixture_write("1.csv", cases[i].text);

        fixture_refused("bitbrains", &o, &source, 1, cases[i].line,
                        cases[i].words);
    }
    const char *source =
        fixture_write_n("1.csv", HEADER "\0\0\n", strlen(HEADER) + 3);

    fixture_refused("bitbrains", &o, &source, 1, 2, "NUL byte");
    source = fixture_path("none.csv");
    fixture_refused("bitbrains", &o, &source, 1, 0, "No such file");
    source = fixture_path("");
    (void)unlink(fixture_path("1.csv"));
    fixture_refused("bitbrains", &o, &source, 1, 0, "holds no file");
}
END_TEST

START_TEST(strict_refuses_repairs)
{
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;
    const char *source =
        fixture_write("1.csv", HEADER ROW(T1, "1", "2600.0", "3", "1", "1")
                                   ROW(T0, "1", "2600.0", "3", "1", "1"));
    struct dcp_store *s = fixture_import("bitbrains", &o, &source, 1, &sum);

    ck_assert_uint_eq(sum.out_of_order, 1);
    dcp_store_destroy(s);
    o.strict = true;
    fixture_refused("bitbrains", &o, &source, 1, 3, "older than the one");
    source = fixture_write("1.csv", HEADER T0 ";\t1;\t9;\t9;\t9;\t9;\t9;\t9;"
                                              "\t9;\t9;\t9");
    fixture_refused("bitbrains", &o, &source, 1, 2, "was the file cut");
    o.strict = false;
    s = fixture_import("bitbrains", &o, &source, 1, &sum);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(the_lowest_bad_file_is_named_on_any_threads)
{
    struct dcp_import_options o = fixture_options();
    const char *source = fixture_path("d");
    char name[32];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof name, "d/%d.csv", i);
        (void)fixture_write(name,
                            i < 5 ? HEADER ROW(T0, "1", "2600.0", "3", "1", "1")
                                  : HEADER "bad\n");
    }
    for (o.threads = 1; o.threads < 5; o.threads++) {
        struct dcp_import_summary sum;
        struct dcp_error err = { 0 };
        struct dcp_import *imp = dcp_import_create("bitbrains", &o, &err);

        ck_assert(!dcp_import_run(imp, &source, 1, fixture_path("no.h5"), &sum,
                                  &err));
        ck_assert_ptr_nonnull(strstr(err.pos.path, "/d/5.csv"));
        dcp_import_destroy(imp);
    }
}
END_TEST

/* --- PlanetLab ---------------------------------------------------------- */

START_TEST(planetlab_days)
{
    (void)fixture_write("20110303/a_ b", "10\n20\n");
    (void)fixture_write("20110303/c", "99\n0\n");
    const char *source = fixture_path("20110303");
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;

    o.core_mhz = 2500;
    struct dcp_store *s = fixture_import("planetlab", &o, &source, 1, &sum);
    float v[2];

    ck_assert_int_eq(dcp_store_start_ms(s), 1299110400000);
    ck_assert_uint_eq(dcp_store_n_times(s), 2);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "a_ b", v, 2);
    ck_assert(v[0] == 250 && v[1] == 500); /* Whole percents are exact. */
    ck_assert(!dcp_store_has(s, DCP_METRIC_MEM_MIB));
    dcp_store_destroy(s);

    o.core_mhz = 0;
    fixture_refused("planetlab", &o, &source, 1, 0, "--core-mhz");
    o.vm_size_path = fixture_write("sizes.csv", "vm,vcpus,core_mhz,mem_mib\n"
                                                "c,2,1000,512\n*,1,3000,256\n");
    s = fixture_import("planetlab", &o, &source, 1, &sum);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "c", v, 2);
    NEAR(v[0], 1980);
    ck_assert(dcp_store_vm_mem_capacity_mib(s, 0) == 256);
    dcp_store_destroy(s);
    o.vm_size_path = fixture_write("sizes.csv", "vm,vcpus,core_mhz\nc,0,9\n");
    fixture_refused("planetlab", &o, &source, 1, 2, "is not a vcpus");
    o.vm_size_path = fixture_write("sizes.csv", "vm,vcpus,core_mhz\nc,2,9\n");
    fixture_refused("planetlab", &o, &source, 1, 0, "no size for VM 'a_ b'");
}
END_TEST

START_TEST(planetlab_malformed)
{
    struct dcp_import_options o = fixture_options();

    o.core_mhz = 2500;
    const char *source = fixture_write("20110303/a", "10\n101\n");

    fixture_refused("planetlab", &o, &source, 1, 2, "whole percentage");
    source = fixture_write("20110303/a", "10\n1.5\n");
    fixture_refused("planetlab", &o, &source, 1, 2, "whole percentage");
    source = fixture_write("20110230/a", "10\n");
    fixture_refused("planetlab", &o, &source, 1, 0, "give --start");
}
END_TEST

/* --- Azure -------------------------------------------------------------- */

#define TABLE                                                                  \
    "a+b/=,s,d,0,900,9,5,8,Interactive,2,3.5\n"                                \
    "c,s,d,0,900,9,5,8,Unknown,1,0.75\n"                                       \
    "unread,s,d,0,900,9,5,8,Unknown,1,0.75\n"

START_TEST(azure_readings)
{
    const char *sources[] = { fixture_write("vmtable.csv", TABLE),
                              fixture_write("r1.csv", "0,a+b/=,1,9,50\n"
                                                      "0,c,1,9,10\n"
                                                      "0,other,1,9,10\n"),
                              fixture_write("r2.csv", "300,c,1,9,120\n"
                                                      "300,a+b/=,1,9,25\n") };
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;

    o.core_mhz = 1000;
    o.start_ms = 1479254400000;
    struct dcp_store *s = fixture_import("azure-v1", &o, sources, 3, &sum);
    float v[2];

    ck_assert_uint_eq(dcp_store_n_vms(s), 2);
    ck_assert_int_eq(dcp_store_start_ms(s), 1479254400000);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "a+b/=", v, 2);
    NEAR(v[0], 1000);
    NEAR(v[1], 500);
    ck_assert_uint_eq(sum.unknown_vm_rows, 1);
    ck_assert_uint_eq(sum.above_capacity_rows, 1);
    ck_assert(dcp_store_vm_mem_capacity_mib(s, 0) == 3584);
    dcp_store_destroy(s);

    sources[0] = fixture_write("t2.csv", "c,s,d,0,9,9,5,8,Unknown,>24,>64\n");
    fixture_refused("azure-v1", &o, sources, 2, 1, "'>24' is not a size");
    s = fixture_import("azure-v2", &o, sources, 2, &sum);
    ck_assert_uint_eq(dcp_store_vm_vcpus(s, 0), 32);
    ck_assert(dcp_store_vm_mem_capacity_mib(s, 0) == 128 * 1024);
    dcp_store_destroy(s);

    /* A table of another sample: all are kept, at one core. */
    sources[0] = fixture_write("t3.csv", "z,s,d,0,9,9,5,8,Unknown,4,7\n");
    s = fixture_import("azure-v1", &o, sources, 2, &sum);
    ck_assert_uint_eq(dcp_store_n_vms(s), 3);
    ck_assert_uint_eq(sum.unknown_vm_rows, 3);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(azure_malformed)
{
    struct dcp_import_options o = fixture_options();
    const char *sources[] = { fixture_write("t.csv", TABLE),
                              fixture_write("r.csv", "0,c,1,9\n") };

    fixture_refused("azure-v1", &o, sources, 2, 1, "4 columns, not 5");
    sources[1] = fixture_write("r.csv", "0,c,1,9,5\n0,c,1,9,x\n");
    fixture_refused("azure-v1", &o, sources, 2, 2, "not a percentage");
    sources[0] = fixture_write("t.csv", "a,b\n");
    fixture_refused("azure-v1", &o, sources, 2, 1, "2 columns, not 11");
    sources[0] = fixture_write("t.csv", TABLE "c,s,d,0,9,9,5,8,Unknown,1,1\n");
    fixture_refused("azure-v1", &o, sources, 2, 4, "in the table already");
    fixture_refused("azure-v1", &o, sources, 1, 0, "needs the table");
}
END_TEST

/* --- Alibaba ------------------------------------------------------------ */

START_TEST(alibaba_machines)
{
    const char *sources[] = {
        fixture_write("meta.csv", "m_1,0,1,1,96,100,USING\n"
                                  "m_1,60,1,1,96,100,USING\n"
                                  "m_2,0,1,1,96,100,USING\n"),
        fixture_write("usage.csv", "m_1,0,50,90,,,43.04,33.08,-1\n"
                                   "m_1,150,100,90,1,2,43.04,33.08,101\n"
                                   "m_1,300,-1,90,1,2,43.04,33.08,5\n"
                                   "m_9,0,50,90,,,43.04,33.08,5\n"),
    };
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;

    o.core_mhz = 1000;
    struct dcp_store *s =
        fixture_import("alibaba-machine", &o, sources, 2, &sum);
    float v[2];

    ck_assert_uint_eq(dcp_store_n_vms(s), 1);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "m_1", v, 2);
    NEAR(v[0], 72000);
    ck_assert(isnan(v[1]));
    ck_assert_uint_eq(sum.error_values, 3);
    ck_assert_uint_eq(sum.unknown_vm_rows, 1);
    dcp_store_destroy(s);
    sources[1] = fixture_write("usage.csv", "m_1,0,50\n");
    fixture_refused("alibaba-machine", &o, sources, 2, 1, "not machine_usage");
}
END_TEST

/* --- CSV ---------------------------------------------------------------- */

START_TEST(csv_long_by_a_mapping)
{
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;
    const char *source = fixture_write(
        "u.csv", "\xef\xbb\xbfwhen;who;cpu %;cores;\"mem \"\"used\"\"\"\n"
                 "01.08.2013 02:00:00;a;50,0;2;1048576\n"
                 "01.08.2013 02:00:00;\"b;c\";n/a;4;2097152\n"
                 "01.08.2013 02:05:00;a;;2;1048576\n");

    o.core_mhz = 2000;
    o.map_path = fixture_write(
        "m.yaml", "decimal: ','\n"
                  "mem_basis: consumed\n"
                  "time: {column: when, format: '%d.%m.%Y %H:%M:%S', "
                  "utc_offset: +02:00}\n"
                  "vm: {column: who}\n"
                  "missing: [n/a]\n"
                  "vcpus: {column: cores}\n"
                  "cpu: {column: cpu %, unit: percent}\n"
                  "mem: {column: 'mem \"used\"', unit: B}\n");
    struct dcp_store *s = fixture_import("csv", &o, &source, 1, &sum);
    float v[2];

    ck_assert_uint_eq(dcp_store_n_vms(s), 2);
    ck_assert_int_eq(dcp_store_start_ms(s), 1375315200000);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "a", v, 2);
    NEAR(v[0], 2000); /* Half of 2 cores of 2 GHz. */
    ck_assert(isnan(v[1]));
    fixture_samples(s, DCP_METRIC_MEM_MIB, "b;c", v, 1);
    NEAR(v[0], 2);
    ck_assert_str_eq(dcp_store_mem_basis(s), "consumed");
    dcp_store_destroy(s);
}
END_TEST

START_TEST(csv_wide_and_default)
{
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;
    const char *source = fixture_write(
        "w.csv", "\xef\xbb\xbftime,b,\"a,1\"\n2013-08-01T00:00:00Z,1,2\n"
                 "2013-08-01T00:05:00Z,,4\n");
    struct dcp_store *s = fixture_import("csv", &o, &source, 1, &sum);
    float v[2];

    fixture_samples(s, DCP_METRIC_CPU_MHZ, "a,1", v, 2);
    ck_assert(v[0] == 2 && v[1] == 4);
    fixture_samples(s, DCP_METRIC_CPU_MHZ, "b", v, 2);
    ck_assert(v[0] == 1 && isnan(v[1]));
    dcp_store_destroy(s);

    o.map_path =
        fixture_write("m.yaml", "layout: wide\ntime: {column: t, format: ms}\n"
                                "mem: {unit: GiB}\nstep: 10min\n");
    o.interval_ms = 600000;
    source = fixture_write("w.csv", "x,t,y\n1,1375315200000,2\n"
                                    "3,1375315800000,4\n");
    s = fixture_import("csv", &o, &source, 1, &sum);
    fixture_samples(s, DCP_METRIC_MEM_MIB, "y", v, 2);
    ck_assert(v[0] == 2048 && v[1] == 4096);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(csv_without_header_and_files_as_vms)
{
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary sum;
    const char *sources[] = {
        fixture_write("d/x.csv", "# made by hand\n1375315200 1\n"),
        fixture_write("d/y.csv", "# made by hand\n1375315200 2\n"),
    };

    o.map_path =
        fixture_write("m.yaml", "header: false\nskip: 1\nseparator: ';'\n"
                                "time: {column: 1, format: s}\n"
                                "vm: {file: name}\n"
                                "cpu: {column: 2, unit: GHz}\n");
    fixture_refused("csv", &o, sources, 2, 2, "a number of 1 to 1");
    (void)fixture_write("d/x.csv", "# made by hand\n1375315200;1\n");
    (void)fixture_write("d/y.csv", "# made by hand\n1375315200;2\n");
    struct dcp_store *s = fixture_import("csv", &o, sources, 2, &sum);
    float v[1];

    fixture_samples(s, DCP_METRIC_CPU_MHZ, "y", v, 1);
    ck_assert(v[0] == 2000);
    dcp_store_destroy(s);
}
END_TEST

START_TEST(csv_malformed)
{
    static const struct {
        const char *text, *words;
        uint32_t line;
    } cases[] = {
        { "", "not one of 'traces export'", 0 },
        { "a,b\n1,2\n", "not one of 'traces export'", 1 },
        { "vm,time,cpu_mhz\na,2013-08-01T00:00:00Z\n", "2 fields", 2 },
        { "vm,time,cpu_mhz\na,yesterday,1\n", "not a time", 2 },
        { "vm,time,cpu_mhz\na,2013-08-01T00:00:00Z,-1\n", "number of 0", 2 },
        { "vm,time,cpu_mhz\n,2013-08-01T00:00:00Z,1\n", "a VM's name", 2 },
        { "vm,time,cpu_mhz\n\"a,2013-08-01T00:00:00Z,1\n", "quoted", 2 },
        { "time,a,a\n2013-08-01T00:00:00Z,1,1\n", "two columns", 1 },
        { "vm,time,x\na,2013-08-01T00:00:00Z,1\n", "has no metric", 0 },
    };
    struct dcp_import_options o = fixture_options();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *source = fixture_write("c.csv", cases[i].text);

        fixture_refused("csv", &o, &source, 1, cases[i].line, cases[i].words);
    }
}
END_TEST

START_TEST(csv_names_the_column_that_is_wrong)
{
    struct dcp_import_options o = fixture_options();
    struct dcp_import_summary summary;
    struct dcp_error err = { 0 };
    const char *source = fixture_write(
        "c.csv", "vm,time,cpu_mhz\na,2013-08-01T00:00:00Z,1e999\n");
    struct dcp_import *imp = dcp_import_create("csv", &o, &err);

    ck_assert(!dcp_import_run(imp, &source, 1, fixture_path("no.h5"), &summary,
                              &err));
    ck_assert_uint_eq(err.pos.line, 2);
    ck_assert_uint_eq(err.pos.column, 24);
    dcp_import_destroy(imp);
}
END_TEST

START_TEST(mappings_that_are_wrong)
{
    static const struct {
        const char *text, *words;
        uint32_t line;
    } cases[] = {
        { "a: [", "not YAML", 2 },
        { "tiem: {column: t}\n", "did you mean 'time'", 1 },
        { "vm: {column: v}\n", "which column is the time", 1 },
        { "time: {column: t}\n", "which column is the VM", 1 },
        { "time: {column: t}\nvm: {column: v}\n", "no metric", 1 },
        { "time: {column: t}\nvm: {column: v}\ncpu: {column: c}\n",
          "a unit is wanted", 3 },
        { "time: {column: t}\nvm: {column: v}\ncpu: {column: c, unit: MB}\n",
          "unit 'MB' is not known", 3 },
        { "time: {column: t, format: soon}\n", "format is rfc3339", 1 },
        { "time: {column: t, utc_offset: CET}\n", "an offset", 1 },
        { "layout: tall\n", "'wide' or 'long'", 1 },
        { "separator: xx\n", "is wanted for the separator", 1 },
        { "step: 5\n", "such as 5min", 1 },
        { "mem_basis: guessed\n", "active, consumed", 1 },
        { "layout: wide\ntime: {column: t}\ncpu: {column: c, unit: MHz}\n",
          "no `column` here", 3 },
    };
    struct dcp_import_options o = fixture_options();
    const char *source = fixture_write("c.csv", "t,v,c\n1,2,3\n");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        o.map_path = fixture_write("m.yaml", cases[i].text);
        fixture_refused("csv", &o, &source, 1, cases[i].line, cases[i].words);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &bitbrains_columns,
        &bitbrains_merges_sources_by_time,
        &bitbrains_malformed,
        &strict_refuses_repairs,
        &the_lowest_bad_file_is_named_on_any_threads,
        &planetlab_days,
        &planetlab_malformed,
        &azure_readings,
        &azure_malformed,
        &alibaba_machines,
        &csv_long_by_a_mapping,
        &csv_wide_and_default,
        &csv_without_header_and_files_as_vms,
        &csv_malformed,
        &csv_names_the_column_that_is_wrong,
        &mappings_that_are_wrong,
    };

    return run_tests_with("import", tests, sizeof tests / sizeof tests[0],
                          fixture_make, fixture_remove);
}
