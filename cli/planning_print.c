/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include "cli/ui.h"
#include "model/base/units.h"
#include "model/capacity.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of all legs; 'bound': at least. */
static int64_t
makespan_ms(const struct dcp_plan *plan, bool bound)
{
    int64_t ms = 0;

    for (uint32_t l = 0; plan && l < plan->n_legs; l++) {
        ms +=
            bound ? plan->legs[l].makespan_bound_ms : plan->legs[l].makespan_ms;
    }
    return ms;
}

/* How far it is above the least, as a share of it. */
static double
makespan_gap(int64_t ms, int64_t bound_ms)
{
    return (double)(ms - bound_ms) / fmax((double)ms, 1);
}

/* --- JSON --------------------------------------------------------------- */

static void
json_makespan(struct dcp_json *w, const struct dcp_plan *plan)
{
    int64_t ms = makespan_ms(plan, false), least = makespan_ms(plan, true);

    if (!plan) {
        dcp_json_knull(w, "makespan_ms");
        dcp_json_knull(w, "makespan_lower_bound_ms");
        dcp_json_knull(w, "makespan_gap_frac");
        return;
    }
    dcp_json_ki64(w, "makespan_ms", ms);
    dcp_json_ki64(w, "makespan_lower_bound_ms", least);
    dcp_json_kdouble(w, "makespan_gap_frac", makespan_gap(ms, least));
}

static void
json_because(struct dcp_json *w, const struct dcp_because *b)
{
    dcp_json_karray(w, "because");
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "rule", b->rule);
    dcp_json_kstring(w, "object", b->object);
    dcp_json_kdouble(w, "need", b->need);
    dcp_json_kdouble(w, "have", b->have);
    dcp_json_kstring(w, "text", b->text);
    dcp_json_end(w, '}');
    dcp_json_end(w, ']');
}

static void
json_demand(struct dcp_json *w, const struct dcp_inventory *inv,
            const struct dcp_demand *d)
{
    dcp_json_kobject(w, "demand");
    dcp_json_kstring(w, "rule", dcp_demand_rule(inv, d));
    if (d->scenarios) {
        dcp_json_kdouble(w, "overload_eps_frac", inv->policy.overload_eps_frac);
        dcp_json_ku64(w, "joint_samples", d->scenarios->n);
    }
    dcp_json_ku64(w, "vms_from_trace", d->n_by_source[DCP_DEMAND_TRACE]);
    dcp_json_ku64(w, "vms_short_history", d->n_by_source[DCP_DEMAND_SHORT]);
    dcp_json_ku64(w, "vms_from_profile", d->n_by_source[DCP_DEMAND_PROFILE]);
    dcp_json_ku64(w, "vms_from_allocation",
                  d->n_by_source[DCP_DEMAND_ALLOCATION]);
    dcp_json_ku64(w, "vms_partial", d->n_vms_partial);
    dcp_json_ku64(w, "vms_at_limit", d->n_vms_at_limit);
    dcp_json_ku64(w, "samples_at_limit", d->n_samples_at_limit);
    dcp_json_kdouble(w, "at_limit_raise_frac", d->at_limit_raise_frac);
    dcp_json_ku64(w, "vms_above_hosts", d->n_vms_above_hosts);
    dcp_json_ku64(w, "class_fallbacks", d->n_class_fallback);
    dcp_json_end(w, '}');
}

/* Each host that is on: the fullest planned slot beside what the raw samples
 * of its VMs come to together. */
