/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/failure/failure.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (3600 * INT64_C(1000))
#define YEAR (8766 * HOUR)

static struct dcp_inventory *inv;
static struct dcp_outages outages;

/* 40 hosts in racks of ten, two feeds in one room: racks 0 to 2 are on both,
 * rack 3 on the first only. */
static void
setup(void)
{
    struct dcp_hardware hw[40];
    const uint32_t vcpus[1] = { 1 };

    for (uint32_t i = 0; i < 40; i++) {
        hw[i] = fixture_hardware(1, 4);
    }
    inv = fixture_create(hw, 40, vcpus, 1);
    struct dcp_room *room = dcp_arena_array(inv->arena, struct dcp_room, 1);
    struct dcp_feed *feeds = dcp_arena_array(inv->arena, struct dcp_feed, 2);
    struct dcp_rack *racks = dcp_arena_array(inv->arena, struct dcp_rack, 4);
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, inv->n_hosts);
    uint32_t *both = dcp_arena_array(inv->arena, uint32_t, 2);

    ck_assert(room && feeds && racks && hosts && both);
    both[1] = 1;
    *room = (struct dcp_room){ .name = "hall", .site = dcp_site_none() };
    feeds[0] = (struct dcp_feed){ .name = "A" };
    feeds[1] = (struct dcp_feed){ .name = "B" };
    for (uint32_t r = 0; r < 4; r++) {
        racks[r] = (struct dcp_rack){
            .name = dcp_arena_printf(inv->arena, "R%u", r),
            .room = r < 3 ? (dcp_room_id){ 0 } : dcp_room_none(),
            .feeds = { both, r < 3 ? 2 : 1 },
        };
    }
    memcpy(hosts, inv->hosts, inv->n_hosts * sizeof *hosts);
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        hosts[h].rack.ix = h / 10;
    }
    inv->rooms = room;
    inv->n_rooms = 1;
    inv->feeds = feeds;
    inv->n_feeds = 2;
    inv->racks = racks;
    inv->n_racks = 4;
    inv->hosts = hosts;
    outages = (struct dcp_outages){ 0 };
}

static void
teardown(void)
{
    dcp_outages_finish(&outages);
    dcp_inventory_destroy(inv);
}

static struct dcp_failure_spec
parsed(const char *text)
{
    struct dcp_failure_spec spec;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_failure_spec_parse(text, &spec, &err), "%s: %s", text,
                  err.message);
    return spec;
}

static void
generate(const char *text, uint64_t seed, int64_t from_ms, int64_t to_ms)
{
    struct dcp_failure_spec spec = parsed(text);
    struct dcp_error err = { 0 };

    spec.all_up_at_start = false;
    dcp_outages_finish(&outages);
    ck_assert_msg(
        dcp_failure_generate(inv, &spec, seed, from_ms, to_ms, &outages, &err),
        "%s", err.message);
}

static double
down_ms(const struct dcp_outages *o, int64_t to_ms)
{
    double sum = 0;

    for (uint32_t i = 0; i < o->n; i++) {
        int64_t end_ms =
            o->list[i].until_ms < to_ms ? o->list[i].until_ms : to_ms;

        sum += (double)(end_ms - o->list[i].from_ms);
    }
    return sum;
}

START_TEST(laws_have_their_means)
{
    static const struct dcp_law laws[] = {
        { DCP_LAW_EXPONENTIAL, 1, 30 }, { DCP_LAW_WEIBULL, 0.7, 30 },
        { DCP_LAW_WEIBULL, 2, 5 },      { DCP_LAW_LOGNORMAL, 0.8, 3 },
        { DCP_LAW_FIXED, 0, 4 },
    };

    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        struct dcp_rng rng = dcp_rng_stream(1, "law", i);
        uint32_t n = 200000;
        double sum = 0;

        for (uint32_t k = 0; k < n; k++) {
            sum += dcp_law_draw_h(&laws[i], &rng);
        }
        /* The widest has a relative deviation of 1.46: five of its errors. */
        ck_assert_double_eq_tol(sum / n / dcp_law_mean_h(&laws[i]), 1, 0.017);
    }
}
END_TEST

