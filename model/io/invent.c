/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What exists: machines in racks, VMs with sizes, and the rules.  Where VMs
 * start is invent_start.c; how it is all written is invent_print.c. */

#include "model/io/invent.h"

#include "model/io/file.h"
#include "model/io/invent_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SPECpower_ssj2008 results as published at spec.org; memory is what such
 * machines run VMs with, not what the benchmark was run with. */
const struct machine dcp_invent_machines[N_MACHINES] = {
    { "r720",
      "Intel Xeon E5-2660",
      "sandybridge",
      "SPECpower_ssj2008, Dell PowerEdge R720, 2012-11-28",
      2,
      8,
      2200,
      256,
      2,
      10,
      1450585,
      { 52.3, 75.4, 86.6, 98.3, 112, 124, 140, 161, 178, 201, 231 } },
    { "r630",
      "Intel Xeon E5-2699 v3",
      "haswell",
      "SPECpower_ssj2008, Dell PowerEdge R630, 2015-04-01",
      2,
      18,
      2300,
      384,
      1,
      10,
      3240418,
      { 51.2, 93.4, 111, 129, 146, 162, 176, 197, 223, 255, 287 } },
    { "r730",
      "Intel Xeon E5-2699 v4",
      "broadwell",
      "SPECpower_ssj2008, Dell PowerEdge R730, 2016-05-25",
      2,
      22,
      2200,
      512,
      2,
      10,
      3513207,
      { 44.6, 84.8, 102, 120, 136, 150, 163, 181, 205, 238, 272 } },
    { "r640",
      "Intel Xeon Platinum 8180",
      "skylake",
      "SPECpower_ssj2008, Dell PowerEdge R640, 2017-09-13",
      2,
      28,
      2500,
      768,
      1,
      25,
      5759892,
      { 55, 125, 151, 176, 202, 232, 261, 301, 357, 421, 469 } },
    { "dl360-gen10plus",
      "Intel Xeon Platinum 8380",
      "icelake",
      "SPECpower_ssj2008, HPE ProLiant DL360 Gen10 Plus, 2021-06-30",
      2,
      40,
      2300,
      1024,
      1,
      25,
      8229748,
      { 119, 181, 211, 240, 268, 301, 339, 389, 450, 576, 651 } },
};

const char *const dcp_invent_shape_name[N_SHAPES] = { "office", "evening",
                                                      "batch", "flat",
                                                      "bursty" };

const double dcp_invent_shape[N_SHAPES][2][24] = {
    { { .08, .07, .07, .07, .08, .10, .15, .26, .42, .52, .55, .53,
        .47, .50, .54, .52, .46, .36, .24, .17, .14, .12, .10, .09 },
      { .06, .06, .06, .06, .06, .06, .07, .08, .10, .11, .12, .12,
        .11, .11, .11, .10, .10, .09, .09, .08, .08, .07, .07, .06 } },
    { { .22, .16, .12, .10, .10, .11, .14, .18, .22, .25, .28, .30,
        .31, .31, .31, .32, .34, .38, .44, .50, .53, .52, .45, .33 },
      { .26, .19, .14, .11, .10, .10, .12, .16, .22, .28, .33, .36,
        .38, .38, .38, .38, .40, .44, .49, .54, .56, .54, .47, .36 } },
    { { .58, .62, .60, .52, .40, .22, .10, .06, .05, .05, .05, .05,
        .05, .05, .05, .05, .05, .06, .08, .12, .20, .32, .44, .52 },
      { .50, .54, .52, .44, .32, .18, .08, .05, .05, .05, .05, .05,
        .05, .05, .05, .05, .05, .05, .06, .10, .16, .26, .36, .44 } },
    { { .25, .25, .25, .25, .25, .25, .25, .25, .26, .26, .26, .26,
        .26, .26, .26, .26, .26, .26, .25, .25, .25, .25, .25, .25 },
      { .25, .25, .25, .25, .25, .25, .25, .25, .25, .25, .25, .25,
        .25, .25, .25, .25, .25, .25, .25, .25, .25, .25, .25, .25 } },
    { { .12, .10, .10, .10, .10, .12, .15, .22, .32, .38, .40, .38,
        .34, .38, .40, .38, .34, .28, .22, .20, .18, .16, .14, .12 },
      { .10, .10, .08, .08, .08, .10, .10, .12, .16, .18, .18, .18,
        .16, .16, .16, .16, .14, .14, .12, .12, .12, .10, .10, .10 } },
};

