/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/named.h"
#include "cli/new_vm.h"
#include "cli/place.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/script/judge_model.h"
#include "solver/compile/overlay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASONS_SHOWN 5u

/* What is printed of one VM's ranking. */
struct answer {
    const struct dcp_problem *p;
    const struct dcp_place_args *args;
    uint32_t item;
    struct dcp_place_ranking ranking;
};

static const struct dcp_inventory *
inventory_of(const struct answer *a)
{
    return a->p->q->inventory;
}

static const char *
host_name(const struct answer *a, uint32_t host)
{
    return inventory_of(a)->hosts[host].name;
}

static const struct dcp_vm *
first_vm(const struct answer *a)
{
    return &inventory_of(a)->vms[a->p->vm[a->p->vm_first[a->item]]];
}

static uint32_t
n_shown(const struct answer *a)
{
    uint32_t n = a->ranking.n_candidates;

    return a->args->all_hosts || n < a->args->top ? n : (uint32_t)a->args->top;
}

/* Of the refusals, how many have the same rule as number 'i', where it is the
 * first of them; 0: it is not the first. */
static uint32_t
count_rule(const struct dcp_place_ranking *r, uint32_t i)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < i; k++) {
        if (!strcmp(r->refused[k].why.rule, r->refused[i].why.rule)) {
            return 0;
        }
    }
    for (uint32_t k = i; k < r->n_refused; k++) {
        n += !strcmp(r->refused[k].why.rule, r->refused[i].why.rule);
    }
    return n;
}

/* --- JSON --------------------------------------------------------------- */

/* "mem_mib_left", "vcpu_millicores_left", "gpu_left" ... */
static void
json_left(struct dcp_json *w, const struct dcp_problem *p, uint32_t r,
          uint32_t left)
{
    uint32_t id = p->scalar_id[r];
    char key[96];

    if (id == DCP_SCALAR_MEM) {
        (void)snprintf(key, sizeof key, "mem_mib_left");
    } else if (id == DCP_SCALAR_VCPU) {
        (void)snprintf(key, sizeof key, "vcpu_millicores_left");
    } else {
        const char *unit = id == DCP_SCALAR_RESERVED ? "_mhz"
                           : id < DCP_SCALAR_EXTRA   ? "_mib"
                                                     : "";

        (void)snprintf(key, sizeof key, "%.60s%s_left",
                       dcp_scalar_name(p->q->inventory, id), unit);
    }
    dcp_json_ku64(w, key, left);
}

