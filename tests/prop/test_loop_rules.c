/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Of wishes that start from where no rule is broken, the rules that they are
 * said to concern give the same verdict as all rules do. */

#include "model/check/check.h"
#include "sim/loop_rules.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static uint32_t n_kept, n_broken, n_unasked;

static struct sample
crowded(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "concern", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, 5),
                            .n_vms = 2 + draw(&rng, 7),
                            .n_rules = 1 + draw(&rng, 4) };
}

/* One to three moves and switches; 'after' has them. */
static void
wish(const struct world *w, struct dcp_rng *rng, struct dcp_wishes *out,
     struct dcp_placement *after)
{
    uint32_t n = 1 + draw(rng, 3);

    for (uint32_t i = 0; i < n; i++) {
        struct dcp_wish one = { DCP_WISH_MOVE, draw(rng, w->inv->n_vms),
                                draw(rng, w->inv->n_hosts) };

        if (chance(rng, 30)) {
            one.kind = after->on[one.host] ? DCP_WISH_OFF : DCP_WISH_ON;
            after->on[one.host] = one.kind == DCP_WISH_ON;
        } else {
            after->host[one.vm].ix = one.host;
        }
        ck_assert(dcp_wishes_add(out, one, NULL));
    }
}

static bool
same_verdict(const struct sample *s, char why[WHY])
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "wishes", 0);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *base = dcp_placement_start(w.inv, NULL);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *after = dcp_placement_copy(base, NULL);
    struct dcp_loop_rules rules;
    struct dcp_wishes wishes = { 0 };
    struct dcp_check_result all, some;

    ck_assert(dcp_loop_rules_init(&rules, w.inv, NULL));
    wish(&w, &rng, &wishes, after);
    ck_assert(dcp_check_rules(w.inv, base, after, &all, NULL));
    bool asked = dcp_loop_rules_ask(&rules, &wishes, 0);

    ck_assert(
        dcp_check_some_rules(w.inv, rules.asked, base, after, &some, NULL));
    (void)snprintf(why, WHY, "all rules: %u broken, asked ones: %u",
                   all.n_violations_all, some.n_violations_all);
    bool same =
        all.n_violations_all == some.n_violations_all && (asked || some.pass);

    n_kept += all.pass;
    n_broken += !all.pass;
    n_unasked += !asked;
    dcp_check_result_finish(&all);
    dcp_check_result_finish(&some);
    dcp_wishes_finish(&wishes);
    dcp_loop_rules_finish(&rules);
    world_free(&w);
    return same;
}

START_TEST(rules_that_are_not_asked_cannot_be_broken)
{
    try_samples(crowded, same_verdict, 6000);
    ck_assert_uint_gt(n_kept, 500);
    ck_assert_uint_gt(n_broken, 500);
    ck_assert_uint_gt(n_unasked, 20);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &rules_that_are_not_asked_cannot_be_broken,
    };

    return RUN_TESTS("loop_rules", tests);
}
