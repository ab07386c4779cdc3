/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules of dc.yaml: what each kind reads, and what is refused where and with
 * what remedy.  And one table of kinds says the same as the schema. */

#include "model/io/model_dir.h"
#include "model/io/model_file.h"
#include "model/io/schema_rows.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] =
    "dcplan: model/1\n"
    "lineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"
    "sites: {gent: {}}\nrooms: {g1: {site: gent}}\n"
    "feeds: {fa: {room: g1}}\n"
    "racks: {r1: {room: g1, feeds: [fa]}, r2: {room: g1}}\n"
    "switches: {tor1: {rack: r1}}\n"
    "hardware: {m1: {sockets: 1, cores_per_socket: 8, clock: 2GHz,\n"
    "  memory: 64GiB, nics: [10Gbit]}}\n"
    "hypervisors: {kvm: {}}\n"
    "hosts: {h1: {hardware: m1, hypervisor: kvm, rack: r1,\n"
    "    ports: {eth0: {switch: tor1, port: p1}}},\n"
    "  h2: {hardware: m1, hypervisor: kvm, rack: r2},\n"
    "  h3: {hardware: m1, hypervisor: kvm, rack: r2}}\n"
    "tiers: {live: {}}\n"
    "vms: {v1: {vcpus: 1, memory: 1GiB, host: h1, tier: live},\n"
    "  v2: {vcpus: 1, memory: 1GiB, host: h2, tier: live},\n"
    "  v3: {vcpus: 1, memory: 1GiB, host: h3, tier: live}}\n"
    "rules:\n"; /* Line 20 is the first rule. */

#define FIRST_LINE 20u

struct opened {
    char dir[64];
    struct dcp_model model;
    struct dcp_diag diag;
    bool ok;
};

static void
open_rules(struct opened *o, const char *rules)
{
    char path[128];
    struct dcp_error err = { 0 };

    *o = (struct opened){ .dir = "/tmp/dcp-test-rules-XXXXXX" };
    ck_assert_ptr_nonnull(mkdtemp(o->dir));
    (void)snprintf(path, sizeof path, "%s/dc.yaml", o->dir);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fprintf(f, "%s%s\n", head, rules), 0);
    ck_assert_int_eq(fclose(f), 0);
    o->ok = dcp_model_open(o->dir, NULL, &o->diag, &o->model, &err);
    ck_assert_int_eq(remove(path), 0);
    (void)rmdir(o->dir);
}

static void
finish(struct opened *o)
{
    if (o->ok) {
        dcp_model_finish(&o->model);
    }
    dcp_diag_finish(&o->diag);
}

START_TEST(every_kind_is_read)
{
    struct opened o;

    open_rules(
        &o,
        "  - {name: r1, rule: among, vms: [v1, v2], sets: {a: [h1], b: "
        "['rack:r2']}}\n"
        "  - {name: r2, rule: split, sets: {x: [v1], y: [v2, v3]}, over: "
        "switch}\n"
        "  - {name: r3, rule: lonely, vms: [v1], hold: always}\n"
        "  - {name: r4, rule: quarantine, hosts: ['feed:fa']}\n"
        "  - {name: r5, rule: max_skew, vms: ['v*'], over: rack, max: 1}\n"
        "  - {name: r6, rule: capacity, hosts: [h1, h2], max_memory: 2GiB}\n"
        "  - {name: r7, rule: capacity, hosts: [h1], max_vcpus: 4, vms: [v1]}\n"
        "  - {name: r8, rule: running_capacity, hosts: ['switch:tor1'], max: "
        "2}\n"
        "  - {name: r9, rule: max_on, hosts: [h1, h2], max: 1, soft: 2.5}\n"
        "  - {name: r10, rule: min_on, hosts: [h1, h2], min: 2}\n"
        "  - {name: r11, rule: sequence, vms: [v3, v1]}\n");
    for (size_t i = 0; i < o.diag.n; i++) {
        ck_assert_msg(o.diag.items[i].line < FIRST_LINE, "%u: %s",
                      o.diag.items[i].line, o.diag.items[i].message);
    }
    ck_assert(o.ok);
    const struct dcp_rule *r = o.model.inventory->rules;

    ck_assert_uint_eq(o.model.inventory->n_rules, 11);
    ck_assert_uint_eq(r[0].n_sets, 2);
    ck_assert_uint_eq(r[0].sets[1].ids.n, 2);
    ck_assert_str_eq(r[0].sets[1].name, "b");
    ck_assert_uint_eq(r[1].n_vms, 3);
    ck_assert(r[1].over == DCP_DOMAIN_SWITCH);
    ck_assert(r[2].hold == DCP_HOLD_ALWAYS);
    ck_assert(r[3].hold == DCP_HOLD_ALWAYS && r[3].n_hosts == 1);
    ck_assert(r[4].hold == DCP_HOLD_END && r[4].n_hosts == 3);
    ck_assert_uint_eq(r[4].limit, 1);
    ck_assert_uint_eq(r[5].limit, 2048);
    ck_assert_uint_eq(r[5].n_vms, 3);
    ck_assert(r[6].resource == DCP_RULE_VCPUS && r[6].n_vms == 1);
    ck_assert_uint_eq(r[7].n_hosts, 1);
    ck_assert(r[8].soft && r[8].soft_price == 2.5);
    ck_assert_uint_eq(r[9].limit, 2);
    ck_assert_uint_eq(r[10].n_order, 2);
    ck_assert_uint_eq(r[10].order[0], 2);
    ck_assert_uint_eq(r[10].order[1], 0);
    finish(&o);
}
END_TEST

