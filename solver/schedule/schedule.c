/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The second half of scheduling: steps and waits from an order of moves
 * (solver/schedule/move_order.h).
 *
 * Waits for room use a gate per host: the step after which all departures that
 * the next arrival needs are done.  When more departures are needed the gate
 * becomes a sync step that waits for the old gate and the new departures, so
 * the number of waits grows with the number of moves, not its square. */

#include "solver/schedule/steps.h"

#include "model/convert.h"
#include "solver/rules/waits.h"
#include "solver/schedule/move_facts.h"
#include "solver/schedule/parking.h"
#include "solver/schedule/step_waits.h"

#include <stdlib.h>
#include <string.h>

#define VLAN_STEP_MS 2000

/* One departure or arrival of a host, in order. */
struct visit {
    uint32_t vm, step;
    uint32_t next; /* Next one of the host, DCP_IX_NONE: last. */
    bool shrinks;  /* The VM stays, and becomes smaller. */
    int64_t end_ms; /* Departures: as in struct dcp_move. */
};

struct maker {
    const struct dcp_leg_request *r;
    struct dcp_step_list *list;
    const struct dcp_problem *p;
    struct dcp_state *start; /* As the leg begins; arrivals are added to its
                              * sums, departures that were waited for taken
                              * off: the bound of what any order can reach. */
    const struct dcp_leg_room *room;
    uint32_t *last_step_of_vm;
    struct dcp_rule_waits *rule_waits;
    uint32_t *parked; /* VMs that this leg parks, in order. */
    uint32_t n_parked;
    struct dcp_parking_waits parking;
    uint32_t *on_step;       /* By host: the step that switches it on, */
    uint32_t *off_step;      /* and off. */
    uint32_t *gate;          /* By host. */
    struct visit *departure; /* Pool; lists by host through first/last. */
    uint32_t n_departures;
    uint32_t *first_departure;
    uint32_t *touched;        /* By host: VMs still to leave or pass through. */
    uint32_t n_left_on;       /* Of those on at first, not yet switched off. */
    struct dcp_step_waits waits, done; /* done: scratch for host_off. */
    uint32_t *n_arrivals;     /* By host: VMs that come to it. */
    uint32_t *vms_first, *vms; /* VMs by host at the end of the leg. */
    uint32_t *visits_first;    /* By host: list of all steps that touch it. */
    struct visit *visit;
    uint32_t n_visits;
    struct dcp_leg_answer *out;
};

static bool
allocate(struct maker *m, uint32_t n_moves)
{
    uint32_t nh = m->p->n_hosts + 1u, nv = m->p->n_items + 1u;

    m->last_step_of_vm = calloc(nv, sizeof *m->last_step_of_vm);
    m->parked = calloc(nv, sizeof *m->parked);
    if (!m->parked || !dcp_parking_waits_init(&m->parking, m->r->inventory)) {
        return false;
    }
    m->n_parked = dcp_parking_list(m->r->inventory, m->r->from, m->r->to,
                                   m->parked);
    n_moves += m->n_parked + m->room->resizing->n;
    m->on_step = calloc(nh, sizeof *m->on_step);
    m->off_step = calloc(nh, sizeof *m->off_step);
    m->gate = calloc(nh, sizeof *m->gate);
    m->departure = malloc((n_moves + 1u) * sizeof *m->departure);
    m->visit = malloc((2u * n_moves + 1u) * sizeof *m->visit);
    m->first_departure = malloc(nh * sizeof *m->first_departure);
    m->visits_first = malloc(nh * sizeof *m->visits_first);
    m->touched = calloc(nh, sizeof *m->touched);
    m->n_arrivals = calloc(nh, sizeof *m->n_arrivals);
    m->vms_first = calloc(nh, sizeof *m->vms_first);
    m->vms = calloc(nv, sizeof *m->vms);
    if (!m->n_arrivals || !m->vms_first || !m->vms ||
        !m->last_step_of_vm || !m->on_step || !m->off_step || !m->gate || !m->departure ||
        !m->visit || !m->first_departure ||
        !m->visits_first || !m->touched) {
        return false;
    }
    for (uint32_t h = 0; h < nh; h++) {
        m->first_departure[h] = DCP_IX_NONE;
        m->visits_first[h] = DCP_IX_NONE;
    }
    dcp_placement_by_host(m->r->to, m->vms_first, m->vms);
    for (uint32_t v = 0; v + 1 < nv; v++) {

        uint32_t to = m->r->to->host[v].ix;

        if (to != DCP_IX_NONE && m->r->from->host[v].ix != to) {
            m->n_arrivals[to]++;
        }
    }
    return true;
}

