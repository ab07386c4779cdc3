/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The checker bites: valid plans for a night are made here, without the
 * solver, and each is then spoilt in one way.  Every spoilt plan must be
 * refused, and for the reason that it was spoilt with. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "model/io/plan_file.h"
#include "tests/support/world.h"

#include <check.h>

/* Host 0 has a port whose VLANs can be changed; host 7 runs another
 * hypervisor.  VM v starts on host v % 7. */
enum {
    HOSTS = 8,
    FULL = 1,   /* So full that 'y' fits only once 'x' has left. */
    DONOR = 2,  /* Emptied, switched off, and filled again. */
    BANNED = 3, /* Where 'banned' may not be. */
    SPARE = 4,  /* Takes 'x'. */
    HOME = 5,   /* Where 'y' comes from. */
    XEN = 7,
    VMS = 21,
    SEEDS = 8,
};

struct night {
    struct world w;
    struct dcp_rng rng;
    uint32_t x, y, banned, tagged; /* VMs. */
    uint32_t trunk, tagged_out, banned_out, x_out, y_in, off;
    uint32_t on, tagged_back, banned_back, untrunk;
    struct dcp_survive *survive;
};

static uint32_t
load_of(const struct world *w, const struct dcp_placement *p, uint32_t host)
{
    uint32_t mhz = 0;

    for (uint32_t v = 0; v < VMS; v++) {
        mhz += p->host[v].ix == host ? w->cpu_mhz[v * w->demand.stride] : 0;
    }
    return mhz;
}

static void
model(struct night *n)
{
    static const uint32_t qemu[] = { 0 }, net0[] = { 0 }, net1[] = { 1 };
    struct world *w = &n->w;
    struct dcp_port *port = WORLD_NEW(w, struct dcp_port, 1);
    uint32_t pair[2], banned_host[1] = { BANNED };

    *port = (struct dcp_port){ .nic = "eth1",
                               .to = { 0 },
                               .port = "p1",
                               .vlans = { world_ids(w, 1, net0), 1 } };
    w->hosts[0].ports = port;
    w->hosts[0].n_ports = 1;
    w->hosts[XEN].hypervisor.ix = 1;
    n->x = FULL;
    n->y = HOME;
    n->tagged = DONOR;
    n->banned = DONOR + 7;
    for (uint32_t v = 0; v < VMS; v++) {
        w->vms[v].host.ix = v % 7;
        w->vms[v].hypervisors = (struct dcp_ids){ qemu, 1 };
        w->vms[v].tier.ix = v % 3 != 0;
        world_need(w, v, 800 + (uint32_t)dcp_rng_below(&n->rng, 500));
    }
    world_need(w, n->x, 5000);
    world_need(w, FULL + 7, 2500);
    world_need(w, FULL + 14, 2000);
    world_need(w, n->y, 4600);
    world_need(w, n->banned, 1600 + (uint32_t)dcp_rng_below(&n->rng, 200));
    w->vms[n->tagged].vlans = (struct dcp_ids){ world_ids(w, 1, net1), 1 };
    pair[0] = n->x;
    pair[1] = n->y;
    w->rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                     .name = "apart",
                                     .vms = world_ids(w, 2, pair),
                                     .n_vms = 2,
                                     .over = DCP_DOMAIN_HOST,
                                     .hold = DCP_HOLD_ALWAYS };
    w->rules[1] =
        (struct dcp_rule){ .kind = DCP_RULE_BAN,
                           .name = "kept-off",
                           .vms = world_ids(w, 1, &n->banned),
                           .n_vms = 1,
                           .hosts = world_ids(w, 1, banned_host),
                           .n_hosts = 1,
                           .hold = dcp_rng_below(&n->rng, 2) ? DCP_HOLD_ALWAYS
                                                             : DCP_HOLD_END };
    w->inv->n_rules = 2;
    w->inv->policy.survive[0].kind = DCP_LOSS_HOST;
    w->inv->policy.survive[0].count = 1;
    w->inv->policy.n_survive = 1;
    w->inv->policy.protect_tiers = 1;
}

