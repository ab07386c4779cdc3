/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Making the tables: rules by VM and node, parts, sums of the start. */

#include "solver/reconfig/places.h"

#include <stdlib.h>
#include <string.h>

void
dcp_rc_places_destroy(struct dcp_rc_places *p)
{
    if (p) {
        dcp_arena_destroy(p->arena);
        free(p);
    }
}

static bool
is_capacity(enum dcp_rc_rule_kind kind)
{
    return kind == DCP_RC_RESOURCE || kind == DCP_RC_RUNNING_MAX ||
           kind == DCP_RC_ONLINE_MAX;
}

/* Rules that places_allowed() asks for each VM they name. */
static bool
is_vm_rule(enum dcp_rc_rule_kind kind)
{
    return kind <= DCP_RC_FENCE;
}

/* The VMs of a rule, as parts: its only set where it has none. */
static uint32_t
n_sets(const struct dcp_rc_rule *rule)
{
    return rule->n_vm_parts ? rule->n_vm_parts : 1;
}

static const struct dcp_rc_set *
set_of(const struct dcp_rc_rule *rule, uint32_t part)
{
    return rule->n_vm_parts ? &rule->vm_parts[part] : &rule->vms;
}

static bool
index_vm_rules(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;
    size_t n = 0;

    p->vm_rule_first =
        dcp_arena_array(p->arena, uint32_t, (size_t)w->n_vms + 2);
    if (!p->vm_rule_first) {
        return false;
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        for (uint32_t k = 0; is_vm_rule(rule->kind) && k < n_sets(rule); k++) {
            for (uint32_t i = 0; i < set_of(rule, k)->n; i++, n++) {
                p->vm_rule_first[set_of(rule, k)->ids[i] + 2]++;
            }
        }
    }
    p->vm_rule = dcp_arena_array(p->arena, uint32_t, n);
    p->vm_part = dcp_arena_array(p->arena, uint32_t, n);
    if (!p->vm_rule || !p->vm_part) {
        return false;
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        p->vm_rule_first[v + 2] += p->vm_rule_first[v + 1];
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        for (uint32_t k = 0; is_vm_rule(rule->kind) && k < n_sets(rule); k++) {
            for (uint32_t i = 0; i < set_of(rule, k)->n; i++) {
                uint32_t at = p->vm_rule_first[set_of(rule, k)->ids[i] + 1]++;

                p->vm_rule[at] = r;
                p->vm_part[at] = k;
            }
        }
    }
    return true;
}

static bool
index_node_rules(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;
    size_t n = 0;

    p->node_rule_first =
        dcp_arena_array(p->arena, uint32_t, (size_t)w->n_nodes + 2);
    if (!p->node_rule_first) {
        return false;
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        for (uint32_t i = 0; is_capacity(rule->kind) && i < rule->nodes.n;
             i++, n++) {
            p->node_rule_first[rule->nodes.ids[i] + 2]++;
        }
    }
    p->node_rule = dcp_arena_array(p->arena, uint32_t, n);
    if (!p->node_rule) {
        return false;
    }
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        p->node_rule_first[i + 2] += p->node_rule_first[i + 1];
    }
    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        for (uint32_t i = 0; is_capacity(rule->kind) && i < rule->nodes.n;
             i++) {
            p->node_rule[p->node_rule_first[rule->nodes.ids[i] + 1]++] = r;
        }
    }
    return true;
}

static uint64_t
hash_of(const uint32_t part[], uint32_t n)
{
    uint64_t h = UINT64_C(1469598103934665603);

    for (uint32_t i = 0; i < n; i++) {
        h = (h ^ part[i]) * UINT64_C(1099511628211);
    }
    return h;
}

/* Node parts as a table; rules with the same parts share one. */
static bool
index_parts(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;
    size_t bytes = (size_t)w->n_nodes * sizeof(uint32_t);
    uint32_t *part = NULL, n_seen = 0;
    struct seen {
        uint64_t hash;
        const uint32_t *part;
    } *seen = calloc((size_t)w->n_rules + 1, sizeof *seen);
    bool done = seen != NULL;

    for (uint32_t r = 0; done && r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];
        uint32_t s = 0;

        if (rule->kind != DCP_RC_AMONG && rule->kind != DCP_RC_SPLIT_AMONG) {
            continue;
        }
        if (!part) {
            part = dcp_arena_array(p->arena, uint32_t, w->n_nodes);
            done = part != NULL;
            if (!done) {
                break;
            }
        }
        memset(part, 0xff, bytes);
        for (uint32_t k = 0; k < rule->n_node_parts; k++) {
            for (uint32_t i = 0; i < rule->node_parts[k].n; i++) {
                part[rule->node_parts[k].ids[i]] = k;
            }
        }
        uint64_t hash = hash_of(part, w->n_nodes);

        while (s < n_seen && (seen[s].hash != hash ||
                              memcmp(seen[s].part, part, bytes) != 0)) {
            s++;
        }
        if (s == n_seen) {
            seen[n_seen++] = (struct seen){ hash, part };
            part = NULL;
        }
        p->part_of_node[r] = seen[s].part;
    }
    free(seen);
    return done;
}

