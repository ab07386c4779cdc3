/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts are switched as their BMCs, guests and guards let them be, whatever
 * BMCs say and do not do. */

#include "executors/power/boot_clock.h"
#include "executors/runner.h"
#include "tests/unit/power_fixture.h"
#include "tests/unit/run_suite.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static struct power_fixture p;

static void
begin_one(void)
{
    power_begin(&p, 1);
}

static void
end_one(void)
{
    power_end(&p);
}

static struct dcp_step
step_of(enum dcp_step_kind kind, uint32_t id, uint32_t host)
{
    return (struct dcp_step){ .id = id,
                              .kind = kind,
                              .object = { DCP_OBJECT_HOST, host } };
}

static struct dcp_observation
see(const struct dcp_step *s)
{
    struct dcp_observation out;
    struct dcp_error err = { 0 };

    ck_assert_msg(p.executor->ops->observe(p.executor, s, &out, &err), "%s",
                  err.message);
    return out;
}

/* The next event, for which the descriptor has to call. */
static struct dcp_event
await(int64_t most_ms)
{
    struct dcp_event event = { 0 };
    struct dcp_error err = { 0 };
    int64_t until_ms = dcp_boot_ms() + most_ms * DCP_TEST_SLOWNESS;
    bool got = false;

    while (!got && dcp_boot_ms() < until_ms) {
        struct pollfd fd = { .fd = p.executor->ops->poll_fd(p.executor),
                             .events = POLLIN };

        ck_assert_int_ge(poll(&fd, 1, 5000), 0);
        ck_assert(fd.revents & POLLIN);
        ck_assert(p.executor->ops->wait(p.executor,
                                        p.executor->ops->now_ms(p.executor),
                                        &event, &got, &err));
    }
    ck_assert_msg(got, "no event");
    return event;
}

static struct dcp_event
carry_out(const struct dcp_step *s)
{
    struct dcp_error err = { 0 };

    ck_assert_msg(p.executor->ops->start(p.executor, s, &err), "%s",
                  err.message);
    struct dcp_event event = await(20000);

    ck_assert_uint_eq(event.step, s->id);
    return event;
}

static unsigned
n_asked(uint32_t host, const char *what)
{
    char calls[2048], *at = calls;
    unsigned n = 0;

    (void)power_get(&p, host, "calls", calls);
    while ((at = strstr(at, what)) != NULL) {
        n++;
        at++;
    }
    return n;
}

START_TEST(off_and_on_again)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);
    struct dcp_step on = step_of(DCP_STEP_HOST_ON, 2, 0);

    power_create(&p);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ABSENT);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_PRESENT);
    struct dcp_event event = carry_out(&off);

    ck_assert_msg(event.ok, "%s", event.text);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_PRESENT);
    ck_assert_uint_eq(n_asked(0, "power soft"), 1);
    ck_assert_uint_eq(n_asked(0, "power off"), 0); /* Never that. */
    ck_assert_uint_eq(n_asked(0, "mc guid"), 1);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_ABSENT);
    event = carry_out(&on);
    ck_assert_msg(event.ok, "%s", event.text);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_PRESENT);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ABSENT);
}
END_TEST

/* Off is not believed at the first look; then an event asks to look again. */
START_TEST(off_already)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    power_put(&p, 0, "power", "off\n");
    power_create(&p);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_RUNNING);
    ck_assert(await(10000).ok);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_PRESENT);
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
}
END_TEST

