/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/storage/io.h"

#include "sim/host/warmup.h"
#include "sim/storage/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KIB_PER_MIB 1024.0

struct io_volume {
    double share; /* Of its VM's throughput. */
    double iops, kib_s;
};

struct dcp_io {
    const struct dcp_inventory *inv;
    const struct dcp_samples *disk;
    struct io_volume *volumes;   /* By volume.  Owned, as are those below. */
    struct dcp_io_link *links;   /* Hosts' paths, then pools. */
    struct dcp_io_load *load;    /* By link. */
    struct dcp_io_flow *flows;   /* One a volume, at most. */
    uint32_t *flow_vm;           /* By flow. */
    struct dcp_warmups *warmups; /* NULL: they cost nothing. */
    double *vm_kib_s, *vm_unmet_kib_s; /* Of the sample taken last.  Owned. */
    uint32_t n_links;
    struct dcp_io_result out;
};

/* --- Building ----------------------------------------------------------- */

bool
dcp_io_is_limited(const struct dcp_inventory *inv)
{
    bool limit = false, in_pool = false;

    for (uint32_t i = 0; i < inv->n_pools; i++) {
        limit |= inv->pools[i].iops || inv->pools[i].rate_kib_s;
    }
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        limit |=
            inv->hardware[i].storage_iops || inv->hardware[i].storage_kib_s;
    }
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        in_pool |= !dcp_pool_is_none(inv->volumes[i].pool) &&
                   !dcp_vm_is_none(inv->volumes[i].vm);
    }
    return limit && in_pool;
}

/* What one volume asks for where its VM's volumes declare 'kib_s' and 'iops'
 * together and have 'mib'. */
static void
init_vm(struct dcp_io *io, const struct dcp_vm *vm)
{
    const struct dcp_inventory *inv = io->inv;
    double kib_s = 0, mib = 0;

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        kib_s += (double)inv->volumes[vm->first_volume + i].rate_kib_s;
        mib += (double)inv->volumes[vm->first_volume + i].size_mib;
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        const struct dcp_volume *v = &inv->volumes[vm->first_volume + i];

        io->volumes[vm->first_volume + i] = (struct io_volume){
            .share = kib_s > 0 ? (double)v->rate_kib_s / kib_s
                     : mib > 0 ? (double)v->size_mib / mib
                               : 0,
            .iops = (double)v->iops,
            .kib_s = (double)v->rate_kib_s,
        };
    }
}

static struct dcp_io_link
link_of(uint64_t kib_s, uint64_t iops)
{
    return (struct dcp_io_link){ kib_s ? (double)kib_s : INFINITY,
                                 iops ? (double)iops : INFINITY };
}

static bool
init_result(struct dcp_io *io, struct dcp_error *err)
{
    io->out = (struct dcp_io_result){
        .n_hosts = io->inv->n_hosts,
        .n_pools = io->inv->n_pools,
        .n_vms = io->inv->n_vms,
        .links = calloc((size_t)io->n_links + 1, sizeof *io->out.links),
        .vm_unmet_mib = calloc((size_t)io->inv->n_vms + 1, sizeof(double)),
    };
    return (io->out.links && io->out.vm_unmet_mib) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for storage");
}

static bool
init(struct dcp_io *io, struct dcp_error *err)
{
    const struct dcp_inventory *inv = io->inv;
    size_t n = (size_t)inv->n_volumes + 1;

    io->n_links = inv->n_hosts + inv->n_pools;
    io->volumes = calloc(n, sizeof *io->volumes);
    io->flows = calloc(n, sizeof *io->flows);
    io->flow_vm = calloc(n, sizeof *io->flow_vm);
    io->links = calloc((size_t)io->n_links + 1, sizeof *io->links);
    io->load = calloc((size_t)io->n_links + 1, sizeof *io->load);
    io->vm_kib_s = calloc((size_t)inv->n_vms + 1, sizeof *io->vm_kib_s);
    io->vm_unmet_kib_s =
        calloc((size_t)inv->n_vms + 1, sizeof *io->vm_unmet_kib_s);
    if (!io->volumes || !io->flows || !io->flow_vm || !io->links || !io->load ||
        !io->vm_kib_s || !io->vm_unmet_kib_s) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for storage");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        init_vm(io, &inv->vms[v]);
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[h].hardware.ix];

        io->links[h] = link_of(hw->storage_kib_s, hw->storage_iops);
    }
    for (uint32_t p = 0; p < inv->n_pools; p++) {
        io->links[inv->n_hosts + p] =
            link_of(inv->pools[p].rate_kib_s, inv->pools[p].iops);
    }
    if (inv->policy.warmup.time_ms > 0 && inv->policy.warmup.disk_kib_s > 0) {
        io->warmups = dcp_warmups_create(inv->n_vms, err);
        if (!io->warmups) {
            return false;
        }
    }
    return init_result(io, err);
}

