/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Kinds of hosts: two hosts are of one kind exactly where they have the same
 * hypervisor, hardware, VLANs and pools. */

#include "model/base/rng.h"
#include "solver/compile/host_kinds.h"
#include "tests/unit/run_suite.h"

enum { HOSTS = 40, VLANS = 3, POOLS = 3, PORTS = 2 };

struct facts { /* Of one host. */
    uint32_t hypervisor, hardware;
    bool every_vlan, vlan[VLANS], pool[POOLS];
};

struct drawn {
    struct dcp_host hosts[HOSTS];
    struct dcp_port ports[HOSTS][PORTS];
    uint32_t vlans[HOSTS][PORTS][VLANS];
    struct dcp_pool pools[POOLS];
    uint32_t reach[POOLS][HOSTS];
    struct dcp_switch switches[2];
    struct facts facts[HOSTS];
    struct dcp_inventory inv;
};

static void
draw_ports(struct drawn *d, uint32_t h, struct dcp_rng *rng)
{
    struct dcp_host *host = &d->hosts[h];
    struct facts *f = &d->facts[h];

    host->ports = d->ports[h];
    host->n_ports = (uint32_t)dcp_rng_below(rng, PORTS + 1);
    f->every_vlan = !host->n_ports;
    for (uint32_t i = 0; i < host->n_ports; i++) {
        uint32_t n = 0, to = (uint32_t)dcp_rng_below(rng, 8);

        d->ports[h][i].to = (dcp_switch_id){ to < 2 ? to : DCP_IX_NONE };
        f->every_vlan |= to == 1;
        for (uint32_t v = 0; v < VLANS; v++) {
            if (dcp_rng_below(rng, 2)) {
                d->vlans[h][i][n++] = v;
                f->vlan[v] = true;
            }
        }
        d->ports[h][i].vlans = (struct dcp_ids){ d->vlans[h][i], n };
    }
    for (uint32_t v = 0; v < VLANS; v++) {
        f->vlan[v] |= f->every_vlan;
    }
}

static void
draw_all(struct drawn *d, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "test", 0);

    *d = (struct drawn){ .switches = { { .driver = "" }, { .driver = "x" } } };
    for (uint32_t h = 0; h < HOSTS; h++) {
        struct facts *f = &d->facts[h];

        f->hypervisor = (uint32_t)dcp_rng_below(&rng, 3); /* 0: none. */
        f->hardware = (uint32_t)dcp_rng_below(&rng, 2);
        d->hosts[h].hypervisor.ix =
            f->hypervisor ? f->hypervisor - 1 : DCP_IX_NONE;
        d->hosts[h].hardware.ix = f->hardware;
        draw_ports(d, h, &rng);
    }
    for (uint32_t i = 0; i < POOLS; i++) {
        uint32_t n = 0;

        d->pools[i].reach_all = i == 0 && dcp_rng_below(&rng, 2);
        for (uint32_t h = 0; h < HOSTS && !d->pools[i].reach_all; h++) {
            if (dcp_rng_below(&rng, 2)) {
                d->reach[i][n++] = h;
                d->facts[h].pool[i] = true;
            }
        }
        d->pools[i].reach = (struct dcp_ids){ d->reach[i], n };
    }
    d->inv = (struct dcp_inventory){ .hosts = d->hosts,
                                     .n_hosts = HOSTS,
                                     .n_hypervisors = 2,
                                     .n_hardware = 2,
                                     .n_vlans = VLANS,
                                     .pools = d->pools,
                                     .n_pools = POOLS,
                                     .switches = d->switches,
                                     .n_switches = 2 };
}

static bool
same(const struct facts *a, const struct facts *b)
{
    bool ok = a->hypervisor == b->hypervisor && a->hardware == b->hardware &&
              a->every_vlan == b->every_vlan;

    for (uint32_t v = 0; v < VLANS; v++) {
        ok = ok && a->vlan[v] == b->vlan[v];
    }
    for (uint32_t i = 0; i < POOLS; i++) {
        ok = ok && a->pool[i] == b->pool[i];
    }
    return ok;
}

START_TEST(kinds_are_hosts_that_have_the_same)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct drawn d;
        struct dcp_host_kinds kinds;
        struct dcp_error err = { 0 };
        uint32_t next = 0;

        draw_all(&d, seed);
        ck_assert(dcp_host_kinds_make(&d.inv, &kinds, &err));
        for (uint32_t h = 0; h < HOSTS; h++) {
            for (uint32_t g = 0; g < h; g++) {
                ck_assert_int_eq(kinds.of_host[g] == kinds.of_host[h],
                                 same(&d.facts[g], &d.facts[h]));
            }
            if (kinds.of_host[h] == next) { /* Numbered by first host. */
                ck_assert_uint_eq(kinds.example[next++], h);
            }
            ck_assert_uint_lt(kinds.of_host[h], next);
        }
        ck_assert_uint_eq(kinds.n, next);
        dcp_host_kinds_finish(&kinds);
    }
}
END_TEST

START_TEST(no_hosts_are_no_kinds)
{
    struct dcp_inventory inv = { .n_hosts = 0 };
    struct dcp_host_kinds kinds;
    struct dcp_error err = { 0 };

    ck_assert(dcp_host_kinds_make(&inv, &kinds, &err));
    ck_assert_uint_eq(kinds.n, 0);
    dcp_host_kinds_finish(&kinds);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &kinds_are_hosts_that_have_the_same,
        &no_hosts_are_no_kinds,
    };

    return RUN_TESTS("host_kinds", tests);
}
