/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which hosts a VM may use for reasons that no move changes: one VM against one
 * host. */

#include "model/convert.h"
#include "solver/compile/reach_parts.h"
#include "solver/rules/delta.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- One VM against one host -------------------------------------------- */

/* Writes a reason down, where there is room for it: whole classes are asked
 * without wanting to know. */
static const char *
because(char *out, size_t size, const char *format, ...) DCP_PRINTF(3, 4);

static const char *
because(char *out, size_t size, const char *format, ...)
{
    va_list args;

    if (!size) {
        return "";
    }
    va_start(args, format);
    (void)vsnprintf(out, size, format, args);
    va_end(args);
    return out;
}

bool
dcp_reach_has_every_vlan(const struct dcp_inventory *inv,
                         const struct dcp_host *host)
{
    bool every = !host->n_ports; /* Nothing is known against it. */

    for (uint32_t i = 0; i < host->n_ports; i++) {
        dcp_switch_id to = host->ports[i].to;

        every |= !dcp_switch_is_none(to) && inv->switches[to.ix].driver[0];
    }
    return every;
}

static bool
host_has_vlan(const struct dcp_inventory *inv, const struct dcp_host *host,
              uint32_t vlan)
{
    bool has = dcp_reach_has_every_vlan(inv, host);

    for (uint32_t i = 0; i < host->n_ports && !has; i++) {
        has = dcp_ids_contain(&host->ports[i].vlans, vlan);
    }
    return has;
}

static bool
host_has_pool(const struct dcp_inventory *inv, uint32_t host, uint32_t pool)
{
    const struct dcp_pool *p = &inv->pools[pool];
    dcp_hypervisor_id hv = inv->hosts[host].hypervisor;

    if (!p->reach_all && !dcp_ids_contain(&p->reach, host)) {
        return false;
    }
    return !p->transport || dcp_hypervisor_is_none(hv) ||
           inv->hypervisors[hv.ix].transports & p->transport;
}

static bool
must_convert(const struct dcp_question *q, uint32_t v)
{
    return q->may_convert && q->may_convert[v] == DCP_MUST_CONVERT;
}

/* Policy, the VM and the hour allow it to get from where it runs to another
 * hypervisor. */
const char *
dcp_reach_why_not_convert(const struct dcp_question *q, uint32_t v, dcp_host_id now,
                dcp_hypervisor_id to, char *out, size_t size)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[v];
    dcp_hypervisor_id from = inv->hosts[now.ix].hypervisor;
    const struct dcp_conversion *c =
        dcp_hypervisor_is_none(from) || dcp_hypervisor_is_none(to)
            ? NULL
            : dcp_conversion_of(inv, v, from, to);

    if (!c) {
        return because(out, size,
                       "no live migration between different hypervisors%s",
                       inv->n_conversions ? ", and no entry of "
                                            "policy.conversions"
                                          : "");
    }
    int64_t down_ms = dcp_conversion_ms(inv, c, v);

    if (!vm->movable) {
        return because(out, size, "the VM may not be moved, nor converted");
    }
    if (vm->max_downtime_ms && down_ms > vm->max_downtime_ms) {
        return because(out, size,
                       "its conversion takes %.0f min, and max_downtime is "
                       "%.0f min",
                       (double)down_ms / 60000,
                       (double)vm->max_downtime_ms / 60000);
    }
    if (!q->may_convert || !q->may_convert[v]) {
        return because(out, size,
                       "this plan converts no VMs to another hypervisor");
    }
    if (down_ms >
        dcp_conversion_open_ms(inv, c,
                               q->demand->slots[q->first_slot].start_ms)) {
        return because(out, size,
                       "its conversion does not fit the window of "
                       "policy.conversions");
    }
    return NULL;
}

