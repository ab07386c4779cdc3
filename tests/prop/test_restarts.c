/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts of random models are lost one after another, and others emptied.
 * Wherever VMs are restarted and moved to, the checker, which reads the rules apart from it, finds no hard
 * rule broken; memory is never promised twice; VMs are where the events say. */

#include "model/capacity.h"
#include "model/check/check.h"
#include "sim/failure/restart.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>

#define HOUR (3600 * INT64_C(1000))

static uint32_t n_tried, n_restarts, n_homeless, n_moved;

static struct sample
with_room(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "restarts", 0);

    return (struct sample){ .seed = seed,
                            .n_hosts = 3 + draw(&rng, 6),
                            .n_vms = 2 + draw(&rng, 9),
                            .n_rules = draw(&rng, 4) };
}

static bool
rules_hold(const struct dcp_inventory *inv, const struct dcp_placement *p,
           char why[WHY])
{
    struct dcp_check_result r;
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_check_rules(inv, NULL, p, &r, &err), "%s", err.message);
    bool hold = r.n_violations == 0;

    if (!hold) {
        (void)snprintf(why, WHY, "%s", r.violations[0].text);
    }
    dcp_check_result_finish(&r);
    return hold;
}

static bool
memory_holds(const struct dcp_inventory *inv, const struct dcp_placement *p,
             char why[WHY])
{
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        struct dcp_capacity c = dcp_host_capacity(inv, (dcp_host_id){ h });
        uint64_t sum = 0;

        for (uint32_t v = 0; v < inv->n_vms; v++) {
            uint32_t request[DCP_SCALARS_MAX];

            if (p->host[v].ix == h) {
                dcp_vm_request(inv, (dcp_vm_id){ v }, inv->hosts[h].hypervisor,
                               request);
                sum += request[DCP_SCALAR_MEM];
            }
        }
        if (sum > c.scalar[DCP_SCALAR_MEM] || (sum && !p->on[h])) {
            (void)snprintf(why, WHY, "%s has %llu MiB of %u",
                           inv->hosts[h].name, (unsigned long long)sum,
                           c.scalar[DCP_SCALAR_MEM]);
            return false;
        }
    }
    return true;
}

/* One event more; all else of a step is as the simulator takes it. */
static bool
play(struct dcp_placement *p, const struct dcp_sim_event *e, char why[WHY])
{
    const struct dcp_step *s = e->step;
    uint32_t ix = s->object.ix;
    bool ok = true;

    if (e->phase != DCP_ACTION_DONE) {
        return true;
    }
    if (s->kind == DCP_STEP_VM_STOP) {
        ok = p->host[ix].ix == s->from.ix;
        p->host[ix] = dcp_host_none();
    } else if (s->kind == DCP_STEP_VM_START) {
        ok = dcp_host_is_none(p->host[ix]) && p->on[s->to.ix];
        p->host[ix].ix = s->to.ix;
    } else if (s->kind == DCP_STEP_MIGRATE) {
        ok = p->host[ix].ix == s->from.ix && p->on[s->to.ix];
        p->host[ix].ix = s->to.ix;
        n_moved++;
    } else {
        p->on[ix] = s->kind == DCP_STEP_HOST_ON;
    }
    if (!ok) {
        (void)snprintf(why, WHY, "VM %u is not where it should be", ix);
    }
    return ok;
}

static bool
replay(const struct dcp_inventory *inv, const struct dcp_ha *ha,
       struct dcp_placement *p, char why[WHY])
{
    uint32_t n;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (uint32_t i = 0; i < n; i++) {
        bool settled = i + 1 == n || e[i + 1].at_ms > e[i].at_ms;

        if (!play(p, &e[i], why) || (settled && (!rules_hold(inv, p, why) ||
                                                 !memory_holds(inv, p, why)))) {
            return false;
        }
    }
    return true;
}

/* VMs anywhere; rules that do not count after a loss are left out, and so are
 * those about staying together, which a loss breaks by itself. */
static struct dcp_placement *
begin(struct world *w, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "anywhere", 0);
    struct dcp_placement *p = dcp_placement_start(w->inv, NULL);

    w->inv->policy.relax_rules = 0;
    for (uint32_t r = 0; r < w->inv->n_rules; r++) {
        w->rules[r].soft = dcp_rule_form(w->rules[r].kind)->loss_free;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        p->on[h] = 1;
    }
    for (uint32_t v = 0; v < p->n_vms; v++) {
        p->host[v].ix = draw(&rng, p->n_hosts);
    }
    return p;
}

static bool
restarts_are_legal(const struct sample *s, char why[WHY])
{
    struct world w = random_model(s);
    struct dcp_rng rng = dcp_rng_stream(s->seed, "losses", 0);
    DCP_AUTO(dcp_placement) struct dcp_placement *p = begin(&w, s->seed);
    struct dcp_outages lost = { 0 }, emptied = { 0 };
    bool holds = true;

    for (uint32_t i = 0; i < 3; i++) {
        struct dcp_outage o = { (1 + i) * HOUR, INT64_MAX, DCP_DOMAIN_HOST,
                                (draw(&rng, s->n_hosts) + i) % s->n_hosts };

        o.until_ms = chance(&rng, 50) ? o.from_ms + HOUR / 2 : INT64_MAX;
        ck_assert(dcp_outages_add(&lost, o, NULL));
        if (o.until_ms == INT64_MAX) {
            break;
        }
    }
    for (uint32_t h = 0; h < s->n_hosts; h++) {
        struct dcp_outage o = { HOUR / 4 * (1 + draw(&rng, 12)), 0,
                                DCP_DOMAIN_HOST, h };

        o.until_ms = o.from_ms + HOUR;
        ck_assert(chance(&rng, 60) || dcp_outages_add(&emptied, o, NULL));
    }
    if (rules_hold(w.inv, p, why) && memory_holds(w.inv, p, why)) {
        struct dcp_ha_input in = { .inventory = w.inv,
                                   .start = p,
                                   .hosts = &lost,
                                   .maintenance = &emptied };

        dcp_ha_options_default(&in.options);
        in.options.at_once = 1 + draw(&rng, 3);
        DCP_AUTO(dcp_ha) struct dcp_ha *ha = dcp_ha_create(&in, NULL);

        ck_assert(ha && dcp_ha_advance(ha, 24 * HOUR, NULL));
        holds = replay(w.inv, ha, p, why);
        n_tried++;
        n_restarts += dcp_ha_counts(ha).restarts;
        n_homeless += dcp_ha_counts(ha).vms_homeless_max;
    }
    dcp_outages_finish(&lost);
    dcp_outages_finish(&emptied);
    world_free(&w);
    return holds;
}

START_TEST(restarts_break_no_rule)
{
    try_samples(with_room, restarts_are_legal, 3000);
    if (!getenv("DCP_PROP_SEED")) {
        ck_assert_uint_gt(n_tried, 500);
        ck_assert_uint_gt(n_restarts, 500);
        ck_assert_uint_gt(n_homeless, 20);
        ck_assert_uint_gt(n_moved, 500);
    }
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &restarts_break_no_rule };

    return RUN_TESTS("restarts", tests);
}
