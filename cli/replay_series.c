/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/replay.h"
#include "model/base/arena.h"
#include "model/base/units.h"
#include "model/io/file.h"

#include <stdio.h>
#include <string.h>

static void
series_columns(FILE *f, const char *prefix)
{
    static const char *const names[] = { "hosts_on",     "it_w",
                                         "meter_w",      "demand_mhz",
                                         "capacity_mhz", "overload_host_s",
                                         "balloon_mib",  "swap_mib",
                                         "migrating",    "pue" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        fprintf(f, ",%s%s", prefix, names[i]);
    }
    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        fprintf(f, ",%s%s_w", prefix,
                dcp_energy_part_name((enum dcp_energy_part)k));
    }
}

static void
series_values(FILE *f, const struct dcp_sim_slice *s)
{
    const double values[] = { s->hosts_on,     s->it_w,
                              s->meter_w,      s->demand_mhz,
                              s->capacity_mhz, s->overload_host_s,
                              s->balloon_mib,  s->swap_mib,
                              s->migrating,    s->pue };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[32];

        dcp_text_double(text, values[i]);
        fprintf(f, ",%s", text);
    }
    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        char text[32];

        dcp_text_double(text, s->part_w[k]);
        fprintf(f, ",%s", text);
    }
}

static void
print_series(FILE *f, const struct dcp_replay *r)
{
    const struct dcp_sim_result *main = r->has_plan ? &r->with : &r->without;

    fputs("time", f);
    series_columns(f, "");
    if (r->has_plan) {
        series_columns(f, "baseline_");
    }
    fputc('\n', f);
    for (uint32_t i = 0; i < main->n_slices; i++) {
        char at[32];

        dcp_print_instant(main->slices[i].start_ms, at);
        fputs(at, f);
        series_values(f, &main->slices[i]);
        if (r->has_plan) {
            series_values(f, &r->without.slices[i]);
        }
        fputc('\n', f);
    }
}

bool
dcp_replay_series(const char *path, const struct dcp_replay *r,
                  struct dcp_error *err)
{
    if (!strcmp(path, "-")) {
        print_series(stdout, r);
        return true;
    }
    DCP_FREE char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);

    if (!f) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for --series");
    }
    print_series(f, r);
    bool ok = !ferror(f);

    ok = fclose(f) == 0 && ok;
    return ok ? dcp_file_write(path, text, length, err)
              : dcp_fail(err, DCP_E_NOMEM, "no memory for --series");
}
