/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Where a VM may be put while things are broken: what a plan's checker asks of
 * a whole placement is asked here of one VM and one host, against where all
 * others are now. */

#include "model/check/judge.h"
#include "sim/failure/world.h"

#include <stdlib.h>

/* Used, not allocated: more of it makes VMs slower, not impossible. */
static bool
is_soft(uint32_t scalar)
{
    return scalar == DCP_SCALAR_VCPU || scalar == DCP_SCALAR_IOPS ||
           scalar == DCP_SCALAR_IO;
}

static void
request_of(const struct dcp_ha *ha, uint32_t vm, uint32_t host,
           uint32_t out[DCP_SCALARS_MAX])
{
    dcp_vm_request_at(ha->inv, (dcp_vm_id){ vm },
                      dcp_placement_size(ha->inv, ha->now, vm),
                      ha->inv->hosts[host].hypervisor, out);
}

void
dcp_ha_load(struct dcp_ha *ha, uint32_t vm, uint32_t host, bool add)
{
    struct ha_host *h = &ha->hosts[host];
    uint32_t request[DCP_SCALARS_MAX];

    request_of(ha, vm, host, request);
    for (uint32_t i = 0; i < DCP_SCALARS_MAX; i++) {
        h->load[i] = add ? h->load[i] + request[i] : h->load[i] - request[i];
    }
    h->n_vms += add ? 1 : UINT32_MAX;
    if (!add) {
        dcp_ha_mark(ha, host);
    }
}

void
dcp_ha_mark(struct dcp_ha *ha, uint32_t host)
{
    if (!ha->hosts[host].dirty) {
        ha->hosts[host].dirty = true;
        ha->dirty[ha->n_dirty++] = host;
    }
}

void
dcp_ha_mark_left(struct dcp_ha *ha, uint32_t vm)
{
    bool ruled = ha->rule_first[vm] < ha->rule_first[vm + 1];

    for (uint32_t h = 0; ruled && h < ha->inv->n_hosts; h++) {
        dcp_ha_mark(ha, h);
    }
}

bool
dcp_ha_fits(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    const struct ha_host *h = &ha->hosts[host];
    uint32_t request[DCP_SCALARS_MAX];

    request_of(ha, vm, host, request);
    for (uint32_t i = 0; i < DCP_SCALARS_MAX; i++) {
        if (request[i] && !is_soft(i) &&
            h->load[i] + request[i] > h->capacity[i]) {
            return false;
        }
    }
    return true;
}

bool
dcp_ha_fits_size(const struct dcp_ha *ha, uint32_t vm, uint32_t host,
                 struct dcp_vm_size size)
{
    const struct ha_host *h = &ha->hosts[host];
    uint32_t was[DCP_SCALARS_MAX], request[DCP_SCALARS_MAX];

    request_of(ha, vm, host, was);
    dcp_vm_request_at(ha->inv, (dcp_vm_id){ vm }, size,
                      ha->inv->hosts[host].hypervisor, request);
    for (uint32_t i = 0; i < DCP_SCALARS_MAX; i++) {
        if (request[i] > was[i] && !is_soft(i) &&
            h->load[i] - was[i] + request[i] > h->capacity[i]) {
            return false;
        }
    }
    return true;
}

/* --- Rules -------------------------------------------------------------- */

static bool
rule_counts(const struct dcp_ha *ha, const struct dcp_rule *rule)
{
    return !rule->soft && !dcp_rule_form(rule->kind)->loss_free &&
           !(ha->inv->policy.relax_rules >> rule->kind & 1);
}

/* Asked of VMs that it does not name, too. */
static bool
is_everywhere(const struct dcp_rule *rule)
{
    return rule->kind == DCP_RULE_LONELY || rule->kind == DCP_RULE_QUARANTINE;
}

/* Where a VM that has a host will be; while it moves, it counts at both. */
static uint32_t
next_host(const struct dcp_ha *ha, uint32_t vm)
{
    const struct dcp_step *move = ha->vms[vm].move;

    return move ? move->to.ix : ha->now->host[vm].ix;
}

/* May 'vm' not be in one domain with 'other', by the rule? */
static bool
are_apart(const struct dcp_rule *rule, uint32_t vm, uint32_t other)
{
    switch (rule->kind) { /* Of the others, no VM is parted from another. */
    case DCP_RULE_SPREAD:
        return true;
    case DCP_RULE_SPLIT:
        return dcp_rule_set_of(rule, vm) != dcp_rule_set_of(rule, other);
    case DCP_RULE_SEPARATE:
        return (dcp_rule_lists(rule->vms, rule->n_vms, vm) &&
                dcp_rule_lists(rule->others, rule->n_others, other)) ||
               (dcp_rule_lists(rule->others, rule->n_others, vm) &&
                dcp_rule_lists(rule->vms, rule->n_vms, other));
    default:
        return false;
    }
}

