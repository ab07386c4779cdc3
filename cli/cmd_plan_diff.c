/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Two plans as sets of what they do, whatever the numbers of the steps: both
 * are sorted by the same key and merged. */

#include "cli/commands.h"
#include "cli/plan_open.h"
#include "cli/ui.h"
#include "model/io/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item {
    const char *leg;
    const struct dcp_step *step;
};

static int
compare_objects(struct dcp_object a, struct dcp_object b)
{
    if (a.kind != b.kind) {
        return a.kind < b.kind ? -1 : 1;
    }
    if (a.kind == DCP_OBJECT_NONE || a.ix == b.ix) {
        return 0;
    }
    return a.ix < b.ix ? -1 : 1;
}

/* Of resizes; all others have none. */
static int
compare_sizes(struct dcp_vm_size a, struct dcp_vm_size b)
{
    if (a.vcpus != b.vcpus) {
        return a.vcpus < b.vcpus ? -1 : 1;
    }
    return a.mem_mib < b.mem_mib ? -1 : a.mem_mib > b.mem_mib;
}

/* By what is done; 0 for steps that do the same. */
static int
compare_action(const struct item *a, const struct item *b)
{
    int order = strcmp(a->leg, b->leg);

    order = order ? order : (int)a->step->kind - (int)b->step->kind;
    order = order ? order : compare_objects(a->step->object, b->step->object);
    order = order ? order : compare_objects(a->step->from, b->step->from);
    order = order ? order : compare_objects(a->step->to, b->step->to);
    order = order ? order : compare_sizes(a->step->size_from,
                                          b->step->size_from);
    return order ? order : compare_sizes(a->step->size_to, b->step->size_to);
}

static int
compare(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;
    int order = compare_action(a, b);

    return order                       ? order
           : a->step->id < b->step->id ? -1
                                       : a->step->id > b->step->id;
}

static struct item *
sorted(const struct dcp_plan *plan, struct dcp_error *err)
{
    struct item *items = calloc(plan->n_steps + 1u, sizeof *items);

    if (!items) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to compare plans");
        return NULL;
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        items[i].step = &plan->steps[i];
        items[i].leg = plan->legs[plan->steps[i].leg].name;
    }
    if (plan->n_steps > 1) {
        qsort(items, plan->n_steps, sizeof *items, compare);
    }
    return items;
}

struct output {
    const struct dcp_globals *g;
    const struct dcp_inventory *inv;
    struct dcp_json w;
    uint32_t n_only_a, n_only_b, n_both;
};

static void
print_json_item(struct output *o, const struct item *item, char side)
{
    const struct dcp_step *s = item->step;
    const struct {
        const char *key;
        struct dcp_object object;
    } rows[] = { { "object", s->object },
                 { "from", s->from },
                 { "to", s->to } };

    dcp_json_begin_line(&o->w, '{');
    dcp_json_kstring(&o->w, "in", side == '-' ? "a" : "b");
    dcp_json_kstring(&o->w, "leg", item->leg);
    dcp_json_ku64(&o->w, "id", s->id);
    dcp_json_kstring(&o->w, "kind", dcp_step_kind_name(s->kind));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dcp_json_kstring(&o->w, rows[i].key,
                         rows[i].object.kind == DCP_OBJECT_NONE
                             ? NULL
                             : dcp_object_name(o->inv, rows[i].object));
    }
    if (s->kind == DCP_STEP_VM_RESIZE) {
        dcp_json_ku64(&o->w, "vcpus", s->size_to.vcpus);
        dcp_json_ku64(&o->w, "mem_mib", s->size_to.mem_mib);
    }
    dcp_json_end(&o->w, '}');
}