bool
dcp_reach_may_convert(const struct dcp_question *q, uint32_t v,
                      dcp_hypervisor_id to)
{
    const struct dcp_vm *vm = &q->inventory->vms[v];

    return dcp_capability_lacking(q->inventory, v, to) == DCP_CAPABILITIES &&
           (!vm->hypervisors.n || (!dcp_hypervisor_is_none(to) &&
                                   dcp_ids_contain(&vm->hypervisors, to.ix))) &&
           !dcp_reach_why_not_convert(q, v, q->start->host[v], to, NULL, 0);
}

static const char *
why_not_hypervisor(const struct dcp_question *q, uint32_t vm_ix,
                   dcp_host_id now, const struct dcp_host *host, bool restart,
                   char *out, size_t size)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[vm_ix];
    const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];

    dcp_hypervisor_id hv = host->hypervisor;

    if (vm->hypervisors.n && (dcp_hypervisor_is_none(hv) ||
                              !dcp_ids_contain(&vm->hypervisors, hv.ix))) {
        return because(out, size,
                       "its hypervisor is not one that the VM "
                       "allows");
    }
    uint32_t lacking = dcp_capability_lacking(inv, vm_ix, hv);

    if (lacking != DCP_CAPABILITIES) {
        return because(out, size,
                       "the VM needs %s, which hypervisor '%s' does not have",
                       dcp_capability_name(lacking),
                       inv->hypervisors[hv.ix].name);
    }
    bool converts =
        !dcp_host_is_none(now) && inv->hosts[now.ix].hypervisor.ix != hv.ix;

    /* A restart is under the hypervisor that the VM is of by then: see
     * dcp_problem_restarts_on(). */
    if (converts) {
        const char *why = dcp_reach_why_not_convert(q, vm_ix, now, hv, out, size);

        if (why) {
            return why;
        }
    } else if (!restart && must_convert(q, vm_ix)) {
        return because(out, size, "the VM is to get another hypervisor");
    }
    if (!dcp_hypervisor_is_none(hv)) {
        const struct dcp_hypervisor *x = &inv->hypervisors[hv.ix];

        if (vm->windows && (!x->windows || !hw->vt)) {
            return because(out, size,
                           "Windows guests need VT and a "
                           "hypervisor that runs them");
        }
        if (x->needs_vt && !hw->vt) {
            return because(out, size, "hypervisor '%s' needs VT", x->name);
        }
        if (!dcp_host_is_none(now) && !x->live_migration && !restart &&
            !converts) {
            return because(out, size, "hypervisor '%s' cannot migrate live",
                           x->name);
        }
    }
    return NULL;
}

static const char *
why_not_hardware(const struct dcp_inventory *inv, const struct dcp_vm *vm,
                 dcp_host_id now, const struct dcp_hardware *hw, char *out,
                 size_t size)
{
    if (vm->cpu_generation_min[0]) {
        uint32_t need = dcp_inventory_generation(inv, vm->cpu_generation_min);
        uint32_t have = dcp_inventory_generation(inv, hw->cpu_generation);

        if (have == UINT32_MAX || have < need) {
            return because(out, size, "CPU generation '%s' is older than '%s'",
                           hw->cpu_generation, vm->cpu_generation_min);
        }
    }
    if (!dcp_host_is_none(now)) {
        const struct dcp_hardware *from =
            &inv->hardware[inv->hosts[now.ix].hardware.ix];

        if (from->cpu_arch != hw->cpu_arch &&
            strcmp(from->cpu_arch, hw->cpu_arch) != 0) {
            return because(out, size, "architecture '%s' is not '%s'",
                           hw->cpu_arch, from->cpu_arch);
        }
    }
    if (vm->single_numa_node && hw->numa_nodes) {
        uint32_t cores = hw->sockets * hw->cores_per_socket / hw->numa_nodes;

        if (vm->mem_mib > hw->mem_mib / hw->numa_nodes || vm->vcpus > cores) {
            return because(out, size, "the VM does not fit one NUMA node");
        }
    }
    return NULL;
}