static void
json_hosts(struct dcp_json *w, const struct dcp_inventory *inv,
           const struct dcp_planning_answer *a)
{
    const struct dcp_placement *end = a->plan ? a->plan->legs[0].after : NULL;

    if (!end || !a->joint.n_instants) {
        dcp_json_knull(w, "hosts");
        return;
    }
    dcp_json_karray(w, "hosts");
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity cap = dcp_host_capacity(inv, (dcp_host_id){ h });

        if (!end->on[h]) {
            continue;
        }
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "host", inv->hosts[h].name);
        dcp_json_ku64(w, "planned_peak_mhz", a->planned_peak_mhz[h]);
        dcp_json_kdouble(w, "joint_p95_mhz", round(a->joint.p95_mhz[h]));
        dcp_json_kdouble(w, "joint_peak_mhz", round(a->joint.peak_mhz[h]));
        dcp_json_ku64(w, "capacity_mhz", cap.cpu_mhz);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

/* Without a plan, or a history, there is nothing to expect. */
static void
json_expected(struct dcp_json *w, const struct dcp_plan *plan)
{
    if (!plan || isnan(plan->expected.energy_kwh_before)) {
        dcp_json_knull(w, "expected");
        return;
    }
    dcp_json_kobject(w, "expected");
    dcp_json_kdouble(w, "energy_kwh_before", plan->expected.energy_kwh_before);
    dcp_json_kdouble(w, "energy_kwh_after", plan->expected.energy_kwh_after);
    dcp_json_kdouble(w, "energy_cost_before",
                     plan->expected.energy_cost_before);
    dcp_json_kdouble(w, "energy_cost_after", plan->expected.energy_cost_after);
    dcp_json_end(w, '}');
}

static void
json_cost(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_plan_prediction *p, const struct dcp_plan *plan)
{
    dcp_json_kobject(w, "cost");
    dcp_json_kstring(w, "currency", inv->currency[0] ? inv->currency : NULL);
    dcp_json_kdouble(w, "energy_kwh_before", p->energy_kwh_before);
    dcp_json_kdouble(w, "energy_kwh_after", p->energy_kwh_after);
    dcp_json_kdouble(w, "energy_cost_before", p->energy_cost_before);
    dcp_json_kdouble(w, "energy_cost_after", p->energy_cost_after);
    dcp_json_kdouble(w, "licence_cost_before", p->licence_cost_before);
    dcp_json_kdouble(w, "licence_cost_after", p->licence_cost_after);
    json_expected(w, plan);
    dcp_json_end(w, '}');
}

