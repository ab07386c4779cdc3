/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/agenda.h"
#include "model/base/rng.h"
#include "tests/unit/run_suite.h"

enum { ITEMS = 40 };

START_TEST(times_move)
{
    struct dcp_agenda a;
    uint32_t item;
    int64_t at_ms;

    ck_assert(dcp_agenda_init(&a, 3));
    ck_assert(!dcp_agenda_first(&a, &item, &at_ms));
    dcp_agenda_set(&a, 2, 50);
    dcp_agenda_set(&a, 1, 50);
    dcp_agenda_set(&a, 0, 70);
    ck_assert(dcp_agenda_first(&a, &item, &at_ms));
    ck_assert_uint_eq(item, 1); /* Equal times by item. */
    dcp_agenda_set(&a, 1, 80);
    dcp_agenda_set(&a, 0, -1);
    ck_assert(dcp_agenda_first(&a, &item, &at_ms));
    ck_assert_uint_eq(item, 0);
    ck_assert_int_eq(at_ms, -1);
    dcp_agenda_drop(&a, 0);
    dcp_agenda_drop(&a, 0);
    ck_assert(a.place[0] == UINT32_MAX);
    ck_assert(dcp_agenda_first(&a, &item, &at_ms));
    ck_assert_uint_eq(item, 2);
    dcp_agenda_finish(&a);
}
END_TEST

/* Beside a plain table. */
START_TEST(the_first_is_the_earliest)
{
    struct dcp_rng rng = dcp_rng_stream(1, "agenda", 0);
    int64_t wanted[ITEMS];
    bool in[ITEMS] = { false };
    struct dcp_agenda a;

    ck_assert(dcp_agenda_init(&a, ITEMS));
    for (int k = 0; k < 20000; k++) {
        uint32_t i = (uint32_t)dcp_rng_below(&rng, ITEMS);
        uint32_t best = ITEMS, item = ITEMS;
        int64_t at_ms = 0;

        in[i] = dcp_rng_below(&rng, 3) > 0;
        if (in[i]) {
            wanted[i] = (int64_t)dcp_rng_below(&rng, 30);
            dcp_agenda_set(&a, i, wanted[i]);
        } else {
            dcp_agenda_drop(&a, i);
        }
        for (uint32_t x = 0; x < ITEMS; x++) {
            ck_assert(in[x] == (a.place[x] != UINT32_MAX));
            if (in[x] && (best == ITEMS || wanted[x] < wanted[best])) {
                best = x;
            }
        }
        ck_assert(dcp_agenda_first(&a, &item, &at_ms) == (best < ITEMS));
        ck_assert_uint_eq(item, best);
        ck_assert(best == ITEMS || at_ms == wanted[best]);
    }
    dcp_agenda_finish(&a);
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = { &times_move,
                                          &the_first_is_the_earliest };

    return RUN_TESTS("agenda", tests);
}
