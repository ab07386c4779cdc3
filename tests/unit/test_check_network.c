/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether migrations fit the network in the time that a plan gives them: by
 * hand, and random plans against sums over all intervals of time. */

#include "model/base/rng.h"
#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

#define NIC_KIB_S 1024000 /* 1,000 MiB/s. */

/* Four hosts, the first two in rack r0 behind tor0, the others in r1 behind
 * tor1; 'n' VMs of 10,000 MiB on each, which alone take 10 s. */
static struct world
wired(uint32_t n)
{
    static const uint64_t nic[] = { NIC_KIB_S };
    struct world w = world_make(4, 4 * n);
    struct dcp_port *ports = WORLD_NEW(&w, struct dcp_port, 2);

    w.hardware->nic_kib_s = nic;
    w.inv->policy.migration_kib_s = 2 * NIC_KIB_S;
    w.inv->policy.out_per_host = w.inv->policy.in_per_host = 100;
    w.inv->policy.units_per_10gbit = 100;
    for (uint32_t t = 0; t < 2; t++) {
        ports[t] = (struct dcp_port){ .to = { t } };
    }
    for (uint32_t h = 0; h < 4; h++) {
        w.hosts[h].rack.ix = h / 2;
        w.hosts[h].ports = &ports[h / 2];
        w.hosts[h].n_ports = 1;
    }
    for (uint32_t v = 0; v < 4 * n; v++) {
        w.vms[v].host.ix = v / n;
        w.vms[v].mem_mib = 10000;
        world_need(&w, v, 10);
    }
    return w;
}

static void
limit_uplink(struct world *w, uint64_t kib_s)
{
    struct dcp_switch *sw = WORLD_NEW(w, struct dcp_switch, 2);

    sw[0] = w->inv->switches[0];
    sw[1] = w->inv->switches[1];
    sw[0].uplink_kib_s = kib_s;
    w->inv->switches = sw;
}

static void
begin(struct world *w)
{
    world_plan(w, 1, 100);
    w->plan->limits = (struct dcp_plan_limits){ 100, 100, 100, 1, 0 };
}

/* From 'at_s' after the leg's start on, for 's' seconds. */
static void
send(struct world *w, uint32_t vm, uint32_t to, double at_s, double s)
{
    uint32_t id = world_move(w, 0, vm, w->vms[vm].host.ix, to);

    w->steps[id - 1].estimate_ms = (int64_t)(1000 * s);
    w->steps[id - 1].not_before_ms = WORLD_T0 + (int64_t)(1000 * at_s);
}

START_TEST(nothing_is_faster_than_its_way)
{
    for (int kind = 0; kind < 4; kind++) {
        for (int over = 0; over < 2; over++) {
            struct world w = wired(1);
            double s = over ? 9.9 : 10;

            begin(&w);
            if (kind == 1) { /* What policy lets one migration have. */
                w.inv->policy.migration_kib_s = NIC_KIB_S / 2;
                s *= 2;
            } else if (kind == 2) { /* An uplink; host 1 is behind it too. */
                limit_uplink(&w, NIC_KIB_S / 4);
                s *= 4;
            } else if (kind == 3) { /* A conversion sends no memory. */
                w.hosts[2].hypervisor.ix = 1;
                over = 2;
            }
            send(&w, 0, 2, 0, s);
            if (kind == 3) {
                w.steps[0].cold = w.steps[0].converts = true;
                w.steps[0].estimate_ms = 1;
            }
            expect(&w, kind == 3 ? "conversion" : over ? "estimate" : "");
        }
    }
}
END_TEST

START_TEST(two_share_what_there_is)
{
    static const struct {
        uint32_t vm[2], to[2];
        double s; /* Both from the start on, for so long. */
        uint64_t uplink_kib_s;
        const char *want;
    } cases[] = {
        { { 0, 1 }, { 2, 3 }, 19.5, 0, "" }, /* 2.6 % too fast. */
        { { 0, 1 }, { 2, 3 }, 19.3, 0, "bandwidth" },
        { { 0, 2 }, { 3, 2 }, 10, 0, "" }, /* Other hosts, both ways. */
        { { 0, 2 }, { 4, 4 }, 19.3, 0, "bandwidth" }, /* Into one. */
        { { 0, 4 }, { 2, 1 }, 10, NIC_KIB_S, "" },    /* Up and down. */
        { { 0, 2 }, { 2, 3 }, 19.3, NIC_KIB_S, "bandwidth" },
        { { 0, 2 }, { 2, 3 }, 19.5, NIC_KIB_S, "" },
        { { 0, 2 }, { 1, 0 }, 10, NIC_KIB_S / 9, "" }, /* In one rack. */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = wired(2);

        limit_uplink(&w, cases[i].uplink_kib_s);
        begin(&w);
        for (int k = 0; k < 2; k++) {
            uint32_t to = cases[i].to[k] < 4 ? cases[i].to[k] : 3;

            send(&w, cases[i].vm[k], to, 0, cases[i].s);
        }
        expect(&w, cases[i].want);
    }
}
END_TEST

/* One runs alone for 5 s and then beside another: both end after 15 s.  Their
 * means together are 1.67 of the NIC, which is no fault. */
