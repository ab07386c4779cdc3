/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts and the models of machines they are of: rows that agree in all that
 * makes a machine are one model. */

#include "model/base/units.h"
#include "model/io/import_work.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host_row {
    const char *name, *cpu, *arch, *memory, *disk, *nic, *chassis, *hardware;
    char clock[32];
    uint32_t sockets, cores;
};

static uint32_t
whole(const char *text)
{
    double value;
    const char *end = dcp_scan_double(text, &value);

    return end && !*end && value >= 1 && value < 1e6 ? (uint32_t)value : 0;
}

/* "24-Core" in the name of the CPU; 0: not there. */
static uint32_t
cores_in_name(const char *cpu)
{
    const char *word = strstr(cpu, "-Core");

    double n = 0;

    while (word && word > cpu && isdigit((unsigned char)word[-1])) {
        word--;
    }
    return word && dcp_scan_double(word, &n) && n < 1e4 ? (uint32_t)n : 0;
}

/* Physical cores: as given, else from the CPU's name, else half the threads
 * of an x86 machine.  0: not to be known. */
static uint32_t
cores_of(struct dcp_import *im, const struct host_row *row, const char *given,
         const char *threads)
{
    if (whole(given)) {
        return whole(given);
    }
    if (cores_in_name(row->cpu)) {
        return cores_in_name(row->cpu) * row->sockets;
    }
    if (!strcmp(row->arch, "x86_64") && whole(threads) % 2 == 0 &&
        whole(threads)) {
        im->result->n_cores_assumed++;
        return whole(threads) / 2;
    }
    return 0;
}

/* The base clock: after '@' in the CPU's name, else the column. */
static void
clock_of(const char *cpu, const char *given, char out[32])
{
    const char *at = strchr(cpu, '@');
    double ghz, mhz;
    const char *end;

    if (at && (end = dcp_scan_double(at + 1 + strspn(at + 1, " "), &ghz)) &&
        ghz > 0.1 && !strncmp(end, "GHz", 3)) {
        (void)snprintf(out, 32, "%.0fMHz", ghz * 1000);
    } else if (dcp_parse_quantity(DCP_DIM_CPU, given, &mhz, NULL) &&
               mhz >= 100) {
        (void)snprintf(out, 32, "%.0fMHz", mhz);
    } else {
        out[0] = '\0';
    }
}

/* False: the row cannot be used, and was counted. */
static bool
read_host(struct dcp_import *im, const struct dcp_import_table *t,
          struct host_row *row)
{
    double number;

    *row = (struct host_row){
        .name = dcp_import_cell(im, t, "name"),
        .hardware = dcp_import_cell(im, t, "hardware"),
        .cpu = dcp_import_cell(im, t, "cpu"),
        .arch = dcp_import_cell(im, t, "arch"),
        .memory = dcp_import_cell(im, t, "memory"),
        .disk = dcp_import_cell(im, t, "disk"),
        .nic = dcp_import_cell(im, t, "nics"),
        .chassis = dcp_import_cell(im, t, "chassis"),
    };
    if (!*row->name) {
        dcp_import_skip(im, "no name");
        return false;
    }
    /* A model of machine is one of ours, unless the table says itself what
     * such a machine is. */
    if (*row->hardware &&
        (!*row->memory || dcp_import_has_hardware(im, row->hardware))) {
        return true;
    }
    row->chassis = *row->chassis ? row->chassis : row->hardware;
    row->hardware = "";
    row->arch = *row->arch ? row->arch : "x86_64";
    row->sockets = whole(dcp_import_cell(im, t, "sockets"));
    row->sockets = row->sockets ? row->sockets : 1;
    row->cores = cores_of(im, row, dcp_import_cell(im, t, "cores"),
                          dcp_import_cell(im, t, "threads"));
    if (!row->cores) {
        row->cores =
            row->sockets * whole(dcp_import_cell(im, t, "cores_per_socket"));
    }
    clock_of(row->cpu, dcp_import_cell(im, t, "clock"), row->clock);
    const char *why = NULL;

    if (!row->cores) {
        why = "physical cores are not given";
    } else if (!row->clock[0]) {
        why = "the clock is not given";
    } else if (!dcp_parse_quantity(DCP_DIM_SIZE, row->memory, &number, NULL) ||
               number < 1) {
        why = "the memory is not given";
    } else if (row->cores % row->sockets) {
        why = "cores are no multiple of sockets";
    }
    if (why) {
        dcp_import_skip(im, why);
    }
    return !why;
}

