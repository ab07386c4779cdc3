/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_DEMAND_H
#define DCP_MODEL_DEMAND_H 1

/* Planned demand: what each VM is expected to use in each slot of a plan.
 *
 * The planned CPU of a VM in a slot is the tier's percentile of its samples of
 * that slot's bucket, or peak_factor x the bucket's peak where that is more,
 * times (1 + margin), in reference MHz (model/capacity.h), never above what
 * its vCPUs can use times (1 + margin); policy.demand names other predictors
 * than the percentile.  Sums of these over a host are sums of percentiles:
 * conservative where VMs peak at different times, and said so; reports state
 * beside it the joint percentile from the raw samples.  With policy.overload
 * the joint samples themselves decide (model/scenarios.h).
 *
 * Made by traces/fit.h from a usage store, or by dcp_demand_from_model() from
 * profiles and allocations.  Immutable once made; thread-safe to read. */

#include "model/scenarios.h"

enum dcp_demand_source {
    DCP_DEMAND_TRACE,      /* From the VM's own history. */
    DCP_DEMAND_SHORT,      /* History under policy.min_history_ms: the highest
                            * sample seen, in every slot. */
    DCP_DEMAND_PROFILE,    /* From the model's profile: of this VM. */
    DCP_DEMAND_ALLOCATION, /* Nothing known: all its vCPUs may use. */
};

/* Parts of the local day, in the model's zone: 00-06, 06-12, 12-18, 18-24 h. */
#define DCP_DAY_PARTS 4
static inline uint32_t
dcp_day_part(int64_t ms_of_day)
{
    int64_t part = ms_of_day * DCP_DAY_PARTS / DCP_DAY_MS;

    return part < 0                ? 0
           : part >= DCP_DAY_PARTS ? DCP_DAY_PARTS - 1
                                   : (uint32_t)part;
}

struct dcp_demand {
    struct dcp_arena *arena; /* Owns everything below. */
    uint32_t n_vms, n_slots;
    uint32_t stride; /* n_slots rounded up to a multiple of 8. */
    const struct dcp_slot *slots;
    const uint32_t *cpu_mhz;   /* [vm * stride + slot], padding 0. */
    /* Same shape: what is to be expected, the mean of the slot's bucket,
     * without margin; planned demand for VMs without a trace.  Nothing has to
     * fit by it: model/expect.h tells what a plan saves at it.  NULL: not
     * known. */
    const uint32_t *cpu_mean_mhz;
    const uint32_t *net_kib_s; /* Same shape; NULL: not measured. The larger
                                * of both directions. */
    const uint32_t *mem_active_mib; /* By VM: planned active memory; NULL: not
                                     * measured. */
    const uint32_t *disk_kib_s; /* By VM: planned reads and writes together;
                                 * UINT32_MAX: no sample; NULL: not measured. */
    const uint32_t *disk_part_kib_s; /* [vm * DCP_DAY_PARTS + part]: likewise,
                                      * of that part of all days. */
    /* The joint history behind 'cpu_mhz'; NULL: policy does not ask for it, or
     * there is none.  With it 'cpu_mhz' is the mean of each slot's samples. */
    const struct dcp_scenarios *scenarios;
    const uint8_t *source;     /* By VM: enum dcp_demand_source. */

    /* What was done to the data, for the output. */
    uint32_t n_by_source[4];
    uint32_t n_vms_at_limit;    /* VMs with samples at their ceiling ... */
    uint64_t n_samples_at_limit; /* ... which are lower bounds. */
    double at_limit_raise_frac;  /* Such samples were raised by so much. */
    uint32_t n_vms_partial;      /* VMs that appear or vanish inside the
                                  * history. */
    uint32_t n_vms_above_hosts;  /* VMs that want more than the target share of
                                  * any host: planned at that share of the
                                  * largest one, which no host can exceed. */
    uint32_t n_class_fallback;   /* (VM, class) pairs without history, which
                                  * take the VM's worst known class. */
    int64_t from_ms, until_ms;   /* History used; 0, 0: none. */
    char traces_digest[72];      /* "" where there is no store. */
};

/* The rows of a demand that is being made; same shapes, NULL where it has
 * none.  They belong to the demand. */
struct dcp_demand_rows {
    uint32_t *cpu_mhz, *cpu_mean_mhz;
    uint32_t *net_kib_s, *mem_active_mib, *disk_kib_s;
    uint32_t *disk_part_kib_s;
    uint8_t *source;
};
/* A demand of zeros, to be filled by its maker (here and traces/fit.h) before
 * anybody else sees it.  'slots' is copied.  NULL: out of memory. */
struct dcp_demand *dcp_demand_create(uint32_t n_vms,
                                     const struct dcp_slot *slots,
                                     uint32_t n_slots, bool with_net,
                                     bool with_mem,
                                     struct dcp_demand_rows *out,
                                     struct dcp_error *err) DCP_CHECKED;

/* Adds the columns of reads and writes, of UINT32_MAX.  False: out of memory. */
bool dcp_demand_add_disk(struct dcp_demand *, struct dcp_demand_rows *,
                         struct dcp_error *err) DCP_CHECKED;

/* Adds the columns of what is to be expected, of zeros.  False: out of memory.
 */
bool dcp_demand_add_means(struct dcp_demand *, struct dcp_demand_rows *,
                          struct dcp_error *err) DCP_CHECKED;

/* Demand from profiles and allocations alone.  'slots' is copied.  NULL: out
 * of memory. */
struct dcp_demand *dcp_demand_from_model(const struct dcp_inventory *,
                                         const struct dcp_slot *slots,
                                         uint32_t n_slots,
                                         struct dcp_error *err) DCP_CHECKED;
/* One VM's row by that rule, for a VM that has no trace: its profile's share
 * of what its vCPUs can use, times (1 + margin); without a profile all that its
 * vCPUs can use (no margin: it cannot use more).  Local hours are those of the
 * site of the host that the model places it on, else of the model. */
enum dcp_demand_source dcp_demand_row_from_model(
    const struct dcp_inventory *, dcp_vm_id, const struct dcp_slot *slots,
    uint32_t n_slots, uint32_t out_cpu_mhz[]);

/* The same demand in other slots, each within one of its own and of that one's
 * bucket; without joint samples.  What was counted is as it was.  NULL:
 * DCP_E_ARGUMENT where a slot is not covered, or out of memory. */
struct dcp_demand *
dcp_demand_part(const struct dcp_demand *, const struct dcp_slot slots[],
                uint32_t n_slots, struct dcp_error *err) DCP_CHECKED;

/* Plans no VM above what any host that is not in maintenance may carry, and
 * counts those that want it: no placement could give them more, and one such
 * VM must not keep all others from being planned.  For a demand just made. */
void dcp_demand_cap(struct dcp_demand *, const struct dcp_inventory *);

/* What must fit on a host, in words: "sum of per-VM percentiles" ... */
const char *dcp_demand_rule(const struct dcp_inventory *,
                            const struct dcp_demand *);

void dcp_demand_destroy(struct dcp_demand *);
DCP_DEFINE_AUTO(dcp_demand)

/* The nearest-rank percentile: the ceil(p n)-th smallest of 'values', which is
 * reordered (quickselect).  n >= 1, 0 < p <= 1. */
float dcp_percentile(float values[], uint32_t n, double p);

#endif /* model/demand.h */
