/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SIM_AUDIT_H
#define DCP_TESTS_SIM_AUDIT_H 1

/* A second bookkeeper for replays: a watch that keeps its own world from the
 * events alone, integrates every host anew between any two moments at which
 * something happens, and compares with the engine after each slice.  Slow and
 * plain on purpose.  Fails the test (Check) at the first difference. */

#include "model/capacity.h"
#include "model/power.h"
#include "sim/watch.h"

#include <check.h>
#include <math.h>

enum { AUDIT_HOSTS_MAX = 16, AUDIT_VMS_MAX = 64 };

struct audit_host {
    enum dcp_sim_power power;
    double on_s, off_s, switching_s, overload_s, unmet_mhz_s, asked_mhz_s, it_j;
    double held_mhz_s, slowed_mhz_s;
};

struct audit {
    const struct dcp_sim_input *in;
    int64_t now_ms;
    uint32_t slice;
    bool placed[AUDIT_VMS_MAX], moving[AUDIT_VMS_MAX];
    uint32_t at[AUDIT_VMS_MAX], to[AUDIT_VMS_MAX]; /* to, step: while moving. */
    uint32_t step[AUDIT_VMS_MAX];
    int64_t warm_until_ms[AUDIT_VMS_MAX]; /* Up to now: it is not. */
    double stopped_frac[AUDIT_VMS_MAX];   /* Of those that migrate. */
    double warmup_mhz_s;
    struct audit_host hosts[AUDIT_HOSTS_MAX];
    double vm_unmet_mhz_s[AUDIT_VMS_MAX], vm_ready_s[AUDIT_VMS_MAX];
    double vm_served_s[AUDIT_VMS_MAX]; /* With a place on a host that serves. */
    uint32_t n_events;
};

static inline void
audit_begin(struct audit *a, const struct dcp_sim_input *in)
{
    *a = (struct audit){ .in = in, .now_ms = in->from_ms };
    ck_assert_uint_le(in->inventory->n_hosts, AUDIT_HOSTS_MAX);
    ck_assert_uint_le(in->inventory->n_vms, AUDIT_VMS_MAX);
    for (uint32_t v = 0; v < in->inventory->n_vms; v++) {
        a->placed[v] = !dcp_host_is_none(in->start->host[v]);
        a->at[v] = in->start->host[v].ix;
    }
    for (uint32_t h = 0; h < in->inventory->n_hosts; h++) {
        a->hosts[h].power = in->start->on[h] ? DCP_SIM_ON : DCP_SIM_OFF;
    }
}

/* --- Integration -------------------------------------------------------- */

static inline const float *
audit_row(const struct audit *a, int64_t at_ms)
{
    const struct dcp_samples *cpu = a->in->cpu;

    return cpu->value +
           (size_t)((at_ms - cpu->start_ms) / cpu->interval_ms) * cpu->n_vms;
}

static inline double
audit_watts(const struct audit *a, uint32_t h, double load, double capacity)
{
    const struct dcp_inventory *inv = a->in->inventory;
    const struct dcp_hardware *hw = &inv->hardware[inv->hosts[h].hardware.ix];

    switch (a->hosts[h].power) {
    case DCP_SIM_ON:
        return dcp_power_at(hw, load / capacity);
    case DCP_SIM_BOOTING:
        return hw->boot_w;
    case DCP_SIM_STOPPING:
        return hw->shutdown_w;
    case DCP_SIM_OFF:
        break;
    }
    return hw->sleep_w;
}

static inline void
audit_host_time(struct audit_host *host, double seconds)
{
    if (host->power == DCP_SIM_ON) {
        host->on_s += seconds;
    } else if (host->power == DCP_SIM_OFF) {
        host->off_s += seconds;
    } else {
        host->switching_s += seconds;
    }
}

static inline double
audit_factor(const struct audit *a, uint32_t h)
{
    const struct dcp_inventory *inv = a->in->inventory;

    return inv->hardware[inv->hosts[h].hardware.ix].speed_factor;
}

static inline bool
audit_enforces(const struct audit *a, uint32_t h)
{
    const struct dcp_inventory *inv = a->in->inventory;

    return inv->hypervisors[inv->hosts[h].hypervisor.ix].shares;
}