static void
release(struct maker *m)
{
    free(m->last_step_of_vm);
    free(m->parked);
    dcp_parking_waits_finish(&m->parking);
    free(m->on_step);
    free(m->off_step);
    free(m->gate);
    free(m->departure);
    free(m->visit);
    free(m->first_departure);
    free(m->visits_first);
    free(m->touched);
    free(m->n_arrivals);
    free(m->vms_first);
    free(m->vms);
    free(m->waits.id);
    free(m->done.id);
}

static struct dcp_step *
add_step(struct maker *m, enum dcp_step_kind kind, struct dcp_object object,
         enum dcp_reason reason)
{
    struct dcp_step *step = dcp_step_list_add(m->list);

    if (step) {
        step->leg = m->r->leg;
        step->kind = kind;
        step->object = object;
        step->reason = reason;
    }
    return step;
}

static struct dcp_object
host_object(uint32_t h)
{
    return (struct dcp_object){ DCP_OBJECT_HOST, h };
}

/* --- Power -------------------------------------------------------------- */

static bool
boots_late(const struct maker *m, uint32_t h)
{
    return m->r->to->on[h] && !m->p->q->start->on[h] && !m->on_step[h];
}

static bool
add_host_on(struct maker *m, uint32_t h)
{
    /* Late, it has the watts of those that went off before. */
    if (boots_late(m, h) &&
        !dcp_step_waits_add_near(&m->waits, m->p->watts, h, m->off_step)) {
        return false;
    }
    const struct dcp_inventory *inv = m->r->inventory;
    const struct dcp_hardware *hw = &inv->hardware[inv->hosts[h].hardware.ix];
    struct dcp_step *step =
        add_step(m, DCP_STEP_HOST_ON, host_object(h), m->r->move_reason);
    uint32_t n = m->n_arrivals[h];

    if (!step) {
        return false;
    }
    step->estimate_ms = hw->boot_ms;
    step->reason_text =
        n ? dcp_arena_printf(m->list->arena, "%u VMs come to it", n)
          : "kept on as headroom for a loss";
    m->on_step[h] = step->id;
    return step->reason_text && dcp_step_waits_take(m->list, step, &m->waits);
}

static double
leg_hours(const struct dcp_leg_request *r)
{
    double hours = 0;

    for (uint32_t t = r->first_slot; t < r->last_slot; t++) {
        const struct dcp_slot *slot = &r->demand->slots[t];

        hours += (double)(slot->end_ms - slot->start_ms) / (double)DCP_HOUR_MS;
    }
    return hours;
}

/* Where so few hosts would be left that policy.keep_on needs those that come
 * on, they come on first. */
static bool
wait_for_others_on(struct maker *m)
{
    if (m->n_left_on-- > m->r->inventory->policy.keep_on) {
        return true;
    }
    for (uint32_t h = 0; h < m->p->n_hosts; h++) {
        if (!dcp_step_waits_add(&m->waits, m->on_step[h])) {
            return false;
        }
    }
    return true;
}

static bool
add_host_off(struct maker *m, uint32_t h)
{
    const struct dcp_inventory *inv = m->r->inventory;
    const struct dcp_hardware *hw = &inv->hardware[inv->hosts[h].hardware.ix];

    for (uint32_t k = m->visits_first[h]; k != DCP_IX_NONE;
         k = m->visit[k].next) {
        if (!dcp_step_waits_add(&m->waits, m->visit[k].step)) {
            return false;
        }
    }
    if (!wait_for_others_on(m)) {
        return false;
    }
    struct dcp_step *step =
        add_step(m, DCP_STEP_HOST_OFF, host_object(h), m->r->off_reason);

    if (!step) {
        return false;
    }
    m->off_step[h] = step->id;

    double hours = leg_hours(m->r);

    step->estimate_ms = hw->shutdown_ms;
    step->reason_text = dcp_arena_printf(
        m->list->arena,
        "empty for %.1f h; idle %.0f W less %.0f W standby: saves %.2f kWh of "
        "IT load",
        hours, hw->power_w[0], hw->sleep_w,
        hours * (hw->power_w[0] - hw->sleep_w) / 1000);
    return step->reason_text && dcp_step_waits_take(m->list, step, &m->waits);
}

