/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_RESTART_FIXTURE_H
#define DCP_TESTS_RESTART_FIXTURE_H 1

/* A small world in which hosts fail and are emptied, by the minute. */

#include "sim/failure/availability.h"
#include "tests/unit/ledger_fixture.h"
#include "tests/unit/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define NEVER  INT64_MAX

static struct dcp_inventory *inv;
static struct dcp_placement *start;
static struct dcp_outages outages, maintenance;
static struct dcp_ha *ha;
static struct dcp_ha_options options;
static const struct dcp_samples *net;

/* Four hosts of 8 GiB, VMs of 2 GiB: 0 to 3 on h0, 4 and 5 on h1, 6 and 7 on
 * h2; h3 is off. */
static inline void
setup(void)
{
    struct dcp_hardware hw[4];
    uint32_t vcpus[8];

    for (uint32_t i = 0; i < 4; i++) {
        hw[i] = fixture_hardware(1, 64);
        hw[i].mem_mib = 8192;
    }
    for (uint32_t v = 0; v < 8; v++) {
        vcpus[v] = 1;
    }
    inv = fixture_create(hw, 4, vcpus, 8);
    for (uint32_t v = 0; v < 8; v++) {
        fixture_vm(inv, v)->mem_mib = 2048;
        fixture_vm(inv, v)->restart_priority = DCP_RESTART_NORMAL;
    }
    start = dcp_placement_create(inv, NULL);
    for (uint32_t v = 0; v < 8; v++) {
        start->host[v].ix = v < 4 ? 0 : v < 6 ? 1 : 2;
    }
    start->on[3] = 0;
    dcp_ha_options_default(&options);
    outages = maintenance = (struct dcp_outages){ 0 };
    ha = NULL;
    net = NULL;
}

static inline void
teardown(void)
{
    dcp_ha_destroy(ha);
    dcp_outages_finish(&outages);
    dcp_outages_finish(&maintenance);
    dcp_placement_destroy(start);
    dcp_inventory_destroy(inv);
}

static inline void
break_host(uint32_t host, int64_t from_ms, int64_t until_ms)
{
    struct dcp_outage o = { from_ms, until_ms, DCP_DOMAIN_HOST, host };

    ck_assert(dcp_outages_add(&outages, o, NULL));
}

static inline void
open_world(void)
{
    struct dcp_ha_input in = { .inventory = inv,
                               .start = start,
                               .hosts = &outages,
                               .maintenance = &maintenance,
                               .options = options,
                               .net = net };
    struct dcp_error err = { 0 };

    ha = dcp_ha_create(&in, &err);
    ck_assert_msg(ha != NULL, "%s", err.message);
}

static inline void
run_to(int64_t to_ms)
{
    struct dcp_error err = { 0 };

    if (!ha) {
        open_world();
    }
    ck_assert_msg(dcp_ha_advance(ha, to_ms, &err), "%s", err.message);
}

static inline const struct dcp_vm_outage *
outage_of(uint32_t vm)
{
    uint32_t n;
    const struct dcp_vm_outage *list = dcp_ha_vm_outages(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (list[i].vm == vm) {
            return &list[i];
        }
    }
    return NULL;
}

/* Where the events say that all is; fails where they contradict each other. */
static inline void
play(uint32_t at[8], uint32_t on[4])
{
    uint32_t n;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t v = 0; v < 8; v++) {
        at[v] = start->host[v].ix;
    }
    for (uint32_t h = 0; h < 4; h++) {
        on[h] = start->on[h];
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_step *s = e[i].step;
        uint32_t ix = s->object.ix;

        ck_assert(!i || e[i].at_ms >= e[i - 1].at_ms);
        if (e[i].phase != DCP_ACTION_DONE) {
            continue;
        }
        if (s->kind == DCP_STEP_VM_STOP) {
            ck_assert_uint_eq(at[ix], s->from.ix);
            at[ix] = DCP_IX_NONE;
        } else if (s->kind == DCP_STEP_VM_START) {
            ck_assert_uint_eq(at[ix], DCP_IX_NONE);
            ck_assert(on[s->to.ix]);
            at[ix] = s->to.ix;
        } else if (s->kind == DCP_STEP_MIGRATE) {
            ck_assert_uint_eq(at[ix], s->from.ix);
            ck_assert(on[s->to.ix]);
            at[ix] = s->to.ix;
        } else if (s->object.kind == DCP_OBJECT_HOST) {
            on[ix] = s->kind == DCP_STEP_HOST_ON;
        }
    }
    for (uint32_t h = 0; h < 4; h++) {
        uint32_t n_here = 0;

        for (uint32_t v = 0; v < 8; v++) {
            n_here += at[v] == h;
        }
        ck_assert_uint_le(n_here, 4);
        ck_assert(on[h] || !n_here);
    }
}

static inline struct dcp_step
step_of(enum dcp_step_kind kind, uint32_t object, uint32_t from, uint32_t to)
{
    bool host = kind == DCP_STEP_HOST_ON || kind == DCP_STEP_HOST_OFF;
    struct dcp_step s = {
        .id = 1,
        .kind = kind,
        .object = { host ? DCP_OBJECT_HOST : DCP_OBJECT_VM, object },
        .reason_text = "",
    };

    if (!host) {
        s.from = (struct dcp_object){ DCP_OBJECT_HOST, from };
        s.to = (struct dcp_object){ DCP_OBJECT_HOST, to };
    }
    return s;
}

static inline void
maintain(uint32_t host, int64_t from_ms, int64_t until_ms)
{
    struct dcp_outage m = { from_ms, until_ms, DCP_DOMAIN_HOST, host };

    ck_assert(dcp_outages_add(&maintenance, m, NULL));
}

static inline void
take(int64_t at_ms, const struct dcp_step *s, enum dcp_action_phase phase)
{
    struct dcp_sim_event e = { at_ms, s, phase };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_ha_take(ha, &e, &err), "%s", err.message);
}

#endif /* tests/unit/restart_fixture.h */
