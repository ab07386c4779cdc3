/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static void
position(const char *path, uint32_t line, uint32_t column)
{
    if (!path) {
        return;
    }
    fprintf(stderr, "%s:", path);
    if (line) {
        fprintf(stderr, "%u:", line);
    }
    if (line && column) {
        fprintf(stderr, "%u:", column);
    }
    fputc(' ', stderr);
}

static void
label(const struct dcp_globals *g, enum dcp_severity severity)
{
    static const char *const words[] = { "note", "warning", "error" };
    static const char *const colors[] = { "36", "33", "31" };

    if (g->color) {
        fprintf(stderr, "\033[%sm%s:\033[0m ", colors[severity],
                words[severity]);
    } else {
        fprintf(stderr, "%s: ", words[severity]);
    }
}

void
dcp_ui_error(const struct dcp_globals *g, const struct dcp_error *err)
{
    label(g, DCP_ERROR);
    position(err->pos.path, err->pos.line, err->pos.column);
    fprintf(stderr, "%s\n",
            err->message[0] ? err->message : dcp_code_name(err->code));
}

void
dcp_ui_warn(const struct dcp_globals *g, const char *format, ...)
{
    va_list args;

    if (g->quiet) {
        return;
    }
    label(g, DCP_WARNING);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void
dcp_ui_say(const struct dcp_globals *g, const char *format, ...)
{
    va_list args;

    if (g->quiet) {
        return;
    }
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void
dcp_ui_diag(const struct dcp_globals *g, struct dcp_diag *d)
{
    dcp_diag_sort(d);
    for (size_t i = 0; i < d->n; i++) {
        const struct dcp_diagnostic *item = &d->items[i];

        if (g->quiet && item->severity != DCP_ERROR) {
            continue;
        }
        label(g, item->severity);
        position(item->path, item->line, item->column);
        fprintf(stderr, "%s\n", item->message);
    }
    if (d->n_errors + d->n_warnings > d->n) {
        fprintf(stderr, "... and %zu more\n",
                d->n_errors + d->n_warnings - d->n);
    }
}

void
dcp_ui_progress(const struct dcp_globals *g, const char *what,
                double done_frac)
{
    if (!g->progress) {
        return;
    }
    if (done_frac >= 0) {
        fprintf(stderr, "\r%s %3.0f %%\033[K", what, 100 * done_frac);
    } else {
        fprintf(stderr, "\r%s\033[K", what);
    }
    fflush(stderr);
}

void
dcp_ui_progress_end(const struct dcp_globals *g)
{
    if (g->progress) {
        fputs("\r\033[K", stderr);
    }
}

double
dcp_ui_wall_seconds(const struct dcp_globals *g)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 -
                    g->started_ms) /
           1000;
}

void
dcp_ui_run_members(const struct dcp_globals *g, struct dcp_json *w)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    dcp_json_kdouble(w, "wall_seconds", dcp_ui_wall_seconds(g));
    dcp_json_kdouble(w, "cpu_seconds",
                     (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec +
                                  usage.ru_stime.tv_usec) / 1e6);
    dcp_json_kdouble(w, "peak_rss_mib", (double)usage.ru_maxrss / 1024);
}

int
dcp_ui_json(struct dcp_json *w, int status, struct dcp_error *err)
{
    const char *text = dcp_json_text(w);

    if (!text) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the result");
        status = -1;
    } else {
        fputs(text, stdout);
    }
    dcp_json_finish(w);
    return status;
}