static void
slug(const char *text, char out[64])
{
    size_t n = 0;

    for (; *text && n < 40; text++) {
        if (isalnum((unsigned char)*text)) {
            out[n++] = (char)tolower((unsigned char)*text);
        } else if (n && out[n - 1] != '-') {
            out[n++] = '-';
        }
    }
    while (n && out[n - 1] == '-') {
        n--;
    }
    out[n] = '\0';
}

static const char *
name_machine(struct dcp_import *im, const struct host_row *row)
{
    char normal[80], cpu[64], chassis[64], name[192];
    double mem_mib = 0;
    uint32_t old = 0;

    dcp_spec_normalise(row->cpu, normal);
    slug(normal, cpu);
    slug(row->chassis, chassis);
    if (!dcp_parse_quantity(DCP_DIM_SIZE, row->memory, &mem_mib, NULL)) {
        return NULL; /* Was checked by read_host(). */
    }
    for (uint32_t k = 1; k < 1000; k++) {
        int n = snprintf(name, sizeof name, "%s%s%s-%.0fg", chassis,
                         *chassis && *cpu ? "-" : "", cpu, mem_mib / 1024);

        if (k > 1) {
            (void)snprintf(name + n, sizeof name - (size_t)n, "-%u", k);
        }
        const char *copy =
            dcp_arena_strdup(im->arena, *name == '-' ? name + 1 : name);

        if (!copy) {
            return NULL;
        }
        if (dcp_strmap_add(&im->machine_names, copy, 0, &old)) {
            return copy;
        }
    }
    return NULL;
}

/* The model of machine the row is one of, made where it is the first. */
static const char *
machine_of(struct dcp_import *im, const struct host_row *row)
{
    const char *key =
        dcp_arena_printf(im->arena, "%s|%s|%s|%u|%u|%s|%s|%s|%s", row->chassis,
                         row->cpu, row->clock, row->sockets, row->cores,
                         row->memory, row->disk, row->nic, row->arch);
    uint32_t at = key ? dcp_strmap_find(&im->machine_by_key, key) : 0;

    if (!key) {
        return NULL;
    }
    if (at != DCP_STRMAP_NONE) {
        im->machines[at].n_hosts++;
        return im->machines[at].name;
    }
    if (im->n_machines == im->machine_capacity) {
        uint32_t capacity =
            im->machine_capacity ? 2 * im->machine_capacity : 64;
        struct dcp_import_machine *more =
            realloc(im->machines, capacity * sizeof *more);

        if (!more) {
            return NULL;
        }
        im->machines = more;
        im->machine_capacity = capacity;
    }
    struct dcp_import_machine *m = &im->machines[im->n_machines];

    *m = (struct dcp_import_machine){
        .key = key,
        .name = name_machine(im, row),
        .cpu = row->cpu,
        .clock = dcp_arena_strdup(im->arena, row->clock),
        .memory = row->memory,
        .disk = row->disk,
        .nic = row->nic,
        .arch = row->arch,
        .sockets = row->sockets,
        .cores_per_socket = row->cores / row->sockets,
        .n_hosts = 1,
    };
    if (!m->name || !m->clock ||
        !dcp_strmap_add(&im->machine_by_key, key, im->n_machines, NULL)) {
        return NULL;
    }
    im->n_machines++;
    return m->name;
}

static const char *const host_columns[] = { "rack",  "unit",      "hypervisor",
                                            "state", "power_off", "ports",
                                            "tags" };
#define N_HOST_COLUMNS (sizeof host_columns / sizeof host_columns[0])

