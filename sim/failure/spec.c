/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The text form of what fails how, and the published fits. */

#include "sim/failure/failure.h"

#include "model/base/units.h"

#include <stdio.h>
#include <string.h>

#define MS_PER_H    3.6e6
#define PART_SIZE   160
#define SHAPE_MIN   0.2
#define SHAPE_MAX   20.0
#define SIGMA_MAX   4.0
#define CYCLE_MIN_H (1.0 / 60)

static const struct dcp_failure_preset presets[] = {
    { "g5k06",
      { 32.41, 7.41 },
      { 0.48, 14.37 },
      { 0.35, 0.47 },
      "Grid'5000, research clusters, 2006" },
    { "lanl05",
      { 1779.99, 5.92 },
      { 0.48, 816.60 },
      { 0.58, 2.18 },
      "LANL, supercomputer nodes, to 2005" },
    { "ldns04",
      { 141.06, 8.61 },
      { 0.51, 79.30 },
      { 0.63, 5.62 },
      "name servers, 2004" },
    { "microsoft99",
      { 67.01, 16.49 },
      { 0.55, 35.30 },
      { 0.60, 9.34 },
      "desktop machines of a company, 1999" },
    { "nd07cpu",
      { 13.73, 4.25 },
      { 0.45, 4.16 },
      { 0.51, 0.74 },
      "idle desktop machines, Notre Dame, 2007" },
    { "overnet03",
      { 2.29, 12.00 },
      { 0.85, 2.04 },
      { 0.44, 2.98 },
      "peer-to-peer hosts, 2003" },
    { "pl05",
      { 159.49, 49.61 },
      { 0.33, 19.35 },
      { 0.36, 5.59 },
      "PlanetLab nodes, to 2005" },
    { "skype06",
      { 16.27, 14.31 },
      { 0.64, 10.86 },
      { 0.63, 9.48 },
      "peer-to-peer supernodes, 2006" },
    { "websites02",
      { 11.85, 1.18 },
      { 0.46, 3.68 },
      { 0.65, 0.61 },
      "web servers seen from afar, 2002" },
};
#define N_PRESETS ((uint32_t)(sizeof presets / sizeof presets[0]))

const struct dcp_failure_preset *
dcp_failure_presets(uint32_t *out_n)
{
    *out_n = N_PRESETS;
    return presets;
}

/* --- Laws --------------------------------------------------------------- */

static bool
parse_hours(const char *text, double *out_h, struct dcp_error *err)
{
    double ms;

    if (!dcp_parse_quantity(DCP_DIM_TIME, text, &ms, err)) {
        return false;
    }
    *out_h = ms / MS_PER_H;
    return *out_h > 0 ||
           dcp_fail(err, DCP_E_PARSE, "'%s': must be above 0", text);
}

/* "0.7:800h" after "weibull:". */
static bool
parse_two(const char *text, const char *what, double least, double most,
          struct dcp_law *law, struct dcp_error *err)
{
    const char *rest = dcp_scan_double(text, &law->shape);

    if (!rest || *rest != ':') {
        return dcp_fail(err, DCP_E_PARSE, "'%s': needs %s:TIME, as 0.7:800h",
                        text, what);
    }
    if (!(law->shape >= least && law->shape <= most)) {
        return dcp_fail(err, DCP_E_PARSE, "'%s': %s must be %g to %g", text,
                        what, least, most);
    }
    return parse_hours(rest + 1, &law->scale_h, err);
}

static bool
parse_law(const char *text, struct dcp_law *law, struct dcp_error *err)
{
    if (!strncmp(text, "weibull:", 8)) {
        law->kind = DCP_LAW_WEIBULL;
        return parse_two(text + 8, "SHAPE", SHAPE_MIN, SHAPE_MAX, law, err);
    }
    if (!strncmp(text, "lognormal:", 10)) {
        law->kind = DCP_LAW_LOGNORMAL;
        return parse_two(text + 10, "SIGMA", 0, SIGMA_MAX, law, err);
    }
    if (!strncmp(text, "fixed:", 6)) {
        law->kind = DCP_LAW_FIXED;
        return parse_hours(text + 6, &law->scale_h, err);
    }
    law->kind = DCP_LAW_EXPONENTIAL;
    return parse_hours(text, &law->scale_h, err);
}

/* --- Parts -------------------------------------------------------------- */

static bool
parse_kind(const char *name, enum dcp_domain *out, struct dcp_error *err)
{
    for (enum dcp_domain of = 0; of < DCP_DOMAINS; of++) {
        if (!strcmp(dcp_domain_name(of), name)) {
            *out = of;
            return true;
        }
    }
    return dcp_fail(err, DCP_E_PARSE,
                    "'%s' does not fail: one of host, rack, feed, switch, "
                    "room, site",
                    name);
}

