/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What follows from what hosts show of a VM that is to move: every case of the
 * table in docs/live-libvirt.md. */

#include "executors/libvirt/look.h"
#include "tests/unit/run_suite.h"

enum { SRC, DST, THIRD, N };

#define SILENT                                                                 \
    {                                                                          \
        .reach = DCP_LOOK_SILENT                                               \
    }
#define OFF                                                                    \
    {                                                                          \
        .reach = DCP_LOOK_OFF                                                  \
    }
#define NOT_HERE                                                               \
    {                                                                          \
        .reach = DCP_LOOK_ANSWERED, .state = DCP_LOOK_NOT_HERE                 \
    }
#define AT(STATE, REASON, PERSISTENT, ...)                                     \
    {                                                                          \
        .reach = DCP_LOOK_ANSWERED, .state = DCP_LOOK_##STATE,                 \
        .reason = (REASON), .persistent = (PERSISTENT), ##__VA_ARGS__          \
    }
#define RUNS    AT(RUNNING, 1, true)
#define DEFINED AT(DEFINED, 0, true)

struct row {
    const char *what;
    struct dcp_look_at at[N];
    enum dcp_look_verdict verdict;
    enum dcp_look_act act;
    uint32_t act_at;
    bool arrived;
};

static const struct row rows[] = {
    { "runs at the source",
      { RUNS, NOT_HERE, NOT_HERE },
      DCP_LOOK_NOT_BEGUN,
      0,
      0,
      false },
    { "the target is dark, the source runs",
      { RUNS, SILENT, NOT_HERE },
      DCP_LOOK_NOT_BEGUN,
      0,
      0,
      false },
    { "a third is dark, the source runs",
      { RUNS, NOT_HERE, SILENT },
      DCP_LOOK_NOT_BEGUN,
      0,
      0,
      false },
    { "on its way",
      { AT(RUNNING, 1, true, .job = true), AT(PAUSED, 2, false), NOT_HERE },
      DCP_LOOK_UNDER_WAY,
      0,
      0,
      false },
    { "arrived", { NOT_HERE, RUNS, NOT_HERE }, DCP_LOOK_ARRIVED, 0, 0, true },
    { "arrived, the source went off",
      { OFF, RUNS, NOT_HERE },
      DCP_LOOK_ARRIVED,
      0,
      0,
      true },
    { "arrived, its definition is left",
      { DEFINED, RUNS, NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_UNDEFINE,
      SRC,
      true },
    { "arrived, not defined there",
      { DEFINED, AT(RUNNING, 3, false), NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_DEFINE,
      DST,
      true },
    { "arrived, saved memory at the source",
      { AT(DEFINED, 0, true, .saved = true), RUNS, NOT_HERE },
      DCP_LOOK_STUCK,
      0,
      0,
      false },
    { "arrived, a paused copy is left at the source",
      { AT(PAUSED, 2, true), RUNS, NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_DESTROY,
      SRC,
      true },
    { "a copy that never ran is left at the target",
      { RUNS, AT(PAUSED, 11, false), NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_DESTROY,
      DST,
      false },
    { "a defined copy is paused at the target",
      { RUNS, AT(PAUSED, 2, true), NOT_HERE },
      DCP_LOOK_STUCK,
      0,
      0,
      false },
    { "both paused by the migration",
      { AT(PAUSED, 2, true), AT(PAUSED, 2, false), NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_DESTROY,
      DST,
      false },
    { "left paused, nobody else has it",
      { AT(PAUSED, 2, true), NOT_HERE, NOT_HERE },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_RESUME,
      SRC,
      false },
    { "left paused, a third is dark",
      { AT(PAUSED, 2, true), NOT_HERE, SILENT },
      DCP_LOOK_UNKNOWN,
      0,
      0,
      false },
    { "left paused, the third is proven off",
      { AT(PAUSED, 2, true), NOT_HERE, OFF },
      DCP_LOOK_UNTIDY,
      DCP_LOOK_RESUME,
      SRC,
      false },
    { "paused by a person",
      { AT(PAUSED, 1, true), NOT_HERE, NOT_HERE },
      DCP_LOOK_ELSEWHERE,
      0,
      0,
      false },
    { "the source is dark, nothing at the target",
      { SILENT, NOT_HERE, NOT_HERE },
      DCP_LOOK_UNKNOWN,
      0,
      0,
      false },
    { "the source is dark, it runs at the target",
      { SILENT, RUNS, NOT_HERE },
      DCP_LOOK_UNKNOWN,
      0,
      0,
      false },
    { "both are dark",
      { SILENT, SILENT, NOT_HERE },
      DCP_LOOK_UNKNOWN,
      0,
      0,
      false },
    { "nowhere",
      { DEFINED, NOT_HERE, NOT_HERE },
      DCP_LOOK_UNKNOWN,
      0,
      0,
      false },
    { "somebody moved it",
      { NOT_HERE, NOT_HERE, RUNS },
      DCP_LOOK_ELSEWHERE,
      0,
      0,
      false },
    { "twice", { RUNS, RUNS, NOT_HERE }, DCP_LOOK_STUCK, 0, 0, false },
    { "twice, once on a third",
      { RUNS, NOT_HERE, RUNS },
      DCP_LOOK_STUCK,
      0,
      0,
      false },
    { "post-copy failed",
      { AT(PAUSED, 12, true), AT(PAUSED, 13, false), NOT_HERE },
      DCP_LOOK_STUCK,
      0,
      0,
      false },
    { "post-copy is under way",
      { AT(PAUSED, 12, true, .job = true), AT(RUNNING, 10, false), NOT_HERE },
      DCP_LOOK_UNDER_WAY,
      0,
      0,
      false },
};

START_TEST(every_case)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dcp_look_at at[N];
        struct dcp_look_result r;

        for (uint32_t h = 0; h < N; h++) {
            static const char *const names[N] = { "src", "dst", "third" };

            at[h] = rows[i].at[h];
            at[h].host = names[h];
        }
        dcp_look_judge_move(at, N, SRC, DST, &r);
        ck_assert_msg(r.verdict == rows[i].verdict, "%s: verdict %d (%s)",
                      rows[i].what, (int)r.verdict, r.text);
        ck_assert_msg(r.act == rows[i].act, "%s: act %d", rows[i].what,
                      (int)r.act);
        ck_assert_msg(!r.act || r.act_at == rows[i].act_at, "%s: at %u",
                      rows[i].what, r.act_at);
        ck_assert_msg(r.arrived == rows[i].arrived, "%s: arrived",
                      rows[i].what);
        ck_assert_msg(r.verdict == DCP_LOOK_NOT_BEGUN ||
                          r.verdict == DCP_LOOK_UNDER_WAY ||
                          r.verdict == DCP_LOOK_ARRIVED || r.text[0],
                      "%s: says nothing", rows[i].what);
    }
}
END_TEST

/* Of all that two hosts and a third can show: nothing is resumed or destroyed
 * where it could be the only copy, or a second one could run. */
START_TEST(nothing_rash)
{
    static const struct dcp_look_at all[] = {
        SILENT,
        OFF,
        NOT_HERE,
        DEFINED,
        RUNS,
        AT(RUNNING, 3, false),
        AT(RUNNING, 1, true, .job = true),
        AT(PAUSED, 1, true),
        AT(PAUSED, 2, true),
        AT(PAUSED, 2, false),
        AT(PAUSED, 11, false),
        AT(PAUSED, 12, true),
    };
    enum { M = sizeof all / sizeof all[0] };

    for (uint32_t i = 0; i < M * M * M; i++) {
        struct dcp_look_at at[N] = { all[i % M], all[i / M % M],
                                     all[i / M / M] };
        struct dcp_look_result r;
        uint32_t n_running = 0, n_silent = 0;

        for (uint32_t h = 0; h < N; h++) {
            at[h].host = "h";
            n_running += at[h].reach == DCP_LOOK_ANSWERED &&
                         at[h].state == DCP_LOOK_RUNNING;
            n_silent += at[h].reach == DCP_LOOK_SILENT;
        }
        dcp_look_judge_move(at, N, SRC, DST, &r);
        if (r.verdict != DCP_LOOK_UNTIDY) {
            ck_assert_int_eq(r.act, DCP_LOOK_DO_NOTHING);
            continue;
        }
        if (r.act == DCP_LOOK_RESUME) {
            ck_assert_uint_eq(n_running + n_silent, 0);
        } else if (r.act == DCP_LOOK_DESTROY) {
            const struct dcp_look_at *other = &at[r.act_at == SRC ? DST : SRC];

            ck_assert_int_eq(at[r.act_at].state, DCP_LOOK_PAUSED);
            ck_assert_int_eq(other->reach, DCP_LOOK_ANSWERED);
            ck_assert(other->state == DCP_LOOK_RUNNING ||
                      other->state == DCP_LOOK_PAUSED);
        } else if (r.act == DCP_LOOK_UNDEFINE) {
            ck_assert_int_eq(at[r.act_at].state, DCP_LOOK_DEFINED);
            ck_assert_int_eq(at[DST].state, DCP_LOOK_RUNNING);
            ck_assert(at[DST].persistent);
        }
    }
}
END_TEST

START_TEST(places)
{
    struct dcp_look_at at[] = { SILENT, DEFINED,
                                AT(DEFINED, 0, true, .saved = true), RUNS };
    struct dcp_look_place p;

    dcp_look_find(at, 4, &p);
    ck_assert_uint_eq(p.n_active, 1);
    ck_assert_uint_eq(p.active_at, 3);
    ck_assert_uint_eq(p.n_defined, 3);
    ck_assert_uint_eq(p.defined_at, 1);
    ck_assert_uint_eq(p.saved_at, 2);
    ck_assert_uint_eq(p.silent_at, 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &every_case,
        &nothing_rash,
        &places,
    };

    return RUN_TESTS("look", tests);
}