/* Whether the rule is about VM 'v' and has a say on hosts alone. */
static bool
concerns(const struct dcp_rule *rule, uint32_t v)
{
    return dcp_rule_names_hosts(rule) &&
           (dcp_rule_delta(rule->kind)->every_vm ||
            dcp_rule_lists(rule->vms, rule->n_vms, v));
}

static bool
rule_forbids(const struct dcp_question *q, const struct dcp_rule *rule,
             uint32_t v, uint32_t h, bool restart)
{
    return dcp_rule_delta(rule->kind)
        ->forbids(q, rule, v, h,
                  restart ? DCP_FORBIDS_RESTART : DCP_FORBIDS_LIVE);
}

static const char *
why_not_rules(const struct dcp_question *q, uint32_t v, uint32_t h, char *out,
              size_t size)
{
    const struct dcp_inventory *inv = q->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (concerns(rule, v) && rule_forbids(q, rule, v, h, false)) {
            return because(out, size, "rule '%s' (%s)", rule->name,
                           dcp_rule_kind_name(rule->kind));
        }
    }
    return NULL;
}

/* As if the VM came to 'h' from where it runs, even if that is 'h'. */
const char *
dcp_reach_why_not_coming(const struct dcp_question *q, uint32_t v, uint32_t h,
               bool restart, char *out, size_t size)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[v];
    const struct dcp_host *host = &inv->hosts[h];
    const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];
    dcp_host_id now = q->start->host[v];
    const char *why;

    if (!dcp_host_is_none(now) && !vm->movable && !restart) {
        return because(out, size, "the VM may not be moved live");
    }
    if (!dcp_host_is_none(now) && q->resting && q->resting[v] && !restart) {
        return because(out, size,
                       "the VM rests after its last moves (policy.migration)");
    }
    why = why_not_hypervisor(q, v, now, host, restart, out, size);
    if (!why) {
        why = why_not_hardware(inv, vm, now, hw, out, size);
    }
    for (uint32_t i = 0; !why && i < vm->vlans.n; i++) {
        if (!host_has_vlan(inv, host, vm->vlans.ix[i])) {
            return because(out, size, "VLAN '%s' does not reach it",
                           inv->vlans[vm->vlans.ix[i]].name);
        }
    }
    for (uint32_t i = 0; !why && i < vm->n_volumes; i++) {
        dcp_pool_id pool = inv->volumes[vm->first_volume + i].pool;

        if (dcp_pool_is_none(pool) && !dcp_host_is_none(now)) {
            return because(out, size, "the VM has a disk on its own host");
        }
        if (!dcp_pool_is_none(pool) && !host_has_pool(inv, h, pool.ix)) {
            return because(out, size, "pool '%s' does not reach it",
                           inv->pools[pool.ix].name);
        }
    }
    return why;
}

const char *
dcp_reach_why_not_machine(const struct dcp_question *q, uint32_t v, uint32_t h,
                bool restart, char *out, size_t size)
{
    /* It runs there; but once it has left, that speaks for it no more, and a
     * restart asks only where it is not. */
    return q->start->host[v].ix == h && !restart && !must_convert(q, v)
               ? NULL
               : dcp_reach_why_not_coming(q, v, h, restart, out, size);
}

const char *
dcp_reach_why_not(const struct dcp_question *q, uint32_t v, uint32_t h,
                  char *out, size_t size)
{
    const char *why = dcp_reach_why_not_machine(q, v, h, false, out, size);

    return why ? why : why_not_rules(q, v, h, out, size);
}

bool
dcp_reach_may_pass(const struct dcp_question *q, uint32_t v, uint32_t h)
{
    const struct dcp_inventory *inv = q->inventory;
    char why[160];

    /* Nobody is converted for a stop on the way. */
    if (dcp_conversion_between(inv, q->start->host[v], (dcp_host_id){ h }) ||
        dcp_reach_why_not_machine(q, v, h, false, why, sizeof why)) {
        return false;
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (rule->hold == DCP_HOLD_ALWAYS && concerns(rule, v) &&
            rule_forbids(q, rule, v, h, false)) {
            return false;
        }
    }
    return true;
}
