/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What migrations over a shared network cost (model/transfers.h): many
 * at once, each from a host drawn at random to another, begun as soon as one
 * ends.
 *
 *   bench_network [KEY=VALUE...]
 *
 *   hosts=1000 per_rack=20           NICs of 10 Gbit
 *   uplink=0                         of each rack, Gbit; 0: no limit
 *   at_once=1000 migrations=20000    4 Gbit at most each, 8 GiB
 *
 * Prints one JSON object. */

#include "bench/replay/fleet.h"
#include "model/base/agenda.h"
#include "model/base/rng.h"
#include "model/base/units.h"
#include "model/transfers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOSTS, PER_RACK, UPLINK, AT_ONCE, MIGRATIONS, N_OPTIONS };

#define GBIT_KIB_S 122070

struct network {
    struct dcp_fleet fleet;
    struct dcp_hardware hardware[2];
    struct dcp_switch *switches;
    struct dcp_port *ports;
    struct dcp_host *hosts;
};

static double
cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
build(struct network *n, const uint32_t o[N_OPTIONS], struct dcp_error *err)
{
    static const uint64_t nic_kib_s = 10 * GBIT_KIB_S;
    struct dcp_fleet_options fleet = { .n_vms = o[MIGRATIONS],
                                       .n_hosts = o[HOSTS] };
    uint32_t racks = (o[HOSTS] + o[PER_RACK] - 1) / o[PER_RACK];

    if (!dcp_fleet_create(&fleet, &n->fleet, err)) {
        return false;
    }
    struct dcp_inventory *inv = n->fleet.inventory;

    n->switches = calloc(racks + 1, sizeof *n->switches);
    n->ports = calloc(racks + 1, sizeof *n->ports);
    n->hosts = calloc((size_t)o[HOSTS] + 1, sizeof *n->hosts);
    if (!n->switches || !n->ports || !n->hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u hosts", o[HOSTS]);
    }
    for (uint32_t r = 0; r < racks; r++) {
        n->switches[r] =
            (struct dcp_switch){ .name = "",
                                 .rack = dcp_rack_none(),
                                 .uplink_kib_s =
                                     (uint64_t)o[UPLINK] * GBIT_KIB_S };
        n->ports[r] = (struct dcp_port){ .to = { r } };
    }
    for (uint32_t h = 0; h < o[HOSTS]; h++) {
        n->hosts[h] = inv->hosts[h];
        n->hosts[h].ports = &n->ports[h / o[PER_RACK]];
        n->hosts[h].n_ports = 1;
    }
    for (int k = 0; k < 2; k++) {
        n->hardware[k] = inv->hardware[k];
        n->hardware[k].n_nics = 1;
        n->hardware[k].nic_kib_s = &nic_kib_s;
    }
    inv->hardware = n->hardware;
    inv->hosts = n->hosts;
    inv->switches = n->switches, inv->n_switches = racks;
    return true;
}

static bool
begin(struct network *n, struct dcp_transfers *t, struct dcp_rng *rng,
      uint32_t vm, int64_t at_ms, struct dcp_error *err)
{
    uint32_t n_hosts = n->fleet.inventory->n_hosts;
    uint32_t from = n->fleet.placement->host[vm].ix;
    uint32_t to = (uint32_t)dcp_rng_below(rng, n_hosts - 1);
    struct dcp_transfer transfer = {
        .vm = vm,
        .from = from,
        .to = to + (to >= from),
        .precopy = { .mem_mib = 8192,
                     .dirty_mib_s = 100 * dcp_rng_unit(rng),
                     .rules = n->fleet.inventory->policy.precopy },
    };

    return dcp_transfers_begin(t, vm, &transfer, n->fleet.placement, at_ms,
                               err);
}

static bool
run(struct network *n, const uint32_t o[N_OPTIONS], struct dcp_error *err)
{
    double from_s = cpu_s();
    DCP_AUTO(dcp_transfers)
    struct dcp_transfers *t =
        dcp_transfers_create(n->fleet.inventory, NULL, o[MIGRATIONS], err);
    struct dcp_rng rng = dcp_rng_stream(1, "network", 0);
    struct dcp_agenda ends;
    uint32_t next = 0, key;
    uint64_t n_moved = 0;
    int64_t at_ms = 0;

    if (!t || !dcp_agenda_init(&ends, o[MIGRATIONS])) {
        return false;
    }
    bool ok = true;

    while (ok && (ends.n || next < o[MIGRATIONS])) {
        uint32_t n_changed;

        if (next < o[MIGRATIONS] && ends.n < o[AT_ONCE]) {
            ok = begin(n, t, &rng, next++, at_ms, err);
        } else {
            (void)dcp_agenda_first(&ends, &key, &at_ms);
            dcp_agenda_drop(&ends, key);
            dcp_transfers_end(t, key, n->fleet.placement, at_ms);
        }
        const uint32_t *changed = dcp_transfers_changed(t, &n_changed);

        for (uint32_t i = 0; i < n_changed; i++) {
            if (dcp_transfers_under_way(t, changed[i])) {
                dcp_agenda_set(&ends, changed[i],
                               dcp_transfers_end_ms(t, changed[i]));
            }
        }
        n_moved += n_changed;
    }
    dcp_agenda_finish(&ends);
    struct dcp_transfer_totals sum = dcp_transfers_totals(t);
    double spent_s = cpu_s() - from_s;

    printf("{\"hosts\":%u,\"uplink_gbit\":%u,\"at_once\":%u,"
           "\"migrations\":%u,\"given_up\":%u,\"end_s\":%.0f,"
           "\"ends_moved\":%llu,\"cpu_s\":%.3f,\"cpu_us_each\":%.1f}\n",
           o[HOSTS], o[UPLINK], o[AT_ONCE], sum.n, sum.given_up,
           (double)at_ms / 1000, (unsigned long long)n_moved, spent_s,
           1e6 * spent_s / (sum.n ? sum.n : 1));
    return ok;
}

int
main(int argc, char *argv[])
{
    static const char *const keys[N_OPTIONS] = {
        "hosts=", "per_rack=", "uplink=", "at_once=", "migrations="
    };
    uint32_t o[N_OPTIONS] = { 1000, 20, 0, 1000, 20000 };
    struct network n = { 0 };
    struct dcp_error err = { 0 };

    for (int i = 1; i < argc; i++) {
        bool known = false;
        uint64_t number;

        for (int k = 0; k < N_OPTIONS; k++) {
            size_t length = strlen(keys[k]);

            if (!strncmp(argv[i], keys[k], length) &&
                dcp_parse_amount(DCP_DIM_NUMBER, argv[i] + length, &number,
                                 NULL) &&
                number <= 1000000) {
                o[k] = (uint32_t)number;
                known = true;
            }
        }
        if (!known) {
            (void)fprintf(stderr, "bench_network: what is '%s'?\n", argv[i]);
            return 2;
        }
    }
    bool ok = o[HOSTS] > 1 && o[PER_RACK] && o[AT_ONCE] && build(&n, o, &err) &&
              run(&n, o, &err);

    if (!ok) {
        (void)fprintf(stderr, "bench_network: %s\n",
                      *err.message ? err.message : "too small");
    }
    dcp_fleet_finish(&n.fleet);
    free(n.switches);
    free(n.ports);
    free(n.hosts);
    return ok ? 0 : 1;
}