struct dcp_io *
dcp_io_create(const struct dcp_inventory *inv, const struct dcp_samples *disk,
              struct dcp_error *err)
{
    DCP_AUTO(dcp_io) struct dcp_io *io = calloc(1, sizeof *io);

    if (!io) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for storage");
        return NULL;
    }
    io->inv = inv;
    io->disk = disk;
    return init(io, err) ? DCP_STEAL(io) : NULL;
}

void
dcp_io_result_finish(struct dcp_io_result *r)
{
    free(r->links);
    free(r->vm_unmet_mib);
    *r = (struct dcp_io_result){ 0 };
}

void
dcp_io_destroy(struct dcp_io *io)
{
    if (io) {
        free(io->volumes);
        free(io->flows);
        free(io->flow_vm);
        free(io->links);
        free(io->load);
        free(io->vm_kib_s);
        free(io->vm_unmet_kib_s);
        dcp_warmups_destroy(io->warmups);
        dcp_io_result_finish(&io->out);
        free(io);
    }
}

void
dcp_io_set_disk(struct dcp_io *io, const struct dcp_samples *disk)
{
    io->disk = disk;
}

/* --- One sample --------------------------------------------------------- */

/* Measured KiB/s of all VMs at the time; NULL: none were. */
static const float *
row_at(const struct dcp_io *io, int64_t at_ms)
{
    const struct dcp_samples *d = io->disk;

    if (!d || !d->n_times) {
        return NULL;
    }
    int64_t row = dcp_samples_cell(d, at_ms);

    return row >= 0 && row < d->n_times ? d->value + (size_t)row * d->n_vms
                                        : NULL;
}

/* What the VM asks for on one of its volumes; 'vm_kib_s' below 0: not
 * measured. */
static void
ask(const struct dcp_io *io, const struct io_volume *v, double vm_kib_s,
    bool warming, struct dcp_io_flow *f)
{
    double io_kib = io->inv->policy.storage.io_size_mib * KIB_PER_MIB;
    double more =
        warming ? (double)io->inv->policy.warmup.disk_kib_s * v->share : 0;

    f->kib_s = vm_kib_s >= 0 ? vm_kib_s * v->share : v->kib_s;
    f->iops = v->iops;
    if (v->iops > 0 && v->kib_s > 0) {
        f->iops *= (f->kib_s + more) / v->kib_s;
    } else if (v->iops <= 0 && io_kib > 0) {
        f->iops = (f->kib_s + more) / io_kib;
    }
    f->kib_s += more;
}

static uint32_t
make_flows(struct dcp_io *io, const struct dcp_placement *p, const float *row)
{
    const struct dcp_inventory *inv = io->inv;
    uint32_t n = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        const struct dcp_vm *vm = &inv->vms[v];
        dcp_host_id host = p->host[v];
        double kib_s = row && row[v] >= 0 ? row[v] : -1;

        if (dcp_host_is_none(host) || !p->on[host.ix]) {
            continue;
        }
        io->out.measured |= kib_s >= 0;
        for (uint32_t i = 0; i < vm->n_volumes; i++) {
            uint32_t ix = vm->first_volume + i;
            dcp_pool_id pool = dcp_placement_pool(p, inv, ix);
            struct dcp_io_flow *f = &io->flows[n];

            if (dcp_pool_is_none(pool)) {
                continue;
            }
            *f = (struct dcp_io_flow){ .path = host.ix,
                                       .pool = inv->n_hosts + pool.ix };
            ask(io, &io->volumes[ix], kib_s,
                io->warmups && dcp_warmups_is_warming(io->warmups, v), f);
            io->flow_vm[n] = v;
            n += f->kib_s > 0 || f->iops > 0;
        }
    }
    return n;
}

