/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_STORAGE_IO_H
#define DCP_SIM_STORAGE_IO_H 1

/* Reads and writes of VMs in a replay, over hosts' paths to storage and into
 * pools: what each sample asks, who gets how much (sim/storage/share.h), what
 * is not served.  A watch: CPU and time go on as they would without it.
 *
 * Asked for: a VM's measured throughput, shared out over its volumes as they
 * declare it, by size where none does; what they declare where it was not
 * measured.  Operations: as declared, in the ratio of measured to declared
 * throughput where both are known; of a VM that declares none its throughput by
 * policy.storage.io_size, if that is given.  While a VM warms up
 * (policy.warmup.disk) it asks for more.  Volumes on hosts' own disks are
 * nobody's path and in no pool.
 *
 * Each sample is judged by where VMs and volumes are at its end.  Not
 * simulated: latency, caches, what moves of volumes, saved memory and swap read
 * and write.  docs/sim-host.md.  Not thread-safe. */

#include "sim/watch.h"

struct dcp_io_link_result {      /* Of a host's paths or of a pool. */
    double short_s;              /* Asked for more than it has. */
    double unmet_mib, unmet_ops; /* Of flows that it stopped. */
    double peak_frac; /* Highest asked, of the limit that was asked most of. */
};

struct dcp_io_result {
    uint32_t n_hosts, n_pools, n_vms;
    bool measured; /* Some VM's throughput was. */
    double asked_mib, asked_ops, unmet_mib, unmet_ops;
    double short_link_s;              /* Sum of short_s. */
    struct dcp_io_link_result *links; /* Hosts' paths, then pools.  Owned. */
    double *vm_unmet_mib;             /* Owned. */
};
void dcp_io_result_finish(struct dcp_io_result *);

/* Whether the model states what some pool or path carries, and has volumes in
 * pools. */
bool dcp_io_is_limited(const struct dcp_inventory *);

struct dcp_io;

/* 'disk': KiB/s of reads and writes together, missing ones NaN, on the replay's
 * grid; NULL: not measured.  Both are borrowed. */
struct dcp_io *
dcp_io_create(const struct dcp_inventory *, const struct dcp_samples *disk,
              struct dcp_error *err) DCP_CHECKED;
void dcp_io_destroy(struct dcp_io *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_io)

/* Of the sample that was taken last; borrowed, until the next. */
struct dcp_io_now {
    /* Hosts' paths, then pools; what they carry at most beside it. */
    const struct dcp_io_load *load;
    const struct dcp_io_link *links;
    const double *vm_kib_s, *vm_unmet_kib_s; /* By VM, of its pools' volumes. */
};
struct dcp_io_now dcp_io_now(const struct dcp_io *);

struct dcp_sim_watch dcp_io_watch(struct dcp_io *);
/* The same without a replay: one sample's time, things being where they are. */
void dcp_io_take(struct dcp_io *, const struct dcp_placement *,
                 int64_t start_ms, int64_t end_ms);
/* Other samples from now on, for who reads them a stretch at a time. */
void dcp_io_set_disk(struct dcp_io *, const struct dcp_samples *);
/* What was counted so far is the caller's; counting begins anew. */
bool dcp_io_end(struct dcp_io *, struct dcp_io_result *out,
                struct dcp_error *err) DCP_CHECKED;

#endif /* sim/storage/io.h */
