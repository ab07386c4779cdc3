/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which hosts a VM may use, for a live move and for a restart after a loss:
 * one cause at a time. */

#include "solver/problem.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

enum { HOSTS = 4, VMS = 2 };

/* Both VMs start on host 0; 'cause' changes the model before it is asked. */
static void
expect_reach(void (*cause)(struct world *), const char *move,
             const char *restart)
{
    struct world w = world_make(HOSTS, VMS);
    struct dcp_error err = { 0 };

    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = 0;
        world_need(&w, v, 100);
    }
    cause(&w);
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start = dcp_placement_start(w.inv, NULL);
    struct dcp_question q = { .inventory = w.inv,
                              .demand = &w.demand,
                              .last_slot = w.demand.n_slots,
                              .start = start };
    struct dcp_problem *p = dcp_problem_create(&q, &err);
    char got[2][HOSTS + 1] = { "", "" };

    ck_assert_msg(p != NULL, "%s", err.message);
    for (uint32_t h = 0; h < HOSTS; h++) {
        char why[160];
        bool reaches = dcp_problem_reaches(p, p->item_of_vm[0], h);

        got[0][h] = reaches ? 'y' : '-';
        got[1][h] = dcp_problem_restarts_on(p, p->item_of_vm[0], h) ? 'y' : '-';
        ck_assert_int_eq(dcp_reach_why_not(&q, 0, h, why, sizeof why) == NULL,
                         reaches);
    }
    ck_assert_str_eq(got[0], move);
    ck_assert_str_eq(got[1], restart);
    dcp_problem_destroy(p);
    world_free(&w);
}

static void
second_hardware(struct world *w, uint32_t host)
{
    struct dcp_hardware *hw = WORLD_NEW(w, struct dcp_hardware, 2);

    hw[0] = hw[1] = *w->hardware;
    w->hardware = hw;
    w->inv->hardware = hw;
    w->inv->n_hardware = 2;
    w->hosts[host].hardware.ix = 1;
}

static void
nothing(struct world *w)
{
    (void)w;
}

static void
other_hypervisor(struct world *w)
{
    w->hosts[2].hypervisor.ix = 1;
}

static void
allowed_hypervisors(struct world *w)
{
    static const uint32_t qemu[] = { 0 };

    w->hosts[2].hypervisor.ix = 1;
    w->vms[0].hypervisors = (struct dcp_ids){ qemu, 1 };
}

static void
no_live_migration(struct world *w)
{
    w->hypervisors[0].live_migration = false;
}

static void
not_movable(struct world *w)
{
    w->vms[0].movable = false;
}

static void
windows_needs_vt(struct world *w)
{
    second_hardware(w, 3);
    w->hardware[1].vt = false;
    w->vms[0].windows = true;
}

static void
older_generation(struct world *w)
{
    second_hardware(w, 1);
    w->hardware[1].cpu_generation = "haswell";
    w->vms[0].cpu_generation_min = "skylake";
}

static void
other_architecture(struct world *w)
{
    second_hardware(w, 1);
    w->hardware[1].cpu_arch = "aarch64";
}

static void
numa_node_too_small(struct world *w)
{
    second_hardware(w, 2);
    w->hardware[1].numa_nodes = 2;
    w->vms[0].vcpus = 6;
    w->vms[0].single_numa_node = true;
}

/* Host 1 carries the VLAN, 2 could (its switch has a driver), 3 cannot. */
static void
vlan(struct world *w)
{
    static const uint32_t net0[] = { 0 }, net1[] = { 1 };

    for (uint32_t h = 1; h < HOSTS; h++) {
        struct dcp_port *port = WORLD_NEW(w, struct dcp_port, 1);

        *port = (struct dcp_port){ .nic = "eth1",
                                   .to = { h == 2 ? 0 : 1 },
                                   .port = "p",
                                   .vlans = { h == 1 ? net1 : net0, 1 } };
        w->hosts[h].ports = port;
        w->hosts[h].n_ports = 1;
    }
    w->vms[0].vlans = (struct dcp_ids){ net1, 1 };
}

static void
volume(struct world *w, dcp_pool_id pool)
{
    struct dcp_volume *v = WORLD_NEW(w, struct dcp_volume, 1);

    *v = (struct dcp_volume){ .pool = pool, .size_mib = 1 };
    w->inv->volumes = v;
    w->inv->n_volumes = 1;
    w->vms[0].n_volumes = 1;
}

static void
pool_reach(struct world *w)
{
    static const uint32_t hosts[] = { 0, 2 };

    volume(w, (dcp_pool_id){ 0 });
    w->pools[0].reach_all = false;
    w->pools[0].reach = (struct dcp_ids){ hosts, 2 };
}