/* What VM v asks for on host h: its sample, and more while it warms up. */
static inline double
audit_ask(const struct audit *a, uint32_t h, uint32_t v, const float *row)
{
    const struct dcp_vm *vm = &a->in->inventory->vms[v];
    double full = vm->vcpus * vm->vcpu_mhz * audit_factor(a, h);
    double more = row[v] + a->in->inventory->policy.warmup.cpu_frac * full;

    if (a->warm_until_ms[v] <= a->now_ms || row[v] >= full) {
        return row[v];
    }
    return more < full ? more : full;
}

/* That within its limit there. */
static inline double
audit_may(const struct audit *a, uint32_t h, uint32_t v, const float *row)
{
    double limit = a->in->inventory->vms[v].cpu_limit_mhz * audit_factor(a, h);
    double ask = audit_ask(a, h, v, row);

    return audit_enforces(a, h) && limit > 0 && limit < ask ? limit : ask;
}

/* That with what a migration leaves of its vCPUs. */
static inline double
audit_want(const struct audit *a, uint32_t h, uint32_t v, const float *row)
{
    const struct dcp_vm *vm = &a->in->inventory->vms[v];
    double most = (1 - a->stopped_frac[v]) * vm->vcpus * vm->vcpu_mhz *
                  audit_factor(a, h);
    double may = audit_may(a, h, v, row);

    return a->stopped_frac[v] > 0 && most < may ? most : may;
}

/* What it gets where shares are worth 'level' each. */
static inline double
audit_at_level(const struct audit *a, uint32_t h, uint32_t v, const float *row,
               double level)
{
    const struct dcp_vm *vm = &a->in->inventory->vms[v];
    double want = audit_want(a, h, v, row);
    double floor = vm->cpu_reservation_mhz * audit_factor(a, h);
    double got = level * (vm->cpu_shares ? vm->cpu_shares : 1000 * vm->vcpus);

    got = got > floor ? got : floor;
    return got < want ? got : want;
}

/* The level at which the host's VMs get 'room' together, by halving. */
static inline double
audit_level(const struct audit *a, uint32_t h, const float *row, double room)
{
    double low = 0, high = 1e6;

    for (int i = 0; i < 200; i++) {
        double level = (low + high) / 2, sum = 0;

        for (uint32_t v = 0; v < a->in->inventory->n_vms; v++) {
            sum += a->placed[v] && a->at[v] == h
                       ? audit_at_level(a, h, v, row, level)
                       : 0;
        }
        if (sum < room) {
            low = level;
        } else {
            high = level;
        }
    }
    return high;
}

static inline bool
audit_by_shares(const struct audit *a, uint32_t h)
{
    bool any = false;

    for (uint32_t v = 0; v < a->in->inventory->n_vms; v++) {
        const struct dcp_vm *vm = &a->in->inventory->vms[v];

        any |= a->placed[v] && a->at[v] == h &&
               (vm->cpu_shares || vm->cpu_limit_mhz || vm->cpu_reservation_mhz);
    }
    return any && audit_enforces(a, h);
}

/* The VMs of host h get 'met' of what they want together. */
static inline void
audit_missed(struct audit *a, uint32_t h, const float *row, double own,
             double met, double seconds)
{
    bool by_shares = audit_by_shares(a, h);
    double level = by_shares ? audit_level(a, h, row, own * met) : 0;
    double floors = 0, clock = 1;

    for (uint32_t v = 0; v < a->in->inventory->n_vms; v++) {
        floors +=
            a->placed[v] && a->at[v] == h ? audit_at_level(a, h, v, row, 0) : 0;
    }
    double cut = floors > own * met ? own * met / floors : 1;

    for (uint32_t v = 0; v < a->in->inventory->n_vms; v++) {
        if (!a->placed[v] || a->at[v] != h) {
            continue;
        }
        double want = audit_want(a, h, v, row);
        double got = !by_shares ? want * met
                     : cut < 1  ? audit_at_level(a, h, v, row, 0) * cut
                                : audit_at_level(a, h, v, row, level);
        const struct dcp_vm *vm = &a->in->inventory->vms[v];

        clock = vm->vcpus * vm->vcpu_mhz * audit_factor(a, h);
        a->vm_unmet_mhz_s[v] += (want - got) * seconds;
        a->vm_ready_s[v] +=
            (want - got < clock ? (want - got) / clock : 1) * seconds;
    }
}

