/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/reconfig/places.h"

/* A member that is placed, other than 'vm'; DCP_RC_NONE: none. */
static uint32_t
placed_member(const struct dcp_rc_places *p, const struct dcp_rc_set *vms,
              uint32_t vm)
{
    for (uint32_t i = 0; i < vms->n; i++) {
        if (vms->ids[i] != vm && p->host[vms->ids[i]] != DCP_RC_NONE) {
            return vms->ids[i];
        }
    }
    return DCP_RC_NONE;
}

static bool
is_on(const struct dcp_rc_places *p, const struct dcp_rc_set *vms, uint32_t vm,
      uint32_t node)
{
    for (uint32_t i = 0; i < vms->n; i++) {
        if (vms->ids[i] != vm && p->host[vms->ids[i]] == node) {
            return true;
        }
    }
    return false;
}

static bool
split_among_allows(const struct dcp_rc_places *p, uint32_t r, uint32_t part,
                   uint32_t vm, uint32_t node)
{
    const struct dcp_rc_rule *rule = &p->w->rules[r];
    uint32_t q = p->part_of_node[r][node];

    if (q == DCP_RC_NONE) {
        return false;
    }
    for (uint32_t k = 0; k < rule->n_vm_parts; k++) {
        uint32_t other = placed_member(p, &rule->vm_parts[k], vm);
        uint32_t there = other != DCP_RC_NONE
                             ? p->part_of_node[r][p->host[other]]
                             : p->fixed_parts[r][k];

        if (there != DCP_RC_NONE && (there == q) != (k == part)) {
            return false;
        }
        if (p->fixed_parts[r][k] != DCP_RC_NONE &&
            (p->fixed_parts[r][k] == q) != (k == part)) {
            return false;
        }
    }
    return true;
}

static bool
split_allows(const struct dcp_rc_places *p, const struct dcp_rc_rule *rule,
             uint32_t part, uint32_t vm, uint32_t node)
{
    for (uint32_t k = 0; k < rule->n_vm_parts; k++) {
        if (k != part && is_on(p, &rule->vm_parts[k], vm, node)) {
            return false;
        }
    }
    return true;
}

bool
dcp_rc_places_rule_allows(const struct dcp_rc_places *p, uint32_t r,
                          uint32_t part, uint32_t vm, uint32_t node)
{
    const struct dcp_rc_rule *rule = &p->w->rules[r];
    uint32_t other;

    switch (rule->kind) {
    case DCP_RC_SPREAD:
        return !is_on(p, &rule->vms, vm, node);
    case DCP_RC_GATHER:
        other = placed_member(p, &rule->vms, vm);
        return other == DCP_RC_NONE || p->host[other] == node;
    case DCP_RC_LONELY:
        return p->member_count[r][node] == p->n_on[node];
    case DCP_RC_AMONG:
        if (p->part_of_node[r][node] == DCP_RC_NONE) {
            return false;
        }
        if (p->fixed_part[r] != DCP_RC_NONE) {
            return p->part_of_node[r][node] == p->fixed_part[r];
        }
        other = placed_member(p, &rule->vms, vm);
        return other == DCP_RC_NONE ||
               p->part_of_node[r][p->host[other]] == p->part_of_node[r][node];
    case DCP_RC_SPLIT:
        return split_allows(p, rule, part, vm, node);
    case DCP_RC_SPLIT_AMONG:
        return split_among_allows(p, r, part, vm, node);
    case DCP_RC_BAN:
        return !(p->node_bits[r][node / 64] >> (node % 64) & 1);
    case DCP_RC_FENCE:
        return p->node_bits[r][node / 64] >> (node % 64) & 1;
    default:
        return true;
    }
}

static bool
is_named(const struct dcp_rc_places *p, uint32_t vm, uint32_t rule)
{
    for (uint32_t k = p->vm_rule_first[vm]; k < p->vm_rule_first[vm + 1]; k++) {
        if (p->vm_rule[k] == rule) {
            return true;
        }
    }
    return false;
}

