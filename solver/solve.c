/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/solver.h"

#include "model/change.h"
#include "model/power.h"
#include "solver/exact.h"
#include "solver/pigeonhole.h"
#include "solver/repair.h"
#include "solver/rule_clash.h"
#include "solver/rule_delta.h"
#include "solver/shortage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the exact program, where iterations are limited instead of time. */
#define EXACT_NODES 20u
#define EXACT_REPAIR_NODES 2000u /* Of the fewest moves. */
#define EXACT_FIRST_NODES  200u  /* Of a first answer. */
#define EXACT_S     10.0 /* Or a third of a long limit. */

const char *
dcp_status_name(enum dcp_status status)
{
    static const char *const names[] = { "optimal", "feasible", "infeasible",
                                         "timeout", "nothing_to_do" };

    return names[status];
}

void
dcp_goal_values(const struct dcp_inventory *inv, const struct dcp_demand *d,
                uint32_t first_slot, uint32_t last_slot, enum dcp_goal goal,
                double on_value[], double mhz_slope[], double slot_weight[])
{
    /* kWh of one watt in each slot; in money, at the first host's tariff where
     * sites differ each host's own price is in its value instead. */
    for (uint32_t t = first_slot; t < last_slot; t++) {
        double hours = (double)(d->slots[t].end_ms - d->slots[t].start_ms) /
                       (double)DCP_HOUR_MS;

        slot_weight[t - first_slot] = hours / 1000;
        if (goal == DCP_GOAL_COST && inv->n_sites <= 1) {
            slot_weight[t - first_slot] *= dcp_energy_price(
                inv, inv->n_sites ? (dcp_site_id){ 0 } : dcp_site_none(),
                d->slots[t].start_ms);
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ h });
        const struct dcp_hardware *hw =
            &inv->hardware[inv->hosts[h].hardware.ix];
        double pue = dcp_site_pue_marginal(inv, site), factor = 0, kwh = 0;
        double cap = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

        for (uint32_t t = first_slot; t < last_slot; t++) {
            double w = slot_weight[t - first_slot];
            double price =
                goal == DCP_GOAL_COST && inv->n_sites > 1
                    ? dcp_energy_price(inv, site, d->slots[t].start_ms)
                    : 1;

            factor += w * price;
            kwh += w;
        }
        on_value[h] = factor * pue * (dcp_power_at(hw, 0) - hw->sleep_w);
        mhz_slope[h] = cap > 0 && kwh > 0
                           ? dcp_power_slope_w(hw) / cap * pue * factor / kwh
                           : 0;
    }
}

/* --- Why not ------------------------------------------------------------ */

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
        (void)snprintf(out->text, sizeof out->text,
                       "it may not be changed now (%.110s), and may not stay",
                       dcp_change_print(p->q->inventory, rule, when,
                                        sizeof when));
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

static void
explain_contradiction(const struct dcp_problem *p, struct dcp_because *out)
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

