/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Plants of sites, and series by the hour that models name. */

#include "model/capacity.h"
#include "model/io/file.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"
#include "model/power.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Series ------------------------------------------------------------- */

static const char *
path_beside(struct dcp_reader *r, const char *key, const struct dcp_yaml *node)
{
    const char *base = node->pos.path;
    const char *slash = base ? strrchr(base, '/') : NULL;

    if (!dcp_reader_scalar(r, key, node)) {
        return NULL;
    }
    if (!*node->text || node->text[0] == '/') {
        dcp_reader_error(r, node->pos,
                         "%s: '%.200s' is not a path relative to this file",
                         key, node->text);
        return NULL;
    }
    const char *path = dcp_arena_printf(r->inv->arena, "%.*s%s",
                                        slash ? (int)(slash - base) + 1 : 0,
                                        base ? base : "", node->text);

    r->no_memory |= !path;
    return path;
}

const struct dcp_hourly *
dcp_reader_hourly(struct dcp_reader *r, const char *key,
                  const struct dcp_yaml *node, enum dcp_hourly_figure figure,
                  bool every_year)
{
    struct dcp_error err = { 0 };
    const char *path = path_beside(r, key, node);
    struct dcp_hourly *out = dcp_reader_array(r, 1, sizeof *out);
    char currency[8];
    size_t length = 0;
    DCP_FREE char *text =
        path && out ? dcp_file_read(path, DCP_HOURLY_MAX_BYTES, &length, &err)
                    : NULL;

    if (!path || !out) {
        return NULL;
    }
    if (text) {
        dcp_sha256_add(r->digest, text, length);
    }
    if (!text || !dcp_hourly_parse(path, text, length, figure, r->inv->zone,
                                   r->inv->arena, out, currency, &err)) {
        dcp_reader_error(r, node->pos, "%s: %s", key, err.message);
        return NULL;
    }
    if (*currency && strcmp(currency, r->inv->currency) != 0) {
        dcp_reader_warn(r, node->pos,
                        "%s: prices in %s are taken as %s, the model's "
                        "currency",
                        key, currency, r->inv->currency);
    }
    if (every_year && out->at_ms[out->n - 1] + out->step_ms - out->at_ms[0] <
                          DCP_HOURLY_YEAR_MS) {
        dcp_reader_error(r, node->pos,
                         "%s: every_year needs values of 364 days", key);
    }
    out->repeats = every_year;
    return out;
}

/* --- Stages ------------------------------------------------------------- */

static bool
read_points(struct dcp_reader *r, const struct dcp_yaml *loads,
            const struct dcp_yaml *efficiencies, struct dcp_stage *out)
{
    const struct dcp_schema_section *s = &dcp_schema_stage;
    uint32_t n, n_efficiencies;
    const struct dcp_yaml *x = dcp_reader_items(r, loads, &n);
    const struct dcp_yaml *e =
        dcp_reader_items(r, efficiencies, &n_efficiencies);

    if (n != n_efficiencies || n == 0 || n > DCP_STAGE_POINTS_MAX) {
        dcp_reader_error(r, (loads ? loads : efficiencies)->pos,
                         "loads: %u loads and %u efficiencies; as many of "
                         "each, 1 to %d",
                         n, n_efficiencies, DCP_STAGE_POINTS_MAX);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        double load, efficiency;

        if (!dcp_reader_number(r, dcp_schema_row(s, "loads"), &x[i], &load) ||
            !dcp_reader_number(r, dcp_schema_row(s, "efficiency"), &e[i],
                               &efficiency)) {
            return false;
        }
        if (load <= 0 || load > 2 || efficiency <= 0 || efficiency > 1) {
            dcp_reader_error(r, x[i].pos,
                             "loads: '%.20s' at '%.20s' is not a load above 0 "
                             "with an efficiency above 0 and up to 100%%",
                             e[i].text, x[i].text);
            return false;
        }
        dcp_stage_add_point(out, load, efficiency);
    }
    if (!dcp_stage_rises(out)) {
        dcp_reader_error(r, x[0].pos,
                         "loads: not rising, or what goes in falls while what "
                         "comes out rises");
        return false;
    }
    return true;
}

static bool
read_stage(struct dcp_reader *r, const struct dcp_yaml *node,
           struct dcp_stage *out)
{
    const struct dcp_yaml *loads = dcp_yaml_get(node, "loads");
    const struct dcp_yaml *efficiencies = dcp_yaml_get(node, "efficiency");

    dcp_reader_defaults(r, &dcp_schema_stage, out);
    if (!dcp_reader_section(r, &dcp_schema_stage, node, out) ||
        out->rated_w <= 0 || !out->units) {
        return false;
    }
    if (!loads && !efficiencies) {
        return true;
    }
    if (dcp_yaml_get(node, "fixed") || dcp_yaml_get(node, "linear") ||
        dcp_yaml_get(node, "square")) {
        dcp_reader_error(r, node->pos,
                         "loads: fixed, linear or square are given as well; "
                         "keep one of both");
        return false;
    }
    return read_points(r, loads, efficiencies, out);
}

static void
read_stages(struct dcp_reader *r, const struct dcp_yaml *list,
            struct dcp_chain *chain)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, list, &n);

    if (n > DCP_STAGES_MAX) {
        dcp_reader_error(r, list->pos, "stages: more than %d", DCP_STAGES_MAX);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_stage(r, &items[i], &chain->stages[i])) {
            return;
        }
        if (chain->stages[i].kind == DCP_STAGE_PSU && i + 1 < n) {
            dcp_reader_error(r, items[i].pos,
                             "stages: psu stands in the machines, so it comes "
                             "last");
            return;
        }
    }
    chain->n_stages = n;
}

