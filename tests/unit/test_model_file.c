/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dc.yaml -> inventory: what arrives in which field, what is refused where. */

#include "model/base/text.h"
#include "model/io/model_dir.h"
#include "model/io/model_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void
set_up(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/dcp-test-model-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void
write_file(const char *name, const char *text, size_t length)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, length, f), length);
    ck_assert_int_eq(fclose(f), 0);
}

#define HEAD                                                                   \
    "dcplan: model/1\n"                                                        \
    "lineage: 6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10\n"

/* Opens the model 'text'; 'diag' is filled. */
static bool
open_text(const char *text, struct dcp_model *model, struct dcp_diag *diag)
{
    struct dcp_error err = { 0 };

    write_file("dc.yaml", text, strlen(text));
    return dcp_model_open(dir, NULL, diag, model, &err);
}

static bool
says(const struct dcp_diag *diag, uint32_t line, const char *words)
{
    for (size_t i = 0; i < diag->n; i++) {
        if (diag->items[i].line == line &&
            strstr(diag->items[i].message, words)) {
            return true;
        }
    }
    for (size_t i = 0; i < diag->n; i++) {
        fprintf(stderr, "%u:%u %s\n", diag->items[i].line,
                diag->items[i].column, diag->items[i].message);
    }
    return false;
}

static const char whole[] =
    HEAD "timezone: Europe/Brussels\n"
         "currency: EUR\n"
         "calendar: {holidays: [2026-12-25], month_end: 2,\n"
         "  classes: {patch: [2026-01-13]}}\n"
         "tariffs: {dn: [{days: [weekday, patch], hours: 07:00-22:00,\n"
         "  price: 0.28/kWh, carbon: 210g/kWh}, {price: 0.14/kWh}]}\n"
         "sites: {gent: {tariff: dn, cooling: {supply: 22C, losses: 10%}}}\n"
         "rooms: {g1: {site: gent}}\n"
         "feeds: {a: {room: g1, side: A, limit: 16kW}, b: {room: g1}}\n"
         "racks: {r1: {room: g1, limit: 8kW, feeds: [b, a]}}\n"
         "hardware:\n"
         "  m1: {sockets: 2, cores_per_socket: 8, clock: 2.6GHz,\n"
         "    memory: 128GiB, nics: [10Gbit], speed_factor: 1.5,\n"
         "    extras: {gpu: 2}, huge_pages: 4GiB, cpu_generation: haswell,\n"
         "    power: [62W, 95W, 110W, 122W, 135W, 149W, 165W, 184W, 205W,\n"
         "      229W, 256W], boot: {time: 3min}}\n"
         "hypervisors: {qemu: {vm_overhead: 100MiB}, mine: {windows: no}}\n"
         "switches: {tor: {rack: r1, driver: ovsdb, power: 90W}}\n"
         "vlans: {front: {id: 100}, data: {id: 200}}\n"
         "hosts:\n"
         "  h1: {hardware: m1, rack: r1, unit: 1, tags: [old, big],\n"
         "    ports: {eth0: {switch: tor, port: p1, vlans: [data, front]}}}\n"
         "  h2: {hardware: m1, hypervisor: mine, state: standby,\n"
         "    power_off: false}\n"
         "servers: {s1: {rack: r1, unit: [2, 5], power: 350W}}\n"
         "pools: {gold: {capacity: 1TiB, tier: ultrafast, reach: [r1]}}\n"
         "tenants: {acme: {quota: {memory: 64GiB}}}\n"
         "applications: {shop: {vms: [b1, a1], availability: 99.9%}}\n"
         "tiers: {live: {cpu_overcommit: 2, percentile: p90, margin: 0%}}\n"
         "profiles: {day: {weekday: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,\n"
         "  1,1,1,1,1,0.5], weekend: [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,\n"
         "  0,0,0,0,0,0.25]}}\n"
         "flavours: {m: {vcpus: 4, memory: 16GiB, os: WinSrv, tier: live}}\n"
         "vms:\n"
         "  a1: {flavour: m, host: h1, nics: [{vlan: front}, {vlan: data}],\n"
         "    volumes: [{pool: gold, size: 40GiB}, {size: 1GiB}],\n"
         "    tags: [web], profile: day, extras: {gpu: 1}}\n"
         "  b1: {flavour: m, os: rhel, vcpus: 2, trace: NO,\n"
         "    tenant: acme, application: shop}\n"
         "  c1: {vcpus: 1, memory: 1GiB, host: h1, movable: false}\n"
         "licences: {rhel: {covers: {os: rhel}, per: socket_pair,\n"
         "  price: 1200/year, owned: 2, minimum: 1}}\n"
         "policy:\n"
         "  target: {cpu: 70%}\n"
         "  headroom: {survive: [{lose: rack, count: 2}], protect: [live],\n"
         "    relax: [spread], to: capacity}\n"
         "  goal: [hosts, moves]\n"
         "  migration: {units_per_10Gbit: 4}\n"
         "rules:\n"
         "  - {rule: spread, vms: [tag:web, b*], over: rack, hold: always}\n"
         "  - {rule: ban, name: n, vms: [tier:live], hosts: [rack:r1]}\n"
         "  - {rule: root, vms: [c1], hours: 06:00-22:00, soft: 5}\n"
         "  - {rule: separate, vms: [a1], others: [tenant:acme], over: host}\n";

