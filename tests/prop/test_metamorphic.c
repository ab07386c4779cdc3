/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What has to hold between the answers to two questions, on tiny models with
 * all kinds of rules, hard and priced, by number of hosts and by value:
 * dropping a rule and having more never cost more; names change nothing, units
 * nothing but themselves.  Bounds and values are compared as well where nothing
 * is proved: the bound of the easier question is never above an answer to the
 * harder one. */

#include "tests/support/brute_rules.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "tiny", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 1u),
                            .n_rules = 1 + draw(&rng, 4) };
}

static uint32_t n_compared, n_less; /* Both proved; and the easier is less. */

/* What has to be seen: in slow builds, else, and not of a single seed. */
static uint32_t
least(uint32_t slow, uint32_t fast)
{
    return getenv("DCP_PROP_SEED") ? 0 : DCP_TEST_SLOWNESS > 1 ? slow : fast;
}

static bool
solve(const struct tiny_model *m, struct dcp_solution *out, char why[WHY])
{
    struct dcp_solve_options options = { .seed = 1, .iterations = 50 };
    struct dcp_error err = { 0 };
    bool ok = dcp_solve(&m->q, &options, out, &err);

    if (!ok) {
        (void)snprintf(why, WHY, "solver: %s", err.message);
    }
    return ok;
}

/* 'hard' obeys all that 'easy' does. */
static bool
is_no_dearer(const struct dcp_solution *easy, const struct dcp_solution *hard,
             const char *what, char why[WHY])
{
    double eps = 1e-6 * fmax(1, fabs(hard->value));
    bool ok = true;

    if (hard->placement) {
        ok = easy->status != DCP_STATUS_INFEASIBLE &&
             (!easy->placement || easy->bound <= hard->value + eps) &&
             easy->hosts_lower_bound <= dcp_placement_n_on(hard->placement);
    }
    if (hard->status == DCP_STATUS_OPTIMAL &&
        easy->status == DCP_STATUS_OPTIMAL) {
        n_compared++;
        n_less += easy->value < hard->value - eps;
        ok = ok && easy->value <= hard->value + eps;
    }
    (void)snprintf(why, WHY, "%s: %s %g (bound %g), easier %s %g (bound %g)",
                   what, dcp_status_name(hard->status), hard->value,
                   hard->bound, dcp_status_name(easy->status), easy->value,
                   easy->bound);
    return ok;
}

/* Solves as it is, lets 'change' make it easier, and compares. */
static bool
compare(struct tiny_model *m, bool by_value,
        void (*change)(struct tiny_model *, uint32_t), uint32_t which,
        const char *what, char why[WHY])
{
    struct dcp_solution hard, easy;

    ask_of(m, by_value);
    if (!solve(m, &hard, why)) {
        return false;
    }
    change(m, which);
    bool ok = solve(m, &easy, why) && is_no_dearer(&easy, &hard, what, why);

    dcp_solution_finish(&hard);
    dcp_solution_finish(&easy);
    return ok;
}

/* --- Less is asked ------------------------------------------------------ */

static void
drop_rule(struct tiny_model *m, uint32_t r)
{
    m->w.rules[r] = m->w.rules[--m->w.inv->n_rules];
}

static bool
rules_cost(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    bool ok =
        compare(&m, s->seed / 2 % 2, drop_rule,
                (uint32_t)(s->seed % m.w.inv->n_rules), "without a rule", why);

    free_tiny(&m);
    return ok;
}

START_TEST(dropping_a_rule_never_worsens)
{
    n_compared = n_less = 0;
    try_samples(tiny, rules_cost, DCP_TEST_SLOWNESS > 1 ? 50 : 350);
    printf("rules: %u compared, %u cost something\n", n_compared, n_less);
    ck_assert_uint_ge(n_less, least(2, 12));
}
END_TEST

/* --- More is there ------------------------------------------------------ */

static void
enlarge(struct tiny_model *m, uint32_t unused)
{
    (void)unused;
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        m->w.hardware[i].cores_per_socket +=
            m->w.hardware[i].cores_per_socket / 2;
        m->w.hardware[i].mem_mib += m->w.hardware[i].mem_mib / 2;
    }
}

static uint8_t use[HOSTS_MAX]; /* Of the question at hand. */

static void
allow_host(struct tiny_model *m, uint32_t h)
{
    (void)m;
    use[h] = DCP_HOST_FREE;
}

/* A host that is off may be woken, or stays off. */
static bool
hosts_help(struct tiny_model *m, const struct sample *s, char why[WHY])
{
    struct dcp_solution hard, easy;

    ask_of(m, s->seed / 2 % 2);
    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        use[h] =
            m->w.hosts[h].power_off_allowed ? DCP_HOST_FREE : DCP_HOST_KEEP;
    }
    m->q.host_use = use;
    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        if (m->start->on[h] || !m->w.hosts[h].power_off_allowed) {
            continue;
        }
        use[h] = DCP_HOST_KEEP;
        if (!solve(m, &hard, why)) {
            return false;
        }
        allow_host(m, h);
        bool ok = solve(m, &easy, why) &&
                  is_no_dearer(&easy, &hard, "with a host more", why);

        dcp_solution_finish(&hard);
        dcp_solution_finish(&easy);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool
more_is_no_dearer(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    bool ok = hosts_help(&m, s, why) &&
              compare(&m, s->seed / 2 % 2, enlarge, 0, "larger hosts", why);

    free_tiny(&m);
    return ok;
}

START_TEST(more_capacity_never_costs_more)
{
    n_compared = n_less = 0;
    try_samples(tiny, more_is_no_dearer, DCP_TEST_SLOWNESS > 1 ? 50 : 350);
    printf("capacity: %u compared, %u gain\n", n_compared, n_less);
    ck_assert_uint_ge(n_less, least(2, 12));
}
END_TEST

/* --- Names and units ---------------------------------------------------- */

static void
rename_all(struct tiny_model *m)
{
    struct dcp_arena *arena = m->w.inv->arena;

    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        m->w.hosts[h].name =
            dcp_arena_printf(arena, "zz-%u", m->w.inv->n_hosts - h);
    }
    for (uint32_t v = 0; v < m->w.inv->n_vms; v++) {
        m->w.vms[v].name =
            dcp_arena_printf(arena, "guest %u", m->w.inv->n_vms - v);
    }
    for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
        m->w.rules[r].name = dcp_arena_printf(arena, "law%u", 99 - r);
    }
}

/* Memory, and CPU with its prices, counted in units of half the size. */
static void
halve_units(struct tiny_model *m)
{
    for (uint32_t i = 0; i < RANDOM_HARDWARE; i++) {
        m->w.hardware[i].mem_mib *= 2;
        m->w.hardware[i].clock_mhz *= 2;
    }
    for (uint32_t v = 0; v < m->w.inv->n_vms; v++) {
        m->w.vms[v].mem_mib *= 2;
        for (uint32_t t = 0; t < SLOTS; t++) {
            m->w.cpu_mhz[v * m->w.demand.stride + t] *= 2;
        }
    }
    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        m->slope[h] /= 2;
    }
    for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
        struct dcp_rule *rule = &m->w.rules[r];

        if (rule->kind == DCP_RULE_CAPACITY &&
            rule->resource == DCP_RULE_MEMORY) {
            rule->limit *= 2;
        }
    }
}

/* All prices in cents. */
static void
scale_money(struct tiny_model *m)
{
    for (uint32_t h = 0; h < m->w.inv->n_hosts; h++) {
        m->on_value[h] *= 100;
        m->slope[h] *= 100;
    }
    for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
        m->w.rules[r].soft_price *= 100;
    }
}

/* The values of answers that are proved are 'factor' apart. */
static bool
agree(const struct dcp_solution *a, const struct dcp_solution *b, double factor,
      const char *what, char why[WHY])
{
    bool both =
        a->status == DCP_STATUS_OPTIMAL && b->status == DCP_STATUS_OPTIMAL;
    double eps = 1e-6 * fmax(1, fabs(b->value));

    n_compared += both;
    (void)snprintf(why, WHY, "%s: %s %.9g, then %s %.9g", what,
                   dcp_status_name(a->status), a->value,
                   dcp_status_name(b->status), b->value);
    return !(a->placement && b->status == DCP_STATUS_INFEASIBLE) &&
           !(b->placement && a->status == DCP_STATUS_INFEASIBLE) &&
           (!both || fabs(a->value * factor - b->value) <= eps);
}

static bool
changes_alone(const struct sample *s, char why[WHY])
{
    static const struct {
        const char *name;
        void (*change)(struct tiny_model *);
        double factor;
        bool by_value, same_bytes;
    } kinds[] = { { "other names", rename_all, 1, false, true },
                  { "other names, by value", rename_all, 1, true, true },
                  { "other units", halve_units, 1, false, false },
                  { "other units, by value", halve_units, 1, true, false },
                  { "cents", scale_money, 100, true, false } };
    enum { N = sizeof kinds / sizeof kinds[0] };
    struct tiny_model m = make_tiny(s);
    uint32_t k = (uint32_t)(s->seed / 3 % N);
    struct dcp_solution a, b;

    /* Samples of a joint history are not counted anew. */
    if (s->seed % 3 == 0 && kinds[k].change == halve_units) {
        free_tiny(&m);
        return true;
    }
    ask_of(&m, kinds[k].by_value);
    if (!solve(&m, &a, why)) {
        return false;
    }
    kinds[k].change(&m);
    bool ok = solve(&m, &b, why) &&
              agree(&a, &b, kinds[k].factor, kinds[k].name, why);

    if (ok && kinds[k].same_bytes) {
        ok = a.status == b.status && !a.placement == !b.placement &&
             (!a.placement ||
              (!memcmp(a.placement->host, b.placement->host,
                       s->n_vms * sizeof *a.placement->host) &&
               !memcmp(a.placement->on, b.placement->on, s->n_hosts)));
    }
    dcp_solution_finish(&a);
    dcp_solution_finish(&b);
    free_tiny(&m);
    return ok;
}

START_TEST(names_and_units_change_only_themselves)
{
    n_compared = 0;
    try_samples(tiny, changes_alone, DCP_TEST_SLOWNESS > 1 ? 60 : 400);
    printf("names and units: %u compared\n", n_compared);
    ck_assert_uint_ge(n_compared, least(10, 80));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &dropping_a_rule_never_worsens,
        &more_capacity_never_costs_more,
        &names_and_units_change_only_themselves,
    };

    return RUN_TESTS("metamorphic", tests);
}