START_TEST(guests_keep_it_on)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);
    struct dcp_error err = { 0 };

    p.n_guests[0] = 2;
    power_create(&p);
    ck_assert(!p.executor->ops->test(p.executor, &off, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "2 guests run on host 'h1'"));
    ck_assert(!p.executor->ops->start(p.executor, &off, &err));
    /* One that comes between the two counts. */
    p.n_guests[0] = 0;
    p.options.timing.guests_gap_ms = 300;
    dcp_executor_destroy(p.executor);
    power_create(&p);
    ck_assert(p.executor->ops->start(p.executor, &off, &err));
    p.n_counted = 0;
    while (p.n_counted == 0) {
        struct dcp_event event;
        bool got;

        ck_assert(p.executor->ops->wait(p.executor, 0, &event, &got, &err));
        ck_assert(!got);
    }
    p.n_guests[0] = 1;
    struct dcp_event event = await(10000);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "1 guest runs on host 'h1'"));
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ABSENT);
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
}
END_TEST

START_TEST(silence_of_the_host_keeps_it_on)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    p.n_guests[0] = UINT32_MAX;
    power_create(&p);
    struct dcp_event event = carry_out(&off);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "was not touched"));
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
}
END_TEST

START_TEST(wrong_password)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    power_write(p.password, "guess\n", 0600);
    power_create(&p);
    struct dcp_observation seen = see(&off);

    ck_assert_int_eq(seen.effect, DCP_EFFECT_ELSEWHERE);
    ck_assert_ptr_nonnull(strstr(seen.text, "refuses user 'admin'"));
    ck_assert_ptr_null(strstr(seen.text, "guess"));
    ck_assert(!carry_out(&off).ok);
    power_write(p.password, "sesame\n", 0644);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ELSEWHERE);
}
END_TEST

START_TEST(another_machines_bmc)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    power_put(&p, 0, "guid", "B123456789ABCDEFA123456789ABCDEF");
    power_create(&p);
    struct dcp_observation seen = see(&off);

    ck_assert_int_eq(seen.effect, DCP_EFFECT_ELSEWHERE);
    ck_assert_ptr_nonnull(strstr(seen.text, "is that of b1234567-89ab"));
    struct dcp_event event = carry_out(&off);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "is that of b1234567-89ab"));
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
    dcp_executor_destroy(p.executor);
    p.hosts[0].uuid = "";
    power_create(&p);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ELSEWHERE);
    dcp_executor_destroy(p.executor);
    p.hosts[0].uuid = power_uuid;
    power_put(&p, 0, "guid", "none");
    power_create(&p);
    seen = see(&off);
    ck_assert_ptr_nonnull(strstr(seen.text, "does not say whose"));
}
END_TEST

START_TEST(silent_bmc)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    p.options.timing.look_ms = 200;
    p.options.timing.off_ms = 300;
    power_put(&p, 0, "mode", "silent");
    power_create(&p);
    struct dcp_observation seen = see(&off);

    ck_assert_int_eq(seen.effect, DCP_EFFECT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(seen.text, "does not answer"));
    ck_assert(!await(20000).ok);
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_UNKNOWN);
    power_put(&p, 0, "mode", "odd");
    seen = see(&off);
    ck_assert_int_eq(seen.effect, DCP_EFFECT_UNKNOWN);
}
END_TEST

/* It says yes and does nothing. */
START_TEST(lazy_bmc)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);
    struct dcp_step on = step_of(DCP_STEP_HOST_ON, 2, 0);

    power_put(&p, 0, "mode", "lazy");
    power_create(&p);
    struct dcp_event event = carry_out(&off);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "is left on"));
    ck_assert_int_eq(see(&off).effect, DCP_EFFECT_ABSENT);
    ck_assert_uint_eq(n_asked(0, "power off"), 0);
    power_put(&p, 0, "power", "off\n");
    event = carry_out(&on);
    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "took the request"));
    ck_assert_uint_eq(n_asked(0, "power on"), 3);
}
END_TEST

/* "off" too early, once; then it comes true. */
START_TEST(off_too_early)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    power_put(&p, 0, "mode", "lazy");
    power_put(&p, 0, "turns", "on\noff\non\non\noff\noff\noff\noff\n");
    power_create(&p);
    struct dcp_event event = carry_out(&off);

    ck_assert_msg(event.ok, "%s", event.text);
    ck_assert_uint_ge(n_asked(0, "power status"), 6);
}
END_TEST