START_TEST(every_section_arrives)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(open_text(whole, &model, &diag));
    const struct dcp_inventory *inv = model.inventory;

    ck_assert_uint_eq(diag.n_errors, 0);
    ck_assert_str_eq(inv->lineage, "6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10");
    ck_assert_str_eq(inv->currency, "EUR");
    ck_assert_str_eq(inv->zone->name, "Europe/Brussels");
    ck_assert_uint_eq(inv->calendar.n_classes, 5);
    ck_assert_uint_eq(inv->calendar.month_end_days, 2);
    ck_assert_uint_eq(inv->calendar.n_days[DCP_DAY_HOLIDAY], 1);
    ck_assert_uint_eq(inv->tariffs[0].n_rows, 2);
    ck_assert_uint_eq(inv->tariffs[0].rows[0].day_classes, 1u | 1u << 4);
    ck_assert_int_eq(inv->tariffs[0].rows[0].hours.from_min, 420);
    ck_assert_double_eq_tol(inv->tariffs[0].rows[0].price_per_kwh, 0.28, 1e-12);
    /* 1.1 x (1 + 1 / (0.0068 x 484 + 0.0008 x 22 + 0.458)) */
    ck_assert_double_eq_tol(inv->sites[0].pue, 1.39203, 1e-4);
    ck_assert_int_eq(inv->feeds[0].side, 'A');
    ck_assert_uint_eq(inv->feeds[0].limit_w, 16000);
    ck_assert_uint_eq(inv->racks[0].feeds.n, 2);
    ck_assert_uint_eq(inv->racks[0].feeds.ix[0], 0);
    ck_assert_uint_eq(inv->racks[0].height_u, 42);

    const struct dcp_hardware *hw = &inv->hardware[0];

    ck_assert_uint_eq(hw->clock_mhz, 2600);
    ck_assert_uint_eq(hw->mem_mib, 131072);
    ck_assert_uint_eq(hw->nic_kib_s[0], 1220703);
    ck_assert_uint_eq(hw->numa_nodes, 2);
    ck_assert_uint_eq(hw->extras[0], 2);
    ck_assert_uint_eq(hw->huge_pages_mib, 4096);
    ck_assert(hw->speed_factor_known && hw->power_known && hw->vt);
    ck_assert_double_eq(hw->power_w[10], 256);
    ck_assert_int_eq(hw->boot_ms, 180000);
    ck_assert_double_eq(hw->boot_w, 149);
    ck_assert_int_eq(hw->shutdown_ms, 60000);
    ck_assert_str_eq(hw->cpu_arch, "x86_64");
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(hosts_and_vms_arrive)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(open_text(whole, &model, &diag));
    const struct dcp_inventory *inv = model.inventory;
    const struct dcp_host *h1 = &inv->hosts[0];

    ck_assert_str_eq(inv->hypervisors[h1->hypervisor.ix].name, "qemu");
    ck_assert_uint_eq(inv->hypervisors[h1->hypervisor.ix].vm_overhead_mib, 100);
    ck_assert(inv->hypervisors[h1->hypervisor.ix].needs_vt);
    ck_assert(!inv->hypervisors[inv->hosts[1].hypervisor.ix].windows);
    ck_assert_uint_eq(h1->ports[0].vlans.n, 2);
    ck_assert_uint_eq(h1->tags.n, 2);
    ck_assert_uint_eq(h1->pos.line, 23);
    ck_assert_int_eq(inv->hosts[1].state, DCP_HOST_STANDBY);
    ck_assert(h1->power_off_allowed && !inv->hosts[1].power_off_allowed);
    ck_assert_uint_eq(inv->servers[0].unit_last, 5);
    ck_assert(!inv->pools[0].reach_all);
    ck_assert_uint_eq(inv->pools[0].reach.n, 1);

    const struct dcp_vm *a1 = &inv->vms[0], *b1 = &inv->vms[1];

    ck_assert_uint_eq(a1->vcpus, 4);
    ck_assert(a1->windows && !b1->windows);
    ck_assert_str_eq(inv->tiers[a1->tier.ix].name, "live");
    ck_assert_str_eq(inv->tiers[inv->vms[2].tier.ix].name, "default");
    ck_assert_double_eq(inv->tiers[inv->vms[2].tier.ix].cpu_overcommit, 4);
    ck_assert_double_eq(inv->tiers[a1->tier.ix].percentile, 0.9);
    ck_assert_uint_eq(a1->vlans.n, 2);
    ck_assert_uint_eq(a1->n_volumes, 2);
    ck_assert(dcp_pool_is_none(inv->volumes[1].pool));
    ck_assert_uint_eq(a1->extras[0], 1);
    ck_assert_str_eq(a1->trace, "a1");
    ck_assert_str_eq(b1->trace, "NO");
    ck_assert_uint_eq(b1->vcpus, 2);
    ck_assert_uint_eq(b1->mem_mib, 16384);
    ck_assert(a1->movable && !inv->vms[2].movable);
    ck_assert_uint_eq(inv->applications[0].vms.n, 2);
    ck_assert_uint_eq(inv->applications[0].vms.ix[0], 1);
    ck_assert_uint_eq(a1->application.ix, 0);
    ck_assert_float_eq(inv->profiles[0].cpu_frac[23], 0.5f);
    ck_assert_float_eq(inv->profiles[0].cpu_frac[24 + 23], 0.25f);
    ck_assert_float_eq(inv->profiles[0].cpu_frac[4 * 24 + 23], 0.5f);
    ck_assert_uint_eq(model.placement->host[0].ix, 0);
    ck_assert(dcp_host_is_none(model.placement->host[1]));
    ck_assert(model.placement->on[0] && !model.placement->on[1]);
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(policy_and_rules_arrive)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(open_text(whole, &model, &diag));
    const struct dcp_inventory *inv = model.inventory;
    const struct dcp_policy *p = &inv->policy;

    ck_assert_double_eq_tol(p->target_cpu_frac, 0.7, 1e-12);
    ck_assert_double_eq_tol(p->target_mem_frac, 0.9, 1e-12);
    ck_assert_uint_eq(p->n_survive, 1);
    ck_assert_int_eq(p->survive[0].kind, DCP_LOSS_RACK);
    ck_assert_uint_eq(p->survive[0].count, 2);
    ck_assert_uint_eq(p->protect_tiers, 2);
    ck_assert_uint_eq(p->relax_rules, 1u << DCP_RULE_SPREAD);
    ck_assert(p->survive_to_capacity && p->goal_given);
    ck_assert_uint_eq(p->n_goals, 2);
    ck_assert(p->goals[1].weight[DCP_GOAL_MOVES] > 0);
    ck_assert_uint_eq(p->units_per_10gbit, 4);
    ck_assert_uint_eq(inv->licences[0].vms.n, 1);
    ck_assert_int_eq(inv->licences[0].metric, DCP_LICENCE_SOCKET_PAIR);
    ck_assert_double_eq(inv->licences[0].price_per_year, 1200);

    const struct dcp_rule *r = inv->rules;

    ck_assert_uint_eq(inv->n_rules, 4);
    ck_assert_str_eq(r[0].name, "n"); /* In the order of names. */
    ck_assert_str_eq(r[3].name, "spread-1");
    ck_assert_uint_eq(r[3].n_vms, 2);
    ck_assert_int_eq(r[3].over, DCP_DOMAIN_RACK);
    ck_assert_int_eq(r[3].hold, DCP_HOLD_ALWAYS);
    ck_assert_uint_eq(r[0].n_vms, 2);
    ck_assert_uint_eq(r[0].n_hosts, 1);
    ck_assert(r[1].has_hours && r[1].soft);
    ck_assert_double_eq(r[1].soft_price, 5);
    ck_assert_uint_eq(r[2].n_others, 1);
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(policy_defaults_are_those_of_the_core)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };
    struct dcp_policy want;

    dcp_policy_default(&want);
    ck_assert(open_text(HEAD, &model, &diag));
    const struct dcp_policy *p = &model.inventory->policy;

    ck_assert_int_eq(p->buckets, want.buckets);
    ck_assert_double_eq(p->target_cpu_frac, want.target_cpu_frac);
    ck_assert_double_eq(p->target_mem_frac, want.target_mem_frac);
    ck_assert_double_eq_tol(p->target_net_frac, want.target_net_frac, 1e-12);
    ck_assert_double_eq(p->min_gain_frac, want.min_gain_frac);
    ck_assert_uint_eq(p->keep_on, want.keep_on);
    ck_assert_int_eq(p->horizon_ms, want.horizon_ms);
    ck_assert(p->goals[0].weight[DCP_GOAL_HOSTS] > 0); /* No prices. */
    ck_assert_uint_eq(p->out_per_host, want.out_per_host);
    ck_assert_uint_eq(p->in_per_host, want.in_per_host);
    ck_assert_uint_eq(p->units_per_10gbit, want.units_per_10gbit);
    ck_assert_uint_eq(p->host_off_at_once, want.host_off_at_once);
    ck_assert_uint_eq(p->migration_kib_s, want.migration_kib_s);
    ck_assert_double_eq(p->migration_cpu_overhead_frac,
                        want.migration_cpu_overhead_frac);
    ck_assert_int_eq(p->cooldown_ms, want.cooldown_ms);
    ck_assert_int_eq(p->morning_lead_ms, want.morning_lead_ms);
    ck_assert_int_eq(p->min_history_ms, want.min_history_ms);
    ck_assert_int_eq(p->unpack, want.unpack);
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

