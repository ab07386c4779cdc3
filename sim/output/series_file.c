/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/series_file.h"

#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/csv.h"
#include "traces/matrix_writer.h"
#include "traces/out_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA   "dcplan/series/1"
#define FLUSH_AT ((size_t)1 << 20)

struct dcp_series_file {
    struct dcp_sim_series *rows;
    /* HDF5 */
    struct dcp_matrix_writer *h5;
    struct dcp_matrix_spec specs[DCP_SERIES_FIGURES];
    /* CSV */
    enum dcp_series_of of;
    struct dcp_out_file out;
    int fd; /* Of 'out', or standard output; -1: HDF5. */
    struct dcp_text text;
    char **names; /* Owned; as CSV fields. */
    char **hosts; /* Likewise, of VMs' hosts. */
};

/* --- Interval figures --------------------------------------------------- */

static const struct {
    const char *name, *unit;
    size_t offset;
} interval_figures[] = {
    { "hosts_on", "hosts", offsetof(struct dcp_sim_slice, hosts_on) },
    { "it_w", "W", offsetof(struct dcp_sim_slice, it_w) },
    { "meter_w", "W", offsetof(struct dcp_sim_slice, meter_w) },
    { "demand_mhz", "reference MHz",
      offsetof(struct dcp_sim_slice, demand_mhz) },
    { "capacity_mhz", "reference MHz",
      offsetof(struct dcp_sim_slice, capacity_mhz) },
    { "overload_host_s", "s", offsetof(struct dcp_sim_slice, overload_host_s) },
    { "balloon_mib", "MiB", offsetof(struct dcp_sim_slice, balloon_mib) },
    { "swap_mib", "MiB", offsetof(struct dcp_sim_slice, swap_mib) },
    { "migrating", "VMs", offsetof(struct dcp_sim_slice, migrating) },
    { "pue", "1", offsetof(struct dcp_sim_slice, pue) },
};
enum {
    INTERVAL_FIGURES = sizeof interval_figures / sizeof interval_figures[0]
};

static bool
write_parts(struct dcp_series_file *f, const struct dcp_sim_result *r,
            const char *prefix, double *column, struct dcp_error *err)
{
    for (int k = 0; k < DCP_ENERGY_PARTS; k++) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s%s_w", prefix,
                       dcp_energy_part_name((enum dcp_energy_part)k));
        for (uint32_t t = 0; t < r->n_slices; t++) {
            column[t] = r->slices[t].part_w[k];
        }
        if (!dcp_matrix_writer_column(f->h5, "interval", name, "W", r->n_slices,
                                      column, err)) {
            return false;
        }
    }
    return true;
}

static bool
write_intervals(struct dcp_series_file *f, const struct dcp_sim_result *r,
                const char *prefix, double *column, struct dcp_error *err)
{
    for (int i = 0; i < INTERVAL_FIGURES; i++) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s%s", prefix,
                       interval_figures[i].name);
        for (uint32_t t = 0; t < r->n_slices; t++) {
            memcpy(&column[t],
                   (const char *)&r->slices[t] + interval_figures[i].offset,
                   sizeof column[t]);
        }
        if (!dcp_matrix_writer_column(f->h5, "interval", name,
                                      interval_figures[i].unit, r->n_slices,
                                      column, err)) {
            return false;
        }
    }
    return write_parts(f, r, prefix, column, err);
}

static bool
write_times(struct dcp_series_file *f, const struct dcp_sim_result *r,
            struct dcp_error *err)
{
    DCP_FREE int64_t *ms = calloc((size_t)r->n_slices + 1, sizeof *ms);

    if (!ms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for series");
    }
    for (uint32_t t = 0; t < r->n_slices; t++) {
        ms[t] = r->slices[t].start_ms;
    }
    if (!dcp_matrix_writer_times(f->h5, "interval", "start_ms", r->n_slices, ms,
                                 err)) {
        return false;
    }
    for (uint32_t t = 0; t < r->n_slices; t++) {
        ms[t] = r->slices[t].end_ms;
    }
    return dcp_matrix_writer_times(f->h5, "interval", "end_ms", r->n_slices, ms,
                                   err);
}

/* --- HDF5 --------------------------------------------------------------- */

static bool
write_names(struct dcp_series_file *f, enum dcp_series_of of,
            struct dcp_error *err)
{
    uint32_t n = dcp_sim_series_count(f->rows, of);
    DCP_FREE const char **names = calloc((size_t)n + 1, sizeof *names);

