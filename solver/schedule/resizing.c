/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/resizing.h"

#include <stdlib.h>
#include <string.h>

/* What frees most comes first: MiB, and vCPUs as if each had so many. */
#define MIB_PER_VCPU 4096.0

static int
compare(const void *pa, const void *pb)
{
    const struct dcp_resize *a = pa, *b = pb;

    if (a->grow != b->grow) {
        return a->grow ? 1 : -1;
    }
    if (a->saves != b->saves) {
        return a->saves > b->saves ? -1 : 1;
    }
    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

static void
list(struct dcp_resizing *z)
{
    const struct dcp_leg_request *r = z->r;

    for (uint32_t v = 0; v < r->inventory->n_vms; v++) {
        const struct dcp_size_advice *a = &r->advice[v];

        if (!dcp_size_changes(a)) {
            continue;
        }
        z->items[z->n++] = (struct dcp_resize){
            v, a->verdict == DCP_SIZE_UNDERSIZED,
            (double)a->from.mem_mib - (double)a->to.mem_mib +
                ((double)a->from.vcpus - a->to.vcpus) * MIB_PER_VCPU
        };
        z->n_shrinking += a->verdict == DCP_SIZE_OVERSIZED;
    }
    qsort(z->items, z->n, sizeof *z->items, compare);
    for (uint32_t i = 0; i < z->n; i++) {
        z->of_vm[z->items[i].vm] = i;
    }
}

bool
dcp_resizing_init(struct dcp_resizing *z, const struct dcp_leg_request *r,
                  struct dcp_error *err)
{
    uint32_t n = r->inventory->n_vms;

    *z = (struct dcp_resizing){ .r = r };
    if (!r->advice) {
        return true;
    }
    DCP_FREE struct dcp_vm_size *sizes = malloc((n + 1u) * sizeof *sizes);

    z->items = calloc(n + 1u, sizeof *z->items);
    z->of_vm = malloc((n + 1u) * sizeof *z->of_vm);
    z->last_of_app =
        calloc(r->inventory->n_applications + 1u, sizeof *z->last_of_app);
    if (!sizes || !z->items || !z->of_vm || !z->last_of_app) {
        dcp_resizing_finish(z);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for resizes of %u VMs", n);
    }
    memset(z->of_vm, 0xff, (n + 1u) * sizeof *z->of_vm);
    list(z);
    for (uint32_t v = 0; v < n; v++) {
        sizes[v] = dcp_vm_size_least(dcp_vm_size(r->was, v),
                                     dcp_vm_size(r->inventory, v));
    }
    z->least = dcp_inventory_with_sizes(r->inventory, sizes, err);
    if (!z->least) {
        dcp_resizing_finish(z);
        return false;
    }
    return true;
}

void
dcp_resizing_finish(struct dcp_resizing *z)
{
    free(z->least);
    free(z->items);
    free(z->of_vm);
    free(z->amount);
    free(z->last_of_app);
    free(z->last_of_group);
    *z = (struct dcp_resizing){ 0 };
}

const struct dcp_inventory *
dcp_resizing_moves(const struct dcp_resizing *z)
{
    return z->least ? z->least : z->r->inventory;
}

/* What the VM asks of the host at the size that 'sizes' gives it. */
static void
request_at(const struct dcp_problem *p, const struct dcp_inventory *sizes,
           uint32_t vm, uint32_t host, uint32_t out[DCP_SCALARS_MAX])
{
    struct dcp_question q = *p->q;

    q.inventory = sizes;
    dcp_problem_vm_request(&q, vm, sizes->hosts[host].hypervisor, out);
}

bool
dcp_resizing_weigh(struct dcp_resizing *z, const struct dcp_problem *p,
                   struct dcp_error *err)
{
    uint32_t least[DCP_SCALARS_MAX], was[DCP_SCALARS_MAX],
        after[DCP_SCALARS_MAX];

    z->n_scalars = p->n_scalars;
    z->amount = calloc((size_t)z->n * p->n_scalars + 1, sizeof *z->amount);
    z->last_of_group = calloc(p->n_groups + 1u, sizeof *z->last_of_group);
    if (!z->amount || !z->last_of_group) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u resizes", z->n);
    }
    for (uint32_t i = 0; i < z->n; i++) {
        const struct dcp_placement *at =
            z->items[i].grow ? z->r->to : z->r->from;
        uint32_t vm = z->items[i].vm, host = at->host[vm].ix;

        request_at(p, z->least, vm, host, least);
        request_at(p, z->r->was, vm, host, was);
        request_at(p, z->r->inventory, vm, host, after);
        for (uint32_t s = 0; s < p->n_scalars; s++) {
            uint32_t id = p->scalar_id[s];
            uint32_t most = was[id] > after[id] ? was[id] : after[id];

            z->amount[(size_t)i * p->n_scalars + s] =
                most > least[id] ? most - least[id] : 0;
        }
    }
    return true;
}