bool
dcp_invent_hosts(struct world *w, struct dcp_error *err)
{
    uint32_t n = w->options->n_hosts;
    /* Small datacenters have every machine as well. */
    uint32_t per_rack = (n + N_MACHINES - 1) / N_MACHINES;

    if (per_rack > HOSTS_PER_RACK) {
        per_rack = HOSTS_PER_RACK;
    }
    w->hosts = dcp_arena_array(w->arena, struct invented_host, n);
    if (!w->hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u hosts", n);
    }
    for (uint32_t h = 0; h < n; h++) {
        struct invented_host *host = &w->hosts[h];

        host->rack = h / per_rack;
        host->machine = host->rack % N_MACHINES;
        host->unit =
            1 + h % per_rack * dcp_invent_machines[host->machine].height_u;
    }
    w->n_racks = w->hosts[n - 1].rack + 1;
    return true;
}

/* --- VMs ---------------------------------------------------------------- */

static uint32_t
at_least_one(double value)
{
    return value < 1 ? 1 : (uint32_t)lround(value);
}

/* More than a quarter of the median machine, in memory or in vCPUs. */
static void
draw_large(struct invented_vm *vm, struct dcp_rng *rng)
{
    const struct machine *m = &dcp_invent_machines[MEDIAN_MACHINE];
    uint32_t quarter_cores = m->sockets * m->cores_per_socket / 4;

    if (dcp_rng_unit(rng) < 0.5) {
        double more = fabs(0.15 * dcp_rng_normal(rng));

        vm->mem_gib =
            at_least_one(m->mem_gib / 4.0 * (1 + (more < 0.5 ? more : 0.5))) +
            1;
        vm->vcpus = 4 + (uint32_t)dcp_rng_below(rng, 9);
    } else {
        vm->vcpus = quarter_cores + 1 + (uint32_t)dcp_rng_below(rng, 5);
        vm->mem_gib = 2 * vm->vcpus;
    }
}

/* Log-normal vCPUs about 'mean_vcpus', and memory by kind. */
static void
draw_small(struct invented_vm *vm, double mean_vcpus, struct dcp_rng *rng)
{
    double sigma = 0.6;
    double vcpus =
        mean_vcpus * exp(sigma * dcp_rng_normal(rng) - sigma * sigma / 2);
    double gib_per_vcpu = dcp_rng_unit(rng) < 0.5 ? 2 : 6;

    vm->vcpus = at_least_one(vcpus < 8 ? vcpus : 8);
    vm->mem_gib =
        at_least_one(vcpus * gib_per_vcpu * exp(0.2 * dcp_rng_normal(rng)));
    if (vm->mem_gib > 96) {
        vm->mem_gib = 96;
    }
}

static enum shape
draw_shape(bool test, struct dcp_rng *rng)
{
    double u = dcp_rng_unit(rng);

    if (test) {
        return u < .6    ? OFFICE
               : u < .64 ? EVENING
               : u < .72 ? BATCH
               : u < .78 ? FLAT
                         : BURSTY;
    }
    return u < .5    ? OFFICE
           : u < .68 ? EVENING
           : u < .75 ? BATCH
           : u < .88 ? FLAT
                     : BURSTY;
}

