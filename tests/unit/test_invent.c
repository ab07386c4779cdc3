/* SPDX-License-Identifier: GPL-3.0-or-later */

/* An invented datacenter is what it says it is; the start is recounted here
 * from the inventory, not by the code that made it. */

#include "model/capacity.h"
#include "model/io/file.h"
#include "model/io/invent.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];

static void
invent(uint32_t n_hosts, uint32_t n_vms, uint64_t seed)
{
    struct dcp_invent_options options = { n_hosts, n_vms, seed };
    struct dcp_error err = { 0 };

    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-invent-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(dcp_invent_model(&options, dir, &err), "%s", err.message);
}

static void
open_model(struct dcp_model *model)
{
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_model_open(dir, NULL, &diag, model, &err), "%s", err.message);
    ck_assert_msg(!diag.n_warnings, "%s", diag.n ? diag.items[0].message : "");
    dcp_diag_finish(&diag);
}

static void
forget(struct dcp_model *model)
{
    char command[128];

    dcp_model_finish(model);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(start_is_within_capacity_and_scattered)
{
    struct dcp_model model;

    invent(200, 2000, 3);
    open_model(&model);
    const struct dcp_inventory *inv = model.inventory;
    uint64_t(*used)[DCP_SCALARS_MAX] = calloc(inv->n_hosts, sizeof *used);
    double mem_mib = 0, all_mib = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        uint32_t asked[DCP_SCALARS_MAX];
        dcp_host_id h = inv->vms[v].host;

        ck_assert(!dcp_host_is_none(h));
        dcp_vm_request(inv, (dcp_vm_id){ v }, inv->hosts[h.ix].hypervisor,
                       asked);
        for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
            used[h.ix][s] += asked[s];
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_usable(inv, (dcp_host_id){ h });

        for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
            ck_assert_uint_le(used[h][s], c.scalar[s]);
        }
        mem_mib += (double)used[h][DCP_SCALAR_MEM];
        all_mib += (double)inv->hardware[inv->hosts[h].hardware.ix].mem_mib;
    }
    ck_assert_double_gt(mem_mib / all_mib, 0.2);
    ck_assert_double_lt(mem_mib / all_mib, 0.4);
    free(used);
    forget(&model);
}
END_TEST

static uint32_t
domain(const struct dcp_inventory *inv, const struct dcp_rule *rule,
       uint32_t vm)
{
    uint32_t host = inv->vms[vm].host.ix;

    return rule->over == DCP_DOMAIN_RACK ? inv->hosts[host].rack.ix : host;
}

static bool
on_listed_host(const struct dcp_inventory *inv, const struct dcp_rule *rule,
               uint32_t vm)
{
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };

    return dcp_ids_contain(&hosts, inv->vms[vm].host.ix);
}

static void
check_rule(const struct dcp_inventory *inv, const struct dcp_rule *rule)
{
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t vm = rule->vms[i];

        for (uint32_t j = 0; j < i && rule->kind <= DCP_RULE_GATHER; j++) {
            bool same =
                domain(inv, rule, vm) == domain(inv, rule, rule->vms[j]);

            ck_assert(same == (rule->kind == DCP_RULE_GATHER));
        }
        if (rule->kind == DCP_RULE_FENCE) {
            ck_assert(on_listed_host(inv, rule, vm));
        } else if (rule->kind == DCP_RULE_BAN) {
            ck_assert(!on_listed_host(inv, rule, vm));
        }
        for (uint32_t j = 0; j < rule->n_others; j++) {
            ck_assert_uint_ne(inv->vms[vm].host.ix,
                              inv->vms[rule->others[j]].host.ix);
        }
    }
}

START_TEST(start_keeps_every_rule)
{
    struct dcp_model model;
    uint32_t n_by_kind[6] = { 0 };

    invent(200, 4000, 5);
    open_model(&model);
    ck_assert_uint_eq(model.inventory->n_rules, 80);
    for (uint32_t i = 0; i < model.inventory->n_rules; i++) {
        check_rule(model.inventory, &model.inventory->rules[i]);
        n_by_kind[model.inventory->rules[i].kind]++;
    }
    ck_assert_uint_gt(n_by_kind[DCP_RULE_SPREAD], 40);
    ck_assert_uint_gt(n_by_kind[DCP_RULE_GATHER], 0);
    ck_assert_uint_gt(n_by_kind[DCP_RULE_FENCE], 0);
    ck_assert_uint_gt(n_by_kind[DCP_RULE_BAN], 0);
    ck_assert_uint_eq(n_by_kind[DCP_RULE_SEPARATE], 1);
    forget(&model);
}
END_TEST

START_TEST(one_vm_in_ten_is_large)
{
    struct dcp_model model;
    uint32_t n_large = 0, generations = 0;

    invent(500, 5000, 1);
    open_model(&model);
    const struct dcp_inventory *inv = model.inventory;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        n_large += inv->vms[v].mem_mib > 128 * 1024 || inv->vms[v].vcpus > 11;
    }
    ck_assert_uint_ge(n_large, 475);
    ck_assert_uint_le(n_large, 525);
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        generations += inv->hardware[i].power_known;
    }
    ck_assert_uint_ge(generations, 4);
    forget(&model);
}
END_TEST

static char *
read_part(const char *name)
{
    char path[128];
    size_t length;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = dcp_file_read(path, (size_t)1 << 24, &length, NULL);

    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(same_seed_same_bytes)
{
    static const char *const parts[] = { "dc.yaml", "hosts.csv", "vms.csv",
                                         "rules.yaml", "racks.csv" };
    struct dcp_model none = { 0 };
    char *text[2][5];

    for (int k = 0; k < 2; k++) {
        invent(20, 200, 9);
        for (int i = 0; i < 5; i++) {
            text[k][i] = read_part(parts[i]);
        }
        forget(&none);
    }
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(text[0][i], text[1][i]);
        free(text[0][i]);
        free(text[1][i]);
    }
    invent(20, 200, 10);
    char *other = read_part("vms.csv");

    forget(&none);
    invent(20, 200, 9);
    char *again = read_part("vms.csv");

    ck_assert_str_ne(other, again);
    free(other);
    free(again);
    forget(&none);
}
END_TEST

START_TEST(odd_sizes_work_and_bad_ones_are_refused)
{
    static const uint32_t sizes[][2] = { { 1, 1 },   { 1, 3 },    { 5, 49 },
                                         { 6, 50 },  { 12, 120 }, { 60, 900 },
                                         { 101, 60 } };
    struct dcp_error err = { 0 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct dcp_model model;

        invent(sizes[i][0], sizes[i][1], i);
        open_model(&model);
        ck_assert_uint_eq(model.inventory->n_vms, sizes[i][1]);
        forget(&model);
    }
    struct dcp_invent_options none = { 0, 10, 1 }, full = { 2, 5000, 1 };

    ck_assert(!dcp_invent_model(&none, "/tmp", &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    ck_assert(!dcp_invent_model(&full, "/tmp", &err));
    ck_assert_int_eq(err.code, DCP_E_LIMIT);
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = {
        &start_is_within_capacity_and_scattered,
        &start_keeps_every_rule,
        &one_vm_in_ten_is_large,
        &same_seed_same_bytes,
        &odd_sizes_work_and_bad_ones_are_refused,
    };

    return RUN_TESTS("invent", tests);
}
