/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Importers of inventories: names of CPUs, the include list, mappings, tables
 * in small. */

#include "model/io/file.h"
#include "model/io/import_csv.h"
#include "model/io/import_target.h"
#include "model/io/model_dir.h"
#include "model/io/spec_curves.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];

static void
begin(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-import-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
end(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static const char *
put(const char *name, const char *text)
{
    static char path[4][160];
    static int turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    ck_assert(dcp_file_write(p, text, strlen(text), NULL));
    return p;
}

START_TEST(cpu_names_are_compared_without_marks)
{
    static const char *const names[][3] = {
        { "Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz", "e5-2640 v4",
          "xeon-e5-v4" },
        { "Intel Xeon E5-2660V2", "e5-2660 v2", "xeon-e5-v2" },
        { "Intel Xeon E5-2660 2.20 GHz (Intel Turbo Boost)", "e5-2660",
          "xeon-e5" },
        { "Intel(R) Xeon(R) CPU E5-2660 0 @ 2.20GHz", "e5-2660", "xeon-e5" },
        { "Intel(R) Xeon(R) CPU           X5670  @ 2.93GHz", "x5670",
          "xeon-5600" },
        { "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", "gold 6130",
          "xeon-scalable-1" },
        { "Intel(R) Xeon(R) Gold 6230R CPU @ 2.10GHz", "gold 6230r",
          "xeon-scalable-2" },
        { "AMD EPYC 7742 2.25Ghz", "epyc 7742", "epyc-2" },
        { "AMD EPYC 7F72 24-Core Processor", "epyc 7f72", "epyc-2" },
        { "Neoverse-N1", "neoverse-n1", "" },
        { "", "", "" },
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char out[80];

        dcp_spec_normalise(names[i][0], out);
        ck_assert_str_eq(out, names[i][1]);
        ck_assert_str_eq(dcp_spec_family(out), names[i][2]);
    }
    ck_assert_str_eq(dcp_spec_generation("xeon-scalable-2"), "cascadelake");
    ck_assert_str_eq(dcp_spec_generation("nobody's"), "");
}
END_TEST

START_TEST(include_list_grows_in_any_form)
{
    static const char *const cases[][2] = {
        { "a: 1", "a: 1\ninclude: [x.yaml]\n" },
        { "a: 1\n", "a: 1\ninclude: [x.yaml]\n" },
        { "include: []  # none\nb: 2\n", "include: [x.yaml]  # none\nb: 2\n" },
        { "include: [y.yaml]\n", "include: [x.yaml, y.yaml]\n" },
        { "include: [x.yaml]\n", "include: [x.yaml]\n" },
        { "include:\n  - y.yaml\nb: 1\n",
          "include:\n  - x.yaml\n  - y.yaml\nb: 1\n" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dcp_text out = { 0 };

        ck_assert(dcp_include_add(cases[i][0], "x.yaml", &out, NULL));
        ck_assert_str_eq(dcp_text_get(&out), cases[i][1]);
        dcp_text_finish(&out);
    }
    struct dcp_text out = { 0 };

    ck_assert(!dcp_include_add("include: y.yaml", "x.yaml", &out, NULL));
    dcp_text_finish(&out);
}
END_TEST

static const char model[] =
    "dcplan: model/1\nlineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n";
static const char spec[] =
    "cpu_name,cpu_mhz,chips,cores,cores_per_chip,ssj_ops_100,watts_idle,"
    "watts_10,watts_20,watts_30,watts_40,watts_50,watts_60,watts_70,watts_80,"
    "watts_90,watts_100\n"
    "Intel Xeon E5-2660 v3,2600,2,20,10,2000000,50,60,70,80,90,100,110,120,"
    "130,140,150\n"
    "Intel Xeon E5-2699 v3,2300,2,36,18,3240418,51,93,111,129,146,162,176,"
    "197,223,255,287\n";

START_TEST(hosts_are_grouped_mapped_and_counted)
{
    static const char hosts[] =
        "id,cpu,mhz,sockets,cores,bytes,arch\n"
        "a,Intel(R) Xeon(R) CPU E5-2660 v3 @ 2.60GHz,1,2,20,68719476736,x86\n"
        "b,Intel(R) Xeon(R) CPU E5-2660 v3 @ 2.60GHz,1,2,20,68719476736,x86\n"
        "c,Intel Xeon E5-2640 v3,2600,1,8,68719476736,x86\n"
        "d,ThunderX2,2200,2,64,68719476736,arm\n"
        "e,Nobody,2200,1,,68719476736,x86\n"
        "a,Nobody,2200,1,4,68719476736,x86\n";
    static const char map[] =
        "hosts:\n  columns: {name: id, cpu: cpu, sockets: sockets,\n"
        "    cores: cores, clock: {column: mhz, unit: MHz},\n"
        "    memory: {column: bytes, unit: B}}\n"
        "  where: {arch: x86}\n  constants: {hypervisor: lxc}\n";
    struct dcp_import_result result;
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_model m = { 0 };

    begin();
    (void)put("dc.yaml", model);
    struct dcp_import_options options = { .hosts = put("in.csv", hosts),
                                          .map = put("map.yaml", map),
                                          .curves = put("spec.csv", spec) };

    ck_assert_msg(dcp_import_csv(dir, &options, &result, &diag, &err), "%s",
                  err.message);
    ck_assert_uint_eq(result.hosts_read, 6);
    ck_assert_uint_eq(result.hosts_taken, 3);
    ck_assert_uint_eq(result.hardware, 2);
    ck_assert_uint_eq(result.n_reasons, 3);
    ck_assert_uint_eq(result.curves[DCP_SPEC_EXACT], 1);
    ck_assert_uint_eq(result.curve_hosts[DCP_SPEC_EXACT], 2);
    ck_assert_uint_eq(result.curves[DCP_SPEC_FAMILY], 1);
    ck_assert_msg(dcp_model_open(dir, NULL, &diag, &m, &err), "%s", err.message);
    const struct dcp_hardware *hw = &m.inventory->hardware[1];

    ck_assert_uint_eq(hw->mem_mib, 65536);
    ck_assert_uint_eq(hw->clock_mhz, 2600);
    ck_assert_uint_eq(hw->cores_per_socket, 10);
    ck_assert_str_eq(hw->cpu_generation, "haswell");
    ck_assert_double_eq(hw->power_w[10], 150);
    /* 2000000 / (20 x 2600) / 39.1355 */
    ck_assert_double_eq_tol(hw->speed_factor, 0.983, 1e-9);
    /* One socket of a two-socket result: half the watts. */
    ck_assert_double_eq(m.inventory->hardware[0].power_w[10], 75);
    ck_assert_str_eq(
        m.inventory->hypervisors[m.inventory->hosts[0].hypervisor.ix].name,
        "lxc");
    dcp_model_finish(&m);
    ck_assert(!dcp_import_csv(dir, &options, &result, &diag, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    options.force = true;
    ck_assert(dcp_import_csv(dir, &options, &result, &diag, &err));
    dcp_diag_finish(&diag);
    end();
}
END_TEST

/* A table that sizes its machines needs no hardware in dc.yaml; the names that
 * dc.yaml has stand for what it says. */
START_TEST(tables_may_size_their_machines)
{
    static const char hosts[] = "host,model,sockets,cores,mhz,ram\n"
                                "x1,R740,2,32,2400,256GiB\n"
                                "x2,R740,2,32,2400,256GiB\n"
                                "x3,R740,2,32,2400,512GiB\n"
                                "x4,own,2,32,2400,512GiB\n";
    static const char own[] =
        "dcplan: model/1\nlineage: x\n"
        "hardware: {own: {sockets: 1, cores_per_socket: 4, clock: 2GHz,\n"
        "  memory: 8GiB}}\n";
    struct dcp_import_result result;
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_model m = { 0 };

    begin();
    (void)put("dc.yaml", own);
    struct dcp_import_options options = { .hosts = put("in.csv", hosts) };

    ck_assert_msg(dcp_import_csv(dir, &options, &result, &diag, &err), "%s",
                  err.message);
    ck_assert_uint_eq(result.hosts_taken, 4);
    ck_assert_uint_eq(result.hardware, 2);
    ck_assert_msg(dcp_model_open(dir, NULL, &diag, &m, &err), "%s", err.message);
    const uint32_t want_gib[] = { 256, 256, 512, 8 };

    for (uint32_t h = 0; h < 4; h++) {
        const struct dcp_hardware *hw =
            &m.inventory->hardware[m.inventory->hosts[h].hardware.ix];

        ck_assert_uint_eq(hw->mem_mib, want_gib[h] * 1024);
    }
    dcp_model_finish(&m);
    dcp_diag_finish(&diag);
    end();
}
END_TEST

START_TEST(vms_bring_their_tenants_and_tiers)
{
    static const char vms[] = "vm_name,vcpu,memory_gib,tenant,tier,colour\n"
                              "v1,2,4,acme,live,red\n"
                              "v2,4,8,beta,test,blue\n";
    struct dcp_import_result result;
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_model m = { 0 };
    char text[200];

    begin();
    (void)snprintf(text, sizeof text, "%stenants: {acme: {}}\n", model);
    (void)put("dc.yaml", text);
    struct dcp_import_options options = { .vms = put("in.csv", vms),
                                          .force = true };

    for (int again = 0; again < 2; again++) {
        ck_assert_msg(dcp_import_csv(dir, &options, &result, &diag, &err), "%s",
                      err.message);
        ck_assert_uint_eq(result.vms_taken, 2);
        ck_assert_msg(dcp_model_open(dir, NULL, &diag, &m, &err), "%s",
                      diag.n ? diag.items[0].message : err.message);
        ck_assert_uint_eq(m.inventory->n_tenants, 2);
        ck_assert_uint_eq(m.inventory->n_tiers, 3);
        ck_assert_uint_eq(m.inventory->vms[1].mem_mib, 8192);
        ck_assert_uint_eq(m.inventory->vms[1].vcpus, 4);
        dcp_model_finish(&m);
    }
    ck_assert_uint_eq(diag.n_warnings, 2); /* 'colour', each time. */
    dcp_diag_finish(&diag);
    end();
}
END_TEST

static const struct {
    const char *hosts, *map, *says;
} wrong[] = {
    { "", "", "is empty" },
    { "a,b\n1,2\n", "hosts: {columns: {name: c}}\n", "no column 'c'" },
    { "a,b\n1,2\n", "hosts: {columns: {nam: a, name: a}}\n", "no key" },
    { "a,b\n1,2\n", "hosts: {columns: {name: {colum: a}}}\n",
      "none of column" },
    { "a,b\n1,2\n", "vms: [\n", "not YAML" },
    { "a,b\n1,2\n", "vms: {}\n", "which column is 'name'" },
};

START_TEST(wrong_tables_write_nothing)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dcp_import_result result;
        struct dcp_diag diag = { 0 };
        struct dcp_error err = { 0 };
        bool found = false;

        begin();
        (void)put("dc.yaml", model);
        struct dcp_import_options options = {
            .hosts = put("in.csv", wrong[i].hosts),
            .map = put("map.yaml", wrong[i].map),
        };

        ck_assert(!dcp_import_csv(dir, &options, &result, &diag, &err));
        found = strstr(err.message, wrong[i].says) != NULL;
        for (size_t k = 0; k < diag.n; k++) {
            found |= strstr(diag.items[k].message, wrong[i].says) != NULL;
        }
        ck_assert_msg(found, "%zu: %s", i, err.message);
        ck_assert(!dcp_import_defined(dir, "import/hosts.yaml", "x", "y"));
        dcp_diag_finish(&diag);
        end();
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &cpu_names_are_compared_without_marks, &include_list_grows_in_any_form,
        &hosts_are_grouped_mapped_and_counted, &tables_may_size_their_machines,
        &vms_bring_their_tenants_and_tiers,    &wrong_tables_write_nothing,
    };

    return RUN_TESTS("import_csv", tests);
}
