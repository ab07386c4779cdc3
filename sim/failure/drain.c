/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Maintenance: a host is emptied by live migrations, which are steps like a
 * plan's and may be cut or fail as those do; what failed is tried again. */

#include "model/migration.h"
#include "sim/failure/world.h"

#define LEAST_MS 1000

void
dcp_ha_drain_begins(struct dcp_ha *ha, uint32_t host)
{
    ha->n_draining += !ha->hosts[host].draining;
    ha->hosts[host].draining = true;
}

/* By the bandwidth that policy allows one migration; contention on NICs is not
 * looked at. */
static int64_t
move_ms(const struct dcp_ha *ha, uint32_t vm)
{
    double kib_s = (double)ha->inv->policy.migration_kib_s;
    struct dcp_precopy precopy = dcp_precopy_of(ha->inv, vm);

    precopy.mem_mib = (double)dcp_placement_size(ha->inv, ha->now, vm).mem_mib;
    precopy.bandwidth_mib_s = kib_s / 1024;
    return kib_s > 0 ? dcp_precopy_estimate(&precopy).total_ms : 0;
}

static bool
begin(struct dcp_ha *ha, const struct dcp_step *step, int64_t takes_ms,
      struct dcp_error *err)
{
    struct ha_timer timer = { .kind = HA_STEP_ENDS, .step = step };

    return dcp_ha_step(ha, step, DCP_ACTION_STARTED, err) &&
           dcp_ha_set_timer(
               ha, ha->now_ms + (takes_ms > LEAST_MS ? takes_ms : LEAST_MS),
               timer, err);
}

static bool
move_away(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    uint32_t n_out = 0, most = ha->inv->policy.out_per_host;

    for (uint32_t i = 0; i < ha->n_pending; i++) {
        const struct dcp_step *s = ha->pending[i].step;

        n_out += s->kind == DCP_STEP_MIGRATE && s->from.ix == host;
    }
    for (uint32_t r = 0; n_out < (most ? most : 1) && r < ha->inv->n_vms; r++) {
        uint32_t vm = ha->of_rank[r];
        bool unused;

        if (ha->now->host[vm].ix != host || ha->vms[vm].state != HA_RUNNING ||
            !ha->inv->vms[vm].movable || ha->vms[vm].local ||
            dcp_ha_is_moving(ha, vm)) {
            continue;
        }
        uint32_t to = dcp_ha_best_host(ha, vm, false, &unused);

        if (to == UINT32_MAX) {
            continue;
        }
        const struct dcp_step *step =
            dcp_ha_own_step(ha, DCP_STEP_MIGRATE, vm, host, to, err);

        if (!step || !begin(ha, step, move_ms(ha, vm), err)) {
            return false;
        }
        n_out++;
    }
    return true;
}

static bool
switch_off(struct dcp_ha *ha, uint32_t host, struct dcp_error *err)
{
    const struct dcp_hardware *hw =
        &ha->inv->hardware[ha->inv->hosts[host].hardware.ix];
    const struct dcp_step *step = dcp_ha_own_step(
        ha, DCP_STEP_HOST_OFF, UINT32_MAX, host, UINT32_MAX, err);

    ha->hosts[host].drained = true;
    ha->counts.hosts_emptied++;
    return step && begin(ha, step, hw->shutdown_ms, err);
}

bool
dcp_ha_drain(struct dcp_ha *ha, struct dcp_error *err)
{
    for (uint32_t h = 0; ha->n_draining && h < ha->inv->n_hosts; h++) {
        struct ha_host *host = &ha->hosts[h];

        if (!host->draining || host->state != HA_ON) {
            continue;
        }
        if (!(host->n_vms ? move_away(ha, h, err) : switch_off(ha, h, err))) {
            return false;
        }
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
        struct ha_timer again = { .kind = HA_DRAIN_ENDS, .ix = maintenance };

        return dcp_ha_set_timer(ha, ha->now_ms + LEAST_MS, again, err);
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
