/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/group.h"
#include "executors/runner.h"
#include "tests/unit/exec_fixture.h"
#include "tests/unit/run_suite.h"

#include <time.h>
#include <unistd.h>

/* A member whose steps end when the test says so, through a pipe if it has
 * one. */
struct fake {
    struct dcp_executor base;
    struct dcp_executor_ops ops;
    int fds[2]; /* -1: none. */
    uint32_t pending[8], n_pending, n_started, n_asked, cancelled;
    uint32_t done; /* Bit by step id. */
    bool at_once;  /* Steps end as soon as they start. */
    bool broken;
    uint32_t *n_destroyed;
};

static struct fixture f;
static uint32_t n_destroyed;

static struct fake *
of(struct dcp_executor *e)
{
    return (struct fake *)e;
}

static void
end_step(struct fake *k, uint32_t step)
{
    k->pending[k->n_pending++] = step;
    k->done |= 1u << step;
    if (k->fds[1] >= 0) {
        ck_assert_int_eq(write(k->fds[1], "x", 1), 1);
    }
}

static bool
fake_start(struct dcp_executor *e, const struct dcp_step *s,
           struct dcp_error *err)
{
    (void)err;
    of(e)->n_started++;
    if (of(e)->at_once) {
        end_step(of(e), s->id);
    }
    return true;
}

static int64_t
fake_now(struct dcp_executor *e)
{
    struct timespec now;

    (void)e;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
fake_wait(struct dcp_executor *e, int64_t deadline_ms, struct dcp_event *out,
          bool *out_got, struct dcp_error *err)
{
    struct fake *k = of(e);
    char c;

    ck_assert_int_le(deadline_ms, fake_now(e)); /* The group waits, not we. */
    k->n_asked++;
    if (k->broken) {
        return dcp_fail(err, DCP_E_REMOTE, "gone");
    }
    *out_got = k->n_pending > 0;
    if (*out_got) {
        *out = (struct dcp_event){ .step = k->pending[--k->n_pending],
                                   .ok = true };
        if (k->fds[0] >= 0) {
            ck_assert_int_eq(read(k->fds[0], &c, 1), 1);
        }
    }
    return true;
}

static bool
fake_observe(struct dcp_executor *e, const struct dcp_step *s,
             struct dcp_observation *out, struct dcp_error *err)
{
    (void)err;
    *out = (struct dcp_observation){ .effect = of(e)->done >> s->id & 1
                                                   ? DCP_EFFECT_PRESENT
                                                   : DCP_EFFECT_ABSENT };
    return true;
}

static bool
fake_cancel(struct dcp_executor *e, uint32_t step, struct dcp_error *err)
{
    if (of(e)->n_started == 0) {
        return dcp_fail(err, DCP_E_ARGUMENT, "not mine");
    }
    of(e)->cancelled = step;
    return true;
}

static int
fake_fd(struct dcp_executor *e)
{
    return of(e)->fds[0];
}

static void
fake_destroy(struct dcp_executor *e)
{
    struct fake *k = of(e);

    if (k->fds[0] >= 0) {
        (void)close(k->fds[0]);
        (void)close(k->fds[1]);
    }
    (*k->n_destroyed)++;
    free(k);
}

static struct fake *
fake(uint32_t kinds, bool has_fd)
{
    struct fake *k = calloc(1, sizeof *k);

    ck_assert_ptr_nonnull(k);
    k->fds[0] = k->fds[1] = -1;
    if (has_fd) {
        ck_assert_int_eq(pipe(k->fds), 0);
    }
    k->ops = (struct dcp_executor_ops){ .abi = DCP_EXECUTOR_ABI,
                                        .name = "fake",
                                        .kinds = kinds,
                                        .start = fake_start,
                                        .wait = fake_wait,
                                        .observe = fake_observe,
                                        .cancel = fake_cancel,
                                        .poll_fd = has_fd ? fake_fd : NULL,
                                        .now_ms = fake_now,
                                        .destroy = fake_destroy };
    k->base.ops = &k->ops;
    k->n_destroyed = &n_destroyed;
    return k;
}

static void
setup(void)
{
    fixture_init(&f, 2, 4);
    n_destroyed = 0;
}

static void
teardown(void)
{
    fixture_finish(&f);
}

#define MOVES  (1u << DCP_STEP_MIGRATE)
#define POWERS (1u << DCP_STEP_HOST_OFF | 1u << DCP_STEP_HOST_ON)

/* By kind, through the runner. */
START_TEST(steps_go_to_who_can_do_them)
{
    struct fake *moves = fake(MOVES, true), *powers = fake(POWERS, false);
    struct dcp_executor *members[] = { &moves->base, NULL, &powers->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 3, &err);
    struct dcp_run_options o;
    struct dcp_run_report r;

    ck_assert_ptr_nonnull(g);
    ck_assert_str_eq(g->ops->name, "live");
    uint32_t a = fixture_move(&f, 0, 0, 1, 1000, 0);
    uint32_t b = fixture_move(&f, 2, 0, 1, 1000, 0);
    uint32_t off = fixture_step(&f, DCP_STEP_HOST_OFF, 0, 0, 0, 1000, b);

    fixture_step(&f, DCP_STEP_SYNC, 0, 0, 0, 0, off);
    fixture_after(&f, b, a);
    moves->at_once = powers->at_once = true;
    dcp_run_options_default(&o);
    ck_assert_msg(dcp_run_leg(f.inv, f.plan, g, &o, &r, &err), "%s",
                  err.message);
    ck_assert_uint_eq(r.n_done, 4);
    ck_assert_uint_eq(moves->n_started, 2);
    ck_assert_uint_eq(powers->n_started, 1);
    dcp_run_report_finish(&r);
}
END_TEST

START_TEST(a_kind_that_none_can_do_is_refused)
{
    struct dcp_executor *members[] = { &fake(MOVES, true)->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 1, &err);
    struct dcp_step s = { .id = 1, .kind = DCP_STEP_HOST_ON };
    struct dcp_observation seen;

    ck_assert(!(g->ops->kinds >> DCP_STEP_HOST_ON & 1));
    ck_assert(!g->ops->start(g, &s, &err));
    ck_assert_int_eq(err.code, DCP_E_UNSUPPORTED);
    ck_assert(!g->ops->test(g, &s, &err));
    ck_assert(!g->ops->observe(g, &s, &seen, &err));
}
END_TEST

/* The wait sleeps until a member's descriptor says so, and no longer than
 * asked. */
START_TEST(one_wait_for_all)
{
    struct fake *a = fake(MOVES, true), *b = fake(POWERS, true);
    struct dcp_executor *members[] = { &a->base, &b->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 2, &err);
    struct dcp_event event;
    bool got = true;
    int64_t from_ms = g->ops->now_ms(g);

    ck_assert(g->ops->wait(g, from_ms + 120, &event, &got, &err));
    ck_assert(!got);
    ck_assert_int_ge(g->ops->now_ms(g), from_ms + 120);
    ck_assert_uint_le(a->n_asked, 4);                  /* Slept in between. */
    ck_assert(g->ops->wait(g, 0, &event, &got, &err)); /* Long past. */
    ck_assert(!got);

    end_step(a, 1), end_step(a, 2), end_step(b, 3);
    uint32_t seen = 0;

    for (int i = 0; i < 3; i++) {
        ck_assert(g->ops->wait(g, INT64_MAX, &event, &got, &err));
        ck_assert(got);
        ck_assert_msg(i != 1 || event.step == 3, "they take turns");
        seen |= 1u << event.step;
    }
    ck_assert_uint_eq(seen, 0xe);
}
END_TEST

/* It comes back within a second for who counts interrupts. */
START_TEST(long_waits_come_in_slices)
{
    struct dcp_executor *members[] = { &fake(MOVES, true)->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 1, &err);
    struct dcp_event event;
    bool got = true;

    ck_assert(g->ops->wait(g, INT64_MAX, &event, &got, &err));
    ck_assert(!got);
}
END_TEST

START_TEST(a_broken_member_breaks_the_group)
{
    struct fake *a = fake(MOVES, false);
    struct dcp_executor *members[] = { &a->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 1, &err);
    struct dcp_event event;
    bool got;

    a->broken = true;
    ck_assert(!g->ops->wait(g, INT64_MAX, &event, &got, &err));
    ck_assert_str_eq(err.message, "fake: gone");
}
END_TEST

START_TEST(cancel_finds_whose_step_it_is)
{
    struct fake *a = fake(MOVES, false), *b = fake(POWERS, false);
    struct dcp_executor *members[] = { &a->base, &b->base };
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_executor)
    struct dcp_executor *g = dcp_group_create("live", members, 2, &err);
    struct dcp_step s = { .id = 5, .kind = DCP_STEP_HOST_ON };

    ck_assert(!g->ops->cancel(g, 5, &err));
    ck_assert(g->ops->start(g, &s, &err));
    ck_assert(g->ops->cancel(g, 5, &err));
    ck_assert_uint_eq(b->cancelled, 5);
    ck_assert_uint_eq(a->cancelled, 0);
}
END_TEST

