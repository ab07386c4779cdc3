/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/rightsize.h"

#include "model/capacity.h"

#include <math.h>
#include <stdio.h>

const char *
dcp_size_verdict_name(enum dcp_size_verdict verdict)
{
    static const char *const names[DCP_SIZE_VERDICTS] = {
        [DCP_SIZE_FITS] = "fits",
        [DCP_SIZE_OVERSIZED] = "oversized",
        [DCP_SIZE_UNDERSIZED] = "undersized",
        [DCP_SIZE_NO_HISTORY] = "no_history",
        [DCP_SIZE_EXCLUDED] = "excluded",
        [DCP_SIZE_RULE] = "rule",
        [DCP_SIZE_COOLDOWN] = "cooldown",
        [DCP_SIZE_RESTART] = "restart",
        [DCP_SIZE_PARKED] = "parked",
        [DCP_SIZE_LIMIT] = "limit",
        [DCP_SIZE_NO_ROOM] = "no_room",
        [DCP_SIZE_NO_USE] = "no_use",
    };

    return names[verdict];
}

/* One resource: what it has, what it needs, and how it may change. */
struct amount {
    double has, needs, least; /* least: never less. */
    double step;
    bool at_limit;
};

/* Up to the next step; 1e-9: what is whole but for rounding stays so. */
static double
round_up(double value, double step)
{
    return ceil(value / step - 1e-9) * step;
}

static double
smaller(const struct dcp_rightsize *p, const struct amount *a)
{
    double least = fmax(a->least, a->has * (1 - p->most_down_frac));
    double to = round_up(fmax(a->needs, least), a->step);

    return to < a->has && a->has - to >= p->least_down_frac * a->has ? to
                                                                     : a->has;
}

/* At least one step, and no more than policy adds at once. */
static double
larger(const struct dcp_rightsize *p, const struct amount *a)
{
    double least = (floor(a->has / a->step + 1e-9) + 1) * a->step;
    double most =
        floor(a->has * (1 + p->most_up_frac) / a->step + 1e-9) * a->step;
    double to = fmax(round_up(a->needs, a->step), least);

    return fmax(a->has, fmin(to, most));
}

static double
choose(const struct dcp_rightsize *p, const struct amount *a)
{
    if (a->at_limit) {
        return p->way == DCP_SIZE_DOWN ? a->has : larger(p, a);
    }
    return p->way == DCP_SIZE_UP ? a->has : smaller(p, a);
}

static uint32_t
choose_vcpus(const struct dcp_size_question *q)
{
    const struct dcp_vm *vm = &q->inv->vms[q->vm];
    const struct dcp_rightsize *p = &q->inv->rightsize;
    double margin = q->inv->tiers[vm->tier.ix].margin_frac;
    dcp_vm_id id = { q->vm };
    double each = dcp_vm_vcpu_mhz(q->inv, id, vm->host);
    bool limited =
        dcp_vm_ceiling_mhz(q->inv, id, vm->host) < each * vm->vcpus - 1;

    if (!p->vcpus || each <= 0 || q->usage->cpu_history_ms < p->history_ms) {
        return vm->vcpus;
    }
    double least =
        fmax(vm->cpu_reservation_mhz, q->planned_mhz / (1 + margin)) / each;
    struct amount a = {
        .has = vm->vcpus,
        .needs = q->usage->cpu_mhz * (1 + p->cpu_margin_frac) / each,
        .least = fmax(p->min_vcpus, least),
        .step = p->step_vcpus,
        .at_limit = q->usage->cpu_at_limit_frac >= p->at_limit_frac &&
                    q->usage->cpu_at_limit_frac > 0,
    };

    if (a.at_limit && limited) { /* More vCPUs would not help. */
        return vm->vcpus;
    }
    return (uint32_t)fmin(choose(p, &a), 4096);
}

static uint64_t
choose_memory(const struct dcp_size_question *q)
{
    const struct dcp_vm *vm = &q->inv->vms[q->vm];
    const struct dcp_rightsize *p = &q->inv->rightsize;

    /* Huge pages are the guest's own arrangement. */
    if (!p->memory || q->usage->mem_history_ms < p->history_ms ||
        q->planned_mib <= 0 || vm->huge_pages_mib) {
        return vm->mem_mib;
    }
    struct amount a = {
        .has = (double)vm->mem_mib,
        .needs = q->usage->mem_mib * (1 + p->mem_margin_frac),
        .least = fmax(fmax((double)p->min_mem_mib, q->planned_mib),
                      fmax((double)vm->mem_reservation_mib,
                           (double)vm->balloon_floor_mib)),
        .step = (double)p->step_mem_mib,
        .at_limit = q->usage->mem_at_limit_frac >= p->at_limit_frac &&
                    q->usage->mem_at_limit_frac > 0,
    };

    if (a.at_limit && !q->active_memory) {
        return vm->mem_mib;
    }
    return (uint64_t)fmin(choose(p, &a), 4294967295.0);
}

