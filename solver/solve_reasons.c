/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/solve_reasons.h"

#include "model/change.h"
#include "solver/bound/pigeonhole.h"
#include "solver/compile/loss_domains.h"
#include "solver/headroom/loss_set.h"
#include "solver/repair/repair.h"
#include "solver/rules/delta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one item needs of a resource and the most that a host within its reach
 * has: scalars first, then CPU, then network. */
static void
need_and_most(const struct dcp_problem *p, uint32_t item, uint32_t resource,
              uint32_t *out_need, uint32_t *out_most)
{
    bool cpu = resource == p->n_scalars;
    const uint32_t *cap = cpu ? p->cap_cpu_mhz
                          : resource > p->n_scalars
                              ? p->cap_net_kib_s
                              : p->cap + (size_t)resource * p->n_hosts;

    *out_need = cpu ? p->cpu_peak_mhz[item] : 0;
    if (resource < p->n_scalars) {
        *out_need = p->request[(size_t)item * p->n_scalars + resource];
    }
    for (uint32_t t = 0; resource > p->n_scalars && t < p->n_slots; t++) {
        uint32_t need = p->net_kib_s[(size_t)item * p->stride + t];

        *out_need = need > *out_need ? need : *out_need;
    }
    *out_most = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (dcp_problem_may_hold(p, h) && dcp_problem_reaches(p, item, h) &&
            cap[h] > *out_most) {
            *out_most = cap[h];
        }
    }
}

/* Names the resource that the item asks for more of than any host has; where
 * there is none, no host has enough of all of them. */
static void
explain_too_large(const struct dcp_problem *p, uint32_t item,
                  struct dcp_because *out)
{
    uint32_t n = p->n_scalars + 1 + (p->net_kib_s ? 1 : 0);

    (void)snprintf(out->text, sizeof out->text,
                   "no host that it may use has enough of everything, even "
                   "empty");
    for (uint32_t r = 0; r < n; r++) {
        uint32_t need, most;

        need_and_most(p, item, r, &need, &most);
        if (need > most) {
            (void)snprintf(
                out->text, sizeof out->text,
                "no host that it may use is large enough, even "
                "empty: it needs %u %s, the largest leaves %u "
                "usable (policy.target)",
                need,
                r == p->n_scalars ? "MHz of CPU"
                : r > p->n_scalars
                    ? "KiB/s of network"
                    : dcp_scalar_name(p->q->inventory, p->scalar_id[r]),
                most);
            out->need = need;
            out->have = most;
            return;
        }
    }
}

/* A closed change window or freeze that keeps the item where it is. */
static bool
explain_closed(const struct dcp_problem *p, uint32_t item,
               struct dcp_because *out)
{
    const struct dcp_rule *rule = NULL;
    char when[120];

    for (uint32_t k = p->vm_first[item]; !rule && k < p->vm_first[item + 1];
         k++) {
        rule = dcp_change_holding(p->q, p->vm[k]);
    }
    if (rule) {
        (void)snprintf(out->rule, sizeof out->rule, "%.60s", rule->name);
        (void)snprintf(
            out->text, sizeof out->text,
            "it may not be changed now (%.110s), and may not stay",
            dcp_change_print(p->q->inventory, rule, when, sizeof when));
    }
    return rule != NULL;
}

/* An item that no host could hold even if it were empty proves that there is
 * no answer; says which resource or reach. */
static bool
impossible_item(const struct dcp_problem *p, struct dcp_state *empty,
                struct dcp_because *out)
{
    for (uint32_t i = 0; i < p->n_items; i++) {
        bool reaches = false, fits = false;

        for (uint32_t h = 0; h < p->n_hosts && !fits; h++) {
            if (dcp_problem_may_hold(p, h) && dcp_problem_reaches(p, i, h)) {
                reaches = true;
                fits = dcp_state_fits(empty, i, h);
            }
        }
        if (fits) {
            continue;
        }
        (void)snprintf(out->rule, sizeof out->rule, "%s",
                       reaches ? "capacity" : "reach");
        (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                       p->q->inventory->vms[p->vm[p->vm_first[i]]].name);
        out->need = out->have = NAN;
        if (reaches) {
            explain_too_large(p, i, out);
        } else if (explain_closed(p, i, out)) {
            return true;
        } else {
            (void)snprintf(out->text, sizeof out->text,
                           "no host is within its reach (hypervisor, CPU, "
                           "VLAN, storage, fence, ban, root)");
        }
        return true;
    }
    return false;
}

