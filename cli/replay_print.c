/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replay_print.h"

#include "cli/shortage.h"
#include "cli/transfers.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>

/* 'share': the saving, and as a part of what was; else no saving is shown. */
static void
line(const char *what, double before, double after, int decimals, bool share)
{
    double saved = before - after;

    printf("%-34s %12.*f %12.*f", what, decimals, before, decimals, after);
    if (share) {
        printf(" %12.*f", decimals, saved);
    }
    if (share && before > 0) {
        printf("  (%.1f %%)", 100 * saved / before);
    }
    putchar('\n');
}

static double
percent(uint64_t part, uint64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

void
dcp_replay_print_gaps(const struct dcp_replay *r)
{
    const struct dcp_sim_result *s = &r->without;
    uint64_t n = (uint64_t)s->n_vms * s->n_slices;

    if (r->fill.n_vms_no_trace || s->vms_unplaced) {
        printf("%u VMs have no samples here (the model's figures are used), "
               "%u are not placed.\n",
               r->fill.n_vms_no_trace, s->vms_unplaced);
    }
    if (r->fill.n_missing && n) {
        printf("%.2f %% of samples are missing; a VM's last one before, or "
               "first one after, stands for them.\n",
               100 * (double)r->fill.n_missing / (double)n);
    }
}

static void
print_header(const struct dcp_plan *plan, const struct dcp_replay *r)
{
    const struct dcp_sim_result *s = &r->without;
    char from[32], to[32];

    dcp_print_instant(s->from_ms, from);
    dcp_print_instant(s->to_ms, to);
    printf("Replay of %s to %s (%.1f h): %u VMs on %u hosts, %u samples each",
           from, to, (double)(s->to_ms - s->from_ms) / 3.6e6, s->n_vms,
           s->n_hosts, s->n_slices);
    printf("%s\n", r->stopped   ? "; interrupted here"
                   : r->partial ? "; the store covers only this part"
                                : "");
    if (plan && r->in_sample) {
        puts("IN-SAMPLE: the plan was made with knowledge of this time; "
             "another night will be worse.");
    }
    if (plan && r->shift_days) {
        printf("The plan's clock times are moved by %+lld days.\n",
               (long long)r->shift_days);
    }
    dcp_replay_print_gaps(r);
}

static void
print_one(const struct dcp_inventory *inv, const struct dcp_sim_result *s)
{
    printf("hosts on, mean                 %10.1f\n", s->hosts_on_mean);
    printf("energy at the meter            %10.1f kWh (%.1f at the machines)\n",
           s->meter_kwh, s->it_kwh);
    printf("PUE, mean                      %10.3f\n", s->pue_mean);
    if (s->energy_cost > 0) {
        printf("energy cost                    %10.2f %s\n", s->energy_cost,
               inv->currency);
    }
    printf("CPU in use, of hosts on        %10.1f %%\n",
           100 * s->cpu_util_mean_frac);
    printf("memory allocated, of hosts on  %10.1f %%\n",
           100 * s->mem_alloc_mean_frac);
    printf("overload                       %10.1f host-minutes\n",
           s->overload_host_s / 60);
    printf("CPU asked for and not given    %10.3f %%\n",
           s->requested_mhz_s > 0
               ? 100 * s->unmet_cpu_mhz_s / s->requested_mhz_s
               : 0);
    dcp_shortage_print(s, NULL);
}

static double
unmet_percent(const struct dcp_sim_result *s)
{
    return s->requested_mhz_s > 0
               ? 100 * s->unmet_cpu_mhz_s / s->requested_mhz_s
               : 0;
}

static void
print_two(const struct dcp_inventory *inv, const struct dcp_plan *plan,
          const struct dcp_replay *r)
{
    const struct dcp_sim_result *a = &r->without, *b = &r->with;
    char cost[48];

    printf("\n%-34s %12s %12s %12s\n", "", "without plan", "with plan",
           "saved");
    line("hosts on, mean", a->hosts_on_mean, b->hosts_on_mean, 1, true);
    line("energy at the meter, kWh", a->meter_kwh, b->meter_kwh, 1, true);
    line("PUE, mean", a->pue_mean, b->pue_mean, 3, false);
    if (a->energy_cost > 0) {
        (void)snprintf(cost, sizeof cost, "energy cost, %.8s", inv->currency);
        line(cost, a->energy_cost, b->energy_cost, 2, true);
    }
    if (a->carbon_kg > 0) {
        line("carbon, kg", a->carbon_kg, b->carbon_kg, 1, true);
    }
    line("CPU in use, % of hosts on", 100 * a->cpu_util_mean_frac,
         100 * b->cpu_util_mean_frac, 1, false);
    line("memory allocated, % of hosts on", 100 * a->mem_alloc_mean_frac,
         100 * b->mem_alloc_mean_frac, 1, false);
    line("overload, host-minutes", a->overload_host_s / 60,
         b->overload_host_s / 60, 1, false);
    line("overloaded host samples, %",
         percent(a->host_slots_overloaded, a->host_slots),
         percent(b->host_slots_overloaded, b->host_slots), 3, false);
    line("host samples above target, %",
         percent(a->host_slots_above_target, a->host_slots),
         percent(b->host_slots_above_target, b->host_slots), 3, false);
    line("CPU asked for and not given, %", unmet_percent(a), unmet_percent(b),
         3, false);
    dcp_shortage_print(a, b);
    printf("\nThe plan foresaw %.1f kWh saved%s.  %u migrations"
           ", %.0f s each on average; %u hosts switched off, %u on.\n",
           dcp_plan_saves_kwh(plan),
           isnan(plan->expected.energy_kwh_before) ? " at planned demand" : "",
           b->migrations, b->migrations ? b->migration_mean_s : 0,
           b->host_shutdowns, b->host_boots);
    for (uint32_t i = 0; i < r->n_legs; i++) {
        const struct dcp_run_report *leg = &dcp_replay_leg_runs(r)->legs[i];

        printf("leg %-10s %u of %u steps in %.0f min (planned %.0f)%s%s\n",
               plan->legs[i].name, leg->n_done + leg->n_already, leg->n_steps,
               (double)(leg->ended_ms - leg->started_ms) / 60000,
               (double)plan->legs[i].makespan_ms / 60000,
               leg->first_failed ? "; first failure: " : "",
               leg->first_failed ? leg->first_failure : "");
        dcp_transfers_print(&dcp_replay_leg_runs(r)->transfers[i]);
    }
}

/* What a policy would have made of the same time. */
static void
print_band(const struct dcp_policy_run *band)
{
    const struct dcp_sim_result *s = &band->result;

    if (!band->name) { /* The replay was ended before it. */
        return;
    }
    printf(
        "A reactive band of 45 to 81 %% CPU instead (%s, docs/sim-policies.md)"
        ": %.1f kWh, %.1f hosts on, %u migrations, %u switches, "
        "overload %.1f host-minutes.\n",
        band->name, s->meter_kwh, s->hosts_on_mean, s->migrations,
        s->host_shutdowns + s->host_boots, s->overload_host_s / 60);
}

void
dcp_replay_print(const struct dcp_inventory *inv, const struct dcp_plan *plan,
                 const struct dcp_replay *r, const struct dcp_policy_run *band)
{
    print_header(plan, r);
    if (plan) {
        print_two(inv, plan, r);
    } else {
        print_one(inv, &r->without);
    }
    print_band(band);
    dcp_storage_use_print(&r->storage, plan != NULL);
    if (r->has_failures) {
        dcp_failures_print(&r->failures,
                           plan ? &r->failed_with : &r->failed_without,
                           plan ? &r->failed_without : NULL);
    }
}
