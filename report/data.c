/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The data object of the page: facts only, in the units of their names; the
 * page's script draws and words them.  Members are documented where
 * report/assets/js/ reads them. */

#include "report/work.h"

#include "model/power.h"

#include <math.h>
#include <string.h>

double
dcp_report_round(double value, int decimals)
{
    double scale = pow(10, decimals);

    return round(value * scale) / scale;
}

void
dcp_report_write_zone(struct dcp_json *w, const struct dcp_zone *zone,
                      int64_t from_ms, int64_t to_ms)
{
    dcp_json_kobject(w, "zone");
    dcp_json_kstring(w, "name", zone->name);
    dcp_json_karray(w, "offsets");
    for (uint32_t i = 0; i < zone->n; i++) {
        if (zone->from_s[i] >= to_ms / 1000 ||
            (i + 1 < zone->n && zone->from_s[i + 1] <= from_ms / 1000)) {
            continue;
        }
        dcp_json_begin(w, '[');
        if (zone->from_s[i] <= from_ms / 1000) {
            dcp_json_i64(w, 0);
        } else {
            dcp_json_i64(w, zone->from_s[i] * 1000);
        }
        dcp_json_i64(w, zone->offset_s[i]);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
write_meta(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_plan *plan = r->in->plan;
    const struct dcp_inventory *inv = r->in->inventory;

    dcp_json_kobject(w, "meta");
    dcp_json_kstring(w, "version", r->in->tool_version);
    dcp_json_kstring(w, "plan", plan->uuid);
    dcp_json_kstring(w, "digest", plan->digest);
    dcp_json_kstring(w, "lineage", plan->lineage);
    dcp_json_ku64(w, "serial", plan->serial);
    dcp_json_kstring(w, "model_digest", plan->model_digest);
    dcp_json_kbool(w, "model_changed",
                   strcmp(plan->model_digest, inv->digest) != 0);
    dcp_json_kstring(w, "policy_digest", plan->policy_digest);
    dcp_json_kstring(w, "traces_digest",
                     plan->traces_digest[0] ? plan->traces_digest : NULL);
    dcp_json_ki64(w, "traces_from", plan->traces_from_ms);
    dcp_json_ki64(w, "traces_until", plan->traces_until_ms);
    dcp_json_kstring(w, "planner_version", plan->tool_version);
    dcp_json_ki64(w, "created", plan->created_ms);
    dcp_json_kdouble(w, "solve_seconds",
                     dcp_report_round(plan->solve_seconds, 2));
    dcp_json_ku64(w, "seed", plan->seed);
    dcp_json_key(w, "options");
    dcp_json_raw(w, plan->options_json);
    dcp_json_ki64(w, "not_before", plan->not_before_ms);
    dcp_json_ki64(w, "not_after", plan->not_after_ms);
    dcp_json_kstring(w, "currency", inv->currency);
    dcp_json_kbool(w, "priced", dcp_inventory_has_prices(inv));
    int64_t from = r->history.present && r->history.start_ms < r->tl.start_ms
                       ? r->history.start_ms
                       : r->tl.start_ms;
    int64_t made = plan->created_ms; /* Long before, or another night's. */

    dcp_report_write_zone(w, inv->zone, made < from ? made : from,
                          made < r->tl.end_ms ? r->tl.end_ms : made + 1000);
    dcp_json_end(w, '}');
}

static void
write_result(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_plan *plan = r->in->plan;

    dcp_json_kobject(w, "result");
    dcp_json_kstring(w, "status", plan->status);
    dcp_json_kstring(w, "goal", plan->goal);
    dcp_json_kstring(w, "bound_method", plan->bound_method);
    dcp_json_ku64(w, "hosts_total", r->in->inventory->n_hosts);
    dcp_json_ku64(w, "vms", r->in->inventory->n_vms);
    dcp_json_ku64(w, "vms_moved", r->n_vms_moved);
    dcp_json_ku64(w, "hosts_off", r->n_hosts_off);
    dcp_json_ku64(w, "hosts_on_before", plan->hosts_on_before);
    dcp_json_ku64(w, "hosts_on_after", plan->hosts_on_after);
    dcp_json_ku64(w, "hosts_lower_bound", plan->hosts_lower_bound);
    dcp_json_kdouble(w, "gap_frac", plan->gap_frac);
    dcp_json_end(w, '}');
    dcp_json_kobject(w, "predicted");
    dcp_json_kdouble(w, "energy_kwh_before", plan->predicted.energy_kwh_before);
    dcp_json_kdouble(w, "energy_kwh_after", plan->predicted.energy_kwh_after);
    dcp_json_kdouble(w, "energy_cost_before",
                     plan->predicted.energy_cost_before);
    dcp_json_kdouble(w, "energy_cost_after", plan->predicted.energy_cost_after);
    dcp_json_kdouble(w, "licence_cost_before",
                     plan->predicted.licence_cost_before);
    dcp_json_kdouble(w, "licence_cost_after",
                     plan->predicted.licence_cost_after);
    dcp_json_ki64(w, "horizon_ms", r->in->inventory->policy.horizon_ms);
    dcp_json_end(w, '}');
    dcp_json_kobject(w, "savings");
    dcp_json_kbool(w, "expected", r->savings.expected);
    dcp_json_kdouble(w, "before_kwh",
                     dcp_report_round(r->savings.before_kwh, 3));
    dcp_json_kdouble(w, "planned_night_kwh",
                     dcp_report_round(r->savings.planned_night_kwh, 3));
    dcp_json_kdouble(w, "planned_packing_kwh",
                     dcp_report_round(r->savings.planned_packing_kwh, 3));
    dcp_json_kdouble(w, "night_kwh", dcp_report_round(r->savings.night_kwh, 3));
    dcp_json_kdouble(w, "night_cost",
                     dcp_report_round(r->savings.night_cost, 4));
    dcp_json_kdouble(w, "packing_kwh",
                     dcp_report_round(r->savings.packing_kwh, 3));
    dcp_json_kdouble(w, "packing_cost",
                     dcp_report_round(r->savings.packing_cost, 4));
    dcp_json_end(w, '}');
}

static void
write_check(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_check_result *check = r->in->check;

    dcp_json_key(w, "check");
    if (!check) {
        dcp_json_null(w);
        return;
    }
    dcp_json_begin(w, '{');
    dcp_json_kbool(w, "pass", check->pass);
    dcp_json_kstring(w, "proof",
                     check->proof == DCP_PROOF_ALL_ORDERS ? "all_orders"
                                                          : "listed_order");
    dcp_json_ku64(w, "states_checked", check->states_checked);
    dcp_json_ku64(w, "n_violations", check->n_violations_all);
    dcp_json_karray(w, "violations");
    for (uint32_t i = 0; i < check->n_violations && i < 100; i++) {
        const struct dcp_violation *v = &check->violations[i];

        dcp_json_begin(w, '[');
        dcp_json_u64(w, v->step);
        dcp_json_string(w, v->rule);
        dcp_json_string(w, v->object);
        dcp_json_string(w, v->text);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
write_legs(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_plan *plan = r->in->plan;

    dcp_json_karray(w, "legs");
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        dcp_json_begin(w, '{');
        dcp_json_kstring(w, "leg", plan->legs[l].name);
        dcp_json_ki64(w, "start", plan->legs[l].start_ms);
        dcp_json_ki64(w, "deadline", plan->legs[l].deadline_ms);
        dcp_json_ki64(w, "end", r->tl.leg_end_ms[l]);
        dcp_json_ku64(w, "moves", r->leg_moves[l]);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

void
dcp_report_write_hosts(const struct dcp_inventory *inv, struct dcp_json *w)
{
    dcp_json_karray(w, "racks");
    for (uint32_t i = 0; i < inv->n_racks; i++) {
        dcp_json_string(w, inv->racks[i].name);
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "hardware");
    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        dcp_json_string(w, inv->hardware[i].name);
    }
    dcp_json_end(w, ']');
    /* [name, rack or -1, hardware] */
    dcp_json_karray(w, "hosts");
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        const struct dcp_host *host = &inv->hosts[h];

        dcp_json_begin(w, '[');
        dcp_json_string(w, host->name);
        dcp_json_i64(w, dcp_rack_is_none(host->rack) ? -1
                                                     : (int64_t)host->rack.ix);
        dcp_json_u64(w, host->hardware.ix);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

void
dcp_report_write_data(const struct dcp_report_work *r, struct dcp_json *w)
{
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "schema", "dcplan/report-data/1");
    write_meta(r, w);
    write_result(r, w);
    write_check(r, w);
    write_legs(r, w);
    dcp_report_write_hosts(r->in->inventory, w);
    dcp_report_write_hours(r, w);
    dcp_report_write_tables(r, w);
    dcp_json_end(w, '}');
}
