/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How many VMs must get another hypervisor, whatever else is done.
 *
 * VMs of one hypervisor that are not converted end on its hosts.  So convert
 *
 *   those that none of these hosts could take, were it empty: by reach, rules
 *   about hosts, size; of a protected VM, where a host may be lost, also those
 *   that could restart on no second one;
 *   of the others so many that the rest is within what these hosts hold
 *   together: for each scalar, and CPU and network in each slot.  Where a host
 *   may be lost, the protected ones are also within what all but the largest
 *   hold after a loss: if that is off, the others hold no more.
 *
 * VMs are counted as a fraction of an item, largest first, which is the least
 * that any choice needs (Dantzig's bound of the knapsack), and rounded up.  VMs
 * of different hypervisors add up.  Rules about company, and hosts that are
 * full one by one, are not looked at: the truth may be higher. */

#include "solver/bound/loss.h"
#include "solver/plan/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bound_work {
    const struct dcp_problem *p; /* Of the question without conversions. */
    const uint8_t *may_convert;
    uint32_t hypervisor; /* At hand. */
    uint8_t *kind_is;    /* By item: all its VMs run under that hypervisor. */
    uint8_t *leaves;     /* By item: is converted for certain. */
    struct part {
        double size, n; /* Of one VM of the item; how many. */
    } * parts;
    bool any_loss;
};

/* One resource: what item i asks for is size[i * step]. */
struct sum {
    const uint32_t *size;
    size_t step;
    const uint32_t *cap, *full; /* By host. */
};

static bool
is_host(const struct bound_work *b, uint32_t h)
{
    return b->p->q->inventory->hosts[h].hypervisor.ix == b->hypervisor &&
           dcp_problem_may_hold(b->p, h);
}

static uint32_t
n_vms(const struct bound_work *b, uint32_t item)
{
    return b->p->vm_first[item + 1] - b->p->vm_first[item];
}

static bool
is_of_kind(const struct bound_work *b, uint32_t item)
{
    const struct dcp_question *q = b->p->q;
    bool all = true;

    for (uint32_t k = b->p->vm_first[item]; k < b->p->vm_first[item + 1]; k++) {
        dcp_host_id at = q->start->host[b->p->vm[k]];

        all = all && !dcp_host_is_none(at) &&
              q->inventory->hosts[at.ix].hypervisor.ix == b->hypervisor;
    }
    return all;
}

static bool
may_convert(const struct bound_work *b, uint32_t item)
{
    bool all = true;

    for (uint32_t k = b->p->vm_first[item]; k < b->p->vm_first[item + 1]; k++) {
        all = all && b->may_convert[b->p->vm[k]];
    }
    return all;
}

static bool
is_large_enough(const struct dcp_problem *p, uint32_t item, uint32_t h,
                bool full)
{
    const uint32_t *caps = full ? p->full : p->cap;
    bool ok =
        p->cpu_peak_mhz[item] <= (full ? p->full_cpu_mhz : p->cap_cpu_mhz)[h];

    for (uint32_t s = 0; ok && s < p->n_scalars; s++) {
        ok = dcp_problem_request(p, item, h, s) <=
             caps[(size_t)s * p->n_hosts + h];
    }
    return ok;
}

/* Whether some host could take the item, and, if it must, another one could
 * restart it. */
static bool
has_place(const struct bound_work *b, uint32_t item)
{
    const struct dcp_problem *p = b->p;
    bool restarts = b->any_loss && p->protected_item[item];
    uint32_t n_takes = 0, n_restarts = 0, n_either = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (!is_host(b, h)) {
            continue;
        }
        bool takes = dcp_problem_reaches(p, item, h) &&
                     is_large_enough(p, item, h, false);
        bool other = dcp_problem_restarts_on(p, item, h) &&
                     is_large_enough(p, item, h, true);

        n_takes += takes;
        n_restarts += other;
        n_either += takes || other;
    }
    return n_takes && (!restarts || (n_restarts && n_either > 1));
}

static int
largest_first(const void *pa, const void *pb)
{
    const struct part *a = pa, *b = pb;

    return a->size > b->size ? -1 : a->size < b->size;
}

