/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which hosts a VM may use for reasons that no move changes.
 *
 * Each VM's reasons are written as a key of numbers; items with equal keys
 * share one class, so hosts are tested once per class, not once per VM. */

#include "model/base/text.h"
#include "model/change.h"
#include "model/convert.h"
#include "solver/rule_delta.h"

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

static bool
host_has_vlan(const struct dcp_inventory *inv, const struct dcp_host *host,
              uint32_t vlan)
{
    if (!host->n_ports) {
        return true; /* Ports not modelled: nothing is known against it. */
    }
    for (uint32_t i = 0; i < host->n_ports; i++) {
        const struct dcp_port *port = &host->ports[i];

        if (dcp_ids_contain(&port->vlans, vlan) ||
            (!dcp_switch_is_none(port->to) &&
             inv->switches[port->to.ix].driver[0])) {
            return true;
        }
    }
    return false;
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

/* Policy, the VM and the hour allow it to get from where it runs to another
 * hypervisor. */
static const char *
why_not_convert(const struct dcp_question *q, uint32_t v, dcp_host_id now,
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
           !why_not_convert(q, v, q->start->host[v], to, NULL, 0);
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
        const char *why = why_not_convert(q, vm_ix, now, hv, out, size);

        if (why) {
            return why;
        }
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

static bool
lists(const uint32_t *ix, uint32_t n, uint32_t value)
{
    return dcp_ids_contain(&(struct dcp_ids){ ix, n }, value);
}

/* Whether the rule is about VM 'v' and has a say on hosts alone. */
static bool
concerns(const struct dcp_rule *rule, uint32_t v)
{
    return dcp_rule_names_hosts(rule) &&
           (dcp_rule_delta(rule->kind)->every_vm ||
            lists(rule->vms, rule->n_vms, v));
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
static const char *
why_not_coming(const struct dcp_question *q, uint32_t v, uint32_t h,
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

static const char *
why_not_machine(const struct dcp_question *q, uint32_t v, uint32_t h,
                bool restart, char *out, size_t size)
{
    /* It runs there; but once it has left, that speaks for it no more, and a
     * restart asks only where it is not. */
    return q->start->host[v].ix == h && !restart
               ? NULL
               : why_not_coming(q, v, h, restart, out, size);
}

const char *
dcp_reach_why_not(const struct dcp_question *q, uint32_t v, uint32_t h,
                  char *out, size_t size)
{
    const char *why = why_not_machine(q, v, h, false, out, size);

    return why ? why : why_not_rules(q, v, h, out, size);
}

bool
dcp_reach_may_pass(const struct dcp_question *q, uint32_t v, uint32_t h)
{
    const struct dcp_inventory *inv = q->inventory;
    char why[160];

    /* Nobody is converted for a stop on the way. */
    if (dcp_conversion_between(inv, q->start->host[v], (dcp_host_id){ h }) ||
        why_not_machine(q, v, h, false, why, sizeof why)) {
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

/* --- Classes ------------------------------------------------------------ */

/* To which hypervisors it may be converted. */
static void
key_of_conversions(const struct dcp_question *q, uint32_t v,
                   struct dcp_text *key)
{
    const struct dcp_inventory *inv = q->inventory;
    dcp_host_id now = q->start->host[v];

    for (uint32_t i = 0;
         q->may_convert && q->may_convert[v] && !dcp_host_is_none(now) &&
         i < inv->n_conversions;
         i++) {
        dcp_hypervisor_id to = inv->conversions[i].to;

        if (inv->conversions[i].from.ix == inv->hosts[now.ix].hypervisor.ix &&
            !why_not_convert(q, v, now, to, NULL, 0)) {
            dcp_text_printf(key, "C%u;", to.ix);
        }
    }
}

/* Which machine facts of its present host matter to where a VM may go. */
static void
key_of_vm(const struct dcp_question *q, uint32_t v, struct dcp_text *key)
{
    const struct dcp_inventory *inv = q->inventory;
    const struct dcp_vm *vm = &inv->vms[v];
    dcp_host_id now = q->start->host[v];
    bool local_disk = false;

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        local_disk |= dcp_pool_is_none(inv->volumes[vm->first_volume + i].pool);
    }
    if (!dcp_host_is_none(now)) {
        const struct dcp_host *host = &inv->hosts[now.ix];
        const struct dcp_hardware *hw = &inv->hardware[host->hardware.ix];

        dcp_text_printf(key, "h%u;a%s;", host->hypervisor.ix, hw->cpu_arch);
        char why[160];

        /* Where only its being there speaks for a host, no other VM may share
         * the class. */
        if (!vm->movable || local_disk || (q->resting && q->resting[v]) ||
            why_not_coming(q, v, now.ix, false, why, sizeof why)) {
            dcp_text_printf(key, "at%u;", now.ix);
        }
    }
    if (vm->windows) {
        dcp_text_puts(key, "w;");
    }
    if (vm->needs) {
        dcp_text_printf(key, "c%u;", vm->needs);
    }
    key_of_conversions(q, v, key);
    if (vm->cpu_generation_min[0]) {
        dcp_text_printf(key, "g%s;", vm->cpu_generation_min);
    }
    if (vm->single_numa_node) {
        dcp_text_printf(key, "n%llu,%u;", (unsigned long long)vm->mem_mib,
                        vm->vcpus);
    }
    for (uint32_t i = 0; i < vm->hypervisors.n; i++) {
        dcp_text_printf(key, "y%u;", vm->hypervisors.ix[i]);
    }
    for (uint32_t i = 0; i < vm->vlans.n; i++) {
        dcp_text_printf(key, "v%u;", vm->vlans.ix[i]);
    }
    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        dcp_text_printf(key, "p%u;",
                        inv->volumes[vm->first_volume + i].pool.ix);
    }
}

/* Adds to the keys what the answer of a rule follows from. */
static void
key_of_rule(const struct dcp_question *q, uint32_t r, struct dcp_text *keys)
{
    const struct dcp_rule *rule = &q->inventory->rules[r];
    const struct dcp_rule_delta *delta = dcp_rule_delta(rule->kind);
    const struct dcp_placement *home = q->home ? q->home : q->start;
    bool about_change = dcp_rule_is_about_change(rule->kind);

    if (about_change && !(q->closed && q->closed[r])) {
        return; /* Asks nothing. */
    }
    for (uint32_t i = 0; delta->by == DCP_FORBIDS_RULE && i < rule->n_vms;
         i++) {
        dcp_text_printf(&keys[rule->vms[i]], "r%u;", r);
    }
    for (uint32_t i = 0; delta->by == DCP_FORBIDS_HOME && i < rule->n_vms;
         i++) {
        uint32_t v = rule->vms[i];

        if (!dcp_host_is_none(home->host[v])) {
            dcp_text_printf(&keys[v], rule->has_hours ? "R%u,%u;" : "R%u;",
                            home->host[v].ix, r);
        }
    }
    for (uint32_t v = 0;
         delta->by == DCP_FORBIDS_START && v < q->inventory->n_vms; v++) {
        dcp_host_id at = q->start->host[v];

        if (!dcp_host_is_none(at) &&
            (lists(rule->hosts, rule->n_hosts, at.ix) ||
             (about_change && lists(rule->vms, rule->n_vms, v)))) {
            dcp_text_printf(&keys[v], "at%u;", at.ix);
        }
    }
}

static bool
key_of_rules(const struct dcp_question *q, struct dcp_text *keys)
{
    const struct dcp_inventory *inv = q->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (dcp_rule_is_hard(q, &inv->rules[r]) &&
            dcp_rule_names_hosts(&inv->rules[r])) {
            key_of_rule(q, r, keys);
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (keys[v].failed) {
            return false;
        }
    }
    return true;
}

/* Clears the bits of hosts that rules keep the VM from. */
static void
apply_rules(const struct dcp_problem *p, uint32_t v, bool restart,
            uint64_t *row)
{
    const struct dcp_inventory *inv = p->q->inventory;
    uint32_t relax = inv->policy.relax_rules;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (!concerns(rule, v) || !dcp_rule_is_hard(p->q, rule) ||
            (restart && (rule->soft || relax >> rule->kind & 1))) {
            continue;
        }
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            if (rule_forbids(p->q, rule, v, h, restart)) {
                row[h / 64] &= ~(UINT64_C(1) << (h % 64));
            }
        }
    }
}

static bool
item_reaches(const struct dcp_problem *p, uint32_t item, uint32_t h,
             bool restart)
{
    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        if (why_not_machine(p->q, p->vm[k], h, restart, NULL, 0)) {
            return false;
        }
    }
    return true;
}

static bool
make_keys(const struct dcp_problem *p, struct dcp_text *keys,
          uint8_t *has_rules)
{
    const struct dcp_inventory *inv = p->q->inventory;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        const struct dcp_rule_delta *delta = dcp_rule_delta(rule->kind);
        uint32_t n = delta->every_vm ? inv->n_vms : rule->n_vms;

        for (uint32_t i = 0; dcp_rule_names_hosts(rule) && i < n; i++) {
            has_rules[delta->every_vm ? i : rule->vms[i]] = true;
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        key_of_vm(p->q, v, &keys[v]);
    }
    return key_of_rules(p->q, keys);
}

/* The item's key: its VMs' keys, and nothing else for most. */
static const char *
item_key(struct dcp_problem *p, uint32_t item, const struct dcp_text *keys)
{
    uint32_t first = p->vm_first[item], end = p->vm_first[item + 1];
    struct dcp_text all = { 0 };

    for (uint32_t k = first; k < end; k++) {
        dcp_text_printf(&all, "%s|", dcp_text_get(&keys[p->vm[k]]));
    }
    const char *copy =
        all.failed ? NULL : dcp_arena_strdup(p->arena, dcp_text_get(&all));

    dcp_text_finish(&all);
    return copy;
}

/* Two rows per class: reach now, and after a loss. */
static void
fill_row(const struct dcp_problem *p, uint32_t item, const uint8_t *has_rules,
         bool restart, uint64_t *row)
{
    memset(row, 0, p->reach_words * sizeof *row);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (item_reaches(p, item, h, restart)) {
            row[h / 64] |= UINT64_C(1) << (h % 64);
        }
    }
    for (uint32_t k = p->vm_first[item]; k < p->vm_first[item + 1]; k++) {
        if (has_rules[p->vm[k]]) {
            apply_rules(p, p->vm[k], restart, row);
        }
    }
}