    if (!names) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for series");
    }
    for (uint32_t i = 0; i < n; i++) {
        names[i] = dcp_sim_series_name(f->rows, of, i);
    }
    return n == 0 || dcp_matrix_writer_names(f->h5, dcp_series_of_name(of),
                                             names, n, err);
}

static struct dcp_series_file *
create(const struct dcp_sim_input *in, struct dcp_error *err)
{
    DCP_AUTO(dcp_series_file) struct dcp_series_file *f = calloc(1, sizeof *f);

    if (!f) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for series");
        return NULL;
    }
    f->fd = f->out.fd = -1;
    f->rows = dcp_sim_series_create(in, true, err);
    return f->rows ? DCP_STEAL(f) : NULL;
}

struct dcp_series_file *
dcp_series_file_create(const char *path, const struct dcp_sim_input *in,
                       struct dcp_error *err)
{
    DCP_AUTO(dcp_series_file)
    struct dcp_series_file *f = create(in, err);

    if (!f) {
        return NULL;
    }
    for (uint32_t i = 0; i < dcp_sim_series_n(f->rows); i++) {
        const struct dcp_series_figure *figure = &dcp_series_figures[i];

        f->specs[i] = (struct dcp_matrix_spec){
            dcp_series_of_name(figure->of), figure->name, figure->unit,
            dcp_sim_series_count(f->rows, figure->of), figure->whole
        };
    }
    f->h5 = dcp_matrix_writer_create(path, SCHEMA, f->specs,
                                     dcp_sim_series_n(f->rows), err);
    return f->h5 && write_names(f, DCP_SERIES_HOST, err) &&
                   write_names(f, DCP_SERIES_VM, err) &&
                   write_names(f, DCP_SERIES_TENANT, err) &&
                   write_names(f, DCP_SERIES_POOL, err)
               ? DCP_STEAL(f)
               : NULL;
}

static bool
write_rows(struct dcp_series_file *f, struct dcp_error *err)
{
    for (uint32_t i = 0; i < dcp_sim_series_n(f->rows); i++) {
        if (!dcp_matrix_writer_row(f->h5, i, dcp_sim_series_row(f->rows, i),
                                   err)) {
            return false;
        }
    }
    return true;
}

/* --- CSV ---------------------------------------------------------------- */

static char **
quoted_names(const struct dcp_sim_series *rows, enum dcp_series_of of)
{
    uint32_t n = dcp_sim_series_count(rows, of);
    char **names = calloc((size_t)n + 1, sizeof *names);

    for (uint32_t i = 0; names && i < n; i++) {
        struct dcp_text field = { 0 };

        dcp_csv_put(&field, dcp_sim_series_name(rows, of, i));
        names[i] = field.failed ? NULL : strdup(dcp_text_get(&field));
        dcp_text_finish(&field);
        if (!names[i]) {
            while (i > 0) {
                free(names[--i]);
            }
            free(names);
            return NULL;
        }
    }
    return names;
}

static void
free_names(char **names, uint32_t n)
{
    for (uint32_t i = 0; names && i < n; i++) {
        free(names[i]);
    }
    free(names);
}

struct dcp_series_file *
dcp_series_file_create_csv(const char *path, enum dcp_series_of of,
                           const struct dcp_sim_input *in,
                           struct dcp_error *err)
{
    DCP_AUTO(dcp_series_file)
    struct dcp_series_file *f = create(in, err);

    if (!f) {
        return NULL;
    }
    if (of == DCP_SERIES_POOL && !dcp_sim_series_count(f->rows, of)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "the model says of no pool or path what it carries: "
                       "there are no series of pools");
        return NULL;
    }
    f->of = of;
    f->names = quoted_names(f->rows, of);
    f->hosts = quoted_names(f->rows, DCP_SERIES_HOST);
    if (!f->names || !f->hosts) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for series");
        return NULL;
    }
    if (!strcmp(path, "-")) {
        f->fd = STDOUT_FILENO;
    } else if (dcp_out_file_open(path, &f->out, err)) {
        f->fd = f->out.fd;
    } else {
        return NULL;
    }
    dcp_text_printf(&f->text, "time,%s", dcp_series_of_name(of));
    for (uint32_t i = 0; i < dcp_sim_series_n(f->rows); i++) {
        if (dcp_series_figures[i].of == of) {
            dcp_text_printf(&f->text, ",%s", dcp_series_figures[i].name);
        }
    }
    dcp_text_puts(&f->text, "\n");
    return DCP_STEAL(f);
}