/* Every level of goals; only the first has a bound, in "objective". */
static void
json_objectives(struct dcp_json *w, const struct dcp_plan_outcome *o,
                bool failed)
{
    dcp_json_karray(w, "objectives");
    for (uint32_t k = 0; k < o->n_objectives; k++) {
        const struct dcp_plan_objective *of = &o->objectives[k];

        dcp_json_begin(w, '{');
        dcp_json_kstring(w, "goal", of->goal);
        dcp_json_kdouble(w, "before", of->before);
        dcp_json_kdouble(w, "after", failed ? NAN : of->after);
        dcp_json_kstring(w, "unit", of->unit);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

/* Whether all moves fit; what was left out where they did not. */
static void
json_window(struct dcp_json *w, const struct dcp_planning_job *job,
            const struct dcp_planning_answer *a)
{
    const struct dcp_window_fit *fit = &a->outcome.window;
    bool cut = !fit->fits && a->plan;

    if (!job->has_window) {
        dcp_json_knull(w, "window");
        return;
    }
    dcp_json_kobject(w, "window");
    dcp_json_kbool(w, "fits", fit->fits);
    dcp_json_ku64(w, "hosts_kept_on", fit->hosts_kept_on);
    dcp_json_kdouble(w, "value_left", fit->fits || cut ? fit->value_left : NAN);
    dcp_json_kstring(w, "method",
                     !cut         ? NULL
                     : fit->exact ? "exact"
                                  : "heuristic");
    dcp_json_end(w, '}');
}

int
dcp_planning_json(const struct dcp_globals *g, const struct dcp_context *c,
                  const struct dcp_planning_options *options,
                  const struct dcp_planning_job *job,
                  const struct dcp_planning_answer *a, int status,
                  struct dcp_error *err)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    struct dcp_json w;
    char schema[64];
    bool failed =
        o->status == DCP_STATUS_INFEASIBLE || o->status == DCP_STATUS_TIMEOUT;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    (void)snprintf(schema, sizeof schema, "dcplan/%s/1", job->command);
    dcp_json_kstring(&w, "schema", schema);
    dcp_json_kstring(&w, "status", dcp_status_name(o->status));
    dcp_json_kstring(&w, "stopped_by", dcp_stopped_by_name(o->stopped_by));
    if (failed) {
        json_because(&w, &o->because);
        dcp_conflict_json(&w, &o->conflict);
    }
    dcp_json_ku64(&w, "hosts_total", c->model.inventory->n_hosts);
    dcp_json_ku64(&w, "hosts_on_before",
                  dcp_placement_n_on(c->model.placement));
    if (failed) {
        dcp_json_knull(&w, "hosts_on_after");
        dcp_json_ku64(&w, "hosts_lower_bound", o->hosts_lower_bound);
        dcp_json_knull(&w, "gap_frac");
    } else {
        dcp_json_ku64(&w, "hosts_on_after", o->hosts_on_after);
        dcp_json_ku64(&w, "hosts_lower_bound", o->hosts_lower_bound);
        dcp_json_kdouble(&w, "gap_frac", o->gap_frac);
    }
    dcp_json_kobject(&w, "objective");
    dcp_json_kstring(&w, "goal", o->goal);
    dcp_json_kdouble(&w, "before", o->before);
    dcp_json_kdouble(&w, "after", failed ? NAN : o->after);
    dcp_json_kdouble(&w, "lower_bound", o->lower_bound);
    dcp_json_kstring(&w, "unit", o->unit);
    dcp_json_end(&w, '}');
    json_objectives(&w, o, failed);
    if (job->job == DCP_JOB_BALANCE) {
        dcp_json_kstring(&w, "score", job->score);
    }
    dcp_planning_pareto_json(job, &w);
    dcp_json_kstring(&w, "bound_method", o->bound_method);
    dcp_json_ku64(&w, "moves", a->plan ? o->moves : 0);
    dcp_json_ku64(&w, "moved_mib", a->plan ? o->moved_mib : 0);
    dcp_json_ku64(&w, "vms_parked", a->plan ? o->vms_parked : 0);
    dcp_planning_conversions_json(&w, c->model.inventory, options, job, a);
    dcp_json_kobject(&w, "failed_boots");
    dcp_json_ku64(&w, "hosts_woken", o->hosts_woken);
    dcp_json_ku64(&w, "may_fail", o->boots_may_fail);
    dcp_json_ku64(&w, "spares", o->hosts_spare);
    dcp_json_ku64(&w, "hosts_kept_on", o->hosts_kept_on);
    dcp_json_end(&w, '}');
    json_window(&w, job, a);
    dcp_json_kdouble(&w, "plan_seconds",
                     (double)makespan_ms(a->plan, false) / 1000);
    json_makespan(&w, a->plan);
    dcp_json_ku64(&w, "violations_before", a->violations_before);
    dcp_json_ku64(&w, "violations_after", a->violations_after);
    if (!dcp_planning_soft_json(&w, c, a, err)) {
        dcp_json_finish(&w);
        return -1;
    }
    dcp_planning_left_json(&w, c->model.inventory, a);
    dcp_json_kdouble(&w, "cpu_util_mean_frac", o->cpu_util_mean_frac);
    dcp_json_kdouble(&w, "mem_alloc_mean_frac", o->mem_alloc_mean_frac);
    dcp_json_ku64(&w, "hosts_needed_allocated", a->hosts_needed_allocated);
    if (a->hosts_needed_active) {
        dcp_json_ku64(&w, "hosts_needed_active", a->hosts_needed_active);
    } else {
        dcp_json_knull(&w, "hosts_needed_active");
    }
    dcp_rightsizing_json(&w, c->model.inventory, &a->rightsizing);
    json_cost(&w, c->model.inventory, &o->predicted, a->plan);
    dcp_json_kstring(&w, "binding", o->binding);
    json_demand(&w, c->model.inventory, a->demand);
    json_hosts(&w, c->model.inventory, a);
    dcp_planning_storage_json(c, job, a, &w);
    dcp_json_kstring(&w, "plan",
                     a->plan && options->output ? options->output : NULL);
    dcp_json_kobject(&w, "run");
    dcp_json_kdouble(&w, "solve_seconds", a->solve_seconds);
    dcp_json_ku64(&w, "rounds", o->rounds);
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status, err);
}