static bool
pairs_allow(const struct dcp_ha *ha, const struct dcp_rule *rule, uint32_t vm,
            uint32_t host)
{
    const uint32_t *domain = ha->domain[rule->over];

    for (uint32_t i = 0; i < dcp_rule_n_members(rule); i++) {
        uint32_t other = dcp_rule_member(rule, i);
        dcp_host_id at = ha->now->host[other];

        if (other == vm || dcp_host_is_none(at)) {
            continue;
        }
        bool is_here = domain[at.ix] == domain[host];
        bool will_be = domain[next_host(ha, other)] == domain[host];

        if (rule->kind == DCP_RULE_GATHER
                ? !is_here || !will_be
                : (is_here || will_be) && are_apart(rule, vm, other)) {
            return false;
        }
    }
    return true;
}

static bool
among_allows(const struct dcp_ha *ha, const struct dcp_rule *rule, uint32_t vm,
             uint32_t host)
{
    uint32_t set = dcp_rule_set_of(rule, host);

    for (uint32_t i = 0; set != DCP_RULE_NO_SET && i < rule->n_vms; i++) {
        dcp_host_id at = ha->now->host[rule->vms[i]];

        if (rule->vms[i] != vm && !dcp_host_is_none(at) &&
            (dcp_rule_set_of(rule, at.ix) != set ||
             dcp_rule_set_of(rule, next_host(ha, rule->vms[i])) != set)) {
            return false;
        }
    }
    return set != DCP_RULE_NO_SET;
}

static bool
lonely_allows(const struct dcp_ha *ha, const struct dcp_rule *rule, uint32_t vm,
              uint32_t host)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        n += ha->now->host[rule->vms[i]].ix == host ||
             next_host(ha, rule->vms[i]) == host;
    }
    return dcp_rule_lists(rule->vms, rule->n_vms, vm)
               ? n == ha->hosts[host].n_vms
               : n == 0;
}

static bool
sums_allow(const struct dcp_ha *ha, const struct dcp_rule *rule, uint32_t vm,
           uint32_t host)
{
    uint64_t sum = 0;

    if (!dcp_rule_lists(rule->hosts, rule->n_hosts, host)) {
        return true;
    }
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t other = rule->vms[i];
        dcp_host_id at = ha->now->host[other];
        struct dcp_vm_size size = dcp_placement_size(ha->inv, ha->now, other);

        if (other == vm ||
            (!dcp_host_is_none(at) &&
             (dcp_rule_lists(rule->hosts, rule->n_hosts, at.ix) ||
              dcp_rule_lists(rule->hosts, rule->n_hosts,
                             next_host(ha, other))))) {
            sum += rule->kind == DCP_RULE_RUNNING_CAPACITY ? 1
                   : rule->resource == DCP_RULE_MEMORY     ? size.mem_mib
                                                           : size.vcpus;
        }
    }
    return sum <= rule->limit;
}

static bool
rule_allows(const struct dcp_ha *ha, const struct dcp_rule *rule, uint32_t vm,
            uint32_t host)
{
    switch (rule->kind) {
    case DCP_RULE_SPREAD:
    case DCP_RULE_GATHER:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        return pairs_allow(ha, rule, vm, host);
    case DCP_RULE_FENCE:
        return dcp_rule_lists(rule->hosts, rule->n_hosts, host);
    case DCP_RULE_BAN:
    case DCP_RULE_QUARANTINE:
        return !dcp_rule_lists(rule->hosts, rule->n_hosts, host);
    case DCP_RULE_AMONG:
        return among_allows(ha, rule, vm, host);
    case DCP_RULE_LONELY:
        return lonely_allows(ha, rule, vm, host);
    case DCP_RULE_CAPACITY:
    case DCP_RULE_RUNNING_CAPACITY:
        return sums_allow(ha, rule, vm, host);
    case DCP_RULE_ROOT: /* Do not count after a loss. */
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_MAX_ON:
    case DCP_RULE_MIN_ON:
    case DCP_RULE_SEQUENCE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_FREEZE:
        break;
    }
    return true;
}

static bool
vlans_open(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    const struct dcp_ids *vlans = &ha->inv->vms[vm].vlans;

    for (uint32_t i = 0; i < vlans->n; i++) {
        if (!dcp_check_reach_vlan_now(ha->inv, host, vlans->ix[i]) &&
            !dcp_check_reach_vlan_driver(ha->inv, host)) {
            return false;
        }
    }
    return true;
}

