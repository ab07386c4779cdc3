/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The checker on conversions to another hypervisor: a plan made by hand,
 * without the solver, is legal; spoilt in one way each it is refused for that,
 * and changed to what is just allowed it is not. */

#include "model/check/check.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

#include <check.h>

/* VMs 0 and 1 go from "qemu" (hosts 0, 1) to "xen" (2, 3), down for 100 s. */
struct handmade {
    struct world w;
    struct dcp_conversion *way;
    uint32_t first, second;
};

static void
converts(struct handmade *m, uint32_t id)
{
    struct dcp_step *s = &m->w.steps[id - 1];

    s->cold = s->converts = true;
    s->convert_from.ix = 0;
    s->convert_to.ix = 1;
    s->estimate_ms = s->downtime_ms = 100000;
}

static struct handmade
make_plan(void)
{
    struct handmade m = { .w = world_make(4, 4) };
    struct world *w = &m.w;
    struct dcp_volume *volume = WORLD_NEW(w, struct dcp_volume, 1);
    static const uint32_t all[] = { 0, 1, 2, 3 };

    w->hosts[2].hypervisor.ix = w->hosts[3].hypervisor.ix = 1;
    w->hypervisors[0].capabilities = w->hypervisors[1].capabilities = 1;
    for (uint32_t v = 0; v < 4; v++) {
        w->vms[v].host.ix = v;
        w->vms[v].needs = 1u << DCP_CAPABILITY_UEFI;
    }
    *volume = (struct dcp_volume){ .vm = { 0 }, .size_mib = 90 };
    w->inv->volumes = volume;
    w->inv->n_volumes = 1;
    w->vms[0].n_volumes = 1;
    m.way = WORLD_NEW(w, struct dcp_conversion, 1);
    *m.way = (struct dcp_conversion){ .from = { 0 },
                                      .to = { 1 },
                                      .vms = { all, 4 },
                                      .fixed_ms = 10000,
                                      .rate_kib_s = 1024 };
    w->inv->conversions = m.way;
    w->inv->n_conversions = 1;
    world_plan(w, 1, 6);
    m.first = world_move(w, 0, 0, 0, 2);
    m.second = world_move(w, 0, 1, 1, 3);
    converts(&m, m.first);
    converts(&m, m.second);
    return m;
}

static struct dcp_step *
first_of(struct handmade *m)
{
    return &m->w.steps[m->first - 1];
}

static void
as_it_is(struct handmade *m)
{
    (void)m;
}

static void
live(struct handmade *m)
{
    first_of(m)->cold = false;
}

static void
not_said(struct handmade *m)
{
    first_of(m)->converts = false;
}

static void
other_way_round(struct handmade *m)
{
    first_of(m)->convert_from.ix = 1;
    first_of(m)->convert_to.ix = 0;
}

static void
no_way(struct handmade *m)
{
    m->w.inv->n_conversions = 0;
}

static void
not_this_vm(struct handmade *m)
{
    static const uint32_t others[] = { 1, 2, 3 };

    m->way->vms = (struct dcp_ids){ others, 3 };
}

static void
not_listed(struct handmade *m)
{
    static const uint32_t qemu[] = { 0 };

    m->w.vms[0].hypervisors = (struct dcp_ids){ qemu, 1 };
}

static void
not_capable(struct handmade *m)
{
    m->w.hypervisors[1].capabilities = 0;
}

static void
pinned(struct handmade *m)
{
    m->w.vms[0].movable = false;
}

static void
down_too_long(struct handmade *m)
{
    m->w.vms[0].max_downtime_ms = 99000;
}

static void
down_as_long_as_allowed(struct handmade *m)
{
    m->w.vms[0].max_downtime_ms = 100000;
}

static void
said_too_short(struct handmade *m)
{
    first_of(m)->downtime_ms = 60000;
}

static void
estimated_too_short(struct handmade *m)
{
    first_of(m)->estimate_ms = 60000;
}

static void
out_of_window(struct handmade *m)
{
    m->way->has_window = true; /* The leg is from 20:00 to 21:00 UTC. */
    m->way->window = (struct dcp_window){ 21 * 60, 6 * 60 };
}

static void
window_too_short(struct handmade *m)
{
    m->way->has_window = true;
    m->way->window = (struct dcp_window){ 19 * 60, 20 * 60 + 30 };
}

