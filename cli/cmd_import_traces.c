/* SPDX-License-Identifier: GPL-3.0-or-later */

/* VMs from a usage store.  The start is the one that results name "best fit by
 * allocation at 4:1": largest memory first, onto the host that is left with
 * the least memory of those with room for it within the memory target and for
 * a core per four vCPUs. */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/capacity.h"
#include "model/io/csv.h"
#include "model/io/import_target.h"
#include "model/io/model_dir.h"
#include "traces/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VCPUS_PER_CORE 4

struct options {
    const char *tier, *place;
    bool force;
};

#define O(MEMBER) offsetof(struct options, MEMBER)
static const char *const place_choices[] = { "bestfit", "none", NULL };
static const struct dcp_opt rows[] = {
    { "tier", 0, DCP_OPT_TEXT, O(tier), "TIER", NULL, "default",
      "class of service of the VMs" },
    { "place", 0, DCP_OPT_CHOICE, O(place), "HOW", place_choices, "bestfit",
      "where they start" },
    { "force", 0, DCP_OPT_FLAG, O(force), NULL, NULL, NULL,
      "replace an earlier import of VMs" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 }
};

struct new_vm {
    const char *name;
    uint32_t vcpus, vcpu_mhz, host; /* host: DCP_IX_NONE not placed. */
    uint64_t mem_mib;
};
struct room { /* Left on a host. */
    double mem_mib, vcpus;
    bool used;
};
struct import {
    struct new_vm *vms;
    uint32_t n, n_skipped, n_placed, n_hosts_used;
    struct room *rooms;
};

/* Those of the store whose sizes are known. */
static bool
list_vms(const struct dcp_store *store, struct import *im,
         struct dcp_error *err)
{
    uint32_t n = dcp_store_n_vms(store);

    im->vms = calloc((size_t)n + 1, sizeof *im->vms);
    if (!im->vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n);
    }
    for (uint32_t i = 0; i < n; i++) {
        double mem_mib = ceil(dcp_store_vm_mem_capacity_mib(store, i));
        double mhz = dcp_store_vm_cpu_capacity_mhz(store, i);
        uint32_t vcpus = dcp_store_vm_vcpus(store, i);

        if (!(mem_mib >= 1) || mem_mib > 4294967295.0 || vcpus < 1 ||
            vcpus > 4096) {
            im->n_skipped++;
            continue;
        }
        double clock = mhz > 0 ? nearbyint(mhz / vcpus) : 0;

        im->vms[im->n++] = (struct new_vm){
            .name = dcp_store_vm_name(store, i),
            .vcpus = vcpus,
            .vcpu_mhz = clock < 10000 ? (uint32_t)clock : 0,
            .mem_mib = (uint64_t)mem_mib,
            .host = DCP_IX_NONE,
        };
    }
    return true;
}

/* --- The start ---------------------------------------------------------- */

static bool
from_earlier_import(const struct dcp_vm *vm)
{
    return vm->pos.path && strstr(vm->pos.path, "import/vms.csv");
}

/* Room on each host beside the VMs that stay in the model. */
static bool
make_rooms(const struct dcp_model *model, bool replaces, struct import *im,
           struct dcp_error *err)
{
    const struct dcp_inventory *inv = model->inventory;

