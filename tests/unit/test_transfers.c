/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Migrations that share NICs, uplinks and what production leaves of them, by
 * hand: NICs of 100 MiB/s, VMs of 1000 MiB that write nothing, 20 ms to
 * resume. */

#include "model/base/rng.h"
#include "model/transfers.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/sim_fixture.h"

#include <math.h>

#define T0 FIXTURE_START_MS

static uint64_t nic_kib_s = 100 * 1024;
static struct dcp_hardware hardware;
static struct dcp_vm vms[8];
static struct dcp_transfers *transfers;

static void
make(const struct dcp_samples *net)
{
    fixture_finish(&f);
    fixture_init(&f, 4, 8);
    hardware = f.inv->hardware[0];
    hardware.nic_kib_s = &nic_kib_s;
    f.inv->hardware = &hardware;
    f.inv->policy.migration_kib_s = 0;
    f.inv->policy.precopy.auto_converge = false;
    for (uint32_t v = 0; v < 8; v++) {
        vms[v] = f.inv->vms[v];
        vms[v].mem_mib = 1000;
        vms[v].dirty_kib_s = 0; /* As begin() passes it: none. */
    }
    f.inv->vms = vms;
    transfers = dcp_transfers_create(f.inv, net, 100, NULL);
    ck_assert_ptr_nonnull(transfers);
}

static void
finish(void)
{
    dcp_transfers_destroy(transfers);
    transfers = NULL;
}

static void
begin(uint32_t key, uint32_t vm, uint32_t to, int64_t at_ms)
{
    const struct dcp_vm *v = &f.inv->vms[vm];
    struct dcp_transfer t = {
        .vm = vm,
        .from = f.plan->before->host[vm].ix,
        .to = to,
        .precopy = { .mem_mib = (double)v->mem_mib,
                     .dirty_mib_s = (double)v->dirty_kib_s / 1024,
                     .working_set_mib = (double)v->working_set_mib,
                     .rules = f.inv->policy.precopy },
    };

    ck_assert(dcp_transfers_begin(transfers, key, &t, f.plan->before,
                                  T0 + at_ms, NULL));
}

static int64_t
end_of(uint32_t key)
{
    return dcp_transfers_end_ms(transfers, key) - T0;
}

static void
end(uint32_t key, uint32_t vm, uint32_t to)
{
    int64_t at_ms = end_of(key);

    f.plan->before->host[vm].ix = to;
    dcp_transfers_end(transfers, key, f.plan->before, T0 + at_ms);
    ck_assert(!dcp_transfers_under_way(transfers, key));
}

START_TEST(one_makes_room_for_another)
{
    uint32_t n;

    make(NULL);
    begin(1, 0, 1, 0);
    ck_assert_int_eq(end_of(1), 10020);
    begin(2, 4, 2, 5000); /* From the same host: half each. */
    ck_assert_int_eq(end_of(1), 15020);
    ck_assert_int_eq(end_of(2), 25020);
    const uint32_t *changed = dcp_transfers_changed(transfers, &n);

    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(changed[0] + changed[1], 3);
    begin(3, 1, 0, 5000); /* The other way, full duplex: nobody minds. */
    ck_assert_int_eq(end_of(3), 15020);
    dcp_transfers_changed(transfers, &n);
    ck_assert_uint_eq(n, 1);
    end(1, 0, 1);
    ck_assert_double_eq(dcp_transfers_rate(transfers, 2), 100 * 1024);
    /* 15.02 s: 501 MiB are sent. */
    ck_assert_int_eq(end_of(2), 20030);
    end(3, 1, 0);
    end(2, 4, 2);
    struct dcp_transfer_totals sum = dcp_transfers_totals(transfers);

    ck_assert_uint_eq(sum.n, 3);
    ck_assert_double_eq_tol(sum.sent_mib, 3000, 1e-9);
    ck_assert_int_eq(sum.downtime_ms, 60);
    finish();
}
END_TEST

