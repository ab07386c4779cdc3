/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whatever the planner proposes for a random small datacenter, the independent
 * checker finds legal in every order; and when a leg was carried out there is
 * nothing left to do. */

#include "model/io/plan_file.h"
#include "tests/support/random_plan.h"
#include "tests/unit/run_suite.h"

static uint32_t n_plans, n_moves;

static bool
make_plan(const struct dcp_plan_request *r, struct dcp_plan **plan,
          struct dcp_plan_outcome *outcome, char why[WHY])
{
    struct dcp_error err = { 0 };

    if (!dcp_plan_make(r, plan, outcome, &err)) {
        (void)snprintf(why, WHY, "planner: %s", err.message);
        return false;
    }
    n_plans += *plan != NULL;
    n_moves += *plan ? outcome->moves : 0;
    return true;
}

static bool
night_plan_is_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;
    bool ok = make_plan(&r, &plan, &outcome, why) &&
              (!plan || random_plan_is_legal(&w, plan, why));

    world_free(&w);
    return ok;
}

static uint32_t n_held;

/* Some VMs or hosts may be changed in some hours only. */
static bool
changes_keep_to_their_time(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "change", 0);
    struct dcp_rule *rule = &w.rules[w.inv->n_rules++];

    *rule = (struct dcp_rule){ .kind = DCP_RULE_CHANGE_WINDOW,
                               .name = "change",
                               .hold = DCP_HOLD_ALWAYS,
                               .hours = { 60 * (int32_t)draw(&rng, 24), 0 },
                               .has_hours = true };
    rule->hours.to_min =
        (rule->hours.from_min + 60 * (1 + (int32_t)draw(&rng, 20))) % 1440;
    if (chance(&rng, 50)) {
        rule->n_vms = random_subset(&w, &rng, 1 + draw(&rng, s->n_vms),
                                    s->n_vms, &rule->vms);
    } else {
        rule->n_hosts = random_subset(&w, &rng, 1 + draw(&rng, 2), s->n_hosts,
                                      &rule->hosts);
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;
    bool ok = make_plan(&r, &plan, &outcome, why) &&
              (!plan || random_plan_is_legal(&w, plan, why));

    n_held += plan && (outcome.vms_held || outcome.hosts_held);
    world_free(&w);
    return ok;
}

static uint32_t n_sets, n_stand_ins;

/* Without one of the lists that show that two hosts may be lost at once the
 * plan is not legal. */
static bool
needs_all_losses(const struct world *w, struct dcp_plan *plan, char why[WHY])
{
    struct dcp_survive *all =
        dcp_arena_array(plan->arena, struct dcp_survive, plan->n_survive + 1u);
    const struct dcp_survive *was = plan->survive;
    uint32_t n = plan->n_survive, last = UINT32_MAX;
    bool legal = false;

    for (uint32_t i = 0; i < n; i++) {
        all[i] = was[i];
        if (was[i].n_also || (was[i].n_stand_ins && was[i].n)) {
            last = i;
        }
        n_sets += was[i].n_also > 0;
        n_stand_ins += was[i].n_stand_ins > 0;
    }
    if (last == UINT32_MAX) {
        return true;
    }
    if (all[last].n_stand_ins) {
        all[last].n_stand_ins--;
    } else {
        all[last] = all[n - 1];
        plan->n_survive--;
    }
    plan->survive = all;
    legal = random_plan_is_legal(w, plan, why);
    plan->survive = was;
    plan->n_survive = n;
    (void)snprintf(why, WHY, "%s",
                   legal ? "a loss without its list is passed over" : "");
    return !legal;
}

/* Two hosts may be lost at once, and now and then a rack. */
static bool
several_losses_are_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    struct dcp_policy *p = &w.inv->policy;

    p->n_survive = 0;
    p->survive[p->n_survive++] = (struct dcp_loss){ DCP_LOSS_HOST, 2 };
    if (s->seed % 4 == 0) {
        p->survive[p->n_survive++] = (struct dcp_loss){ DCP_LOSS_RACK, 1 };
    }
    for (uint32_t v = 0; v < w.inv->n_vms; v++) { /* Else few have plans. */
        w.vms[v].mem_mib = (w.vms[v].mem_mib + 1) / 2;
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;
    bool ok = make_plan(&r, &plan, &outcome, why) &&
              (!plan || (random_plan_is_legal(&w, plan, why) &&
                         needs_all_losses(&w, plan, why)));

    world_free(&w);
    return ok;
}

