/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The form of a plan, before its meaning: what later parts rely on so that
 * they need not look again. */

#include "model/check/leg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct dcp_object no_object = { DCP_OBJECT_NONE, 0 };

static bool
in_range(const struct dcp_inventory *inv, struct dcp_object o)
{
    switch (o.kind) {
    case DCP_OBJECT_NONE:
        return true;
    case DCP_OBJECT_VM:
        return o.ix < inv->n_vms;
    case DCP_OBJECT_HOST:
        return o.ix < inv->n_hosts;
    case DCP_OBJECT_VLAN:
        return o.ix < inv->n_vlans;
    case DCP_OBJECT_VOLUME:
        return o.ix < inv->n_volumes;
    case DCP_OBJECT_POOL:
        return o.ix < inv->n_pools;
    case DCP_OBJECT_RACK:
        return o.ix < inv->n_racks;
    case DCP_OBJECT_FEED:
        return o.ix < inv->n_feeds;
    }
    return false;
}

/* What a kind of step acts on; 'judged' false: its effect is not known. */
static bool
shape_of(enum dcp_step_kind kind, enum dcp_object_kind shape[3])
{
    enum dcp_object_kind object = DCP_OBJECT_NONE, from = DCP_OBJECT_NONE,
                         to = DCP_OBJECT_NONE;
    bool judged = true;

    switch (kind) {
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_RESIZE:
        object = DCP_OBJECT_VM;
        from = to = DCP_OBJECT_HOST;
        break;
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_RESTORE:
        object = DCP_OBJECT_VM;
        to = DCP_OBJECT_HOST;
        break;
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VM_PARK:
        object = DCP_OBJECT_VM;
        from = DCP_OBJECT_HOST;
        break;
    case DCP_STEP_VOLUME_MOVE:
        object = DCP_OBJECT_VOLUME;
        from = to = DCP_OBJECT_POOL;
        break;
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        object = DCP_OBJECT_HOST;
        to = DCP_OBJECT_VLAN;
        break;
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
        object = DCP_OBJECT_HOST;
        break;
    case DCP_STEP_SYNC:
        break;
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
        judged = false;
        break;
    }
    shape[0] = object;
    shape[1] = from;
    shape[2] = to;
    return judged;
}

static bool
check_shape(const struct dcp_judge *j, const struct dcp_step *s)
{
    enum dcp_object_kind shape[3];

    if (!in_range(j->inv, s->object) || !in_range(j->inv, s->from) ||
        !in_range(j->inv, s->to)) {
        dcp_judge_report(j, s->id, "step", no_object, DCP_NO_NUMBER,
                         DCP_NO_NUMBER, "names what the model does not have");
        return false;
    }
    if (!shape_of(s->kind, shape)) {
        dcp_judge_report(j, s->id, "unsupported", s->object, DCP_NO_NUMBER,
                         DCP_NO_NUMBER, "the effect of %s cannot be judged",
                         dcp_step_kind_name(s->kind));
        return false;
    }
    if (s->object.kind != shape[0] || s->from.kind != shape[1] ||
        s->to.kind != shape[2] ||
        (s->kind != DCP_STEP_VM_RESIZE && shape[1] == shape[2] &&
         shape[1] != DCP_OBJECT_NONE && s->from.ix == s->to.ix) ||
        (s->kind == DCP_STEP_VM_RESIZE && s->from.ix != s->to.ix)) {
        dcp_judge_report(
            j, s->id, "step", s->object, DCP_NO_NUMBER, DCP_NO_NUMBER,
            "%s needs object %s, from %s, to %s, %s",
            dcp_step_kind_name(s->kind), dcp_object_kind_name(shape[0]),
            dcp_object_kind_name(shape[1]), dcp_object_kind_name(shape[2]),
            s->kind == DCP_STEP_VM_RESIZE ? "the same host" : "all different");
        return false;
    }
    if (s->kind == DCP_STEP_VM_RESIZE &&
        (!s->size_to.vcpus || !s->size_to.mem_mib ||
         s->size_to.mem_mib > UINT32_MAX)) {
        dcp_judge_report(j, s->id, "resize", s->object, DCP_NO_NUMBER,
                         DCP_NO_NUMBER, "a VM has at least 1 vCPU and 1 MiB");
        return false;
    }
    return true;
}