static inline void
audit_one(struct audit *a, uint32_t h, const float *row, double seconds)
{
    const struct dcp_inventory *inv = a->in->inventory;
    struct audit_host *host = &a->hosts[h];
    double full = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
    double room = host->power == DCP_SIM_ON ? full : 0, own = 0, extra = 0;
    double asked = 0, may = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        bool here = a->placed[v] && a->at[v] == h;

        own += here ? audit_want(a, h, v, row) : 0;
        may += here ? audit_may(a, h, v, row) : 0;
        asked += here ? audit_ask(a, h, v, row) : 0;
        a->vm_served_s[v] += here && host->power == DCP_SIM_ON ? seconds : 0;
        a->warmup_mhz_s +=
            here ? (audit_ask(a, h, v, row) - row[v]) * seconds : 0;
        extra += a->moving[v] && (a->at[v] == h || a->to[v] == h)
                     ? inv->policy.migration_cpu_overhead_frac *
                           audit_want(a, a->at[v], v, row)
                     : 0;
    }
    audit_host_time(host, seconds);
    host->asked_mhz_s += asked * seconds;
    host->held_mhz_s += (asked - may) * seconds;
    host->slowed_mhz_s += (may - own) * seconds;
    host->it_j += audit_watts(a, h, own + extra, full) * seconds;
    if (own + extra > room) {
        double met = room / (own + extra);

        host->overload_s += seconds;
        host->unmet_mhz_s += own * (1 - met) * seconds;
        audit_missed(a, h, row, own, met, seconds);
    }
}

static inline void
audit_stretch(struct audit *a, int64_t until_ms)
{
    double seconds = (double)(until_ms - a->now_ms) / 1000;

    ck_assert_int_ge(until_ms, a->now_ms); /* Time never goes back. */
    if (until_ms > a->now_ms) {
        const float *row = audit_row(a, a->now_ms);

        for (uint32_t h = 0; h < a->in->inventory->n_hosts; h++) {
            audit_one(a, h, row, seconds);
        }
        a->now_ms = until_ms;
    }
}

/* When a guest is slowed down next, at most 'until_ms'. */
static inline int64_t
audit_next_slowdown(const struct audit *a, int64_t until_ms)
{
    for (uint32_t i = 0; i < a->in->n_slowdowns; i++) {
        int64_t at_ms = a->in->slowdowns[i].at_ms;

        until_ms = at_ms > a->now_ms && at_ms < until_ms ? at_ms : until_ms;
    }
    return until_ms;
}

static inline void
audit_slow_down(struct audit *a)
{
    for (uint32_t i = 0; i < a->in->n_slowdowns; i++) {
        const struct dcp_slowdown *s = &a->in->slowdowns[i];

        if (s->at_ms == a->now_ms && a->moving[s->vm] &&
            a->step[s->vm] == s->step) {
            a->stopped_frac[s->vm] = s->stopped_frac;
        }
    }
}

/* From one thing that happens by itself to the next. */
static inline void
audit_until(struct audit *a, int64_t until_ms)
{
    int64_t next_ms;

    do {
        next_ms = until_ms;
        for (uint32_t v = 0; v < a->in->inventory->n_vms; v++) {
            if (a->warm_until_ms[v] > a->now_ms &&
                a->warm_until_ms[v] < next_ms) {
                next_ms = a->warm_until_ms[v];
            }
        }
        next_ms = audit_next_slowdown(a, next_ms);
        audit_stretch(a, next_ms);
        audit_slow_down(a);
    } while (next_ms < until_ms);
}

/* --- Watch -------------------------------------------------------------- */

static inline void
audit_move(struct audit *a, const struct dcp_sim_event *e)
{
    uint32_t v = e->step->object.ix;

    if (e->phase == DCP_ACTION_STARTED) {
        ck_assert(a->placed[v] && !a->moving[v]);
        ck_assert_uint_eq(a->at[v], e->step->from.ix);
        a->moving[v] = true;
        a->step[v] = e->step->id;
        a->to[v] = e->step->to.ix;
    } else {
        ck_assert(a->moving[v]);
        a->moving[v] = false;
        a->stopped_frac[v] = 0;
        a->at[v] = e->phase == DCP_ACTION_DONE ? a->to[v] : a->at[v];
    }
}