/* After the evening was carried out, its window has nothing more to ask. */
static bool
settled_night_is_quiet(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    DCP_AUTO(dcp_plan) struct dcp_plan *again = NULL;
    struct dcp_plan_outcome outcome;

    /* Soft rules are kept or dropped all at once, and may be kept when the
     * night is looked at again. */
    for (uint32_t i = 0; i < w.inv->n_rules; i++) {
        w.rules[i].soft = false;
    }
    bool ok = make_plan(&r, &plan, &outcome, why);

    if (ok && plan) {
        r.start = plan->legs[0].after;
        r.settled = true;
        r.solve.seed++;
        ok = make_plan(&r, &again, &outcome, why);
        if (ok && (again || outcome.status != DCP_STATUS_NOTHING_TO_DO)) {
            (void)snprintf(why, WHY, "%s, %u moves: %s",
                           dcp_status_name(outcome.status), outcome.moves,
                           outcome.because.text);
            ok = false;
        }
    }
    world_free(&w);
    return ok;
}

/* Hosts 0 and, in large ones, 1 are emptied; every second time all returns. */
static bool
evacuation_is_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;
    uint8_t avoid[64] = { 1, s->n_hosts > 8 };

    r.job = DCP_JOB_EVACUATE;
    r.two_legs = false;
    r.avoid = avoid;
    r.bring_back = s->seed % 2;
    bool ok = make_plan(&r, &plan, &outcome, why) &&
              (!plan || random_plan_is_legal(&w, plan, why));

    for (uint32_t v = 0; ok && plan && v < w.inv->n_vms; v++) {
        ok = !avoid[plan->legs[0].after->host[v].ix];
    }
    if (!ok && !why[0]) {
        (void)snprintf(why, WHY, "a VM stays on a host to be emptied");
    }
    world_free(&w);
    return ok;
}

/* Some VMs are where they may break rules or limits. */
static void
scatter(struct world *w, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "scatter", 0);

    for (uint32_t v = 0; v < w->inv->n_vms; v++) {
        uint32_t h = draw(&rng, w->inv->n_hosts);

        if (chance(&rng, 30) && w->hosts[h].state == DCP_HOST_UP &&
            !w->vms[v].vlans.n && !w->vms[v].n_volumes) {
            w->vms[v].host.ix = h;
        }
    }
}

static uint32_t
n_wrong(const struct world *w, const struct dcp_placement *at)
{
    struct dcp_check_result result;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_placement(w->inv, &w->demand, at, 0, RANDOM_NIGHT,
                                      &result, &err),
                  "%s", err.message);
    uint32_t n = result.n_violations_all;

    dcp_check_result_finish(&result);
    return n;
}

static uint32_t n_mended;

/* What is wrong at the start is not left as it is because the night would gain
 * too little: a repair finds nothing more to mend. */
static bool
night_mends_its_start(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);

    scatter(&w, s->seed);
    w.inv->policy.min_gain_frac = 0.5;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *night = NULL;
    DCP_AUTO(dcp_plan) struct dcp_plan *repair = NULL;
    struct dcp_plan_outcome outcome;

    r.two_legs = true;
    bool ok = make_plan(&r, &night, &outcome, why);
    uint32_t at_first = n_wrong(&w, start);
    uint32_t left = ok && night ? n_wrong(&w, night->legs[0].after) : 0;

    n_mended += left < at_first;
    if (left) {
        r.job = DCP_JOB_REPAIR;
        r.two_legs = false;
        ok = make_plan(&r, &repair, &outcome, why);
        uint32_t least =
            ok && repair ? n_wrong(&w, repair->legs[0].after) : left;

        if (ok && least < left) {
            (void)snprintf(why, WHY, "%u of %u wrong after, a repair leaves %u",
                           left, at_first, least);
            ok = false;
        }
    }
    world_free(&w);
    return ok;
}

/* A start that breaks rules at random: a repair is legal and switches nothing
 * off. */
