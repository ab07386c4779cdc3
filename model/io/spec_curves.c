/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/spec_curves.h"

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/csv.h"
#include "model/io/file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_BYTES ((size_t)64 << 20)

struct result {
    char name[80]; /* Normalised. */
    const char *cpu_name, *family;
    uint32_t chips, cores_per_chip, row;
    double speed_factor;
    double power_w[DCP_POWER_POINTS];
};
struct dcp_spec_curves {
    struct result *results;
    uint32_t n;
};

/* --- Names -------------------------------------------------------------- */

/* Words that say nothing about the model; clocks and core counts go too. */
static bool
is_noise(const char *word)
{
    static const char *const noise[] = {
        "intel",        "amd",       "xeon",      "cpu",       "processor",
        "processors",   "r",         "tm",        "0",         "genuine",
        "intelr",       "xeonr",     "core",      "supported", "altivec",
        "with",         "dual-core", "quad-core", "six-core",  "eight-core",
        "authenticamd",
    };
    size_t n = strlen(word);

    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        if (!strcmp(word, noise[i])) {
            return true;
        }
    }
    return (n > 3 && !strcmp(word + n - 3, "ghz")) ||
           (n > 5 && !strcmp(word + n - 5, "-core"));
}

static void
add_word(char out[80], const char *word)
{
    size_t n = strlen(out);
    size_t v = strlen(word);

    /* "e5-2660v2" is "e5-2660 v2". */
    if (v > 3 && word[v - 2] == 'v' && isdigit((unsigned char)word[v - 1]) &&
        isdigit((unsigned char)word[v - 3])) {
        (void)snprintf(out + n, 80 - n, "%s%.*s %s", n ? " " : "", (int)(v - 2),
                       word, word + v - 2);
        return;
    }
    (void)snprintf(out + n, 80 - n, "%s%s", n ? " " : "", word);
}

/* Where the model ends and clock and turbo begin: '@', or a parenthesis that
 * is no trade mark. */
static const char *
end_of_model(const char *cpu)
{
    for (const char *p = cpu;; p++) {
        bool mark = !strncasecmp(p, "(R)", 3) || !strncasecmp(p, "(TM)", 4);

        if (!*p || *p == '@' || (*p == '(' && !mark)) {
            return p;
        }
    }
}

static void
end_word(char out[80], char *word, size_t n, bool *number_before)
{
    word[n] = '\0';
    if (!strcmp(word, "ghz") && *number_before) {
        char *space = strrchr(out, ' '); /* "2.20 GHz" is two words. */

        *(space ? space : out) = '\0';
    } else if (n && !is_noise(word)) {
        add_word(out, word);
        *number_before = strspn(word, "0123456789.") == n;
    }
}

void
dcp_spec_normalise(const char *cpu, char out[80])
{
    const char *end = end_of_model(cpu);
    char word[40];
    size_t n = 0;
    bool number_before = false;

    out[0] = '\0';
    for (const char *p = cpu; p < end; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-.+", *p)) {
            end_word(out, word, n, &number_before);
            n = 0;
        } else if (n + 1 < sizeof word) {
            word[n++] = (char)tolower((unsigned char)*p);
        }
    }
    end_word(out, word, n, &number_before);
}

struct family {
    const char *pattern, *family, *generation;
};
/* First match counts. */
static const struct family families[] = {
    { "e5-???? v4", "xeon-e5-v4", "broadwell" },
    { "e5-????? v4", "xeon-e5-v4", "broadwell" },
    { "e5-???? v3", "xeon-e5-v3", "haswell" },
    { "e5-????? v3", "xeon-e5-v3", "haswell" },
    { "e5-???? v2", "xeon-e5-v2", "ivybridge" },
    { "e5-????? v2", "xeon-e5-v2", "ivybridge" },
    { "e5-????*", "xeon-e5", "sandybridge" },
    { "e7-???? v4", "xeon-e7-v4", "broadwell" },
    { "e7-???? v3", "xeon-e7-v3", "haswell" },
    { "e7-???? v2", "xeon-e7-v2", "ivybridge" },
    { "x55??", "xeon-5500", "nehalem" },
    { "l55??", "xeon-5500", "nehalem" },
    { "e55??", "xeon-5500", "nehalem" },
    { "x56??", "xeon-5600", "westmere" },
    { "l56??", "xeon-5600", "westmere" },
    { "e56??", "xeon-5600", "westmere" },
    { "platinum 81*", "xeon-scalable-1", "skylake" },
    { "gold ?1*", "xeon-scalable-1", "skylake" },
    { "silver ?1*", "xeon-scalable-1", "skylake" },
    { "bronze ?1*", "xeon-scalable-1", "skylake" },
    { "platinum 82*", "xeon-scalable-2", "cascadelake" },
    { "gold ?2*", "xeon-scalable-2", "cascadelake" },
    { "silver ?2*", "xeon-scalable-2", "cascadelake" },
    { "platinum 83*", "xeon-scalable-3", "icelake" },
    { "gold ?3*", "xeon-scalable-3", "icelake" },
    { "silver ?3*", "xeon-scalable-3", "icelake" },
    { "platinum 84*", "xeon-scalable-4", "sapphirerapids" },
    { "gold ?4*", "xeon-scalable-4", "sapphirerapids" },
    { "platinum 85*", "xeon-scalable-5", "emeraldrapids" },
    { "6???p", "xeon-6", "graniterapids" },
    { "epyc 7??1*", "epyc-1", "" },
    { "epyc 7??2*", "epyc-2", "" },
    { "epyc 7??3*", "epyc-3", "" },
    { "epyc 9??4*", "epyc-4", "" },
    { "epyc 9??5*", "epyc-5", "" },
};

