/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A look that fails proves nothing either way: it neither counts as "off" nor
 * breaks the run of readings that do. */

#include "executors/power/fence.h"

#include "executors/power/boot_clock.h"
#include "executors/power/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum seen { SEEN_OFF, SEEN_OTHER, SEEN_NOTHING, SEEN_REFUSED };

struct attempt {
    const struct dcp_fence_options *options;
    const struct dcp_fence_level *level;
    struct dcp_fence_report *report;
    int64_t off_since_ms; /* All off, and none otherwise since; 0: not. */
};

void
dcp_fence_options_default(struct dcp_fence_options *out)
{
    *out = (struct dcp_fence_options){
        .ipmitool = "ipmitool",
        .look_ms = 8000,
        .act_ms = 15000,
        .poll_ms = 1000,
        .off_gap_ms = 6000,
        .try_ms = 20000,
        .n_tries = 3,
    };
}

static void DCP_PRINTF(2, 3) tell(struct attempt *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(a->report->text, sizeof a->report->text, format, args);
    va_end(args);
    dcp_one_line(a->report->text);
}

static bool
ask(struct attempt *a, const struct dcp_fence_device *d,
    enum dcp_call_verb verb, struct dcp_call_reply *out)
{
    const struct dcp_call_request q = {
        .verb = verb,
        .bmc = d->bmc,
        .uuid = d->uuid,
        .identify = true,
        .ipmitool = a->options->ipmitool,
        .timeout_ms =
            verb == DCP_CALL_LOOK ? a->options->look_ms : a->options->act_ms,
    };
    struct dcp_error err = { 0 };
    struct dcp_call call;

    if (!dcp_call_start(&call, &q, &err)) {
        *out = (struct dcp_call_reply){ .code = err.code };
        (void)snprintf(out->text, sizeof out->text, "%.290s", err.message);
    } else {
        dcp_call_wait(&call, out);
    }
    if (!out->ok) {
        tell(a, "%s: %s", a->level->name, out->text);
    }
    return out->ok;
}

static enum seen
look(struct attempt *a, const struct dcp_fence_device *d)
{
    struct dcp_call_reply reply;
    struct dcp_guid wanted, said;

    if (!ask(a, d, DCP_CALL_LOOK, &reply)) {
        return reply.code == DCP_E_REFUSED || reply.code == DCP_E_UNSUPPORTED
                   ? SEEN_REFUSED
                   : SEEN_NOTHING;
    }
    if (!dcp_guid_parse(d->uuid, &wanted) ||
        !dcp_guid_parse(reply.said, &said) || !dcp_guid_same(&wanted, &said)) {
        tell(a, "%s: it says that it is '%s', not '%.40s': not touched",
             a->level->name, reply.said, d->uuid);
        return SEEN_REFUSED;
    }
    return reply.power == DCP_POWER_OFF ? SEEN_OFF : SEEN_OTHER;
}

/* One look at all, and "off" to those that need it if 'may_send'.  False: the
 * level is of no use. */
static bool
go_round(struct attempt *a, bool may_send, bool *out_sent)
{
    bool all_off = true;

    for (uint32_t i = 0; i < a->level->n_devices; i++) {
        const struct dcp_fence_device *d = &a->level->devices[i];
        struct dcp_call_reply reply;
        enum seen seen = look(a, d);

        if (seen == SEEN_REFUSED) {
            return false;
        }
        all_off &= seen == SEEN_OFF;
        if (seen == SEEN_OTHER) {
            a->off_since_ms = 0;
        }
        if (seen == SEEN_OTHER && may_send) {
            *out_sent = true;
            a->report->n_sent++;
            if (ask(a, d, DCP_CALL_HARD, &reply)) {
                tell(a, "%s: it was asked, and is not off", a->level->name);
            }
        }
    }
    int64_t now_ms = dcp_boot_ms();

    if (all_off && !a->off_since_ms) {
        a->off_since_ms = now_ms;
    }
    if (all_off && now_ms - a->off_since_ms >= a->options->off_gap_ms) {
        a->report->fenced = true;
        a->report->off_ms = a->off_since_ms;
        a->report->proven_ms = now_ms;
    }
    return true;
}

/* True: go on with the next try. */
static bool
try_once(struct attempt *a)
{
    const struct dcp_fence_options *o = a->options;
    const struct timespec nap = { .tv_sec = o->poll_ms / 1000,
                                  .tv_nsec = o->poll_ms % 1000 * 1000000 };
    int64_t until_ms = dcp_boot_ms() + o->try_ms;
    bool sent = false;

    for (;;) {
        if (!go_round(a, !sent, &sent) || a->report->fenced) {
            return false;
        }
        int64_t end_ms =
            a->off_since_ms ? a->off_since_ms + o->off_gap_ms + o->poll_ms : 0;

        if (dcp_boot_ms() >= (end_ms > until_ms ? end_ms : until_ms)) {
            return true;
        }
        (void)nanosleep(&nap, NULL);
    }
}

bool
dcp_fence(const struct dcp_fence_options *options, struct dcp_fence_report *out,
          struct dcp_error *err)
{
    *out = (struct dcp_fence_report){ 0 };
    if (!options->n_levels) {
        return dcp_fail(err, DCP_E_ARGUMENT, "no level to fence by");
    }
    for (uint32_t l = 0; l < options->n_levels && !out->fenced; l++) {
        struct attempt a = { .options = options,
                             .level = &options->levels[l],
                             .report = out };

        out->level = l;
        if (!a.level->n_devices) {
            tell(&a, "%s: no device", a.level->name);
            continue;
        }
        for (uint32_t i = 0; i < options->n_tries && try_once(&a); i++) {
        }
    }
    if (out->fenced) {
        out->text[0] = '\0';
    }
    return true;
}
