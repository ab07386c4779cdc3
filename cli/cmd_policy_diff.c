/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each night of the record is planned under the old policy, and then under the
 * new one from where the old one has put things: two searches from one start
 * would differ in what neither cares about.  A decision is where a VM is in the
 * night, or whether a host is on. */

#include "cli/commands.h"
#include "cli/replan.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NIGHTS_MAX  366u
#define LISTED_TEXT 10u
#define SLOTS_MAX   64u

struct diff_options {
    const char *window;
    uint64_t nights;
    const char *traces;
    const char *goals;
};

struct side { /* One policy. */
    struct dcp_globals globals;
    struct dcp_context context;
    bool open;
};

struct night {
    int64_t start_ms, end_ms;
    const char *status[2];
    uint32_t hosts_on[2];
    double kwh[2];           /* Planned, of the placement of the night. */
    uint32_t n_vms, n_hosts; /* Decisions that differ. */
};

struct diff {
    const struct dcp_globals *g;
    struct side side[2]; /* The old policy and the new one. */
    struct dcp_window window;
    struct night *nights;
    uint32_t n;
    uint32_t *vm_nights;   /* In how many nights it is elsewhere, by VM. */
    uint32_t *host_nights; /* Likewise on or off. */
};

static bool
find_nights(struct diff *d, uint32_t most, struct dcp_error *err)
{
    const struct dcp_context *c = &d->side[0].context;
    const struct dcp_zone *zone = c->model.inventory->zone;
    int64_t at_ms, end_ms;

    if (c->store) {
        int64_t first_ms = dcp_store_start_ms(c->store);

        end_ms = first_ms +
                 dcp_store_n_times(c->store) * dcp_store_interval_ms(c->store);
        at_ms = end_ms - ((int64_t)most + 1) * DCP_DAY_MS;
        at_ms = at_ms > first_ms ? at_ms : first_ms + 1;
    } else {
        at_ms = d->g->now_ms;
        end_ms = at_ms + ((int64_t)most + 1) * DCP_DAY_MS;
    }
    for (d->n = 0; d->n < most;) {
        struct night *night = &d->nights[d->n];

        dcp_window_next(&d->window, zone, at_ms, &night->start_ms,
                        &night->end_ms);
        if (night->end_ms > end_ms) {
            break;
        }
        at_ms = night->start_ms + 1;
        d->n++;
    }
    return d->n || dcp_fail(err, DCP_E_USAGE,
                            "the record has no such night: give another "
                            "--window");
}

/* Where things are in the night: by the plan from 'start', or as they were. */
static bool
plan_night(struct diff *d, struct night *n, uint32_t side, const char *goals,
           const struct dcp_placement *start, struct dcp_placement **out,
           struct dcp_error *err)
{
    struct side *s = &d->side[side];
    const struct dcp_inventory *inv = s->context.model.inventory;
    struct dcp_replan_options o;
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;
    struct dcp_slot slots[SLOTS_MAX];

    dcp_replan_options_default(&o);
    o.window = d->window;
    o.has_window = true;
    o.after_ms = n->start_ms - 1;
    o.history_until_ms = s->context.store ? n->start_ms : INT64_MAX;
    o.time_limit_s = d->g->time_limit_s;
    o.goals = goals;
    if (!dcp_replan(&s->globals, &s->context, start, &o, &plan,
                    &n->status[side], err)) {
        return false;
    }
    const struct dcp_placement *night = plan ? plan->legs[0].after : start;
    uint32_t n_slots =
        dcp_slots_between(inv->policy.buckets, &inv->calendar, inv->zone,
                          n->start_ms, n->end_ms, slots, SLOTS_MAX);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *demand = dcp_context_demand(
        &s->context, slots, n_slots < SLOTS_MAX ? n_slots : SLOTS_MAX,
        INT64_MIN, o.history_until_ms, err);

    if (!demand) {
        return false;
    }
    n->kwh[side] =
        dcp_energy_planned(inv, demand, night, 0, demand->n_slots).meter_kwh;
    n->hosts_on[side] = dcp_placement_n_on(night);
    *out = dcp_placement_copy(night, err);
    return *out != NULL;
}

static bool
compare_night(struct diff *d, struct night *n, const char *goals,
              struct dcp_error *err)
{
    const struct dcp_placement *now = d->side[0].context.model.placement;
    DCP_AUTO(dcp_placement) struct dcp_placement *a = NULL;
    DCP_AUTO(dcp_placement) struct dcp_placement *b = NULL;
    DCP_AUTO(dcp_placement) struct dcp_placement *start = NULL;

