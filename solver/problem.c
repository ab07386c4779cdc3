/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Compiles items first (gather over hosts ties VMs together), then their
 * columns, then hosts; reach.c and groups.c do their own parts. */

#include "model/duty.h"
#include "model/licence.h"
#include "model/volume.h"
#include "solver/problem.h"

#include "model/base/union_find.h"
#include "solver/compile/licence_pool.h"
#include "solver/compile/loss_domains.h"
#include "solver/compile/pricing.h"

#include "model/power.h"

#include <stdlib.h>
#include <string.h>

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for the placement problem");
}

/* --- Items -------------------------------------------------------------- */

static bool
is_absent(const struct dcp_question *q, uint32_t vm)
{
    return q->absent && q->absent[vm];
}

static bool
compile_items(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint32_t n_vms = inv->n_vms, n_items = 0;
    uint32_t *item_of = dcp_arena_array(p->arena, uint32_t, n_vms);
    uint32_t *first = dcp_arena_array(p->arena, uint32_t, n_vms + 1u);
    uint32_t *vm = dcp_arena_array(p->arena, uint32_t, n_vms);
    DCP_FREE uint32_t *parent = malloc((n_vms + 1u) * sizeof *parent);

    if (!item_of || !first || !vm || !parent) {
        return no_memory(err);
    }
    dcp_sets_init(parent, n_vms);
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (p->q->vms_apart || rule->kind != DCP_RULE_GATHER ||
            rule->over != DCP_DOMAIN_HOST ||
            !dcp_rule_is_hard(p->q, rule)) {
            continue;
        }
        for (uint32_t i = 0, last = DCP_IX_NONE; i < rule->n_vms; i++) {
            if (is_absent(p->q, rule->vms[i])) {
                continue;
            }
            if (last != DCP_IX_NONE) {
                dcp_sets_join(parent, last, rule->vms[i]);
            }
            last = rule->vms[i];
        }
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        if (is_absent(p->q, v)) {
            item_of[v] = DCP_IX_NONE;
            continue;
        }
        uint32_t root = dcp_sets_root(parent, v);

        item_of[v] = root == v ? n_items++ : item_of[root];
        first[item_of[v] + 1]++;
    }
    for (uint32_t i = 0; i < n_items; i++) {
        first[i + 1] += first[i];
    }
    DCP_FREE uint32_t *fill = malloc((n_items + 1u) * sizeof *fill);

    if (!fill) {
        return no_memory(err);
    }
    memcpy(fill, first, n_items * sizeof *fill);
    for (uint32_t v = 0; v < n_vms; v++) {
        if (item_of[v] != DCP_IX_NONE) {
            vm[fill[item_of[v]]++] = v;
        }
    }
    p->n_items = n_items;
    p->item_of_vm = item_of;
    p->vm_first = first;
    p->vm = vm;
    return true;
}

/* The host where most of an item's VMs are; the lowest of equals. */
static uint32_t
majority_host(const struct dcp_problem *p, uint32_t item,
              const struct dcp_placement *where)
{
    uint32_t best = DCP_IX_NONE, best_n = 0;

    for (uint32_t i = p->vm_first[item]; i < p->vm_first[item + 1]; i++) {
        uint32_t h = where->host[p->vm[i]].ix, n = 0;

        if (h == DCP_IX_NONE) {
            continue;
        }
        for (uint32_t j = p->vm_first[item]; j < p->vm_first[item + 1]; j++) {
            n += where->host[p->vm[j]].ix == h;
        }
        if (n > best_n || (n == best_n && h < best)) {
            best = h;
            best_n = n;
        }
    }
    return best;
}

/* --- Resources ---------------------------------------------------------- */