static bool
take_host(struct dcp_import *im, const struct dcp_import_table *t)
{
    struct host_row row;
    char why[120];
    const char *refused = dcp_import_refuses(&t->map, &t->csv, why);

    im->result->hosts_read++;
    if (refused) {
        dcp_import_skip(im, refused);
        return true;
    }
    if (!read_host(im, t, &row) || !dcp_import_is_new(im, row.name)) {
        return true;
    }
    const char *hardware = *row.hardware ? row.hardware : machine_of(im, &row);
    struct dcp_text *out = &im->target.hosts;

    if (!hardware) {
        return dcp_import_no_memory(im);
    }
    im->result->hosts_taken++;
    dcp_csv_put(out, row.name);
    dcp_text_puts(out, ",");
    dcp_csv_put(out, hardware);
    for (size_t i = 0; i < N_HOST_COLUMNS; i++) {
        const char *cell = dcp_import_cell(im, t, host_columns[i]);

        if (!dcp_import_has(&t->map, host_columns[i])) {
            continue;
        }
        dcp_text_puts(out, ",");
        dcp_csv_put(out, cell);
        if (i == 0 && *cell && !dcp_import_need(im, 0, cell)) {
            return false;
        }
    }
    dcp_text_puts(out, "\n");
    return true;
}

bool
dcp_import_hosts(struct dcp_import *im, struct dcp_import_table *t)
{
    if (!dcp_import_open(im, t, "hosts", im->options->hosts)) {
        return false;
    }
    dcp_text_puts(&im->target.hosts, "name,hardware");
    for (size_t i = 0; i < N_HOST_COLUMNS; i++) {
        if (dcp_import_has(&t->map, host_columns[i])) {
            dcp_text_printf(&im->target.hosts, ",%s", host_columns[i]);
        }
    }
    dcp_text_puts(&im->target.hosts, "\n");
    for (bool more = true;;) {
        if (!dcp_csv_next(&t->csv, &more, im->err)) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!take_host(im, t)) {
            return false;
        }
    }
}

/* --- Models of machines --- */

static void
print_curve(struct dcp_import *im, const struct dcp_import_machine *m)
{
    struct dcp_text *out = &im->target.hosts_base;
    struct dcp_spec_answer answer = { 0 };
    char number[32];

    if (im->curves) {
        dcp_spec_curves_find(im->curves, m->cpu, m->sockets,
                             m->cores_per_socket, &answer);
    }
    im->result->curves[answer.match]++;
    im->result->curve_hosts[answer.match] += m->n_hosts;
    if (answer.match == DCP_SPEC_NONE) {
        return;
    }
    (void)snprintf(number, sizeof number, "%.3f", answer.speed_factor);
    dcp_text_printf(out, ",\n     speed_factor: %s, power: [", number);
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        dcp_text_double(number, answer.power_w[i]);
        dcp_text_printf(out, "%s%sW", i ? ", " : "", number);
    }
    dcp_text_puts(out, "],\n     source: ");
    const char *source = dcp_arena_printf(
        im->arena, "SPECpower_ssj2008, line %u, %s (%s)", answer.row,
        answer.cpu_name,
        answer.match == DCP_SPEC_EXACT ? "this CPU" : "same CPU family");

    dcp_import_put_quoted(out, source ? source : "");
}

static void
print_machine(struct dcp_import *im, const struct dcp_import_machine *m)
{
    struct dcp_text *out = &im->target.hosts_base;
    char normal[80];

    dcp_text_puts(out, "  ");
    dcp_import_put_quoted(out, m->name);
    dcp_text_printf(out,
                    ":\n    {sockets: %u, cores_per_socket: %u, clock: %s, "
                    "memory: %s, disk: %s, nics: [%s], arch: %s",
                    m->sockets, m->cores_per_socket, m->clock, m->memory,
                    *m->disk ? m->disk : "0", *m->nic ? m->nic : "1Gbit",
                    m->arch);
    dcp_spec_normalise(m->cpu, normal);
    const char *generation = dcp_spec_generation(dcp_spec_family(normal));

    if (*generation) {
        dcp_text_printf(out, ", cpu_generation: %s", generation);
    }
    if (*m->cpu) {
        dcp_text_puts(out, ",\n     cpu: ");
        dcp_import_put_quoted(out, m->cpu);
    }
    print_curve(im, m);
    dcp_text_puts(out, "}\n");
}

void
dcp_import_print_machines(struct dcp_import *im)
{
    struct dcp_text *out = &im->target.hosts_base;

    im->result->hardware = im->n_machines;
    if (im->n_machines) {
        dcp_text_puts(out, "# Made by `dcplan import csv`.  speed_factor 1 is "
                           "a " DCP_SPEC_REFERENCE_NAME ".\nhardware:\n");
    }
    for (uint32_t i = 0; i < im->n_machines; i++) {
        print_machine(im, &im->machines[i]);
    }
}
