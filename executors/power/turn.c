/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each stage has a time at which it does its next thing ('due_ms') or a call
 * whose end it waits for, never both.  Counting the guests is the only thing
 * that may block.  'until_ms' ends every stage but ACT, whose call ends by
 * itself. */

#include "executors/power/turn.h"

#include "executors/power/boot_clock.h"

#include <stdarg.h>
#include <stdio.h>

void
dcp_power_timing_default(struct dcp_power_timing *out)
{
    *out = (struct dcp_power_timing){
        .look_ms = 12000,
        .act_ms = 30000,
        .guard_ms = 60000,
        .poll_ms = 2000,
        .fresh_ms = 1000,
        .guests_gap_ms = 10000,
        .guests_wait_ms = 60000,
        .off_gap_ms = 6000,
        .off_ms = 300000,
        .unclear_ms = 60000,
        .on_ms = 600000,
        .resend_ms = 30000,
        .n_sends = 5,
    };
}

void
dcp_turn_init(struct dcp_turn *t, const struct dcp_turn_host *host)
{
    *t = (struct dcp_turn){ .host = *host, .call.fd = -1 };
}

void
dcp_turn_finish(struct dcp_turn *t)
{
    dcp_call_abandon(&t->call);
}

static const struct dcp_bmc *
bmc_of(const struct dcp_turn *t)
{
    return &t->host.connect->bmc;
}

static bool
can_be_asked(const struct dcp_turn *t)
{
    const struct dcp_bmc_ops *ops = dcp_bmc_ops_of(bmc_of(t));

    return ops && ops->can_be_asked;
}

/* --- Ends --------------------------------------------------------------- */

static void
end(struct dcp_turn *t, bool ok)
{
    t->ok = ok;
    t->stage = DCP_TURN_ENDED;
    t->due_ms = INT64_MAX;
    if (ok) {
        t->text[0] = '\0';
    }
}

static void
    DCP_PRINTF(2, 3) give_up(struct dcp_turn *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(t->text, sizeof t->text, format, args);
    va_end(args);
    dcp_one_line(t->text);
    end(t, false);
}

static void
next(struct dcp_turn *t, enum dcp_turn_stage stage, int64_t in_ms)
{
    t->stage = stage;
    t->due_ms = dcp_boot_ms() + in_ms;
}

static void
note(struct dcp_turn *t, const char *text)
{
    (void)snprintf(t->note, sizeof t->note, "%.110s", text);
}

/* --- Calls -------------------------------------------------------------- */

static bool
call(const struct dcp_turn *t, enum dcp_call_verb verb, struct dcp_call *out,
     struct dcp_error *err)
{
    const struct dcp_connect_host *c = t->host.connect;
    const struct dcp_power_timing *timing = t->host.timing;
    const struct dcp_call_request q = {
        .verb = verb,
        .bmc = &c->bmc,
        .uuid = c->bmc.uuid[0] ? c->bmc.uuid : c->uuid,
        .identify = !t->identified,
        .ipmitool = t->host.ipmitool,
        .guard = c->guard,
        .n_guard = c->n_guard,
        .timeout_ms = verb == DCP_CALL_LOOK    ? timing->look_ms
                      : verb == DCP_CALL_GUARD ? timing->guard_ms
                                               : timing->act_ms,
    };

    return dcp_call_start(out, &q, err);
}

/* The turn's own, whose end decides how it goes on. */
static void
begin_call(struct dcp_turn *t, enum dcp_call_verb verb)
{
    struct dcp_error err = { 0 };

    t->verb = verb;
    t->due_ms = INT64_MAX;
    if (!call(t, verb, &t->call, &err)) {
        give_up(t, "%s", err.message);
    }
}

/* --- What the BMC says -------------------------------------------------- */

static bool
identify(struct dcp_turn *t, const char *said)
{
    const struct dcp_connect_host *c = t->host.connect;
    const char *wanted = c->bmc.uuid[0] ? c->bmc.uuid : c->uuid;
    struct dcp_guid ours, theirs;

    t->stranger = true;
    if (!dcp_guid_parse(wanted, &ours)) {
        (void)snprintf(t->refusal, sizeof t->refusal,
                       "connect.yaml gives host '%.40s' no uuid: its power is "
                       "not touched by a BMC that may be another's",
                       t->host.name);
    } else if (!dcp_guid_parse(said, &theirs)) {
        (void)snprintf(t->refusal, sizeof t->refusal,
                       "the BMC of host '%.40s' does not say whose it is: its "
                       "power is not touched",
                       t->host.name);
    } else if (!dcp_guid_same(&ours, &theirs)) {
        (void)snprintf(t->refusal, sizeof t->refusal,
                       "the BMC of host '%.30s' is that of %.36s: correct its "
                       "address or the uuid in connect.yaml",
                       t->host.name, said);
    } else {
        t->stranger = false;
        t->identified = true;
    }
    dcp_one_line(t->refusal);
    return !t->stranger;
}