void
dcp_resizing_rewind(struct dcp_resizing *z, const struct dcp_problem *p)
{
    if (z->n) {
        memset(z->last_of_app, 0,
               z->r->inventory->n_applications * sizeof *z->last_of_app);
        memset(z->last_of_group, 0, p->n_groups * sizeof *z->last_of_group);
    }
}

void
dcp_resizing_begin(const struct dcp_resizing *z, struct dcp_state *s)
{
    for (uint32_t i = 0; i < z->n_shrinking; i++) {
        dcp_resizing_add(z, i, s, z->r->from->host[z->items[i].vm].ix);
    }
}

void
dcp_resizing_add(const struct dcp_resizing *z, uint32_t i, struct dcp_state *s,
                 uint32_t host)
{
    dcp_state_add_scalars(s, z->amount + (size_t)i * z->n_scalars, host);
}

void
dcp_resizing_sub(const struct dcp_resizing *z, uint32_t i, struct dcp_state *s,
                 uint32_t host)
{
    dcp_state_sub_scalars(s, z->amount + (size_t)i * z->n_scalars, host);
}

/* --- Restarts ----------------------------------------------------------- */

/* The VM's k-th hard spread rule; NULL: not one. */
static const struct dcp_group *
spread_of(const struct dcp_problem *p, uint32_t k, uint32_t *out_group)
{
    *out_group = p->group_of[k] & ~DCP_GROUP_OTHER;
    const struct dcp_group *g = &p->groups[*out_group];

    return g->rule->kind == DCP_RULE_SPREAD && !g->rule->soft ? g : NULL;
}

bool
dcp_resizing_waits(const struct dcp_resizing *z, const struct dcp_problem *p,
                   uint32_t i, struct dcp_step_waits *waits)
{
    uint32_t vm = z->items[i].vm, g;
    dcp_application_id app = z->r->inventory->vms[vm].application;

    if (!z->r->advice[vm].cold) {
        return true;
    }
    if (!dcp_application_is_none(app) &&
        !dcp_step_waits_add(waits, z->last_of_app[app.ix])) {
        return false;
    }
    for (uint32_t k = p->group_first[vm]; k < p->group_first[vm + 1]; k++) {
        if (spread_of(p, k, &g) &&
            !dcp_step_waits_add(waits, z->last_of_group[g])) {
            return false;
        }
    }
    return true;
}

void
dcp_resizing_note(struct dcp_resizing *z, const struct dcp_problem *p,
                  uint32_t i, uint32_t id)
{
    uint32_t vm = z->items[i].vm, g;
    dcp_application_id app = z->r->inventory->vms[vm].application;

    if (!z->r->advice[vm].cold) {
        return;
    }
    if (!dcp_application_is_none(app)) {
        z->last_of_app[app.ix] = id;
    }
    for (uint32_t k = p->group_first[vm]; k < p->group_first[vm + 1]; k++) {
        if (spread_of(p, k, &g)) {
            z->last_of_group[g] = id;
        }
    }
}

bool
dcp_resizing_fill(const struct dcp_resizing *z, uint32_t i, uint32_t host,
                  struct dcp_step *step, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = z->r->inventory;
    const struct dcp_size_advice *a = &z->r->advice[z->items[i].vm];
    char why[240];

    step->from = step->to = (struct dcp_object){ DCP_OBJECT_HOST, host };
    step->size_from = a->from;
    step->size_to = a->to;
    step->cold = a->cold;
    step->estimate_ms =
        a->cold ? inv->rightsize.restart_ms : inv->rightsize.hot_ms;
    step->reason_text = dcp_arena_printf(
        arena, "%s: %s", z->items[i].grow ? "undersized" : "oversized",
        dcp_size_reason(inv, a, why, sizeof why));
    return step->reason_text != NULL;
}
