/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/plan_open.h"
#include "cli/ui.h"
#include "model/io/plan_text.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct totals {
    uint32_t n_moves, n_volumes, n_on, n_off, n_vlans, n_resizes, n_others;
    double moved_mib;
};

static void
count(const struct dcp_inventory *inv, const struct dcp_step *s,
      struct totals *t)
{
    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        t->n_moves++;
        t->moved_mib += (double)inv->vms[s->object.ix].mem_mib;
        break;
    case DCP_STEP_VM_RESIZE:
        t->n_resizes++;
        break;
    case DCP_STEP_VOLUME_MOVE:
        t->n_volumes++;
        t->moved_mib += (double)inv->volumes[s->object.ix].size_mib;
        break;
    case DCP_STEP_HOST_ON:
        t->n_on++;
        break;
    case DCP_STEP_HOST_OFF:
        t->n_off++;
        break;
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        t->n_vlans++;
        break;
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
        t->n_others++;
        break;
    case DCP_STEP_SYNC:
        break;
    }
}

static struct totals
totals_of(const struct dcp_inventory *inv, const struct dcp_plan *plan,
          uint32_t leg)
{
    struct totals t = { 0 };

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (plan->steps[i].leg == leg) {
            count(inv, &plan->steps[i], &t);
        }
    }
    return t;
}

static const char *
color_of(const struct dcp_globals *g, char c)
{
    return !g->color_out ? ""
           : c == '+'    ? "\033[32m"
           : c == '-'    ? "\033[31m"
           : c == '~'    ? "\033[33m"
                         : "";
}

static void
print_step(const struct dcp_globals *g, const struct dcp_inventory *inv,
           const struct dcp_step *s)
{
    char c = dcp_step_symbol(s->kind), time[32], when[300];

    dcp_print_human(DCP_DIM_TIME, (double)s->estimate_ms, time, sizeof time);
    printf("  %s%c%s %4u %-12s %s:%s", color_of(g, c), c,
           g->color_out ? "\033[0m" : "", s->id, dcp_step_kind_name(s->kind),
           dcp_object_kind_name(s->object.kind),
           dcp_object_name(inv, s->object));
    if (s->from.kind != DCP_OBJECT_NONE) {
        printf(" %s", dcp_object_name(inv, s->from));
    }
    if (s->kind == DCP_STEP_VM_RESIZE) {
        char from[64], to[64];

        printf(": %s -> %s%s",
               dcp_vm_size_print(s->size_from, from, sizeof from),
               dcp_vm_size_print(s->size_to, to, sizeof to),
               s->cold ? ", with a restart" : "");
    } else if (s->to.kind != DCP_OBJECT_NONE) {
        printf(" -> %s", dcp_object_name(inv, s->to));
    }
    if (s->kind == DCP_STEP_MIGRATE && s->cold) {
        printf(", cold");
    }
    printf("  (%s", time);
    for (uint32_t i = 0; i < s->n_after && i < 8; i++) {
        printf("%s%u", i ? ", " : "; after ", s->after[i]);
    }
    printf("%s)\n", s->n_after > 8 ? ", ..." : "");
    if (s->reason_text[0]) {
        printf("           %s\n", s->reason_text);
    }
    if (dcp_step_print_when(s, when, sizeof when)[0]) {
        printf("           %s\n", when);
    }
}

/* The wave of a step: one more than the latest it waits for in its leg. Ids
 * out of order, which the checker refuses, do no harm. */
static uint32_t
find_waves(const struct dcp_plan *plan, uint32_t leg, uint32_t wave[])
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        wave[i] = 0;
        if (s->leg != leg) {
            continue;
        }
        wave[i] = 1;
        for (uint32_t k = 0; k < s->n_after; k++) {
            uint32_t id = s->after[k];

            if (id >= 1 && id <= i && wave[id - 1] >= wave[i]) {
                wave[i] = wave[id - 1] + 1;
            }
        }
        most = wave[i] > most ? wave[i] : most;
    }
    return most;
}

