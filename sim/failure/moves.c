/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Migrations under way: how many of and into each host, and how long those of
 * our own take.  Keys of transfers are VMs; a plan's end when the plan says. */

#include "model/migration.h"
#include "sim/failure/world.h"

#define LEAST_MS 1000

bool
dcp_ha_moves_init(struct dcp_ha *ha, const struct dcp_samples *net,
                  struct dcp_error *err)
{
    ha->wake_ms = INT64_MAX;
    if (!ha->maintenance || !ha->maintenance->n) {
        return true;
    }
    if (!dcp_agenda_init(&ha->move_ends, ha->inv->n_vms)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for migrations");
    }
    ha->transfers = dcp_transfers_create(ha->inv, net, ha->inv->n_vms, err);
    return ha->transfers != NULL;
}

void
dcp_ha_moves_finish(struct dcp_ha *ha)
{
    dcp_agenda_finish(&ha->move_ends);
    dcp_transfers_destroy(ha->transfers);
}

/* --- Limits ------------------------------------------------------------- */

static bool
is_within(const struct dcp_ha *ha, uint32_t host)
{
    const struct ha_host *h = &ha->hosts[host];
    uint32_t most = dcp_migration_units(
        &ha->inv->hardware[ha->inv->hosts[host].hardware.ix],
        ha->inv->policy.units_per_10gbit);

    return h->leaving + h->coming < most;
}

bool
dcp_ha_may_leave(const struct dcp_ha *ha, uint32_t host)
{
    uint32_t most = ha->inv->policy.out_per_host;

    return ha->hosts[host].leaving < (most ? most : 1) && is_within(ha, host);
}

bool
dcp_ha_may_come(const struct dcp_ha *ha, uint32_t host)
{
    uint32_t most = ha->inv->policy.in_per_host;

    return ha->hosts[host].coming < (most ? most : 1) && is_within(ha, host);
}

/* --- Times -------------------------------------------------------------- */

static void
set_end(struct dcp_ha *ha, uint32_t vm, int64_t end_ms)
{
    int64_t least_ms = dcp_ha_later(ha->vms[vm].move_began_ms, LEAST_MS);

    if (end_ms < INT64_MAX) {
        dcp_agenda_set(&ha->move_ends, vm,
                       end_ms > least_ms ? end_ms : least_ms);
    } else {
        dcp_agenda_drop(&ha->move_ends, vm);
    }
}

/* Sets the ends of our own migrations whose rate is another. */
static bool
tell_changes(struct dcp_ha *ha, struct dcp_error *err)
{
    int64_t next_ms = dcp_transfers_next_ms(ha->transfers);
    uint32_t n;
    const uint32_t *vms = dcp_transfers_changed(ha->transfers, &n);

    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *move = ha->vms[vms[i]].move;

        if (move && dcp_ha_is_own(move)) {
            set_end(ha, vms[i], dcp_transfers_end_ms(ha->transfers, vms[i]));
        }
    }
    if (next_ms == INT64_MAX || next_ms == ha->wake_ms) {
        return true;
    }
    ha->wake_ms = next_ms;
    return dcp_ha_set_timer_of(ha, next_ms, HA_NETWORK, 0, 0, err);
}

bool
dcp_ha_network(struct dcp_ha *ha, struct dcp_error *err)
{
    ha->wake_ms = INT64_MAX;
    dcp_transfers_pass(ha->transfers, ha->now, ha->now_ms);
    return tell_changes(ha, err);
}

/* In a model without NICs: by the bandwidth that policy allows one. */
static void
estimate(struct dcp_ha *ha, uint32_t vm, const struct dcp_transfer *transfer)
{
    struct dcp_precopy precopy = transfer->precopy;
    double kib_s = (double)ha->inv->policy.migration_kib_s;

    if (kib_s <= 0) {
        set_end(ha, vm, ha->now_ms);
        return;
    }
    precopy.bandwidth_mib_s = kib_s / 1024;
    struct dcp_precopy_result r = dcp_precopy_estimate(&precopy);

    ha->vms[vm].gives_up = r.given_up;
    set_end(ha, vm, dcp_ha_later(ha->now_ms, r.total_ms));
}

/* --- What happens ------------------------------------------------------- */

bool
dcp_ha_move_begins(struct dcp_ha *ha, const struct dcp_step *s,
                   struct dcp_error *err)
{
    uint32_t vm = s->object.ix;
    struct ha_vm *v = &ha->vms[vm];
    bool own = dcp_ha_is_own(s);

    v->move = s;
    v->move_began_ms = ha->now_ms;
    v->gives_up = false;
    ha->hosts[s->from.ix].leaving++;
    ha->hosts[s->to.ix].coming++;
    if (!ha->transfers || s->cold) {
        return true;
    }
    struct dcp_transfer transfer = dcp_transfer_of(ha->inv, ha->now, s);

    transfer.untold = !own; /* Whose plan it is knows how it goes. */

    if (!dcp_transfers_reach(ha->inv, s->from.ix) ||
        !dcp_transfers_reach(ha->inv, s->to.ix)) {
        if (own) {
            estimate(ha, vm, &transfer);
        }
        return true;
    }
    return dcp_transfers_begin(ha->transfers, vm, &transfer, ha->now,
                               ha->now_ms, err) &&
           tell_changes(ha, err);
}

bool
dcp_ha_move_ends(struct dcp_ha *ha, const struct dcp_step *s,
                 struct dcp_error *err)
{
    uint32_t vm = s->object.ix;

    ha->vms[vm].move = NULL;
    ha->hosts[s->from.ix].leaving--;
    ha->hosts[s->to.ix].coming--;
    /* Whoever may not leave or come because of this one may now. */
    dcp_ha_mark(ha, s->from.ix);
    dcp_ha_mark(ha, s->to.ix);
    if (!ha->transfers) {
        return true;
    }
    dcp_agenda_drop(&ha->move_ends, vm);
    dcp_transfers_end(ha->transfers, vm, ha->now, ha->now_ms);
    return tell_changes(ha, err);
}

bool
dcp_ha_own_move_ends(struct dcp_ha *ha, uint32_t vm, struct dcp_error *err)
{
    bool given_up =
        ha->vms[vm].gives_up || dcp_transfers_given_up(ha->transfers, vm);

    ha->counts.migrations_given_up += given_up;
    return dcp_ha_step(ha, ha->vms[vm].move,
                       given_up ? DCP_ACTION_FAILED : DCP_ACTION_DONE, err);
}

bool
dcp_ha_add_slowdowns(struct dcp_ha *ha, struct dcp_slowdown **list, uint32_t *n,
                     struct dcp_error *err)
{
    return !ha->transfers ||
           dcp_transfers_add_slowdowns(ha->transfers, ha->now_ms, list, n, err);
}