bool
dcp_rc_places_allowed(const struct dcp_rc_places *p, uint32_t vm, uint32_t node)
{
    const struct dcp_rc_vm *x = &p->w->vms[vm];
    bool here = dcp_rc_runs(x) && x->host == node;

    if (p->power[node] == DCP_RC_OFF || (p->closed[node] && !here) ||
        (p->pinned[vm] && !here) ||
        (x->target != DCP_RC_NONE && x->target != node)) {
        return false;
    }
    for (uint32_t k = p->vm_rule_first[vm]; k < p->vm_rule_first[vm + 1]; k++) {
        if (!dcp_rc_places_rule_allows(p, p->vm_rule[k], p->vm_part[k], vm,
                                       node)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < p->n_lonely; k++) {
        /* Somebody's own node is only for those whom its rule names. */
        if (p->member_count[p->lonely[k]][node] &&
            !is_named(p, vm, p->lonely[k])) {
            return false;
        }
    }
    return true;
}

bool
dcp_rc_places_room(const struct dcp_rc_places *p, uint32_t vm, uint32_t node,
                   bool at_once)
{
    const struct dcp_rc_world *w = p->w;
    const struct dcp_rc_vm *x = &w->vms[vm];
    const int64_t *need = dcp_rc_goal_use(w, vm), *cap = dcp_rc_cap(w, node);
    const int64_t *used = p->used + (size_t)node * w->n_dims;
    const int64_t *early = p->early + (size_t)node * w->n_dims;
    bool here = dcp_rc_runs(x) && x->host == node;

    for (uint32_t d = 0; d < w->n_dims; d++) {
        if (need[d] > 0 && used[d] + need[d] > cap[d]) {
            return false;
        }
        if (at_once && !here && need[d] > 0 && early[d] + need[d] > cap[d]) {
            return false;
        }
    }
    for (uint32_t k = p->node_rule_first[node];
         k < p->node_rule_first[node + 1]; k++) {
        const struct dcp_rc_rule *rule = &w->rules[p->node_rule[k]];
        int64_t more = 1;

        if (rule->kind == DCP_RC_RESOURCE) {
            more = need[rule->dim];
        } else if (rule->kind == DCP_RC_ONLINE_MAX) {
            more = !w->nodes[node].on && !p->n_on[node] &&
                   p->power[node] == DCP_RC_ANY;
        }
        if (more > 0 && p->rule_use[p->node_rule[k]] + more > rule->amount) {
            return false;
        }
    }
    return true;
}

/* Adds (sign 1) or takes away (-1) what the VM counts on the node. */
static void
count(struct dcp_rc_places *p, uint32_t vm, uint32_t node, int sign)
{
    const struct dcp_rc_world *w = p->w;
    const struct dcp_rc_vm *x = &w->vms[vm];
    const int64_t *goal = dcp_rc_goal_use(w, vm), *now = dcp_rc_now_use(w, vm);
    bool here = dcp_rc_runs(x) && x->host == node;
    size_t at = (size_t)node * w->n_dims;

    for (uint32_t d = 0; d < w->n_dims; d++) {
        int64_t grown = !here              ? goal[d]
                        : goal[d] > now[d] ? goal[d] - now[d]
                                           : 0;

        p->used[at + d] += sign * goal[d];
        p->early[at + d] += sign * grown;
    }
    for (uint32_t k = p->node_rule_first[node];
         k < p->node_rule_first[node + 1]; k++) {
        const struct dcp_rc_rule *rule = &w->rules[p->node_rule[k]];
        bool wakes = !w->nodes[node].on && p->power[node] == DCP_RC_ANY &&
                     p->n_on[node] == 0;

        p->rule_use[p->node_rule[k]] +=
            sign * (rule->kind == DCP_RC_RESOURCE     ? goal[rule->dim]
                    : rule->kind == DCP_RC_ONLINE_MAX ? wakes
                                                      : 1);
    }
    for (uint32_t k = p->vm_rule_first[vm];
         p->n_lonely && k < p->vm_rule_first[vm + 1]; k++) {
        if (p->member_count[p->vm_rule[k]]) {
            p->member_count[p->vm_rule[k]][node] += (uint32_t)sign;
        }
    }
}

void
dcp_rc_places_put(struct dcp_rc_places *p, uint32_t vm, uint32_t node)
{
    count(p, vm, node, 1);
    p->n_on[node]++;
    p->host[vm] = node;
    p->prev[vm] = DCP_RC_NONE;
    p->next[vm] = p->first[node];
    if (p->first[node] != DCP_RC_NONE) {
        p->prev[p->first[node]] = vm;
    }
    p->first[node] = vm;
    p->n_unplaced--;
}

void
dcp_rc_places_take(struct dcp_rc_places *p, uint32_t vm)
{
    uint32_t node = p->host[vm], next = p->next[vm], prev = p->prev[vm];

    p->n_on[node]--;
    count(p, vm, node, -1);
    p->host[vm] = DCP_RC_NONE;
    if (prev != DCP_RC_NONE) {
        p->next[prev] = next;
    } else {
        p->first[node] = next;
    }
    if (next != DCP_RC_NONE) {
        p->prev[next] = prev;
    }
    p->n_unplaced++;
}

double
dcp_rc_places_size(const struct dcp_rc_places *p, uint32_t vm)
{
    const struct dcp_rc_world *w = p->w;
    double most = 0;

    for (uint32_t d = 0; d < w->n_dims; d++) {
        double share = p->total_cap[d] > 0
                           ? (double)dcp_rc_goal_use(w, vm)[d] *
                                 (double)w->n_nodes / (double)p->total_cap[d]
                           : 0;

        most = share > most ? share : most;
    }
    return most;
}

/* What those that must share the VM's node and are not placed yet need of it
 * too, besides the VM. */
static bool
has_gathered(const struct dcp_rc_places *p, uint32_t vm)
{
    for (uint32_t k = p->vm_rule_first[vm]; k < p->vm_rule_first[vm + 1]; k++) {
        if (p->w->rules[p->vm_rule[k]].kind == DCP_RC_GATHER) {
            return true;
        }
    }
    return false;
}

static bool
gathered_fit(const struct dcp_rc_places *p, uint32_t vm, uint32_t node)
{
    const struct dcp_rc_world *w = p->w;

    for (uint32_t k = p->vm_rule_first[vm]; k < p->vm_rule_first[vm + 1]; k++) {
        const struct dcp_rc_rule *rule = &w->rules[p->vm_rule[k]];

        if (rule->kind != DCP_RC_GATHER) {
            continue;
        }
        for (uint32_t d = 0; d < w->n_dims; d++) {
            int64_t sum = p->used[(size_t)node * w->n_dims + d];

            for (uint32_t i = 0; i < rule->vms.n; i++) {
                uint32_t m = rule->vms.ids[i];

                sum += p->host[m] == DCP_RC_NONE &&
                               w->vms[m].goal == DCP_RC_RUNNING
                           ? dcp_rc_goal_use(w, m)[d]
                           : 0;
            }
            if (sum > dcp_rc_cap(w, node)[d]) {
                return false;
            }
        }
    }
    return true;
}

/* Room that would be left, as a share of the node: less is better. */
static double
room_left(const struct dcp_rc_places *p, uint32_t vm, uint32_t node)
{
    const struct dcp_rc_world *w = p->w;
    double left = 0;

    for (uint32_t d = 0; d < w->n_dims; d++) {
        int64_t cap = dcp_rc_cap(w, node)[d];
        int64_t used =
            p->used[(size_t)node * w->n_dims + d] + dcp_rc_goal_use(w, vm)[d];

        left += cap > 0 ? (double)(cap - used) / (double)cap : 0;
    }
    return left;
}

/* 0: on, room at once; 1: on, room at the end; 2: must boot; 3: no. */
static uint32_t
grade(const struct dcp_rc_places *p, uint32_t vm, uint32_t node)
{
    if (!dcp_rc_places_room(p, vm, node, false)) {
        return 3;
    }
    if (!p->w->nodes[node].on) {
        return 2;
    }
    return dcp_rc_places_room(p, vm, node, true) ? 0 : 1;
}

uint32_t
dcp_rc_places_find(const struct dcp_rc_places *p, uint32_t vm)
{
    const struct dcp_rc_world *w = p->w;
    uint32_t best = DCP_RC_NONE, best_grade = 3;
    double best_left = 0;
    bool gathers = has_gathered(p, vm);

    for (uint32_t n = 0; n < w->n_nodes; n++) {
        uint32_t g = grade(p, vm, n);
        double left;

        if (g == 3 || g > best_grade) {
            continue;
        }
        left = room_left(p, vm, n);
        if (g == best_grade && left >= best_left) {
            continue;
        }
        if (!dcp_rc_places_allowed(p, vm, n) ||
            (gathers && !gathered_fit(p, vm, n))) {
            continue;
        }
        best = n;
        best_grade = g;
        best_left = left;
    }
    return best;
}
