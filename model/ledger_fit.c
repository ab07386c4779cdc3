/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The ledger's questions of fit: stranded capacity, hosts needed, and how many
 * more VMs of a shape there is room for.  VMs of one shape are alike, so how
 * many fit is the sum of how many fit on each host: no search is needed as
 * long as rules are left out. */

#include "model/ledger_state.h"

#include <math.h>
#include <stdlib.h>

/* --- Stranded ----------------------------------------------------------- */

static bool
find_typical(struct dcp_ledger *l, const struct dcp_ledger_state *s)
{
    float *column = dcp_arena_array(s->scratch, float, (size_t)s->n_vms + 1);

    if (!column) {
        return false;
    }
    for (uint32_t r = 0; s->n_vms && r < DCP_LEDGER_MAX; r++) {
        for (uint32_t i = 0; i < s->n_vms; i++) {
            dcp_vm_id vm = { s->vms[i] };
            double v[DCP_LEDGER_MAX];

            dcp_ledger_vm_vector(s, vm, s->placement->host[vm.ix], v);
            column[i] = (float)v[r];
        }
        l->typical[r] = dcp_percentile(column, s->n_vms, 0.5);
    }
    return true;
}

bool
dcp_ledger_strand(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    if (!find_typical(l, s)) {
        return false;
    }
    for (uint32_t i = 0; i < s->n_hosts; i++) {
        const struct dcp_ledger_host *h = &s->hosts[i];
        double fit = INFINITY, fullest = INFINITY;
        uint32_t limiting = 0;

        if (!h->on) {
            continue;
        }
        for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
            double free = fmax(h->usable[r] - h->used[r], 0);

            if (l->typical[r] <= 0 || h->usable[r] <= 0) {
                continue;
            }
            double n = floor(free / l->typical[r]);
            double frac = free / h->usable[r];

            if (n < fit || (n == fit && frac < fullest)) {
                fit = n;
                fullest = frac;
                limiting = r;
            }
        }
        if (isinf(fit)) {
            continue; /* No VM tells what is typical. */
        }
        l->n_limited[limiting]++;
        for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
            double left = h->usable[r] - h->used[r] - fit * l->typical[r];

            if (r != limiting && left > 0) {
                l->stranded[limiting][r] += left;
            }
        }
    }
    return true;
}

/* --- Hosts needed ------------------------------------------------------- */

static int
descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* The fewest hosts whose usable capacity sums to 'amount', largest first. */
static uint32_t
hosts_for(const struct dcp_ledger_state *s, uint32_t resource, double amount,
          double *values)
{
    uint32_t n = 0, k = 0;

    for (uint32_t i = 0; i < s->n_hosts; i++) {
        if (!s->hosts[i].maintenance) {
            values[n++] = s->hosts[i].usable[resource];
        }
    }
    qsort(values, n, sizeof *values, descending);
    while (amount > 1e-6 && k < n) {
        amount -= values[k++];
    }
    return amount > 1e-6 ? UINT32_MAX : k;
}

static struct dcp_ledger_need
worst_need(const struct dcp_ledger *l, const struct dcp_ledger_state *s,
           bool active_memory, double *values)
{
    const uint32_t memory = DCP_LEDGER_SCALAR + DCP_SCALAR_MEM;
    struct dcp_ledger_need need = { 0, DCP_LEDGER_CPU };

    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        double amount = active_memory && r == memory ? l->used.expected[r]
                                                     : dcp_ledger_used(l, r);

        /* A resource that no host has (no local disk) is not packed. */
        if (l->installed[r] > 0) {
            uint32_t n = hosts_for(s, r, amount, values);

            if (n > need.hosts) {
                need = (struct dcp_ledger_need){ n, r };
            }
        }
    }
    return need;
}

bool
dcp_ledger_need_hosts(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    double *values =
        dcp_arena_array(s->scratch, double, (size_t)s->n_hosts + 1);

    if (!values) {
        return false;
    }
    l->need_allocated = worst_need(l, s, false, values);
    if (s->demand->mem_active_mib) {
        l->need_active = worst_need(l, s, true, values);
    }
    return true;
}

/* --- Shapes ------------------------------------------------------------- */

struct key { /* One VM, to be sorted by shape. */
    uint64_t mem_mib;
    uint32_t tier, vcpus, vm;
};

static int
same_shape(const struct key *a, const struct key *b)
{
    return a->tier == b->tier && a->vcpus == b->vcpus &&
           a->mem_mib == b->mem_mib;
}

static int
by_shape(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (x->tier != y->tier) {
        return x->tier < y->tier ? -1 : 1;
    }
    if (x->vcpus != y->vcpus) {
        return x->vcpus < y->vcpus ? -1 : 1;
    }
    if (x->mem_mib != y->mem_mib) {
        return x->mem_mib < y->mem_mib ? -1 : 1;
    }
    return (x->vm > y->vm) - (x->vm < y->vm);
}

/* Mean planned use of the VMs of a shape, by slot, at [k][slot]. */
static void
mean_demand(const struct dcp_ledger_state *s, const struct key *keys,
            uint32_t n, double *out[2])
{
    const struct dcp_demand *d = s->demand;

    for (uint32_t k = 0; k < 2; k++) {
        const uint32_t *rows = k ? d->net_kib_s : d->cpu_mhz;

        for (uint32_t t = 0; t < d->n_slots; t++) {
            double sum = 0;

            for (uint32_t i = 0; rows && i < n; i++) {
                sum += rows[(size_t)keys[i].vm * d->stride + t];
            }
            out[k][t] = sum / n;
        }
    }
}