/* A place for each protected VM of 'lost': the emptiest host that may. */
static void
promise(struct night *n, uint32_t leg, uint32_t lost, struct dcp_survive *s)
{
    const struct world *w = &n->w;
    const struct dcp_placement *p = w->plan->legs[leg].after;
    uint32_t *vms = (uint32_t *)dcp_arena_calloc(w->plan->arena, VMS, 4);
    dcp_host_id *to =
        (dcp_host_id *)dcp_arena_calloc(w->plan->arena, VMS, sizeof *to);
    uint32_t load[HOSTS];

    *s = (struct dcp_survive){
        .leg = leg, .lose = { DCP_OBJECT_HOST, lost }, .vms = vms, .to = to
    };
    for (uint32_t h = 0; h < HOSTS; h++) {
        load[h] = load_of(w, p, h);
    }
    for (uint32_t v = 0; v < VMS; v++) {
        uint32_t best = UINT32_MAX;

        if (p->host[v].ix != lost || w->vms[v].tier.ix != 0) {
            continue;
        }
        for (uint32_t h = 0; h < XEN; h++) {
            bool pair = (v == n->x && p->host[n->y].ix == h) ||
                        (v == n->y && p->host[n->x].ix == h);

            if (p->on[h] && h != lost && h != BANNED && !pair &&
                (best == UINT32_MAX || load[h] < load[best])) {
                best = h;
            }
        }
        load[best] += w->cpu_mhz[v * w->demand.stride];
        vms[s->n] = v;
        to[s->n++].ix = best;
    }
}

static struct night
make(uint64_t seed)
{
    struct night n = { .w = world_make(HOSTS, VMS),
                       .rng = dcp_rng_stream(2, "corruptions", seed) };
    struct world *w = &n.w;
    uint32_t last = DONOR + 14;

    model(&n);
    world_plan(w, 2, 30);
    n.trunk = world_vlan(w, 0, 0, 1, true);
    n.tagged_out = world_move(w, 0, n.tagged, DONOR, 0);
    world_wait(w, n.tagged_out, n.trunk);
    n.banned_out = world_move(w, 0, n.banned, DONOR, 6);
    uint32_t last_out = world_move(w, 0, last, DONOR, SPARE);

    n.x_out = world_move(w, 0, n.x, FULL, SPARE);
    world_wait(w, n.x_out, last_out);
    n.y_in = world_move(w, 0, n.y, HOME, FULL);
    world_wait(w, n.y_in, n.x_out);
    n.off = world_power(w, 0, DONOR, false);
    world_wait(w, n.off, n.tagged_out);
    world_wait(w, n.off, n.banned_out);
    world_wait(w, n.off, last_out);
    n.on = world_power(w, 1, DONOR, true);
    n.tagged_back = world_move(w, 1, n.tagged, 0, DONOR);
    world_wait(w, n.tagged_back, n.on);
    n.banned_back = world_move(w, 1, n.banned, 6, DONOR);
    world_wait(w, n.banned_back, n.on);
    n.untrunk = world_vlan(w, 1, 0, 1, false);
    world_wait(w, n.untrunk, n.tagged_back);
    n.survive = (struct dcp_survive *)dcp_arena_calloc(
        w->plan->arena, 2 * HOSTS, sizeof *n.survive);
    for (uint32_t leg = 0; leg < 2; leg++) {
        for (uint32_t h = 0; h < HOSTS; h++) {
            if (w->plan->legs[leg].after->on[h]) {
                promise(&n, leg, h, &n.survive[w->plan->n_survive++]);
            }
        }
    }
    w->plan->survive = n.survive;
    return n;
}

/* --- Ways to spoil a plan ------------------------------------------------ */

static struct dcp_step *
step(struct night *n, uint32_t id)
{
    return &n->w.steps[id - 1];
}

static void
forget_waits(struct night *n, uint32_t id)
{
    step(n, id)->n_after = 0;
}

/* The banned VM spends the night elsewhere. */
static void
retarget(struct night *n, uint32_t host)
{
    step(n, n->banned_out)->to.ix = host;
    step(n, n->banned_back)->from.ix = host;
    n->w.plan->legs[0].after->host[n->banned].ix = host;
}

static void
too_full(struct night *n)
{
    retarget(n, FULL);
}

static void
to_banned_host(struct night *n)
{
    retarget(n, BANNED);
}

static void
to_other_hypervisor(struct night *n)
{
    retarget(n, XEN);
}

static void
to_host_that_is_off(struct night *n)
{
    n->w.hosts[XEN].hypervisor.ix = 0;
    n->w.plan->before->on[XEN] = 0;
    n->w.plan->legs[0].after->on[XEN] = 0;
    n->w.plan->legs[1].after->on[XEN] = 0;
    retarget(n, XEN);
}

static void
move_at_once(struct night *n)
{
    n->w.inv->policy.migration_cpu_overhead_frac = 1;
    forget_waits(n, n->x_out);
}