START_TEST(text_forms)
{
    struct dcp_failure_spec s = parsed("lanl05,rack=365d/4h,crews=2");
    static const char *const wrong[] = {
        "",
        "nothing",
        "host=3h",
        "moon=3h/1h",
        "host=/1h",
        "host=3h/",
        "host=0h/1h",
        "lanl05,",
        "crews=-1",
        "host=weibull:0.01:3h/1h",
        "host=3/1h",
        "host=1s/1h",
        "host=weibull:0.7/1h",
        "host=nan/1h",
    };

    ck_assert(s.of[DCP_DOMAIN_HOST].on && s.of[DCP_DOMAIN_RACK].on);
    ck_assert(!s.of[DCP_DOMAIN_FEED].on);
    ck_assert_uint_eq(s.crews, 2);
    ck_assert_double_eq(s.of[DCP_DOMAIN_HOST].between.scale_h, 816.60);
    ck_assert_double_eq(s.of[DCP_DOMAIN_RACK].between.scale_h, 8760);
    s = parsed("lanl05:exp");
    ck_assert_double_eq(s.of[DCP_DOMAIN_HOST].repair.scale_h, 5.92);
    s = parsed("host=weibull:0.7:800h/lognormal:1.2:3h");
    ck_assert_int_eq(s.of[DCP_DOMAIN_HOST].repair.kind, DCP_LAW_LOGNORMAL);
    s = parsed("none");
    ck_assert(!s.of[DCP_DOMAIN_HOST].on);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct dcp_error err = { 0 };

        ck_assert_msg(!dcp_failure_spec_parse(wrong[i], &s, &err), "%s",
                      wrong[i]);
        ck_assert(err.message[0]);
    }
}
END_TEST

/* One machine with a repair of its own: availability MTBF / (MTBF + MTTR). */
START_TEST(availability_of_one_host_as_in_theory)
{
    static const char *const specs[] = {
        "host=90h/10h",
        "host=weibull:0.7:90h/lognormal:1:5h",
        "lanl05",
        "g5k06:exp",
    };

    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        struct dcp_failure_spec s = parsed(specs[i]);
        double up = dcp_law_mean_h(&s.of[DCP_DOMAIN_HOST].between);
        double down = dcp_law_mean_h(&s.of[DCP_DOMAIN_HOST].repair);
        double hours = 4000 * (up + down); /* 160,000 cycles in all. */
        int64_t to_ms = (int64_t)(hours * HOUR);

        generate(specs[i], 7, 0, to_ms);
        double unavailable = down_ms(&outages, to_ms) / (40.0 * (double)to_ms);

        ck_assert_double_eq_tol(unavailable / (down / (up + down)), 1, 0.03);
    }
}
END_TEST

/* Machine repair, M/M/r//N: the chance of n machines down is p(0) times
 * C(N,n) rho^n up to r, and times n!/(r! r^(n-r)) beyond. */
START_TEST(machine_repair_with_few_crews)
{
    const uint32_t n = 40, r = 3;
    const double rho = 10.0 / 90;
    double p = 1, sum = 1, mean = 0;
    int64_t to_ms = 1000000 * HOUR;

    for (uint32_t k = 1; k <= n; k++) {
        p *= (n - k + 1) * rho / (k < r ? k : r);
        sum += p;
        mean += k * p;
    }
    mean /= sum;
    generate("host=90h/10h,crews=3", 3, 0, to_ms);
    ck_assert_double_eq_tol(down_ms(&outages, to_ms) / (double)to_ms / mean, 1,
                            0.02);
    /* Enough crews are the same as no limit. */
    generate("host=90h/10h,crews=40", 3, 0, YEAR);
    uint32_t n_crews = outages.n;
    double with_crews = down_ms(&outages, YEAR);

    generate("host=90h/10h", 3, 0, YEAR);
    ck_assert_uint_eq(outages.n, n_crews);
    ck_assert_double_eq(down_ms(&outages, YEAR), with_crews);
}
END_TEST

