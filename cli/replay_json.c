/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replay.h"

#include "cli/result_json.h"
#include "cli/shortage.h"
#include <stdio.h>

static void
json_energy(struct dcp_json *w, const struct dcp_inventory *inv,
            const struct dcp_sim_result *s)
{
    dcp_json_kdouble(w, "energy_kwh", s->meter_kwh);
    dcp_json_kdouble(w, "energy_it_kwh", s->it_kwh);
    dcp_json_kdouble(w, "boot_kwh", s->boot_kwh);
    dcp_json_kdouble(w, "shutdown_kwh", s->shutdown_kwh);
    dcp_json_kdouble(w, "standby_kwh", s->standby_kwh);
    dcp_json_kdouble(w, "energy_cost", s->energy_cost);
    dcp_json_kdouble(w, "carbon_kg", s->carbon_kg);
    dcp_json_kstring(w, "currency", inv->currency);
    dcp_json_kobject(w, "energy");
    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        char key[32];

        (void)snprintf(key, sizeof key, "%s_kwh",
                       dcp_energy_part_name((enum dcp_energy_part)k));
        dcp_json_kdouble(w, key, s->part_kwh[k]);
    }
    dcp_json_kdouble(w, "pue_mean", s->pue_mean);
    dcp_json_kdouble(w, "pue_min", s->pue_min);
    dcp_json_kdouble(w, "pue_max", s->pue_max);
    dcp_json_kdouble(w, "over_rated_seconds", s->over_rated_s);
    dcp_json_end(w, '}');
}

static void
json_quality(struct dcp_json *w, const struct dcp_sim_result *s)
{
    dcp_json_ku64(w, "migrations", s->migrations);
    dcp_json_ku64(w, "migrations_failed", s->migrations_failed);
    dcp_json_kdouble(w, "migration_mean_s", s->migration_mean_s);
    dcp_json_kdouble(w, "overload_host_seconds", s->overload_host_s);
    dcp_json_kdouble(w, "unmet_cpu_mhz_s", s->unmet_cpu_mhz_s);
    dcp_json_kdouble(w, "requested_cpu_mhz_s", s->requested_mhz_s);
    dcp_json_kdouble(w, "slatah_frac", s->slatah_frac);
    dcp_json_kdouble(w, "pdm_frac", s->pdm_frac);
    dcp_json_kdouble(w, "slav", s->slav);
    dcp_json_kdouble(w, "overall_slav", s->overall_slav);
    dcp_json_kdouble(w, "average_slav", s->average_slav);
    dcp_json_ku64(w, "host_slots", s->host_slots);
    dcp_json_ku64(w, "host_slots_overloaded", s->host_slots_overloaded);
    dcp_json_ku64(w, "host_slots_above_target", s->host_slots_above_target);
    dcp_json_ku64(w, "host_shutdowns", s->host_shutdowns);
    dcp_json_ku64(w, "host_boots", s->host_boots);
    dcp_json_kdouble(w, "mean_s_before_shutdown", s->mean_s_before_shutdown);
    dcp_json_kdouble(w, "sd_s_before_shutdown", s->sd_s_before_shutdown);
    dcp_json_kdouble(w, "mean_s_before_migration", s->mean_s_before_migration);
    dcp_json_kdouble(w, "sd_s_before_migration", s->sd_s_before_migration);
    dcp_json_kdouble(w, "hosts_on_mean", s->hosts_on_mean);
    dcp_json_ku64(w, "hosts_on_min", s->hosts_on_min);
    dcp_json_ku64(w, "hosts_on_max", s->hosts_on_max);
    dcp_json_kdouble(w, "cpu_util_mean_frac", s->cpu_util_mean_frac);
    dcp_json_kdouble(w, "mem_alloc_mean_frac", s->mem_alloc_mean_frac);
}