const char *
dcp_spec_family(const char *normalised)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (dcp_text_glob(families[i].pattern, normalised)) {
            return families[i].family;
        }
    }
    return "";
}

const char *
dcp_spec_generation(const char *family)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (!strcmp(families[i].family, family)) {
            return families[i].generation;
        }
    }
    return "";
}

/* --- The table ---------------------------------------------------------- */

struct columns {
    uint32_t cpu_name, cpu_mhz, chips, cores, cores_per_chip, ssj_ops;
    uint32_t watts[DCP_POWER_POINTS];
};

static bool
find_columns(const struct dcp_csv *csv, struct columns *c,
             struct dcp_error *err)
{
    static const char *const names[] = { "cpu_name",       "cpu_mhz",
                                         "chips",          "cores",
                                         "cores_per_chip", "ssj_ops_100",
                                         "watts_idle" };
    uint32_t *const at[] = { &c->cpu_name, &c->cpu_mhz,        &c->chips,
                             &c->cores,    &c->cores_per_chip, &c->ssj_ops,
                             &c->watts[0] };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *at[i] = dcp_csv_column(csv, names[i]);
        if (*at[i] == UINT32_MAX) {
            return dcp_fail_at(err, DCP_E_PARSE,
                               (struct dcp_pos){ csv->path, 1, 0 },
                               "is no table of power curves: it has no column "
                               "'%s'",
                               names[i]);
        }
    }
    for (uint32_t i = 1; i < DCP_POWER_POINTS; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "watts_%u", 10 * i);
        c->watts[i] = dcp_csv_column(csv, name);
        if (c->watts[i] == UINT32_MAX) {
            return dcp_fail_at(err, DCP_E_PARSE,
                               (struct dcp_pos){ csv->path, 1, 0 },
                               "has no column '%s'", name);
        }
    }
    return true;
}

static double
number_at(const struct dcp_csv *csv, uint32_t column)
{
    double value;
    const char *end = column < csv->n_fields
                          ? dcp_scan_double(csv->field[column], &value)
                          : NULL;

    return end && !*end ? value : NAN;
}

/* False: a record that cannot be used (some results miss figures). */
static bool
read_result(const struct dcp_csv *csv, const struct columns *c,
            struct dcp_arena *arena, struct result *out)
{
    double mhz = number_at(csv, c->cpu_mhz), cores = number_at(csv, c->cores);
    double chips = number_at(csv, c->chips);
    double per_chip = number_at(csv, c->cores_per_chip);
    double ops = number_at(csv, c->ssj_ops);

    if (!(mhz > 0) || !(cores > 0) || !(chips > 0) || !(per_chip > 0) ||
        !(ops > 0)) {
        return false;
    }
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        out->power_w[i] = number_at(csv, c->watts[i]);
        if (!(out->power_w[i] > 0) ||
            (i && out->power_w[i] < out->power_w[i - 1])) {
            return false;
        }
    }
    out->chips = (uint32_t)chips;
    out->cores_per_chip = (uint32_t)per_chip;
    out->row = csv->record_line;
    out->speed_factor = ops / (cores * mhz) / DCP_SPEC_REFERENCE_OPS;
    dcp_spec_normalise(csv->field[c->cpu_name], out->name);
    out->family = dcp_spec_family(out->name);
    out->cpu_name = dcp_arena_strdup(arena, csv->field[c->cpu_name]);
    return out->cpu_name != NULL;
}