/* Kahn's algorithm: how many steps can never start.  Ids are good. */
static bool
count_circular(const struct dcp_judge *j, uint32_t *out_n)
{
    const struct dcp_plan *plan = j->plan;
    size_t n = plan->n_steps, n_waits = 0, n_ready = 0;

    for (size_t i = 0; i < n; i++) {
        n_waits += plan->steps[i].n_after;
    }
    DCP_FREE uint32_t *left = calloc(n + 1, sizeof *left);
    DCP_FREE uint32_t *ready = calloc(n + 1, sizeof *ready);
    DCP_FREE size_t *first = calloc(n + 2, sizeof *first);
    DCP_FREE uint32_t *later = calloc(n_waits + 1, sizeof *later);

    if (!left || !ready || !first || !later) {
        return dcp_judge_no_memory(j);
    }
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < plan->steps[i].n_after; k++) {
            first[plan->steps[i].after[k]]++;
        }
    }
    for (size_t id = 1; id <= n + 1; id++) {
        first[id] += first[id - 1]; /* The end of id, counted down below. */
    }
    for (size_t i = n; i-- > 0;) {
        left[i] = plan->steps[i].n_after;
        for (uint32_t k = 0; k < left[i]; k++) {
            later[--first[plan->steps[i].after[k]]] = (uint32_t)i;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!left[i]) {
            ready[n_ready++] = (uint32_t)i;
        }
    }
    for (size_t i = 0; i < n_ready; i++) {
        size_t id = (size_t)ready[i] + 1;

        for (size_t k = first[id]; k < first[id + 1]; k++) {
            if (--left[later[k]] == 0) {
                ready[n_ready++] = later[k];
            }
        }
    }
    *out_n = (uint32_t)(n - n_ready);
    return true;
}

static bool
check_waits(const struct dcp_judge *j, bool *sound)
{
    const struct dcp_plan *plan = j->plan;
    bool ids_ok = true, upward = false;
    uint32_t circular = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        for (uint32_t k = 0; k < s->n_after; k++) {
            uint32_t id = s->after[k];
            bool ok = id >= 1 && id <= plan->n_steps &&
                      (k == 0 || id > s->after[k - 1]);

            if (!ok) {
                dcp_judge_report(j, s->id, "order", s->object, id,
                                 plan->n_steps,
                                 "waits for step %u, which is not there or "
                                 "named twice",
                                 id);
                ids_ok = false;
            } else {
                upward = upward || id >= s->id;
            }
        }
    }
    if (ids_ok && upward) {
        if (!count_circular(j, &circular)) {
            return false;
        }
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            const struct dcp_step *s = &plan->steps[i];
            uint32_t last = s->n_after ? s->after[s->n_after - 1] : 0;

            if (last >= s->id) {
                dcp_judge_report(j, s->id, "order", s->object, last, s->id,
                                 circular ? "waits for step %u, in a circle"
                                          : "is listed before step %u, for "
                                            "which it waits",
                                 last);
            }
        }
    }
    *sound = *sound && ids_ok && !upward;
    return true;
}

static void
check_times(const struct dcp_judge *j, bool *sound)
{
    const struct dcp_plan *plan = j->plan;
    int64_t last_ms = plan->legs[plan->n_legs - 1].deadline_ms;

    if (plan->not_before_ms > plan->legs[0].start_ms ||
        plan->not_after_ms < last_ms) {
        dcp_judge_report(j, 0, "time", no_object, DCP_NO_NUMBER, DCP_NO_NUMBER,
                         "the legs are not all within the plan's validity");
    }
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        const struct dcp_leg *leg = &plan->legs[i];

        if (leg->start_ms >= leg->deadline_ms ||
            leg->deadline_ms > leg->buckets_until_ms) {
            dcp_judge_report(j, 0, "time", no_object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER,
                             "leg %s: start, deadline and buckets_until are "
                             "not in that order",
                             leg->name);
            *sound = false;
        }
        if (i && leg->start_ms < plan->legs[i - 1].deadline_ms) {
            dcp_judge_report(j, 0, "time", no_object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER,
                             "leg %s starts before leg %s has to be done",
                             leg->name, plan->legs[i - 1].name);
        }
        if (i && plan->legs[i - 1].buckets_until_ms < leg->deadline_ms) {
            dcp_judge_report(j, 0, "time", no_object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER,
                             "what leg %s leaves is not judged until leg %s "
                             "has to be done",
                             plan->legs[i - 1].name, leg->name);
        }
        if (leg->makespan_ms > leg->deadline_ms - leg->start_ms) {
            dcp_judge_report(
                j, 0, "deadline", no_object, (double)leg->makespan_ms,
                (double)(leg->deadline_ms - leg->start_ms),
                "leg %s is estimated to end after its deadline", leg->name);
        }
    }
}

/* A step's own times are within its leg, and in order. */
static bool
check_when(const struct dcp_judge *j, const struct dcp_step *s)
{
    const struct dcp_leg *leg = &j->plan->legs[s->leg];
    int64_t from_ms = s->not_before_ms ? s->not_before_ms : leg->start_ms;
    int64_t by_ms = s->start_by_ms ? s->start_by_ms : leg->deadline_ms;
    bool ok = from_ms >= leg->start_ms && from_ms <= by_ms &&
              by_ms <= leg->deadline_ms;

    if (!ok) {
        dcp_judge_report(j, s->id, "when", s->object, DCP_NO_NUMBER,
                         DCP_NO_NUMBER,
                         "the leg's start, not_before, start_by and the leg's "
                         "deadline are not in that order");
    }
    return ok;
}