    im->rooms = calloc((size_t)inv->n_hosts + 1, sizeof *im->rooms);
    if (!im->rooms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a placement");
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity usable = dcp_host_usable(inv, (dcp_host_id){ h });

        if (model->placement->on[h]) {
            im->rooms[h].mem_mib = usable.scalar[DCP_SCALAR_MEM];
            im->rooms[h].vcpus =
                usable.scalar[DCP_SCALAR_VCPU] / 1000.0 * VCPUS_PER_CORE;
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        uint32_t asked[DCP_SCALARS_MAX];
        dcp_host_id h = model->placement->host[v];

        if (dcp_host_is_none(h) ||
            (replaces && from_earlier_import(&inv->vms[v]))) {
            continue;
        }
        dcp_vm_request(inv, (dcp_vm_id){ v }, inv->hosts[h.ix].hypervisor,
                       asked);
        im->rooms[h.ix].mem_mib -= asked[DCP_SCALAR_MEM];
        im->rooms[h.ix].vcpus -= inv->vms[v].vcpus;
        im->rooms[h.ix].used = true;
    }
    return true;
}

static double
asked_mib(const struct dcp_inventory *inv, uint32_t host,
          const struct new_vm *vm)
{
    dcp_hypervisor_id id = inv->hosts[host].hypervisor;
    double mib = (double)vm->mem_mib;

    if (!dcp_hypervisor_is_none(id)) {
        const struct dcp_hypervisor *hv = &inv->hypervisors[id.ix];

        mib += hv->vm_overhead_mib + hv->vm_overhead_frac * mib;
    }
    return ceil(mib);
}

static int
compare_memory(const void *pa, const void *pb)
{
    const struct new_vm *a = *(struct new_vm *const *)pa;
    const struct new_vm *b = *(struct new_vm *const *)pb;

    if (a->mem_mib != b->mem_mib) {
        return a->mem_mib > b->mem_mib ? -1 : 1;
    }
    return (a > b) - (a < b); /* Order of the store. */
}

static bool
place(const struct dcp_inventory *inv, struct import *im, struct dcp_error *err)
{
    struct new_vm **order = calloc((size_t)im->n + 1, sizeof(void *));

    if (!order) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a placement");
    }
    for (uint32_t i = 0; i < im->n; i++) {
        order[i] = &im->vms[i];
    }
    qsort(order, im->n, sizeof(void *), compare_memory);
    for (uint32_t i = 0; i < im->n; i++) {
        struct new_vm *vm = order[i];
        uint32_t best = DCP_IX_NONE;
        double best_left = 0;

        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            double left = im->rooms[h].mem_mib - asked_mib(inv, h, vm);

            if (left >= 0 && im->rooms[h].vcpus >= vm->vcpus &&
                (best == DCP_IX_NONE || left < best_left)) {
                best = h;
                best_left = left;
            }
        }
        if (best != DCP_IX_NONE) {
            vm->host = best;
            im->rooms[best].mem_mib = best_left;
            im->rooms[best].vcpus -= vm->vcpus;
            im->rooms[best].used = true;
            im->n_placed++;
        }
    }
    free(order);
    return true;
}

/* --- Output ------------------------------------------------------------- */

static void
print_vms(const struct dcp_inventory *inv, const struct import *im,
          const char *tier, struct dcp_text *out)
{
    dcp_text_puts(out, "name,vcpus,vcpu_clock,memory,tier,host\n");
    for (uint32_t i = 0; i < im->n; i++) {
        const struct new_vm *vm = &im->vms[i];

        dcp_csv_put(out, vm->name);
        dcp_text_printf(out, ",%u,", vm->vcpus);
        if (vm->vcpu_mhz) {
            dcp_text_printf(out, "%uMHz", vm->vcpu_mhz);
        }
        dcp_text_printf(out, ",%lluMiB,", (unsigned long long)vm->mem_mib);
        dcp_csv_put(out, tier);
        dcp_text_puts(out, ",");
        if (vm->host != DCP_IX_NONE) {
            dcp_csv_put(out, inv->hosts[vm->host].name);
        }
        dcp_text_puts(out, "\n");
    }
}

static bool
has_tier(const struct dcp_inventory *inv, const char *tier)
{
    for (uint32_t i = 0; i < inv->n_tiers; i++) {
        if (!strcmp(inv->tiers[i].name, tier)) {
            return true;
        }
    }
    return false;
}

/* Defines the tier where the model does not have it, or has it from the import
 * that this one replaces. */
static void
print_tier(const struct dcp_globals *g, const struct dcp_inventory *inv,
           const char *tier, struct dcp_text *out)
{
    bool had = has_tier(inv, tier);

    if (had && !dcp_import_defined(g->dir, "import/vms.yaml", "tiers", tier)) {
        return;
    }
    dcp_text_printf(out, "tiers:\n  \"%s\": {}\n", tier);
    if (!had) {
        dcp_ui_say(g,
                   "tier '%s' is new: made with the defaults (4 vCPUs per "
                   "core, p95, margin 10 %%)",
                   tier);
    }
}