/* --- People ------------------------------------------------------------- */

static void
print_times(const struct dcp_context *c, const struct dcp_planning_job *job,
            const struct dcp_planning_answer *a)
{
    const struct dcp_zone *zone = c->model.inventory->zone;
    struct dcp_local from = dcp_zone_local(zone, a->start_ms);
    struct dcp_local to = dcp_zone_local(zone, a->window_end_ms);
    int64_t year;
    uint32_t month, day;

    dcp_civil_from_days(from.day, &year, &month, &day);
    printf("%-15s %04d-%02u-%02u %02d:%02d", job->command, (int)year, month,
           day, (int)(from.ms_of_day / 3600000),
           (int)(from.ms_of_day / 60000 % 60));
    if (job->has_window) {
        printf(" to %02d:%02d", (int)(to.ms_of_day / 3600000),
               (int)(to.ms_of_day / 60000 % 60));
    }
    printf(" (%s), %u hosts, %u VMs\n", zone->name, c->model.inventory->n_hosts,
           c->model.inventory->n_vms);
}

static void
print_standing(const struct dcp_planning_job *job,
               const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    bool packs = job->job == DCP_JOB_CONSOLIDATE;

    switch (o->status) {
    case DCP_STATUS_OPTIMAL:
        printf("%-15s optimal, proved (%s)\n", "status", o->bound_method);
        break;
    case DCP_STATUS_FEASIBLE:
        if (job->job == DCP_JOB_BALANCE) {
            printf("%-15s feasible\n", "status");
            break;
        }
        if (job->job == DCP_JOB_REPAIR) {
            printf("%-15s feasible; a repair moves %.0f VMs at least (bound: "
                   "%s)\n",
                   "status", o->lower_bound, o->bound_method);
            break;
        }
        if (job->job == DCP_JOB_STORAGE) {
            printf("%-15s feasible; at most %.1f %% above the least (bound: "
                   "%s)\n",
                   "status", 100 * o->gap_frac, o->bound_method);
            break;
        }
        if (!packs) {
            printf("%-15s feasible; few moves are the aim, not few hosts\n",
                   "status");
            break;
        }
        printf("%-15s feasible; no plan can be better by more than %.1f %% "
               "(bound: %s)\n",
               "status", 100 * o->gap_frac, o->bound_method);
        break;
    case DCP_STATUS_INFEASIBLE:
        printf("%-15s infeasible, proved: %s, %s: %s", "status",
               o->because.rule, o->because.object, o->because.text);
        if (!isnan(o->because.have)) {
            printf(" (need %.0f, have %.0f)", o->because.need, o->because.have);
        }
        putchar('\n');
        break;
    case DCP_STATUS_TIMEOUT:
        printf("%-15s no plan was found: %s%s%s: %s\n", "status",
               o->because.rule, o->because.object[0] ? ", " : "",
               o->because.object, o->because.text);
        break;
    case DCP_STATUS_NOTHING_TO_DO:
        printf("%-15s nothing to do: %s\n", "status",
               a->settled
                   ? "the evening of this window was carried out already, "
                     "and too little would be gained"
               : packs || job->job == DCP_JOB_BALANCE
                   ? "things are as good as they get, or too little would be "
                     "gained"
               : job->job == DCP_JOB_STORAGE
                   ? "pools are as they should be, or too little would be "
                     "gained"
               : job->job == DCP_JOB_REPAIR ? "nothing is broken"
                                            : "no VM is in the way");
        break;
    }
}

