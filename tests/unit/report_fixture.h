/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_REPORT_FIXTURE_H
#define DCP_TESTS_REPORT_FIXTURE_H 1

/* A night of a datacenter, made up: 'n_hosts' hosts of four models in racks of
 * ten, 'n_vms' VMs with a day rhythm, and a plan that empties every third host
 * in the evening and brings its VMs back in the morning; with some days of
 * 5-minute samples that agree with the demand.  Everything is derived from one
 * seed. */

#include "model/capacity.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_EVENING INT64_C(1377892800000) /* 2013-08-30T20:00:00Z */
#define FIXTURE_HOURS   24

struct fixture {
    struct dcp_inventory *inv;
    struct dcp_plan *plan;
    struct dcp_demand *demand;
    struct dcp_samples samples;
    struct dcp_check_result check;
    uint64_t random; /* State of the generator below. */
};

static double
fixture_random(struct fixture *f) /* 0..1; xorshift64 of Marsaglia. */
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return (double)(f->random >> 11) / 9007199254740992.0;
}

static const struct dcp_hardware fixture_hardware[] = {
    { .name = "dl360-gen8",
      .sockets = 2,
      .cores_per_socket = 8,
      .clock_mhz = 2600,
      .speed_factor = 1,
      .mem_mib = 131072,
      .power_w = { 62, 95, 110, 122, 135, 149, 165, 184, 205, 229, 256 },
      .sleep_w = 8,
      .boot_ms = 240000,
      .shutdown_ms = 60000,
      .boot_w = 180,
      .shutdown_w = 120 },
    { .name = "r720",
      .sockets = 2,
      .cores_per_socket = 8,
      .clock_mhz = 2700,
      .speed_factor = 1.02,
      .mem_mib = 196608,
      .power_w = { 70, 101, 117, 131, 146, 161, 178, 199, 223, 250, 281 },
      .sleep_w = 9,
      .boot_ms = 260000,
      .shutdown_ms = 70000,
      .boot_w = 190,
      .shutdown_w = 130 },
    { .name = "r640",
      .sockets = 2,
      .cores_per_socket = 16,
      .clock_mhz = 2300,
      .speed_factor = 1.35,
      .mem_mib = 393216,
      .power_w = { 58, 112, 134, 153, 172, 193, 219, 252, 291, 334, 381 },
      .sleep_w = 11,
      .boot_ms = 300000,
      .shutdown_ms = 80000,
      .boot_w = 210,
      .shutdown_w = 140 },
    { .name = "r6525",
      .sockets = 2,
      .cores_per_socket = 24,
      .clock_mhz = 2450,
      .speed_factor = 1.5,
      .mem_mib = 524288,
      .power_w = { 91, 160, 187, 211, 236, 262, 290, 321, 357, 396, 438 },
      .sleep_w = 14,
      .boot_ms = 330000,
      .shutdown_ms = 90000,
      .boot_w = 230,
      .shutdown_w = 150 },
};

static const int64_t fixture_zone_from[] = { INT64_MIN };
static const int32_t fixture_zone_offset[] = { 7200 };
static const struct dcp_zone fixture_zone = { "Europe/Brussels", 1,
                                              fixture_zone_from,
                                              fixture_zone_offset };

static void
fixture_site(struct fixture *f, uint32_t n_racks)
{
    struct dcp_arena *a = f->inv->arena;
    static const struct dcp_tariff_row rows[] = {
        { .has_hours = true,
          .hours = { 420, 1320 },
          .price_per_kwh = 0.28,
          .carbon_g_per_kwh = 210 },
        { .price_per_kwh = 0.14, .carbon_g_per_kwh = 160 },
    };
    struct dcp_tariff *tariff = dcp_arena_new(a, struct dcp_tariff);
    struct dcp_site *site = dcp_arena_new(a, struct dcp_site);
    struct dcp_room *room = dcp_arena_new(a, struct dcp_room);
    struct dcp_rack *racks = dcp_arena_array(a, struct dcp_rack, n_racks);
    struct dcp_tier *tiers = dcp_arena_array(a, struct dcp_tier, 2);

    *tariff = (struct dcp_tariff){ "day-night", rows, 2 };
    *site = (struct dcp_site){ .name = "gent",
                               .pue = 1.6,
                               .pue_marginal = 1.35,
                               .zone = &fixture_zone };
    *room = (struct dcp_room){ .name = "g1", .site = { 0 } };
    for (uint32_t i = 0; i < n_racks; i++) {
        racks[i] = (struct dcp_rack){ .name = dcp_arena_printf(a, "r%u", i + 1),
                                      .height_u = 42 };
    }
    tiers[0] = (struct dcp_tier){ "live", 3, 1, 0.95, 0.1, 0 };
    tiers[1] = (struct dcp_tier){ "test", 6, 1.2, 0.9, 0, 0 };
    f->inv->zone = &fixture_zone;
    f->inv->currency = "EUR";
    f->inv->lineage = "6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10";
    f->inv->tariffs = tariff;
    f->inv->n_tariffs = 1;
    f->inv->sites = site;
    f->inv->n_sites = 1;
    f->inv->rooms = room;
    f->inv->n_rooms = 1;
    f->inv->racks = racks;
    f->inv->n_racks = n_racks;
    f->inv->tiers = tiers;
    f->inv->n_tiers = 2;
    f->inv->hardware = fixture_hardware;
    f->inv->n_hardware = 4;
}