static const char wrong[] =
    HEAD "polcy: {}\n"                                                 /* 3 */
         "hardware:\n"                                                 /* 4 */
         "  m1: {sockets: 2, cores_per_socket: 8, clock: 2.6,\n"       /* 5 */
         "    memory: 1GiB, power: [5W, 4W, 4W, 4W, 4W, 4W, 4W, 4W,\n" /* 6 */
         "    4W, 4W, 4W], vt: false}\n"                               /* 7 */
         "racks: {r1: {height: 10U}}\n"                                /* 8 */
         "vlans: {a: {id: 5000}, b: {id: 7}, c: {id: 7}}\n"            /* 9 */
         "hosts:\n"                                                    /* 10 */
         "  web-1: {hardware: m1, rack: r1, unit: 10}\n"               /* 11 */
         "  web-2: {hardware: m1, rack: r1, unit: 10}\n"               /* 12 */
         "  web-3: {hardware: m1, rack: r1, unit: 11}\n"               /* 13 */
         "  web-1: {hardware: m1}\n"                                   /* 14 */
         "vms:\n"                                                      /* 15 */
         "  a: {vcpus: 0, memory: 1GiB, host: wbe-2}\n"                /* 16 */
         "  b: {memory: 1GiB, os: windows, host: web-1}\n"             /* 17 */
         "  c: {flavour: none, colour: red, memry: 1GiB}\n"            /* 18 */
         "timezone: Europe/../etc\n"                                   /* 19 */
         "rules:\n"                                                    /* 20 */
         "  - {rule: sprad, vms: [a]}\n"                               /* 21 */
         "  - {rule: ban, vms: [tag:x], name: q}\n"                    /* 22 */
         "tariffs: {t: [{hours: 7-8, price: 3}],\n"                    /* 23 */
         "  u: [{price: -1/kWh}]}\n"                                   /* 24 */
         "policy: {headroom: {protect: [gold]}}\n"                     /* 25 */
         "tenants: {\"a\\e[2Jb\": {}}\n";                              /* 26 */

