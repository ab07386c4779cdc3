/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What decisions of a plan are said to be worth, against brute force on tiny
 * models: the best with the VM pinned, with the host always on, without the
 * rule.  The true cost is between what is said to be the least and the most;
 * what holds alone is a placement that the checker lets pass, and counted as
 * it counts. */

#include "solver/explain/worth.h"

#include "model/check/check.h"
#include "tests/support/brute_force.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

static uint32_t n_asked, n_exact, n_costly, n_alone, n_refused, n_rules;

static struct sample
tiny(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "worth", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 2 + draw(&rng, HOSTS_MAX - 1u),
                            .n_vms = 2 + draw(&rng, VMS_MAX - 2u),
                            .n_rules = draw(&rng, 4) };
}

static struct dcp_plan_request
request(const struct tiny_model *m)
{
    return (struct dcp_plan_request){
        .inventory = m->w.inv,
        .demand = &m->w.demand,
        .start = m->start,
        .job = DCP_JOB_CONSOLIDATE,
        .start_ms = WORLD_T0,
        .window_end_ms = WORLD_T0 + WORLD_SLOTS * DCP_HOUR_MS,
        .goals = dcp_goals_single(DCP_GOAL_HOSTS),
        .solve = { .seed = 1, .iterations = 60 },
    };
}

/* Fewest hosts with the change. */
static double
fewest(struct tiny_model *m, const struct dcp_worth_change *c)
{
    struct dcp_inventory *inv = m->w.inv;
    struct dcp_vm vm = { 0 };
    struct dcp_host host = { 0 };
    struct dcp_rule kept[8];
    struct brute b;

    ask_of(m, false);
    if (!c) {
        return brute_force(m).fewest;
    }
    switch (c->kind) {
    case DCP_WORTH_VM_STAYS:
        vm = m->w.vms[c->ix];
        m->w.vms[c->ix].movable = false;
        b = brute_force(m);
        m->w.vms[c->ix] = vm;
        break;
    case DCP_WORTH_HOST_STAYS_ON:
        host = m->w.hosts[c->ix];
        m->w.hosts[c->ix].power_off_allowed = false;
        b = brute_force(m);
        m->w.hosts[c->ix] = host;
        break;
    case DCP_WORTH_RULE_DROPPED:
        memcpy(kept, m->w.rules, inv->n_rules * sizeof *kept);
        m->w.rules[c->ix] = m->w.rules[inv->n_rules - 1];
        inv->n_rules--;
        b = brute_force(m);
        inv->n_rules++;
        memcpy(m->w.rules, kept, inv->n_rules * sizeof *kept);
        break;
    case DCP_WORTH_VM_KEEPS_SIZE:
        vm = m->w.vms[c->ix];
        m->w.vms[c->ix].mem_mib = c->was->vms[c->ix].mem_mib;
        b = brute_force(m);
        m->w.vms[c->ix] = vm;
        break;
    }
    return b.fewest;
}

/* The plan's end with the change, judged by the checker. */
static bool
alone_is_legal(const struct tiny_model *m, const struct dcp_plan *plan,
               const struct dcp_worth_change *c, char why[WHY])
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_copy(plan->legs[0].after, NULL);
    uint32_t host =
        c->kind == DCP_WORTH_VM_STAYS ? m->start->host[c->ix].ix : c->ix;
    struct dcp_check_result was, is;
    struct dcp_error err = { 0 };

    ck_assert(
        dcp_check_placement(m->w.inv, &m->w.demand, p, 0, SLOTS, &was, &err));
    if (c->kind != DCP_WORTH_VM_KEEPS_SIZE) {
        p->on[host] = 1;
    }
    if (c->kind == DCP_WORTH_VM_STAYS) {
        p->host[c->ix].ix = host;
    }
    ck_assert(dcp_check_placement(c->was ? c->was : m->w.inv, &m->w.demand, p,
                                  0, SLOTS, &is, &err));
    bool ok = is.n_violations_all <= was.n_violations_all;

    if (!ok) {
        (void)snprintf(why, WHY, "alone: %s %s", is.violations[0].rule,
                       is.violations[0].text);
    }
    dcp_check_result_finish(&was);
    dcp_check_result_finish(&is);
    return ok;
}

static bool
is_gathered(const struct tiny_model *m, uint32_t vm)
{
    for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
        const struct dcp_rule *rule = &m->w.rules[r];

        for (uint32_t k = 0; k < rule->n_vms; k++) {
            if (rule->kind == DCP_RULE_GATHER && rule->vms[k] == vm) {
                return true;
            }
        }
    }
    return false;
}

/* Headroom, which placements are not judged by, aside. */
static bool
holds_alone(struct tiny_model *m, const struct dcp_plan *plan,
            const struct dcp_worth_change *c, const struct dcp_worth *w,
            char why[WHY])
{
    n_refused += w->applies && w->refused;
    if (!w->applies || w->refused || c->kind == DCP_WORTH_RULE_DROPPED ||
        (c->kind == DCP_WORTH_VM_STAYS && is_gathered(m, c->ix))) {
        return true;
    }
    n_alone++;
    if (w->alone < w->found - 1e-9 && !isnan(w->found)) {
        (void)snprintf(why, WHY, "alone %g, found %g", w->alone, w->found);
        return false;
    }
    return alone_is_legal(m, plan, c, why);
}

static bool
end_passes(const struct tiny_model *m, const struct dcp_placement *end)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert(
        dcp_check_placement(m->w.inv, &m->w.demand, end, 0, SLOTS, &r, &err));
    bool pass = r.pass;

    dcp_check_result_finish(&r);
    return pass;
}

