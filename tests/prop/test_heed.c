/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What heeding lets a policy wish, move by move, breaks no rule of the kinds
 * that it reads, judged by the checker over all moves; and counting says what
 * looking up says. */

#include "model/check/check.h"
#include "sim/policy/heed.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static uint32_t n_allowed, n_forbidden, n_needless;

static struct sample
crowded(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "heed", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, 6),
                            .n_vms = 2 + draw(&rng, 9),
                            .n_rules = 1 + draw(&rng, 4) };
}

static bool
is_read(enum dcp_rule_kind kind)
{
    return kind == DCP_RULE_FENCE || kind == DCP_RULE_BAN ||
           kind == DCP_RULE_SPREAD || kind == DCP_RULE_SEPARATE ||
           kind == DCP_RULE_SPLIT;
}

static bool
holds(const struct world *w, const struct dcp_placement *base,
      const struct dcp_placement *after)
{
    struct dcp_check_result r;

    ck_assert(dcp_check_rules(w->inv, base, after, &r, NULL));
    bool pass = r.pass;

    dcp_check_result_finish(&r);
    return pass;
}

static bool
wishes_hold(const struct sample *s, char why[WHY])
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "moves", 0);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *base = dcp_placement_start(w.inv, NULL);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *after = dcp_placement_copy(base, NULL);
    bool ok = true;

    for (uint32_t r = 0; r < w.inv->n_rules; r++) {
        w.rules[r].soft = !is_read(w.rules[r].kind);
    }
    struct dcp_ground ground;

    ck_assert(dcp_ground_init(&ground, w.inv, NULL));
    struct dcp_heed *few = dcp_heed_create(&ground, base, DCP_HEED_MANY, NULL);
    struct dcp_heed *many = dcp_heed_create(&ground, base, 0, NULL);

    ck_assert(few && many);
    for (uint32_t v = 0; ok && v < w.inv->n_vms; v++) {
        uint32_t from = after->host[v].ix, to = draw(&rng, w.inv->n_hosts);

        if (dcp_host_is_none(after->host[v]) || from == to) {
            continue;
        }
        bool allowed = dcp_heed_allows(few, after->host, v, to);

        ok = allowed == dcp_heed_allows(many, after->host, v, to);
        (void)snprintf(why, WHY, "VM %u to host %u: %s, counted otherwise", v,
                       to, allowed ? "allowed" : "forbidden");
        after->host[v].ix = to;
        bool held = holds(&w, base, after);

        n_allowed += allowed;
        n_forbidden += !allowed && !held;
        n_needless += !allowed && held;
        if (!allowed) {
            after->host[v].ix = from;
            continue;
        }
        if (ok && !held) {
            ok = false;
            (void)snprintf(why, WHY, "VM %u to host %u breaks a rule (%s)", v,
                           to, dcp_rule_kind_name(w.rules[0].kind));
        }
        dcp_heed_moved(few, v, from, to);
        dcp_heed_moved(many, v, from, to);
    }
    dcp_heed_destroy(few);
    dcp_heed_destroy(many);
    dcp_ground_finish(&ground);
    world_free(&w);
    return ok;
}

START_TEST(what_is_heeded_holds)
{
    try_samples(crowded, wishes_hold, 5000);
    ck_assert_uint_gt(n_allowed, 2000);
    ck_assert_uint_gt(n_forbidden, 500);
    ck_assert_uint_lt(n_needless, n_forbidden / 4);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &what_is_heeded_holds };

    return RUN_TESTS("heed", tests);
}
