/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/state.h"

#include "model/capacity.h"

#include <stdlib.h>
#include <string.h>

#define S_PER_MS 0.001

void
dcp_sim_moments_add(struct sim_moments *m, double value)
{
    double delta = value - m->mean;

    m->n++;
    m->mean += delta / m->n;
    m->m2 += delta * (value - m->mean);
}

/* --- Building ----------------------------------------------------------- */

static uint32_t
site_column(const struct dcp_inventory *inv, dcp_site_id site)
{
    return dcp_site_is_none(site) ? inv->n_sites : site.ix;
}

static dcp_site_id
rack_site(const struct dcp_inventory *inv, dcp_rack_id rack)
{
    if (dcp_rack_is_none(rack) || dcp_room_is_none(inv->racks[rack.ix].room)) {
        return inv->n_sites == 1 ? (dcp_site_id){ 0 } : dcp_site_none();
    }
    return inv->rooms[inv->racks[rack.ix].room.ix].site;
}

static void
sum_constants(struct dcp_sim *sim)
{
    const struct dcp_inventory *inv = sim->inv;

    for (uint32_t i = 0; i < inv->n_switches; i++) {
        sim->constants_w[site_column(inv,
                                     rack_site(inv, inv->switches[i].rack))] +=
            inv->switches[i].power_w;
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        sim->constants_w[site_column(inv,
                                     rack_site(inv, inv->arrays[i].rack))] +=
            inv->arrays[i].power_w;
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        sim->constants_w[site_column(inv,
                                     rack_site(inv, inv->servers[i].rack))] +=
            inv->servers[i].power_w;
    }
}

static double
vm_mem_mib(const struct dcp_sim *sim, uint32_t vm, uint32_t host)
{
    uint32_t request[DCP_SCALARS_MAX];

    dcp_vm_request_at(sim->inv, (dcp_vm_id){ vm },
                      dcp_placement_size(sim->inv, sim->out->end, vm),
                      sim->inv->hosts[host].hypervisor, request);
    return request[DCP_SCALAR_MEM];
}

/* The VM's memory comes to the host (sign 1) or leaves it (-1). */
static void
count_memory(struct dcp_sim *sim, uint32_t host, uint32_t vm, double sign)
{
    struct sim_host *h = &sim->hosts[host];
    struct dcp_vm_size size = dcp_placement_size(sim->inv, sim->out->end, vm);
    double overhead_mib = dcp_memory_overhead_mib(sim->inv, host, size);

    h->mem_mib += sign * vm_mem_mib(sim, vm, host);
    h->overhead_mib += sign * overhead_mib;
    h->given_mib += sign * dcp_memory_of(sim->inv, vm, host, size).consumed_mib;
}

static bool
add_vm(struct dcp_sim *sim, uint32_t host, uint32_t vm, struct dcp_error *err)
{
    struct sim_host *h = &sim->hosts[host];

    if (h->n_vms == h->vms_capacity) {
        uint32_t capacity = h->vms_capacity ? 2 * h->vms_capacity : 8;
        uint32_t *vms = realloc(h->vms, capacity * sizeof *vms);

        if (!vms) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay");
        }
        h->vms = vms;
        h->vms_capacity = capacity;
    }
    h->vms[h->n_vms++] = vm;
    h->n_controlled +=
        h->enforces && dcp_contention_applies(&sim->inv->vms[vm]);
    count_memory(sim, host, vm, 1);
    sim->out->end->host[vm].ix = host;
    return true;
}

static void
remove_vm(struct dcp_sim *sim, uint32_t host, uint32_t vm)
{
    struct sim_host *h = &sim->hosts[host];
    uint32_t i = 0;

    while (i < h->n_vms && h->vms[i] != vm) {
        i++;
    }
    if (i == h->n_vms) {
        return;
    }
    memmove(&h->vms[i], &h->vms[i + 1], (h->n_vms - i - 1) * sizeof *h->vms);
    h->n_vms--;
    h->n_controlled -=
        h->enforces && dcp_contention_applies(&sim->inv->vms[vm]);
    count_memory(sim, host, vm, -1);
    if (sim->memory) {
        sim->memory[vm] = (struct dcp_guest_memory){ 0 };
    }
    sim->out->end->host[vm] = dcp_host_none();
}

