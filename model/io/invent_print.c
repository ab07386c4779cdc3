/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The invented datacenter as the files of a model. */

#include "model/base/sha256.h"
#include "model/base/units.h"
#include "model/io/invent_world.h"

#include <math.h>
#include <stdio.h>

static const char *const os_names[] = { "rhel", "windows", "debian" };
static const char *const vlan_names[] = { "front", "app", "data" };

static int
digits(uint32_t n)
{
    int d = 1;

    for (; n >= 10; n /= 10) {
        d++;
    }
    return d;
}

static void
put_vm(const struct world *w, struct dcp_text *out, uint32_t v)
{
    dcp_text_printf(out, "vm-%0*u", digits(w->options->n_vms), v + 1);
}

static void
put_host(const struct world *w, struct dcp_text *out, uint32_t h)
{
    dcp_text_printf(out, "h%0*u", digits(w->options->n_hosts), h + 1);
}

static void
put_rack(const struct world *w, struct dcp_text *out, uint32_t r)
{
    dcp_text_printf(out, "r%0*u", digits(w->n_racks), r + 1);
}

static uint32_t
n_rows(const struct world *w)
{
    return (w->n_racks + RACKS_PER_ROW - 1) / RACKS_PER_ROW;
}

static uint32_t
n_rooms(const struct world *w)
{
    return (w->n_racks + RACKS_PER_ROOM - 1) / RACKS_PER_ROOM;
}

/* A limit that full load keeps, with a tenth to spare, in whole kW. */
static uint32_t
limit_kw(double peak_w)
{
    return (uint32_t)ceil(peak_w * 1.1 / 1000);
}

static double
rack_peak_w(const struct world *w, uint32_t rack)
{
    double peak_w = 150; /* Its switch. */

    for (uint32_t h = 0; h < w->options->n_hosts; h++) {
        if (w->hosts[h].rack == rack) {
            peak_w += dcp_invent_machines[w->hosts[h].machine]
                          .power_w[DCP_POWER_POINTS - 1];
        } else if (w->hosts[h].rack > rack) {
            break;
        }
    }
    return peak_w;
}

void
dcp_invent_print_racks(const struct world *w, struct dcp_text *out)
{
    dcp_text_puts(out, "name,room,height,limit,feeds\n");
    for (uint32_t r = 0; r < w->n_racks; r++) {
        uint32_t row = r / RACKS_PER_ROW + 1;

        put_rack(w, out, r);
        dcp_text_printf(out, ",room%u,42U,%ukW,row%u-a row%u-b\n",
                        r / RACKS_PER_ROOM + 1, limit_kw(rack_peak_w(w, r)),
                        row, row);
    }
}

void
dcp_invent_print_switches(const struct world *w, struct dcp_text *out)
{
    dcp_text_puts(out, "name,rack,driver,power\n");
    for (uint32_t r = 0; r < w->n_racks; r++) {
        dcp_text_puts(out, "tor-");
        put_rack(w, out, r);
        dcp_text_puts(out, ",");
        put_rack(w, out, r);
        dcp_text_puts(out, ",ovsdb,150W\n");
    }
}

void
dcp_invent_print_hosts(const struct world *w, struct dcp_text *out)
{
    dcp_text_puts(out, "name,hardware,rack,unit,hypervisor,ports\n");
    for (uint32_t h = 0; h < w->options->n_hosts; h++) {
        const struct invented_host *host = &w->hosts[h];

        put_host(w, out, h);
        dcp_text_printf(out, ",%s,", dcp_invent_machines[host->machine].name);
        put_rack(w, out, host->rack);
        dcp_text_printf(out, ",%u,qemu,eth0=tor-", host->unit);
        put_rack(w, out, host->rack);
        dcp_text_printf(out, "/p%u/front+app+data%s\n", host->unit,
                        rack_has_dmz(host->rack) ? "+dmz" : "");
    }
}

