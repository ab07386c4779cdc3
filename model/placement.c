/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/placement.h"

#include <stdlib.h>
#include <string.h>

static struct dcp_placement *
create(uint32_t n_vms, uint32_t n_hosts, struct dcp_error *err)
{
    DCP_AUTO(dcp_placement) struct dcp_placement *p = calloc(1, sizeof *p);

    if (p) {
        p->n_vms = n_vms;
        p->n_hosts = n_hosts;
        p->host = calloc(n_vms + 1u, sizeof *p->host);
        p->on = calloc(n_hosts + 1u, sizeof *p->on);
    }
    if (!p || !p->host || !p->on) {
        (void)dcp_fail(err, DCP_E_NOMEM, "placement of %u VMs on %u hosts",
                       n_vms, n_hosts);
        return NULL;
    }
    return DCP_STEAL(p);
}

struct dcp_placement *
dcp_placement_create(const struct dcp_inventory *inv, struct dcp_error *err)
{
    struct dcp_placement *p = create(inv->n_vms, inv->n_hosts, err);

    for (uint32_t v = 0; p && v < p->n_vms; v++) {
        p->host[v] = dcp_host_none();
    }
    for (uint32_t h = 0; p && h < p->n_hosts; h++) {
        p->on[h] = inv->hosts[h].state == DCP_HOST_UP;
    }
    return p;
}

struct dcp_placement *
dcp_placement_start(const struct dcp_inventory *inv, struct dcp_error *err)
{
    struct dcp_placement *p = dcp_placement_create(inv, err);

    for (uint32_t v = 0; p && v < p->n_vms; v++) {
        p->host[v] = inv->vms[v].host;
    }
    return p;
}

struct dcp_placement *
dcp_placement_copy(const struct dcp_placement *from, struct dcp_error *err)
{
    struct dcp_placement *p = create(from->n_vms, from->n_hosts, err);

    if (!p) {
        return NULL;
    }
    memcpy(p->host, from->host, from->n_vms * sizeof *p->host);
    memcpy(p->on, from->on, from->n_hosts * sizeof *p->on);
    if (from->pool) {
        p->pool = calloc(from->n_volumes + 1u, sizeof *p->pool);
        if (!p->pool) {
            (void)dcp_fail(err, DCP_E_NOMEM, "placement of %u volumes",
                           from->n_volumes);
            dcp_placement_destroy(p);
            return NULL;
        }
        memcpy(p->pool, from->pool, from->n_volumes * sizeof *p->pool);
        p->n_volumes = from->n_volumes;
    }
    if (from->size) {
        p->size = malloc((from->n_vms + 1u) * sizeof *p->size);
        if (!p->size) {
            dcp_placement_destroy(p);
            (void)dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", from->n_vms);
            return NULL;
        }
        memcpy(p->size, from->size, from->n_vms * sizeof *p->size);
    }
    return p;
}

struct dcp_vm_size
dcp_placement_size(const struct dcp_inventory *inv,
                   const struct dcp_placement *p, uint32_t vm)
{
    return p->size ? p->size[vm] : dcp_vm_size(inv, vm);
}

bool
dcp_placement_resize(struct dcp_placement *p, const struct dcp_inventory *inv,
                     uint32_t vm, struct dcp_vm_size to, struct dcp_error *err)
{
    if (!p->size) {
        p->size = malloc((p->n_vms + 1u) * sizeof *p->size);
        if (!p->size) {
            return dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", p->n_vms);
        }
        for (uint32_t v = 0; v < p->n_vms; v++) {
            p->size[v] = dcp_vm_size(inv, v);
        }
    }
    p->size[vm] = to;
    return true;
}

bool
dcp_placement_own_pools(struct dcp_placement *p,
                        const struct dcp_inventory *inv, struct dcp_error *err)
{
    if (p->pool) {
        return true;
    }
    p->pool = calloc(inv->n_volumes + 1u, sizeof *p->pool);
    if (!p->pool) {
        return dcp_fail(err, DCP_E_NOMEM, "placement of %u volumes",
                        inv->n_volumes);
    }
    p->n_volumes = inv->n_volumes;
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        p->pool[i] = inv->volumes[i].pool;
    }
    return true;
}

uint32_t
dcp_placement_n_volumes_moved(const struct dcp_placement *from,
                              const struct dcp_placement *to,
                              const struct dcp_inventory *inv)
{
    uint32_t n = 0;

    for (uint32_t i = 0; (from->pool || to->pool) && i < inv->n_volumes; i++) {
        n += dcp_placement_pool(from, inv, i).ix !=
             dcp_placement_pool(to, inv, i).ix;
    }
    return n;
}

void
dcp_placement_destroy(struct dcp_placement *p)
{
    if (p) {
        free(p->host);
        free(p->on);
        free(p->size);
        free(p->pool);
        free(p);
    }
}

uint32_t
dcp_placement_n_on(const struct dcp_placement *p)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        n += p->on[h];
    }
    return n;
}

uint32_t
dcp_placement_n_moved(const struct dcp_placement *from,
                      const struct dcp_placement *to)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < from->n_vms; v++) {
        n += from->host[v].ix != to->host[v].ix;
    }
    return n;
}

void
dcp_placement_by_host(const struct dcp_placement *p, uint32_t first[],
                      uint32_t vms[])
{
    memset(first, 0, (p->n_hosts + 1u) * sizeof *first);
    for (uint32_t v = 0; v < p->n_vms; v++) {
        if (!dcp_host_is_none(p->host[v])) {
            first[p->host[v].ix]++;
        }
    }
    uint32_t total = 0;

    for (uint32_t h = 0; h <= p->n_hosts; h++) {
        uint32_t n = h < p->n_hosts ? first[h] : 0;

        total += n;
        first[h] = total; /* The end of h, counted down below. */
    }
    for (uint32_t v = p->n_vms; v-- > 0;) {
        if (!dcp_host_is_none(p->host[v])) {
            vms[--first[p->host[v].ix]] = v;
        }
    }
}