static bool
fill_class(struct dcp_problem *p, uint64_t **rows, uint32_t *capacity,
           uint32_t item, const uint8_t *has_rules)
{
    size_t words = p->reach_words;

    if (p->n_classes == *capacity) {
        uint32_t bigger = *capacity ? 2 * *capacity : 64;
        uint64_t *more = realloc(*rows, bigger * 2 * words * sizeof *more);

        if (!more) {
            return false;
        }
        *rows = more;
        *capacity = bigger;
    }
    uint64_t *row = *rows + p->n_classes * 2 * words;

    fill_row(p, item, has_rules, false, row);
    fill_row(p, item, has_rules, true, row + words);
    p->n_classes++;
    return true;
}

static bool
classify(struct dcp_problem *p, const struct dcp_text *keys,
         const uint8_t *has_rules, uint32_t *class_of, uint64_t **rows)
{
    struct dcp_strmap map = { 0 };
    uint32_t capacity = 0;
    bool ok = true;

    for (uint32_t i = 0; ok && i < p->n_items; i++) {
        const char *key = item_key(p, i, keys);
        uint32_t found = key ? dcp_strmap_find(&map, key) : 0;

        ok = key != NULL;
        if (ok && found == DCP_STRMAP_NONE) {
            found = p->n_classes;
            ok = dcp_strmap_add(&map, key, found, NULL) &&
                 fill_class(p, rows, &capacity, i, has_rules);
        }
        class_of[i] = found;
    }
    dcp_strmap_finish(&map);
    return ok;
}