static void
draw_rest(struct invented_vm *vm, struct dcp_rng *rng)
{
    double os = dcp_rng_unit(rng);

    vm->host = DCP_IX_NONE;
    vm->rule = DCP_IX_NONE;
    vm->test = dcp_rng_unit(rng) < 0.3;
    vm->shape = draw_shape(vm->test, rng);
    vm->tenant = (uint32_t)dcp_rng_below(rng, 20);
    vm->os = os < .55 ? 0 : os < .8 ? 1 : 2;
    vm->tagged = dcp_rng_unit(rng) < 0.02 && !vm->test;
    vm->dmz = dcp_rng_unit(rng) < 0.03;
    vm->oracle = vm->os == 0 && dcp_rng_unit(rng) < 0.02;
    vm->new_cpu = dcp_rng_unit(rng) < 0.05;
    vm->disk_gib = 20 + 10 * (uint32_t)dcp_rng_below(rng, 20);
}

/* Mean vCPUs of small VMs so that memory is filled to about 30 %. */
static double
small_mean(const struct world *w, double large_share)
{
    double mem_gib = 0;

    for (uint32_t h = 0; h < w->options->n_hosts; h++) {
        mem_gib += dcp_invent_machines[w->hosts[h].machine].mem_gib;
    }
    /* A large VM has about 80 GiB, a small one 4 GiB per vCPU. */
    double per_vm = 0.3 * mem_gib / w->options->n_vms;
    double mean = (per_vm - large_share * 80) / ((1 - large_share) * 4);

    return mean < 0.5 ? 0.5 : mean > 4 ? 4 : mean;
}

static double
share_of_large(const struct world *w)
{
    double mem_gib = 0;

    for (uint32_t h = 0; h < w->options->n_hosts; h++) {
        mem_gib += dcp_invent_machines[w->hosts[h].machine].mem_gib;
    }
    /* At most a fifth of all memory: with very many VMs, fewer are large. */
    double most = 0.2 * mem_gib / 80 / w->options->n_vms;

    return most < 0.1 ? most : 0.1;
}

/* --- Rules -------------------------------------------------------------- */

/* Makes the VM fit to be in a rule: no other bounds, small if gathered. */
static void
plain(struct invented_vm *vm, uint32_t rule, bool small)
{
    vm->rule = rule;
    vm->dmz = false;
    vm->new_cpu = false;
    if (small && vm->mem_gib > 16) {
        vm->mem_gib = 16;
    }
    if (small && vm->vcpus > 4) {
        vm->vcpus = 4;
    }
}

static void
draw_rule(struct world *w, uint32_t r, struct dcp_rng *rng)
{
    struct invented_rule *rule = &w->rules[r];
    double u = dcp_rng_unit(rng);
    uint32_t n = 2 + (uint32_t)dcp_rng_below(rng, GROUP_MAX - 1);

    rule->over = DCP_DOMAIN_HOST;
    rule->kind = u < .8    ? DCP_RULE_SPREAD
                 : u < .88 ? DCP_RULE_GATHER
                 : u < .94 ? DCP_RULE_FENCE
                           : DCP_RULE_BAN;
    if (u >= .7 && u < .8 && w->n_racks >= GROUP_MAX) {
        rule->over = DCP_DOMAIN_RACK;
    }
    if (rule->kind == DCP_RULE_SPREAD && n > w->options->n_hosts) {
        n = w->options->n_hosts;
    }
    rule->n_racks = rule->kind == DCP_RULE_FENCE
                        ? (w->n_racks > 8 ? w->n_racks / 4 : w->n_racks)
                        : 1;
    if (rule->n_racks > RACKS_PER_ROOM) {
        rule->n_racks = RACKS_PER_ROOM;
    }
    if (rule->kind == DCP_RULE_BAN && w->n_racks < 2) {
        rule->kind = DCP_RULE_SPREAD;
        n = n < w->options->n_hosts ? n : w->options->n_hosts;
    }
    rule->first_rack =
        (uint32_t)dcp_rng_below(rng, w->n_racks - rule->n_racks + 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t vm = r * VMS_PER_RULE + i;

        rule->vms[rule->n_vms++] = vm;
        plain(&w->vms[vm], r, rule->kind == DCP_RULE_GATHER);
    }
    for (uint32_t i = 1; i < n && rule->kind == DCP_RULE_GATHER; i++) {
        /* One host cannot have both. */
        w->vms[rule->vms[i]].test = w->vms[rule->vms[0]].test;
        w->vms[rule->vms[i]].tagged = w->vms[rule->vms[0]].tagged;
    }
}

