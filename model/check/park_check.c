/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Parking in a whole plan: policy.parking allows it, every parked VM comes
 * back in time, applications go down and come up in their order, pools have
 * room for what is saved, and no more than so many run at one time.
 *
 * "At most L at one time" is proved without looking at states: steps of one
 * place, in listed order, where each waits (directly or not) for the one L
 * before it are L chains, and of a chain only one step runs. */

#include "model/check/leg.h"
#include "model/park.h"

#include <stdlib.h>
#include <string.h>

struct parked {
    const struct dcp_judge *j;
    struct dcp_check_order *order;
    uint32_t *park, *restore; /* By VM: step ids; 0: none. */
    uint32_t *place;          /* Room for step ids. */
};

static void
report(const struct parked *p, uint32_t step, uint32_t vm, const char *text)
{
    dcp_judge_report(p->j, step, "parking", dcp_judge_vm(vm), DCP_NO_NUMBER,
                     DCP_NO_NUMBER, "%s", text);
}

static const struct dcp_leg *
leg_of(const struct parked *p, uint32_t id)
{
    return &p->j->plan->legs[p->j->plan->steps[id - 1].leg];
}

static void
judge_vm(const struct parked *p, uint32_t vm)
{
    const struct dcp_park *park = dcp_park_of(p->j->inv, vm);
    uint32_t down = p->park[vm], up = p->restore[vm];

    if (!down) {
        return;
    }
    if (!park) {
        report(p, down, vm, "policy does not let it be parked");
        return;
    }
    if (!up ||
        p->j->plan->steps[up - 1].leg <= p->j->plan->steps[down - 1].leg) {
        report(p, down, vm, "no later leg brings it back");
        return;
    }
    if (!dcp_park_allows(p->j->inv, park, leg_of(p, down)->start_ms,
                         leg_of(p, up)->deadline_ms)) {
        report(p, down, vm,
               "its window is not open yet, or it is back too late");
    }
}

/* In an application what starts later goes first and comes back last. */
static void
judge_application(const struct parked *p, const struct dcp_application *app)
{
    uint32_t later = UINT32_MAX; /* The next in start order. */

    for (uint32_t i = app->vms.n; i-- > 0;) {
        uint32_t vm = app->vms.ix[i];

        if (later != UINT32_MAX && p->park[vm]) {
            bool with = p->park[later] != 0;

            if (!with && !dcp_host_is_none(p->j->plan->before->host[later])) {
                report(p, p->park[vm], vm,
                       "what starts after it in its application stays up");
            } else if (with && !dcp_check_order_before(p->order, p->park[later],
                                                       p->park[vm])) {
                report(p, p->park[vm], vm,
                       "goes before what starts after it in its application");
            }
        }
        if (later != UINT32_MAX && p->restore[later] && p->restore[vm] &&
            !dcp_check_order_before(p->order, p->restore[vm],
                                    p->restore[later])) {
            report(p, p->restore[later], later,
                   "comes back before what its application starts first");
        }
        later = vm;
    }
}

static void
judge_pools(const struct parked *p)
{
    const struct dcp_inventory *inv = p->j->inv;

    for (uint32_t i = 0; i < inv->n_pools; i++) {
        const struct dcp_pool *pool = &inv->pools[i];
        double most = (double)pool->capacity_mib * pool->thin_overcommit;
        double mib = 0, saved = 0;

        for (uint32_t v = 0; v < inv->n_volumes; v++) {
            mib += inv->volumes[v].pool.ix == i
                       ? (double)inv->volumes[v].size_mib
                       : 0;
        }
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            const struct dcp_park *park = dcp_park_of(inv, v);

            if (p->park[v] && park && dcp_park_pool(inv, v).ix == i) {
                saved += (double)dcp_park_disk_mib(park, &inv->vms[v]);
            }
        }
        if (pool->capacity_mib && saved > 0 && mib + saved > most) {
            dcp_judge_report(p->j, 0, "parking",
                             (struct dcp_object){ DCP_OBJECT_POOL, i },
                             mib + saved, most,
                             "%.0f MiB of volumes and %.0f MiB of saved memory "
                             "in %.0f MiB",
                             mib, saved, most);
        }
    }
}

