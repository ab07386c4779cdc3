/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Per host with VLAN steps the sets of its ports are followed through the plan
 * in the listed order; each VLAN step keeps its port and the set before it.
 * All other facts can be read off the step itself. */

#include "model/plan_facts.h"

#include <stdlib.h>
#include <string.h>

struct port_fact {
    const struct dcp_port *port;
    struct dcp_ids before;
};

struct dcp_plan_facts {
    const struct dcp_inventory *inv;
    const struct dcp_plan *plan;
    struct dcp_arena *arena;
    const struct port_fact **by_step; /* By id - 1; NULL: no VLAN step. */
};

const char *
dcp_fact_kind_name(enum dcp_fact_kind kind)
{
    switch (kind) {
    case DCP_FACT_VM_HOST:
        return "vm_host";
    case DCP_FACT_VM_STATE:
        return "vm_state";
    case DCP_FACT_HOST_VMS:
        return "host_vms";
    case DCP_FACT_HOST_POWER:
        return "host_power";
    case DCP_FACT_VOLUME_POOL:
        return "volume_pool";
    case DCP_FACT_PORT_VLANS:
        return "port_vlans";
    case DCP_FACT_VM_SIZE:
        return "vm_size";
    }
    return "?";
}

static bool
is_vlan_step(const struct dcp_step *s)
{
    return (s->kind == DCP_STEP_VLAN_TRUNK ||
            s->kind == DCP_STEP_VLAN_UNTRUNK) &&
           s->object.kind == DCP_OBJECT_HOST && s->to.kind == DCP_OBJECT_VLAN;
}

static bool
has_driver(const struct dcp_inventory *inv, const struct dcp_port *port)
{
    return !dcp_switch_is_none(port->to) &&
           inv->switches[port->to.ix].driver[0];
}

static const struct dcp_port *
pick_port(const struct dcp_inventory *inv, const struct dcp_host *host,
          const struct dcp_ids sets[], const struct dcp_step *s)
{
    const struct dcp_port *first = NULL;

    for (uint32_t i = 0; i < host->n_ports; i++) {
        if (!has_driver(inv, &host->ports[i])) {
            continue;
        }
        if (s->kind == DCP_STEP_VLAN_UNTRUNK &&
            dcp_ids_contain(&sets[i], s->to.ix)) {
            return &host->ports[i];
        }
        first = first ? first : &host->ports[i];
    }
    return first;
}

/* 'set' with the step's VLAN added or taken away. */
static bool
apply(struct dcp_arena *arena, const struct dcp_step *s, struct dcp_ids *set)
{
    uint32_t vlan = s->to.ix, n = 0;
    bool add = s->kind == DCP_STEP_VLAN_TRUNK;

    if (dcp_ids_contain(set, vlan) == add) {
        return true;
    }
    uint32_t *ix = dcp_arena_array(arena, uint32_t, set->n + 1u);

    if (!ix) {
        return false;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        if (add && set->ix[i] > vlan) {
            ix[n++] = vlan;
            add = false;
        }
        if (set->ix[i] != vlan) {
            ix[n++] = set->ix[i];
        }
    }
    if (add) {
        ix[n++] = vlan;
    }
    *set = (struct dcp_ids){ ix, n };
    return true;
}

/* Follows one VLAN step; 'sets' are the host's ports' sets so far. */
static bool
follow(struct dcp_plan_facts *f, const struct dcp_step *s,
       struct dcp_ids **sets)
{
    const struct dcp_host *host = &f->inv->hosts[s->object.ix];

    if (!*sets) {
        *sets = dcp_arena_array(f->arena, struct dcp_ids, host->n_ports + 1u);
        for (uint32_t i = 0; *sets && i < host->n_ports; i++) {
            (*sets)[i] = host->ports[i].vlans;
        }
    }
    struct port_fact *fact = dcp_arena_new(f->arena, struct port_fact);

    if (!*sets || !fact) {
        return false;
    }
    fact->port = pick_port(f->inv, host, *sets, s);
    f->by_step[s->id - 1] = fact;
    if (!fact->port) {
        return true;
    }
    struct dcp_ids *set = &(*sets)[fact->port - host->ports];

    fact->before = *set;
    return apply(f->arena, s, set);
}

static bool
index_vlans(struct dcp_plan_facts *f)
{
    DCP_FREE struct dcp_ids **sets = NULL; /* By host; NULL: untouched. */

    for (uint32_t i = 0; i < f->plan->n_steps; i++) {
        const struct dcp_step *s = &f->plan->steps[i];

        if (!is_vlan_step(s) || s->id != i + 1) {
            continue;
        }
        if (!sets) {
            sets = calloc(f->inv->n_hosts + 1u, sizeof *sets);
        }
        if (!sets || !follow(f, s, &sets[s->object.ix])) {
            return false;
        }
    }
    return true;
}

struct dcp_plan_facts *
dcp_plan_facts_create(const struct dcp_inventory *inv,
                      const struct dcp_plan *plan, struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_plan_facts *f =
        arena ? dcp_arena_new(arena, struct dcp_plan_facts) : NULL;

    if (f) {
        *f =
            (struct dcp_plan_facts){ .inv = inv, .plan = plan, .arena = arena };
        f->by_step = dcp_arena_array(arena, const struct port_fact *,
                                     plan->n_steps + 1u);
    }
    if (!f || !f->by_step || !index_vlans(f)) {
        dcp_arena_destroy(arena);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a plan's facts");
        return NULL;
    }
    return f;
}

