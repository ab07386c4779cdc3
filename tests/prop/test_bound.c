/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The lower bound alone against brute force on tiny models full of rules, many
 * of them and without a search: it is never above the least value nor the
 * fewest hosts, and says that there is no answer only where there is none.
 * Half of the models have VMs so large that few share a host; in a fifth any
 * two hosts may be lost at once, in two fifths one or two racks or feeds. */

#include "solver/bound/bound.h"
#include "tests/support/brute_force.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

#define COUNT 2500

static uint32_t n_met, n_answers, n_refused, n_none;

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u),
                            .n_rules = draw(&rng, 4) };
}

/* A host takes one or two of most of them: in memory, or in some slot. */
static void
make_large(struct tiny_model *m, const struct sample *s)
{
    for (uint32_t v = 0; v < s->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(s->seed, "large", v);
        uint32_t by = draw(&rng, SLOTS + 2u);

        if (by < SLOTS) {
            m->w.cpu_mhz[v * m->w.demand.stride + by] +=
                2000 + draw(&rng, 5000);
        } else if (by == SLOTS) {
            m->w.vms[v].mem_mib += 20000 + draw(&rng, 40000);
        }
    }
}

static bool
is_below(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_error err = { 0 };
    struct dcp_bound bound;

    if (s->seed % 4 < 2) {
        make_large(&m, s);
    }
    if (s->seed % 5 == 0) { /* Any two hosts may be lost at once. */
        m.w.inv->policy.survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 2 };
        m.w.inv->policy.n_survive = 1;
    }
    if (s->seed % 5 == 1 || s->seed % 5 == 2) {
        m.w.inv->policy.survive[0] =
            (struct dcp_loss){ s->seed % 5 == 1 ? DCP_LOSS_RACK : DCP_LOSS_FEED,
                               1 + s->seed / 5 % 2 };
        m.w.inv->policy.n_survive = 1 + s->seed / 10 % 2;
        m.w.inv->policy.survive[1] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    }
    ask_of(&m, s->seed % 2);

    struct dcp_problem *p = dcp_problem_create(&m.q, &err);

    ck_assert_msg(p && dcp_bound_compute(p, 10, &bound, &err), "%s",
                  err.message);
    struct brute b = brute_force(&m);
    double least = s->seed % 2 ? b.best : b.fewest;
    bool none = isinf(least);
    bool ok = bound.infeasible
                  ? none
                  : none || (bound.hosts <= b.fewest &&
                             bound.value <= least + 1e-9 * fmax(1, least));

    n_none += none;
    n_refused += bound.infeasible;
    n_answers += !none;
    n_met += !none && bound.value >= least - 1e-6 * fmax(1, least);
    (void)snprintf(why, WHY, "%s %g, %u hosts; brute force %g, %g hosts",
                   bound.infeasible ? "infeasible" : "bound", bound.value,
                   bound.hosts, least, b.fewest);
    dcp_problem_destroy(p);
    free_tiny(&m);
    return ok;
}

START_TEST(is_never_above_the_optimum)
{
    try_samples(tiny, is_below, COUNT);
    printf("%u answers, met %u times; none for %u, proved for %u\n", n_answers,
           n_met, n_none, n_refused);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_met, n_answers / 3);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &is_never_above_the_optimum };

    return RUN_TESTS("bound", tests);
}