START_TEST(members_go_with_the_group)
{
    struct dcp_executor *members[DCP_GROUP_MEMBERS_MAX + 1];
    struct dcp_error err = { 0 };

    for (uint32_t i = 0; i <= DCP_GROUP_MEMBERS_MAX; i++) {
        members[i] = &fake(MOVES, true)->base;
    }
    ck_assert_ptr_null(
        dcp_group_create("live", members, DCP_GROUP_MEMBERS_MAX + 1, &err));
    ck_assert_uint_eq(n_destroyed, DCP_GROUP_MEMBERS_MAX + 1);
    members[0] = &fake(MOVES, true)->base;
    dcp_executor_destroy(dcp_group_create("live", members, 1, &err));
    ck_assert_uint_eq(n_destroyed, DCP_GROUP_MEMBERS_MAX + 2);
}
END_TEST

static const TTest *const *const tests[] = {
    &steps_go_to_who_can_do_them,
    &a_kind_that_none_can_do_is_refused,
    &one_wait_for_all,
    &long_waits_come_in_slices,
    &a_broken_member_breaks_the_group,
    &cancel_finds_whose_step_it_is,
    &members_go_with_the_group,
};

int
main(void)
{
    return run_tests_with("group", tests, sizeof tests / sizeof tests[0], setup,
                          teardown);
}