/* A policy's limit leaves room that nobody takes. */
START_TEST(the_limit_of_one)
{
    make(NULL);
    f.inv->policy.migration_kib_s = 25 * 1024;
    begin(1, 0, 1, 0);
    begin(2, 4, 1, 0);
    begin(3, 2, 1, 0);
    ck_assert_int_eq(end_of(1), 40020);
    ck_assert_int_eq(end_of(3), 40020);
    f.inv->policy.migration_kib_s = 0;
    begin(4, 3, 1, 0); /* What is left of the host's way in. */
    ck_assert_double_eq(dcp_transfers_rate(transfers, 4), 25 * 1024);
    begin(5, 7, 1, 0); /* Five share it. */
    ck_assert_double_eq(dcp_transfers_rate(transfers, 1), 20 * 1024);
    finish();
}
END_TEST

/* Two racks; an uplink of 50 MiB/s is shared by what leaves its rack. */
START_TEST(uplinks_are_shared)
{
    struct dcp_switch switches[2] = {
        { .name = "s0", .rack = dcp_rack_none(), .uplink_kib_s = 50 * 1024 },
        { .name = "s1", .rack = dcp_rack_none() },
    };
    struct dcp_port ports[2] = { { .to = { 0 } }, { .to = { 1 } } };

    make(NULL);
    finish();
    struct dcp_host hosts[4];

    for (uint32_t h = 0; h < 4; h++) {
        hosts[h] = f.inv->hosts[h];
        hosts[h].ports = &ports[h / 2];
        hosts[h].n_ports = 1;
    }
    f.inv->hosts = hosts;
    f.inv->switches = switches;
    f.inv->n_switches = 2;
    transfers = dcp_transfers_create(f.inv, NULL, 10, NULL);
    begin(1, 0, 2, 0);
    begin(2, 1, 3, 0);
    begin(3, 4, 1, 0); /* Within the rack: what the NIC has left. */
    begin(4, 2, 0, 0); /* Inwards. */
    ck_assert_double_eq(dcp_transfers_rate(transfers, 1), 25 * 1024);
    ck_assert_double_eq(dcp_transfers_rate(transfers, 2), 25 * 1024);
    ck_assert_double_eq(dcp_transfers_rate(transfers, 3), 75 * 1024);
    ck_assert_double_eq(dcp_transfers_rate(transfers, 4), 50 * 1024);
    finish();
}
END_TEST

/* Two sites; the link between them carries 30 MiB/s each way, and a third of
 * that is production's: half of what the hosts at both ends use. */
START_TEST(links_between_sites_are_shared)
{
    float value[8] = { [1] = 12 * 1024, [3] = 8 * 1024 };
    struct dcp_samples net = { T0, 1000, 1, 8, value };
    struct dcp_site sites[2] = { { .name = "a" }, { .name = "b" } };
    struct dcp_room rooms[2] = { { .site = { 0 } }, { .site = { 1 } } };
    struct dcp_rack racks[2] = { { .room = { 0 } }, { .room = { 1 } } };
    struct dcp_link link = { "wan", { "b", "a" }, 30 * 1024 };
    struct dcp_host hosts[4];

    make(NULL);
    finish();
    for (uint32_t h = 0; h < 4; h++) {
        hosts[h] = f.inv->hosts[h];
        hosts[h].rack.ix = h / 2;
    }
    f.inv->sites = sites, f.inv->n_sites = 2;
    f.inv->rooms = rooms, f.inv->n_rooms = 2;
    f.inv->racks = racks, f.inv->n_racks = 2;
    f.inv->links = &link, f.inv->n_links = 1;
    f.inv->hosts = hosts;
    transfers = dcp_transfers_create(f.inv, &net, 10, NULL);
    begin(1, 0, 2, 0);
    begin(2, 4, 3, 0);
    begin(3, 6, 0, 0); /* The other way. */
    begin(4, 5, 0, 0); /* Within a site. */
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 1), 10240, 1e-6);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 2), 10240, 1e-6);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 3), 20480, 1e-6);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 4), 80 * 1024, 1e-6);
    finish();
}
END_TEST