/* Power came back and the BMC switched the host on. */
START_TEST(comes_back_by_itself)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    power_create(&p);
    ck_assert(carry_out(&off).ok);
    power_put(&p, 0, "power", "on\n");
    struct dcp_observation seen = see(&off);

    ck_assert_int_eq(seen.effect, DCP_EFFECT_ELSEWHERE);
    ck_assert_ptr_nonnull(strstr(seen.text, "came on by itself"));
}
END_TEST

/* The BMC says on, the host never answers. */
START_TEST(never_boots)
{
    struct dcp_step on = step_of(DCP_STEP_HOST_ON, 1, 0);

    power_put(&p, 0, "power", "off\n");
    p.n_guests[0] = UINT32_MAX;
    power_create(&p);
    struct dcp_event event = carry_out(&on);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "look at its console"));
    struct dcp_observation seen = see(&on);

    ck_assert_int_eq(seen.effect, DCP_EFFECT_ELSEWHERE);
    /* Found so by the next process: it is watched anew. */
    dcp_executor_destroy(p.executor);
    power_create(&p);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_RUNNING);
    p.n_guests[0] = 0;
    ck_assert(await(10000).ok);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_PRESENT);
}
END_TEST

static void
use_guard(const char *script)
{
    static char path[128];
    static const char *words[2];

    (void)snprintf(path, sizeof path, "%s/guard", p.dir);
    power_write(path, script, 0755);
    words[0] = path;
    words[1] = "a b;c";
    p.hosts[0].guard = words;
    p.hosts[0].n_guard = 2;
}

START_TEST(guard_decides)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    use_guard("#!/bin/sh\n[ \"$1\" = 'a b;c' ] || exit 9\n"
              "echo '1 process of qemu runs' >&2; exit 3\n");
    power_create(&p);
    struct dcp_event event = carry_out(&off);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "1 process of qemu runs"));
    use_guard("#!/bin/sh\necho off >\"${0%/*}/9000/power\"\n");
    ck_assert(carry_out(&off).ok);
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
}
END_TEST

/* The connection broke as the host went down, or it never was there. */
START_TEST(guard_unclear)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);

    use_guard("#!/bin/sh\necho off >\"${0%/*}/9000/power\"; exit 255\n");
    power_create(&p);
    ck_assert(carry_out(&off).ok);
    power_put(&p, 0, "power", "on\n");
    use_guard("#!/bin/sh\necho 'no route' >&2; exit 255\n");
    struct dcp_event event = carry_out(&off);

    ck_assert(!event.ok);
    ck_assert_ptr_nonnull(strstr(event.text, "no route"));
}
END_TEST

START_TEST(cancelled_before_it_is_asked)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);
    struct dcp_error err = { 0 };

    power_create(&p);
    ck_assert(p.executor->ops->start(p.executor, &off, &err));
    ck_assert(p.executor->ops->cancel(p.executor, 1, &err));
    ck_assert(!await(5000).ok);
    ck_assert(!p.executor->ops->cancel(p.executor, 1, &err));
    ck_assert_uint_eq(n_asked(0, "power soft"), 0);
}
END_TEST

START_TEST(woken_by_a_packet)
{
    struct dcp_step on = step_of(DCP_STEP_HOST_ON, 1, 0);
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 2, 0);
    struct dcp_error err = { 0 };

    p.hosts[0].bmc = (struct dcp_bmc){ .type = DCP_BMC_WAKE_ON_LAN,
                                       .address = "127.0.0.1",
                                       .port = 9,
                                       .mac = "52:54:00:00:00:01",
                                       .uuid = "" };
    p.n_guests[0] = UINT32_MAX;
    power_create(&p);
    ck_assert(!p.executor->ops->test(p.executor, &off, &err));
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_ABSENT);
    ck_assert(p.executor->ops->start(p.executor, &on, &err));
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_RUNNING);
    p.n_guests[0] = 0;
    ck_assert(await(10000).ok);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_PRESENT);
}
END_TEST