static void
wait_for_later(struct night *n)
{
    world_wait(&n->w, n->tagged_out, n->off);
}

static void
wait_in_a_circle(struct night *n)
{
    step(n, n->x_out)->n_after = 0;
    world_wait(&n->w, n->x_out, n->y_in);
}

static void
wait_for_nothing(struct night *n)
{
    world_wait(&n->w, n->untrunk, 999);
}

static void
off_too_early(struct night *n)
{
    forget_waits(n, n->off);
}

static void
back_too_early(struct night *n)
{
    forget_waits(n, n->banned_back);
}

static void
room_not_made(struct night *n)
{
    n->w.inv->n_rules = 0;
    forget_waits(n, n->y_in);
}

static void
together_for_a_time(struct night *n)
{
    forget_waits(n, n->y_in);
}

static void
trunk_too_late(struct night *n)
{
    forget_waits(n, n->tagged_out);
}

static void
untrunk_too_early(struct night *n)
{
    forget_waits(n, n->untrunk);
}

static void
lose_a_list(struct night *n)
{
    uint32_t i = (uint32_t)dcp_rng_below(&n->rng, n->w.plan->n_survive);

    n->survive[i] = n->survive[--n->w.plan->n_survive];
}

static void
list_twice(struct night *n)
{
    n->survive[n->w.plan->n_survive++] = n->survive[3];
}

/* A list with at least one restart. */
static struct dcp_survive *
some_list(struct night *n)
{
    uint32_t i;

    do {
        i = (uint32_t)dcp_rng_below(&n->rng, n->w.plan->n_survive);
    } while (!n->survive[i].n);
    return &n->survive[i];
}

static void
forget_a_vm(struct night *n)
{
    some_list(n)->n--;
}

static void
restart_where_lost(struct night *n)
{
    struct dcp_survive *s = some_list(n);

    ((dcp_host_id *)(uintptr_t)s->to)[0].ix = s->lose.ix;
}

static void
restart_without_room(struct night *n)
{
    struct dcp_survive *s;

    do {
        s = some_list(n);
    } while (s->lose.ix == FULL || s->leg);
    /* FULL holds 9,100 MHz then, and every VM needs at least 800. */
    world_need(&n->w, s->vms[0], 1000);
    ((dcp_host_id *)(uintptr_t)s->to)[0].ix = FULL;
}

static void
restart_off(struct night *n)
{
    struct dcp_survive *s;

    do {
        s = some_list(n);
    } while (s->leg);
    ((dcp_host_id *)(uintptr_t)s->to)[0].ix = DONOR;
}

static void
wrong_from(struct night *n)
{
    step(n, n->tagged_back)->from.ix = SPARE;
}

static void
wrong_after(struct night *n)
{
    n->w.plan->legs[dcp_rng_below(&n->rng, 2)].after->host[20].ix = 0;
}

static void
wrong_power_after(struct night *n)
{
    n->w.plan->legs[0].after->on[DONOR] = 1;
}

static void
too_long(struct night *n)
{
    step(n, n->tagged_back)->estimate_ms = DCP_HOUR_MS;
}

static void
estimated_too_long(struct night *n)
{
    n->w.plan->legs[1].makespan_ms = DCP_HOUR_MS + 1;
}

static void
limits_too_wide(struct night *n)
{
    n->w.plan->limits.in_per_host = 3;
}

static void
no_limit(struct night *n)
{
    n->w.plan->limits.out_per_host = 0;
}

static void
unknown_effect(struct night *n)
{
    step(n, n->x_out)->kind = DCP_STEP_VM_STOP;
}

static void
wrong_id(struct night *n)
{
    step(n, n->x_out)->id = 1;
}

static void
wrong_order_of_times(struct night *n)
{
    n->w.plan->legs[1].start_ms = n->w.plan->legs[1].deadline_ms;
}

static void
valid_too_short(struct night *n)
{
    n->w.plan->not_after_ms = n->w.plan->legs[1].deadline_ms - 1;
}

static void
switch_off_a_full_host(struct night *n)
{
    (void)world_power(&n->w, 1, BANNED, false);
    n->w.plan->n_survive--; /* No matter: it fails before that. */
}

static void
end_that_stays_over(struct night *n)
{
    /* More demand by day on a host that never gets rid of it. */
    uint32_t *row = n->w.cpu_mhz + n->x * n->w.demand.stride;

    row[2] = 9000;
}