/* Steps by wave, ids ascending within: a counting sort. */
static bool
print_waves(const struct dcp_globals *g, const struct dcp_inventory *inv,
            const struct dcp_plan *plan, uint32_t leg, struct dcp_error *err)
{
    DCP_FREE uint32_t *wave = calloc(plan->n_steps + 1u, sizeof *wave);
    DCP_FREE uint32_t *order = calloc(plan->n_steps + 1u, sizeof *order);
    uint32_t n_waves = wave ? find_waves(plan, leg, wave) : 0;
    DCP_FREE uint32_t *first = calloc(n_waves + 3u, sizeof *first);

    if (!wave || !order || !first) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to print the plan");
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        first[wave[i] + 1]++;
    }
    for (uint32_t v = 0; v <= n_waves; v++) {
        first[v + 1] += first[v];
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        order[first[wave[i]]++] = i;
    }
    uint32_t last = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[order[i]];

        if (wave[order[i]] && wave[order[i]] != last) {
            last = wave[order[i]];
            printf(" wave %u\n", last);
        }
        if (wave[order[i]]) {
            print_step(g, inv, s);
        }
    }
    return true;
}

static void
print_leg(const struct dcp_inventory *inv, const struct dcp_plan *plan,
          uint32_t i)
{
    const struct dcp_leg *leg = &plan->legs[i];
    struct totals t = totals_of(inv, plan, i);
    char start[32], deadline[32], time[32], least[32], moved[32];
    char resizes[32] = "";

    dcp_print_instant(leg->start_ms, start);
    dcp_print_instant(leg->deadline_ms, deadline);
    dcp_print_human(DCP_DIM_TIME, (double)leg->makespan_ms, time, sizeof time);
    dcp_print_human(DCP_DIM_SIZE, t.moved_mib, moved, sizeof moved);
    dcp_print_human(DCP_DIM_TIME, (double)leg->makespan_bound_ms, least,
                    sizeof least);
    if (t.n_resizes) {
        (void)snprintf(resizes, sizeof resizes, ", %u resizes", t.n_resizes);
    }
    printf("\nleg %s: %s to %s at the latest, estimated %s (%s at least)\n",
           leg->name, start, deadline, time, least);
    printf(" %u moves (%s), ", t.n_moves + t.n_volumes, moved);
    if (t.n_volumes) {
        printf("%u of them of volumes, ", t.n_volumes);
    }
    printf("%u hosts on, %u off, %u VLAN changes%s%s; %u hosts on "
           "afterwards\n",
           t.n_on, t.n_off, t.n_vlans, resizes,
           t.n_others ? ", other steps" : "", dcp_placement_n_on(leg->after));
}

/* Hosts that stay on. */
static void
print_left_out(const struct dcp_inventory *inv, const struct dcp_plan *plan)
{
    if (plan->n_left_out) {
        printf("\nleft out, so that these hosts stay on:\n");
    }
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        printf(" %-15s %u VMs, would save %.4g %s: %s\n",
               inv->hosts[l->host.ix].name, l->n_vms, l->saving,
               plan->left_out_unit, dcp_left_out_text(l->why));
    }
}

static void
print_head(const struct dcp_plan *plan)
{
    const struct dcp_plan_prediction *d = &plan->predicted;
    char created[32], from[32], until[32];

    dcp_print_instant(plan->created_ms, created);
    printf("plan %s\n made %s by dcplan %s (seed %llu) for model %s, serial "
           "%llu\n",
           plan->uuid, created, plan->tool_version,
           (unsigned long long)plan->seed, plan->lineage,
           (unsigned long long)plan->serial);
    if (plan->traces_digest[0]) {
        dcp_print_instant(plan->traces_from_ms, from);
        dcp_print_instant(plan->traces_until_ms, until);
        printf(" fitted on usage from %s until %s; %u VMs without a trace\n",
               from, until, plan->vms_without_trace);
    } else {
        printf(" without usage data: planned from profiles and allocations\n");
    }
    printf(" %s for goal %s: hosts on %u -> %u (at least %u), gap %.2f %%\n",
           plan->status, plan->goal, plan->hosts_on_before,
           plan->hosts_on_after, plan->hosts_lower_bound, 100 * plan->gap_frac);
    if (!isnan(plan->expected.energy_kwh_before)) {
        printf(" energy %.1f -> %.1f kWh at mean usage\n",
               plan->expected.energy_kwh_before,
               plan->expected.energy_kwh_after);
    }
    printf(" energy %.1f -> %.1f kWh, cost %.2f -> %.2f %s at planned demand\n",
           d->energy_kwh_before, d->energy_kwh_after, d->cost_before,
           d->cost_after, plan->currency);
}