static bool
find_impossible(const struct dcp_problem *p, struct dcp_because *out,
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
    *out_found =
        impossible_item(p, empty, out) || unprotectable_item(p, empty, out);
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
    if (h->too_many_sets) {
        (void)snprintf(out->text, sizeof out->text,
                       "so many %ss at once are more sets than are looked at "
                       "(%u); ask for fewer at once",
                       h->failed.kind == DCP_LOSS_RACK ? "rack" : "feed",
                       DCP_LOSS_SETS_MAX);
        out->object[0] = '\0';
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
explain_incomplete(const struct dcp_problem *p,
                   const struct dcp_search_result *r, struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool lost = r->n_unplaced > 0;

    if (!lost && r->headroom.ok && r->broken_power_rule) {
        explain_power_rule(p, r->broken_power_rule->rule, out);
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

/* The program of a small problem has no answer. */
static void
explain_no_placement(struct dcp_because *out)
{
    (void)snprintf(out->rule, sizeof out->rule, "capacity");
    (void)snprintf(out->text, sizeof out->text,
                   "no placement keeps all limits and hard rules");
    out->need = out->have = NAN;
}

/* A part of what is broken that no leaving ends. */
static void
explain_need(const struct dcp_problem *p, const struct dcp_repair_need *need,
             struct dcp_because *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    bool reach = need->item != DCP_IX_NONE && !need->rule &&
                 need->host == DCP_IX_NONE;

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

/* --- Solving ------------------------------------------------------------ */

static bool
read_answer(const struct dcp_problem *p, struct dcp_state *s,
            struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };

    out->placement = dcp_placement_copy(p->q->start, err);
    if (!out->placement) {
        return false;
    }
    for (uint32_t v = 0; p->q->absent && v < out->placement->n_vms; v++) {
        if (p->q->absent[v]) {
            out->placement->host[v] = dcp_host_none();
        }
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            out->placement->host[p->vm[k]].ix = s->host[i];
        }
    }
    memcpy(out->placement->on, s->on, p->n_hosts);
    if (p->q->headroom) {
        out->arena = dcp_arena_create(0);
        if (!out->arena) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
        }
        if (!dcp_headroom_check(s, out->arena, NULL, &headroom, err)) {
            return false;
        }
        out->losses = headroom.losses;
        out->n_losses = headroom.n_losses;
    }
    return true;
}

/* What is left of the time limit; at least a moment. */
static double
left_s(int64_t start, double limit_s)
{
    return fmax(limit_s - (double)(dcp_monotonic_ms() - start) / 1000, 0.02);
}

static void
tell(struct dcp_state *s, const struct dcp_bound *bound,
     const struct dcp_solve_options *options, int64_t start)
{
    dcp_observer_tell(&options->observer,
                      (struct dcp_progress){ .value = dcp_search_value(s),
                                             .bound = bound->value,
                                             .hosts_on = s->n_on,
                                             .hosts_bound = bound->hosts },
                      start);
}

/* Whether the exact program may improve the answer, or find the first. */
static bool
may_be_exact(const struct dcp_problem *p,
             const struct dcp_search_result *result,
             const struct dcp_repair_need *need,
             const struct dcp_solve_options *options)
{
    if (options->strategy != DCP_STRATEGY_FULL ||
        result->stopped_by == DCP_STOPPED_GAP || !dcp_exact_is_small(p)) {
        return false;
    }
    return need || !result->complete || (p->q->may_empty && !p->q->gentle);
}

static bool
run_exact(struct dcp_state *s, struct dcp_bound *bound,
          struct dcp_search_result *result,
          const struct dcp_solve_options *options, int64_t start,
          double limit_s, bool *out_proved, struct dcp_error *err)
{
    bool fewest = s->p->q->fewest_moves, complete;
    double value = result->complete ? dcp_search_value(s) : INFINITY;
    double least = bound->value;
    struct dcp_exact_limits limits = {
        fmin(left_s(start, limit_s), fmax(EXACT_S, limit_s / 3)), 0
    };

    if (options->iterations) { /* Repeatable: no clock decides. */
        limits = (struct dcp_exact_limits){
            600, fewest              ? EXACT_REPAIR_NODES
                 : !result->complete ? EXACT_FIRST_NODES
                                     : EXACT_NODES
        };
    } else if (!result->complete && !fewest) {
        limits.nodes = EXACT_FIRST_NODES;
    }
    if (!dcp_exact_run(s, bound, &limits, result->complete, &complete,
                       out_proved, err)) {
        return false;
    }
    result->complete = complete;
    if (complete &&
        (dcp_search_value(s) < value || bound->value > least)) {
        tell(s, bound, options, start);
    }
    return true;
}

static bool
search(struct dcp_problem *p, struct dcp_bound *bound,
       const struct dcp_repair_need *need,
       const struct dcp_solve_options *options, int64_t start, double limit_s,
       struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_search_options search_options = {
        .strategy = options->strategy,
        .seed = options->seed,
        .iterations = options->iterations,
        .threads = options->threads,
        .deadline_ms = start + (int64_t)(limit_s * 1000),
        .gap_frac = options->gap_frac,
        .observer = options->observer,
        .started_ms = start,
        .need = need,
    };
    struct dcp_search_result result;
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);
    bool proved = false;

    if (!s || !dcp_search_run(s, bound, &search_options, &result, err)) {
        return false;
    }
    out->stopped_by = result.stopped_by;
    out->rounds = result.rounds;
    out->n_misplaced = result.n_misplaced;
    proved = result.stopped_by == DCP_STOPPED_PROOF;
    if (may_be_exact(p, &result, need, options) && !(result.complete && proved) &&
        !run_exact(s, bound, &result, options, start, limit_s, &proved, err)) {
        return false;
    }
    if (bound->infeasible) {
        explain_no_placement(&out->because);
        out->status = DCP_STATUS_INFEASIBLE;
        return true;
    }
    if (!result.complete) {
        out->status = DCP_STATUS_TIMEOUT;
        explain_incomplete(p, &result, &out->because);
        return true;
    }
    out->stopped_by = proved ? DCP_STOPPED_PROOF : out->stopped_by;
    if (!need && !dcp_search_later_goals(s, &search_options, err)) {
        return false;
    }
    out->status = proved ? DCP_STATUS_OPTIMAL : DCP_STATUS_FEASIBLE;
    out->value = dcp_search_value(s);
    out->checks = s->n_checks;
    return read_answer(p, s, out, err);
}

/* The fewest moves: what the programs of solver/repair.h say. */
static bool
find_need(struct dcp_problem *p, struct dcp_bound *bound,
          const struct dcp_solve_options *options, double limit_s,
          struct dcp_repair_need *out, struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *s = dcp_state_create(p, err);
    bool repeatable = options->iterations > 0;

    if (!s || !dcp_repair_need_find(s, repeatable ? 600 : limit_s,
                                    repeatable ? EXACT_REPAIR_NODES : 0, out,
                                    err)) {
        return false;
    }
    bound->value = fmax(bound->value, out->moves);
    bound->method = "what must leave";
    return true;
}

bool
dcp_solve(const struct dcp_question *q, const struct dcp_solve_options *options,
          struct dcp_solution *out, struct dcp_error *err)
{
    double limit_s = options->time_limit_s > 0 ? options->time_limit_s : 30;
    int64_t start = dcp_monotonic_ms();
    struct dcp_bound bound;
    bool impossible = false;

    *out = (struct dcp_solution){ .bound_method = "",
                                  .because = { .need = NAN, .have = NAN } };
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);

    if (!p) {
        return false;
    }
    if (p->contradiction) {
        out->status = DCP_STATUS_INFEASIBLE;
        explain_contradiction(p, &out->because);
        return true;
    }
    if (!dcp_rule_clash_find(p, &out->because, &impossible, err)) {
        return false;
    }
    if (impossible) {
        out->status = DCP_STATUS_INFEASIBLE;
        return true;
    }
    if (!dcp_bound_compute(p, left_s(start, limit_s) / 2, &bound, err)) {
        return false;
    }
    (void)snprintf(out->binding, sizeof out->binding, "%s",
                   dcp_bound_binding_name(p, &bound));
    if (bound.infeasible) {
        out->status = DCP_STATUS_INFEASIBLE;
        if (!find_impossible(p, &out->because, &impossible, err)) {
            return false;
        }
        if (!impossible) {
            dcp_shortage_explain(p, &bound, &out->because);
        }
        return true;
    }
    struct dcp_repair_need need = { 0 };

    if (q->fewest_moves &&
        !find_need(p, &bound, options, left_s(start, limit_s) / 2, &need,
                   err)) {
        return false;
    }
    if (need.infeasible) {
        out->status = DCP_STATUS_INFEASIBLE;
        explain_need(p, &need, &out->because);
        dcp_repair_need_finish(&need);
        return true;
    }
    bool ok = search(p, &bound, q->fewest_moves ? &need : NULL, options, start,
                     limit_s, out, err);

    dcp_repair_need_finish(&need);
    if (!ok) {
        dcp_solution_finish(out);
        return false;
    }
    if (out->status == DCP_STATUS_TIMEOUT ||
        out->status == DCP_STATUS_INFEASIBLE) {
        if (!find_impossible(p, &out->because, &impossible, err)) {
            return false;
        }
        out->status = impossible ? DCP_STATUS_INFEASIBLE : out->status;
    }
    out->bound = fmin(bound.value, out->placement ? out->value : bound.value);
    out->hosts_lower_bound = bound.hosts;
    out->bound_method = bound.method;
    return true;
}

void
dcp_solution_finish(struct dcp_solution *s)
{
    dcp_placement_destroy(s->placement);
    dcp_arena_destroy(s->arena);
    s->placement = NULL;
    s->arena = NULL;
    s->kept_for_boots = NULL;
}