START_TEST(all_errors_at_once)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(!open_text(wrong, &model, &diag));
    ck_assert(says(&diag, 3, "did you mean 'policy'"));
    ck_assert(says(&diag, 5, "hardware 'm1': clock: '2.6' is not"));
    ck_assert(says(&diag, 6, "below the value before it"));
    ck_assert(says(&diag, 9, "'5000' is not within 1 to 4094"));
    ck_assert(says(&diag, 9, "vlan 'c': id: 7 is that of 'b'"));
    ck_assert(says(&diag, 11, "needs VT"));
    ck_assert(says(&diag, 12, "unit: 10 of rack 'r1' is taken by 'web-1'"));
    ck_assert(says(&diag, 13, "above rack 'r1', which has 10"));
    ck_assert(says(&diag, 14, "'web-1' stands twice, first on line 11"));
    ck_assert(says(&diag, 16, "vcpus: '0' is not within 1 to 4096"));
    ck_assert(says(&diag, 16,
                   "host 'wbe-2' is not defined; did you mean "
                   "'web-2'?"));
    ck_assert(says(&diag, 17, "no vcpus"));
    ck_assert(says(&diag, 17, "Windows guest cannot run"));
    ck_assert(says(&diag, 18, "flavour 'none' is not defined"));
    ck_assert(says(&diag, 18, "no key 'colour' in vms"));
    ck_assert(says(&diag, 18, "did you mean 'memory'"));
    ck_assert(says(&diag, 19, "is not a time zone"));
    ck_assert(says(&diag, 21, "'sprad' is not one of spread, gather"));
    ck_assert(says(&diag, 22, "'tag:x' selects nothing"));
    ck_assert(says(&diag, 22, "'hosts' is missing"));
    ck_assert(says(&diag, 23, "'7-8' is not a window"));
    ck_assert(says(&diag, 23, "'3' is not a price such as 0.28/kWh"));
    ck_assert(says(&diag, 24, "price: '-1/kWh' is below 0"));
    ck_assert(!says(&diag, 24, "MHz"));
    ck_assert(says(&diag, 26, "'a?[2Jb' is not a name"));
    ck_assert(says(&diag, 25, "tier 'gold' is not defined"));
    dcp_diag_finish(&diag);
}
END_TEST

