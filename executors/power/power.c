/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One turn per host that a step is about.  An epoll set holds the descriptor of
 * each call under way and one timer, set to whatever is due next or, while ends
 * are waiting to be fetched, to now; so it can be read exactly when 'wait' has
 * something to do. */

#include "executors/power/power.h"

#include "executors/power/boot_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SLICE_MS 1000 /* So that Ctrl-C is noticed. */

struct machine {
    struct dcp_turn turn;
    uint32_t step; /* Of the turn; 0: none yet. */
    int watched;   /* Descriptor that is in the set; -1: none. */
    /* How the last turn ended, for who looks after it. */
    uint32_t ended_step; /* 0: none did. */
    bool ended_badly, came_back;
    char why[160];
};

struct power {
    struct dcp_executor base;
    struct dcp_power_options options;
    struct machine **machines; /* By host; NULL: never needed. */
    uint32_t *active;          /* Hosts with a turn, its end fetched or not. */
    uint32_t n_active;
    int set, timer;
    int64_t last_now_ms;
};

static struct power *
of(struct dcp_executor *executor)
{
    return (struct power *)executor;
}

/* --- Machines ----------------------------------------------------------- */

static struct machine *
machine_of(struct power *p, const struct dcp_step *s, struct dcp_error *err)
{
    uint32_t ix = s->object.ix;

    if (p->machines[ix]) {
        return p->machines[ix];
    }
    const char *name = p->options.inventory->hosts[ix].name;
    const struct dcp_turn_host host = {
        .id = { ix },
        .name = name,
        .connect = &p->options.connect->hosts[ix],
        .guests = &p->options.guests,
        .timing = &p->options.timing,
        .ipmitool = p->options.ipmitool,
    };

    if (host.connect->bmc.type == DCP_BMC_NONE) {
        (void)dcp_fail(err, DCP_E_REFUSED,
                       "connect.yaml names no 'bmc' of host '%s', so it cannot "
                       "be switched",
                       name);
        return NULL;
    }
    struct machine *m = calloc(1, sizeof *m);

    if (!m) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for host '%s'", name);
        return NULL;
    }
    dcp_turn_init(&m->turn, &host);
    m->watched = -1;
    p->machines[ix] = m;
    return m;
}

static bool
can_be_asked(const struct machine *m)
{
    return dcp_bmc_ops_of(&m->turn.host.connect->bmc)->can_be_asked;
}

static bool
is_active(const struct machine *m)
{
    return m->turn.stage != DCP_TURN_IDLE;
}

/* Lets a call's descriptor into the set, or out of it before it is closed. */
static void
unwatch(struct power *p, struct machine *m)
{
    if (m->watched >= 0) {
        (void)epoll_ctl(p->set, EPOLL_CTL_DEL, m->watched, NULL);
        m->watched = -1;
    }
}

static void
go(struct power *p, struct machine *m)
{
    unwatch(p, m);
    dcp_turn_go(&m->turn);
    if (m->turn.call.pid) {
        struct epoll_event event = { .events = EPOLLIN };

        /* Where it fails the timer comes at the call's deadline. */
        if (epoll_ctl(p->set, EPOLL_CTL_ADD, m->turn.call.fd, &event) == 0) {
            m->watched = m->turn.call.fd;
        }
    }
}

static void
set_timer(struct power *p)
{
    int64_t due_ms = INT64_MAX;

    for (uint32_t i = 0; i < p->n_active; i++) {
        const struct dcp_turn *t = &p->machines[p->active[i]]->turn;
        int64_t at_ms = t->stage == DCP_TURN_ENDED ? 1 : dcp_turn_due_ms(t);

        due_ms = at_ms < due_ms ? at_ms : due_ms;
    }
    struct itimerspec when = { .it_value = { 0 } };

    if (due_ms < INT64_MAX) {
        due_ms = due_ms < 1 ? 1 : due_ms;
        when.it_value.tv_sec = (time_t)(due_ms / 1000);
        when.it_value.tv_nsec = (long)(due_ms % 1000) * 1000000;
    }
    (void)timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
begin(struct power *p, struct machine *m, const struct dcp_step *s,
      bool only_watch)
{
    m->step = s->id;
    m->ended_step = 0;
    p->active[p->n_active++] = s->object.ix;
    dcp_turn_begin(&m->turn, s->kind == DCP_STEP_HOST_ON, only_watch,
                   s->estimate_ms);
    go(p, m);
    set_timer(p);
}

/* --- Slots -------------------------------------------------------------- */

static int64_t
power_now(struct dcp_executor *executor)
{
    struct power *p = of(executor);
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
                     p->options.clock_offset_ms;

    if (now_ms > p->last_now_ms) {
        p->last_now_ms = now_ms;
    }
    return p->last_now_ms;
}

static bool
power_test(struct dcp_executor *executor, const struct dcp_step *s,
           struct dcp_error *err)
{
    struct machine *m = machine_of(of(executor), s, err);
    struct dcp_error why = { 0 };
    uint32_t n = 0;

    if (!m) {
        return false;
    }
    const char *name = m->turn.host.name;

    if (s->kind == DCP_STEP_HOST_ON) {
        return true;
    }
    if (!can_be_asked(m)) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "host '%s' can only be woken: nobody could tell that "
                        "it is off; give it a BMC in connect.yaml",
                        name);
    }
    if (!m->turn.host.guests->count) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "nobody can tell who runs on host '%s'", name);
    }
    /* One that cannot tell may be on its way down already. */
    return !dcp_turn_answers(&m->turn, &n, &why) || n == 0 ||
           dcp_fail(err, DCP_E_REFUSED,
                    "%u guest%s run%s on host '%s': it stays on", n,
                    n == 1 ? "" : "s", n == 1 ? "s" : "", name);
}

