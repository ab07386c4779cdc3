/* SPDX-License-Identifier: GPL-3.0-or-later */

/* High availability: made, looked at, and put away. */

#include "sim/failure/world.h"

#include <stdlib.h>

#define SECOND INT64_C(1000)

void
dcp_ha_options_default(struct dcp_ha_options *o)
{
    *o = (struct dcp_ha_options){ .detect_ms = 15 * SECOND,
                                  .fence_ms = 60 * SECOND,
                                  .start_ms = 120 * SECOND,
                                  .at_once = 4 };
}

/* --- Building ----------------------------------------------------------- */

struct order {
    uint32_t vm, priority, application, position;
};

static int
compare_order(const void *x, const void *y)
{
    const struct order *a = x, *b = y;

    return a->priority != b->priority ? (a->priority > b->priority ? -1 : 1)
           : a->application != b->application
               ? (a->application < b->application ? -1 : 1)
           : a->position != b->position ? (a->position < b->position ? -1 : 1)
           : a->vm != b->vm             ? (a->vm < b->vm ? -1 : 1)
                                        : 0;
}

static bool
rank_vms(struct dcp_ha *ha)
{
    const struct dcp_inventory *inv = ha->inv;
    struct order *order = calloc((size_t)inv->n_vms + 1, sizeof *order);

    for (uint32_t v = 0; order && v < inv->n_vms; v++) {
        order[v] = (struct order){ v, inv->vms[v].restart_priority,
                                   inv->vms[v].application.ix, 0 };
    }
    for (uint32_t a = 0; order && a < inv->n_applications; a++) {
        const struct dcp_ids *vms = &inv->applications[a].vms;

        for (uint32_t i = 0; i < vms->n; i++) {
            order[vms->ix[i]].position = i;
        }
    }
    if (order && inv->n_vms) {
        qsort(order, inv->n_vms, sizeof *order, compare_order);
    }
    for (uint32_t r = 0; order && r < inv->n_vms; r++) {
        ha->rank[order[r].vm] = r;
        ha->of_rank[r] = order[r].vm;
    }
    free(order);
    return order != NULL;
}

static void
init_states(struct dcp_ha *ha)
{
    const struct dcp_inventory *inv = ha->inv;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_capacity(inv, (dcp_host_id){ h });

        ha->hosts[h].state = ha->now->on[h] ? HA_ON : HA_OFF;
        for (uint32_t i = 0; i < DCP_SCALARS_MAX; i++) {
            ha->hosts[h].capacity[i] = c.scalar[i];
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        const struct dcp_vm *vm = &inv->vms[v];
        dcp_host_id at = ha->now->host[v];

        ha->vms[v].state = dcp_host_is_none(at) ? HA_AWAY : HA_RUNNING;
        ha->vms[v].lost_with = UINT32_MAX;
        for (uint32_t i = 0; i < vm->n_volumes; i++) {
            ha->vms[v].local |= dcp_pool_is_none(
                dcp_placement_pool(ha->now, inv, vm->first_volume + i));
        }
        if (!dcp_host_is_none(at)) {
            dcp_ha_load(ha, v, at.ix, true);
        }
    }
}

