/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/move_facts.h"

#include "model/convert.h"
#include "model/migration.h"
#include "model/transfers.h"

#include <math.h>
#include <stdio.h>

/* Bandwidth that production and the other migrations leave, MiB/s. */
static double
bandwidth_mib_s(const struct dcp_state *s, const struct dcp_paths *paths,
                uint32_t n_slots, uint32_t from, uint32_t to)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    const struct dcp_policy *policy = &inv->policy;
    double rate = (double)policy->migration_kib_s;
    uint32_t ends[2] = { from, to };

    for (int e = 0; e < 2; e++) {
        uint32_t h = ends[e];

        if (h == DCP_IX_NONE) {
            continue;
        }
        double used = 0;

        for (uint32_t t = 0; s->net_kib_s && t < n_slots; t++) {
            used = fmax(used, s->net_kib_s[(size_t)h * s->p->stride + t]);
        }
        uint32_t at_once = e ? policy->in_per_host : policy->out_per_host;

        if (dcp_transfers_reach(inv, h)) {
            rate = fmin(rate, dcp_transfers_share(inv, h, used) /
                                  (at_once ? at_once : 1));
        }
    }
    uint32_t link[DCP_PATH_LINKS_MAX];
    uint32_t n_links =
        from == DCP_IX_NONE ? 0 : dcp_paths_between(paths, from, to, link);

    for (uint32_t i = 0; i < n_links; i++) {
        rate = fmin(rate, (double)paths->left_kib_s[link[i]]);
    }
    return rate / 1024;
}

/* Cold: down for as long as the way takes; no memory is copied. */
static void
conversion_estimate(const struct dcp_inventory *inv,
                    const struct dcp_move *move, struct dcp_step *step)
{
    dcp_hypervisor_id from = inv->hosts[move->from].hypervisor;
    dcp_hypervisor_id to = inv->hosts[move->to].hypervisor;
    const struct dcp_conversion *c = dcp_conversion_of(inv, move->vm, from, to);

    step->cold = true;
    step->converts = true;
    step->convert_from = from;
    step->convert_to = to;
    step->estimate_ms = c ? dcp_conversion_ms(inv, c, move->vm) : 0;
    step->downtime_ms = step->estimate_ms;
}

void
dcp_move_estimate(const struct dcp_state *s, const struct dcp_paths *paths,
                  uint32_t n_slots, const struct dcp_move *move,
                  struct dcp_step *step)
{
    const struct dcp_inventory *inv = s->p->q->inventory;
    const struct dcp_vm *vm = &inv->vms[move->vm];

    if (dcp_conversion_between(inv, (dcp_host_id){ move->from },
                               (dcp_host_id){ move->to })) {
        conversion_estimate(inv, move, step);
        return;
    }
    struct dcp_precopy in = dcp_precopy_of(inv, move->vm);

    in.bandwidth_mib_s =
        bandwidth_mib_s(s, paths, n_slots, move->from, move->to);
    struct dcp_precopy_result r = dcp_precopy_estimate(&in);

    step->estimate_ms = r.total_ms;
    step->mem_mib = (uint32_t)vm->mem_mib;
    step->dirty_mib_s = (uint32_t)lround(in.dirty_mib_s);
    step->bandwidth_mib_s = (uint32_t)lround(in.bandwidth_mib_s);
    step->rounds = r.rounds;
    step->downtime_ms = r.downtime_ms;
}

static void
conversion_text(const struct dcp_inventory *inv, const struct dcp_move *move,
                char *out, size_t size)
{
    dcp_hypervisor_id from = inv->hosts[move->from].hypervisor;
    dcp_hypervisor_id to = inv->hosts[move->to].hypervisor;
    const struct dcp_conversion *c = dcp_conversion_of(inv, move->vm, from, to);

    (void)snprintf(out, size,
                   "converted from %.20s to %.20s: %.0f min down, %.2f %.8s",
                   inv->hypervisors[from.ix].name, inv->hypervisors[to.ix].name,
                   c ? (double)dcp_conversion_ms(inv, c, move->vm) / 60000 : 0,
                   c ? c->cost : 0, inv->currency ? inv->currency : "");
}