static void
print_legs(const struct dcp_context *c, const struct dcp_plan *plan)
{
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        const struct dcp_leg *leg = &plan->legs[l];
        struct dcp_local at =
            dcp_zone_local(c->model.inventory->zone, leg->start_ms);
        uint32_t moves = 0, volumes = 0, on = 0, off = 0;
        char length[32], least[32];

        for (uint32_t i = 0; i < plan->n_steps; i++) {
            const struct dcp_step *s = &plan->steps[i];

            if (s->leg == l) {
                moves +=
                    s->kind == DCP_STEP_MIGRATE || s->kind == DCP_STEP_VM_START;
                volumes += s->kind == DCP_STEP_VOLUME_MOVE;
                on += s->kind == DCP_STEP_HOST_ON;
                off += s->kind == DCP_STEP_HOST_OFF;
            }
        }
        dcp_print_human(DCP_DIM_TIME, (double)leg->makespan_ms, length,
                        sizeof length);
        dcp_print_human(DCP_DIM_TIME, (double)leg->makespan_bound_ms, least,
                        sizeof least);
        printf("%-15s starts %02d:%02d, about %s (%s at least): %u moves, ",
               leg->name, (int)(at.ms_of_day / 3600000),
               (int)(at.ms_of_day / 60000 % 60), length, least, moves);
        if (volumes) {
            printf("%u of volumes, ", volumes);
        }
        printf("%u hosts on, %u off\n", on, off);
    }
}

static void
print_night(const struct dcp_plan_outcome *o)
{
    if (!o->window.fits) {
        printf("%-15s not all moves fit: %u hosts stay on for it, and %.4g %s "
               "of the saving are left (%s)\n",
               "window", o->window.hosts_kept_on, o->window.value_left, o->unit,
               o->window.exact ? "exact" : "heuristic");
    }
    if (o->vms_parked) {
        printf("%-15s %u VMs are away for the night (--no-park: none)\n",
               "parked", o->vms_parked);
    }
    if (o->boots_may_fail) {
        printf("%-15s any %u of the %u hosts that the morning wakes may never "
               "boot",
               "failed boots", o->boots_may_fail, o->hosts_woken);
        if (o->hosts_spare) {
            printf("; %u are spares for that", o->hosts_spare);
        }
        if (o->hosts_kept_on) {
            printf("; %u stay on at night for that", o->hosts_kept_on);
        }
        putchar('\n');
    }
}

static double
percent_saved(double before, double after)
{
    return before > 0 ? 100 * (before - after) / before : 0;
}

/* What to expect comes first; what the plan was made by stands below. */
static void
print_energy(const struct dcp_inventory *inv, const struct dcp_plan *plan)
{
    const struct dcp_plan_expectation *e = &plan->expected;
    const struct dcp_plan_prediction *p = &plan->predicted;
    bool known = !isnan(e->energy_kwh_before);
    double before = known ? e->energy_kwh_before : p->energy_kwh_before;
    double after = known ? e->energy_kwh_after : p->energy_kwh_after;

    printf("%-15s %.0f -> %.0f kWh until the next window: saves %.0f kWh "
           "(%.1f %%)%s\n",
           "energy", before, after, before - after,
           percent_saved(before, after), known ? " at mean usage" : "");
    if (known) {
        printf("%-15s %.0f -> %.0f kWh at planned demand: %.0f kWh (%.1f %%)\n",
               "", p->energy_kwh_before, p->energy_kwh_after,
               p->energy_kwh_before - p->energy_kwh_after,
               percent_saved(p->energy_kwh_before, p->energy_kwh_after));
    }
    if (p->energy_cost_before > 0) {
        printf("%-15s %.2f -> %.2f %s\n", "energy cost",
               known ? e->energy_cost_before : p->energy_cost_before,
               known ? e->energy_cost_after : p->energy_cost_after,
               inv->currency);
    }
}