/* A protected item for which there is one host left, and no second one to
 * restart on when that is lost. */
static bool
unprotectable_item(const struct dcp_problem *p, struct dcp_state *empty,
                   struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool asked = false;

    for (uint32_t k = 0; k < inv->policy.n_survive; k++) {
        asked |= inv->policy.survive[k].kind == DCP_LOSS_HOST;
    }
    for (uint32_t i = 0; asked && p->q->headroom && i < p->n_items; i++) {
        uint32_t n_runs = 0, n_restarts = 0, runs = DCP_IX_NONE, last = 0;

        for (uint32_t h = 0;
             p->protected_item[i] && h < p->n_hosts && n_restarts < 2; h++) {
            if (!dcp_problem_may_hold(p, h)) {
                continue;
            }
            if (dcp_problem_reaches(p, i, h) && dcp_state_fits(empty, i, h)) {
                n_runs++;
                runs = h;
            }
            if (dcp_problem_restarts_on(p, i, h) &&
                dcp_state_fits_full(empty, i, h)) {
                n_restarts++;
                last = h;
            }
        }
        if (!p->protected_item[i] || n_restarts > 1 ||
            (n_restarts == 1 && (n_runs > 1 || runs != last))) {
            continue;
        }
        (void)snprintf(out->rule, sizeof out->rule, "n+1");
        (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                       inv->vms[p->vm[p->vm_first[i]]].name);
        (void)snprintf(out->text, sizeof out->text,
                       "it would have no second host to restart on when its "
                       "own is lost");
        out->need = 2;
        out->have = n_restarts;
        return true;
    }
    return false;
}

/* A host that goes down with all hosts on which the item may run and restart;
 * DCP_IX_NONE: they do not all go down with one rack or feed. */
static uint32_t
host_of_only_domain(const struct dcp_problem *p, struct dcp_state *empty,
                    uint32_t item, const struct dcp_loss_kind_domains *kind)
{
    uint32_t only = DCP_IX_NONE;

    for (uint32_t h = 0; h < p->n_hosts; h++) {
        bool runs =
            dcp_problem_reaches(p, item, h) && dcp_state_fits(empty, item, h);
        bool restarts = dcp_problem_restarts_on(p, item, h) &&
                        dcp_state_fits_full(empty, item, h);

        if (!dcp_problem_may_hold(p, h) || !(runs || restarts)) {
            continue;
        }
        only = only == DCP_IX_NONE ? h : only;
        if (kind->of_host[h] == DCP_IX_NONE ||
            kind->of_host[h] != kind->of_host[only]) {
            return DCP_IX_NONE;
        }
    }
    return only;
}

/* A protected item that the loss of one rack or feed leaves without a host. */
static bool
item_of_one_domain(const struct dcp_problem *p, struct dcp_state *empty,
                   struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;

    for (uint32_t k = 0; p->losses && k < p->losses->n_kinds; k++) {
        const struct dcp_loss_kind_domains *kind = &p->losses->kinds[k];

        for (uint32_t i = 0; i < p->n_items; i++) {
            uint32_t h = p->protected_item[i]
                             ? host_of_only_domain(p, empty, i, kind)
                             : DCP_IX_NONE;

            if (h == DCP_IX_NONE) {
                continue;
            }
            struct dcp_loss_set lost = {
                .kind = kind->kind,
                .n = 1,
                .ix = { dcp_loss_object_of(inv, kind->kind, h) }
            };
            char name[80];

            (void)snprintf(out->rule, sizeof out->rule, "n+1");
            (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                           inv->vms[p->vm[p->vm_first[i]]].name);
            (void)snprintf(out->text, sizeof out->text,
                           "all hosts on which it may run or restart are lost "
                           "with %.79s",
                           dcp_loss_set_print(inv, &lost, name, sizeof name));
            out->need = 2;
            out->have = 1;
            return true;
        }
    }
    return false;
}

void
dcp_solve_explain_contradiction(const struct dcp_problem *p,
                                struct dcp_because *out)
{
    uint32_t vm = p->vm[p->vm_first[p->contradicting_item]];