static bool
is_right(struct tiny_model *m, const struct dcp_plan_request *r,
         const struct dcp_plan *plan, const struct dcp_worth_base *base,
         struct dcp_worth_change c, double best, char why[WHY])
{
    struct dcp_worth w;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_plan) struct dcp_plan *with = NULL;

    if (!dcp_worth_alone(r, plan, &c, &w, &err) ||
        !dcp_worth_replan(r, &c, base, &w, &with, &err)) {
        (void)snprintf(why, WHY, "%s", err.message);
        return false;
    }
    if (c.kind == DCP_WORTH_RULE_DROPPED && with && !m->w.rules[c.ix].soft &&
        plan_passes(&m->w, with, why, WHY) &&
        end_passes(m, with->legs[0].after)) {
        dcp_worth_rule_is_kept(&w);
    }
    double least = fewest(m, &c);
    double truth =
        c.kind == DCP_WORTH_RULE_DROPPED ? best - least : least - best;
    double eps = 1e-6;

    n_asked++;
    n_costly += truth > eps && isfinite(truth);
    n_rules += c.kind == DCP_WORTH_RULE_DROPPED && truth > eps;
    bool ok = isfinite(least) || isnan(w.found);

    if (ok && isfinite(least) && !isnan(w.found)) {
        n_exact += w.at_least == w.at_most;
        ok = truth >= w.at_least - eps && truth <= w.at_most + eps &&
             w.difference >= w.at_least - eps &&
             w.difference <= w.at_most + eps && w.found >= least - eps &&
             w.best >= best - eps && w.least <= best + eps &&
             w.found_least <= least + eps;
    }
    if (!ok) {
        (void)snprintf(why, WHY,
                       "change %d of %u: said %g (%g to %g), found %g, best "
                       "%g; true %g and %g",
                       (int)c.kind, c.ix, w.difference, w.at_least, w.at_most,
                       w.found, w.best, least, best);
        return false;
    }
    return holds_alone(m, plan, &c, &w, why);
}

/* The model in which the VM was larger before the plan; to be freed. */
static struct dcp_inventory *
larger(const struct tiny_model *m, uint32_t vm)
{
    struct dcp_vm_size sizes[64];
    struct dcp_error err = { 0 };

    ck_assert_uint_lt(m->w.inv->n_vms, 64);
    for (uint32_t v = 0; v < m->w.inv->n_vms; v++) {
        sizes[v] = dcp_vm_size(m->w.inv, v);
    }
    sizes[vm].mem_mib += sizes[vm].mem_mib / 2 + 1000;
    struct dcp_inventory *inv = dcp_inventory_with_sizes(m->w.inv, sizes, &err);

    ck_assert_ptr_nonnull(inv);
    return inv;
}

static bool
all_are_right(struct tiny_model *m, const struct dcp_plan_request *r,
              const struct dcp_plan *plan, char why[WHY])
{
    const uint32_t n[] = { m->w.inv->n_vms, m->w.inv->n_hosts,
                           m->w.inv->n_rules, m->w.inv->n_vms };
    double best = fewest(m, NULL);
    struct dcp_worth_base base;
    struct dcp_error err = { 0 };
    bool ok = true;

    ck_assert_msg(dcp_worth_base_make(r, &base, &err), "%s", err.message);
    for (uint32_t kind = 0; kind < 4; kind++) {
        for (uint32_t ix = 0; ok && ix < n[kind]; ix++) {
            bool resized = kind == DCP_WORTH_VM_KEEPS_SIZE;
            DCP_FREE struct dcp_inventory *was = resized ? larger(m, ix) : NULL;
            struct dcp_worth_change c = { (enum dcp_worth_kind)kind, ix, was,
                                          resized ? r->demand : NULL };

            if (c.kind == DCP_WORTH_HOST_STAYS_ON && !m->start->on[ix]) {
                continue;
            }
            ok = is_right(m, r, plan, &base, c, best, why);
        }
    }
    dcp_worth_base_finish(&base);
    return ok;
}

static bool
worth_is_between(const struct sample *s, char why[WHY])
{
    struct tiny_model m = make_tiny(s);
    struct dcp_plan_request r = request(&m);
    struct dcp_plan_outcome o;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    bool ok = dcp_plan_make(&r, &plan, &o, &err);

    if (!ok) {
        (void)snprintf(why, WHY, "planner: %s", err.message);
    } else if (plan) {
        struct dcp_plan_outcome again;

        ok = dcp_plan_weigh(&r, plan->legs[0].after, plan->legs[0].after,
                            &again, &err) &&
             fabs(again.after - o.after) < 1e-9;
        (void)snprintf(why, WHY, "weighed %g, planned %g", again.after,
                       o.after);
        ok = ok && all_are_right(&m, &r, plan, why);
    }
    free_tiny(&m);
    return ok;
}

START_TEST(worth_is_what_brute_force_finds)
{
    try_samples(tiny, worth_is_between, DCP_TEST_SLOWNESS > 1 ? 60 : 400);
    printf("%u asked, %u told exactly, %u cost something (%u rules); %u hold "
           "alone, %u do not\n",
           n_asked, n_exact, n_costly, n_rules, n_alone, n_refused);
    (void)fflush(stdout);
    if (!getenv("DCP_PROP_SEED")) {
        uint32_t part = DCP_TEST_SLOWNESS > 1 ? 8 : 1;

        ck_assert_uint_ge(n_exact, 800 / part);
        ck_assert_uint_ge(n_costly, 80 / part);
        ck_assert_uint_ge(n_rules, 8 / part);
        ck_assert_uint_ge(n_alone, 80 / part);
        ck_assert_uint_ge(n_refused, 8 / part);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &worth_is_what_brute_force_finds,
    };

    return RUN_TESTS("worth", tests);
}
