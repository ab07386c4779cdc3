/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/capacity.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/ui.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    const char *traces;
    int64_t until_ms;
};

static const struct dcp_opt rows[] = {
    { "traces", 0, DCP_OPT_FILE, offsetof(struct options, traces), "U.h5", NULL,
      NULL, "Take usage from there, not from the model's usage.h5." },
    { "until", 0, DCP_OPT_INSTANT, offsetof(struct options, until_ms), "TIME",
      NULL, NULL, "Fit demand on what was measured before." },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

static void
ledgers_finish(struct dcp_ledgers *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        dcp_ledger_destroy(l->item[i]);
    }
    free(l->item);
    dcp_purchases_finish(&l->purchases);
    dcp_demand_destroy(l->demand);
}

/* --- Computing ---------------------------------------------------------- */

static bool
count_all(const struct dcp_globals *g, const struct options *o,
          struct dcp_context *c, struct dcp_ledgers *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_placement *now = c->model.placement;
    struct dcp_slot slots[DCP_WEEK_SLOTS_MAX];
    uint32_t n_slots = dcp_week_slots(inv, g->now_ms, slots);

    out->inv = inv;
    out->item = calloc((size_t)inv->n_sites + 1, sizeof(struct dcp_ledger *));
    if (!out->item) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the ledgers");
    }
    out->demand = dcp_context_demand(
        c, slots, n_slots, INT64_MIN,
        o->until_ms == DCP_INSTANT_NONE ? INT64_MAX : o->until_ms, err);
    if (!out->demand) {
        return false;
    }
    for (uint32_t i = 0; i == 0 || (inv->n_sites > 1 && i <= inv->n_sites);
         i++) {
        dcp_site_id site = i ? (dcp_site_id){ i - 1 } : dcp_site_none();

        out->item[i] = dcp_ledger_create(inv, out->demand, now, site, err);
        if (!out->item[i]) {
            return false;
        }
        out->n++;
    }
    return dcp_purchases_count(inv, out->demand, now, &out->purchases, err);
}

/* --- For people --------------------------------------------------------- */

static const char *
amount_text(uint32_t r, double amount, char out[32])
{
    if (r == DCP_LEDGER_CPU || r == DCP_LEDGER_SCALAR + DCP_SCALAR_RESERVED) {
        dcp_print_human(DCP_DIM_CPU, amount, out, 32);
    } else if (r == DCP_LEDGER_NET) {
        (void)snprintf(out, 32, "%.4g Gbit", amount * 8 * 1024 / 1e9);
    } else if (r == DCP_LEDGER_SCALAR + DCP_SCALAR_VCPU) {
        (void)snprintf(out, 32, "%.*f cores", amount < 1e5, amount / 1000);
    } else if (r < DCP_LEDGER_SCALAR + DCP_SCALAR_EXTRA) {
        dcp_print_human(DCP_DIM_SIZE, amount, out, 32);
    } else {
        (void)snprintf(out, 32, "%.0f", amount);
    }
    return out;
}

static void
print_resources(const struct dcp_ledgers *all, const struct dcp_ledger *l)
{
    printf("  %-10s %11s %11s %11s %11s %11s %11s %6s\n", "", "installed",
           "usable", "after loss", "allocated", "reserved", "expected", "used");
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        const double amounts[] = { l->installed[r],     l->usable[r],
                                   l->after_loss[r],    l->used.allocated[r],
                                   l->used.reserved[r], l->used.expected[r] };
        double frac = dcp_ledger_used_frac(l, r);
        char text[32];

        if (!dcp_ledger_shown(l, r)) {
            continue;
        }
        printf("  %-10s", dcp_ledger_name(all->inv, r));
        for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
            printf(" %11s",
                   amounts[i] > 0 ? amount_text(r, amounts[i], text) : "-");
        }
        if (isnan(frac)) {
            printf(" %6s\n", "-");
        } else {
            printf(" %5.0f%%%s\n", frac * 100,
                   r == l->binding ? "  <- binds" : "");
        }
    }
}

static void
print_tiers(const struct dcp_ledgers *all, const struct dcp_ledger *l)
{
    const uint32_t memory = DCP_LEDGER_SCALAR + DCP_SCALAR_MEM;

    for (uint32_t t = 0; t < all->inv->n_tiers; t++) {
        const struct dcp_ledger_use *use = &l->tiers[t];
        char cpu[32], expected[32], mem[32];

        if (use->n_vms) {
            printf("  tier %-12s %5u VMs, %u vCPUs: CPU %s given, %s "
                   "expected; memory %s\n",
                   all->inv->tiers[t].name, use->n_vms, use->n_vcpus,
                   amount_text(0, use->allocated[0], cpu),
                   amount_text(0, use->expected[0], expected),
                   amount_text(memory, use->allocated[memory], mem));
        }
    }
}

static void
print_stranded(const struct dcp_ledgers *all, const struct dcp_ledger *l)
{
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        bool any = false;

        if (!l->n_limited[r]) {
            continue;
        }
        printf("  %u hosts are full first in %s", l->n_limited[r],
               dcp_ledger_name(all->inv, r));
        for (uint32_t q = 0; q < DCP_LEDGER_SCALAR + DCP_SCALAR_RESERVED; q++) {
            char text[32];

            if (l->stranded[r][q] > 0 && q != DCP_LEDGER_NET) {
                printf("%s %s of %s", any ? "," : "; stranded:",
                       amount_text(q, l->stranded[r][q], text),
                       dcp_ledger_name(all->inv, q));
                any = true;
            }
        }
        putchar('\n');
    }
}