static void
init_host(struct dcp_sim *sim, uint32_t host)
{
    struct sim_host *h = &sim->hosts[host];
    dcp_host_id id = { host };
    struct dcp_capacity capacity = dcp_host_capacity(sim->inv, id);

    *h = (struct sim_host){
        .power = sim->in->start->on[host] ? DCP_SIM_ON : DCP_SIM_OFF,
        .since_ms = sim->in->from_ms,
        .on_since_ms = sim->in->from_ms,
        .capacity_mhz = capacity.cpu_mhz,
        .target_mhz = dcp_host_usable(sim->inv, id).cpu_mhz,
        .mem_capacity_mib = capacity.scalar[DCP_SCALAR_MEM],
        .enforces = dcp_contention_enforced(sim->inv, host),
        .site = site_column(sim->inv, dcp_host_site(sim->inv, id)),
    };
}

bool
dcp_sim_state_init(struct dcp_sim *sim, struct dcp_error *err)
{
    const struct dcp_inventory *inv = sim->inv;

    sim->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *sim->hosts);
    sim->placed_ms = calloc((size_t)inv->n_vms + 1, sizeof *sim->placed_ms);
    sim->constants_w =
        calloc((size_t)inv->n_sites + 1, sizeof *sim->constants_w);
    sim->host_history_mhz = calloc((size_t)DCP_SIM_HISTORY * inv->n_hosts + 1,
                                   sizeof *sim->host_history_mhz);
    sim->contenders = calloc((size_t)inv->n_vms + 1, sizeof *sim->contenders);
    bool overcommits = dcp_memory_overcommits(inv);
    bool faults =
        overcommits && inv->policy.swap.touches_per_s && inv->policy.swap.iops;

    if (overcommits) {
        sim->guests = calloc((size_t)inv->n_vms + 1, sizeof *sim->guests);
        if (faults) {
            sim->busy_vcpus =
                calloc((size_t)inv->n_vms + 1, sizeof *sim->busy_vcpus);
        }
        sim->memory = calloc((size_t)inv->n_vms + 1, sizeof *sim->memory);
    }
    if (inv->policy.warmup.time_ms > 0) {
        sim->warmups = dcp_warmups_create(inv->n_vms, err);
        if (!sim->warmups) {
            return false;
        }
    }
    sim->vm_slot_ready_s =
        calloc((size_t)inv->n_vms + 1, sizeof *sim->vm_slot_ready_s);
    sim->waiting = calloc((size_t)inv->n_vms + 1, sizeof *sim->waiting);
    if (!sim->hosts || !sim->placed_ms || !sim->constants_w ||
        !sim->host_history_mhz || !sim->contenders || !sim->vm_slot_ready_s ||
        !sim->waiting || (overcommits && (!sim->guests || !sim->memory)) ||
        (faults && !sim->busy_vcpus)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a replay");
    }
    sim->overhead_frac = inv->policy.migration_cpu_overhead_frac;
    sim->moves_since_ms = sim->in->from_ms;
    sum_constants(sim);
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        init_host(sim, h);
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_host_id host = sim->in->start->host[v];

        sim->placed_ms[v] = sim->in->from_ms;
        if (dcp_host_is_none(host)) {
            sim->out->vms_unplaced++;
        } else if (!add_vm(sim, host.ix, v, err)) {
            return false;
        }
    }
    return true;
}

void
dcp_sim_state_finish(struct dcp_sim *sim)
{
    for (uint32_t h = 0; sim->hosts && h < sim->inv->n_hosts; h++) {
        free(sim->hosts[h].vms);
    }
    free(sim->hosts);
    free(sim->moves);
    free(sim->placed_ms);
    free(sim->constants_w);
    free(sim->host_history_mhz);
    dcp_warmups_destroy(sim->warmups);
    free(sim->contenders);
    free(sim->guests);
    free(sim->busy_vcpus);
    free(sim->memory);
    free(sim->slowdowns);
    free(sim->stopped_frac);
    free(sim->vm_slot_ready_s);
    free(sim->waiting);
}

/* --- Events ------------------------------------------------------------- */

/* What happened before the window put things where they are at its start; it
 * is not of what the window's figures tell. */
static bool
in_window(const struct dcp_sim *sim, int64_t at_ms)
{
    return at_ms >= sim->in->from_ms;
}

static bool
begin_warmup(struct dcp_sim *sim, uint32_t vm, int64_t at_ms,
             struct dcp_error *err)
{
    if (!sim->warmups) {
        return true;
    }
    sim->out->warmups += in_window(sim, at_ms);
    return dcp_warmups_begin(sim->warmups, vm,
                             at_ms + sim->inv->policy.warmup.time_ms, err);
}