/* VM 4 sends 40 MiB/s in the second sample, from where it is then. */
START_TEST(production_comes_first)
{
    enum { CELL_MS = 5000 };
    float value[3 * 8] = { 0 };
    struct dcp_samples net = { T0, CELL_MS, 3, 8, value };

    value[8 + 4] = 40 * 1024;
    value[16 + 4] = 1000 * 1024;
    make(&net);
    begin(1, 0, 1, 1000);
    ck_assert_int_eq(end_of(1), 11020);
    ck_assert_int_eq(dcp_transfers_next_ms(transfers), T0 + CELL_MS);
    dcp_transfers_pass(transfers, f.plan->before, T0 + CELL_MS);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 1), 60 * 1024, 1e-6);
    ck_assert_int_eq(end_of(1), 15020); /* 600 MiB at 60. */
    dcp_transfers_pass(transfers, f.plan->before, T0 + 2 * CELL_MS);
    /* A twentieth is always left: 300 MiB at 5. */
    ck_assert_int_eq(end_of(1), 10000 + 60000 + 20);
    ck_assert_int_eq(dcp_transfers_next_ms(transfers), INT64_MAX);
    end(1, 0, 1);
    ck_assert_int_eq(dcp_transfers_next_ms(transfers), INT64_MAX);
    finish();
}
END_TEST

/* What a VM sends goes with it. */
START_TEST(production_moves)
{
    float value[8] = { 60 * 1024 };
    struct dcp_samples net = { T0, 1000, 1, 8, value };

    make(&net);
    begin(1, 0, 1, 0);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 1), 40 * 1024, 1e-6);
    end(1, 0, 1);
    begin(2, 4, 2, 30000);
    ck_assert_double_eq(dcp_transfers_rate(transfers, 2), 100 * 1024);
    begin(3, 5, 3, 30000);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 3), 40 * 1024, 1e-6);
    finish();
}
END_TEST

/* Also where a sample begins as the migration ends, which is summed by where
 * VMs are by then. */
START_TEST(production_is_counted_once)
{
    enum { CELL_MS = 10020 };
    float value[2 * 8] = { 0 };
    struct dcp_samples net = { T0, CELL_MS, 2, 8, value };

    value[8] = 40 * 1024;
    make(&net);
    begin(1, 0, 1, 0);
    ck_assert_int_eq(end_of(1), CELL_MS);
    end(1, 0, 1);
    begin(2, 4, 1, CELL_MS);
    ck_assert_double_eq_tol(dcp_transfers_rate(transfers, 2), 60 * 1024, 1e-6);
    finish();
}
END_TEST

/* Writes as fast as its share is, within half of its memory. */
START_TEST(sharing_decides_whether_one_converges)
{
    make(NULL);
    vms[0].dirty_kib_s = 60 * 1024;
    vms[0].working_set_mib = 500;
    begin(1, 0, 1, 0);
    ck_assert(!dcp_transfers_given_up(transfers, 1));
    ck_assert_int_lt(end_of(1), 30000);
    begin(2, 4, 2, 1000);
    ck_assert(dcp_transfers_given_up(transfers, 1));
    ck_assert_int_eq(end_of(1), 1600 * 1000);
    end(2, 4, 2); /* Alone again. */
    ck_assert(!dcp_transfers_given_up(transfers, 1));
    ck_assert_int_lt(end_of(1), 60000);
    finish();
}
END_TEST

/* Seconds of CPU that the list takes of each vCPU until 'to_ms'. */
static double
slowed_s(const struct dcp_slowdown list[], uint32_t n, int64_t to_ms)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        int64_t until_ms = i + 1 < n ? list[i + 1].at_ms : to_ms;

        ck_assert_double_eq_tol(list[i].stopped_frac, 0.2 + 0.1 * i, 1e-9);
        sum += list[i].stopped_frac * (double)(until_ms - list[i].at_ms) / 1000;
    }
    return sum;
}