const char *
dcp_move_text(const struct dcp_state *s, const struct dcp_move *move,
              enum dcp_reason reason, struct dcp_arena *arena)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_inventory *inv = s->p->q->inventory;
    uint32_t h = move->to, peak = 0;
    const uint32_t *cpu = s->cpu_mhz + (size_t)h * p->stride;
    char label[48], why[120];

    for (uint32_t t = 1; t < p->n_slots; t++) {
        peak = cpu[t] > cpu[peak] ? t : peak;
    }
    (void)dcp_bucket_label(
        inv->policy.buckets, &inv->calendar,
        p->n_slots ? p->q->demand->slots[p->q->first_slot + peak].bucket : 0,
        label, sizeof label);
    switch (reason) {
    case DCP_REASON_EMPTY_HOST:
        (void)snprintf(why, sizeof why, "empties %.60s",
                       inv->hosts[move->from].name);
        break;
    case DCP_REASON_UNPACK: {
        uint32_t f = move->from;
        uint32_t over = s->cpu_peak_mhz[f], cap = p->cap_cpu_mhz[f];

        if (over > cap) {
            (void)snprintf(why, sizeof why,
                           "%.40s would need %u of %u MHz by day",
                           inv->hosts[f].name, over, cap);
        } else {
            (void)snprintf(why, sizeof why, "the day needs room on %.60s",
                           inv->hosts[f].name);
        }
        break;
    }
    case DCP_REASON_EVACUATE:
        (void)snprintf(why, sizeof why, "%.60s is evacuated",
                       inv->hosts[move->from].name);
        break;
    case DCP_REASON_RETURN:
        (void)snprintf(why, sizeof why, "back home");
        break;
    case DCP_REASON_BYPASS:
        (void)snprintf(why, sizeof why,
                       "steps aside so that others can swap places");
        break;
    case DCP_REASON_PLACE:
        (void)snprintf(why, sizeof why, "tightest host that takes it");
        break;
    case DCP_REASON_REPAIR:
        (void)snprintf(why, sizeof why, "ends a violation on %.60s",
                       inv->hosts[move->from].name);
        break;
    case DCP_REASON_BALANCE: {
        uint32_t f = move->from;
        double cpu_frac = p->cap_cpu_mhz[f]
                              ? (double)s->cpu_peak_mhz[f] / p->cap_cpu_mhz[f]
                              : 0;

        (void)snprintf(why, sizeof why,
                       "evens out %.40s, at first at most CPU %.0f %%, memory "
                       "%.0f %% of usable",
                       inv->hosts[f].name, 100 * cpu_frac,
                       p->cap[f] ? 100.0 * s->used[f] / p->cap[f] : 0);
        break;
    }
    case DCP_REASON_WAKE:
        (void)snprintf(why, sizeof why, "back from the night");
        break;
    case DCP_REASON_CONVERT:
        conversion_text(inv, move, why, sizeof why);
        break;
    case DCP_REASON_PARK:
    case DCP_REASON_NIGHT_OFF:
    case DCP_REASON_REACH:
    case DCP_REASON_HEADROOM:
    case DCP_REASON_EMPTY_POOL: /* Of volumes. */
    case DCP_REASON_RELIEVE_POOL:
    case DCP_REASON_POOL_TIER:
    case DCP_REASON_STORAGE_REACH:
    case DCP_REASON_MAKE_ROOM:
    case DCP_REASON_RIGHTSIZE:
        (void)snprintf(why, sizeof why, "makes room");
        break;
    }
    return dcp_arena_printf(
        arena,
        "%s; on %s then at most memory %.0f of %.0f GiB usable, CPU %u of %u "
        "MHz (%s)",
        why, inv->hosts[h].name, s->used[h] / 1024.0, p->cap[h] / 1024.0,
        p->n_slots ? cpu[peak] : 0, p->cap_cpu_mhz[h], label);
}
