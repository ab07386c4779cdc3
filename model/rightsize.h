/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_RIGHTSIZE_H
#define DCP_MODEL_RIGHTSIZE_H 1

/* What size a VM should have by what it was measured to use, under
 * policy.rightsize.
 *
 * Needed is a percentile of the samples and a margin: by default the 99.5th of
 * CPU and 20 %, as AWS Compute Optimizer has them where nothing else is asked
 * for, and the highest of memory and 20 %.  From that follow whole steps of
 * vCPUs and MiB, never below what is reserved, the balloon floor, policy's
 * floors and what the VM is planned to use in the plan at hand, and no more
 * than so much less or more at once.
 *
 * - A VM is *oversized* where that is smaller than what it was given.
 * - It is *undersized* where policy.rightsize.at_limit of its samples are at
 *   its limit (98 %): what it wanted beyond is not known, so it grows by
 *   steps.
 * - One that is short of one and has too much of the other grows first; what
 *   it has too much of is for a later plan.
 * - Memory is judged by active memory alone: what a guest has touched once
 *   (consumed) says how little it may have, never that it needs more.
 * - Idle vCPUs that are taken away free no MHz; docs/rightsizing.md says what
 *   they do free.
 *
 * A heuristic: no percentile of the past bounds the future.
 *
 * Pure functions: thread-safe. */

#include "model/size.h"

/* What was measured of one VM (traces/usage.h). */
struct dcp_vm_usage {
    int64_t cpu_history_ms; /* Of samples; 0: none. */
    double cpu_mhz;         /* Percentile, reference MHz. */
    double cpu_peak_mhz;
    double cpu_at_limit_frac; /* Share of samples at its limit. */
    int64_t mem_history_ms;
    double mem_mib; /* Percentile. */
    double mem_peak_mib;
    double mem_at_limit_frac;
};

enum dcp_size_verdict {
    DCP_SIZE_FITS,
    DCP_SIZE_OVERSIZED,  /* To be made smaller, */
    DCP_SIZE_UNDERSIZED, /* or larger. */
    /* Left alone: */
    DCP_SIZE_NO_HISTORY,
    DCP_SIZE_EXCLUDED,
    DCP_SIZE_RULE,     /* A hard capacity rule counts its size, or it would
                        * need more of a licence by vCPU of which no more than
                        * is owned may be used; or a change_window or a
                        * freeze is closed. */
    DCP_SIZE_COOLDOWN, /* Resized lately. */
    DCP_SIZE_RESTART,  /* Would need a restart, which policy forbids now. */
    DCP_SIZE_PARKED,   /* Away for the night. */
    DCP_SIZE_LIMIT,    /* policy.rightsize.max_vms, or no time for so many
                        * restarts one after another. */
    DCP_SIZE_NO_ROOM,  /* No placement has room for it to grow. */
    DCP_SIZE_NO_USE,   /* Smaller, it would bring the goal nothing. */
};
#define DCP_SIZE_VERDICTS (DCP_SIZE_NO_USE + 1)
const char *dcp_size_verdict_name(enum dcp_size_verdict); /* "oversized" ... */

struct dcp_size_advice {
    enum dcp_size_verdict verdict;
    struct dcp_vm_size from;
    struct dcp_vm_size to; /* What it should have, even where the verdict leaves
                            * it alone; 'from' where nothing is known. */
    bool cold;             /* Takes a restart. */
    /* What it was measured by. */
    double cpu_mhz, ceiling_mhz; /* Percentile, of what it may use. */
    double cpu_at_limit_frac;
    double mem_mib; /* Percentile; 0: not measured. */
};
/* "99.5 % of its CPU samples are below 1200 of 16000 MHz, ..."; returns 'out'.
 */
const char *
dcp_size_reason(const struct dcp_inventory *, const struct dcp_size_advice *,
                char *out, size_t size);

struct dcp_size_question {
    const struct dcp_inventory *inv;
    uint32_t vm;
    const struct dcp_vm_usage *usage;
    double planned_mhz; /* Its highest planned CPU, as in model/demand.h. */
    double planned_mib; /* Its planned active memory; 0: not measured. */
    bool active_memory; /* 'mem_mib' is active memory, not consumed. */
    bool in_window;     /* The plan has a window. */
    bool parked;        /* It parks this VM. */
    bool resting;       /* Cooldown. */
    bool closed;        /* A change_window or freeze forbids it by then. */
};
struct dcp_size_advice dcp_rightsize_advise(const struct dcp_size_question *);

/* The resize is to be done: a size other than it has, not left alone. */
static inline bool
dcp_size_changes(const struct dcp_size_advice *a)
{
    return a->verdict == DCP_SIZE_OVERSIZED ||
           a->verdict == DCP_SIZE_UNDERSIZED;
}

#endif /* model/rightsize.h */