static void
within_window(struct handmade *m)
{
    m->way->has_window = true;
    m->way->window = (struct dcp_window){ 20 * 60, 21 * 60 };
}

static void
too_many(struct handmade *m)
{
    m->w.inv->policy.conversions_per_plan = 1;
}

static void
just_as_many(struct handmade *m)
{
    m->w.inv->policy.conversions_per_plan = 2;
}

static void
and_back(struct handmade *m)
{
    struct dcp_conversion *both = WORLD_NEW(&m->w, struct dcp_conversion, 2);

    both[0] = both[1] = *m->way;
    both[1].from.ix = 1;
    both[1].to.ix = 0;
    m->w.inv->conversions = both;
    m->w.inv->n_conversions = 2;
    uint32_t id = world_move(&m->w, 0, 0, 2, 0);

    converts(m, id);
    m->w.steps[id - 1].convert_from.ix = 1;
    m->w.steps[id - 1].convert_to.ix = 0;
    world_wait(&m->w, id, m->first);
}

static void
says_so_for_nothing(struct handmade *m)
{
    m->w.hosts[2].hypervisor.ix = 0;
}

static void
too_full_by_overhead(struct handmade *m)
{
    m->w.vms[0].mem_mib = 99000;
    m->w.vms[2].mem_mib = 500;
    m->w.hypervisors[1].vm_overhead_mib = 300;
}

static void
restarts_under_the_old_one(struct handmade *m)
{
    static const uint32_t vms[] = { 0, 2 };
    static const dcp_host_id to[] = { { 0 }, { 3 } };
    struct dcp_survive *s =
        (struct dcp_survive *)dcp_arena_calloc(m->w.plan->arena, 4, sizeof *s);
    struct dcp_policy *policy = &m->w.inv->policy;

    policy->n_survive = 1;
    policy->survive[0].kind = DCP_LOSS_HOST;
    policy->survive[0].count = 1;
    policy->protect_tiers = ~UINT64_C(0);
    s[0] = (struct dcp_survive){ .lose = { DCP_OBJECT_HOST, 0 } };
    s[1] = (struct dcp_survive){ .lose = { DCP_OBJECT_HOST, 1 } };
    s[2] = (struct dcp_survive){
        .lose = { DCP_OBJECT_HOST, 2 }, .vms = vms, .to = to, .n = 2
    };
    static const uint32_t others[] = { 1, 3 };
    static const dcp_host_id there[] = { { 2 }, { 2 } };

    s[3] = (struct dcp_survive){
        .lose = { DCP_OBJECT_HOST, 3 }, .vms = others, .to = there, .n = 2
    };
    m->w.plan->survive = s;
    m->w.plan->n_survive = 4;
}

START_TEST(spoilt_conversions_are_refused)
{
    static const struct {
        void (*spoil)(struct handmade *);
        const char *rule; /* NULL: it stays legal. */
    } ways[] = {
        { as_it_is, NULL },
        { live, "hypervisor" },
        { not_said, "conversion" },
        { other_way_round, "conversion" },
        { no_way, "conversion" },
        { not_this_vm, "conversion" },
        { not_listed, "hypervisor" },
        { not_capable, "hypervisor" },
        { pinned, "conversion" },
        { down_too_long, "conversion" },
        { down_as_long_as_allowed, NULL },
        { said_too_short, "conversion" },
        { estimated_too_short, "conversion" },
        { out_of_window, "conversion" },
        { window_too_short, "conversion" },
        { within_window, NULL },
        { too_many, "conversion" },
        { just_as_many, NULL },
        { and_back, "conversion" },
        { says_so_for_nothing, "conversion" },
        { too_full_by_overhead, "capacity" },
        { restarts_under_the_old_one, "n+1" },
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct handmade m = make_plan();
        struct dcp_check_result found;

        ways[i].spoil(&m);
        ck_assert(dcp_check_plan(m.w.inv, &m.w.demand, m.w.plan, &found, NULL));
        const char *rule =
            found.n_violations ? found.violations[0].rule : "none";

        ck_assert_msg(!strcmp(rule, ways[i].rule ? ways[i].rule : "none"),
                      "way %zu: %s, not %s", i, rule,
                      ways[i].rule ? ways[i].rule : "none");
        dcp_check_result_finish(&found);
        world_free(&m.w);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &spoilt_conversions_are_refused,
    };

    return RUN_TESTS("check_conversions", tests);
}