static int
print_json(const struct dcp_globals *g, const struct dcp_inventory *inv,
           const struct dcp_plan *plan, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/plan-show/1");
    dcp_json_kstring(&w, "plan", plan->uuid);
    dcp_json_kstring(&w, "digest", plan->digest);
    dcp_json_kstring(&w, "status", plan->status);
    dcp_json_kstring(&w, "goal", plan->goal);
    dcp_json_ku64(&w, "hosts_on_before", plan->hosts_on_before);
    dcp_json_ku64(&w, "hosts_on_after", plan->hosts_on_after);
    dcp_json_ku64(&w, "hosts_lower_bound", plan->hosts_lower_bound);
    dcp_json_kdouble(&w, "gap_frac", plan->gap_frac);
    dcp_json_karray(&w, "legs");
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        struct totals t = totals_of(inv, plan, i);

        dcp_json_begin_line(&w, '{');
        dcp_json_kstring(&w, "leg", plan->legs[i].name);
        dcp_json_kinstant(&w, "start", plan->legs[i].start_ms);
        dcp_json_kinstant(&w, "deadline", plan->legs[i].deadline_ms);
        dcp_json_ki64(&w, "makespan_ms", plan->legs[i].makespan_ms);
        dcp_json_ki64(&w, "makespan_lower_bound_ms",
                      plan->legs[i].makespan_bound_ms);
        dcp_json_ku64(&w, "moves", t.n_moves);
        dcp_json_ku64(&w, "volume_moves", t.n_volumes);
        dcp_json_kdouble(&w, "moved_mib", t.moved_mib);
        dcp_json_ku64(&w, "hosts_switched_on", t.n_on);
        dcp_json_ku64(&w, "hosts_switched_off", t.n_off);
        dcp_json_ku64(&w, "vlan_changes", t.n_vlans);
        dcp_json_ku64(&w, "resizes", t.n_resizes);
        dcp_json_ku64(&w, "hosts_on_after",
                      dcp_placement_n_on(plan->legs[i].after));
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_json_ku64(&w, "steps", plan->n_steps);
    dcp_plan_write_left_out(&w, inv, plan);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct dcp_plan_open open;
    int status = 0;

    (void)options;
    (void)n_args;
    if (!dcp_plan_open(g, NULL, args[0], &open, err)) {
        return -1;
    }
    const struct dcp_inventory *inv = open.context.model.inventory;

    if (g->json) {
        status = print_json(g, inv, open.plan, err);
    } else {
        print_head(open.plan);
        for (uint32_t i = 0; status == 0 && i < open.plan->n_legs; i++) {
            print_leg(inv, open.plan, i);
            if (!g->quiet && !print_waves(g, inv, open.plan, i, err)) {
                status = -1;
            }
        }
        print_left_out(inv, open.plan);
    }
    dcp_plan_open_close(&open);
    return status;
}

const struct dcp_command dcp_cmd_plan_show = {
    .name = "plan show",
    .summary = "print a plan for people: legs, waves, steps and reasons",
    .synopsis = "PLAN",
    .details =
        "Steps of one wave wait for none of each other; '+' is something that "
        "comes, '-'\nthat goes, '~' that changes place.  With --quiet only the "
        "summary.\n\nExamples:\n  dcplan plan show plan.json\n  dcplan -q plan "
        "show plan.json\n",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