static uint32_t
add_u32(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* The hypervisor whose overhead a VM is counted with at first: its host's;
 * where it has none, the one of the first host.  What others ask for is said
 * by solver/compile/conversion.h. */
static dcp_hypervisor_id
vm_hypervisor(const struct dcp_question *q, uint32_t v)
{
    const struct dcp_inventory *inv = q->inventory;
    dcp_host_id h = q->start->host[v];

    if (!dcp_host_is_none(h)) {
        return inv->hosts[h.ix].hypervisor;
    }
    if (inv->vms[v].hypervisors.n) {
        return (dcp_hypervisor_id){ inv->vms[v].hypervisors.ix[0] };
    }
    return inv->n_hosts ? inv->hosts[0].hypervisor : dcp_hypervisor_none();
}

/* Memory is packed as allocated; on active memory where the policy says so and
 * it was measured. */
static uint32_t
packed_memory(const struct dcp_question *q, uint32_t v, uint32_t allocated)
{
    const struct dcp_demand *d = q->demand;

    if (q->inventory->policy.memory_basis == DCP_MEMORY_ACTIVE &&
        d->mem_active_mib && d->mem_active_mib[v] &&
        d->mem_active_mib[v] < allocated) {
        return d->mem_active_mib[v];
    }
    return allocated;
}

void
dcp_problem_vm_request(const struct dcp_question *q, uint32_t v,
                       dcp_hypervisor_id hypervisor,
                       uint32_t row[DCP_SCALARS_MAX])
{
    dcp_vm_request(q->inventory, (dcp_vm_id){ v }, hypervisor, row);
    row[DCP_SCALAR_MEM] = packed_memory(q, v, row[DCP_SCALAR_MEM]);
    dcp_volume_measured(q->inventory, q->demand, v, row);
}

static bool
compile_requests(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_question *q = p->q;
    const struct dcp_inventory *inv = q->inventory;
    uint32_t n_vms = inv->n_vms, n = 0;
    uint32_t *all = calloc((size_t)n_vms * DCP_SCALARS_MAX + 1, sizeof *all);
    bool needed[DCP_SCALARS_MAX] = { [DCP_SCALAR_MEM] = true };

    if (!all) {
        return no_memory(err);
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        uint32_t *row = all + (size_t)v * DCP_SCALARS_MAX;

        if (is_absent(q, v)) {
            continue;
        }
        dcp_problem_vm_request(q, v, vm_hypervisor(q, v), row);
        dcp_conversions_least(p->conversions, p, v, row);
        for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
            needed[s] |= row[s] != 0;
        }
    }
    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        if (needed[s]) {
            p->scalar_id[n++] = s;
        }
    }
    p->n_scalars = n;
    uint32_t *request =
        dcp_arena_array(p->arena, uint32_t, (size_t)p->n_items * n);

    if (!request) {
        free(all);
        return no_memory(err);
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        if (is_absent(q, v)) {
            continue;
        }
        uint32_t *row = request + (size_t)p->item_of_vm[v] * n;

        for (uint32_t s = 0; s < n; s++) {
            row[s] = add_u32(row[s], all[(size_t)v * DCP_SCALARS_MAX +
                                         p->scalar_id[s]]);
        }
    }
    free(all);
    p->request = request;
    return true;
}

static uint32_t *
timed_column(const struct dcp_problem *p, const uint32_t *of_vms)
{
    const struct dcp_question *q = p->q;
    uint32_t *out = dcp_arena_array(p->arena, uint32_t,
                                    (size_t)p->n_items * p->stride);

    for (uint32_t v = 0; out && v < q->inventory->n_vms; v++) {
        if (is_absent(q, v)) {
            continue;
        }
        const uint32_t *row =
            of_vms + (size_t)v * q->demand->stride + q->first_slot;
        uint32_t *to = out + (size_t)p->item_of_vm[v] * p->stride;

        for (uint32_t t = 0; t < p->n_slots; t++) {
            to[t] = add_u32(to[t], row[t]);
        }
    }
    return out;
}

/* Where nothing is stated of a host's paths to storage, what all items ask for
 * together stands for it: numbers far beyond that would only blur programs. */
static uint32_t
path_capacity(const struct dcp_problem *p, uint32_t s, uint32_t capacity)
{
    uint32_t id = p->scalar_id[s];
    uint32_t sum = 0;

    if (capacity != UINT32_MAX ||
        (id != DCP_SCALAR_IOPS && id != DCP_SCALAR_IO)) {
        return capacity;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        sum = add_u32(sum, p->request[(size_t)i * p->n_scalars + s]);
    }
    return sum;
}