static bool
index_sets(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;
    size_t words = (size_t)w->n_nodes / 64 + 1;

    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        p->fixed_part[r] = DCP_RC_NONE;
        if (rule->kind == DCP_RC_LONELY) {
            p->lonely[p->n_lonely++] = r;
            p->member_count[r] =
                dcp_arena_array(p->arena, uint32_t, w->n_nodes);
            if (!p->member_count[r]) {
                return false;
            }
        }
        if (rule->kind == DCP_RC_SPLIT_AMONG) {
            p->fixed_parts[r] =
                dcp_arena_array(p->arena, uint32_t, rule->n_vm_parts);
            if (!p->fixed_parts[r]) {
                return false;
            }
            memset(p->fixed_parts[r], 0xff,
                   rule->n_vm_parts * sizeof(uint32_t));
        }
        if (rule->kind == DCP_RC_FENCE || rule->kind == DCP_RC_BAN) {
            uint64_t *bits = dcp_arena_array(p->arena, uint64_t, words);

            if (!bits) {
                return false;
            }
            for (uint32_t i = 0; i < rule->nodes.n; i++) {
                uint32_t n = rule->nodes.ids[i];

                bits[n / 64] |= UINT64_C(1) << (n % 64);
            }
            p->node_bits[r] = bits;
        }
    }
    return true;
}

/* A rule that holds at every instant binds a VM that runs already to where it
 * is: to its node, or to the part that it is in. */
static void
bind_vm(struct dcp_rc_places *p, uint32_t r, uint32_t part, uint32_t v)
{
    const struct dcp_rc_rule *rule = &p->w->rules[r];
    uint32_t host = p->w->vms[v].host;

    if (rule->kind == DCP_RC_ROOT) {
        p->pinned[v] = 1;
    } else if (rule->kind == DCP_RC_AMONG && rule->continuous) {
        p->fixed_part[r] = p->part_of_node[r][host];
    } else if (rule->kind == DCP_RC_SPLIT_AMONG && rule->continuous) {
        p->fixed_parts[r][part] = p->part_of_node[r][host];
    } else if (rule->kind == DCP_RC_GATHER && rule->continuous) {
        uint32_t n_running = 0;

        for (uint32_t i = 0; i < rule->vms.n; i++) {
            n_running += dcp_rc_runs(&p->w->vms[rule->vms.ids[i]]);
        }
        p->pinned[v] |= n_running > 1;
    }
}

static void
bind_by_start(struct dcp_rc_places *p, uint32_t r)
{
    const struct dcp_rc_rule *rule = &p->w->rules[r];

    for (uint32_t k = 0; k < n_sets(rule); k++) {
        for (uint32_t i = 0; i < set_of(rule, k)->n; i++) {
            uint32_t v = set_of(rule, k)->ids[i];

            if (dcp_rc_runs(&p->w->vms[v])) {
                bind_vm(p, r, k, v);
            }
        }
    }
}

static void
bind_all(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;

    for (uint32_t r = 0; r < w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &w->rules[r];

        if (rule->kind == DCP_RC_QUARANTINE) {
            for (uint32_t i = 0; i < rule->nodes.n; i++) {
                p->closed[rule->nodes.ids[i]] = 1;
            }
        } else {
            bind_by_start(p, r);
        }
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (dcp_rc_runs(&w->vms[v]) && p->closed[w->vms[v].host]) {
            p->pinned[v] = 1;
        }
    }
}

static void
sum_start(struct dcp_rc_places *p)
{
    const struct dcp_rc_world *w = p->w;

    for (uint32_t v = 0; v < w->n_vms; v++) {
        p->host[v] = DCP_RC_NONE;
        p->n_unplaced += w->vms[v].goal == DCP_RC_RUNNING;
        for (uint32_t d = 0; dcp_rc_runs(&w->vms[v]) && d < w->n_dims; d++) {
            p->early[(size_t)w->vms[v].host * w->n_dims + d] +=
                dcp_rc_now_use(w, v)[d];
        }
    }
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        p->first[n] = DCP_RC_NONE;
        for (uint32_t d = 0; d < w->n_dims; d++) {
            p->total_cap[d] += dcp_rc_cap(w, n)[d];
        }
        p->power[n] = w->nodes[n].goal;
        if (p->power[n] == DCP_RC_OFF ||
            (!w->nodes[n].on && p->power[n] == DCP_RC_ANY)) {
            continue;
        }
        for (uint32_t k = p->node_rule_first[n]; k < p->node_rule_first[n + 1];
             k++) {
            p->rule_use[p->node_rule[k]] +=
                w->rules[p->node_rule[k]].kind == DCP_RC_ONLINE_MAX;
        }
    }
}

