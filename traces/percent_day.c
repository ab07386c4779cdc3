/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/percent_day.h"

#include "model/base/arena.h"
#include "model/base/rng.h"
#include "traces/lines.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = DCP_PERCENT_DAY_SAMPLES };

static bool
read_values(const char *path, uint8_t out[SAMPLES], struct dcp_error *err)
{
    DCP_AUTO(dcp_lines) struct dcp_lines *l = dcp_lines_open(path, err);

    if (!l) {
        return false;
    }
    for (uint32_t n = 0;; n++) {
        int64_t percent;
        char *line;
        size_t length;
        int got = dcp_lines_next(l, &line, &length, err);

        if (got <= 0) {
            return got == 0 &&
                   (n == SAMPLES ||
                    dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                                "%u values: a day has %d", n, SAMPLES));
        }
        const char *end = dcp_scan_i64(line, &percent);

        if (!end || *end || percent < 0 || percent > 100) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "'%.20s' is not a whole percentage: not a "
                               "PlanetLab file",
                               line);
        }
        if (n == SAMPLES) {
            return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 1),
                               "more than %d values: not one day", SAMPLES);
        }
        out[n] = (uint8_t)percent;
    }
}

/* --- Directory ---------------------------------------------------------- */

static int
wanted(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' &&
           (n < 3 || strcmp(entry->d_name + n - 3, ".md") != 0);
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
free_entries(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
}

/* The error's position would borrow a path that is gone: it names the file in
 * its message. */
static bool
in_file(const char *path, struct dcp_error *err)
{
    struct dcp_error inner = *err;

    return dcp_fail(err, inner.code, "'%s', line %u: %.200s", path,
                    inner.pos.line, inner.message);
}

static bool
read_files(const char *directory, struct dirent *const entries[], uint32_t n,
           struct dcp_percent_day *out, struct dcp_error *err)
{
    struct dcp_error inner;

    out->n_vms = n;
    out->percent = calloc((size_t)n, SAMPLES);
    if (!out->percent) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u traces", n);
    }
    for (uint32_t i = 0; i < n; i++) {
        char path[PATH_MAX];
        int length =
            snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);

        if (length < 0 || (size_t)length >= sizeof path) {
            return dcp_fail(err, DCP_E_USAGE, "'%.100s...': too long a path",
                            directory);
        }
        inner = (struct dcp_error){ 0 };
        if (!read_values(path, out->percent + (size_t)i * SAMPLES, &inner)) {
            if (inner.pos.path) {
                (void)in_file(path, &inner);
            }
            return dcp_fail(err, inner.code, "%s", inner.message);
        }
    }
    return true;
}

bool
dcp_percent_day_read(const char *directory, struct dcp_percent_day *out,
                     struct dcp_error *err)
{
    struct dirent **entries = NULL;
    int n = scandir(directory, &entries, wanted, by_bytes);

    *out = (struct dcp_percent_day){ 0 };
    if (n < 0) {
        return dcp_fail(err, errno == ENOMEM ? DCP_E_NOMEM : DCP_E_USAGE,
                        "cannot read the directory '%s': %s", directory,
                        strerror(errno));
    }
    bool ok = n > 0
                  ? read_files(directory, entries, (uint32_t)n, out, err)
                  : dcp_fail(err, DCP_E_USAGE, "no traces in '%s'", directory);

    free_entries(entries, n);
    if (!ok) {
        dcp_percent_day_finish(out);
    }
    return ok;
}

void
dcp_percent_day_finish(struct dcp_percent_day *d)
{
    free(d->percent);
    *d = (struct dcp_percent_day){ 0 };
}

bool
dcp_percent_day_shuffle(struct dcp_percent_day *d, uint64_t seed,
                        struct dcp_error *err)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "file order", 0);
    DCP_FREE uint32_t *order = calloc(d->n_vms, sizeof *order);
    uint8_t *shuffled = calloc(d->n_vms, SAMPLES);

    if (!order || !shuffled) {
        free(shuffled);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u traces", d->n_vms);
    }
    for (uint32_t i = 0; i < d->n_vms; i++) { /* Inside out. */
        uint32_t k = (uint32_t)dcp_rng_below(&rng, (uint64_t)i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    for (uint32_t i = 0; i < d->n_vms; i++) {
        memcpy(shuffled + (size_t)i * SAMPLES,
               d->percent + (size_t)order[i] * SAMPLES, SAMPLES);
    }
    free(d->percent);
    d->percent = shuffled;
    return true;
}