/* While its rate is another's, too. */
START_TEST(slowed_guests_are_told)
{
    struct dcp_slowdown *list = NULL;
    uint32_t n = 0;

    make(NULL);
    f.inv->policy.precopy.auto_converge = true;
    vms[0].dirty_kib_s = 90 * 1024;
    vms[0].working_set_mib = 800;
    begin(1, 0, 1, 0);
    begin(2, 4, 2, 1000);
    end(2, 4, 2);
    int64_t end_ms = T0 + end_of(1);

    end(1, 0, 1);
    ck_assert(dcp_transfers_add_slowdowns(transfers, end_ms, &list, &n, NULL));
    ck_assert_uint_ge(n, 2);
    ck_assert_int_gt(list[0].at_ms, T0 + 10000);
    ck_assert_uint_eq(list[0].vm, 0);
    struct dcp_transfer_totals sum = dcp_transfers_totals(transfers);

    ck_assert_uint_eq(sum.throttled, 1);
    /* But for the last stop, in which it does not run at all. */
    ck_assert_double_eq_tol(slowed_s(list, n, end_ms - sum.downtime_most_ms),
                            sum.throttled_s, 0.01);
    free(list);
    finish();
}
END_TEST

/* Asked every second, while another shares the NIC for some of the time: the
 * same list, and the same end, as asked once. */
START_TEST(slowdowns_are_told_as_they_come)
{
    struct dcp_slowdown *list[2] = { NULL, NULL };
    uint32_t n[2] = { 0, 0 };
    int64_t end_ms[2];

    for (int often = 0; often < 2; often++) {
        make(NULL);
        f.inv->policy.precopy.auto_converge = true;
        vms[0].dirty_kib_s = 90 * 1024;
        vms[0].working_set_mib = 800;
        begin(1, 0, 1, 0);
        for (int64_t at_ms = 0; at_ms < end_of(1); at_ms += 1000) {
            if (at_ms == 12000) {
                begin(2, 4, 2, at_ms);
            }
            if (dcp_transfers_under_way(transfers, 2) && end_of(2) <= at_ms) {
                end(2, 4, 2);
            }
            if (often) {
                ck_assert(dcp_transfers_add_slowdowns(transfers, T0 + at_ms,
                                                      &list[1], &n[1], NULL));
            }
            for (uint32_t i = 0; i < n[1]; i++) {
                ck_assert_int_le(list[1][i].at_ms, T0 + at_ms);
            }
        }
        end_ms[often] = end_of(1);
        ck_assert(dcp_transfers_add_slowdowns(transfers, T0 + end_ms[often],
                                              &list[often], &n[often], NULL));
        finish();
    }
    ck_assert_int_eq(end_ms[0], end_ms[1]);
    ck_assert_uint_ge(n[0], 2);
    ck_assert_uint_eq(n[0], n[1]);
    for (uint32_t i = 0; i < n[0]; i++) {
        ck_assert_int_eq(list[0][i].at_ms, list[1][i].at_ms);
        ck_assert_double_eq(list[0][i].stopped_frac, list[1][i].stopped_frac);
    }
    free(list[0]);
    free(list[1]);
}
END_TEST

/* A step whose migration never converges fails. */
START_TEST(given_up_steps_fail)
{
    struct dcp_run_report r;

    make(NULL);
    finish();
    vms[0].dirty_kib_s = 200 * 1024;
    vms[0].working_set_mib = 500;
    f.inv->policy.precopy.timeout_ms_per_gib = 100 * 1000;
    fixture_move(&f, 0, 0, 1, 200 * SECOND, 0);
    fixture_move(&f, 1, 1, 2, 200 * SECOND, 0);
    run_plan(NULL, &r);
    ck_assert_uint_eq(r.n_failed, 1);
    ck_assert_uint_eq(r.n_done, 1);
    ck_assert_int_eq(r.steps[0].ended_ms - r.steps[0].started_ms, 200000);
    dcp_run_report_finish(&r);
}
END_TEST

/* --- A run that was cut ------------------------------------------------- */

