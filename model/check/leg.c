/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Counting sorts turn the list of steps round: by VM for the stays, then the
 * stays by host.  All ids in every list ascend, which is the listed order. */

#include "model/check/leg.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_leg_slots(const struct dcp_demand *d, int64_t start_ms, int64_t end_ms,
              uint32_t *out_first, uint32_t *out_last)
{
    uint32_t first = 0, last;

    while (first < d->n_slots && d->slots[first].end_ms <= start_ms) {
        first++;
    }
    for (last = first; last < d->n_slots && d->slots[last].start_ms < end_ms;
         last++) {
        if (last > first &&
            d->slots[last].start_ms != d->slots[last - 1].end_ms) {
            return false;
        }
    }
    *out_first = first;
    *out_last = last;
    return last > first && d->slots[first].start_ms <= start_ms &&
           d->slots[last - 1].end_ms >= end_ms;
}

static bool
is_vm_step(const struct dcp_step *s)
{
    return s->object.kind == DCP_OBJECT_VM;
}

static bool
is_switch(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_HOST_ON || s->kind == DCP_STEP_HOST_OFF;
}

/* first[k + 1] holds the count of k; makes it the start of k, in place. */
static void
sum_up(uint32_t first[], uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        first[k + 1] += first[k];
    }
}

/* Ids of the leg's steps of one sort by their object: first[] (zeroed, n + 2
 * long, used one place up while filling) and the ids. */
static uint32_t *
ids_by_object(struct dcp_leg_view *leg,
              bool (*of_sort)(const struct dcp_step *), uint32_t first[],
              uint32_t n)
{
    uint32_t total = 0;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (of_sort(s)) {
            first[s->object.ix + 2]++;
            total++;
        }
    }
    sum_up(first + 1, n);
    uint32_t *ids = dcp_arena_array(leg->arena, uint32_t, total + 1u);

    for (uint32_t id = leg->first_id; ids && id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (of_sort(s)) {
            ids[first[s->object.ix + 1]++] = id;
        }
    }
    return ids;
}

static void
check_from(struct dcp_leg_view *leg, const struct dcp_step *s, uint32_t at)
{
    uint32_t from = s->from.kind == DCP_OBJECT_HOST ? s->from.ix : DCP_IX_NONE;

    if (from == at) {
        return;
    }
    leg->sound = false;
    dcp_judge_report(
        leg->j, s->id, "from", s->object, DCP_NO_NUMBER, DCP_NO_NUMBER,
        "starts from %.50s, but the VM is %.50s",
        from == DCP_IX_NONE ? "nowhere" : leg->j->inv->hosts[from].name,
        at == DCP_IX_NONE ? "nowhere" : leg->j->inv->hosts[at].name);
}

static void
check_chained(struct dcp_leg_view *leg, uint32_t earlier,
              const struct dcp_step *s)
{
    if (!dcp_check_order_before(leg->order, earlier, s->id)) {
        dcp_judge_report(leg->j, s->id, "order", s->object, earlier, s->id,
                         "does not wait for step %u of the same %s", earlier,
                         dcp_object_kind_name(s->object.kind));
    }
}

/* The stays of one VM from its steps. */
static void
follow_vm(struct dcp_leg_view *leg, uint32_t vm, const uint32_t ids[],
          uint32_t n)
{
    uint32_t at = leg->start->host[vm].ix, in = 0, last = 0;

    leg->vm_stay[vm] = leg->n_stays;
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = dcp_leg_step(leg, ids[i]);

        check_from(leg, s, at);
        if (last) {
            check_chained(leg, last, s);
        }
        last = s->id;
        if (s->kind == DCP_STEP_VM_RESIZE) {
            continue; /* It stays where it is. */
        }
        if (at != DCP_IX_NONE) {
            leg->stays[leg->n_stays++] = (struct dcp_stay){ vm, at, in, s->id };
        }
        at = s->to.kind == DCP_OBJECT_HOST ? s->to.ix : DCP_IX_NONE;
        in = s->id;
    }
    if (at != DCP_IX_NONE) {
        leg->stays[leg->n_stays++] = (struct dcp_stay){ vm, at, in, 0 };
    }
    if (leg->vm_stay[vm] == leg->n_stays) {
        leg->vm_stay[vm] = UINT32_MAX;
    }
    leg->end->host[vm].ix = at;
}