static bool
write_import(const struct dcp_globals *g, const struct options *o,
             const struct dcp_inventory *inv, const struct import *im,
             struct dcp_error *err)
{
    struct dcp_import_target target = { .dir = g->dir, .force = o->force };

    print_vms(inv, im, o->tier, &target.vms);
    print_tier(g, inv, o->tier, &target.vms_base);
    bool ok = dcp_import_target_write(&target, err);

    dcp_import_target_finish(&target);
    return ok;
}

static int
print_result(const struct dcp_globals *g, const struct options *o,
             const struct import *im, struct dcp_error *err)
{
    struct dcp_json w;

    if (!g->json) {
        dcp_ui_say(g, "VMs: %u taken, %u skipped (their size is not known)",
                   im->n, im->n_skipped);
        if (!strcmp(o->place, "bestfit")) {
            dcp_ui_say(g,
                       "start: best fit by allocation at %d:1 vCPU, %u placed "
                       "on %u hosts, %u have no room",
                       VCPUS_PER_CORE, im->n_placed, im->n_hosts_used,
                       im->n - im->n_placed);
        }
        return 0;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/import-traces/1");
    dcp_json_ku64(&w, "vms", im->n);
    dcp_json_ku64(&w, "skipped", im->n_skipped);
    dcp_json_kstring(&w, "place", o->place);
    dcp_json_ku64(&w, "placed", im->n_placed);
    dcp_json_ku64(&w, "hosts_used", im->n_hosts_used);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static bool
import(const struct dcp_globals *g, const struct options *o,
       const struct dcp_store *store, struct import *im, struct dcp_error *err)
{
    struct dcp_model model = { 0 };
    struct dcp_diag diag = { 0 };
    bool ok = dcp_model_open(g->dir, NULL, &diag, &model, err);

    if (!ok) {
        dcp_ui_diag(g, &diag);
    }
    dcp_diag_finish(&diag);
    ok =
        ok && list_vms(store, im, err) && make_rooms(&model, o->force, im, err);
    if (ok && !strcmp(o->place, "bestfit")) {
        ok = place(model.inventory, im, err);
    }
    for (uint32_t h = 0; ok && h < model.inventory->n_hosts; h++) {
        im->n_hosts_used += im->rooms[h].used;
    }
    ok = ok && write_import(g, o, model.inventory, im, err);
    dcp_model_finish(&model);
    return ok;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    DCP_AUTO(dcp_store) struct dcp_store *store = dcp_store_open(args[0], err);
    struct import im = { 0 };
    int status = -1;

    (void)n_args;
    if (!store) {
        return -1;
    }
    if (strpbrk(o->tier, "\"\\\n")) {
        (void)dcp_fail(err, DCP_E_USAGE, "--tier: '%.60s' is not a name",
                       o->tier);
        return -1;
    }
    int lock = dcp_model_lock(g->dir, err);

    if (lock < 0) {
        return -1;
    }
    if (import(g, o, store, &im, err)) {
        status = print_result(g, o, &im, err);
    }
    dcp_model_unlock(lock);
    free(im.vms);
    free(im.rooms);
    return status;
}

const struct dcp_command dcp_cmd_import_traces = {
    .name = "import traces",
    .summary = "make VMs from a usage store",
    .synopsis = "U.h5 [--tier TIER] [--place bestfit|none] [--force]",
    .details =
        "Makes a VM of each trace in U.h5, with its name and provisioned "
        "sizes, writes them\nto import/vms.csv and adds that to the include "
        "list of dc.yaml.  They start, unless\n--place none, by best fit on "
        "allocations: largest memory first, onto the fullest host\nthat has "
        "room for its memory and for one core per four vCPUs.\n\nExamples:\n"
        "  dcplan import traces usage.h5 --tier live\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