void
dcp_invent_print_vms(const struct world *w, struct dcp_text *out)
{
    dcp_text_puts(out, "name,vcpus,memory,os,tenant,tier,host,profile,vlans,"
                       "volumes,tags,dirty_rate,cpu_generation\n");
    for (uint32_t v = 0; v < w->options->n_vms; v++) {
        const struct invented_vm *vm = &w->vms[v];
        uint32_t room = w->hosts[vm->host].rack / RACKS_PER_ROOM + 1;
        const char *shape = dcp_invent_shape_name[vm->shape];

        put_vm(w, out, v);
        dcp_text_printf(out, ",%u,%uGiB,%s,t%02u,%s,", vm->vcpus, vm->mem_gib,
                        os_names[vm->os], vm->tenant + 1,
                        vm->test ? "test" : "live");
        put_host(w, out, vm->host);
        dcp_text_printf(out, ",%s,%s,%s-%u:%uGiB,%s%s%s,%uMiB/s,%s\n", shape,
                        vm->dmz ? "dmz" : vlan_names[vm->tenant % 3],
                        vm->test ? "bulk" : "gold", room, vm->disk_gib, shape,
                        vm->tagged ? " payment" : "",
                        vm->oracle ? " oracle" : "",
                        2 + vm->vcpus * (vm->shape == BATCH ? 6 : 3),
                        vm->new_cpu ? "broadwell" : "");
    }
}

static void
print_rule(const struct world *w, struct dcp_text *out, uint32_t r)
{
    const struct invented_rule *rule = &w->rules[r];

    dcp_text_printf(out, "  - {rule: %s, name: %s-%u, vms: [",
                    dcp_rule_kind_name(rule->kind),
                    dcp_rule_kind_name(rule->kind), r);
    for (uint32_t i = 0; i < rule->n_vms; i++) {
        dcp_text_puts(out, i ? ", " : "");
        put_vm(w, out, rule->vms[i]);
    }
    dcp_text_puts(out, "]");
    if (rule->kind == DCP_RULE_FENCE || rule->kind == DCP_RULE_BAN) {
        dcp_text_puts(out, ", hosts: [");
        for (uint32_t i = 0; i < rule->n_racks; i++) {
            dcp_text_puts(out, i ? ", rack:" : "rack:");
            put_rack(w, out, rule->first_rack + i);
        }
        dcp_text_puts(out, "]}\n");
    } else {
        dcp_text_printf(out, ", over: %s}\n", dcp_domain_name(rule->over));
    }
}

void
dcp_invent_print_rules(const struct world *w, struct dcp_text *out)
{
    bool tagged = false, test = false;

    for (uint32_t v = 0; v < w->options->n_vms; v++) {
        tagged |= w->vms[v].tagged;
        test |= w->vms[v].test;
    }
    dcp_text_puts(out, "rules:\n");
    if (tagged && test) {
        dcp_text_puts(out, "  - {rule: separate, name: payment-apart, vms: "
                           "[tag:payment], others: [tier:test], over: host, "
                           "hold: always}\n");
    }
    for (uint32_t r = 1; r < w->n_rules; r++) {
        print_rule(w, out, r);
    }
}

/* --- dc.yaml ------------------------------------------------------------ */

/* Version 8 (RFC 9562) of what was asked for: the same model, the same
 * lineage. */
static void
put_lineage(const struct world *w, struct dcp_text *out)
{
    struct dcp_sha256 sha;
    struct dcp_text asked = { 0 };
    uint8_t b[32];

    dcp_text_printf(&asked, "dcplan model synth %u %u %llu",
                    w->options->n_hosts, w->options->n_vms,
                    (unsigned long long)w->options->seed);
    out->failed |= asked.failed;
    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, dcp_text_get(&asked), asked.length);
    dcp_sha256_end(&sha, b);
    dcp_text_finish(&asked);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        dcp_text_printf(out, "%s%02x",
                        i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    }
}