/* So many of the VMs that may leave make the others at least 'excess' less. */
static uint32_t
cover(struct part *parts, uint32_t n, double excess)
{
    double count = 0;

    if (n > 1) {
        qsort(parts, n, sizeof *parts, largest_first);
    }
    for (uint32_t k = 0; k < n && excess > 0; k++) {
        double takes = fmin(parts[k].n, excess / parts[k].size);

        count += takes;
        excess -= takes * parts[k].size;
    }
    return (uint32_t)ceil(count - 1e-6);
}

/* What one resource asks for beside what leaves anyway; 'after_loss': of the
 * protected, on all hosts but the largest. */
static uint32_t
least_for(const struct bound_work *b, const struct sum *r, bool after_loss)
{
    const struct dcp_problem *p = b->p;
    double room = 0, largest = 0, need = 0;
    uint32_t n = 0;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        double has = after_loss ? r->full[h] : r->cap[h];

        room += is_host(b, h) ? has : 0;
        largest = is_host(b, h) ? fmax(largest, has) : largest;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        double size = r->size[i * r->step];

        if (!b->kind_is[i] || b->leaves[i] || !(size > 0) ||
            (after_loss && !p->protected_item[i])) {
            continue;
        }
        need += size;
        if (may_convert(b, i)) {
            b->parts[n++] = (struct part){ size / n_vms(b, i), n_vms(b, i) };
        }
    }
    return cover(b->parts, n, need - (room - (after_loss ? largest : 0)));
}

static uint32_t
least_of(const struct bound_work *b, const struct sum *r)
{
    uint32_t now = least_for(b, r, false);
    uint32_t later = b->any_loss ? least_for(b, r, true) : 0;

    return now > later ? now : later;
}

/* The hypervisor at hand. */
static uint32_t
least_of_kind(struct bound_work *b)
{
    const struct dcp_problem *p = b->p;
    uint32_t n_leave = 0, most = 0, n;

    for (uint32_t i = 0; i < p->n_items; i++) {
        b->kind_is[i] = is_of_kind(b, i);
        b->leaves[i] = b->kind_is[i] && !has_place(b, i);
        n_leave += b->leaves[i] ? n_vms(b, i) : 0;
    }
    for (uint32_t s = 0; s < p->n_scalars; s++) {
        size_t of = (size_t)s * p->n_hosts;

        n = least_of(b, &(struct sum){ p->request + s, p->n_scalars,
                                       p->cap + of, p->full + of });
        most = n > most ? n : most;
    }
    for (uint32_t t = 0; t < p->n_slots; t++) {
        n = least_of(b, &(struct sum){ p->cpu_mhz + t, p->stride,
                                       p->cap_cpu_mhz, p->full_cpu_mhz });
        most = n > most ? n : most;
        if (p->net_kib_s) {
            n = least_of(b,
                         &(struct sum){ p->net_kib_s + t, p->stride,
                                        p->cap_net_kib_s, p->full_net_kib_s });
            most = n > most ? n : most;
        }
    }
    return n_leave + most;
}

bool
dcp_work_least_conversions(const struct dcp_question *q, uint32_t *out,
                           struct dcp_error *err)
{
    struct dcp_question plain = *q;

    plain.may_convert = NULL;
    DCP_AUTO(dcp_problem)
    struct dcp_problem *p = dcp_problem_create(&plain, err);

    *out = 0;
    if (!p) {
        return false;
    }
    DCP_FREE uint8_t *flags = calloc(2 * (size_t)p->n_items + 1, 1);
    DCP_FREE struct part *parts = calloc(p->n_items + 1u, sizeof *parts);
    struct bound_work b = { .p = p,
                            .may_convert = q->may_convert,
                            .kind_is = flags,
                            .leaves = flags + p->n_items,
                            .parts = parts,
                            .any_loss = dcp_bound_survives_a_host(p) };

    if (!flags || !parts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for conversions");
    }
    for (uint32_t k = 0; k < q->inventory->n_hypervisors; k++) {
        b.hypervisor = k;
        *out += least_of_kind(&b);
    }
    return true;
}