bool
dcp_invent_vms(struct world *w, struct dcp_error *err)
{
    uint32_t n = w->options->n_vms;

    w->n_rules = n / VMS_PER_RULE;
    w->vms = dcp_arena_array(w->arena, struct invented_vm, n);
    w->rules = dcp_arena_array(w->arena, struct invented_rule, w->n_rules);
    if (!w->vms || !w->rules) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", n);
    }
    double large = share_of_large(w), mean = small_mean(w, large);

    for (uint32_t v = 0; v < n; v++) {
        struct dcp_rng rng = dcp_rng_stream(w->options->seed, "invent-vm", v);

        /* Evenly among the VMs, and just as many as were asked for. */
        if (floor((v + 1) * large) > floor(v * large)) {
            draw_large(&w->vms[v], &rng);
        } else {
            draw_small(&w->vms[v], mean, &rng);
        }
        draw_rest(&w->vms[v], &rng);
    }
    for (uint32_t r = 1; r < w->n_rules; r++) {
        struct dcp_rng rng = dcp_rng_stream(w->options->seed, "invent-rule", r);

        draw_rule(w, r, &rng);
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

static bool
write_part(const struct world *w, const char *dir, const char *name,
           void (*print)(const struct world *, struct dcp_text *),
           struct dcp_error *err)
{
    struct dcp_text text = { 0 };
    size_t path_size = strlen(dir) + strlen(name) + 2;
    DCP_FREE char *path = malloc(path_size);

    if (!path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to write %s", name);
    }
    (void)snprintf(path, path_size, "%s/%s", dir, name);
    print(w, &text);
    bool ok = text.failed
                  ? dcp_fail(err, DCP_E_NOMEM, "no memory to write %s", name)
                  : dcp_file_write(path, dcp_text_get(&text), text.length, err);

    dcp_text_finish(&text);
    return ok;
}

static bool
invent(struct world *w, const char *dir, struct dcp_error *err)
{
    return dcp_invent_hosts(w, err) && dcp_invent_vms(w, err) &&
           dcp_invent_start(w, err) &&
           write_part(w, dir, "racks.csv", dcp_invent_print_racks, err) &&
           write_part(w, dir, "switches.csv", dcp_invent_print_switches, err) &&
           write_part(w, dir, "hosts.csv", dcp_invent_print_hosts, err) &&
           write_part(w, dir, "vms.csv", dcp_invent_print_vms, err) &&
           write_part(w, dir, "rules.yaml", dcp_invent_print_rules, err) &&
           write_part(w, dir, "dc.yaml", dcp_invent_print_main, err);
}

bool
dcp_invent_model(const struct dcp_invent_options *options, const char *dir,
                 struct dcp_error *err)
{
    size_t path_size = strlen(dir) + 16;
    DCP_FREE char *path = malloc(path_size);

    if (!path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory");
    }
    (void)snprintf(path, path_size, "%s/dc.yaml", dir);
    if (options->n_hosts < 1 || options->n_hosts > DCP_INVENT_HOSTS_MAX ||
        options->n_vms < 1 || options->n_vms > DCP_INVENT_VMS_MAX) {
        return dcp_fail(err, DCP_E_USAGE,
                        "between 1 and %d hosts, and 1 and %d VMs, can be "
                        "invented",
                        DCP_INVENT_HOSTS_MAX, DCP_INVENT_VMS_MAX);
    }
    if (access(path, F_OK) == 0) {
        return dcp_fail(err, DCP_E_USAGE,
                        "'%.300s' is there already; nothing was changed", path);
    }
    struct world w = { .options = options, .arena = dcp_arena_create(0) };
    bool ok = w.arena ? invent(&w, dir, err)
                      : dcp_fail(err, DCP_E_NOMEM, "no memory");

    dcp_arena_destroy(w.arena);
    return ok;
}