static bool
repair_is_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);

    scatter(&w, s->seed);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_plan_outcome outcome;

    bool max_on = false; /* A rule that a repair may have to mend. */

    r.job = DCP_JOB_REPAIR;
    r.partial = s->seed % 2;
    r.two_legs = false;
    bool ok = make_plan(&r, &plan, &outcome, why) &&
              (!plan || random_plan_is_legal(&w, plan, why));

    for (uint32_t i = 0; i < w.inv->n_rules; i++) {
        max_on |= w.rules[i].kind == DCP_RULE_MAX_ON;
    }
    for (uint32_t h = 0; ok && !max_on && plan && h < w.inv->n_hosts; h++) {
        ok = plan->legs[0].after->on[h] >= start->on[h];
    }
    if (!ok && !why[0]) {
        (void)snprintf(why, WHY, "a repair switches a host off");
    }
    world_free(&w);
    return ok;
}

/* The same question gives the same bytes. */
static bool
plan_is_repeatable(const struct sample *s, char why[WHY])
{
    struct world w = random_plan_model(s);
    struct dcp_text text[2] = { { 0 }, { 0 } };
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_plan_request r = random_plan_request(&w, start, s->seed);
    struct dcp_error err = { 0 };
    bool ok = true;

    /* The clock must decide nothing: time enough, and a soft rule, with which
     * the exact solver is not asked. */
    static const uint32_t zero[] = { 0 };

    r.solve.time_limit_s = 60;
    w.rules[w.inv->n_rules++] = (struct dcp_rule){ .kind = DCP_RULE_BAN,
                                                   .name = "soft",
                                                   .vms = zero,
                                                   .n_vms = 1,
                                                   .hosts = zero,
                                                   .n_hosts = 1,
                                                   .soft = true };
    for (uint32_t i = 0; ok && i < 2; i++) {
        DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
        struct dcp_plan_outcome outcome;

        ok = make_plan(&r, &plan, &outcome, why);
        if (ok && plan) {
            plan->lineage = w.inv->lineage;
            plan->tool_version = "test";
            plan->options_json = "{}";
            ok = dcp_plan_print(w.inv, plan, &text[i], &err);
        }
    }
    ok = ok && !strcmp(dcp_text_get(&text[0]), dcp_text_get(&text[1]));
    if (!ok && !why[0]) {
        (void)snprintf(why, WHY, "two runs differ (%s)", err.message);
    }
    dcp_text_finish(&text[0]);
    dcp_text_finish(&text[1]);
    world_free(&w);
    return ok;
}

/* The property must have been tried on something. */
static void
expect_plans(uint32_t plans, uint32_t moves)
{
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_plans, plans);
        ck_assert_uint_ge(n_moves, moves);
    }
}

START_TEST(night_plans_are_legal)
{
    try_samples(random_plan_sample, night_plan_is_legal, part_of(100));
    expect_plans(part_of(40), part_of(200));
}
END_TEST

START_TEST(windows_for_changes_are_kept)
{
    try_samples(random_plan_sample, changes_keep_to_their_time, part_of(120));
    printf("%u plans, %u with something held\n", n_plans, n_held);
    expect_plans(part_of(20), part_of(40));
}
END_TEST

START_TEST(several_losses_at_once_are_legal)
{
    try_samples(random_plan_sample, several_losses_are_legal, part_of(150));
    printf("%u plans, %u lists of sets, %u with stand-ins\n", n_plans, n_sets,
           n_stand_ins);
    expect_plans(part_of(20), part_of(40));
}
END_TEST

START_TEST(settled_nights_are_quiet)
{
    try_samples(random_plan_sample, settled_night_is_quiet, part_of(60));
}
END_TEST

START_TEST(evacuations_are_legal)
{
    try_samples(random_plan_sample, evacuation_is_legal, part_of(150));
    expect_plans(part_of(20), part_of(40));
}
END_TEST

START_TEST(repairs_are_legal)
{
    try_samples(random_plan_sample, repair_is_legal, part_of(150));
    expect_plans(part_of(20), part_of(20));
}
END_TEST

START_TEST(nights_mend_their_start)
{
    try_samples(random_plan_sample, night_mends_its_start, part_of(150));
    printf("%u nights that mend what was wrong\n", n_mended);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_ge(n_mended, part_of(40));
    }
}
END_TEST

START_TEST(plans_are_repeatable)
{
    try_samples(random_plan_sample, plan_is_repeatable, part_of(20));
    expect_plans(part_of(10), part_of(40));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &night_plans_are_legal,        &settled_nights_are_quiet,
        &evacuations_are_legal,        &repairs_are_legal,
        &windows_for_changes_are_kept, &several_losses_at_once_are_legal,
        &nights_mend_their_start,      &plans_are_repeatable,
    };

    return RUN_TESTS("solver_plans", tests);
}
