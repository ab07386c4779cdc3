/* SPDX-License-Identifier: GPL-3.0-or-later */

/* By when a change window or a freeze in the way of a plan would have to open:
 * opened that much sooner it is open for a step that waits no longer than
 * policy lets it, and one minute later it is not; and a plan that begins at
 * the instant that is told finds it open, one a minute before does not.  The
 * judge looks at every minute. */

#include "model/change.h"
#include "solver/explain/conflict.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

enum { MODELS = 200, HOSTS = 3, VMS = 3, OPEN_MIN = 5 };
#define MINUTE_MS INT64_C(60000)

/* Open for some minutes that begin while a step waits. */
static bool
opens_in_time(const struct world *w, const struct dcp_rule *rule,
              int64_t start_ms)
{
    int64_t wait_min = w->inv->policy.move_wait_ms / MINUTE_MS;
    bool open = false;

    for (int64_t m = 0; m <= wait_min && !open; m++) {
        open = dcp_change_is_open(w->inv, rule, start_ms + m * MINUTE_MS,
                                  start_ms + (m + OPEN_MIN) * MINUTE_MS);
    }
    return open;
}

/* The rule as it would be if it opened so many minutes sooner. */
static struct dcp_rule
sooner(const struct dcp_rule *rule, int32_t min)
{
    struct dcp_rule r = *rule;

    r.until_ms -= min * MINUTE_MS;
    r.hours.from_min = (r.hours.from_min - min + 2 * 1440) % 1440;
    return r;
}

static struct dcp_rule
random_rule(struct dcp_rng *rng)
{
    static const uint32_t vm[] = { 0 };
    int32_t opens_min = 20 * 60 + (int32_t)draw(rng, 600);
    bool freeze = chance(rng, 30);

    return (struct dcp_rule){
        .kind = freeze ? DCP_RULE_FREEZE : DCP_RULE_CHANGE_WINDOW,
        .name = "w",
        .vms = vm,
        .n_vms = 1,
        .has_hours = !freeze,
        .hours = { opens_min % 1440, (opens_min + 30) % 1440 },
        .from_ms = WORLD_T0 - DCP_HOUR_MS,
        .until_ms = WORLD_T0 + (int64_t)draw(rng, 600) * MINUTE_MS,
    };
}

static const struct dcp_part_amount *
find_amount(const struct dcp_conflict *k, enum dcp_part_kind kind)
{
    const struct dcp_part_amount *found = NULL;

    for (uint32_t i = 0; i < k->n_relax + k->n_instead; i++) {
        const struct dcp_conflict_part *part =
            i < k->n_relax ? &k->relax[i] : &k->instead[i - k->n_relax];

        if (part->kind == kind && part->n_amounts == 1) {
            found = &part->amount[0];
        }
    }
    return found;
}

/* "...; or plan for 2013-08-30T22:00:00Z or later" */
static int64_t
told_instant(const char *text)
{
    const char *at = strstr(text, "plan for ");
    int day, hour, minute;

    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(
        sscanf(at, "plan for 2013-08-%dT%d:%d:", &day, &hour, &minute), 3);
    return WORLD_T0 + (((day - 30) * 24 + hour - 20) * 60 + minute) * MINUTE_MS;
}

static bool
try_model(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "windows", 0);
    struct world w = world_make(HOSTS, VMS);
    uint8_t closed[1] = { 1 };
    struct dcp_conflict k;
    struct dcp_error err = { 0 };
    struct dcp_conflict_options o = { .solve = { .seed = 1, .iterations = 20 },
                                      .time_limit_s = 60,
                                      .start_ms = WORLD_T0 };

    w.inv->policy.move_wait_ms = draw(&rng, 120) * MINUTE_MS;
    w.inv->policy.n_survive = 0;
    w.rules[0] = random_rule(&rng);
    w.inv->n_rules = 1;
    w.hosts[0].state = DCP_HOST_MAINTENANCE;
    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = v;
        world_need(&w, v, 100);
    }
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    const struct dcp_question q = { .inventory = w.inv,
                                    .demand = &w.demand,
                                    .last_slot = WORLD_SLOTS,
                                    .start = start,
                                    .closed = closed };
    start->on[0] = 1;
    bool conflict = !opens_in_time(&w, &w.rules[0], WORLD_T0);

    if (conflict) {
        ck_assert_msg(dcp_conflict_find(&q, &o, &k, &err), "%s", err.message);
        const struct dcp_part_amount *a = find_amount(&k, DCP_PART_RULE);
        const struct dcp_part_amount *stays =
            find_amount(&k, DCP_PART_EMPTYING);

        ck_assert_ptr_nonnull(stays);
        ck_assert_double_eq(stays->least, 1);
        ck_assert_msg(a && a->proved, "seed %u: no number", (unsigned)seed);
        int32_t by = (int32_t)(a->was - a->least);
        struct dcp_rule enough = sooner(&w.rules[0], by),
                        less = sooner(&w.rules[0], by - 1);
        int64_t at_ms = told_instant(a->text);

        ck_assert_int_gt(by, 0);
        ck_assert_uint_eq(a->steps, (uint32_t)by);
        ck_assert_msg(opens_in_time(&w, &enough, WORLD_T0), "seed %u: %s",
                      (unsigned)seed, a->text);
        ck_assert_msg(!opens_in_time(&w, &less, WORLD_T0), "seed %u: %s",
                      (unsigned)seed, a->text);
        ck_assert(opens_in_time(&w, &w.rules[0], at_ms));
        ck_assert(!opens_in_time(&w, &w.rules[0], at_ms - MINUTE_MS));
    }
    world_free(&w);
    return conflict;
}

START_TEST(opened_so_much_sooner_it_is_open)
{
    uint32_t n = 0;

    for (uint64_t seed = 0; seed < MODELS; seed++) {
        n += try_model(seed);
    }
    printf("%u of %d windows in the way\n", n, MODELS);
    ck_assert_uint_gt(n, MODELS / 2);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &opened_so_much_sooner_it_is_open,
    };

    return RUN_TESTS("conflict_windows", tests);
}
