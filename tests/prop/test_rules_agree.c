/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Solver and checker read the rules apart from each other; here they read the
 * same random placements.  What the one calls legal, so does the other; what
 * soft rules cost is the same to both; and a price that is kept up to date by
 * moves is the one that is counted anew. */

#include "model/check/check.h"
#include "solver/state.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdio.h>

static struct sample
crowded(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "agree", 0);
    uint32_t n_hosts = 2 + draw(&rng, 5);

    return (struct sample){ .seed = seed,
                            .n_hosts = n_hosts,
                            .n_vms = 2 + draw(&rng, 7),
                            .n_rules = 1 + draw(&rng, 3) };
}

/* VMs that a gather rule ties together have no place of their own to compare:
 * such rules are over racks here. */
static struct world
model_of(const struct sample *s, bool soft)
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "prices", 0);

    for (uint32_t r = 0; r < w.inv->n_rules; r++) {
        struct dcp_rule *rule = &w.rules[r];

        if (rule->kind == DCP_RULE_GATHER && rule->over == DCP_DOMAIN_HOST) {
            rule->over = DCP_DOMAIN_RACK;
        }
        rule->soft = soft && rule->kind != DCP_RULE_SEQUENCE;
        rule->soft_price = 1 + draw(&rng, 9);
    }
    return w;
}

/* VMs that run somewhere, and hosts that are on: all with VMs, some without. */
static struct dcp_placement *
random_placement(const struct world *w, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "anywhere", 0);
    struct dcp_placement *p = dcp_placement_start(w->inv, NULL);

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        p->on[h] = chance(&rng, 30);
    }
    for (uint32_t v = 0; v < p->n_vms; v++) {
        p->host[v].ix = draw(&rng, p->n_hosts);
        p->on[p->host[v].ix] = 1;
    }
    return p;
}

static struct dcp_question
question_of(const struct world *w, const struct dcp_placement *p)
{
    return (struct dcp_question){ .inventory = w->inv,
                                  .demand = &w->demand,
                                  .last_slot = w->demand.n_slots,
                                  .start = p };
}

/* Violations of declared rules: those are called rule0, rule1 ... */
static uint32_t
rules_broken(const struct dcp_check_result *r, const char **out_text)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_violations; i++) {
        if (!strncmp(r->violations[i].rule, "rule", 4)) {
            *out_text = r->violations[i].text;
            n++;
        }
    }
    return n;
}

static uint32_t n_legal, n_illegal;

static bool
legal_to_both(const struct sample *s, char why[WHY])
{
    struct world w = model_of(s, false);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = random_placement(&w, s->seed);
    struct dcp_question q = question_of(&w, p);
    struct dcp_check_result r;
    struct dcp_error err = { 0 };
    const char *text = "";

    ck_assert(dcp_check_placement(w.inv, &w.demand, p, 0, w.demand.n_slots, &r,
                                  &err));
    DCP_AUTO(dcp_problem)
    struct dcp_problem *problem = dcp_problem_create(&q, &err);

    ck_assert(problem != NULL);
    DCP_AUTO(dcp_state)
    struct dcp_state *state = dcp_state_create(problem, &err);

    ck_assert(state != NULL);
    const struct dcp_power_rule *power = dcp_state_broken_power_rule(state);
    const char *objects = power ? power->rule->name : NULL;

    for (uint32_t i = 0; i < problem->n_items && !objects; i++) {
        if (!dcp_state_allowed(state, i, state->host[i])) {
            objects = w.inv->vms[i].name;
        }
    }
    uint32_t n = rules_broken(&r, &text);
    bool same = (n > 0) == (objects != NULL);

    n_legal += !n;
    n_illegal += n > 0;
    (void)snprintf(why, WHY, "checker: %u (%s), solver: %s, rule %s", n, text,
                   objects ? objects : "legal",
                   dcp_rule_kind_name(w.rules[0].kind));
    dcp_check_result_finish(&r);
    world_free(&w);
    return same;
}

START_TEST(what_is_legal_to_one_is_legal_to_the_other)
{
    try_samples(crowded, legal_to_both, 6000);
    ck_assert_uint_gt(n_legal, 500);
    ck_assert_uint_gt(n_illegal, 500);
}
END_TEST

static double
checked_price(const struct world *w, const struct dcp_placement *base,
              const struct dcp_state *s)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_copy(base, NULL);
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i < s->p->n_items; i++) {
        p->host[i].ix = s->host[i];
    }
    memcpy(p->on, s->on, p->n_hosts);
    ck_assert(dcp_check_rules(w->inv, base, p, &r, &err));
    double price = r.soft_price;

    dcp_check_result_finish(&r);
    return price;
}

static bool
same_price(const struct sample *s, char why[WHY])
{
    struct world w = model_of(s, true);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "walk", 0);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = random_placement(&w, s->seed);
    struct dcp_question q = question_of(&w, p);
    struct dcp_error err = { 0 };
    bool same = true;

    q.price_soft = true;
    DCP_AUTO(dcp_problem)
    struct dcp_problem *problem = dcp_problem_create(&q, &err);
    DCP_AUTO(dcp_state)
    struct dcp_state *state = dcp_state_create(problem, &err);

    ck_assert(state != NULL);
    for (uint32_t step = 0; same && step < 12; step++) {
        double solver = dcp_state_soft_price(state);
        double checker = checked_price(&w, p, state);

        same = fabs(solver - checker) < 1e-9;
        (void)snprintf(why, WHY, "step %u: solver %g, checker %g, rule %s",
                       step, solver, checker,
                       dcp_rule_kind_name(w.rules[0].kind));
        uint32_t item = draw(&rng, problem->n_items);
        uint32_t to = draw(&rng, problem->n_hosts);

        if (chance(&rng, 25)) {
            dcp_state_power(state, to, !state->on[to]);
            continue;
        }
        dcp_state_remove(state, item);
        double before = dcp_state_soft_price(state);
        double delta = dcp_state_soft_price_delta(state, item, to);

        dcp_state_place(state, item, to);
        if (fabs(before + delta - dcp_state_soft_price(state)) > 1e-9) {
            (void)snprintf(why, WHY, "step %u: delta %g, is %g", step, delta,
                           dcp_state_soft_price(state) - before);
            same = false;
        }
    }
    world_free(&w);
    return same;
}

START_TEST(soft_rules_cost_the_same)
{
    try_samples(crowded, same_price, 3000);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &what_is_legal_to_one_is_legal_to_the_other,
        &soft_rules_cost_the_same,
    };

    return RUN_TESTS("rules_agree", tests);
}