static const char hypervisors[] =
    HEAD "hardware: {m: {sockets: 2, cores_per_socket: 8, clock: 2GHz, "
         "memory: 64GiB, vt: true}}\n"
         "hosts: {h: {hardware: m, hypervisor: esx}}\n" /* 4 */
         "hypervisors: {mine: {}, xen: {capabilities: [uefi], "
         "live_migration: false}}\n"
         "vms:\n"
         "  a: {vcpus: 1, memory: 1GiB, host: h, needs: [uefi, nested],\n"
         "    max_downtime: 5min}\n"
         "  b: {vcpus: 1, memory: 1GiB, host: h}\n"
         "licences:\n"
         "  v: {hypervisor: esx, per: core, scope: ever_placed}\n"
         "  w: {hypervisor: esx, per: vm, scope: ever_placed}\n"
         "policy:\n"
         "  conversions:\n"
         "    - {from: esx, to: mine, vms: [a], cost: 12.5/vm, time: 7min,\n"
         "       rate: 100MiB/s, payback: 30d, window: 22:00-06:00}\n"
         "    - {from: esx, to: xen}\n";

START_TEST(what_hypervisors_can_and_cost_is_read)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(open_text(hypervisors, &model, &diag));
    const struct dcp_inventory *inv = model.inventory;
    const struct dcp_conversion *c = inv->conversions;
    uint32_t all = (1u << DCP_CAPABILITIES) - 1;

    ck_assert_uint_eq(inv->n_conversions, 2);
    ck_assert_str_eq(inv->hypervisors[c[0].from.ix].name, "esx");
    ck_assert_str_eq(inv->hypervisors[c[0].to.ix].name, "mine");
    ck_assert_uint_eq(c[0].vms.n, 1);
    ck_assert_double_eq(c[0].cost, 12.5);
    ck_assert_int_eq(c[0].fixed_ms, 420000);
    ck_assert_uint_eq(c[0].rate_kib_s, 102400);
    ck_assert_int_eq(c[0].payback_ms, INT64_C(30) * 86400000);
    ck_assert(c[0].has_window && c[0].window.from_min == 22 * 60);
    ck_assert_uint_eq(c[1].vms.n, 2);
    ck_assert_int_eq(c[1].fixed_ms, 300000);
    ck_assert(!c[1].has_window && c[1].rate_kib_s == 0);
    ck_assert_uint_eq(inv->hypervisors[c[0].from.ix].capabilities, all);
    ck_assert_uint_eq(inv->hypervisors[c[0].to.ix].capabilities, all);
    ck_assert_uint_eq(inv->hypervisors[c[1].to.ix].capabilities,
                      1u << DCP_CAPABILITY_UEFI);
    ck_assert_uint_eq(inv->vms[0].needs, 1u << DCP_CAPABILITY_UEFI |
                                             1u << DCP_CAPABILITY_NESTED);
    ck_assert_int_eq(inv->vms[0].max_downtime_ms, 300000);
    ck_assert(inv->licences[0].of_hypervisor && inv->licences[0].vms.n == 2);
    ck_assert_int_eq(inv->licences[0].scope, DCP_LICENCE_EVER_PLACED);
    ck_assert_int_eq(inv->licences[1].scope, DCP_LICENCE_PLACED);
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

