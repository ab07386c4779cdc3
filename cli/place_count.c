/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/new_vm.h"
#include "cli/place.h"
#include "cli/ui.h"
#include "model/script/judge_model.h"
#include "solver/compile/overlay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPIES_MAX 1000000u

struct counting {
    struct dcp_place_world *world;
    struct dcp_new_vm vm;
    struct dcp_place_bound bound;
    struct dcp_place_count count;
};

/* Asks about an overlay of 'n' copies; 'fill': places them, else bounds. */
static bool
ask(struct counting *k, uint32_t n, bool fill, struct dcp_error *err)
{
    const struct dcp_model *m = &k->world->context.model;
    struct dcp_place_options options = { .wake = k->world->args->wake,
                                         .spread = k->world->args->spread };
    struct dcp_overlay o;

    if (!dcp_overlay_create(m->inventory, k->world->demand, m->placement,
                            &k->vm.vm, k->vm.volumes, k->vm.n_volumes, n, &o,
                            err)) {
        return false;
    }
    if (!dcp_judge_model(&o.inventory, o.first_vm, o.arena, err)) {
        dcp_overlay_finish(&o);
        return false;
    }
    struct dcp_question q =
        dcp_place_question(&o.inventory, &o.demand, o.placement, options.wake);
    struct dcp_problem *p = dcp_problem_create(&q, err);
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;
    uint32_t *items = malloc((n + 1u) * sizeof *items);
    bool ok = s != NULL;

    if (ok && !items) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n);
    }
    for (uint32_t i = 0; ok && i < n; i++) {
        items[i] = p->item_of_vm[o.first_vm + i];
    }
    if (ok && fill) {
        ok = dcp_place_fill(s, items, n, &options, &k->count, err);
    } else if (ok) {
        dcp_place_bounds(s, items[0], &options, &k->bound);
    }
    free(items);
    dcp_state_destroy(s);
    dcp_problem_destroy(p);
    dcp_overlay_finish(&o);
    return ok;
}

/* Where only room on hosts ends it no other arrangement holds more. */
static bool
is_exact(const struct dcp_place_count *c)
{
    return c->maximal && strcmp(c->binding, "n+1") != 0 &&
           strcmp(c->binding, "rules") != 0;
}

static int
print_json(const struct counting *k, struct dcp_error *err)
{
    const struct dcp_inventory *inv = k->world->context.model.inventory;
    const struct dcp_place_count *c = &k->count;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/place/1");
    dcp_json_kstring(&w, "status", is_exact(c) ? "optimal" : "feasible");
    dcp_json_ku64(&w, "how_many", c->n);
    dcp_json_ku64(&w, "hosts_used", c->n_hosts);
    dcp_json_kbool(&w, "maximal", c->maximal);
    dcp_json_ku64(&w, "bound_by_sums", k->bound.by_sums);
    dcp_json_kstring(&w, "bound_resource", k->bound.resource);
    dcp_json_ku64(&w, "bound_by_hosts", k->bound.by_hosts);
    dcp_json_kstring(&w, "binding", c->binding[0] ? c->binding : NULL);
    dcp_json_ku64(&w, "hosts_refusing", c->n_refusing);
    dcp_json_karray(&w, "because");
    if (c->example.kind != DCP_REFUSAL_NONE) {
        dcp_json_begin_line(&w, '{');
        dcp_place_json_refusal(&w, &c->example);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "vm");
    dcp_json_kstring(&w, "size", k->world->args->how_many);
    dcp_json_ku64(&w, "vcpus", k->vm.vm.vcpus);
    dcp_json_ku64(&w, "mem_mib", k->vm.vm.mem_mib);
    dcp_json_kstring(&w, "tier", inv->tiers[k->vm.vm.tier.ix].name);
    dcp_json_end(&w, '}');
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(k->world->g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static void
print_text(const struct counting *k)
{
    const struct dcp_inventory *inv = k->world->context.model.inventory;
    const struct dcp_place_count *c = &k->count;

    printf("%u more VMs of %s (%u vCPUs, %llu MiB, tier %s) fit%s%s\n", c->n,
           k->world->args->how_many, k->vm.vm.vcpus,
           (unsigned long long)k->vm.vm.mem_mib,
           inv->tiers[k->vm.vm.tier.ix].name,
           inv->policy.n_survive ? ", with headroom kept" : "",
           c->maximal ? "" : " at least; the search was cut short");
    if (c->n) {
        printf("  on %u hosts that are on%s\n", c->n_hosts,
               k->world->args->wake ? " or can be switched on" : "");
    }
    if (c->binding[0]) {
        printf("  %s binds: %u hosts refuse the next one for it%s%s\n",
               c->binding, c->n_refusing, c->example.text[0] ? ": " : "",
               c->example.text);
    }
    printf("  at most %llu by the sum of %s, %llu host by host, without rules "
           "and headroom\n",
           (unsigned long long)k->bound.by_sums, k->bound.resource,
           (unsigned long long)k->bound.by_hosts);
}

int
dcp_place_run_count(struct dcp_place_world *world, struct dcp_error *err)
{
    const struct dcp_inventory *inv = world->context.model.inventory;
    const struct dcp_place_args *args = world->args;
    struct counting k = { .world = world };
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    if (!arena) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a VM");
        return -1;
    }
    if (!dcp_new_vm_parse(inv, arena, args->how_many, args->tier, args->tenant,
                          &k.vm, err)) {
        (void)dcp_fail_in(err, "--how-many");
        return -1;
    }
    if (!ask(&k, 1, false, err)) {
        return -1;
    }
    uint32_t n = k.bound.by_hosts < COPIES_MAX ? (uint32_t)k.bound.by_hosts + 1
                                               : COPIES_MAX;

    if (!ask(&k, n, true, err)) {
        return -1;
    }
    if (world->g->json) {
        return print_json(&k, err);
    }
    print_text(&k);
    return 0;
}
