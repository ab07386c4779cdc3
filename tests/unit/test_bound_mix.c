/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Mixes of hosts to pack to: within what there is, with room for all that is
 * asked for and a little more, the same again, and none without time. */

#include "solver/bound/fold.h"
#include "solver/bound/prices.h"
#include "tests/support/asked.h"
#include "tests/unit/run_suite.h"

#include <string.h>

enum { SEEDS = 60, ON_MAX = 256 };

static void
expect_room(const struct dcp_fold *f, const double *on)
{
    const struct dcp_problem *p = f->p;
    double need = 0, room = 0;

    for (uint32_t i = 0; i < p->n_items; i++) {
        need += p->request[(size_t)i * p->n_scalars];
    }
    for (uint32_t k = 0; k < f->n_regions * f->n_types; k++) {
        ck_assert(on[k] >= -1e-6 && on[k] <= p->n_hosts);
        room += on[k] * p->cap[f->example[k % f->n_types]];
    }
    ck_assert_msg(room >= need * (1 - 1e-6), "%g of %g", room, need);
}

START_TEST(mixes_have_room_for_all)
{
    uint32_t n_found = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct asked a;
        struct dcp_fold f = { 0 };
        struct dcp_error err = { 0 };
        double none[ON_MAX], on[ON_MAX], again[ON_MAX], below[ON_MAX];
        bool found;

        ask_at_random(&a, seed);
        ask_for_goal(&a, DCP_GOAL_ENERGY);
        compile_question(&a);
        ck_assert(dcp_fold_make(a.p, &f));
        ck_assert_uint_le(f.n_regions * f.n_types, ON_MAX);
        DCP_AUTO(dcp_bound_energy)
        struct dcp_bound_energy *e = dcp_bound_energy_create(&f);

        for (uint32_t k = 0; k < ON_MAX; k++) {
            none[k] = on[k] = again[k] = -7;
        }
        ck_assert(dcp_bound_prices_mix(e, 0, on, below, &found, &err));
        ck_assert(!found);
        ck_assert_mem_eq(on, none, sizeof on);
        ck_assert(dcp_bound_prices_mix(e, INT64_MAX, on, below, &found, &err));
        ck_assert(
            dcp_bound_prices_mix(e, INT64_MAX, again, below, &found, &err));
        ck_assert_mem_eq(on, again, sizeof on);
        ck_assert_int_eq(found, memcmp(on, none, sizeof on) != 0);
        for (uint32_t t = 0; found && t < f.n_types; t++) {
            ck_assert(below[t] >= 0 && below[t] <= 1);
        }
        if (found) {
            expect_room(&f, on);
            n_found++;
        }
        finish_question(&a);
    }
    ck_assert_uint_gt(n_found, SEEDS / 4);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &mixes_have_room_for_all };

    return RUN_TESTS("bound_mix", tests);
}