/* No schedule is shorter than the longest chain of waits, nor than the moves
 * of one host by so many at once. */
static bool
check_durations(const struct dcp_judge *j)
{
    const struct dcp_plan *plan = j->plan;
    size_t n_hosts = j->inv->n_hosts;
    DCP_FREE int64_t *done = calloc((size_t)plan->n_steps + 1, sizeof *done);
    DCP_FREE int64_t *busy = calloc(2 * n_hosts + 1, sizeof *busy);
    int64_t longest[DCP_LEGS_MAX] = { 0 };

    if (!done || !busy) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        const struct dcp_leg *leg = &plan->legs[s->leg];
        int64_t start = s->not_before_ms ? s->not_before_ms - leg->start_ms : 0;

        if (i && s->leg != plan->steps[i - 1].leg) {
            memset(busy, 0, 2 * n_hosts * sizeof *busy);
        }
        for (uint32_t k = 0; k < s->n_after; k++) {
            const struct dcp_step *a = &plan->steps[s->after[k] - 1];

            if (a->leg == s->leg && done[a->id] > start) {
                start = done[a->id];
            }
        }
        int64_t least = done[s->id] = start + s->estimate_ms;

        if (s->start_by_ms && leg->start_ms + start > s->start_by_ms) {
            dcp_judge_report(
                j, s->id, "when", s->object, (double)start,
                (double)(s->start_by_ms - leg->start_ms),
                "what it waits for takes longer than until its start_by");
        }

        if (s->kind == DCP_STEP_MIGRATE && plan->limits.out_per_host &&
            plan->limits.in_per_host) {
            int64_t *out = &busy[s->from.ix], *in = &busy[n_hosts + s->to.ix];

            *out += s->estimate_ms;
            *in += s->estimate_ms;
            least = *out / plan->limits.out_per_host > least
                        ? *out / plan->limits.out_per_host
                        : least;
            least = *in / plan->limits.in_per_host > least
                        ? *in / plan->limits.in_per_host
                        : least;
        }
        longest[s->leg] = least > longest[s->leg] ? least : longest[s->leg];
    }
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        const struct dcp_leg *leg = &plan->legs[i];

        if (longest[i] > leg->deadline_ms - leg->start_ms) {
            dcp_judge_report(j, 0, "deadline", no_object, (double)longest[i],
                             (double)(leg->deadline_ms - leg->start_ms),
                             "leg %s: its steps take longer than there is time",
                             leg->name);
        }
    }
    return true;
}

static void
check_limits(const struct dcp_judge *j)
{
    const struct dcp_policy *p = &j->inv->policy;
    const struct dcp_plan_limits *l = &j->plan->limits;
    const struct {
        const char *name;
        uint32_t have, most;
    } rows[] = {
        { "out_per_host", l->out_per_host, p->out_per_host },
        { "in_per_host", l->in_per_host, p->in_per_host },
        { "units_per_10Gbit", l->units_per_10gbit, p->units_per_10gbit },
        { "host_off_at_once", l->host_off_at_once,
          dcp_policy_host_off_at_once(p, j->inv->n_hosts) },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].have == 0 || rows[i].have > rows[i].most) {
            dcp_judge_report(j, 0, "limits", no_object, rows[i].have,
                             rows[i].most, "%s is %u; policy allows 1 to %u",
                             rows[i].name, rows[i].have, rows[i].most);
        }
    }
}

bool
dcp_structure_check(const struct dcp_judge *j, bool *out_sound)
{
    const struct dcp_plan *plan = j->plan;

    *out_sound = true;
    check_times(j, out_sound);
    check_limits(j);
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        bool ok = s->id == i + 1 && s->leg < plan->n_legs &&
                  (i == 0 || s->leg >= plan->steps[i - 1].leg);

        if (!ok) {
            dcp_judge_report(j, s->id, "step", no_object, s->id, i + 1,
                             "ids do not count from 1, or legs are mixed");
        }
        if (s->estimate_ms < 0 || s->estimate_ms > 365 * DCP_DAY_MS) {
            dcp_judge_report(j, s->id, "step", no_object,
                             (double)s->estimate_ms, 0,
                             "the estimate makes no sense");
            ok = false;
        }
        *out_sound =
            check_shape(j, s) && ok && check_when(j, s) && *out_sound;
    }
    if (!*out_sound) {
        return true;
    }
    if (!check_waits(j, out_sound)) {
        return false;
    }
    return !*out_sound || check_durations(j);
}