static bool
flush(struct dcp_series_file *f, struct dcp_error *err)
{
    const char *at = dcp_text_get(&f->text);
    size_t left = f->text.length;

    if (f->text.failed) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for series");
    }
    while (left) {
        ssize_t n = write(f->fd, at, left);

        if (n < 0 && errno != EINTR) {
            return dcp_fail(err, DCP_E_IO, "cannot write series: %s",
                            strerror(errno));
        }
        at += n > 0 ? n : 0;
        left -= n > 0 ? (size_t)n : 0;
    }
    f->text.length = 0;
    return true;
}

static void
print_value(struct dcp_series_file *f, uint32_t figure, uint32_t i)
{
    float value = dcp_sim_series_row(f->rows, figure)[i];
    char text[32];

    if (dcp_series_figures[figure].whole) { /* A VM's host. */
        dcp_text_printf(&f->text, ",%s",
                        value < 0 ? "" : f->hosts[(uint32_t)value]);
        return;
    }
    (void)snprintf(text, sizeof text, ",%.9g", (double)value);
    dcp_text_puts(&f->text, text);
}

static bool
print_rows(struct dcp_series_file *f, const struct dcp_sim_slice *slice,
           struct dcp_error *err)
{
    uint32_t n = dcp_sim_series_count(f->rows, f->of);
    char at[32];

    dcp_print_instant(slice->start_ms, at);
    for (uint32_t i = 0; i < n; i++) {
        dcp_text_printf(&f->text, "%s,%s", at, f->names[i]);
        for (uint32_t k = 0; k < dcp_sim_series_n(f->rows); k++) {
            if (dcp_series_figures[k].of == f->of) {
                print_value(f, k, i);
            }
        }
        dcp_text_puts(&f->text, "\n");
        if (f->text.length > FLUSH_AT && !flush(f, err)) {
            return false;
        }
    }
    return true;
}

/* --- Both --------------------------------------------------------------- */

void
dcp_series_file_destroy(struct dcp_series_file *f)
{
    if (!f) {
        return;
    }
    if (f->rows) {
        free_names(f->names, dcp_sim_series_count(f->rows, f->of));
        free_names(f->hosts, dcp_sim_series_count(f->rows, DCP_SERIES_HOST));
    }
    dcp_matrix_writer_destroy(f->h5);
    dcp_out_file_finish(&f->out);
    dcp_text_finish(&f->text);
    dcp_sim_series_destroy(f->rows);
    free(f);
}

static bool
see(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct dcp_series_file *f = user;

    return dcp_sim_series_see(f->rows, e, err);
}

static bool
take(void *user, const struct dcp_sim_result *so_far, uint32_t slice,
     bool *more, struct dcp_error *err)
{
    struct dcp_series_file *f = user;

    (void)more;
    dcp_sim_series_take(f->rows, so_far, slice);
    return f->h5 ? write_rows(f, err)
                 : print_rows(f, &so_far->slices[slice], err);
}

struct dcp_sim_watch
dcp_series_file_watch(struct dcp_series_file *f)
{
    return (struct dcp_sim_watch){ see, take, f };
}

static bool
end_h5(struct dcp_series_file *f, const struct dcp_sim_result *r,
       const struct dcp_sim_result *baseline, struct dcp_error *err)
{
    DCP_FREE double *column = calloc((size_t)r->n_slices + 1, sizeof *column);

    if (!column) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for series");
    }
    return write_times(f, r, err) && write_intervals(f, r, "", column, err) &&
           (!baseline || baseline->n_slices != r->n_slices ||
            write_intervals(f, baseline, "baseline_", column, err)) &&
           dcp_matrix_writer_note(f->h5, "partial", r->stopped, err) &&
           dcp_matrix_writer_commit(f->h5, err);
}

bool
dcp_series_file_end(struct dcp_series_file *f, const struct dcp_sim_result *r,
                    const struct dcp_sim_result *baseline,
                    struct dcp_error *err)
{
    if (f->h5) {
        return end_h5(f, r, baseline, err);
    }
    return flush(f, err) &&
           (f->fd == STDOUT_FILENO || dcp_out_file_commit(&f->out, err));
}