/* The host with the most room for its size. */
static uint32_t
fixture_emptiest(const double used[], uint32_t n_hosts)
{
    uint32_t best = 0;
    double least = 1e30;

    for (uint32_t h = 0; h < n_hosts; h++) {
        double share = used[h] / (double)fixture_hardware[h / 3 % 4].mem_mib;

        if (share < least) {
            least = share;
            best = h;
        }
    }
    return best;
}

static void
fixture_machines(struct fixture *f, uint32_t n_hosts, uint32_t n_vms)
{
    struct dcp_arena *a = f->inv->arena;
    struct dcp_host *hosts = dcp_arena_array(a, struct dcp_host, n_hosts);
    struct dcp_vm *vms = dcp_arena_array(a, struct dcp_vm, n_vms);
    static const char *const roles[] = { "web",   "db",   "app",
                                         "batch", "mail", "ci" };
    double *used = calloc(n_hosts, sizeof *used);

    for (uint32_t h = 0; h < n_hosts; h++) {
        hosts[h] = (struct dcp_host){
            .name = dcp_arena_printf(a, "h%u", h + 1),
            .hardware = { h / 3 % 4 },
            .rack = { h / 10 },
            .hypervisor = dcp_hypervisor_none(),
        };
    }
    for (uint32_t v = 0; v < n_vms; v++) {
        vms[v] = (struct dcp_vm){
            .name = dcp_arena_printf(a, "%s-%u", roles[v % 6], v / 6 + 1),
            .host = { fixture_emptiest(used, n_hosts) },
            .tier = { v % 6 == 5 },
            .tenant = dcp_tenant_none(),
            .application = dcp_application_none(),
            .profile = dcp_profile_none(),
            .vcpus = 1u << (v / 60 + v) % 4,
            .mem_mib = 4096ull << (v / 7 + v) % 3,
        };
        used[vms[v].host.ix] += (double)vms[v].mem_mib;
    }
    free(used);
    f->inv->hosts = hosts;
    f->inv->n_hosts = n_hosts;
    f->inv->vms = vms;
    f->inv->n_vms = n_vms;
}

static void
fixture_licences(struct fixture *f)
{
    struct dcp_arena *a = f->inv->arena;
    struct dcp_licence *l = dcp_arena_array(a, struct dcp_licence, 2);
    uint32_t *ix = dcp_arena_array(a, uint32_t, f->inv->n_vms);
    uint32_t n = 0;

    for (uint32_t v = 1; v < f->inv->n_vms; v += 6) {
        ix[n++] = v;
    }
    l[0] = (struct dcp_licence){ .name = "rhel",
                                 .vms = { ix, n },
                                 .metric = DCP_LICENCE_SOCKET_PAIR,
                                 .minimum = 1,
                                 .factor = 1,
                                 .guests_free_on_host = true,
                                 .price_per_year = 1200,
                                 .owned = 48 };
    l[1] = (struct dcp_licence){ .name = "oracle-ee",
                                 .vms = { ix, n / 4 },
                                 .metric = DCP_LICENCE_CORE,
                                 .factor = 0.5,
                                 .price_per_year = 9500,
                                 .owned = 400 };
    f->inv->licences = l;
    f->inv->n_licences = 2;
}

/* Share of its ceiling that VM 'v' uses at a local hour. */
static double
fixture_load(uint32_t v, double hour)
{
    double day = 0.5 - 0.5 * cos((hour - 3) / 24 * 2 * 3.14159265358979);
    double base = 0.04 + 0.05 * (v % 11) / 11;

    return v % 6 == 3 ? base + 0.2 * (1 - day) /* batch: by night */
                      : base + 0.28 * day * (v % 5 + 1) / 5;
}

