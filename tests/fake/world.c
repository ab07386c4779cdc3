/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Time that has passed is caught up with at each question. */

#define _GNU_SOURCE

#include "tests/fake/world_state.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

const char *
fake_seen_name(enum fake_seen seen)
{
    static const char *const names[] = {
        [FAKE_ABSENT] = "absent",   [FAKE_RUNNING] = "running",
        [FAKE_PRESENT] = "present", [FAKE_ELSEWHERE] = "elsewhere",
        [FAKE_UNKNOWN] = "unknown",
    };

    return names[seen];
}

/* --- What is the matter --------------------------------------------------- */

static bool
is_silent(const struct fake_world *w, const char *host)
{
    int64_t since_ms = w->now_ms - w->start_ms;

    for (uint32_t i = 0; i < w->n_faults; i++) {
        const struct fake_fault *f = &w->faults[i];

        if (f->kind == FAKE_FAULT_SILENT && !strcmp(f->key, host) &&
            since_ms >= f->from_ms && since_ms < f->until_ms) {
            return true;
        }
    }
    return false;
}

static uint32_t
n_guests(const struct fake_world *w, const char *host)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->n_entries; i++) {
        n += !strncmp(w->entries[i].key, "vm:", 3) &&
             !strcmp(w->entries[i].value, host);
    }
    return n;
}

/* Nobody who looks first does these; the log says so if somebody did. */
static const char *
breach(const struct fake_world *w, const struct fake_step *s,
       const struct fake_change *c)
{
    if (fake_is_running(w, s->id)) {
        return "started while under way";
    }
    for (uint32_t i = 0; i < w->n_running; i++) {
        const struct fake_track *t = &w->tracks[w->running[i] - 1];

        if (!strcmp(t->key, c->key)) {
            return "two steps at once on one thing";
        }
        if (!strcmp(s->kind, "host_off") && !strncmp(t->key, "vm:", 3) &&
            !strcmp(t->to, s->object)) {
            return "switched off while a VM comes to it";
        }
        if (!strcmp(t->to, "off") && !strcmp(t->key, c->to)) {
            return "a VM goes to a host that is being switched off";
        }
    }
    if (!strcmp(s->kind, "host_off") && n_guests(w, s->object)) {
        return "switched off with VMs on it";
    }
    if (!strncmp(c->to, "host:", 5) && strcmp(fake_get(w, c->to), "on") != 0) {
        return "a VM goes to a host that is off";
    }
    return NULL;
}

/* --- Time ----------------------------------------------------------------- */

static void
tell(struct fake_world *w, uint32_t step, bool ok, const char *text)
{
    w->events = fake_grown(w->events, &w->event_capacity, w->n_events + 1,
                           sizeof *w->events);
    struct fake_event *e = &w->events[w->n_events++];

    *e = (struct fake_event){ .step = step, .ok = ok };
    (void)snprintf(e->text, sizeof e->text, "%s", text);
}

static void
end_step(struct fake_world *w, uint32_t id)
{
    struct fake_track *t = &w->tracks[id - 1];
    const char *now = fake_get(w, t->key);
    bool effect = t->fate != FAKE_FAILS && t->fate != FAKE_LIES &&
                  (!strcmp(now, t->is) || !strncmp(t->key, "size:", 5));
    bool ok = t->fate == FAKE_LIES ||
              (effect && t->fate != FAKE_DENIES && t->fate != FAKE_SILENT);
    bool told = t->fate != FAKE_SILENT;
    char text[160] = "";

    if (!ok) {
        (void)snprintf(text, sizeof text, "%s",
                       effect || t->fate == FAKE_FAILS
                           ? "the fake says that it failed"
                           : "it is not where it was");
    }
    fake_end_track(w, id);
    if (effect) {
        fake_set(w, t->key, t->to);
        fake_log(w, json_pack("{s:s s:i s:b s:s s:s s:s}", "what", "effect",
                              "step", (int)id, "told", told, "key", t->key,
                              "was", t->is, "is", t->to));
    } else {
        fake_log(w, json_pack("{s:s s:i s:b}", "what", "nothing", "step",
                              (int)id, "told", told));
    }
    if (told) {
        tell(w, id, ok, text);
    }
}

static void
meddle(struct fake_world *w, uint32_t fault)
{
    struct fake_fault *f = &w->faults[fault];

    f->due_ms = INT64_MAX;
    fake_set(w, f->key, f->value);
    fake_log(w, json_pack("{s:s s:s s:s s:i}", "what", "set", "key", f->key,
                          "is", f->value, "fault", (int)fault));
}

