/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Losses of racks and feeds in sums: what each move keeps up to date is what a
 * recount gives, what is said to be short is what the definition says, and a
 * state that survives all losses is never short. */

#include "solver/bound/rack_groups.h"
#include "solver/headroom/headroom.h"
#include "solver/headroom/loss_sums.h"
#include "solver/search/insert.h"
#include "tests/support/asked.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>

static void
lossy(struct asked *a, uint64_t seed)
{
    struct sample sample = { seed, 6, 16, 2 };

    *a = (struct asked){ .w = random_model(&sample) };
    struct dcp_policy *policy = &a->w.inv->policy;

    policy->survive[0] = (struct dcp_loss){ DCP_LOSS_RACK, 1 + seed % 2 };
    policy->survive[1] = (struct dcp_loss){ DCP_LOSS_FEED, 1 };
    policy->survive[2] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    policy->n_survive = 1 + seed % 3;
    ask_question(a);
    a->q.headroom = true;
    compile_question(a);
}

/* --- By definition ---------------------------------------------------------
 */

static double
full_of(const struct dcp_problem *p, uint32_t h, uint32_t r)
{
    return r < p->n_scalars                ? p->full[r * p->n_hosts + h]
           : r < p->n_scalars + p->n_slots ? p->full_cpu_mhz[h]
                                           : p->full_net_kib_s[h];
}

static double
size_of(const struct dcp_problem *p, uint32_t i, uint32_t r)
{
    uint32_t t = r - p->n_scalars;

    return r < p->n_scalars ? p->request[i * p->n_scalars + r]
           : t < p->n_slots
               ? p->cpu_mhz[(size_t)i * p->stride + t]
               : p->net_kib_s[(size_t)i * p->stride + t - p->n_slots];
}

static double
exposed(const struct dcp_state *s, uint32_t kind, uint32_t d, uint32_t r)
{
    const struct dcp_problem *p = s->p;
    const uint32_t *of_host = p->losses->kinds[kind].of_host;
    double sum = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        sum += of_host[h] == d && s->on[h] ? full_of(p, h, r) : 0;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        sum -= !p->protected_item[i] && s->host[i] != DCP_IX_NONE &&
                       of_host[s->host[i]] == d
                   ? size_of(p, i, r)
                   : 0;
    }
    return sum;
}

static double
spare(const struct dcp_state *s, uint32_t zone, uint32_t r)
{
    const struct dcp_problem *p = s->p;
    double sum = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        sum += p->losses->zone_of_host[h] == zone && s->on[h] &&
                       p->use[h] != DCP_HOST_AVOID
                   ? full_of(p, h, r)
                   : 0;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        sum -= p->losses->zone_of_item[i] == zone ? size_of(p, i, r) : 0;
    }
    return sum;
}

static bool
holds(const struct dcp_state *s)
{
    const struct dcp_loss_domains *losses = s->p->losses;
    bool ok = true;

    for (uint32_t k = 0; k < losses->n_kinds; k++) {
        const struct dcp_loss_kind_domains *d = &losses->kinds[k];

        for (uint32_t a = 0; a < d->n; a++) {
            for (uint32_t b = 0; b < d->n; b++) {
                for (uint32_t r = 0; r < s->loss_sums->n_resources; r++) {
                    double lost = fmax(exposed(s, k, a, r), 0);

                    if (a != b && d->at_once > 1 && d->zone[a] == d->zone[b]) {
                        lost += fmax(exposed(s, k, b, r), 0);
                    }
                    ok = ok && lost <= spare(s, d->zone[a], r);
                }
            }
        }
    }
    for (uint32_t z = 0; z < losses->n_zones; z++) {
        for (uint32_t r = 0; r < s->loss_sums->n_resources; r++) {
            ok = ok && spare(s, z, r) >= 0;
        }
    }
    return ok;
}

static bool
any_overloaded(const struct dcp_state *s)
{
    bool any = false;

    for (uint32_t h = 0; h < s->p->n_hosts; h++) {
        any |=
            dcp_state_overloaded(s, h) ||
            (s->n_on_host[h] && (!s->on[h] || s->p->use[h] == DCP_HOST_AVOID));
    }
    return any;
}

