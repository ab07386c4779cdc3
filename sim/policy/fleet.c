/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/fleet.h"

#include "model/base/arena.h"
#include "model/check/reach.h"
#include "model/duty.h"

#include <stdlib.h>

/* --- Building ----------------------------------------------------------- */

static void
set_demand(struct dcp_fleet *f, const struct dcp_sim_view *view,
           enum dcp_fleet_demand demand, int64_t past_ms)
{
    uint32_t n_vms = f->inventory->n_vms;
    uint32_t n = demand == DCP_FLEET_LATEST
                     ? 1
                     : (uint32_t)(past_ms / view->interval_ms);

    n = n < 1 ? 1 : n > view->n_past ? view->n_past : n;
    for (uint32_t i = 0; i < n; i++) {
        const float *row =
            view->vm_mhz + (size_t)(view->n_past - 1 - i) * n_vms;

        for (uint32_t v = 0; v < n_vms; v++) {
            f->vm_mhz[v] = f->vm_mhz[v] > row[v] ? f->vm_mhz[v] : row[v];
        }
    }
}

static void
ask(const struct dcp_fleet *f, uint32_t vm, uint32_t host, bool add)
{
    uint32_t request[DCP_SCALARS_MAX];
    uint32_t *asked = f->hosts[host].asked;

    dcp_vm_request_at(f->inventory, (dcp_vm_id){ vm },
                      dcp_placement_size(f->inventory, f->now, vm),
                      f->inventory->hosts[host].hypervisor, request);
    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        asked[s] = add ? asked[s] + request[s] : asked[s] - request[s];
    }
}

static void
init_host(struct dcp_fleet *f, const struct dcp_sim *sim, uint32_t host,
          int64_t now_ms, bool unfit)
{
    struct dcp_sim_host_now now = dcp_sim_host_now(sim, host);
    struct dcp_capacity usable =
        dcp_host_usable(f->inventory, (dcp_host_id){ host });
    struct dcp_fleet_host *h = &f->hosts[host];

    h->serves = h->was_on = now.power == DCP_SIM_ON;
    h->stays = dcp_host_duty(f->inventory, (dcp_host_id){ host }, now_ms, NULL,
                             0) != DCP_DUTY_NONE;
    h->unfit = unfit;
    h->stays = h->stays || unfit;
    h->capacity_mhz = now.capacity_mhz;
    h->target_mhz = now.target_mhz;
    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        h->usable[s] = usable.scalar[s];
    }
    h->vms_now = now.vms;
    h->n_vms_now = now.n_vms;
    for (uint32_t i = 0; i < now.n_vms; i++) {
        uint32_t vm = now.vms[i];

        f->at[vm] = (dcp_host_id){ host };
        h->n_vms++;
        h->mhz += f->vm_mhz[vm];
        ask(f, vm, host, true);
    }
}

bool
dcp_fleet_init(struct dcp_fleet *f, const struct dcp_ground *ground,
               const struct dcp_sim *sim, enum dcp_fleet_demand demand,
               int64_t past_ms, struct dcp_wishes *wishes,
               struct dcp_error *err)
{
    struct dcp_sim_view view = dcp_sim_view(sim);
    const struct dcp_inventory *inv = view.inventory;

    *f = (struct dcp_fleet){ .inventory = inv,
                             .now = view.placement,
                             .wishes = wishes,
                             .order = ground->order };
    f->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *f->hosts);
    f->vm_mhz = calloc((size_t)inv->n_vms + 1, sizeof *f->vm_mhz);
    f->at = calloc((size_t)inv->n_vms + 1, sizeof *f->at);
    if (!f->hosts || !f->vm_mhz || !f->at) {
        dcp_fleet_finish(f);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
    }
    set_demand(f, &view, demand, past_ms);
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        f->at[v] = dcp_host_none();
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        init_host(f, sim, h, view.now_ms, view.unfit && view.unfit[h]);
    }
    return true;
}

bool
dcp_fleet_init_heeding(struct dcp_fleet *f, const struct dcp_ground *ground,
                       const struct dcp_sim *sim, enum dcp_fleet_demand demand,
                       int64_t past_ms, struct dcp_wishes *wishes,
                       struct dcp_error *err)
{
    if (!dcp_fleet_init(f, ground, sim, demand, past_ms, wishes, err)) {
        return false;
    }
    if (f->inventory->n_rules) {
        f->heed = dcp_heed_create(ground, f->now, DCP_HEED_MANY, err);
        if (!f->heed) {
            dcp_fleet_finish(f);
            return false;
        }
    }
    return true;
}

void
dcp_fleet_finish(struct dcp_fleet *f)
{
    free(f->hosts);
    free(f->vm_mhz);
    free(f->at);
    dcp_heed_destroy(f->heed);
    *f = (struct dcp_fleet){ 0 };
}

/* --- What may be -------------------------------------------------------- */

/* Its scalars there, as they were worked out for the host before where that is
 * under the same hypervisor. */
