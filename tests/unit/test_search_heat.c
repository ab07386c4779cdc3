/* SPDX-License-Identifier: GPL-3.0-or-later */

/* VMs parted by heat: all have a legal place, the same again; where it is not
 * done nothing is changed. */

#include "solver/search/heat.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

enum { SEEDS = 40, TYPES_MAX = 64 };

static bool
part(struct asked *a, struct dcp_state *s)
{
    struct dcp_search_options options = { .seed = 7, .deadline_ms = INT64_MAX };
    struct dcp_error err = { 0 };
    struct search x;
    bool done;

    ck_assert(dcp_search_begin(&x, s, &a->bound, &options, 0, &err));
    ck_assert_msg(dcp_search_part_by_heat(&x, &done, &err), "%s", err.message);
    ck_assert_uint_eq(x.in.trail.n, 0);
    ck_assert_uint_eq(x.homeless.n, 0);
    dcp_search_end(&x);
    return done;
}

static void
expect_places(const struct asked *a, struct dcp_state *s)
{
    for (uint32_t i = 0; i < a->p->n_items; i++) {
        uint32_t h = s->host[i];

        ck_assert(h != DCP_IX_NONE && s->on[h]);
        dcp_state_remove(s, i);
        ck_assert(dcp_state_fits(s, i, h) && dcp_state_allowed(s, i, h));
        dcp_state_place(s, i, h);
    }
}

START_TEST(all_have_a_legal_place_or_nothing_is_changed)
{
    uint32_t n_done = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_error err = { 0 };
        double half[TYPES_MAX];

        ask_at_random(&a, seed);
        ask_for_goal(&a, DCP_GOAL_ENERGY);
        pack_by_first_fit(&a, seed);
        ck_assert_uint_le(a.p->n_types, TYPES_MAX);
        for (uint32_t t = 0; t < TYPES_MAX; t++) {
            half[t] = 0.5;
        }
        DCP_AUTO(dcp_state) struct dcp_state *was = dcp_state_create(a.p, &err);
        DCP_AUTO(dcp_state)
        struct dcp_state *again = dcp_state_create(a.p, &err);

        dcp_state_assign(was, a.s);
        dcp_state_assign(again, a.s);
        if (a.complete) {
            a.bound.cold_frac = NULL;
            ck_assert(!part(&a, a.s));
            a.bound.cold_frac = half;
            bool done = part(&a, a.s);

            ck_assert_int_eq(part(&a, again), done);
            ck_assert_mem_eq(again->host, a.s->host,
                             a.p->n_items * sizeof *again->host);
            expect_places(&a, a.s);
            if (!done) {
                ck_assert_mem_eq(was->host, a.s->host,
                                 a.p->n_items * sizeof *was->host);
                ck_assert_mem_eq(was->on, a.s->on, a.p->n_hosts);
            }
            n_done += done;
        }
        dcp_state_destroy(was);
        dcp_state_destroy(again);
        was = again = NULL;
        finish_question(&a);
    }
    printf("%u of %u models were parted\n", n_done, SEEDS);
    ck_assert_uint_gt(n_done, SEEDS / 8);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &all_have_a_legal_place_or_nothing_is_changed
    };

    return RUN_TESTS("search_heat", tests);
}