static void
print_places(const struct world *w, struct dcp_text *out)
{
    dcp_text_puts(out,
                  "tariffs:\n  day-night:\n"
                  "    - {days: weekday, hours: 07:00-22:00, price: 0.28/kWh, "
                  "carbon: 210g/kWh}\n"
                  "    - {price: 0.14/kWh, carbon: 160g/kWh}\n"
                  "sites: {main: {tariff: day-night, pue: 1.5, pue_marginal: "
                  "1.3}}\nrooms:\n");
    for (uint32_t i = 1; i <= n_rooms(w); i++) {
        dcp_text_printf(out, "  room%u: {site: main}\n", i);
    }
    dcp_text_puts(out, "feeds:\n");
    for (uint32_t i = 0; i < n_rows(w); i++) {
        double peak_w = 0;

        for (uint32_t r = i * RACKS_PER_ROW;
             r < w->n_racks && r < (i + 1) * RACKS_PER_ROW; r++) {
            peak_w += rack_peak_w(w, r);
        }
        for (int side = 0; side < 2; side++) {
            dcp_text_printf(out,
                            "  row%u-%c: {room: room%u, side: %c, limit: "
                            "%ukW}\n",
                            i + 1, "ab"[side],
                            i * RACKS_PER_ROW / RACKS_PER_ROOM + 1, "AB"[side],
                            limit_kw(peak_w));
        }
    }
}

static void
print_hardware(struct dcp_text *out)
{
    /* Work per core-MHz against the E5-2699 v3. */
    const struct machine *reference = &dcp_invent_machines[1];
    double ops_per_mhz =
        reference->ssj_ops / (reference->sockets * reference->cores_per_socket *
                              (double)reference->clock_mhz);

    dcp_text_puts(out, "hardware:\n");
    for (int i = 0; i < N_MACHINES; i++) {
        const struct machine *m = &dcp_invent_machines[i];
        double factor =
            m->ssj_ops /
            (m->sockets * m->cores_per_socket * (double)m->clock_mhz) /
            ops_per_mhz;
        char number[32];

        dcp_text_double(number, nearbyint(factor * 1000) / 1000);
        dcp_text_printf(
            out,
            "  %s:\n    {sockets: %u, cores_per_socket: %u, clock: %uMHz, "
            "speed_factor: %s, memory: %uGiB, disk: 0GiB,\n     nics: "
            "[%uGbit, %uGbit], height: %uU, cpu: \"%s\", cpu_generation: "
            "%s,\n     power: [",
            m->name, m->sockets, m->cores_per_socket, m->clock_mhz, number,
            m->mem_gib, m->nic_gbit, m->nic_gbit, m->height_u, m->cpu,
            m->generation);
        for (int k = 0; k < DCP_POWER_POINTS; k++) {
            dcp_text_double(number, m->power_w[k]);
            dcp_text_printf(out, "%s%sW", k ? ", " : "", number);
        }
        dcp_text_printf(out,
                        "],\n     sleep: 8W, boot: {time: 4min}, shutdown: "
                        "{time: 1min}, source: \"%s\"}\n",
                        m->source);
    }
}

static void
print_pools(const struct world *w, struct dcp_text *out)
{
    double used_gib[2] = { 0 };

    for (uint32_t v = 0; v < w->options->n_vms; v++) {
        used_gib[w->vms[v].test] += w->vms[v].disk_gib;
    }
    dcp_text_puts(out, "pools:\n");
    for (uint32_t i = 1; i <= n_rooms(w); i++) {
        for (int k = 0; k < 2; k++) {
            dcp_text_printf(
                out,
                "  %s-%u: {tier: %s, redundancy: %s, capacity: %.0fTiB, "
                "thin_overcommit: 2, reach: [room:room%u], driver: nbd, "
                "transport: nbd}\n",
                k ? "bulk" : "gold", i, k ? "archive" : "ultrafast",
                k ? "raid" : "ha",
                ceil(used_gib[k] / n_rooms(w) / 1024 * 1.5) + 1, i);
        }
    }
}