/* --- VLANs -------------------------------------------------------------- */

/* The step that trunked the VLAN at the host in this plan; 0: it is trunked
 * already, or ports are not modelled. */
static bool
ensure_trunk(struct maker *m, uint32_t vm, uint32_t h, uint32_t vlan,
             uint32_t *out_step)
{
    const struct dcp_inventory *inv = m->r->inventory;
    const struct dcp_host *host = &inv->hosts[h];
    struct dcp_trunks *t = m->r->trunks;
    bool there = !host->n_ports;

    *out_step = 0;
    for (uint32_t i = 0; i < host->n_ports; i++) {
        there |= dcp_ids_contain(&host->ports[i].vlans, vlan);
    }
    if (there || !t) {
        return true;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->items[i].host == h && t->items[i].vlan == vlan &&
            !t->items[i].gone) {
            *out_step = t->items[i].step;
            return true;
        }
    }
    if (t->n == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct dcp_trunk *more = realloc(t->items, capacity * sizeof *more);

        if (!more) {
            return false;
        }
        t->items = more;
        t->capacity = capacity;
    }
    struct dcp_step *step =
        add_step(m, DCP_STEP_VLAN_TRUNK, host_object(h), DCP_REASON_REACH);

    if (!step) {
        return false;
    }
    step->to = (struct dcp_object){ DCP_OBJECT_VLAN, vlan };
    step->estimate_ms = VLAN_STEP_MS;
    step->reason_text = dcp_arena_printf(
        m->list->arena, "%s needs VLAN %s (%u) on %s", inv->vms[vm].name,
        inv->vlans[vlan].name, inv->vlans[vlan].id, host->name);
    step->after = NULL;
    t->items[t->n++] = (struct dcp_trunk){ h, vlan, step->id, 0 };
    *out_step = step->id;
    return step->reason_text != NULL;
}

/* Takes back trunks that no VM of the end state uses. */
static bool
add_untrunks(struct maker *m)
{
    const struct dcp_inventory *inv = m->r->inventory;
    struct dcp_trunks *t = m->r->trunks;

    for (uint32_t i = 0; t && i < t->n; i++) {
        struct dcp_trunk *trunk = &t->items[i];
        bool used = false;

        for (uint32_t k = m->vms_first[trunk->host];
             k < m->vms_first[trunk->host + 1] && !trunk->gone; k++) {
            used |= dcp_ids_contain(&inv->vms[m->vms[k]].vlans, trunk->vlan);
        }
        if (used || trunk->gone) {
            continue;
        }
        for (uint32_t k = m->visits_first[trunk->host]; k != DCP_IX_NONE;
             k = m->visit[k].next) {
            if (dcp_ids_contain(&inv->vms[m->visit[k].vm].vlans, trunk->vlan) &&
                !dcp_step_waits_add(&m->waits, m->visit[k].step)) {
                return false;
            }
        }
        if (!dcp_step_waits_add(&m->waits, trunk->step)) {
            return false;
        }
        struct dcp_step *step =
            add_step(m, DCP_STEP_VLAN_UNTRUNK, host_object(trunk->host),
                     DCP_REASON_REACH);

        if (!step) {
            return false;
        }
        step->to = (struct dcp_object){ DCP_OBJECT_VLAN, trunk->vlan };
        step->estimate_ms = VLAN_STEP_MS;
        step->reason_text = dcp_arena_printf(
            m->list->arena, "no VM on %s uses VLAN %s any more",
            inv->hosts[trunk->host].name, inv->vlans[trunk->vlan].name);
        trunk->gone = step->id;
        if (!step->reason_text || !dcp_step_waits_take(m->list, step, &m->waits)) {
            return false;
        }
    }
    return true;
}

/* --- Moves -------------------------------------------------------------- */

/* The departures that must be done before the next arrival fits: opens the
 * gate as far as needed. */