static bool
parse_process(const char *kind, char *laws, struct dcp_failure_spec *spec,
              struct dcp_error *err)
{
    struct dcp_failure_process p = { .on = true };
    char *repair = strchr(laws, '/');
    enum dcp_domain of = DCP_DOMAIN_HOST;

    if (!parse_kind(kind, &of, err)) {
        return false;
    }
    if (!repair) {
        return dcp_fail(err, DCP_E_PARSE,
                        "'%s=%s': needs BETWEEN/REPAIR, as 365d/4h", kind,
                        laws);
    }
    *repair++ = '\0';
    if (!parse_law(laws, &p.between, err) ||
        !parse_law(repair, &p.repair, err)) {
        return dcp_fail_in(err, "%s", kind);
    }
    if (dcp_law_mean_h(&p.between) < CYCLE_MIN_H) {
        return dcp_fail(err, DCP_E_PARSE,
                        "%s: the mean time between failures must be at least "
                        "a minute",
                        kind);
    }
    spec->of[of] = p;
    return true;
}

static bool
parse_crews(const char *text, struct dcp_failure_spec *spec,
            struct dcp_error *err)
{
    uint64_t n;

    if (!dcp_parse_amount(DCP_DIM_NUMBER, text, &n, err)) {
        return dcp_fail_in(err, "crews");
    }
    spec->crews = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    return true;
}

static bool
parse_preset(char *text, struct dcp_failure_spec *spec, struct dcp_error *err)
{
    char *colon = strchr(text, ':');
    bool exponential = colon && !strcmp(colon, ":exp");
    char names[160] = "";
    size_t used = 0;

    if (exponential) {
        *colon = '\0';
    }
    for (uint32_t i = 0; i < N_PRESETS; i++) {
        const struct dcp_failure_preset *p = &presets[i];

        if (strcmp(p->name, text) != 0) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     i ? ", " : "", p->name);
            continue;
        }
        spec->of[DCP_DOMAIN_HOST] =
            exponential
                ? (struct dcp_failure_process){ true,
                                                { DCP_LAW_EXPONENTIAL, 1,
                                                  p->exponential_h[0] },
                                                { DCP_LAW_EXPONENTIAL, 1,
                                                  p->exponential_h[1] } }
                : (struct dcp_failure_process){
                      true,
                      { DCP_LAW_WEIBULL, p->between[0], p->between[1] },
                      { DCP_LAW_WEIBULL, p->length[0], p->length[1] }
                  };
        return true;
    }
    return dcp_fail(err, DCP_E_PARSE,
                    "no failures are known as '%s': one of %s, or "
                    "KIND=BETWEEN/REPAIR",
                    text, names);
}

static bool
parse_part(char *part, struct dcp_failure_spec *spec, struct dcp_error *err)
{
    char *equals = strchr(part, '=');

    if (!equals) {
        return parse_preset(part, spec, err);
    }
    *equals++ = '\0';
    return strcmp(part, "crews") == 0 ? parse_crews(equals, spec, err)
                                      : parse_process(part, equals, spec, err);
}

bool
dcp_failure_spec_parse(const char *text, struct dcp_failure_spec *out,
                       struct dcp_error *err)
{
    *out = (struct dcp_failure_spec){ .all_up_at_start = true };
    if (!strcmp(text, "none")) {
        return true;
    }
    for (const char *at = text;;) {
        size_t length = strcspn(at, ",");
        char part[PART_SIZE];

        if (length == 0 || length >= sizeof part) {
            return dcp_fail(err, DCP_E_PARSE,
                            "'%s': needs PRESET or KIND=BETWEEN/REPAIR, "
                            "comma-separated",
                            text);
        }
        memcpy(part, at, length);
        part[length] = '\0';
        if (!parse_part(part, out, err)) {
            return false;
        }
        at += length;
        if (!*at) {
            return true;
        }
        at++;
    }
}

/* --- Objects ------------------------------------------------------------ */

bool
dcp_failure_parse_object(const struct dcp_inventory *inv, const char *text,
                         enum dcp_domain *out_of, uint32_t *out_ix,
                         struct dcp_error *err)
{
    const char *colon = strchr(text, ':');
    char kind[16];

    if (!colon || (size_t)(colon - text) >= sizeof kind) {
        return dcp_fail(err, DCP_E_PARSE,
                        "'%s': needs KIND:NAME, as rack:R3 or host:h17", text);
    }
    memcpy(kind, text, (size_t)(colon - text));
    kind[colon - text] = '\0';
    if (!parse_kind(kind, out_of, err)) {
        return false;
    }
    *out_ix = dcp_failure_find(inv, *out_of, colon + 1);
    return *out_ix != UINT32_MAX ||
           dcp_fail(err, DCP_E_NOT_FOUND, "there is no %s '%s' among the %u",
                    kind, colon + 1, dcp_failure_n_objects(inv, *out_of));
}