static inline bool
audit_event(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct audit *a = user;
    const struct dcp_step *s = e->step;
    bool done = e->phase == DCP_ACTION_DONE, on = s->kind == DCP_STEP_HOST_ON;

    (void)err;
    a->n_events++;
    audit_until(a, e->at_ms > a->in->from_ms ? e->at_ms : a->in->from_ms);
    if (s->kind == DCP_STEP_MIGRATE) {
        audit_move(a, e);
    } else if (on || s->kind == DCP_STEP_HOST_OFF) {
        a->hosts[s->object.ix].power =
            e->phase == DCP_ACTION_STARTED
                ? (on ? DCP_SIM_BOOTING : DCP_SIM_STOPPING)
                : (on == done ? DCP_SIM_ON : DCP_SIM_OFF);
    } else if (done && s->kind == DCP_STEP_VM_START) {
        a->placed[s->object.ix] = true;
        a->at[s->object.ix] = s->to.ix;
        a->warm_until_ms[s->object.ix] =
            e->at_ms + a->in->inventory->policy.warmup.time_ms;
    } else if (done && s->kind == DCP_STEP_VM_STOP) {
        a->placed[s->object.ix] = false;
        a->warm_until_ms[s->object.ix] = 0;
    }
    return true;
}

static inline void
audit_same(double is, double should, const char *what, uint32_t slice)
{
    ck_assert_msg(fabs(is - should) <= 1e-9 * fabs(should) + 1e-6,
                  "slice %u: %s is %.17g, recounted %.17g", slice, what, is,
                  should);
}

static inline void
audit_host(const struct audit *a, uint32_t h, const struct dcp_sim_host *is,
           uint32_t slice)
{
    const struct audit_host *should = &a->hosts[h];
    double elapsed_s = (double)(a->now_ms - a->in->from_ms) / 1000;
    double capacity =
        dcp_host_capacity(a->in->inventory, (dcp_host_id){ h }).cpu_mhz;
    double served = is->requested_mhz_s - is->held_mhz_s - is->slowed_mhz_s -
                    is->unmet_mhz_s;

    audit_same(is->on_s, should->on_s, "time on", slice);
    audit_same(is->off_s, should->off_s, "time off", slice);
    audit_same(is->on_s + is->off_s + is->switching_s, elapsed_s, "host time",
               slice);
    audit_same(is->it_j, should->it_j, "energy", slice);
    audit_same(is->overload_s, should->overload_s, "overload", slice);
    audit_same(is->requested_mhz_s, should->asked_mhz_s, "demand", slice);
    audit_same(is->unmet_mhz_s, should->unmet_mhz_s, "unmet demand", slice);
    audit_same(is->held_mhz_s, should->held_mhz_s, "demand above limits",
               slice);
    audit_same(is->slowed_mhz_s, should->slowed_mhz_s,
               "demand above what migrations left", slice);
    ck_assert_double_ge(is->unmet_mhz_s, 0);
    ck_assert_double_ge(served, -1e-6);
    ck_assert_double_le(served, capacity * is->on_s * (1 + 1e-9) + 1e-6);
}

static inline bool
audit_slice(void *user, const struct dcp_sim_result *r, uint32_t slice,
            bool *more, struct dcp_error *err)
{
    struct audit *a = user;
    const struct dcp_sim_slice *at = &r->slices[slice];

    (void)more;
    (void)err;
    ck_assert_uint_eq(slice, a->slice++);
    ck_assert_int_eq(at->start_ms,
                     slice ? r->slices[slice - 1].end_ms : a->in->from_ms);
    audit_until(a, at->end_ms);
    for (uint32_t h = 0; h < r->n_hosts; h++) {
        audit_host(a, h, &r->hosts[h], slice);
    }
    for (uint32_t v = 0; v < r->n_vms; v++) {
        ck_assert(dcp_host_is_none(r->end->host[v]) == !a->placed[v]);
        ck_assert(!a->placed[v] || r->end->host[v].ix == a->at[v]);
        audit_same(r->vm_unmet_mhz_s[v], a->vm_unmet_mhz_s[v],
                   "a VM's unmet demand", slice);
        audit_same(r->vm_ready_s[v], a->vm_ready_s[v], "a VM's wait", slice);
    }
    return true;
}

static inline struct dcp_sim_watch
audit_watch(struct audit *a)
{
    return (struct dcp_sim_watch){ audit_event, audit_slice, a };
}

#endif /* tests/support/sim_audit.h */