enum { STEPS = 5 };
static const int64_t sent_ms[STEPS] = { 0, 3000, 3000, 9000, 14000 };

/* Sends the steps that 'records' do not have, at their times, and notes when
 * all end; without 'records' from the beginning. */
static void
play(const struct dcp_step_record *records, int64_t ended_ms[STEPS],
     const struct dcp_samples *net)
{
    DCP_AUTO(dcp_sim_executor)
    struct dcp_sim_executor *x = dcp_sim_executor_create(
        f.inv, f.plan, 0, f.plan->before, T0, net, NULL);
    struct dcp_virtual *w = dcp_sim_executor_world(x);
    struct dcp_executor *e = dcp_virtual_executor(w);
    uint32_t n_log;

    ck_assert(!records || dcp_virtual_restore(w, records, NULL));
    for (uint32_t i = 0; i <= STEPS; i++) {
        int64_t until_ms = i < STEPS ? T0 + sent_ms[i] : INT64_MAX;
        struct dcp_event event;
        bool got = true;

        while (got && until_ms > e->ops->now_ms(e)) {
            ck_assert(e->ops->wait(e, until_ms, &event, &got, NULL));
        }
        if (i < STEPS && !(records && records[i].sent_ms)) {
            ck_assert(e->ops->start(e, &f.steps[i], NULL));
        }
    }
    const struct dcp_action_record *log = dcp_virtual_log(w, &n_log);

    ck_assert_uint_eq(n_log, 2 * STEPS);
    for (uint32_t i = 0; i < n_log; i++) {
        if (log[i].phase == DCP_ACTION_DONE) {
            ended_ms[log[i].step - 1] = log[i].at_ms;
        }
    }
}

/* Killed at any time and put back from its journal, a run ends as it would
 * have, with production that changes meanwhile. */
START_TEST(a_run_that_was_cut_goes_on)
{
    float value[6 * 8] = { 0 };
    struct dcp_samples net = { T0, 4000, 6, 8, value };
    int64_t whole[STEPS], again[STEPS];

    for (uint32_t i = 0; i < 6; i++) {
        value[8 * i] = (float)(i * 15 * 1024); /* VM 0's, which moves. */
    }
    make(NULL);
    finish();
    fixture_move(&f, 0, 0, 1, SECOND, 0);
    fixture_move(&f, 4, 0, 2, SECOND, 0);
    fixture_move(&f, 3, 3, 1, SECOND, 0);
    fixture_move(&f, 1, 1, 2, SECOND, 0);
    fixture_move(&f, 7, 3, 2, SECOND, 0);
    play(NULL, whole, &net);
    for (int64_t cut_ms = T0 + 1; cut_ms < T0 + 60000; cut_ms += 777) {
        struct dcp_step_record records[STEPS] = { 0 };

        for (uint32_t i = 0; i < STEPS; i++) {
            if (T0 + sent_ms[i] <= cut_ms) {
                records[i].sent_ms = T0 + sent_ms[i];
                records[i].phase = DCP_PHASE_SENT;
            }
            if (whole[i] <= cut_ms) {
                records[i].ended_ms = whole[i];
                records[i].phase = DCP_PHASE_VERIFIED;
            }
        }
        play(records, again, &net);
        for (uint32_t i = 0; i < STEPS; i++) {
            ck_assert_int_eq(again[i], whole[i]);
        }
    }
}
END_TEST

/* --- Beside a world in small steps -------------------------------------- */

enum { N = 24, STEP_MS = 10 };

struct move {
    uint32_t vm, from, to;
    int64_t begin_ms, end_ms;
    double left_mib, rate; /* Of the small steps. */
};