static uint32_t
n_running(const struct dcp_rc_world *w, uint32_t node)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < w->n_vms; v++) {
        n += w->vms[v].host == node;
    }
    return n;
}

/* Where more are on than may be, the emptiest go off. */
static void
switch_off(struct dcp_rc_places *p, uint32_t r)
{
    const struct dcp_rc_rule *rule = &p->w->rules[r];

    while (p->rule_use[r] > rule->amount) {
        uint32_t best = DCP_RC_NONE, fewest = 0;

        for (uint32_t i = 0; i < rule->nodes.n; i++) {
            uint32_t node = rule->nodes.ids[i];

            if (!p->w->nodes[node].on || p->power[node] != DCP_RC_ANY ||
                p->closed[node]) {
                continue;
            }
            uint32_t n = n_running(p->w, node);

            if (best == DCP_RC_NONE || n < fewest) {
                best = node;
                fewest = n;
            }
        }
        if (best == DCP_RC_NONE) {
            return; /* No place is left without it; the end tells. */
        }
        p->power[best] = DCP_RC_OFF;
        for (uint32_t k = p->node_rule_first[best];
             k < p->node_rule_first[best + 1]; k++) {
            p->rule_use[p->node_rule[k]] -=
                p->w->rules[p->node_rule[k]].kind == DCP_RC_ONLINE_MAX;
        }
    }
}

struct dcp_rc_places *
dcp_rc_places_create(const struct dcp_rc_world *w, struct dcp_error *err)
{
    struct dcp_rc_places *p = calloc(1, sizeof *p);
    struct dcp_arena *a = dcp_arena_create(0);
    size_t n_nodes = w->n_nodes, n_vms = w->n_vms, n_rules = w->n_rules;
    size_t cells = n_nodes * w->n_dims;

    if (!p || !a) {
        free(p);
        dcp_arena_destroy(a);
        (void)dcp_fail(err, DCP_E_NOMEM, "out of memory");
        return NULL;
    }
    p->w = w;
    p->arena = a;
    if ((p->host = dcp_arena_array(a, uint32_t, n_vms)) &&
        (p->used = dcp_arena_array(a, int64_t, cells)) &&
        (p->early = dcp_arena_array(a, int64_t, cells)) &&
        (p->pinned = dcp_arena_array(a, uint8_t, n_vms)) &&
        (p->closed = dcp_arena_array(a, uint8_t, n_nodes)) &&
        (p->power = dcp_arena_array(a, uint8_t, n_nodes)) &&
        (p->n_on = dcp_arena_array(a, uint32_t, n_nodes)) &&
        (p->first = dcp_arena_array(a, uint32_t, n_nodes)) &&
        (p->next = dcp_arena_array(a, uint32_t, n_vms)) &&
        (p->prev = dcp_arena_array(a, uint32_t, n_vms)) &&
        (p->rule_use = dcp_arena_array(a, int64_t, n_rules)) &&
        (p->lonely = dcp_arena_array(a, uint32_t, n_rules)) &&
        (p->member_count = dcp_arena_array(a, uint32_t *, n_rules)) &&
        (p->node_bits = dcp_arena_array(a, uint64_t *, n_rules)) &&
        (p->part_of_node = dcp_arena_array(a, const uint32_t *, n_rules)) &&
        (p->fixed_part = dcp_arena_array(a, uint32_t, n_rules)) &&
        (p->fixed_parts = dcp_arena_array(a, uint32_t *, n_rules)) &&
        (p->total_cap = dcp_arena_array(a, int64_t, w->n_dims)) &&
        index_vm_rules(p) && index_node_rules(p) && index_parts(p) &&
        index_sets(p)) {
        bind_all(p);
        sum_start(p);
        for (uint32_t r = 0; r < w->n_rules; r++) {
            if (w->rules[r].kind == DCP_RC_ONLINE_MAX) {
                switch_off(p, r);
            }
        }
        return p;
    }
    dcp_rc_places_destroy(p);
    (void)dcp_fail(err, DCP_E_NOMEM, "out of memory");
    return NULL;
}