static void
recount(const struct dcp_state *s)
{
    const struct dcp_loss_sums *x = s->loss_sums;
    const struct dcp_loss_domains *losses = s->p->losses;
    double most = -INFINITY;

    for (uint32_t r = 0; r < x->n_resources; r++) {
        for (uint32_t z = 0; z < losses->n_zones; z++) {
            ck_assert(x->spare[z * x->n_resources + r] == spare(s, z, r));
        }
        for (uint32_t k = 0; k < losses->n_kinds; k++) {
            for (uint32_t d = 0; d < losses->kinds[k].n; d++) {
                ck_assert(x->exposed[k][d * x->n_resources + r] ==
                          exposed(s, k, d, r));
            }
        }
    }
    for (uint32_t z = 0; z < losses->n_zones; z++) {
        most = fmax(most, dcp_loss_sums_short(x, z));
    }
    ck_assert(dcp_loss_sums_hold(x) == holds(s));
    ck_assert((most <= 0) == holds(s));
}

/* --- Tests ------------------------------------------------------------------
 */

static void
change(struct dcp_inserter *in, struct dcp_rng *rng)
{
    const struct dcp_problem *p = in->s->p;
    uint32_t item = draw(rng, p->n_items), host = draw(rng, p->n_hosts);

    if (chance(rng, 30)) {
        dcp_insert_power(in, host, !in->s->on[host]);
    } else if (in->s->host[item] != DCP_IX_NONE) {
        dcp_insert_remove(in, item);
    } else {
        (void)dcp_insert_one(in, item);
    }
}

START_TEST(sums_are_what_a_recount_gives)
{
    uint32_t n_hold = 0, n_short = 0, n_survived = 0;

    for (uint64_t seed = 0; seed < 120; seed++) {
        struct asked a;
        struct dcp_rng rng = dcp_rng_stream(seed, "changes", 0);
        struct dcp_inserter in;
        struct dcp_headroom headroom;
        struct dcp_error err = { 0 };

        lossy(&a, seed);
        ck_assert(dcp_inserter_init(&in, a.s, seed, &err));
        recount(a.s);
        for (uint32_t round = 0; round < 6; round++) {
            DCP_AUTO(dcp_state)
            struct dcp_state *copy = dcp_state_create(a.p, &err);

            if (!a.s->n_unplaced && !any_overloaded(a.s)) {
                ck_assert(dcp_headroom_check(a.s, NULL, NULL, &headroom, &err));
                n_survived += headroom.ok;
                ck_assert(!headroom.ok || holds(a.s));
            }
            for (uint32_t k = 0; k < 8; k++) {
                change(&in, &rng);
            }
            recount(a.s);
            dcp_state_assign(copy, a.s);
            recount(copy);
            n_hold += holds(a.s);
            n_short += !holds(a.s);
            if (round % 2) {
                dcp_trail_undo(&in.trail, a.s);
                recount(a.s);
            }
            in.trail.n = 0;
        }
        dcp_inserter_finish(&in);
        finish_question(&a);
    }
    ck_assert(n_hold && n_short && n_survived);
}
END_TEST

START_TEST(nothing_is_kept_where_no_rack_is_lost)
{
    struct sample sample = { 1, 6, 16, 2 };
    struct asked a = { .w = random_model(&sample) };

    a.w.inv->policy.survive[0] = (struct dcp_loss){ DCP_LOSS_HOST, 1 };
    a.w.inv->policy.n_survive = 1;
    ask_question(&a);
    a.q.headroom = true;
    compile_question(&a);
    ck_assert_ptr_null(a.p->losses);
    ck_assert_ptr_null(a.s->loss_sums);
    finish_question(&a);
}
END_TEST

START_TEST(groups_have_each_host_that_may_be_on_once)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        const struct dcp_rack_groups *g;
        struct asked a;

        lossy(&a, seed);
        const struct dcp_problem *p = a.p;

        ck_assert(dcp_rack_groups_find(p, &g));
        double n = 0;
        uint32_t n_may = 0;

        for (uint32_t k = 0; k < g->n * p->n_types; k++) {
            ck_assert(g->n_min[k] >= 0 && g->n_min[k] <= g->n_max[k]);
            n += g->n_max[k];
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            bool may = dcp_problem_may_hold(p, h);

            n_may += may;
            ck_assert((g->of_host[h] != DCP_IX_NONE) == may);
            ck_assert(!may || g->group[g->of_host[h]].zone ==
                                  p->losses->zone_of_host[h]);
        }
        ck_assert(n == n_may);
        finish_question(&a);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &sums_are_what_a_recount_gives,
        &nothing_is_kept_where_no_rack_is_lost,
        &groups_have_each_host_that_may_be_on_once,
    };

    return RUN_TESTS("loss_sums", tests);
}