static const struct {
    const char *rule;
    void (*spoil)(struct night *);
    const char *name;
} ways[] = {
#define WAY(RULE, NAME)                                                        \
    {                                                                          \
        RULE, NAME, #NAME                                                      \
    }
    WAY("capacity", too_full),
    WAY("capacity", room_not_made),
    WAY("capacity", end_that_stays_over),
    WAY("move_cpu", move_at_once),
    WAY("kept-off", to_banned_host),
    WAY("apart", together_for_a_time),
    WAY("hypervisor", to_other_hypervisor),
    WAY("power", to_host_that_is_off),
    WAY("order", wait_for_later),
    WAY("order", wait_in_a_circle),
    WAY("order", wait_for_nothing),
    WAY("power", off_too_early),
    WAY("power", back_too_early),
    WAY("power", switch_off_a_full_host),
    WAY("vlan", trunk_too_late),
    WAY("vlan", untrunk_too_early),
    WAY("n+1", lose_a_list),
    WAY("n+1", list_twice),
    WAY("n+1", forget_a_vm),
    WAY("n+1", restart_where_lost),
    WAY("n+1", restart_without_room),
    WAY("n+1", restart_off),
    WAY("from", wrong_from),
    WAY("after", wrong_after),
    WAY("after", wrong_power_after),
    WAY("deadline", too_long),
    WAY("deadline", estimated_too_long),
    WAY("limits", limits_too_wide),
    WAY("limits", no_limit),
    WAY("unsupported", unknown_effect),
    WAY("step", wrong_id),
    WAY("time", wrong_order_of_times),
    WAY("time", valid_too_short),
#undef WAY
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static struct dcp_check_result
judge(struct night *n)
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_plan(n->w.inv, &n->w.demand, n->w.plan, &r, &err),
                  "%s", err.message);
    return r;
}

START_TEST(valid_plans_pass)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct night n = make(seed);
        struct dcp_check_result r = judge(&n);

        for (uint32_t i = 0; i < r.n_violations; i++) {
            ck_abort_msg("seed %llu: step %u %s %s: %s",
                         (unsigned long long)seed, r.violations[i].step,
                         r.violations[i].rule, r.violations[i].object,
                         r.violations[i].text);
        }
        ck_assert(r.pass);
        ck_assert_int_eq(r.proof, DCP_PROOF_ALL_ORDERS);
        dcp_check_result_finish(&r);
        world_free(&n.w);
    }
}
END_TEST

START_TEST(spoilt_plans_are_refused_for_their_reason)
{
    uint32_t n_refused = 0;

    for (uint32_t way = 0; way < WAYS; way++) {
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct night n = make(seed);
            bool found = false;

            ways[way].spoil(&n);
            struct dcp_check_result r = judge(&n);

            for (uint32_t i = 0; i < r.n_violations; i++) {
                found = found || !strcmp(r.violations[i].rule, ways[way].rule);
            }
            ck_assert_msg(!r.pass && found, "%s, seed %llu: %s", ways[way].name,
                          (unsigned long long)seed,
                          r.pass ? "passed" : r.violations[0].text);
            n_refused++;
            dcp_check_result_finish(&r);
            world_free(&n.w);
        }
    }
    printf("%u spoilt plans refused\n", n_refused);
    ck_assert_uint_ge(n_refused, 200);
}
END_TEST

/* Every digit and letter of the file, changed, is noticed by the reader. */
START_TEST(edited_files_are_refused)
{
    struct night n = make(0);
    struct dcp_text text = { 0 };
    struct dcp_error err = { 0 };

    ck_assert(dcp_plan_print(n.w.inv, n.w.plan, &text, &err));
    const char *run = strstr(text.data, "\"run\"");

    for (uint32_t i = 0; i < 300; i++) {
        size_t at = dcp_rng_below(&n.rng, (uint64_t)(run - text.data));
        char old = text.data[at];

        if (old == ' ' || old == '\n') {
            continue;
        }
        text.data[at] = old == '7' ? '8' : '7';
        struct dcp_plan *plan =
            dcp_plan_parse(n.w.inv, text.data, text.length, "p", &err);

        ck_assert_msg(plan == NULL, "at %zu: %c", at, old);
        ck_assert(err.code == DCP_E_STALE || err.code == DCP_E_PARSE);
        text.data[at] = old;
    }
    dcp_text_finish(&text);
    world_free(&n.w);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("check_corruptions");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, valid_plans_pass);
    tcase_add_test(tc, spoilt_plans_are_refused_for_their_reason);
    tcase_add_test(tc, edited_files_are_refused);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