/* Takes in what was seen; false: nothing was, or it is not to be believed. */
static bool
take_look(struct dcp_turn *t, const struct dcp_call_reply *reply)
{
    t->failed = !reply->ok;
    if (!reply->ok) {
        note(t, reply->text);
        return false;
    }
    if (!t->identified && !identify(t, reply->said)) {
        return false;
    }
    t->seen = reply->power;
    t->seen_ms = dcp_boot_ms();
    if (reply->power != DCP_POWER_OFF) {
        t->off_since_ms = 0;
    } else if (!t->off_since_ms) {
        t->off_since_ms = t->seen_ms;
    }
    return true;
}

bool
dcp_turn_is_off(const struct dcp_turn *t)
{
    return t->seen == DCP_POWER_OFF && t->off_since_ms &&
           t->seen_ms - t->off_since_ms >= t->host.timing->off_gap_ms;
}

bool
dcp_turn_answers(const struct dcp_turn *t, uint32_t *out_n,
                 struct dcp_error *err)
{
    const struct dcp_guests *guests = t->host.guests;

    if (!guests->count) {
        return dcp_fail(err, DCP_E_UNSUPPORTED,
                        "nobody can tell who runs on host '%s'", t->host.name);
    }
    return guests->count(guests->user, t->host.id, out_n, err);
}

/* --- Off ---------------------------------------------------------------- */

/* Neither its guests nor its power could be seen: once more, for a while. */
static void
wait_to_see(struct dcp_turn *t)
{
    if (dcp_boot_ms() < t->until_ms) {
        next(t, DCP_TURN_LOOK, t->host.timing->poll_ms);
    } else {
        give_up(t, "host '%.30s' was not touched: %s", t->host.name, t->note);
    }
}

static void
count(struct dcp_turn *t)
{
    struct dcp_error err = { 0 };
    uint32_t n = 0;

    if (!dcp_turn_answers(t, &n, &err)) {
        note(t, err.message);
        wait_to_see(t);
    } else if (n) {
        give_up(t,
                "%u guest%s run%s on host '%.60s': it stays on; move or end "
                "what is there first",
                n, n == 1 ? "" : "s", n == 1 ? "s" : "", t->host.name);
    } else if (t->stage == DCP_TURN_COUNT) {
        next(t, DCP_TURN_COUNT_AGAIN, t->host.timing->guests_gap_ms);
    } else {
        t->stage = DCP_TURN_ACT;
        t->acted = true;
        begin_call(t, t->host.connect->n_guard ? DCP_CALL_GUARD
                                               : DCP_CALL_GRACEFUL);
    }
}

static void
watch(struct dcp_turn *t, int64_t for_ms)
{
    int64_t now_ms = dcp_boot_ms();

    t->sent_ms = now_ms;
    if (t->until_ms < now_ms + for_ms) {
        t->until_ms = now_ms + for_ms;
    }
    next(t, DCP_TURN_WATCH, t->host.timing->poll_ms);
}

static void
asked_to_go(struct dcp_turn *t, const struct dcp_call_reply *r)
{
    const struct dcp_power_timing *timing = t->host.timing;
    bool guard = t->verb == DCP_CALL_GUARD;

    if (r->ok && guard && r->guard == DCP_GUARD_REFUSED) {
        give_up(t, "the guard on host '%.40s' keeps it on: %.80s", t->host.name,
                r->text);
    } else if (r->ok && (!guard || r->guard == DCP_GUARD_GOING)) {
        watch(t, timing->off_ms);
    } else if (!r->ok && (guard || r->code == DCP_E_REFUSED ||
                          r->code == DCP_E_UNSUPPORTED)) {
        t->acted = false;
        give_up(t, "host '%.30s' stays on: %.110s", t->host.name, r->text);
    } else { /* It may have got there. */
        note(t, r->text);
        t->until_ms = 0;
        watch(t, timing->unclear_ms);
    }
}