bool
dcp_problem_compile_reach(struct dcp_problem *p, struct dcp_error *err)
{
    uint32_t n_vms = p->q->inventory->n_vms;
    uint32_t *class_of = dcp_arena_array(p->arena, uint32_t, p->n_items);
    struct dcp_text *keys = calloc(n_vms + 1u, sizeof *keys);
    uint8_t *has_rules = calloc(n_vms + 1u, 1);
    uint64_t *rows = NULL;

    p->reach_words = (p->n_hosts + 63) / 64;
    bool ok = class_of && keys && has_rules && make_keys(p, keys, has_rules) &&
              classify(p, keys, has_rules, class_of, &rows);

    if (ok) {
        size_t words = p->reach_words, n = p->n_classes * words;
        uint64_t *reach = dcp_arena_array(p->arena, uint64_t, n);
        uint64_t *restart = dcp_arena_array(p->arena, uint64_t, n);

        ok = reach && restart;
        for (uint32_t c = 0; ok && c < p->n_classes; c++) {
            memcpy(reach + c * words, rows + 2 * c * words,
                   words * sizeof *reach);
            memcpy(restart + c * words, rows + (2 * c + 1) * words,
                   words * sizeof *restart);
        }
        p->reach = reach;
        p->reach_restart = restart;
        p->reach_class = class_of;
    }
    for (uint32_t v = 0; keys && v < n_vms; v++) {
        dcp_text_finish(&keys[v]);
    }
    free(keys);
    free(has_rules);
    free(rows);
    return ok ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for reach of %u VMs", n_vms);
}
