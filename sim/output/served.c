/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/served.h"

#include <stdlib.h>

struct host_clock {
    bool serves;
    int64_t gone_ms;  /* Up to 'since_ms'. */
    int64_t since_ms; /* Of 'serves'. */
};

struct stay {
    dcp_host_id host;
    int64_t came_ms; /* What the host's clock showed then. */
};

struct dcp_served {
    uint32_t n_vms;
    int64_t from_ms;
    struct host_clock *clocks; /* By host; owned, as are those below. */
    struct stay *stays;        /* By VM. */
    int64_t *ms;               /* Of stays that are over. */
};

static int64_t
clock_at(const struct host_clock *c, int64_t at_ms)
{
    return c->gone_ms + (c->serves ? at_ms - c->since_ms : 0);
}

/* --- Life --------------------------------------------------------------- */

struct dcp_served *
dcp_served_create(const struct dcp_sim_input *in, struct dcp_error *err)
{
    uint32_t n_hosts = in->inventory->n_hosts, n_vms = in->inventory->n_vms;
    DCP_AUTO(dcp_served) struct dcp_served *s = calloc(1, sizeof *s);

    if (s) {
        s->n_vms = n_vms;
        s->from_ms = in->from_ms;
        s->clocks = calloc((size_t)n_hosts + 1, sizeof *s->clocks);
        s->stays = calloc((size_t)n_vms + 1, sizeof *s->stays);
        s->ms = calloc((size_t)n_vms + 1, sizeof *s->ms);
    }
    if (!s || !s->clocks || !s->stays || !s->ms) {
        (void)dcp_fail(err, DCP_E_NOMEM,
                       "no memory for VMs' time with a place");
        return NULL;
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        s->clocks[h] =
            (struct host_clock){ in->start->on[h] != 0, 0, in->from_ms };
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        s->stays[v].host = in->start->host[v];
    }
    return DCP_STEAL(s);
}

void
dcp_served_destroy(struct dcp_served *s)
{
    if (!s) {
        return;
    }
    free(s->clocks);
    free(s->stays);
    free(s->ms);
    free(s);
}

/* --- Events ------------------------------------------------------------- */

static void
switch_host(struct dcp_served *s, const struct dcp_sim_event *e, int64_t at_ms)
{
    struct host_clock *c = &s->clocks[e->step->object.ix];
    bool on = e->step->kind == DCP_STEP_HOST_ON;

    *c = (struct host_clock){ e->phase != DCP_ACTION_STARTED &&
                                  on == (e->phase == DCP_ACTION_DONE),
                              clock_at(c, at_ms), at_ms };
}

static void
settle(struct dcp_served *s, uint32_t vm, int64_t at_ms)
{
    struct stay *stay = &s->stays[vm];

    if (!dcp_host_is_none(stay->host)) {
        int64_t now_ms = clock_at(&s->clocks[stay->host.ix], at_ms);

        s->ms[vm] += now_ms - stay->came_ms;
        stay->came_ms = now_ms;
    }
}

static void
place(struct dcp_served *s, uint32_t vm, struct dcp_object where, int64_t at_ms)
{
    settle(s, vm, at_ms);
    s->stays[vm].host = dcp_host_none();
    if (where.kind == DCP_OBJECT_HOST) {
        s->stays[vm] = (struct stay){ { where.ix },
                                      clock_at(&s->clocks[where.ix], at_ms) };
    }
}

/* 'then': where it is once the step is done. */
static void
move_vm(struct dcp_served *s, const struct dcp_sim_event *e,
        struct dcp_object then, int64_t at_ms)
{
    const struct dcp_step *step = e->step;

    if (e->phase == DCP_ACTION_DONE) {
        place(s, step->object.ix, then, at_ms);
    } else if (step->cold) { /* Shut down for it, and started again. */
        place(s, step->object.ix,
              e->phase == DCP_ACTION_STARTED ? (struct dcp_object){ 0 }
                                             : step->from,
              at_ms);
    }
}

void
dcp_served_see(struct dcp_served *s, const struct dcp_sim_event *e)
{
    int64_t at_ms = e->at_ms > s->from_ms ? e->at_ms : s->from_ms;

    switch (e->step->kind) {
    case DCP_STEP_HOST_ON:
    case DCP_STEP_HOST_OFF:
        switch_host(s, e, at_ms);
        break;
    case DCP_STEP_VM_RESIZE:
        move_vm(s, e, e->step->from, at_ms);
        break;
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
        move_vm(s, e, e->step->to, at_ms);
        break;
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
}

const int64_t *
dcp_served_ms(struct dcp_served *s, int64_t at_ms)
{
    for (uint32_t v = 0; v < s->n_vms; v++) {
        settle(s, v, at_ms);
    }
    return s->ms;
}