/* A program that has ended, reaped or not, has no command line. */
static bool
is_alive(const char *pid)
{
    char path[64], c;

    (void)snprintf(path, sizeof path, "/proc/%.10s/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool alive = fd >= 0 && read(fd, &c, 1) == 1;

    if (fd >= 0) {
        (void)close(fd);
    }
    return alive;
}

/* What it asks of a BMC ends with it, however it ends. */
START_TEST(killed_with_all_that_it_began)
{
    struct dcp_step off = step_of(DCP_STEP_HOST_OFF, 1, 0);
    const struct timespec nap = { .tv_nsec = 10000000 };
    char pid[2048] = "";

    power_put(&p, 0, "mode", "silent");
    pid_t manager = fork();

    if (manager == 0) {
        struct dcp_error err;

        power_create(&p);
        (void)p.executor->ops->start(p.executor, &off, &err);
        (void)pause();
        _exit(0);
    }
    for (int i = 0; i < 1000 && !strchr(pid, '\n'); i++) {
        (void)nanosleep(&nap, NULL);
        (void)power_get(&p, 0, "pid", pid);
    }
    ck_assert(strchr(pid, '\n') != NULL);
    *strchr(pid, '\n') = '\0';
    ck_assert(is_alive(pid));
    ck_assert_int_eq(kill(manager, SIGKILL), 0);
    ck_assert_int_eq(waitpid(manager, NULL, 0), manager);
    for (int i = 0; i < 1000 && is_alive(pid); i++) {
        (void)nanosleep(&nap, NULL);
    }
    ck_assert(!is_alive(pid));
}
END_TEST

START_TEST(no_bmc)
{
    struct dcp_step on = step_of(DCP_STEP_HOST_ON, 1, 0);
    struct dcp_error err = { 0 };

    p.hosts[0].bmc.type = DCP_BMC_NONE;
    power_create(&p);
    ck_assert_int_eq(see(&on).effect, DCP_EFFECT_ELSEWHERE);
    ck_assert(!p.executor->ops->start(p.executor, &on, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "names no 'bmc' of host 'h1'"));
}
END_TEST

/* Through the runner, all at once. */
START_TEST(twenty_hosts_at_once)
{
    struct dcp_run_options options;
    struct dcp_run_report report;
    struct dcp_error err = { 0 };

    power_end(&p);
    power_begin(&p, 20);
    for (uint32_t h = 0; h < 20; h++) {
        (void)fixture_step(&p.f, DCP_STEP_HOST_OFF, h, 0, 0, 1000, 0);
    }
    p.f.inv->n_hosts = 20;
    power_create(&p);
    dcp_run_options_default(&options);
    ck_assert_msg(
        dcp_run_leg(p.f.inv, p.f.plan, p.executor, &options, &report, &err),
        "%s", err.message);
    ck_assert_msg(report.n_done == 20, "%u done: %s", report.n_done,
                  report.first_failure);
    dcp_run_report_finish(&report);
}
END_TEST

static const TTest *const *const tests[] = {
    &off_and_on_again,
    &off_already,
    &guests_keep_it_on,
    &silence_of_the_host_keeps_it_on,
    &wrong_password,
    &another_machines_bmc,
    &silent_bmc,
    &lazy_bmc,
    &off_too_early,
    &comes_back_by_itself,
    &never_boots,
    &guard_decides,
    &guard_unclear,
    &cancelled_before_it_is_asked,
    &woken_by_a_packet,
    &killed_with_all_that_it_began,
    &no_bmc,
    &twenty_hosts_at_once,
};

int
main(void)
{

    return run_tests_with("power", tests, sizeof tests / sizeof tests[0],
                          begin_one, end_one);
}
