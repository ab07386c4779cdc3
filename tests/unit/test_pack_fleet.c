/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Flavours x host classes: many VMs of few kinds, hosts with prices and
 * numbers.  What consolidation at scale asks of the engine. */

#include "model/base/rng.h"
#include "solver/pack/pack.h"
#include "tests/unit/run_suite.h"

enum { FLAVOURS = 24, CLASSES = 4, DIMS = 3 };

struct fleet {
    struct dcp_pack_problem p;
    int32_t size[FLAVOURS * DIMS], capacity[CLASSES * DIMS];
    uint32_t demand[FLAVOURS], cost[CLASSES], limit[CLASSES];
    uint8_t allowed[CLASSES * FLAVOURS];
};

static void
draw(struct fleet *f, uint64_t seed, uint32_t vms)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "fleet", 0);

    *f = (struct fleet){ .p = { .n_dims = DIMS,
                                .n_items = FLAVOURS,
                                .n_bins = CLASSES,
                                .size = f->size,
                                .demand = f->demand,
                                .capacity = f->capacity,
                                .cost = f->cost,
                                .limit = f->limit,
                                .allowed = f->allowed } };
    for (uint32_t i = 0; i < FLAVOURS; i++) {
        int32_t vcpus = 1 << dcp_rng_below(&rng, 5);

        f->size[i * DIMS] = vcpus * (300 + (int32_t)dcp_rng_below(&rng, 900));
        f->size[i * DIMS + 1] = vcpus * (2048 << dcp_rng_below(&rng, 3));
        f->size[i * DIMS + 2] = 10 + (int32_t)dcp_rng_below(&rng, 300);
        f->demand[i] = (uint32_t)dcp_rng_below(&rng, 2 * vms / FLAVOURS);
    }
    for (uint32_t b = 0; b < CLASSES; b++) {
        int32_t cores = 24 << (b / 2);

        f->capacity[b * DIMS] = cores * 2600;
        f->capacity[b * DIMS + 1] = cores * 8192 * (1 + (int32_t)(b & 1));
        f->capacity[b * DIMS + 2] = 4000;
        f->cost[b] = 400u + 350u * b;
        f->limit[b] = b < 2 ? vms / 40 : vms;
        for (uint32_t i = 0; i < FLAVOURS; i++) {
            f->allowed[b * FLAVOURS + i] = b < 2 || i % 7 != 0;
        }
    }
}

START_TEST(bounds_are_certified_and_packings_hold)
{
    for (uint64_t seed = 0; seed < 2; seed++) {
        struct dcp_pack_options o = { .iterations = 8, .seed = 1 };
        struct dcp_pack_certificate c;
        enum dcp_pack_bound_kind kind;
        struct dcp_pack_answer a;
        struct dcp_error err = { 0 };
        uint64_t bound, proved, cost;
        struct fleet f;

        draw(&f, seed, 400);
        ck_assert_msg(dcp_pack_bound(&f.p, &o, &bound, &kind, &c, &err), "%s",
                      err.message);
        ck_assert(dcp_pack_certified(&f.p, &c, 0, &proved, &err));
        ck_assert_uint_ge(proved, c.bound);
        dcp_pack_certificate_finish(&c);
        o.iterations = 3;
        ck_assert(dcp_pack_solve(&f.p, &o, &a, &err));
        ck_assert_int_le(a.status, DCP_PACK_FEASIBLE);
        ck_assert_msg(dcp_pack_verify(&f.p, &a.packing, &cost, &err), "%s",
                      err.message);
        ck_assert_uint_ge(cost, bound);
        dcp_pack_answer_finish(&a);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &bounds_are_certified_and_packings_hold,
    };

    return RUN_TESTS("pack_fleet", tests);
}
