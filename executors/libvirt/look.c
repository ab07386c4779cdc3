/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/libvirt/look.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void
say(struct dcp_look_result *out, enum dcp_look_verdict verdict,
    const char *format, ...)
{
    va_list args;

    out->verdict = verdict;
    va_start(args, format);
    (void)vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
}

static void
want(struct dcp_look_result *out, enum dcp_look_act act, uint32_t at,
     bool arrived)
{
    out->verdict = DCP_LOOK_UNTIDY;
    out->act = act;
    out->act_at = at;
    out->arrived = arrived;
}

static bool
is_active(const struct dcp_look_at *h)
{
    return h->reach == DCP_LOOK_ANSWERED &&
           (h->state == DCP_LOOK_RUNNING || h->state == DCP_LOOK_PAUSED);
}

static bool
runs(const struct dcp_look_at *h)
{
    return h->reach == DCP_LOOK_ANSWERED && h->state == DCP_LOOK_RUNNING;
}

static bool
is_paused(const struct dcp_look_at *h)
{
    return h->reach == DCP_LOOK_ANSWERED && h->state == DCP_LOOK_PAUSED;
}

/* Half of its memory is on the other side: neither copy is whole. */
static bool
is_post_copy(const struct dcp_look_at *h)
{
    return (runs(h) && (h->reason == DCP_LOOK_RUNNING_POST_COPY ||
                        h->reason == DCP_LOOK_RUNNING_POST_COPY_FAILED)) ||
           (is_paused(h) && (h->reason == DCP_LOOK_PAUSED_POST_COPY ||
                             h->reason == DCP_LOOK_PAUSED_POST_COPY_FAILED));
}

/* A copy that came, or was to go, by a migration; not one that a person
 * paused. */
static bool
is_paused_by_migration(const struct dcp_look_at *h)
{
    return is_paused(h) && (h->reason == DCP_LOOK_PAUSED_MIGRATION ||
                            h->reason == DCP_LOOK_PAUSED_STARTING_UP);
}

void
dcp_look_find(const struct dcp_look_at hosts[], uint32_t n,
              struct dcp_look_place *out)
{
    *out = (struct dcp_look_place){ .active_at = UINT32_MAX,
                                    .defined_at = UINT32_MAX,
                                    .saved_at = UINT32_MAX,
                                    .silent_at = UINT32_MAX };
    for (uint32_t i = n; i-- > 0;) {
        const struct dcp_look_at *h = &hosts[i];

        if (h->reach == DCP_LOOK_SILENT) {
            out->silent_at = i;
        }
        if (h->reach != DCP_LOOK_ANSWERED || h->state == DCP_LOOK_NOT_HERE) {
            continue;
        }
        out->n_defined++;
        out->defined_at = i;
        if (h->saved) {
            out->saved_at = i;
        }
        if (is_active(h)) {
            out->n_active++;
            out->active_at = i;
        }
    }
}

/* True: a third host decides. */
static bool
judge_others(const struct dcp_look_at hosts[], uint32_t n, uint32_t from,
             uint32_t to, struct dcp_look_result *out)
{
    uint32_t n_running = 0, last = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (runs(&hosts[i])) {
            if (n_running++ && !is_post_copy(&hosts[i]) &&
                !is_post_copy(&hosts[last])) {
                say(out, DCP_LOOK_STUCK,
                    "it runs on %.40s and on %.40s at once: stop one of the "
                    "two now",
                    hosts[last].host, hosts[i].host);
                return true;
            }
            last = i;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (i != from && i != to && is_active(&hosts[i])) {
            say(out, DCP_LOOK_ELSEWHERE, "it is on %.60s, somebody moved it",
                hosts[i].host);
            return true;
        }
    }
    return false;
}

static void
judge_post_copy(const struct dcp_look_at *src, const struct dcp_look_at *dst,
                struct dcp_look_result *out)
{
    say(out, DCP_LOOK_STUCK,
        "its memory is half on %.30s and half on %.30s: resume the migration "
        "(virsh migrate --postcopy-resume), destroy neither",
        src->host, dst->host);
}

/* The source does not answer. */
static void
judge_silent_source(const struct dcp_look_at *src,
                    const struct dcp_look_at *dst, struct dcp_look_result *out)
{
    say(out, DCP_LOOK_UNKNOWN, "%.60s does not answer; %s %.60s", src->host,
        runs(dst)        ? "it runs on"
        : is_paused(dst) ? "a paused copy is on"
                         : "nothing is seen on",
        dst->host);
}

static void
judge_running_source(const struct dcp_look_at *src,
                     const struct dcp_look_at *dst, uint32_t to,
                     struct dcp_look_result *out)
{
    if (is_paused_by_migration(dst) && dst->persistent) {
        say(out, DCP_LOOK_STUCK,
            "it runs on %.50s, and %.50s has a paused copy that is defined "
            "there: look which one to keep",
            src->host, dst->host);
    } else if (is_paused_by_migration(dst)) {
        say(out, DCP_LOOK_UNTIDY,
            "it runs on %.50s; a copy that never ran is left on %.50s",
            src->host, dst->host);
        want(out, DCP_LOOK_DESTROY, to, false);
    } else if (is_paused(dst)) {
        say(out, DCP_LOOK_STUCK,
            "it runs on %.50s, and somebody paused a copy on %.50s: look "
            "which one to keep",
            src->host, dst->host);
    } else {
        say(out, DCP_LOOK_NOT_BEGUN, "%s", "");
    }
}