    (void)snprintf(out->rule, sizeof out->rule, "%.60s",
                   p->contradiction->name);
    (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                   p->q->inventory->vms[vm].name);
    (void)snprintf(out->text, sizeof out->text,
                   "it keeps apart what a gather rule holds on one host");
    out->need = out->have = NAN;
}

/* A spread rule with more VMs than places. */
static bool
find_crowded(const struct dcp_problem *p, struct dcp_because *out,
             bool *out_found, struct dcp_error *err)
{
    struct dcp_pigeonhole hole;

    if (!dcp_pigeonhole_find(p, &hole, err)) {
        return false;
    }
    *out_found = hole.rule != NULL;
    if (hole.rule) {
        const char *domain = dcp_domain_name(hole.rule->over);
        uint32_t vm = p->vm[p->vm_first[hole.item]];

        (void)snprintf(out->rule, sizeof out->rule, "%.60s", hole.rule->name);
        (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                       p->q->inventory->vms[vm].name);
        (void)snprintf(out->text, sizeof out->text,
                       "%u of its VMs must be on different %ss, and reach only "
                       "%u together",
                       hole.n_items, domain, hole.n_domains);
        out->need = hole.n_items;
        out->have = hole.n_domains;
    }
    return true;
}

bool
dcp_solve_find_impossible(const struct dcp_problem *p, struct dcp_because *out,
                          bool *out_found, struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *empty = dcp_state_create(p, err);

    if (!empty) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (empty->host[i] != DCP_IX_NONE) {
            dcp_state_remove(empty, i);
        }
    }
    *out_found = impossible_item(p, empty, out) ||
                 unprotectable_item(p, empty, out) ||
                 item_of_one_domain(p, empty, out);
    return *out_found || find_crowded(p, out, out_found, err);
}

static void
explain_power_rule(const struct dcp_problem *p, const struct dcp_rule *rule,
                   struct dcp_because *out)
{
    bool most = rule->kind == DCP_RULE_MAX_ON;
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        uint32_t h = rule->hosts[i];
        bool on = p->q->start->on[h], free_to = p->use[h] == DCP_HOST_FREE;

        n += most ? on && !free_to : on || (free_to && p->q->may_wake);
    }
    (void)snprintf(out->rule, sizeof out->rule, "%.60s", rule->name);
    out->object[0] = '\0';
    (void)snprintf(out->text, sizeof out->text,
                   most ? "%u of its hosts may not be switched off, and no "
                          "place was found for what runs on the others"
                        : "%u of its hosts may be on",
                   n);
    out->need = (double)rule->limit;
    out->have = n;
}

static void
explain_headroom(const struct dcp_inventory *inv, const struct dcp_headroom *h,
                 const char *vm, struct dcp_because *out)
{
    char what[140];

    (void)dcp_loss_set_print(inv, &h->failed, what, sizeof what);
    if (h->too_few_berths) {
        (void)snprintf(out->text, sizeof out->text,
                       "too little room can be kept for all that is lost at "
                       "once with %.50s and others, '%.32s' among it%s",
                       what, vm, h->too_few_empty ? " (on empty hosts)" : "");
    } else if (h->too_few_stand_ins) {
        (void)snprintf(out->text, sizeof out->text,
                       "%.60s has too few empty hosts that could take all its "
                       "VMs, '%.50s' among them",
                       what, vm);
    } else {
        (void)snprintf(out->text, sizeof out->text,
                       "if %.100s is lost, VM '%.40s' finds no place, even "
                       "with all hosts on",
                       what, vm);
    }
}

static void
explain_watts(const struct dcp_inventory *inv,
              const struct dcp_search_result *r, struct dcp_because *out)
{
    const struct dcp_watt_thing *t = r->over_thing;
    const char *kind = t->kind == DCP_WATTS_RACK   ? "rack"
                       : t->kind == DCP_WATTS_FEED ? "feed"
                                                   : "room";
    const char *name = t->kind == DCP_WATTS_RACK   ? inv->racks[t->ix].name
                       : t->kind == DCP_WATTS_FEED ? inv->feeds[t->ix].name
                                                   : inv->rooms[t->ix].name;

    (void)snprintf(out->rule, sizeof out->rule, "%s",
                   t->kind == DCP_WATTS_ROOM ? "cooling" : "watts");
    (void)snprintf(out->object, sizeof out->object, "%s:%.80s", kind, name);
    (void)snprintf(out->text, sizeof out->text,
                   "%s '%.60s' would draw %.0f of %.0f W, and no VM that may "
                   "leave found a place elsewhere",
                   kind, name, r->over_w, r->over_limit_w);
    out->need = r->over_w;
    out->have = r->over_limit_w;
}

