/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A scattered start that is legal: VMs by falling memory, each (or each
 * gathered group) on the emptiest of some hosts drawn at random that may take
 * it; where none of them may, on the emptiest of all.  So hosts fill evenly,
 * as no planner would leave them, and nothing is over its limit. */

#include "model/io/invent_world.h"

#include <stdlib.h>

#define CANDIDATES 16
/* No fuller than this at the start, in memory and in vCPUs per core; well
 * within the targets and overcommits that the model states. */
#define MEMORY_MOST         0.8
#define VCPUS_PER_CORE_MOST 1.15

struct unit { /* What is placed at once. */
    uint32_t vm;
    uint32_t mem_gib, vcpus; /* Of the whole group. */
    bool first;              /* Places that few hosts will do for go first. */
};

static bool
rack_allowed(const struct invented_rule *rule, uint32_t rack)
{
    bool within =
        rack >= rule->first_rack && rack < rule->first_rack + rule->n_racks;

    return rule->kind == DCP_RULE_FENCE ? within
           : rule->kind == DCP_RULE_BAN ? !within
                                        : true;
}

static bool
allowed(const struct world *w, const struct unit *unit, uint32_t h)
{
    const struct invented_vm *vm = &w->vms[unit->vm];
    const struct invented_host *host = &w->hosts[h];
    const struct machine *m = &dcp_invent_machines[host->machine];

    if (host->mem_gib + unit->mem_gib > MEMORY_MOST * m->mem_gib ||
        host->vcpus + unit->vcpus >
            VCPUS_PER_CORE_MOST * m->sockets * m->cores_per_socket) {
        return false;
    }
    if ((vm->test && host->has_tagged) || (vm->tagged && host->has_test) ||
        (vm->dmz && !rack_has_dmz(host->rack)) ||
        (vm->new_cpu && host->machine < 2)) {
        return false;
    }
    if (vm->rule == DCP_IX_NONE) {
        return true;
    }
    const struct invented_rule *rule = &w->rules[vm->rule];

    for (uint32_t i = 0; i < rule->n_used; i++) {
        uint32_t domain = rule->over == DCP_DOMAIN_RACK ? host->rack : h;

        if (rule->used[i] == domain) {
            return false;
        }
    }
    return rack_allowed(rule, host->rack);
}

/* How full the host would be, in its fuller resource. */
static double
fill(const struct world *w, const struct unit *unit, uint32_t h)
{
    const struct invented_host *host = &w->hosts[h];
    const struct machine *m = &dcp_invent_machines[host->machine];
    double mem = (double)(host->mem_gib + unit->mem_gib) / m->mem_gib;
    double cpu =
        0.4 * (host->vcpus + unit->vcpus) / (m->sockets * m->cores_per_socket);

    return mem > cpu ? mem : cpu;
}

static uint32_t
emptiest(const struct world *w, const struct unit *unit, uint32_t from,
         uint32_t n, struct dcp_rng *rng)
{
    uint32_t best = DCP_IX_NONE;
    double best_fill = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = rng ? (uint32_t)dcp_rng_below(rng, w->options->n_hosts)
                         : (from + i) % w->options->n_hosts;

        if (!allowed(w, unit, h)) {
            continue;
        }
        double f = fill(w, unit, h);

        if (best == DCP_IX_NONE || f < best_fill) {
            best = h;
            best_fill = f;
        }
    }
    return best;
}

static void
put(struct world *w, uint32_t v, uint32_t h)
{
    struct invented_vm *vm = &w->vms[v];
    struct invented_host *host = &w->hosts[h];

    vm->host = h;
    host->mem_gib += vm->mem_gib;
    host->vcpus += vm->vcpus;
    host->has_test |= vm->test;
    host->has_tagged |= vm->tagged;
}

static void
put_unit(struct world *w, const struct unit *unit, uint32_t h)
{
    uint32_t r = w->vms[unit->vm].rule;
    struct invented_rule *rule = r == DCP_IX_NONE ? NULL : &w->rules[r];

    if (rule && rule->kind == DCP_RULE_GATHER) {
        for (uint32_t i = 0; i < rule->n_vms; i++) {
            put(w, rule->vms[i], h);
        }
        return;
    }
    if (rule && rule->kind == DCP_RULE_SPREAD) {
        rule->used[rule->n_used++] =
            rule->over == DCP_DOMAIN_RACK ? w->hosts[h].rack : h;
    }
    put(w, unit->vm, h);
}

static int
compare_units(const void *pa, const void *pb)
{
    const struct unit *a = pa, *b = pb;

    if (a->first != b->first) {
        return a->first ? -1 : 1;
    }
    if (a->mem_gib != b->mem_gib) {
        return a->mem_gib > b->mem_gib ? -1 : 1;
    }
    return (a->vm > b->vm) - (a->vm < b->vm);
}

static uint32_t
list_units(const struct world *w, struct unit units[])
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < w->options->n_vms; v++) {
        const struct invented_vm *vm = &w->vms[v];
        const struct invented_rule *rule =
            vm->rule == DCP_IX_NONE ? NULL : &w->rules[vm->rule];
        struct unit unit = { v, vm->mem_gib, vm->vcpus, vm->tagged || vm->dmz };

        if (rule && rule->kind == DCP_RULE_GATHER) {
            if (rule->vms[0] != v) {
                continue;
            }
            for (uint32_t i = 1; i < rule->n_vms; i++) {
                unit.mem_gib += w->vms[rule->vms[i]].mem_gib;
                unit.vcpus += w->vms[rule->vms[i]].vcpus;
            }
        }
        units[n++] = unit;
    }
    qsort(units, n, sizeof *units, compare_units);
    return n;
}

bool
dcp_invent_start(struct world *w, struct dcp_error *err)
{
    struct unit *units =
        dcp_arena_array(w->arena, struct unit, w->options->n_vms);
    struct dcp_rng rng = dcp_rng_stream(w->options->seed, "invent-start", 0);

    if (!units) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a placement");
    }
    uint32_t n = list_units(w, units);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = emptiest(w, &units[i], 0, CANDIDATES, &rng);

        if (h == DCP_IX_NONE) {
            uint32_t from = (uint32_t)dcp_rng_below(&rng, w->options->n_hosts);

            h = emptiest(w, &units[i], from, w->options->n_hosts, NULL);
        }
        if (h == DCP_IX_NONE) {
            return dcp_fail(err, DCP_E_LIMIT,
                            "%u VMs do not fit on %u hosts; ask for fewer VMs "
                            "or more hosts",
                            w->options->n_vms, w->options->n_hosts);
        }
        put_unit(w, &units[i], h);
    }
    return true;
}