/* How many more fit on the host, and what ends it. */
static double
fit_on_host(const struct dcp_ledger_state *s, uint32_t at, dcp_vm_id like,
            double *mean[2], uint32_t *out_resource)
{
    const struct dcp_ledger_host *h = &s->hosts[at];
    uint32_t n_slots = s->demand->n_slots;
    double v[DCP_LEDGER_MAX], fit = INFINITY;

    dcp_ledger_vm_vector(s, like, h->id, v);
    for (uint32_t r = DCP_LEDGER_SCALAR; r < DCP_LEDGER_MAX; r++) {
        double n = v[r] > 0 ? floor(fmax(h->usable[r] - h->used[r], 0) / v[r])
                            : INFINITY;

        if (n < fit) {
            fit = n;
            *out_resource = r;
        }
    }
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t t = 0; t < n_slots; t++) {
            double free = h->usable[k] - s->load[k][(size_t)at * n_slots + t];
            double n = mean[k][t] > 0 && h->usable[k] > 0
                           ? floor(fmax(free, 0) / mean[k][t])
                           : INFINITY;

            if (n < fit) {
                fit = n;
                *out_resource = k;
            }
        }
    }
    return isinf(fit) ? 0 : fit;
}

/* How many more the scope may hold so that a loss can be survived. */
static double
fit_in_reserve(const struct dcp_ledger *l, const struct dcp_ledger_state *s,
               dcp_vm_id like, double *mean[2], uint32_t *out_resource)
{
    double v[DCP_LEDGER_MAX], fit = INFINITY;

    dcp_ledger_vm_vector(s, like, s->placement->host[like.ix], v);
    for (uint32_t k = 0; k < 2; k++) {
        v[k] = s->demand->n_slots ? mean[k][l->worst_slot[k]] : 0;
    }
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        if (v[r] > 0 && l->installed[r] > 0) {
            double n =
                floor(fmax(l->after_loss[r] - dcp_ledger_used(l, r), 0) / v[r]);

            if (n < fit) {
                fit = n;
                *out_resource = r;
            }
        }
    }
    return fit;
}

static void
fit_shape(const struct dcp_ledger *l, const struct dcp_ledger_state *s,
          const struct key *keys, double *mean[2],
          struct dcp_ledger_shape *shape)
{
    double more = 0, more_on = 0;
    uint32_t ended[DCP_LEDGER_MAX] = { 0 }, most = 0;

    mean_demand(s, keys, shape->n_vms, mean);
    for (uint32_t i = 0; i < s->n_hosts; i++) {
        uint32_t resource = DCP_LEDGER_CPU;

        if (s->hosts[i].maintenance) {
            continue;
        }
        double n = fit_on_host(s, i, shape->like, mean, &resource);

        more += n;
        more_on += s->hosts[i].on ? n : 0;
        if (++ended[resource] > most) {
            most = ended[resource];
            shape->resource = resource;
        }
    }
    uint32_t resource = shape->resource;
    double reserve = fit_in_reserve(l, s, shape->like, mean, &resource);

    if (reserve < more) {
        more = reserve;
        shape->resource = resource;
        shape->ended_by_reserve = true;
    }
    shape->more = (uint64_t)more;
    shape->more_on = (uint64_t)fmin(more, more_on);
}

/* Keeps the most common; of equals the first. */
static void
keep_shape(struct dcp_ledger *l, struct dcp_ledger_shape shape)
{
    uint32_t at = l->n_shapes;

    while (at > 0 && l->shapes[at - 1].n_vms < shape.n_vms) {
        at--;
    }
    if (at == DCP_LEDGER_SHAPES) {
        return;
    }
    if (l->n_shapes < DCP_LEDGER_SHAPES) {
        l->n_shapes++;
    }
    for (uint32_t i = l->n_shapes - 1; i > at; i--) {
        l->shapes[i] = l->shapes[i - 1];
    }
    l->shapes[at] = shape;
}

static void
find_shapes(struct dcp_ledger *l, const struct dcp_ledger_state *s,
            struct key *keys)
{
    for (uint32_t i = 0; i < s->n_vms; i++) {
        const struct dcp_vm *vm = &s->inv->vms[s->vms[i]];

        keys[i] =
            (struct key){ vm->mem_mib, vm->tier.ix, vm->vcpus, s->vms[i] };
    }
    qsort(keys, s->n_vms, sizeof *keys, by_shape);
    for (uint32_t i = 0, n; i < s->n_vms; i += n) {
        for (n = 1; i + n < s->n_vms && same_shape(&keys[i], &keys[i + n]);) {
            n++;
        }
        keep_shape(l, (struct dcp_ledger_shape){ .like = { keys[i].vm },
                                                 .tier = { keys[i].tier },
                                                 .vcpus = keys[i].vcpus,
                                                 .n_vms = n,
                                                 .mem_mib = keys[i].mem_mib });
    }
}

bool
dcp_ledger_count_shapes(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    struct key *keys =
        dcp_arena_array(s->scratch, struct key, (size_t)s->n_vms + 1);
    double *mean[2] = {
        dcp_arena_array(s->scratch, double, (size_t)s->demand->n_slots + 1),
        dcp_arena_array(s->scratch, double, (size_t)s->demand->n_slots + 1),
    };

    if (!keys || !mean[0] || !mean[1]) {
        return false;
    }
    find_shapes(l, s, keys);
    for (uint32_t i = 0; i < l->n_shapes; i++) {
        const struct key *first = keys;

        while (first->vm != l->shapes[i].like.ix) {
            first++;
        }
        fit_shape(l, s, first, mean, &l->shapes[i]);
    }
    return true;
}
