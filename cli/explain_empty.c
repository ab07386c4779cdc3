/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Why a host that is on at the end of the first leg is not off: which VMs hold
 * it, and the least to give up. */

#include "cli/explain.h"
#include "cli/place.h"
#include "cli/planning.h"
#include "model/base/units.h"
#include "model/duty.h"
#include "model/io/plan_options.h"
#include "solver/explain/emptying.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_S    10.0
#define ITERATIONS 40 /* Some way is enough. */
#define HELD_SHOWN 4u

/* What its VMs need, and what the other hosts that are on have free. */
struct room {
    const char *name, *unit;
    double need, free, most; /* 'most': on one host. */
};

struct answer {
    struct dcp_emptying e;
    struct room room[2]; /* Memory; CPU in the host's fullest slot. */
    uint32_t n_others;   /* Hosts that are on. */
    bool has_value;
    struct dcp_worth worth; /* 'planned' and 'alone', for its amounts. */
};

static struct room
room_of(const struct dcp_explain *x, uint32_t host, const char *name,
        const char *unit, const uint32_t *used, const uint32_t *cap,
        size_t stride)
{
    struct room r = { .name = name, .unit = unit, .need = used[host * stride] };

    for (uint32_t h = 0; h < x->problem->n_hosts; h++) {
        double left = (double)cap[h] - used[h * stride];

        if (h != host && x->state->on[h] && left > 0) {
            r.free += left;
            r.most = fmax(r.most, left);
        }
    }
    return r;
}

static void
count_room(const struct dcp_explain *x, uint32_t host, struct answer *a)
{
    const struct dcp_problem *p = x->problem;
    const uint32_t *cpu = x->state->cpu_mhz + (size_t)host * p->stride;
    uint32_t fullest = 0;

    for (uint32_t t = 1; t < p->n_slots; t++) {
        fullest = cpu[t] > cpu[fullest] ? t : fullest;
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts;

        if (p->scalar_id[r] == DCP_SCALAR_MEM) {
            a->room[0] = room_of(x, host, "memory", "MiB", x->state->used + at,
                                 p->cap + at, 1);
        }
    }
    if (p->n_slots) {
        a->room[1] = room_of(x, host, "cpu", "MHz", x->state->cpu_mhz + fullest,
                             p->cap_cpu_mhz, p->stride);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        a->n_others += h != host && x->state->on[h];
    }
}

/* The plan's value with the host emptied so. */
static bool
weigh(struct dcp_explain *x, struct answer *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_placement *end = a->e.placement;
    struct dcp_plan_outcome with, without;
    const char *why_not;

    if (!end || !dcp_explain_request(x, &why_not, err)) {
        return !end;
    }
    if (!x->has_request) {
        return true;
    }
    const struct dcp_placement *later =
        plan->n_legs > 1 ? plan->legs[1].after : NULL;

    if (!dcp_plan_weigh(&x->request, end, later ? later : end, &with, err) ||
        !dcp_plan_weigh(&x->request, plan->legs[0].after,
                        later ? later : plan->legs[0].after, &without, err)) {
        return false;
    }
    a->has_value = true;
    a->worth = (struct dcp_worth){ .planned = without.after,
                                   .alone = with.after,
                                   .unit = with.unit };
    return true;
}

static bool
find(struct dcp_explain *x, uint32_t host, struct answer *a,
     struct dcp_error *err)
{
    struct dcp_conflict_options o = {
        .solve = { .seed = x->open.plan->seed, .iterations = ITERATIONS },
        .time_limit_s = x->g->time_limit_s > 0 ? x->g->time_limit_s : LIMIT_S,
    };

    *a = (struct answer){ 0 };
    count_room(x, host, a);
    return dcp_emptying_find(&x->question, host, &o, &a->e, err) &&
           weigh(x, a, err);
}

static bool
empties_hosts(const struct dcp_plan *plan)
{
    struct dcp_plan_options o;

    return dcp_plan_options_read(plan, &o, NULL) &&
           !strcmp(o.command, "consolidate");
}

/* Of jobs that switch hosts off.  Hosts that are on for other reasons than VMs
 * are explained by those. */
static bool
is_asked(const struct dcp_explain *x, uint32_t leg, uint32_t host)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    return leg == 0 && empties_hosts(x->open.plan) &&
           x->open.plan->legs[0].after->on[host] &&
           inv->hosts[host].state != DCP_HOST_MAINTENANCE &&
           dcp_host_duty(inv, (dcp_host_id){ host },
                         x->open.plan->legs[0].start_ms, NULL,
                         0) == DCP_DUTY_NONE;
}

/* --- Text --------------------------------------------------------------- */

static void
print_held(const struct dcp_inventory *inv, const struct dcp_emptying *e)
{
    for (uint32_t i = 0; i < e->n_held && i < HELD_SHOWN; i++) {
        const struct dcp_held *h = &e->held[i];

        printf("    %-8s %s: none of the %u other hosts that are on takes it, "
               "even alone; %u of them as %s: %s\n",
               i ? "" : "held by", inv->vms[h->vm].name, h->n_hosts, h->n_why,
               inv->hosts[h->host].name, h->why.text);
    }
    if (e->n_held > HELD_SHOWN) {
        printf("    %-8s and %u more\n", "", e->n_held - HELD_SHOWN);
    }
}

static void
print_room(const struct answer *a)
{
    for (int i = 0; i < 2; i++) {
        const struct room *r = &a->room[i];

        if (r->name) {
            printf("    %-8s %s: its VMs need %.0f %s; free on the others %.0f "
                   "in all, %.0f at most on one\n",
                   i ? "" : "room", r->name, r->need, r->unit, r->free,
                   r->most);
        }
    }
}

