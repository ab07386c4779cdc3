/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reconfiguration plans on worlds small enough to know the answer. */

#include "bench/suite/read_btrplace.h"
#include "solver/reconfig/reconfig.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <string.h>

/* A model with one resource: 4 on each node, 2 for each VM but as told. */
#define MODEL(MAPPING, NODES, VMS, CONSTRAINTS)                                \
    "{\"model\":{\"mapping\":" MAPPING ",\"attributes\":{\"nodes\":{},"        \
    "\"vms\":{\"2\":{\"migrate\":3}}},\"views\":[{\"id\":"                     \
    "\"shareableResource\",\"rcId\":\"mem\",\"defCapacity\":4,"                \
    "\"defConsumption\":2,\"nodes\":{" NODES "},\"vms\":{" VMS "}}]},"         \
    "\"constraints\":[" CONSTRAINTS "]}"

#define TWO_NODES                                                              \
    "{\"readyVMs\":[3],\"onlineNodes\":{\"1\":{\"runningVMs\":[1,2]},"         \
    "\"2\":{\"runningVMs\":[]}},\"offlineNodes\":[]}"

struct answer {
    struct dcp_btrplace instance;
    struct dcp_rc_plan plan;
};

static struct answer
answer(const char *text)
{
    struct answer a;
    struct dcp_error err = { 0 };
    const struct dcp_rc_options o = { .seed = 1, .iterations = 200 };

    ck_assert_msg(
        dcp_btrplace_parse("input", text, strlen(text), &a.instance, &err),
        "%s", err.message);
    ck_assert_msg(dcp_rc_solve(&a.instance.world, &o, &a.plan, &err), "%s",
                  err.message);
    return a;
}

static void
finish(struct answer *a)
{
    dcp_rc_plan_finish(&a->plan);
    dcp_btrplace_finish(&a->instance);
}

START_TEST(nothing_to_do_is_an_empty_plan)
{
    struct answer a = answer(MODEL(TWO_NODES, "", "", ""));

    ck_assert_int_eq(a.plan.status, DCP_RC_FOUND);
    ck_assert_uint_eq(a.plan.n_actions, 0);
    ck_assert_int_eq(a.plan.last_end_s, 0);
    finish(&a);
}
END_TEST

/* VM 2 takes 3 s to leave, VM 1 one: the quicker one makes the room. */
START_TEST(more_for_one_makes_the_other_leave)
{
    struct answer a = answer(
        MODEL(TWO_NODES, "", "",
              "{\"id\":\"preserve\",\"vm\":2,\"rc\":\"mem\",\"amount\":3}"));

    ck_assert_int_eq(a.plan.status, DCP_RC_FOUND);
    ck_assert_int_eq(a.plan.bound_s, 1);
    ck_assert_int_eq(a.plan.last_end_s, 1);
    ck_assert_uint_eq(a.plan.n_actions, 2);
    ck_assert_int_eq(a.plan.actions[0].kind, DCP_RC_MIGRATE);
    ck_assert_int_eq(a.plan.actions[1].kind, DCP_RC_ALLOCATE);
    ck_assert_int_eq(a.plan.actions[1].start_s, 1);
    ck_assert_int_eq(a.plan.actions[1].amount, 3);
    finish(&a);
}
END_TEST

/* Fences that swap two VMs between full nodes: one steps aside. */
START_TEST(a_swap_goes_over_a_third_node)
{
    struct answer a = answer(
        MODEL("{\"readyVMs\":[],\"onlineNodes\":{\"1\":{\"runningVMs\":[1]},"
              "\"2\":{\"runningVMs\":[4]},\"3\":{\"runningVMs\":[]}},"
              "\"offlineNodes\":[]}",
              "", "\"1\":4,\"4\":4",
              "{\"id\":\"fence\",\"vm\":1,\"nodes\":[2]},"
              "{\"id\":\"fence\",\"vm\":4,\"nodes\":[1]}"));

    ck_assert_int_eq(a.plan.status, DCP_RC_FOUND);
    ck_assert_uint_eq(a.plan.n_migrations, 3);
    ck_assert_int_eq(a.plan.last_end_s, 3);
    finish(&a);
}
END_TEST

START_TEST(a_node_boots_before_what_it_receives)
{
    struct answer a = answer(MODEL(
        "{\"readyVMs\":[7],\"onlineNodes\":{\"1\":{\"runningVMs\":[1,2]}},"
        "\"offlineNodes\":[5]}",
        "", "", "{\"id\":\"running\",\"vm\":7}"));

    ck_assert_int_eq(a.plan.status, DCP_RC_FOUND);
    ck_assert_uint_eq(a.plan.n_actions, 2);
    ck_assert_int_eq(a.plan.actions[0].kind, DCP_RC_BOOT_NODE);
    ck_assert_int_eq(a.plan.actions[1].kind, DCP_RC_BOOT_VM);
    ck_assert_int_eq(a.plan.actions[1].start_s, 1);
    finish(&a);
}
END_TEST

START_TEST(what_cannot_be_is_said)
{
    static const struct {
        const char *constraints, *because;
    } cases[] = {
        { "{\"id\":\"root\",\"vm\":1},{\"id\":\"offline\",\"node\":1}",
          "VM 1 may not leave a node that goes off" },
        { "{\"id\":\"running\",\"vm\":3},{\"id\":\"killed\",\"vm\":3}",
          "VM 3 is to be in two states" },
        { "{\"id\":\"online\",\"node\":2},{\"id\":\"offline\",\"node\":2}",
          "node 2 is to be on and off" },
        { "{\"id\":\"ban\",\"vm\":1,\"nodes\":[1],\"continuous\":true}",
          "a rule that holds at every instant is broken at the start" },
        { "{\"id\":\"preserve\",\"vm\":1,\"rc\":\"mem\",\"amount\":9}",
          "the VMs need 11 of 'mem', all nodes have 8" },
    };
    char text[1000];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(text, sizeof text, MODEL(TWO_NODES, "", "", "%s"),
                       cases[i].constraints);
        struct answer a = answer(text);

        ck_assert_int_eq(a.plan.status, DCP_RC_IMPOSSIBLE);
        ck_assert_str_eq(a.plan.because, cases[i].because);
        finish(&a);
    }
}
END_TEST

START_TEST(wrong_instances_are_refused)
{
    static const char *const texts[] = {
        "{}",
        MODEL(TWO_NODES, "", "", "{\"id\":\"spread\",\"vms\":[99]}"),
        MODEL(TWO_NODES, "", "", "{\"id\":\"magic\"}"),
        MODEL(TWO_NODES, "\"1\":-1", "", ""),
        MODEL("{\"onlineNodes\":{\"1\":{\"runningVMs\":[1,1]}}}", "", "", ""),
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct dcp_btrplace b;
        struct dcp_error err = { 0 };

        ck_assert(
            !dcp_btrplace_parse("input", texts[i], strlen(texts[i]), &b, &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &nothing_to_do_is_an_empty_plan, &more_for_one_makes_the_other_leave,
        &a_swap_goes_over_a_third_node,  &a_node_boots_before_what_it_receives,
        &what_cannot_be_is_said,         &wrong_instances_are_refused,
    };

    return RUN_TESTS("reconfig", tests);
}