static void
fixture_demand(struct fixture *f)
{
    struct dcp_slot slots[FIXTURE_HOURS];

    for (uint32_t s = 0; s < FIXTURE_HOURS; s++) {
        slots[s] =
            (struct dcp_slot){ FIXTURE_EVENING + s * DCP_HOUR_MS,
                               FIXTURE_EVENING + (s + 1) * DCP_HOUR_MS, s };
    }
    struct dcp_demand_rows rows;

    f->demand = dcp_demand_create(f->inv->n_vms, slots, FIXTURE_HOURS, false,
                                  false, &rows, NULL);

    for (uint32_t v = 0; v < f->inv->n_vms; v++) {
        double ceiling = f->inv->vms[v].vcpus * 2600.0;

        for (uint32_t s = 0; s < FIXTURE_HOURS; s++) {
            rows.cpu_mhz[(size_t)v * f->demand->stride + s] =
                (uint32_t)(ceiling * fixture_load(v, (22 + s) % 24) * 1.25);
        }
    }
    f->demand->n_by_source[DCP_DEMAND_TRACE] = f->inv->n_vms - 9;
    f->demand->n_by_source[DCP_DEMAND_SHORT] = 6;
    f->demand->n_by_source[DCP_DEMAND_ALLOCATION] = 3;
    f->demand->n_vms_at_limit = 4;
    f->demand->n_samples_at_limit = 1731;
    f->demand->at_limit_raise_frac = 0.2;
    f->demand->until_ms = FIXTURE_EVENING;
    f->demand->from_ms = FIXTURE_EVENING - 30 * DCP_DAY_MS;
}

/* Moves each VM of every third host to the emptiest other host. */
static void
fixture_pack(struct fixture *f, struct dcp_placement *p)
{
    double *used = calloc(f->inv->n_hosts, sizeof *used);

    for (uint32_t v = 0; v < f->inv->n_vms; v++) {
        used[p->host[v].ix] += (double)f->inv->vms[v].mem_mib;
    }
    for (uint32_t v = 0; v < f->inv->n_vms; v++) {
        uint32_t best = 0;
        double room = -1;

        if (p->host[v].ix % 3 != 2) {
            continue;
        }
        for (uint32_t h = 0; h < f->inv->n_hosts; h++) {
            double cap = (double)fixture_hardware[h / 3 % 4].mem_mib;

            if (h % 3 != 2 && cap - used[h] > room) {
                room = cap - used[h];
                best = h;
            }
        }
        used[best] += (double)f->inv->vms[v].mem_mib;
        p->host[v].ix = best;
    }
    for (uint32_t h = 2; h < f->inv->n_hosts; h += 3) {
        p->on[h] = 0;
    }
    free(used);
}

static struct dcp_step *
fixture_step(struct dcp_plan *plan, struct dcp_step *steps, uint32_t leg,
             enum dcp_step_kind kind, struct dcp_object object)
{
    struct dcp_step *s = &steps[plan->n_steps++];

    *s = (struct dcp_step){ .id = plan->n_steps,
                            .leg = leg,
                            .kind = kind,
                            .object = object,
                            .reason_text = "" };
    return s;
}

static void
fixture_moves(struct fixture *f, struct dcp_step *steps, uint32_t leg,
              uint32_t host, const struct dcp_placement *from,
              const struct dcp_placement *to, const uint32_t *after)
{
    const struct dcp_inventory *inv = f->inv;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if ((leg ? to : from)->host[v].ix != host ||
            to->host[v].ix == from->host[v].ix) {
            continue;
        }
        struct dcp_step *s =
            fixture_step(f->plan, steps, leg, DCP_STEP_MIGRATE,
                         (struct dcp_object){ DCP_OBJECT_VM, v });
        uint32_t target = to->host[v].ix;

        s->from = (struct dcp_object){ DCP_OBJECT_HOST, from->host[v].ix };
        s->to = (struct dcp_object){ DCP_OBJECT_HOST, target };
        s->mem_mib = (uint32_t)inv->vms[v].mem_mib;
        s->estimate_ms =
            4000 + s->mem_mib * 2 + (int64_t)(fixture_random(f) * 9000);
        s->downtime_ms = 60 + (int64_t)(fixture_random(f) * 200);
        s->reason = leg ? DCP_REASON_UNPACK : DCP_REASON_EMPTY_HOST;
        s->after = after;
        s->n_after = after != NULL;
        s->reason_text = dcp_arena_printf(
            f->plan->arena,
            leg ? "CPU p95 of %s at 09 h would be %u of %u MHz"
                : "empties %s; memory on the target then %u of %u GiB usable",
            leg ? inv->hosts[from->host[v].ix].name : inv->hosts[host].name,
            leg ? 41200 + v : 40 + v % 60, leg ? 33280 : 115);
    }
}

