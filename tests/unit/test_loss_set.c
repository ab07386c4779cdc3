/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Sets of what is lost at once: all of them are gone through, once each, in the
 * order by which an earlier check is continued. */

#include "solver/headroom/loss_set.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

static struct dcp_loss_set
set_of(const uint32_t place[], uint32_t n)
{
    struct dcp_loss_set set = { .kind = DCP_LOSS_HOST, .n = n };

    memcpy(set.ix, place, n * sizeof *place);
    return set;
}

START_TEST(all_sets_are_gone_through_in_order)
{
    for (uint32_t n = 1; n <= 6; n++) {
        uint64_t counted = 0;
        struct dcp_loss_set before = { 0 };

        for (uint32_t k = n; k > 0; k--) {
            uint32_t place[6];

            for (uint32_t i = 0; i < k; i++) {
                place[i] = i;
            }
            do {
                struct dcp_loss_set set = set_of(place, k);

                ck_assert(place[k - 1] < n);
                ck_assert(!counted || dcp_loss_set_is_before(&before, &set));
                ck_assert(!counted || !dcp_loss_set_is_before(&set, &before));
                before = set;
                counted++;
            } while (dcp_loss_next_places(place, k, n));
            ck_assert(k > 1 || counted == dcp_loss_count_sets(n, n));
        }
    }
    ck_assert_uint_eq(dcp_loss_count_sets(5, 2), 15);
    ck_assert_uint_eq(dcp_loss_count_sets(0, 2), 0);
    ck_assert(dcp_loss_count_sets(UINT32_MAX, 4) > UINT64_C(1) << 40);
}
END_TEST

START_TEST(a_feed_takes_the_racks_that_have_no_other)
{
    struct world w = world_make(WORLD_RACKS + 1, 1);
    struct dcp_loss_set feed = { .kind = DCP_LOSS_FEED, .n = 1, .ix = { 0 } };
    struct dcp_loss_set rack = { .kind = DCP_LOSS_RACK, .n = 1, .ix = { 0 } };
    struct dcp_loss_set hosts = { .kind = DCP_LOSS_HOST,
                                  .n = 2,
                                  .ix = { 1, WORLD_RACKS } };
    static const uint32_t first[] = { 0 };
    char text[100];

    ck_assert(!dcp_loss_set_has(w.inv, &feed, 0));
    w.racks[0].feeds = (struct dcp_ids){ first, 1 };
    for (uint32_t h = 0; h <= WORLD_RACKS; h++) {
        bool in_first = h % WORLD_RACKS == 0;

        ck_assert(dcp_loss_set_has(w.inv, &feed, h) == in_first);
        ck_assert(dcp_loss_set_has(w.inv, &rack, h) == in_first);
        ck_assert(dcp_loss_set_has(w.inv, &hosts, h) ==
                  (h == 1 || h == WORLD_RACKS));
    }
    hosts.n = 1;
    ck_assert_str_eq(dcp_loss_set_print(w.inv, &hosts, text, sizeof text),
                     "host 'h1'");
    ck_assert_str_eq(dcp_loss_set_print(w.inv, &feed, text, sizeof text),
                     "feed 'fa'");
    world_free(&w);
}
END_TEST

START_TEST(the_most_at_once_is_asked_once_a_kind)
{
    struct world w = world_make(2, 1);
    struct dcp_policy *policy = &w.inv->policy;

    policy->n_survive = 3;
    policy->survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    policy->survive[1] = (struct dcp_loss){ DCP_LOSS_RACK, 1 };
    policy->survive[2] = (struct dcp_loss){ DCP_LOSS_HOST, 2 };
    ck_assert_uint_eq(dcp_loss_most_at_once(policy, 0), 2);
    ck_assert_uint_eq(dcp_loss_most_at_once(policy, 1), 1);
    ck_assert_uint_eq(dcp_loss_most_at_once(policy, 2), 0);
    world_free(&w);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &all_sets_are_gone_through_in_order,
        &a_feed_takes_the_racks_that_have_no_other,
        &the_most_at_once_is_asked_once_a_kind,
    };

    return RUN_TESTS("loss_set", tests);
}
