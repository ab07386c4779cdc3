/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The checker's proof over all orders against brute force: every state of
 * small random plans is built and looked at.  Both directions: the checker
 * finds fault with exactly the plans that have a bad state. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "tests/support/world.h"

#include <check.h>

enum { TRIALS = 5000, HOSTS = 3, VMS = 5, STEPS = 9 };
enum { TAGGED = 2 }; /* VMs 0 and 1 need VLAN 1, which only host 0 may lack. */
enum progress { WAITING, RUNNING, DONE };

enum fault {
    FAULT_CAPACITY = 1,
    FAULT_POWER = 2,
    FAULT_SPREAD = 4,
    FAULT_KEEP_ON = 8,
    FAULT_VLAN = 16,
    FAULT_OVERLOAD = 32,
    FAULT_OTHER = 64,
};
enum { SAMPLES = 4 };

static uint32_t
below(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

/* Waits for some of the steps before; 'must' is always among them. */
static void
random_waits(struct world *w, struct dcp_rng *rng, uint32_t id, uint32_t must,
             uint32_t one_in)
{
    for (uint32_t other = 1; other < id; other++) {
        if (other == must || below(rng, one_in) == 0) {
            world_wait(w, id, other);
        }
    }
}

/* Host 0 has a port whose VLANs can be changed; it carries both at first. */
static void
add_vlans(struct world *w)
{
    static const uint32_t vlans[] = { 0, 1 };
    struct dcp_port *port = WORLD_NEW(w, struct dcp_port, 1);

    *port = (struct dcp_port){
        .nic = "eth1", .to = { 0 }, .port = "p1", .vlans = { vlans, 2 }
    };
    w->hosts[0].ports = port;
    w->hosts[0].n_ports = 1;
    for (uint32_t v = 0; v < TAGGED; v++) {
        w->vms[v].vlans = (struct dcp_ids){ vlans + 1, 1 };
    }
}

/* What VMs wanted in the same moments; two of four may be too much. */
static void
add_joint_history(struct world *w, struct dcp_rng *rng)
{
    static const uint32_t first[WORLD_SLOTS],
        count[WORLD_SLOTS] = { SAMPLES, SAMPLES, SAMPLES };
    struct dcp_error err = { 0 };
    uint32_t *rows;

    w->inv->policy.overload = true;
    w->inv->policy.overload_eps_frac = 0.25 * (1 + below(rng, 3));
    w->demand.arena = w->inv->arena;
    ck_assert(
        dcp_scenarios_attach(&w->demand, first, count, SAMPLES, &rows, &err));
    w->demand.arena = NULL;
    for (uint32_t v = 0; v < VMS; v++) {
        for (uint32_t k = 0; k < SAMPLES; k++) {
            rows[v * w->demand.scenarios->stride + k] = 1000 * below(rng, 8);
        }
    }
}

/* A plan whose listed order keeps VMs on hosts that are on. */
static struct world
random_world(struct dcp_rng *rng)
{
    struct world w = world_make(HOSTS, VMS);
    uint32_t at[VMS], last[VMS] = { 0 }, last_switch[HOSTS] = { 0 };
    uint32_t last_vlan = 0;
    bool on[HOSTS], trunked = true;
    static const uint32_t pair[] = { 0, 1 };
    uint32_t one_in = 1 + below(rng, 4);

    add_vlans(&w);
    w.inv->policy.keep_on = 1 + below(rng, HOSTS);
    /* test_check_move_cpu.c. */
    w.inv->policy.migration_cpu_overhead_frac = 0;
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "apart",
                                    .vms = pair,
                                    .n_vms = 2,
                                    .hold = DCP_HOLD_ALWAYS,
                                    .over = DCP_DOMAIN_HOST };
    w.inv->n_rules = below(rng, 2);
    for (uint32_t h = 0; h < HOSTS; h++) {
        on[h] = true;
    }
    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = at[v] = below(rng, HOSTS);
        world_need(&w, v, 1000 + 500 * below(rng, 8));
    }
    if (below(rng, 2)) {
        add_joint_history(&w, rng);
    }
    world_plan(&w, 1, STEPS);
    w.plan->legs[0].deadline_ms = w.plan->legs[0].buckets_until_ms;
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t v = below(rng, VMS), h = below(rng, HOSTS), used = 0, id;

        for (uint32_t k = 0; k < VMS; k++) {
            used += at[k] == h;
        }
        if (below(rng, 5) == 0) {
            trunked = !trunked;
            id = world_vlan(&w, 0, 0, 1, trunked);
            random_waits(&w, rng, id, last_vlan, one_in);
            last_vlan = id;
        } else if (used == 0 && (!on[h] || below(rng, 3) > 0)) {
            on[h] = !on[h];
            id = world_power(&w, 0, h, on[h]);
            random_waits(&w, rng, id, last_switch[h], one_in);
            last_switch[h] = id;
        } else if (on[h] && at[v] != h) {
            id = world_move(&w, 0, v, at[v], h);
            random_waits(&w, rng, id, last[v], one_in);
            last[v] = id;
            at[v] = h;
        }
    }
    return w;
}