static void
fixture_steps(struct fixture *f)
{
    struct dcp_plan *plan = f->plan;
    const struct dcp_inventory *inv = f->inv;
    struct dcp_step *steps = dcp_arena_array(
        plan->arena, struct dcp_step, 2 * ((size_t)inv->n_vms + inv->n_hosts));
    uint32_t *off_ids = dcp_arena_array(plan->arena, uint32_t, inv->n_hosts);

    for (uint32_t h = 2; h < inv->n_hosts; h += 3) {
        uint32_t first = plan->n_steps;

        fixture_moves(f, steps, 0, h, plan->before, plan->legs[0].after, NULL);
        uint32_t n = plan->n_steps - first;
        uint32_t *after = dcp_arena_array(plan->arena, uint32_t, n);

        for (uint32_t i = 0; i < n; i++) {
            after[i] = first + i + 1;
        }
        struct dcp_step *s =
            fixture_step(plan, steps, 0, DCP_STEP_HOST_OFF,
                         (struct dcp_object){ DCP_OBJECT_HOST, h });
        s->after = after;
        s->n_after = n;
        s->estimate_ms = fixture_hardware[h / 3 % 4].shutdown_ms;
        s->reason = DCP_REASON_NIGHT_OFF;
        s->reason_text = "empty until 06:00; saves 0.64 kWh of IT load";
        off_ids[h] = s->id;
    }
    for (uint32_t h = 2; h < inv->n_hosts; h += 3) {
        struct dcp_step *s =
            fixture_step(plan, steps, 1, DCP_STEP_HOST_ON,
                         (struct dcp_object){ DCP_OBJECT_HOST, h });
        s->after = &off_ids[h];
        s->n_after = 1;
        s->estimate_ms = fixture_hardware[h / 3 % 4].boot_ms;
        s->reason = DCP_REASON_UNPACK;
        s->reason_text = "its VMs return at 06:00";
        fixture_moves(f, steps, 1, h, plan->legs[0].after, plan->legs[1].after,
                      &s->id);
    }
    plan->steps = steps;
}

static void
fixture_survive(struct fixture *f)
{
    struct dcp_plan *plan = f->plan;
    const struct dcp_placement *p = plan->legs[0].after;
    struct dcp_survive *all =
        dcp_arena_array(plan->arena, struct dcp_survive, f->inv->n_hosts);

    for (uint32_t h = 0; h < f->inv->n_hosts; h++) {
        if (!p->on[h]) {
            continue;
        }
        struct dcp_survive *s = &all[plan->n_survive++];
        uint32_t *vms = dcp_arena_array(plan->arena, uint32_t, f->inv->n_vms);
        uint32_t *lost = dcp_arena_array(plan->arena, uint32_t, f->inv->n_vms);
        dcp_host_id *to =
            dcp_arena_array(plan->arena, dcp_host_id, f->inv->n_vms);

        *s = (struct dcp_survive){ .lose = { DCP_OBJECT_HOST, h },
                                   .vms = vms,
                                   .to = to,
                                   .not_protected = lost };
        for (uint32_t v = 0; v < f->inv->n_vms; v++) {
            if (p->host[v].ix != h) {
                continue;
            }
            if (f->inv->vms[v].tier.ix == 1) {
                lost[s->n_not_protected++] = v;
                continue;
            }
            to[s->n].ix = (v * 3) % (f->inv->n_hosts / 3 * 3);
            vms[s->n++] = v;
        }
    }
    plan->survive = all;
}

