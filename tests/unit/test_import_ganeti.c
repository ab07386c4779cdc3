/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/file.h"
#include "model/io/import_ganeti.h"
#include "model/io/model_dir.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64], cluster[96];

static void
put(const char *name, const char *text)
{
    char path[96];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert(dcp_file_write(path, text, strlen(text), NULL));
}

static void
begin(const char *text)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-ganeti-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(cluster, sizeof cluster, "%s/cluster", dir);
    put("dc.yaml", "dcplan: model/1\nlineage: x\n");
    put("cluster", text);
}

static void
end(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static const char text[] = "g1|id1|preferred||\ng2|id2|preferred||\n"
                           "\n"
                           "n1|16384|1024|1|500000|1|8|M|id1|1\n"
                           "n2|16384|1024|1|500000|1|8|N|id1|1\n"
                           "n3|32768|1024|1|500000|1|16|N|id2|1\n"
                           "n4|32768|1024|1|500000|1|16|Y|id2|1\n"
                           "\n"
                           "a|2048|1000|2|running|Y|n1|n2|drbd|web:x,b|1\n"
                           "b|2048|1000|2|running|Y|n2|n1|drbd|web:x|1\n"
                           "c|4096|1000|4|running|Y|n3||ext||1\n"
                           "d|4096|1000|4|ADMIN_down|Y|n3||ext|web:y|1\n"
                           "\n"
                           "htools:iextags:web\n"
                           "\n"
                           "|1,1,1,1,1,1|1,1,1,1,1,1;2,2,2,2,2,2|drbd|3.5|1\n";

START_TEST(cluster_becomes_a_model)
{
    struct dcp_ganeti_result result;
    struct dcp_error err = { 0 };
    struct dcp_diag diag = { 0 };
    struct dcp_model m = { 0 };

    begin(text);
    ck_assert_msg(dcp_import_ganeti(dir, cluster, false, &result, &err), "%s",
                  err.message);
    ck_assert_uint_eq(result.nodes, 4);
    ck_assert_uint_eq(result.hardware, 2);
    ck_assert_uint_eq(result.instances, 4);
    ck_assert_msg(dcp_model_open(dir, NULL, &diag, &m, &err), "%s",
                  diag.n ? diag.items[0].message : err.message);
    const struct dcp_inventory *inv = m.inventory;

    /* Two groups, two DRBD pairs, one exclusion tag that two share. */
    ck_assert_uint_eq(inv->n_rules, 5);
    ck_assert_uint_eq(result.rules, 5);
    ck_assert_int_eq(inv->rules[4].kind, DCP_RULE_SPREAD);
    ck_assert_uint_eq(inv->rules[4].n_vms, 2);
    ck_assert_uint_eq(inv->rules[2].n_hosts, 2);
    ck_assert_uint_eq(inv->hardware[0].mem_mib, 15360);
    ck_assert_int_eq(inv->hosts[3].state, DCP_HOST_MAINTENANCE);
    ck_assert_uint_eq(inv->vms[2].host.ix, 2);
    ck_assert(dcp_host_is_none(inv->vms[3].host));
    ck_assert_double_eq(inv->tiers[inv->vms[0].tier.ix].cpu_overcommit, 3.5);
    ck_assert(dcp_pool_is_none(inv->volumes[0].pool));
    ck_assert(!dcp_pool_is_none(inv->volumes[2].pool));
    dcp_model_finish(&m);
    dcp_diag_finish(&diag);
    ck_assert(!dcp_import_ganeti(dir, cluster, false, &result, &err));
    ck_assert_int_eq(err.code, DCP_E_USAGE);
    ck_assert(dcp_import_ganeti(dir, cluster, true, &result, &err));
    end();
}
END_TEST

static const struct {
    const char *text;
    uint32_t line;
} wrong[] = {
    { "", 0 },
    { "g|id|x\n\nn1|1|0\n", 3 },
    { "g|id|x\n\nn1|x|0|0|0|0|1|N|id\n", 3 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|other\n", 3 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\nn1|9|0|0|0|0|1|N|id\n", 4 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\n\na|1|1|1|running|Y|n2||ext|\n", 5 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\n\na|1|1|0|running|Y|n1||ext|\n", 5 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\n\n\n\n\nz\n", 8 },
};

START_TEST(wrong_lines_are_named)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dcp_ganeti_result result;
        struct dcp_error err = { 0 };

        begin(wrong[i].text);
        ck_assert(!dcp_import_ganeti(dir, cluster, false, &result, &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
        ck_assert_msg(err.pos.line == wrong[i].line, "%zu: line %u: %s", i,
                      err.pos.line, err.message);
        end();
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &cluster_becomes_a_model,
        &wrong_lines_are_named,
    };

    return RUN_TESTS("import_ganeti", tests);
}