static void
print_item(struct output *o, const struct item *item, char side)
{
    const struct dcp_step *s = item->step;

    if (s->kind == DCP_STEP_SYNC) {
        return;
    }
    o->n_only_a += side == '-';
    o->n_only_b += side == '+';
    if (o->g->json) {
        print_json_item(o, item, side);
        return;
    }
    printf("%s%c%s %s %s %s:%s",
           !o->g->color_out ? ""
           : side == '-'    ? "\033[31m"
                            : "\033[32m",
           side, o->g->color_out ? "\033[0m" : "", item->leg,
           dcp_step_kind_name(s->kind), dcp_object_kind_name(s->object.kind),
           dcp_object_name(o->inv, s->object));
    if (s->from.kind != DCP_OBJECT_NONE) {
        printf(" %s", dcp_object_name(o->inv, s->from));
    }
    if (s->kind == DCP_STEP_VM_RESIZE) {
        char size[64];

        printf(" to %s", dcp_vm_size_print(s->size_to, size, sizeof size));
    } else if (s->to.kind != DCP_OBJECT_NONE) {
        printf(" -> %s", dcp_object_name(o->inv, s->to));
    }
    putchar('\n');
}

static void
merge(struct output *o, const struct item a[], uint32_t n_a,
      const struct item b[], uint32_t n_b)
{
    uint32_t i = 0, k = 0;

    while (i < n_a || k < n_b) {
        int order = i == n_a ? 1 : k == n_b ? -1 : compare_action(&a[i], &b[k]);

        if (order < 0) {
            print_item(o, &a[i++], '-');
        } else if (order > 0) {
            print_item(o, &b[k++], '+');
        } else {
            i++;
            k++;
            o->n_both++;
        }
    }
}

static int
compare_plans(const struct dcp_globals *g, const struct dcp_inventory *inv,
              const struct dcp_plan *a, const struct dcp_plan *b,
              struct dcp_error *err)
{
    struct output o = { .g = g, .inv = inv };
    DCP_FREE struct item *items_a = sorted(a, err);
    DCP_FREE struct item *items_b = items_a ? sorted(b, err) : NULL;

    if (!items_b) {
        return -1;
    }
    if (g->json) {
        dcp_json_init(&o.w, true);
        dcp_json_begin(&o.w, '{');
        dcp_json_kstring(&o.w, "schema", "dcplan/plan-diff/1");
        dcp_json_kstring(&o.w, "a", a->uuid);
        dcp_json_kstring(&o.w, "b", b->uuid);
        dcp_json_karray(&o.w, "steps");
    }
    merge(&o, items_a, a->n_steps, items_b, b->n_steps);
    if (g->json) {
        dcp_json_end(&o.w, ']');
        dcp_json_ku64(&o.w, "only_a", o.n_only_a);
        dcp_json_ku64(&o.w, "only_b", o.n_only_b);
        dcp_json_ku64(&o.w, "both", o.n_both);
        dcp_json_ku64(&o.w, "hosts_on_after_a", a->hosts_on_after);
        dcp_json_ku64(&o.w, "hosts_on_after_b", b->hosts_on_after);
        dcp_json_kdouble(&o.w, "cost_after_a", a->predicted.cost_after);
        dcp_json_kdouble(&o.w, "cost_after_b", b->predicted.cost_after);
        dcp_json_end(&o.w, '}');
        return dcp_ui_json(&o.w, 0, err);
    }
    printf("%u steps only in the first, %u only in the second, %u in both\n"
           "hosts on %u against %u, cost %.2f against %.2f %s, energy %.1f "
           "against %.1f kWh\n",
           o.n_only_a, o.n_only_b, o.n_both, a->hosts_on_after,
           b->hosts_on_after, a->predicted.cost_after, b->predicted.cost_after,
           b->currency, a->predicted.energy_kwh_after,
           b->predicted.energy_kwh_after);
    return 0;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct dcp_plan_open open;
    int status = -1;

    (void)options;
    (void)n_args;
    if (!dcp_plan_open(g, NULL, args[0], &open, err)) {
        return -1;
    }
    const struct dcp_inventory *inv = open.context.model.inventory;
    DCP_AUTO(dcp_plan) struct dcp_plan *b = dcp_plan_load(inv, args[1], err);

    if (b) {
        status = compare_plans(g, inv, open.plan, b, err);
    }
    dcp_plan_open_close(&open);
    return status;
}

const struct dcp_command dcp_cmd_plan_diff = {
    .name = "plan diff",
    .summary = "compare what two plans do",
    .synopsis = "A B",
    .details = "Prints the steps that only one of the plans has: '-' only the "
               "first, '+' only the\nsecond.  Numbers and order of steps do "
               "not count.\n\nExamples:\n  dcplan plan diff monday.json "
               "tuesday.json\n",
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
