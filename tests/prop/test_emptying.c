/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether hosts can be emptied, against brute force by the checker on tiny
 * models with all kinds of rules: every placement on the other hosts that are
 * on.  What is said to do without is enough, and all of it is needed; a VM
 * that is said to hold the host is taken by no other. */

#include "solver/explain/emptying.h"

#include "model/check/check.h"
#include "tests/support/brute_rules.h"
#include "tests/support/relaxed.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static uint32_t n_can, n_cannot, n_unknown, n_missed, n_relaxed, n_held,
    n_forbidden;

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "emptying", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 2u),
                            .n_rules = draw(&rng, 5) };
}

static bool
is_declared(const struct dcp_inventory *inv, const char *name)
{
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (!strcmp(inv->rules[r].name, name)) {
            return true;
        }
    }
    return false;
}

/* 'excuse': what rules the start broke may be broken as much as there. */
static bool
is_legal(const struct tiny_model *m, const struct dcp_inventory *inv,
         const struct dcp_placement *p, bool excuse)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_placement(inv, &m->w.demand, p, 0, SLOTS, &r, &err),
                  "%s", err.message);
    bool pass = true;

    for (uint32_t i = 0; i < r.n_violations; i++) {
        pass = pass && excuse && is_declared(inv, r.violations[i].rule);
    }
    dcp_check_result_finish(&r);
    /* Rules about staying or not coming look at where VMs were. */
    ck_assert_msg(dcp_check_rules(inv, m->start, p, &r, &err), "%s",
                  err.message);
    pass = pass && r.pass;
    dcp_check_result_finish(&r);
    return pass;
}

/* Whether some placement without the host is legal, its VMs and all others
 * anywhere on hosts that are on. */
static bool
feasible(const struct tiny_model *m, uint32_t host,
         const struct dcp_conflict_part parts[], uint32_t n, bool excuse)
{
    struct relaxed r;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_copy(m->start, NULL);
    uint32_t hosts[HOSTS_MAX], n_hosts = 0, total = 1;

    relax(&r, m->w.inv, parts, n, false);
    p->on[host] = 0;
    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        if (p->on[h]) {
            hosts[n_hosts++] = h;
        }
    }
    for (uint32_t v = 0; v < p->n_vms; v++) {
        total *= n_hosts;
    }
    for (uint32_t code = 0; code < total; code++) {
        uint32_t rest = code;
        bool moves = true;

        for (uint32_t v = 0; v < p->n_vms; v++, rest /= n_hosts) {
            p->host[v].ix = hosts[rest % n_hosts];
            moves = moves && (m->w.vms[v].movable ||
                              p->host[v].ix == m->start->host[v].ix);
        }
        if (moves && is_legal(m, &r.inv, p, excuse)) {
            return true;
        }
    }
    return false;
}

/* No other host takes the VM, all others being where they are. */
static bool
holders_hold(const struct tiny_model *m, uint32_t host,
             const struct dcp_emptying *e, char why[WHY])
{
    for (uint32_t k = 0; k < e->n_held && k < DCP_HELD_MAX; k++) {
        uint32_t v = e->held[k].vm;

        for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
            DCP_AUTO(dcp_placement)
            struct dcp_placement *p = dcp_placement_copy(m->start, NULL);

            if (h == host || !p->on[h]) {
                continue;
            }
            p->host[v].ix = h;
            bool breaks =
                !is_legal(m, m->w.inv, p, false) || !m->w.vms[v].movable;

            if (!breaks) {
                (void)snprintf(why, WHY, "v%u holds h%u and fits on h%u: %s", v,
                               host, h, e->held[k].why.text);
                return false;
            }
        }
        n_held++;
    }
    return true;
}