void
dcp_plan_facts_destroy(struct dcp_plan_facts *f)
{
    if (f) {
        dcp_arena_destroy(f->arena);
    }
}

const struct dcp_port *
dcp_plan_facts_port(const struct dcp_plan_facts *f, uint32_t id)
{
    const struct port_fact *fact = f->by_step[id - 1];

    return fact ? fact->port : NULL;
}

/* State of the VM before a step of this kind; NULL: no fact. */
static const char *
vm_state_before(enum dcp_step_kind kind)
{
    switch (kind) {
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_RESIZE:
        return "running";
    case DCP_STEP_VM_CREATE:
        return "absent";
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_DESTROY:
        return "stopped";
    case DCP_STEP_VM_RESTORE:
        return "parked";
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
    case DCP_STEP_SYNC:
        break;
    }
    return NULL;
}

static uint32_t
vm_facts(const struct dcp_step *s, struct dcp_fact out[])
{
    uint32_t n = 0;
    const char *state = vm_state_before(s->kind);

    if (s->from.kind == DCP_OBJECT_HOST) {
        out[n++] = (struct dcp_fact){ .kind = DCP_FACT_VM_HOST,
                                      .object = s->object,
                                      .host = s->from };
    }
    if (state) {
        out[n++] = (struct dcp_fact){ .kind = DCP_FACT_VM_STATE,
                                      .object = s->object,
                                      .word = state };
    }
    if (s->kind == DCP_STEP_VM_RESIZE) {
        out[n++] = (struct dcp_fact){ .kind = DCP_FACT_VM_SIZE,
                                      .object = s->object,
                                      .size = s->size_from };
    }
    return n;
}

uint32_t
dcp_plan_facts_of(const struct dcp_plan_facts *f, uint32_t id,
                  struct dcp_fact out[DCP_STEP_FACTS_MAX])
{
    const struct dcp_step *s = &f->plan->steps[id - 1];
    const struct port_fact *port = f->by_step[id - 1];

    if (s->object.kind == DCP_OBJECT_VM) {
        return vm_facts(s, out);
    }
    if (s->kind == DCP_STEP_VOLUME_MOVE) {
        out[0] = (struct dcp_fact){ .kind = DCP_FACT_VOLUME_POOL,
                                    .object = s->object,
                                    .host = s->from };
        return 1;
    }
    if (s->object.kind == DCP_OBJECT_HOST && s->kind == DCP_STEP_HOST_OFF) {
        out[0] =
            (struct dcp_fact){ .kind = DCP_FACT_HOST_VMS, .object = s->object };
        return 1;
    }
    if (s->object.kind == DCP_OBJECT_HOST && s->kind == DCP_STEP_HOST_ON) {
        out[0] = (struct dcp_fact){ .kind = DCP_FACT_HOST_POWER,
                                    .object = s->object,
                                    .word = "off" };
        return 1;
    }
    if (port && port->port) {
        out[0] = (struct dcp_fact){ .kind = DCP_FACT_PORT_VLANS,
                                    .object = s->object,
                                    .nic = port->port->nic,
                                    .vlans = port->before };
        return 1;
    }
    return 0;
}

bool
dcp_step_undo(const struct dcp_step *s, struct dcp_undo *out)
{
    /* Steps whose undoing is another kind, and takes 'from' and 'to' the other
     * way round; VLAN steps keep 'to'. */
    static const struct {
        enum dcp_step_kind kind, undo;
    } pairs[] = {
        { DCP_STEP_MIGRATE, DCP_STEP_MIGRATE },
        { DCP_STEP_VM_CREATE, DCP_STEP_VM_DESTROY },
        { DCP_STEP_VM_START, DCP_STEP_VM_STOP },
        { DCP_STEP_VM_STOP, DCP_STEP_VM_START },
        { DCP_STEP_VM_PARK, DCP_STEP_VM_RESTORE },
        { DCP_STEP_VM_RESTORE, DCP_STEP_VM_PARK },
        { DCP_STEP_VM_RESIZE, DCP_STEP_VM_RESIZE },
        { DCP_STEP_VOLUME_CREATE, DCP_STEP_VOLUME_DELETE },
        { DCP_STEP_VOLUME_MOVE, DCP_STEP_VOLUME_MOVE },
        { DCP_STEP_VLAN_TRUNK, DCP_STEP_VLAN_UNTRUNK },
        { DCP_STEP_VLAN_UNTRUNK, DCP_STEP_VLAN_TRUNK },
        { DCP_STEP_IP_ALLOCATE, DCP_STEP_IP_RELEASE },
        { DCP_STEP_HOST_ON, DCP_STEP_HOST_OFF },
        { DCP_STEP_HOST_OFF, DCP_STEP_HOST_ON },
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].kind != s->kind || s->converts) {
            continue;
        }
        bool vlan =
            s->kind == DCP_STEP_VLAN_TRUNK || s->kind == DCP_STEP_VLAN_UNTRUNK;

        *out = (struct dcp_undo){ .kind = pairs[i].undo,
                                  .object = s->object,
                                  .from = vlan ? s->from : s->to,
                                  .to = vlan ? s->to : s->from,
                                  .size_from = s->size_to,
                                  .size_to = s->size_from };
        return true;
    }
    return false;
}
