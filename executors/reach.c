/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/reach.h"

#include <stdio.h>

/* A step's question to connect.yaml; each part fills 'out' and says false for
 * the first thing that is not there. */
struct question {
    const struct dcp_inventory *inventory;
    const struct dcp_connect *connect;
    char *out; /* [DCP_REACH_TEXT_SIZE] */
};

static bool
lacks(const struct question *q, const char *what, const char *name,
      const char *how)
{
    (void)snprintf(q->out, DCP_REACH_TEXT_SIZE,
                   "connect.yaml has no %s of '%.80s': %s", what, name, how);
    return false;
}

static bool
hypervisor_given(const struct question *q, struct dcp_object o)
{
    return o.kind != DCP_OBJECT_HOST || q->connect->hosts[o.ix].libvirt[0] ||
           lacks(q, "hypervisor", q->inventory->hosts[o.ix].name,
                 "give hosts: NAME: libvirt: and uuid:");
}

static bool
switches_given(const struct question *q, struct dcp_object o)
{
    if (o.kind != DCP_OBJECT_HOST) {
        return true;
    }
    const struct dcp_host *host = &q->inventory->hosts[o.ix];

    for (uint32_t p = 0; p < host->n_ports; p++) {
        dcp_switch_id to = host->ports[p].to;

        if (!dcp_switch_is_none(to) && !q->connect->switches[to.ix].ovsdb[0] &&
            !q->connect->switches[to.ix].bridge[0]) {
            return lacks(q, "database", q->inventory->switches[to.ix].name,
                         "give switches: NAME: ovsdb:");
        }
    }
    return true;
}

static bool
power_given(const struct question *q, const struct dcp_step *s)
{
    const char *name = dcp_object_name(q->inventory, s->object);
    const struct dcp_connect_host *host = &q->connect->hosts[s->object.ix];

    if (host->bmc.type == DCP_BMC_NONE &&
        (s->kind == DCP_STEP_HOST_ON || host->n_guard == 0)) {
        return lacks(q, "BMC", name, "give hosts: NAME: bmc:");
    }
    if (s->kind == DCP_STEP_HOST_OFF && host->bmc.type == DCP_BMC_WAKE_ON_LAN &&
        host->n_guard == 0) {
        return lacks(q, "way to switch off", name,
                     "Wake-on-LAN only wakes; give guard: or another bmc:");
    }
    return hypervisor_given(q, s->object); /* Whether guests run there. */
}

static bool
pools_given(const struct question *q, struct dcp_object o)
{
    if (o.kind != DCP_OBJECT_POOL) {
        return true;
    }
    const struct dcp_connect_pool *pool = &q->connect->pools[o.ix];

    return pool->path[0] || pool->nbd[0] || pool->iscsi[0] ||
           lacks(q, "path", q->inventory->pools[o.ix].name,
                 "give pools: NAME: path:, nbd: or iscsi:");
}

bool
dcp_reach_step(const struct dcp_inventory *inv,
               const struct dcp_connect *connect, const struct dcp_step *s,
               char out[DCP_REACH_TEXT_SIZE])
{
    const struct question q = { inv, connect, out };

    out[0] = '\0';
    switch (s->kind) {
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
        return power_given(&q, s);
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        return switches_given(&q, s->object);
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VM_RESIZE:
        return hypervisor_given(&q, s->from) && hypervisor_given(&q, s->to);
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
        return pools_given(&q, s->from) && pools_given(&q, s->to);
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
    return true;
}
