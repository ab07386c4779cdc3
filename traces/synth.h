/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_SYNTH_H
#define DCP_TRACES_SYNTH_H 1

/* Invented usage with the rhythm of real offices, for demos, tests and sizing.
 * It is no measurement and says so: the store's source is of kind "synth".
 *
 * CPU of a VM at time t, as a share of its capacity:
 *
 *   u(t) = level x (base + (1 - base) x shape(t)) x day(t) x exp(n(t) - s^2/2)
 *
 * at most 1.  'shape' is the archetype's day in local time (0..1; weekends
 * weaker or stronger by archetype), 'level' (log-normal over VMs), 'base',
 * hours and widths are drawn per VM, 'day' is a log-normal factor that all
 * VMs of an archetype share on one day, and n is an AR(1) process with a
 * correlation time of 45 minutes and deviation s (so u is log-normal around
 * its rhythm).  Active memory follows CPU slowly; network follows it at once.
 *
 * Each VM draws from streams named after it: adding one changes no other.
 * Same input, same bytes, whatever the number of threads. */

#include "model/inventory.h"
#include "traces/store_writer.h"

enum dcp_archetype {
    DCP_SYNTH_OFFICE,  /* 8 to 18 on weekdays, a dip at noon. */
    DCP_SYNTH_EVENING, /* Web: rises by day, highest from 19 to 22. */
    DCP_SYNTH_BATCH,   /* Some hours of the night. */
    DCP_SYNTH_FLAT,
    DCP_SYNTH_BURSTY, /* Idle, with bursts of half an hour. */
};
#define DCP_SYNTH_ARCHETYPES (DCP_SYNTH_BURSTY + 1)
const char *dcp_archetype_name(enum dcp_archetype); /* "office" ... */

struct dcp_synth_vm {
    const char *name; /* Unique. */
    uint32_t vcpus;
    double cpu_capacity_mhz, mem_mib;
    enum dcp_archetype archetype;
    bool test; /* Test machines are used less. */
};

struct dcp_synth_options {
    uint64_t seed;
    int64_t start_ms, interval_ms;
    uint32_t days;
    const struct dcp_zone *zone; /* Whose hours and weekends; not NULL. */
    uint32_t threads;
    bool cpu_and_memory_only;            /* Without network. */
    uint32_t sample_bits, deflate_level; /* As of the store's writer. */
    void (*progress)(void *context, double done_frac); /* May be NULL. */
    void *progress_context;
};
#define DCP_SYNTH_DAYS_MAX 3660

/* Draws an archetype by the shares that offices have: of live VMs 50 % office,
 * 18 % evening, 7 % batch, 13 % flat, 12 % bursty; of test VMs 60, 4, 8, 6,
 * 22. */
enum dcp_archetype
dcp_synth_draw_archetype(uint64_t seed, const char *name, bool test);

/* 'n' VMs of drawn sizes called vm-1 ... (padded to equal length), in 'arena';
 * NULL: out of memory. */
struct dcp_synth_vm *
dcp_synth_draw_vms(struct dcp_arena *, uint64_t seed, uint32_t n);

/* One per trace that the model's VMs name, with the VM's sizes (MHz of the
 * host where it starts).  A tier whose name begins with "test" or "dev" is a
 * test tier; a tag named like an archetype chooses it.  NULL: out of memory. */
struct dcp_synth_vm *
dcp_synth_vms_of(struct dcp_arena *, uint64_t seed,
                 const struct dcp_inventory *, uint32_t *out_n);

/* Makes the store 'path'. */
bool dcp_synth_write(const char *path, const struct dcp_synth_vm[], uint32_t n,
                     const struct dcp_synth_options *,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* traces/synth.h */