static uint32_t
shown(uint32_t n)
{
    return n < DCP_CONFLICT_PARTS ? n : DCP_CONFLICT_PARTS;
}

static void
print_conflict(const struct answer *a)
{
    const struct dcp_conflict *c = &a->e.conflict;

    if (c->hopeless) {
        printf("    %-8s room and reach alone: with all rules and limits of "
               "policy given up there is none\n",
               "against");
    }
    for (uint32_t i = 0; i < shown(c->n_clash); i++) {
        printf("%s%s",
               i == 0                      ? "    against  "
               : i + 1 < shown(c->n_clash) ? ", "
                                           : " and ",
               c->clash[i].name);
    }
    if (c->n_clash) {
        printf("%s cannot be kept%s then\n",
               c->n_clash > DCP_CONFLICT_PARTS ? " and others" : "",
               c->n_clash > 1 ? " together" : "");
    }
    for (uint32_t i = 0; i < shown(c->n_relax); i++) {
        char text[DCP_CONFLICT_PART_TEXT];

        dcp_conflict_part_text(&c->relax[i], text, sizeof text);
        printf("    %-8s %s: %s\n", i ? "and" : "give up", c->relax[i].name,
               text);
    }
    if (c->n_relax && !c->relax_partial) {
        printf("    %-8s then the others take its VMs%s\n", "",
               !c->relax_proved ? "; that this is needed was not proved"
               : c->n_relax > 1 ? ", and none of these can be kept"
                                : "");
    }
}

static void
print_answer(const struct dcp_inventory *inv, const struct answer *a)
{
    const struct dcp_emptying *e = &a->e;
    char with[64], planned[64];

    if (e->forbids[0]) {
        printf("    %-8s cannot be: %s\n", "off", e->forbids);
        return;
    }
    if (e->answer == DCP_EMPTYING_CAN) {
        if (e->n_vms) {
            printf("    %-8s the others that are on would take its VMs: %u "
                   "moves from the end of this leg",
                   "off", e->n_moves);
        } else {
            printf("    %-8s no rule and no headroom stands against it", "off");
        }
        if (a->has_value) {
            dcp_explain_amount(&a->worth, a->worth.alone, with, sizeof with);
            dcp_explain_amount(&a->worth, a->worth.planned, planned,
                               sizeof planned);
            printf("; the plan would come to %s instead of %s", with, planned);
        }
        printf("%s\n", a->has_value && a->worth.alone < a->worth.planned
                           ? " (plan with more time, or more iterations)"
                           : "");
        return;
    }
    printf("    %-8s %s with no more than the %u other hosts that are on%s\n",
           "off",
           e->answer == DCP_EMPTYING_CANNOT ? "impossible, proved,"
                                            : "no way was found",
           a->n_others,
           e->answer == DCP_EMPTYING_CANNOT ? "" : "; nothing is proved");
    print_held(inv, e);
    print_room(a);
    print_conflict(a);
}

bool
dcp_explain_print_empty(struct dcp_explain *x, uint32_t leg, uint32_t host,
                        struct dcp_error *err)
{
    struct answer a;

    if (!is_asked(x, leg, host)) {
        return true;
    }
    if (!find(x, host, &a, err)) {
        return false;
    }
    print_answer(dcp_explain_inventory(x), &a);
    dcp_emptying_finish(&a.e);
    return true;
}

/* --- JSON --------------------------------------------------------------- */

static void
json_held(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_emptying *e)
{
    dcp_json_karray(w, "held_by");
    for (uint32_t i = 0; i < e->n_held && i < DCP_HELD_MAX; i++) {
        const struct dcp_held *h = &e->held[i];

        dcp_json_begin(w, '{');
        dcp_json_kstring(w, "vm", inv->vms[h->vm].name);
        dcp_json_ku64(w, "hosts", h->n_hosts);
        dcp_json_ku64(w, "hosts_for_this", h->n_why);
        dcp_json_kstring(w, "host", inv->hosts[h->host].name);
        dcp_place_json_refusal(w, &h->why);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_ku64(w, "held_by_total", e->n_held);
}

static void
json_room(struct dcp_json *w, const struct answer *a)
{
    dcp_json_karray(w, "room");
    for (int i = 0; i < 2; i++) {
        const struct room *r = &a->room[i];

        if (r->name) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "resource", r->name);
            dcp_json_kstring(w, "unit", r->unit);
            dcp_json_kdouble(w, "need", r->need);
            dcp_json_kdouble(w, "free", r->free);
            dcp_json_kdouble(w, "most_on_one", r->most);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
}

bool
dcp_explain_json_empty(struct dcp_explain *x, struct dcp_json *w, uint32_t leg,
                       uint32_t host, struct dcp_error *err)
{
    static const char *const answers[] = { "can", "cannot", "not_found" };
    struct answer a;

    if (!is_asked(x, leg, host)) {
        dcp_json_knull(w, "emptying");
        return true;
    }
    if (!find(x, host, &a, err)) {
        return false;
    }
    dcp_json_kobject(w, "emptying");
    dcp_json_kstring(w, "answer", answers[a.e.answer]);
    dcp_json_kstring(w, "forbidden_by", a.e.forbids[0] ? a.e.forbids : NULL);
    dcp_json_ku64(w, "hosts_on_besides", a.n_others);
    dcp_json_ku64(w, "moves", a.e.n_moves);
    dcp_json_kdouble(w, "value", a.has_value ? a.worth.alone : NAN);
    dcp_json_kdouble(w, "planned", a.has_value ? a.worth.planned : NAN);
    json_held(w, dcp_explain_inventory(x), &a.e);
    json_room(w, &a);
    dcp_conflict_json(w, &a.e.conflict);
    dcp_json_end(w, '}');
    dcp_emptying_finish(&a.e);
    return true;
}
