/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/heed.h"

#include "model/base/arena.h"

#include <stdlib.h>

struct dcp_heed {
    const struct dcp_placement *now;
    const struct dcp_ground *ground;
    struct dcp_arena *arena;
    uint32_t **counts; /* By rule: [part][domain]; NULL: few VMs. */
};

static const struct dcp_rule *
rule_of(const struct dcp_heed *h, uint32_t r)
{
    return &h->ground->inventory->rules[r];
}

static uint32_t
n_parts(const struct dcp_rule *rule)
{
    return rule->kind == DCP_RULE_SPLIT      ? rule->n_sets
           : rule->kind == DCP_RULE_SEPARATE ? 2
                                             : 1;
}

/* Of a VM that the rule names. */
static uint32_t
part_of(const struct dcp_rule *rule, uint32_t vm)
{
    if (rule->kind == DCP_RULE_SEPARATE) {
        return !dcp_rule_lists(rule->vms, rule->n_vms, vm);
    }
    if (rule->kind == DCP_RULE_SPLIT) {
        uint32_t set = dcp_rule_set_of(rule, vm);

        return set == DCP_RULE_NO_SET ? 0 : set;
    }
    return 0;
}

/* --- Building ----------------------------------------------------------- */

static void
count(struct dcp_heed *h, uint32_t r, uint32_t vm, uint32_t host, bool add)
{
    const struct dcp_rule *rule = rule_of(h, r);
    uint32_t *n =
        &h->counts[r][(size_t)part_of(rule, vm) * h->ground->n_domains[rule->over] +
                      h->ground->domain[rule->over][host]];

    *n += add ? 1 : UINT32_MAX;
}

static bool
index_rule(struct dcp_heed *h, uint32_t r, uint32_t many)
{
    const struct dcp_rule *rule = rule_of(h, r);

    if (rule->soft || !dcp_ground_parts_vms(rule) ||
        dcp_rule_n_members(rule) <= many) {
        return true;
    }
    h->counts[r] = dcp_arena_array(h->arena, uint32_t,
                                   (size_t)n_parts(rule) *
                                       h->ground->n_domains[rule->over]);
    for (uint32_t i = 0; h->counts[r] && i < dcp_rule_n_members(rule); i++) {
        uint32_t vm = dcp_rule_member(rule, i);

        if (!dcp_host_is_none(h->now->host[vm])) {
            count(h, r, vm, h->now->host[vm].ix, true);
        }
    }
    return h->counts[r] != NULL;
}

struct dcp_heed *
dcp_heed_create(const struct dcp_ground *ground,
                const struct dcp_placement *now, uint32_t many,
                struct dcp_error *err)
{
    const struct dcp_inventory *inv = ground->inventory;
    struct dcp_heed *h = calloc(1, sizeof *h);
    bool ok = h != NULL;

    if (ok) {
        h->now = now;
        h->ground = ground;
        h->arena = dcp_arena_create(0);
        ok = h->arena != NULL;
    }
    if (ok) {
        h->counts = dcp_arena_array(h->arena, uint32_t *, inv->n_rules + 1u);
        ok = h->counts != NULL;
    }
    for (uint32_t r = 0; ok && r < inv->n_rules; r++) {
        ok = index_rule(h, r, many);
    }
    if (!ok) {
        dcp_heed_destroy(h);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for rules");
        return NULL;
    }
    return h;
}

void
dcp_heed_destroy(struct dcp_heed *h)
{
    if (h) {
        dcp_arena_destroy(h->arena);
        free(h);
    }
}

/* --- Asking ------------------------------------------------------------- */

/* VMs of other parts (of a spread rule: any) are in the domain. */
static bool
meets_counted(const struct dcp_heed *h, uint32_t r, uint32_t vm, uint32_t d)
{
    const struct dcp_rule *rule = rule_of(h, r);
    uint32_t part = part_of(rule, vm);

    for (uint32_t p = 0; p < n_parts(rule); p++) {
        if ((p != part || rule->kind == DCP_RULE_SPREAD) &&
            h->counts[r][(size_t)p * h->ground->n_domains[rule->over] + d]) {
            return true;
        }
    }
    return false;
}

static bool
meets(const struct dcp_heed *h, uint32_t r, const dcp_host_id at[], uint32_t vm,
      uint32_t d)
{
    const struct dcp_rule *rule = rule_of(h, r);
    const uint32_t *domain = h->ground->domain[rule->over];
    uint32_t part = part_of(rule, vm);

    if (h->counts[r]) {
        return meets_counted(h, r, vm, d);
    }
    for (uint32_t i = 0; i < dcp_rule_n_members(rule); i++) {
        uint32_t other = dcp_rule_member(rule, i);

        if (other != vm && !dcp_host_is_none(at[other]) &&
            domain[at[other].ix] == d &&
            (rule->kind == DCP_RULE_SPREAD || part_of(rule, other) != part)) {
            return true;
        }
    }
    return false;
}

static bool
gathers(const struct dcp_heed *h, const struct dcp_rule *rule,
        const dcp_host_id at[], uint32_t vm, uint32_t host)
{
    const uint32_t *domain = h->ground->domain[rule->over];
    uint32_t home = h->now->host[vm].ix;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        uint32_t other = rule->vms[i];

        if (other == vm || dcp_host_is_none(at[other])) {
            continue;
        }
        dcp_host_id was = h->now->host[other];

        if (!dcp_host_is_none(was) && domain[was.ix] != domain[home]) {
            return true; /* They are apart: it has nothing to say. */
        }
        if (domain[at[other].ix] != domain[host] && at[other].ix != home) {
            return false;
        }
    }
    return true;
}

static bool
allows(const struct dcp_heed *h, uint32_t r, const dcp_host_id at[],
       uint32_t vm, uint32_t host)
{
    const struct dcp_rule *rule = rule_of(h, r);
    uint32_t home = h->now->host[vm].ix;

    if (rule->soft) {
        return true;
    }
    if (rule->kind == DCP_RULE_FENCE) {
        return dcp_rule_lists(rule->hosts, rule->n_hosts, host) ||
               !dcp_rule_lists(rule->hosts, rule->n_hosts, home);
    }
    if (rule->kind == DCP_RULE_BAN) {
        return !dcp_rule_lists(rule->hosts, rule->n_hosts, host) ||
               dcp_rule_lists(rule->hosts, rule->n_hosts, home);
    }
    if (rule->kind == DCP_RULE_GATHER) {
        return gathers(h, rule, at, vm, host);
    }
    return !dcp_ground_parts_vms(rule) ||
           h->ground->domain[rule->over][host] == h->ground->domain[rule->over][home] ||
           !meets(h, r, at, vm, h->ground->domain[rule->over][host]);
}

bool
dcp_heed_allows(const struct dcp_heed *h, const dcp_host_id at[], uint32_t vm,
                uint32_t host)
{
    for (uint32_t i = h->ground->rules.first[vm]; i < h->ground->rules.first[vm + 1]; i++) {
        if (!allows(h, h->ground->rules.of_vm[i], at, vm, host)) {
            return false;
        }
    }
    return true;
}

void
dcp_heed_moved(struct dcp_heed *h, uint32_t vm, uint32_t from, uint32_t to)
{
    for (uint32_t i = h->ground->rules.first[vm]; i < h->ground->rules.first[vm + 1]; i++) {
        uint32_t r = h->ground->rules.of_vm[i];

        if (h->counts[r]) {
            count(h, r, vm, from, false);
            count(h, r, vm, to, true);
        }
    }
}