/* Where a step saves or restores: its pool, else its host. */
static uint32_t
place_of(const struct parked *p, const struct dcp_step *s)
{
    dcp_pool_id pool = dcp_park_pool(p->j->inv, s->object.ix);
    uint32_t host = s->kind == DCP_STEP_VM_PARK ? s->from.ix : s->to.ix;

    return dcp_pool_is_none(pool) ? p->j->inv->n_pools + host : pool.ix;
}

/* Steps of one kind in one leg, by place and then in order ('first': by place,
 * zeroed). */
static void
judge_storm(const struct parked *p, uint32_t leg, enum dcp_step_kind kind,
            uint32_t *first, uint32_t n_places)
{
    const struct dcp_plan *plan = p->j->plan;
    uint32_t most = p->j->inv->policy.parks_at_once;

    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < plan->n_steps; i++) {
            const struct dcp_step *s = &plan->steps[i];

            if (s->leg != leg || s->kind != kind) {
                continue;
            }
            if (pass == 0) {
                first[place_of(p, s) + 2]++;
            } else {
                p->place[first[place_of(p, s) + 1]++] = s->id;
            }
        }
        for (uint32_t k = 0; pass == 0 && k < n_places; k++) {
            first[k + 2] += first[k + 1];
        }
    }
    for (uint32_t k = 0; k < n_places; k++) {
        for (uint32_t i = first[k] + most; i < first[k + 1]; i++) {
            if (!dcp_check_order_before(p->order, p->place[i - most],
                                        p->place[i])) {
                dcp_judge_report(p->j, p->place[i], "parking",
                                 plan->steps[p->place[i] - 1].object,
                                 most + 1.0, most,
                                 "may run with %u others in one place", most);
                break;
            }
        }
    }
}

static bool
judge_storms(const struct parked *p)
{
    static const enum dcp_step_kind kinds[] = { DCP_STEP_VM_PARK,
                                                DCP_STEP_VM_RESTORE };
    uint32_t n_places = p->j->inv->n_pools + p->j->inv->n_hosts;
    DCP_FREE uint32_t *first = malloc((n_places + 2u) * sizeof *first);

    if (!first) {
        return dcp_judge_no_memory(p->j);
    }
    for (uint32_t leg = 0; leg < p->j->plan->n_legs; leg++) {
        for (int k = 0; k < 2; k++) {
            memset(first, 0, (n_places + 2u) * sizeof *first);
            judge_storm(p, leg, kinds[k], first, n_places);
        }
    }
    return true;
}

bool
dcp_park_check(const struct dcp_judge *j, struct dcp_check_order *order)
{
    uint32_t n_vms = j->inv->n_vms, n = 0;
    DCP_FREE uint32_t *park = calloc(n_vms + 1u, sizeof *park);
    DCP_FREE uint32_t *restore = calloc(n_vms + 1u, sizeof *restore);
    DCP_FREE uint32_t *place = calloc(j->plan->n_steps + 1u, sizeof *place);
    struct parked p = { j, order, park, restore, place };

    if (!park || !restore || !place) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < j->plan->n_steps; i++) {
        const struct dcp_step *s = &j->plan->steps[i];

        if (s->kind == DCP_STEP_VM_PARK) {
            park[s->object.ix] = s->id;
            n++;
        } else if (s->kind == DCP_STEP_VM_RESTORE) {
            restore[s->object.ix] = s->id;
            n++;
        }
    }
    for (uint32_t v = 0; n && v < n_vms; v++) {
        judge_vm(&p, v);
    }
    for (uint32_t a = 0; n && a < j->inv->n_applications; a++) {
        judge_application(&p, &j->inv->applications[a]);
    }
    if (n) {
        judge_pools(&p);
        return judge_storms(&p);
    }
    return true;
}