static void
judge_paused_source(const struct dcp_look_at hosts[], uint32_t n, uint32_t from,
                    uint32_t to, struct dcp_look_result *out)
{
    const struct dcp_look_at *src = &hosts[from], *dst = &hosts[to];
    struct dcp_look_place place;

    dcp_look_find(hosts, n, &place);
    if (runs(dst)) {
        say(out, DCP_LOOK_UNTIDY,
            "it runs on %.50s; a paused copy is left on %.50s", dst->host,
            src->host);
        want(out, DCP_LOOK_DESTROY, from, true);
    } else if (is_paused_by_migration(dst) && !dst->persistent) {
        say(out, DCP_LOOK_UNTIDY,
            "paused on %.50s; a copy that never ran is left on %.50s",
            src->host, dst->host);
        want(out, DCP_LOOK_DESTROY, to, false);
    } else if (is_paused(dst)) {
        say(out, DCP_LOOK_STUCK,
            "paused copies are on %.50s and %.50s: look which one to keep",
            src->host, dst->host);
    } else if (src->reason != DCP_LOOK_PAUSED_MIGRATION) {
        say(out, DCP_LOOK_ELSEWHERE,
            "it is paused on %.60s, and not by a migration: resume it or leave "
            "it out",
            src->host);
    } else if (place.silent_at != UINT32_MAX) {
        say(out, DCP_LOOK_UNKNOWN,
            "paused on %.40s; %.40s does not answer, so it cannot be seen "
            "whether it runs there",
            src->host, hosts[place.silent_at].host);
    } else {
        say(out, DCP_LOOK_UNTIDY, "left paused on %.60s, it runs nowhere else",
            src->host);
        want(out, DCP_LOOK_RESUME, from, false);
    }
}

/* It does not run at the source, or the source is off. */
static void
judge_gone(const struct dcp_look_at *src, uint32_t from,
           const struct dcp_look_at *dst, uint32_t to,
           struct dcp_look_result *out)
{
    if (runs(dst) && !dst->persistent) {
        say(out, DCP_LOOK_UNTIDY, "it runs on %.60s but is not defined there",
            dst->host);
        want(out, DCP_LOOK_DEFINE, to, true);
    } else if (runs(dst) && src->reach == DCP_LOOK_ANSWERED &&
               src->state == DCP_LOOK_DEFINED && src->saved) {
        say(out, DCP_LOOK_STUCK,
            "it runs on %.50s, and %.50s has saved memory of it: remove that "
            "(virsh managedsave-remove)",
            dst->host, src->host);
    } else if (runs(dst) && src->reach == DCP_LOOK_ANSWERED &&
               src->state == DCP_LOOK_DEFINED) {
        say(out, DCP_LOOK_UNTIDY,
            "it runs on %.50s; its definition is left on %.50s", dst->host,
            src->host);
        want(out, DCP_LOOK_UNDEFINE, from, true);
    } else if (runs(dst)) {
        say(out, DCP_LOOK_ARRIVED, "%s", "");
        out->arrived = true;
    } else if (is_paused_by_migration(dst)) {
        say(out, DCP_LOOK_UNKNOWN,
            "only a copy that is still paused is seen, on %.60s", dst->host);
    } else if (is_paused(dst)) {
        say(out, DCP_LOOK_ELSEWHERE, "it is paused on %.60s by somebody",
            dst->host);
    } else if (dst->reach == DCP_LOOK_SILENT) {
        say(out, DCP_LOOK_UNKNOWN,
            "it does not run on %.50s, and %.50s does not answer", src->host,
            dst->host);
    } else {
        say(out, DCP_LOOK_UNKNOWN,
            "it runs nowhere; %.60s: start it where it is defined, or leave it "
            "out",
            src->state == DCP_LOOK_DEFINED ? src->host : "it may have crashed");
    }
}

void
dcp_look_judge_move(const struct dcp_look_at hosts[], uint32_t n, uint32_t from,
                    uint32_t to, struct dcp_look_result *out)
{
    const struct dcp_look_at *src = &hosts[from], *dst = &hosts[to];

    *out = (struct dcp_look_result){ .verdict = DCP_LOOK_UNKNOWN };
    if (judge_others(hosts, n, from, to, out)) {
        return;
    }
    if ((is_active(src) && src->job) || (is_active(dst) && dst->job)) {
        say(out, DCP_LOOK_UNDER_WAY, "%s", "");
    } else if (is_post_copy(src) || is_post_copy(dst)) {
        judge_post_copy(src, dst, out);
    } else if (src->reach == DCP_LOOK_SILENT) {
        judge_silent_source(src, dst, out);
    } else if (runs(src)) {
        judge_running_source(src, dst, to, out);
    } else if (is_paused(src)) {
        judge_paused_source(hosts, n, from, to, out);
    } else {
        judge_gone(src, from, dst, to, out);
    }
}
