/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/series.h"

#include "sim/storage/io.h"
#include "sim/storage/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In the order of dcp_series_figures. */
enum figure {
    HOST_ON,
    HOST_SWITCHING,
    HOST_POWER,
    HOST_DEMAND,
    HOST_UNMET,
    HOST_OVERLOAD,
    HOST_BALLOON,
    HOST_SWAP,
    VM_HOST,
    VM_DEMAND,
    VM_UNMET,
    VM_READY,
    VM_SWAP,
    TENANT_DEMAND,
    TENANT_UNMET,
    TENANT_OVERLOADED,
    HOST_IO, /* Storage: DCP_SERIES_STORAGE_FIGURES, up to the end. */
    HOST_IO_UNMET,
    VM_IO,
    VM_IO_UNMET,
    POOL_IO,
    POOL_IO_UNMET,
    POOL_OPS,
    POOL_OPS_UNMET,
    POOL_LOAD,
};

const struct dcp_series_figure dcp_series_figures[DCP_SERIES_FIGURES] = {
    { DCP_SERIES_HOST, "on_frac", "1", false },
    { DCP_SERIES_HOST, "switching_frac", "1", false },
    { DCP_SERIES_HOST, "power_w", "W", false },
    { DCP_SERIES_HOST, "demand_mhz", "reference MHz", false },
    { DCP_SERIES_HOST, "unmet_mhz", "reference MHz", false },
    { DCP_SERIES_HOST, "overload_frac", "1", false },
    { DCP_SERIES_HOST, "balloon_mib", "MiB", false },
    { DCP_SERIES_HOST, "swap_mib", "MiB", false },
    { DCP_SERIES_VM, "host", "index into /host/name, -1: none", true },
    { DCP_SERIES_VM, "demand_mhz", "reference MHz", false },
    { DCP_SERIES_VM, "unmet_mhz", "reference MHz", false },
    { DCP_SERIES_VM, "ready_frac", "1", false },
    { DCP_SERIES_VM, "swap_mib", "MiB", false },
    { DCP_SERIES_TENANT, "demand_mhz", "reference MHz", false },
    { DCP_SERIES_TENANT, "unmet_mhz", "reference MHz", false },
    { DCP_SERIES_TENANT, "overloaded_vms", "VMs", false },
    { DCP_SERIES_HOST, "storage_kib_s", "KiB/s", false },
    { DCP_SERIES_HOST, "storage_unmet_kib_s", "KiB/s", false },
    { DCP_SERIES_VM, "storage_kib_s", "KiB/s", false },
    { DCP_SERIES_VM, "storage_unmet_kib_s", "KiB/s", false },
    { DCP_SERIES_POOL, "asked_kib_s", "KiB/s", false },
    { DCP_SERIES_POOL, "unmet_kib_s", "KiB/s", false },
    { DCP_SERIES_POOL, "asked_operations", "1/s", false },
    { DCP_SERIES_POOL, "unmet_operations", "1/s", false },
    { DCP_SERIES_POOL, "load_frac", "1", false },
};

struct dcp_sim_series {
    const struct dcp_inventory *inv;
    const struct dcp_samples *cpu;
    float *rows[DCP_SERIES_FIGURES]; /* Owned, as are those below. */
    /* Sums at the end of the slice before. */
    struct dcp_sim_host *hosts;
    double *vm_unmet_mhz_s, *vm_ready_s, *vm_swap_mib_s;
    struct dcp_sim_tenant *tenants;
    struct dcp_io *io; /* NULL: nothing of storage is limited.  Owned. */
    struct dcp_sim_watch io_watch;
};

const char *
dcp_series_of_name(enum dcp_series_of of)
{
    static const char *const names[] = { [DCP_SERIES_INTERVAL] = "interval",
                                         [DCP_SERIES_HOST] = "host",
                                         [DCP_SERIES_VM] = "vm",
                                         [DCP_SERIES_TENANT] = "tenant",
                                         [DCP_SERIES_POOL] = "pool" };

    return names[of];
}

uint32_t
dcp_sim_series_count(const struct dcp_sim_series *s, enum dcp_series_of of)
{
    switch (of) {
    case DCP_SERIES_HOST:
        return s->inv->n_hosts;
    case DCP_SERIES_VM:
        return s->inv->n_vms;
    case DCP_SERIES_TENANT:
        return s->inv->n_tenants + 1;
    case DCP_SERIES_POOL:
        return s->io ? s->inv->n_pools : 0;
    case DCP_SERIES_INTERVAL:
        break;
    }
    return 1;
}