/* A hard capacity rule, or more units of a licence that is owned. */
static bool
rule_counts(const struct dcp_inventory *inv, uint32_t vm, bool more_vcpus)
{
    for (uint32_t i = 0;
         more_vcpus && inv->policy.licences == DCP_LICENCES_OWNED &&
         i < inv->n_licences;
         i++) {
        const struct dcp_licence *l = &inv->licences[i];

        if (l->metric == DCP_LICENCE_VCPU && l->owned > 0 &&
            dcp_ids_contain(&l->vms, vm)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        const struct dcp_rule *rule = &inv->rules[i];
        struct dcp_ids vms = { rule->vms, rule->n_vms };

        if (rule->kind == DCP_RULE_CAPACITY && !rule->soft &&
            dcp_ids_contain(&vms, vm)) {
            return true;
        }
    }
    return false;
}

struct dcp_size_advice
dcp_rightsize_advise(const struct dcp_size_question *q)
{
    const struct dcp_rightsize *p = &q->inv->rightsize;
    struct dcp_vm_size has = dcp_vm_size(q->inv, q->vm);
    struct dcp_size_advice a = {
        .from = has,
        .to = has,
        .cpu_mhz = q->usage->cpu_mhz,
        .ceiling_mhz = dcp_vm_ceiling_mhz(q->inv, (dcp_vm_id){ q->vm },
                                          q->inv->vms[q->vm].host),
        .cpu_at_limit_frac = q->usage->cpu_at_limit_frac,
        .mem_mib = q->usage->mem_history_ms ? q->usage->mem_mib : 0,
    };

    if (dcp_ids_contain(&p->exclude, q->vm)) {
        a.verdict = DCP_SIZE_EXCLUDED;
        return a;
    }
    if (q->usage->cpu_history_ms < p->history_ms) {
        a.verdict = DCP_SIZE_NO_HISTORY;
        return a;
    }
    a.to = (struct dcp_vm_size){ choose_vcpus(q), choose_memory(q) };
    bool down = a.to.vcpus < has.vcpus || a.to.mem_mib < has.mem_mib;
    bool up = a.to.vcpus > has.vcpus || a.to.mem_mib > has.mem_mib;

    if (!down && !up) {
        return a;
    }
    if (up) {
        a.to = dcp_vm_size_most(a.to, has);
    }
    a.cold = p->hot == DCP_HOT_NONE || (p->hot == DCP_HOT_GROW && !up);
    bool waits = p->restart == DCP_RESTART_NEVER ||
                 (p->restart == DCP_RESTART_IN_WINDOW && !q->in_window);

    a.verdict = q->closed || rule_counts(q->inv, q->vm, a.to.vcpus > has.vcpus)
                    ? DCP_SIZE_RULE
                : q->parked       ? DCP_SIZE_PARKED
                : q->resting      ? DCP_SIZE_COOLDOWN
                : a.cold && waits ? DCP_SIZE_RESTART
                : up              ? DCP_SIZE_UNDERSIZED
                                  : DCP_SIZE_OVERSIZED;
    return a;
}

const char *
dcp_size_reason(const struct dcp_inventory *inv,
                const struct dcp_size_advice *a, char *out, size_t size)
{
    const struct dcp_rightsize *p = &inv->rightsize;
    int n;

    if (a->to.vcpus > a->from.vcpus) {
        n = snprintf(out, size,
                     "%.1f %% of its CPU samples are at its limit of %.0f MHz",
                     100 * a->cpu_at_limit_frac, a->ceiling_mhz);
    } else {
        n = snprintf(out, size,
                     "%g %% of its CPU samples are within %.0f of %.0f MHz",
                     100 * p->cpu_percentile, a->cpu_mhz, a->ceiling_mhz);
    }
    if (a->mem_mib > 0 && n > 0 && (size_t)n < size) {
        (void)snprintf(out + n, size - (size_t)n,
                       ", of active memory %g %% within %.1f of %.1f GiB",
                       100 * p->mem_percentile, a->mem_mib / 1024,
                       (double)a->from.mem_mib / 1024);
    }
    return out;
}