/* The first thing that is due; an index of 'faults' or of 'running'. */
static int64_t
next_due(const struct fake_world *w, uint32_t *out_fault, uint32_t *out_step)
{
    int64_t due_ms = INT64_MAX;

    *out_fault = *out_step = UINT32_MAX;
    for (uint32_t i = 0; i < w->n_faults; i++) {
        if (w->faults[i].due_ms < due_ms) {
            due_ms = w->faults[i].due_ms;
            *out_fault = i;
        }
    }
    for (uint32_t i = 0; i < w->n_running; i++) {
        const struct fake_track *t = &w->tracks[w->running[i] - 1];

        if (t->ends_ms < due_ms ||
            (t->ends_ms == due_ms && due_ms < INT64_MAX &&
             *out_step != UINT32_MAX && w->running[i] < *out_step)) {
            due_ms = t->ends_ms;
            *out_fault = UINT32_MAX;
            *out_step = w->running[i];
        }
    }
    return due_ms;
}

/* One thing that is due by then, at its time.  False: nothing is. */
bool
fake_take_due(struct fake_world *w, int64_t until_ms)
{
    uint32_t fault, step;
    int64_t due_ms = next_due(w, &fault, &step);

    if (due_ms > until_ms || due_ms == INT64_MAX) {
        return false;
    }
    w->now_ms = due_ms > w->now_ms ? due_ms : w->now_ms;
    if (fault != UINT32_MAX) {
        meddle(w, fault);
    } else {
        end_step(w, step);
    }
    return true;
}

