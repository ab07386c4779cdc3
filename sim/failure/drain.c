/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Maintenance: a host is emptied by live migrations, which are steps like a
 * plan's and may be cut or fail as those do; what failed is tried again. */

#include "sim/failure/world.h"

#define AGAIN_MS 1000

void
dcp_ha_drain_begins(struct dcp_ha *ha, uint32_t host)
{
    ha->n_draining += !ha->hosts[host].draining;
    ha->hosts[host].draining = true;
    dcp_ha_mark(ha, host);
}

static bool
switch_off(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    const struct dcp_hardware *hw =
        &ha->inv->hardware[ha->inv->hosts[host].hardware.ix];
    const struct dcp_step *step = dcp_ha_own_step(
        ha, DCP_STEP_HOST_OFF, UINT32_MAX, host, UINT32_MAX, err);
    struct ha_timer timer = { .kind = HA_STEP_ENDS, .step = step };

    ha->hosts[host].drained = true;
    ha->counts.hosts_emptied++;
    return step && dcp_ha_step(ha, step, DCP_ACTION_STARTED, err) &&
           dcp_ha_set_timer(ha, dcp_ha_later(ha->now_ms, hw->shutdown_ms),
                            timer, err);
}

/* Switches off what is empty; how many of the others may let a VM go. */
static bool
look_at_hosts(struct dcp_ha *ha, uint32_t *out_n, struct dcp_error *err)
{
    *out_n = 0;
    for (uint32_t h = 0; h < ha->inv->n_hosts; h++) {
        struct ha_host *host = &ha->hosts[h];

        if (!host->draining || host->state != HA_ON) {
            continue;
        }
        if (host->n_vms) {
            *out_n += dcp_ha_may_leave(ha, h);
        } else if (!switch_off(ha, h, err)) {
            return false;
        }
    }
    return true;
}

static bool
may_go(const struct dcp_ha *ha, uint32_t vm)
{
    dcp_host_id at = ha->now->host[vm];

    return !dcp_host_is_none(at) && ha->hosts[at.ix].draining &&
           ha->hosts[at.ix].state == HA_ON && ha->vms[vm].state == HA_RUNNING &&
           !ha->vms[vm].move && !ha->vms[vm].held && ha->inv->vms[vm].movable &&
           !ha->vms[vm].local && dcp_ha_may_leave(ha, at.ix);
}

bool
dcp_ha_drain(struct dcp_ha *ha, struct dcp_error *err)
{
    uint32_t n_open;

    /* Where nothing changed, nothing is possible that was not before. */
    if (!ha->n_draining || !ha->n_dirty) {
        return true;
    }
    if (!look_at_hosts(ha, &n_open, err)) {
        return false;
    }
    for (uint32_t r = 0; n_open && r < ha->inv->n_vms; r++) {
        uint32_t vm = ha->of_rank[r], from = ha->now->host[vm].ix;
        bool unused;

        if (!may_go(ha, vm)) {
            continue;
        }
        uint32_t to = dcp_ha_best_host(ha, vm, HA_FOR_MOVE, &unused);

        if (to == UINT32_MAX) {
            continue;
        }
        const struct dcp_step *step =
            dcp_ha_own_step(ha, DCP_STEP_MIGRATE, vm, from, to, err);

        if (!step || !dcp_ha_step(ha, step, DCP_ACTION_STARTED, err)) {
            return false;
        }
        n_open -= !dcp_ha_may_leave(ha, from);
    }
    return true;
}

bool
dcp_ha_drain_ends(struct dcp_ha *ha, uint32_t maintenance,
                  struct dcp_error *err)
{
    uint32_t host = ha->maintenance->list[maintenance].ix;
    struct ha_host *h = &ha->hosts[host];

    if (h->drained && h->state == HA_STOPPING) { /* Once it is off. */
        return dcp_ha_set_timer_of(ha, dcp_ha_later(ha->now_ms, AGAIN_MS),
                                   HA_DRAIN_ENDS, maintenance, 0, err);
    }
    ha->n_draining -= h->draining;
    h->draining = false;
    dcp_ha_mark(ha, host);
    if (!h->drained) {
        ha->counts.hosts_not_emptied += h->state == HA_ON;
        return true;
    }
    h->drained = false;
    if (h->state != HA_OFF) {
        return true; /* It failed meanwhile, and boots when it is mended. */
    }
    h->wanted_on = true;
    return dcp_ha_host_boots(ha, host, err);
}