void
dcp_solve_explain_incomplete(const struct dcp_problem *p,
                             const struct dcp_search_result *r,
                             struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool lost = r->n_unplaced > 0;

    if (!lost && r->headroom.ok && r->broken_power_rule) {
        explain_power_rule(p, r->broken_power_rule->rule, out);
        return;
    }
    if (!lost && r->over_thing) {
        explain_watts(inv, r, out);
        return;
    }
    if (!lost && r->headroom.ok && r->too_many_moves) {
        (void)snprintf(out->rule, sizeof out->rule, "max-moves");
        (void)snprintf(out->text, sizeof out->text,
                       "what is broken takes more moves to repair than are "
                       "allowed");
        out->need = r->n_moves;
        out->have = p->q->max_moves;
        return;
    }
    uint32_t item = lost ? r->unplaced_item : r->headroom.failed_item;
    const char *vm = inv->vms[p->vm[p->vm_first[item]]].name;

    (void)snprintf(out->rule, sizeof out->rule, "%s",
                   lost ? "capacity" : "n+1");
    (void)snprintf(out->object, sizeof out->object, "vm:%.80s", vm);
    if (lost) {
        (void)snprintf(out->text, sizeof out->text,
                       "%u VMs found no legal place; the search is a heuristic "
                       "and proves nothing",
                       r->n_unplaced);
    } else {
        explain_headroom(inv, &r->headroom, vm, out);
    }
    out->need = p->request[(size_t)item * p->n_scalars];
    out->have = NAN;
}

void
dcp_solve_explain_too_few(const struct dcp_question *q, uint32_t moves,
                          struct dcp_because *out)
{
    (void)snprintf(out->rule, sizeof out->rule, "max-moves");
    (void)snprintf(out->text, sizeof out->text,
                   "no repair moves so few VMs; --partial leaves some of it");
    out->need = moves;
    out->have = q->max_moves;
}

/* The program of a small problem has no answer. */
void
dcp_solve_explain_max_on(const struct dcp_bound *bound, struct dcp_because *out)
{
    const struct dcp_rule *rule = bound->max_on;

    (void)snprintf(out->rule, sizeof out->rule, "max_on");
    (void)snprintf(out->object, sizeof out->object, "rule:%.60s", rule->name);
    (void)snprintf(out->text, sizeof out->text,
                   "%u hosts have to be on at least, and rule '%.60s' lets %d "
                   "of its %u be on",
                   bound->hosts, rule->name, (int)rule->limit, rule->n_hosts);
    out->need = bound->hosts;
    out->have = (double)rule->limit;
}

void
dcp_solve_explain_no_placement(struct dcp_because *out)
{
    (void)snprintf(out->rule, sizeof out->rule, "capacity");
    (void)snprintf(out->text, sizeof out->text,
                   "no placement keeps all limits and hard rules");
    out->need = out->have = NAN;
}

/* A part of what is broken that no leaving ends. */
void
dcp_solve_explain_need(const struct dcp_problem *p,
                       const struct dcp_repair_need *need,
                       struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool reach =
        need->item != DCP_IX_NONE && !need->rule && need->host == DCP_IX_NONE;

    (void)snprintf(out->rule, sizeof out->rule, "%.60s",
                   need->rule ? need->rule->name
                   : reach    ? "reach"
                              : "capacity");
    if (need->host != DCP_IX_NONE) {
        (void)snprintf(out->object, sizeof out->object, "host:%.80s",
                       inv->hosts[need->host].name);
    } else if (need->item != DCP_IX_NONE) {
        (void)snprintf(out->object, sizeof out->object, "vm:%.80s",
                       inv->vms[p->vm[p->vm_first[need->item]]].name);
    }
    (void)snprintf(out->text, sizeof out->text,
                   reach ? "it may not stay, and no other host can take it"
                         : "what would have to leave can go nowhere else");
    out->need = out->have = NAN;
    if (reach) {
        (void)explain_closed(p, need->item, out);
    }
}