static bool
compile_hosts(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_question *q = p->q;
    const struct dcp_inventory *inv = q->inventory;
    uint32_t n = p->n_hosts;
    int64_t at_ms =
        p->n_slots ? q->demand->slots[q->first_slot].start_ms : 0;
    uint32_t *cpu[2], *net[2], *scalar[2];
    uint8_t *use = dcp_arena_array(p->arena, uint8_t, n);
    double *value = dcp_arena_array(p->arena, double, n);
    bool ok = use && value;

    for (int k = 0; k < 2; k++) {
        cpu[k] = dcp_arena_array(p->arena, uint32_t, n);
        net[k] = dcp_arena_array(p->arena, uint32_t, n);
        scalar[k] =
            dcp_arena_array(p->arena, uint32_t, (size_t)n * p->n_scalars);
        ok = ok && cpu[k] && net[k] && scalar[k];
    }
    if (!ok) {
        return no_memory(err);
    }
    for (uint32_t h = 0; h < n; h++) {
        const struct dcp_host *host = &inv->hosts[h];
        struct dcp_capacity usable = dcp_host_usable(inv, (dcp_host_id){ h });
        struct dcp_capacity full =
            inv->policy.survive_to_capacity
                ? dcp_host_capacity(inv, (dcp_host_id){ h })
                : usable;

        for (int k = 0; k < 2; k++) {
            const struct dcp_capacity *c = k ? &full : &usable;

            cpu[k][h] = c->cpu_mhz;
            net[k][h] = c->net_kib_s;
            for (uint32_t s = 0; s < p->n_scalars; s++) {
                scalar[k][(size_t)s * n + h] =
                    path_capacity(p, s, c->scalar[p->scalar_id[s]]);
            }
        }
        use[h] = q->host_use               ? q->host_use[h]
                 : dcp_host_duty(inv, (dcp_host_id){ h }, at_ms, NULL, 0)
                     ? DCP_HOST_KEEP
                     : DCP_HOST_FREE;
        if (host->state == DCP_HOST_MAINTENANCE) {
            use[h] = DCP_HOST_AVOID;
        }
        value[h] = q->host_on_value ? q->host_on_value[h] : 1;
    }
    p->cap_cpu_mhz = cpu[0];
    p->cap_net_kib_s = net[0];
    p->cap = scalar[0];
    p->full_cpu_mhz = cpu[1];
    p->full_net_kib_s = net[1];
    p->full = scalar[1];
    p->use = use;
    p->on_value = value;
    return true;
}

/* Curves and licences follow from the hardware, tariffs from the site. */
static bool
same_price(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    const struct dcp_inventory *inv = p->q->inventory;

    bool same_units = true;

    for (uint32_t i = 0; i < inv->n_licences; i++) {
        same_units &= dcp_licence_counts_on(inv, &inv->licences[i],
                                            (dcp_host_id){ a }) ==
                      dcp_licence_counts_on(inv, &inv->licences[i],
                                            (dcp_host_id){ b });
    }
    return same_units &&
           inv->hosts[a].hardware.ix == inv->hosts[b].hardware.ix &&
           dcp_site_eq(dcp_host_site(inv, (dcp_host_id){ a }),
                       dcp_host_site(inv, (dcp_host_id){ b }));
}

static bool
same_type(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    if (p->cap_cpu_mhz[a] != p->cap_cpu_mhz[b] ||
        p->cap_net_kib_s[a] != p->cap_net_kib_s[b] ||
        p->on_value[a] != p->on_value[b] ||
        (p->chance &&
         p->chance->limit_mhz[a] != p->chance->limit_mhz[b]) ||
        (p->q->mhz_slope && p->q->mhz_slope[a] != p->q->mhz_slope[b]) ||
        (p->q->terms && !same_price(p, a, b))) {
        return false;
    }
    for (uint32_t s = 0; s < p->n_scalars; s++) {
        const uint32_t *row = p->cap + (size_t)s * p->n_hosts;

        if (row[a] != row[b]) {
            return false;
        }
    }
    return true;
}

static bool
compile_types(struct dcp_problem *p, struct dcp_error *err)
{
    uint32_t *type = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    DCP_FREE uint32_t *first = calloc(p->n_hosts + 1u, sizeof *first);

    if (!type || !first) {
        return no_memory(err);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t t = 0;

        while (t < p->n_types && !same_type(p, first[t], h)) {
            t++;
        }
        if (t == p->n_types) {
            first[p->n_types++] = h;
        }
        type[h] = t;
    }
    p->type_of_host = type;
    return true;
}

/* Racks, feeds and rooms that could be overloaded. */
static bool
compile_power(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_question *q = p->q;

    return dcp_watt_limits_make(q->inventory, q->demand, q->first_slot,
                                p->n_slots, q->home ? q->home : q->start,
                                p->arena, &p->watts, err);
}

/* --- All ---------------------------------------------------------------- */

/* A VM with a disk of its own on its host is lost with it, wherever there is
 * room. */
