/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/id.h"
#include "model/io/ganeti_text.h"
#include "tests/unit/run_suite.h"

#include <string.h>

static const char cluster[] = "g1|id1|preferred||\n"
                              "\n"
                              "n1|65536|1024|37888|2000000|1850000|8|M|id1|1\n"
                              "n2|65536|1024|47104|2000000|1810000|8|N|id1|1\n"
                              "n3|65536|1024|52224|1000000|910000|16|N|id1|2\n"
                              "n4|0|0|0|0|0|0|Y|id1|1\n"
                              "n5|32768|512|32256|1000000|1000000|8|N|id1|1\n"
                              "\n"
                              "a|8192|50000|2|running|Y|n1|n2|drbd|web:x,b|1\n"
                              "b|4096|40000|2|running|Y|n1|n2|drbd|web:x|2\n"
                              "c|4096|20000|4|running|Y|n3||ext||1\n"
                              "d|8192|90000|4|ADMIN_down|Y|n3|n2|drbd|web:y|1\n"
                              "e|12288|30000|3|running|Y|n1||ext|web:x|1\n"
                              "f|2048|10000|1|running|N|n2|n1|drbd||1\n"
                              "g|2048|50000|1|running|Y|n2|n1|drbd||1\n"
                              "h|4096|10000|1|running|Y|n4||ext||1\n"
                              "i|2048|10000|1|ADMIN_offline|Y|n2||ext||1\n"
                              "j|12288|10000|1|running|Y|n2||plain||1\n"
                              "\n"
                              "htools:iextags:web\n"
                              "\n"
                              "|4096,2,65536,1,1,1|128,1,1024,1,1,1;262144,64,"
                              "1048576,16,8,12|plain,drbd,ext|4.0|32.0\n"
                              "g1|4096,2,65536,1,1,1|128,1,1024,1,1,1;262144,"
                              "64,1048576,16,8,12|plain,drbd,ext|3.0|32.0\n";

START_TEST(text_comes_back)
{
    struct dcp_ganeti_text g;
    struct dcp_error err = { 0 };
    struct dcp_text out = { 0 };

    ck_assert_msg(dcp_ganeti_parse(cluster, strlen(cluster), "c", &g, &err),
                  "%s", err.message);
    ck_assert_uint_eq(g.n_nodes, 5);
    ck_assert_uint_eq(g.n_instances, 10);
    ck_assert_uint_eq(g.n_tags, 1);
    ck_assert_uint_eq(g.n_policies, 2);
    ck_assert_double_eq(dcp_ganeti_group_policy(&g, 0)->vcpu_ratio, 3);
    ck_assert_double_eq(dcp_ganeti_cluster_policy(&g)->std_disk_mib, 65536);
    ck_assert_double_eq(dcp_ganeti_cluster_policy(&g)->std_vcpus, 2);
    dcp_ganeti_print(&g, &out);
    ck_assert_str_eq(dcp_text_get(&out), cluster);
    dcp_text_finish(&out);
    dcp_ganeti_finish(&g);
}
END_TEST

START_TEST(changes_are_printed)
{
    struct dcp_ganeti_text g;
    struct dcp_text out = { 0 };

    ck_assert(dcp_ganeti_parse(cluster, strlen(cluster), "c", &g, NULL));
    ck_assert(g.nodes[3].offline);
    ck_assert_int_eq(g.instances[0].template, DCP_GANETI_DRBD);
    ck_assert_int_eq(g.instances[9].template, DCP_GANETI_PLAIN);
    ck_assert(!g.instances[3].is_up && !g.instances[3].runs);
    ck_assert(g.instances[8].offline && !g.instances[5].automatic);
    g.nodes[0].free_mem_mib -= 100;
    g.instances[0].secondary = 2;
    g.instances[2].primary = 4;
    dcp_ganeti_print(&g, &out);
    ck_assert_ptr_nonnull(strstr(dcp_text_get(&out), "n1|65536|1024|37788|"));
    ck_assert_ptr_nonnull(strstr(dcp_text_get(&out), "Y|n1|n3|drbd|web:x,b"));
    ck_assert_ptr_nonnull(strstr(dcp_text_get(&out), "Y|n5||ext||1"));
    dcp_text_finish(&out);
    dcp_ganeti_finish(&g);
}
END_TEST

static const struct {
    const char *text;
    uint32_t line;
} wrong[] = {
    { "g|id\n", 1 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id|x\n", 3 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\n\na|1|1|1|r|Y|n1|n1|drbd|\n", 5 },
    { "g|id|x\n\nn1|9|0|0|0|0|1|N|id\n\n\n\n|1,x\n", 7 },
};

START_TEST(wrong_lines_are_named)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dcp_ganeti_text g;
        struct dcp_error err = { 0 };

        ck_assert(!dcp_ganeti_parse(wrong[i].text, strlen(wrong[i].text), "c",
                                    &g, &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
        ck_assert_msg(err.pos.line == wrong[i].line, "%zu: line %u: %s", i,
                      err.pos.line, err.message);
        dcp_ganeti_finish(&g);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &text_comes_back,
        &changes_are_printed,
        &wrong_lines_are_named,
    };

    return RUN_TESTS("ganeti_text", tests);
}