static bool
power_start(struct dcp_executor *executor, const struct dcp_step *s,
            struct dcp_error *err)
{
    struct power *p = of(executor);
    struct machine *m = machine_of(p, s, err);

    if (!m || !power_test(executor, s, err)) {
        return false;
    }
    if (is_active(m)) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "host '%s' is being switched by step %u",
                        m->turn.host.name, m->step);
    }
    begin(p, m, s, false);
    return true;
}

/* The end of the first turn that has ended. */
static bool
fetch(struct power *p, struct dcp_event *out)
{
    for (uint32_t i = 0; i < p->n_active; i++) {
        struct machine *m = p->machines[p->active[i]];
        struct dcp_turn *t = &m->turn;

        if (t->stage != DCP_TURN_ENDED) {
            continue;
        }
        *out = (struct dcp_event){ .step = m->step,
                                   .ok = t->ok,
                                   .at_ms = power_now(&p->base) };
        (void)snprintf(out->text, sizeof out->text, "%s", t->text);
        m->ended_step = m->step;
        m->ended_badly = !t->ok;
        m->came_back = t->was_off;
        (void)snprintf(m->why, sizeof m->why, "%s", t->text);
        t->stage = DCP_TURN_IDLE;
        p->n_active--;
        memmove(p->active + i, p->active + i + 1,
                (p->n_active - i) * sizeof *p->active);
        return true;
    }
    return false;
}

static bool
power_wait(struct dcp_executor *executor, int64_t deadline_ms,
           struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct power *p = of(executor);
    struct epoll_event event;
    int64_t left_ms = deadline_ms - power_now(executor);
    int wait_ms = left_ms <= 0         ? 0
                  : left_ms < SLICE_MS ? (int)left_ms
                                       : SLICE_MS;
    uint64_t ticks;

    *out_got = fetch(p, out);
    if (*out_got) {
        set_timer(p);
        return true;
    }
    if (epoll_wait(p->set, &event, 1, wait_ms) < 0 && errno != EINTR) {
        return dcp_fail(err, DCP_E_IO, "cannot wait for hosts: %s",
                        strerror(errno));
    }
    (void)!read(p->timer, &ticks, sizeof ticks);
    for (uint32_t i = 0; i < p->n_active; i++) {
        go(p, p->machines[p->active[i]]);
    }
    *out_got = fetch(p, out);
    set_timer(p);
    return true;
}

static bool
say(struct dcp_observation *out, enum dcp_effect effect, const char *text)
{
    out->effect = effect;
    (void)snprintf(out->text, sizeof out->text, "%.159s", text);
    return true;
}

static bool
see_off(struct power *p, struct machine *m, const struct dcp_step *s,
        struct dcp_observation *out)
{
    const struct dcp_turn *t = &m->turn;
    bool ended = m->ended_step == s->id;

    if (dcp_turn_is_off(t)) {
        return say(out, DCP_EFFECT_PRESENT, "");
    }
    if (t->seen == DCP_POWER_OFF) {
        if (!is_active(m)) {
            begin(p, m, s, true);
        }
        return say(out, DCP_EFFECT_RUNNING, "off once; it is asked again");
    }
    if (is_active(m)) {
        return say(out, DCP_EFFECT_RUNNING, "");
    }
    if (ended && m->came_back) {
        return say(out, DCP_EFFECT_ELSEWHERE,
                   "it was off and came on by itself: set its BMC to leave it "
                   "off when power returns, then --resume");
    }
    return say(out, DCP_EFFECT_ABSENT, ended ? m->why : "");
}

static bool
see_on(struct power *p, struct machine *m, const struct dcp_step *s,
       struct dcp_observation *out)
{
    struct dcp_error err = { 0 };
    bool ended = m->ended_step == s->id && m->ended_badly;
    uint32_t n;