static void
print_ledger(const struct dcp_inventory *inv, const struct dcp_plan_outcome *o,
             const struct dcp_plan *plan)
{
    const struct dcp_plan_prediction *p = &o->predicted;

    print_energy(inv, plan);
    if (p->licence_cost_before > 0 || p->licence_cost_after > 0) {
        printf("%-15s %.2f -> %.2f %s%s\n", "licences", p->licence_cost_before,
               p->licence_cost_after, inv->currency,
               p->licence_cost_after >= p->licence_cost_before
                   ? " (a VM that returns saves none)"
                   : "");
    }
    if (p->cost_after > p->cost_before && strcmp(o->goal, "cost") != 0 &&
        p->cost_before > 0) {
        printf("%-15s %.2f %s more than before: the goal is %s; --goal cost "
               "weighs money\n",
               "cost", p->cost_after - p->cost_before, inv->currency, o->goal);
    }
}

/* Beside the sum of percentiles: what the raw samples come to together. */
static void
print_joint(const struct dcp_inventory *inv,
            const struct dcp_planning_answer *a)
{
    const struct dcp_placement *end = a->plan ? a->plan->legs[0].after : NULL;
    double p95 = 0, peak = 0, planned = 0;
    uint32_t at_p95 = 0, at_peak = 0, n_over = 0;

    if (!end || !a->joint.n_instants) {
        return;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        double cap = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;

        if (!end->on[h] || cap <= 0) {
            continue;
        }
        planned = fmax(planned, (double)a->planned_peak_mhz[h] / cap);
        n_over += a->joint.peak_mhz[h] > cap;
        if (a->joint.p95_mhz[h] / cap > p95) {
            p95 = a->joint.p95_mhz[h] / cap;
            at_p95 = h;
        }
        if (a->joint.peak_mhz[h] / cap > peak) {
            peak = a->joint.peak_mhz[h] / cap;
            at_peak = h;
        }
    }
    printf("%-15s from raw samples of the same hours, the fullest host: joint "
           "p95 %.0f %% (%s),\n%-15s joint peak %.0f %% (%s) of its CPU, where "
           "the plan counts on %.0f %%; %u hosts ever above\n",
           "together", 100 * p95, inv->hosts[at_p95].name, "", 100 * peak,
           inv->hosts[at_peak].name, 100 * planned, n_over);
}

static void
print_demand(const struct dcp_inventory *inv, const struct dcp_demand *d)
{
    if (d->scenarios) {
        printf("%-15s what VMs wanted at the same moments, with margin: above "
               "a host's CPU in at most %g %% of samples",
               "demand", 100 * inv->policy.overload_eps_frac);
    } else {
        printf("%-15s %s with margin (not the percentile of the sum)", "demand",
               dcp_demand_rule(inv, d));
    }
    printf("; %u VMs from traces", d->n_by_source[DCP_DEMAND_TRACE]);
    if (d->n_by_source[DCP_DEMAND_SHORT]) {
        printf(", %u with a short history at their peak",
               d->n_by_source[DCP_DEMAND_SHORT]);
    }
    if (d->n_by_source[DCP_DEMAND_PROFILE]) {
        printf(", %u from profiles", d->n_by_source[DCP_DEMAND_PROFILE]);
    }
    if (d->n_by_source[DCP_DEMAND_ALLOCATION]) {
        printf(", %u at all they may use",
               d->n_by_source[DCP_DEMAND_ALLOCATION]);
    }
    putchar('\n');
    if (d->n_vms_at_limit) {
        printf("%-15s %u VMs had samples at their limit (lower bounds): raised "
               "by %.0f %%\n",
               "", d->n_vms_at_limit, 100 * d->at_limit_raise_frac);
    }
    if (2 * d->n_by_source[DCP_DEMAND_SHORT] > d->n_vms) {
        printf("%-15s most VMs have less history than policy.min_history asks "
               "for; lower it to learn from what there is\n",
               "");
    }
    if (d->n_vms_above_hosts) {
        printf("%-15s %u VMs want more than the target share of any host: "
               "planned at that of the largest\n",
               "", d->n_vms_above_hosts);
    }
    if (d->n_class_fallback) {
        printf("%-15s %u VM-day classes without history take the VM's worst "
               "known class\n",
               "", d->n_class_fallback);
    }
}

