/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/libvirt/see.h"

#include <stdio.h>
#include <string.h>

bool
dcp_see_is_move(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_MIGRATE;
}

/* Where the step's VM is to be acted on: a stop is at 'from', a start at
 * 'to'. */
uint32_t
dcp_see_host(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_VM_STOP || s->kind == DCP_STEP_VM_PARK ||
                   dcp_see_is_move(s)
               ? s->from.ix
               : s->to.ix;
}

static const char *
name_of(const struct dcp_see *e, uint32_t host)
{
    return e->inventory->hosts[host].name;
}

void
dcp_see_look(struct dcp_see *e, const struct dcp_step *s)
{
    dcp_watch_look(e->watch, (dcp_vm_id){ s->object.ix }, e->seen);
}

/* A domain of somebody else's has the VM's name, at one of the step's ends. */
static bool
is_foreign(const struct dcp_see *e, const struct dcp_step *s, char text[160])
{
    uint32_t ends[2] = { dcp_see_host(s),
                         dcp_see_is_move(s) ? s->to.ix : dcp_see_host(s) };

    for (uint32_t k = 0; k < 2; k++) {
        if (e->seen[ends[k]].foreign) {
            (void)snprintf(text, 160,
                           "a domain on %.40s has its name and another UUID: "
                           "rename that, or give the VM's uuid in dc.yaml",
                           name_of(e, ends[k]));
            return true;
        }
    }
    return false;
}

static void
add_trouble(const struct dcp_see *e, uint32_t host, char text[160])
{
    const char *trouble = dcp_watch_trouble(e->watch, host);
    size_t n = strlen(text);

    if (*trouble && n < 150) {
        (void)snprintf(text + n, 160 - n, " (%.80s)", trouble);
    }
}

static enum dcp_effect
see_move(struct dcp_see *e, const struct dcp_step *s, struct dcp_look_result *r,
         char text[160])
{
    dcp_look_judge_move(e->seen, e->inventory->n_hosts, s->from.ix, s->to.ix,
                        r);
    (void)snprintf(text, 160, "%s", r->text);
    switch (r->verdict) {
    case DCP_LOOK_NOT_BEGUN:
    case DCP_LOOK_UNTIDY: /* 'start' tidies up, and goes on. */
        return DCP_EFFECT_ABSENT;
    case DCP_LOOK_UNDER_WAY:
        return DCP_EFFECT_RUNNING;
    case DCP_LOOK_ARRIVED:
        return DCP_EFFECT_PRESENT;
    case DCP_LOOK_ELSEWHERE:
    case DCP_LOOK_STUCK:
        return DCP_EFFECT_ELSEWHERE;
    case DCP_LOOK_UNKNOWN:
        break;
    }
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t h = k ? s->to.ix : s->from.ix;

        if (e->seen[h].reach == DCP_LOOK_SILENT) {
            add_trouble(e, h, text);
        }
    }
    return DCP_EFFECT_UNKNOWN;
}

/* Running at 'to' and nowhere else. */
static enum dcp_effect
see_start(const struct dcp_see *e, const struct dcp_step *s,
          const struct dcp_look_place *place, char text[160])
{
    uint32_t to = s->to.ix;

    if (place->n_active) {
        uint32_t at = place->active_at;

        if (place->n_active == 1 && at == to &&
            e->seen[at].state == DCP_LOOK_RUNNING) {
            return e->seen[at].job ? DCP_EFFECT_RUNNING : DCP_EFFECT_PRESENT;
        }
        (void)snprintf(text, 160, "it %s on %.60s",
                       place->n_active > 1 ? "is on several hosts, one is"
                       : e->seen[at].state == DCP_LOOK_PAUSED ? "is paused"
                                                              : "runs",
                       name_of(e, at));
        return DCP_EFFECT_ELSEWHERE;
    }
    if (place->silent_at != UINT32_MAX) {
        (void)snprintf(text, 160, "%.60s does not answer, it may run there",
                       name_of(e, place->silent_at));
        return DCP_EFFECT_UNKNOWN;
    }
    if (e->seen[to].reach != DCP_LOOK_ANSWERED ||
        e->seen[to].state != DCP_LOOK_DEFINED) {
        (void)snprintf(text, 160, "it is not defined on %.60s", name_of(e, to));
        return DCP_EFFECT_ELSEWHERE;
    }
    return DCP_EFFECT_ABSENT;
}

/* Not running; parked: with its memory saved at 'from'. */
static enum dcp_effect
see_stop(const struct dcp_see *e, const struct dcp_step *s,
         const struct dcp_look_place *place, char text[160])
{
    uint32_t from = s->from.ix;
    bool park = s->kind == DCP_STEP_VM_PARK;

    if (place->n_active) {
        if (place->active_at == from && place->n_active == 1) {
            return e->seen[from].job ? DCP_EFFECT_RUNNING : DCP_EFFECT_ABSENT;
        }
        (void)snprintf(text, 160, "it is on %.60s",
                       name_of(e, place->active_at));
        return DCP_EFFECT_ELSEWHERE;
    }
    if (place->silent_at != UINT32_MAX) {
        (void)snprintf(text, 160, "%.60s does not answer, it may run there",
                       name_of(e, place->silent_at));
        return DCP_EFFECT_UNKNOWN;
    }
    if (place->n_defined && (!park || place->saved_at == from)) {
        return DCP_EFFECT_PRESENT;
    }
    (void)snprintf(text, 160, "%s",
                   place->n_defined ? "it is shut down, its memory is not saved"
                                    : "no host knows it");
    return DCP_EFFECT_ELSEWHERE;
}

/* Of what was seen last. */
enum dcp_effect
dcp_see_judge(struct dcp_see *e, const struct dcp_step *s,
              struct dcp_look_result *r, char text[160])
{
    struct dcp_look_place place;

    text[0] = '\0';
    *r = (struct dcp_look_result){ .verdict = DCP_LOOK_UNKNOWN };
    if (is_foreign(e, s, text)) {
        return DCP_EFFECT_ELSEWHERE;
    }
    if (dcp_see_is_move(s)) {
        return see_move(e, s, r, text);
    }
    dcp_look_find(e->seen, e->inventory->n_hosts, &place);
    return s->kind == DCP_STEP_VM_STOP || s->kind == DCP_STEP_VM_PARK
               ? see_stop(e, s, &place, text)
               : see_start(e, s, &place, text);
}