static void
watched_off(struct dcp_turn *t)
{
    const struct dcp_power_timing *timing = t->host.timing;
    int64_t now_ms = dcp_boot_ms(), in_ms = timing->poll_ms;

    if (dcp_turn_is_off(t)) {
        t->was_off = true;
        end(t, true);
        return;
    }
    if (!t->failed && t->seen == DCP_POWER_OFF) {
        int64_t left_ms = t->off_since_ms + timing->off_gap_ms - now_ms;

        next(t, DCP_TURN_WATCH, left_ms > in_ms ? left_ms : in_ms);
    } else if (!t->failed && t->only_watch) {
        give_up(t, "host '%.60s' is on", t->host.name);
    } else if (now_ms < t->until_ms) {
        next(t, DCP_TURN_WATCH, in_ms);
    } else if (t->failed) {
        give_up(t, "whether host '%.30s' is off cannot be seen: %s",
                t->host.name, t->note);
    } else {
        give_up(t,
                "host '%.30s' is still on %lld s after it was asked to shut "
                "down, and is left on; look at its console%s%.40s",
                t->host.name, (long long)(now_ms - t->sent_ms) / 1000,
                t->note[0] ? ": " : "", t->note);
    }
}

/* --- On ----------------------------------------------------------------- */

static void
send_on(struct dcp_turn *t)
{
    t->stage = DCP_TURN_ACT;
    t->acted = true;
    t->n_sent++;
    begin_call(t, DCP_CALL_ON);
}

static void
asked_to_come(struct dcp_turn *t, const struct dcp_call_reply *r)
{
    if (!r->ok && (r->code == DCP_E_REFUSED || r->code == DCP_E_UNSUPPORTED ||
                   r->code == DCP_E_NOT_FOUND)) {
        give_up(t, "host '%.30s' cannot be switched on: %.110s", t->host.name,
                r->text);
        return;
    }
    if (!r->ok) {
        note(t, r->text);
    }
    t->sent_ms = dcp_boot_ms();
    next(t, DCP_TURN_WATCH, t->host.timing->poll_ms);
}

static void
not_on_in_time(struct dcp_turn *t)
{
    const char *remedy =
        !can_be_asked(t) ? "look at it; is Wake-on-LAN enabled in its firmware?"
        : t->failed      ? "look at its BMC"
        : t->seen == DCP_POWER_OFF
            ? "its BMC took the request and it is off: look at its BMC"
            : "its BMC says that it is on: look at its console";

    give_up(t, "host '%.30s' does not answer; %s%s%.40s", t->host.name, remedy,
            t->note[0] ? ": " : "", t->note);
}

/* Once the BMC was seen, or cannot be. */
static void
watched_on(struct dcp_turn *t)
{
    const struct dcp_power_timing *timing = t->host.timing;
    int64_t now_ms = dcp_boot_ms();
    bool off = can_be_asked(t) && !t->failed && t->seen == DCP_POWER_OFF;
    bool maybe_off = off || !can_be_asked(t);
    struct dcp_error err = { 0 };
    uint32_t n;

    if (!off && !t->failed) {
        if (!t->host.guests->count || dcp_turn_answers(t, &n, &err)) {
            end(t, true);
            return;
        }
        note(t, err.message);
    }
    if (now_ms >= t->until_ms) {
        not_on_in_time(t);
    } else if (maybe_off && !t->only_watch && t->n_sent < timing->n_sends &&
               now_ms - t->sent_ms >= timing->resend_ms) {
        send_on(t);
    } else {
        next(t, DCP_TURN_WATCH, timing->poll_ms);
    }
}

/* --- The machine -------------------------------------------------------- */

/* The BMC was looked at, or cannot be. */
static void
looked(struct dcp_turn *t, const struct dcp_call_reply *r)
{
    if (t->stranger) {
        give_up(t, "%s", t->refusal);
    } else if (t->failed && r->code == DCP_E_REFUSED) {
        give_up(t, "%.150s", r->text);
    } else if (t->stage == DCP_TURN_WATCH) {
        if (t->on) {
            watched_on(t);
        } else {
            watched_off(t);
        }
    } else if (t->failed) {
        wait_to_see(t);
    } else if (t->on) {
        if (t->seen == DCP_POWER_OFF) {
            send_on(t);
        } else {
            next(t, DCP_TURN_WATCH, 0);
        }
    } else if (t->seen == DCP_POWER_OFF) {
        next(t, DCP_TURN_WATCH, t->host.timing->off_gap_ms);
    } else {
        next(t, DCP_TURN_COUNT, 0);
    }
}