static void
print_memory(const struct dcp_inventory *inv,
             const struct dcp_planning_answer *a)
{
    printf("%-15s %u hosts at least by allocated memory%s", "memory",
           a->hosts_needed_allocated,
           inv->policy.memory_basis == DCP_MEMORY_ALLOCATED ? " (used)" : "");
    if (a->hosts_needed_active) {
        printf(", %u by active memory%s", a->hosts_needed_active,
               inv->policy.memory_basis == DCP_MEMORY_ACTIVE ? " (used)" : "");
    }
    putchar('\n');
}

void
dcp_planning_print(const struct dcp_globals *g, const struct dcp_context *c,
                   const struct dcp_planning_options *options,
                   const struct dcp_planning_job *job,
                   const struct dcp_planning_answer *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    const struct dcp_inventory *inv = c->model.inventory;

    if (options->output && !strcmp(options->output, "-")) {
        return; /* Standard output is the plan. */
    }
    print_times(c, job, a);
    print_standing(job, a);
    if (o->status == DCP_STATUS_INFEASIBLE || o->status == DCP_STATUS_TIMEOUT) {
        dcp_conflict_print(&o->conflict);
        dcp_rightsizing_print(inv, &a->rightsizing, g->verbose > 0);
        print_demand(inv, a->demand); /* It may be what stands in the way. */
        return;
    }
    printf("%-15s %u -> %u (at least %u%s%s%s)\n", "hosts on",
           o->hosts_on_before, o->hosts_on_after, o->hosts_lower_bound,
           o->binding[0] ? "; " : "", o->binding,
           o->binding[0] ? " binds" : "");
    if (a->violations_before || a->violations_after) {
        printf("%-15s %u -> %u\n", "violations", a->violations_before,
               a->violations_after);
    }
    printf("%-15s CPU %.0f %%, memory %.0f %% of the hosts that are on\n",
           "used", 100 * o->cpu_util_mean_frac, 100 * o->mem_alloc_mean_frac);
    if (job->job == DCP_JOB_BALANCE) {
        printf("%-15s %.4f -> %.4f (%s; at least %.4f), %u moves\n", "balance",
               o->before, o->after, job->score, o->lower_bound,
               a->plan ? o->moves : 0);
    }
    if (job->job == DCP_JOB_REPAIR && a->plan) {
        printf("%-15s %.0f VMs, at least %.0f must\n", "moves", o->after,
               o->lower_bound);
    }
    dcp_planning_storage_print(c, job, a);
    dcp_planning_soft_print(c, a);
    dcp_planning_pareto_print(job);
    dcp_planning_left_print(inv, a);
    print_demand(inv, a->demand);
    print_memory(inv, a);
    dcp_rightsizing_print(inv, &a->rightsizing, g->verbose > 0);
    print_joint(inv, a);
    if (!a->plan) {
        return;
    }
    print_legs(c, a->plan);
    print_night(o);
    print_ledger(inv, o, a->plan);
    dcp_planning_conversions_print(inv, options, job, a);
    if (options->output) {
        printf("%-15s %s\n", "plan", options->output);
        dcp_ui_say(g, "next: dcplan plan check %s; dcplan simulate %s",
                   options->output, options->output);
    } else {
        dcp_ui_say(g, "nothing was written; -o PLAN keeps the plan");
    }
}