const char *
dcp_sim_series_name(const struct dcp_sim_series *s, enum dcp_series_of of,
                    uint32_t i)
{
    switch (of) {
    case DCP_SERIES_HOST:
        return s->inv->hosts[i].name;
    case DCP_SERIES_VM:
        return s->inv->vms[i].name;
    case DCP_SERIES_TENANT:
        return i < s->inv->n_tenants ? s->inv->tenants[i].name : "";
    case DCP_SERIES_POOL:
        return s->inv->pools[i].name;
    case DCP_SERIES_INTERVAL:
        break;
    }
    return "";
}

uint32_t
dcp_sim_series_n(const struct dcp_sim_series *s)
{
    return DCP_SERIES_FIGURES - (s->io ? 0 : DCP_SERIES_STORAGE_FIGURES);
}

struct dcp_sim_series *
dcp_sim_series_create(const struct dcp_sim_input *in, bool storage,
                      struct dcp_error *err)
{
    const struct dcp_inventory *inv = in->inventory;
    DCP_AUTO(dcp_sim_series)
    struct dcp_sim_series *s = calloc(1, sizeof *s);
    bool ok = s != NULL;

    if (ok) {
        s->inv = inv;
        s->cpu = in->cpu;
        s->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *s->hosts);
        s->vm_unmet_mhz_s =
            calloc((size_t)inv->n_vms + 1, sizeof *s->vm_unmet_mhz_s);
        s->vm_ready_s = calloc((size_t)inv->n_vms + 1, sizeof *s->vm_ready_s);
        s->vm_swap_mib_s =
            calloc((size_t)inv->n_vms + 1, sizeof *s->vm_swap_mib_s);
        s->tenants = calloc((size_t)inv->n_tenants + 1, sizeof *s->tenants);
        ok = s->hosts && s->vm_unmet_mhz_s && s->vm_ready_s &&
             s->vm_swap_mib_s && s->tenants;
    }
    if (ok && storage && dcp_io_is_limited(inv)) {
        s->io = dcp_io_create(inv, in->disk, err);
        if (!s->io) {
            return NULL;
        }
        s->io_watch = dcp_io_watch(s->io);
    }
    for (uint32_t i = 0; ok && i < dcp_sim_series_n(s); i++) {
        size_t n = dcp_sim_series_count(s, dcp_series_figures[i].of);

        s->rows[i] = calloc(n + 1, sizeof *s->rows[i]);
        ok = s->rows[i] != NULL;
    }
    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for series");
        return NULL;
    }
    return DCP_STEAL(s);
}

void
dcp_sim_series_destroy(struct dcp_sim_series *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < DCP_SERIES_FIGURES; i++) {
        free(s->rows[i]);
    }
    free(s->hosts);
    free(s->vm_unmet_mhz_s);
    free(s->vm_ready_s);
    free(s->vm_swap_mib_s);
    free(s->tenants);
    dcp_io_destroy(s->io);
    free(s);
}

static void
take_hosts(struct dcp_sim_series *s, const struct dcp_sim_result *r,
           double seconds)
{
    for (uint32_t h = 0; h < r->n_hosts; h++) {
        const struct dcp_sim_host *now = &r->hosts[h], *was = &s->hosts[h];

        s->rows[HOST_ON][h] = (float)((now->on_s - was->on_s) / seconds);
        s->rows[HOST_SWITCHING][h] =
            (float)((now->switching_s - was->switching_s) / seconds);
        s->rows[HOST_POWER][h] = (float)((now->it_j - was->it_j) / seconds);
        s->rows[HOST_DEMAND][h] =
            (float)((now->requested_mhz_s - was->requested_mhz_s) / seconds);
        s->rows[HOST_UNMET][h] =
            (float)((now->unmet_mhz_s - was->unmet_mhz_s) / seconds);
        s->rows[HOST_OVERLOAD][h] =
            (float)((now->overload_s - was->overload_s) / seconds);
        s->rows[HOST_BALLOON][h] =
            (float)((now->balloon_mib_s - was->balloon_mib_s) / seconds);
        s->rows[HOST_SWAP][h] =
            (float)((now->swap_mib_s - was->swap_mib_s) / seconds);
    }
    memcpy(s->hosts, r->hosts, r->n_hosts * sizeof *s->hosts);
}