static const uint32_t *
request_of(const struct dcp_fleet *f, uint32_t host, struct dcp_fleet_ask *a)
{
    const struct dcp_inventory *inv = f->inventory;
    dcp_hypervisor_id hypervisor = inv->hosts[host].hypervisor;

    if (!a->known || a->hypervisor.ix != hypervisor.ix) {
        dcp_vm_request_at(inv, (dcp_vm_id){ a->vm },
                          dcp_placement_size(inv, f->now, a->vm), hypervisor,
                          a->request);
        a->known = true;
        a->hypervisor = hypervisor;
    }
    return a->request;
}

bool
dcp_fleet_has_room(const struct dcp_fleet *f, struct dcp_fleet_ask *a,
                   uint32_t host)
{
    const struct dcp_fleet_host *h = &f->hosts[host];
    const uint32_t *request = request_of(f, host, a);

    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        if (request[s] && (uint64_t)h->asked[s] + request[s] > h->usable[s]) {
            return false;
        }
    }
    return true;
}

bool
dcp_fleet_may_move(const struct dcp_fleet *f, uint32_t vm, uint32_t host)
{
    const struct dcp_inventory *inv = f->inventory;
    const struct dcp_fleet_host *h = &f->hosts[host];

    return h->serves && !h->unfit && !dcp_host_is_none(f->now->host[vm]) &&
           f->now->host[vm].ix != host &&
           f->at[vm].ix == f->now->host[vm].ix &&
           inv->hosts[host].state != DCP_HOST_MAINTENANCE &&
           (!f->heed || dcp_heed_allows(f->heed, f->at, vm, host)) &&
           dcp_check_may_move(inv, f->now, vm, f->now->host[vm].ix, host);
}

bool
dcp_fleet_fits(const struct dcp_fleet *f, uint32_t vm, uint32_t host)
{
    struct dcp_fleet_ask ask = { .vm = vm };

    return dcp_fleet_has_room(f, &ask, host) &&
           dcp_fleet_may_move(f, vm, host);
}

bool
dcp_fleet_can_wake(const struct dcp_fleet *f, uint32_t host)
{
    return !f->hosts[host].serves && !f->hosts[host].was_on &&
           !f->hosts[host].stays &&
           f->inventory->hosts[host].state != DCP_HOST_MAINTENANCE;
}

bool
dcp_fleet_can_sleep(const struct dcp_fleet *f, uint32_t host)
{
    const struct dcp_fleet_host *h = &f->hosts[host];

    return h->serves && h->was_on && !h->stays && h->n_vms == 0;
}

/* --- Wishes ------------------------------------------------------------- */

bool
dcp_fleet_move(struct dcp_fleet *f, uint32_t vm, uint32_t host,
               struct dcp_error *err)
{
    struct dcp_fleet_host *from = &f->hosts[f->at[vm].ix];
    struct dcp_fleet_host *to = &f->hosts[host];

    from->mhz -= f->vm_mhz[vm];
    from->n_vms--;
    to->mhz += f->vm_mhz[vm];
    to->n_vms++;
    to->arriving++;
    ask(f, vm, host, true);
    if (f->heed) {
        dcp_heed_moved(f->heed, vm, f->at[vm].ix, host);
    }
    f->at[vm] = (dcp_host_id){ host };
    return dcp_wishes_add(f->wishes,
                          (struct dcp_wish){ DCP_WISH_MOVE, vm, host }, err);
}

bool
dcp_fleet_wake(struct dcp_fleet *f, uint32_t host, struct dcp_error *err)
{
    f->hosts[host].serves = true;
    return dcp_wishes_add(f->wishes, (struct dcp_wish){ DCP_WISH_ON, 0, host },
                          err);
}

bool
dcp_fleet_sleep(struct dcp_fleet *f, uint32_t host, struct dcp_error *err)
{
    f->hosts[host].serves = false;
    return dcp_wishes_add(f->wishes, (struct dcp_wish){ DCP_WISH_OFF, 0, host },
                          err);
}

void
dcp_fleet_undo(struct dcp_fleet *f, uint32_t n)
{
    while (f->wishes->n > n) {
        struct dcp_wish w = f->wishes->items[--f->wishes->n];
        struct dcp_fleet_host *host = &f->hosts[w.host];

        if (w.kind != DCP_WISH_MOVE) {
            host->serves = w.kind == DCP_WISH_OFF;
            continue;
        }
        struct dcp_fleet_host *home = &f->hosts[f->now->host[w.vm].ix];

        host->mhz -= f->vm_mhz[w.vm];
        host->n_vms--;
        host->arriving--;
        ask(f, w.vm, w.host, false);
        if (f->heed) {
            dcp_heed_moved(f->heed, w.vm, w.host, f->now->host[w.vm].ix);
        }
        home->mhz += f->vm_mhz[w.vm];
        home->n_vms++;
        f->at[w.vm] = f->now->host[w.vm];
    }
}