static const char wrong_hypervisors[] =
    HEAD "hypervisors: {mine: {capabilities: [eufi]}}\n"
         "licences:\n"
         "  v: {per: core}\n" /* 5 */
         "policy:\n"
         "  conversions:\n"
         "    - {from: esx, to: esx}\n" /* 8 */
         "    - {from: esx, to: qemoo}\n"
         "    - {from: esx, to: qemu, cost: 5, window: 25}\n"; /* 10 */

START_TEST(wrong_hypervisors_are_named)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    ck_assert(!open_text(wrong_hypervisors, &model, &diag));
    ck_assert(says(&diag, 3, "'eufi' is not one of uefi"));
    ck_assert(says(&diag, 5, "no covers"));
    ck_assert(says(&diag, 8, "from and to are the same"));
    ck_assert(says(&diag, 9, "hypervisor 'qemoo' is not defined"));
    ck_assert(says(&diag, 10, "'5' is not a price such as 0.28/vm"));
    ck_assert(says(&diag, 10, "'25' is not a window"));
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(a_hundred_errors_are_a_hundred_messages)
{
    struct dcp_text text = { 0 };
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    dcp_text_puts(&text, HEAD "vms:\n");
    for (int i = 0; i < 100; i++) {
        dcp_text_printf(&text, "  v%d: {vcpus: 1, memory: 1GB2}\n", i);
    }
    ck_assert(!open_text(dcp_text_get(&text), &model, &diag));
    ck_assert_uint_ge(diag.n_errors, 100);
    ck_assert(says(&diag, 103, "vm 'v99': memory: '1GB2' is not a size"));
    dcp_text_finish(&text);
    dcp_diag_finish(&diag);
}
END_TEST