static void
pool_transport(struct world *w)
{
    volume(w, (dcp_pool_id){ 0 });
    w->pools[0].transport = DCP_TRANSPORT_FC;
    w->hypervisors[0].transports = DCP_TRANSPORT_FC | DCP_TRANSPORT_NFS;
}

static void
local_disk(struct world *w)
{
    w->hardware[0].disk_mib = 10;
    volume(w, dcp_pool_none());
}

static struct dcp_rule *
add_rule(struct world *w, enum dcp_rule_kind kind)
{
    static const uint32_t vm0[] = { 0 }, hosts[] = { 0, 1 };
    struct dcp_rule *rule = &w->rules[w->inv->n_rules++];

    *rule = (struct dcp_rule){ .kind = kind,
                               .name = "rule",
                               .vms = vm0,
                               .n_vms = 1,
                               .hosts = hosts,
                               .n_hosts = 2 };
    return rule;
}

static void
fence(struct world *w)
{
    (void)add_rule(w, DCP_RULE_FENCE);
}

static void
relaxed_fence(struct world *w)
{
    (void)add_rule(w, DCP_RULE_FENCE);
    w->inv->policy.relax_rules = 1u << DCP_RULE_FENCE;
}

static void
soft_fence(struct world *w)
{
    add_rule(w, DCP_RULE_FENCE)->soft = true;
}

static void
ban(struct world *w)
{
    (void)add_rule(w, DCP_RULE_BAN);
}

static void
root(struct world *w)
{
    (void)add_rule(w, DCP_RULE_ROOT);
}

/* The slots are 20:00 to 23:00 UTC. */
static void
root_by_day(struct world *w)
{
    struct dcp_rule *rule = add_rule(w, DCP_RULE_ROOT);

    rule->has_hours = true;
    rule->hours = (struct dcp_window){ 6 * 60, 20 * 60 };
}

static void
root_into_the_night(struct world *w)
{
    root_by_day(w);
    w->rules[0].hours.to_min = 22 * 60;
}

/* Racks: 0, 1, 0, 1. */
static void
gathered_in_a_rack(struct world *w)
{
    static const uint32_t both[] = { 0, 1 };
    struct dcp_rule *rule = add_rule(w, DCP_RULE_GATHER);

    rule->vms = both;
    rule->n_vms = 2;
    rule->over = DCP_DOMAIN_RACK;
    rule->hold = DCP_HOLD_ALWAYS;
}

/* VM 0 runs where it would not be let in; VM 1, alike, is elsewhere: only
 * where each runs speaks for its host. */
static void
run_where_refused(struct world *w)
{
    static const uint32_t xen[] = { 1 };

    w->vms[0].hypervisors = w->vms[1].hypervisors = (struct dcp_ids){ xen, 1 };
    w->vms[1].host.ix = 1;
}

START_TEST(machines_bound_reach)
{
    expect_reach(nothing, "yyyy", "yyyy");
    expect_reach(other_hypervisor, "yy-y", "yy-y");
    expect_reach(allowed_hypervisors, "yy-y", "yy-y");
    expect_reach(no_live_migration, "y---", "yyyy");
    expect_reach(not_movable, "y---", "yyyy");
    expect_reach(windows_needs_vt, "yyy-", "yyy-");
    expect_reach(older_generation, "y-yy", "y-yy");
    expect_reach(other_architecture, "y-yy", "y-yy");
    expect_reach(numa_node_too_small, "yy-y", "yy-y");
    expect_reach(run_where_refused, "y---", "----");
}
END_TEST

START_TEST(network_and_storage_bound_reach)
{
    expect_reach(vlan, "yyy-", "yyy-");
    expect_reach(pool_reach, "y-y-", "y-y-");
    expect_reach(pool_transport, "yyyy", "yyyy");
    expect_reach(local_disk, "y---", "----");
}
END_TEST

START_TEST(rules_bound_reach)
{
    expect_reach(fence, "yy--", "yy--");
    expect_reach(relaxed_fence, "yy--", "yyyy");
    expect_reach(soft_fence, "yy--", "yyyy");
    expect_reach(ban, "--yy", "--yy");
    expect_reach(root, "y---", "yyyy");
    expect_reach(root_by_day, "yyyy", "yyyy");
    expect_reach(root_into_the_night, "y---", "yyyy");
    expect_reach(gathered_in_a_rack, "y-y-", "yyyy");
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &machines_bound_reach,
        &network_and_storage_bound_reach,
        &rules_bound_reach,
    };

    return RUN_TESTS("solver_reach", tests);
}