static const struct {
    const char *rule, *says;
    uint32_t column; /* 0: not looked at. */
} wrong[] = {
    { "{rule: among, vms: [v1]}",
      "'sets' is missing: a among rule needs named sets, such as", 5 },
    { "{rule: lonely, vms: [v1], hosts: [h1]}",
      "hosts: a lonely rule takes none; remove it", 38 },
    { "{rule: split, sets: {a: [v1], b: [v1, v2]}}",
      "vm 'v1' is in 'a' and in 'b'; leave it in one", 0 },
    { "{rule: split, sets: {a: [v1]}}", "a split rule needs two or more", 0 },
    { "{rule: among, vms: [v1], sets: {a: [h9]}}",
      "'h9' selects nothing; did you mean", 0 },
    { "{rule: max_skew, vms: [v1], max: 1.5}",
      "max: '1.5' is not a whole number", 38 },
    { "{rule: min_on, hosts: [h1, h2], min: 3}",
      "min: 3 of 2 hosts can never be on; lower it or name more hosts", 42 },
    { "{rule: capacity, hosts: [h1]}",
      "needs one of 'max_memory' and 'max_vcpus'", 5 },
    { "{rule: capacity, hosts: [h1], max_memory: 1GiB, max_vcpus: 3}",
      "make two rules of it", 0 },
    { "{rule: sequence, vms: ['v*', v1]}", "is more than one VM", 28 },
    { "{rule: sequence, vms: [v1, v2, v1]}",
      "'v1' is in the sequence twice; remove one", 0 },
    { "{rule: sequence, vms: [v1, v2], soft: 3}",
      "soft: a sequence is kept or not asked for", 43 },
    { "{rule: quarantine}", "'hosts' is missing: a quarantine rule needs", 5 },
    { "{rule: running_capacity, hosts: [h1]}", "'max' is missing", 5 },
    { "{rule: separate, vms: [v1], others: [v1]}", "is in vms as well", 0 },
    { "{rule: root, vms: [v1], max: 3}", "max: a root rule takes none", 34 },
    { "{rule: lonly, vms: [v1]}", "lonly", 0 },
};

START_TEST(what_is_wrong_is_said_where_and_how_to_mend_it)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct opened o;
        char rules[200];
        bool found = false;

        (void)snprintf(rules, sizeof rules, "  - %s", wrong[i].rule);
        open_rules(&o, rules);
        ck_assert_msg(!o.ok, "%s", wrong[i].rule);
        for (size_t k = 0; k < o.diag.n; k++) {
            const struct dcp_diagnostic *d = &o.diag.items[k];

            found |= d->line == FIRST_LINE &&
                     strstr(d->message, wrong[i].says) &&
                     (!wrong[i].column || d->column == wrong[i].column);
        }
        ck_assert_msg(found, "%s: first said: %u:%u %s", wrong[i].rule,
                      o.diag.items[0].line, o.diag.items[0].column,
                      o.diag.items[0].message);
        finish(&o);
    }
}
END_TEST

START_TEST(the_table_and_the_schema_name_the_same_kinds)
{
    const struct dcp_schema_row *row = dcp_schema_row(&dcp_schema_rule, "rule");
    const struct dcp_schema_row *over =
        dcp_schema_row(&dcp_schema_rule, "over");

    for (uint32_t k = 0; k < DCP_RULE_KINDS; k++) {
        char name[32];
        const struct dcp_rule_form *form = dcp_rule_form((enum dcp_rule_kind)k);

        dcp_schema_choice_name(row->of, k, name);
        ck_assert_str_eq(name, form->name);
        ck_assert_str_eq(name, dcp_rule_kind_name((enum dcp_rule_kind)k));
        ck_assert_uint_eq(form->needs & form->may, 0);
    }
    for (uint32_t d = 0; d < DCP_DOMAINS; d++) {
        char name[32];

        dcp_schema_choice_name(over->of, d, name);
        ck_assert_str_eq(name, dcp_domain_name((enum dcp_domain)d));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &every_kind_is_read,
        &what_is_wrong_is_said_where_and_how_to_mend_it,
        &the_table_and_the_schema_name_the_same_kinds,
    };

    return RUN_TESTS("rule_reader", tests);
}
