/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/purchase.h"

#include <stdlib.h>
#include <string.h>

struct shop {
    const struct dcp_inventory *inv;
    const struct dcp_demand *demand;
    const struct dcp_placement *now;
    struct dcp_ledger_shape shape;
};

/* How many more of the shape fit in 'inv'; its VMs are those of the shop. */
static bool
room(const struct shop *s, const struct dcp_inventory *inv,
     const struct dcp_placement *now, uint64_t *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_ledger)
    struct dcp_ledger *l =
        dcp_ledger_create(inv, s->demand, now, dcp_site_none(), err);

    if (!l) {
        return false;
    }
    *out = 0;
    for (uint32_t i = 0; i < l->n_shapes; i++) {
        if (l->shapes[i].like.ix == s->shape.like.ix) {
            *out = l->shapes[i].more;
        }
    }
    return true;
}

static uint32_t
first_host(const struct dcp_inventory *inv, uint32_t hardware)
{
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (inv->hosts[h].hardware.ix == hardware &&
            inv->hosts[h].state != DCP_HOST_MAINTENANCE) {
            return h;
        }
    }
    return DCP_IX_NONE;
}

static bool
with_host(const struct shop *s, uint32_t twin, uint64_t *out,
          struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->inv;
    struct dcp_inventory more = *inv;
    DCP_FREE struct dcp_host *hosts =
        malloc((inv->n_hosts + 1u) * sizeof *hosts);
    DCP_AUTO(dcp_placement) struct dcp_placement *now = NULL;

    if (!hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for one host more");
    }
    memcpy(hosts, inv->hosts, inv->n_hosts * sizeof *hosts);
    hosts[inv->n_hosts] = hosts[twin];
    hosts[inv->n_hosts].name = "(new)";
    hosts[inv->n_hosts].state = DCP_HOST_UP;
    more.hosts = hosts;
    more.n_hosts++;
    now = dcp_placement_create(&more, err);
    if (!now) {
        return false;
    }
    memcpy(now->host, s->now->host, s->now->n_vms * sizeof *now->host);
    memcpy(now->on, s->now->on, s->now->n_hosts);
    now->on[inv->n_hosts] = 1;
    return room(s, &more, now, out, err);
}

static bool
with_memory(const struct shop *s, uint32_t hardware, uint64_t *out,
            struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->inv;
    struct dcp_inventory more = *inv;
    DCP_FREE struct dcp_hardware *models =
        malloc((inv->n_hardware + 1u) * sizeof *models);

    if (!models) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for more memory");
    }
    memcpy(models, inv->hardware, inv->n_hardware * sizeof *models);
    models[hardware].mem_mib *= 2;
    more.hardware = models;
    return room(s, &more, s->now, out, err);
}

static int
most_first(const void *pa, const void *pb)
{
    const struct dcp_purchase *a = pa, *b = pb;

    if (a->more_per_host != b->more_per_host) {
        return a->more_per_host > b->more_per_host ? -1 : 1;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->hardware.ix < b->hardware.ix ? -1 : 1;
}

static void
add(struct dcp_purchases *out, struct dcp_purchase p, uint64_t before,
    uint64_t after)
{
    p.more = (int64_t)after - (int64_t)before;
    p.more_per_host = (double)p.more / p.n_hosts;
    out->item[out->n++] = p;
}

static bool
count(const struct shop *s, uint64_t before, struct dcp_purchases *out,
      struct dcp_error *err)
{
    for (uint32_t m = 0; m < s->inv->n_hardware; m++) {
        uint32_t twin = first_host(s->inv, m), n = 0;
        uint64_t after;

        if (twin == DCP_IX_NONE) {
            continue;
        }
        for (uint32_t h = 0; h < s->inv->n_hosts; h++) {
            n += s->inv->hosts[h].hardware.ix == m;
        }
        if (!with_host(s, twin, &after, err)) {
            return false;
        }
        add(out,
            (struct dcp_purchase){
                .kind = DCP_PURCHASE_HOST, .hardware = { m }, .n_hosts = 1 },
            before, after);
        if (!with_memory(s, m, &after, err)) {
            return false;
        }
        add(out,
            (struct dcp_purchase){ .kind = DCP_PURCHASE_MEMORY,
                                   .hardware = { m },
                                   .n_hosts = n,
                                   .mem_mib = n * s->inv->hardware[m].mem_mib },
            before, after);
    }
    return true;
}

bool
dcp_purchases_count(const struct dcp_inventory *inv,
                    const struct dcp_demand *demand,
                    const struct dcp_placement *now, struct dcp_purchases *out,
                    struct dcp_error *err)
{
    struct shop s = { .inv = inv, .demand = demand, .now = now };
    DCP_AUTO(dcp_ledger)
    struct dcp_ledger *l =
        dcp_ledger_create(inv, demand, now, dcp_site_none(), err);

    *out = (struct dcp_purchases){ 0 };
    if (!l) {
        return false;
    }
    if (!l->n_shapes) {
        return true;
    }
    s.shape = out->shape = l->shapes[0];
    out->item = calloc(2 * (size_t)inv->n_hardware + 1, sizeof *out->item);
    if (!out->item) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for purchases");
    }
    if (!count(&s, l->shapes[0].more, out, err)) {
        dcp_purchases_finish(out);
        return false;
    }
    if (out->n > 1) {
        qsort(out->item, out->n, sizeof *out->item, most_first);
    }
    return true;
}

void
dcp_purchases_finish(struct dcp_purchases *p)
{
    free(p->item);
    *p = (struct dcp_purchases){ 0 };
}