static const struct {
    const char *text;
    size_t length;
    const char *says;
} foreign[] = {
    { "", 0, "'dcplan: model/1' is missing" },
    { "\0\0\0\0", 4, "not YAML" },
    { "\x7f"
      "ELF\x02\x01\x01",
      7, "not YAML" },
    { "vms: \"a\\0b\"", 11, "NUL character" },
    { "a: &x 1\nb: *x", 13, "anchors and aliases" },
    { "a: !!int 1", 10, "tags are not allowed" },
    { "a: {b: 1, b: 2}", 15, "stands twice" },
    { "a: 1\n---\nb: 1", 13, "second document" },
    { "? [a]\n: 1", 9, "a key must be text" },
    { "a: [", 4, "not YAML" },
    { "- a", 3, "a list where a mapping" },
    { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
      68, "nested too deeply" },
};

START_TEST(foreign_text_is_refused)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    bool found = false;

    write_file("dc.yaml", foreign[_i].text, foreign[_i].length);
    ck_assert(!dcp_model_open(dir, NULL, &diag, &model, &err));
    for (size_t i = 0; i < diag.n; i++) {
        found |= strstr(diag.items[i].message, foreign[_i].says) != NULL;
    }
    ck_assert_msg(found, "%s", diag.n ? diag.items[0].message : "nothing");
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(tables_and_includes_are_read)
{
    static const char hosts[] = "name,hardware,rack,unit,ports,tags\r\n"
                                "h1,m1,r1,1,eth0=t/p1/front+back,\"a b\"\r\n"
                                "h2,m1,,,,\r\n";
    static const char vms[] =
        "name;vcpus;memory;host;vlans;volumes;extras.gpu;extras.tpu\n"
        "v1;2;4GiB;h1;front back;:10GiB gold:1TiB;1;\n"
        "v2;1;1GiB;;;;;2\n";
    static const char more[] =
        "hardware: {m1: {sockets: 1, cores_per_socket: 4, clock: 2GHz,\n"
        "  memory: 64GiB, disk: 1TiB, speed_factor: 1, extras: {gpu: 1}}}\n"
        "racks: {r1: {}}\nswitches: {t: {}}\n"
        "vlans: {front: {id: 1}, back: {id: 2}}\n"
        "pools: {gold: {capacity: 2TiB}}\n";
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    write_file("hosts.csv", hosts, sizeof hosts - 1);
    write_file("vms.csv", vms, sizeof vms - 1);
    write_file("more.yaml", more, sizeof more - 1);
    bool ok = open_text(
        HEAD "include: [more.yaml, {hosts: hosts.csv}, {vms: vms.csv}]\n",
        &model, &diag);

    ck_assert_msg(ok, "%s", diag.n ? diag.items[0].message : "?");
    const struct dcp_inventory *inv = model.inventory;

    ck_assert_uint_eq(inv->n_hosts, 2);
    ck_assert_str_eq(inv->hosts[0].ports[0].nic, "eth0");
    ck_assert_str_eq(inv->hosts[0].ports[0].port, "p1");
    ck_assert_uint_eq(inv->hosts[0].ports[0].vlans.n, 2);
    ck_assert_uint_eq(inv->hosts[0].tags.n, 2);
    ck_assert_uint_eq(inv->hosts[1].pos.line, 3);
    ck_assert_uint_eq(inv->vms[0].n_volumes, 2);
    ck_assert_uint_eq(inv->volumes[1].size_mib, 1048576);
    ck_assert_uint_eq(inv->vms[0].vlans.n, 2);
    ck_assert_str_eq(inv->extra_name[0], "gpu");
    ck_assert_str_eq(inv->extra_name[1], "tpu");
    ck_assert_uint_eq(inv->vms[0].extras[0], 1);
    ck_assert_uint_eq(inv->vms[1].extras[1], 2);
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
}
END_TEST