static bool
init(struct dcp_ha *ha, const struct dcp_ha_input *in, struct dcp_error *err)
{
    size_t n_vms = (size_t)in->inventory->n_vms + 1;

    ha->now = dcp_placement_copy(in->start, err);
    ha->arena = dcp_arena_create(0);
    ha->vms = calloc(n_vms, sizeof *ha->vms);
    ha->hosts = calloc((size_t)in->inventory->n_hosts + 1, sizeof *ha->hosts);
    ha->rank = calloc(n_vms, sizeof *ha->rank);
    ha->of_rank = calloc(n_vms, sizeof *ha->of_rank);
    ha->waiting = calloc(n_vms, sizeof *ha->waiting);
    ha->n_moves = calloc(n_vms, sizeof *ha->n_moves);
    ha->dirty = calloc((size_t)in->inventory->n_hosts + 1, sizeof *ha->dirty);
    if (!ha->now || !ha->arena || !ha->vms || !ha->hosts || !ha->rank ||
        !ha->of_rank || !ha->waiting || !ha->n_moves || !ha->dirty ||
        !rank_vms(ha)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for restarts");
    }
    for (uint32_t i = 0; i < in->hosts->n; i++) {
        const struct dcp_outage *o = &in->hosts->list[i];

        if (!dcp_ha_set_timer_of(ha, o->from_ms, HA_HOST_FAILS, i, 0, err) ||
            (o->until_ms < INT64_MAX &&
             !dcp_ha_set_timer_of(ha, o->until_ms, HA_HOST_MENDED, i, 0,
                                  err))) {
            return false;
        }
    }
    for (uint32_t i = 0; in->maintenance && i < in->maintenance->n; i++) {
        const struct dcp_outage *o = &in->maintenance->list[i];

        if (!dcp_ha_set_timer_of(ha, o->from_ms, HA_DRAIN, i, 0, err) ||
            (o->until_ms < INT64_MAX &&
             !dcp_ha_set_timer_of(ha, o->until_ms, HA_DRAIN_ENDS, i, 0, err))) {
            return false;
        }
    }
    if (!dcp_ha_home_init(ha, err) || !dcp_ha_moves_init(ha, in->net, err)) {
        return false;
    }
    init_states(ha);
    return true;
}

struct dcp_ha *
dcp_ha_create(const struct dcp_ha_input *in, struct dcp_error *err)
{
    DCP_AUTO(dcp_ha) struct dcp_ha *ha = calloc(1, sizeof *ha);

    if (!ha) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for restarts");
        return NULL;
    }
    ha->inv = in->inventory;
    ha->hosts_down = in->hosts;
    ha->maintenance = in->maintenance;
    ha->o = in->options;
    ha->now_ms = INT64_MIN;
    return init(ha, in, err) ? DCP_STEAL(ha) : NULL;
}

void
dcp_ha_destroy(struct dcp_ha *ha)
{
    if (!ha) {
        return;
    }
    dcp_ha_home_finish(ha);
    dcp_ha_moves_finish(ha);
    dcp_placement_destroy(ha->now);
    dcp_arena_destroy(ha->arena);
    dcp_heap_finish(&ha->queue);
    free(ha->vms);
    free(ha->hosts);
    free(ha->timers);
    free(ha->pending);
    free(ha->rank);
    free(ha->of_rank);
    free(ha->waiting);
    free(ha->dirty);
    free(ha->n_moves);
    free(ha->events);
    free(ha->vm_outages);
    free(ha->losses);
    free(ha);
}

/* --- Looking ------------------------------------------------------------ */

const struct dcp_sim_event *
dcp_ha_events(const struct dcp_ha *ha, uint32_t *out_n)
{
    *out_n = ha->n_events;
    return ha->events;
}

const struct dcp_vm_outage *
dcp_ha_vm_outages(const struct dcp_ha *ha, uint32_t *out_n)
{
    *out_n = ha->n_vm_outages;
    return ha->vm_outages;
}

void
dcp_ha_unfit(const struct dcp_ha *ha, uint8_t out[])
{
    for (uint32_t h = 0; h < ha->inv->n_hosts; h++) {
        out[h] = ha->hosts[h].state == HA_DOWN || ha->hosts[h].draining;
    }
}

struct dcp_ha_counts
dcp_ha_counts(const struct dcp_ha *ha)
{
    struct dcp_ha_counts counts = ha->counts;

    for (uint32_t h = 0; ha->n_draining && h < ha->inv->n_hosts; h++) {
        counts.hosts_not_emptied +=
            ha->hosts[h].draining && ha->hosts[h].state == HA_ON;
    }
    return counts;
}