static void
print_shapes(const struct dcp_ledgers *all, const struct dcp_ledger *l)
{
    for (uint32_t i = 0; i < l->n_shapes; i++) {
        const struct dcp_ledger_shape *shape = &l->shapes[i];
        char mem[32];

        dcp_print_human(DCP_DIM_SIZE, (double)shape->mem_mib, mem, sizeof mem);
        printf("  room for %6llu more of %u vCPUs, %s, tier %s (%llu without "
               "switching on); then %s ends it%s\n",
               (unsigned long long)shape->more, shape->vcpus, mem,
               all->inv->tiers[shape->tier.ix].name,
               (unsigned long long)shape->more_on,
               dcp_ledger_name(all->inv, shape->resource),
               shape->ended_by_reserve ? " (reserve for a loss)" : "");
    }
}

static void
print_need(const struct dcp_ledgers *all, const char *basis,
           const struct dcp_ledger_need *need)
{
    if (need->hosts == UINT32_MAX) {
        printf("  hosts needed under %s memory: more than there are (%s)\n",
               basis, dcp_ledger_name(all->inv, need->resource));
    } else {
        printf("  hosts needed under %s memory: at least %u (%s)\n", basis,
               need->hosts, dcp_ledger_name(all->inv, need->resource));
    }
}

static void
print_ledger(const struct dcp_ledgers *all, const struct dcp_ledger *l)
{
    char label[64];

    printf("%s: %u hosts, %u on, %u in maintenance; %u VMs; CPU is highest "
           "at %s\n",
           dcp_ledger_scope(all->inv, l), l->n_hosts, l->n_on, l->n_maintenance,
           l->used.n_vms,
           dcp_bucket_label(all->inv->policy.buckets, &all->inv->calendar,
                            all->demand->slots[l->worst_slot[0]].bucket, label,
                            sizeof label));
    print_resources(all, l);
    print_tiers(all, l);
    print_stranded(all, l);
    print_shapes(all, l);
    print_need(all, "allocated", &l->need_allocated);
    if (all->demand->mem_active_mib) {
        print_need(all, "active", &l->need_active);
    }
}

static void
print_purchases(const struct dcp_ledgers *all)
{
    const struct dcp_purchases *p = &all->purchases;
    char mem[32];

    if (!p->n) {
        return;
    }
    dcp_print_human(DCP_DIM_SIZE, (double)p->shape.mem_mib, mem, sizeof mem);
    printf("one purchase makes room for so many more of %u vCPUs, %s, tier "
           "%s:\n",
           p->shape.vcpus, mem, all->inv->tiers[p->shape.tier.ix].name);
    for (uint32_t i = 0; i < p->n; i++) {
        const struct dcp_purchase *item = &p->item[i];
        const char *name = all->inv->hardware[item->hardware.ix].name;

        dcp_print_human(DCP_DIM_SIZE, (double)item->mem_mib, mem, sizeof mem);
        if (item->kind == DCP_PURCHASE_HOST) {
            printf("  %8lld  one more host of model %s\n",
                   (long long)item->more, name);
        } else {
            printf("  %8lld  twice the memory in the %u hosts of model %s "
                   "(%s more; %.1f VMs per host)\n",
                   (long long)item->more, item->n_hosts, name, mem,
                   item->more_per_host);
        }
    }
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_context c;
    struct dcp_ledgers all = { 0 };
    int status = -1;

    (void)n_args;
    (void)args;
    if (!dcp_context_open(g, o->traces, &c, err)) {
        return -1;
    }
    if (count_all(g, o, &c, &all, err)) {
        if (g->json) {
            status = dcp_capacity_json(g, &all, err);
        } else {
            for (uint32_t i = 0; i < all.n; i++) {
                print_ledger(&all, all.item[i]);
            }
            print_purchases(&all);
            status = 0;
        }
    }
    ledgers_finish(&all);
    dcp_context_close(&c);
    return status;
}

const struct dcp_command dcp_cmd_capacity = {
    .name = "capacity",
    .summary = "what is installed, usable, used, stranded, and what more fits",
    .synopsis = "[--until TIME]",
    .details =
        "Per site and for all: installed capacity; usable (policy.target); "
        "what of it may be\nfilled so that policy.headroom survives; and three "
        "figures of use that are never\nmixed: allocated, reserved, expected "
        "(planned demand in the worst bucket of a\nweek; active memory where "
        "it "
        "was measured).  Room for more is counted per size of\nVM that the "
        "model has, each as demanding as those are on average, without "
        "placement\nrules; 'dcplan place --how-many' obeys rules and headroom, "
        "and takes a new VM at\nall that its vCPUs may use.  What one purchase "
        "would make room for comes last, the\nmost per host first.  "
        "docs/formulas.md has the methods.\n\n"
        "Examples:\n"
        "  dcplan capacity\n"
        "  dcplan capacity --json | jq '.clusters[0].binding'\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .max_args = 0,
    .run = run,
};