static bool
open_gate(struct maker *m, uint32_t h)
{
    uint32_t opened = 0, only = 0;

    while (dcp_state_overloaded(m->start, h) &&
           m->first_departure[h] != DCP_IX_NONE) {
        struct visit *v = &m->departure[m->first_departure[h]];

        m->first_departure[h] = v->next;
        if (v->shrinks) {
            dcp_resizing_sub(m->room->resizing,
                             m->room->resizing->of_vm[v->vm], m->start, h);
        } else {
            dcp_state_sub_load(m->start, v->vm, h);
        }
        opened++;
        only = v->step;
        if (!dcp_step_waits_add(&m->done, v->step)) {
            return false;
        }
    }
    if (!opened) {
        m->done.n = 0;
        return true;
    }
    if (opened == 1 && !m->gate[h]) {
        m->gate[h] = only;
        m->done.n = 0;
        return true;
    }
    if (!dcp_step_waits_add(&m->done, m->gate[h])) {
        return false;
    }
    struct dcp_step *sync =
        add_step(m, DCP_STEP_SYNC, (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                 DCP_REASON_MAKE_ROOM);

    if (!sync) {
        return false;
    }
    sync->reason_text = dcp_arena_printf(m->list->arena, "room on %s",
                                         m->r->inventory->hosts[h].name);
    m->gate[h] = sync->id;
    return sync->reason_text && dcp_step_waits_take(m->list, sync, &m->done);
}

/* Waits of rules that hold always, and of sequences. */
static bool
wait_for_rules(struct maker *m, const struct dcp_move *move)
{
    const uint32_t *steps;
    uint32_t n;
    bool ok = dcp_rule_waits_list(m->rule_waits, move, &steps, &n);

    for (uint32_t i = 0; ok && i < n; i++) {
        ok = dcp_step_waits_add(&m->waits, steps[i]);
    }
    return ok;
}

static void
visit_host(struct maker *m, uint32_t h, uint32_t vm, uint32_t step)
{
    m->visit[m->n_visits] =
        (struct visit){ .vm = vm, .step = step, .next = m->visits_first[h] };
    m->visits_first[h] = m->n_visits++;
}

static void
depart(struct maker *m, uint32_t h, struct visit v)
{
    uint32_t k = m->n_departures++, *at = &m->first_departure[h];

    while (*at != DCP_IX_NONE && m->departure[*at].end_ms <= v.end_ms) {
        at = &m->departure[*at].next;
    }
    v.next = *at;
    m->departure[k] = v;
    *at = k;
}

/* What a park or a restore waits for beside all else. */
static bool
wait_for_parking(struct maker *m, uint32_t vm, uint32_t host)
{
    uint32_t ids[2];

    dcp_parking_waits_get(&m->parking, vm, host, ids);
    return dcp_step_waits_add(&m->waits, ids[0]) && dcp_step_waits_add(&m->waits, ids[1]);
}

/* Parking only gives room, so it waits for no move. */
static bool
add_park(struct maker *m, uint32_t vm)
{
    const struct dcp_inventory *inv = m->r->inventory;
    const struct dcp_park *park = dcp_park_of(inv, vm);
    uint32_t host = m->r->from->host[vm].ix;

    if (!wait_for_parking(m, vm, host)) {
        return false;
    }
    struct dcp_step *step =
        add_step(m, DCP_STEP_VM_PARK, (struct dcp_object){ DCP_OBJECT_VM, vm },
                 DCP_REASON_PARK);

    if (!step) {
        return false;
    }
    step->from = host_object(host);
    step->estimate_ms = park ? dcp_park_ms(park, &inv->vms[vm]) : 0;
    step->reason_text = dcp_arena_printf(
        m->list->arena, "%s for the night: frees %llu MiB of memory on %s",
        park && park->shutdown ? "shut down" : "saved to disk",
        (unsigned long long)inv->vms[vm].mem_mib, inv->hosts[host].name);
    dcp_parking_waits_add(&m->parking, vm, host, step->id);
    m->last_step_of_vm[vm] = step->id;
    depart(m, host, (struct visit){ .vm = vm, .step = step->id });
    visit_host(m, host, vm, step->id);
    return step->reason_text && dcp_step_waits_take(m->list, step, &m->waits);
}

/* A VM that this leg parks may be why a rule lets another come. */
static bool
wait_for_parked(struct maker *m, uint32_t vm)
{
    const struct dcp_problem *p = m->p;

    for (uint32_t k = p->group_first[vm];
         m->n_parked && k < p->group_first[vm + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        for (uint32_t i = 0; i < g->n_items + g->n_others; i++) {
            uint32_t w =
                i < g->n_items ? g->items[i] : g->others[i - g->n_items];

            if (dcp_host_is_none(m->r->to->host[w]) &&
                !dcp_step_waits_add(&m->waits, m->last_step_of_vm[w])) {
                return false;
            }
        }
    }
    return true;
}

static bool
add_move(struct maker *m, const struct dcp_move *move)
{
    const struct dcp_inventory *inv = m->r->inventory;
    bool comes = move->from == DCP_IX_NONE;
    const struct dcp_park *park = comes ? dcp_park_of(inv, move->vm) : NULL;
    enum dcp_reason reason = park           ? DCP_REASON_WAKE
                             : comes        ? DCP_REASON_PLACE
                             : move->bypass ? DCP_REASON_BYPASS
                                            : m->r->move_reason;
    bool converts = dcp_conversion_between(inv, (dcp_host_id){ move->from },
                                           (dcp_host_id){ move->to });

    reason = converts ? DCP_REASON_CONVERT : reason;
    if (boots_late(m, move->to) && !add_host_on(m, move->to)) {
        return false;
    }
    dcp_state_add_load(m->start, move->vm, move->to);
    if (!open_gate(m, move->to)) {
        return false;
    }
    for (uint32_t i = 0; i < inv->vms[move->vm].vlans.n; i++) {
        uint32_t step;

        if (!ensure_trunk(m, move->vm, move->to, inv->vms[move->vm].vlans.ix[i],
                          &step) ||
            !dcp_step_waits_add(&m->waits, step)) {
            return false;
        }
    }
    if (!dcp_step_waits_add(&m->waits, m->gate[move->to]) ||
        !dcp_step_waits_add(&m->waits, m->on_step[move->to]) ||
        !dcp_step_waits_add(&m->waits, m->last_step_of_vm[move->vm]) ||
        !wait_for_rules(m, move) || !wait_for_parked(m, move->vm) ||
        (park && !wait_for_parking(m, move->vm, move->to))) {
        return false;
    }
    struct dcp_step *step = add_step(
        m,
        park    ? DCP_STEP_VM_RESTORE
        : comes ? DCP_STEP_VM_START
                : DCP_STEP_MIGRATE,
        (struct dcp_object){ DCP_OBJECT_VM, move->vm }, reason);

    if (!step) {
        return false;
    }
    step->to = host_object(move->to);
    if (move->from != DCP_IX_NONE) {
        step->from = host_object(move->from);
        dcp_move_estimate(m->start, m->room->paths, m->room->n_slots, move,
                          step);
        depart(m, move->from,
               (struct visit){ .vm = move->vm,
                               .step = step->id,
                               .end_ms = move->end_ms });
        visit_host(m, move->from, move->vm, step->id);
        m->out->moved_mib += step->mem_mib;
        if ((reason == DCP_REASON_EMPTY_HOST ||
             reason == DCP_REASON_CONVERT) && !m->r->to->on[move->from]) {
            step->frees = host_object(move->from);
        }
    } else {
        step->estimate_ms =
            park ? dcp_restore_ms(park, &inv->vms[move->vm]) : 30000;
    }
    if (park) {
        dcp_parking_waits_add(&m->parking, move->vm, move->to, step->id);
    }
    visit_host(m, move->to, move->vm, step->id);
    step->reason_text = dcp_move_text(m->start, move, reason, m->list->arena);
    m->last_step_of_vm[move->vm] = step->id;
    dcp_rule_waits_note(m->rule_waits, move, step->id);
    return step->reason_text && dcp_step_waits_take(m->list, step, &m->waits);
}

/* A VM becomes smaller where it is, before it moves, or larger where it ends,
 * once there is room. */
static bool
add_resize(struct maker *m, uint32_t i)
{
    struct dcp_resizing *z = m->room->resizing;
    uint32_t vm = z->items[i].vm;
    bool grow = z->items[i].grow;
    uint32_t host = (grow ? m->r->to : m->r->from)->host[vm].ix;

    if (grow) {
        dcp_resizing_add(z, i, m->start, host);
    }
    if ((grow && !open_gate(m, host)) ||
        (grow && !dcp_step_waits_add(&m->waits, m->gate[host])) ||
        !dcp_step_waits_add(&m->waits, m->last_step_of_vm[vm]) ||
        !dcp_resizing_waits(z, m->p, i, &m->waits)) {
        return false;
    }
    struct dcp_step *step =
        add_step(m, DCP_STEP_VM_RESIZE,
                 (struct dcp_object){ DCP_OBJECT_VM, vm },
                 DCP_REASON_RIGHTSIZE);

    if (!step || !dcp_resizing_fill(z, i, host, step, m->list->arena)) {
        return false;
    }
    if (!grow) {
        depart(m, host,
               (struct visit){ .vm = vm, .step = step->id, .shrinks = true });
    }
    visit_host(m, host, vm, step->id);
    m->last_step_of_vm[vm] = step->id;
    dcp_resizing_note(z, m->p, i, step->id);
    return dcp_step_waits_take(m->list, step, &m->waits);
}

/* Counts, per host that will be off, the moves that still touch it. */
static void
count_touches(struct maker *m, const struct dcp_move_order *order)
{
    for (uint32_t i = 0; i < order->n; i++) {
        if (order->moves[i].from != DCP_IX_NONE) {
            m->touched[order->moves[i].from]++;
        }
        m->touched[order->moves[i].to]++;
    }
    for (uint32_t i = 0; i < m->n_parked; i++) {
        m->touched[m->r->from->host[m->parked[i]].ix]++;
    }
}

static bool
switch_off_if_done(struct maker *m, uint32_t h)
{
    if (h == DCP_IX_NONE || --m->touched[h] > 0) {
        return true;
    }
    return !(m->r->from->on[h] && !m->r->to->on[h]) || add_host_off(m, h);
}

static bool
make_steps(struct maker *m, const struct dcp_move_order *order)
{
    const struct dcp_placement *from = m->r->from, *to = m->r->to;
    uint32_t n = m->p->n_hosts;
    bool ok = true;

    m->n_left_on = dcp_placement_n_on(from);
    for (uint32_t h = 0; ok && h < n; h++) {
        ok = from->on[h] || !to->on[h] || boots_late(m, h) ||
             add_host_on(m, h);
    }
    count_touches(m, order);
    for (uint32_t h = 0; ok && h < n; h++) {
        /* Empty already: off at once. */
        ok = !from->on[h] || to->on[h] || m->touched[h] || add_host_off(m, h);
    }
    for (uint32_t i = 0; ok && i < m->n_parked; i++) {
        ok = add_park(m, m->parked[i]) &&
             switch_off_if_done(m, from->host[m->parked[i]].ix);
    }
    const struct dcp_resizing *z = m->room->resizing;

    for (uint32_t i = 0; ok && i < z->n_shrinking; i++) {
        ok = add_resize(m, i);
    }
    for (uint32_t i = 0; ok && i < order->n; i++) {
        const struct dcp_move *move = &order->moves[i];

        m->out->n_moves += move->from != DCP_IX_NONE;
        m->out->n_bypasses += move->bypass;
        ok = add_move(m, move) && switch_off_if_done(m, move->from) &&
             switch_off_if_done(m, move->to);
    }
    for (uint32_t h = 0; ok && h < n; h++) {
        ok = !boots_late(m, h) || add_host_on(m, h);
    }
    for (uint32_t i = z->n_shrinking; ok && i < z->n; i++) {
        ok = add_resize(m, i);
    }
    return ok && add_untrunks(m);
}

bool
dcp_schedule_make_steps(const struct dcp_leg_request *r,
                        const struct dcp_leg_room *room,
                        const struct dcp_move_order *order,
                        struct dcp_step_list *list, struct dcp_leg_answer *out,
                        struct dcp_error *err)
{
    struct maker m = { .r = r,
                       .list = list,
                       .p = room->most->p,
                       .start = room->most,
                       .room = room,
                       .out = out };
    m.rule_waits = dcp_rule_waits_create(m.p, r->from, order, err);

    bool ok = m.rule_waits && allocate(&m, order->n) && make_steps(&m, order);

    dcp_rule_waits_destroy(m.rule_waits);
    release(&m);
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for %u steps", order->n);
}