static bool
add_and_settle(struct dcp_sim *sim, uint32_t host, uint32_t vm, int64_t at_ms,
               struct dcp_error *err)
{
    if (!add_vm(sim, host, vm, err)) {
        return false;
    }
    dcp_sim_settle_memory(sim, host, at_ms);
    return true;
}

static bool
start_move(struct dcp_sim *sim, const struct dcp_step *s, int64_t at_ms,
           struct dcp_error *err)
{
    uint32_t vm = s->object.ix;
    double mhz = dcp_sim_want(sim, s->from.ix, vm).want_mhz;

    if (sim->n_moves == sim->moves_capacity) {
        uint32_t capacity = sim->moves_capacity ? 2 * sim->moves_capacity : 64;
        struct sim_move *moves = realloc(sim->moves, capacity * sizeof *moves);

        if (!moves) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a migration");
        }
        sim->moves = moves;
        sim->moves_capacity = capacity;
    }
    sim->moves[sim->n_moves++] =
        (struct sim_move){ vm, s->from.ix, s->to.ix, s->id, at_ms, mhz };
    sim->hosts[s->from.ix].out_mhz += mhz;
    sim->hosts[s->to.ix].in_mhz += mhz;
    return true;
}

static bool
end_move(struct dcp_sim *sim, const struct dcp_step *s, int64_t at_ms,
         bool done, struct dcp_error *err)
{
    uint32_t vm = s->object.ix, i = 0;

    while (i < sim->n_moves && sim->moves[i].vm != vm) {
        i++;
    }
    if (i == sim->n_moves) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "VM '%s' ends a migration that did not start",
                        sim->inv->vms[vm].name);
    }
    struct sim_move move = sim->moves[i];

    /* Order kept, so that sums do not depend on history. */
    memmove(&sim->moves[i], &sim->moves[i + 1],
            (sim->n_moves - i - 1) * sizeof *sim->moves);
    sim->n_moves--;
    sim->hosts[move.from].out_mhz -= move.mhz;
    sim->hosts[move.to].in_mhz -= move.mhz;
    bool counts = in_window(sim, at_ms);

    dcp_sim_count_want(sim, move.from, vm, -1);
    dcp_sim_end_slowdown(sim, move.from, vm);
    if (!done) {
        dcp_sim_count_want(sim, move.from, vm, 1);
        sim->out->migrations_failed += counts;
        return true;
    }
    remove_vm(sim, move.from, vm);
    dcp_sim_settle_memory(sim, move.from, at_ms);
    if (s->cold && !begin_warmup(sim, vm, at_ms, err)) {
        return false;
    }
    dcp_sim_count_want(sim, move.to, vm, 1);
    if (counts) {
        int64_t stayed_ms = move.start_ms - sim->placed_ms[vm];

        sim->out->migrations++;
        dcp_sim_moments_add(&sim->migration_length,
                            (double)(at_ms - move.start_ms) * S_PER_MS);
        /* One that began before the window stayed for none of it. */
        dcp_sim_moments_add(&sim->migration,
                            stayed_ms > 0 ? (double)stayed_ms * S_PER_MS : 0);
        sim->placed_ms[vm] = at_ms;
    }
    return add_and_settle(sim, move.to, vm, at_ms, err);
}

static void
switch_host(struct dcp_sim *sim, uint32_t host, enum dcp_sim_power power,
            int64_t at_ms)
{
    struct sim_host *h = &sim->hosts[host];
    bool counts = in_window(sim, at_ms);

    if (counts && h->power == DCP_SIM_ON && power == DCP_SIM_STOPPING) {
        dcp_sim_moments_add(&sim->shutdown,
                            (double)(at_ms - h->on_since_ms) * S_PER_MS);
    }
    if (counts && power == DCP_SIM_ON) {
        h->on_since_ms = at_ms;
        sim->out->host_boots += h->power == DCP_SIM_BOOTING;
    }
    if (counts && h->power == DCP_SIM_STOPPING && power == DCP_SIM_OFF) {
        sim->out->host_shutdowns++;
        sim->out->hosts[host].shutdowns++;
    }
    h->power = power;
    sim->out->end->on[host] = power == DCP_SIM_ON;
}