static void
do_what_is_due(struct dcp_turn *t)
{
    switch (t->stage) {
    case DCP_TURN_LOOK:
    case DCP_TURN_WATCH:
        if (can_be_asked(t)) {
            begin_call(t, DCP_CALL_LOOK);
        } else if (t->stage == DCP_TURN_LOOK) {
            send_on(t);
        } else {
            watched_on(t);
        }
        break;
    case DCP_TURN_COUNT:
    case DCP_TURN_COUNT_AGAIN:
        count(t);
        break;
    case DCP_TURN_IDLE:
    case DCP_TURN_ACT:
    case DCP_TURN_ENDED:
        t->due_ms = INT64_MAX;
        break;
    }
}

static void
take_reply(struct dcp_turn *t, const struct dcp_call_reply *r)
{
    if (t->verb == DCP_CALL_LOOK) {
        (void)take_look(t, r);
        if (t->stage == DCP_TURN_LOOK || t->stage == DCP_TURN_WATCH) {
            looked(t, r);
        }
    } else if (t->stage == DCP_TURN_ACT) {
        if (t->on) {
            asked_to_come(t, r);
        } else {
            asked_to_go(t, r);
        }
    }
}

void
dcp_turn_begin(struct dcp_turn *t, bool on, bool only_watch,
               int64_t estimate_ms)
{
    const struct dcp_power_timing *timing = t->host.timing;
    int64_t wanted_ms = on           ? timing->on_ms
                        : only_watch ? timing->off_ms
                                     : timing->guests_wait_ms;

    if (on && wanted_ms < 3 * estimate_ms) {
        wanted_ms = 3 * estimate_ms;
    }
    t->on = on;
    t->only_watch = only_watch;
    t->acted = t->was_off = t->ok = false;
    t->n_sent = 0;
    t->sent_ms = dcp_boot_ms();
    t->until_ms = t->sent_ms + wanted_ms;
    t->text[0] = t->note[0] = '\0';
    next(t, only_watch ? DCP_TURN_WATCH : DCP_TURN_LOOK, 0);
    if (only_watch && !on && t->off_since_ms) {
        t->due_ms = t->off_since_ms + timing->off_gap_ms;
    }
}

void
dcp_turn_go(struct dcp_turn *t)
{
    struct dcp_call_reply reply;

    for (;;) {
        if (t->call.pid) {
            if (!dcp_call_poll(&t->call, &reply)) {
                return;
            }
            take_reply(t, &reply);
        } else if (dcp_boot_ms() >= t->due_ms) {
            do_what_is_due(t);
        } else {
            return;
        }
    }
}

int64_t
dcp_turn_due_ms(const struct dcp_turn *t)
{
    return t->stage == DCP_TURN_IDLE || t->stage == DCP_TURN_ENDED ? INT64_MAX
           : t->call.pid ? t->call.deadline_ms
                         : t->due_ms;
}

bool
dcp_turn_cancel(struct dcp_turn *t, struct dcp_error *err)
{
    if (t->stage == DCP_TURN_IDLE || t->stage == DCP_TURN_ENDED) {
        return true;
    }
    if (t->acted) {
        return dcp_fail(err, DCP_E_REFUSED,
                        "host '%s' was asked already, which cannot be taken "
                        "back",
                        t->host.name);
    }
    dcp_call_abandon(&t->call);
    give_up(t, "given up before host '%.60s' was asked", t->host.name);
    return true;
}

/* Beside whatever call the turn has under way, of which it changes nothing but
 * what is known. */
bool
dcp_turn_look(struct dcp_turn *t, struct dcp_error *err)
{
    struct dcp_call_reply reply = { 0 };
    struct dcp_call look;

    if (!t->seen_ms || dcp_boot_ms() - t->seen_ms >= t->host.timing->fresh_ms) {
        if (!call(t, DCP_CALL_LOOK, &look, err)) {
            return false;
        }
        dcp_call_wait(&look, &reply);
        (void)take_look(t, &reply);
        if (!reply.ok) {
            return dcp_fail(err, reply.code, "%s", reply.text);
        }
    }
    return !t->stranger || dcp_fail(err, DCP_E_REFUSED, "%s", t->refusal);
}