static void
read_preset(struct dcp_reader *r, const struct dcp_yaml *node,
            struct dcp_chain *chain)
{
    const struct dcp_schema_section *s = &dcp_schema_plant;
    const struct dcp_yaml *preset = dcp_yaml_get(node, "preset");
    const struct dcp_yaml *rated = dcp_yaml_get(node, "rated");
    const struct dcp_yaml *given_units = dcp_yaml_get(node, "units");
    double psu_measured_frac = chain->psu_measured_frac, rated_w, units = 1;
    uint32_t choice;

    if (!rated) {
        dcp_reader_error(r, preset->pos,
                         "preset: rated is missing, the rating of its stages");
        return;
    }
    if (!dcp_reader_choice(r, dcp_schema_row(s, "preset"), preset, &choice) ||
        !dcp_reader_number(r, dcp_schema_row(s, "rated"), rated, &rated_w) ||
        (given_units && !dcp_reader_number(r, dcp_schema_row(s, "units"),
                                           given_units, &units))) {
        return;
    }
    dcp_chain_of_preset((enum dcp_chain_preset)choice, rated_w, (uint32_t)units,
                        chain);
    chain->psu_measured_frac = psu_measured_frac;
}

/* --- Plants ------------------------------------------------------------- */

static void
read_chain(struct dcp_reader *r, const struct dcp_yaml *node,
           struct dcp_chain *chain)
{
    const struct dcp_yaml *stages = dcp_yaml_get(node, "stages");
    const struct dcp_yaml *rated = dcp_yaml_get(node, "rated");
    const struct dcp_yaml *units = dcp_yaml_get(node, "units");
    bool preset = dcp_yaml_get(node, "preset") != NULL;

    if (preset && stages) {
        dcp_reader_error(r, stages->pos,
                         "stages: preset is given as well; keep one");
    } else if (!preset && (rated || units)) {
        dcp_reader_error(r, (rated ? rated : units)->pos,
                         "%s: is of a preset, and none is given",
                         rated ? "rated" : "units");
    } else if (preset) {
        read_preset(r, node, chain);
    } else if (stages) {
        read_stages(r, stages, chain);
    }
}

const struct dcp_plant *
dcp_read_plant(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_plant *plant = dcp_reader_array(r, 1, sizeof *plant);
    const struct dcp_yaml *weather = dcp_yaml_get(node, "weather");
    const struct dcp_yaml *years = dcp_yaml_get(node, "every_year");
    const struct dcp_yaml *fans = dcp_yaml_get(node, "fans");
    bool every_year = false;

    if (!plant) {
        return NULL;
    }
    dcp_reader_defaults(r, &dcp_schema_plant, plant);
    plant->outside_c = NAN;
    if (!dcp_reader_section(r, &dcp_schema_plant, node, plant)) {
        return NULL;
    }
    plant->has_cooling = dcp_yaml_get(node, "supply") != NULL;
    if (fans && plant->cooling.fan_heat_w <= 0) {
        dcp_reader_error(r, fans->pos,
                         "fans: fans_at is missing, the heat they are for");
    }
    if (years) {
        (void)dcp_reader_bool(r, "every_year", years, &every_year);
    }
    if (weather) {
        plant->weather = dcp_reader_hourly(r, "weather", weather,
                                           DCP_HOURLY_WEATHER, every_year);
    }
    read_chain(r, node, &plant->chain);
    return plant;
}

/* --- The straight line near the usual load ------------------------------ */

/* Hosts at half load, and what draws the same at all times. */
static double
usual_w(const struct dcp_inventory *inv, dcp_site_id site)
{
    double sum_w = 0;

    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (!dcp_hardware_is_none(inv->hosts[h].hardware) &&
            dcp_site_eq(dcp_host_site(inv, (dcp_host_id){ h }), site)) {
            sum_w +=
                dcp_power_at(&inv->hardware[inv->hosts[h].hardware.ix], 0.5);
        }
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        sum_w += dcp_site_eq(dcp_rack_site(inv, inv->switches[i].rack), site)
                     ? inv->switches[i].power_w
                     : 0;
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        sum_w += dcp_site_eq(dcp_rack_site(inv, inv->arrays[i].rack), site)
                     ? inv->arrays[i].power_w
                     : 0;
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        sum_w += dcp_site_eq(dcp_rack_site(inv, inv->servers[i].rack), site)
                     ? inv->servers[i].power_w
                     : 0;
    }
    return sum_w;
}

void
dcp_read_plant_pues(struct dcp_reader *r)
{
    struct dcp_inventory *inv = r->inv;
    struct dcp_site *sites = dcp_reader_array(r, inv->n_sites, sizeof *sites);

    if (!sites || !inv->n_sites) {
        return;
    }
    memcpy(sites, inv->sites, inv->n_sites * sizeof *sites);
    inv->sites = sites;
    for (uint32_t s = 0; s < inv->n_sites; s++) {
        if (sites[s].plant) {
            dcp_plant_pue_near(sites[s].plant, usual_w(inv, (dcp_site_id){ s }),
                               &sites[s].pue, &sites[s].pue_marginal);
        }
    }
}