/* Max-min by its definition, over ways out of and into four hosts. */
static void
share(struct move m[], uint32_t n)
{
    double left[8];
    bool open[N];

    for (uint32_t l = 0; l < 8; l++) {
        left[l] = 100;
    }
    for (uint32_t i = 0; i < n; i++) {
        open[i] = m[i].left_mib > 0;
        m[i].rate = 0;
    }
    for (;;) {
        double least = INFINITY;
        uint32_t full = 8;

        for (uint32_t l = 0; l < 8; l++) {
            uint32_t users = 0;

            for (uint32_t i = 0; i < n; i++) {
                users += open[i] && (l < 4 ? m[i].from : m[i].to + 4) == l;
            }
            if (users && left[l] / users < least) {
                least = left[l] / users;
                full = l;
            }
        }
        if (full == 8) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (open[i] && (full < 4 ? m[i].from : m[i].to + 4) == full) {
                open[i] = false;
                m[i].rate = least;
                left[m[i].from] -= least;
                left[m[i].to + 4] -= least;
            }
        }
    }
}

static void
assert_as_in_small_steps(struct move m[N])
{
    uint32_t n = 0, left = N;

    for (int64_t now = 0; left; now += STEP_MS) {
        while (n < N && m[n].begin_ms <= now) {
            m[n++].left_mib = 1000;
        }
        share(m, n);
        for (uint32_t i = 0; i < n; i++) {
            if (m[i].left_mib > 0) {
                m[i].left_mib -= m[i].rate * STEP_MS / 1000;
                if (m[i].left_mib <= 1e-9) {
                    ck_assert_int_le(llabs(now - m[i].end_ms), 300);
                    left--;
                }
            }
        }
    }
}

static uint32_t
first_to_end(uint32_t n)
{
    uint32_t first = N;

    for (uint32_t i = 0; i < n; i++) {
        if (dcp_transfers_under_way(transfers, i) &&
            (first == N || end_of(i) < end_of(first))) {
            first = i;
        }
    }
    return first;
}

static void
assert_within_nics(const struct move m[], uint32_t n)
{
    double out[4] = { 0 }, in[4] = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        out[m[i].from] += dcp_transfers_rate(transfers, i);
        in[m[i].to] += dcp_transfers_rate(transfers, i);
    }
    for (uint32_t h = 0; h < 4; h++) {
        ck_assert(fmax(out[h], in[h]) <= 102400 * (1 + 1e-12));
    }
}

/* Whatever begins when: hosts send and get no faster than their NICs can, all
 * memory is sent, and ends are those of small steps. */
START_TEST(ends_are_those_of_small_steps)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "transfers", 0);
        struct move m[N];
        uint32_t next = 0, left = N;

        make(NULL);
        for (uint32_t i = 0; i < N; i++) {
            m[i] = (struct move){
                .vm = i % 8,
                .from = i % 4,
                .to = (i + 1 + (uint32_t)dcp_rng_below(&rng, 3)) % 4,
                .begin_ms = (i ? m[i - 1].begin_ms : 0) +
                            STEP_MS * (int64_t)dcp_rng_below(&rng, 800),
            };
        }
        while (left) {
            uint32_t first = first_to_end(next);

            if (next == N || (first < N && end_of(first) <= m[next].begin_ms)) {
                m[first].end_ms = end_of(first);
                dcp_transfers_end(transfers, first, f.plan->before,
                                  T0 + m[first].end_ms);
                left--;
            } else {
                begin(next, m[next].vm, m[next].to, m[next].begin_ms);
                next++;
            }
            assert_within_nics(m, next);
        }
        ck_assert_double_eq_tol(dcp_transfers_totals(transfers).sent_mib,
                                1000.0 * N, 1e-6);
        finish();
        assert_as_in_small_steps(m);
    }
}
END_TEST

int
main(void)
{
    const TTest *const *const tests[] = {
        &one_makes_room_for_another, &the_limit_of_one,
        &uplinks_are_shared,         &links_between_sites_are_shared,
        &production_comes_first,     &production_moves,
        &production_is_counted_once, &sharing_decides_whether_one_converges,
        &slowed_guests_are_told,
        &slowdowns_are_told_as_they_come,     &given_up_steps_fail,
        &a_run_that_was_cut_goes_on, &ends_are_those_of_small_steps,
    };

    return run_tests_with("transfers", tests, sizeof tests / sizeof *tests,
                          setup, teardown);
}
