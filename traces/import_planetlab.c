/* SPDX-License-Identifier: GPL-3.0-or-later */

/* PlanetLab (CoMoN): one file per VM and day, one whole percentage per line,
 * every 300 s from 00:00 of the day in the directory's name.  No sizes: they
 * are the caller's assumption. */

#include "model/base/units.h"
#include "traces/importer.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 300000, DAY_MS = 86400000 };

static bool
wanted(const char *name)
{
    size_t n = strlen(name);

    return n < 3 || strcmp(name + n - 3, ".md") != 0;
}

/* The day of ".../20110303/NAME"; false: the directory is not called so. */
static bool
day_of(const char *path, int64_t *out_ms)
{
    const char *end = strrchr(path, '/');

    if (!end || end - path < 8) {
        return false;
    }
    const char *begin = end - 8;
    uint32_t digit[8];

    for (int i = 0; i < 8; i++) {
        if (begin[i] < '0' || begin[i] > '9') {
            return false;
        }
        digit[i] = (uint32_t)(begin[i] - '0');
    }
    if (begin > path && begin[-1] != '/') {
        return false;
    }
    int64_t year = digit[0] * 1000 + digit[1] * 100 + digit[2] * 10 + digit[3];
    uint32_t month = digit[4] * 10 + digit[5], day = digit[6] * 10 + digit[7];
    int64_t back_year;
    uint32_t back_month, back_day;

    if (year < 1970 || year > 2099 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    int64_t days = dcp_days_from_civil(year, month, day);

    dcp_civil_from_days(days, &back_year, &back_month, &back_day);
    *out_ms = days * DAY_MS;
    return back_month == month && back_day == day;
}

static bool
first_instant(const struct dcp_import *imp, const char *path, int64_t *out_ms,
              struct dcp_error *err)
{
    char real[PATH_MAX];

    if (imp->o.start_ms != INT64_MIN) {
        *out_ms = imp->o.start_ms;
        return true;
    }
    /* "." and "x/.." have names too. */
    return day_of(path, out_ms) ||
           (realpath(path, real) && day_of(real, out_ms)) ||
           dcp_fail(err, DCP_E_USAGE,
                    "'%s': its directory is not called after a day "
                    "(YYYYMMDD): give --start",
                    path);
}

static bool
parse(struct dcp_import *imp, struct dcp_import_file *f,
      struct dcp_import_vm *vm, struct dcp_error *err)
{
    int64_t time_ms, previous_ms = INT64_MIN;

    if (!first_instant(imp, f->path, &time_ms, err)) {
        return false;
    }
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(f->path, err);
    if (!l) {
        return false;
    }
    for (;; time_ms += STEP_MS) {
        int64_t percent;
        char *line;
        size_t length;
        int got = dcp_lines_next(l, &line, &length, err);

        if (got <= 0) {
            return got == 0 && dcp_import_end_file(imp, f, l, err);
        }
        const char *end = dcp_scan_i64(line, &percent);

        if (!end || *end || percent < 0 || percent > 100) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "'%.20s' is not a whole percentage: not a "
                               "PlanetLab file",
                               line);
        }
        float mhz = (float)((double)percent * vm->cpu_capacity_mhz / 100);

        if (!dcp_import_row(imp, vm, l, &previous_ms, time_ms, &mhz,
                            (float)percent / 100, 0, err)) {
            return false;
        }
    }
}

/* All VMs are known before the first file is read. */
static bool
parse_sized(struct dcp_import *imp, struct dcp_import_file *f,
            struct dcp_import_vm *vm, struct dcp_error *err)
{
    return dcp_import_size_of(imp, vm, err) && parse(imp, f, vm, err);
}

static bool
read_sources(struct dcp_import *imp, const char *const sources[],
             uint32_t n_sources, struct dcp_error *err)
{
    if (!imp->o.vm_size_path && !(imp->o.core_mhz > 0)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "PlanetLab traces name no sizes: give --core-mhz N "
                        "(one vCPU each) or --vm-size FILE");
    }
    imp->kind.cpu_whole_percent =
        imp->o.start_ms == INT64_MIN || imp->o.start_ms % STEP_MS == 0;
    return dcp_import_read_sizes(imp, err) &&
           dcp_import_list(imp, sources, n_sources, wanted, err) &&
           dcp_import_files(imp, "", parse_sized, err);
}

const struct dcp_importer dcp_importer_planetlab = {
    .kind = "planetlab",
    .n_metrics = 1,
    .metric = { DCP_METRIC_CPU_MHZ },
    .step_ms = STEP_MS,
    .relative = true,
    .cpu_whole_percent = true,
    .read = read_sources,
};
