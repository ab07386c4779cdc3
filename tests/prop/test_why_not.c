/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Why-not against the checker: in legal tiny models with all kinds of rules
 * each VM is put on each host that is on.  What the refusal says may not be is
 * what the checker says may not be, and by as much. */

#include "solver/explain/refusal.h"

#include "model/check/check.h"
#include "tests/support/brute_rules.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static uint32_t n_asked, n_by_kind[DCP_REFUSAL_HEADROOM + 1], n_numbers;

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "why-not", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u),
                            .n_rules = draw(&rng, 3) };
}

static struct dcp_check_result
judge(const struct tiny_model *m, const struct dcp_placement *p)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(
        dcp_check_placement(m->w.inv, &m->w.demand, p, 0, SLOTS, &r, &err),
        "%s", err.message);
    return r;
}

/* Rules about staying and coming look at where VMs were. */
static bool
stays_right(const struct tiny_model *m, const struct dcp_placement *p)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert(dcp_check_rules(m->w.inv, m->start, p, &r, &err));
    bool pass = r.pass;

    dcp_check_result_finish(&r);
    return pass;
}

/* The checker counts all that is on the host, the refusal what comes and what
 * is left: both are too much by the same amount. */
static bool
same_numbers(const struct dcp_refusal *why, const struct dcp_check_result *r,
             char text[WHY])
{
    size_t n = strlen(why->rule);

    if (why->kind != DCP_REFUSAL_CAPACITY || isnan(why->need) ||
        !strcmp(why->rule, "overload")) {
        return true;
    }
    for (uint32_t i = 0; i < r->n_violations; i++) {
        const struct dcp_violation *v = &r->violations[i];

        if (!strcmp(v->rule, "capacity") && !strncmp(v->text, why->rule, n)) {
            n_numbers++;
            (void)snprintf(text, WHY, "%s: needs %g, has %g; checker %g of %g",
                           why->rule, why->need, why->have, v->need, v->have);
            return fabs((why->need - why->have) - (v->need - v->have)) < 1e-6;
        }
    }
    (void)snprintf(text, WHY, "the checker says nothing of %s (%s: %s)",
                   why->rule, r->n_violations ? r->violations[0].rule : "",
                   r->n_violations ? r->violations[0].text : "pass");
    return false;
}

static bool
is_right(const struct tiny_model *m, struct dcp_state *s, uint32_t item,
         uint32_t host, char text[WHY])
{
    const struct dcp_problem *p = s->p;
    uint32_t was = s->host[item];
    struct dcp_refusal why;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *there = dcp_placement_copy(m->start, NULL);

    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        if (!m->w.vms[p->vm[k]].movable) {
            return true;
        }
        there->host[p->vm[k]].ix = host;
    }
    dcp_state_remove(s, item);
    bool refused = dcp_refusal_find(s, item, host, false, &why);

    dcp_state_place(s, item, was);
    struct dcp_check_result r = judge(m, there);
    bool broken = !r.pass || !stays_right(m, there);

    n_asked++;
    n_by_kind[why.kind]++;
    (void)snprintf(text, WHY, "item %u on h%u: solver '%s', checker '%s'", item,
                   host, refused ? why.text : "allowed",
                   r.n_violations ? r.violations[0].text : "pass");
    bool same = refused == broken && (!refused || same_numbers(&why, &r, text));

    dcp_check_result_finish(&r);
    return same;
}

static bool
all_are_right(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    bool ok = true;

    m.w.inv->policy.n_survive = 0;
    for (uint32_t r = 0; r < m.w.inv->n_rules; r++) {
        m.w.rules[r].soft = false;
        m.w.rules[r].hold = DCP_HOLD_END;
    }
    ask_of(&m, false);
    m.q.price_soft = false;
    struct dcp_check_result r = judge(&m, m.start);
    bool legal = r.pass;

    dcp_check_result_finish(&r);
    if (legal) {
        struct dcp_error err = { 0 };
        DCP_AUTO(dcp_problem)
        struct dcp_problem *p = dcp_problem_create(&m.q, &err);
        DCP_AUTO(dcp_state)
        struct dcp_state *state = dcp_state_create(p, &err);

        ck_assert_ptr_nonnull(state);
        for (uint32_t i = 0; ok && i < p->n_items; i++) {
            for (uint32_t h = 0; ok && h < p->n_hosts; h++) {
                ok = h == state->host[i] || !state->on[h] ||
                     is_right(&m, state, i, h, why);
            }
        }
    }
    free_tiny(&m);
    return ok;
}

START_TEST(refusals_are_the_checkers)
{
    try_samples(tiny, all_are_right, DCP_TEST_SLOWNESS > 1 ? 600 : 6000);
    printf("%u asked; allowed %u, reach %u, capacity %u (%u numbers), group "
           "%u\n",
           n_asked, n_by_kind[DCP_REFUSAL_NONE], n_by_kind[DCP_REFUSAL_REACH],
           n_by_kind[DCP_REFUSAL_CAPACITY], n_numbers,
           n_by_kind[DCP_REFUSAL_GROUP]);
    (void)fflush(stdout);
    if (!getenv("DCP_PROP_SEED")) {
        uint32_t part = DCP_TEST_SLOWNESS > 1 ? 10 : 1;

        ck_assert_uint_ge(n_by_kind[DCP_REFUSAL_NONE], 500 / part);
        ck_assert_uint_ge(n_by_kind[DCP_REFUSAL_REACH], 100 / part);
        ck_assert_uint_ge(n_numbers, 200 / part);
        ck_assert_uint_ge(n_by_kind[DCP_REFUSAL_GROUP], 100 / part);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &refusals_are_the_checkers,
    };

    return RUN_TESTS("why_not", tests);
}