START_TEST(rates_may_change_on_the_way)
{
    for (int over = 0; over < 2; over++) {
        struct world w = wired(2);

        begin(&w);
        send(&w, 0, 2, 0, 20);
        send(&w, 1, 3, over ? 6 : 5, over ? 9 : 15);
        expect(&w, over ? "estimate" : "");

        struct world x = wired(3);

        begin(&x);
        send(&x, 0, 2, 0, over ? 28 : 30);
        send(&x, 1, 3, 5, 15);
        send(&x, 2, 1, over ? 6 : 5, over ? 22 : 25);
        /* Three in 28 s do not fit. */
        expect(&x, over ? "bandwidth" : "");
    }
}
END_TEST

START_TEST(production_comes_first)
{
    for (int over = 0; over < 2; over++) {
        struct world w = wired(2);
        uint32_t *net = WORLD_NEW(&w, uint32_t, (size_t)8 * w.demand.stride);

        w.demand.net_kib_s = net;
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            net[w.demand.stride + t] = over ? NIC_KIB_S / 2 : NIC_KIB_S / 40;
        }
        begin(&w);
        send(&w, 0, 2, 0, 10);
        expect(&w, over ? "bandwidth" : "");
    }
    /* It goes with its VM: after that there is all the NIC. */
    struct world w = wired(2);
    uint32_t *net = WORLD_NEW(&w, uint32_t, (size_t)8 * w.demand.stride);

    w.demand.net_kib_s = net;
    for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
        net[w.demand.stride + t] = NIC_KIB_S / 2;
    }
    begin(&w);
    send(&w, 1, 2, 0, 20);
    send(&w, 0, 3, 20, 10);
    expect(&w, "");
}
END_TEST

/* Without limits and times of their own steps would all run at once. */
START_TEST(limits_and_waits_keep_them_apart)
{
    for (int kind = 0; kind < 4; kind++) {
        struct world w = wired(3);

        begin(&w);
        for (uint32_t v = 0; v < 3; v++) {
            send(&w, v, 2, 0, 10);
        }
        switch (kind) {
        case 1:
            w.plan->limits.out_per_host = 1;
            break;
        case 2:
            w.plan->limits.units_per_10gbit = 1;
            break;
        case 3:
            world_wait(&w, 2, 1);
            world_wait(&w, 3, 2);
            break;
        }
        expect(&w, kind ? "" : "bandwidth,bandwidth");
    }
}
END_TEST

/* --- Random plans ------------------------------------------------------- */

#define N_MOVES 7

/* 1: more has to be sent within some interval than fits; 0: not; -1: so close
 * that rounding decides. */
static int
too_much(const int64_t start[], const int64_t end[], const double mib[])
{
    int answer = 0;

    for (int a = 0; a < N_MOVES; a++) {
        for (int b = 0; b < N_MOVES; b++) {
            double sum = 0, room = 1.03 * (double)(end[b] - start[a]);

            for (int i = 0; i < N_MOVES; i++) {
                sum += start[i] >= start[a] && end[i] <= end[b] ? mib[i] : 0;
            }
            if (end[b] > start[a] && sum > room + 5) {
                return 1;
            }
            answer = end[b] > start[a] && sum > room - 5 ? -1 : answer;
        }
    }
    return answer;
}

START_TEST(intervals_say_the_same)
{
    struct dcp_rng rng = dcp_rng_stream(3, "network", 0);
    uint32_t n_fit = 0, n_not = 0;

    for (uint32_t round = 0; round < 4000; round++) {
        struct world w = wired(N_MOVES);
        int64_t start[N_MOVES], end[N_MOVES];
        double mib[N_MOVES];

        for (uint32_t v = N_MOVES; v < 4 * N_MOVES; v++) {
            w.vms[v].mem_mib = 1;
        }
        begin(&w);
        for (uint32_t i = 0; i < N_MOVES; i++) {
            double s;

            w.vms[i].mem_mib = 1000 + dcp_rng_below(&rng, 9000);
            mib[i] = (double)w.vms[i].mem_mib;
            start[i] = (int64_t)dcp_rng_below(&rng, 20) * 1000;
            s = mib[i] / 1000 * (1 + 5 * dcp_rng_unit(&rng)) + 0.001;
            send(&w, i, 1, (double)start[i] / 1000, s);
            end[i] = start[i] + w.steps[i].estimate_ms;
        }
        int want = too_much(start, end, mib);
        struct dcp_check_result r;

        ck_assert(dcp_check_plan(w.inv, &w.demand, w.plan, &r, NULL));
        for (uint32_t i = 0; i < r.n_violations; i++) {
            ck_assert_str_eq(r.violations[i].rule, "bandwidth");
        }
        ck_assert_msg(want < 0 || r.pass == !want, "round %u: %d", round, want);
        n_fit += want == 0;
        n_not += want == 1;
        dcp_check_result_finish(&r);
        world_free(&w);
    }
    ck_assert_uint_gt(n_fit, 400);
    ck_assert_uint_gt(n_not, 400);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &nothing_is_faster_than_its_way,   &two_share_what_there_is,
        &rates_may_change_on_the_way,      &production_comes_first,
        &limits_and_waits_keep_them_apart, &intervals_say_the_same,
    };

    return run_tests("check_network", tests, sizeof tests / sizeof tests[0]);
}
