/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RANDOM_EVENTS_H
#define DCP_TESTS_RANDOM_EVENTS_H 1

/* A small datacenter of two kinds of hosts, random samples, and a random
 * history of what can happen to it: VMs move, stop and start, hosts boot and
 * shut down, and some of it fails; also before the window, at its very ends and
 * several things at once. */

#include "model/base/rng.h"
#include "sim/sim.h"
#include "tests/unit/exec_fixture.h"

enum { EVENTS_MAX = 160, EVENTS_TIMES = 24, EVENTS_HOSTS = 6, EVENTS_VMS = 20 };

#define EVENTS_STEP_MS INT64_C(300000)

struct random_events {
    struct fixture f;
    struct dcp_step steps[EVENTS_MAX];
    struct dcp_sim_event events[EVENTS_MAX];
    uint32_t n;
    float values[EVENTS_TIMES * EVENTS_VMS];
    struct dcp_samples samples;
    int64_t from_ms, to_ms;
};

struct events_world { /* While events are drawn. */
    uint32_t at[EVENTS_VMS], moving_by[EVENTS_VMS]; /* Index + 1 of the step. */
    uint32_t power[EVENTS_HOSTS]; /* 0 on, 1 off, else 2 + index of the step. */
};

static inline void
random_events_put(struct random_events *r, int64_t at_ms, uint32_t step,
                  enum dcp_action_phase phase)
{
    r->events[r->n++] = (struct dcp_sim_event){ at_ms, &r->steps[step], phase };
}

static inline enum dcp_action_phase
random_events_end(struct dcp_rng *rng)
{
    return dcp_rng_below(rng, 5) ? DCP_ACTION_DONE : DCP_ACTION_FAILED;
}

static inline void
random_events_vm(struct random_events *r, struct events_world *w,
                 struct dcp_rng *rng, int64_t at_ms)
{
    uint32_t v = (uint32_t)dcp_rng_below(rng, EVENTS_VMS), at = w->at[v];
    uint32_t other = (uint32_t)dcp_rng_below(rng, EVENTS_HOSTS);
    struct dcp_object here = { DCP_OBJECT_HOST, at },
                      there = { DCP_OBJECT_HOST, other };
    struct dcp_step *s = &r->steps[r->n];

    *s = (struct dcp_step){ .id = r->n + 1, .object = { DCP_OBJECT_VM, v } };
    if (w->moving_by[v]) {
        enum dcp_action_phase phase = random_events_end(rng);

        random_events_put(r, at_ms, w->moving_by[v] - 1, phase);
        w->at[v] =
            phase == DCP_ACTION_DONE ? r->steps[w->moving_by[v] - 1].to.ix : at;
        w->moving_by[v] = 0;
    } else if (at == DCP_IX_NONE) {
        s->kind = DCP_STEP_VM_START;
        s->to = there;
        w->at[v] = other;
        random_events_put(r, at_ms, r->n, DCP_ACTION_DONE);
    } else if (other == at) {
        s->kind = DCP_STEP_VM_STOP;
        s->from = here;
        w->at[v] = DCP_IX_NONE;
        random_events_put(r, at_ms, r->n, DCP_ACTION_DONE);
    } else {
        s->kind = DCP_STEP_MIGRATE;
        s->from = here;
        s->to = there;
        w->moving_by[v] = r->n + 1;
        random_events_put(r, at_ms, r->n, DCP_ACTION_STARTED);
    }
}

static inline void
random_events_host(struct random_events *r, struct events_world *w,
                   struct dcp_rng *rng, int64_t at_ms)
{
    uint32_t h = (uint32_t)dcp_rng_below(rng, EVENTS_HOSTS), was = w->power[h];

    if (was < 2) {
        r->steps[r->n] = (struct dcp_step){
            .id = r->n + 1,
            .kind = was ? DCP_STEP_HOST_ON : DCP_STEP_HOST_OFF,
            .object = { DCP_OBJECT_HOST, h },
        };
        w->power[h] = 2 + r->n;
        random_events_put(r, at_ms, r->n, DCP_ACTION_STARTED);
        return;
    }
    enum dcp_action_phase phase = random_events_end(rng);
    bool on = r->steps[was - 2].kind == DCP_STEP_HOST_ON;

    w->power[h] = on == (phase == DCP_ACTION_DONE) ? 0 : 1;
    random_events_put(r, at_ms, was - 2, phase);
}