static void
json_candidates(struct dcp_json *w, const struct answer *a)
{
    dcp_json_ku64(w, "hosts_that_take_it", a->ranking.n_candidates);
    dcp_json_karray(w, "candidates");
    for (uint32_t i = 0; i < n_shown(a); i++) {
        const struct dcp_place_candidate *c = &a->ranking.candidates[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "host", host_name(a, c->host));
        dcp_json_kdouble(w, "score", c->score);
        dcp_json_ku64(w, "cpu_mhz_left", c->cpu_mhz_left);
        for (uint32_t r = 0; r < a->p->n_scalars; r++) {
            json_left(w, a->p, r, c->scalar_left[r]);
        }
        if (a->p->net_kib_s) {
            dcp_json_ku64(w, "net_kib_s_left", c->net_kib_s_left);
        }
        dcp_json_kbool(w, "is_on", !c->wakes);
        dcp_json_kbool(w, "is_there_now", c->is_home);
        dcp_json_kstring(w, "breaks_soft",
                         c->soft_rule[0] ? c->soft_rule : NULL);
        if (c->headroom_checked) {
            dcp_json_kbool(w, "keeps_headroom", true);
        } else {
            dcp_json_knull(w, "keeps_headroom");
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_why_not(struct dcp_json *w, const struct answer *a)
{
    const struct dcp_place_ranking *r = &a->ranking;
    uint32_t n = a->args->all_hosts || r->n_refused < REASONS_SHOWN * 4
                     ? r->n_refused
                     : REASONS_SHOWN * 4;

    dcp_json_karray(w, "refused");
    for (uint32_t i = 0; i < r->n_refused; i++) {
        uint32_t hosts = count_rule(r, i);

        if (hosts) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "rule", r->refused[i].why.rule);
            dcp_json_ku64(w, "hosts", hosts);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "why_not");
    for (uint32_t i = 0; i < n; i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "host", host_name(a, r->refused[i].host));
        dcp_place_json_refusal(w, &r->refused[i].why);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

/* The rule that most hosts name; NULL: none refuses. */
static const struct dcp_place_refused *
main_reason(const struct dcp_place_ranking *r, uint32_t *out_hosts)
{
    const struct dcp_place_refused *best = NULL;

    *out_hosts = 0;
    for (uint32_t i = 0; i < r->n_refused; i++) {
        uint32_t n = count_rule(r, i);

        if (n > *out_hosts) {
            *out_hosts = n;
            best = &r->refused[i];
        }
    }
    return best;
}

static void
json_answer(struct dcp_json *w, const struct answer *a)
{
    const struct dcp_vm *vm = first_vm(a);
    uint32_t hosts;
    const struct dcp_place_refused *main = main_reason(&a->ranking, &hosts);
    bool fits = a->ranking.n_candidates > 0;

    dcp_json_kstring(w, "status", fits ? "feasible" : "infeasible");
    dcp_json_karray(w, "because");
    if (!fits && main) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "rule", main->why.rule);
        dcp_json_kstring(w, "object", host_name(a, main->host));
        dcp_json_kdouble(w, "need", main->why.need);
        dcp_json_kdouble(w, "have", main->why.have);
        dcp_json_kstring(w, "text", main->why.text);
        dcp_json_ku64(w, "hosts", hosts);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_kobject(w, "vm");
    dcp_json_kstring(w, "name", vm->name);
    dcp_json_ku64(w, "vcpus", vm->vcpus);
    dcp_json_ku64(w, "mem_mib", vm->mem_mib);
    dcp_json_kstring(w, "tier", inventory_of(a)->tiers[vm->tier.ix].name);
    dcp_json_ku64(w, "cpu_mhz", a->p->cpu_peak_mhz[a->item]);
    dcp_json_karray(w, "moves_with");
    for (uint32_t k = a->p->vm_first[a->item] + 1;
         k < a->p->vm_first[a->item + 1]; k++) {
        dcp_json_string(w, inventory_of(a)->vms[a->p->vm[k]].name);
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
    dcp_json_kbool(w, "headroom_before", a->ranking.headroom_before);
    json_candidates(w, a);
    json_why_not(w, a);
}

/* --- People ------------------------------------------------------------- */

static void
print_candidate(const struct answer *a, const struct dcp_place_candidate *c)
{
    char cpu[32], mem[32] = "";

    dcp_print_human(DCP_DIM_CPU, c->cpu_mhz_left, cpu, sizeof cpu);
    dcp_print_human(DCP_DIM_SIZE, c->scalar_left[0], mem, sizeof mem);
    printf("  %-20s %5.1f  %10s %10s", host_name(a, c->host), c->score, cpu,
           mem);
    for (uint32_t r = 1; r < a->p->n_scalars; r++) {
        uint32_t id = a->p->scalar_id[r];

        if (id == DCP_SCALAR_VCPU) {
            printf("  %.1f cores", c->scalar_left[r] / 1000.0);
        } else {
            printf("  %s %u%s%s", dcp_scalar_name(inventory_of(a), id),
                   c->scalar_left[r], *dcp_scalar_unit(id) ? " " : "",
                   dcp_scalar_unit(id));
        }
    }
    printf("%s%s%s%s\n", c->wakes ? "  (off: switch it on)" : "",
           c->is_home ? "  (is there now)" : "",
           c->soft_rule[0] ? "  breaks soft rule " : "", c->soft_rule);
}

static void
print_refusals(const struct answer *a)
{
    const struct dcp_place_ranking *r = &a->ranking;
    uint32_t shown = 0;

    for (uint32_t i = 0; i < r->n_refused; i++) {
        uint32_t n = a->args->all_hosts ? 1 : count_rule(r, i);

        if (!n || (!a->args->all_hosts && shown++ >= REASONS_SHOWN)) {
            continue;
        }
        printf("  %-20s no: %s\n", host_name(a, r->refused[i].host),
               r->refused[i].why.text);
        if (r->refused[i].why.remedy[0]) {
            printf("  %-20s     %s\n", "", r->refused[i].why.remedy);
        }
        if (n > 1) {
            printf("  %-20s     and %u more hosts for %s\n", "", n - 1,
                   r->refused[i].why.rule);
        }
    }
}

static void
print_answer(const struct answer *a)
{
    const struct dcp_vm *vm = first_vm(a);
    uint32_t n = n_shown(a),
             others = a->p->vm_first[a->item + 1] - a->p->vm_first[a->item] - 1;
    uint32_t n_checked = 0;
    char mem[32];

    for (uint32_t i = 0; i < a->ranking.n_candidates; i++) {
        n_checked += a->ranking.candidates[i].headroom_checked;
    }
    dcp_print_human(DCP_DIM_SIZE, (double)vm->mem_mib, mem, sizeof mem);
    printf("%s: %u vCPUs, %s, tier %s, planned at most %u MHz; %u of %u hosts "
           "take it",
           vm->name, vm->vcpus, mem, inventory_of(a)->tiers[vm->tier.ix].name,
           a->p->cpu_peak_mhz[a->item], a->ranking.n_candidates, a->p->n_hosts);
    if (a->p->q->headroom && a->ranking.headroom_before &&
        n_checked < a->ranking.n_candidates) {
        printf(" (headroom played for the best %u)", n_checked);
    }
    putchar('\n');
    if (others) {
        printf("  with %u more VMs that rules keep on its host\n", others);
    }
    if (!a->ranking.headroom_before) {
        printf("  headroom is broken already: %s\n", a->ranking.headroom.text);
    }
    if (n) {
        printf("  %-20s %5s  %10s %10s\n", "host", "score", "CPU left",
               "memory");
    }
    for (uint32_t i = 0; i < n; i++) {
        print_candidate(a, &a->ranking.candidates[i]);
    }
    print_refusals(a);
}

/* --- Asking ------------------------------------------------------------- */

/* At least one: whether any host takes the VM is the answer. */
static uint32_t
to_check(const struct dcp_place_args *args)
{
    return args->top > UINT32_MAX ? UINT32_MAX
           : args->top            ? (uint32_t)args->top
                                  : 1;
}

/* Ranks the marked items and prints; the exit status. */
static int
answer_items(struct dcp_place_world *world, struct dcp_state *s,
             const uint8_t *marked, struct dcp_error *err)
{
    const struct dcp_place_args *args = world->args;
    struct dcp_place_options o = { .limit = to_check(args),
                                   .wake = args->wake,
                                   .spread = args->spread };
    struct dcp_json w;
    uint32_t n = 0, n_none = 0;
    bool ok = true;

    for (uint32_t i = 0; i < s->p->n_items; i++) {
        n += marked[i];
    }
    if (args->all_hosts && s->n_on <= 200) {
        o.limit = 0;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/place/1");
    if (!n) {
        dcp_json_kstring(&w, "status", "nothing_to_do");
    }
    if (n != 1) {
        dcp_json_karray(&w, "vms");
    }
    for (uint32_t i = 0; ok && i < s->p->n_items; i++) {
        struct answer a = { .p = s->p, .args = args, .item = i };

        if (!marked[i]) {
            continue;
        }
        ok = dcp_place_rank(s, i, &o, &a.ranking, err);
        n_none += ok && !a.ranking.n_candidates;
        if (ok && world->g->json) {
            if (n > 1) {
                dcp_json_begin(&w, '{');
            }
            json_answer(&w, &a);
            if (n > 1) {
                dcp_json_end(&w, '}');
            }
        } else if (ok) {
            print_answer(&a);
        }
        dcp_place_ranking_finish(&a.ranking);
    }
    if (n != 1) {
        dcp_json_end(&w, ']');
    }
    if (n > 1) {
        dcp_json_kstring(&w, "status", n_none ? "infeasible" : "feasible");
    }
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(world->g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    int status = n_none ? 3 : 0;

    if (ok && world->g->json) {
        return dcp_ui_json(&w, status, err);
    }
    dcp_json_finish(&w);
    if (ok && !n) {
        printf("every VM has a host; name VMs to rank hosts for them\n");
    }
    return ok ? status : -1;
}

static int
ask(struct dcp_place_world *world, const struct dcp_question *q,
    const uint8_t *marked_vms, struct dcp_error *err)
{
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s) {
        return -1;
    }
    DCP_FREE uint8_t *items = calloc(p->n_items + 1u, 1);

    if (!items) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to rank hosts");
        return -1;
    }
    for (uint32_t v = 0; v < q->inventory->n_vms; v++) {
        items[p->item_of_vm[v]] |= marked_vms[v];
    }
    return answer_items(world, s, items, err);
}

static int
rank_new(struct dcp_place_world *world, struct dcp_error *err)
{
    const struct dcp_model *m = &world->context.model;
    const struct dcp_place_args *args = world->args;
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_new_vm vm;
    struct dcp_overlay o;

    if (!arena) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a VM");
        return -1;
    }
    if (!dcp_new_vm_parse(m->inventory, arena, args->vm, args->tier,
                          args->tenant, &vm, err)) {
        (void)dcp_fail_in(err, "--vm");
        return -1;
    }
    if (!dcp_overlay_create(m->inventory, world->demand, m->placement, &vm.vm,
                            vm.volumes, vm.n_volumes, 1, &o, err)) {
        return -1;
    }
    if (!dcp_judge_model(&o.inventory, o.first_vm, o.arena, err)) {
        dcp_overlay_finish(&o);
        return -1;
    }
    struct dcp_question q =
        dcp_place_question(&o.inventory, &o.demand, o.placement, args->wake);
    DCP_FREE uint8_t *marked = calloc(o.inventory.n_vms + 1u, 1);
    int status = -1;

    if (marked) {
        marked[o.first_vm] = 1;
        status = ask(world, &q, marked, err);
    } else {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to rank hosts");
    }
    dcp_overlay_finish(&o);
    return status;
}

int
dcp_place_run_rank(struct dcp_place_world *world, uint32_t n_words,
                   char *const words[], struct dcp_error *err)
{
    const struct dcp_inventory *inv = world->context.model.inventory;
    const struct dcp_placement *now = world->context.model.placement;
    struct dcp_question q =
        dcp_place_question(inv, world->demand, now, world->args->wake);

    if (world->args->vm) {
        return rank_new(world, err);
    }
    DCP_FREE uint8_t *marked = calloc(inv->n_vms + 1u, 1);

    if (!marked) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to rank hosts");
        return -1;
    }
    if (!dcp_named_vms(inv, n_words, words, marked, err)) {
        return -1;
    }
    for (uint32_t v = 0; !n_words && v < inv->n_vms; v++) {
        marked[v] = dcp_host_is_none(now->host[v]);
    }
    return ask(world, &q, marked, err);
}