static int64_t
wall_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void
set_timer(struct fake_world *w)
{
    uint32_t fault, step;
    int64_t due_ms = next_due(w, &fault, &step);
    struct itimerspec t = { 0 };

    if (w->timer < 0) {
        return;
    }
    if (w->n_events) {
        t.it_value.tv_nsec = 1;
    } else if (due_ms < INT64_MAX) {
        t.it_value.tv_sec = due_ms / 1000;
        t.it_value.tv_nsec = due_ms % 1000 * 1000000;
    }
    (void)timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* Everything up to now, on a wall clock; a virtual one stands still. */
void
fake_catch_up(struct fake_world *w)
{
    if (w->clock == FAKE_CLOCK_WALL) {
        int64_t now_ms = wall_ms();

        while (fake_take_due(w, now_ms)) {
        }
        w->now_ms = now_ms > w->now_ms ? now_ms : w->now_ms;
        set_timer(w);
    }
}

/* --- Questions ------------------------------------------------------------ */

const char *
fake_world_get(struct fake_world *w, const char *key)
{
    fake_catch_up(w);
    return fake_get(w, key);
}

bool
fake_world_set(struct fake_world *w, const char *key, const char *value)
{
    fake_catch_up(w);
    fake_set(w, key, value);
    fake_log(w, json_pack("{s:s s:s s:s s:i}", "what", "set", "key", key, "is",
                          value, "fault", -1));
    return true;
}

int64_t
fake_world_now(struct fake_world *w)
{
    fake_catch_up(w);
    return w->now_ms;
}

int
fake_world_fd(struct fake_world *w)
{
    return w->timer;
}

/* What its faults make of the step's next start. */
static enum fake_fate
fate_of(struct fake_world *w, const struct fake_step *s, int64_t *length_ms)
{
    uint32_t n_starts = fake_track_of(w, s->id)->n_starts; /* With this one. */
    enum fake_fate fate = FAKE_DONE;

    for (uint32_t i = 0; i < w->n_faults; i++) {
        struct fake_fault *f = &w->faults[i];

        if (f->step != s->id || (f->times && n_starts > f->times)) {
            continue;
        }
        if (f->kind == FAKE_FAULT_FATE) {
            fate = f->fate;
        } else if (f->kind == FAKE_FAULT_SLOW) {
            *length_ms = (int64_t)(f->factor * (double)*length_ms);
        } else if (f->kind == FAKE_FAULT_MEDDLED) {
            f->due_ms = w->now_ms + *length_ms / 2;
        }
    }
    return fate;
}

static void
die_if_told(const struct fake_world *w)
{
    for (uint32_t i = 0; i < w->n_faults; i++) {
        if (w->faults[i].kind == FAKE_FAULT_DIE &&
            w->faults[i].times == w->n_starts) {
            (void)raise(SIGKILL);
        }
    }
}

static bool
refuse(struct fake_world *w, const struct fake_step *s, struct dcp_error *err,
       const char *why)
{
    fake_log(w, json_pack("{s:s s:i s:s}", "what", "refused", "step",
                          (int)s->id, "why", why));
    return dcp_fail(err, DCP_E_REMOTE, "%s", why);
}

bool
fake_world_start(struct fake_world *w, const struct fake_step *s,
                 struct dcp_error *err)
{
    struct fake_change c;

    fake_catch_up(w);
    if (!fake_change_of(s, &c)) {
        return dcp_fail(err, DCP_E_UNSUPPORTED, "the fake cannot do '%s'",
                        s->kind);
    }
    int64_t length_ms = s->estimate_ms > 0 ? s->estimate_ms : 0;
    const char *wrong = breach(w, s, &c);

    fake_track_of(w, s->id)->n_starts++;
    w->n_starts++;
    enum fake_fate fate = fate_of(w, s, &length_ms);
    int64_t ends_ms = fate == FAKE_HANGS || fate == FAKE_VANISHES
                          ? INT64_MAX
                          : w->now_ms + length_ms;

    if (wrong) {
        fake_log(w, json_pack("{s:s s:i s:s}", "what", "breach", "step",
                              (int)s->id, "why", wrong));
    }
    if (is_silent(w, s->object) || is_silent(w, s->from) ||
        is_silent(w, s->to)) {
        return refuse(w, s, err, "a host does not answer");
    }
    if (fate == FAKE_REFUSES || fake_is_running(w, s->id)) {
        return refuse(w, s, err, "the fake does not want to");
    }
    if (strcmp(fake_get(w, c.key), c.is) != 0 &&
        strncmp(c.key, "size:", 5) != 0) {
        return refuse(w, s, err, "it is not where it was");
    }
    fake_begin_track(w, s->id, fate, c.key, c.is, c.to, ends_ms);
    fake_log(w, json_pack("{s:s s:i s:s s:s s:s s:s s:s s:I}", "what", "start",
                          "step", (int)s->id, "kind", s->kind, "key", c.key,
                          "from", c.is, "to", c.to, "fate",
                          fake_fate_name(fate), "ends", (json_int_t)ends_ms));
    set_timer(w);
    die_if_told(w);
    return fate != FAKE_ANSWERS_NO ||
           dcp_fail(err, DCP_E_REMOTE, "the answer got lost");
}

/* Nothing of the step is under way. */
static enum fake_seen
look(const struct fake_world *w, const struct fake_step *s,
     const struct fake_change *c, char text[160])
{
    const char *now = fake_get(w, c->key);
    bool never_set = !*now && !strncmp(c->key, "size:", 5);

    if (is_silent(w, s->object) || is_silent(w, now)) {
        (void)snprintf(text, 160, "a host does not answer");
        return FAKE_UNKNOWN;
    }
    if (!strcmp(s->kind, "migrate") && !*now) {
        (void)snprintf(text, 160, "it is nowhere to be seen");
        return FAKE_UNKNOWN;
    }
    if (!strcmp(now, c->to)) {
        return FAKE_PRESENT;
    }
    if (strcmp(now, c->is) != 0 && !never_set) {
        (void)snprintf(text, 160, "it is '%.60s', the plan assumed '%.60s'",
                       now, c->is);
        return FAKE_ELSEWHERE;
    }
    if (!strncmp(c->to, "host:", 5) && strcmp(fake_get(w, c->to), "on") != 0) {
        (void)snprintf(text, 160, "%.100s is off", c->to);
        return FAKE_ELSEWHERE;
    }
    if (!strcmp(s->kind, "host_off") && n_guests(w, s->object)) {
        (void)snprintf(text, 160, "it is not empty");
        return FAKE_ELSEWHERE;
    }
    return FAKE_ABSENT;
}

enum fake_seen
fake_world_observe(struct fake_world *w, const struct fake_step *s,
                   char text[160])
{
    struct fake_change c;

    fake_catch_up(w);
    text[0] = '\0';
    if (!fake_change_of(s, &c)) {
        return FAKE_UNKNOWN;
    }
    if (!fake_is_running(w, s->id)) {
        return look(w, s, &c, text);
    }
    return fake_track_of(w, s->id)->fate == FAKE_VANISHES ? FAKE_UNKNOWN
                                                          : FAKE_RUNNING;
}

static bool
take_event(struct fake_world *w, struct fake_event *out)
{
    if (!w->n_events) {
        return false;
    }
    *out = w->events[0];
    memmove(w->events, w->events + 1, --w->n_events * sizeof *w->events);
    set_timer(w);
    return true;
}

bool
fake_world_wait(struct fake_world *w, int64_t deadline_ms,
                struct fake_event *out)
{
    for (;;) {
        fake_catch_up(w);
        if (take_event(w, out)) {
            return true;
        }
        if (w->clock == FAKE_CLOCK_VIRTUAL) {
            if (!fake_take_due(w, deadline_ms)) {
                break;
            }
            continue;
        }
        if (w->now_ms >= deadline_ms) {
            return false;
        }
        int64_t left_ms = deadline_ms - w->now_ms;
        struct pollfd fd = { .fd = w->timer, .events = POLLIN };

        (void)poll(&fd, 1, left_ms < 1000 ? (int)left_ms : 1000);
    }
    if (deadline_ms < INT64_MAX && deadline_ms > w->now_ms) {
        w->now_ms = deadline_ms;
        fake_log(w, json_pack("{s:s}", "what", "clock"));
    }
    return false;
}

bool
fake_world_cancel(struct fake_world *w, uint32_t step, struct dcp_error *err)
{
    fake_catch_up(w);
    if (!fake_is_running(w, step)) {
        return dcp_fail(err, DCP_E_NOT_FOUND, "step %" PRIu32 " does not run",
                        step);
    }
    fake_end_track(w, step);
    fake_log(w, json_pack("{s:s s:i}", "what", "cancelled", "step", (int)step));
    tell(w, step, false, "cancelled");
    set_timer(w);
    return true;
}