static void
take_vms(struct dcp_sim_series *s, const struct dcp_sim_result *r,
         const float *sample, double seconds)
{
    for (uint32_t v = 0; v < r->n_vms; v++) {
        bool placed = !dcp_host_is_none(r->end->host[v]);
        double asked = placed ? sample[v] : 0;
        double unmet = (r->vm_unmet_mhz_s[v] - s->vm_unmet_mhz_s[v]) / seconds;

        s->rows[VM_HOST][v] = placed ? (float)r->end->host[v].ix : -1;
        s->rows[VM_DEMAND][v] = (float)asked;
        s->rows[VM_UNMET][v] = (float)unmet;
        s->rows[VM_READY][v] =
            (float)((r->vm_ready_s[v] - s->vm_ready_s[v]) / seconds);
        s->rows[VM_SWAP][v] =
            (float)((r->vm_swap_mib_s[v] - s->vm_swap_mib_s[v]) / seconds);
    }
    memcpy(s->vm_swap_mib_s, r->vm_swap_mib_s,
           r->n_vms * sizeof *s->vm_swap_mib_s);
    memcpy(s->vm_ready_s, r->vm_ready_s, r->n_vms * sizeof *s->vm_ready_s);
    memcpy(s->vm_unmet_mhz_s, r->vm_unmet_mhz_s,
           r->n_vms * sizeof *s->vm_unmet_mhz_s);
}

static void
take_tenants(struct dcp_sim_series *s, const struct dcp_sim_result *r,
             double seconds)
{
    for (uint32_t t = 0; t <= s->inv->n_tenants; t++) {
        const struct dcp_sim_tenant *now = &r->tenants[t];
        const struct dcp_sim_tenant *was = &s->tenants[t];

        s->rows[TENANT_DEMAND][t] =
            (float)((now->requested_mhz_s - was->requested_mhz_s) / seconds);
        s->rows[TENANT_UNMET][t] =
            (float)((now->unmet_mhz_s - was->unmet_mhz_s) / seconds);
        s->rows[TENANT_OVERLOADED][t] =
            (float)((now->overload_vm_s - was->overload_vm_s) / seconds);
        s->tenants[t] = *now;
    }
}

/* Of the limit that is asked most of; 0: it has none. */
static double
load_frac(const struct dcp_io_link *link, const struct dcp_io_load *load)
{
    return fmax(load->asked_kib_s / link->kib_s, load->asked_iops / link->iops);
}

static void
take_storage(struct dcp_sim_series *s)
{
    struct dcp_io_now now = dcp_io_now(s->io);

    for (uint32_t h = 0; h < s->inv->n_hosts; h++) {
        const struct dcp_io_load *l = &now.load[h];

        s->rows[HOST_IO][h] = (float)l->asked_kib_s;
        s->rows[HOST_IO_UNMET][h] = (float)(l->asked_kib_s - l->served_kib_s);
    }
    for (uint32_t v = 0; v < s->inv->n_vms; v++) {
        s->rows[VM_IO][v] = (float)now.vm_kib_s[v];
        s->rows[VM_IO_UNMET][v] = (float)now.vm_unmet_kib_s[v];
    }
    for (uint32_t p = 0; p < s->inv->n_pools; p++) {
        uint32_t link = s->inv->n_hosts + p;
        const struct dcp_io_load *l = &now.load[link];

        s->rows[POOL_IO][p] = (float)l->asked_kib_s;
        s->rows[POOL_IO_UNMET][p] = (float)(l->asked_kib_s - l->served_kib_s);
        s->rows[POOL_OPS][p] = (float)l->asked_iops;
        s->rows[POOL_OPS_UNMET][p] = (float)(l->asked_iops - l->served_iops);
        s->rows[POOL_LOAD][p] = (float)load_frac(&now.links[link], l);
    }
}

bool
dcp_sim_series_see(struct dcp_sim_series *s, const struct dcp_sim_event *e,
                   struct dcp_error *err)
{
    return !s->io || s->io_watch.event(s->io_watch.user, e, err);
}

void
dcp_sim_series_take(struct dcp_sim_series *s, const struct dcp_sim_result *r,
                    uint32_t slice)
{
    const struct dcp_sim_slice *at = &r->slices[slice];
    double seconds = (double)(at->end_ms - at->start_ms) / 1000;
    size_t row = (size_t)dcp_samples_cell(s->cpu, at->start_ms);

    take_hosts(s, r, seconds);
    take_vms(s, r, s->cpu->value + row * s->cpu->n_vms, seconds);
    take_tenants(s, r, seconds);
    if (s->io) {
        dcp_io_take(s->io, r->end, at->start_ms, at->end_ms);
        take_storage(s);
    }
}

const float *
dcp_sim_series_row(const struct dcp_sim_series *s, uint32_t figure)
{
    return s->rows[figure];
}