static void
fixture_plan(struct fixture *f)
{
    struct dcp_plan *plan = f->plan = dcp_plan_create(NULL);

    plan->before = dcp_placement_start(f->inv, NULL);
    plan->legs[0] = (struct dcp_leg){
        .name = "evening",
        .start_ms = FIXTURE_EVENING,
        .deadline_ms = FIXTURE_EVENING + DCP_HOUR_MS,
        .buckets_until_ms = FIXTURE_EVENING + 8 * DCP_HOUR_MS,
        .after = dcp_placement_copy(plan->before, NULL),
    };
    fixture_pack(f, plan->legs[0].after);
    plan->legs[1] = (struct dcp_leg){
        .name = "morning",
        .start_ms = FIXTURE_EVENING + 7 * DCP_HOUR_MS,
        .deadline_ms = FIXTURE_EVENING + 8 * DCP_HOUR_MS,
        .buckets_until_ms = FIXTURE_EVENING + FIXTURE_HOURS * DCP_HOUR_MS,
        .after = dcp_placement_copy(plan->before, NULL),
    };
    plan->n_legs = 2;
    plan->limits = (struct dcp_plan_limits){ 2, 2, 8, 4, 0 };
    fixture_steps(f);
    fixture_survive(f);
    strcpy(plan->uuid, "0b6c1d52-3e0e-8a77-9b1f-6a2f0f6c9d31");
    strcpy(plan->digest,
           "sha256:"
           "4444444444444444444444444444444444444444444444444444444444444444");
    strcpy(plan->model_digest,
           "sha256:"
           "1111111111111111111111111111111111111111111111111111111111111111");
    strcpy(plan->traces_digest,
           "sha256:"
           "2222222222222222222222222222222222222222222222222222222222222222");
    strcpy(plan->policy_digest,
           "sha256:"
           "3333333333333333333333333333333333333333333333333333333333333333");
    strcpy(f->inv->digest, plan->model_digest);
    plan->lineage = f->inv->lineage;
    plan->serial = 7;
    plan->tool_version = "0.1.0";
    plan->seed = 1;
    plan->options_json = "{\"command\":\"consolidate\",\"goal\":[\"cost\"],"
                         "\"window\":\"22:00-06:00\",\"gap\":0.01}";
    plan->not_before_ms = FIXTURE_EVENING;
    plan->not_after_ms = FIXTURE_EVENING + 9 * DCP_HOUR_MS;
    plan->traces_from_ms = FIXTURE_EVENING - 30 * DCP_DAY_MS;
    plan->traces_until_ms = FIXTURE_EVENING;
    plan->created_ms = FIXTURE_EVENING - 2 * DCP_HOUR_MS;
    plan->solve_seconds = 3.21;
    plan->status = "feasible";
    plan->goal = "cost";
    plan->bound_method = "lp";
    plan->hosts_on_before = dcp_placement_n_on(plan->before);
    plan->hosts_on_after = dcp_placement_n_on(plan->legs[0].after);
    plan->hosts_lower_bound = plan->hosts_on_after - 1;
    plan->gap_frac = 0.012;
    plan->currency = "EUR";
}

static void
fixture_samples(struct fixture *f, uint32_t n_days)
{
    struct dcp_samples *s = &f->samples;

    s->interval_ms = 300000;
    s->start_ms = FIXTURE_EVENING - n_days * DCP_DAY_MS;
    s->n_times = n_days * 288;
    s->n_vms = f->inv->n_vms;
    s->value = calloc((size_t)s->n_times * s->n_vms, sizeof *s->value);
    for (uint32_t t = 0; t < s->n_times; t++) {
        double hour = fmod(22 + t / 12.0, 24);
        double week = t / 288 % 7 == 1 || t / 288 % 7 == 2 ? 0.6 : 1;

        for (uint32_t v = 0; v < s->n_vms; v++) {
            double r = fixture_random(f);

            s->value[(size_t)t * s->n_vms + v] =
                v % 100 == 99 ? NAN
                              : (float)(f->inv->vms[v].vcpus * 2600.0 *
                                        fixture_load(v, hour) * week *
                                        (0.55 + 0.5 * r + (r > 0.995)));
        }
    }
}

static void
fixture_make(struct fixture *f, uint32_t n_hosts, uint32_t n_vms,
             uint32_t n_days)
{
    *f = (struct fixture){ .random = 88172645463325252u };
    f->inv = dcp_inventory_create(NULL);
    fixture_site(f, (n_hosts + 9) / 10);
    fixture_machines(f, n_hosts, n_vms);
    fixture_licences(f);
    fixture_demand(f);
    fixture_plan(f);
    if (n_days) {
        fixture_samples(f, n_days);
    }
    f->check =
        (struct dcp_check_result){ .pass = true, .states_checked = 1842 };
}

static void
fixture_finish(struct fixture *f)
{
    free(f->samples.value);
    dcp_demand_destroy(f->demand);
    dcp_plan_destroy(f->plan);
    dcp_inventory_destroy(f->inv);
}

static inline struct dcp_report_input
fixture_input(const struct fixture *f)
{
    return (struct dcp_report_input){
        .inventory = f->inv,
        .plan = f->plan,
        .demand = f->demand,
        .check = &f->check,
        .samples = f->samples.value ? &f->samples : NULL,
        .tool_version = "0.1.0",
    };
}

#endif /* tests/unit/report_fixture.h */