static void
print_profiles(struct dcp_text *out)
{
    dcp_text_puts(out, "profiles:\n");
    for (int s = 0; s < N_SHAPES; s++) {
        dcp_text_printf(out, "  %s:\n", dcp_invent_shape_name[s]);
        for (int day = 0; day < 2; day++) {
            dcp_text_puts(out, day ? "    weekend: [" : "    weekday: [");
            for (int h = 0; h < 24; h++) {
                dcp_text_printf(out, "%s%.2f", h ? ", " : "",
                                dcp_invent_shape[s][day][h]);
            }
            dcp_text_puts(out, "]\n");
        }
    }
}

/* Oracle's core factor is 0.5 on x86; where a guest could run does not count
 * as long as fences are honoured. */
static const char *const licence_texts[3] = {
    "  rhel: {covers: {os: rhel}, per: socket_pair, minimum: 1, "
    "guests_free_on_host: true, price: 1200/year}\n",
    "  windows: {covers: {os: windows}, per: core, minimum: 16, "
    "minimum_per_socket: 8, guests_free_on_host: true, price: 370/year}\n",
    "  oracle: {covers: {vms: [tag:oracle]}, per: core, factor: 0.5, price: "
    "4000/year}\n",
};

static void
print_licences(const struct world *w, struct dcp_text *out)
{
    bool used[3] = { false };

    for (uint32_t v = 0; v < w->options->n_vms; v++) {
        used[0] |= w->vms[v].os == 0;
        used[1] |= w->vms[v].os == 1;
        used[2] |= w->vms[v].oracle;
    }
    dcp_text_puts(out, "licences:\n");
    for (int i = 0; i < 3; i++) {
        dcp_text_puts(out, used[i] ? licence_texts[i] : "");
    }
}

static const char policy_text[] =
    "tiers:\n"
    "  live: {cpu_overcommit: 4, memory_overcommit: 1, percentile: p95, "
    "margin: 10%}\n"
    "  test: {cpu_overcommit: 8, memory_overcommit: 1, percentile: p90, "
    "margin: 0%}\n"
    "policy:\n"
    "  buckets: hour-of-day x daytype\n"
    "  target: {cpu: 80%, memory: 90%, net: 70%}\n"
    "  headroom: {survive: [{lose: host, count: 1}], protect: [live], relax: "
    "[spread, gather]}\n"
    "  keep_on: 1\n"
    "  goal: hosts\n"
    "  horizon: 1d\n";

void
dcp_invent_print_main(const struct world *w, struct dcp_text *out)
{
    dcp_text_printf(out,
                    "# Invented by `dcplan model synth --hosts %u --vms %u "
                    "--seed %llu`.\ndcplan: model/1\nlineage: ",
                    w->options->n_hosts, w->options->n_vms,
                    (unsigned long long)w->options->seed);
    put_lineage(w, out);
    dcp_text_puts(out,
                  "\ntimezone: Europe/Brussels\ncurrency: EUR\ninclude: "
                  "[rules.yaml, {racks: racks.csv}, {switches: switches.csv}, "
                  "{hosts: hosts.csv}, {vms: vms.csv}]\n\n");
    print_places(w, out);
    print_hardware(out);
    dcp_text_puts(out, "vlans:\n"
                       "  front: {id: 100, subnet: 10.1.0.0/16}\n"
                       "  app: {id: 200, subnet: 10.2.0.0/16}\n"
                       "  data: {id: 300, subnet: 10.3.0.0/16}\n"
                       "  dmz: {id: 400, subnet: 10.4.0.0/16}\n");
    print_pools(w, out);
    dcp_text_puts(out, "tenants: {");
    for (uint32_t t = 1; t <= 20; t++) {
        dcp_text_printf(out, "%st%02u: {}", t > 1 ? ", " : "", t);
    }
    dcp_text_puts(out, "}\n");
    print_profiles(out);
    print_licences(w, out);
    dcp_text_puts(out, policy_text);
}