static struct dcp_spec_curves *
read_table(struct dcp_csv *csv, struct dcp_arena *arena, uint32_t n_lines,
           struct dcp_error *err)
{
    struct dcp_spec_curves *curves =
        dcp_arena_new(arena, struct dcp_spec_curves);
    struct columns columns;

    if (!find_columns(csv, &columns, err)) {
        return NULL;
    }
    if (curves) {
        curves->results = dcp_arena_array(arena, struct result, n_lines);
    }
    if (!curves || !curves->results) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for power curves");
        return NULL;
    }
    for (bool more = true;;) {
        if (!dcp_csv_next(csv, &more, err)) {
            return NULL;
        }
        if (!more) {
            return curves;
        }
        curves->n +=
            read_result(csv, &columns, arena, &curves->results[curves->n]);
    }
}

struct dcp_spec_curves *
dcp_spec_curves_read(struct dcp_arena *arena, const char *path,
                     struct dcp_error *err)
{
    size_t length;
    DCP_FREE char *text = dcp_file_read(path, MAX_BYTES, &length, err);
    DCP_FREE struct dcp_csv *csv = text ? malloc(sizeof *csv) : NULL;
    uint32_t n_lines = 2;

    if (!csv) {
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        n_lines += text[i] == '\n';
    }
    if (!dcp_csv_open(csv, path, text, length, err)) {
        return NULL;
    }
    return read_table(csv, arena, n_lines, err);
}

/* --- The nearest -------------------------------------------------------- */

static uint32_t
apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

/* Lower is nearer: same sockets first, then cores per socket. */
static uint32_t
distance(const struct result *r, uint32_t sockets, uint32_t cores_per_socket)
{
    return 1000 * apart(r->chips, sockets) +
           apart(r->cores_per_chip, cores_per_socket);
}

static bool
is_kind(const struct result *r, const char *name, const char *family)
{
    return family ? *family && !strcmp(r->family, family)
                  : !strcmp(r->name, name);
}

static int
compare_watts(const void *pa, const void *pb)
{
    const struct result *a = *(const struct result *const *)pa;
    const struct result *b = *(const struct result *const *)pb;
    double x = a->power_w[DCP_POWER_POINTS - 1];
    double y = b->power_w[DCP_POWER_POINTS - 1];

    return x != y ? (x > y) - (x < y) : (a->row > b->row) - (a->row < b->row);
}

/* The median by watts of the nearest ones of that name or family. */
static const struct result *
nearest(const struct dcp_spec_curves *curves, const char *name,
        const char *family, uint32_t sockets, uint32_t cores_per_socket)
{
    const struct result *near[256];
    uint32_t n = 0, best = UINT32_MAX;

    for (uint32_t i = 0; i < curves->n; i++) {
        const struct result *r = &curves->results[i];
        uint32_t d = distance(r, sockets, cores_per_socket);

        if (!is_kind(r, name, family) || d > best) {
            continue;
        }
        if (d < best) {
            best = d;
            n = 0;
        }
        if (n < sizeof near / sizeof near[0]) {
            near[n++] = r;
        }
    }
    if (!n) {
        return NULL;
    }
    qsort(near, n, sizeof near[0], compare_watts);
    return near[(n - 1) / 2];
}

void
dcp_spec_curves_find(const struct dcp_spec_curves *curves, const char *cpu,
                     uint32_t sockets, uint32_t cores_per_socket,
                     struct dcp_spec_answer *out)
{
    char name[80];

    *out = (struct dcp_spec_answer){ .match = DCP_SPEC_NONE };
    dcp_spec_normalise(cpu, name);
    const struct result *r =
        *name ? nearest(curves, name, NULL, sockets, cores_per_socket) : NULL;

    out->match = r ? DCP_SPEC_EXACT : DCP_SPEC_NONE;
    if (!r) {
        r = nearest(curves, name, dcp_spec_family(name), sockets,
                    cores_per_socket);
        out->match = r ? DCP_SPEC_FAMILY : DCP_SPEC_NONE;
    }
    if (!r) {
        return;
    }
    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        out->power_w[i] =
            nearbyint(r->power_w[i] * sockets / r->chips * 10) / 10;
    }
    out->speed_factor = r->speed_factor;
    out->cpu_name = r->cpu_name;
    out->row = r->row;
}