static bool
relaxation_is_right(const struct tiny_model *m, uint32_t host,
                    const struct dcp_conflict *c, char why[WHY])
{
    struct dcp_conflict_part rest[DCP_CONFLICT_PARTS];

    if (c->hopeless) {
        struct dcp_conflict_part all[RELAXED_RULES_MAX + 3] = {
            { .kind = DCP_PART_TARGET_MEM },
            { .kind = DCP_PART_TARGET_CPU },
            { .kind = DCP_PART_TARGET_NET }
        };
        for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
            all[3 + r] =
                (struct dcp_conflict_part){ .kind = DCP_PART_RULE, .ix = r };
        }
        (void)snprintf(why, WHY, "h%u: not hopeless", host);
        return !feasible(m, host, all, 3 + m->w.inv->n_rules, false);
    }
    if (!c->n_relax) {
        return true;
    }
    n_relaxed++;
    if (!feasible(m, host, c->relax, c->n_relax, true)) {
        (void)snprintf(why, WHY, "h%u: giving up %s is not enough", host,
                       c->relax[0].name);
        return false;
    }
    for (uint32_t i = 0; c->relax_proved && i < c->n_relax; i++) {
        uint32_t n = 0;

        for (uint32_t k = 0; k < c->n_relax; k++) {
            if (k != i) {
                rest[n++] = c->relax[k];
            }
        }
        if (feasible(m, host, rest, n, false)) {
            (void)snprintf(why, WHY, "h%u: %s could be kept", host,
                           c->relax[i].name);
            return false;
        }
    }
    return true;
}

static bool
is_right(const struct tiny_model *m, uint32_t host, char why[WHY])
{
    struct dcp_conflict_options o = { .solve = { .seed = 1, .iterations = 40 },
                                      .time_limit_s = 60 };
    struct dcp_emptying e;
    struct dcp_error err = { 0 };

    if (!dcp_emptying_find(&m->q, host, &o, &e, &err)) {
        (void)snprintf(why, WHY, "%s", err.message);
        return false;
    }
    bool can = feasible(m, host, NULL, 0, false), ok = true;

    n_can += e.answer == DCP_EMPTYING_CAN;
    n_cannot += e.answer == DCP_EMPTYING_CANNOT;
    n_unknown += e.answer == DCP_EMPTYING_UNKNOWN;
    n_missed += e.answer == DCP_EMPTYING_UNKNOWN && can;
    n_forbidden += e.forbids[0] != '\0';
    (void)snprintf(why, WHY, "h%u: answer %d (%s), brute force says %d", host,
                   (int)e.answer, e.forbids, can);
    if (e.answer == DCP_EMPTYING_CAN) {
        ok = is_legal(m, m->w.inv, e.placement, true) && !e.placement->on[host];
    } else if (e.answer == DCP_EMPTYING_CANNOT) {
        ok = !can;
    }
    ok = ok && holders_hold(m, host, &e, why) &&
         relaxation_is_right(m, host, &e.conflict, why);
    dcp_emptying_finish(&e);
    return ok;
}

static bool
all_are_right(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    bool ok = true;

    m.w.inv->policy.n_survive = 0; /* The checker does not search. */
    for (uint32_t r = 0; r < m.w.inv->n_rules; r++) {
        m.w.rules[r].soft = false;
        /* Gathered VMs that always hold cannot leave their domain one by one.
         */
        m.w.rules[r].hold = DCP_HOLD_END;
    }
    ask_of(&m, false);
    m.q.price_soft = false;
    for (uint32_t h = 0; ok && h < m.w.inv->n_hosts; h++) {
        ok = !m.start->on[h] || is_right(&m, h, why);
    }
    free_tiny(&m);
    return ok;
}

START_TEST(hosts_can_be_emptied_or_not)
{
    try_samples(tiny, all_are_right, DCP_TEST_SLOWNESS > 1 ? 60 : 500);
    printf("%u hosts can be emptied, %u cannot (%u forbidden), %u unknown (%u "
           "of them can); %u "
           "relaxations, %u VMs hold\n",
           n_can, n_cannot, n_forbidden, n_unknown, n_missed, n_relaxed,
           n_held);
    (void)fflush(stdout);
    if (!getenv("DCP_PROP_SEED")) {
        uint32_t part = DCP_TEST_SLOWNESS > 1 ? 10 : 1;

        ck_assert_uint_ge(n_can, 200 / part);
        ck_assert_uint_ge(n_cannot, 200 / part);
        ck_assert_uint_ge(n_relaxed, 100 / part);
        ck_assert_uint_ge(n_held, 100 / part);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &hosts_can_be_emptied_or_not,
    };

    return RUN_TESTS("emptying", tests);
}