static inline void
random_events_draw(struct random_events *r, struct dcp_rng *rng)
{
    struct events_world w = { 0 };
    int64_t span_ms = r->to_ms - r->from_ms;
    int64_t at_ms = r->from_ms - span_ms / 10;

    for (uint32_t v = 0; v < EVENTS_VMS; v++) {
        w.at[v] = r->f.plan->before->host[v].ix;
    }
    while (r->n < EVENTS_MAX - 1) {
        int64_t gap_ms = (int64_t)dcp_rng_below(rng, (uint64_t)span_ms / 60);

        switch (dcp_rng_below(rng, 6)) {
        case 0: /* With the event before. */
            break;
        case 1: /* On the next sample's edge. */
            at_ms += EVENTS_STEP_MS -
                     (at_ms - r->samples.start_ms + 100 * EVENTS_STEP_MS) %
                         EVENTS_STEP_MS;
            break;
        default:
            at_ms += gap_ms;
        }
        if (dcp_rng_below(rng, 4)) {
            random_events_vm(r, &w, rng, at_ms);
        } else {
            random_events_host(r, &w, rng, at_ms);
        }
    }
}

/* Free with random_events_finish(). */
static inline void
random_events_make(struct random_events *r, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "events", 0);

    memset(r, 0, sizeof *r);
    fixture_init(&r->f, EVENTS_HOSTS, EVENTS_VMS);
    struct dcp_inventory *inv = r->f.inv;
    struct dcp_hardware *hw =
        dcp_arena_array(inv->arena, struct dcp_hardware, 2);

    hw[0] = hw[1] = inv->hardware[0];
    hw[1].clock_mhz = 2000;
    for (int i = 0; i < DCP_POWER_POINTS; i++) {
        hw[1].power_w[i] = 60 + 3 * i * i;
    }
    inv->hardware = hw;
    inv->n_hardware = 2;
    struct dcp_host *hosts =
        dcp_arena_array(inv->arena, struct dcp_host, EVENTS_HOSTS);

    for (uint32_t h = 0; h < EVENTS_HOSTS; h++) {
        hosts[h] = inv->hosts[h];
        hosts[h].hardware.ix = (h + 1) % 2;
    }
    inv->hosts = hosts;
    inv->policy.migration_cpu_overhead_frac = 0.1;
    for (uint32_t i = 0; i < EVENTS_TIMES * EVENTS_VMS; i++) {
        r->values[i] =
            (float)(dcp_rng_below(&rng, 8) ? dcp_rng_unit(&rng) * 800 : 0);
    }
    r->samples = (struct dcp_samples){ FIXTURE_START_MS, EVENTS_STEP_MS,
                                       EVENTS_TIMES, EVENTS_VMS, r->values };
    r->from_ms = FIXTURE_START_MS + (int64_t)dcp_rng_below(&rng, 400000);
    r->to_ms = FIXTURE_START_MS + EVENTS_TIMES * EVENTS_STEP_MS -
               (int64_t)dcp_rng_below(&rng, 400000);
    random_events_draw(r, &rng);
}

/* Gives some of the VMs shares, limits and reservations, which all hosts
 * enforce; for odd seeds VMs warm up where they start. */
static inline void
random_events_control(struct random_events *r, uint64_t seed)
{
    struct dcp_inventory *inv = r->f.inv;
    struct dcp_rng rng = dcp_rng_stream(seed, "controls", 0);
    struct dcp_hypervisor *hv = dcp_arena_new(inv->arena, struct dcp_hypervisor);
    struct dcp_vm *vms = dcp_arena_array(inv->arena, struct dcp_vm, EVENTS_VMS);

    *hv = inv->hypervisors[0];
    hv->shares = true;
    inv->hypervisors = hv;
    memcpy(vms, inv->vms, EVENTS_VMS * sizeof *vms);
    for (uint32_t v = 0; v < EVENTS_VMS; v++) {
        uint64_t which = dcp_rng_below(&rng, 16);

        vms[v].cpu_shares =
            which & 1 ? 100 + (uint32_t)dcp_rng_below(&rng, 4000) : 0;
        vms[v].cpu_limit_mhz =
            which & 2 ? 300 + (uint32_t)dcp_rng_below(&rng, 500) : 0;
        vms[v].cpu_reservation_mhz =
            which & 4 ? (uint32_t)dcp_rng_below(&rng, 300) : 0;
    }
    inv->vms = vms;
    inv->policy.warmup.time_ms =
        seed % 2 ? (int64_t)dcp_rng_below(&rng, 900000) : 0;
    inv->policy.warmup.cpu_frac = dcp_rng_unit(&rng);
}

static inline void
random_events_finish(struct random_events *r)
{
    fixture_finish(&r->f);
}

static inline struct dcp_sim_input
random_events_input(const struct random_events *r)
{
    return (struct dcp_sim_input){
        .inventory = r->f.inv,
        .cpu = &r->samples,
        .start = r->f.plan->before,
        .from_ms = r->from_ms,
        .to_ms = r->to_ms,
        .events = r->events,
        .n_events = r->n,
    };
}

#endif /* tests/support/random_events.h */
