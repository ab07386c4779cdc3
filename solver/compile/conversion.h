/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_CONVERSION_H
#define DCP_SOLVER_COMPILE_CONVERSION_H 1

/* Items that may run on more than one hypervisor: what differs from one to
 * the other.
 *
 * Hosts that run the same hypervisor are of one *kind*.  An item's request
 * (dcp_problem.request) is the least over the kinds it may run on, so sums of
 * requests are valid in bounds; what a kind asks for above that (memory
 * overhead; cores where its resources are dedicated) and what converting to it
 * costs are read here, by item and kind.  A VM that did not run before is
 * converted nowhere.
 *
 * Lives in the problem's arena; immutable, thread-safe to read. */

#include "model/capacity.h"

struct dcp_problem;

struct dcp_conversions {
    const uint8_t *kind_of_host;
    const uint64_t *kinds_of_vm;      /* Bits: what the VM may be of. */
    dcp_hypervisor_id hypervisor[64]; /* By kind. */
    uint32_t n_kinds, n_items, n_scalars;
    const uint32_t *more; /* [(kind * n_items + item) * n_scalars + s]; NULL:
                           * requests are the same everywhere. */
    const double *cost;   /* Money, [kind * n_items + item]; NULL: no item may
                           * be converted. */
};

/* Parts of dcp_problem_create(), in this order.  Kinds, and what VMs may be
 * of; '*out' is NULL where no VM may be of two kinds. */
bool
dcp_conversions_create(const struct dcp_problem *, struct dcp_conversions **out,
                       struct dcp_error *err) DCP_CHECKED;
/* What VM 'v' asks for at least: lowers 'row' (by enum dcp_scalar), which is
 * what it asks for as it runs. */
void dcp_conversions_least(const struct dcp_conversions *,
                           const struct dcp_problem *, uint32_t v,
                           uint32_t row[DCP_SCALARS_MAX]);
/* What kinds ask for above that, and cost. */
bool
dcp_conversions_compile(struct dcp_conversions *, const struct dcp_problem *,
                        struct dcp_error *err) DCP_CHECKED;

static inline uint32_t
dcp_conversions_more(const struct dcp_conversions *c, uint32_t item,
                     uint32_t host, uint32_t scalar)
{
    return c && c->more
               ? c->more[((size_t)c->kind_of_host[host] * c->n_items + item) *
                             c->n_scalars +
                         scalar]
               : 0;
}

/* Money for converting what of the item is of another hypervisor than the
 * host's. */
static inline double
dcp_conversions_cost(const struct dcp_conversions *c, uint32_t item,
                     uint32_t host)
{
    return c && c->cost
               ? c->cost[(size_t)c->kind_of_host[host] * c->n_items + item]
               : 0;
}

#endif /* solver/compile/conversion.h */