static bool
build_stays(struct dcp_leg_view *leg)
{
    uint32_t n_vms = leg->j->inv->n_vms;
    uint32_t *first = dcp_arena_array(leg->arena, uint32_t, n_vms + 2u);
    uint32_t *ids = first ? ids_by_object(leg, is_vm_step, first, n_vms) : NULL;

    leg->vm_stay = dcp_arena_array(leg->arena, uint32_t, n_vms + 1u);
    leg->stays = dcp_arena_array(leg->arena, struct dcp_stay,
                                 2 * (size_t)(leg->end_id - leg->first_id) + 1);
    leg->n_fixed =
        dcp_arena_array(leg->arena, uint32_t, leg->j->inv->n_hosts + 1u);
    if (!ids || !leg->vm_stay || !leg->stays || !leg->n_fixed) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        leg->vm_stay[v] = UINT32_MAX;
        if (first[v + 1] > first[v]) {
            follow_vm(leg, v, ids + first[v], first[v + 1] - first[v]);
        } else if (!dcp_host_is_none(leg->start->host[v])) {
            leg->n_fixed[leg->start->host[v].ix]++;
        }
    }
    return true;
}

static bool
stays_by_host(struct dcp_leg_view *leg)
{
    uint32_t n_hosts = leg->j->inv->n_hosts;
    uint32_t *first = dcp_arena_array(leg->arena, uint32_t, n_hosts + 2u);

    leg->host_stays = dcp_arena_array(leg->arena, uint32_t, leg->n_stays + 1u);
    if (!first || !leg->host_stays) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t i = 0; i < leg->n_stays; i++) {
        first[leg->stays[i].host + 2]++;
    }
    sum_up(first + 1, n_hosts);
    for (uint32_t i = 0; i < leg->n_stays; i++) {
        leg->host_stays[first[leg->stays[i].host + 1]++] = i;
    }
    leg->host_first = first;
    return true;
}

static bool
build_switches(struct dcp_leg_view *leg)
{
    uint32_t n_hosts = leg->j->inv->n_hosts;

    leg->switch_first = dcp_arena_array(leg->arena, uint32_t, n_hosts + 2u);
    leg->switch_ids =
        leg->switch_first
            ? ids_by_object(leg, is_switch, leg->switch_first, n_hosts)
            : NULL;
    if (!leg->switch_ids) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        for (uint32_t i = leg->switch_first[h]; i < leg->switch_first[h + 1];
             i++) {
            const struct dcp_step *s = dcp_leg_step(leg, leg->switch_ids[i]);
            bool on = s->kind == DCP_STEP_HOST_ON;

            if (i > leg->switch_first[h]) {
                check_chained(leg, leg->switch_ids[i - 1], s);
            }
            if (leg->end->on[h] == on) {
                dcp_judge_report(leg->j, s->id, "power", s->object,
                                 DCP_NO_NUMBER, DCP_NO_NUMBER,
                                 "the host is %s already", on ? "on" : "off");
            }
            leg->end->on[h] = on;
        }
    }
    return true;
}

bool
dcp_leg_init(struct dcp_leg_view *leg, const struct dcp_judge *j,
             struct dcp_check_order *order, uint32_t index,
             const struct dcp_placement *start)
{
    const struct dcp_leg *l = &j->plan->legs[index];
    uint32_t first_slot, last_slot, id = 1;

    *leg = (struct dcp_leg_view){
        .j = j, .order = order, .index = index, .start = start, .sound = true
    };
    while (id <= j->plan->n_steps && j->plan->steps[id - 1].leg < index) {
        id++;
    }
    leg->first_id = id;
    while (id <= j->plan->n_steps && j->plan->steps[id - 1].leg == index) {
        id++;
    }
    leg->end_id = id;
    if (!dcp_leg_slots(j->demand, l->start_ms, l->buckets_until_ms, &first_slot,
                       &last_slot)) {
        return dcp_fail(j->err, DCP_E_ARGUMENT,
                        "demand does not cover leg '%s'", l->name);
    }
    leg->arena = dcp_arena_create(0);
    leg->end = dcp_placement_copy(start, j->err);
    if (!leg->arena || !leg->end) {
        return dcp_judge_no_memory(j);
    }
    return dcp_cells_init(&leg->cells, j, first_slot, last_slot) &&
           build_stays(leg) && stays_by_host(leg) && build_switches(leg) &&
           dcp_volumes_follow(leg);
}

void
dcp_leg_finish(struct dcp_leg_view *leg)
{
    dcp_cells_finish(&leg->cells);
    dcp_placement_destroy(leg->end);
    dcp_arena_destroy(leg->arena);
    *leg = (struct dcp_leg_view){ 0 };
}