static void
count_flows(struct dcp_io *io, uint32_t n, double seconds)
{
    size_t size = io->inv->n_vms * sizeof(double);

    memset(io->vm_kib_s, 0, size);
    memset(io->vm_unmet_kib_s, 0, size);
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_io_flow *f = &io->flows[i];
        double missed_s = (1 - f->served_frac) * seconds;
        double mib = f->kib_s * missed_s / KIB_PER_MIB;

        io->vm_kib_s[io->flow_vm[i]] += f->kib_s;
        io->vm_unmet_kib_s[io->flow_vm[i]] += f->kib_s * (1 - f->served_frac);
        io->out.asked_mib += f->kib_s * seconds / KIB_PER_MIB;
        io->out.asked_ops += f->iops * seconds;
        if (f->full != DCP_IO_NONE) {
            io->out.unmet_mib += mib;
            io->out.unmet_ops += f->iops * missed_s;
            io->out.links[f->full].unmet_mib += mib;
            io->out.links[f->full].unmet_ops += f->iops * missed_s;
            io->out.vm_unmet_mib[io->flow_vm[i]] += mib;
        }
    }
}

static void
count_links(struct dcp_io *io, double seconds)
{
    for (uint32_t i = 0; i < io->n_links; i++) {
        const struct dcp_io_load *l = &io->load[i];
        struct dcp_io_link_result *out = &io->out.links[i];
        double frac = fmax(l->asked_kib_s / io->links[i].kib_s,
                           l->asked_iops / io->links[i].iops);

        out->peak_frac = fmax(out->peak_frac, frac);
        if (frac > 1) {
            out->short_s += seconds;
            io->out.short_link_s += seconds;
        }
    }
}

void
dcp_io_take(struct dcp_io *io, const struct dcp_placement *p, int64_t start_ms,
            int64_t end_ms)
{
    double seconds = (double)(end_ms - start_ms) / 1000;
    uint32_t n;

    while (io->warmups && dcp_warmups_next_ms(io->warmups) <= start_ms) {
        dcp_warmups_forget(io->warmups, dcp_warmups_next_vm(io->warmups));
    }
    n = make_flows(io, p, row_at(io, start_ms));
    dcp_io_share(io->flows, n, io->links, io->n_links, io->load);
    count_flows(io, n, seconds);
    count_links(io, seconds);
}

struct dcp_io_now
dcp_io_now(const struct dcp_io *io)
{
    return (struct dcp_io_now){ io->load, io->links, io->vm_kib_s,
                                io->vm_unmet_kib_s };
}

bool
dcp_io_end(struct dcp_io *io, struct dcp_io_result *out, struct dcp_error *err)
{
    *out = io->out;
    return init_result(io, err);
}

/* --- Watch -------------------------------------------------------------- */

static bool
see(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct dcp_io *io = user;

    return !io->warmups || e->phase != DCP_ACTION_DONE ||
           !dcp_step_boots_vm(e->step) ||
           dcp_warmups_begin(io->warmups, e->step->object.ix,
                             e->at_ms + io->inv->policy.warmup.time_ms, err);
}

static bool
take(void *user, const struct dcp_sim_result *so_far, uint32_t slice,
     bool *more, struct dcp_error *err)
{
    const struct dcp_sim_slice *at = &so_far->slices[slice];

    (void)more;
    (void)err;
    dcp_io_take(user, so_far->end, at->start_ms, at->end_ms);
    return true;
}

struct dcp_sim_watch
dcp_io_watch(struct dcp_io *io)
{
    return (struct dcp_sim_watch){ see, take, io };
}