/* What fails of a host's own is the same whatever else there is. */
START_TEST(streams_belong_to_names)
{
    struct dcp_outages before;

    generate("host=500h/5h", 11, 0, YEAR);
    before = outages;
    outages = (struct dcp_outages){ 0 };
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, inv->n_hosts);
    uint32_t n = 0, seen = 0;

    /* Every other host, in the other order, and racks fail as well. */
    for (uint32_t h = inv->n_hosts; h-- > 0;) {
        if (h % 2) {
            hosts[n++] = inv->hosts[h];
        }
    }
    inv->hosts = hosts;
    inv->n_hosts = n;
    generate("host=500h/5h,rack=1000h/5h", 11, 0, YEAR);
    for (uint32_t i = 0; i < before.n; i++) {
        struct dcp_outage *b = &before.list[i];

        if (b->ix % 2 == 0) {
            continue;
        }
        uint32_t k = 0;

        while (k < outages.n && (outages.list[k].of != DCP_DOMAIN_HOST ||
                                 outages.list[k].from_ms != b->from_ms ||
                                 outages.list[k].until_ms != b->until_ms ||
                                 outages.list[k].ix != 19 - b->ix / 2)) {
            k++;
        }
        ck_assert_uint_lt(k, outages.n);
        seen++;
    }
    ck_assert_uint_gt(seen, 200);
    dcp_outages_finish(&before);
    /* Another seed, other times; a window in the middle, the same ones. */
    generate("host=500h/5h", 11, 0, YEAR);
    int64_t first_ms = outages.list[0].from_ms;

    generate("host=500h/5h", 12, 0, YEAR);
    ck_assert_int_ne(outages.list[0].from_ms, first_ms);
}
END_TEST

static void
lose(const char *object, int64_t from_h, int64_t until_h)
{
    struct dcp_outage o = { from_h * HOUR, until_h * HOUR, 0, 0 };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_failure_parse_object(inv, object, &o.of, &o.ix, &err),
                  "%s", err.message);
    ck_assert(dcp_outages_add(&outages, o, &err));
}

START_TEST(groups_take_down_their_hosts)
{
    struct dcp_outages hosts;
    uint32_t *cause;

    lose("feed:A", 10, 20);
    lose("feed:B", 15, 30);
    lose("rack:R1", 18, 25);
    lose("host:h12", 24, 26);
    ck_assert(dcp_outages_of_hosts(inv, &outages, &hosts, &cause, NULL));
    /* Racks 0, 1 and 2 lose both feeds from 15 to 20, rack 3 its only one from
     * 10 to 20; rack 1 goes on until 25, its h12 until 26. */
    ck_assert_uint_eq(hosts.n, 40);
    for (uint32_t i = 0; i < hosts.n; i++) {
        const struct dcp_outage *o = &hosts.list[i];
        uint32_t rack = o->ix / 10;

        ck_assert_int_eq(o->from_ms, (rack == 3 ? 10 : 15) * HOUR);
        ck_assert_int_eq(o->until_ms, (o->ix == 12 ? 26
                                       : rack == 1 ? 25
                                                   : 20) *
                                          HOUR);
        ck_assert_uint_eq(outages.list[cause[i]].of, DCP_DOMAIN_FEED);
    }
    dcp_outages_finish(&hosts);
    free(cause);
    lose("room:hall", 100, 101);
    ck_assert(dcp_outages_of_hosts(inv, &outages, &hosts, NULL, NULL));
    ck_assert_uint_eq(hosts.n, 40 + 30); /* Rack 3 is in no room. */
    dcp_outages_finish(&hosts);
}
END_TEST

START_TEST(unknown_objects_are_errors)
{
    static const char *const wrong[] = { "R1", "rack:R9", "moon:R1",
                                         "rack:", "a-kind-that-is-long:R1" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        enum dcp_domain of;
        uint32_t ix;

        ck_assert(!dcp_failure_parse_object(inv, wrong[i], &of, &ix, NULL));
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &laws_have_their_means,
        &text_forms,
        &availability_of_one_host_as_in_theory,
        &machine_repair_with_few_crews,
        &streams_belong_to_names,
        &groups_take_down_their_hosts,
        &unknown_objects_are_errors,
    };

    return run_tests_with("failure", tests, sizeof tests / sizeof tests[0],
                          setup, teardown);
}