static bool
appear(struct dcp_sim *sim, const struct dcp_step *s, int64_t at_ms,
       struct dcp_error *err)
{
    if (!begin_warmup(sim, s->object.ix, at_ms, err)) {
        return false;
    }
    dcp_sim_count_want(sim, s->to.ix, s->object.ix, 1);
    if (in_window(sim, at_ms)) {
        sim->placed_ms[s->object.ix] = at_ms;
    }
    return add_and_settle(sim, s->to.ix, s->object.ix, at_ms, err);
}

static bool
apply_vm(struct dcp_sim *sim, const struct dcp_sim_event *e,
         struct dcp_error *err)
{
    const struct dcp_step *s = e->step;

    if (s->to.kind == DCP_OBJECT_HOST) {
        dcp_sim_integrate(sim, s->to.ix, e->at_ms);
    }
    if (s->from.kind == DCP_OBJECT_HOST) {
        dcp_sim_integrate(sim, s->from.ix, e->at_ms);
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        dcp_sim_integrate_moves(sim, e->at_ms);
        return e->phase == DCP_ACTION_STARTED
                   ? start_move(sim, s, e->at_ms, err)
                   : end_move(sim, s, e->at_ms, e->phase == DCP_ACTION_DONE,
                              err);
    }
    if (e->phase != DCP_ACTION_DONE) {
        return true;
    }
    if (s->to.kind == DCP_OBJECT_HOST) {
        return appear(sim, s, e->at_ms, err);
    }
    if (s->from.kind == DCP_OBJECT_HOST) {
        dcp_sim_count_want(sim, s->from.ix, s->object.ix, -1);
        if (sim->warmups) {
            dcp_warmups_forget(sim->warmups, s->object.ix);
        }
        remove_vm(sim, s->from.ix, s->object.ix);
        dcp_sim_settle_memory(sim, s->from.ix, e->at_ms);
    }
    return true;
}

/* Takes hold at its end; what the VM uses stays what was measured, but its size
 * says what a warm-up adds and what a migration leaves. */
static bool
resize(struct dcp_sim *sim, const struct dcp_sim_event *e,
       struct dcp_error *err)
{
    const struct dcp_step *s = e->step;
    uint32_t vm = s->object.ix, host = s->from.ix;

    if (e->phase != DCP_ACTION_DONE) {
        return true;
    }
    dcp_sim_integrate(sim, host, e->at_ms);
    count_memory(sim, host, vm, -1);
    dcp_sim_count_want(sim, host, vm, -1);
    if (!dcp_placement_resize(sim->out->end, sim->inv, vm, s->size_to, err) ||
        (s->cold && !begin_warmup(sim, vm, e->at_ms, err))) {
        return false;
    }
    dcp_sim_count_want(sim, host, vm, 1);
    dcp_sim_update_moves(sim, host, e->at_ms);
    count_memory(sim, host, vm, 1);
    dcp_sim_settle_memory(sim, host, e->at_ms);
    return true;
}

/* For who looks at pools: the engine itself does not. */
static bool
move_volume(struct dcp_sim *sim, const struct dcp_sim_event *e,
            struct dcp_error *err)
{
    const struct dcp_step *s = e->step;

    if (e->phase != DCP_ACTION_DONE) {
        return true;
    }
    if (!dcp_placement_own_pools(sim->out->end, sim->inv, err)) {
        return false;
    }
    sim->out->end->pool[s->object.ix] = (dcp_pool_id){ s->to.ix };
    return true;
}

bool
dcp_sim_state_apply(struct dcp_sim *sim, const struct dcp_sim_event *e,
                    struct dcp_error *err)
{
    const struct dcp_step *s = e->step;
    bool on = s->kind == DCP_STEP_HOST_ON;

    switch (s->kind) {
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
        return apply_vm(sim, e, err);
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
        dcp_sim_integrate(sim, s->object.ix, e->at_ms);
        if (e->phase == DCP_ACTION_STARTED) {
            switch_host(sim, s->object.ix,
                        on ? DCP_SIM_BOOTING : DCP_SIM_STOPPING, e->at_ms);
        } else {
            switch_host(sim, s->object.ix,
                        on == (e->phase == DCP_ACTION_DONE) ? DCP_SIM_ON
                                                            : DCP_SIM_OFF,
                        e->at_ms);
        }
        return true;
    case DCP_STEP_VM_RESIZE:
        return resize(sim, e, err);
    case DCP_STEP_VOLUME_MOVE:
        return move_volume(sim, e, err);
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
    return true;
}