    if (can_be_asked(m) && m->turn.seen == DCP_POWER_OFF) {
        return say(out, is_active(m) ? DCP_EFFECT_RUNNING : DCP_EFFECT_ABSENT,
                   ended ? m->why : "");
    }
    if ((can_be_asked(m) && !p->options.guests.count) ||
        dcp_turn_answers(&m->turn, &n, &err)) {
        return say(out, DCP_EFFECT_PRESENT, "");
    }
    if (is_active(m)) {
        return say(out, DCP_EFFECT_RUNNING, "");
    }
    if (ended) {
        return say(out, DCP_EFFECT_ELSEWHERE, m->why);
    }
    if (!can_be_asked(m)) { /* To wake who is awake is harmless. */
        return say(out, DCP_EFFECT_ABSENT, "it does not answer");
    }
    begin(p, m, s, true);
    return say(out, DCP_EFFECT_RUNNING, "on, and does not answer yet");
}

static bool
power_observe(struct dcp_executor *executor, const struct dcp_step *s,
              struct dcp_observation *out, struct dcp_error *err)
{
    struct power *p = of(executor);
    struct dcp_error why = { 0 };
    struct machine *m = machine_of(p, s, &why);

    *out = (struct dcp_observation){ .effect = DCP_EFFECT_UNKNOWN };
    if (!m) {
        return why.code == DCP_E_NOMEM
                   ? dcp_fail(err, why.code, "%s", why.message)
                   : say(out, DCP_EFFECT_ELSEWHERE, why.message);
    }
    if (can_be_asked(m) && !dcp_turn_look(&m->turn, &why)) {
        if (why.code == DCP_E_REFUSED || why.code == DCP_E_NOT_FOUND) {
            return say(out, DCP_EFFECT_ELSEWHERE, why.message);
        }
        if (!is_active(m) && m->ended_step != s->id) {
            begin(p, m, s, true); /* Tells when it can be seen again. */
        }
        return say(out, DCP_EFFECT_UNKNOWN, why.message);
    }
    return s->kind == DCP_STEP_HOST_ON ? see_on(p, m, s, out)
                                       : see_off(p, m, s, out);
}

static bool
power_cancel(struct dcp_executor *executor, uint32_t step,
             struct dcp_error *err)
{
    struct power *p = of(executor);

    for (uint32_t i = 0; i < p->n_active; i++) {
        struct machine *m = p->machines[p->active[i]];

        if (m->step == step) {
            unwatch(p, m);
            bool ok = dcp_turn_cancel(&m->turn, err);

            go(p, m);
            set_timer(p);
            return ok;
        }
    }
    return dcp_fail(err, DCP_E_NOT_FOUND, "step %u is not under way", step);
}

static int
power_poll_fd(struct dcp_executor *executor)
{
    return of(executor)->set;
}

static void
power_destroy(struct dcp_executor *executor)
{
    struct power *p = of(executor);

    for (uint32_t h = 0; p->machines && h < p->options.inventory->n_hosts;
         h++) {
        if (p->machines[h]) {
            dcp_turn_finish(&p->machines[h]->turn);
            free(p->machines[h]);
        }
    }
    if (p->set >= 0) {
        (void)close(p->set);
    }
    if (p->timer >= 0) {
        (void)close(p->timer);
    }
    free(p->machines);
    free(p->active);
    free(p);
}

/* --- Life --------------------------------------------------------------- */

static const struct dcp_executor_ops power_ops = {
    .abi = DCP_EXECUTOR_ABI,
    .name = "power",
    .summary = "switches hosts by IPMI, Redfish and Wake-on-LAN",
    .kinds = 1u << DCP_STEP_HOST_ON | 1u << DCP_STEP_HOST_OFF,
    .test = power_test,
    .start = power_start,
    .wait = power_wait,
    .observe = power_observe,
    .cancel = power_cancel,
    .poll_fd = power_poll_fd,
    .now_ms = power_now,
    .destroy = power_destroy,
};

void
dcp_power_options_default(struct dcp_power_options *out)
{
    *out = (struct dcp_power_options){ .ipmitool = "ipmitool" };
    dcp_power_timing_default(&out->timing);
}

struct dcp_executor *
dcp_power_create(const struct dcp_power_options *options, struct dcp_error *err)
{
    struct power *p = calloc(1, sizeof *p);
    struct epoll_event event = { .events = EPOLLIN };
    uint32_t n = options->inventory->n_hosts;

    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an executor");
        return NULL;
    }
    p->base.ops = &power_ops;
    p->options = *options;
    p->machines = calloc((size_t)n + 1, sizeof *p->machines);
    p->active = calloc((size_t)n + 1, sizeof *p->active);
    p->set = epoll_create1(EPOLL_CLOEXEC);
    p->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!p->machines || !p->active) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an executor");
    } else if (p->set < 0 || p->timer < 0 ||
               epoll_ctl(p->set, EPOLL_CTL_ADD, p->timer, &event) != 0) {
        (void)dcp_fail(err, DCP_E_IO, "cannot wait for hosts: %s",
                       strerror(errno));
    } else {
        return &p->base;
    }
    power_destroy(&p->base);
    return NULL;
}