static bool
may_be_protected(const struct dcp_inventory *inv, const struct dcp_vm *vm)
{
    bool local_disk = false;

    for (uint32_t k = 0; k < vm->n_volumes; k++) {
        local_disk |= dcp_pool_is_none(inv->volumes[vm->first_volume + k].pool);
    }
    return !local_disk && vm->tier.ix < 64 &&
           inv->policy.protect_tiers >> vm->tier.ix & 1;
}

static bool
compile_item_facts(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_question *q = p->q;
    const struct dcp_inventory *inv = q->inventory;
    uint32_t n = p->n_items;
    uint32_t *start = dcp_arena_array(p->arena, uint32_t, n);
    uint32_t *home = dcp_arena_array(p->arena, uint32_t, n);
    uint32_t *peak = dcp_arena_array(p->arena, uint32_t, n);
    double *size = dcp_arena_array(p->arena, double, n);
    uint8_t *protect = dcp_arena_array(p->arena, uint8_t, n);
    double mean_cpu = 0, mean[DCP_SCALARS_MAX] = { 0 };

    if (!start || !home || !peak || !size || !protect) {
        return no_memory(err);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        mean_cpu += (double)p->cap_cpu_mhz[h] / p->n_hosts;
        for (uint32_t s = 0; s < p->n_scalars; s++) {
            mean[s] +=
                (double)p->cap[(size_t)s * p->n_hosts + h] / p->n_hosts;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *cpu = p->cpu_mhz + (size_t)i * p->stride;

        start[i] = majority_host(p, i, q->start);
        home[i] = majority_host(p, i, q->home ? q->home : q->start);
        for (uint32_t t = 0; t < p->n_slots; t++) {
            peak[i] = cpu[t] > peak[i] ? cpu[t] : peak[i];
        }
        size[i] = mean_cpu > 0 ? peak[i] / mean_cpu : 0;
        for (uint32_t s = 0; s < p->n_scalars; s++) {
            double share =
                mean[s] > 0 ? p->request[(size_t)i * p->n_scalars + s] / mean[s]
                            : 0;

            size[i] = share > size[i] ? share : size[i];
        }
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            protect[i] |= may_be_protected(inv, &inv->vms[p->vm[k]]);
        }
    }
    p->start_host = start;
    p->home_host = home;
    p->cpu_peak_mhz = peak;
    p->size = size;
    p->protected_item = protect;
    return true;
}

static bool
compile(struct dcp_problem *p, struct dcp_error *err)
{
    const struct dcp_demand *d = p->q->demand;
    struct dcp_conversions *conversions;

    if (!compile_items(p, err) ||
        !dcp_conversions_create(p, &conversions, err)) {
        return false;
    }
    p->conversions = conversions;
    if (!compile_requests(p, err) ||
        (conversions && !dcp_conversions_compile(conversions, p, err))) {
        return false;
    }
    p->cpu_mhz = timed_column(p, d->cpu_mhz);
    p->net_kib_s = d->net_kib_s ? timed_column(p, d->net_kib_s) : NULL;
    if (!p->cpu_mhz || (d->net_kib_s && !p->net_kib_s)) {
        return no_memory(err);
    }
    return dcp_chance_compile(p->q, p->arena, p->item_of_vm, p->n_items,
                              &p->chance, err) &&
           dcp_licence_pools_compile(p, &p->pools, err) &&
           compile_hosts(p, err) && compile_types(p, err) &&
           compile_item_facts(p, err) && compile_power(p, err) &&
           dcp_problem_compile_reach(p, err) &&
           dcp_problem_compile_groups(p, err) &&
           dcp_loss_domains_compile(p, &p->losses, err);
}

struct dcp_problem *
dcp_problem_create(const struct dcp_question *q, struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_problem *p =
        arena ? dcp_arena_new(arena, struct dcp_problem) : NULL;

    if (!p) {
        dcp_arena_destroy(arena);
        (void)no_memory(err);
        return NULL;
    }
    p->q = q;
    p->arena = arena;
    p->n_hosts = q->inventory->n_hosts;
    p->n_slots = q->last_slot - q->first_slot;
    p->stride = (p->n_slots + 7u) & ~7u;
    if (!compile(p, err) || !(p->pricing = dcp_pricing_make(p, err))) {
        dcp_arena_destroy(arena);
        return NULL;
    }
    return p;
}

void
dcp_problem_destroy(struct dcp_problem *p)
{
    if (p) {
        dcp_arena_destroy(p->arena);
    }
}
