/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PAIRS_H
#define DCP_MODEL_PAIRS_H 1

/* What was said of every pair of a VM and a host, as a table: by a script of
 * the operator (model/script/), once, when the model was read.
 *
 * VMs of which the same is said of every host share a class.  Lives in the
 * arena of who made it; read-only: thread-safe. */

#include "model/base/error.h"
#include "model/base/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A script as it was written. */
struct dcp_script_text {
    const char *lua; /* NULL: none. */
    struct dcp_pos pos;
    bool below; /* It begins on the line below 'pos'. */
};

struct dcp_pair_verdict {
    bool allowed;       /* Of a filter. */
    double score;       /* Of a score. */
    const char *reason; /* "": none given. */
};

struct dcp_pairs {
    uint32_t n_vms, n_hosts, n_classes;
    const uint32_t *class_of_vm; /* DCP_IX_NONE: not asked. */
    const uint16_t *verdict;     /* [class * n_hosts + host], into verdicts. */
    const struct dcp_pair_verdict *verdicts;
    uint32_t n_verdicts;
};

/* NULL: the VM was not asked for; 'p' may be NULL. */
static inline const struct dcp_pair_verdict *
dcp_pairs_verdict(const struct dcp_pairs *p, uint32_t vm, uint32_t host)
{
    uint32_t c = p && vm < p->n_vms ? p->class_of_vm[vm] : DCP_IX_NONE;

    return c == DCP_IX_NONE
               ? NULL
               : &p->verdicts[p->verdict[(uint64_t)c * p->n_hosts + host]];
}

#endif /* model/pairs.h */
