/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Moves that were made are noted, read again, and keep VMs where they are. */

#include "executors/journal.h"
#include "solver/state.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <unistd.h>

START_TEST(moves_are_noted_and_read_again)
{
    static const char *const first[] = { "v1", "v2" }, *const second[] = {
        "v1"
    };
    char dir[] = "/tmp/dcp-test-moves-XXXXXX", path[64], command[80];
    struct dcp_error err = { 0 };
    struct dcp_journal_moves moves;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/journal.db", dir);
    {
        DCP_AUTO(dcp_journal)
        struct dcp_journal *j =
            dcp_journal_open(path, DCP_DURABILITY_NORMAL, &err);

        ck_assert_ptr_nonnull(j);
        ck_assert(dcp_journal_read_moves(j, DCP_DEED_MOVE, 0, &moves, &err));
        ck_assert_uint_eq(moves.n, 0); /* A journal of before. */
        ck_assert(dcp_journal_note_moves(j, DCP_DEED_MOVE, first, 2, 1000, &err));
        ck_assert(dcp_journal_note_moves(j, DCP_DEED_MOVE, second, 1, 5000, &err));
        ck_assert(dcp_journal_note_moves(j, DCP_DEED_MOVE, NULL, 0, 6000, &err));
        ck_assert(
            dcp_journal_note_moves(j, DCP_DEED_RESIZE, second, 1, 7000, &err));
    }
    DCP_AUTO(dcp_journal)
    struct dcp_journal *j = dcp_journal_open_to_read(path, &err);

    ck_assert(dcp_journal_read_moves(j, DCP_DEED_MOVE, 0, &moves, &err));
    ck_assert_uint_eq(moves.n, 3);
    ck_assert_str_eq(moves.items[1].vm, "v2");
    ck_assert_int_eq(moves.items[2].at_ms, 5000);
    dcp_journal_moves_finish(&moves);
    ck_assert(dcp_journal_read_moves(j, DCP_DEED_MOVE, 1001, &moves, &err));
    ck_assert_uint_eq(moves.n, 1);
    ck_assert_str_eq(moves.items[0].vm, "v1");
    dcp_journal_moves_finish(&moves);
    ck_assert(dcp_journal_read_moves(j, DCP_DEED_RESIZE, 0, &moves, &err));
    ck_assert_uint_eq(moves.n, 1); /* Apart from the moves. */
    ck_assert_int_eq(moves.items[0].at_ms, 7000);
    dcp_journal_moves_finish(&moves);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_vm_that_rests_stays_but_restarts_elsewhere)
{
    static const uint8_t resting[] = { 1, 0 };
    struct world w = world_make(2, 2);
    struct dcp_error err = { 0 };

    w.vms[0].host.ix = w.vms[1].host.ix = 0;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, &err);
    struct dcp_question q = { .inventory = w.inv,
                              .demand = &w.demand,
                              .last_slot = w.demand.n_slots,
                              .start = start,
                              .resting = resting };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, &err);
    char why[160];

    ck_assert_ptr_nonnull(p);
    ck_assert(dcp_problem_reaches(p, 0, 0));
    ck_assert(!dcp_problem_reaches(p, 0, 1));
    ck_assert(dcp_problem_restarts_on(p, 0, 1));
    ck_assert(dcp_problem_reaches(p, 1, 1));
    ck_assert_str_eq(dcp_reach_why_not(&q, 0, 1, why, sizeof why),
                     "the VM rests after its last moves (policy.migration)");
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &moves_are_noted_and_read_again,
        &a_vm_that_rests_stays_but_restarts_elsewhere,
    };

    return RUN_TESTS("moves_history", tests);
}
