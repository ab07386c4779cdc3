/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/place.h"
#include "cli/ui.h"

#include <stdio.h>

#define P(MEMBER) offsetof(struct dcp_place_args, MEMBER)

static const struct dcp_opt rows[] = {
    { "vm", 0, DCP_OPT_TEXT, P(vm), "SIZE", NULL, NULL,
      "a VM that does not exist yet: 4vcpu,16GiB or a flavour, and "
      "vlan=, pool=NAME:SIZE, os=, tag=, clock=, profile=, hypervisor=, "
      "generation=" },
    { "how-many", 0, DCP_OPT_TEXT, P(how_many), "SIZE", NULL, NULL,
      "count how many VMs of this size fit" },
    { "tier", 0, DCP_OPT_TEXT, P(tier), "TIER", NULL, NULL,
      "the new VM's tier" },
    { "tenant", 0, DCP_OPT_TEXT, P(tenant), "TENANT", NULL, NULL,
      "the new VM's tenant" },
    { "all", 0, DCP_OPT_FLAG, P(all), NULL, NULL, NULL,
      "place every VM that has no host, and write that down" },
    { "spread", 0, DCP_OPT_FLAG, P(spread), NULL, NULL, NULL,
      "the emptiest hosts first" },
    { "pack", 0, DCP_OPT_FLAG, P(pack), NULL, NULL, NULL,
      "the fullest hosts first (the default)" },
    { "wake", 0, DCP_OPT_FLAG, P(wake), NULL, NULL, NULL,
      "count hosts that are off as well" },
    { "top", 0, DCP_OPT_UINT, P(top), "N", NULL, "5", "hosts to show" },
    { "all-hosts", 0, DCP_OPT_FLAG, P(all_hosts), NULL, NULL, NULL,
      "show every host" },
    { "dry-run", 0, DCP_OPT_FLAG, P(dry_run), NULL, NULL, NULL,
      "with --all: write nothing" },
    { "until", 0, DCP_OPT_INSTANT, P(until_ms), "TIME", NULL, NULL,
      "learn demand from data before TIME only" },
    { "traces", 0, DCP_OPT_FILE, P(traces), "STORE", NULL, NULL,
      "usage store, instead of usage.h5 of the model" },
};

struct dcp_question
dcp_place_question(const struct dcp_inventory *inv, const struct dcp_demand *d,
                   const struct dcp_placement *start, bool wake)
{
    return (struct dcp_question){
        .inventory = inv,
        .demand = d,
        .last_slot = d->n_slots,
        .start = start,
        .may_wake = wake,
        .headroom = inv->policy.n_survive > 0,
        .gentle = true,
        .ignore_soft = true,
    };
}

void
dcp_place_json_refusal(struct dcp_json *w, const struct dcp_refusal *r)
{
    dcp_json_kstring(w, "kind", dcp_refusal_kind_name(r->kind));
    dcp_json_kstring(w, "rule", r->rule);
    dcp_json_kdouble(w, "need", r->need);
    dcp_json_kdouble(w, "have", r->have);
    dcp_json_kstring(w, "text", r->text);
    dcp_json_kstring(w, "remedy", r->remedy[0] ? r->remedy : NULL);
}

static bool
check_args(const struct dcp_place_args *o, uint32_t n_args,
           struct dcp_error *err)
{
    int n = (o->vm != NULL) + (o->how_many != NULL) + o->all + (n_args > 0);

    if (n > 1) {
        return dcp_fail(err, DCP_E_USAGE,
                        "VM names, --vm, --how-many and --all are four "
                        "different questions: ask one");
    }
    if (o->spread && o->pack) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--spread and --pack exclude each other");
    }
    if ((o->tier || o->tenant) && !o->vm && !o->how_many) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--tier and --tenant describe the VM of --vm or "
                        "--how-many");
    }
    if (o->all && o->wake) {
        return dcp_fail(err, DCP_E_USAGE,
                        "place --all switches nothing on; set 'state: up', or "
                        "place what fits and use 'repair'");
    }
    if (o->dry_run && !o->all) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--dry-run belongs to --all; nothing else writes");
    }
    return true;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct dcp_place_args *o = options;
    struct dcp_place_world w = { .g = g, .args = o };
    struct dcp_slot slots[DCP_WEEK_SLOTS_MAX];
    int status = -1;

    if (!check_args(o, n_args, err) ||
        !dcp_context_open(g, o->traces, &w.context, err)) {
        return -1;
    }
    const struct dcp_inventory *inv = w.context.model.inventory;
    uint32_t n = dcp_week_slots(inv, g->now_ms, slots);

    w.demand = dcp_context_demand(
        &w.context, slots, n, INT64_MIN,
        o->until_ms == DCP_INSTANT_NONE ? INT64_MAX : o->until_ms, err);
    if (!w.demand) {
        status = -1;
    } else if (!inv->n_hosts) {
        (void)dcp_fail(err, DCP_E_ARGUMENT,
                       "the model has no hosts; add some to dc.yaml or import "
                       "them");
    } else if (o->how_many) {
        status = dcp_place_run_count(&w, err);
    } else if (o->all) {
        status = dcp_place_run_all(&w, err);
    } else {
        status = dcp_place_run_rank(&w, n_args, args, err);
    }
    dcp_demand_destroy(w.demand);
    dcp_context_close(&w.context);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

const struct dcp_command dcp_cmd_place = {
    .name = "place",
    .summary = "where VMs could run, how many more fit, a first placement",
    .synopsis = "[VM...] | --vm SIZE | --how-many SIZE | --all",
    .details =
        "Ranks the hosts for VMs that have none (or for those named: a name, a "
        "glob, tag:T,\ntier:T, tenant:T), says how much room each host would "
        "have left, and why the others\nrefuse.  Each VM is asked about alone, "
        "and nothing that runs is moved.  With --all\nevery VM without a host "
        "gets one, together, and the model's state is written.\n\nExamples:\n"
        "  dcplan place web-7\n"
        "  dcplan place --vm 4vcpu,16GiB,vlan=data --tier live\n"
        "  dcplan place --how-many m --tier test --wake\n"
        "  dcplan place --all --spread --dry-run\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct dcp_place_args),
    .max_args = UINT32_MAX,
    .run = run,
};