/* It is not made over: architecture and hypervisor are as they were. */
static bool
is_alike(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    const struct dcp_inventory *inv = ha->inv;
    dcp_host_id at = ha->now->host[vm];
    uint32_t from = dcp_host_is_none(at) ? ha->vms[vm].lost_with : at.ix;
    char text[120];

    return from >= inv->n_hosts || from == host ||
           (dcp_hypervisor_eq(inv->hosts[from].hypervisor,
                              inv->hosts[host].hypervisor) &&
            !dcp_check_reach_move_refusal(inv, vm, from, host, true, text));
}

static bool
rules_allow(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    for (uint32_t i = ha->rule_first[vm]; i < ha->rule_first[vm + 1]; i++) {
        if (!rule_allows(ha, &ha->inv->rules[ha->rules[i]], vm, host)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < ha->n_everywhere; i++) {
        if (!rule_allows(ha, &ha->inv->rules[ha->everywhere[i]], vm, host)) {
            return false;
        }
    }
    return true;
}

static bool
reaches(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    char text[120];

    return !dcp_check_reach_refusal(ha->inv, ha->now, vm, host, text) &&
           dcp_check_volumes_open(ha->now, ha->inv, vm, host, text) &&
           is_alike(ha, vm, host) && vlans_open(ha, vm, host);
}

bool
dcp_ha_allowed(const struct dcp_ha *ha, uint32_t vm, uint32_t host)
{
    return (!ha->vms[vm].local || ha->vms[vm].lost_with == host) &&
           dcp_ha_fits(ha, vm, host) && rules_allow(ha, vm, host) &&
           reaches(ha, vm, host);
}

enum dcp_homeless
dcp_ha_why(const struct dcp_ha *ha, uint32_t vm)
{
    enum dcp_homeless why = DCP_HOMELESS_REACH;

    if (ha->vms[vm].local) {
        return DCP_HOMELESS_DISK;
    }
    for (uint32_t h = 0; h < ha->inv->n_hosts; h++) {
        if (ha->hosts[h].state != HA_ON || ha->hosts[h].draining ||
            !reaches(ha, vm, h)) {
            continue;
        }
        if (rules_allow(ha, vm, h)) {
            return DCP_HOMELESS_ROOM;
        }
        why = DCP_HOMELESS_RULES;
    }
    return why;
}

const char *
dcp_homeless_name(enum dcp_homeless why)
{
    static const char *const names[] = { "none", "disk", "reach", "rules",
                                         "room" };

    return (unsigned)why < DCP_HOMELESS_KINDS ? names[why] : "?";
}

/* --- Building ----------------------------------------------------------- */

static bool
index_rules(struct dcp_ha *ha)
{
    const struct dcp_inventory *inv = ha->inv;
    size_t total = 0;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (!rule_counts(ha, rule)) {
            continue;
        }
        if (is_everywhere(rule)) {
            ha->everywhere[ha->n_everywhere++] = r;
            continue;
        }
        for (uint32_t i = 0; i < dcp_rule_n_members(rule); i++) {
            ha->rule_first[dcp_rule_member(rule, i) + 2]++;
            total++;
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        ha->rule_first[v + 2] += ha->rule_first[v + 1];
    }
    ha->rules = calloc(total + 1, sizeof *ha->rules);
    for (uint32_t r = 0; ha->rules && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (!rule_counts(ha, rule) || is_everywhere(rule)) {
            continue;
        }
        for (uint32_t i = 0; i < dcp_rule_n_members(rule); i++) {
            ha->rules[ha->rule_first[dcp_rule_member(rule, i) + 1]++] = r;
        }
    }
    return ha->rules != NULL;
}

bool
dcp_ha_home_init(struct dcp_ha *ha, struct dcp_error *err)
{
    const struct dcp_inventory *inv = ha->inv;
    bool used[DCP_DOMAINS] = { 0 };
    bool ok = true;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        used[inv->rules[r].over] = true;
    }
    for (enum dcp_domain d = 0; d < DCP_DOMAINS; d++) {
        if (used[d]) {
            ha->domain[d] =
                calloc((size_t)inv->n_hosts + 1, sizeof *ha->domain[d]);
            ok = ok && ha->domain[d];
        }
        for (uint32_t h = 0; ha->domain[d] && h < inv->n_hosts; h++) {
            ha->domain[d][h] = dcp_check_rules_domain(inv, d, h);
        }
    }
    ha->rule_first = calloc((size_t)inv->n_vms + 2, sizeof *ha->rule_first);
    ha->everywhere = calloc((size_t)inv->n_rules + 1, sizeof *ha->everywhere);
    return (ok && ha->rule_first && ha->everywhere && index_rules(ha)) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for restarts");
}

void
dcp_ha_home_finish(struct dcp_ha *ha)
{
    for (enum dcp_domain d = 0; d < DCP_DOMAINS; d++) {
        free(ha->domain[d]);
    }
    free(ha->rule_first);
    free(ha->rules);
    free(ha->everywhere);
}