    if (!plan_night(d, n, 0, goals, now, &a, err)) {
        return false;
    }
    /* VMs as the old policy has them, hosts as they are now: which ones are
     * switched off is for the new policy to say. */
    start = dcp_placement_copy(a, err);
    if (!start) {
        return false;
    }
    memcpy(start->on, now->on, now->n_hosts);
    if (!plan_night(d, n, 1, goals, start, &b, err)) {
        return false;
    }
    for (uint32_t v = 0; v < a->n_vms; v++) {
        bool differs = a->host[v].ix != b->host[v].ix;

        n->n_vms += differs;
        d->vm_nights[v] += differs;
    }
    for (uint32_t h = 0; h < a->n_hosts; h++) {
        bool differs = a->on[h] != b->on[h];

        n->n_hosts += differs;
        d->host_nights[h] += differs;
    }
    return true;
}

/* --- Output ------------------------------------------------------------- */

static void
json_counts(struct dcp_json *w, const char *key, const uint32_t counts[],
            uint32_t n, const char *const *first_name, size_t stride)
{
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < n; i++) {
        if (counts[i]) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(
                w, "name",
                *(const char *const *)((const char *)first_name + i * stride));
            dcp_json_ku64(w, "nights", counts[i]);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
}

static int
print_json(const struct diff *d, uint32_t n_changed, struct dcp_error *err)
{
    const struct dcp_inventory *inv = d->side[0].context.model.inventory;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/policy-diff/1");
    dcp_json_ku64(&w, "nights_total", d->n);
    dcp_json_ku64(&w, "nights_changed", n_changed);
    dcp_json_karray(&w, "nights");
    for (uint32_t i = 0; i < d->n; i++) {
        const struct night *n = &d->nights[i];

        dcp_json_begin_line(&w, '{');
        dcp_json_kinstant(&w, "start", n->start_ms);
        dcp_json_kstring(&w, "status_old", n->status[0]);
        dcp_json_kstring(&w, "status_new", n->status[1]);
        dcp_json_ku64(&w, "hosts_on_old", n->hosts_on[0]);
        dcp_json_ku64(&w, "hosts_on_new", n->hosts_on[1]);
        dcp_json_kdouble(&w, "kwh_old", n->kwh[0]);
        dcp_json_kdouble(&w, "kwh_new", n->kwh[1]);
        dcp_json_ku64(&w, "vms_elsewhere", n->n_vms);
        dcp_json_ku64(&w, "hosts_switched", n->n_hosts);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    json_counts(&w, "vms", d->vm_nights, inv->n_vms,
                inv->n_vms ? &inv->vms[0].name : NULL, sizeof *inv->vms);
    json_counts(&w, "hosts", d->host_nights, inv->n_hosts,
                inv->n_hosts ? &inv->hosts[0].name : NULL, sizeof *inv->hosts);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(d->g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

/* The entries that differ most often, most first. */
static void
print_most(const char *title, const uint32_t counts[], uint32_t n,
           const char *const *first_name, size_t stride)
{
    uint32_t n_any = 0, shown = 0;
    uint32_t most = 0;

    for (uint32_t i = 0; i < n; i++) {
        n_any += counts[i] > 0;
        most = counts[i] > most ? counts[i] : most;
    }
    if (!n_any) {
        return;
    }
    printf("\n%u %s, most often:\n", n_any, title);
    for (; most && shown < LISTED_TEXT; most--) {
        for (uint32_t i = 0; i < n && shown < LISTED_TEXT; i++) {
            if (counts[i] == most) {
                printf("  %-24s %u night%s\n",
                       *(const char *const *)((const char *)first_name +
                                              i * stride),
                       most, most == 1 ? "" : "s");
                shown++;
            }
        }
    }
}

static void
print_text(const struct diff *d, uint32_t n_changed)
{
    const struct dcp_inventory *inv = d->side[0].context.model.inventory;
    double kwh[2] = { 0, 0 };

    printf("%-18s %17s %19s %14s %15s\n", "night from", "hosts old -> new",
           "kWh old -> new", "VMs elsewhere", "hosts switched");
    for (uint32_t i = 0; i < d->n; i++) {
        const struct night *n = &d->nights[i];
        char start[32];

        dcp_print_instant(n->start_ms, start);
        printf("%-18.16s %8u -> %5u %8.1f -> %7.1f %14u %15u%s%s\n", start,
               n->hosts_on[0], n->hosts_on[1], n->kwh[0], n->kwh[1], n->n_vms,
               n->n_hosts, strcmp(n->status[0], n->status[1]) ? "  now " : "",
               strcmp(n->status[0], n->status[1]) ? n->status[1] : "");
        kwh[0] += n->kwh[0];
        kwh[1] += n->kwh[1];
    }
    printf("\n%u of %u nights would be planned otherwise; planned energy "
           "%.1f -> %.1f kWh\n",
           n_changed, d->n, kwh[0], kwh[1]);
    print_most("VMs would be elsewhere", d->vm_nights, inv->n_vms,
               inv->n_vms ? &inv->vms[0].name : NULL, sizeof *inv->vms);
    print_most("hosts would be on or off", d->host_nights, inv->n_hosts,
               inv->n_hosts ? &inv->hosts[0].name : NULL, sizeof *inv->hosts);
}

/* --- The command -------------------------------------------------------- */

static int
compare_all(struct diff *d, const struct diff_options *o, struct dcp_error *err)
{
    uint32_t n_changed = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        if (!compare_night(d, &d->nights[i], o->goals, err)) {
            dcp_ui_progress_end(d->g);
            return -1;
        }
        n_changed += d->nights[i].n_vms || d->nights[i].n_hosts;
        dcp_ui_progress(d->g, "nights", (double)(i + 1) / d->n);
    }
    dcp_ui_progress_end(d->g);
    if (d->g->json) {
        return print_json(d, n_changed, err);
    }
    print_text(d, n_changed);
    return 0;
}

static bool
open_sides(struct diff *d, const struct diff_options *o, uint32_t n_args,
           char *const args[], struct dcp_error *err)
{
    const char *files[2] = { n_args > 1 ? args[0] : d->g->policy_file,
                             args[n_args - 1] };

    for (uint32_t i = 0; i < 2; i++) {
        d->side[i].globals = *d->g;
        d->side[i].globals.policy_file = files[i];
        d->side[i].open = dcp_context_open(&d->side[i].globals, o->traces,
                                           &d->side[i].context, err);
        if (!d->side[i].open) {
            return false;
        }
    }
    return true;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct diff_options *o = options;
    struct diff d = { .g = g };
    uint32_t most =
        o->nights && o->nights < NIGHTS_MAX ? (uint32_t)o->nights : NIGHTS_MAX;
    int status = -1;

    if (!dcp_window_parse(o->window, &d.window)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--window '%s': not of the form 22:00-06:00", o->window);
        return -1;
    }
    bool ok = open_sides(&d, o, n_args, args, err);
    const struct dcp_inventory *inv =
        ok ? d.side[0].context.model.inventory : NULL;

    if (ok) {
        d.nights = calloc(most + 1u, sizeof *d.nights);
        d.vm_nights = calloc(inv->n_vms + 1u, sizeof *d.vm_nights);
        d.host_nights = calloc(inv->n_hosts + 1u, sizeof *d.host_nights);
        ok = (d.nights && d.vm_nights && d.host_nights) ||
             dcp_fail(err, DCP_E_NOMEM, "no memory for %u nights", most);
    }
    if (ok && find_nights(&d, most, err)) {
        status = compare_all(&d, o, err);
    }
    free(d.nights);
    free(d.vm_nights);
    free(d.host_nights);
    for (uint32_t i = 0; i < 2; i++) {
        if (d.side[i].open) {
            dcp_context_close(&d.side[i].context);
        }
    }
    return status;
}

#define D(MEMBER) offsetof(struct diff_options, MEMBER)
static const struct dcp_opt rows[] = {
    { "window", 0, DCP_OPT_TEXT, D(window), "FROM-TO", NULL, "22:00-06:00",
      "the night, in the model's zone" },
    { "nights", 0, DCP_OPT_UINT, D(nights), "N", NULL, "30",
      "the last N nights of the record" },
    { "goal", 0, DCP_OPT_TEXT, D(goals), "GOALS", NULL, NULL,
      "goals of both, instead of each policy's" },
    { "traces", 0, DCP_OPT_FILE, D(traces), "STORE", NULL, NULL,
      "usage store, instead of usage.h5 of the model" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

const struct dcp_command dcp_cmd_policy_diff = {
    .name = "policy diff",
    .summary =
        "which decisions of a recorded month another policy would change",
    .synopsis = "[OLD] NEW [--window FROM-TO] [--nights N]",
    .details =
        "Plans each night of the record from what came before it and from the "
        "present\nplacement under the model's policy (or the policy file OLD); "
        "then asks the policy file\nNEW, which finds things as OLD has put "
        "them: what it leaves alone is no difference.\nWithout a usage store "
        "the coming nights are planned, by profiles.\n\n"
        "Examples:\n"
        "  dcplan policy diff night.yaml\n"
        "  dcplan policy diff old.yaml new.yaml --nights 7 --json\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct diff_options),
    .min_args = 1,
    .max_args = 2,
    .run = run,
};