static const struct {
    const char *csv, *says;
} bad_tables[] = {
    { "", "is empty" },
    { "nam,vcpus\n", "no column 'name'" },
    { "name,name\n", "stands twice" },
    { "name,vcpus\n\xe9t\xe9,1\n", "save the table as UTF-8" },
    { "name,vcpus\na\xe2\x80\xae"
      "b,1\n",
      "direction marks" },
    { "name,vcpus,memory\nv1,1\n", "2 fields where the header has 3" },
    { "name,vcpus\n\"v1,1\n", "never ends" },
    { "name,vcpu,memory\nv1,1,1GiB\n", "did you mean 'vcpus'" },
    { "name,vcpus,memory\nv1,1,1GiB\nv1,1,1GiB\n", "defined twice" },
    { "name,vcpus,memory\n,1,1GiB\n", "row without a name" },
};

START_TEST(bad_tables_are_refused)
{
    struct dcp_model model;
    struct dcp_diag diag = { 0 };
    bool found = false;

    write_file("vms.csv", bad_tables[_i].csv, strlen(bad_tables[_i].csv));
    ck_assert(!open_text(HEAD "include: [{vms: vms.csv}]\n", &model, &diag));
    for (size_t i = 0; i < diag.n; i++) {
        found |= strstr(diag.items[i].message, bad_tables[_i].says) != NULL;
    }
    ck_assert_msg(found, "%s", diag.n ? diag.items[0].message : "nothing");
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(includes_are_bounded)
{
    /* By another name it is still the same file. */
    static const char loop[] = "include: [./loop.yaml]\n";
    struct dcp_model model;
    struct dcp_diag diag = { 0 };

    write_file("loop.yaml", loop, sizeof loop - 1);
    ck_assert(!open_text(HEAD "include: [loop.yaml, /etc/passwd, gone.yaml]\n",
                         &model, &diag));
    ck_assert(says(&diag, 1, "included twice"));
    ck_assert(says(&diag, 3, "relative to this file"));
    ck_assert(says(&diag, 3, "gone.yaml"));
    dcp_diag_finish(&diag);
}
END_TEST

START_TEST(digest_is_of_the_content)
{
    struct dcp_model a, b;
    struct dcp_diag diag = { 0 };

    ck_assert(open_text(HEAD, &a, &diag));
    /* sha256sum of the file. */
    ck_assert_str_eq(a.inventory->digest,
                     "sha256:e9a94f4ed9d4899708ea8046f6069e66"
                     "2c9bc3bb7a67374f1b6d3bd4c5fec1a1");
    ck_assert(open_text(HEAD "currency: EUR\n", &b, &diag));
    ck_assert_str_ne(a.inventory->digest, b.inventory->digest);
    dcp_model_finish(&a);
    dcp_model_finish(&b);
    dcp_diag_finish(&diag);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("model_file");
    TCase *tc = tcase_create("all");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, every_section_arrives);
    tcase_add_test(tc, hosts_and_vms_arrive);
    tcase_add_test(tc, policy_and_rules_arrive);
    tcase_add_test(tc, policy_defaults_are_those_of_the_core);
    tcase_add_test(tc, all_errors_at_once);
    tcase_add_test(tc, what_hypervisors_can_and_cost_is_read);
    tcase_add_test(tc, wrong_hypervisors_are_named);
    tcase_add_test(tc, a_hundred_errors_are_a_hundred_messages);
    tcase_add_loop_test(tc, foreign_text_is_refused, 0,
                        sizeof foreign / sizeof foreign[0]);
    tcase_add_test(tc, tables_and_includes_are_read);
    tcase_add_loop_test(tc, bad_tables_are_refused, 0,
                        sizeof bad_tables / sizeof bad_tables[0]);
    tcase_add_test(tc, includes_are_bounded);
    tcase_add_test(tc, digest_is_of_the_content);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed != 0;
}