/* Hosts and tenants that were overloaded, in the model's order. */
static void
json_overloaded(struct dcp_json *w, const struct dcp_inventory *inv,
                const struct dcp_sim_result *s)
{
    uint64_t n_vms = 0;

    dcp_json_karray(w, "overloaded_hosts");
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        if (s->hosts[h].overload_s > 0) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "host", inv->hosts[h].name);
            dcp_json_kdouble(w, "seconds", s->hosts[h].overload_s);
            dcp_json_kdouble(w, "unmet_cpu_mhz_s", s->hosts[h].unmet_mhz_s);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "overloaded_tenants");
    for (uint32_t t = 0; t <= inv->n_tenants; t++) {
        if (s->tenants[t].overload_vm_s > 0) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "tenant",
                             t < inv->n_tenants ? inv->tenants[t].name : NULL);
            dcp_json_kdouble(w, "vm_seconds", s->tenants[t].overload_vm_s);
            dcp_json_kdouble(w, "unmet_cpu_mhz_s", s->tenants[t].unmet_mhz_s);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    for (uint32_t v = 0; v < s->n_vms; v++) {
        n_vms += s->vm_overload_s[v] > 0;
    }
    dcp_json_ku64(w, "overloaded_vms", n_vms);
}

struct dcp_replay_part
dcp_replay_without(const struct dcp_replay *r)
{
    return (struct dcp_replay_part){ &r->without, &r->failed_without,
                                     &r->storage.without };
}

struct dcp_replay_part
dcp_replay_with(const struct dcp_replay *r)
{
    return (struct dcp_replay_part){ &r->with, &r->failed_with,
                                     &r->storage.with };
}

static bool
json_members(struct dcp_json *w, const struct dcp_inventory *inv,
             const struct dcp_replay *r, const struct dcp_replay_part *part,
             struct dcp_error *err)
{
    const struct dcp_sim_result *s = part->result;

    dcp_json_ku64(w, "vms", s->n_vms);
    dcp_json_ku64(w, "hosts", s->n_hosts);
    dcp_json_kinstant(w, "from", s->from_ms);
    dcp_json_kinstant(w, "to", s->to_ms);
    dcp_json_kdouble(w, "horizon_seconds",
                     (double)(s->to_ms - s->from_ms) / 1000);
    dcp_json_ku64(w, "samples", s->n_samples);
    dcp_json_ku64(w, "samples_missing", r->fill.n_missing);
    dcp_json_ku64(w, "vms_without_trace", r->fill.n_vms_no_trace);
    dcp_json_ku64(w, "vms_unplaced", s->vms_unplaced);
    json_energy(w, inv, s);
    json_quality(w, s);
    json_overloaded(w, inv, s);
    if (!dcp_shortage_json(w, inv, s, err) ||
        !dcp_storage_use_json(w, inv, &r->storage, part->storage, err)) {
        return false;
    }
    if (r->has_failures) {
        dcp_failures_json(w, &r->failures, part->failed);
    }
    dcp_json_kbool(w, "partial", r->partial);
    dcp_json_kbool(w, "in_sample", r->in_sample);
    return true;
}

bool
dcp_replay_json(struct dcp_json *w, const struct dcp_inventory *inv,
                const struct dcp_replay *r, struct dcp_replay_part part,
                struct dcp_error *err)
{
    struct dcp_json compact;
    char digest[DCP_DIGEST_TEXT_SIZE];

    dcp_json_init(&compact, false);
    dcp_json_begin(&compact, '{');
    bool ok = json_members(&compact, inv, r, &part, err);

    dcp_json_end(&compact, '}');
    if (!dcp_result_digest(&compact, digest, err) || !ok ||
        !json_members(w, inv, r, &part, err)) {
        return false;
    }
    dcp_json_kstring(w, "digest", digest);
    return true;
}

void
dcp_replay_json_saved(struct dcp_json *w, const struct dcp_plan *plan,
                      const struct dcp_replay *r)
{
    const struct dcp_sim_result *a = &r->without, *b = &r->with;

    dcp_json_kobject(w, "saved");
    dcp_json_kdouble(w, "energy_kwh", a->meter_kwh - b->meter_kwh);
    dcp_json_kdouble(w, "energy_cost", a->energy_cost - b->energy_cost);
    dcp_json_kdouble(w, "carbon_kg", a->carbon_kg - b->carbon_kg);
    dcp_json_kdouble(w, "hosts_on_mean", a->hosts_on_mean - b->hosts_on_mean);
    dcp_json_kdouble(w, "planned_energy_kwh",
                     plan->predicted.energy_kwh_before -
                         plan->predicted.energy_kwh_after);
    dcp_json_kdouble(w, "expected_energy_kwh",
                     plan->expected.energy_kwh_before -
                         plan->expected.energy_kwh_after);
    dcp_json_end(w, '}');
}