struct state {
    const struct world *w;
    enum progress step[STEPS + 1]; /* By id. */
    uint32_t limit[HOSTS];
    uint32_t sample_limit[HOSTS][SAMPLES];
    bool excused_pair;
    unsigned faults;
};

/* Is 'vm' on 'h' in the state; both sides of a running move count. */
static bool
is_on(const struct state *s, uint32_t vm, uint32_t h)
{
    uint32_t at = s->w->vms[vm].host.ix;
    bool both = false;

    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        const struct dcp_step *step = &s->w->steps[id - 1];

        if (step->kind != DCP_STEP_MIGRATE || step->object.ix != vm) {
            continue;
        }
        if (s->step[id] == DONE) {
            at = step->to.ix;
        } else if (s->step[id] == RUNNING) {
            both = both || step->to.ix == h;
        }
    }
    return both || at == h;
}

/* Given by steps of one kind and taken by those of another, at one host. */
static bool
is_there(const struct state *s, uint32_t h, enum dcp_step_kind gives,
         enum dcp_step_kind takes)
{
    bool up = true;

    for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
        const struct dcp_step *step = &s->w->steps[id - 1];

        if ((step->kind == gives || step->kind == takes) &&
            step->object.ix == h && s->step[id] != WAITING) {
            up = s->step[id] == DONE && step->kind == gives;
        }
    }
    return up;
}

/* What is wanted of the host in one moment of the past. */
static uint32_t
sample_mhz(const struct state *s, uint32_t h, uint32_t k)
{
    const struct dcp_scenarios *joint = s->w->demand.scenarios;
    uint32_t mhz = 0;

    for (uint32_t v = 0; v < VMS; v++) {
        mhz += is_on(s, v, h) ? joint->cpu_mhz[v * joint->stride + k] : 0;
    }
    return mhz;
}

static void
judge_state(struct state *s)
{
    uint32_t n_up = 0;

    for (uint32_t h = 0; h < HOSTS; h++) {
        uint32_t mhz = 0, n_vms = 0;

        for (uint32_t v = 0; v < VMS; v++) {
            if (is_on(s, v, h)) {
                mhz += s->w->cpu_mhz[v * s->w->demand.stride];
                n_vms++;
            }
        }
        for (uint32_t k = 0; s->w->demand.scenarios && k < SAMPLES; k++) {
            s->faults |= sample_mhz(s, h, k) > s->sample_limit[h][k]
                             ? FAULT_OVERLOAD
                             : 0;
        }
        bool up = is_there(s, h, DCP_STEP_HOST_ON, DCP_STEP_HOST_OFF);

        n_up += up;
        s->faults |= mhz > s->limit[h] ? FAULT_CAPACITY : 0;
        s->faults |= n_vms && !up ? FAULT_POWER : 0;
        if (s->w->inv->n_rules && !s->excused_pair && is_on(s, 0, h) &&
            is_on(s, 1, h)) {
            s->faults |= FAULT_SPREAD;
        }
    }
    bool vlan = is_there(s, 0, DCP_STEP_VLAN_TRUNK, DCP_STEP_VLAN_UNTRUNK);

    for (uint32_t v = 0; v < TAGGED; v++) {
        s->faults |= is_on(s, v, 0) && !vlan ? FAULT_VLAN : 0;
    }
    s->faults |= n_up < s->w->inv->policy.keep_on ? FAULT_KEEP_ON : 0;
}

/* Gives step 'id' and those after it every progress that 'after' allows. */
static void
enumerate(struct state *s, uint32_t id)
{
    if (id > s->w->plan->n_steps) {
        judge_state(s);
        return;
    }
    const struct dcp_step *step = &s->w->steps[id - 1];
    bool may_start = true;

    for (uint32_t i = 0; i < step->n_after; i++) {
        may_start = may_start && s->step[step->after[i]] == DONE;
    }
    for (int p = WAITING; p <= (may_start ? DONE : WAITING); p++) {
        s->step[id] = (enum progress)p;
        enumerate(s, id + 1);
    }
}

/* Both ends of the leg say how high each sample may be between them; the end
 * itself may overload in as many as policy allows, or the start had. */
static void
limit_samples(struct state *s)
{
    uint32_t n[2][HOSTS] = { { 0 } };

    for (int end = 0; s->w->demand.scenarios && end < 2; end++) {
        for (uint32_t id = 1; id <= s->w->plan->n_steps; id++) {
            s->step[id] = end ? DONE : WAITING;
        }
        for (uint32_t h = 0; h < HOSTS; h++) {
            for (uint32_t k = 0; k < SAMPLES; k++) {
                uint32_t mhz = sample_mhz(s, h, k);
                uint32_t *limit = &s->sample_limit[h][k];

                n[end][h] += mhz > 10000;
                *limit = end && *limit > mhz ? *limit : mhz;
                *limit = *limit > 10000 ? *limit : 10000;
            }
        }
    }
    for (uint32_t h = 0; s->w->demand.scenarios && h < HOSTS; h++) {
        double eps_frac = s->w->inv->policy.overload_eps_frac;
        uint32_t allowed = 0;

        while ((allowed + 2.0) / (SAMPLES + 1) <= eps_frac) {
            allowed++;
        }
        s->faults |=
            n[1][h] > allowed && n[1][h] > n[0][h] ? FAULT_OVERLOAD : 0;
    }
}

static unsigned
brute_force(const struct world *w)
{
    struct state s = { .w = w };

    for (uint32_t h = 0; h < HOSTS; h++) {
        s.limit[h] = 10000;
        uint32_t mhz = 0;

        for (uint32_t v = 0; v < VMS; v++) {
            mhz +=
                w->vms[v].host.ix == h ? w->cpu_mhz[v * w->demand.stride] : 0;
        }
        s.limit[h] = mhz > s.limit[h] ? mhz : s.limit[h];
    }
    limit_samples(&s);
    s.excused_pair = w->vms[0].host.ix == w->vms[1].host.ix;
    enumerate(&s, 1);
    return s.faults;
}

static unsigned
faults_found(struct world *w)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };
    unsigned faults = 0;

    ck_assert_msg(dcp_check_plan(w->inv, &w->demand, w->plan, &r, &err), "%s",
                  err.message);
    for (uint32_t i = 0; i < r.n_violations; i++) {
        const char *rule = r.violations[i].rule;

        faults |= !strcmp(rule, "capacity")   ? FAULT_CAPACITY
                  : !strcmp(rule, "power")    ? FAULT_POWER
                  : !strcmp(rule, "apart")    ? FAULT_SPREAD
                  : !strcmp(rule, "keep_on")  ? FAULT_KEEP_ON
                  : !strcmp(rule, "vlan")     ? FAULT_VLAN
                  : !strcmp(rule, "overload") ? FAULT_OVERLOAD
                                              : FAULT_OTHER;
        if (faults & FAULT_OTHER) {
            ck_abort_msg("%s: %s", rule, r.violations[i].text);
        }
    }
    ck_assert(r.pass == (r.n_violations_all == 0));
    dcp_check_result_finish(&r);
    return faults;
}

START_TEST(agrees_with_every_state)
{
    uint32_t n_with[7] = { 0 };

    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        struct dcp_rng rng = dcp_rng_stream(1, "check-orders", trial);
        struct world w = random_world(&rng);
        unsigned want = brute_force(&w), have = faults_found(&w);

        ck_assert_msg(want == have, "trial %llu: states say %x, checker %x",
                      (unsigned long long)trial, want, have);
        for (unsigned b = 0; b < 6; b++) {
            n_with[b] += want >> b & 1;
        }
        n_with[6] += want == 0;
        world_free(&w);
    }
    /* The trials must be worth something: each fault, and none, is common. */
    for (unsigned b = 0; b < 7; b++) {
        printf("fault %u: %u of %d plans\n", b, n_with[b], TRIALS);
        ck_assert_uint_gt(n_with[b], 30);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check_orders");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, agrees_with_every_state);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
